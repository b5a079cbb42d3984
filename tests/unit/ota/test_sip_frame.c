/* SIP messages out of a stream and out of datagrams. */
#include "ota/sip/frame.h"

#include <stdlib.h>

#include "tests/unit/harness.h"

#define OPTIONS "OPTIONS sip:a@b SIP/2.0\r\n"
#define OK      "SIP/2.0 200 OK\r\n"

/* All units of the stream as one text: head '|' body '#', a ping as '.', then the error that ended it. */
static enum err take(struct slice in, size_t piece_n, struct buf *out)
{
    struct ota_sip_frame f;
    struct ota_sip_unit u;
    enum err e = ERR_AGAIN;

    buf_init(out, 1 << 20);
    ota_sip_frame_init(&f);
    for (size_t at = 0; at < in.n && e == ERR_AGAIN; at += piece_n) {
        CU_ASSERT_EQUAL(ota_sip_frame_feed(&f, slice_sub(in, at, piece_n)), ERR_OK);
        while (!(e = ota_sip_frame_next(&f, &u))) {
            CU_ASSERT(u.ping || u.head.p[u.head.n] == '\0');
            buf_add(out, u.ping ? SLICE(".") : u.head);
            buf_add(out, u.ping ? SLICE_NONE : SLICE("|"));
            buf_add(out, u.body);
            buf_add(out, u.ping ? SLICE_NONE : SLICE("#"));
        }
    }
    CU_ASSERT(e == ERR_AGAIN || ota_sip_frame_next(&f, &u) == e); /* broken stays broken */
    ota_sip_frame_clear(&f);
    return e;
}

static void streams(void)
{
    static const struct {
        const char *in, *want;
        enum err end;
    } rows[] = {
        {OK "l: 0\r\n\r\n", OK "\r\n|#", ERR_AGAIN},
        {OK "l: 3\r\n\r\nabc" OPTIONS "l: 1\r\n\r\nx", OK "\r\n|abc#" OPTIONS "\r\n|x#", ERR_AGAIN},
        {"\r\n\r\n", ".", ERR_AGAIN},
        {"\r\n\r\n\r\n\r\n" OK "l: 0\r\n\r\n\r\n\r\n", ".." OK "\r\n|#.", ERR_AGAIN},
        {"\r\n" OK "l: 0\r\n\r\n\r\n" OK "l: 0\r\n\r\n", OK "\r\n|#" OK "\r\n|#", ERR_AGAIN}, /* §7.5 */
        {OK "l: 6\r\n\r\n\r\n\r\nab" OK "l: 0\r\n\r\n", OK "\r\n|\r\n\r\nab#" OK "\r\n|#", ERR_AGAIN},
        {OK "l: 3\r\n\r\nab", "", ERR_AGAIN},
        {OK "l: 0\r\n", "", ERR_AGAIN},
        {OK "\r\n", "", ERR_MALFORMED}, /* no length on a stream (§18.3) */
        {OK "l: 1\r\n\r\nab\r\n\r\n", OK "\r\n|a#", ERR_MALFORMED},
        {OK "l: 0\r\n\r\n\r" OK "l: 0\r\n\r\n", OK "\r\n|#", ERR_MALFORMED},
        {OK "l: 65537\r\n\r\n", "", ERR_LIMIT},
        {"GET / HTTP/1.1\r\n\r\n", "", ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t piece_n = 1; piece_n < 100; piece_n += 1 + piece_n / 4) {
            struct buf got;

            test_row(i);
            CU_ASSERT_EQUAL(take(slice_str(rows[i].in), piece_n, &got), rows[i].end);
            TEST_SLICE_EQ(buf_slice(&got), slice_str(rows[i].want));
            buf_clear(&got);
        }
}

static struct slice filled(struct buf *b, const char *start, char with, size_t n)
{
    buf_init(b, 1 << 20);
    buf_add_str(b, start);
    for (size_t i = 0; i < n; i++)
        buf_add_ch(b, with);
    return buf_slice(b);
}

static void a_head_without_end(void)
{
    struct buf in, got;

    CU_ASSERT_EQUAL(take(filled(&in, OPTIONS "To: ", 'x', OTA_SIP_HEAD_MAX_N), 1000, &got), ERR_LIMIT);
    buf_clear(&in);
    buf_clear(&got);
}

static void the_largest_body(void)
{
    struct buf in, got;

    CU_ASSERT_EQUAL(take(filled(&in, OPTIONS "l: 65536\r\n\r\n", '\0', OTA_SIP_BODY_MAX_N), 30000, &got),
                    ERR_AGAIN);
    CU_ASSERT_EQUAL(got.n, strlen(OPTIONS) + 4 + OTA_SIP_BODY_MAX_N);
    buf_clear(&in);
    buf_clear(&got);
}

/* Who does not take what was fed is stopped. */
static void fed_too_much(void)
{
    struct ota_sip_frame f;
    struct buf in;
    enum err e = ERR_OK;

    ota_sip_frame_init(&f);
    (void)filled(&in, "", 'x', 60000);
    for (size_t i = 0; i < 3 && !e; i++)
        e = ota_sip_frame_feed(&f, buf_slice(&in));
    CU_ASSERT_EQUAL(e, ERR_LIMIT);
    ota_sip_frame_clear(&f);
    buf_clear(&in);
}

static void datagrams(void)
{
    static const struct {
        struct slice in;
        enum err want;
        const char *head, *body;
    } rows[] = {
        {SLICE(OK "l: 3\r\n\r\nabc"), ERR_OK, OK "\r\n", "abc"},
        {SLICE(OK "l: 2\r\n\r\nabc"), ERR_OK, OK "\r\n", "ab"}, /* the rest is padding (§18.3) */
        {SLICE(OK "To: x\r\n\r\nabc"), ERR_OK, OK "To: x\r\n\r\n", "abc"},
        {SLICE("\r\n\r\n" OK "\r\n"), ERR_OK, OK "\r\n", ""},
        {SLICE(OK "l: 4\r\n\r\nabc"), ERR_MALFORMED, "", ""},
        {SLICE(OK "To: x\r\n"), ERR_MALFORMED, "", ""},
        {SLICE("x"), ERR_MALFORMED, "", ""},
        {SLICE(""), ERR_ABSENT, "", ""},
        {SLICE("\r\n\r\n"), ERR_ABSENT, "", ""},
        {SLICE("\0\0\0\0"), ERR_ABSENT, "", ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_unit u = {.wire_n = 77};
        struct buf text;

        test_row(i);
        buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
        CU_ASSERT_EQUAL(ota_sip_datagram_read(rows[i].in, &text, &u), rows[i].want);
        TEST_SLICE_EQ(u.head, slice_str(rows[i].head));
        TEST_SLICE_EQ(u.body, slice_str(rows[i].body));
        CU_ASSERT_EQUAL(u.wire_n, rows[i].want ? 77 : rows[i].in.n);
        buf_clear(&text);
    }
}

const struct test_case test_cases[] = {{"streams", streams},
                                       {"a_head_without_end", a_head_without_end},
                                       {"the_largest_body", the_largest_body},
                                       {"fed_too_much", fed_too_much},
                                       {"datagrams", datagrams},
                                       {NULL, NULL}};
