/* Many simulated terminals in one process, for load: each calls the gateway, answers its registration under an identity of its own
 * and accepts whatever is pushed, or never answers a push.  It trusts what it hears as far as its framing goes and opens
 * nothing; who wants to know what came is push-terminal connect's.  [OTA-HTTP §3, §4, §7].  One thread. */
#ifndef PPG_HANDSET_SWARM_H
#define PPG_HANDSET_SWARM_H

#include "base/net/env.h"
#include "base/net/tls.h"

struct tool_swarm;
struct tool_swarm_conf {
    const struct net_env *env;
    struct net_tls_ctx *tls; /* a client context; NULL: clear */
    struct sockaddr_storage to;
    struct slice server_name; /* of the certificate; outlives the swarm */
    uint64_t first;           /* the n-th terminal is 4+FIRST+n */
    size_t terminals;
    size_t rate;        /* new connections a second; 0: as many as at_once lets */
    size_t at_once;     /* connections that are not registered yet, at most */
    size_t silent;      /* each so many-th terminal never answers a push; 0: none */
    size_t outstanding; /* pushes it takes at a time, X-Wap-Push-Accept-MaxPushReq */
    int64_t pause_ms;   /* after a lost connection, and up to as much again */
    int64_t report_ms;  /* a line on standard output so often */
};

/* Begins to call.  ERR_NOMEM. */
enum err tool_swarm_create(const struct tool_swarm_conf *conf, struct tool_swarm **out) MUST_USE;
/* Hangs up; closed() when all are gone, then the memory goes. */
void tool_swarm_close(struct tool_swarm *s, void (*closed)(void *arg), void *arg);

#endif
