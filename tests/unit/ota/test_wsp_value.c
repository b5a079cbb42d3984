/* Numbers, texts and lengths of WSP, both directions. */
#include "ota/wsp_value.h"

#include "tests/unit/harness.h"

/* The definition itself, bit by bit: the naive twin of the uintvar reader. */
static uint64_t naive_uintvar(struct slice in, size_t *used)
{
    uint64_t v = 0;

    for (*used = 0; *used < in.n;) {
        unsigned octet = (unsigned char)in.p[(*used)++];

        v = v * 128 + octet % 128;
        if (octet < 128)
            break;
    }
    return v;
}

static void uintvars(void)
{
    static const struct {
        uint32_t v;
        const char *octets;
        size_t n;
    } rows[] = {
        {0, "\0", 1},
        {1, "\x01", 1},
        {0x7F, "\x7F", 1},
        {0x80, "\x81\x00", 2},
        {0x3FFF, "\xFF\x7F", 2},
        {0x4000, "\x81\x80\x00", 3},
        {0x87A5, "\x82\x8F\x25", 3}, /* [WSP §8.1.2] */
        {UINT32_MAX, "\x8F\xFF\xFF\xFF\x7F", 5},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;
        struct scan s;
        size_t used;

        test_row(i);
        buf_init(&out, 16);
        ota_wsp_put_uintvar(&out, rows[i].v);
        TEST_SLICE_EQ(buf_slice(&out), slice_of(rows[i].octets, rows[i].n));
        CU_ASSERT(naive_uintvar(buf_slice(&out), &used) == rows[i].v && used == rows[i].n);
        s = scan_of(buf_slice(&out));
        CU_ASSERT(ota_wsp_take_uintvar(&s) == rows[i].v && s.err == ERR_OK && scan_done(&s));
        buf_clear(&out);
    }
}

static void uintvars_of_every_size_come_back(void)
{
    for (uint64_t v = 0; v <= UINT32_MAX; v = v * 3 + 1) {
        struct buf out;
        struct scan s;
        size_t used;

        buf_init(&out, 16);
        ota_wsp_put_uintvar(&out, (uint32_t)v);
        s = scan_of(buf_slice(&out));
        CU_ASSERT(naive_uintvar(buf_slice(&out), &used) == v);
        CU_ASSERT(ota_wsp_take_uintvar(&s) == v && scan_done(&s));
        buf_clear(&out);
    }
}

static void integers(void)
{
    static const struct {
        uint64_t v;
        const char *octets;
        size_t n;
    } rows[] = {
        {0, "\x80", 1},
        {2, "\x82", 1},
        {127, "\xFF", 1},
        {128, "\x01\x80", 2},
        {0x9002, "\x02\x90\x02", 3}, /* [OTA-HTTP §9.2] */
        {0x66322E00, "\x04\x66\x32\x2E\x00", 5},
        {UINT64_MAX, "\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 9},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;
        struct scan s;

        test_row(i);
        buf_init(&out, 16);
        ota_wsp_put_integer(&out, rows[i].v);
        TEST_SLICE_EQ(buf_slice(&out), slice_of(rows[i].octets, rows[i].n));
        s = scan_of(buf_slice(&out));
        CU_ASSERT(ota_wsp_take_integer(&s) == rows[i].v && s.err == ERR_OK && scan_done(&s));
        buf_clear(&out);
    }
}

static void texts(void)
{
    static const struct {
        const char *text, *octets;
        size_t n;
    } rows[] = {{"", "", 1}, {"a", "a", 2}, {"a b\tc", "a b\tc", 6}, {"\xC3\xA9", "\x7F\xC3\xA9", 4}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;
        struct scan s;

        test_row(i);
        buf_init(&out, 16);
        ota_wsp_put_text(&out, slice_str(rows[i].text));
        TEST_SLICE_EQ(buf_slice(&out), slice_of(rows[i].octets, rows[i].n));
        s = scan_of(buf_slice(&out));
        TEST_SLICE_EQ(ota_wsp_take_text(&s), slice_str(rows[i].text));
        CU_ASSERT(s.err == ERR_OK && scan_done(&s));
        buf_clear(&out);
    }
}

static void lengths(void)
{
    static const size_t rows[] = {0, 1, 30, 31, 127, 128, 5000};
    char content[5000] = {0};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;
        struct scan s;

        test_row(i);
        buf_init(&out, 6000);
        ota_wsp_put_length(&out, rows[i]);
        CU_ASSERT(out.n == (rows[i] < 31 ? 1u : rows[i] < 128 ? 2u : 3u));
        buf_add(&out, slice_of(content, rows[i]));
        s = scan_of(buf_slice(&out));
        CU_ASSERT(ota_wsp_take_counted(&s).n == rows[i] && s.err == ERR_OK && scan_done(&s));
        s = scan_of(buf_slice(&out));
        ota_wsp_skip_value(&s);
        CU_ASSERT(s.err == ERR_OK && scan_done(&s));
        buf_clear(&out);
    }
}

static void skipped_whatever_it_is(void)
{
    static const struct {
        const char *octets;
        size_t n;
    } rows[] = {{"\x80", 1},       {"\xFF", 1}, {"\x00", 1}, {"\x02\x90\x02", 3},
                {"\x1F\x02zz", 4}, {"text", 5}, {"\"q", 3},  {"\x7F\xE9", 3}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scan s = scan_of(slice_of(rows[i].octets, rows[i].n));

        test_row(i);
        ota_wsp_skip_value(&s);
        CU_ASSERT(s.err == ERR_OK && scan_done(&s));
    }
}

static void as_uintvar(struct scan *s)
{
    (void)ota_wsp_take_uintvar(s);
}
static void as_integer(struct scan *s)
{
    (void)ota_wsp_take_integer(s);
}
static void as_long(struct scan *s)
{
    (void)ota_wsp_take_long(s);
}
static void as_text(struct scan *s)
{
    (void)ota_wsp_take_text(s);
}
static void as_counted(struct scan *s)
{
    (void)ota_wsp_take_counted(s);
}

static void refused(void)
{
    static const struct {
        void (*as)(struct scan *s);
        const char *octets;
        size_t n;
        enum err want;
    } rows[] = {
        {as_uintvar, "", 0, ERR_MALFORMED},
        {as_uintvar, "\x81", 1, ERR_MALFORMED},
        {as_uintvar, "\x90\x80\x80\x80\x00", 5, ERR_LIMIT},
        {as_uintvar, "\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 7, ERR_LIMIT},
        {as_integer, "", 0, ERR_MALFORMED},
        {as_integer, "\x00", 1, ERR_MALFORMED},
        {as_integer, "\x02\x90", 2, ERR_MALFORMED},
        {as_integer, "\x1F\x01\x01", 3, ERR_MALFORMED},
        {as_integer, "5", 2, ERR_MALFORMED},
        {as_long, "\x09\x01\x01\x01\x01\x01\x01\x01\x01\x01", 10, ERR_LIMIT},
        {as_long, "\x80", 1, ERR_MALFORMED},
        {as_text, "", 0, ERR_MALFORMED},
        {as_text, "abc", 3, ERR_MALFORMED}, /* no NUL */
        {as_text, "a\nb", 4, ERR_MALFORMED},
        {as_text, "a\rb", 4, ERR_MALFORMED},
        {as_text, "\x01", 2, ERR_MALFORMED},
        {as_text, "a\x7F", 3, ERR_MALFORMED},
        {as_text, "\x7F", 2, ERR_MALFORMED},
        {as_text, "\x7Fplain", 7, ERR_MALFORMED},
        {as_text, "\xE9", 2, ERR_MALFORMED},
        {as_counted, "", 0, ERR_MALFORMED},
        {as_counted, "\x02z", 2, ERR_LIMIT},
        {as_counted, "\x1F\x8F\xFF\xFF\xFF\x7Fz", 7, ERR_LIMIT},
        {as_counted, "\x20zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", 34, ERR_MALFORMED},
        {ota_wsp_skip_value, "", 0, ERR_MALFORMED},
        {ota_wsp_skip_value, "abc", 3, ERR_MALFORMED},
        {ota_wsp_skip_value, "\x1F", 1, ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scan s = scan_of(slice_of(rows[i].octets, rows[i].n));

        test_row(i);
        rows[i].as(&s);
        CU_ASSERT_EQUAL(s.err, rows[i].want);
    }
}

const struct test_case test_cases[] = {
    {"uintvars", uintvars}, {"uintvars_of_every_size_come_back", uintvars_of_every_size_come_back},
    {"integers", integers}, {"texts", texts},
    {"lengths", lengths},   {"skipped_whatever_it_is", skipped_whatever_it_is},
    {"refused", refused},   {NULL, NULL},
};
