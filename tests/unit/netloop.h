/* A real loop for tests of things that live on one, and raw sockets beside it that share no code with them.  Every
 * wait is for an event and has an end; nothing sleeps.  Addresses are loopback, ports are the system's choice. */
#ifndef TESTS_UNIT_NETLOOP_H
#define TESTS_UNIT_NETLOOP_H

#include <stdint.h>
#include "base/net/env.h"
#include "base/net/httpd.h"
#include "base/net/hub.h"
#include "base/slice.h"

#define NETLOOP_MS 60000 /* the end of every wait; reached only when a test fails */

struct netloop {
    uv_loop_t loop;
    struct net_env env;
    struct log *log; /* counts events; writes nothing below error */
};

void netloop_open(struct netloop *nl);
/* Runs until everything on it is closed; asserts that this happens. */
void netloop_close(struct netloop *nl);
/* Runs until *counter >= want; false (and a failed assertion) at the end of patience. */
bool netloop_until(struct netloop *nl, const size_t *counter, size_t want);
/* Runs for so long by the clock. */
void netloop_for(struct netloop *nl, int64_t ms);

/* A server on 127.0.0.1 with room for small messages and patience; it cannot fail.  tls: NULL, or borrowed. */
struct net_httpd *netloop_httpd(struct netloop *nl, struct net_tls_ctx *tls, net_httpd_request_fn *request,
                                void *arg);

int raw_listen(uint16_t *port); /* a listening socket on 127.0.0.1 that nobody accepts on */
int raw_accept(struct netloop *nl, int listener);
int raw_connect(uint16_t port);                                 /* non-blocking */
int raw_connect_unix(const char *path);                         /* -1: refused */
bool raw_send(struct netloop *nl, int fd, struct slice octets); /* false: the peer took not all of it */
/* Reads until `what` was seen in what arrived (NULL: until the peer ends or resets); octets read, NUL behind them.
 * -1 (and a failed assertion) at the end of patience; -2 when the peer ended before. */
int raw_read_until(struct netloop *nl, int fd, const char *what, char *to, size_t cap);
void raw_reset(int fd); /* closes with RST */

#endif
