/* GnuTLS between two memory queues: wire octets in, wire octets out, no sockets and no waiting.  No renegotiation, no
 * early data, ALPN http/1.1 (RFC 7301), SNI (RFC 6066 §3); versions and suites are tls_policy.c's, shared keys tls_psk.c's.  The peer's certificate
 * is judged inside the handshake, so that the peer gets the alert, and again after a resumed one, where GnuTLS
 * restores the certificate from the ticket: a revoked or expired identity does not live on in tickets.  What a
 * certificate says is read in tls_peer.c, which of several pairs fits a name in tls_names.c.  One thread a session; a context is shared and never changes. */
#include "base/net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/net/tls_dates.h"
#include "base/net/tls_hold.h"
#include "base/net/tls_names.h"
#include "base/net/tls_peer.h"
#include "base/net/tls_policy.h"
#include "base/net/tls_psk.h"
#include "base/net/tls_session.h"
#include "base/net/tls_tickets.h"
#include "base/num.h"

#define IN_MAX_N        (((size_t)64 << 10) + ((size_t)17 << 10)) /* unread wire octets: 64 KiB and a full record */
#define OUT_MAX_N       ((size_t)96 << 20)                        /* above what a stream lets anybody queue */
/* Octets of one handshake message: a long certificate chain fits, a flood before authentication does not. */
#define HANDSHAKE_MAX_N ((size_t)48 << 10)
#define NAME_MAX_N      255
#define NAME_UTF8_MAX_N 1024 /* of a name of NAME_MAX_N octets, its "xn--" labels decoded */

/* A ticket key is good for three times this: GnuTLS then derives the next, every 12 hours. */
#define TICKET_LIFE_S   (4 * 3600)

struct net_tls_ctx {
    atomic_size_t holders; /* the owner and every session */
    enum net_tls_role role;
    enum net_tls_verify verify;
    bool alpn_http11;
    bool datagrams;
    bool demand_13;
    bool crl_expired_ok;
    bool staple_required;
    bool ask_status;
    struct net_tls_dates dates;
    struct net_tls_psk_source psk;               /* find NULL: none */
    gnutls_psk_server_credentials_t psk_server;  /* instead of pairs; NULL */
    gnutls_psk_client_credentials_t psk_client;  /* likewise */
    gnutls_certificate_credentials_t cred;       /* all pairs */
    struct tls_names *names;                     /* servers with several pairs; else NULL */
    gnutls_certificate_credentials_t *selection; /* [k]: the pairs of selection k of names */
    size_t selection_n;
    gnutls_priority_t priority;
    gnutls_datum_t ticket_key;   /* servers */
    struct tls_tickets *tickets; /* clients that resume; else NULL */
};

enum question { QUESTION_NONE, QUESTION_OPEN, QUESTION_ANSWERED };

struct net_tls {
    struct net_tls_ctx *ctx;
    gnutls_session_t session;
    char *name;    /* clients: the name to verify; owned */
    struct buf in; /* wire octets; those before in_at were read */
    size_t in_at;
    size_t in_ok;                   /* with hold: those before it GnuTLS may have */
    struct tls_hold *hold;          /* looks at what GnuTLS gets; NULL: nothing is looked at, or no longer */
    struct net_tls_key_name wanted; /* the key the handshake waits for; identity n 0: none */
    size_t held_n;                  /* octets of the record that waits with it */
    bool key_away;                  /* and was not to be had */
    struct buf out;                 /* wire octets to send */
    const char *why;
    enum question question;     /* about the status of the peer's certificate */
    enum net_tls_status status; /* the answer */
    gnutls_datum_t issuer;      /* DER; GnuTLS's memory */
    uint16_t psk_suite;         /* servers with shared keys: what the ServerHello chose */
    bool ticket_kept;           /* of what this handshake made, for the next to resume */
    bool shaken;                /* GnuTLS is through with the handshake */
    bool failed;                /* after a fatal error nothing more is said but what is in out */
    struct tls_peer_store peer;
};

static void ctx_release(struct net_tls_ctx *ctx)
{
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
    if (ctx->ticket_key.data) {
        mem_wipe(ctx->ticket_key.data, ctx->ticket_key.size);
        gnutls_free(ctx->ticket_key.data);
    }
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

static gnutls_datum_t datum_of(struct slice s)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
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

static int verify_in_handshake(gnutls_session_t session);

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
        gnutls_certificate_set_verify_function(cred, verify_in_handshake);
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

    if (e == ERR_OK && conf->role == NET_TLS_SERVER && conf->pairs_n > 1)
        e = selections_fill(ctx, conf, why);
    if (!e)
        e = priority_create(conf, &ctx->priority, why);
    if (!e)
        e = psk_create(ctx, conf, why);
    if (e)
        return e;
    if (conf->role == NET_TLS_SERVER && gnutls_session_ticket_key_generate(&ctx->ticket_key) < 0)
        return ERR_NOMEM;
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

/* Octets that GnuTLS may read. */
static size_t readable_n(const struct net_tls *t)
{
    return (t->hold ? t->in_ok : t->in.n) - t->in_at;
}

/* The queues as GnuTLS sees them. */
static ssize_t pull(gnutls_transport_ptr_t ptr, void *to, size_t cap)
{
    struct net_tls *t = ptr;
    size_t n = num_min(cap, readable_n(t));

    if (n == 0) {
        gnutls_transport_set_errno(t->session, EAGAIN);
        return -1;
    }
    mem_copy(to, cap, slice_of(t->in.p + t->in_at, n));
    t->in_at += n;
    if (t->in_at == t->in.n) {
        buf_clear(&t->in); /* an idle session holds no queue */
        t->in_at = t->in_ok = 0;
    }
    return (ssize_t)n;
}

static ssize_t push(gnutls_transport_ptr_t ptr, const void *from, size_t n)
{
    struct net_tls *t = ptr;

    buf_add(&t->out, slice_of(from, n));
    if (buf_err(&t->out)) {
        gnutls_transport_set_errno(t->session, ENOBUFS);
        return -1;
    }
    return (ssize_t)n;
}

static int pull_ready(gnutls_transport_ptr_t ptr, unsigned ms)
{
    const struct net_tls *t = ptr;

    (void)ms;
    return readable_n(t) > 0;
}

static bool is_ip(const char *name)
{
    unsigned char raw[16];

    return inet_pton(AF_INET, name, raw) == 1 || inet_pton(AF_INET6, name, raw) == 1;
}

/* Offers to go on with the last session with that server.  What cannot be used costs no more than the offer. */
static void offer_ticket(struct net_tls *t)
{
    struct buf session;

    buf_init(&session, TLS_TICKET_MAX_N);
    (void)buf_room(&session, TLS_TICKET_MAX_N); /* it never moves, and is wiped whole */
    if (tls_tickets_take(t->ctx->tickets, slice_str(t->name), (int64_t)time(NULL), &session))
        (void)gnutls_session_set_data(t->session, session.p, session.n);
    buf_wipe(&session);
}

/* Under TLS 1.3 the ticket comes at some time behind the handshake, and GnuTLS, asked earlier, would wait for it.  Under TLS 1.2
 * one may serve again (RFC 5077 §3.3). */
static bool has_ticket(const struct net_tls *t)
{
    return gnutls_protocol_get_version(t->session) != GNUTLS_TLS1_3 ||
           (gnutls_session_get_flags(t->session) & GNUTLS_SFLAGS_SESSION_TICKET);
}

static void keep_ticket(struct net_tls *t)
{
    gnutls_datum_t session;

    if (!t->ctx->tickets || t->ticket_kept || !t->name || !has_ticket(t) ||
        gnutls_session_get_data2(t->session, &session) < 0)
        return;
    tls_tickets_keep(t->ctx->tickets, slice_str(t->name), slice_of(session.data, session.size),
                     (int64_t)time(NULL));
    mem_wipe(session.data, session.size);
    gnutls_free(session.data);
    t->ticket_kept = true;
}

static enum err client_setup(struct net_tls *t, struct slice server_name)
{
    if (t->ctx->psk_client && gnutls_credentials_set(t->session, GNUTLS_CRD_PSK, t->ctx->psk_client) < 0)
        return ERR_NOMEM;
    if (server_name.n == 0)
        return t->ctx->verify == NET_TLS_VERIFY_NONE ? ERR_OK : ERR_MALFORMED;
    if (server_name.n > NAME_MAX_N || slice_find(server_name, '\0') != SIZE_MAX)
        return ERR_MALFORMED;
    t->name = mem_dup(server_name);
    if (!t->name)
        return ERR_NOMEM;
    if (!is_ip(t->name) && gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, t->name, server_name.n) < 0)
        return ERR_MALFORMED;
    if (t->ctx->tickets)
        offer_ticket(t);
    return ERR_OK;
}

/* The ClientHello is read and nothing chosen yet: leaves the pairs that are good for the name asked for. */
static int select_pairs(gnutls_session_t session)
{
    const struct net_tls *t = gnutls_session_get_ptr(session);
    char name[NAME_UTF8_MAX_N + 1] = "";
    size_t n = sizeof name - 1;
    unsigned type = 0;
    size_t k;

    if (gnutls_server_name_get(session, name, &n, &type, 0) < 0 || type != GNUTLS_NAME_DNS)
        return 0;
    k = tls_names_find(t->ctx->names, name);
    if (k == t->ctx->selection_n)
        return 0;
    return gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, t->ctx->selection[k]);
}

static enum err hold_setup(struct net_tls *t)
{
    if (!t->ctx->psk.wants || t->ctx->datagrams)
        return ERR_OK;
    t->hold = malloc(sizeof *t->hold);
    if (!t->hold)
        return ERR_NOMEM;
    tls_hold_init(t->hold);
    return ERR_OK;
}

static void hold_end(struct net_tls *t)
{
    if (t->hold)
        tls_hold_clear(t->hold);
    free(t->hold);
    t->hold = NULL;
}

static enum err server_setup(struct net_tls *t)
{
    static const gnutls_certificate_request_t ask[] = {
        [NET_TLS_VERIFY_NONE] = GNUTLS_CERT_IGNORE,
        [NET_TLS_VERIFY_OPTIONAL] = GNUTLS_CERT_REQUEST,
        [NET_TLS_VERIFY_REQUIRED] = GNUTLS_CERT_REQUIRE,
    };

    if (t->ctx->demand_13)
        tls_policy_demand_13(t->session);
    else if (t->ctx->psk.derive)
        tls_psk_watch(t->session);
    if (t->ctx->psk_server)
        return hold_setup(t) || gnutls_credentials_set(t->session, GNUTLS_CRD_PSK, t->ctx->psk_server) < 0
                   ? ERR_NOMEM
                   : ERR_OK;
    if (t->ctx->names)
        gnutls_handshake_set_post_client_hello_function(t->session, select_pairs);
    gnutls_certificate_server_set_request(t->session, ask[t->ctx->verify]);
    gnutls_db_set_cache_expiration(t->session, TICKET_LIFE_S);
    return gnutls_session_ticket_enable_server(t->session, &t->ctx->ticket_key) < 0 ? ERR_NOMEM : ERR_OK;
}

static enum err session_setup(struct net_tls *t, struct slice server_name)
{
    static const gnutls_datum_t http11 = {(unsigned char *)(uintptr_t) "http/1.1", 8};

    gnutls_session_set_ptr(t->session, t);
    gnutls_handshake_set_max_packet_length(t->session, HANDSHAKE_MAX_N);
    gnutls_transport_set_ptr(t->session, t);
    gnutls_transport_set_pull_function(t->session, pull);
    gnutls_transport_set_push_function(t->session, push);
    gnutls_transport_set_pull_timeout_function(t->session, pull_ready);
    if (gnutls_priority_set(t->session, t->ctx->priority) < 0 ||
        gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->ctx->cred) < 0)
        return ERR_NOMEM;
    if (t->ctx->alpn_http11 && gnutls_alpn_set_protocols(t->session, &http11, 1, GNUTLS_ALPN_MANDATORY) < 0)
        return ERR_NOMEM;
    return t->ctx->role == NET_TLS_SERVER ? server_setup(t) : client_setup(t, server_name);
}

enum err net_tls_create(struct net_tls_ctx *ctx, struct slice server_name, struct net_tls **out)
{
    unsigned flags = (ctx->role == NET_TLS_SERVER ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK |
                     GNUTLS_NO_SIGNAL | (ctx->datagrams ? GNUTLS_DATAGRAM : 0) |
                     (ctx->psk_server ? GNUTLS_NO_TICKETS : 0);
    struct net_tls *t = calloc(1, sizeof *t);
    enum err e = ERR_NOMEM;

    if (!t)
        return ERR_NOMEM;
    buf_init(&t->in, IN_MAX_N);
    buf_init(&t->out, OUT_MAX_N);
    tls_peer_init(&t->peer);
    t->why = "";
    t->ctx = ctx;
    atomic_fetch_add(&ctx->holders, 1);
    if (gnutls_init(&t->session, flags) == 0)
        e = session_setup(t, server_name);
    if (e)
        net_tls_free(&t);
    else
        *out = t;
    return e;
}

void net_tls_free(struct net_tls **tls)
{
    struct net_tls *t = *tls;

    if (!t)
        return;
    if (t->session)
        gnutls_deinit(t->session);
    gnutls_free(t->issuer.data);
    hold_end(t);
    ctx_release(t->ctx);
    tls_peer_clear(&t->peer);
    buf_clear(&t->in);
    buf_clear(&t->out);
    free(t->name);
    free(t);
    *tls = NULL;
}

enum err net_tls_feed(struct net_tls *t, struct slice wire)
{
    if (t->in_at > t->in.n / 2) {
        buf_drop(&t->in, t->in_at);
        t->in_ok -= num_min(t->in_ok, t->in_at);
        t->in_at = 0;
    }
    buf_add(&t->in, wire);
    return buf_err(&t->in);
}

/* GnuTLS goes by a list of revoked certificates however old it is (RFC 5280 §6.3.3 would not). */
static bool crl_is_old(const struct net_tls_ctx *ctx)
{
    return !ctx->crl_expired_ok && ctx->dates.crl_s <= (int64_t)time(NULL);
}

/* Judges the peer's certificate (chain, dates, purpose, CRL, staple, name): true when it is good. */
static bool peer_is_good(struct net_tls *t)
{
    const char *purpose =
        t->ctx->role == NET_TLS_SERVER ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER;
    gnutls_typed_vdata_st facts[2] = {
        {GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)(uintptr_t)purpose, 0},
        {GNUTLS_DT_DNS_HOSTNAME, (unsigned char *)t->name, 0},
    };
    unsigned status = 0;

    if (gnutls_certificate_verify_peers(t->session, facts, t->name ? 2 : 1, &status) < 0)
        t->why = "cert-untrusted";
    else if (status != 0)
        t->why = tls_peer_status_text(status);
    else if (crl_is_old(t->ctx))
        t->why = "crl-expired";
    else if (t->ctx->staple_required && !gnutls_ocsp_status_request_is_checked(t->session, 0))
        t->why = "staple-missing";
    else
        return true;
    return false;
}

static bool peer_sent_cert(const struct net_tls *t)
{
    unsigned n = 0;

    return gnutls_certificate_get_peers(t->session, &n) != NULL && n > 0;
}

/* The verdict on whoever is there, or on nobody being there: ERR_OK or ERR_DENIED with why. */
static enum err judge_peer(struct net_tls *t)
{
    if (t->ctx->verify == NET_TLS_VERIFY_NONE)
        return ERR_OK;
    if (peer_sent_cert(t)) {
        t->peer.info.verified = peer_is_good(t);
        return t->peer.info.verified ? ERR_OK : ERR_DENIED;
    }
    if (t->ctx->verify == NET_TLS_VERIFY_OPTIONAL)
        return ERR_OK;
    t->why = "cert-missing";
    return ERR_DENIED;
}

/* What the answer to the question makes of a certificate that was good so far. */
static enum err judge_status(struct net_tls *t)
{
    if (t->status == NET_TLS_STATUS_GOOD)
        return ERR_OK;
    t->peer.info.verified = false;
    t->why = t->status == NET_TLS_STATUS_REVOKED ? "cert-revoked" : "status-unknown";
    return ERR_DENIED;
}

static void ask(struct net_tls *t)
{
    unsigned n = 0;
    const gnutls_datum_t *sent = gnutls_certificate_get_peers(t->session, &n);
    gnutls_x509_crt_t leaf = tls_peer_crt(slice_of(sent[0].data, sent[0].size));
    gnutls_x509_crt_t issuer = leaf ? tls_peer_issuer(t->session, leaf) : NULL;

    t->question = QUESTION_OPEN;
    if (issuer)
        (void)gnutls_x509_crt_export2(issuer, GNUTLS_X509_FMT_DER, &t->issuer); /* without: not at hand */
    if (issuer)
        gnutls_x509_crt_deinit(issuer);
    if (leaf)
        gnutls_x509_crt_deinit(leaf);
}

/* judge_peer, and behind it the question and its answer: ERR_AGAIN while that is not in. */
static enum err judge_and_ask(struct net_tls *t)
{
    enum err e = t->question == QUESTION_NONE ? judge_peer(t) : ERR_OK;

    if (e)
        return e;
    if (t->question == QUESTION_NONE && t->ctx->ask_status && t->peer.info.verified)
        ask(t);
    return t->question == QUESTION_OPEN       ? ERR_AGAIN
           : t->question == QUESTION_ANSWERED ? judge_status(t)
                                              : ERR_OK;
}

bool net_tls_question(const struct net_tls *t, struct slice *leaf, struct slice *issuer)
{
    unsigned n = 0;
    const gnutls_datum_t *sent = gnutls_certificate_get_peers(t->session, &n);

    if (t->question != QUESTION_OPEN || !sent || n == 0)
        return false;
    *leaf = slice_of(sent[0].data, sent[0].size);
    *issuer = slice_of(t->issuer.data, t->issuer.size);
    return true;
}

bool net_tls_key_question(const struct net_tls *t, struct net_tls_key_name *out)
{
    *out = t->wanted;
    return t->wanted.identity.n > 0;
}

void net_tls_answer(struct net_tls *t, enum net_tls_status status)
{
    if (t->wanted.identity.n) {
        t->wanted.identity = SLICE_NONE;
        t->in_ok += t->held_n;
        t->key_away = status != NET_TLS_STATUS_GOOD;
        return;
    }
    t->status = status;
    t->question = QUESTION_ANSWERED;
}

/* GnuTLS calls this when the peer's Certificate message has arrived, also an empty one; and again with each
 * gnutls_handshake() after it was told to wait. */
static int verify_in_handshake(gnutls_session_t session)
{
    enum err e = judge_and_ask(gnutls_session_get_ptr(session));

    return e == ERR_AGAIN ? GNUTLS_E_AGAIN : e ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

static const struct {
    int rc;
    enum err err;
    const char *why;
} faults[] = {
    {GNUTLS_E_CERTIFICATE_ERROR, ERR_DENIED, "cert-untrusted"},
    {GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR, ERR_DENIED, "cert-untrusted"},
    {GNUTLS_E_PK_SIG_VERIFY_FAILED, ERR_DENIED, "cert-untrusted"},
    {GNUTLS_E_NO_CERTIFICATE_FOUND, ERR_DENIED, "cert-missing"},
    {GNUTLS_E_CERTIFICATE_REQUIRED, ERR_DENIED, "cert-missing"},
    {GNUTLS_E_UNSUPPORTED_VERSION_PACKET, ERR_PEER, "version"},
    {GNUTLS_E_NO_CIPHER_SUITES, ERR_PEER, "no-shared-suite"},
    {GNUTLS_E_NO_COMMON_KEY_SHARE, ERR_PEER, "no-shared-suite"},
    {GNUTLS_E_INSUFFICIENT_CREDENTIALS, ERR_PEER, "no-shared-suite"},
    {GNUTLS_E_NO_APPLICATION_PROTOCOL, ERR_PEER, "alpn"},
    {GNUTLS_E_FATAL_ALERT_RECEIVED, ERR_PEER, "alert"},
    {GNUTLS_E_MEMORY_ERROR, ERR_NOMEM, "memory"},
};

/* A fatal GnuTLS result: the reason (unless the verifier knew better) and the error. */
static enum err fail(struct net_tls *t, int rc)
{
    const char *why = "protocol";
    enum err e = ERR_PEER;

    t->failed = true;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (faults[i].rc == rc) {
            why = faults[i].why;
            e = faults[i].err;
        }
    }
    if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED && gnutls_alert_get(t->session) == GNUTLS_A_INTERNAL_ERROR)
        why = NET_TLS_PEER_TROUBLE;
    if (*t->why == '\0')
        t->why = why;
    return e;
}

/* Do both ends prove themselves by a shared key? */
static bool keyed(const struct net_tls *t)
{
    return t->ctx->psk_server || t->ctx->psk_client;
}

const struct net_tls_psk_source *tls_psk_source_of(gnutls_session_t session)
{
    const struct net_tls *t = gnutls_session_get_ptr(session);

    return &t->ctx->psk;
}

uint16_t *tls_psk_suite_of(gnutls_session_t session)
{
    struct net_tls *t = gnutls_session_get_ptr(session);

    return &t->psk_suite;
}

/* A key that is for one handshake is good for the first that comes so far. */
static enum err use_key(struct net_tls *t)
{
    const struct net_tls_psk_source *source = &t->ctx->psk;

    if (!t->ctx->psk_server || !source->used || source->used(source->arg, t->peer.info.psk))
        return ERR_OK;
    t->why = "psk";
    t->failed = true;
    (void)gnutls_alert_send(t->session, GNUTLS_AL_FATAL, GNUTLS_A_DECRYPT_ERROR);
    return ERR_DENIED;
}

/* After the last message.  A resumed session never ran the verifier, so it is judged here. */
static enum err handshake_done(struct net_tls *t)
{
    enum err e = gnutls_session_is_resumed(t->session) ? judge_and_ask(t) : ERR_OK;

    if (e == ERR_AGAIN)
        return e;
    if (keyed(t) && !tls_psk_used(t->session)) {
        t->why = "psk";
        e = ERR_DENIED;
    }
    if (e) {
        t->failed = true;
        (void)gnutls_alert_send(t->session, GNUTLS_AL_FATAL, GNUTLS_A_BAD_CERTIFICATE);
        return e;
    }
    e = tls_peer_read(&t->peer, t->session);
    t->peer.info.resumed = gnutls_session_is_resumed(t->session);
    if (!e)
        e = use_key(t);
    if (!e)
        keep_ticket(t);
    return e;
}

/* How a wrong key shows: in the first protected record under TLS 1.2, in the binder under TLS 1.3. */
static bool is_key_fault(int rc)
{
    return rc == GNUTLS_E_DECRYPTION_FAILED || rc == GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
}

/* Must the key of that name be asked for? */
static bool wants(struct net_tls *t, struct net_tls_key_name *name)
{
    const struct net_tls_psk_source *source = &t->ctx->psk;

    name->suite = name->version == 13 ? 0 : t->psk_suite;
    return source->wants(source->arg, name->identity, name->version, name->suite);
}

/* Lets GnuTLS have one more record; false: there is none, or it waits for its key. */
static bool admit(struct net_tls *t)
{
    struct slice rest = slice_sub(buf_slice(&t->in), t->in_ok, t->in.n);
    struct net_tls_key_name name;
    size_t n = t->hold && !t->wanted.identity.n ? tls_hold_record_n(rest) : 0;

    if (n == 0)
        return false;
    if (tls_hold_look(t->hold, slice_sub(rest, 0, n), &name.version, &name.identity) && wants(t, &name)) {
        t->wanted = name;
        t->held_n = n;
        return false;
    }
    t->in_ok += n;
    if (t->hold->over)
        hold_end(t);
    return true;
}

/* One record at a time: what a later one means may hang on what GnuTLS makes of those before. */
static int step(struct net_tls *t)
{
    bool more;
    int rc;

    do {
        more = admit(t);
        rc = gnutls_handshake(t->session);
    } while (rc < 0 && (rc == GNUTLS_E_AGAIN ? more : !gnutls_error_is_fatal(rc)));
    return rc;
}

static enum err key_away(struct net_tls *t)
{
    t->failed = true;
    t->why = "key-away";
    (void)gnutls_alert_send(t->session, GNUTLS_AL_FATAL, GNUTLS_A_INTERNAL_ERROR);
    return ERR_DENIED;
}

enum err net_tls_handshake(struct net_tls *t)
{
    int rc;

    if (t->failed)
        return ERR_PEER;
    if (t->key_away)
        return key_away(t);
    rc = t->shaken
             ? 0
             : step(t); /* when it is over it says so again: a resumed one may still wait for an answer */
    if (rc == GNUTLS_E_AGAIN)
        return ERR_AGAIN;
    t->shaken = rc == 0;
    hold_end(t);
    if (rc == 0)
        return handshake_done(t);
    if (t->ctx->psk_server && is_key_fault(rc)) {
        t->why = "psk";
        (void)gnutls_alert_send(t->session, GNUTLS_AL_FATAL, GNUTLS_A_DECRYPT_ERROR); /* RFC 4279 §2 */
    } else {
        (void)gnutls_alert_send_appropriate(t->session, rc); /* not possible for every rc */
    }
    return fail(t, rc);
}

/* One record's content.  GnuTLS also says "again" after a record that was for itself (a ticket, a key update): as
 * long as octets are taken and some are left there may be more to get. */
static ssize_t recv_record(struct net_tls *t, void *out, size_t cap)
{
    ssize_t rc;
    size_t left;
    bool more;

    do {
        left = t->in.n - t->in_at;
        rc = gnutls_record_recv(t->session, out, cap);
        more = t->in.n > t->in_at && t->in.n - t->in_at < left;
    } while ((rc == GNUTLS_E_AGAIN && more) || rc == GNUTLS_E_INTERRUPTED ||
             rc == GNUTLS_E_WARNING_ALERT_RECEIVED);
    if (t->ctx->tickets)
        keep_ticket(t);
    return rc;
}

enum err net_tls_read(struct net_tls *t, void *out, size_t cap, size_t *n)
{
    ssize_t rc = t->failed ? GNUTLS_E_INVALID_SESSION : recv_record(t, out, cap);

    if (rc == GNUTLS_E_AGAIN)
        return ERR_AGAIN;
    if (rc == 0)
        return ERR_ABSENT;
    if (rc < 0 && !t->failed) /* a wish to renegotiate too */
        (void)gnutls_alert_send_appropriate(t->session, (int)rc);
    if (rc < 0)
        return fail(t, (int)rc);
    *n = (size_t)rc;
    return ERR_OK;
}

enum err net_tls_write(struct net_tls *t, struct slice s)
{
    while (s.n) {
        ssize_t rc = t->failed ? GNUTLS_E_INVALID_SESSION : gnutls_record_send(t->session, s.p, s.n);

        if (rc < 0)
            return buf_err(&t->out) ? ERR_NOMEM : fail(t, (int)rc);
        s = slice_sub(s, (size_t)rc, s.n);
    }
    return ERR_OK;
}

void net_tls_bye(struct net_tls *t)
{
    if (!t->failed)
        (void)gnutls_bye(t->session, GNUTLS_SHUT_WR);
}

size_t net_tls_out_n(const struct net_tls *t)
{
    return t->out.n;
}

void net_tls_out_take(struct net_tls *t, struct buf *to)
{
    if (!to->p) {
        buf_move(&t->out, to);
        return;
    }
    buf_add(to, buf_slice(&t->out));
    buf_clear(&t->out);
}

const struct net_tls_peer *net_tls_peer(const struct net_tls *t)
{
    return &t->peer.info;
}

const char *net_tls_why(const struct net_tls *t)
{
    return t->why;
}

gnutls_session_t tls_session_of(struct net_tls *t)
{
    return t->session;
}
