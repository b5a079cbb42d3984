/* The outbox: debts of notifications are claimed, put off and closed.  They are written by whatever ends a target.  Runs
 * on the store's thread. */
#include "ppg/store/sqlite.h"

#include "base/num.h"

enum err sq_notice_move(struct sq *q, struct store_notice_move *o)
{
    struct sq_use u = sq_use(q, SQ_NOTICE_MOVE);
    enum err e;

    sq_i64(&u, o->notice_id);
    sq_i64(&u, o->due_ms);
    sq_i64(&u, o->tries);
    e = sq_exec(&u);
    return e || sq_changes(q) ? e : ERR_LATE;
}

enum err sq_notice_done(struct sq *q, struct store_notice_done *o)
{
    struct sq_use del = sq_use(q, SQ_NOTICE_DEL);
    struct sq_use told = sq_use(q, SQ_TOLD);
    enum err e;

    sq_i64(&del, o->notice_id);
    e = sq_exec(&del);
    if (e)
        return e;
    if (sq_changes(q) == 0)
        return ERR_LATE;
    q->tally.notices--;
    sq_i64(&told, o->notice_id);
    sq_i64(&told, o->told ? 2 : 3);
    sq_i64(&told, o->code);
    return sq_exec(&told);
}

/* The columns of SQ_NOTICE_CLAIM. */
static enum err load_notice(const struct sq_use *u, struct ppg_notice *n)
{
    struct sq_load l = {u, &n->mem, ERR_OK};

    n->id = sq_col(u, 0);
    n->due_ms = sq_col(u, 1);
    n->tries = (uint16_t)sq_col(u, 2);
    n->initiator = sq_load_text(&l, 3);
    n->push_id = sq_load_text(&l, 4);
    n->url = sq_load_text(&l, 5);
    n->address = sq_load_text(&l, 6);
    n->network = sq_load_text(&l, 7);
    n->bearer = sq_load_text(&l, 8);
    n->flags = (uint32_t)sq_col(u, 9);
    n->version = (uint8_t)sq_col(u, 10);
    n->priority = (uint8_t)sq_col(u, 11);
    n->method = (uint8_t)sq_col(u, 12);
    n->stage = (uint8_t)sq_col(u, 13);
    n->code = (uint16_t)sq_col(u, 14);
    n->accepted_ms = sq_col(u, 15);
    n->event_ms = sq_col(u, 16);
    return l.err;
}

struct outbox {
    struct sq *q;
    struct store_notice_claim *o;
};

static enum err lease_from(const struct outbox *b, const struct list *last)
{
    enum err e = ERR_OK;

    for (const struct list *at = last->next; !e && at != &b->o->notices; at = at->next) {
        struct sq_use u = sq_use(b->q, SQ_NOTICE_LEASE);

        sq_i64(&u, container_of(at, struct ppg_notice, link)->id);
        sq_i64(&u, b->q->epoch);
        e = sq_exec(&u);
    }
    return e;
}

static enum err notice_take(struct outbox *b, const struct sq_use *u)
{
    struct ppg_notice *n = ppg_notice_create();

    if (!n)
        return ERR_NOMEM;
    list_push_back(&b->o->notices, &n->link);
    return load_notice(u, n);
}

/* Loads one initiator's part; see sqlite_turn.c. */
static enum err take(void *arg, const struct sq_turn *turn, size_t n, size_t *taken, bool *full)
{
    struct outbox *b = arg;
    struct sq_use u = sq_use(b->q, SQ_NOTICE_CLAIM);
    const struct list *last = b->o->notices.prev;
    enum err done;
    enum err e = ERR_OK;

    (void)full; /* notices are small: their number is the only ceiling */
    sq_i64(&u, b->q->old_notice);
    sq_i64(&u, turn->no);
    sq_i64(&u, b->o->now_ms);
    sq_i64(&u, (int64_t)num_min(n, INT32_MAX));
    while (!e && sq_row(&u)) {
        e = notice_take(b, &u);
        *taken += !e;
    }
    done = sq_done(&u);
    if (!e)
        e = done;
    return e ? e : lease_from(b, last);
}

/* Initiators that had no room are left out: whoever kept them out comes again. */
static void left_over(struct store_notice_claim *o, const struct sq_turns *t)
{
    o->next_due_ms = 0;
    for (size_t i = 0; i < t->n; i++) {
        int64_t due_ms = t->at[i].had_room ? t->at[i].due_ms : 0;

        if (due_ms && (!o->next_due_ms || due_ms < o->next_due_ms))
            o->next_due_ms = due_ms;
    }
    o->more = o->next_due_ms && o->next_due_ms <= o->now_ms;
}

enum err sq_notice_claim(struct sq *q, struct store_notice_claim *o)
{
    struct outbox b = {q, o};
    struct arena mem;
    struct sq_turns t = {.q = q,
                         .step = SQ_NOTICE_TURN,
                         .old = q->old_notice,
                         .now_ms = o->now_ms,
                         .max = o->max,
                         .last = &q->tally.notice_turn,
                         .take = take,
                         .arg = &b,
                         .mem = &mem};
    enum err e;

    list_init(&o->notices);
    arena_init(&mem, SQ_TURNS_FIRST_N, SQ_LOADED_MAX_N);
    e = sq_turns_find(&t, o->room, o->room_arg);
    if (!e)
        e = sq_turns_deal(&t);
    if (!e)
        left_over(o, &t);
    arena_clear(&mem);
    return e;
}
