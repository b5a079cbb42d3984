/* Sealed octets; see wrap.h. */
#include "security/wrap.h"

#include <gnutls/crypto.h>

#define NONCE_N 12
#define TAG_N   16

static enum err cipher(const struct sec_secret *key, gnutls_aead_cipher_hd_t *out)
{
    gnutls_datum_t k = {(unsigned char *)(uintptr_t)key->octets, SEC_WRAP_KEY_N};

    if (key->n != SEC_WRAP_KEY_N)
        return ERR_LIMIT;
    return gnutls_aead_cipher_init(out, GNUTLS_CIPHER_AES_256_GCM, &k) < 0 ? ERR_NOMEM : ERR_OK;
}

enum err sec_wrap(const struct sec_secret *key, struct slice context, struct slice plain, struct buf *out)
{
    size_t at = out->n, sealed_n = plain.n + TAG_N;
    gnutls_aead_cipher_hd_t gcm;
    uint8_t nonce[NONCE_N];
    enum err e = sec_random(nonce, sizeof nonce);
    char *to;

    if (!e)
        e = cipher(key, &gcm);
    if (e)
        return e;
    buf_add(out, slice_of(nonce, sizeof nonce));
    to = buf_room(out, sealed_n);
    if (!to)
        e = buf_err(out);
    else if (gnutls_aead_cipher_encrypt(gcm, nonce, NONCE_N, context.p, context.n, TAG_N, plain.p, plain.n,
                                        to, &sealed_n) < 0)
        e = ERR_IO;
    else
        buf_commit(out, sealed_n);
    gnutls_aead_cipher_deinit(gcm);
    if (e)
        buf_cut(out, at);
    return e;
}

enum err sec_unwrap(const struct sec_secret *key, struct slice context, struct slice wrapped, struct buf *out)
{
    struct slice sealed = slice_sub(wrapped, NONCE_N, wrapped.n);
    size_t plain_n = wrapped.n < NONCE_N + TAG_N ? 0 : sealed.n - TAG_N;
    gnutls_aead_cipher_hd_t gcm;
    enum err e = wrapped.n < NONCE_N + TAG_N ? ERR_DENIED : cipher(key, &gcm);
    char *to;

    if (e)
        return e;
    to = buf_room(out, plain_n);
    if (!to)
        e = buf_err(out);
    else if (gnutls_aead_cipher_decrypt(gcm, wrapped.p, NONCE_N, context.p, context.n, TAG_N, sealed.p,
                                        sealed.n, to, &plain_n) < 0)
        e = ERR_DENIED;
    else
        buf_commit(out, plain_n);
    gnutls_aead_cipher_deinit(gcm);
    return e;
}
