/* The table of initiators: look-ups, and accounts that must not be taken. */
#include "security/rules/accounts.h"

#include "security/login/digest.h"
#include "tests/unit/harness.h"

static struct sec_accounts *table(void)
{
    struct sec_accounts *t = NULL;

    MUST(sec_accounts_create(SLICE("push"), 3, &t) == ERR_OK);
    return t;
}

static struct sec_secret ha1(enum sec_digest_algorithm a)
{
    struct sec_secret s;

    sec_secret_init(&s);
    MUST(sec_digest_ha1(a, SLICE("u"), SLICE("push"), SLICE("p"), &s) == ERR_OK);
    return s;
}

static struct sec_account good(const struct slice *certificates, size_t n)
{
    return (struct sec_account){.name = SLICE("a"),
                                .certificates = certificates,
                                .certificates_n = n,
                                .digest_user = SLICE("u"),
                                .ha1_md5 = ha1(SEC_DIGEST_MD5),
                                .ha1_sha256 = ha1(SEC_DIGEST_SHA256)};
}

static void test_add_and_look_up(void)
{
    struct slice certificates[] = {SLICE("URI:https://mmsc.example.net"), SLICE("DNS:MMSC.example.net"),
                                   SLICE("EMAIL:Ops@Example.net")};
    struct slice networks[] = {SLICE("192.0.2.0/24")};
    struct slice uri = SLICE("https://mmsc.example.net"), dns = SLICE("mmsc.EXAMPLE.net");
    struct slice mails[] = {SLICE("ops@example.net"), SLICE("Ops@EXAMPLE.NET")};
    struct sec_accounts *t = table();
    struct sec_account in = good(certificates, 3);
    const struct sec_account *a;
    const char *why;

    in.networks = networks;
    in.networks_n = 1;
    CU_ASSERT_FATAL(sec_accounts_add(t, &in, &why) == ERR_OK);
    a = sec_accounts_find(t, SLICE("a"));
    CU_ASSERT_FATAL(a != NULL && a != &in && a->certificates != certificates);
    CU_ASSERT(sec_accounts_count(t) == 1 && sec_accounts_at(t, 0) == a && sec_accounts_passwords(t));
    CU_ASSERT(sec_accounts_by_user(t, SLICE("u")) == a && sec_accounts_by_user(t, SLICE("U")) == NULL);
    CU_ASSERT(sec_accounts_by_san(t, "URI:", &uri, 1) == a);
    CU_ASSERT(sec_accounts_by_san(t, "DNS:", &uri, 1) == NULL);
    CU_ASSERT(sec_accounts_by_san(t, "DNS:", &dns, 1) == a);
    CU_ASSERT(sec_accounts_by_san(t, "EMAIL:", mails, 1) == NULL); /* mailboxes keep their case */
    CU_ASSERT(sec_accounts_by_san(t, "EMAIL:", mails, 2) == a);
    CU_ASSERT(sec_account_from_here(a, SLICE("192.0.2.9")) && !sec_account_from_here(a, SLICE("192.0.3.9")));
    TEST_SLICE_EQ(sec_accounts_realm(t), SLICE("push"));
    sec_accounts_free(&t);
    sec_accounts_free(&t);
}

/* A NUL in a certificate's name must not cut it short. */
static void test_san_with_nul(void)
{
    struct slice matcher = SLICE("DNS:mmsc.example.net");
    struct slice evil[] = {SLICE("mmsc.example.net\0.evil.example"), SLICE(""), SLICE("mmsc.example.net.")};
    struct sec_accounts *t = table();
    struct sec_account in = good(&matcher, 1);
    const char *why;

    CU_ASSERT_FATAL(sec_accounts_add(t, &in, &why) == ERR_OK);
    CU_ASSERT(sec_accounts_by_san(t, "DNS:", evil, COUNT(evil)) == NULL);
    sec_accounts_free(&t);
}

enum twist {
    NAME_EMPTY,
    NAME_STAR,
    NAME_SPACE,
    NO_PROOF,
    NO_HA1,
    NO_USER,
    HA1_SHORT,
    MAC_SHORT,
    INNER_SHORT,
    USER_QUOTE,
    BASIC_MD5_ONLY,
    BAD_MATCHER,
    EMPTY_MATCHER,
    BAD_NETWORK,
    BAD_URI,
    MANY,
    TWISTS
};

static void test_add_refused(void)
{
    struct slice matchers[] = {SLICE("DNS:h"), SLICE("CN:h"), SLICE("DNS:")}, bad = SLICE("*");

    for (size_t i = 0; i < TWISTS; i++) {
        struct sec_accounts *t = table();
        struct sec_account a = good(matchers, 1);
        const char *why = NULL;

        test_row(i);
        a.name = i == NAME_EMPTY   ? SLICE_NONE
                 : i == NAME_STAR  ? bad
                 : i == NAME_SPACE ? SLICE("a b")
                                   : a.name;
        if (i == NO_PROOF || i == NO_USER)
            a.digest_user = SLICE_NONE;
        if (i == NO_PROOF)
            a.certificates_n = 0;
        if (i == NO_PROOF || i == NO_HA1 || i == BASIC_MD5_ONLY)
            sec_secret_clear(&a.ha1_sha256);
        if (i == NO_PROOF || i == NO_HA1)
            sec_secret_clear(&a.ha1_md5);
        if (i == HA1_SHORT)
            a.ha1_md5.n = 31;
        if (i == MAC_SHORT)
            a.mac.key[SEC_MAC_SHA256].n = 31;
        if (i == INNER_SHORT)
            a.mac.key[SEC_MAC_MD5].n = 16;
        if (i == USER_QUOTE)
            a.digest_user = SLICE("u\"");
        a.basic = i == BASIC_MD5_ONLY;
        a.certificates += i == BAD_MATCHER ? 1 : i == EMPTY_MATCHER ? 2 : 0;
        a.networks = a.initiator_uris = &bad;
        a.networks_n = i == BAD_NETWORK;
        a.initiator_uris_n = i == BAD_URI;
        if (i == MANY)
            a.certificates_n = SEC_ACCOUNT_LIST_MAX + 1;
        CU_ASSERT(sec_accounts_add(t, &a, &why) == ERR_MALFORMED);
        CU_ASSERT(why != NULL && sec_accounts_count(t) == 0);
        sec_accounts_free(&t);
    }
}

static void test_nothing_twice(void)
{
    struct slice one[] = {SLICE("DNS:h"), SLICE("DNS:H")}, two = SLICE("DNS:i");
    struct sec_account a, b;
    const char *why;

    for (size_t i = 0; i < 4; i++) {
        struct sec_accounts *t = table();

        test_row(i);
        a = good(one, i == 3 ? 2 : 1); /* row 3: one account, the same name in two spellings */
        b = good(&two, 1);
        b.name = i == 0 ? SLICE("a") : SLICE("b");
        b.digest_user = i == 1 ? SLICE("u") : SLICE("v");
        b.certificates = i == 2 ? &one[1] : &two;
        CU_ASSERT(sec_accounts_add(t, &a, &why) == (i == 3 ? ERR_EXISTS : ERR_OK));
        CU_ASSERT(i == 3 || sec_accounts_add(t, &b, &why) == ERR_EXISTS);
        sec_accounts_free(&t);
    }
}

#define SET "{\"keys\":[{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZg\"}]}"

static struct sec_accounts *table_with_issuer(void)
{
    struct slice audience = SLICE("ppg");
    struct sec_issuer issuer = {.name = SLICE("https://i"), .audiences = &audience, .audiences_n = 1};
    struct sec_accounts *t = table();
    struct sec_jwks *set = NULL;
    const char *why;

    MUST(sec_jwks_parse(SLICE(SET), &set, &why) == ERR_OK);
    MUST(sec_delegates_add_issuer(sec_accounts_delegates(t), &issuer, &set, &why) == ERR_OK);
    return t;
}

static void test_tokens_identities_networks(void)
{
    struct slice tokens[] = {SLICE("https://i s"), SLICE("https://i t u")},
                 ids[] = {SLICE("sip:a@b"), SLICE("tel:+1")};
    struct slice networks[] = {SLICE("192.0.2.0/28")};
    struct sec_accounts *t = table_with_issuer();
    struct sec_account in = {.name = SLICE("a"),
                             .tokens = tokens,
                             .tokens_n = 2,
                             .asserted = ids,
                             .asserted_n = 2,
                             .networks = networks,
                             .networks_n = 1,
                             .by_network = true};
    const struct sec_account *a;
    const char *why;

    CU_ASSERT(!sec_accounts_tokens(t));
    CU_ASSERT_FATAL(sec_accounts_add(t, &in, &why) == ERR_OK);
    a = sec_accounts_find(t, SLICE("a"));
    CU_ASSERT(sec_accounts_tokens(t) && !sec_accounts_passwords(t));
    CU_ASSERT(sec_accounts_by_token(t, SLICE("https://i s")) == a &&
              !sec_accounts_by_token(t, SLICE("https://i S")));
    CU_ASSERT(sec_accounts_by_token(t, SLICE("https://i t u")) == a &&
              !sec_accounts_by_token(t, SLICE("https://i t")));
    CU_ASSERT(sec_accounts_by_asserted(t, SLICE("tel:+1")) == a && sec_account_asserted(a, SLICE("sip:a@b")));
    CU_ASSERT(!sec_accounts_by_asserted(t, SLICE("")) && !sec_account_asserted(a, SLICE("sip:a@B")));
    CU_ASSERT(sec_accounts_by_network(t, SLICE("192.0.2.3")) == a);
    CU_ASSERT(!sec_accounts_by_network(t, SLICE("192.0.2.16")) && !sec_accounts_by_network(t, SLICE("")));
    sec_accounts_free(&t);
}

static void test_subscribers(void)
{
    struct slice impis[] = {SLICE("u@d"), SLICE("v@d")};
    struct sec_accounts *t = table_with_issuer();
    struct sec_account in = {.name = SLICE("a"), .subscribers = impis, .subscribers_n = 2}, other = in;
    const struct sec_account *a;
    const char *why;

    CU_ASSERT(!sec_accounts_subscribers(t));
    CU_ASSERT_FATAL(sec_accounts_add(t, &in, &why) == ERR_OK);
    a = sec_accounts_find(t, SLICE("a"));
    CU_ASSERT(sec_accounts_subscribers(t) && !sec_accounts_passwords(t));
    CU_ASSERT(sec_accounts_by_subscriber(t, SLICE("v@d")) == a &&
              !sec_accounts_by_subscriber(t, SLICE("V@d")));
    CU_ASSERT(!sec_accounts_by_subscriber(t, SLICE("")) && !sec_accounts_by_asserted(t, SLICE("u@d")));
    other.subscribers_n = 1;
    CU_ASSERT(sec_account_same(a, &in) && !sec_account_same(a, &other));
    sec_accounts_free(&t);
}

/* The second account, after one that is good. */
static void add_second(const struct sec_account *first, struct sec_account a, enum err want)
{
    struct sec_accounts *t = table_with_issuer();
    const char *why = NULL;

    a.name = SLICE("b");
    CU_ASSERT_FATAL(sec_accounts_add(t, first, &why) == ERR_OK);
    why = NULL;
    CU_ASSERT(sec_accounts_add(t, &a, &why) == want);
    CU_ASSERT((why != NULL) == (want != ERR_OK));
    sec_accounts_free(&t);
}

static void test_subscribers_refused(void)
{
    struct slice impis[] = {SLICE("u@d"), SLICE(""), SLICE("v@d")};
    struct slice matcher = SLICE("DNS:h");
    const struct sec_account first = {.name = SLICE("a"), .subscribers = impis, .subscribers_n = 1};
    const struct {
        struct sec_account a;
        enum err want;
    } rows[] = {
        {{.subscribers = impis, .subscribers_n = 1}, ERR_EXISTS},
        {{.subscribers = &impis[1], .subscribers_n = 1}, ERR_MALFORMED},
        {{.subscribers = &impis[2], .subscribers_n = SEC_ACCOUNT_LIST_MAX + 1}, ERR_MALFORMED},
        {{.require = SEC_REQUIRE_ALL,
          .certificates = &matcher,
          .certificates_n = 1,
          .subscribers = &impis[2],
          .subscribers_n = 1},
         ERR_MALFORMED},
        {{.subscribers = &impis[2], .subscribers_n = 1}, ERR_OK},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        add_second(&first, rows[i].a, rows[i].want);
    }
}

static void test_delegation_refused(void)
{
    struct slice one[] = {SLICE("https://i s"), SLICE("https://j s"), SLICE("https://i"), SLICE("https://i "),
                          SLICE("")};
    struct slice ids[] = {SLICE("x"), SLICE("a\"b"), SLICE("")};
    struct slice nets[] = {SLICE("192.0.2.0/28"), SLICE("192.0.2.8/29"), SLICE("198.51.100.0/24")};
    struct slice matcher = SLICE("DNS:h");
    const struct sec_account first = {.name = SLICE("a"),
                                      .tokens = one,
                                      .tokens_n = 1,
                                      .asserted = ids,
                                      .asserted_n = 1,
                                      .networks = nets,
                                      .networks_n = 1,
                                      .by_network = true};
    const struct {
        struct sec_account a;
        enum err want;
    } rows[] = {
        {{.tokens = one, .tokens_n = 1}, ERR_EXISTS},
        {{.tokens = &one[1], .tokens_n = 1}, ERR_MALFORMED}, /* no such issuer */
        {{.tokens = &one[2], .tokens_n = 1}, ERR_MALFORMED},
        {{.tokens = &one[3], .tokens_n = 1}, ERR_MALFORMED},
        {{.tokens = &one[4], .tokens_n = 1}, ERR_MALFORMED},
        {{.asserted = ids, .asserted_n = 1}, ERR_EXISTS},
        {{.asserted = &ids[1], .asserted_n = 1}, ERR_MALFORMED},
        {{.asserted = &ids[2], .asserted_n = 1}, ERR_MALFORMED},
        {{.by_network = true}, ERR_MALFORMED},
        {{.by_network = true, .networks = &nets[1], .networks_n = 1}, ERR_EXISTS}, /* inside the other */
        {{.by_network = true, .networks = &nets[2], .networks_n = 1}, ERR_OK},
        {{.networks = &nets[1], .networks_n = 1},
         ERR_MALFORMED}, /* a network proves nothing unless told so */
        {{.require = SEC_REQUIRE_ALL,
          .certificates = &matcher,
          .certificates_n = 1,
          .asserted = &ids[2],
          .asserted_n = 1},
         ERR_MALFORMED},
        {{.require = SEC_REQUIRE_ALL,
          .certificates = &matcher,
          .certificates_n = 1,
          .by_network = true,
          .networks = &nets[2],
          .networks_n = 1},
         ERR_MALFORMED},
        {{.require = SEC_REQUIRE_ALL, .certificates = &matcher, .certificates_n = 1}, ERR_OK},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        add_second(&first, rows[i].a, rows[i].want);
    }
}

static void test_password_and_token_of_one_request(void)
{
    struct slice matcher = SLICE("DNS:h"), token = SLICE("https://i s");
    struct sec_accounts *t = table_with_issuer();
    struct sec_account a = good(&matcher, 1);
    const char *why;

    a.tokens = &token;
    a.tokens_n = 1;
    a.require = SEC_REQUIRE_ALL;
    CU_ASSERT(sec_accounts_add(t, &a, &why) == ERR_MALFORMED);
    sec_accounts_free(&t);
    t = table_with_issuer();
    a.require = SEC_REQUIRE_ANY;
    CU_ASSERT(sec_accounts_add(t, &a, &why) == ERR_OK);
    sec_accounts_free(&t);
}

static void test_ceiling_and_realm(void)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    struct sec_accounts *t = table();
    const char *why;

    for (size_t i = 0; i < 4; i++) {
        struct slice matcher = SLICE("DNS:a");
        char text[] = "DNS:?";
        struct sec_account a = {.name = slice_str(names[i]), .certificates = &matcher, .certificates_n = 1};

        text[4] = names[i][0];
        matcher = slice_str(text);
        CU_ASSERT(sec_accounts_add(t, &a, &why) == (i < 3 ? ERR_OK : ERR_LIMIT));
    }
    CU_ASSERT(!sec_accounts_passwords(t));
    sec_accounts_free(&t);
    CU_ASSERT(sec_accounts_create(SLICE(""), 1, &t) == ERR_MALFORMED);
    CU_ASSERT(sec_accounts_create(SLICE("a\"b"), 1, &t) == ERR_MALFORMED);
    CU_ASSERT(t == NULL);
}

/* Each row changes one thing of an account. */
static void change_name(struct sec_account *a)
{
    a->name = SLICE("b");
}
static void change_certificates(struct sec_account *a)
{
    a->certificates_n--;
}
static void change_issuers(struct sec_account *a)
{
    static const struct slice issuer = {"00", 2};

    a->issuers = &issuer;
    a->issuers_n = 1;
}
static void change_psk(struct sec_account *a)
{
    a->psk_identity = SLICE("p");
}
static void change_psk_version(struct sec_account *a)
{
    a->psk_version = 12;
}
static void change_user(struct sec_account *a)
{
    a->digest_user = SLICE("v");
}
static void change_md5(struct sec_account *a)
{
    a->ha1_md5.n--;
}
static void change_sha256(struct sec_account *a)
{
    a->ha1_sha256 = a->ha1_md5;
}
static void change_mac(struct sec_account *a)
{
    a->mac.key[SEC_MAC_SHA256].n = SEC_MAC_KEY_N;
}
static void change_mac_md5(struct sec_account *a)
{
    a->mac.key[SEC_MAC_MD5].n = SEC_MAC_INNER_N;
}
static void change_basic(struct sec_account *a)
{
    a->basic = true;
}
static void change_basic_clear(struct sec_account *a)
{
    a->basic_clear = true;
}
static void change_require(struct sec_account *a)
{
    a->require = SEC_REQUIRE_ALL;
}
static void change_networks(struct sec_account *a)
{
    static const struct slice network = {"192.0.2.0/25", 12};

    a->networks = &network;
}
static void change_uris(struct sec_account *a)
{
    a->initiator_uris_n = 0;
}
static void change_rate(struct sec_account *a)
{
    a->limits.requests.burst++;
}
static void change_recipient_rate(struct sec_account *a)
{
    a->limits.recipients.period_ms++;
}
static void change_queue(struct sec_account *a)
{
    a->limits.queue_max++;
}
static void change_body(struct sec_account *a)
{
    a->limits.body_max_n++;
}
static void change_connections(struct sec_account *a)
{
    a->limits.connections_max++;
}
static void change_tokens(struct sec_account *a)
{
    static const struct slice other = {"https://i t", 11};

    a->tokens = &other;
    a->tokens_n = 1;
}
static void change_asserted(struct sec_account *a)
{
    a->asserted_n = 0;
}
static void change_by_network(struct sec_account *a)
{
    a->by_network = true;
}
static void change_trusted(struct sec_account *a)
{
    a->trusted = true;
}
static void change_asking(struct sec_account *a)
{
    a->may_ask_protection = true;
}

static void test_same(void)
{
    static void (*const changes[])(struct sec_account *
                                   a) = {change_name,      change_certificates,   change_issuers,
                                         change_psk,       change_psk_version,    change_user,
                                         change_md5,       change_sha256,         change_mac,
                                         change_mac_md5,   change_basic,          change_basic_clear,
                                         change_require,   change_networks,       change_uris,
                                         change_rate,      change_recipient_rate, change_queue,
                                         change_body,      change_connections,    change_trusted,
                                         change_asking,    change_tokens,         change_asserted,
                                         change_by_network};
    struct slice certificates[] = {SLICE("DNS:a"), SLICE("DNS:b")}, networks[] = {SLICE("192.0.2.0/24")};
    struct slice uris[] = {SLICE("https://a/*")}, again[] = {SLICE("DNS:a"), SLICE("DNS:b")};
    struct sec_account a = good(certificates, 2), b;

    a.networks = networks;
    a.initiator_uris = uris;
    a.networks_n = a.initiator_uris_n = 1;
    a.tokens = a.asserted = uris;
    a.tokens_n = a.asserted_n = 1;
    b = a;
    b.certificates = again;
    b.number = 7; /* its place does not count */
    CU_ASSERT(sec_account_same(&a, &b) && sec_account_same(&b, &a));
    for (size_t i = 0; i < COUNT(changes); i++) {
        b = a;
        changes[i](&b);
        test_row(i);
        CU_ASSERT(!sec_account_same(&a, &b) && !sec_account_same(&b, &a));
    }
}

const struct test_case test_cases[] = {
    {"same", test_same},
    {"add_and_look_up", test_add_and_look_up},
    {"san_with_nul", test_san_with_nul},
    {"add_refused", test_add_refused},
    {"nothing_twice", test_nothing_twice},
    {"tokens_identities_networks", test_tokens_identities_networks},
    {"subscribers", test_subscribers},
    {"subscribers_refused", test_subscribers_refused},
    {"delegation_refused", test_delegation_refused},
    {"password_and_token_of_one_request", test_password_and_token_of_one_request},
    {"ceiling_and_realm", test_ceiling_and_realm},
    {NULL, NULL},
};
