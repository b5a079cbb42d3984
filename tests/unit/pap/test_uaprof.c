/* User agent profiles: the forms they come in, what stands before what, round trip, and what is refused. */
#include "pap/uaprof.h"

#include <stdio.h>
#include <string.h>
#include "tests/unit/harness.h"

#define RDF                                                                                                  \
    "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" "                                    \
    "xmlns:prf=\"http://x.example/prf#\">"
#define DOC(inside) RDF inside "</rdf:RDF>"
/* One component in the usual wrapping. */
#define PUSH(inside)                                                                                         \
    DOC("<rdf:Description rdf:ID=\"P\"><prf:component><rdf:Description rdf:ID=\"PushCharacteristics\">"      \
        "<rdf:type rdf:resource=\"http://x.example/prf#PushCharacteristics\"/>" inside                       \
        "</rdf:Description></prf:component></rdf:Description>")

static enum err parse(const char *text, struct arena *mem, struct pap_uaprof *out)
{
    const char *why = NULL;
    enum err e = pap_uaprof_parse(slice_str(text), mem, out, &why);

    CU_ASSERT((e == ERR_OK) == (why == NULL));
    return e;
}

static const struct {
    const char *text;
    struct pap_uaprof want;
} good[] = {
    {PUSH(""), {.size_max = 0}},
    {"<?xml version=\"1.0\"?>\n<!DOCTYPE rdf:RDF>\n" PUSH("<prf:Push-MsgSize>1400</prf:Push-MsgSize>"),
     {.size_max = 1400}},
    {PUSH("<prf:Push-Accept><rdf:Bag><rdf:li>text/html</rdf:li>\n<rdf:li> image/png </rdf:li></rdf:Bag>"
          "</prf:Push-Accept><prf:Push-MaxPushReq> 2 </prf:Push-MaxPushReq>"),
     {.accept = SLICE("text/html, image/png"), .outstanding_max = 2}},
    {PUSH("<prf:Push-Accept-Language><rdf:Seq><rdf:_1>en</rdf:_1><rdf:_2>de;q=0.5</rdf:_2></rdf:Seq>"
          "</prf:Push-Accept-Language>"),
     {.languages = SLICE("en, de;q=0.5")}},
    {PUSH("<prf:Push-Accept-Charset>utf-8,us-ascii, ,</prf:Push-Accept-Charset>"
          "<prf:Push-Accept-Encoding>\n gzip\n</prf:Push-Accept-Encoding>"
          "<prf:Push-Accept-AppID>x-wap-application:wml.ua, *</prf:Push-Accept-AppID>"),
     {.charsets = SLICE("utf-8, us-ascii"),
      .encodings = SLICE("gzip"),
      .app_ids = SLICE("x-wap-application:wml.ua, *")}},
    /* without rdf:Description; as a typed node; as attributes; none of the wrapping at all */
    {DOC("<prf:component><prf:Push-MsgSize>5</prf:Push-MsgSize></prf:component>"), {.size_max = 5}},
    {DOC("<prf:PushCharacteristics><prf:Push-Accept>a/b</prf:Push-Accept></prf:PushCharacteristics>"),
     {.accept = SLICE("a/b")}},
    {DOC("<rdf:Description prf:Push-MsgSize=\"6\" prf:Push-Accept=\"a/b, c/d\" prf:Else=\"1\"/>"),
     {.accept = SLICE("a/b, c/d"), .size_max = 6, .skipped = 1}},
    {DOC("<prf:Push-Accept>a/b</prf:Push-Accept>"), {.accept = SLICE("a/b")}},
    /* unknown attributes are counted, once each, and their values are nobody else's */
    {PUSH("<prf:Push-Accept>a/b</prf:Push-Accept><prf:Vendor>x</prf:Vendor>"
          "<prf:Keys><rdf:Bag><rdf:li>1</rdf:li><rdf:li>2</rdf:li></rdf:Bag></prf:Keys>"),
     {.accept = SLICE("a/b"), .skipped = 2}},
    /* what is said outright, by default, of the browser: the first that says something */
    {PUSH("<prf:defaults><rdf:Description><prf:Push-MsgSize>1</prf:Push-MsgSize>"
          "<prf:Push-Accept>d/d</prf:Push-Accept></rdf:Description></prf:defaults>"
          "<prf:Push-MsgSize>2</prf:Push-MsgSize>"),
     {.accept = SLICE("d/d"), .size_max = 2}},
    {PUSH("<prf:CcppAccept><rdf:Bag><rdf:li>b/b</rdf:li></rdf:Bag></prf:CcppAccept>"
          "<prf:CcppAccept-Charset>utf-8</prf:CcppAccept-Charset>"
          "<prf:CcppAccept-Encoding>base64</prf:CcppAccept-Encoding>"
          "<prf:CcppAccept-Language>fr</prf:CcppAccept-Language>"
          "<prf:Defaults><prf:Push-Accept>p/p</prf:Push-Accept></prf:Defaults>"),
     {.accept = SLICE("p/p"),
      .charsets = SLICE("utf-8"),
      .encodings = SLICE("base64"),
      .languages = SLICE("fr")}},
    /* said twice: lists add up, of numbers the last counts; empty says nothing */
    {PUSH("<prf:Push-Accept>a/b</prf:Push-Accept><prf:Push-Accept>c/d</prf:Push-Accept>"
          "<prf:Push-MsgSize>1</prf:Push-MsgSize><prf:Push-MsgSize>2</prf:Push-MsgSize>"
          "<prf:Push-MsgSize/>"),
     {.accept = SLICE("a/b, c/d"), .size_max = 2}},
    {PUSH("<prf:Push-Accept><![CDATA[a/b]]>&#44; c/&#100;</prf:Push-Accept>"), {.accept = SLICE("a/b, c/d")}},
    {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" PUSH(
         "<prf:Push-Accept>a/b</prf:Push-Accept><prf:X>\xE4</prf:X>"),
     {.accept = SLICE("a/b"), .skipped = 1}},
};

static void check_same(const struct pap_uaprof *got, const struct pap_uaprof *want)
{
    TEST_SLICE_EQ(got->accept, want->accept);
    TEST_SLICE_EQ(got->charsets, want->charsets);
    TEST_SLICE_EQ(got->encodings, want->encodings);
    TEST_SLICE_EQ(got->languages, want->languages);
    TEST_SLICE_EQ(got->app_ids, want->app_ids);
    CU_ASSERT(got->size_max == want->size_max && got->outstanding_max == want->outstanding_max);
}

static void good_rows(void)
{
    struct pap_uaprof got, again;
    struct arena mem;
    struct buf text;

    arena_init(&mem, 1024, 1 << 20);
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < COUNT(good); i++) {
        test_row(i);
        CU_ASSERT_FATAL(parse(good[i].text, &mem, &got) == ERR_OK);
        check_same(&got, &good[i].want);
        CU_ASSERT(got.skipped == good[i].want.skipped);
        buf_reset(&text, 1 << 20);
        CU_ASSERT(pap_uaprof_print(&got, &text) == ERR_OK);
        buf_add_ch(&text, '\0');
        CU_ASSERT_FATAL(parse(text.p, &mem, &again) == ERR_OK);
        check_same(&again, &got);
        CU_ASSERT(again.skipped == 0);
    }
    buf_clear(&text);
    arena_clear(&mem);
}

static void bad_rows(void)
{
    static const struct {
        const char *text;
        enum err want;
    } rows[] = {
        {"", ERR_MALFORMED},
        {" ", ERR_MALFORMED},
        {"text", ERR_MALFORMED},
        {"<pap/>", ERR_MALFORMED},
        {"<RDF/>", ERR_MALFORMED},
        {"<RDF xmlns=\"http://x.example/\"/>", ERR_MALFORMED},
        {"<rdf:Description xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"/>", ERR_MALFORMED},
        {RDF, ERR_MALFORMED},
        {RDF "<prf:component></rdf:RDF>", ERR_MALFORMED},
        {DOC("") "x", ERR_MALFORMED},
        {DOC("<unbound:a/>"), ERR_MALFORMED},
        {DOC("&nothing;"), ERR_MALFORMED},
        {DOC("<prf:Push-Accept>a/b") "</prf:Push-Accept>", ERR_MALFORMED},
        {"<!DOCTYPE rdf:RDF [<!ENTITY a \"b\">]>" DOC("&a;"), ERR_MALFORMED},
        {"<!DOCTYPE rdf:RDF [<!ELEMENT a ANY>]>" DOC(""), ERR_MALFORMED},
        {"<!DOCTYPE a><!DOCTYPE b>" DOC(""), ERR_MALFORMED},
        {DOC("<!DOCTYPE a>"), ERR_MALFORMED},
        {"<?xml version=\"1.0\" encoding=\"EBCDIC\"?>" DOC(""), ERR_UNSUPPORTED},
        {"<?xml version=\"1.0\" encoding=\"US-ASCII\"?>" DOC("<prf:X>\xE4</prf:X>"), ERR_MALFORMED},
        {DOC("<prf:X>\xE4</prf:X>"), ERR_MALFORMED},
        {PUSH("<prf:Push-MsgSize>10k</prf:Push-MsgSize>"), ERR_MALFORMED},
        {PUSH("<prf:Push-MsgSize>-1</prf:Push-MsgSize>"), ERR_MALFORMED},
        {PUSH("<prf:Push-MsgSize>1 2</prf:Push-MsgSize>"), ERR_MALFORMED},
        {PUSH("<prf:Push-MsgSize>4294967296</prf:Push-MsgSize>"), ERR_LIMIT},
        {PUSH("<prf:Push-MaxPushReq>many</prf:Push-MaxPushReq>"), ERR_MALFORMED},
        {DOC("<rdf:Description prf:Push-MsgSize=\"x\"/>"), ERR_MALFORMED},
        {PUSH("<prf:Push-Accept>\"a/b</prf:Push-Accept>"), ERR_MALFORMED},
        {PUSH("<prf:Push-Accept>a/\xC3\xA4</prf:Push-Accept>"), ERR_MALFORMED},
        {PUSH("<prf:Push-Accept>a\n/b</prf:Push-Accept>"), ERR_MALFORMED},
        {PUSH("<prf:Push-Accept><rdf:li>a&#13;&#10;b: c</rdf:li></prf:Push-Accept>"), ERR_MALFORMED},
    };
    struct pap_uaprof got = {.size_max = 77};
    struct arena mem;

    arena_init(&mem, 1024, 1 << 20);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(parse(rows[i].text, &mem, &got) == rows[i].want);
        CU_ASSERT(got.size_max == 77);
    }
    arena_clear(&mem);
}

/* head, n times each, tail */
static struct slice repeat(struct buf *b, const char *head, size_t n, const char *each, const char *tail)
{
    buf_reset(b, 1 << 20);
    buf_add_str(b, head);
    for (size_t i = 0; i < n; i++)
        buf_add_str(b, each);
    buf_add_str(b, tail);
    return buf_slice(b);
}

static void ceilings(void)
{
    struct pap_uaprof got;
    const char *why;
    struct arena mem, tight;
    struct buf b;

    arena_init(&mem, 1024, 1 << 20);
    arena_init(&tight, 64, 64);
    buf_init(&b, 1 << 20);
    CU_ASSERT(pap_uaprof_parse(repeat(&b, RDF, PAP_UAPROF_MAX_N, " ", "</rdf:RDF>"), &mem, &got, &why) ==
              ERR_LIMIT);
    CU_ASSERT(pap_uaprof_parse(repeat(&b, RDF, 20, "<prf:a>", ""), &mem, &got, &why) == ERR_LIMIT);
    CU_ASSERT(pap_uaprof_parse(repeat(&b, RDF "<prf:a", 65, " b='1'", "/></rdf:RDF>"), &mem, &got, &why) ==
              ERR_LIMIT);
    CU_ASSERT(
        pap_uaprof_parse(repeat(&b, RDF "<prf:Push-Accept>", 1100, "a/b,", "</prf:Push-Accept></rdf:RDF>"),
                         &mem, &got, &why) == ERR_LIMIT);
    CU_ASSERT(pap_uaprof_parse(repeat(&b, RDF "<prf:Push-Accept>", 700, "<rdf:li>aa/b</rdf:li>",
                                      "</prf:Push-Accept></rdf:RDF>"),
                               &mem, &got, &why) == ERR_LIMIT);
    CU_ASSERT(pap_uaprof_parse(repeat(&b, RDF "<prf:Push-Accept>", 256, "a", "</prf:Push-Accept></rdf:RDF>"),
                               &mem, &got, &why) == ERR_MALFORMED);
    CU_ASSERT(pap_uaprof_parse(repeat(&b, RDF "<prf:Push-Accept>", 255, "a", "</prf:Push-Accept></rdf:RDF>"),
                               &tight, &got, &why) == ERR_NOMEM);
    CU_ASSERT(pap_uaprof_parse(repeat(&b, RDF "<prf:Push-Accept>", 255, "a", "</prf:Push-Accept></rdf:RDF>"),
                               &mem, &got, &why) == ERR_OK);
    CU_ASSERT(got.accept.n == 255);
    buf_clear(&b);
    arena_clear(&mem);
    arena_clear(&tight);
}

static void print_escapes_and_leaves_out(void)
{
    const struct pap_uaprof p = {.accept = SLICE("a/<b>&c, \"quoted, item\", , x/y\x01, d/e"),
                                 .charsets = SLICE("\"\""),
                                 .size_max = UINT64_MAX};
    struct pap_uaprof got;
    struct arena mem;
    struct buf b;

    arena_init(&mem, 1024, 1 << 20);
    buf_init(&b, 1 << 20);
    CU_ASSERT(pap_uaprof_print(&p, &b) == ERR_OK);
    buf_add_ch(&b, '\0');
    CU_ASSERT_FATAL(parse(b.p, &mem, &got) == ERR_OK);
    TEST_SLICE_EQ(got.accept, SLICE("a/<b>&c, d/e"));
    CU_ASSERT(got.charsets.n == 0 && got.size_max == UINT32_MAX && !strstr(b.p, "Charset"));
    buf_clear(&b);
    buf_init(&b, 100);
    CU_ASSERT(pap_uaprof_print(&p, &b) == ERR_LIMIT);
    buf_clear(&b);
    arena_clear(&mem);
}

const struct test_case test_cases[] = {
    {"good_rows", good_rows},
    {"bad_rows", bad_rows},
    {"ceilings", ceilings},
    {"print_escapes_and_leaves_out", print_escapes_and_leaves_out},
    {NULL, NULL},
};
