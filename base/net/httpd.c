/* The HTTP/1.1 server side of a loop: a connection is a reader (http1.h) fed by a stream, and one exchange at a
 * time.  Octets that arrive while an exchange is open wait in `pending`, up to a ceiling, then reading stops.
 * Time limits: TLS handshake, idle, head, body rate, and a peer that does not take its answers; a request being
 * worked on has none here.  RFC 9110, RFC 9112.  Loop thread only. */
#include "base/net/httpd.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/net/hub.h"
#include "base/net/listen.h"
#include "base/num.h"

#define PENDING_STOP_N ((size_t)64 << 10) /* more pipelined octets than this: stop reading */
#define PENDING_MAX_N  (PENDING_STOP_N + NET_HUB_READ_N + NET_HUB_PLAIN_N)
#define SCRATCH_MAX_N  ((size_t)64 << 10) /* the head of one answer */
#define SCRATCH_KEEP_N ((size_t)4 << 10)
#define LINES_MAX_N    1024 /* Date and Server */
#define BODY_TICK_MS   1000 /* how often a slow body is looked at again */

struct net_http_exchange {
    void *user;
};

enum phase {
    PH_HANDSHAKE, /* not opened yet */
    PH_READ,      /* between messages or in one */
    PH_OPEN,      /* request() was called, the answer is owed */
    PH_STALLED,   /* answers pile up: no further request until they are gone */
    PH_ENDING,    /* the stream is closing */
};

enum wait { WAIT_NOTHING, WAIT_IDLE, WAIT_HEAD, WAIT_BODY, WAIT_DRAIN };

struct net_httpd {
    const struct net_env *env;
    struct net_httpd_conf conf;
    struct net_listener *listener; /* NULL while draining */
    uint16_t port;
    bool draining;
    unsigned closing_listeners;
    struct list conns;
    size_t conns_n;
    uint64_t last_number;
    int64_t lines_s;    /* the second that lines tell */
    struct buf lines;   /* Date and Server, the same in every answer of a second */
    struct buf scratch; /* the head of the answer being printed */
    bool closing;
    struct net_task gone; /* tells closed() */
    void (*closed)(void *arg);
    void *closed_arg;
};

struct conn {
    struct list link;
    struct net_httpd *server;
    struct net_stream *stream;      /* NULL: the peer is gone and an answer is still owed */
    struct net_http_reader *reader; /* from the end of the handshake on */
    struct net_gate_seat *seat;
    net_httpd_lost_fn *lost; /* of a connection we opened; NULL: it came in */
    void *lost_arg;
    struct net_http_exchange x;
    void *kept; /* the user's, from exchange to exchange */
    void (*kept_drop)(void *kept);
    struct net_timer timer;
    struct net_task resume;
    struct buf pending; /* octets behind the open exchange; those before pending_at are done with */
    size_t pending_at;
    uint64_t number;
    int64_t body_since_ms;
    enum phase phase;
    enum wait wait;
    bool running;    /* feeding the reader: answers are continued by that loop */
    bool head_seen;  /* of the message being read */
    bool feed_again; /* the reader has more to say without more octets */
    bool eof;        /* the peer sends no more */
    bool last;       /* the exchange at hand is told to be the last */
    bool is_tls;
    uint8_t ip_n;
    char ip[INET6_ADDRSTRLEN];
};

static struct conn *conn_of(const struct net_http_exchange *x)
{
    return container_of((struct net_http_exchange *)(uintptr_t)x, struct conn, x);
}

static struct slice conn_ip(const struct conn *c)
{
    return slice_of(c->ip, c->ip_n);
}

static void server_gone_maybe(struct net_httpd *s)
{
    if (s->closing && !s->conns_n && !s->closing_listeners)
        net_hub_defer(s->env->hub, &s->gone);
}

static void gone_run(struct net_task *task)
{
    struct net_httpd *s = container_of(task, struct net_httpd, gone);

    buf_clear(&s->lines);
    buf_clear(&s->scratch);
    if (s->closed)
        s->closed(s->closed_arg);
    free(s);
}

static void kept_set(struct conn *c, void *kept, void (*drop)(void *kept))
{
    if (c->kept)
        c->kept_drop(c->kept);
    c->kept = kept;
    c->kept_drop = drop;
}

static void conn_free(struct conn *c)
{
    struct net_httpd *s = c->server;

    kept_set(c, NULL, NULL);
    net_hub_timer_stop(s->env->hub, &c->timer);
    net_task_cancel(&c->resume);
    net_http_reader_free(&c->reader);
    buf_clear(&c->pending);
    list_remove(&c->link);
    free(c);
    s->conns_n--;
    server_gone_maybe(s);
}

static const struct net_http_limits *limits_of(const struct conn *c)
{
    return &c->server->conf.limits;
}

/* Prints the lines once a second. */
static void lines_refresh(struct net_httpd *s)
{
    int64_t now_s = clk_utc_ms(s->env->clk) / 1000;

    if (s->lines.n && !buf_err(&s->lines) && now_s == s->lines_s)
        return;
    buf_reset(&s->lines, LINES_MAX_N);
    net_http_print_date(&s->lines, now_s);
    if (s->conf.server)
        net_http_print_header(&s->lines, SLICE("Server"), slice_str(s->conf.server));
    s->lines_s = now_s;
}

struct answer {
    unsigned status;
    struct slice type;    /* may be empty */
    struct slice headers; /* whole lines */
    struct slice body;
    bool keep; /* the connection goes on */
};

static void head_print(struct net_httpd *s, const struct answer *a, unsigned minor)
{
    struct buf *out = &s->scratch;

    buf_reset(out, SCRATCH_KEEP_N);
    lines_refresh(s);
    net_http_print_status(out, a->status);
    buf_add(out, buf_slice(&s->lines));
    if (buf_err(&s->lines) && !buf_err(out))
        out->err = buf_err(&s->lines);
    if (a->type.n)
        net_http_print_header(out, SLICE("Content-Type"), a->type);
    buf_add(out, a->headers);
    if (a->status != 204 && a->status != 304) { /* RFC 9110 §8.6 */
        buf_add_str(out, "Content-Length: ");
        buf_add_u64(out, a->body.n);
        buf_add_str(out, "\r\n");
    }
    if (!a->keep)
        buf_add_str(out, "Connection: close\r\n");
    else if (minor == 0)
        buf_add_str(out, "Connection: keep-alive\r\n");
    buf_add_str(out, "\r\n");
}

/* Head and body in one write; the octets now queued. */
static size_t answer_write(struct conn *c, const struct answer *a)
{
    const struct net_http_msg *m = net_http_reader_msg(c->reader);
    bool no_body = a->status == 204 || a->status == 304 || slice_eq(m->method, SLICE("HEAD"));
    struct buf *out = &c->server->scratch;
    struct slice pieces[2];

    head_print(c->server, a, m->minor);
    if (buf_err(out)) { /* headers that cannot be sent: our mistake, or memory */
        head_print(c->server, &(struct answer){.status = 500}, 1);
        return net_stream_write(c->stream, buf_slice(out));
    }
    pieces[0] = buf_slice(out);
    pieces[1] = no_body ? SLICE_NONE : a->body;
    return net_stream_writev(c->stream, pieces, 2);
}

static void end(struct conn *c)
{
    c->phase = PH_ENDING;
    net_hub_timer_stop(c->server->env->hub, &c->timer);
    net_stream_close(c->stream);
}

/* Answers the message at hand and makes the connection ready for what comes behind it. */
static void answer(struct conn *c, struct answer *a)
{
    size_t queued;

    a->keep = a->keep && !c->last && !c->server->draining;
    queued = answer_write(c, a);
    if (!a->keep || buf_err(&c->server->scratch)) {
        end(c);
        return;
    }
    net_http_reader_next(c->reader);
    c->head_seen = false;
    c->phase = queued > NET_STREAM_HIGH_N ? PH_STALLED : PH_READ;
}

static void fault(struct conn *c, unsigned status, const char *rule)
{
    struct answer a = {.status = status, .type = SLICE("text/plain"), .body = slice_str(rule)};

    LOG(c->server->env->log, LOG_INFO, "net.fault", LOG_C("listener", c->server->conf.name),
        LOG_S("peer", conn_ip(c)), LOG_I("conn", c->number), LOG_I("status", status), LOG_C("rule", rule));
    answer(c, &a);
}

static void refuse(struct conn *c, unsigned status, struct slice headers)
{
    const struct net_http_msg *m = net_http_reader_msg(c->reader);
    struct answer a = {.status = status, .headers = headers, .keep = m->keep_alive && !m->has_body};
    struct slice none = SLICE_NONE;

    if (a.keep && net_http_reader_feed(c->reader, &none) != NET_HTTP_DONE)
        a.keep = false;
    answer(c, &a);
}

/* Start line and headers are there: may the body come?  `more`: octets of it are here already. */
static void on_head(struct conn *c, bool more)
{
    const struct net_httpd *s = c->server;
    const struct net_http_msg *m = net_http_reader_msg(c->reader);
    struct buf headers;
    unsigned status;

    c->head_seen = true;
    c->feed_again = true;
    c->body_since_ms = (int64_t)uv_now(s->env->loop);
    c->x.user = NULL;
    if (s->conf.head) {
        buf_init(&headers, SCRATCH_MAX_N / 2);
        status = s->conf.head(&c->x, &headers, s->conf.arg);
        if (status)
            refuse(c, status, buf_slice(&headers));
        buf_clear(&headers);
        if (status)
            return;
    }
    if (m->expect_continue && m->has_body && m->minor >= 1 && !more)
        (void)net_stream_write(c->stream, SLICE("HTTP/1.1 100 Continue\r\n\r\n")); /* RFC 9110 §10.1.1 */
}

static void step(struct conn *c, enum net_http_event ev, bool more)
{
    c->feed_again = false;
    switch (ev) {
    case NET_HTTP_MORE:
        break;
    case NET_HTTP_HEAD:
        on_head(c, more);
        break;
    case NET_HTTP_DONE:
        c->phase = PH_OPEN;
        c->wait = WAIT_NOTHING;
        c->server->conf.request(&c->x, c->server->conf.arg);
        break;
    case NET_HTTP_FAULT:
        fault(c, net_http_fault_status(c->reader), net_http_fault_text(c->reader));
        break;
    }
}

/* Feeds the reader until the octets are used up or an exchange stays open. */
static void run(struct conn *c, struct slice *in)
{
    c->running = true;
    while (c->phase == PH_READ && (in->n || c->feed_again)) {
        enum net_http_event ev = net_http_reader_feed(c->reader, in);

        step(c, ev, in->n > 0);
    }
    c->running = false;
}

static enum wait wait_of(const struct conn *c)
{
    if (c->phase == PH_STALLED)
        return WAIT_DRAIN;
    if (c->phase != PH_READ)
        return WAIT_NOTHING;
    if (net_http_reader_idle(c->reader))
        return WAIT_IDLE;
    return c->head_seen ? WAIT_BODY : WAIT_HEAD;
}

/* After every run: the time limit for what is waited for now, which goes on when it is still the same. */
static void settle(struct conn *c)
{
    const struct net_http_limits *l = limits_of(c);
    enum wait w = wait_of(c);
    int64_t ms[] = {[WAIT_IDLE] = l->idle_ms,
                    [WAIT_HEAD] = l->head_ms,
                    [WAIT_BODY] = l->head_ms,
                    [WAIT_DRAIN] = l->idle_ms};
    bool body_moves = w == WAIT_BODY && l->body_rate_min == 0; /* then only standing still counts */

    if (c->phase == PH_ENDING)
        return;
    if (c->phase == PH_READ && c->pending.n == c->pending_at &&
        (c->eof || (w == WAIT_IDLE && c->server->draining))) {
        end(c);
        return;
    }
    if (w != WAIT_NOTHING && (w != c->wait || body_moves))
        net_hub_timer_set(c->server->env->hub, &c->timer, body_moves ? l->idle_ms : ms[w]);
    c->wait = w;
}

static void pend(struct conn *c, struct slice in)
{
    if (in.n == 0 || c->phase == PH_ENDING)
        return;
    if (c->pending_at) {
        buf_drop(&c->pending, c->pending_at);
        c->pending_at = 0;
    }
    buf_add(&c->pending, in);
    if (buf_err(&c->pending))
        net_stream_abort(c->stream, buf_err(&c->pending));
    else if (c->pending.n > PENDING_STOP_N)
        net_stream_read_stop(c->stream);
}

static void on_data(struct net_stream *stream, struct slice data, void *arg)
{
    struct conn *c = arg;

    (void)stream;
    if (c->phase == PH_READ && c->pending.n == c->pending_at)
        run(c, &data);
    pend(c, data);
    settle(c);
}

/* Goes on with what waited behind the exchange that was answered. */
static void resume_run(struct net_task *task)
{
    struct conn *c = container_of(task, struct conn, resume);
    struct slice in = slice_sub(buf_slice(&c->pending), c->pending_at, c->pending.n);

    if (c->phase != PH_READ || !c->stream)
        return;
    run(c, &in);
    c->pending_at = c->pending.n - in.n;
    if (in.n == 0) {
        buf_clear(&c->pending);
        c->pending_at = 0;
    }
    if (in.n <= PENDING_STOP_N)
        net_stream_read_start(c->stream);
    settle(c);
}

static void on_drained(struct net_stream *stream, void *arg)
{
    struct conn *c = arg;

    (void)stream;
    if (c->phase != PH_STALLED)
        return;
    c->phase = PH_READ;
    net_hub_defer(c->server->env->hub, &c->resume);
}

static void on_eof(struct net_stream *stream, void *arg)
{
    struct conn *c = arg;

    (void)stream;
    c->eof = true;
    settle(c);
}

/* The average since the body began, looked at again when it could next fall short. */
static void body_check(struct conn *c)
{
    const struct net_http_limits *l = limits_of(c);
    int64_t elapsed_ms = (int64_t)uv_now(c->server->env->loop) - c->body_since_ms;
    uint64_t got_n = net_http_reader_body_n(c->reader);

    if (l->body_rate_min == 0 || got_n < (uint64_t)(l->body_rate_min * elapsed_ms) / 1000)
        fault(c, 408, "the body comes too slowly");
    else
        net_hub_timer_set(c->server->env->hub, &c->timer, BODY_TICK_MS);
}

static void timer_fire(struct net_timer *timer)
{
    struct conn *c = container_of(timer, struct conn, timer);

    switch (c->wait) {
    case WAIT_NOTHING:
        break; /* set for a wait that is over */
    case WAIT_IDLE:
        end(c);
        break;
    case WAIT_HEAD:
        fault(c, 408, "the head comes too slowly");
        break;
    case WAIT_BODY:
        body_check(c);
        break;
    case WAIT_DRAIN:
        net_stream_abort(c->stream, ERR_LATE);
        break;
    }
}

static void on_opened(struct net_stream *stream, void *arg)
{
    struct conn *c = arg;

    LOG(c->server->env->log, LOG_DEBUG, "net.accept", LOG_C("listener", c->server->conf.name),
        LOG_C("peer", net_stream_address(stream)), LOG_I("conn", c->number), LOG_B("tls", c->is_tls));
    if (net_http_reader_create(NET_HTTP_SERVER, limits_of(c), &c->reader)) {
        net_stream_abort(stream, ERR_NOMEM);
        return;
    }
    c->phase = PH_READ;
    settle(c);
}

static const char *handshake_why(const struct net_stream *stream, enum err why)
{
    const char *text = net_stream_tls_why(stream);

    return *text ? text : why == ERR_LATE ? "handshake-late" : "closed";
}

/* A verdict on the client has an event of its own. */
static void tell_refused(const struct conn *c, const char *why)
{
    const struct net_httpd *s = c->server;
    const char *event = net_tls_event(NET_TLS_CLIENT, why);

    LOG(s->env->log, LOG_INFO, event ? event : "net.tls.refused", LOG_C("listener", s->conf.name),
        LOG_S("peer", conn_ip(c)), LOG_C("reason", why));
}

static void on_closed(struct net_stream *stream, enum err why, void *arg)
{
    struct conn *c = arg;
    const struct net_httpd *s = c->server;
    net_httpd_lost_fn *lost = c->lost;
    void *lost_arg = c->lost_arg;

    if (c->phase == PH_HANDSHAKE && c->is_tls)
        tell_refused(c, handshake_why(stream, why));
    c->stream = NULL;
    if (c->seat)
        net_gate_leave(s->conf.gate, c->seat);
    c->seat = NULL;
    net_hub_timer_stop(s->env->hub, &c->timer);
    if (c->phase != PH_OPEN)
        conn_free(c);
    if (lost)
        lost(why, net_stream_tls_why(stream), lost_arg);
}

static void on_question(struct net_stream *stream, struct slice leaf, struct slice issuer,
                        struct net_tls_wait *w, void *arg)
{
    const struct net_httpd *s = ((struct conn *)arg)->server;

    (void)stream;
    if (s->conf.status)
        s->conf.status(leaf, issuer, w, s->conf.status_arg);
    else
        w->answer(w, NET_TLS_STATUS_UNKNOWN);
}

static struct net_stream_user stream_user(struct conn *c)
{
    return (struct net_stream_user){.opened = on_opened,
                                    .data = on_data,
                                    .drained = on_drained,
                                    .eof = on_eof,
                                    .closed = on_closed,
                                    .question = on_question,
                                    .arg = c};
}

/* The connection has its stream: it is one of the server's. */
static void conn_begin(struct net_httpd *s, struct conn *c)
{
    struct slice ip;

    c->server = s;
    c->number = ++s->last_number;
    c->is_tls = net_stream_is_tls(c->stream);
    net_timer_init(&c->timer, timer_fire);
    net_task_init(&c->resume, resume_run);
    buf_init(&c->pending, PENDING_MAX_N);
    ip = net_stream_ip(c->stream);
    mem_copy(c->ip, sizeof c->ip, ip);
    c->ip_n = (uint8_t)ip.n;
    if (s->conf.tap)
        net_stream_tap(c->stream, s->conf.tap, s->conf.arg);
    list_push_back(&s->conns, &c->link);
    s->conns_n++;
}

static enum err conn_new(struct net_httpd *s, uv_os_sock_t fd, struct net_gate_seat *seat)
{
    struct conn *c = calloc(1, sizeof *c);
    struct net_stream_user user = stream_user(c);
    enum err e = c ? net_stream_adopt(s->env, fd, s->conf.tls, s->conf.limits.handshake_ms, &user, &c->stream)
                   : ERR_NOMEM;

    if (e) {
        free(c);
        return e;
    }
    c->seat = seat;
    conn_begin(s, c);
    return ERR_OK;
}

enum err net_httpd_call(struct net_httpd *s, const struct sockaddr *to, struct slice server_name,
                        int64_t connect_ms, net_httpd_lost_fn *lost, void *arg)
{
    struct conn *c = s->draining ? NULL : calloc(1, sizeof *c);
    struct net_stream_user user = stream_user(c);
    enum err e;

    if (!c)
        return s->draining ? ERR_LATE : ERR_NOMEM;
    e = net_stream_connect(s->env, to, s->conf.tls, server_name, connect_ms, s->conf.limits.handshake_ms,
                           &user, &c->stream);
    if (e) {
        free(c);
        return e;
    }
    c->lost = lost;
    c->lost_arg = arg;
    conn_begin(s, c);
    return ERR_OK;
}

static void accepted(uv_os_sock_t fd, struct net_gate_seat *seat, void *arg)
{
    struct net_httpd *s = arg;
    enum err e = conn_new(s, fd, seat);

    if (!e)
        return;
    (void)close(fd);
    if (seat)
        net_gate_leave(s->conf.gate, seat);
    LOG(s->env->log, LOG_WARN, "net.refused", LOG_C("listener", s->conf.name), LOG_C("why", err_name(e)));
}

enum err net_httpd_create(const struct net_env *env, const struct net_httpd_conf *conf,
                          struct net_httpd **out, const char **why)
{
    struct net_listen_conf lc = {.name = conf->name,
                                 .address = conf->address,
                                 .port = conf->port,
                                 .alone = conf->alone,
                                 .unix_path = conf->unix_path,
                                 .gate = conf->gate,
                                 .accepted = accepted};
    struct net_httpd *s = calloc(1, sizeof *s);
    enum err e;

    *why = "out of memory";
    if (!s)
        return ERR_NOMEM;
    s->env = env;
    s->conf = *conf;
    net_task_init(&s->gone, gone_run);
    list_init(&s->conns);
    buf_init(&s->lines, LINES_MAX_N);
    buf_init(&s->scratch, SCRATCH_MAX_N);
    lc.arg = s;
    *out = s;
    if (!conf->address && !conf->unix_path)
        return ERR_OK;
    e = net_listen(env, &lc, &s->listener, why);
    if (e) {
        free(s);
        *out = NULL;
        return e;
    }
    s->port = net_listener_port(s->listener);
    return ERR_OK;
}

uint16_t net_httpd_port(const struct net_httpd *s)
{
    return s->port;
}

void net_httpd_set_tls(struct net_httpd *s, struct net_tls_ctx *tls)
{
    MUST(!tls == !s->conf.tls || !s->listener);
    s->conf.tls = tls;
}

void net_httpd_set_limits(struct net_httpd *s, const struct net_http_limits *limits)
{
    s->conf.limits = *limits;
}

size_t net_httpd_open(const struct net_httpd *s)
{
    return s->conns_n;
}

static void listener_closed(void *arg)
{
    struct net_httpd *s = arg;

    s->closing_listeners--;
    server_gone_maybe(s);
}

void net_httpd_drain(struct net_httpd *s)
{
    s->draining = true;
    if (s->listener) {
        s->closing_listeners++;
        net_listener_close(s->listener, listener_closed, s);
        s->listener = NULL;
    }
    LIST_EACH_SAFE (l, &s->conns) {
        struct conn *c = container_of(l, struct conn, link);

        if (c->phase == PH_HANDSHAKE)
            net_stream_abort(c->stream, ERR_OK);
        else if (c->stream)
            settle(c);
    }
}

void net_httpd_close(struct net_httpd *s, void (*closed)(void *arg), void *arg)
{
    net_httpd_drain(s);
    s->closing = true;
    s->closed = closed;
    s->closed_arg = arg;
    LIST_EACH_SAFE (l, &s->conns) {
        struct conn *c = container_of(l, struct conn, link);

        if (c->stream)
            net_stream_abort(c->stream, ERR_OK);
    }
    server_gone_maybe(s);
}

const struct net_http_msg *net_http_exchange_msg(const struct net_http_exchange *x)
{
    return net_http_reader_msg(conn_of(x)->reader);
}

void net_http_exchange_take_body(struct net_http_exchange *x, struct buf *out)
{
    net_http_reader_take_body(conn_of(x)->reader, out);
}

const struct net_tls_peer *net_http_exchange_peer(const struct net_http_exchange *x)
{
    const struct conn *c = conn_of(x);

    return c->stream ? net_stream_peer(c->stream) : NULL;
}

bool net_http_exchange_is_tls(const struct net_http_exchange *x)
{
    return conn_of(x)->is_tls;
}

struct slice net_http_exchange_ip(const struct net_http_exchange *x)
{
    return conn_ip(conn_of(x));
}

enum err net_http_exchange_uid(const struct net_http_exchange *x, uid_t *out)
{
    const struct conn *c = conn_of(x);

    return c->stream ? net_stream_uid(c->stream, out) : ERR_PEER;
}

bool net_http_exchange_gone(const struct net_http_exchange *x)
{
    return !conn_of(x)->stream;
}

uint64_t net_http_exchange_connection(const struct net_http_exchange *x)
{
    return conn_of(x)->number;
}

void net_http_exchange_set(struct net_http_exchange *x, void *user)
{
    conn_of(x)->x.user = user;
}

void *net_http_exchange_get(const struct net_http_exchange *x)
{
    return x->user;
}

void net_http_exchange_keep(struct net_http_exchange *x, void *kept, void (*drop)(void *kept))
{
    kept_set(conn_of(x), kept, drop);
}

void *net_http_exchange_kept(const struct net_http_exchange *x)
{
    return conn_of(x)->kept;
}

void net_http_exchange_last(struct net_http_exchange *x)
{
    conn_of(x)->last = true;
}

void net_httpd_reply(struct net_http_exchange *x, unsigned status, struct slice content_type,
                     struct slice headers, struct slice body)
{
    struct conn *c = conn_of(x);
    struct answer a = {.status = status, .type = content_type, .headers = headers, .body = body};

    MUST(c->phase == PH_OPEN);
    if (!c->stream) {
        conn_free(c);
        return;
    }
    a.keep = net_http_reader_msg(c->reader)->keep_alive;
    answer(c, &a);
    if (c->running)
        return;
    settle(c);
    if (c->phase == PH_READ && c->pending.n > c->pending_at)
        net_hub_defer(c->server->env->hub, &c->resume);
}
