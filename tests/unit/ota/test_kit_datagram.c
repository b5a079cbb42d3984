/* The terminal kit and datagrams: the same judgement as for requests, on what a datagram can prove. */
#include "ota/terminal/kit.h"

#include "ota/headers.h"
#include "ota/wsp.h"
#include "security/sa.h"
#include "tests/unit/harness.h"

#define KEY SLICE("0123456789abcdef0123456789abcdef")
#define HEAD                                                                                                 \
    "Content-Type: text/plain\r\nX-Push-Message-ID: m-1\r\nX-Wap-Push-Info: authenticated, trusted\r\n"

static const uint8_t said[16] = "association-0001";
static const uint8_t suites[] = {SEC_GPL_HMAC};

struct bench {
    struct kit *kit;
    struct buf octets;
    struct kit_datagram d;
    struct kit_push push;
    const char *reason;
};

static void bench_open(struct bench *b, struct kit_conf conf)
{
    *b = (struct bench){.d = {.server = SLICE("gw"), .now_s = 1800000000}};
    conf.max_size = conf.max_size ? conf.max_size : 1000;
    conf.seen_max = 10;
    conf.max_outstanding = 1;
    buf_init(&b->octets, 65536);
    CU_ASSERT_FATAL(kit_create(&conf, &b->kit) == ERR_OK);
    CU_ASSERT(kit_add_association(b->kit, said, KEY, suites, 1, 0) == ERR_OK);
}

static void bench_close(struct bench *b)
{
    buf_clear(&b->octets);
    kit_free(&b->kit);
}

static enum kit_event handle(struct bench *b, const char *head, struct slice body)
{
    buf_reset(&b->octets, b->octets.max);
    CU_ASSERT_EQUAL(ota_wsp_push_print(1, slice_str(head), body, &b->octets), ERR_OK);
    b->d.octets = buf_slice(&b->octets);
    return kit_handle_datagram(b->kit, &b->d, &b->push, &b->reason);
}

static void what_the_way_proves(void)
{
    static const struct {
        bool dtls;
        unsigned proofs;
        bool believed;
    } rows[] = {{false, 0, false},
                {true, 0, false}, /* encrypted, with somebody */
                {true, KIT_PROOF_PSK, true},
                {true, KIT_PROOF_CERTIFICATE, true}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench b;

        test_row(i);
        bench_open(&b, (struct kit_conf){.floor = KIT_NONE});
        b.d.dtls = rows[i].dtls;
        b.d.proofs = rows[i].proofs;
        CU_ASSERT_EQUAL(handle(&b, HEAD, SLICE("hi")), KIT_PUSH);
        CU_ASSERT(b.push.authenticated == rows[i].believed && b.push.trusted == rows[i].believed);
        CU_ASSERT(b.push.tls == rows[i].dtls && b.push.proofs == rows[i].proofs);
        TEST_SLICE_EQ(b.push.body, SLICE("hi"));
        TEST_SLICE_EQ(b.push.message_id, SLICE("m-1"));
        TEST_SLICE_EQ(b.push.app_id, SLICE(OTA_APP_DEFAULT));
        CU_ASSERT_EQUAL(handle(&b, HEAD, SLICE("hi")), KIT_DUPLICATE);
        bench_close(&b);
    }
}

static void policy_holds(void)
{
    static const struct slice listed[] = {SLICE("other")};
    static const struct {
        struct kit_conf conf;
        unsigned proofs;
        const char *head;
        enum kit_event want;
        const char *reason;
    } rows[] = {
        {{.floor = KIT_INTEGRITY}, 0, HEAD, KIT_DROPPED, "protection-below-floor"},
        {{.floor = KIT_FULL}, KIT_PROOF_PSK, HEAD, KIT_PUSH, "none"},
        {{.server_proof = true}, 0, HEAD, KIT_DROPPED, "server-unproved"},
        {{.server_proof = true}, KIT_PROOF_CERTIFICATE, HEAD, KIT_PUSH, "none"},
        {{.trusted_only = true}, 0, HEAD, KIT_DROPPED, "untrusted"},
        {{.trusted_only = true}, KIT_PROOF_PSK, HEAD, KIT_PUSH, "none"},
        {{.servers = listed, .servers_n = 1}, KIT_PROOF_PSK, HEAD, KIT_DROPPED, "server"},
        {{.login_user = SLICE("u"), .login_password = SLICE("p")}, 0, HEAD, KIT_DROPPED, "login"},
        {{.accept = SLICE("image/*")}, 0, HEAD, KIT_DROPPED, "content-type"},
        {{.accept_app = SLICE("9")}, 0, HEAD, KIT_DROPPED, "application"},
        {{.max_size = 1}, 0, HEAD, KIT_REFUSED, "size"},
        {{.floor = KIT_NONE}, 0, HEAD "Content-Length: 3\r\n", KIT_REFUSED, "malformed-message"},
        {{.floor = KIT_NONE}, 0, HEAD "X-Push-Message-ID: again\r\n", KIT_REFUSED, "malformed-message"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench b;

        test_row(i);
        bench_open(&b, rows[i].conf);
        b.d.dtls = rows[i].proofs != 0;
        b.d.proofs = rows[i].proofs;
        CU_ASSERT_EQUAL(handle(&b, rows[i].head, SLICE("hi")), rows[i].want);
        CU_ASSERT_STRING_EQUAL(b.reason, rows[i].reason);
        bench_close(&b);
    }
}

/* Only what is inside the seal is believed; a changed octet, or the same once more, is dropped. */
static void sealed(void)
{
    static const uint8_t suite = SEC_GPL_HMAC;
    const struct sec_sa_conf conf = {
        .rand = slice_of(said, 16), .ks = KEY, .suites = slice_of(&suite, 1), .expires_s = INT64_MAX};
    const struct slice inner[] = {SLICE(HEAD "\r\nsecret")};
    struct sec_sa sender;
    struct buf message;
    struct bench b;
    uint32_t sn;

    bench_open(&b, (struct kit_conf){.floor = KIT_INTEGRITY});
    buf_init(&message, 4096);
    CU_ASSERT_FATAL(sec_sa_init(&sender, &conf) == ERR_OK);
    CU_ASSERT(sec_sa_reserved(&sender, 1, 10) == ERR_OK);
    CU_ASSERT(sec_sa_seal(&sender, SEC_GPL_DOWNLINK, b.d.now_s, SLICE_NONE, inner, 1, &message, &sn) ==
              ERR_OK);
    message.p[message.n - 1] = (char)(message.p[message.n - 1] ^ 1);
    CU_ASSERT_EQUAL(handle(&b, "Content-Type: " OTA_TYPE_GPL_A1 "\r\n", buf_slice(&message)), KIT_DROPPED);
    CU_ASSERT_STRING_EQUAL(b.reason, "mac");
    message.p[message.n - 1] = (char)(message.p[message.n - 1] ^ 1);
    CU_ASSERT_EQUAL(handle(&b, "Content-Type: " OTA_TYPE_GPL_A1 "\r\n", buf_slice(&message)), KIT_PUSH);
    CU_ASSERT(b.push.trusted && b.push.proofs == KIT_PROOF_SEAL &&
              b.push.message_protection == KIT_INTEGRITY);
    TEST_SLICE_EQ(b.push.body, SLICE("secret"));
    CU_ASSERT_EQUAL(handle(&b, "Content-Type: " OTA_TYPE_GPL_A1 "\r\n", buf_slice(&message)), KIT_DROPPED);
    CU_ASSERT_STRING_EQUAL(b.reason, "replay");
    sec_sa_clear(&sender);
    buf_clear(&message);
    bench_close(&b);
}

static void no_push_at_all(void)
{
    static const struct slice rows[] = {SLICE(""), SLICE("\1\7\1\x83x"), SLICE("\1\6\x05\x83"),
                                        SLICE("GET / HTTP/1.1\r\n\r\n"), SLICE("\1\6\1\xFEx")};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench b;

        test_row(i);
        bench_open(&b, (struct kit_conf){.floor = KIT_NONE});
        b.d.octets = rows[i];
        CU_ASSERT_EQUAL(kit_handle_datagram(b.kit, &b.d, &b.push, &b.reason), KIT_REFUSED);
        CU_ASSERT_STRING_EQUAL(b.reason, "malformed-message");
        bench_close(&b);
    }
}

const struct test_case test_cases[] = {
    {"what_the_way_proves", what_the_way_proves},
    {"policy_holds", policy_holds},
    {"sealed", sealed},
    {"no_push_at_all", no_push_at_all},
    {NULL, NULL},
};
