/* Inside Digest: reading headers for one family of algorithms.  digest.c has the functions and uses them for
 * passwords, digest_aka.c uses them for AKA; neither takes the other's algorithms.  RFC 7616.  Any thread. */
#ifndef SECURITY_LOGIN_DIGEST_READ_H
#define SECURITY_LOGIN_DIGEST_READ_H

#include "security/login/digest.h"
#include "security/login/digest_params.h"

enum sec_digest_family { SEC_DIGEST_PASSWORDS, SEC_DIGEST_AKA };

/* credentials = "Digest" 1*SP #auth-param.  ERR_UNSUPPORTED (other scheme), ERR_MALFORMED, ERR_LIMIT. */
enum err sec_digest_params(struct slice authorization, struct sec_params *out) MUST_USE;
/* As sec_digest_parse, from the parameters. */
enum err sec_digest_response_of(const struct sec_params *p, enum sec_digest_family family,
                                struct sec_digest_response *out) MUST_USE;
/* As sec_digest_choose. */
enum err sec_digest_choose_of(const struct slice *values, size_t count, enum sec_digest_family family,
                              struct sec_digest_offer *out) MUST_USE;

#endif
