/* Open addressing with linear probing.  A slot is live (value set), free (all zero) or dead (value NULL,
 * hash DEAD): removed, but probing goes on past it.  The hash is stored, so that probing compares keys rarely and a rehash reads none.  A table is at most three
 * quarters live and dead together; a rehash drops the dead and fits the size to the living.
 * Hash: SipHash-1-3, a member of the SipHash-c-d family (Aumasson and Bernstein, 2012).
 * Not shared between threads while it changes. */
#include "base/map.h"

#include <endian.h>
#include <stdlib.h>
#include <sys/random.h>

#define MAP_FIRST_CAP 16
#define DEAD          1 /* hash of a dead slot */

struct map_slot {
    const char *key;
    size_t key_n;
    uint64_t hash;
    void *value;
};

static uint64_t rotl(uint64_t x, unsigned n)
{
    return (x << n) | (x >> (64 - n));
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] = rotl(v[0], 32) + v[3];
    v[2] += v[1];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

uint64_t map_hash(const uint64_t key[2], struct slice s)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
                     key[1] ^ 0x7465646279746573}; /* the constants of the SipHash paper, §2.1 */
    uint64_t tail = (uint64_t)s.n << 56;
    uint64_t word;
    size_t i = 0;

    for (; s.n - i >= 8; i += 8) {
        memcpy(&word, s.p + i, 8);
        sip_word(v, le64toh(word));
    }
    for (size_t k = 0; i + k < s.n; k++)
        tail |= (uint64_t)(unsigned char)s.p[i + k] << (8 * k);
    sip_word(v, tail);
    v[2] ^= 0xff;
    for (int k = 0; k < 3; k++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *m, size_t max_n)
{
    *m = (struct map){.max = max_n};
}

void map_clear(struct map *m)
{
    free(m->slots);
    map_init(m, m->max);
}

static bool is_free(const struct map_slot *s)
{
    return !s->value && s->hash != DEAD;
}

/* The live slot of this key, or NULL.  Ends, because a quarter of the slots is free. */
static struct map_slot *find(const struct map *m, uint64_t hash, struct slice key)
{
    size_t mask = m->cap - 1;

    if (m->cap == 0)
        return NULL;
    for (size_t i = hash & mask; !is_free(&m->slots[i]); i = (i + 1) & mask) {
        struct map_slot *s = &m->slots[i];

        if (s->hash == hash && s->value && slice_eq(slice_of(s->key, s->key_n), key))
            return s;
    }
    return NULL;
}

/* The first slot on the way of `hash` that is not live. */
static struct map_slot *vacancy(struct map_slot *slots, size_t cap, uint64_t hash)
{
    size_t i = hash & (cap - 1);

    while (slots[i].value)
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

/* Makes sure that one more entry fits. */
static enum err make_room(struct map *m)
{
    size_t cap = MAP_FIRST_CAP;
    struct map_slot *slots;

    if (m->n + m->dead < m->cap / 4 * 3)
        return ERR_OK;
    while (cap / 2 <= m->n)
        cap *= 2;
    slots = calloc(cap, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].value)
            *vacancy(slots, cap, m->slots[i].hash) = m->slots[i];
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
    m->dead = 0;
    return ERR_OK;
}

enum err map_put(struct map *m, struct slice key, void *value)
{
    struct map_slot *s;
    uint64_t hash;
    enum err e;

    MUST(value);
    if (m->cap == 0) /* many tables stay empty: the key is drawn for the first entry */
        MUST(getrandom(m->key, sizeof m->key, 0) == (ssize_t)sizeof m->key);
    hash = map_hash(m->key, key);
    if (find(m, hash, key))
        return ERR_EXISTS;
    if (m->n >= m->max)
        return ERR_LIMIT;
    e = make_room(m);
    if (e)
        return e;
    s = vacancy(m->slots, m->cap, hash);
    if (!is_free(s))
        m->dead--;
    *s = (struct map_slot){key.p, key.n, hash, value};
    m->n++;
    return ERR_OK;
}

void *map_get(const struct map *m, struct slice key)
{
    struct map_slot *s = m->n ? find(m, map_hash(m->key, key), key) : NULL;

    return s ? s->value : NULL;
}

void *map_del(struct map *m, struct slice key)
{
    struct map_slot *s = find(m, map_hash(m->key, key), key);
    void *value;
    bool last;

    if (!s)
        return NULL;
    value = s->value;
    last = is_free(&m->slots[((size_t)(s - m->slots) + 1) & (m->cap - 1)]); /* nothing lies behind it */
    *s = (struct map_slot){.hash = last ? 0 : DEAD};
    m->dead += last ? 0 : 1;
    m->n--;
    return value;
}

void *map_next(const struct map *m, size_t *pos)
{
    while (*pos < m->cap) {
        struct map_slot *s = &m->slots[(*pos)++];

        if (s->value)
            return s->value;
    }
    return NULL;
}
