/* Dialogs out of 2xx responses, their requests as text, whose requests belong to them; CANCEL. */
#include "ota/agent/dialog.h"

#include <stdio.h>

#include "tests/unit/harness.h"

#define TOP    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP ppg;branch=z9hG4bK1\r\n"
#define ROUTES "Record-Route: <sip:p2.example;lr>\r\nRecord-Route: <sip:p1.example:5070;lr;transport=tcp>\r\n"
#define FROM   "From: <sip:push@ppg>;tag=ours\r\n"
#define TO     "To: <sip:alice@example.com>;tag=theirs\r\n"
#define REST   "Call-ID: c1\r\nCSeq: 2 INVITE\r\n"
#define AT     "Contact: \"Alice\" <sip:alice@192.0.2.7:5080;transport=tcp>;expires=9\r\n"
#define END    "Content-Length: 0\r\n\r\n"

static enum err read_dialog(const char *reply, struct ota_sip_dialog *d)
{
    struct ota_sip_unit unit;
    struct ota_sip_reply r;
    struct buf text;
    enum err e;

    ota_sip_parser_start();
    buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
    CU_ASSERT_EQUAL_FATAL(ota_sip_datagram_read(slice_str(reply), &text, &unit), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(ota_sip_reply_read(&unit, &r), ERR_OK);
    e = ota_sip_dialog_read(&r, d);
    ota_sip_reply_clear(&r);
    buf_clear(&text);
    return e;
}

/* The route set is Record-Route backwards (RFC 3261 §12.1.2). */
static void requests_inside(void)
{
    struct ota_sip_dialog d;
    struct buf out;

    buf_init(&out, 4096);
    CU_ASSERT_EQUAL_FATAL(read_dialog(TOP ROUTES FROM TO REST AT END, &d), ERR_OK);
    CU_ASSERT_STRING_EQUAL(d.next, "sip:p1.example:5070;lr;transport=tcp");
    CU_ASSERT_EQUAL(
        ota_sip_dialog_print(&d, "ACK", OTA_SIP_TCP, SLICE("ppg"), SLICE("z9hG4bK9"), SLICE_NONE, &out),
        ERR_OK);
    TEST_SLICE_EQ(
        buf_slice(&out),
        SLICE("ACK sip:alice@192.0.2.7:5080;transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP "
              "ppg;branch=z9hG4bK9;rport\r\n"
              "Max-Forwards: 70\r\nRoute: <sip:p1.example:5070;lr;transport=tcp>\r\nRoute: "
              "<sip:p2.example;lr>\r\n"
              "From: <sip:push@ppg>;tag=ours\r\nTo: <sip:alice@example.com>;tag=theirs\r\nCall-ID: c1\r\n"
              "CSeq: 2 ACK\r\nContent-Length: 0\r\n\r\n"));
    ota_sip_dialog_clear(&d);
    buf_reset(&out, 0);
    CU_ASSERT_EQUAL_FATAL(read_dialog(TOP FROM TO REST AT END, &d), ERR_OK);
    CU_ASSERT_STRING_EQUAL(d.next, "sip:alice@192.0.2.7:5080;transport=tcp");
    CU_ASSERT_EQUAL(ota_sip_dialog_print(&d, "BYE", OTA_SIP_UDP, SLICE("ppg:1"), SLICE("z9hG4bK9"),
                                         SLICE("Reason: SIP ;cause=200\r\n"), &out),
                    ERR_OK);
    CU_ASSERT_NOT_EQUAL(
        slice_find_slice(buf_slice(&out), SLICE("\r\nCSeq: 3 BYE\r\nReason: SIP ;cause=200\r\n")), SIZE_MAX);
    CU_ASSERT_EQUAL(slice_find_slice(buf_slice(&out), SLICE("Route")), SIZE_MAX);
    ota_sip_dialog_clear(&d);
    buf_clear(&out);
}

/* A proxy that routes as RFC 2543 did gets requests for itself, the way on behind them (RFC 3261 §12.2.1.1). */
static void a_strict_router(void)
{
    static const struct {
        const char *routes, *start, *lines;
    } rows[] = {
        {"Record-Route: <sip:p1.example:5070>\r\n", "ACK sip:p1.example:5070 SIP/2.0\r\n",
         "\r\nMax-Forwards: 70\r\nRoute: <sip:alice@192.0.2.7:5080;transport=tcp>\r\nFrom: "},
        {"Record-Route: <sip:p2.example;lr>, <sip:p1.example:5070;transport=tcp>\r\n",
         "ACK sip:p1.example:5070;transport=tcp SIP/2.0\r\n",
         "\r\nRoute: <sip:p2.example;lr>\r\nRoute: <sip:alice@192.0.2.7:5080;transport=tcp>\r\nFrom: "},
        {"Record-Route: <sip:p2.example>, <sip:p1.example;lr>\r\n",
         "ACK sip:alice@192.0.2.7:5080;transport=tcp SIP/2.0\r\n",
         "\r\nRoute: <sip:p1.example;lr>\r\nRoute: <sip:p2.example>\r\nFrom: "},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_dialog d;
        char reply[1024];
        struct buf out;

        test_row(i);
        buf_init(&out, 4096);
        (void)snprintf(reply, sizeof reply, "%s%s%s", TOP, rows[i].routes, FROM TO REST AT END);
        CU_ASSERT_EQUAL_FATAL(read_dialog(reply, &d), ERR_OK);
        CU_ASSERT(strncmp(d.next, "sip:p1.example", 14) == 0);
        CU_ASSERT_EQUAL(
            ota_sip_dialog_print(&d, "ACK", OTA_SIP_TCP, SLICE("ppg"), SLICE("z9hG4bK9"), SLICE_NONE, &out),
            ERR_OK);
        CU_ASSERT(slice_starts(buf_slice(&out), slice_str(rows[i].start)));
        CU_ASSERT_NOT_EQUAL(slice_find_slice(buf_slice(&out), slice_str(rows[i].lines)), SIZE_MAX);
        ota_sip_dialog_clear(&d);
        buf_clear(&out);
    }
}

static void what_founds_none(void)
{
    static const char *const rows[] = {TOP FROM TO REST END,
                                       TOP "From: <sip:push@ppg>\r\n" TO REST AT END,
                                       TOP FROM "To: <sip:alice@example.com>\r\n" REST AT END,
                                       TOP FROM TO REST "Contact: <tel:+15550100>\r\n" END,
                                       TOP FROM TO REST "Contact: *\r\n" END,
                                       TOP FROM TO REST "Contact: <sip:a@b;transport=sctp>\r\n" END};
    struct ota_sip_dialog d = {.cseq = 7};
    struct buf many;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(read_dialog(rows[i], &d), ERR_MALFORMED);
        CU_ASSERT_EQUAL(d.cseq, 7);
    }
    buf_init(&many, 8192);
    buf_add(&many, SLICE(TOP FROM TO REST AT));
    for (size_t i = 0; i <= OTA_SIP_ROUTES_MAX; i++)
        buf_add(&many, SLICE("Record-Route: <sip:p1.example;lr>\r\n"));
    buf_add(&many, SLICE(END "\0"));
    CU_ASSERT_EQUAL(read_dialog(many.p, &d), ERR_LIMIT);
    buf_clear(&many);
}

/* Both tags and the Call-ID (§12.2.2). */
static void whose_request_it_is(void)
{
    static const struct {
        const char *from_tag, *to_tag, *call_id;
        bool owned;
    } rows[] = {{";tag=theirs", ";tag=ours", "c1", true},
                {";tag=ours", ";tag=theirs", "c1", false},
                {";tag=theirs", ";tag=ours", "c2", false},
                {";tag=theirs", ";tag=ours", "c1@host", false},
                {"", ";tag=ours", "c1", false},
                {";tag=theirs", "", "c1", false},
                {";tag=THEIRS", ";tag=ours", "c1", false}};
    struct ota_sip_dialog d;

    CU_ASSERT_EQUAL_FATAL(read_dialog(TOP FROM TO REST AT END, &d), ERR_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_request r;
        struct ota_sip_unit unit;
        struct buf text;
        char request[512];

        test_row(i);
        (void)snprintf(request, sizeof request,
                       "BYE sip:push@ppg SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKx\r\nFrom: "
                       "<sip:alice@example.com>%s\r\n"
                       "To: <sip:push@ppg>%s\r\nCall-ID: %s\r\nCSeq: 1 BYE\r\n\r\n",
                       rows[i].from_tag, rows[i].to_tag, rows[i].call_id);
        buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
        CU_ASSERT_EQUAL_FATAL(ota_sip_datagram_read(slice_str(request), &text, &unit), ERR_OK);
        CU_ASSERT_EQUAL_FATAL(ota_sip_request_read(&unit, NULL, &r), ERR_OK);
        CU_ASSERT_EQUAL(ota_sip_dialog_owns(&d, &r), rows[i].owned);
        ota_sip_request_clear(&r);
        buf_clear(&text);
    }
    ota_sip_dialog_clear(&d);
}

static void a_cancel(void)
{
    struct buf out;

    buf_init(&out, 4096);
    CU_ASSERT_EQUAL(
        ota_sip_cancel_print(
            SLICE(
                "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP ppg;branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\n"
                "Route: <sip:p;lr>\r\n" FROM "To: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 2 INVITE\r\n"
                "Contact: <sip:x@y>\r\nAuthorization: Digest\r\nContent-Type: application/sdp\r\n"
                "Content-Length: 8\r\n\r\nRoute: \r\n"),
            &out),
        ERR_OK);
    TEST_SLICE_EQ(
        buf_slice(&out),
        SLICE("CANCEL sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP ppg;branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\n"
              "Route: <sip:p;lr>\r\n" FROM
              "To: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 2 CANCEL\r\nContent-Length: 0\r\n\r\n"));
    CU_ASSERT_EQUAL(ota_sip_cancel_print(SLICE("MESSAGE sip:a@b SIP/2.0\r\n\r\n"), &out), ERR_MALFORMED);
    buf_clear(&out);
}

const struct test_case test_cases[] = {{"requests_inside", requests_inside},
                                       {"a_strict_router", a_strict_router},
                                       {"what_founds_none", what_founds_none},
                                       {"whose_request_it_is", whose_request_it_is},
                                       {"a_cancel", a_cancel},
                                       {NULL, NULL}};
