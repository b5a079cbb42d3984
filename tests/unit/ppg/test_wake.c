/* Terminals that are asked to call: once for many pushes, a few times with growing pauses, not when it is known that they
 * have called. */
#include "ppg/doors/wake.h"

#include "ppg/schedule.h"
#include "tests/unit/ppg/core_fix.h"

static const struct replay_submit plain = {.notify = false};

/* One terminal that is away, on one core. */
static struct replay_world *world(const char *tries, const char *contacts)
{
    struct replay_world *w = fix_world("wake", 1, "ok");

    w->net->terminals[0].away = true;
    replay_set(w, "gateway", "loops", "1");
    replay_set(w, "ota-http", "wake-first", "10s");
    replay_set(w, "ota-http", "wake-tries", tries);
    if (contacts)
        replay_set(w, "ota-http", "contacts", contacts);
    fix_start(w);
    return w;
}

static void asks_with_growing_pauses(void)
{
    static const struct {
        int64_t run_ms;
        unsigned want;
    } rows[] = {{1000, 1}, {8000, 1}, {2000, 2}, {18000, 2}, {3000, 3}, {36000, 3}, {10000, 3}};
    struct replay_world *w = world("3", "192.0.2.10:4036");

    (void)fix_submit(w, "a", "+1000", plain);
    (void)fix_submit(w, "b", "+1000", plain);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        replay_run(w, rows[i].run_ms, REPLAY_TICK_MS);
        CU_ASSERT(w->net->terminals[0].asked == rows[i].want);
    }
    CU_ASSERT(w->net->sends_n == 0);
    (void)fix_submit(w, "c", "+1000", plain); /* its rest is over */
    replay_run(w, 1000, REPLAY_TICK_MS);
    CU_ASSERT(w->net->terminals[0].asked == 4);
    fix_end(w);
}

/* What asks to call is a message like any other: the provider's floor holds for it. */
static void not_below_the_floor(void)
{
    static const struct {
        const char *floor;
        unsigned want;
    } rows[] = {{"none", 1}, {"integrity", 0}, {"full", 0}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = world("1", "192.0.2.10:4036");

        test_row(i);
        replay_set(w, "protection", "floor", rows[i].floor);
        CU_ASSERT_FATAL(replay_reload(w));
        ppg_wake(w->cores[0].core.wake, SLICE("+1000"), SLICE_NONE);
        replay_run(w, 1000, REPLAY_TICK_MS);
        CU_ASSERT(w->net->terminals[0].asked == rows[i].want);
        fix_end(w);
    }
}

static void stops_when_it_has_called(void)
{
    struct replay_world *w = world("8", "192.0.2.10:4036, [2001:db8::1]:4036");
    struct ppg_core *core = &w->cores[0].core;

    (void)fix_submit(w, "a", "+1000", plain);
    replay_run(w, 1000, REPLAY_TICK_MS);
    CU_ASSERT(w->net->terminals[0].asked == 1);
    w->net->terminals[0].away = false;
    ppg_wake_called(core->wake, SLICE("+1000"));
    ppg_schedule_called(core->schedule, SLICE("+1000"));
    replay_run(w, 60000, REPLAY_TICK_MS);
    CU_ASSERT(w->net->terminals[0].asked == 1 && fix_is(w, "a", "+1000", ST_DELIVERED, 1000));
    ppg_wake_called(core->wake, SLICE("+1000")); /* nobody is asked */
    ppg_wake_called(core->wake, SLICE("+1009"));
    CU_ASSERT(ppg_wake_under_way(core->wake) == 0);
    fix_end(w);
}

/* Called while the datagram is on its way, and asked anew before it has settled. */
static void a_call_crosses_the_datagram(void)
{
    struct replay_world *w = world("2", "192.0.2.10:4036");
    struct ppg_core *core = &w->cores[0].core;

    ppg_wake(core->wake, SLICE("+1000"), SLICE_NONE);
    CU_ASSERT(ppg_wake_under_way(core->wake) == 1);
    ppg_wake_called(core->wake, SLICE("+1000"));
    ppg_wake(core->wake, SLICE("+1000"), SLICE_NONE);
    ppg_wake(core->wake, SLICE("+1000"), SLICE_NONE);
    CU_ASSERT(ppg_wake_under_way(core->wake) == 2 && w->net->terminals[0].asked == 2);
    replay_run(w, 1000, REPLAY_TICK_MS);
    CU_ASSERT(ppg_wake_under_way(core->wake) == 0);
    fix_end(w);
}

static void asks_nobody_else(void)
{
    struct replay_world *w = world("2", NULL);
    struct ppg_core *core = &w->cores[0].core;

    ppg_wake(core->wake, SLICE("+1000"), SLICE_NONE); /* call where? */
    ppg_wake(core->wake, SLICE("+1009"), SLICE_NONE); /* who? */
    ppg_wake(core->wake, SLICE("+1000"), SLICE("no application"));
    CU_ASSERT(w->net->terminals[0].asked == 0 && ppg_wake_under_way(core->wake) == 0);
    fix_end(w);
    w = fix_world("wake", 1, "ok");
    replay_set(w, "ota-http", "contacts", "192.0.2.10:4036");
    fix_start(w);
    core = &w->cores[0].core;
    ppg_wake(core->wake, SLICE("+1000"), SLICE_NONE); /* it does not call in */
    CU_ASSERT(w->net->terminals[0].asked == 0 && ppg_wake_under_way(core->wake) == 0);
    fix_end(w);
}

const struct test_case test_cases[] = {
    {"asks_with_growing_pauses", asks_with_growing_pauses},
    {"not_below_the_floor", not_below_the_floor},
    {"stops_when_it_has_called", stops_when_it_has_called},
    {"a_call_crosses_the_datagram", a_call_crosses_the_datagram},
    {"asks_nobody_else", asks_nobody_else},
    {NULL, NULL},
};
