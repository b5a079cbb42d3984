/* Documents printed: every kind there and back, escapes, DOCTYPE of the answer, messages that lack something. */
#include "tests/unit/harness.h"

#include <stdlib.h>
#include "base/arena.h"
#include "base/buf.h"
#include "pap/parse.h"
#include "pap/print.h"

#define DOCTYPE_2_0                                                                                          \
    "<?xml version=\"1.0\"?>\n<!DOCTYPE pap PUBLIC \"-//WAPFORUM//DTD PAP 2.0//EN\" "                        \
    "\"http://www.wapforum.org/DTD/pap_2.0.dtd\""

static struct slice addresses[] = {{"WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net", 43}, {"b", 1}};
static const struct pap_addrs one = {addresses, 1}, two = {addresses, 2};
static const struct pap_time noon = {1714564800, true};

static void print_eq(const struct pap_message *m, const char *want)
{
    struct buf b;

    buf_init(&b, 8192);
    CU_ASSERT_EQUAL(pap_print(m, &b), ERR_OK);
    TEST_SLICE_EQ(buf_slice(&b), slice_str(want));
    buf_clear(&b);
}

static void print_fails(const struct pap_message *m)
{
    struct buf b;

    buf_init(&b, 8192);
    CU_ASSERT_EQUAL(pap_print(m, &b), ERR_MALFORMED);
    buf_clear(&b);
}

static void test_submission_answer(void)
{
    struct pap_message m = {.kind = PAP_KIND_PUSH_RESPONSE, .version = PAP_VERSION_2_0};

    m.push_response.push_id = SLICE("20240501-0001@news.example.com");
    m.push_response.sender_address = SLICE("https://ppg.example.net/pap");
    m.push_response.sender_name = SLICE("Example PPG");
    m.push_response.reply_time = (struct pap_time){1714564801, true};
    m.push_response.result.code = PAP_CODE_ACCEPTED;
    m.push_response.result.desc = SLICE("Accepted for processing");
    print_eq(&m, DOCTYPE_2_0 ">\n<pap>\n<push-response push-id=\"20240501-0001@news.example.com\" "
                             "sender-address=\"https://ppg.example.net/pap\" sender-name=\"Example PPG\" "
                             "reply-time=\"2024-05-01T12:00:01Z\">\n<response-result code=\"1001\" "
                             "desc=\"Accepted for processing\"/>\n</push-response>\n</pap>\n");
}

static void test_notification(void)
{
    struct pap_message m = {.kind = PAP_KIND_RESULTNOTIFICATION_MESSAGE};

    m.notification.push_id = SLICE("i");
    m.notification.state = PAP_STATE_DELIVERED;
    m.notification.code = PAP_CODE_OK;
    m.notification.addrs = one;
    m.notification.qos =
        (struct pap_qos){.given = true, .priority = PAP_PRIORITY_HIGH, .delivery = PAP_DELIVERY_CONFIRMED};
    print_eq(
        &m, DOCTYPE_2_0
        ">\n<pap>\n<resultnotification-message push-id=\"i\" message-state=\"delivered\" code=\"1000\">\n"
        "<address address-value=\"WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net\"/>\n"
        "<quality-of-service priority=\"high\" delivery-method=\"confirmed\"/>\n"
        "</resultnotification-message>\n</pap>\n");
}

static void test_badmessage(void)
{
    struct pap_message m = {.kind = PAP_KIND_BADMESSAGE_RESPONSE};

    m.bad.code = PAP_CODE_BAD_REQUEST;
    m.bad.fragment = SLICE("<pap><pusj-message a=\"&'");
    print_eq(&m, DOCTYPE_2_0 ">\n<pap>\n<badmessage-response code=\"2000\" bad-message-fragment=\""
                             "&lt;pap&gt;&lt;pusj-message a=&quot;&amp;'\"/>\n</pap>\n");
    m.bad.code = PAP_CODE_VERSION_NOT_SUPPORTED;
    m.bad.fragment = SLICE_NONE;
    m.version = PAP_VERSION_UNSUPPORTED;
    print_eq(&m, DOCTYPE_2_0 " [<?wap-pap-ver supported-versions=\"2.1,2.0,1.0\"?>]>\n<pap>\n"
                             "<badmessage-response code=\"3002\"/>\n</pap>\n");
    m.bad.code = PAP_CODE_BAD_REQUEST;
    m.version = PAP_VERSION_1_0; /* whose DTD requires the fragment */
    print_eq(&m, "<?xml version=\"1.0\"?>\n<!DOCTYPE pap PUBLIC \"-//WAPFORUM//DTD PAP 1.0//EN\" "
                 "\"http://www.wapforum.org/DTD/pap_1.0.dtd\">\n<pap>\n"
                 "<badmessage-response code=\"2000\" bad-message-fragment=\"\"/>\n</pap>\n");
}

static void test_versions(void)
{
    static const struct {
        enum pap_version request, answer;
    } rows[] = {
        {PAP_VERSION_NONE, PAP_VERSION_2_0},        {PAP_VERSION_1_0, PAP_VERSION_1_0},
        {PAP_VERSION_2_0, PAP_VERSION_2_0},         {PAP_VERSION_2_1, PAP_VERSION_2_1},
        {PAP_VERSION_2_2, PAP_VERSION_2_1},         {PAP_VERSION_2_3, PAP_VERSION_2_1},
        {PAP_VERSION_UNSUPPORTED, PAP_VERSION_2_0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(pap_answer_version(rows[i].request), rows[i].answer);
    }
}

static void test_escapes(void)
{
    static const struct {
        struct slice in;
        const char *out;
    } rows[] = {
        {{"a<b>&\"'", 7}, "a&lt;b&gt;&amp;&quot;'"},
        {{"\t\r\n", 3}, "&#9;&#13;&#10;"},
        {{"a\0b\x01\x7f\x1f", 6}, "ab"}, /* cannot be in XML, or should not */
        {{"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9}, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {{"\xFF"
          "a",
          2},
         "\xEF\xBF\xBD"
         "a"},
        {{"\xC3", 1}, "\xEF\xBF\xBD"},                                                 /* cut */
        {{"\xC0\x80", 2}, "\xEF\xBF\xBD\xEF\xBF\xBD"},                                 /* too long */
        {{"\xE0\x80\x80", 3}, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                 /* too long */
        {{"\xED\xA0\x80", 3}, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                 /* surrogate */
        {{"\xF4\x90\x80\x80", 4}, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, /* too big */
        {{"a\xEF\xBF\xBF"
          "b",
          5},
         "ab"}, /* no character */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pap_message m = {.kind = PAP_KIND_CANCEL_MESSAGE};
        struct buf want;

        test_row(i);
        m.cancel.push_id = rows[i].in;
        buf_init(&want, 1024);
        buf_addf(&want,
                 DOCTYPE_2_0 ">\n<pap>\n<cancel-message push-id=\"%s\">\n</cancel-message>\n</pap>\n%c",
                 rows[i].out, 0);
        print_eq(&m, want.p);
        buf_clear(&want);
    }
}

/* One message of each kind with everything in it. */
static struct pap_message full(enum pap_kind kind, struct pap_result *results, struct pap_note *note)
{
    struct pap_message m = {.kind = kind, .version = PAP_VERSION_2_1, .product_name = SLICE("p\"1")};
    struct pap_qos qos = {true, PAP_PRIORITY_LOW, PAP_DELIVERY_UNCONFIRMED, SLICE("GSM"), SLICE("SMS"), true,
                          true};
    struct pap_result result = {.code = PAP_CODE_OK,
                                .desc = SLICE("d"),
                                .state = PAP_STATE_ABORTED,
                                .event_time = noon,
                                .addrs = two,
                                .qos = qos};

    *note = (struct pap_note){SLICE("s"), SLICE("n"), noon};
    results[0] = results[1] = result;
    if (kind == PAP_KIND_CANCEL_RESPONSE)
        results[0] = results[1] = (struct pap_result){.code = PAP_CODE_OK, .desc = SLICE("d"), .addrs = two};
    switch (kind) {
    case PAP_KIND_PUSH_MESSAGE:
        m.push = (struct pap_push){SLICE("i"), SLICE("o"), PAP_REPLACE_PENDING_ONLY, noon, noon,
                                   SLICE("r"), true,       SLICE("http://x/?a&b"),   two,  qos};
        break;
    case PAP_KIND_PUSH_RESPONSE:
        m.push_response = (struct pap_push_response){
            SLICE("i"), SLICE("a"), SLICE("n"),
            noon,       {note, 1},  {.code = PAP_CODE_ACCEPTED, .desc = SLICE("d")}};
        break;
    case PAP_KIND_CANCEL_MESSAGE:
    case PAP_KIND_STATUSQUERY_MESSAGE:
        m.cancel = (struct pap_query){SLICE("i\t1"), two};
        break;
    case PAP_KIND_CANCEL_RESPONSE:
    case PAP_KIND_STATUSQUERY_RESPONSE:
        m.cancel_response = (struct pap_query_response){SLICE("i"), {results, 2}};
        break;
    case PAP_KIND_RESULTNOTIFICATION_MESSAGE:
        m.notification = (struct pap_notification){
            SLICE("i"), SLICE("a"), SLICE("n"), noon, noon, PAP_STATE_TIMEOUT, PAP_CODE_SERVICE_UNAVAILABLE,
            SLICE("d"), two,        qos};
        break;
    case PAP_KIND_RESULTNOTIFICATION_RESPONSE:
        m.notification_response =
            (struct pap_notification_response){SLICE("i"), PAP_CODE_OK, SLICE("d"), one};
        break;
    case PAP_KIND_CCQ_MESSAGE:
        m.ccq = (struct pap_ccq){SLICE("q"), SLICE("x-wap-application:mms.ua"), one};
        break;
    case PAP_KIND_CCQ_RESPONSE:
        m.ccq_response = (struct pap_ccq_response){SLICE("q"), PAP_CODE_OK, SLICE(""), one};
        break;
    default:
        m.bad = (struct pap_bad){PAP_CODE_BAD_REQUEST, SLICE("d"), SLICE("<\xC3\xA9>")};
        break;
    }
    return m;
}

/* Print, parse strictly, print: the two prints are equal and the fields are the ones we put in. */
static void test_round_trip(void)
{
    struct pap_limits limits = PAP_LIMITS_DEFAULT;
    struct pap_parser *parser;

    limits.strict = true;
    CU_ASSERT_EQUAL_FATAL(pap_parser_create(&parser), ERR_OK);
    for (enum pap_kind kind = PAP_KIND_NONE + 1; kind < PAP_KIND_COUNT; kind++) {
        struct pap_result results[2];
        struct pap_note note;
        struct pap_message m = full(kind, results, &note), again;
        struct pap_fault fault = {0};
        struct arena arena;
        struct buf first, second;

        test_row((size_t)kind);
        arena_init(&arena, 1024, 65536);
        buf_init(&first, 8192);
        buf_init(&second, 8192);
        CU_ASSERT_EQUAL(pap_print(&m, &first), ERR_OK);
        CU_ASSERT_EQUAL_FATAL(pap_parse(parser, buf_slice(&first), &limits, &arena, &again, &fault), ERR_OK);
        CU_ASSERT_EQUAL(again.kind, kind);
        CU_ASSERT_EQUAL(again.version, PAP_VERSION_2_1);
        TEST_SLICE_EQ(again.product_name, SLICE("p\"1"));
        CU_ASSERT_EQUAL(pap_print(&again, &second), ERR_OK);
        TEST_SLICE_EQ(buf_slice(&second), buf_slice(&first));
        buf_clear(&first);
        buf_clear(&second);
        arena_clear(&arena);
    }
    pap_parser_free(&parser);
}

/* Every attribute of the richest message survives, compared field by field. */
static void test_round_trip_push(void)
{
    struct pap_limits limits = PAP_LIMITS_DEFAULT;
    struct pap_parser *parser;
    struct pap_message m = full(PAP_KIND_PUSH_MESSAGE, (struct pap_result[2]){0}, &(struct pap_note){0}), got;
    struct pap_fault fault;
    struct arena arena;
    struct buf b;

    arena_init(&arena, 1024, 65536);
    buf_init(&b, 8192);
    CU_ASSERT_EQUAL_FATAL(pap_parser_create(&parser), ERR_OK);
    CU_ASSERT_EQUAL(pap_print(&m, &b), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(pap_parse(parser, buf_slice(&b), &limits, &arena, &got, &fault), ERR_OK);
    TEST_SLICE_EQ(got.push.push_id, m.push.push_id);
    TEST_SLICE_EQ(got.push.replace_push_id, m.push.replace_push_id);
    CU_ASSERT_EQUAL(got.push.replace_method, PAP_REPLACE_PENDING_ONLY);
    CU_ASSERT_EQUAL(got.push.deliver_before.utc_s, noon.utc_s);
    CU_ASSERT_TRUE(got.push.deliver_after.given);
    TEST_SLICE_EQ(got.push.source_reference, m.push.source_reference);
    TEST_SLICE_EQ(got.push.notify_to, m.push.notify_to);
    CU_ASSERT_TRUE(got.push.progress_notes_requested);
    CU_ASSERT_EQUAL(got.push.addrs.n, 2);
    CU_ASSERT_EQUAL(got.push.qos.priority, PAP_PRIORITY_LOW);
    CU_ASSERT_EQUAL(got.push.qos.delivery, PAP_DELIVERY_UNCONFIRMED);
    TEST_SLICE_EQ(got.push.qos.network, SLICE("GSM"));
    TEST_SLICE_EQ(got.push.qos.bearer, SLICE("SMS"));
    CU_ASSERT_TRUE(got.push.qos.network_required && got.push.qos.bearer_required);
    pap_parser_free(&parser);
    buf_clear(&b);
    arena_clear(&arena);
}

static void test_incomplete(void)
{
    struct pap_message m = {.kind = PAP_KIND_NONE};

    print_fails(&m);
    m.kind = PAP_KIND_COUNT;
    print_fails(&m);
    m = (struct pap_message){.kind = PAP_KIND_PUSH_MESSAGE}; /* no address */
    print_fails(&m);
    m = (struct pap_message){.kind = PAP_KIND_PUSH_RESPONSE}; /* no code */
    print_fails(&m);
    m.push_response.result.code = (enum pap_code)999;
    print_fails(&m);
    m.push_response.result.code = PAP_CODE_ACCEPTED; /* an unknown push-id prints as empty */
    print_eq(&m, DOCTYPE_2_0 ">\n<pap>\n<push-response push-id=\"\">\n<response-result code=\"1001\"/>\n"
                             "</push-response>\n</pap>\n");
    m.push_response.reply_time = (struct pap_time){-1, true};
    print_fails(&m);
    m = (struct pap_message){.kind = PAP_KIND_CANCEL_RESPONSE}; /* no result */
    print_fails(&m);
    m = (struct pap_message){.kind = PAP_KIND_CCQ_MESSAGE}; /* exactly one address */
    print_fails(&m);
    m.ccq.addrs = two;
    print_fails(&m);
    m = (struct pap_message){.kind = PAP_KIND_RESULTNOTIFICATION_MESSAGE};
    m.notification.addrs = one;
    m.notification.code = PAP_CODE_OK; /* no state */
    print_fails(&m);
    m.notification.state = PAP_STATE_COUNT;
    print_fails(&m);
}

static void test_ceiling(void)
{
    struct pap_message m = {.kind = PAP_KIND_CANCEL_MESSAGE};
    struct buf b;

    buf_init(&b, 64);
    CU_ASSERT_EQUAL(pap_print(&m, &b), ERR_LIMIT);
    buf_clear(&b);
}

const struct test_case test_cases[] = {
    {"submission answer", test_submission_answer},
    {"notification", test_notification},
    {"badmessage", test_badmessage},
    {"versions", test_versions},
    {"escapes", test_escapes},
    {"round trip of 11 kinds", test_round_trip},
    {"round trip of a push", test_round_trip_push},
    {"incomplete", test_incomplete},
    {"ceiling", test_ceiling},
    {NULL, NULL},
};
