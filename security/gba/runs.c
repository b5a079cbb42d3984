/* Three indexes over one list; see runs.h. */
#include "security/gba/runs.h"

#include <stdlib.h>
#include "base/mem.h"

void sec_runs_init(struct sec_runs *t, size_t max)
{
    map_init(&t->by_rand, max);
    map_init(&t->by_impi, max);
    map_init(&t->by_tmpi, max);
    list_init(&t->all);
    t->n = 0;
    t->max = max;
}

static struct slice rand_of(const struct sec_run *r)
{
    return slice_of(r->rand, sizeof r->rand);
}

/* Takes the entry only when it is this one's. */
static void unlist(struct map *m, struct slice key, const struct sec_run *r)
{
    if (key.n && map_get(m, key) == r)
        (void)map_del(m, key);
}

static void drop(struct sec_runs *t, struct sec_run *r)
{
    unlist(&t->by_rand, rand_of(r), r);
    unlist(&t->by_impi, slice_of(r->impi, r->impi_n), r);
    unlist(&t->by_tmpi, slice_of(r->tmpi, r->tmpi_n), r);
    list_remove(&r->link);
    t->n--;
    mem_wipe(r, sizeof *r);
    free(r);
}

void sec_runs_clear(struct sec_runs *t)
{
    LIST_EACH_SAFE (at, &t->all)
        drop(t, container_of(at, struct sec_run, link));
    map_clear(&t->by_rand);
    map_clear(&t->by_impi);
    map_clear(&t->by_tmpi);
}

static enum err enlist(struct sec_runs *t, struct sec_run *r)
{
    enum err e = map_put(&t->by_rand, rand_of(r), r);

    if (!e)
        e = map_put(&t->by_impi, slice_of(r->impi, r->impi_n), r);
    if (!e && r->tmpi_n)
        e = map_put(&t->by_tmpi, slice_of(r->tmpi, r->tmpi_n), r);
    return e;
}

enum err sec_runs_put(struct sec_runs *t, const struct sec_run *run, int64_t now_s)
{
    struct sec_run *old = map_get(&t->by_impi, slice_of(run->impi, run->impi_n));
    struct sec_run *r = malloc(sizeof *r);
    enum err e;

    if (!r)
        return ERR_NOMEM;
    if (old)
        drop(t, old);
    LIST_EACH_SAFE (at, &t->all) { /* they end about as they began: the first that is good ends the search */
        struct sec_run *first = container_of(at, struct sec_run, link);

        if (first->expires_s > now_s && t->n < t->max)
            break;
        drop(t, first);
    }
    *r = *run;
    list_push_back(&t->all, &r->link);
    t->n++;
    e = enlist(t, r);
    if (e)
        drop(t, r);
    return e;
}

static const struct sec_run *good(struct sec_runs *t, struct sec_run *r, int64_t now_s)
{
    if (!r || r->expires_s > now_s)
        return r;
    drop(t, r);
    return NULL;
}

const struct sec_run *sec_runs_by_rand(struct sec_runs *t, const uint8_t rand[SEC_AKA_RAND_N], int64_t now_s)
{
    return good(t, map_get(&t->by_rand, slice_of(rand, SEC_AKA_RAND_N)), now_s);
}

const struct sec_run *sec_runs_by_impi(struct sec_runs *t, struct slice impi, int64_t now_s)
{
    return good(t, map_get(&t->by_impi, impi), now_s);
}

const struct sec_run *sec_runs_by_tmpi(struct sec_runs *t, struct slice tmpi, int64_t now_s)
{
    return good(t, map_get(&t->by_tmpi, tmpi), now_s);
}

void sec_runs_sweep(struct sec_runs *t, int64_t now_s)
{
    LIST_EACH_SAFE (at, &t->all)
        if (container_of(at, struct sec_run, link)->expires_s <= now_s)
            drop(t, container_of(at, struct sec_run, link));
}
