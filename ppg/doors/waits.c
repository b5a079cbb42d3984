/* See waits.h.  A terminal is in the table while one of its requests waits. */
#include "ppg/doors/waits.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/map.h"
#include "base/mem.h"

struct waiter {
    size_t n; /* its requests */
    size_t key_n;
    char key[];
};

struct ppg_waits {
    pthread_mutex_t lock; /* guards what follows */
    struct map waiters;   /* key -> struct waiter */
    size_t all;
};

static void lock(struct ppg_waits *w)
{
    MUST(pthread_mutex_lock(&w->lock) == 0);
}

static void unlock(struct ppg_waits *w)
{
    MUST(pthread_mutex_unlock(&w->lock) == 0);
}

static struct waiter *waiter_of(struct ppg_waits *w, struct slice key)
{
    struct waiter *one = map_get(&w->waiters, key);

    if (one)
        return one;
    one = calloc(1, sizeof *one + key.n);
    if (!one)
        return NULL;
    one->key_n = key.n;
    mem_copy(one->key, key.n, key);
    if (map_put(&w->waiters, slice_of(one->key, one->key_n), one)) {
        free(one);
        return NULL;
    }
    return one;
}

static enum err begin(struct ppg_waits *w, struct slice key, size_t each_max, size_t all_max)
{
    struct waiter *one = map_get(&w->waiters, key);

    if (one && one->n >= each_max)
        return ERR_LIMIT;
    if (w->all >= all_max)
        return ERR_AGAIN;
    one = waiter_of(w, key);
    if (!one)
        return ERR_NOMEM;
    one->n++;
    w->all++;
    return ERR_OK;
}

enum err ppg_waits_begin(struct ppg_waits *w, struct slice key, size_t each_max, size_t all_max)
{
    enum err e;

    lock(w);
    e = begin(w, key, each_max, all_max);
    unlock(w);
    return e;
}

void ppg_waits_end(struct ppg_waits *w, struct slice key)
{
    struct waiter *one;

    lock(w);
    one = map_get(&w->waiters, key);
    MUST(one && w->all);
    w->all--;
    if (--one->n == 0) {
        (void)map_del(&w->waiters, slice_of(one->key, one->key_n));
        free(one);
    }
    unlock(w);
}

enum err ppg_waits_create(struct ppg_waits **out)
{
    struct ppg_waits *w = calloc(1, sizeof *w);

    if (!w)
        return ERR_NOMEM;
    MUST(pthread_mutex_init(&w->lock, NULL) == 0);
    map_init(&w->waiters, SIZE_MAX / 2);
    *out = w;
    return ERR_OK;
}

void ppg_waits_free(struct ppg_waits **wp)
{
    struct ppg_waits *w = *wp;

    if (!w)
        return;
    MUST(w->all == 0);
    map_clear(&w->waiters);
    MUST(pthread_mutex_destroy(&w->lock) == 0);
    free(w);
    *wp = NULL;
}
