/* How an attempt ended, and numbers of associations and subscribers: the operations of the embedded engine that change single rows.
 * Nothing is allocated; slices are bound where they lie.  Who may call and in which order is store.c's concern. */
#include "ppg/store/sqlite.h"

_Static_assert(ST_WAITING == 0 && ST_DELIVERED == 2,
               "the statements say stage < 2 for a target that is not final");

/* coalesce() in the statement keeps what was there where the text is empty, and what the last attempt was where there
 * was none. */
static void record(struct sq_use *u, const struct store_record *r)
{
    const struct slice texts[] = {r->bearer, r->protection, r->note};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        sq_text_or_null(u, slice_sub(texts[i], 0, SQ_TEXT_MAX_N));
    sq_i64_or_null(u, r->began_ms);
    if (r->began_ms)
        sq_i64(u, (int64_t)r->wire_n);
    else
        sq_text_or_null(u, SLICE_NONE);
}

enum err sq_notice_add(struct sq *q, int64_t target_id, int64_t due_ms, bool leased)
{
    struct sq_use u = sq_use(q, SQ_NOTICE_ADD);

    sq_i64(&u, target_id);
    sq_i64(&u, leased ? q->epoch : 0);
    sq_i64(&u, due_ms);
    q->tally.notices++;
    return sq_exec(&u);
}

static enum err target_finish(struct sq *q, const struct store_finish *o)
{
    struct sq_use u = sq_use(q, SQ_FINISH);
    enum err e;

    sq_i64(&u, o->target_id);
    sq_i64(&u, o->stage);
    sq_i64(&u, o->code);
    sq_i64(&u, o->tries);
    sq_i64(&u, o->event_ms);
    sq_i64(&u, o->notify && !o->group_id);
    record(&u, &o->record);
    e = sq_exec(&u);
    return e || sq_changes(q) ? e : ERR_LATE;
}

enum err sq_finish(struct sq *q, struct store_finish *o)
{
    bool fetched = o->key.n != 0;
    enum err e = ERR_OK;

    if (fetched && !sq_item_is(q, o->target_id, o->key, &e))
        return e ? e : ERR_ABSENT;
    e = target_finish(q, o);
    if (e)
        return e;
    q->tally.open--;
    sq_open_change_of(q, o->initiator, q->tally.open + 1);
    if (o->group_id)
        return sq_group_less(q, o->group_id, 1, o->event_ms, o->notify, &o->group_ended);
    if (o->notify)
        e = sq_notice_add(q, o->target_id, o->event_ms, !fetched);
    if (!e && o->notify && !fetched)
        o->notice_id = o->target_id;
    return e;
}

/* The attempt whose record the target has just been given. */
static enum err attempt_add(struct sq *q, const struct store_move *o)
{
    struct sq_use add = sq_use(q, SQ_ATTEMPT_ADD);
    struct sq_use cut = sq_use(q, SQ_ATTEMPT_CUT);
    enum err e;

    sq_i64(&add, o->target_id);
    sq_i64(&add, clk_utc_ms(q->clk));
    e = sq_exec(&add);
    if (e || o->tries <= SQ_ATTEMPTS_MAX)
        return e;
    sq_i64(&cut, o->target_id);
    sq_i64(&cut, o->tries - SQ_ATTEMPTS_MAX);
    return sq_exec(&cut);
}

enum err sq_move(struct sq *q, struct store_move *o)
{
    struct sq_use u = sq_use(q, SQ_MOVE);
    enum err e;

    sq_i64(&u, o->target_id);
    sq_i64(&u, o->due_ms);
    sq_i64(&u, o->tries);
    sq_i64(&u, o->keep);
    record(&u, &o->record);
    sq_i64(&u, o->by_call);
    e = sq_exec(&u);
    if (!e && sq_changes(q) == 0)
        return ERR_LATE;
    return !e && o->record.began_ms ? attempt_add(q, o) : e;
}

enum err sq_numbers(struct sq *q, struct store_numbers *o)
{
    const struct slice said = slice_of(o->said, sizeof o->said);
    struct sq_use get = sq_use(q, SQ_NUMBER_GET);
    struct sq_use set = sq_use(q, SQ_NUMBER_SET);
    int64_t from = 1;
    enum err e;

    sq_blob(&get, said);
    if (sq_row(&get))
        from = sq_col(&get, 0);
    e = sq_done(&get);
    if (e)
        return e;
    if (from < o->floor)
        from = o->floor;
    if (from + o->count > UINT32_MAX)
        return ERR_LATE;
    sq_blob(&set, said);
    sq_i64(&set, from + o->count);
    e = sq_exec(&set);
    if (e)
        return e;
    o->from = (uint32_t)from;
    o->to = (uint32_t)(from + o->count);
    return ERR_OK;
}

/* SEQ has 43 bits (TS 33.102 §C.3.4). */
#define SEQ_END (INT64_C(1) << 43)

/* Where the last reservation of that subscriber ended; `floor` where there was none. */
static enum err seq_next(struct sq *q, struct slice impi, int64_t floor, int64_t *next)
{
    struct sq_use get = sq_use(q, SQ_SEQ_GET);

    *next = floor;
    sq_text(&get, impi);
    if (sq_row(&get) && sq_col(&get, 0) > floor)
        *next = sq_col(&get, 0);
    return sq_done(&get);
}

enum err sq_seq(struct sq *q, struct store_seq *o)
{
    struct sq_use set = sq_use(q, SQ_SEQ_SET);
    int64_t from = o->floor < (uint64_t)SEQ_END ? (int64_t)o->floor : SEQ_END;
    enum err e = o->set ? ERR_OK : seq_next(q, o->impi, from, &from);

    if (e)
        return e;
    if (from + o->count > SEQ_END)
        return ERR_LATE;
    sq_text(&set, o->impi);
    sq_i64(&set, from + o->count);
    e = sq_exec(&set);
    if (e)
        return e;
    o->from = (uint64_t)from;
    o->to = (uint64_t)from + o->count;
    return ERR_OK;
}
