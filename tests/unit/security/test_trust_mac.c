/* Who a peer is by x-syncml-hmac: with the body and not before it, one account alone, nothing beside it, and not at all
 * where nobody uses it.  DM message security 5.4, 5.4.1.5. */
#include "security/rules/trust.h"

#include "tests/unit/harness.h"

#define BODY SLICE("<pap/>")

static struct slice matchers[] = {
    {"DNS:mac.example", 15}, {"DNS:all.example", 15}, {"DNS:other.example", 17}};
static const struct slice sans[] = {{"mac.example", 11}, {"all.example", 11}, {"other.example", 13}};

struct world {
    struct sec_accounts *accounts;
    struct sec_mac_guard *guard;
    struct sec_mac_session session;
    struct buf header;
    struct sec_mac_keys keys;
};

static void add(struct world *w, struct sec_account a)
{
    const char *why = NULL;

    MUST(sec_accounts_add(w->accounts, &a, &why) == ERR_OK);
}

static void world_open(struct world *w, bool macs)
{
    uint8_t key[SEC_MAC_KEY_N] = {1};

    *w = (struct world){.guard = NULL};
    buf_init(&w->header, 2048);
    MUST(sec_secret_set(&w->keys.key[SEC_MAC_SHA256], slice_of(key, sizeof key)) == ERR_OK);
    MUST(sec_accounts_create(SLICE("push"), 10, &w->accounts) == ERR_OK);
    MUST(sec_mac_guard_create(10, &w->guard) == ERR_OK);
    if (macs) {
        add(w, (struct sec_account){.name = SLICE("mac"),
                                    .digest_user = SLICE("mac"),
                                    .mac = w->keys,
                                    .certificates = &matchers[0],
                                    .certificates_n = 1});
        add(w, (struct sec_account){.name = SLICE("all"),
                                    .digest_user = SLICE("all"),
                                    .mac = w->keys,
                                    .certificates = &matchers[1],
                                    .certificates_n = 1,
                                    .require = SEC_REQUIRE_ALL});
    }
    add(w, (struct sec_account){.name = SLICE("other"), .certificates = &matchers[2], .certificates_n = 1});
}

static void world_close(struct world *w)
{
    sec_accounts_free(&w->accounts);
    sec_mac_guard_free(&w->guard);
    buf_clear(&w->header);
}

/* A request over TLS with the certificate (NULL: without TLS), and a good mac of `user` (NULL: none). */
static struct sec_evidence evidence(struct world *w, const struct slice *san, const char *user)
{
    struct slice body = BODY;
    struct sec_evidence ev = {.tls = san != NULL,
                              .cert_verified = san != NULL,
                              .dns = san,
                              .dns_n = san != NULL,
                              .peer = SLICE("192.0.2.1"),
                              .mac_guard = w->guard,
                              .mac_session = &w->session,
                              .request = {SLICE("POST"), SLICE("/pap"), body, true}};

    buf_cut(&w->header, 0);
    MUST(sec_mac_guard_challenge(&w->session, SLICE("push"), &w->header) == ERR_OK);
    buf_cut(&w->header, 0);
    if (!user)
        return ev;
    MUST(sec_mac_print(slice_str(user), &w->keys, slice_of(w->session.nonce, SEC_MAC_NONCE_N), &body, 1,
                       &w->header) == ERR_OK);
    ev.mac = buf_slice(&w->header);
    ev.mac_n = 1;
    return ev;
}

static struct sec_identity judged(struct world *w, const struct sec_evidence *ev)
{
    struct sec_identity id;

    MUST(sec_trust_identify(w->accounts, ev, NULL, 1, &id) == ERR_OK);
    CU_ASSERT(id.reason[0] != '\0');
    return id;
}

static const struct {
    const struct slice *san;
    const char *user;
    enum sec_outcome want;
    const char *account;
    unsigned proofs;
} rows[] = {
    {NULL, "mac", SEC_IDENTIFIED, "mac", SEC_PROOF_MAC},
    {&sans[0], "mac", SEC_IDENTIFIED, "mac", SEC_PROOF_MAC | SEC_PROOF_CERTIFICATE},
    {&sans[0], NULL, SEC_IDENTIFIED, "mac", SEC_PROOF_CERTIFICATE}, /* not wanted where TLS proves */
    {&sans[1], "all", SEC_IDENTIFIED, "all", SEC_PROOF_MAC | SEC_PROOF_CERTIFICATE},
    {&sans[1], NULL, SEC_CHALLENGE, NULL, SEC_PROOF_CERTIFICATE}, /* unless the account wants both */
    {NULL, "all", SEC_REFUSED, NULL, SEC_PROOF_MAC},
    {NULL, NULL, SEC_CHALLENGE, NULL, SEC_PROOF_NONE},
    {NULL, "nobody", SEC_CHALLENGE, NULL, SEC_PROOF_NONE},
    {NULL, "other", SEC_CHALLENGE, NULL, SEC_PROOF_NONE},
    {&sans[0], "all", SEC_REFUSED, NULL, SEC_PROOF_MAC | SEC_PROOF_CERTIFICATE}, /* two initiators */
    {&sans[2], "mac", SEC_REFUSED, NULL, SEC_PROOF_MAC | SEC_PROOF_CERTIFICATE},
    {&sans[0], "nobody", SEC_CHALLENGE, NULL, SEC_PROOF_NONE}, /* not made good by a certificate */
};

static void test_rows(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_evidence ev;
        struct sec_identity id;
        struct world w;

        test_row(i);
        world_open(&w, true);
        ev = evidence(&w, rows[i].san, rows[i].user);
        id = judged(&w, &ev);
        CU_ASSERT(id.outcome == rows[i].want && id.proofs == rows[i].proofs);
        TEST_SLICE_EQ(id.account ? id.account->name : SLICE_NONE, slice_str(rows[i].account));
        CU_ASSERT(!(id.proofs & SEC_PROOF_MAC) || id.mac == SEC_MAC_SHA256);
        CU_ASSERT(id.failed_login == (id.outcome == SEC_CHALLENGE && rows[i].user));
        world_close(&w);
    }
}

/* The body decides; what is malformed needs none. */
static void test_body_decides(void)
{
    struct sec_identity id;
    struct sec_evidence ev;
    struct world w;

    world_open(&w, true);
    ev = evidence(&w, NULL, "mac");
    ev.request.body_known = false;
    ev.request.body = SLICE_NONE;
    id = judged(&w, &ev);
    CU_ASSERT(id.outcome == SEC_NEED_BODY && !id.failed_login && w.session.offered);
    ev.mac_n = 2;
    CU_ASSERT(judged(&w, &ev).outcome == SEC_CHALLENGE);
    ev.mac_n = 1;
    ev.mac = SLICE("username=\"mac\"");
    id = judged(&w, &ev);
    CU_ASSERT(id.outcome == SEC_CHALLENGE && id.failed_login);
    world_close(&w);
}

static void test_nothing_beside_it(void)
{
    struct sec_identity id;
    struct sec_evidence ev;
    struct world w;

    world_open(&w, true);
    ev = evidence(&w, NULL, "mac");
    ev.authorization = SLICE("Basic bWFjOng=");
    ev.authorization_n = 1;
    id = judged(&w, &ev);
    CU_ASSERT(id.outcome == SEC_CHALLENGE && id.failed_login && !id.account && w.session.offered);
    ev.mac_session = NULL; /* no memory for a session */
    CU_ASSERT(sec_trust_identify(w.accounts, &ev, NULL, 1, &id) == ERR_NOMEM);
    world_close(&w);
}

static void test_replay(void)
{
    struct sec_identity id;
    struct sec_evidence ev;
    struct world w;

    world_open(&w, true);
    ev = evidence(&w, NULL, "mac");
    CU_ASSERT(judged(&w, &ev).outcome == SEC_IDENTIFIED);
    CU_ASSERT(judged(&w, &ev).outcome == SEC_CHALLENGE);
    buf_cut(&w.header, 0);
    MUST(sec_mac_print(SLICE("mac"), &w.keys, slice_of(w.session.next, SEC_MAC_NONCE_N),
                       &(struct slice){"<pap/>", 6}, 1, &w.header) == ERR_OK);
    ev.mac = buf_slice(&w.header);
    CU_ASSERT(judged(&w, &ev).outcome == SEC_IDENTIFIED);
    id = judged(&w, &ev);
    CU_ASSERT(id.outcome == SEC_CHALLENGE_STALE && !id.failed_login);
    world_close(&w);
}

/* Where no account uses it the header means nothing. */
static void test_off(void)
{
    struct sec_evidence ev;
    struct world w;

    world_open(&w, false);
    CU_ASSERT(!sec_accounts_macs(w.accounts));
    ev = evidence(&w, &sans[2], "mac");
    CU_ASSERT(judged(&w, &ev).outcome == SEC_IDENTIFIED);
    ev = evidence(&w, NULL, "mac");
    CU_ASSERT(judged(&w, &ev).outcome == SEC_REFUSED);
    world_close(&w);
}

const struct test_case test_cases[] = {
    {"rows", test_rows},
    {"body_decides", test_body_decides},
    {"nothing_beside_it", test_nothing_beside_it},
    {"replay", test_replay},
    {"off", test_off},
    {NULL, NULL},
};
