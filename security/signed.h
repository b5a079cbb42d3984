/* Is this text signed by the holder of a key?  Detached signatures over SHA-256 as `openssl dgst -sha256 -sign` makes them
 * (ECDSA, RSA), or Ed25519 as `openssl pkeyutl -sign -rawin` does.  Any thread. */
#ifndef SECURITY_SIGNED_H
#define SECURITY_SIGNED_H

#include "base/err.h"
#include "base/slice.h"

/* key_pem: the public key.  ERR_DENIED another signature, or none; ERR_MALFORMED no public key in PEM; ERR_UNSUPPORTED a
 * key of another kind, or a weak one; ERR_NOMEM. */
enum err sec_signed_check(struct slice text, struct slice signature, struct slice key_pem) MUST_USE;

#endif
