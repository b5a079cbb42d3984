/* Turns of initiators, priorities and terminals, without time, store or attempts. */
#include "ppg/lanes.h"

#include <stdio.h>
#include <stdlib.h>
#include "tests/unit/harness.h"

#define ALL 4096u

struct fix {
    struct ppg_lanes lanes;
    struct ppg_push pushes[ALL];
    struct ppg_target targets[ALL];
    char keys[ALL][16];
    size_t n;
};

static struct fix *fix_start(size_t sending_max)
{
    struct fix *f = calloc(1, sizeof *f);

    MUST(f != NULL);
    ppg_lanes_init(&f->lanes, 5000, sending_max);
    return f;
}

static struct ppg_target *fix_put(struct fix *f, const char *initiator, unsigned terminal,
                                  enum ppg_priority priority, size_t body_n)
{
    struct ppg_target *t = &f->targets[f->n];
    struct ppg_push *p = &f->pushes[f->n];
    struct ppg_stand *st = NULL;

    MUST(f->n < ALL);
    p->initiator = slice_str(initiator);
    p->priority = (uint8_t)priority;
    p->body.n = body_n;
    t->push = p;
    t->id = (int64_t)++f->n;
    (void)snprintf(f->keys[t->id - 1], sizeof f->keys[0], "+%u", terminal);
    t->key = slice_str(f->keys[t->id - 1]);
    list_init(&t->link);
    CU_ASSERT_FATAL(!ppg_lanes_stand(&f->lanes, t, &st));
    ppg_lanes_put(&f->lanes, st, t);
    return t;
}

static void fix_done(struct fix *f, struct ppg_target *t)
{
    struct ppg_stand *st = t->stand;

    ppg_lanes_ended(&f->lanes, t);
    ppg_lanes_tidy(&f->lanes, st);
}

/* Nothing may be left: neither stands, lanes nor lines. */
static void fix_end(struct fix *f)
{
    struct ppg_target *t;

    while ((t = ppg_lanes_next(&f->lanes)))
        fix_done(f, t);
    ppg_lanes_sweep(&f->lanes);
    CU_ASSERT(f->lanes.lanes.n == 0 && f->lanes.lines.n == 0 && f->lanes.sending == 0);
    CU_ASSERT(list_empty(&f->lanes.turns) && list_empty(&f->lanes.held));
    ppg_lanes_clear(&f->lanes);
    free(f);
}

static char who(const struct ppg_target *t)
{
    return t->push->initiator.p[0];
}

/* How many are begun before `mine` is, each ending before the next begins. */
static size_t wait_of(struct fix *f, const struct ppg_target *mine)
{
    size_t n = 0;
    struct ppg_target *t;

    while ((t = ppg_lanes_next(&f->lanes)) && t != mine) {
        fix_done(f, t);
        n++;
    }
    CU_ASSERT(t == mine);
    if (t)
        fix_done(f, t);
    return n;
}

/* A flood delays the single push of another by a turn, whatever priority it claims and wherever it goes. */
static void test_flood(void)
{
    static const struct {
        unsigned terminals; /* of the flood */
        enum ppg_priority priority;
        size_t body_n;
        size_t most;
    } rows[] = {
        {3000, PPG_PRIO_MEDIUM, 10, 4}, {3000, PPG_PRIO_HIGH, 10, 4}, {1, PPG_PRIO_HIGH, 10, 4},
        {20, PPG_PRIO_LOW, 10, 4},      {3000, PPG_PRIO_HIGH, 0, 4},  {3000, PPG_PRIO_MEDIUM, 100000, 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        for (unsigned to = 0; to < 2; to++) { /* to a terminal of the flood's, to another */
            struct fix *f = fix_start(1);

            test_row(i * 2 + to);
            for (unsigned n = 0; n < 3000; n++)
                (void)fix_put(f, "a", n % rows[i].terminals, rows[i].priority, rows[i].body_n);
            CU_ASSERT(wait_of(f, fix_put(f, "b", to ? 5000 : 0, PPG_PRIO_LOW, 10)) <= rows[i].most);
            fix_end(f);
        }
}

/* While the flood's attempt is under way at the one terminal both want, the single push is next there. */
static void test_terminal_turns(void)
{
    struct fix *f = fix_start(8);
    struct ppg_target *t, *b;

    for (unsigned n = 0; n < 100; n++)
        (void)fix_put(f, "a", 1, PPG_PRIO_HIGH, 10);
    t = ppg_lanes_next(&f->lanes);
    CU_ASSERT_FATAL(t != NULL);
    CU_ASSERT(!ppg_lanes_next(&f->lanes)); /* one attempt per terminal */
    b = fix_put(f, "b", 1, PPG_PRIO_LOW, 10);
    (void)fix_put(f, "c", 1, PPG_PRIO_LOW, 10);
    CU_ASSERT(!ppg_lanes_next(&f->lanes));
    fix_done(f, t);
    t = ppg_lanes_next(&f->lanes);
    CU_ASSERT_FATAL(t != NULL);
    CU_ASSERT(who(t) == 'a'); /* it stood there first */
    fix_done(f, t);
    CU_ASSERT(ppg_lanes_next(&f->lanes) == b);
    fix_done(f, b);
    t = ppg_lanes_next(&f->lanes);
    CU_ASSERT_FATAL(t != NULL);
    CU_ASSERT(who(t) == 'c');
    fix_done(f, t);
    fix_end(f);
}

/* Two that both have much get equal octets, not equal numbers. */
static void test_octets(void)
{
    static const size_t sizes[][2] = {{0, 0}, {0, 1024}, {1024, 9 * 1024}, {100, 20000}, {0, 300000}};

    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct fix *f = fix_start(1);
        size_t n[2] = {0, 0};
        double ratio;

        test_row(i);
        for (unsigned k = 0; k < 2000; k++)
            for (unsigned j = 0; j < 2; j++)
                (void)fix_put(f, j ? "b" : "a", k * 2 + j, PPG_PRIO_MEDIUM, sizes[i][j]);
        while (n[0] < 1500 && n[1] < 1500) {
            struct ppg_target *t = ppg_lanes_next(&f->lanes);

            n[who(t) == 'b']++;
            fix_done(f, t);
        }
        ratio = (double)n[0] * (double)(sizes[i][0] + PPG_CHARGE_N) /
                ((double)(n[1] ? n[1] : 1) * (double)(sizes[i][1] + PPG_CHARGE_N));
        CU_ASSERT(ratio > 0.75 && ratio < 1.34);
        fix_end(f);
    }
}

/* High before medium before low within one initiator; by id within a priority, also what comes back late. */
static void test_priorities(void)
{
    static const int64_t want[] = {3, 6, 2, 5, 1, 4};
    struct fix *f = fix_start(1);
    struct ppg_target *late;
    struct ppg_stand *st;

    for (unsigned i = 0; i < 6; i++)
        (void)fix_put(f, "a", 1, (enum ppg_priority)(2 - i % 3), 10);
    late = &f->targets[2];
    st = late->stand;
    ppg_lanes_take(&f->lanes, late);
    ppg_lanes_put(&f->lanes, st, late);
    for (size_t i = 0; i < COUNT(want); i++) {
        struct ppg_target *t = ppg_lanes_next(&f->lanes);

        test_row(i);
        CU_ASSERT_FATAL(t && t->id == want[i]);
        fix_done(f, t);
    }
    fix_end(f);
}

/* Across its terminals too: a high one of a terminal that stands behind comes first. */
static void test_priority_of_terminals(void)
{
    struct fix *f = fix_start(1);
    struct ppg_target *high;

    for (unsigned i = 0; i < 50; i++)
        (void)fix_put(f, "a", i, PPG_PRIO_LOW, 10);
    high = fix_put(f, "a", 49, PPG_PRIO_HIGH, 10);
    CU_ASSERT(wait_of(f, high) == 0);
    fix_end(f);
}

/* An initiator whose terminals all hang leaves the last attempts to others. */
static void test_hanging(void)
{
    struct fix *f = fix_start(80);
    struct ppg_target *hangs[80], *t;
    size_t n = 0;

    for (unsigned i = 0; i < 100; i++)
        (void)fix_put(f, "a", i, PPG_PRIO_HIGH, 10);
    while ((t = ppg_lanes_next(&f->lanes)))
        hangs[n++] = t;
    CU_ASSERT(n == 70);
    t = fix_put(f, "b", 1000, PPG_PRIO_LOW, 10);
    CU_ASSERT(ppg_lanes_next(&f->lanes) == t);
    fix_done(f, t);
    CU_ASSERT(!ppg_lanes_next(&f->lanes));
    fix_done(f, hangs[--n]); /* one more for the first */
    CU_ASSERT((t = ppg_lanes_next(&f->lanes)) && who(t) == 'a' && !ppg_lanes_next(&f->lanes));
    fix_done(f, t);
    while (n > 0)
        fix_done(f, hangs[--n]);
    fix_end(f);
}

/* Random work against what must always hold. */
static void test_random(void)
{
    static const char *const names[] = {"a", "b", "c"};

    for (unsigned seed = 1; seed <= 20; seed++) {
        struct fix *f = fix_start(5);
        struct ppg_target *out[5];
        size_t n = 0, begun = 0, taken = 0;

        srand(seed);
        while (f->n < ALL || n > 0) {
            int dice = rand();
            struct ppg_target *t = NULL;

            if (dice % 3 == 0 && f->n < ALL) {
                t = fix_put(f, names[(dice / 8) % 3], (unsigned)(dice / 64) % 6,
                            (enum ppg_priority)((dice / 4096) % 3), 10);
                if (dice % 21 == 0) {
                    struct ppg_stand *st = t->stand;

                    ppg_lanes_take(&f->lanes, t);
                    ppg_lanes_tidy(&f->lanes, st);
                    taken++;
                }
            } else if (dice % 3 == 1 && (t = ppg_lanes_next(&f->lanes))) {
                for (size_t i = 0; i < n; i++)
                    CU_ASSERT(!slice_eq(out[i]->key, t->key));
                out[n++] = t;
                begun++;
            } else if (n > 0) {
                size_t at = (size_t)(dice / 16) % n;

                fix_done(f, out[at]);
                out[at] = out[--n];
            }
        }
        while (n < 5 && (out[0] = ppg_lanes_next(&f->lanes))) {
            fix_done(f, out[0]);
            begun++;
        }
        CU_ASSERT(begun + taken == ALL);
        fix_end(f);
    }
}

const struct test_case test_cases[] = {{"flood", test_flood},
                                       {"terminal_turns", test_terminal_turns},
                                       {"octets", test_octets},
                                       {"priorities", test_priorities},
                                       {"priority_of_terminals", test_priority_of_terminals},
                                       {"hanging", test_hanging},
                                       {"random", test_random},
                                       {NULL, NULL}};
