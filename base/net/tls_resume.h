/* What a client's session takes from its context's tickets, and leaves there. */
#ifndef BASE_NET_TLS_RESUME_H
#define BASE_NET_TLS_RESUME_H

#include "base/net/tls_session.h"

/* Before the handshake of a session with a name, whose context has tickets: offers to go on with the last session with
 * that server.  What cannot be used costs no more than the offer. */
void tls_resume_offer(struct net_tls *t);
/* After the handshake, and after each record while no ticket is kept: keeps the one that the server gave, if it has. */
void tls_resume_keep(struct net_tls *t);

#endif
