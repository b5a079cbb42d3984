/* Sections of initiators.conf about token providers and authentication proxies: what they give, and each mistake with its
 * place. */
#include "ppg/config/delegates.h"

#include <stdlib.h>
#include "ppg/config/initiators.h"
#include "tests/unit/harness.h"

#define KEY   "{\"keys\":[{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZg\"}]}"
#define SHORT "{\"keys\":[{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2Rl\"}]}"

struct fixture {
    struct ppg_config_errors errs;
    struct ppg_load load;
    struct sec_accounts *accounts;
};

static struct fixture *read_text(const char *text)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (!f)
        abort();
    f->load.errs = &f->errs;
    test_write_file("keys", KEY, 0600);
    test_write_file("open", KEY, 0640);
    test_write_file("short", SHORT, 0600);
    ppg_initiators_read_text(&f->load, slice_str(text), test_in_scratch("initiators.conf"), SLICE("ppg"),
                             false, NULL, &f->accounts);
    return f;
}

static void forget(struct fixture *f)
{
    sec_accounts_free(&f->accounts);
    free(f);
}

static void test_good(void)
{
    struct fixture *f = read_text("[token-issuer https://a]\naudience = x\naudience = y\njwks-file = keys\n"
                                  "[token-issuer https://b]\naudience = x\njwks-file = keys\n"
                                  "subject-claim = client_id\nclock-skew = 2min\n"
                                  "[initiator bank]\ntoken = https://a bank\ntoken = https://b 17\n"
                                  "[auth-proxy ap]\ncertificate = DNS:ap\nnetwork = 192.0.2.1\n"
                                  "[initiator al]\nasserted-identity = sip:al@b\n"
                                  "[initiator lan]\nnetwork = 198.51.100.0/24\nnetwork-alone = yes\n");
    struct slice dns = SLICE("ap");
    struct sec_peer_names ap = {.dns = &dns, .dns_n = 1, .address = SLICE("192.0.2.1")};
    const struct sec_issuer *const *issuers;
    size_t n;

    CU_ASSERT_EQUAL_FATAL(f->errs.n, 0);
    issuers = sec_delegates_issuers(sec_accounts_delegates(f->accounts), &n);
    CU_ASSERT_EQUAL_FATAL(n, 2);
    CU_ASSERT(issuers[0]->audiences_n == 2 && issuers[0]->subject == SEC_TOKEN_SUB &&
              issuers[0]->skew_s == 30);
    CU_ASSERT(issuers[1]->subject == SEC_TOKEN_CLIENT_ID && issuers[1]->skew_s == 120);
    CU_ASSERT(sec_jwks_count(issuers[1]->keys) == 1);
    CU_ASSERT(sec_delegates_is_proxy(sec_accounts_delegates(f->accounts), &ap));
    TEST_SLICE_EQ(sec_accounts_by_token(f->accounts, SLICE("https://b 17"))->name, SLICE("bank"));
    TEST_SLICE_EQ(sec_accounts_by_asserted(f->accounts, SLICE("sip:al@b"))->name, SLICE("al"));
    TEST_SLICE_EQ(sec_accounts_by_network(f->accounts, SLICE("198.51.100.9"))->name, SLICE("lan"));
    forget(f);
}

#define ISSUER "[token-issuer https://i]\naudience = x\njwks-file = keys\n"
#define PROXY  "[auth-proxy p]\ncertificate = DNS:p\nnetwork = 192.0.2.1\n"

static const struct {
    const char *text;
    const char *want; /* in the first mistake, behind the folder */
} rows[] = {
    {"[token-issuer https://i]\naudience = x\n", "initiators.conf:1: jwks-file: missing"},
    {"[token-issuer https://i]\njwks-file = keys\n", "initiators.conf:1: audience: missing"},
    {"[token-issuer https://i]\naudience = x\njwks-file = nowhere\n", "initiators.conf:3: jwks-file:"},
    {"[token-issuer https://i]\naudience = x\njwks-file = open\n", "initiators.conf:3: jwks-file:"},
    {"[token-issuer https://i]\naudience = x\njwks-file = short\n",
     "initiators.conf:3: jwks-file: a shared key of less than 128 bits"},
    {"[token-issuer https://i]\naudience = x\njwks-file = initiators.conf\n",
     "initiators.conf:3: jwks-file:"},
    {ISSUER "jwks-file = keys\n", "initiators.conf:4: jwks-file: already set"},
    {ISSUER "subject-claim = azp\n", "initiators.conf:4: subject-claim: sub or client_id"},
    {ISSUER "clock-skew = 1h\n", "initiators.conf:4: clock-skew: a time, 0 to 10min"},
    {ISSUER "audience =\n", "initiators.conf:4: audience: empty"},
    {ISSUER "scope = x\n", "initiators.conf:4: scope: unknown key"},
    {ISSUER ISSUER, "initiators.conf:4: https://i: issuer stands twice"},
    {"[token-issuer http://i]\naudience = x\njwks-file = keys\n",
     "initiators.conf:1: http://i: issuer: must be a https URI"},
    {"[token-issuer ]\naudience = x\njwks-file = keys\n", "initiators.conf:1: "},
    {"[initiator a]\ntoken = https://i s\n" ISSUER,
     "initiators.conf:1: a: token: \"ISSUER SUBJECT\", and the issuer's"},
    {ISSUER "[initiator a]\ntoken = https://i\n", "initiators.conf:4: a: token"},
    {ISSUER "[initiator a]\ntoken = https://i s\n[initiator b]\ntoken = https://i s\n",
     "initiators.conf:6: b: token belongs"},
    {"[auth-proxy p]\ncertificate = DNS:p\n", "initiators.conf:1: network: missing"},
    {"[auth-proxy p]\nnetwork = 192.0.2.1\n", "initiators.conf:1: certificate: missing"},
    {"[auth-proxy p]\ncertificate = p\nnetwork = 192.0.2.1\n", "initiators.conf:1: p: certificate: must be"},
    {"[auth-proxy p]\ncertificate = DNS:p\nnetwork = 192.0.2.1/8\n",
     "initiators.conf:1: p: network: must be"},
    {PROXY PROXY, "initiators.conf:4: p: name stands twice"},
    {PROXY "[proxy p]\nx = y\n", "initiators.conf:4: proxy p: sections here are [initiator NAME], "
                                 "[token-issuer NAME], [auth-proxy NAME]"},
    {"[initiator a]\nasserted-identity = a\"b\n", "initiators.conf:1: a: asserted identity"},
    {"[initiator a]\nnetwork-alone = yes\n", "initiators.conf:1: a: a network that proves"},
    {"[initiator a]\nnetwork = 192.0.2.0/24\n", "initiators.conf:1: a: no way to authenticate"},
    {"[initiator a]\nasserted-identity = x\ncertificate = DNS:h\nrequire = all\n",
     "initiators.conf:1: a: all, with"},
};

static void test_mistakes(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *f = read_text(rows[i].text);

        test_row(i);
        CU_ASSERT_EQUAL(f->errs.n, 1);
        CU_ASSERT(f->errs.n && strstr(f->errs.text[0], rows[i].want) != NULL);
        if (f->errs.n && !strstr(f->errs.text[0], rows[i].want))
            (void)fprintf(stderr, "%s\n", f->errs.text[0]);
        forget(f);
    }
}

static void test_ceilings(void)
{
    struct buf text;

    buf_init(&text, 100000);
    buf_add_str(&text, ISSUER);
    for (size_t i = 0; i < SEC_TOKEN_AUDIENCE_MAX; i++)
        buf_add_str(&text, "audience = z\n");
    buf_add_str(&text, PROXY);
    for (size_t i = 0; i < SEC_DELEGATE_LIST_MAX; i++)
        buf_add_str(&text, "network = 192.0.2.1\n");
    buf_add_ch(&text, '\0');
    {
        struct fixture *f = read_text(text.p);

        CU_ASSERT_EQUAL(f->errs.n, 2);
        CU_ASSERT(strstr(f->errs.text[0], "audience: too many in one section") != NULL);
        CU_ASSERT(strstr(f->errs.text[1], "network: too many in one section") != NULL);
        forget(f);
    }
    buf_clear(&text);
}

const struct test_case test_cases[] = {
    {"good", test_good},
    {"mistakes", test_mistakes},
    {"ceilings", test_ceilings},
    {NULL, NULL},
};
