/* Digest parameters: what is read and what is refused. */
#include "security/login/digest_params.h"

#include "tests/unit/harness.h"

static void test_parse_rows(void)
{
    static const struct {
        const char *in, *realm; /* realm NULL: refused */
    } rows[] = {
        {"realm=\"a\"", "a"},
        {"REALM=\"a b, c=\\d\"", NULL},
        {"Realm = a", "a"},
        {",, realm=\"x, y\" ,nonce=\"n\",", "x, y"},
        {"foo=bar, realm=\"r\"", "r"},
        {"foo=bar, foo=bar", ""}, /* an extension's business */
        {"", ""},
        {"realm=\"a\", realm=\"a\"", NULL},
        {"realm=\"a\", REALM=b", NULL},
        {"realm", NULL},
        {"realm=", NULL},
        {"realm=\"a", NULL},
        {"realm=\"a\"b", NULL},
        {"realm=\"a\" nonce=\"b\"", NULL},
        {"realm=a b", NULL},
        {"=a", NULL},
        {"realm:a", NULL},
        {"realm=\"a\\\"b\"", NULL},
        {"realm=\"a\x01\"", NULL},
        {"foo=\"a", NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_params p;
        enum err e = sec_params_parse(slice_str(rows[i].in), &p);

        test_row(i);
        CU_ASSERT((e == ERR_OK) == (rows[i].realm != NULL));
        if (!e)
            TEST_SLICE_EQ(p.value[SEC_PARAM_REALM], slice_str(rows[i].realm));
    }
}

static void test_quotable(void)
{
    CU_ASSERT(sec_param_quotable(SLICE("")));
    CU_ASSERT(sec_param_quotable(SLICE("J\xc3\xa4s\xc3\xb8n Doe")));
    CU_ASSERT(!sec_param_quotable(SLICE("a\"b")));
    CU_ASSERT(!sec_param_quotable(SLICE("a\\b")));
    CU_ASSERT(!sec_param_quotable(SLICE("a\r\nb")));
    CU_ASSERT(!sec_param_quotable(SLICE("a\x7f")));
}

const struct test_case test_cases[] = {
    {"parse_rows", test_parse_rows},
    {"quotable", test_quotable},
    {NULL, NULL},
};
