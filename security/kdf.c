/* The generic KDF (TS 33.220 annex B) and HMAC-SHA-256 (RFC 2104) on GnuTLS.  Any thread. */
#include "security/kdf.h"

#include <gnutls/crypto.h>
#include "base/num.h"

#define KDF_FC_RESERVED 0xFF /* TS 33.220 §B.2.1.2: starts a two-octet value, none is assigned */

static enum err mac_parts(gnutls_hmac_hd_t mac, const struct slice *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (parts[i].n && gnutls_hmac(mac, parts[i].p, parts[i].n) < 0)
            return ERR_IO;
    return ERR_OK;
}

enum err sec_hmac_sha256(struct slice key, const struct slice *parts, size_t count, uint8_t out[SEC_SHA256_N])
{
    gnutls_hmac_hd_t mac;
    uint8_t digest[SEC_SHA256_N];
    enum err e;

    if (gnutls_hmac_init(&mac, GNUTLS_MAC_SHA256, key.p, key.n) < 0)
        return ERR_NOMEM;
    e = mac_parts(mac, parts, count);
    gnutls_hmac_deinit(mac, e ? digest : out);
    return e;
}

/* S = FC || P0 || L0 || ... || Pn || Ln, each Li the length of Pi in two octets (§B.2.1). */
enum err sec_kdf(struct slice key, uint8_t fc, const struct slice *params, size_t count,
                 uint8_t out[SEC_SHA256_N])
{
    struct slice parts[1 + 2 * SEC_KDF_PARAMS_MAX];
    uint8_t lengths[SEC_KDF_PARAMS_MAX][2];

    if (fc == KDF_FC_RESERVED)
        return ERR_UNSUPPORTED;
    if (count > SEC_KDF_PARAMS_MAX)
        return ERR_LIMIT;
    parts[0] = slice_of(&fc, 1);
    for (size_t i = 0; i < count; i++) {
        if (params[i].n > SEC_KDF_PARAM_MAX_N)
            return ERR_LIMIT;
        num_put16(lengths[i], (uint16_t)params[i].n);
        parts[1 + 2 * i] = params[i];
        parts[2 + 2 * i] = slice_of(lengths[i], sizeof lengths[i]);
    }
    return sec_hmac_sha256(key, parts, 1 + 2 * count, out);
}

enum err sec_sha1(struct slice in, uint8_t out[SEC_SHA1_N])
{
    return gnutls_hash_fast(GNUTLS_DIG_SHA1, in.p, in.n, out) < 0 ? ERR_NOMEM : ERR_OK;
}
