/* Growing bytes: ceiling, sticky error, and random operations against a naive twin. */
#include "tests/unit/harness.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/base/random.h"

static void test_printers(void)
{
    struct buf b;

    buf_init(&b, 1000);
    buf_add(&b, SLICE("a"));
    buf_add(&b, SLICE_NONE);
    buf_add_str(&b, "bc");
    buf_add_str(&b, NULL);
    buf_add_ch(&b, ' ');
    buf_add_u64(&b, 0);
    buf_add_ch(&b, ' ');
    buf_add_u64(&b, UINT64_MAX);
    buf_add_ch(&b, ' ');
    buf_add_i64(&b, INT64_MIN);
    buf_add_ch(&b, ' ');
    buf_add_i64(&b, -7);
    buf_addf(&b, " %s-%03d", "x", 5);
    CU_ASSERT_EQUAL(buf_err(&b), ERR_OK);
    TEST_SLICE_EQ(buf_slice(&b), SLICE("abc 0 18446744073709551615 -9223372036854775808 -7 x-005"));
    buf_clear(&b);
    CU_ASSERT(b.p == NULL && b.n == 0 && b.cap == 0 && b.max == 1000);
}

/* How many of n octets added one way fit a ceiling of 100. */
static void test_ceiling(void)
{
    struct buf b;

    buf_init(&b, 100);
    buf_addf(&b, "%*s", 100, "x"); /* to the octet, though printf wants one more */
    CU_ASSERT(buf_err(&b) == ERR_OK && b.n == 100 && b.cap <= 100);
    buf_add(&b, SLICE_NONE);
    CU_ASSERT_EQUAL(buf_err(&b), ERR_OK);
    buf_add_ch(&b, 'y');
    CU_ASSERT(buf_err(&b) == ERR_LIMIT && b.n == 100);
    buf_cut(&b, 3);
    buf_add_ch(&b, 'z'); /* there is room, but the failure sticks */
    CU_ASSERT(buf_err(&b) == ERR_LIMIT && b.n == 3);
    CU_ASSERT_PTR_NULL(buf_room(&b, 1));
    buf_reset(&b, 100);
    buf_addf(&b, "%*s", 101, "x");
    CU_ASSERT(buf_err(&b) == ERR_LIMIT && b.n == 0);
    buf_clear(&b);
}

static void test_no_ceiling_no_memory(void)
{
    struct buf b;

    buf_init(&b, SIZE_MAX);
    buf_add_ch(&b, 'x');
    CU_ASSERT_PTR_NULL(buf_room(&b, SIZE_MAX));
    CU_ASSERT_EQUAL(buf_err(&b), ERR_LIMIT);
    buf_reset(&b, 8);
    CU_ASSERT_PTR_NULL(buf_room(&b, SIZE_MAX));
    CU_ASSERT_EQUAL(buf_err(&b), ERR_NOMEM);
    buf_add_ch(&b, 'x');
    CU_ASSERT(b.n == 0 && buf_err(&b) == ERR_NOMEM);
    buf_clear(&b);
    buf_init(&b, 0);
    buf_addf(&b, "%s", "");
    CU_ASSERT_EQUAL(buf_err(&b), ERR_OK);
    buf_add_ch(&b, 'x');
    CU_ASSERT_EQUAL(buf_err(&b), ERR_LIMIT);
    buf_clear(&b);
}

static void test_growth_doubles(void)
{
    struct buf b;
    size_t moves = 0;

    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < 1 << 20; i++) {
        size_t cap = b.cap;

        buf_add_ch(&b, (char)i);
        moves += b.cap != cap;
    }
    CU_ASSERT(buf_err(&b) == ERR_OK && b.n == 1 << 20);
    CU_ASSERT(moves <= 16);
    buf_reset(&b, 4096);
    CU_ASSERT(b.n == 0 && b.cap == 4096 && b.p);
    buf_reset(&b, 0);
    CU_ASSERT(b.cap == 0 && !b.p);
    buf_clear(&b);
}

static void test_move(void)
{
    struct buf from, to;
    const char *p;

    buf_init(&from, 50);
    buf_init(&to, 10);
    buf_add_str(&from, "hello, long enough");
    p = from.p;
    buf_move(&from, &to);
    CU_ASSERT(to.p == p && to.max == 50);
    CU_ASSERT(from.p == NULL && from.n == 0 && from.max == 50 && buf_err(&from) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&to), SLICE("hello, long enough"));
    buf_clear(&to);
    buf_clear(&from);
}

static void test_wipe(void)
{
    struct buf b;

    buf_init(&b, 50);
    buf_add_str(&b, "secret");
    buf_wipe(&b);
    CU_ASSERT(b.p == NULL && b.n == 0 && b.cap == 0);
    buf_wipe(&b);
}

struct twin {
    char p[300];
    size_t n;
    bool failed;
};

static void twin_add(struct twin *t, struct slice s)
{
    t->failed = t->failed || s.n > sizeof t->p - t->n;
    if (!t->failed) {
        mem_copy(t->p + t->n, sizeof t->p - t->n, s);
        t->n += s.n;
    }
}

static void random_step(struct buf *b, struct twin *t, uint32_t *seed)
{
    static const char text[] = "The quick brown fox jumps over the lazy dog, 0123456789 times.";
    struct slice piece = slice_of(text, random_below(seed, sizeof text));
    size_t n = random_below(seed, (uint32_t)t->n + 1);
    char *room;

    switch (random_below(seed, 8)) {
    case 0:
        buf_drop(b, n);
        t->n -= n;
        memmove(t->p, t->p + n, t->n);
        break;
    case 1:
        buf_cut(b, n);
        t->n = n;
        break;
    case 2:
        buf_addf(b, "%.*s", SLICE_FMT(piece));
        twin_add(t, piece);
        break;
    case 3:
        room = buf_room(b, piece.n + 5);
        t->failed = t->failed || piece.n + 5 > sizeof t->p - t->n;
        CU_ASSERT_EQUAL(room == NULL, t->failed);
        if (room) {
            mem_copy(room, piece.n, piece);
            buf_commit(b, piece.n);
            twin_add(t, piece);
        }
        break;
    case 4:
        if (t->failed || random_below(seed, 8) == 0) {
            buf_reset(b, random_below(seed, 400));
            t->n = 0;
            t->failed = false;
        }
        break;
    default:
        buf_add(b, piece);
        twin_add(t, piece);
    }
}

static void test_random(void)
{
    uint32_t seed = 20260131;
    struct twin t = {.n = 0};
    size_t failures = 0;
    struct buf b;

    buf_init(&b, sizeof t.p);
    for (size_t i = 0; i < 50000; i++) {
        random_step(&b, &t, &seed);
        test_row(i);
        CU_ASSERT_FATAL(slice_eq(buf_slice(&b), slice_of(t.p, t.n)));
        CU_ASSERT_FATAL((buf_err(&b) == ERR_LIMIT) == t.failed && b.cap <= b.max);
        failures += t.failed;
    }
    CU_ASSERT(failures > 1000 && failures < 49000);
    buf_clear(&b);
}

const struct test_case test_cases[] = {
    {"printers", test_printers},
    {"ceiling_sticks", test_ceiling},
    {"no_memory_and_empty_ceiling", test_no_ceiling_no_memory},
    {"growth_doubles", test_growth_doubles},
    {"move", test_move},
    {"wipe", test_wipe},
    {"random_against_twin", test_random},
    {NULL, NULL},
};
