/* A terminal's questions to its home function: POST of JSON over TLS, proved by certificate, shared key or login, each given
 * or bootstrapped (boot.h).  Each question is a request of its own; a login costs a second one, with what the first was answered
 * by a 401.  One that needs a key which is not there yet waits for it; one whose key is not known any more waits for the next,
 * once.  What is asked, and what an answer means, is the owner's.  For push-terminal; one thread. */
#ifndef PPG_HANDSET_ASK_H
#define PPG_HANDSET_ASK_H

#include "base/net/env.h"
#include "base/net/http1.h"
#include "ppg/handset/boot.h"
#include "ppg/handset/home.h"

#define TOOL_ASK_BODY_MAX_N 4096u /* octets of a question, and of an answer */

struct tool_ask;
struct tool_ask_conf {
    const struct net_env *env;
    const struct tool_home *home; /* outlives it */
    struct tool_boot
        *boot; /* where there is no psk and no login: with ca the login, else the shared key; NULL */
    struct slice terminal_id; /* X-Wap-Terminal-Id, for logins; may be empty; outlives it */
};
/* Copies conf.  ERR_MALFORMED, ERR_IO, ERR_NOMEM with why[]. */
enum err tool_ask_create(const struct tool_ask_conf *conf, struct tool_ask **out,
                         char why[TOOL_WHY_N]) MUST_USE;

/* Once, with the answer (good until it returns) of a home that is who it must be; or NULL, and why there is none.  Never from
 * inside tool_ask_send(). */
typedef void tool_answer_fn(const struct net_http_msg *m, const char *why, void *arg);
/* Copies json; path is a literal.  ERR_LIMIT, ERR_NOMEM, ERR_MALFORMED (a login that cannot be sent): it was not asked. */
enum err tool_ask_send(struct tool_ask *a, struct slice path, struct slice json, tool_answer_fn *answer,
                       void *arg) MUST_USE;
/* Questions that are not answered yet. */
size_t tool_ask_open(const struct tool_ask *a);
/* The context that it asks with; NULL: the bootstrapped key is not there yet. */
struct net_tls_ctx *tool_ask_tls(const struct tool_ask *a);

/* The bootstrapped key is there, or another one; or a try for it came to nothing. */
void tool_ask_keyed(struct tool_ask *a);
void tool_ask_unkeyed(struct tool_ask *a);
/* Asks nothing more: what waits for a key gets no answer. */
void tool_ask_drain(struct tool_ask *a);
/* The same, and what is under way gets none either, now or as its connection closes; the memory goes after that, and then gone()
 * runs.  NULL is fine: nothing runs. */
void tool_ask_close(struct tool_ask **a, void (*gone)(void *arg), void *arg);

#endif
