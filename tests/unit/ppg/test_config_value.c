/* Typed values: every unit, the edges of ranges, and what is not a value. */
#include "tests/unit/harness.h"

#include "ppg/config/value.h"

enum kind { BOOL, COUNT_, TIME, SIZE };

static const struct {
    enum kind kind;
    const char *in;
    enum err want;
    int64_t v;
} rows[] = {
    {BOOL, "yes", ERR_OK, 1},
    {BOOL, "no", ERR_OK, 0},
    {BOOL, "", ERR_MALFORMED, 0},
    {BOOL, "Yes", ERR_MALFORMED, 0},
    {BOOL, "true", ERR_MALFORMED, 0},
    {BOOL, "1", ERR_MALFORMED, 0},
    {BOOL, "yes ", ERR_MALFORMED, 0},
    {COUNT_, "10", ERR_OK, 10},
    {COUNT_, "100000", ERR_OK, 100000},
    {COUNT_, "9", ERR_LIMIT, 0},
    {COUNT_, "100001", ERR_LIMIT, 0},
    {COUNT_, "99999999999999999999999", ERR_LIMIT, 0},
    {COUNT_, "-10", ERR_MALFORMED, 0},
    {COUNT_, "+10", ERR_MALFORMED, 0},
    {COUNT_, "10k", ERR_MALFORMED, 0},
    {COUNT_, "0x10", ERR_MALFORMED, 0},
    {COUNT_, "1 0", ERR_MALFORMED, 0},
    {COUNT_, "", ERR_MALFORMED, 0},
    {TIME, "10ms", ERR_OK, 10},
    {TIME, "2s", ERR_OK, 2000},
    {TIME, "1min", ERR_OK, 60000},
    {TIME, "100000ms", ERR_OK, 100000},
    {TIME, "9ms", ERR_LIMIT, 0},
    {TIME, "0", ERR_LIMIT, 0},
    {TIME, "2min", ERR_LIMIT, 0},
    {TIME, "1h", ERR_LIMIT, 0},
    {TIME, "1d", ERR_LIMIT, 0},
    {TIME, "9223372036854775807d", ERR_LIMIT, 0},
    {TIME, "10", ERR_MALFORMED, 0},
    {TIME, "10 s", ERR_MALFORMED, 0},
    {TIME, "10m", ERR_MALFORMED, 0},
    {TIME, "10S", ERR_MALFORMED, 0},
    {TIME, "1min30s", ERR_MALFORMED, 0},
    {TIME, "1.5s", ERR_MALFORMED, 0},
    {TIME, "s", ERR_MALFORMED, 0},
    {TIME, "-1s", ERR_MALFORMED, 0},
    {SIZE, "10", ERR_OK, 10},
    {SIZE, "2k", ERR_OK, 2048},
    {SIZE, "97k", ERR_OK, 99328},
    {SIZE, "98k", ERR_LIMIT, 0},
    {SIZE, "1M", ERR_LIMIT, 0},
    {SIZE, "9G", ERR_LIMIT, 0},
    {SIZE, "9223372036854775807G", ERR_LIMIT, 0},
    {SIZE, "2K", ERR_MALFORMED, 0},
    {SIZE, "2kB", ERR_MALFORMED, 0},
    {SIZE, "2 k", ERR_MALFORMED, 0},
    {SIZE, "k", ERR_MALFORMED, 0},
};

static enum err parse(enum kind kind, struct slice in, int64_t *v)
{
    bool yes = false;
    enum err e;

    switch (kind) {
    case COUNT_:
        return ppg_value_count(in, 10, 100000, v);
    case TIME:
        return ppg_value_time(in, 10, 100000, v);
    case SIZE:
        return ppg_value_size(in, 10, 100000, v);
    case BOOL:
        break;
    }
    e = ppg_value_bool(in, &yes);
    if (e == ERR_OK)
        *v = yes;
    return e;
}

static void test_rows(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t v = -7;

        test_row(i);
        CU_ASSERT_EQUAL(parse(rows[i].kind, slice_str(rows[i].in), &v), rows[i].want);
        CU_ASSERT_EQUAL(v, rows[i].want ? -7 : rows[i].v);
    }
}

static void test_zero(void)
{
    int64_t v = -7;

    CU_ASSERT_EQUAL(ppg_value_time(SLICE("0"), 0, 9, &v), ERR_OK);
    CU_ASSERT_EQUAL(v, 0);
}

static void test_words(void)
{
    static const struct ppg_word words[] = {{"none", 4}, {"full", 9}, {NULL, 0}};
    struct buf out;
    int v = -7;

    CU_ASSERT_EQUAL(ppg_value_word(SLICE("ful"), words, &v), ERR_MALFORMED);
    CU_ASSERT_EQUAL(ppg_value_word(SLICE("FULL"), words, &v), ERR_MALFORMED);
    CU_ASSERT_EQUAL(ppg_value_word(SLICE(""), words, &v), ERR_MALFORMED);
    CU_ASSERT_EQUAL(v, -7);
    CU_ASSERT_EQUAL(ppg_value_word(SLICE("full"), words, &v), ERR_OK);
    CU_ASSERT_EQUAL(v, 9);
    buf_init(&out, 100);
    ppg_value_words_print(words, &out);
    TEST_SLICE_EQ(buf_slice(&out), SLICE("none or full"));
    buf_clear(&out);
}

static void test_some_words(void)
{
    static const struct ppg_word words[] = {{"one", 1}, {"two", 2}, {"four", 4}, {NULL, 0}};
    static const struct {
        const char *in;
        int bits; /* 0: refused */
    } some[] = {{"two", 2},        {"four, one", 5}, {"one,two , four", 7},
                {"one, one", 1},   {"", 0},          {"one two", 0},
                {"one, three", 0}, {"One", 0},       {"one;two", 0}};

    for (size_t i = 0; i < COUNT(some); i++) {
        int v = -7;

        test_row(i);
        CU_ASSERT_EQUAL(ppg_value_words(slice_str(some[i].in), words, &v),
                        some[i].bits ? ERR_OK : ERR_MALFORMED);
        CU_ASSERT_EQUAL(v, some[i].bits ? some[i].bits : -7);
    }
}

static const struct {
    const char *in;
    const char *address; /* NULL: refused */
    uint16_t port;
} listens[] = {
    {"127.0.0.1:8080", "127.0.0.1", 8080},
    {"0.0.0.0:0", "0.0.0.0", 0},
    {"[::1]:443", "::1", 443},
    {"[2001:db8::1]:65535", "2001:db8::1", 65535},
    {"127.0.0.1", NULL, 0},
    {"127.0.0.1:", NULL, 0},
    {"127.0.0.1:65536", NULL, 0},
    {"127.0.0.1:80x", NULL, 0},
    {"127.0.0.1:-1", NULL, 0},
    {"127.0.0:80", NULL, 0},
    {"[127.0.0.1]:80", NULL, 0},
    {"::1:80", NULL, 0},
    {"[::1:80", NULL, 0},
    {"[::1]80", NULL, 0},
    {"[fe80::1%eth0]:80", NULL, 0},
    {"localhost:80", NULL, 0},
    {"*:80", NULL, 0},
    {":80", NULL, 0},
    {"", NULL, 0},
    {"11111111111111111111111111111111111111111111111111111111111111111111111:80", NULL, 0},
};

static void test_listens(void)
{
    for (size_t i = 0; i < COUNT(listens); i++) {
        struct ppg_listen l = {.address = "untouched", .port = 7};
        enum err e = ppg_value_listen(slice_str(listens[i].in), &l);

        test_row(i);
        CU_ASSERT_EQUAL(e == ERR_OK, listens[i].address != NULL);
        TEST_SLICE_EQ(slice_str(l.address), slice_str(listens[i].address ? listens[i].address : "untouched"));
        CU_ASSERT_EQUAL(l.port, listens[i].address ? listens[i].port : 7);
    }
}

static const struct {
    int64_t v;
    const char *time, *size;
} prints[] = {
    {0, "0", "0"},
    {1, "1ms", "1"},
    {1000, "1s", "1000"},
    {1024, "1024ms", "1k"},
    {60000, "1min", "60000"},
    {90000, "90s", "90000"},
    {3600000, "1h", "3600000"},
    {86400000, "1d", "84375k"},
    {1 << 20, "1048576ms", "1M"},
    {INT64_C(3) << 30, "3221225472ms", "3G"},
};

/* What is printed reads back to the same number. */
static void test_prints(void)
{
    for (size_t i = 0; i < COUNT(prints); i++) {
        struct buf time, size;
        int64_t v = -7;

        test_row(i);
        buf_init(&time, 64);
        buf_init(&size, 64);
        ppg_value_time_print(prints[i].v, &time);
        ppg_value_size_print(prints[i].v, &size);
        TEST_SLICE_EQ(buf_slice(&time), slice_str(prints[i].time));
        TEST_SLICE_EQ(buf_slice(&size), slice_str(prints[i].size));
        CU_ASSERT_EQUAL(ppg_value_time(buf_slice(&time), 0, INT64_MAX, &v), ERR_OK);
        CU_ASSERT_EQUAL(v, prints[i].v);
        CU_ASSERT_EQUAL(ppg_value_size(buf_slice(&size), 0, INT64_MAX, &v), ERR_OK);
        CU_ASSERT_EQUAL(v, prints[i].v);
        buf_clear(&time);
        buf_clear(&size);
    }
}

static const struct {
    const char *in;
    enum err want;
    struct rate rate;
} rates[] = {
    {"200/s burst 400", ERR_OK, {200, 400, 1000}},
    {"200/s", ERR_OK, {200, 200, 1000}},
    {"10/min  burst\t5", ERR_OK, {10, 5, 60000}},
    {"1/h", ERR_OK, {1, 1, 3600000}},
    {"1000000/s burst 1000000", ERR_OK, {1000000, 1000000, 1000}},
    {"", ERR_MALFORMED, {0, 0, 0}},
    {"200", ERR_MALFORMED, {0, 0, 0}},
    {"200/", ERR_MALFORMED, {0, 0, 0}},
    {"200/d", ERR_MALFORMED, {0, 0, 0}},
    {"200/S", ERR_MALFORMED, {0, 0, 0}},
    {"/s", ERR_MALFORMED, {0, 0, 0}},
    {"-1/s", ERR_MALFORMED, {0, 0, 0}},
    {"1.5/s", ERR_MALFORMED, {0, 0, 0}},
    {"200 /s", ERR_MALFORMED, {0, 0, 0}},
    {"200/s 400", ERR_MALFORMED, {0, 0, 0}},
    {"200/s burst", ERR_MALFORMED, {0, 0, 0}},
    {"200/s burst400", ERR_MALFORMED, {0, 0, 0}},
    {"200/s burst 400 ", ERR_MALFORMED, {0, 0, 0}},
    {"200/s burst 400 x", ERR_MALFORMED, {0, 0, 0}},
    {"0/s", ERR_LIMIT, {0, 0, 0}},
    {"200/s burst 0", ERR_LIMIT, {0, 0, 0}},
    {"1000001/s", ERR_LIMIT, {0, 0, 0}},
    {"99999999999/s", ERR_LIMIT, {0, 0, 0}},
    {"1000/s burst 9", ERR_LIMIT, {0, 0, 0}}, /* less than 10 ms of it */
    {"1/h burst 25", ERR_LIMIT, {0, 0, 0}},   /* more than a day of it */
};

static void test_rates(void)
{
    for (size_t i = 0; i < COUNT(rates); i++) {
        struct rate got = {7, 7, 7};

        test_row(i);
        CU_ASSERT_EQUAL(ppg_value_rate(slice_str(rates[i].in), &got), rates[i].want);
        if (rates[i].want) {
            CU_ASSERT(got.count == 7 && got.burst == 7 && got.period_ms == 7);
        } else {
            CU_ASSERT(got.count == rates[i].rate.count && got.burst == rates[i].rate.burst &&
                      got.period_ms == rates[i].rate.period_ms);
        }
    }
}

const struct test_case test_cases[] = {
    {"rates", test_rates},
    {"rows", test_rows},
    {"zero", test_zero},
    {"words", test_words},
    {"some_words", test_some_words},
    {"listens", test_listens},
    {"prints", test_prints},
    {NULL, NULL},
};
