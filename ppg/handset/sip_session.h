/* Sessions of a SIP device for the command line: it is invited, listens for the connection - or makes it, where it is to and the offer leaves that
 * open (RFC 6135) -, and takes messages over MSRP (RFC 4975) as
 * it takes MESSAGE requests.  The offer decides: a device with a certificate or a key speaks TLS and takes offers of TLS alone, another takes
 * clear ones.  Bounded in sessions, connections and octets of a message.  One thread. */
#ifndef PPG_HANDSET_SIP_SESSION_H
#define PPG_HANDSET_SIP_SESSION_H

#include "ppg/handset/sip_device.h"

struct ota_sip_request;
struct tool_sip_sessions;

struct tool_sip_sessions_conf {
    const struct net_env *env;
    const char *address; /* numeric, without brackets */
    struct net_tls_ctx *tls;
    bool connects;              /* it makes the connection, */
    struct net_tls_ctx *client; /* with this where tls is set */
    size_t max_n;               /* octets of a message */
    struct slice app_tag;
    unsigned (*push)(const struct tool_sip_push *p, void *arg); /* as the device's */
    void (*wire)(struct slice octets, void *arg);               /* may be NULL */
    void *arg;
};

/* ERR_IO: cannot listen; ERR_NOMEM. */
enum err tool_sip_sessions_create(const struct tool_sip_sessions_conf *conf,
                                  struct tool_sip_sessions **out) MUST_USE;
/* closed() later; then the memory goes. */
void tool_sip_sessions_close(struct tool_sip_sessions *s, void (*closed)(void *arg), void *arg);

/* An INVITE: 200 with the description to answer with, appended; 488: no offer that can be taken; 486: too many sessions.
 * tag: the answer's. */
unsigned tool_sip_sessions_invited(struct tool_sip_sessions *s, const struct ota_sip_request *r,
                                   struct slice tag, struct slice body, struct buf *description);
/* A BYE: 200, or 481 to one of another dialog: Call-ID and both tags tell (RFC 3261 §12.2.2). */
unsigned tool_sip_sessions_bye(struct tool_sip_sessions *s, const struct ota_sip_request *r);

#endif
