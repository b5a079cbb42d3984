/* GnuTLS's session of a struct net_tls, for what only datagrams need (dtls.c). */
#ifndef BASE_NET_TLS_SESSION_H
#define BASE_NET_TLS_SESSION_H

#include "base/net/tls.h"

struct gnutls_session_int; /* what gnutls_session_t points to */

/* Borrowed. */
struct gnutls_session_int *tls_session_of(struct net_tls *t);

#endif
