/* Security agreement with the next hop, as a client (RFC 3329): the server's list of mechanisms read, the best that we know taken, and
 * the list said back to it, by which it sees whether somebody on the way has changed it.  We know tls, and digest with qop=auth; what
 * stands in the list otherwise (ipsec-ike ...) is repeated and not taken.  What is agreed on with a hop is remembered.  One thread. */
#ifndef OTA_SIP_AGREE_H
#define OTA_SIP_AGREE_H

#include "base/map.h"
#include "ota/sip/login.h"

#define OTA_SIP_LIST_MAX_N 512 /* octets of a server's list */

enum ota_sip_mechanism { OTA_SIP_NOT_AGREED, OTA_SIP_AGREED_TLS, OTA_SIP_AGREED_DIGEST };

struct ota_sip_agreement {
    enum ota_sip_mechanism mechanism;
    char
        list[OTA_SIP_LIST_MAX_N + 1]; /* of the server, each white space one space; "" without an agreement */
    struct sec_digest_offer digest;   /* what d-alg and d-qop leave of a challenge: algorithm and qop */
    bool algorithm_given;
};

/* ERR_MALFORMED: no list, or two mechanisms of the same preference (§2.2); ERR_ABSENT: none that we know; ERR_LIMIT. */
enum err ota_sip_agree(struct slice list, struct ota_sip_agreement *out) MUST_USE;

/* Appends the header lines of a request: without an agreement what we know, with one the server's list; verify: the digest over it, or n 0.
 * Both Require that the server plays along (§2.3.1).  ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_agree_print(const struct ota_sip_agreement *a, struct slice verify,
                             struct buf *out) MUST_USE;

/* With which hop what was agreed. */
struct ota_sip_agreements {
    struct map by_hop;
};

void ota_sip_agreements_init(struct ota_sip_agreements *s, size_t hops_max);
void ota_sip_agreements_clear(struct ota_sip_agreements *s);
/* A copy; not agreed when nothing is known. */
struct ota_sip_agreement ota_sip_agreements_find(const struct ota_sip_agreements *s, struct slice hop);
/* At the ceiling, or without memory, it is not remembered, and agreed on anew. */
void ota_sip_agreements_put(struct ota_sip_agreements *s, struct slice hop,
                            const struct ota_sip_agreement *a);

#endif
