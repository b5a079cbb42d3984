/* Who a peer is by the word of others: tokens, authentication proxies; by its network alone; and contradictions. */
#include "security/rules/trust.h"

#include "tests/unit/harness.h"
#include "tests/unit/tokens.h"

#define ISSUER "https://login.example"
#define NOW    1000

static struct slice audience = {"ppg", 3};
static struct slice tokens[] = {{ISSUER " bank", 26}, {ISSUER " both", 26}};
static struct slice asserted[] = {
    {"sip:mms@example.com", 19}, {"tel:+15550100", 13}, {"sip:b@example.com", 17}};
static struct slice networks[] = {{"192.0.2.32/28", 13}};
static struct slice both_matcher = {"DNS:both.example", 16};
static struct slice ap_matcher = {"DNS:ap.example", 14};
static struct slice ap_network = {"192.0.2.8/31", 12};
static const struct slice san_both = {"both.example", 12};
static const struct slice san_ap = {"ap.example", 10};

struct world {
    struct test_keys *keys;
    struct sec_accounts *accounts;
    struct buf authorization;
};

static void add(struct world *w, struct sec_account a)
{
    const char *why = NULL;

    MUST(sec_accounts_add(w->accounts, &a, &why) == ERR_OK);
}

static void add_delegates(struct world *w)
{
    struct sec_issuer issuer = {.name = SLICE(ISSUER), .audiences = &audience, .audiences_n = 1};
    struct sec_proxy proxy = {SLICE("ap"), &ap_matcher, 1, &ap_network, 1};
    struct sec_jwks *set = NULL;
    const char *why;
    struct buf text;

    buf_init(&text, 100000);
    test_jwks_print(w->keys, 0, &text);
    MUST(sec_jwks_parse(buf_slice(&text), &set, &why) == ERR_OK);
    buf_clear(&text);
    MUST(sec_delegates_add_issuer(sec_accounts_delegates(w->accounts), &issuer, &set, &why) == ERR_OK);
    MUST(sec_delegates_add_proxy(sec_accounts_delegates(w->accounts), &proxy, &why) == ERR_OK);
}

static void world_open(struct world *w)
{
    w->keys = test_keys_open();
    buf_init(&w->authorization, 20000);
    MUST(sec_accounts_create(SLICE("push"), 10, &w->accounts) == ERR_OK);
    add_delegates(w);
    add(w, (struct sec_account){.name = SLICE("bank"), .tokens = &tokens[0], .tokens_n = 1});
    add(w, (struct sec_account){.name = SLICE("both"),
                                .tokens = &tokens[1],
                                .tokens_n = 1,
                                .certificates = &both_matcher,
                                .certificates_n = 1,
                                .require = SEC_REQUIRE_ALL});
    add(w, (struct sec_account){.name = SLICE("mms"), .asserted = asserted, .asserted_n = 2});
    add(w, (struct sec_account){.name = SLICE("b"), .asserted = &asserted[2], .asserted_n = 1});
    add(w, (struct sec_account){
               .name = SLICE("net"), .networks = networks, .networks_n = 1, .by_network = true});
}

static void world_close(struct world *w)
{
    sec_accounts_free(&w->accounts);
    test_keys_close(w->keys);
    buf_clear(&w->authorization);
}

static struct sec_evidence evidence(void)
{
    return (struct sec_evidence){.tls = true, .peer = SLICE("192.0.2.1"), .utc_s = NOW};
}

static struct slice token(struct world *w, unsigned which, const char *claims)
{
    buf_reset(&w->authorization, SIZE_MAX);
    buf_add_str(&w->authorization, "Bearer ");
    test_token_print(w->keys, TEST_KEY_ED, which, NULL, claims, &w->authorization);
    return buf_slice(&w->authorization);
}

#define CLAIMS(sub, exp) "{\"iss\":\"" ISSUER "\",\"aud\":\"ppg\",\"sub\":\"" sub "\",\"exp\":" exp "}"
#define SCOPED                                                                                               \
    "{\"iss\":\"" ISSUER "\",\"aud\":\"ppg\",\"sub\":\"bank\",\"exp\":2000,\"scope\":\"push.status\"}"

static struct sec_identity expect(struct world *w, const struct sec_evidence *ev, enum sec_outcome want,
                                  const char *account)
{
    struct sec_identity id;

    MUST(sec_trust_identify(w->accounts, ev, NULL, 1, &id) == ERR_OK);
    CU_ASSERT(id.outcome == want && id.reason[0] != '\0');
    TEST_SLICE_EQ(id.account ? id.account->name : SLICE_NONE, slice_str(account));
    return id;
}

static void test_tokens(void)
{
    struct sec_evidence ev = evidence();
    struct sec_identity id;
    struct world w;

    world_open(&w);
    id = expect(&w, &ev, SEC_CHALLENGE, NULL);
    CU_ASSERT(!id.failed_login && !id.token_fault);
    ev.authorization = token(&w, 0, SCOPED);
    id = expect(&w, &ev, SEC_IDENTIFIED, "bank");
    CU_ASSERT(id.proofs == SEC_PROOF_TOKEN && id.scopes == SEC_SCOPE_STATUS && id.until_s == 2000);
    ev.authorization_n = 2;
    id = expect(&w, &ev, SEC_CHALLENGE, NULL);
    CU_ASSERT(id.failed_login);
    ev.authorization_n = 1;
    ev.tls = false; /* RFC 6750 §5.3 */
    id = expect(&w, &ev, SEC_REFUSED, NULL);
    world_close(&w);
}

static void test_bad_tokens(void)
{
    static const struct {
        unsigned key;
        const char *claims; /* NULL: the text itself */
        const char *text;
        enum sec_outcome want;
        bool failed;
        const char *fault;
    } rows[] = {
        {1, CLAIMS("bank", "2000"), NULL, SEC_CHALLENGE, true, "not accepted"}, /* another's key */
        {0, CLAIMS("bank", "1000"), NULL, SEC_CHALLENGE, false, "expired"},     /* no guess */
        {1, CLAIMS("bank", "1000"), NULL, SEC_CHALLENGE, false, "expired"}, /* told before any key is tried */
        {0, CLAIMS("nobody", "2000"), NULL, SEC_REFUSED, false, NULL},      /* good, but of no account */
        {0, "{}", NULL, SEC_CHALLENGE, true, "not accepted"},
        {0, NULL, "Bearer", SEC_CHALLENGE, true, "not accepted"},
        {0, NULL, "Bearer ", SEC_CHALLENGE, true, "not accepted"},
        {0, NULL, "Bearer a.b.c", SEC_CHALLENGE, true, "not accepted"},
        {0, NULL, "Bearer eyJhbGciOiJub25lIn0.e30.", SEC_CHALLENGE, true, "not accepted"},
        {0, NULL, "BearerX a.b.c", SEC_CHALLENGE, true, "not accepted"},
    };
    struct world w;

    world_open(&w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_evidence ev = evidence();
        struct sec_identity id;

        test_row(i);
        ev.authorization = rows[i].claims ? token(&w, rows[i].key, rows[i].claims) : slice_str(rows[i].text);
        id = expect(&w, &ev, rows[i].want, NULL);
        CU_ASSERT(id.failed_login == rows[i].failed && id.proofs == SEC_PROOF_NONE);
        TEST_SLICE_EQ(slice_str(id.token_fault), slice_str(rows[i].fault));
    }
    world_close(&w);
}

static void test_certificate_and_token(void)
{
    struct sec_evidence ev = evidence();
    struct world w;

    world_open(&w);
    ev.cert_verified = true;
    ev.dns = &san_both;
    ev.dns_n = 1;
    (void)expect(&w, &ev, SEC_CHALLENGE, NULL); /* needs its token too */
    ev.authorization = token(&w, 0, CLAIMS("both", "2000"));
    CU_ASSERT(expect(&w, &ev, SEC_IDENTIFIED, "both").proofs == (SEC_PROOF_TOKEN | SEC_PROOF_CERTIFICATE));
    ev.authorization = token(&w, 0, SCOPED);
    (void)expect(&w, &ev, SEC_REFUSED, NULL); /* another's */
    ev.authorization = token(&w, 0, CLAIMS("both", "2000"));
    ev.dns_n = 0;
    (void)expect(&w, &ev, SEC_REFUSED, NULL); /* and its certificate */
    world_close(&w);
}

static void test_proxy(void)
{
    static const struct {
        const char *asserted, *intended, *account; /* NULL: refused */
    } rows[] = {
        {"\"sip:mms@example.com\"", NULL, "mms"},
        {"\"tel:+15550100\", \"sip:mms@example.com\"", NULL, "mms"},
        {"\"sip:new@example.com\",\"tel:+15550100\"", "\"sip:new@example.com\"", "mms"},
        {"\"sip:mms@example.com\"", "sip:mms@example.com", "mms"}, /* quotes are sometimes left out */
        {"\"sip:mms@example.com\"", "\"sip:b@example.com\"", NULL},
        {"\"sip:mms@example.com\"", "\"sip:mms@example.com\", \"sip:b@example.com\"", NULL},
        {"\"sip:mms@example.com\", \"sip:b@example.com\"", NULL, NULL}, /* two initiators */
        {"\"sip:new@example.com\"", NULL, NULL},
        {"\"SIP:mms@example.com\"", NULL, NULL},
        {"sip:mms@example.com", NULL, NULL},
        {"", NULL, NULL},
    };
    struct world w;

    world_open(&w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_evidence ev = evidence();

        test_row(i);
        ev.cert_verified = true;
        ev.dns = &san_ap;
        ev.dns_n = 1;
        ev.peer = SLICE("192.0.2.9");
        ev.asserted = slice_str(rows[i].asserted);
        ev.asserted_n = 1;
        ev.intended = slice_str(rows[i].intended);
        (void)expect(&w, &ev, rows[i].account ? SEC_IDENTIFIED : SEC_REFUSED, rows[i].account);
        ev.asserted_n = 2;
        (void)expect(&w, &ev, SEC_REFUSED, NULL);
        ev.asserted_n = 0;
        (void)expect(&w, &ev, SEC_REFUSED, NULL); /* of itself it is no initiator */
    }
    world_close(&w);
}

/* The header of everybody else says nothing: not of a stranger, and not of an initiator about itself. */
static void test_forged_assertion(void)
{
    struct world w;

    world_open(&w);
    for (size_t i = 0; i < 5; i++) {
        struct sec_evidence ev = evidence();

        test_row(i);
        ev.asserted = SLICE("\"sip:mms@example.com\"");
        ev.asserted_n = 1;
        ev.dns = &san_ap;
        ev.dns_n = 1;
        ev.cert_verified = i != 0;
        ev.tls = i != 1;
        ev.peer = i == 2 ? SLICE("192.0.2.10") : SLICE("192.0.2.8"); /* not the proxy's address */
        if (i == 3)
            ev.dns = &san_both; /* another good certificate, at the proxy's address */
        if (i == 4) {
            ev.dns_n = 0;
            ev.authorization = token(&w, 0, SCOPED);
            (void)expect(&w, &ev, SEC_IDENTIFIED, "bank"); /* who it is, not who it says */
        } else {
            CU_ASSERT(expect(&w, &ev, i == 2 || i == 1 ? SEC_REFUSED : SEC_CHALLENGE, NULL).proofs !=
                      SEC_PROOF_ASSERTED);
        }
    }
    world_close(&w);
}

/* A client may say without a proxy, too, who it wants to be: then it must be that. */
static void test_intended_without_proxy(void)
{
    struct sec_evidence ev = evidence();
    struct world w;

    world_open(&w);
    ev.authorization = token(&w, 0, SCOPED);
    ev.intended = SLICE("\"sip:mms@example.com\"");
    (void)expect(&w, &ev, SEC_REFUSED, NULL);
    ev.intended = SLICE_NONE;
    (void)expect(&w, &ev, SEC_IDENTIFIED, "bank");
    world_close(&w);
}

static void test_network_alone(void)
{
    struct sec_evidence ev = evidence();
    struct world w;

    world_open(&w);
    ev.tls = false;
    ev.peer = SLICE("192.0.2.33");
    CU_ASSERT(expect(&w, &ev, SEC_IDENTIFIED, "net").proofs == SEC_PROOF_NETWORK);
    ev.peer = SLICE("::ffff:192.0.2.33");
    (void)expect(&w, &ev, SEC_IDENTIFIED, "net");
    ev.peer = SLICE("192.0.2.48");
    (void)expect(&w, &ev, SEC_REFUSED, NULL);
    ev.peer = SLICE("192.0.2.33");
    ev.tls = true; /* whoever shows something is that, or nobody */
    ev.authorization = SLICE("Bearer a.b.c");
    (void)expect(&w, &ev, SEC_CHALLENGE, NULL);
    ev.authorization = token(&w, 0, SCOPED);
    (void)expect(&w, &ev, SEC_IDENTIFIED, "bank");
    ev.authorization = SLICE_NONE;
    ev.cert_verified = true;
    (void)expect(&w, &ev, SEC_REFUSED, NULL);
    world_close(&w);
}

const struct test_case test_cases[] = {
    {"tokens", test_tokens},
    {"bad_tokens", test_bad_tokens},
    {"certificate_and_token", test_certificate_and_token},
    {"proxy", test_proxy},
    {"forged_assertion", test_forged_assertion},
    {"intended_without_proxy", test_intended_without_proxy},
    {"network_alone", test_network_alone},
    {NULL, NULL},
};
