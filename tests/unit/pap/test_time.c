/* UTC timestamps: rows there and back, every bad form, and each day of 1970 to 9999 against a naive calendar. */
#include "tests/unit/harness.h"

#include <stdio.h>
#include "pap/time.h"

static const struct {
    const char *in;
    enum err strict, lenient;
    int64_t utc_s;
} rows[] = {
    {"1970-01-01T00:00:00Z", ERR_OK, ERR_OK, 0},
    {"2024-02-29T12:00:00Z", ERR_OK, ERR_OK, 1709208000},
    {"2000-02-29T23:59:59Z", ERR_OK, ERR_OK, 951868799},
    {"2024-05-01T12:00:07Z", ERR_OK, ERR_OK, 1714564807},
    {"9999-12-31T23:59:59Z", ERR_OK, ERR_OK, PAP_TIME_MAX_S},
    {"2024-02-29T12:00:00z", ERR_OK, ERR_OK, 1709208000}, /* printed by a vendor manual */
    {"2024-02-29T12:00:00.5Z", ERR_MALFORMED, ERR_OK, 1709208000},
    {"2024-02-29T12:00:00.123456789Z", ERR_MALFORMED, ERR_OK, 1709208000},
    {"2024-02-29T12:00:00.1234567890Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-02-29T12:00:00.Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-02-29T12:00:00,5Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2013-09-31T13:30:00Z", ERR_MALFORMED, ERR_MALFORMED, 0}, /* no such day; seen in the field */
    {"2023-02-29T00:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2100-02-29T00:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-02-30T00:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-04-31T00:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-01-32T00:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-01-00T00:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-00-01T00:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-13-01T00:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-01-01T24:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-01-01T00:60:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2016-12-31T23:59:60Z", ERR_MALFORMED, ERR_MALFORMED, 0}, /* leap second */
    {"1969-12-31T23:59:59Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"10000-01-01T00:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-01-01T00:00:00", ERR_MALFORMED, ERR_MALFORMED, 0}, /* UTC mark missing */
    {"2024-01-01T00:00:00+00:00", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-01-01T00:00:00-05:00", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-01-01T00:00:00ZZ", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-01-01t00:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-01-01 00:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {" 2024-01-01T00:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-01-01T00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"2024-1-1T00:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"-024-01-01T00:00:00Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"20240101T000000Z", ERR_MALFORMED, ERR_MALFORMED, 0},
    {"", ERR_MALFORMED, ERR_MALFORMED, 0},
};

static void test_rows(void)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int strict = 0; strict < 2; strict++) {
            enum err want = strict ? rows[i].strict : rows[i].lenient;
            int64_t got = -7;

            test_row(i);
            CU_ASSERT_EQUAL(pap_time_parse(slice_str(rows[i].in), strict, &got), want);
            CU_ASSERT_EQUAL(got, want ? -7 : rows[i].utc_s); /* untouched on failure */
        }
}

static void test_truncated(void)
{
    struct slice whole = SLICE("2024-02-29T12:00:00Z");
    int64_t got = -7;

    for (size_t n = 0; n < whole.n; n++) {
        test_row(n);
        CU_ASSERT_EQUAL(pap_time_parse(slice_sub(whole, 0, n), false, &got), ERR_MALFORMED);
    }
    CU_ASSERT_EQUAL(got, -7);
}

/* A calendar that only ever adds one day. */
static void test_every_day(void)
{
    unsigned y = 1970, m = 1, d = 1;
    bool same = true;

    for (int64_t at_s = 0; at_s <= PAP_TIME_MAX_S; at_s += 86400) {
        bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        unsigned last = m == 2 ? (leap ? 29 : 28) : m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31;
        char text[32];
        int64_t got = -7;

        (void)snprintf(text, sizeof text, "%04u-%02u-%02uT23:59:59Z", y, m, d);
        same = same && pap_time_parse(slice_str(text), true, &got) == ERR_OK && got == at_s + 86399;
        if (d++ == last) {
            d = 1;
            if (m++ == 12) {
                m = 1;
                y++;
            }
        }
    }
    CU_ASSERT_TRUE(same);
    CU_ASSERT_EQUAL(y, 10000);
}

static void test_print(void)
{
    for (size_t i = 0; i < 5; i++) {
        struct buf b;

        test_row(i);
        buf_init(&b, 20);
        CU_ASSERT_EQUAL(pap_time_print(rows[i].utc_s, &b), ERR_OK);
        TEST_SLICE_EQ(buf_slice(&b), slice_str(rows[i].in));
        buf_clear(&b);
    }
}

static void test_print_refused(void)
{
    struct buf b;

    buf_init(&b, 19);
    CU_ASSERT_EQUAL(pap_time_print(-1, &b), ERR_LIMIT);
    CU_ASSERT_EQUAL(pap_time_print(PAP_TIME_MAX_S + 1, &b), ERR_LIMIT);
    CU_ASSERT_EQUAL(b.n, 0);
    CU_ASSERT_EQUAL(buf_err(&b), ERR_OK);
    CU_ASSERT_EQUAL(pap_time_print(0, &b), ERR_LIMIT); /* one octet short */
    buf_clear(&b);
}

const struct test_case test_cases[] = {
    {"rows", test_rows},   {"truncated", test_truncated},         {"every day", test_every_day},
    {"print", test_print}, {"print refused", test_print_refused}, {NULL, NULL},
};
