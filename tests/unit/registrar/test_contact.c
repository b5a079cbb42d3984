/* Contacts of a REGISTER: what is believed of them, and over what a device is reached then. */
#include "ota/registrar/contact.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "ota/sip/reply.h"
#include "tests/unit/harness.h"

#define APP_TAG  SLICE("g.oma.pusheventapp")
#define INSTANCE "+sip.instance=\"<urn:uuid:0f8f>\""

/* Where the request came from: 192.0.2.7:5060 or [2001:db8::7]:5060. */
static struct ota_sip_origin origin(enum ota_sip_via via, bool v6, struct list *bound)
{
    struct ota_sip_origin o = {.flow = {.via = via, .loop = 3, .socket = 1}, .bound = bound};

    if (via != OTA_SIP_UDP)
        o.flow.id = 77;
    if (v6) {
        o.flow.peer.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(5060)};
        CU_ASSERT(inet_pton(AF_INET6, "2001:db8::7", &o.flow.peer.v6.sin6_addr) == 1);
    } else {
        o.flow.peer.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(5060)};
        CU_ASSERT(inet_pton(AF_INET, "192.0.2.7", &o.flow.peer.v4.sin_addr) == 1);
    }
    return o;
}

/* vias: lines of Via; lines: the rest of the header. */
static enum err read_lines(struct ota_sip_wish *w, struct ota_sip_request *r,
                           const struct ota_sip_origin *from, const char *vias, const char *lines)
{
    struct ota_sip_unit unit;
    struct buf text;
    char request[4096];

    ota_sip_parser_start();
    (void)snprintf(request, sizeof request,
                   "REGISTER sip:a SIP/2.0\r\n%sFrom: <sip:x@a>;tag=a\r\nTo: <sip:x@a>\r\nCall-ID: c\r\n"
                   "CSeq: 1 REGISTER\r\n%s\r\n",
                   vias, lines);
    buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
    CU_ASSERT_FATAL(ota_sip_datagram_read(slice_str(request), &text, &unit) == ERR_OK);
    CU_ASSERT_FATAL(ota_sip_request_read(&unit, NULL, r) == ERR_OK);
    buf_clear(&text);
    ota_sip_wish_init(w);
    return ota_sip_wish_read(w, r, from, APP_TAG, 3600);
}

/* What was read borrows from the request. */
static void forget(struct ota_sip_wish *w, struct ota_sip_request *r)
{
    ota_sip_wish_clear(w);
    ota_sip_request_clear(r);
}

#define HERE  "Via: SIP/2.0/X 192.0.2.7:5060;branch=z9hG4bK1\r\n"
#define HERE6 "Via: SIP/2.0/X [2001:db8::7]:5060;branch=z9hG4bK1\r\n"
#define NAT   "Via: SIP/2.0/X 10.0.0.9:5060;branch=z9hG4bK1\r\n"
#define NAME  "Via: SIP/2.0/X phone.invalid;branch=z9hG4bK1\r\n"
#define PROXY "Via: SIP/2.0/X 192.0.2.7:5060;branch=z9hG4bK2\r\n" NAT

enum way { CONTACT, EITHER, FLOW }; /* its contact; the flow while it is there; nothing but the flow */

/* RFC 5626 §3, RFC 3581: a contact counts where it names the address that the request came from. */
static void how_it_is_reached(void)
{
    static const struct {
        const char *vias, *contact;
        enum ota_sip_via via;
        bool v6;
        enum way want;
    } rows[] = {
        {HERE, "<sip:x@192.0.2.7>", OTA_SIP_UDP, false, EITHER},
        {HERE, "<sip:x@192.0.2.7:5060>", OTA_SIP_UDP, false, EITHER},
        {HERE, "<sip:x@192.0.2.7:5070>", OTA_SIP_UDP, false,
         CONTACT}, /* listens elsewhere on the same host */
        {HERE, "<sip:x@192.0.2.7;transport=tcp>", OTA_SIP_UDP, false, CONTACT},
        {HERE, "<sip:x@192.0.2.8>", OTA_SIP_UDP, false, FLOW}, /* somebody else's address */
        {HERE, "<sip:x@victim.example>", OTA_SIP_UDP, false, FLOW},
        {HERE, "<sip:x@[2001:db8::7]>", OTA_SIP_UDP, false, FLOW},
        {HERE, "<sip:x@192.0.2.7;ob>", OTA_SIP_UDP, false, FLOW},
        {HERE6, "<sip:x@[2001:DB8:0::7]>", OTA_SIP_UDP, true, EITHER},
        {HERE6, "<sip:x@[2001:db8::8]>", OTA_SIP_UDP, true, FLOW},
        {NAT, "<sip:x@10.0.0.9>", OTA_SIP_UDP, false, FLOW},
        {NAT, "<sip:x@192.0.2.7>", OTA_SIP_UDP, false, FLOW},
        {NAME, "<sip:x@192.0.2.7>", OTA_SIP_UDP, false, FLOW},
        {PROXY, "<sip:x@192.0.2.7>", OTA_SIP_UDP, false, FLOW}, /* it is the proxy's address */
        {"Via: SIP/2.0/X 192.0.2.7:9;branch=z9hG4bK1\r\n", "<sip:x@192.0.2.7>", OTA_SIP_UDP, false, FLOW},
        {"Via: SIP/2.0/X 192.0.2.7:9;branch=z9hG4bK1\r\n", "<sip:x@192.0.2.7>", OTA_SIP_TCP, false, EITHER},
        {NAT, "<sip:x@10.0.0.9;transport=tcp>", OTA_SIP_TCP, false, FLOW},
        {HERE, "<sips:x@192.0.2.7>", OTA_SIP_TLS, false, EITHER},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_wish w;
        struct ota_sip_request r;
        struct list bound;
        struct ota_sip_origin from =
            origin(rows[i].via, rows[i].v6, rows[i].via == OTA_SIP_UDP ? NULL : &bound);
        char lines[256];

        test_row(i);
        list_init(&bound);
        (void)snprintf(lines, sizeof lines, "Contact: %s\r\n", rows[i].contact);
        CU_ASSERT_EQUAL_FATAL(read_lines(&w, &r, &from, rows[i].vias, lines), ERR_OK);
        CU_ASSERT_EQUAL(ota_sip_flow_any(&w.bindings[0].flow), rows[i].want != CONTACT);
        CU_ASSERT_EQUAL(w.bindings[0].flow_only, rows[i].want == FLOW);
        CU_ASSERT(w.bindings[0].bound == (rows[i].want == CONTACT ? NULL : from.bound));
        forget(&w, &r);
    }
}

/* RFC 3840 §5: of the Contact, else of Allow; RFC 3261 §20.1: what it accepts. */
static void what_it_takes(void)
{
    static const struct {
        const char *param, *lines;
        bool said, message, invite;
        const char *accept;
    } rows[] = {
        {"", "", false, false, false, ""},
        {";methods=\"MESSAGE,INVITE\"", "", true, true, true, ""},
        {";methods=\"invite, ACK\"", "Allow: MESSAGE\r\n", true, false, true, ""},
        {"", "Allow: MESSAGE, OPTIONS\r\nAllow: INVITE\r\n", true, true, true, ""},
        {"", "Allow: ACK\r\n", true, false, false, ""},
        {";methods=\"\"", "Accept: text/plain;q=0.5, message/external-body\r\n", false, false, false,
         "text/plain, message/external-body"},
        {";methods", "Accept: */*\r\nAccept: application/sdp\r\n", false, false, false,
         "*/*, application/sdp"},
        {"", "Accept: \r\n", false, false, false, ""},
    };
    const struct ota_sip_origin from = origin(OTA_SIP_UDP, false, NULL);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_request r;
        struct ota_sip_wish w;
        char lines[512];

        test_row(i);
        (void)snprintf(lines, sizeof lines, "Contact: <sip:x@192.0.2.7>%s\r\n%s", rows[i].param,
                       rows[i].lines);
        CU_ASSERT_EQUAL_FATAL(read_lines(&w, &r, &from, HERE, lines), ERR_OK);
        CU_ASSERT(w.bindings[0].methods.said == rows[i].said &&
                  w.bindings[0].methods.message == rows[i].message &&
                  w.bindings[0].methods.invite == rows[i].invite);
        TEST_SLICE_EQ(w.bindings[0].accept, slice_str(rows[i].accept));
        forget(&w, &r);
    }
}

/* RFC 3327 §5.3: of a trusted proxy alone; then it is the way, and no flow is. */
static void the_path(void)
{
    static const struct {
        const char *lines;
        bool trusted;
        enum err want;
        const char *path;
    } rows[] = {
        {"", true, ERR_OK, ""},
        {"Path: <sip:p1.example;lr>\r\n", false, ERR_OK, ""},
        {"Path: <sip:p1.example;lr>\r\n", true, ERR_OK, "<sip:p1.example;lr>"},
        {"Path: <sip:p1.example;lr>, <sip:p2.example;lr>\r\n", true, ERR_OK,
         "<sip:p1.example;lr>, <sip:p2.example;lr>"},
        {"Path: <sip:p1.example;lr>\r\nPath: <sip:p2.example;lr>\r\n", true, ERR_OK,
         "<sip:p1.example;lr>, <sip:p2.example;lr>"},
        {"Path: sip:p1.example;lr\r\n", true, ERR_MALFORMED, ""},
        {"Path: <http://p1.example>\r\n", true, ERR_MALFORMED, ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_origin from = origin(OTA_SIP_UDP, false, NULL);
        struct ota_sip_wish w;
        struct ota_sip_request r;
        char lines[512];

        test_row(i);
        from.trusted = rows[i].trusted;
        (void)snprintf(lines, sizeof lines, "%sContact: <sip:x@10.0.0.9>\r\n", rows[i].lines);
        CU_ASSERT_EQUAL(read_lines(&w, &r, &from, PROXY, lines), rows[i].want);
        if (!rows[i].want) {
            TEST_SLICE_EQ(w.bindings[0].path, slice_str(rows[i].path));
            CU_ASSERT_EQUAL(ota_sip_flow_any(&w.bindings[0].flow), rows[i].path[0] == '\0');
        }
        forget(&w, &r);
    }
}

/* RFC 5626 §6, RFC 5627 §5: what is asked for with option tags. */
static void flows_and_names(void)
{
    static const struct {
        const char *vias, *lines;
        enum err want;
        const char *instance;
        unsigned reg_id;
        bool gruu;
    } rows[] = {
        {HERE, "Supported: outbound, gruu\r\nContact: <sip:x@192.0.2.7>;reg-id=7;" INSTANCE "\r\n", ERR_OK,
         "<urn:uuid:0f8f>", 7, true},
        {HERE, "Supported: outbound\r\nContact: <sip:x@192.0.2.7>;reg-id=7;" INSTANCE "\r\n", ERR_OK,
         "<urn:uuid:0f8f>", 7, false},
        {HERE, "Contact: <sip:x@192.0.2.7>;reg-id=7;" INSTANCE "\r\n", ERR_OK, "<urn:uuid:0f8f>", 0, false},
        {HERE, "Supported: outbound, gruu\r\nContact: <sip:x@192.0.2.7>;reg-id=7\r\n", ERR_OK, "", 0, false},
        {HERE, "Supported: outbound\r\nContact: <sip:x@192.0.2.7>;reg-id=0;" INSTANCE "\r\n", ERR_OK,
         "<urn:uuid:0f8f>", 0, false},
        {HERE, "Supported: gruu\r\nContact: <sip:x@192.0.2.7>;+sip.instance=\"urn:uuid:0f8f\"\r\n", ERR_OK,
         "", 0, false},
        {HERE, "Supported: gruu\r\nContact: <sip:x@192.0.2.7>;+sip.instance=\"<a;b>\"\r\n", ERR_OK, "", 0,
         false},
        {PROXY, "Supported: outbound\r\nContact: <sip:x@192.0.2.7>;reg-id=7;" INSTANCE "\r\n",
         ERR_UNSUPPORTED, "", 0, false}, /* 439: the first proxy keeps no flows */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_origin from = origin(OTA_SIP_UDP, false, NULL);
        struct ota_sip_wish w;
        struct ota_sip_request r;

        test_row(i);
        CU_ASSERT_EQUAL(read_lines(&w, &r, &from, rows[i].vias, rows[i].lines), rows[i].want);
        if (!rows[i].want) {
            TEST_SLICE_EQ(w.bindings[0].instance, slice_str(rows[i].instance));
            CU_ASSERT_EQUAL(w.bindings[0].reg_id, rows[i].reg_id);
            CU_ASSERT_EQUAL(w.bindings[0].gruu, rows[i].gruu);
            CU_ASSERT_EQUAL(w.outbound, rows[i].reg_id != 0);
        }
        forget(&w, &r);
    }
}

static void what_is_refused(void)
{
    static const char *const rows[] = {"Contact: *\r\n",
                                       "Contact: *\r\nExpires: 5\r\n",
                                       "Contact: <tel:+1>\r\n",
                                       "Contact: <sip:x@192.0.2.7?a=b>\r\n",
                                       "Contact: <sip:x:y@192.0.2.7>\r\n",
                                       "Contact: <sip:x@192.0.2.7>, *\r\nExpires: 0\r\n"};
    struct ota_sip_origin from = origin(OTA_SIP_UDP, false, NULL);
    struct ota_sip_wish w;
    struct ota_sip_request r;
    char many[2048] = "";

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(read_lines(&w, &r, &from, HERE, rows[i]), ERR_MALFORMED);
        forget(&w, &r);
    }
    for (size_t i = 0, n = 0; i <= OTA_SIP_BINDINGS_MAX; i++)
        n += (size_t)snprintf(many + n, sizeof many - n, "Contact: <sip:x%zu@192.0.2.7>\r\n", i);
    CU_ASSERT_EQUAL(read_lines(&w, &r, &from, HERE, many), ERR_LIMIT);
    forget(&w, &r);
}

/* The parameter before the header before what is usual; what is no number is as if it were not there, and takes nobody away (RFC 3261
 * §10.2.1.1, §10.3). */
static void how_long_it_is_there(void)
{
    static const struct {
        const char *lines;
        int64_t want_s;
    } rows[] = {
        {"Contact: <sip:x@192.0.2.7>\r\n", 3600},
        {"Contact: <sip:x@192.0.2.7>\r\nExpires: 60\r\n", 60},
        {"Contact: <sip:x@192.0.2.7>;expires=0\r\nExpires: 60\r\n", 0},
        {"Contact: <sip:x@192.0.2.7>;expires=7\r\n", 7},
        {"Contact: <sip:x@192.0.2.7>;expires=0x10\r\n", 3600},
        {"Contact: <sip:x@192.0.2.7>;expires=0.5\r\n", 3600},
        {"Contact: <sip:x@192.0.2.7>;expires=-1\r\n", 3600},
        {"Contact: <sip:x@192.0.2.7>;expires=99999999999\r\n", 3600},
        {"Contact: <sip:x@192.0.2.7>\r\nExpires: Thu, 01 Dec 1994 16:00:00 GMT\r\n", 3600},
        {"Contact: <sip:x@192.0.2.7>\r\nExpires: 0 seconds\r\n", 3600},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_origin from = origin(OTA_SIP_UDP, false, NULL);
        struct ota_sip_wish w;
        struct ota_sip_request r;

        test_row(i);
        CU_ASSERT_EQUAL_FATAL(read_lines(&w, &r, &from, HERE, rows[i].lines), ERR_OK);
        CU_ASSERT_EQUAL(w.bindings[0].expires_s, rows[i].want_s);
        forget(&w, &r);
    }
}

const struct test_case test_cases[] = {{"how_it_is_reached", how_it_is_reached},
                                       {"what_it_takes", what_it_takes},
                                       {"the_path", the_path},
                                       {"flows_and_names", flows_and_names},
                                       {"what_is_refused", what_is_refused},
                                       {"how_long_it_is_there", how_long_it_is_there},
                                       {NULL, NULL}};
