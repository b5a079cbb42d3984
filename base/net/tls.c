/* A session: GnuTLS between two memory queues, wire octets in, wire octets out, no sockets and no waiting; its settings
 * from a context, its records, its end.  ALPN http/1.1 and, of a server, http/1.0 (RFC 7301), SNI (RFC 6066 §3).  Not here:
 * contexts (tls_ctx.c), the handshake (tls_handshake.c), the verdict on a certificate (tls_judge.c), tickets (tls_resume.c).
 * One thread a session. */
#include "base/net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/net/tls_policy.h"
#include "base/net/tls_psk.h"
#include "base/net/tls_resume.h"
#include "base/net/tls_session.h"
#include "base/num.h"

#define IN_MAX_N        (((size_t)64 << 10) + ((size_t)17 << 10)) /* unread wire octets: 64 KiB and a full record */
#define OUT_MAX_N       ((size_t)96 << 20)                        /* above what a stream lets anybody queue */
/* Octets of one handshake message: a long certificate chain fits, a flood before authentication does not. */
#define HANDSHAKE_MAX_N ((size_t)48 << 10)
#define NAME_MAX_N      255
#define NAME_UTF8_MAX_N 1024 /* of a name of NAME_MAX_N octets, its "xn--" labels decoded */

/* A ticket key is good for three times this: GnuTLS then derives the next, every 12 hours. */
#define TICKET_LIFE_S   (4 * 3600)

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
        tls_resume_offer(t);
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

/* With keys that may be far away what comes is looked at first. */
static enum err keys_setup(struct net_tls *t)
{
    bool hold = t->ctx->psk.wants && !t->ctx->datagrams;

    if (gnutls_credentials_set(t->session, GNUTLS_CRD_PSK, t->ctx->psk_server) < 0)
        return ERR_NOMEM;
    return hold ? tls_hold_create(&t->hold) : ERR_OK;
}

static enum err server_setup(struct net_tls *t)
{
    static const gnutls_certificate_request_t ask[] = {
        [NET_TLS_VERIFY_NONE] = GNUTLS_CERT_IGNORE,
        [NET_TLS_VERIFY_OPTIONAL] = GNUTLS_CERT_REQUEST,
        [NET_TLS_VERIFY_REQUIRED] = GNUTLS_CERT_REQUIRE,
    };
    const gnutls_datum_t ticket_key = {(unsigned char *)(uintptr_t)t->ctx->ticket_key.p,
                                       (unsigned)t->ctx->ticket_key.n};

    if (t->ctx->demand_13)
        tls_policy_demand_13(t->session);
    else if (t->ctx->psk.derive)
        tls_psk_watch(t->session);
    if (t->ctx->psk_server)
        return keys_setup(t);
    if (t->ctx->names)
        gnutls_handshake_set_post_client_hello_function(t->session, select_pairs);
    gnutls_certificate_server_set_request(t->session, ask[t->ctx->verify]);
    gnutls_db_set_cache_expiration(t->session, TICKET_LIFE_S);
    return gnutls_session_ticket_enable_server(t->session, &ticket_key) < 0 ? ERR_NOMEM : ERR_OK;
}

/* ALPN is mandatory where both speak of it (RFC 7301 §3.2: no_application_protocol).  A server takes HTTP/1.0 as well,
 * from who offers nothing better; a client sends none. */
static int set_protocols(struct net_tls *t)
{
    static const gnutls_datum_t http[] = {{(unsigned char *)(uintptr_t) "http/1.1", 8},
                                          {(unsigned char *)(uintptr_t) "http/1.0", 8}};

    return gnutls_alpn_set_protocols(t->session, http, t->ctx->role == NET_TLS_SERVER ? 2 : 1,
                                     GNUTLS_ALPN_MANDATORY | GNUTLS_ALPN_SERVER_PRECEDENCE);
}

static enum err session_setup(struct net_tls *t, struct slice server_name)
{
    gnutls_session_set_ptr(t->session, t);
    gnutls_handshake_set_max_packet_length(t->session, HANDSHAKE_MAX_N);
    gnutls_transport_set_ptr(t->session, t);
    gnutls_transport_set_pull_function(t->session, pull);
    gnutls_transport_set_push_function(t->session, push);
    gnutls_transport_set_pull_timeout_function(t->session, pull_ready);
    if (gnutls_priority_set(t->session, t->ctx->priority) < 0 ||
        gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->ctx->cred) < 0)
        return ERR_NOMEM;
    if (t->ctx->alpn_http11 && set_protocols(t) < 0)
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
    t->ctx = net_tls_ctx_hold(ctx);
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
    gnutls_free((void *)(uintptr_t)t->issuer.p);
    tls_hold_free(&t->hold);
    net_tls_ctx_free(&t->ctx);
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
enum err tls_fail(struct net_tls *t, int rc)
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
    if (t->ctx->tickets && !t->ticket_kept)
        tls_resume_keep(t);
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
        return tls_fail(t, (int)rc);
    *n = (size_t)rc;
    return ERR_OK;
}

enum err net_tls_write(struct net_tls *t, struct slice s)
{
    while (s.n) {
        ssize_t rc = t->failed ? GNUTLS_E_INVALID_SESSION : gnutls_record_send(t->session, s.p, s.n);

        if (rc < 0)
            return buf_err(&t->out) ? ERR_NOMEM : tls_fail(t, (int)rc);
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
