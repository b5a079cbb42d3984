/* A terminal's way to its inbox: lists what waits, fetches it item by item, large ones in parts, and says which it has; again
 * as soon as something comes, when told to follow.  Proves itself by what the TLS context has, or by a login.  What an item
 * is worth is judged by who gave the callbacks.  Against ppg/doors/inbox.h; RFC 9110, RFC 7616.  One thread. */
#ifndef PPG_HANDSET_INBOX_H
#define PPG_HANDSET_INBOX_H

#include "base/net/env.h"
#include "base/net/http1.h"
#include "base/net/tls.h"
#include "ppg/tool/tool.h"

enum tool_inbox_verdict {
    TOOL_INBOX_HAVE,  /* it need not come again: acknowledge it */
    TOOL_INBOX_LAST,  /* likewise, and end */
    TOOL_INBOX_LEAVE, /* let it wait there */
    TOOL_INBOX_STOP   /* likewise, and end */
};
/* An item: the head of the last answer, and all of its content; both until the call returns. */
typedef enum tool_inbox_verdict tool_inbox_item_fn(const struct net_http_msg *head, struct slice content,
                                                   const struct net_tls_peer *peer, void *arg);
/* Once, when nothing more comes: TOOL_OK, or an exit status and why. */
typedef void tool_inbox_end_fn(int status, const char *why, void *arg);

struct tool_inbox_conf {
    const struct net_env *env;
    struct slice host; /* no brackets */
    uint16_t port;
    struct net_tls_ctx *tls;
    struct slice server_name; /* of its certificate; empty: host */
    struct slice user;        /* of the login; empty: none.  Borrowed, with the password */
    struct slice password;
    bool md5;                /* the login is syncml:auth-md5, and nothing else */
    struct slice protection; /* asked for: "none", "integrity", "full"; empty: nothing */
    bool decrypted;          /* objects that were encrypted for us: opened by the gateway */
    struct slice item;       /* this one alone; empty: all */
    size_t max_n;            /* octets of one item */
    bool follow;
    bool keep; /* acknowledges nothing */
    tool_inbox_item_fn *got;
    tool_inbox_end_fn *ended;
    void *arg;
};

/* Could it be the name of an item?  No separator of a request is in it. */
bool tool_inbox_item_ok(struct slice name);

struct tool_inbox;
/* Begins.  Slices are borrowed until the end.  ERR_NOMEM. */
enum err tool_inbox_create(const struct tool_inbox_conf *conf, struct tool_inbox **out) MUST_USE;
/* Ends it without a word to anybody, unless it has ended; NULL is fine. */
void tool_inbox_close(struct tool_inbox **inbox);

#endif
