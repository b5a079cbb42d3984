/* Activation packages: what is sealed opens under its code, in time, and in no other way. */
#include "security/terminal/activation.h"

#include <stdlib.h>
#include "tests/unit/harness.h"

#define NOW   INT64_C(1800000000)
#define UNTIL (NOW + 1000)

static struct sec_activation sample(void)
{
    struct sec_activation a = {.name = "phone",
                               .name_n = 5,
                               .version = 3,
                               .expires_s = NOW + 99,
                               .said = "a said of 16 oct",
                               .suites = {2, 4},
                               .suites_n = 2};

    MUST(sec_secret_set(&a.key, SLICE("k k k k k k k k k k k k k k k k ")) == ERR_OK);
    return a;
}

static void seal(struct buf *package, char code[SEC_ACTIVATION_CODE_N])
{
    struct sec_activation a = sample();

    buf_init(package, SEC_ACTIVATION_MAX_N);
    MUST(sec_activation_seal(&a, UNTIL, package, code) == ERR_OK);
}

static enum err open_with(struct slice package, struct slice code, int64_t now_s)
{
    struct sec_activation got = {.name_n = 77};
    enum err e = sec_activation_open(package, code, now_s, &got);

    CU_ASSERT(!e || (got.name_n == 77 && got.key.n == 0)); /* untouched on failure */
    sec_secret_clear(&got.key);
    return e;
}

static void test_seal_and_open(void)
{
    struct sec_activation got;
    char code[SEC_ACTIVATION_CODE_N], again[SEC_ACTIVATION_CODE_N];
    struct buf package, other;

    seal(&package, code);
    seal(&other, again);
    CU_ASSERT(strlen(code) == SEC_ACTIVATION_CODE_N - 1 && code[4] == '-');
    CU_ASSERT(strcmp(code, again) != 0);
    CU_ASSERT(sec_activation_open(buf_slice(&package), slice_str(code), NOW, &got) == ERR_OK);
    TEST_SLICE_EQ(slice_of(got.name, got.name_n), SLICE("phone"));
    CU_ASSERT(got.version == 3 && got.expires_s == NOW + 99 && got.suites_n == 2 && got.suites[0] == 2);
    CU_ASSERT(got.suites[1] == 4 && slice_eq(slice_of(got.said, 16), SLICE("a said of 16 oct")));
    TEST_SLICE_EQ(sec_secret_slice(&got.key), SLICE("k k k k k k k k k k k k k k k k "));
    CU_ASSERT(slice_find_slice(buf_slice(&package), SLICE("k k")) == SIZE_MAX);
    CU_ASSERT(slice_find_slice(buf_slice(&package), SLICE("phone")) == SIZE_MAX);
    CU_ASSERT(open_with(buf_slice(&package), slice_str(again), NOW) == ERR_DENIED);
    sec_secret_clear(&got.key);
    buf_clear(&package);
    buf_clear(&other);
}

static void test_every_bit_counts(void)
{
    char code[SEC_ACTIVATION_CODE_N];
    struct buf package;

    seal(&package, code);
    for (size_t bit = 0; bit < 8 * package.n; bit++) {
        enum err e;

        test_row(bit);
        package.p[bit / 8] = (char)(package.p[bit / 8] ^ (1 << bit % 8));
        e = open_with(buf_slice(&package), slice_str(code), NOW);
        CU_ASSERT(e == (bit < 56 ? ERR_MALFORMED : e) && e && e != ERR_LATE);
        package.p[bit / 8] = (char)(package.p[bit / 8] ^ (1 << bit % 8));
    }
    buf_clear(&package);
}

static void test_truncated(void)
{
    char code[SEC_ACTIVATION_CODE_N];
    struct buf package;

    seal(&package, code);
    for (size_t n = 0; n < package.n; n++) {
        char *copy = malloc(n + 1);

        test_row(n);
        CU_ASSERT_FATAL(copy != NULL);
        for (size_t i = 0; i < n; i++)
            copy[i] = package.p[i];
        CU_ASSERT(open_with(slice_of(copy, n), slice_str(code), NOW) != ERR_OK);
        free(copy);
    }
    buf_add_ch(&package, 0);
    CU_ASSERT(open_with(buf_slice(&package), slice_str(code), NOW) == ERR_DENIED);
    buf_clear(&package);
}

static void test_too_late(void)
{
    char code[SEC_ACTIVATION_CODE_N];
    struct buf package;

    seal(&package, code);
    CU_ASSERT(open_with(buf_slice(&package), slice_str(code), UNTIL - 1) == ERR_OK);
    CU_ASSERT(open_with(buf_slice(&package), slice_str(code), UNTIL) == ERR_LATE);
    buf_clear(&package);
}

/* As people type it; made by another program from the octets as documented. */
static void test_codes(void)
{
    static const struct {
        struct slice code;
        enum err want;
    } rows[] = {{SLICE("0123-4567-89AB-CDEF-GHJK-MNPQ"), ERR_OK},
                {SLICE("0123456789abcdefghjkmnpq"), ERR_OK},
                {SLICE(" O1 23-45 67 89ab cdef ghjk mnpq "), ERR_OK},
                {SLICE("oI23456789abcdefghjkmnpq"), ERR_OK},
                {SLICE("oL23456789abcdefghjkmnpq"), ERR_OK},
                {SLICE("0123-4567-89AB-CDEF-GHJK-MNPR"), ERR_DENIED},
                {SLICE("0123-4567-89AB-CDEF-GHJK-MNP"), ERR_MALFORMED},
                {SLICE("0123-4567-89AB-CDEF-GHJK-MNPQ0"), ERR_MALFORMED},
                {SLICE("0123-4567-89AB-CDEF-GHJK-MNPU"), ERR_MALFORMED},
                {SLICE("0123-4567-89AB-CDEF-GHJK-MNP\0"), ERR_MALFORMED},
                {SLICE("0123_4567_89AB_CDEF_GHJK_MNPQ"), ERR_MALFORMED},
                {SLICE(""), ERR_MALFORMED}};
    size_t n;
    char *package = test_read("fuzz/corpus/activation/good", &n);

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(open_with(slice_of(package, n), rows[i].code, NOW) == rows[i].want);
    }
    free(package);
}

static void test_not_sealed(void)
{
    char code[SEC_ACTIVATION_CODE_N] = "";
    struct buf package;

    buf_init(&package, SEC_ACTIVATION_MAX_N);
    for (size_t i = 0; i < 7; i++) {
        struct sec_activation a = sample();

        test_row(i);
        a.name_n = i == 0 ? 0 : a.name_n;
        a.name[0] = i == 1 ? ' ' : a.name[0];
        a.suites_n = i == 2 ? 0 : i == 3 ? 7 : a.suites_n;
        a.suites[1] = i == 4 ? 2 : i == 5 ? 9 : a.suites[1];
        a.key.n = i == 6 ? 31 : a.key.n;
        CU_ASSERT(sec_activation_seal(&a, UNTIL, &package, code) == ERR_MALFORMED);
        CU_ASSERT(package.n == 0 && !*code);
        sec_secret_clear(&a.key);
    }
    buf_clear(&package);
}

const struct test_case test_cases[] = {
    {"seal_and_open", test_seal_and_open},
    {"every_bit_counts", test_every_bit_counts},
    {"truncated", test_truncated},
    {"too_late", test_too_late},
    {"codes", test_codes},
    {"not_sealed", test_not_sealed},
    {NULL, NULL},
};
