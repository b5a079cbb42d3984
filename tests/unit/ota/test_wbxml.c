/* Textual SI, SL and CO to WBXML: octets of published examples and of every token, and what is refused. */
#include "ota/wbxml.h"

#include "tests/unit/harness.h"

#define SI   "text/vnd.wap.si"
#define SL   "text/vnd.wap.sl"
#define CO   "text/vnd.wap.co"
#define DECL "<?xml version=\"1.0\"?>\n"
#define SIC  "\x02\x05\x6A\x00\x45" /* header, si with content */
#define SLC  "\x02\x06\x6A\x00\x85" /* header, sl with attributes */
#define COC  "\x02\x07\x6A\x00\x45" /* header, co with content */
#define DTD  "<!DOCTYPE si PUBLIC \"-//WAPFORUM//DTD SI 1.0//EN\" \"http://www.wapforum.org/DTD/si.dtd\""

struct good {
    const char *type;
    struct slice xml, want;
};

static void check_good(const struct good *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct buf out;

        test_row(i);
        buf_init(&out, 4096);
        CU_ASSERT_EQUAL(ota_wbxml_from_text(slice_str(rows[i].type), rows[i].xml, &out), ERR_OK);
        TEST_SLICE_EQ(buf_slice(&out), rows[i].want);
        buf_clear(&out);
    }
}

/* The service indication of WAP-167, and those of [OTA-HTTP §9.3, §9.4]. */
static void published_examples(void)
{
    static const struct good rows[] = {
        {SI,
         SLICE(DECL DTD ">\n<si>\n<indication href=\"http://www.xyz.com/email/123/abc.wml\"\n"
                        "created=\"1999-06-25T15:23:15Z\"\nsi-expires=\"1999-06-30T00:00:00Z\">\n"
                        "You have 4 new emails\n</indication>\n</si>\n"),
         SLICE(SIC
               "\xC6\x0D\x03xyz\0\x85\x03"
               "email/123/abc.wml\0\x0A\xC3\x07\x19\x99\x06\x25\x15\x23\x15\x10\xC3\x04\x19\x99\x06\x30\x01"
               "\x03You have 4 new emails\0\x01\x01")},
        {SI,
         SLICE("<si><indication href='http://www.example.com/m/1' si-id='1@example.com' "
               "created='2024-05-01T12:00:00Z'>Hi</indication></si>"),
         SLICE(SIC "\xC6\x0D\x03"
                   "example\0\x85\x03m/1\0\x11\x03"
                   "1@example.com\0\x0A\xC3\x05\x20\x24\x05\x01\x12\x01\x03Hi\0\x01\x01")},
        {SL, SLICE("<sl href=\"http://www.example.com/s\" action=\"execute-low\"/>"),
         SLICE(SLC "\x0A\x03"
                   "example\0\x85\x03s\0\x05\x01")},
    };

    check_good(rows, COUNT(rows));
}

static void attribute_tokens(void)
{
    static const struct good rows[] = {
        {SI, SLICE("<si><indication action='signal-none'/></si>"), SLICE(SIC "\x86\x05\x01\x01")},
        {SI, SLICE("<si><indication action='signal-low'/></si>"), SLICE(SIC "\x86\x06\x01\x01")},
        {SI, SLICE("<si><indication action='signal-medium'/></si>"), SLICE(SIC "\x86\x07\x01\x01")},
        {SI, SLICE("<si><indication action='signal-high'/></si>"), SLICE(SIC "\x86\x08\x01\x01")},
        {SI, SLICE("<si><indication action=' delete\n'/></si>"), SLICE(SIC "\x86\x09\x01\x01")},
        {SI, SLICE("<si><indication created=' 2024-05-01T12:00:00Z '/></si>"),
         SLICE(SIC "\x86\x0A\xC3\x05\x20\x24\x05\x01\x12\x01\x01")},
        {SI, SLICE("<si><indication href=''/></si>"), SLICE(SIC "\x86\x0B\x01\x01")},
        {SI, SLICE("<si><indication href='tel:1'/></si>"), SLICE(SIC "\x86\x0B\x03tel:1\0\x01\x01")},
        {SI, SLICE("<si><indication href='http://'/></si>"), SLICE(SIC "\x86\x0C\x01\x01")},
        {SI, SLICE("<si><indication href='http://www'/></si>"), SLICE(SIC "\x86\x0C\x03www\0\x01\x01")},
        {SI, SLICE("<si><indication href='http://www.'/></si>"), SLICE(SIC "\x86\x0D\x01\x01")},
        {SI, SLICE("<si><indication href='https://a'/></si>"),
         SLICE(SIC "\x86\x0E\x03"
                   "a\0\x01\x01")},
        {SI, SLICE("<si><indication href='https://www..com/'/></si>"), SLICE(SIC "\x86\x0F\x85\x01\x01")},
        {SI, SLICE("<si><indication href='HTTP://a'/></si>"), SLICE(SIC "\x86\x0B\x03HTTP://a\0\x01\x01")},
        {SI, SLICE("<si><indication si-expires='9999-12-31T23:59:59Z' si-id='b.org/'/></si>"),
         SLICE(SIC "\x86\x10\xC3\x07\x99\x99\x12\x31\x23\x59\x59\x11\x03"
                   "b\0\x88\x01\x01")},
        {SI, SLICE("<si><indication/><info><item class='a'/><item class=' b-1 '>c</item></info></si>"),
         SLICE(SIC "\x06\x47\x88\x12\x03"
                   "a\0\x01\xC8\x12\x03"
                   "b-1\0\x01\x03"
                   "c\0\x01\x01\x01")},
        {SL, SLICE("<sl action='execute-high' href='a.com/.edu/b.net/.org/c'/>"),
         SLICE(SLC "\x06\x08\x03"
                   "a\0\x85\x86\x03"
                   "b\0\x87\x88\x03"
                   "c\0\x01")},
        {SL, SLICE("<sl href='http://.com' action='cache'/>"), SLICE(SLC "\x09\x03.com\0\x07\x01")},
        {SL, SLICE("<sl href='https://'>\n</sl>"), SLICE(SLC "\x0B\x01")},
        {SL, SLICE("<sl href='https://www.'></sl>"), SLICE(SLC "\x0C\x01")},
        {CO,
         SLICE("<co> <invalidate-object uri='x'/> <invalidate-service uri='http://x'/>\n"
               "<invalidate-object uri='http://www.x'/><invalidate-object uri='https://x.net/'/>"
               "<invalidate-service uri='https://www.x'/></co>"),
         SLICE(
             COC
             "\x86\x05\x03x\0\x01\x87\x06\x03x\0\x01\x86\x07\x03x\0\x01\x86\x08\x03x\0\x87\x01\x87\x09\x03x\0"
             "\x01\x01")},
    };

    check_good(rows, COUNT(rows));
}

static void text_and_encodings(void)
{
    static const struct good rows[] = {
        {SI, SLICE("<si><indication/></si>"), SLICE(SIC "\x06\x01")},
        {SI, SLICE("<si><indication> \r\n&#32;&#9;</indication></si>"), SLICE(SIC "\x06\x01")},
        {SI, SLICE("<si><indication> a  b\nc </indication></si>"),
         SLICE(SIC "\x46\x03"
                   "a  b\nc\0\x01\x01")},
        {SI,
         SLICE("<si><indication>a<!-- - -->b<?p q?>&lt;<![CDATA[<&]]>&amp;&#xE9;&#233;</indication></si>"),
         SLICE(SIC "\x46\x03"
                   "ab<<&&\xC3\xA9\xC3\xA9\0\x01\x01")},
        {SI, SLICE("<si><indication>a.com/</indication></si>"),
         SLICE(SIC "\x46\x03"
                   "a.com/\0\x01\x01")},
        {SI, SLICE("<si><indication href='a&amp;b&#x26;&apos;&#10;'/></si>"),
         SLICE(SIC "\x86\x0B\x03"
                   "a&b&'\n\0\x01\x01")},
        {SI, SLICE("\xEF\xBB\xBF" DECL "<!-- a -->" DTD " ><?b c?><si><indication/></si><!-- d -->"),
         SLICE(SIC "\x06\x01")},
        {SI, SLICE("<!DOCTYPE si SYSTEM 'file:///nowhere'><si><indication/></si>"), SLICE(SIC "\x06\x01")},
        {SI, SLICE("<!DOCTYPE si><si><indication/></si>"), SLICE(SIC "\x06\x01")},
        {"Text/VND.wap.SI ; charset=UTF-8", SLICE("<si><indication>\xE2\x82\xAC</indication></si>"),
         SLICE(SIC "\x46\x03\xE2\x82\xAC\0\x01\x01")},
        {SI "; charset=iso-8859-1", SLICE("<si><indication>\xE9</indication></si>"),
         SLICE(SIC "\x46\x03\xC3\xA9\0\x01\x01")},
        {SI "; charset=iso-8859-1",
         SLICE("<?xml version='1.0' encoding='utf-8'?><si><indication>\xC3\xA9</indication></si>"),
         SLICE(SIC "\x46\x03\xC3\xA9\0\x01\x01")},
        {SI, SLICE("<?xml version='1.0' encoding='iso-8859-1'?><si><indication>\xE9</indication></si>"),
         SLICE(SIC "\x46\x03\xC3\xA9\0\x01\x01")},
        {SI, SLICE("<?xml version='1.0' encoding='us-ascii'?><si><indication>e&#233;</indication></si>"),
         SLICE(SIC "\x46\x03"
                   "e\xC3\xA9\0\x01\x01")},
        {SL "; charset=utf-16", SLICE("\xFF\xFE<\0s\0l\0 \0h\0r\0e\0f\0=\0'\0\xAC\x20'\0/\0>\0"),
         SLICE(SLC "\x08\x03\xE2\x82\xAC\0\x01")},
        {SL, SLICE("\0<\0s\0l\0 \0h\0r\0e\0f\0=\0'\x20\xAC\0'\0/\0>"),
         SLICE(SLC "\x08\x03\xE2\x82\xAC\0\x01")},
    };

    check_good(rows, COUNT(rows));
}

struct bad {
    const char *type;
    struct slice xml;
    enum err want;
};

static void check_bad(const struct bad *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct buf out;

        test_row(i);
        buf_init(&out, 4096);
        CU_ASSERT_EQUAL(ota_wbxml_from_text(slice_str(rows[i].type), rows[i].xml, &out), rows[i].want);
        buf_clear(&out);
    }
}

/* [PAP §9.2] */
static void grammar_of_si_is_kept(void)
{
    static const struct bad rows[] = {
        {SI, SLICE("<si/>"), ERR_MALFORMED},
        {SI, SLICE("<si> </si>"), ERR_MALFORMED},
        {SI, SLICE("<sl href='a'/>"), ERR_MALFORMED},
        {SI, SLICE("<indication/>"), ERR_MALFORMED},
        {SI, SLICE("<SI><indication/></SI>"), ERR_MALFORMED},
        {SI, SLICE("<si a='b'><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si>text<indication/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><![CDATA[text]]><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication/>&#33;</si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication/><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><info><item class='a'/></info><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><info><item class='a'/></info></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication/><info/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication/><info>text</info></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication/><info><item/></info></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication/><info><item class=''/></info></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication/><info><item class='a b'/></info></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication/><info><item class='a.com/'/></info></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication/><info><item class='a' href='b'/></info></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication/><info><item class='a'/></info><info><item class='a'/></info></si>"),
         ERR_MALFORMED},
        {SI, SLICE("<si><indication/><item class='a'/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication><b>bold</b></indication></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication><si><indication/></si></indication></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication class='a'/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication HREF='a'/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication x:href='a' xmlns:x='urn:x'/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si xmlns='urn:x'><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE("<x:si xmlns:x='urn:x'><x:indication/></x:si>"), ERR_MALFORMED},
        {SI, SLICE("<x:si><indication/></x:si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication xml:lang='en'/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication xml:href='a'/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication href='a' href='b'/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication action=''/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication action='signal'/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication action='signal-medium2'/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication action='Delete'/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication action='cache'/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication created=''/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication created='2024-02-30T12:00:00Z'/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication si-expires='2024-02-03'/></si>"), ERR_MALFORMED},
    };

    check_bad(rows, COUNT(rows));
}

static void grammars_of_sl_and_co_are_kept(void)
{
    static const struct bad rows[] = {
        {SL, SLICE("<si><indication/></si>"), ERR_MALFORMED},
        {CO, SLICE("<si><indication/></si>"), ERR_MALFORMED},
        {SL, SLICE("<sl/>"), ERR_MALFORMED},
        {SL, SLICE("<sl action='cache'/>"), ERR_MALFORMED},
        {SL, SLICE("<sl href='a' action='delete'/>"), ERR_MALFORMED},
        {SL, SLICE("<sl href='a' si-id='b'/>"), ERR_MALFORMED},
        {SL, SLICE("<sl href='a'>text</sl>"), ERR_MALFORMED},
        {SL, SLICE("<sl href='a'><sl href='a'/></sl>"), ERR_MALFORMED},
        {CO, SLICE("<co/>"), ERR_MALFORMED},
        {CO, SLICE("<co><invalidate-object/></co>"), ERR_MALFORMED},
        {CO, SLICE("<co><invalidate-object href='a'/></co>"), ERR_MALFORMED},
        {CO, SLICE("<co><invalidate-all uri='a'/></co>"), ERR_MALFORMED},
        {CO, SLICE("<co><invalidate-object uri='a'>b</invalidate-object></co>"), ERR_MALFORMED},
        {CO, SLICE("<co uri='a'><invalidate-object uri='a'/></co>"), ERR_MALFORMED},
    };

    check_bad(rows, COUNT(rows));
}

/* What no well-formed document without DTD has, and what may not be expanded or loaded. */
static void hostile_documents_are_refused(void)
{
    static const struct bad rows[] = {
        {SI, SLICE(""), ERR_MALFORMED},
        {SI, SLICE(" "), ERR_MALFORMED},
        {SI, SLICE("\xEF\xBB\xBF"), ERR_MALFORMED},
        {SI, SLICE("si"), ERR_MALFORMED},
        {SI, SLICE("<si><indication/>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication"), ERR_MALFORMED},
        {SI, SLICE("<si><indication href='a"), ERR_MALFORMED},
        {SI, SLICE("<si><indication></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication/></si><si><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication/></si>a"), ERR_MALFORMED},
        {SI, SLICE(" " DECL "<si><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE(DECL DECL "<si><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE("<?xml version='1.1'?><si><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE("<?xml version='1.0' encoding='a b'?><si><indication/></si>"), ERR_UNSUPPORTED},
        {SI, SLICE("<?xml encoding='utf-8'?><si><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication>&b;</indication></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication href='&b;'/></si>"), ERR_MALFORMED},
        {SI, SLICE(DTD "><si><indication>&b;</indication></si>"), ERR_MALFORMED},
        {SI, SLICE(DTD "><si><indication href='a&b;c'/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication>&#0;</indication></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication>&#xD800;</indication></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication>&#x110000;</indication></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication>&lt</indication></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication>\x01</indication></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication>\0</indication></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication>\xC0\x80</indication></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication><![CDATA[\xC1\xAC]]></indication></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication>\xED\xA0\x80</indication></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><indication>\xE9</indication></si>"), ERR_MALFORMED},
        {SI, SLICE("<!DOCTYPE si []><si><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE(DTD "[]><si><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE(DTD " [ <?p?> ]><si><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE(DTD " [<!ENTITY b 'c'>]><si><indication>&b;</indication></si>"), ERR_MALFORMED},
        {SI,
         SLICE(DTD "[<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>"
                   "<si><indication>&c;&c;</indication></si>"),
         ERR_MALFORMED},
        {SI, SLICE(DTD "[<!ENTITY b SYSTEM 'file:///etc/passwd'>]><si><indication>&b;</indication></si>"),
         ERR_MALFORMED},
        {SI, SLICE(DTD "[<!ENTITY % b SYSTEM 'http://127.0.0.1/'> %b;]><si><indication/></si>"),
         ERR_MALFORMED},
        {SI, SLICE(DTD "[<!ATTLIST indication href CDATA 'a'>]><si><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE("<!DOCTYPE sl><si><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE("<!DOCTYPE si PUBLIC 'a'><si><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE("<!DOCTYPE si><!DOCTYPE si><si><indication/></si>"), ERR_MALFORMED},
        {SI, SLICE("<si><!DOCTYPE si><indication/></si>"), ERR_MALFORMED},
    };

    check_bad(rows, COUNT(rows));
}

static void foreign_types_and_encodings(void)
{
    static const struct bad rows[] = {
        {"text/vnd.wap.wml", SLICE("<si><indication/></si>"), ERR_UNSUPPORTED},
        {"application/vnd.wap.sic", SLICE("<si><indication/></si>"), ERR_UNSUPPORTED},
        {"text/xml", SLICE("<si><indication/></si>"), ERR_UNSUPPORTED},
        {"", SLICE("<si><indication/></si>"), ERR_UNSUPPORTED},
        {SI "; charset=koi8-r", SLICE("<si><indication/></si>"), ERR_UNSUPPORTED},
        {SI "; charset=utf-16", SLICE("<si><indication/></si>"), ERR_UNSUPPORTED},
        {SI, SLICE("<?xml version='1.0' encoding='utf-16'?><si><indication/></si>"), ERR_UNSUPPORTED},
        {SI, SLICE("<?xml version='1.0' encoding='koi8-r'?><si><indication/></si>"), ERR_UNSUPPORTED},
        {SI, SLICE("<?xml version='1.0' encoding='us-ascii'?><si><indication>\xE9</indication></si>"),
         ERR_MALFORMED},
        {SI "; charset=us-ascii", SLICE("<si><indication>\xC3\xA9</indication></si>"), ERR_MALFORMED},
        {SL, SLICE("\xFF\xFE<\0s"), ERR_MALFORMED},
        {SL, SLICE("\xFF\xFE<\0s\0l\0 \0h\0r\0e\0f\0=\0'\0\x00\xD8'\0/\0>\0"), ERR_MALFORMED},
        {SL, SLICE("\xFF\xFE\0\0<\0\0\0s\0\0\0l\0\0\0"), ERR_MALFORMED},
        {SL, SLICE("\0\0\0<\0\0\0s\0\0\0l"), ERR_MALFORMED},
        /* "<?xml" in EBCDIC */
        {SL, SLICE("\x4C\x6F\xA7\x94\x93\x40"), ERR_MALFORMED},
        {SL, SLICE("\xEF\xBB\xBF\x4C\x6F\xA7\x94\x93\x40"), ERR_MALFORMED},
    };

    check_bad(rows, COUNT(rows));
}

static void every_prefix_is_refused(void)
{
    static const struct slice whole =
        SLICE(DECL DTD "><si><indication href='http://a.com/'>b &amp; \xC3\xA9</indication>"
                       "<info><item class='c'>d</item></info></si>");
    struct buf out;

    for (size_t n = 0; n < whole.n; n++) {
        test_row(n);
        buf_init(&out, 4096);
        CU_ASSERT_EQUAL(ota_wbxml_from_text(SLICE(SI), slice_sub(whole, 0, n), &out), ERR_MALFORMED);
        buf_clear(&out);
    }
}

/* n octets: `head`, `each` again and again, blanks, `tail`. */
static enum err long_document(const char *head, const char *each, size_t n, const char *tail,
                              size_t out_max_n)
{
    struct buf doc, out;
    enum err e;

    buf_init(&doc, 2 * OTA_WBXML_TEXT_MAX_N);
    buf_init(&out, out_max_n);
    buf_add_str(&doc, head);
    while (doc.n + strlen(each) + strlen(tail) <= n)
        buf_add_str(&doc, each);
    while (doc.n + strlen(tail) < n)
        buf_add_ch(&doc, ' ');
    buf_add_str(&doc, tail);
    e = ota_wbxml_from_text(SLICE(SI), buf_slice(&doc), &out);
    buf_clear(&doc);
    buf_clear(&out);
    return e;
}

static void ceilings(void)
{
    static const size_t max = OTA_WBXML_TEXT_MAX_N;
    struct buf out;

    CU_ASSERT_EQUAL(long_document("<si><indication>", "a", max, "</indication></si>", max), ERR_OK);
    CU_ASSERT_EQUAL(long_document("<si><indication>", "a", max + 1, "</indication></si>", max), ERR_LIMIT);
    CU_ASSERT_EQUAL(long_document("<si><indication>", "a", 1000, "</indication></si>", 900), ERR_LIMIT);
    CU_ASSERT_EQUAL(long_document("<si>", "<si>", max, "", max), ERR_MALFORMED);
    CU_ASSERT_EQUAL(long_document("<si><indication ", "a='' ", max, "/></si>", max), ERR_LIMIT);
    buf_init(&out, 4); /* the header alone */
    CU_ASSERT_EQUAL(ota_wbxml_from_text(SLICE(SI), SLICE("<si><indication a='b'/></si>"), &out),
                    ERR_MALFORMED);
    CU_ASSERT_EQUAL(ota_wbxml_from_text(SLICE(SI), SLICE("<si><indication href='b'/></si>"), &out),
                    ERR_LIMIT);
    buf_clear(&out);
}

static void output_is_appended(void)
{
    struct buf out;

    buf_init(&out, 64);
    buf_add_str(&out, "before");
    CU_ASSERT_EQUAL(ota_wbxml_from_text(SLICE(SL), SLICE("<sl href='a'/>"), &out), ERR_OK);
    TEST_SLICE_EQ(buf_slice(&out), SLICE("before" SLC "\x08\x03"
                                         "a\0\x01"));
    buf_clear(&out);
}

static void types_are_mapped(void)
{
    static const struct {
        struct slice in, want;
    } rows[] = {
        {SLICE(SI), SLICE("application/vnd.wap.sic")},
        {SLICE("TEXT/vnd.wap.sl; charset=koi8-r"), SLICE("application/vnd.wap.slc")},
        {SLICE(" text/vnd.wap.co ;a"), SLICE("application/vnd.wap.coc")},
        {SLICE("text/vnd.wap.wml"), SLICE_NONE},
        {SLICE("application/vnd.wap.sic"), SLICE_NONE},
        {SLICE("text/vnd.wap.si2"), SLICE_NONE},
        {SLICE_NONE, SLICE_NONE},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        TEST_SLICE_EQ(ota_wbxml_type(rows[i].in), rows[i].want);
    }
}

const struct test_case test_cases[] = {
    {"published_examples", published_examples},
    {"attribute_tokens", attribute_tokens},
    {"text_and_encodings", text_and_encodings},
    {"grammar_of_si_is_kept", grammar_of_si_is_kept},
    {"grammars_of_sl_and_co_are_kept", grammars_of_sl_and_co_are_kept},
    {"hostile_documents_are_refused", hostile_documents_are_refused},
    {"foreign_types_and_encodings", foreign_types_and_encodings},
    {"every_prefix_is_refused", every_prefix_is_refused},
    {"ceilings", ceilings},
    {"output_is_appended", output_is_appended},
    {"types_are_mapped", types_are_mapped},
    {NULL, NULL},
};
