/* Keys shared by both ends, for tls.c and tls_ctx.c; GnuTLS's types stay inside these two files. */
#ifndef BASE_NET_TLS_PSK_H
#define BASE_NET_TLS_PSK_H

#include "base/net/tls.h"

struct gnutls_psk_server_credentials_st; /* what gnutls_psk_server_credentials_t points to */
struct gnutls_psk_client_credentials_st;
struct gnutls_session_int;

/* Its sessions ask their context's source, which this one is; unknown identities get a random key, so that they fail as
 * wrong keys do (RFC 4279 §2).  ERR_NOMEM. */
enum err tls_psk_server(const struct net_tls_psk_source *source,
                        struct gnutls_psk_server_credentials_st **out) MUST_USE;
/* A server's session will tell derive() its suite. */
void tls_psk_watch(struct gnutls_session_int *session);
/* ERR_NOMEM, ERR_MALFORMED an identity or key that cannot be one. */
enum err tls_psk_client(struct slice identity, struct slice key,
                        struct gnutls_psk_client_credentials_st **out) MUST_USE;
/* Was this handshake keyed by a shared key? */
bool tls_psk_used(struct gnutls_session_int *session);

#endif
