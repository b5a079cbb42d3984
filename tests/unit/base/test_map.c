/* The hash table against an array; the hash against numbers of another implementation. */
#include "tests/unit/harness.h"

#include <stdio.h>

#include "base/map.h"
#include "tests/unit/base/random.h"

/* SipHash-1-3, key zero, input 00 01 02 ... of n octets; from CPython 3.11, which hashes bytes with it. */
static const struct {
    size_t n;
    uint64_t want;
} hash_rows[] = {
    {1, 0x68a914128e01e473},  {2, 0x010bac45c41e3669},  {7, 0x2f098ab0c751325a},
    {8, 0xead411e67ebe2eea},  {9, 0x75927f9d95124362},  {15, 0xf30eb725bb91c9ea},
    {16, 0x8972188433a5c5b7}, {63, 0x385d3e39e5f37359}, {64, 0x75e05fd5bbc870c6},
};

static void test_hash(void)
{
    static const uint64_t zero[2], other[2] = {1, 0}, third[2] = {0, 1};
    char octets[64];

    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (char)i;
    for (size_t i = 0; i < COUNT(hash_rows); i++) {
        struct slice s = slice_of(octets, hash_rows[i].n);

        test_row(i);
        CU_ASSERT_EQUAL(map_hash(zero, s), hash_rows[i].want);
        CU_ASSERT_NOT_EQUAL(map_hash(other, s), hash_rows[i].want);
        CU_ASSERT_NOT_EQUAL(map_hash(third, s), hash_rows[i].want);
    }
    CU_ASSERT_NOT_EQUAL(map_hash(zero, SLICE_NONE), map_hash(zero, SLICE("\0")));
}

static void test_keys_differ(void)
{
    struct map a, b;

    map_init(&a, 1);
    map_init(&b, 1);
    CU_ASSERT(map_put(&a, SLICE("a"), &a) == ERR_OK && map_put(&b, SLICE("a"), &b) == ERR_OK);
    CU_ASSERT(a.key[0] != b.key[0] && a.key[1] != b.key[1]);
    map_clear(&a);
    map_clear(&b);
}

static void test_basics(void)
{
    struct map m;
    int x, y;

    map_init(&m, 2);
    CU_ASSERT(map_get(&m, SLICE("a")) == NULL && map_del(&m, SLICE("a")) == NULL);
    CU_ASSERT_EQUAL(map_put(&m, SLICE("a"), &x), ERR_OK);
    CU_ASSERT_EQUAL(map_put(&m, SLICE("a"), &y), ERR_EXISTS);
    CU_ASSERT_PTR_EQUAL(map_get(&m, SLICE("a")), &x);
    CU_ASSERT_PTR_NULL(map_get(&m, SLICE("A")));
    CU_ASSERT_EQUAL(map_put(&m, SLICE_NONE, &y), ERR_OK); /* an empty key is a key */
    CU_ASSERT_PTR_EQUAL(map_get(&m, SLICE("")), &y);
    CU_ASSERT_EQUAL(map_put(&m, SLICE("c"), &x), ERR_LIMIT);
    CU_ASSERT_EQUAL(map_put(&m, SLICE("a"), &x), ERR_EXISTS);
    CU_ASSERT_PTR_EQUAL(map_del(&m, SLICE("a")), &x);
    CU_ASSERT_PTR_NULL(map_get(&m, SLICE("a")));
    CU_ASSERT_EQUAL(map_put(&m, slice_of("a\0b", 3), &x), ERR_OK);
    CU_ASSERT_PTR_NULL(map_get(&m, slice_of("a\0c", 3)));
    map_clear(&m);
    CU_ASSERT(m.n == 0 && m.max == 2 && map_get(&m, SLICE("")) == NULL);
    map_clear(&m);
}

#define KEYS 600

struct twin {
    char name[KEYS][8];
    bool in[KEYS];
    size_t n;
};

static struct slice key_of(const struct twin *t, size_t i)
{
    return slice_str(t->name[i]);
}

static void step(struct map *m, struct twin *t, size_t i, bool put)
{
    void *value = t->name[i];

    if (put) {
        enum err want = t->in[i] ? ERR_EXISTS : t->n == m->max ? ERR_LIMIT : ERR_OK;

        CU_ASSERT_FATAL(map_put(m, key_of(t, i), value) == want);
        if (!want) {
            t->in[i] = true;
            t->n++;
        }
        return;
    }
    CU_ASSERT_FATAL(map_del(m, key_of(t, i)) == (t->in[i] ? value : NULL));
    t->n -= t->in[i];
    t->in[i] = false;
}

static void check_all(const struct map *m, const struct twin *t)
{
    size_t pos = 0, walked = 0;

    for (size_t i = 0; i < KEYS; i++)
        CU_ASSERT_FATAL(map_get(m, key_of(t, i)) == (t->in[i] ? t->name[i] : NULL));
    for (const char *v; (v = map_next(m, &pos)); walked++)
        CU_ASSERT_FATAL(t->in[(size_t)(v - t->name[0]) / sizeof t->name[0]]);
    CU_ASSERT_FATAL(walked == t->n && m->n == t->n);
    CU_ASSERT_FATAL(m->n + m->dead <= m->cap / 4 * 3); /* probing ends */
}

static void test_random(void)
{
    static struct twin t;
    uint32_t seed = 4711;
    struct map m;

    for (size_t i = 0; i < KEYS; i++)
        (void)snprintf(t.name[i], sizeof t.name[i], "k%zu", i);
    map_init(&m, KEYS - 100);
    for (size_t round = 0; round < 60; round++) {
        uint32_t puts = random_below(&seed, 10); /* of ten: tables swell and shrink */

        test_row(round);
        for (size_t k = 0; k < 1000; k++)
            step(&m, &t, random_below(&seed, KEYS), random_below(&seed, 10) < puts);
        check_all(&m, &t);
    }
    map_clear(&m);
}

/* One in, one out, for long: the dead slots are cleaned up and the table does not grow. */
static void test_turnover(void)
{
    static char names[64][8];
    struct map m;

    map_init(&m, SIZE_MAX);
    for (size_t i = 0; i < 100000; i++) {
        char *name = names[i % 64];

        if (i >= 32)
            CU_ASSERT_PTR_NOT_NULL(map_del(&m, slice_str(names[(i - 32) % 64])));
        (void)snprintf(name, sizeof names[0], "%zu", i);
        CU_ASSERT_FATAL(map_put(&m, slice_str(name), name) == ERR_OK);
    }
    CU_ASSERT(m.n == 32 && m.cap <= 128);
    map_clear(&m);
}

/* The same keys go and come: their dead slots are used again, so the table is never built anew. */
static void test_dead_slots_reused(void)
{
    static char reused[11][4]; /* one short of three quarters of the first table */
    struct map_slot *slots;
    struct map m;

    map_init(&m, SIZE_MAX);
    for (size_t i = 0; i < COUNT(reused); i++) {
        (void)snprintf(reused[i], sizeof reused[i], "%zu", i);
        CU_ASSERT_EQUAL(map_put(&m, slice_str(reused[i]), reused[i]), ERR_OK);
    }
    slots = m.slots;
    for (size_t i = 0; i < 1000; i++) {
        char *name = reused[i % COUNT(reused)];

        CU_ASSERT_PTR_EQUAL(map_del(&m, slice_str(name)), name);
        CU_ASSERT_EQUAL(map_put(&m, slice_str(name), name), ERR_OK);
    }
    CU_ASSERT_PTR_EQUAL(m.slots, slots);
    map_clear(&m);
}

static void test_delete_while_walking(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    size_t pos = 0, seen = 0;
    struct map m;

    map_init(&m, 100);
    for (size_t i = 0; i < COUNT(names); i++)
        CU_ASSERT_EQUAL(map_put(&m, slice_str(names[i]), (void *)(uintptr_t)names[i]), ERR_OK);
    for (const char *v; (v = map_next(&m, &pos)); seen++)
        CU_ASSERT_PTR_EQUAL(map_del(&m, slice_str(v)), v);
    CU_ASSERT(seen == COUNT(names) && m.n == 0);
    map_clear(&m);
}

const struct test_case test_cases[] = {
    {"hash_rows", test_hash},
    {"keys_differ_by_table", test_keys_differ},
    {"basics", test_basics},
    {"random_against_twin", test_random},
    {"turnover_does_not_grow", test_turnover},
    {"dead_slots_are_reused", test_dead_slots_reused},
    {"delete_while_walking", test_delete_while_walking},
    {NULL, NULL},
};
