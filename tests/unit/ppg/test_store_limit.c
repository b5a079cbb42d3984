/* The ceiling of an initiator's queue, by the contract of store.h; every case runs without the store's thread and with
 * it. */
#include "tests/unit/base/random.h"
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

#define MAX 10u

static void in_both(void (*body)(struct fix *f))
{
    fix_in_both(test_scratch(), body);
}

/* A push of n targets under the ceiling; *queued is what the store said. */
static enum err put(struct fix *f, const char *initiator, const char *push_id, size_t n, uint64_t max,
                    uint64_t *queued)
{
    struct store_insert o = {.push = fix_push(initiator, push_id, n, 100), .queue_max = max, .queued = 777};
    enum err e = fix_run(f, &o.op, STORE_INSERT);

    *queued = o.queued;
    ppg_push_drop(o.push);
    return e;
}

static bool comes(struct fix *f, const char *push_id, size_t n, enum err want, uint64_t want_queued)
{
    uint64_t queued = 0;

    return put(f, "mms", push_id, n, MAX, &queued) == want && queued == want_queued;
}

/* The count of the rows themselves. */
static uint64_t rows(struct fix *f, const char *initiator)
{
    struct store_queue o = {.initiator = slice_str(initiator), .max = 1};
    uint64_t n;

    CU_ASSERT(fix_run(f, &o.op, STORE_QUEUE) == ERR_OK);
    n = o.shares_n ? o.shares[0].waiting + o.shares[0].leased : 0;
    arena_clear(&o.mem);
    return n;
}

static enum err finish(struct fix *f, const char *initiator, int64_t target_id)
{
    struct store_finish o = {.target_id = target_id,
                             .initiator = slice_str(initiator),
                             .stage = ST_DELIVERED,
                             .code = 1000,
                             .tries = 1,
                             .event_ms = 5000};

    return fix_run(f, &o.op, STORE_FINISH);
}

static void cancel(struct fix *f, const char *push_id)
{
    struct store_cancel o = {.initiator = SLICE("mms"), .push_id = slice_str(push_id), .event_ms = 700};

    CU_ASSERT(fix_run(f, &o.op, STORE_CANCEL) == ERR_OK);
    arena_clear(&o.mem);
}

static void full_body(struct fix *f)
{
    uint64_t queued = 0;

    CU_ASSERT(comes(f, "a", 4, ERR_OK, 4));
    CU_ASSERT(comes(f, "b", 7, ERR_LIMIT, 4));
    CU_ASSERT(comes(f, "b", 6, ERR_OK, 10));
    CU_ASSERT(comes(f, "c", 1, ERR_LIMIT, 10));
    CU_ASSERT(comes(f, "a", 1, ERR_EXISTS, 10)); /* that comes first */
    CU_ASSERT(put(f, "bank", "a", 10, MAX, &queued) == ERR_OK && queued == 10);
    CU_ASSERT(put(f, "mms", "d", 90, 100, &queued) == ERR_OK && queued == 100); /* a greater ceiling */
    CU_ASSERT(comes(f, "e", 1, ERR_LIMIT, 100));                                /* a smaller one */
    CU_ASSERT(fix_insert(f, "mms", "f", 5, 100, false) > 0);                    /* none */
    CU_ASSERT(comes(f, "g", 1, ERR_LIMIT, 105));
    CU_ASSERT(rows(f, "mms") == 105);
}

static void emptied_body(struct fix *f)
{
    int64_t id = fix_insert(f, "mms", "a", 10, 100, true);

    CU_ASSERT(comes(f, "x", 1, ERR_LIMIT, 10));
    CU_ASSERT(finish(f, "mms", id) == ERR_OK);
    CU_ASSERT(finish(f, "mms", id) == ERR_LATE); /* once */
    CU_ASSERT(comes(f, "b", 2, ERR_LIMIT, 9));
    CU_ASSERT(comes(f, "b", 1, ERR_OK, 10));
    cancel(f, "b");
    CU_ASSERT(comes(f, "d", 1, ERR_OK, 10));
    cancel(f, "d");
    cancel(f, "d"); /* nothing is left to cancel */
    CU_ASSERT(comes(f, "e", 2, ERR_LIMIT, 9));
    CU_ASSERT(rows(f, "mms") == 9);
}

/* What an operator replays waits too, and is not refused. */
static void replayed_body(struct fix *f)
{
    struct store_replay o = {.initiator = SLICE("mms"),
                             .push_id = SLICE("a"),
                             .new_push_id = SLICE("b"),
                             .now_ms = 1,
                             .expires_ms = 9};
    struct store_finish end = {
        .initiator = SLICE("mms"), .stage = ST_EXPIRED, .code = 4000, .tries = 1, .event_ms = 5000};

    CU_ASSERT(comes(f, "full", 10, ERR_OK, 10));
    end.target_id = fix_insert(f, "mms", "a", 1, 100, true);
    CU_ASSERT(fix_run(f, &end.op, STORE_FINISH) == ERR_OK);
    CU_ASSERT(fix_run(f, &o.op, STORE_REPLAY) == ERR_OK);
    CU_ASSERT(comes(f, "c", 1, ERR_LIMIT, 11));
    CU_ASSERT(rows(f, "mms") == 11);
}

/* What a push replaces makes room for it. */
static void replaced_body(struct fix *f)
{
    struct slice keys[] = {SLICE("tel:1"), SLICE("tel:2"), SLICE("tel:3"), SLICE("tel:4")};
    struct store_cancel old = {.initiator = SLICE("mms"), .push_id = SLICE("a"), .keys = keys, .keys_n = 4};
    struct store_insert o = {.push = fix_push("mms", "b", 4, 100), .old = &old, .queue_max = MAX};

    CU_ASSERT(comes(f, "a", 3, ERR_OK, 3));
    CU_ASSERT(comes(f, "full", 7, ERR_OK, 10));
    o.push->replace = PPG_REPLACE_ALL;
    o.push->replace_id = fix_dup(&o.push->mem, "a");
    CU_ASSERT(fix_run(f, &o.op, STORE_INSERT) == ERR_LIMIT); /* four for three */
    CU_ASSERT(rows(f, "mms") == 10);
    arena_clear(&old.mem);
    o.queue_max = MAX + 1;
    CU_ASSERT(fix_run(f, &o.op, STORE_INSERT) == ERR_OK);
    CU_ASSERT(o.queued == 11 && rows(f, "mms") == 11);
    arena_clear(&old.mem);
    ppg_push_drop(o.push);
    CU_ASSERT(comes(f, "c", 1, ERR_LIMIT, 11));
}

/* A group is as many as its members. */
static void group_body(struct fix *f)
{
    struct store_insert o = {.push = fix_push("mms", "g", 11, 100), .queue_max = 9};

    o.push->targets[0].members_n = 10;
    CU_ASSERT(fix_run(f, &o.op, STORE_INSERT) == ERR_LIMIT);
    o.queue_max = 10;
    CU_ASSERT(fix_run(f, &o.op, STORE_INSERT) == ERR_OK && o.queued == 10);
    ppg_push_drop(o.push);
    CU_ASSERT(comes(f, "c", 1, ERR_LIMIT, 10));
    cancel(f, "g");
    CU_ASSERT(comes(f, "c", 10, ERR_OK, 10));
}

/* Neither an end in order nor one without loses the count: it is that of the rows, whoever held them. */
static void restart_body(struct fix *f)
{
    int64_t id;

    CU_ASSERT(comes(f, "a", 3, ERR_OK, 3));
    CU_ASSERT(fix_insert(f, "mms", "b", 4, 100, true) > 0);
    for (int i = 0; i < 3; i++) {
        store_close(&f->s);
        CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
        CU_ASSERT(fix_claim(f, 100, 2) == 2); /* leases of several runs */
    }
    CU_ASSERT(comes(f, "c", 4, ERR_LIMIT, 7));
    CU_ASSERT(comes(f, "c", 3, ERR_OK, 10));
    id = fix_insert(f, "mms", "d", 1, 100, true);
    CU_ASSERT(finish(f, "mms", id) == ERR_OK);
    CU_ASSERT(comes(f, "e", 1, ERR_LIMIT, 10));
}

/* The twin counts the rows each time. */
static void twin_body(struct fix *f)
{
    static const char *const names[] = {"mms", "bank", "news"};
    int64_t ids[400];
    const char *whose[400];
    size_t ids_n = 0;
    uint32_t state = 4711;

    for (int step = 0; step < 300; step++) {
        const char *name = names[random_below(&state, 3)];
        uint64_t before = rows(f, name);
        uint64_t queued = 0;
        size_t n = 1 + random_below(&state, 4);
        char push_id[32];

        (void)snprintf(push_id, sizeof push_id, "p%d", step);
        if (random_below(&state, 3) == 0 && ids_n) {
            size_t at = random_below(&state, (uint32_t)ids_n);

            CU_ASSERT(finish(f, whose[at], ids[at]) == ERR_OK);
            ids[at] = ids[--ids_n];
            whose[at] = whose[ids_n];
        } else if (random_below(&state, 4) == 0) {
            ids[ids_n] = fix_insert(f, name, push_id, 1, 100, false);
            whose[ids_n++] = name;
        } else if (put(f, name, push_id, n, 12, &queued)) {
            CU_ASSERT(before + n > 12 && queued == before);
        } else {
            CU_ASSERT(before + n <= 12 && queued == before + n);
        }
        if (random_below(&state, 40) == 0) {
            store_close(&f->s);
            CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
        }
    }
}

static void test_full(void)
{
    in_both(full_body);
}

static void test_emptied(void)
{
    in_both(emptied_body);
}

static void test_replayed(void)
{
    in_both(replayed_body);
}

static void test_replaced(void)
{
    in_both(replaced_body);
}

static void test_group(void)
{
    in_both(group_body);
}

static void test_restart(void)
{
    in_both(restart_body);
}

static void test_twin(void)
{
    in_both(twin_body);
}

const struct test_case test_cases[] = {
    {"full", test_full},         {"emptied", test_emptied},
    {"replayed", test_replayed}, {"replaced", test_replaced},
    {"group", test_group},       {"restart", test_restart},
    {"twin", test_twin},         {NULL, NULL},
};
