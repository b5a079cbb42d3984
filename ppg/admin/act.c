/* What an operator does to a push: takes it back, or has those tried again who did not get it.  Routes of admin.c;
 * loop 0.  [PAP §8.3]. */
#include "ppg/admin/work.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "ppg/control.h"
#include "ppg/recipients.h"
#include "ppg/stage.h"

#define ID_MAX_N 255u /* octets of a push-id */

/* --- POST /push/cancel --- */

struct cancel {
    struct ppg_admin_ask ask; /* first */
    struct ppg_admin *admin;
    struct ppg_cancel cancel;
};

static const char *cancel_text(enum store_cancel_what what)
{
    static const char *const words[] = {[STORE_CANCEL_DONE] = "cancelled",
                                        [STORE_CANCEL_LATE] = "too late",
                                        [STORE_CANCEL_HELD] = "too late",
                                        [STORE_CANCEL_STRANGER] = "no recipient of this push"};

    return words[what];
}

static void cancel_answer(const struct cancel *j)
{
    const struct store_cancel *c = &j->cancel.cancel;
    json_t *o = json_object(), *results = json_array();
    size_t n = 0;

    for (size_t i = 0; i < c->targets_n; i++) {
        const struct store_cancel_target *t = &c->targets[i];
        json_t *one;

        if (t->group_id) /* its group is told of */
            continue;
        one = json_object();
        ppg_json_set_text(one, "address", t->address.n ? t->address : t->key);
        ppg_json_set_text(one, "result", slice_str(cancel_text(t->what)));
        (void)json_array_append_new(results, one);
        n += t->what == STORE_CANCEL_DONE;
    }
    ppg_json_set_text(o, "push_id", j->ask.id);
    if (!n)
        ppg_json_set_text(o, "error", SLICE("nothing could be cancelled"));
    ppg_json_set_n(o, "cancelled", n);
    if (n)
        ppg_admin_note(j->admin, j->ask.x, "push.cancel", o);
    ppg_json_set(o, "results", results);
    ppg_admin_answer(j->ask.x, n ? 200 : 409, o);
}

static void cancel_done(struct ppg_cancel *x, enum err result)
{
    struct cancel *j = x->arg;

    if (result)
        ppg_admin_refuse_err(j->ask.x, result);
    else
        cancel_answer(j);
    arena_clear(&x->cancel.mem);
    ppg_admin_ask_clear(&j->ask);
    free(j);
}

void ppg_admin_push_cancel(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    struct cancel *j = ppg_admin_ask_new(a->conf.core, x, r, sizeof *j);

    if (!j)
        return;
    j->admin = a;
    j->cancel.cancel.initiator = j->ask.initiator;
    j->cancel.cancel.push_id = j->ask.id;
    j->cancel.cancel.keys = j->ask.keys;
    j->cancel.cancel.keys_n = j->ask.to_n;
    j->cancel.cancel.note = SLICE("cancelled by the operator");
    j->cancel.done = cancel_done;
    j->cancel.arg = j;
    ppg_cancel_start(a->conf.core->control, &j->cancel);
}

/* --- POST /push/replay ---
 * The push is looked at first; then the whitelist of today is asked for each recipient that can be replayed, and only
 * those it allows are copied, in one operation of the store. */

struct replay {
    struct ppg_admin_ask ask; /* first */
    struct ppg_admin *admin;
    struct store_show show;
    struct store_replay replay;
    struct map wanted;  /* keys asked for */
    struct slice *keys; /* of those that may be copied; in ask.mem */
    json_t *refused;    /* addresses, and why not */
    char how[ID_MAX_N + 40];
    char new_id[ID_MAX_N + 1];
};

static void replay_free(struct replay *j)
{
    ppg_push_drop(j->show.push);
    map_clear(&j->wanted);
    json_decref(j->refused);
    ppg_admin_ask_clear(&j->ask);
    free(j);
}

static void refused_add(struct replay *j, const struct store_show_target *t, const char *why)
{
    json_t *one = json_object();

    ppg_json_set_text(one, "address", t->address);
    ppg_json_set_text(one, "why", slice_str(why));
    (void)json_array_append_new(j->refused, one);
}

static bool is_wanted(const struct replay *j, struct slice key)
{
    return !j->ask.to_n || map_get(&j->wanted, key);
}

/* Final, and not because it got there or was taken back. */
static bool is_dead(const struct store_show_target *t)
{
    return t->stage == ST_UNDELIVERABLE || t->stage == ST_EXPIRED || t->stage == ST_ABORTED ||
           t->stage == ST_TIMEOUT;
}

/* NULL: it may be pushed there today, as it was accepted; otherwise why not. */
static const char *whitelist_says(const struct replay *j, const struct store_show_target *t)
{
    const struct ppg_push *p = j->show.push;
    struct sec_whitelist_query q =
        ppg_recipients_question(p, j->show.body_n, ppg_core_utc_ms(j->ask.core) / 1000);
    const struct ppg_config *config = j->ask.core->config;
    struct sec_whitelist_verdict v;

    q.recipient = t->key;
    if (!sec_accounts_find(ppg_config_accounts(config), p->initiator))
        return "there is no such initiator any more";
    sec_whitelist_decide(ppg_config_whitelist(config), &q, &v);
    if (!v.allow)
        return v.reason;
    return (unsigned)v.demanded > t->demanded && (unsigned)v.demanded > p->asked
               ? "today's rule demands more protection than this push was accepted with"
               : NULL;
}

/* Fills keys; how many they are. */
static size_t choose(struct replay *j)
{
    bool group_wanted = false;
    size_t n = 0;

    for (size_t i = 0; i < j->show.targets_n; i++) {
        const struct store_show_target *t = &j->show.targets[i];
        const char *why;

        if (t->members_n) {
            group_wanted = is_wanted(j, t->key);
            continue;
        }
        if (!is_dead(t) || !(is_wanted(j, t->key) || (t->group_id && group_wanted)))
            continue;
        why = whitelist_says(j, t);
        if (why)
            refused_add(j, t, why);
        else
            j->keys[n++] = t->key;
    }
    return n;
}

static void replay_done(struct store_op *op)
{
    struct replay *j = op->arg;
    struct ppg_core *c = j->ask.core;
    json_t *o;

    if (op->err) {
        ppg_admin_refuse_err(j->ask.x, op->err);
        replay_free(j);
        return;
    }
    ppg_shared_due(&ppg_shared_share(c->shared, j->show.push->initiator)->next_due_ms, j->replay.now_ms);
    o = json_object();
    ppg_json_set_text(o, "push_id", j->replay.new_push_id);
    ppg_json_set_text(o, "initiator", j->replay.initiator);
    ppg_json_set_n(o, "replayed", j->replay.targets_n);
    ppg_json_set_time(o, "expires", j->replay.expires_ms);
    ppg_admin_note(j->admin, j->ask.x, "push.replay", o);
    ppg_json_set(o, "refused", json_incref(j->refused));
    LOG(c->shared->log, LOG_INFO, "push.replayed", LOG_S("initiator", j->replay.initiator),
        LOG_S("push_id", j->replay.push_id), LOG_S("as", j->replay.new_push_id),
        LOG_I("targets", j->replay.targets_n));
    ppg_admin_answer(j->ask.x, 200, o);
    replay_free(j);
}

/* OLD.replay-MILLISECONDS, cut where it must be. */
static struct slice derived_id(struct replay *j, int64_t now_ms)
{
    char suffix[40];
    int n = snprintf(suffix, sizeof suffix, ".replay-%lld", (long long)now_ms);
    struct slice old = slice_sub(j->ask.id, 0, ID_MAX_N - (size_t)n);

    n = snprintf(j->new_id, sizeof j->new_id, "%.*s%s", SLICE_FMT(old), suffix);
    return slice_of(j->new_id, (size_t)n);
}

static void nothing_to_replay(struct replay *j)
{
    json_t *o = json_object();
    bool refused = json_array_size(j->refused) > 0;

    ppg_json_set_text(o, "error",
                      refused ? SLICE("the whitelist of today allows none of them")
                              : SLICE("no recipient that failed"));
    ppg_json_set(o, "refused", json_incref(j->refused));
    ppg_admin_answer(j->ask.x, 409, o);
    replay_free(j);
}

static void looked_at(struct store_op *op)
{
    struct replay *j = op->arg;
    struct ppg_core *c = j->ask.core;
    int64_t now = ppg_core_utc_ms(c);

    if (!op->err)
        j->keys = arena_array(&j->ask.mem, j->show.targets_n + 1, sizeof *j->keys);
    if (op->err || !j->keys) {
        ppg_admin_refuse_err(j->ask.x, op->err ? op->err : ERR_NOMEM);
        replay_free(j);
        return;
    }
    (void)snprintf(j->how, sizeof j->how, "replayed by the operator from %.*s", SLICE_FMT(j->ask.id));
    j->replay = (struct store_replay){.initiator = j->ask.initiator,
                                      .push_id = j->ask.id,
                                      .new_push_id = j->ask.as.n ? j->ask.as : derived_id(j, now),
                                      .keys = j->keys,
                                      .keys_n = choose(j),
                                      .now_ms = now,
                                      .expires_ms = now + ppg_core_settings(c)->pap.default_lifetime_ms,
                                      .how = slice_str(j->how)};
    if (!j->replay.keys_n) {
        nothing_to_replay(j);
        return;
    }
    j->replay.op = (struct store_op){.kind = STORE_REPLAY, .done = replay_done, .arg = j};
    ppg_core_submit(c, &j->replay.op);
}

static enum err wanted_index(struct replay *j)
{
    enum err e = ERR_OK;

    map_init(&j->wanted, j->ask.to_n + 1);
    for (size_t i = 0; i < j->ask.to_n && !e; i++) {
        e = map_put(&j->wanted, j->ask.keys[i], j);
        if (e == ERR_EXISTS)
            e = ERR_OK;
    }
    return e;
}

void ppg_admin_push_replay(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    struct replay *j = ppg_admin_ask_new(a->conf.core, x, r, sizeof *j);

    if (!j)
        return;
    j->admin = a;
    j->refused = json_array();
    if (!j->refused || wanted_index(j)) {
        ppg_admin_refuse(x, 503, "out of memory");
        replay_free(j);
        return;
    }
    if (j->ask.id.n > ID_MAX_N || j->ask.as.n > ID_MAX_N) {
        ppg_admin_refuse(x, 400, "a push-id has at most 255 octets");
        replay_free(j);
        return;
    }
    j->show.push_id = j->ask.id;
    j->show.initiator = j->ask.initiator;
    j->show.op = (struct store_op){.kind = STORE_SHOW, .done = looked_at, .arg = j};
    ppg_core_submit(a->conf.core, &j->show.op);
}
