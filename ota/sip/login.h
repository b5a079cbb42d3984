/* How the gateway answers challenges of SIP servers: 401 of the far end, 407 of each proxy on the way, each with its own realm
 * (RFC 3261 §22, RFC 8760).  Of a realm's challenges the topmost that we can answer counts.  Each realm is answered once; a second time only
 * when it says that the nonce was stale.  One request's worth; one thread. */
#ifndef OTA_SIP_LOGIN_H
#define OTA_SIP_LOGIN_H

#include "ota/registry.h"
#include "ota/sip/reply.h"
#include "security/digest.h"

#define OTA_SIP_REALMS_MAX 4

struct ota_sip_realm {
    bool proxy;           /* asked with 407 */
    struct buf challenge; /* the value that `offer` has views into */
    struct sec_digest_offer offer;
    uint32_t nc;     /* uses of the nonce */
    unsigned stales; /* how often the nonce was said to be stale */
};

struct ota_sip_login {
    struct ota_sip_realm realms[OTA_SIP_REALMS_MAX];
    size_t n;
};

void ota_sip_login_init(struct ota_sip_login *l);
void ota_sip_login_clear(struct ota_sip_login *l);
/* Learns the challenges of a 401 or 407.  ERR_ABSENT: none that we can answer; ERR_DENIED: the realm has refused our answer;
 * ERR_LIMIT: too many realms; ERR_MALFORMED, ERR_NOMEM. */
enum err ota_sip_login_challenged(struct ota_sip_login *l, const struct ota_sip_reply *r) MUST_USE;
/* Appends a line for each realm.  ERR_MALFORMED: a character that cannot be sent; ERR_NOMEM, ERR_IO, ERR_LIMIT. */
enum err ota_sip_login_print(struct ota_sip_login *l, const struct ota_login *as,
                             const struct sec_digest_request *request, struct buf *out) MUST_USE;

#endif
