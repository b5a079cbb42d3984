/* Networks in CIDR notation, IPv4 and IPv6; an IPv4 address and its IPv4-mapped form are the same.  Any thread. */
#ifndef SECURITY_RULES_NETWORK_H
#define SECURITY_RULES_NETWORK_H

#include "base/err.h"
#include "base/slice.h"

struct sec_network {
    uint8_t address[16]; /* IPv6, or IPv4-mapped (RFC 4291 §2.5.5.2); bits behind the prefix are zero */
    unsigned bits;       /* of the prefix, 0..128 */
};

/* "192.0.2.0/28", "2001:db8::/32", or one address.  ERR_MALFORMED, also for bits set behind the prefix. */
enum err sec_network_parse(struct slice in, struct sec_network *out) MUST_USE;
/* False for text that is no address. */
bool sec_network_has(const struct sec_network *net, struct slice address);
/* Has one of them an address of the other? */
bool sec_network_meets(const struct sec_network *a, const struct sec_network *b);

#endif
