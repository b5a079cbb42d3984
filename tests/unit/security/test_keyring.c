/* The table of a keyring: adding, finding, rotating with a grace, forgetting. */
#include "security/keyring.h"

#include "tests/unit/security/keyring_fix.h"

/* Of the association "a". */
#define PSK_OF_A      "6cc4193fe6e7414871ac7fb78b627e992e1776c3c52a8e82fc071d3a0c503972"
#define PASSWORD_OF_A "/4rHXV0nWwvJUkoGLK0zue7j6ahCjyouiuNxliJF64M="

static void test_add_and_find(void)
{
    struct sec_keyring *r = ring_full();
    const struct sec_key *k;
    size_t pos = 0, n = 0;

    CU_ASSERT(sec_keyring_n(r) == 4 && sec_keyring_generation(r) == 0 && !sec_keyring_is_old(r));
    k = sec_keyring_find(r, SLICE("a"));
    CU_ASSERT_FATAL(k != NULL);
    CU_ASSERT(k->kind == SEC_KEY_ASSOCIATION && k->version == 1 && k->created_s == CREATED && !k->expires_s);
    CU_ASSERT(!k->older);
    TEST_SLICE_EQ(k->name, SLICE("a"));
    TEST_SLICE_EQ(k->attr, SAID);
    CU_ASSERT(opens_to(r, k, KS));
    CU_ASSERT(opens_to(r, sec_keyring_find(r, SLICE("w")), SLICE("hunter2")));
    CU_ASSERT(!sec_keyring_find(r, SLICE("A")) && !sec_keyring_find(r, SLICE_NONE));
    while (sec_keyring_next(r, &pos))
        n++;
    CU_ASSERT(n == 4);
    sec_keyring_free(&r);
    CU_ASSERT(r == NULL);
    sec_keyring_free(&r);
}

/* One name space: the same name is never two keys, whatever their kinds. */
static void test_one_name_space(void)
{
    struct sec_keyring *r = ring_full();

    CU_ASSERT(ring_add(r, SEC_KEY_ASSOCIATION, "a") == ERR_EXISTS);
    CU_ASSERT(ring_add(r, SEC_KEY_PSK, "a") == ERR_EXISTS);
    CU_ASSERT(ring_add(r, SEC_KEY_PASSWORD, "s@x") == ERR_EXISTS);
    CU_ASSERT(sec_keyring_n(r) == 4);
    sec_keyring_free(&r);
}

static void test_refused(void)
{
    static const char long_secret[SEC_SECRET_MAX_N + 1] = "x";
    struct sec_keyring *r = ring_full();
    const struct {
        struct sec_key k;
        struct slice secret;
    } rows[] = {
        {{.kind = SEC_KEY_PSK}, KS},
        {{.kind = SEC_KEY_PSK, .name = SLICE("with space")}, KS},
        {{.kind = SEC_KEY_PSK, .name = SLICE("a\"b")}, KS},
        {{.kind = SEC_KEY_PSK, .name = SLICE("a,b")}, KS},
        {{.kind = SEC_KEY_PSK, .name = SLICE("a\nb")}, KS},
        {{.kind = SEC_KEY_PSK, .name = SLICE("a\xc3\xa9")}, KS},
        {{.kind = SEC_KEY_PSK, .name = SLICE("x"), .attr = SLICE("!")}, KS},
        {{.kind = SEC_KEY_PSK, .name = SLICE("x"), .expires_s = -1}, KS},
        {{.kind = SEC_KEY_PSK, .name = SLICE("x"), .created_s = -1}, KS},
        {{.kind = SEC_KEY_PSK, .name = SLICE("x")}, SLICE("fifteen octets!")},
        {{.kind = SEC_KEY_PSK, .name = SLICE("x")}, slice_of(long_secret, sizeof long_secret)},
        {{.kind = SEC_KEY_PASSWORD, .name = SLICE("x")}, SLICE_NONE},
        {{.kind = SEC_KEY_ASSOCIATION, .name = SLICE("x")}, KS},
        {{.kind = SEC_KEY_ASSOCIATION, .name = SLICE("x"), .attr = SLICE("said said said !")}, KS},
        {{.kind = SEC_KEY_ASSOCIATION, .name = SLICE("x"), .attr = SAID}, SLICE("too short for a key")},
        {{.kind = SEC_KEY_SUBSCRIBER, .name = SLICE("x")}, KS},
        {{.kind = (enum sec_key_kind)0, .name = SLICE("x")}, KS},
        {{.kind = (enum sec_key_kind)5, .name = SLICE("x")}, KS},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(sec_keyring_add(r, &rows[i].k, rows[i].secret) == ERR_MALFORMED);
        CU_ASSERT(sec_keyring_n(r) == 4);
    }
    sec_keyring_free(&r);
    CU_ASSERT(sec_keyring_create(SLICE("not 32 octets"), &r) == ERR_MALFORMED && r == NULL);
}

static void test_rotate_with_grace(void)
{
    struct sec_keyring *r = ring_full();
    struct sec_key k = key_of(SEC_KEY_ASSOCIATION, "a");
    const struct sec_key *now, *was;

    k.attr = SLICE("another said !!!\4\2");
    k.created_s = CREATED + 5;
    CU_ASSERT(sec_keyring_rotate(r, &k, KS2, CREATED + 100) == ERR_OK);
    now = sec_keyring_find(r, SLICE("a"));
    CU_ASSERT_FATAL(now && now->older);
    was = now->older;
    CU_ASSERT(now->version == 2 && now->created_s == CREATED + 5 && !now->expires_s);
    CU_ASSERT(was->version == 1 && was->created_s == CREATED && was->expires_s == CREATED + 100 &&
              !was->older);
    TEST_SLICE_EQ(now->attr, SLICE("another said !!!\4\2"));
    TEST_SLICE_EQ(was->attr, SAID);
    CU_ASSERT(opens_to(r, now, KS2) && opens_to(r, was, KS));
    CU_ASSERT(sec_keyring_n(r) == 4);
    CU_ASSERT(!sec_key_expired(was, CREATED + 99) && sec_key_expired(was, CREATED + 100));
    sec_keyring_prune(r, CREATED + 99);
    CU_ASSERT(now->older != NULL);
    sec_keyring_prune(r, CREATED + 100);
    CU_ASSERT(now->older == NULL && opens_to(r, now, KS2));
    k.name = SLICE("nobody");
    CU_ASSERT(sec_keyring_rotate(r, &k, KS2, CREATED) == ERR_ABSENT);
    k.name = SLICE("w");
    CU_ASSERT(sec_keyring_rotate(r, &k, KS2, CREATED) ==
              ERR_MALFORMED); /* an attr, which passwords have not */
    CU_ASSERT(!sec_keyring_find(r, SLICE("w"))->older);
    sec_keyring_free(&r);
}

/* The grace never makes a key live longer than it would have. */
static void test_grace_ends_with_the_key(void)
{
    struct sec_key k = key_of(SEC_KEY_PSK, "p");
    struct sec_keyring *r;

    CU_ASSERT(sec_keyring_create(MASTER, &r) == ERR_OK);
    k.expires_s = CREATED + 10;
    CU_ASSERT(sec_keyring_add(r, &k, KS) == ERR_OK);
    CU_ASSERT(sec_keyring_rotate(r, &k, KS2, CREATED + 100) == ERR_OK);
    CU_ASSERT(sec_keyring_find(r, SLICE("p"))->older->expires_s == CREATED + 10);
    sec_keyring_free(&r);
}

static void test_predecessors_are_bounded(void)
{
    struct sec_keyring *r = ring_full();
    struct sec_key k = key_of(SEC_KEY_PSK, "p");

    for (size_t i = 0; i < SEC_KEY_OVERLAPS_MAX; i++)
        CU_ASSERT(sec_keyring_rotate(r, &k, KS2, CREATED + 1000 + (int64_t)i) == ERR_OK);
    CU_ASSERT(sec_keyring_rotate(r, &k, KS2, CREATED + 2000) == ERR_LIMIT);
    sec_keyring_prune(r, CREATED + 1001); /* the two oldest go, the others stay */
    CU_ASSERT(sec_keyring_rotate(r, &k, KS2, CREATED + 2000) == ERR_OK);
    CU_ASSERT(sec_keyring_find(r, SLICE("p"))->version == SEC_KEY_OVERLAPS_MAX + 2);
    sec_keyring_free(&r);
}

static void test_remove_takes_all_versions(void)
{
    struct sec_keyring *r = ring_full();
    struct sec_key k = key_of(SEC_KEY_PSK, "p");

    CU_ASSERT(sec_keyring_rotate(r, &k, KS2, CREATED + 1000) == ERR_OK);
    CU_ASSERT(sec_keyring_remove(r, SLICE("p")) == ERR_OK);
    CU_ASSERT(!sec_keyring_find(r, SLICE("p")) && sec_keyring_n(r) == 3);
    CU_ASSERT(sec_keyring_remove(r, SLICE("p")) == ERR_ABSENT);
    CU_ASSERT(ring_add(r, SEC_KEY_PSK, "p") == ERR_OK);
    sec_keyring_free(&r);
}

/* Revoked: found, and good no more, in any version. */
static void test_end_of_all_versions(void)
{
    struct sec_keyring *r = ring_full();
    struct sec_key k = key_of(SEC_KEY_PSK, "p");
    const struct sec_key *p;

    k.expires_s = CREATED + 3;
    CU_ASSERT(sec_keyring_rotate(r, &k, KS2, CREATED + 1000) == ERR_OK);
    CU_ASSERT(sec_keyring_end(r, SLICE("p"), CREATED + 5) == ERR_OK);
    p = sec_keyring_find(r, SLICE("p"));
    CU_ASSERT_FATAL(p && p->older);
    CU_ASSERT(p->expires_s == CREATED + 3 &&
              p->older->expires_s == CREATED + 5); /* never later than it was */
    CU_ASSERT(opens_to(r, p, KS2) && opens_to(r, p->older, KS));
    CU_ASSERT(sec_keyring_end(r, SLICE("nobody"), CREATED) == ERR_ABSENT);
    sec_keyring_free(&r);
}

/* What a key is used as: itself, or derived for one use and one name; each use has other octets. */
static void test_uses(void)
{
    struct sec_keyring *r = ring_full();
    struct sec_secret psk, password, other;

    sec_secret_init(&psk);
    sec_secret_init(&password);
    sec_secret_init(&other);
    CU_ASSERT(sec_keyring_psk(r, sec_keyring_find(r, SLICE("p")), &psk) == ERR_OK);
    TEST_SLICE_EQ(sec_secret_slice(&psk), KS);
    CU_ASSERT(sec_keyring_password(r, sec_keyring_find(r, SLICE("w")), &password) == ERR_OK);
    TEST_SLICE_EQ(sec_secret_slice(&password), SLICE("hunter2"));
    CU_ASSERT(sec_keyring_psk(r, sec_keyring_find(r, SLICE("a")), &psk) == ERR_OK && psk.n == 32);
    CU_ASSERT(sec_keyring_password(r, sec_keyring_find(r, SLICE("a")), &password) == ERR_OK &&
              password.n == 44);
    CU_ASSERT(!slice_eq(sec_secret_slice(&psk), KS));
    /* KDF(KS, F9, "psk-tls", "a"), as another program computes it */
    CU_ASSERT(sec_secret_set_hex(&other, SLICE(PSK_OF_A)) == ERR_OK);
    TEST_SLICE_EQ(sec_secret_slice(&psk), sec_secret_slice(&other));
    TEST_SLICE_EQ(sec_secret_slice(&password), SLICE(PASSWORD_OF_A));
    CU_ASSERT(sec_keyring_psk(r, sec_keyring_find(r, SLICE("w")), &other) == ERR_UNSUPPORTED);
    CU_ASSERT(sec_keyring_password(r, sec_keyring_find(r, SLICE("p")), &other) == ERR_UNSUPPORTED);
    CU_ASSERT(sec_keyring_psk(r, sec_keyring_find(r, SLICE("s@x")), &other) == ERR_UNSUPPORTED);
    CU_ASSERT(!sec_keyring_find(NULL, SLICE("a")));
    sec_secret_clear(&psk);
    sec_secret_clear(&password);
    sec_secret_clear(&other);
    sec_keyring_free(&r);
}

static void test_fingerprints_tell_apart(void)
{
    struct sec_keyring *r = ring_full();
    char a[SEC_KEY_PRINT_N], p[SEC_KEY_PRINT_N], w[SEC_KEY_PRINT_N], other[SEC_KEY_PRINT_N];
    struct sec_keyring *r2 = ring_full();

    CU_ASSERT(sec_keyring_fingerprint(r, sec_keyring_find(r, SLICE("a")), a) == ERR_OK);
    CU_ASSERT(sec_keyring_fingerprint(r, sec_keyring_find(r, SLICE("p")), p) == ERR_OK);
    CU_ASSERT(sec_keyring_fingerprint(r, sec_keyring_find(r, SLICE("w")), w) == ERR_OK);
    CU_ASSERT(sec_keyring_fingerprint(r2, sec_keyring_find(r2, SLICE("w")), other) == ERR_OK);
    CU_ASSERT(strlen(a) == 16 && !strcmp(a, p)); /* the same octets */
    CU_ASSERT(strcmp(a, w) != 0);
    CU_ASSERT(strcmp(w, other) != 0); /* keyed: a list of words made for one keyring is no use for another */
    sec_keyring_free(&r);
    sec_keyring_free(&r2);
}

static void test_kind_names(void)
{
    enum sec_key_kind kind = SEC_KEY_PSK;

    for (unsigned i = 1; i <= 5; i++)
        CU_ASSERT(sec_key_kind_of(slice_str(sec_key_kind_name(i)), &kind) == ERR_OK && (unsigned)kind == i);
    CU_ASSERT(!sec_key_kind_name(0) && !sec_key_kind_name(6));
    CU_ASSERT(sec_key_kind_of(SLICE("PSK"), &kind) == ERR_ABSENT && kind == SEC_KEY_ENTITY);
}

const struct test_case test_cases[] = {
    {"add_and_find", test_add_and_find},
    {"one_name_space", test_one_name_space},
    {"refused", test_refused},
    {"rotate_with_grace", test_rotate_with_grace},
    {"grace_ends_with_the_key", test_grace_ends_with_the_key},
    {"predecessors_are_bounded", test_predecessors_are_bounded},
    {"remove_takes_all_versions", test_remove_takes_all_versions},
    {"end_of_all_versions", test_end_of_all_versions},
    {"uses", test_uses},
    {"fingerprints_tell_apart", test_fingerprints_tell_apart},
    {"kind_names", test_kind_names},
    {NULL, NULL},
};
