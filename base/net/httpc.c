/* The HTTP/1.1 client side: a name becomes addresses, one of them a stream, and requests go over it in order with a
 * few of them unanswered.  A request waits (not yet written), flies (written, its answer is due) or is cancelled.
 * However the connection ends, finish() tells every request that is left, then closed(), then the memory goes; it
 * runs from the stream's end or, without a stream, at the end of a loop turn.  RFC 9110, RFC 9112.  Loop thread. */
#include "base/net/httpc.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/net/dns.h"
#include "base/net/hub.h"
#include "base/num.h"

#define WAITING_MAX 64

enum state { ST_CONNECTING, ST_OPEN, ST_ENDING };

struct net_httpc_req {
    struct list link;
    struct net_httpc *c;
    net_httpc_done_fn *done;
    void *arg;
    struct net_timer deadline;
    struct buf wire; /* while it waits */
    uint64_t end_n;  /* flying: plain octets of the stream up to and with this request */
    bool flying;
    bool is_head; /* its response has no body (RFC 9110 §9.3.2) */
    enum err err; /* its own fate, when it differs from that of the connection */
};

struct net_httpc {
    const struct net_env *env;
    struct net_httpc_conf conf; /* host and server_name are owned */
    struct net_dns_query *query;
    struct sockaddr_storage *to; /* addresses left to try; owned, only while connecting */
    size_t to_n;
    size_t to_at;
    int64_t connect_by_ms; /* uv_now() clock */
    struct net_stream *stream;
    struct net_http_reader *reader;
    struct net_timer timer; /* connect, then idle */
    struct net_task later;  /* cancelled requests are told, an end without stream is told */
    struct list waiting;
    struct list flying;
    struct list cancelled;
    size_t waiting_n;
    size_t flying_n;
    uint64_t written_n; /* plain octets given to the stream */
    uint64_t gone_n;    /* plain octets the kernel took, known at the end */
    enum state state;
    enum err why;    /* ST_ENDING: for closed() */
    enum err others; /* ST_ENDING: for requests without a fate of their own */
    bool detached;
    char address[NET_ADDR_TEXT_N];
};

static void req_free(struct net_httpc_req *r)
{
    net_hub_timer_stop(r->c->env->hub, &r->deadline);
    list_remove(&r->link);
    buf_clear(&r->wire);
    free(r);
}

static void req_tell(struct net_httpc_req *r, enum err err)
{
    net_httpc_done_fn *done = r->done;
    void *arg = r->arg;
    bool sent = r->flying && r->end_n <= r->c->gone_n;

    req_free(r);
    done(err, NULL, sent, arg);
}

static void tell_list(struct net_httpc *c, struct list *l)
{
    while (!list_empty(l)) {
        struct net_httpc_req *r = container_of(l->next, struct net_httpc_req, link);

        req_tell(r, r->err ? r->err : c->others);
    }
}

static void finish(struct net_httpc *c)
{
    c->state = ST_ENDING;
    c->waiting_n = c->flying_n = 0;
    net_hub_timer_stop(c->env->hub, &c->timer);
    tell_list(c, &c->flying);
    tell_list(c, &c->cancelled);
    tell_list(c, &c->waiting);
    if (c->conf.closed)
        c->conf.closed(c, c->why, c->conf.arg);
    net_task_cancel(&c->later);
    net_http_reader_free(&c->reader);
    free((char *)(uintptr_t)c->conf.host.p);
    free((char *)(uintptr_t)c->conf.server_name.p);
    net_tls_ctx_free(&c->conf.tls);
    free(c->to);
    free(c);
}

/* From here on nothing is sent or read; finish() follows.  `others`: what requests in flight are told. */
static void end(struct net_httpc *c, enum err why, enum err others)
{
    if (c->state == ST_ENDING)
        return;
    c->state = ST_ENDING;
    c->why = why;
    c->others = others;
    net_hub_timer_stop(c->env->hub, &c->timer);
    if (c->query)
        net_dns_cancel(c->query);
    else if (!c->stream)
        net_hub_defer(c->env->hub, &c->later);
    else if (c->flying_n || c->waiting_n)
        net_stream_abort(c->stream, why);
    else
        net_stream_close(c->stream);
}

static void later_run(struct net_task *task)
{
    struct net_httpc *c = container_of(task, struct net_httpc, later);

    tell_list(c, &c->cancelled);
    if (c->state == ST_ENDING && !c->stream && !c->query)
        finish(c);
}

static void idle_begin(struct net_httpc *c)
{
    if (c->conf.idle_ms && c->state == ST_OPEN && net_httpc_busy(c) == 0)
        net_hub_timer_set(c->env->hub, &c->timer, c->conf.idle_ms);
}

static void timer_fire(struct net_timer *timer)
{
    struct net_httpc *c = container_of(timer, struct net_httpc, timer);

    if (c->state == ST_CONNECTING)
        end(c, ERR_LATE, ERR_LATE);
    else if (net_httpc_busy(c) == 0)
        end(c, ERR_OK, ERR_LATE);
}

/* The next response answers the oldest request that flies. */
static void expect_next(struct net_httpc *c)
{
    const struct net_httpc_req *r;

    if (list_empty(&c->flying))
        return;
    r = container_of(c->flying.next, struct net_httpc_req, link);
    net_http_reader_expect_no_body(c->reader, r->is_head);
}

static void fly(struct net_httpc *c, struct net_httpc_req *r, const struct slice *pieces, size_t n)
{
    for (size_t i = 0; i < n; i++)
        c->written_n += pieces[i].n;
    r->end_n = c->written_n;
    r->flying = true;
    list_push_back(&c->flying, &r->link);
    if (c->flying_n++ == 0)
        expect_next(c);
    (void)net_stream_writev(c->stream, pieces, n);
}

static bool may_fly(const struct net_httpc *c)
{
    return c->state == ST_OPEN && c->flying_n < c->conf.pipeline_max;
}

static void send_waiting(struct net_httpc *c)
{
    while (may_fly(c) && !list_empty(&c->waiting)) {
        struct net_httpc_req *r = container_of(c->waiting.next, struct net_httpc_req, link);
        struct slice wire = buf_slice(&r->wire);

        list_remove(&r->link);
        c->waiting_n--;
        fly(c, r, &wire, 1);
        buf_clear(&r->wire);
    }
}

static void deliver(struct net_httpc *c)
{
    struct net_httpc_req *r = container_of(c->flying.next, struct net_httpc_req, link);
    const struct net_http_msg *m = net_http_reader_msg(c->reader);
    net_httpc_done_fn *done = r->done;
    void *arg = r->arg;

    c->flying_n--;
    req_free(r);
    if (!m->keep_alive)
        end(c, ERR_ABSENT, ERR_PEER); /* before done(), which may want to send again */
    done(ERR_OK, m, true, arg);
    if (c->state == ST_ENDING)
        return;
    net_http_reader_next(c->reader);
    expect_next(c);
    send_waiting(c);
    idle_begin(c);
}

static void response(struct net_httpc *c)
{
    const struct net_http_msg *m = net_http_reader_msg(c->reader);

    if (m->status >= 200) {
        deliver(c);
        return;
    }
    net_http_reader_next(c->reader); /* interim (RFC 9110 §15.2) */
    expect_next(c);
}

/* A response that breaks the rules or a ceiling: its request is told which, the others that the peer failed. */
static void bad_response(struct net_httpc *c)
{
    unsigned status = net_http_fault_status(c->reader);
    bool limit = status == 413 || status == 431;
    enum err e = limit ? ERR_LIMIT : status == 503 ? ERR_NOMEM : ERR_MALFORMED;

    if (!list_empty(&c->flying))
        container_of(c->flying.next, struct net_httpc_req, link)->err = e;
    end(c, e, ERR_PEER);
}

static void on_data(struct net_stream *stream, struct slice data, void *arg)
{
    struct net_httpc *c = arg;
    bool again = false; /* after a head the reader may have more to say without more octets */

    (void)stream;
    while (c->state == ST_OPEN && (data.n || again)) {
        enum net_http_event ev;

        if (c->flying_n == 0) {
            end(c, ERR_MALFORMED, ERR_PEER); /* an answer nobody asked for */
            return;
        }
        ev = net_http_reader_feed(c->reader, &data);
        again = ev == NET_HTTP_HEAD;
        if (ev == NET_HTTP_DONE)
            response(c);
        else if (ev == NET_HTTP_FAULT)
            bad_response(c);
    }
    if (c->detached && data.n)
        c->why = ERR_MALFORMED; /* who goes on with the connection would miss them */
}

static void on_eof(struct net_stream *stream, void *arg)
{
    struct net_httpc *c = arg;

    (void)stream;
    if (c->state == ST_OPEN && c->flying_n && net_http_reader_eof(c->reader) == NET_HTTP_DONE)
        response(c); /* its end was the end of the connection */
    end(c, ERR_ABSENT, ERR_PEER);
}

static void on_opened(struct net_stream *stream, void *arg)
{
    struct net_httpc *c = arg;

    (void)stream;
    if (c->state != ST_CONNECTING)
        return;
    net_hub_timer_stop(c->env->hub, &c->timer);
    if (net_http_reader_create(NET_HTTP_CLIENT, &c->conf.limits, &c->reader)) {
        end(c, ERR_NOMEM, ERR_NOMEM);
        return;
    }
    free(c->to);
    c->to = NULL;
    c->state = ST_OPEN;
    send_waiting(c);
    idle_begin(c);
    if (c->conf.opened)
        c->conf.opened(c, c->conf.arg);
}

static void try_next(struct net_httpc *c);

/* A verdict on the server has an event of its own. */
static void tell_refused(const struct net_httpc *c, const char *why)
{
    const char *event = net_tls_event(NET_TLS_SERVER, why);

    if (event)
        LOG(c->env->log, LOG_INFO, event, LOG_S("server", c->conf.server_name), LOG_C("peer", c->address),
            LOG_C("reason", why));
}

static void on_closed(struct net_stream *stream, enum err why, void *arg)
{
    struct net_httpc *c = arg;
    bool try_more = c->state == ST_CONNECTING && why == ERR_PEER && *net_stream_tls_why(stream) == '\0';

    c->gone_n = net_stream_written_n(stream);
    tell_refused(c, net_stream_tls_why(stream));
    if (try_more) {
        c->stream = NULL;
        try_next(c);
        return;
    }
    if (c->state != ST_ENDING) {
        c->why = why;
        c->others = why == ERR_OK || why == ERR_ABSENT ? ERR_PEER : why;
    }
    finish(c); /* net_httpc_tls_why() and friends still answer inside */
}

static struct net_stream_user stream_user(struct net_httpc *c)
{
    return (struct net_stream_user){
        .opened = on_opened, .data = on_data, .eof = on_eof, .closed = on_closed, .arg = c};
}

static void address_keep(struct net_httpc *c)
{
    MUST(mem_cstr(c->address, sizeof c->address, slice_str(net_stream_address(c->stream))) == ERR_OK);
}

/* The next address of the name, as long as there is one and time. */
static void try_next(struct net_httpc *c)
{
    int64_t left_ms = c->connect_by_ms - (int64_t)uv_now(c->env->loop);
    struct net_stream_user user = stream_user(c);
    enum err e;

    if (c->to_at == c->to_n || left_ms <= 0) {
        e = left_ms <= 0 ? ERR_LATE : ERR_PEER;
        end(c, e, e);
        return;
    }
    e = net_stream_connect(c->env, (const struct sockaddr *)&c->to[c->to_at++], c->conf.tls,
                           c->conf.server_name, left_ms, left_ms, &user, &c->stream);
    if (e)
        end(c, e, e);
    else
        address_keep(c);
}

static void on_names(enum err err, const struct sockaddr_storage *to, size_t n, void *arg)
{
    struct net_httpc *c = arg;

    c->query = NULL;
    if (c->state == ST_ENDING) {
        net_hub_defer(c->env->hub, &c->later);
        return;
    }
    c->to = n ? calloc(n, sizeof *c->to) : NULL;
    if (n && !c->to)
        err = ERR_NOMEM;
    for (size_t i = 0; i < n && !err; i++) {
        if (!c->conf.filter || c->conf.filter((const struct sockaddr *)&to[i], c->conf.filter_arg))
            c->to[c->to_n++] = to[i];
    }
    if (!err && c->to_n == 0)
        err = ERR_ABSENT;
    if (err)
        end(c, err, err);
    else
        try_next(c);
}

/* Everything but the way to the peer. */
static enum err conn_new(const struct net_env *env, const struct net_httpc_conf *conf, struct net_httpc **out)
{
    struct slice name = conf->server_name.n ? conf->server_name : conf->host;
    struct net_httpc *c = calloc(1, sizeof *c);

    if (!c)
        return ERR_NOMEM;
    c->env = env;
    c->conf = *conf;
    c->conf.host = slice_of(mem_dup(conf->host), conf->host.n);
    c->conf.server_name = slice_of(mem_dup(name), name.n);
    if (!c->conf.host.p || !c->conf.server_name.p) {
        free((char *)(uintptr_t)c->conf.host.p);
        free((char *)(uintptr_t)c->conf.server_name.p);
        free(c);
        return ERR_NOMEM;
    }
    c->conf.tls = net_tls_ctx_hold(conf->tls);
    if (c->conf.pipeline_max == 0)
        c->conf.pipeline_max = 1;
    list_init(&c->waiting);
    list_init(&c->flying);
    list_init(&c->cancelled);
    net_timer_init(&c->timer, timer_fire);
    net_task_init(&c->later, later_run);
    c->connect_by_ms = (int64_t)uv_now(env->loop) + conf->connect_ms;
    net_hub_timer_set(env->hub, &c->timer, conf->connect_ms);
    *out = c;
    return ERR_OK;
}

/* A connection that never was: nobody is told. */
static enum err conn_undo(struct net_httpc *c, enum err e)
{
    c->conf.closed = NULL;
    finish(c);
    return e;
}

enum err net_httpc_create(const struct net_env *env, const struct net_httpc_conf *conf,
                          struct net_httpc **out)
{
    struct net_httpc *c;
    enum err e = conn_new(env, conf, &c);

    if (e)
        return e;
    e = net_dns_lookup(env, c->conf.host, conf->port, on_names, c, &c->query);
    if (e)
        return conn_undo(c, e);
    *out = c;
    return ERR_OK;
}

enum err net_httpc_adopt(const struct net_env *env, uv_os_sock_t fd, const struct net_httpc_conf *conf,
                         struct net_httpc **out)
{
    struct net_stream_user user;
    struct net_httpc *c;
    enum err e = conn_new(env, conf, &c);

    if (e)
        return e;
    user = stream_user(c);
    e = net_stream_adopt(env, fd, conf->tls, conf->connect_ms, &user, &c->stream);
    if (e)
        return conn_undo(c, e);
    address_keep(c);
    *out = c;
    return ERR_OK;
}

enum err net_httpc_detach(struct net_httpc *c, struct net_handover *out)
{
    enum err e = ERR_AGAIN;

    if (c->state == ST_OPEN && net_httpc_busy(c) == 0)
        e = net_stream_detach(c->stream, out);
    if (e)
        return e;
    c->state = ST_ENDING;
    c->detached = true;
    c->why = ERR_OK;
    c->others = ERR_LATE;
    return ERR_OK;
}

enum err net_httpc_resume(const struct net_env *env, const struct net_handover *h,
                          const struct net_httpc_conf *conf, struct net_httpc **out)
{
    struct net_stream_user user;
    struct net_httpc *c;
    enum err e = conn_new(env, conf, &c);

    if (e)
        return e;
    user = stream_user(c);
    e = net_stream_resume(env, h, &user, &c->stream);
    if (e)
        return conn_undo(c, e);
    address_keep(c);
    *out = c;
    return ERR_OK;
}

static void deadline_fire(struct net_timer *timer)
{
    struct net_httpc_req *r = container_of(timer, struct net_httpc_req, deadline);
    struct net_httpc *c = r->c;

    if (c->state == ST_ENDING)
        return; /* told soon anyway */
    if (r->flying) {
        r->err = ERR_LATE;
        end(c, ERR_LATE, ERR_PEER);
        return;
    }
    c->waiting_n--;
    req_tell(r, ERR_LATE);
}

static enum err req_new(struct net_httpc *c, struct slice head, net_httpc_done_fn *done, void *arg,
                        struct net_httpc_req **out)
{
    struct net_httpc_req *r = calloc(1, sizeof *r);

    if (!r)
        return ERR_NOMEM;
    *r = (struct net_httpc_req){
        .c = c, .done = done, .arg = arg, .is_head = slice_starts(head, SLICE("HEAD "))};
    list_init(&r->link);
    net_timer_init(&r->deadline, deadline_fire);
    *out = r;
    return ERR_OK;
}

/* Keeps the octets until they may fly. */
static enum err req_wait(struct net_httpc *c, struct net_httpc_req *r, const struct slice pieces[2])
{
    size_t n;

    if (c->waiting_n >= WAITING_MAX || !num_add(pieces[0].n, pieces[1].n, &n))
        return ERR_LIMIT;
    buf_init(&r->wire, n);
    buf_add(&r->wire, pieces[0]);
    buf_add(&r->wire, pieces[1]);
    if (buf_err(&r->wire))
        return buf_err(&r->wire);
    list_push_back(&c->waiting, &r->link);
    c->waiting_n++;
    return ERR_OK;
}

enum err net_httpc_send(struct net_httpc *c, struct slice head, struct slice body, int64_t response_ms,
                        net_httpc_done_fn *done, void *arg, struct net_httpc_req **out)
{
    struct slice pieces[2] = {head, body};
    struct net_httpc_req *r;
    enum err e;

    if (c->state == ST_ENDING)
        return ERR_LATE;
    e = req_new(c, head, done, arg, &r);
    if (e)
        return e;
    if (may_fly(c) && c->waiting_n == 0)
        fly(c, r, pieces, 2);
    else
        e = req_wait(c, r, pieces);
    if (e) {
        req_free(r);
        return e;
    }
    net_hub_timer_set(c->env->hub, &r->deadline, response_ms);
    *out = r;
    return ERR_OK;
}

void net_httpc_cancel(struct net_httpc_req *r)
{
    struct net_httpc *c = r->c;

    if (r->err)
        return; /* its fate is sealed */
    r->err = ERR_LATE;
    if (r->flying)
        end(c, ERR_LATE, ERR_PEER);
    if (c->state == ST_ENDING)
        return;
    net_hub_timer_stop(c->env->hub, &r->deadline);
    c->waiting_n--;
    list_remove(&r->link);
    list_push_back(&c->cancelled, &r->link);
    net_hub_defer(c->env->hub, &c->later);
}

bool net_httpc_ready(const struct net_httpc *c)
{
    return c->state == ST_OPEN;
}

size_t net_httpc_busy(const struct net_httpc *c)
{
    return c->waiting_n + c->flying_n;
}

const struct net_tls_peer *net_httpc_peer(const struct net_httpc *c)
{
    return c->stream ? net_stream_peer(c->stream) : NULL;
}

const char *net_httpc_address(const struct net_httpc *c)
{
    return c->address;
}

struct slice net_httpc_ip(const struct net_httpc *c)
{
    return c->stream ? net_stream_ip(c->stream) : SLICE_NONE;
}

const char *net_httpc_tls_why(const struct net_httpc *c)
{
    return c->stream ? net_stream_tls_why(c->stream) : "";
}

void net_httpc_close(struct net_httpc *c)
{
    end(c, ERR_OK, ERR_LATE);
}

void net_httpc_abort(struct net_httpc *c)
{
    end(c, ERR_OK, ERR_LATE);
    if (c->stream)
        net_stream_abort(c->stream, ERR_OK);
}
