/* A DTLS 1.2 session over datagrams that somebody else carries: it says what is to be sent, is fed what came, and keeps its
 * own timers on the loop (retransmission 1 s, doubling; RFC 6347 §4.2.4).  Credentials, verification and what the peer
 * proved are those of tls.h; a server waits for a cookie first, which is dtlsd.h's.  Loop thread only. */
#ifndef BASE_NET_DTLS_H
#define BASE_NET_DTLS_H

#include "base/net/env.h"
#include "base/net/tls.h"

#define NET_DTLS_MTU_MIN 256

struct net_dtls;

/* All but send fire only from net_dtls_feed() and from the loop. */
struct net_dtls_user {
    void (*send)(struct slice datagram, void *arg); /* borrowed; it may be lost */
    void (*opened)(void *arg);                      /* the handshake is done */
    void (*data)(struct slice plain, void *arg);    /* one record; borrowed; the session must stay */
    /* Once, last: ERR_ABSENT the peer closed, ERR_LATE no answer in time, ERR_DENIED its certificate, ERR_PEER.
     * The callee may free the session. */
    void (*closed)(enum err why, void *arg);
    void *arg;
};

struct net_dtls_conf {
    struct net_tls_ctx *ctx;  /* made with datagrams; its role is ours */
    struct slice server_name; /* clients: as net_tls_create takes it */
    size_t mtu;               /* octets of a datagram, at least NET_DTLS_MTU_MIN */
    int64_t handshake_ms;
    const void
        *prestate; /* servers: a gnutls_dtls_prestate_st, from the cookie exchange; NULL: there was none */
    struct net_dtls_user user;
};

/* ERR_NOMEM, ERR_MALFORMED. */
enum err net_dtls_create(const struct net_env *env, const struct net_dtls_conf *conf,
                         struct net_dtls **out) MUST_USE;
/* Clients: the first flight leaves. */
void net_dtls_start(struct net_dtls *d);
/* A datagram from the peer.  The session may be gone when this returns. */
void net_dtls_feed(struct net_dtls *d, struct slice datagram);
/* One record in one datagram.  ERR_LIMIT: more than net_dtls_plain_max(); ERR_LATE: not open; ERR_PEER. */
enum err net_dtls_write(struct net_dtls *d, struct slice plain) MUST_USE;
size_t net_dtls_plain_max(const struct net_dtls *d); /* octets of one record's content, once open */
bool net_dtls_is_open(const struct net_dtls *d);
const struct net_tls_peer *net_dtls_peer(const struct net_dtls *d); /* once open */
const char *net_dtls_why(const struct net_dtls *d);                 /* net_tls_why */
/* Says goodbye when it is open; no callback but send. */
void net_dtls_free(struct net_dtls **d);

#endif
