/* Failed logins: a bounded table of sources, least recently failing first out.  No specification; the habit of
 * doubling waits is common.  A mutex guards the table for a moment each time, but not while nobody has failed: then
 * every submission asks a count, and no more. */
#include "security/login/penalty.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"

#define PENALTY_MAX_N     1000000
#define PENALTY_FORGET_MS (10 * (int64_t)SEC_PENALTY_MAX_MS)

struct source {
    struct list lru; /* in sec_penalty.lru, least recently failing first */
    char name[SEC_PENALTY_SOURCE_MAX_N];
    size_t name_n;
    unsigned failures;
    int64_t last_ms; /* of the last failure */
    int64_t next_ms; /* listened to again from then on */
};

struct sec_penalty {
    pthread_mutex_t mutex; /* guards what follows */
    struct map sources;    /* name to struct source, owned */
    struct list lru;
    size_t max;
    atomic_size_t count; /* sources.n, to be looked at without the mutex */
};

enum err sec_penalty_create(size_t max_n, struct sec_penalty **out)
{
    struct sec_penalty *p;

    if (max_n < 1 || max_n > PENALTY_MAX_N)
        return ERR_LIMIT;
    p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    (void)pthread_mutex_init(&p->mutex, NULL);
    map_init(&p->sources, max_n);
    list_init(&p->lru);
    p->max = max_n;
    *out = p;
    return ERR_OK;
}

static struct slice key_of(struct slice source)
{
    return slice_sub(source, 0, SEC_PENALTY_SOURCE_MAX_N);
}

static void forget(struct sec_penalty *p, struct source *s)
{
    (void)map_del(&p->sources, slice_of(s->name, s->name_n));
    atomic_store_explicit(&p->count, p->sources.n, memory_order_relaxed);
    list_remove(&s->lru);
    free(s);
}

void sec_penalty_free(struct sec_penalty **p)
{
    if (!*p)
        return;
    while (!list_empty(&(*p)->lru))
        forget(*p, container_of((*p)->lru.next, struct source, lru));
    map_clear(&(*p)->sources);
    (void)pthread_mutex_destroy(&(*p)->mutex);
    free(*p);
    *p = NULL;
}

/* A failure on another thread may be seen a moment late; on this one never. */
static bool nobody_failed(const struct sec_penalty *p)
{
    return atomic_load_explicit(&p->count, memory_order_relaxed) == 0;
}

int64_t sec_penalty_wait_ms(struct sec_penalty *p, struct slice source, int64_t now_ms)
{
    const struct source *s;
    int64_t wait_ms;

    if (nobody_failed(p))
        return 0;
    (void)pthread_mutex_lock(&p->mutex);
    s = map_get(&p->sources, key_of(source));
    wait_ms = s ? num_max64(0, s->next_ms - now_ms) : 0;
    (void)pthread_mutex_unlock(&p->mutex);
    return wait_ms;
}

/* A place for a new source: at the ceiling, that of the one whose last failure is longest ago. */
static struct source *place(struct sec_penalty *p, struct slice key)
{
    struct source *s;

    if (p->sources.n == p->max)
        forget(p, container_of(p->lru.next, struct source, lru));
    s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    mem_copy(s->name, sizeof s->name, key);
    s->name_n = key.n;
    list_init(&s->lru);
    if (map_put(&p->sources, slice_of(s->name, s->name_n), s)) {
        free(s);
        return NULL;
    }
    atomic_store_explicit(&p->count, p->sources.n, memory_order_relaxed);
    return s;
}

static int64_t wait_after(unsigned failures)
{
    unsigned doublings = failures - SEC_PENALTY_FREE - 1;

    if (failures <= SEC_PENALTY_FREE)
        return 0;
    return doublings > 16 ? SEC_PENALTY_MAX_MS
                          : num_min64(SEC_PENALTY_MAX_MS, (int64_t)SEC_PENALTY_FIRST_MS << doublings);
}

static void punish(struct sec_penalty *p, struct source *s, int64_t now_ms)
{
    if (s->failures && now_ms - s->last_ms > PENALTY_FORGET_MS)
        s->failures = 0;
    if (s->failures < 1000)
        s->failures++;
    s->last_ms = now_ms;
    s->next_ms = now_ms + wait_after(s->failures);
    list_remove(&s->lru);
    list_push_back(&p->lru, &s->lru);
}

void sec_penalty_fail(struct sec_penalty *p, struct slice source, int64_t now_ms)
{
    struct source *s;

    (void)pthread_mutex_lock(&p->mutex);
    s = map_get(&p->sources, key_of(source));
    if (!s)
        s = place(p, key_of(source));
    if (s) /* out of memory: no penalty rather than no service */
        punish(p, s, now_ms);
    (void)pthread_mutex_unlock(&p->mutex);
}

void sec_penalty_clear(struct sec_penalty *p, struct slice source)
{
    struct source *s;

    if (nobody_failed(p))
        return;
    (void)pthread_mutex_lock(&p->mutex);
    s = map_get(&p->sources, key_of(source));
    if (s)
        forget(p, s);
    (void)pthread_mutex_unlock(&p->mutex);
}

size_t sec_penalty_count(const struct sec_penalty *p)
{
    return atomic_load_explicit(&p->count, memory_order_relaxed);
}
