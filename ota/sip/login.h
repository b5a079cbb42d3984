/* How the gateway answers challenges of SIP servers: 401 of the far end, 407 of each proxy on the way, each with its own realm
 * (RFC 3261 §22, RFC 8760).  Of a realm's challenges the topmost that we can answer counts.  Each realm is answered once; a second time only
 * when it says that the nonce was stale, or when the first answer was to a challenge of an earlier request (known.h).  One request's worth; one thread. */
#ifndef OTA_SIP_LOGIN_H
#define OTA_SIP_LOGIN_H

#include "ota/registry.h"
#include "ota/sip/reply.h"
#include "security/login/digest_aka.h"

#define OTA_SIP_REALMS_MAX 4

/* An identity module, for challenges of AKA (RFC 3310, RFC 4169). */
struct ota_sip_module {
    /* One run, kept before it returns.  ERR_DENIED: the network is not ours; ERR_EXISTS: its number is not fresh, and auts says where ours
     * stand.  Anything else is a failure. */
    enum err (*run)(void *arg, const uint8_t rand[SEC_AKA_RAND_N], const uint8_t autn[SEC_AKA_AUTN_N],
                    struct sec_aka_vector *out, uint8_t auts[SEC_AKA_AUTS_N]);
    void *arg;
};

struct ota_sip_realm {
    bool proxy;           /* asked with 407 */
    struct buf challenge; /* the value that `offer` has views into */
    struct sec_digest_offer offer;
    uint32_t nc;     /* uses of the nonce */
    unsigned stales; /* how often the nonce was said to be stale */
    bool recalled;   /* nobody has asked yet: it is of an earlier request */
    bool sync;       /* of AKA: we answer with auts, once */
    uint8_t auts[SEC_AKA_AUTS_N];
    struct sec_secret password; /* of AKA: what the run gave; else n 0 */
};

struct ota_sip_login {
    const struct ota_sip_module *module; /* of the owner; NULL: AKA is not answered */
    struct ota_sip_realm realms[OTA_SIP_REALMS_MAX];
    size_t n;
};

void ota_sip_login_init(struct ota_sip_login *l);
void ota_sip_login_clear(struct ota_sip_login *l); /* wipes; the module stays */
/* Learns the challenges of a 401, 407 or 494.  ERR_ABSENT: none that we can answer; ERR_DENIED: the realm has refused our answer, or its network is not the module's;
 * ERR_LIMIT: too many realms; ERR_MALFORMED, ERR_NOMEM. */
enum err ota_sip_login_challenged(struct ota_sip_login *l, const struct ota_sip_reply *r) MUST_USE;
/* Adds a realm of an earlier request, whose nonce was used so often.  Asked all the same, it is as new.  ERR_LIMIT, ERR_MALFORMED, ERR_NOMEM. */
enum err ota_sip_login_recall(struct ota_sip_login *l, bool proxy, struct slice challenge,
                              uint32_t nc) MUST_USE;
/* Appends the challenge that the response puts in the place of the realm's own: the same but for nextnonce of its
 * Authentication-Info or Proxy-Authentication-Info (RFC 7616 §3.5).  ERR_ABSENT: none; ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_login_next(const struct ota_sip_realm *realm, const struct ota_sip_reply *r,
                            struct buf *out) MUST_USE;
/* What an agreement with the next hop asks of the answer to its challenge (RFC 3329 §2.4). */
struct ota_sip_verify {
    struct slice list;                          /* the server's */
    const enum sec_digest_algorithm *algorithm; /* instead of the challenge's; NULL: none */
    struct buf *digest; /* gets digest-verify: the answer over the list as well (§2.2) */
};

/* Appends a line for each realm.  verify may be NULL; it concerns the first proxy's realm, without one the first.  ERR_MALFORMED: a
 * character that cannot be sent; ERR_UNSUPPORTED: no qop=auth, and verify wants it; ERR_NOMEM, ERR_IO, ERR_LIMIT. */
enum err ota_sip_login_print(struct ota_sip_login *l, const struct ota_login *as,
                             const struct sec_digest_request *request, const struct ota_sip_verify *verify,
                             struct buf *out) MUST_USE;

#endif
