/* Associations in the store: what a new one takes the place of, what is found again after a restart, what goes with one that
 * goes, and lists. */
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

#include "base/arena.h"

static void in_both(void (*body)(struct fix *f))
{
    fix_in_both(test_scratch(), body);
}

static void reopen(struct fix *f)
{
    store_close(&f->s);
    CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
}

static void keep(struct fix *f, const char *terminal, uint8_t id, int64_t made_s, int64_t expires_s)
{
    char octets[2] = {(char)id, 0};
    struct store_sa_keep o = {.sa = {.said = {id},
                                     .terminal = slice_str(terminal),
                                     .made_s = made_s,
                                     .expires_s = expires_s,
                                     .octets = slice_of(octets, sizeof octets)},
                              .count = 10};

    CU_ASSERT(fix_run(f, &o.op, STORE_SA_KEEP) == ERR_OK);
}

static enum err confirm(struct fix *f, uint8_t id)
{
    struct store_sa_confirm o = {.said = {id}};

    return fix_run(f, &o.op, STORE_SA_CONFIRM);
}

/* Names of the terminal's, the newest first, as one number; with a 9 behind one that is confirmed. */
static unsigned found(struct fix *f, const char *terminal)
{
    struct store_sa_find o = {.terminal = slice_str(terminal)};
    unsigned names = 0;

    CU_ASSERT(fix_run(f, &o.op, STORE_SA_FIND) == ERR_OK);
    for (size_t i = 0; i < o.n; i++) {
        const struct store_sa *s = &o.sas[i];

        CU_ASSERT(slice_eq(s->terminal, slice_str(terminal)) && s->octets.n == 2 &&
                  (uint8_t)s->octets.p[0] == s->said[0]);
        names = names * 10 + s->said[0];
        if (s->confirmed)
            names = names * 10 + 9;
    }
    arena_clear(&o.mem);
    return names;
}

static uint32_t next_number(struct fix *f, uint8_t id)
{
    struct store_numbers o = {.said = {id}, .count = 1};

    CU_ASSERT(fix_run(f, &o.op, STORE_NUMBERS) == ERR_OK);
    return o.from;
}

static size_t drop(struct fix *f, const char *terminal, uint8_t id)
{
    struct store_sa_drop o = {.terminal = slice_str(terminal), .said = {id}};

    CU_ASSERT(fix_run(f, &o.op, STORE_SA_DROP) == ERR_OK);
    return o.gone;
}

/* A new one stands beside the last that was confirmed, and takes the place of all others. */
static void replacing_body(struct fix *f)
{
    CU_ASSERT(found(f, "+1") == 0 && confirm(f, 1) == ERR_ABSENT);
    keep(f, "+1", 1, 100, 1000);
    keep(f, "+2", 7, 100, 1000);
    CU_ASSERT(found(f, "+1") == 1);
    keep(f, "+1", 2, 101, 1000);
    reopen(f);
    CU_ASSERT(found(f, "+1") == 2);
    CU_ASSERT(confirm(f, 2) == ERR_OK && confirm(f, 1) == ERR_ABSENT);
    keep(f, "+1", 3, 102, 1000);
    CU_ASSERT(found(f, "+1") == 329);
    keep(f, "+1", 4, 103, 1000);
    reopen(f);
    CU_ASSERT(found(f, "+1") == 429);
    CU_ASSERT(confirm(f, 4) == ERR_OK);
    keep(f, "+1", 5, 104, 1000);
    CU_ASSERT(found(f, "+1") == 549 && found(f, "+2") == 7);
}

/* The first numbers are reserved with it, and go with it. */
static void numbers_body(struct fix *f)
{
    keep(f, "+1", 1, 100, 1000);
    CU_ASSERT(next_number(f, 1) == 11);
    CU_ASSERT(next_number(f, 2) == 1); /* of the operator's: stays, whatever happens here */
    reopen(f);
    CU_ASSERT(next_number(f, 1) == 12);
    keep(f, "+1", 3, 101, 1000);
    CU_ASSERT(next_number(f, 1) == 1 && next_number(f, 3) == 11 && next_number(f, 2) == 2);
}

static void dropping_body(struct fix *f)
{
    keep(f, "+1", 1, 100, 1000);
    CU_ASSERT(confirm(f, 1) == ERR_OK);
    keep(f, "+1", 2, 101, 1000);
    keep(f, "+2", 3, 101, 1000);
    CU_ASSERT(drop(f, "", 9) == 0 && drop(f, "+9", 1) == 0);
    CU_ASSERT(found(f, "+1") == 219 && found(f, "+2") == 3);
    CU_ASSERT(drop(f, "", 2) == 1);
    CU_ASSERT(found(f, "+1") == 19);
    keep(f, "+1", 4, 102, 1000);
    CU_ASSERT(drop(f, "+1", 0) == 2);
    reopen(f);
    CU_ASSERT(found(f, "+1") == 0 && found(f, "+2") == 3);
}

/* What has run out goes, some at a time, as new ones come. */
static void tidying_body(struct fix *f)
{
    for (uint8_t i = 0; i < 20; i++) {
        char terminal[] = {'+', (char)('a' + i), 0};

        keep(f, terminal, (uint8_t)(10 + i), 100, 200 + i);
    }
    keep(f, "+1", 1, 205, 1000); /* six have run out: 200 to 205 */
    for (uint8_t i = 0; i < 20; i++) {
        char terminal[] = {'+', (char)('a' + i), 0};

        test_row(i);
        CU_ASSERT((found(f, terminal) == 0) == (i <= 5));
    }
    keep(f, "+2", 2, 10000, 20000); /* eight at a time */
    CU_ASSERT(found(f, "+n") == 0 && found(f, "+o") != 0 && found(f, "+1") == 1);
}

static void listed(struct fix *f, const char *terminal, uint8_t id, size_t max, const char *want, bool more)
{
    struct store_sa_list o = {.terminal = slice_str(terminal), .said = {id}, .by_said = id != 0, .max = max};
    char names[32] = "";

    CU_ASSERT(fix_run(f, &o.op, STORE_SA_LIST) == ERR_OK);
    for (size_t i = 0; i < o.n; i++) {
        names[i] = (char)('0' + o.sas[i].said[0]);
        CU_ASSERT(o.sas[i].octets.n == 0 && o.sas[i].expires_s == 1000);
    }
    if (strcmp(names, want) != 0 || o.more != more)
        (void)fprintf(stderr, "listed %s\n", names);
    CU_ASSERT(strcmp(names, want) == 0 && o.more == more);
    arena_clear(&o.mem);
}

static void listing_body(struct fix *f)
{
    listed(f, "", 0, 5, "", false);
    keep(f, "+2", 3, 101, 1000);
    keep(f, "+1", 1, 100, 1000);
    CU_ASSERT(confirm(f, 1) == ERR_OK);
    keep(f, "+1", 2, 101, 1000);
    listed(f, "", 0, 5, "213", false);
    listed(f, "", 0, 3, "213", false);
    listed(f, "", 0, 2, "21", true);
    listed(f, "+1", 0, 5, "21", false);
    listed(f, "+9", 0, 5, "", false);
    listed(f, "", 3, 5, "3", false);
    listed(f, "+1", 3, 5, "", false);
}

#define BOTH(name)                                                                                           \
    static void name(void)                                                                                   \
    {                                                                                                        \
        in_both(name##_body);                                                                                \
    }
BOTH(replacing)
BOTH(numbers)
BOTH(dropping)
BOTH(tidying)
BOTH(listing)

const struct test_case test_cases[] = {
    {"replacing", replacing}, {"numbers", numbers}, {"dropping", dropping},
    {"tidying", tidying},     {"listing", listing}, {NULL, NULL},
};
