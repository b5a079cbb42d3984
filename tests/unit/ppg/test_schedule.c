/* Turns, deadlines and claims where the store fails or the numbers are at their edges.  The ordinary ways are
 * scenarios of tests/replay. */
#include "ppg/schedule.h"

#include <stdio.h>
#include "tests/unit/ppg/core_fix.h"

static const struct replay_submit plain = {.notify = true};

/* A write that fails leaves nothing in memory and nothing told; the lease holds, so the next run takes it up. */
static void test_write_fails(void)
{
    static const struct {
        enum store_kind kind;
        const char *answers;
        const char *after; /* the answer after the restart */
    } rows[] = {
        {STORE_FINISH, "ok", "ok"},
        {STORE_FINISH, "refused", "ok"},
        {STORE_MOVE, "retry", "ok"},
        {STORE_MOVE, "busy", "ok"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = fix_world("write_fails", 1, rows[i].answers);
        struct replay_state st = {.leased = false};

        test_row(i);
        fix_start(w);
        w->cut.fails[rows[i].kind] = true;
        (void)fix_submit(w, "a", "+1000", plain);
        replay_run(w, 60000, 1000);
        CU_ASSERT(fix_sent(w, "a") == 1 && w->net->notices_n == 0 && replay_busy(w));
        CU_ASSERT(replay_show(w, SLICE("a"), SLICE("+1000"), &st) == ERR_OK);
        CU_ASSERT(st.stage == ST_WAITING && st.tries == 0 && st.leased);
        MUST(word_answers(slice_str(rows[i].after), word_terminal_answer, &w->net->terminals[0].answers));
        CU_ASSERT_FATAL(replay_crash(w, 0));
        replay_run(w, 1000, REPLAY_TICK_MS);
        CU_ASSERT(fix_is(w, "a", "+1000", ST_DELIVERED, 1000) && w->net->notices_n == 1);
        fix_end(w);
    }
}

/* One write of a batch fails: the others of the lane go on. */
static void test_lane_goes_on(void)
{
    struct replay_world *w = fix_world("lane_goes_on", 1, "retry,ok");

    replay_set(w, "delivery", "retry-first", "1s");
    fix_start(w);
    w->cut.fails[STORE_MOVE] = true;
    (void)fix_submit(w, "a", "+1000", plain);
    replay_turn(w);
    w->cut.fails[STORE_MOVE] = false;
    (void)fix_submit(w, "b", "+1000", plain);
    replay_run(w, 3000, REPLAY_TICK_MS);
    CU_ASSERT(fix_is(w, "b", "+1000", ST_DELIVERED, 1000));
    fix_end(w);
}

/* A terminal that could not be reached is let alone until its retry; a clock that is set back by hours does not make
 * that wait longer for what arrives then. */
static void test_clock_set_back(void)
{
    struct replay_world *w = fix_world("clock_set_back", 1, "retry,ok");

    replay_set(w, "delivery", "retry-first", "10s");
    fix_start(w);
    (void)fix_submit(w, "a", "+1000", plain);
    replay_run(w, 200, REPLAY_TICK_MS);
    w->clk.utc -= 2 * 3600000;
    (void)fix_submit(w, "b", "+1000", plain);
    replay_run(w, 1000, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 1 && fix_is(w, "b", "+1000", ST_DELIVERED, 1000));
    fix_end(w);
}

/* A claim that fails is asked again, not at once and not never. */
static void test_claim_fails(void)
{
    struct replay_world *w = fix_world("claim_fails", 1, "ok");

    fix_start(w);
    (void)fix_submit(w, "a", "+1000", (struct replay_submit){.after_ms = 1000});
    replay_turn(w);
    w->cut.fails[STORE_CLAIM] = true;
    replay_run(w, 30000, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 0);
    w->cut.fails[STORE_CLAIM] = false;
    replay_run(w, 1100, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 1);
    fix_end(w);
}

/* The wait before attempt n + 1 lies between three quarters and the whole of first * 2^(n-1), at most max. */
static void test_backoff_edges(void)
{
    static const struct {
        const char *first;
        const char *max;
        int64_t want[4];
    } rows[] = {
        {"1s", "1h", {1000, 2000, 4000, 8000}},
        {"4s", "5s", {4000, 5000, 5000, 5000}},
        {"10s", "10s", {10000, 10000, 10000, 10000}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = fix_world("backoff_edges", 1, "retry");

        test_row(i);
        replay_set(w, "delivery", "retry-first", rows[i].first);
        replay_set(w, "delivery", "retry-max", rows[i].max);
        fix_start(w);
        (void)fix_submit(w, "a", "+1000", plain);
        for (size_t n = 0; n < 4; n++) {
            struct replay_state st = {.due_ms = 0};
            int64_t now;

            replay_turn(w);
            now = clk_utc_ms(&w->clk.clk);
            CU_ASSERT(replay_show(w, SLICE("a"), SLICE("+1000"), &st) == ERR_OK && st.tries == n + 1);
            CU_ASSERT(st.due_ms - now >= rows[i].want[n] * 3 / 4 && st.due_ms - now <= rows[i].want[n]);
            clk_virtual_advance(&w->clk, st.due_ms - now);
            replay_run(w, 0, REPLAY_TICK_MS);
        }
        fix_end(w);
    }
}

/* The deadline itself is too late, a millisecond before is not. */
static void test_deadline_edge(void)
{
    static const struct {
        int64_t early_ms;
        enum ppg_stage want;
        unsigned code;
    } rows[] = {{1, ST_DELIVERED, 1000}, {0, ST_EXPIRED, 4000}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = fix_world("deadline_edge", 1, "ok");

        test_row(i);
        fix_start(w);
        (void)fix_submit(w, "a", "+1000", (struct replay_submit){.after_ms = 5000, .before_ms = 10000});
        replay_turn(w);
        clk_virtual_advance(&w->clk, 10000 - rows[i].early_ms);
        replay_run(w, 0, REPLAY_TICK_MS);
        CU_ASSERT(fix_is(w, "a", "+1000", rows[i].want, rows[i].code));
        fix_end(w);
    }
}

/* Draining: what a claim brings late goes straight back. */
static void test_claimed_while_draining(void)
{
    struct replay_world *w = fix_world("claimed_while_draining", 1, "ok");
    struct replay_state st = {.leased = true};

    fix_start(w);
    (void)fix_submit(w, "a", "+1000", (struct replay_submit){.after_ms = 1000});
    replay_turn(w);
    clk_virtual_advance(&w->clk, 1000);
    ppg_core_tick(&w->cores[0].core); /* the claim is on its way */
    CU_ASSERT(ppg_core_busy(&w->cores[0].core));
    atomic_store(&w->shared.draining, true);
    replay_run(w, 1000, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 0 && !replay_busy(w) && atomic_load(&w->shared.live) == 0);
    CU_ASSERT(replay_show(w, SLICE("a"), SLICE("+1000"), &st) == ERR_OK && !st.leased && st.tries == 0);
    fix_end(w);
}

/* Ids of a fresh store count from 1 in order of acceptance. */
static enum ppg_recall_what recall(struct replay_world *w, int64_t id, struct ppg_target **out)
{
    struct ppg_recall item = {.id = id, .key = SLICE("+1000"), .what = (enum ppg_recall_what)9};

    ppg_schedule_recall(w->cores[0].core.schedule, &item, 1);
    *out = item.target;
    CU_ASSERT((item.target != NULL) == (item.what == PPG_RECALL_RELEASED));
    return item.what;
}

/* What waits in its lane comes out, what is on the wire or elsewhere does not; a released one that is let go is not
 * tried any more, and its place in memory is free. */
static void test_recall(void)
{
    struct replay_world *w = fix_world("recall", 1, "ok@1s");
    struct ppg_target *t;

    fix_start(w);
    for (unsigned i = 0; i < 3; i++)
        (void)fix_submit(w, (const char *const[]){"a", "b", "c"}[i], "+1000", plain);
    CU_ASSERT(recall(w, 1, &t) == PPG_RECALL_ABSENT); /* not durable yet */
    replay_turn(w);
    CU_ASSERT(recall(w, 1, &t) == PPG_RECALL_BUSY);
    CU_ASSERT(recall(w, 4, &t) == PPG_RECALL_ABSENT);
    CU_ASSERT_FATAL(recall(w, 2, &t) == PPG_RECALL_RELEASED);
    CU_ASSERT(ppg_schedule_live(w->cores[0].core.schedule) == 2 && atomic_load(&w->shared.live) == 3);
    ppg_schedule_release(&w->cores[0].core, t);
    CU_ASSERT(atomic_load(&w->shared.live) == 2);
    CU_ASSERT(recall(w, 2, &t) == PPG_RECALL_ABSENT);
    replay_run(w, 3000, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 1 && fix_sent(w, "b") == 0 && fix_sent(w, "c") == 1);
    CU_ASSERT(recall(w, 1, &t) == PPG_RECALL_ABSENT && recall(w, 3, &t) == PPG_RECALL_ABSENT);
    CU_ASSERT(!replay_busy(w) && atomic_load(&w->shared.live) == 0);
    fix_end(w);
}

/* A recalled target that is queued again stands where it stood. */
static void test_recall_and_back(void)
{
    struct replay_world *w = fix_world("recall_and_back", 1, "ok@1s");
    struct ppg_target *t[2];
    struct list back;
    static const char *const ids[] = {"a", "b", "c", "d"};

    fix_start(w);
    for (size_t i = 0; i < COUNT(ids); i++)
        (void)fix_submit(w, ids[i], "+1000", plain);
    replay_turn(w);
    CU_ASSERT_FATAL(recall(w, 2, &t[0]) == PPG_RECALL_RELEASED);
    CU_ASSERT_FATAL(recall(w, 3, &t[1]) == PPG_RECALL_RELEASED);
    list_init(&back);
    list_push_back(&back, &t[1]->link);
    list_push_back(&back, &t[0]->link);
    ppg_enqueue_spread(&w->cores[0].core, &back);
    CU_ASSERT(ppg_schedule_live(w->cores[0].core.schedule) == 4 && atomic_load(&w->shared.live) == 4);
    replay_run(w, 5000, REPLAY_TICK_MS);
    CU_ASSERT_FATAL(w->net->sends_n == COUNT(ids));
    for (size_t i = 0; i < COUNT(ids); i++)
        CU_ASSERT_STRING_EQUAL(w->net->sends[i].push_id, ids[i]);
    fix_end(w);
}

/* A terminal that must call in calls: what waits in the store is due, also what could not be written when it called. */
static void test_a_call_wakes(void)
{
    for (size_t i = 0; i < 2; i++) {
        struct replay_world *w = fix_world("a_call_wakes", 1, "ok");
        struct ppg_core *owner;

        test_row(i);
        fix_start(w);
        owner = &w->cores[ppg_core_owner(&w->cores[0].core, SLICE("+1000"))].core;
        w->net->terminals[0].away = true;
        w->cut.fails[STORE_MOVE] = i == 1;
        (void)fix_submit(w, "a", "+1000", plain);
        (void)fix_submit(w, "b", "+1000", plain);
        replay_run(w, 2000, REPLAY_TICK_MS);
        CU_ASSERT(w->net->sends_n == 0);
        w->net->terminals[0].away = false;
        ppg_schedule_called(owner->schedule, SLICE("+1000"));
        replay_run(w, 2000, REPLAY_TICK_MS);
        CU_ASSERT(w->net->sends_n == (i ? 0u : 2u));
        w->cut.fails[STORE_MOVE] = false;
        replay_run(w, 10000, REPLAY_TICK_MS);
        CU_ASSERT(fix_is(w, "a", "+1000", ST_DELIVERED, 1000) && fix_is(w, "b", "+1000", ST_DELIVERED, 1000));
        CU_ASSERT_STRING_EQUAL(w->net->sends[0].push_id, "a");
        fix_end(w);
    }
}

const struct test_case test_cases[] = {{"recall", test_recall},
                                       {"recall_and_back", test_recall_and_back},
                                       {"write_fails", test_write_fails},
                                       {"a_call_wakes", test_a_call_wakes},
                                       {"lane_goes_on", test_lane_goes_on},
                                       {"clock_set_back", test_clock_set_back},
                                       {"claim_fails", test_claim_fails},
                                       {"backoff_edges", test_backoff_edges},
                                       {"deadline_edge", test_deadline_edge},
                                       {"claimed_while_draining", test_claimed_while_draining},
                                       {NULL, NULL}};
