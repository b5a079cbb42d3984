/* Heads of MSRP messages: every field, and what breaks one; responses as they are written. */
#include "ota/msrp/head.h"

#include "tests/unit/harness.h"

#define PATHS "To-Path: msrp://a:1/x;tcp\r\nFrom-Path: msrp://b:2/y;tcp msrp://c:3/z;tcp\r\n"

static void a_request(void)
{
    struct ota_msrp_head h;

    CU_ASSERT_EQUAL_FATAL(
        ota_msrp_head_read(
            SLICE("MSRP a1f09c3be77d42d8 SEND\r\n" PATHS
                  "message-id: 7Hq2.push.00041\r\nByte-Range: 1-*/20\r\nSuccess-Report: yes\r\n"
                  "Failure-Report: partial\r\nX-Other: 1\r\nContent-Type: text/plain; charset=utf-8\r\n"),
            &h),
        ERR_OK);
    CU_ASSERT(h.kind == OTA_MSRP_SEND && h.has_range && h.from == 1 && h.to == OTA_MSRP_ANY && h.total == 20);
    CU_ASSERT(h.success_report && h.failure_report == OTA_MSRP_FAILURE_PARTIAL);
    TEST_SLICE_EQ(h.tid, SLICE("a1f09c3be77d42d8"));
    TEST_SLICE_EQ(h.message_id, SLICE("7Hq2.push.00041"));
    TEST_SLICE_EQ(h.content_type, SLICE("text/plain; charset=utf-8"));
    TEST_SLICE_EQ(ota_msrp_first(h.from_path), SLICE("msrp://b:2/y;tcp"));
    TEST_SLICE_EQ(ota_msrp_first(h.to_path), SLICE("msrp://a:1/x;tcp"));
}

static void responses_and_reports(void)
{
    struct ota_msrp_head h;

    CU_ASSERT_EQUAL(ota_msrp_head_read(SLICE("MSRP abcd 200\r\n" PATHS), &h), ERR_OK);
    CU_ASSERT(h.kind == OTA_MSRP_RESPONSE && h.status == 200);
    CU_ASSERT_EQUAL(ota_msrp_head_read(SLICE("MSRP abcd 481 Oh no, no\r\n" PATHS), &h), ERR_OK);
    CU_ASSERT_EQUAL(h.status, 481);
    CU_ASSERT_EQUAL(ota_msrp_head_read(SLICE("MSRP abcd REPORT\r\n" PATHS "Status: 000 413 Stop\r\n"), &h),
                    ERR_OK);
    CU_ASSERT(h.kind == OTA_MSRP_REPORT && h.report_status == 413 && !h.has_range);
    CU_ASSERT_EQUAL(ota_msrp_head_read(SLICE("MSRP abcd REPORT\r\n" PATHS "Status: 001 200\r\n"), &h),
                    ERR_OK);
    CU_ASSERT_EQUAL(h.report_status, 0);
    CU_ASSERT_EQUAL(ota_msrp_head_read(SLICE("MSRP abcd AUTH\r\n" PATHS), &h), ERR_OK);
    CU_ASSERT_EQUAL(h.kind, OTA_MSRP_OTHER);
    CU_ASSERT_EQUAL(ota_msrp_head_read(SLICE("MSRP abcd SEND\r\n" PATHS "Byte-Range: 1-0/0\r\n"), &h),
                    ERR_OK);
    CU_ASSERT(h.from == 1 && h.to == 0 && h.total == 0);
}

static void bad(void)
{
    static const char *const rows[] = {
        "",
        "MSRP",
        "MSRP abcd SEND",
        "msrp abcd SEND\r\n" PATHS,
        "MSRP abc SEND\r\n" PATHS,
        "MSRP .bcd SEND\r\n" PATHS,
        "MSRP abcdabcdabcdabcdabcdabcdabcdabcdx SEND\r\n" PATHS,
        "MSRP ab,d SEND\r\n" PATHS,
        "MSRP  abcd SEND\r\n" PATHS,
        "MSRP abcd 20\r\n" PATHS,
        "MSRP abcd 099 x\r\n" PATHS,
        "MSRP abcd 2000\r\n" PATHS,
        "MSRP abcd SEND x\r\n" PATHS,
        "MSRP abcd SEND\r\n",
        "MSRP abcd SEND\r\nTo-Path: msrp://a:1/x;tcp\r\n",
        "MSRP abcd SEND\r\nFrom-Path: msrp://a:1/x;tcp\r\nTo-Path: msrp://a:1/x;tcp\r\n",
        "MSRP abcd SEND\r\nTo-Path: msrp://a:1/x;tcp\r\nMessage-ID: abcd\r\nFrom-Path: msrp://a:1/x;tcp\r\n",
        "MSRP abcd SEND\r\nX: y\r\n" PATHS,
        "MSRP abcd SEND\r\n" PATHS PATHS,
        "MSRP abcd SEND\r\nTo-Path:\r\nFrom-Path: \r\n",
        "MSRP abcd SEND\r\n" PATHS "Byte-Range: 0-1/1\r\n",
        "MSRP abcd SEND\r\n" PATHS "Byte-Range: 1-2\r\n",
        "MSRP abcd SEND\r\n" PATHS "Byte-Range: 5-3/9\r\n",
        "MSRP abcd SEND\r\n" PATHS "Byte-Range: 1-10/9\r\n",
        "MSRP abcd SEND\r\n" PATHS "Byte-Range: *-10/9\r\n",
        "MSRP abcd SEND\r\n" PATHS "Byte-Range: 1-1/1x\r\n",
        "MSRP abcd SEND\r\n" PATHS "Byte-Range: -1-1/1\r\n",
        "MSRP abcd SEND\r\n" PATHS "Message-ID: a b\r\n",
        "MSRP abcd SEND\r\n" PATHS "Message-ID:\r\n",
        "MSRP abcd SEND\r\n" PATHS "Success-Report: maybe\r\n",
        "MSRP abcd SEND\r\n" PATHS "Failure-Report:\r\n",
        "MSRP abcd SEND\r\n" PATHS "Status: 200\r\n",
        "MSRP abcd SEND\r\n" PATHS "Content-Type: nothing\r\n",
        "MSRP abcd SEND\r\n" PATHS "no colon\r\n",
        "MSRP abcd SEND\r\n" PATHS "Message-ID : abcd\r\n",
        "MSRP abcd SEND\r\n" PATHS "X: a\x01\r\n",
        "MSRP abcd SEND\r\n" PATHS "Message-ID: abcd\r\nMessage-ID: abcd\r\n",
        "MSRP abcd SEND\r\n" PATHS "X: y",
        "MSRP abcd SEND\n" PATHS};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_msrp_head h = {.status = 7};

        test_row(i);
        CU_ASSERT_NOT_EQUAL(ota_msrp_head_read(slice_str(rows[i]), &h), ERR_OK);
        CU_ASSERT_EQUAL(h.status, 7);
    }
}

static void limits(void)
{
    struct ota_msrp_head h;
    struct buf text;

    CU_ASSERT_EQUAL(
        ota_msrp_head_read(SLICE("MSRP abcd SEND\r\n" PATHS "Byte-Range: 1-1/99999999999999999999\r\n"), &h),
        ERR_LIMIT);
    buf_init(&text, 2 * OTA_MSRP_HEAD_MAX_N);
    buf_add(&text, SLICE("MSRP abcd SEND\r\n" PATHS));
    while (text.n <= OTA_MSRP_HEAD_MAX_N)
        buf_add(&text, SLICE("X: y\r\n"));
    CU_ASSERT_EQUAL(ota_msrp_head_read(buf_slice(&text), &h), ERR_LIMIT);
    buf_clear(&text);
}

/* To whom it came from last, and from where it went first (§7.2). */
static void a_response_as_it_is_written(void)
{
    struct ota_msrp_head h;
    struct buf out;

    buf_init(&out, 4096);
    CU_ASSERT_EQUAL(ota_msrp_head_read(SLICE("MSRP abcd SEND\r\n" PATHS), &h), ERR_OK);
    ota_msrp_response_print(&h, 413, &out);
    TEST_SLICE_EQ(buf_slice(&out), SLICE("MSRP abcd 413 Stop\r\nTo-Path: msrp://b:2/y;tcp\r\nFrom-Path: "
                                         "msrp://a:1/x;tcp\r\n-------abcd$\r\n"));
    buf_reset(&out, 0);
    ota_msrp_response_print(&h, 499, &out);
    CU_ASSERT(slice_starts(buf_slice(&out), SLICE("MSRP abcd 499 Other\r\n")));
    buf_clear(&out);
}

const struct test_case test_cases[] = {{"a_request", a_request},
                                       {"responses_and_reports", responses_and_reports},
                                       {"bad", bad},
                                       {"limits", limits},
                                       {"a_response_as_it_is_written", a_response_as_it_is_written},
                                       {NULL, NULL}};
