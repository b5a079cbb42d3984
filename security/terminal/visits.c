/* Keys of visitors; see visits.h.  The oldest are first in the list, and lives differ by an hour at most: what is over goes when
 * something comes. */
#include "security/terminal/visits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

/* One that has keys here. */
struct home {
    size_t keys;
    size_t name_n;
    char name[SEC_VISIT_HOME_MAX_N];
};

struct entry {
    struct list link;
    struct home *home;
    int64_t expires_s;
    bool used;
    uint8_t key[SEC_VISIT_KEY_N]; /* wiped when it is used */
    size_t identity_n, user_n;
    char identity[SEC_VISIT_IDENTITY_MAX_N];
    char user[SEC_VISIT_USER_MAX_N];
};

struct sec_visits {
    atomic_uint holders;
    pthread_mutex_t lock; /* protects the rest */
    struct map by_identity;
    struct map homes;
    struct list all; /* of entries */
};

enum err sec_visits_create(size_t max, struct sec_visits **out)
{
    struct sec_visits *v;

    if (max < 1 || max > SEC_VISITS_MAX)
        return ERR_LIMIT;
    v = calloc(1, sizeof *v);
    if (!v)
        return ERR_NOMEM;
    atomic_init(&v->holders, 1);
    MUST(pthread_mutex_init(&v->lock, NULL) == 0);
    map_init(&v->by_identity, max);
    map_init(&v->homes, max);
    list_init(&v->all);
    *out = v;
    return ERR_OK;
}

struct sec_visits *sec_visits_hold(struct sec_visits *v)
{
    atomic_fetch_add(&v->holders, 1);
    return v;
}

static struct slice identity_of(const struct entry *e)
{
    return slice_of(e->identity, e->identity_n);
}

static struct slice name_of(const struct home *h)
{
    return slice_of(h->name, h->name_n);
}

/* Without keys it is forgotten. */
static void home_drop(struct sec_visits *v, struct home *h)
{
    if (h->keys)
        return;
    (void)map_del(&v->homes, name_of(h));
    free(h);
}

static void entry_free(struct sec_visits *v, struct entry *e)
{
    e->home->keys--;
    home_drop(v, e->home);
    (void)map_del(&v->by_identity, identity_of(e));
    list_remove(&e->link);
    mem_wipe(e, sizeof *e);
    free(e);
}

void sec_visits_free(struct sec_visits **vp)
{
    struct sec_visits *v = *vp;

    *vp = NULL;
    if (!v || atomic_fetch_sub(&v->holders, 1) != 1)
        return;
    LIST_EACH_SAFE (at, &v->all)
        entry_free(v, container_of(at, struct entry, link));
    map_clear(&v->by_identity);
    map_clear(&v->homes);
    (void)pthread_mutex_destroy(&v->lock);
    free(v);
}

static void sweep(struct sec_visits *v, int64_t now_s)
{
    LIST_EACH_SAFE (at, &v->all) {
        struct entry *e = container_of(at, struct entry, link);

        if (e->expires_s <= now_s)
            entry_free(v, e);
    }
}

static bool is_visible(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= 0x20 || text.p[i] >= 0x7F)
            return false;
    return true;
}

static enum err check(const struct sec_visit *visit, int64_t now_s)
{
    /* so that no home makes names that are somebody else's at the same doors */
    if (!slice_starts(visit->identity, SLICE(SEC_VISIT_NAME)) ||
        visit->identity.n > SEC_VISIT_IDENTITY_MAX_N || !is_visible(visit->identity) ||
        visit->key.n != SEC_VISIT_KEY_N || visit->user.n > SEC_VISIT_USER_MAX_N || !is_visible(visit->user) ||
        visit->home.n < 1 || visit->home.n > SEC_VISIT_HOME_MAX_N)
        return ERR_MALFORMED;
    return visit->expires_s <= now_s || visit->expires_s - now_s > SEC_VISIT_LIFE_MAX_S ? ERR_LATE : ERR_OK;
}

static enum err home_find(struct sec_visits *v, struct slice name, struct home **out)
{
    struct home *h = map_get(&v->homes, name);
    enum err e;

    if (!h) {
        h = calloc(1, sizeof *h);
        if (!h)
            return ERR_NOMEM;
        h->name_n = name.n;
        mem_copy(h->name, sizeof h->name, name);
        e = map_put(&v->homes, name_of(h), h);
        if (e) {
            free(h);
            return ERR_NOMEM;
        }
    }
    *out = h;
    return ERR_OK;
}

static enum err entry_add(struct sec_visits *v, const struct sec_visit *visit, struct home *home)
{
    struct entry *e = calloc(1, sizeof *e);

    if (!e)
        return ERR_NOMEM;
    e->expires_s = visit->expires_s;
    e->identity_n = visit->identity.n;
    e->user_n = visit->user.n;
    mem_copy(e->identity, sizeof e->identity, visit->identity);
    mem_copy(e->user, sizeof e->user, visit->user);
    mem_copy(e->key, sizeof e->key, visit->key);
    list_init(&e->link);
    if (map_put(&v->by_identity, identity_of(e), e)) {
        mem_wipe(e, sizeof *e);
        free(e);
        return ERR_NOMEM;
    }
    e->home = home;
    home->keys++;
    list_push_back(&v->all, &e->link);
    return ERR_OK;
}

/* With the lock held. */
static enum err add(struct sec_visits *v, const struct sec_visit *visit)
{
    struct home *home;
    enum err e;

    if (map_get(&v->by_identity, visit->identity))
        return ERR_EXISTS;
    e = home_find(v, visit->home, &home);
    if (e)
        return e;
    e = home->keys >= visit->share ? ERR_LIMIT : entry_add(v, visit, home);
    home_drop(v, home);
    return e;
}

enum err sec_visits_add(struct sec_visits *v, const struct sec_visit *visit, int64_t now_s)
{
    enum err e = check(visit, now_s);

    if (e)
        return e;
    (void)pthread_mutex_lock(&v->lock);
    sweep(v, now_s);
    e = add(v, visit);
    (void)pthread_mutex_unlock(&v->lock);
    return e;
}

/* With the lock held. */
static struct entry *find(struct sec_visits *v, struct slice identity, int64_t now_s)
{
    struct entry *e = map_get(&v->by_identity, identity);

    return e && e->expires_s > now_s ? e : NULL;
}

bool sec_visits_key(struct sec_visits *v, struct slice identity, int64_t now_s, uint8_t key[SEC_VISIT_KEY_N])
{
    struct entry *e;
    bool found;

    (void)pthread_mutex_lock(&v->lock);
    e = find(v, identity, now_s);
    found = e && !e->used;
    if (found)
        mem_copy(key, SEC_VISIT_KEY_N, slice_of(e->key, sizeof e->key));
    (void)pthread_mutex_unlock(&v->lock);
    return found;
}

bool sec_visits_use(struct sec_visits *v, struct slice identity, int64_t now_s)
{
    struct entry *e;
    bool first;

    (void)pthread_mutex_lock(&v->lock);
    e = find(v, identity, now_s);
    first = e && !e->used;
    if (first) {
        mem_wipe(e->key, sizeof e->key);
        e->used = true;
    }
    (void)pthread_mutex_unlock(&v->lock);
    return first;
}

bool sec_visits_has(struct sec_visits *v, struct slice identity)
{
    bool has;

    (void)pthread_mutex_lock(&v->lock);
    has = map_get(&v->by_identity, identity) != NULL;
    (void)pthread_mutex_unlock(&v->lock);
    return has;
}

enum err sec_visits_user(struct sec_visits *v, struct slice identity, int64_t now_s, struct buf *user)
{
    struct entry *e;
    enum err err = ERR_ABSENT;

    (void)pthread_mutex_lock(&v->lock);
    e = find(v, identity, now_s);
    if (e && e->used && e->user_n) {
        buf_add(user, slice_of(e->user, e->user_n));
        err = buf_err(user);
    }
    (void)pthread_mutex_unlock(&v->lock);
    return err;
}

size_t sec_visits_count(struct sec_visits *v)
{
    size_t n;

    (void)pthread_mutex_lock(&v->lock);
    n = v->by_identity.n;
    (void)pthread_mutex_unlock(&v->lock);
    return n;
}
