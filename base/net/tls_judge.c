/* Judges the peer's certificate: chain, dates, purpose, name, revocation list, staple, and last what a responder says of
 * it, for which the handshake waits.  It does so inside the handshake, so that the peer gets the alert, and again after a
 * resumed one, where GnuTLS restores the certificate from the ticket: a revoked or expired identity does not live on in
 * tickets.  RFC 5280 §6, RFC 6066 §8.  Not here: what a certificate says (tls_peer.c), asking the responder.  On the
 * session's thread. */
#include "base/net/tls_judge.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <time.h>

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
    gnutls_datum_t der;

    t->question = TLS_QUESTION_OPEN;
    if (issuer && gnutls_x509_crt_export2(issuer, GNUTLS_X509_FMT_DER, &der) >= 0)
        t->issuer = slice_of(der.data, der.size); /* without: not at hand */
    if (issuer)
        gnutls_x509_crt_deinit(issuer);
    if (leaf)
        gnutls_x509_crt_deinit(leaf);
}

/* judge_peer, and behind it the question and its answer: ERR_AGAIN while that is not in. */
enum err tls_judge(struct net_tls *t)
{
    enum err e = t->question == TLS_QUESTION_NONE ? judge_peer(t) : ERR_OK;

    if (e)
        return e;
    if (t->question == TLS_QUESTION_NONE && t->ctx->ask_status && t->peer.info.verified)
        ask(t);
    return t->question == TLS_QUESTION_OPEN       ? ERR_AGAIN
           : t->question == TLS_QUESTION_ANSWERED ? judge_status(t)
                                                  : ERR_OK;
}

bool net_tls_question(const struct net_tls *t, struct slice *leaf, struct slice *issuer)
{
    unsigned n = 0;
    const gnutls_datum_t *sent = gnutls_certificate_get_peers(t->session, &n);

    if (t->question != TLS_QUESTION_OPEN || !sent || n == 0)
        return false;
    *leaf = slice_of(sent[0].data, sent[0].size);
    *issuer = t->issuer;
    return true;
}

int tls_judge_in_handshake(gnutls_session_t session)
{
    enum err e = tls_judge(gnutls_session_get_ptr(session));

    return e == ERR_AGAIN ? GNUTLS_E_AGAIN : e ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}
