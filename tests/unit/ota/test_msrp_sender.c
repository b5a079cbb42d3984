/* One message on its way out: chunks, transaction ids, answers, reports, what is late. */
#include "ota/msrp/sender.h"

#include <stdio.h>

#include "ota/msrp/frame.h"
#include "tests/unit/harness.h"

#define TO   "msrps://198.51.100.7:9001/Zq83ksPw01;tcp"
#define FROM "msrps://ppg.example.com:2855/kjhd37s2s20w2a;tcp"

/* As the worked example has them; then counting. */
static size_t drawn;
static enum err chance(void *out, size_t n)
{
    static const uint8_t known[2][8] = {{0xa1, 0xf0, 0x9c, 0x3b, 0xe7, 0x7d, 0x42, 0xd8},
                                        {0x5c, 0x0b, 0xe6, 0xd1, 0x9a, 0x3f, 0x77, 0x84}};
    uint8_t *p = out;

    for (size_t i = 0; i < n; i++)
        p[i] = drawn < 2 ? known[drawn][i] : (uint8_t)(drawn + i);
    drawn++;
    return ERR_OK;
}

static struct ota_msrp_sender sender_of(struct slice body, size_t chunk_n, bool success)
{
    const struct ota_msrp_outgoing what = {.to_path = SLICE(TO),
                                           .from_path = SLICE(FROM),
                                           .message_id = SLICE("7Hq2.push.00041"),
                                           .content_type = SLICE("text/plain"),
                                           .body = body,
                                           .chunk_n = chunk_n,
                                           .success = success,
                                           .report_ms = 120000,
                                           .chance = chance};
    struct ota_msrp_sender s;

    drawn = 0;
    ota_msrp_sender_init(&s, &what);
    return s;
}

static bool respond(struct ota_msrp_sender *s, const char *tid, unsigned status)
{
    const struct ota_msrp_head h = {.kind = OTA_MSRP_RESPONSE, .tid = slice_str(tid), .status = status};

    return ota_msrp_sender_heard(s, &h);
}

static bool report(struct ota_msrp_sender *s, uint64_t from, uint64_t to, unsigned status)
{
    const struct ota_msrp_head h = {.kind = OTA_MSRP_REPORT,
                                    .message_id = SLICE("7Hq2.push.00041"),
                                    .has_range = true,
                                    .from = from,
                                    .to = to,
                                    .total = OTA_MSRP_ANY,
                                    .report_status = status};

    return ota_msrp_sender_heard(s, &h);
}

/* All that may leave now; how many chunks. */
static size_t send_all(struct ota_msrp_sender *s, int64_t now_ms, struct buf *out)
{
    size_t n = 0;

    while (!ota_msrp_sender_next(s, now_ms, out))
        n++;
    return n;
}

/* Twenty octets cut after twelve. */
static void the_worked_example(void)
{
    struct ota_msrp_sender s = sender_of(SLICE("0123456789abcdefghij"), 12, true);
    struct buf out;

    buf_init(&out, 4096);
    CU_ASSERT_EQUAL(send_all(&s, 0, &out), 2);
    TEST_SLICE_EQ(buf_slice(&out),
                  SLICE("MSRP a1f09c3be77d42d8 SEND\r\nTo-Path: " TO "\r\nFrom-Path: " FROM
                        "\r\nMessage-ID: 7Hq2.push.00041\r\nByte-Range: 1-12/20\r\nSuccess-Report: yes\r\n"
                        "Failure-Report: yes\r\nContent-Type: "
                        "text/plain\r\n\r\n0123456789ab\r\n-------a1f09c3be77d42d8+\r\n"
                        "MSRP 5c0be6d19a3f7784 SEND\r\nTo-Path: " TO "\r\nFrom-Path: " FROM
                        "\r\nMessage-ID: 7Hq2.push.00041\r\nByte-Range: 13-20/20\r\nSuccess-Report: yes\r\n"
                        "Failure-Report: yes\r\nContent-Type: "
                        "text/plain\r\n\r\ncdefghij\r\n-------5c0be6d19a3f7784$\r\n"));
    CU_ASSERT_TRUE(respond(&s, "a1f09c3be77d42d8", 200));
    CU_ASSERT_FALSE(respond(&s, "a1f09c3be77d42d8", 200));
    CU_ASSERT_TRUE(respond(&s, "5c0be6d19a3f7784", 200));
    CU_ASSERT_EQUAL(s.end, OTA_MSRP_GOING);
    CU_ASSERT_TRUE(report(&s, 1, 20, 200));
    CU_ASSERT_EQUAL(s.end, OTA_MSRP_REPORTED);
    buf_clear(&out);
}

/* 5000 octets: 2048, 2048, 904. */
static void three_chunks(void)
{
    static const size_t sizes[] = {2048, 2048, 904};
    static char body[5000];
    struct ota_msrp_sender s = sender_of(slice_of(body, sizeof body), OTA_MSRP_CHUNK_N, false);
    struct ota_msrp_frame f;
    struct ota_msrp_unit u;
    struct buf out;
    size_t n = 0, from = 1;

    memset(body, 'x', sizeof body);
    buf_init(&out, 16384);
    ota_msrp_frame_init(&f);
    CU_ASSERT_EQUAL(send_all(&s, 0, &out), 3);
    CU_ASSERT_EQUAL(ota_msrp_frame_feed(&f, buf_slice(&out)), ERR_OK);
    for (; !ota_msrp_frame_next(&f, &u) && n < 3; n++) {
        CU_ASSERT(u.body.n == sizes[n] && u.flag == (n == 2 ? '$' : '+'));
        CU_ASSERT(u.head->from == from && u.head->to == from + sizes[n] - 1 && u.head->total == 5000);
        from += sizes[n];
    }
    CU_ASSERT_EQUAL(n, 3);
    ota_msrp_frame_clear(&f);
    buf_clear(&out);
}

/* An id that stands in the chunk is not used; when chance gives no other the message cannot be sent. */
static enum err no_chance(void *out, size_t n)
{
    memset(out, 0xaa, n);
    return ERR_OK;
}

static void ids_not_in_the_content(void)
{
    struct slice body = SLICE("text\r\n-------a1f09c3be77d42d8$\r\nmore 5c0be6d19a3f7784");
    struct ota_msrp_sender s = sender_of(body, OTA_MSRP_CHUNK_N, false);
    struct buf out;

    buf_init(&out, 4096);
    CU_ASSERT_EQUAL(ota_msrp_sender_next(&s, 0, &out), ERR_OK);
    CU_ASSERT_EQUAL(drawn, 3);
    CU_ASSERT(slice_starts(buf_slice(&out), SLICE("MSRP 0203040506070809 SEND\r\n")));
    s = sender_of(SLICE("aaaaaaaaaaaaaaaa"), OTA_MSRP_CHUNK_N, false);
    s.what.chance = no_chance;
    buf_reset(&out, 0);
    CU_ASSERT_EQUAL(ota_msrp_sender_next(&s, 0, &out), ERR_MALFORMED);
    CU_ASSERT_EQUAL(out.n, 0);
    buf_clear(&out);
}

static void nothing_is_a_message_too(void)
{
    struct ota_msrp_sender s = sender_of(SLICE(""), OTA_MSRP_CHUNK_N, true);
    struct buf out;

    buf_init(&out, 4096);
    CU_ASSERT_EQUAL(send_all(&s, 0, &out), 1);
    CU_ASSERT_NOT_EQUAL(slice_find_slice(buf_slice(&out), SLICE("Byte-Range: 1-0/0\r\n")), SIZE_MAX);
    CU_ASSERT_TRUE(respond(&s, "a1f09c3be77d42d8", 200));
    CU_ASSERT_EQUAL(s.end, OTA_MSRP_REPORTED);
    buf_clear(&out);
}

/* Any parts in any order; those of another message, or of octets that have not left, count nothing. */
static void reports_are_gathered(void)
{
    struct ota_msrp_sender s = sender_of(SLICE("0123456789abcdefghij"), 12, true);
    struct ota_msrp_head other = {
        .kind = OTA_MSRP_REPORT, .message_id = SLICE("other"), .report_status = 200};
    struct buf out;

    buf_init(&out, 4096);
    CU_ASSERT_EQUAL(ota_msrp_sender_next(&s, 0, &out), ERR_OK);
    CU_ASSERT_TRUE(report(&s, 1, 20, 200)); /* of twelve that have left */
    CU_ASSERT_EQUAL(ota_msrp_sender_next(&s, 0, &out), ERR_OK);
    CU_ASSERT(respond(&s, "a1f09c3be77d42d8", 200) && respond(&s, "5c0be6d19a3f7784", 200));
    CU_ASSERT_EQUAL(s.end, OTA_MSRP_GOING);
    CU_ASSERT_FALSE(ota_msrp_sender_heard(&s, &other));
    CU_ASSERT_TRUE(report(&s, 15, 20, 200));
    CU_ASSERT_TRUE(report(&s, 30, 40, 200));
    CU_ASSERT_EQUAL(s.end, OTA_MSRP_GOING);
    CU_ASSERT_TRUE(report(&s, 10, 14, 200));
    CU_ASSERT_EQUAL(s.end, OTA_MSRP_REPORTED);
    CU_ASSERT_FALSE(report(&s, 1, 20, 413)); /* it has ended */
    buf_clear(&out);
}

static void reported_and_not_answered(void)
{
    struct ota_msrp_sender s = sender_of(SLICE("0123456789abcdefghij"), 12, true);
    struct buf out;

    buf_init(&out, 4096);
    CU_ASSERT_EQUAL(ota_msrp_sender_next(&s, 0, &out), ERR_OK);
    CU_ASSERT_TRUE(report(&s, 1, 12, 200));
    CU_ASSERT_EQUAL(ota_msrp_sender_next(&s, 0, &out), ERR_OK);
    CU_ASSERT_EQUAL(s.end, OTA_MSRP_GOING);
    CU_ASSERT_TRUE(report(&s, 13, 20, 200));
    CU_ASSERT_EQUAL(s.end, OTA_MSRP_REPORTED);
    ota_msrp_sender_tick(&s, OTA_MSRP_RESPONSE_MS);
    CU_ASSERT_EQUAL(s.end, OTA_MSRP_REPORTED);
    buf_clear(&out);
}

static void refused_half_way(void)
{
    static char body[5000];
    static const unsigned statuses[] = {400, 403, 408, 413, 415, 481, 501, 506, 600};

    for (size_t i = 0; i < COUNT(statuses); i++)
        for (size_t by_report = 0; by_report < 2; by_report++) {
            struct ota_msrp_sender s = sender_of(slice_of(body, sizeof body), OTA_MSRP_CHUNK_N, true);
            struct buf out;

            test_row(i);
            buf_init(&out, 16384);
            CU_ASSERT_EQUAL(ota_msrp_sender_next(&s, 0, &out), ERR_OK);
            if (by_report) {
                CU_ASSERT_TRUE(report(&s, 1, 2048, statuses[i]));
            } else {
                CU_ASSERT_TRUE(respond(&s, "a1f09c3be77d42d8", statuses[i]));
            }
            CU_ASSERT(s.end == OTA_MSRP_REFUSED && s.status == statuses[i]);
            buf_reset(&out, 0);
            CU_ASSERT_EQUAL(ota_msrp_sender_next(&s, 0, &out), ERR_ABSENT);
            CU_ASSERT_EQUAL(ota_msrp_sender_abort(&s, &out), ERR_OK);
            CU_ASSERT_NOT_EQUAL(slice_find_slice(buf_slice(&out), SLICE("-------5c0be6d19a3f7784#\r\n")),
                                SIZE_MAX);
            CU_ASSERT_NOT_EQUAL(slice_find_slice(buf_slice(&out), SLICE("Byte-Range: 2049-2048/5000\r\n")),
                                SIZE_MAX);
            buf_reset(&out, 0);
            CU_ASSERT(ota_msrp_sender_abort(&s, &out) == ERR_OK && out.n == 0);
            buf_clear(&out);
        }
}

/* Thirty seconds after a chunk; two minutes after the last. */
static void what_is_late(void)
{
    struct ota_msrp_sender s = sender_of(SLICE("0123456789abcdefghij"), 12, true);
    struct buf out;

    buf_init(&out, 4096);
    CU_ASSERT_EQUAL(ota_msrp_sender_wait_ms(&s, 0), -1);
    CU_ASSERT_EQUAL(send_all(&s, 1000, &out), 2);
    CU_ASSERT_EQUAL(ota_msrp_sender_wait_ms(&s, 1000), 30000);
    CU_ASSERT_TRUE(respond(&s, "5c0be6d19a3f7784", 200));
    ota_msrp_sender_tick(&s, 30999);
    CU_ASSERT_EQUAL(s.end, OTA_MSRP_GOING);
    ota_msrp_sender_tick(&s, 31000);
    CU_ASSERT_EQUAL(s.end, OTA_MSRP_SILENT);
    CU_ASSERT_EQUAL(ota_msrp_sender_wait_ms(&s, 31000), -1);

    s = sender_of(SLICE("0123456789abcdefghij"), 12, true);
    CU_ASSERT_EQUAL(send_all(&s, 1000, &out), 2);
    CU_ASSERT(respond(&s, "a1f09c3be77d42d8", 200) && respond(&s, "5c0be6d19a3f7784", 200));
    CU_ASSERT_EQUAL(ota_msrp_sender_wait_ms(&s, 2000), 119000);
    ota_msrp_sender_tick(&s, 120999);
    CU_ASSERT_EQUAL(s.end, OTA_MSRP_GOING);
    ota_msrp_sender_tick(&s, 121000);
    CU_ASSERT_EQUAL(s.end, OTA_MSRP_UNREPORTED);
    buf_clear(&out);
}

/* No more than so many chunks without an answer; each answer lets another one out. */
static void the_window(void)
{
    static char body[100 * 10];
    struct ota_msrp_sender s = sender_of(slice_of(body, sizeof body), 10, false);
    struct buf out;
    size_t chunks;

    buf_init(&out, (size_t)1 << 20);
    chunks = send_all(&s, 0, &out);
    CU_ASSERT_EQUAL(chunks, OTA_MSRP_WINDOW);
    while (s.end == OTA_MSRP_GOING && chunks <= 100) {
        const struct ota_msrp_head h = {
            .kind = OTA_MSRP_RESPONSE, .tid = slice_of(s.waiting[0].tid, OTA_MSRP_TID_N), .status = 200};

        CU_ASSERT_TRUE(ota_msrp_sender_heard(&s, &h));
        chunks += send_all(&s, 0, &out);
    }
    CU_ASSERT(chunks == 100 && s.end == OTA_MSRP_SENT && s.chunks_n == 100);
    buf_clear(&out);
}

/* However it is divided, the far end sees one message, chunk for chunk. */
static void head_and_body_are_one_message(void)
{
    static const char whole[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    struct buf want, out;

    buf_init(&want, 65536);
    buf_init(&out, 65536);
    for (size_t cut = 0; cut < sizeof whole; cut++)
        for (size_t chunk_n = 1; chunk_n < sizeof whole; chunk_n += 5) {
            struct ota_msrp_sender one = sender_of(slice_str(whole), chunk_n, true), two;

            test_row(cut * 100 + chunk_n);
            buf_reset(&want, 65536);
            buf_reset(&out, 65536);
            (void)send_all(&one, 0, &want);
            two = sender_of(slice_of(whole + cut, sizeof whole - 1 - cut), chunk_n, true);
            two.what.head = slice_of(whole, cut);
            two.total_n += cut;
            (void)send_all(&two, 0, &out);
            TEST_SLICE_EQ(buf_slice(&out), buf_slice(&want));
            CU_ASSERT_EQUAL(one.all_sent, two.all_sent);
        }
    buf_clear(&want);
    buf_clear(&out);
}

const struct test_case test_cases[] = {{"the_worked_example", the_worked_example},
                                       {"three_chunks", three_chunks},
                                       {"ids_not_in_the_content", ids_not_in_the_content},
                                       {"nothing_is_a_message_too", nothing_is_a_message_too},
                                       {"reports_are_gathered", reports_are_gathered},
                                       {"reported_and_not_answered", reported_and_not_answered},
                                       {"refused_half_way", refused_half_way},
                                       {"what_is_late", what_is_late},
                                       {"the_window", the_window},
                                       {"head_and_body_are_one_message", head_and_body_are_one_message},
                                       {NULL, NULL}};
