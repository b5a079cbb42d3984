/* What becomes of a push to a terminal that fetches, on a desk: it waits in the inbox whatever happens, blocks nobody, ends
 * by an acknowledgement or at its deadline; and what is too large to be pushed is told of.  The door is
 * tests/integration/test_inbox.py's. */
#include "ppg/doors/inbox.h"

#include <stdio.h>
#include <string.h>
#include "ppg/item.h"
#include "tests/unit/ppg/core_fix.h"

/* Terminals +1000 (fetches), +1001 (is pushed to, and may fetch; takes 100 octets), +1002 (is pushed to). */
static struct replay_world *world(const char *name)
{
    struct replay_world *w = fix_world(name, 3, "ok");

    w->net->terminals[0].fetches = true;
    w->net->terminals[1].inbox = true;
    w->net->terminals[1].max_size = 100;
    w->net->terminals[2].max_size = 100;
    return w;
}

static size_t items(struct replay_world *w, const char *key, int64_t *first)
{
    struct store_inbox o = {.key = slice_str(key), .now_ms = clk_utc_ms(&w->clk.clk), .max = 100};
    size_t n;

    CU_ASSERT_FATAL(replay_store(w, &o.op, STORE_INBOX) == ERR_OK);
    n = o.items_n;
    if (n && first)
        *first = o.items[0].id;
    arena_clear(&o.mem);
    return n;
}

static enum err acknowledge(struct replay_world *w, const char *key, int64_t id)
{
    struct store_finish o = {.target_id = id,
                             .initiator = SLICE("pi"),
                             .stage = ST_DELIVERED,
                             .code = 1000,
                             .event_ms = clk_utc_ms(&w->clk.clk),
                             .key = slice_str(key)};

    return replay_store(w, &o.op, STORE_FINISH);
}

static void waits_in_the_inbox(void)
{
    struct replay_world *w = world("waits_in_the_inbox");
    struct replay_state st = {.tries = 7};
    unsigned bell;
    int64_t id = 0;

    replay_set(w, "delivery", "retry-max", "1h"); /* so far the claim at a start looks ahead */
    fix_start(w);
    bell = atomic_load(ppg_shared_bell(&w->shared, SLICE("+1000")));
    (void)fix_submit(w, "a", "+1000",
                     (struct replay_submit){.method = PPG_METHOD_CONFIRMED, .before_ms = 600000});
    (void)fix_submit(w, "b", "+1000",
                     (struct replay_submit){.method = PPG_METHOD_UNCONFIRMED, .before_ms = 600000});
    replay_run(w, 500, REPLAY_TICK_MS);
    CU_ASSERT(items(w, "+1000", &id) == 2 && !replay_busy(w));
    CU_ASSERT(atomic_load(ppg_shared_bell(&w->shared, SLICE("+1000"))) != bell);
    CU_ASSERT(!replay_show(w, SLICE("a"), SLICE("+1000"), &st));
    CU_ASSERT(st.stage == ST_WAITING && st.tries == 0 && !st.leased);
    CU_ASSERT_STRING_EQUAL(st.note, "waits to be fetched");
    CU_ASSERT_FATAL(replay_crash(w, 1000)); /* what looks ahead at the start leaves them */
    replay_run(w, 500, REPLAY_TICK_MS);
    CU_ASSERT(items(w, "+1000", NULL) == 2 && atomic_load(&w->shared.live) == 0);
    CU_ASSERT(acknowledge(w, "+1001", id) == ERR_ABSENT && acknowledge(w, "+1000", id) == ERR_OK);
    CU_ASSERT(fix_is(w, "a", "+1000", ST_DELIVERED, 1000) && items(w, "+1000", NULL) == 1);
    CU_ASSERT(w->net->sends_n == 0);
    fix_end(w);
}

static void ends_at_its_deadline(void)
{
    struct replay_world *w = world("ends_at_its_deadline");

    fix_start(w);
    (void)fix_submit(w, "a", "+1000", (struct replay_submit){.before_ms = 5000, .notify = true});
    replay_run(w, 1000, REPLAY_TICK_MS);
    CU_ASSERT(items(w, "+1000", NULL) == 1);
    replay_run(w, 6000, REPLAY_TICK_MS);
    CU_ASSERT(items(w, "+1000", NULL) == 0 && fix_is(w, "a", "+1000", ST_EXPIRED, 4000));
    CU_ASSERT(w->net->notices_n == 1);
    fix_end(w);
}

static void told_where_it_is(void)
{
    struct replay_world *w = world("told_where_it_is");
    char url[200], name[PPG_ITEM_ID_N];
    int64_t id = 0;

    replay_set(w, "inbox", "url", "https://gw.example:4038");
    fix_start(w);
    (void)fix_submit(w, "a", "+1001", (struct replay_submit){.body_n = 101});
    replay_run(w, 200, REPLAY_TICK_MS);
    CU_ASSERT_FATAL(fix_sent(w, "a") == 1 && items(w, "+1001", &id) == 1);
    ppg_item_print(store_name(w->shared.store), id, name);
    (void)snprintf(url, sizeof url,
                   "message/external-body; access-type=URL; URL=\"https://gw.example:4038/inbox/%s\"; "
                   "expiration=\"",
                   name);
    CU_ASSERT(strncmp(w->net->sends[0].type, url, strlen(url)) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(w->net->sends[0].type, "\"; size=101; hash="));
    CU_ASSERT(strncmp(w->net->sends[0].message_id, name, strlen(name)) == 0 &&
              strcmp(w->net->sends[0].message_id, name) != 0); /* a message of its own */
    CU_ASSERT(fix_is(w, "a", "+1001", ST_WAITING, 0));
    (void)fix_submit(w, "b", "+1001", (struct replay_submit){.body_n = 100}); /* not held up by it */
    replay_run(w, 200, REPLAY_TICK_MS);
    CU_ASSERT(fix_is(w, "b", "+1001", ST_DELIVERED, 1000));
    CU_ASSERT(acknowledge(w, "+1001", id) == ERR_OK && fix_is(w, "a", "+1001", ST_DELIVERED, 1000));
    CU_ASSERT(fix_sent(w, "a") == 1);
    fix_end(w);
}

/* Content, who gets it, what the operator set: pushed, told of, or refused. */
static void pushed_told_or_refused(void)
{
    static const struct {
        const char *to, *url, *above;
        size_t body_n;
        uint8_t asked;
        enum ppg_stage want;
        unsigned code;
        bool told;
    } rows[] = {
        {"+1001", "https://gw.example", "0", 100, 0, ST_DELIVERED, 1000, false},
        {"+1001", "https://gw.example", "0", 101, 0, ST_WAITING, 0, true},
        {"+1001", "https://gw.example", "50", 51, 0, ST_WAITING, 0, true}, /* as the operator wants it */
        {"+1001", "https://gw.example", "50", 50, 0, ST_DELIVERED, 1000, false},
        {"+1001", "https://gw.example", "0", (1u << 20) + 1, 0, ST_WAITING, 0,
         true},                                                    /* more than the bearer takes */
        {"+1001", "", "0", 101, 0, ST_UNDELIVERABLE, 2006, false}, /* no address to tell */
        {"+1002", "https://gw.example", "0", 101, 0, ST_UNDELIVERABLE, 2006, false}, /* it may not fetch */
        {"+1002", "https://gw.example", "50", 51, 0, ST_DELIVERED, 1000, false},
        {"+1001", "https://gw.example", "0", 101, 2, ST_UNDELIVERABLE, 2005,
         false}, /* the notice could not be protected */
        {"+1000", "", "50", 101, 0, ST_WAITING, 0, false},
        {"+1000", "", "0", 101, 2, ST_WAITING, 0, false}, /* its door protects */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = world("pushed_told_or_refused");

        test_row(i);
        replay_set(w, "inbox", "url", rows[i].url);
        replay_set(w, "inbox", "indirect-above", rows[i].above);
        fix_start(w);
        (void)fix_submit(w, "a", rows[i].to,
                         (struct replay_submit){.body_n = rows[i].body_n, .asked = rows[i].asked});
        replay_run(w, 300, REPLAY_TICK_MS);
        CU_ASSERT(fix_is(w, "a", rows[i].to, rows[i].want, rows[i].code));
        CU_ASSERT(fix_sent(w, "a") == (rows[i].told || rows[i].want == ST_DELIVERED));
        CU_ASSERT(!rows[i].told || strncmp(w->net->sends[0].type, "message/external-body", 21) == 0);
        fix_end(w);
    }
}

/* A terminal that cannot be told is tried as ever; one that can be reached again gets what it did not fetch. */
static void what_cannot_be_told_is_tried_again(void)
{
    struct replay_world *w = world("what_cannot_be_told");

    MUST(word_answers(SLICE("retry, ok"), word_terminal_answer, &w->net->terminals[1].answers));
    replay_set(w, "inbox", "url", "https://gw.example");
    fix_start(w);
    (void)fix_submit(w, "a", "+1001", (struct replay_submit){.body_n = 101});
    replay_run(w, 300, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 1 && items(w, "+1001", NULL) == 1); /* it may fetch in the meantime */
    replay_run(w, 3600000, 60000);
    CU_ASSERT(fix_sent(w, "a") == 2 && items(w, "+1001", NULL) == 1 &&
              fix_is(w, "a", "+1001", ST_WAITING, 0));
    fix_end(w);
}

const struct test_case test_cases[] = {
    {"waits_in_the_inbox", waits_in_the_inbox},
    {"ends_at_its_deadline", ends_at_its_deadline},
    {"told_where_it_is", told_where_it_is},
    {"pushed_told_or_refused", pushed_told_or_refused},
    {"what_cannot_be_told_is_tried_again", what_cannot_be_told_is_tried_again},
    {NULL, NULL},
};
