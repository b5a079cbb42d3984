/* What terminals said about themselves, kept for all loops; see profile.h.  Each part of the table has a lock, a map
 * and a list by last touch; a profile is one block of memory.  [OTA-HTTP §4], [PAP §8.7].  Any thread. */
#include "ota/profile.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"
#include "ota/headers.h"

#define PARTS_MAX     16u
#define TERMINALS_MAX 10000000u
#define EACH_N        2048u /* octets a profile may have on average; most have a few hundred */

struct entry {
    struct list touched; /* in part.touched */
    struct ota_profile profile;
    size_t n; /* octets of text behind the struct, the key's first */
    size_t key_n;
    char text[];
};

struct part {
    pthread_mutex_t lock; /* guards what follows */
    struct map entries;   /* key -> struct entry, owned */
    struct list touched;  /* least recently first */
    size_t octets;        /* of all texts */
};

struct ota_profiles {
    struct part parts[PARTS_MAX];
    size_t parts_n;      /* a power of two */
    size_t octets_max;   /* of one part */
    uint64_t spread[2];  /* of the hash that chooses the part: a fixed one, keys are configured */
    atomic_size_t known; /* entries in all: with none there is nothing to look for */
};

void ota_profile_texts(struct ota_profile *p, struct slice *v[OTA_PROFILE_TEXTS])
{
    v[0] = &p->accept;
    v[1] = &p->charsets;
    v[2] = &p->encodings;
    v[3] = &p->languages;
    v[4] = &p->app_ids;
    v[5] = &p->profile_url;
    v[6] = &p->tag;
}

/* Octets of all texts; anything above the ceiling counts as just that. */
static size_t text_n(const struct ota_profile *p)
{
    struct ota_profile copy = *p;
    struct slice *texts[OTA_PROFILE_TEXTS];
    size_t n = 0;

    ota_profile_texts(&copy, texts);
    for (size_t i = 0; i < OTA_PROFILE_TEXTS; i++)
        n += num_min(texts[i]->n, OTA_PROFILE_MAX_N + 1);
    return n;
}

bool ota_profile_fits(const struct ota_profile *p)
{
    return text_n(p) <= OTA_PROFILE_MAX_N;
}

enum err ota_profiles_create(size_t terminals_max, struct ota_profiles **out)
{
    struct ota_profiles *p;

    if (terminals_max < 1 || terminals_max > TERMINALS_MAX)
        return ERR_LIMIT;
    p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    p->parts_n = 1;
    while (p->parts_n < PARTS_MAX && p->parts_n * 2 <= terminals_max)
        p->parts_n *= 2;
    p->octets_max = terminals_max / p->parts_n * EACH_N + 2 * OTA_PROFILE_MAX_N;
    for (size_t i = 0; i < p->parts_n; i++) {
        MUST(pthread_mutex_init(&p->parts[i].lock, NULL) == 0);
        map_init(&p->parts[i].entries, terminals_max / p->parts_n);
        list_init(&p->parts[i].touched);
    }
    *out = p;
    return ERR_OK;
}

static struct slice key_of(const struct entry *e)
{
    return slice_of(e->text, e->key_n);
}

static void drop(struct ota_profiles *p, struct part *part, struct entry *e)
{
    (void)map_del(&part->entries, key_of(e));
    list_remove(&e->touched);
    part->octets -= e->n;
    atomic_fetch_sub(&p->known, 1);
    free(e);
}

void ota_profiles_free(struct ota_profiles **pp)
{
    struct ota_profiles *p = *pp;

    *pp = NULL;
    for (size_t i = 0; p && i < p->parts_n; i++) {
        struct part *part = &p->parts[i];

        while (!list_empty(&part->touched))
            drop(p, part, container_of(part->touched.next, struct entry, touched));
        map_clear(&part->entries);
        (void)pthread_mutex_destroy(&part->lock);
    }
    free(p);
}

static struct part *part_lock(struct ota_profiles *p, struct slice key)
{
    struct part *part = &p->parts[map_hash(p->spread, key) & (p->parts_n - 1)];

    MUST(pthread_mutex_lock(&part->lock) == 0);
    return part;
}

static void part_unlock(struct part *part)
{
    MUST(pthread_mutex_unlock(&part->lock) == 0);
}

static struct slice put_text(struct entry *e, struct slice s)
{
    struct slice kept = slice_of(e->text + e->n, s.n);

    mem_copy(e->text + e->n, s.n, s);
    e->n += s.n;
    return kept;
}

/* A copy in one block; NULL: out of memory. */
static struct entry *entry_create(struct slice key, const struct ota_profile *said)
{
    struct entry *e = malloc(sizeof *e + key.n + text_n(said));
    struct slice *texts[OTA_PROFILE_TEXTS];

    if (!e)
        return NULL;
    list_init(&e->touched);
    e->profile = *said;
    e->profile.known = true;
    e->key_n = key.n;
    e->n = 0;
    (void)put_text(e, key);
    ota_profile_texts(&e->profile, texts);
    for (size_t i = 0; i < OTA_PROFILE_TEXTS; i++)
        *texts[i] = put_text(e, *texts[i]);
    return e;
}

/* Takes e; whoever was touched longest ago makes room. */
static enum err part_put(struct ota_profiles *p, struct part *part, struct entry *e)
{
    struct entry *old = map_get(&part->entries, key_of(e));
    enum err err;

    if (old) {
        e->profile.tls = e->profile.tls || old->profile.tls;
        drop(p, part, old);
    }
    while (part->entries.n == part->entries.max ||
           (part->octets + e->n > p->octets_max && !list_empty(&part->touched)))
        drop(p, part, container_of(part->touched.next, struct entry, touched));
    err = map_put(&part->entries, key_of(e), e);
    if (err) {
        free(e);
        return err;
    }
    list_push_back(&part->touched, &e->touched);
    part->octets += e->n;
    atomic_fetch_add(&p->known, 1);
    return ERR_OK;
}

enum err ota_profiles_learn(struct ota_profiles *p, struct slice key, const struct ota_profile *said)
{
    struct entry *e;
    struct part *part;
    enum err err;

    if (!ota_profile_fits(said) || key.n > OTA_PROFILE_MAX_N)
        return ERR_LIMIT;
    e = entry_create(key, said);
    if (!e) {
        ota_profiles_forget(p, key);
        return ERR_NOMEM;
    }
    part = part_lock(p, key);
    err = part_put(p, part, e);
    part_unlock(part);
    return err;
}

void ota_profiles_forget(struct ota_profiles *p, struct slice key)
{
    struct part *part = part_lock(p, key);
    struct entry *e = map_get(&part->entries, key);

    if (e)
        drop(p, part, e);
    part_unlock(part);
}

static enum err copy_out(const struct entry *e, struct arena *mem, struct ota_profile *out)
{
    struct ota_profile copy = e->profile;
    struct slice *texts[OTA_PROFILE_TEXTS];
    enum err err = ERR_OK;

    ota_profile_texts(&copy, texts);
    for (size_t i = 0; i < OTA_PROFILE_TEXTS && !err; i++)
        err = texts[i]->n ? arena_dup(mem, *texts[i], texts[i]) : ERR_OK;
    if (!err)
        *out = copy;
    return err;
}

enum err ota_profiles_find(struct ota_profiles *p, struct slice key, struct arena *mem,
                           struct ota_profile *out)
{
    struct part *part;
    struct entry *e;
    enum err err = ERR_ABSENT;

    if (atomic_load_explicit(&p->known, memory_order_relaxed) == 0)
        return ERR_ABSENT;
    part = part_lock(p, key);
    e = map_get(&part->entries, key);
    if (e) {
        list_remove(&e->touched);
        list_push_back(&part->touched, &e->touched);
        err = copy_out(e, mem, out);
    }
    part_unlock(part);
    return err;
}

struct ota_profile ota_profile_merge(const struct ota_profile *configured, const struct ota_profile *learnt)
{
    struct ota_profile both = *learnt, own = *configured;
    struct slice *texts[OTA_PROFILE_TEXTS], *words[OTA_PROFILE_TEXTS];

    ota_profile_texts(&both, texts);
    ota_profile_texts(&own, words);
    for (size_t i = 0; i < OTA_PROFILE_TEXTS; i++)
        if (words[i]->n)
            *texts[i] = *words[i];
    if (own.size_max)
        both.size_max = own.size_max;
    both.known = learnt->known || configured->known;
    return both;
}

bool ota_profile_takes_type(const struct ota_profile *p, struct slice content_type)
{
    return ota_accepts_type(p->accept, content_type);
}

bool ota_profile_takes_app(const struct ota_profile *p, struct slice app_id)
{
    return ota_accepts_app(p->app_ids, app_id);
}

bool ota_profile_takes_size(const struct ota_profile *p, uint64_t content_n)
{
    return p->size_max == 0 || content_n <= p->size_max;
}
