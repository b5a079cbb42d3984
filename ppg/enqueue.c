/* Durable before "accepted": the insert leases what is due now to this run, so the common case needs no second
 * look at the store.  What is deferred, or does not fit in memory, stays in the store until schedule.c claims it.
 * Runs on the core's loop. */
#include "ppg/enqueue.h"

#include "ppg/schedule.h"

/* A place among the targets in memory, or false at the ceiling. */
static bool live_take(struct ppg_core *c)
{
    size_t max = ppg_core_settings(c)->delivery.live_max;

    if (atomic_fetch_add(&c->shared->live, 1) < max)
        return true;
    atomic_fetch_sub(&c->shared->live, 1);
    return false;
}

static void targets_prepare(struct ppg_core *c, struct ppg_enqueue *e, struct ppg_push *push)
{
    int64_t now = ppg_core_utc_ms(c);
    int64_t due = push->not_before_ms > now ? push->not_before_ms : now;
    bool lease = due <= now && !atomic_load(&c->shared->draining) && ppg_shared_room(c->shared) &&
                 !ppg_shared_behind(c->shared, now);

    for (size_t i = 0; i < push->targets_n; i++) {
        struct ppg_target *t = &push->targets[i];

        t->push = push;
        t->due_ms = due;
        t->leased = lease && live_take(c);
        e->leased_n += t->leased;
        list_init(&t->link);
    }
    if (e->leased_n)
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

static void release_leases(struct ppg_enqueue *e)
{
    atomic_fetch_sub(&e->core->shared->live, e->leased_n);
}

static void hand_out(struct ppg_enqueue *e, struct ppg_push *push)
{
    struct list mine;

    list_init(&mine);
    for (size_t i = 0; i < push->targets_n; i++) {
        struct ppg_target *t = &push->targets[i];

        if (t->leased) {
            (void)ppg_push_hold(push);
            list_push_back(&mine, &t->link);
        } else {
            ppg_shared_due(&e->core->shared->next_due_ms, t->due_ms);
        }
    }
    ppg_enqueue_spread(e->core, &mine);
}

static void inserted(struct store_op *op)
{
    struct ppg_enqueue *e = container_of(op, struct ppg_enqueue, insert.op);
    struct ppg_push *push = e->insert.push;
    ppg_enqueue_fn *done = e->done;
    void *arg = e->arg;
    enum err result = op->err;

    if (result)
        release_leases(e);
    else
        hand_out(e, push);
    done(result, arg); /* *e may be gone after this */
    ppg_push_drop(push);
}

void ppg_enqueue(struct ppg_core *c, struct ppg_enqueue *e, struct ppg_push *push, ppg_enqueue_fn *done,
                 void *arg)
{
    *e = (struct ppg_enqueue){.core = c, .done = done, .arg = arg};
    targets_prepare(c, e, push);
    e->insert.push = push;
    e->insert.op.kind = STORE_INSERT;
    e->insert.op.done = inserted;
    ppg_core_submit(c, &e->insert.op);
}
