/* An answer of a server, handed to the kit's library. */
#include "ppg/handset/heard.h"

#include "tests/unit/harness.h"

/* Of what a stranger sends no more than there is room for is looked at. */
static void test_headers(void)
{
    static const size_t rows[] = {0, 1, TOOL_HEARD_HEADERS_MAX, TOOL_HEARD_HEADERS_MAX + 1};
    struct net_http_header sent[TOOL_HEARD_HEADERS_MAX + 1];

    for (size_t i = 0; i < COUNT(sent); i++)
        sent[i].name = sent[i].value = slice_of(&"abcdefghi"[i % 8], 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_http_msg m = {.status = 401, .body = SLICE("no")};
        struct tool_heard heard;

        test_row(i);
        m.headers = sent;
        m.headers_n = rows[i];
        tool_heard(&m, &heard);
        CU_ASSERT_EQUAL(heard.answer.status, 401);
        TEST_SLICE_EQ(heard.answer.body, SLICE("no"));
        CU_ASSERT_EQUAL(heard.answer.headers_n, i == 3 ? TOOL_HEARD_HEADERS_MAX : rows[i]);
        for (size_t k = 0; k < heard.answer.headers_n; k++) {
            TEST_SLICE_EQ(heard.answer.headers[k].name, sent[k].name);
            TEST_SLICE_EQ(heard.answer.headers[k].value, sent[k].value);
        }
    }
}

const struct test_case test_cases[] = {
    {"headers", test_headers},
    {NULL, NULL},
};
