/* What waits, by initiator, and what has waited longest; and how much waits for one terminal: the operator's
 * view of the queue.  It steps through the index of
 * open rows from initiator to initiator; only counting an initiator's rows reads them all, in the index alone.  Runs on
 * the store's thread. */
#include "ppg/store/sqlite.h"

#include <stdlib.h>

#include "base/num.h"

/* One of those due longest, kept sorted. */
struct head {
    int64_t id;
    int64_t due_ms;
};

struct queue {
    struct sq *q;
    struct store_queue *o;
    struct map shares;  /* by the octets of the initiator's number -> struct count */
    struct list counts; /* the same, in order of their finding */
    size_t counts_n;
    struct head *heads;
    size_t heads_n;
};

struct count {
    struct list link;
    int64_t no;
    struct store_queue_share share;
};

static enum err count_of(struct queue *w, int64_t no, struct count **out)
{
    struct count *c = map_get(&w->shares, slice_of(&no, sizeof no));
    enum err e;

    if (!c) {
        c = arena_alloc(&w->o->mem, sizeof *c);
        if (!c)
            return ERR_NOMEM;
        c->no = no;
        e = sq_initiator_name(w->q, no, &w->o->mem, &c->share.initiator);
        if (!e)
            e = map_put(&w->shares, slice_of(&c->no, sizeof c->no), c);
        if (e)
            return e;
        list_push_back(&w->counts, &c->link);
        w->counts_n++;
    }
    *out = c;
    return ERR_OK;
}

static enum err count_rows(struct sq *q, enum sq_stmt which, int64_t lease, int64_t no, uint64_t *n)
{
    struct sq_use u = sq_use(q, which);

    sq_i64(&u, lease);
    sq_i64(&u, no);
    if (sq_row(&u))
        *n += (uint64_t)sq_col(&u, 0);
    return sq_done(&u);
}

static bool before(const struct head *a, const struct head *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->id < b->id;
}

/* Puts it in its place; the last one falls out when there is no room. */
static void head_put(struct queue *w, struct head h)
{
    size_t at = w->heads_n;

    if (at == w->o->heads_max && (at == 0 || !before(&h, &w->heads[at - 1])))
        return;
    if (at == w->o->heads_max)
        at--;
    else
        w->heads_n++;
    for (; at > 0 && before(&h, &w->heads[at - 1]); at--)
        w->heads[at] = w->heads[at - 1];
    w->heads[at] = h;
}

static enum err heads_of(struct queue *w, int64_t lease, int64_t no)
{
    struct sq_use u = sq_use(w->q, SQ_QUEUE_FIRST);

    sq_i64(&u, lease);
    sq_i64(&u, no);
    sq_i64(&u, (int64_t)num_min(w->o->heads_max, INT32_MAX));
    while (sq_row(&u))
        head_put(w, (struct head){sq_col(&u, 0), sq_col(&u, 1)});
    return sq_done(&u);
}

/* One initiator's targets of one lease. */
static enum err targets_see(struct queue *w, int64_t lease, int64_t no, int64_t due_ms)
{
    struct count *c = NULL;
    enum err e = count_of(w, no, &c);
    bool leased = lease == w->q->epoch;

    if (e)
        return e;
    if (w->o->initiator.n && !slice_eq(w->o->initiator, c->share.initiator))
        return ERR_OK;
    if (!leased && (!c->share.next_due_ms || due_ms < c->share.next_due_ms))
        c->share.next_due_ms = due_ms;
    e = count_rows(w->q, SQ_OPEN_OF, lease, no, leased ? &c->share.leased : &c->share.waiting);
    return e ? e : heads_of(w, lease, no);
}

static enum err notices_see(struct queue *w, int64_t lease, int64_t no, int64_t due_ms)
{
    struct count *c = NULL;
    enum err e = count_of(w, no, &c);

    (void)due_ms;
    return e ? e : count_rows(w->q, SQ_NOTICES_OF, lease, no, &c->share.notices);
}

/* Steps through the index, initiator by initiator. */
static enum err walk(struct queue *w, enum sq_stmt step, int64_t lease,
                     enum err (*see)(struct queue *w, int64_t lease, int64_t no, int64_t due_ms))
{
    int64_t no = INT64_MIN;
    int64_t due_ms = 0;
    bool found = false;
    enum err e = sq_turn_next(w->q, step, lease, &no, &due_ms, &found);

    while (!e && found) {
        e = see(w, lease, no, due_ms);
        if (!e)
            e = sq_turn_next(w->q, step, lease, &no, &due_ms, &found);
    }
    return e;
}

static enum err look(struct queue *w)
{
    const int64_t leases[] = {0, w->q->old_target, w->q->epoch};
    const int64_t notices[] = {0, w->q->old_notice, w->q->epoch};
    enum err e = ERR_OK;

    for (size_t i = 0; !e && i < sizeof leases / sizeof leases[0]; i++)
        e = walk(w, SQ_TURN, leases[i], targets_see);
    for (size_t i = 0; !e && i < sizeof notices / sizeof notices[0]; i++)
        e = walk(w, SQ_NOTICE_TURN, notices[i], notices_see);
    return e;
}

/* Most waiting first, then by name. */
static int by_waiting(const void *a, const void *b)
{
    const struct store_queue_share *x = a;
    const struct store_queue_share *y = b;

    if (x->waiting != y->waiting)
        return x->waiting > y->waiting ? -1 : 1;
    return slice_cmp(x->initiator, y->initiator);
}

static enum err shares_out(struct queue *w)
{
    struct store_queue *o = w->o;

    o->shares = arena_array(&o->mem, w->counts_n, sizeof *o->shares);
    if (!o->shares)
        return ERR_NOMEM;
    LIST_EACH (at, &w->counts) {
        const struct count *c = container_of(at, struct count, link);

        if (!o->initiator.n || slice_eq(o->initiator, c->share.initiator))
            o->shares[o->shares_n++] = c->share;
    }
    qsort(o->shares, o->shares_n, sizeof *o->shares, by_waiting);
    o->shares_n = num_min(o->shares_n, o->max);
    return ERR_OK;
}

/* The columns of SQ_QUEUE_HEAD. */
static enum err head_load(struct queue *w, int64_t id, struct store_queue_head *out)
{
    struct sq_use u = sq_use(w->q, SQ_QUEUE_HEAD);
    struct sq_load l = {&u, &w->o->mem, ERR_OK};
    enum err e;

    sq_i64(&u, id);
    if (sq_row(&u)) {
        out->initiator = sq_load_text(&l, 0);
        out->push_id = sq_load_text(&l, 1);
        out->address = sq_load_text(&l, 2);
        out->tries = (uint16_t)sq_col(&u, 3);
        out->leased = sq_col(&u, 4) == w->q->epoch;
        out->due_ms = sq_col(&u, 5);
        out->note = sq_load_text(&l, 6);
    }
    e = sq_done(&u);
    return e ? e : l.err;
}

static enum err heads_out(struct queue *w)
{
    struct store_queue *o = w->o;
    enum err e = ERR_OK;

    o->heads = arena_array(&o->mem, w->heads_n, sizeof *o->heads);
    if (!o->heads)
        return ERR_NOMEM;
    while (!e && o->heads_n < w->heads_n) {
        e = head_load(w, w->heads[o->heads_n].id, &o->heads[o->heads_n]);
        o->heads_n++;
    }
    return e;
}

enum err sq_queue(struct sq *q, struct store_queue *o)
{
    struct queue w = {.q = q, .o = o};
    enum err e = ERR_OK;

    o->shares_n = o->heads_n = 0;
    list_init(&w.counts);
    map_init(&w.shares, SIZE_MAX / 2);
    w.heads = arena_array(&o->mem, o->heads_max, sizeof *w.heads);
    if (!w.heads)
        e = ERR_NOMEM;
    if (!e)
        e = look(&w);
    if (!e)
        e = shares_out(&w);
    if (!e)
        e = heads_out(&w);
    map_clear(&w.shares);
    return e;
}

/* --- of one terminal --- */

static enum err waiting_by_call(struct sq *q, struct store_waiting *o)
{
    struct sq_use u = sq_use(q, SQ_WAITING_CALL);

    sq_text(&u, o->key);
    sq_i64(&u, q->epoch);
    sq_i64(&u, (int64_t)o->look_max);
    if (sq_row(&u))
        o->waiting = (uint64_t)sq_col(&u, 0);
    o->more = o->waiting == o->look_max;
    return sq_done(&u);
}

/* Those of one lease; *left: rows that may still be looked at. */
static enum err waiting_of(struct sq *q, struct store_waiting *o, int64_t lease, uint64_t *left)
{
    struct sq_use u = sq_use(q, SQ_WAITING_REST);

    sq_text(&u, o->key);
    sq_i64(&u, lease);
    sq_i64(&u, (int64_t)*left);
    if (sq_row(&u)) {
        o->waiting += (uint64_t)sq_col(&u, 0);
        *left -= (uint64_t)sq_col(&u, 1);
    }
    return sq_done(&u);
}

enum err sq_waiting(struct sq *q, struct store_waiting *o)
{
    const int64_t free_leases[] = {0, q->old_target};
    uint64_t left = o->look_max;
    enum err e;

    o->waiting = 0;
    e = waiting_by_call(q, o);
    for (size_t i = 0; !e && i < sizeof free_leases / sizeof free_leases[0]; i++)
        if (i == 0 || free_leases[i] != free_leases[0])
            e = waiting_of(q, o, free_leases[i], &left);
    o->more = o->more || left == 0;
    return e;
}
