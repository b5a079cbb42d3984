/* Remembered logins: the same octets, the same configuration, in time - and nothing near it. */
#include "security/login/login.h"

#include "tests/unit/harness.h"

static const struct {
    const char *again;
    uint64_t generation;
    int64_t now_s;
    bool holds;
} rows[] = {
    {"Basic dXNlcjpzZWNyZXQ=", 7, 0, true},
    {"Basic dXNlcjpzZWNyZXQ=", 7, 99, true},
    {"Basic dXNlcjpzZWNyZXQ=", 7, 100, false}, /* its token has ended */
    {"Basic dXNlcjpzZWNyZXQ=", 8, 0, false},   /* read again: password or account may be another's */
    {"Basic dXNlcjpzZWNyZXQ=", 6, 0, false},
    {"Basic dXNlcjpzZWNyZXR=", 7, 0, false}, /* in the last octets */
    {"Basic eXNlcjpzZWNyZXQ=", 7, 0, false}, /* in the first */
    {"Basic dXNlcjpzZWNSZXQ=", 7, 0, false},
    {"Basic dXNlcjpzZWNyZXQ", 7, 0, false},
    {"Basic dXNlcjpzZWNyZXQ= ", 7, 0, false},
    {"basic dXNlcjpzZWNyZXQ=", 7, 0, false}, /* the same login, but other octets: proved anew */
    {"Digest username=user", 7, 0, false},
    {"", 7, 0, false},
};

static void test_what_holds(void)
{
    struct sec_login_facts in = {7, 3, 5, 1, 100};
    struct sec_login *p = sec_login_create(SLICE("Basic dXNlcjpzZWNyZXQ="), &in);

    CU_ASSERT_FATAL(p != NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct sec_login_facts *f =
            sec_login_holds(p, slice_str(rows[i].again), rows[i].generation, rows[i].now_s);

        test_row(i);
        CU_ASSERT((f != NULL) == rows[i].holds);
        CU_ASSERT(!f || (f->account == 3 && f->proofs == 5 && f->scopes == 1));
    }
    sec_login_free(&p);
    CU_ASSERT(p == NULL);
    sec_login_free(&p);
}

static void test_nothing_to_remember(void)
{
    struct sec_login_facts facts = {1, 0, 0, 0, INT64_MAX};
    char text[SEC_LOGIN_MAX_N + 1];
    struct sec_login *p;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = 'A';
    CU_ASSERT(!sec_login_holds(NULL, SLICE(""), 0, 0));
    CU_ASSERT(!sec_login_holds(NULL, SLICE("Basic dTpw"), 1, 0));
    CU_ASSERT(!sec_login_create(SLICE_NONE, &facts));
    CU_ASSERT(!sec_login_create(slice_of(text, sizeof text), &facts));
    p = sec_login_create(slice_of(text, sizeof text - 1), &facts);
    CU_ASSERT(sec_login_holds(p, slice_of(text, sizeof text - 1), 1, INT64_MAX - 1) != NULL);
    sec_login_free(&p);
}

const struct test_case test_cases[] = {
    {"what_holds", test_what_holds},
    {"nothing_to_remember", test_nothing_to_remember},
    {NULL, NULL},
};
