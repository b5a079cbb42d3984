/* Inside the inbox: one request of a terminal until it is answered.  inbox.c takes requests, lists and ends items;
 * inbox_item.c fetches one. */
#ifndef PPG_DOORS_INBOX_JOB_H
#define PPG_DOORS_INBOX_JOB_H

#include "base/net/httpd.h"
#include "ppg/core.h"
#include "ppg/protect.h"
#include "ppg/route.h"
#include "security/terminal/verify.h"
#include "security/xml/xmlsec.h"

#define PPG_INBOX_WHY_N  200
#define PPG_INBOX_OBJECT "X-Push-Object"

struct ppg_inbox_job {
    struct ppg_core *core; /* where the request came in */
    struct net_http_exchange *x;
    /* A list. */
    struct list at;      /* among those that wait; alone otherwise */
    unsigned bell;       /* as it was before the store was asked */
    int64_t until_ms;    /* monotonic: it waits so long */
    uint64_t generation; /* of the configuration that let it in */
    bool counted;        /* among those that wait (waits.h) */
    int64_t after_id;
    size_t max;
    /* An item: on the way to the loop that owns the terminal, there, and back. */
    struct ppg_errand go, home;
    atomic_uint legs; /* errands that are not over */
    struct ppg_core *owner;
    struct ota_registry *registry; /* held */
    struct ppg_route route;        /* as the terminal fetches it */
    struct ppg_protected message;
    struct ppg_protect_wait wait;
    struct buf made;
    struct buf plain;               /* what an object held; wiped */
    char object_type[256];          /* its media type */
    char token[SEC_VERIFY_TOKEN_N]; /* when it asks the terminal to connect */
    struct ppg_push *push;          /* held, NULL: none */
    struct ppg_target *target;
    uint8_t asked;   /* protection that the terminal asks for */
    bool opened;     /* it asks for what is in an encrypted object */
    unsigned status; /* what it came to */
    char why[PPG_INBOX_WHY_N];
    int64_t id; /* of the target */
    union {
        struct store_op op;
        struct store_inbox list;
        struct store_item item;
        struct store_finish finish;
    } as;
    size_t key_n;
    char key[]; /* the terminal's address */
};

static inline struct slice ppg_inbox_key(const struct ppg_inbox_job *j)
{
    return slice_of(j->key, j->key_n);
}
/* Answers, and frees the job unless it has legs. */
void ppg_inbox_answer(struct ppg_inbox_job *j, unsigned status, struct slice type, struct slice headers,
                      struct slice body);
void ppg_inbox_job_free(struct ppg_inbox_job *j);

/* inbox_item.c: GET of j->id. */
void ppg_inbox_fetch(struct ppg_inbox_job *j);

#endif
