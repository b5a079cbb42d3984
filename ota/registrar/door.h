/* The SIP door of one loop: sockets that anybody may speak to, over UDP, TCP and TLS.  What comes in is cut into messages; a request
 * goes to the door's owner, who answers it now or later; a response goes to whoever has asked, perhaps on another loop.
 *
 * Story of a push to a device behind a NAT.  The device has opened a connection, on whatever loop the kernel chose, and registered over
 * it; its binding remembers the flow.  The loop that owns the terminal sends the MESSAGE to that flow: on the spot when the connection is
 * its own, else in a parcel to the loop where it is.  The response comes there; its branch says which loop has asked
 * (ota_sip_door_branch), so it goes back in a parcel.  A connection that closes tells every loop that has sent over it.  A UDP socket is
 * bound on every loop, so each sends from its own.
 *
 * A request within a dialog goes to the loop that its tag of ours names, and the answer back to where the connection is.  No address has
 * more than an eighth of the places that requests wait in, or of the answers that are kept.
 *
 * A response goes back where its request came from (RFC 3261 §18.2.2, RFC 3581); over UDP it is kept and said again to a retransmission
 * (§17.2.2): what cost a login and what cost nothing apart, so that strangers cannot push out the former.  A double CRLF is answered
 * by one (RFC 5626 §3.5.1).  A connection on which nobody has been let in is closed soon.  One loop. */
#ifndef OTA_REGISTRAR_DOOR_H
#define OTA_REGISTRAR_DOOR_H

#include "base/net/gate.h"
#include "base/net/tls.h"
#include "ota/registrar/location.h"
#include "ota/sip/request.h"

#define OTA_SIP_DOOR_SOCKETS 8
#define OTA_SIP_DOOR_TAG_N   16 /* hexadecimal digits */
#define OTA_SIP_DOOR_METHODS                                                                                 \
    "OPTIONS, REGISTER, BYE" /* that are served, the last in sessions of the bearer */

struct ota_sip_door;

/* A request on its way through the door; the door's.  Good until it is answered. */
struct ota_sip_asked {
    struct ota_sip_request r;
    struct ota_sip_flow flow; /* where it came from */
    struct slice ip;          /* of that, as text */
    struct slice body;        /* good during the call that brought it */
    bool let_in;              /* set by who answers: it was proved who asks */
    void *state;              /* of who answers later */
    struct list at;           /* the door's own */
    char ip_text[64];
};

/* Between the doors of two loops.  Owned by whoever carries it; heap. */
struct ota_sip_parcel {
    enum { OTA_SIP_SEND, OTA_SIP_REPLY, OTA_SIP_LOST, OTA_SIP_DIALOG } what;
    unsigned from;
    struct ota_sip_flow flow;
    size_t n, body_n;
    char octets[]; /* a head, or a message, NUL, a body */
};

struct ota_sip_door_conf {
    const struct net_env *env;
    struct ota_sip_location *location;
    unsigned loop, loops;
    size_t responses_max;  /* kept for retransmissions, twice so many in all */
    size_t asked_max;      /* requests that wait for their answer */
    int64_t enter_ms;      /* a connection on which nobody was let in closes after so long */
    int64_t idle_ms;       /* any other, after so long without an octet */
    struct net_gate *gate; /* of the connections; may be NULL */
    /* A request: the callee calls ota_sip_door_answer() once, now or later. */
    void (*request)(struct ota_sip_asked *q, void *arg);
    /* Takes *p to the door of that loop (ota_sip_door_parcel), then frees it. */
    void (*post)(unsigned loop, struct ota_sip_parcel *p, void *arg);
    void *arg;
};

/* Who sends over the door's flows: the bearer of the same loop. */
struct ota_sip_door_user {
    /* A response to one of its requests, and the flow that it came by. */
    void (*reply)(const struct ota_sip_unit *unit, const struct ota_sip_flow *flow, void *arg);
    void (*lost)(const struct ota_sip_flow *flow, void *arg); /* a connection that it has sent over is gone */
    /* A request within a session of this loop's: the status of the answer, for which header lines are appended; 0: of none.  May
     * be NULL. */
    unsigned (*dialog)(const struct ota_sip_request *r, struct buf *more, void *arg);
    void *arg;
};

/* Copies conf.  ERR_NOMEM. */
enum err ota_sip_door_create(const struct ota_sip_door_conf *conf, struct ota_sip_door **out) MUST_USE;
void ota_sip_door_attach(struct ota_sip_door *d,
                         const struct ota_sip_door_user *user); /* NULL: nobody any more */
void ota_sip_door_set_times(struct ota_sip_door *d, int64_t enter_ms, int64_t idle_ms);
/* Binds one address.  The sockets of all loops must be bound in the same order.  *port: in the one wanted (0: any), out the one bound.
 * address and name: static.  ERR_IO with *why; ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_door_listen(struct ota_sip_door *d, enum ota_sip_via via, const char *name,
                             const char *address, uint16_t *port, const char **why) MUST_USE;
/* For connections from now on; borrowed until the next call. */
void ota_sip_door_set_tls(struct ota_sip_door *d, struct net_tls_ctx *tls);
/* Nobody may come in any more; what is open stays. */
void ota_sip_door_drain(struct ota_sip_door *d);
/* Requests must have been answered.  closed later, then the memory goes. */
void ota_sip_door_close(struct ota_sip_door *d, void (*closed)(void *arg), void *arg);
size_t ota_sip_door_asked(const struct ota_sip_door *d); /* requests that wait for their answer */

/* more: header lines.  *q is gone. */
void ota_sip_door_answer(struct ota_sip_door *d, struct ota_sip_asked *q, unsigned status, struct slice more);
/* The list for bindings of the connection that it came by; NULL: a datagram, or gone already. */
struct list *ota_sip_door_bound(struct ota_sip_door *d, const struct ota_sip_flow *flow);

/* A request of ours.  ERR_PEER: the flow is gone; of another loop's connection lost() tells that.  ERR_LIMIT, ERR_AGAIN, ERR_NOMEM,
 * ERR_IO. */
enum err ota_sip_door_send(struct ota_sip_door *d, const struct ota_sip_flow *flow,
                           struct slice message) MUST_USE;
/* Where a datagram socket is bound; 0: streams. */
uint16_t ota_sip_door_port(const struct ota_sip_door *d, const struct ota_sip_flow *flow);
/* Marks a branch, of OTA_SIP_BRANCH_N octets, so that its response finds back to this loop. */
void ota_sip_door_branch(const struct ota_sip_door *d, char *branch);
/* The same for the tag of our end of a dialog, of OTA_SIP_DOOR_TAG_N digits: requests in it do. */
void ota_sip_door_tag(const struct ota_sip_door *d, char *tag);
/* A parcel has come; borrowed. */
void ota_sip_door_parcel(struct ota_sip_door *d, const struct ota_sip_parcel *p);

#endif
