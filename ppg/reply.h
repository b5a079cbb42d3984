/* Outcomes to PAP answers and HTTP ([PAP §3.2, §3.3]).  The only place where an enum err that no rule explained
 * becomes a PAP code.  Prints into buffers, sends through the exchange. */
#ifndef PPG_REPLY_H
#define PPG_REPLY_H

#include "base/net/httpd.h"
#include "pap/parse.h"
#include "ppg/core.h"

/* What a submission came to. */
struct ppg_outcome {
    enum pap_code code;
    const char *why;          /* more than the code's own text; NULL: that text */
    enum pap_version version; /* of the request */
    enum pap_kind kind;       /* of the request; PAP_KIND_NONE: badmessage-response */
    struct slice push_id;     /* p NULL: not known */
    struct slice query_id;
    struct slice address;  /* for answers that must name one */
    struct slice fragment; /* for badmessage-response */
    int64_t received_ms;
    bool progress_notes;
};

/* What is left when no rule has a word for it. */
enum pap_code ppg_reply_code(enum err e);

/* The document for an outcome; ERR_NOMEM. */
enum err ppg_reply_print(const struct ppg_core *c, const struct ppg_outcome *o, struct buf *out) MUST_USE;

/* Prints and sends it with the configured success status; account may be NULL.  Ends the exchange. */
void ppg_reply(struct ppg_core *c, struct net_http_exchange *x, const struct sec_account *account,
               const struct ppg_outcome *o);

#endif
