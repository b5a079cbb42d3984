/* The door into the store: what is leased, what waits there, what a failure leaves behind.  The ordinary ways are
 * scenarios of tests/replay. */
#include "ppg/enqueue.h"

#include <stdio.h>
#include "ppg/schedule.h"
#include "tests/unit/ppg/core_fix.h"

/* Nothing is told and nothing is sent before the commit. */
static void test_durable_first(void)
{
    struct replay_world *w = fix_world("durable_first", 1, "ok");
    struct replay_submission *s;

    fix_start(w);
    s = fix_submit(w, "a", "+1000", (struct replay_submit){.notify = false});
    CU_ASSERT(!s->answered && fix_sent(w, "a") == 0);
    ppg_core_flush(&w->cores[0].core);
    CU_ASSERT(!s->answered && fix_sent(w, "a") == 0 && ppg_core_busy(&w->cores[0].core));
    CU_ASSERT(store_turn(w->shared.store));
    CU_ASSERT(!s->answered); /* committed, still on its way back */
    ppg_core_done(&w->cores[0].core, &w->cores[0].done);
    CU_ASSERT(s->answered && s->result == ERR_OK && fix_sent(w, "a") == 1);
    fix_end(w);
}

/* A lease is a place in memory: a failed insert gives back every one it took. */
static void test_failure_gives_back(void)
{
    static const enum err wants[] = {ERR_IO, ERR_EXISTS};
    struct replay_world *w = fix_world("failure_gives_back", 1, "ok@10s");

    fix_start(w);
    (void)fix_submit(w, "dup", "+1000", (struct replay_submit){.after_ms = 3600000});
    replay_turn(w);
    for (size_t i = 0; i < COUNT(wants); i++) {
        struct replay_submission *s;

        test_row(i);
        w->cut.fails[STORE_INSERT] = wants[i] == ERR_IO;
        s = fix_submit(w, "dup", "+1000", (struct replay_submit){.notify = true});
        CU_ASSERT(atomic_load(&w->shared.live) == 1);
        replay_turn(w);
        CU_ASSERT(s->answered && s->result == wants[i]);
        CU_ASSERT(atomic_load(&w->shared.live) == 0 && !replay_busy(w) && w->net->sends_n == 0);
    }
    fix_end(w);
}

/* One bad insert does not spoil the others of its batch. */
static void test_one_of_a_batch(void)
{
    struct replay_world *w = fix_world("one_of_a_batch", 1, "ok");
    struct replay_submission *s[3];

    fix_start(w);
    s[0] = fix_submit(w, "a", "+1000", (struct replay_submit){.notify = false});
    s[1] = fix_submit(w, "a", "+1000", (struct replay_submit){.notify = false});
    s[2] = fix_submit(w, "b", "+1000", (struct replay_submit){.notify = false});
    replay_turn(w);
    CU_ASSERT(s[0]->result == ERR_OK && s[1]->result == ERR_EXISTS && s[2]->result == ERR_OK);
    CU_ASSERT(fix_sent(w, "a") == 1 && fix_sent(w, "b") == 1);
    fix_end(w);
}

/* What is deferred, above the ceiling, or comes while draining is stored without a lease, and wakes the claim. */
static void test_without_lease(void)
{
    static const struct {
        const char *max;
        int64_t after_ms;
        bool draining;
        size_t live;
    } rows[] = {
        {"10", 0, false, 1},       {"1", 0, false, 1}, {"10", 1, false, 0},
        {"10", 3600000, false, 0}, {"10", 0, true, 0}, {"1", 0, false, 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = fix_world("without_lease", 1, "hang");
        struct replay_state st = {.leased = false};

        test_row(i);
        replay_set(w, "delivery", "in-memory-max", rows[i].max);
        replay_set(w, "delivery", "claim-batch", "1");
        fix_start(w);
        atomic_store(&w->shared.draining, rows[i].draining);
        (void)fix_submit(w, "a", "+1000", (struct replay_submit){.after_ms = rows[i].after_ms});
        replay_turn(w);
        CU_ASSERT(atomic_load(&w->shared.live) == rows[i].live);
        CU_ASSERT(atomic_load(&ppg_shared_share(&w->shared, SLICE("pi"))->next_due_ms) ==
                  (rows[i].live ? INT64_MAX : REPLAY_START_MS + rows[i].after_ms));
        CU_ASSERT(replay_show(w, SLICE("a"), SLICE("+1000"), &st) == ERR_OK &&
                  st.leased == (rows[i].live > 0));
        fix_end(w);
    }
}

/* Above the ceiling the rest of a push waits in the store. */
static void test_part_of_a_push(void)
{
    struct replay_world *w = fix_world("part_of_a_push", 3, "hang");
    const struct slice to[] = {SLICE("+1000"), SLICE("+1001"), SLICE("+1002")};
    const struct replay_submit how = {
        .push_id = SLICE("a"), .initiator = SLICE("pi"), .to = to, .to_n = COUNT(to)};

    replay_set(w, "delivery", "in-memory-max", "3"); /* one initiator gets half */
    replay_set(w, "delivery", "claim-batch", "1");
    fix_start(w);
    (void)replay_submit(w, &how);
    replay_run(w, 5000, REPLAY_TICK_MS);
    CU_ASSERT(w->net->sends_n == 2 && atomic_load(&w->shared.live) == 2);
    CU_ASSERT(ppg_schedule_live(w->cores[0].core.schedule) == 2);
    fix_end(w);
}

/* Large contents fill memory before their number does: then a push waits in the store, and what was counted is
 * given back. */
static void test_no_room_for_content(void)
{
    struct replay_world *w = fix_world("no_room_for_content", 1, "ok@1s");
    struct replay_state st = {.leased = true};

    fix_start(w);
    atomic_store(&w->shared.live_n, PPG_LIVE_MAX_N);
    (void)fix_submit(w, "a", "+1000", (struct replay_submit){.body_n = 1000});
    replay_run(w, 2000, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 0 && atomic_load(&w->shared.live) == 0);
    CU_ASSERT(replay_show(w, SLICE("a"), SLICE("+1000"), &st) == ERR_OK && !st.leased);
    atomic_store(&w->shared.live_n, 0);
    replay_run(w, 500, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 1 && atomic_load(&w->shared.live_n) > 1000);
    (void)fix_submit(w, "b", "+1000", (struct replay_submit){.body_n = 1000});
    replay_run(w, 100, REPLAY_TICK_MS);
    CU_ASSERT(atomic_load(&w->shared.live_n) > 2000);
    replay_run(w, 5000, REPLAY_TICK_MS);
    CU_ASSERT(fix_is(w, "b", "+1000", ST_DELIVERED, 1000) && atomic_load(&w->shared.live_n) == 0);
    fix_end(w);
}

const struct test_case test_cases[] = {{"durable_first", test_durable_first},
                                       {"failure_gives_back", test_failure_gives_back},
                                       {"one_of_a_batch", test_one_of_a_batch},
                                       {"without_lease", test_without_lease},
                                       {"part_of_a_push", test_part_of_a_push},
                                       {"no_room_for_content", test_no_room_for_content},
                                       {NULL, NULL}};
