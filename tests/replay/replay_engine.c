/* The engine that can be cut off; see replay_engine.h. */
#include "tests/replay/replay_engine.h"

#include <stdlib.h>

struct engine {
    struct replay_cut *cut;
    void *real;
};

static const char *const kinds[STORE_KIND_COUNT] = {
    [STORE_INSERT] = "insert",
    [STORE_FINISH] = "finish",
    [STORE_MOVE] = "move",
    [STORE_CLAIM] = "claim",
    [STORE_NUMBERS] = "numbers",
    [STORE_NOTICE_CLAIM] = "notice-claim",
    [STORE_NOTICE_MOVE] = "notice-move",
    [STORE_NOTICE_DONE] = "notice-done",
    [STORE_CANCEL] = "cancel",
    [STORE_SHOW] = "show",
    [STORE_COUNT] = "count",
    [STORE_QUEUE] = "queue",
    [STORE_REPLAY] = "replay",
    [STORE_PURGE] = "purge",
    [STORE_BACKUP] = "backup",
    [STORE_RECENT] = "recent",
};

enum store_kind replay_kind(struct slice name)
{
    unsigned i = 0;

    while (i < STORE_KIND_COUNT && !slice_eq(name, slice_str(kinds[i])))
        i++;
    return (enum store_kind)i;
}

void replay_cut_init(struct replay_cut *c)
{
    *c = (struct replay_cut){.before = STORE_KIND_COUNT, .after = STORE_KIND_COUNT};
}

static enum err engine_open(const struct store_conf *conf, void **self, char why[256])
{
    struct engine *e = calloc(1, sizeof *e);
    enum err err = e ? store_engine_sqlite.open(conf, &e->real, why) : ERR_NOMEM;

    if (err) {
        free(e);
        return err;
    }
    e->cut = conf->step_arg;
    *self = e;
    return ERR_OK;
}

static void engine_close(void *self)
{
    struct engine *e = self;

    store_engine_sqlite.close(e->real);
    free(e);
}

static const char *identity(const void *self)
{
    const struct engine *e = self;

    return store_engine_sqlite.identity(e->real);
}

static const char *secret(const void *self)
{
    const struct engine *e = self;

    return store_engine_sqlite.secret(e->real);
}

static enum err begin(void *self)
{
    struct engine *e = self;

    e->cut->ran = e->cut->closed = false;
    return e->cut->cut ? ERR_IO : store_engine_sqlite.begin(e->real);
}

static enum err run(void *self, struct store_op *op)
{
    struct engine *e = self;

    if (op->kind == e->cut->before)
        e->cut->cut = true;
    if (e->cut->cut || (e->cut->fails[op->kind] && e->cut->spares[op->kind] == 0))
        return ERR_IO;
    e->cut->spares[op->kind] -= e->cut->spares[op->kind] > 0;
    if (op->kind == e->cut->after)
        e->cut->ran = true;
    return store_engine_sqlite.run(e->real, op);
}

static enum err mark(void *self)
{
    struct engine *e = self;

    return e->cut->cut ? ERR_IO : store_engine_sqlite.mark(e->real);
}

static enum err back(void *self)
{
    struct engine *e = self;

    return e->cut->cut ? ERR_IO : store_engine_sqlite.back(e->real);
}

static enum err commit(void *self)
{
    struct engine *e = self;
    enum err err = e->cut->cut ? ERR_IO : store_engine_sqlite.commit(e->real);

    e->cut->closed = !err;
    if (!err && e->cut->ran) { /* durable, but nobody lives to hear it */
        e->cut->cut = true;
        err = ERR_IO;
    }
    return err;
}

static void rollback(void *self)
{
    struct engine *e = self;

    if (!e->cut->closed)
        store_engine_sqlite.rollback(e->real);
}

static void tend(void *self, size_t queued_n)
{
    struct engine *e = self;

    if (!e->cut->cut)
        store_engine_sqlite.tend(e->real, queued_n);
}

static enum err backup_start(void *self, const char *path)
{
    struct engine *e = self;

    return e->cut->cut ? ERR_IO : store_engine_sqlite.backup_start(e->real, path);
}

static enum err backup_step(void *self)
{
    struct engine *e = self;

    return store_engine_sqlite.backup_step(e->real);
}

static const char *trouble(const void *self)
{
    const struct engine *e = self;

    return e->cut->cut ? "cut off" : store_engine_sqlite.trouble(e->real);
}

const struct store_engine replay_engine = {
    .name = "replay",
    .open = engine_open,
    .close = engine_close,
    .identity = identity,
    .secret = secret,
    .begin = begin,
    .run = run,
    .mark = mark,
    .back = back,
    .commit = commit,
    .rollback = rollback,
    .tend = tend,
    .backup_start = backup_start,
    .backup_step = backup_step,
    .trouble = trouble,
};
