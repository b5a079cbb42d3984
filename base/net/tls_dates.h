/* When what a context is made of ends to be valid, for tls_ctx.c. */
#ifndef BASE_NET_TLS_DATES_H
#define BASE_NET_TLS_DATES_H

#include "base/net/tls.h"

/* What cannot be read has no end: who loads it has checked. */
struct net_tls_dates tls_dates_of(const struct net_tls_conf *conf);

#endif
