/* Counters of a core: each in its place, ends of the table included, and added up. */
#include "ppg/stats.h"

#include "tests/unit/harness.h"

static void answers(void)
{
    static const struct {
        unsigned code;
        int class, rest; /* class -1: nowhere */
    } rows[] = {
        {1000, 0, 0}, {1001, 0, 1}, {2007, 1, 7},  {5031, 4, 31}, {5063, 4, 63}, {5064, 4, 0},
        {3999, 2, 0}, {999, -1, 0}, {6000, -1, 0}, {0, -1, 0},    {9999, -1, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ppg_stats s = {0};
        uint64_t all = 0;

        test_row(i);
        ppg_stats_answer(&s, (enum pap_code)rows[i].code);
        for (size_t c = 0; c < PPG_STATS_CLASSES; c++)
            for (size_t n = 0; n < PPG_STATS_CODES; n++)
                all += s.answers[c][n];
        CU_ASSERT(all == (rows[i].class >= 0));
        CU_ASSERT(rows[i].class < 0 || s.answers[rows[i].class][rows[i].rest] == 1);
    }
}

/* A bound belongs to those below it; a clock that was set back makes 0 of it. */
static void times(void)
{
    static const struct {
        int64_t accepted_ms, not_before_ms, event_ms;
        size_t at;
        uint64_t took_ms;
    } rows[] = {
        {1000, 0, 1000, 0, 0},
        {1000, 0, 1005, 0, 5},
        {1000, 0, 1006, 1, 6},
        {1000, 500, 2000, 5, 1000},
        {1000, 1900, 2000, 3, 100},
        {1000, 0, 900, 0, 0},
        {0, 0, 86400000, PPG_STATS_TIMES - 1, 86400000},
        {0, 0, 86400001, PPG_STATS_TIMES, 86400001},
        {0, 0, INT64_C(1) << 50, PPG_STATS_TIMES, UINT64_C(1) << 50},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct ppg_push p = {.accepted_ms = rows[i].accepted_ms,
                                   .not_before_ms = rows[i].not_before_ms};
        struct ppg_stats s = {0};

        test_row(i);
        ppg_stats_final(&s, &p, ST_DELIVERED, rows[i].event_ms);
        CU_ASSERT(s.delivered[rows[i].at] == 1 && s.delivered_ms == rows[i].took_ms &&
                  s.finals[ST_DELIVERED] == 1);
        ppg_stats_final(&s, &p, ST_ABORTED, rows[i].event_ms);
        CU_ASSERT(s.delivered[rows[i].at] == 1 && s.delivered_ms == rows[i].took_ms &&
                  s.finals[ST_ABORTED] == 1);
    }
    for (size_t i = 1; i < PPG_STATS_TIMES; i++)
        CU_ASSERT(ppg_stats_bounds_ms[i - 1] < ppg_stats_bounds_ms[i]);
}

static void sums(void)
{
    const struct ppg_push p = {.accepted_ms = 1};
    struct ppg_stats sum = {0}, one = {0};

    ppg_stats_answer(&one, PAP_CODE_OK);
    ppg_stats_final(&one, &p, ST_DELIVERED, 11);
    ppg_stats_final(&one, &p, ST_TIMEOUT, 11);
    for (int i = 0; i < 3; i++)
        ppg_stats_add(&sum, &one);
    CU_ASSERT(sum.answers[0][0] == 3 && sum.finals[ST_DELIVERED] == 3 && sum.finals[ST_TIMEOUT] == 3);
    CU_ASSERT(sum.delivered[1] == 3 && sum.delivered_ms == 30 && sum.delivered[0] == 0);
    CU_ASSERT(one.answers[0][0] == 1 && one.delivered_ms == 10);
}

const struct test_case test_cases[] = {
    {"answers", answers},
    {"times", times},
    {"sums", sums},
    {NULL, NULL},
};
