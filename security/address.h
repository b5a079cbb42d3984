/* One spelling for each recipient address, so that a rule about an address cannot be dodged by writing the address
 * differently.  Not the PAP client-address grammar: its result is what comes in here.  Any thread. */
#ifndef SECURITY_ADDRESS_H
#define SECURITY_ADDRESS_H

#include "base/err.h"
#include "base/slice.h"

#define SEC_ADDRESS_MAX_N 255 /* octets */

struct sec_address {
    char text[SEC_ADDRESS_MAX_N + 1]; /* canonical; valid: text[0..n) */
    size_t n;
    size_t domain; /* where the domain starts behind "@", or n when there is none */
};

/* tel: numbers lose the scheme, parameters and visual separators (RFC 3966 §5.1.1); sips: becomes sip:, and SIP
 * addresses lose password, port, parameters and headers; scheme and domain become lower case; needless escapes
 * in the user part are undone (RFC 3261 §19.1.4).  Other addresses keep their octets, the domain in lower case.
 * ERR_MALFORMED (empty, control characters, spaces, bad escape, empty user or domain), ERR_LIMIT. */
enum err sec_address_canonical(struct slice in, struct sec_address *out) MUST_USE;

#endif
