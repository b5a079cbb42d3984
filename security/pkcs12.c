/* PKCS #12 by GnuTLS; see pkcs12.h.  The MAC over the whole is checked before anything in it is looked at (RFC 7292 §5). */
#include "security/pkcs12.h"

#include <gnutls/gnutls.h>
#include <gnutls/pkcs12.h>

#include "base/mem.h"

#define PASSWORD_MAX_N 1024u /* octets */
#define CHAIN_MAX      16u   /* certificates */
#define ROUNDS_MAX                                                                                           \
    2000000u /* of its MAC, so that a file cannot keep us busy: what is inside is believed after that */

struct opened {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t *chain; /* the key's own, then its issuers; the others are not asked for */
    unsigned chain_n;
};

static void clear(struct opened *o)
{
    for (unsigned i = 0; i < o->chain_n; i++)
        gnutls_x509_crt_deinit(o->chain[i]);
    gnutls_free(o->chain);
    gnutls_x509_privkey_deinit(o->key);
}

static enum err code_of(int rc)
{
    if (rc == GNUTLS_E_MEMORY_ERROR)
        return ERR_NOMEM;
    if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return ERR_ABSENT;
    return rc == GNUTLS_E_MAC_VERIFY_FAILED || rc == GNUTLS_E_DECRYPTION_FAILED ? ERR_DENIED : ERR_MALFORMED;
}

static enum err add(struct buf *to, gnutls_datum_t *pem)
{
    buf_add(to, slice_of(pem->data, pem->size));
    mem_wipe(pem->data, pem->size);
    gnutls_free(pem->data);
    return buf_err(to);
}

static enum err print(const struct opened *o, struct buf *key_pem, struct buf *chain_pem)
{
    gnutls_datum_t pem = {NULL, 0};
    enum err e = ERR_NOMEM;

    if (!o->key || o->chain_n == 0)
        return ERR_ABSENT;
    if (o->chain_n > CHAIN_MAX)
        return ERR_LIMIT;
    /* As PKCS #8: the other form, of a key that came in one, lacks the curve in GnuTLS 3.7. */
    if (gnutls_x509_privkey_export2_pkcs8(o->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem) == 0)
        e = add(key_pem, &pem);
    for (unsigned i = 0; !e && i < o->chain_n; i++)
        e = gnutls_x509_crt_export2(o->chain[i], GNUTLS_X509_FMT_PEM, &pem) ? ERR_NOMEM
                                                                            : add(chain_pem, &pem);
    return e;
}

static enum err check_mac(gnutls_pkcs12_t p12, const char *password)
{
    char *oid = NULL; /* asked for, as GnuTLS 3.7 forgets to free that of an unknown hash */
    unsigned rounds = 0;
    int rc = gnutls_pkcs12_mac_info(p12, NULL, NULL, NULL, &rounds, &oid);

    gnutls_free(oid);
    if (rc < 0)
        return ERR_MALFORMED;
    if (rounds > ROUNDS_MAX)
        return ERR_LIMIT;
    rc = gnutls_pkcs12_verify_mac(p12, password);
    return rc < 0 ? code_of(rc) : ERR_OK;
}

static enum err open_checked(gnutls_pkcs12_t p12, const char *password, struct buf *key_pem,
                             struct buf *chain_pem)
{
    struct opened o = {.key = NULL};
    enum err e = check_mac(p12, password);
    int rc;

    if (e)
        return e;
    rc = gnutls_pkcs12_simple_parse(p12, password, &o.key, &o.chain, &o.chain_n, NULL, NULL, NULL, 0);
    e = rc < 0 ? code_of(rc) : print(&o, key_pem, chain_pem);
    clear(&o);
    return e;
}

enum err sec_pkcs12_open(struct slice der, struct slice password, struct buf *key_pem, struct buf *chain_pem)
{
    gnutls_datum_t octets = {(unsigned char *)(uintptr_t)der.p, (unsigned)der.n};
    char text[PASSWORD_MAX_N + 1];
    gnutls_pkcs12_t p12;
    enum err e;

    if (der.n > UINT32_MAX || mem_cstr(text, sizeof text, password))
        return ERR_LIMIT;
    if (gnutls_pkcs12_init(&p12) < 0)
        return ERR_NOMEM;
    e = gnutls_pkcs12_import(p12, &octets, GNUTLS_X509_FMT_DER, 0) < 0
            ? ERR_MALFORMED
            : open_checked(p12, text, key_pem, chain_pem);
    gnutls_pkcs12_deinit(p12);
    mem_wipe(text, sizeof text);
    return e;
}
