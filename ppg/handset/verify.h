/* A terminal's questions to its home function (ask.h): is the push genuine that asks it to connect?  POST /sec/v1/verify.  What the
 * terminal's library makes of the answer is told, and a genuine session initiation is followed (visit.h).  SEC_CF 1.1, use case
 * B.7.  For push-terminal; one thread. */
#ifndef PPG_HANDSET_VERIFY_H
#define PPG_HANDSET_VERIFY_H

#include "base/net/httpd.h"
#include "ota/terminal/kit.h"
#include "ppg/handset/boot.h"
#include "ppg/handset/home.h"

struct tool_verify;
/* KIT_CONNECT with the push, or KIT_DROPPED with the reason; perhaps from inside tool_verify_go(). */
typedef void tool_verify_fn(enum kit_event ev, const struct kit_push *push, const char *reason, void *arg);
struct tool_verify_conf {
    const struct net_env *env;
    struct kit *kit;
    const struct tool_home *home;
    struct tool_boot
        *boot; /* where there is no psk and no login: with ca the login, else the shared key; NULL */
    struct slice terminal_id; /* X-Wap-Terminal-Id, for logins; may be empty */
    tool_verify_fn *told;
    struct net_http_limits limits; /* of requests where a push told us to go; */
    net_httpd_request_fn *request; /* they come here */
    void *arg;
};

/* Copies conf.  ERR_MALFORMED, ERR_IO, ERR_NOMEM with why[]. */
enum err tool_verify_create(const struct tool_verify_conf *conf, struct tool_verify **out,
                            char why[TOOL_WHY_N]) MUST_USE;
/* The bootstrapped key is there, or another one; or a try for it came to nothing. */
void tool_verify_keyed(struct tool_verify *v);
void tool_verify_unkeyed(struct tool_verify *v);
/* Asks whatever the kit has to ask. */
void tool_verify_go(struct tool_verify *v);
/* Questions that are not answered yet. */
size_t tool_verify_open(const struct tool_verify *v);
/* Asks and tells nothing more, and lets requests end where a push told us to go; NULL is fine. */
void tool_verify_drain(struct tool_verify *v);
/* The same at once; the memory goes when the connections are closed.  NULL is fine. */
void tool_verify_close(struct tool_verify **v);

#endif
