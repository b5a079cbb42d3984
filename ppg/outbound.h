/* Documents to initiators: the HTTP side of notify.c.  Private and loopback targets are refused unless the
 * operator allows them, redirects are not followed ([PAP §3.4]).  One per loop. */
#ifndef PPG_OUTBOUND_H
#define PPG_OUTBOUND_H

#include "base/net/env.h"
#include "ppg/core.h"
#include "ppg/snapshot.h"

#define PPG_OUTBOUND_PER_SERVER_MAX 8u /* connections of one loop to one server */

struct ppg_outbound;

enum err ppg_outbound_create(const struct net_env *env, struct ppg_snapshot *snapshot,
                             struct ppg_outbound **out) MUST_USE;
/* For new connections; takes a hold of its own. */
void ppg_outbound_set(struct ppg_outbound *o, struct ppg_snapshot *snapshot);
/* POSTs body as application/xml.  ERR_LIMIT: no connection free now; ERR_MALFORMED, ERR_UNSUPPORTED: the URL. */
enum err ppg_outbound_post(struct ppg_outbound *o, struct slice url, struct slice body,
                           ppg_post_done_fn *done, void *arg) MUST_USE;
/* Ends what is under way (done fires with ERR_LATE); the memory goes before closed() runs. */
void ppg_outbound_close(struct ppg_outbound *o, void (*closed)(void *arg), void *arg);

#endif
