/* Ways to next hops: UDP sockets, TCP and TLS connections that we open, each shared by all that goes there.
 *
 * A story.  A request takes the hop for its address - it is opened when there is none - and rides on it until it has its
 * response.  What a hop hears is cut into messages and given to the table's owner, whoever rides.  When the hop is lost, each rider is
 * told; nobody else is.  A hop that nobody rides on closes after a while, or when its place is needed.  A UDP socket is connected
 * to its peer, so that nobody else can speak on it and the network's complaints find it (RFC 3261 §18.4).  One loop. */
#ifndef OTA_SIP_HOP_H
#define OTA_SIP_HOP_H

#include <sys/socket.h>
#include "base/list.h"
#include "ota/bearer.h"
#include "ota/registrar/flow.h"
#include "ota/sip/frame.h"
#include "ota/sip/message.h"

struct ota_sip_hop;
struct ota_sip_hops;

/* Where to, and over what. */
struct ota_sip_way {
    enum ota_sip_via via;
    struct sockaddr_storage to;
    struct slice name; /* TLS: the domain that the certificate must be for (RFC 5922 §7); borrowed */
    const struct ota_sip_flow
        *flow; /* over the door instead, to who is there already; NULL: not so.  Borrowed */
};

/* Embedded in its owner. */
struct ota_sip_rider {
    struct list at;
    /* Once, from the loop; the rider is off then.  opened: octets may have reached the peer.  note: in words. */
    void (*lost)(struct ota_sip_rider *r, bool opened, const char *note);
};

struct ota_sip_hops_conf {
    const struct ota_env *env;
    size_t hops_max;
    int64_t idle_ms;
    /* A message came; borrowed.  From the loop.  The callee may do anything but close the hops. */
    void (*message)(struct ota_sip_hop *hop, const struct ota_sip_unit *unit, void *arg);
    void *arg;
};

/* ERR_NOMEM. */
enum err ota_sip_hops_create(const struct ota_sip_hops_conf *conf, struct ota_sip_hops **out) MUST_USE;
/* For connections from now on; NULL: TLS does not work. */
void ota_sip_hops_set_tls(struct ota_sip_hops *h, struct net_tls_ctx *tls);
/* Nobody may ride.  closed fires from the loop. */
void ota_sip_hops_close(struct ota_sip_hops *h, void (*closed)(void *arg), void *arg);

/* A flow of the door is gone. */
void ota_sip_hops_flow_lost(struct ota_sip_hops *h, const struct ota_sip_flow *flow);

/* Finds or opens it, and r rides.  ERR_LIMIT: so many are in use; ERR_UNSUPPORTED: no TLS; ERR_NOMEM, ERR_IO. */
enum err ota_sip_hop_take(struct ota_sip_hops *h, const struct ota_sip_way *way, struct ota_sip_rider *r,
                          struct ota_sip_hop **out) MUST_USE;
/* r is off; *hop is NULL afterwards.  Harmless when it is. */
void ota_sip_hop_leave(struct ota_sip_hop **hop, struct ota_sip_rider *r);
/* Another rides on instead. */
void ota_sip_hop_pass(struct ota_sip_hop *hop, struct ota_sip_rider *from, struct ota_sip_rider *to);
/* One message; on a stream it waits for the connection.  ERR_LIMIT: more than a datagram or the path takes; ERR_AGAIN,
 * ERR_PEER, ERR_IO: a datagram was not sent. */
enum err ota_sip_hop_send(struct ota_sip_hop *hop, struct slice message) MUST_USE;
/* A request on it has had no answer for as long as one may take (RFC 3261 §17.1.2.2, timer F).  A stream from which nothing else has come
 * either is as good as lost, which nobody but us will find out for a long time: all riders are told, and the next to go there opens
 * another.  Harmless for datagrams, flows of the door, and NULL.  The caller's rider must be off. */
void ota_sip_hop_silent(struct ota_sip_hop *hop);
/* Who is at the other end. */
const struct sockaddr *ota_sip_hop_peer(const struct ota_sip_hop *hop);
enum ota_sip_via ota_sip_hop_via(const struct ota_sip_hop *hop);
/* Our end of a UDP socket or flow; 0 for streams. */
uint16_t ota_sip_hop_port(const struct ota_sip_hop *hop);

#endif
