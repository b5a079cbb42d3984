/* Challenges remembered from one request to the next, and the login that they are given to. */
#include "ota/sip/known.h"

#include <stdio.h>

#include "tests/unit/harness.h"

#define HEAD                                                                                                 \
    "Via: SIP/2.0/UDP ppg:5060;branch=z9hG4bKa7\r\nFrom: <sip:push@ppg>;tag=9d\r\nTo: "                      \
    "<sip:alice@b>;tag=7\r\n"                                                                                \
    "Call-ID: 5f@ppg\r\nCSeq: 1 MESSAGE\r\n"
#define ASKS "WWW-Authenticate: Digest realm=\"a\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\r\n"

static void reply_of(const char *start, const char *more, struct ota_sip_reply *out)
{
    struct ota_sip_unit unit;
    struct buf text;
    char in[2048];

    ota_sip_parser_start();
    buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
    (void)snprintf(in, sizeof in, "SIP/2.0 %s\r\n" HEAD "%s\r\n", start, more);
    CU_ASSERT_EQUAL_FATAL(ota_sip_datagram_read(slice_str(in), &text, &unit), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(ota_sip_reply_read(&unit, out), ERR_OK);
    buf_clear(&text);
}

static enum err challenge(struct ota_sip_login *l, const char *start, const char *more)
{
    struct ota_sip_reply r;
    enum err e;

    reply_of(start, more, &r);
    e = ota_sip_login_challenged(l, &r);
    ota_sip_reply_clear(&r);
    return e;
}

static void learn(struct ota_sip_known *k, const struct ota_sip_whom *whom, const struct ota_sip_login *l,
                  const char *more)
{
    struct ota_sip_reply r;

    reply_of("200 OK", more, &r);
    ota_sip_known_learn(k, whom, l, &r);
    ota_sip_reply_clear(&r);
}

/* The credentials that a new request would carry, as one text. */
static void recall(struct ota_sip_known *k, const struct ota_sip_whom *whom, struct buf *out)
{
    static const struct ota_login as = {SLICE("ppg"), SLICE("secret")};
    static const struct sec_digest_request request = {SLICE("MESSAGE"), SLICE("sip:alice@b"), SLICE(""),
                                                      true};
    struct ota_sip_login l;

    buf_init(out, 2 * SEC_DIGEST_HEADER_MAX_N);
    ota_sip_login_init(&l);
    ota_sip_known_recall(k, whom, &l);
    CU_ASSERT_EQUAL(ota_sip_login_print(&l, &as, &request, NULL, out), ERR_OK);
    ota_sip_login_clear(&l);
}

static bool recalls(struct ota_sip_known *k, const struct ota_sip_whom *whom, const char *what)
{
    struct buf got;
    bool has;

    recall(k, whom, &got);
    has = what ? slice_find_slice(buf_slice(&got), slice_str(what)) != SIZE_MAX : got.n == 0;
    buf_clear(&got);
    return has;
}

static const struct ota_sip_whom alice = {false, SLICE("proxy"), SLICE("sip:alice@b"), SLICE("ppg")};

/* A login as it stands when its answer to these was taken. */
static void logged_in(struct ota_sip_known *k, const struct ota_sip_whom *whom, const char *asks,
                      const char *info)
{
    struct ota_sip_login l;

    ota_sip_login_init(&l);
    CU_ASSERT_EQUAL(challenge(&l, "401 No", asks), ERR_OK);
    l.realms[0].nc = 1;
    learn(k, whom, &l, info);
    ota_sip_login_clear(&l);
}

static void counts_go_on(void)
{
    struct ota_sip_known k;

    ota_sip_known_init(&k, 10);
    CU_ASSERT(recalls(&k, &alice, NULL));
    logged_in(&k, &alice, ASKS, "");
    CU_ASSERT(recalls(&k, &alice, "nc=00000002"));
    CU_ASSERT(recalls(&k, &alice, "nc=00000003")); /* nobody has said yet what became of the second */
    logged_in(&k, &alice, ASKS, ""); /* an older request of the same nonce: the higher count stays */
    CU_ASSERT(recalls(&k, &alice, "nc=00000004"));
    logged_in(&k, &alice, "WWW-Authenticate: Digest realm=\"a\", nonce=\"n2\", qop=\"auth\"\r\n", "");
    CU_ASSERT(recalls(&k, &alice, "nonce=\"n2\""));
    CU_ASSERT(recalls(&k, &alice, "nc=00000003"));
    ota_sip_known_forget(&k, &alice);
    CU_ASSERT(recalls(&k, &alice, NULL));
    ota_sip_known_clear(&k);
}

/* Not to another address, through another hop, over another kind of transport, or as another user. */
static void for_whom_it_was_meant(void)
{
    static const struct {
        struct ota_sip_whom whom;
        bool far_end, proxy; /* which of the two is known there */
    } rows[] = {
        {{false, SLICE("proxy"), SLICE("sip:alice@b"), SLICE("ppg")}, true, true},
        {{false, SLICE("proxy"), SLICE("sip:bob@b"), SLICE("ppg")}, false, true},
        {{false, SLICE("other"), SLICE("sip:alice@b"), SLICE("ppg")}, true, false},
        {{true, SLICE("proxy"), SLICE("sip:alice@b"), SLICE("ppg")}, false, false},
        {{false, SLICE("proxy"), SLICE("sip:alice@b"), SLICE("ppg2")}, false, false},
    };
    struct ota_sip_known k;
    struct ota_sip_login l;

    ota_sip_known_init(&k, 10);
    ota_sip_login_init(&l);
    CU_ASSERT_EQUAL(challenge(&l, "401 No", ASKS), ERR_OK);
    CU_ASSERT_EQUAL(
        challenge(&l, "407 No", "Proxy-Authenticate: Digest realm=\"p\", nonce=\"n2\", qop=\"auth\"\r\n"),
        ERR_OK);
    CU_ASSERT_EQUAL(
        challenge(&l, "407 No", "Proxy-Authenticate: Digest realm=\"q\", nonce=\"n3\", qop=\"auth\"\r\n"),
        ERR_OK);
    learn(&k, &alice, &l, "");
    ota_sip_login_clear(&l);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(recalls(&k, &rows[i].whom, "nonce=\"n1\""), rows[i].far_end);
        CU_ASSERT_EQUAL(recalls(&k, &rows[i].whom, "nonce=\"n2\""), rows[i].proxy);
        CU_ASSERT_EQUAL(recalls(&k, &rows[i].whom, "nonce=\"n3\""), rows[i].proxy);
    }
    ota_sip_known_clear(&k);
}

static void the_next_nonce(void)
{
    static const struct {
        const char *info, *nonce;
    } rows[] = {
        {"Authentication-Info: nextnonce=\"m1\"\r\n", "nonce=\"m1\""},
        {"Authentication-Info: qop=auth, nextnonce=\"m1\", nc=00000001\r\n", "nonce=\"m1\""},
        {"Proxy-Authentication-Info: nextnonce=\"m1\"\r\n", "nonce=\"n1\""}, /* of somebody else */
        {"Authentication-Info: nextnonce=m1\r\n", "nonce=\"n1\""},
        {"Authentication-Info: nextnonce=\"\"\r\n", "nonce=\"n1\""},
        {"Authentication-Info: nextnonce=\"m\\1\"\r\n", "nonce=\"n1\""},
        {"", "nonce=\"n1\""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_known k;

        test_row(i);
        ota_sip_known_init(&k, 10);
        logged_in(&k, &alice,
                  "WWW-Authenticate: Digest realm=\"a b\", nonce=\"n1\", opaque=\"o\", "
                  "qop=\"auth-int,auth\", algorithm=SHA-256\r\n",
                  rows[i].info);
        CU_ASSERT(recalls(&k, &alice, rows[i].nonce));
        CU_ASSERT(recalls(&k, &alice, "opaque=\"o\"") && recalls(&k, &alice, "realm=\"a b\"") &&
                  recalls(&k, &alice, "SHA-256") && recalls(&k, &alice, "auth-int"));
        ota_sip_known_clear(&k);
    }
}

/* A login that began with what was remembered may be refused once for that, and then once more as any. */
static void remembered_is_not_asked(void)
{
    struct ota_sip_login l;

    ota_sip_login_init(&l);
    CU_ASSERT_EQUAL(
        ota_sip_login_recall(&l, false, SLICE("Digest realm=\"a\", nonce=\"old\", qop=\"auth\""), 7), ERR_OK);
    CU_ASSERT_EQUAL(challenge(&l, "401 No", ASKS), ERR_OK);
    TEST_SLICE_EQ(l.realms[0].offer.nonce, SLICE("n1"));
    CU_ASSERT(l.n == 1 && l.realms[0].nc == 0);
    CU_ASSERT_EQUAL(challenge(&l, "401 No", ASKS), ERR_DENIED);
    ota_sip_login_clear(&l);
    CU_ASSERT_EQUAL(ota_sip_login_recall(&l, false, SLICE("Basic realm=\"a\""), 7), ERR_ABSENT);
    for (size_t i = 0; i < OTA_SIP_REALMS_MAX; i++)
        CU_ASSERT_EQUAL(
            ota_sip_login_recall(&l, true, SLICE("Digest realm=\"a\", nonce=\"old\", qop=\"auth\""), 7),
            ERR_OK);
    CU_ASSERT_EQUAL(
        ota_sip_login_recall(&l, true, SLICE("Digest realm=\"a\", nonce=\"old\", qop=\"auth\""), 7),
        ERR_LIMIT);
    ota_sip_login_clear(&l);
}

static void bounded(void)
{
    struct ota_sip_known k;
    char name[32];

    ota_sip_known_init(&k, 3);
    for (int i = 0; i < 5; i++) {
        struct ota_sip_whom whom = alice;

        (void)snprintf(name, sizeof name, "sip:u%d@b", i);
        whom.to = slice_str(name);
        logged_in(&k, &whom, ASKS, "");
        if (i == 3) { /* u1 is asked again: u2 is the one to go */
            whom.to = SLICE("sip:u1@b");
            CU_ASSERT(recalls(&k, &whom, "n1"));
        }
    }
    for (int i = 0; i < 5; i++) {
        struct ota_sip_whom whom = alice;

        test_row((size_t)i);
        (void)snprintf(name, sizeof name, "sip:u%d@b", i);
        whom.to = slice_str(name);
        CU_ASSERT(recalls(&k, &whom, i == 0 || i == 2 ? NULL : "n1"));
    }
    CU_ASSERT_EQUAL(k.by_key.n, 3);
    ota_sip_known_clear(&k);
}

const struct test_case test_cases[] = {{"counts_go_on", counts_go_on},
                                       {"for_whom_it_was_meant", for_whom_it_was_meant},
                                       {"the_next_nonce", the_next_nonce},
                                       {"remembered_is_not_asked", remembered_is_not_asked},
                                       {"bounded", bounded},
                                       {NULL, NULL}};
