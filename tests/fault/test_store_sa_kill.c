/* Associations of our own making under SIGKILL.  A child keeps, confirms and ends them and reserves their numbers, and tells
 * its parent over a pipe what it is about to do and what the store acknowledged; it dies at a step of the store.  The
 * parent opens the database again: an association that was acknowledged is there, one that is there is whole, one that
 * was ended is gone, and whatever is there hands out no number that was ever reserved - nor those of its first range, which
 * the child may have used as soon as it was kept.  The seeds are fixed. */
#include <string.h>
#include "tests/fault/mortal.h"

#define MADE_MAX  400 /* associations of one child */
#define STEPS     22  /* operations of one child */
#define COUNT_N   16  /* numbers kept with one */
#define LIFE_S    1000000
#define TERMINALS 2

/* Small letters before an operation, capitals after its success: k keep, n numbers, o confirm, v end all of the terminal. */
struct entry {
    char what;
    uint8_t terminal;
    int32_t made; /* which association */
    uint32_t to;  /* N: numbers below are reserved */
};

/* The parent's view of one association. */
struct view {
    bool intended, kept, confirming, confirmed, ending, ended, newer;
    uint8_t terminal;
    uint32_t top; /* numbers below were reserved */
};
static struct view made[MADE_MAX];

static struct slice terminal_of(unsigned which)
{
    return which ? SLICE("+15550101") : SLICE("+15550100");
}

static void said_of(int32_t no, uint8_t said[16])
{
    memset(said, 0, 16);
    said[0] = 1;
    said[1] = (uint8_t)(no >> 8);
    said[2] = (uint8_t)no;
}

static struct slice octets_of(int32_t no, char text[32])
{
    int n = snprintf(text, 32, "sealed octets of %d", (int)no);

    return slice_of(text, (size_t)n);
}

/* ---- the child ---- */

struct child {
    struct mortal m;
    int32_t next; /* association */
    int32_t front[TERMINALS];
};

static void tell(const struct child *c, char what, unsigned terminal, int32_t no, uint32_t to)
{
    struct entry e;

    memset(&e, 0, sizeof e);
    e = (struct entry){what, (uint8_t)terminal, no, to};
    mortal_tell(&c->m, &e, sizeof e);
}

static void keep(struct child *c, unsigned t)
{
    int32_t no = c->next++;
    char text[32];
    struct store_sa_keep o = {.count = COUNT_N,
                              .sa = {.terminal = terminal_of(t),
                                     .made_s = 1000 + no,
                                     .expires_s = LIFE_S,
                                     .octets = octets_of(no, text)}};

    said_of(no, o.sa.said);
    tell(c, 'k', t, no, 0);
    if (fix_run(&c->m.f, &o.op, STORE_SA_KEEP))
        _exit(5);
    tell(c, 'K', t, no, 1 + COUNT_N);
    c->front[t] = no;
}

static void reserve(struct child *c, unsigned t)
{
    struct store_numbers o = {.count = 1 + mortal_roll(&c->m, 50)};

    said_of(c->front[t], o.said);
    tell(c, 'n', t, c->front[t], 0);
    if (!fix_run(&c->m.f, &o.op, STORE_NUMBERS))
        tell(c, 'N', t, c->front[t], o.to);
}

static void confirm(struct child *c, unsigned t)
{
    struct store_sa_confirm o = {.said = {0}};

    said_of(c->front[t], o.said);
    tell(c, 'o', t, c->front[t], 0);
    if (!fix_run(&c->m.f, &o.op, STORE_SA_CONFIRM))
        tell(c, 'O', t, c->front[t], 0);
}

static void end_all(struct child *c, unsigned t)
{
    struct store_sa_drop o = {.terminal = terminal_of(t)};

    tell(c, 'v', t, 0, 0);
    if (fix_run(&c->m.f, &o.op, STORE_SA_DROP))
        _exit(6);
    tell(c, 'V', t, 0, 0);
    c->front[t] = -1;
}

static void child_run(struct mortal *m)
{
    struct child *c = container_of(m, struct child, m);

    mortal_open(m);
    c->front[0] = c->front[1] = -1;
    for (int i = 0; i < STEPS; i++) {
        unsigned t = mortal_roll(&c->m, TERMINALS), what = mortal_roll(&c->m, 8);

        if (c->front[t] < 0 || what < 2)
            keep(c, t);
        else if (what < 5)
            reserve(c, t);
        else if (what < 7)
            confirm(c, t);
        else
            end_all(c, t);
    }
    _exit(0);
}

/* ---- the parent ---- */

static void learn_end(uint8_t terminal, bool ended)
{
    for (size_t i = 0; i < MADE_MAX; i++)
        if (made[i].intended && made[i].terminal == terminal) {
            made[i].ending = true;
            made[i].ended |= ended;
        }
}

static void learn(const struct entry *e)
{
    struct view *v = &made[e->made];

    CU_ASSERT_FATAL(e->made >= 0 && e->made < MADE_MAX);
    switch (e->what) {
    case 'k':
        for (size_t i = 0; i < MADE_MAX; i++)
            made[i].newer |= made[i].intended && made[i].terminal == e->terminal;
        *v = (struct view){.intended = true, .terminal = e->terminal, .top = 1 + COUNT_N};
        break;
    case 'K':
        v->kept = true;
        break;
    case 'n':
        break;
    case 'N':
        CU_ASSERT(e->to > v->top); /* ranges grow */
        v->top = e->to;
        break;
    case 'o':
        v->confirming = true;
        break;
    case 'O':
        v->confirmed = true;
        break;
    default:
        CU_ASSERT_FATAL(e->what == 'v' || e->what == 'V');
        learn_end(e->terminal, e->what == 'V');
    }
}

/* One that is in the database: whole, of that terminal, and its numbers go on. */
static void check_row(struct fix *f, const struct store_sa *row, uint8_t terminal, bool found[MADE_MAX])
{
    struct store_numbers o = {.count = 3};
    int32_t no = (int32_t)row->said[1] << 8 | row->said[2];
    const struct view *v = &made[no];
    char text[32];

    CU_ASSERT_FATAL(no < MADE_MAX && v->intended && v->terminal == terminal && !v->ended);
    CU_ASSERT(slice_eq(row->octets, octets_of(no, text)) && row->made_s == 1000 + no &&
              row->expires_s == LIFE_S);
    CU_ASSERT(!row->confirmed || v->confirming);
    CU_ASSERT(row->confirmed || !v->confirmed);
    said_of(no, o.said);
    CU_ASSERT(fix_run(f, &o.op, STORE_NUMBERS) == ERR_OK);
    CU_ASSERT(o.from >= v->top);
    found[no] = true;
}

static void check(const char *name)
{
    static bool found[MADE_MAX];
    struct fix f;

    memset(found, 0, sizeof found);
    fix_init(&f, test_scratch(), name, true);
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    for (uint8_t t = 0; t < TERMINALS; t++) {
        struct store_sa_find o = {.terminal = terminal_of(t)};

        CU_ASSERT_FATAL(fix_run(&f, &o.op, STORE_SA_FIND) == ERR_OK);
        for (size_t i = 0; i < o.n; i++)
            check_row(&f, &o.sas[i], t, found);
        arena_clear(&o.mem);
    }
    for (size_t i = 0; i < MADE_MAX; i++) /* the newest of a terminal is never lost */
        CU_ASSERT(!made[i].kept || made[i].newer || made[i].ending || found[i]);
    fix_clear(&f);
}

static void follow(int from, pid_t pid, void *arg)
{
    struct entry e;
    ssize_t n;

    (void)pid, (void)arg;
    while ((n = read(from, &e, sizeof e)) == (ssize_t)sizeof e)
        learn(&e);
    CU_ASSERT(n == 0);
}

/* The same load, killed at its 1st, 2nd, ... step, until it lives to its end. */
static void at_every_step(void)
{
    const char *name = "sa-steps.db";
    struct child c;
    size_t at = 1;
    bool killed = true;

    for (; killed && at < 2000; at++) {
        test_row(at);
        memset(made, 0, sizeof made);
        c = (struct child){.m.seed = 11, .m.kill_at = at};
        fix_init(&c.m.f, test_scratch(), name, true);
        fix_remove_at(c.m.f.path);
        killed = mortal_run(&c.m, child_run, follow, NULL);
        check(name);
    }
    CU_ASSERT(!killed && at > 50);
    fix_remove_at(c.m.f.path);
}

/* One database, one end after the other: each run meets what those before it left. */
static void one_end_after_the_other(void)
{
    const char *name = "sa-random.db";
    struct child c = {.next = 0};
    uint32_t seed = 5;
    int kills = 0;

    memset(made, 0, sizeof made);
    fix_init(&c.m.f, test_scratch(), name, true);
    fix_remove_at(c.m.f.path);
    for (int32_t i = 0; i < 20; i++) {
        test_row((size_t)i);
        seed = mortal_next(seed);
        c = (struct child){.m.seed = seed, .m.kill_at = 1 + (seed >> 8) % 60, .next = i * (MADE_MAX / 20)};
        fix_init(&c.m.f, test_scratch(), name, true);
        kills += mortal_run(&c.m, child_run, follow, NULL);
        check(name);
    }
    CU_ASSERT(kills > 10);
    fix_remove_at(c.m.f.path);
}

const struct test_case test_cases[] = {
    {"at_every_step", at_every_step}, {"one_end_after_the_other", one_end_after_the_other}, {NULL, NULL}};
