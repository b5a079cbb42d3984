/* Rounds of a cancel: what the store cancels by itself, what is recalled, what is on the wire or on its way between
 * loops, and what a failure leaves behind.  The ordinary ways are scenarios of tests/replay. */
#include "ppg/control.h"

#include <stdio.h>
#include "ppg/schedule.h"
#include "tests/unit/ppg/core_fix.h"

/* A cancel and its end. */
struct
try {
    struct ppg_cancel x;
    bool done;
    enum err result;
};

static void tried(struct ppg_cancel *x, enum err result)
{
    struct try *t = x->arg;

    CU_ASSERT(!t->done);
    t->done = true;
    t->result = result;
}

static void try_start(struct replay_world *w, struct try *t, const char *initiator, const char *push_id,
                      const struct slice *keys, size_t keys_n)
{
    *t = (struct try){.done = false};
    t->x.cancel.initiator = slice_str(initiator);
    t->x.cancel.push_id = slice_str(push_id);
    t->x.cancel.keys = keys;
    t->x.cancel.keys_n = keys_n;
    t->x.done = tried;
    t->x.arg = t;
    ppg_cancel_start(w->cores[0].core.control, &t->x);
    CU_ASSERT(!t->done && ppg_control_under_way(w->cores[0].core.control) == 1);
    CU_ASSERT(ppg_core_busy(&w->cores[0].core));
}

/* What was said about the i-th target; then the memory goes. */
static bool try_end(struct try *t, enum err result, const enum store_cancel_what *whats, size_t n)
{
    bool good = t->done && t->result == result && (result || t->x.cancel.targets_n == n);

    for (size_t i = 0; good && !result && i < n; i++)
        good = t->x.cancel.targets[i].what == whats[i];
    CU_ASSERT(list_empty(&t->x.released) && ppg_control_under_way(t->x.control) == 0);
    arena_clear(&t->x.cancel.mem);
    return good;
}
#define TRY_END(t, ...)                                                                                      \
    try_end(t, ERR_OK, (const enum store_cancel_what[]){__VA_ARGS__},                                        \
            COUNT(((const enum store_cancel_what[]){__VA_ARGS__})))

static void submit_to(struct replay_world *w, const char *push_id, size_t n, struct replay_submit how)
{
    static const struct slice to[] = {SLICE("+1000"), SLICE("+1001"), SLICE("+1002"), SLICE("+1003")};

    how.push_id = slice_str(push_id);
    how.initiator = SLICE("pi");
    how.to = to;
    how.to_n = n;
    (void)replay_submit(w, &how);
    replay_turn(w);
}

/* Nothing is said before the commit; one question when nobody holds anything; a second cancel is too late. */
static void test_in_the_store(void)
{
    struct replay_world *w = fix_world("in_the_store", 2, "ok");
    struct try t;

    fix_start(w);
    submit_to(w, "a", 2, (struct replay_submit){.after_ms = 3600000, .notify = true});
    atomic_store(&w->shared.next_notice_ms, INT64_MAX);
    try_start(w, &t, "pi", "a", NULL, 0);
    ppg_core_flush(&w->cores[0].core);
    CU_ASSERT(store_turn(w->shared.store) && !t.done);
    ppg_core_done(&w->cores[0].core, &w->cores[0].done);
    CU_ASSERT(t.done && t.x.rounds == 1);
    CU_ASSERT(atomic_load(&w->shared.next_notice_ms) == REPLAY_START_MS); /* debts are owed now */
    CU_ASSERT(ppg_cancel_count(&t.x) == 2);
    CU_ASSERT(TRY_END(&t, STORE_CANCEL_DONE, STORE_CANCEL_DONE));
    CU_ASSERT(fix_is(w, "a", "+1000", ST_CANCELLED, 1000) && fix_is(w, "a", "+1001", ST_CANCELLED, 1000));
    atomic_store(&w->shared.next_notice_ms, INT64_MAX);
    try_start(w, &t, "pi", "a", NULL, 0);
    replay_turn(w);
    CU_ASSERT(TRY_END(&t, STORE_CANCEL_LATE, STORE_CANCEL_LATE));
    CU_ASSERT(atomic_load(&w->shared.next_notice_ms) == INT64_MAX);
    replay_run(w, 7200000, 60000);
    CU_ASSERT(w->net->sends_n == 0);
    fix_end(w);
}

/* Who may: its initiator and the operator; strangers among the recipients are named. */
static void test_whose(void)
{
    static const struct {
        const char *initiator;
        const char *push_id;
        enum err want;
    } rows[] = {{"pi", "b", ERR_ABSENT},
                {"other", "a", ERR_ABSENT},
                {"pi", "", ERR_ABSENT},
                {"", "b", ERR_ABSENT},
                {"", "a", ERR_OK}};
    const struct slice keys[] = {SLICE("+1009"), SLICE("+1001"), SLICE("")};
    struct replay_world *w = fix_world("whose", 2, "ok");
    struct try t;

    fix_start(w);
    submit_to(w, "a", 2, (struct replay_submit){.after_ms = 3600000});
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        try_start(w, &t, rows[i].initiator, rows[i].push_id, keys, COUNT(keys));
        replay_turn(w);
        CU_ASSERT(t.done && t.result == rows[i].want);
        if (rows[i].want)
            CU_ASSERT(try_end(&t, rows[i].want, NULL, 0));
    }
    CU_ASSERT(TRY_END(&t, STORE_CANCEL_STRANGER, STORE_CANCEL_DONE, STORE_CANCEL_STRANGER));
    CU_ASSERT(fix_is(w, "a", "+1000", ST_WAITING, 0) && fix_is(w, "a", "+1001", ST_CANCELLED, 1000));
    fix_end(w);
}

/* A lane lets go what waits; what is on the wire is late and goes on; memory is given back. */
static void test_lanes(void)
{
    for (unsigned cores = 1; cores <= 3; cores++) {
        struct replay_world *w = fix_world("lanes", 4, "ok@10s,ok");
        struct try t;

        test_row(cores);
        w->cores_n = cores;
        fix_start(w);
        submit_to(w, "wire", 2, (struct replay_submit){.notify = false});
        submit_to(w, "lane", 2, (struct replay_submit){.notify = true});
        submit_to(w, "next", 4, (struct replay_submit){.notify = false});
        CU_ASSERT(atomic_load(&w->shared.live) == 8); /* two of the next are on the wire */
        try_start(w, &t, "pi", "lane", NULL, 0);
        replay_turn(w);
        CU_ASSERT(t.x.rounds == 2 && atomic_load(&w->shared.live) == 6);
        CU_ASSERT(TRY_END(&t, STORE_CANCEL_DONE, STORE_CANCEL_DONE));
        try_start(w, &t, "pi", "wire", NULL, 0);
        replay_turn(w);
        CU_ASSERT(t.x.rounds == 2);
        CU_ASSERT(TRY_END(&t, STORE_CANCEL_LATE, STORE_CANCEL_LATE));
        try_start(w, &t, "pi", "next", NULL, 0);
        replay_turn(w);
        CU_ASSERT(TRY_END(&t, STORE_CANCEL_DONE, STORE_CANCEL_DONE, STORE_CANCEL_LATE, STORE_CANCEL_LATE));
        replay_run(w, 20000, REPLAY_TICK_MS);
        CU_ASSERT(fix_is(w, "wire", "+1000", ST_DELIVERED, 1000) && fix_sent(w, "lane") == 0);
        CU_ASSERT(fix_sent(w, "next") == 2 && !replay_busy(w) && atomic_load(&w->shared.live) == 0);
        fix_end(w);
    }
}

/* Where a target stays on its way between two loops nobody can let it go: after the last round it is late. */
static void test_force(void)
{
    struct replay_world *w = fix_world("force", 1, "ok");
    struct list held, *at;
    struct try t;

    fix_start(w);
    submit_to(w, "wire", 1, (struct replay_submit){.after_ms = 1000});
    submit_to(w, "a", 1, (struct replay_submit){.after_ms = 1000});
    list_init(&held);
    replay_net_add(w->net, SLICE("+1000"))->answers = (struct replay_answers){.n = 0};
    CU_ASSERT(
        word_answers(SLICE("hang"), word_terminal_answer, &replay_net_add(w->net, SLICE("+1000"))->answers));
    replay_run(w, 2000, REPLAY_TICK_MS);
    CU_ASSERT_FATAL(ppg_schedule_live(w->cores[0].core.schedule) == 2);
    {
        struct replay_state st;
        struct store_show show = {.push_id = SLICE("a")};
        struct ppg_recall r = {.key = SLICE("+1000")};

        CU_ASSERT(replay_show(w, SLICE("a"), SLICE("+1000"), &st) == ERR_OK && st.leased);
        CU_ASSERT_FATAL(replay_store(w, &show.op, STORE_SHOW) == ERR_OK);
        r.id = show.targets[0].id;
        ppg_push_drop(show.push);
        ppg_schedule_recall(w->cores[0].core.schedule, &r, 1);
        CU_ASSERT_FATAL(r.what == PPG_RECALL_RELEASED);
        list_push_back(&held, &r.target->link);
    }
    try_start(w, &t, "pi", "a", NULL, 0);
    replay_turn(w);
    CU_ASSERT(t.x.rounds == PPG_CANCEL_ROUNDS);
    CU_ASSERT(TRY_END(&t, STORE_CANCEL_LATE));
    CU_ASSERT(fix_is(w, "a", "+1000", ST_WAITING, 0));
    ppg_enqueue_spread(&w->cores[0].core, &held); /* it arrives */
    try_start(w, &t, "pi", "a", NULL, 0);
    replay_turn(w);
    CU_ASSERT(t.x.rounds == 2);
    CU_ASSERT(TRY_END(&t, STORE_CANCEL_DONE));
    at = list_pop_front(&held);
    CU_ASSERT(at == NULL);
    fix_end(w);
}

/* The store fails in the first or the second round: what was let go stands where it stood, and goes out in order. */
static void test_failures(void)
{
    for (unsigned round = 1; round <= 2; round++) {
        struct replay_world *w = fix_world("failures", 1, "ok@5s,ok");
        struct try t;

        test_row(round);
        fix_start(w);
        submit_to(w, "wire", 1, (struct replay_submit){.notify = false});
        submit_to(w, "a", 1, (struct replay_submit){.notify = false});
        submit_to(w, "b", 1, (struct replay_submit){.notify = false});
        try_start(w, &t, "pi", "a", NULL, 0);
        w->cut.fails[STORE_CANCEL] = round == 1;
        ppg_core_flush(&w->cores[0].core);
        CU_ASSERT(store_turn(w->shared.store));
        w->cut.fails[STORE_CANCEL] = true;
        replay_turn(w);
        CU_ASSERT(t.x.rounds == round && try_end(&t, ERR_IO, NULL, 0));
        CU_ASSERT(atomic_load(&w->shared.live) == 3);
        replay_run(w, 20000, REPLAY_TICK_MS);
        CU_ASSERT_FATAL(w->net->sends_n == 3);
        CU_ASSERT_STRING_EQUAL(w->net->sends[1].push_id, "a");
        CU_ASSERT_STRING_EQUAL(w->net->sends[2].push_id, "b");
        CU_ASSERT(!replay_busy(w) && atomic_load(&w->shared.live) == 0);
        fix_end(w);
    }
}

/* The power goes in the middle: nothing is left in memory, and the next run delivers. */
static void test_crash(void)
{
    struct replay_world *w = fix_world("crash", 1, "ok@5s,ok");
    struct try t;

    fix_start(w);
    submit_to(w, "wire", 1, (struct replay_submit){.notify = false});
    submit_to(w, "a", 1, (struct replay_submit){.notify = false});
    try_start(w, &t, "pi", "a", NULL, 0);
    ppg_core_flush(&w->cores[0].core);
    CU_ASSERT(store_turn(w->shared.store)); /* somebody holds it; nobody has heard that yet */
    CU_ASSERT_FATAL(replay_crash(w, 1000));
    CU_ASSERT(t.done && t.result != ERR_OK);
    arena_clear(&t.x.cancel.mem);
    replay_run(w, 20000, REPLAY_TICK_MS);
    CU_ASSERT(fix_is(w, "a", "+1000", ST_DELIVERED, 1000));
    fix_end(w);
}

/* An attempt that was taken back is in the history, whatever loop it was on; one that goes on is not, until it ends. */
static void test_withdrawn_leaves_a_line(void)
{
    static const struct {
        const char *answers;
        enum ppg_method method;
        unsigned cores;
        enum store_kind fails;
        enum store_cancel_what what;
        size_t lines;
        const char *last; /* of them */
        unsigned no;
    } rows[] = {
        {"ring@10s", PPG_METHOD_CONFIRMED, 1, STORE_KIND_COUNT, STORE_CANCEL_DONE, 1, "withdrawn", 1},
        {"ring@10s", PPG_METHOD_UNCONFIRMED, 1, STORE_KIND_COUNT, STORE_CANCEL_DONE, 1, "withdrawn", 1},
        {"ring@10s", PPG_METHOD_CONFIRMED, 4, STORE_KIND_COUNT, STORE_CANCEL_DONE, 1, "withdrawn", 1},
        {"retry,ring@10s", PPG_METHOD_CONFIRMED, 1, STORE_KIND_COUNT, STORE_CANCEL_DONE, 2, "withdrawn", 2},
        {"ring@10s", PPG_METHOD_CONFIRMED, 1, STORE_MOVE, STORE_CANCEL_DONE, 0, "", 0},
        {"ok@60s", PPG_METHOD_CONFIRMED, 1, STORE_KIND_COUNT, STORE_CANCEL_LATE, 0, "", 0},
        {"retry,ok@60s", PPG_METHOD_CONFIRMED, 1, STORE_KIND_COUNT, STORE_CANCEL_LATE, 1, "", 1},
        {"retry", PPG_METHOD_CONFIRMED, 1, STORE_KIND_COUNT, STORE_CANCEL_DONE, 2, "", 2},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = fix_world("withdrawn_leaves_a_line", 4, rows[i].answers);
        struct store_show show = {.push_id = SLICE("a")};
        struct try t;

        test_row(i);
        w->cores_n = rows[i].cores;
        fix_start(w);
        submit_to(w, "a", 4, (struct replay_submit){.method = rows[i].method});
        replay_run(w, 8000, REPLAY_TICK_MS);
        if (rows[i].fails != STORE_KIND_COUNT)
            w->cut.fails[rows[i].fails] = true;
        try_start(w, &t, "pi", "a", NULL, 0);
        replay_turn(w);
        CU_ASSERT(TRY_END(&t, rows[i].what, rows[i].what, rows[i].what, rows[i].what));
        w->cut.fails[STORE_MOVE] = false;
        CU_ASSERT_FATAL(replay_store(w, &show.op, STORE_SHOW) == ERR_OK && show.targets_n == 4);
        for (size_t k = 0; k < show.targets_n; k++) {
            const struct store_show_target *at = &show.targets[k];
            const struct store_show_attempt *last;

            CU_ASSERT(at->stage == (rows[i].what == STORE_CANCEL_DONE ? ST_CANCELLED : ST_WAITING));
            CU_ASSERT(at->attempts_n == rows[i].lines);
            if (rows[i].lines == 0 || at->attempts_n != rows[i].lines)
                continue;
            last = &at->attempts[at->attempts_n - 1];
            CU_ASSERT(last->no == rows[i].no && slice_starts(last->note, slice_str(rows[i].last)));
            TEST_SLICE_EQ(last->bearer, SLICE("replay"));
            CU_ASSERT(slice_starts(last->protection, SLICE("level=none")));
            CU_ASSERT(last->began_ms >= REPLAY_START_MS && last->ended_ms >= last->began_ms);
        }
        ppg_push_drop(show.push);
        fix_end(w);
    }
}

/* The store has it before the loop lets go of the target: another loop may cancel at once. */
static void test_noted_before_it_is_let_go(void)
{
    struct replay_world *w = fix_world("noted_before_it_is_let_go", 1, "ring@10s");
    struct ppg_recall r = {.key = SLICE("+1000")};
    struct store_show show = {.push_id = SLICE("a")};
    struct replay_state st;
    struct list back;

    fix_start(w);
    submit_to(w, "a", 1, (struct replay_submit){.method = PPG_METHOD_CONFIRMED});
    replay_run(w, 1000, REPLAY_TICK_MS);
    CU_ASSERT_FATAL(replay_store(w, &show.op, STORE_SHOW) == ERR_OK);
    r.id = show.targets[0].id;
    ppg_push_drop(show.push);
    ppg_schedule_recall(w->cores[0].core.schedule, &r, 1);
    CU_ASSERT_FATAL(r.what == PPG_RECALL_RELEASED);
    CU_ASSERT(list_empty(&w->cores[0].core.ops) && store_turn(w->shared.store));
    CU_ASSERT(replay_show(w, SLICE("a"), SLICE("+1000"), &st) == ERR_OK && st.leased);
    list_init(&back);
    list_push_back(&back, &r.target->link);
    ppg_enqueue_spread(&w->cores[0].core, &back);
    replay_run(w, 20000, REPLAY_TICK_MS);
    CU_ASSERT(fix_is(w, "a", "+1000", ST_DELIVERED, 1000) && fix_sent(w, "a") == 2);
    fix_end(w);
}

/* Two at once for the same: one cancels, the other is late, nobody waits for ever. */
static void test_two_at_once(void)
{
    struct replay_world *w = fix_world("two_at_once", 1, "ok@5s,ok");
    struct try a, b;

    fix_start(w);
    submit_to(w, "wire", 1, (struct replay_submit){.notify = false});
    submit_to(w, "a", 1, (struct replay_submit){.notify = true});
    try_start(w, &a, "pi", "a", NULL, 0);
    b = (struct try){.done = false};
    b.x.cancel.initiator = SLICE("pi");
    b.x.cancel.push_id = SLICE("a");
    b.x.done = tried;
    b.x.arg = &b;
    ppg_cancel_start(w->cores[0].core.control, &b.x);
    replay_turn(w);
    CU_ASSERT(a.done && b.done && ppg_cancel_count(&a.x) + ppg_cancel_count(&b.x) == 1);
    arena_clear(&b.x.cancel.mem);
    arena_clear(&a.x.cancel.mem);
    replay_run(w, 20000, REPLAY_TICK_MS);
    CU_ASSERT(w->net->notices_n == 1 && fix_sent(w, "a") == 0 && !replay_busy(w));
    fix_end(w);
}

/* A replacement takes the same rounds; who gets the new push, and what it says about the old one. */
static void test_replace(void)
{
    static const struct {
        enum ppg_replace how;
        const char *old;
        enum err want;
        size_t replaced_n;
        size_t sent;           /* of the new one, to two terminals */
        enum ppg_stage old_at; /* +1001, which waits behind another */
        enum ppg_stage new_at; /* +1000, to which the old one was delivered */
        unsigned new_code;
    } rows[] = {
        {PPG_REPLACE_ALL, "old", ERR_OK, 1, 2, ST_CANCELLED, ST_DELIVERED, 1000},
        {PPG_REPLACE_PENDING_ONLY, "old", ERR_OK, 1, 1, ST_CANCELLED, ST_CANCELLED, 3003},
        {PPG_REPLACE_ALL, "none", ERR_ABSENT, 0, 0, ST_DELIVERED, ST_COUNT, 0},
        {PPG_REPLACE_PENDING_ONLY, "none", ERR_ABSENT, 0, 0, ST_DELIVERED, ST_COUNT, 0},
    };
    const struct slice last = SLICE("+1001"), to[] = {SLICE("+1000"), SLICE("+1001")};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = fix_world("replace", 1, "ok");
        struct replay_submit how = {
            .push_id = SLICE("wire"), .initiator = SLICE("pi"), .to = &last, .to_n = 1};
        struct replay_submission *s;

        test_row(i);
        CU_ASSERT(
            word_answers(SLICE("ok@5s,ok"), word_terminal_answer, &replay_net_add(w->net, last)->answers));
        fix_start(w);
        (void)replay_submit(w, &how);
        replay_turn(w);
        submit_to(w, "old", 2, (struct replay_submit){.notify = true});
        how = (struct replay_submit){.push_id = SLICE("new"),
                                     .initiator = SLICE("pi"),
                                     .to = to,
                                     .to_n = 2,
                                     .notify = true,
                                     .replaces = slice_str(rows[i].old),
                                     .replace = rows[i].how};
        s = replay_submit(w, &how);
        replay_turn(w);
        CU_ASSERT(s->answered && s->result == rows[i].want && s->enqueue.replaced_n == rows[i].replaced_n);
        replay_run(w, 20000, REPLAY_TICK_MS);
        CU_ASSERT(fix_is(w, "old", "+1000", ST_DELIVERED, 1000));
        CU_ASSERT(fix_is(w, "old", "+1001", rows[i].old_at, 1000) && fix_sent(w, "new") == rows[i].sent);
        if (rows[i].new_at != ST_COUNT)
            CU_ASSERT(fix_is(w, "new", "+1000", rows[i].new_at, rows[i].new_code) &&
                      fix_is(w, "new", "+1001", ST_DELIVERED, 1000));
        CU_ASSERT(w->net->notices_n == (rows[i].want ? 2 : 4));
        CU_ASSERT(!replay_busy(w) && atomic_load(&w->shared.live) == 0);
        fix_end(w);
    }
}

/* A replacement that fails gives back its places and what it had recalled. */
static void test_replace_fails(void)
{
    for (unsigned round = 1; round <= 2; round++) {
        struct replay_world *w = fix_world("replace_fails", 1, "ok@5s,ok");
        const struct slice to = SLICE("+1000");
        struct replay_submit how = {.push_id = SLICE("new"),
                                    .initiator = SLICE("pi"),
                                    .to = &to,
                                    .to_n = 1,
                                    .replaces = SLICE("old"),
                                    .replace = PPG_REPLACE_ALL};
        struct replay_submission *s;

        test_row(round);
        fix_start(w);
        submit_to(w, "wire", 1, (struct replay_submit){.notify = false});
        submit_to(w, "old", 1, (struct replay_submit){.notify = false});
        s = replay_submit(w, &how);
        w->cut.fails[STORE_INSERT] = round == 1;
        ppg_core_flush(&w->cores[0].core);
        CU_ASSERT(store_turn(w->shared.store));
        w->cut.fails[STORE_INSERT] = true;
        replay_turn(w);
        CU_ASSERT(s->answered && s->result == ERR_IO && atomic_load(&w->shared.live) == 2);
        replay_run(w, 20000, REPLAY_TICK_MS);
        CU_ASSERT(fix_is(w, "old", "+1000", ST_DELIVERED, 1000) && w->net->sends_n == 2);
        CU_ASSERT(!replay_busy(w) && atomic_load(&w->shared.live) == 0);
        fix_end(w);
    }
}

const struct test_case test_cases[] = {{"in_the_store", test_in_the_store},
                                       {"whose", test_whose},
                                       {"lanes", test_lanes},
                                       {"force", test_force},
                                       {"failures", test_failures},
                                       {"crash", test_crash},
                                       {"withdrawn_leaves_a_line", test_withdrawn_leaves_a_line},
                                       {"noted_before_it_is_let_go", test_noted_before_it_is_let_go},
                                       {"two_at_once", test_two_at_once},
                                       {"replace", test_replace},
                                       {"replace_fails", test_replace_fails},
                                       {NULL, NULL}};
