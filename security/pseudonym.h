/* What stands for a name where it must not be read, as in logs: the first 48 bits of HMAC-SHA-256 (RFC 2104), in hexadecimal
 * digits.  Under one key the same name always has the same token; without the key nobody finds the name by trying all.
 * Not for where two names must never meet: among a million, two do once in some 600 keys.  Any thread. */
#ifndef SECURITY_PSEUDONYM_H
#define SECURITY_PSEUDONYM_H

#include "base/err.h"
#include "base/log.h"
#include "base/slice.h"

struct sec_pseudonyms;

/* The key is copied.  ERR_NOMEM. */
enum err sec_pseudonyms_create(struct slice key, struct sec_pseudonyms **out) MUST_USE;
void sec_pseudonyms_free(struct sec_pseudonyms **p);

/* A log_token_fn: arg is a struct sec_pseudonyms.  Takes no memory. */
bool sec_pseudonym(void *arg, struct slice name, char out[LOG_TOKEN_N]);

#endif
