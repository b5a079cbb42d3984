/* Answering a terminal's 401. */
#include "ota/login.h"

#include "tests/unit/harness.h"

#define SHA "Digest realm=\"r\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\""
#define MD5 "Digest realm=\"r\", nonce=\"n2\", algorithm=MD5, qop=\"auth\""
#define INT "Digest realm=\"r\", nonce=\"n3\", algorithm=SHA-256, qop=\"auth,auth-int\""

static void challenges(void)
{
    static const struct {
        const char *first, *second;
        bool tls;
        enum err want;
        int scheme;
        const char *nonce;
        bool body;
    } rows[] = {
        {SHA, MD5, false, ERR_OK, OTA_LOGIN_DIGEST, "n1", false},
        {MD5, SHA, false, ERR_OK, OTA_LOGIN_DIGEST, "n1", false},
        {"Basic realm=\"r\"", MD5, true, ERR_OK, OTA_LOGIN_DIGEST, "n2", false},
        {INT, "", false, ERR_OK, OTA_LOGIN_DIGEST, "n3", true},
        {"Basic realm=\"r\"", "", true, ERR_OK, OTA_LOGIN_BASIC, "", false},
        {"basic", "", true, ERR_OK, OTA_LOGIN_BASIC, "", false},
        {"Basic realm=\"r\"", "", false, ERR_ABSENT, OTA_LOGIN_NONE, "", false},
        {"Basically", "", true, ERR_ABSENT, OTA_LOGIN_NONE, "", false},
        {"Bearer x", "", true, ERR_ABSENT, OTA_LOGIN_NONE, "", false},
        {"Digest realm=\"r", "", true, ERR_ABSENT, OTA_LOGIN_NONE, "", false},
        {"", "", true, ERR_ABSENT, OTA_LOGIN_NONE, "", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_http_header h[] = {{SLICE("WWW-Authenticate"), slice_str(rows[i].first)},
                                      {SLICE("www-authenticate"), slice_str(rows[i].second)}};
        struct net_http_msg m = {.status = 401, .headers = h, .headers_n = rows[i].second[0] ? 2 : 1};
        struct ota_login_state s;

        test_row(i);
        ota_login_init(&s);
        CU_ASSERT(ota_login_challenged(&s, &m, rows[i].tls) == rows[i].want);
        CU_ASSERT((int)s.scheme == rows[i].scheme);
        CU_ASSERT(ota_login_wants_body(&s) == rows[i].body);
        if (s.scheme == OTA_LOGIN_DIGEST)
            TEST_SLICE_EQ(s.offer.nonce, slice_str(rows[i].nonce));
        ota_login_clear(&s);
    }
}

static void macs(void)
{
    static const struct {
        const char *first, *second;
        enum err want;
        size_t n;
    } rows[] = {
        {"Syncml-MAC realm=\"r\", nonce=\"QUFB\"", SHA, ERR_OK, 3},
        {SHA, "syncml-mac nonce=\"QQ==\"", ERR_OK, 1},
        {"Syncml-MAC realm=\"r\"", "Syncml-MAC nonce=\"QUFB\"", ERR_OK, 3},
        {"Syncml-MAC realm=\"r\"", MD5, ERR_ABSENT, 99},
        {SHA, MD5, ERR_ABSENT, 99},
        {"Basic realm=\"r\"", "", ERR_ABSENT, 99},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_http_header h[] = {{SLICE("WWW-Authenticate"), slice_str(rows[i].first)},
                                      {SLICE("www-authenticate"), slice_str(rows[i].second)}};
        struct net_http_msg m = {.status = 401, .headers = h, .headers_n = 2};
        struct sec_mac_nonce nonce = {.n = 99};

        test_row(i);
        CU_ASSERT(ota_login_mac(&m, &nonce) == rows[i].want && nonce.n == rows[i].n);
    }
}

static void answers(void)
{
    static const struct ota_login login = {SLICE("gw"), SLICE("secret")}, nobody = {SLICE_NONE, SLICE_NONE};
    static const struct sec_digest_request shown = {SLICE("POST"), SLICE("/wappush"), SLICE("x"), true};
    struct net_http_header h[] = {{SLICE("WWW-Authenticate"), SLICE("Basic realm=\"r\"")}};
    struct net_http_msg m = {.status = 401, .headers = h, .headers_n = 1};
    struct ota_login_state s;
    struct buf out;

    ota_login_init(&s);
    buf_init(&out, 4096);
    CU_ASSERT(ota_login_print(&s, &login, &shown, &out) == ERR_OK && out.n == 0); /* nobody asked */
    CU_ASSERT(ota_login_challenged(&s, &m, true) == ERR_OK);
    CU_ASSERT(ota_login_print(&s, &nobody, &shown, &out) == ERR_OK && out.n == 0);
    CU_ASSERT(ota_login_print(&s, &login, &shown, &out) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&out), SLICE("Authorization: Basic Z3c6c2VjcmV0\r\n"));
    h[0].value = SLICE(INT);
    CU_ASSERT(ota_login_challenged(&s, &m, true) == ERR_OK);
    for (unsigned i = 1; i <= 2; i++) {
        buf_reset(&out, 4096);
        CU_ASSERT(ota_login_print(&s, &login, &shown, &out) == ERR_OK);
        CU_ASSERT(slice_starts(buf_slice(&out), SLICE("Authorization: Digest ")));
        CU_ASSERT(slice_find_slice(buf_slice(&out), i == 1 ? SLICE("nc=00000001") : SLICE("nc=00000002")) !=
                  SIZE_MAX);
        CU_ASSERT(slice_find_slice(buf_slice(&out), SLICE("auth-int")) != SIZE_MAX);
        CU_ASSERT(slice_find_slice(buf_slice(&out), SLICE("secret")) == SIZE_MAX);
    }
    buf_clear(&out);
    ota_login_clear(&s);
}

const struct test_case test_cases[] = {
    {"macs", macs},
    {"challenges", challenges},
    {"answers", answers},
    {NULL, NULL},
};
