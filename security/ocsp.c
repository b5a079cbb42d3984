/* OCSP on GnuTLS: RFC 6960.  A response is taken when its issuer signed it, or a responder that the issuer has named by
 * a certificate with id-kp-OCSPSigning (§4.2.2.2); any other signature is worth nothing, even a trusted one.  Any
 * thread. */
#include "security/ocsp.h"

#include <gnutls/ocsp.h>
#include <gnutls/x509.h>

#include "base/mem.h"
#include "security/hash.h"

#define ACCESS_MAX 16 /* access descriptions looked at */

struct pair {
    gnutls_x509_crt_t leaf, issuer;
};

static void pair_clear(struct pair *p)
{
    if (p->leaf)
        gnutls_x509_crt_deinit(p->leaf);
    if (p->issuer)
        gnutls_x509_crt_deinit(p->issuer);
}

static gnutls_datum_t datum_of(struct slice s)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

static enum err crt_read(struct slice der, gnutls_x509_crt_t *out)
{
    gnutls_datum_t data = datum_of(der);

    if (gnutls_x509_crt_init(out) < 0)
        return ERR_NOMEM;
    return gnutls_x509_crt_import(*out, &data, GNUTLS_X509_FMT_DER) < 0 ? ERR_MALFORMED : ERR_OK;
}

/* Clear it whatever comes back. */
static enum err pair_read(struct slice leaf, struct slice issuer, struct pair *out)
{
    enum err e = crt_read(leaf, &out->leaf);

    return e ? e : crt_read(issuer, &out->issuer);
}

enum err sec_ocsp_key(struct slice leaf, struct slice issuer, uint8_t key[SEC_OCSP_KEY_N])
{
    const struct slice both[] = {leaf, issuer};

    return sec_hash_make(SEC_HASH_SHA256, both, 2, key);
}

static enum err find_url(gnutls_x509_crt_t leaf, struct buf *out)
{
    for (unsigned i = 0; i < ACCESS_MAX; i++) {
        gnutls_datum_t uri = {NULL, 0};
        int rc = gnutls_x509_crt_get_authority_info_access(leaf, i, GNUTLS_IA_OCSP_URI, &uri, NULL);
        struct slice text = slice_of(uri.data, uri.size);
        bool good = rc >= 0 && slice_starts_ci(text, SLICE("http://")) && slice_printable_n(text) == text.n;

        if (good)
            buf_add(out, text);
        gnutls_free(uri.data);
        if (good)
            return buf_err(out);
        if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return ERR_ABSENT;
    }
    return ERR_ABSENT;
}

enum err sec_ocsp_url(struct slice leaf, struct buf *out)
{
    gnutls_x509_crt_t crt = NULL;
    enum err e = crt_read(leaf, &crt);

    if (!e)
        e = find_url(crt, out);
    if (crt)
        gnutls_x509_crt_deinit(crt);
    return e;
}

static enum err print_request(gnutls_ocsp_req_t req, const struct pair *p, struct buf *out)
{
    gnutls_datum_t der = {NULL, 0};

    /* SHA-1 names the certificate here and protects nothing; responders know it before all others (RFC 5019 §2.1.1). */
    if (gnutls_ocsp_req_add_cert(req, GNUTLS_DIG_SHA1, p->issuer, p->leaf) < 0 ||
        gnutls_ocsp_req_export(req, &der) < 0)
        return ERR_MALFORMED;
    buf_add(out, slice_of(der.data, der.size));
    gnutls_free(der.data);
    return buf_err(out);
}

enum err sec_ocsp_request(struct slice leaf, struct slice issuer, struct buf *out)
{
    struct pair p = {NULL, NULL};
    gnutls_ocsp_req_t req = NULL;
    enum err e = pair_read(leaf, issuer, &p);

    if (!e && gnutls_ocsp_req_init(&req) < 0)
        e = ERR_NOMEM;
    if (!e)
        e = print_request(req, &p, out);
    if (req)
        gnutls_ocsp_req_deinit(req);
    pair_clear(&p);
    return e;
}

/* Signed by the issuer, or by whom the issuer has named for it. */
static enum err check_signature(gnutls_ocsp_resp_t resp, gnutls_x509_crt_t issuer)
{
    gnutls_x509_trust_list_t trust;
    unsigned verdict = 0;
    int rc;

    if (gnutls_x509_trust_list_init(&trust, 0) < 0)
        return ERR_NOMEM;
    if (gnutls_x509_trust_list_add_cas(trust, &issuer, 1, 0) != 1) {
        gnutls_x509_trust_list_deinit(trust, 0);
        return ERR_NOMEM;
    }
    rc = gnutls_ocsp_resp_verify(resp, trust, &verdict, 0);
    gnutls_x509_trust_list_deinit(trust, 0); /* the certificate stays its owner's */
    return rc < 0 || verdict ? ERR_DENIED : ERR_OK;
}

static enum err check_times(time_t from, time_t to, int64_t now_s, int64_t *until_s)
{
    if (from == (time_t)-1 || from > now_s + SEC_OCSP_SKEW_S)
        return ERR_LATE;
    if (to == (time_t)-1) { /* newer is always to be had */
        *until_s = now_s + SEC_OCSP_OPEN_S;
        return from < now_s - SEC_OCSP_KEPT_MAX_S ? ERR_LATE : ERR_OK;
    }
    if (to <= now_s)
        return ERR_LATE;
    *until_s = to < now_s + SEC_OCSP_KEPT_MAX_S ? to : now_s + SEC_OCSP_KEPT_MAX_S;
    return ERR_OK;
}

static enum err read_answer(gnutls_ocsp_resp_t resp, gnutls_x509_crt_t leaf, int64_t now_s,
                            struct sec_ocsp_answer *out)
{
    struct sec_ocsp_answer a = {.status = SEC_OCSP_UNKNOWN};
    unsigned status = GNUTLS_OCSP_CERT_UNKNOWN;
    time_t from, to;
    enum err e;

    if (gnutls_ocsp_resp_check_crt(resp, 0, leaf) < 0 ||
        gnutls_ocsp_resp_get_single(resp, 0, NULL, NULL, NULL, NULL, &status, &from, &to, NULL, NULL) < 0)
        return ERR_MALFORMED;
    e = check_times(from, to, now_s, &a.until_s);
    if (e)
        return e;
    a.status = status == GNUTLS_OCSP_CERT_GOOD      ? SEC_OCSP_GOOD
               : status == GNUTLS_OCSP_CERT_REVOKED ? SEC_OCSP_REVOKED
                                                    : SEC_OCSP_UNKNOWN;
    *out = a;
    return ERR_OK;
}

static enum err judge(gnutls_ocsp_resp_t resp, struct slice response, const struct pair *p, int64_t now_s,
                      struct sec_ocsp_answer *out)
{
    gnutls_datum_t data = datum_of(response);
    enum err e;

    if (response.n > SEC_OCSP_RESPONSE_MAX || gnutls_ocsp_resp_import(resp, &data) < 0)
        return ERR_MALFORMED;
    if (gnutls_ocsp_resp_get_status(resp) != GNUTLS_OCSP_RESP_SUCCESSFUL)
        return ERR_PEER;
    e = check_signature(resp, p->issuer);
    return e ? e : read_answer(resp, p->leaf, now_s, out);
}

enum err sec_ocsp_judge(struct slice response, struct slice leaf, struct slice issuer, int64_t now_s,
                        struct sec_ocsp_answer *out)
{
    struct pair p = {NULL, NULL};
    gnutls_ocsp_resp_t resp = NULL;
    enum err e = pair_read(leaf, issuer, &p);

    if (!e && gnutls_ocsp_resp_init(&resp) < 0)
        e = ERR_NOMEM;
    if (!e)
        e = judge(resp, response, &p, now_s, out);
    if (resp)
        gnutls_ocsp_resp_deinit(resp);
    pair_clear(&p);
    return e;
}
