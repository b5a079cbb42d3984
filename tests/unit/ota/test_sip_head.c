/* Heads of SIP messages: what the parser gets to see, and what it never does. */
#include "ota/sip/head.h"

#include <stdlib.h>

#include "tests/unit/harness.h"

#define BODY_MAX_N 1000
#define REQUEST    "MESSAGE sip:a@b SIP/2.0\r\n"

static enum err read_head(struct slice in, struct ota_sip_head *out, struct buf *text)
{
    buf_init(text, 2 * OTA_SIP_HEAD_MAX_N);
    return ota_sip_head_read(in, BODY_MAX_N, out, text);
}

static void good_heads(void)
{
    static const struct {
        const char *in, *text;
        bool has_length;
        size_t length, left;
    } rows[] = {
        {REQUEST "To: x\r\n\r\n", REQUEST "To: x\r\n\r\n", false, 0, 0},
        {REQUEST "Content-Length: 12\r\n\r\nbody", REQUEST "\r\n", true, 12, 4},
        {REQUEST "l:0\r\n\r\n", REQUEST "\r\n", true, 0, 0},
        {REQUEST "L \t: \t 1000 \r\n\r\n", REQUEST "\r\n", true, 1000, 0},
        {REQUEST "CONTENT-LENGTH:\r\n  7\r\n\r\n", REQUEST "\r\n", true, 7, 0},
        {REQUEST "To  :   x  \r\nv:y\r\n\r\n", REQUEST "To: x\r\nv: y\r\n\r\n", false, 0, 0},
        {REQUEST "To: a\r\n b\r\n\t c\r\nV: d\r\n\r\n", REQUEST "To: a b c\r\nV: d\r\n\r\n", false, 0, 0},
        {REQUEST "Subject:\r\n\r\n", REQUEST "Subject: \r\n\r\n", false, 0, 0},
        {REQUEST "Subject: gr\xC3\xBC\xC3\x9F\tgott\r\n\r\n",
         REQUEST "Subject: gr\xC3\xBC\xC3\x9F\tgott\r\n\r\n", false, 0, 0},
        {"SIP/2.0 200 OK\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n", false, 0, 0},
        {"SIP/2.0 299 \r\n\r\n", "SIP/2.0 299 \r\n\r\n", false, 0, 0},
        {"sip/2.0 200 OK\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n", false, 0, 0},
        {"MESSAGE sip:a@b Sip/2.0\r\n\r\n", REQUEST "\r\n", false, 0, 0},
        {"!%*_-.+`'~a tel:+1 SIP/2.0\r\n\r\nx", "!%*_-.+`'~a tel:+1 SIP/2.0\r\n\r\n", false, 0, 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_head head = {.wire_n = 0};
        struct buf text;

        test_row(i);
        CU_ASSERT_EQUAL(read_head(slice_str(rows[i].in), &head, &text), ERR_OK);
        TEST_SLICE_EQ(buf_slice(&text), slice_str(rows[i].text));
        CU_ASSERT_EQUAL(head.has_length, rows[i].has_length);
        CU_ASSERT_EQUAL(head.length, rows[i].length);
        CU_ASSERT_EQUAL(head.wire_n, strlen(rows[i].in) - rows[i].left);
        buf_clear(&text);
    }
}

static void bad_heads(void)
{
    static const struct {
        struct slice in;
        enum err want;
    } rows[] = {
        {SLICE(""), ERR_AGAIN},
        {SLICE(REQUEST), ERR_AGAIN},
        {SLICE(REQUEST "To: x\r\n"), ERR_AGAIN},
        {SLICE(REQUEST "To: x\r\n\r"), ERR_AGAIN},
        {SLICE(REQUEST "To: x\r\n y"), ERR_AGAIN},
        {SLICE("\r\n" REQUEST "\r\n"), ERR_MALFORMED},
        {SLICE("\n"), ERR_MALFORMED},
        {SLICE("MESSAGE sip:a@b SIP/2.0\n\n"), ERR_MALFORMED},
        {SLICE(REQUEST "To: x\n\r\n"), ERR_MALFORMED},
        {SLICE(REQUEST "To: x\ry\r\n\r\n"), ERR_MALFORMED},
        {SLICE(REQUEST "To: x\0y\r\n\r\n"), ERR_MALFORMED},
        {SLICE(REQUEST "To: x\x7F\r\n\r\n"), ERR_MALFORMED},
        {SLICE(REQUEST "To: x\r\n y\x01\r\n\r\n"), ERR_MALFORMED},
        {SLICE(REQUEST " To: x\r\n\r\n"), ERR_MALFORMED}, /* continues nothing */
        {SLICE(REQUEST "To x\r\n\r\n"), ERR_MALFORMED},
        {SLICE(REQUEST ": x\r\n\r\n"), ERR_MALFORMED},
        {SLICE(REQUEST "T(o: x\r\n\r\n"), ERR_MALFORMED},
        {SLICE("MESSAGE sip:a@b SIP/2.0 \r\n\r\n"), ERR_MALFORMED},
        {SLICE("MESSAGE  sip:a@b SIP/2.0\r\n\r\n"), ERR_MALFORMED},
        {SLICE("MESSAGE sip:a b SIP/2.0\r\n\r\n"), ERR_MALFORMED},
        {SLICE("MESSAGE <sip:a@b>\tSIP/2.0\r\n\r\n"), ERR_MALFORMED},
        {SLICE("MESSAGE alice SIP/2.0\r\n\r\n"), ERR_MALFORMED},
        {SLICE("MESSAGE sip:\xC3\xBC@b SIP/2.0\r\n\r\n"), ERR_MALFORMED},
        {SLICE("MESSAGE sip:a@b SIP/3.0\r\n\r\n"), ERR_MALFORMED},
        {SLICE("MESSAGE sip:a@b\r\n\r\n"), ERR_MALFORMED},
        {SLICE("MESS@GE sip:a@b SIP/2.0\r\n\r\n"), ERR_MALFORMED},
        {SLICE("GET / HTTP/1.1\r\n\r\n"), ERR_MALFORMED},
        {SLICE("SIP/2.0 99 No\r\n\r\n"), ERR_MALFORMED},
        {SLICE("SIP/2.0 700 No\r\n\r\n"), ERR_LIMIT},
        {SLICE("SIP/2.0 +20 No\r\n\r\n"), ERR_MALFORMED},
        {SLICE("SIP/2.0 200\r\n\r\n"), ERR_MALFORMED},
        {SLICE("SIP/3.0 200 OK\r\n\r\n"), ERR_MALFORMED},
        {SLICE("sip/2.1 200 OK\r\n\r\n"), ERR_MALFORMED},
        {SLICE(REQUEST "Content-Length: 1001\r\n\r\n"), ERR_LIMIT},
        {SLICE(REQUEST "Content-Length: 99999999999999999999999\r\n\r\n"), ERR_LIMIT},
        {SLICE(REQUEST "Content-Length: -1\r\n\r\n"), ERR_MALFORMED},
        {SLICE(REQUEST "Content-Length: 1 2\r\n\r\n"), ERR_MALFORMED},
        {SLICE(REQUEST "Content-Length: 1, 1\r\n\r\n"), ERR_MALFORMED},
        {SLICE(REQUEST "Content-Length: 0x1\r\n\r\n"), ERR_MALFORMED},
        {SLICE(REQUEST "Content-Length:\r\n\r\n"), ERR_MALFORMED},
        {SLICE(REQUEST "l: 1\r\nContent-Length: 1\r\n\r\n"), ERR_MALFORMED}, /* even when they agree */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_head head = {.wire_n = 77};
        struct buf text;

        test_row(i);
        CU_ASSERT_EQUAL(read_head(rows[i].in, &head, &text), rows[i].want);
        CU_ASSERT_EQUAL(head.wire_n, 77);
        buf_clear(&text);
    }
}

/* A head of `n` headers of `value_n` octets each. */
static enum err many(size_t n, size_t name_n, size_t value_n)
{
    struct ota_sip_head head;
    struct buf in, text;
    enum err e;

    buf_init(&in, 1 << 20);
    buf_add_str(&in, REQUEST);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < name_n; k++)
            buf_add_ch(&in, 'n');
        buf_add_ch(&in, ':');
        for (size_t k = 0; k < value_n; k++)
            buf_add_ch(&in, k % 100 == 99 ? ' ' : 'v');
        buf_add_str(&in, "\r\n");
    }
    buf_add_str(&in, "\r\n");
    e = read_head(buf_slice(&in), &head, &text);
    buf_clear(&text);
    buf_clear(&in);
    return e;
}

static void ceilings(void)
{
    CU_ASSERT_EQUAL(many(OTA_SIP_HEADERS_MAX, 1, 1), ERR_OK);
    CU_ASSERT_EQUAL(many(OTA_SIP_HEADERS_MAX + 1, 1, 1), ERR_LIMIT);
    CU_ASSERT_EQUAL(many(1, OTA_SIP_NAME_MAX_N, 1), ERR_OK);
    CU_ASSERT_EQUAL(many(1, OTA_SIP_NAME_MAX_N + 1, 1), ERR_LIMIT);
    CU_ASSERT_EQUAL(many(1, 1, OTA_SIP_LINE_MAX_N), ERR_OK);
    CU_ASSERT_EQUAL(many(1, 1, OTA_SIP_LINE_MAX_N + 1), ERR_LIMIT);
    CU_ASSERT_EQUAL(many(16, 1, 1000), ERR_OK);
    CU_ASSERT_EQUAL(many(17, 1, 1000), ERR_LIMIT);
}

/* A value that is continued without end is as long as all its lines. */
static void endless_continuation(void)
{
    struct ota_sip_head head;
    struct buf in, text;

    buf_init(&in, 1 << 20);
    buf_add_str(&in, REQUEST "To: x\r\n");
    while (in.n < OTA_SIP_LINE_MAX_N + 2000)
        buf_add_str(&in, " yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n");
    buf_add_str(&in, "\r\n");
    CU_ASSERT_EQUAL(read_head(buf_slice(&in), &head, &text), ERR_LIMIT);
    buf_clear(&text);
    buf_clear(&in);
}

/* What came out goes in again and stays as it is. */
static void one_form(void)
{
    struct ota_sip_head head;
    struct buf once, twice;

    CU_ASSERT_EQUAL(read_head(SLICE(REQUEST "To :a\r\n b\r\nv:\tc\r\nl: 3\r\n\r\nabc"), &head, &once),
                    ERR_OK);
    CU_ASSERT_EQUAL(read_head(buf_slice(&once), &head, &twice), ERR_OK);
    TEST_SLICE_EQ(buf_slice(&twice), buf_slice(&once));
    CU_ASSERT_EQUAL(head.wire_n, once.n);
    buf_clear(&once);
    buf_clear(&twice);
}

const struct test_case test_cases[] = {
    {"good_heads", good_heads}, {"bad_heads", bad_heads},
    {"ceilings", ceilings},     {"endless_continuation", endless_continuation},
    {"one_form", one_form},     {NULL, NULL}};
