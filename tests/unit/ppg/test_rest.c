/* Servers that rest: when the rest begins, who may probe, how the pause grows and ends, and what is forgotten. */
#include "ppg/rest.h"

#include <stdio.h>
#include "tests/unit/harness.h"

#define FIRST_MS   5000
#define ATTEMPT_MS 30000

static struct ppg_rest *open_rest(size_t max)
{
    struct ppg_rest *r = NULL;

    CU_ASSERT_FATAL(ppg_rest_create(max, &r) == ERR_OK);
    return r;
}

static enum ppg_rest_change tell(struct ppg_rest *r, const char *server, bool good, int64_t now)
{
    return ppg_rest_tell(r, slice_str(server), good, now, now, FIRST_MS);
}

static bool ask(struct ppg_rest *r, const char *server, int64_t now, bool *probe)
{
    return ppg_rest_ask(r, slice_str(server), now, ATTEMPT_MS, probe);
}

static void make_rest(struct ppg_rest *r, const char *server, int64_t now)
{
    for (unsigned i = 1; i < PPG_REST_AFTER; i++)
        CU_ASSERT(tell(r, server, false, now) == PPG_REST_SAME);
    CU_ASSERT(tell(r, server, false, now) == PPG_REST_BEGAN);
}

/* Only failures in a row count, each server for itself. */
static void case_in_a_row(void)
{
    struct ppg_rest *r = open_rest(10);
    bool probe = true;

    CU_ASSERT(tell(r, "a", true, 1) == PPG_REST_SAME);
    CU_ASSERT(tell(r, "a", false, 1) == PPG_REST_SAME && tell(r, "a", false, 1) == PPG_REST_SAME);
    CU_ASSERT(tell(r, "a", true, 2) == PPG_REST_SAME);
    CU_ASSERT(tell(r, "a", false, 3) == PPG_REST_SAME && tell(r, "a", false, 3) == PPG_REST_SAME);
    CU_ASSERT(tell(r, "b", false, 3) == PPG_REST_SAME);
    CU_ASSERT(ppg_rest_until(r, SLICE("a"), 3) == 0 && ask(r, "a", 3, &probe) && !probe);
    CU_ASSERT(ppg_rest_resting(r) == 0);
    CU_ASSERT(tell(r, "a", false, 4) == PPG_REST_BEGAN);
    CU_ASSERT(ppg_rest_until(r, SLICE("a"), 4) == 4 + FIRST_MS && !ask(r, "a", 4, &probe));
    CU_ASSERT(ppg_rest_until(r, SLICE("b"), 4) == 0 && ask(r, "b", 4, &probe) && !probe);
    CU_ASSERT(ppg_rest_resting(r) == 1);
    ppg_rest_free(&r);
    CU_ASSERT_PTR_NULL(r);
}

/* One probe when the pause is over, and no other until it must have ended. */
static void case_one_probe(void)
{
    struct ppg_rest *r = open_rest(10);
    bool probe = false;

    make_rest(r, "a", 100);
    CU_ASSERT(!ask(r, "a", 99 + FIRST_MS, &probe));
    CU_ASSERT(ask(r, "a", 100 + FIRST_MS, &probe) && probe);
    CU_ASSERT(!ask(r, "a", 100 + FIRST_MS, &probe));
    CU_ASSERT(ppg_rest_until(r, SLICE("a"), 100 + FIRST_MS) == 100 + FIRST_MS + ATTEMPT_MS);
    CU_ASSERT(!ask(r, "a", 99 + FIRST_MS + ATTEMPT_MS, &probe));
    probe = false;
    CU_ASSERT(ask(r, "a", 100 + FIRST_MS + ATTEMPT_MS, &probe) &&
              probe); /* the first one was never told of */
    ppg_rest_free(&r);
}

/* Pauses double up to the ceiling; one good answer ends it all. */
static void case_pauses(void)
{
    static const int64_t want_ms[] = {10000, 20000, 40000, 80000, 160000, 300000, 300000, 300000};
    struct ppg_rest *r = open_rest(10);
    int64_t now = 1000;
    bool probe;

    make_rest(r, "a", now);
    for (size_t i = 0; i < COUNT(want_ms); i++) {
        test_row(i);
        now = ppg_rest_until(r, SLICE("a"), now);
        CU_ASSERT(ask(r, "a", now, &probe) && probe);
        CU_ASSERT(tell(r, "a", false, now) == PPG_REST_SAME);
        CU_ASSERT(ppg_rest_until(r, SLICE("a"), now) == now + want_ms[i]);
    }
    CU_ASSERT(tell(r, "a", true, now) == PPG_REST_ENDED);
    CU_ASSERT(ppg_rest_until(r, SLICE("a"), now) == 0 && ppg_rest_resting(r) == 0);
    CU_ASSERT(ask(r, "a", now, &probe) && !probe);
    make_rest(r, "a", now); /* from the beginning */
    CU_ASSERT(ppg_rest_until(r, SLICE("a"), now) == now + FIRST_MS);
    ppg_rest_free(&r);
}

/* Attempts that were on the wire when the rest began say nothing new when they fail, but end it when they do not. */
static void case_stragglers(void)
{
    struct ppg_rest *r = open_rest(10);

    make_rest(r, "a", 1000);
    for (unsigned i = 0; i < 8; i++)
        CU_ASSERT(ppg_rest_tell(r, SLICE("a"), false, 999, 1500, FIRST_MS) == PPG_REST_SAME);
    CU_ASSERT(ppg_rest_until(r, SLICE("a"), 1500) == 1000 + FIRST_MS);
    CU_ASSERT(ppg_rest_tell(r, SLICE("a"), true, 999, 1600, FIRST_MS) == PPG_REST_ENDED);
    CU_ASSERT(ppg_rest_until(r, SLICE("a"), 1600) == 0);
    ppg_rest_free(&r);
}

/* The number known is bounded, the one quiet longest goes; after an hour of quiet each goes by itself. */
static void case_bounded(void)
{
    struct ppg_rest *r = open_rest(4);
    char name[8];

    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "s%u", i);
        make_rest(r, name, 10 + i);
        CU_ASSERT(ppg_rest_resting(r) == (i < 4 ? i + 1 : 4));
    }
    CU_ASSERT(ppg_rest_until(r, SLICE("s95"), 110) == 0 && ppg_rest_until(r, SLICE("s96"), 110) > 0);
    CU_ASSERT(tell(r, "other", true, 3700000) == PPG_REST_SAME);
    CU_ASSERT(ppg_rest_resting(r) == 0);
    ppg_rest_free(&r);
}

const struct test_case test_cases[] = {{"in_a_row", case_in_a_row}, {"one_probe", case_one_probe},
                                       {"pauses", case_pauses},     {"stragglers", case_stragglers},
                                       {"bounded", case_bounded},   {NULL, NULL}};
