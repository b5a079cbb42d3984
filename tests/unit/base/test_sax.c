/* What is well-formed and what is not, what handlers see, and that a document is not more than itself. */
#include "base/xml/sax.h"

#include <libxml/parser.h>
#include <stdio.h>

#include "base/mem.h"
#include "tests/unit/harness.h"

struct seen {
    unsigned starts, errors;
    char text[64];
    size_t text_n;
    bool stops; /* at the first element */
    xmlParserCtxtPtr ctxt;
};

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int spaces_n,
                     const xmlChar **spaces, int n, int defaulted, const xmlChar **attributes)
{
    struct seen *s = arg;

    (void)name, (void)prefix, (void)uri, (void)spaces_n, (void)spaces, (void)n, (void)defaulted,
        (void)attributes;
    s->starts++;
    if (s->stops)
        xmlStopParser(s->ctxt);
}

static void on_text(void *arg, const xmlChar *text, int n)
{
    struct seen *s = arg;

    CU_ASSERT_FATAL(s->text_n + (size_t)n < sizeof s->text);
    mem_copy(s->text + s->text_n, sizeof s->text - s->text_n, slice_of(text, (size_t)n));
    s->text_n += (size_t)n;
}

static void on_error(void *arg, xmlErrorPtr error)
{
    (void)error;
    ((struct seen *)arg)->errors++;
}

static void test_documents(void)
{
    static const struct {
        const char *xml;
        enum err want;
        unsigned starts;
        const char *text;
    } rows[] = {
        {"<a/>", ERR_OK, 1, ""},
        {"<?xml version=\"1.0\"?><a><b>x</b> y</a>", ERR_OK, 2, "x y"},
        {"<a>&lt;&amp;&#65;</a>", ERR_OK, 1, "<&A"},
        {"<?xml version=\"1.0\" encoding=\"UTF-16\"?><a>\xc3\xa9</a>", ERR_OK, 1, "\xc3\xa9"},
        {"<p:a xmlns:p=\"urn:x\"/>", ERR_OK, 1, ""},
        {"", ERR_MALFORMED, 0, ""},
        {"<a>", ERR_MALFORMED, 1, ""},
        {"<a></b>", ERR_MALFORMED, 1, ""},
        {"<a/><b/>", ERR_MALFORMED, 1, ""},
        {"<a/>x", ERR_MALFORMED, 1, ""},
        {"x<a/>", ERR_MALFORMED, 0, ""},
        {"<p:a/>", ERR_MALFORMED, 1, ""}, /* a prefix that is not declared */
        {"<a b='1' b='2'/>", ERR_MALFORMED, 1, ""},
        {"<a>&nobody;</a>", ERR_MALFORMED, 1, ""},
        {"<a>\xff</a>", ERR_MALFORMED, 1, ""},
    };
    const xmlSAXHandler handler = {.startElementNs = on_start, .characters = on_text};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct seen s = {.starts = 0};

        test_row(i);
        CU_ASSERT_EQUAL(xml_sax_run(&handler, &s, slice_str(rows[i].xml), NULL), rows[i].want);
        if (!rows[i].want) {
            CU_ASSERT_EQUAL(s.starts, rows[i].starts);
            TEST_SLICE_EQ(slice_of(s.text, s.text_n), slice_str(rows[i].text));
        }
    }
}

/* A file that an entity names is not opened: its text would be there. */
static void test_nothing_fetched(void)
{
    const xmlSAXHandler handler = {.startElementNs = on_start, .characters = on_text};
    struct seen s = {.starts = 0};
    char xml[900];

    test_write_file("secret", "sesame", 0600);
    (void)snprintf(xml, sizeof xml, "<!DOCTYPE a [<!ENTITY e SYSTEM \"file://%s\">]><a>&e;</a>",
                   test_in_scratch("secret"));
    CU_ASSERT(xml_sax_run(&handler, &s, slice_str(xml), NULL) == ERR_MALFORMED || s.text_n == 0);
    CU_ASSERT(s.text_n == 0);
}

static void test_errors_and_stops(void)
{
    const xmlSAXHandler handler = {.startElementNs = on_start, .characters = on_text, .serror = on_error};
    struct seen s = {.starts = 0};

    CU_ASSERT(xml_sax_run(&handler, &s, SLICE("<a></b>"), &s.ctxt) == ERR_MALFORMED);
    CU_ASSERT(s.errors > 0 && s.ctxt == NULL);
    s = (struct seen){.stops = true};
    (void)(xml_sax_run(&handler, &s, SLICE("<a><b/><c/></a>"), &s.ctxt) ==
           ERR_OK); /* it may call it well-formed */
    CU_ASSERT(s.starts == 1 && s.ctxt == NULL);
}

const struct test_case test_cases[] = {
    {"documents", test_documents},
    {"nothing_fetched", test_nothing_fetched},
    {"errors_and_stops", test_errors_and_stops},
    {NULL, NULL},
};
