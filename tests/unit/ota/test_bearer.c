/* The table of bearers, and what the OTA-HTTP bearer says of a terminal without I/O. */
#include "ota/bearer.h"

#include "tests/unit/harness.h"

static void found_by_name(void)
{
    CU_ASSERT(ota_bearer_find(SLICE("http")) == &ota_bearer_http);
    CU_ASSERT(ota_bearer_find(SLICE("HTTP")) == NULL);
    CU_ASSERT(ota_bearer_find(SLICE("udp")) == &ota_bearer_udp);
    CU_ASSERT(ota_bearer_find(SLICE("sip")) == &ota_bearer_sip);
    CU_ASSERT(ota_bearer_find(SLICE("inbox")) == &ota_bearer_inbox);
    CU_ASSERT(ota_bearer_find(SLICE("sms")) == NULL);
    CU_ASSERT(ota_bearer_find(SLICE_NONE) == NULL);
}

static void found_by_reach(void)
{
    struct ota_terminal t = {.key = SLICE("a")};

    CU_ASSERT(ota_bearer_for(&t) == NULL);
    t.host = SLICE("127.0.0.1");
    CU_ASSERT(ota_bearer_for(&t) == NULL); /* no port */
    t.port = 4035;
    CU_ASSERT(ota_bearer_for(&t) == &ota_bearer_http);
    t.route = OTA_ROUTE_WSP;
    CU_ASSERT(ota_bearer_for(&t) == &ota_bearer_udp);
    t.inbox = true;
    CU_ASSERT(ota_bearer_for(&t) == &ota_bearer_udp); /* what can be pushed is */
    t.port = 0;
    CU_ASSERT(ota_bearer_for(&t) == &ota_bearer_inbox);
    t.inbox = false;
    CU_ASSERT(ota_bearer_for(&t) == NULL);
    t.route = OTA_ROUTE_SIP;
    CU_ASSERT(ota_bearer_for(&t) == NULL);
    t.sip_uri = SLICE("sip:a@b");
    CU_ASSERT(ota_bearer_for(&t) == &ota_bearer_sip);
}

static void caps_of_a_route(void)
{
    static const struct {
        bool tls, protects;
    } rows[] = {{false, false}, {true, true}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_terminal t = {.tls = rows[i].tls};
        struct sec_caps caps;

        test_row(i);
        caps = ota_bearer_http.caps(&t);
        CU_ASSERT(caps.auth_int == rows[i].protects && caps.conf == rows[i].protects &&
                  caps.gpl);              /* whether there is an association is not the bearer's matter */
        caps = ota_bearer_inbox.caps(&t); /* TLS alone, whatever the routes are */
        CU_ASSERT(caps.auth_int && caps.conf && caps.gpl);
        t.route = OTA_ROUTE_WSP;
        caps = ota_bearer_udp.caps(&t);
        CU_ASSERT(caps.auth_int == rows[i].protects && caps.conf == rows[i].protects && caps.gpl);
        t.route = OTA_ROUTE_SIP; /* TLS ends at the next hop */
        caps = ota_bearer_sip.caps(&t);
        CU_ASSERT(!caps.auth_int && !caps.conf && caps.gpl);
    }
}

const struct test_case test_cases[] = {
    {"found_by_name", found_by_name},
    {"found_by_reach", found_by_reach},
    {"caps_of_a_route", caps_of_a_route},
    {NULL, NULL},
};
