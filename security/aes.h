/* AES-128 as single blocks, and counter mode over short pieces: what Milenage and the GPI are made of.  Long
 * messages have their own way in gpl_seal.c.  FIPS 197, SP 800-38A §6.5.  One thread at a time per key. */
#ifndef SECURITY_AES_H
#define SECURITY_AES_H

#include "base/err.h"
#include "base/slice.h"

#define SEC_AES_N 16 /* octets (128 bits) of a key, and of a block */

struct sec_aes; /* a key in its cipher handle */

/* Copies `key`, SEC_AES_N octets (else ERR_LIMIT).  ERR_NOMEM. */
enum err sec_aes_create(struct slice key, struct sec_aes **out) MUST_USE;
void sec_aes_free(struct sec_aes **aes);
/* out = E(in); both may be the same.  ERR_IO when the library refuses, *out then undefined. */
enum err sec_aes_block(const struct sec_aes *aes, const uint8_t in[SEC_AES_N],
                       uint8_t out[SEC_AES_N]) MUST_USE;
/* Counter mode in place, its own inverse; the first counter block is `start`, the whole block counts up.  ERR_IO,
 * p[0..n) then undefined. */
enum err sec_aes_ctr(const struct sec_aes *aes, const uint8_t start[SEC_AES_N], uint8_t *p,
                     size_t n) MUST_USE;

#endif
