/* Associations that the gateway has set up with terminals: kept with their first numbers, found again after a restart,
 * confirmed, dropped, listed.  What their octets say is the caller's; they are sealed when they come here.  Runs on the
 * store's thread. */
#include "ppg/store/sqlite.h"

#include "base/mem.h"

#define TIDY_MAX 8 /* rows that have run out and go when a new one comes */

/* What has run out, and what the new one takes the place of: all of the terminal's but the last that was confirmed.  Their
 * numbers go with them: the table's trigger. */
static enum err make_room(struct sq *q, const struct store_sa_keep *o)
{
    struct sq_use old = sq_use(q, SQ_SA_TIDY);
    struct sq_use less = sq_use(q, SQ_SA_LESS);
    enum err e;

    sq_i64(&old, o->sa.made_s);
    sq_i64(&old, TIDY_MAX);
    e = sq_exec(&old);
    if (e)
        return e;
    sq_text(&less, o->sa.terminal);
    return sq_exec(&less);
}

static enum err first_numbers(struct sq *q, const struct store_sa_keep *o)
{
    struct sq_use set = sq_use(q, SQ_NUMBER_SET);

    sq_blob(&set, slice_of(o->sa.said, sizeof o->sa.said));
    sq_i64(&set, 1 + (int64_t)o->count);
    return sq_exec(&set);
}

enum err sq_sa_keep(struct sq *q, struct store_sa_keep *o)
{
    struct sq_use u;
    enum err e = make_room(q, o);

    if (e)
        return e;
    u = sq_use(q, SQ_SA_ADD);
    sq_blob(&u, slice_of(o->sa.said, sizeof o->sa.said));
    sq_text(&u, o->sa.terminal);
    sq_i64(&u, o->sa.made_s);
    sq_i64(&u, o->sa.expires_s);
    sq_blob(&u, o->sa.octets);
    e = sq_exec(&u);
    return e ? e : first_numbers(q, o);
}

enum err sq_sa_confirm(struct sq *q, struct store_sa_confirm *o)
{
    struct sq_use u = sq_use(q, SQ_SA_CONFIRM);
    enum err e;

    sq_blob(&u, slice_of(o->said, sizeof o->said));
    e = sq_exec(&u);
    return e || sq_changes(q) ? e : ERR_ABSENT;
}

enum err sq_sa_drop(struct sq *q, struct store_sa_drop *o)
{
    struct sq_use u = sq_use(q, o->terminal.n ? SQ_SA_DROP_ALL : SQ_SA_DROP);
    enum err e;

    if (o->terminal.n)
        sq_text(&u, o->terminal);
    else
        sq_blob(&u, slice_of(o->said, sizeof o->said));
    e = sq_exec(&u);
    if (!e)
        o->gone = (size_t)sq_changes(q);
    return e;
}

/* --- reading --- */

static enum err row_load(const struct sq_use *u, struct arena *mem, struct store_sa *out)
{
    struct sq_load l = {.u = u, .mem = mem};

    mem_copy(out->said, sizeof out->said, slice_sub(sq_col_bytes(u, 0), 0, sizeof out->said));
    out->terminal = sq_load_text(&l, 1);
    out->made_s = sq_col(u, 2);
    out->expires_s = sq_col(u, 3);
    out->confirmed = sq_col(u, 4) != 0;
    out->octets = sq_load_text(&l, 5);
    return l.err;
}

enum err sq_sa_find(struct sq *q, struct store_sa_find *o)
{
    struct sq_use u = sq_use(q, SQ_SA_FIND);
    enum err e = ERR_OK, end;

    arena_init(&o->mem, 1024, SQ_LOADED_MAX_N);
    o->n = 0;
    sq_text(&u, o->terminal);
    while (!e && o->n < STORE_SA_OF_TERMINAL && sq_row(&u))
        e = row_load(&u, &o->mem, &o->sas[o->n++]);
    end = sq_done(&u);
    return e ? e : end;
}

enum err sq_sa_list(struct sq *q, struct store_sa_list *o)
{
    struct sq_use u = sq_use(q, SQ_SA_LIST);
    enum err e = ERR_OK, end;

    arena_init(&o->mem, 4096, SQ_LOADED_MAX_N);
    o->n = 0;
    o->more = false;
    o->sas = arena_array(&o->mem, o->max, sizeof *o->sas);
    if (!o->sas)
        return ERR_NOMEM;
    sq_text_or_null(&u, o->terminal);
    if (o->by_said)
        sq_blob(&u, slice_of(o->said, sizeof o->said));
    else
        sq_text_or_null(&u, SLICE_NONE);
    sq_i64(&u, (int64_t)o->max + 1);
    while (!e && !o->more && sq_row(&u)) {
        o->more = o->n == o->max;
        if (!o->more)
            e = row_load(&u, &o->mem, &o->sas[o->n++]);
    }
    end = sq_done(&u);
    return e ? e : end;
}
