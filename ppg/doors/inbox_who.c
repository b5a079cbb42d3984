/* Who fetches; see inbox_who.h. */
#include "ppg/doors/inbox_who.h"

#include "base/net/tls.h"
#include "base/num.h"
#include "ota/proof.h"
#include "ppg/doors/authmd5.h"
#include "ppg/doors/inbox.h"
#include "ppg/keys/psk.h"
#include "security/login/basic.h"
#include "security/rules/whitelist.h"

/* What was found out of one request. */
struct who {
    struct ppg_core *c;
    struct net_http_exchange *x;
    const struct net_http_msg *m;
    const struct net_tls_peer *peer;
    struct slice ip;
    struct slice authorization;
    struct sec_mac_session *session; /* of syncml:auth-md5; NULL: nobody logs in so */
    const struct ota_terminal *terminal;
    const char *proof;
    bool stale;
    bool wants; /* a key, before it can be told */
};

static struct slice realm_of(const struct who *w)
{
    return slice_str(ppg_core_settings(w->c)->ota_http.realm);
}

static bool by_login(const struct ota_terminal *t)
{
    return t && t->inbox && ota_registry_logs_in(t);
}

/* --- proofs --- */

/* An unknown user costs the same work and gets the same answer. */
static enum err by_digest(struct who *w, const struct ota_registry *r)
{
    const struct sec_digest_request request = {w->m->method, w->m->target, w->m->body, true};
    const struct ota_terminal *t;
    struct sec_digest_response d;
    struct sec_secret ha1;
    enum err e = sec_digest_parse(w->authorization, &d);

    if (e)
        return ERR_DENIED;
    t = ota_registry_find_user(r, d.username);
    t = by_login(t) ? t : NULL;
    sec_secret_init(&ha1);
    e = sec_digest_ha1(d.algorithm, d.username, realm_of(w), t ? t->call_in.password : SLICE_NONE, &ha1);
    if (!e)
        e = sec_digest_verify(w->c->shared->guard, &d, &request, realm_of(w), t ? &ha1 : NULL,
                              ppg_core_mono_ms(w->c));
    sec_secret_clear(&ha1);
    w->terminal = e ? NULL : t;
    w->proof = "digest";
    return e;
}

static enum err by_basic(struct who *w, const struct ota_registry *r)
{
    const struct ota_terminal *t = NULL;
    struct sec_basic pair;
    struct buf secret;
    enum err e;

    buf_init(&secret, SEC_BASIC_MAX_N);
    e = sec_basic_parse(w->authorization, &secret, &pair);
    if (!e)
        t = ota_registry_find_user(r, pair.user);
    if (!e && (!by_login(t) || t->call_in.proof != OTA_PROOF_BASIC ||
               !sec_password_eq(pair.password, t->call_in.password)))
        e = ERR_DENIED;
    buf_wipe(&secret);
    w->terminal = e ? NULL : t;
    w->proof = "basic";
    return e;
}

static enum err by_md5(struct who *w, const struct ota_registry *r)
{
    const struct ota_terminal *t = NULL;
    struct sec_mac said;
    enum err e = sec_authmd5_parse(w->authorization, &said);

    if (e)
        return ERR_DENIED;
    t = ota_registry_find_user(r, said.user);
    t = t && t->inbox && t->call_in.proof == OTA_PROOF_SYNCML_MD5 ? t : NULL;
    e = sec_authmd5_verify(w->c->shared->logins, &said, t ? &t->call_in.password : NULL, w->session,
                           ppg_core_mono_ms(w->c));
    w->terminal = e ? NULL : t;
    w->proof = "syncml-md5";
    return e;
}

static bool by_certificate(struct who *w, const struct ota_registry *r)
{
    const struct ota_terminal *t = ota_proof_certificate(r, w->peer);

    if (!t || !t->inbox || t->call_in.proof != OTA_PROOF_CERTIFICATE)
        return false;
    w->terminal = t;
    w->proof = "certificate";
    return true;
}

static bool by_psk(struct who *w, const struct ota_registry *r, struct sec_naf_want *want)
{
    const struct ota_terminal *t = ota_proof_psk(r, w->peer);
    char impi[SEC_GBA_IMPI_MAX_N];
    enum err e = ERR_ABSENT;
    size_t n;

    if (!t)
        e = ppg_psk_subscriber(w->c->config, ppg_core_utc_ms(w->c), w->peer, want, impi, &n);
    w->wants = e == ERR_AGAIN;
    if (!e)
        t = ota_registry_find_subscriber(r, slice_of(impi, n));
    if (!t || !t->inbox || t->call_in.proof != OTA_PROOF_PSK)
        return false;
    w->terminal = t;
    w->proof = "psk";
    return true;
}

/* --- refusals --- */

static unsigned refuse(const struct who *w, unsigned status, const char *why)
{
    LOG(w->c->shared->log, LOG_INFO, "inbox.refused", LOG_S("peer", w->ip),
        LOG_A("terminal", w->terminal ? w->terminal->key : SLICE_NONE), LOG_I("status", status),
        LOG_C("why", why));
    return status;
}

static unsigned challenge(const struct who *w, struct buf *headers)
{
    const struct ppg_settings *set = ppg_core_settings(w->c);
    enum err e = ERR_OK;

    for (int a = SEC_DIGEST_ALGORITHM_COUNT - 1; a >= 0 && !e; a--) {
        if (a == SEC_DIGEST_MD5 && !set->pap.digest_md5)
            continue;
        buf_add_str(headers, "WWW-Authenticate: ");
        e = sec_digest_challenge(w->c->shared->guard, (enum sec_digest_algorithm)a, realm_of(w), w->stale,
                                 ppg_core_mono_ms(w->c), headers);
        buf_add_str(headers, "\r\n");
    }
    buf_addf(headers, "WWW-Authenticate: Basic realm=\"%s\", charset=\"UTF-8\"\r\n", set->ota_http.realm);
    if (w->session)
        ppg_authmd5_challenge(w->c, w->session, headers);
    return refuse(w, e ? 503 : 401, w->authorization.n ? "login refused" : "not proved");
}

/* Something else came than what alone was asked for: the session ends, whatever it is worth. */
static unsigned astray(const struct who *w, struct buf *headers)
{
    sec_penalty_fail(w->c->shared->penalty, w->ip, ppg_core_mono_ms(w->c));
    return refuse(w, ppg_authmd5_refuse(w->c, w->x, w->session, headers),
                  "a challenge for syncml:auth-md5 answered otherwise");
}

static void count(const struct who *w, bool good)
{
    struct sec_penalty *penalty = w->c->shared->penalty;

    if (good)
        sec_penalty_clear(penalty, w->ip);
    else
        sec_penalty_fail(penalty, w->ip, ppg_core_mono_ms(w->c));
    ppg_authmd5_count(w->c, w->authorization, good);
}

static unsigned log_in(struct who *w, const struct ota_registry *r, struct buf *headers)
{
    struct sec_penalty *penalty = w->c->shared->penalty;
    int64_t wait_ms = num_max64(sec_penalty_wait_ms(penalty, w->ip, ppg_core_mono_ms(w->c)),
                                ppg_authmd5_wait_ms(w->c, w->authorization));
    bool md5 = w->session && sec_authmd5_is(w->authorization);
    enum err e;

    if (w->session && w->session->only && !md5)
        return astray(w, headers);
    if (!w->authorization.n)
        return challenge(w, headers);
    if (wait_ms > 0) {
        buf_addf(headers, "Retry-After: %lld\r\n", (long long)(wait_ms + 999) / 1000);
        return refuse(w, 429, "too many failed logins");
    }
    e = md5                                                  ? by_md5(w, r)
        : slice_starts_ci(w->authorization, SLICE("Basic ")) ? by_basic(w, r)
                                                             : by_digest(w, r);
    if (e == ERR_NOMEM || e == ERR_IO)
        return refuse(w, 503, err_text(e));
    w->stale = e == ERR_LATE;
    if (!w->stale)
        count(w, !e);
    if (!e)
        return 0;
    return md5 ? refuse(w, ppg_authmd5_refuse(w->c, w->x, w->session, headers), "login refused")
               : challenge(w, headers);
}

/* A black-listed terminal gets nothing, a listed one does: deny beats allow, and no rule means no. */
static unsigned check_list(const struct who *w)
{
    const struct sec_whitelist_query q = {.operation = SEC_SUBMIT,
                                          .initiator = SLICE(PPG_INBOX_NAME),
                                          .recipient = w->terminal->key,
                                          .at_s = ppg_core_utc_ms(w->c) / 1000};
    struct sec_whitelist_verdict v;

    sec_whitelist_decide(ppg_config_whitelist(w->c->config), &q, &v);
    if (v.allow)
        return 0;
    LOG(w->c->shared->log, LOG_INFO, "inbox.denied", LOG_A("terminal", w->terminal->key),
        LOG_C("reason", v.reason), LOG_C("file", v.file ? v.file : ""), LOG_I("line", v.line));
    return 403;
}

/* The store of another gateway proves itself by a certificate when policy asks.  [CPM 5.1.3.4] */
static unsigned check_peer_store(const struct who *w)
{
    if (!w->terminal->peer_store || slice_eq(slice_str(w->proof), SLICE("certificate")))
        return 0;
    if (ppg_core_settings(w->c)->inbox.peer_certificate)
        return refuse(w, 403, "another gateway's store without certificate");
    LOG(w->c->shared->log, LOG_WARN, "inbox.peer", LOG_S("peer", w->ip), LOG_A("terminal", w->terminal->key),
        LOG_C("proof", w->proof));
    return 0;
}

unsigned ppg_inbox_who(struct ppg_core *c, struct net_http_exchange *x, const struct ota_registry *r,
                       const struct ota_terminal **out, struct buf *headers, struct sec_naf_want *want)
{
    const struct net_http_msg *m = net_http_exchange_msg(x);
    struct who w = {.c = c,
                    .x = x,
                    .m = m,
                    .peer = net_http_exchange_peer(x),
                    .ip = net_http_exchange_ip(x),
                    .authorization = net_http_header(m, SLICE("Authorization"), NULL)};
    unsigned status = 0;

    if (!w.peer)
        return refuse(&w, 403, "not inside TLS");
    w.session = ppg_authmd5_begin(c, x);
    if (!by_certificate(&w, r) && !by_psk(&w, r, want) && !w.wants)
        status = log_in(&w, r, headers);
    if (w.wants)
        return 0;
    if (!status)
        status = check_peer_store(&w);
    if (!status)
        status = check_list(&w);
    if (!status)
        *out = w.terminal;
    return status;
}
