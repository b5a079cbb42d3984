/* The generic key derivation function of TS 33.220 annex B, HMAC-SHA-256 over gathered octets, and SHA-1.  What the
 * parameters mean (NAF keys, GPL keys) is for the callers.  Any thread. */
#ifndef SECURITY_KDF_H
#define SECURITY_KDF_H

#include "base/err.h"
#include "base/slice.h"

#define SEC_SHA256_N        32    /* octets of a SHA-256 digest or MAC */
#define SEC_SHA1_N          20    /* octets of a SHA-1 digest */
#define SEC_KDF_PARAMS_MAX  8     /* P0..P7; TS 33.220 uses up to six */
#define SEC_KDF_PARAM_MAX_N 65535 /* octets; the length goes into two octets (TS 33.220 §B.2.1.1) */

/* out = HMAC-SHA-256(key, FC || P0 || L0 || ... || Pn || Ln).  fc 0xFF is reserved (§B.2.1.2): ERR_UNSUPPORTED.
 * ERR_LIMIT for too many or too long parameters, ERR_NOMEM. */
enum err sec_kdf(struct slice key, uint8_t fc, const struct slice *params, size_t count,
                 uint8_t out[SEC_SHA256_N]) MUST_USE;
/* RFC 2104 with SHA-256 over the parts joined; ERR_NOMEM. */
enum err sec_hmac_sha256(struct slice key, const struct slice *parts, size_t count,
                         uint8_t out[SEC_SHA256_N]) MUST_USE;
/* For those protocols that have nothing better to tell whether content has changed: it proves nothing (RFC 6194).  ERR_NOMEM. */
enum err sec_sha1(struct slice in, uint8_t out[SEC_SHA1_N]) MUST_USE;

#endif
