/* See rest.h.  Runs on the core's loop. */
#include "ppg/rest.h"

#include <stdlib.h>
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"

#define FORGET_MS 3600000 /* longer than any pause and probe */

struct record {
    struct list link; /* in rest.records: told longest ago first */
    int64_t told_ms;
    int64_t since_ms; /* of the present rest, or of its last prolongation */
    int64_t until_ms; /* no attempt before, while it rests */
    int64_t pause_ms; /* 0: it does not rest yet */
    unsigned fails;   /* in a row, before it rests */
    size_t key_n;
    char key[];
};

struct ppg_rest {
    struct map by_key;
    struct list records;
    size_t max;
    size_t resting;
};

static struct slice key_of(const struct record *d)
{
    return slice_of(d->key, d->key_n);
}

static void forget(struct ppg_rest *r, struct record *d)
{
    r->resting -= d->pause_ms > 0;
    list_remove(&d->link);
    (void)map_del(&r->by_key, key_of(d));
    free(d);
}

static struct record *oldest(const struct ppg_rest *r)
{
    return list_empty(&r->records) ? NULL : container_of(r->records.next, struct record, link);
}

static void forget_quiet(struct ppg_rest *r, int64_t now_ms)
{
    struct record *d;

    while ((d = oldest(r)) && now_ms - d->told_ms > FORGET_MS)
        forget(r, d);
}

static struct record *record_new(struct ppg_rest *r, struct slice key)
{
    struct record *d = calloc(1, sizeof *d + key.n);

    if (!d)
        return NULL;
    if (r->by_key.n >= r->max)
        forget(r, oldest(r));
    d->key_n = key.n;
    mem_copy(d->key, key.n, key);
    if (map_put(&r->by_key, key_of(d), d)) {
        free(d);
        return NULL;
    }
    list_init(&d->link);
    return d;
}

int64_t ppg_rest_until(const struct ppg_rest *r, struct slice server, int64_t now_ms)
{
    const struct record *d = map_get(&r->by_key, server);

    return d && d->pause_ms && d->until_ms > now_ms ? d->until_ms : 0;
}

bool ppg_rest_ask(struct ppg_rest *r, struct slice server, int64_t now_ms, int64_t attempt_ms, bool *probe)
{
    struct record *d = map_get(&r->by_key, server);

    if (d && d->pause_ms && d->until_ms > now_ms)
        return false;
    *probe = d && d->pause_ms;
    if (*probe)
        d->until_ms = now_ms + num_max64(attempt_ms, d->pause_ms);
    return true;
}

static enum ppg_rest_change failed(struct ppg_rest *r, struct record *d, int64_t began_ms, int64_t now_ms,
                                   int64_t first_ms)
{
    bool rested = d->pause_ms > 0;

    if (rested ? began_ms < d->since_ms : ++d->fails < PPG_REST_AFTER)
        return PPG_REST_SAME;
    r->resting += !rested;
    d->pause_ms = num_min64(rested ? 2 * d->pause_ms : first_ms, PPG_REST_MAX_MS);
    d->since_ms = now_ms;
    d->until_ms = now_ms + d->pause_ms;
    return rested ? PPG_REST_SAME : PPG_REST_BEGAN;
}

enum ppg_rest_change ppg_rest_tell(struct ppg_rest *r, struct slice server, bool good, int64_t began_ms,
                                   int64_t now_ms, int64_t first_ms)
{
    struct record *d;
    bool rested;

    forget_quiet(r, now_ms);
    d = map_get(&r->by_key, server);
    if (good && d) {
        rested = d->pause_ms > 0;
        forget(r, d);
        return rested ? PPG_REST_ENDED : PPG_REST_SAME;
    }
    if (good || (!d && !(d = record_new(r, server))))
        return PPG_REST_SAME;
    d->told_ms = now_ms;
    list_remove(&d->link);
    list_push_back(&r->records, &d->link);
    return failed(r, d, began_ms, now_ms, first_ms);
}

size_t ppg_rest_resting(const struct ppg_rest *r)
{
    return r->resting;
}

enum err ppg_rest_create(size_t known_max, struct ppg_rest **out)
{
    struct ppg_rest *r = calloc(1, sizeof *r);

    if (!r)
        return ERR_NOMEM;
    map_init(&r->by_key, known_max);
    list_init(&r->records);
    r->max = known_max;
    *out = r;
    return ERR_OK;
}

void ppg_rest_free(struct ppg_rest **rp)
{
    struct ppg_rest *r = *rp;
    struct record *d;

    if (!r)
        return;
    while ((d = oldest(r)))
        forget(r, d);
    map_clear(&r->by_key);
    free(r);
    *rp = NULL;
}
