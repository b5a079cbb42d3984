/* The store when its engine fails: the n-th operation, the n-th commit, begin, the way back from a mark, and a disk
 * that is full.  A test engine stands before the real one at the seam.  Whatever fails, an operation that was
 * acknowledged is stored and one that was not has left nothing. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include "tests/fault/fault_engine.h"
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

/* A load of three batches over every kind of write; what each said. */
struct load {
    struct store_insert insert[3];
    struct store_finish finish[2];
    struct store_numbers numbers;
    struct store_seq seq;
    struct store_sa_keep keep;
    struct store_insert later;
    struct store_show show;
    struct store_claim claim;
    struct store_notice_claim notices;
    struct store_notice_done done;
    struct store_purge purge;
    size_t failed; /* operations with a hard error */
};

static void flush(struct fix *f, struct load *l, struct list *ops)
{
    size_t n = fix_length(ops);

    store_submit(f->s, ops);
    while (n-- > 0) {
        struct store_op *op;

        if (list_empty(&f->done))
            CU_ASSERT_FATAL(store_turn(f->s));
        op = container_of(list_pop_front(&f->done), struct store_op, link);
        CU_ASSERT(op->err == ERR_OK || op->err == ERR_IO || op->err == ERR_NOMEM || op->err == ERR_LATE ||
                  (op->err == ERR_ABSENT && op->kind == STORE_SHOW));
        l->failed += op->err == ERR_IO || op->err == ERR_NOMEM;
    }
}

static void first_batch(struct fix *f, struct load *l)
{
    static const char *const names[] = {"a", "b", "c"};
    struct list ops;

    list_init(&ops);
    for (size_t i = 0; i < 3; i++) {
        l->insert[i].push = fix_push(names[i], names[i], 2, 1);
        l->insert[i].push->targets[0].leased = true;
        add(&ops, &l->insert[i].op, STORE_INSERT);
    }
    flush(f, l, &ops);
}

static void second_batch(struct fix *f, struct load *l)
{
    struct list ops;

    list_init(&ops);
    for (size_t i = 0; i < 2; i++) {
        l->finish[i] = (struct store_finish){.target_id = l->insert[i].push->targets[0].id,
                                             .stage = ST_DELIVERED,
                                             .event_ms = 5,
                                             .notify = true};
        add(&ops, &l->finish[i].op, STORE_FINISH);
    }
    l->numbers.count = 10;
    add(&ops, &l->numbers.op, STORE_NUMBERS);
    l->seq = (struct store_seq){.impi = SLICE("a@home"), .floor = 7, .count = 10};
    add(&ops, &l->seq.op, STORE_SEQ);
    l->keep = (struct store_sa_keep){
        .sa = {.said = {9}, .terminal = SLICE("+1"), .expires_s = 100, .octets = SLICE("sealed")},
        .count = 10};
    add(&ops, &l->keep.op, STORE_SA_KEEP);
    l->later.push = fix_push("c", "later", 1, 1);
    add(&ops, &l->later.op, STORE_INSERT);
    l->show.push_id = SLICE("later");
    add(&ops, &l->show.op, STORE_SHOW);
    flush(f, l, &ops);
}

static void third_batch(struct fix *f, struct load *l)
{
    struct list ops;

    list_init(&ops);
    l->claim = (struct store_claim){.now_ms = 10, .max = 2, .max_n = 1000};
    add(&ops, &l->claim.op, STORE_CLAIM);
    l->notices = (struct store_notice_claim){.now_ms = 10, .max = 5};
    add(&ops, &l->notices.op, STORE_NOTICE_CLAIM);
    l->done = (struct store_notice_done){.notice_id = l->finish[0].notice_id, .told = true};
    add(&ops, &l->done.op, STORE_NOTICE_DONE);
    l->purge = (struct store_purge){.before_ms = 100, .max = 10};
    add(&ops, &l->purge.op, STORE_PURGE);
    flush(f, l, &ops);
}

static bool stored(struct fix *f, const struct store_insert *o)
{
    struct store_show show = {.initiator = o->push->initiator, .push_id = o->push->push_id};
    bool there = fix_run(f, &show.op, STORE_SHOW) == ERR_OK;

    if (there)
        CU_ASSERT(show.targets_n == o->push->targets_n && show.push->id == o->push->id);
    ppg_push_drop(show.push);
    return there;
}

/* Open targets and owed notices, as far as the load was acknowledged. */
static void expect(const struct load *l, uint64_t *open, uint64_t *owed)
{
    *open = !l->later.op.err;
    *owed = 0;
    for (size_t i = 0; i < 3; i++)
        *open += l->insert[i].op.err ? 0 : 2;
    for (size_t i = 0; i < 2; i++) {
        *open -= !l->finish[i].op.err;
        *owed += !l->finish[i].op.err;
    }
    *owed -= !l->done.op.err;
}

static void count_is(struct fix *f, uint64_t open, uint64_t owed)
{
    struct store_count count = {.waiting = 0};

    CU_ASSERT(fix_run(f, &count.op, STORE_COUNT) == ERR_OK);
    CU_ASSERT(count.waiting + count.leased == open && count.notices == owed);
}

/* Exactly what was acknowledged is there: as this run sees it, and when the real engine opens the file again. */
static void compare(struct fix *f, struct load *l)
{
    struct store_numbers more = {.count = 1};
    struct store_numbers its = {.said = {9}, .count = 1};
    struct store_sa_find find = {.terminal = SLICE("+1")};
    struct store_seq vectors = {.impi = SLICE("a@home"), .floor = 7, .count = 1};
    uint64_t open;
    uint64_t owed;

    fault.run_at = fault.commit_at = fault.begin_at = 0;
    fault.victim = NULL;
    expect(l, &open, &owed);
    count_is(f, open, owed);
    CU_ASSERT(fix_insert(f, "d", "after", 1, 1, false) > 0); /* with an id of its own */
    f->conf.io = NULL;
    store_close(&f->s);
    CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT(stored(f, &l->insert[i]) == !l->insert[i].op.err);
        CU_ASSERT((l->insert[i].push->id > 0) == !l->insert[i].op.err);
    }
    CU_ASSERT(stored(f, &l->later) == !l->later.op.err);
    count_is(f, open + 1, owed);
    CU_ASSERT(fix_claim(f, 10, 100) == open + 1);
    CU_ASSERT(fix_run(f, &more.op, STORE_NUMBERS) == ERR_OK);
    CU_ASSERT(more.from == (l->numbers.op.err ? 1 : 11));
    CU_ASSERT(fix_run(f, &vectors.op, STORE_SEQ) == ERR_OK);
    CU_ASSERT(vectors.from == (l->seq.op.err ? 7 : 17));
    CU_ASSERT(fix_run(f, &find.op, STORE_SA_FIND) == ERR_OK && find.n == (l->keep.op.err ? 0 : 1));
    CU_ASSERT(fix_run(f, &its.op, STORE_NUMBERS) == ERR_OK && its.from == (l->keep.op.err ? 1 : 11));
    arena_clear(&find.mem);
}

static void load_clear(struct load *l)
{
    for (size_t i = 0; i < 3; i++)
        ppg_push_drop(l->insert[i].push);
    ppg_push_drop(l->later.push);
    ppg_push_drop(l->show.push);
    fix_drop_claim(&l->claim);
    fix_drop_notices(&l->notices.notices);
}

/* One run of the load with the faults that are set; the operations that failed hard. */
static size_t run_load(void)
{
    struct store_engine engine = bad_engine();
    struct load l = {.failed = 0};
    struct fix f;

    fix_init(&f, test_scratch(), "faults.db", true);
    fix_remove_at(f.path);
    f.conf.io = &engine;
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
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
    CU_ASSERT(fault.fired == 0);
}

/* An operation that fails once succeeds on the second, careful pass. */
static void nth_write_once(void)
{
    CU_ASSERT(fault_nth_write(0, false, run_load) > 12);
}

/* An operation that keeps failing fails alone. */
static void nth_write_always(void)
{
    CU_ASSERT(fault_nth_write(0, true, run_load) == 15);
}

static void nth_commit(void)
{
    static const size_t writes[] = {3, 6, 4, 0}; /* of each batch; the show of the second is answered */

    for (size_t n = 1; n <= COUNT(writes); n++) {
        fault_clear();
        test_row(n);
        fault.commit_at = n;
        CU_ASSERT(run_load() == writes[n - 1]);
    }
}

static void nth_begin(void)
{
    static const size_t writes[] = {3, 6, 4, 0};

    for (size_t n = 1; n <= COUNT(writes); n++) {
        fault_clear();
        test_row(n);
        fault.begin_at = n;
        CU_ASSERT(run_load() == writes[n - 1]);
    }
}

/* A write that fails and cannot be undone takes its batch with it, and only that. */
static void no_way_back(void)
{
    for (size_t n = 1; n <= 3; n++) {
        fault_clear();
        test_row(n);
        fault.run_at = n;
        fault.sticky = fault.back = true;
        CU_ASSERT(run_load() == 3);
    }
}

static void limit_file(rlim_t n)
{
    struct rlimit l;

    CU_ASSERT_FATAL(getrlimit(RLIMIT_FSIZE, &l) == 0);
    l.rlim_cur = n == RLIM_INFINITY ? l.rlim_max : n;
    CU_ASSERT_FATAL(setrlimit(RLIMIT_FSIZE, &l) == 0);
}

/* Real writes fail: no file may grow past 256 KiB.  When there is room again the store goes on. */
static void disk_full(void)
{
    char *body = calloc(1, 1u << 16);
    size_t good = 0;
    size_t bad = 0;
    char name[16];
    struct fix f;

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    fix_init(&f, test_scratch(), "full.db", true);
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    (void)signal(SIGXFSZ, SIG_IGN);
    limit_file(1u << 18);
    for (int i = 0; i < 12; i++) {
        struct store_insert o = {.push = NULL};

        (void)snprintf(name, sizeof name, "%d", i);
        o.push = fix_push("mms", name, 1, 1);
        o.push->body = slice_of(body, 1u << 16);
        if (i == 10)
            limit_file(RLIM_INFINITY);
        (void)fix_run(&f, &o.op, STORE_INSERT);
        CU_ASSERT(o.op.err == ERR_OK || (o.op.err == ERR_IO && i < 10));
        good += !o.op.err;
        bad += o.op.err == ERR_IO;
        CU_ASSERT((o.push->id > 0) == !o.op.err);
        ppg_push_drop(o.push);
    }
    CU_ASSERT(good > 3 && bad > 3);
    store_close(&f.s);
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    CU_ASSERT(fix_claim(&f, 1, 100) == good);
    fix_clear(&f);
    free(body);
}

/* An operator sees each batch that is lost. */
static void failure_is_logged(void)
{
    struct log_conf conf = {.level = LOG_ERROR, .fd = -1};
    struct store_engine engine = bad_engine();
    struct fix f;

    fault_clear();
    fault.commit_at = 2;
    fix_init(&f, test_scratch(), "log.db", true);
    CU_ASSERT_FATAL(log_create(&conf, &clk_real, &f.conf.log) == ERR_OK);
    f.conf.io = &engine;
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    CU_ASSERT(fix_insert(&f, "mms", "1", 1, 1, false) > 0);
    CU_ASSERT(fix_insert(&f, "mms", "2", 1, 1, false) == 0);
    CU_ASSERT(fix_insert(&f, "mms", "2", 1, 1, false) > 0);
    CU_ASSERT(log_count(f.conf.log, "store.fail") == 1);
    fix_clear(&f);
    log_free(&f.conf.log);
}

/* After a sync that failed nobody knows what is on disk: nothing more is acknowledged or written, what only reads is
 * still answered, and the next start goes on from what is there. */
static void failed_sync_ends_it(void)
{
    struct log_conf conf = {.level = LOG_ERROR, .fd = -1};
    struct store_engine engine = bad_engine();
    struct fix f;

    fault_clear();
    fault.sync_at = 2;
    fix_init(&f, test_scratch(), "sync.db", true);
    fix_remove_at(f.path);
    CU_ASSERT_FATAL(log_create(&conf, &clk_real, &f.conf.log) == ERR_OK);
    f.conf.io = &engine;
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    CU_ASSERT(fix_insert(&f, "mms", "1", 1, 1, false) > 0);
    CU_ASSERT(!store_full(f.s));
    CU_ASSERT(fix_insert(&f, "mms", "2", 1, 1, false) == 0);
    CU_ASSERT(store_full(f.s));
    CU_ASSERT(fix_insert(&f, "mms", "3", 1, 1, false) == 0);
    CU_ASSERT(fault.syncs == 2);
    CU_ASSERT(log_count(f.conf.log, "store.sync.fail") == 1);
    store_close(&f.s);
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    CU_ASSERT(fix_insert(&f, "mms", "1", 1, 1, false) == 0);
    CU_ASSERT(fix_insert(&f, "mms", "3", 1, 1, false) > 0);
    fix_clear(&f);
    log_free(&f.conf.log);
}

/* Batches that only read wait for no disk. */
static void reads_are_not_synced(void)
{
    struct store_engine engine = bad_engine();
    struct store_count count = {.waiting = 0};
    struct list ops;
    struct fix f;

    fault_clear();
    fix_init(&f, test_scratch(), "reads.db", true);
    fix_remove_at(f.path);
    f.conf.io = &engine;
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    CU_ASSERT(fix_insert(&f, "mms", "1", 1, 1, false) > 0);
    CU_ASSERT(fault.syncs == 1);
    list_init(&ops);
    add(&ops, &count.op, STORE_COUNT);
    store_submit(f.s, &ops);
    CU_ASSERT(store_turn(f.s));
    CU_ASSERT(fault.syncs == 1 && count.waiting == 1);
    (void)list_pop_front(&f.done);
    fix_clear(&f);
}

const struct test_case test_cases[] = {
    {"no_fault", no_fault},
    {"nth_write_once", nth_write_once},
    {"nth_write_always", nth_write_always},
    {"nth_commit", nth_commit},
    {"nth_begin", nth_begin},
    {"no_way_back", no_way_back},
    {"disk_full", disk_full},
    {"failure_is_logged", failure_is_logged},
    {"failed_sync_ends_it", failed_sync_ends_it},
    {"reads_are_not_synced", reads_are_not_synced},
    {NULL, NULL},
};
