/* Connection ceilings in all and per peer address, shared by the listeners of all loops.  A mutex guards it: it is
 * touched twice per connection, never per message.  An IPv6 peer counts by its /64, the smallest piece of network
 * one customer is given (RFC 6177). */
#ifndef BASE_NET_GATE_H
#define BASE_NET_GATE_H

#include <stddef.h>
#include <sys/socket.h>
#include "base/err.h"

struct net_gate;
struct net_gate_seat; /* one address with connections; belongs to the gate */

/* A ceiling of 0 lets nobody in.  ERR_NOMEM. */
enum err net_gate_create(size_t max, size_t max_per_address, struct net_gate **out) MUST_USE;
void net_gate_free(struct net_gate **g);  /* when nobody is inside */
size_t net_gate_open(struct net_gate *g); /* connections now; any thread */
void net_gate_set(struct net_gate *g, size_t max,
                  size_t max_per_address); /* any thread; nobody is thrown out */

/* ERR_LIMIT, ERR_NOMEM: not let in.  Otherwise net_gate_leave() once with the same seat.  Any thread. */
enum err net_gate_enter(struct net_gate *g, const struct sockaddr *peer, struct net_gate_seat **out) MUST_USE;
void net_gate_leave(struct net_gate *g, struct net_gate_seat *seat);

#endif
