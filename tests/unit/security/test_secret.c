/* Key octets: bounds, wiping, randomness. */
#include "security/secret.h"

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

const struct test_case test_cases[] = {
    {"set_hex", test_set_hex},
    {"set", test_secret_set},
    {"set_over_longer_leaves_no_rest", test_secret_set_over_longer_leaves_no_rest},
    {"clear_wipes", test_secret_clear_wipes},
    {"random", test_secret_random},
    {NULL, NULL},
};
