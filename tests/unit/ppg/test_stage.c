/* The state table, cell by cell, against one written by hand from [PAP §7]: pending goes to each final state in its
 * way, and no way leaves a final state. */
#include "ppg/stage.h"

#include <string.h>
#include "tests/unit/harness.h"

#define NO (-1)

/* Rows as enum ppg_stage, columns: due ok retry fail abort timeout expire cancel. */
static const int want[ST_COUNT][EV_COUNT] = {
    {ST_SENDING, NO, NO, ST_UNDELIVERABLE, NO, ST_TIMEOUT, ST_EXPIRED, ST_CANCELLED},
    {NO, ST_DELIVERED, ST_WAITING, ST_UNDELIVERABLE, ST_ABORTED, ST_TIMEOUT, ST_EXPIRED, NO},
    {NO, NO, NO, NO, NO, NO, NO, NO},
    {NO, NO, NO, NO, NO, NO, NO, NO},
    {NO, NO, NO, NO, NO, NO, NO, NO},
    {NO, NO, NO, NO, NO, NO, NO, NO},
    {NO, NO, NO, NO, NO, NO, NO, NO},
    {NO, NO, NO, NO, NO, NO, NO, NO},
};

static void test_every_cell(void)
{
    for (unsigned from = 0; from < ST_COUNT; from++)
        for (unsigned ev = 0; ev < EV_COUNT; ev++) {
            enum ppg_stage to = ST_COUNT;
            enum err e = ppg_stage_next((enum ppg_stage)from, (enum ppg_event)ev, &to);

            test_row(from * EV_COUNT + ev);
            if (want[from][ev] == NO) {
                CU_ASSERT(e == ERR_LATE && to == ST_COUNT);
            } else {
                CU_ASSERT(e == ERR_OK && to == (enum ppg_stage)want[from][ev]);
            }
        }
}

/* A cancel while it is on the wire is too late ([PAP §8.3]); so is anything after the end. */
static void test_final_is_final(void)
{
    enum ppg_stage to;

    CU_ASSERT(ppg_stage_next(ST_SENDING, EV_CANCEL, &to) == ERR_LATE);
    for (unsigned s = 0; s < ST_COUNT; s++)
        CU_ASSERT(ppg_stage_final((enum ppg_stage)s) == (s != ST_WAITING && s != ST_SENDING));
}

static void test_states_and_names(void)
{
    static const struct {
        const char *name;
        enum pap_state state;
    } rows[ST_COUNT] = {
        {"waiting", PAP_STATE_PENDING},     {"sending", PAP_STATE_PENDING},
        {"delivered", PAP_STATE_DELIVERED}, {"undeliverable", PAP_STATE_UNDELIVERABLE},
        {"expired", PAP_STATE_EXPIRED},     {"aborted", PAP_STATE_ABORTED},
        {"timeout", PAP_STATE_TIMEOUT},     {"cancelled", PAP_STATE_CANCELLED},
    };
    static const char *const events[EV_COUNT] = {"due",   "ok",      "retry",  "fail",
                                                 "abort", "timeout", "expire", "cancel"};

    for (unsigned s = 0; s < ST_COUNT; s++) {
        test_row(s);
        CU_ASSERT(strcmp(ppg_stage_name((enum ppg_stage)s), rows[s].name) == 0);
        CU_ASSERT(ppg_stage_state((enum ppg_stage)s) == rows[s].state);
    }
    for (unsigned ev = 0; ev < EV_COUNT; ev++)
        CU_ASSERT(strcmp(ppg_event_name((enum ppg_event)ev), events[ev]) == 0);
}

const struct test_case test_cases[] = {{"every_cell", test_every_cell},
                                       {"final_is_final", test_final_is_final},
                                       {"states_and_names", test_states_and_names},
                                       {NULL, NULL}};
