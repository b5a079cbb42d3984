/* A terminal's line to its gateway: one connection that the terminal opens, over which it is then served (httpd.h); opened
 * again after a while when it is lost.  [OTA-HTTP §3] TO-TCP.  One thread. */
#ifndef PPG_HANDSET_CALL_H
#define PPG_HANDSET_CALL_H

#include "base/net/httpd.h"
#include "ppg/tool/tool.h"

struct tool_call;
struct tool_call_conf {
    const struct net_env *env;
    struct net_httpd *httpd; /* without listener; its tls is a client context */
    struct slice host;       /* a name or numeric, no brackets; outlives the call */
    uint16_t port;
    struct slice server_name; /* of the certificate; empty: host */
    bool once;                /* not again when it is lost */
    void (*lost)(
        const char *tls_why,
        void *
            arg); /* may be NULL; each time, also when there was none yet; "": not by TLS.  It does not close the call */
    void *arg;
};

/* Begins to call.  ERR_NOMEM. */
enum err tool_call_create(const struct tool_call_conf *conf, struct tool_call **out) MUST_USE;
/* From the next time on it calls another port of that host, and the first time without a pause. */
void tool_call_move(struct tool_call *call, uint16_t port);
/* Does not wait any longer for the next call, if it does. */
void tool_call_now(struct tool_call *call);
/* Calls no more; the connection, if there is one, is the server's to close.  NULL is fine. */
void tool_call_close(struct tool_call **call);

#endif
