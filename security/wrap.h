/* A secret at rest outside the keyring: octets sealed under one key, for whoever stores them and nobody else.  What they
 * are, and where the key comes from, is the caller's.  AES-256-GCM (SP 800-38D) with random nonces: fewer than 2^32 under
 * one key.  Any thread. */
#ifndef SECURITY_WRAP_H
#define SECURITY_WRAP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "security/secret.h"

#define SEC_WRAP_KEY_N  32 /* octets (256 bits) */
#define SEC_WRAP_MORE_N 28 /* octets that are added: nonce 12, tag 16 */

/* Appends nonce, ciphertext, tag.  `context` is not kept: who unwraps must say it again.  ERR_LIMIT (the key's length),
 * ERR_NOMEM, ERR_IO, or the sticky error of `out`, which is then as long as before. */
enum err sec_wrap(const struct sec_secret *key, struct slice context, struct slice plain,
                  struct buf *out) MUST_USE;
/* ERR_DENIED: another key or context, or changed; else as above.  Wipe `out`. */
enum err sec_unwrap(const struct sec_secret *key, struct slice context, struct slice wrapped,
                    struct buf *out) MUST_USE;

#endif
