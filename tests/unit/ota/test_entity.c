/* Reading push messages, alone and inside an HTTP response message. */
#include "ota/terminal/entity.h"

#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "tests/unit/harness.h"

static void whole_message(void)
{
    struct kit_entity e;

    CU_ASSERT_FATAL(kit_entity_parse_response(
                        SLICE("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nContent-Length: 2\r\n"
                              "X-Push-Message-ID: m1\r\nX-Wap-Application-Id: a.ua;app-encoding=7\r\n"
                              "X-Wap-Initiator-URI: https://a/\r\nX-Wap-Push-Info: trusted\r\n\r\n\r\n"),
                        &e) == ERR_OK);
    TEST_SLICE_EQ(e.content_type, SLICE("text/plain"));
    TEST_SLICE_EQ(e.message_id, SLICE("m1"));
    TEST_SLICE_EQ(e.app_id, SLICE("a.ua"));
    TEST_SLICE_EQ(e.initiator_uri, SLICE("https://a/"));
    TEST_SLICE_EQ(e.body, SLICE("\r\n"));
    CU_ASSERT(e.info.trusted && !e.info.authenticated);
    CU_ASSERT(slice_ends(e.headers, SLICE("trusted\r\n")));
}

static void bare_messages(void)
{
    struct kit_entity e;

    CU_ASSERT(kit_entity_parse(SLICE("\r\nbody"), &e) == ERR_OK && e.headers.n == 0);
    TEST_SLICE_EQ(e.body, SLICE("body"));
    TEST_SLICE_EQ(e.app_id, SLICE(OTA_APP_DEFAULT));
    CU_ASSERT(kit_entity_parse(SLICE("A: b\r\n\r\n"), &e) == ERR_OK && e.body.n == 0);
    CU_ASSERT(kit_entity_parse_response(SLICE("HTTP/1.0 204\r\n\r\n"), &e) == ERR_OK);
}

static void bad_messages(void)
{
    static const char *const rows[] = {
        "",
        "A: b",
        "A: b\r\n",
        "A: b\r\n\nx",
        "A b\r\n\r\n",
        "A: b\r\n c\r\n\r\n",
        "Content-Length: 1\r\n\r\n",
        "Content-Length: x\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        "X-Push-Message-ID: a b\r\n\r\n",
        "X-Push-Message-ID: a\r\nx-push-message-id: b\r\n\r\n",
        "X-Wap-Push-Info: trusted\r\nX-Wap-Push-Info: authenticated\r\n\r\n",
        "X-Wap-Application-Id: ;\r\n\r\n",
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kit_entity e = {.body = SLICE("untouched")};

        test_row(i);
        CU_ASSERT(kit_entity_parse(slice_str(rows[i]), &e) == ERR_MALFORMED);
        TEST_SLICE_EQ(e.body, SLICE("untouched"));
    }
}

static void bad_status_lines(void)
{
    static const char *const rows[] = {"",
                                       "HTTP/1.1 200 OK",
                                       "http/1.1 200 OK\r\n\r\n",
                                       "HTTP/1.1 300 X\r\n\r\n",
                                       "HTTP/1.1 20\r\n\r\n",
                                       "HTTP/1.1 2000\r\n\r\n",
                                       "HTTP/1.x 200 OK\r\n\r\n",
                                       " HTTP/1.1 200 OK\r\n\r\n",
                                       "HTTP/1.1 200 OK\r\n"};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kit_entity e;

        test_row(i);
        CU_ASSERT(kit_entity_parse_response(slice_str(rows[i]), &e) == ERR_MALFORMED);
    }
}

static void ceilings(void)
{
    char *big = calloc(1, 20000);
    struct kit_entity e;

    CU_ASSERT_FATAL(big != NULL);
    memset(big, 'a', 20000);
    CU_ASSERT(kit_entity_parse(slice_of(big, 20000), &e) == ERR_LIMIT);
    for (size_t i = 0; i < 65; i++)
        mem_copy(big + i * 6, 6, SLICE("A: b\r\n"));
    mem_copy(big + 65 * 6, 2, SLICE("\r\n"));
    CU_ASSERT(kit_entity_parse(slice_of(big, 65 * 6 + 2), &e) == ERR_LIMIT);
    CU_ASSERT(kit_entity_parse(slice_of(big + 6, 64 * 6 + 2), &e) == ERR_OK);
    free(big);
}

const struct test_case test_cases[] = {
    {"whole_message", whole_message},       {"bare_messages", bare_messages}, {"bad_messages", bad_messages},
    {"bad_status_lines", bad_status_lines}, {"ceilings", ceilings},           {NULL, NULL},
};
