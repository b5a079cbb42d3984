/* A registration at a SIP registrar, kept alive (RFC 3261 §10.2): REGISTER, answers to its challenges, again before it expires, and
 * taken back at the end.  One thread. */
#ifndef PPG_TOOL_SIP_REGISTER_H
#define PPG_TOOL_SIP_REGISTER_H

#include "base/net/env.h"
#include "ota/sip/login.h"
#include "ppg/tool/tool.h"

struct tool_sip_register;

struct tool_sip_register_conf {
    const struct net_env *env;
    const char *registrar; /* URI of where requests go, over UDP or TCP */
    const char *record;    /* address of record: sip:user@domain */
    const char *contact;   /* URI where we are */
    struct slice apps;     /* value of the feature tag; empty: every application */
    struct slice app_tag;
    struct ota_login login;              /* the user empty: none */
    const struct ota_sip_module *module; /* for challenges of AKA; NULL: none */
    int64_t expires_s;
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
