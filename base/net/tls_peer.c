/* Reads the leaf certificate of a TLS peer: subjectAltName URI, dNSName and rfc822Name (RFC 5280 §4.2.1.6) and the
 * SHA-256 fingerprint, and words GnuTLS's verdicts.  Judges nothing.  Same thread as the session. */
#include "base/net/tls_peer.h"

#include <gnutls/x509.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/num.h"

#define NAMES_MAX   64 /* subjectAltName entries looked at */
#define NAME_MAX_N  512
#define NAMES_MAX_N ((size_t)16 << 10)

void tls_peer_init(struct tls_peer_store *p)
{
    *p = (struct tls_peer_store){0};
    arena_init(&p->names, 256, NAMES_MAX_N);
}

void tls_peer_clear(struct tls_peer_store *p)
{
    arena_clear(&p->names);
}

const char *tls_peer_status_text(unsigned status)
{
    static const struct {
        unsigned bit;
        const char *text;
    } rows[] = {
        /* the gravest first */
        {GNUTLS_CERT_REVOKED, "cert-revoked"},
        {GNUTLS_CERT_SIGNER_NOT_FOUND, "cert-untrusted"},
        {GNUTLS_CERT_SIGNATURE_FAILURE, "cert-untrusted"},
        {GNUTLS_CERT_SIGNER_NOT_CA, "cert-untrusted"},
        {GNUTLS_CERT_EXPIRED, "cert-expired"},
        {GNUTLS_CERT_NOT_ACTIVATED, "cert-not-yet-valid"},
        {GNUTLS_CERT_UNEXPECTED_OWNER, "cert-name"},
        {GNUTLS_CERT_PURPOSE_MISMATCH, "cert-purpose"},
        {GNUTLS_CERT_INSECURE_ALGORITHM, "cert-weak"},
        {GNUTLS_CERT_INVALID_OCSP_STATUS, "staple-bad"},
        {GNUTLS_CERT_MISSING_OCSP_STATUS, "staple-missing"},
        {GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED, "crl-expired"},
        {GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE, "crl-not-yet-valid"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (status & rows[i].bit)
            return rows[i].text;
    }
    return "cert-untrusted";
}

const char *net_tls_event(enum net_tls_role peer, const char *why)
{
    static const struct {
        const char *why, *client, *server;
    } rows[] = {
        {"cert-expired", "tls.client.expired", "tls.server.expired"},
        {"cert-not-yet-valid", "tls.client.not-yet-valid", "tls.server.not-yet-valid"},
        {"cert-revoked", "tls.client.revoked", "tls.server.revoked"},
        {"cert-untrusted", "tls.client.untrusted", "tls.server.untrusted"},
        {"cert-name", "tls.client.wrong-name", "tls.server.wrong-name"},
        {"cert-missing", "tls.client.missing", "tls.server.missing"},
        {"cert-purpose", "tls.client.wrong-purpose", "tls.server.wrong-purpose"},
        {"cert-weak", "tls.client.weak", "tls.server.weak"},
        {"status-unknown", "tls.client.status-unknown", "tls.server.status-unknown"},
        {"crl-expired", "tls.client.crl-expired", "tls.server.crl-expired"},
        {"crl-not-yet-valid", "tls.client.crl-not-yet-valid", "tls.server.crl-not-yet-valid"},
        {"staple-missing", "tls.client.staple-missing", "tls.server.staple-missing"},
        {"staple-bad", "tls.client.staple-bad", "tls.server.staple-bad"},
        {"psk", "tls.client.psk", "tls.server.psk"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (slice_eq(slice_str(rows[i].why), slice_str(why)))
            return peer == NET_TLS_CLIENT ? rows[i].client : rows[i].server;
    return NULL;
}

/* A name with a NUL or another control octet is no name: it could be read as a shorter one. */
static bool name_is_clean(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];

        if (ch <= 0x20 || ch == 0x7f)
            return false;
    }
    return s.n > 0;
}

struct name_list {
    struct slice *of; /* room for NAMES_MAX */
    size_t n;
};

static enum err name_add(struct arena *a, struct name_list *l, struct slice s)
{
    if (!name_is_clean(s))
        return ERR_OK;
    return arena_dup(a, s, &l->of[l->n++]);
}

/* Keeps a list of exactly the names found. */
static enum err names_keep(struct arena *a, const struct name_list *l, const struct slice **out, size_t *n)
{
    struct slice *kept;

    if (l->n == 0)
        return ERR_OK;
    kept = arena_array(a, l->n, sizeof *kept);
    if (!kept)
        return ERR_NOMEM;
    for (size_t i = 0; i < l->n; i++)
        kept[i] = l->of[i];
    *out = kept;
    *n = l->n;
    return ERR_OK;
}

enum { URIS, DNS, EMAILS, KINDS };

/* Which list a subjectAltName belongs to; KINDS for those nobody asks for. */
static unsigned kind_of(int type)
{
    return type == GNUTLS_SAN_URI          ? URIS
           : type == GNUTLS_SAN_DNSNAME    ? DNS
           : type == GNUTLS_SAN_RFC822NAME ? EMAILS
                                           : KINDS;
}

static enum err names_collect(struct arena *a, gnutls_x509_crt_t crt, struct name_list lists[KINDS])
{
    for (unsigned i = 0;; i++) {
        char text[NAME_MAX_N];
        size_t n = sizeof text;
        unsigned kind;
        enum err e;
        int type = gnutls_x509_crt_get_subject_alt_name(crt, i, text, &n, NULL);

        if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return ERR_OK;
        if (i == NAMES_MAX)
            return ERR_LIMIT;
        kind = kind_of(type);
        if (kind == KINDS)
            continue; /* also names that are too long */
        e = name_add(a, &lists[kind], slice_of(text, n));
        if (e)
            return e;
    }
}

static enum err names_read(struct tls_peer_store *p, gnutls_x509_crt_t crt)
{
    struct slice room[KINDS][NAMES_MAX];
    struct name_list lists[KINDS] = {{room[URIS], 0}, {room[DNS], 0}, {room[EMAILS], 0}};
    enum err e = names_collect(&p->names, crt, lists);

    if (!e)
        e = names_keep(&p->names, &lists[URIS], &p->info.uris, &p->info.uris_n);
    if (!e)
        e = names_keep(&p->names, &lists[DNS], &p->info.dns, &p->info.dns_n);
    if (!e)
        e = names_keep(&p->names, &lists[EMAILS], &p->info.emails, &p->info.emails_n);
    return e;
}

gnutls_x509_crt_t tls_peer_crt(struct slice der)
{
    gnutls_datum_t data = {(unsigned char *)(uintptr_t)der.p, (unsigned)der.n};
    gnutls_x509_crt_t crt;

    if (gnutls_x509_crt_init(&crt) < 0)
        return NULL;
    if (gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER) == 0)
        return crt;
    gnutls_x509_crt_deinit(crt);
    return NULL;
}

gnutls_x509_crt_t tls_peer_issuer(gnutls_session_t session, gnutls_x509_crt_t leaf)
{
    unsigned n = 0;
    const gnutls_datum_t *sent = gnutls_certificate_get_peers(session, &n);
    gnutls_x509_crt_t issuer = sent && n > 1 ? tls_peer_crt(slice_of(sent[1].data, sent[1].size)) : NULL;
    void *cred = NULL;

    if (issuer && gnutls_x509_crt_check_issuer(leaf, issuer))
        return issuer;
    if (issuer)
        gnutls_x509_crt_deinit(issuer);
    issuer = NULL;
    if (gnutls_credentials_get(session, GNUTLS_CRD_CERTIFICATE, &cred) < 0 ||
        gnutls_certificate_get_issuer(cred, leaf, &issuer, GNUTLS_TL_GET_COPY) < 0)
        return NULL;
    return issuer;
}

static enum err fingerprint(const gnutls_datum_t *der, char out[65])
{
    unsigned char digest[32];
    size_t n = sizeof digest;
    struct buf hex;
    enum err e;

    if (gnutls_fingerprint(GNUTLS_DIG_SHA256, der, digest, &n) < 0)
        return ERR_DENIED;
    buf_init(&hex, 64);
    codec_hex(&hex, slice_of(digest, n));
    e = buf_err(&hex);
    if (!e)
        e = mem_cstr(out, 65, buf_slice(&hex));
    buf_clear(&hex);
    return e;
}

/* Who signed the leaf: what the peer sent behind it, else the trust anchor that did. */
static enum err issuer_read(struct tls_peer_store *p, gnutls_x509_crt_t leaf, gnutls_session_t session)
{
    gnutls_datum_t der = {NULL, 0};
    gnutls_x509_crt_t issuer = tls_peer_issuer(session, leaf);
    enum err e = ERR_OK;

    if (!issuer)
        return ERR_OK;
    if (gnutls_x509_crt_export2(issuer, GNUTLS_X509_FMT_DER, &der) == 0)
        e = fingerprint(&der, p->info.issuer);
    gnutls_free(der.data);
    gnutls_x509_crt_deinit(issuer);
    return e;
}

static enum err cert_read(struct tls_peer_store *p, const gnutls_datum_t *der, gnutls_session_t session)
{
    gnutls_x509_crt_t crt;
    enum err e = ERR_DENIED;

    if (gnutls_x509_crt_init(&crt) < 0)
        return ERR_NOMEM;
    if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) == 0)
        e = names_read(p, crt);
    if (!e)
        e = fingerprint(der, p->info.fingerprint);
    if (!e)
        e = issuer_read(p, crt, session);
    gnutls_x509_crt_deinit(crt);
    p->info.has_cert = !e;
    return e;
}

/* The identity that the handshake was keyed by, on the server's side. */
static enum err psk_read(struct tls_peer_store *p, gnutls_session_t session)
{
    gnutls_datum_t identity = {NULL, 0};

    if (gnutls_psk_server_get_username2(session, &identity) < 0 || identity.size == 0)
        return ERR_OK;
    return arena_dup(&p->names, slice_of(identity.data, identity.size), &p->info.psk);
}

/* GnuTLS tells names in one form and lists them in another.  Under TLS 1.2 key exchange and cipher are enough, as all
 * that we offer is AEAD; a suite of TLS 1.3 is its cipher. */
static uint16_t suite_number(gnutls_session_t session)
{
    bool is_13 = gnutls_protocol_get_version(session) == GNUTLS_TLS1_3;
    gnutls_cipher_algorithm_t cipher;
    gnutls_kx_algorithm_t kx;
    gnutls_mac_algorithm_t mac;
    gnutls_protocol_t version;
    unsigned char number[2];

    for (size_t i = 0; gnutls_cipher_suite_info(i, number, &kx, &cipher, &mac, &version); i++)
        if (cipher == gnutls_cipher_get(session) && mac == GNUTLS_MAC_AEAD &&
            (is_13 ? version == GNUTLS_TLS1_3 : version != GNUTLS_TLS1_3 && kx == gnutls_kx_get(session)))
            return num_get16(number);
    return 0;
}

enum err tls_peer_read(struct tls_peer_store *p, struct gnutls_session_int *session)
{
    const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(session));
    const char *suite = gnutls_ciphersuite_get(session);
    unsigned n = 0;
    const gnutls_datum_t *certs = gnutls_certificate_get_peers(session, &n);
    enum err e = mem_cstr(p->info.version, sizeof p->info.version, slice_str(version));

    if (!e)
        e = mem_cstr(p->info.suite, sizeof p->info.suite, slice_str(suite));
    p->info.suite_number = suite_number(session);
    if (!e && certs && n)
        e = cert_read(p, &certs[0], session);
    return e ? e : psk_read(p, session);
}
