/* The Range field: one range of octets, RFC 9110 §14.1.2; what is none is as if it were not there. */
#include "base/net/range.h"

#include "tests/unit/harness.h"

static void test_rows(void)
{
    static const struct {
        const char *in;
        uint64_t total;
        enum err want;
        uint64_t first, last;
    } rows[] = {
        {"bytes=0-499", 10000, ERR_OK, 0, 499}, /* the examples of the standard */
        {"bytes=500-999", 10000, ERR_OK, 500, 999},
        {"bytes=-500", 10000, ERR_OK, 9500, 9999},
        {"bytes=9500-", 10000, ERR_OK, 9500, 9999},
        {"BYTES=0-0", 1, ERR_OK, 0, 0}, /* the unit is case-insensitive */
        {"bytes=0-", 1, ERR_OK, 0, 0},
        {"bytes=5-99999", 10, ERR_OK, 5, 9},
        {"bytes=-99999", 10, ERR_OK, 0, 9},
        {"bytes=0-18446744073709551615", 10, ERR_OK, 0, 9},
        {"bytes=10-", 10, ERR_LIMIT, 0, 0},
        {"bytes=10-11", 10, ERR_LIMIT, 0, 0},
        {"bytes=0-", 0, ERR_LIMIT, 0, 0},
        {"bytes=-0", 10, ERR_LIMIT, 0, 0},
        {"bytes=-1", 0, ERR_LIMIT, 0, 0},
        {"bytes=0-0,-1", 10, ERR_ABSENT, 0, 0}, /* several */
        {"bytes=0-1,", 10, ERR_ABSENT, 0, 0},
        {"bytes=5-4", 10, ERR_ABSENT, 0, 0},
        {"bytes=", 10, ERR_ABSENT, 0, 0},
        {"bytes=-", 10, ERR_ABSENT, 0, 0},
        {"bytes=--1", 10, ERR_ABSENT, 0, 0},
        {"bytes=1", 10, ERR_ABSENT, 0, 0},
        {"bytes=1-2-3", 10, ERR_ABSENT, 0, 0},
        {"bytes=1-x", 10, ERR_ABSENT, 0, 0},
        {"bytes= 1-2", 10, ERR_ABSENT, 0, 0},
        {"bytes=1- 2", 10, ERR_ABSENT, 0, 0},
        {"bytes=+1-2", 10, ERR_ABSENT, 0, 0},
        {"bytes=0x1-2", 10, ERR_ABSENT, 0, 0},
        {"bytes 0-1", 10, ERR_ABSENT, 0, 0},
        {"items=0-1", 10, ERR_ABSENT, 0, 0},
        {"0-1", 10, ERR_ABSENT, 0, 0},
        {"", 10, ERR_ABSENT, 0, 0},
        {"bytes=99999999999999999999-", 10, ERR_ABSENT, 0, 0}, /* no number of ours */
        {"bytes=0-99999999999999999999", 10, ERR_ABSENT, 0, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_range r = {7, 7};
        enum err e = net_range_parse(slice_str(rows[i].in), rows[i].total, &r);

        test_row(i);
        CU_ASSERT(e == rows[i].want);
        CU_ASSERT(r.first == (e ? 7 : rows[i].first) && r.last == (e ? 7 : rows[i].last));
    }
}

const struct test_case test_cases[] = {
    {"rows", test_rows},
    {NULL, NULL},
};
