/* The operations of the embedded engine that write rows.  Nothing is allocated here but the name of an initiator seen
 * for the first time; slices are bound where they lie.  Who may call and in which order is store.c's concern. */
#include "ppg/store/sqlite.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

#define RECORD_TEXT_MAX_N 255u /* octets of a text of struct store_record */
#define PURGE_LOOKS       4u   /* pushes looked at for each that may go */

_Static_assert(ST_WAITING == 0 && ST_DELIVERED == 2,
               "the statements say stage < 2 for a target that is not final");

/* One account name and its small number; lives in q->initiators. */
struct sq_initiator {
    int64_t no;
    size_t name_n;
    char name[];
};

void sq_initiators_forget(struct sq *q)
{
    struct sq_initiator *i;
    size_t pos = 0;

    while ((i = map_next(&q->initiators, &pos)))
        free(i);
    map_clear(&q->initiators);
}

/* A name that finds no room in memory is looked up again the next time. */
static void initiator_keep(struct sq *q, struct slice name, int64_t no)
{
    struct sq_initiator *i = malloc(sizeof *i + name.n);

    if (!i)
        return;
    i->no = no;
    i->name_n = name.n;
    mem_copy(i->name, name.n, name);
    if (map_put(&q->initiators, slice_of(i->name, i->name_n), i))
        free(i);
}

static enum err initiator_no(struct sq *q, struct slice name, int64_t *no)
{
    static const enum sq_stmt ways[] = {SQ_INITIATOR_GET, SQ_INITIATOR_ADD};
    const struct sq_initiator *known = map_get(&q->initiators, name);
    enum err e = ERR_OK;
    bool found = known;

    if (known)
        *no = known->no;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0] && !e && !found; i++) {
        struct sq_use u = sq_use(q, ways[i]);

        sq_text(&u, name);
        found = sq_row(&u);
        if (found)
            *no = sq_col(&u, 0);
        e = sq_done(&u);
    }
    if (!e && !known)
        initiator_keep(q, name, *no);
    return e;
}

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
    return sq_exec(&u);
}

static enum err target_add(struct sq *q, const struct ppg_push *p, struct ppg_target *t, int64_t id)
{
    struct sq_use u = sq_use(q, SQ_TARGET_ADD);
    bool final = ppg_stage_final((enum ppg_stage)t->stage);

    sq_i64(&u, id);
    sq_i64(&u, q->tally.next_id);
    sq_text(&u, t->address);
    sq_text(&u, t->key);
    sq_i64(&u, final ? t->stage : ST_WAITING);
    sq_i64(&u, t->code);
    sq_i64(&u, t->tries);
    sq_i64(&u, t->demanded);
    sq_i64(&u, t->leased && !final ? q->epoch : 0);
    sq_i64(&u, t->due_ms);
    sq_i64(&u, final ? p->accepted_ms : 0);
    if (!final)
        q->tally.open++;
    t->id = id;
    return sq_exec(&u);
}

enum err sq_insert(struct sq *q, struct store_insert *o)
{
    struct ppg_push *p = o->push;
    int64_t initiator = 0;
    enum err e = initiator_no(q, p->initiator, &initiator);

    if (!e)
        e = push_add(q, p, initiator);
    if (!e && sq_changes(q) == 0)
        return ERR_EXISTS;
    for (size_t i = 0; !e && i < p->targets_n; i++)
        e = target_add(q, p, &p->targets[i], q->tally.next_id + (int64_t)i);
    if (e)
        return e;
    p->id = q->tally.next_id;
    q->tally.next_id += p->targets_n ? (int64_t)p->targets_n : 1;
    return ERR_OK;
}

/* coalesce() in the statement keeps what was there where the text is empty. */
static void record(struct sq_use *u, const struct store_record *r)
{
    const struct slice texts[] = {r->bearer, r->protection, r->note};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        sq_text_or_null(u, slice_sub(texts[i], 0, RECORD_TEXT_MAX_N));
}

static enum err notice_add(struct sq *q, int64_t target_id, int64_t due_ms)
{
    struct sq_use u = sq_use(q, SQ_NOTICE_ADD);

    sq_i64(&u, target_id);
    sq_i64(&u, q->epoch);
    sq_i64(&u, due_ms);
    q->tally.notices++;
    return sq_exec(&u);
}

enum err sq_finish(struct sq *q, struct store_finish *o)
{
    struct sq_use u = sq_use(q, SQ_FINISH);
    enum err e;

    sq_i64(&u, o->target_id);
    sq_i64(&u, o->stage);
    sq_i64(&u, o->code);
    sq_i64(&u, o->tries);
    sq_i64(&u, o->event_ms);
    sq_i64(&u, o->notify ? 1 : 0);
    record(&u, &o->record);
    e = sq_exec(&u);
    if (e)
        return e;
    if (sq_changes(q) == 0)
        return ERR_LATE;
    q->tally.open--;
    if (o->notify)
        e = notice_add(q, o->target_id, o->event_ms);
    if (!e && o->notify)
        o->notice_id = o->target_id;
    return e;
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
    e = sq_exec(&u);
    return e || sq_changes(q) ? e : ERR_LATE;
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

/* True when a target is open, became final too late, or owes a notice. */
static enum err purge_busy(struct sq *q, int64_t push, int64_t targets_n, int64_t before_ms, bool *busy)
{
    struct sq_use u = sq_use(q, SQ_PURGE_BUSY);
    bool row;
    enum err e;

    sq_i64(&u, push);
    sq_i64(&u, targets_n);
    sq_i64(&u, before_ms);
    row = sq_row(&u);
    e = sq_done(&u);
    if (!e)
        *busy = row;
    return e;
}

static enum err purge_push(struct sq *q, int64_t push, int64_t targets_n)
{
    struct sq_use targets = sq_use(q, SQ_PURGE_TARGETS);
    struct sq_use row = sq_use(q, SQ_PURGE_PUSH);
    enum err e;

    sq_i64(&targets, push);
    sq_i64(&targets, targets_n);
    e = sq_exec(&targets);
    if (e)
        return e;
    sq_i64(&row, push);
    return sq_exec(&row);
}

/* Looks at the push behind the last one looked at.  ERR_ABSENT: none is old enough, the next look starts over. */
static enum err purge_look(struct sq *q, struct store_purge *o)
{
    struct sq_use u = sq_use(q, SQ_PURGE_NEXT);
    int64_t targets_n = 0;
    int64_t id = 0;
    bool busy = true;
    bool old;
    enum err e;

    sq_i64(&u, q->tally.purge_at);
    old = sq_row(&u) && sq_col(&u, 2) < o->before_ms;
    if (old) {
        id = sq_col(&u, 0);
        targets_n = sq_col(&u, 1);
    }
    e = sq_done(&u);
    if (e)
        return e;
    q->tally.purge_at = id;
    if (!old)
        return ERR_ABSENT;
    e = purge_busy(q, id, targets_n, o->before_ms, &busy);
    if (e || busy)
        return e;
    o->gone++;
    return purge_push(q, id, targets_n);
}

enum err sq_purge(struct sq *q, struct store_purge *o)
{
    size_t looks = num_min(o->max, SIZE_MAX / PURGE_LOOKS) * PURGE_LOOKS;
    enum err e = ERR_OK;

    o->gone = 0;
    while (!e && o->gone < o->max && looks-- > 0)
        e = purge_look(q, o);
    return e == ERR_ABSENT ? ERR_OK : e;
}
