/* MSRP URIs, good and bad; when two are the same. */
#include "ota/msrp/uri.h"

#include "tests/unit/harness.h"

static void good(void)
{
    static const struct {
        const char *text, *host, *session;
        uint16_t port;
        bool secure;
    } rows[] = {{"msrp://atlanta.example.com:7654/jshA7weztas;tcp", "atlanta.example.com", "jshA7weztas",
                 7654, false},
                {"MSRPS://198.51.100.7:9001/Zq83ksPw01;TCP", "198.51.100.7", "Zq83ksPw01", 9001, true},
                {"msrp://[2001:db8::1]:2855/a/b+c=~_.-;tcp", "2001:db8::1", "a/b+c=~_.-", 2855, false},
                {"msrp://a:65535/x;tcp;p=1;q", "a", "x", 65535, false}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_msrp_uri u;

        test_row(i);
        CU_ASSERT_EQUAL_FATAL(ota_msrp_uri_parse(slice_str(rows[i].text), &u), ERR_OK);
        CU_ASSERT_STRING_EQUAL(u.host, rows[i].host);
        TEST_SLICE_EQ(u.session, slice_str(rows[i].session));
        CU_ASSERT(u.port == rows[i].port && u.secure == rows[i].secure);
    }
}

static void bad(void)
{
    static const struct {
        const char *text;
        enum err want;
    } rows[] = {{"", ERR_MALFORMED},
                {"msrp:", ERR_MALFORMED},
                {"msrp:/a:1/x;tcp", ERR_MALFORMED},
                {"http://a:1/x;tcp", ERR_MALFORMED},
                {"msrp://:1/x;tcp", ERR_MALFORMED},
                {"msrp://a b:1/x;tcp", ERR_UNSUPPORTED},
                {"msrp://a/x;tcp", ERR_UNSUPPORTED},
                {"msrp://a:1;tcp", ERR_UNSUPPORTED},
                {"msrp://a:1/x", ERR_UNSUPPORTED},
                {"msrp://a:1/x;sctp", ERR_UNSUPPORTED},
                {"msrp://user@a:1/x;tcp", ERR_UNSUPPORTED},
                {"msrp://a:0/x;tcp", ERR_MALFORMED},
                {"msrp://a:65536/x;tcp", ERR_LIMIT},
                {"msrp://a:/x;tcp", ERR_MALFORMED},
                {"msrp://a:1/;tcp", ERR_MALFORMED},
                {"msrp://a:1/x y;tcp", ERR_UNSUPPORTED},
                {"msrp://a:1/x;tcp ", ERR_MALFORMED},
                {"msrp://a:1/x;tcpx", ERR_MALFORMED},
                {"msrp://a:1/x;tcp;", ERR_MALFORMED},
                {"msrp://[::1:1/x;tcp", ERR_MALFORMED},
                {"msrp://[zz..]]:1/x;tcp", ERR_UNSUPPORTED}};
    char longer[OTA_MSRP_URI_MAX_N + 64];

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_msrp_uri u = {.port = 7};

        test_row(i);
        CU_ASSERT_EQUAL(ota_msrp_uri_parse(slice_str(rows[i].text), &u), rows[i].want);
        CU_ASSERT_EQUAL(u.port, 7);
    }
    memset(longer, 'a', sizeof longer);
    CU_ASSERT_EQUAL(ota_msrp_uri_parse(slice_of(longer, sizeof longer), &(struct ota_msrp_uri){.port = 0}),
                    ERR_LIMIT);
}

static void same(void)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {{"msrp://A:1/x;tcp", "MSRP://a:1/x;TCP", true},
                {"msrp://a:1/x;tcp", "msrp://a:1/X;tcp", false},
                {"msrp://a:1/x;tcp", "msrps://a:1/x;tcp", false},
                {"msrp://a:1/x;tcp", "msrp://a:2/x;tcp", false},
                {"msrp://a:1/x;tcp", "msrp://b:1/x;tcp", false},
                {"msrp://a:1/x;tcp", "msrp://a:1/x;tcp;p=1", true},
                {"nonsense", "nonsense", false}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(ota_msrp_uri_same(slice_str(rows[i].a), slice_str(rows[i].b)), rows[i].same);
    }
}

static void same_path(void)
{
#define A "msrp://a:1/x;tcp"
#define B "msrps://b:2/y;tcp"
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {{A, A, true},
                {A " " B, "msrp://A:1/x;tcp MSRPS://b:2/y;tcp", true},
                {A " " B, B " " A, false},
                {A " " B, A, false},
                {A, A " " B, false},
                {A " ", A " ", false},
                {"", "", false},
                {A "  " B, A "  " B, false},
                {A " nonsense", A " nonsense", false}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(ota_msrp_path_same(slice_str(rows[i].a), slice_str(rows[i].b)), rows[i].same);
    }
}

const struct test_case test_cases[] = {
    {"good", good}, {"bad", bad}, {"same", same}, {"same_path", same_path}, {NULL, NULL}};
