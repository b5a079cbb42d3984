/* One event loop of the gateway: a libuv loop, its listeners, its bearers and its core, and a mailbox through
 * which the store's thread and other loops reach it.  Mail is a list swapped whole under a mutex and one wake-up.
 *
 * Life: ppg_loop_init and ppg_loop_listen on the main thread, then ppg_loop_run on the loop's own thread until
 * ppg_loop_stop.  Draining: when the shared draining flag is set, the loop stops accepting, finishes what is on
 * the wire, gives the rest back to the store, and reports itself quiet; it stops only when told, because another
 * loop may still hand it something. */
#ifndef PPG_LOOP_H
#define PPG_LOOP_H

#include <uv.h>
#include "base/net/env.h"
#include "base/net/httpd.h"
#include "ppg/core.h"
#include "ppg/doors/entity_door.h"
#include "ppg/ocsp.h"
#include "ppg/outbound.h"
#include "ppg/snapshot.h"

#define PPG_LOOP_TICK_MS       100
#define PPG_LOOP_LISTENERS_MAX (10 * PPG_LISTEN_MAX)

enum ppg_listen_kind {
    PPG_LISTEN_CLEAR,
    PPG_LISTEN_TLS,
    PPG_LISTEN_PSK,
    PPG_LISTEN_UB,
    PPG_LISTEN_NAF,
    PPG_LISTEN_ENTITIES,
    PPG_LISTEN_VERIFY, /* for terminals that ask about a push */
    PPG_LISTEN_VERIFY_PSK,
    PPG_LISTEN_CALLS, /* of terminals */
    PPG_LISTEN_CALLS_TLS,
    PPG_LISTEN_CALLS_PSK,
    PPG_LISTEN_INBOX, /* of terminals that fetch */
    PPG_LISTEN_INBOX_PSK,
    PPG_LISTEN_SIP_UDP, /* of terminals that register over SIP */
    PPG_LISTEN_SIP_TCP,
    PPG_LISTEN_SIP_TLS,
    PPG_LISTEN_MSRP, /* of terminals that connect for a session */
    PPG_LISTEN_MSRPS,
    PPG_LISTEN_MSRPS_PSK,
    PPG_LISTEN_PEER, /* of homes that bring keys */
};

struct ppg_loop {
    unsigned index;
    uv_loop_t uv;
    uv_async_t wake;
    uv_prepare_t turn; /* end of a turn: the store gets its operations */
    uv_timer_t tick;
    struct net_env env;
    struct ota_env ota; /* the bearers borrow it */
    struct ppg_core core;
    struct ppg_snapshot *snapshot; /* held */
    struct ppg_outbound *outbound;
    struct ppg_ocsp *ocsp;
    struct ppg_callin *callin;
    struct ppg_bsfc *bsfc;
    struct ppg_visit *visit;
    struct ppg_sipdoor *sip;
    struct ppg_msrpdoor *msrp;
    struct ppg_entity_door entities;
    struct net_httpd *listeners[PPG_LOOP_LISTENERS_MAX];
    enum ppg_listen_kind listener_kind[PPG_LOOP_LISTENERS_MAX];
    size_t listeners_n;
    size_t open;        /* parts that still have to report closed */
    bool stopping;      /* told to end, once nothing is left */
    bool closing;       /* parts are being closed */
    int64_t give_up_ms; /* monotonic: while draining, what is on the wire is cut off then */
    atomic_bool quiet;  /* drained; stays true unless mail brings work */
    void (*on_tick)(struct ppg_loop *l, void *arg); /* loop 0: the server's own work; may be NULL */
    void *on_tick_arg;

    uv_mutex_t mail_lock;     /* guards what follows */
    struct list mail_ops;     /* store operations that are done */
    struct list mail_targets; /* targets whose terminals are ours */
    struct list mail_errands; /* for this core, or on their way back to it */
    struct ppg_snapshot *mail_snapshot;
    bool mail_stop;
};

struct ppg_loop_conf {
    unsigned index;
    struct ppg_shared *shared;
    struct ppg_snapshot *snapshot;
    ppg_hand_fn *hand; /* gets `host` */
    ppg_errand_fn *errand;
    void *host;
    struct net_gate *calls; /* connections that terminals open */
};

enum err ppg_loop_init(struct ppg_loop *l, const struct ppg_loop_conf *conf) MUST_USE;
/* Binds one address; *port: in the one wanted (0: any), out the one bound.  ERR_IO with *why. */
enum err ppg_loop_listen(struct ppg_loop *l, const struct ppg_listen *at, enum ppg_listen_kind kind,
                         struct net_gate *gate, uint16_t *port, const char **why) MUST_USE;
const char *ppg_listen_name(enum ppg_listen_kind kind); /* "pap", "pap-tls", "pap-psk", "ub" .. */
void ppg_loop_run(struct ppg_loop *l);
/* After ppg_loop_run has returned, or instead of it. */
void ppg_loop_clear(struct ppg_loop *l);

/* Mail; any thread. */
void ppg_loop_mail_ops(struct ppg_loop *l, struct list *ops);
void ppg_loop_mail_targets(struct ppg_loop *l, struct list *targets);
void ppg_loop_mail_errand(struct ppg_loop *l, struct ppg_errand *e);
void ppg_loop_mail_snapshot(struct ppg_loop *l, struct ppg_snapshot *snapshot); /* takes a hold of its own */
void ppg_loop_stop(struct ppg_loop *l);

#endif
