/* What a TLS session is made of, for its own files: tls.c (its queues and records), tls_handshake.c, tls_judge.c, tls_resume.c,
 * tls_psk.c; and dtls.c, for what only datagrams need.  Who is not one of them goes by tls.h. */
#ifndef BASE_NET_TLS_SESSION_H
#define BASE_NET_TLS_SESSION_H

#include "base/net/tls.h"
#include "base/net/tls_ctx.h"
#include "base/net/tls_hold.h"
#include "base/net/tls_peer.h"

struct gnutls_session_int; /* what gnutls_session_t points to */

enum tls_question { TLS_QUESTION_NONE, TLS_QUESTION_OPEN, TLS_QUESTION_ANSWERED };

struct net_tls {
    struct net_tls_ctx *ctx; /* held */
    struct gnutls_session_int *session;
    char *name;    /* clients: the name to verify; owned */
    struct buf in; /* wire octets; those before in_at were read */
    size_t in_at;
    size_t in_ok;                   /* with hold: those before it GnuTLS may have */
    struct tls_hold *hold;          /* looks at what GnuTLS gets; NULL: nothing is looked at, or no longer */
    struct net_tls_key_name wanted; /* the key the handshake waits for; identity n 0: none */
    size_t held_n;                  /* octets of the record that waits with it */
    bool key_away;                  /* and was not to be had */
    struct buf out;                 /* wire octets to send */
    const char *why;
    enum tls_question question; /* about the status of the peer's certificate */
    enum net_tls_status status; /* the answer */
    struct slice issuer;        /* DER; GnuTLS's memory */
    uint16_t psk_suite;         /* servers with shared keys: what the ServerHello chose */
    bool ticket_kept;           /* of what this handshake made, for the next to resume */
    bool shaken;                /* GnuTLS is through with the handshake */
    bool failed;                /* after a fatal error nothing more is said but what is in out */
    struct tls_peer_store peer;
};

/* A fatal GnuTLS result ends the session: the error, and the reason unless one is known already. */
enum err tls_fail(struct net_tls *t, int rc) MUST_USE;

#endif
