/* Lists as text: edits that leave all else alone, and differences against a naive twin. */
#include "ppg/admin/rules.h"

#include <stdio.h>
#include "tests/unit/harness.h"

static void test_same(void)
{
    static const struct {
        const char *a, *b;
        bool want;
    } rows[] = {
        {"allow a * *", "allow a * *", true},
        {"allow a * *", "  allow\ta  *   * # why", true},
        {"allow a * *", "allow a * *#x", false},
        {"allow a * *", "allow a *", false},
        {"allow a *", "allow a * *", false},
        {"allow a * *", "Allow a * *", false},
        {"", "", true},
        {"", "# x", true},
        {"allow a * * type=a/b", "allow a * *", false},
        {"allow a * *\r", "allow a * *", true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(ppg_rules_same(slice_str(rows[i].a), slice_str(rows[i].b)) == rows[i].want);
    }
}

static void test_next(void)
{
    static const struct {
        uint32_t no;
        const char *whole, *rule;
    } want[] = {{1,
                 "\xEF\xBB\xBF"
                 "a b # x\r\n",
                 "a b # x"},
                {2, "\n", ""},
                {3, "  # only\n", ""},
                {4, " \t\r\n", ""},
                {5, "c", "c"}};
    struct slice rest = slice_str("\xEF\xBB\xBF"
                                  "a b # x\r\n\n  # only\n \t\r\nc");
    struct ppg_rules_line l = {.no = 0};

    for (size_t i = 0; i < COUNT(want); i++) {
        test_row(i);
        CU_ASSERT_FATAL(ppg_rules_next(&rest, &l));
        CU_ASSERT(l.no == want[i].no);
        TEST_SLICE_EQ(l.whole, slice_str(want[i].whole));
        TEST_SLICE_EQ(l.rule, slice_str(want[i].rule));
    }
    CU_ASSERT(!ppg_rules_next(&rest, &l));
}

static void test_add(void)
{
    static const struct {
        const char *text, *rule;
        uint32_t before;
        enum err want;
        const char *out;
        uint32_t at;
    } rows[] = {
        {"", "r", 0, ERR_OK, "r\n", 1},
        {"a\n", "r", 0, ERR_OK, "a\nr\n", 2},
        {"a", "r", 0, ERR_OK, "a\nr\n", 2},
        {"a\r\nb\r\n", "r", 0, ERR_OK, "a\r\nb\r\nr\r\n", 3},
        {"a\r\nb", "r", 0, ERR_OK, "a\r\nb\r\nr\r\n", 3},
        {"# c\n\n a  x # y\nb\n", "r", 3, ERR_OK, "# c\n\nr\n a  x # y\nb\n", 3},
        {"a\nb\n", "r", 1, ERR_OK, "r\na\nb\n", 1},
        {"a\nb\n", "r", 3, ERR_ABSENT, NULL, 0},
        {"", "r", 1, ERR_ABSENT, NULL, 0},
        {"a\nr  # x\n", "r", 0, ERR_EXISTS, NULL, 2},
        {"a\n r\n", "r", 1, ERR_EXISTS, NULL, 2},
        {"# r\n", "r", 0, ERR_OK, "# r\nr\n", 2},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t at = 0;
        struct buf out;

        test_row(i);
        buf_init(&out, 1000);
        CU_ASSERT(ppg_rules_add(slice_str(rows[i].text), slice_str(rows[i].rule), rows[i].before, &out,
                                &at) == rows[i].want);
        CU_ASSERT(at == rows[i].at);
        if (rows[i].out)
            TEST_SLICE_EQ(buf_slice(&out), slice_str(rows[i].out));
        buf_clear(&out);
    }
}

static void test_remove(void)
{
    static const struct {
        const char *text, *rule;
        uint32_t line;
        enum err want;
        const char *out;
        uint32_t at;
    } rows[] = {
        {"a\nb\n", "a", 0, ERR_OK, "b\n", 1},
        {"# x\na  # why\r\n\nb", "b", 0, ERR_OK, "# x\na  # why\r\n\n", 4},
        {"# x\na  # why\r\n\nb", "a", 0, ERR_OK, "# x\n\nb", 2},
        {"a\nb\na\n", "", 3, ERR_OK, "a\nb\n", 3},
        {"a\nb\na\n", "a", 0, ERR_EXISTS, NULL, 3},
        {"a\nb\n", "c", 0, ERR_ABSENT, NULL, 0},
        {"# a\n", "a", 0, ERR_ABSENT, NULL, 0},
        {"# a\nb\n", "", 1, ERR_ABSENT, NULL, 0},
        {"a\n", "", 2, ERR_ABSENT, NULL, 0},
        {"", "a", 0, ERR_ABSENT, NULL, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t at = 0;
        struct buf out;

        test_row(i);
        buf_init(&out, 1000);
        CU_ASSERT(ppg_rules_remove(slice_str(rows[i].text), slice_str(rows[i].rule), rows[i].line, &out,
                                   &at) == rows[i].want);
        CU_ASSERT(at == rows[i].at);
        if (rows[i].out)
            TEST_SLICE_EQ(buf_slice(&out), slice_str(rows[i].out));
        buf_clear(&out);
    }
}

static void test_no_room(void)
{
    uint32_t at;
    struct buf out;

    buf_init(&out, 3);
    CU_ASSERT(ppg_rules_add(SLICE("abc\n"), SLICE("r"), 0, &out, &at) == ERR_LIMIT);
    buf_clear(&out);
    buf_init(&out, 3);
    CU_ASSERT(ppg_rules_remove(SLICE("abc\nr\n"), SLICE("r"), 0, &out, &at) == ERR_LIMIT);
    buf_clear(&out);
}

static void put(void *arg, bool added, const struct ppg_rules_line *l)
{
    buf_addf(arg, "%c%u:%.*s ", added ? '+' : '-', (unsigned)l->no, SLICE_FMT(l->rule));
}

static void test_diff(void)
{
    static const struct {
        const char *was, *is, *want;
    } rows[] = {
        {"", "", ""},
        {"a\nb\n", "a\nb\n", ""},
        {"a\nb\n", "b\n#x\n\na # moved\n", ""},
        {"a  x\n", "a x # same\n", ""},
        {"a\nb\n", "a\nc\n", "-2:b +2:c "},
        {"a\na\nb\n", "a\nb\n", "-2:a "},
        {"a\nb\n", "a\nb\na\na\n", "+3:a +4:a "},
        {"", "a\n", "+1:a "},
        {"a", "", "-1:a "},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf got;

        test_row(i);
        buf_init(&got, 1000);
        CU_ASSERT(ppg_rules_diff(slice_str(rows[i].was), slice_str(rows[i].is), put, &got) == ERR_OK);
        TEST_SLICE_EQ(buf_slice(&got), slice_str(rows[i].want));
        buf_clear(&got);
    }
}

struct tally {
    int added[4], removed[4];
};

static void count(void *arg, bool added, const struct ppg_rules_line *l)
{
    struct tally *t = arg;

    (added ? t->added : t->removed)[l->rule.p[0] - 'a']++;
}

/* Random lists of four rules: how many of each came and went is a matter of counting. */
static void test_diff_naive_twin(void)
{
    unsigned state = 5;

    for (size_t round = 0; round < 500; round++) {
        int n[2][4] = {{0}};
        char text[2][64];
        struct tally got = {{0}, {0}};

        for (size_t side = 0; side < 2; side++) {
            size_t at = 0;

            for (size_t i = 0; i < 10; i++) {
                state = state * 1103515245u + 12345u;
                n[side][state >> 16 & 3]++;
                at += (size_t)snprintf(text[side] + at, sizeof text[side] - at, "%c%s\n",
                                       (int)('a' + (state >> 16 & 3)), state >> 20 & 1 ? "  #" : "");
            }
        }
        test_row(round);
        CU_ASSERT(ppg_rules_diff(slice_str(text[0]), slice_str(text[1]), count, &got) == ERR_OK);
        for (size_t i = 0; i < 4; i++) {
            CU_ASSERT(got.added[i] == (n[1][i] > n[0][i] ? n[1][i] - n[0][i] : 0));
            CU_ASSERT(got.removed[i] == (n[0][i] > n[1][i] ? n[0][i] - n[1][i] : 0));
        }
    }
}

const struct test_case test_cases[] = {
    {"same", test_same},
    {"next", test_next},
    {"add", test_add},
    {"remove", test_remove},
    {"no_room", test_no_room},
    {"diff", test_diff},
    {"diff_naive_twin", test_diff_naive_twin},
    {NULL, NULL},
};
