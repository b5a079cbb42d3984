/* The keys that a token provider signs with: a JWK Set (RFC 7517) from a file, and whether one of them made a
 * signature (RFC 7515, RFC 7518 §3, RFC 8037).  What is signed is token.c's.  Which algorithm a key is for follows from
 * the key alone, never from what a stranger wrote into a header (RFC 8725 §3.1).  Building: one thread; asking: any. */
#ifndef SECURITY_LOGIN_JWKS_H
#define SECURITY_LOGIN_JWKS_H

#include "base/err.h"
#include "base/slice.h"

#define SEC_JWKS_MAX_N     ((size_t)1 << 20) /* octets of a key file */
#define SEC_JWKS_KEYS_MAX  100
#define SEC_JWK_HMAC_MIN_N 16   /* octets of a shared key: 128 bits */
#define SEC_JWK_RSA_MIN    2048 /* bits (RFC 7518 §3.3) */

struct sec_jwks;

/* Takes the keys for RS256, ES256 on P-256, EdDSA on Ed25519, and HS256 out of a JWK Set.  Keys for other uses and
 * algorithms are passed over (RFC 7517 §5); anything wrong with one that would be of use is a mistake of the whole
 * set.  ERR_MALFORMED, with a static text in *why: JSON, a member twice, a point on no curve, a private key, one kid
 * twice, a key too short, too many keys, none of use; or memory is out. */
enum err sec_jwks_parse(struct slice text, struct sec_jwks **out, const char **why) MUST_USE;
void sec_jwks_free(struct sec_jwks **set); /* wipes */
size_t sec_jwks_count(const struct sec_jwks *set);
bool sec_jwks_same(const struct sec_jwks *a, const struct sec_jwks *b); /* read from the same text? */
/* Is there a shared key in it?  Then its file is a secret. */
bool sec_jwks_secret(const struct sec_jwks *set);

/* Did the key `kid` of this set, or with kid n 0 its only one for that algorithm, sign these octets?  `algorithm` is
 * what the signer said, "RS256".  ERR_OK; ERR_DENIED (it did not; or there is no such key, or it is for another
 * algorithm), ERR_NOMEM. */
enum err sec_jwks_verify(const struct sec_jwks *set, struct slice kid, struct slice algorithm,
                         struct slice what, struct slice signature) MUST_USE;

#endif
