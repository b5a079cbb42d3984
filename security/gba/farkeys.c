/* Two tables, of keys and of refusals, and the questions under way; see farkeys.h.  All are found by the same name: B-TID,
 * a NUL, NAF_Id. */
#include "security/gba/farkeys.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "base/map.h"
#include "base/mem.h"

#define NAME_MAX_N (SEC_BTID_MAX_N + 1 + SEC_GBA_NAF_ID_MAX_N)

struct name {
    char octets[NAME_MAX_N];
    size_t n;
};

struct entry {
    struct list link;       /* the table's: oldest first */
    int64_t until_s;        /* UTC; good strictly before */
    struct sec_naf_key key; /* of the table of keys; else empty */
    size_t name_n;
    char name[]; /* no longer than it must be */
};

struct table {
    struct map by_name;
    struct list all;
    size_t max;
};

struct question {
    struct list waiters;
    struct name name;
};

struct sec_farkeys {
    atomic_uint holders;
    pthread_mutex_t lock; /* guards what follows */
    struct table known, refused;
    struct map asking;
    int64_t refused_s;
};

static enum err name_of(struct slice btid, struct slice naf_id, struct name *out)
{
    uint8_t rand[SEC_AKA_RAND_N];
    struct slice fqdn, ua;

    if (btid.n > SEC_BTID_MAX_N || sec_gba_btid_parse(btid, rand, &fqdn) ||
        sec_gba_naf_id_split(naf_id, &fqdn, &ua))
        return ERR_MALFORMED;
    mem_copy(out->octets, NAME_MAX_N, btid);
    out->octets[btid.n] = '\0';
    mem_copy(out->octets + btid.n + 1, NAME_MAX_N - btid.n - 1, naf_id);
    out->n = btid.n + 1 + naf_id.n;
    return ERR_OK;
}

static struct slice text_of(const struct name *name)
{
    return slice_of(name->octets, name->n);
}

/* --- tables --- */

static void table_init(struct table *t, size_t max)
{
    map_init(&t->by_name, max);
    list_init(&t->all);
    t->max = max;
}

static void drop(struct table *t, struct entry *e)
{
    (void)map_del(&t->by_name, slice_of(e->name, e->name_n));
    list_remove(&e->link);
    sec_naf_key_clear(&e->key);
    free(e);
}

static void table_sweep(struct table *t, int64_t now_s)
{
    LIST_EACH_SAFE (at, &t->all)
        if (container_of(at, struct entry, link)->until_s <= now_s)
            drop(t, container_of(at, struct entry, link));
}

static void table_clear(struct table *t)
{
    table_sweep(t, INT64_MAX);
    map_clear(&t->by_name);
}

static const struct entry *table_find(struct table *t, const struct name *name, int64_t now_s)
{
    struct entry *e = map_get(&t->by_name, text_of(name));

    if (!e || e->until_s > now_s)
        return e;
    drop(t, e);
    return NULL;
}

/* Without memory it is forgotten: who waited asks again. */
static void table_put(struct table *t, const struct name *name, const struct sec_naf_key *key,
                      int64_t until_s)
{
    struct entry *old = map_get(&t->by_name, text_of(name));
    struct entry *e = calloc(1, sizeof *e + name->n);

    if (!old && t->by_name.n == t->max)
        old = container_of(t->all.next, struct entry, link);
    if (old)
        drop(t, old);
    if (!e)
        return;
    e->until_s = until_s;
    if (key)
        e->key = *key;
    e->name_n = name->n;
    mem_copy(e->name, name->n, text_of(name));
    list_push_back(&t->all, &e->link);
    if (map_put(&t->by_name, slice_of(e->name, e->name_n), e))
        drop(t, e);
}

/* --- look-ups --- */

enum err sec_farkeys_find(struct sec_farkeys *f, struct slice btid, struct slice naf_id, int64_t now_s,
                          struct sec_naf_key *out)
{
    const struct entry *known, *refused = NULL;
    struct name name;
    enum err e = name_of(btid, naf_id, &name);

    if (e)
        return e;
    (void)pthread_mutex_lock(&f->lock);
    known = table_find(&f->known, &name, now_s);
    if (known)
        *out = known->key;
    else
        refused = table_find(&f->refused, &name, now_s);
    (void)pthread_mutex_unlock(&f->lock);
    return known ? ERR_OK : refused ? ERR_ABSENT : ERR_AGAIN;
}

static enum err question_put(struct sec_farkeys *f, const struct name *name, struct list *waiter)
{
    struct question *q = calloc(1, sizeof *q);
    enum err e;

    if (!q)
        return ERR_NOMEM;
    q->name = *name;
    list_init(&q->waiters);
    e = map_put(&f->asking, text_of(&q->name), q);
    if (e)
        free(q);
    else
        list_push_back(&q->waiters, waiter);
    return e;
}

enum err sec_farkeys_begin(struct sec_farkeys *f, struct slice btid, struct slice naf_id, struct list *waiter)
{
    struct question *q;
    struct name name;
    enum err e = name_of(btid, naf_id, &name);

    if (e)
        return e;
    (void)pthread_mutex_lock(&f->lock);
    q = map_get(&f->asking, text_of(&name));
    if (q)
        list_push_back(&q->waiters, waiter);
    else
        e = question_put(f, &name, waiter);
    (void)pthread_mutex_unlock(&f->lock);
    return q ? ERR_AGAIN : e;
}

static void keep(struct sec_farkeys *f, const struct name *name, enum err e, const struct sec_naf_key *key,
                 int64_t now_s)
{
    if (!e)
        table_put(&f->known, name, key, key->expires_s);
    else if (e == ERR_ABSENT || e == ERR_DENIED)
        table_put(&f->refused, name, NULL, now_s + f->refused_s);
}

void sec_farkeys_end(struct sec_farkeys *f, struct slice btid, struct slice naf_id, enum err e,
                     const struct sec_naf_key *key, int64_t now_s, struct list *waiters)
{
    struct question *q;
    struct name name;

    MUST(!name_of(btid, naf_id, &name));
    (void)pthread_mutex_lock(&f->lock);
    keep(f, &name, e, key, now_s);
    q = map_del(&f->asking, text_of(&name));
    MUST(q);
    list_splice_back(waiters, &q->waiters);
    (void)pthread_mutex_unlock(&f->lock);
    free(q);
}

/* --- life --- */

enum err sec_farkeys_create(const struct sec_farkeys_conf *conf, struct sec_farkeys **out)
{
    struct sec_farkeys *f;

    if (conf->known_max < 1 || conf->known_max > SEC_BOOTSTRAP_RUNS_MAX || conf->refused_max < 1 ||
        conf->refused_max > SEC_BOOTSTRAP_RUNS_MAX || conf->asking_max < 1 || conf->refused_s < 1)
        return ERR_LIMIT;
    f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    if (pthread_mutex_init(&f->lock, NULL)) {
        free(f);
        return ERR_NOMEM;
    }
    atomic_init(&f->holders, 1);
    table_init(&f->known, conf->known_max);
    table_init(&f->refused, conf->refused_max);
    map_init(&f->asking, conf->asking_max);
    f->refused_s = conf->refused_s;
    *out = f;
    return ERR_OK;
}

struct sec_farkeys *sec_farkeys_hold(struct sec_farkeys *f)
{
    atomic_fetch_add(&f->holders, 1);
    return f;
}

void sec_farkeys_free(struct sec_farkeys **fp)
{
    struct sec_farkeys *f = *fp;

    *fp = NULL;
    if (!f || atomic_fetch_sub(&f->holders, 1) != 1)
        return;
    MUST(f->asking.n == 0);
    table_clear(&f->known);
    table_clear(&f->refused);
    map_clear(&f->asking);
    (void)pthread_mutex_destroy(&f->lock);
    free(f);
}

void sec_farkeys_sweep(struct sec_farkeys *f, int64_t now_s)
{
    (void)pthread_mutex_lock(&f->lock);
    table_sweep(&f->known, now_s);
    table_sweep(&f->refused, now_s);
    (void)pthread_mutex_unlock(&f->lock);
}

static size_t count_of(struct sec_farkeys *f, const struct table *t)
{
    size_t n;

    (void)pthread_mutex_lock(&f->lock);
    n = t->by_name.n;
    (void)pthread_mutex_unlock(&f->lock);
    return n;
}

size_t sec_farkeys_count(struct sec_farkeys *f)
{
    return count_of(f, &f->known);
}

size_t sec_farkeys_refused(struct sec_farkeys *f)
{
    return count_of(f, &f->refused);
}
