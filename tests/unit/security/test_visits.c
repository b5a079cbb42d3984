/* Keys of visitors: each is there once, for its time, for who has its name; nothing of another's. */
#include "security/terminal/visits.h"

#include <stdio.h>
#include "tests/unit/harness.h"

#define NOW  INT64_C(1800000000)
#define KEY  SLICE("0123456789abcdef0123456789abcdef")
#define HOME SLICE("home.example")

static struct sec_visits *table(size_t max)
{
    struct sec_visits *v = NULL;

    CU_ASSERT_FATAL(sec_visits_create(max, &v) == ERR_OK);
    return v;
}

static enum err add(struct sec_visits *v, const char *identity, const char *user, int64_t life_s)
{
    const struct sec_visit visit = {slice_str(identity), KEY,  slice_str(user),
                                    NOW + life_s,        HOME, SEC_VISITS_MAX};

    return sec_visits_add(v, &visit, NOW);
}

static bool is_user(struct sec_visits *v, const char *identity, int64_t at_s, const char *want)
{
    struct buf user;
    bool same;

    buf_init(&user, SEC_VISIT_USER_MAX_N);
    same =
        !sec_visits_user(v, slice_str(identity), at_s, &user) && slice_eq(buf_slice(&user), slice_str(want));
    buf_clear(&user);
    return same;
}

/* Looked up as often as anybody likes, used once. */
static void used_once(void)
{
    struct sec_visits *v = table(3);
    uint8_t key[SEC_VISIT_KEY_N] = {0};

    CU_ASSERT(add(v, "visit;a", "visit:home:1", 60) == ERR_OK && add(v, "visit;b", "", 60) == ERR_OK);
    CU_ASSERT(!is_user(v, "visit;a", NOW, "visit:home:1")); /* nobody has shown the key */
    CU_ASSERT(!sec_visits_key(v, SLICE("visit;c"), NOW, key) && key[0] == 0);
    CU_ASSERT(sec_visits_key(v, SLICE("visit;a"), NOW, key) &&
              sec_visits_key(v, SLICE("visit;a"), NOW + 59, key));
    TEST_SLICE_EQ(slice_of(key, sizeof key), KEY);
    CU_ASSERT(!sec_visits_use(v, SLICE("visit;a"), NOW + 60) && !sec_visits_use(v, SLICE("visit;c"), NOW));
    CU_ASSERT(sec_visits_use(v, SLICE("visit;a"), NOW + 59) &&
              !sec_visits_use(v, SLICE("visit;a"), NOW + 59));
    CU_ASSERT(!sec_visits_key(v, SLICE("visit;a"), NOW + 59, key) && sec_visits_has(v, SLICE("visit;a")));
    CU_ASSERT(is_user(v, "visit;a", NOW + 59, "visit:home:1") &&
              is_user(v, "visit;a", NOW + 59, "visit:home:1"));
    CU_ASSERT(!is_user(v, "visit;a", NOW + 60, "visit:home:1"));
    CU_ASSERT(!sec_visits_key(v, SLICE("visit;b"), NOW + 60, key));                         /* over */
    CU_ASSERT(sec_visits_use(v, SLICE("visit;b"), NOW) && !is_user(v, "visit;b", NOW, "")); /* not told */
    CU_ASSERT(add(v, "visit;a", "visit:home:2", 60) == ERR_EXISTS); /* a used one does not come back */
    CU_ASSERT(!sec_visits_has(v, SLICE("visit;c")));
    sec_visits_free(&v);
    CU_ASSERT(v == NULL);
}

static void refused_rows(void)
{
    static char long_text[SEC_VISIT_USER_MAX_N + 2] = SEC_VISIT_NAME;
    const struct {
        struct slice identity, key, user;
        int64_t life_s;
        enum err want;
        struct slice home;
    } rows[] = {
        {SLICE("visit;a"), KEY, SLICE_NONE, 1, ERR_OK, HOME},
        {SLICE("visit;b"), KEY, SLICE("u"), SEC_VISIT_LIFE_MAX_S, ERR_OK, HOME},
        {SLICE("visit;c"), KEY, SLICE_NONE, SEC_VISIT_LIFE_MAX_S + 1, ERR_LATE, HOME},
        {SLICE("visit;c"), KEY, SLICE_NONE, 0, ERR_LATE, HOME},
        {SLICE("visit;c"), KEY, SLICE_NONE, -1, ERR_LATE, HOME},
        {SLICE_NONE, KEY, SLICE_NONE, 1, ERR_MALFORMED, HOME},
        {SLICE("phone"), KEY, SLICE_NONE, 1, ERR_MALFORMED, HOME},
        {SLICE("visit;c d"), KEY, SLICE_NONE, 1, ERR_MALFORMED, HOME},
        {SLICE("visit;c\n"), KEY, SLICE_NONE, 1, ERR_MALFORMED, HOME},
        {SLICE("visit;c"), SLICE("short"), SLICE_NONE, 1, ERR_MALFORMED, HOME},
        {SLICE("visit;c"), SLICE_NONE, SLICE_NONE, 1, ERR_MALFORMED, HOME},
        {SLICE("visit;c"), KEY, SLICE("u\x7f"), 1, ERR_MALFORMED, HOME},
        {SLICE("visit;c"), KEY, slice_of(long_text, SEC_VISIT_USER_MAX_N + 1), 1, ERR_MALFORMED, HOME},
        {slice_of(long_text, SEC_VISIT_IDENTITY_MAX_N + 1), KEY, SLICE_NONE, 1, ERR_MALFORMED, HOME},
        {SLICE("visit;a"), KEY, SLICE_NONE, 9, ERR_EXISTS, HOME},
        {SLICE("visit;h"), KEY, SLICE_NONE, 1, ERR_MALFORMED, SLICE_NONE},
        {SLICE("visit;h"), KEY, SLICE_NONE, 1, ERR_MALFORMED, slice_of(long_text, SEC_VISIT_HOME_MAX_N + 1)},
        {SLICE("visit;h"), KEY, SLICE_NONE, 1, ERR_OK, slice_of(long_text, SEC_VISIT_HOME_MAX_N)},
    };
    struct sec_visits *v = table(10);

    memset(long_text + 6, 'x', sizeof long_text - 7);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct sec_visit visit = {rows[i].identity,     rows[i].key,  rows[i].user,
                                        NOW + rows[i].life_s, rows[i].home, 3};

        test_row(i);
        CU_ASSERT(sec_visits_add(v, &visit, NOW) == rows[i].want);
    }
    CU_ASSERT(sec_visits_count(v) == 3);
    sec_visits_free(&v);
}

/* What is over makes room; what is not does not. */
static void bounded(void)
{
    struct sec_visits *v = NULL, *again;
    const struct sec_visit late = {SLICE("visit;late"), KEY, SLICE_NONE, NOW + 100, HOME, SEC_VISITS_MAX};
    char name[24];

    CU_ASSERT(sec_visits_create(0, &v) == ERR_LIMIT &&
              sec_visits_create(SEC_VISITS_MAX + 1, &v) == ERR_LIMIT);
    v = table(20);
    for (int i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof name, "visit;%d", i);
        CU_ASSERT(add(v, name, "", 10 + i) == ERR_OK);
    }
    CU_ASSERT(add(v, "visit;more", "", 10) == ERR_NOMEM && sec_visits_count(v) == 20);
    CU_ASSERT(sec_visits_add(v, &late, NOW + 10) == ERR_OK && sec_visits_count(v) == 20);
    again = sec_visits_hold(v);
    sec_visits_free(&v);
    CU_ASSERT(sec_visits_count(again) == 20);
    sec_visits_free(&again);
}

static enum err add_of(struct sec_visits *v, struct slice home, size_t share, int name, int64_t now_s)
{
    char identity[24];
    struct sec_visit visit = {.key = KEY, .expires_s = now_s + 10, .home = home, .share = share};

    (void)snprintf(identity, sizeof identity, "visit;%d", name);
    visit.identity = slice_str(identity);
    return sec_visits_add(v, &visit, now_s);
}

/* A home that brings more than its share is told so, and the next one has its own whole; used keys count until they are over. */
static void a_home_has_its_share(void)
{
    struct sec_visits *v = table(6);

    for (int i = 0; i < 4; i++)
        CU_ASSERT(add_of(v, HOME, 4, i, NOW) == ERR_OK);
    CU_ASSERT(sec_visits_use(v, SLICE("visit;0"), NOW));
    CU_ASSERT(add_of(v, HOME, 4, 4, NOW) == ERR_LIMIT && add_of(v, HOME, 4, 3, NOW) == ERR_EXISTS);
    CU_ASSERT(add_of(v, SLICE("other.example"), 0, 5, NOW) == ERR_LIMIT);
    CU_ASSERT(add_of(v, SLICE("other.example"), 2, 5, NOW) == ERR_OK &&
              add_of(v, SLICE("other.example"), 2, 6, NOW) == ERR_OK);
    CU_ASSERT(add_of(v, SLICE("other.example"), 9, 7, NOW) == ERR_NOMEM); /* shares beyond the whole */
    CU_ASSERT(add_of(v, SLICE("third.example"), 9, 7, NOW) == ERR_NOMEM);
    CU_ASSERT(sec_visits_count(v) == 6);
    for (int i = 10; i < 14; i++)
        CU_ASSERT(add_of(v, HOME, 4, i, NOW + 10) == ERR_OK); /* the first are over */
    CU_ASSERT(add_of(v, HOME, 3, 14, NOW + 10) == ERR_LIMIT && sec_visits_count(v) == 4);
    sec_visits_free(&v);
}

const struct test_case test_cases[] = {{"used_once", used_once},
                                       {"refused_rows", refused_rows},
                                       {"bounded", bounded},
                                       {"a_home_has_its_share", a_home_has_its_share},
                                       {NULL, NULL}};
