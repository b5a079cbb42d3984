/* Forgetting pushes that are over.  A purge is one operation of a batch, so its work is bounded: pushes looked at, and
 * rows deleted.  Of a push with more targets than that the last ones go first, until none is left.  Runs on the store's
 * thread. */
#include "ppg/store/sqlite.h"

#include "base/num.h"

#define PURGE_LOOKS 4u   /* pushes looked at for each that may go */
#define PURGE_ROWS  4096 /* targets deleted by one operation */

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

static enum err delete_range(struct sq *q, enum sq_stmt which, int64_t from, int64_t n)
{
    struct sq_use u = sq_use(q, which);

    sq_i64(&u, from);
    sq_i64(&u, n);
    return sq_exec(&u);
}

/* The highest row of the push that is left; below `push` when there is none. */
static enum err last_target(struct sq *q, int64_t push, int64_t targets_n, int64_t *last)
{
    struct sq_use u = sq_use(q, SQ_PURGE_LAST);

    sq_i64(&u, push);
    sq_i64(&u, targets_n);
    if (sq_row(&u))
        *last = sq_col(&u, 0); /* NULL reads as 0, and ids begin with 1 */
    return sq_done(&u);
}

/* Deletes the last rows of the push, at most *rows; *gone when it was all of it. */
static enum err purge_push(struct sq *q, int64_t push, int64_t targets_n, int64_t *rows, bool *gone)
{
    struct sq_use row = sq_use(q, SQ_PURGE_PUSH);
    int64_t last = 0;
    int64_t from;
    enum err e = last_target(q, push, targets_n, &last);

    if (e)
        return e;
    from = num_max64(push, last + 1 - *rows);
    *rows -= num_max64(last + 1 - from, 0);
    e = delete_range(q, SQ_PURGE_ATTEMPTS, from, last + 1 - from);
    if (!e)
        e = delete_range(q, SQ_PURGE_TARGETS, from, last + 1 - from);
    if (e || from > push)
        return e;
    *gone = true;
    sq_i64(&row, push);
    return sq_exec(&row);
}

/* Looks at the push behind the last one looked at.  ERR_ABSENT: none is old enough, the next look starts over. */
static enum err purge_look(struct sq *q, struct store_purge *o, int64_t *rows)
{
    struct sq_use u = sq_use(q, SQ_PURGE_NEXT);
    int64_t targets_n = 0;
    int64_t id = 0;
    bool busy = true;
    bool gone = false;
    bool old;
    enum err e;

    sq_i64(&u, q->tally.purge_at);
    old = sq_row(&u) && sq_col(&u, 2) < o->before_ms;
    if (old) {
        id = sq_col(&u, 0);
        targets_n = sq_col(&u, 1);
    }
    e = sq_done(&u);
    if (!e && old)
        e = purge_busy(q, id, targets_n, o->before_ms, &busy);
    if (!e && !busy)
        e = purge_push(q, id, targets_n, rows, &gone);
    if (e)
        return e;
    o->gone += gone;
    if (busy || gone)
        q->tally.purge_at = id; /* else the next look goes on with this one */
    return old ? ERR_OK : ERR_ABSENT;
}

enum err sq_purge(struct sq *q, struct store_purge *o)
{
    size_t looks = num_min(o->max, SIZE_MAX / PURGE_LOOKS) * PURGE_LOOKS;
    int64_t rows = PURGE_ROWS;
    enum err e = ERR_OK;

    o->gone = 0;
    while (!e && o->gone < o->max && looks-- > 0 && rows > 0)
        e = purge_look(q, o, &rows);
    return e == ERR_ABSENT ? ERR_OK : e;
}
