/* Where a push told the terminal to go: a connection to the contact point of a session initiation, over which the terminal
 * is then served as if it had called by itself.  Whether it may go is decided before.  [OTA-HTTP §9.1].  For
 * push-terminal; one thread. */
#ifndef PPG_HANDSET_VISIT_H
#define PPG_HANDSET_VISIT_H

#include "base/net/httpd.h"

struct tool_visit;
struct tool_visit_conf {
    const struct net_env *env;
    struct net_tls_ctx *tls; /* a client context; every visit is inside TLS */
    struct net_http_limits limits;
    net_httpd_request_fn *request;
    void *arg;
};

/* Copies conf.  ERR_NOMEM. */
enum err tool_visit_create(const struct tool_visit_conf *conf, struct tool_visit **out) MUST_USE;
/* Goes to the first contact point of the content that has an address; the visit before it is given up when it has not
 * got anywhere.  Once: a connection that is lost stays lost.  ERR_MALFORMED: no session initiation; ERR_ABSENT: it names no address; ERR_NOMEM. */
enum err tool_visit_go(struct tool_visit *v, struct slice content) MUST_USE;
/* For visits from now on; held. */
void tool_visit_set_tls(struct tool_visit *v, struct net_tls_ctx *tls);
void tool_visit_drain(struct tool_visit *v); /* lets requests end; NULL is fine */
/* closed() is not told; the memory goes when its connections are gone.  NULL is fine. */
void tool_visit_close(struct tool_visit **v);

#endif
