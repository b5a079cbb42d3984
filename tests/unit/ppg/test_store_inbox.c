/* The inbox of a terminal: what waits for it until it calls or fetches, by the contract of store.h; without the store's
 * thread and with it. */
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

#define NOW 5000

/* To the inbox of its terminal, as schedule.c puts it there.  fix_push() gives the n-th target the key "tel:N". */
static void park(struct fix *f, int64_t id, bool by_call)
{
    struct store_move o = {.target_id = id, .due_ms = 100000000, .tries = 1, .by_call = by_call};

    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_MOVE) == ERR_OK);
}

static struct store_inbox list(struct fix *f, const char *key, int64_t after_id, size_t max)
{
    struct store_inbox o = {.key = slice_str(key), .after_id = after_id, .now_ms = NOW, .max = max};

    CU_ASSERT(fix_run(f, &o.op, STORE_INBOX) == ERR_OK);
    return o;
}

static size_t listed(struct fix *f, const char *key)
{
    struct store_inbox o = list(f, key, 0, 10);

    arena_clear(&o.mem);
    return o.items_n;
}

static enum err item(struct fix *f, const char *key, int64_t id, int64_t now_ms)
{
    struct store_item o = {.key = slice_str(key), .id = id, .now_ms = now_ms};
    enum err e = fix_run(f, &o.op, STORE_ITEM);

    CU_ASSERT((e == ERR_OK) == (o.target != NULL));
    if (o.target)
        ppg_push_drop(o.target->push);
    return e;
}

static enum err take(struct fix *f, const char *key, int64_t id, bool notify, struct store_finish *out)
{
    struct store_finish o = {.target_id = id,
                             .stage = ST_DELIVERED,
                             .code = 1000,
                             .tries = 1,
                             .event_ms = NOW,
                             .key = slice_str(key),
                             .notify = notify};
    enum err e = fix_run(f, &o.op, STORE_FINISH);

    if (out)
        *out = o;
    return e;
}

static void lists_what_waits_for_the_terminal_body(struct fix *f)
{
    int64_t a = fix_insert(f, "mms", "a", 2, 100, true), b = fix_insert(f, "bank", "b", 1, 100, true);
    int64_t c = fix_insert(f, "bank", "c", 1, 100, true);
    struct store_inbox o;

    CU_ASSERT(listed(f, "tel:1") == 0); /* in the hands of a loop */
    park(f, b, true);
    park(f, a, true);
    park(f, a + 1, true);
    park(f, c, false); /* a retry, not for fetching */
    o = list(f, "tel:1", 0, 10);
    CU_ASSERT_FATAL(o.items_n == 2 && !o.more);
    CU_ASSERT(o.items[0].id == a && o.items[1].id == b); /* the oldest first */
    CU_ASSERT(o.items[0].body_n == 5 && o.items[0].expires_ms == 100000000 && o.items[0].accepted_ms == 1000);
    arena_clear(&o.mem);
    o = list(f, "tel:1", 0, 1);
    CU_ASSERT(o.items_n == 1 && o.more);
    arena_clear(&o.mem);
    o = list(f, "tel:1", a, 1);
    CU_ASSERT(o.items_n == 1 && !o.more && o.items[0].id == b);
    arena_clear(&o.mem);
    o = list(f, "tel:1", 0, 0);
    CU_ASSERT(o.items_n == 0 && o.more);
    arena_clear(&o.mem);
    CU_ASSERT(listed(f, "tel:2") == 1 && listed(f, "tel:3") == 0 && listed(f, "") == 0);
}

static void an_item_comes_with_its_content_body(struct fix *f)
{
    int64_t a = fix_insert(f, "mms", "a", 2, 100, true);
    struct store_item o = {.key = SLICE("tel:2"), .id = a + 1, .now_ms = NOW};

    park(f, a + 1, true);
    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_ITEM) == ERR_OK);
    CU_ASSERT(o.target->id == a + 1 && o.target->tries == 1 && o.target->stage == ST_WAITING);
    CU_ASSERT(slice_eq(o.target->key, SLICE("tel:2")) && slice_eq(o.target->push->body, SLICE("hello")));
    CU_ASSERT(slice_eq(o.target->push->initiator, SLICE("mms")));
    ppg_push_drop(o.target->push);
    CU_ASSERT(listed(f, "tel:2") == 1);                    /* it stays */
    CU_ASSERT(item(f, "tel:1", a + 1, NOW) == ERR_ABSENT); /* another's */
    CU_ASSERT(item(f, "tel:1", a, NOW) == ERR_ABSENT);     /* held */
    CU_ASSERT(item(f, "tel:2", a + 7, NOW) == ERR_ABSENT); /* nobody's */
    CU_ASSERT(item(f, "tel:2", -1, NOW) == ERR_ABSENT);
    CU_ASSERT(item(f, "tel:2", a + 1, 100000000) == ERR_ABSENT); /* past its deadline */
}

static void fetched_is_final_once_body(struct fix *f)
{
    int64_t a = fix_insert(f, "mms", "a", 2, 100, true);
    struct store_notice_claim n = {.now_ms = NOW, .max = 10};
    struct store_finish o;

    park(f, a, true);
    CU_ASSERT(take(f, "tel:2", a, true, NULL) == ERR_ABSENT);     /* another's */
    CU_ASSERT(take(f, "tel:2", a + 1, true, NULL) == ERR_ABSENT); /* held */
    CU_ASSERT(take(f, "tel:1", a, true, &o) == ERR_OK && o.notice_id == 0);
    CU_ASSERT(take(f, "tel:1", a, true, NULL) == ERR_ABSENT);
    CU_ASSERT(listed(f, "tel:1") == 0 && item(f, "tel:1", a, NOW) == ERR_ABSENT);
    CU_ASSERT(fix_run(f, &n.op, STORE_NOTICE_CLAIM) == ERR_OK); /* owed once, and nobody's yet */
    CU_ASSERT(fix_length(&n.notices) == 1);
    fix_drop_notices(&n.notices);
}

static void a_claim_ahead_leaves_it_body(struct fix *f)
{
    int64_t a = fix_insert(f, "mms", "a", 2, 100, true);
    struct store_claim o = {.now_ms = 100000000, .ahead = true, .max = 10, .max_n = SIZE_MAX};

    park(f, a, true);
    park(f, a + 1, false);
    CU_ASSERT(fix_run(f, &o.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT(fix_length(&o.targets) == 1);
    fix_drop_claim(&o);
    CU_ASSERT(listed(f, "tel:1") == 1);
    CU_ASSERT(fix_claim(f, 100000000, 10) == 1); /* its deadline */
    CU_ASSERT(listed(f, "tel:1") == 0);
}

static void outlives_the_program_body(struct fix *f)
{
    int64_t a = fix_insert(f, "mms", "a", 1, 100, true);

    park(f, a, true);
    store_close(&f->s);
    CU_ASSERT_FATAL(!fix_open(f));
    CU_ASSERT(listed(f, "tel:1") == 1 && item(f, "tel:1", a, NOW) == ERR_OK);
    CU_ASSERT(take(f, "tel:1", a, false, NULL) == ERR_OK);
}

#define IN_BOTH(name)                                                                                        \
    static void name(void)                                                                                   \
    {                                                                                                        \
        fix_in_both(test_scratch(), name##_body);                                                            \
    }
IN_BOTH(lists_what_waits_for_the_terminal)
IN_BOTH(an_item_comes_with_its_content)
IN_BOTH(fetched_is_final_once)
IN_BOTH(a_claim_ahead_leaves_it)
IN_BOTH(outlives_the_program)

const struct test_case test_cases[] = {
    {"lists_what_waits_for_the_terminal", lists_what_waits_for_the_terminal},
    {"an_item_comes_with_its_content", an_item_comes_with_its_content},
    {"fetched_is_final_once", fetched_is_final_once},
    {"a_claim_ahead_leaves_it", a_claim_ahead_leaves_it},
    {"outlives_the_program", outlives_the_program},
    {NULL, NULL},
};
