/* The text cursor, one table per step; and the first failure, which sticks. */
#include "tests/unit/harness.h"

#include "base/scan.h"

static const struct {
    const char *in;
    uint64_t min, max;
    enum err want;
    uint64_t v;
    const char *left;
} number_rows[] = {
    {"0", 0, 9, ERR_OK, 0, ""},
    {"7x", 0, 9, ERR_OK, 7, "x"},
    {"0000000007", 0, 9, ERR_OK, 7, ""},
    {"4294967295", 0, UINT32_MAX, ERR_OK, UINT32_MAX, ""},
    {"5", 5, 5, ERR_OK, 5, ""},
    {"4294967296", 0, UINT32_MAX, ERR_LIMIT, 0, ""},
    {"9999999999", 0, UINT32_MAX, ERR_LIMIT, 0, ""},
    {"00000000007", 0, 9, ERR_LIMIT, 0, ""}, /* eleven digits */
    {"10", 0, 9, ERR_LIMIT, 0, ""},
    {"4", 5, 9, ERR_MALFORMED, 0, ""},
    {"", 0, 9, ERR_MALFORMED, 0, ""},
    {"-1", 0, 9, ERR_MALFORMED, 0, ""},
    {"+1", 0, 9, ERR_MALFORMED, 0, ""},
    {" 1", 0, 9, ERR_MALFORMED, 0, ""},
    {"x", 0, 9, ERR_MALFORMED, 0, ""},
};

static void test_u32(void)
{
    for (size_t i = 0; i < COUNT(number_rows); i++) {
        struct scan s = scan_of(slice_str(number_rows[i].in));
        uint32_t v = scan_u32(&s, (uint32_t)number_rows[i].min, (uint32_t)number_rows[i].max);

        test_row(i);
        CU_ASSERT_EQUAL(s.err, number_rows[i].want);
        CU_ASSERT_EQUAL(v, number_rows[i].v);
        TEST_SLICE_EQ(scan_left(&s), slice_str(number_rows[i].left));
    }
}

static const struct {
    const char *in;
    enum err want;
    uint64_t v;
} u64_rows[] = {
    {"18446744073709551615", ERR_OK, UINT64_MAX},
    {"00000000000000000001", ERR_OK, 1},
    {"18446744073709551616", ERR_LIMIT, 0},
    {"99999999999999999999", ERR_LIMIT, 0},
    {"184467440737095516150", ERR_LIMIT, 0},
    {"000000000000000000001", ERR_LIMIT, 0},
    {"", ERR_MALFORMED, 0},
};

static void test_u64(void)
{
    for (size_t i = 0; i < COUNT(u64_rows); i++) {
        struct scan s = scan_of(slice_str(u64_rows[i].in));
        uint64_t v = scan_u64(&s, 0, UINT64_MAX);

        test_row(i);
        CU_ASSERT_EQUAL(s.err, u64_rows[i].want);
        CU_ASSERT_EQUAL(v, u64_rows[i].v);
    }
}

static const struct {
    const char *in;
    size_t n;
    enum err want;
    uint32_t v;
} digits_rows[] = {
    {"2024-", 4, ERR_OK, 2024},  {"00", 2, ERR_OK, 0},        {"999999999", 9, ERR_OK, 999999999},
    {"12345", 2, ERR_OK, 12},    {"1", 2, ERR_MALFORMED, 0},  {"", 1, ERR_MALFORMED, 0},
    {"1a", 2, ERR_MALFORMED, 0}, {" 1", 2, ERR_MALFORMED, 0}, {"-1", 2, ERR_MALFORMED, 0},
    {"1:", 2, ERR_MALFORMED, 0}, {"1/", 2, ERR_MALFORMED, 0},
};

static void test_digits(void)
{
    for (size_t i = 0; i < COUNT(digits_rows); i++) {
        struct scan s = scan_of(slice_str(digits_rows[i].in));
        uint32_t v = scan_digits(&s, digits_rows[i].n);

        test_row(i);
        CU_ASSERT_EQUAL(s.err, digits_rows[i].want);
        CU_ASSERT_EQUAL(v, digits_rows[i].v);
    }
}

static const struct {
    const char *in;
    size_t max_n;
    enum err want;
    const char *got, *left;
} token_rows[] = {
    {"abc def", 10, ERR_OK, "abc", " def"},
    {"!#$%&'*+-.^_`|~09azAZ", 99, ERR_OK, "!#$%&'*+-.^_`|~09azAZ", ""},
    {"abc", 3, ERR_OK, "abc", ""},
    {"abcd", 3, ERR_LIMIT, "", ""},
    {"", 3, ERR_MALFORMED, "", ""},
    {" a", 3, ERR_MALFORMED, "", ""},
    {"\xc3\xa4", 3, ERR_MALFORMED, "", ""},
    {"\"a\"", 3, ERR_MALFORMED, "", ""},
    {"(a)", 3, ERR_MALFORMED, "", ""},
    {"\x7f", 3, ERR_MALFORMED, "", ""},
    {"a", 0, ERR_LIMIT, "", ""},
};

static void test_token(void)
{
    for (size_t i = 0; i < COUNT(token_rows); i++) {
        struct scan s = scan_of(slice_str(token_rows[i].in));
        struct slice got = scan_token(&s, token_rows[i].max_n);

        test_row(i);
        CU_ASSERT_EQUAL(s.err, token_rows[i].want);
        TEST_SLICE_EQ(got, slice_str(token_rows[i].got));
        TEST_SLICE_EQ(scan_left(&s), slice_str(token_rows[i].left));
    }
    CU_ASSERT_FALSE(scan_is_token_ch('\0')); /* the end of the marks' literal is none of them */
}

static const struct {
    const char *in;
    size_t max_n;
    enum err want;
    const char *got;
} quoted_rows[] = {
    {"\"\"", 0, ERR_OK, ""},
    {"\"a b\";x", 3, ERR_OK, "a b"},
    {"\"a\\\"b\"", 9, ERR_OK, "a\\\"b"},
    {"\"a\\\\\"", 9, ERR_OK, "a\\\\"},
    {"\"\xc3\xa4\t,\"", 9, ERR_OK, "\xc3\xa4\t,"},
    {"\"abcd\"", 3, ERR_LIMIT, ""},
    {"\"abc", 9, ERR_MALFORMED, ""},
    {"\"abc\\", 9, ERR_MALFORMED, ""},
    {"\"abc\\\"", 9, ERR_MALFORMED, ""},
    {"\"", 9, ERR_MALFORMED, ""},
    {"", 9, ERR_MALFORMED, ""},
    {"abc\"", 9, ERR_MALFORMED, ""},
    {"\"a\nb\"", 9, ERR_MALFORMED, ""},
    {"\"a\\\nb\"", 9, ERR_MALFORMED, ""},
    {"\"a\x7f\"", 9, ERR_MALFORMED, ""},
};

static void test_quoted(void)
{
    for (size_t i = 0; i < COUNT(quoted_rows); i++) {
        struct scan s = scan_of(slice_str(quoted_rows[i].in));
        struct scan again = s;
        struct slice got = scan_quoted(&s, quoted_rows[i].max_n);

        test_row(i);
        CU_ASSERT_EQUAL(s.err, quoted_rows[i].want);
        TEST_SLICE_EQ(got, slice_str(quoted_rows[i].got));
        if (quoted_rows[i].in[0] == '"')
            TEST_SLICE_EQ(scan_token_or_quoted(&again, quoted_rows[i].max_n), got);
    }
}

static void test_token_or_quoted(void)
{
    struct scan s = scan_of(SLICE("a\"b c\""));

    TEST_SLICE_EQ(scan_token_or_quoted(&s, 5), SLICE("a"));
    TEST_SLICE_EQ(scan_token_or_quoted(&s, 5), SLICE("b c"));
    CU_ASSERT_TRUE(scan_done(&s));
    (void)scan_token_or_quoted(&s, 5);
    CU_ASSERT_EQUAL(s.err, ERR_MALFORMED);
}

static const struct {
    const char *in;
    char stop;
    size_t max_n;
    enum err want;
    const char *got, *left;
} until_rows[] = {
    {"ab:c", ':', 9, ERR_OK, "ab", ":c"}, {"abc", ':', 3, ERR_OK, "abc", ""},
    {":c", ':', 0, ERR_OK, "", ":c"},     {"", ':', 0, ERR_OK, "", ""},
    {"abc:", ':', 2, ERR_LIMIT, "", ""},  {"abcd", ':', 3, ERR_LIMIT, "", ""},
    {"a", ':', 0, ERR_LIMIT, "", ""},
};

static void test_until(void)
{
    for (size_t i = 0; i < COUNT(until_rows); i++) {
        struct scan s = scan_of(slice_str(until_rows[i].in));
        struct slice got = scan_until(&s, until_rows[i].stop, until_rows[i].max_n);

        test_row(i);
        CU_ASSERT_EQUAL(s.err, until_rows[i].want);
        TEST_SLICE_EQ(got, slice_str(until_rows[i].got));
        TEST_SLICE_EQ(scan_left(&s), slice_str(until_rows[i].left));
    }
}

static bool is_upper(unsigned char ch)
{
    return ch >= 'A' && ch <= 'Z';
}

static void test_while(void)
{
    struct scan s = scan_of(SLICE("ABc"));

    TEST_SLICE_EQ(scan_while(&s, is_upper, 2), SLICE("AB"));
    CU_ASSERT_EQUAL(scan_peek(&s), 'c');
    TEST_SLICE_EQ(scan_while(&s, is_upper, 2), SLICE_NONE);
    CU_ASSERT_EQUAL(s.err, ERR_MALFORMED);
    s = scan_of(SLICE("ABC"));
    (void)scan_while(&s, is_upper, 2);
    CU_ASSERT_EQUAL(s.err, ERR_LIMIT);
}

static void test_literals(void)
{
    struct scan s = scan_of(SLICE("GET sip:Q\xff"));

    CU_ASSERT_FALSE(scan_skip_ch(&s, 'g'));
    CU_ASSERT_FALSE(scan_skip_ci(&s, SLICE("put")));
    CU_ASSERT_TRUE(scan_skip_ci(&s, SLICE("get")));
    scan_lws(&s, 1);
    scan_lws(&s, 0);
    scan_lit(&s, SLICE("sip"));
    scan_lit(&s, SLICE(""));
    scan_ch(&s, ':');
    CU_ASSERT_TRUE(scan_skip_ch(&s, 'Q'));
    CU_ASSERT_EQUAL(scan_peek(&s), 0xff);
    CU_ASSERT_TRUE(scan_skip_ch(&s, '\xff'));
    CU_ASSERT_EQUAL(scan_peek(&s), -1);
    scan_end(&s);
    CU_ASSERT_EQUAL(s.err, ERR_OK);
}

/* Each row: the step on the left must refuse the input on the right. */
static void lit_sip(struct scan *s)
{
    scan_lit(s, SLICE("sip"));
}
static void ch_a(struct scan *s)
{
    scan_ch(s, 'a');
}
static void two_blanks(struct scan *s)
{
    scan_lws(s, 2);
}

static const struct {
    void (*step)(struct scan *s);
    const char *in;
} refusal_rows[] = {
    {lit_sip, "SIP"}, {lit_sip, "si"},     {lit_sip, ""},      {ch_a, "A"},          {ch_a, ""},
    {two_blanks, ""}, {two_blanks, " x "}, {two_blanks, "\t"}, {two_blanks, "\n\n"}, {scan_end, " "},
};

static void test_refusals(void)
{
    for (size_t i = 0; i < COUNT(refusal_rows); i++) {
        struct scan s = scan_of(slice_str(refusal_rows[i].in));

        test_row(i);
        refusal_rows[i].step(&s);
        CU_ASSERT_EQUAL(s.err, ERR_MALFORMED);
    }
}

/* After a failure nothing moves, nothing is returned, and the first reason stays. */
static void test_failure_sticks(void)
{
    struct scan s = scan_of(SLICE("12 \"x\" abc"));
    const char *at = s.p;

    scan_fail(&s, ERR_LIMIT);
    scan_fail(&s, ERR_MALFORMED);
    scan_ch(&s, '2');
    scan_ch(&s, '1');
    scan_lit(&s, SLICE(""));
    scan_lit(&s, SLICE("1"));
    scan_lws(&s, 0);
    scan_end(&s);
    CU_ASSERT(scan_u32(&s, 0, 99) == 0 && scan_u64(&s, 0, 99) == 0 && scan_digits(&s, 2) == 0);
    CU_ASSERT(scan_token(&s, 9).n == 0 && scan_until(&s, 'c', 99).n == 0 && scan_quoted(&s, 9).n == 0);
    CU_ASSERT(scan_token_or_quoted(&s, 9).n == 0 && scan_left(&s).n == 0);
    CU_ASSERT(!scan_skip_ch(&s, '1') && !scan_skip_ci(&s, SLICE("1")) && !scan_skip_ci(&s, SLICE("")));
    CU_ASSERT(scan_peek(&s) == -1 && scan_done(&s));
    CU_ASSERT(s.p == at && s.err == ERR_LIMIT);
}

static void test_empty(void)
{
    struct scan s = scan_of(SLICE_NONE);

    CU_ASSERT(scan_done(&s) && scan_peek(&s) == -1);
    scan_lws(&s, 0);
    scan_lit(&s, SLICE_NONE);
    scan_end(&s);
    CU_ASSERT_EQUAL(s.err, ERR_OK);
}

const struct test_case test_cases[] = {
    {"u32_rows", test_u32},
    {"u64_rows", test_u64},
    {"digits_rows", test_digits},
    {"token_rows", test_token},
    {"quoted_rows", test_quoted},
    {"token_or_quoted", test_token_or_quoted},
    {"until_rows", test_until},
    {"while", test_while},
    {"literals", test_literals},
    {"refusal_rows", test_refusals},
    {"failure_sticks", test_failure_sticks},
    {"empty", test_empty},
    {NULL, NULL},
};
