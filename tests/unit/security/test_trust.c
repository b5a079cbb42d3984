/* Who a peer is: certificates, Digest, Basic, networks, and contradictions between them. */
#include "security/rules/trust.h"

#include "tests/unit/harness.h"

#define REALM SLICE("push")

struct world {
    struct sec_accounts *accounts;
    struct sec_digest_guard *guard;
    struct buf authorization;
};

static struct sec_secret ha1(enum sec_digest_algorithm a, const char *user)
{
    struct sec_secret s;

    sec_secret_init(&s);
    MUST(sec_digest_ha1(a, slice_str(user), REALM, SLICE("p"), &s) == ERR_OK);
    return s;
}

static void add(struct world *w, struct sec_account a, const char *certificate, const char *user)
{
    struct slice matcher = slice_str(certificate);
    const char *why = NULL;

    a.certificates = &matcher;
    a.certificates_n = certificate ? 1 : 0;
    a.digest_user = slice_str(user);
    if (user)
        a.ha1_sha256 = ha1(SEC_DIGEST_SHA256, user);
    MUST(sec_accounts_add(w->accounts, &a, &why) == ERR_OK);
}

static void world_open(struct world *w)
{
    static const struct slice nets[] = {{"192.0.2.0/28", 12}};
    static const struct slice uris[] = {{"https://mmsc.example.net/*", 26}};
    struct sec_digest_guard_conf conf = {1000, 100, true};

    MUST(sec_accounts_create(REALM, 10, &w->accounts) == ERR_OK);
    MUST(sec_digest_guard_create(&conf, &w->guard) == ERR_OK);
    buf_init(&w->authorization, 2000);
    add(w, (struct sec_account){.name = SLICE("mms"), .initiator_uris = uris, .initiator_uris_n = 1},
        "URI:https://mmsc.example.net", "mms");
    add(w, (struct sec_account){.name = SLICE("both"), .require = SEC_REQUIRE_ALL}, "DNS:both.example",
        "both");
    add(w, (struct sec_account){.name = SLICE("net"), .networks = nets, .networks_n = 1},
        "EMAIL:net@example.net", NULL);
    add(w, (struct sec_account){.name = SLICE("basic"), .basic = true}, NULL, "basic");
    add(w, (struct sec_account){.name = SLICE("clear"), .basic_clear = true}, NULL, "clear");
}

static void world_close(struct world *w)
{
    sec_accounts_free(&w->accounts);
    sec_digest_guard_free(&w->guard);
    buf_clear(&w->authorization);
}

/* A good Digest answer of that user to a challenge of time 0. */
static struct slice digest(struct world *w, const char *user, uint32_t nc)
{
    struct sec_digest_request request = {SLICE("POST"), SLICE("/pap"), SLICE("body"), true};
    struct sec_secret secret = ha1(SEC_DIGEST_SHA256, user);
    struct sec_digest_response sent;
    struct sec_digest_offer offer;
    struct buf challenge;
    struct slice value;

    buf_init(&challenge, 1000);
    buf_reset(&w->authorization, SIZE_MAX);
    MUST(sec_digest_challenge(w->guard, SEC_DIGEST_SHA256, REALM, false, 0, &challenge) == ERR_OK);
    value = buf_slice(&challenge);
    MUST(sec_digest_choose(&value, 1, &offer) == ERR_OK);
    MUST(sec_digest_answer(&offer, slice_str(user), &secret, &request, SLICE("c"), nc, &w->authorization,
                           &sent) == ERR_OK);
    buf_clear(&challenge);
    return buf_slice(&w->authorization);
}

static const struct slice san_mms = {"https://mmsc.example.net", 24};
static const struct slice san_both = {"both.example", 12};
static const struct slice san_net = {"net@example.net", 15};
static const struct slice san_other = {"other.example", 13};

static struct sec_evidence evidence(void)
{
    return (struct sec_evidence){.tls = true,
                                 .cert_verified = true,
                                 .peer = SLICE("192.0.2.1"),
                                 .request = {SLICE("POST"), SLICE("/pap"), SLICE("body"), true}};
}

static struct sec_identity identified(struct world *w, const struct sec_evidence *ev)
{
    struct sec_identity id;

    MUST(sec_trust_identify(w->accounts, ev, w->guard, 1, &id) == ERR_OK);
    CU_ASSERT((id.outcome == SEC_IDENTIFIED) == (id.account != NULL));
    CU_ASSERT(id.reason != NULL && id.reason[0] != '\0');
    return id;
}

static void expect(struct world *w, const struct sec_evidence *ev, enum sec_outcome want, const char *account,
                   bool failed)
{
    struct sec_identity id = identified(w, ev);

    CU_ASSERT(id.outcome == want && id.failed_login == failed);
    TEST_SLICE_EQ(id.account ? id.account->name : SLICE_NONE, slice_str(account));
}

static void test_certificates(void)
{
    struct sec_evidence ev = evidence(), clear;
    struct world w;

    world_open(&w);
    expect(&w, &ev, SEC_REFUSED, NULL, false); /* a good certificate of nobody */
    ev.dns = &san_other;
    ev.dns_n = 1;
    expect(&w, &ev, SEC_REFUSED, NULL, false);
    ev.uris = &san_mms;
    ev.uris_n = 1;
    expect(&w, &ev, SEC_IDENTIFIED, "mms", false);
    clear = ev;
    clear.cert_verified = false;
    expect(&w, &clear, SEC_CHALLENGE, NULL, false);
    clear.cert_verified = true;
    clear.tls = false;
    expect(&w, &clear, SEC_CHALLENGE, NULL, false);
    ev.emails = &san_net;
    ev.emails_n = 1;
    expect(&w, &ev, SEC_IDENTIFIED, "mms", false); /* URI before e-mail */
    world_close(&w);
}

/* A certificate that another authority signed, though a trusted one, is not the account's. */
static void test_issuer_pinned(void)
{
    static const struct slice pins[] = {
        {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", 64},
        {"ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100", 64}};
    struct sec_evidence ev = evidence();
    struct world w;

    world_open(&w);
    add(&w, (struct sec_account){.name = SLICE("pin"), .issuers = pins, .issuers_n = 2}, "DNS:other.example",
        NULL);
    ev.dns = &san_other;
    ev.dns_n = 1;
    expect(&w, &ev, SEC_REFUSED, NULL, false); /* nothing known of the signer */
    CU_ASSERT_STRING_EQUAL(identified(&w, &ev).event, "tls.client.wrong-issuer");
    ev.issuer = SLICE("00112233445566778899aabbccddeeff00112233445566778899aabbccddeefe");
    expect(&w, &ev, SEC_REFUSED, NULL, false);
    ev.issuer = slice_sub(pins[0], 0, 63);
    expect(&w, &ev, SEC_REFUSED, NULL, false);
    ev.issuer = pins[1];
    expect(&w, &ev, SEC_IDENTIFIED, "pin", false);
    ev.dns = &san_net;
    CU_ASSERT_STRING_EQUAL(identified(&w, &ev).event, "tls.client.wrong-name");
    world_close(&w);
}

static void test_shared_key(void)
{
    struct sec_account keyed = {
        .name = SLICE("keyed"), .psk_identity = SLICE("x-ppg:mms"), .psk_version = 13};
    struct sec_evidence ev = evidence();
    struct world w;

    world_open(&w);
    MUST(sec_secret_set(&keyed.psk, SLICE("0123456789abcdef")) == ERR_OK);
    keyed.require = SEC_REQUIRE_ALL;
    add(&w, keyed, NULL, "keyed");
    keyed.name = keyed.psk_identity = SLICE("plain");
    keyed.require = SEC_REQUIRE_ANY;
    add(&w, keyed, NULL, NULL);
    ev.cert_verified = false;
    ev.psk = SLICE("plain");
    expect(&w, &ev, SEC_IDENTIFIED, "plain", false);
    CU_ASSERT_EQUAL(identified(&w, &ev).proofs, SEC_PROOF_PSK);
    ev.uris = &san_mms; /* names of a certificate count for nothing here */
    ev.uris_n = 1;
    expect(&w, &ev, SEC_IDENTIFIED, "plain", false);
    ev.tls = false;
    expect(&w, &ev, SEC_CHALLENGE, NULL, false);
    ev.tls = true;
    ev.psk = SLICE("Plain");
    expect(&w, &ev, SEC_REFUSED, NULL, false);
    ev.psk = SLICE("x-ppg:mms");
    expect(&w, &ev, SEC_CHALLENGE, NULL, false); /* needs its password too */
    ev.authorization = digest(&w, "keyed", 1);
    expect(&w, &ev, SEC_IDENTIFIED, "keyed", false);
    ev.authorization = digest(&w, "mms", 1);
    expect(&w, &ev, SEC_REFUSED, NULL, false); /* of different initiators */
    ev.authorization = digest(&w, "keyed", 1);
    ev.psk = SLICE_NONE;
    expect(&w, &ev, SEC_REFUSED, NULL, false); /* and its key */
    world_close(&w);
}

static void test_networks(void)
{
    struct sec_evidence ev = evidence();
    struct world w;

    world_open(&w);
    ev.emails = &san_net;
    ev.emails_n = 1;
    expect(&w, &ev, SEC_IDENTIFIED, "net", false);
    ev.peer = SLICE("192.0.2.16");
    expect(&w, &ev, SEC_REFUSED, NULL, false);
    ev.peer = SLICE("");
    expect(&w, &ev, SEC_REFUSED, NULL, false);
    world_close(&w);
}

static void test_digest_outcomes(void)
{
    struct sec_evidence ev = evidence();
    struct sec_identity id;
    struct buf info;
    struct world w;

    world_open(&w);
    buf_init(&info, 500);
    ev.tls = ev.cert_verified = false;
    expect(&w, &ev, SEC_CHALLENGE, NULL, false);
    ev.authorization = digest(&w, "mms", 1);
    id = identified(&w, &ev);
    CU_ASSERT(id.outcome == SEC_IDENTIFIED && id.proofs == SEC_PROOF_DIGEST);
    CU_ASSERT(sec_trust_info(&id, SLICE("answer"), &info) == ERR_OK);
    CU_ASSERT(slice_starts(buf_slice(&info), SLICE("qop=auth-int, rspauth=\"")));
    expect(&w, &ev, SEC_CHALLENGE_STALE, NULL, false); /* the count is used up */
    ev.authorization = digest(&w, "nobody", 1);
    expect(&w, &ev, SEC_CHALLENGE, NULL, true);
    ev.authorization = digest(&w, "mms", 1);
    ev.request.uri = SLICE("/other");
    expect(&w, &ev, SEC_CHALLENGE, NULL, true);
    ev.request.uri = SLICE("/pap");
    ev.request.body_known = false;
    expect(&w, &ev, SEC_NEED_BODY, NULL, false);
    id = identified(&w, &ev);
    CU_ASSERT(sec_trust_info(&id, SLICE("answer"), &info) == ERR_ABSENT);
    buf_clear(&info);
    world_close(&w);
}

static void test_unreadable_credentials(void)
{
    static const char *const rows[] = {"Digest",     "Digest x", "Digest username=\"mms\"",
                                       "Bearer abc", "Basic",    "Basic !",
                                       "Basic bW1z", "x",        "\x01"};
    struct world w;

    world_open(&w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_evidence ev = evidence();

        test_row(i);
        ev.authorization = slice_str(rows[i]);
        expect(&w, &ev, SEC_CHALLENGE, NULL, true);
        ev.uris = &san_mms; /* wrong credentials are not made good by a certificate */
        ev.uris_n = 1;
        expect(&w, &ev, SEC_CHALLENGE, NULL, true);
    }
    world_close(&w);
}

static void test_certificate_and_password(void)
{
    struct sec_evidence ev = evidence();
    struct world w;

    world_open(&w);
    ev.dns = &san_both;
    ev.dns_n = 1;
    expect(&w, &ev, SEC_CHALLENGE, NULL, false); /* needs its password too */
    ev.authorization = digest(&w, "both", 1);
    expect(&w, &ev, SEC_IDENTIFIED, "both", false);
    ev.authorization = digest(&w, "both", 1);
    ev.dns_n = 0;
    expect(&w, &ev, SEC_REFUSED, NULL, false); /* and its certificate */
    ev.dns_n = 1;
    ev.authorization = digest(&w, "mms", 1);
    expect(&w, &ev, SEC_REFUSED, NULL, false); /* of different initiators */
    world_close(&w);
}

static void test_basic(void)
{
    static const struct {
        const char *authorization;
        bool tls, clear_basic;
        enum sec_outcome want;
        const char *account;
    } rows[] = {
        {"Basic YmFzaWM6cA==", true, false, SEC_IDENTIFIED, "basic"}, /* basic:p */
        {"Basic YmFzaWM6cA==", false, false, SEC_CHALLENGE, NULL},
        {"Basic YmFzaWM6cA==", false, true, SEC_IDENTIFIED, "basic"},
        {"Basic Y2xlYXI6cA==", false, false, SEC_IDENTIFIED, "clear"}, /* clear:p */
        {"Basic YmFzaWM6cQ==", true, false, SEC_CHALLENGE, NULL},      /* basic:q */
        {"Basic bW1zOnA=", true, true, SEC_CHALLENGE, NULL},           /* mms:p, Digest only */
        {"Basic bm9ib2R5OnA=", true, true, SEC_CHALLENGE, NULL},       /* nobody:p */
        {"Basic Og==", true, true, SEC_CHALLENGE, NULL},               /* : */
    };
    struct world w;

    world_open(&w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_evidence ev = evidence();

        test_row(i);
        ev.tls = rows[i].tls;
        ev.clear_basic = rows[i].clear_basic;
        ev.authorization = slice_str(rows[i].authorization);
        expect(&w, &ev, rows[i].want, rows[i].account, rows[i].want != SEC_IDENTIFIED);
    }
    world_close(&w);
}

static void test_initiator_uri(void)
{
    const struct sec_account *mms, *both;
    struct world w;

    world_open(&w);
    mms = sec_accounts_find(w.accounts, SLICE("mms"));
    both = sec_accounts_find(w.accounts, SLICE("both"));
    CU_ASSERT_FATAL(mms && both);
    CU_ASSERT(sec_initiator_uri_allowed(mms, SLICE("https://mmsc.example.net/x")));
    CU_ASSERT(!sec_initiator_uri_allowed(mms, SLICE("https://bank.example/x")));
    CU_ASSERT(!sec_initiator_uri_allowed(mms, SLICE("")));
    CU_ASSERT(!sec_initiator_uri_allowed(both, SLICE("https://mmsc.example.net/x"))); /* may claim nothing */
    world_close(&w);
}

static void test_no_passwords_no_challenge(void)
{
    struct sec_evidence ev = {.peer = SLICE("192.0.2.1")};
    struct slice matcher = SLICE("DNS:h");
    struct sec_account a = {.name = SLICE("a"), .certificates = &matcher, .certificates_n = 1};
    struct sec_digest_guard_conf conf = {1000, 100, true};
    const char *why;
    struct world w;

    MUST(sec_accounts_create(REALM, 10, &w.accounts) == ERR_OK);
    MUST(sec_digest_guard_create(&conf, &w.guard) == ERR_OK);
    buf_init(&w.authorization, 10);
    MUST(sec_accounts_add(w.accounts, &a, &why) == ERR_OK);
    expect(&w, &ev, SEC_REFUSED, NULL, false);
    CU_ASSERT_STRING_EQUAL(sec_outcome_name(SEC_REFUSED), "refused");
    world_close(&w);
}

const struct test_case test_cases[] = {
    {"certificates", test_certificates},
    {"issuer_pinned", test_issuer_pinned},
    {"shared_key", test_shared_key},
    {"networks", test_networks},
    {"digest_outcomes", test_digest_outcomes},
    {"unreadable_credentials", test_unreadable_credentials},
    {"certificate_and_password", test_certificate_and_password},
    {"basic", test_basic},
    {"initiator_uri", test_initiator_uri},
    {"no_passwords_no_challenge", test_no_passwords_no_challenge},
    {NULL, NULL},
};
