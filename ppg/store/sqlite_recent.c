/* Pushes of late, newest first, in pieces; nothing here goes through the whole history.  Ids follow the order in which
 * pushes were stored, which is that of acceptance but for what met in one batch.  Runs on the store's thread. */
#include "ppg/store/sqlite.h"

/* The row at hand as a push with its targets; false: it ends the piece. */
static bool take(struct sq *q, const struct sq_use *u, struct store_recent *o, size_t *targets_n, enum err *e)
{
    struct store_show *s = &o->shows[o->shows_n];
    size_t n = (size_t)sq_col(u, SQ_COL_TARGETS_N);

    if (o->shows_n && *targets_n + n > o->targets_max)
        return false;
    *s = (struct store_show){.brief = true, .body_n = (uint64_t)sq_col(u, SQ_COL_BODY_N)};
    *e = sq_load_push(u, &s->push);
    if (*e)
        return false;
    o->shows_n++;
    *targets_n += n;
    *e = sq_show_targets(q, s->push, n, s);
    return !*e;
}

enum err sq_recent(struct sq *q, struct store_recent *o)
{
    struct sq_use u = sq_use(q, SQ_RECENT);
    bool more = false, old = false;
    size_t targets_n = 0;
    enum err e = ERR_OK, done;

    sq_i64(&u, o->before_id ? o->before_id : INT64_MAX);
    sq_i64(&u, (int64_t)o->max);
    o->shows_n = 0;
    while (!more && !old && o->shows_n < o->max && sq_row(&u)) {
        old = sq_col(&u, SQ_COL_ACCEPTED) < o->since_ms;
        more = !old && !take(q, &u, o, &targets_n, &e);
    }
    more = more || o->shows_n == o->max;
    done = sq_done(&u);
    o->next_id = more && o->shows_n ? o->shows[o->shows_n - 1].push->id : 0;
    return e ? e : done;
}
