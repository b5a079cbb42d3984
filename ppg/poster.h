/* Documents POSTed to others: to far functions, to responders, to initiators' servers.  A poster is a bounded pool of
 * connections (base/net/httpc.h) under the TLS context and the settings in force, which it keeps as long as it uses them.
 * What is asked and what an answer means is for who embeds one: bsfc.h, visit.h, ocsp.h, outbound.h.  Nothing is sent
 * twice, no redirection is followed.  On its loop. */
#ifndef PPG_POSTER_H
#define PPG_POSTER_H

#include "base/net/httpc.h"
#include "ppg/snapshot.h"

struct ppg_poster {
    struct ppg_snapshot *snapshot; /* held */
    struct net_httpc_pool *pool;
    bool tls_only;
    void (*gone)(struct ppg_poster *p);
    void (*closed)(void *arg); /* NULL: open */
    void *arg;
};

struct ppg_poster_conf {
    struct net_tls_ctx *tls; /* the snapshot's; NULL: https is ERR_UNSUPPORTED */
    bool tls_only;           /* http is ERR_UNSUPPORTED */
    size_t connections_max;
    size_t per_server_max;
    size_t answer_max_n; /* octets of a body */
    int64_t connect_ms;
    int64_t idle_ms;                    /* how long a connection is kept that is not used */
    net_httpc_filter_fn *filter;        /* may be NULL; arg is the poster */
    void (*gone)(struct ppg_poster *p); /* frees what embeds it */
};

/* Takes a hold of the snapshot.  ERR_NOMEM, and nothing is held. */
enum err ppg_poster_init(struct ppg_poster *p, const struct net_env *env, struct ppg_snapshot *snapshot,
                         const struct ppg_poster_conf *conf) MUST_USE;
/* After a reload: for what is sent from now on.  tls is the snapshot's. */
void ppg_poster_set(struct ppg_poster *p, struct ppg_snapshot *snapshot, struct net_tls_ctx *tls);
const struct ppg_settings *ppg_poster_settings(const struct ppg_poster *p);

struct ppg_post {
    struct slice url;
    struct slice path;  /* behind what the URL has of one; may be empty */
    const char *type;   /* Content-Type */
    const char *accept; /* NULL: none */
    struct slice body;
    int64_t timeout_ms; /* until the answer is there */
};
/* All is copied.  ERR_MALFORMED, ERR_UNSUPPORTED, ERR_LIMIT the URL; ERR_LIMIT no connection is free; ERR_LATE it is being
 * closed; ERR_NOMEM.  done() as in httpc.h, where net_httpc_pool_tls_why() tells what TLS said. */
enum err ppg_poster_send(struct ppg_poster *p, const struct ppg_post *post, net_httpc_done_fn *done,
                         void *arg) MUST_USE;
/* What is under way ends with ERR_LATE, then gone() and closed() run. */
void ppg_poster_close(struct ppg_poster *p, void (*closed)(void *arg), void *arg);

#endif
