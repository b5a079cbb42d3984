/* Pushes printed as datagrams: octets written by hand from the specification, refusals, and that reading gives back
 * what was printed. */
#include "ota/wsp.h"

#include <stdio.h>
#include "base/codec.h"
#include "tests/unit/harness.h"

#define SI_TYPE "Content-Type: application/vnd.wap.sic; charset=utf-8\r\n"
#define PLAIN   "Content-Type: text/plain\r\n"

/* The datagram as hexadecimal digits must be `want`, blanks apart. */
static void check_octets(const char *lines, const char *content, const char *want)
{
    char hex[512];
    struct buf out, text;
    size_t n = 0;

    for (const char *p = want; *p; p++)
        if (*p != ' ')
            hex[n++] = *p;
    buf_init(&out, 1024);
    buf_init(&text, 2048);
    CU_ASSERT_EQUAL(ota_wsp_push_print(1, slice_str(lines), slice_str(content), &out), ERR_OK);
    codec_hex(&text, buf_slice(&out));
    TEST_SLICE_EQ(buf_slice(&text), slice_of(hex, n));
    buf_clear(&out);
    buf_clear(&text);
}

static void octets_by_hand(void)
{
    static const struct {
        const char *lines, *content, *want;
    } rows[] = {
        /* the example of [OTA-HTTP §9.3], without its user data header */
        {SI_TYPE "X-Wap-Application-Id: x-wap-application:wml.ua\r\nX-Wap-Push-Info: authenticated\r\n", "",
         "01 06 08 03ae81ea af82 b481"},
        /* the frame of the SIA of [OTA-HTTP §9.1] */
        {"Content-Type: application/vnd.wap.sia\r\nX-Wap-Application-Id: x-wap-application:push.sia\r\n", "",
         "01 06 03 b4 af81"},
        {PLAIN, "Hi", "01 06 01 83 4869"},
        {"content-type: TEXT/plain ;  charset=\"utf-8\" \r\n", "", "01 06 04 038381ea"},
        {"Content-Type: a/b\r\n", "", "01 06 04 612f6200"},
        {"Content-Type: a/b; charset=utf-7; q=\"x \\\"y\"\r\n", "",
         "01 06 1b 1a 612f6200 6368617273657400 7574662d3700 7100 2278202279 00"},
        {"Content-Type: application/vnd.wap.emn+wbxml\r\n", "", "01 06 04 03 02030a"},
        {"Content-Type: text/plain; charset=utf-16\r\n", "", "01 06 06 05 83 81 0203f7"},
        {PLAIN "X-Wap-Application-Id: x-oma-nokia:call.ua\r\n", "", "01 06 05 83 af029002"},
        {PLAIN "X-Wap-Application-Id: x-a:b\r\n", "", "01 06 08 83 af 782d613a6200"},
        {PLAIN "Content-Length: 200\r\nContent-Encoding: gzip\r\n", "", "01 06 06 83 8d01c8 8b80"},
        {PLAIN "Date: Wed, 01 May 2024 12:00:00 GMT\r\n", "", "01 06 07 83 92 046632 2ec0"},
        {PLAIN "Cache-Control: no-transform\r\nX-Wap-Initiator-URI: u:v\r\n", "",
         "01 06 08 83 c788 b1 753a7600"},
        {PLAIN "X-Wap-Push-Info: trusted, authenticated, last\r\n", "", "01 06 03 83 b487"},
        {PLAIN "X-Wap-Push-Info: unknown\r\n", "", "01 06 01 83"},
        {PLAIN "Content-ID: <a@b>\r\n", "", "01 06 09 83 c0 22 3c6140623e 00"},
        /* without a compact form: by name */
        {PLAIN "X-A: b\r\n", "", "01 06 07 83 582d4100 6200"},
        {PLAIN "X-A: \r\nX-A: \xC3\xA9\r\n", "", "01 06 0e 83 582d4100 00 582d4100 7fc3a900"},
        {PLAIN "Date: soon\r\n", "", "01 06 0b 83 4461746500 736f6f6e00"},
        {PLAIN "Content-Encoding: br\r\n", "", "01 06 15 83 436f6e74656e742d456e636f64696e6700 627200"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        check_octets(rows[i].lines, rows[i].content, rows[i].want);
    }
}

static void long_blocks_have_long_lengths(void)
{
    char lines[600];
    struct buf out;
    int n = snprintf(lines, sizeof lines, PLAIN "X-A: %0200d\r\n", 7);

    buf_init(&out, 1024);
    CU_ASSERT_EQUAL(ota_wsp_push_print(9, slice_of(lines, (size_t)n), SLICE("body"), &out), ERR_OK);
    CU_ASSERT(out.n == 2 + 2 + 206 + 4);
    TEST_SLICE_EQ(slice_sub(buf_slice(&out), 0, 4), SLICE("\x09\x06\x81\x4E"));
    TEST_SLICE_EQ(slice_sub(buf_slice(&out), 210, 4), SLICE("body"));
    buf_clear(&out);
}

static void refused(void)
{
    static const struct {
        const char *lines;
        enum err want;
    } rows[] = {
        {"", ERR_MALFORMED},
        {"Date: Wed, 01 May 2024 12:00:00 GMT\r\n", ERR_MALFORMED}, /* no type */
        {PLAIN PLAIN, ERR_MALFORMED},
        {"Content-Type: \r\n", ERR_MALFORMED},
        {"Content-Type: text\r\n", ERR_MALFORMED},
        {"Content-Type: text/\r\n", ERR_MALFORMED},
        {"Content-Type: text/plain;\r\n", ERR_MALFORMED},
        {"Content-Type: text/plain; a\r\n", ERR_MALFORMED},
        {"Content-Type: text/plain; a=\r\n", ERR_MALFORMED},
        {"Content-Type: text/plain; a=\"b\r\n", ERR_MALFORMED},
        {"Content-Type: text/plain b\r\n", ERR_MALFORMED},
        {PLAIN "X-A\r\n", ERR_MALFORMED},
        {PLAIN "X A: b\r\n", ERR_MALFORMED},
        {PLAIN "X-A: b", ERR_MALFORMED},
        {PLAIN "X-A: \x01\r\n", ERR_MALFORMED},
    };
    struct buf out;

    buf_init(&out, 1024);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(ota_wsp_push_print(1, slice_str(rows[i].lines), SLICE("x"), &out), rows[i].want);
        CU_ASSERT_EQUAL(out.n, 0);
    }
    buf_clear(&out);
}

static void ceilings(void)
{
    struct buf lines, out;

    buf_init(&lines, 1 << 20);
    buf_init(&out, 64);
    buf_add(&lines, SLICE(PLAIN));
    CU_ASSERT_EQUAL(
        ota_wsp_push_print(1, buf_slice(&lines), slice_of(lines.p, 80 < lines.n ? 80 : lines.n), &out),
        ERR_OK);
    buf_clear(&out);
    CU_ASSERT_EQUAL(ota_wsp_push_print(1, buf_slice(&lines),
                                       SLICE("1234567890123456789012345678901234567890123456789012345678901"),
                                       &out),
                    ERR_LIMIT);
    buf_clear(&out);
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < OTA_WSP_HEADERS_MAX; i++)
        buf_addf(&lines, "X-%zu: y\r\n", i);
    CU_ASSERT_EQUAL(ota_wsp_push_print(1, buf_slice(&lines), SLICE_NONE, &out), ERR_OK);
    buf_add(&lines, SLICE("X-One: more\r\n"));
    CU_ASSERT_EQUAL(ota_wsp_push_print(1, buf_slice(&lines), SLICE_NONE, &out), ERR_LIMIT);
    buf_clear(&lines);
    buf_init(&lines, 1 << 20);
    buf_addf(&lines, PLAIN "X-A: %020000d\r\n", 1);
    CU_ASSERT_EQUAL(ota_wsp_push_print(1, buf_slice(&lines), SLICE_NONE, &out), ERR_LIMIT);
    buf_clear(&lines);
    buf_clear(&out);
}

static void printed_is_read_back(void)
{
    static const char *const rows[] = {
        PLAIN,
        "Content-Type: text/plain; charset=utf-8\r\nX-Push-Message-ID: n-12\r\nContent-Length: 4\r\n",
        "Content-Type: a/b; charset=x-own; q=\"r \\\"s\\\\\"; t=u\r\n",
        SI_TYPE "Date: Wed, 01 May 2024 12:00:00 GMT\r\nExpires: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
        PLAIN
        "X-Wap-Application-Id: x-wap-application:mms.ua\r\nX-Wap-Initiator-URI: https://a.example/b?c=d\r\n",
        PLAIN
        "X-Wap-Application-Id: x-oma-nokia:call.ua\r\nX-Wap-Push-Info: authenticated, trusted, last\r\n",
        PLAIN "X-Wap-Application-Id: urn:own\r\nX-Wap-Content-URI: http://b/\r\nEtag: \"e\"\r\n",
        PLAIN "Content-Encoding: deflate\r\nContent-Language: en, fr\r\nContent-Location: c\r\n",
        PLAIN "Content-Encoding: br\r\nCache-Control: max-age=60\r\nCache-Control: no-store\r\nContent-ID: "
              "<x@y>\r\n",
        PLAIN "X-Any: \xC3\xA9t\xC3\xA9\r\nX-Other: a\tb: c; \"d\"\r\nProfile: http://p/\r\nDate: never\r\n",
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_wsp_push p = {.tid = 0};
        struct buf out, text;

        test_row(i);
        buf_init(&out, 4096);
        buf_init(&text, 4096);
        CU_ASSERT_EQUAL(ota_wsp_push_print((uint8_t)(250 + i), slice_str(rows[i]), SLICE("b\0dy"), &out),
                        ERR_OK);
        CU_ASSERT_EQUAL(ota_wsp_push_parse(buf_slice(&out), &text, &p), ERR_OK);
        CU_ASSERT_EQUAL(p.tid, (uint8_t)(250 + i));
        TEST_SLICE_EQ(p.headers, slice_str(rows[i]));
        TEST_SLICE_EQ(p.content, SLICE("b\0dy"));
        buf_clear(&out);
        buf_clear(&text);
    }
}

const struct test_case test_cases[] = {
    {"octets_by_hand", octets_by_hand},
    {"long_blocks_have_long_lengths", long_blocks_have_long_lengths},
    {"refused", refused},
    {"ceilings", ceilings},
    {"printed_is_read_back", printed_is_read_back},
    {NULL, NULL},
};
