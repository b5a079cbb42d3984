/* SIP URIs: what is read out of them, what is refused. */
#include "ota/sip/uri.h"

#include <string.h>

#include "tests/unit/harness.h"

static void good_uris(void)
{
    static const struct {
        const char *in, *host, *record;
        bool secure, loose;
        enum ota_sip_transport transport;
        uint16_t port, meant;
    } rows[] = {
        {"sip:a@b.example", "b.example", "sip:a@b.example", false, false, OTA_SIP_BY_ANY, 0, 5060},
        {"SIP:a@b:5070", "b", "sip:a@b", false, false, OTA_SIP_BY_ANY, 5070, 5070},
        {"sips:a@b", "b", "sips:a@b", true, false, OTA_SIP_BY_ANY, 0, 5061},
        {"sips:a@b;transport=tcp", "b", "sips:a@b", true, false, OTA_SIP_BY_TCP, 0, 5061},
        {"sip:a@192.0.2.1:5070;transport=TCP", "192.0.2.1", "sip:a@192.0.2.1", false, false, OTA_SIP_BY_TCP,
         5070, 5070},
        {"sip:a@b;transport=udp", "b", "sip:a@b", false, false, OTA_SIP_BY_UDP, 0, 5060},
        {"sip:a@b;transport=tls", "b", "sip:a@b", false, false, OTA_SIP_BY_TLS, 0, 5061},
        {"sip:proxy.example;lr", "proxy.example", "sip:proxy.example", false, true, OTA_SIP_BY_ANY, 0, 5060},
        {"sip:a@[2001:db8::1]:5070", "2001:db8::1", "sip:a@[2001:db8::1]", false, false, OTA_SIP_BY_ANY, 5070,
         5070},
        {"sip:%61%40x%3c@b", "b", "sip:a%40x%3C@b", false, false, OTA_SIP_BY_ANY, 0, 5060},
        {"sip:a;b=c/d@b", "b", "sip:a;b=c/d@b", false, false, OTA_SIP_BY_ANY, 0, 5060},
        {"sip:+1555@b;user=phone;x=y", "b", "sip:+1555@b", false, false, OTA_SIP_BY_ANY, 0, 5060},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_uri u = {.port = 7};

        test_row(i);
        CU_ASSERT_EQUAL(ota_sip_uri_parse(slice_str(rows[i].in), &u), ERR_OK);
        CU_ASSERT_STRING_EQUAL(u.host, rows[i].host);
        CU_ASSERT_STRING_EQUAL(u.record, rows[i].record);
        CU_ASSERT(u.secure == rows[i].secure && u.loose == rows[i].loose && u.transport == rows[i].transport);
        CU_ASSERT_EQUAL(u.port, rows[i].port);
        CU_ASSERT_EQUAL(ota_sip_uri_port(&u), rows[i].meant);
        CU_ASSERT_EQUAL(u.has_user, strchr(rows[i].in, '@') != NULL);
    }
}

static void bad_uris(void)
{
    static const struct {
        const char *in;
        enum err want;
    } rows[] = {
        {"", ERR_MALFORMED},
        {"sip", ERR_MALFORMED},
        {"sip:", ERR_MALFORMED},
        {"sip:a@", ERR_MALFORMED},
        {"alice@b", ERR_MALFORMED},
        {"sip:a@b c", ERR_MALFORMED},
        {"sip:a@b\r\nX: y", ERR_MALFORMED},
        {"<sip:a@b>", ERR_MALFORMED},
        {"sip:a@b\"", ERR_MALFORMED},
        {"sip:a@b:0", ERR_MALFORMED},
        {"sip:a@b:65536", ERR_MALFORMED},
        {"sip:a@b:x", ERR_MALFORMED},
        {"sip:a@b_c", ERR_MALFORMED},
        {"sip:a@b/c", ERR_MALFORMED},
        {"sip:a@[2001:db8::1", ERR_MALFORMED},
        {"sip:a:secret@b", ERR_UNSUPPORTED},
        {"sip:a%00b@c", ERR_UNSUPPORTED},
        {"sip:a@b?Subject=x", ERR_UNSUPPORTED},
        {"sip:a@b;transport=sctp", ERR_UNSUPPORTED},
        {"sips:a@b;transport=udp", ERR_UNSUPPORTED},
        {"tel:+1555", ERR_UNSUPPORTED},
        {"http://a/", ERR_UNSUPPORTED},
    };
    struct ota_sip_uri u = {.port = 7};
    char large[400];

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(ota_sip_uri_parse(slice_str(rows[i].in), &u), rows[i].want);
        CU_ASSERT_EQUAL(u.port, 7);
    }
    memset(large, 'a', sizeof large);
    CU_ASSERT_EQUAL(ota_sip_uri_parse(slice_of(large, 256), &u), ERR_LIMIT);
}

/* RFC 3261 §19.1.4, its own examples among them. */
static void equal_and_other_uris(void)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"sip:a@b", "sip:a@b", true},
        {"sip:alice@AtLanTa.CoM;Transport=TCP", "SIP:alice@atlanta.com;transport=tcp", true},
        {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
        {"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true},
        {"sip:b@c;transport=tcp;x=y", "sip:b@c;x=y;transport=tcp", true},
        {"sip:b@c;ob", "sip:b@c;OB", true},
        {"sip:h", "sip:H", true},
        {"sip:ALICE@h", "sip:alice@h", false},
        {"sip:bob@h", "sip:bob@h:5060", false},
        {"sip:bob@h", "sip:bob@h;transport=udp", false},
        {"sip:bob@h;transport=udp", "sip:bob@h", false},
        {"sip:bob@h", "sip:bob@h;user=phone", false},
        {"sip:bob@h;maddr=1.2.3.4", "sip:bob@h", false},
        {"sip:bob@h:6000;transport=udp", "sip:bob@h:6000;transport=tcp", false},
        {"sip:carol@h;security=on", "sip:carol@h;security=off", false},
        {"sip:carol@h;security", "sip:carol@h;security=off", false},
        {"sip:a@h", "sips:a@h", false},
        {"sip:a@h", "sip:h", false},
        {"sip:a@h", "sip:a@h2", false},
        {"sip:a;x=1@h", "sip:a;x=2@h", false},
        {"", "sip:a@h", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(ota_sip_uri_same(slice_str(rows[i].a), slice_str(rows[i].b)), rows[i].same);
        CU_ASSERT_EQUAL(ota_sip_uri_same(slice_str(rows[i].b), slice_str(rows[i].a)), rows[i].same);
    }
}

const struct test_case test_cases[] = {{"good_uris", good_uris},
                                       {"bad_uris", bad_uris},
                                       {"equal_and_other_uris", equal_and_other_uris},
                                       {NULL, NULL}};
