/* One loop's share of the gateway, without the loop: what the stages of a push stand on.  It knows no libuv, so
 * the replay tests run it on a virtual clock; server.c gives it a thread, a tick and the mail.
 *
 * A core is used by its own loop only.  Store operations are gathered in ops and handed over once per turn by
 * ppg_core_flush().  config is this loop's snapshot; a reload swaps it between turns. */
#ifndef PPG_CORE_H
#define PPG_CORE_H

#include <stdatomic.h>
#include "base/clk.h"
#include "base/list.h"
#include "base/log.h"
#include "base/rate.h"
#include "ota/bearer.h"
#include "pap/parse.h"
#include "ppg/config.h"
#include "ppg/push.h"
#include "ppg/stats.h"
#include "ppg/store/store.h"
#include "security/login/digest.h"
#include "security/login/mac_guard.h"
#include "security/login/penalty.h"

#define PPG_LIVE_MAX_N                                                                                       \
    ((size_t)256 << 20) /* octets of pushes in memory, all loops; above it no more come in */

struct ota_profiles;
struct ota_sip_location;
struct ppg_waits;
struct sec_verify;
struct ppg_core;
struct ppg_accept;
struct ppg_control;
struct ppg_inbox;
struct ppg_schedule;
struct ppg_wake;
struct ppg_notify;
struct ppg_bsfc;
struct ppg_protect;
struct ppg_seq;
struct ppg_deliver;
struct ppg_sipdoor;
struct ppg_keyask;
struct ppg_visit;
struct ppg_msrpdoor;

/* What is known without the store about one initiator's targets.  Accounts are found by the hash of their name: two that
 * meet in one slot only wait a little longer than they must. */
#define PPG_SHARES 1024u
struct ppg_share {
    _Atomic int64_t next_due_ms; /* UTC: earliest due time of what only the store holds; INT64_MAX none */
    atomic_size_t live;          /* targets in memory */
    atomic_bool claiming;        /* a claim that may bring some of its due targets is under way */
    atomic_uint unleased;        /* inserts under way of targets that are due and have no place in memory */
};

/* Who waits for something new in an inbox looks at its bell; terminals share them. */
#define PPG_BELLS       4096u

/* Sources of logins, and terminals, that meet in one slot only wait a little longer than they must. */
#define PPG_KEY_SOURCES 1024u
#define PPG_VISITORS    1024u

/* What all loops know of the far BSF (bsfc.h); zeroed at the start.  Any thread. */
struct ppg_bsf_state {
    _Atomic int64_t away_since_ms; /* UTC; 0: it answers, or was not asked yet */
    _Atomic int64_t try_at_ms;     /* monotonic: not before, while it is away */
    _Atomic(const char *) why;     /* static: how it failed last; NULL: it did not */
    atomic_size_t asked;
    struct rate_bucket keys; /* questions for keys by B-TID: all, and by the hash of who made us ask */
    struct rate_bucket key_sources[PPG_KEY_SOURCES];
};

/* What all cores share; lives in server.c (or a test) and outlives them. */
struct ppg_shared {
    unsigned loops;
    uint64_t spread[2]; /* key of the hash that gives a terminal its loop */
    struct store *store;
    struct log *log;
    const struct clk *clk;
    struct sec_penalty *penalty;     /* failed logins count wherever they come in */
    struct sec_penalty *mac_users;   /* wrong macs, by the name that they came under, whoever sent them */
    struct sec_digest_guard *guard;  /* nonces are good on every loop */
    struct sec_mac_guard *macs;      /* likewise those of x-syncml-hmac */
    struct sec_mac_guard *logins;    /* and of terminals' syncml:auth-md5 */
    struct sec_penalty *login_users; /* the names under which it failed */
    _Atomic int64_t
        next_notice_ms; /* UTC: when the earliest of the notices that only the store holds is due */
    struct ppg_share shares[PPG_SHARES]; /* zeroed at the start: all are behind until the first claim */
    atomic_uint bells[PPG_BELLS];        /* rung when something has come into an inbox */
    struct ppg_bsf_state bsf;            /* of the far BSF, where there is one */
    struct ota_profiles *profiles;       /* what terminals said about themselves */
    struct ota_sip_location *location;   /* where those are that have registered over SIP */
    struct sec_bootstrap *sip_aka;       /* their AKA logins; NULL: the realm is no domain name */
    struct sec_verify *verify; /* tokens of pushes that ask to connect; NULL: nobody could ask about them */
    struct rate_bucket visits[PPG_VISITORS]; /* zeroed at the start: what terminals have asked for of late */
    struct ppg_waits *waits; /* terminals that wait for something to come into their inboxes */
    atomic_size_t live;      /* targets in memory */
    atomic_size_t live_n;    /* octets of their pushes */
    atomic_bool draining;    /* SIGTERM: accept nothing new, start nothing new */
};

/* Gives targets (by ppg_target.link) to the loop that owns their terminals; the list is empty afterwards. */
typedef void ppg_hand_fn(void *host, unsigned loop, struct list *targets);
/* A question to another loop's core: run() there, then back() here; each once, never from inside ppg_core_errand().
 * Owned by whoever asks, until back() has run. */
struct ppg_errand {
    struct list link;
    unsigned from;
    unsigned to;
    bool returning;
    void (*run)(struct ppg_core *c, struct ppg_errand *e);  /* on loop `to` */
    void (*back)(struct ppg_core *c, struct ppg_errand *e); /* on loop `from` */
};
/* Brings it to loop e->to, or back to e->from when it is returning, where ppg_core_errand_arrived() takes it. */
typedef void ppg_errand_fn(void *host, struct ppg_errand *e);
/* Sends a notification: done() once, later.  In the gateway httpc, in replay tests a script. */
struct ppg_post_answer {
    enum err err;           /* as net_httpc_done_fn; not 0: the rest is empty but for tls_why */
    unsigned status;        /* of HTTP */
    int64_t retry_after_ms; /* what a 429 or 503 asked for; 0: nothing */
    struct slice body;
    const char *tls_why; /* static text; "" unless TLS said no */
};
typedef void ppg_post_done_fn(const struct ppg_post_answer *answer, void *arg);
typedef enum err ppg_post_fn(void *host, struct slice url, struct slice body, ppg_post_done_fn *done,
                             void *arg);

struct ppg_core {
    unsigned loop; /* 0.. */
    struct ppg_shared *shared;
    struct ppg_config *config; /* held */
    struct pap_parser *parser;
    struct ppg_stats stats;
    struct list ops;   /* store operations of this turn */
    size_t ops_out;    /* operations whose done() has not run */
    struct buf answer; /* scratch of reply.c */
    struct buf answer_headers;
    struct ppg_accept *accept;
    struct ppg_control *control;
    struct ppg_schedule *schedule;
    struct ppg_deliver *deliver;
    struct ppg_seq *seq;
    struct ppg_protect *protect;
    struct ppg_notify *notify;
    struct ppg_wake *wake;
    struct ppg_inbox *inbox;
    struct ppg_bsfc *bsfc;   /* set by the host; NULL: none */
    struct ppg_visit *visit; /* likewise */
    struct ppg_keyask *keyask;
    struct ppg_sipdoor *sip;                 /* likewise */
    struct ppg_msrpdoor *msrp;               /* likewise */
    const struct ota_bearer *const *bearers; /* in order of preference; ota_bearers, or a test's */
    size_t bearers_n;
    void *bearer_self[OTA_BEARERS_MAX]; /* by place in bearers; NULL once it is being closed */
    ppg_hand_fn *hand;
    ppg_errand_fn *errand;
    size_t errands_out; /* ours that are not back */
    ppg_post_fn *post;
    void *host;
};

/* Makes the parts of *c (shared, loop, config, bearers, hand, errand, post, host are set by the caller; bearer_self before
 * the first target arrives). */
enum err ppg_core_init(struct ppg_core *c) MUST_USE;
void ppg_core_clear(struct ppg_core *c); /* nothing may be in flight */
/* Due work: claims, expiry, retries of notices; call about ten times a second. */
void ppg_core_tick(struct ppg_core *c);
/* Hands the gathered operations to the store; call at the end of each turn. */
void ppg_core_flush(struct ppg_core *c);
/* The store is done with these operations: runs their done(); the list is empty afterwards. */
void ppg_core_done(struct ppg_core *c, struct list *ops);
void ppg_core_set_config(struct ppg_core *c, struct ppg_config *config); /* takes a hold of its own */
bool ppg_core_busy(const struct ppg_core *c); /* targets or notices in memory, store operations under way */

static inline void ppg_core_submit(struct ppg_core *c, struct store_op *op)
{
    op->loop = c->loop;
    c->ops_out++;
    list_push_back(&c->ops, &op->link);
}
static inline int64_t ppg_core_utc_ms(const struct ppg_core *c)
{
    return clk_utc_ms(c->shared->clk);
}
static inline int64_t ppg_core_mono_ms(const struct ppg_core *c)
{
    return clk_mono_ms(c->shared->clk);
}
static inline const struct ppg_settings *ppg_core_settings(const struct ppg_core *c)
{
    return ppg_config_settings(c->config);
}
/* Which loop owns the terminal. */
unsigned ppg_core_owner(const struct ppg_core *c, struct slice key);
/* Sends an errand; to may be this loop. */
void ppg_core_errand(struct ppg_core *c, struct ppg_errand *e, unsigned to);
/* An errand that waits where others see it, in place of running on a loop: begin on the loop that wants it; whoever has what
 * it waits for sends it back, from its own. */
void ppg_core_errand_begin(struct ppg_core *c, struct ppg_errand *e);
void ppg_core_errand_return(struct ppg_core *c, struct ppg_errand *e);
/* The host has brought it: runs what is to run here, and sends it back. */
void ppg_core_errand_arrived(struct ppg_core *c, struct ppg_errand *e);
/* The slot of an initiator.  Any thread. */
struct ppg_share *ppg_shared_share(struct ppg_shared *s, struct slice initiator);
/* The bell of a terminal's inbox.  Any thread. */
atomic_uint *ppg_shared_bell(struct ppg_shared *s, struct slice key);
/* Something in the store becomes due then: wakes the claim in time.  Any thread. */
void ppg_shared_due(_Atomic int64_t *next, int64_t at_ms);
/* Room in memory for more content: a few large pushes count as much as many small ones.  Any thread. */
static inline bool ppg_shared_room(const struct ppg_shared *s)
{
    return atomic_load(&s->live_n) < PPG_LIVE_MAX_N;
}
/* Targets of this initiator that are due wait in the store: a new one must queue behind them, or it would overtake an
 * older one to the same terminal.  Any thread. */
bool ppg_share_behind(const struct ppg_share *share, int64_t now_ms);
/* How many more targets this initiator may bring into memory: until it has as many as are still free for all, so that
 * one that floods leaves room for the next.  Any thread. */
size_t ppg_share_room(const struct ppg_shared *s, const struct ppg_share *share, size_t live_max);

#endif
