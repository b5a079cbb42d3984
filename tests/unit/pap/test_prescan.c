/* Encoding, prolog, version and attribute counts. */
#include "tests/unit/harness.h"

#include "base/buf.h"
#include "pap/prescan.h"

static void test_charset(void)
{
    static const struct {
        struct slice in;
        enum pap_charset want;
    } rows[] = {
        {{"<pap/>", 6}, PAP_CHARSET_UTF8},
        {{"", 0}, PAP_CHARSET_UTF8},
        {{"\xEF\xBB\xBF<pap/>", 9}, PAP_CHARSET_UTF8},
        {{"<?xml version='1.0'?><pap/>", 27}, PAP_CHARSET_UTF8},
        {{"<?xml version='1.0' encoding='UTF-8'?>", 38}, PAP_CHARSET_UTF8},
        {{"<?xml version='1.0' encoding='US-ASCII'?>", 41}, PAP_CHARSET_ASCII},
        {{"<?xml version='1.0' encoding='ISO-8859-1'?>", 43}, PAP_CHARSET_LATIN1},
        {{"\xFF\xFE<\0p\0", 6}, PAP_CHARSET_UTF16LE},
        {{"<\0?\0x\0", 6}, PAP_CHARSET_UTF16LE},
        {{"\xFE\xFF\0<\0p", 6}, PAP_CHARSET_UTF16BE},
        {{"\0<\0?", 4}, PAP_CHARSET_UTF16BE},
        {{"\xFF\xFE\0\0<\0\0\0", 8}, PAP_CHARSET_OTHER},
        {{"\0\0\0<", 4}, PAP_CHARSET_OTHER},
        {{"<?xml version='1.0' encoding='UTF-16'?>", 39}, PAP_CHARSET_OTHER}, /* but single octets */
        {{"<?xml version='1.0' encoding='UTF-16LE'?>", 41}, PAP_CHARSET_OTHER},
        {{"<?xml version='1.0' encoding='UTF-7'?>", 38}, PAP_CHARSET_OTHER},
        {{"<?xml version='1.0' encoding='EBCDIC-CP-US'?>", 45}, PAP_CHARSET_OTHER},
        {{"<?xml version='1.0' encoding=''?>", 33}, PAP_CHARSET_OTHER},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(pap_prescan_charset(rows[i].in, SLICE_NONE), rows[i].want);
    }
}

/* The mark, then the media type, then the document (RFC 7303 §3). */
static void test_charset_named(void)
{
    static const struct {
        struct slice in;
        const char *named;
        enum pap_charset want;
    } rows[] = {
        {{"<pap/>", 6}, "utf-8", PAP_CHARSET_UTF8},
        {{"<pap/>", 6}, "UTF-8", PAP_CHARSET_UTF8},
        {{"<pap/>", 6}, "us-ascii", PAP_CHARSET_ASCII},
        {{"<pap/>", 6}, "ISO-8859-1", PAP_CHARSET_LATIN1},
        {{"<?xml version='1.0' encoding='UTF-8'?>", 38}, "iso-8859-1", PAP_CHARSET_LATIN1},
        {{"<?xml version='1.0' encoding='ISO-8859-1'?>", 43}, "utf-8", PAP_CHARSET_UTF8},
        {{"<?xml version='1.0' encoding='KOI8-R'?>", 39}, "utf-8", PAP_CHARSET_UTF8},
        {{"<?xml version='1.0' encoding='UTF-8'?>", 38}, "koi8-r", PAP_CHARSET_OTHER},
        {{"<?xml version='1.0' encoding='UTF-8'?>", 38}, "windows-1252", PAP_CHARSET_OTHER},
        {{"<?xml version='1.0' encoding='UTF-8'?>", 38}, "utf-7", PAP_CHARSET_OTHER},
        {{"<?xml version='1.0' encoding='UTF-8'?>", 38}, "utf-32", PAP_CHARSET_OTHER},
        {{"<?xml version='1.0' encoding='UTF-8'?>", 38}, "", PAP_CHARSET_OTHER},
        {{"<?xml version='1.0' encoding='UTF-8'?>", 38}, "utf-16", PAP_CHARSET_OTHER},
        {{"<?xml version='1.0'?><pap/>", 27}, "utf-16", PAP_CHARSET_OTHER}, /* but single octets */
        {{"\xEF\xBB\xBF<pap/>", 9}, "iso-8859-1", PAP_CHARSET_UTF8},
        {{"\xEF\xBB\xBF<pap/>", 9}, "koi8-r", PAP_CHARSET_UTF8},
        {{"\xFF\xFE<\0p\0", 6}, "utf-8", PAP_CHARSET_UTF16LE},
        {{"\xFF\xFE<\0p\0", 6}, "utf-16be", PAP_CHARSET_UTF16LE},
        {{"\xFE\xFF\0<\0p", 6}, "utf-16", PAP_CHARSET_UTF16BE},
        {{"\xFF\xFE\0\0<\0\0\0", 8}, "utf-16", PAP_CHARSET_OTHER},
        {{"\0\0\xFE\xFF\0\0\0<", 8}, "utf-16", PAP_CHARSET_OTHER},
        {{"<\0?\0x\0", 6}, "utf-16", PAP_CHARSET_UTF16LE},
        {{"\0<\0?", 4}, "Utf-16", PAP_CHARSET_UTF16BE},
        {{"<\0?\0x\0", 6}, "utf-16le", PAP_CHARSET_UTF16LE},
        {{"\0<\0?", 4}, "utf-16be", PAP_CHARSET_UTF16BE},
        {{"\0<\0?", 4}, "utf-16le", PAP_CHARSET_UTF16LE}, /* which then is no text */
        {{"<\0?\0x\0", 6}, "utf-8", PAP_CHARSET_UTF8},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(pap_prescan_charset(rows[i].in, slice_str(rows[i].named)), rows[i].want);
    }
}

#define DT(id) "<!DOCTYPE pap PUBLIC \"" id "\" \"u\"><pap/>"

static const struct {
    const char *in;
    enum err strict, lenient;
    enum pap_version version;
    const char *versions;
} prologs[] = {
    {"<pap/>", ERR_OK, ERR_OK, PAP_VERSION_NONE, ""},
    {"\xEF\xBB\xBF<?xml version=\"1.0\"?>\r\n<!-- c --><?pi x?> <pap/>", ERR_OK, ERR_OK, PAP_VERSION_NONE,
     ""},
    {"<?xml version='1.0' encoding='utf-8' standalone='no' ?><pap/>", ERR_OK, ERR_OK, PAP_VERSION_NONE, ""},
    {DT("-//WAPFORUM//DTD PAP 1.0//EN"), ERR_OK, ERR_OK, PAP_VERSION_1_0, ""},
    {DT("-//WAPFORUM//DTD PAP//EN"), ERR_OK, ERR_OK, PAP_VERSION_1_0, ""},
    {DT("-//WAPFORUM//DTD PAP 2.0//EN"), ERR_OK, ERR_OK, PAP_VERSION_2_0, ""},
    {DT("-//WAPFORUM//DTD PAP 2.1//EN"), ERR_OK, ERR_OK, PAP_VERSION_2_1, ""},
    {DT("-//OMA//DTD PAP 2.1//EN"), ERR_OK, ERR_OK, PAP_VERSION_2_1, ""},
    {DT("-//OMA//DTD PAP 2.2//EN"), ERR_OK, ERR_OK, PAP_VERSION_2_2, ""},
    {DT("-//OMA//DTD PAP 2.3//EN"), ERR_OK, ERR_OK, PAP_VERSION_2_3, ""},
    {DT("-//OMA//DTD PAP 2.4//EN"), ERR_OK, ERR_OK, PAP_VERSION_2_3, ""},
    {DT("-//OMA//DTD PAP 2.9//EN"), ERR_OK, ERR_OK, PAP_VERSION_2_3, ""},
    {DT("-//OMA//DTD PAP 3.0//EN"), ERR_OK, ERR_OK, PAP_VERSION_UNSUPPORTED, ""},
    {DT("-//OMA//DTD PAP 0.9//EN"), ERR_OK, ERR_OK, PAP_VERSION_UNSUPPORTED, ""},
    {DT("//WAPFORUM//DTD PAP 2.0//EN"), ERR_OK, ERR_OK, PAP_VERSION_2_0, ""}, /* no leading sign */
    {"<!DOCTYPE pap SYSTEM 'http://x/pap_2.1.dtd'><pap/>", ERR_OK, ERR_OK, PAP_VERSION_2_1, ""},
    {"<!DOCTYPE pap><pap/>", ERR_OK, ERR_OK, PAP_VERSION_NONE, ""},
    {"<!DOCTYPE pap [ <?wap-pap-ver supported-versions=\"2.0,1.*\"?> ] ><pap/>", ERR_OK, ERR_OK,
     PAP_VERSION_NONE, "2.0,1.*"},
    {"<!DOCTYPE pap PUBLIC \"-//WAPFORUM//DTD PAP 2.0//EN\"><pap/>", ERR_MALFORMED, ERR_OK, PAP_VERSION_2_0,
     ""},
    {"<!DOCTYPE wappush PUBLIC \"-//WAPFORUM//DTD PAP 2.0//EN\" \"u\"><pap/>", ERR_MALFORMED, ERR_OK,
     PAP_VERSION_2_0, ""},
    {DT("-//X//DTD Y 1.0//EN"), ERR_MALFORMED, ERR_OK, PAP_VERSION_NONE, ""},
    {"<!DOCTYPE pap [<!ENTITY a \"b\">]><pap/>", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<!DOCTYPE pap [<!ENTITY % a SYSTEM \"http://x\"> %a;]><pap/>", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<!DOCTYPE pap [<!ATTLIST pap a CDATA \"b\">]><pap/>", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<!DOCTYPE pap [<?other x?>]><pap/>", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<!DOCTYPE pap [<?wap-pap-verx supported-versions=\"1\"?>]><pap/>", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<!DOCTYPE pap [", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<!DOCTYPE pap PUBLIC \"a", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<!DOCTYPE", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<!DOCTYPEpap><pap/>", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<?xml version=\"2.0\"?><pap/>", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<?xml version=\"1.0\"><pap/>", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<?xml?><pap/>", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<?xml", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<?xml version='1.0'?><?xml version='1.0' encoding='utf-7'?><pap/>", ERR_MALFORMED, ERR_MALFORMED, 0,
     ""},
    {" <?xml version='1.0'?><pap/>", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<!-- never closed", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"x<pap/>", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
    {"<!DOCTYPE pap SYSTEM 'u'> L<pap/>", ERR_MALFORMED, ERR_MALFORMED, 0, ""},
};

static void test_prolog(void)
{
    for (size_t i = 0; i < COUNT(prologs); i++)
        for (int strict = 0; strict < 2; strict++) {
            enum err want = strict ? prologs[i].strict : prologs[i].lenient;
            struct pap_prolog got = {.version = PAP_VERSION_COUNT};
            const char *why = NULL;

            test_row(i);
            CU_ASSERT_EQUAL(pap_prescan_prolog(slice_str(prologs[i].in), strict, &got, &why), want);
            CU_ASSERT_EQUAL(got.version, want ? PAP_VERSION_COUNT : prologs[i].version);
            CU_ASSERT_EQUAL(why == NULL, want == ERR_OK);
            if (want)
                continue;
            TEST_SLICE_EQ(got.rest, SLICE("<pap/>"));
            TEST_SLICE_EQ(got.supported_versions, slice_str(prologs[i].versions));
        }
}

static void test_tags(void)
{
    static const struct {
        const char *in;
        enum err want; /* at most two attributes */
        size_t at;
    } rows[] = {
        {"<a b='1' c=\"2\"/>", ERR_OK, 0},
        {"<a b='1'/><a c='2'/><a d='3'/>", ERR_OK, 0},
        {"<a b='\"\"\"' c='>'>", ERR_OK, 0},
        {"<!-- '' '' '' --><a/>", ERR_OK, 0},
        {"<![CDATA['' '' '' <a ''''''>]]><a/>", ERR_OK, 0},
        {"<?pi '' '' '' ?><a/>", ERR_OK, 0},
        {"'' '' '' ''", ERR_OK, 0},
        {"", ERR_OK, 0},
        {"<", ERR_OK, 0},
        {"<a '", ERR_OK, 0},
        {"<!-- <a b='' c='' d=''>", ERR_OK, 0},
        {"<a b='1' c='2' d='3'/>", ERR_LIMIT, 0},
        {"<p><a b='>' c='2' d='3'/>", ERR_LIMIT, 3},
        {"<!-- --><a b='1' c='2' d='3'", ERR_LIMIT, 8},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t at = 0;

        test_row(i);
        CU_ASSERT_EQUAL(pap_prescan_tags(slice_str(rows[i].in), 2, &at), rows[i].want);
        CU_ASSERT_EQUAL(at, rows[i].at);
    }
}

const struct test_case test_cases[] = {
    {"charset", test_charset},
    {"charset named", test_charset_named},
    {"prolog", test_prolog},
    {"tags", test_tags},
    {NULL, NULL},
};
