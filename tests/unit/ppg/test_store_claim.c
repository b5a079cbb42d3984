/* Claims are fair: initiators take turns, get equal parts, and no more than they have room for.  Targets and notices, by
 * the contract of store.h; every case runs without the store's thread and with it. */
#include <string.h>
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

static void in_both(void (*body)(struct fix *f))
{
    fix_in_both(test_scratch(), body);
}

/* Initiators are one letter; what each has room for, -1 without a ceiling. */
struct rooms {
    const char *names;
    int left[8];
    size_t asked;
};

static size_t room_of(void *arg, struct slice initiator)
{
    struct rooms *r = arg;
    const char *at = strchr(r->names, initiator.p[0]);

    r->asked++;
    CU_ASSERT(initiator.n == 1 && at);
    return !at || r->left[at - r->names] < 0 ? SIZE_MAX : (size_t)r->left[at - r->names];
}

static void insert(struct fix *f, char initiator, int no, size_t targets_n, int64_t due_ms)
{
    char name[16];

    (void)snprintf(name, sizeof name, "%d", no);
    CU_ASSERT(fix_insert(f, (const char[]){initiator, 0}, name, targets_n, due_ms, false) > 0);
}

/* The initiators of what was claimed, as letters. */
static const char *letters(const struct store_claim *o)
{
    static char text[4096];
    size_t n = 0;

    LIST_EACH (at, &o->targets)
        if (n + 1 < sizeof text)
            text[n++] = container_of(at, struct ppg_target, link)->push->initiator.p[0];
    text[n] = 0;
    return text;
}

static void claims(struct fix *f, struct store_claim *o, const char *want)
{
    CU_ASSERT_FATAL(fix_run(f, &o->op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT_STRING_EQUAL(letters(o), want);
}

static void equal_parts_body(struct fix *f)
{
    struct store_claim o = {.now_ms = 100, .max = 6, .max_n = SIZE_MAX};

    insert(f, 'a', 1, 100, 5);
    insert(f, 'b', 1, 2, 90);
    insert(f, 'c', 1, 1, 100);
    claims(f, &o, "aabbca");
    CU_ASSERT(o.more && o.next_due_ms == 5 && o.shares_n == 3);
    TEST_SLICE_EQ(o.shares[0].initiator, SLICE("a"));
    CU_ASSERT(o.shares[0].next_due_ms == 5 && o.shares[1].next_due_ms == 0 && o.shares[2].next_due_ms == 0);
    fix_drop_claim(&o);
    insert(f, 'b', 2, 5, 7);
    claims(f, &o, "bbbaaa"); /* a was served last */
    CU_ASSERT(o.shares_n == 2 && o.shares[0].next_due_ms == 5 && o.shares[1].next_due_ms == 7);
    fix_drop_claim(&o);
    o.max = 1000;
    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT(fix_length(&o.targets) == 96 && strncmp(letters(&o), "bba", 3) == 0);
    CU_ASSERT(!o.more && o.next_due_ms == 0);
    fix_drop_claim(&o);
    claims(f, &o, "");
    CU_ASSERT(o.shares_n == 0 && !o.more);
    fix_drop_claim(&o);
}

/* More initiators than a claim brings: it goes on where the last one ended. */
static void turns_go_on_body(struct fix *f)
{
    static const char *const want[] = {"abc", "dea", "bcd", "ebc"}; /* a has two only */
    struct store_claim o = {.now_ms = 100, .max = 3, .max_n = SIZE_MAX};

    insert(f, 'a', 1, 2, 5);
    for (char c = 'b'; c <= 'e'; c++)
        insert(f, c, 1, 9, 5);
    for (size_t i = 0; i < COUNT(want); i++) {
        test_row(i);
        claims(f, &o, want[i]);
        fix_drop_claim(&o);
    }
}

static void room_is_kept_body(struct fix *f)
{
    struct rooms r = {.names = "abc", .left = {0, 2, -1}};
    struct store_claim o = {.now_ms = 100, .max = 10, .max_n = SIZE_MAX, .room = room_of, .room_arg = &r};

    insert(f, 'a', 1, 5, 5);
    insert(f, 'b', 1, 5, 6);
    insert(f, 'c', 1, 5, 7);
    claims(f, &o, "bbccccc");
    CU_ASSERT(r.asked == 3); /* once each */
    CU_ASSERT(o.more && o.next_due_ms == 5);
    CU_ASSERT(o.shares[0].next_due_ms == 5 && o.shares[1].next_due_ms == 6 && o.shares[2].next_due_ms == 0);
    fix_drop_claim(&o);
    r.left[0] = 1;
    r.left[1] = 0;
    claims(f, &o, "a");
    CU_ASSERT(o.shares_n == 2);
    fix_drop_claim(&o);
}

/* Within one initiator: due time, then acceptance, across leases of older runs. */
static void order_within_one_body(struct fix *f)
{
    static const int64_t due[] = {30, 10, 20, 10, 40, 10};
    static const size_t want[] = {1, 3, 5, 2, 0};
    struct store_claim o = {.now_ms = 30, .max = 20, .max_n = SIZE_MAX};
    int64_t ids[COUNT(due)];
    size_t at = 0;

    for (size_t i = 0; i < COUNT(due); i++) {
        ids[i] = fix_insert(f, "a", (const char[]){(char)('0' + i), 0}, 1, due[i], i % 2 == 0);
        CU_ASSERT(fix_insert(f, "b", (const char[]){(char)('0' + i), 0}, 1, 1, i % 3 == 0) > 0);
    }
    store_close(&f->s);
    CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_CLAIM) == ERR_OK);
    LIST_EACH (pos, &o.targets) {
        const struct ppg_target *t = container_of(pos, struct ppg_target, link);

        if (t->push->initiator.p[0] == 'a')
            CU_ASSERT(at < COUNT(want) && t->id == ids[want[at++]]);
    }
    CU_ASSERT(at == COUNT(want) && o.next_due_ms == 40 && !o.more && o.shares_n == 2);
    fix_drop_claim(&o);
}

/* Content in memory is bounded too; who did not fit is next. */
static void content_ends_a_claim_body(struct fix *f)
{
    static char body[1000];
    struct store_claim o = {.now_ms = 100, .max = 10, .max_n = 2500};

    for (char c = 'a'; c <= 'c'; c++) {
        struct store_insert in = {.push = NULL};

        for (char no = '1'; no <= '2'; no++) {
            in = (struct store_insert){
                .push = fix_push((const char[]){c, 0}, (const char[]){no, 0}, c == 'a' ? 3 : 1, 5)};
            in.push->body = slice_of(body, sizeof body);
            CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
            ppg_push_drop(in.push);
        }
    }
    claims(f, &o, "aaab"); /* three targets share one content */
    CU_ASSERT(o.more);
    fix_drop_claim(&o);
    claims(f, &o, "cc");
    fix_drop_claim(&o);
    claims(f, &o, "aaab");
    CU_ASSERT(!o.more);
    fix_drop_claim(&o);
}

static void big_content_takes_turns_body(struct fix *f)
{
    static const char *const want[] = {"ab", "ca", "bc", ""};
    static char body[1000];
    struct store_claim o = {.now_ms = 100, .max = 10, .max_n = 2500};

    for (char c = 'a'; c <= 'c'; c++)
        for (char no = '1'; no <= '2'; no++) {
            struct store_insert in = {.push = fix_push((const char[]){c, 0}, (const char[]){no, 0}, 1, 5)};

            in.push->body = slice_of(body, sizeof body);
            CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
            ppg_push_drop(in.push);
        }
    o.max = 3;
    for (size_t i = 0; i < COUNT(want); i++) {
        test_row(i);
        claims(f, &o, want[i]);
        fix_drop_claim(&o);
    }
}

/* One with a long queue does not hold up another's single push. */
static void flood_and_one_body(struct fix *f)
{
    struct store_claim o = {.now_ms = 100, .max = 100, .max_n = SIZE_MAX};

    insert(f, 'f', 1, 5000, 1);
    insert(f, 'o', 1, 1, 99);
    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT(strchr(letters(&o), 'o') != NULL && fix_length(&o.targets) == 100);
    CU_ASSERT(container_of(o.targets.prev, struct ppg_target, link)->leased);
    fix_drop_claim(&o);
}

/* ---- notices ---- */

static void owe(struct fix *f, char initiator, int no, size_t n, int64_t event_ms)
{
    char name[16];
    int64_t id;

    (void)snprintf(name, sizeof name, "%d", no);
    id = fix_insert(f, (const char[]){initiator, 0}, name, n, 5, true);
    for (size_t i = 0; i < n; i++) {
        struct store_finish fin = {.target_id = id + (int64_t)i,
                                   .stage = ST_DELIVERED,
                                   .code = 1000,
                                   .event_ms = event_ms,
                                   .notify = true};

        CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_OK);
    }
}

static void notices_are(struct fix *f, struct store_notice_claim *o, const char *want)
{
    char text[64];
    size_t n = 0;

    CU_ASSERT_FATAL(fix_run(f, &o->op, STORE_NOTICE_CLAIM) == ERR_OK);
    LIST_EACH (at, &o->notices)
        if (n + 1 < sizeof text)
            text[n++] = container_of(at, struct ppg_notice, link)->initiator.p[0];
    text[n] = 0;
    CU_ASSERT_STRING_EQUAL(text, want);
    fix_drop_notices(&o->notices);
}

static void notices_take_turns_body(struct fix *f)
{
    struct store_notice_claim o = {.now_ms = 100, .max = 6};

    owe(f, 'a', 1, 20, 10);
    owe(f, 'b', 1, 1, 90);
    owe(f, 'c', 1, 2, 100);
    store_close(&f->s); /* leases of an older run count as none */
    CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
    notices_are(f, &o, "aabcca");
    CU_ASSERT(o.more && o.next_due_ms == 10);
    owe(f, 'b', 2, 1, 50);
    notices_are(f, &o, "aaaaaa"); /* b's new one is leased to this run */
    o.max = 100;
    notices_are(f, &o, "aaaaaaaaaaa");
    CU_ASSERT(!o.more && o.next_due_ms == 0);
}

/* Who has no room is left out of everything: of what is taken, of what is due next, of whether there is more. */
static void notices_without_room_body(struct fix *f)
{
    struct rooms r = {.names = "abc", .left = {0, 2, -1}};
    struct store_notice_claim o = {.now_ms = 100, .max = 10, .room = room_of, .room_arg = &r};

    owe(f, 'a', 1, 5, 10);
    owe(f, 'b', 1, 3, 20);
    owe(f, 'c', 1, 1, 30);
    owe(f, 'c', 2, 1, 300);
    store_close(&f->s);
    CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
    notices_are(f, &o, "bbc");
    CU_ASSERT(o.more && o.next_due_ms == 20); /* b had room and has more */
    r.left[1] = 0;
    notices_are(f, &o, "");
    CU_ASSERT(!o.more && o.next_due_ms == 300);
    r.left[2] = 0;
    notices_are(f, &o, "");
    CU_ASSERT(!o.more && o.next_due_ms == 0);
    r.left[0] = -1;
    notices_are(f, &o, "aaaaa");
}

#define BOTH(name)                                                                                           \
    static void name(void)                                                                                   \
    {                                                                                                        \
        in_both(name##_body);                                                                                \
    }
BOTH(equal_parts)
BOTH(turns_go_on)
BOTH(room_is_kept)
BOTH(order_within_one)
BOTH(content_ends_a_claim)
BOTH(big_content_takes_turns)
BOTH(flood_and_one)
BOTH(notices_take_turns)
BOTH(notices_without_room)

const struct test_case test_cases[] = {
    {"equal_parts", equal_parts},
    {"turns_go_on", turns_go_on},
    {"room_is_kept", room_is_kept},
    {"order_within_one", order_within_one},
    {"content_ends_a_claim", content_ends_a_claim},
    {"big_content_takes_turns", big_content_takes_turns},
    {"flood_and_one", flood_and_one},
    {"notices_take_turns", notices_take_turns},
    {"notices_without_room", notices_without_room},
    {NULL, NULL},
};
