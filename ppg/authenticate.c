/* Evidence in, account or challenge out; see authenticate.h.  [PAP §8.8], RFC 7616, RFC 7617, RFC 6750; x-syncml-hmac: DM message
 * security 5.4. */
#include "ppg/authenticate.h"

#include "base/codec.h"
#include "base/mem.h"
#include "base/net/tls.h"
#include "base/num.h"
#include "ppg/kept.h"
#include "ppg/keys/naf.h"
#include "security/login/login.h"

static bool macs_on(const struct ppg_core *c)
{
    return sec_accounts_macs(ppg_config_accounts(c->config));
}

static struct sec_evidence evidence_of(const struct ppg_core *c, struct net_http_exchange *x, bool body_known)
{
    const struct net_http_msg *m = net_http_exchange_msg(x);
    const struct net_tls_peer *peer = net_http_exchange_peer(x);
    struct sec_evidence e = {
        .tls = peer != NULL,
        .peer = net_http_exchange_ip(x),
        .clear_basic = ppg_core_settings(c)->pap.clear_basic,
        .request = {m->method, m->target, body_known ? m->body : SLICE_NONE, body_known},
        .utc_s = ppg_core_utc_ms(c) / 1000,
        .naf = ppg_config_naf(c->config, ppg_core_utc_ms(c)),
    };

    e.authorization = net_http_header(m, SLICE("Authorization"), &e.authorization_n);
    e.mac = net_http_header(m, SLICE(SEC_MAC_HEADER), &e.mac_n);
    if (macs_on(c)) {
        e.mac_hex = ppg_core_settings(c)->pap.mac_hex;
        e.mac_guard = c->shared->macs;
        e.mac_session = ppg_kept_mac(x);
    }
    e.asserted = net_http_header(m, SLICE("X-3GPP-Asserted-Identity"), &e.asserted_n);
    e.intended = net_http_header(m, SLICE("X-3GPP-Intended-Identity"), NULL);
    if (peer) {
        e.psk = peer->psk;
        e.suite = peer->suite_number;
    }
    if (peer && peer->has_cert) {
        e.cert_verified = peer->verified;
        e.issuer = slice_str(peer->issuer);
        e.uris = peer->uris;
        e.uris_n = peer->uris_n;
        e.dns = peer->dns;
        e.dns_n = peer->dns_n;
        e.emails = peer->emails;
        e.emails_n = peer->emails_n;
    }
    return e;
}

/* Which account, under which configuration, proved how and good for what, in the exchange's one pointer: an account
 * never outlives its configuration, so no pointer to it is kept across events.  Bits from the top: 32 configuration,
 * 4 scopes, 9 proofs, 19 account. */
#define MARK_ACCOUNT    UINT64_C(0x7ffff)
#define MARK_PROOFS     19     /* bits below */
#define MARK_SCOPES     28     /* likewise */
#define MARK_PROOFS_ALL 0x1ffu /* enum sec_proof, and beside it: */
#define MARK_MD5        0x100u /* the Digest or the mac was of MD5 */

static void remember(struct ppg_core *c, struct net_http_exchange *x, const struct sec_login_facts *f)
{
    uint64_t mark = (f->generation << 32) | ((uint64_t)f->scopes << MARK_SCOPES) |
                    ((uint64_t)f->proofs << MARK_PROOFS) | (uint64_t)(f->account + 1);

    MUST(f->account < MARK_ACCOUNT && f->proofs <= MARK_PROOFS_ALL && f->scopes <= SEC_SCOPE_ALL);
    MUST(f->generation == ppg_config_generation(c->config));
    net_http_exchange_set(x, (void *)(uintptr_t)mark);
}

static uint64_t mark_of(const struct net_http_exchange *x)
{
    return (uint64_t)(uintptr_t)net_http_exchange_get(x);
}

const struct sec_account *ppg_authenticated(const struct ppg_core *c, const struct net_http_exchange *x)
{
    uint64_t mark = mark_of(x);

    if (!mark || mark >> 32 != (ppg_config_generation(c->config) & UINT32_MAX))
        return NULL;
    return sec_accounts_at(ppg_config_accounts(c->config), (size_t)(mark & MARK_ACCOUNT) - 1);
}

/* The first of a certificate's names of that kind that is one of the account's. */
static struct slice name_of(const struct sec_accounts *t, const struct sec_account *account, const char *kind,
                            const struct slice *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (sec_accounts_by_san(t, kind, &names[i], 1) == account)
            return names[i];
    return SLICE_NONE;
}

struct words {
    char text[400];
    size_t n;
};

static void add(struct words *w, struct slice s)
{
    s = slice_sub(s, 0, sizeof w->text - w->n);
    mem_copy(w->text + w->n, sizeof w->text - w->n, s);
    w->n += s.n;
}

static void add_certificate(const struct ppg_core *c, const struct sec_account *account,
                            const struct net_tls_peer *peer, struct words *w)
{
    const struct sec_accounts *t = ppg_config_accounts(c->config);
    const struct {
        const char *kind;
        const struct slice *names;
        size_t n;
    } kinds[] = {{"URI:", peer->uris, peer->uris_n},
                 {"DNS:", peer->dns, peer->dns_n},
                 {"EMAIL:", peer->emails, peer->emails_n}};

    add(w, SLICE("TLS certificate "));
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct slice name = name_of(t, account, kinds[i].kind, kinds[i].names, kinds[i].n);

        if (!name.n)
            continue;
        add(w, slice_str(kinds[i].kind));
        add(w, name);
        return;
    }
}

/* Of a key: its own name, or the subscriber who bootstrapped it. */
static void add_name(const struct ppg_core *c, const struct net_http_exchange *x, bool login,
                     struct slice name, struct words *w)
{
    char impi[SEC_GBA_IMPI_MAX_N];
    struct slice who = ppg_naf_who(c, x, login, impi);

    if (who.n)
        add(w, SLICE("bootstrapped by "));
    add(w, who.n ? who : name);
}

/* What was shown beside a certificate or a shared key. */
static void add_login(const struct ppg_core *c, const struct sec_account *account,
                      const struct net_http_exchange *x, unsigned proofs, struct words *w)
{
    if (proofs & SEC_PROOF_DIGEST)
        add(w, proofs & MARK_MD5 ? SLICE("Digest MD5 as ") : SLICE("Digest SHA-256 as "));
    else if (proofs & SEC_PROOF_BASIC)
        add(w, SLICE("Basic as "));
    else if (proofs & SEC_PROOF_MAC)
        add(w, proofs & MARK_MD5 ? SLICE("x-syncml-hmac MD5 as ") : SLICE("x-syncml-hmac SHA-256 as "));
    else if (proofs & SEC_PROOF_TOKEN)
        add(w, SLICE("bearer token"));
    if (proofs & (SEC_PROOF_DIGEST | SEC_PROOF_BASIC))
        add_name(c, x, true, account->digest_user, w);
    if (proofs & SEC_PROOF_MAC)
        add(w, account->digest_user);
    if (proofs & SEC_PROOF_ASSERTED) {
        add(w, SLICE("proxy that asserts "));
        add(w, net_http_header(net_http_exchange_msg(x), SLICE("X-3GPP-Asserted-Identity"), NULL));
    }
    if (proofs & SEC_PROOF_NETWORK)
        add(w, SLICE("network alone"));
}

struct slice ppg_authenticate_how(const struct ppg_core *c, const struct net_http_exchange *x,
                                  const struct sec_account *account, struct arena *mem)
{
    unsigned proofs = (unsigned)(mark_of(x) >> MARK_PROOFS) & MARK_PROOFS_ALL;
    const struct net_tls_peer *peer = net_http_exchange_peer(x);
    struct slice kept = SLICE_NONE;
    struct words w = {.n = 0};

    if (proofs & SEC_PROOF_CERTIFICATE && peer)
        add_certificate(c, account, peer, &w);
    if (proofs & SEC_PROOF_PSK) {
        add(&w, SLICE("TLS shared key "));
        add_name(c, x, false, account->psk_identity, &w);
    }
    if (w.n && proofs & ~(unsigned)(SEC_PROOF_CERTIFICATE | SEC_PROOF_PSK))
        add(&w, SLICE(" and "));
    add_login(c, account, x, proofs, &w);
    add(&w, SLICE(" from "));
    add(&w, net_http_exchange_ip(x));
    add(&w, peer ? SLICE(" over TLS") : SLICE(" without TLS"));
    return arena_dup(mem, slice_of(w.text, w.n), &kept) ? SLICE_NONE : kept;
}

/* Keeps what this connection proved by Basic or by a token.  Digest is never remembered: each of its answers is good
 * once. */
static void keep_proof(struct net_http_exchange *x, struct slice authorization,
                       const struct sec_login_facts *facts)
{
    if (facts->proofs & (SEC_PROOF_BASIC | SEC_PROOF_TOKEN))
        ppg_kept_set_login(x, sec_login_create(authorization, facts));
}

/* Did this connection prove that login under this configuration?  Then sec_trust_identify() would say the same again:
 * all else it looks at (source address, TLS, client certificate) stays as long as the connection, unless a proxy or the
 * client says something more. */
static const struct sec_login_facts *
proved_before(const struct ppg_core *c, const struct net_http_exchange *x, const struct sec_evidence *ev)
{
    if (ev->authorization_n != 1 || ev->asserted_n || ev->intended.n || (ev->mac_n && ev->mac_session))
        return NULL;
    return sec_login_holds(ppg_kept_login(x), ev->authorization, ppg_config_generation(c->config), ev->utc_s);
}

static void print_challenge(const struct ppg_core *c, enum sec_digest_algorithm algorithm, bool stale,
                            struct buf *headers)
{
    struct slice realm = sec_accounts_realm(ppg_config_accounts(c->config));

    buf_add_str(headers, "WWW-Authenticate: ");
    if (sec_digest_challenge(c->shared->guard, algorithm, realm, stale, ppg_core_mono_ms(c), headers))
        LOG(c->shared->log, LOG_ERROR, "auth.challenge.fail",
            LOG_C("realm", ppg_core_settings(c)->pap.realm));
    buf_add_str(headers, "\r\n");
}

/* RFC 6750 §3: who brought no token is told no error. */
static void print_bearer(const struct ppg_core *c, const char *fault, struct buf *headers)
{
    buf_addf(headers, "WWW-Authenticate: Bearer realm=\"%s\"", ppg_core_settings(c)->pap.realm);
    if (fault)
        buf_addf(headers, ", error=\"invalid_token\", error_description=\"%s\"", fault);
    buf_add_str(headers, "\r\n");
}

/* The nonce is the connection's; `only`: nothing else is offered, or taken with the next request. */
static void print_mac(const struct ppg_core *c, struct sec_mac_session *session, bool only,
                      struct buf *headers)
{
    struct slice realm = sec_accounts_realm(ppg_config_accounts(c->config));

    buf_add_str(headers, "WWW-Authenticate: ");
    if (sec_mac_guard_challenge(session, realm, headers))
        LOG(c->shared->log, LOG_ERROR, "auth.challenge.fail", LOG_S("realm", realm));
    buf_add_str(headers, "\r\n");
    session->only = only;
}

static void print_challenges(const struct ppg_core *c, const struct sec_evidence *ev,
                             const struct sec_identity *id, struct buf *headers)
{
    const struct sec_accounts *accounts = ppg_config_accounts(c->config);
    const struct ppg_settings *set = ppg_core_settings(c);
    bool stale = id->outcome == SEC_CHALLENGE_STALE, tokens = ev->tls && sec_accounts_tokens(accounts);
    bool passwords = sec_accounts_passwords(accounts);

    if (tokens)
        print_bearer(c, id->token_fault, headers);
    if (ev->mac_session)
        print_mac(c, ev->mac_session, !tokens && !passwords, headers);
    if ((tokens || ev->mac_session) && !passwords)
        return;
    print_challenge(c, SEC_DIGEST_SHA256, stale, headers);
    if (set->pap.digest_md5)
        print_challenge(c, SEC_DIGEST_MD5, stale, headers);
    if (ev->tls || set->pap.clear_basic)
        buf_addf(headers, "WWW-Authenticate: Basic realm=\"%s\", charset=\"UTF-8\"\r\n", set->pap.realm);
}

/* One challenge, and only another mac answers it: the session ends with a second failure (DM message security 5.4.1.5). */
static unsigned refuse_mac(struct ppg_core *c, struct net_http_exchange *x, struct sec_mac_session *session,
                           struct buf *headers)
{
    if (session->only) {
        net_http_exchange_last(x);
        return 403;
    }
    print_mac(c, session, true, headers);
    return 401;
}

/* Whose mac it says to be: wrong ones slow their user down, too, for guessers have many addresses ([DM-SEC] lock-out, by
 * address and by user).  n 0: there is none. */
static struct slice mac_user(const struct sec_evidence *ev)
{
    struct sec_mac mac;

    return ev->mac_session && ev->mac_n == 1 && !sec_mac_parse(ev->mac, &mac) ? mac.user : SLICE_NONE;
}

static void failed(struct ppg_core *c, const struct sec_evidence *ev)
{
    struct slice user = mac_user(ev);

    sec_penalty_fail(c->shared->penalty, ev->peer, ppg_core_mono_ms(c));
    if (user.n)
        sec_penalty_fail(c->shared->mac_users, user, ppg_core_mono_ms(c));
}

static int64_t wait_of(struct ppg_core *c, const struct sec_evidence *ev)
{
    struct slice user = mac_user(ev);
    int64_t now_ms = ppg_core_mono_ms(c), wait_ms = sec_penalty_wait_ms(c->shared->penalty, ev->peer, now_ms);

    return user.n ? num_max64(wait_ms, sec_penalty_wait_ms(c->shared->mac_users, user, now_ms)) : wait_ms;
}

static unsigned refuse(struct ppg_core *c, struct net_http_exchange *x, const struct sec_evidence *ev,
                       const struct sec_identity *id, struct buf *headers)
{
    struct slice ip = ev->peer;
    bool mac = ev->mac_n && ev->mac_session;

    if (id->failed_login || (mac && ev->mac_session->only))
        failed(c, ev);
    LOG(c->shared->log, id->failed_login ? LOG_WARN : LOG_INFO, "auth.refused", LOG_S("peer", ip),
        LOG_C("outcome", sec_outcome_name(id->outcome)), LOG_C("reason", id->reason));
    if (id->event)
        LOG(c->shared->log, LOG_INFO, id->event, LOG_S("peer", ip), LOG_C("reason", id->reason));
    if (id->outcome == SEC_REFUSED)
        return 403;
    if (mac)
        return refuse_mac(c, x, ev->mac_session, headers);
    if (ppg_naf_client(c, x))
        ppg_naf_challenges(c, id->outcome == SEC_CHALLENGE_STALE, headers);
    else
        print_challenges(c, ev, id, headers);
    return 401;
}

static void let_in(struct ppg_core *c, struct net_http_exchange *x, const struct sec_evidence *ev,
                   const struct sec_identity *id)
{
    bool md5 = (id->proofs & SEC_PROOF_DIGEST && id->digest.algorithm == SEC_DIGEST_MD5) ||
               (id->proofs & SEC_PROOF_MAC && id->mac == SEC_MAC_MD5);
    struct sec_login_facts facts = {
        .generation = ppg_config_generation(c->config),
        .account = id->account->number,
        .proofs = id->proofs | (md5 ? MARK_MD5 : 0),
        .scopes = id->scopes,
        .until_s = id->proofs & SEC_PROOF_TOKEN ? id->until_s : INT64_MAX,
    };

    if (id->proofs & (SEC_PROOF_DIGEST | SEC_PROOF_BASIC | SEC_PROOF_TOKEN | SEC_PROOF_MAC))
        sec_penalty_clear(c->shared->penalty, ev->peer);
    if (id->proofs & SEC_PROOF_MAC)
        sec_penalty_clear(c->shared->mac_users, mac_user(ev));
    keep_proof(x, ev->authorization, &facts);
    remember(c, x, &facts);
}

/* The body first: it decides, or the answer would end the connection that the nonce of a challenge belongs to. */
static bool body_first(const struct sec_evidence *ev, const struct sec_identity *id)
{
    if (ev->request.body_known)
        return false;
    return id->outcome == SEC_NEED_BODY ||
           (id->outcome == SEC_CHALLENGE && ev->mac_session && !ev->mac_n && !ev->authorization_n);
}

/* Without its body a request may want a key too: it is asked for when all of it is here. */
static unsigned identify(struct ppg_core *c, struct net_http_exchange *x, const struct sec_evidence *ev,
                         struct buf *headers)
{
    struct sec_identity id;

    if (sec_trust_identify(ppg_config_accounts(c->config), ev, c->shared->guard, ppg_core_mono_ms(c), &id))
        return 503;
    if (ev->asserted_n && !(id.proofs & SEC_PROOF_ASSERTED))
        LOG(c->shared->log, LOG_WARN, "auth.asserted.ignored", LOG_S("peer", ev->peer));
    if (body_first(ev, &id) || id.outcome == SEC_NEED_KEY)
        return 0;
    if (id.outcome != SEC_IDENTIFIED)
        return refuse(c, x, ev, &id, headers);
    let_in(c, x, ev, &id);
    return 0;
}

/* A mac was asked for, and something else came: the session ends, whatever it is worth. */
static unsigned wrong_kind(struct ppg_core *c, struct net_http_exchange *x, const struct sec_evidence *ev)
{
    LOG(c->shared->log, LOG_WARN, "auth.refused", LOG_S("peer", ev->peer), LOG_C("outcome", "refused"),
        LOG_C("reason", "a challenge for a mac answered without one"));
    sec_penalty_fail(c->shared->penalty, ev->peer, ppg_core_mono_ms(c));
    net_http_exchange_last(x);
    return 403;
}

unsigned ppg_authenticate(struct ppg_core *c, struct net_http_exchange *x, bool body_known,
                          struct buf *headers, struct sec_naf_want *want)
{
    struct sec_evidence evidence = evidence_of(c, x, body_known);
    const struct sec_login_facts *known = proved_before(c, x, &evidence);
    int64_t wait_ms = wait_of(c, &evidence);

    evidence.naf.want = want;
    net_http_exchange_set(x, NULL);
    if (evidence.mac_session)
        evidence.mac_session->proved = false;
    if (wait_ms > 0) {
        buf_addf(headers, "Retry-After: %lld\r\n", (long long)(wait_ms + 999) / 1000);
        LOG(c->shared->log, LOG_INFO, "auth.slowed", LOG_S("peer", evidence.peer), LOG_I("wait_ms", wait_ms));
        return 429;
    }
    if (evidence.mac_session && evidence.mac_session->only && !evidence.mac_n)
        return wrong_kind(c, x, &evidence);
    if (!known)
        return identify(c, x, &evidence, headers);
    sec_penalty_clear(c->shared->penalty, evidence.peer);
    remember(c, x, known);
    return 0;
}

unsigned ppg_authenticate_scope(const struct ppg_core *c, const struct net_http_exchange *x,
                                enum sec_scope need, struct buf *headers)
{
    if ((mark_of(x) >> MARK_SCOPES) & need)
        return 0;
    LOG(c->shared->log, LOG_INFO, "auth.scope", LOG_S("peer", net_http_exchange_ip(x)),
        LOG_C("needed", sec_scope_name(need)));
    buf_addf(headers, "WWW-Authenticate: Bearer realm=\"%s\", error=\"insufficient_scope\", scope=\"%s\"\r\n",
             ppg_core_settings(c)->pap.realm, sec_scope_name(need));
    return 403;
}

static enum err info_print(const struct ppg_core *c, const struct net_http_exchange *x,
                           const struct sec_identity *id, struct slice body, struct buf *headers)
{
    return sec_naf_realm(id->digest.realm) ? ppg_naf_info(c, x, &id->digest, body, headers)
                                           : sec_trust_info(id, body, headers);
}

/* What the next mac of this initiator is to be made with. */
static void mac_info(const struct sec_mac_session *session, struct buf *headers)
{
    buf_add_str(headers, SEC_MAC_NONCE_HEADER ": ");
    codec_base64(headers, slice_of(session->next, sizeof session->next));
    buf_add_str(headers, "\r\n");
}

void ppg_authenticate_info(const struct ppg_core *c, struct net_http_exchange *x,
                           const struct sec_account *account, struct slice answer_body, struct buf *headers)
{
    struct slice authorization = net_http_header(net_http_exchange_msg(x), SLICE("Authorization"), NULL);
    struct sec_identity id = {.outcome = SEC_IDENTIFIED, .account = account, .proofs = SEC_PROOF_DIGEST};
    const struct sec_mac_session *session = macs_on(c) ? ppg_kept_mac(x) : NULL;
    size_t before = headers->n;

    if (session && session->proved)
        mac_info(session, headers);
    if (!slice_starts_ci(authorization, SLICE("Digest ")) || sec_digest_parse(authorization, &id.digest))
        return;
    buf_add_str(headers, "Authentication-Info: ");
    if (info_print(c, x, &id, answer_body, headers) ||
        sec_digest_next_nonce(c->shared->guard, id.digest.nonce, ppg_core_mono_ms(c), headers)) {
        LOG(c->shared->log, LOG_ERROR, "auth.info.fail", LOG_S("account", account->name));
        buf_cut(headers, before);
        return;
    }
    buf_add_str(headers, "\r\n");
}
