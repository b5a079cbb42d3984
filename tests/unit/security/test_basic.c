/* Basic credentials (RFC 7617) and comparing passwords. */
#include "security/login/basic.h"

#include "tests/unit/harness.h"

static void test_parse_rows(void)
{
    static const struct {
        const char *in;
        enum err want;
        const char *user, *password;
    } rows[] = {
        {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", ERR_OK, "Aladdin", "open sesame"}, /* RFC 7617 §2 */
        {"basic   dGVzdDoxMjPCow==", ERR_OK, "test", "123\xc2\xa3"},              /* RFC 7617 §2.1 */
        {"Basic dTo=", ERR_OK, "u", ""},
        {"Basic OnA=", ERR_OK, "", "p"},
        {"Basic dTpwOnE=", ERR_OK, "u", "p:q"},
        {"Basic", ERR_UNSUPPORTED, "", ""},
        {"BasicdTpw", ERR_UNSUPPORTED, "", ""},
        {"Digest x=y", ERR_UNSUPPORTED, "", ""},
        {"", ERR_UNSUPPORTED, "", ""},
        {"Basic ", ERR_MALFORMED, "", ""},
        {"Basic dXA=", ERR_MALFORMED, "", ""}, /* no colon */
        {"Basic dTpw dTpw", ERR_MALFORMED, "", ""},
        {"Basic dTpw=", ERR_MALFORMED, "", ""},
        {"Basic dTp", ERR_MALFORMED, "", ""},
        {"Basic d!pw", ERR_MALFORMED, "", ""},
        {"Basic dTpwCg==", ERR_MALFORMED, "", ""}, /* a line end */
        {"Basic dQA6cA==", ERR_MALFORMED, "", ""}, /* a NUL */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_basic b;
        struct buf secret;

        test_row(i);
        buf_init(&secret, SEC_BASIC_MAX_N);
        CU_ASSERT(sec_basic_parse(slice_str(rows[i].in), &secret, &b) == rows[i].want);
        if (!rows[i].want) {
            TEST_SLICE_EQ(b.user, slice_str(rows[i].user));
            TEST_SLICE_EQ(b.password, slice_str(rows[i].password));
        }
        buf_wipe(&secret);
    }
}

static void test_parse_too_long(void)
{
    char text[6 + SEC_BASIC_MAX_N * 2];
    struct sec_basic b;
    struct buf secret;

    memset(text, 'A', sizeof text);
    for (size_t i = 0; i < 6; i++)
        text[i] = "Basic "[i];
    buf_init(&secret, SEC_BASIC_MAX_N);
    CU_ASSERT(sec_basic_parse(slice_of(text, sizeof text), &secret, &b) == ERR_LIMIT);
    buf_wipe(&secret);
}

/* What is printed is what a server reads; the name ends at the first colon there, so it can have none here. */
static void test_print_rows(void)
{
    static const struct {
        const char *user, *password;
        enum err want;
        const char *out;
    } rows[] = {
        {"Aladdin", "open sesame", ERR_OK, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, /* RFC 7617 §2 */
        {"test", "123\xc2\xa3", ERR_OK, "Basic dGVzdDoxMjPCow=="},                /* RFC 7617 §2.1 */
        {"u", "p:q", ERR_OK, "Basic dTpwOnE="},
        {"", "", ERR_OK, "Basic Og=="},
        {"a:b", "p", ERR_MALFORMED, ""},
        {"a very long name that does not fit", "p", ERR_LIMIT, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;

        test_row(i);
        buf_init(&out, 40);
        CU_ASSERT(sec_basic_print(slice_str(rows[i].user), slice_str(rows[i].password), &out) ==
                  rows[i].want);
        if (rows[i].out)
            TEST_SLICE_EQ(buf_slice(&out), slice_str(rows[i].out));
        buf_clear(&out);
    }
}

static void test_password_eq(void)
{
    CU_ASSERT(sec_password_eq(SLICE("secret"), SLICE("secret")));
    CU_ASSERT(sec_password_eq(SLICE(""), SLICE_NONE));
    CU_ASSERT(!sec_password_eq(SLICE("secret"), SLICE("secret ")));
    CU_ASSERT(!sec_password_eq(SLICE("secret"), SLICE("Secret")));
    CU_ASSERT(!sec_password_eq(SLICE("secret"), SLICE("")));
    CU_ASSERT(!sec_password_eq(SLICE("a\0b"), SLICE("a\0c")));
}

const struct test_case test_cases[] = {
    {"parse_rows", test_parse_rows},
    {"parse_too_long", test_parse_too_long},
    {"print_rows", test_print_rows},
    {"password_eq", test_password_eq},
    {NULL, NULL},
};
