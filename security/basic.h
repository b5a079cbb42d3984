/* HTTP Basic credentials (RFC 7617), and comparing passwords.  Whether Basic is allowed at all is trust.c's.
 * Any thread. */
#ifndef SECURITY_BASIC_H
#define SECURITY_BASIC_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define SEC_BASIC_MAX_N       1024 /* octets of user:password */
#define SEC_BASIC_PROOF_MAX_N 256  /* octets of an Authorization value that is remembered */

struct sec_basic {
    struct slice user, password; /* views into the buffer given to sec_basic_parse */
};

/* Reads an Authorization value of scheme Basic.  The decoded octets go to `secret` (cleared first): end it with
 * buf_wipe.  ERR_UNSUPPORTED (other scheme), ERR_MALFORMED (base64, no colon, control characters), ERR_LIMIT,
 * ERR_NOMEM. */
enum err sec_basic_parse(struct slice authorization, struct buf *secret, struct sec_basic *out) MUST_USE;

/* A login with Basic that succeeded, so that the same octets under the same configuration need no second hash.  Who
 * keeps it answers for everything else that the login hung on: it belongs to one connection (its source address, its
 * TLS and client certificate) and to one configuration, which `generation` tells from others. */
struct sec_basic_proof;

/* A copy of the Authorization value that proved account number `account`.  NULL when it is of another scheme or longer
 * than SEC_BASIC_PROOF_MAX_N, or memory is out: then nothing is remembered. */
struct sec_basic_proof *sec_basic_proof_create(struct slice authorization, uint64_t generation,
                                               size_t account) MUST_USE;
void sec_basic_proof_free(struct sec_basic_proof **proof); /* wipes */
/* Do these octets prove the same again?  *account is written when they do.  NULL proves nothing.  Takes time that tells
 * nothing about where they differ. */
bool sec_basic_proof_holds(const struct sec_basic_proof *proof, struct slice authorization,
                           uint64_t generation, size_t *account) MUST_USE;

/* Equal?  Takes time that tells nothing about where they differ: compares HMACs under a key made for the call.
 * False too when memory or random numbers are out. */
bool sec_password_eq(struct slice a, struct slice b);

#endif
