/* The queue and the threads in front of an engine.  The store's thread takes the whole list and runs it as one
 * transaction; a second thread syncs what was committed and posts it, loop by loop.  So the disk works on one batch
 * while the next is being run, and a batch that is small because the disk is slow gathers more meanwhile.  Knows no
 * SQL.  The rules of a batch stand in engine.h, those of the callers in store.h.  Without threads store_turn() does
 * both in turn. */
#include "ppg/store/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/thread.h"
#include "ppg/store/engine.h"

/* While a batch is being synced the next one begins when so many operations wait: smaller ones write the same pages
 * again and again. */
#define GATHER_N       16u
#define RESULT_FIRST_N 4096u /* octets of arena for what an operation answers with */

struct store {
    struct store_conf conf;
    const struct store_engine *engine;
    void *self;         /* the engine's */
    struct list *done;  /* conf.loops lists: what is ready to be posted; the second thread's */
    atomic_bool broken; /* a sync failed: nothing is durable any more */

    pthread_mutex_t mutex; /* guards what follows, up to `pending` */
    pthread_cond_t more;   /* for the store's thread */
    pthread_cond_t ready;  /* for the second thread */
    struct list queue;
    struct list committed; /* to be synced and posted, in order */
    bool stop;
    bool ended;            /* the store's thread has committed its last batch */
    bool waiting;          /* the store's thread sleeps on `more` */
    bool syncing;          /* the second thread is at work */
    atomic_size_t pending; /* length of queue; written under the mutex */
    pthread_t thread;
    pthread_t syncer;
    bool has_thread;
    bool has_syncer;

    struct list backups; /* in order; the first is under way when `copying` */
    bool copying;
};

static struct store_op *op_of(struct list *at)
{
    return container_of(at, struct store_op, link);
}

static void step(struct store *s, const char *name)
{
    if (s->conf.step)
        s->conf.step(s->conf.step_arg, name);
}

/* After these rows may be half written; see engine.h. */
static bool hard(enum err e)
{
    return e == ERR_IO || e == ERR_NOMEM;
}

static void drop_targets(struct list *targets)
{
    struct list *at;

    while ((at = list_pop_front(targets)))
        ppg_push_drop(container_of(at, struct ppg_target, link)->push);
}

static void drop_notices(struct list *notices)
{
    struct list *at;

    while ((at = list_pop_front(notices))) {
        struct ppg_notice *n = container_of(at, struct ppg_notice, link);

        ppg_notice_free(&n);
    }
}

static void forget_ids(struct ppg_push *p)
{
    p->id = 0;
    for (size_t i = 0; i < p->targets_n; i++)
        p->targets[i].id = p->targets[i].group_id = 0;
}

static void cancel_drop(struct store_cancel *c)
{
    if (!c)
        return;
    arena_clear(&c->mem);
    c->targets = NULL;
    c->targets_n = 0;
}

static void claim_drop(struct store_claim *c)
{
    drop_targets(&c->targets);
    arena_clear(&c->mem);
    c->shares = NULL;
    c->shares_n = 0;
}

static void queue_drop(struct store_queue *o)
{
    arena_clear(&o->mem);
    o->shares = NULL;
    o->heads = NULL;
    o->shares_n = o->heads_n = 0;
}

static void wake_drop(struct store_wake *o)
{
    arena_clear(&o->mem);
    o->woken_n = o->initiators_n = 0;
    o->more = false;
}

static void inbox_drop(struct store_inbox *o)
{
    arena_clear(&o->mem);
    o->items = NULL;
    o->items_n = 0;
    o->more = false;
}

static void item_drop(struct store_item *o)
{
    if (o->target)
        ppg_push_drop(o->target->push);
    o->target = NULL;
}

static void mem_init(struct arena *mem)
{
    arena_init(mem, RESULT_FIRST_N, SIZE_MAX / 4);
}

/* Results start empty, so that they can be dropped whatever happens. */
static void results_init(struct store_op *op)
{
    struct store_insert *insert = container_of(op, struct store_insert, op);

    switch (op->kind) {
    case STORE_INSERT:
        if (insert->old)
            mem_init(&insert->old->mem);
        break;
    case STORE_CANCEL:
        mem_init(&container_of(op, struct store_cancel, op)->mem);
        break;
    case STORE_CLAIM:
        list_init(&container_of(op, struct store_claim, op)->targets);
        mem_init(&container_of(op, struct store_claim, op)->mem);
        break;
    case STORE_NOTICE_CLAIM:
        list_init(&container_of(op, struct store_notice_claim, op)->notices);
        break;
    case STORE_SHOW:
        container_of(op, struct store_show, op)->push = NULL;
        break;
    case STORE_RECENT:
        container_of(op, struct store_recent, op)->shows_n = 0;
        break;
    case STORE_QUEUE:
        mem_init(&container_of(op, struct store_queue, op)->mem);
        break;
    case STORE_WAKE:
        mem_init(&container_of(op, struct store_wake, op)->mem);
        break;
    case STORE_SA_FIND:
        mem_init(&container_of(op, struct store_sa_find, op)->mem);
        break;
    case STORE_SA_LIST:
        mem_init(&container_of(op, struct store_sa_list, op)->mem);
        break;
    case STORE_INBOX:
        mem_init(&container_of(op, struct store_inbox, op)->mem);
        container_of(op, struct store_inbox, op)->items_n = 0;
        break;
    case STORE_ITEM:
        container_of(op, struct store_item, op)->target = NULL;
        break;
    default:
        break;
    }
}

static void recent_drop(struct store_recent *o)
{
    for (size_t i = 0; i < o->shows_n; i++)
        ppg_push_drop(o->shows[i].push);
    o->shows_n = 0;
}

/* What the operation answered is not true any more. */
static void results_drop(struct store_op *op)
{
    struct store_show *show = container_of(op, struct store_show, op);

    switch (op->kind) {
    case STORE_INSERT:
        forget_ids(container_of(op, struct store_insert, op)->push);
        cancel_drop(container_of(op, struct store_insert, op)->old);
        break;
    case STORE_CANCEL:
        cancel_drop(container_of(op, struct store_cancel, op));
        break;
    case STORE_CLAIM:
        claim_drop(container_of(op, struct store_claim, op));
        break;
    case STORE_NOTICE_CLAIM:
        drop_notices(&container_of(op, struct store_notice_claim, op)->notices);
        break;
    case STORE_SHOW:
        ppg_push_drop(show->push);
        show->push = NULL;
        show->targets = NULL;
        show->targets_n = 0;
        break;
    case STORE_RECENT:
        recent_drop(container_of(op, struct store_recent, op));
        break;
    case STORE_QUEUE:
        queue_drop(container_of(op, struct store_queue, op));
        break;
    case STORE_WAKE:
        wake_drop(container_of(op, struct store_wake, op));
        break;
    case STORE_INBOX:
        inbox_drop(container_of(op, struct store_inbox, op));
        break;
    case STORE_ITEM:
        item_drop(container_of(op, struct store_item, op));
        break;
    case STORE_PURGE:
        container_of(op, struct store_purge, op)->gone = 0;
        break;
    default:
        break; /* plain numbers, not to be read after an error */
    }
}

static void run(struct store *s, struct store_op *op)
{
    op->err = s->engine->run(s->self, op);
    if (op->err && op->err != ERR_AGAIN) /* that one is answered: who is held */
        results_drop(op);
}

/* The straight way.  False when an operation failed hard: the transaction holds half of it. */
static bool run_all(struct store *s, struct list *batch)
{
    LIST_EACH (at, batch) {
        step(s, "run");
        run(s, op_of(at));
        if (hard(op_of(at)->err))
            return false;
    }
    return true;
}

/* The rare way, with a mark before each operation.  False when one could not be undone. */
static bool run_each(struct store *s, struct list *batch)
{
    LIST_EACH (at, batch) {
        struct store_op *op = op_of(at);

        step(s, "run");
        if (s->engine->mark(s->self))
            return false;
        run(s, op);
        if (!hard(op->err))
            continue;
        LOG(s->conf.log, LOG_ERROR, "store.op", LOG_I("kind", op->kind),
            LOG_C("why", s->engine->trouble(s->self)));
        if (s->engine->back(s->self))
            return false;
    }
    return true;
}

static void drop_all(struct list *batch)
{
    LIST_EACH (at, batch)
        results_drop(op_of(at));
}

static bool reads_only(const struct store_op *op)
{
    return op->kind == STORE_SHOW || op->kind == STORE_COUNT || op->kind == STORE_QUEUE ||
           op->kind == STORE_WAITING || op->kind == STORE_RECENT || op->kind == STORE_INBOX ||
           op->kind == STORE_ITEM;
}

/* Nothing of the batch is stored.  What only reads is answered anew, from what is. */
static void fail_all(struct store *s, struct list *batch)
{
    LOG(s->conf.log, LOG_ERROR, "store.fail", LOG_C("why", s->engine->trouble(s->self)));
    LIST_EACH (at, batch) {
        results_drop(op_of(at));
        op_of(at)->err = ERR_IO;
        if (reads_only(op_of(at)))
            run(s, op_of(at));
    }
}

/* Runs the batch inside a transaction that has begun, if need be a second time in the rare way. */
static bool run_twice(struct store *s, struct list *batch)
{
    if (run_all(s, batch))
        return true;
    drop_all(batch);
    s->engine->rollback(s->self);
    return !s->engine->begin(s->self) && run_each(s, batch);
}

/* One transaction; true when it is committed, otherwise nothing of it is stored. */
static bool transact(struct store *s, struct list *batch)
{
    bool good = !s->engine->begin(s->self) && run_twice(s, batch);

    step(s, "commit");
    if (good && !s->engine->commit(s->self))
        return true;
    s->engine->rollback(s->self);
    return false;
}

/* PPG_REPLACE_PENDING_ONLY: the push in memory says what was stored, now that it is durable.  Not before: an operation may have
 * to run a second time. */
static void leave_out(struct store_insert *o)
{
    struct ppg_push *p = o->push;
    size_t entry = 0;
    bool out = false;

    if (!o->old || p->replace != PPG_REPLACE_PENDING_ONLY)
        return;
    for (size_t i = 0; i < p->targets_n; i++) {
        struct ppg_target *t = &p->targets[i];

        if (!t->group_id) /* a member goes as its group */
            out = o->old->targets[entry++].what != STORE_CANCEL_DONE;
        if (!out || ppg_stage_final((enum ppg_stage)t->stage))
            continue;
        t->stage = ST_CANCELLED;
        t->code = STORE_CODE_NOT_PENDING;
        t->leased = false;
    }
}

static void settle_all(struct list *batch)
{
    LIST_EACH (at, batch)
        if (op_of(at)->kind == STORE_INSERT && !op_of(at)->err)
            leave_out(container_of(op_of(at), struct store_insert, op));
}

static void run_batch(struct store *s, struct list *batch)
{
    if (list_empty(batch))
        return;
    LIST_EACH (at, batch)
        results_init(op_of(at));
    step(s, "begin");
    if (!atomic_load(&s->broken) && transact(s, batch)) {
        step(s, "committed");
    } else {
        step(s, "failed");
        fail_all(s, batch);
    }
}

/* Back to the loops; what a loop does not take off the list is our mistake or its. */
static void post(struct store *s, struct list *batch)
{
    struct list *at;

    while ((at = list_pop_front(batch))) {
        MUST(op_of(at)->loop < s->conf.loops);
        list_push_back(&s->done[op_of(at)->loop], at);
    }
    for (unsigned i = 0; i < s->conf.loops; i++)
        if (!list_empty(&s->done[i])) {
            s->conf.post(s->conf.post_arg, i, &s->done[i]);
            MUST(list_empty(&s->done[i]));
        }
}

static bool wrote_something(struct list *batch)
{
    LIST_EACH (at, batch)
        if (!op_of(at)->err && !reads_only(op_of(at)))
            return true;
    return false;
}

/* The disk did not take what was committed, and nobody knows what of it is there: nothing of it is acknowledged. */
static void sync_failed(struct store *s, struct list *batch)
{
    LOG(s->conf.log, LOG_ERROR, "store.sync.fail", LOG_C("what", "nothing is stored until the next start"));
    atomic_store(&s->broken, true);
    LIST_EACH (at, batch)
        if (!op_of(at)->err && !reads_only(op_of(at))) {
            results_drop(op_of(at));
            op_of(at)->err = ERR_IO;
        }
}

/* Durable, then told. */
static void sync_and_post(struct store *s, struct list *batch)
{
    bool wrote = wrote_something(batch);

    step(s, "sync");
    if (wrote && s->engine->sync && (atomic_load(&s->broken) || s->engine->sync(s->self)))
        sync_failed(s, batch);
    settle_all(batch);
    step(s, "post");
    post(s, batch);
    step(s, "posted");
}

/* To the second thread, in order; the list is empty afterwards. */
static void pass_on(struct store *s, struct list *batch)
{
    bool wake;

    (void)pthread_mutex_lock(&s->mutex);
    wake = list_empty(&s->committed) && !s->syncing;
    list_splice_back(&s->committed, batch);
    s->syncing = s->syncing || !list_empty(&s->committed);
    (void)pthread_mutex_unlock(&s->mutex);
    if (wake)
        (void)pthread_cond_signal(&s->ready);
}

/* A backup leaves its batch: it takes many steps. */
static void take_backups(struct store *s, struct list *batch)
{
    LIST_EACH_SAFE (at, batch)
        if (op_of(at)->kind == STORE_BACKUP) {
            list_remove(at);
            list_push_back(&s->backups, at);
        }
}

static void backup_step(struct store *s)
{
    struct store_op *op = op_of(s->backups.next);
    struct list done;
    enum err e = ERR_OK;

    if (!s->copying)
        e = s->engine->backup_start(s->self, container_of(op, struct store_backup, op)->path);
    if (!e)
        e = s->engine->backup_step(s->self);
    s->copying = e == ERR_AGAIN;
    if (s->copying)
        return;
    op->err = e;
    list_remove(&op->link);
    list_init(&done);
    list_push_back(&done, &op->link);
    pass_on(s, &done);
}

/* Takes nothing back: between two batches the engine may work a while. */
static void between(struct store *s)
{
    step(s, "tend");
    s->engine->tend(s->self, atomic_load_explicit(&s->pending, memory_order_relaxed));
    if (!list_empty(&s->backups))
        backup_step(s);
    step(s, "tended");
}

static void turn(struct store *s, struct list *batch)
{
    take_backups(s, batch);
    run_batch(s, batch);
    pass_on(s, batch);
    between(s);
}

/* Takes the whole queue; the caller holds the mutex. */
static void take(struct store *s, struct list *batch)
{
    list_init(batch);
    list_splice_back(batch, &s->queue);
    atomic_store_explicit(&s->pending, 0, memory_order_relaxed);
}

/* Does enough wait?  While the disk works, only what has gathered is worth a batch.  Under the mutex. */
static bool queue_ripe(const struct store *s)
{
    size_t queued = atomic_load_explicit(&s->pending, memory_order_relaxed);

    return queued >= (s->syncing && !s->stop ? GATHER_N : 1);
}

/* Sleeps until there is work.  False when the store stops and all is run. */
static bool wait_work(struct store *s, struct list *batch)
{
    bool work;

    (void)pthread_mutex_lock(&s->mutex);
    while (!queue_ripe(s) && list_empty(&s->backups) && !s->stop) {
        s->waiting = true;
        (void)pthread_cond_wait(&s->more, &s->mutex);
    }
    s->waiting = false;
    work = queue_ripe(s) || !list_empty(&s->backups);
    take(s, batch);
    s->ended = !work;
    (void)pthread_mutex_unlock(&s->mutex);
    if (!work)
        (void)pthread_cond_signal(&s->ready);
    return work;
}

static void *thread_main(void *arg)
{
    struct store *s = arg;
    struct list batch;

    thread_name("store");
    while (wait_work(s, &batch))
        turn(s, &batch);
    return NULL;
}

/* Sleeps until something was committed.  False when nothing more will be. */
static bool wait_committed(struct store *s, struct list *batch)
{
    bool wake;

    list_init(batch);
    (void)pthread_mutex_lock(&s->mutex);
    s->syncing = !list_empty(&s->committed);
    wake = s->waiting && !s->syncing && queue_ripe(s);
    s->waiting = s->waiting && !wake;
    if (wake)
        (void)pthread_cond_signal(&s->more);
    while (list_empty(&s->committed) && !s->ended)
        (void)pthread_cond_wait(&s->ready, &s->mutex);
    list_splice_back(batch, &s->committed);
    (void)pthread_mutex_unlock(&s->mutex);
    return !list_empty(batch);
}

static void *syncer_main(void *arg)
{
    struct store *s = arg;
    struct list batch;

    thread_name("store sync");
    while (wait_committed(s, &batch))
        sync_and_post(s, &batch);
    return NULL;
}

bool store_turn(struct store *s)
{
    struct list batch;
    bool work;

    MUST(s->conf.no_thread);
    (void)pthread_mutex_lock(&s->mutex);
    work = queue_ripe(s) || !list_empty(&s->backups);
    take(s, &batch);
    (void)pthread_mutex_unlock(&s->mutex);
    if (!work)
        return false;
    turn(s, &batch);
    list_splice_back(&batch, &s->committed);
    s->syncing = false;
    sync_and_post(s, &batch);
    return true;
}

void store_submit(struct store *s, struct list *ops)
{
    size_t n = 0;
    bool wake;

    if (list_empty(ops))
        return;
    LIST_EACH (at, ops)
        n++;
    (void)pthread_mutex_lock(&s->mutex);
    list_splice_back(&s->queue, ops);
    (void)atomic_fetch_add_explicit(&s->pending, n, memory_order_relaxed);
    wake = s->waiting && queue_ripe(s);
    s->waiting = s->waiting && !wake; /* one signal is enough */
    (void)pthread_mutex_unlock(&s->mutex);
    if (wake)
        (void)pthread_cond_signal(&s->more);
}

bool store_full(const struct store *s)
{
    return atomic_load(&s->broken) ||
           atomic_load_explicit(&s->pending, memory_order_relaxed) >= s->conf.pending_max;
}

const char *store_name(const struct store *s)
{
    return s->engine->identity(s->self);
}

const char *store_secret(const struct store *s)
{
    return s->engine->secret(s->self);
}

/* Closes in any state of opening. */
static void tear_down(struct store *s)
{
    if (s->self)
        s->engine->close(s->self);
    (void)pthread_cond_destroy(&s->ready);
    (void)pthread_cond_destroy(&s->more);
    (void)pthread_mutex_destroy(&s->mutex);
    free(s->done);
    free(s);
}

/* What is queued is run, what was run is synced and posted. */
static void threads_end(struct store *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    s->stop = true;
    s->ended = !s->has_thread;
    (void)pthread_cond_signal(&s->more);
    (void)pthread_cond_signal(&s->ready);
    (void)pthread_mutex_unlock(&s->mutex);
    if (s->has_thread)
        (void)pthread_join(s->thread, NULL);
    if (s->has_syncer)
        (void)pthread_join(s->syncer, NULL);
}

void store_close(struct store **sp)
{
    struct store *s = *sp;

    if (!s)
        return;
    *sp = NULL;
    if (s->conf.no_thread)
        while (store_turn(s))
            ;
    else
        threads_end(s);
    tear_down(s);
}

static const struct store_engine *engine_find(const struct store_conf *conf)
{
    static const struct store_engine *const engines[] = {&store_engine_sqlite};

    if (conf->io)
        return conf->io;
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++)
        if (slice_eq(slice_str(engines[i]->name), slice_str(conf->engine)))
            return engines[i];
    return NULL;
}

static struct store *create(const struct store_conf *conf)
{
    struct store *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->conf = *conf;
    s->done = calloc(conf->loops, sizeof *s->done);
    if (!s->done) {
        free(s);
        return NULL;
    }
    for (unsigned i = 0; i < conf->loops; i++)
        list_init(&s->done[i]);
    list_init(&s->queue);
    list_init(&s->committed);
    list_init(&s->backups);
    (void)pthread_mutex_init(&s->mutex, NULL);
    (void)pthread_cond_init(&s->more, NULL);
    (void)pthread_cond_init(&s->ready, NULL);
    return s;
}

static enum err start(struct store *s, char why[256])
{
    enum err e = s->engine->open(&s->conf, &s->self, why);

    if (e || s->conf.no_thread)
        return e;
    s->has_syncer = pthread_create(&s->syncer, NULL, syncer_main, s) == 0;
    s->has_thread = s->has_syncer && pthread_create(&s->thread, NULL, thread_main, s) == 0;
    if (s->has_thread)
        return ERR_OK;
    threads_end(s);
    (void)snprintf(why, 256, "no thread for the store; raise the limit of tasks");
    return ERR_NOMEM;
}

enum err store_open(const struct store_conf *conf, struct store **out, char why[256])
{
    const struct store_engine *engine = engine_find(conf);
    struct store *s;
    enum err e;

    MUST(conf->loops > 0 && conf->post);
    if (!engine) {
        (void)snprintf(why, 256, "no store engine \"%.100s\"; there is \"sqlite\"",
                       conf->engine ? conf->engine : "");
        return ERR_UNSUPPORTED;
    }
    s = create(conf);
    if (!s) {
        (void)snprintf(why, 256, "memory is out");
        return ERR_NOMEM;
    }
    s->engine = engine;
    e = start(s, why);
    if (e) {
        tear_down(s);
        return e;
    }
    *out = s;
    return ERR_OK;
}
