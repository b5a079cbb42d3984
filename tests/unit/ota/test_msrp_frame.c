/* MSRP messages out of a stream, however it is cut; the end-line in places where it is none; ceilings. */
#include "ota/msrp/frame.h"

#include <stdlib.h>

#include "tests/unit/harness.h"

#define PATHS                                                                                                \
    "To-Path: msrps://198.51.100.7:9001/Zq83ksPw01;tcp\r\nFrom-Path: "                                       \
    "msrps://ppg.example.com:2855/kjhd37s2s20w2a;tcp\r\n"
#define HEAD                                                                                                 \
    PATHS "Message-ID: 7Hq2.push.00041\r\nByte-Range: 1-*/20\r\nSuccess-Report: yes\r\nFailure-Report: "     \
          "yes\r\n"                                                                                          \
          "Content-Type: text/plain\r\n\r\n"

/* Two chunks of one text, an answer and a report. */
#define STREAM                                                                                               \
    "MSRP a1f09c3be77d42d8 SEND\r\n" HEAD "0123456789ab\r\n-------a1f09c3be77d42d8+\r\n"                     \
    "MSRP 5c0be6d19a3f7784 SEND\r\n" HEAD "cdefghij\r\n-------5c0be6d19a3f7784$\r\n"                         \
    "MSRP a1f09c3be77d42d8 200 OK\r\n" PATHS "-------a1f09c3be77d42d8$\r\n"                                  \
    "MSRP 9b2e77aa01c3d5f6 REPORT\r\n" PATHS "Byte-Range: 1-20/20\r\nStatus: 000 200 OK\r\n"                 \
    "-------9b2e77aa01c3d5f6$\r\n"

/* What comes of all units: kinds, bodies, flags. */
static enum err take_all(struct ota_msrp_frame *f, struct buf *said)
{
    struct ota_msrp_unit u;
    enum err e;

    while (!(e = ota_msrp_frame_next(f, &u))) {
        if (u.begins)
            buf_addf(said, "<%d:", (int)u.head->kind);
        buf_add(said, u.body);
        if (u.flag)
            buf_addf(said, "%c>", u.flag);
    }
    return e;
}

static void the_worked_example_cut_anywhere(void)
{
    for (size_t step = 1; step < sizeof STREAM; step++) {
        struct ota_msrp_frame f;
        struct buf said;
        enum err e = ERR_AGAIN;

        ota_msrp_frame_init(&f);
        buf_init(&said, 4096);
        for (size_t at = 0; at < sizeof STREAM - 1 && e == ERR_AGAIN; at += step) {
            CU_ASSERT_EQUAL(ota_msrp_frame_feed(&f, slice_sub(SLICE(STREAM), at, step)), ERR_OK);
            e = take_all(&f, &said);
        }
        CU_ASSERT_EQUAL(e, ERR_AGAIN);
        TEST_SLICE_EQ(buf_slice(&said), SLICE("<0:0123456789ab+><0:cdefghij$><3:$><1:$>"));
        buf_clear(&said);
        ota_msrp_frame_clear(&f);
    }
}

/* Hyphens, other ids, the id without a flag, the id of another length: all content (§7.1). */
static void what_looks_like_the_end(void)
{
    static const char *const bodies[] = {"",
                                         "\r\n",
                                         "-------abcd$\r\n",
                                         "\r\n-------abcde$\r\n",
                                         "\r\n-------abcd\r\n",
                                         "\r\n-------abc$\r\n",
                                         "\r\n------abcd$\r\n",
                                         "\r\n--------abcd$\r\n",
                                         "\r\n-------abcd!\r\n",
                                         "\r\n-------abcd$ \r\n",
                                         "\r\n-------abcd$\n",
                                         "\r\n-------ABCD$\r\n",
                                         "\r\n-------",
                                         "\r\n-------abcd"};

    for (size_t i = 0; i < COUNT(bodies); i++)
        for (size_t step = 1; step < 40; step += 3) {
            struct ota_msrp_frame f;
            struct buf said, octets, want;

            test_row(i);
            ota_msrp_frame_init(&f);
            buf_init(&said, 4096);
            buf_init(&octets, 4096);
            buf_init(&want, 4096);
            buf_add(&octets, SLICE("MSRP abcd SEND\r\n" HEAD));
            buf_add_str(&octets, bodies[i]);
            buf_add(&octets, SLICE("\r\n-------abcd#\r\n"));
            for (size_t at = 0; at < octets.n; at += step) {
                CU_ASSERT_EQUAL(ota_msrp_frame_feed(&f, slice_sub(buf_slice(&octets), at, step)), ERR_OK);
                CU_ASSERT_EQUAL(take_all(&f, &said), ERR_AGAIN);
            }
            buf_addf(&want, "<0:%s#>", bodies[i]);
            TEST_SLICE_EQ(buf_slice(&said), buf_slice(&want));
            buf_clear(&said);
            buf_clear(&octets);
            buf_clear(&want);
            ota_msrp_frame_clear(&f);
        }
}

/* A body comes in pieces, none lost, however much is announced; memory does not follow it. */
static void a_long_body_in_pieces(void)
{
    const size_t total = 1 << 20;
    char *body = malloc(total);
    struct ota_msrp_frame f;
    struct ota_msrp_unit u;
    size_t got = 0, pieces = 0;
    bool begun = false, ended = false;

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    srand(3);
    for (size_t i = 0; i < total; i++)
        body[i] = "\r\n-a"[rand() % 4];
    ota_msrp_frame_init(&f);
    CU_ASSERT_EQUAL(ota_msrp_frame_feed(&f, SLICE("MSRP abcd SEND\r\n" HEAD)), ERR_OK);
    for (size_t at = 0; at < total; at += 50000) {
        CU_ASSERT_EQUAL_FATAL(ota_msrp_frame_feed(&f, slice_sub(slice_of(body, total), at, 50000)), ERR_OK);
        while (!ota_msrp_frame_next(&f, &u)) {
            CU_ASSERT(u.begins == !begun && u.flag == 0);
            begun = true;
            pieces++;
            CU_ASSERT_FATAL(memcmp(u.body.p, body + got, u.body.n) == 0);
            got += u.body.n;
        }
        CU_ASSERT(f.in.n < OTA_MSRP_PIECE_N + 100);
    }
    CU_ASSERT_EQUAL(ota_msrp_frame_feed(&f, SLICE("\r\n-------abcd$\r\n")), ERR_OK);
    while (!ota_msrp_frame_next(&f, &u)) {
        CU_ASSERT(memcmp(u.body.p, body + got, u.body.n) == 0);
        got += u.body.n;
        ended = u.flag == '$';
    }
    CU_ASSERT(got == total && ended && pieces > 20);
    ota_msrp_frame_clear(&f);
    free(body);
}

static void broken_is_always_broken(void)
{
    static const struct {
        const char *octets;
        enum err want;
    } rows[] = {{"HTTP/1.1 200 OK\r\n", ERR_MALFORMED},
                {"\r\n", ERR_MALFORMED},
                {"MSRX", ERR_MALFORMED},
                {"MSRP abcd SEND\r\n\r\n", ERR_MALFORMED},
                {"MSRP abcd SEND\r\n-------abcd$\r\n", ERR_MALFORMED},
                {"MSRP abcd SEND\r\nX: y\r\n\r\n", ERR_MALFORMED},
                {"MSRP abcd SEND\r\n" PATHS "X\r\n\r\n", ERR_MALFORMED}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_msrp_frame f;
        struct ota_msrp_unit u;

        test_row(i);
        ota_msrp_frame_init(&f);
        CU_ASSERT_EQUAL(ota_msrp_frame_feed(&f, slice_str(rows[i].octets)), ERR_OK);
        CU_ASSERT_EQUAL(ota_msrp_frame_next(&f, &u), rows[i].want);
        CU_ASSERT_EQUAL(ota_msrp_frame_feed(&f, SLICE(STREAM)), rows[i].want);
        CU_ASSERT_EQUAL(ota_msrp_frame_next(&f, &u), rows[i].want);
        ota_msrp_frame_clear(&f);
    }
}

static void a_head_too_long(void)
{
    struct ota_msrp_frame f;
    struct ota_msrp_unit u;
    enum err e = ERR_AGAIN;

    ota_msrp_frame_init(&f);
    CU_ASSERT_EQUAL(ota_msrp_frame_feed(&f, SLICE("MSRP abcd SEND\r\n" PATHS)), ERR_OK);
    for (size_t i = 0; i < OTA_MSRP_HEAD_MAX_N && e == ERR_AGAIN; i++) {
        CU_ASSERT_EQUAL(ota_msrp_frame_feed(&f, SLICE("X: y\r\n")), ERR_OK);
        e = ota_msrp_frame_next(&f, &u);
    }
    CU_ASSERT_EQUAL(e, ERR_LIMIT);
    ota_msrp_frame_clear(&f);
}

const struct test_case test_cases[] = {{"the_worked_example_cut_anywhere", the_worked_example_cut_anywhere},
                                       {"what_looks_like_the_end", what_looks_like_the_end},
                                       {"a_long_body_in_pieces", a_long_body_in_pieces},
                                       {"broken_is_always_broken", broken_is_always_broken},
                                       {"a_head_too_long", a_head_too_long},
                                       {NULL, NULL}};
