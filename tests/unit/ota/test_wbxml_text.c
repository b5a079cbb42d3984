/* Encodings, the shape of markup, dates. */
#include "ota/wbxml_text.h"

#include "base/buf.h"
#include "tests/unit/harness.h"

#define SI   "text/vnd.wap.si"
#define DECL "<?xml version=\"1.0\""

static void encodings_are_told(void)
{
    static const struct {
        const char *type, *want;
        struct slice xml;
    } rows[] = {
        {SI, "UTF-8", SLICE("<si/>")},
        {SI, "UTF-8", SLICE("")},
        {SI, "UTF-8", SLICE(DECL "?><si/>")},
        {SI, "ISO-8859-1", SLICE(DECL " encoding=\"ISO-8859-1\"?><si/>")},
        {SI, "ISO-8859-1", SLICE(DECL " encoding = 'latin1' standalone='yes'?><si/>")},
        {SI, "ASCII", SLICE(DECL " encoding='us-ascii'?>")},
        {SI "; charset=utf-8", "ASCII", SLICE(DECL " encoding='us-ascii'?>")}, /* the declaration wins */
        {SI ";charset=\"Iso-8859-1\"", "ISO-8859-1", SLICE("<si/>")},
        {SI "; level=1 ; Charset=ascii", "ASCII", SLICE(DECL "?><si/>")},
        {SI "; level", "UTF-8", SLICE("<si/>")},
        {SI "; level; charset=koi8-r", "UTF-8", SLICE("<si/>")}, /* broken parameters say nothing */
        {SI ";", "UTF-8", SLICE("<si/>")},
        {SI "; charset=koi8-r", "UTF-8", SLICE("\xEF\xBB\xBF<si/>")}, /* the mark wins */
        {SI, "UTF-16LE", SLICE("\xFF\xFE<\0")},
        {SI, "UTF-16BE", SLICE("\xFE\xFF\0<")},
        {SI, "UTF-16LE", SLICE("<\0?\0")},
        {SI "; charset=utf-8", "UTF-16BE", SLICE("\0<\0?")},
        {SI "; charset=koi8-r", NULL, SLICE("<si/>")},
        {SI "; charset=utf-16", NULL, SLICE("<si/>")},
        {SI "; charset=utf-7", NULL, SLICE("<si/>")},
        {SI "; charset=\"\"", NULL, SLICE("<si/>")},
        {SI "; charset=utf-8", NULL, SLICE(DECL " encoding='koi8-r'?>")},
        {SI, NULL, SLICE(DECL " encoding=\"UTF-16\"?>")},
        {SI, NULL, SLICE(DECL " encoding=\"\"?>")},
        {SI, "UTF-8", SLICE(DECL " encoding=\"koi8-r?>")}, /* not well-formed, which others say */
        {SI, "UTF-8", SLICE(DECL " encoding=koi8-r?>")},
        {SI, "UTF-8", SLICE(DECL " encoding")},
        {SI, "UTF-8", SLICE("<si>encoding='koi8-r'?></si>")},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = ota_wbxml_encoding(slice_str(rows[i].type), rows[i].xml);

        test_row(i);
        TEST_SLICE_EQ(slice_str(got), slice_str(rows[i].want));
    }
}

static void shapes(void)
{
    static const struct {
        struct slice in, left; /* left: when accepted */
        enum err want;
    } rows[] = {
        {SLICE("<a/>"), SLICE("<a/>"), ERR_OK},
        {SLICE("\xEF\xBB\xBF<a/>"), SLICE("<a/>"), ERR_OK},
        {SLICE("\n<a b='>' c=\"'\">\"<!-- <<\" --><![CDATA[<']]><?p <'?></a>"),
         SLICE("\n<a b='>' c=\"'\">\"<!-- <<\" --><![CDATA[<']]><?p <'?></a>"), ERR_OK},
        {SLICE("<!DOCTYPE a PUBLIC \"p\" 's'><a/>"), SLICE("<!DOCTYPE a PUBLIC \"p\" 's'><a/>"), ERR_OK},
        {SLICE(""), SLICE_NONE, ERR_MALFORMED},
        {SLICE("\xEF\xBB\xBF"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("a"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("\xEF\xBB\xBF\xFF\xFE<a/>"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("\x4C\x6F\xA7\x94"), SLICE_NONE, ERR_MALFORMED}, /* EBCDIC */
        {SLICE("\xEF\xBB\xBF\x4C\x6F\xA7\x94"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("<a>\xE9</a>"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("<a><![CDATA[\xC1\xAC]]></a>"), SLICE_NONE, ERR_MALFORMED}, /* overlong */
        {SLICE("<a>\0</a>"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("\0\0\0<"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("<a"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("<"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("<a b='>"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("<a <b/>>"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("<a b='<'/>"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("<a \"><b c=''/><d \"/>"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("<a><!-- --</a>"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("<a><!-->"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("<a><![CDATA[ ]>"), SLICE_NONE, ERR_MALFORMED},
        {SLICE("<?xml >"), SLICE_NONE, ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice s = rows[i].in;

        test_row(i);
        CU_ASSERT_EQUAL(ota_wbxml_check_text(&s), rows[i].want);
        if (!rows[i].want)
            TEST_SLICE_EQ(s, rows[i].left);
    }
}

static enum err tag_with(size_t attrs_n)
{
    struct buf doc;
    struct slice s;
    enum err e;

    buf_init(&doc, 4096);
    buf_add_str(&doc, "<a");
    for (size_t i = 0; i < attrs_n; i++)
        buf_addf(&doc, " a%zu=''", i);
    buf_add_str(&doc, "/>");
    s = buf_slice(&doc);
    e = ota_wbxml_check_text(&s);
    buf_clear(&doc);
    return e;
}

static void attributes_are_counted(void)
{
    CU_ASSERT_EQUAL(tag_with(0), ERR_OK);
    CU_ASSERT_EQUAL(tag_with(OTA_WBXML_ATTRS_MAX), ERR_OK);
    CU_ASSERT_EQUAL(tag_with(OTA_WBXML_ATTRS_MAX + 1), ERR_LIMIT);
}

static void dates(void)
{
    static const struct {
        const char *in;
        struct slice want; /* empty: malformed */
    } rows[] = {
        {"1999-06-25T15:23:15Z", SLICE("\x19\x99\x06\x25\x15\x23\x15")},
        {"1999-06-30T00:00:00Z", SLICE("\x19\x99\x06\x30")},
        {"2024-05-01T12:00:00Z", SLICE("\x20\x24\x05\x01\x12")},
        {"2024-05-01T12:10:00Z", SLICE("\x20\x24\x05\x01\x12\x10")},
        {"2000-10-10T00:00:01Z", SLICE("\x20\x00\x10\x10\x00\x00\x01")},
        {"2000-02-29T23:59:59Z", SLICE("\x20\x00\x02\x29\x23\x59\x59")},
        {"1900-02-29T00:00:00Z", SLICE_NONE},
        {"2023-02-29T00:00:00Z", SLICE_NONE},
        {"2024-04-31T00:00:00Z", SLICE_NONE},
        {"2024-00-01T00:00:00Z", SLICE_NONE},
        {"2024-13-01T00:00:00Z", SLICE_NONE},
        {"2024-01-00T00:00:00Z", SLICE_NONE},
        {"2024-01-32T00:00:00Z", SLICE_NONE},
        {"2024-01-01T24:00:00Z", SLICE_NONE},
        {"2024-01-01T00:60:00Z", SLICE_NONE},
        {"2016-12-31T23:59:60Z", SLICE_NONE},
        {"2024-01-01T00:00:00", SLICE_NONE},
        {"2024-01-01T00:00:00z", SLICE_NONE},
        {"2024-01-01T00:00:00.5Z", SLICE_NONE},
        {"2024-01-01T00:00:00+00:00", SLICE_NONE},
        {"2024-01-01 00:00:00Z", SLICE_NONE},
        {"2024-01-01T00:00Z", SLICE_NONE},
        {"2024-01-01", SLICE_NONE},
        {"24-01-01T00:00:00Z", SLICE_NONE},
        {"-024-01-01T00:00:00Z", SLICE_NONE},
        {"2024-1-1T00:00:00Z", SLICE_NONE},
        {"2024-01-01T00:00:00ZZ", SLICE_NONE},
        {" 2024-01-01T00:00:00Z", SLICE_NONE},
        {"20240101T000000Z", SLICE_NONE},
        {"", SLICE_NONE},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bcd[OTA_WBXML_DATE_MAX_N];
        size_t n = 99;
        enum err e = ota_wbxml_date(slice_str(rows[i].in), bcd, &n);

        test_row(i);
        CU_ASSERT_EQUAL(e, rows[i].want.n ? ERR_OK : ERR_MALFORMED);
        CU_ASSERT(!e || n == 99); /* untouched on failure */
        if (!e)
            TEST_SLICE_EQ(slice_of(bcd, n), rows[i].want);
    }
}

const struct test_case test_cases[] = {
    {"encodings_are_told", encodings_are_told},
    {"shapes", shapes},
    {"attributes_are_counted", attributes_are_counted},
    {"dates", dates},
    {NULL, NULL},
};
