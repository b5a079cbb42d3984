/* Initiator URIs: patterns, and spellings that two readers would read differently. */
#include "security/uri.h"

#include "base/mem.h"
#include "tests/unit/harness.h"

static const struct {
    const char *pattern, *uri;
    bool want;
} matches_rows[] = {
    {"https://mmsc.example.net/*", "https://mmsc.example.net/a/b?c=d", true},
    {"https://mmsc.example.net/*", "https://mmsc.example.net/", true},
    {"https://mmsc.example.net/*", "https://mmsc.example.net", true},
    {"https://mmsc.example.net/*", "HTTPS://MMSC.Example.NET/x", true},
    {"https://mmsc.example.net/*", "https://mmsc.example.net:443/x", true},
    {"http://h:8080/p", "http://h:8080/p", true},
    {"http://h", "http://h:80/", true},
    {"https://[2001:db8::1]/*", "https://[2001:DB8::1]/x", true},
    {"https://h/a*", "https://h/abc", true},
    {"https://h/*", "https://h/a%20b", true},
    {"https://h/*", "https://h/a...b/.c/d.", true}, /* dots that are no dot segments */
    /* another host, scheme, port or path */
    {"https://mmsc.example.net/*", "http://mmsc.example.net/x", false},
    {"https://mmsc.example.net/*", "https://mmsc.example.net.evil.example/x", false},
    {"https://mmsc.example.net/*", "https://evil.example/https://mmsc.example.net/", false},
    {"https://mmsc.example.net/*", "https://mmsc.example.net:8443/x", false},
    {"https://mmsc.example.net/app/*", "https://mmsc.example.net/app", false},
    {"https://h/a", "https://h/A", false},
    {"https://h/a", "https://h/a?x", false},
    {"https://h/a", "https://h/ab", false},
    /* two readers, two meanings */
    {"https://mmsc.example.net/*", "https://mmsc.example.net@evil.example/", false},
    {"https://mmsc.example.net/*", "https://user@mmsc.example.net/", false},
    {"https://mmsc.example.net/*", "https://mmsc.example.net\\@evil.example/", false},
    {"https://h/app/*", "https://h/app/../admin", false},
    {"https://h/app/*", "https://h/app/%2e%2e/admin", false},
    {"https://h/app/*", "https://h/app/%2E./admin", false},
    {"https://h/app/*", "https://h/app/..;x/admin", false},
    {"https://h/app/*", "https://h/app/..", false},
    {"https://h/app/*", "https://h/app/./x", false},
    {"https://h/app/*", "https://h/app/..%2fadmin", false},
    {"https://h/app/*", "https://h/app/a%5c..%5cb", false},
    {"https://h/app/*", "https://h/app/..\\admin", false},
    {"https://h/app/*", "https://h/app/%252e%252e/admin", false},
    {"https://h/*", "https://h/a%0d%0ab", false},
    {"https://h/*", "https://h/a%", false},
    {"https://h/*", "https://h/a%4", false},
    {"https://h/*", "https://h/a%zz", false},
    {"https://h/*", "https://h/#frag", false},
    {"https://h/*", "https://h/a b", false},
    {"https://h/*", "https://h/a\tb", false},
    {"https://h/*", "https://h/\xc3\xa4", false},
    {"https://h/*", " https://h/", false},
    {"https://h/*", "https://h?x", false},
    {"https://h/*", "https:///x", false},
    {"https://h/*", "https://h:/x", false},
    {"https://h/*", "https://h:0/x", false},
    {"https://h/*", "https://h:65536/x", false},
    {"https://h/*", "https:/h/x", false},
    {"https://h/*", "h/x", false},
    {"https://h/*", "", false},
    {"https://[2001:db8::1]/*", "https://[2001:db8::1/x", false},
    {"ftp://h/*", "ftp://h/x", false},
    {"https://*", "https://h/x", false}, /* not a pattern */
    {"*", "https://h/x", false},
};

static void test_matches_rows(void)
{
    for (size_t i = 0; i < COUNT(matches_rows); i++) {
        test_row(i);
        CU_ASSERT(sec_uri_matches(slice_str(matches_rows[i].pattern), slice_str(matches_rows[i].uri)) ==
                  matches_rows[i].want);
    }
}

static void test_pattern_rows(void)
{
    static const struct {
        const char *pattern;
        bool good;
    } rows[] = {
        {"https://h/*", true},
        {"https://h/a/*", true},
        {"http://h", true},
        {"https://h:1/x?y", true},
        {"", false},
        {"*", false},
        {"https://*", false},
        {"https://*.h/", false},
        {"https://h*", false},
        {"https://h/*/x", false},
        {"https://h/**", false},
        {"https://u@h/*", false},
        {"https://h/../*", false},
        {"ftp://h/*", false},
        {"https://h/%2e/*", false},
        {"/x", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT((sec_uri_pattern_check(slice_str(rows[i].pattern)) == ERR_OK) == rows[i].good);
    }
}

static void test_too_long(void)
{
    char uri[SEC_URI_MAX_N + 2];

    memset(uri, 'a', sizeof uri);
    mem_copy(uri, sizeof uri, SLICE("https://h/"));
    CU_ASSERT(sec_uri_matches(SLICE("https://h/*"), slice_of(uri, SEC_URI_MAX_N)));
    CU_ASSERT(!sec_uri_matches(SLICE("https://h/*"), slice_of(uri, SEC_URI_MAX_N + 1)));
}

const struct test_case test_cases[] = {
    {"matches_rows", test_matches_rows},
    {"pattern_rows", test_pattern_rows},
    {"too_long", test_too_long},
    {NULL, NULL},
};
