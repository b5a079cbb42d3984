/* Challenges that were answered to somebody's satisfaction, so that the next request there carries its credentials at once instead of
 * being refused first (RFC 3261 §22.2, §22.3; RFC 7616 §3.6): of a proxy by the next hop, of a far end by the address of record, each
 * with the count of its nonce's uses and as the user that was asked.  Bounded: the one not asked for longest makes room.  One thread. */
#ifndef OTA_SIP_KNOWN_H
#define OTA_SIP_KNOWN_H

#include "base/list.h"
#include "base/map.h"
#include "ota/sip/login.h"

struct ota_sip_known {
    struct map by_key;
    struct list used; /* longest ago first */
};

/* Who is asked; all borrowed. */
struct ota_sip_whom {
    bool tls;          /* what was learnt over TLS is said over TLS alone, and the other way round */
    struct slice hop;  /* name of the next hop */
    struct slice to;   /* address of record */
    struct slice user; /* of the credentials */
};

void ota_sip_known_init(struct ota_sip_known *k, size_t realms_max);
void ota_sip_known_clear(struct ota_sip_known *k);
/* Adds what is known to a login that has no realms; each such call has counts of its own.  Without memory it adds less. */
void ota_sip_known_recall(struct ota_sip_known *k, const struct ota_sip_whom *whom, struct ota_sip_login *l);
/* The answers of l were good, and r (the response) may name the next nonce.  Without memory nothing is remembered. */
void ota_sip_known_learn(struct ota_sip_known *k, const struct ota_sip_whom *whom,
                         const struct ota_sip_login *l, const struct ota_sip_reply *r);
/* They were not. */
void ota_sip_known_forget(struct ota_sip_known *k, const struct ota_sip_whom *whom);

#endif
