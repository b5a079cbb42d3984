/* Small strict trees: what is not taken, ceilings, the cursor. */
#include "security/xml/xmldoc.h"

#include <string.h>
#include "base/buf.h"
#include "security/xml/xmlsec.h"
#include "tests/unit/harness.h"

#define NS "urn:n"

static enum err parse(struct slice in, struct _xmlDoc **doc)
{
    *doc = NULL;
    return sec_xmldoc_parse(in, doc);
}

static void test_refused(void)
{
    static const struct {
        const char *in;
        enum err want;
    } rows[] = {
        {"<a/>", ERR_OK},
        {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a x=\"1\">t&lt;<![CDATA[<]]></a>\n", ERR_OK},
        {"", ERR_MALFORMED},
        {" ", ERR_MALFORMED},
        {"<a>", ERR_MALFORMED},
        {"<a/><b/>", ERR_MALFORMED},
        {"<a x=\"1\" x=\"2\"/>", ERR_MALFORMED},
        {"<p:a/>", ERR_MALFORMED},
        {"<a>&e;</a>", ERR_MALFORMED},
        {"<a>\xff</a>", ERR_MALFORMED},
        {"<!DOCTYPE a><a/>", ERR_UNSUPPORTED},
        {"<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>", ERR_UNSUPPORTED},
        {"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", ERR_UNSUPPORTED},
        {"<a><!-- c --></a>", ERR_UNSUPPORTED},
        {"<!-- c --><a/>", ERR_UNSUPPORTED},
        {"<a><?p i?></a>", ERR_UNSUPPORTED},
        {"<a/><?p i?>", ERR_UNSUPPORTED},
        {"<a xml:id=\"x\"/>", ERR_UNSUPPORTED},
        {"<a xml:space=\"preserve\"/>", ERR_UNSUPPORTED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct _xmlDoc *doc;

        test_row(i);
        CU_ASSERT(parse(slice_str(rows[i].in), &doc) == rows[i].want);
        CU_ASSERT((doc != NULL) == (rows[i].want == ERR_OK));
        sec_xmldoc_free(&doc);
        CU_ASSERT(doc == NULL);
    }
}

static void repeat(struct buf *b, const char *text, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        buf_addf(b, text, i);
}

static enum err built(const char *before, const char *text, unsigned n, const char *after,
                      const char *closing)
{
    struct _xmlDoc *doc;
    struct buf b;
    enum err e;

    buf_init(&b, 2 * SEC_XML_MAX_N);
    buf_add_str(&b, before);
    repeat(&b, text, n);
    buf_add_str(&b, after);
    if (*closing)
        repeat(&b, closing, n);
    MUST(!buf_err(&b));
    e = parse(buf_slice(&b), &doc);
    sec_xmldoc_free(&doc);
    buf_clear(&b);
    return e;
}

static void test_ceilings(void)
{
    CU_ASSERT(built("", "<a>", 32, "", "</a>") == ERR_OK);
    CU_ASSERT(built("", "<a>", 33, "", "</a>") == ERR_LIMIT);
    CU_ASSERT(built("<r>", "<a/>", 4095, "</r>", "") == ERR_OK);
    CU_ASSERT(built("<r>", "<a/>", 4096, "</r>", "") == ERR_LIMIT);
    CU_ASSERT(built("<r", " a%u=\"\"", 16, "/>", "") == ERR_OK);
    CU_ASSERT(built("<r", " a%u=\"\"", 17, "/>", "") == ERR_LIMIT);
    CU_ASSERT(built("<r", " xmlns:a%u=\"u\"", 16, "/>", "") == ERR_OK);
    CU_ASSERT(built("<r", " xmlns:a%u=\"u\"", 17, "/>", "") == ERR_LIMIT);
    CU_ASSERT(built("<r>", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", SEC_XML_MAX_N / 32, "</r>", "") == ERR_LIMIT);
}

static void test_cursor(void)
{
    struct _xmlDoc *doc;
    struct sec_xmldoc_cursor c;

    CU_ASSERT_FATAL(parse(SLICE("<r xmlns=\"" NS "\" Id=\"x\"> <a> t </a>\n<b xmlns=\"urn:m\">u<c/></b></r>"),
                          &doc) == ERR_OK);
    c = sec_xmldoc_inside(sec_xmldoc_root(doc));
    CU_ASSERT(!sec_xmldoc_may(&c, NS, "b") && !c.err);
    TEST_SLICE_EQ(sec_xmldoc_text(sec_xmldoc_must(&c, NS, "a")), SLICE("t"));
    CU_ASSERT(!sec_xmldoc_may(&c, NS, "b") && !c.err); /* of another namespace */
    sec_xmldoc_end(&c);
    CU_ASSERT(c.err == ERR_UNSUPPORTED);
    CU_ASSERT(!sec_xmldoc_may(&c, "urn:m", "b")); /* the first error sticks */
    c = sec_xmldoc_inside(sec_xmldoc_root(doc));
    CU_ASSERT(!sec_xmldoc_must(&c, NS, "b") && c.err == ERR_MALFORMED);
    c = sec_xmldoc_inside(sec_xmldoc_root(doc));
    (void)sec_xmldoc_must(&c, NS, "a");
    CU_ASSERT(sec_xmldoc_text(c.at).n == 0); /* more than text */
    CU_ASSERT(sec_xmldoc_inside(c.at).err == ERR_MALFORMED);
    CU_ASSERT(sec_xmldoc_inside(NULL).err == ERR_MALFORMED);
    TEST_SLICE_EQ(sec_xmldoc_attribute(sec_xmldoc_root(doc), "Id"), SLICE("x"));
    CU_ASSERT(sec_xmldoc_attribute(sec_xmldoc_root(doc), "id").n == 0);
    sec_xmldoc_free(&doc);
}

static void test_ids(void)
{
    struct _xmlDoc *doc;

    CU_ASSERT_FATAL(
        parse(SLICE("<r Id=\"x\"><a Id=\"y\"><b Id=\"x\"/></a> <c><d Id=\"x\"/></c><e id=\"x\"/></r>"),
              &doc) == ERR_OK);
    CU_ASSERT(sec_xmldoc_ids(doc, SLICE("x")) == 3);
    CU_ASSERT(sec_xmldoc_ids(doc, SLICE("y")) == 1);
    CU_ASSERT(sec_xmldoc_ids(doc, SLICE("z")) == 0);
    CU_ASSERT(sec_xmldoc_name(doc, sec_xmldoc_root(doc)) == ERR_OK);
    sec_xmldoc_free(&doc);
}

const struct test_case test_cases[] = {
    {"refused", test_refused},
    {"ceilings", test_ceilings},
    {"cursor", test_cursor},
    {"ids", test_ids},
    {NULL, NULL},
};
