/* The order of one queue across the border between memory and store, against a store, a terminal and a clock of the
 * test's own.  Whatever the terminal does, nothing is tried before an older one; and what goes back and forth is
 * bounded. */
#include "ppg/away.h"

#include <stdlib.h>
#include "tests/unit/harness.h"

/* Rows: targets that come in one after the other, and what becomes of them. */
static void test_behind(void)
{
    static const struct {
        struct ppg_away away;
        int64_t due_ms;
        int64_t id;
        bool behind;
        bool forgets;
    } rows[] = {
        {{.put_off = false}, 5, 1, false, true},                         /* nothing is away */
        {{.last = {10, 7, 1}}, 10, 7, false, false},                     /* it comes back */
        {{.last = {10, 7, 1}}, 9, 8, true, false},                       /* younger */
        {{.last = {10, 7, 1}}, 10, 8, true, false},                      /* due with the last */
        {{.last = {10, 7, 1}}, 11, 8, false, true},                      /* all are back */
        {{.last = {10, 7, 1}}, 5, 6, false, false},                      /* older than all */
        {{.last = {30, 9, 1}, .head = {20, 4, 1}}, 20, 4, false, false}, /* of the head, in time */
        {{.last = {30, 9, 1}, .head = {20, 4, 1}}, 12, 3, true, false},  /* too early */
        {{.last = {30, 9, 1}, .head = {20, 4, 1}}, 21, 5, false, false}, /* behind the head */
        {{.last = {30, 9, 1}, .head = {20, 4, 1}, .put_off = true}, 21, 5, true, false},
        {{.last = {30, 9, 1}, .head = {20, 4, 1}, .put_off = true}, 30, 5, false, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_away a = rows[i].away;

        test_row(i);
        CU_ASSERT(ppg_away_behind(&a, rows[i].due_ms, rows[i].id) == rows[i].behind);
        CU_ASSERT(ppg_away_any(&a) == !rows[i].forgets);
    }
}

/* A batch shares a due time, the next comes a step later. */
static void test_batches(void)
{
    struct ppg_away a = {.last.due_ms = 0};

    for (unsigned i = 0; i < 3 * PPG_AWAY_BATCH; i++)
        CU_ASSERT(ppg_away_send(&a, 1, 10 + i, 100, 7) == 100 + 7 * (i / PPG_AWAY_BATCH));
    CU_ASSERT(ppg_away_send(&a, 1, 1000, 500, 7) == 500);
    CU_ASSERT(ppg_away_behind(&a, 499, 1001) && !ppg_away_behind(&a, 501, 1001));
}

/* --- a queue with everything around it --- */

#define TARGETS 700

struct sim {
    struct ppg_away away;
    int64_t due[TARGETS + 1]; /* in the store until then; 0: not there */
    bool here[TARGETS + 1];   /* in memory */
    int64_t since[TARGETS + 1];
    size_t here_n;
    size_t room; /* of memory */
    int64_t now;
    int64_t closed_until;
    unsigned slow; /* a millisecond passes with so many arrivals; 0: none does */
    unsigned arrivals;
    unsigned accepted; /* ids 1.. */
    unsigned delivered;
    size_t moves;
    bool overtook;
};

static void sim_away(struct sim *s, unsigned id, int64_t not_before)
{
    s->due[id] = ppg_away_send(&s->away, s->since[id], id, not_before, 100);
    s->moves++;
}

static void sim_arrive(struct sim *s, unsigned id, int64_t due)
{
    bool closed = s->closed_until > s->now, behind = ppg_away_behind(&s->away, due, id);

    s->now += s->slow && ++s->arrivals % s->slow == 0;
    s->due[id] = 0;
    s->since[id] = due;
    if (behind || closed || s->here_n >= s->room) {
        sim_away(s, id, closed ? s->closed_until : behind ? 0 : s->now + 50);
    } else {
        s->here[id] = true;
        s->here_n++;
    }
}

/* The oldest due first, then the lowest id, a bounded number; as the claim does. */
static void sim_claim(struct sim *s)
{
    for (unsigned n = 0; n < TARGETS; n++) {
        unsigned best = 0;

        for (unsigned id = 1; id <= s->accepted; id++)
            if (s->due[id] && s->due[id] <= s->now && (!best || s->due[id] < s->due[best]))
                best = id;
        if (!best)
            return;
        sim_arrive(s, best, s->due[best]);
    }
}

static unsigned sim_first(const struct sim *s)
{
    unsigned id = 1;

    while (id <= s->accepted && !s->here[id])
        id++;
    return id <= s->accepted ? id : 0;
}

static void sim_leave(struct sim *s, unsigned id)
{
    s->here[id] = false;
    s->here_n--;
}

/* One attempt at the first in memory. */
static void sim_try(struct sim *s, bool works, int64_t pause)
{
    unsigned id = sim_first(s);

    if (!id || s->closed_until > s->now)
        return;
    sim_leave(s, id);
    if (works) {
        s->overtook |= id != s->delivered + 1;
        s->delivered++;
        return;
    }
    s->closed_until = s->now + pause;
    sim_away(s, id, s->closed_until);
    while ((id = sim_first(s))) {
        sim_leave(s, id);
        sim_away(s, id, s->closed_until);
    }
}

/* New ones are handed to memory at once while nothing due waits in the store. */
static void sim_accept(struct sim *s)
{
    bool behind = false;
    unsigned id;

    if (s->accepted == TARGETS)
        return;
    for (unsigned i = 1; i <= s->accepted; i++)
        behind |= s->due[i] && s->due[i] <= s->now;
    id = ++s->accepted;
    if (behind)
        s->due[id] = s->now;
    else
        sim_arrive(s, id, s->now);
}

static void test_order_whatever_happens(void)
{
    for (unsigned seed = 1; seed <= 12; seed++) {
        struct sim *s = calloc(1, sizeof *s);
        unsigned works_in = seed % 5; /* of 4; 0: hardly ever */

        CU_ASSERT_FATAL(s != NULL);
        srand(seed);
        s->room = seed % 3 == 0 ? 8 : seed % 3 == 1 ? 100 : 256;
        s->now = 1000;
        for (unsigned n = 0; n < 200000 && s->delivered < TARGETS; n++) {
            bool late = n > 2000;
            int dice = rand();

            s->now += dice % 40;
            if (dice % 3 == 0 || late)
                for (int i = 0; i < (dice / 64) % 20; i++)
                    sim_accept(s);
            if (dice % 5)
                sim_claim(s);
            sim_try(s, late ? dice % 97 > 0 : (unsigned)(dice / 7) % 64 < works_in * 16 + 1, dice % 3000 + 1);
        }
        test_row(seed);
        CU_ASSERT(!s->overtook && s->delivered == TARGETS);
        free(s);
    }
}

/* A terminal that never answers, and far more for it than memory takes: a claim and a write for a batch each step, not
 * for the queue at each try. */
static void test_bounded(void)
{
    struct sim *s = calloc(1, sizeof *s);
    size_t before;

    CU_ASSERT_FATAL(s != NULL);
    s->now = 1000;
    s->room = 8;
    while (s->accepted < TARGETS)
        sim_accept(s);
    for (int i = 0; i < 60; i++, s->now += 50) {
        sim_claim(s);
        sim_try(s, false, 30000);
    }
    before = s->moves;
    for (int i = 0; i < 600; i++, s->now += 10) { /* 6 s: at most 60 steps of 100 ms */
        sim_claim(s);
        sim_try(s, false, 30000);
    }
    CU_ASSERT(s->moves - before <= 61 * PPG_AWAY_BATCH && s->delivered == 0);
    free(s);
}

/* A terminal that takes everything, and so much for it at once that looking at what comes back takes time: the queue ends all
 * the same, and nothing is sent on and on because others were. */
static void test_comes_to_rest(void)
{
    static const unsigned slow[] = {0, 64, 16, 4};

    for (size_t i = 0; i < COUNT(slow); i++) {
        struct sim *s = calloc(1, sizeof *s);

        CU_ASSERT_FATAL(s != NULL);
        s->now = 1000;
        s->room = 256;
        s->slow = slow[i];
        while (s->accepted < TARGETS)
            sim_accept(s);
        for (; s->delivered < TARGETS && s->moves <= 10 * TARGETS; s->now++) {
            sim_claim(s);
            sim_try(s, true, 0);
        }
        test_row(i);
        CU_ASSERT(!s->overtook && s->delivered == TARGETS);
        free(s);
    }
}

/* What waits in memory for its time keeps younger ones behind it. */
static void test_note(void)
{
    struct ppg_away a = {.last.due_ms = 0};

    ppg_away_note(&a, 100, 5);
    ppg_away_note(&a, 90, 3);
    CU_ASSERT(ppg_away_behind(&a, 50, 6) && !ppg_away_behind(&a, 90, 3));
    CU_ASSERT(ppg_away_send(&a, 50, 6, 60, 10) == 110); /* behind the last, in a batch of its own */
    CU_ASSERT(!ppg_away_behind(&a, 100, 5) && !ppg_away_behind(&a, 110, 6));
    CU_ASSERT(!ppg_away_behind(&a, 111, 7) && !ppg_away_any(&a));
}

const struct test_case test_cases[] = {{"behind", test_behind},
                                       {"batches", test_batches},
                                       {"order_whatever_happens", test_order_whatever_happens},
                                       {"bounded", test_bounded},
                                       {"comes_to_rest", test_comes_to_rest},
                                       {"note", test_note},
                                       {NULL, NULL}};
