/* What `push-terminal sip` is made of: a device that takes MESSAGE requests, and its registration if one is wanted.  One thread. */
#ifndef PPG_HANDSET_SIP_TERMINAL_H
#define PPG_HANDSET_SIP_TERMINAL_H

#include "ppg/handset/sip_device.h"
#include "ppg/handset/sip_register.h"

struct tool_sip;

struct tool_sip_conf {
    const struct net_env *env;
    const char *bind;                /* ADDR:PORT */
    struct net_tls_ctx *tls;         /* NULL: SIP itself goes in the clear */
    struct net_tls_ctx *session_tls; /* NULL: sessions do */
    bool connects;                   /* for those itself, */
    struct net_tls_ctx *client;      /* with this where session_tls is set; held while it lives */
    size_t max_n;                    /* octets of a message in a session */
    const char *record, *registrar;  /* URIs; both NULL: not registered */
    struct slice user, password;     /* for the registrar's challenges; the user empty: none.  Outlive it */
    tool_sip_aka_fn *aka;            /* the same for challenges of AKA, with arg; NULL: none */
    const struct tool_list *apps;    /* ids of the applications to be registered */
    bool json;                       /* how registrations are told, on standard output */
    unsigned (*push)(const struct tool_sip_push *p, void *arg);
    void (*wire)(struct slice octets, void *arg);
    void *arg;
};

/* address: the numeric address of bind.  ERR_MALFORMED, ERR_IO, ERR_NOMEM with why[]. */
enum err tool_sip_create(const struct tool_sip_conf *conf, char address[], struct tool_sip **out,
                         unsigned *port, char why[TOOL_WHY_N]) MUST_USE;
void tool_sip_close(struct tool_sip **s); /* NULL is fine */

#endif
