/* How many requests of terminals wait at their inboxes, each terminal's and all, whichever loops they are on: the ceilings of
 * [inbox].  Any thread. */
#ifndef PPG_DOORS_WAITS_H
#define PPG_DOORS_WAITS_H

#include "base/err.h"
#include "base/slice.h"

struct ppg_waits;

enum err ppg_waits_create(struct ppg_waits **out) MUST_USE; /* ERR_NOMEM */
void ppg_waits_free(struct ppg_waits **w);                  /* nobody waits; NULL is fine */
/* One more of this terminal.  ERR_LIMIT: it has each_max already; ERR_AGAIN: all_max wait; ERR_NOMEM. */
enum err ppg_waits_begin(struct ppg_waits *w, struct slice key, size_t each_max, size_t all_max) MUST_USE;
/* Once for each that began. */
void ppg_waits_end(struct ppg_waits *w, struct slice key);

#endif
