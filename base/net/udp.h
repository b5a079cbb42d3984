/* A UDP socket on a libuv loop: to and from one peer, or from anybody.  Nothing is queued: a datagram is with the kernel
 * when send returns, or it was not sent.  What a network tells back (ICMP) is a fault of a socket with a peer; it cannot
 * be said of which datagram.  Loop thread only. */
#ifndef BASE_NET_UDP_H
#define BASE_NET_UDP_H

#include <sys/socket.h>
#include "base/err.h"
#include "base/net/env.h"
#include "base/slice.h"

#define NET_UDP_MAX_N 65507 /* octets of a datagram over IPv4 */

struct net_udp;

/* Borrowed.  The callee may close the socket. */
typedef void net_udp_data_fn(struct net_udp *u, const struct sockaddr *from, struct slice datagram,
                             void *arg);
/* ERR_PEER nobody listens there; ERR_LIMIT a datagram was too large for the path; ERR_IO.  The socket goes on. */
typedef void net_udp_fault_fn(struct net_udp *u, enum err why, void *arg);

struct net_udp_user {
    net_udp_data_fn *data;
    net_udp_fault_fn *fault; /* may be NULL */
    void *arg;
};

/* local: address and port to be bound to, port 0: the system chooses; NULL: any.  Several sockets with different peers
 * may have one local port.  peer NULL: anybody.  At least one of both.  ERR_NOMEM, ERR_IO. */
enum err net_udp_open(const struct net_env *env, const struct sockaddr *local, const struct sockaddr *peer,
                      const struct net_udp_user *user, struct net_udp **out) MUST_USE;
/* From anybody, at an address that several loops may share: the system gives each peer's datagrams to one of them.  IPv6 is IPv6
 * alone.  ERR_NOMEM, ERR_IO. */
enum err net_udp_listen(const struct net_env *env, const struct sockaddr *local,
                        const struct net_udp_user *user, struct net_udp **out) MUST_USE;
/* to: NULL for the peer.  ERR_AGAIN: the kernel takes no more now; ERR_LIMIT: larger than the path or UDP takes; ERR_PEER: an
 * earlier datagram was refused, this one not sent; ERR_IO. */
enum err net_udp_send(struct net_udp *u, const struct sockaddr *to, struct slice datagram) MUST_USE;
uint16_t net_udp_port(const struct net_udp *u); /* our own; 0 when it cannot be told */
/* No callback after this; closed (may be NULL) fires once the memory may go, from the loop. */
void net_udp_close(struct net_udp *u, void (*closed)(void *arg), void *arg);

#endif
