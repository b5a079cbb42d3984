/* What the Contacts of a REGISTER ask for: bindings, as far as the request and where it came from say how each device is reached.
 *
 * A contact is taken at its word only when it names the address that the request came from: otherwise a device is behind a NAT - or
 * would have pushes sent to somebody else -, and is reached over the way that the request came by (RFC 5626 §3, RFC 3581).  A Path is
 * believed of trusted proxies alone (RFC 3327 §5.3).  Any thread. */
#ifndef OTA_REGISTRAR_CONTACT_H
#define OTA_REGISTRAR_CONTACT_H

#include "ota/registrar/location.h"
#include "ota/sip/request.h"

/* Where a request came from. */
struct ota_sip_origin {
    struct ota_sip_flow flow;
    struct list *bound; /* of the connection; NULL: a datagram */
    bool trusted;       /* a proxy of ours */
};

struct ota_sip_wish {
    struct ota_sip_binding bindings[OTA_SIP_BINDINGS_MAX];
    size_t n;
    bool all_gone; /* Contact: * */
    bool outbound; /* a flow was registered (RFC 5626) */
    struct buf texts;
};

void ota_sip_wish_init(struct ota_sip_wish *w);
void ota_sip_wish_clear(struct ota_sip_wish *w);
/* default_s: expiry of a Contact that names none.  ERR_MALFORMED: a Contact that cannot be pushed to, or "*" with others or without
 * Expires: 0 (§10.3 step 6); ERR_UNSUPPORTED: a flow, and the first proxy keeps none (RFC 5626 §6: 439); ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_wish_read(struct ota_sip_wish *w, const struct ota_sip_request *r,
                           const struct ota_sip_origin *from, struct slice app_tag,
                           int64_t default_s) MUST_USE;

#endif
