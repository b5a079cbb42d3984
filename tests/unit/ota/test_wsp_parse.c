/* Datagrams read: forms that others print and we do not, code pages, and everything that is refused. */
#include "ota/wsp.h"

#include "tests/unit/harness.h"

#define PUSH(block_n, block) "\x07\x06" block_n block

struct row {
    const char *octets;
    size_t n;
    const char *lines; /* NULL: refused */
    enum err want;
};
#define GOOD(octets, lines)                                                                                  \
    {                                                                                                        \
        octets, sizeof(octets) - 1, lines, ERR_OK                                                            \
    }
#define BAD(octets, want)                                                                                    \
    {                                                                                                        \
        octets, sizeof(octets) - 1, NULL, want                                                               \
    }

static void check_row(const struct row *r)
{
    struct ota_wsp_push p = {.tid = 99};
    struct buf text;

    buf_init(&text, 65536);
    CU_ASSERT_EQUAL(ota_wsp_push_parse(slice_of(r->octets, r->n), &text, &p), r->want);
    if (r->lines) {
        TEST_SLICE_EQ(p.headers, slice_str(r->lines));
        CU_ASSERT_EQUAL(p.tid, 7);
    } else {
        CU_ASSERT_EQUAL(p.tid, 99); /* untouched */
    }
    buf_clear(&text);
}

static void forms_of_others(void)
{
    static const struct row rows[] = {
        GOOD(PUSH("\x02", "\x01\x83"), "Content-Type: text/plain\r\n"),
        GOOD(PUSH("\x07", "\x1F\x05\x83\x81\x02\x00\x6A"), "Content-Type: text/plain; charset=utf-8\r\n"),
        GOOD(PUSH("\x0B", "\x0A"
                          "a/b\0\x85name\0"),
             "Content-Type: a/b; name=name\r\n"),
        GOOD(PUSH("\x09", "\x08"
                          "a/b\0\x97\"n\0"),
             "Content-Type: a/b; name=\"n\"\r\n"),
        GOOD(PUSH("\x06", "\x05\x83q\0\x01\x09"), "Content-Type: text/plain; q=9\r\n"),
        GOOD(PUSH("\x05", "\x04\x83q\0\x00"), "Content-Type: text/plain; q=\"\"\r\n"),
        GOOD(PUSH("\x04", "\x03\x83\x84\x81"),
             "Content-Type: text/plain\r\n"), /* a parameter we do not know */
        GOOD(PUSH("\x03", "\x83\x88\x80"), "Content-Type: text/plain\r\nCache-Control: no-cache\r\n"),
        GOOD(PUSH("\x05", "\x83\x88\x02\x82\x81"), "Content-Type: text/plain\r\n"), /* max-age */
        GOOD(PUSH("\x03", "\x83\xB4\xF8"), "Content-Type: text/plain\r\n"),         /* reserved flags only */
        GOOD(PUSH("\x03", "\x83\xB4\x83"),
             "Content-Type: text/plain\r\nX-Wap-Push-Info: authenticated, trusted\r\n"),
        GOOD(PUSH("\x05", "\x83\xAF\x02\x12\x34"),
             "Content-Type: text/plain\r\nX-Wap-Application-Id: 4660\r\n"),
        GOOD(PUSH("\x03", "\x83\x91\x80"), "Content-Type: text/plain\r\n"), /* a header without a row */
        GOOD(PUSH("\x04", "\x83\xAE"
                          "a\0"),
             "Content-Type: text/plain\r\n"),
        GOOD(PUSH("\x03", "\x83\x8D\x80"), "Content-Type: text/plain\r\nContent-Length: 0\r\n"),
        /* page 2 has headers of others; its names are still names; page 1 again by either shift */
        GOOD(PUSH("\x07", "\x83\x02\x8D\x81\x01\x8D\x81"),
             "Content-Type: text/plain\r\nContent-Length: 1\r\n"),
        GOOD(PUSH("\x0D", "\x83\x7F\x20\x8D\x81"
                          "X\0y\0\x7F\x01\x8D\x82"),
             "Content-Type: text/plain\r\nX: y\r\nContent-Length: 2\r\n"),
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        check_row(&rows[i]);
    }
}

static void refused_frames_and_types(void)
{
    static const struct row rows[] = {
        BAD("", ERR_MALFORMED),
        BAD("\x07", ERR_MALFORMED),
        BAD("\x07\x06", ERR_MALFORMED),
        BAD("\x07\x07\x01\x83", ERR_MALFORMED), /* confirmed: sessions only */
        BAD("\x07\x04\x01\x83", ERR_MALFORMED),
        BAD("\x07\x06\x02\x83", ERR_LIMIT), /* block longer than the datagram */
        BAD("\x07\x06\x81", ERR_MALFORMED),
        BAD("\x07\x06\x8F\xFF\xFF\xFF\x7F\x83", ERR_LIMIT),
        BAD("\x07\x06\x81\x80\x01\x83", ERR_LIMIT),
        BAD(PUSH("\x00", ""), ERR_MALFORMED), /* no type */
        BAD(PUSH("\x01", "\x00"), ERR_MALFORMED),
        BAD(PUSH("\x01", "\xFE"), ERR_UNSUPPORTED), /* a type of no name */
        BAD(PUSH("\x04", "\x03\x02\x7F\xFF"), ERR_UNSUPPORTED),
        BAD(PUSH("\x02", "a\0"), ERR_MALFORMED),
        BAD(PUSH("\x04", "a/b\n"), ERR_MALFORMED),
        BAD(PUSH("\x05", "a b/\0"), ERR_MALFORMED),
        BAD(PUSH("\x03", "a/b"), ERR_MALFORMED),
        BAD(PUSH("\x02", "\x03\x83"), ERR_LIMIT),
        BAD(PUSH("\x04", "\x03\x83\x81\xFD"), ERR_UNSUPPORTED), /* charset */
        BAD(PUSH("\x03", "\x02\x83\x81"), ERR_MALFORMED),
        BAD(PUSH("\x06", "\x05\x83\x85"
                         "a b"),
            ERR_MALFORMED),
        BAD(PUSH("\x06", "\x05\x83"
                         "a b\0"),
            ERR_MALFORMED),
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        check_row(&rows[i]);
    }
}

static void refused_headers(void)
{
    static const struct row rows[] = {
        BAD(PUSH("\x02", "\x83\x8D"), ERR_MALFORMED),
        BAD(PUSH("\x04", "\x83\x8D"
                         "5\0"),
            ERR_MALFORMED),                               /* a length as text */
        BAD(PUSH("\x03", "\x83\x92\x80"), ERR_MALFORMED), /* a date as short integer */
        BAD(PUSH("\x0B", "\x83\x92\x08\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), ERR_MALFORMED),
        BAD(PUSH("\x03", "\x83\x8B\x83"), ERR_UNSUPPORTED), /* a coding of no name */
        BAD(PUSH("\x04", "\x83\xB4"
                         "a\0"),
            ERR_MALFORMED),
        BAD(PUSH("\x04", "\x83\xC0"
                         "a\0"),
            ERR_MALFORMED), /* no quote */
        BAD(PUSH("\x06", "\x83\xB1"
                         "a\r\nb"),
            ERR_MALFORMED),
        BAD(PUSH("\x08", "\x83\xB1"
                         "a\r\nb:\0"),
            ERR_MALFORMED), /* a line of its own */
        BAD(PUSH("\x06", "\x83"
                         "a:\0b\0"),
            ERR_MALFORMED),
        BAD(PUSH("\x05", "\x83"
                         "a\nb\0"),
            ERR_MALFORMED),
        BAD(PUSH("\x03", "\x83"
                         "a\0"),
            ERR_MALFORMED), /* a name without value */
        BAD(PUSH("\x02", "\x83\x00"), ERR_MALFORMED),
        BAD(PUSH("\x02", "\x83\x7F"), ERR_MALFORMED),
        BAD(PUSH("\x03", "\x83\x7F\x00"), ERR_MALFORMED),
        BAD(PUSH("\x04", "\x83\x02\x8D\x05"), ERR_LIMIT),
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        check_row(&rows[i]);
    }
}

static void ceilings(void)
{
    struct ota_wsp_push p;
    struct buf in, text;

    buf_init(&in, 65536);
    buf_init(&text, 65536);
    buf_add(&in, SLICE("\x07\x06\x81\x01\x83"));
    for (size_t i = 0; i < OTA_WSP_HEADERS_MAX; i++)
        buf_add(&in, SLICE("\x8D\x80"));
    CU_ASSERT_EQUAL(ota_wsp_push_parse(buf_slice(&in), &text, &p), ERR_OK);
    in.p[3] = 3;
    buf_add(&in, SLICE("\x8D\x80"));
    CU_ASSERT_EQUAL(ota_wsp_push_parse(buf_slice(&in), &text, &p), ERR_LIMIT);
    buf_clear(&text);
    buf_init(&text, 20); /* the caller's ceiling */
    CU_ASSERT_EQUAL(ota_wsp_push_parse(SLICE("\x07\x06\x01\x83"), &text, &p), ERR_LIMIT);
    buf_clear(&text);
    buf_clear(&in);
}

/* Whatever is cut off or changed in one octet: an answer, never a line that was not there. */
static void every_cut_and_flip(void)
{
    static const char good[] =
        "\x07\x06\x22\x03\xAE\x81\xEA\xAF\x82\xB4\x81\x8D\x02\x01\x00\x92\x04\x66\x32\x2E\xC0\xB1"
        "http://a/\0\x83\x81\x80x\0yContent";
    size_t n = sizeof good - 1;

    for (size_t i = 0; i < n * 8; i++) {
        char octets[sizeof good];
        struct ota_wsp_push p = {.tid = 0};
        struct buf text;

        for (size_t k = 0; k < n; k++)
            octets[k] = good[k];
        octets[i / 8] = (char)(octets[i / 8] ^ (1 << i % 8));
        buf_init(&text, 4096);
        if (ota_wsp_push_parse(slice_of(octets, i % 8 ? n : i / 8), &text, &p) == ERR_OK)
            CU_ASSERT(slice_ends(p.headers, SLICE("\r\n")));
        buf_clear(&text);
    }
}

const struct test_case test_cases[] = {
    {"forms_of_others", forms_of_others},       {"refused_frames_and_types", refused_frames_and_types},
    {"refused_headers", refused_headers},       {"ceilings", ceilings},
    {"every_cut_and_flip", every_cut_and_flip}, {NULL, NULL},
};
