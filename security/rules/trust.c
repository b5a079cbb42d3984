/* Who is this?  Shared key or certificate names first (URI, then DNS, then e-mail), then Authorization; both together
 * must agree.
 * Deny by default: evidence that cannot be read, or that is about nobody we know, identifies nobody.  Digest:
 * RFC 7616; Basic: RFC 7617, inside TLS unless somebody wrote otherwise; tokens: RFC 6750, inside TLS (§5.3);
 * x-syncml-hmac: DM message security 5.4.  Any thread. */
#include "security/rules/trust.h"

#include "security/login/basic.h"
#include "security/login/token.h"
#include "security/rules/asserted.h"
#include "security/uri.h"

const char *sec_outcome_name(enum sec_outcome o)
{
    static const char *const names[] = {"refused", "identified", "challenge",
                                        "stale",   "need-body",  "need-key"};

    return names[o];
}

static const struct sec_account *by_certificate(const struct sec_accounts *t, const struct sec_evidence *ev)
{
    const struct sec_account *a;

    if (!ev->tls || !ev->cert_verified)
        return NULL;
    a = sec_accounts_by_san(t, "URI:", ev->uris, ev->uris_n);
    if (!a)
        a = sec_accounts_by_san(t, "DNS:", ev->dns, ev->dns_n);
    return a ? a : sec_accounts_by_san(t, "EMAIL:", ev->emails, ev->emails_n);
}

static void outcome(struct sec_identity *id, enum sec_outcome o, const char *reason)
{
    id->outcome = o;
    id->reason = reason;
}

static void need_key(struct sec_identity *id)
{
    outcome(id, SEC_NEED_KEY, "the BSF is to be asked");
}

/* A provisioned key, or one that a subscriber has bootstrapped. */
static const struct sec_account *by_shared_key(const struct sec_accounts *t, const struct sec_evidence *ev,
                                               struct sec_identity *id)
{
    const struct sec_account *a = sec_accounts_by_psk(t, ev->psk);
    char impi[SEC_GBA_IMPI_MAX_N];
    size_t impi_n = 0;
    enum err e = a ? ERR_OK : sec_naf_psk_impi(&ev->naf, ev->psk, ev->suite, impi, &impi_n);

    if (e == ERR_AGAIN)
        need_key(id);
    return a || e ? a : sec_accounts_by_subscriber(t, slice_of(impi, impi_n));
}

/* What the TLS session itself proves: a shared key, or a certificate. */
static const struct sec_account *by_channel(const struct sec_accounts *t, const struct sec_evidence *ev,
                                            struct sec_identity *id)
{
    bool psk = ev->tls && ev->psk.n;
    const struct sec_account *a = psk ? by_shared_key(t, ev, id) : by_certificate(t, ev);

    if (a)
        id->proofs |= psk ? SEC_PROOF_PSK : SEC_PROOF_CERTIFICATE;
    return a;
}

static void wrong(struct sec_identity *id, const char *reason)
{
    outcome(id, SEC_CHALLENGE, reason);
    id->failed_login = true;
}

static const struct sec_secret *ha1_of(const struct sec_account *a, enum sec_digest_algorithm algorithm)
{
    return algorithm == SEC_DIGEST_SHA256 ? &a->ha1_sha256 : &a->ha1_md5;
}

/* What a verdict on an answer means: ERR_OK goes on, others are an outcome, or ours. */
static bool digest_failed(enum err e, struct sec_identity *id)
{
    if (e == ERR_DENIED)
        wrong(id, "wrong user name or password");
    else if (e == ERR_LATE)
        outcome(id, SEC_CHALLENGE_STALE, "nonce too old or its count used");
    else if (e == ERR_AGAIN)
        outcome(id, SEC_NEED_BODY, "auth-int needs the body");
    return e != ERR_OK;
}

static enum err ours(enum err e)
{
    return e == ERR_DENIED || e == ERR_LATE || e == ERR_AGAIN ? ERR_OK : e;
}

/* B-TID and Ks_NAF (TS 24.109 §5.2).  A B-TID that nobody has is no guess: its terminal bootstraps again. */
static enum err by_bootstrapped(const struct sec_accounts *t, const struct sec_evidence *ev,
                                const struct sec_digest_response *r, struct sec_digest_guard *guard,
                                int64_t now_ms, struct sec_identity *id, const struct sec_account **who)
{
    char impi[SEC_GBA_IMPI_MAX_N];
    struct sec_secret ha1;
    size_t impi_n = 0;
    enum err e = sec_naf_ha1(&ev->naf, r, &ev->request, ev->tls ? ev->suite : 0, &ha1, impi, &impi_n);

    if (e == ERR_DENIED)
        wrong(id, "realm of another NAF");
    else if (e == ERR_ABSENT)
        outcome(id, SEC_CHALLENGE, "B-TID not known: bootstrap again");
    else if (e == ERR_AGAIN)
        need_key(id);
    if (e)
        return e == ERR_ABSENT ? ERR_OK : ours(e);
    e = sec_digest_verify(guard, r, &ev->request, r->realm, &ha1, now_ms);
    sec_secret_clear(&ha1);
    if (digest_failed(e, id))
        return ours(e);
    *who = sec_accounts_by_subscriber(t, slice_of(impi, impi_n));
    if (*who) {
        id->proofs |= SEC_PROOF_DIGEST;
        id->digest = *r;
    } else {
        outcome(id, SEC_REFUSED, "subscriber is no initiator");
    }
    return ERR_OK;
}

static enum err by_digest(const struct sec_accounts *t, const struct sec_evidence *ev,
                          struct sec_digest_guard *guard, int64_t now_ms, struct sec_identity *id,
                          const struct sec_account **who)
{
    struct sec_digest_response r;
    const struct sec_account *a;
    enum err e = sec_digest_parse(ev->authorization, &r);

    if (e) {
        wrong(id, e == ERR_UNSUPPORTED ? "credentials of a kind not offered" : "credentials malformed");
        return ERR_OK;
    }
    if (sec_naf_on(&ev->naf) && sec_naf_realm(r.realm))
        return by_bootstrapped(t, ev, &r, guard, now_ms, id, who);
    a = sec_accounts_by_user(t, r.username);
    e = sec_digest_verify(guard, &r, &ev->request, sec_accounts_realm(t), a ? ha1_of(a, r.algorithm) : NULL,
                          now_ms);
    if (digest_failed(e, id))
        return ours(e);
    id->proofs |= SEC_PROOF_DIGEST;
    id->digest = r;
    *who = a;
    return ERR_OK;
}

static bool basic_allowed(const struct sec_account *a, const struct sec_evidence *ev)
{
    return a->basic_clear || (a->basic && (ev->tls || ev->clear_basic));
}

/* The same hash for users that exist and users that do not. */
static enum err basic_check(const struct sec_accounts *t, const struct sec_evidence *ev,
                            const struct sec_basic *b, struct sec_identity *id,
                            const struct sec_account **who)
{
    const struct sec_account *a = sec_accounts_by_user(t, b->user);
    struct sec_secret got;
    bool same;
    enum err e;

    sec_secret_init(&got);
    e = sec_digest_ha1(SEC_DIGEST_SHA256, b->user, sec_accounts_realm(t), b->password, &got);
    if (e)
        return e;
    same =
        slice_eq_ct(sec_secret_slice(&got), a ? sec_secret_slice(&a->ha1_sha256) : slice_of(got.octets, 0));
    sec_secret_clear(&got);
    if (a && same && basic_allowed(a, ev)) {
        id->proofs |= SEC_PROOF_BASIC;
        *who = a;
    } else {
        wrong(id, "wrong user name or password, or Basic not allowed here");
    }
    return ERR_OK;
}

static enum err by_basic(const struct sec_accounts *t, const struct sec_evidence *ev, struct sec_identity *id,
                         const struct sec_account **who)
{
    struct sec_basic b;
    struct buf secret;
    enum err e;

    buf_init(&secret, SEC_BASIC_MAX_N);
    e = sec_basic_parse(ev->authorization, &secret, &b);
    if (!e)
        e = basic_check(t, ev, &b, id, who);
    else if (e != ERR_NOMEM) {
        wrong(id, e == ERR_UNSUPPORTED ? "credentials of a kind not offered" : "credentials malformed");
        e = ERR_OK;
    }
    buf_wipe(&secret);
    return e;
}

/* --- tokens --- */

static enum err token_judged(const struct sec_accounts *t, const struct sec_evidence *ev,
                             struct sec_token *token, const char **why)
{
    size_t n;
    const struct sec_issuer *const *issuers = sec_delegates_issuers(sec_accounts_delegates(t), &n);
    struct slice text;
    enum err e = sec_token_of(ev->authorization, &text);

    *why = "not a token";
    return e ? e : sec_token_verify(issuers, n, text, ev->utc_s, token, why);
}

/* One that ended is no guess, and its holder may know; all else is told apart in the log only. */
static enum err by_token(const struct sec_accounts *t, const struct sec_evidence *ev, struct sec_identity *id,
                         const struct sec_account **who)
{
    struct sec_token token;
    const struct sec_account *a;
    const char *why;
    enum err e;

    if (!ev->tls) {
        outcome(id, sec_accounts_passwords(t) ? SEC_CHALLENGE : SEC_REFUSED, "token without TLS");
        return ERR_OK;
    }
    e = token_judged(t, ev, &token, &why);
    if (e == ERR_NOMEM)
        return e;
    if (e) {
        outcome(id, SEC_CHALLENGE, why);
        id->failed_login = e != ERR_LATE;
        id->token_fault = e == ERR_LATE ? why : "not accepted";
        return ERR_OK;
    }
    a = sec_accounts_by_token(t, slice_of(token.who, token.who_n));
    if (!a) {
        outcome(id, SEC_REFUSED, "token of no initiator");
        return ERR_OK;
    }
    id->proofs |= SEC_PROOF_TOKEN;
    id->scopes = token.scopes;
    id->until_s = token.expires_s;
    *who = a;
    return ERR_OK;
}

/* --- x-syncml-hmac --- */

/* Its nonce is the connection's or the user's, so nothing can be said of it before the body is there. */
static enum err mac_judged(const struct sec_accounts *t, const struct sec_evidence *ev,
                           const struct sec_mac *mac, int64_t now_ms, struct sec_identity *id,
                           const struct sec_account **who)
{
    const struct sec_account *a = sec_accounts_by_user(t, mac->user);
    struct sec_mac_message message = {.mac = mac,
                                      .keys = a ? &a->mac : NULL,
                                      .body = &ev->request.body,
                                      .body_parts = 1,
                                      .hex = ev->mac_hex};
    enum err e;

    if (!ev->request.body_known) {
        outcome(id, SEC_NEED_BODY, "the mac is over the body");
        return ERR_OK;
    }
    e = sec_mac_guard_verify(ev->mac_guard, &message, ev->mac_session, now_ms);
    if (e == ERR_DENIED)
        wrong(id, "mac wrong, or of an unknown user or nonce");
    else if (e == ERR_LATE)
        outcome(id, SEC_CHALLENGE_STALE, "nonce of the mac was used, or is too old");
    if (e)
        return ours(e);
    id->proofs |= SEC_PROOF_MAC;
    id->mac = mac->algorithm;
    *who = a;
    return ERR_OK;
}

static enum err by_mac(const struct sec_accounts *t, const struct sec_evidence *ev, int64_t now_ms,
                       struct sec_identity *id, const struct sec_account **who)
{
    struct sec_mac mac;
    enum err e = ev->mac_n == 1 ? sec_mac_parse(ev->mac, &mac) : ERR_MALFORMED;

    if (!ev->mac_guard || !ev->mac_session)
        return ERR_NOMEM;
    if (ev->authorization_n)
        wrong(id, "a mac and other credentials"); /* [DM-SEC §5.1.4]: the header is instead of them */
    else if (e)
        wrong(id, e == ERR_UNSUPPORTED ? "mac of an algorithm not offered" : "mac malformed");
    else
        return mac_judged(t, ev, &mac, now_ms, id, who);
    return ERR_OK;
}

/* --- authentication proxies --- */

static bool is_proxy(const struct sec_accounts *t, const struct sec_evidence *ev)
{
    struct sec_peer_names names = {ev->uris,  ev->dns,      ev->emails, ev->uris_n,
                                   ev->dns_n, ev->emails_n, ev->peer};

    return ev->tls && ev->cert_verified && sec_delegates_is_proxy(sec_accounts_delegates(t), &names);
}

/* The one account that the identities belong to; those that nobody here has do not matter.  NULL: none, or two. */
static const struct sec_account *account_of(const struct sec_accounts *t, const struct sec_asserted *ids)
{
    const struct sec_account *who = NULL;

    for (size_t i = 0; i < ids->n; i++) {
        const struct sec_account *a = sec_accounts_by_asserted(t, ids->id[i]);

        if (a && who && a != who)
            return NULL;
        who = a ? a : who;
    }
    return who;
}

static struct slice unquoted(struct slice s)
{
    struct sec_asserted one;

    return sec_asserted_parse(s, &one) || one.n != 1 ? s : one.id[0];
}

/* TS 24.109 §7: a proxy says who its client is, and who the client wanted to be. */
static const struct sec_account *by_proxy(const struct sec_accounts *t, const struct sec_evidence *ev,
                                          struct sec_identity *id)
{
    const struct sec_account *a = NULL;
    struct sec_asserted ids;

    if (ev->asserted_n != 1)
        outcome(id, SEC_REFUSED, "the proxy asserts nobody, or twice");
    else if (sec_asserted_parse(ev->asserted, &ids))
        outcome(id, SEC_REFUSED, "asserted identities malformed");
    else if (ev->intended.n && !sec_asserted_has(&ids, unquoted(ev->intended)))
        outcome(id, SEC_REFUSED, "intended identity is not among the asserted ones");
    else {
        a = account_of(t, &ids);
        if (!a)
            outcome(id, SEC_REFUSED, "asserted identities of no initiator, or of several");
    }
    if (a)
        id->proofs |= SEC_PROOF_ASSERTED;
    return a;
}

/* --- all together --- */

#define CONNECTION (SEC_PROOF_CERTIFICATE | SEC_PROOF_PSK)
#define LOGIN      (SEC_PROOF_DIGEST | SEC_PROOF_BASIC | SEC_PROOF_TOKEN | SEC_PROOF_MAC)

static bool issuer_wrong(const struct sec_account *a, const struct sec_evidence *ev,
                         const struct sec_identity *id)
{
    return id->proofs & SEC_PROOF_CERTIFICATE && !sec_account_issuer_allowed(a, ev->issuer);
}

static const char *proof_name(unsigned proofs)
{
    return proofs & SEC_PROOF_ASSERTED      ? "asserted identity"
           : proofs & SEC_PROOF_PSK         ? "shared key"
           : proofs & SEC_PROOF_CERTIFICATE ? "certificate"
           : proofs & SEC_PROOF_TOKEN       ? "token"
           : proofs & SEC_PROOF_MAC         ? "mac"
           : proofs & SEC_PROOF_NETWORK     ? "network"
                                            : "password";
}

/* Who it is, is known: is that enough? */
static void conclude(const struct sec_account *a, const struct sec_evidence *ev, struct sec_identity *id)
{
    bool all = a->require == SEC_REQUIRE_ALL;

    if (issuer_wrong(a, ev, id)) {
        outcome(id, SEC_REFUSED, "certificate of another issuer");
        id->event = "tls.client.wrong-issuer";
    } else if (all && (a->certificates_n || a->psk_identity.n) && !(id->proofs & CONNECTION)) {
        outcome(id, SEC_REFUSED, a->certificates_n ? "certificate missing" : "shared key missing");
    } else if (all && (a->digest_user.n || a->tokens_n) && !(id->proofs & LOGIN)) {
        outcome(id, SEC_CHALLENGE, a->tokens_n ? "token missing" : "password missing");
    } else if (!sec_account_from_here(a, ev->peer)) {
        outcome(id, SEC_REFUSED, "address not of this initiator's networks");
    } else if (ev->intended.n && !(id->proofs & SEC_PROOF_ASSERTED) &&
               !sec_account_asserted(a, unquoted(ev->intended))) {
        outcome(id, SEC_REFUSED, "intended identity is not this initiator's");
    } else {
        outcome(id, SEC_IDENTIFIED, proof_name(id->proofs));
        id->account = a;
    }
}

/* Nothing identifies the peer so far. */
static void nobody(const struct sec_accounts *t, const struct sec_evidence *ev, struct sec_identity *id)
{
    if (ev->tls && ev->psk.n) /* struck off since the handshake */
        outcome(id, SEC_REFUSED, "shared key of no initiator");
    else if (ev->tls && ev->cert_verified) {
        outcome(id, SEC_REFUSED, "certificate of no initiator");
        id->event = "tls.client.wrong-name";
    } else if (sec_accounts_passwords(t) || sec_accounts_macs(t) ||
               (sec_naf_on(&ev->naf) && sec_accounts_subscribers(t)) || (ev->tls && sec_accounts_tokens(t)))
        outcome(id, SEC_CHALLENGE, "no credentials");
    else
        outcome(id, SEC_REFUSED, "no certificate");
}

/* Of who has shown nothing at all, the address may be enough; a stranger's certificate or key is not nothing. */
static const struct sec_account *by_network(const struct sec_accounts *t, const struct sec_evidence *ev,
                                            struct sec_identity *id)
{
    bool shown = ev->tls && (ev->cert_verified || ev->psk.n);
    const struct sec_account *a = shown ? NULL : sec_accounts_by_network(t, ev->peer);

    if (a)
        id->proofs |= SEC_PROOF_NETWORK;
    return a;
}

/* Does the request bring credentials beside what its connection is? */
static bool brings_login(const struct sec_accounts *t, const struct sec_evidence *ev)
{
    return ev->authorization.n || (ev->mac_n && sec_accounts_macs(t));
}

static enum err by_login(const struct sec_accounts *t, const struct sec_evidence *ev,
                         struct sec_digest_guard *guard, int64_t now_ms, struct sec_identity *id,
                         const struct sec_account **who)
{
    if (ev->mac_n && sec_accounts_macs(t))
        return by_mac(t, ev, now_ms, id, who);
    if (ev->authorization_n > 1) {
        wrong(id, "Authorization stands twice");
        return ERR_OK;
    }
    if (slice_starts_ci(ev->authorization, SLICE("Digest")))
        return by_digest(t, ev, guard, now_ms, id, who);
    if (slice_starts_ci(ev->authorization, SLICE("Bearer")))
        return by_token(t, ev, id, who);
    return by_basic(t, ev, id, who);
}

/* What the connection is: a proxy's, or that of an initiator with a shared key or a certificate. */
static const struct sec_account *by_connection(const struct sec_accounts *t, const struct sec_evidence *ev,
                                               bool proxy, struct sec_identity *id)
{
    return proxy ? by_proxy(t, ev, id) : by_channel(t, ev, id);
}

enum err sec_trust_identify(const struct sec_accounts *accounts, const struct sec_evidence *evidence,
                            struct sec_digest_guard *guard, int64_t now_ms, struct sec_identity *out)
{
    struct sec_identity id = {.reason = "", .scopes = SEC_SCOPE_ALL};
    bool proxy = is_proxy(accounts, evidence);
    const struct sec_account *known = by_connection(accounts, evidence, proxy, &id);
    const struct sec_account *login = NULL;
    bool brings = brings_login(accounts, evidence);
    enum err e = ERR_OK;

    if (id.outcome != SEC_NEED_KEY && brings && (known || !proxy))
        e = by_login(accounts, evidence, guard, now_ms, &id, &login);
    if (e)
        return e;
    if (id.outcome == SEC_NEED_KEY) {
        id.proofs = SEC_PROOF_NONE;
        *out = id;
        return ERR_OK;
    }
    if (!known && !login && !proxy && !brings)
        known = by_network(accounts, evidence, &id);
    if (proxy && !known) {
        id.proofs = SEC_PROOF_NONE;
    } else if (brings && !login) {
        id.proofs = SEC_PROOF_NONE; /* wrong credentials are not made good by a certificate */
    } else if (known && login && known != login) {
        outcome(&id, SEC_REFUSED, "certificate or shared key, and credentials, of different initiators");
    } else if (known || login) {
        conclude(login ? login : known, evidence, &id);
    } else {
        nobody(accounts, evidence, &id);
    }
    *out = id;
    return ERR_OK;
}

enum err sec_trust_info(const struct sec_identity *id, struct slice response_body, struct buf *out)
{
    if (id->outcome != SEC_IDENTIFIED || !(id->proofs & SEC_PROOF_DIGEST))
        return ERR_ABSENT;
    return sec_digest_info(&id->digest, ha1_of(id->account, id->digest.algorithm), response_body, out);
}

bool sec_initiator_uri_allowed(const struct sec_account *account, struct slice uri)
{
    for (size_t i = 0; i < account->initiator_uris_n; i++)
        if (sec_uri_matches(account->initiator_uris[i], uri))
            return true;
    return false;
}
