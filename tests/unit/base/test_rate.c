/* Token buckets: what fits and for how long the rest waits, against a sequential twin, and shared by threads. */
#include "tests/unit/harness.h"

#include <pthread.h>

#include "base/num.h"
#include "base/rate.h"
#include "tests/unit/base/random.h"

#define NOW_MS INT64_C(5000)

static const struct {
    struct rate rate;
    bool good;
} bounds[] = {
    {{200, 400, 1000}, true},
    {{1, 1, 1000}, true},
    {{1000000, 1000000, 1000}, true},
    {{1, 24, 3600000}, true},
    {{1, 25, 3600000}, false}, /* fills in more than a day */
    {{0, 1, 1000}, false},
    {{1, 0, 1000}, false},
    {{1000001, 1000000, 1000}, false},
    {{1000000, 1000001, 1000}, false},
    {{1, 1, 0}, false},
    {{1, 1, -1}, false},
    {{1, 1, 3600001}, false},
    {{1000, 9, 1000}, false}, /* the clock has steps of a millisecond */
    {{1000, 10, 1000}, true},
    {{UINT32_MAX, UINT32_MAX, INT64_MAX}, false},
};

static void test_bounds(void)
{
    for (size_t i = 0; i < COUNT(bounds); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(rate_good(&bounds[i].rate), bounds[i].good);
    }
}

/* One after the other on a bucket of 10 a second, burst 20. */
static const struct {
    int64_t at_ms;
    uint32_t n;
    bool taken;
    int64_t wait_ms;
    uint32_t left;
} steps[] = {
    {0, 1, true, -7, 19},
    {0, 19, true, -7, 0},
    {0, 1, false, 100, 0},
    {0, 20, false, 2000, 0},
    {0, 21, false, INT64_MAX, 0}, /* never */
    {0, UINT32_MAX, false, INT64_MAX, 0},
    {0, 0, true, -7, 0},
    {99, 1, false, 1, 0},
    {100, 1, true, -7, 0},
    {150, 1, false, 50, 0},
    {1100, 5, true, -7, 5},
    {1100, 6, false, 100, 5},
    {1100, 5, true, -7, 0},
    {1000, 1, false, 200, 0}, /* another thread's clock is behind: it waits longer */
    {1200, 1, true, -7, 0},
    {100000, 20, true, -7, 0}, /* never more than a burst, however long it lay idle */
    {100000, 1, false, 100, 0},
};

static void test_steps(void)
{
    const struct rate r = {10, 20, 1000};
    struct rate_bucket b = {0};

    for (size_t i = 0; i < COUNT(steps); i++) {
        int64_t wait_ms = -7;

        test_row(i);
        CU_ASSERT_EQUAL(rate_take(&b, &r, steps[i].n, NOW_MS + steps[i].at_ms, &wait_ms), steps[i].taken);
        CU_ASSERT_EQUAL(wait_ms, steps[i].wait_ms);
        CU_ASSERT_EQUAL(rate_left(&b, &r, NOW_MS + steps[i].at_ms), steps[i].left);
    }
}

static void test_full(void)
{
    const struct rate r = {10, 20, 1000};
    struct rate_bucket b = {0};
    int64_t wait_ms = 0;

    CU_ASSERT_EQUAL(rate_fill_ms(&r), 2000);
    CU_ASSERT_EQUAL(rate_full_ms(&b, NOW_MS), 0);
    CU_ASSERT(rate_take(&b, &r, 15, NOW_MS, &wait_ms));
    CU_ASSERT_EQUAL(rate_full_ms(&b, NOW_MS), 1500);
    CU_ASSERT_EQUAL(rate_full_ms(&b, NOW_MS + 9999), 0);
    rate_refill(&b);
    CU_ASSERT_EQUAL(rate_left(&b, &r, NOW_MS), 20);
}

static void test_no_limit(void)
{
    const struct rate none = {0, 0, 0};
    struct rate_bucket b = {0};
    int64_t wait_ms = -7;

    for (size_t i = 0; i < 1000; i++)
        CU_ASSERT(rate_take(&b, &none, UINT32_MAX, 1, &wait_ms));
    CU_ASSERT_EQUAL(wait_ms, -7);
    CU_ASSERT_EQUAL(rate_left(&b, &none, 1), UINT32_MAX);
}

/* The twin holds tokens, in thousandths of one: with these rates a millisecond brings a whole number of them. */
static void test_twin(void)
{
    static const struct rate rates[] = {{1, 3, 1000}, {7, 7, 1000}, {200, 400, 1000}, {1000, 10, 1000}};
    uint32_t state = 20261121;

    for (size_t i = 0; i < COUNT(rates); i++) {
        const struct rate *r = &rates[i];
        struct rate_bucket b = {0};
        int64_t full = (int64_t)r->burst * 1000, tokens = full, now_ms = NOW_MS;

        test_row(i);
        for (size_t k = 0; k < 20000; k++) {
            uint32_t n = random_below(&state, r->burst < 20 ? r->burst + 1 : 20);
            int64_t passed = random_below(&state, 4) ? random_below(&state, 40) : random_below(&state, 9000);
            int64_t wait_ms = -7;
            bool taken;

            now_ms += passed;
            tokens = num_min64(full, tokens + passed * r->count);
            taken = rate_take(&b, r, n, now_ms, &wait_ms);
            if (taken != (n * 1000 <= tokens) && 1000 % r->count == 0)
                CU_FAIL_FATAL("the twin says otherwise");
            if (taken)
                tokens -= n * 1000;
            else if (wait_ms < 1 || rate_take(&b, r, n, now_ms + wait_ms - 2, &wait_ms))
                CU_FAIL_FATAL("that wait is wrong");
        }
    }
}

#define THREADS 4
#define TAKES   60000

struct racer {
    struct rate_bucket *bucket;
    const struct rate *rate;
    uint64_t taken;
};

static void *race(void *arg)
{
    struct racer *r = arg;
    int64_t wait_ms;

    for (int i = 0; i < TAKES; i++)
        r->taken += rate_take(r->bucket, r->rate, 1, NOW_MS + i / 600, &wait_ms);
    return NULL;
}

/* However they interleave: the burst, and what 100 ms less a step bring, and not one more. */
static void test_threads(void)
{
    const struct rate rate = {100000, 20000, 1000};
    struct rate_bucket bucket = {0};
    struct racer racers[THREADS];
    pthread_t threads[THREADS];
    uint64_t taken = 0;

    for (size_t i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){&bucket, &rate, 0};
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, race, &racers[i]) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        taken += racers[i].taken;
    }
    CU_ASSERT_EQUAL(taken, 20000 + 99 * 100);
}

const struct test_case test_cases[] = {
    {"bounds", test_bounds}, {"steps", test_steps},     {"full", test_full}, {"no_limit", test_no_limit},
    {"twin", test_twin},     {"threads", test_threads}, {NULL, NULL},
};
