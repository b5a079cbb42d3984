/* Detached signatures; see signed.h.  RFC 5758 §3.2, RFC 8017 §8.2, RFC 8032. */
#include "security/signed.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#define EC_BITS_MIN  256u
#define RSA_BITS_MIN 2048u

static gnutls_datum_t datum_of(struct slice s)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

/* GNUTLS_SIGN_UNKNOWN: no key that is taken. */
static gnutls_sign_algorithm_t algorithm_of(gnutls_pubkey_t key)
{
    unsigned bits = 0;
    int kind = gnutls_pubkey_get_pk_algorithm(key, &bits);

    if (kind == GNUTLS_PK_ECDSA && bits >= EC_BITS_MIN)
        return GNUTLS_SIGN_ECDSA_SHA256;
    if (kind == GNUTLS_PK_RSA && bits >= RSA_BITS_MIN)
        return GNUTLS_SIGN_RSA_SHA256;
    return kind == GNUTLS_PK_EDDSA_ED25519 ? GNUTLS_SIGN_EDDSA_ED25519 : GNUTLS_SIGN_UNKNOWN;
}

static enum err check(gnutls_pubkey_t key, struct slice text, struct slice signature, struct slice key_pem)
{
    gnutls_datum_t pem = datum_of(key_pem), data = datum_of(text), sig = datum_of(signature);
    gnutls_sign_algorithm_t algorithm;

    if (gnutls_pubkey_import(key, &pem, GNUTLS_X509_FMT_PEM) < 0)
        return ERR_MALFORMED;
    algorithm = algorithm_of(key);
    if (algorithm == GNUTLS_SIGN_UNKNOWN)
        return ERR_UNSUPPORTED;
    return gnutls_pubkey_verify_data2(key, algorithm, 0, &data, &sig) < 0 ? ERR_DENIED : ERR_OK;
}

enum err sec_signed_check(struct slice text, struct slice signature, struct slice key_pem)
{
    gnutls_pubkey_t key;
    enum err e;

    if (signature.n == 0)
        return ERR_DENIED;
    if (gnutls_pubkey_init(&key) < 0)
        return ERR_NOMEM;
    e = check(key, text, signature, key_pem);
    gnutls_pubkey_deinit(key);
    return e;
}
