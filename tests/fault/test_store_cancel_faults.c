/* Cancelling, replacing, the end of a group, replaying and purging when the n-th operation or commit fails: each is whole
 * or has left nothing, in the file, in the counts, and in the push that the caller holds. */
#include "tests/fault/fault_engine.h"
#include "tests/unit/harness.h"

/* What is there before anything fails. */
struct scene {
    struct store_insert plain;   /* "plain": three, the first held */
    struct store_insert crowd;   /* "crowd": tel:1, then a group of tel:3 and tel:4 */
    struct store_insert old;     /* "old": three */
    struct store_insert failing; /* "failing": two that were undeliverable */
    struct store_insert over;    /* "over": one, delivered long ago */
};

/* The operations under test, in three batches; what each said. */
struct load {
    struct scene at;
    struct store_cancel cancel; /* plain, all of it */
    struct store_insert insert; /* "new" replaces old for whom it is pending; four targets */
    struct store_cancel old;
    struct store_finish member[2];
    struct store_cancel some; /* crowd's tel:1 */
    struct store_replay replay;
    struct store_queue queue;
    struct store_move move;
    struct store_notice_claim notices;
    struct store_purge purge;
    int64_t released;
    size_t failed; /* operations with a hard error */
};

static const struct slice first_key = {"tel:1", 5};

static void put(struct fix *f, struct store_insert *o, const char *name, size_t n)
{
    o->push = fix_push("mms", name, n, 1);
    for (size_t i = 0; i < n; i++)
        o->push->targets[i].leased = i == 0;
    if (name[0] == 'c')
        o->push->targets[1].members_n = 2;
    CU_ASSERT_FATAL(fix_run(f, &o->op, STORE_INSERT) == ERR_OK);
}

static void scene_make(struct fix *f, struct scene *at)
{
    put(f, &at->plain, "plain", 3);
    put(f, &at->crowd, "crowd", 4);
    put(f, &at->old, "old", 3);
    put(f, &at->failing, "failing", 2);
    put(f, &at->over, "over", 1);
    CU_ASSERT(fix_insert(f, "bank", "newest", 1, 1, false) > 0);
    for (size_t i = 0; i < 2; i++)
        CU_ASSERT(fix_finish(f, at->failing.push->targets[i].id, ST_UNDELIVERABLE, false) == ERR_OK);
    CU_ASSERT(fix_finish(f, at->over.push->targets[0].id, ST_DELIVERED, false) == ERR_OK);
}

static void flush(struct fix *f, struct load *l, struct list *ops)
{
    size_t n = fix_length(ops);

    store_submit(f->s, ops);
    while (n-- > 0) {
        struct store_op *op;

        if (list_empty(&f->done))
            CU_ASSERT_FATAL(store_turn(f->s));
        op = container_of(list_pop_front(&f->done), struct store_op, link);
        CU_ASSERT(op->err == ERR_OK || op->err == ERR_IO || op->err == ERR_NOMEM);
        l->failed += op->err != ERR_OK;
    }
}

static void first_batch(struct fix *f, struct load *l)
{
    const struct ppg_target *member = &l->at.crowd.push->targets[2];
    struct list ops;

    list_init(&ops);
    l->released = l->at.plain.push->targets[0].id;
    l->cancel = (struct store_cancel){.initiator = SLICE("mms"),
                                      .push_id = SLICE("plain"),
                                      .released = &l->released,
                                      .released_n = 1,
                                      .event_ms = 70};
    add(&ops, &l->cancel.op, STORE_CANCEL);
    l->old = (struct store_cancel){.push_id = SLICE("old"), .force = true, .event_ms = 70};
    l->insert = (struct store_insert){.push = fix_push("mms", "new", 4, 1), .old = &l->old};
    l->insert.push->replace = PPG_REPLACE_PENDING_ONLY;
    for (size_t i = 0; i < 4; i++)
        l->insert.push->targets[i].leased = true;
    add(&ops, &l->insert.op, STORE_INSERT);
    l->member[0] = (struct store_finish){.target_id = member->id,
                                         .group_id = member->group_id,
                                         .stage = ST_EXPIRED,
                                         .event_ms = 70,
                                         .notify = true};
    add(&ops, &l->member[0].op, STORE_FINISH);
    flush(f, l, &ops);
}

static void second_batch(struct fix *f, struct load *l)
{
    struct list ops;

    list_init(&ops);
    l->member[1] = l->member[0];
    l->member[1].target_id++;
    l->member[1].stage = ST_DELIVERED;
    l->member[1].group_ended = false;
    add(&ops, &l->member[1].op, STORE_FINISH);
    l->replay = (struct store_replay){.initiator = SLICE("mms"),
                                      .push_id = SLICE("failing"),
                                      .new_push_id = SLICE("again"),
                                      .now_ms = 1,
                                      .expires_ms = 1000};
    add(&ops, &l->replay.op, STORE_REPLAY);
    l->some = (struct store_cancel){.initiator = SLICE("mms"),
                                    .push_id = SLICE("crowd"),
                                    .keys = &first_key,
                                    .keys_n = 1,
                                    .released = &l->at.crowd.push->targets[0].id,
                                    .released_n = 1,
                                    .event_ms = 70};
    add(&ops, &l->some.op, STORE_CANCEL);
    l->queue = (struct store_queue){.max = 5, .heads_max = 5};
    add(&ops, &l->queue.op, STORE_QUEUE);
    flush(f, l, &ops);
}

static void third_batch(struct fix *f, struct load *l)
{
    struct list ops;

    list_init(&ops);
    l->move = (struct store_move){.target_id = l->at.old.push->targets[0].id,
                                  .due_ms = 90,
                                  .tries = 1,
                                  .record = {.note = SLICE("busy"), .began_ms = 60}};
    add(&ops, &l->move.op, STORE_MOVE);
    l->notices = (struct store_notice_claim){.now_ms = 100, .max = 2};
    add(&ops, &l->notices.op, STORE_NOTICE_CLAIM);
    l->purge = (struct store_purge){.before_ms = 100000, .max = 10};
    add(&ops, &l->purge.op, STORE_PURGE);
    flush(f, l, &ops);
}

/* Stages of a push as letters, "" when it is not there. */
static void stages_are(struct fix *f, const char *push_id, const char *want)
{
    struct store_show o = {.initiator = SLICE("mms"), .push_id = slice_str(push_id)};

    CU_ASSERT(fix_run(f, &o.op, STORE_SHOW) == (want[0] ? ERR_OK : ERR_ABSENT));
    if (!o.push)
        return;
    CU_ASSERT(o.targets_n == strlen(want));
    for (size_t i = 0; i < o.targets_n && i < strlen(want); i++)
        CU_ASSERT("w.duxatc"[o.targets[i].stage] == want[i]);
    ppg_push_drop(o.push);
}

/* Exactly what was acknowledged. */
static void file_is(struct fix *f, const struct load *l)
{
    bool first = !l->member[0].op.err;
    bool second = !l->member[1].op.err;
    bool some = !l->some.op.err;
    char crowd[5] = "wwww";
    struct store_count count = {.waiting = 0};
    uint64_t open = 10;
    uint64_t owed = 0;

    stages_are(f, "plain", l->cancel.op.err ? "www" : "ccc");
    stages_are(f, "old", l->insert.op.err ? "www" : "wcc"); /* the first was held */
    stages_are(f, "new", l->insert.op.err ? "" : "cwwc");
    stages_are(f, "again", l->replay.op.err ? "" : "ww");
    stages_are(f, "over", l->purge.op.err ? "d" : "");
    crowd[0] = some ? 'c' : 'w';
    crowd[1] = first && second ? 'd' : 'w';
    crowd[2] = first ? 'x' : 'w';
    crowd[3] = second ? 'd' : 'w';
    stages_are(f, "crowd", crowd);
    open -= (l->cancel.op.err ? 0 : 3u) + first + second + some;
    open += l->replay.op.err ? 0 : 2;
    owed += (l->cancel.op.err ? 0 : 3u) + (l->insert.op.err ? 0 : 4u) + (first && second) + some;
    CU_ASSERT(fix_run(f, &count.op, STORE_COUNT) == ERR_OK);
    CU_ASSERT(count.waiting + count.leased == open && count.notices == owed);
}

/* The push the caller holds says what was stored, or is as it was. */
static void memory_is(const struct load *l)
{
    bool good = !l->insert.op.err;
    const struct ppg_push *p = l->insert.push;

    CU_ASSERT((p->id > 0) == good && (l->old.targets_n == 4) == good);
    for (size_t i = 0; i < 4; i++) {
        bool out = good && (i == 0 || i == 3);

        CU_ASSERT(p->targets[i].leased == !out && p->targets[i].stage == (out ? ST_CANCELLED : ST_WAITING));
        CU_ASSERT((p->targets[i].id > 0) == good);
    }
    CU_ASSERT(l->cancel.op.err ? l->cancel.targets_n == 0 : l->cancel.targets_n == 3);
    if (!l->member[1].op.err)
        CU_ASSERT(l->member[1].group_ended == !l->member[0].op.err);
}

static void compare(struct fix *f, struct load *l)
{
    fault.run_at = fault.commit_at = fault.begin_at = 0;
    fault.victim = NULL;
    memory_is(l);
    file_is(f, l);
    if (!l->move.op.err) {
        struct store_show o = {.push_id = SLICE("old")};

        CU_ASSERT(fix_run(f, &o.op, STORE_SHOW) == ERR_OK);
        CU_ASSERT(o.targets[0].attempts_n == 1 && o.targets[0].due_ms == 90);
        ppg_push_drop(o.push);
    }
    f->conf.io = NULL;
    store_close(&f->s);
    CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
    file_is(f, l);
}

static void load_clear(struct load *l)
{
    ppg_push_drop(l->at.plain.push);
    ppg_push_drop(l->at.crowd.push);
    ppg_push_drop(l->at.old.push);
    ppg_push_drop(l->at.failing.push);
    ppg_push_drop(l->at.over.push);
    ppg_push_drop(l->insert.push);
    arena_clear(&l->cancel.mem);
    arena_clear(&l->old.mem);
    arena_clear(&l->some.mem);
    arena_clear(&l->queue.mem);
    fix_drop_notices(&l->notices.notices);
}

#define SCENE_BATCHES 9 /* each is one operation */

/* One run of the load; faults count from the first operation after the scene.  The operations that failed hard. */
static size_t run_load(void)
{
    struct store_engine engine = bad_engine();
    struct load l = {.failed = 0};
    struct fix f;

    fix_init(&f, test_scratch(), "faults.db", true);
    fix_remove_at(f.path);
    f.conf.io = &engine;
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    scene_make(&f, &l.at);
    CU_ASSERT(fault.runs == SCENE_BATCHES && fault.commits == SCENE_BATCHES && fault.fired == 0);
    first_batch(&f, &l);
    second_batch(&f, &l);
    third_batch(&f, &l);
    compare(&f, &l);
    fix_clear(&f);
    load_clear(&l);
    return l.failed;
}

static void no_fault(void)
{
    fault_clear();
    CU_ASSERT(run_load() == 0);
}

/* An operation that fails once succeeds on the second, careful pass. */
static void nth_write_once(void)
{
    CU_ASSERT(fault_nth_write(SCENE_BATCHES, false, run_load) > 10);
}

/* An operation that keeps failing fails alone. */
static void nth_write_always(void)
{
    CU_ASSERT(fault_nth_write(SCENE_BATCHES, true, run_load) == 11);
}

static void nth_commit(void)
{
    for (size_t n = 1; n <= 4; n++) {
        fault_clear();
        test_row(n);
        fault.commit_at = SCENE_BATCHES + n;
        CU_ASSERT(run_load() == (n <= 3 ? 3 : 0)); /* the queue of the second batch is answered */
    }
}

static void nth_begin(void)
{
    for (size_t n = 1; n <= 3; n++) {
        fault_clear();
        test_row(n);
        fault.begin_at = SCENE_BATCHES + n;
        CU_ASSERT(run_load() == 3);
    }
}

/* A sync that fails comes after the commit: what the caller holds says nothing of it. */
static void failed_sync(void)
{
    struct store_engine engine = bad_engine();
    struct load l = {.failed = 0};
    struct fix f;

    fault_clear();
    fix_init(&f, test_scratch(), "sync.db", true);
    fix_remove_at(f.path);
    f.conf.io = &engine;
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    scene_make(&f, &l.at);
    fault.sync_at = fault.syncs + 1;
    first_batch(&f, &l);
    CU_ASSERT(l.failed == 3);
    l.member[1].op.err = ERR_IO;
    memory_is(&l);
    fix_clear(&f);
    list_init(&l.notices.notices);
    load_clear(&l);
}

const struct test_case test_cases[] = {
    {"no_fault", no_fault},
    {"nth_write_once", nth_write_once},
    {"nth_write_always", nth_write_always},
    {"nth_commit", nth_commit},
    {"nth_begin", nth_begin},
    {"failed_sync", failed_sync},
    {NULL, NULL},
};
