/* SIP responses as libosip2 reads them: what they say, and which are none. */
#include "ota/sip/reply.h"

#include <stdio.h>

#include "tests/unit/harness.h"

#define REST                                                                                                 \
    "From: <sip:push@ppg>;tag=9d\r\nTo: <sip:alice@example.com>;tag=77\r\nCall-ID: 5f@ppg\r\nCSeq: 1 "       \
    "MESSAGE\r\n"
#define VIA "Via: SIP/2.0/UDP ppg:5060;branch=z9hG4bKa7;rport=5060;received=192.0.2.10\r\n"

static enum err read_reply(const char *in, struct ota_sip_reply *out)
{
    struct ota_sip_unit unit;
    struct buf text;
    enum err e;

    ota_sip_parser_start();
    buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
    CU_ASSERT_EQUAL_FATAL(ota_sip_datagram_read(slice_str(in), &text, &unit), ERR_OK);
    e = ota_sip_reply_read(&unit, out);
    buf_clear(&text); /* nothing of it is needed any more */
    return e;
}

static void what_it_says(void)
{
    static const struct {
        const char *in;
        unsigned status;
        const char *reason, *method;
        int64_t retry_s;
    } rows[] = {
        {"SIP/2.0 200 OK\r\n" VIA REST "Content-Length: 0\r\n\r\n", 200, "OK", "MESSAGE", 0},
        {"SIP/2.0 503 Try later\r\n" VIA REST "Retry-After: 120\r\n\r\n", 503, "Try later", "MESSAGE", 120},
        {"SIP/2.0 480 x\r\n" VIA REST "Retry-After: 18000;duration=3600\r\n\r\n", 480, "x", "MESSAGE", 18000},
        {"SIP/2.0 480 x\r\n" VIA REST "Retry-After: 120 (I'm in a meeting)\r\n\r\n", 480, "x", "MESSAGE",
         120},
        {"SIP/2.0 480 x\r\n" VIA REST "Retry-After: 99999999999\r\n\r\n", 480, "x", "MESSAGE",
         OTA_SIP_RETRY_MAX_S},
        {"SIP/2.0 480 x\r\n" VIA REST "Retry-After: soon\r\n\r\n", 480, "x", "MESSAGE", 0},
        {"SIP/2.0 699 x\r\nv: SIP/2.0/TCP h;branch=z9hG4bKa7\r\nf: sip:a@b;tag=1\r\nt: sip:c@d\r\ni: "
         "5\r\nCSeq: 2 OPTIONS\r\n\r\n",
         699, "x", "OPTIONS", 0},
        /* a 200 that says more than it should is still one (RFC 3428 §7) */
        {"SIP/2.0 200 OK\r\n" VIA REST
         "Contact: <sip:a@b>\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody",
         200, "OK", "MESSAGE", 0},
        {"SIP/2.0 200 OK\r\n" VIA REST "Content-Type: multipart/mixed\r\nContent-Length: 4\r\n\r\nbody", 200,
         "OK", "MESSAGE", 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_reply r = {.status = 0};

        test_row(i);
        CU_ASSERT_EQUAL_FATAL(read_reply(rows[i].in, &r), ERR_OK);
        CU_ASSERT_EQUAL(r.status, rows[i].status);
        TEST_SLICE_EQ(r.reason, slice_str(rows[i].reason));
        TEST_SLICE_EQ(r.method, slice_str(rows[i].method));
        TEST_SLICE_EQ(r.branch, SLICE("z9hG4bKa7"));
        CU_ASSERT_EQUAL(r.retry_s, rows[i].retry_s);
        ota_sip_reply_clear(&r);
        CU_ASSERT_PTR_NULL(r.osip);
    }
}

static void what_is_none(void)
{
    static const struct {
        const char *in;
        enum err want;
    } rows[] = {
        {"MESSAGE sip:a@b SIP/2.0\r\n" VIA REST "\r\n", ERR_UNSUPPORTED},
        {"SIP/2.0 200 OK\r\n" REST "\r\n", ERR_MALFORMED},
        {"SIP/2.0 200 OK\r\n" VIA VIA REST "\r\n", ERR_MALFORMED}, /* somebody else's (§8.1.3.3) */
        {"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP ppg\r\n" REST "\r\n", ERR_MALFORMED},
        {"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP ppg;branch\r\n" REST "\r\n", ERR_MALFORMED},
        {"SIP/2.0 200 OK\r\nVia: nonsense\r\n" REST "\r\n", ERR_MALFORMED},
        {"SIP/2.0 200 OK\r\n" VIA "\r\n", ERR_MALFORMED},
        {"SIP/2.0 200 OK\r\n" VIA "From: <sip:a@b>\r\nTo: <sip:c@d>\r\nCSeq: 1 MESSAGE\r\n\r\n",
         ERR_MALFORMED},
        {"SIP/2.0 200 OK\r\n" VIA "From: <sip:a@b>\r\nTo: <sip:c@d>\r\nCall-ID: x\r\n\r\n", ERR_MALFORMED},
        {"SIP/2.0 200 OK\r\n" VIA
         "From: <sip:a@b>\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 2147483648 MESSAGE\r\n\r\n",
         ERR_MALFORMED},
        {"SIP/2.0 200 OK\r\n" VIA "From: <sip:a@b>\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1\r\n\r\n",
         ERR_MALFORMED},
        {"SIP/2.0 200 OK\r\n" VIA REST REST "\r\n", ERR_MALFORMED},
    };
    struct ota_sip_reply r = {.status = 7};

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(read_reply(rows[i].in, &r), rows[i].want);
        CU_ASSERT_EQUAL(r.status, 7);
    }
}

static void challenges(void)
{
    static const struct {
        const char *in;
        enum err want;
        const char *text;
    } rows[] = {
        {"SIP/2.0 401 x\r\n" VIA REST "\r\n", ERR_ABSENT, ""},
        {"SIP/2.0 401 x\r\n" VIA REST
         "WWW-Authenticate: Digest realm=\"a, b\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256\r\n"
         "WWW-Authenticate: Digest realm=\"a, b\", nonce=\"m\"\r\n\r\n",
         ERR_OK,
         "Digest realm=\"a, b\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"\nDigest realm=\"a, b\", "
         "nonce=\"m\"\n"},
        {"SIP/2.0 407 x\r\n" VIA REST "WWW-Authenticate: Digest realm=\"w\", nonce=\"n\"\r\n"
         "Proxy-Authenticate: Digest realm=\"p\", nonce=\"n\", stale=true\r\n\r\n",
         ERR_OK, "Digest realm=\"p\", nonce=\"n\", stale=true\n"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_reply r;
        struct buf got;

        test_row(i);
        buf_init(&got, 4096);
        CU_ASSERT_EQUAL_FATAL(read_reply(rows[i].in, &r), ERR_OK);
        CU_ASSERT_EQUAL(ota_sip_reply_challenges(&r, &got), rows[i].want);
        TEST_SLICE_EQ(buf_slice(&got), slice_str(rows[i].text));
        ota_sip_reply_clear(&r);
        buf_clear(&got);
    }
}

static void where_it_moved(void)
{
    struct ota_sip_reply r;
    struct buf got;

    buf_init(&got, 4096);
    CU_ASSERT_EQUAL_FATAL(read_reply("SIP/2.0 302 x\r\n" VIA REST
                                     "Contact: \"A\" <sip:a@b:5070;transport=tcp>;q=0.7, <sip:c@d>\r\n\r\n",
                                     &r),
                          ERR_OK);
    CU_ASSERT_EQUAL(ota_sip_reply_contact(&r, &got), ERR_OK);
    TEST_SLICE_EQ(buf_slice(&got), SLICE("sip:a@b:5070;transport=tcp"));
    ota_sip_reply_clear(&r);
    CU_ASSERT_EQUAL_FATAL(read_reply("SIP/2.0 302 x\r\n" VIA REST "\r\n", &r), ERR_OK);
    CU_ASSERT_EQUAL(ota_sip_reply_contact(&r, &got), ERR_ABSENT);
    ota_sip_reply_clear(&r);
    buf_clear(&got);
}

/* A registrar's word on how long, which is another contact's when that is another's. */
static void how_long_a_contact_is_bound(void)
{
    static const struct {
        const char *headers;
        int64_t bound_s, min_s;
    } rows[] = {
        {"Contact: <sip:a@b>;expires=60\r\n", 60, -1},
        {"Contact: <SIP:a@B;x=y>;q=1;Expires=60\r\nExpires: 70\r\n", 60, -1},
        {"Contact: <sip:c@d>;expires=60, <sip:a@b>;expires=80\r\n", 80, -1},
        {"Contact: <sip:a@b>\r\nExpires: 70\r\n", 70, -1},
        {"Contact: <sip:c@d>;expires=60\r\nExpires: 70\r\n", 70, -1},
        {"Contact: <sip:c@d>;expires=60\r\n", -1, -1},
        {"Contact: <sip:a@b>;expires=soon\r\n", -1, -1},
        {"Contact: <sip:a@b>;expires=99999999999\r\n", -1, -1},
        {"", -1, -1},
        {"Min-Expires: 7200\r\n", -1, 7200},
        {"Min-Expires: -1\r\n", -1, -1},
        {"Min-Expires: 1 2\r\n", -1, -1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_reply r;
        char text[1024];

        test_row(i);
        (void)snprintf(text, sizeof text, "SIP/2.0 200 OK\r\n" VIA REST "%s\r\n", rows[i].headers);
        CU_ASSERT_EQUAL_FATAL(read_reply(text, &r), ERR_OK);
        CU_ASSERT_EQUAL(ota_sip_reply_bound_s(&r, SLICE("sip:a@b")), rows[i].bound_s);
        CU_ASSERT_EQUAL(ota_sip_reply_min_expires_s(&r), rows[i].min_s);
        ota_sip_reply_clear(&r);
    }
}

const struct test_case test_cases[] = {
    {"what_it_says", what_it_says},     {"how_long_a_contact_is_bound", how_long_a_contact_is_bound},
    {"what_is_none", what_is_none},     {"challenges", challenges},
    {"where_it_moved", where_it_moved}, {NULL, NULL}};
