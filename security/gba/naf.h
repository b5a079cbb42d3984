/* The gateway as a NAF at its own doors: keys that clients have bootstrapped prove them there, as shared key of TLS
 * (TS 24.109 §5.3.3, TS 33.222 §5.4) or as password of HTTP Digest (TS 24.109 §5.2, TS 33.222 §5.3).  Which B-TID has
 * which Ks is bootstrap.h's, or a far BSF's (farkeys.h), what a subscriber may do the account's.  Any thread. */
#ifndef SECURITY_GBA_NAF_H
#define SECURITY_GBA_NAF_H

#include "security/gba/bootstrap.h"
#include "security/gba/farkeys.h"

/* A key that a far BSF must be asked for first. */
struct sec_naf_want {
    char btid[SEC_BTID_MAX_N];
    size_t btid_n; /* 0: none */
    struct sec_naf_id naf_id;
};

/* Borrowed. */
struct sec_naf {
    struct sec_bootstrap *bootstrap; /* NULL: nobody can bootstrap here */
    const struct sec_keyserver *server;
    struct sec_farkeys *far;   /* instead of both: what a far BSF has said; NULL */
    struct sec_naf_want *want; /* written where a function says ERR_AGAIN; NULL: nobody asks */
    struct slice fqdn;         /* our own name, as clients use it; lower case */
    int64_t now_s;             /* UTC */
};
/* Can anybody have bootstrapped? */
static inline bool sec_naf_on(const struct sec_naf *naf)
{
    return naf->bootstrap || naf->far;
}

/* Sets the shared key of "3GPP-bootstrapping;" B-TID (or "3GPP-bootstrapping-uicc;") for a TLS version, 12 or 13, and suite.
 * False: nobody has it, or it must be asked for.  Clear the key. */
bool sec_naf_psk(const struct sec_naf *naf, struct slice identity, unsigned version, uint16_t suite,
                 struct sec_secret *key);
/* Whose identity of a shared key that is, by IMPI, in a session of that suite.  ERR_MALFORMED: it is no such identity;
 * ERR_ABSENT: nobody's, or not any more; ERR_AGAIN: ask for the key first; ERR_NOMEM, ERR_IO. */
enum err sec_naf_psk_impi(const struct sec_naf *naf, struct slice identity, uint16_t suite,
                          char impi[SEC_GBA_IMPI_MAX_N], size_t *impi_n) MUST_USE;

/* Whose B-TID it is, by IMPI; as sec_naf_psk_impi. */
enum err sec_naf_digest_impi(const struct sec_naf *naf, struct slice btid, char impi[SEC_GBA_IMPI_MAX_N],
                             size_t *impi_n) MUST_USE;

/* Is it a realm that asks for bootstrapped keys, of whatever NAF? */
bool sec_naf_realm(struct slice realm);
/* Appends such a realm of ours; `kind` ME or UICC. */
void sec_naf_realm_print(const struct sec_naf *naf, enum sec_gba_kind kind, struct buf *out);
/* HA1 of who answered a challenge with such a realm, and whose it is.  Over TLS two keys are possible: of Digest itself,
 * and of Digest inside a tunnel of that suite (0: none); it is the one that fits the response, or else the first.
 * ERR_DENIED: another realm than ours; ERR_ABSENT: nobody has this B-TID, or not any more; ERR_AGAIN: ask for the key
 * first; ERR_NOMEM, ERR_IO. */
enum err sec_naf_ha1(const struct sec_naf *naf, const struct sec_digest_response *r,
                     const struct sec_digest_request *request, uint16_t suite, struct sec_secret *ha1,
                     char impi[SEC_GBA_IMPI_MAX_N], size_t *impi_n) MUST_USE;

#endif
