/* A store engine that can be cut off: SQLite behind the seam of ppg/store/engine.h, until the script says that the
 * machine lost its power.  From then on nothing reaches the file, so the objects in memory can be drained without
 * writing.  Single kinds of operation can be made to fail as well. */
#ifndef TESTS_REPLAY_ENGINE_H
#define TESTS_REPLAY_ENGINE_H

#include "ppg/store/engine.h"

/* STORE_KIND_COUNT stands for "no kind".  Handed to the engine as store_conf.step_arg. */
struct replay_cut {
    bool cut;                          /* nothing is read or written any more */
    enum store_kind before;            /* cut when this kind is about to run */
    enum store_kind after;             /* cut when this kind is durable, before anybody hears of it */
    bool fails[STORE_KIND_COUNT];      /* ERR_IO, nothing of the operation stored */
    unsigned spares[STORE_KIND_COUNT]; /* so many go well before */
    bool ran;                          /* `after` ran in this batch */
    bool closed;                       /* the batch is committed */
};

void replay_cut_init(struct replay_cut *c);
extern const struct store_engine replay_engine;

/* "insert", "finish" ... to a kind; STORE_KIND_COUNT when it is none. */
enum store_kind replay_kind(struct slice name);

#endif
