/* Pushes that are signed and encrypted as XML, at the terminal: what is taken, what is not, and that each counts once.
 * DM message security 5.4, 5.5; requirement DM-06. */
#include "ota/terminal/kit.h"

#include "ota/headers.h"
#include "ota/terminal/kit_state.h"
#include "tests/unit/harness.h"

#define NOW 1800000000
#define HEAD                                                                                                 \
    "X-Push-Message-ID: m1\r\nContent-Type: application/xml\r\nX-Wap-Push-Info: authenticated, trusted\r\n"
#define MADE  OTA_XML_MADE_HEADER ": 1800000000\r\n"
#define INNER HEAD MADE "\r\n<a/>"

struct bench {
    struct kit *kit;
    struct sec_xml_keys keys;
    struct kit_push push;
    const char *reason;
    unsigned status;
};

static void keys_make(struct sec_xml_keys *k)
{
    static const char digits[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                                 "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";

    CU_ASSERT_FATAL(sec_xml_keys_set_hex(k, slice_str(digits)) == ERR_OK);
}

static void start(struct bench *b, enum kit_protection floor)
{
    struct kit_conf conf = {.max_size = 10000, .max_outstanding = 1, .seen_max = 4, .floor = floor};

    *b = (struct bench){.status = 0};
    CU_ASSERT_FATAL(sec_xml_start() == ERR_OK);
    keys_make(&b->keys);
    conf.xml_name = SLICE("ppg");
    conf.xml_keys = &b->keys;
    CU_ASSERT_FATAL(kit_create(&conf, &b->kit) == ERR_OK);
}

static void stop(struct bench *b)
{
    kit_free(&b->kit);
    CU_ASSERT(b->kit == NULL);
    sec_xml_stop();
}

static enum kit_event handle(struct bench *b, const char *type, struct slice body, int64_t now_s)
{
    const struct kit_message m = {
        .content_type = slice_str(type), .body = body, .server = SLICE("gw"), .now_s = now_s};

    return kit_handle_message(b->kit, &m, &b->status, &b->push, &b->reason);
}

/* Made as the gateway makes it; encrypt: else a signature alone. */
static enum kit_event sent(struct bench *b, bool encrypt, struct slice inner, int64_t now_s)
{
    const struct sec_xml_key sign = {SLICE("ppg"), sec_secret_slice(&b->keys.sign)};
    struct buf body;
    enum kit_event ev;

    buf_init(&body, SEC_XML_MAX_N);
    CU_ASSERT((encrypt ? sec_xml_encrypt(inner, sign.name, &b->keys, &body)
                       : sec_xml_sign(SEC_XML_ENVELOPING, inner, &sign, &body)) == ERR_OK);
    ev = handle(b, encrypt ? OTA_TYPE_XML_ENCRYPTED : OTA_TYPE_XML_SIGNED, buf_slice(&body), now_s);
    buf_clear(&body);
    return ev;
}

static void test_taken(void)
{
    struct bench b;

    for (unsigned i = 0; i < 2; i++) {
        test_row(i);
        start(&b, i ? KIT_FULL : KIT_INTEGRITY);
        CU_ASSERT_EQUAL(sent(&b, i, SLICE(INNER), NOW), KIT_PUSH);
        CU_ASSERT_EQUAL(b.status, 200);
        TEST_SLICE_EQ(b.push.body, SLICE("<a/>"));
        TEST_SLICE_EQ(b.push.content_type, SLICE("application/xml"));
        CU_ASSERT(b.push.trusted && b.push.authenticated && b.push.xml);
        CU_ASSERT(b.push.proofs == KIT_PROOF_XML);
        CU_ASSERT(b.push.message_protection == (i ? KIT_FULL : KIT_INTEGRITY));
        CU_ASSERT_EQUAL(sent(&b, i, SLICE(INNER), NOW), KIT_DUPLICATE);
        stop(&b);
    }
}

/* A signature hides nothing: too little where all must be hidden. */
static void test_floor(void)
{
    struct bench b;

    start(&b, KIT_FULL);
    CU_ASSERT_EQUAL(sent(&b, false, SLICE(INNER), NOW), KIT_DROPPED);
    CU_ASSERT_STRING_EQUAL(b.reason, "protection-below-floor");
    stop(&b);
}

/* No number shows that it is new: it must be of now, and have an id. */
static void test_new(void)
{
    static const struct {
        struct slice inner;
        int64_t now_s;
        const char *reason;
    } rows[] = {
        {SLICE(INNER), NOW + 300, "none"},
        {SLICE(INNER), NOW - 300, "none"},
        {SLICE(INNER), NOW + 301, "expired"},
        {SLICE(INNER), NOW - 301, "expired"},
        {SLICE(HEAD "\r\n<a/>"), NOW, "expired"},
        {SLICE(HEAD OTA_XML_MADE_HEADER ": soon\r\n\r\n<a/>"), NOW, "expired"},
        {SLICE(HEAD OTA_XML_MADE_HEADER ": 1800000000 \t1\r\n\r\n<a/>"), NOW, "expired"},
        {SLICE("Content-Type: application/xml\r\n" MADE "\r\n<a/>"), NOW, "inner-malformed"},
        {SLICE("X-Push-Message-ID: m1\r\n" MADE "\r\n<a/>"), NOW, "inner-malformed"},
        {SLICE("no message"), NOW, "inner-malformed"},
    };
    struct bench b;

    for (size_t i = 0; i < COUNT(rows); i++)
        for (unsigned encrypt = 0; encrypt < 2; encrypt++) {
            test_row(i);
            start(&b, KIT_NONE);
            CU_ASSERT_EQUAL(sent(&b, encrypt, rows[i].inner, rows[i].now_s), i < 2 ? KIT_PUSH : KIT_DROPPED);
            CU_ASSERT_STRING_EQUAL(b.reason, rows[i].reason);
            stop(&b);
        }
}

static void test_dropped(void)
{
    struct bench b;

    start(&b, KIT_NONE);
    CU_ASSERT_EQUAL(handle(&b, OTA_TYPE_XML_ENCRYPTED, SLICE("<a/>"), NOW), KIT_DROPPED);
    CU_ASSERT_STRING_EQUAL(b.reason, "suite");
    CU_ASSERT_EQUAL(handle(&b, OTA_TYPE_XML_SIGNED "; charset=utf-8", SLICE("not XML"), NOW), KIT_DROPPED);
    CU_ASSERT_STRING_EQUAL(b.reason, "malformed");
    b.keys.sign.octets[0] ^= 1;
    CU_ASSERT_EQUAL(sent(&b, true, SLICE(INNER), NOW), KIT_DROPPED);
    CU_ASSERT_STRING_EQUAL(b.reason, "mac");
    CU_ASSERT_EQUAL(b.status, 603);
    b.keys.sign.octets[0] ^= 1;
    b.keys.encrypt.octets[0] ^= 1;
    CU_ASSERT_EQUAL(sent(&b, true, SLICE(INNER), NOW), KIT_DROPPED);
    CU_ASSERT_STRING_EQUAL(b.reason, "mac"); /* the same word: nobody learns which */
    stop(&b);
}

/* Without keys such a message is nothing but one that cannot be opened. */
static void test_without_keys(void)
{
    struct kit_conf conf = {.max_size = 10000, .max_outstanding = 1, .seen_max = 4};
    struct bench b = {.status = 0};

    CU_ASSERT_FATAL(kit_create(&conf, &b.kit) == ERR_OK);
    CU_ASSERT_EQUAL(handle(&b, OTA_TYPE_XML_ENCRYPTED, SLICE("<a/>"), NOW), KIT_DROPPED);
    CU_ASSERT_STRING_EQUAL(b.reason, "no-sa");
    CU_ASSERT_EQUAL(handle(&b, "application/xml", SLICE("<a/>"), NOW), KIT_PUSH);
    kit_free(&b.kit);
    conf.xml_name = SLICE("ppg");
    CU_ASSERT(kit_create(&conf, &b.kit) == ERR_LIMIT);
    conf.xml_keys = &b.keys;
    CU_ASSERT(kit_create(&conf, &b.kit) == ERR_LIMIT);
}

const struct test_case test_cases[] = {
    {"taken", test_taken},
    {"floor", test_floor},
    {"new", test_new},
    {"dropped", test_dropped},
    {"without_keys", test_without_keys},
    {NULL, NULL},
};
