/* Messages on their way in: chunks in any order, ceilings, what is refused, answers and reports as they are wanted. */
#include "ota/msrp/receiver.h"

#include <stdio.h>

#include "tests/unit/harness.h"

#define OWN   "msrps://198.51.100.7:9001/Zq83ksPw01;tcp"
#define PEER  "msrps://ppg.example.com:2855/kjhd37s2s20w2a;tcp"
#define PATHS "To-Path: " OWN "\r\nFrom-Path: " PEER "\r\n"
#define BACK  "To-Path: " PEER "\r\nFrom-Path: " OWN "\r\n"
#define MAX_N 1000

struct fix {
    struct ota_msrp_frame frame;
    struct ota_msrp_receiver receiver;
    struct buf out;
    unsigned status; /* what messages are answered with */
    size_t n;
    char last[MAX_N + 64];
};

static unsigned on_message(const struct ota_msrp_incoming *m, void *arg)
{
    struct fix *f = arg;

    f->n++;
    (void)snprintf(f->last, sizeof f->last, "%.*s %.*s %.*s", SLICE_FMT(m->message_id),
                   SLICE_FMT(m->content_type), SLICE_FMT(m->body));
    return f->status;
}

static void fix_open(struct fix *f)
{
    const struct ota_msrp_receiver_conf conf = {
        .path = SLICE(OWN), .max_n = MAX_N, .message = on_message, .arg = f};

    *f = (struct fix){.status = 200};
    ota_msrp_frame_init(&f->frame);
    ota_msrp_receiver_init(&f->receiver, &conf);
    buf_init(&f->out, 65536);
}

static void fix_close(struct fix *f)
{
    ota_msrp_frame_clear(&f->frame);
    ota_msrp_receiver_clear(&f->receiver);
    buf_clear(&f->out);
}

static void feed(struct fix *f, struct slice octets)
{
    struct ota_msrp_unit u;
    enum err e;

    buf_reset(&f->out, 65536);
    CU_ASSERT_EQUAL_FATAL(ota_msrp_frame_feed(&f->frame, octets), ERR_OK);
    while (!(e = ota_msrp_frame_next(&f->frame, &u)))
        CU_ASSERT_EQUAL(ota_msrp_receiver_take(&f->receiver, &u, &f->out), ERR_OK);
    CU_ASSERT_EQUAL(e, ERR_AGAIN);
}

/* Is the answer of this status, and nothing else said? */
static bool said(const struct fix *f, const char *want)
{
    size_t at = slice_find_slice(buf_slice(&f->out), slice_str(want));

    if (at == 0)
        return true;
    (void)fprintf(stderr, "said: %.*s\n", SLICE_FMT(buf_slice(&f->out)));
    return false;
}

/* A text of twenty octets cut after twelve. */
static void the_worked_example(void)
{
    struct fix f;

    fix_open(&f);
    feed(&f,
         SLICE("MSRP a1f09c3be77d42d8 SEND\r\n" PATHS "Message-ID: 7Hq2.push.00041\r\nByte-Range: 1-*/20\r\n"
               "Success-Report: yes\r\nFailure-Report: yes\r\nContent-Type: text/plain\r\n\r\n"
               "0123456789ab\r\n-------a1f09c3be77d42d8+\r\n"));
    CU_ASSERT_EQUAL(f.n, 0);
    TEST_SLICE_EQ(buf_slice(&f.out),
                  SLICE("MSRP a1f09c3be77d42d8 200 OK\r\n" BACK "-------a1f09c3be77d42d8$\r\n"));
    feed(&f, SLICE("MSRP 5c0be6d19a3f7784 SEND\r\n" PATHS
                   "Message-ID: 7Hq2.push.00041\r\nByte-Range: 13-20/20\r\n"
                   "Success-Report: yes\r\nFailure-Report: yes\r\nContent-Type: text/plain\r\n\r\n"
                   "cdefghij\r\n-------5c0be6d19a3f7784$\r\n"));
    CU_ASSERT_EQUAL(f.n, 1);
    CU_ASSERT_STRING_EQUAL(f.last, "7Hq2.push.00041 text/plain 0123456789abcdefghij");
    TEST_SLICE_EQ(buf_slice(&f.out),
                  SLICE("MSRP 5c0be6d19a3f7784 200 OK\r\n" BACK "-------5c0be6d19a3f7784$\r\n"
                        "MSRP 5c0be6d19a3f7784 REPORT\r\n" BACK
                        "Message-ID: 7Hq2.push.00041\r\nByte-Range: 1-20/20\r\n"
                        "Status: 000 200 OK\r\n-------5c0be6d19a3f7784$\r\n"));
    CU_ASSERT_EQUAL(f.receiver.parts_n, 0);
    fix_close(&f);
}

static void chunk(struct fix *f, const char *id, const char *range, const char *more, const char *body,
                  char flag)
{
    char text[2048];

    (void)snprintf(
        text, sizeof text,
        "MSRP abcd SEND\r\n" PATHS
        "Message-ID: %s\r\nByte-Range: %s\r\n%sContent-Type: text/plain\r\n\r\n%s\r\n-------abcd%c\r\n",
        id, range, more, body, flag);
    feed(f, slice_str(text));
}

/* Later octets win where chunks overlap; messages are told apart by their id. */
static void in_any_order(void)
{
    struct fix f;

    fix_open(&f);
    chunk(&f, "m-01", "6-10/10", "", "fghij", '$');
    chunk(&f, "m-02", "1-2/4", "", "ab", '+');
    chunk(&f, "m-01", "1-3/10", "", "xyz", '+');
    CU_ASSERT_EQUAL(f.n, 0);
    chunk(&f, "m-01", "1-5/10", "", "abcde", '+');
    CU_ASSERT_STRING_EQUAL(f.last, "m-01 text/plain abcdefghij");
    chunk(&f, "m-02", "3-*/*", "", "cd", '$');
    CU_ASSERT_STRING_EQUAL(f.last, "m-02 text/plain abcd");
    chunk(&f, "m-03", "1-*/*", "", "", '$');
    CU_ASSERT_STRING_EQUAL(f.last, "m-03 text/plain ");
    CU_ASSERT(f.n == 3 && f.receiver.parts_n == 0);
    fix_close(&f);
}

static void what_is_refused(void)
{
    static const struct {
        const char *request, *answer;
    } rows[] = {
        {"MSRP abcd SEND\r\nTo-Path: msrps://198.51.100.7:9001/other;tcp\r\nFrom-Path: " PEER
         "\r\nMessage-ID: m-01\r\n"
         "Content-Type: text/plain\r\n\r\nx\r\n-------abcd$\r\n",
         "MSRP abcd 481 "},
        {"MSRP abcd AUTH\r\n" PATHS "-------abcd$\r\n", "MSRP abcd 501 "},
        {"MSRP abcd SEND\r\n" PATHS "Content-Type: text/plain\r\n\r\nx\r\n-------abcd$\r\n",
         "MSRP abcd 400 "},
        {"MSRP abcd SEND\r\n" PATHS "Message-ID: m-01\r\n\r\nx\r\n-------abcd$\r\n", "MSRP abcd 400 "},
        {"MSRP abcd SEND\r\n" PATHS
         "Message-ID: m-01\r\nByte-Range: 1-1/1001\r\nContent-Type: a/b\r\n\r\nx\r\n-------abcd+\r\n",
         "MSRP abcd 413 "},
        {"MSRP abcd SEND\r\n" PATHS
         "Message-ID: m-01\r\nByte-Range: 1002-*/*\r\nContent-Type: a/b\r\n\r\nx\r\n-------abcd+\r\n",
         "MSRP abcd 413 "},
        {"MSRP abcd SEND\r\n" PATHS
         "Message-ID: m-01\r\nByte-Range: 1000-*/*\r\nContent-Type: a/b\r\n\r\nxx\r\n-------abcd+\r\n",
         "MSRP abcd 413 "},
        {"MSRP abcd SEND\r\n" PATHS
         "Message-ID: m-01\r\nByte-Range: 18446744073709551614-*/*\r\nContent-Type: "
         "a/b\r\n\r\nx\r\n-------abcd$\r\n",
         "MSRP abcd 413 "},
        {"MSRP abcd SEND\r\n" PATHS "-------abcd$\r\n", "MSRP abcd 200 "}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix f;

        test_row(i);
        fix_open(&f);
        feed(&f, slice_str(rows[i].request));
        CU_ASSERT(said(&f, rows[i].answer) && f.n == 0 && f.receiver.parts_n == 0);
        fix_close(&f);
    }
}

/* Nothing is answered that nobody wants to hear of, and no answer is answered. */
static void answers_as_they_are_wanted(void)
{
    struct fix f;

    fix_open(&f);
    chunk(&f, "m-01", "1-2/2", "Failure-Report: no\r\n", "ab", '$');
    CU_ASSERT(f.n == 1 && f.out.n == 0);
    chunk(&f, "m-02", "1-2/2", "Failure-Report: partial\r\nSuccess-Report: yes\r\n", "ab", '$');
    CU_ASSERT(f.n == 2 && said(&f, "MSRP abcd REPORT\r\n"));
    chunk(&f, "m-03", "1-2/2000", "Failure-Report: partial\r\n", "ab", '$');
    CU_ASSERT(said(&f, "MSRP abcd 413 "));
    feed(&f,
         SLICE("MSRP abcd 200 OK\r\n" PATHS "-------abcd$\r\nMSRP abce REPORT\r\n" PATHS "-------abce$\r\n"));
    CU_ASSERT_EQUAL(f.out.n, 0);
    f.status = 415;
    chunk(&f, "m-04", "1-2/2", "Success-Report: yes\r\n", "ab", '$');
    CU_ASSERT(said(&f, "MSRP abcd 415 ") && slice_find_slice(buf_slice(&f.out), SLICE("REPORT")) == SIZE_MAX);
    fix_close(&f);
}

static void given_up(void)
{
    struct fix f;

    fix_open(&f);
    chunk(&f, "m-01", "1-2/4", "", "ab", '+');
    CU_ASSERT_EQUAL(f.receiver.parts_n, 1);
    chunk(&f, "m-01", "3-*/4", "", "", '#');
    CU_ASSERT_EQUAL(f.receiver.parts_n, 0);
    chunk(&f, "m-01", "3-4/4", "", "cd", '$');
    CU_ASSERT_EQUAL(f.n, 0);
    feed(&f, SLICE("MSRP abcd SEND\r\n" PATHS "Message-ID: m-01\r\nByte-Range: 3-*/4\r\n-------abcd#\r\n"));
    CU_ASSERT_EQUAL(f.receiver.parts_n, 0);
    chunk(&f, "m-01", "1-2/4", "", "ab", '+');
    CU_ASSERT_EQUAL(f.n, 0);
    fix_close(&f);
}

/* The oldest of too many that are not whole makes room. */
static void no_more_than_so_many(void)
{
    struct fix f;
    char id[8];

    fix_open(&f);
    for (size_t i = 0; i <= OTA_MSRP_INCOMING_MAX; i++) {
        (void)snprintf(id, sizeof id, "m-%02zu", i);
        chunk(&f, id, "1-2/4", "", "ab", '+');
    }
    CU_ASSERT_EQUAL(f.receiver.parts_n, OTA_MSRP_INCOMING_MAX);
    chunk(&f, "m-01", "3-4/4", "", "cd", '$');
    CU_ASSERT_STRING_EQUAL(f.last, "m-01 text/plain abcd");
    fix_close(&f);
}

const struct test_case test_cases[] = {{"the_worked_example", the_worked_example},
                                       {"in_any_order", in_any_order},
                                       {"what_is_refused", what_is_refused},
                                       {"answers_as_they_are_wanted", answers_as_they_are_wanted},
                                       {"given_up", given_up},
                                       {"no_more_than_so_many", no_more_than_so_many},
                                       {NULL, NULL}};
