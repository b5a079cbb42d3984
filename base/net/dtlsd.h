/* A DTLS 1.2 server on one UDP socket: a stateless cookie exchange (RFC 6347 §4.2.1), then a session for each address that
 * answered it.  Bounded in sessions; idle ones close.  Loop thread only. */
#ifndef BASE_NET_DTLSD_H
#define BASE_NET_DTLSD_H

#include <sys/socket.h>
#include "base/net/env.h"
#include "base/net/tls.h"

struct net_dtlsd;

struct net_dtlsd_conf {
    struct net_tls_ctx *ctx; /* a server's, made with datagrams */
    size_t mtu;              /* octets of a datagram */
    size_t sessions_max;
    int64_t handshake_ms;
    int64_t idle_ms;
    /* What an authenticated session said; all borrowed. */
    void (*data)(const struct sockaddr *from, const struct net_tls_peer *peer, struct slice plain, void *arg);
    void *arg;
};

/* ERR_NOMEM, ERR_IO: cannot be bound to. */
enum err net_dtlsd_create(const struct net_env *env, const struct net_dtlsd_conf *conf,
                          const struct sockaddr *local, struct net_dtlsd **out) MUST_USE;
uint16_t net_dtlsd_port(const struct net_dtlsd *s);
/* All sessions say goodbye.  Not from inside data().  The memory goes later. */
void net_dtlsd_close(struct net_dtlsd *s);

#endif
