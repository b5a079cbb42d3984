/* Submissions as pap-push writes them, read back by the gateway's own readers and by hand. */
#include "ppg/tool/submit.h"

#include "pap/mime.h"
#include "pap/parse.h"
#include "tests/unit/harness.h"

static struct slice to[2];
static struct tool_list headers;

static struct tool_submit plain(void)
{
    to[0] = SLICE("WAPPUSH=+15550100/TYPE=PLMN");
    headers = (struct tool_list){.n = 0};
    return (struct tool_submit){.push_id = "i@pi",
                                .to = {to, 1},
                                .headers = &headers,
                                .type = "text/plain",
                                .version = "2.0",
                                .content = SLICE("hello"),
                                .now_s = 1000,
                                .boundary = "b0"};
}

struct printed {
    struct arena mem;
    struct buf type;
    struct buf body;
    char why[TOOL_WHY_N];
};

static enum err print(const struct tool_submit *in, struct printed *p)
{
    arena_init(&p->mem, 4096, 1u << 20);
    buf_init(&p->type, 256);
    buf_init(&p->body, 1u << 16);
    p->why[0] = 0;
    return tool_submit_print(in, &p->type, &p->body, p->why);
}

static void clear(struct printed *p)
{
    arena_clear(&p->mem);
    buf_clear(&p->type);
    buf_clear(&p->body);
}

/* The gateway's own reader makes the same of it. */
static void there_and_back(void)
{
    struct tool_submit in = plain();
    struct printed p;
    struct pap_parts parts;
    struct pap_parser *parser;
    struct pap_message m;
    struct pap_fault fault;
    struct slice value;
    const struct pap_limits limits = PAP_LIMITS_DEFAULT;
    const char *why;

    to[in.to.n++] = SLICE("WAPPUSH=a%40b/TYPE=USER");
    in.replace_id = "old@pi";
    in.replace_method = "pending-only";
    headers = (struct tool_list){.v = {"X-A:1", "X-B :  two "}, .n = 1};
    in.before = "+1h";
    in.priority = "low";
    in.method = "unconfirmed";
    in.progress = true;
    in.capabilities = SLICE("<rdf/>");
    in.protection = "integrity";
    CU_ASSERT_FATAL(print(&in, &p) == ERR_OK);
    CU_ASSERT_FATAL(pap_mime_split(buf_slice(&p.type), buf_slice(&p.body), true, &parts, &why) == ERR_OK);
    CU_ASSERT(parts.n == 3);
    TEST_SLICE_EQ(parts.part[1].body, SLICE("hello"));
    TEST_SLICE_EQ(parts.part[2].body, SLICE("<rdf/>"));
    CU_ASSERT(pap_mime_header_find(parts.part[1].headers, SLICE("x-a"), &p.mem, &value) == ERR_OK);
    TEST_SLICE_EQ(value, SLICE("1"));
    CU_ASSERT(pap_mime_header_find(parts.part[1].headers, SLICE("x-push-protection"), &p.mem, &value) ==
              ERR_OK);
    TEST_SLICE_EQ(value, SLICE("integrity"));
    CU_ASSERT_FATAL(pap_parser_create(&parser) == ERR_OK);
    CU_ASSERT_FATAL(pap_parse(parser, parts.part[0].body, &limits, &p.mem, &m, &fault) == ERR_OK);
    CU_ASSERT(m.kind == PAP_KIND_PUSH_MESSAGE && m.version == PAP_VERSION_2_0);
    TEST_SLICE_EQ(m.push.push_id, SLICE("i@pi"));
    TEST_SLICE_EQ(m.push.replace_push_id, SLICE("old@pi"));
    CU_ASSERT(m.push.replace_method == PAP_REPLACE_PENDING_ONLY);
    TEST_SLICE_EQ(m.push.addrs.v[1], to[1]);
    CU_ASSERT(m.push.addrs.n == 2 && m.push.progress_notes_requested);
    CU_ASSERT(m.push.deliver_before.given && m.push.deliver_before.utc_s == 4600 &&
              !m.push.deliver_after.given);
    CU_ASSERT(m.push.qos.priority == PAP_PRIORITY_LOW && m.push.qos.delivery == PAP_DELIVERY_UNCONFIRMED);
    CU_ASSERT(m.push.notify_to.p == NULL && m.push.source_reference.p == NULL);
    pap_parser_free(&parser);
    clear(&p);
}

static void shape_of_the_body(void)
{
    struct tool_submit in = plain();
    struct printed p;
    size_t n;

    in.content = SLICE("--b\r\n\0x");
    CU_ASSERT_FATAL(print(&in, &p) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&p.type), SLICE("multipart/related; type=\"application/xml\"; boundary=\"b0\""));
    CU_ASSERT(slice_starts(buf_slice(&p.body), SLICE("--b0\r\nContent-Type: application/xml\r\n\r\n<?xml ")));
    n = slice_find_slice(buf_slice(&p.body), SLICE("\r\n--b0\r\nContent-Type: text/plain\r\n"));
    CU_ASSERT_FATAL(n != SIZE_MAX);
    TEST_SLICE_EQ(slice_sub(buf_slice(&p.body), n, p.body.n),
                  SLICE("\r\n--b0\r\nContent-Type: text/plain\r\n\r\n--b\r\n\0x\r\n--b0--\r\n"));
    clear(&p);
}

static void bad_words(void)
{
    static const struct {
        size_t at;
        const char *text;
        const char *why;
    } rows[] = {
        {offsetof(struct tool_submit, priority), "HIGH", "--priority: no such word"},
        {offsetof(struct tool_submit, priority), "", "--priority: no such word"},
        {offsetof(struct tool_submit, method), "maybe", "--method: no such word"},
        {offsetof(struct tool_submit, replace_method), "some", "--method: no such word"},
        {offsetof(struct tool_submit, replace_method), "ALL", "--method: no such word"},
        {offsetof(struct tool_submit, protection), "half", "--protection: no such word"},
        {offsetof(struct tool_submit, version), "2.2", "--pap-version: 1.0, 2.0 or 2.1"},
        {offsetof(struct tool_submit, version), "", "--pap-version: 1.0, 2.0 or 2.1"},
        {offsetof(struct tool_submit, after), "soon", "--after: neither YYYY-MM-DDThh:mm:ssZ nor +10m"},
        {offsetof(struct tool_submit, before), "+", "--before: neither YYYY-MM-DDThh:mm:ssZ nor +10m"},
        {offsetof(struct tool_submit, type), "a\r\nb", "--type: cannot be sent in a header"},
        {offsetof(struct tool_submit, app_id), "a\nb", "--app: cannot be sent in a header"},
        {offsetof(struct tool_submit, initiator_uri), "\r", "--initiator-uri: cannot be sent in a header"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tool_submit in = plain();
        struct printed p;

        test_row(i);
        *(const char **)(void *)((char *)&in + rows[i].at) = rows[i].text;
        CU_ASSERT(print(&in, &p) == ERR_MALFORMED);
        CU_ASSERT_STRING_EQUAL(p.why, rows[i].why);
        clear(&p);
    }
}

static void bad_headers(void)
{
    static const char *const rows[] = {
        "", ":", ": x", "no colon", "a b: c", "X-A: b\r\nX-C: d", "X-\xc3\xa9: x"};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tool_submit in = plain();
        struct printed p;

        test_row(i);
        headers = (struct tool_list){.v = {rows[i]}, .n = 1};
        CU_ASSERT(print(&in, &p) == ERR_MALFORMED);
        clear(&p);
    }
}

static void what_goes_together(void)
{
    struct tool_submit in = plain();
    struct printed p;

    in.to.n = 0;
    CU_ASSERT(print(&in, &p) == ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(p.why, "--to: a recipient is needed");
    clear(&p);
    in = plain();
    in.network_required = true;
    CU_ASSERT(print(&in, &p) == ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(p.why, "--network-required: needs --network");
    clear(&p);
    in = plain();
    in.bearer_required = true;
    CU_ASSERT(print(&in, &p) == ERR_MALFORMED);
    clear(&p);
}

static void ceilings(void)
{
    static const char content[2000];
    struct tool_submit in = plain();
    struct printed p;

    in.content = slice_of(content, sizeof content);
    arena_init(&p.mem, 4096, 1u << 20);
    buf_init(&p.type, 256);
    buf_init(&p.body, 1000);
    CU_ASSERT(tool_submit_print(&in, &p.type, &p.body, p.why) == ERR_LIMIT);
    clear(&p);
}

const struct test_case test_cases[] = {
    {"there_and_back", there_and_back},
    {"shape_of_the_body", shape_of_the_body},
    {"bad_words", bad_words},
    {"bad_headers", bad_headers},
    {"what_goes_together", what_goes_together},
    {"ceilings", ceilings},
    {NULL, NULL},
};
