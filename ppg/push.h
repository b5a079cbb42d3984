/* A message and its targets.  A push is what an initiator submitted: immutable once it is enqueued, shared by the
 * loops that own its targets through the one counted reference of the house.  A target is one address of a push
 * with a life of its own; it is touched only by the loop that owns its terminal.  Plain data: the store fills and
 * reads it, so it names no type of another room; codes and states are PAP's numbers ([PAP §6, §7]). */
#ifndef PPG_PUSH_H
#define PPG_PUSH_H

#include <stdatomic.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/slice.h"

/* Where a target is in its life; one row of the table in stage.c each.  The numbers are stored: append only. */
enum ppg_stage {
    ST_WAITING = 0, /* for its time, or for a retry */
    ST_SENDING = 1, /* an attempt is under way (in memory only; on disk it is waiting and leased) */
    ST_DELIVERED = 2,
    ST_UNDELIVERABLE = 3,
    ST_EXPIRED = 4,
    ST_ABORTED = 5,
    ST_TIMEOUT = 6,
    ST_CANCELLED = 7,
    ST_COUNT
};
static inline bool ppg_stage_final(enum ppg_stage s)
{
    return s >= ST_DELIVERED;
}

enum ppg_priority { PPG_PRIO_HIGH = 0, PPG_PRIO_MEDIUM = 1, PPG_PRIO_LOW = 2 };
enum ppg_method {
    PPG_METHOD_NOTSPECIFIED,
    PPG_METHOD_CONFIRMED,
    PPG_METHOD_PREFERCONFIRMED,
    PPG_METHOD_UNCONFIRMED
};

/* What a submission with replace-push-id does to the earlier push ([PAP §4.1]). */
enum ppg_replace {
    PPG_REPLACE_NONE,
    PPG_REPLACE_ALL, /* everybody gets the new one; where the old one is pending it is cancelled first */
    PPG_REPLACE_PENDING_ONLY /* only those get the new one for whom the old one is pending */
};

#define PPG_AUTHENTICATED    0x01u /* the initiator URI belongs to the authenticated account */
#define PPG_TRUSTED          0x02u /* the account's content is trusted by policy */
#define PPG_HAS_QOS          0x04u /* the submission carried quality-of-service */
#define PPG_NETWORK_REQUIRED 0x08u
#define PPG_BEARER_REQUIRED  0x10u
#define PPG_PROGRESS_NOTES   0x20u

struct ppg_target;
struct ppg_share;
struct ppg_stand;

struct ppg_push {
    struct arena mem;       /* every slice below lives here or in body_mem */
    struct buf body_mem;    /* the request body as received, moved here, or empty */
    atomic_uint refs;       /* one for each live target and one for whoever holds the push itself */
    atomic_size_t *charged; /* count of octets in memory that this push is part of, or NULL */
    size_t charged_n;
    struct ppg_share *share; /* the initiator's; set when targets come into memory */

    int64_t id;             /* row; 0 until the insert is done */
    struct slice initiator; /* account name */
    struct slice push_id;   /* [PAP §4.1], octet for octet */
    struct slice source_ref;
    struct slice notify_url; /* empty: no result notification owed */
    struct slice network;
    struct slice bearer;
    struct slice app_id;        /* X-Wap-Application-Id as text; empty: the default application */
    struct slice initiator_uri; /* what goes into X-Wap-Initiator-URI; may be empty */
    struct slice content_type;  /* of the content entity, with parameters */
    struct slice headers; /* other header lines to pass, each ending in CRLF; sanitised; no Content-Length */
    struct slice body;    /* content octets, transfer encoding undone */
    struct slice how;     /* how the initiator was let in, in words, for `push explain`; may be empty */
    struct slice replace_id; /* push-id that this one replaces; used by the insert, not kept */
    uint8_t replace;         /* enum ppg_replace */
    uint32_t flags;          /* PPG_... above */
    uint8_t version;         /* enum pap_version to answer and notify with */
    uint8_t priority;        /* enum ppg_priority */
    uint8_t method;          /* enum ppg_method */
    uint8_t asked;           /* protection level asked: 0 none, 1 integrity, 2 full */
    int64_t accepted_ms;     /* UTC */
    int64_t not_before_ms;   /* UTC; 0: at once */
    int64_t expires_ms;      /* UTC; always set */

    struct ppg_target *targets; /* array in mem */
    size_t targets_n;
};

struct ppg_target {
    struct list link; /* in the queue of its terminal, or in a batch between threads */
    struct ppg_push *push;
    int64_t id;           /* row; 0 until the insert is done */
    struct slice address; /* the initiator's own spelling */
    struct slice key;     /* canonical form: routing, ordering, whitelist */
    struct slice rule;    /* what let it through: "whitelist.conf:12 allow"; for `push explain` */
    int64_t due_ms;       /* UTC: not before */
    int64_t group_id;     /* row of the group it was expanded from; 0: addressed by itself */
    uint32_t
        members_n; /* > 0: a group; its members follow it in push->targets.  A group is never tried itself: it
                           * becomes final with its last member, and it alone is answered, notified and queried */
    uint16_t code; /* PAP code that goes with a final stage */
    uint16_t tries;          /* attempts begun */
    uint8_t stage;           /* enum ppg_stage */
    uint8_t demanded;        /* protection level that rule and floor demand: 0 none, 1 integrity, 2 full */
    bool leased;             /* the insert hands it to the loop at once; never a group */
    bool by_call;            /* a call of its terminal makes it due; goes to the store with it */
    bool early;              /* in memory before it is due; waits in its stand, not in its queue */
    uint8_t busy;            /* answers for lack of resources; in memory only */
    struct ppg_stand *stand; /* where it waits or is tried from; owned by schedule.c */
    void *attempt;           /* the attempt under way; owned by deliver.c */
};

/* One block: the push and the first first_n octets of its arena.  refs is 1.  NULL: memory is out. */
struct ppg_push *ppg_push_create(size_t first_n, size_t max_n) MUST_USE;
struct ppg_push *ppg_push_hold(struct ppg_push *p);
void ppg_push_drop(struct ppg_push *p); /* any thread; the last one frees */
/* Adds its octets to *octets until it is freed; again: nothing.  One thread holds it yet.  *octets outlives it. */
void ppg_push_charge(struct ppg_push *p, atomic_size_t *octets);

/* A result notification that is owed ([PAP §3.4]); heap, free with ppg_notice_free. */
struct ppg_notice {
    struct list link;
    struct arena mem; /* slices below live here */
    int64_t id;       /* outbox row */
    struct slice initiator;
    struct slice push_id;
    struct slice url;
    struct slice address;
    struct slice network;
    struct slice bearer;
    uint32_t flags;
    uint8_t version;
    uint8_t priority;
    uint8_t method;
    uint8_t stage; /* final */
    uint16_t code;
    uint16_t tries;
    int64_t accepted_ms;
    int64_t event_ms; /* when the final stage was reached */
    int64_t due_ms;
};
struct ppg_notice *ppg_notice_create(void) MUST_USE;
void ppg_notice_free(struct ppg_notice **n);

#endif
