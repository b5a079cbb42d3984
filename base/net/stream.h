/* A TCP connection on a libuv loop, with or without TLS; the user sees plain octets either way.  Writes are
 * joined and sent once per loop turn.  A stream belongs to its loop. */
#ifndef BASE_NET_STREAM_H
#define BASE_NET_STREAM_H

#include "base/buf.h"
#include "base/err.h"
#include "base/net/env.h"
#include "base/net/tls.h"

#define NET_ADDR_TEXT_N 64 /* "[2001:db8::1]:65535" and a NUL */

struct net_stream;

/* Connected and, with TLS, the handshake done. */
typedef void net_stream_open_fn(struct net_stream *s, void *arg);
/* Plain octets; borrowed.  The callee may call any function of this header. */
typedef void net_stream_data_fn(struct net_stream *s, struct slice data, void *arg);
/* All written octets have gone to the kernel (only after net_stream_write said more than high_n is queued). */
typedef void net_stream_drain_fn(struct net_stream *s, void *arg);
/* Exactly once, last; the stream's memory goes when this returns.  why: ERR_OK we closed, ERR_ABSENT the peer
 * closed in order, ERR_PEER reset or TLS fault, ERR_DENIED certificate, ERR_LATE a deadline, ERR_LIMIT. */
typedef void net_stream_close_fn(struct net_stream *s, enum err why, void *arg);

struct net_stream_user {
    net_stream_open_fn *opened;
    net_stream_data_fn *data;
    net_stream_drain_fn *drained; /* may be NULL */
    net_stream_close_fn *closed;
    void *arg;
};

/* Takes an accepted or connected socket.  ctx NULL: clear.  Callbacks never fire from inside. */
enum err net_stream_adopt(const struct net_env *env, uv_os_sock_t fd, struct net_tls_ctx *ctx,
                          int64_t handshake_ms, const struct net_stream_user *user, struct net_stream **out) MUST_USE;
/* Connects.  server_name: for TLS.  connect_ms covers TCP, handshake_ms the TLS handshake after it. */
enum err net_stream_connect(const struct net_env *env, const struct sockaddr *to, struct net_tls_ctx *ctx,
                            struct slice server_name, int64_t connect_ms, int64_t handshake_ms,
                            const struct net_stream_user *user, struct net_stream **out) MUST_USE;

/* Queues octets (copied, or encrypted).  After a failure or close it does nothing.  Returns octets queued and
 * not yet with the kernel. */
size_t net_stream_write(struct net_stream *s, struct slice data);
/* As above from several pieces, in one TLS record where it fits. */
size_t net_stream_writev(struct net_stream *s, const struct slice *pieces, size_t n);
void net_stream_read_stop(struct net_stream *s); /* back-pressure */
void net_stream_read_start(struct net_stream *s);
/* One deadline per stream: at it the stream closes with ERR_LATE.  0 takes it off.  Cheap to move. */
void net_stream_deadline(struct net_stream *s, int64_t ms_from_now);
/* After what is queued was written (and close_notify).  closed fires later. */
void net_stream_close(struct net_stream *s);
/* At once; closed fires later. */
void net_stream_abort(struct net_stream *s, enum err why);

bool net_stream_is_tls(const struct net_stream *s);
const struct net_tls_peer *net_stream_peer(const struct net_stream *s); /* NULL when clear */
const char *net_stream_address(const struct net_stream *s);              /* the peer's "ip:port" */
struct slice net_stream_ip(const struct net_stream *s);                  /* the peer's ip text */
const char *net_stream_tls_why(const struct net_stream *s);              /* net_tls_why, "" when clear */
uint64_t net_stream_written_n(const struct net_stream *s);               /* plain octets handed to the kernel */
/* Wire octets, for showing what crossed a hop: called with every octet read from the kernel before TLS. */
void net_stream_tap(struct net_stream *s, void (*tap)(struct slice wire, void *arg), void *arg);

#endif
