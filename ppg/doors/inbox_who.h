/* Which terminal is fetching, and whether it may: its TLS certificate or its login inside TLS, the list, and the policy
 * for stores of other gateways.  [CPM 5.1.3.4, 5.1.3.5]; RFC 7616, RFC 7617, [DM-SEC §5.1.3].  The core's loop. */
#ifndef PPG_DOORS_INBOX_WHO_H
#define PPG_DOORS_INBOX_WHO_H

#include "base/net/httpd.h"
#include "ppg/core.h"

/* 0 and *out, borrowed from the registry; or the status to refuse with, and header lines for it.  0 and *out NULL: *want
 * must be asked for first (keyask.h). */
unsigned ppg_inbox_who(struct ppg_core *c, struct net_http_exchange *x, const struct ota_registry *r,
                       const struct ota_terminal **out, struct buf *headers, struct sec_naf_want *want);

#endif
