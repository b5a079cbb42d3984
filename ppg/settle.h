/* Writes about targets on their way to the store: the end of one, or a later due time.  A target stays in memory until
 * its write is durable, whatever happens in between: a write that the store refuses, or that no memory was left for, is
 * tried again.  Not for decisions; those are schedule.c's.  The core's loop. */
#ifndef PPG_SETTLE_H
#define PPG_SETTLE_H

#include "ppg/core.h"

struct ppg_settle;

struct ppg_settles {
    struct ppg_core *core;
    size_t held;      /* targets of this core in memory; counted up by schedule.c */
    size_t under_way; /* writes */
    struct ppg_settle *spare;
    struct list handed;  /* moves of this turn */
    struct list refused; /* writes to try again */
    struct list
        unwritten; /* targets (by link) whose write found no memory; stage, code and due_ms say what */
};

void ppg_settles_init(struct ppg_settles *s, struct ppg_core *c);
void ppg_settles_clear(struct ppg_settles *s); /* no write may be under way */
/* t->stage and t->code are final; the target leaves memory once that is durable.  record is borrowed, or NULL. */
void ppg_settle_finish(struct ppg_settles *s, struct ppg_target *t, const struct store_record *record);
/* Back to the store until t->due_ms, likewise.  A claim brings it again, at the latest when it expires. */
void ppg_settle_move(struct ppg_settles *s, struct ppg_target *t, const struct store_record *record);
/* The store has been handed what this turn wrote. */
void ppg_settle_flushed(struct ppg_settles *s);
/* The attempt that has just been taken back, t->tries counts it still: a line of the target's history, which the store has
 * before whatever any loop tells it from now on.  It is for people: what cannot be written is let go.  *t stays the caller's. */
void ppg_settle_note(struct ppg_settles *s, const struct ppg_target *t, const struct store_record *record);
/* Tries again what could not be written; when draining what found no memory is let go with its lease, which ends with
 * this run. */
void ppg_settle_again(struct ppg_settles *s);

#endif
