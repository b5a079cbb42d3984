/* One push from what the store keeps of it: what is so now (show), and how it came to that (explain).  Never the content:
 * its type and size.  Routes of admin.c; loop 0. */
#include "ppg/admin/routes.h"

#include <stdlib.h>

#include "pap/vocab.h"
#include "ppg/authorize.h"
#include "ppg/stage.h"

struct job {
    struct ppg_admin_ask ask;
    struct store_show show;
    bool explain;
};

static const char *notification_text(int notified)
{
    static const char *const words[] = {"none", "owed", "told", "given up"};

    return notified >= 0 && notified < 4 ? words[notified] : "";
}

static json_t *attempt_json(const struct store_show_attempt *a)
{
    json_t *o = json_object();

    ppg_json_set_n(o, "no", a->no);
    ppg_json_set_time(o, "began", a->began_ms);
    ppg_json_set_time(o, "ended", a->ended_ms);
    if (a->ended_ms >= a->began_ms)
        ppg_json_set_n(o, "took_ms", (uint64_t)(a->ended_ms - a->began_ms));
    ppg_json_set_text(o, "bearer", a->bearer);
    ppg_json_set_n(o, "octets", a->wire_n);
    ppg_json_set_text(o, "protection", a->protection);
    ppg_json_set_text(o, "note", a->note);
    return o;
}

static void attempts_set(json_t *o, const struct store_show_target *t)
{
    json_t *list = json_array();

    for (size_t i = 0; i < t->attempts_n; i++)
        (void)json_array_append_new(list, attempt_json(&t->attempts[i]));
    ppg_json_set(o, "attempts", list);
}

static void notification_set(json_t *o, const struct store_show_target *t)
{
    ppg_json_set_text(o, "notification", slice_str(notification_text(t->notified)));
    if (t->told_code)
        ppg_json_set_n(o, "notification_answer", t->told_code);
    if (t->notified == 1) { /* while it is owed */
        ppg_json_set_n(o, "notification_tries", t->notice_tries);
        ppg_json_set_time(o, "notification_due", t->notice_due_ms);
    }
}

static json_t *target_json(const struct store_show_target *t, bool explain)
{
    bool final = ppg_stage_final(t->stage);
    enum pap_code code = final ? (enum pap_code)t->code : PAP_CODE_ACCEPTED; /* [PAP §7] */
    json_t *o = json_object();

    ppg_json_set_text(o, "address", t->address);
    ppg_json_set_text(o, "stage", slice_str(ppg_stage_name(t->stage)));
    ppg_json_set_text(o, "state", slice_str(pap_state_text(ppg_stage_state(t->stage))));
    ppg_json_set_n(o, "code", code);
    ppg_json_set_text(o, "text", slice_str(pap_code_text(code)));
    ppg_json_set_n(o, "tries", t->tries);
    ppg_json_set_time(o, final ? "event" : "due", final ? t->event_ms : t->due_ms);
    ppg_json_set(o, "leased", json_boolean(t->leased));
    ppg_json_set_text(o, "demanded", slice_str(sec_level_name((enum sec_level)t->demanded)));
    ppg_json_set_text(o, "rule", t->rule);
    ppg_json_set_text(o, "bearer", t->bearer);
    ppg_json_set_text(o, "protection", t->protection);
    ppg_json_set_text(o, "note", t->note);
    notification_set(o, t);
    if (explain)
        attempts_set(o, t);
    return o;
}

static void asks_set(json_t *o, const struct ppg_push *p)
{
    static const char *const priorities[] = {
        [PPG_PRIO_HIGH] = "high", [PPG_PRIO_MEDIUM] = "medium", [PPG_PRIO_LOW] = "low"};

    if (p->priority <= PPG_PRIO_LOW)
        ppg_json_set_text(o, "priority", slice_str(priorities[p->priority]));
    ppg_json_set_text(o, "method", slice_str(pap_delivery_text((enum pap_delivery)p->method)));
    ppg_json_set_text(o, "network", p->network);
    ppg_json_set_text(o, "bearer", p->bearer);
    ppg_json_set(o, "network_required", json_boolean(p->flags & PPG_NETWORK_REQUIRED));
    ppg_json_set(o, "bearer_required", json_boolean(p->flags & PPG_BEARER_REQUIRED));
    ppg_json_set_text(o, "protection_asked", slice_str(sec_level_name((enum sec_level)p->asked)));
}

/* A push in the store has passed them all. */
static void checks_set(json_t *o)
{
    json_t *list = json_array();
    const char *name;

    for (size_t i = 0; (name = ppg_authorize_check(i)); i++)
        (void)json_array_append_new(list, json_string(name));
    ppg_json_set(o, "checks_passed", list);
}

/* Members stand in their group. */
static void targets_set(json_t *o, const struct store_show *show, bool explain)
{
    json_t *targets = json_array(), *members = NULL;

    for (size_t i = 0; i < show->targets_n; i++) {
        const struct store_show_target *t = &show->targets[i];
        json_t *one = target_json(t, explain);

        if (t->members_n) {
            members = json_array();
            ppg_json_set(one, "members", members);
        }
        (void)json_array_append_new(t->group_id && members ? members : targets, one);
    }
    ppg_json_set(o, "targets", targets);
}

static json_t *push_json(const struct store_show *show, bool explain)
{
    const struct ppg_push *p = show->push;
    json_t *o = json_object();

    ppg_json_set_text(o, "push_id", p->push_id);
    ppg_json_set_text(o, "initiator", p->initiator);
    ppg_json_set_text(o, "let_in_by", p->how);
    ppg_json_set_text(o, "source_reference", p->source_ref);
    ppg_json_set_text(o, "initiator_uri", p->initiator_uri);
    ppg_json_set(o, "authenticated", json_boolean(p->flags & PPG_AUTHENTICATED));
    ppg_json_set(o, "trusted", json_boolean(p->flags & PPG_TRUSTED));
    ppg_json_set_text(o, "application", p->app_id);
    ppg_json_set_text(o, "content_type", p->content_type);
    ppg_json_set_n(o, "content_octets", show->body_n);
    ppg_json_set_time(o, "accepted", p->accepted_ms);
    ppg_json_set_time(o, "not_before", p->not_before_ms);
    ppg_json_set_time(o, "expires", p->expires_ms);
    ppg_json_set_text(o, "notify_url", p->notify_url);
    asks_set(o, p);
    if (explain)
        checks_set(o);
    targets_set(o, show, explain);
    return o;
}

static void show_done(struct store_op *op)
{
    struct job *j = op->arg;

    if (op->err)
        ppg_admin_refuse_err(j->ask.x, op->err);
    else
        ppg_admin_answer(j->ask.x, 200, push_json(&j->show, j->explain));
    ppg_push_drop(j->show.push);
    ppg_admin_ask_clear(&j->ask);
    free(j);
}

static void begin(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r,
                  bool explain)
{
    struct job *j = ppg_admin_ask_new(a->conf.core, x, r, sizeof *j);

    if (!j)
        return;
    j->explain = explain;
    j->show.push_id = j->ask.id;
    j->show.initiator = j->ask.initiator;
    j->show.op = (struct store_op){.kind = STORE_SHOW, .done = show_done, .arg = j};
    ppg_core_submit(a->conf.core, &j->show.op);
}

void ppg_admin_push_show(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    begin(a, x, r, false);
}

void ppg_admin_push_explain(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    begin(a, x, r, true);
}
