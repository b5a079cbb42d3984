/* Key octets: bounds, wiping, randomness. */
#include "security/secret.h"

#include <stdio.h>
#include "tests/unit/harness.h"

static void test_secret_set(void)
{
    struct sec_secret s;
    char big[SEC_SECRET_MAX_N + 1] = {1};
    static const struct {
        size_t n;
        enum err want;
    } rows[] = {{0, ERR_OK}, {1, ERR_OK}, {64, ERR_OK}, {65, ERR_LIMIT}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        sec_secret_init(&s);
        CU_ASSERT(sec_secret_set(&s, slice_of(big, rows[i].n)) == rows[i].want);
        CU_ASSERT(s.n == (rows[i].want ? 0 : rows[i].n));
    }
}

static void test_secret_set_over_longer_leaves_no_rest(void)
{
    struct sec_secret s;

    sec_secret_init(&s);
    CU_ASSERT(sec_secret_set(&s, SLICE("a long old key")) == ERR_OK);
    CU_ASSERT(sec_secret_set(&s, SLICE("new")) == ERR_OK);
    TEST_SLICE_EQ(sec_secret_slice(&s), SLICE("new"));
    for (size_t i = 3; i < sizeof s.octets; i++)
        CU_ASSERT(s.octets[i] == 0);
}

static void test_secret_clear_wipes(void)
{
    struct sec_secret s;

    CU_ASSERT(sec_secret_random(&s, 32) == ERR_OK);
    sec_secret_clear(&s);
    CU_ASSERT(s.n == 0);
    for (size_t i = 0; i < sizeof s.octets; i++)
        CU_ASSERT(s.octets[i] == 0);
}

static void test_secret_random(void)
{
    struct sec_secret a, b;

    sec_secret_init(&a);
    sec_secret_init(&b);
    CU_ASSERT(sec_secret_random(&a, 65) == ERR_LIMIT && a.n == 0);
    CU_ASSERT(sec_secret_random(&a, 64) == ERR_OK && a.n == 64);
    CU_ASSERT(sec_secret_random(&b, 64) == ERR_OK);
    CU_ASSERT(!slice_eq(sec_secret_slice(&a), sec_secret_slice(&b)));
}

static void test_set_hex(void)
{
    static const char digits[] = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
                                 "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F00";
    static const struct {
        size_t n; /* of digits */
        enum err want;
    } rows[] = {{2, ERR_OK},        {32, ERR_OK},         {128, ERR_OK},   {0, ERR_MALFORMED},
                {1, ERR_MALFORMED}, {127, ERR_MALFORMED}, {130, ERR_LIMIT}};
    struct sec_secret s;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        sec_secret_init(&s);
        CU_ASSERT(sec_secret_set_hex(&s, slice_of(digits, rows[i].n)) == rows[i].want);
        CU_ASSERT(s.n == (rows[i].want ? 0 : rows[i].n / 2));
        CU_ASSERT(s.n < 32 || s.octets[31] == 31);
    }
    CU_ASSERT(sec_secret_set_hex(&s, SLICE("0g")) == ERR_MALFORMED);
    CU_ASSERT(sec_secret_set_hex(&s, SLICE("00 1")) == ERR_MALFORMED);
}

/* Pages that a core dump leaves out ("dd" in the flags that the kernel shows). */
static void test_area_stays_out_of_core_dumps(void)
{
    char *p = sec_area_alloc(100), line[256], start[40];
    bool found = false, out = false;
    FILE *maps = fopen("/proc/self/smaps", "r");

    CU_ASSERT_FATAL(p != NULL && maps != NULL);
    for (size_t i = 0; i < 100; i++)
        CU_ASSERT(p[i] == 0);
    p[99] = 1;
    (void)snprintf(start, sizeof start, "%lx-", (unsigned long)(uintptr_t)p);
    while (fgets(line, sizeof line, maps)) {
        found = found || !strncmp(line, start, strlen(start));
        if (found && !strncmp(line, "VmFlags:", 8)) {
            out = strstr(line, " dd") != NULL;
            break;
        }
    }
    (void)fclose(maps);
    CU_ASSERT(found && out);
    sec_area_free(p, 100);
    sec_area_free(NULL, 100);
}

const struct test_case test_cases[] = {
    {"set_hex", test_set_hex},
    {"set", test_secret_set},
    {"set_over_longer_leaves_no_rest", test_secret_set_over_longer_leaves_no_rest},
    {"clear_wipes", test_secret_clear_wipes},
    {"random", test_secret_random},
    {"area_stays_out_of_core_dumps", test_area_stays_out_of_core_dumps},
    {NULL, NULL},
};
