/* When a target is tried: its turn, its deadline, its retries.  One schedule per core.
 *
 * Targets in memory stand in lanes, one per terminal, in order of acceptance within a priority; a lane has one
 * attempt under way at a time.  A terminal that cannot be reached gives its whole lane back to the store with a later due
 * time, so memory holds only what can move.  Core 0 claims what has become due for all. */
#ifndef PPG_SCHEDULE_H
#define PPG_SCHEDULE_H

#include "ppg/core.h"
#include "ppg/stage.h"

enum err ppg_schedule_create(struct ppg_core *c, struct ppg_schedule **out) MUST_USE;
void ppg_schedule_free(struct ppg_schedule **s);

/* A leased target of a terminal this core owns; its hold on the push comes along.  From enqueue, from a claim,
 * from another core. */
void ppg_schedule_add(struct ppg_schedule *s, struct ppg_target *t);
/* deliver.c: the attempt ended with `ev`.  unreachable: the terminal, not this push, is at fault, so its lane
 * waits too.  record is borrowed. */
void ppg_schedule_ended(struct ppg_schedule *s, struct ppg_target *t, enum ppg_event ev, unsigned code,
                        bool unreachable, const struct store_record *record);
/* deliver.c: no attempt was made, because the terminal must call in first; all that waits for it goes to the store until
 * it does. */
void ppg_schedule_absent(struct ppg_schedule *s, struct ppg_target *t);
/* deliver.c: the terminal fetches it; it waits in the store until then, or its deadline, and nothing waits behind it.  record:
 * of the attempt that told the terminal of it, or with began_ms 0 when there was none; borrowed. */
void ppg_schedule_parked(struct ppg_schedule *s, struct ppg_target *t, const struct store_record *record);
/* deliver.c: the attempt was taken back, as ppg_schedule_recall() wanted; it waits as if it had not been tried.  record is
 * borrowed. */
void ppg_schedule_withdrawn(struct ppg_schedule *s, struct ppg_target *t, const struct store_record *record);
/* The terminal, which is this core's, has called in: what waits for it is due. */
void ppg_schedule_called(struct ppg_schedule *s, struct slice key);
/* Takes targets out of their lanes: those that wait, and those under way of which the terminal has got nothing.  A released one comes into the caller's hands (its hold on the
 * push and its place in memory with it): give it to ppg_schedule_release() when it is not to be tried any more, or to
 * ppg_enqueue_spread() to be queued again where it stood.  Terminals must be this core's. */
struct ppg_recall {
    int64_t id; /* in */
    struct slice key;
    enum ppg_recall_what {
        PPG_RECALL_ABSENT, /* not here: on its way between threads, or being written; ask the store again */
        PPG_RECALL_RELEASED,
        PPG_RECALL_BUSY /* on the wire */
    } what;
    struct ppg_target *target; /* when released */
};
void ppg_schedule_recall(struct ppg_schedule *s, struct ppg_recall *items, size_t n);
/* It leaves memory.  Any loop. */
void ppg_schedule_release(struct ppg_core *c, struct ppg_target *t);
/* What is in memory for one of this core's terminals. */
struct ppg_schedule_place {
    size_t waiting;          /* targets that wait their turn */
    bool sending;            /* one is on the wire */
    int64_t closed_until_ms; /* UTC: nothing is tried before, unless it calls in; 0: open */
};
void ppg_schedule_look(const struct ppg_schedule *s, struct slice key, struct ppg_schedule_place *out);
void ppg_schedule_tick(struct ppg_schedule *s);
void ppg_schedule_flushed(struct ppg_schedule *s);         /* the store has been handed what was written */
size_t ppg_schedule_live(const struct ppg_schedule *s);    /* targets this core holds */
size_t ppg_schedule_sending(const struct ppg_schedule *s); /* of them on the wire */

#endif
