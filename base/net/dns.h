/* Names to addresses without blocking the loop (getaddrinfo on libuv's thread pool), and address classes. */
#ifndef BASE_NET_DNS_H
#define BASE_NET_DNS_H

#include <sys/socket.h>
#include "base/err.h"
#include "base/net/env.h"
#include "base/slice.h"

#define NET_DNS_MAX 8 /* addresses looked at per name */

struct net_dns_query;
/* Once, never from inside net_dns_lookup.  ERR_ABSENT with n 0 when the name has no address. */
typedef void net_dns_fn(enum err err, const struct sockaddr_storage *to, size_t n, void *arg);
/* A numeric host answers without a lookup (but still later).  Cancel: done fires with ERR_LATE. */
enum err net_dns_lookup(const struct net_env *env, struct slice host, uint16_t port, net_dns_fn *done,
                        void *arg, struct net_dns_query **out) MUST_USE;
void net_dns_cancel(struct net_dns_query *q);

/* Numeric text to a socket address; ERR_MALFORMED. */
enum err net_addr_parse(struct slice ip, uint16_t port, struct sockaddr_storage *out) MUST_USE;
/* Loopback, link-local, private, carrier NAT, multicast, documentation and unspecified ranges, v4, v6 and v4 in
 * v6 (RFC 6890 registry). */
bool net_addr_is_special(const struct sockaddr *a);

#endif
