/* A listening socket on a loop: TCP that several loops may share (SO_REUSEPORT) unless it is alone, or a UNIX socket of mode 0600.
 * Every accepted socket has passed the gate. */
#ifndef BASE_NET_LISTEN_H
#define BASE_NET_LISTEN_H

#include <stdint.h>
#include "base/err.h"
#include "base/net/env.h"
#include "base/net/gate.h"

struct net_listener;

/* A new connection; fd is the callee's.  seat: to be given back with net_gate_leave(), NULL without a gate. */
typedef void net_listen_fn(uv_os_sock_t fd, struct net_gate_seat *seat, void *arg);

struct net_listen_conf {
    const char *name;      /* for logs */
    const char *address;   /* numeric; IPv6 without brackets */
    uint16_t port;         /* 0: the system chooses */
    const char *unix_path; /* instead of address and port */
    bool alone; /* no other listener may have the port, of this process or any: the usual case of one loop */
    struct net_gate *gate; /* may be NULL; outlives the listener */
    net_listen_fn *accepted;
    void *arg;
};

/* Does nobody listen there, nor take datagrams?  To be asked before the first loop does: they share the address, and with
 * them would, unnoticed, another process of the same user.  ERR_IO: *why is static text. */
enum err net_listen_vacant(const char *address, uint16_t port, bool datagrams, const char **why) MUST_USE;

/* Copies nothing but numbers: the strings outlive the listener.  ERR_IO, ERR_NOMEM; *why is static text. */
enum err net_listen(const struct net_env *env, const struct net_listen_conf *conf, struct net_listener **out,
                    const char **why) MUST_USE;
uint16_t net_listener_port(const struct net_listener *l);
/* No accepted() any more; a UNIX socket's file goes.  closed() runs later, then the memory goes. */
void net_listener_close(struct net_listener *l, void (*closed)(void *arg), void *arg);

#endif
