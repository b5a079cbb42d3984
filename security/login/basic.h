/* HTTP Basic credentials (RFC 7617), and comparing passwords.  Whether Basic is allowed at all is security/rules/trust.c's.
 * Any thread. */
#ifndef SECURITY_LOGIN_BASIC_H
#define SECURITY_LOGIN_BASIC_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define SEC_BASIC_MAX_N 1024 /* octets of user:password */

struct sec_basic {
    struct slice user, password; /* views into the buffer given to sec_basic_parse */
};

/* Reads an Authorization value of scheme Basic.  The decoded octets go to `secret` (cleared first): end it with
 * buf_wipe.  ERR_UNSUPPORTED (other scheme), ERR_MALFORMED (base64, no colon, control characters), ERR_LIMIT,
 * ERR_NOMEM. */
enum err sec_basic_parse(struct slice authorization, struct buf *secret, struct sec_basic *out) MUST_USE;

/* Appends the value of Authorization; no copy of the password is left behind.  ERR_MALFORMED: a colon in the user's name (§2);
 * ERR_NOMEM, or the sticky error of `out`. */
enum err sec_basic_print(struct slice user, struct slice password, struct buf *out) MUST_USE;

/* Equal?  Takes time that tells nothing about where they differ: compares HMACs under a key made for the call.
 * False too when memory or random numbers are out. */
bool sec_password_eq(struct slice a, struct slice b);

#endif
