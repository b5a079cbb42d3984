/* Keys of entities, and one-time keys between them: whose they are, how they travel, what is refused and forgotten. */
#include "security/rules/entities.h"

#include "base/codec.h"
#include "security/wrap.h"
#include "tests/unit/harness.h"

#define NOW  1700000000
#define WAIT 300
#define ONCE SLICE("0123456789abcdef")

static struct sec_entities *table(size_t max, size_t waiting_max)
{
    struct sec_entities_conf conf = {max, waiting_max, WAIT};
    struct sec_entities *t = NULL;

    MUST(sec_entities_create(&conf, &t) == ERR_OK);
    return t;
}

static struct sec_secret key_of(char ch)
{
    struct sec_secret key;
    char octets[SEC_EUKEY_N];

    memset(octets, ch, sizeof octets);
    sec_secret_init(&key);
    MUST(sec_secret_set(&key, slice_of(octets, sizeof octets)) == ERR_OK);
    return key;
}

static enum err put(struct sec_entities *t, const char *entity, const char *user, char ch)
{
    struct sec_secret key = key_of(ch);

    return sec_entities_put(t, slice_str(entity), slice_str(user), &key);
}

static void test_whose_it_is(void)
{
    struct sec_entities *t = table(3, 1);
    char user[SEC_ENTITY_USER_MAX_N];
    size_t n = 7;
    struct buf list;

    buf_init(&list, 100);
    CU_ASSERT(put(t, "phone", "alice", 'a') == ERR_OK);
    CU_ASSERT(put(t, "phone", "bob", 'b') == ERR_EXISTS);
    CU_ASSERT(put(t, "tablet", "alice", 'c') == ERR_OK);
    CU_ASSERT(put(t, "phone", "alice", 'd') == ERR_OK && sec_entities_count(t) == 2);
    CU_ASSERT(put(t, "bobs", "bob", 'e') == ERR_OK);
    CU_ASSERT(put(t, "fourth", "bob", 'f') == ERR_LIMIT && sec_entities_count(t) == 3);
    CU_ASSERT(sec_entities_user(t, SLICE("nobody"), user, &n) == ERR_ABSENT && n == 7);
    CU_ASSERT(sec_entities_user(t, SLICE("phone"), user, &n) == ERR_OK);
    TEST_SLICE_EQ(slice_of(user, n), SLICE("alice"));
    CU_ASSERT(sec_entities_of(t, SLICE("alice"), &list) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&list), SLICE("phone\ntablet\n"));
    buf_reset(&list, 100);
    CU_ASSERT(sec_entities_of(t, SLICE("nobody"), &list) == ERR_OK && list.n == 0);
    buf_clear(&list);
    sec_entities_free(&t);
}

static void test_put_refused(void)
{
    static const struct {
        const char *entity, *user;
    } rows[] = {{"", "alice"},
                {"two words", "alice"},
                {"quo\"te", "alice"},
                {"phone", ""},
                {"phone", "12345678901234567890123456789012345678901234567890123456789012345"}};
    struct sec_entities *t = table(3, 1);
    struct sec_secret shorter = key_of('a');

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(put(t, rows[i].entity, rows[i].user, 'a') == ERR_LIMIT);
    }
    shorter.n = 16;
    CU_ASSERT(sec_entities_put(t, SLICE("phone"), SLICE("alice"), &shorter) == ERR_LIMIT);
    CU_ASSERT(sec_entities_count(t) == 0);
    sec_entities_free(&t);
}

static void test_ha1(void)
{
    struct sec_entities *t = table(3, 1);
    struct sec_secret got, want, key = key_of('a');
    struct buf password;

    buf_init(&password, 100);
    CU_ASSERT(put(t, "phone", "alice", 'a') == ERR_OK);
    codec_base64(&password, sec_secret_slice(&key));
    CU_ASSERT(sec_digest_ha1(SEC_DIGEST_SHA256, SLICE("phone"), SLICE("r"), buf_slice(&password), &want) ==
              ERR_OK);
    CU_ASSERT(sec_entities_ha1(t, SLICE("phone"), SEC_DIGEST_SHA256, SLICE("r"), &got) == ERR_OK);
    TEST_SLICE_EQ(sec_secret_slice(&got), sec_secret_slice(&want));
    CU_ASSERT(sec_entities_ha1(t, SLICE("Phone"), SEC_DIGEST_SHA256, SLICE("r"), &got) == ERR_ABSENT);
    buf_clear(&password);
    sec_entities_free(&t);
}

/* --- from the keyring --- */

static struct sec_accounts *users_of(struct slice name)
{
    struct sec_account a = {.name = name, .digest_user = name, .basic = true};
    struct sec_accounts *users = NULL;
    const char *why;

    MUST(sec_accounts_create(SLICE("users"), 10, &users) == ERR_OK);
    MUST(sec_digest_ha1(SEC_DIGEST_SHA256, name, SLICE("users"), SLICE("pw"), &a.ha1_sha256) == ERR_OK);
    MUST(sec_accounts_add(users, &a, &why) == ERR_OK);
    return users;
}

static void test_load(void)
{
    struct sec_key keys[] = {{.kind = SEC_KEY_ENTITY, .name = SLICE("phone"), .attr = SLICE("alice")},
                             {.kind = SEC_KEY_ENTITY, .name = SLICE("bobs"), .attr = SLICE("bob")},
                             {.kind = SEC_KEY_PSK, .name = SLICE("psk")}};
    struct sec_accounts *alice = users_of(SLICE("alice"));
    struct sec_entities *t = table(10, 1);
    struct sec_secret key = key_of('k');
    struct sec_keyring *r = NULL;
    char user[SEC_ENTITY_USER_MAX_N];
    size_t n;

    CU_ASSERT(sec_keyring_create(SLICE("0123456789abcdef0123456789abcdef"), &r) == ERR_OK);
    for (size_t i = 0; i < COUNT(keys); i++)
        CU_ASSERT(sec_keyring_add(r, &keys[i], sec_secret_slice(&key)) == ERR_OK);
    CU_ASSERT(put(t, "stale", "alice", 's') == ERR_OK);
    CU_ASSERT(sec_entities_load(t, r, alice) == ERR_OK);
    CU_ASSERT(sec_entities_count(t) == 1 && sec_entities_user(t, SLICE("phone"), user, &n) == ERR_OK);
    CU_ASSERT(sec_entities_user(t, SLICE("bobs"), user, &n) == ERR_ABSENT); /* there is no bob */
    CU_ASSERT(sec_entities_user(t, SLICE("stale"), user, &n) == ERR_ABSENT);
    CU_ASSERT(sec_entities_load(t, NULL, alice) == ERR_OK && sec_entities_count(t) == 0);
    keys[0].name = SLICE("other");
    keys[0].attr = SLICE("");
    CU_ASSERT(sec_keyring_add(r, &keys[0], sec_secret_slice(&key)) == ERR_MALFORMED); /* nobody's */
    sec_keyring_free(&r);
    sec_accounts_free(&alice);
    sec_entities_free(&t);
}

/* --- one-time keys --- */

static enum err offer(struct sec_entities *t, char of, const char *context, struct slice key, const char *to,
                      int64_t now_s)
{
    struct sec_secret eukey = key_of(of), wrapper;
    struct buf wrapped;
    enum err e;

    buf_init(&wrapped, 200);
    MUST(sec_entity_wrap_key(&eukey, &wrapper) == ERR_OK);
    MUST(sec_wrap(&wrapper, slice_of(context, 3), key, &wrapped) == ERR_OK);
    e = sec_entities_offer(t, SLICE("a"), slice_str(to), buf_slice(&wrapped), now_s);
    buf_clear(&wrapped);
    return e;
}

static void test_carried(void)
{
    struct sec_entities *t = table(3, 2);
    uint8_t wrapped[SEC_ONE_TIME_WRAPPED_N];
    struct sec_secret eukey = key_of('b'), wrapper;
    char from[SEC_KEY_NAME_MAX_N];
    size_t from_n, n;
    struct buf plain;

    buf_init(&plain, 100);
    CU_ASSERT(put(t, "a", "alice", 'a') == ERR_OK && put(t, "b", "bob", 'b') == ERR_OK);
    CU_ASSERT(offer(t, 'a', "a\0b", ONCE, "b", NOW) == ERR_OK && sec_entities_waiting(t) == 1);
    CU_ASSERT(sec_entities_take(t, SLICE("a"), NOW, from, &from_n, wrapped, &n) == ERR_ABSENT);
    CU_ASSERT(sec_entities_take(t, SLICE("b"), NOW, from, &from_n, wrapped, &n) == ERR_OK);
    TEST_SLICE_EQ(slice_of(from, from_n), SLICE("a"));
    MUST(sec_entity_wrap_key(&eukey, &wrapper) == ERR_OK);
    CU_ASSERT(!slice_eq(sec_secret_slice(&wrapper), sec_secret_slice(&eukey))); /* a key for each purpose */
    CU_ASSERT(sec_unwrap(&wrapper, slice_of("a\0b", 3), slice_of(wrapped, n), &plain) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&plain), ONCE);
    CU_ASSERT(sec_entities_waiting(t) == 0); /* no copy is left */
    CU_ASSERT(sec_entities_take(t, SLICE("b"), NOW, from, &from_n, wrapped, &n) == ERR_ABSENT);
    buf_clear(&plain);
    sec_entities_free(&t);
}

static void test_offers_refused(void)
{
    struct sec_entities *t = table(3, 2);
    uint8_t wrapped[SEC_ONE_TIME_WRAPPED_N];
    char from[SEC_KEY_NAME_MAX_N];
    size_t from_n, n;

    CU_ASSERT(put(t, "a", "alice", 'a') == ERR_OK && put(t, "b", "bob", 'b') == ERR_OK);
    CU_ASSERT(offer(t, 'x', "a\0b", ONCE, "b", NOW) == ERR_DENIED); /* another's wrapping */
    CU_ASSERT(offer(t, 'a', "a\0c", ONCE, "b", NOW) == ERR_DENIED); /* meant for somebody else */
    CU_ASSERT(offer(t, 'a', "b\0a", ONCE, "b", NOW) == ERR_DENIED); /* the other way round */
    CU_ASSERT(offer(t, 'a', "a\0c", ONCE, "c", NOW) == ERR_ABSENT);
    CU_ASSERT(offer(t, 'a', "a\0a", ONCE, "a", NOW) == ERR_MALFORMED);
    CU_ASSERT(offer(t, 'a', "a\0b", SLICE("short"), "b", NOW) == ERR_MALFORMED);
    CU_ASSERT(offer(t, 'a', "a\0b", ONCE, "b", NOW) == ERR_OK &&
              offer(t, 'a', "a\0b", ONCE, "b", NOW) == ERR_OK);
    CU_ASSERT(offer(t, 'a', "a\0b", ONCE, "b", NOW + WAIT - 1) == ERR_LIMIT); /* too many wait */
    CU_ASSERT(offer(t, 'a', "a\0b", ONCE, "b", NOW + WAIT) == ERR_OK && sec_entities_waiting(t) == 1);
    CU_ASSERT(sec_entities_take(t, SLICE("b"), NOW + 2 * WAIT, from, &from_n, wrapped, &n) == ERR_ABSENT);
    sec_entities_free(&t);
}

static void test_create_rows(void)
{
    static const struct sec_entities_conf rows[] = {
        {0, 1, 1}, {SEC_KEYS_MAX + 1, 1, 1}, {1, 0, 1}, {1, 1, 0}};
    struct sec_entities *t = NULL, *second;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(sec_entities_create(&rows[i], &t) == ERR_LIMIT && !t);
    }
    t = table(1, 1);
    second = sec_entities_hold(t);
    sec_entities_free(&t);
    CU_ASSERT(put(second, "a", "alice", 'a') == ERR_OK && !t);
    sec_entities_free(&second);
}

const struct test_case test_cases[] = {
    {"whose_it_is", test_whose_it_is},
    {"put_refused", test_put_refused},
    {"ha1", test_ha1},
    {"load", test_load},
    {"carried", test_carried},
    {"offers_refused", test_offers_refused},
    {"create_rows", test_create_rows},
    {NULL, NULL},
};
