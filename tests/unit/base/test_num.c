/* Checked arithmetic at its edges; integers on the wire and back. */
#include "tests/unit/harness.h"

#include "base/num.h"

static void test_checked(void)
{
    size_t out = 0;

    CU_ASSERT(num_mul(SIZE_MAX, 1, &out) && out == SIZE_MAX);
    CU_ASSERT(num_mul(SIZE_MAX, 0, &out) && out == 0);
    CU_ASSERT_FALSE(num_mul(SIZE_MAX, 2, &out));
    CU_ASSERT_FALSE(num_mul(SIZE_MAX / 2 + 1, 2, &out));
    CU_ASSERT(num_add(SIZE_MAX, 0, &out) && out == SIZE_MAX);
    CU_ASSERT_FALSE(num_add(SIZE_MAX, 1, &out));
    CU_ASSERT_FALSE(num_add(SIZE_MAX, SIZE_MAX, &out));
}

static void test_order(void)
{
    CU_ASSERT_EQUAL(num_min(1, SIZE_MAX), 1);
    CU_ASSERT_EQUAL(num_min64(INT64_MIN, 0), INT64_MIN);
    CU_ASSERT_EQUAL(num_max64(INT64_MIN, -1), -1);
    CU_ASSERT_EQUAL(num_max64(INT64_MAX, -1), INT64_MAX);
}

static void test_big_endian(void)
{
    static const uint8_t octets[] = {0xff, 0xfe, 0x01, 0x80, 0x00, 0x7f, 0x90, 0x0a};
    uint8_t got[8] = {0};

    CU_ASSERT_EQUAL(num_get16(octets), 0xfffe);
    CU_ASSERT_EQUAL(num_get32(octets), 0xfffe0180);
    CU_ASSERT_EQUAL(num_get64(octets), 0xfffe0180007f900a);
    num_put16(got, 0xfffe);
    CU_ASSERT(memcmp(got, octets, 2) == 0 && got[2] == 0);
    num_put32(got, 0xfffe0180);
    CU_ASSERT(memcmp(got, octets, 4) == 0 && got[4] == 0);
    num_put64(got, 0xfffe0180007f900a);
    CU_ASSERT(memcmp(got, octets, 8) == 0);
}

const struct test_case test_cases[] = {
    {"checked_arithmetic", test_checked},
    {"order", test_order},
    {"big_endian", test_big_endian},
    {NULL, NULL},
};
