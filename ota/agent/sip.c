/* Pushes as SIP MESSAGE requests, or in sessions: the bearer's face, its table of URIs, and the hand-over of results.  What happens
 * to one push is attempt.c and session.c.  TLS protects a push as far as the next hop, whoever that is, so it counts for nothing towards the terminal: what must
 * be protected is sealed.  RFC 3428.  One loop. */
#include "ota/bearer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ota/agent/attempt.h"
#include "ota/agent/msrp_door.h"
#include "ota/agent/session.h"
#include "ota/registrar/door.h"
#include "ota/sip/refusal.h"

#define BODY_MAX_N  ((size_t)64 << 20) /* octets: what submissions may have; of a MESSAGE the request says */
#define TARGETS_MAX 100000
#define KNOWN_MAX   4096  /* challenges remembered, and agreements */
#define LEARNT_MAX  20000 /* far ends of which is remembered what they take */

static bool sip_reaches(const struct ota_terminal *t)
{
    return (t->route == OTA_ROUTE_SIP && t->sip_uri.n != 0) || t->registers != OTA_CALLS_NO;
}

/* It registers here, and has not, or not any more. */
static bool sip_absent(void *self, const struct ota_terminal *t)
{
    const struct ota_sip_env *conf = &((const struct ota_sip *)self)->env->sip;

    return t->registers != OTA_CALLS_NO &&
           !(conf->location && ota_sip_location_has(conf->location, t->sip_record));
}

/* On a route of its own nobody here tells its devices apart. */
static bool sip_device(void *self, const struct ota_terminal *t, struct slice device)
{
    const struct ota_sip_env *conf = &((const struct ota_sip *)self)->env->sip;

    return t->registers != OTA_CALLS_NO && conf->location &&
           ota_sip_location_may_come(conf->location, t->sip_record, device, conf->registered_ms);
}

static struct sec_caps sip_caps(const struct ota_terminal *t)
{
    bool tls = t->registers == OTA_CALLS_NO ? t->tls : t->registers == OTA_CALLS_TLS;

    if (t->session == OTA_SESSION_TLS)
        return *sec_caps_of(SEC_BINDING_MSRP_TLS);
    return *sec_caps_of(tls ? SEC_BINDING_SIP_PROXIED : SEC_BINDING_SIP_CLEAR);
}

static void later(struct ota_sip *s)
{
    net_hub_defer(s->env->net->hub, &s->later);
}

/* --- attempts --- */

static void attempt_free(struct ota_sip_attempt *a)
{
    buf_clear(&a->entity);
    buf_clear(&a->message);
    buf_clear(&a->offer);
    buf_clear(&a->cancel);
    ota_sip_login_clear(&a->login);
    ota_msrp_guest_free(&a->guest);
    free(a);
}

static void tell_ready(struct ota_sip *s)
{
    struct list due, *e;

    list_init(&due);
    list_splice_back(&due, &s->ready);
    while ((e = list_pop_front(&due))) {
        struct ota_sip_attempt *a = container_of(e, struct ota_sip_attempt, at);
        struct ota_job *job = a->job;
        ota_done_fn *done = a->done;
        enum err why = a->why;
        void *arg = a->arg;

        attempt_free(a);
        job->attempt = NULL;
        done(job, why, arg);
    }
}

/* Nothing calls back any more, and the target may begin the next. */
static void leave_target(struct ota_sip_attempt *a)
{
    struct ota_sip_target *t = a->target;

    ota_sip_attempt_stop(a);
    list_remove(&a->at);
    if (a->stage == OTA_SIP_WAITING)
        t->waiting_n--;
    if (t->flying == a)
        t->flying = NULL;
    if (!t->flying && list_empty(&t->at))
        list_push_back(&t->sip->free, &t->at);
    later(t->sip);
}

void ota_sip_finish(struct ota_sip_attempt *a, enum ota_outcome outcome, unsigned code, const char *fmt, ...)
{
    struct ota_sip *s = a->target->sip;
    struct ota_result *r = &a->job->result;
    va_list args;

    leave_target(a);
    if ((outcome == OTA_RETRY || outcome == OTA_AMBIGUOUS) && a->job->terminal->registers &&
        s->env->sip.location)
        ota_sip_location_missed(s->env->sip.location, a->job->terminal->sip_record);
    a->stage = OTA_SIP_READY;
    r->outcome = outcome;
    r->code = code;
    va_start(args, fmt);
    (void)vsnprintf(r->note, sizeof r->note, fmt, args);
    va_end(args);
    LOG(s->env->net->log, LOG_DEBUG, "ota.sip", LOG_S("push_id", a->job->push_id),
        LOG_A("terminal", a->job->terminal->key), LOG_I("outcome", outcome), LOG_I("code", code),
        LOG_C("note", r->note));
    list_push_back(&s->ready, &a->at);
}

/* --- targets --- */

static void target_free(struct ota_sip_target *t)
{
    (void)map_del(&t->sip->targets, slice_of(t->uri, t->uri_n));
    free(t->uri);
    free(t);
}

static enum err target_of(struct ota_sip *s, struct slice uri, struct ota_sip_target **out)
{
    struct ota_sip_target *t = map_get(&s->targets, uri);
    enum err e;

    if (t) {
        *out = t;
        return ERR_OK;
    }
    t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->sip = s;
    t->uri = mem_dup(uri);
    t->uri_n = uri.n;
    list_init(&t->waiting);
    list_init(&t->at);
    e = t->uri ? map_put(&s->targets, slice_of(t->uri, uri.n), t) : ERR_NOMEM;
    if (e) {
        free(t->uri);
        free(t);
        return e;
    }
    *out = t;
    return ERR_OK;
}

void ota_sip_target_free_later(struct ota_sip_target *t)
{
    if (!t->flying && list_empty(&t->at))
        list_push_back(&t->sip->free, &t->at);
    later(t->sip);
}

/* At most one MESSAGE to a URI is under way (RFC 3428 §8). */
static void pump(struct ota_sip_target *t)
{
    struct list *e;

    if (t->flying)
        return;
    e = list_pop_front(&t->waiting);
    if (!e) {
        if (!t->session)
            target_free(t);
        return;
    }
    t->waiting_n--;
    t->flying = container_of(e, struct ota_sip_attempt, at);
    ota_sip_attempt_begin(t->flying);
}

/* --- messages and time --- */

/* Nobody opens a session with us.  A stream of SRTP is told apart, as some networks offer nothing else: it would protect media in real
 * time, and a push is none.  0: nothing of the kind. */
static unsigned refuse_offer(const struct ota_sip *s, const struct ota_sip_unit *unit)
{
    struct ota_msrp_sdp d = {.realtime = false};
    enum err e = ota_msrp_sdp_read(unit->body, &d);

    if ((e && e != ERR_ABSENT) || !d.realtime)
        return 0;
    LOG(s->env->net->log, LOG_INFO, "ota.sip.offer-refused", LOG_C("media", "srtp"),
        LOG_C("note", "not applicable to pushes"));
    return 488;
}

static unsigned status_for(struct ota_sip *s, const struct ota_sip_unit *unit,
                           const struct ota_sip_request *r, struct buf *more)
{
    unsigned status = r->to_tag ? ota_sip_session_request(s, r, more) : 0;

    if (!status && slice_eq(r->method, SLICE("INVITE")))
        status = refuse_offer(s, unit);
    if (!status)
        status = ota_sip_request_refused(r, SLICE(OTA_SIP_AGENT_METHODS), more);
    if (!status)
        status = slice_eq(r->method, SLICE("OPTIONS")) ? 200 : 481;
    if (more->n == 0)
        buf_add(more, SLICE("Allow: " OTA_SIP_AGENT_METHODS "\r\n"));
    return status;
}

/* We are asked whether we live, for what belongs to a session, or for what we do not do: nobody may push through us (RFC 3261 §8.2.1,
 * §11.2).  No state is kept: the same request gets the same answer. */
static enum err print_answer(struct ota_sip *s, const struct ota_sip_unit *unit,
                             const struct ota_sip_request *r)
{
    struct buf more;
    unsigned status;
    enum err e;

    buf_init(&more, OTA_SIP_LINE_MAX_N);
    status = status_for(s, unit, r, &more);
    buf_reset(&s->scratch, SEC_DIGEST_HEADER_MAX_N);
    e = ota_sip_response_print(r, status, r->branch, buf_slice(&more), &s->scratch);
    buf_clear(&more);
    return e;
}

static void answer(struct ota_sip *s, struct ota_sip_hop *hop, const struct ota_sip_unit *unit)
{
    struct ota_sip_request r;
    enum err e = ota_sip_request_read(unit, ota_sip_hop_peer(hop), &r);

    buf_reset(&s->scratch, SEC_DIGEST_HEADER_MAX_N);
    if (e == ERR_MALFORMED) {
        e = ota_sip_refusal_print(unit->head, ota_sip_hop_peer(hop), SLICE(OTA_SIP_AGENT_METHODS),
                                  &s->scratch);
    } else if (!e) {
        e = slice_eq(r.method, SLICE("ACK")) ? ERR_ABSENT : print_answer(s, unit, &r);
        LOG(s->env->net->log, LOG_DEBUG, "ota.sip.asked", LOG_S("method", r.method),
            LOG_C("error", err_name(e)));
        ota_sip_request_clear(&r);
    }
    if (!e)
        (void)!ota_sip_hop_send(hop, buf_slice(&s->scratch)); /* who hears nothing asks again */
}

/* An answer that nothing waits for; hop: that it came by, NULL: the door, by this flow.  ERR_ABSENT: nothing is owed to it. */
static enum err again(struct ota_sip *s, struct ota_sip_hop *hop, const struct ota_sip_flow *flow,
                      const struct ota_sip_reply *r)
{
    struct slice ack = ota_sip_stack_ack(s->stack, r);

    if (ack.n && hop)
        (void)!ota_sip_hop_send(hop, ack);
    else if (ack.n)
        (void)!ota_sip_door_send(s->env->sip.door, flow, ack);
    else if (slice_eq(r->method, SLICE("INVITE")) && r->status / 100 == 2)
        ota_sip_session_stray(s, hop, r);
    else
        return ERR_ABSENT;
    return ERR_OK;
}

/* ERR_UNSUPPORTED: a request.  hop or flow: that it came by. */
static enum err take_reply(struct ota_sip *s, struct ota_sip_hop *hop, const struct ota_sip_flow *flow,
                           const struct ota_sip_unit *unit)
{
    struct ota_sip_reply r;
    enum err e = ota_sip_reply_read(unit, &r);

    bool invite = !e && slice_eq(r.method, SLICE("INVITE"));

    if (!e && !ota_sip_stack_reply(s->stack, &r)) {
        e = again(s, hop, flow, &r);
        ota_sip_reply_clear(&r);
    }
    if (invite) /* it may ring now, and not for long */
        ota_sip_watch(s);
    if (e && e != ERR_UNSUPPORTED) /* broken, or an answer to nothing: dropped (RFC 3261 §18.1.2) */
        LOG(s->env->net->log, LOG_DEBUG, "ota.sip.dropped", LOG_C("why", err_name(e)));
    return e;
}

static void on_message(struct ota_sip_hop *hop, const struct ota_sip_unit *unit, void *arg)
{
    if (take_reply(arg, hop, NULL, unit) == ERR_UNSUPPORTED)
        answer(arg, hop, unit);
}

static void on_door_reply(const struct ota_sip_unit *unit, const struct ota_sip_flow *flow, void *arg)
{
    (void)!take_reply(arg, NULL, flow, unit);
}

static unsigned on_door_dialog(const struct ota_sip_request *r, struct buf *more, void *arg)
{
    return ota_sip_session_request(arg, r, more);
}

static void on_flow_lost(const struct ota_sip_flow *flow, void *arg)
{
    ota_sip_hops_flow_lost(((struct ota_sip *)arg)->hops, flow);
}

void ota_sip_watch(struct ota_sip *s)
{
    int64_t wait = ota_sip_stack_wait_ms(s->stack);

    if (wait >= 0)
        net_hub_timer_set(s->env->net->hub, &s->timer, wait > 0 ? wait : 1);
    else
        net_hub_timer_stop(s->env->net->hub, &s->timer);
}

static void tick(struct net_timer *timer)
{
    struct ota_sip *s = container_of(timer, struct ota_sip, timer);

    ota_sip_stack_tick(s->stack);
    ota_sip_watch(s);
}

/* --- the bearer's face --- */

static void later_run(struct net_task *task);

/* Transactions and the way to next hops: without them there is no bearer. */
static enum err transport_create(struct ota_sip *s)
{
    const struct ota_env *env = s->env;
    const struct ota_sip_hops_conf hops = {.env = env,
                                           .hops_max = env->sip.hops_max,
                                           .idle_ms = env->sip.idle_ms,
                                           .message = on_message,
                                           .arg = s};
    enum err e = ota_sip_stack_create(env->net->clk, env->sip.transactions_max, &s->stack);

    if (!e)
        e = ota_sip_hops_create(&hops, &s->hops);
    if (e)
        ota_sip_stack_free(&s->stack);
    return e;
}

/* Where it fails, names are looked up without service records. */
static void records_create(struct ota_sip *s)
{
    enum err e = net_records_create(s->env->net, s->env->sip.dns, &s->records);

    if (e)
        LOG(s->env->net->log, LOG_WARN, "ota.sip.no-service-records", LOG_C("error", err_name(e)));
    s->records_closed = s->records == NULL;
}

/* What allocates nothing yet. */
static void empty(struct ota_sip *s)
{
    const struct ota_env *env = s->env;

    map_init(&s->targets, TARGETS_MAX);
    map_init(&s->sessions, env->sip.sessions_max);
    list_init(&s->idle);
    list_init(&s->leaving);
    list_init(&s->abandoned);
    list_init(&s->free);
    list_init(&s->ready);
    ota_sip_known_init(&s->known, KNOWN_MAX);
    ota_sip_agreements_init(&s->agreements, KNOWN_MAX);
    ota_sip_learnt_init(&s->learnt, env->net->clk, LEARNT_MAX);
    buf_init(&s->scratch, OTA_SIP_REALMS_MAX * SEC_DIGEST_HEADER_MAX_N);
    net_task_init(&s->later, later_run);
    net_timer_init(&s->timer, tick);
}

static enum err sip_create(const struct ota_env *env, void **self)
{
    struct ota_sip *s = calloc(1, sizeof *s);
    enum err e;

    if (!s)
        return ERR_NOMEM;
    s->env = env;
    s->tls = env->tls;
    e = transport_create(s);
    if (e) {
        free(s);
        return e;
    }
    records_create(s);
    empty(s);
    if (env->sip.door)
        ota_sip_door_attach(env->sip.door,
                            &(struct ota_sip_door_user){on_door_reply, on_flow_lost, on_door_dialog, s});
    *self = s;
    return ERR_OK;
}

static enum err attempt_new(struct ota_job *job, ota_done_fn *done, void *arg, struct ota_sip_attempt **out)
{
    struct ota_sip_attempt *a = calloc(1, sizeof *a);

    if (!a)
        return ERR_NOMEM;
    list_init(&a->at);
    a->job = job;
    a->done = done;
    a->arg = arg;
    buf_init(&a->entity, OTA_SIP_BODY_MAX_N);
    buf_init(&a->message, OTA_SIP_MESSAGE_MAX_N);
    buf_init(&a->offer, OTA_MSRP_SDP_MAX_N);
    buf_init(&a->cancel, OTA_SIP_HEAD_MAX_N);
    ota_sip_login_init(&a->login);
    *out = a;
    return ERR_OK;
}

static enum err sip_send(void *self, struct ota_job *job, ota_done_fn *done, void *arg)
{
    struct ota_sip *s = self;
    struct ota_sip_attempt *a;
    struct ota_sip_target *t;
    enum err e;

    if (s->ended)
        return ERR_LATE;
    if (!sip_reaches(job->terminal))
        return ERR_UNSUPPORTED;
    e = target_of(s, job->terminal->registers ? job->terminal->sip_record : job->terminal->sip_uri, &t);
    if (e)
        return e;
    e = t->waiting_n == OTA_SIP_WAITING_MAX ? ERR_LIMIT : attempt_new(job, done, arg, &a);
    if (e) {
        if (!t->flying && list_empty(&t->at))
            target_free(t);
        return e;
    }
    a->target = t;
    job->result = (struct ota_result){.outcome = OTA_RETRY};
    job->attempt = a;
    list_push_back(&t->waiting, &a->at);
    t->waiting_n++;
    pump(t);
    return ERR_OK;
}

/* There is no CANCEL for a MESSAGE (RFC 3261 §9.1): what was sent may have arrived. */
static void sip_cancel(void *self, struct ota_job *job)
{
    struct ota_sip_attempt *a = job->attempt;

    (void)self;
    if (!a || a->stage == OTA_SIP_READY)
        return;
    a->why = ERR_LATE;
    if (a->cseq == 0 && !a->session)
        ota_sip_finish(a, OTA_RETRY, 4001, "cancelled, not sent");
    else
        ota_sip_finish(a, OTA_AMBIGUOUS, 4001, "cancelled when it was sent");
}

/* An INVITE asks whether a push may come and has nothing of it: the far end hears CANCEL, or BYE when it has said yes.  What a MESSAGE
 * or a chunk has carried may have arrived, unless the MESSAGE was refused unread. */
static bool sip_withdraw(void *self, struct ota_job *job)
{
    struct ota_sip_attempt *a = job->attempt;

    (void)self;
    if (!a || a->stage == OTA_SIP_READY || a->told || ota_sip_session_told(a))
        return false;
    leave_target(a);
    attempt_free(a);
    job->attempt = NULL;
    return true;
}

static void sip_set_tls(void *self, struct net_tls_ctx *tls, struct net_tls_ctx *dtls)
{
    struct ota_sip *s = self;

    (void)dtls;
    s->tls = tls;
    ota_sip_hops_set_tls(s->hops, tls);
}

static void end(struct ota_sip *s)
{
    void (*closed)(void *arg) = s->closed;
    void *arg = s->closed_arg;

    net_task_cancel(&s->later);
    net_hub_timer_stop(s->env->net->hub, &s->timer);
    map_clear(&s->targets);
    map_clear(&s->sessions);
    ota_sip_known_clear(&s->known);
    ota_sip_agreements_clear(&s->agreements);
    ota_sip_learnt_clear(&s->learnt);
    buf_clear(&s->scratch);
    ota_sip_stack_free(&s->stack);
    free(s);
    closed(arg);
}

static void later_run(struct net_task *task)
{
    struct ota_sip *s = container_of(task, struct ota_sip, later);
    struct list due, *e;

    list_init(&due);
    list_splice_back(&due, &s->free);
    while ((e = list_pop_front(&due)))
        pump(container_of(e, struct ota_sip_target, at));
    tell_ready(s);
    if (s->hops_closed && s->records_closed && s->searches == 0 && s->sessions_open == 0 &&
        list_empty(&s->ready) && s->targets.n == 0)
        end(s);
}

void ota_sip_check_end(struct ota_sip *s)
{
    if (s->ended)
        later(s);
}

static void hops_closed(void *arg)
{
    struct ota_sip *s = arg;

    s->hops_closed = true;
    later(s);
}

static void records_closed(void *arg)
{
    struct ota_sip *s = arg;

    s->records_closed = true;
    later(s);
}

static void target_close(struct ota_sip_target *t)
{
    while (!list_empty(&t->waiting))
        ota_sip_finish(container_of(t->waiting.next, struct ota_sip_attempt, at), OTA_RETRY, 4001,
                       "closed, not sent");
    if (t->flying)
        ota_sip_finish(t->flying, t->flying->cseq ? OTA_AMBIGUOUS : OTA_RETRY, 4001,
                       "closed when it was under way");
    if (t->session)
        ota_sip_session_close(t->session, "closed");
}

static void sip_close(void *self, void (*closed)(void *arg), void *arg)
{
    struct ota_sip *s = self;
    struct ota_sip_target *t;
    size_t pos = 0;

    s->ended = true;
    s->closed = closed;
    s->closed_arg = arg;
    if (s->env->sip.door)
        ota_sip_door_attach(s->env->sip.door, NULL);
    while ((t = map_next(&s->targets, &pos)))
        target_close(t);
    ota_sip_sessions_end(s);
    ota_sip_abandoned_end(s);
    ota_sip_hops_close(s->hops, hops_closed, s);
    if (s->records)
        net_records_close(s->records, records_closed, s);
}

const struct ota_bearer ota_bearer_sip = {
    .name = "sip",
    .body_max_n = BODY_MAX_N,
    .confirms = true,
    .devices = true,
    .create = sip_create,
    .reaches = sip_reaches,
    .caps = sip_caps,
    .absent = sip_absent,
    .device = sip_device,
    .send = sip_send,
    .cancel = sip_cancel,
    .withdraw = sip_withdraw,
    .set_tls = sip_set_tls,
    .close = sip_close,
};
