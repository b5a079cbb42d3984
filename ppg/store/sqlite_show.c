/* What is known of one push, and how much waits.  Runs on the store's thread. */
#include "ppg/store/sqlite.h"

/* The columns of SQ_SHOW_TARGETS; the last texts are left out when it is to be brief. */
static enum err show_target(const struct sq *q, struct sq_load *l, bool brief, struct store_show_target *t)
{
    t->id = sq_col(l->u, 0);
    t->address = sq_load_text(l, 1);
    t->key = sq_load_text(l, 2);
    t->stage = (enum ppg_stage)sq_col(l->u, 3);
    t->code = (uint16_t)sq_col(l->u, 4);
    t->tries = (uint16_t)sq_col(l->u, 5);
    t->demanded = (uint8_t)sq_col(l->u, 6);
    t->leased = sq_col(l->u, 7) == q->epoch;
    t->due_ms = sq_col(l->u, 8);
    t->event_ms = sq_col(l->u, 9);
    t->notified = (int)sq_col(l->u, 10);
    t->told_code = (uint16_t)sq_col(l->u, 11);
    t->group_id = sq_col(l->u, 12);
    t->members_n = (uint32_t)sq_col(l->u, 13);
    t->began_ms = sq_col(l->u, 14);
    t->wire_n = (uint64_t)sq_col(l->u, 15);
    t->notice_tries = (uint16_t)sq_col(l->u, 16);
    t->notice_due_ms = sq_col(l->u, 17);
    if (brief)
        return l->err;
    t->bearer = sq_load_text(l, 18);
    t->protection = sq_load_text(l, 19);
    t->note = sq_load_text(l, 20);
    t->rule = sq_load_text(l, 21);
    return l->err;
}

enum err sq_show_targets(struct sq *q, struct ppg_push *p, size_t targets_n, struct store_show *o)
{
    struct sq_use u = sq_use(q, SQ_SHOW_TARGETS);
    struct sq_load l = {&u, &p->mem, ERR_OK};
    struct store_show_target *t = arena_array(&p->mem, targets_n, sizeof *t);
    size_t n = 0;
    enum err e = t ? ERR_OK : ERR_NOMEM;

    if (e)
        return e;
    sq_i64(&u, p->id);
    sq_i64(&u, (int64_t)targets_n);
    while (!e && n < targets_n && sq_row(&u))
        e = show_target(q, &l, o->brief, &t[n++]);
    if (e) {
        (void)sq_done(&u);
        return e;
    }
    o->targets = t;
    o->targets_n = n;
    return sq_done(&u);
}

/* A place behind those the target has, in memory that doubles; the oldest goes when there are too many. */
static struct store_show_attempt *attempt_room(struct store_show_target *t, struct arena *mem)
{
    size_t n = t->attempts_n;

    if (n == SQ_ATTEMPTS_MAX) {
        for (size_t i = 1; i < n; i++)
            t->attempts[i - 1] = t->attempts[i];
        return &t->attempts[n - 1];
    }
    if ((n & (n - 1)) == 0) { /* 0, 1, 2, 4 ...: it is full */
        struct store_show_attempt *more = arena_array(mem, n ? n * 2 : 1, sizeof *more);

        if (!more)
            return NULL;
        for (size_t i = 0; i < n; i++)
            more[i] = t->attempts[i];
        t->attempts = more;
    }
    t->attempts_n++;
    return &t->attempts[n];
}

/* The columns of SQ_SHOW_ATTEMPTS. */
static enum err show_attempt(struct sq_load *l, struct store_show *o)
{
    int64_t at = sq_col(l->u, 0) - o->targets[0].id;
    struct store_show_attempt *a = attempt_room(&o->targets[at], l->mem);

    if (!a)
        return ERR_NOMEM;
    a->no = (uint16_t)sq_col(l->u, 1);
    a->began_ms = sq_col(l->u, 2);
    a->ended_ms = sq_col(l->u, 3);
    a->wire_n = (uint64_t)sq_col(l->u, 4);
    a->bearer = sq_load_text(l, 5);
    a->protection = sq_load_text(l, 6);
    a->note = sq_load_text(l, 7);
    return l->err;
}

/* The attempt that ended the target is in its own row: the last one it had, unless that is in the history already. */
static enum err show_last_attempt(struct arena *mem, struct store_show_target *t)
{
    const struct store_show_attempt *last = t->attempts_n ? &t->attempts[t->attempts_n - 1] : NULL;
    struct store_show_attempt *a;

    if (!ppg_stage_final(t->stage) || !t->began_ms ||
        (last && last->no == t->tries && last->began_ms == t->began_ms))
        return ERR_OK;
    a = attempt_room(t, mem);
    if (!a)
        return ERR_NOMEM;
    *a = (struct store_show_attempt){.began_ms = t->began_ms,
                                     .ended_ms = t->event_ms,
                                     .no = t->tries,
                                     .wire_n = t->wire_n,
                                     .bearer = t->bearer,
                                     .protection = t->protection,
                                     .note = t->note};
    return ERR_OK;
}

static enum err show_attempts(struct sq *q, struct ppg_push *p, struct store_show *o)
{
    struct sq_use u = sq_use(q, SQ_SHOW_ATTEMPTS);
    struct sq_load l = {&u, &p->mem, ERR_OK};
    enum err done;
    enum err e = ERR_OK;

    if (!o->targets_n)
        return ERR_OK;
    sq_i64(&u, o->targets[0].id);
    sq_i64(&u, (int64_t)o->targets_n);
    while (!e && sq_row(&u))
        e = show_attempt(&l, o);
    done = sq_done(&u);
    if (!e)
        e = done;
    for (size_t i = 0; !e && i < o->targets_n; i++)
        e = show_last_attempt(&p->mem, &o->targets[i]);
    return e;
}

/* The next row that may be shown. */
static bool shown_row(struct sq_use *u, const struct store_show *o)
{
    while (sq_row(u))
        if (!o->may || o->initiator.n || o->may(o->may_arg, sq_col_bytes(u, SQ_COL_INITIATOR)))
            return true;
    return false;
}

static enum err show_push(struct sq *q, struct store_show *o, struct ppg_push **p, size_t *targets_n)
{
    struct sq_use u = sq_use(q, o->initiator.n ? SQ_SHOW_PUSH : SQ_SHOW_PUSH_ANY);
    enum err done;
    enum err e = ERR_ABSENT;

    sq_text(&u, o->push_id);
    sq_text(&u, o->initiator);
    sq_i64(&u, o->brief);
    if (shown_row(&u, o)) {
        struct sq_load l = {&u, NULL, ERR_OK};

        e = sq_load_push(&u, p);
        *targets_n = (size_t)sq_col(&u, SQ_COL_TARGETS_N);
        o->body_n = (uint64_t)sq_col(&u, SQ_COL_BODY_N);
        if (!e) {
            l.mem = &(*p)->mem;
            (*p)->how = sq_load_text(&l, SQ_COL_SHOW_HOW);
            e = l.err;
        }
    }
    done = sq_done(&u);
    return done && e == ERR_ABSENT ? done : e;
}

enum err sq_show(struct sq *q, struct store_show *o)
{
    struct ppg_push *p = NULL;
    size_t targets_n = 0;
    enum err e = show_push(q, o, &p, &targets_n);

    if (!e)
        e = sq_show_targets(q, p, targets_n, o);
    if (!e && !o->brief)
        e = show_attempts(q, p, o);
    if (e)
        ppg_push_drop(p);
    else
        o->push = p;
    return e;
}

enum err sq_count(struct sq *q, struct store_count *o)
{
    struct sq_use leased = sq_use(q, SQ_COUNT_LEASED);
    struct sq_use pages = sq_use(q, SQ_COUNT_PAGES);
    enum err e;

    sq_i64(&leased, q->epoch);
    if (sq_row(&leased))
        o->leased = (uint64_t)sq_col(&leased, 0);
    e = sq_done(&leased);
    if (e)
        return e;
    if (sq_row(&pages))
        o->file_n = (uint64_t)sq_col(&pages, 0);
    e = sq_done(&pages);
    o->waiting = q->tally.open - o->leased;
    o->notices = q->tally.notices;
    return e;
}
