/* From what an operator allows (versions, ciphers, ways to prove oneself) to GnuTLS's words, and the one thing that
 * GnuTLS's words cannot say: the alert for a client that offers too old a version.  For tls_ctx.c and tls.c. */
#ifndef BASE_NET_TLS_POLICY_H
#define BASE_NET_TLS_POLICY_H

#include "base/buf.h"
#include "base/net/tls.h"

struct gnutls_session_int; /* what gnutls_session_t points to */

/* Appends the priority string with a NUL behind it; *out's error tells of memory. */
void tls_policy_print(const struct net_tls_conf *conf, struct buf *out);
/* A server whose lowest version is 1.3: a ClientHello that does not offer it ends the handshake with the alert
 * protocol_version (RFC 8446 §4.2.1), where GnuTLS would look for a suite and say handshake_failure. */
void tls_policy_demand_13(struct gnutls_session_int *session);

#endif
