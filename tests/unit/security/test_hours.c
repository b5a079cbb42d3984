/* Hours of the day: good forms, bad forms, and every minute of a day against a count. */
#include "security/rules/hours.h"

#include "tests/unit/harness.h"

static void test_parse_rows(void)
{
    static const struct {
        const char *in;
        int from, to, east;
    } rows[] = {
        {"08:00-20:00", 480, 1200, 0},          {"00:00-24:00", 0, 1440, 0},
        {"22:30-06:15Z", 1350, 375, 0},         {"08:00-20:00+02:00", 480, 1200, 120},
        {"08:00-20:00-05:30", 480, 1200, -330}, {"23:59-24:00", 1439, 1440, 0},
        {"00:01-00:02+23:59", 1, 2, 1439},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_hours h = {.given = false};

        test_row(i);
        CU_ASSERT(sec_hours_parse(slice_str(rows[i].in), &h) == ERR_OK && h.given);
        CU_ASSERT(h.from == rows[i].from && h.to == rows[i].to && h.east == rows[i].east);
    }
}

static void test_parse_refused(void)
{
    static const char *const rows[] = {
        "",
        "08:00",
        "08:00-",
        "8:00-20:00",
        "08:00-20:0",
        "08:60-20:00",
        "24:00-08:00",
        "08:00-24:01",
        "08:00-25:00",
        "08:00-08:00",
        "08:00-00:00",
        "00:00-00:00",
        "08.00-20.00",
        "08:00 20:00",
        "08:00-20:00 ",
        "08:00-20:00z",
        "08:00-20:00+2",
        "08:00-20:00+24:00",
        "08:00-20:00+",
        "08:00-20:00Z+01:00",
        "08:00-20:00--1:00",
        "-8:00-20:00",
        "08:00-20:00 +02:00",
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_hours h = {.from = 7};

        test_row(i);
        CU_ASSERT(sec_hours_parse(slice_str(rows[i]), &h) == ERR_MALFORMED);
        CU_ASSERT(h.from == 7 && !h.given);
    }
}

/* A clock that is walked minute by minute. */
static void test_has_every_minute(void)
{
    static const char *const windows[] = {"08:00-20:00", "22:00-06:00", "00:00-24:00", "23:59-00:01+05:45",
                                          "12:00-11:59-12:00"};

    for (size_t i = 0; i < COUNT(windows); i++) {
        struct sec_hours h;
        size_t inside = 0;

        test_row(i);
        CU_ASSERT_FATAL(sec_hours_parse(slice_str(windows[i]), &h) == ERR_OK);
        for (int minute = 0; minute < 1440; minute++) {
            int local = (minute + h.east + 1440) % 1440;
            bool want = h.from < h.to ? local >= h.from && local < h.to : local >= h.from || local < h.to;

            CU_ASSERT(sec_hours_has(&h, (int64_t)minute * 60 + 59) == want);
            CU_ASSERT(sec_hours_has(&h, ((int64_t)minute - 1440 * 5) * 60) == want); /* before 1970 too */
            inside += want;
        }
        CU_ASSERT(inside == (size_t)((h.to - h.from + 1440) % 1440 ? (h.to - h.from + 1440) % 1440 : 1440));
    }
    CU_ASSERT(sec_hours_has(&(struct sec_hours){.given = false}, 5));
}

const struct test_case test_cases[] = {
    {"parse_rows", test_parse_rows},
    {"parse_refused", test_parse_refused},
    {"has_every_minute", test_has_every_minute},
    {NULL, NULL},
};
