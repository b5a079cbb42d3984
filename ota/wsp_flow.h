/* Inside the bearer for datagrams: one terminal as the bearer sees it - its socket, what waits, what was just sent - and
 * one attempt to push to it.  wsp_udp.c keeps the table of flows and tells callers the results; wsp_flow.c drives one.
 * One loop.
 *
 * A push opens the flow: the name is looked up and a socket connected to the terminal, so that the network's complaints
 * find their flow.  Then each push is one datagram.  It counts as handed over when no complaint has come for the settle
 * time; a complaint costs everything sent within that time, as it does not say which.  An idle flow closes.  A secured flow
 * has a DTLS session in between: pushes wait for its handshake, each is one record, and it lives as long as the flow. */
#ifndef OTA_WSP_FLOW_H
#define OTA_WSP_FLOW_H

#include "base/list.h"
#include "base/map.h"
#include "base/net/dns.h"
#include "base/net/dtls.h"
#include "base/net/hub.h"
#include "base/net/udp.h"
#include "ota/bearer.h"

#define OTA_FLOW_WAITING_MAX 64 /* pushes that wait for one terminal's name */

struct ota_udp {
    const struct ota_env *env;
    struct net_tls_ctx *dtls; /* for terminals that show a certificate; NULL: none can */
    struct map flows;         /* route key -> struct ota_flow; those on their way out are not in it */
    struct list idle;         /* open flows with nothing to do, least recently used first */
    struct list ready;        /* attempts whose done() is due */
    struct net_task later;    /* empties `ready`, so that no callback fires inside send() or cancel() */
    size_t open;              /* flows, those on their way out too */
    uint8_t tid;              /* of the next datagram [OTA-HTTP §9.2] */
    struct buf head;          /* scratch: header lines */
    struct buf datagram;      /* scratch */
    bool ended;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct ota_flow {
    struct list at; /* in idle; alone while busy */
    struct ota_udp *udp;
    char *key; /* owned: address and route of the terminal, so a changed route is another flow */
    size_t key_n;
    struct net_dns_query *query; /* under way */
    struct net_udp *socket;      /* NULL: not yet, or closing */
    struct net_tls_ctx *ctx;     /* held; NULL: in the clear */
    char *server_name;           /* owned; what the terminal's certificate must say */
    struct sec_secret psk;       /* the key that ctx was made with; n 0: none */
    struct net_dtls *dtls;       /* NULL: in the clear, or not yet */
    bool leaving;                /* not in the table any more; what is left of it ends by itself */
    struct list waiting;         /* attempts, in order */
    size_t waiting_n;
    struct list sent; /* in order, the oldest settles first */
    struct net_timer timer;
};

struct ota_datagram {
    struct list at; /* in waiting, sent or ready */
    enum { OTA_DATAGRAM_WAITING, OTA_DATAGRAM_SENT, OTA_DATAGRAM_READY } stage;
    struct ota_flow *flow; /* not used when READY */
    struct ota_job *job;
    ota_done_fn *done;
    void *arg;
    enum err why;
    int64_t settled_ms; /* monotonic, of a SENT one */
};

/* wsp_flow.c.  Looks up the terminal's name.  ERR_NOMEM, ERR_MALFORMED, ERR_IO; ERR_UNSUPPORTED: nothing to secure it with. */
enum err ota_flow_open(struct ota_flow *f, const struct ota_terminal *t) MUST_USE;
void ota_flow_add(struct ota_flow *f, struct ota_datagram *d);
/* Sends what may be sent. */
void ota_flow_pump(struct ota_flow *f);
void ota_flow_cancel(struct ota_datagram *d);
/* Takes it off the table; everything on it ends, the memory goes later. */
void ota_flow_close(struct ota_flow *f);

/* wsp_udp.c.  The attempt leaves its flow; done() fires from the loop.  Prints the note. */
void ota_udp_finish(struct ota_datagram *d, enum ota_outcome outcome, unsigned code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The flow is gone; the last one lets a bearer that was told to close end. */
void ota_udp_flow_gone(struct ota_flow *f);

#endif
