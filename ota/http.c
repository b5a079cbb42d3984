/* OTA-HTTP over connections that the gateway opens (PO-TCP) or terminals do (TO-TCP): the bearer's face, its table of peers and the
 * hand-over of results.  What happens on one connection is peer.c; the texts are request.c, cpi.c, answer.c.  The terminal is
 * the HTTP server whoever connected.  [OTA-HTTP §3..§7].  One loop. */
#include "ota/bearer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "ota/peer.h"

#define BODY_MAX_N    (1024 * 1024) /* octets of one push over this bearer */
#define PEERS_PER_CON 4             /* terminals remembered, per connection allowed */
#define PEERS_MIN     1024
#define KEY_MAX_N     2048

static bool has_route(const struct ota_terminal *t)
{
    return t->route == OTA_ROUTE_HTTP && t->host.n != 0 && t->port != 0;
}

static bool http_reaches(const struct ota_terminal *t)
{
    return has_route(t) || t->call_in.calls != OTA_CALLS_NO;
}

/* Of all the ways the push may go the weakest: which it will be is not known before.  TLS to somebody who has not proved
 * who it is protects nothing. */
static struct sec_caps http_caps(const struct ota_terminal *t)
{
    bool call = t->call_in.calls == OTA_CALLS_TLS && t->call_in.proof != OTA_PROOF_NONE;
    bool route = t->tls || !has_route(t);
    bool tls = t->call_in.calls == OTA_CALLS_NO ? t->tls : call && route;
    struct sec_caps caps;

    caps = *sec_caps_of(tls ? SEC_BINDING_HTTP_TLS : SEC_BINDING_HTTP_CLEAR);
    caps.mac = caps.mac && !t->direct; /* what stands in the request's own head it would not cover */
    return caps;
}

static void later_run(struct net_task *task);

static enum err http_create(const struct ota_env *env, void **self)
{
    struct ota_http *h = calloc(1, sizeof *h);

    if (!h)
        return ERR_NOMEM;
    net_task_init(&h->later, later_run);
    h->env = env;
    h->tls = env->tls;
    map_init(&h->peers, PEERS_MIN + PEERS_PER_CON * env->connections_max + env->calls_max);
    list_init(&h->idle);
    list_init(&h->cold);
    list_init(&h->ready);
    *self = h;
    return ERR_OK;
}

/* --- results --- */

static void later(struct ota_http *h)
{
    net_hub_defer(h->env->net->hub, &h->later);
}

/* Takes the list as it stands: a done() that sends again is served in the next turn. */
static void tell_ready(struct ota_http *h)
{
    struct list due, *e;

    list_init(&due);
    list_splice_back(&due, &h->ready);
    while ((e = list_pop_front(&due))) {
        struct ota_attempt *at = container_of(e, struct ota_attempt, at);
        struct ota_attempt a = *at;

        free(at);
        a.job->attempt = NULL;
        a.done(a.job, a.why, a.arg);
    }
}

static void leave_peer(struct ota_attempt *a)
{
    list_remove(&a->at);
    if (a->stage == OTA_WAITING)
        a->peer->waiting_n--;
    if (a->stage == OTA_FLYING)
        a->peer->flying_n--;
}

void ota_http_finish(struct ota_http *h, struct ota_attempt *a, enum ota_outcome outcome, unsigned code,
                     const char *fmt, ...)
{
    struct ota_result *r = &a->job->result;
    va_list args;

    leave_peer(a);
    a->stage = OTA_READY;
    a->why = a->cancelled ? ERR_LATE : ERR_OK;
    r->outcome = outcome;
    r->code = code;
    va_start(args, fmt);
    (void)vsnprintf(r->note, sizeof r->note, fmt, args);
    va_end(args);
    LOG(h->env->net->log, LOG_DEBUG, "ota.push", LOG_S("push_id", a->job->push_id),
        LOG_A("terminal", a->job->terminal->key), LOG_I("outcome", outcome), LOG_I("code", code),
        LOG_C("note", r->note));
    list_push_back(&h->ready, &a->at);
    later(h);
}

/* --- peers --- */

/* Every part of a route, each ended by a line feed, which none may hold: a reloaded terminal that moved is
 * another peer, and the old one is forgotten in time. */
static enum err route_key(const struct ota_terminal *t, struct buf *key)
{
    const struct slice parts[] = {t->key, t->terminal_id, t->host, t->tls_name, t->login.user};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        buf_add(key, parts[i]);
        buf_add_ch(key, '\n');
    }
    buf_addf(key, "%u %d %d %d %d", (unsigned)t->port, t->tls, t->direct, (int)t->call_in.calls,
             (int)t->call_in.proof);
    return buf_err(key);
}

static void peer_free(struct ota_peer *p)
{
    list_remove(&p->at);
    ota_peer_forget_call(p);
    ota_cpi_clear(&p->cpi);
    ota_login_clear(&p->login);
    free(p->key);
    free(p);
}

static void peer_init(struct ota_peer *p, struct ota_http *h, const struct ota_terminal *t)
{
    p->http = h;
    p->address = slice_of(p->key, t->key.n);
    p->terminal_id = slice_of(p->key + t->key.n + 1, t->terminal_id.n);
    p->tls = t->tls;
    list_init(&p->at);
    list_init(&p->waiting);
    list_init(&p->flying);
    ota_cpi_init(&p->cpi);
    ota_login_init(&p->login);
}

static enum err peer_create(struct ota_http *h, const struct ota_terminal *t, struct slice key,
                            struct ota_peer **out)
{
    struct ota_peer *p = calloc(1, sizeof *p);
    enum err e;

    if (!p)
        return ERR_NOMEM;
    p->key = mem_dup(key);
    p->key_n = key.n;
    if (!p->key) {
        free(p);
        return ERR_NOMEM;
    }
    peer_init(p, h, t);
    e = map_put(&h->peers, slice_of(p->key, p->key_n), p);
    if (e)
        peer_free(p);
    else
        *out = p;
    return e;
}

/* The oldest terminal without connection is forgotten; it will be asked again when it is needed. */
static void forget_one(struct ota_http *h)
{
    struct list *oldest = list_pop_front(&h->cold);
    struct ota_peer *p;

    if (!oldest)
        return;
    p = container_of(oldest, struct ota_peer, at);
    (void)map_del(&h->peers, slice_of(p->key, p->key_n));
    peer_free(p);
}

static enum err peer_of(struct ota_http *h, const struct ota_terminal *t, struct ota_peer **out)
{
    struct ota_peer *p;
    struct buf key;
    enum err e;

    buf_init(&key, KEY_MAX_N);
    e = route_key(t, &key);
    p = e ? NULL : map_get(&h->peers, buf_slice(&key));
    if (p)
        *out = p;
    else if (!e) {
        if (h->peers.n == h->peers.max)
            forget_one(h);
        e = peer_create(h, t, buf_slice(&key), out);
    }
    buf_clear(&key);
    return e;
}

bool ota_http_make_room(struct ota_http *h)
{
    if (h->open - h->leaving < h->env->connections_max)
        return true;
    if (list_empty(&h->idle))
        return false;
    ota_peer_close(container_of(h->idle.next, struct ota_peer, at));
    return true;
}

/* The peer is the source, the table its copy: made anew at each registration, also when the terminal says that nothing
 * has changed, so that what the table had to let go comes back.  [OTA-HTTP §4] */
void ota_http_publish(const struct ota_peer *p)
{
    const struct ota_env *env = p->http->env;
    struct ota_profile said = ota_cpi_profile(&p->cpi);
    enum err e = ERR_ABSENT;

    if (!env->profiles)
        return;
    said.learnt_ms = clk_utc_ms(env->net->clk) - (clk_mono_ms(env->net->clk) - p->cpi.at_ms);
    /* Where nothing is proved it may have been somebody else. */
    said.tls = p->called && p->tls && p->terminal->call_in.proof != OTA_PROOF_NONE;
    if (said.known)
        e = ota_profiles_learn(env->profiles, p->address, &said);
    if (e)
        ota_profiles_forget(env->profiles, p->address);
}

/* --- the bearer's face --- */

static struct ota_attempt *attempt_create(struct ota_job *job, ota_done_fn *done, void *arg)
{
    struct ota_attempt *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    list_init(&a->at);
    a->job = job;
    a->done = done;
    a->arg = arg;
    job->result = (struct ota_result){.outcome = OTA_RETRY};
    job->attempt = a;
    return a;
}

static enum err http_send(void *self, struct ota_job *job, ota_done_fn *done, void *arg)
{
    struct ota_http *h = self;
    struct ota_attempt *a;
    struct ota_peer *p;
    enum err e;

    if (h->ended)
        return ERR_LATE;
    if (!http_reaches(job->terminal))
        return ERR_UNSUPPORTED;
    if (job->body.n > BODY_MAX_N)
        return ERR_LIMIT;
    e = peer_of(h, job->terminal, &p);
    if (e)
        return e;
    if (p->waiting_n == OTA_PEER_WAITING_MAX)
        return ERR_LIMIT;
    a = attempt_create(job, done, arg);
    if (!a)
        return ERR_NOMEM;
    ota_peer_add(p, a);
    ota_peer_pump(p);
    return ERR_OK;
}

/* The peer of the terminal as it is configured now; NULL: there is none. */
static struct ota_peer *peer_find(const struct ota_http *h, const struct ota_terminal *t)
{
    struct ota_peer *p = NULL;
    struct buf key;

    buf_init(&key, KEY_MAX_N);
    if (!route_key(t, &key))
        p = map_get(&h->peers, buf_slice(&key));
    buf_clear(&key);
    return p;
}

static bool http_absent(void *self, const struct ota_terminal *t)
{
    const struct ota_peer *p = has_route(t) ? NULL : peer_find(self, t);

    if (has_route(t))
        return false;
    return !p || !p->conn || (p->leaving && !p->next_call);
}

static void http_take(void *self, struct ota_call *call, const struct ota_terminal *t,
                      struct ota_registry *held)
{
    struct ota_http *h = self;
    struct ota_peer *p;
    enum err e = h->ended ? ERR_LATE : h->called >= h->env->calls_max ? ERR_LIMIT : peer_of(h, t, &p);

    if (!e) {
        ota_peer_take(p, call, t, held);
        return;
    }
    LOG(h->env->net->log, LOG_WARN, "ota.call.lost", LOG_A("terminal", t->key), LOG_C("err", err_name(e)));
    ota_call_drop(&call);
    ota_registry_drop(&held);
}

/* What let it in lets it in still. */
static bool may_stay(const struct ota_call_in *was, const struct ota_terminal *now)
{
    return now && now->call_in.calls == was->calls && now->call_in.proof == was->proof &&
           slice_eq(now->call_in.certificate, was->certificate) && slice_eq(now->call_in.user, was->user) &&
           slice_eq(now->call_in.psk_identity, was->psk_identity) &&
           slice_eq(now->call_in.subscriber, was->subscriber) &&
           slice_eq_ct(sec_secret_slice(&now->call_in.psk), sec_secret_slice(&was->psk)) &&
           slice_eq(now->call_in.password, was->password);
}

static void http_review(void *self, const struct ota_registry *now)
{
    struct ota_http *h = self;
    struct ota_peer *p;
    size_t pos = 0;

    while ((p = map_next(&h->peers, &pos)))
        if (p->called && !may_stay(&p->terminal->call_in, ota_registry_find(now, p->address)))
            ota_peer_close(p);
}

static void http_lines(void *self, const struct ota_terminal *t, ota_line_fn *fn, void *arg)
{
    struct ota_http *h = self;
    struct ota_peer *p = t ? peer_find(h, t) : NULL;
    size_t pos = 0;

    if (p && p->conn && !p->leaving)
        ota_peer_line(p, fn, arg);
    while (!t && (p = map_next(&h->peers, &pos)))
        if (p->conn && !p->leaving)
            ota_peer_line(p, fn, arg);
}

static bool http_hang_up(void *self, const struct ota_terminal *t)
{
    struct ota_peer *p = peer_find(self, t);

    if (!p || !p->conn || p->leaving)
        return false;
    ota_peer_close(p);
    return true;
}

static void http_cancel(void *self, struct ota_job *job)
{
    (void)self;
    if (job->attempt)
        ota_peer_cancel(job->attempt);
}

static bool http_withdraw(void *self, struct ota_job *job)
{
    (void)self;
    if (!job->attempt || !ota_peer_withdraw(job->attempt))
        return false;
    free(job->attempt);
    job->attempt = NULL;
    return true;
}

static void http_set_tls(void *self, struct net_tls_ctx *tls, struct net_tls_ctx *dtls)
{
    (void)dtls;
    ((struct ota_http *)self)->tls = tls; /* connections hold the one they began with */
}

static void end(struct ota_http *h)
{
    void (*closed)(void *arg) = h->closed;
    void *arg = h->closed_arg;
    struct ota_peer *p;
    size_t pos = 0;

    net_task_cancel(&h->later);
    while ((p = map_next(&h->peers, &pos)))
        peer_free(p);
    map_clear(&h->peers);
    free(h);
    closed(arg);
}

static void later_run(struct net_task *task)
{
    struct ota_http *h = container_of(task, struct ota_http, later);

    tell_ready(h);
    if (h->ended && h->open + h->called == 0 && list_empty(&h->ready))
        end(h);
}

void ota_http_check_end(struct ota_http *h)
{
    if (h->ended && h->open + h->called == 0)
        later(h);
}

/* Cancelling one push on the wire aborts the connection, which ends the others. */
static void end_peer(struct ota_peer *p)
{
    LIST_EACH_SAFE (e, &p->waiting)
        ota_peer_cancel(container_of(e, struct ota_attempt, at));
    LIST_EACH (e, &p->flying)
        container_of(e, struct ota_attempt, at)->cancelled = true;
    if (!list_empty(&p->flying))
        net_httpc_cancel(container_of(p->flying.next, struct ota_attempt, at)->req);
    ota_peer_forget_call(p);
    ota_peer_close(p);
}

static void http_close(void *self, void (*closed)(void *arg), void *arg)
{
    struct ota_http *h = self;
    struct ota_peer *p;
    size_t pos = 0;

    h->ended = true;
    h->closed = closed;
    h->closed_arg = arg;
    while ((p = map_next(&h->peers, &pos)))
        end_peer(p);
    ota_http_check_end(h);
}

const struct ota_bearer ota_bearer_http = {
    .name = "http",
    .body_max_n = BODY_MAX_N,
    .confirms = true,
    .create = http_create,
    .reaches = http_reaches,
    .caps = http_caps,
    .absent = http_absent,
    .take = http_take,
    .review = http_review,
    .lines = http_lines,
    .hang_up = http_hang_up,
    .send = http_send,
    .cancel = http_cancel,
    .withdraw = http_withdraw,
    .set_tls = http_set_tls,
    .close = http_close,
};
