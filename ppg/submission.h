/* One request of an initiator while accept.c and authorize.c work on it.  Lives from the end of the request's
 * body to its answer; owned by accept.c. */
#ifndef PPG_SUBMISSION_H
#define PPG_SUBMISSION_H

#include "base/net/httpd.h"
#include "pap/mime.h"
#include "ppg/enqueue.h"
#include "ppg/reply.h"
#include "ppg/route.h"

struct ppg_submission {
    struct ppg_core *core;
    struct net_http_exchange *exchange;
    const struct sec_account *account; /* while no turn of the loop has passed; else by ppg_authenticated() */
    struct ppg_push *push;             /* ours until ppg_enqueue takes it */
    struct pap_parts parts;            /* views into push->body_mem */
    struct pap_message message;        /* in push->mem */
    struct ppg_outcome outcome;
    struct ppg_enqueue enqueue;
    char why[PPG_ROUTE_WHY_N]; /* text behind outcome.why */
    char answer_push_id[256];  /* the push may be gone when the answer is printed */
    struct ppg_submission *next_free;
};

/* Prints and sends s->outcome: the exchange is over, also when the peer has left. */
void ppg_submission_reply(struct ppg_submission *s);
/* Gives its memory back, s->push too when it is still ours. */
void ppg_submission_free(struct ppg_submission *s);

#endif
