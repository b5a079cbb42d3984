/* Names of items: round trips, and what is no name of ours; what a terminal may ask of its inbox. */
#include "ppg/item.h"

#include <string.h>
#include "tests/unit/harness.h"

#define STORE "bece884110eacca6"

static void test_names(void)
{
    static const int64_t ids[] = {1, 9, 10, 255, 4096, INT64_C(0x7fffffffffffff)};

    for (size_t i = 0; i < COUNT(ids); i++) {
        char text[PPG_ITEM_ID_N];
        int64_t back = -7;

        test_row(i);
        ppg_item_print(STORE, ids[i], text);
        CU_ASSERT(ppg_item_parse(slice_str(text), STORE, &back) == ERR_OK && back == ids[i]);
        CU_ASSERT(ppg_item_parse(slice_str(text), "0000000000000000", &back) == ERR_MALFORMED);
    }
}

static void test_bad_names(void)
{
    static const char *const rows[] = {"",
                                       "-",
                                       STORE,
                                       STORE "-",
                                       STORE "-0",
                                       STORE "-01",
                                       STORE "-g",
                                       STORE "-A",
                                       STORE "--1",
                                       STORE "-1-",
                                       STORE "-1 ",
                                       " " STORE "-1",
                                       STORE "-+1",
                                       STORE "-0x1",
                                       "-1",
                                       "BECE884110EACCA6-1",
                                       "bece884110eacca-1",
                                       STORE "0-1",
                                       STORE "-1234567890abcdef",
                                       STORE "-ffffffffffffffffffffffffffffffff"};

    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t id = -7;

        test_row(i);
        CU_ASSERT(ppg_item_parse(slice_str(rows[i]), STORE, &id) == ERR_MALFORMED && id == -7);
    }
}

static void test_targets(void)
{
    static const struct {
        const char *in, *item, *after;
        int64_t wait_s, max;
    } rows[] = {{"/inbox", "", "", 0, 0},
                {"/inbox/a-1", "a-1", "", 0, 0},
                {"/inbox/a/b", "a/b", "", 0, 0},
                {"/inbox?wait=0", "", "", 0, 0},
                {"/inbox?wait=30&after=a-1&max=5", "", "a-1", 30, 5},
                {"/inbox?max=10000", "", "", 0, 10000},
                {"/inbox?wait=86400", "", "", 86400, 0}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_item_target t;

        test_row(i);
        CU_ASSERT_FATAL(ppg_item_target_parse(slice_str(rows[i].in), &t) == ERR_OK);
        CU_ASSERT(slice_eq(t.item, slice_str(rows[i].item)) && slice_eq(t.after, slice_str(rows[i].after)));
        CU_ASSERT(t.wait_s == rows[i].wait_s && t.max == rows[i].max);
    }
}

static void test_bad_targets(void)
{
    static const struct {
        const char *in;
        enum err want;
    } rows[] = {{"", ERR_ABSENT},
                {"/", ERR_ABSENT},
                {"/inbo", ERR_ABSENT},
                {"/inboxes", ERR_ABSENT},
                {"/inbox/", ERR_ABSENT},
                {"/inbox/?wait=1", ERR_ABSENT},
                {"/Inbox", ERR_ABSENT},
                {"//inbox", ERR_ABSENT},
                {"http://h/inbox", ERR_ABSENT},
                {"*", ERR_ABSENT},
                {"/inbox?", ERR_MALFORMED},
                {"/inbox?wait", ERR_MALFORMED},
                {"/inbox?wait=", ERR_MALFORMED},
                {"/inbox?wait=-1", ERR_MALFORMED},
                {"/inbox?wait=1x", ERR_MALFORMED},
                {"/inbox?wait=86401", ERR_MALFORMED},
                {"/inbox?wait=99999999999999999999999", ERR_MALFORMED},
                {"/inbox?wait=1&wait=1", ERR_MALFORMED},
                {"/inbox?wait=1&", ERR_MALFORMED},
                {"/inbox?&wait=1", ERR_MALFORMED},
                {"/inbox?max=10001", ERR_MALFORMED},
                {"/inbox?after=", ERR_MALFORMED},
                {"/inbox?after=a&after=a", ERR_MALFORMED},
                {"/inbox?Wait=1", ERR_MALFORMED},
                {"/inbox?size=1", ERR_MALFORMED},
                {"/inbox/a-1?wait=1", ERR_MALFORMED}};
    char text[400] = "/inbox?after=";

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_item_target t = {.max = -7};

        test_row(i);
        CU_ASSERT(ppg_item_target_parse(slice_str(rows[i].in), &t) == rows[i].want && t.max == -7);
    }
    for (size_t n = strlen(text); n < sizeof text - 1; n++)
        text[n] = 'a';
    {
        struct ppg_item_target t;

        CU_ASSERT(ppg_item_target_parse(slice_of(text, sizeof text - 1), &t) == ERR_MALFORMED);
    }
}

const struct test_case test_cases[] = {
    {"names", test_names},
    {"bad_names", test_bad_names},
    {"targets", test_targets},
    {"bad_targets", test_bad_targets},
    {NULL, NULL},
};
