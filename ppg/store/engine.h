/* The seam between store.c and an engine; one of the four structs of functions of the house.
 *
 * Story of one batch.  store.c calls begin(), run() for each operation in the order of submission, and commit(): one
 * sync for all.  run() answers in the operation's own fields.  ERR_IO and ERR_NOMEM from run() are hard: rows may be
 * half written, so store.c rolls the batch back and starts over with mark() before each operation and back() behind
 * each one that fails hard, so that one bad operation does not spoil its batch.  Any other error has written nothing.
 * When commit() fails, store.c calls rollback().  tend() comes between batches: whatever the engine must do to stay
 * small.  A backup is taken in bounded steps, also between batches.
 *
 * All functions run on the store's thread; open and close while it does not run. */
#ifndef PPG_STORE_ENGINE_H
#define PPG_STORE_ENGINE_H

#include "ppg/store/store.h"

struct store_engine {
    const char *name; /* as conf spells it */
    enum err (*open)(const struct store_conf *conf, void **self,
                     char why[256]) MUST_USE; /* as store_open() */
    void (*close)(void *self);
    const char *(*identity)(const void *self); /* 16 hexadecimal digits; lives as long as self */
    enum err (*begin)(void *self) MUST_USE;    /* ERR_IO, ERR_NOMEM */
    enum err (*run)(void *self, struct store_op *op) MUST_USE; /* never STORE_BACKUP */
    enum err (*mark)(void *self) MUST_USE;                     /* replaces the mark before */
    enum err (*back)(void *self) MUST_USE;     /* undoes all since mark(); an error dooms the batch */
    enum err (*commit)(void *self) MUST_USE;   /* durable when it returns ERR_OK */
    void (*rollback)(void *self);              /* harmless when no batch is open */
    void (*tend)(void *self, size_t queued_n); /* operations that wait while it works */
    enum err (*backup_start)(void *self, const char *path) MUST_USE; /* ERR_EXISTS, ERR_IO, ERR_NOMEM */
    enum err (*backup_step)(
        void *self) MUST_USE; /* ERR_AGAIN: not finished.  ERR_IO: given up, nothing is left */
    const char *(*trouble)(const void *self); /* the engine's words for its last hard error; never NULL */
};

extern const struct store_engine store_engine_sqlite;

#endif
