/* ACKs that may be asked for again: found by branch until timer D, bounded. */
#include "ota/sip/acked.h"

#include <stdio.h>

#include "tests/unit/harness.h"

static void kept_for_timer_d(void)
{
    struct clk_virtual clk;
    struct ota_sip_acked a;

    clk_virtual_init(&clk, 0);
    ota_sip_acked_init(&a, &clk.clk, 4);
    CU_ASSERT_EQUAL(ota_sip_acked_due_ms(&a), -1);
    ota_sip_acked_keep(&a, SLICE("b1"), SLICE("ACK 1"));
    clk_virtual_advance(&clk, 1000);
    ota_sip_acked_keep(&a, SLICE("b2"), SLICE("ACK 2"));
    ota_sip_acked_keep(&a, SLICE("b1"), SLICE("another"));
    TEST_SLICE_EQ(ota_sip_acked_find(&a, SLICE("b1")), SLICE("ACK 1"));
    TEST_SLICE_EQ(ota_sip_acked_find(&a, SLICE("b2")), SLICE("ACK 2"));
    CU_ASSERT(ota_sip_acked_find(&a, SLICE("B1")).n == 0 && ota_sip_acked_find(&a, SLICE_NONE).n == 0);
    CU_ASSERT_EQUAL(ota_sip_acked_due_ms(&a), clk.mono - 1000 + OTA_SIP_TIMER_D_MS);
    clk_virtual_advance(&clk, OTA_SIP_TIMER_D_MS - 1000);
    ota_sip_acked_tick(&a);
    CU_ASSERT(ota_sip_acked_find(&a, SLICE("b1")).n == 0 && ota_sip_acked_find(&a, SLICE("b2")).n == 5);
    ota_sip_acked_clear(&a);
}

static void no_more_than_so_many(void)
{
    struct clk_virtual clk;
    struct ota_sip_acked a;
    char branch[8];

    clk_virtual_init(&clk, 0);
    ota_sip_acked_init(&a, &clk.clk, 4);
    for (size_t i = 0; i < 6; i++) {
        (void)snprintf(branch, sizeof branch, "b%zu", i);
        ota_sip_acked_keep(&a, slice_str(branch), SLICE("ACK"));
        CU_ASSERT_EQUAL(ota_sip_acked_find(&a, slice_str(branch)).n, i < 4 ? 3 : 0);
    }
    ota_sip_acked_clear(&a);
}

const struct test_case test_cases[] = {
    {"kept_for_timer_d", kept_for_timer_d}, {"no_more_than_so_many", no_more_than_so_many}, {NULL, NULL}};
