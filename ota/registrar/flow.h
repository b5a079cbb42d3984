/* A way back to who spoke to the SIP door: a connection of one loop, or an address that one of its UDP sockets heard from.  A
 * value: it crosses threads and outlives what it names, which is then found to be gone. */
#ifndef OTA_REGISTRAR_FLOW_H
#define OTA_REGISTRAR_FLOW_H

#include <netinet/in.h>
#include "ota/sip/message.h"

struct ota_sip_flow {
    enum ota_sip_via via;
    unsigned loop;   /* streams: where the connection lives */
    unsigned socket; /* datagrams: which of the door's */
    uint64_t id;     /* streams: of the connection, never used again; 0: no flow at all */
    union ota_sip_peer {
        struct sockaddr sa;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
};

static inline bool ota_sip_flow_any(const struct ota_sip_flow *f)
{
    return f->via == OTA_SIP_UDP ? f->peer.sa.sa_family != AF_UNSPEC : f->id != 0;
}

#endif
