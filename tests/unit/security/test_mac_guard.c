/* Nonces of x-syncml-hmac: each good for one message, a grace for those that cross, one challenge without memory, and
 * nothing for strangers.  [DM-SEC §5.1.3, §5.1.4]. */
#include "security/login/mac_guard.h"

#include <stdio.h>
#include "base/codec.h"
#include "base/mem.h"
#include "tests/unit/harness.h"

#define USER SLICE("mms")
#define BODY SLICE("<push/>")

struct bench {
    struct sec_mac_guard *guard;
    struct sec_mac_keys keys, others;
    struct sec_mac_session session;
    int64_t now_ms;
};

static void setup(struct bench *b, size_t users_max)
{
    *b = (struct bench){.now_ms = 1000};
    MUST(sec_mac_guard_create(users_max, &b->guard) == ERR_OK);
    MUST(sec_mac_inner(USER, SLICE("secret"), &b->keys.key[SEC_MAC_MD5]) == ERR_OK);
    MUST(sec_mac_inner(USER, SLICE("guess"), &b->others.key[SEC_MAC_MD5]) == ERR_OK);
}

static void teardown(struct bench *b)
{
    sec_mac_guard_free(&b->guard);
    CU_ASSERT(b->guard == NULL);
    sec_mac_guard_free(&b->guard);
}

/* The nonce of a challenge, as the sender reads it. */
static struct sec_mac_nonce challenge(struct sec_mac_session *session)
{
    struct sec_mac_nonce n;
    struct buf out;

    buf_init(&out, 256);
    MUST(sec_mac_guard_challenge(session, SLICE("push"), &out) == ERR_OK);
    MUST(sec_mac_challenged(buf_slice(&out), &n) == ERR_OK && n.n == SEC_MAC_NONCE_N);
    buf_clear(&out);
    return n;
}

static struct sec_mac_nonce next_of(const struct sec_mac_session *session)
{
    struct sec_mac_nonce n = {.n = SEC_MAC_NONCE_N};

    mem_copy(n.p, sizeof n.p, slice_of(session->next, sizeof session->next));
    return n;
}

/* A message of `user`, made with `by` and the nonce, is judged by the keys of `known` (NULL: nobody). */
static enum err judged(struct bench *b, struct slice user, const struct sec_mac_keys *by,
                       const struct sec_mac_nonce *n, struct slice body, const struct sec_mac_keys *known,
                       struct sec_mac_session *session)
{
    struct sec_mac_message m = {.keys = known, .body = &body, .body_parts = 1};
    struct sec_mac mac;
    struct buf text;
    enum err e;

    buf_init(&text, 1024);
    MUST(sec_mac_print(user, by, slice_of(n->p, n->n), &body, 1, &text) == ERR_OK);
    MUST(sec_mac_parse(buf_slice(&text), &mac) == ERR_OK);
    m.mac = &mac;
    e = sec_mac_guard_verify(b->guard, &m, session, b->now_ms);
    buf_clear(&text);
    return e;
}

static enum err sends(struct bench *b, const struct sec_mac_nonce *n, struct slice body)
{
    return judged(b, USER, &b->keys, n, body, &b->keys, &b->session);
}

static void test_story(void)
{
    struct bench b;
    struct sec_mac_nonce n, last;

    setup(&b, 10);
    n = challenge(&b.session);
    CU_ASSERT(sec_mac_guard_users(b.guard) == 0); /* a challenge costs nothing */
    CU_ASSERT(sends(&b, &n, BODY) == ERR_OK);
    CU_ASSERT(b.session.proved && !b.session.offered && sec_mac_guard_users(b.guard) == 1);
    for (int i = 0; i < 20; i++) { /* each answer has the nonce for the next message */
        last = n;
        n = next_of(&b.session);
        CU_ASSERT(!slice_eq(slice_of(n.p, n.n), slice_of(last.p, last.n)));
        CU_ASSERT(sends(&b, &n, BODY) == ERR_OK);
    }
    n = next_of(&b.session); /* and another connection may begin with it */
    b.session = (struct sec_mac_session){.offered = false};
    CU_ASSERT(sends(&b, &n, BODY) == ERR_OK);
    teardown(&b);
}

static void test_once(void)
{
    struct bench b;
    struct sec_mac_nonce first, second;

    setup(&b, 10);
    first = challenge(&b.session);
    CU_ASSERT(sends(&b, &first, BODY) == ERR_OK);
    CU_ASSERT(sends(&b, &first, BODY) != ERR_OK);
    second = next_of(&b.session);
    CU_ASSERT(sends(&b, &second, BODY) == ERR_OK);
    CU_ASSERT(sends(&b, &second, BODY) == ERR_LATE);           /* again */
    CU_ASSERT(sends(&b, &second, SLICE("other")) == ERR_LATE); /* another message */
    b.session = (struct sec_mac_session){.offered = false};
    CU_ASSERT(sends(&b, &second, BODY) == ERR_LATE); /* over another connection */
    CU_ASSERT(!b.session.proved);
    teardown(&b);
}

/* A nonce that another replaced before it was used is good for a while; a challenge is good as long as its
 * connection. */
static void test_grace(void)
{
    static const struct {
        int64_t after_ms;
        enum err want;
    } rows[] = {{0, ERR_OK}, {SEC_MAC_GRACE_MS, ERR_OK}, {SEC_MAC_GRACE_MS + 1, ERR_LATE}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_mac_session other = {.offered = false};
        struct sec_mac_nonce n, mine, theirs;
        struct bench b;

        test_row(i);
        setup(&b, 10);
        n = challenge(&b.session);
        theirs = challenge(&other);
        CU_ASSERT(sends(&b, &n, BODY) == ERR_OK);
        mine = next_of(&b.session);
        b.now_ms += 1000000;
        CU_ASSERT(judged(&b, USER, &b.keys, &theirs, BODY, &b.keys, &other) == ERR_OK); /* replaces mine */
        b.now_ms += rows[i].after_ms;
        CU_ASSERT(sends(&b, &mine, BODY) == rows[i].want);
        theirs = next_of(&other);
        CU_ASSERT(judged(&b, USER, &b.keys, &theirs, BODY, &b.keys, &other) == ERR_OK);
        teardown(&b);
    }
}

static void test_wrong(void)
{
    struct bench b;
    struct sec_mac_nonce n, none = {.n = 0}, zero = {.n = SEC_MAC_NONCE_N};
    struct sec_mac_keys empty = {.key = {{.n = 0}}};

    setup(&b, 10);
    n = challenge(&b.session);
    CU_ASSERT(judged(&b, USER, &b.others, &n, BODY, &b.keys, &b.session) == ERR_DENIED);
    CU_ASSERT(judged(&b, USER, &b.keys, &n, BODY, NULL, &b.session) == ERR_DENIED);
    CU_ASSERT(judged(&b, USER, &b.keys, &n, BODY, &empty, &b.session) == ERR_DENIED);
    CU_ASSERT(sends(&b, &none, BODY) == ERR_DENIED); /* nobody gave these out */
    CU_ASSERT(sends(&b, &zero, BODY) == ERR_DENIED);
    CU_ASSERT(b.session.offered && !b.session.proved && sec_mac_guard_users(b.guard) == 0);
    CU_ASSERT(sends(&b, &n, BODY) == ERR_OK); /* wrong ones have not spent it */
    b.session = (struct sec_mac_session){.offered = false};
    CU_ASSERT(sends(&b, &zero, BODY) == ERR_DENIED);
    teardown(&b);
}

/* A changed body, and a mac that belongs to another body. */
static void test_other_body(void)
{
    struct slice sent = BODY, came = SLICE("<pusH/>");
    struct bench b;
    struct sec_mac_nonce n;
    struct sec_mac mac;
    struct buf text;

    setup(&b, 10);
    n = challenge(&b.session);
    buf_init(&text, 1024);
    CU_ASSERT(sec_mac_print(USER, &b.keys, slice_of(n.p, n.n), &sent, 1, &text) == ERR_OK);
    CU_ASSERT(sec_mac_parse(buf_slice(&text), &mac) == ERR_OK);
    CU_ASSERT(sec_mac_guard_verify(b.guard, &(struct sec_mac_message){&mac, &b.keys, &came, 1, false, false},
                                   &b.session, 0) == ERR_DENIED);
    mac.user = SLICE("bank"); /* its own key it is not */
    CU_ASSERT(sec_mac_guard_verify(b.guard,
                                   &(struct sec_mac_message){&mac, &b.others, &sent, 1, false, false},
                                   &b.session, 0) == ERR_DENIED);
    mac.user = USER;
    CU_ASSERT(sec_mac_guard_verify(b.guard, &(struct sec_mac_message){&mac, &b.keys, &sent, 1, false, false},
                                   &b.session, 0) == ERR_OK);
    buf_clear(&text);
    teardown(&b);
}

/* The nonces of one user are none of another's, and a new challenge ends the one before. */
static void test_apart(void)
{
    struct bench b;
    struct sec_mac_nonce first, second;
    struct sec_mac_keys bank = {.key = {{.n = 0}}};

    setup(&b, 10);
    CU_ASSERT(sec_mac_inner(SLICE("bank"), SLICE("x"), &bank.key[SEC_MAC_MD5]) == ERR_OK);
    first = challenge(&b.session);
    second = challenge(&b.session);
    CU_ASSERT(sends(&b, &first, BODY) == ERR_DENIED);
    CU_ASSERT(sends(&b, &second, BODY) == ERR_OK);
    first = next_of(&b.session);
    CU_ASSERT(judged(&b, SLICE("bank"), &bank, &first, BODY, &bank, &b.session) == ERR_DENIED);
    CU_ASSERT(sends(&b, &first, BODY) == ERR_OK);
    teardown(&b);
}

static void test_bounded(void)
{
    struct sec_mac_guard *g = NULL;
    struct bench b;

    CU_ASSERT(sec_mac_guard_create(0, &g) == ERR_LIMIT);
    CU_ASSERT(sec_mac_guard_create(1000001, &g) == ERR_LIMIT && g == NULL);
    setup(&b, 3);
    for (int i = 0; i < 10; i++) {
        struct sec_mac_keys keys = {.key = {{.n = 0}}};
        struct sec_mac_nonce n = challenge(&b.session);
        char name[16];

        (void)snprintf(name, sizeof name, "user-%d", i);
        CU_ASSERT(sec_mac_inner(slice_str(name), SLICE("x"), &keys.key[SEC_MAC_MD5]) == ERR_OK);
        CU_ASSERT(judged(&b, slice_str(name), &keys, &n, BODY, &keys, &b.session) == ERR_OK);
        CU_ASSERT(sec_mac_guard_users(b.guard) == (size_t)(i < 3 ? i + 1 : 3));
    }
    teardown(&b);
}

static void test_hexadecimal(void)
{
    struct slice body = BODY;
    struct bench b;
    struct sec_mac_nonce n;
    struct sec_mac mac = {.user = USER, .algorithm = SEC_MAC_MD5};
    struct sec_mac_text content, want;
    struct buf octets, hex, text;

    setup(&b, 10);
    n = challenge(&b.session);
    CU_ASSERT(sec_mac_body(SEC_MAC_MD5, &body, 1, &content) == ERR_OK);
    CU_ASSERT(sec_mac_make(SEC_MAC_MD5, sec_secret_slice(&b.keys.key[SEC_MAC_MD5]), slice_of(n.p, n.n),
                           &content, &want) == ERR_OK);
    buf_init(&octets, 64);
    buf_init(&hex, 64);
    buf_init(&text, 64);
    CU_ASSERT(codec_unbase64(slice_of(want.p, want.n), false, &octets) == ERR_OK);
    codec_hex(&hex, buf_slice(&octets));
    codec_base64(&text, buf_slice(&hex));
    mac.mac = buf_slice(&text);
    CU_ASSERT(sec_mac_guard_verify(b.guard, &(struct sec_mac_message){&mac, &b.keys, &body, 1, false, false},
                                   &b.session, 0) == ERR_DENIED);
    CU_ASSERT(sec_mac_guard_verify(b.guard, &(struct sec_mac_message){&mac, &b.keys, &body, 1, true, false},
                                   &b.session, 0) == ERR_OK);
    buf_clear(&octets);
    buf_clear(&hex);
    buf_clear(&text);
    teardown(&b);
}

const struct test_case test_cases[] = {
    {"story", test_story},
    {"once", test_once},
    {"grace", test_grace},
    {"wrong", test_wrong},
    {"other_body", test_other_body},
    {"apart", test_apart},
    {"bounded", test_bounded},
    {"hexadecimal", test_hexadecimal},
    {NULL, NULL},
};
