/* Chains by GnuTLS; see xmlcert.h. */
#include "security/xml/xmlcert.h"

#include <gnutls/x509.h>
#include "base/codec.h"
#include "security/xml/xmldoc.h"

#define CERTIFICATES_MAX 4
#define TRUSTED_MAX      64
#define RSA_BITS_MIN     2048u
#define DER_MAX_N        8192u

struct chain {
    gnutls_x509_crt_t list[CERTIFICATES_MAX];
    unsigned n;
    struct buf der; /* of the first one */
};

static enum err chain_add(struct chain *c, struct _xmlNode *n)
{
    struct buf der;
    gnutls_datum_t data;
    enum err e;

    if (c->n == CERTIFICATES_MAX)
        return ERR_LIMIT;
    buf_init(&der, DER_MAX_N);
    e = codec_unbase64(sec_xmldoc_text(n), true, &der);
    if (!e && gnutls_x509_crt_init(&c->list[c->n]) < 0)
        e = ERR_NOMEM;
    if (!e) {
        data = (gnutls_datum_t){(unsigned char *)der.p, (unsigned)der.n};
        e = gnutls_x509_crt_import(c->list[c->n++], &data, GNUTLS_X509_FMT_DER) < 0 ? ERR_MALFORMED : ERR_OK;
    }
    if (!e && c->n == 1)
        buf_move(&der, &c->der);
    buf_clear(&der);
    return e;
}

/* KeyInfo = [KeyName] X509Data, that = 1*X509Certificate, the signer's first. */
static enum err chain_read(struct _xmlNode *key_info, struct chain *out)
{
    struct sec_xmldoc_cursor c = sec_xmldoc_inside(key_info);
    struct _xmlNode *n;
    enum err e;

    (void)sec_xmldoc_may(&c, SEC_XMLDOC_DSIG, "KeyName");
    n = sec_xmldoc_may(&c, SEC_XMLDOC_DSIG, "X509Data");
    sec_xmldoc_end(&c);
    e = c.err ? c.err : n ? ERR_OK : ERR_UNSUPPORTED;
    if (e)
        return e;
    c = sec_xmldoc_inside(n);
    while (!e && (n = sec_xmldoc_may(&c, SEC_XMLDOC_DSIG, "X509Certificate")))
        e = chain_add(out, n);
    sec_xmldoc_end(&c);
    if (!e)
        e = c.err;
    return e ? e : out->n ? ERR_OK : ERR_MALFORMED;
}

/* May its key sign a message now, whoever vouches for it? */
static bool may_sign(gnutls_x509_crt_t crt, int64_t now_s)
{
    unsigned bits = 0, usage = 0;

    if (gnutls_x509_crt_get_pk_algorithm(crt, &bits) != GNUTLS_PK_RSA || bits < RSA_BITS_MIN)
        return false;
    if (gnutls_x509_crt_get_key_usage(crt, &usage, NULL) >= 0 &&
        !(usage & (GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_NON_REPUDIATION)))
        return false;
    return gnutls_x509_crt_get_activation_time(crt) <= now_s &&
           gnutls_x509_crt_get_expiration_time(crt) > now_s;
}

/* The clock is the caller's, so times are compared here: of all that were sent along. */
static bool vouched(const struct chain *c, gnutls_x509_crt_t *trusted, unsigned trusted_n, int64_t now_s)
{
    gnutls_x509_trust_list_t list;
    unsigned status = GNUTLS_CERT_INVALID;
    int rc = -1;

    for (unsigned i = 0; i < c->n; i++)
        if (gnutls_x509_crt_get_activation_time(c->list[i]) > now_s ||
            gnutls_x509_crt_get_expiration_time(c->list[i]) <= now_s)
            return false;
    for (unsigned i = 0; i < trusted_n; i++)
        if (gnutls_x509_crt_equals(trusted[i], c->list[0]))
            return true;
    if (gnutls_x509_trust_list_init(&list, 0) < 0)
        return false;
    if (gnutls_x509_trust_list_add_cas(list, trusted, trusted_n, 0) >= 0)
        rc = gnutls_x509_trust_list_verify_crt(list, (gnutls_x509_crt_t *)(uintptr_t)c->list, c->n,
                                               GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status, NULL);
    gnutls_x509_trust_list_deinit(list, 0);
    return rc >= 0 && status == 0;
}

static bool trusted_by(const struct chain *c, struct slice ca_pem, int64_t now_s)
{
    gnutls_datum_t pem = {(unsigned char *)(uintptr_t)ca_pem.p, (unsigned)ca_pem.n};
    gnutls_x509_crt_t trusted[TRUSTED_MAX];
    unsigned n = TRUSTED_MAX;
    bool good;

    if (ca_pem.n == 0 || !may_sign(c->list[0], now_s) ||
        gnutls_x509_crt_list_import(trusted, &n, &pem, GNUTLS_X509_FMT_PEM,
                                    GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED) < 0)
        return false;
    good = vouched(c, trusted, n, now_s);
    for (unsigned i = 0; i < n; i++)
        gnutls_x509_crt_deinit(trusted[i]);
    return good;
}

enum err sec_xmlcert_signer(struct _xmlNode *key_info, struct slice ca_pem, int64_t now_s, struct buf *der)
{
    struct chain c = {.n = 0};
    enum err e;

    buf_init(&c.der, DER_MAX_N);
    e = chain_read(key_info, &c);
    if (!e && !trusted_by(&c, ca_pem, now_s))
        e = ERR_ABSENT;
    if (!e) {
        buf_add(der, buf_slice(&c.der));
        e = buf_err(der);
    }
    while (c.n)
        gnutls_x509_crt_deinit(c.list[--c.n]);
    buf_clear(&c.der);
    return e;
}
