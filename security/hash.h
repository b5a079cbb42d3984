/* Hashes over gathered octets, for what joins texts with colons (security/login/: digest_hash.h, mac.h) and for keys of tables.  MD5 is for
 * the protocols that have nothing else.  RFC 1321, FIPS 180-4.  Any thread. */
#ifndef SECURITY_HASH_H
#define SECURITY_HASH_H

#include "base/err.h"
#include "base/slice.h"

#define SEC_HASH_MAX_N 32 /* octets of the longest */

enum sec_hash { SEC_HASH_MD5, SEC_HASH_SHA256, SEC_HASH_COUNT };

const char *sec_hash_name(enum sec_hash h); /* of IANA's registry: "MD5", "SHA-256" */
size_t sec_hash_n(enum sec_hash h);         /* octets */
/* Of the parts joined, into out[0..sec_hash_n(h)).  ERR_NOMEM. */
enum err sec_hash_make(enum sec_hash h, const struct slice *parts, size_t count,
                       uint8_t out[SEC_HASH_MAX_N]) MUST_USE;

#endif
