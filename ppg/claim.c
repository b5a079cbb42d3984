/* Claims of due targets; see claim.h. */
#include "ppg/claim.h"

#include "base/num.h"
#include "ppg/enqueue.h"

#define CONTENT_N      (16u << 20) /* octets of content one claim may bring into memory */
#define AGAIN_MS       1000        /* after a claim that failed */

#define SHARES_FIRST_N 4096u /* octets for what a claim says of each initiator */

/* On the store's thread. */
static size_t room(void *arg, struct slice initiator)
{
    const struct ppg_claim *cl = arg;
    struct ppg_shared *shared = cl->core->shared;

    return ppg_share_room(shared, ppg_shared_share(shared, initiator), cl->live_max);
}

static void targets_count(struct ppg_claim *cl)
{
    struct ppg_shared *shared = cl->core->shared;

    LIST_EACH (at, &cl->op.targets) {
        struct ppg_push *p = container_of(at, struct ppg_target, link)->push;

        if (!p->share)
            p->share = ppg_shared_share(shared, p->initiator);
        atomic_fetch_add(&shared->live, 1);
        atomic_fetch_add(&p->share->live, 1);
        ppg_push_charge(p, &shared->live_n);
    }
}

/* Every slot that was asked learns when it is due next. */
static void shares_due(struct ppg_claim *cl)
{
    struct ppg_shared *shared = cl->core->shared;

    for (size_t i = 0; i < cl->op.shares_n; i++)
        if (cl->op.shares[i].next_due_ms)
            ppg_shared_due(&ppg_shared_share(shared, cl->op.shares[i].initiator)->next_due_ms,
                           cl->op.shares[i].next_due_ms);
}

/* Nothing was learnt: they are asked again, but not at once. */
static void shares_again(struct ppg_claim *cl, int64_t at_ms)
{
    for (size_t i = 0; i < PPG_SHARES; i++)
        if (cl->asked[i])
            ppg_shared_due(&cl->core->shared->shares[i].next_due_ms, at_ms);
}

static void claiming_end(struct ppg_claim *cl)
{
    for (size_t i = 0; i < PPG_SHARES; i++)
        atomic_store_explicit(&cl->core->shared->shares[i].claiming, false, memory_order_release);
}

static void claimed(struct store_op *op)
{
    struct ppg_claim *cl = container_of(op, struct ppg_claim, op.op);

    cl->under_way = false;
    if (op->err) {
        shares_again(cl, ppg_core_utc_ms(cl->core) + AGAIN_MS);
    } else {
        targets_count(cl);
        shares_due(cl);
        /* A look ahead ends when all it can see is in memory, or when there is no room for more. */
        cl->ahead = cl->ahead && cl->op.more && !list_empty(&cl->op.targets);
        ppg_enqueue_spread(cl->core, &cl->op.targets);
    }
    if (!cl->ahead)
        claiming_end(cl); /* handed over: who comes now queues behind them */
    arena_clear(&cl->op.mem);
    if (!op->err)
        ppg_claim_tick(cl);
}

/* Slots that have something due by then and room for it.  None: false. */
static bool ask(struct ppg_claim *cl, int64_t by_ms)
{
    struct ppg_shared *shared = cl->core->shared;
    bool any = false;

    for (size_t i = 0; i < PPG_SHARES; i++) {
        struct ppg_share *share = &shared->shares[i];

        cl->asked[i] = atomic_load_explicit(&share->next_due_ms, memory_order_relaxed) <= by_ms &&
                       ppg_share_room(shared, share, cl->live_max) > 0;
        if (!cl->asked[i])
            continue;
        any = true;
        atomic_store(&share->claiming, true);
        atomic_store(&share->next_due_ms, INT64_MAX); /* what comes due meanwhile lowers it */
    }
    return any;
}

static void submit(struct ppg_claim *cl, int64_t by_ms, size_t max)
{
    cl->op = (struct store_claim){
        .now_ms = by_ms, .ahead = cl->ahead, .max = max, .max_n = CONTENT_N, .room = room, .room_arg = cl};
    cl->op.op.kind = STORE_CLAIM;
    cl->op.op.done = claimed;
    arena_init(&cl->op.mem, SHARES_FIRST_N, SIZE_MAX / 2);
    list_init(&cl->op.targets);
    cl->under_way = true;
    ppg_core_submit(cl->core, &cl->op.op);
}

void ppg_claim_tick(struct ppg_claim *cl)
{
    const struct ppg_settings *set = ppg_core_settings(cl->core);
    struct ppg_shared *shared = cl->core->shared;
    int64_t now = ppg_core_utc_ms(cl->core);
    size_t live = atomic_load(&shared->live);

    if (cl->under_way || atomic_load(&shared->draining) || live >= set->delivery.live_max ||
        !ppg_shared_room(shared))
        return;
    cl->live_max = set->delivery.live_max;
    if (cl->ahead && !cl->ahead_ms)
        cl->ahead_ms = now + set->delivery.retry_max_ms;
    if (ask(cl, cl->ahead ? num_max64(cl->ahead_ms, now) : now)) {
        submit(cl, cl->ahead ? num_max64(cl->ahead_ms, now) : now,
               num_min(set->delivery.claim_max, cl->live_max - live));
    } else if (cl->ahead) {
        cl->ahead = false;
        claiming_end(cl);
    }
}

void ppg_claim_init(struct ppg_claim *cl, struct ppg_core *c)
{
    *cl = (struct ppg_claim){.core = c, .ahead = true};
}
