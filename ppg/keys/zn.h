/* The door of the key service: other NAFs ask for keys by B-TID (Zn) and for push info (Zpn), JSON over mutual TLS
 * (TS 29.309).  HTTP and the log; who may ask for what is security/rules/nafs.h's, the messages are keyservice.h's.  On the
 * core's loop; arg is the core. */
#ifndef PPG_KEYS_ZN_H
#define PPG_KEYS_ZN_H

#include "base/net/httpd.h"
#include "ppg/core.h"

/* As net_httpd_head_fn and net_httpd_request_fn. */
unsigned ppg_zn_head(struct net_http_exchange *x, struct buf *headers, void *arg);
void ppg_zn_request(struct net_http_exchange *x, void *arg);

#endif
