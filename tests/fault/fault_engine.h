/* An engine that fails where a test says so, standing before the real one at the seam.  Used by the fault tests of the
 * store; each test program is one file, so everything here is static. */
#ifndef TESTS_FAULT_FAULT_ENGINE_H
#define TESTS_FAULT_FAULT_ENGINE_H

#include <string.h>
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

/* What goes wrong and when; 0 never.  The engine's table has no place for it, so it is the file's. */
static struct {
    size_t run_at;    /* the n-th operation fails, after its rows were written */
    bool sticky;      /* and again when it is tried again */
    size_t commit_at; /* the n-th commit fails */
    size_t begin_at;
    size_t sync_at;
    bool back; /* no way back */
    enum err with;
    size_t runs, commits, begins, syncs, fired;
    const struct store_op *victim;
} fault;

static inline enum err bad_begin(void *self)
{
    if (++fault.begins == fault.begin_at) {
        fault.fired++;
        return fault.with;
    }
    return store_engine_sqlite.begin(self);
}

static inline enum err bad_run(void *self, struct store_op *op)
{
    enum err e = store_engine_sqlite.run(self, op);

    if (++fault.runs == fault.run_at)
        fault.victim = op;
    else if (!fault.sticky || op != fault.victim)
        return e;
    fault.fired++;
    return fault.with;
}

static inline enum err bad_back(void *self)
{
    return fault.back ? ERR_IO : store_engine_sqlite.back(self);
}

static inline enum err bad_commit(void *self)
{
    if (++fault.commits == fault.commit_at) {
        fault.fired++;
        return fault.with;
    }
    return store_engine_sqlite.commit(self);
}

static inline enum err bad_sync(void *self)
{
    if (++fault.syncs == fault.sync_at) {
        fault.fired++;
        return fault.with;
    }
    return store_engine_sqlite.sync(self);
}

static inline struct store_engine bad_engine(void)
{
    struct store_engine e = store_engine_sqlite;

    e.begin = bad_begin;
    e.run = bad_run;
    e.back = bad_back;
    e.commit = bad_commit;
    e.sync = bad_sync;
    return e;
}

static inline void fault_clear(void)
{
    memset(&fault, 0, sizeof fault);
    fault.with = ERR_IO;
}

static inline void add(struct list *ops, struct store_op *op, enum store_kind kind)
{
    op->kind = kind;
    list_push_back(ops, &op->link);
}

/* Fails each operation of the load in turn, from the one behind the first `before`, once or whenever it is tried; load() says how many
 * failed hard.  Returns the number of the first that the load does not have. */
static inline size_t fault_nth_write(size_t before, bool always, size_t (*load)(void))
{
    size_t n = 0;

    do {
        fault_clear();
        test_row(++n);
        fault.run_at = before + n;
        fault.sticky = always;
        if (!always)
            fault.with = n % 2 ? ERR_IO : ERR_NOMEM;
        CU_ASSERT(load() == (always && fault.fired ? 1 : 0));
    } while (fault.fired && n < 100);
    return n;
}

#endif
