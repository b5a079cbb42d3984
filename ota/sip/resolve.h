/* Where a SIP URI leads: to transports, addresses and ports, in the order in which they are to be tried (RFC 3263 §4).  A number or a
 * named port needs no service records; else NAPTR, then SRV of each transport, then addresses alone.  One loop. */
#ifndef OTA_SIP_RESOLVE_H
#define OTA_SIP_RESOLVE_H

#include <sys/socket.h>
#include "base/net/records.h"
#include "ota/sip/message.h"
#include "ota/sip/uri.h"

#define OTA_SIP_PLACES_MAX 16

struct ota_sip_place {
    enum ota_sip_via via;
    struct sockaddr_storage to;
};

struct ota_sip_search;
/* Once, from the loop, never from inside the call that began it; n 0: nowhere.  Not after a cancel. */
typedef void ota_sip_places_fn(const struct ota_sip_place *places, size_t n, void *arg);

/* secure: TLS alone will do, whatever the URI says.  records NULL: no service records.  ERR_NOMEM, ERR_MALFORMED, ERR_IO. */
enum err ota_sip_search_start(const struct net_env *env, struct net_records *records,
                              const struct ota_sip_uri *uri, bool secure, ota_sip_places_fn *done, void *arg,
                              struct ota_sip_search **out) MUST_USE;
/* Nobody is told.  The memory goes when what is under way has ended, from the loop: gone fires then. */
void ota_sip_search_cancel(struct ota_sip_search *s, void (*gone)(void *arg), void *arg);

#endif
