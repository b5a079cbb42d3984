/* A registration at a SIP registrar, kept alive (RFC 3261 §10.2): REGISTER, answers to its challenges, again before it expires,
 * which the registrar decides.  One thread. */
#ifndef PPG_HANDSET_SIP_REGISTER_H
#define PPG_HANDSET_SIP_REGISTER_H

#include <sys/socket.h>
#include "base/net/env.h"
#include "ota/registry.h"
#include "ppg/tool/tool.h"
#include "security/aka.h"

struct ota_sip_unit; /* ota/sip/frame.h */
struct tool_sip_register;

/* One run of an identity module, kept before it returns.  ERR_DENIED: the network is not ours; ERR_EXISTS: its number is not fresh, and auts
 * says where ours stand. */
typedef enum err tool_sip_aka_fn(void *arg, const uint8_t rand[SEC_AKA_RAND_N],
                                 const uint8_t autn[SEC_AKA_AUTN_N], struct sec_aka_vector *out,
                                 uint8_t auts[SEC_AKA_AUTS_N]);

struct tool_sip_register_conf {
    const struct net_env *env;
    const char *registrar; /* URI of where requests go, over UDP or TCP */
    const char *record;    /* address of record: sip:user@domain */
    const char *contact;   /* URI where we are */
    struct slice apps;     /* value of the feature tag; empty: every application */
    struct slice app_tag;
    struct ota_login login; /* the user empty: none */
    tool_sip_aka_fn *aka;   /* for challenges of AKA; NULL: none */
    void *aka_arg;
    int64_t expires_s; /* that is asked for; more when the registrar wants that */
    /* A request came from the registrar by the way of our own, which is how it reaches who is behind a NAT (RFC 5626); what answers it,
     * n 0: nothing. */
    struct slice (*request)(const struct ota_sip_unit *unit, const struct sockaddr *from, bool datagram,
                            void *arg);
    /* Each time that it is known: 200, another status, or 0: no answer. */
    void (*told)(unsigned status, void *arg);
    void *arg;
};

/* Begins at once.  ERR_MALFORMED (a URI), ERR_NOMEM. */
enum err tool_sip_register_create(const struct tool_sip_register_conf *conf,
                                  struct tool_sip_register **out) MUST_USE;
/* Without a word to the registrar.  The memory goes later.  NULL is fine. */
void tool_sip_register_close(struct tool_sip_register **r);

#endif
