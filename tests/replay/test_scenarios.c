/* Every scenario of tests/replay/scenarios/ as a case of its own, named after its file. */
#include <dirent.h>
#include "tests/replay/replay_script.h"
#include "tests/unit/harness.h"

#define SCENARIOS(X)                                                                                         \
    X(bearer_takes_nothing)                                                                                  \
    X(busy_keeps_the_order)                                                                                  \
    X(busy_terminal)                                                                                         \
    X(cancel_after_final)                                                                                    \
    X(cancel_at_the_deadline)                                                                                \
    X(cancel_before_stored)                                                                                  \
    X(cancel_between_attempts)                                                                               \
    X(cancel_crash_after)                                                                                    \
    X(cancel_crash_before)                                                                                   \
    X(cancel_in_lane)                                                                                        \
    X(cancel_mixed)                                                                                          \
    X(cancel_on_the_wire)                                                                                    \
    X(cancel_rings_store_fails)                                                                              \
    X(cancel_store_fails)                                                                                    \
    X(cancel_waiting)                                                                                        \
    X(cancel_when_due)                                                                                       \
    X(cancel_while_it_rings)                                                                                 \
    X(cancel_whose)                                                                                          \
    X(cancel_with_a_failed_attempt)                                                                          \
    X(cancel_with_the_answer)                                                                                \
    X(crash_after_finish)                                                                                    \
    X(crash_after_insert)                                                                                    \
    X(crash_after_told)                                                                                      \
    X(crash_before_insert)                                                                                   \
    X(crash_during_retry)                                                                                    \
    X(crash_sent_unrecorded)                                                                                 \
    X(default_lifetime)                                                                                      \
    X(datagrams_confirm_nothing)                                                                             \
    X(datagrams_retry)                                                                                       \
    X(deliver_after)                                                                                         \
    X(delivered)                                                                                             \
    X(drain)                                                                                                 \
    X(expire_behind_a_closed_lane)                                                                           \
    X(expire_crash)                                                                                          \
    X(expire_down_before_its_time)                                                                           \
    X(expire_down_on_the_wire)                                                                               \
    X(expire_in_lane)                                                                                        \
    X(expire_sending)                                                                                        \
    X(expire_waiting)                                                                                        \
    X(expire_while_down)                                                                                     \
    X(expire_with_the_answer)                                                                                \
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
    X(notify_crowd)                                                                                          \
    X(notify_crowded)                                                                                        \
    X(notify_dead_beside_good)                                                                               \
    X(notify_dead_of_one_initiator)                                                                          \
    X(notify_drain)                                                                                          \
    X(notify_rested_for_good)                                                                                \
    X(notify_rested_resumed)                                                                                 \
    X(notify_retries)                                                                                        \
    X(notify_retry_after)                                                                                    \
    X(notify_table_restart)                                                                                  \
    X(order_at_the_ceiling)                                                                                  \
    X(order_deferred_at_the_ceiling)                                                                         \
    X(order_per_terminal)                                                                                    \
    X(priority)                                                                                              \
    X(reload_raises_floor)                                                                                   \
    X(reload_removes_terminal)                                                                               \
    X(reload_under_way)                                                                                      \
    X(replace_all_partly_delivered)                                                                          \
    X(replace_chain)                                                                                         \
    X(replace_crash_after)                                                                                   \
    X(replace_crash_before)                                                                                  \
    X(replace_in_lane)                                                                                       \
    X(replace_nothing)                                                                                       \
    X(replace_on_the_wire)                                                                                   \
    X(replace_on_the_wire_that_fails)                                                                        \
    X(replace_pending_only_partly_delivered)                                                                 \
    X(replace_store_fails)                                                                                   \
    X(replace_waiting)                                                                                       \
    X(replace_when_due)                                                                                      \
    X(replace_while_it_rings)                                                                                \
    X(replace_with_a_failed_attempt)                                                                         \
    X(replace_with_the_answer)                                                                               \
    X(restart_in_every_state)                                                                                \
    X(restart_timeout)                                                                                       \
    X(retry_backoff)                                                                                         \
    X(sealed_crash_in_reservation)                                                                           \
    X(sealed_new_key)                                                                                        \
    X(sealed_numbers)                                                                                        \
    X(sealed_ranges)                                                                                         \
    X(sealed_store_fails)                                                                                    \
    X(sealed_used_up)                                                                                        \
    X(store_recovers)                                                                                        \
    X(store_refuses_claim)                                                                                   \
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
