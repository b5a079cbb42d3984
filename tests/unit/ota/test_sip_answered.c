/* Responses kept for retransmissions, on a virtual clock. */
#include "ota/sip/answered.h"

#include <stdio.h>

#include "tests/unit/harness.h"

static struct ota_sip_request request(const char *branch, const char *host, const char *method, uint32_t cseq)
{
    return (struct ota_sip_request){
        .branch = slice_str(branch), .sent_by = slice_str(host), .method = slice_str(method), .cseq = cseq};
}

static void what_is_the_same(void)
{
    static const struct {
        const char *branch, *host, *method;
        uint32_t cseq;
        bool same;
    } rows[] = {{"b", "h", "MESSAGE", 1, true},  {"c", "h", "MESSAGE", 1, false},
                {"b", "i", "MESSAGE", 1, false}, {"b", "h", "OPTIONS", 1, false},
                {"b", "h", "MESSAGE", 2, false}, {"B", "h", "MESSAGE", 1, false}};
    struct ota_sip_request first = request("b", "h", "MESSAGE", 1);
    struct ota_sip_answered a;
    struct clk_virtual clk;

    clk_virtual_init(&clk, 0);
    ota_sip_answered_init(&a, &clk.clk, 4);
    TEST_SLICE_EQ(ota_sip_answered_find(&a, &first), SLICE_NONE);
    (void)ota_sip_answered_keep(&a, &first, SLICE_NONE, SLICE("said"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_request r = request(rows[i].branch, rows[i].host, rows[i].method, rows[i].cseq);

        test_row(i);
        TEST_SLICE_EQ(ota_sip_answered_find(&a, &r), rows[i].same ? SLICE("said") : SLICE_NONE);
    }
    (void)ota_sip_answered_keep(&a, &first, SLICE_NONE, SLICE("other")); /* once said stays said */
    TEST_SLICE_EQ(ota_sip_answered_find(&a, &first), SLICE("said"));
    ota_sip_answered_clear(&a);
}

/* Timer J (§17.2.2). */
static void until_timer_j(void)
{
    struct ota_sip_request r = request("b", "h", "MESSAGE", 1), s = request("c", "h", "MESSAGE", 1);
    struct ota_sip_answered a;
    struct clk_virtual clk;

    clk_virtual_init(&clk, 0);
    ota_sip_answered_init(&a, &clk.clk, 4);
    (void)ota_sip_answered_keep(&a, &r, SLICE_NONE, SLICE("one"));
    clk_virtual_advance(&clk, 1000);
    (void)ota_sip_answered_keep(&a, &s, SLICE_NONE, SLICE("two"));
    clk_virtual_advance(&clk, OTA_SIP_TIMER_J_MS - 1001);
    TEST_SLICE_EQ(ota_sip_answered_find(&a, &r), SLICE("one"));
    clk_virtual_advance(&clk, 1);
    TEST_SLICE_EQ(ota_sip_answered_find(&a, &r), SLICE_NONE);
    TEST_SLICE_EQ(ota_sip_answered_find(&a, &s), SLICE("two"));
    CU_ASSERT_EQUAL(a.by_key.n, 1);
    ota_sip_answered_clear(&a);
}

static void the_oldest_make_room(void)
{
    struct ota_sip_answered a;
    struct clk_virtual clk;
    char branch[8];

    clk_virtual_init(&clk, 0);
    ota_sip_answered_init(&a, &clk.clk, 3);
    for (unsigned i = 0; i < 10; i++) {
        struct ota_sip_request r;

        (void)snprintf(branch, sizeof branch, "b%u", i);
        r = request(branch, "h", "MESSAGE", 1);
        (void)ota_sip_answered_keep(&a, &r, SLICE_NONE, slice_str(branch));
    }
    CU_ASSERT_EQUAL(a.by_key.n, 3);
    for (unsigned i = 0; i < 10; i++) {
        struct ota_sip_request r;

        (void)snprintf(branch, sizeof branch, "b%u", i);
        r = request(branch, "h", "MESSAGE", 1);
        TEST_SLICE_EQ(ota_sip_answered_find(&a, &r), i < 7 ? SLICE_NONE : slice_str(branch));
    }
    ota_sip_answered_clear(&a);
}

/* One address has an eighth, and pushes out nobody but itself. */
static void a_share_each(void)
{
    struct ota_sip_request mine = request("mine", "h", "MESSAGE", 1), r;
    struct ota_sip_answered a;
    struct clk_virtual clk;
    char branch[16];

    clk_virtual_init(&clk, 0);
    ota_sip_answered_init(&a, &clk.clk, 16);
    CU_ASSERT(!ota_sip_answered_keep(&a, &mine, SLICE("192.0.2.1"), SLICE("said")));
    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(branch, sizeof branch, "b%u", i);
        r = request(branch, "h", "MESSAGE", 1);
        CU_ASSERT_EQUAL(ota_sip_answered_keep(&a, &r, SLICE("192.0.2.2"), slice_str(branch)), i > 1);
    }
    CU_ASSERT_EQUAL(a.by_key.n, 3);
    TEST_SLICE_EQ(ota_sip_answered_find(&a, &mine), SLICE("said"));
    TEST_SLICE_EQ(ota_sip_answered_find(&a, &r), SLICE("b99"));
    r = request("b97", "h", "MESSAGE", 1);
    TEST_SLICE_EQ(ota_sip_answered_find(&a, &r), SLICE_NONE);
    clk_virtual_advance(&clk, OTA_SIP_TIMER_J_MS);
    TEST_SLICE_EQ(ota_sip_answered_find(&a, &mine), SLICE_NONE);
    CU_ASSERT(a.by_key.n == 0 && a.by_source.n == 0);
    ota_sip_answered_clear(&a);
}

const struct test_case test_cases[] = {{"what_is_the_same", what_is_the_same},
                                       {"until_timer_j", until_timer_j},
                                       {"a_share_each", a_share_each},
                                       {"the_oldest_make_room", the_oldest_make_room},
                                       {NULL, NULL}};
