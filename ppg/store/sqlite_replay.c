/* A push once more: its content under a new name, for the targets that did not get it.  Members of a group are copied
 * by themselves, since nobody is told of the copy's end.  Runs on the store's thread. */
#include "ppg/store/sqlite.h"

#define REPLAY_FIRST_N 4096u /* octets of arena; a few targets */

struct replay {
    struct sq *q;
    struct store_replay *o;
    struct sq_push push;
    struct sq_target *rows;
    size_t rows_n;
    struct map keys; /* that are asked for; empty: all */
};

static bool failed(enum ppg_stage stage)
{
    return stage == ST_UNDELIVERABLE || stage == ST_EXPIRED || stage == ST_ABORTED || stage == ST_TIMEOUT;
}

static bool asked(const struct replay *r, const struct sq_target *t)
{
    return !r->o->keys_n || map_get(&r->keys, t->key);
}

/* Keeps of the rows those that are to be copied: addresses that failed, asked for by their own key or their group's. */
static void choose(struct replay *r)
{
    bool group_asked = false;
    size_t n = 0;

    for (size_t i = 0; i < r->rows_n; i++) {
        const struct sq_target *t = &r->rows[i];

        if (t->members_n)
            group_asked = asked(r, t);
        else if (failed(t->stage) && (asked(r, t) || (t->group_id && group_asked)))
            r->rows[n++] = *t;
    }
    r->rows_n = n;
}

static enum err keys_index(struct replay *r)
{
    enum err e = ERR_OK;

    for (size_t i = 0; !e && i < r->o->keys_n; i++) {
        e = map_put(&r->keys, r->o->keys[i], (void *)&r->o->keys[i]);
        if (e == ERR_EXISTS)
            e = ERR_OK; /* named twice */
    }
    return e;
}

static enum err push_copy(struct replay *r)
{
    struct sq_use u = sq_use(r->q, SQ_REPLAY_PUSH);
    enum err e;

    sq_i64(&u, r->push.id);
    sq_i64(&u, r->q->tally.next_id);
    sq_text(&u, r->o->new_push_id);
    sq_i64(&u, (int64_t)r->rows_n);
    sq_i64(&u, r->o->now_ms);
    sq_i64(&u, r->o->expires_ms);
    sq_text(&u, r->o->how);
    e = sq_exec(&u);
    return e || sq_changes(r->q) ? e : ERR_EXISTS;
}

static enum err target_copy(struct replay *r, size_t i)
{
    struct sq_use u = sq_use(r->q, SQ_REPLAY_TARGET);

    sq_i64(&u, r->rows[i].id);
    sq_i64(&u, r->q->tally.next_id + (int64_t)i);
    sq_i64(&u, r->q->tally.next_id);
    sq_i64(&u, r->o->now_ms);
    sq_i64(&u, r->push.initiator_no);
    r->q->tally.open++;
    return sq_exec(&u);
}

static enum err copy(struct replay *r)
{
    enum err e = push_copy(r);

    for (size_t i = 0; !e && i < r->rows_n; i++)
        e = target_copy(r, i);
    if (e)
        return e;
    r->q->tally.next_id += (int64_t)r->rows_n;
    r->o->targets_n = r->rows_n;
    return ERR_OK;
}

enum err sq_replay(struct sq *q, struct store_replay *o)
{
    struct replay r = {.q = q, .o = o};
    struct arena mem;
    uint64_t before = q->tally.open;
    enum err e = sq_push_find(q, o->initiator, o->push_id, &r.push);

    if (e)
        return e;
    arena_init(&mem, REPLAY_FIRST_N, SQ_LOADED_MAX_N);
    map_init(&r.keys, SIZE_MAX / 2);
    e = keys_index(&r);
    if (!e)
        e = sq_push_targets(q, &r.push, &mem, &r.rows, &r.rows_n);
    if (!e)
        choose(&r);
    if (!e)
        e = r.rows_n ? copy(&r) : ERR_LATE;
    if (!e)
        sq_open_change(q, r.push.initiator_no, before);
    map_clear(&r.keys);
    arena_clear(&mem);
    return e;
}
