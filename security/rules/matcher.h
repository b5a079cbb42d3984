/* Names of certificates as configuration writes them, "URI:https://..", "DNS:name", "EMAIL:user@host", and the one
 * spelling under which they are compared: host names in lower case; URIs octet for octet (RFC 6125 §6.4.1).
 * Any thread. */
#ifndef SECURITY_RULES_MATCHER_H
#define SECURITY_RULES_MATCHER_H

#include "base/slice.h"

#define SEC_MATCHER_MAX_N 1024 /* octets, kind included */

/* "KIND:value" in that spelling, in key[]; `kind` is "URI:", "DNS:" or "EMAIL:", and value what a certificate has.
 * n 0: empty, too long, or with a NUL, which ends no name. */
struct slice sec_matcher_key(const char *kind, struct slice value, char key[SEC_MATCHER_MAX_N]);
/* The same from configuration; n 0 also when the kind is none of those. */
struct slice sec_matcher_parse(struct slice matcher, char key[SEC_MATCHER_MAX_N]);

#endif
