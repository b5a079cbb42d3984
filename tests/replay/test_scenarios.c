/* Every scenario of tests/replay/scenarios/ as a case of its own, named after its file. */
#include <dirent.h>
#include "tests/replay/replay_script.h"
#include "tests/unit/harness.h"

#define SCENARIOS(X)                                                                                         \
    X(bearer_takes_nothing)                                                                                  \
    X(busy_keeps_the_order)                                                                                  \
    X(busy_terminal)                                                                                         \
    X(crash_after_finish)                                                                                    \
    X(crash_after_insert)                                                                                    \
    X(crash_after_told)                                                                                      \
    X(crash_before_insert)                                                                                   \
    X(crash_during_retry)                                                                                    \
    X(crash_sent_unrecorded)                                                                                 \
    X(default_lifetime)                                                                                      \
    X(deliver_after)                                                                                         \
    X(delivered)                                                                                             \
    X(drain)                                                                                                 \
    X(expire_behind_a_closed_lane)                                                                           \
    X(expire_in_lane)                                                                                        \
    X(expire_sending)                                                                                        \
    X(expire_waiting)                                                                                        \
    X(expire_while_down)                                                                                     \
    X(final_answers)                                                                                         \
    X(form_learnt)                                                                                           \
    X(form_refused)                                                                                          \
    X(live_ceiling)                                                                                          \
    X(live_ceiling_restart)                                                                                  \
    X(many_recipients)                                                                                       \
    X(not_notified)                                                                                          \
    X(notify_2000_final)                                                                                     \
    X(notify_4xx_final)                                                                                      \
    X(notify_crash_keeps_tries)                                                                              \
    X(notify_crowded)                                                                                        \
    X(notify_retries)                                                                                        \
    X(notify_crowd)                                                                                          \
    X(notify_dead_beside_good)                                                                               \
    X(notify_dead_of_one_initiator)                                                                          \
    X(notify_drain)                                                                                          \
    X(notify_rested_for_good)                                                                                \
    X(notify_rested_resumed)                                                                                 \
    X(notify_retry_after)                                                                                    \
    X(notify_table_restart)                                                                                  \
    X(order_per_terminal)                                                                                    \
    X(priority)                                                                                              \
    X(reload_raises_floor)                                                                                   \
    X(reload_removes_terminal)                                                                               \
    X(reload_under_way)                                                                                      \
    X(retry_backoff)                                                                                         \
    X(sealed_crash_in_reservation)                                                                           \
    X(sealed_new_key)                                                                                        \
    X(sealed_numbers)                                                                                        \
    X(sealed_ranges)                                                                                         \
    X(sealed_store_fails)                                                                                    \
    X(sealed_used_up)                                                                                        \
    X(store_refuses_claim)                                                                                   \
    X(order_at_the_ceiling)                                                                                  \
    X(store_recovers)                                                                                        \
    X(store_refuses_finish)                                                                                  \
    X(store_refuses_insert)                                                                                  \
    X(store_refuses_move)                                                                                    \
    X(store_refuses_notices)                                                                                 \
    X(tries_used_up)                                                                                         \
    X(two_cores)                                                                                             \
    X(two_cores_crash)                                                                                       \
    X(unconfirmed_crash)                                                                                     \
    X(unconfirmed_once)                                                                                      \
    X(unreachable_lane)

#define SCENARIO(name)                                                                                       \
    static void test_##name(void)                                                                            \
    {                                                                                                        \
        replay_script_run(#name);                                                                            \
    }
SCENARIOS(SCENARIO)

/* A scenario that nobody runs proves nothing. */
static void test_all_listed(void)
{
    DIR *d = opendir(test_path("replay/scenarios"));
    size_t files = 0;
    size_t cases = 0;

    CU_ASSERT_FATAL(d != NULL);
    for (const struct dirent *e; (e = readdir(d));)
        files += slice_ends(slice_str(e->d_name), SLICE(".scn"));
    (void)closedir(d);
    while (test_cases[cases].name)
        cases++;
    CU_ASSERT_EQUAL(files + 1, cases); /* and this one */
}

#define ROW(name) {#name, test_##name},
const struct test_case test_cases[] = {SCENARIOS(ROW){"all_listed", test_all_listed}, {NULL, NULL}};
