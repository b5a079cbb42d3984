/* Pushes as WSP datagrams over UDP: the bearer's face, its table of flows and the hand-over of results.  What happens to
 * one terminal is wsp_flow.c, the octets are wsp.c.  Nothing here is ever confirmed: OTA_DELIVERED says that a datagram
 * was handed to the network, and whoever wants more must not come here (`confirms`).
 * [OTA-HTTP §9], [PAP §5.3].  One loop. */
#include "ota/bearer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "ota/wsp.h"
#include "ota/wsp_flow.h"

#define KEY_MAX_N 2048

static bool udp_reaches(const struct ota_terminal *t)
{
    return t->route == OTA_ROUTE_WSP && t->host.n != 0 && t->port != 0;
}

static struct sec_caps udp_caps(const struct ota_terminal *t)
{
    return *sec_caps_of(t->tls ? SEC_BINDING_DTLS : SEC_BINDING_UDP_CLEAR);
}

/* --- results --- */

static void later(struct ota_udp *u)
{
    net_hub_defer(u->env->net->hub, &u->later);
}

static void tell_ready(struct ota_udp *u)
{
    struct list due, *e;

    list_init(&due);
    list_splice_back(&due, &u->ready);
    while ((e = list_pop_front(&due))) {
        struct ota_datagram *at = container_of(e, struct ota_datagram, at);
        struct ota_datagram d = *at;

        free(at);
        d.job->attempt = NULL;
        d.done(d.job, d.why, d.arg);
    }
}

void ota_udp_finish(struct ota_datagram *d, enum ota_outcome outcome, unsigned code, const char *fmt, ...)
{
    struct ota_udp *u = d->flow->udp;
    struct ota_result *r = &d->job->result;
    va_list args;

    list_remove(&d->at);
    if (d->stage == OTA_DATAGRAM_WAITING)
        d->flow->waiting_n--;
    d->stage = OTA_DATAGRAM_READY;
    r->outcome = outcome;
    r->code = code;
    va_start(args, fmt);
    (void)vsnprintf(r->note, sizeof r->note, fmt, args);
    va_end(args);
    LOG(u->env->net->log, LOG_DEBUG, "ota.datagram", LOG_S("push_id", d->job->push_id),
        LOG_A("terminal", d->job->terminal->key), LOG_I("outcome", outcome), LOG_I("code", code),
        LOG_C("note", r->note));
    list_push_back(&u->ready, &d->at);
    later(u);
}

/* --- flows --- */

static enum err route_key(const struct ota_terminal *t, struct buf *key)
{
    buf_add(key, t->key);
    buf_add_ch(key, '\n');
    buf_add(key, t->host);
    buf_add_ch(key, '\n');
    buf_add(key, t->tls_name);
    buf_add_ch(key, '\n');
    buf_add(key, t->psk_identity);
    buf_addf(key, "\n%u %d", (unsigned)t->port, t->tls);
    return buf_err(key);
}

static void flow_free(struct ota_flow *f)
{
    net_tls_ctx_free(&f->ctx);
    sec_secret_clear(&f->psk);
    free(f->server_name);
    free(f->key);
    free(f);
}

void ota_udp_flow_gone(struct ota_flow *f)
{
    struct ota_udp *u = f->udp;

    u->open--;
    flow_free(f);
    if (u->ended && u->open == 0)
        later(u);
}

static enum err flow_create(struct ota_udp *u, const struct ota_terminal *t, struct slice key,
                            struct ota_flow **out)
{
    struct ota_flow *f = calloc(1, sizeof *f);
    enum err e = ERR_NOMEM;

    if (!f)
        return ERR_NOMEM;
    f->udp = u;
    f->key = mem_dup(key);
    f->key_n = key.n;
    if (f->key)
        e = map_put(&u->flows, slice_of(f->key, key.n), f);
    if (!e) {
        e = ota_flow_open(f, t);
        if (e)
            (void)map_del(&u->flows, key);
    }
    if (e) {
        flow_free(f);
        return e;
    }
    u->open++;
    *out = f;
    return ERR_OK;
}

/* The least recently used flow with nothing to do makes room. */
static void make_room(struct ota_udp *u)
{
    if (u->flows.n == u->flows.max && !list_empty(&u->idle))
        ota_flow_close(container_of(u->idle.next, struct ota_flow, at));
}

static enum err flow_of(struct ota_udp *u, const struct ota_terminal *t, struct ota_flow **out)
{
    struct buf key;
    struct ota_flow *f;
    enum err e;

    buf_init(&key, KEY_MAX_N);
    e = route_key(t, &key);
    f = e ? NULL : map_get(&u->flows, buf_slice(&key));
    if (f &&
        !slice_eq_ct(sec_secret_slice(&f->psk), sec_secret_slice(&t->psk))) { /* it has another key now */
        ota_flow_close(f);
        f = NULL;
    }
    if (f) {
        *out = f;
    } else if (!e) {
        make_room(u);
        e = flow_create(u, t, buf_slice(&key), out);
    }
    buf_clear(&key);
    return e;
}

/* --- the bearer's face --- */

static void later_run(struct net_task *task);

static enum err udp_create(const struct ota_env *env, void **self)
{
    struct ota_udp *u = calloc(1, sizeof *u);

    if (!u)
        return ERR_NOMEM;
    net_task_init(&u->later, later_run);
    u->env = env;
    u->dtls = env->dtls;
    map_init(&u->flows, env->wsp.flows_max);
    list_init(&u->idle);
    list_init(&u->ready);
    buf_init(&u->head, 2 * OTA_WSP_HEADERS_MAX_N);
    buf_init(&u->datagram, NET_UDP_MAX_N);
    *self = u;
    return ERR_OK;
}

static enum err udp_send(void *self, struct ota_job *job, ota_done_fn *done, void *arg)
{
    struct ota_udp *u = self;
    struct ota_datagram *d;
    struct ota_flow *f;
    enum err e;

    if (u->ended)
        return ERR_LATE;
    if (!udp_reaches(job->terminal))
        return ERR_UNSUPPORTED;
    e = flow_of(u, job->terminal, &f);
    if (e)
        return e;
    if (f->waiting_n == OTA_FLOW_WAITING_MAX)
        return ERR_LIMIT;
    d = calloc(1, sizeof *d);
    if (!d)
        return ERR_NOMEM;
    list_init(&d->at);
    d->job = job;
    d->done = done;
    d->arg = arg;
    job->result = (struct ota_result){.outcome = OTA_RETRY};
    job->attempt = d;
    ota_flow_add(f, d);
    ota_flow_pump(f);
    return ERR_OK;
}

static void udp_cancel(void *self, struct ota_job *job)
{
    (void)self;
    if (job->attempt)
        ota_flow_cancel(job->attempt);
}

static void udp_set_tls(void *self, struct net_tls_ctx *tls, struct net_tls_ctx *dtls)
{
    (void)tls;
    ((struct ota_udp *)self)->dtls = dtls; /* sessions hold the one they began with */
}

static void end(struct ota_udp *u)
{
    void (*closed)(void *arg) = u->closed;
    void *arg = u->closed_arg;

    net_task_cancel(&u->later);
    map_clear(&u->flows);
    buf_clear(&u->head);
    buf_clear(&u->datagram);
    free(u);
    closed(arg);
}

static void later_run(struct net_task *task)
{
    struct ota_udp *u = container_of(task, struct ota_udp, later);

    tell_ready(u);
    if (u->ended && u->open == 0 && list_empty(&u->ready))
        end(u);
}

static void udp_close(void *self, void (*closed)(void *arg), void *arg)
{
    struct ota_udp *u = self;
    struct ota_flow *f;
    size_t pos = 0;

    u->ended = true;
    u->closed = closed;
    u->closed_arg = arg;
    while ((f = map_next(&u->flows, &pos)))
        ota_flow_close(f);
    if (u->open == 0)
        later(u);
}

const struct ota_bearer ota_bearer_udp = {
    .name = "udp",
    .body_max_n = NET_UDP_MAX_N,
    .narrow = true,
    .create = udp_create,
    .reaches = udp_reaches,
    .caps = udp_caps,
    .send = udp_send,
    .cancel = udp_cancel,
    .set_tls = udp_set_tls,
    .close = udp_close,
};
