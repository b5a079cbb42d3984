/* The texts of OPTIONS and POST. */
#include "ota/request.h"

#include "tests/unit/harness.h"

static const struct ota_env env = {.product = SLICE("ppg/1"), .prov_url = SLICE("ppg.example.net")};

static void options_text(void)
{
    static const struct {
        const char *host, *want;
    } rows[] = {{"198.51.100.7", "Host: 198.51.100.7:4035\r\n"},
                {"2001:db8::1", "Host: [2001:db8::1]:4035\r\n"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_terminal t = {.host = slice_str(rows[i].host), .port = 4035};
        struct ota_login_state login;
        struct ota_request r = {.env = &env, .terminal = &t, .tag = SLICE("q83vEg=="), .login = &login};
        struct buf out;

        test_row(i);
        ota_login_init(&login);
        buf_init(&out, OTA_REQUEST_MAX_N);
        CU_ASSERT(ota_request_options(&r, &out) == ERR_OK);
        CU_ASSERT(slice_find_slice(buf_slice(&out), slice_str(rows[i].want)) != SIZE_MAX);
        CU_ASSERT(slice_starts(buf_slice(&out), SLICE("OPTIONS /wappush HTTP/1.1\r\n")));
        CU_ASSERT(
            slice_ends(buf_slice(&out),
                       SLICE("User-Agent: ppg/1\r\nX-Wap-Push-OTA-Version: 1.0\r\nX-Wap-CPITag: q83vEg==\r\n"
                             "X-Wap-Push-ProvURL: ppg.example.net\r\nContent-Length: 0\r\n\r\n")));
        buf_clear(&out);
    }
}

static void push_text(void)
{
    static const struct ota_job job = {
        .message_head = SLICE("Content-Type: a/b\r\n"), .body = SLICE("12345"), .trusted = true};
    struct ota_terminal t = {.host = SLICE("h"), .port = 1};
    struct ota_login_state login;
    struct ota_request r = {.env = &env, .terminal = &t, .login = &login, .now_s = 1714564800};
    struct buf out;

    ota_login_init(&login);
    buf_init(&out, OTA_REQUEST_MAX_N);
    CU_ASSERT(ota_request_push(&r, &job, &out) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&out),
                  SLICE("POST /wappush HTTP/1.1\r\nHost: h:1\r\nUser-Agent: ppg/1\r\n"
                        "X-Wap-Push-OTA-Version: 1.0\r\nDate: Wed, 01 May 2024 12:00:00 GMT\r\n"
                        "Content-Type: application/http\r\nContent-Length: 43\r\n"
                        "X-Wap-Push-Info: trusted\r\n\r\n"
                        "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n"));
    t.direct = true;
    buf_reset(&out, OTA_REQUEST_MAX_N);
    CU_ASSERT(ota_request_push(&r, &job, &out) == ERR_OK);
    TEST_SLICE_EQ(
        buf_slice(&out),
        SLICE("POST /wappush HTTP/1.1\r\nHost: h:1\r\nUser-Agent: ppg/1\r\nX-Wap-Push-OTA-Version: 1.0\r\n"
              "Content-Type: a/b\r\nX-Wap-Push-Info: trusted\r\n\r\n"));
    buf_clear(&out);
}

static void too_long_a_head_is_told(void)
{
    static char big[OTA_REQUEST_MAX_N];
    struct ota_job job = {.message_head = slice_of(big, sizeof big)};
    struct ota_terminal t = {.host = SLICE("h"), .port = 1};
    struct ota_login_state login;
    struct ota_request r = {.env = &env, .terminal = &t, .login = &login};
    struct buf out;

    ota_login_init(&login);
    buf_init(&out, OTA_REQUEST_MAX_N);
    CU_ASSERT(ota_request_push(&r, &job, &out) == ERR_LIMIT);
    buf_clear(&out);
}

const struct test_case test_cases[] = {
    {"options_text", options_text},
    {"push_text", push_text},
    {"too_long_a_head_is_told", too_long_a_head_is_told},
    {NULL, NULL},
};
