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
    CU_ASSERT(sec_secret_set(&t.association.key, SLICE("0123456789abcdef0123456789abcdef")) == ERR_OK);
    CU_ASSERT_FATAL(ota_registry_create(4, &r) == ERR_OK);
    CU_ASSERT(ota_registry_add(r, &t) == ERR_OK);
    memset(key, 'x', sizeof key - 1);
    memset(password, 'x', sizeof password - 1);
    found = ota_registry_find(r, SLICE("+15550100"));
    CU_ASSERT_FATAL(found != NULL);
    TEST_SLICE_EQ(found->host, SLICE("127.0.0.1"));
    TEST_SLICE_EQ(found->login.password, SLICE("secret"));
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
    struct ota_terminal t = {.host = s, .tls_name = s, .terminal_id = s, .login = {s, s}};
    struct ota_registry *r;

    memset(longer, 'a', sizeof longer);
    CU_ASSERT_FATAL(ota_registry_create(1000, &r) == ERR_OK);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof key, "%u", i);
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

const struct test_case test_cases[] = {
    {"copies_are_deep", copies_are_deep},
    {"profiles_are_shared", profiles_are_shared},
    {"bad_rows_are_refused", bad_rows_are_refused},
    {"full_size_rows_fit", full_size_rows_fit},
    {"walk_sees_each_once", walk_sees_each_once},
    {"hold_outlives_the_first_drop", hold_outlives_the_first_drop},
    {NULL, NULL},
};
