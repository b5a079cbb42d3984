/* The arithmetic of HTTP Digest: hashes as lower case hexadecimal, and the response formula (RFC 7616 §3.4).
 * Decides nothing.  Any thread. */
#ifndef SECURITY_LOGIN_DIGEST_HASH_H
#define SECURITY_LOGIN_DIGEST_HASH_H

#include "security/login/digest.h"

struct sec_digest_hex {
    char p[SEC_DIGEST_HEX_MAX_N]; /* valid: p[0..n) */
    size_t n;
};

size_t sec_digest_hex_n(enum sec_digest_algorithm a); /* hexadecimal digits of a digest */

/* H(parts joined); ERR_NOMEM. */
enum err sec_digest_hash(enum sec_digest_algorithm a, const struct slice *parts, size_t count,
                         struct sec_digest_hex *out) MUST_USE;

/* The response for r's nonce, nc, cnonce, qop and uri.  `method` is empty for rspauth (§3.5); `body` counts with
 * auth-int only.  ERR_NOMEM. */
enum err sec_digest_formula(const struct sec_digest_response *r, struct slice ha1, struct slice method,
                            struct slice body, struct sec_digest_hex *out) MUST_USE;

/* `got` in any case is `want`; constant time for equal lengths. */
bool sec_digest_hex_eq(struct slice got, const struct sec_digest_hex *want);

#endif
