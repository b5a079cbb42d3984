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
        {{.steps_n = 0}, 5, 1, false, true},                                        /* nothing is away */
        {{.last = {7, 10}}, 10, 7, false, false},                                   /* it comes back */
        {{.last = {7, 10}}, 9, 8, true, false},                                     /* younger */
        {{.last = {7, 10}}, 10, 8, true, false},                                    /* due with the last */
        {{.last = {7, 10}}, 11, 8, false, true},                                    /* all are back */
        {{.last = {7, 10}}, 5, 6, false, false},                                    /* older than all */
        {{.last = {9, 30}, .steps = {{3, 20}}, .steps_n = 1}, 20, 4, false, false}, /* in time */
        {{.last = {9, 30}, .steps = {{3, 20}}, .steps_n = 1}, 12, 4, true, false},  /* too early */
        {{.last = {9, 30}, .steps = {{3, 20}}, .steps_n = 1}, 12, 3, false, false}, /* not behind itself */
        {{.last = {9, 30}, .steps = {{3, 20}}, .steps_n = 1}, 21, 5, false, false}, /* the step is past */
        {{.last = {9, 30}, .steps = {{3, 20}, {6, 25}}, .steps_n = 2},
         21,
         5,
         false,
         false}, /* before the second */
        {{.last = {9, 30}, .steps = {{3, 20}, {6, 25}}, .steps_n = 2}, 21, 7, true, false}, /* behind it */
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

enum sim_where {
    NOWHERE,
    INSERTING, /* its initiator waits for the answer */
    MOVING,    /* to the store, not there yet */
    STORED,
    CLAIMED, /* on its way from there */
    HERE,
    DELIVERED
};

struct sim_target {
    enum sim_where where;
    bool leased;   /* its insert hands it to memory */
    int64_t due;   /* as the store has it, or will */
    int64_t at;    /* its write is done then; INT64_MAX: not handed over yet */
    int64_t since; /* when it was due here */
};

/* The store does one thing after the other, each when all before it are done. */
struct sim {
    struct ppg_away away;
    struct sim_target t[TARGETS + 1];
    unsigned claimed[TARGETS]; /* ids, in the order of the claim under way */
    size_t claimed_n;
    enum { NO_CLAIM, ASKED, ANSWERED } claim;
    int64_t claim_by;  /* what is due by then */
    int64_t claim_at;  /* the store looks, or the answer comes, then */
    int64_t store_at;  /* it has done all that it was handed */
    int64_t share_due; /* what is known of it: INT64_MAX nothing is due */
    size_t here_n;
    size_t room; /* of memory */
    int64_t now;
    int64_t closed_until;
    unsigned lag;  /* each thing takes less than so many ms */
    unsigned slow; /* a millisecond passes with so many arrivals; 0: none does */
    unsigned arrivals;
    unsigned accepted; /* ids 1.. */
    unsigned delivered;
    size_t moves;
    bool overtook;
};

static struct sim *sim_create(size_t room, unsigned lag)
{
    struct sim *s = calloc(1, sizeof *s);

    CU_ASSERT_FATAL(s != NULL);
    s->now = 1000;
    s->room = room;
    s->lag = lag;
    s->share_due = INT64_MAX;
    return s;
}

static int64_t sim_store(struct sim *s)
{
    if (s->store_at < s->now)
        s->store_at = s->now;
    s->store_at += s->lag && rand() % 8 == 0 ? rand() % (int)s->lag : 0;
    return s->store_at;
}

static void sim_due(struct sim *s, int64_t due)
{
    if (due < s->share_due)
        s->share_due = due;
}

static void sim_away(struct sim *s, unsigned id, int64_t not_before)
{
    struct sim_target *t = &s->t[id];

    t->due = ppg_away_send(&s->away, t->since, id, not_before, 100);
    t->where = MOVING;
    t->at = INT64_MAX;
    sim_due(s, t->due);
    s->moves++;
}

/* The turn ends: what was written is handed over. */
static void sim_flush(struct sim *s)
{
    for (unsigned id = 1; id <= s->accepted; id++)
        if (s->t[id].at == INT64_MAX) {
            s->t[id].at = sim_store(s);
            sim_due(s, s->t[id].due);
        }
}

/* An older one goes in front of what waits, whatever the room. */
static bool sim_full(const struct sim *s, unsigned id)
{
    unsigned last = s->accepted;

    while (last > 0 && s->t[last].where != HERE)
        last--;
    return s->here_n >= s->room && last < id;
}

static void sim_arrive(struct sim *s, unsigned id)
{
    struct sim_target *t = &s->t[id];
    bool closed = s->closed_until > s->now, behind = ppg_away_behind(&s->away, t->due, id);
    int64_t soonest = ppg_away_soonest(s->now);

    s->now += s->slow && ++s->arrivals % s->slow == 0;
    t->since = t->due;
    if (behind || closed || sim_full(s, id)) {
        sim_away(s, id, closed && s->closed_until > soonest ? s->closed_until : soonest);
    } else {
        t->where = HERE;
        s->here_n++;
    }
}

/* What the store has done by now is told. */
static void sim_written(struct sim *s)
{
    for (unsigned id = 1; id <= s->accepted; id++) {
        struct sim_target *t = &s->t[id];

        if (t->at > s->now || (t->where != MOVING && t->where != INSERTING))
            continue;
        t->at = 0;
        if (t->leased) {
            t->leased = false;
            sim_arrive(s, id);
            continue;
        }
        t->where = STORED;
        sim_due(s, t->due);
    }
}

/* The oldest due first, then the lowest id: what is there when the store looks. */
static void sim_look(struct sim *s)
{
    s->claimed_n = 0;
    for (;;) {
        unsigned best = 0;

        for (unsigned id = 1; id <= s->accepted; id++) {
            const struct sim_target *t = &s->t[id];

            if ((t->where == STORED || (t->where == MOVING && t->at <= s->claim_at)) &&
                t->due <= s->claim_by && (!best || t->due < s->t[best].due))
                best = id;
        }
        if (!best)
            break;
        s->t[best].where = CLAIMED;
        s->t[best].at = 0;
        s->claimed[s->claimed_n++] = best;
    }
    s->claim = ANSWERED;
    s->claim_at = sim_store(s);
}

static void sim_claim(struct sim *s)
{
    if (s->claim == NO_CLAIM && s->share_due <= s->now) {
        s->claim = ASKED;
        s->claim_by = s->now;
        s->claim_at = sim_store(s);
        s->share_due = INT64_MAX;
    }
    sim_flush(s); /* of another loop's turn, which began before */
    sim_written(s);
    if (s->claim == ASKED && s->claim_at <= s->now)
        sim_look(s);
    if (s->claim != ANSWERED || s->claim_at > s->now)
        return;
    for (size_t i = 0; i < s->claimed_n; i++)
        sim_arrive(s, s->claimed[i]);
    s->claim = NO_CLAIM;
    for (unsigned id = 1; id <= s->accepted; id++)
        if (s->t[id].where == STORED)
            sim_due(s, s->t[id].due);
}

static unsigned sim_first(const struct sim *s)
{
    unsigned id = 1;

    while (id <= s->accepted && s->t[id].where != HERE)
        id++;
    return id <= s->accepted ? id : 0;
}

/* One attempt at the first in memory. */
static void sim_try(struct sim *s, bool works, int64_t pause)
{
    unsigned id = sim_first(s);

    if (!id || s->closed_until > s->now)
        return;
    s->here_n--;
    if (works) {
        s->overtook |= id != s->delivered + 1;
        s->t[id].where = DELIVERED;
        s->delivered++;
        return;
    }
    s->closed_until = s->now + pause;
    sim_away(s, id, s->closed_until);
    while ((id = sim_first(s))) {
        s->here_n--;
        sim_away(s, id, s->closed_until);
    }
}

/* One after the other; handed to memory at once while nothing due waits in the store. */
static void sim_accept(struct sim *s)
{
    struct sim_target *t;

    if (s->accepted == TARGETS || s->t[s->accepted].where == INSERTING)
        return;
    t = &s->t[++s->accepted];
    t->where = INSERTING;
    t->due = s->now;
    t->at = sim_store(s);
    t->leased = s->claim == NO_CLAIM && s->share_due > s->now;
    if (t->at <= s->now)
        sim_written(s);
}

static void test_order_whatever_happens(void)
{
    static const unsigned lags[] = {0, 3, 30, 300};

    for (unsigned seed = 1; seed <= 48; seed++) {
        struct sim *s = sim_create(seed % 3 == 0 ? 8 : seed % 3 == 1 ? 100 : 256, lags[seed % 4]);
        unsigned works_in = seed % 5; /* of 4; 0: hardly ever */

        srand(seed);
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
            sim_flush(s);
        }
        test_row(seed);
        CU_ASSERT(!s->overtook);
        CU_ASSERT(s->delivered == TARGETS);
        free(s);
    }
}

/* A terminal that never answers, and far more for it than memory takes: a claim and a write for a batch each step, not
 * for the queue at each try. */
static void test_bounded(void)
{
    struct sim *s = sim_create(8, 0);
    size_t before;

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

    for (size_t i = 0; i < 2 * COUNT(slow); i++) {
        struct sim *s = sim_create(256, i < COUNT(slow) ? 0 : 20);

        s->slow = slow[i % COUNT(slow)];
        for (; s->delivered < TARGETS && s->moves <= 10 * TARGETS; s->now++) {
            for (int n = 0; n < TARGETS; n++)
                sim_accept(s);
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
