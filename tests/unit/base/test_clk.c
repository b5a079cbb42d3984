/* Both clocks: the real one agrees with the machine, the virtual one moves only by hand. */
#include "tests/unit/harness.h"

#include <time.h>

#include "base/clk.h"

static void test_real(void)
{
    int64_t before = (int64_t)time(NULL) * 1000;
    int64_t utc = clk_utc_ms(&clk_real);
    int64_t mono = clk_mono_ms(&clk_real);

    CU_ASSERT(utc >= before && utc < before + 60000);
    CU_ASSERT(clk_mono_ms(&clk_real) >= mono);
}

static void test_virtual(void)
{
    struct clk_virtual v;
    int64_t mono;

    clk_virtual_init(&v, 1709208000000);
    mono = clk_mono_ms(&v.clk);
    CU_ASSERT_EQUAL(clk_utc_ms(&v.clk), 1709208000000);
    CU_ASSERT_EQUAL(clk_utc_ms(&v.clk), 1709208000000);
    clk_virtual_advance(&v, 0);
    CU_ASSERT_EQUAL(clk_mono_ms(&v.clk), mono);
    clk_virtual_advance(&v, 86400001);
    CU_ASSERT_EQUAL(clk_utc_ms(&v.clk), 1709294400001);
    CU_ASSERT_EQUAL(clk_mono_ms(&v.clk), mono + 86400001);
}

const struct test_case test_cases[] = {
    {"real", test_real},
    {"virtual", test_virtual},
    {NULL, NULL},
};
