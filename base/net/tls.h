/* A TLS session as bytes in and bytes out: GnuTLS behind two memory queues, no sockets.  A context holds
 * credentials and priorities, is immutable once built and may serve sessions on any loop; a session belongs to
 * one thread.  TLS 1.2 and 1.3 only, AEAD suites, no renegotiation, ALPN "http/1.1" when asked. */
#ifndef BASE_NET_TLS_H
#define BASE_NET_TLS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct net_tls_ctx;
struct net_tls;

enum net_tls_role { NET_TLS_SERVER, NET_TLS_CLIENT };
enum net_tls_verify {
    NET_TLS_VERIFY_NONE,     /* servers: no certificate is asked; clients: only for tests */
    NET_TLS_VERIFY_OPTIONAL, /* servers: asked for; one that is sent must verify */
    NET_TLS_VERIFY_REQUIRED, /* must be sent and verify; clients: also match the name */
};

struct net_tls_pair {
    struct slice cert_pem; /* chain, leaf first */
    struct slice key_pem;
};

/* A server with several pairs shows one whose leaf has the name that SNI asks for, without regard to case, or a
 * wildcard for it (RFC 6125 §6.4.3): the first that the client's suites and signature algorithms allow, exact names
 * before wildcards.  No such name, or none asked for: the first of all pairs that they allow. */
struct net_tls_conf {
    enum net_tls_role role;
    enum net_tls_verify verify;
    const struct net_tls_pair *pairs; /* servers with several: see above */
    size_t pairs_n;                   /* at most 64 */
    struct slice ca_pem;              /* trust anchors for the peer's certificate */
    struct slice crl_pem;             /* may be empty */
    unsigned version_min;             /* 12 or 13 */
    bool alpn_http11;
    const char *priority; /* GnuTLS priority string that replaces the default; NULL */
};

/* Copies what it needs.  ERR_MALFORMED (*why, static or in the context's own storage: what is wrong). */
enum err net_tls_ctx_create(const struct net_tls_conf *conf, struct net_tls_ctx **out,
                            const char **why) MUST_USE;
/* The owner's handle goes; memory goes with the last session (an atomic count of sessions, any thread). */
void net_tls_ctx_free(struct net_tls_ctx **ctx);
/* Another owner's handle, for who opens sessions later; ctx may be NULL.  Give it back with net_tls_ctx_free. */
struct net_tls_ctx *net_tls_ctx_hold(struct net_tls_ctx *ctx);

/* What the peer proved.  All slices live in the session. */
struct net_tls_peer {
    bool has_cert;
    bool verified;            /* chain, dates, CRL (and name, for clients) are good */
    const struct slice *uris; /* subjectAltName URI */
    size_t uris_n;
    const struct slice *dns;
    size_t dns_n;
    const struct slice *emails;
    size_t emails_n;
    char fingerprint[65]; /* SHA-256 of the leaf, hexadecimal; "" without certificate */
    char version[16];     /* "TLS1.3" */
    char suite[64];
};

/* server_name: SNI and the name to verify (clients); an IP literal verifies against iPAddress names and sends
 * no SNI.  Holds the context alive. */
enum err net_tls_create(struct net_tls_ctx *ctx, struct slice server_name, struct net_tls **out) MUST_USE;
void net_tls_free(struct net_tls **t);

/* Octets from the wire; queued (ceiling 64 KiB beyond a full record: ERR_LIMIT). */
enum err net_tls_feed(struct net_tls *t, struct slice wire) MUST_USE;
/* ERR_OK: done.  ERR_AGAIN: send what net_tls_out() holds and feed more.  ERR_PEER, ERR_DENIED (certificate):
 * send what is in out (the alert), then close; net_tls_why() tells. */
enum err net_tls_handshake(struct net_tls *t) MUST_USE;
/* Plain octets of one record at most into out[0..cap); *n octets.  ERR_AGAIN: feed more.  ERR_ABSENT: the peer said
 * close_notify.  ERR_PEER. */
enum err net_tls_read(struct net_tls *t, void *out, size_t cap, size_t *n) MUST_USE;
/* Encrypts all of s into the out queue.  ERR_PEER, ERR_NOMEM. */
enum err net_tls_write(struct net_tls *t, struct slice s) MUST_USE;
void net_tls_bye(struct net_tls *t); /* close_notify into the out queue */

/* Octets to put on the wire; net_tls_out_take moves them out. */
size_t net_tls_out_n(const struct net_tls *t);
void net_tls_out_take(struct net_tls *t, struct buf *to);

const struct net_tls_peer *net_tls_peer(const struct net_tls *t); /* after the handshake */
/* Short stable reason: "cert-expired", "cert-untrusted", "cert-name", "cert-revoked", "cert-not-yet-valid",
 * "cert-missing", "version", "no-shared-suite", "alert", "protocol". */
const char *net_tls_why(const struct net_tls *t);

#endif
