/* One attempt at one target: choose its route (route.h), protect, send, and turn what the bearer says into an event of
 * the state table.  A terminal that turns out to want another form gets it within the same attempt, once.  One per core. */
#ifndef PPG_DELIVER_H
#define PPG_DELIVER_H

#include "ppg/core.h"

enum err ppg_deliver_create(struct ppg_core *c, struct ppg_deliver **out) MUST_USE;
void ppg_deliver_free(struct ppg_deliver **d); /* no attempt may be under way */

/* Ends in exactly one ppg_schedule_ended() for the target, perhaps before this returns. */
void ppg_deliver_start(struct ppg_deliver *d, struct ppg_target *t);

/* The attempt under way is not wanted any more.  True: the terminal gets nothing of the push, and the attempt is over, with
 * ppg_schedule_withdrawn() instead; false: it goes on. */
bool ppg_deliver_withdraw(struct ppg_deliver *d, struct ppg_target *t) MUST_USE;

#endif
