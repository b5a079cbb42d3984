/* Requests that we serve, and the responses to them. */
#include "ota/sip/request.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "ota/sip/reply.h"

#include "tests/unit/harness.h"

#define START "MESSAGE sip:x@y SIP/2.0\r\n"
#define VIA   "Via: SIP/2.0/UDP 192.0.2.1:9;branch=z9hG4bK1;rport\r\n"
#define REST  "From: <sip:a@b>;tag=1\r\nTo: \"X, y\" <sip:x@y>\r\nCall-ID: 7@b\r\nCSeq: 12 MESSAGE\r\n"

static enum err read_request(const char *in, const struct sockaddr *from, struct ota_sip_request *out)
{
    struct ota_sip_unit unit;
    struct buf text;
    enum err e;

    ota_sip_parser_start();
    buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
    CU_ASSERT_EQUAL_FATAL(ota_sip_datagram_read(slice_str(in), &text, &unit), ERR_OK);
    e = ota_sip_request_read(&unit, from, out);
    buf_clear(&text);
    return e;
}

static void good_requests(void)
{
    struct ota_sip_request r;
    struct buf type;

    CU_ASSERT_EQUAL_FATAL(
        read_request(START VIA REST
                     "Accept-Contact: *;+a=\"b\"\r\nContent-Type: text/plain;charset=utf-8\r\n\r\nhi",
                     NULL, &r),
        ERR_OK);
    TEST_SLICE_EQ(r.method, SLICE("MESSAGE"));
    TEST_SLICE_EQ(r.branch, SLICE("z9hG4bK1"));
    TEST_SLICE_EQ(r.sent_by, SLICE("192.0.2.1"));
    CU_ASSERT(r.cseq == 12 && !r.to_tag);
    TEST_SLICE_EQ(ota_sip_request_header(&r, "accept-contact"), SLICE("*;+a=\"b\""));
    TEST_SLICE_EQ(ota_sip_request_header(&r, "expires"), SLICE_NONE);
    buf_init(&type, 100);
    CU_ASSERT_EQUAL(ota_sip_request_type(&r, &type), ERR_OK);
    TEST_SLICE_EQ(buf_slice(&type), SLICE("text/plain; charset=utf-8"));
    buf_clear(&type);
    ota_sip_request_clear(&r);
    CU_ASSERT_EQUAL_FATAL(read_request("ACK sip:x@y SIP/2.0\r\n" VIA
                                       "f: sip:a@b;tag=1\r\nt: sip:x@y;tag=2\r\ni: 7\r\nCSeq: 0 ACK\r\n\r\n",
                                       NULL, &r),
                          ERR_OK);
    CU_ASSERT(r.to_tag && r.cseq == 0);
    buf_init(&type, 100);
    CU_ASSERT(ota_sip_request_type(&r, &type) == ERR_OK && type.n == 0);
    ota_sip_request_clear(&r);
}

/* Of old, or of no use: then Call-ID is what tells one request from another (§17.2.3). */
static void branches(void)
{
    static const struct {
        const char *via, *want;
    } rows[] = {
        {"", "7"},
        {";branch", "7"},
        {";branch=1", "7"},
        {";branch=z9hG4bK", "7"},
        {";branch=z9hG4bK1", "z9hG4bK1"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_request r;
        char in[256];

        test_row(i);
        (void)snprintf(in, sizeof in, START "Via: SIP/2.0/UDP 192.0.2.1%s\r\n" REST "\r\n", rows[i].via);
        CU_ASSERT_EQUAL_FATAL(read_request(in, NULL, &r), ERR_OK);
        TEST_SLICE_EQ(r.branch, slice_str(rows[i].want));
        CU_ASSERT(!r.escaped_nul);
        ota_sip_request_clear(&r);
    }
}

static void bad_requests(void)
{
    static const struct {
        const char *in;
        enum err want;
    } rows[] = {
        {"SIP/2.0 200 OK\r\n" VIA REST "\r\n", ERR_UNSUPPORTED},
        {START REST "\r\n", ERR_MALFORMED},
        {START "Via: x\r\n" REST "\r\n", ERR_MALFORMED},
        {START VIA "From: <sip:a@b>\r\nTo: <sip:x@y>\r\nCall-ID: 7\r\n\r\n", ERR_MALFORMED},
        {START VIA "From: <sip:a@b>\r\nTo: <sip:x@y>\r\nCSeq: 1 MESSAGE\r\n\r\n", ERR_MALFORMED},
        {START VIA "From: <sip:a@b>\r\nCall-ID: 7\r\nCSeq: 1 MESSAGE\r\n\r\n", ERR_MALFORMED},
        {START VIA "To: <sip:a@b>\r\nCall-ID: 7\r\nCSeq: 1 MESSAGE\r\n\r\n", ERR_MALFORMED},
        {START VIA "From: <sip:a@b>\r\nTo: <sip:x@y>\r\nCall-ID: 7\r\nCSeq: 1 OPTIONS\r\n\r\n",
         ERR_MALFORMED},
        {START VIA "From: <sip:a@b>\r\nTo: <sip:x@y>\r\nCall-ID: 7\r\nCSeq: -1 MESSAGE\r\n\r\n",
         ERR_MALFORMED},
        {START VIA "From: <sip:a@b>\r\nTo: <sip:x@y>\r\nCall-ID: 7\r\nCSeq: 2147483648 MESSAGE\r\n\r\n",
         ERR_MALFORMED},
        {START VIA REST REST "\r\n", ERR_MALFORMED},
    };
    struct ota_sip_request r = {.cseq = 77};

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(read_request(rows[i].in, NULL, &r), rows[i].want);
        CU_ASSERT_EQUAL(r.cseq, 77);
    }
}

static void responses(void)
{
    static const struct {
        const char *head, *from;
        uint16_t port;
        unsigned status;
        const char *tag, *more, *want;
    } rows[] = {
        {START VIA "Via: SIP/2.0/TCP p;branch=q\r\n" REST "\r\n", "127.0.0.1", 5070, 200, "t1", "",
         "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:9;branch=z9hG4bK1;rport=5070;received=127.0.0.1\r\n"
         "Via: SIP/2.0/TCP p;branch=q\r\nFrom: <sip:a@b>;tag=1\r\nTo: \"X, y\" <sip:x@y>;tag=t1\r\nCall-ID: "
         "7@b\r\n"
         "CSeq: 12 MESSAGE\r\nContent-Length: 0\r\n\r\n"},
        {START "v: SIP/2.0/TCP 127.0.0.1;branch=b\r\nf: <sip:a@b>\r\nt: <sip:x@y>;tag=own\r\ni: 7\r\nCSeq: 1 "
               "MESSAGE\r\n\r\n",
         "127.0.0.1", 1, 405, "t1", "Allow: OPTIONS\r\n",
         "SIP/2.0 405 Method Not Allowed\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=b\r\nFrom: <sip:a@b>\r\nTo: "
         "<sip:x@y>;tag=own\r\n"
         "Call-ID: 7\r\nCSeq: 1 MESSAGE\r\nAllow: OPTIONS\r\nContent-Length: 0\r\n\r\n"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(rows[i].port)};
        struct ota_sip_request r;
        struct buf got;

        test_row(i);
        CU_ASSERT_EQUAL(inet_pton(AF_INET, rows[i].from, &from.sin_addr), 1);
        CU_ASSERT_EQUAL_FATAL(read_request(rows[i].head, (struct sockaddr *)&from, &r), ERR_OK);
        buf_init(&got, 4096);
        CU_ASSERT_EQUAL(
            ota_sip_response_print(&r, rows[i].status, slice_str(rows[i].tag), slice_str(rows[i].more), &got),
            ERR_OK);
        TEST_SLICE_EQ(buf_slice(&got), slice_str(rows[i].want));
        buf_clear(&got);
        ota_sip_request_clear(&r);
    }
}

static void a_response_with_a_body(void)
{
    struct ota_sip_request r;
    struct buf out;

    CU_ASSERT_EQUAL_FATAL(read_request(START VIA REST "\r\n", NULL, &r), ERR_OK);
    buf_init(&out, 4096);
    CU_ASSERT_EQUAL(ota_sip_response_print(&r, 200, SLICE("t"), SLICE("Contact: <sip:x@z>\r\n"), &out),
                    ERR_OK);
    CU_ASSERT_EQUAL(ota_sip_response_body(&out, SLICE("application/sdp"), SLICE("v=0\r\n")), ERR_OK);
    CU_ASSERT(slice_ends(buf_slice(&out), SLICE("\r\nContact: <sip:x@z>\r\nContent-Type: application/sdp\r\n"
                                                "Content-Length: 5\r\n\r\nv=0\r\n")));
    CU_ASSERT_EQUAL(slice_find_slice(buf_slice(&out), SLICE("Content-Length: 0")), SIZE_MAX);
    buf_clear(&out);
    ota_sip_request_clear(&r);
}

const struct test_case test_cases[] = {{"a_response_with_a_body", a_response_with_a_body},
                                       {"good_requests", good_requests},
                                       {"branches", branches},
                                       {"bad_requests", bad_requests},
                                       {"responses", responses},
                                       {NULL, NULL}};
