/* Which octets are there, against a naive twin that keeps a flag for each. */
#include "ota/msrp/ranges.h"

#include <stdlib.h>

#include "tests/unit/harness.h"

static void joined(void)
{
    struct ota_msrp_ranges r = {.n = 0};

    CU_ASSERT(!ota_msrp_ranges_whole(&r, 1) && ota_msrp_ranges_whole(&r, 0));
    CU_ASSERT_EQUAL(ota_msrp_ranges_add(&r, 13, 20), ERR_OK);
    CU_ASSERT_FALSE(ota_msrp_ranges_whole(&r, 20));
    CU_ASSERT_EQUAL(ota_msrp_ranges_add(&r, 1, 11), ERR_OK);
    CU_ASSERT(r.n == 2 && !ota_msrp_ranges_whole(&r, 20) && ota_msrp_ranges_whole(&r, 11));
    CU_ASSERT_EQUAL(ota_msrp_ranges_add(&r, 12, 12), ERR_OK);
    CU_ASSERT(r.n == 1 && ota_msrp_ranges_whole(&r, 20) && !ota_msrp_ranges_whole(&r, 21));
    CU_ASSERT_EQUAL(ota_msrp_ranges_add(&r, 5, UINT64_MAX), ERR_OK);
    CU_ASSERT(ota_msrp_ranges_whole(&r, UINT64_MAX));
    CU_ASSERT_EQUAL(ota_msrp_ranges_add(&r, UINT64_MAX, UINT64_MAX), ERR_OK);
    CU_ASSERT_EQUAL(r.n, 1);
}

static void nothing_and_too_much(void)
{
    struct ota_msrp_ranges r = {.n = 0};

    CU_ASSERT_EQUAL(ota_msrp_ranges_add(&r, 0, 5), ERR_MALFORMED);
    CU_ASSERT_EQUAL(ota_msrp_ranges_add(&r, 1, 0), ERR_OK);
    CU_ASSERT_EQUAL(r.n, 0);
    for (uint64_t i = 0; i < OTA_MSRP_RANGES_MAX; i++)
        CU_ASSERT_EQUAL(ota_msrp_ranges_add(&r, 10 * i + 1, 10 * i + 2), ERR_OK);
    CU_ASSERT_EQUAL(ota_msrp_ranges_add(&r, 5, 5), ERR_LIMIT);
    CU_ASSERT_EQUAL(r.n, OTA_MSRP_RANGES_MAX);
    CU_ASSERT_EQUAL(ota_msrp_ranges_add(&r, 3, 3), ERR_OK); /* beside one that is there */
    CU_ASSERT_EQUAL(ota_msrp_ranges_add(&r, 1, 1000), ERR_OK);
    CU_ASSERT(r.n == 1 && ota_msrp_ranges_whole(&r, 1000));
}

static void against_a_twin(void)
{
    srand(11);
    for (size_t round = 0; round < 200; round++) {
        struct ota_msrp_ranges r = {.n = 0};
        bool twin[101] = {false};

        for (size_t i = 0; i < 20; i++) {
            uint64_t from = 1 + (uint64_t)rand() % 100, to = from + (uint64_t)rand() % 12, whole = 0;

            to = to > 100 ? 100 : to;
            CU_ASSERT_EQUAL(ota_msrp_ranges_add(&r, from, to), ERR_OK);
            for (uint64_t k = from; k <= to; k++)
                twin[k] = true;
            while (whole < 100 && twin[whole + 1])
                whole++;
            CU_ASSERT(ota_msrp_ranges_whole(&r, whole) && !ota_msrp_ranges_whole(&r, whole + 1));
            for (size_t k = 1; k < r.n; k++)
                CU_ASSERT(r.at[k - 1].to + 1 < r.at[k].from);
        }
    }
}

const struct test_case test_cases[] = {{"joined", joined},
                                       {"nothing_and_too_much", nothing_and_too_much},
                                       {"against_a_twin", against_a_twin},
                                       {NULL, NULL}};
