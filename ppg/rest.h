/* Servers that rest: one that failed to connect or kept silent several times in a row is left alone for a while, so
 * that it costs neither connections nor its notices' tries.  When the pause is over one attempt probes it; a good
 * answer ends the rest, another failure doubles the pause up to a ceiling.
 *
 * Only servers with failures have a record; the number is bounded (the one quiet longest goes) and a record that
 * nobody asked to change for an hour is forgotten.  Times are of the monotonic clock.  One core; no I/O. */
#ifndef PPG_REST_H
#define PPG_REST_H

#include "base/err.h"
#include "base/slice.h"

#define PPG_REST_AFTER  3u     /* failures in a row */
#define PPG_REST_MAX_MS 300000 /* the longest pause */

struct ppg_rest;

enum ppg_rest_change { PPG_REST_SAME, PPG_REST_BEGAN, PPG_REST_ENDED };

enum err ppg_rest_create(size_t known_max, struct ppg_rest **out) MUST_USE;
void ppg_rest_free(struct ppg_rest **r);

/* When it may be tried next; 0: at once.  Changes nothing. */
int64_t ppg_rest_until(const struct ppg_rest *r, struct slice server, int64_t now_ms);
/* Before an attempt that ends within attempt_ms.  True: go, *probe says whether it is the probe of a rested server;
 * until it has ended, or should have, nobody else may.  False: not now, see ppg_rest_until(). */
bool ppg_rest_ask(struct ppg_rest *r, struct slice server, int64_t now_ms, int64_t attempt_ms,
                  bool *probe) MUST_USE;
/* How an attempt that began at began_ms went; first_ms: the first pause.  An attempt from before the rest began
 * makes it no longer.  Without memory a failure is not counted. */
enum ppg_rest_change ppg_rest_tell(struct ppg_rest *r, struct slice server, bool good, int64_t began_ms,
                                   int64_t now_ms, int64_t first_ms);
size_t ppg_rest_resting(const struct ppg_rest *r); /* how many rest */

#endif
