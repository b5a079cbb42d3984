/* A configuration with what is made of it for the network: the TLS contexts.  Made off the loops, shared by them,
 * swapped whole by a reload; the last holder frees it.  Any thread. */
#ifndef PPG_SNAPSHOT_H
#define PPG_SNAPSHOT_H

#include <stdatomic.h>
#include "base/net/tls.h"
#include "ppg/config.h"

struct ppg_snapshot {
    atomic_uint refs;
    struct ppg_config *config;
    struct net_tls_ctx *pap;      /* towards initiators; NULL: no TLS listener */
    struct net_tls_ctx *psk;      /* the same with shared keys; NULL: no such listener */
    struct net_tls_ctx *terminal; /* towards terminals; NULL: no TLS route */
    struct net_tls_ctx *notify;   /* towards initiators' servers */
};

/* Loads everything; blocks.  On failure *errs says every line. */
enum err ppg_snapshot_load(const char *path, struct ppg_snapshot **out,
                           struct ppg_config_errors *errs) MUST_USE;
struct ppg_snapshot *ppg_snapshot_hold(struct ppg_snapshot *s);
void ppg_snapshot_drop(struct ppg_snapshot **s);

#endif
