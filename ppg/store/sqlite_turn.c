/* Whose turn it is: initiators take turns in a claim, so that one with a long queue takes no more than its part.  The index
 * of open rows is sorted by initiator; one step in it finds the next that has free rows, however many there are, so a
 * claim costs what it takes and one step per initiator.  Free are the rows that nobody holds and those of one older run.
 * Used for targets and for notices.  Runs on the store's thread. */
#include "ppg/store/sqlite.h"

#include "base/num.h"

enum err sq_turn_next(struct sq *q, enum sq_stmt which, int64_t lease, int64_t *no, int64_t *due_ms,
                      bool *found)
{
    struct sq_use u = sq_use(q, which);

    sq_i64(&u, lease);
    sq_i64(&u, *no);
    *found = sq_row(&u);
    if (*found) {
        *no = sq_col(&u, 0);
        *due_ms = num_max64(sq_col(&u, 1), 1); /* 0 says nothing is left */
    }
    return sq_done(&u);
}

static enum err turn_add(struct sq_turns *t, int64_t no, int64_t due_ms)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 16;
        struct sq_turn *more = arena_array(t->mem, cap, sizeof *more);

        if (!more)
            return ERR_NOMEM;
        for (size_t i = 0; i < t->n; i++)
            more[i] = t->at[i];
        t->at = more;
        t->cap = cap;
    }
    t->at[t->n] = (struct sq_turn){.no = no, .due_ms = due_ms};
    return sq_initiator_name(t->q, no, t->mem, &t->at[t->n++].name);
}

/* One side of the merge: the rows of one lease. */
struct side {
    int64_t lease;
    int64_t no;
    int64_t due_ms;
    bool found;
};

static enum err side_step(struct sq_turns *t, struct side *s)
{
    return sq_turn_next(t->q, t->step, s->lease, &s->no, &s->due_ms, &s->found);
}

/* Takes the next initiator of both sides. */
static enum err merge_step(struct sq_turns *t, struct side *a, struct side *b)
{
    bool from_a = a->found && (!b->found || a->no <= b->no);
    bool from_b = b->found && (!a->found || b->no <= a->no);
    int64_t due_ms = from_a && from_b ? num_min64(a->due_ms, b->due_ms) : from_a ? a->due_ms : b->due_ms;
    enum err e = turn_add(t, from_a ? a->no : b->no, due_ms);

    if (!e && from_a)
        e = side_step(t, a);
    if (!e && from_b)
        e = side_step(t, b);
    return e;
}

enum err sq_turns_find(struct sq_turns *t, store_room_fn *room, void *room_arg)
{
    struct side a = {.lease = 0, .no = INT64_MIN};
    struct side b = {.lease = t->old, .no = INT64_MIN};
    enum err e = side_step(t, &a);

    if (!e)
        e = side_step(t, &b);
    while (!e && (a.found || b.found))
        e = merge_step(t, &a, &b);
    for (size_t i = 0; !e && i < t->n; i++) {
        t->at[i].room = room ? room(room_arg, t->at[i].name) : SIZE_MAX;
        t->at[i].had_room = t->at[i].room > 0;
    }
    return e;
}

static bool wants(const struct sq_turns *t, const struct sq_turn *turn)
{
    return turn->room > 0 && turn->due_ms && turn->due_ms <= t->now_ms;
}

/* The earliest due time of what is left. */
static enum err turn_refresh(struct sq_turns *t, struct sq_turn *turn)
{
    const int64_t leases[] = {0, t->old};
    enum err e = ERR_OK;

    turn->due_ms = 0;
    for (size_t i = 0; !e && i < sizeof leases / sizeof leases[0]; i++) {
        int64_t no = turn->no - 1;
        int64_t due_ms = 0;
        bool found = false;

        e = sq_turn_next(t->q, t->step, leases[i], &no, &due_ms, &found);
        if (!e && found && no == turn->no)
            turn->due_ms = turn->due_ms ? num_min64(turn->due_ms, due_ms) : due_ms;
    }
    return e;
}

/* One round: each that wants gets an equal part of what is left, beginning behind the one that was served last. */
static enum err round_deal(struct sq_turns *t, size_t wanting, size_t *left, bool *full)
{
    size_t part = *left / wanting ? *left / wanting : 1;
    size_t start = 0;
    enum err e = ERR_OK;

    while (start < t->n && t->at[start].no <= *t->last)
        start++;
    for (size_t i = 0; !e && !*full && *left > 0 && i < t->n; i++) {
        struct sq_turn *turn = &t->at[(start + i) % t->n];
        size_t taken = 0;

        if (!wants(t, turn))
            continue;
        e = t->take(t->arg, turn, num_min(num_min(part, turn->room), *left), &taken, full);
        if (e)
            return e;
        if (taken > 0)
            *t->last = turn->no;
        turn->room = taken > 0 ? turn->room - taken : 0; /* what it has due is left alone: not asked again */
        *left -= taken;
        e = turn_refresh(t, turn);
    }
    return e;
}

enum err sq_turns_deal(struct sq_turns *t)
{
    size_t left = t->max;
    bool full = false;
    enum err e = ERR_OK;

    while (!e && !full && left > 0) {
        size_t wanting = 0;

        for (size_t i = 0; i < t->n; i++)
            wanting += wants(t, &t->at[i]);
        if (!wanting)
            break;
        e = round_deal(t, wanting, &left, &full);
    }
    return e;
}
