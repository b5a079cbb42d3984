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
    struct slice address;              /* for answers that must name one */
    struct slice fragment;             /* for badmessage-response */
    const struct pap_results *results; /* of a cancel or a status query, instead of code; NULL: code speaks */
    struct slice rdf;                  /* capabilities, the second part of the answer; n 0: none */
    int64_t received_ms;
    int64_t validated_ms; /* 0: it was not */
    int64_t stored_ms;    /* likewise */
    int64_t retry_ms;     /* not 0: worth another try in so long */
    bool queue_known;     /* what the store said of the initiator's queue: */
    uint64_t queued;      /* targets that are not final */
    size_t replaced_n;    /* targets of the earlier push that were cancelled */
    bool replaces;
    bool progress_notes;
};

/* What is left when no rule has a word for it. */
enum pap_code ppg_reply_code(enum err e);

/* Octets of the longest answer these settings allow: what a request may name, and what is said about each address. */
size_t ppg_reply_max_n(const struct ppg_settings *set);
/* As the submission gave it; flags, priority and method as push.h numbers them, which is not PAP's order. */
struct pap_qos ppg_reply_qos(uint32_t flags, uint8_t priority, uint8_t method, struct slice network,
                             struct slice bearer);

/* The document for an outcome; ERR_NOMEM, ERR_LIMIT. */
enum err ppg_reply_print(const struct ppg_core *c, const struct ppg_outcome *o, struct buf *out) MUST_USE;

/* A Retry-After line: in seconds, rounded up. */
void ppg_reply_retry_after(int64_t wait_ms, struct buf *headers);

/* A door that has one method: what its head is answered with.  405 with Allow, 413 past body_max_n, 503 while the gateway ends; 0: go on. */
#define PPG_BUSY_RETRY_MS 1000 /* for who comes at a bad moment */
unsigned ppg_reply_head(const struct ppg_core *c, struct net_http_exchange *x, const char *method,
                        size_t body_max_n, struct buf *headers);
/* Where logins are guessed: 429 while the source waits; 0: go on. */
unsigned ppg_reply_slowed(const struct ppg_core *c, struct slice source, struct buf *headers);

/* Prints and sends it with the configured success status; account may be NULL.  Ends the exchange. */
void ppg_reply(struct ppg_core *c, struct net_http_exchange *x, const struct sec_account *account,
               const struct ppg_outcome *o);

#endif
