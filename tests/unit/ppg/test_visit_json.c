/* The JSON of visits: what is printed is read again, by whom it is for; and each way in which it can be wrong. */
#include "ppg/keys/visit_json.h"

#include "tests/unit/harness.h"

#define PSK "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define KEY "0123456789abcdef0123456789abcdef"

static void printed_and_read(void)
{
    struct ppg_visit_grant g = {.identity = SLICE("visit;\"1\""),
                                .key = KEY,
                                .expires_s = 1800000000,
                                .host = SLICE("a.example:4037"),
                                .enabler = SLICE("push.visited.example"),
                                .user = SLICE("+15550100")},
                           got = {.user = SLICE_NONE};
    struct slice name;
    struct arena mem;
    struct buf text;

    arena_init(&mem, 64, 4096);
    buf_init(&text, PPG_VISIT_JSON_MAX_N);
    CU_ASSERT(ppg_visit_grant_print(&g, PPG_VISIT_TERMINAL, &text) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&text),
                  SLICE("{\"psk_identity\":\"visit;\\\"1\\\"\",\"psk\":\"" PSK
                        "\",\"expires\":\"2027-01-15T08:00:00Z\",\"host\":\"a.example:4037\"}"));
    CU_ASSERT(ppg_visit_grant_parse(buf_slice(&text), PPG_VISIT_TERMINAL, &mem, &got) == ERR_OK);
    TEST_SLICE_EQ(got.identity, g.identity);
    TEST_SLICE_EQ(got.host, g.host);
    TEST_SLICE_EQ(slice_of(got.key, sizeof got.key), slice_of(g.key, sizeof g.key));
    CU_ASSERT(got.expires_s == g.expires_s && got.user.n == 0 && got.enabler.n == 0);
    CU_ASSERT(ppg_visit_grant_parse(buf_slice(&text), PPG_VISIT_PEER, &mem, &got) == ERR_MALFORMED);
    for (int with_user = 1; with_user >= 0; with_user--) {
        g.user = with_user ? g.user : SLICE_NONE;
        buf_reset(&text, PPG_VISIT_JSON_MAX_N);
        CU_ASSERT(ppg_visit_grant_print(&g, PPG_VISIT_PEER, &text) == ERR_OK);
        CU_ASSERT(ppg_visit_grant_parse(buf_slice(&text), PPG_VISIT_PEER, &mem, &got) == ERR_OK);
        CU_ASSERT(slice_eq(got.enabler, g.enabler) && slice_eq(got.user, g.user) && got.host.n == 0);
        CU_ASSERT(ppg_visit_grant_parse(buf_slice(&text), PPG_VISIT_TERMINAL, &mem, &got) == ERR_MALFORMED);
    }
    buf_reset(&text, PPG_VISIT_JSON_MAX_N);
    CU_ASSERT(ppg_visit_question_print(g.enabler, &text) == ERR_OK);
    CU_ASSERT(ppg_visit_question_parse(buf_slice(&text), &mem, &name) == ERR_OK && slice_eq(name, g.enabler));
    g.expires_s = -1;
    CU_ASSERT(ppg_visit_grant_print(&g, PPG_VISIT_PEER, &text) == ERR_LIMIT);
    buf_clear(&text);
    arena_clear(&mem);
}

#define HEAD "{\"psk_identity\":\"visit;1\",\"psk\":\"" PSK "\",\"expires\":\"2027-01-15T08:00:00Z\""

/* Of the terminal's answer; and what the other side must have instead of the host. */
static void grants(void)
{
    static const struct {
        const char *in;
        enum err terminal, peer;
    } rows[] = {
        {HEAD ",\"host\":\"a:1\"}", ERR_OK, ERR_MALFORMED},
        {HEAD ",\"host\":\"a:1\",\"more\":[1]}", ERR_OK, ERR_MALFORMED},
        {HEAD ",\"enabler\":\"a\"}", ERR_MALFORMED, ERR_OK},
        {HEAD ",\"enabler\":\"a\",\"user\":\"u\"}", ERR_MALFORMED, ERR_OK},
        {HEAD ",\"enabler\":\"a\",\"host\":\"a:1\"}", ERR_OK, ERR_OK},
        {HEAD ",\"enabler\":\"a\",\"user\":\"\"}", ERR_MALFORMED, ERR_MALFORMED},
        {HEAD ",\"enabler\":\"a\",\"user\":7}", ERR_MALFORMED, ERR_MALFORMED},
        {HEAD ",\"enabler\":\"a\",\"user\":null}", ERR_MALFORMED, ERR_MALFORMED},
        {HEAD ",\"host\":\"a:1\",\"host\":\"a:1\"}", ERR_MALFORMED, ERR_MALFORMED},
        {HEAD ",\"host\":\"\",\"enabler\":\"\"}", ERR_MALFORMED, ERR_MALFORMED},
        {HEAD ",\"host\":1,\"enabler\":1}", ERR_MALFORMED, ERR_MALFORMED},
        {HEAD ",\"host\":\"a\\u0000\",\"enabler\":\"a\\u0000\"}", ERR_MALFORMED, ERR_MALFORMED},
        {HEAD ",\"host\":\"a:1\",\"enabler\":\"a\"}x", ERR_MALFORMED, ERR_MALFORMED},
        {HEAD "}", ERR_MALFORMED, ERR_MALFORMED},
        {"[" HEAD ",\"host\":\"a:1\",\"enabler\":\"a\"}]", ERR_MALFORMED, ERR_MALFORMED},
        {"{\"psk\":\"" PSK "\",\"expires\":\"2027-01-15T08:00:00Z\",\"host\":\"a:1\",\"enabler\":\"a\"}",
         ERR_MALFORMED, ERR_MALFORMED},
        {"{\"psk_identity\":\"visit;1\",\"psk\":\"AAAA\",\"expires\":\"2027-01-15T08:00:00Z\",\"host\":\"a:"
         "1\","
         "\"enabler\":\"a\"}",
         ERR_MALFORMED, ERR_MALFORMED},
        {"{\"psk_identity\":\"visit;1\",\"psk\":\"" PSK
         "AAAA\",\"expires\":\"2027-01-15T08:00:00Z\",\"host\":"
         "\"a:1\",\"enabler\":\"a\"}",
         ERR_MALFORMED, ERR_MALFORMED},
        {"{\"psk_identity\":\"visit;1\",\"psk\":\"" PSK "\",\"expires\":\"2027-01-15\",\"host\":\"a:1\","
         "\"enabler\":\"a\"}",
         ERR_MALFORMED, ERR_MALFORMED},
        {"{\"psk_identity\":\"visit;1\",\"psk\":\"" PSK "\",\"expires\":1800000000,\"host\":\"a:1\","
         "\"enabler\":\"a\"}",
         ERR_MALFORMED, ERR_MALFORMED},
        {"{}", ERR_MALFORMED, ERR_MALFORMED},
        {"", ERR_MALFORMED, ERR_MALFORMED},
        {"7", ERR_MALFORMED, ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_visit_grant g = {.expires_s = -7};
        struct arena mem;
        enum err e;

        test_row(i);
        arena_init(&mem, 64, 4096);
        e = ppg_visit_grant_parse(slice_str(rows[i].in), PPG_VISIT_TERMINAL, &mem, &g);
        CU_ASSERT(e == rows[i].terminal && (g.expires_s == -7) == (e != ERR_OK));
        g.expires_s = -7;
        e = ppg_visit_grant_parse(slice_str(rows[i].in), PPG_VISIT_PEER, &mem, &g);
        CU_ASSERT(e == rows[i].peer && (g.expires_s == -7) == (e != ERR_OK));
        arena_clear(&mem);
    }
}

static void questions(void)
{
    static const struct {
        const char *in;
        enum err want;
    } rows[] = {
        {"{\"enabler\":\"a\"}", ERR_OK},
        {" {\"enabler\": \"a\", \"x\": {}}\n", ERR_OK},
        {"{\"enabler\":\"\"}", ERR_MALFORMED},
        {"{\"enabler\":7}", ERR_MALFORMED},
        {"{\"enabler\":\"a\",\"enabler\":\"a\"}", ERR_MALFORMED},
        {"{\"Enabler\":\"a\"}", ERR_MALFORMED},
        {"{", ERR_MALFORMED},
        {"\"a\"", ERR_MALFORMED},
        {"", ERR_MALFORMED},
    };
    static char long_text[PPG_VISIT_JSON_MAX_N + 1] = "{\"enabler\":\"a\"}";
    struct arena mem;

    memset(long_text + 15, ' ', sizeof long_text - 15);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice name = SLICE("untouched");
        enum err e;

        test_row(i);
        arena_init(&mem, 64, 4096);
        e = ppg_visit_question_parse(slice_str(rows[i].in), &mem, &name);
        CU_ASSERT(e == rows[i].want && slice_eq(name, e ? SLICE("untouched") : SLICE("a")));
        CU_ASSERT(ppg_visit_question_parse(slice_of(long_text, sizeof long_text), &mem, &name) ==
                  ERR_MALFORMED);
        CU_ASSERT(ppg_visit_question_parse(slice_of(long_text, sizeof long_text - 1), &mem, &name) == ERR_OK);
        arena_clear(&mem);
    }
}

const struct test_case test_cases[] = {
    {"printed_and_read", printed_and_read}, {"grants", grants}, {"questions", questions}, {NULL, NULL}};
