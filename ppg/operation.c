/* Cancel, status and capabilities; see operation.h.  Cancel and status find a push by its initiator and its id in one
 * lookup, so a foreign push takes the same way as one that never was, and the answers cannot be told apart.  Only who
 * stands in an acl of the whitelist has a second lookup, among the pushes of others that the whitelist opens to it.
 * [PAP §8.3, §8.4, §8.7]; OMA DM message security 5.10.  Runs on the core's loop. */
#include "ppg/operation.h"

#include <stdio.h>
#include "base/map.h"
#include "ota/headers.h"
#include "ppg/authenticate.h"
#include "ppg/authorize.h"
#include "ppg/capabilities.h"
#include "ppg/control.h"
#include "ppg/entity.h"
#include "ppg/recipients.h"
#include "ppg/results.h"
#include "ppg/stage.h"

#define RDF_MAX_N  131072u /* octets of a description */
#define NOTE_MAX_N 200u    /* octets of who cancelled, in words */

/* One request under way; lives in the memory of its submission. */
struct operation {
    struct ppg_submission *s;
    union {
        struct ppg_cancel cancel;
        struct store_show show;
    } as;
    const struct pap_addrs *addrs; /* of the request; none: all recipients */
    size_t *at;                    /* for each of them its place in keys from 1; 0: malformed */
    struct slice *keys;            /* each recipient once */
    size_t keys_n;
    struct map index; /* from a key to its place in keys */
    struct pap_results results;
    struct ppg_config *rules; /* held while others' pushes are looked at; NULL: only the own one was */
    enum sec_operation what;
    struct sec_whitelist_verdict verdict; /* about the last push of somebody else */
};

/* --- what is asked about --- */

/* A key that no recipient has: stands in when every address of the request is malformed, as none means all. */
static const struct slice nobody = {"", 0};

static enum pap_code take_address(struct operation *op, size_t i)
{
    struct slice *key = &op->keys[op->keys_n];
    enum pap_code code = ppg_recipient_key(op->s, op->addrs->v[i], key);
    enum err e;

    if (code != PAP_CODE_ACCEPTED)
        return code == PAP_CODE_ADDRESS_ERROR ? PAP_CODE_OK : code;
    e = map_put(&op->index, *key, key);
    if (e == ERR_EXISTS)
        op->at[i] = (size_t)((struct slice *)map_get(&op->index, *key) - op->keys) + 1;
    else if (!e)
        op->at[i] = ++op->keys_n;
    else
        return PAP_CODE_INTERNAL_ERROR;
    return PAP_CODE_OK;
}

static enum pap_code take_query(struct operation *op, const struct pap_query *q)
{
    struct arena *mem = &op->s->push->mem;
    enum pap_code code = PAP_CODE_OK;

    op->s->outcome.push_id = q->push_id;
    op->addrs = &q->addrs;
    if (!q->push_id.n)
        return ppg_refuse(op->s, PAP_CODE_BAD_REQUEST, "push-id is empty");
    if (!q->addrs.n)
        return PAP_CODE_OK;
    op->at = arena_array(mem, q->addrs.n, sizeof *op->at);
    op->keys = arena_array(mem, q->addrs.n, sizeof *op->keys);
    if (!op->at || !op->keys)
        return PAP_CODE_INTERNAL_ERROR;
    map_init(&op->index, q->addrs.n);
    for (size_t i = 0; i < q->addrs.n && code == PAP_CODE_OK; i++)
        code = take_address(op, i);
    if (!op->keys_n)
        op->keys[op->keys_n++] = nobody;
    return code;
}

/* Where the key was asked about, from 0; SIZE_MAX: not asked. */
static size_t place_of(const struct operation *op, struct slice key)
{
    const struct slice *at = map_get(&op->index, key);

    return at ? (size_t)(at - op->keys) : SIZE_MAX;
}

/* --- ends --- */

/* Answers; what the store has lent is given back once it is printed. */
static void reply(struct operation *op)
{
    struct ppg_submission *s = op->s;

    if (op->results.n)
        s->outcome.results = &op->results;
    ppg_submission_reply(s);
    map_clear(&op->index);
}

static void forget(struct operation *op)
{
    ppg_config_drop(&op->rules);
    ppg_submission_free(op->s);
}

/* Nothing to wait for: an outcome with a code for the whole. */
static void ended(struct operation *op, enum pap_code code)
{
    op->s->outcome.code = code;
    if (code != PAP_CODE_INTERNAL_ERROR)
        op->s->outcome.why = op->s->why;
    reply(op);
    forget(op);
}

/* The store has answered: with rows, or an error that speaks for the whole. */
static void answered(struct operation *op, enum err result)
{
    struct ppg_submission *s = op->s;

    s->account = ppg_authenticated(s->core, s->exchange);
    s->outcome.code = result ? ppg_reply_code(result) : PAP_CODE_OK;
    reply(op);
}

/* --- pushes of others --- */

/* On the store's thread; the rules are held. */
static bool may_touch(void *arg, struct slice owner)
{
    struct operation *op = arg;
    struct sec_whitelist_query q = {.operation = op->what,
                                    .initiator = op->s->push->initiator,
                                    .owner = owner,
                                    .push_id = op->as.show.push_id};

    sec_whitelist_decide(ppg_config_whitelist(op->rules), &q, &op->verdict);
    return op->verdict.allow;
}

/* The own pushes have none of that id: looks among those of others.  False: there is no use to, nothing begins. */
static bool try_others(struct operation *op, enum sec_operation what, struct slice push_id,
                       store_done_fn *done)
{
    struct ppg_core *c = op->s->core;

    if (op->rules ||
        !sec_whitelist_reaches_others(ppg_config_whitelist(c->config), what, op->s->push->initiator))
        return false;
    op->rules = ppg_config_hold(c->config);
    op->what = what;
    op->as.show = (struct store_show){.push_id = push_id, .brief = true, .may = may_touch, .may_arg = op};
    op->as.show.op = (struct store_op){.kind = STORE_SHOW, .done = done, .arg = op};
    ppg_core_submit(c, &op->as.show.op);
    return true;
}

/* By which rule somebody else's push was opened, or not. */
static void log_others(const struct operation *op, const struct ppg_push *found)
{
    const struct ppg_submission *s = op->s;

    if (op->rules && op->verdict.reason)
        LOG(s->core->shared->log, found ? LOG_INFO : LOG_WARN, found ? "acl.allowed" : "acl.denied",
            LOG_S("initiator", s->push->initiator), LOG_S("push_id", s->outcome.push_id),
            LOG_S("owner", found ? found->initiator : SLICE_NONE),
            LOG_C("operation", op->what == SEC_CANCEL ? "cancel" : "status"),
            LOG_C("why", op->verdict.reason), LOG_C("file", op->verdict.file),
            LOG_I("line", op->verdict.line));
}

/* --- cancel --- */

static enum pap_code code_of(enum store_cancel_what what)
{
    static const enum pap_code codes[] = {[STORE_CANCEL_DONE] = PAP_CODE_OK,
                                          [STORE_CANCEL_LATE] = PAP_CODE_CANCELLATION_NOT_POSSIBLE,
                                          [STORE_CANCEL_HELD] = PAP_CODE_CANCELLATION_NOT_POSSIBLE,
                                          [STORE_CANCEL_STRANGER] = PAP_CODE_ADDRESS_NOT_FOUND};

    return codes[what];
}

static enum err cancel_all(struct operation *op, struct ppg_row *rows)
{
    const struct store_cancel *c = &op->as.cancel.cancel;
    size_t n = 0;

    for (size_t i = 0; i < c->targets_n; i++)
        if (!c->targets[i].group_id)
            rows[n++] = ppg_row_of(c->targets[i].address, PAP_STATE_NONE, code_of(c->targets[i].what));
    return ppg_results_group(&op->s->push->mem, rows, n, &op->results);
}

static enum err cancel_listed(struct operation *op, struct ppg_row *rows)
{
    const struct store_cancel *c = &op->as.cancel.cancel;
    enum pap_code *codes = arena_array(&op->s->push->mem, op->keys_n, sizeof *codes);

    if (!codes)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->targets_n; i++) {
        size_t at = c->targets[i].group_id ? SIZE_MAX : place_of(op, c->targets[i].key);

        if (at != SIZE_MAX)
            codes[at] = code_of(c->targets[i].what);
    }
    for (size_t i = 0; i < op->addrs->n; i++) {
        enum pap_code code = op->at[i] ? codes[op->at[i] - 1] : PAP_CODE_ADDRESS_ERROR;

        rows[i] = ppg_row_of(op->addrs->v[i], PAP_STATE_NONE, code ? code : PAP_CODE_ADDRESS_NOT_FOUND);
    }
    return ppg_results_group(&op->s->push->mem, rows, op->addrs->n, &op->results);
}

static void owner_found(struct store_op *done);

static void cancelled(struct ppg_cancel *x, enum err result)
{
    struct operation *op = x->arg;
    struct ppg_submission *s = op->s;
    size_t rows_n = op->addrs->n ? op->addrs->n : x->cancel.targets_n;
    struct ppg_row *rows = result ? NULL : arena_array(&s->push->mem, rows_n, sizeof *rows);

    if (result == ERR_ABSENT && !op->rules) {
        arena_clear(&x->cancel.mem);
        if (try_others(op, SEC_CANCEL, s->message.cancel.push_id, owner_found))
            return;
    }
    if (!result)
        result = !rows ? ERR_NOMEM : op->addrs->n ? cancel_listed(op, rows) : cancel_all(op, rows);
    answered(op, result);
    arena_clear(&x->cancel.mem);
    forget(op);
}

static void cancel_begin(struct operation *op, struct slice owner, struct slice note)
{
    struct ppg_submission *s = op->s;

    op->as.cancel = (struct ppg_cancel){.done = cancelled, .arg = op};
    op->as.cancel.cancel.initiator = owner;
    op->as.cancel.cancel.push_id = s->message.cancel.push_id;
    op->as.cancel.cancel.keys = op->keys;
    op->as.cancel.cancel.keys_n = op->keys_n;
    op->as.cancel.cancel.note = note;
    ppg_cancel_start(s->core->control, &op->as.cancel);
}

static void owner_found(struct store_op *done)
{
    struct operation *op = done->arg;
    struct arena *mem = &op->s->push->mem;
    struct ppg_push *found = op->as.show.push;
    char text[NOTE_MAX_N];
    struct slice owner, note;
    enum err e = done->err;

    log_others(op, found);
    (void)snprintf(text, sizeof text, "cancelled by the initiator %.*s", SLICE_FMT(op->s->push->initiator));
    if (!e && (arena_dup(mem, found->initiator, &owner) || arena_dup(mem, slice_str(text), &note)))
        e = ERR_NOMEM;
    ppg_push_drop(found);
    if (e) {
        answered(op, e);
        forget(op);
    } else {
        cancel_begin(op, owner, note);
    }
}

static void cancel(struct operation *op)
{
    enum pap_code code = take_query(op, &op->s->message.cancel);

    if (code == PAP_CODE_OK)
        cancel_begin(op, op->s->push->initiator, SLICE("cancelled by the initiator"));
    else
        ended(op, code);
}

/* --- status --- */

static struct ppg_row status_row(struct slice address, const struct store_show_target *t)
{
    struct ppg_row row;

    if (!ppg_stage_final(t->stage))
        return ppg_row_of(address, ppg_stage_state(t->stage), PAP_CODE_ACCEPTED);
    row = ppg_row_of(address, ppg_stage_state(t->stage), (enum pap_code)t->code);
    row.verdict.event_s = t->event_ms / 1000;
    return row;
}

/* [PAP §8.6]: a group is one address; its members are nobody's business. */
static enum err status_all(struct operation *op, struct ppg_row *rows)
{
    const struct store_show *show = &op->as.show;
    size_t n = 0;

    for (size_t i = 0; i < show->targets_n; i++)
        if (!show->targets[i].group_id)
            rows[n++] = status_row(show->targets[i].address, &show->targets[i]);
    return ppg_results_group(&op->s->push->mem, rows, n, &op->results);
}

static enum err status_listed(struct operation *op, struct ppg_row *rows)
{
    const struct store_show *show = &op->as.show;
    const struct store_show_target **found =
        arena_array(&op->s->push->mem, op->keys_n, sizeof(const struct store_show_target *));

    if (!found)
        return ERR_NOMEM;
    for (size_t i = 0; i < show->targets_n; i++) {
        size_t at = show->targets[i].group_id ? SIZE_MAX : place_of(op, show->targets[i].key);

        if (at != SIZE_MAX)
            found[at] = &show->targets[i];
    }
    for (size_t i = 0; i < op->addrs->n; i++) {
        struct slice address = op->addrs->v[i];

        if (!op->at[i])
            rows[i] = ppg_row_of(address, PAP_STATE_UNKNOWN, PAP_CODE_ADDRESS_ERROR);
        else if (!found[op->at[i] - 1])
            rows[i] = ppg_row_of(address, PAP_STATE_UNKNOWN, PAP_CODE_ADDRESS_NOT_FOUND);
        else
            rows[i] = status_row(address, found[op->at[i] - 1]);
    }
    return ppg_results_group(&op->s->push->mem, rows, op->addrs->n, &op->results);
}

static void add_qos(struct operation *op)
{
    const struct ppg_push *p = op->as.show.push;
    struct pap_qos qos = ppg_reply_qos(p->flags, p->priority, p->method, p->network, p->bearer);

    for (size_t i = 0; i < op->results.n; i++)
        if (op->results.v[i].state != PAP_STATE_UNKNOWN)
            op->results.v[i].qos = qos;
}

static void shown(struct store_op *done)
{
    struct operation *op = done->arg;
    struct ppg_submission *s = op->s;
    const struct store_show *show = &op->as.show;
    enum err result = done->err;
    size_t rows_n = op->addrs->n ? op->addrs->n : show->targets_n;
    struct ppg_row *rows = result ? NULL : arena_array(&s->push->mem, rows_n, sizeof *rows);

    if (result == ERR_ABSENT && try_others(op, SEC_STATUS, s->message.status.push_id, shown))
        return;
    log_others(op, show->push);
    if (!result)
        result = !rows ? ERR_NOMEM : op->addrs->n ? status_listed(op, rows) : status_all(op, rows);
    if (!result)
        add_qos(op);
    answered(op, result);
    ppg_push_drop(show->push);
    forget(op);
}

static void status(struct operation *op)
{
    struct ppg_submission *s = op->s;
    enum pap_code code = take_query(op, &s->message.status);

    if (code != PAP_CODE_OK) {
        ended(op, code);
        return;
    }
    op->as.show = (struct store_show){
        .initiator = s->push->initiator, .push_id = s->message.status.push_id, .brief = true};
    op->as.show.op = (struct store_op){.kind = STORE_SHOW, .done = shown, .arg = op};
    ppg_core_submit(s->core, &op->as.show.op);
}

/* --- capabilities --- */

/* A terminal that this initiator may not push to is not described to it either. */
static enum pap_code may_reach(struct ppg_submission *s, struct slice key, struct slice app_id)
{
    struct sec_whitelist_query q = {.initiator = s->push->initiator,
                                    .recipient = key,
                                    .application = app_id.n ? app_id : SLICE(OTA_APP_DEFAULT),
                                    .uri = ppg_entity_own_uri(s->account),
                                    .at_s = s->outcome.received_ms / 1000};
    struct sec_whitelist_verdict v;

    sec_whitelist_decide(ppg_config_whitelist(s->core->config), &q, &v);
    if (v.allow)
        return PAP_CODE_OK;
    LOG(s->core->shared->log, LOG_WARN, "whitelist.denied", LOG_S("initiator", s->push->initiator),
        LOG_A("to", key), LOG_C("why", v.reason), LOG_C("file", v.file), LOG_I("line", v.line));
    return ppg_refuse(s, PAP_CODE_FORBIDDEN, "this initiator may not push to that recipient");
}

static enum pap_code capabilities_of(struct ppg_submission *s, struct buf *rdf)
{
    const struct pap_ccq *m = &s->message.ccq;
    struct slice key, app_id = m->app_id;
    int32_t number;
    enum pap_code code = ppg_recipient_key(s, s->outcome.address, &key);

    if (code != PAP_CODE_ACCEPTED)
        return code;
    if (app_id.n && ota_app_id_parse(app_id, &app_id, &number))
        return ppg_refuse(s, PAP_CODE_BAD_REQUEST, "app-id is malformed");
    code = may_reach(s, key, app_id);
    return code == PAP_CODE_OK ? ppg_capabilities_answer(s->core, key, app_id, rdf) : code;
}

static void capabilities(struct operation *op)
{
    struct ppg_submission *s = op->s;
    enum pap_code code;
    struct buf rdf;

    s->outcome.query_id = s->message.ccq.query_id;
    s->outcome.address = s->message.ccq.addrs.v[0];
    buf_init(&rdf, RDF_MAX_N);
    code = capabilities_of(s, &rdf);
    if (code == PAP_CODE_OK)
        s->outcome.rdf = buf_slice(&rdf);
    ended(op, code);
    buf_clear(&rdf);
}

void ppg_operation(struct ppg_submission *s)
{
    struct operation *op = arena_alloc(&s->push->mem, sizeof *op);

    if (!op) {
        s->outcome.code = PAP_CODE_INTERNAL_ERROR;
        ppg_submission_reply(s);
        ppg_submission_free(s);
        return;
    }
    op->s = s;
    if (s->message.kind == PAP_KIND_CANCEL_MESSAGE) {
        cancel(op);
    } else if (s->message.kind == PAP_KIND_STATUSQUERY_MESSAGE) {
        status(op);
    } else if (s->message.kind == PAP_KIND_CCQ_MESSAGE) {
        capabilities(op);
    } else {
        s->outcome.kind = PAP_KIND_NONE;
        ended(op, ppg_refuse(s, PAP_CODE_BAD_REQUEST, "not a request of a push initiator"));
    }
}
