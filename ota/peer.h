/* Inside the OTA-HTTP bearer: one terminal route as the bearer sees it - its connection, its registration, its
 * queue - and one attempt to push to it.  http.c keeps the table of peers and tells callers the results; peer.c drives one
 * peer.  One loop.
 *
 * A peer without connection is cold: it keeps what the terminal said of itself.  A push makes it connect and send
 * OPTIONS; when that is answered, pushes fly, at most as many at a time as the terminal said; the others wait
 * in order.  A lost connection costs the pushes that flew on it, and a new one begins with OPTIONS again.
 *
 * A terminal that called in (caller.h) brings its connection, registered: the peer uses that one while it lasts, asks it
 * now and then whether it lives, and connects by itself only when there is a route. */
#ifndef OTA_PEER_H
#define OTA_PEER_H

#include "base/list.h"
#include "base/map.h"
#include "base/net/httpc.h"
#include "base/net/hub.h"
#include "ota/bearer.h"
#include "ota/caller.h"
#include "ota/cpi.h"
#include "ota/login.h"

struct ota_http {
    const struct ota_env *env;
    struct net_tls_ctx *tls; /* for connections from now on; NULL: TLS routes do not work */
    struct map peers;        /* route key -> struct ota_peer */
    struct list idle;        /* connected peers with nothing to do, least recently used first */
    struct list cold;        /* peers without connection, least recently used first */
    struct list ready;       /* attempts whose done() is due */
    struct net_task later;   /* empties `ready`, so that no callback fires inside send() or cancel() */
    size_t open;             /* connections we opened, those on their way out too */
    size_t leaving;          /* of these, the ones told to close */
    size_t called;           /* connections that terminals opened */
    bool ended;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct ota_peer {
    struct list at; /* in idle or cold; alone while busy */
    struct ota_http *http;
    char *key; /* owned: address and route of the terminal, so a changed route is another peer */
    size_t key_n;
    struct slice address;     /* in key; for logs */
    struct slice terminal_id; /* in key; n 0: any */
    bool tls;
    struct net_httpc *conn;        /* NULL: cold */
    bool leaving;                  /* conn was told to close, or is closing; its closed callback is due */
    bool registered;               /* on this connection, and the tag is fresh */
    bool pushed;                   /* a push has flown on this connection */
    unsigned fruitless;            /* connections in a row that ended before a push flew */
    struct net_httpc_req *options; /* in flight */
    unsigned options_tries;        /* since the last success */
    bool options_login;            /* the one in flight answers a 401 */
    struct list waiting;           /* attempts, in order */
    struct list flying;
    size_t waiting_n;
    size_t flying_n;
    uint64_t next_order;
    struct ota_cpi cpi;
    struct ota_login_state login;
    struct sec_mac_nonce mac;      /* for the next mac; n 0: the terminal has told none */
    bool options_mac;              /* the OPTIONS in flight carries one */
    bool mac_flying;               /* a push with one is on its way: the next waits for its nonce */
    bool called;                   /* conn was opened by the terminal */
    int64_t since_ms;              /* monotonic, when conn was made */
    struct ota_call *call;         /* while called: its seat; conn goes by it */
    struct ota_call *next_call;    /* the terminal called again: taken when conn is gone */
    struct ota_registry *registry; /* while called: holds `terminal` */
    const struct ota_terminal *terminal;
    struct ota_registry *next_registry; /* of next_call */
    const struct ota_terminal *next_terminal;
    struct net_timer alive;
    int64_t unusable_until_ms; /* monotonic; until then every push fails at once */
    unsigned unusable_code;
};

struct ota_attempt {
    struct list at; /* in waiting, flying or ready */
    enum { OTA_WAITING, OTA_FLYING, OTA_READY } stage;
    struct ota_peer *peer; /* not used when READY */
    struct ota_job *job;
    ota_done_fn *done;
    void *arg;
    enum err why;
    uint64_t order;            /* place in the queue, kept when it comes back */
    struct net_httpc_req *req; /* while FLYING */
    bool cancelled;
    bool tag_tried;   /* was sent again after a stale tag */
    bool login_tried; /* was sent again after a 401 */
    bool mac;         /* goes with a mac: the job wants it, or the terminal asked */
};

#define OTA_PEER_WAITING_MAX 64 /* pushes queued for one terminal: the scheduler feeds one or few at a time */
#define OTA_PEER_UNUSABLE_MS 60000 /* a wrong or deaf terminal is left alone for so long */

/* peer.c.  Sends what may be sent, connects if it must, and files the peer under idle or cold. */
void ota_peer_pump(struct ota_peer *p);
/* The terminal is on the line: takes over the call and the hold. */
void ota_peer_take(struct ota_peer *p, struct ota_call *call, const struct ota_terminal *t,
                   struct ota_registry *held);
/* A call that waits for the connection before it to end is dropped. */
void ota_peer_forget_call(struct ota_peer *p);
/* Closes the connection, if there is one; what waits stays. */
void ota_peer_close(struct ota_peer *p);
void ota_peer_cancel(struct ota_attempt *a);
/* True: it still waited for a connection or a registration, nothing of it has been sent, and it has left the peer. */
bool ota_peer_withdraw(struct ota_attempt *a) MUST_USE;
void ota_peer_add(struct ota_peer *p, struct ota_attempt *a);

/* peer_line.c.  As in bearer.h. */
void ota_peer_line(const struct ota_peer *p, ota_line_fn *fn, void *arg);

/* http.c.  The attempt leaves its peer; done() fires from the loop.  Prints the note. */
void ota_http_finish(struct ota_http *h, struct ota_attempt *a, enum ota_outcome outcome, unsigned code,
                     const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Tells the table of profiles what the terminal says now, or that nothing is known of it. */
void ota_http_publish(const struct ota_peer *p);
/* May one more connection be opened?  Closes the least recently used idle one for it. */
bool ota_http_make_room(struct ota_http *h);
/* A connection is gone; the last one lets a bearer that was told to close end. */
void ota_http_check_end(struct ota_http *h);

#endif
