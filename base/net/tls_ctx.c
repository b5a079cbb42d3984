/* A context: credentials, trust anchors, priorities and ticket key as GnuTLS holds them, read from PEM once; one that is in
 * use is never changed, a reload makes another and sessions keep theirs.  A server with several pairs has credentials of
 * their own for each selection of them that a name can ask for.  Not here: what a session makes of it (tls.c), versions and
 * suites (tls_policy.c), shared keys (tls_psk.c), which pair fits a name (tls_names.c).  RFC 6066 §8, RFC 5077.  Any thread. */
#include "base/net/tls_ctx.h"

#include <gnutls/gnutls.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/net/tls_dates.h"
#include "base/net/tls_judge.h"
#include "base/net/tls_policy.h"
#include "base/net/tls_psk.h"

static gnutls_datum_t datum_of(struct slice s)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

static void ctx_release(struct net_tls_ctx *ctx)
{
    const gnutls_datum_t gone = datum_of(ctx->ticket_key);

    if (atomic_fetch_sub(&ctx->holders, 1) != 1)
        return;
    if (ctx->cred)
        gnutls_certificate_free_credentials(ctx->cred);
    if (ctx->psk_server)
        gnutls_psk_free_server_credentials(ctx->psk_server);
    if (ctx->psk_client)
        gnutls_psk_free_client_credentials(ctx->psk_client);
    if (ctx->psk.drop)
        ctx->psk.drop(ctx->psk.arg);
    for (size_t k = 0; k < ctx->selection_n; k++)
        gnutls_certificate_free_credentials(ctx->selection[k]);
    free(ctx->selection);
    tls_tickets_free(&ctx->tickets);
    tls_names_free(&ctx->names);
    if (ctx->priority)
        gnutls_priority_deinit(ctx->priority);
    mem_wipe(gone.data, gone.size);
    gnutls_free(gone.data);
    free(ctx);
}

void net_tls_ctx_free(struct net_tls_ctx **ctx)
{
    if (*ctx)
        ctx_release(*ctx);
    *ctx = NULL;
}

struct net_tls_ctx *net_tls_ctx_hold(struct net_tls_ctx *ctx)
{
    if (ctx)
        atomic_fetch_add(&ctx->holders, 1);
    return ctx;
}

static const char *load_pair(gnutls_certificate_credentials_t cred, const struct net_tls_pair *pair)
{
    gnutls_datum_t cert = datum_of(pair->cert_pem);
    gnutls_datum_t key = datum_of(pair->key_pem);
    gnutls_datum_t staple = datum_of(pair->staple_der);
    int at = gnutls_certificate_set_x509_key_mem2(cred, &cert, &key, GNUTLS_X509_FMT_PEM, NULL, 0);

    if (at == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        return "the key does not belong to the certificate";
    if (at < 0)
        return "the certificate or its key cannot be read";
    if (staple.size &&
        gnutls_certificate_set_ocsp_status_request_mem(cred, &staple, (unsigned)at, GNUTLS_X509_FMT_DER) < 0)
        return "the OCSP response cannot be read, or is about another certificate";
    return NULL;
}

/* NULL, or what is wrong. */
static const char *load_all(gnutls_certificate_credentials_t cred, const struct net_tls_conf *conf)
{
    gnutls_datum_t ca = datum_of(conf->ca_pem);
    gnutls_datum_t crl = datum_of(conf->crl_pem);
    const char *why = NULL;

    gnutls_certificate_set_flags(cred, GNUTLS_CERTIFICATE_API_V2); /* a pair's place is told */
    for (size_t i = 0; i < conf->pairs_n && !why; i++)
        why = load_pair(cred, &conf->pairs[i]);
    if (why)
        return why;
    if (ca.size && gnutls_certificate_set_x509_trust_mem(cred, &ca, GNUTLS_X509_FMT_PEM) <= 0)
        return "the trust anchors cannot be read";
    if (crl.size && gnutls_certificate_set_x509_crl_mem(cred, &crl, GNUTLS_X509_FMT_PEM) <= 0)
        return "the revocation list cannot be read";
    return NULL;
}

static const char *conf_fault(const struct net_tls_conf *conf)
{
    if (conf->version_min != 12 && conf->version_min != 13)
        return "the lowest version must be 12 or 13";
    if (conf->role == NET_TLS_SERVER && conf->pairs_n == 0 && !conf->psk.find)
        return "a server needs a certificate";
    if (conf->psk.find && (conf->pairs_n || conf->verify != NET_TLS_VERIFY_NONE))
        return "shared keys and certificates need a listener each";
    if (conf->pairs_n > TLS_NAMES_PAIRS_MAX)
        return "more than 64 certificates";
    if (conf->verify != NET_TLS_VERIFY_NONE && conf->ca_pem.n == 0)
        return "there is no trust anchor to verify certificates with";
    return NULL;
}

/* ERR_MALFORMED with *why, or ERR_NOMEM. */
static enum err cred_create(const struct net_tls_conf *conf, gnutls_certificate_credentials_t *out,
                            const char **why)
{
    gnutls_certificate_credentials_t cred;
    const char *fault;

    if (gnutls_certificate_allocate_credentials(&cred) < 0)
        return ERR_NOMEM;
    fault = load_all(cred, conf);
    if (fault) {
        gnutls_certificate_free_credentials(cred);
        *why = fault;
        return ERR_MALFORMED;
    }
    if (conf->verify != NET_TLS_VERIFY_NONE)
        gnutls_certificate_set_verify_function(cred, tls_judge_in_handshake);
    *out = cred;
    return ERR_OK;
}

/* The pairs of selection k.  GnuTLS shows the first that the client's suites and signature algorithms allow, and
 * none of another name: under TLS 1.2 it goes by suites first. */
static enum err selection_create(const struct net_tls_conf *conf, const struct tls_names *names, size_t k,
                                 gnutls_certificate_credentials_t *out, const char **why)
{
    size_t chosen[TLS_NAMES_PAIRS_MAX];
    struct net_tls_pair pairs[TLS_NAMES_PAIRS_MAX];
    struct net_tls_conf narrow = *conf;

    narrow.pairs = pairs;
    narrow.pairs_n = tls_names_pairs(names, k, chosen);
    for (size_t i = 0; i < narrow.pairs_n; i++)
        pairs[i] = conf->pairs[chosen[i]];
    return cred_create(&narrow, out, why);
}

static enum err selections_fill(struct net_tls_ctx *ctx, const struct net_tls_conf *conf, const char **why)
{
    enum err e = tls_names_create(ctx->cred, conf->pairs_n, &ctx->names);
    size_t n = e ? 0 : tls_names_selections(ctx->names);

    if (n)
        ctx->selection = calloc(n, sizeof(gnutls_certificate_credentials_t));
    if (n && !ctx->selection)
        return ERR_NOMEM;
    while (e == ERR_OK && ctx->selection_n < n) {
        e = selection_create(conf, ctx->names, ctx->selection_n, &ctx->selection[ctx->selection_n], why);
        ctx->selection_n += e == ERR_OK;
    }
    return e;
}

static enum err priority_create(const struct net_tls_conf *conf, gnutls_priority_t *out, const char **why)
{
    struct buf text;
    enum err e;

    buf_init(&text, 4096);
    if (conf->priority)
        buf_add_str(&text, conf->priority);
    else
        tls_policy_print(conf, &text);
    buf_add_ch(&text, '\0');
    e = buf_err(&text);
    if (!e && gnutls_priority_init(out, text.p, NULL) < 0) {
        *why = "the priority string cannot be read";
        e = ERR_MALFORMED;
    }
    buf_clear(&text);
    return e;
}

static enum err psk_create(struct net_tls_ctx *ctx, const struct net_tls_conf *conf, const char **why)
{
    *why = "the identity or the key of the shared key is too long or empty";
    if (conf->psk.find)
        return tls_psk_server(&conf->psk, &ctx->psk_server);
    return conf->psk_identity.n ? tls_psk_client(conf->psk_identity, conf->psk_key, &ctx->psk_client)
                                : ERR_OK;
}

/* ERR_MALFORMED with *why, or ERR_NOMEM. */
static enum err ctx_fill(struct net_tls_ctx *ctx, const struct net_tls_conf *conf, const char **why)
{
    enum err e = cred_create(conf, &ctx->cred, why);
    gnutls_datum_t key = {NULL, 0};

    if (e == ERR_OK && conf->role == NET_TLS_SERVER && conf->pairs_n > 1)
        e = selections_fill(ctx, conf, why);
    if (!e)
        e = priority_create(conf, &ctx->priority, why);
    if (!e)
        e = psk_create(ctx, conf, why);
    if (e)
        return e;
    if (conf->role == NET_TLS_SERVER && gnutls_session_ticket_key_generate(&key) < 0)
        return ERR_NOMEM;
    ctx->ticket_key = slice_of(key.data, key.size);
    ctx->psk = conf->psk; /* from here on ours to drop */
    return ERR_OK;
}

/* Only what a certificate proved is resumed, and a resumed session brings no OCSP response. */
static bool may_resume(const struct net_tls_conf *conf)
{
    return conf->tickets_max && conf->role == NET_TLS_CLIENT && conf->verify == NET_TLS_VERIFY_REQUIRED &&
           !conf->psk_identity.n && !conf->datagrams && !conf->staple_required;
}

enum err net_tls_ctx_create(const struct net_tls_conf *conf, struct net_tls_ctx **out, const char **why)
{
    struct net_tls_ctx *ctx;
    enum err e;

    *why = conf_fault(conf);
    if (*why)
        return ERR_MALFORMED;
    ctx = calloc(1, sizeof *ctx);
    *why = "out of memory";
    if (!ctx)
        return ERR_NOMEM;
    atomic_init(&ctx->holders, 1);
    ctx->role = conf->role;
    ctx->verify = conf->verify;
    ctx->alpn_http11 = conf->alpn_http11;
    ctx->datagrams = conf->datagrams;
    ctx->demand_13 = conf->role == NET_TLS_SERVER && conf->version_min == 13;
    ctx->crl_expired_ok = conf->crl_expired_ok;
    ctx->staple_required = conf->staple_required;
    ctx->ask_status = conf->ask_status && conf->role == NET_TLS_SERVER;
    ctx->dates = tls_dates_of(conf);
    e = ctx_fill(ctx, conf, why);
    if (!e && may_resume(conf))
        e = tls_tickets_create(conf->tickets_max, &ctx->tickets);
    if (e) {
        ctx_release(ctx);
        return e;
    }
    *out = ctx;
    return ERR_OK;
}

struct net_tls_dates net_tls_ctx_dates(const struct net_tls_ctx *ctx)
{
    return ctx->dates;
}
