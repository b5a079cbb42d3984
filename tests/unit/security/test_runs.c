/* The table of bootstrapped keys against a naive twin under random puts, and its ends: replaced, over, crowded out. */
#include "security/gba/runs.h"

#include <stdlib.h>
#include "base/mem.h"
#include "tests/unit/base/random.h"
#include "tests/unit/harness.h"

#define MAX   8
#define NAMES 12

static struct sec_run run_of(unsigned name, unsigned number, int64_t expires_s)
{
    struct sec_run r = {.expires_s = expires_s, .tmpi_n = 4, .impi_n = 3};

    r.rand[0] = (uint8_t)number;
    r.rand[1] = (uint8_t)(number >> 8);
    r.rand[2] = 1;
    r.impi[0] = (char)('a' + name);
    mem_copy(r.tmpi, 4, slice_of(r.rand, 4));
    r.ks.n = SEC_GBA_KEY_N;
    r.ks.octets[0] = (uint8_t)number;
    return r;
}

/* What must be there, oldest first. */
struct twin {
    struct sec_run v[MAX];
    size_t n;
};

static void twin_drop(struct twin *t, size_t at)
{
    for (; at + 1 < t->n; at++)
        t->v[at] = t->v[at + 1];
    t->n--;
}

static void twin_sweep(struct twin *t, int64_t now_s)
{
    for (size_t i = t->n; i-- > 0;)
        if (t->v[i].expires_s <= now_s)
            twin_drop(t, i);
}

static void twin_put(struct twin *t, const struct sec_run *r, int64_t now_s)
{
    for (size_t i = t->n; i-- > 0;)
        if (t->v[i].impi[0] == r->impi[0])
            twin_drop(t, i);
    while (t->n && (t->v[0].expires_s <= now_s || t->n == MAX))
        twin_drop(t, 0);
    t->v[t->n++] = *r;
}

static bool same(const struct sec_run *got, const struct sec_run *want)
{
    return got && memcmp(got->rand, want->rand, sizeof got->rand) == 0 && got->impi[0] == want->impi[0] &&
           got->ks.octets[0] == want->ks.octets[0];
}

static void compare(struct sec_runs *t, struct twin *w, int64_t now_s)
{
    sec_runs_sweep(t, now_s);
    twin_sweep(w, now_s);
    CU_ASSERT(t->n == w->n);
    for (size_t i = 0; i < w->n; i++) {
        CU_ASSERT(same(sec_runs_by_rand(t, w->v[i].rand, now_s), &w->v[i]));
        CU_ASSERT(same(sec_runs_by_impi(t, slice_of(w->v[i].impi, 3), now_s), &w->v[i]));
        CU_ASSERT(same(sec_runs_by_tmpi(t, slice_of(w->v[i].tmpi, 4), now_s), &w->v[i]));
    }
}

static void test_like_its_twin(void)
{
    uint32_t rnd = 7;
    struct sec_runs t;
    struct twin w = {.n = 0};

    sec_runs_init(&t, MAX);
    for (unsigned i = 1; i < 3000; i++) {
        struct sec_run r = run_of(random_below(&rnd, NAMES), i, i + random_below(&rnd, 20));

        CU_ASSERT(sec_runs_put(&t, &r, i) == ERR_OK);
        twin_put(&w, &r, i);
        if (i % 3 == 0)
            compare(&t, &w, i);
    }
    sec_runs_clear(&t);
    CU_ASSERT(t.n == 0);
}

static void test_over_is_not_found(void)
{
    struct sec_run r = run_of(0, 1, 100);
    struct sec_runs t;

    sec_runs_init(&t, MAX);
    CU_ASSERT(sec_runs_put(&t, &r, 50) == ERR_OK);
    CU_ASSERT(sec_runs_by_rand(&t, r.rand, 99) != NULL);
    CU_ASSERT(sec_runs_by_tmpi(&t, SLICE("nobody"), 99) == NULL);
    CU_ASSERT(sec_runs_by_impi(&t, slice_of(r.impi, 3), 100) == NULL);
    CU_ASSERT(t.n == 0); /* and wiped by that */
    CU_ASSERT(sec_runs_by_rand(&t, r.rand, 99) == NULL);
    sec_runs_clear(&t);
}

static void test_one_key_a_subscriber(void)
{
    struct sec_run first = run_of(0, 1, 100), second = run_of(0, 2, 100), other = run_of(1, 2, 100);
    struct sec_runs t;

    sec_runs_init(&t, MAX);
    CU_ASSERT(sec_runs_put(&t, &first, 1) == ERR_OK);
    CU_ASSERT(sec_runs_put(&t, &second, 1) == ERR_OK);
    CU_ASSERT(t.n == 1 && sec_runs_by_rand(&t, first.rand, 1) == NULL);
    CU_ASSERT(sec_runs_by_tmpi(&t, slice_of(first.tmpi, 4), 1) == NULL);
    CU_ASSERT(sec_runs_put(&t, &other, 1) == ERR_EXISTS); /* the RAND of somebody else */
    CU_ASSERT(t.n == 1 && same(sec_runs_by_rand(&t, second.rand, 1), &second));
    sec_runs_clear(&t);
}

const struct test_case test_cases[] = {{"like_its_twin", test_like_its_twin},
                                       {"over_is_not_found", test_over_is_not_found},
                                       {"one_key_a_subscriber", test_one_key_a_subscriber},
                                       {NULL, NULL}};
