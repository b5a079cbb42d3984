/* What is told of a push and of the queue, copies of pushes, and how pushes are forgotten; by the contract of store.h.
 * Every case runs without the store's thread and with it. */
#include <string.h>
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

static void in_both(void (*body)(struct fix *f))
{
    fix_in_both(test_scratch(), body);
}

static uint64_t waiting(struct fix *f)
{
    struct store_count o = {.waiting = 0};

    CU_ASSERT(fix_run(f, &o.op, STORE_COUNT) == ERR_OK);
    return o.waiting;
}

/* The push as `show` has it; the caller drops it. */
static struct store_show shown(struct fix *f, const char *push_id, bool brief)
{
    struct store_show o = {.push_id = slice_str(push_id), .brief = brief};

    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_SHOW) == ERR_OK);
    return o;
}

/* ---- of whom ---- */

/* Says yes to the initiator it is given. */
static bool may_one(void *arg, struct slice initiator)
{
    return slice_eq(initiator, slice_str(arg));
}

/* The newest that may be seen; an initiator that is named is not asked about. */
static void of_those_it_may_body(struct fix *f)
{
    static const struct {
        const char *initiator, *may, *found; /* NULL: nothing */
    } rows[] = {{"", "mms", "mms"},
                {"", "bank", "bank"},
                {"", "news", NULL},
                {"", NULL, "bank"},
                {"mms", "bank", "mms"}};

    (void)fix_insert(f, "mms", "same", 1, 5, false);
    (void)fix_insert(f, "bank", "same", 1, 5, false);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_show o = {.initiator = slice_str(rows[i].initiator),
                               .push_id = SLICE("same"),
                               .brief = true,
                               .may = rows[i].may ? may_one : NULL,
                               .may_arg = (char *)(uintptr_t)rows[i].may};

        test_row(i);
        CU_ASSERT(fix_run(f, &o.op, STORE_SHOW) == (rows[i].found ? ERR_OK : ERR_ABSENT));
        CU_ASSERT((o.push != NULL) == (rows[i].found != NULL));
        if (o.push) {
            TEST_SLICE_EQ(o.push->initiator, slice_str(rows[i].found));
            ppg_push_drop(o.push);
        }
    }
}

/* ---- of late ---- */

/* Names and sizes of what it answered, "c3 b2 "; drops the pushes. */
static void drop_recent(struct store_recent *o, struct buf *names)
{
    for (size_t i = 0; i < o->shows_n; i++) {
        buf_addf(names, "%.*s%zu ", SLICE_FMT(o->shows[i].push->push_id), o->shows[i].targets_n);
        CU_ASSERT(o->shows[i].targets[0].key.n > 0);
        ppg_push_drop(o->shows[i].push);
    }
}

static void recent_body(struct fix *f)
{
    static const struct {
        int64_t since_ms;
        const char *want;
    } rows[] = {{0, "c3 b2 a1 "}, {1001, "c3 b2 "}, {1002, "c3 "}, {1003, ""}};
    static const char *const names[] = {"a", "b", "c"};
    struct store_show shows[10];

    for (size_t i = 0; i < COUNT(names); i++) {
        struct store_insert o = {.push = fix_push("mms", names[i], i + 1, 5)};

        o.push->accepted_ms = 1000 + (int64_t)i;
        CU_ASSERT(fix_run(f, &o.op, STORE_INSERT) == ERR_OK);
        ppg_push_drop(o.push);
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_recent o = {.since_ms = rows[i].since_ms, .max = 10, .targets_max = 100, .shows = shows};
        struct buf got;

        test_row(i);
        buf_init(&got, 100);
        CU_ASSERT(fix_run(f, &o.op, STORE_RECENT) == ERR_OK && o.next_id == 0);
        drop_recent(&o, &got);
        TEST_SLICE_EQ(buf_slice(&got), slice_str(rows[i].want));
        buf_clear(&got);
    }
}

/* Pieces by pushes and by targets give the same whole, and a push that is too big for a piece is one by itself. */
static void recent_in_pieces_body(struct fix *f)
{
    static const struct {
        size_t max, targets_max, pieces;
    } rows[] = {{1, 100, 6}, {2, 100, 3}, {5, 100, 2}, {6, 100, 1}, {10, 1, 5}, {10, 8, 3}};
    static const size_t sizes[] = {1, 2, 9, 1, 3};
    struct store_show shows[10];

    for (size_t i = 0; i < COUNT(sizes); i++) {
        char name[2] = {(char)('a' + i), 0};

        (void)fix_insert(f, "mms", name, sizes[i], 5, false);
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_recent o = {.max = rows[i].max, .targets_max = rows[i].targets_max, .shows = shows};
        size_t pieces = 0;
        struct buf got;

        test_row(i);
        buf_init(&got, 100);
        do {
            o.before_id = o.next_id;
            CU_ASSERT(fix_run(f, &o.op, STORE_RECENT) == ERR_OK && o.shows_n <= rows[i].max);
            drop_recent(&o, &got);
        } while (++pieces < 10 && o.next_id);
        TEST_SLICE_EQ(buf_slice(&got), SLICE("e3 d1 c9 b2 a1 "));
        CU_ASSERT(pieces == rows[i].pieces);
        buf_clear(&got);
    }
}

/* ---- attempts ---- */

static void attempt(struct fix *f, int64_t id, uint16_t no, int64_t began_ms, const char *note)
{
    struct store_move o = {.target_id = id, .due_ms = began_ms + 100, .tries = no};

    o.record = (struct store_record){.note = slice_str(note), .began_ms = began_ms, .wire_n = no * 1000u};
    if (no == 1)
        o.record.bearer = SLICE("http");
    CU_ASSERT(fix_run(f, &o.op, STORE_MOVE) == ERR_OK);
}

static void history_body(struct fix *f)
{
    int64_t id = fix_insert(f, "mms", "p", 2, 5, true);
    struct store_finish fin = {.target_id = id, .stage = ST_DELIVERED, .tries = 3, .event_ms = 900};
    struct store_move noted = {.target_id = id, .due_ms = 1, .tries = 3, .keep = true};
    struct store_show o;
    const struct store_show_attempt *a;

    attempt(f, id, 1, 100, "busy");
    attempt(f, id, 2, 300, "gone");
    CU_ASSERT(fix_run(f, &noted.op, STORE_MOVE) == ERR_OK); /* no attempt of its own */
    o = shown(f, "p", false);
    CU_ASSERT(o.targets[0].attempts_n == 2 && o.targets[0].began_ms == 300 && o.targets[0].wire_n == 2000);
    CU_ASSERT(o.targets[1].attempts_n == 0 && o.targets[1].began_ms == 0);
    ppg_push_drop(o.push);
    fin.record = (struct store_record){
        .protection = SLICE("full"), .note = SLICE("200"), .began_ms = 850, .wire_n = (uint64_t)1 << 40};
    CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_OK);
    o = shown(f, "p", false);
    a = o.targets[0].attempts;
    CU_ASSERT_FATAL(o.targets[0].attempts_n == 3);
    CU_ASSERT(a[0].no == 1 && a[0].began_ms == 100 && a[0].wire_n == 1000 && a[0].ended_ms > 100);
    CU_ASSERT(a[1].no == 2 && a[1].began_ms == 300 && a[1].wire_n == 2000);
    CU_ASSERT(a[2].no == 3 && a[2].began_ms == 850 && a[2].ended_ms == 900 &&
              a[2].wire_n == (uint64_t)1 << 40);
    TEST_SLICE_EQ(a[0].note, SLICE("busy"));
    TEST_SLICE_EQ(a[1].note, SLICE("gone"));
    TEST_SLICE_EQ(a[1].bearer, SLICE("http")); /* what a record leaves out is what it was */
    TEST_SLICE_EQ(a[1].protection, SLICE(""));
    TEST_SLICE_EQ(a[2].protection, SLICE("full"));
    TEST_SLICE_EQ(a[2].bearer, SLICE("http"));
    CU_ASSERT(o.targets[0].wire_n == (uint64_t)1 << 40 && o.targets[0].began_ms == 850);
    ppg_push_drop(o.push);
}

/* It expired while it waited: its last attempt is in the history and not there twice. */
static void ended_without_attempt_body(struct fix *f)
{
    int64_t id = fix_insert(f, "mms", "p", 1, 5, true);
    struct store_finish fin = {.target_id = id, .stage = ST_EXPIRED, .tries = 1, .event_ms = 900};
    struct store_show o;

    attempt(f, id, 1, 100, "busy");
    CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_OK);
    o = shown(f, "p", false);
    CU_ASSERT(o.targets[0].attempts_n == 1 && o.targets[0].began_ms == 100 && o.targets[0].wire_n == 1000);
    ppg_push_drop(o.push);
}

static void last_64_attempts_body(struct fix *f)
{
    int64_t id = fix_insert(f, "mms", "p", 1, 5, true);
    struct store_finish fin = {.target_id = id, .stage = ST_TIMEOUT, .tries = 101, .event_ms = 90000};
    struct store_show o;

    for (uint16_t no = 1; no <= 100; no++)
        attempt(f, id, no, no * 10, "busy");
    o = shown(f, "p", false);
    CU_ASSERT(o.targets[0].attempts_n == 64 && o.targets[0].attempts[0].no == 37);
    CU_ASSERT(o.targets[0].attempts[63].no == 100);
    ppg_push_drop(o.push);
    fin.record.began_ms = 5000;
    CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_OK);
    o = shown(f, "p", false);
    CU_ASSERT(o.targets[0].attempts_n == 64);
    for (size_t i = 0; i < 64; i++)
        CU_ASSERT(o.targets[0].attempts[i].no == 38 + i);
    ppg_push_drop(o.push);
}

/* ---- what explains a push ---- */

static void explains_body(struct fix *f)
{
    struct store_insert in = {.push = fix_push("mms", "p", 3, 5)};
    struct store_claim claim = {.now_ms = 5, .max = 1, .max_n = SIZE_MAX};
    struct store_show o;

    in.push->how = SLICE("certificate URI:https://mmsc.example.net");
    in.push->targets[0].rule = SLICE("whitelist.conf:12 allow");
    in.push->targets[1].members_n = 1;
    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    o = shown(f, "p", false);
    TEST_SLICE_EQ(o.push->how, in.push->how);
    TEST_SLICE_EQ(o.targets[0].rule, SLICE("whitelist.conf:12 allow"));
    TEST_SLICE_EQ(o.targets[0].key, SLICE("tel:1"));
    CU_ASSERT(o.targets[1].members_n == 1 && o.targets[2].group_id == o.targets[1].id);
    CU_ASSERT(o.targets[0].members_n == 0 && o.targets[0].group_id == 0 && o.targets[1].group_id == 0);
    ppg_push_drop(o.push);
    CU_ASSERT_FATAL(fix_run(f, &claim.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT_FATAL(fix_length(&claim.targets) == 1);
    TEST_SLICE_EQ(container_of(claim.targets.next, struct ppg_target, link)->push->how, in.push->how);
    TEST_SLICE_EQ(container_of(claim.targets.next, struct ppg_target, link)->push->body, SLICE("hello"));
    TEST_SLICE_EQ(container_of(claim.targets.next, struct ppg_target, link)->rule, in.push->targets[0].rule);
    fix_drop_claim(&claim);
    ppg_push_drop(in.push);
}

/* Brief: what a status query needs, and no more. */
static void brief_body(struct fix *f)
{
    struct store_insert in = {.push = fix_push("mms", "p", 1, 5)};
    struct store_show o;

    in.push->how = SLICE("how");
    in.push->targets[0].rule = SLICE("rule");
    in.push->targets[0].leased = true;
    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    attempt(f, in.push->targets[0].id, 1, 100, "busy");
    o = shown(f, "p", true);
    TEST_SLICE_EQ(o.targets[0].address, SLICE("tel:1"));
    TEST_SLICE_EQ(o.targets[0].key, SLICE("tel:1"));
    CU_ASSERT(o.targets[0].tries == 1 && o.targets[0].due_ms == 200 && o.targets[0].began_ms == 100);
    CU_ASSERT(o.targets[0].attempts_n == 0 && o.targets[0].rule.n == 0 && o.targets[0].note.n == 0);
    CU_ASSERT(o.targets[0].bearer.n == 0 && o.push->how.n == 0 && o.body_n == 5);
    ppg_push_drop(o.push);
    ppg_push_drop(in.push);
}

static void notices_are_shown_body(struct fix *f)
{
    int64_t id = fix_insert(f, "mms", "p", 3, 5, true);
    struct store_notice_move move = {.notice_id = id, .due_ms = 7777, .tries = 3};
    struct store_notice_done done = {.notice_id = id + 1, .told = true, .code = 1000};
    struct store_show o;

    for (int64_t i = 0; i < 2; i++)
        CU_ASSERT(fix_finish(f, id + i, ST_DELIVERED, true) == ERR_OK);
    CU_ASSERT(fix_run(f, &move.op, STORE_NOTICE_MOVE) == ERR_OK);
    CU_ASSERT(fix_run(f, &done.op, STORE_NOTICE_DONE) == ERR_OK);
    for (int brief = 0; brief < 2; brief++) {
        o = shown(f, "p", brief);
        CU_ASSERT(o.targets[0].notified == 1 && o.targets[0].notice_tries == 3);
        CU_ASSERT(o.targets[0].notice_due_ms == 7777 && o.targets[0].told_code == 0);
        CU_ASSERT(o.targets[1].notified == 2 && o.targets[1].told_code == 1000 &&
                  o.targets[1].notice_tries == 0);
        CU_ASSERT(o.targets[1].notice_due_ms == 0 && o.targets[2].notified == 0);
        ppg_push_drop(o.push);
    }
}

/* ---- the queue ---- */

static void queue_fill(struct fix *f)
{
    struct store_move back = {.tries = 2, .due_ms = 50, .record = {.note = SLICE("busy")}};
    int64_t id = fix_insert(f, "bank", "b", 3, 100, true);

    CU_ASSERT(fix_insert(f, "mms", "m", 5, 30, false) > 0);
    CU_ASSERT(fix_insert(f, "news", "n", 2, 20, true) > 0);
    back.target_id = id;
    CU_ASSERT(fix_run(f, &back.op, STORE_MOVE) == ERR_OK);
    CU_ASSERT(fix_finish(f, id + 1, ST_DELIVERED, true) == ERR_OK);
    id = fix_insert(f, "done", "d", 2, 10, true); /* nothing but a notice */
    CU_ASSERT(fix_finish(f, id, ST_DELIVERED, false) == ERR_OK);
    CU_ASSERT(fix_finish(f, id + 1, ST_DELIVERED, true) == ERR_OK);
}

static void queue_body(struct fix *f)
{
    static const struct {
        const char *initiator;
        uint64_t waiting, leased, notices;
        int64_t next_due_ms;
    } rows[] = {{"mms", 5, 0, 0, 30}, {"bank", 1, 1, 1, 50}, {"done", 0, 0, 1, 0}, {"news", 0, 2, 0, 0}};
    struct store_queue o = {.max = 10, .heads_max = 4};

    CU_ASSERT(fix_run(f, &o.op, STORE_QUEUE) == ERR_OK && o.shares_n == 0 && o.heads_n == 0);
    arena_clear(&o.mem);
    queue_fill(f);
    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_QUEUE) == ERR_OK);
    CU_ASSERT_FATAL(o.shares_n == COUNT(rows) && o.heads_n == 4);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        TEST_SLICE_EQ(o.shares[i].initiator, slice_str(rows[i].initiator));
        CU_ASSERT(o.shares[i].waiting == rows[i].waiting && o.shares[i].leased == rows[i].leased);
        CU_ASSERT(o.shares[i].notices == rows[i].notices && o.shares[i].next_due_ms == rows[i].next_due_ms);
    }
    TEST_SLICE_EQ(o.heads[0].initiator, SLICE("news"));
    CU_ASSERT(o.heads[0].due_ms == 20 && o.heads[1].due_ms == 20 && o.heads[0].leased);
    TEST_SLICE_EQ(o.heads[2].push_id, SLICE("m"));
    TEST_SLICE_EQ(o.heads[3].address, SLICE("tel:2"));
    CU_ASSERT(!o.heads[2].leased && o.heads[2].due_ms == 30);
    arena_clear(&o.mem);
}

static void queue_of_one_body(struct fix *f)
{
    struct store_queue o = {.max = 10, .heads_max = 10, .initiator = SLICE("bank")};

    queue_fill(f);
    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_QUEUE) == ERR_OK);
    CU_ASSERT_FATAL(o.shares_n == 1 && o.heads_n == 2);
    CU_ASSERT(o.heads[0].tries == 2 && o.heads[0].due_ms == 50 && o.heads[1].due_ms == 100);
    TEST_SLICE_EQ(o.heads[0].note, SLICE("busy"));
    arena_clear(&o.mem);
    o.initiator = SLICE("nobody");
    CU_ASSERT(fix_run(f, &o.op, STORE_QUEUE) == ERR_OK && o.shares_n == 0 && o.heads_n == 0);
    arena_clear(&o.mem);
}

static void queue_ceilings_body(struct fix *f)
{
    static const size_t max[][2] = {{0, 0}, {1, 0}, {0, 1}, {2, 3}, {100, 100}};

    queue_fill(f);
    store_close(&f->s); /* leases of an older run wait */
    CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
    for (size_t i = 0; i < COUNT(max); i++) {
        struct store_queue o = {.max = max[i][0], .heads_max = max[i][1]};

        test_row(i);
        CU_ASSERT(fix_run(f, &o.op, STORE_QUEUE) == ERR_OK);
        CU_ASSERT(o.shares_n == (max[i][0] < 4 ? max[i][0] : 4));
        CU_ASSERT(o.heads_n == (max[i][1] < 9 ? max[i][1] : 9));
        if (o.shares_n > 1)
            CU_ASSERT(o.shares[0].waiting == 5 && o.shares[1].waiting == 2 && o.shares[1].leased == 0);
        for (size_t k = 1; k < o.heads_n; k++)
            CU_ASSERT(o.heads[k - 1].due_ms <= o.heads[k].due_ms);
        arena_clear(&o.mem);
    }
}

/* ---- what waits for one terminal ---- */

static struct store_waiting waiting_for(struct fix *f, const char *key, uint64_t look_max)
{
    struct store_waiting o = {.key = slice_str(key), .look_max = look_max};

    CU_ASSERT(fix_run(f, &o.op, STORE_WAITING) == ERR_OK);
    return o;
}

static void waiting_for_one_body(struct fix *f)
{
    static const struct {
        const char *key;
        uint64_t look_max, want; /* no more than that when there are more */
        bool more;
    } rows[] = {{"tel:1", 1000, 4, false}, {"tel:2", 1000, 2, false}, {"tel:5", 1000, 1, false},
                {"tel:9", 1000, 0, false}, {"", 1000, 0, false},      {"tel:1", 1, 4, true},
                {"tel:5", 2, 1, true},     {"tel:1", 0, 0, true}};
    struct store_move put_off = {.due_ms = 50, .by_call = true};

    CU_ASSERT(waiting_for(f, "tel:1", 10).waiting == 0);
    CU_ASSERT(fix_insert(f, "mms", "m", 5, 30, false) > 0);
    CU_ASSERT(fix_insert(f, "mms", "n", 2, 30, false) > 0);
    CU_ASSERT(fix_insert(f, "bank", "b", 2, 30, true) > 0); /* in memory: not counted here */
    put_off.target_id = fix_insert(f, "news", "w", 1, 20, true);
    CU_ASSERT(fix_run(f, &put_off.op, STORE_MOVE) == ERR_OK);
    put_off.target_id = fix_insert(f, "news", "v", 1, 20, true);
    put_off.by_call = false;
    CU_ASSERT(fix_run(f, &put_off.op, STORE_MOVE) == ERR_OK);
    CU_ASSERT(fix_finish(f, fix_insert(f, "news", "d", 2, 10, true), ST_DELIVERED, false) == ERR_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_waiting o = waiting_for(f, rows[i].key, rows[i].look_max);

        test_row(i);
        CU_ASSERT(o.more == rows[i].more);
        CU_ASSERT(o.more ? o.waiting <= rows[i].want : o.waiting == rows[i].want);
    }
    store_close(&f->s); /* leases of an older run wait */
    CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
    CU_ASSERT(waiting_for(f, "tel:1", 1000).waiting == 5 && waiting_for(f, "tel:2", 1000).waiting == 4);
}

/* ---- replay ---- */

/* One target of each stage, and a group of two: the first failed, the second was delivered. */
static void replay_fill(struct fix *f)
{
    static const enum ppg_stage stages[] = {ST_DELIVERED, ST_UNDELIVERABLE, ST_EXPIRED, ST_ABORTED,
                                            ST_TIMEOUT,   ST_CANCELLED,     ST_WAITING, ST_WAITING,
                                            ST_ABORTED,   ST_DELIVERED};
    struct store_insert in = {.push = fix_push("mms", "p", COUNT(stages), 5)};

    in.push->targets[7].members_n = 2;
    in.push->targets[3].demanded = 2;
    in.push->targets[3].rule = SLICE("rule 3");
    in.push->app_id = SLICE("mms.ua");
    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    for (size_t i = 0; i < COUNT(stages); i++) {
        struct store_finish fin = {.target_id = in.push->targets[i].id,
                                   .group_id = in.push->targets[i].group_id,
                                   .stage = stages[i],
                                   .tries = 7};

        if (stages[i] != ST_WAITING)
            CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_OK);
    }
    ppg_push_drop(in.push);
}

static struct store_replay replay_of(const char *push_id, const char *copy)
{
    return (struct store_replay){.initiator = SLICE("mms"),
                                 .push_id = slice_str(push_id),
                                 .new_push_id = slice_str(copy),
                                 .now_ms = 800,
                                 .expires_ms = 9000,
                                 .how = SLICE("replayed by an operator")};
}

static void replay_body(struct fix *f)
{
    static const char *const want[] = {"tel:2", "tel:3", "tel:4", "tel:5", "tel:9"};
    struct store_replay o = replay_of("p", "p2");
    struct store_claim claim = {.now_ms = 800, .max = 100, .max_n = SIZE_MAX};
    struct store_show s;

    replay_fill(f);
    CU_ASSERT(fix_run(f, &o.op, STORE_REPLAY) == ERR_OK && o.targets_n == 5);
    s = shown(f, "p2", false);
    CU_ASSERT_FATAL(s.targets_n == 5);
    for (size_t i = 0; i < 5; i++) {
        TEST_SLICE_EQ(s.targets[i].address, slice_str(want[i]));
        CU_ASSERT(s.targets[i].stage == ST_WAITING && s.targets[i].tries == 0 && s.targets[i].due_ms == 800);
        CU_ASSERT(s.targets[i].group_id == 0 && s.targets[i].members_n == 0 && !s.targets[i].leased);
    }
    CU_ASSERT(s.targets[2].demanded == 2);
    TEST_SLICE_EQ(s.targets[2].rule, SLICE("rule 3"));
    TEST_SLICE_EQ(s.push->how, SLICE("replayed by an operator"));
    TEST_SLICE_EQ(s.push->notify_url, SLICE(""));
    TEST_SLICE_EQ(s.push->app_id, SLICE("mms.ua"));
    CU_ASSERT(s.push->accepted_ms == 800 && s.push->expires_ms == 9000 && s.push->not_before_ms == 0);
    ppg_push_drop(s.push);
    CU_ASSERT(waiting(f) == 6);
    CU_ASSERT(fix_run(f, &claim.op, STORE_CLAIM) == ERR_OK && fix_length(&claim.targets) == 6);
    TEST_SLICE_EQ(container_of(claim.targets.prev, struct ppg_target, link)->push->body, SLICE("hello"));
    fix_drop_claim(&claim);
    s = shown(f, "p", false); /* stays as it is */
    CU_ASSERT(s.targets[1].stage == ST_UNDELIVERABLE && s.targets[1].tries == 7);
    ppg_push_drop(s.push);
    CU_ASSERT(fix_insert(f, "mms", "next", 1, 5, false) > 0);
}

static void replay_of_some_body(struct fix *f)
{
    static const struct slice keys[] = {
        {"tel:3", 5}, {"tel:1", 5}, {"tel:8", 5}, {"tel:99", 6}, {"tel:3", 5}};
    struct store_replay o = replay_of("p", "p2");
    struct store_show s;

    replay_fill(f);
    o.keys = keys;
    o.keys_n = COUNT(keys);
    CU_ASSERT(fix_run(f, &o.op, STORE_REPLAY) == ERR_OK && o.targets_n == 2);
    s = shown(f, "p2", true);
    TEST_SLICE_EQ(s.targets[0].address, SLICE("tel:3"));
    TEST_SLICE_EQ(s.targets[1].address, SLICE("tel:9")); /* by its group's key */
    ppg_push_drop(s.push);
}

static void replay_refused_body(struct fix *f)
{
    static const struct slice delivered = {"tel:1", 5};
    static const struct {
        const char *push_id, *copy;
        const struct slice *key;
        enum err want;
    } rows[] = {
        {"nothing", "c", NULL, ERR_ABSENT}, {"fresh", "c", NULL, ERR_LATE},
        {"p", "c", &delivered, ERR_LATE},   {"p", "p", NULL, ERR_EXISTS},
        {"p", "fresh", NULL, ERR_EXISTS},   {"P", "c", NULL, ERR_ABSENT},
        {"p", "c", NULL, ERR_OK},
    };
    int64_t id;

    replay_fill(f);
    id = fix_insert(f, "mms", "fresh", 1, 5, false);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_replay o = replay_of(rows[i].push_id, rows[i].copy);

        test_row(i);
        o.keys = rows[i].key;
        o.keys_n = rows[i].key != NULL;
        CU_ASSERT(fix_run(f, &o.op, STORE_REPLAY) == rows[i].want);
        CU_ASSERT(waiting(f) == (rows[i].want ? 2 : 7));
    }
    CU_ASSERT(fix_insert(f, "mms", "last", 1, 5, false) == id + 6); /* refusals took no ids */
}

/* ---- forgetting ---- */

#define BIG 10000

/* A push with more targets than one purge deletes goes in several. */
static void big_push_is_purged_in_pieces_body(struct fix *f)
{
    int64_t id = fix_insert(f, "mms", "big", BIG, 5, true);
    struct store_finish *fin = calloc(BIG, sizeof *fin);
    struct store_purge purge = {.before_ms = 100000, .max = 10};
    struct list ops;
    int rounds = 0;

    MUST(fin != NULL);
    attempt(f, id + 3, 1, 10, "busy");
    attempt(f, id + BIG - 1, 1, 10, "busy");
    CU_ASSERT(fix_insert(f, "mms", "newest", 1, 5, false) > 0);
    list_init(&ops);
    for (int64_t i = 0; i < BIG; i++) {
        fin[i] = (struct store_finish){.target_id = id + i, .stage = ST_DELIVERED, .event_ms = 6};
        fin[i].op.kind = STORE_FINISH;
        list_push_back(&ops, &fin[i].op.link);
    }
    store_submit(f->s, &ops);
    fix_wait(f, BIG);
    do {
        CU_ASSERT(fix_run(f, &purge.op, STORE_PURGE) == ERR_OK);
        CU_ASSERT(purge.gone == 1 ||
                  fix_insert(f, "mms", "big", 1, 5, false) == 0); /* the name stays taken */
    } while (++rounds < 20 && !purge.gone);
    CU_ASSERT(rounds == 3);
    CU_ASSERT(fix_insert(f, "mms", "big", 1, 5, false) > 0);
    free(fin);
}

/* A steady load: half of it tried twice, some in groups, contents of many sizes.  After a few rounds the file is as big
 * as it gets. */
static void round_of_load(struct fix *f, int round, const char *body)
{
    for (int i = 0; i < 60; i++) {
        struct store_insert in;
        char name[32];

        (void)snprintf(name, sizeof name, "%d-%d", round, i);
        in = (struct store_insert){.push = fix_push(i % 3 ? "mms" : "bank", name, 4, 5)};
        in.push->body = slice_of(body, (size_t)((i * 7919 + round * 104729) % 20000));
        in.push->targets[1].members_n = i % 2 ? 2 : 0;
        CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
        for (size_t k = 0; k < 4; k++) {
            struct store_finish fin = {.target_id = in.push->targets[k].id,
                                       .group_id = in.push->targets[k].group_id,
                                       .stage = ST_DELIVERED,
                                       .tries = 2,
                                       .event_ms = 50,
                                       .record = {.note = SLICE("200 OK"), .began_ms = 40}};

            if (in.push->targets[k].members_n)
                continue;
            attempt(f, fin.target_id, 1, 10, "connection refused");
            CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_OK);
        }
        ppg_push_drop(in.push);
    }
}

static void file_levels_off_body(struct fix *f)
{
    struct store_purge purge = {.before_ms = 100000, .max = 1000};
    struct store_count count = {.waiting = 0};
    char *body = calloc(1, 20000);
    uint64_t settled = 0;

    MUST(body != NULL);
    for (int round = 0; round < 16; round++) {
        round_of_load(f, round, body);
        CU_ASSERT(fix_run(f, &purge.op, STORE_PURGE) == ERR_OK && purge.gone >= 59);
        CU_ASSERT(fix_run(f, &count.op, STORE_COUNT) == ERR_OK);
        if (round == 3)
            settled = count.file_n;
    }
    CU_ASSERT(count.waiting == 0 && settled > 0 && count.file_n <= settled + settled / 8);
    free(body);
}

#define BOTH(name)                                                                                           \
    static void name(void)                                                                                   \
    {                                                                                                        \
        in_both(name##_body);                                                                                \
    }
BOTH(history)
BOTH(of_those_it_may)
BOTH(recent)
BOTH(recent_in_pieces)
BOTH(ended_without_attempt)
BOTH(last_64_attempts)
BOTH(explains)
BOTH(brief)
BOTH(notices_are_shown)
BOTH(queue)
BOTH(queue_of_one)
BOTH(queue_ceilings)
BOTH(waiting_for_one)
BOTH(replay)
BOTH(replay_of_some)
BOTH(replay_refused)
BOTH(big_push_is_purged_in_pieces)
BOTH(file_levels_off)

const struct test_case test_cases[] = {
    {"history", history},
    {"of_those_it_may", of_those_it_may},
    {"recent", recent},
    {"recent_in_pieces", recent_in_pieces},
    {"ended_without_attempt", ended_without_attempt},
    {"last_64_attempts", last_64_attempts},
    {"explains", explains},
    {"brief", brief},
    {"notices_are_shown", notices_are_shown},
    {"queue", queue},
    {"queue_of_one", queue_of_one},
    {"queue_ceilings", queue_ceilings},
    {"waiting_for_one", waiting_for_one},
    {"replay", replay},
    {"replay_of_some", replay_of_some},
    {"replay_refused", replay_refused},
    {"big_push_is_purged_in_pieces", big_push_is_purged_in_pieces},
    {"file_levels_off", file_levels_off},
    {NULL, NULL},
};
