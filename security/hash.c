/* Hashes on GnuTLS; see hash.h. */
#include "security/hash.h"

#include <gnutls/crypto.h>

static const struct {
    const char *name;
    gnutls_digest_algorithm_t gnutls;
    size_t octets;
} hashes[SEC_HASH_COUNT] = {
    [SEC_HASH_MD5] = {"MD5", GNUTLS_DIG_MD5, 16},
    [SEC_HASH_SHA256] = {"SHA-256", GNUTLS_DIG_SHA256, 32},
};

const char *sec_hash_name(enum sec_hash h)
{
    return hashes[h].name;
}

size_t sec_hash_n(enum sec_hash h)
{
    return hashes[h].octets;
}

enum err sec_hash_make(enum sec_hash h, const struct slice *parts, size_t count, uint8_t out[SEC_HASH_MAX_N])
{
    gnutls_hash_hd_t hash;
    enum err e = ERR_OK;

    if (gnutls_hash_init(&hash, hashes[h].gnutls) < 0)
        return ERR_NOMEM;
    for (size_t i = 0; i < count && !e; i++)
        if (parts[i].n && gnutls_hash(hash, parts[i].p, parts[i].n) < 0)
            e = ERR_NOMEM;
    gnutls_hash_deinit(hash, out);
    return e;
}
