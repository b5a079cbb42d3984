/* A TCP connection on a libuv loop, with or without TLS; the user sees plain octets either way.  Writes are
 * joined and sent once per loop turn.  A stream belongs to its loop. */
#ifndef BASE_NET_STREAM_H
#define BASE_NET_STREAM_H

#include "base/buf.h"
#include "base/err.h"
#include "base/net/env.h"
#include "base/net/tls.h"

#define NET_ADDR_TEXT_N 64 /* "[2001:db8::1]:65535" and a NUL */
#define NET_STREAM_HIGH_N                                                                                    \
    ((size_t)64 << 10) /* more queued octets than this: drained() will tell when they are gone */
#define NET_STREAM_MAX_N                                                                                     \
    ((size_t)64 << 20) /* a queue that would grow past this ends the stream with ERR_LIMIT */

struct net_stream;

/* Connected and, with TLS, the handshake done. */
typedef void net_stream_open_fn(struct net_stream *s, void *arg);
/* Plain octets; borrowed.  The callee may call any function of this header. */
typedef void net_stream_data_fn(struct net_stream *s, struct slice data, void *arg);
/* All written octets have gone to the kernel (only after a write returned more than
 * NET_STREAM_HIGH_N). */
typedef void net_stream_drain_fn(struct net_stream *s, void *arg);
/* The peer will send no more, in order; the stream stays open for writing until the user closes it. */
typedef void net_stream_eof_fn(struct net_stream *s, void *arg);
/* Exactly once, last; the stream's memory goes when this returns.  why: ERR_OK we closed, ERR_ABSENT the peer
 * closed in order, ERR_PEER reset or TLS fault, ERR_DENIED certificate, ERR_LATE a deadline, ERR_LIMIT. */
typedef void net_stream_close_fn(struct net_stream *s, enum err why, void *arg);

/* The TLS handshake waits for the status of the client's certificate (net_tls_question): w is to be put in a list and
 * answered, now or later.  The stream takes it out when it ends before. */
typedef void net_stream_question_fn(struct net_stream *s, struct slice leaf, struct slice issuer,
                                    struct net_tls_wait *w, void *arg);

struct net_stream_user {
    net_stream_open_fn *opened;
    net_stream_data_fn *data;
    net_stream_drain_fn *drained; /* may be NULL */
    net_stream_eof_fn *eof;       /* NULL: the stream closes itself with ERR_ABSENT */
    net_stream_close_fn *closed;
    net_stream_question_fn *question; /* NULL: the status is unknown */
    void *arg;
};

/* Takes an accepted or connected TCP or UNIX socket; after a failure it is still the caller's.  ctx NULL: clear;
 * its role says which side of the handshake we are.  Callbacks never fire from inside.  ERR_NOMEM, ERR_IO. */
enum err net_stream_adopt(const struct net_env *env, uv_os_sock_t fd, struct net_tls_ctx *ctx,
                          int64_t handshake_ms, const struct net_stream_user *user,
                          struct net_stream **out) MUST_USE;
/* Connects.  server_name: for TLS.  connect_ms covers TCP, handshake_ms the TLS handshake after it. */
enum err net_stream_connect(const struct net_env *env, const struct sockaddr *to, struct net_tls_ctx *ctx,
                            struct slice server_name, int64_t connect_ms, int64_t handshake_ms,
                            const struct net_stream_user *user, struct net_stream **out) MUST_USE;

/* An open connection on its way to another loop: the socket and its session, nothing else. */
struct net_handover {
    uv_os_sock_t fd;
    struct net_tls *tls; /* NULL: clear */
};
/* Takes the connection out of the stream, which ends (closed() with ERR_OK, later); octets that the peer sends
 * meanwhile wait in the kernel.  ERR_AGAIN: it is not open, or octets of ours are still queued.  ERR_IO. */
enum err net_stream_detach(struct net_stream *s, struct net_handover *out) MUST_USE;
/* Goes on where net_stream_detach() left off, on this loop; after a failure *h is still the caller's.  ERR_NOMEM,
 * ERR_IO. */
enum err net_stream_resume(const struct net_env *env, const struct net_handover *h,
                           const struct net_stream_user *user, struct net_stream **out) MUST_USE;
/* Closes what nobody will resume. */
void net_handover_drop(struct net_handover *h);

/* Queues octets (copied, or encrypted).  After a failure or close it does nothing.  Returns octets queued and
 * not yet with the kernel. */
size_t net_stream_write(struct net_stream *s, struct slice data);
/* As above from several pieces, in one TLS record where it fits. */
size_t net_stream_writev(struct net_stream *s, const struct slice *pieces, size_t n);
void net_stream_read_stop(struct net_stream *s); /* back-pressure */
void net_stream_read_start(struct net_stream *s);
/* One deadline per open stream: at it the stream closes with ERR_LATE.  0 takes it off.  Cheap to move.  Up to
 * NET_HUB_TICK_MS late. */
void net_stream_deadline(struct net_stream *s, int64_t ms_from_now);
/* After what is queued was written (and close_notify); an accepted stream then waits up to 2 s for the peer to close
 * too, so that a last answer is not lost to a reset (RFC 9112 §9.6).  No data callback any more; closed fires later. */
void net_stream_close(struct net_stream *s);
/* At once; closed fires later. */
void net_stream_abort(struct net_stream *s, enum err why);

bool net_stream_is_tls(const struct net_stream *s);
const struct net_tls_peer *net_stream_peer(const struct net_stream *s); /* NULL when clear */
const char *net_stream_address(const struct net_stream *s);             /* the peer's "ip:port" */
struct slice net_stream_ip(const struct net_stream *s);                 /* the peer's ip text */
const char *net_stream_tls_why(const struct net_stream *s);             /* net_tls_why, "" when clear */
/* The user at the other end of a UNIX socket, when it connected.  ERR_UNSUPPORTED: TCP; ERR_IO. */
enum err net_stream_uid(const struct net_stream *s, uid_t *out) MUST_USE;
/* Plain octets handed to the kernel; with TLS all that was encrypted counts, so it never says too little. */
uint64_t net_stream_written_n(const struct net_stream *s);
/* Wire octets, for showing what crossed a hop: called with every octet read from the kernel before TLS. */
void net_stream_tap(struct net_stream *s, void (*tap)(struct slice wire, void *arg), void *arg);

#endif
