/* Takes targets of a push back: a cancel, and the cancelling half of a replacement ([PAP §8.3, §4.1]).
 *
 * Story of a cancel.  The store cancels what waits there; what a loop holds is recalled from the loops that own the
 * terminals (an errand each), let go if it waits in a lane or the terminal has only been asked about it, and the store is asked again
 * with what was let go.  What is on the wire or final is too late (2008).  Nothing is answered before it is durable.  Replacing goes the same way, with
 * the insert of the new push in the same transaction.  One per core. */
#ifndef PPG_CONTROL_H
#define PPG_CONTROL_H

#include "ppg/core.h"

#define PPG_CANCEL_ROUNDS 8u /* questions to the store; the last one takes no "held" for an answer */

enum err ppg_control_create(struct ppg_core *c, struct ppg_control **out) MUST_USE;
void ppg_control_free(struct ppg_control **control); /* nothing may be under way */

/* A cancel with everything it needs, or the cancelling half of a replacement; the caller's memory until done().
 * cancel.initiator, push_id, keys, note are set by the caller (no keys for a replacement: the new push has them), the
 * rest by us; result is ERR_OK, ERR_ABSENT, ERR_IO, ERR_NOMEM, and of an insert ERR_EXISTS.  The caller
 * clears cancel.mem afterwards, whatever the result. */
struct ppg_cancel;
typedef void ppg_cancel_fn(struct ppg_cancel *x, enum err result);
struct ppg_cancel {
    struct store_cancel cancel;
    struct store_insert *insert; /* replacing: submitted instead of cancel.op; NULL: a plain cancel */
    ppg_cancel_fn *done;
    void *arg;

    struct ppg_control *control; /* ours from here on */
    struct list recalls;         /* of this round, one for each loop that holds something */
    size_t recalls_out;
    struct list released; /* let go by their loops, in our hands */
    size_t released_n;
    struct arena mem; /* of the rounds */
    unsigned rounds;
};
/* done() once, later, on this core's loop. */
void ppg_cancel_start(struct ppg_control *control, struct ppg_cancel *x);
/* How many targets it cancelled; after done(), before cancel.mem is cleared. */
size_t ppg_cancel_count(const struct ppg_cancel *x);

size_t ppg_control_under_way(const struct ppg_control *control);

#endif
