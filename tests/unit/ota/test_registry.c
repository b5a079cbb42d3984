/* The table of terminals: deep copies, limits, holds. */
#include "ota/registry.h"

#include <stdio.h>
#include <string.h>
#include "tests/unit/harness.h"

static void copies_are_deep(void)
{
    char key[] = "+15550100", password[] = "secret";
    struct ota_terminal t = {.key = slice_str(key), .host = SLICE("127.0.0.1"), .port = 4035};
    struct ota_registry *r;
    const struct ota_terminal *found;

    t.login = (struct ota_login){SLICE("gw"), slice_str(password)};
    t.association.present = true;
    t.psk_identity = SLICE("x-ppg:1");
    CU_ASSERT(sec_secret_set(&t.psk, SLICE("0123456789abcdef")) == ERR_OK);
    CU_ASSERT(sec_secret_set(&t.association.key, SLICE("0123456789abcdef0123456789abcdef")) == ERR_OK);
    CU_ASSERT_FATAL(ota_registry_create(4, &r) == ERR_OK);
    CU_ASSERT(ota_registry_add(r, &t) == ERR_OK);
    memset(key, 'x', sizeof key - 1);
    memset(password, 'x', sizeof password - 1);
    found = ota_registry_find(r, SLICE("+15550100"));
    CU_ASSERT_FATAL(found != NULL);
    TEST_SLICE_EQ(found->host, SLICE("127.0.0.1"));
    TEST_SLICE_EQ(found->login.password, SLICE("secret"));
    TEST_SLICE_EQ(found->psk_identity, SLICE("x-ppg:1"));
    TEST_SLICE_EQ(sec_secret_slice(&found->psk), SLICE("0123456789abcdef"));
    CU_ASSERT(found->port == 4035 && found->association.key.n == 32 && found->tls_name.n == 0);
    CU_ASSERT(ota_registry_find(r, SLICE("+15550101")) == NULL);
    ota_registry_drop(&r);
    CU_ASSERT(r == NULL);
    ota_registry_drop(&r);
}

/* Phones of one model say the same: their texts are kept once. */
static void profiles_are_shared(void)
{
    char accept[] = "text/plain, image/png";
    struct ota_terminal t = {.key = SLICE("a"), .profile = {.accept = slice_str(accept), .size_max = 9}};
    const struct ota_terminal *a, *b;
    struct ota_registry *r;

    CU_ASSERT_FATAL(ota_registry_create(4, &r) == ERR_OK);
    CU_ASSERT(ota_registry_add(r, &t) == ERR_OK);
    t.key = SLICE("b");
    t.profile.app_ids = SLICE("*");
    CU_ASSERT(ota_registry_add(r, &t) == ERR_OK);
    memset(accept, 'x', sizeof accept - 1);
    a = ota_registry_find(r, SLICE("a"));
    b = ota_registry_find(r, SLICE("b"));
    CU_ASSERT_FATAL(a != NULL && b != NULL);
    TEST_SLICE_EQ(a->profile.accept, SLICE("text/plain, image/png"));
    CU_ASSERT(a->profile.accept.p == b->profile.accept.p && a->profile.size_max == 9);
    CU_ASSERT(a->profile.app_ids.n == 0 && b->profile.app_ids.n == 1);
    ota_registry_drop(&r);
}

static void bad_rows_are_refused(void)
{
    static char longer[300];
    struct ota_terminal good = {.key = SLICE("a")}, t;
    struct ota_registry *r;

    memset(longer, 'a', sizeof longer);
    CU_ASSERT_FATAL(ota_registry_create(2, &r) == ERR_OK);
    t = good;
    t.key = SLICE_NONE;
    CU_ASSERT(ota_registry_add(r, &t) == ERR_LIMIT);
    t = good;
    t.host = slice_of(longer, 256);
    CU_ASSERT(ota_registry_add(r, &t) == ERR_LIMIT);
    t = good;
    t.profile.accept = slice_of(longer, OTA_PROFILE_MAX_N + 1);
    CU_ASSERT(ota_registry_add(r, &t) == ERR_LIMIT);
    t = good;
    t.association.suites_n = OTA_SUITES_MAX + 1;
    CU_ASSERT(ota_registry_add(r, &t) == ERR_LIMIT);
    CU_ASSERT(ota_registry_n(r) == 0);
    CU_ASSERT(ota_registry_add(r, &good) == ERR_OK);
    CU_ASSERT(ota_registry_add(r, &good) == ERR_EXISTS);
    t = good;
    t.key = slice_of(longer, 255);
    CU_ASSERT(ota_registry_add(r, &t) == ERR_OK);
    t.key = SLICE("c");
    CU_ASSERT(ota_registry_add(r, &t) == ERR_LIMIT);
    CU_ASSERT(ota_registry_n(r) == 2);
    ota_registry_drop(&r);
}

/* Every terminal at its largest fits as many times as was promised. */
static void full_size_rows_fit(void)
{
    static char longer[255];
    char key[8];
    struct slice s = slice_of(longer, sizeof longer);
    struct ota_terminal t = {.host = s,
                             .tls_name = s,
                             .login = {s, s},
                             .call_in = {.calls = OTA_CALLS_ANY, .user = s, .password = s}};
    struct ota_registry *r;

    memset(longer, 'a', sizeof longer);
    CU_ASSERT_FATAL(ota_registry_create(1000, &r) == ERR_OK);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof key, "+%u", i);
        t.key = slice_str(key);
        CU_ASSERT_FATAL(ota_registry_add(r, &t) == ERR_OK);
    }
    ota_registry_drop(&r);
}

static void walk_sees_each_once(void)
{
    struct ota_registry *r;
    const struct ota_terminal *t;
    unsigned seen = 0;
    size_t pos = 0;

    CU_ASSERT_FATAL(ota_registry_create(8, &r) == ERR_OK);
    for (unsigned i = 0; i < 8; i++) {
        char key = (char)('0' + i);
        CU_ASSERT(ota_registry_add(r, &(struct ota_terminal){.key = slice_of(&key, 1)}) == ERR_OK);
    }
    while ((t = ota_registry_next(r, &pos))) {
        CU_ASSERT((seen & (1u << (t->key.p[0] - '0'))) == 0);
        seen |= 1u << (t->key.p[0] - '0');
    }
    CU_ASSERT(seen == 0xFF);
    ota_registry_drop(&r);
}

static void hold_outlives_the_first_drop(void)
{
    struct ota_registry *r, *held;

    CU_ASSERT_FATAL(ota_registry_create(1, &r) == ERR_OK);
    CU_ASSERT(ota_registry_add(r, &(struct ota_terminal){.key = SLICE("k")}) == ERR_OK);
    held = ota_registry_hold(r);
    ota_registry_drop(&r);
    CU_ASSERT(ota_registry_find(held, SLICE("k")) != NULL);
    ota_registry_drop(&held);
}

/* Who calls is found by one spelling of an identity, or by a name of its certificate. */
static void callers_are_found(void)
{
    static const struct {
        const char *id, *key;
    } rows[] = {
        {"4+15550100", "+15550100"}, {"415550100", "+15550100"}, {"4+15550101", NULL}, {"4+1555x0100", NULL},
        {"4++15550100", NULL},       {"15550100", NULL},         {"", NULL},           {"4", NULL},
        {"0Phone-7", "a@b"},         {"0PHONE-7", "a@b"},        {"0phone-8", NULL},   {"4+15550102", NULL},
    };
    struct ota_terminal t = {.key = SLICE("+15550100"),
                             .call_in = {.calls = OTA_CALLS_ANY, .proof = OTA_PROOF_NONE}};
    const struct ota_terminal *found;
    static char longer[300];
    struct ota_registry *r;

    CU_ASSERT_FATAL(ota_registry_create(9, &r) == ERR_OK);
    CU_ASSERT(ota_registry_add(r, &t) == ERR_OK);
    t = (struct ota_terminal){.key = SLICE("a@b"),
                              .terminal_id = SLICE("0Phone-7"),
                              .call_in = {.calls = OTA_CALLS_TLS, .certificate = SLICE("DNS:b")}};
    CU_ASSERT(ota_registry_add(r, &t) == ERR_OK);
    CU_ASSERT(ota_registry_add(r, &(struct ota_terminal){.key = SLICE("+15550102")}) == ERR_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        found = ota_registry_find_id(r, slice_str(rows[i].id));
        CU_ASSERT((found != NULL) == (rows[i].key != NULL));
        if (found && rows[i].key)
            TEST_SLICE_EQ(found->key, slice_str(rows[i].key));
    }
    memset(longer, '4', sizeof longer);
    CU_ASSERT(ota_registry_find_id(r, slice_of(longer, sizeof longer)) == NULL);
    found = ota_registry_find_certificate(r, SLICE("DNS:b"));
    CU_ASSERT(found != NULL && ota_registry_find_certificate(r, SLICE("DNS:B")) == NULL);
    t.key = SLICE("c@d");
    CU_ASSERT(ota_registry_add(r, &t) == ERR_EXISTS); /* one identity, one terminal */
    t.key = SLICE("e@f");
    t.terminal_id = SLICE_NONE; /* found by its certificate alone, which is another's */
    CU_ASSERT(ota_registry_add(r, &t) == ERR_EXISTS);
    t.key = SLICE("g@h");
    t.call_in.certificate = SLICE_NONE;
    CU_ASSERT(ota_registry_add(r, &t) == ERR_MALFORMED);
    ota_registry_drop(&r);
}

/* By the name of its key, or by the subscriber who has bootstrapped one. */
static void callers_are_found_by_keys(void)
{
    struct ota_terminal t = {.call_in = {.calls = OTA_CALLS_TLS, .proof = OTA_PROOF_PSK}};
    const struct ota_terminal *found;
    struct ota_registry *r;

    CU_ASSERT_FATAL(ota_registry_create(9, &r) == ERR_OK);
    t.key = SLICE("i@j");
    t.call_in.psk_identity = SLICE("phone");
    t.call_in.psk_version = 12;
    CU_ASSERT(sec_secret_set(&t.call_in.psk, SLICE("0123456789abcdef")) == ERR_OK);
    CU_ASSERT(ota_registry_add(r, &t) == ERR_OK);
    found = ota_registry_find_psk(r, SLICE("phone"));
    CU_ASSERT_FATAL(found != NULL && ota_registry_find_psk(r, SLICE("Phone")) == NULL);
    CU_ASSERT(found->call_in.psk_version == 12);
    TEST_SLICE_EQ(sec_secret_slice(&found->call_in.psk), SLICE("0123456789abcdef"));
    t.key = SLICE("k@l");
    CU_ASSERT(ota_registry_add(r, &t) == ERR_EXISTS);
    t.key = SLICE("m@n");
    t.call_in.psk_identity = SLICE_NONE;
    t.call_in.subscriber = SLICE("sim@operator.example");
    CU_ASSERT(ota_registry_add(r, &t) == ERR_OK);
    found = ota_registry_find_subscriber(r, SLICE("sim@operator.example"));
    CU_ASSERT(found != NULL && ota_registry_find_subscriber(r, SLICE("m@n")) == NULL);
    t.key = SLICE("o@p");
    CU_ASSERT(ota_registry_add(r, &t) == ERR_EXISTS);
    sec_secret_clear(&t.call_in.psk);
    ota_registry_drop(&r);
}

/* Who fetches logs in by the name the operator gave, else by its identity; nobody else is found so. */
static void who_fetches_is_found(void)
{
    static const struct ota_terminal rows[] = {
        {.key = SLICE("+1"), .inbox = true, .call_in = {.proof = OTA_PROOF_DIGEST}},
        {.key = SLICE("+2"), .inbox = true, .call_in = {.proof = OTA_PROOF_BASIC, .user = SLICE("bob")}},
        {.key = SLICE("a@b"), .inbox = true, .call_in = {.proof = OTA_PROOF_BASIC, .user = SLICE("Bob")}},
        {.key = SLICE("+3"),
         .call_in = {.calls = OTA_CALLS_ANY, .proof = OTA_PROOF_DIGEST, .user = SLICE("eve")}},
        {.key = SLICE("+4")},
        {.key = SLICE("c@d"), .inbox = true, .call_in = {.certificate = SLICE("DNS:c")}},
    };
    static const struct {
        const char *user, *key;
    } users[] = {{"4+1", "+1"}, {"41", "+1"},  {"bob", "+2"}, {"Bob", "a@b"}, {"4+2", NULL},
                 {"BOB", NULL}, {"eve", NULL}, {"4+3", NULL}, {"4+4", NULL},  {"", NULL}};
    struct ota_registry *r;

    CU_ASSERT_FATAL(ota_registry_create(9, &r) == ERR_OK);
    for (size_t i = 0; i < COUNT(rows); i++)
        CU_ASSERT(ota_registry_add(r, &rows[i]) == ERR_OK);
    for (size_t i = 0; i < COUNT(users); i++) {
        const struct ota_terminal *t = ota_registry_find_user(r, slice_str(users[i].user));

        test_row(i);
        CU_ASSERT((t != NULL) == (users[i].key != NULL));
        if (t && users[i].key)
            TEST_SLICE_EQ(t->key, slice_str(users[i].key));
    }
    CU_ASSERT(ota_registry_find_certificate(r, SLICE("DNS:c")) != NULL);
    CU_ASSERT(ota_registry_add(r, &(struct ota_terminal){.key = SLICE("+5"),
                                                         .inbox = true,
                                                         .call_in = {.user = SLICE("bob")}}) == ERR_EXISTS);
    CU_ASSERT(ota_registry_add(r, &(struct ota_terminal){.key = SLICE("e@f"), .inbox = true}) ==
              ERR_MALFORMED);
    ota_registry_drop(&r);
}

const struct test_case test_cases[] = {
    {"copies_are_deep", copies_are_deep},
    {"profiles_are_shared", profiles_are_shared},
    {"bad_rows_are_refused", bad_rows_are_refused},
    {"full_size_rows_fit", full_size_rows_fit},
    {"walk_sees_each_once", walk_sees_each_once},
    {"hold_outlives_the_first_drop", hold_outlives_the_first_drop},
    {"callers_are_found", callers_are_found},
    {"who_fetches_is_found", who_fetches_is_found},
    {"callers_are_found_by_keys", callers_are_found_by_keys},
    {NULL, NULL},
};
