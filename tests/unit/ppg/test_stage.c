/* The state table, cell by cell, against one written by hand from [PAP §7]: pending goes to each final state in its
 * way, and no way leaves a final state. */
#include "ppg/stage.h"

#include <stdlib.h>
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

/* --- the table that is printed for people --- */

static unsigned event_of(struct slice name)
{
    unsigned ev = 0;

    while (ev < EV_COUNT && !slice_eq(name, slice_str(ppg_event_name((enum ppg_event)ev))))
        ev++;
    return ev;
}

static unsigned stage_of(struct slice name)
{
    unsigned s = 0;

    while (s < ST_COUNT && !slice_eq(name, slice_str(ppg_stage_name((enum ppg_stage)s))))
        s++;
    return s;
}

/* "| waiting | fail / cancel | undeliverable / cancelled |": ticks off what it says; false when the table differs. */
static bool row_said(struct slice line, bool said[ST_COUNT][EV_COUNT])
{
    struct slice cells[3] = {SLICE_NONE, SLICE_NONE, SLICE_NONE}, rest = line, ev, to;
    unsigned from;
    bool good = true;

    (void)slice_cut(rest, '|', &cells[0], &rest);
    for (size_t i = 0; i < COUNT(cells); i++) {
        (void)slice_cut(rest, '|', &cells[i], &rest);
        cells[i] = slice_trim(cells[i]);
    }
    from = stage_of(cells[0]);
    while (good && cells[1].n) {
        enum ppg_stage next = ST_COUNT;
        unsigned at;

        (void)slice_cut(cells[1], '/', &ev, &cells[1]);
        (void)slice_cut(cells[2], '/', &to, &cells[2]);
        at = event_of(slice_trim(ev));
        good = from < ST_COUNT && at < EV_COUNT && !said[from][at] &&
               !ppg_stage_next((enum ppg_stage)from, (enum ppg_event)at, &next) &&
               stage_of(slice_trim(to)) == next;
        if (good)
            said[from][at] = true;
    }
    return good && !cells[2].n;
}

/* The README of the room says every way there is, and no other. */
static void test_readme(void)
{
    bool said[ST_COUNT][EV_COUNT] = {{false}};
    size_t n;
    char *text = test_read("../ppg/README.md", &n);
    struct slice left = slice_of(text, n), line;
    bool table = false;

    while (left.n) {
        (void)slice_cut(left, '\n', &line, &left);
        if (slice_starts(line, SLICE("| from | event | to |"))) {
            table = true;
            (void)slice_cut(left, '\n', &line, &left); /* the rule below the heads */
        } else if (table && slice_starts(line, SLICE("|"))) {
            CU_ASSERT(row_said(line, said));
        } else {
            table = false;
        }
    }
    for (unsigned from = 0; from < ST_COUNT; from++)
        for (unsigned ev = 0; ev < EV_COUNT; ev++) {
            enum ppg_stage to;

            test_row(from * EV_COUNT + ev);
            CU_ASSERT(said[from][ev] == !ppg_stage_next((enum ppg_stage)from, (enum ppg_event)ev, &to));
        }
    free(text);
}

const struct test_case test_cases[] = {{"readme", test_readme},
                                       {"every_cell", test_every_cell},
                                       {"final_is_final", test_final_is_final},
                                       {"states_and_names", test_states_and_names},
                                       {NULL, NULL}};
