/* Questions as pap-push writes them, read back by the gateway's own reader; and answers of gateways, alone and in
 * parts. */
#include "ppg/tool/query.h"

#include "pap/parse.h"
#include "pap/print.h"
#include "tests/unit/harness.h"

struct desk {
    struct arena mem;
    struct buf out;
    struct buf work;
    char why[TOOL_WHY_N];
};

static void begin(struct desk *d)
{
    arena_init(&d->mem, 4096, 1u << 20);
    buf_init(&d->out, 1u << 20);
    buf_init(&d->work, 1u << 16);
    d->why[0] = 0;
}

static void end(struct desk *d)
{
    arena_clear(&d->mem);
    buf_clear(&d->out);
    buf_clear(&d->work);
}

static enum err read_back(struct desk *d, struct pap_message *m)
{
    const struct pap_limits limits = PAP_LIMITS_DEFAULT;
    struct pap_parser *parser;
    struct pap_fault fault;
    enum err e = pap_parser_create(&parser);

    if (!e)
        e = pap_parse(parser, buf_slice(&d->out), &limits, &d->mem, m, &fault);
    pap_parser_free(&parser);
    return e;
}

static void questions(void)
{
    static const struct {
        enum pap_kind kind;
        size_t n;
    } rows[] = {{PAP_KIND_CANCEL_MESSAGE, 0},
                {PAP_KIND_CANCEL_MESSAGE, 2},
                {PAP_KIND_STATUSQUERY_MESSAGE, 0},
                {PAP_KIND_STATUSQUERY_MESSAGE, 1}};
    struct slice to[] = {SLICE("WAPPUSH=+1/TYPE=PLMN"), SLICE("WAPPUSH=%24a/TYPE=USER")};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tool_query q = {
            .kind = rows[i].kind, .id = "a<&\"@b", .to = {to, rows[i].n}, .version = "2.1"};
        struct pap_message m;
        struct desk d;

        test_row(i);
        begin(&d);
        CU_ASSERT(tool_query_print(&q, &d.out, d.why) == ERR_OK);
        CU_ASSERT_FATAL(read_back(&d, &m) == ERR_OK);
        CU_ASSERT(m.kind == rows[i].kind && m.version == PAP_VERSION_2_1 && m.cancel.addrs.n == rows[i].n);
        TEST_SLICE_EQ(m.cancel.push_id, SLICE("a<&\"@b"));
        for (size_t k = 0; k < rows[i].n; k++)
            TEST_SLICE_EQ(m.cancel.addrs.v[k], to[k]);
        end(&d);
    }
}

static void capability_question(void)
{
    struct slice to = SLICE("WAPPUSH=+1/TYPE=PLMN");
    struct tool_query q = {
        .kind = PAP_KIND_CCQ_MESSAGE, .id = "q", .app_id = "mms.ua", .to = {&to, 1}, .version = "2.0"};
    struct pap_message m;
    struct desk d;

    begin(&d);
    CU_ASSERT(tool_query_print(&q, &d.out, d.why) == ERR_OK);
    CU_ASSERT_FATAL(read_back(&d, &m) == ERR_OK);
    CU_ASSERT(m.kind == PAP_KIND_CCQ_MESSAGE && m.ccq.addrs.n == 1);
    TEST_SLICE_EQ(m.ccq.query_id, SLICE("q"));
    TEST_SLICE_EQ(m.ccq.app_id, SLICE("mms.ua"));
    end(&d);
}

static void bad_questions(void)
{
    static const char *const versions[] = {"", "2", "2.2", "3.0", "1.0 "};

    for (size_t i = 0; i < COUNT(versions); i++) {
        struct tool_query q = {.kind = PAP_KIND_CANCEL_MESSAGE, .id = "i", .version = versions[i]};
        struct desk d;

        test_row(i);
        begin(&d);
        CU_ASSERT(tool_query_print(&q, &d.out, d.why) == ERR_MALFORMED && d.out.n == 0);
        CU_ASSERT_STRING_EQUAL(d.why, "--pap-version: 1.0, 2.0 or 2.1");
        end(&d);
    }
}

#define CCQ "<pap><ccq-response code=\"1000\"><address address-value=\"+1\"/></ccq-response></pap>"

static void answers(void)
{
    static const struct {
        const char *type, *body, *capabilities;
        enum err want;
    } rows[] = {
        {"application/xml", CCQ, NULL, ERR_OK},
        {"", CCQ, NULL, ERR_OK},
        {"text/plain", CCQ, NULL, ERR_OK},
        {"multipart/related; boundary=b", "--b\r\n\r\n" CCQ "\r\n--b\r\n\r\n<rdf/>\r\n--b--\r\n", "<rdf/>",
         ERR_OK},
        {"multipart/related; boundary=b", "--b\r\n\r\n" CCQ "\r\n--b\r\n\r\n\r\n--b--\r\n", "", ERR_OK},
        {"multipart/related; boundary=b",
         "--b\r\n\r\n" CCQ
         "\r\n--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<rdf a=3D''/>\r\n--b--\r\n",
         "<rdf a=''/>", ERR_OK},
        {"application/xml", "", NULL, ERR_MALFORMED},
        {"application/xml", "<pap/>", NULL, ERR_MALFORMED},
        {"multipart/related", "--b\r\n\r\n" CCQ "\r\n--b\r\n\r\n<rdf/>\r\n--b--\r\n", NULL, ERR_MALFORMED},
        {"multipart/related; boundary=b", CCQ, NULL, ERR_MALFORMED},
        {"multipart/related; boundary=b", "--b\r\n\r\n" CCQ "\r\n--b--\r\n", NULL, ERR_MALFORMED},
        {"multipart/related; boundary=b",
         "--b\r\n\r\n" CCQ "\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--b--\r\n", NULL,
         ERR_MALFORMED},
        {"multipart/related; boundary=b",
         "--b\r\n\r\n" CCQ "\r\n--b\r\nContent-Transfer-Encoding: x-uu\r\n\r\n!\r\n--b--\r\n", NULL,
         ERR_UNSUPPORTED},
        {"multipart/mixed; boundary=b", "--b\r\n\r\n" CCQ "\r\n--b\r\n\r\n<rdf/>\r\n--b--\r\n", NULL,
         ERR_MALFORMED},
        {"application/xml", "<!DOCTYPE pap [<!ENTITY x \"y\">]>" CCQ, NULL, ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tool_answer a = {.capabilities = SLICE_NONE};
        struct desk d;
        enum err e;

        test_row(i);
        begin(&d);
        e = tool_answer_read(slice_str(rows[i].type), slice_str(rows[i].body), &d.mem, &d.work, &a, d.why);
        CU_ASSERT(e == rows[i].want);
        CU_ASSERT(a.message.kind == (rows[i].want ? PAP_KIND_NONE : PAP_KIND_CCQ_RESPONSE));
        CU_ASSERT(!rows[i].want == !*d.why);
        CU_ASSERT((a.capabilities.p == NULL) == (rows[i].capabilities == NULL));
        TEST_SLICE_EQ(a.capabilities, slice_str(rows[i].capabilities));
        end(&d);
    }
}

/* A gateway tells of each recipient of a large push. */
static void an_answer_about_many(void)
{
    static struct slice to[20000];
    struct pap_result result = {
        .code = PAP_CODE_ACCEPTED, .state = PAP_STATE_PENDING, .addrs = {to, COUNT(to)}};
    struct pap_message m = {.kind = PAP_KIND_STATUSQUERY_RESPONSE};
    struct tool_answer a;
    struct desk d;

    begin(&d);
    d.mem.max = 8u << 20;
    d.out.max = 8u << 20;
    for (size_t i = 0; i < COUNT(to); i++)
        to[i] = SLICE("WAPPUSH=+15550100/TYPE=PLMN");
    m.status_response = (struct pap_query_response){SLICE("i"), {&result, 1}};
    CU_ASSERT_FATAL(pap_print(&m, &d.out) == ERR_OK);
    CU_ASSERT_FATAL(tool_answer_read(SLICE_NONE, buf_slice(&d.out), &d.mem, &d.work, &a, d.why) == ERR_OK);
    CU_ASSERT(a.message.status_response.results.v[0].addrs.n == COUNT(to));
    end(&d);
}

const struct test_case test_cases[] = {
    {"questions", questions},
    {"capability_question", capability_question},
    {"bad_questions", bad_questions},
    {"answers", answers},
    {"an_answer_about_many", an_answer_about_many},
    {NULL, NULL},
};
