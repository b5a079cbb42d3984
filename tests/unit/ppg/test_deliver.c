/* One attempt: every answer of a bearer to its stage and code, every reason not to send, and the note before an
 * unconfirmed attempt.  The ordinary ways are scenarios of tests/replay. */
#include "ppg/deliver.h"

#include <stdio.h>
#include <string.h>
#include "ppg/content.h"
#include "ppg/schedule.h"
#include "ppg/doors/verify.h"
#include "tests/unit/ppg/core_fix.h"

/* The first answer alone decides, [PAP §7]; what is not final waits. */
static void test_answers(void)
{
    static const struct {
        const char *answer;
        enum ppg_method method;
        enum ppg_stage want;
        unsigned code;
    } rows[] = {
        {"ok", PPG_METHOD_CONFIRMED, ST_DELIVERED, 1000},
        {"refused", PPG_METHOD_CONFIRMED, ST_ABORTED, 5027},
        {"fail", PPG_METHOD_CONFIRMED, ST_UNDELIVERABLE, 3007},
        {"busy", PPG_METHOD_CONFIRMED, ST_WAITING, 0},
        {"retry", PPG_METHOD_CONFIRMED, ST_WAITING, 0},
        {"ambiguous", PPG_METHOD_CONFIRMED, ST_WAITING, 0},
        {"error", PPG_METHOD_CONFIRMED, ST_WAITING, 0},
        {"ok", PPG_METHOD_UNCONFIRMED, ST_DELIVERED, 1000},
        {"refused", PPG_METHOD_UNCONFIRMED, ST_ABORTED, 5027},
        {"fail", PPG_METHOD_UNCONFIRMED, ST_UNDELIVERABLE, 3007},
        {"busy", PPG_METHOD_UNCONFIRMED, ST_TIMEOUT, 4001},
        {"retry", PPG_METHOD_UNCONFIRMED, ST_TIMEOUT, 4001},
        {"ambiguous", PPG_METHOD_UNCONFIRMED, ST_TIMEOUT, 4001},
        {"error", PPG_METHOD_UNCONFIRMED, ST_WAITING, 0}, /* nothing was sent */
        {"retry", PPG_METHOD_PREFERCONFIRMED, ST_WAITING, 0},
        {"retry", PPG_METHOD_NOTSPECIFIED, ST_WAITING, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = fix_world("answers", 1, rows[i].answer);

        test_row(i);
        fix_start(w);
        (void)fix_submit(w, "a", "+1000", (struct replay_submit){.method = rows[i].method});
        replay_run(w, 200, REPLAY_TICK_MS);
        CU_ASSERT(fix_is(w, "a", "+1000", rows[i].want, rows[i].code));
        CU_ASSERT(!replay_busy(w));
        fix_end(w);
    }
}

/* The attempt is on disk before the terminal sees an octet. */
static void test_unconfirmed_noted_first(void)
{
    struct replay_world *w = fix_world("unconfirmed_noted_first", 1, "ok");
    struct replay_state st = {.tries = 0};

    fix_start(w);
    (void)fix_submit(w, "a", "+1000", (struct replay_submit){.method = PPG_METHOD_UNCONFIRMED});
    ppg_core_flush(&w->cores[0].core);
    MUST(store_turn(w->shared.store));
    ppg_core_done(&w->cores[0].core, &w->cores[0].done);
    CU_ASSERT(fix_sent(w, "a") == 0);
    ppg_core_flush(&w->cores[0].core);
    CU_ASSERT(replay_show(w, SLICE("a"), SLICE("+1000"), &st) == ERR_OK && st.tries == 1 && st.leased);
    CU_ASSERT(fix_sent(w, "a") == 0);
    replay_turn(w);
    CU_ASSERT(fix_sent(w, "a") == 1);
    fix_end(w);
}

/* When the note cannot be written nothing is sent, and the one attempt is kept for later. */
static void test_unconfirmed_not_noted(void)
{
    struct replay_world *w = fix_world("unconfirmed_not_noted", 1, "ok");

    fix_start(w);
    w->cut.fails[STORE_MOVE] = true;
    (void)fix_submit(w, "a", "+1000",
                     (struct replay_submit){.method = PPG_METHOD_UNCONFIRMED, .notify = true});
    replay_run(w, 10000, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 0 && replay_busy(w));
    w->cut.fails[STORE_MOVE] = false;
    replay_run(w, 60000, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 1 && fix_is(w, "a", "+1000", ST_DELIVERED, 1000) && w->net->notices_n == 1);
    fix_end(w);
}

/* No more than one attempt a terminal, and as many as there are terminals. */
static void test_under_way(void)
{
    struct replay_world *w = fix_world("under_way", 5, "ok@1s");
    const struct slice to[] = {SLICE("+1000"), SLICE("+1001"), SLICE("+1002"), SLICE("+1003"),
                               SLICE("+1004")};
    const struct replay_submit how = {.initiator = SLICE("pi"), .to = to, .to_n = COUNT(to)};
    struct replay_submit second = how;

    fix_start(w);
    second.push_id = SLICE("b");
    (void)replay_submit(w,
                        &(struct replay_submit){
                            .push_id = SLICE("a"), .initiator = how.initiator, .to = to, .to_n = COUNT(to)});
    (void)replay_submit(w, &second);
    replay_turn(w);
    CU_ASSERT(ppg_schedule_sending(w->cores[0].core.schedule) == 5);
    CU_ASSERT(ppg_schedule_live(w->cores[0].core.schedule) == 10);
    replay_run(w, 3000, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 5 && fix_sent(w, "b") == 5 && !replay_busy(w));
    fix_end(w);
}

/* The loop closes its bearers while an attempt still waits for the store: nothing is sent, the try is not used up. */
static void test_bearer_closed(void)
{
    struct replay_world *w = fix_world("bearer_closed", 1, "ok");
    struct ppg_core *c = &w->cores[0].core;
    struct replay_state st = {.leased = true};
    void *self;

    fix_start(w);
    self = c->bearer_self[0];
    (void)fix_submit(w, "a", "+1000", (struct replay_submit){.method = PPG_METHOD_UNCONFIRMED});
    ppg_core_flush(c);
    MUST(store_turn(w->shared.store));
    ppg_core_done(c, &w->cores[0].done);
    c->bearer_self[0] = NULL;
    replay_turn(w);
    CU_ASSERT(fix_sent(w, "a") == 0 && !replay_busy(w));
    CU_ASSERT(replay_show(w, SLICE("a"), SLICE("+1000"), &st) == ERR_OK && st.tries == 0 && !st.leased);
    c->bearer_self[0] = self;
    replay_run(w, 10000, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 1);
    fix_end(w);
}

/* No more attempts than the bearer has connections: the rest waits its turn and spends no try. */
static void test_as_many_as_connections(void)
{
    struct replay_world *w = fix_world("as_many_as_connections", 5, "ok@1s");
    const struct slice to[] = {SLICE("+1000"), SLICE("+1001"), SLICE("+1002"), SLICE("+1003"),
                               SLICE("+1004")};

    replay_set(w, "ota-http", "connections-max", "2");
    fix_start(w);
    (void)replay_submit(w, &(struct replay_submit){
                               .push_id = SLICE("a"), .initiator = SLICE("pi"), .to = to, .to_n = COUNT(to)});
    replay_turn(w);
    CU_ASSERT(ppg_schedule_sending(w->cores[0].core.schedule) == 2);
    replay_run(w, 4000, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 5 && !replay_busy(w));
    fix_end(w);
}

/* A push that asks to connect waits when no token can be had, and spends no try of an unconfirmed one; one that needs
 * none goes. */
static void test_no_token_no_sending(void)
{
    static const struct sec_verify_content other = {{0}};
    struct replay_world *w = fix_world("no_token_no_sending", 1, "ok");
    const struct replay_submit sia = {.type = SLICE("application/vnd.wap.sia"),
                                      .method = PPG_METHOD_UNCONFIRMED};
    struct replay_state st = {.tries = 9};
    char token[SEC_VERIFY_TOKEN_N];

    fix_start(w);
    CU_ASSERT_FATAL(sec_verify_create(1, &w->shared.verify) == ERR_OK);
    CU_ASSERT(sec_verify_issue(w->shared.verify,
                               &(struct sec_verify_push){.terminal = SLICE("x"),
                                                         .content = &other,
                                                         .life_ms = 5000,
                                                         .mono_ms = clk_mono_ms(w->shared.clk)},
                               token) == ERR_OK);
    (void)fix_submit(w, "sia", "+1000", sia);
    replay_run(w, 1000, REPLAY_TICK_MS);
    CU_ASSERT(w->net->terminals[0].asked == 0);
    CU_ASSERT(replay_show(w, SLICE("sia"), SLICE("+1000"), &st) == ERR_OK && st.tries == 0);
    replay_run(w, 60000, REPLAY_TICK_MS);
    CU_ASSERT(w->net->terminals[0].asked == 1 && fix_is(w, "sia", "+1000", ST_DELIVERED, 1000));
    (void)fix_submit(w, "plain", "+1000", (struct replay_submit){.method = PPG_METHOD_CONFIRMED});
    replay_run(w, 200, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "plain") == 1);
    CU_ASSERT(sec_verify_count(w->shared.verify) == 1);
    sec_verify_free(&w->shared.verify);
    fix_end(w);
}

const struct test_case test_cases[] = {{"answers", test_answers},
                                       {"unconfirmed_noted_first", test_unconfirmed_noted_first},
                                       {"unconfirmed_not_noted", test_unconfirmed_not_noted},
                                       {"under_way", test_under_way},
                                       {"no_token_no_sending", test_no_token_no_sending},
                                       {"bearer_closed", test_bearer_closed},
                                       {"as_many_as_connections", test_as_many_as_connections},
                                       {NULL, NULL}};
