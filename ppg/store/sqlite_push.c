/* A push that is stored, found by its name, and its targets as far as a cancel or a replay looks at them.  Runs on the
 * store's thread. */
#include "ppg/store/sqlite.h"

enum err sq_push_find(struct sq *q, struct slice initiator, struct slice push_id, struct sq_push *out)
{
    struct sq_use u = sq_use(q, initiator.n ? SQ_PUSH_FIND : SQ_PUSH_FIND_ANY);
    int64_t no = 0;
    enum err e = initiator.n ? sq_initiator_find(q, initiator, &no) : ERR_OK;
    bool found;

    if (e)
        return e;
    sq_text(&u, push_id);
    if (initiator.n)
        sq_i64(&u, no);
    found = sq_row(&u);
    if (found)
        *out = (struct sq_push){.id = sq_col(&u, 0),
                                .initiator_no = sq_col(&u, 1),
                                .targets_n = (size_t)sq_col(&u, 2),
                                .notify = sq_col(&u, 3) != 0};
    e = sq_done(&u);
    return e || found ? e : ERR_ABSENT;
}

/* The columns of SQ_PUSH_TARGETS. */
static void target_load(struct sq_load *l, const struct sq *q, struct sq_target *t)
{
    t->id = sq_col(l->u, 0);
    t->address = sq_load_text(l, 1);
    t->key = sq_load_text(l, 2);
    t->stage = (enum ppg_stage)sq_col(l->u, 3);
    t->held = sq_col(l->u, 4) == q->epoch;
    t->group_id = sq_col(l->u, 5);
    t->members_n = (size_t)sq_col(l->u, 6);
}

enum err sq_push_targets(struct sq *q, const struct sq_push *push, struct arena *mem, struct sq_target **out,
                         size_t *n)
{
    struct sq_use u = sq_use(q, SQ_PUSH_TARGETS);
    struct sq_load l = {&u, mem, ERR_OK};
    struct sq_target *t = arena_array(mem, push->targets_n, sizeof *t);
    size_t at = 0;

    if (!t)
        return ERR_NOMEM;
    sq_i64(&u, push->id);
    sq_i64(&u, (int64_t)push->targets_n);
    while (!l.err && at < push->targets_n && sq_row(&u))
        target_load(&l, q, &t[at++]);
    if (sq_done(&u) || l.err)
        return u.err ? u.err : l.err;
    *out = t;
    *n = at;
    return ERR_OK;
}
