/* Which targets of one queue - one initiator, one terminal, one priority - were given back to the store, and when they
 * come back.  With it a queue keeps its order although most of it is out of sight, in memory of a few numbers.
 *
 * Story.  A terminal vanishes: what waits for it is sent away until the next try; what does not fit in memory goes too,
 * a batch a step, so that due times rise with ids.  The claim brings targets in order of due time, then of id, so one that
 * arrives is in front of everything that is still away; unless it is younger than all that is away, then it goes behind the
 * last.  When the terminal is still not there, those that came first form the head: they alone follow its pauses.  The
 * others are put off, as they come, until the last of all is due; then they are dealt out in batches anew.  So each
 * target makes one way there and back while the whole queue passes once, however often the head is tried.
 *
 * One that was sent on is behind younger ones that still come earlier.  So of those it is remembered until when the older
 * ones are away: a few steps, ids and times rising; a younger one that comes before a step's time goes to where that step is.
 *
 * A claim sees all that was handed to the store before it, and what is due by the time it was asked for: nobody may be sent
 * to a time that could pass before the write is handed over.  Pure; times are UTC milliseconds. */
#ifndef PPG_AWAY_H
#define PPG_AWAY_H

#include <stdbool.h>
#include <stdint.h>

#define PPG_AWAY_BATCH 64u  /* targets that share a due time; more come back step by step */
#define PPG_AWAY_HEAD  256u /* targets that are tried again at each pause */
#define PPG_AWAY_SOON  64   /* milliseconds, of a loop's turn and more */

#define PPG_AWAY_STEPS 4u

struct ppg_away_step {
    int64_t id;
    int64_t due_ms;
};
/* Zeroed: nothing is away. */
struct ppg_away {
    struct ppg_away_step last; /* all that are away are due by then (0: none are) and have ids up to that */
    struct ppg_away_step
        steps[PPG_AWAY_STEPS]; /* rising; what is younger than one is not tried before its time */
    unsigned steps_n;
    unsigned last_n; /* sent to the time of the last */
    unsigned head_n; /* of the head, sent to head_due_ms */
    int64_t head_due_ms;
};

/* The earliest time to send one to: beyond this turn, and the same for some that are sent one after the other. */
static inline int64_t ppg_away_soonest(int64_t now_ms)
{
    return (now_ms / PPG_AWAY_SOON + 2) * PPG_AWAY_SOON;
}
static inline bool ppg_away_any(const struct ppg_away *a)
{
    return a->last.due_ms != 0;
}
/* A target of this queue has come, due since due_ms: must it go (back) to the store, because an older one is away?
 * Forgets what has all come back. */
bool ppg_away_behind(struct ppg_away *a, int64_t due_ms, int64_t id);
/* A target goes to the store until at least not_before_ms; due_ms: since when it was due here.  Returns the due time
 * that keeps the order.  Of several the lowest id goes first. */
int64_t ppg_away_send(struct ppg_away *a, int64_t due_ms, int64_t id, int64_t not_before_ms, int64_t step_ms);
/* A target that is in memory already waits here until due_ms: younger ones queue behind it. */
void ppg_away_note(struct ppg_away *a, int64_t due_ms, int64_t id);

#endif
