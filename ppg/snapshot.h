/* A configuration with what is made of it for the network: the TLS contexts.  Made off the loops, shared by them,
 * swapped whole by a reload; the last holder frees it.  Any thread. */
#ifndef PPG_SNAPSHOT_H
#define PPG_SNAPSHOT_H

#include <stdatomic.h>
#include "base/net/tls.h"
#include "ppg/config.h"

#define PPG_SNAPSHOT_FILES_MAX (3 * PPG_FILES_MAX + 16)

/* A file that TLS contexts are made of: what it is called and what it said, as hashes. */
struct ppg_file_mark {
    uint64_t name;
    uint64_t content;
};

struct ppg_snapshot {
    atomic_uint refs;
    struct ppg_config *config;
    struct net_tls_ctx *pap;       /* towards initiators; NULL: no TLS listener */
    struct net_tls_ctx *psk;       /* the same with shared keys; NULL: no such listener */
    struct net_tls_ctx *terminal;  /* towards terminals; NULL: no TLS route */
    struct net_tls_ctx *calls;     /* towards terminals that call in or ask; NULL: none may over TLS */
    struct net_tls_ctx *calls_psk; /* the same with shared keys; NULL: no such listener */
    struct net_tls_ctx *datagram;  /* the same for DTLS */
    struct net_tls_ctx *sip;       /* towards devices that register over SIP; NULL: none may over TLS */
    struct net_tls_ctx *msrp;      /* towards terminals that connect for a session; NULL: none may over TLS */
    struct net_tls_ctx *msrp_psk;  /* the same with shared keys */
    struct net_tls_ctx *ub;     /* towards terminals that bootstrap, and entities; NULL: no such listener */
    struct net_tls_ctx *naf;    /* towards other NAFs, and homes of visitors; likewise */
    struct net_tls_ctx *peers;  /* towards functions that terminals visit; NULL: there are none */
    struct net_tls_ctx *bsf;    /* towards the far BSF; NULL: there is none */
    struct net_tls_ctx *notify; /* towards initiators' servers */
    struct ppg_file_mark files[PPG_SNAPSHOT_FILES_MAX];
    size_t files_n;
};

/* Loads everything; blocks.  On failure *errs says every line. */
enum err ppg_snapshot_load(const char *path, struct ppg_snapshot **out,
                           struct ppg_config_errors *errs) MUST_USE;
struct ppg_snapshot *ppg_snapshot_hold(struct ppg_snapshot *s);
bool ppg_snapshot_alone(const struct ppg_snapshot *s); /* nobody but the caller holds it */
void ppg_snapshot_drop(struct ppg_snapshot **s);

#endif
