/* Identities in quotes, as proxies write them. */
#include "security/rules/asserted.h"

#include "base/buf.h"
#include "tests/unit/harness.h"

static const struct {
    const char *in;
    enum err want;
    size_t n;
    const char *last;
} rows[] = {
    {"\"sip:alice@example.com\"", ERR_OK, 1, "sip:alice@example.com"},
    {"\"a\", \"b\"", ERR_OK, 2, "b"},
    {"\"a\",\"b\" ,  \"c d, e\" ", ERR_OK, 3, "c d, e"},
    {"", ERR_MALFORMED, 0, NULL},
    {"a", ERR_MALFORMED, 0, NULL},
    {"sip:alice@example.com", ERR_MALFORMED, 0, NULL},
    {"\"\"", ERR_MALFORMED, 0, NULL},
    {"\"a", ERR_MALFORMED, 0, NULL},
    {"\"a\" \"b\"", ERR_MALFORMED, 0, NULL},
    {"\"a\",", ERR_MALFORMED, 0, NULL},
    {",\"a\"", ERR_MALFORMED, 0, NULL},
    {"\"a\",,\"b\"", ERR_MALFORMED, 0, NULL},
    {"\"a\"x", ERR_MALFORMED, 0, NULL},
    {"\"a\";x=\"b\"", ERR_MALFORMED, 0, NULL},
    {"\"a\\\"b\"", ERR_MALFORMED, 0, NULL}, /* escapes would be a second spelling */
    {"\"a\\b\"", ERR_MALFORMED, 0, NULL},
    {"\"a\tb\"", ERR_MALFORMED, 0, NULL},
    {"\"\xc3\xa4\"", ERR_MALFORMED, 0, NULL},
};

static void test_parse(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_asserted a = {.n = 99};

        test_row(i);
        CU_ASSERT(sec_asserted_parse(slice_str(rows[i].in), &a) == rows[i].want);
        CU_ASSERT(a.n == (rows[i].want ? 99 : rows[i].n));
        if (!rows[i].want)
            CU_ASSERT(sec_asserted_has(&a, slice_str(rows[i].last)) && !sec_asserted_has(&a, SLICE("x")));
    }
}

static void test_ceilings(void)
{
    struct sec_asserted a;
    struct buf text;

    buf_init(&text, 10000);
    for (size_t n = 1; n <= SEC_ASSERTED_MAX + 1; n++) {
        buf_add_str(&text, n > 1 ? ",\"a\"" : "\"a\"");
        CU_ASSERT(sec_asserted_parse(buf_slice(&text), &a) == (n > SEC_ASSERTED_MAX ? ERR_LIMIT : ERR_OK));
    }
    buf_reset(&text, SIZE_MAX);
    buf_add_ch(&text, '"');
    for (size_t i = 0; i <= SEC_ASSERTED_MAX_N; i++)
        buf_add_ch(&text, 'x');
    CU_ASSERT(sec_asserted_good(slice_sub(buf_slice(&text), 1, SEC_ASSERTED_MAX_N)));
    CU_ASSERT(!sec_asserted_good(slice_sub(buf_slice(&text), 1, SEC_ASSERTED_MAX_N + 1)));
    buf_add_ch(&text, '"');
    CU_ASSERT(sec_asserted_parse(buf_slice(&text), &a) == ERR_LIMIT);
    CU_ASSERT(!sec_asserted_good(SLICE("")) && !sec_asserted_good(SLICE("a\"")));
    buf_clear(&text);
}

const struct test_case test_cases[] = {
    {"parse", test_parse},
    {"ceilings", test_ceilings},
    {NULL, NULL},
};
