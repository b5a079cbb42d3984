/* One sealed record of a keyring, and the keys that seal it.  For keyring*.c only; what a record is for: keyring.h.
 *
 * As octets, integers big-endian:
 *     1  kind
 *     1  octets of the name, 1..128;  the name
 *     4  version, from 1
 *     8  created, UTC seconds
 *     8  expires, UTC seconds; 0 never
 *     1  octets of attr, 0..64;  attr
 *    12  nonce, random for each sealing
 *     1  octets of the secret, 1..64;  AES-256-GCM of the secret
 *    16  its tag; additional data is all that stands before the nonce, so no record passes for another
 * The key of the cipher belongs to one salt: fewer than 2^32 random nonces are drawn under it (SP 800-38D §8.3). */
#ifndef SECURITY_KEYRING_RECORD_H
#define SECURITY_KEYRING_RECORD_H

#include "security/keyring.h"

#define SEC_KEYRING_SALT_N 32
#define SEC_RECORD_MAX_N   300 /* octets: all of the above at its longest is 52 + 128 + 64 + 64 */

/* Derived from a master key and a salt, each for one purpose; lives in an area of secret.h. */
struct sec_keyring_keys {
    uint8_t seal[32];  /* AES-256-GCM of the records */
    uint8_t mac[32];   /* HMAC-SHA-256 of the file */
    uint8_t print[32]; /* HMAC-SHA-256 of fingerprints */
    uint8_t id[32];    /* its first octets name the master key in the file */
};

struct sec_record {
    struct sec_key key; /* slices borrow from octets; older is owned by way of its record */
    size_t n;
    uint8_t octets[]; /* as above */
};

/* Owned; sec_keyring_keys_free.  ERR_MALFORMED: the master key has not SEC_MASTER_N octets; ERR_NOMEM. */
enum err sec_keyring_keys_create(struct slice master, const uint8_t salt[SEC_KEYRING_SALT_N],
                                 struct sec_keyring_keys **out) MUST_USE;
void sec_keyring_keys_free(struct sec_keyring_keys **k);

/* ERR_MALFORMED: something kind, name, version, attr or secret may not be; ERR_NOMEM, ERR_IO. */
enum err sec_record_seal(const struct sec_keyring_keys *keys, const struct sec_key *k, struct slice secret,
                         struct sec_record **out) MUST_USE;
/* All of `octets` is one record; nothing is opened.  ERR_MALFORMED, ERR_NOMEM. */
enum err sec_record_parse(struct slice octets, struct sec_record **out) MUST_USE;
/* ERR_DENIED: other keys, or changed; ERR_NOMEM. */
enum err sec_record_open(const struct sec_keyring_keys *keys, const struct sec_record *rec,
                         struct sec_secret *out) MUST_USE;
void sec_record_free(struct sec_record *rec); /* with all that is older */

#endif
