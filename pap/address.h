/* The client address of PAP: WAPPUSH=value/TYPE=type@ppg, to its parts and to one canonical key.
 *
 *     address  = ["/"] "WAPPUSH=" value *ext ["/TYPE=" type] ["/"] ["@" ppg]
 *     ext      = "/" 1*(ALPHA / DIGIT / "-") "=" 1*(printable but "/" and "=")
 *     PLMN     = "+" 1*(DIGIT / "-" / ".")      IPV4 = 4 decimal groups      IPV6 = 8 hexadecimal groups
 *     USER etc = 1*(ALPHA / DIGIT / "+" / "-" / "." / "_" / "%" HEXDIG HEXDIG)
 *
 * Words compare without case; percent escapes are undone after splitting, never before.  Lenient mode also
 * takes PLMN without "+", IPv6 with "::", unescaped printable octets, and bare values: a sip:, sips: or tel:
 * URI, else TYPE=USER.  A value that is such a URI is of type SIP however it was labelled USER.
 * Specification: PPG Service (client addressing), RFC 3261 §19.1, RFC 3966.  Any thread. */
#ifndef PAP_ADDRESS_H
#define PAP_ADDRESS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define PAP_ADDRESS_MAX_N 512 /* octets of an address-value */

/* X(NAME, word); the last eleven are the WDP address types. */
#define PAP_ADDRESS_LIST(X)                                                                                  \
    X(PLMN, "PLMN")                                                                                          \
    X(IPV4, "IPV4")                                                                                          \
    X(IPV6, "IPV6")                                                                                          \
    X(USER, "USER")                                                                                          \
    X(SIP, "SIP") /* also tel: */                                                                            \
    X(GSM_MSISDN, "GSM_MSISDN")                                                                              \
    X(ANSI_136_MSISDN, "ANSI_136_MSISDN")                                                                    \
    X(IS_637_MSISDN, "IS_637_MSISDN")                                                                        \
    X(IDEN_MSISDN, "iDEN_MSISDN")                                                                            \
    X(FLEX_MSISDN, "FLEX_MSISDN")                                                                            \
    X(PHS_MSISDN, "PHS_MSISDN")                                                                              \
    X(GSM_SERVICE_CODE, "GSM_Service_Code")                                                                  \
    X(TETRA_ITSI, "TETRA_ITSI")                                                                              \
    X(TETRA_MSISDN, "TETRA_MSISDN")                                                                          \
    X(REFLEX_MSIDDN, "ReFLEX_MSIDDN")                                                                        \
    X(MAN, "MAN")

enum pap_address_type {
#define PAP_ADDRESS_ENUM(name, text) PAP_ADDRESS_##name,
    PAP_ADDRESS_LIST(PAP_ADDRESS_ENUM)
#undef PAP_ADDRESS_ENUM
        PAP_ADDRESS_COUNT
};

struct pap_address {
    enum pap_address_type type;
    struct slice value; /* decoded, in the arena; numbers without "-" and "."; IP in its shortest text */
    struct slice ppg;   /* gateway name as spelt; n == 0 when absent */
    struct slice ext;   /* extension qualifiers as spelt, each with its "/"; n == 0 when absent */
    struct slice raw;   /* the whole as given */
};

/* ppg, ext and raw borrow from `in`, value lives in the arena.  ERR_MALFORMED; ERR_LIMIT: over 512 octets;
 * ERR_UNSUPPORTED: a TYPE that is none of the list; ERR_NOMEM. */
enum err pap_address_parse(struct slice in, bool strict, struct arena *arena,
                           struct pap_address *out) MUST_USE;

const char *pap_address_type_text(enum pap_address_type type);

/* The one device that a SIP address names: the value of "gr" of its URI (RFC 5627 §3.1), appended.  The key below is the same without.
 * ERR_ABSENT: none; else as pap_address_parse. */
enum err pap_address_device(struct slice in, bool strict, struct buf *out) MUST_USE;
/* False: it names none, whatever it is; so for most, without a parser. */
bool pap_address_may_name_device(struct slice in);

/* Appends the one spelling that routing and whitelists compare, so that no two spellings of one terminal can
 * slip past a rule: "+15550100" for anything that is an international number (PLMN, MSISDN types, tel:, a USER
 * that is one), "sip:user@host" for SIP URIs (scheme and host in lower case; port, password, parameters and
 * headers dropped; needless escapes undone), the text of an IP address, else the decoded value.  Errors stick
 * to the buf. */
void pap_address_key(const struct pap_address *a, struct buf *out);

#endif
