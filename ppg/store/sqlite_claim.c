/* Claims of targets: what is due and free is loaded, each push once, and leased to this run.  Whose turn it is is
 * sqlite_turn.c's, what is due when schedule.c's.  Runs on the store's thread. */
#include "ppg/store/sqlite.h"

#include "base/num.h"

/* A claim under way: the pushes loaded so far, each held once by the map, and the octets of their content. */
struct claim {
    struct sq *q;
    struct store_claim *o;
    struct map pushes; /* key: the octets of ppg_push.id */
    size_t targets_n;
    size_t body_n;
    bool full; /* the next target has no room */
};

static enum err claim_keep(struct claim *c, struct ppg_push *p)
{
    enum err e = map_put(&c->pushes, slice_of(&p->id, sizeof p->id), p);

    if (e)
        ppg_push_drop(p);
    return e;
}

static enum err claim_push(struct claim *c, int64_t id, struct ppg_push **out)
{
    struct sq_use u = sq_use(c->q, SQ_PUSH_GET);
    struct ppg_push *p = map_get(&c->pushes, slice_of(&id, sizeof id));
    size_t body_n;
    enum err e;

    *out = p;
    if (p)
        return ERR_OK;
    sq_i64(&u, id);
    if (!sq_row(&u)) {
        e = sq_done(&u);
        return e ? e : ERR_IO; /* a target without its push: the file is damaged */
    }
    body_n = (size_t)sq_col(&u, SQ_COL_BODY_N);
    c->full = c->targets_n > 0 && (c->body_n >= c->o->max_n || body_n > c->o->max_n - c->body_n);
    e = c->full ? ERR_OK : sq_load_push(&u, &p);
    if (p && !e)
        e = sq_load_body(&u, p);
    if (p && e)
        ppg_push_drop(p);
    (void)sq_done(&u);
    if (e || c->full)
        return e;
    c->body_n += body_n;
    *out = p;
    return claim_keep(c, p);
}

/* The columns of SQ_CLAIM. */
static enum err claim_target(struct claim *c, const struct sq_use *u, struct ppg_push *p)
{
    struct ppg_target *t;
    enum err e = sq_load_target(u, p, &t);

    if (e)
        return e;
    t->leased = true;
    list_push_back(&c->o->targets, &t->link);
    c->targets_n++;
    return ERR_OK;
}

/* Leases what has been put on the list behind `last`. */
static enum err lease_from(struct claim *c, const struct list *last)
{
    enum err e = ERR_OK;

    for (const struct list *at = last->next; !e && at != &c->o->targets; at = at->next) {
        struct sq_use u = sq_use(c->q, SQ_LEASE);

        sq_i64(&u, container_of(at, struct ppg_target, link)->id);
        sq_i64(&u, c->q->epoch);
        e = sq_exec(&u);
    }
    return e;
}

/* Loads one initiator's part; rows are leased when the statement that finds them is done. */
static enum err take(void *arg, const struct sq_turn *turn, size_t n, size_t *taken, bool *full)
{
    struct claim *c = arg;
    struct sq_use u = sq_use(c->q, c->o->ahead ? SQ_CLAIM_AHEAD : SQ_CLAIM);
    const struct list *last = c->o->targets.prev;
    size_t before = c->targets_n;
    struct ppg_push *p = NULL;
    enum err done;
    enum err e = ERR_OK;

    sq_i64(&u, c->q->old_target);
    sq_i64(&u, turn->no);
    sq_i64(&u, c->o->now_ms);
    sq_i64(&u, (int64_t)num_min(n, INT32_MAX));
    while (!e && !c->full && sq_row(&u)) {
        e = claim_push(c, sq_col(&u, 1), &p);
        if (!e && !c->full)
            e = claim_target(c, &u, p);
    }
    done = sq_done(&u);
    if (!e)
        e = done;
    *taken = c->targets_n - before;
    *full = c->full;
    return e ? e : lease_from(c, last);
}

/* What is left of each, and of all. */
static enum err share_out(struct store_claim *o, const struct sq_turns *t)
{
    o->more = false;
    o->next_due_ms = 0;
    o->shares_n = 0;
    o->shares = NULL;
    if (!t->n)
        return ERR_OK;
    o->shares = arena_array(&o->mem, t->n, sizeof *o->shares);
    if (!o->shares)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->n; i++) {
        int64_t due_ms = t->at[i].due_ms;

        o->shares[o->shares_n++] = (struct store_share){t->at[i].name, due_ms};
        if (due_ms && (!o->next_due_ms || due_ms < o->next_due_ms))
            o->next_due_ms = due_ms;
    }
    o->more = o->next_due_ms && o->next_due_ms <= o->now_ms;
    return ERR_OK;
}

/* On failure what was loaded stays on the list: store.c drops the results of every operation that failed. */
enum err sq_claim(struct sq *q, struct store_claim *o)
{
    struct claim c = {.q = q, .o = o};
    struct sq_turns t = {.q = q,
                         .step = SQ_TURN,
                         .old = q->old_target,
                         .now_ms = o->now_ms,
                         .max = o->max,
                         .last = &q->tally.turn,
                         .take = take,
                         .arg = &c,
                         .mem = &o->mem};
    struct ppg_push *p;
    size_t pos = 0;
    enum err e;

    list_init(&o->targets);
    map_init(&c.pushes, SIZE_MAX / 2);
    e = sq_turns_find(&t, o->room, o->room_arg);
    if (!e)
        e = sq_turns_deal(&t);
    while ((p = map_next(&c.pushes, &pos)))
        ppg_push_drop(p); /* its targets hold it */
    map_clear(&c.pushes);
    return e ? e : share_out(o, &t);
}
