/* What the gateway counts, for a collector of metrics: OpenMetrics 1.0 text.  Counts and sizes alone: no name of an initiator,
 * no address, no push-id.
 *
 *     GET /metrics        200 application/openmetrics-text; 503 the store does not answer
 *
 * On the operator's socket (admin.h), and in the clear at doors of its own ([admin] listen-metrics), which know nothing else: a
 * collector is no operator.  Loop 0. */
#ifndef PPG_ADMIN_METRICS_H
#define PPG_ADMIN_METRICS_H

#include "base/net/env.h"
#include "ppg/core.h"
#include "ppg/settings.h"

struct net_http_exchange;
struct ppg_status;

/* Whom to ask; everything is borrowed. */
struct ppg_metrics_from {
    struct ppg_core *core; /* loop 0's */
    void (*status)(void *arg, struct ppg_status *out);
    void *arg;
    int64_t started_s; /* of the gateway, since 1970 */
};

/* Answers x once, now or when the store has counted. */
void ppg_metrics_answer(const struct ppg_metrics_from *from, struct net_http_exchange *x);

/* The numbers of one moment. */
struct ppg_metrics_now {
    uint64_t started_s; /* since 1970 */
    uint64_t cpu_us;
    uint64_t resident_n; /* octets */
    uint64_t loops, generation, draining, connections;
    uint64_t live, waiting, leased; /* targets: in memory; nobody's yet, this run's, in the store */
    uint64_t notices, store_n;
    uint64_t bsf_away; /* 1: the far BSF does not answer */
    uint64_t bsf_asked;
};

/* Appends the whole text; log: whose events are counted, may be NULL. */
void ppg_metrics_print(const struct ppg_metrics_now *m, const struct ppg_stats *stats, struct log *log,
                       struct buf *out);

struct ppg_metrics_doors;

/* env and what `from` points to outlive them.  ERR_NOMEM. */
enum err ppg_metrics_doors_create(const struct net_env *env, const struct ppg_metrics_from *from,
                                  struct ppg_metrics_doors **out) MUST_USE;
/* Opens one more, PPG_LISTEN_MAX at most; *port: in the one wanted (0: any), out the one bound.  ERR_IO, ERR_NOMEM: *why is
 * static text. */
enum err ppg_metrics_listen(struct ppg_metrics_doors *d, const struct ppg_listen *at, uint16_t *port,
                            const char **why) MUST_USE;
/* closed() runs once those under way have been answered, after which the memory is gone; from
 * inside when none is open. */
void ppg_metrics_doors_close(struct ppg_metrics_doors *d, void (*closed)(void *arg), void *arg);

#endif
