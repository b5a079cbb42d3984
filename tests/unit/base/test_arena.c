/* Memory of one push: zeroed, aligned, apart from each other, and never past the ceiling. */
#include "tests/unit/harness.h"

#include <stdalign.h>

#include "base/arena.h"
#include "tests/unit/base/random.h"

#define UNIT alignof(max_align_t)

static void test_basics(void)
{
    struct arena a;
    struct slice copy = SLICE("untouched");
    char *p;

    arena_init(&a, 256, 4096);
    CU_ASSERT_PTR_NULL(a.last);
    p = arena_alloc(&a, 5);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT(memcmp(p, "\0\0\0\0\0", 5) == 0);
    CU_ASSERT_PTR_NOT_NULL(arena_alloc(&a, 0));
    CU_ASSERT_EQUAL(arena_dup(&a, slice_of("a\0b", 3), &copy), ERR_OK);
    CU_ASSERT(copy.n == 3 && memcmp(copy.p, "a\0b\0", 4) == 0);
    CU_ASSERT_EQUAL(arena_dup(&a, SLICE_NONE, &copy), ERR_OK);
    CU_ASSERT(copy.n == 0 && copy.p && copy.p[0] == '\0');
    CU_ASSERT_EQUAL(a.used, 4 * UNIT);
    arena_clear(&a);
    CU_ASSERT(a.last == NULL && a.used == 0 && a.max == 4096 && a.first == 256);
}

static const struct {
    size_t count, each_n;
    bool fits;
} array_rows[] = {
    {4, 100, true},           {0, 100, true},
    {1024, 1, true},          {1025, 1, false},
    {SIZE_MAX, 2, false},     {2, SIZE_MAX, false},
    {SIZE_MAX, 1, false},     {SIZE_MAX / 2 + 1, 2, false},
    {SIZE_MAX - 1, 1, false}, {SIZE_MAX / 16, 16, false},
    {33, 32, false},
};

static void test_arrays(void)
{
    for (size_t i = 0; i < COUNT(array_rows); i++) {
        struct arena a;

        test_row(i);
        arena_init(&a, 64, 1024);
        CU_ASSERT_EQUAL(arena_array(&a, array_rows[i].count, array_rows[i].each_n) != NULL,
                        array_rows[i].fits);
        arena_clear(&a);
    }
}

static void test_ceiling(void)
{
    struct arena a;
    struct slice copy = SLICE("untouched");

    arena_init(&a, 64, 10 * UNIT);
    for (size_t i = 0; i < 10; i++)
        CU_ASSERT_PTR_NOT_NULL(arena_alloc(&a, UNIT));
    CU_ASSERT_PTR_NULL(arena_alloc(&a, 1));
    CU_ASSERT_EQUAL(arena_dup(&a, SLICE("x"), &copy), ERR_NOMEM);
    TEST_SLICE_EQ(copy, SLICE("untouched"));
    arena_reset(&a);
    CU_ASSERT_PTR_NOT_NULL(arena_alloc(&a, 10 * UNIT));
    CU_ASSERT_PTR_NULL(arena_alloc(&a, 1));
    arena_clear(&a);
    arena_init(&a, 64, 0);
    CU_ASSERT_PTR_NULL(arena_alloc(&a, 0));
    arena_clear(&a);
}

static void test_reset_gives_zeros(void)
{
    struct arena a;
    char *p;

    arena_init(&a, 128, 4096);
    arena_reset(&a);
    p = arena_alloc(&a, 100);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    memset(p, 0xee, 100);
    arena_reset(&a);
    CU_ASSERT_EQUAL(a.used, 0);
    CU_ASSERT_PTR_EQUAL(arena_alloc(&a, 100), p); /* the block was kept */
    for (size_t i = 0; i < 100; i++)
        CU_ASSERT_EQUAL(p[i], 0);
    arena_clear(&a);
}

/* A request of its own block must not waste what is left of the current one. */
static void test_big_request(void)
{
    struct arena a;
    char *small, *big, *next;

    arena_init(&a, 256, 1 << 20);
    small = arena_alloc(&a, UNIT);
    big = arena_alloc(&a, 100000);
    next = arena_alloc(&a, UNIT);
    CU_ASSERT(small && big && next == small + UNIT);
    arena_clear(&a);
    arena_init(&a, 256, 1 << 20);
    big = arena_alloc(&a, 100000);
    CU_ASSERT(big && arena_alloc(&a, UNIT));
    arena_clear(&a);
}

struct piece {
    unsigned char *p;
    size_t n;
    unsigned char mark;
};

static bool holds(const struct piece *x, unsigned char mark)
{
    for (size_t i = 0; i < x->n; i++)
        if (x->p[i] != mark)
            return false;
    return true;
}

static size_t rounded(size_t n)
{
    return n ? (n + UNIT - 1) / UNIT * UNIT : UNIT;
}

/* Twin: pieces marked each with its own octet; overlap, or a piece not zeroed, would show. */
static void test_random(void)
{
    enum { PIECES = 200, MAX_N = 40000 };
    struct piece pieces[PIECES];
    uint32_t seed = 99;
    size_t refused = 0;
    struct arena a;

    arena_init(&a, 512, MAX_N);
    for (size_t round = 0; round < 300; round++) {
        size_t used = 0, n = 0;

        test_row(round);
        for (; n < PIECES; n++) {
            struct piece *x = &pieces[n];

            x->n = random_below(&seed, random_below(&seed, 30) ? 300 : 6000);
            x->mark = (unsigned char)(n + 1);
            x->p = arena_alloc(&a, x->n);
            if (!x->p) {
                CU_ASSERT_FATAL(used + rounded(x->n) > MAX_N);
                break;
            }
            used += rounded(x->n);
            CU_ASSERT_FATAL((uintptr_t)x->p % UNIT == 0 && holds(x, 0));
            memset(x->p, x->mark, x->n);
        }
        refused += n < PIECES;
        for (size_t i = 0; i < n; i++)
            CU_ASSERT_FATAL(holds(&pieces[i], pieces[i].mark));
        CU_ASSERT_FATAL(a.used == used && used <= MAX_N);
        if (random_below(&seed, 4))
            arena_reset(&a);
        else
            arena_clear(&a);
    }
    CU_ASSERT(refused > 10);
    arena_clear(&a);
}

const struct test_case test_cases[] = {
    {"basics", test_basics},
    {"array_rows", test_arrays},
    {"ceiling", test_ceiling},
    {"reset_gives_zeros", test_reset_gives_zeros},
    {"big_request_keeps_current_block", test_big_request},
    {"random_against_twin", test_random},
    {NULL, NULL},
};
