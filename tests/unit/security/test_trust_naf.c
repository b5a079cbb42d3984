/* Who a peer is by a key it has bootstrapped: as shared key of TLS, or in Digest; and what proves nobody. */
#include "security/rules/trust.h"

#include "tests/unit/security/naf_fix.h"

#define REALM SLICE("3GPP-bootstrapping@ppg.operator.example")

static struct slice impi = {"user@operator.example", 21};
static struct slice other = {"other@operator.example", 22};

struct world {
    struct naf_fix f;
    struct sec_accounts *accounts;
    struct sec_digest_guard *guard;
    struct buf challenge, says;
    struct sec_evidence ev;
};

static void world_open(struct world *w, struct slice *of)
{
    struct sec_digest_guard_conf guard = {.nonce_life_ms = 60000, .nonces_max = 100, .auth_int = true};
    struct sec_account a = {.name = SLICE("sim"), .subscribers = of, .subscribers_n = 1};
    const char *why;

    naf_fix_open(&w->f, SEC_AKA_PLAIN);
    MUST(sec_accounts_create(SLICE("push"), 10, &w->accounts) == ERR_OK);
    MUST(sec_accounts_add(w->accounts, &a, &why) == ERR_OK);
    MUST(sec_digest_guard_create(&guard, &w->guard) == ERR_OK);
    buf_init(&w->challenge, 4096);
    buf_init(&w->says, 4096);
    w->ev = (struct sec_evidence){.tls = true,
                                  .naf = w->f.naf,
                                  .peer = SLICE("192.0.2.1"),
                                  .utc_s = FIX_NOW,
                                  .request = {SLICE("POST"), SLICE("/pap"), SLICE_NONE, true}};
}

static void world_close(struct world *w)
{
    naf_fix_close(&w->f);
    sec_accounts_free(&w->accounts);
    sec_digest_guard_free(&w->guard);
    buf_clear(&w->challenge);
    buf_clear(&w->says);
}

static struct sec_identity identify(struct world *w)
{
    struct sec_identity id;

    MUST(sec_trust_identify(w->accounts, &w->ev, w->guard, 1, &id) == ERR_OK);
    return id;
}

/* Authorization with that key, to a challenge of ours. */
static void say(struct world *w, const struct sec_secret *key, struct slice user, struct slice realm)
{
    struct sec_digest_offer offer;
    struct slice header;

    buf_reset(&w->challenge, 4096);
    buf_reset(&w->says, 4096);
    MUST(sec_digest_challenge(w->guard, SEC_DIGEST_SHA256, realm, false, 1, &w->challenge) == ERR_OK);
    header = buf_slice(&w->challenge);
    MUST(sec_digest_choose(&header, 1, &offer) == ERR_OK);
    naf_fix_digest(&w->f, &offer, key, user, &w->ev.request, &w->says);
    w->ev.authorization = buf_slice(&w->says);
    w->ev.authorization_n = 1;
}

static void test_psk(void)
{
    struct sec_identity id;
    struct buf text;
    struct world w;

    world_open(&w, &impi);
    buf_init(&text, 1000);
    MUST(sec_gba_psk_identity(SEC_GBA_ME, naf_fix_btid(&w.f), &text) == ERR_OK);
    w.ev.psk = buf_slice(&text);
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_IDENTIFIED && id.proofs == SEC_PROOF_PSK);
    w.ev.naf.now_s += FIX_LIFE; /* over since the handshake */
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_REFUSED);
    w.ev.naf = (struct sec_naf){.bootstrap = NULL};
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_REFUSED);
    buf_clear(&text);
    world_close(&w);
}

static void test_psk_of_no_initiator(void)
{
    struct sec_identity id;
    struct buf text;
    struct world w;

    world_open(&w, &other);
    buf_init(&text, 1000);
    MUST(sec_gba_psk_identity(SEC_GBA_ME, naf_fix_btid(&w.f), &text) == ERR_OK);
    w.ev.psk = buf_slice(&text);
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_REFUSED && !id.account);
    buf_clear(&text);
    world_close(&w);
}

static void test_digest(void)
{
    struct sec_secret key, wrong;
    struct sec_identity id;
    struct world w;

    world_open(&w, &impi);
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_CHALLENGE && !id.failed_login); /* subscribers may log in */
    key = naf_fix_key(&w.f, SEC_GBA_ME, FIX_NAF, SEC_GBA_UA_DIGEST);
    wrong = naf_fix_key(&w.f, SEC_GBA_ME, FIX_NAF, SEC_GBA_UA_GPL);
    say(&w, &key, naf_fix_btid(&w.f), REALM);
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_IDENTIFIED && id.proofs == SEC_PROOF_DIGEST);
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_CHALLENGE_STALE); /* its count is used */
    say(&w, &wrong, naf_fix_btid(&w.f), REALM);
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_CHALLENGE && id.failed_login);
    say(&w, &key, naf_fix_btid(&w.f), SLICE("3GPP-bootstrapping@other.example"));
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_CHALLENGE && id.failed_login);
    say(&w, &key, naf_fix_btid(&w.f), SLICE("push")); /* no password of the ordinary realm */
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_CHALLENGE && id.failed_login);
    world_close(&w);
}

static void test_digest_of_nobody(void)
{
    struct sec_identity id;
    struct sec_secret key;
    struct world w;

    world_open(&w, &impi);
    key = naf_fix_key(&w.f, SEC_GBA_ME, FIX_NAF, SEC_GBA_UA_DIGEST);
    say(&w, &key, SLICE("AAAAAAAAAAAAAAAAAAAAAA==@bsf.operator.example"), REALM);
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_CHALLENGE && !id.failed_login); /* no guess: it bootstraps again */
    w.ev.naf.now_s += FIX_LIFE;
    say(&w, &key, naf_fix_btid(&w.f), REALM);
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_CHALLENGE && !id.failed_login);
    world_close(&w);
    world_open(&w, &other);
    key = naf_fix_key(&w.f, SEC_GBA_ME, FIX_NAF, SEC_GBA_UA_DIGEST);
    say(&w, &key, naf_fix_btid(&w.f), REALM);
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_REFUSED && !id.account);
    world_close(&w);
}

/* Before the far BSF was asked nobody is let in and nobody refused. */
static void test_far(void)
{
    struct sec_naf_want want;
    struct sec_farkeys *far;
    struct sec_secret key;
    struct sec_identity id;
    struct buf text;
    struct world w;

    world_open(&w, &impi);
    far = naf_fix_far(&w.f, &want);
    w.ev.naf = w.f.naf;
    key = naf_fix_key(&w.f, SEC_GBA_ME, FIX_NAF, SEC_GBA_UA_DIGEST);
    say(&w, &key, naf_fix_btid(&w.f), REALM);
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_NEED_KEY && !id.account && !id.proofs && !id.failed_login);
    naf_fix_learn(&w.f, &want);
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_IDENTIFIED && id.proofs == SEC_PROOF_DIGEST);
    w.ev.authorization_n = w.ev.authorization.n = 0;
    buf_init(&text, 1000);
    MUST(sec_gba_psk_identity(SEC_GBA_ME, naf_fix_btid(&w.f), &text) == ERR_OK);
    w.ev.psk = buf_slice(&text);
    w.ev.suite = 0xaa;
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_NEED_KEY && !id.account);
    naf_fix_learn(&w.f, &want);
    id = identify(&w);
    CU_ASSERT(id.outcome == SEC_IDENTIFIED && id.proofs == SEC_PROOF_PSK);
    buf_clear(&text);
    sec_farkeys_free(&far);
    world_close(&w);
}

const struct test_case test_cases[] = {
    {"psk", test_psk},       {"psk_of_no_initiator", test_psk_of_no_initiator},
    {"digest", test_digest}, {"digest_of_nobody", test_digest_of_nobody},
    {"far", test_far},       {NULL, NULL},
};
