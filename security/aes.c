/* AES-128 blocks out of GnuTLS, which has no block mode of its own: one CBC block over a zero chain value is the
 * bare cipher.  FIPS 197, SP 800-38A §6.2, §6.5. */
#include "security/aes.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include "base/mem.h"
#include "base/num.h"

struct sec_aes {
    gnutls_cipher_hd_t cbc; /* 128 bits */
};

enum err sec_aes_create(struct slice key, struct sec_aes **out)
{
    uint8_t octets[SEC_AES_N];
    gnutls_datum_t k = {octets, sizeof octets};
    struct sec_aes *aes;
    enum err e = ERR_OK;

    if (key.n != SEC_AES_N)
        return ERR_LIMIT;
    aes = calloc(1, sizeof *aes);
    if (!aes)
        return ERR_NOMEM;
    mem_copy(octets, sizeof octets, key);
    if (gnutls_cipher_init(&aes->cbc, GNUTLS_CIPHER_AES_128_CBC, &k, NULL) < 0) {
        free(aes);
        e = ERR_NOMEM;
    } else {
        *out = aes;
    }
    mem_wipe(octets, sizeof octets);
    return e;
}

void sec_aes_free(struct sec_aes **aes)
{
    if (!*aes)
        return;
    gnutls_cipher_deinit((*aes)->cbc);
    free(*aes);
    *aes = NULL;
}

enum err sec_aes_block(const struct sec_aes *aes, const uint8_t in[SEC_AES_N], uint8_t out[SEC_AES_N])
{
    uint8_t zero[SEC_AES_N] = {0};

    gnutls_cipher_set_iv(aes->cbc, zero, sizeof zero);
    return gnutls_cipher_encrypt2(aes->cbc, in, SEC_AES_N, out, SEC_AES_N) < 0 ? ERR_IO : ERR_OK;
}

static void count_up(uint8_t block[SEC_AES_N])
{
    for (size_t i = SEC_AES_N; i-- > 0;)
        if (++block[i] != 0)
            return;
}

enum err sec_aes_ctr(const struct sec_aes *aes, const uint8_t start[SEC_AES_N], uint8_t *p, size_t n)
{
    uint8_t counter[SEC_AES_N], stream[SEC_AES_N];
    enum err e = ERR_OK;

    mem_copy(counter, sizeof counter, slice_of(start, SEC_AES_N));
    for (size_t at = 0; !e && at < n; at += SEC_AES_N) {
        e = sec_aes_block(aes, counter, stream);
        for (size_t i = 0; !e && i < num_min(SEC_AES_N, n - at); i++)
            p[at + i] ^= stream[i];
        count_up(counter);
    }
    mem_wipe(stream, sizeof stream);
    return e;
}
