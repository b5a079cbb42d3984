/* Borrowed bytes: comparisons, cuts, and the comma list with its quoted strings. */
#include "tests/unit/harness.h"

#include "base/slice.h"

static const struct {
    const char *a, *b;
    int cmp; /* sign */
    bool eq, eq_ci;
} compare_rows[] = {
    {"", "", 0, true, true},          {"abc", "abc", 0, true, true},
    {"abc", "ABC", 1, false, true},   {"a-Z9", "A-z9", 1, false, true},
    {"abc", "abd", -1, false, false}, {"abc", "ab", 1, false, false},
    {"", "a", -1, false, false},      {"\xc3\xa4", "\xc3\x84", 1, false, false},
    {"@", "`", -1, false, false},     {"[", "{", -1, false, false},
    {"\xe9", "a", 1, false, false},   {"abc", "xbc", -1, false, false},
};

static void test_compare(void)
{
    for (size_t i = 0; i < COUNT(compare_rows); i++) {
        struct slice a = slice_str(compare_rows[i].a);
        struct slice b = slice_str(compare_rows[i].b);

        test_row(i);
        CU_ASSERT_EQUAL(slice_cmp(a, b), compare_rows[i].cmp);
        CU_ASSERT_EQUAL(slice_cmp(b, a), -compare_rows[i].cmp);
        CU_ASSERT_EQUAL(slice_eq(a, b), compare_rows[i].eq);
        CU_ASSERT_EQUAL(slice_eq_ct(a, b), compare_rows[i].eq);
        CU_ASSERT_EQUAL(slice_eq_ci(a, b), compare_rows[i].eq_ci);
    }
    CU_ASSERT(slice_eq(SLICE_NONE, SLICE("")) && slice_eq_ct(SLICE_NONE, SLICE("")));
}

static const struct {
    const char *s, *part;
    bool starts, starts_ci, ends, ends_ci;
} edge_rows[] = {
    {"abc", "", true, true, true, true},         {"abcabc", "abc", true, true, true, true},
    {"abc", "AB", false, true, false, false},    {"abc", "BC", false, false, false, true},
    {"abc", "abcd", false, false, false, false}, {"", "a", false, false, false, false},
    {"abc", "b", false, false, false, false},
};

static void test_edges(void)
{
    for (size_t i = 0; i < COUNT(edge_rows); i++) {
        struct slice s = slice_str(edge_rows[i].s);
        struct slice part = slice_str(edge_rows[i].part);

        test_row(i);
        CU_ASSERT_EQUAL(slice_starts(s, part), edge_rows[i].starts);
        CU_ASSERT_EQUAL(slice_starts_ci(s, part), edge_rows[i].starts_ci);
        CU_ASSERT_EQUAL(slice_ends(s, part), edge_rows[i].ends);
        CU_ASSERT_EQUAL(slice_ends_ci(s, part), edge_rows[i].ends_ci);
    }
}

static void test_trim(void)
{
    TEST_SLICE_EQ(slice_trim(SLICE("  a b\t ")), SLICE("a b"));
    TEST_SLICE_EQ(slice_trim(SLICE("\t \t")), SLICE(""));
    TEST_SLICE_EQ(slice_trim(SLICE("\na\r")), SLICE("\na\r")); /* line ends are no blanks */
    TEST_SLICE_EQ(slice_trim(SLICE_NONE), SLICE_NONE);
}

static void test_sub(void)
{
    struct slice s = SLICE("abcdef");

    TEST_SLICE_EQ(slice_sub(s, 0, 6), s);
    TEST_SLICE_EQ(slice_sub(s, 2, 3), SLICE("cde"));
    TEST_SLICE_EQ(slice_sub(s, 4, 9), SLICE("ef"));
    TEST_SLICE_EQ(slice_sub(s, 6, 1), SLICE(""));
    TEST_SLICE_EQ(slice_sub(s, 7, 1), SLICE(""));
    TEST_SLICE_EQ(slice_sub(s, SIZE_MAX, SIZE_MAX), SLICE(""));
    TEST_SLICE_EQ(slice_sub(s, 1, SIZE_MAX), SLICE("bcdef"));
    TEST_SLICE_EQ(slice_sub(SLICE_NONE, 1, 1), SLICE_NONE);
}

/* Equal or not, wherever the difference lies: words of eight octets and what is left over. */
static void test_every_length(void)
{
    char a[40], b[40];

    for (size_t n = 0; n <= sizeof a; n++)
        for (size_t at = 0; at <= n; at++) {
            for (size_t i = 0; i < n; i++)
                a[i] = b[i] = (char)('a' + i % 26);
            if (at < n)
                b[at] = (char)(b[at] ^ 0x20);
            CU_ASSERT(slice_eq_ct(slice_of(a, n), slice_of(b, n)) == (at == n));
            CU_ASSERT(slice_eq_ci(slice_of(a, n), slice_of(b, n)));
            if (at < n)
                b[at] = (char)(b[at] ^ 0x80);
            CU_ASSERT(slice_eq_ci(slice_of(a, n), slice_of(b, n)) == (at == n));
        }
}

/* Every octet at every place of what is looked at eight at a time, against the definition. */
static void test_printable(void)
{
    char text[19];

    for (size_t at = 0; at < sizeof text; at++)
        for (unsigned ch = 0; ch < 256; ch++) {
            size_t want = ch >= 0x20 && ch <= 0x7E ? sizeof text : at;

            for (size_t i = 0; i < sizeof text; i++)
                text[i] = i % 2 ? ' ' : '~';
            text[at] = (char)ch;
            CU_ASSERT(slice_printable_n(slice_of(text, sizeof text)) == want);
        }
    CU_ASSERT(slice_printable_n(SLICE_NONE) == 0);
    CU_ASSERT(slice_printable_n(SLICE("abcdefgh\xff\x7f")) == 8);
}

static void test_find(void)
{
    CU_ASSERT_EQUAL(slice_find(SLICE("abcb"), 'b'), 1);
    CU_ASSERT_EQUAL(slice_find(slice_of("a\0b", 3), 'b'), 2);
    CU_ASSERT_EQUAL(slice_find(SLICE("abc"), 'x'), SIZE_MAX);
    CU_ASSERT_EQUAL(slice_find(SLICE_NONE, 'x'), SIZE_MAX);
    CU_ASSERT_EQUAL(slice_find_slice(SLICE("ababc"), SLICE("abc")), 2);
    CU_ASSERT_EQUAL(slice_find_slice(SLICE("ab"), SLICE("")), 0);
    CU_ASSERT_EQUAL(slice_find_slice(SLICE("ab"), SLICE("abc")), SIZE_MAX);
    CU_ASSERT_EQUAL(slice_find_slice(SLICE_NONE, SLICE("a")), SIZE_MAX);
}

static void test_cut(void)
{
    struct slice head, tail;

    CU_ASSERT_TRUE(slice_cut(SLICE("k=v=w"), '=', &head, &tail));
    TEST_SLICE_EQ(head, SLICE("k"));
    TEST_SLICE_EQ(tail, SLICE("v=w"));
    CU_ASSERT_TRUE(slice_cut(SLICE("="), '=', &head, &tail));
    CU_ASSERT(head.n == 0 && tail.n == 0);
    CU_ASSERT_FALSE(slice_cut(SLICE("kv"), '=', &head, &tail));
    TEST_SLICE_EQ(head, SLICE("kv"));
    CU_ASSERT(tail.n == 0);
    CU_ASSERT_FALSE(slice_cut(SLICE_NONE, '=', &head, &tail));
}

static const struct {
    const char *list;
    const char *items[4];
} item_rows[] = {
    {"a", {"a"}},
    {"a,b , c", {"a", "b", "c"}},
    {" \"x,y\" ;q=1 ,z", {"\"x,y\" ;q=1", "z"}},
    {"\"a\\\",b\",c", {"\"a\\\",b\"", "c"}},
    {"\"a\\\\\",b", {"\"a\\\\\"", "b"}},
    {",, a ,\t,", {"a"}},
    {"", {NULL}},
    {" , ,", {NULL}},
    {"\"open, b", {"\"open, b"}},
    {"\"open\\", {"\"open\\"}},
    {"a\\,b", {"a\\", "b"}}, /* a backslash means something inside quotes only */
};

static void test_items(void)
{
    for (size_t i = 0; i < COUNT(item_rows); i++) {
        struct slice list = slice_str(item_rows[i].list);
        struct slice item = SLICE("untouched");
        size_t n = 0;

        test_row(i);
        while (slice_item(&list, &item)) {
            CU_ASSERT_FATAL(n < 4 && item_rows[i].items[n]);
            TEST_SLICE_EQ(item, slice_str(item_rows[i].items[n]));
            n++;
        }
        CU_ASSERT_PTR_NULL(item_rows[i].items[n]);
        CU_ASSERT(list.n == 0);
        if (n == 0)
            TEST_SLICE_EQ(item, SLICE("untouched"));
    }
}

static void test_lists(void)
{
    const struct slice a[] = {SLICE("one"), SLICE("two"), SLICE("")};
    const struct slice b[] = {SLICE("one"), SLICE("two"), SLICE("x")};
    const struct slice turned[] = {SLICE("two"), SLICE("one"), SLICE("")};

    CU_ASSERT(slice_list_eq(a, 3, a, 3) && slice_list_eq(a, 2, b, 2) && slice_list_eq(NULL, 0, b, 0));
    CU_ASSERT(!slice_list_eq(a, 3, b, 3) && !slice_list_eq(a, 2, a, 3) && !slice_list_eq(a, 0, a, 1));
    CU_ASSERT(!slice_list_eq(a, 3, turned, 3));
}

const struct test_case test_cases[] = {
    {"lists", test_lists},
    {"compare_rows", test_compare},
    {"edge_rows", test_edges},
    {"trim", test_trim},
    {"sub", test_sub},
    {"every_length", test_every_length},
    {"printable", test_printable},
    {"find", test_find},
    {"cut", test_cut},
    {"item_rows", test_items},
    {NULL, NULL},
};
