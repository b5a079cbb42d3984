/* In which form a terminal gets the content: as submitted, or tokenised ([PAP §9]: textual SI, SL and CO become WBXML
 * when the terminal takes only that, never against Cache-Control: no-transform).  Pure but for the memory; the core's
 * loop. */
#ifndef PPG_CONTENT_H
#define PPG_CONTENT_H

#include "ota/profile.h"
#include "pap/message.h"
#include "ppg/push.h"
#include "security/kdf.h"

#define PPG_CONTENT_MADE_MAX_N ((size_t)128 * 1024) /* octets of a tokenised form, for who makes the buffer */

/* What protect.c sends in place of the push's own type and body. */
struct ppg_content {
    struct slice type; /* borrowed from the push, or static */
    struct slice body; /* borrowed from the push, or from the caller's buffer */
    bool transformed;
    bool notice;         /* not the content, but where the terminal can fetch it: a message of its own */
    struct slice verify; /* token that goes with it; deliver.c's, empty: none */
};

/* As submitted. */
struct ppg_content ppg_content_plain(const struct ppg_push *push);

/* narrow: where the terminal says nothing of types it is taken to be one that wants the tokenised form.
 * PAP_CODE_OK: *out is filled; `made` holds the tokenised octets when there are any, and may come with those of the same
 * push.  PAP_CODE_CAPABILITIES_NOT_SUPPORTED (2006): no form of it is taken, or the application is not served;
 * PAP_CODE_TRANSFORMATION_FAILURE (3006): the only form that is taken cannot be made; PAP_CODE_INTERNAL_ERROR: memory.
 * *why: static text. */
enum pap_code ppg_content_choose(const struct ppg_push *push, const struct ota_profile *profile, bool narrow,
                                 struct buf *made, struct ppg_content *out, const char **why);

/* Where content lies, and what will be found there. */
struct ppg_content_place {
    struct slice url, host; /* the latter in it */
    struct slice id;        /* of the item */
    struct slice type;
    uint64_t size;
    uint8_t sha1[SEC_SHA1_N];
    int64_t until_s; /* UTC: it is there so long */
};
/* From the form that would be fetched, without url, host and id.  ERR_NOMEM. */
enum err ppg_content_place(const struct ppg_push *push, const struct ppg_content *form,
                           struct ppg_content_place *out) MUST_USE;
/* A message that says where (RFC 2046 §5.2.3, RFC 2017, RFC 4483 §4), written to `made`, which lives with *out. */
enum err ppg_content_notice(const struct ppg_content_place *at, struct buf *made,
                            struct ppg_content *out) MUST_USE;

/* Is it a media type that can stand in a header line: strict, of printable ASCII? */
bool ppg_content_type_good(struct slice type);
/* The tokenised form for a terminal that has just refused the textual one, unless it is known not to take that either.
 * False: there is none, or it may not be made. */
bool ppg_content_other(const struct ppg_push *push, const struct ota_profile *profile, struct buf *made,
                       struct ppg_content *out);

#endif
