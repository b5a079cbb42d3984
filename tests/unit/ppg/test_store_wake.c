/* A terminal's call makes what was put off for it due, by the contract of store.h; without the store's thread and with
 * it. */
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

static int64_t insert(struct fix *f, const char *initiator, const char *push_id, size_t n)
{
    struct store_insert o = {.push = fix_push(initiator, push_id, n, 100)};
    int64_t first;

    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_INSERT) == ERR_OK);
    first = o.push->targets[0].id;
    ppg_push_drop(o.push);
    return first;
}

static void put_off(struct fix *f, int64_t id, int64_t due_ms, bool by_call)
{
    struct store_move o = {.target_id = id, .due_ms = due_ms, .by_call = by_call};

    CU_ASSERT(fix_run(f, &o.op, STORE_MOVE) == ERR_OK);
}

static struct store_wake wake(struct fix *f, struct slice key, int64_t due_ms)
{
    struct store_wake o = {.key = key, .due_ms = due_ms};

    CU_ASSERT(fix_run(f, &o.op, STORE_WAKE) == ERR_OK);
    return o;
}

/* fix_push() gives the n-th target the address and key "tel:N", N from 1. */
static void wakes_what_was_put_off_body(struct fix *f)
{
    int64_t first = insert(f, "mms", "a", 3), other = insert(f, "bank", "b", 3);
    struct store_wake o;

    put_off(f, first, 9000, true);
    put_off(f, first + 1, 9000, true); /* another terminal */
    put_off(f, other, 8000, true);
    put_off(f, other + 2, 9000, false); /* its time is its own */
    CU_ASSERT(fix_claim(f, 500, 9) == 2);
    o = wake(f, SLICE("tel:1"), 600);
    CU_ASSERT(o.woken_n == 2 && !o.more && o.initiators_n == 2);
    CU_ASSERT(slice_eq(o.initiators[0], SLICE("mms")) && slice_eq(o.initiators[1], SLICE("bank")));
    arena_clear(&o.mem);
    CU_ASSERT(fix_claim(f, 599, 9) == 0);
    CU_ASSERT(fix_claim(f, 600, 9) == 2);
    o = wake(f, SLICE("tel:1"), 700); /* they are leased now */
    CU_ASSERT(o.woken_n == 0 && !o.more && o.initiators_n == 0);
    arena_clear(&o.mem);
    o = wake(f, SLICE("tel:3"), 700);
    CU_ASSERT(o.woken_n == 0);
    arena_clear(&o.mem);
}

static void final_ones_stay_final_body(struct fix *f)
{
    int64_t first = insert(f, "mms", "a", 1);
    struct store_cancel c = {.initiator = SLICE("mms"), .push_id = SLICE("a"), .event_ms = 700};
    struct store_wake o;

    put_off(f, first, 9000, true);
    CU_ASSERT(fix_run(f, &c.op, STORE_CANCEL) == ERR_OK);
    arena_clear(&c.mem);
    o = wake(f, SLICE("tel:1"), 800);
    CU_ASSERT(o.woken_n == 0);
    arena_clear(&o.mem);
}

/* Many of many: in rounds, the oldest first. */
static void some_at_a_time_body(struct fix *f)
{
    const size_t all = STORE_WAKE_MAX + 30;
    size_t woken = 0, rounds = 0;
    struct store_wake o;
    char id[16];

    for (size_t i = 0; i < all; i++) {
        (void)snprintf(id, sizeof id, "p%zu", i);
        put_off(f, insert(f, i % 2 ? "mms" : "bank", id, 1), 9000, true);
    }
    do {
        o = wake(f, SLICE("tel:1"), 500);
        woken += o.woken_n;
        CU_ASSERT(o.woken_n <= STORE_WAKE_MAX && o.initiators_n == 2);
        arena_clear(&o.mem);
    } while (o.more && ++rounds < 10);
    CU_ASSERT(woken == all && rounds == 1);
    CU_ASSERT(fix_claim(f, 500, 2000) == all);
}

static void more_initiators_than_it_names_body(struct fix *f)
{
    size_t woken = 0, rounds = 0;
    struct store_wake o;
    char name[16];

    for (size_t i = 0; i < 2 * STORE_WAKE_INITIATORS + 1; i++) {
        (void)snprintf(name, sizeof name, "i%zu", i);
        put_off(f, insert(f, name, "a", 1), 9000, true);
    }
    do {
        o = wake(f, SLICE("tel:1"), 500);
        woken += o.woken_n;
        CU_ASSERT(o.initiators_n <= STORE_WAKE_INITIATORS);
        arena_clear(&o.mem);
    } while (o.more && ++rounds < 10);
    CU_ASSERT(woken == 2 * STORE_WAKE_INITIATORS + 1 && rounds == 2);
}

#define IN_BOTH(name)                                                                                        \
    static void name(void)                                                                                   \
    {                                                                                                        \
        fix_in_both(test_scratch(), name##_body);                                                            \
    }
IN_BOTH(wakes_what_was_put_off)
IN_BOTH(final_ones_stay_final)
IN_BOTH(some_at_a_time)
IN_BOTH(more_initiators_than_it_names)

const struct test_case test_cases[] = {
    {"wakes_what_was_put_off", wakes_what_was_put_off},
    {"final_ones_stay_final", final_ones_stay_final},
    {"some_at_a_time", some_at_a_time},
    {"more_initiators_than_it_names", more_initiators_than_it_names},
    {NULL, NULL},
};
