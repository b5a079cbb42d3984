/* A terminal's registration answer, and the cache of it. */
#include "ota/cpi.h"

#include <string.h>
#include "tests/unit/harness.h"

#define H(n, v)                                                                                              \
    {                                                                                                        \
        SLICE(n), SLICE(v)                                                                                   \
    }
#define MSG(h)                                                                                               \
    {                                                                                                        \
        .status = 204, .headers = (h), .headers_n = COUNT(h)                                                 \
    }

static void status_rows(void)
{
    static const struct {
        const char *value;
        unsigned want;
    } rows[] = {
        {"400", 400},
        {"235 refused", 235},
        {"001", 1},
        {"", 0},
        {"40", OTA_STATUS_BAD},
        {"4000", OTA_STATUS_BAD},
        {"abc", OTA_STATUS_BAD},
        {"400x", OTA_STATUS_BAD},
        {"-40", OTA_STATUS_BAD},
        {"000", OTA_STATUS_BAD},
        {"400\tx", OTA_STATUS_BAD},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_http_header h[] = {{SLICE("x-wap-push-status"), slice_str(rows[i].value)}};
        struct net_http_msg m = MSG(h);

        test_row(i);
        CU_ASSERT(ota_push_status(&m) == rows[i].want);
    }
}

static void repeated_singles(void)
{
    struct net_http_header same[] = {H("X-Wap-Push-Status", "400"), H("X-Wap-Push-Status", "400")};
    struct net_http_header other[] = {H("X-Wap-Push-Status", "400"), H("X-Wap-Push-Status", "235")};
    struct net_http_header tags[] = {H("X-Wap-CPITag", "a"), H("X-Wap-CPItag", "b")};
    struct net_http_header ids[] = {H("X-Wap-Terminal-Id", "41"), H("X-Wap-Terminal-ID", "42")};
    struct net_http_msg m1 = MSG(same), m2 = MSG(other), m3 = MSG(tags), m4 = MSG(ids);
    struct ota_registration r = {.status = 7};

    CU_ASSERT(ota_push_status(&m1) == 400);
    CU_ASSERT(ota_push_status(&m2) == OTA_STATUS_BAD);
    CU_ASSERT(ota_registration_read(&m3, &r) == ERR_MALFORMED);
    CU_ASSERT(ota_registration_read(&m4, &r) == ERR_MALFORMED);
    CU_ASSERT(r.status == 7);
}

static void tag_rows(void)
{
    static const struct {
        const char *tag;
        enum err want;
    } rows[] = {{"q83vEg==", ERR_OK},
                {"1a2b", ERR_OK},
                {"~!\"#$%&'()*+,-./:;<=>?@[]^_`{|}", ERR_OK},
                {"a b", ERR_MALFORMED},
                {"a\tb", ERR_MALFORMED},
                {"\xC3\xA4", ERR_MALFORMED},
                {"012345678901234567890123456789012", ERR_MALFORMED}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_http_header h[] = {{SLICE("X-Wap-CPITag"), slice_str(rows[i].tag)}};
        struct net_http_msg m = MSG(h);
        struct ota_registration r;

        test_row(i);
        CU_ASSERT(ota_registration_read(&m, &r) == rows[i].want);
    }
}

static const struct net_http_header phone[] = {
    H("X-Wap-Push-Status", "501"),
    H("X-Wap-Terminal-Id", "4+15550100"),
    H("X-Wap-CPITag", "q83vEg=="),
    H("X-Wap-Push-Accept", "text/vnd.wap.si, image/*"),
    H("X-Wap-Push-Accept", "application/x;q=1"),
    H("X-Wap-Push-Accept-AppID", "x-wap-application:mms.ua, x-wap-application:wml.ua"),
    H("X-Wap-Push-Accept-Charset", "utf-8, us-ascii"),
    H("X-Wap-Push-Accept-Encoding", "gzip"),
    H("X-Wap-Push-Accept-Language", "en"),
    H("X-Wap-Push-Accept-Language", "de"),
    H("Profile", "http://phone.example/p.rdf"),
    H("X-Wap-Push-MaxMsgSize", "1400"),
    H("X-Wap-Push-Accept-MaxPushReq", "3"),
};

static void cache_holds_what_was_said(void)
{
    struct net_http_msg m = MSG(phone), empty = {.status = 204};
    struct ota_registration r;
    struct ota_profile p;
    struct ota_cpi c;

    ota_cpi_init(&c);
    CU_ASSERT(!c.known && c.outstanding_max == 1 && !ota_cpi_profile(&c).known);
    CU_ASSERT_FATAL(ota_registration_read(&m, &r) == ERR_OK);
    CU_ASSERT(r.status == 501);
    TEST_SLICE_EQ(r.terminal_id, SLICE("4+15550100"));
    CU_ASSERT(ota_cpi_set(&c, &m, &r, 77) == ERR_OK);
    CU_ASSERT(c.known && c.size_max == 1400 && c.outstanding_max == 3 && c.at_ms == 77);
    TEST_SLICE_EQ(ota_cpi_tag(&c), SLICE("q83vEg=="));
    p = ota_cpi_profile(&c);
    CU_ASSERT(p.known && p.size_max == 1400 && p.learnt_ms == 0);
    TEST_SLICE_EQ(p.accept, SLICE("text/vnd.wap.si, image/*,application/x;q=1"));
    TEST_SLICE_EQ(p.app_ids, SLICE("x-wap-application:mms.ua, x-wap-application:wml.ua"));
    TEST_SLICE_EQ(p.charsets, SLICE("utf-8, us-ascii"));
    TEST_SLICE_EQ(p.encodings, SLICE("gzip"));
    TEST_SLICE_EQ(p.languages, SLICE("en,de"));
    TEST_SLICE_EQ(p.profile_url, SLICE("http://phone.example/p.rdf"));
    CU_ASSERT(ota_registration_read(&empty, &r) == ERR_OK);
    CU_ASSERT(ota_cpi_set(&c, &empty, &r, 78) == ERR_OK);
    p = ota_cpi_profile(&c);
    CU_ASSERT(c.known && c.tag_n == 0 && p.known && p.size_max == 0 && p.accept.n == 0 && p.app_ids.n == 0);
    ota_cpi_clear(&c);
    CU_ASSERT(!c.known);
}

static void old_name_of_the_profile_goes_first(void)
{
    struct net_http_header h[] = {H("Profile", "http://a/"), H("X-Wap-Profile", "\"http://b/\"")};
    struct net_http_msg m = MSG(h);
    struct ota_registration r;
    struct ota_cpi c;

    ota_cpi_init(&c);
    CU_ASSERT(ota_registration_read(&m, &r) == ERR_OK && ota_cpi_set(&c, &m, &r, 0) == ERR_OK);
    TEST_SLICE_EQ(ota_cpi_profile(&c).profile_url, SLICE("\"http://b/\""));
    ota_cpi_clear(&c);
}

static void number_rows(void)
{
    static const struct {
        const char *name, *value;
        uint64_t size;
        unsigned outstanding;
    } rows[] = {
        {"X-Wap-Push-MsgSize", "99", 99, 1},
        {"X-Wap-Push-MaxMsgSize", "18446744073709551615", UINT64_MAX, 1},
        {"X-Wap-Push-MaxMsgSize", "18446744073709551616", 0, 1},
        {"X-Wap-Push-MaxMsgSize", "12k", 0, 1},
        {"X-Wap-Push-MaxMsgSize", "-1", 0, 1},
        {"X-Wap-Push-MaxMsgSize", "", 0, 1},
        {"X-Wap-Push-Accept-MaxPushReq", "0", 0, 1},
        {"X-Wap-Push-Accept-MaxPushReq", "x", 0, 1},
        {"X-Wap-Push-Accept-MaxPushReq", "4294967297", 0, OTA_CPI_REQ_MAX},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_http_header h[] = {{slice_str(rows[i].name), slice_str(rows[i].value)}};
        struct net_http_msg m = MSG(h);
        struct ota_registration r;
        struct ota_cpi c;

        test_row(i);
        ota_cpi_init(&c);
        CU_ASSERT(ota_registration_read(&m, &r) == ERR_OK && ota_cpi_set(&c, &m, &r, 0) == ERR_OK);
        CU_ASSERT(c.size_max == rows[i].size && c.outstanding_max == rows[i].outstanding);
        ota_cpi_clear(&c);
    }
}

static void lists_are_bounded(void)
{
    static char big[4000];
    struct net_http_header h[2];
    struct net_http_msg m = MSG(h);
    struct ota_registration r;
    struct ota_cpi c;

    memset(big, 'a', sizeof big);
    for (size_t i = 0; i < COUNT(h); i++)
        h[i] = (struct net_http_header){SLICE("X-Wap-Push-Accept"), slice_of(big, sizeof big)};
    ota_cpi_init(&c);
    CU_ASSERT(ota_registration_read(&m, &r) == ERR_OK);
    CU_ASSERT(ota_cpi_set(&c, &m, &r, 0) == ERR_LIMIT);
    CU_ASSERT(!c.known);
    ota_cpi_clear(&c);
}

const struct test_case test_cases[] = {
    {"status_rows", status_rows},
    {"repeated_singles", repeated_singles},
    {"tag_rows", tag_rows},
    {"cache_holds_what_was_said", cache_holds_what_was_said},
    {"old_name_of_the_profile_goes_first", old_name_of_the_profile_goes_first},
    {"number_rows", number_rows},
    {"lists_are_bounded", lists_are_bounded},
    {NULL, NULL},
};
