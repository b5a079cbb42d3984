/* What an initiator (or the operator in its name) does to a push it submitted: cancel, ask, replace; and what it asks
 * about a terminal ([PAP §8.3, §8.4, §8.7, §4.1]).
 *
 * Story of a cancel.  The store cancels what waits there; what a loop holds is recalled from the loops that own the
 * terminals (an errand each), let go if it waits in a lane, and the store is asked again with what was let go.  What is
 * on the wire or final is too late (2008).  Nothing is answered before it is durable.  Replacing goes the same way, with
 * the insert of the new push in the same transaction.  One per core. */
#ifndef PPG_CONTROL_H
#define PPG_CONTROL_H

#include "ppg/core.h"

enum err ppg_control_create(struct ppg_core *c, struct ppg_control **out) MUST_USE;
void ppg_control_free(struct ppg_control **control); /* nothing may be under way */

/* A cancel with everything it needs, or the cancelling half of a replacement; the caller's memory until done().
 * cancel.initiator, push_id, keys, note are set by the caller, the rest by us; result is cancel.op.err: ERR_OK,
 * ERR_ABSENT, ERR_IO, ERR_NOMEM, and of an insert ERR_EXISTS.  The caller clears cancel.mem afterwards. */
struct ppg_cancel;
typedef void ppg_cancel_fn(struct ppg_cancel *x, enum err result);
struct ppg_cancel {
    struct store_cancel cancel;
    struct store_insert *insert; /* replacing: submitted instead of cancel.op; NULL: a plain cancel */
    ppg_cancel_fn *done;
    void *arg;

    struct ppg_control *control; /* ours from here on */
    struct list errands;
    struct list released;
    struct arena mem;
    size_t errands_out;
    unsigned rounds;
};
/* done() once, later, on this core's loop. */
void ppg_cancel_start(struct ppg_control *control, struct ppg_cancel *x);

size_t ppg_control_under_way(const struct ppg_control *control);

#endif
