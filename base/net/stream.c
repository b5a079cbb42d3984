/* TCP (and UNIX) streams on libuv, clear or TLS.  Octets a user writes gather in one buffer and leave at the end of
 * the loop turn: encrypted in as few records as they fit in, offered to the kernel at once, and only what the kernel
 * does not take is queued in libuv.  Everything ends in shut(): closed() fires from uv_close's callback, and the
 * memory goes there.  Loop thread only. */
#include "base/net/stream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/net/hub.h"
#include "base/num.h"

#define FLUSH_MS  30000 /* a closing stream may take so long to hand over what is queued */
#define LINGER_MS 2000  /* then so long for the peer's own end */

enum state {
    ST_CONNECTING,
    ST_ADOPTED, /* the first turn of the loop opens it */
    ST_HANDSHAKE,
    ST_OPEN,
    ST_CLOSING, /* handing over what is queued */
    ST_LINGER,  /* our side is shut; waiting for the peer's */
    ST_SHUT,    /* uv_close was called */
};

struct net_stream {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    const struct net_env *env;
    struct net_stream_user user;
    struct net_tls *tls; /* NULL: clear */
    struct net_task turn;
    struct net_timer timer; /* connect, handshake, then the user's, then flush and linger */
    struct buf plain;       /* written this turn; from the hub and back to it */
    uint64_t plain_n;       /* all octets ever written */
    int64_t handshake_ms;
    void (*tap)(struct slice wire, void *arg);
    void *tap_arg;
    enum state state;
    enum err why;
    bool accepted;    /* linger after the last octet */
    bool resumed;     /* came from another loop, open */
    bool want_read;   /* the user's wish */
    bool eof;         /* the peer has ended its side */
    bool owe_drained; /* drained() is due when the queue is empty */
    bool said_bye;
    bool asked;               /* a question of the handshake is under way */
    bool told;                /* and answered: the handshake goes on with the next turn */
    struct net_tls_wait wait; /* for its answer */
    uint8_t ip_at;            /* where the ip starts in address[], and its length */
    uint8_t ip_n;
    char address[NET_ADDR_TEXT_N];
};

struct write_rest {
    uv_write_t req;
    struct net_stream *s;
    struct buf b;
};

static void closed_cb(uv_handle_t *handle)
{
    struct net_stream *s = handle->data;

    if (s->user.closed)
        s->user.closed(s, s->why, s->user.arg);
    net_tls_free(&s->tls);
    free(s);
}

static void shut(struct net_stream *s, enum err why)
{
    if (s->state == ST_SHUT)
        return;
    if (s->state < ST_CLOSING)
        s->why = why;
    s->plain_n = net_stream_written_n(s); /* what is still queued never leaves */
    s->state = ST_SHUT;
    list_remove(&s->wait.link);
    net_task_cancel(&s->turn);
    net_hub_timer_stop(s->env->hub, &s->timer);
    net_hub_buf_give(s->env->hub, &s->plain);
    uv_close(&s->uv.handle, closed_cb);
}

static size_t waiting_n(const struct net_stream *s)
{
    return s->plain.n + s->uv.stream.write_queue_size;
}

static void alloc_cb(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    const struct net_stream *s = handle->data;

    (void)suggested;
    *out = uv_buf_init(net_hub_read_buf(s->env->hub), NET_HUB_READ_N);
}

static void read_cb(uv_stream_t *stream, ssize_t n, const uv_buf_t *in);

static void reading(struct net_stream *s, bool on)
{
    if (s->state == ST_SHUT || s->eof)
        return;
    if (on)
        (void)uv_read_start(&s->uv.stream, alloc_cb, read_cb); /* the only failure is "reads already" */
    else
        (void)uv_read_stop(&s->uv.stream);
}

/* All is handed over: end our side. */
static void all_written(struct net_stream *s)
{
    uv_os_fd_t fd;

    if (s->state != ST_CLOSING)
        return;
    if (!s->accepted || s->eof || uv_fileno(&s->uv.handle, &fd) != 0 || shutdown(fd, SHUT_WR) != 0) {
        shut(s, s->why);
        return;
    }
    s->state = ST_LINGER;
    reading(s, true);
    net_hub_timer_set(s->env->hub, &s->timer, LINGER_MS);
}

static void queue_empty(struct net_stream *s)
{
    if (s->state == ST_OPEN && s->owe_drained) {
        s->owe_drained = false;
        if (s->user.drained)
            s->user.drained(s, s->user.arg);
    }
    all_written(s);
}

static void write_cb(uv_write_t *req, int status)
{
    struct write_rest *w = req->data;
    struct net_stream *s = w->s;

    net_hub_buf_give(s->env->hub, &w->b);
    free(w);
    if (status < 0)
        shut(s, ERR_PEER);
    else if (s->state != ST_SHUT && waiting_n(s) == 0)
        queue_empty(s);
}

/* What the kernel did not take: wire from octet `from` on. */
static void queue_rest(struct net_stream *s, struct buf *wire, size_t from)
{
    struct write_rest *w = calloc(1, sizeof *w);
    uv_buf_t rest;

    if (!w) {
        net_hub_buf_give(s->env->hub, wire);
        shut(s, ERR_NOMEM);
        return;
    }
    buf_move(wire, &w->b);
    w->s = s;
    w->req.data = w;
    rest = uv_buf_init(w->b.p + from, (unsigned)(w->b.n - from));
    if (uv_write(&w->req, &s->uv.stream, &rest, 1, write_cb) != 0) {
        net_hub_buf_give(s->env->hub, &w->b);
        free(w);
        shut(s, ERR_PEER);
    }
}

static void wire_send(struct net_stream *s, struct buf *wire)
{
    uv_buf_t all = uv_buf_init(wire->p, (unsigned)wire->n);
    int n = s->uv.stream.write_queue_size ? UV_EAGAIN : uv_try_write(&s->uv.stream, &all, 1);

    if (n >= 0 && (size_t)n == wire->n) {
        net_hub_buf_give(s->env->hub, wire);
    } else if (n >= 0 || n == UV_EAGAIN) {
        queue_rest(s, wire, n > 0 ? (size_t)n : 0);
    } else {
        net_hub_buf_give(s->env->hub, wire);
        shut(s, ERR_PEER);
    }
}

/* Plain octets become records; the session's queue may hold handshake messages or an alert before them. */
static enum err encrypt(struct net_stream *s, struct buf *wire)
{
    enum err e = ERR_OK;

    if (s->plain.n && s->state != ST_HANDSHAKE) {
        e = net_tls_write(s->tls, buf_slice(&s->plain));
        net_hub_buf_give(s->env->hub, &s->plain);
    }
    if (s->state == ST_CLOSING && !s->said_bye) {
        s->said_bye = true;
        net_tls_bye(s->tls);
    }
    net_tls_out_take(s->tls, wire);
    return e;
}

static void flush(struct net_stream *s)
{
    bool may_write_plain = s->state == ST_OPEN || s->state == ST_CLOSING;
    struct buf wire = {0};
    enum err e = ERR_OK;

    if (s->tls && s->state >= ST_HANDSHAKE && s->state < ST_LINGER)
        e = encrypt(s, &wire);
    else if (!s->tls && may_write_plain && s->plain.n)
        buf_move(&s->plain, &wire);
    if (e) {
        buf_clear(&wire);
        shut(s, e);
        return;
    }
    if (wire.n)
        wire_send(s, &wire);
    if (s->state != ST_SHUT && waiting_n(s) == 0)
        queue_empty(s);
}

static void wake(struct net_stream *s)
{
    if (s->state != ST_SHUT)
        net_hub_defer(s->env->hub, &s->turn);
}

/* What is queued still goes out (after a fault only the alert), then the stream ends with `why`. */
static void close_with(struct net_stream *s, enum err why)
{
    bool in_order = s->state == ST_OPEN && (why == ERR_OK || why == ERR_ABSENT);

    if (s->state >= ST_CLOSING)
        return;
    if (s->state <= ST_ADOPTED) {
        shut(s, why);
        return;
    }
    if (!in_order) {
        net_hub_buf_give(s->env->hub, &s->plain);
        s->said_bye = true;
    }
    s->why = why;
    s->state = ST_CLOSING;
    reading(s, false);
    net_hub_timer_set(s->env->hub, &s->timer, FLUSH_MS);
    wake(s);
}

static void opened(struct net_stream *s)
{
    s->state = ST_OPEN;
    net_hub_timer_stop(s->env->hub, &s->timer);
    if (s->user.opened)
        s->user.opened(s, s->user.arg);
    if (s->plain.n)
        wake(s);
}

/* The peer ended its side in order (FIN, or close_notify inside TLS). */
static void ended(struct net_stream *s)
{
    reading(s, false);
    s->eof = true;
    if (s->state == ST_LINGER)
        shut(s, s->why);
    else if (s->state != ST_OPEN)
        close_with(s, ERR_PEER);
    else if (s->user.eof)
        s->user.eof(s, s->user.arg);
    else
        close_with(s, ERR_ABSENT);
}

/* The handshake goes on at the end of the turn, for the answer may come from inside the question. */
static void answered(struct net_tls_wait *w, enum net_tls_status status)
{
    struct net_stream *s = container_of(w, struct net_stream, wait);

    net_tls_answer(s->tls, status);
    s->asked = false;
    s->told = true;
    wake(s);
}

static void pass_key_question(struct net_stream *s, const struct net_tls_key_name *name)
{
    s->asked = true;
    if (s->env->key)
        s->env->key(name, net_stream_ip(s), &s->wait, s->env->key_arg);
    else
        answered(&s->wait, NET_TLS_STATUS_UNKNOWN);
}

static void pass_question(struct net_stream *s)
{
    struct net_tls_key_name name;
    struct slice leaf, issuer;

    if (s->asked)
        return;
    if (net_tls_key_question(s->tls, &name)) {
        pass_key_question(s, &name);
        return;
    }
    if (!net_tls_question(s->tls, &leaf, &issuer))
        return;
    s->asked = true;
    if (s->user.question)
        s->user.question(s, leaf, issuer, &s->wait, s->user.arg);
    else
        answered(&s->wait, NET_TLS_STATUS_UNKNOWN);
}

static void handshake_step(struct net_stream *s)
{
    enum err e = net_tls_handshake(s->tls);

    wake(s); /* there is nearly always something to send */
    if (e == ERR_AGAIN)
        pass_question(s);
    if (e == ERR_OK)
        opened(s);
    else if (e != ERR_AGAIN)
        close_with(s, e);
}

/* Hands the user what the session can decrypt. */
static void records_out(struct net_stream *s)
{
    char *plain = net_hub_plain_buf(s->env->hub);
    enum err e = ERR_OK;

    while (s->state == ST_OPEN && s->want_read && !s->eof && !e) {
        size_t n;

        e = net_tls_read(s->tls, plain, NET_HUB_PLAIN_N, &n);
        if (!e)
            s->user.data(s, slice_of(plain, n), s->user.arg);
        else if (e == ERR_ABSENT)
            ended(s);
        else if (e != ERR_AGAIN)
            close_with(s, e);
    }
    if (s->state != ST_SHUT && net_tls_out_n(s->tls))
        wake(s); /* an alert, a ticket, a key update */
}

static void tls_step(struct net_stream *s)
{
    if (s->state == ST_HANDSHAKE)
        handshake_step(s);
    if (s->state == ST_OPEN)
        records_out(s);
}

static void wire_in(struct net_stream *s, struct slice wire)
{
    enum err e;

    if (s->tap)
        s->tap(wire, s->tap_arg);
    if (s->state >= ST_CLOSING)
        return; /* lingering: read only to see the end */
    if (!s->tls) {
        s->user.data(s, wire, s->user.arg);
        return;
    }
    e = net_tls_feed(s->tls, wire);
    if (e)
        shut(s, e);
    else
        tls_step(s);
}

/* TCP ended without close_notify (RFC 8446 §6.1): what came before is still good, the end is not. */
static void cut_off(struct net_stream *s)
{
    records_out(s);
    if (s->state == ST_OPEN && !s->eof)
        shut(s, ERR_PEER);
}

static void read_cb(uv_stream_t *stream, ssize_t n, const uv_buf_t *in)
{
    struct net_stream *s = stream->data;

    if (n > 0)
        wire_in(s, slice_of(in->base, (size_t)n));
    else if (n == UV_EOF && s->tls && s->state == ST_OPEN)
        cut_off(s);
    else if (n == UV_EOF)
        ended(s);
    else if (n < 0)
        shut(s, ERR_PEER);
}

/* The socket is connected: go on to TLS or to the user. */
static void begin(struct net_stream *s)
{
    bool shake = s->tls && !s->resumed;

    s->want_read = true;
    s->state = shake ? ST_HANDSHAKE : ST_OPEN;
    reading(s, true);
    if (!shake) {
        opened(s);
        return;
    }
    net_hub_timer_set(s->env->hub, &s->timer, s->handshake_ms);
    handshake_step(s);
}

static void turn_run(struct net_task *task)
{
    struct net_stream *s = container_of(task, struct net_stream, turn);

    if (s->state == ST_ADOPTED)
        begin(s);
    else if (s->state == ST_HANDSHAKE && s->told) {
        s->told = false;
        handshake_step(s);
    }
    if (s->state == ST_OPEN && s->tls && s->want_read)
        records_out(s); /* left over from when the user had stopped reading */
    if (s->state != ST_SHUT)
        flush(s);
}

static void timer_fire(struct net_timer *timer)
{
    struct net_stream *s = container_of(timer, struct net_stream, timer);

    shut(s, ERR_LATE);
}

static enum err stream_new(const struct net_env *env, struct net_tls_ctx *ctx, struct slice server_name,
                           const struct net_stream_user *user, struct net_stream **out)
{
    struct net_stream *s = calloc(1, sizeof *s);
    enum err e = ERR_OK;

    if (!s)
        return ERR_NOMEM;
    s->env = env;
    s->user = *user;
    net_task_init(&s->turn, turn_run);
    net_timer_init(&s->timer, timer_fire);
    list_init(&s->wait.link);
    s->wait.answer = answered;
    if (ctx)
        e = net_tls_create(ctx, server_name, &s->tls);
    if (e)
        free(s);
    else
        *out = s;
    return e;
}

static void address_text(struct net_stream *s, const struct sockaddr *a)
{
    char ip[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)a;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)a;

    if (a->sa_family == AF_INET && uv_ip4_name(v4, ip, sizeof ip) == 0)
        (void)snprintf(s->address, sizeof s->address, "%s:%u", ip, ntohs(v4->sin_port));
    else if (a->sa_family == AF_INET6 && uv_ip6_name(v6, ip, sizeof ip) == 0)
        (void)snprintf(s->address, sizeof s->address, "[%s]:%u", ip, ntohs(v6->sin6_port));
    else
        (void)snprintf(s->address, sizeof s->address, "unix");
    s->ip_at = s->address[0] == '[';
    s->ip_n = (uint8_t)(ip[0] ? strlen(ip) : strlen(s->address));
}

/* Wraps fd in a libuv handle of its kind.  False: fd is still the caller's, the memory goes by itself. */
static bool handle_open(struct net_stream *s, uv_os_sock_t fd, int family)
{
    bool ok;

    /* Neither can fail: they only fill in the struct. */
    MUST((family == AF_UNIX ? uv_pipe_init(s->env->loop, &s->uv.pipe, 0)
                            : uv_tcp_init(s->env->loop, &s->uv.tcp)) == 0);
    s->uv.handle.data = s;
    ok = (family == AF_UNIX ? uv_pipe_open(&s->uv.pipe, fd) : uv_tcp_open(&s->uv.tcp, fd)) == 0;
    if (!ok) {
        s->user.closed = NULL; /* nobody heard of this stream */
        shut(s, ERR_IO);
    } else if (family != AF_UNIX) {
        (void)uv_tcp_nodelay(&s->uv.tcp, 1);
    }
    return ok;
}

/* A stream around a socket that is connected; the first turn of the loop opens it. */
static enum err adopt(const struct net_env *env, uv_os_sock_t fd, struct net_tls_ctx *ctx,
                      const struct net_stream_user *user, struct net_stream **out)
{
    struct sockaddr_storage peer = {0};
    socklen_t peer_n = sizeof peer;
    struct net_stream *s;
    enum err e;

    if (getpeername(fd, (struct sockaddr *)&peer, &peer_n) != 0)
        return ERR_IO;
    e = stream_new(env, ctx, SLICE_NONE, user, &s);
    if (e)
        return e;
    s->state = ST_ADOPTED;
    s->accepted = true;
    address_text(s, (struct sockaddr *)&peer);
    if (!handle_open(s, fd, peer.ss_family))
        return ERR_IO;
    wake(s);
    *out = s;
    return ERR_OK;
}

enum err net_stream_adopt(const struct net_env *env, uv_os_sock_t fd, struct net_tls_ctx *ctx,
                          int64_t handshake_ms, const struct net_stream_user *user, struct net_stream **out)
{
    enum err e = adopt(env, fd, ctx, user, out);

    if (!e)
        (*out)->handshake_ms = handshake_ms;
    return e;
}

enum err net_stream_detach(struct net_stream *s, struct net_handover *out)
{
    uv_os_fd_t fd;
    int copy;

    if (s->state != ST_OPEN || s->eof || waiting_n(s) || (s->tls && net_tls_out_n(s->tls)))
        return ERR_AGAIN;
    if (uv_fileno(&s->uv.handle, &fd) != 0 || (copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0)
        return ERR_IO;
    *out = (struct net_handover){copy, s->tls};
    s->tls = NULL;
    shut(s, ERR_OK);
    return ERR_OK;
}

enum err net_stream_resume(const struct net_env *env, const struct net_handover *h,
                           const struct net_stream_user *user, struct net_stream **out)
{
    enum err e = adopt(env, h->fd, NULL, user, out);

    if (e)
        return e;
    (*out)->tls = h->tls;
    (*out)->resumed = true;
    return ERR_OK;
}

void net_handover_drop(struct net_handover *h)
{
    net_tls_free(&h->tls);
    if (h->fd >= 0)
        (void)close(h->fd);
    h->fd = -1;
}

static void connect_cb(uv_connect_t *req, int status)
{
    struct net_stream *s = req->data;

    free(req);
    if (s->state == ST_SHUT)
        return;
    if (status < 0)
        shut(s, ERR_PEER);
    else
        begin(s);
}

enum err net_stream_connect(const struct net_env *env, const struct sockaddr *to, struct net_tls_ctx *ctx,
                            struct slice server_name, int64_t connect_ms, int64_t handshake_ms,
                            const struct net_stream_user *user, struct net_stream **out)
{
    uv_connect_t *req = calloc(1, sizeof *req);
    struct net_stream *s;
    enum err e;

    if (!req)
        return ERR_NOMEM;
    e = stream_new(env, ctx, server_name, user, &s);
    if (e) {
        free(req);
        return e;
    }
    MUST(uv_tcp_init(env->loop, &s->uv.tcp) == 0);
    s->uv.handle.data = s;
    s->handshake_ms = handshake_ms;
    address_text(s, to);
    net_hub_timer_set(env->hub, &s->timer, connect_ms);
    req->data = s;
    if (uv_tcp_connect(req, &s->uv.tcp, to, connect_cb) != 0) {
        free(req);
        shut(s, ERR_PEER); /* told later, as any refusal */
    } else {
        (void)uv_tcp_nodelay(&s->uv.tcp, 1);
    }
    *out = s;
    return ERR_OK;
}

size_t net_stream_write(struct net_stream *s, struct slice data)
{
    return net_stream_writev(s, &data, 1);
}

size_t net_stream_writev(struct net_stream *s, const struct slice *pieces, size_t n)
{
    size_t queued;

    if (s->state >= ST_CLOSING)
        return 0;
    if (!s->plain.p)
        net_hub_buf_take(s->env->hub, &s->plain);
    for (size_t i = 0; i < n; i++) {
        buf_add(&s->plain, pieces[i]);
        s->plain_n += pieces[i].n;
    }
    queued = waiting_n(s);
    if (buf_err(&s->plain) || queued > NET_STREAM_MAX_N) {
        shut(s, buf_err(&s->plain) == ERR_NOMEM ? ERR_NOMEM : ERR_LIMIT);
        return 0;
    }
    if (queued > NET_STREAM_HIGH_N)
        s->owe_drained = true;
    wake(s);
    return queued;
}

void net_stream_read_stop(struct net_stream *s)
{
    s->want_read = false;
    if (s->state == ST_OPEN)
        reading(s, false);
}

void net_stream_read_start(struct net_stream *s)
{
    s->want_read = true;
    if (s->state != ST_OPEN)
        return;
    reading(s, true);
    wake(s); /* records that were read before reading stopped */
}

void net_stream_deadline(struct net_stream *s, int64_t ms_from_now)
{
    if (s->state != ST_OPEN)
        return;
    if (ms_from_now)
        net_hub_timer_set(s->env->hub, &s->timer, ms_from_now);
    else
        net_hub_timer_stop(s->env->hub, &s->timer);
}

void net_stream_close(struct net_stream *s)
{
    close_with(s, ERR_OK);
}

void net_stream_abort(struct net_stream *s, enum err why)
{
    shut(s, why);
}

bool net_stream_is_tls(const struct net_stream *s)
{
    return s->tls != NULL;
}

const struct net_tls_peer *net_stream_peer(const struct net_stream *s)
{
    return s->tls ? net_tls_peer(s->tls) : NULL;
}

const char *net_stream_address(const struct net_stream *s)
{
    return s->address;
}

struct slice net_stream_ip(const struct net_stream *s)
{
    return slice_of(s->address + s->ip_at, s->ip_n);
}

enum err net_stream_uid(const struct net_stream *s, uid_t *out)
{
    struct ucred who;
    socklen_t n = sizeof who;
    uv_os_fd_t fd;

    if (s->uv.handle.type != UV_NAMED_PIPE)
        return ERR_UNSUPPORTED;
    if (uv_fileno(&s->uv.handle, &fd) != 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
        return ERR_IO;
    *out = who.uid;
    return ERR_OK;
}

const char *net_stream_tls_why(const struct net_stream *s)
{
    return s->tls ? net_tls_why(s->tls) : "";
}

uint64_t net_stream_written_n(const struct net_stream *s)
{
    if (s->state == ST_SHUT)
        return s->plain_n;
    return s->plain_n - s->plain.n - (s->tls ? 0 : s->uv.stream.write_queue_size);
}

void net_stream_tap(struct net_stream *s, void (*tap)(struct slice wire, void *arg), void *arg)
{
    s->tap = tap;
    s->tap_arg = arg;
}
