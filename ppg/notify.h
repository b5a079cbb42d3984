/* Result notifications ([PAP §3.4]): each target that ends owes its initiator exactly one, if it asked.  The debt
 * is written with the final stage and paid by POST, again and again by the table of retries, also after a restart.
 * One per core. */
#ifndef PPG_NOTIFY_H
#define PPG_NOTIFY_H

#include "ppg/core.h"

enum err ppg_notify_create(struct ppg_core *c, struct ppg_notify **out) MUST_USE;
void ppg_notify_free(struct ppg_notify **n); /* nothing may be under way */

/* The target ended and the debt is on disk as notice_id, leased to this run; everything needed is copied.  False: not
 * now, and nothing is kept; the caller gives the lease back with store_notice_move, due at *due_ms. */
bool ppg_notify_owe(struct ppg_notify *n, const struct ppg_target *t, int64_t notice_id, int64_t event_ms,
                    int64_t *due_ms) MUST_USE;
void ppg_notify_tick(struct ppg_notify *n); /* core 0: claims what is due */
size_t ppg_notify_under_way(const struct ppg_notify *n);

/* The document for a notice. */
enum err ppg_notify_print(const struct ppg_settings *set, const struct ppg_notice *notice,
                          struct buf *out) MUST_USE;

#endif
