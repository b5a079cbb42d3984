/* Gives a push its place in the store and, once that is durable, its targets to the loops that own them.  The
 * only door from "the exchange owns everything" to "the push lives on its own". */
#ifndef PPG_ENQUEUE_H
#define PPG_ENQUEUE_H

#include "ppg/core.h"

/* ERR_OK: durable, the initiator may be told.  ERR_EXISTS: push-id used before, nothing stored.  ERR_IO: nothing
 * stored.  Later, on the core's loop. */
typedef void ppg_enqueue_fn(enum err result, void *arg);

struct ppg_enqueue {
    struct store_insert insert;
    struct ppg_core *core;
    size_t leased_n;
    ppg_enqueue_fn *done;
    void *arg;
};

/* *e is the caller's memory until done() has run.  Takes over the caller's hold on push.  push->targets are
 * complete: key, address, demanded; due times are set here. */
void ppg_enqueue(struct ppg_core *c, struct ppg_enqueue *e, struct ppg_push *push, ppg_enqueue_fn *done,
                 void *arg);

/* Sends targets (held in memory already, leased to this run) to their owners; the list is empty afterwards. */
void ppg_enqueue_spread(struct ppg_core *c, struct list *targets);

#endif
