/* Attempts; see deliver.h.  The table at the top is the whole mapping from what a bearer reports to the state
 * table; the bearer has chosen the PAP code ([PAP §6, §7]).  Runs on the core's loop. */
#include "ppg/deliver.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "base/net/uri.h"
#include "pap/address.h"
#include "ppg/capabilities.h"
#include "ppg/content.h"
#include "ppg/item.h"
#include "ppg/protect.h"
#include "ppg/schedule.h"
#include "ppg/verify.h"
#include "ppg/wake.h"
#include "security/naf_sa.h"

#define HEAD_MAX_N        65536u
#define BUSY_TRIES_MAX    3u /* [OTA-HTTP status table]: lack of resources */
#define URL_MAX_N         2048u
#define DEVICE_N          (PAP_ADDRESS_MAX_N + 1) /* octets of a device's name, NUL included */
#define KEEP_N            16384u                  /* octets a recycled attempt keeps */
#define PROTECTION_TEXT_N (SEC_POLICY_TEXT_N + 48)
#define PROFILE_N         1024u /* octets of a usual profile, and the most of two */
#define PROFILES_MAX_N    ((size_t)4 * OTA_PROFILE_MAX_N)

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
    const struct ota_terminal *terminal;
    const struct ota_bearer *bearer;
    size_t bearer_at;
    unsigned tried; /* bearers that did not get through in this attempt, a bit each by place */
    struct sec_policy_out decision;
    struct ppg_content content;
    struct buf made;       /* the content in another form */
    bool form_tried;       /* another form was thought of: not twice */
    unsigned associations; /* that the terminal could not use */
    bool indirect;         /* the terminal is told where to fetch it */
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

/* --- what an attempt needs to know --- */

struct route {
    const struct ota_terminal *terminal;
    const struct ota_bearer *bearer;
    size_t bearer_at;
    struct sec_policy_out decision;
    const char *why; /* static; NULL: the decision says it */
    unsigned tried;  /* in: bearers that are not asked any more, a bit each by place */
    bool device;     /* in: one of several is meant */
    bool home;       /* in: this loop owns the terminal, so it is known who is absent */
};

/* Place of the first bearer from `at` on that reaches the terminal; bearers_n when none does.  fetched: of those it fetches over. */
static size_t bearer_from(const struct ppg_core *c, const struct ota_terminal *t, bool fetched,
                          const struct route *r, size_t at)
{
    while (at < c->bearers_n &&
           (r->tried >> at & 1 || !c->bearers[at]->reaches(t) || (fetched && !c->bearers[at]->fetched) ||
            (r->device && !c->bearers[at]->devices)))
        at++;
    return at;
}

/* Could the terminal be reached over it only if it came by itself, and has not? */
static bool away(const struct ppg_core *c, const struct ota_terminal *t, const struct route *r, size_t at)
{
    return r->home && c->bearers[at]->absent && c->bearer_self[at] &&
           c->bearers[at]->absent(c->bearer_self[at], t);
}

void ppg_deliver_decide(const struct ppg_core *c, const struct ota_bearer *bearer,
                        const struct ota_terminal *terminal, uint8_t asked, uint8_t demanded, bool xml,
                        struct sec_policy_out *out)
{
    const struct ppg_settings *set = ppg_core_settings(c);
    struct sec_policy_in in = {
        .asked = (enum sec_level)asked,
        .demanded = (enum sec_level)demanded,
        .floor = set->protection.floor,
        .ceiling = set->protection.ceiling,
        .caps = bearer->caps(terminal),
        .sa = ppg_protect_possible(c, terminal, false),
        .message = set->protection.message,
        .mac = sec_mac_keys_any(&terminal->mac.keys),
        .xml = xml && sec_xml_keys_any(&terminal->xml.keys),
    };

    sec_policy_decide(&in, out);
}

/* PAP_CODE_OK and *r filled, or the code that refuses to go this way. */
static unsigned route_by(const struct ppg_core *c, const struct ppg_deliver_ask *ask, size_t at,
                         struct route *r)
{
    r->why = "";
    r->bearer_at = at;
    r->bearer = c->bearers[at];
    if (ask->push->method == PPG_METHOD_CONFIRMED && !r->bearer->confirms) { /* [PAP §5.3] */
        r->why = "nothing confirms delivery on the way to the terminal";
        return PAP_CODE_METHOD_NOT_POSSIBLE;
    }
    if (ask->push->body.n > r->bearer->body_max_n) {
        r->why = "content is larger than the bearer carries";
        return PAP_CODE_CAPABILITIES_NOT_SUPPORTED;
    }
    ppg_deliver_decide(c, r->bearer, r->terminal, ask->asked, ask->demanded,
                       ota_type_is_xml(ask->push->content_type), &r->decision);
    if (r->decision.refusal != SEC_POLICY_OK) {
        r->why = NULL;
        return PAP_CODE_CAPABILITIES_MISMATCH;
    }
    if (r->decision.seal_encrypts && !ppg_protect_possible(c, r->terminal, true)) {
        r->why = "the terminal's association does not encrypt";
        return PAP_CODE_CAPABILITIES_MISMATCH;
    }
    return PAP_CODE_OK;
}

/* The first way that is open and does, among several to push; else the first of all, with what is wrong with it.  One rule for
 * submissions and attempts. */
static unsigned route_find(const struct ppg_core *c, const struct ota_registry *registry,
                           const struct ppg_deliver_ask *ask, bool fetched, struct route *r)
{
    size_t first;

    r->terminal = ota_registry_find(registry, ask->key);
    r->why = "no such terminal";
    if (!r->terminal)
        return PAP_CODE_ADDRESS_ERROR;
    first = bearer_from(c, r->terminal, fetched, r, 0);
    r->device = ask->device.n != 0;
    r->why = r->device ? "no bearer reaches one device of the terminal" : "no bearer reaches the terminal";
    if (first == c->bearers_n)
        return PAP_CODE_SERVICE_FAILURE;
    for (size_t at = first; at < c->bearers_n; at = bearer_from(c, r->terminal, fetched, r, at + 1))
        if (!away(c, r->terminal, r, at) && (at == first || !c->bearers[at]->fetched) &&
            route_by(c, ask, at, r) == PAP_CODE_OK)
            return PAP_CODE_OK;
    return route_by(c, ask, first, r);
}

static void route_why(const struct route *r, char why[PPG_DELIVER_WHY_N])
{
    if (r->why)
        (void)snprintf(why, PPG_DELIVER_WHY_N, "%s", r->why);
    else
        sec_policy_text(&r->decision, why);
}

/* The form that the terminal takes, as far as it is known what it takes; *why: static text. */
static unsigned suit(const struct ppg_core *c, const struct ota_terminal *t, const struct ota_bearer *bearer,
                     const struct ppg_push *push, struct buf *made, struct ppg_content *out, const char **why)
{
    unsigned code = PAP_CODE_OK;
    struct ota_profile profile;
    struct arena mem;

    arena_init(&mem, PROFILE_N, PROFILES_MAX_N);
    if (ppg_capabilities_known(c, t, &mem, &profile)) {
        code = PAP_CODE_INTERNAL_ERROR;
        *why = "out of memory";
    } else if (profile.known || bearer->narrow) {
        if (bearer->fetched)
            profile.size_max = 0; /* it fetches in parts what is larger */
        code = ppg_content_choose(push, &profile, bearer->narrow, made, out, why);
    } else {
        *out = ppg_content_plain(push);
    }
    arena_clear(&mem);
    return code;
}

/* The terminal refused the form it got: is there another? */
static bool other_form(const struct ppg_core *c, const struct ota_terminal *t, const struct ppg_push *push,
                       struct buf *made, struct ppg_content *out)
{
    struct ota_profile profile;
    struct arena mem;
    bool is;

    arena_init(&mem, PROFILE_N, PROFILES_MAX_N);
    is = !ppg_capabilities_known(c, t, &mem, &profile) && ppg_content_other(push, &profile, made, out);
    arena_clear(&mem);
    return is;
}

static unsigned plan_by(const struct ppg_core *c, const struct ota_registry *registry,
                        const struct ppg_deliver_ask *ask, bool fetched, struct route *r,
                        struct ppg_content *out)
{
    unsigned code = route_find(c, registry, ask, fetched, r);

    return code == PAP_CODE_OK ? suit(c, r->terminal, r->bearer, ask->push, ask->made, out, &r->why) : code;
}

unsigned ppg_deliver_fetch(struct ppg_core *c, const struct ota_registry *registry,
                           const struct ppg_deliver_ask *ask, struct ppg_deliver_fetch *out,
                           char why[PPG_DELIVER_WHY_N])
{
    struct route r = {.why = ""};
    struct ppg_content content;
    unsigned code = plan_by(c, registry, ask, true, &r, &content);

    why[0] = '\0';
    if (code != PAP_CODE_OK)
        route_why(&r, why);
    else
        *out = (struct ppg_deliver_fetch){r.terminal, r.decision, content};
    return code;
}

/* Is its content something to be fetched, although there is a way to push? */
static bool too_large(const struct ppg_core *c, const struct ppg_push *push, unsigned code)
{
    size_t above_n = ppg_core_settings(c)->inbox.indirect_above_n;

    return code == PAP_CODE_CAPABILITIES_NOT_SUPPORTED ||
           (code == PAP_CODE_OK && above_n && push->body.n > above_n);
}

/* Could the terminal be told over *r where it lies, and fetch it?  The notice is protected as its content would be. */
static bool fetchable(const struct ppg_core *c, const struct ota_registry *registry,
                      const struct ppg_deliver_ask *ask, struct route *r, struct ppg_content *out)
{
    struct route fetch = {.why = ""};

    if (!r->bearer || r->bearer->fetched || !r->terminal->inbox || !ppg_core_settings(c)->inbox.url[0] ||
        plan_by(c, registry, ask, true, &fetch, out) != PAP_CODE_OK)
        return false;
    ppg_deliver_decide(c, r->bearer, r->terminal, ask->asked, ask->demanded,
                       ota_type_is_xml(ask->push->content_type), &r->decision);
    return r->decision.refusal == SEC_POLICY_OK;
}

/* How it goes, and in which form.  *indirect: the terminal is told where to fetch it, over *r. */
static unsigned plan(const struct ppg_core *c, const struct ota_registry *registry,
                     const struct ppg_deliver_ask *ask, struct route *r, struct ppg_content *out,
                     bool *indirect)
{
    unsigned code = plan_by(c, registry, ask, false, r, out);
    struct ppg_content content;

    *indirect = too_large(c, ask->push, code) && fetchable(c, registry, ask, r, &content);
    if (!*indirect)
        return code;
    *out = content;
    return PAP_CODE_OK;
}

/* One of several that is meant: what has been accepted waits for it, but nothing is accepted for one that there is not. */
static bool device_known(const struct ppg_core *c, const struct route *r, struct slice device)
{
    void *self = c->bearer_self[r->bearer_at];

    return !device.n || !self || r->bearer->device(self, r->terminal, device);
}

unsigned ppg_deliver_possible(struct ppg_core *c, const struct ppg_deliver_ask *ask,
                              char why[PPG_DELIVER_WHY_N])
{
    struct route r = {.why = ""};
    struct ppg_content content;
    bool indirect;
    unsigned code = plan(c, ppg_config_registry(c->config), ask, &r, &content, &indirect);

    why[0] = '\0';
    if (code == PAP_CODE_OK && !device_known(c, &r, ask->device)) {
        code = PAP_CODE_ADDRESS_ERROR;
        r.why = "the terminal has no such device, or not any more";
    }
    if (code != PAP_CODE_OK)
        route_why(&r, why);
    return code;
}

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
    a->content = ppg_content_plain(t->push);
    a->form_tried = false;
    a->associations = 0;
    a->tried = 0;
    a->indirect = false;
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

    sec_policy_text(&a->decision, text);
    n = (int)strlen(text);
    if (a->message.bootstrapped && a->message.gpi_n)
        (void)snprintf(text + n, (size_t)(PROTECTION_TEXT_N - n), " association=brought gpi=%zu",
                       a->message.gpi_n);
    else if (a->message.bootstrapped)
        (void)snprintf(text + n, (size_t)(PROTECTION_TEXT_N - n), " association=bootstrapped");
}

static void ended(struct attempt *a, enum ppg_event ev, unsigned code, bool unreachable, struct slice note)
{
    struct ppg_schedule *schedule = a->deliver->core->schedule;
    char protection[PROTECTION_TEXT_N] = "";
    struct store_record record = {.note = note,
                                  .began_ms = a->began_ms,
                                  .wire_n = a->job.result.wire_n,
                                  .pause_ms = a->job.result.retry_after_ms};

    if (a->decision.why)
        protection_text(a, protection);
    record.bearer = a->bearer ? slice_str(a->bearer->name) : SLICE_NONE;
    record.protection = slice_str(protection);
    ppg_schedule_ended(schedule, a->target, ev, code, unreachable, &record);
    attempt_free(a);
}

/* The terminal fetches it.  told: it has just been told where. */
static void parked(struct attempt *a, bool told)
{
    char protection[SEC_POLICY_TEXT_N];
    struct store_record record = {.bearer = slice_str(a->bearer->name),
                                  .note =
                                      told ? SLICE("told where to fetch it") : SLICE("waits to be fetched"),
                                  .began_ms = told ? a->began_ms : 0,
                                  .wire_n = a->job.result.wire_n};

    sec_policy_text(&a->decision, protection);
    record.protection = slice_str(protection);
    ppg_schedule_parked(a->deliver->core->schedule, a->target, &record);
    attempt_free(a);
}

static void seal_and_send(void *arg);

/* Can it be reached only when it calls in, and has not? */
static bool absent(const struct attempt *a)
{
    void *self = a->deliver->core->bearer_self[a->bearer_at];

    return self && a->bearer->absent && a->bearer->absent(self, a->terminal);
}

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
    a->content = *content;
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

    if (a->form_tried || a->indirect)
        return false;
    if (r->outcome == OTA_UNSUITED) {
        unsigned code = suit(c, a->terminal, a->bearer, a->target->push, &a->made, &content, &why);

        other = code == PAP_CODE_OK && content.transformed != a->content.transformed;
        if (code != PAP_CODE_OK) {
            r->code = code;
            (void)snprintf(r->note, sizeof r->note, "%s", why);
        }
    } else if (r->outcome == OTA_ABORTED && r->code == PAP_CODE_CLIENT_USERDCU && !a->content.transformed) {
        other = other_form(c, a->terminal, a->target->push, &a->made, &content);
    }
    a->form_tried = true;
    if (other)
        send_again(a, &content);
    return other;
}

/* Nothing was taken, and there is another way: on in the same attempt.  True: sent again. */
static bool rerouted(struct attempt *a)
{
    struct ppg_core *c = a->deliver->core;
    const struct ppg_target *t = a->target;
    struct ppg_deliver_ask ask = {.key = t->key,
                                  .device = slice_str(a->device),
                                  .asked = t->push->asked,
                                  .demanded = t->demanded,
                                  .push = t->push,
                                  .made = &a->made};
    struct route r = {.why = "", .tried = a->tried | 1u << a->bearer_at, .home = true};
    struct ppg_content content;

    if (a->job.result.outcome != OTA_RETRY || a->indirect ||
        plan_by(c, a->registry, &ask, false, &r, &content) != PAP_CODE_OK || r.bearer->fetched ||
        away(c, r.terminal, &r, r.bearer_at))
        return false;
    LOG(c->shared->log, LOG_INFO, "deliver.reroute", LOG_S("push_id", t->push->push_id), LOG_A("to", t->key),
        LOG_C("bearer", a->bearer->name), LOG_C("next", r.bearer->name), LOG_C("why", a->job.result.note));
    a->tried = r.tried;
    a->bearer = r.bearer;
    a->bearer_at = r.bearer_at;
    a->decision = r.decision;
    a->content = content;
    start_again(a);
    return true;
}

/* A word that anybody on the way could have written shows nothing. */
static bool proves(const struct attempt *a)
{
    return ppg_core_settings(a->deliver->core)->protection.confirmation == PPG_CONFIRM_DELIVERY &&
           a->bearer->caps(a->terminal).auth_int;
}

static enum err tell_where(struct attempt *a);

/* The bearer has found that it is too large to go this way: the terminal is told where to fetch it.  True: sent again. */
static bool indirected(struct attempt *a)
{
    struct ppg_core *c = a->deliver->core;
    const struct ppg_target *t = a->target;
    const struct ppg_deliver_ask ask = {.key = t->key,
                                        .device = slice_str(a->device),
                                        .asked = t->push->asked,
                                        .demanded = t->demanded,
                                        .push = t->push,
                                        .made = &a->made};
    struct route r = {.bearer = a->bearer, .bearer_at = a->bearer_at, .terminal = a->terminal};
    struct ppg_content content;

    if (!a->job.result.large || a->job.result.outcome != OTA_UNDELIVERABLE || a->indirect ||
        !fetchable(c, a->registry, &ask, &r, &content))
        return false;
    a->content = content;
    if (tell_where(a))
        return false;
    LOG(c->shared->log, LOG_INFO, "deliver.indirect", LOG_S("push_id", t->push->push_id), LOG_A("to", t->key),
        LOG_C("bearer", a->bearer->name), LOG_C("why", a->job.result.note));
    a->indirect = true;
    a->decision = r.decision;
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
        ppg_protect_taken(p, a->terminal, &a->message);
    if (r->taken && r->association.word != OTA_SA_CONFIRMED)
        return false;
    again = ppg_protect_answered(p, a->terminal, &a->message, &r->association);
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
        a->target->by_call = a->terminal->call_in.calls != OTA_CALLS_NO ||
                             a->terminal->registers != OTA_CALLS_NO || a->terminal->inbox;
    if (ev == EV_RETRY && outcomes[r->outcome].unreachable)
        ppg_wake(a->deliver->core->wake, a->target->key, a->target->push->app_id);
    if (r->outcome == OTA_BUSY && ++a->target->busy > BUSY_TRIES_MAX)
        ev = EV_ABORT;
    LOG(a->deliver->core->shared->log, LOG_INFO, "deliver.done", LOG_S("push_id", a->target->push->push_id),
        LOG_A("to", a->target->key), LOG_C("bearer", a->bearer->name), LOG_I("try", a->target->tries),
        LOG_C("result", ppg_event_name(ev)), LOG_I("code", r->code), LOG_I("sn", a->message.sn),
        LOG_I("gpi", a->message.gpi_n), LOG_C("note", r->note));
    if (ev == EV_OK && a->indirect)
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
    void *self = a->deliver->core->bearer_self[a->bearer_at];
    enum err e;

    if (!self) {
        not_begun(a, SLICE("the bearer is closed"));
        return;
    }
    a->job.terminal = a->terminal;
    a->job.message_head = buf_slice(&a->message.head);
    a->job.body = a->message.body;
    a->job.content_type = a->content.type;
    a->job.mac = a->decision.mac;
    a->job.authenticated = push->flags & PPG_AUTHENTICATED;
    a->job.trusted = push->flags & PPG_TRUSTED;
    a->job.confirmed = push->method == PPG_METHOD_CONFIRMED;
    a->job.unconfirmed = push->method == PPG_METHOD_UNCONFIRMED;
    a->job.device = slice_str(a->device);
    a->job.priority = push->priority;
    a->job.expires_ms = push->expires_ms;
    e = a->bearer->send(self, &a->job, answered, a);
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
        a->vouched ? ERR_ABSENT : ppg_verify_token(a->deliver->core, a->target, &a->content, a->token);

    if (!e)
        a->content.verify = slice_of(a->token, sizeof a->token);
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
    e = ppg_protect(a->deliver->core->protect, a->target, &a->content, a->terminal, &a->decision, &a->wait,
                    &a->message);

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
    enum err e = ppg_content_place(a->target->push, &a->content, &at);

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
        e = ppg_content_notice(&at, &a->made, &a->content);
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
    struct ppg_deliver_ask ask = {.key = t->key,
                                  .device = slice_str(a->device),
                                  .asked = t->push->asked,
                                  .demanded = t->demanded,
                                  .push = t->push};
    struct store_record none = {.note = SLICE("memory")};
    struct route r = {.why = "", .home = true};
    char why[PPG_DELIVER_WHY_N];
    unsigned code;
    enum err e;

    if (!a) {
        ppg_schedule_ended(d->core->schedule, t, EV_RETRY, PAP_CODE_SERVICE_UNAVAILABLE, false, &none);
        return;
    }
    ask.made = &a->made;
    e = find_device(a);
    if (e) {
        not_begun(a, slice_str(err_text(e)));
        return;
    }
    ask.device = slice_str(a->device);
    code = plan(d->core, a->registry, &ask, &r, &a->content, &a->indirect);
    a->terminal = r.terminal;
    a->bearer = r.bearer;
    a->bearer_at = r.bearer_at;
    a->decision = r.decision;
    a->wait = (struct ppg_protect_wait){.fn = seal_and_send, .arg = a};
    if (code == PAP_CODE_OK && a->indirect && tell_where(a))
        code = PAP_CODE_INTERNAL_ERROR;
    if (code == PAP_CODE_INTERNAL_ERROR) {
        not_begun(a, r.why && r.why[0] ? slice_str(r.why) : SLICE("out of memory"));
    } else if (code != PAP_CODE_OK) {
        route_why(&r, why);
        ended(a, EV_FAIL, code, false, slice_str(why));
    } else if (a->bearer->fetched) {
        parked(a, false);
    } else if (absent(a)) {
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

    /* With no bearer yet it waits for numbers, a key or the store, which come back to it. */
    if (!a->job.attempt || !a->bearer->withdraw ||
        !a->bearer->withdraw(d->core->bearer_self[a->bearer_at], &a->job))
        return false;
    LOG(d->core->shared->log, LOG_INFO, "deliver.withdrawn", LOG_S("push_id", t->push->push_id),
        LOG_A("to", t->key), LOG_C("bearer", a->bearer->name), LOG_I("try", t->tries));
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
