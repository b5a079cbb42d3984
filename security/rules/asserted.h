/* Identities that an authentication proxy vouches for: X-3GPP-Asserted-Identity, and X-3GPP-Intended-Identity, with
 * which a client says who it wants to be (TS 24.109 §7).  Whether the speaker is a proxy is delegates.c's. */
#ifndef SECURITY_RULES_ASSERTED_H
#define SECURITY_RULES_ASSERTED_H

#include "base/err.h"
#include "base/slice.h"

#define SEC_ASSERTED_MAX   16  /* identities in one header */
#define SEC_ASSERTED_MAX_N 256 /* octets of one */

struct sec_asserted {
    struct slice id[SEC_ASSERTED_MAX]; /* views into the header */
    size_t n;
};

/* 1#quoted-string, without escapes: "id1", "id2".  ERR_MALFORMED, ERR_LIMIT. */
enum err sec_asserted_parse(struct slice value, struct sec_asserted *out) MUST_USE;
bool sec_asserted_has(const struct sec_asserted *a, struct slice id);
/* Can it stand in that header: printable ASCII, no quote, no backslash, 1..SEC_ASSERTED_MAX_N octets? */
bool sec_asserted_good(struct slice id);

#endif
