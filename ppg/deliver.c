/* Attempts; see deliver.h.  The table at the top is the whole mapping from what a bearer reports to the state
 * table; the bearer has chosen the PAP code ([PAP §6, §7]).  Runs on the core's loop. */
#include "ppg/deliver.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "base/net/uri.h"
#include "pap/address.h"
#include "ppg/item.h"
#include "ppg/protect.h"
#include "ppg/route.h"
#include "ppg/schedule.h"
#include "ppg/doors/verify.h"
#include "ppg/doors/wake.h"
#include "security/gba/naf_sa.h"

#define HEAD_MAX_N        65536u
#define BUSY_TRIES_MAX    3u /* [OTA-HTTP status table]: lack of resources */
#define URL_MAX_N         2048u
#define DEVICE_N          (PAP_ADDRESS_MAX_N + 1) /* octets of a device's name, NUL included */
#define KEEP_N            16384u                  /* octets a recycled attempt keeps */
#define PROTECTION_TEXT_N (SEC_POLICY_TEXT_N + 48)

static const struct {
    enum ppg_event event;
    bool unreachable; /* the terminal is the trouble, not this push */
} outcomes[] = {
    [OTA_DELIVERED] = {EV_OK, false},
    [OTA_ABORTED] = {EV_ABORT, false},
    [OTA_UNDELIVERABLE] = {EV_FAIL, false},
    [OTA_BUSY] = {EV_RETRY, true}, /* nor may younger pushes overtake */
    [OTA_RETRY] = {EV_RETRY, true},
    [OTA_AMBIGUOUS] = {EV_RETRY, true},
    [OTA_UNSUITED] = {EV_FAIL, false},
};

struct attempt {
    struct ppg_deliver *deliver;
    struct ppg_target *target;
    struct ota_registry *registry; /* held: the terminal lives in it */
    struct ppg_route route;
    unsigned tried;        /* bearers that did not get through in this attempt, a bit each by place */
    struct buf made;       /* the content in another form */
    bool form_tried;       /* another form was thought of: not twice */
    unsigned associations; /* that the terminal could not use */
    char device[DEVICE_N]; /* the one of several that is meant; "": any */
    bool vouched;          /* this form has its token, or needs none */
    char token[SEC_VERIFY_TOKEN_N];
    struct ppg_protected message;
    struct ppg_protect_wait wait;
    struct ota_job job;
    int64_t began_ms;       /* UTC */
    struct store_move note; /* unconfirmed: noted before it is sent */
    struct attempt *next_free;
};

struct ppg_deliver {
    struct ppg_core *core;
    struct attempt *free_attempts;
    size_t under_way;
};

/* --- an attempt --- */

static struct attempt *attempt_new(struct ppg_deliver *d, struct ppg_target *t)
{
    struct attempt *a = d->free_attempts;

    if (a) {
        d->free_attempts = a->next_free;
    } else {
        a = calloc(1, sizeof *a);
        if (!a)
            return NULL;
        buf_init(&a->message.head, HEAD_MAX_N);
        buf_init(&a->message.sealed, SIZE_MAX / 2);
        buf_init(&a->made, PPG_CONTENT_MADE_MAX_N);
    }
    a->deliver = d;
    a->target = t;
    t->attempt = a;
    a->began_ms = ppg_core_utc_ms(d->core);
    a->registry = ota_registry_hold(ppg_config_registry(d->core->config));
    a->message.body = SLICE_NONE;
    a->message.sn = 0;
    a->message.type = SLICE_NONE;
    a->message.gpi_n = 0;
    a->message.bootstrapped = false;
    a->route = (struct ppg_route){.content = ppg_content_plain(t->push)};
    a->form_tried = false;
    a->associations = 0;
    a->tried = 0;
    a->vouched = false;
    a->device[0] = '\0';
    a->job = (struct ota_job){.push_id = t->push->push_id};
    d->under_way++;
    return a;
}

static void attempt_free(struct attempt *a)
{
    struct ppg_deliver *d = a->deliver;

    ota_registry_drop(&a->registry);
    buf_reset(&a->message.head, KEEP_N);
    buf_reset(&a->message.sealed, KEEP_N);
    buf_reset(&a->made, KEEP_N);
    a->next_free = d->free_attempts;
    d->free_attempts = a;
    d->under_way--;
}

/* The decision, and what a bootstrapped association adds to it. */
static void protection_text(const struct attempt *a, char text[PROTECTION_TEXT_N])
{
    int n;

    sec_policy_text(&a->route.decision, text);
    n = (int)strlen(text);
    if (a->message.bootstrapped && a->message.gpi_n)
        (void)snprintf(text + n, (size_t)(PROTECTION_TEXT_N - n), " association=brought gpi=%zu",
                       a->message.gpi_n);
    else if (a->message.bootstrapped)
        (void)snprintf(text + n, (size_t)(PROTECTION_TEXT_N - n), " association=bootstrapped");
}

/* What is kept of an attempt; it lives as long as protection[] and the note. */
static struct store_record record_of(const struct attempt *a, struct slice note,
                                     char protection[PROTECTION_TEXT_N])
{
    protection[0] = '\0';
    if (a->route.decision.why)
        protection_text(a, protection);
    return (struct store_record){.bearer = a->route.bearer ? slice_str(a->route.bearer->name) : SLICE_NONE,
                                 .protection = slice_str(protection),
                                 .note = note,
                                 .began_ms = a->began_ms,
                                 .wire_n = a->job.result.wire_n,
                                 .pause_ms = a->job.result.retry_after_ms};
}

static void ended(struct attempt *a, enum ppg_event ev, unsigned code, bool unreachable, struct slice note)
{
    char protection[PROTECTION_TEXT_N];
    struct store_record record = record_of(a, note, protection);

    ppg_schedule_ended(a->deliver->core->schedule, a->target, ev, code, unreachable, &record);
    attempt_free(a);
}

/* The terminal fetches it.  told: it has just been told where. */
static void parked(struct attempt *a, bool told)
{
    char protection[SEC_POLICY_TEXT_N];
    struct store_record record = {.bearer = slice_str(a->route.bearer->name),
                                  .note =
                                      told ? SLICE("told where to fetch it") : SLICE("waits to be fetched"),
                                  .began_ms = told ? a->began_ms : 0,
                                  .wire_n = a->job.result.wire_n};

    sec_policy_text(&a->route.decision, protection);
    record.protection = slice_str(protection);
    ppg_schedule_parked(a->deliver->core->schedule, a->target, &record);
    attempt_free(a);
}

static void seal_and_send(void *arg);

static void start_again(struct attempt *a)
{
    a->vouched = false;
    a->message.body = SLICE_NONE;
    a->message.sn = 0;
    a->message.type = SLICE_NONE;
    a->message.gpi_n = 0;
    a->message.bootstrapped = false;
    buf_reset(&a->message.head, KEEP_N);
    buf_reset(&a->message.sealed, KEEP_N);
    a->job = (struct ota_job){.push_id = a->target->push->push_id};
    seal_and_send(a);
}

static void send_again(struct attempt *a, const struct ppg_content *content)
{
    a->route.content = *content;
    LOG(a->deliver->core->shared->log, LOG_INFO, "deliver.form", LOG_S("push_id", a->target->push->push_id),
        LOG_A("to", a->target->key), LOG_S("type", content->type));
    start_again(a);
}

/* A terminal that is known only now to want another form gets it, once in an attempt; where there is none the result
 * says why.  True: sent again. */
static bool suited(struct attempt *a)
{
    const struct ppg_core *c = a->deliver->core;
    struct ota_result *r = &a->job.result;
    struct ppg_content content;
    const char *why;
    bool other = false;

    if (a->form_tried || a->route.indirect)
        return false;
    if (r->outcome == OTA_UNSUITED) {
        unsigned code = ppg_route_form(c, &a->route, a->target->push, &a->made, &content, &why);

        other = code == PAP_CODE_OK && content.transformed != a->route.content.transformed;
        if (code != PAP_CODE_OK) {
            r->code = code;
            (void)snprintf(r->note, sizeof r->note, "%s", why);
        }
    } else if (r->outcome == OTA_ABORTED && r->code == PAP_CODE_CLIENT_USERDCU &&
               !a->route.content.transformed) {
        other = ppg_route_other_form(c, &a->route, a->target->push, &a->made, &content);
    }
    a->form_tried = true;
    if (other)
        send_again(a, &content);
    return other;
}

/* What a route is chosen by, for the push of this attempt. */
static struct ppg_route_ask ask_of(struct attempt *a)
{
    const struct ppg_target *t = a->target;

    return (struct ppg_route_ask){.key = t->key,
                                  .device = slice_str(a->device),
                                  .asked = t->push->asked,
                                  .demanded = t->demanded,
                                  .push = t->push,
                                  .made = &a->made,
                                  .tried = a->tried,
                                  .home = true};
}

/* Nothing was taken, and there is another way: on in the same attempt.  True: sent again. */
static bool rerouted(struct attempt *a)
{
    struct ppg_core *c = a->deliver->core;
    const struct ppg_target *t = a->target;
    struct ppg_route_ask ask = ask_of(a);
    struct ppg_route next;

    ask.tried |= 1u << a->route.bearer_at;
    if (a->job.result.outcome != OTA_RETRY || a->route.indirect ||
        !ppg_route_next(c, a->registry, &ask, &next))
        return false;
    LOG(c->shared->log, LOG_INFO, "deliver.reroute", LOG_S("push_id", t->push->push_id), LOG_A("to", t->key),
        LOG_C("bearer", a->route.bearer->name), LOG_C("next", next.bearer->name),
        LOG_C("why", a->job.result.note));
    a->tried = ask.tried;
    a->route = next;
    start_again(a);
    return true;
}

/* A word that anybody on the way could have written shows nothing. */
static bool proves(const struct attempt *a)
{
    return ppg_core_settings(a->deliver->core)->protection.confirmation == PPG_CONFIRM_DELIVERY &&
           a->route.bearer->caps(a->route.terminal).auth_int;
}

static enum err tell_where(struct attempt *a);

/* The bearer has found that it is too large to go this way: the terminal is told where to fetch it.  True: sent again. */
static bool indirected(struct attempt *a)
{
    struct ppg_core *c = a->deliver->core;
    const struct ppg_target *t = a->target;
    const struct ppg_route_ask ask = ask_of(a);

    if (!a->job.result.large || a->job.result.outcome != OTA_UNDELIVERABLE || a->route.indirect ||
        !ppg_route_indirect(c, a->registry, &ask, &a->route) || tell_where(a))
        return false;
    LOG(c->shared->log, LOG_INFO, "deliver.indirect", LOG_S("push_id", t->push->push_id), LOG_A("to", t->key),
        LOG_C("bearer", a->route.bearer->name), LOG_C("why", a->job.result.note));
    start_again(a);
    return true;
}

/* What the terminal says of a bootstrapped association.  One that it cannot use gives way to another, and the push goes out
 * again at once, so often in an attempt; after that it waits.  True: sent again. */
static bool associated(struct attempt *a)
{
    struct ppg_protect *p = a->deliver->core->protect;
    struct ota_result *r = &a->job.result;
    bool again;

    if (r->taken && proves(a))
        ppg_protect_taken(p, a->route.terminal, &a->message);
    if (r->taken && r->association.word != OTA_SA_CONFIRMED)
        return false;
    again = ppg_protect_answered(p, a->route.terminal, &a->message, &r->association);
    if (!again || r->outcome != OTA_ABORTED)
        return false;
    if (++a->associations >= SEC_NAF_SA_TRIES) {
        r->outcome = OTA_RETRY;
        return false;
    }
    LOG(a->deliver->core->shared->log, LOG_INFO, "deliver.associate",
        LOG_S("push_id", a->target->push->push_id), LOG_A("to", a->target->key),
        LOG_I("try", a->associations));
    start_again(a);
    return true;
}

/* Lack of resources is tried again at most three times, then it is the terminal's answer; other failures in between do
 * not count. */
static void answered(struct ota_job *job, enum err why, void *arg)
{
    struct attempt *a = arg;
    const struct ota_result *r = &job->result;
    enum ppg_event ev;

    (void)why; /* the result says it in the words of the field */
    if (associated(a) || suited(a) || rerouted(a) || indirected(a))
        return;
    ev = outcomes[r->outcome].event;
    if (ev == EV_RETRY)
        a->target->by_call = a->route.terminal->call_in.calls != OTA_CALLS_NO ||
                             a->route.terminal->registers != OTA_CALLS_NO || a->route.terminal->inbox;
    if (ev == EV_RETRY && outcomes[r->outcome].unreachable)
        ppg_wake(a->deliver->core->wake, a->target->key, a->target->push->app_id);
    if (r->outcome == OTA_BUSY && ++a->target->busy > BUSY_TRIES_MAX)
        ev = EV_ABORT;
    LOG(a->deliver->core->shared->log, LOG_INFO, "deliver.done", LOG_S("push_id", a->target->push->push_id),
        LOG_A("to", a->target->key), LOG_C("bearer", a->route.bearer->name), LOG_I("try", a->target->tries),
        LOG_C("result", ppg_event_name(ev)), LOG_I("code", r->code), LOG_I("sn", a->message.sn),
        LOG_I("gpi", a->message.gpi_n), LOG_C("note", r->note));
    if (ev == EV_OK && a->route.indirect)
        parked(a, true);
    else
        ended(a, ev, ev == EV_OK ? PAP_CODE_OK : r->code, outcomes[r->outcome].unreachable,
              slice_str(r->note));
}

/* Nothing was sent: an unconfirmed push keeps its one attempt. */
static void not_begun(struct attempt *a, struct slice note)
{
    if (a->target->push->method == PPG_METHOD_UNCONFIRMED)
        a->target->tries--;
    ended(a, EV_RETRY, PAP_CODE_SERVICE_UNAVAILABLE, false, note);
}

static void send_job(struct attempt *a)
{
    const struct ppg_push *push = a->target->push;
    void *self = a->deliver->core->bearer_self[a->route.bearer_at];
    enum err e;

    if (!self) {
        not_begun(a, SLICE("the bearer is closed"));
        return;
    }
    a->job.terminal = a->route.terminal;
    a->job.message_head = buf_slice(&a->message.head);
    a->job.body = a->message.body;
    a->job.content_type = a->route.content.type;
    a->job.mac = a->route.decision.mac;
    a->job.authenticated = push->flags & PPG_AUTHENTICATED;
    a->job.trusted = push->flags & PPG_TRUSTED;
    a->job.confirmed = push->method == PPG_METHOD_CONFIRMED;
    a->job.unconfirmed = push->method == PPG_METHOD_UNCONFIRMED;
    a->job.device = slice_str(a->device);
    a->job.priority = push->priority;
    a->job.expires_ms = push->expires_ms;
    e = a->route.bearer->send(self, &a->job, answered, a);
    if (e)
        not_begun(a, slice_str(err_text(e)));
}

static void protect_failed(struct attempt *a, enum err e)
{
    if (e == ERR_NOMEM || e == ERR_IO) {
        ended(a, EV_RETRY, PAP_CODE_SERVICE_UNAVAILABLE, false, slice_str(err_text(e)));
        return;
    }
    LOG(a->deliver->core->shared->log, LOG_WARN, "protect.refused",
        LOG_S("push_id", a->target->push->push_id), LOG_A("to", a->target->key), LOG_C("error", err_name(e)));
    ended(a, EV_FAIL, PAP_CODE_CAPABILITIES_MISMATCH, false, SLICE("association cannot protect this push"));
}

/* A push that asks the terminal to connect brings a token, or is not sent. */
static enum err vouch(struct attempt *a)
{
    enum err e =
        a->vouched ? ERR_ABSENT : ppg_verify_token(a->deliver->core, a->target, &a->route.content, a->token);

    if (!e)
        a->route.content.verify = slice_of(a->token, sizeof a->token);
    a->vouched = !e || e == ERR_ABSENT;
    return a->vouched ? ERR_OK : e;
}

static void seal_and_send(void *arg)
{
    struct attempt *a = arg;
    enum err e;

    if (vouch(a)) {
        not_begun(a, SLICE("no token to verify it by"));
        return;
    }
    e = ppg_protect(a->deliver->core->protect, a->target, &a->route.content, a->route.terminal,
                    &a->route.decision, &a->wait, &a->message);

    if (e == ERR_AGAIN)
        return; /* numbers are being reserved; we are called again */
    if (e)
        protect_failed(a, e);
    else
        send_job(a);
}

/* An unconfirmed push is attempted once: the attempt is on disk before the terminal sees an octet. */
static void noted(struct store_op *op)
{
    struct attempt *a = op->arg;

    if (op->err)
        not_begun(a, SLICE("the attempt could not be noted"));
    else
        seal_and_send(a);
}

static void note_first(struct attempt *a)
{
    a->note = (struct store_move){
        .target_id = a->target->id, .due_ms = a->target->due_ms, .tries = a->target->tries, .keep = true};
    a->note.op.kind = STORE_MOVE;
    a->note.op.done = noted;
    a->note.op.arg = a;
    ppg_core_submit(a->deliver->core, &a->note.op);
}

/* In place of the content, which is in the form that would be fetched.  [CPM: indirect content] */
static enum err tell_where(struct attempt *a)
{
    const struct ppg_core *c = a->deliver->core;
    struct ppg_content_place at;
    char id[PPG_ITEM_ID_N];
    struct net_uri uri;
    struct buf url;
    enum err e = ppg_content_place(a->target->push, &a->route.content, &at);

    ppg_item_print(store_name(c->shared->store), a->target->id, id);
    buf_init(&url, URL_MAX_N);
    buf_addf(&url, "%s/inbox/%s", ppg_core_settings(c)->inbox.url, id);
    if (!e)
        e = buf_err(&url) ? buf_err(&url) : net_uri_parse(buf_slice(&url), &uri);
    if (!e) {
        at.id = slice_str(id);
        at.url = buf_slice(&url);
        at.host = uri.host;
        buf_reset(&a->made, KEEP_N);
        e = ppg_content_notice(&at, &a->made, &a->route.content);
    }
    buf_clear(&url);
    return e;
}

/* The address of the initiator may name one device of several. */
static enum err find_device(struct attempt *a)
{
    struct slice address = a->target->address;
    struct buf text;
    enum err e;

    if (!pap_address_may_name_device(address))
        return ERR_OK;
    buf_init(&text, DEVICE_N - 1);
    e = pap_address_device(address, ppg_core_settings(a->deliver->core)->pap.strict, &text);
    if (!e)
        e = mem_cstr(a->device, sizeof a->device, buf_slice(&text));
    buf_clear(&text);
    return e == ERR_ABSENT ? ERR_OK : e;
}

void ppg_deliver_start(struct ppg_deliver *d, struct ppg_target *t)
{
    struct attempt *a = attempt_new(d, t);
    struct store_record none = {.note = SLICE("memory")};
    struct ppg_route_ask ask;
    char why[PPG_ROUTE_WHY_N];
    unsigned code;
    enum err e;

    if (!a) {
        ppg_schedule_ended(d->core->schedule, t, EV_RETRY, PAP_CODE_SERVICE_UNAVAILABLE, false, &none);
        return;
    }
    e = find_device(a);
    if (e) {
        not_begun(a, slice_str(err_text(e)));
        return;
    }
    ask = ask_of(a);
    code = ppg_route_find(d->core, a->registry, &ask, &a->route);
    a->wait = (struct ppg_protect_wait){.fn = seal_and_send, .arg = a};
    if (code == PAP_CODE_OK && a->route.indirect && tell_where(a))
        code = PAP_CODE_INTERNAL_ERROR;
    if (code == PAP_CODE_INTERNAL_ERROR) {
        not_begun(a, a->route.why && a->route.why[0] ? slice_str(a->route.why) : SLICE("out of memory"));
    } else if (code != PAP_CODE_OK) {
        ppg_route_why(&a->route, why);
        ended(a, EV_FAIL, code, false, slice_str(why));
    } else if (a->route.bearer->fetched) {
        parked(a, false);
    } else if (ppg_route_absent(d->core, &a->route)) {
        ppg_wake(d->core->wake, t->key, t->push->app_id);
        attempt_free(a);
        ppg_schedule_absent(d->core->schedule, t);
    } else if (t->push->method == PPG_METHOD_UNCONFIRMED) {
        note_first(a);
    } else {
        seal_and_send(a);
    }
}

bool ppg_deliver_withdraw(struct ppg_deliver *d, struct ppg_target *t)
{
    struct attempt *a = t->attempt;
    char protection[PROTECTION_TEXT_N];
    struct store_record record;

    /* With no bearer yet it waits for numbers, a key or the store, which come back to it. */
    if (!a->job.attempt || !a->route.bearer->withdraw ||
        !a->route.bearer->withdraw(d->core->bearer_self[a->route.bearer_at], &a->job))
        return false;
    LOG(d->core->shared->log, LOG_INFO, "deliver.withdrawn", LOG_S("push_id", t->push->push_id),
        LOG_A("to", t->key), LOG_C("bearer", a->route.bearer->name), LOG_I("try", t->tries));
    record = record_of(a, SLICE("withdrawn before the terminal took it"), protection);
    ppg_schedule_withdrawn(d->core->schedule, t, &record);
    attempt_free(a);
    return true;
}

/* --- life --- */

enum err ppg_deliver_create(struct ppg_core *c, struct ppg_deliver **out)
{
    struct ppg_deliver *d = calloc(1, sizeof *d);

    if (!d)
        return ERR_NOMEM;
    d->core = c;
    *out = d;
    return ERR_OK;
}

void ppg_deliver_free(struct ppg_deliver **dp)
{
    struct ppg_deliver *d = *dp;

    if (!d)
        return;
    MUST(d->under_way == 0);
    while (d->free_attempts) {
        struct attempt *a = d->free_attempts;

        d->free_attempts = a->next_free;
        buf_clear(&a->message.head);
        buf_clear(&a->message.sealed);
        buf_clear(&a->made);
        free(a);
    }
    free(d);
    *dp = NULL;
}
