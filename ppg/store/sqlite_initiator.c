/* Account names, their small numbers, and how much waits of whom: those seen lately are kept in memory, so that a push of
 * a known initiator costs no look-up.  What is kept goes with a transaction that is rolled back, and is counted anew.
 * Runs on the store's thread. */
#include "ppg/store/sqlite.h"

#include <stdlib.h>

#include "base/mem.h"

/* One account name and its small number; lives in q->initiators. */
struct sq_initiator {
    int64_t no;
    uint64_t open; /* targets that are not final; good while it is in q->counted */
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
    map_clear(&q->counted);
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

static enum err number_of(struct sq *q, struct slice name, bool add, int64_t *no)
{
    static const enum sq_stmt ways[] = {SQ_INITIATOR_GET, SQ_INITIATOR_ADD};
    const struct sq_initiator *known = map_get(&q->initiators, name);
    enum err e = ERR_ABSENT;

    if (known) {
        *no = known->no;
        return ERR_OK;
    }
    for (size_t i = 0; i < (add ? 2u : 1u) && e == ERR_ABSENT; i++) {
        struct sq_use u = sq_use(q, ways[i]);
        bool found;
        enum err done;

        sq_text(&u, name);
        found = sq_row(&u);
        if (found)
            *no = sq_col(&u, 0);
        done = sq_done(&u);
        e = done || found ? done : ERR_ABSENT;
    }
    if (!e)
        initiator_keep(q, name, *no);
    return e;
}

enum err sq_initiator_find(struct sq *q, struct slice name, int64_t *no)
{
    return number_of(q, name, false, no);
}

enum err sq_initiator_no(struct sq *q, struct slice name, int64_t *no)
{
    return number_of(q, name, true, no);
}

enum err sq_initiator_name(struct sq *q, int64_t no, struct arena *mem, struct slice *out)
{
    struct sq_use u = sq_use(q, SQ_INITIATOR_NAME);
    enum err e = ERR_IO; /* a row of nobody: the file is damaged */
    enum err done;

    sq_i64(&u, no);
    if (sq_row(&u))
        e = arena_dup(mem, sq_col_bytes(&u, 0), out);
    done = sq_done(&u);
    return done ? done : e;
}

/* --- what waits --- */

static struct slice number_key(const int64_t *no)
{
    return slice_of(no, sizeof *no);
}

/* By the leases that an open target may have: nobody's, an older run's, ours. */
static enum err open_count(struct sq *q, int64_t no, uint64_t *n)
{
    const int64_t leases[] = {0, q->old_target, q->epoch};
    enum err e = ERR_OK;

    *n = 0;
    for (size_t i = 0; !e && i < sizeof leases / sizeof leases[0]; i++) {
        struct sq_use u = sq_use(q, SQ_OPEN_OF);

        sq_i64(&u, leases[i]);
        sq_i64(&u, no);
        if (sq_row(&u))
            *n += (uint64_t)sq_col(&u, 0);
        e = sq_done(&u);
    }
    return e;
}

enum err sq_open_of(struct sq *q, struct slice name, int64_t no, uint64_t *n)
{
    struct sq_initiator *i = map_get(&q->counted, number_key(&no));
    uint64_t counted = 0;
    enum err e;

    if (i) {
        *n = i->open;
        return ERR_OK;
    }
    e = open_count(q, no, &counted);
    if (e)
        return e;
    i = map_get(&q->initiators, name);
    if (i) {
        i->open = counted;
        e = map_put(&q->counted, number_key(&i->no), i);
    }
    *n = counted;
    return e == ERR_NOMEM ? ERR_OK : e; /* it is counted again the next time */
}

static void change(const struct sq *q, struct sq_initiator *i, uint64_t tally_before)
{
    i->open += q->tally.open - tally_before;
}

void sq_open_change(struct sq *q, int64_t no, uint64_t tally_before)
{
    struct sq_initiator *i = map_get(&q->counted, number_key(&no));

    if (i)
        change(q, i, tally_before);
}

void sq_open_change_of(struct sq *q, struct slice name, uint64_t tally_before)
{
    struct sq_initiator *i = q->counted.n ? map_get(&q->initiators, name) : NULL;

    if (i)
        change(q, i, tally_before); /* of no use, and no harm, while it is not counted */
}
