/* Who is this?  Shared key or certificate names first (URI, then DNS, then e-mail), then Authorization; both together
 * must agree.
 * Deny by default: evidence that cannot be read, or that is about nobody we know, identifies nobody.  Digest:
 * RFC 7616; Basic: RFC 7617, inside TLS unless somebody wrote otherwise.  Any thread. */
#include "security/trust.h"

#include "security/basic.h"
#include "security/uri.h"

const char *sec_outcome_name(enum sec_outcome o)
{
    static const char *const names[] = {"refused", "identified", "challenge", "stale", "need-body"};

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

/* What the TLS session itself proves: a shared key, or a certificate. */
static const struct sec_account *by_channel(const struct sec_accounts *t, const struct sec_evidence *ev,
                                            unsigned *proof)
{
    bool psk = ev->tls && ev->psk.n;

    *proof = psk ? SEC_PROOF_PSK : SEC_PROOF_CERTIFICATE;
    return psk ? sec_accounts_by_psk(t, ev->psk) : by_certificate(t, ev);
}

static void outcome(struct sec_identity *id, enum sec_outcome o, const char *reason)
{
    id->outcome = o;
    id->reason = reason;
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
    a = sec_accounts_by_user(t, r.username);
    e = sec_digest_verify(guard, &r, &ev->request, sec_accounts_realm(t), a ? ha1_of(a, r.algorithm) : NULL,
                          now_ms);
    if (e == ERR_DENIED)
        wrong(id, "wrong user name or password");
    else if (e == ERR_LATE)
        outcome(id, SEC_CHALLENGE_STALE, "nonce too old or its count used");
    else if (e == ERR_AGAIN)
        outcome(id, SEC_NEED_BODY, "auth-int needs the body");
    else if (e)
        return e;
    if (e)
        return ERR_OK;
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

static bool has_both_kinds(const struct sec_account *a)
{
    return (a->certificates_n || a->psk_identity.n) && a->digest_user.n;
}

#define CHANNEL (SEC_PROOF_CERTIFICATE | SEC_PROOF_PSK)

static bool issuer_wrong(const struct sec_account *a, const struct sec_evidence *ev,
                         const struct sec_identity *id)
{
    return id->proofs & SEC_PROOF_CERTIFICATE && !sec_account_issuer_allowed(a, ev->issuer);
}

/* Both proofs are in, one of them at least: is it enough? */
static void conclude(const struct sec_account *a, const struct sec_evidence *ev, struct sec_identity *id)
{
    bool all = a->require == SEC_REQUIRE_ALL && has_both_kinds(a);

    if (issuer_wrong(a, ev, id)) {
        outcome(id, SEC_REFUSED, "certificate of another issuer");
        id->event = "tls.client.wrong-issuer";
    } else if (all && !(id->proofs & CHANNEL)) {
        outcome(id, SEC_REFUSED, a->certificates_n ? "certificate missing" : "shared key missing");
    } else if (all && !(id->proofs & ~(unsigned)CHANNEL)) {
        outcome(id, SEC_CHALLENGE, "password missing");
    } else if (!sec_account_from_here(a, ev->peer)) {
        outcome(id, SEC_REFUSED, "address not of this initiator's networks");
    } else {
        outcome(id, SEC_IDENTIFIED,
                id->proofs & SEC_PROOF_PSK           ? "shared key"
                : id->proofs & SEC_PROOF_CERTIFICATE ? "certificate"
                                                     : "password");
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
    } else if (sec_accounts_passwords(t))
        outcome(id, SEC_CHALLENGE, "no credentials");
    else
        outcome(id, SEC_REFUSED, "no certificate");
}

enum err sec_trust_identify(const struct sec_accounts *accounts, const struct sec_evidence *evidence,
                            struct sec_digest_guard *guard, int64_t now_ms, struct sec_identity *out)
{
    struct sec_identity id = {.reason = ""};
    unsigned proof;
    const struct sec_account *channel = by_channel(accounts, evidence, &proof);
    const struct sec_account *login = NULL;
    enum err e = ERR_OK;

    if (channel)
        id.proofs = proof;
    if (slice_starts_ci(evidence->authorization, SLICE("Digest")))
        e = by_digest(accounts, evidence, guard, now_ms, &id, &login);
    else if (evidence->authorization.n)
        e = by_basic(accounts, evidence, &id, &login);
    if (e)
        return e;
    if (evidence->authorization.n && !login) {
        id.proofs = SEC_PROOF_NONE; /* wrong credentials are not made good by a certificate */
    } else if (channel && login && channel != login) {
        outcome(&id, SEC_REFUSED, "certificate or shared key, and credentials, of different initiators");
    } else if (channel || login) {
        conclude(login ? login : channel, evidence, &id);
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
