/* A TLS session as bytes in and bytes out: GnuTLS behind two memory queues, no sockets.  A context holds
 * credentials and priorities, is immutable once built and may serve sessions on any loop; a session belongs to
 * one thread.  TLS 1.2 and 1.3 only, AEAD suites, no renegotiation, ALPN "http/1.1" when asked.  Both ends prove
 * themselves by certificates, or both by one key that they share. */
#ifndef BASE_NET_TLS_H
#define BASE_NET_TLS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
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
    struct slice
        staple_der; /* servers: an OCSP response about the leaf, shown to who asks (RFC 6066 §8); may be empty */
};

enum net_tls_cipher {
    NET_TLS_AES_128_GCM = 1,
    NET_TLS_AES_256_GCM = 2,
    NET_TLS_CHACHA20_POLY1305 = 4,
    NET_TLS_CIPHERS_ALL = 7
};

#define NET_TLS_PSK_MAX_N 64 /* octets of a shared key (RFC 4279 §5.3) */

/* Keys that a server shares with its clients (RFC 4279, RFC 8446 §4.2.11), instead of certificates. */
struct net_tls_psk_source {
    /* The key of an identity for a version (12, 13); it lives as long as arg.  False: nobody is called so.  On the
     * thread of the session that asks. */
    bool (*find)(void *arg, struct slice identity, unsigned version, struct slice *key);
    /* The same for an identity that find() does not know and whose key depends on the session: made for a cipher suite
     * (its number; 0 under TLS 1.3, where none is chosen yet).  May be NULL. */
    bool (*derive)(void *arg, struct slice identity, unsigned version, uint16_t suite,
                   uint8_t key[NET_TLS_PSK_MAX_N], size_t *key_n);
    /* Must the key of this identity be asked for first, far away?  Then the handshake waits for net_tls_answer (see
     * net_tls_key_question); afterwards find() and derive() are asked.  Suite as derive() has it.  May be NULL. */
    bool (*wants)(void *arg, struct slice identity, unsigned version, uint16_t suite);
    /* A handshake with the key of that identity is over; false: it may not be, and fails.  May be NULL. */
    bool (*used)(void *arg, struct slice identity);
    void (*drop)(void *arg); /* once, with the context; may be NULL */
    void *arg;
    const char *hint; /* to clients of TLS 1.2; NULL: none */
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
    bool crl_expired_ok;              /* a list past its nextUpdate still counts; else it refuses everybody */
    bool
        staple_required; /* clients: a server that shows no OCSP response is refused; one shown must be good */
    bool ask_status;     /* servers: a client's good certificate waits for net_tls_answer */
    unsigned version_min; /* 12 or 13 */
    unsigned ciphers;     /* of enum net_tls_cipher; 0: all */
    bool alpn_http11;     /* and http/1.0, for clients that offer no other */
    bool datagrams;       /* DTLS 1.2 (RFC 6347) instead of TLS: sessions are dtls.h's */
    struct net_tls_psk_source
        psk; /* servers; with find() no pairs are needed nor shown, and no tickets are given */
    size_t
        tickets_max; /* clients that verify: servers whose sessions may be resumed (tls_tickets.h); 0: none */
    struct slice psk_identity; /* clients: a shared key instead of certificates; n 0: none */
    struct slice psk_key;
    const char *priority; /* GnuTLS priority string that replaces version_min, ciphers and all; NULL */
};

/* Copies what it needs.  ERR_MALFORMED (*why, static or in the context's own storage: what is wrong). */
enum err net_tls_ctx_create(const struct net_tls_conf *conf, struct net_tls_ctx **out,
                            const char **why) MUST_USE;
/* The owner's handle goes; memory goes with the last session (an atomic count of sessions, any thread). */
void net_tls_ctx_free(struct net_tls_ctx **ctx);
/* Another owner's handle, for who opens sessions later; ctx may be NULL.  Give it back with net_tls_ctx_free. */
struct net_tls_ctx *net_tls_ctx_hold(struct net_tls_ctx *ctx);

/* Ends of validity, UTC seconds, the earliest of each kind; INT64_MAX: there is none. */
struct net_tls_dates {
    int64_t cert_s;   /* our own certificates */
    int64_t crl_s;    /* nextUpdate of revocation lists */
    int64_t staple_s; /* nextUpdate of staples */
};
struct net_tls_dates net_tls_ctx_dates(const struct net_tls_ctx *ctx);

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
    char issuer[65];      /* the same of the certificate that signed it; "" when it is not at hand */
    struct slice psk;     /* servers: the identity whose key the client has; n 0: none */
    bool resumed;         /* without a signature: from a session that proved the same, judged again */
    char version[16];     /* "TLS1.3" */
    char suite[64];
    uint16_t suite_number; /* of IANA's; 0: not known */
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
/* With ask_status, after ERR_AGAIN: is the handshake waiting to be told the status of the client's certificate, which is
 * good otherwise?  The leaf and who signed it (n 0: not at hand) in DER live until the answer. */
bool net_tls_question(const struct net_tls *t, struct slice *leaf, struct slice *issuer);
/* With psk.wants, after ERR_AGAIN: is it waiting for a shared key that must be asked for?  The identity lives until the
 * answer, which is GOOD when it may be looked up now; any other ends the handshake, and the client is told that it is no
 * fault of its key (internal_error). */
struct net_tls_key_name {
    struct slice identity;
    unsigned version;
    uint16_t suite;
};
bool net_tls_key_question(const struct net_tls *t, struct net_tls_key_name *out);
enum net_tls_status { NET_TLS_STATUS_GOOD, NET_TLS_STATUS_REVOKED, NET_TLS_STATUS_UNKNOWN };
/* To either question.  Then net_tls_handshake goes on, or refuses. */
void net_tls_answer(struct net_tls *t, enum net_tls_status status);

/* One who waits for such an answer, on its own loop.  Embedded in its owner, who calls list_remove(&w->link) when it no
 * longer wants one. */
struct net_tls_wait {
    struct list link;
    void (*answer)(struct net_tls_wait *w, enum net_tls_status status); /* w is in no list any more */
};

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
 * "cert-missing", "status-unknown", "crl-expired", "staple-missing", "staple-bad", "psk", "key-away",
 * "version", "no-shared-suite", "alert", "protocol", NET_TLS_PEER_TROUBLE. */
#define NET_TLS_PEER_TROUBLE                                                                                 \
    "peer-trouble" /* the other end cannot now (internal_error): nothing of ours is wrong */
const char *net_tls_why(const struct net_tls *t);
/* The log event of its own that a reason has, by the peer's role: "tls.client.expired", "tls.server.revoked"; NULL for
 * reasons that are no verdict on the peer. */
const char *net_tls_event(enum net_tls_role peer, const char *why);

#endif
