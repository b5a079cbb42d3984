/* A store under test and the loop that listens to it: opens one in a scratch folder, with or without its thread, runs
 * operations to their end, and makes pushes.  Used by the tests of the store; each test program is one file, so
 * everything here is static inline. */
#ifndef TESTS_UNIT_PPG_STORE_FIX_H
#define TESTS_UNIT_PPG_STORE_FIX_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clk.h"
#include "ppg/store/engine.h"
#include "ppg/store/store.h"

struct fix {
    struct store *s;
    struct store_conf conf;
    char path[300];
    char why[256];
    pthread_mutex_t mutex;
    pthread_cond_t some;
    struct list done; /* posted, not yet taken */
    size_t posts;     /* calls of post() */
};

static inline void fix_post(void *arg, unsigned loop, struct list *done)
{
    struct fix *f = arg;

    (void)loop;
    (void)pthread_mutex_lock(&f->mutex);
    list_splice_back(&f->done, done);
    f->posts++;
    (void)pthread_cond_signal(&f->some);
    (void)pthread_mutex_unlock(&f->mutex);
}

/* Nothing is opened yet: a test may change f->conf first. */
static inline void fix_init(struct fix *f, const char *folder, const char *name, bool no_thread)
{
    *f = (struct fix){.posts = 0};
    (void)snprintf(f->path, sizeof f->path, "%s/%s", folder, name);
    (void)pthread_mutex_init(&f->mutex, NULL);
    (void)pthread_cond_init(&f->some, NULL);
    list_init(&f->done);
    f->conf = (struct store_conf){.engine = "sqlite",
                                  .path = f->path,
                                  .pending_max = 1000,
                                  .loops = 2,
                                  .no_thread = no_thread,
                                  .post = fix_post,
                                  .post_arg = f,
                                  .clk = &clk_real};
}

static inline enum err fix_open(struct fix *f)
{
    f->why[0] = 0;
    return store_open(&f->conf, &f->s, f->why);
}

/* A database and what SQLite keeps beside it. */
static inline void fix_remove_at(const char *path)
{
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
    char side[1024];

    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        (void)snprintf(side, sizeof side, "%s%s", path, tails[i]);
        (void)unlink(side);
    }
}

static inline void fix_clear(struct fix *f)
{
    store_close(&f->s);
    (void)pthread_cond_destroy(&f->some);
    (void)pthread_mutex_destroy(&f->mutex);
}

/* A case without the store's thread and with it, each on a fresh database. */
static inline void fix_in_both(const char *folder, void (*body)(struct fix *f))
{
    for (size_t mode = 0; mode < 2; mode++) {
        struct fix f;

        fix_init(&f, folder, "store.db", mode == 0);
        fix_remove_at(f.path);
        MUST(!fix_open(&f));
        body(&f);
        fix_clear(&f);
        fix_remove_at(f.path);
    }
}

/* Takes n operations off the posted list, calling done() of each; runs the store when it has no thread. */
static inline void fix_wait(struct fix *f, size_t n)
{
    while (n > 0) {
        struct list *at;

        if (f->conf.no_thread && list_empty(&f->done))
            MUST(store_turn(f->s));
        (void)pthread_mutex_lock(&f->mutex);
        while (list_empty(&f->done))
            (void)pthread_cond_wait(&f->some, &f->mutex);
        at = list_pop_front(&f->done);
        (void)pthread_mutex_unlock(&f->mutex);
        n--;
        if (container_of(at, struct store_op, link)->done)
            container_of(at, struct store_op, link)->done(container_of(at, struct store_op, link));
    }
}

static inline enum err fix_run(struct fix *f, struct store_op *op, enum store_kind kind)
{
    struct list ops;

    op->kind = kind;
    list_init(&ops);
    list_push_back(&ops, &op->link);
    store_submit(f->s, &ops);
    fix_wait(f, 1);
    return op->err;
}

static inline struct slice fix_dup(struct arena *a, const char *text)
{
    struct slice out = SLICE_NONE;

    MUST(!arena_dup(a, slice_str(text), &out));
    return out;
}

/* A push to `n` addresses tel:1, tel:2 ...; due at due_ms. */
static inline struct ppg_push *fix_push(const char *initiator, const char *push_id, size_t n, int64_t due_ms)
{
    struct ppg_push *p = ppg_push_create(1024, 1u << 24);
    char address[64];

    MUST(p != NULL);
    p->initiator = fix_dup(&p->mem, initiator);
    p->push_id = fix_dup(&p->mem, push_id);
    p->notify_url = fix_dup(&p->mem, "http://127.0.0.1/result");
    p->content_type = fix_dup(&p->mem, "text/plain");
    p->body = SLICE("hello");
    p->accepted_ms = 1000;
    p->expires_ms = 100000000;
    p->targets = arena_array(&p->mem, n, sizeof *p->targets);
    p->targets_n = n;
    MUST(p->targets != NULL);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(address, sizeof address, "tel:%zu", i + 1);
        p->targets[i].push = p;
        p->targets[i].address = fix_dup(&p->mem, address);
        p->targets[i].key = p->targets[i].address;
        p->targets[i].due_ms = due_ms;
    }
    return p;
}

/* Inserts and drops a push; the id of its first target, 0 on failure. */
static inline int64_t fix_insert(struct fix *f, const char *initiator, const char *push_id, size_t n,
                                 int64_t due_ms, bool leased)
{
    struct store_insert o = {.push = fix_push(initiator, push_id, n, due_ms)};
    int64_t id;

    for (size_t i = 0; i < n; i++)
        o.push->targets[i].leased = leased;
    id = fix_run(f, &o.op, STORE_INSERT) ? 0 : o.push->targets[0].id;
    ppg_push_drop(o.push);
    return id;
}

static inline enum err fix_finish(struct fix *f, int64_t target_id, enum ppg_stage stage, bool notify)
{
    struct store_finish o = {
        .target_id = target_id, .stage = stage, .code = 1000, .tries = 1, .event_ms = 5000, .notify = notify};

    return fix_run(f, &o.op, STORE_FINISH);
}

static inline void fix_drop_targets(struct list *targets)
{
    struct list *at;

    while ((at = list_pop_front(targets)))
        ppg_push_drop(container_of(at, struct ppg_target, link)->push);
}

/* What a claim brought. */
static inline void fix_drop_claim(struct store_claim *o)
{
    fix_drop_targets(&o->targets);
    arena_clear(&o->mem);
}

static inline void fix_drop_notices(struct list *notices)
{
    struct list *at;

    while ((at = list_pop_front(notices))) {
        struct ppg_notice *n = container_of(at, struct ppg_notice, link);

        ppg_notice_free(&n);
    }
}

static inline size_t fix_length(const struct list *l)
{
    size_t n = 0;

    LIST_EACH (at, l)
        n++;
    return n;
}

/* Leases what is due and lets go of it; how many there were. */
static inline size_t fix_claim(struct fix *f, int64_t now_ms, size_t max)
{
    struct store_claim o = {.now_ms = now_ms, .max = max, .max_n = SIZE_MAX};
    size_t n = 0;

    if (!fix_run(f, &o.op, STORE_CLAIM))
        n = fix_length(&o.targets);
    fix_drop_claim(&o);
    return n;
}

#endif
