/* A SIP device for the command line: takes MESSAGE requests over UDP and TCP (or TLS) on one port, and sessions, and answers as it is told; a
 * request sent again is answered again and handed over once.  RFC 3261 §8.2, §17.2.2; RFC 3428 §7.  One thread. */
#ifndef PPG_HANDSET_SIP_DEVICE_H
#define PPG_HANDSET_SIP_DEVICE_H

#include "base/buf.h"
#include "base/net/env.h"
#include "base/net/tls.h"
#include "base/slice.h"
#include "ppg/tool/tool.h"

struct ota_sip_unit; /* ota/sip/frame.h */
struct tool_sip_device;

/* A MESSAGE that came, or a message in a session; borrowed. */
struct tool_sip_push {
    struct slice content_type;
    struct slice app_id; /* that it is for, as Accept-Contact says; empty: it says nothing */
    struct slice body;
    struct slice ip;                 /* of who sent it */
    const struct net_tls_peer *peer; /* NULL: not inside TLS */
    struct buf *more;                /* header lines for the answer, to be appended */
};

struct tool_sip_device_conf {
    const struct net_env *env;
    const char *address;     /* numeric, without brackets */
    uint16_t port;           /* 0: any */
    struct net_tls_ctx *tls; /* a server's: streams speak TLS, and there is no UDP */
    struct net_tls_ctx *session_tls;
    bool connects; /* for sessions, and with what: sip_session.h */
    struct net_tls_ctx *client;
    size_t max_n; /* octets of a message in a session */
    struct slice app_tag;
    /* The status to answer with. */
    unsigned (*push)(const struct tool_sip_push *p, void *arg);
    void (*wire)(struct slice octets, void *arg); /* requests as they came; may be NULL */
    void *arg;
};

/* ERR_IO: cannot be bound to; ERR_NOMEM. */
enum err tool_sip_device_create(const struct tool_sip_device_conf *conf,
                                struct tool_sip_device **out) MUST_USE;
/* What came by another way than its own sockets, and the answer; n 0: none.  Borrowed until the next call. */
struct slice tool_sip_device_serve(struct tool_sip_device *d, const struct ota_sip_unit *unit,
                                   const struct sockaddr *from, bool datagram);
uint16_t tool_sip_device_port(const struct tool_sip_device *d);
/* Answers that were given still leave.  The memory goes later.  NULL is fine. */
void tool_sip_device_close(struct tool_sip_device **d);

#endif
