/* base/net/uri.c: rows of good and bad URIs; nothing is written on failure. */
#include "tests/unit/harness.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/net/uri.h"

static void test_good(void)
{
    static const struct {
        const char *in;
        bool https;
        const char *host;
        uint16_t port;
        const char *target;
    } rows[] = {
        {"http://h", false, "h", 80, "/"},
        {"http://h/", false, "h", 80, "/"},
        {"https://h", true, "h", 443, "/"},
        {"HTTPS://H.Example/", true, "H.Example", 443, "/"},
        {"http://h:8080", false, "h", 8080, "/"},
        {"http://h:65535/x", false, "h", 65535, "/x"},
        {"http://192.0.2.1:1/a/b?c=d&e=%20", false, "192.0.2.1", 1, "/a/b?c=d&e=%20"},
        {"https://[2001:db8::1]/p", true, "2001:db8::1", 443, "/p"},
        {"https://[::ffff:192.0.2.1]:8443/p?q", true, "::ffff:192.0.2.1", 8443, "/p?q"},
        {"http://h//a/../b?", false, "h", 80, "//a/../b?"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_uri u = {0};

        test_row(i);
        CU_ASSERT_FATAL(net_uri_parse(slice_str(rows[i].in), &u) == ERR_OK);
        CU_ASSERT_EQUAL(u.https, rows[i].https);
        CU_ASSERT_EQUAL(u.port, rows[i].port);
        TEST_SLICE_EQ(u.host, slice_str(rows[i].host));
        TEST_SLICE_EQ(u.target, slice_str(rows[i].target));
    }
}

static const struct {
    const char *in;
    enum err want;
} bad_rows[] = {
    {"", ERR_MALFORMED},
    {"h", ERR_MALFORMED},
    {"/a", ERR_MALFORMED},
    {"//h/a", ERR_MALFORMED},
    {"://h/", ERR_MALFORMED},
    {"1http://h/", ERR_MALFORMED},
    {" http://h/", ERR_MALFORMED},
    {"http:h", ERR_MALFORMED},
    {"http:/h", ERR_MALFORMED},
    {"http://", ERR_MALFORMED},
    {"http:///a", ERR_MALFORMED},
    {"http://:80/", ERR_MALFORMED},
    {"http://h:0/", ERR_MALFORMED},
    {"http://h:/", ERR_MALFORMED},
    {"http://h:65536/", ERR_MALFORMED},
    {"http://h:-1/", ERR_MALFORMED},
    {"http://h:8x/", ERR_MALFORMED},
    {"http://h/a b", ERR_MALFORMED},
    {"http://h/\r\nA: b", ERR_MALFORMED},
    {"http://h/\x7f", ERR_MALFORMED},
    {"http://h/\xc3\xa9", ERR_MALFORMED},
    {"http://h/#f", ERR_MALFORMED},
    {"http://h/<>", ERR_MALFORMED},
    {"http://h/\\", ERR_MALFORMED},
    {"http://h/%", ERR_MALFORMED},
    {"http://h/%2", ERR_MALFORMED},
    {"http://h/%2g", ERR_MALFORMED},
    {"http://h%41/", ERR_MALFORMED},
    {"http://[::1/", ERR_MALFORMED},
    {"http://::1/", ERR_MALFORMED},
    {"http://[:::]/", ERR_MALFORMED},
    {"http://[1:2:3:4:5:6:7:8:9]/", ERR_MALFORMED},
    {"http://[fe80::1%25eth0]/", ERR_MALFORMED},
    {"http://[]/", ERR_MALFORMED},
    {"http://u@h/", ERR_UNSUPPORTED},
    {"http://u:p@h/", ERR_UNSUPPORTED},
    {"http://h?q", ERR_UNSUPPORTED},
    {"ftp://h/", ERR_UNSUPPORTED},
    {"sip:a@h", ERR_UNSUPPORTED},
    {"httpx://h/", ERR_UNSUPPORTED},
};

static void test_bad(void)
{
    for (size_t i = 0; i < COUNT(bad_rows); i++) {
        struct net_uri u = {.port = 7};
        size_t n = strlen(bad_rows[i].in);
        char *exact = malloc(n ? n : 1); /* no NUL behind it: an over-read is seen */

        test_row(i);
        CU_ASSERT_FATAL(exact != NULL);
        mem_copy(exact, n, slice_of(bad_rows[i].in, n));
        CU_ASSERT_EQUAL(net_uri_parse(slice_of(exact, n), &u), bad_rows[i].want);
        CU_ASSERT_EQUAL(u.port, 7);
        free(exact);
    }
}

/* Each octet in the path against the characters of RFC 3986 §2, and a NUL. */
static void test_every_octet(void)
{
    for (int ch = 0; ch < 256; ch++) {
        char text[] = "http://h/a?b";
        struct net_uri u;
        bool alnum = (ch >= '0' && ch <= '9') || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z' && ch < 0x80);
        bool want = alnum || (ch && strchr("-._~:/?[]@!$&'()*+,;=", ch));

        text[9] = (char)ch;
        test_row((size_t)ch);
        CU_ASSERT_EQUAL(net_uri_parse(slice_str("http://h/"), &u), ERR_OK);
        CU_ASSERT_EQUAL(net_uri_parse(slice_of(text, sizeof text - 1), &u) == ERR_OK, want);
    }
}

static void test_length(void)
{
    char text[2049];
    struct net_uri u;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i < 9 ? "http://h/"[i] : 'a';
    CU_ASSERT(net_uri_parse(slice_of(text, 2048), &u) == ERR_OK && u.target.n == 2040);
    CU_ASSERT(net_uri_parse(slice_of(text, 2049), &u) == ERR_LIMIT);
}

static void test_servers(void)
{
    static const struct {
        const char *in;
        enum err want;
        const char *scheme, *host;
        unsigned port;
    } rows[] = {
        {"wap://h", ERR_OK, "wap", "h", 0},
        {"wap://198.51.100.7:2948/", ERR_OK, "wap", "198.51.100.7", 2948},
        {"HTTPS://[2001:db8::1]:1", ERR_OK, "HTTPS", "2001:db8::1", 1},
        {"wap://h/x", ERR_MALFORMED, NULL, NULL, 0},
        {"wap://h//", ERR_MALFORMED, NULL, NULL, 0},
        {"wap://h?x", ERR_MALFORMED, NULL, NULL, 0},
        {"wap://h#x", ERR_MALFORMED, NULL, NULL, 0},
        {"wap://h:0", ERR_MALFORMED, NULL, NULL, 0},
        {"wap://h:65536", ERR_MALFORMED, NULL, NULL, 0},
        {"wap://", ERR_MALFORMED, NULL, NULL, 0},
        {"wap:h", ERR_MALFORMED, NULL, NULL, 0},
        {"h:2948", ERR_MALFORMED, NULL, NULL, 0},
        {"", ERR_MALFORMED, NULL, NULL, 0},
        {"wap://u@h", ERR_UNSUPPORTED, NULL, NULL, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_server at = {.port = 7};

        test_row(i);
        CU_ASSERT_EQUAL(net_server_parse(slice_str(rows[i].in), &at), rows[i].want);
        CU_ASSERT_EQUAL(at.port, rows[i].want ? 7 : rows[i].port);
        if (!rows[i].want) {
            TEST_SLICE_EQ(at.scheme, slice_str(rows[i].scheme));
            TEST_SLICE_EQ(at.host, slice_str(rows[i].host));
        }
    }
}

const struct test_case test_cases[] = {
    {"good", test_good},     {"bad", test_bad},         {"every_octet", test_every_octet},
    {"length", test_length}, {"servers", test_servers}, {NULL, NULL},
};
