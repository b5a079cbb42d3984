/* The terminal kit and SIP messages: the same judgement as for requests, in the words of SIP. */
#include "ota/terminal/kit.h"

#include "ota/headers.h"
#include "security/sa.h"
#include "tests/unit/harness.h"

#define KEY      SLICE("0123456789abcdef0123456789abcdef")
#define ENVELOPE "application/vnd.oma.push"

static const uint8_t said[16] = "association-0001";
static const uint8_t suites[] = {SEC_GPL_HMAC};

struct bench {
    struct kit *kit;
    struct kit_message m;
    struct kit_push push;
    unsigned status;
    const char *reason;
};

static void bench_open(struct bench *b, struct kit_conf conf)
{
    *b = (struct bench){.m = {.server = SLICE("gw"), .now_s = 1800000000}};
    conf.max_size = conf.max_size ? conf.max_size : 100;
    conf.seen_max = 10;
    conf.max_outstanding = 1;
    CU_ASSERT_FATAL(kit_create(&conf, &b->kit) == ERR_OK);
    CU_ASSERT(kit_add_association(b->kit, said, KEY, suites, 1, 0) == ERR_OK);
}

static enum kit_event handle(struct bench *b, const char *type, struct slice body)
{
    b->m.content_type = slice_str(type);
    b->m.body = body;
    return kit_handle_message(b->kit, &b->m, &b->status, &b->push, &b->reason);
}

static void envelope_and_content(void)
{
    struct bench b;

    bench_open(&b, (struct kit_conf){.floor = KIT_NONE});
    CU_ASSERT_EQUAL(handle(&b, ENVELOPE,
                           SLICE("Content-Type: a/b\r\nX-Push-Message-ID: m\r\nX-Wap-Application-Id: "
                                 "x-wap-application:mms.ua\r\n"
                                 "Push-Flag: 3\r\n\r\nhi")),
                    KIT_PUSH);
    CU_ASSERT_EQUAL(b.status, 200);
    TEST_SLICE_EQ(b.push.body, SLICE("hi"));
    TEST_SLICE_EQ(b.push.content_type, SLICE("a/b"));
    TEST_SLICE_EQ(b.push.app_id, SLICE("x-wap-application:mms.ua"));
    CU_ASSERT(!b.push.trusted && !b.push.authenticated && b.push.proofs == 0); /* whoever wrote the flags */
    CU_ASSERT_EQUAL(handle(&b, ENVELOPE ";x=y", SLICE("Content-Type: a/b\r\nX-Push-Message-ID: m\r\n\r\nhi")),
                    KIT_DUPLICATE);
    CU_ASSERT_EQUAL(b.status, 200);
    b.m.app_id = SLICE("urn:example:app");
    CU_ASSERT_EQUAL(handle(&b, "text/plain", SLICE("alone")), KIT_PUSH);
    TEST_SLICE_EQ(b.push.body, SLICE("alone"));
    TEST_SLICE_EQ(b.push.content_type, SLICE("text/plain"));
    TEST_SLICE_EQ(b.push.app_id, SLICE("urn:example:app"));
    kit_free(&b.kit);
}

static void what_is_refused(void)
{
    static char large[200];
    static const struct {
        const char *type;
        struct slice body;
        enum kit_event ev;
        unsigned status;
    } rows[] = {
        {ENVELOPE, SLICE(""), KIT_REFUSED, 400},
        {ENVELOPE, SLICE("no line\r\n\r\nhi"), KIT_REFUSED, 400},
        {ENVELOPE, SLICE("Content-Type: a/b\r\nContent-Length: 3\r\n\r\nhi"), KIT_REFUSED, 400},
        {ENVELOPE, SLICE("\r\nhi"), KIT_REFUSED, 415},
        {"", SLICE("hi"), KIT_REFUSED, 415},
        {"text/html", SLICE("hi"), KIT_DROPPED, 415},
        {ENVELOPE, SLICE("Content-Type: text/html\r\n\r\nhi"), KIT_DROPPED, 415},
        {ENVELOPE, SLICE("Content-Type: a/b\r\nX-Wap-Application-Id: urn:other\r\n\r\nhi"), KIT_DROPPED, 603},
        {"a/b", {large, sizeof large}, KIT_REFUSED, 413},
        {OTA_TYPE_GPL_A1, SLICE("not sealed"), KIT_DROPPED, 603},
    };
    struct bench b;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        bench_open(
            &b, (struct kit_conf){.accept = SLICE("a/b"), .accept_app = SLICE("x-wap-application:wml.ua")});
        CU_ASSERT_EQUAL(handle(&b, rows[i].type, rows[i].body), rows[i].ev);
        CU_ASSERT_EQUAL(b.status, rows[i].status);
        kit_free(&b.kit);
    }
}

static void what_the_way_proves(void)
{
    static const struct {
        bool tls;
        unsigned proofs;
        enum kit_event ev;
    } rows[] = {{false, 0, KIT_DROPPED}, {true, 0, KIT_DROPPED}, {true, KIT_PROOF_CERTIFICATE, KIT_PUSH}};
    static const struct slice listed[] = {SLICE("gw")};
    struct bench b;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        bench_open(&b, (struct kit_conf){.floor = KIT_FULL, .servers = listed, .servers_n = 1});
        b.m.tls = rows[i].tls;
        b.m.proofs = rows[i].proofs;
        CU_ASSERT_EQUAL(handle(&b, "a/b", SLICE("hi")), rows[i].ev);
        CU_ASSERT_EQUAL(b.status, rows[i].ev == KIT_PUSH ? 200 : 603);
        b.m.server = SLICE("stranger");
        CU_ASSERT_EQUAL(handle(&b, "a/b", SLICE("hi")), KIT_DROPPED);
        CU_ASSERT_STRING_EQUAL(b.reason, "server");
        kit_free(&b.kit);
    }
}

const struct test_case test_cases[] = {{"envelope_and_content", envelope_and_content},
                                       {"what_is_refused", what_is_refused},
                                       {"what_the_way_proves", what_the_way_proves},
                                       {NULL, NULL}};
