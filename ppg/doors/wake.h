/* Waking terminals that call in: what is pushed to one that is away asks it, in a datagram without connection, to call
 * (session initiation, ota/sia.h), over the wap route that terminals.conf gives it for that.
 *
 * Story.  A push finds its terminal absent, or its own connection refused: ppg_wake() sends one datagram.  Nothing answers
 * one, so it is sent again after wake-first, twice that, and so on, at most wake-tries times; after as long a pause as the
 * last the terminal may be woken anew.  When it calls, ppg_wake_called() ends all that.  A terminal costs the network no more
 * than that, however much is pushed to it.  Such a datagram is not sealed: with a floor above none it stays here.  [OTA-HTTP §3, §9.1].  One per core; the core's loop. */
#ifndef PPG_DOORS_WAKE_H
#define PPG_DOORS_WAKE_H

#include "ppg/core.h"

/* ERR_NOMEM. */
enum err ppg_wake_create(struct ppg_core *c, struct ppg_wake **out) MUST_USE;
void ppg_wake_free(struct ppg_wake **w); /* nothing may be on the wire */
/* The terminal, which is this core's, should call, as there is something for that application (empty: the default
 * one).  Does nothing for one that no datagram wakes. */
void ppg_wake(struct ppg_wake *w, struct slice key, struct slice app_id);
/* It has called. */
void ppg_wake_called(struct ppg_wake *w, struct slice key);
void ppg_wake_tick(struct ppg_wake *w);
size_t ppg_wake_under_way(const struct ppg_wake *w); /* datagrams on the wire */

#endif
