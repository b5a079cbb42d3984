/* Signatures that openssl made over one text (tests/vectors/signed), each by its own key, and all that must not pass. */
#include "security/signed.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/harness.h"

static struct slice load(const char *name)
{
    char path[100];
    size_t n;
    char *p;

    (void)snprintf(path, sizeof path, "vectors/signed/%s", name);
    p = test_read(path, &n);
    return slice_of(p, n);
}

static void unload(struct slice s)
{
    free((char *)(uintptr_t)s.p);
}

static void test_rows(void)
{
    static const struct {
        const char *text, *signature, *key;
        enum err want;
    } rows[] = {
        {"text", "ec.sig", "ec.pem", ERR_OK},
        {"text", "rsa.sig", "rsa.pem", ERR_OK},
        {"text", "ed.sig", "ed.pem", ERR_OK},
        {"text", "small.sig", "small.pem", ERR_UNSUPPORTED}, /* RSA of 1024 bits */
        {"text", "rsa.sig", "ec.pem", ERR_DENIED},
        {"text", "ec.sig", "rsa.pem", ERR_DENIED},
        {"text", "ec.sig", "ed.pem", ERR_DENIED},
        {"ec.pem", "ec.sig", "ec.pem", ERR_DENIED}, /* of another text */
        {"text", "text", "ec.pem", ERR_DENIED},
        {"text", "ec.sig", "text", ERR_MALFORMED},
        {"text", "ec.sig", "ec.sig", ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice text = load(rows[i].text), signature = load(rows[i].signature), key = load(rows[i].key);

        test_row(i);
        CU_ASSERT_EQUAL(sec_signed_check(text, signature, key), rows[i].want);
        unload(text);
        unload(signature);
        unload(key);
    }
}

/* No signature, a part of one, and every text that differs in one octet. */
static void test_changed(void)
{
    struct slice text = load("text"), signature = load("ed.sig"), key = load("ed.pem");
    char *octets = (char *)(uintptr_t)text.p;

    CU_ASSERT_EQUAL(sec_signed_check(text, SLICE_NONE, key), ERR_DENIED);
    for (size_t i = 0; i < signature.n; i++)
        CU_ASSERT_EQUAL(sec_signed_check(text, slice_sub(signature, 0, i), key), ERR_DENIED);
    for (size_t i = 0; i < text.n; i++) {
        octets[i] = (char)(octets[i] ^ 1);
        CU_ASSERT_EQUAL(sec_signed_check(text, signature, key), ERR_DENIED);
        octets[i] = (char)(octets[i] ^ 1);
        CU_ASSERT_EQUAL(sec_signed_check(slice_sub(text, 0, i), signature, key), ERR_DENIED);
    }
    CU_ASSERT_EQUAL(sec_signed_check(text, signature, key), ERR_OK);
    unload(text);
    unload(signature);
    unload(key);
}

const struct test_case test_cases[] = {
    {"rows", test_rows},
    {"changed", test_changed},
    {NULL, NULL},
};
