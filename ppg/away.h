/* Which targets of one queue - one initiator, one terminal, one priority - were given back to the store, and when they
 * come back.  With it a queue keeps its order although most of it is out of sight, in memory of a few numbers.
 *
 * Story.  A terminal vanishes: what waits for it is sent away until the next try; what does not fit in memory goes too,
 * a batch a step, so that due times rise with ids.  The claim brings targets in order of due time, then of id, so one that
 * arrives is in front of everything that is still away; unless it is younger than all that is away, then it goes behind the
 * last.  When the terminal is still not there, those that came first form the head: they alone follow its pauses.  The
 * others are put off, as they come, until the last of all is due; then they are dealt out in batches anew.  So each
 * target makes one way there and back while the whole queue passes once, however often the head is tried.  Pure; times are
 * UTC milliseconds. */
#ifndef PPG_AWAY_H
#define PPG_AWAY_H

#include <stdbool.h>
#include <stdint.h>

#define PPG_AWAY_BATCH 64u  /* targets that share a due time; more come back step by step */
#define PPG_AWAY_HEAD  256u /* targets that are tried again at each pause */

struct ppg_away_mark {
    int64_t due_ms; /* 0: there are none */
    int64_t id;     /* the highest */
    unsigned n;
};
/* Zeroed: nothing is away. */
struct ppg_away {
    struct ppg_away_mark
        last; /* all that are away are due by then and have ids up to that; n of them due just then */
    struct ppg_away_mark head; /* those with ids up to that are due then, or in memory */
    bool put_off;              /* those behind the head that come before the last is due wait until it is */
};

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
