/* An HTTP/1.1 client connection, and names to addresses.  The connection object is what OTA-HTTP needs (one per
 * terminal, register first, then push); net_httpc_pool below is a small pool for everybody else.
 *
 * A connection takes requests in order and keeps at most pipeline_max of them unanswered; each has its own
 * deadline from the moment its octets are queued.  done() fires exactly once per request, never from inside
 * send, on the connection's loop. */
#ifndef BASE_NET_HTTPC_H
#define BASE_NET_HTTPC_H

#include "base/list.h"
#include "base/net/env.h"
#include "base/net/http1.h"
#include "base/net/stream.h"

struct net_httpc;     /* one connection */
struct net_httpc_req; /* one request in flight */

/* err ERR_OK: msg is the final response (1xx are passed over); it lives until done returns.
 * Otherwise msg is NULL: ERR_PEER refused, reset or closed; ERR_LATE deadline; ERR_MALFORMED, ERR_LIMIT bad
 * response; ERR_DENIED TLS said no; ERR_ABSENT the name did not resolve or every address was filtered.
 * sent: the request was handed whole to the kernel (so the peer may have acted on it). */
typedef void net_httpc_done_fn(enum err err, const struct net_http_msg *msg, bool sent, void *arg);
typedef void net_httpc_closed_fn(struct net_httpc *c, enum err why, void *arg);
/* False: this address must not be connected to (private ranges). */
typedef bool net_httpc_filter_fn(const struct sockaddr *to, void *arg);

struct net_httpc_conf {
    struct slice host; /* numeric or name, no brackets */
    uint16_t port;
    struct net_tls_ctx *tls;  /* NULL: clear */
    struct slice server_name; /* TLS name; empty: host */
    struct net_http_limits limits;
    int64_t connect_ms; /* name, TCP and TLS together */
    int64_t idle_ms;    /* close when nothing is in flight for so long; 0: never */
    unsigned pipeline_max;
    net_httpc_filter_fn *filter; /* may be NULL */
    void *filter_arg;
    void (*opened)(struct net_httpc *c,
                   void *arg);   /* may be NULL; once: it is connected, and the peer of TLS known */
    net_httpc_closed_fn *closed; /* may be NULL; once; the connection's memory goes when it returns */
    void *arg;
};

/* Starts connecting, to each address of the name in order; requests may be sent at once, they wait.  Copies conf;
 * conf->tls is held.  ERR_NOMEM, ERR_MALFORMED a host that is none, ERR_IO. */
enum err net_httpc_create(const struct net_env *env, const struct net_httpc_conf *conf,
                          struct net_httpc **out) MUST_USE;
/* Takes over a socket that somebody else opened (the terminal called in); after a failure it is still the caller's.
 * conf->tls: NULL, or a server context, for we are then the called side of the handshake, which has connect_ms.
 * host, port, server_name and filter are not looked at. */
enum err net_httpc_adopt(const struct net_env *env, uv_os_sock_t fd, const struct net_httpc_conf *conf,
                         struct net_httpc **out) MUST_USE;
/* The connection leaves this loop: closed() follows with ERR_OK, or with ERR_MALFORMED when octets came behind the last
 * answer, which are lost to whoever goes on with it.  ERR_AGAIN: requests are under way, or it is not open;
 * ERR_IO.  Good inside done(). */
enum err net_httpc_detach(struct net_httpc *c, struct net_handover *out) MUST_USE;
/* Goes on with it on another loop, as net_httpc_adopt(); conf->tls is not looked at.  After a failure *h is still
 * the caller's. */
enum err net_httpc_resume(const struct net_env *env, const struct net_handover *h,
                          const struct net_httpc_conf *conf, struct net_httpc **out) MUST_USE;
/* head: start line and headers, complete with the empty line; body: sent behind it.  Both are copied.
 * ERR_LATE when the connection is closing, ERR_LIMIT when 64 requests wait already. */
enum err net_httpc_send(struct net_httpc *c, struct slice head, struct slice body, int64_t response_ms,
                        net_httpc_done_fn *done, void *arg, struct net_httpc_req **out) MUST_USE;
/* done still fires, later (ERR_LATE).  If it is on the wire the connection is aborted, and what else was in flight on
 * it ends with ERR_PEER. */
void net_httpc_cancel(struct net_httpc_req *req);
bool net_httpc_ready(const struct net_httpc *c);  /* connected */
size_t net_httpc_busy(const struct net_httpc *c); /* requests not yet answered */
const struct net_tls_peer *net_httpc_peer(const struct net_httpc *c);
struct slice
net_httpc_ip(const struct net_httpc *c); /* the peer's, without port and brackets; empty: not connected */
const char *net_httpc_address(const struct net_httpc *c); /* peer's ip:port, "" before it is connected */
const char *net_httpc_tls_why(const struct net_httpc *c);
/* Requests not yet answered end with ERR_LATE. */
void net_httpc_close(struct net_httpc *c);
/* The same without waiting for what is queued or for the peer: closed() fires in this turn of the loop. */
void net_httpc_abort(struct net_httpc *c);

/* A pool: connections kept per (host, port, tls), bounded; one request at a time on each. */
struct net_httpc_pool;
struct net_httpc_pool_conf {
    size_t conn_max;            /* in all */
    size_t conn_per_host_max;   /* to one host and port */
    struct net_httpc_conf base; /* host, port, server_name, closed, arg are set per request */
};
enum err net_httpc_pool_create(const struct net_env *env, const struct net_httpc_pool_conf *conf,
                               struct net_httpc_pool **out) MUST_USE;
/* use_tls: with conf.base.tls (ERR_UNSUPPORTED without).  ERR_LIMIT when no connection may be opened now.  A kept
 * connection may be closed by the server just as it is used: ERR_PEER, the caller knows whether it may try again. */
enum err net_httpc_pool_send(struct net_httpc_pool *p, struct slice host, uint16_t port, bool use_tls,
                             struct slice head, struct slice body, int64_t response_ms,
                             net_httpc_done_fn *done, void *arg) MUST_USE;
/* Inside done() of a request that failed: what TLS said about it, static text; "" when it was not TLS. */
const char *net_httpc_pool_tls_why(const struct net_httpc_pool *p);
/* For connections opened from now on; borrowed until the next call or the pool's end.  Those that are
 * open carry no further request: nothing is sent under an older context's trust. */
void net_httpc_pool_set_tls(struct net_httpc_pool *p, struct net_tls_ctx *tls);
/* Requests in flight end with ERR_LATE first. */
void net_httpc_pool_close(struct net_httpc_pool *p, void (*closed)(void *arg), void *arg);

#endif
