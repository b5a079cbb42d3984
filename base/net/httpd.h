/* An HTTP/1.1 server: listener, connections, exchanges.  One server per loop and listening address; several
 * loops listen on one port (SO_REUSEPORT) and share a gate that counts connections.
 *
 * Story of a request: head() sees the start line and headers before any body octet is taken and may refuse
 * (that answer closes the connection unless the body was already read); then the body is read, bounded; then
 * request() runs.  request() answers at once or later, on the same loop, with exactly one net_httpd_reply() for
 * every exchange - also when the peer is gone by then, it then only frees the exchange.  Pipelined requests wait
 * their turn: one exchange per connection is open at a time.  SIGTERM: net_httpd_drain() stops listening, lets
 * open exchanges finish and closes idle connections. */
#ifndef BASE_NET_HTTPD_H
#define BASE_NET_HTTPD_H

#include "base/net/env.h"
#include "base/net/gate.h"
#include "base/net/http1.h"
#include "base/net/stream.h"

struct net_httpd;
struct net_http_exchange;

/* 0: go on.  Otherwise an HTTP status to refuse with; head() may print extra header lines into *headers.  What
 * head() puts into the exchange's user pointer must own nothing: the body may never come, then request() never
 * runs. */
typedef unsigned net_httpd_head_fn(struct net_http_exchange *x, struct buf *headers, void *arg);
typedef void net_httpd_request_fn(struct net_http_exchange *x, void *arg);

/* A client's certificate, in DER, whose status the handshake waits for; w is answered now or later.  See tls.h. */
typedef void net_httpd_status_fn(struct slice leaf, struct slice issuer, struct net_tls_wait *w, void *arg);

struct net_httpd_conf {
    const char *name;        /* listener, for logs; static or outlives the server */
    const char *address;     /* numeric; IPv6 without brackets; NULL without unix_path: no listener */
    uint16_t port;           /* 0: the system chooses, see net_httpd_port */
    bool alone;              /* see listen.h */
    const char *unix_path;   /* instead of address and port: a UNIX socket of mode 0600 (admin) */
    struct net_tls_ctx *tls; /* NULL: clear; borrowed for as long as connections may come in */
    struct net_http_limits limits;
    struct net_gate *gate;   /* may be NULL */
    const char *server;      /* Server header, NULL: none */
    net_httpd_head_fn *head; /* may be NULL */
    net_httpd_request_fn *request;
    net_httpd_status_fn *status; /* for contexts with ask_status; NULL: unknown */
    void *status_arg;
    void (*tap)(struct slice wire, void *arg); /* may be NULL: every wire octet read */
    void *arg;
};

/* ERR_IO: *why says what failed (address in use, permission). */
enum err net_httpd_create(const struct net_env *env, const struct net_httpd_conf *conf,
                          struct net_httpd **out, const char **why) MUST_USE;
/* Opens a connection and serves whoever is at its other end, as if it had come in: a terminal that calls in is the HTTP
 * server still.  conf.tls is then a client context.  lost(): once, when the connection is gone or never came about; why as
 * net_stream_close_fn has it, tls_why "" unless TLS said no.  ERR_NOMEM, ERR_LATE (draining). */
typedef void net_httpd_lost_fn(enum err why, const char *tls_why, void *arg);
enum err net_httpd_call(struct net_httpd *s, const struct sockaddr *to, struct slice server_name,
                        int64_t connect_ms, net_httpd_lost_fn *lost, void *arg) MUST_USE;
uint16_t net_httpd_port(const struct net_httpd *s);
/* New connections use the new context (may be NULL only if it was, or without listener); old ones go on. */
void net_httpd_set_tls(struct net_httpd *s, struct net_tls_ctx *tls);
void net_httpd_set_limits(struct net_httpd *s, const struct net_http_limits *limits);
void net_httpd_drain(struct net_httpd *s);
size_t net_httpd_open(const struct net_httpd *s); /* connections of this server */
/* Aborts what is left; closed() runs when all handles are gone and every open exchange was answered (those answers
 * go nowhere), then the memory goes. */
void net_httpd_close(struct net_httpd *s, void (*closed)(void *arg), void *arg);

const struct net_http_msg *net_http_exchange_msg(const struct net_http_exchange *x);
void net_http_exchange_take_body(struct net_http_exchange *x, struct buf *out);
/* NULL: clear, or the peer is gone.  Good until this turn of the loop ends: copy what must be kept. */
const struct net_tls_peer *net_http_exchange_peer(const struct net_http_exchange *x);
bool net_http_exchange_is_tls(const struct net_http_exchange *x);
struct slice net_http_exchange_ip(const struct net_http_exchange *x);
/* The user behind a UNIX socket; net_stream_uid's errors, ERR_PEER when it is gone. */
enum err net_http_exchange_uid(const struct net_http_exchange *x, uid_t *out) MUST_USE;
bool net_http_exchange_gone(const struct net_http_exchange *x); /* the peer has left */
uint64_t
net_http_exchange_connection(const struct net_http_exchange *x);     /* number of the connection, for logs */
void net_http_exchange_set(struct net_http_exchange *x, void *user); /* one pointer for the user */
void *net_http_exchange_get(const struct net_http_exchange *x);
/* What the user keeps with the connection, so that later exchanges on it find it (NULL: nothing).  drop() runs once,
 * when something else is kept or the connection is freed: it must not touch the exchange or the server. */
void net_http_exchange_keep(struct net_http_exchange *x, void *kept, void (*drop)(void *kept));
void *net_http_exchange_kept(const struct net_http_exchange *x);

/* The answer to it ends the connection. */
void net_http_exchange_last(struct net_http_exchange *x);

/* Exactly once per exchange; copies.  Content-Length, Date, Server and Connection are added; `headers` are whole
 * lines ending in CRLF.  A status of 4xx for framing closes, others keep the connection as HTTP says. */
void net_httpd_reply(struct net_http_exchange *x, unsigned status, struct slice content_type,
                     struct slice headers, struct slice body);

#endif
