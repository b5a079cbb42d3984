/* Durable before "accepted": the insert leases what is due now to this run, so the common case needs no second
 * look at the store.  What is deferred, or does not fit in memory, stays in the store until schedule.c claims it.
 * Runs on the core's loop. */
#include "ppg/enqueue.h"

#include <stdio.h>
#include "ppg/schedule.h"

static size_t live_room(const struct ppg_core *c, const struct ppg_push *push, int64_t now)
{
    struct ppg_shared *shared = c->shared;

    if (push->not_before_ms > now || atomic_load(&shared->draining) || !ppg_shared_room(shared) ||
        ppg_share_behind(push->share, now))
        return 0;
    return ppg_share_room(shared, push->share, ppg_core_settings(c)->delivery.live_max);
}

/* Takes a place in memory for each target that is to be tried at once.  A group is never tried itself. */
static void targets_prepare(struct ppg_core *c, struct ppg_enqueue *e, struct ppg_push *push)
{
    int64_t now = ppg_core_utc_ms(c);
    size_t room;

    push->share = ppg_shared_share(c->shared, push->initiator);
    room = live_room(c, push, now);
    for (size_t i = 0; i < push->targets_n; i++) {
        struct ppg_target *t = &push->targets[i];
        bool tried = !t->members_n && !ppg_stage_final((enum ppg_stage)t->stage);

        t->push = push;
        t->due_ms = push->not_before_ms > now ? push->not_before_ms : now;
        t->leased = tried && e->leased_n < room;
        e->leased_n += t->leased;
        e->unleased |= tried && !t->leased && t->due_ms == now;
        list_init(&t->link);
    }
    if (e->unleased)
        atomic_fetch_add(&push->share->unleased, 1);
    if (!e->leased_n)
        return;
    atomic_fetch_add(&c->shared->live, e->leased_n);
    atomic_fetch_add(&push->share->live, e->leased_n);
    ppg_push_charge(push, &c->shared->live_n);
}

void ppg_enqueue_spread(struct ppg_core *c, struct list *targets)
{
    struct list one;
    struct list *at;

    while ((at = list_pop_front(targets))) {
        struct ppg_target *t = container_of(at, struct ppg_target, link);
        unsigned owner = ppg_core_owner(c, t->key);

        if (owner == c->loop) {
            ppg_schedule_add(c->schedule, t);
        } else {
            list_init(&one);
            list_push_back(&one, &t->link);
            c->hand(c->host, owner, &one);
        }
    }
}

static void release_leases(struct ppg_enqueue *e, size_t n)
{
    atomic_fetch_sub(&e->core->shared->live, n);
    atomic_fetch_sub(&e->insert.push->share->live, n);
}

/* A target may have come back final: a replacement for pending recipients only has nothing for the others. */
static void hand_out(struct ppg_enqueue *e, struct ppg_push *push)
{
    int64_t now = ppg_core_utc_ms(e->core);
    size_t leased_n = 0;
    struct list mine;

    list_init(&mine);
    for (size_t i = 0; i < push->targets_n; i++) {
        struct ppg_target *t = &push->targets[i];

        if (t->leased) {
            (void)ppg_push_hold(push);
            list_push_back(&mine, &t->link);
            leased_n++;
        } else if (ppg_stage_final((enum ppg_stage)t->stage)) {
            ppg_shared_due(&e->core->shared->next_notice_ms, now);
        } else if (!t->members_n) {
            ppg_shared_due(&push->share->next_due_ms, t->due_ms);
        }
    }
    release_leases(e, e->leased_n - leased_n);
    ppg_enqueue_spread(e->core, &mine);
}

static void inserted(struct ppg_enqueue *e, enum err result)
{
    struct ppg_push *push = e->insert.push;
    ppg_enqueue_fn *done = e->done;
    void *arg = e->arg;

    if (result)
        release_leases(e, e->leased_n);
    else
        hand_out(e, push);
    if (e->unleased)
        atomic_fetch_sub(&push->share->unleased, 1);
    done(result, arg); /* *e may be gone after this */
    ppg_push_drop(push);
}

static void stored(struct store_op *op)
{
    inserted(container_of(op, struct ppg_enqueue, insert.op), op->err);
}

static void replaced(struct ppg_cancel *old, enum err result)
{
    struct ppg_enqueue *e = old->arg;

    e->replaced_n = result ? 0 : ppg_cancel_count(old);
    arena_clear(&old->cancel.mem);
    inserted(e, result);
}

static void replace(struct ppg_enqueue *e)
{
    const struct ppg_push *push = e->insert.push;

    (void)snprintf(e->old_note, sizeof e->old_note, "replaced by %.*s", SLICE_FMT(push->push_id));
    e->old.cancel.initiator = push->initiator;
    e->old.cancel.push_id = push->replace_id;
    e->old.cancel.note = slice_str(e->old_note);
    e->old.insert = &e->insert;
    e->old.done = replaced;
    e->old.arg = e;
    ppg_cancel_start(e->core->control, &e->old);
}

void ppg_enqueue(struct ppg_core *c, struct ppg_enqueue *e, struct ppg_push *push, uint64_t queue_max,
                 ppg_enqueue_fn *done, void *arg)
{
    *e = (struct ppg_enqueue){.core = c, .done = done, .arg = arg};
    targets_prepare(c, e, push);
    e->insert.push = push;
    e->insert.queue_max = queue_max;
    if (push->replace != PPG_REPLACE_NONE) {
        replace(e);
        return;
    }
    e->insert.op.kind = STORE_INSERT;
    e->insert.op.done = stored;
    ppg_core_submit(c, &e->insert.op);
}
