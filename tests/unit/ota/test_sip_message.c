/* MESSAGE requests, octet for octet against texts written by hand. */
#include "ota/sip/message.h"

#include "tests/unit/harness.h"

/* The exchange of the guide: every header there is. */
static struct ota_sip_message whole(void)
{
    return (struct ota_sip_message){.uri = SLICE("sip:alice@example.com"),
                                    .via = OTA_SIP_UDP,
                                    .sent_by = SLICE("ppg.example.com:5060"),
                                    .branch = SLICE("z9hG4bKa71c09d3e2f4"),
                                    .route = SLICE("sip:proxy.example.com;lr"),
                                    .from = SLICE("sip:push@ppg.example.com"),
                                    .from_tag = SLICE("9d21c0"),
                                    .to = SLICE("sip:alice@example.com"),
                                    .call_id = SLICE("5f0c2e7ab9d14c@ppg.example.com"),
                                    .cseq = 1,
                                    .trusted = true,
                                    .service = SLICE("urn:urn-7:3gpp-service.push"),
                                    .login = SLICE("Authorization: Digest x\r\n"),
                                    .app_tag = SLICE(OTA_SIP_APP_TAG),
                                    .priority = SLICE("normal"),
                                    .now_s = 1794650400,
                                    .expires_s = 3600,
                                    .user_agent = SLICE("ppg/0.1"),
                                    .content_type = SLICE(OTA_SIP_ENVELOPE_TYPE),
                                    .body_head = SLICE("X: y\r\n\r\n"),
                                    .body = SLICE("0123456789")};
}

static void check(const struct ota_sip_message *m, const char *want)
{
    struct buf got;

    buf_init(&got, OTA_SIP_MESSAGE_MAX_N);
    CU_ASSERT_EQUAL(ota_sip_message_print(m, &got), ERR_OK);
    TEST_SLICE_EQ(buf_slice(&got), slice_str(want));
    buf_clear(&got);
}

static void every_header(void)
{
    struct ota_sip_message m = whole();

    check(&m, "MESSAGE sip:alice@example.com SIP/2.0\r\n"
              "Via: SIP/2.0/UDP ppg.example.com:5060;branch=z9hG4bKa71c09d3e2f4;rport\r\n"
              "Max-Forwards: 70\r\n"
              "Route: <sip:proxy.example.com;lr>\r\n"
              "From: <sip:push@ppg.example.com>;tag=9d21c0\r\n"
              "To: <sip:alice@example.com>\r\n"
              "Call-ID: 5f0c2e7ab9d14c@ppg.example.com\r\n"
              "CSeq: 1 MESSAGE\r\n"
              "P-Asserted-Identity: <sip:push@ppg.example.com>\r\n"
              "P-Asserted-Service: urn:urn-7:3gpp-service.push\r\n"
              "Authorization: Digest x\r\n"
              "Accept-Contact: *;+g.oma.pusheventapp=\"wml.ua\";require;explicit\r\n"
              "Request-Disposition: no-fork\r\n"
              "Priority: normal\r\n"
              "Date: Sat, 14 Nov 2026 10:00:00 GMT\r\n"
              "Expires: 3600\r\n"
              "User-Agent: ppg/0.1\r\n"
              "Content-Type: application/vnd.oma.push\r\n"
              "Content-Length: 18\r\n"
              "\r\n"
              "X: y\r\n\r\n");
}

static void the_fewest_headers(void)
{
    struct ota_sip_message m = {.uri = SLICE("sips:bob@192.0.2.7:5071;transport=tcp"),
                                .via = OTA_SIP_TLS,
                                .sent_by = SLICE("192.0.2.1"),
                                .branch = SLICE("z9hG4bK1"),
                                .from = SLICE("sip:push@ppg"),
                                .from_tag = SLICE("t"),
                                .to = SLICE("sips:bob@192.0.2.7"),
                                .call_id = SLICE("c"),
                                .cseq = 2,
                                .app_tag = SLICE("x.app"),
                                .app_id = SLICE("urn:example:app"),
                                .fork = true,
                                .content_type = SLICE("text/plain")};

    check(&m, "MESSAGE sips:bob@192.0.2.7:5071;transport=tcp SIP/2.0\r\n"
              "Via: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1;rport\r\n"
              "Max-Forwards: 70\r\n"
              "From: <sip:push@ppg>;tag=t\r\n"
              "To: <sips:bob@192.0.2.7>\r\n"
              "Call-ID: c\r\n"
              "CSeq: 2 MESSAGE\r\n"
              "Accept-Contact: *;+x.app=\"<urn:example:app>\";require;explicit\r\n"
              "Content-Type: text/plain\r\n"
              "Content-Length: 0\r\n"
              "\r\n");
}

static bool has(const struct ota_sip_message *m, const char *what)
{
    struct buf got;
    bool found;

    buf_init(&got, OTA_SIP_MESSAGE_MAX_N);
    CU_ASSERT_EQUAL(ota_sip_message_print(m, &got), ERR_OK);
    found = slice_find_slice(buf_slice(&got), slice_str(what)) != SIZE_MAX;
    buf_clear(&got);
    return found;
}

/* Nobody we do not trust is told who we are said to be (RFC 3325 §5, RFC 6050 §4). */
static void identity_stays_in_the_trust_domain(void)
{
    struct ota_sip_message m = whole();

    m.trusted = false;
    CU_ASSERT_FALSE(has(&m, "P-Asserted"));
    CU_ASSERT_TRUE(has(&m, "P-Preferred-Service: urn:urn-7:3gpp-service.push\r\n"));
    m.service = SLICE_NONE;
    CU_ASSERT_FALSE(has(&m, "P-"));
    m.trusted = true;
    CU_ASSERT_TRUE(has(&m, "P-Asserted-Identity"));
    CU_ASSERT_FALSE(has(&m, "-Service"));
}

static void no_contact_and_no_date_alone(void)
{
    struct ota_sip_message m = whole();

    CU_ASSERT_FALSE(has(&m, "\r\nContact:"));
    m.expires_s = 0;
    CU_ASSERT_FALSE(has(&m, "Expires"));
    CU_ASSERT_FALSE(has(&m, "Date"));
}

/* Nothing that is printed can end a line or an angle bracket. */
static void what_cannot_be_sent(void)
{
    static const struct slice bad[] = {SLICE("a\r\nX: y"), SLICE("a\nb"), SLICE("a\0b"), SLICE("a\x7F")};
    static const struct slice bad_uris[] = {SLICE(""), SLICE("sip:a>b"), SLICE("sip:a b"),
                                            SLICE("sip:\xC3\xBC@b"), SLICE("sip:a\r\n")};

    for (size_t i = 0; i < COUNT(bad); i++)
        for (size_t field = 0; field < 9; field++) {
            struct ota_sip_message m = whole();
            struct slice *const fields[] = {&m.sent_by,  &m.branch,     &m.from_tag,
                                            &m.call_id,  &m.service,    &m.app_tag,
                                            &m.priority, &m.user_agent, &m.content_type};
            struct buf got;

            test_row(i * 10 + field);
            *fields[field] = bad[i];
            buf_init(&got, OTA_SIP_MESSAGE_MAX_N);
            CU_ASSERT_EQUAL(ota_sip_message_print(&m, &got), ERR_MALFORMED);
            buf_clear(&got);
        }
    for (size_t i = 0; i < COUNT(bad_uris); i++)
        for (size_t field = i == 0; field < 4; field++) { /* a route may be empty */
            struct ota_sip_message m = whole();
            struct slice *const fields[] = {&m.route, &m.uri, &m.from, &m.to};
            struct buf got;

            test_row(100 + i * 10 + field);
            *fields[field] = bad_uris[i];
            buf_init(&got, OTA_SIP_MESSAGE_MAX_N);
            CU_ASSERT_EQUAL(ota_sip_message_print(&m, &got), ERR_MALFORMED);
            buf_clear(&got);
        }
}

static void application_values(void)
{
    static const struct {
        const char *in, *want;
        enum err e;
    } rows[] = {
        {"", "wml.ua", ERR_OK},
        {"x-wap-application:mms.ua", "mms.ua", ERR_OK},
        {"X-WAP-APPLICATION:push.sia", "push.sia", ERR_OK},
        {"x-wap-application:", "<x-wap-application:>", ERR_OK},
        {"x-wap-application:a b", "<x-wap-application:a b>", ERR_OK},
        {"x-wap-application:!a", "<x-wap-application:!a>", ERR_OK},
        {"x-wap-application:a,b", "<x-wap-application:a,b>", ERR_OK},
        {"urn:example:app", "<urn:example:app>", ERR_OK},
        {"http://example.net/app", "<http://example.net/app>", ERR_OK},
        {"urn:a\"b", "", ERR_MALFORMED},
        {"urn:a>b", "", ERR_MALFORMED},
        {"urn:a<b", "", ERR_MALFORMED},
        {"urn:a\\b", "", ERR_MALFORMED},
        {"urn:a\r\nb", "", ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf got;

        test_row(i);
        buf_init(&got, 256);
        CU_ASSERT_EQUAL(ota_sip_app_value(slice_str(rows[i].in), &got), rows[i].e);
        TEST_SLICE_EQ(buf_slice(&got), slice_str(rows[i].want));
        buf_clear(&got);
    }
}

static void applications_asked_for(void)
{
    static const struct {
        const char *in, *want;
        enum err e;
    } rows[] = {
        {"*;+g.oma.pusheventapp=\"mms.ua\";require;explicit", "x-wap-application:mms.ua", ERR_OK},
        {"*;require;+G.OMA.PushEventApp=\"<urn:a>\"", "urn:a", ERR_OK},
        {"*;+g.oma.pusheventapp2=\"x\";+g.oma.pusheventapp=\"y\"", "x-wap-application:y", ERR_OK},
        {"", "", ERR_ABSENT},
        {"*;require", "", ERR_ABSENT},
        {"*;+g.oma.pusheventapp", "", ERR_ABSENT},
        {"*;+g.oma.pusheventapp=mms.ua", "", ERR_ABSENT},
        {"*;+g.oma.pusheventapp=\"mms.ua", "", ERR_ABSENT},
        {"*;+g.oma.pusheventapp=\"\"", "", ERR_ABSENT},
        {"*;g.oma.pusheventapp=\"mms.ua\"", "", ERR_ABSENT},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf got;

        test_row(i);
        buf_init(&got, 256);
        CU_ASSERT_EQUAL(ota_sip_app_read(slice_str(rows[i].in), SLICE(OTA_SIP_APP_TAG), &got), rows[i].e);
        TEST_SLICE_EQ(buf_slice(&got), slice_str(rows[i].want));
        buf_clear(&got);
    }
}

static void envelopes(void)
{
    static const struct {
        const char *head;
        struct ota_push_info info;
        const char *want;
        enum err e;
    } rows[] = {
        {"Date: x\r\nContent-Type: text/vnd.wap.si\r\nContent-Length: 7\r\nX-Wap-Initiator-URI: "
         "http://pi/\r\n",
         {.authenticated = true, .trusted = true},
         "Content-Type: text/vnd.wap.si\r\nDate: x\r\nX-Wap-Initiator-URI: http://pi/\r\nPush-Flag: "
         "3\r\n\r\n",
         ERR_OK},
        {"content-type: a/b\r\n", {.last = true}, "Content-Type: a/b\r\nPush-Flag: 4\r\n\r\n", ERR_OK},
        {"Content-Type: a/b\r\n", {.trusted = false}, "Content-Type: a/b\r\nPush-Flag: 0\r\n\r\n", ERR_OK},
        {"", {.trusted = false}, NULL, ERR_MALFORMED},
        {"X-A: b\r\n", {.trusted = false}, NULL, ERR_MALFORMED},
        {"Content-Type: a/b\r\nno line\r\n", {.trusted = false}, NULL, ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf got;

        test_row(i);
        buf_init(&got, 1024);
        CU_ASSERT_EQUAL(ota_sip_envelope_print(slice_str(rows[i].head), &rows[i].info, &got), rows[i].e);
        if (rows[i].want)
            TEST_SLICE_EQ(buf_slice(&got), slice_str(rows[i].want));
        buf_clear(&got);
    }
}

const struct test_case test_cases[] = {
    {"every_header", every_header},
    {"the_fewest_headers", the_fewest_headers},
    {"identity_stays_in_the_trust_domain", identity_stays_in_the_trust_domain},
    {"no_contact_and_no_date_alone", no_contact_and_no_date_alone},
    {"what_cannot_be_sent", what_cannot_be_sent},
    {"application_values", application_values},
    {"applications_asked_for", applications_asked_for},
    {"envelopes", envelopes},
    {NULL, NULL}};
