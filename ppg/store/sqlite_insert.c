/* Storing a submission: the push, its content once, a row per target, and what that ends or replaces.  Nothing is
 * allocated; slices are bound where they lie.  Runs on the store's thread. */
#include "ppg/store/sqlite.h"

static enum err push_add(struct sq *q, const struct ppg_push *p, int64_t initiator)
{
    struct sq_use u = sq_use(q, SQ_PUSH_ADD);

    sq_i64(&u, q->tally.next_id);
    sq_i64(&u, initiator);
    sq_text(&u, p->push_id);
    sq_i64(&u, (int64_t)p->targets_n);
    sq_i64(&u, p->accepted_ms);
    sq_i64(&u, p->not_before_ms);
    sq_i64(&u, p->expires_ms);
    sq_i64(&u, p->flags);
    sq_i64(&u, p->version);
    sq_i64(&u, p->priority);
    sq_i64(&u, p->method);
    sq_i64(&u, p->asked);
    sq_text(&u, p->source_ref);
    sq_text(&u, p->notify_url);
    sq_text(&u, p->network);
    sq_text(&u, p->bearer);
    sq_text(&u, p->app_id);
    sq_text(&u, p->initiator_uri);
    sq_text(&u, p->content_type);
    sq_text(&u, p->headers);
    sq_blob(&u, p->body);
    sq_text(&u, p->how);
    return sq_exec(&u);
}

/* What the row of one target says beyond the target itself. */
struct place {
    int64_t id;
    int64_t initiator;
    int64_t group_id; /* 0: no member */
    size_t open_n;    /* of a group: members that are not final */
    enum ppg_stage stage;
    unsigned code;
    bool owes;
};

static enum err target_add(struct sq *q, const struct ppg_push *p, const struct ppg_target *t,
                           const struct place *at)
{
    struct sq_use u = sq_use(q, SQ_TARGET_ADD);
    bool final = ppg_stage_final(at->stage);
    int64_t lease = t->leased ? q->epoch : 0;

    sq_i64(&u, at->id);
    sq_i64(&u, q->tally.next_id);
    sq_text(&u, t->address);
    sq_text(&u, t->key);
    sq_i64(&u, final ? at->stage : ST_WAITING);
    sq_i64(&u, at->code);
    sq_i64(&u, t->tries);
    sq_i64(&u, t->demanded);
    sq_i64(&u, final ? 0 : t->members_n ? SQ_LEASE_GROUP : lease);
    sq_i64(&u, t->due_ms);
    sq_i64(&u, final ? p->accepted_ms : 0);
    sq_i64(&u, at->owes);
    sq_i64(&u, at->initiator);
    sq_i64(&u, at->group_id);
    sq_i64(&u, t->members_n);
    sq_i64(&u, (int64_t)at->open_n);
    sq_text(&u, t->rule);
    if (!final && !t->members_n)
        q->tally.open++;
    return sq_exec(&u);
}

/* The targets of a push on their way into the store, one after the other. */
struct adding {
    struct sq *q;
    const struct store_insert *o;
    int64_t initiator;
    size_t entry;        /* of o->old->targets */
    size_t members_left; /* of the group that was added last */
    int64_t group_id;
    bool left_out; /* replacing, and the old one was not pending */
};

static bool open_member(const struct adding *a, const struct ppg_target *t)
{
    return !a->left_out && !ppg_stage_final((enum ppg_stage)t->stage);
}

static size_t open_members(const struct adding *a, const struct ppg_target *group)
{
    size_t n = 0;

    for (size_t i = 1; i <= group->members_n; i++)
        n += open_member(a, &group[i]);
    return n;
}

/* Whether the next target belongs to the group before it, and whether it gets this push at all. */
static void adding_step(struct adding *a, struct ppg_target *t)
{
    const struct store_cancel *old = a->o->old;

    if (a->members_left > 0) {
        a->members_left--;
        t->group_id = a->group_id;
        return;
    }
    a->left_out = old && a->o->push->replace == PPG_REPLACE_PENDING_ONLY &&
                  old->targets[a->entry++].what != STORE_CANCEL_DONE;
    a->members_left = t->members_n;
    a->group_id = t->id;
}

static enum err target_insert(struct adding *a, struct ppg_target *t)
{
    const struct ppg_push *p = a->o->push;
    struct place at = {
        .id = t->id, .initiator = a->initiator, .stage = (enum ppg_stage)t->stage, .code = t->code};
    enum err e;

    adding_step(a, t);
    at.group_id = t->group_id;
    at.open_n = t->members_n ? open_members(a, t) : 0;
    if (a->left_out && !ppg_stage_final(at.stage) && !t->members_n) {
        at.stage = ST_CANCELLED;
        at.code = STORE_CODE_NOT_PENDING;
    }
    at.owes = ppg_stage_final(at.stage) && p->notify_url.n && !at.group_id;
    e = target_add(a->q, p, t, &at);
    return !e && at.owes ? sq_notice_add(a->q, t->id, p->accepted_ms, false) : e;
}

/* Groups whose members were all final when they came are so too. */
static enum err groups_end(struct adding *a)
{
    const struct ppg_push *p = a->o->push;
    enum err e = ERR_OK;

    a->entry = a->members_left = 0;
    for (size_t i = 0; !e && i < p->targets_n; i++) {
        struct ppg_target *t = &p->targets[i];

        adding_step(a, t);
        if (t->members_n && !ppg_stage_final((enum ppg_stage)t->stage) && !open_members(a, t))
            e = sq_group_end(a->q, t->id, t->members_n, p->accepted_ms, p->notify_url.n > 0);
    }
    return e;
}

static enum err targets_add(struct sq *q, const struct store_insert *o, int64_t initiator)
{
    struct adding a = {.q = q, .o = o, .initiator = initiator};
    struct ppg_push *p = o->push;
    bool groups = false;
    enum err e = ERR_OK;

    for (size_t i = 0; !e && i < p->targets_n; i++) {
        p->targets[i].id = q->tally.next_id + (int64_t)i;
        MUST(p->targets[i].members_n < p->targets_n - i);
        groups |= p->targets[i].members_n > 0;
        e = target_insert(&a, &p->targets[i]);
    }
    return !e && groups ? groups_end(&a) : e;
}

/* Is there room for it in the queue of its initiator?  That its push-id is used comes first [PAP §8.1]. */
static enum err queue_room(struct sq *q, struct store_insert *o, int64_t initiator,
                           const struct sq_cancel *old)
{
    const struct ppg_push *p = o->push;
    uint64_t open = 0, come = 0;
    uint64_t go = old ? sq_cancel_n(old) : 0;
    struct sq_push same;
    enum err e = sq_open_of(q, p->initiator, initiator, &open);

    if (e)
        return e;
    for (size_t i = 0; i < p->targets_n; i++)
        come += !p->targets[i].members_n && !ppg_stage_final((enum ppg_stage)p->targets[i].stage);
    o->queued = open;
    if (open + come - go <= o->queue_max)
        return ERR_OK;
    e = old ? ERR_ABSENT : sq_push_find(q, p->initiator, p->push_id, &same);
    if (e == ERR_ABSENT)
        return ERR_LIMIT;
    return e ? e : ERR_EXISTS;
}

enum err sq_insert(struct sq *q, struct store_insert *o)
{
    struct ppg_push *p = o->push;
    struct sq_cancel *old = NULL;
    int64_t initiator = 0;
    uint64_t before = q->tally.open;
    enum err e = o->old ? sq_replace_look(q, o, &old) : ERR_OK;

    if (!e)
        e = sq_initiator_no(q, p->initiator, &initiator);
    if (!e && o->queue_max)
        e = queue_room(q, o, initiator, old);
    if (!e)
        e = push_add(q, p, initiator);
    if (!e && sq_changes(q) == 0)
        return ERR_EXISTS;
    if (!e && old)
        e = sq_cancel_write(old);
    if (!e)
        e = targets_add(q, o, initiator);
    if (e)
        return e;
    sq_open_change(q, initiator, before);
    o->queued += q->tally.open - before;
    p->id = q->tally.next_id;
    q->tally.next_id += p->targets_n ? (int64_t)p->targets_n : 1;
    return ERR_OK;
}
