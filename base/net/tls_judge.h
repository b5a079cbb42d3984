/* The verdict on a TLS peer's certificate; the story is tls_judge.c's. */
#ifndef BASE_NET_TLS_JUDGE_H
#define BASE_NET_TLS_JUDGE_H

#include "base/net/tls_session.h"

/* ERR_OK; ERR_DENIED with the session's why; ERR_AGAIN while the answer to the question about its status is awaited. */
enum err tls_judge(struct net_tls *t) MUST_USE;
/* The same as GnuTLS calls it, when the peer's Certificate message has arrived, also an empty one; and again with each
 * gnutls_handshake() after it was told to wait. */
int tls_judge_in_handshake(struct gnutls_session_int *session);

#endif
