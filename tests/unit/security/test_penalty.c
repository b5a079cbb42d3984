/* Waits after failed logins on a clock moved by hand; bounded memory. */
#include "security/login/penalty.h"

#include <pthread.h>
#include <stdio.h>
#include "tests/unit/harness.h"

static void test_waits_double_to_a_cap(void)
{
    static const int64_t want[] = {0, 0, 0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
    struct sec_penalty *p;
    int64_t now = 5000;

    CU_ASSERT_FATAL(sec_penalty_create(10, &p) == ERR_OK);
    for (size_t i = 0; i < COUNT(want); i++) {
        test_row(i);
        sec_penalty_fail(p, SLICE("192.0.2.1"), now);
        CU_ASSERT(sec_penalty_wait_ms(p, SLICE("192.0.2.1"), now) == want[i]);
        CU_ASSERT(sec_penalty_wait_ms(p, SLICE("192.0.2.2"), now) == 0);
        now += want[i];
        CU_ASSERT(sec_penalty_wait_ms(p, SLICE("192.0.2.1"), now) == 0);
    }
    for (size_t i = 0; i < 2000; i++)
        sec_penalty_fail(p, SLICE("192.0.2.1"), now);
    CU_ASSERT(sec_penalty_wait_ms(p, SLICE("192.0.2.1"), now) == 60000);
    sec_penalty_free(&p);
}

static void test_good_login_and_quiet_start_anew(void)
{
    struct sec_penalty *p;

    CU_ASSERT_FATAL(sec_penalty_create(10, &p) == ERR_OK);
    for (size_t i = 0; i < 6; i++)
        sec_penalty_fail(p, SLICE("a"), 0);
    CU_ASSERT(sec_penalty_wait_ms(p, SLICE("a"), 0) == 4000);
    sec_penalty_fail(p, SLICE("a"), 600001);
    CU_ASSERT(sec_penalty_wait_ms(p, SLICE("a"), 600001) == 0);
    for (size_t i = 0; i < 6; i++)
        sec_penalty_fail(p, SLICE("b"), 0);
    sec_penalty_clear(p, SLICE("b"));
    sec_penalty_clear(p, SLICE("never seen"));
    CU_ASSERT(sec_penalty_wait_ms(p, SLICE("b"), 0) == 0);
    CU_ASSERT(sec_penalty_count(p) == 1);
    sec_penalty_free(&p);
}

static void test_bounded_and_oldest_goes(void)
{
    struct sec_penalty *p;
    char name[16];

    CU_ASSERT_FATAL(sec_penalty_create(100, &p) == ERR_OK);
    for (int i = 0; i < 1000; i++) {
        for (int k = 0; k < 4; k++)
            sec_penalty_fail(p, SLICE("keeps failing"), i);
        sec_penalty_fail(p, slice_of(name, (size_t)snprintf(name, sizeof name, "%d", i)), i);
        CU_ASSERT(sec_penalty_count(p) <= 100);
    }
    CU_ASSERT(sec_penalty_wait_ms(p, SLICE("keeps failing"), 1000) > 50000);
    for (int k = 0; k < 3; k++)
        sec_penalty_fail(p, SLICE("999"), 1000);
    CU_ASSERT(sec_penalty_wait_ms(p, SLICE("999"), 1000) == 1000); /* its fourth: it was remembered */
    for (int k = 0; k < 3; k++)
        sec_penalty_fail(p, SLICE("1"), 1000);
    CU_ASSERT(sec_penalty_wait_ms(p, SLICE("1"), 1000) == 0); /* forgotten long ago */
    sec_penalty_free(&p);
    sec_penalty_free(&p);
}

static void test_create_limits(void)
{
    struct sec_penalty *p = NULL;

    CU_ASSERT(sec_penalty_create(0, &p) == ERR_LIMIT);
    CU_ASSERT(sec_penalty_create(1000001, &p) == ERR_LIMIT);
    CU_ASSERT(p == NULL);
}

/* The short way, taken while nobody is remembered, must not outlive the first failure nor come back too early. */
static void test_empty_table_and_back(void)
{
    struct sec_penalty *p;

    CU_ASSERT_FATAL(sec_penalty_create(2, &p) == ERR_OK);
    for (size_t i = 0; i < 3; i++) {
        test_row(i);
        CU_ASSERT(sec_penalty_count(p) == 0 && sec_penalty_wait_ms(p, SLICE("a"), 0) == 0);
        sec_penalty_clear(p, SLICE("a"));
        for (size_t k = 0; k < 4; k++)
            sec_penalty_fail(p, SLICE("a"), 0);
        sec_penalty_fail(p, SLICE("b"), 0);
        CU_ASSERT(sec_penalty_count(p) == 2 && sec_penalty_wait_ms(p, SLICE("a"), 0) == 1000);
        sec_penalty_clear(p, SLICE("b"));
        CU_ASSERT(sec_penalty_count(p) == 1 && sec_penalty_wait_ms(p, SLICE("a"), 0) == 1000);
        sec_penalty_clear(p, SLICE("a"));
    }
    sec_penalty_free(&p);
}

static void *guess(void *arg)
{
    for (int i = 0; i < 1000; i++) {
        sec_penalty_fail(arg, SLICE("guesser"), i);
        (void)sec_penalty_wait_ms(arg, SLICE("guesser"), i);
    }
    return NULL;
}

/* Several loops share one table: guesses count together. */
static void test_threads_share(void)
{
    struct sec_penalty *p;
    pthread_t other;

    CU_ASSERT_FATAL(sec_penalty_create(10, &p) == ERR_OK);
    CU_ASSERT_FATAL(pthread_create(&other, NULL, guess, p) == 0);
    (void)guess(p);
    (void)pthread_join(other, NULL);
    CU_ASSERT(sec_penalty_count(p) == 1 && sec_penalty_wait_ms(p, SLICE("guesser"), 0) >= 60000);
    sec_penalty_free(&p);
}

const struct test_case test_cases[] = {
    {"threads_share", test_threads_share},
    {"empty_table_and_back", test_empty_table_and_back},
    {"waits_double_to_a_cap", test_waits_double_to_a_cap},
    {"good_login_and_quiet_start_anew", test_good_login_and_quiet_start_anew},
    {"bounded_and_oldest_goes", test_bounded_and_oldest_goes},
    {"create_limits", test_create_limits},
    {NULL, NULL},
};
