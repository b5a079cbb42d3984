/* What a peer's certificate says, for a session; GnuTLS's types stay inside these two files. */
#ifndef BASE_NET_TLS_PEER_H
#define BASE_NET_TLS_PEER_H

#include "base/arena.h"
#include "base/net/tls.h"

struct gnutls_session_int; /* what gnutls_session_t points to */
struct gnutls_x509_crt_int;

struct tls_peer_store {
    struct net_tls_peer info; /* slices live in names */
    struct arena names;
};

void tls_peer_init(struct tls_peer_store *p);
void tls_peer_clear(struct tls_peer_store *p);
/* After the handshake: version, suite and, with a certificate, names and fingerprint.  info.verified is the
 * caller's.  ERR_NOMEM; ERR_LIMIT more names than a certificate may bring; ERR_DENIED unreadable. */
enum err tls_peer_read(struct tls_peer_store *p, struct gnutls_session_int *session) MUST_USE;
/* Its own copy, for the caller to free, or NULL. */
struct gnutls_x509_crt_int *tls_peer_crt(struct slice der);
/* The certificate that signed the peer's leaf, for the caller to free; NULL when it is not at hand. */
struct gnutls_x509_crt_int *tls_peer_issuer(struct gnutls_session_int *session,
                                            struct gnutls_x509_crt_int *leaf);
/* gnutls_certificate_status_t, not 0, to the short reason of tls.h. */
const char *tls_peer_status_text(unsigned status);

#endif
