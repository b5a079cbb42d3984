/* syncml:auth-md5: the published numbers, the grammar and what breaks it, each nonce for one login.  The numbers were made with
 * another program.  [DM-SEC §5.1.3], requirement DM-18. */
#include "security/login/authmd5.h"

#include "base/mem.h"
#include "tests/unit/harness.h"

#define USER     SLICE("ppg-client-7")
#define PASSWORD SLICE("correct horse")
#define NONCE    "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
#define GOOD     "KeQLzuKHO1mHvapVd0Ip/w=="

static const struct {
    const char *user, *password;
    struct slice nonce;
    enum sec_authmd5_reading reading;
    const char *want;
} vectors[] = {
    {"Bruce2", "OhBehave", {"Nonce", 5}, SEC_AUTHMD5_OCTETS, "Zz6EivR3yeaaENcRN6lpAQ=="},
    {"ppg-client-7", "correct horse", {NONCE, 16}, SEC_AUTHMD5_OCTETS, GOOD},
    {"ppg-client-7", "correct horse", {NONCE, 16}, SEC_AUTHMD5_TEXT, "RlVDL/H+lwdCvXNsFqSKNg=="},
};

static void test_vectors(void)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct sec_secret inner;
        struct sec_mac_text got;

        test_row(i);
        sec_secret_init(&inner);
        MUST(sec_mac_inner(slice_str(vectors[i].user), slice_str(vectors[i].password), &inner) == ERR_OK);
        CU_ASSERT(sec_authmd5_make(sec_secret_slice(&inner), vectors[i].nonce, vectors[i].reading, &got) ==
                  ERR_OK);
        TEST_SLICE_EQ(slice_of(got.p, got.n), slice_str(vectors[i].want));
        sec_secret_clear(&inner);
    }
}

static const struct {
    const char *in;
    enum err want;
} credentials[] = {
    {"Syncml-MD5 username=\"a\", response=\"" GOOD "\"", ERR_OK},
    {"syncml-md5 response=\"" GOOD "\" , username = a", ERR_OK},
    {"Syncml-MD5 username=\"a\", realm=\"push\", response=\"" GOOD "\", other=1", ERR_OK},
    {"Syncml-MD5", ERR_UNSUPPORTED},
    {"", ERR_UNSUPPORTED},
    {"Syncml-MAC username=\"a\", response=\"" GOOD "\"", ERR_UNSUPPORTED},
    {"Digest username=\"a\", response=\"" GOOD "\"", ERR_UNSUPPORTED},
    {"Syncml-MD5 ", ERR_MALFORMED},
    {"Syncml-MD5 username=\"a\"", ERR_MALFORMED},
    {"Syncml-MD5 response=\"" GOOD "\"", ERR_MALFORMED},
    {"Syncml-MD5 username=\"\", response=\"" GOOD "\"", ERR_MALFORMED},
    {"Syncml-MD5 username=\"a\\\"\", response=\"" GOOD "\"", ERR_MALFORMED},
    {"Syncml-MD5 username=\"a\", username=\"b\", response=\"" GOOD "\"", ERR_MALFORMED},
    {"Syncml-MD5 username=\"a\", response=\"" GOOD "\", response=\"" GOOD "\"", ERR_MALFORMED},
    {"Syncml-MD5 username=\"a\", response=\"\"", ERR_MALFORMED},
    {"Syncml-MD5 username=\"a\", response=\"KeQLzuKHO1mHvapVd0Ip/w\"", ERR_MALFORMED},
    {"Syncml-MD5 username=\"a\", response=\"" GOOD "=\"", ERR_MALFORMED},
    {"Syncml-MD5 username=\"a, response=\"" GOOD "\"", ERR_MALFORMED},
};

static void test_credentials(void)
{
    for (size_t i = 0; i < COUNT(credentials); i++) {
        struct sec_mac got = {.user = SLICE("before")};
        enum err e = sec_authmd5_parse(slice_str(credentials[i].in), &got);

        test_row(i);
        CU_ASSERT(e == credentials[i].want);
        TEST_SLICE_EQ(got.user, e ? SLICE("before") : SLICE("a"));
        if (!e)
            TEST_SLICE_EQ(got.mac, SLICE(GOOD));
        CU_ASSERT(!e || e == ERR_MALFORMED || !sec_authmd5_is(slice_str(credentials[i].in)) ||
                  slice_eq(slice_str(credentials[i].in), SLICE("Syncml-MD5")));
    }
}

static void test_limits(void)
{
    struct sec_mac got;
    struct buf text;

    for (size_t n = SEC_MAC_USER_MAX_N; n <= SEC_MAC_USER_MAX_N + 1; n++) {
        buf_init(&text, 8192);
        buf_add_str(&text, "Syncml-MD5 response=\"" GOOD "\", username=");
        for (size_t i = 0; i < n; i++)
            buf_add_ch(&text, 'u');
        CU_ASSERT(sec_authmd5_parse(buf_slice(&text), &got) == (n > SEC_MAC_USER_MAX_N ? ERR_LIMIT : ERR_OK));
        buf_clear(&text);
    }
}

static void test_challenges(void)
{
    static const struct {
        const char *in;
        enum err want;
    } rows[] = {
        {"Syncml-MD5 realm=\"push\", nonce=\"ABEiM0RVZneImaq7zN3u/w==\"", ERR_OK},
        {"syncml-md5 nonce=\"ABEiM0RVZneImaq7zN3u/w==\"", ERR_OK},
        {"Syncml-MAC realm=\"push\", nonce=\"ABEiM0RVZneImaq7zN3u/w==\"", ERR_UNSUPPORTED},
        {"Syncml-MD5", ERR_UNSUPPORTED},
        {"Syncml-MD5 realm=\"push\"", ERR_MALFORMED},
        {"Syncml-MD5 nonce=\"\"", ERR_MALFORMED},
        {"Syncml-MD5 nonce=\"*\"", ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_mac_nonce got = {.n = 99};
        enum err e = sec_authmd5_challenged(slice_str(rows[i].in), &got);

        test_row(i);
        CU_ASSERT(e == rows[i].want);
        CU_ASSERT(got.n == (e ? 99 : 16));
        if (!e)
            TEST_SLICE_EQ(slice_of(got.p, got.n), slice_of(NONCE, 16));
    }
}

/* --- logging in --- */

struct bench {
    struct sec_mac_guard *guard;
    struct sec_mac_session session;
    struct sec_mac_nonce nonce; /* as the client heard it */
};

static void challenge(struct bench *b)
{
    struct buf out;

    buf_init(&out, 256);
    CU_ASSERT(sec_authmd5_challenge(&b->session, SLICE("push"), &out) == ERR_OK);
    CU_ASSERT(sec_authmd5_challenged(buf_slice(&out), &b->nonce) == ERR_OK);
    buf_clear(&out);
}

static void setup(struct bench *b)
{
    *b = (struct bench){.nonce = {.n = 0}};
    MUST(sec_mac_guard_create(4, &b->guard) == ERR_OK);
    challenge(b);
}

static enum err log_in(struct bench *b, struct slice password, const struct slice *known)
{
    struct sec_mac said;
    struct buf out;
    enum err e;

    buf_init(&out, 1024);
    MUST(sec_authmd5_print(USER, password, &b->nonce, &out) == ERR_OK);
    MUST(sec_authmd5_parse(buf_slice(&out), &said) == ERR_OK);
    e = sec_authmd5_verify(b->guard, &said, known, &b->session, 1000);
    buf_clear(&out);
    return e;
}

static void test_each_nonce_once(void)
{
    struct slice known = PASSWORD;
    struct bench b;

    setup(&b);
    CU_ASSERT(log_in(&b, PASSWORD, &known) == ERR_OK);
    CU_ASSERT(log_in(&b, PASSWORD, &known) == ERR_DENIED); /* the connection's, again */
    mem_copy(b.nonce.p, sizeof b.nonce.p, slice_of(b.session.next, sizeof b.session.next));
    b.session =
        (struct sec_mac_session){.offered = false}; /* another connection, the nonce of the last answer */
    CU_ASSERT(log_in(&b, PASSWORD, &known) == ERR_OK);
    CU_ASSERT(b.session.proved);
    CU_ASSERT(log_in(&b, PASSWORD, &known) == ERR_LATE);
    sec_mac_guard_free(&b.guard);
}

static void test_wrong_and_unknown_are_one(void)
{
    struct slice known = PASSWORD, none = SLICE_NONE;
    struct bench b;

    setup(&b);
    CU_ASSERT(log_in(&b, SLICE("correct hors"), &known) == ERR_DENIED);
    CU_ASSERT(log_in(&b, PASSWORD, NULL) == ERR_DENIED);
    CU_ASSERT(log_in(&b, SLICE_NONE, NULL) == ERR_DENIED);
    CU_ASSERT(log_in(&b, PASSWORD, &none) == ERR_DENIED);
    b.nonce.p[0] ^= 1;
    CU_ASSERT(log_in(&b, PASSWORD, &known) == ERR_DENIED);
    b.nonce.p[0] ^= 1;
    CU_ASSERT(!b.session.proved);
    CU_ASSERT(log_in(&b, PASSWORD, &known) == ERR_OK); /* they have used nothing up */
    CU_ASSERT(sec_mac_guard_users(b.guard) == 1);
    sec_mac_guard_free(&b.guard);
}

/* A client that hashes the text of the nonce; and the empty nonce of a connection that asked for nothing. */
static void test_readings(void)
{
    struct slice known = PASSWORD;
    struct sec_mac said = {.user = USER, .algorithm = SEC_MAC_MD5};
    struct sec_mac_session fresh = {.offered = false};
    struct sec_mac_text text;
    struct sec_secret inner;
    struct bench b;

    setup(&b);
    sec_secret_init(&inner);
    MUST(sec_mac_inner(USER, PASSWORD, &inner) == ERR_OK);
    MUST(sec_authmd5_make(sec_secret_slice(&inner), slice_of(b.nonce.p, b.nonce.n), SEC_AUTHMD5_TEXT,
                          &text) == ERR_OK);
    said.mac = slice_of(text.p, text.n);
    CU_ASSERT(sec_authmd5_verify(b.guard, &said, &known, &b.session, 0) == ERR_OK);
    MUST(sec_authmd5_make(sec_secret_slice(&inner), slice_of(fresh.nonce, sizeof fresh.nonce),
                          SEC_AUTHMD5_OCTETS, &text) == ERR_OK);
    CU_ASSERT(sec_authmd5_verify(b.guard, &said, &known, &fresh, 0) == ERR_DENIED);
    sec_secret_clear(&inner);
    sec_mac_guard_free(&b.guard);
}

/* What proves a message does not log in, and a login proves no message. */
static void test_no_mac_is_a_login(void)
{
    struct slice known = PASSWORD, body = SLICE("x");
    struct sec_mac_keys keys = {.key = {{.n = 0}}};
    struct sec_mac said;
    struct buf out;
    struct bench b;

    setup(&b);
    buf_init(&out, 1024);
    MUST(sec_mac_inner(USER, PASSWORD, &keys.key[SEC_MAC_MD5]) == ERR_OK);
    MUST(sec_mac_print(USER, &keys, slice_of(b.nonce.p, b.nonce.n), &body, 1, &out) == ERR_OK);
    MUST(sec_mac_parse(buf_slice(&out), &said) == ERR_OK);
    CU_ASSERT(sec_authmd5_verify(b.guard, &said, &known, &b.session, 0) == ERR_DENIED);
    buf_reset(&out, 1024);
    MUST(sec_authmd5_print(USER, PASSWORD, &b.nonce, &out) == ERR_OK);
    MUST(sec_authmd5_parse(buf_slice(&out), &said) == ERR_OK);
    CU_ASSERT(sec_mac_guard_verify(
                  b.guard,
                  &(struct sec_mac_message){.mac = &said, .keys = &keys, .body = &body, .body_parts = 1},
                  &b.session, 0) == ERR_DENIED);
    buf_clear(&out);
    sec_mac_keys_clear(&keys);
    sec_mac_guard_free(&b.guard);
}

static void test_what_cannot_be_printed(void)
{
    struct sec_mac_nonce n = {.n = 4};
    struct sec_mac_session session = {.offered = false};
    struct buf out;

    buf_init(&out, 1024);
    CU_ASSERT(sec_authmd5_print(SLICE_NONE, PASSWORD, &n, &out) == ERR_MALFORMED);
    CU_ASSERT(sec_authmd5_print(SLICE("a\"b"), PASSWORD, &n, &out) == ERR_MALFORMED);
    CU_ASSERT(sec_authmd5_print(SLICE("a\nb"), PASSWORD, &n, &out) == ERR_MALFORMED);
    CU_ASSERT(sec_authmd5_challenge(&session, SLICE("a\"b"), &out) == ERR_MALFORMED);
    CU_ASSERT(!session.offered);
    CU_ASSERT(out.n == 0);
    buf_clear(&out);
}

const struct test_case test_cases[] = {
    {"vectors", test_vectors},
    {"credentials", test_credentials},
    {"limits", test_limits},
    {"challenges", test_challenges},
    {"each_nonce_once", test_each_nonce_once},
    {"wrong_and_unknown_are_one", test_wrong_and_unknown_are_one},
    {"readings", test_readings},
    {"no_mac_is_a_login", test_no_mac_is_a_login},
    {"what_cannot_be_printed", test_what_cannot_be_printed},
    {NULL, NULL},
};
