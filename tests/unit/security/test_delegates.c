/* Providers and proxies: taken and refused, and who is a proxy. */
#include "security/rules/delegates.h"

#include <stdio.h>
#include "tests/unit/harness.h"

#define SET "{\"keys\":[{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZg\"}]}"

static struct sec_jwks *keys(void)
{
    struct sec_jwks *set = NULL;
    const char *why;

    MUST(sec_jwks_parse(SLICE(SET), &set, &why) == ERR_OK);
    return set;
}

static const struct slice audiences[SEC_TOKEN_AUDIENCE_MAX + 1] = {{"ppg", 3}};

static const struct {
    const char *name;
    size_t audiences_n;
    int64_t skew_s;
    enum err want;
} issuer_rows[] = {
    {"https://login.example", 1, 0, ERR_OK},
    {"https://login.example/realms/a", SEC_TOKEN_AUDIENCE_MAX, 600, ERR_OK},
    {"https://login.example", 1, 0, ERR_EXISTS},
    {"", 1, 0, ERR_MALFORMED},
    {"https://", 1, 0, ERR_MALFORMED},
    {"http://login.example", 1, 0, ERR_MALFORMED}, /* RFC 8414 §2 */
    {"login.example", 1, 0, ERR_MALFORMED},
    {"https://a/?b", 1, 0, ERR_MALFORMED},
    {"https://a/#b", 1, 0, ERR_MALFORMED},
    {"https://two words", 1, 0, ERR_MALFORMED},
    {"https://tab\there", 1, 0, ERR_MALFORMED},
    {"https://a", 0, 0, ERR_MALFORMED},
    {"https://a", SEC_TOKEN_AUDIENCE_MAX + 1, 0, ERR_MALFORMED},
    {"https://a", 1, -1, ERR_MALFORMED},
    {"https://a", 1, 601, ERR_MALFORMED},
};

static void test_issuers(void)
{
    struct sec_delegates *d = NULL;
    size_t n;

    CU_ASSERT_FATAL(sec_delegates_create(&d) == ERR_OK);
    for (size_t i = 0; i < COUNT(issuer_rows); i++) {
        struct sec_issuer issuer = {.name = slice_str(issuer_rows[i].name),
                                    .audiences = audiences,
                                    .audiences_n = issuer_rows[i].audiences_n,
                                    .skew_s = issuer_rows[i].skew_s};
        struct sec_jwks *set = keys();
        const char *why = NULL;

        test_row(i);
        CU_ASSERT(sec_delegates_add_issuer(d, &issuer, &set, &why) == issuer_rows[i].want);
        CU_ASSERT((set == NULL) == (issuer_rows[i].want == ERR_OK) && (why == NULL) == (set == NULL));
        sec_jwks_free(&set);
    }
    CU_ASSERT(sec_delegates_issuers(d, &n)[0]->audiences_n == 1 && n == 2);
    CU_ASSERT(sec_delegates_has_issuer(d, SLICE("https://login.example")) &&
              !sec_delegates_has_issuer(d, SLICE("https://Login.example")));
    sec_delegates_free(&d);
    sec_delegates_free(&d);
}

static void test_issuer_ceiling(void)
{
    struct sec_delegates *d = NULL;
    char name[24];

    CU_ASSERT_FATAL(sec_delegates_create(&d) == ERR_OK);
    for (int i = 0; i <= SEC_ISSUERS_MAX; i++) {
        struct sec_issuer issuer = {.name =
                                        slice_of(name, (size_t)snprintf(name, sizeof name, "https://i%d", i)),
                                    .audiences = audiences,
                                    .audiences_n = 1};
        struct sec_jwks *set = keys();
        const char *why;

        CU_ASSERT(sec_delegates_add_issuer(d, &issuer, &set, &why) ==
                  (i < SEC_ISSUERS_MAX ? ERR_OK : ERR_LIMIT));
        sec_jwks_free(&set);
    }
    sec_delegates_free(&d);
}

static struct slice certificates[SEC_DELEGATE_LIST_MAX + 1] = {{"DNS:AP.example", 14},
                                                               {"URI:https://ap", 14}};
static struct slice bad_certificate[] = {{"CN:ap", 5}};
static struct slice networks[] = {{"192.0.2.8/31", 12}, {"2001:db8::1", 11}};
static struct slice bad_network[] = {{"192.0.2.9/31", 12}};

static void test_proxies_refused(void)
{
    const struct sec_proxy rows[] = {
        {SLICE("ap"), certificates, 2, networks, 2},
        {SLICE("ap"), certificates, 2, networks, 2}, /* twice */
        {SLICE("b"), certificates, 0, networks, 2},  /* an address alone can be forged */
        {SLICE("b"), certificates, 2, networks, 0},
        {SLICE("b"), bad_certificate, 1, networks, 2},
        {SLICE("b"), certificates, 2, bad_network, 1},
        {SLICE("b"), certificates, SEC_DELEGATE_LIST_MAX + 1, networks, 2},
    };
    static const enum err want[] = {ERR_OK,        ERR_EXISTS,    ERR_MALFORMED, ERR_MALFORMED,
                                    ERR_MALFORMED, ERR_MALFORMED, ERR_LIMIT};
    struct sec_delegates *d = NULL;

    CU_ASSERT_FATAL(sec_delegates_create(&d) == ERR_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *why = NULL;

        test_row(i);
        CU_ASSERT(sec_delegates_add_proxy(d, &rows[i], &why) == want[i]);
        CU_ASSERT((why != NULL) == (want[i] != ERR_OK));
    }
    sec_delegates_free(&d);
}

static const struct {
    const char *uri, *dns, *address;
    bool proxy;
} peer_rows[] = {
    {NULL, "ap.example", "192.0.2.8", true},    {NULL, "AP.EXAMPLE", "192.0.2.9", true},
    {"https://ap", NULL, "2001:db8::1", true},  {"https://ap", "other", "192.0.2.8", true},
    {NULL, NULL, "192.0.2.8", false},           {NULL, "ap.example", "192.0.2.10", false},
    {NULL, "ap.example", "2001:db8::2", false}, {NULL, "ap.example", "", false},
    {NULL, "https://ap", "192.0.2.8", false}, /* a name of another kind */
    {"ap.example", NULL, "192.0.2.8", false},   {NULL, "xap.example", "192.0.2.8", false},
    {NULL, "ap.example.", "192.0.2.8", false},
};

static void test_who_is_a_proxy(void)
{
    const struct sec_proxy ap = {SLICE("ap"), certificates, 2, networks, 2};
    struct sec_delegates *d = NULL;
    const char *why;

    CU_ASSERT_FATAL(sec_delegates_create(&d) == ERR_OK);
    for (size_t i = 0; i < 2 * COUNT(peer_rows); i++) {
        size_t r = i % COUNT(peer_rows);
        struct slice uri = slice_str(peer_rows[r].uri), dns = slice_str(peer_rows[r].dns);
        struct sec_peer_names peer = {.uris = &uri,
                                      .uris_n = uri.n > 0,
                                      .dns = &dns,
                                      .dns_n = dns.n > 0,
                                      .address = slice_str(peer_rows[r].address)};

        test_row(i);
        if (i == COUNT(peer_rows)) /* the first time round there is none */
            CU_ASSERT_FATAL(sec_delegates_add_proxy(d, &ap, &why) == ERR_OK);
        CU_ASSERT(sec_delegates_is_proxy(d, &peer) == (i >= COUNT(peer_rows) && peer_rows[r].proxy));
    }
    sec_delegates_free(&d);
}

/* Tables of one issuer and one proxy; `twist` is what is otherwise in this one. */
static struct sec_delegates *table(size_t twist)
{
    struct slice names[] = {SLICE("x"), SLICE("y")};
    struct sec_issuer issuer = {.name = twist == 1 ? SLICE("https://b") : SLICE("https://a"),
                                .audiences = twist == 2 ? &names[1] : names,
                                .audiences_n = twist == 3 ? 2 : 1,
                                .subject = twist == 4 ? SEC_TOKEN_CLIENT_ID : SEC_TOKEN_SUB,
                                .skew_s = twist == 5};
    struct sec_proxy proxy = {twist == 6 ? SLICE("b") : SLICE("a"), certificates, twist == 7 ? 1 : 2,
                              twist == 8 ? &networks[1] : networks, 1};
    struct sec_delegates *d = NULL;
    struct sec_jwks *set = NULL;
    const char *why;

    MUST(!sec_delegates_create(&d));
    MUST(!sec_jwks_parse(twist == 9 ? SLICE(" " SET) : SLICE(SET), &set, &why));
    MUST(!sec_delegates_add_issuer(d, &issuer, &set, &why));
    MUST(twist == 10 || !sec_delegates_add_proxy(d, &proxy, &why));
    return d;
}

static void test_changes(void)
{
    static const size_t want[] = {0, 2, 1, 1, 1, 1, 2, 1, 1, 1, 1};
    struct sec_delegates *was = table(0);

    for (size_t i = 0; i < COUNT(want); i++) {
        struct sec_delegates *is = table(i);

        test_row(i);
        CU_ASSERT(sec_delegates_changes(was, is) == want[i]);
        CU_ASSERT(sec_delegates_changes(is, was) == want[i]);
        sec_delegates_free(&is);
    }
    sec_delegates_free(&was);
}

const struct test_case test_cases[] = {
    {"changes", test_changes},
    {"issuers", test_issuers},
    {"issuer_ceiling", test_issuer_ceiling},
    {"proxies_refused", test_proxies_refused},
    {"who_is_a_proxy", test_who_is_a_proxy},
    {NULL, NULL},
};
