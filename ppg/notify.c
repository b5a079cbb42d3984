/* Paying the debts of the outbox; see notify.h.  What the initiator's answer means is in judge(): 2xx with a code
 * 2xxx and 4xx are final refusals, every other 2xx is told, everything else is tried again.
 * [PAP §3.4].  Runs on the core's loop. */
#include "ppg/notify.h"

#include <stdlib.h>
#include "pap/print.h"
#include "pap/vocab.h"
#include "ppg/stage.h"

#define UNDER_WAY_MAX 256u   /* notices on the wire or being settled, per core */
#define DOCUMENT_MAX  65536u /* octets of a notification and of its answer */
#define CROWDED_MS    1000   /* no connection free: look again */

struct sending {
    struct list again; /* in notify.again while the store could not write it */
    struct ppg_notify *notify;
    struct ppg_notice *notice;
    union {
        struct store_op op;
        struct store_notice_done done;
        struct store_notice_move move;
    } as;
};

struct ppg_notify {
    struct ppg_core *core;
    size_t under_way;
    struct list again; /* what the store refused; tried again by the tick */
    int64_t again_mono_ms;
    bool claiming;
    struct store_notice_claim claim;
    struct buf document;
};

/* --- the document --- */

/* push.h and pap/message.h both number these; the order differs. */
static const enum pap_priority priorities[] = {[PPG_PRIO_HIGH] = PAP_PRIORITY_HIGH,
                                               [PPG_PRIO_MEDIUM] = PAP_PRIORITY_MEDIUM,
                                               [PPG_PRIO_LOW] = PAP_PRIORITY_LOW};
static const enum pap_delivery methods[] = {
    [PPG_METHOD_NOTSPECIFIED] = PAP_DELIVERY_NOTSPECIFIED,
    [PPG_METHOD_CONFIRMED] = PAP_DELIVERY_CONFIRMED,
    [PPG_METHOD_PREFERCONFIRMED] = PAP_DELIVERY_PREFERCONFIRMED,
    [PPG_METHOD_UNCONFIRMED] = PAP_DELIVERY_UNCONFIRMED,
};

static struct pap_qos qos_of(const struct ppg_notice *n)
{
    return (struct pap_qos){.given = n->flags & PPG_HAS_QOS,
                            .priority = priorities[n->priority],
                            .delivery = methods[n->method],
                            .network = n->network.n ? n->network : SLICE_NONE,
                            .bearer = n->bearer.n ? n->bearer : SLICE_NONE,
                            .network_required = n->flags & PPG_NETWORK_REQUIRED,
                            .bearer_required = n->flags & PPG_BEARER_REQUIRED};
}

enum err ppg_notify_print(const struct ppg_settings *set, const struct ppg_notice *n, struct buf *out)
{
    struct slice address = n->address;
    struct pap_message m = {.kind = PAP_KIND_RESULTNOTIFICATION_MESSAGE,
                            .version = (enum pap_version)n->version};

    m.notification = (struct pap_notification){
        .push_id = n->push_id,
        .sender_address = slice_str(set->gateway.name),
        .sender_name = slice_str(set->gateway.sender_name),
        .received_time = {n->accepted_ms / 1000, true},
        .event_time = {n->event_ms / 1000, true},
        .state = ppg_stage_state((enum ppg_stage)n->stage),
        .code = (enum pap_code)n->code,
        .desc = slice_str(pap_code_text((enum pap_code)n->code)),
        .addrs = {&address, 1},
        .qos = qos_of(n),
    };
    return pap_print(&m, out);
}

/* --- settling a debt --- */

/* The store could not write: the debt stays in memory, where it is bounded, and is written again. */
static bool unrecorded(struct sending *s)
{
    struct ppg_shared *shared = s->notify->core->shared;

    if (!s->as.op.err || s->as.op.err == ERR_LATE)
        return false;
    LOG(shared->log, LOG_ERROR, "notify.unrecorded", LOG_I("notice", s->notice->id),
        LOG_C("error", err_name(s->as.op.err)));
    if (atomic_load(&shared->draining))
        return false;
    list_push_back(&s->notify->again, &s->again);
    return true;
}

static void write_again(struct ppg_notify *n)
{
    struct list *at;

    if (ppg_core_mono_ms(n->core) < n->again_mono_ms && !atomic_load(&n->core->shared->draining))
        return;
    n->again_mono_ms = ppg_core_mono_ms(n->core) + CROWDED_MS;
    while ((at = list_pop_front(&n->again)))
        ppg_core_submit(n->core, &container_of(at, struct sending, again)->as.op);
}

static void settled(struct store_op *op)
{
    struct sending *s = container_of(op, struct sending, as.op);

    if (unrecorded(s))
        return;
    if (op->err)
        LOG(s->notify->core->shared->log, LOG_WARN, "notify.settled-already", LOG_I("notice", s->notice->id));
    else if (op->kind == STORE_NOTICE_MOVE)
        ppg_shared_due(&s->notify->core->shared->next_notice_ms, s->as.move.due_ms);
    s->notify->under_way--;
    ppg_notice_free(&s->notice);
    free(s);
}

static void close_debt(struct sending *s, bool told, unsigned code)
{
    LOG(s->notify->core->shared->log, told ? LOG_INFO : LOG_WARN, told ? "notify.told" : "notify.refused",
        LOG_S("push_id", s->notice->push_id), LOG_S("initiator", s->notice->initiator), LOG_I("code", code),
        LOG_I("try", s->notice->tries));
    s->as.done = (struct store_notice_done){.notice_id = s->notice->id, .told = told, .code = (uint16_t)code};
    s->as.op = (struct store_op){.kind = STORE_NOTICE_DONE, .done = settled};
    ppg_core_submit(s->notify->core, &s->as.op);
}

static void postpone(struct sending *s, int64_t in_ms)
{
    s->as.move = (struct store_notice_move){.notice_id = s->notice->id,
                                            .due_ms = ppg_core_utc_ms(s->notify->core) + in_ms,
                                            .tries = s->notice->tries};
    s->as.op = (struct store_op){.kind = STORE_NOTICE_MOVE, .done = settled};
    ppg_core_submit(s->notify->core, &s->as.op);
}

static void try_again(struct sending *s, unsigned code)
{
    const struct ppg_settings *set = ppg_core_settings(s->notify->core);

    if (s->notice->tries > set->notify.retries_n) {
        close_debt(s, false, code);
        return;
    }
    LOG(s->notify->core->shared->log, LOG_INFO, "notify.retry", LOG_S("push_id", s->notice->push_id),
        LOG_I("try", s->notice->tries), LOG_I("status", code));
    postpone(s, set->notify.retry_ms[s->notice->tries - 1]);
}

/* The code in the answer's document, or 0 when there is none to read. */
static unsigned answer_code(struct ppg_core *c, struct slice body)
{
    struct pap_limits limits = PAP_LIMITS_DEFAULT;
    struct pap_message m;
    struct pap_fault fault;
    struct arena mem;
    unsigned code = 0;

    arena_init(&mem, 1024, DOCUMENT_MAX);
    if (!pap_parse(c->parser, body, &limits, &mem, &m, &fault) &&
        m.kind == PAP_KIND_RESULTNOTIFICATION_RESPONSE)
        code = m.notification_response.code;
    arena_clear(&mem);
    return code;
}

static void judge(enum err err, unsigned status, struct slice body, void *arg)
{
    struct sending *s = arg;
    unsigned code;

    if (err || status >= 500 || status == 429 || status == 408 || status < 200) {
        try_again(s, err ? 0 : status);
        return;
    }
    if (status >= 300) { /* 3xx is not followed, 4xx will not change its mind */
        close_debt(s, false, status);
        return;
    }
    code = body.n ? answer_code(s->notify->core, body) : PAP_CODE_OK;
    close_debt(s, pap_code_class((enum pap_code)code) != PAP_CODE_BAD_REQUEST, code);
}

static void send_notice(struct ppg_notify *n, struct ppg_notice *notice)
{
    struct sending *s = calloc(1, sizeof *s);
    enum err e;

    n->under_way += s != NULL;
    if (!s) { /* the lease holds: the next run pays */
        ppg_notice_free(&notice);
        return;
    }
    s->notify = n;
    s->notice = notice;
    notice->tries++;
    buf_reset(&n->document, DOCUMENT_MAX);
    e = ppg_notify_print(ppg_core_settings(n->core), notice, &n->document);
    if (!e)
        e = n->core->post(n->core->host, notice->url, buf_slice(&n->document), judge, s);
    if (e == ERR_LIMIT) { /* every connection is busy: that is no try */
        notice->tries--;
        postpone(s, CROWDED_MS);
    } else if (e == ERR_NOMEM) {
        try_again(s, 0);
    } else if (e) {
        close_debt(s, false, 0);
    }
}

static enum err copy_slices(struct ppg_notice *to, const struct ppg_target *t)
{
    const struct ppg_push *p = t->push;
    struct {
        struct slice from;
        struct slice *into;
    } const pairs[] = {{p->initiator, &to->initiator}, {p->push_id, &to->push_id}, {p->notify_url, &to->url},
                       {t->address, &to->address},     {p->network, &to->network}, {p->bearer, &to->bearer}};
    enum err e = ERR_OK;

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0] && !e; i++)
        e = arena_dup(&to->mem, pairs[i].from, pairs[i].into);
    return e;
}

void ppg_notify_owe(struct ppg_notify *n, const struct ppg_target *t, int64_t notice_id, int64_t event_ms)
{
    struct ppg_notice *notice = ppg_notice_create();

    if (!notice || copy_slices(notice, t)) { /* the lease holds: the next run pays */
        ppg_notice_free(&notice);
        return;
    }
    notice->id = notice_id;
    notice->flags = t->push->flags;
    notice->version = t->push->version;
    notice->priority = t->push->priority;
    notice->method = t->push->method;
    notice->stage = t->stage;
    notice->code = t->code;
    notice->accepted_ms = t->push->accepted_ms;
    notice->event_ms = event_ms;
    send_notice(n, notice);
}

/* --- claims --- */

static void claimed(struct store_op *op)
{
    struct ppg_notify *n = op->arg;
    struct ppg_shared *shared = n->core->shared;
    struct list *at;

    n->claiming = false;
    if (op->err) {
        ppg_shared_due(&shared->next_notice_ms, ppg_core_utc_ms(n->core) + CROWDED_MS);
        return;
    }
    if (n->claim.more)
        ppg_shared_due(&shared->next_notice_ms, ppg_core_utc_ms(n->core));
    else if (n->claim.next_due_ms)
        ppg_shared_due(&shared->next_notice_ms, n->claim.next_due_ms);
    while ((at = list_pop_front(&n->claim.notices)))
        send_notice(n, container_of(at, struct ppg_notice, link));
}

void ppg_notify_tick(struct ppg_notify *n)
{
    struct ppg_shared *shared = n->core->shared;
    int64_t now = ppg_core_utc_ms(n->core);

    write_again(n);
    if (n->core->loop != 0 || n->claiming || atomic_load(&shared->draining) ||
        n->under_way >= UNDER_WAY_MAX || now < atomic_load(&shared->next_notice_ms))
        return;
    atomic_store(&shared->next_notice_ms, INT64_MAX);
    n->claim = (struct store_notice_claim){.now_ms = now, .max = UNDER_WAY_MAX - n->under_way};
    n->claim.op = (struct store_op){.kind = STORE_NOTICE_CLAIM, .done = claimed, .arg = n};
    list_init(&n->claim.notices);
    n->claiming = true;
    ppg_core_submit(n->core, &n->claim.op);
}

/* --- life --- */

enum err ppg_notify_create(struct ppg_core *c, struct ppg_notify **out)
{
    struct ppg_notify *n = calloc(1, sizeof *n);

    if (!n)
        return ERR_NOMEM;
    n->core = c;
    list_init(&n->again);
    buf_init(&n->document, DOCUMENT_MAX);
    *out = n;
    return ERR_OK;
}

void ppg_notify_free(struct ppg_notify **np)
{
    struct ppg_notify *n = *np;

    if (!n)
        return;
    MUST(n->under_way == 0 && !n->claiming);
    buf_clear(&n->document);
    free(n);
    *np = NULL;
}

size_t ppg_notify_under_way(const struct ppg_notify *n)
{
    return n->under_way;
}
