/* Control entities: the worked examples, grammar strict and lenient, faults and how they are attributed, hostile
 * XML, encodings, ceilings. */
#include "tests/unit/harness.h"

#include <stdlib.h>
#include "base/arena.h"
#include "base/buf.h"
#include "pap/parse.h"

#define ADDR               "<address address-value=\"WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net\"/>"
#define ADDR2              "<address address-value=\"WAPPUSH=alice%40example.com/TYPE=USER@ppg.example.net\"/>"
#define PUSH(attrs, inner) "<pap><push-message push-id=\"i\" " attrs ">" inner "</push-message></pap>"

struct setup {
    struct pap_parser *parser;
    struct pap_limits limits;
    struct arena arena;
    struct pap_message m;
    struct pap_fault fault;
};

static void setup(struct setup *s, bool strict)
{
    *s = (struct setup){.limits = PAP_LIMITS_DEFAULT};
    s->limits.strict = strict;
    arena_init(&s->arena, 4096, 1 << 20);
    if (pap_parser_create(&s->parser))
        abort();
}

static void teardown(struct setup *s)
{
    arena_clear(&s->arena);
    pap_parser_free(&s->parser);
    CU_ASSERT_PTR_NULL(s->parser);
}

static enum err parse(struct setup *s, struct slice xml)
{
    s->m = (struct pap_message){0};
    s->fault = (struct pap_fault){0};
    return pap_parse(s->parser, xml, &s->limits, &s->arena, &s->m, &s->fault);
}

static const char submission[] =
    "<?xml version=\"1.0\"?>\r\n"
    "<!DOCTYPE pap PUBLIC \"-//WAPFORUM//DTD PAP 2.0//EN\" \"http://www.wapforum.org/DTD/pap_2.0.dtd\" "
    "[<?wap-pap-ver supported-versions=\"2.0,1.*\"?>]>\r\n"
    "<pap product-name=\"DemoPI/1.0\">\r\n  <push-message push-id=\"20240501-0001@news.example.com\"\r\n"
    "      deliver-before-timestamp=\"2024-05-02T00:00:00Z\"\r\n      source-reference=\"Example News\"\r\n"
    "      ppg-notify-requested-to=\"https://pi.example.com/pap-notify\"\r\n"
    "      progress-notes-requested=\"false\">\r\n    " ADDR "\r\n    " ADDR2 "\r\n"
    "    <quality-of-service priority=\"high\" delivery-method=\"confirmed\"/>\r\n  "
    "</push-message>\r\n</pap>\r\n";

static void test_submission(void)
{
    struct setup s;
    const struct pap_push *p = &s.m.push;

    setup(&s, true);
    CU_ASSERT_EQUAL_FATAL(parse(&s, slice_str(submission)), ERR_OK);
    CU_ASSERT_EQUAL(s.m.kind, PAP_KIND_PUSH_MESSAGE);
    CU_ASSERT_EQUAL(s.m.version, PAP_VERSION_2_0);
    TEST_SLICE_EQ(s.m.product_name, SLICE("DemoPI/1.0"));
    TEST_SLICE_EQ(s.m.supported_versions, SLICE("2.0,1.*"));
    TEST_SLICE_EQ(p->push_id, SLICE("20240501-0001@news.example.com"));
    CU_ASSERT_TRUE(p->deliver_before.given);
    CU_ASSERT_EQUAL(p->deliver_before.utc_s, 1714608000);
    CU_ASSERT_FALSE(p->deliver_after.given);
    TEST_SLICE_EQ(p->source_reference, SLICE("Example News"));
    TEST_SLICE_EQ(p->notify_to, SLICE("https://pi.example.com/pap-notify"));
    CU_ASSERT_FALSE(p->progress_notes_requested);
    CU_ASSERT_PTR_NULL(p->replace_push_id.p);
    CU_ASSERT_EQUAL_FATAL(p->addrs.n, 2);
    TEST_SLICE_EQ(p->addrs.v[0], SLICE("WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net"));
    TEST_SLICE_EQ(p->addrs.v[1], SLICE("WAPPUSH=alice%40example.com/TYPE=USER@ppg.example.net"));
    CU_ASSERT_TRUE(p->qos.given);
    CU_ASSERT_EQUAL(p->qos.priority, PAP_PRIORITY_HIGH);
    CU_ASSERT_EQUAL(p->qos.delivery, PAP_DELIVERY_CONFIRMED);
    teardown(&s);
}

static void test_answers(void)
{
    struct setup s;

    setup(&s, true);
    CU_ASSERT_EQUAL_FATAL(
        parse(&s, SLICE("<pap><resultnotification-response push-id=\"a@b\" code=\"1000\" desc=\"OK\">" ADDR
                        "</resultnotification-response></pap>")),
        ERR_OK);
    CU_ASSERT_EQUAL(s.m.kind, PAP_KIND_RESULTNOTIFICATION_RESPONSE);
    CU_ASSERT_EQUAL(s.m.notification_response.code, PAP_CODE_OK);
    CU_ASSERT_EQUAL(s.m.version, PAP_VERSION_NONE);
    CU_ASSERT_EQUAL_FATAL(
        parse(
            &s,
            SLICE(
                "<pap><statusquery-response push-id=\"a@b\"><statusquery-result message-state=\"delivered\" "
                "code=\"1000\" event-time=\"2024-05-01T12:00:07Z\">" ADDR "</statusquery-result>"
                "<statusquery-result message-state=\"pending\" code=\"1001\">" ADDR2
                "</statusquery-result></statusquery-response></pap>")),
        ERR_OK);
    CU_ASSERT_EQUAL_FATAL(s.m.status_response.results.n, 2);
    CU_ASSERT_EQUAL(s.m.status_response.results.v[0].state, PAP_STATE_DELIVERED);
    CU_ASSERT_EQUAL(s.m.status_response.results.v[0].event_time.utc_s, 1714564807);
    CU_ASSERT_EQUAL(s.m.status_response.results.v[1].code, PAP_CODE_ACCEPTED);
    CU_ASSERT_EQUAL(s.m.status_response.results.v[1].addrs.n, 1);
    CU_ASSERT_EQUAL_FATAL(
        parse(&s, SLICE("<pap><ccq-response query-id=\"q1\" code=\"3008\">" ADDR "</ccq-response></pap>")),
        ERR_OK);
    TEST_SLICE_EQ(s.m.ccq_response.query_id, SLICE("q1"));
    CU_ASSERT_EQUAL_FATAL(parse(&s, SLICE("<pap><badmessage-response code=\"2000\" desc=\"Bad request\" "
                                          "bad-message-fragment=\"&lt;pap&gt;&lt;pusj-message\"/></pap>")),
                          ERR_OK);
    TEST_SLICE_EQ(s.m.bad.fragment, SLICE("<pap><pusj-message"));
    teardown(&s);
}

static void test_entities(void)
{
    struct setup s;

    setup(&s, true);
    CU_ASSERT_EQUAL_FATAL(
        parse(&s, SLICE("<pap><cancel-message push-id=\"&lt;&amp;amp;&gt;&quot;&apos;&#38;&#x41;"
                        "&#9;&#10;\t\n\"/></pap>")),
        ERR_OK);
    TEST_SLICE_EQ(s.m.cancel.push_id, SLICE("<&amp;>\"'&A\t\n  ")); /* XML 1.0 §3.3.3 */
    teardown(&s);
}

/* What the two modes say to one document; kind of the fault and its identifier where lenient refuses. */
static const struct {
    const char *xml;
    enum err strict, lenient;
    int code;
    enum pap_kind kind;
    const char *id;
} rows[] = {
    {PUSH("", ADDR), ERR_OK, ERR_OK, 0, 0, ""},
    {"<pap><cancel-message push-id=\"i\"/></pap>", ERR_OK, ERR_OK, 0, 0, ""}, /* no address: all */
    {"<pap><statusquery-message push-id=\"i\"/></pap>", ERR_OK, ERR_OK, 0, 0, ""},
    {"<pap><resultnotification-response push-id=\"i\" code=\"2999\"/></pap>", ERR_OK, ERR_OK, 0, 0, ""},
    {"<pap><badmessage-response bad-message-fragment=\"\"/></pap>", ERR_OK, ERR_OK, 0, 0, ""}, /* 1.0 */
    {PUSH("replace-push-id=\"o\" replace-method=\" pending-only \"", ADDR), ERR_OK, ERR_OK, 0, 0, ""},
    /* the field */
    {PUSH("", ADDR "<quality-of-service delivery-method=\"UNCONFIRMED\"/>"), ERR_MALFORMED, ERR_OK, 0, 0, ""},
    {PUSH("results-notification-to=\"http://x\" request-progress-notes=\"true\"", ADDR), ERR_MALFORMED,
     ERR_OK, 0, 0, ""},
    {PUSH("progress-notes-requested=\"TRUE\"", ADDR), ERR_MALFORMED, ERR_OK, 0, 0, ""},
    {PUSH("", "<quality-of-service/>" ADDR), ERR_MALFORMED, ERR_OK, 0, 0, ""},
    {"<!DOCTYPE pap PUBLIC \"-//WAPFORUM//DTD PAP 1.0//EN\">" PUSH("replace-push-id=\"o\"", ADDR),
     ERR_MALFORMED, ERR_OK, 0, 0, ""},
    {"<pap xmlns=\"urn:x\"><cancel-message push-id=\"i\"/></pap>", ERR_MALFORMED, ERR_OK, 0, 0, ""},
    {PUSH("xml:lang=\"en\"", ADDR), ERR_MALFORMED, ERR_OK, 0, 0, ""},
    {PUSH("x:push-id=\"j\"", ADDR), ERR_MALFORMED, ERR_OK, 0, 0, ""},
    /* grammar */
    {PUSH("", ""), ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_PUSH_MESSAGE, "i"},
    {PUSH("", "<foo/>" ADDR), ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_PUSH_MESSAGE, "i"},
    {PUSH("", ADDR "text"), ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_PUSH_MESSAGE, "i"},
    {PUSH("", ADDR "<![CDATA[x]]>"), ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_PUSH_MESSAGE, "i"},
    {PUSH("", "<address/>"), ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_PUSH_MESSAGE, "i"},
    {PUSH("", "<address address-value=\"a\"><address address-value=\"a\"/></address>"), ERR_MALFORMED,
     ERR_MALFORMED, 2000, PAP_KIND_PUSH_MESSAGE, "i"},
    {PUSH("", ADDR "<quality-of-service/><quality-of-service/>"), ERR_MALFORMED, ERR_MALFORMED, 2000,
     PAP_KIND_PUSH_MESSAGE, "i"},
    {PUSH("", ADDR "<quality-of-service priority=\"highest\"/>"), ERR_MALFORMED, ERR_MALFORMED, 2000,
     PAP_KIND_PUSH_MESSAGE, "i"},
    {PUSH("", ADDR "<response-result code=\"1000\"/>"), ERR_MALFORMED, ERR_MALFORMED, 2000,
     PAP_KIND_PUSH_MESSAGE, "i"},
    {PUSH("deliver-before-timestamp=\"2013-09-31T13:30:00Z\"", ADDR), ERR_MALFORMED, ERR_MALFORMED, 2000,
     PAP_KIND_PUSH_MESSAGE, "i"},
    {PUSH("replace-method=\"some\"", ADDR), ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_PUSH_MESSAGE, "i"},
    {PUSH("progress-notes-requested=\"1\"", ADDR), ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_PUSH_MESSAGE,
     "i"},
    {"<pap><push-message deliver-before-timestamp=\"x\" push-id=\"i\">" ADDR "</push-message></pap>",
     ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_PUSH_MESSAGE, "i"}, /* the id stands behind the fault */
    {"<pap><push-message>" ADDR "</push-message></pap>", ERR_MALFORMED, ERR_MALFORMED, 2000,
     PAP_KIND_PUSH_MESSAGE, ""},
    {"<pap><cancel-message push-id=\"i\"><quality-of-service/></cancel-message></pap>", ERR_MALFORMED,
     ERR_MALFORMED, 2000, PAP_KIND_CANCEL_MESSAGE, "i"},
    {"<pap><ccq-message query-id=\"q\"/></pap>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_CCQ_MESSAGE,
     ""},
    {"<pap><ccq-message>" ADDR ADDR "</ccq-message></pap>", ERR_MALFORMED, ERR_MALFORMED, 2000,
     PAP_KIND_CCQ_MESSAGE, ""},
    {"<pap><push-response push-id=\"i\"/></pap>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_PUSH_RESPONSE,
     "i"},
    {"<pap><push-response push-id=\"i\"><response-result code=\"999\"/></push-response></pap>", ERR_MALFORMED,
     ERR_MALFORMED, 2000, PAP_KIND_PUSH_RESPONSE, "i"},
    {"<pap><push-response push-id=\"i\"><response-result code=\"10000\"/></push-response></pap>",
     ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_PUSH_RESPONSE, "i"},
    {"<pap><cancel-response push-id=\"i\"/></pap>", ERR_MALFORMED, ERR_MALFORMED, 2000,
     PAP_KIND_CANCEL_RESPONSE, "i"},
    {"<pap><statusquery-response push-id=\"i\"><statusquery-result "
     "code=\"1000\"/></statusquery-response></pap>",
     ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_STATUSQUERY_RESPONSE, "i"},
    {"<pap><cancel-message push-id=\"i\"/><cancel-message push-id=\"j\"/></pap>", ERR_MALFORMED,
     ERR_MALFORMED, 2000, PAP_KIND_CANCEL_MESSAGE, "i"},
    /* not attributable */
    {"<pap/>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE, ""},
    {"<pap><address address-value=\"a\"/></pap>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE, ""},
    {"<pap><pap/></pap>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE, ""},
    {"<pap><pusj-message/></pap>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE, ""},
    {"<push-message push-id=\"i\"/>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE, ""},
    {"<bpds><subscriptionquery-message/></bpds>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE, ""},
    {"<x:pap xmlns:x=\"u\"/>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE, ""},
    {"", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE, ""},
    {"not xml", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE, ""},
    {"<pap><cancel-message push-id=\"i\"/></pap>x", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE, ""},
    {"<pap><cancel-message push-id=\"i\"/></pap><pap/>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE,
     ""},
    {"<pap><cancel-message push-id=\"i\" push-id=\"j\"/></pap>", ERR_MALFORMED, ERR_MALFORMED, 2000,
     PAP_KIND_NONE, ""},
    {"<pap><cancel-message push-id=\"&unknown;\"/></pap>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE,
     ""},
    {"<pap><cancel-message push-id=\"&#0;\"/></pap>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE, ""},
    {"<pap><cancel-message push-id=\"\x01\"/></pap>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE, ""},
    {"<pap><cancel-message push-id=\"\xff\"/></pap>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE, ""},
    {"<pap><cancel-message push-id=\"a<b\"/></pap>", ERR_MALFORMED, ERR_MALFORMED, 2000, PAP_KIND_NONE, ""},
    {"<!DOCTYPE pap PUBLIC \"-//OMA//DTD PAP 3.0//EN\" \"x\">" PUSH("", ADDR), ERR_UNSUPPORTED,
     ERR_UNSUPPORTED, 3002, PAP_KIND_NONE, ""},
};

static void row_check(struct setup *s, size_t i)
{
    enum err want = s->limits.strict ? rows[i].strict : rows[i].lenient;

    test_row(i);
    CU_ASSERT_EQUAL(parse(s, slice_str(rows[i].xml)), want);
    CU_ASSERT_EQUAL(s->m.kind != PAP_KIND_NONE, want == ERR_OK); /* untouched on failure, and the other way */
    CU_ASSERT_EQUAL(s->fault.desc[0] != '\0', want != ERR_OK);
    if (!want || (s->limits.strict && rows[i].lenient == ERR_OK))
        return;
    CU_ASSERT_EQUAL(s->fault.code, (enum pap_code)rows[i].code);
    CU_ASSERT_EQUAL(s->fault.kind, rows[i].kind);
    TEST_SLICE_EQ(s->fault.push_id, slice_str(rows[i].id));
}

static void test_rows(bool strict)
{
    struct setup s;

    setup(&s, strict);
    for (size_t i = 0; i < COUNT(rows); i++)
        row_check(&s, i);
    teardown(&s);
}

static void test_strict(void)
{
    test_rows(true);
}

static void test_lenient(void)
{
    test_rows(false);
}

static void test_fault(void)
{
    struct setup s;
    struct buf long_one;

    setup(&s, false);
    CU_ASSERT_EQUAL(parse(&s, SLICE("<pap><ccq-message query-id=\"q7\">" ADDR "<x a='\t1'/>")),
                    ERR_MALFORMED);
    TEST_SLICE_EQ(s.fault.query_id, SLICE("q7"));
    TEST_SLICE_EQ(s.fault.address, SLICE("WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net"));
    CU_ASSERT_STRING_EQUAL(s.fault.desc, "unknown element x");
    TEST_SLICE_EQ(s.fault.fragment, SLICE("<x a='1'/>")); /* control characters dropped */
    CU_ASSERT_EQUAL(parse(&s, SLICE("<pap><ccq-message query-id=\"q7\">" ADDR "</pap>")), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s.fault.kind, PAP_KIND_NONE); /* not well-formed: nothing of it is repeated */
    CU_ASSERT_PTR_NULL(s.fault.query_id.p);
    CU_ASSERT_PTR_NULL(s.fault.address.p);
    CU_ASSERT_EQUAL(parse(&s, SLICE("\r\n")), ERR_MALFORMED);
    CU_ASSERT_PTR_NULL(s.fault.fragment.p); /* nothing to show: left out */
    buf_init(&long_one, 8192);
    buf_add(&long_one, SLICE("<pap><\xC3\xA9"));
    for (int i = 0; i < 400; i++)
        buf_add(&long_one, SLICE("\xC3\xA9"));
    buf_add(&long_one, SLICE("/></pap>"));
    CU_ASSERT_EQUAL(parse(&s, buf_slice(&long_one)), ERR_MALFORMED);
    CU_ASSERT_EQUAL(s.fault.fragment.n, 1 + 255 * 2); /* 256 characters, none cut */
    for (const char *c = s.fault.desc; *c; c++)
        CU_ASSERT(*c >= 0x20 && *c < 0x7F);
    buf_clear(&long_one);
    teardown(&s);
}

/* Every entity a DTD could bring is refused with the DTD; nothing is opened, nothing expands. */
static void test_hostile(void)
{
    static const char *const docs[] = {
        ("<?xml version=\"1.0\"?><!DOCTYPE pap [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">"
         "<!ENTITY c \"&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;\">]><pap product-name=\"&d;\"/>"),
        "<!DOCTYPE pap [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><pap>&x;</pap>",
        "<!DOCTYPE pap [<!ENTITY % x SYSTEM \"http://127.0.0.1:1/x\">%x;]><pap/>",
        "<!DOCTYPE pap SYSTEM \"file:///etc/passwd\"><pap>&x;</pap>",
        "<pap><!DOCTYPE pap [<!ENTITY a \"b\">]></pap>",
        "<!DOCTYPE pap><!DOCTYPE pap [<!ENTITY a \"b\">]><pap product-name=\"&a;\"/>",
        "<!DOCTYPE pap><!-- --><!DOCTYPE pap [<!ENTITY a \"b\">]><pap product-name=\"&a;\"/>",
        "<!DOCTYPE pap><!DOCTYPE pap><pap><cancel-message push-id=\"i\"/></pap>",
        ("<!DOCTYPE pap><!-- --><!DOCTYPE pap SYSTEM \"file:///etc/passwd\"><pap>"
         "<cancel-message push-id=\"i\"/></pap>"),
        "<pap><xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" href=\"file:///etc/passwd\"/></pap>",
    };
    struct setup s;

    setup(&s, false);
    for (size_t i = 0; i < COUNT(docs); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(parse(&s, slice_str(docs[i])), ERR_MALFORMED);
        CU_ASSERT_EQUAL(s.fault.code, PAP_CODE_BAD_REQUEST);
    }
    CU_ASSERT_EQUAL(parse(&s, SLICE("<!DOCTYPE pap SYSTEM \"file:///etc/passwd\">"
                                    "<pap><cancel-message push-id=\"i\"/></pap>")),
                    ERR_OK); /* named, never loaded */
    teardown(&s);
}

static void repeat(struct buf *b, const char *fmt, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_addf(b, fmt, i);
}

static void test_many_attributes(void)
{
    struct setup s;
    struct buf b;

    setup(&s, false);
    s.limits.control_max_n = 4 << 20; /* past the ceiling that would refuse it anyway */
    buf_init(&b, 4 << 20);
    buf_add(&b, SLICE("<pap><cancel-message push-id=\"i\""));
    repeat(&b, " a%zu=\"\"", 60000);
    buf_add(&b, SLICE("/></pap>"));
    CU_ASSERT_EQUAL(parse(&s, buf_slice(&b)), ERR_LIMIT);
    CU_ASSERT_STRING_EQUAL(s.fault.desc, "more than 64 attributes");
    buf_reset(&b, 4 << 20);
    buf_add(&b, SLICE("<pap><cancel-message push-id=\"i\""));
    repeat(&b, " a%zu=\"\"", 63);
    buf_add(&b, SLICE("/></pap>"));
    CU_ASSERT_EQUAL(parse(&s, buf_slice(&b)), ERR_OK);
    buf_clear(&b);
    teardown(&s);
}

static void test_deep(void)
{
    struct setup s;
    struct buf b;

    setup(&s, false);
    buf_init(&b, 1 << 20);
    repeat(&b, "<pap n%zu=\"\">", 1);
    buf_add(&b, SLICE("<cancel-response push-id=\"i\"><cancel-result code=\"1000\">"));
    for (int i = 0; i < 10000; i++)
        buf_add(&b, SLICE("<a>"));
    CU_ASSERT_EQUAL(parse(&s, buf_slice(&b)), ERR_MALFORMED);
    s.limits.depth_max = 3;
    CU_ASSERT_EQUAL(parse(&s, buf_slice(&b)), ERR_LIMIT);
    CU_ASSERT_STRING_EQUAL(s.fault.desc, "nested too deeply");
    buf_clear(&b);
    teardown(&s);
}

static void test_sizes(void)
{
    struct setup s;
    struct buf b;

    setup(&s, false);
    buf_init(&b, 1 << 20);
    buf_add(&b, SLICE("<pap><cancel-message push-id=\""));
    for (int i = 0; i < 4096; i++)
        buf_add_ch(&b, 'a');
    buf_add(&b, SLICE("\"/></pap>"));
    CU_ASSERT_EQUAL(parse(&s, buf_slice(&b)), ERR_OK);
    s.limits.attr_value_max_n = 4095;
    CU_ASSERT_EQUAL(parse(&s, buf_slice(&b)), ERR_LIMIT);
    CU_ASSERT_EQUAL(s.fault.kind, PAP_KIND_CANCEL_MESSAGE);
    s.limits.control_max_n = b.n - 1;
    CU_ASSERT_EQUAL(parse(&s, buf_slice(&b)), ERR_LIMIT);
    CU_ASSERT_EQUAL(s.fault.kind, PAP_KIND_NONE);
    buf_clear(&b);
    s.limits = PAP_LIMITS_DEFAULT;
    s.limits.url_max_n = 8;
    CU_ASSERT_EQUAL(parse(&s, SLICE(PUSH("ppg-notify-requested-to=\"http://x\"", ADDR))), ERR_OK);
    CU_ASSERT_EQUAL(parse(&s, SLICE(PUSH("ppg-notify-requested-to=\"http://xy\"", ADDR))), ERR_LIMIT);
    teardown(&s);
}

static void test_addresses(void)
{
    struct setup s;
    struct buf b;

    setup(&s, false);
    buf_init(&b, 1 << 20);
    buf_add(&b, SLICE("<pap><push-message push-id=\"i\">"));
    repeat(&b, "<address address-value=\"a%zu\"/>", 1000);
    buf_add(&b, SLICE("</push-message></pap>"));
    CU_ASSERT_EQUAL_FATAL(parse(&s, buf_slice(&b)), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(s.m.push.addrs.n, 1000);
    TEST_SLICE_EQ(s.m.push.addrs.v[0], SLICE("a0"));
    TEST_SLICE_EQ(s.m.push.addrs.v[513], SLICE("a513"));
    TEST_SLICE_EQ(s.m.push.addrs.v[999], SLICE("a999"));
    s.limits.addresses_max = 999;
    CU_ASSERT_EQUAL(parse(&s, buf_slice(&b)), ERR_LIMIT);
    CU_ASSERT_EQUAL(s.fault.code, PAP_CODE_MULTIPLE_ADDRESSES);
    CU_ASSERT_EQUAL(s.fault.kind, PAP_KIND_PUSH_MESSAGE);
    buf_clear(&b);
    teardown(&s);
}

static void test_encodings(void)
{
    static const struct {
        struct slice xml;
        enum err want;
    } rows_e[] = {
#define E_ROW(bytes, want) {{bytes, sizeof(bytes) - 1}, want}
        E_ROW("<pap><cancel-message push-id=\"\xC3\xA9\"/></pap>", ERR_OK),
        E_ROW("\xEF\xBB\xBF<pap><cancel-message push-id=\"\xC3\xA9\"/></pap>", ERR_OK),
        E_ROW("<?xml version='1.0' encoding='iso-8859-1'?><pap><cancel-message push-id=\"\xE9\"/></pap>",
              ERR_OK),
        E_ROW("<?xml version='1.0' encoding='us-ascii'?><pap><cancel-message push-id=\"&#xE9;\"/></pap>",
              ERR_OK),
        E_ROW("<?xml version='1.0' encoding='us-ascii'?><pap><cancel-message push-id=\"\xE9\"/></pap>",
              ERR_MALFORMED),
        E_ROW("<?xml version='1.0' encoding='utf-8'?><pap><cancel-message push-id=\"\xE9\"/></pap>",
              ERR_MALFORMED),
        E_ROW("<?xml version='1.0' encoding='koi8-r'?><pap><cancel-message push-id=\"x\"/></pap>",
              ERR_UNSUPPORTED),
        E_ROW("<?xml version='1.0' encoding='utf-16'?><pap><cancel-message push-id=\"x\"/></pap>",
              ERR_UNSUPPORTED),
        E_ROW("\0\0\0<\0\0\0p", ERR_UNSUPPORTED),
        /* EBCDIC, which libxml2 would guess and read past our checks */
        E_ROW(
            "\x4C\x6F\xA7\x94\x93\x40\xA5\x85\x99\xA2\x89\x96\x95\x7E\x7F\xF1\x4B\xF0\x7F\x6F\x6E\x4C\x97\x81"
            "\x97\x6E\x4C\x83\x81\x95\x83\x85\x93\x60\x94\x85\xA2\xA2\x81\x87\x85\x40\x97\xA4\xA2\x88\x60\x89"
            "\x84\x7E\x7F\x89\x7F\x61\x6E\x4C\x61\x97\x81\x97\x6E",
            ERR_MALFORMED),
        E_ROW("<pap><cancel-message push-id=\"x\"/></pap>\0", ERR_MALFORMED),
        E_ROW("<pap><cancel-message push-id=\"x\"/></pap>\0<x>", ERR_MALFORMED),
        E_ROW("<!-- \0 --><pap><cancel-message push-id=\"x\"/></pap>", ERR_MALFORMED),
        E_ROW("<pap>\0<cancel-message push-id=\"x\"/></pap>", ERR_MALFORMED),
    };
    struct setup s;

    setup(&s, false);
    for (size_t i = 0; i < COUNT(rows_e); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(parse(&s, rows_e[i].xml), rows_e[i].want);
        if (!rows_e[i].want)
            TEST_SLICE_EQ(s.m.cancel.push_id, SLICE("\xC3\xA9"));
    }
    teardown(&s);
}

/* What came with the document says its encoding, not its declaration. */
static void test_encoding_named(void)
{
#define DECL(enc, id)                                                                                        \
    "<?xml version='1.0' encoding='" enc "'?><pap><cancel-message push-id=\"" id "\"/></pap>"
    static const struct {
        const char *charset, *xml;
        enum err want;
    } rows_n[] = {
        {"utf-8", DECL("iso-8859-1", "\xC3\xA9"), ERR_OK},
        {"utf-8", DECL("koi8-r", "\xC3\xA9"), ERR_OK},
        {"utf-8", DECL("iso-8859-1", "\xE9"), ERR_MALFORMED},
        {"iso-8859-1", DECL("utf-8", "\xE9"), ERR_OK},
        {"us-ascii", DECL("utf-8", "&#xE9;"), ERR_OK},
        {"us-ascii", DECL("utf-8", "\xC3\xA9"), ERR_MALFORMED},
        {"utf-16", DECL("utf-8", "x"), ERR_UNSUPPORTED},
        {"utf-16be", DECL("utf-8", "x"), ERR_MALFORMED},
        {"koi8-r", DECL("utf-8", "x"), ERR_UNSUPPORTED},
        {"", DECL("utf-8", "x"), ERR_UNSUPPORTED},
        {"iso-8859-1", "\xEF\xBB\xBF" DECL("iso-8859-1", "\xC3\xA9"),
         ERR_OK}, /* its mark stands above both */
    };
    struct setup s;

    setup(&s, false);
    for (size_t i = 0; i < COUNT(rows_n); i++) {
        enum err e;

        test_row(i);
        s.fault = (struct pap_fault){0};
        e = pap_parse_as(s.parser, slice_str(rows_n[i].xml), slice_str(rows_n[i].charset), &s.limits,
                         &s.arena, &s.m, &s.fault);
        CU_ASSERT_EQUAL(e, rows_n[i].want);
        CU_ASSERT_EQUAL(s.fault.code, e ? PAP_CODE_BAD_REQUEST : PAP_CODE_NONE);
        if (!e)
            TEST_SLICE_EQ(s.m.cancel.push_id, SLICE("\xC3\xA9"));
    }
    teardown(&s);
}

static void test_utf16(void)
{
    struct slice ascii = SLICE("<pap><cancel-message push-id=\"\xE9\"/></pap>"); /* as Latin-1 */
    struct setup s;

    setup(&s, true);
    for (int big = 0; big < 2; big++)
        for (int mark = 0; mark < 2; mark++) {
            struct buf b;

            buf_init(&b, 1024);
            buf_add(&b, mark ? big ? SLICE("\xFE\xFF") : SLICE("\xFF\xFE") : SLICE(""));
            for (size_t i = 0; i < ascii.n; i++) {
                buf_add_ch(&b, big ? '\0' : ascii.p[i]);
                buf_add_ch(&b, big ? ascii.p[i] : '\0');
            }
            CU_ASSERT_EQUAL(parse(&s, buf_slice(&b)), ERR_OK);
            TEST_SLICE_EQ(s.m.cancel.push_id, SLICE("\xC3\xA9"));
            CU_ASSERT_EQUAL(parse(&s, slice_sub(buf_slice(&b), 0, b.n - 1)), ERR_MALFORMED);
            buf_clear(&b);
        }
    teardown(&s);
}

static void test_truncated(void)
{
    struct slice whole = slice_sub(slice_str(submission), 0, sizeof submission - 3); /* without last CRLF */
    struct setup s;

    setup(&s, false);
    for (size_t n = 0; n < whole.n; n++) {
        char *exact = malloc(n ? n : 1);

        for (size_t i = 0; i < n; i++)
            exact[i] = whole.p[i];
        test_row(n);
        CU_ASSERT_NOT_EQUAL(parse(&s, slice_of(exact, n)), ERR_OK);
        free(exact);
    }
    CU_ASSERT_EQUAL(parse(&s, whole), ERR_OK);
    teardown(&s);
}

/* One parser, document after document: nothing of one shows in the next, and names do not pile up. */
static void test_reuse(void)
{
    struct setup s;

    setup(&s, false);
    for (size_t i = 0; i < 3000; i++) {
        struct buf b;

        buf_init(&b, 1024);
        buf_addf(&b, "<pap xmlns:n%zu=\"u\" a%zu=\"\"><cancel-message push-id=\"%zu\"/></pap>", i, i, i);
        CU_ASSERT_EQUAL(parse(&s, buf_slice(&b)), ERR_OK);
        buf_cut(&b, b.n - i % 9);
        CU_ASSERT_EQUAL(parse(&s, buf_slice(&b)), i % 9 ? ERR_MALFORMED : ERR_OK);
        buf_clear(&b);
        arena_reset(&s.arena);
    }
    CU_ASSERT_EQUAL(parse(&s, SLICE("<pap><statusquery-message push-id=\"z\"/></pap>")), ERR_OK);
    CU_ASSERT_EQUAL(s.m.status.addrs.n, 0);
    CU_ASSERT_PTR_NULL(s.m.product_name.p);
    teardown(&s);
}

/* Long names that nobody asked for: each document stands alone, none fails for what came before. */
static void test_long_names(void)
{
    struct setup s;

    setup(&s, false);
    for (size_t i = 0; i < 500; i++) {
        struct buf b;

        buf_init(&b, 65536);
        buf_addf(&b, "<pap a%zu", i);
        for (size_t k = 0; k < 30000; k++)
            buf_add_ch(&b, 'a');
        buf_add(&b, SLICE("=\"\"><cancel-message push-id=\"i\"/></pap>"));
        CU_ASSERT_EQUAL(parse(&s, buf_slice(&b)), ERR_OK);
        buf_clear(&b);
        arena_reset(&s.arena);
    }
    teardown(&s);
}

/* Every arena ceiling: refused as memory or accepted, never a crash. */
static void test_no_memory(void)
{
    struct setup s;
    size_t refused = 0;

    setup(&s, false);
    arena_clear(&s.arena);
    for (size_t max = 0; max < 1024; max += 8) {
        enum err e;

        arena_init(&s.arena, 64, max);
        e = parse(&s, slice_str(submission));
        CU_ASSERT(e == ERR_OK || e == ERR_NOMEM);
        if (e)
            CU_ASSERT_EQUAL(s.fault.code, PAP_CODE_INTERNAL_ERROR);
        refused += e != ERR_OK;
        arena_clear(&s.arena);
    }
    CU_ASSERT(refused > 10 && refused < 128);
    pap_parser_free(&s.parser);
    pap_parser_free(&s.parser); /* takes NULL */
}

const struct test_case test_cases[] = {
    {"submission", test_submission},
    {"answers", test_answers},
    {"entities", test_entities},
    {"strict", test_strict},
    {"lenient", test_lenient},
    {"fault", test_fault},
    {"hostile XML", test_hostile},
    {"60000 attributes", test_many_attributes},
    {"depth 10000", test_deep},
    {"sizes", test_sizes},
    {"address count", test_addresses},
    {"encodings", test_encodings},
    {"encoding named", test_encoding_named},
    {"utf-16", test_utf16},
    {"truncated", test_truncated},
    {"reuse", test_reuse},
    {"long names", test_long_names},
    {"no memory", test_no_memory},
    {NULL, NULL},
};
