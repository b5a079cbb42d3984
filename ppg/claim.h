/* Brings what is due from the store into memory, fairly and within bounds.  Core 0 claims for all.
 *
 * What is known without the store stands in ppg_shared.shares, a slot per initiator: when its next target in the store
 * is due, how much it has in memory.  A claim is made when a slot with room has something due; each initiator gets no
 * more than its room.  While a slot has something due, or a claim that may bring it is under way, new targets of
 * its initiator queue behind in the store.
 *
 * A new run knows nothing of terminals that were let alone: its first claims look ahead by the longest pause, so that
 * what waits for a retry stands in memory, at its place, before anything new may be tried.  Only as much as has room.
 * The core's loop. */
#ifndef PPG_CLAIM_H
#define PPG_CLAIM_H

#include "ppg/core.h"

struct ppg_claim {
    struct ppg_core *core;
    struct store_claim op;
    bool under_way;
    bool ahead;             /* the store has not been looked through since the start */
    int64_t ahead_ms;       /* UTC: so far does it look; 0: it has not begun */
    size_t live_max;        /* for room(), on the store's thread */
    bool asked[PPG_SHARES]; /* slots whose targets the claim under way may bring */
};

void ppg_claim_init(struct ppg_claim *cl, struct ppg_core *c);
/* Claims when there is something to claim. */
void ppg_claim_tick(struct ppg_claim *cl);

#endif
