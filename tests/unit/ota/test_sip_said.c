/* What messages say of what their senders take. */
#include "ota/sip/said.h"

#include "ota/sip/reply.h"
#include "tests/unit/harness.h"

static void methods_of_a_list(void)
{
    static const struct {
        const char *list;
        bool said, message, invite;
    } rows[] = {
        {"", false, false, false},
        {"MESSAGE", true, true, false},
        {"INVITE", true, false, true},
        {"ACK,message , invite", true, true, true},
        {"MESSAGES,INVITED", true, false, false},
        {",", true, false, false},
        {"BYE", true, false, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_methods m = ota_sip_methods_of(slice_str(rows[i].list));

        test_row(i);
        CU_ASSERT(m.said == rows[i].said && m.message == rows[i].message && m.invite == rows[i].invite);
    }
}

static void types_that_are_accepted(void)
{
    static const struct {
        const char *accept, *type;
        bool accepts;
    } rows[] = {
        {"", "text/plain", true},
        {"text/plain", "text/plain", true},
        {"text/plain", "Text/PLAIN; charset=utf-8", true},
        {"text/plain", "text/plain2", false},
        {"text/plain", "text", false},
        {"text/plain", "", false},
        {"text/*", "text/html", true},
        {"text/*", "texts/html", false},
        {"*/*", "a/b", true},
        {"*/b", "a/b", false},
        {"image/gif, message/external-body", "message/external-body; access-type=URL", true},
        {"image/gif, message/rfc822", "message/external-body", false},
        {"nonsense", "nonsense", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(ota_sip_accepts(slice_str(rows[i].accept), slice_str(rows[i].type)), rows[i].accepts);
    }
}

static void a_response_says(void)
{
    static const char in[] =
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP ppg:5060;branch=z9hG4bKa7\r\nFrom: <sip:push@ppg>;tag=9d\r\n"
        "To: <sip:alice@b>;tag=7\r\nCall-ID: 5f@ppg\r\nCSeq: 1 OPTIONS\r\nAllow: MESSAGE, OPTIONS\r\n"
        "Accept: text/plain, application/vnd.oma.push\r\n"
        "Contact: <sip:a@1>;+x.y=\"1\", <sip:a@2>;+g.oma.pusheventapp=\"mms.ua\"\r\n\r\n";
    struct ota_sip_methods m;
    struct ota_sip_unit unit;
    struct ota_sip_reply r;
    struct buf text, accept;

    ota_sip_parser_start();
    buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
    CU_ASSERT_EQUAL_FATAL(ota_sip_datagram_read(slice_str(in), &text, &unit), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(ota_sip_reply_read(&unit, &r), ERR_OK);
    m = ota_sip_said_methods(r.osip);
    CU_ASSERT(m.said && m.message && !m.invite);
    CU_ASSERT(ota_sip_reply_has_feature(&r, SLICE("G.OMA.pusheventapp")));
    CU_ASSERT(!ota_sip_reply_has_feature(&r, SLICE("g.oma")));
    buf_init(&accept, 64);
    CU_ASSERT_EQUAL(ota_sip_said_accept(r.osip, &accept), ERR_OK);
    TEST_SLICE_EQ(buf_slice(&accept), SLICE("text/plain, application/vnd.oma.push"));
    buf_clear(&accept);
    buf_init(&accept, 20);
    CU_ASSERT_EQUAL(ota_sip_said_accept(r.osip, &accept), ERR_LIMIT);
    buf_clear(&accept);
    ota_sip_reply_clear(&r);
    buf_clear(&text);
}

const struct test_case test_cases[] = {{"methods_of_a_list", methods_of_a_list},
                                       {"types_that_are_accepted", types_that_are_accepted},
                                       {"a_response_says", a_response_says},
                                       {NULL, NULL}};
