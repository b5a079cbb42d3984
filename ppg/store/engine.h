/* The seam between store.c and an engine; one of the four structs of functions of the house.
 *
 * Story of one batch.  store.c calls begin(), run() for each operation in the order of submission, and commit().  Then
 * sync() makes it durable, and only then is it posted: one sync for all, and for whatever else was committed until it
 * began, while the next batch is already being run.  run() answers in the operation's own fields.  ERR_IO and ERR_NOMEM from run() are hard: rows may be
 * half written, so store.c rolls the batch back and starts over with mark() before each operation and back() behind
 * each one that fails hard, so that one bad operation does not spoil its batch.  Any other error has written nothing;
 * ERR_AGAIN (a cancel) has answered.
 * When commit() fails, store.c calls rollback().  tend() comes between batches: whatever the engine must do to stay
 * small.  A backup is taken in bounded steps, also between batches.
 *
 * When sync() fails nobody can know what is on disk: store.c answers ERR_IO to that batch and to everything after it,
 * until the program is started anew and reads what is there.
 *
 * All functions run on the store's thread, but sync() on a thread of its own, beside any of them; open and close while
 * neither runs. */
#ifndef PPG_STORE_ENGINE_H
#define PPG_STORE_ENGINE_H

#include "ppg/store/store.h"

#define STORE_CODE_NOT_PENDING                                                                               \
    3003 /* replacing those for whom the old push is pending: for this one it is not [PAP §6] */

struct store_engine {
    const char *name; /* as conf spells it */
    enum err (*open)(const struct store_conf *conf, void **self,
                     char why[256]) MUST_USE; /* as store_open() */
    void (*close)(void *self);
    const char *(*identity)(const void *self); /* 16 hexadecimal digits; lives as long as self */
    const char *(*secret)(const void *self);   /* STORE_SECRET_N of them; likewise */
    enum err (*begin)(void *self) MUST_USE;    /* ERR_IO, ERR_NOMEM */
    enum err (*run)(void *self, struct store_op *op) MUST_USE; /* never STORE_BACKUP */
    enum err (*mark)(void *self) MUST_USE;                     /* replaces the mark before */
    enum err (*back)(void *self) MUST_USE;   /* undoes all since mark(); an error dooms the batch */
    enum err (*commit)(void *self) MUST_USE; /* seen by all that follows; survives the end of the program */
    enum err (*sync)(
        void *self) MUST_USE;     /* all that was committed survives a power cut; NULL: commit() did it */
    void (*rollback)(void *self); /* harmless when no batch is open */
    void (*tend)(void *self, size_t queued_n);                       /* operations that wait while it works */
    enum err (*backup_start)(void *self, const char *path) MUST_USE; /* ERR_EXISTS, ERR_IO, ERR_NOMEM */
    enum err (*backup_step)(
        void *self) MUST_USE; /* ERR_AGAIN: not finished.  ERR_IO: given up, nothing is left */
    const char *(*trouble)(const void *self); /* the engine's words for its last hard error; never NULL */
};

extern const struct store_engine store_engine_sqlite;

#endif
