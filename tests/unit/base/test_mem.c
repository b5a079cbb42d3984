/* Copies that know their bounds. */
#include "tests/unit/harness.h"

#include <stdlib.h>

#include "base/mem.h"

static void test_copy(void)
{
    char box[4] = "abc";

    mem_copy(box, sizeof box, SLICE_NONE);
    CU_ASSERT_STRING_EQUAL(box, "abc");
    mem_copy(box, sizeof box, slice_of("wxyz", 4));
    CU_ASSERT(memcmp(box, "wxyz", 4) == 0);
    mem_copy(box, sizeof box, slice_of(box + 1, 3)); /* overlap is fine */
    CU_ASSERT(memcmp(box, "xyzz", 4) == 0);
}

static const struct {
    const char *in;
    size_t cap;
    enum err want;
} cstr_rows[] = {
    {"abc", 4, ERR_OK},    {"", 1, ERR_OK},    {"abcdefg", 8, ERR_OK}, {"abc", 3, ERR_LIMIT},
    {"abc", 0, ERR_LIMIT}, {"", 0, ERR_LIMIT}, {"abcd", 4, ERR_LIMIT}, {"abcdefgh", 8, ERR_LIMIT},
};

static void test_cstr(void)
{
    for (size_t i = 0; i < COUNT(cstr_rows); i++) {
        char box[8] = "-------";
        enum err e = mem_cstr(box, cstr_rows[i].cap, slice_str(cstr_rows[i].in));

        test_row(i);
        CU_ASSERT_EQUAL(e, cstr_rows[i].want);
        CU_ASSERT_STRING_EQUAL(box, e ? "-------" : cstr_rows[i].in);
    }
}

static void test_dup(void)
{
    char *copy = mem_dup(slice_of("a\0b", 3));
    char *empty = mem_dup(SLICE_NONE);

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    CU_ASSERT(memcmp(copy, "a\0b\0", 4) == 0);
    CU_ASSERT(empty && empty[0] == '\0');
    free(copy);
    free(empty);
    CU_ASSERT_PTR_NULL(mem_dup(slice_of("", SIZE_MAX)));
}

static void test_wipe(void)
{
    char box[6] = "secre";

    mem_wipe(box + 1, 3);
    CU_ASSERT(memcmp(box, "s\0\0\0e", 6) == 0);
    mem_wipe(NULL, 0);
}

const struct test_case test_cases[] = {
    {"copy", test_copy}, {"cstr_rows", test_cstr}, {"dup", test_dup}, {"wipe", test_wipe}, {NULL, NULL},
};
