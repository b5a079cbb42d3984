/* A terminal that is served by a function of another network (SEC_CF 1.1, use case B.6): it asks its home for a key there, goes
 * where the answer says, over TLS with that key, and is served over the line as if it had called a gateway of its own.  A key
 * is good for one handshake, so when the line is lost the home is asked for another one, after a pause that doubles from a second
 * to a minute while no line lasts.  Where a push told the terminal to go is visit.h.  For push-terminal; one thread. */
#ifndef PPG_HANDSET_GUEST_H
#define PPG_HANDSET_GUEST_H

#include "base/net/httpd.h"
#include "ppg/handset/ask.h"

struct tool_guest;
struct tool_guest_conf {
    struct tool_ask_conf ask;
    struct slice enabler;    /* who is to be visited, as the home knows it; outlives it */
    struct net_httpd *httpd; /* without listener; outlives the guest */
    void (*refused)(const char *why,
                    void *arg); /* once: the home gives us no key for there, and will not; it asks no more */
    void *arg;
};
/* Copies conf; asks at once, or when the bootstrapped key is there.  ERR_MALFORMED, ERR_IO, ERR_NOMEM with why[]. */
enum err tool_guest_create(const struct tool_guest_conf *conf, struct tool_guest **out,
                           char why[TOOL_WHY_N]) MUST_USE;
/* As of tool_ask.  NULL is fine. */
void tool_guest_keyed(struct tool_guest *g);
void tool_guest_unkeyed(struct tool_guest *g);
/* Asks and calls no more; the line, if there is one, is the server's to close.  The memory goes when its connections are closed.
 * NULL is fine. */
void tool_guest_close(struct tool_guest **g);

#endif
