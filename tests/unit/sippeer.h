/* A SIP server for tests of the client side: on one port of 127.0.0.1, over UDP and TCP (or TLS), it keeps every request and answers
 * the n-th with the n-th line of a script.  It shares no code with what it tests but the sockets. */
#ifndef TESTS_UNIT_SIPPEER_H
#define TESTS_UNIT_SIPPEER_H

#include "base/buf.h"
#include "base/net/stream.h"
#include "base/net/udp.h"
#include "tests/unit/netloop.h"

#define SIP_PEER_REQUESTS 16
#define SIP_PEER_STREAMS  8

struct sip_peer;
struct sip_peer_stream {
    struct sip_peer *peer;
    struct net_stream *stream;
    struct buf in;
};

struct sip_peer {
    struct netloop *nl;
    struct net_udp *udp; /* NULL: not over UDP */
    struct net_listener *listener;
    struct net_tls_ctx *tls; /* NULL: TCP */
    uint16_t port;
    struct sip_peer_stream streams[SIP_PEER_STREAMS];
    size_t streams_n; /* accepted in all */
    size_t opened;    /* with their handshake done */
    size_t closed;    /* of streams */
    size_t ended;     /* of sockets, when it closes */
    char requests[SIP_PEER_REQUESTS][8192];
    size_t n; /* requests that came */
    /* "200 OK", "401 No\r\nWWW-Authenticate: ..."; "": silence; NULL: as the one before. */
    const char *script[SIP_PEER_REQUESTS];
    const char *body;  /* session description in a 200 to INVITE; NULL: none */
    char answer[4096]; /* the last one */
};

enum { SIP_PEER_UDP = 1, SIP_PEER_TCP = 2 };
void sip_peer_open(struct sip_peer *p, struct netloop *nl, unsigned over, struct net_tls_ctx *tls);
void sip_peer_close(struct sip_peer *p);
/* The text after `name` in the n-th request, to the end of its line; static storage, good for 8 calls. */
const char *sip_peer_header(const struct sip_peer *p, size_t n, const char *name);

#endif
