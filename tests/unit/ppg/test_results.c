/* Grouping of answers: by outcome, in order, nobody lost; and in linear time for many. */
#include "ppg/results.h"

#include <stdio.h>
#include "tests/unit/harness.h"

static void test_groups(void)
{
    struct ppg_row rows[] = {
        ppg_row_of(SLICE("a"), PAP_STATE_PENDING, PAP_CODE_ACCEPTED),
        ppg_row_of(SLICE("b"), PAP_STATE_DELIVERED, PAP_CODE_OK),
        ppg_row_of(SLICE("c"), PAP_STATE_PENDING, PAP_CODE_ACCEPTED),
        ppg_row_of(SLICE("d"), PAP_STATE_DELIVERED, PAP_CODE_OK),
        ppg_row_of(SLICE("e"), PAP_STATE_CANCELLED, PAP_CODE_OK),
        ppg_row_of(SLICE("f"), PAP_STATE_CANCELLED, PAP_CODE_NOT_POSSIBLE),
        ppg_row_of(SLICE("a"), PAP_STATE_PENDING, PAP_CODE_ACCEPTED),
    };
    static const struct {
        enum pap_state state;
        enum pap_code code;
        int64_t event_s; /* -1: none */
        const char *addresses;
    } wants[] = {
        {PAP_STATE_PENDING, PAP_CODE_ACCEPTED, -1, "aca"},    {PAP_STATE_DELIVERED, PAP_CODE_OK, 7, "b"},
        {PAP_STATE_DELIVERED, PAP_CODE_OK, 0, "d"},           {PAP_STATE_CANCELLED, PAP_CODE_OK, 7, "e"},
        {PAP_STATE_CANCELLED, PAP_CODE_NOT_POSSIBLE, 7, "f"},
    };
    struct arena mem;
    struct pap_results got;

    rows[1].verdict.event_s = rows[4].verdict.event_s = rows[5].verdict.event_s = 7;
    rows[3].verdict.event_s = 0;
    arena_init(&mem, 0, 65536);
    CU_ASSERT_FATAL(ppg_results_group(&mem, rows, COUNT(rows), &got) == ERR_OK && got.n == COUNT(wants));
    for (size_t i = 0; i < COUNT(wants); i++) {
        const struct pap_result *r = &got.v[i];

        test_row(i);
        CU_ASSERT(r->state == wants[i].state && r->code == wants[i].code && r->desc.n > 0 && !r->qos.given);
        CU_ASSERT(r->event_time.given == (wants[i].event_s >= 0));
        CU_ASSERT(!r->event_time.given || r->event_time.utc_s == wants[i].event_s);
        CU_ASSERT_FATAL(r->addrs.n == strlen(wants[i].addresses));
        for (size_t k = 0; k < r->addrs.n; k++)
            TEST_SLICE_EQ(r->addrs.v[k], slice_of(&wants[i].addresses[k], 1));
    }
    arena_clear(&mem);
}

/* All alike, and no two alike. */
static void test_many(void)
{
    enum { MANY = 20000 };
    struct arena mem;

    for (int alike = 0; alike < 2; alike++) {
        struct ppg_row *rows;
        struct pap_results got;
        size_t n = 0;

        arena_init(&mem, 0, (size_t)64 << 20);
        rows = arena_array(&mem, MANY, sizeof *rows);
        CU_ASSERT_FATAL(rows != NULL);
        for (size_t i = 0; i < MANY; i++) {
            rows[i] = ppg_row_of(SLICE("x"), PAP_STATE_DELIVERED, PAP_CODE_OK);
            rows[i].verdict.event_s = alike ? 1 : (int64_t)i;
        }
        CU_ASSERT_FATAL(ppg_results_group(&mem, rows, MANY, &got) == ERR_OK);
        CU_ASSERT(got.n == (alike ? 1 : MANY));
        for (size_t i = 0; i < got.n; i++)
            n += got.v[i].addrs.n;
        CU_ASSERT(n == MANY);
        arena_clear(&mem);
    }
}

static void test_nobody(void)
{
    struct arena mem;
    struct pap_results got = {NULL, 77};

    arena_init(&mem, 0, 4096);
    CU_ASSERT(ppg_results_group(&mem, NULL, 0, &got) == ERR_OK && got.n == 0);
    arena_clear(&mem);
}

static void test_no_memory(void)
{
    struct ppg_row rows[100];
    struct pap_results got = {NULL, 77};

    for (size_t i = 0; i < COUNT(rows); i++) {
        rows[i] = ppg_row_of(SLICE("x"), PAP_STATE_PENDING, PAP_CODE_OK);
        rows[i].verdict.event_s = (int64_t)i;
    }
    for (size_t max_n = 0; max_n < 100 * sizeof(struct pap_result); max_n += 997) {
        struct arena mem;

        arena_init(&mem, 0, max_n);
        CU_ASSERT(ppg_results_group(&mem, rows, COUNT(rows), &got) == ERR_NOMEM && got.n == 77);
        arena_clear(&mem);
    }
}

const struct test_case test_cases[] = {{"groups", test_groups},
                                       {"many", test_many},
                                       {"nobody", test_nobody},
                                       {"no_memory", test_no_memory},
                                       {NULL, NULL}};
