/* One run of push-terminal: what its files share, and what each gives the others.  terminal.c puts a run together,
 * terminal_kit.c makes the client library, terminal_tls.c the TLS context, terminal_serve.c opens and closes the ways to
 * the gateway, terminal_take.c takes what comes by them.  int: 0, or the exit status once it was said why.  One thread. */
#ifndef PPG_HANDSET_TERMINAL_H
#define PPG_HANDSET_TERMINAL_H

#include "base/log.h"
#include "base/net/dtlsd.h"
#include "base/net/httpd.h"
#include "base/net/hub.h"
#include "base/net/udp.h"
#include "base/net/uri.h"
#include "ota/terminal/kit.h"
#include "ppg/handset/call.h"
#include "ppg/handset/follow.h"
#include "ppg/handset/guest.h"
#include "ppg/handset/inbox.h"
#include "ppg/tool/net.h"
#include "ppg/handset/peer.h"
#include "ppg/handset/pin.h"
#include "ppg/handset/sip_terminal.h"
#include "ppg/handset/state.h"
#include "ppg/handset/terminal_options.h"
#include "ppg/handset/verify.h"
#include "security/terminal/secprov.h"

#define TOOL_TERMINAL_HEADERS_MAX     64
#define TOOL_TERMINAL_SERVERS_MAX     64
#define TOOL_TERMINAL_CONNECTIONS_MAX 64
#define TOOL_TERMINAL_FILE_MAX_N      65536u
#define TOOL_TERMINAL_TLS_PORT        4036 /* [OTA-HTTP §2] */

enum tool_terminal_exit {
    TOOL_TERMINAL_OK,   /* the pushes came */
    TOOL_TERMINAL_LATE, /* not in time */
    TOOL_TERMINAL_USAGE /* a mistake in what was asked */
};

struct tool_terminal {
    const struct tool_terminal_options *o;
    struct tool_loop loop;
    struct log *log; /* to standard error: connections refused, and why */
    struct net_tls_ctx *tls;
    struct net_gate *gate;
    struct net_httpd *httpd;  /* `listen` and `connect`, without: */
    struct net_udp *udp;      /* --udp */
    struct net_dtlsd *dtls;   /* --dtls */
    struct tool_call *call;   /* `connect`, beside httpd; */
    struct tool_guest *guest; /* with --visit instead of it */
    struct tool_inbox *inbox; /* `inbox` */
    struct tool_sip *sip;     /* `sip` */
    struct tool_verify *verify;
    struct tool_follow *follow; /* --items */
    struct tool_home items;     /* what that needs; in the options */
    struct tool_boot *boot;     /* --bsf; and what of the above waits for its key */
    bool waits;
    struct tool_pin pin;
    struct buf login;      /* its password */
    struct slice psk_name; /* in the options */
    struct sec_secret psk;
    struct tool_peer_key peer; /* --peer-key: psk is derived from it */
    bool peer_used;
    struct kit *kit;
    struct sec_secprov *object; /* what it was provisioned with at the start; NULL: nothing */
    struct slice servers[TOOL_TERMINAL_SERVERS_MAX];
    struct net_timer timer; /* the timeout, then the drain */
    struct tool_state state;
    FILE *wire;
    char address[TOOL_ADDRESS_N];
    struct net_uri gateway;
    int64_t pushes;
    bool fetched; /* `inbox`: all of it, but an answer of the home function may be missing */
    bool draining;
    int exit;
};

/* --- terminal.c --- */

/* Until it has ended; the exit status. */
int tool_terminal_run(const struct tool_terminal_options *o);
/* TOOL_TERMINAL_USAGE, and why on standard error; why may be empty. */
int tool_terminal_complain(const char *what, const char *why);
/* USER:FILE of an option; the slices borrow from login and text. */
int tool_terminal_login(const char *option, const char *login, struct buf *text, struct slice *user,
                        struct slice *password);

/* --- terminal_kit.c --- */

int tool_terminal_kit(struct tool_terminal *t);

/* --- terminal_tls.c: after the kit and the provisioned object --- */

int tool_terminal_tls(struct tool_terminal *t);

/* --- terminal_serve.c --- */

int tool_terminal_start(struct tool_terminal *t);
struct net_http_limits tool_terminal_limits(const struct tool_terminal *t);
/* The gateway has TLS too: its next calls go there. */
void tool_terminal_call_inside_tls(struct tool_terminal *t);
void tool_terminal_drain(struct tool_terminal *t); /* lets answers leave, then ends */
void tool_terminal_leave(struct tool_terminal *t); /* the same from inside what reads a socket */
void tool_terminal_end(struct tool_terminal *t);   /* at once */

/* The key of --bsf is there: what waits for it begins, and what is under way goes on with it. */
void tool_terminal_keyed(void *arg);

/* --- terminal_take.c: arg is the struct tool_terminal --- */

void tool_terminal_request(struct net_http_exchange *x, void *arg); /* where it listens, or on its call */
void tool_terminal_visit(struct net_http_exchange *x, void *arg);   /* where a push told it to go */
void tool_terminal_verified(enum kit_event ev, const struct kit_push *push, const char *reason, void *arg);
enum tool_inbox_verdict tool_terminal_item(const struct net_http_msg *m, struct slice content,
                                           const struct net_tls_peer *peer, void *arg);
void tool_terminal_item_over(int status, const char *why, void *arg);
void tool_terminal_followed(void *arg); /* what pushes named is fetched */
void tool_terminal_datagram(struct net_udp *udp, const struct sockaddr *from, struct slice octets, void *arg);
void tool_terminal_record(const struct sockaddr *from, const struct net_tls_peer *peer, struct slice plain,
                          void *arg);
unsigned tool_terminal_message(const struct tool_sip_push *p, void *arg); /* SIP; the status */
void tool_terminal_wire(struct slice octets, void *arg);                  /* --wire */

#endif
