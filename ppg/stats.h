/* What one core has counted since the start: answers by code, ends of targets, how long deliveries took.  Written by its loop
 * alone and read by any thread, so that counting costs no lock.  An event's own counter is base/log.h's. */
#ifndef PPG_STATS_H
#define PPG_STATS_H

#include <stdatomic.h>

#include "pap/message.h"
#include "ppg/push.h"

#define PPG_STATS_CLASSES 5u  /* 1xxx to 5xxx [PAP §6] */
#define PPG_STATS_CODES   64u /* of each class; what is further out counts as x000 */
#define PPG_STATS_TIMES   12u

struct ppg_stats {
    atomic_uint_fast64_t answers[PPG_STATS_CLASSES][PPG_STATS_CODES]; /* to initiators */
    atomic_uint_fast64_t finals[ST_COUNT];                            /* targets, by their final stage */
    atomic_uint_fast64_t
        delivered[PPG_STATS_TIMES + 1]; /* by the first bound that is not passed; the last: none */
    atomic_uint_fast64_t delivered_ms;  /* all of them together */
};

/* Rising, in milliseconds. */
extern const uint32_t ppg_stats_bounds_ms[PPG_STATS_TIMES];

void ppg_stats_answer(struct ppg_stats *s, enum pap_code code);
/* The end of a target of p is on disk.  A delivery took from when the push was accepted, or might go out. */
void ppg_stats_final(struct ppg_stats *s, const struct ppg_push *p, enum ppg_stage stage, int64_t event_ms);
/* sum += s; sum is the caller's own. */
void ppg_stats_add(struct ppg_stats *sum, const struct ppg_stats *s);

#endif
