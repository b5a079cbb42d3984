/* Gives a push its place in the store and, once that is durable, its targets to the loops that own them.  The
 * only door from "the exchange owns everything" to "the push lives on its own". */
#ifndef PPG_ENQUEUE_H
#define PPG_ENQUEUE_H

#include "ppg/control.h"

/* ERR_OK: durable, the initiator may be told.  ERR_EXISTS: push-id used before, nothing stored.  ERR_IO: nothing
 * stored.  ERR_ABSENT: the push it is to replace is not known.  ERR_LIMIT: the queue of the initiator is full.  Later,
 * on the core's loop. */
typedef void ppg_enqueue_fn(enum err result, void *arg);

struct ppg_enqueue {
    struct store_insert insert;
    struct ppg_core *core;
    struct ppg_cancel old; /* replacing: what becomes of the earlier push */
    char old_note[300];
    size_t leased_n;
    bool unleased; /* some that are due have no place in memory: counted in the share until they are stored */
    size_t replaced_n; /* out: targets of the earlier push that were cancelled */
    ppg_enqueue_fn *done;
    void *arg;
};

/* *e is the caller's memory until done() has run.  Takes over the caller's hold on push.  push->targets are
 * complete: key, address, demanded; due times are set here.  queue_max: as of struct store_insert, whose `queued` is
 * the answer. */
void ppg_enqueue(struct ppg_core *c, struct ppg_enqueue *e, struct ppg_push *push, uint64_t queue_max,
                 ppg_enqueue_fn *done, void *arg);

/* Sends targets (held in memory already, leased to this run) to their owners; the list is empty afterwards. */
void ppg_enqueue_spread(struct ppg_core *c, struct list *targets);

#endif
