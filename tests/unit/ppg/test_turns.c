/* Whose notification goes next: the dynamic threshold on slots and places, windows of servers, turns, and a naive twin
 * under random operations. */
#include "ppg/turns.h"

#include <stdio.h>
#include "tests/unit/base/random.h"
#include "tests/unit/harness.h"

#define ITEMS 256u

struct desk {
    struct ppg_turns *t;
    struct ppg_turn items[ITEMS];
    size_t n;
};

static void desk_open(struct desk *d, size_t slots, size_t places, size_t per_server)
{
    const struct ppg_turns_conf conf = {
        .slots_max = slots, .places_max = places, .per_server_max = per_server};

    *d = (struct desk){.n = 0};
    CU_ASSERT_FATAL(ppg_turns_create(&conf, &d->t) == ERR_OK);
}

/* Everything that is still held goes. */
static void desk_close(struct desk *d)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->items[i].initiator)
            ppg_turns_drop(d->t, &d->items[i]);
    CU_ASSERT(ppg_turns_held(d->t) == 0);
    ppg_turns_free(&d->t);
    CU_ASSERT_PTR_NULL(d->t);
}

static enum err add(struct desk *d, const char *initiator, const char *server)
{
    enum err e = ppg_turns_add(d->t, &d->items[d->n], slice_str(initiator), slice_str(server));

    d->n += e == ERR_OK;
    return e;
}

/* Until refused; how many were taken. */
static size_t flood(struct desk *d, const char *initiator, const char *server)
{
    size_t n = 0;

    while (add(d, initiator, server) == ERR_OK)
        n++;
    return n;
}

static void drop(struct desk *d, struct ppg_turn *item)
{
    ppg_turns_drop(d->t, item);
    item->initiator = NULL;
    (void)d;
}

/* Puts on the wire what may go; how many. */
static size_t send_all(struct desk *d)
{
    size_t n = 0;

    while (ppg_turns_next(d->t))
        n++;
    return n;
}

/* Each flooding initiator stops at a quarter of what it leaves; a server leaves room for another of its initiator's. */
static void case_slots(void)
{
    struct desk d;

    desk_open(&d, 120, 10, 8);
    CU_ASSERT(flood(&d, "a", "dead") == 14);
    CU_ASSERT(flood(&d, "a", "alive") == 10); /* a holds 24, 96 are free */
    CU_ASSERT(add(&d, "a", "third") == ERR_LIMIT);
    CU_ASSERT(flood(&d, "b", "dead2") == 11);
    CU_ASSERT(flood(&d, "c", "dead3") == 10);
    CU_ASSERT(add(&d, "d", "dead4") == ERR_OK);
    CU_ASSERT(ppg_turns_free_slots(d.t) == 120 - ppg_turns_held(d.t));
    desk_close(&d);
}

/* Initiators with five dead servers each: each finds a place, and leaves one. */
static void case_places(void)
{
    struct desk d;
    char name[16];
    size_t sent = 0;

    desk_open(&d, 10000, 40, 1000);
    for (unsigned i = 0; i < 12; i++) {
        (void)snprintf(name, sizeof name, "pi%u", i);
        for (unsigned k = 0; k < 5; k++) {
            char server[24];

            (void)snprintf(server, sizeof server, "s%u.%u", i, k);
            CU_ASSERT(add(&d, name, server) == ERR_OK);
        }
        test_row(i);
        CU_ASSERT(send_all(&d) > 0);
        sent = 0;
        for (size_t k = 0; k < d.n; k++)
            sent += d.items[k].on_wire;
        CU_ASSERT(sent < 40);
    }
    desk_close(&d);
}

/* One place until it answers, one more with each good answer up to the ceiling, one again after a failure. */
static void case_window(void)
{
    struct desk d;
    struct ppg_turn *on;

    desk_open(&d, 300, 100, 3);
    for (unsigned i = 0; i < 20; i++)
        CU_ASSERT_FATAL(add(&d, "a", "s") == ERR_OK);
    CU_ASSERT_FATAL((on = ppg_turns_next(d.t)) != NULL);
    CU_ASSERT_PTR_NULL(ppg_turns_next(d.t));
    ppg_turns_off(d.t, on, PPG_TURN_NOTHING);
    CU_ASSERT_FATAL((on = ppg_turns_next(d.t)) != NULL);
    CU_ASSERT_PTR_NULL(ppg_turns_next(d.t));
    ppg_turns_off(d.t, on, PPG_TURN_GOOD);
    CU_ASSERT_FATAL((on = ppg_turns_next(d.t)) != NULL);
    CU_ASSERT(send_all(&d) == 1);
    ppg_turns_off(d.t, on, PPG_TURN_GOOD);
    CU_ASSERT_FATAL((on = ppg_turns_next(d.t)) != NULL);
    CU_ASSERT(send_all(&d) == 1);
    ppg_turns_off(d.t, on, PPG_TURN_GOOD); /* 3 is the ceiling */
    CU_ASSERT_FATAL((on = ppg_turns_next(d.t)) != NULL);
    CU_ASSERT(send_all(&d) == 0);
    ppg_turns_off(d.t, on, PPG_TURN_BAD); /* two are still on the wire */
    CU_ASSERT_PTR_NULL(ppg_turns_next(d.t));
    desk_close(&d);
}

/* Initiators take turns; behind a server without a place another server's item goes. */
static void case_turns(void)
{
    static const char *const want[] = {"a", "b", "c", "a", "c"};
    struct desk d;

    desk_open(&d, 300, 100, 8);
    CU_ASSERT(add(&d, "a", "s1") == ERR_OK && add(&d, "a", "s1") == ERR_OK && add(&d, "a", "s2") == ERR_OK);
    CU_ASSERT(add(&d, "b", "s3") == ERR_OK && add(&d, "b", "s3") == ERR_OK);
    CU_ASSERT(add(&d, "c", "s4") == ERR_OK && add(&d, "c", "s5") == ERR_OK);
    for (size_t i = 0; i < COUNT(want); i++) {
        const struct ppg_turn *item = ppg_turns_next(d.t);

        test_row(i);
        CU_ASSERT_FATAL(item != NULL);
        TEST_SLICE_EQ(ppg_turn_initiator(item), slice_str(want[i]));
        if (i == 3)
            TEST_SLICE_EQ(ppg_turn_server(item), SLICE("s2"));
    }
    CU_ASSERT_PTR_NULL(ppg_turns_next(d.t));
    desk_close(&d);
}

/* Two initiators at one server share its window. */
static void case_shared_server(void)
{
    struct desk d;

    desk_open(&d, 300, 100, 8);
    CU_ASSERT(add(&d, "a", "s") == ERR_OK && add(&d, "b", "s") == ERR_OK);
    CU_ASSERT(send_all(&d) == 1);
    drop(&d, &d.items[0]);
    CU_ASSERT(send_all(&d) == 1);
    desk_close(&d);
}

/* room() says beforehand how many add() takes, for those who hold something and for strangers. */
static void case_room(void)
{
    struct desk d;
    size_t room, pos = 0, n = 0;
    struct slice name;
    char server[24];

    desk_open(&d, 101, 10, 8);
    CU_ASSERT(ppg_turns_room(d.t, SLICE("a")) == 21);
    for (unsigned i = 0; i < 17; i++) {
        (void)snprintf(server, sizeof server, "s%u", i);
        CU_ASSERT(add(&d, "a", server) == ERR_OK);
    }
    for (unsigned round = 0; round < 2; round++) {
        const char *who = round ? "b" : "a";

        room = ppg_turns_room(d.t, slice_str(who));
        CU_ASSERT(room > 0);
        for (size_t i = 0; i < room; i++) {
            (void)snprintf(server, sizeof server, "t%zu", i);
            CU_ASSERT(add(&d, who, server) == ERR_OK);
        }
        CU_ASSERT(add(&d, who, "u") == ERR_LIMIT && ppg_turns_room(d.t, slice_str(who)) == 0);
    }
    while (ppg_turns_each(d.t, &pos, &name))
        n += slice_eq(name, SLICE("a")) || slice_eq(name, SLICE("b"));
    CU_ASSERT(n == 2);
    desk_close(&d);
}

/* What waits comes back, what is on the wire stays; nothing is known of anybody afterwards. */
static void case_recall(void)
{
    struct desk d;
    struct ppg_turn *item;
    size_t n = 0, pos = 0;
    struct slice name;

    desk_open(&d, 100, 10, 8);
    CU_ASSERT_PTR_NULL(ppg_turns_recall(d.t));
    for (unsigned i = 0; i < 6; i++)
        CU_ASSERT(add(&d, i % 2 ? "a" : "b", i % 2 ? "s" : "v") == ERR_OK);
    CU_ASSERT(send_all(&d) == 2);
    while ((item = ppg_turns_recall(d.t))) {
        CU_ASSERT(!item->on_wire);
        drop(&d, item);
        n++;
    }
    CU_ASSERT(n == 4 && ppg_turns_held(d.t) == 2);
    for (size_t i = 0; i < d.n; i++)
        if (d.items[i].initiator)
            drop(&d, &d.items[i]);
    CU_ASSERT(!ppg_turns_each(d.t, &pos, &name));
    desk_close(&d);
}

/* Places counted the slow way. */
static size_t on_wire(const struct desk *d, struct slice initiator, struct slice server)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++)
        if (d->items[i].initiator && d->items[i].on_wire &&
            (!initiator.p || slice_eq(ppg_turn_initiator(&d->items[i]), initiator)) &&
            (!server.p || slice_eq(ppg_turn_server(&d->items[i]), server)))
            n++;
    return n;
}

static void check_next(struct desk *d)
{
    struct ppg_turn *item = ppg_turns_next(d->t);
    size_t others;

    if (!item)
        return;
    others = on_wire(d, SLICE_NONE, SLICE_NONE) - 1;
    CU_ASSERT(4 * (on_wire(d, ppg_turn_initiator(item), SLICE_NONE) - 1) < 12 - others);
    CU_ASSERT(on_wire(d, SLICE_NONE, ppg_turn_server(item)) <= 4);
}

static void case_random(void)
{
    uint32_t r = 7391;
    struct desk d;
    char initiator[16], server[16];
    size_t held = 0;

    desk_open(&d, 60, 12, 4);
    for (unsigned step = 0; step < 20000; step++) {
        struct ppg_turn *item = &d.items[random_below(&r, 80)];

        if (!item->initiator && random_below(&r, 2)) {
            (void)snprintf(initiator, sizeof initiator, "i%u", (unsigned)random_below(&r, 6));
            (void)snprintf(server, sizeof server, "s%u", (unsigned)random_below(&r, 9));
            if (ppg_turns_add(d.t, item, slice_str(initiator), slice_str(server)))
                item->initiator = NULL;
            else
                held++;
            d.n = 80;
        } else if (item->initiator && item->on_wire) {
            ppg_turns_off(d.t, item, (enum ppg_turn_word)random_below(&r, 3));
        } else if (item->initiator && random_below(&r, 3) == 0) {
            drop(&d, item);
            held--;
        } else {
            check_next(&d);
        }
        CU_ASSERT(ppg_turns_held(d.t) == held && held < 60);
    }
    desk_close(&d);
}

const struct test_case test_cases[] = {{"slots", case_slots},
                                       {"places", case_places},
                                       {"window", case_window},
                                       {"turns", case_turns},
                                       {"shared_server", case_shared_server},
                                       {"room", case_room},
                                       {"recall", case_recall},
                                       {"random", case_random},
                                       {NULL, NULL}};
