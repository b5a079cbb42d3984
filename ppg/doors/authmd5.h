/* Terminals that log in by syncml:auth-md5 at the doors where they ask, the inbox and that of verify.h: what is the same at
 * both.  All of it is as if it were not there while terminals.conf lets nobody log in so.
 *
 * Story.  401 brings a challenge whose nonce is the connection's; each success the nonce for the next request, in
 * x-syncml-nonce, which is good on another connection too; a failure one more challenge, which nothing but a right response
 * answers: anything else is 403 and the end of the connection.  [DM-SEC §5.1.3].  The core's loop. */
#ifndef PPG_DOORS_AUTHMD5_H
#define PPG_DOORS_AUTHMD5_H

#include "base/net/httpd.h"
#include "ppg/core.h"
#include "security/login/authmd5.h"

#define PPG_AUTHMD5_NEXT_N 64u /* octets of the line with the next nonce */

/* Of the connection, for a request that has proved nothing yet; NULL: nobody logs in so, or no memory. */
struct sec_mac_session *ppg_authmd5_begin(struct ppg_core *c, struct net_http_exchange *x);
/* Milliseconds until the name in these credentials is listened to again; 0: now, or they are others. */
int64_t ppg_authmd5_wait_ms(struct ppg_core *c, struct slice authorization);
/* What came of these credentials, which counts for their name, wherever from; others do not. */
void ppg_authmd5_count(struct ppg_core *c, struct slice authorization, bool good);
/* Appends the line of one challenge among others. */
void ppg_authmd5_challenge(const struct ppg_core *c, struct sec_mac_session *session, struct buf *headers);
/* Refuses: 401 with that challenge alone; or 403, and the connection ends, when that was what went before. */
unsigned ppg_authmd5_refuse(struct ppg_core *c, struct net_http_exchange *x, struct sec_mac_session *session,
                            struct buf *headers);
/* Appends the line with the next nonce to the answer of a request that was let in by it; else nothing. */
void ppg_authmd5_next(const struct ppg_core *c, struct net_http_exchange *x, struct buf *headers);

#endif
