/* The table of what terminals can take: copies, ceilings, who makes room, several threads; and what a profile takes. */
#include "ota/profile.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "tests/unit/harness.h"

static struct arena mem;

static void begin(void)
{
    arena_init(&mem, 256, 1 << 20);
}

static bool has(struct ota_profiles *p, const char *key)
{
    struct ota_profile out;

    arena_reset(&mem);
    return ota_profiles_find(p, slice_str(key), &mem, &out) == ERR_OK;
}

static void learn(struct ota_profiles *p, const char *key, const char *accept)
{
    const struct ota_profile said = {.accept = slice_str(accept)};

    CU_ASSERT(ota_profiles_learn(p, slice_str(key), &said) == ERR_OK);
}

static void what_was_said_comes_back(void)
{
    char accept[] = "text/plain", key[] = "+15550100";
    struct ota_profile said = {.accept = slice_str(accept),
                               .charsets = SLICE("utf-8"),
                               .encodings = SLICE("gzip"),
                               .languages = SLICE("en"),
                               .app_ids = SLICE("*"),
                               .profile_url = SLICE("http://a/"),
                               .size_max = 7,
                               .learnt_ms = 9};
    struct ota_profile got = {.size_max = 77};
    struct ota_profiles *p;

    begin();
    CU_ASSERT_FATAL(ota_profiles_create(10, &p) == ERR_OK);
    CU_ASSERT(ota_profiles_find(p, SLICE("+15550100"), &mem, &got) == ERR_ABSENT && got.size_max == 77);
    CU_ASSERT(ota_profiles_learn(p, slice_str(key), &said) == ERR_OK);
    memset(accept, 'x', sizeof accept - 1);
    memset(key, 'x', sizeof key - 1);
    CU_ASSERT_FATAL(ota_profiles_find(p, SLICE("+15550100"), &mem, &got) == ERR_OK);
    CU_ASSERT(got.known && got.size_max == 7 && got.learnt_ms == 9);
    ota_profiles_free(&p); /* what was found is the caller's */
    TEST_SLICE_EQ(got.accept, SLICE("text/plain"));
    TEST_SLICE_EQ(got.charsets, SLICE("utf-8"));
    TEST_SLICE_EQ(got.encodings, SLICE("gzip"));
    TEST_SLICE_EQ(got.languages, SLICE("en"));
    TEST_SLICE_EQ(got.app_ids, SLICE("*"));
    TEST_SLICE_EQ(got.profile_url, SLICE("http://a/"));
    arena_clear(&mem);
    ota_profiles_free(&p);
}

static void a_new_word_replaces_all(void)
{
    struct ota_profile said = {.charsets = SLICE("utf-8")}, got;
    struct ota_profiles *p;

    begin();
    CU_ASSERT_FATAL(ota_profiles_create(1, &p) == ERR_OK);
    learn(p, "a", "text/plain");
    CU_ASSERT(ota_profiles_learn(p, SLICE("a"), &said) == ERR_OK);
    CU_ASSERT_FATAL(ota_profiles_find(p, SLICE("a"), &mem, &got) == ERR_OK);
    CU_ASSERT(got.accept.n == 0 && got.charsets.n == 5);
    ota_profiles_forget(p, SLICE("a"));
    ota_profiles_forget(p, SLICE("a"));
    CU_ASSERT(!has(p, "a"));
    ota_profiles_free(&p);
    arena_clear(&mem);
}

/* What has called inside TLS once can, whatever it says later; nobody takes it for another terminal that can. */
static void that_it_has_tls_stays(void)
{
    const struct ota_profile inside = {.tag = SLICE("1"), .tls = true};
    struct ota_profiles *p;
    struct ota_profile got;

    begin();
    CU_ASSERT_FATAL(ota_profiles_create(16, &p) == ERR_OK);
    learn(p, "a", "x/y");
    learn(p, "b", "x/y");
    CU_ASSERT(ota_profiles_find(p, SLICE("a"), &mem, &got) == ERR_OK && !got.tls);
    CU_ASSERT(ota_profiles_learn(p, SLICE("a"), &inside) == ERR_OK);
    learn(p, "a", "z/z");
    CU_ASSERT(ota_profiles_find(p, SLICE("a"), &mem, &got) == ERR_OK && got.tls);
    CU_ASSERT(slice_eq(got.accept, SLICE("z/z")));
    CU_ASSERT(ota_profiles_find(p, SLICE("b"), &mem, &got) == ERR_OK && !got.tls);
    ota_profiles_forget(p, SLICE("a"));
    learn(p, "a", "x/y");
    CU_ASSERT(ota_profiles_find(p, SLICE("a"), &mem, &got) == ERR_OK && !got.tls);
    ota_profiles_free(&p);
    arena_clear(&mem);
}

static void ceilings(void)
{
    static char big[OTA_PROFILE_MAX_N + 1];
    struct ota_profile fits = {.accept = slice_of(big, OTA_PROFILE_MAX_N)};
    struct ota_profile above = {.accept = slice_of(big, OTA_PROFILE_MAX_N), .languages = SLICE("e")};
    struct ota_profile far_above = {.accept = slice_of(big, SIZE_MAX), .languages = slice_of(big, SIZE_MAX)};
    struct ota_profiles *p = NULL;
    struct ota_profile got;
    struct arena small;

    begin();
    CU_ASSERT(ota_profiles_create(0, &p) == ERR_LIMIT && ota_profiles_create(SIZE_MAX, &p) == ERR_LIMIT &&
              !p);
    CU_ASSERT_FATAL(ota_profiles_create(1, &p) == ERR_OK);
    CU_ASSERT(ota_profiles_learn(p, SLICE("a"), &above) == ERR_LIMIT);
    CU_ASSERT(ota_profiles_learn(p, SLICE("a"), &far_above) == ERR_LIMIT);
    CU_ASSERT(ota_profiles_learn(p, slice_of(big, sizeof big), &fits) == ERR_LIMIT);
    CU_ASSERT(!has(p, "a"));
    CU_ASSERT(ota_profiles_learn(p, SLICE("a"), &fits) == ERR_OK);
    CU_ASSERT(ota_profiles_learn(p, SLICE("a"), &above) == ERR_LIMIT && has(p, "a"));
    arena_init(&small, 64, 64);
    CU_ASSERT(ota_profiles_find(p, SLICE("a"), &small, &got) == ERR_NOMEM);
    arena_clear(&small);
    ota_profiles_free(&p);
    arena_clear(&mem);
}

static void who_was_touched_longest_ago_makes_room(void)
{
    struct ota_profiles *p;

    begin();
    CU_ASSERT_FATAL(ota_profiles_create(1, &p) == ERR_OK); /* one part: the order is exact */
    learn(p, "a", "x");
    learn(p, "b", "x");
    CU_ASSERT(!has(p, "a") && has(p, "b"));
    ota_profiles_free(&p);
    arena_clear(&mem);
}

/* The table never holds more than it may, and what it holds is what was said last. */
static void against_a_naive_twin(void)
{
    enum { KEYS = 64, MOST = 24 };
    unsigned last[KEYS] = {0}, state = 7;
    struct ota_profiles *p;
    struct ota_profile got;
    char key[8];

    begin();
    CU_ASSERT_FATAL(ota_profiles_create(MOST, &p) == ERR_OK);
    for (unsigned step = 1; step < 4000; step++) {
        struct ota_profile said = {.accept = SLICE("a/b"), .size_max = step};
        unsigned k = (state = state * 1103515245u + 12345u) >> 16 & (KEYS - 1), held = 0;

        (void)snprintf(key, sizeof key, "k%u", k);
        if (step % 7 == 0) {
            ota_profiles_forget(p, slice_str(key));
            last[k] = 0;
        } else {
            CU_ASSERT(ota_profiles_learn(p, slice_str(key), &said) == ERR_OK);
            last[k] = step;
        }
        arena_reset(&mem);
        CU_ASSERT((ota_profiles_find(p, slice_str(key), &mem, &got) == ERR_OK) == (last[k] != 0));
        for (unsigned i = 0; step % 97 == 0 && i < KEYS; i++) {
            (void)snprintf(key, sizeof key, "k%u", i);
            arena_reset(&mem);
            if (ota_profiles_find(p, slice_str(key), &mem, &got) == ERR_OK) {
                held++;
                CU_ASSERT(got.size_max == last[i]);
            }
        }
        CU_ASSERT(held <= MOST);
    }
    ota_profiles_free(&p);
    arena_clear(&mem);
}

/* Many large profiles: the octets have a ceiling too, and it is the oldest that go. */
static void octets_are_bounded(void)
{
    static char big[OTA_PROFILE_MAX_N];
    struct ota_profile said = {.accept = slice_of(big, sizeof big)};
    struct ota_profiles *p;
    unsigned held = 0;
    char key[8];

    begin();
    CU_ASSERT_FATAL(ota_profiles_create(1000, &p) == ERR_OK);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof key, "k%u", i);
        CU_ASSERT(ota_profiles_learn(p, slice_str(key), &said) == ERR_OK);
        CU_ASSERT(has(p, key));
    }
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof key, "k%u", i);
        held += has(p, key);
    }
    CU_ASSERT(held < 1000 && held >= 16);
    ota_profiles_free(&p);
    arena_clear(&mem);
}

static void *use(void *arg)
{
    struct ota_profiles *p = arg;
    struct ota_profile said = {.accept = SLICE("text/plain"), .size_max = 5}, got;
    struct arena own;
    char key[8];

    arena_init(&own, 256, 4096);
    for (unsigned i = 0; i < 3000; i++) {
        (void)snprintf(key, sizeof key, "k%u", i % 40);
        arena_reset(&own);
        if (i % 5 == 0)
            ota_profiles_forget(p, slice_str(key));
        if (i % 2 && ota_profiles_learn(p, slice_str(key), &said))
            CU_ASSERT(false);
        if (ota_profiles_find(p, slice_str(key), &own, &got) == ERR_OK)
            CU_ASSERT(got.size_max == 5 && slice_eq(got.accept, SLICE("text/plain")));
    }
    arena_clear(&own);
    return NULL;
}

static void loops_share_it(void)
{
    struct ota_profiles *p;
    pthread_t other[3];

    CU_ASSERT_FATAL(ota_profiles_create(20, &p) == ERR_OK);
    for (size_t i = 0; i < COUNT(other); i++)
        CU_ASSERT_FATAL(pthread_create(&other[i], NULL, use, p) == 0);
    (void)use(p);
    for (size_t i = 0; i < COUNT(other); i++)
        (void)pthread_join(other[i], NULL);
    ota_profiles_free(&p);
}

static void the_operators_word_stands(void)
{
    const struct ota_profile said = {.accept = SLICE("a/a"),
                                     .charsets = SLICE("utf-8"),
                                     .app_ids = SLICE("*"),
                                     .size_max = 10,
                                     .learnt_ms = 3,
                                     .known = true};
    const struct ota_profile own = {
        .accept = SLICE("b/b"), .languages = SLICE("de"), .size_max = 20, .known = true};
    const struct ota_profile none = {.known = false};
    struct ota_profile both = ota_profile_merge(&own, &said);

    CU_ASSERT(both.known && both.size_max == 20 && both.learnt_ms == 3);
    TEST_SLICE_EQ(both.accept, SLICE("b/b"));
    TEST_SLICE_EQ(both.charsets, SLICE("utf-8"));
    TEST_SLICE_EQ(both.languages, SLICE("de"));
    TEST_SLICE_EQ(both.app_ids, SLICE("*"));
    CU_ASSERT(ota_profile_merge(&none, &said).size_max == 10 && ota_profile_merge(&own, &none).known);
    CU_ASSERT(!ota_profile_merge(&none, &none).known);
}

static void what_is_taken(void)
{
    static const struct ota_profile none = {.known = false};
    static const struct ota_profile p = {.accept = SLICE("text/vnd.wap.si, image/*"),
                                         .app_ids = SLICE("x-wap-application:mms.ua"),
                                         .size_max = 5};

    CU_ASSERT(ota_profile_takes_type(&none, SLICE("a/b")) && ota_profile_takes_size(&none, UINT64_MAX));
    CU_ASSERT(ota_profile_takes_app(&none, SLICE("x")) && ota_profile_takes_app(&none, SLICE_NONE));
    CU_ASSERT(ota_profile_takes_type(&p, SLICE("TEXT/vnd.wap.si; charset=utf-8")));
    CU_ASSERT(ota_profile_takes_type(&p, SLICE("image/png")));
    CU_ASSERT(!ota_profile_takes_type(&p, SLICE("imagex/png")) && !ota_profile_takes_type(&p, SLICE("a/b")));
    CU_ASSERT(ota_profile_takes_app(&p, SLICE("X-Wap-Application:MMS.ua")));
    CU_ASSERT(!ota_profile_takes_app(&p, SLICE_NONE)); /* the default one */
    CU_ASSERT(ota_profile_takes_size(&p, 5) && !ota_profile_takes_size(&p, 6));
}

const struct test_case test_cases[] = {
    {"what_was_said_comes_back", what_was_said_comes_back},
    {"a_new_word_replaces_all", a_new_word_replaces_all},
    {"that_it_has_tls_stays", that_it_has_tls_stays},
    {"ceilings", ceilings},
    {"who_was_touched_longest_ago_makes_room", who_was_touched_longest_ago_makes_room},
    {"against_a_naive_twin", against_a_naive_twin},
    {"octets_are_bounded", octets_are_bounded},
    {"loops_share_it", loops_share_it},
    {"the_operators_word_stands", the_operators_word_stands},
    {"what_is_taken", what_is_taken},
    {NULL, NULL},
};
