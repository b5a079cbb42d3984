/* The door where terminals bootstrap: Ub, HTTP Digest AKA over TLS.  HTTP and the log; every decision is
 * security/gba/bootstrap.h's, sequence numbers come by way of ppg/keys/seq.h.  TS 24.109 §4.  On the core's loop; arg is the
 * core. */
#ifndef PPG_KEYS_BSF_H
#define PPG_KEYS_BSF_H

#include "base/net/httpd.h"
#include "ppg/core.h"

#define PPG_BSF_SERVER "ppgd/" PPG_VERSION " 3gpp-gba-tmpi" /* Server header: TMPIs are understood (§4.2) */

/* As net_httpd_head_fn and net_httpd_request_fn. */
unsigned ppg_bsf_head(struct net_http_exchange *x, struct buf *headers, void *arg);
void ppg_bsf_request(struct net_http_exchange *x, void *arg);

/* The door's table, by these settings.  ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM, ERR_IO. */
enum err ppg_bsf_create(const struct ppg_settings *set, struct sec_bootstrap **out) MUST_USE;

#endif
