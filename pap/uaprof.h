/* What a client can take, as a user agent profile (UAProf) in RDF/XML: the part of it that matters to push.  It comes
 * as the third part of a submission, as a file of the operator, and goes out with the answer to a capability query
 * ([PAP §3.1, §8.7]).  Names: components PushCharacteristics, SoftwarePlatform and BrowserUA of UAProf; CC/PP 1.0.
 * Nothing a profile points to is ever fetched.  Any thread. */
#ifndef PAP_UAPROF_H
#define PAP_UAPROF_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define PAP_UAPROF_MAX_N  ((size_t)256 * 1024) /* octets of a document */
#define PAP_UAPROF_DEPTH  16                   /* elements inside each other */
#define PAP_UAPROF_ATTRS  64                   /* attributes of an element */
#define PAP_UAPROF_LIST_N 4096u                /* octets of one list */
#define PAP_UAPROF_ITEM_N 255u                 /* octets of one item */
#define PAP_UAPROF_TYPE   "application/rdf+xml"

/* Lists are items separated by ", "; "" when not said.  Zeroed: nothing said. */
struct pap_uaprof {
    struct slice accept;      /* Push-Accept, else CcppAccept */
    struct slice charsets;    /* Push-Accept-Charset, else CcppAccept-Charset */
    struct slice encodings;   /* Push-Accept-Encoding, else CcppAccept-Encoding */
    struct slice languages;   /* Push-Accept-Language, else CcppAccept-Language */
    struct slice app_ids;     /* Push-Accept-AppID */
    uint64_t size_max;        /* Push-MsgSize, octets; 0: not said */
    uint32_t outstanding_max; /* Push-MaxPushReq; 0: not said */
    size_t skipped;           /* attributes with a value that mean nothing here */
};

/* Slices of *out live in mem.  A value said outright stands before a default, a push attribute before a browser's;
 * said twice alike, lists add up and the last number counts.  ERR_MALFORMED: not well-formed, not RDF, an internal
 * subset, a number that is none, an item that could not stand in a list; ERR_LIMIT: a ceiling above;
 * ERR_UNSUPPORTED: a character encoding; ERR_NOMEM.  *why: static text, written on failure only. */
enum err pap_uaprof_parse(struct slice xml, struct arena *mem, struct pap_uaprof *out,
                          const char **why) MUST_USE;
/* The same of a document whose media type has this charset parameter, see pap_parse_as(). */
enum err pap_uaprof_parse_as(struct slice xml, struct slice charset, struct arena *mem,
                             struct pap_uaprof *out, const char **why) MUST_USE;

/* A document of one PushCharacteristics component that parses to the same (skipped is 0).  Items that could not be
 * read back are left out.  ERR_LIMIT, ERR_NOMEM from out. */
enum err pap_uaprof_print(const struct pap_uaprof *p, struct buf *out) MUST_USE;

#endif
