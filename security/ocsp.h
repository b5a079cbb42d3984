/* Is this certificate revoked?  What to ask a responder of its issuer (RFC 6960; the plain form of RFC 5019, which
 * caches well), and what its answer is worth.  No sockets: who asks is ppg/ocsp.c.  Any thread. */
#ifndef SECURITY_OCSP_H
#define SECURITY_OCSP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define SEC_OCSP_KEY_N        32          /* octets of what stands for a certificate */
#define SEC_OCSP_RESPONSE_MAX 65536       /* octets */
#define SEC_OCSP_KEPT_MAX_S   (24 * 3600) /* an answer is good for so long at most */
#define SEC_OCSP_OPEN_S       3600        /* and for so long when it names no end (RFC 6960 §4.2.2.1) */
#define SEC_OCSP_SKEW_S       300         /* how far a responder's clock may be ahead */

enum sec_ocsp_status { SEC_OCSP_GOOD, SEC_OCSP_REVOKED, SEC_OCSP_UNKNOWN };

struct sec_ocsp_answer {
    enum sec_ocsp_status status;
    int64_t until_s; /* UTC seconds: may be kept till then */
};

/* SHA-256 of the leaf and its issuer (both DER), by which an answer is kept.  ERR_NOMEM. */
enum err sec_ocsp_key(struct slice leaf, struct slice issuer, uint8_t key[SEC_OCSP_KEY_N]) MUST_USE;
/* Where the certificate says that its responder is (RFC 5280 §4.2.2.1): the first http URI.  Appends it.  ERR_ABSENT
 * it says nothing of the kind; ERR_MALFORMED no certificate; out's errors. */
enum err sec_ocsp_url(struct slice leaf, struct buf *out) MUST_USE;
/* Appends the request.  ERR_MALFORMED what is no certificate; out's errors. */
enum err sec_ocsp_request(struct slice leaf, struct slice issuer, struct buf *out) MUST_USE;
/* What the response says about the leaf.  ERR_MALFORMED no response, or one that does not speak of this certificate;
 * ERR_PEER the responder gave none ("try later"); ERR_DENIED signed by somebody who may not; ERR_LATE outdated, or from the
 * future; ERR_NOMEM. */
enum err sec_ocsp_judge(struct slice response, struct slice leaf, struct slice issuer, int64_t now_s,
                        struct sec_ocsp_answer *out) MUST_USE;

#endif
