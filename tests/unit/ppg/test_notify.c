/* Result notifications ([PAP §3.4]): what each answer of an initiator means, the document, and failures of the store.
 * The table of retries and crashes are scenarios of tests/replay. */
#include "ppg/notify.h"

#include <stdio.h>
#include "tests/unit/ppg/core_fix.h"

static const struct replay_submit told = {.notify = true};

static int notified(struct replay_world *w, const char *push_id)
{
    struct replay_state st = {.notified = -1};

    (void)replay_show(w, slice_str(push_id), SLICE("+1000"), &st);
    return st.notified;
}

enum { OWED = 1, TOLD = 2, DROPPED = 3 };

/* One answer each: told, dropped, or still owed and tried again. */
static void test_answers(void)
{
    static const struct {
        const char *answer;
        int want;
    } rows[] = {
        {"ok", TOLD},     {"empty", TOLD},  {"200", TOLD},    {"202", TOLD},       {"299", TOLD},
        {"bad", DROPPED}, {"300", DROPPED}, {"301", DROPPED}, {"400", DROPPED},    {"401", DROPPED},
        {"403", DROPPED}, {"404", DROPPED}, {"410", DROPPED}, {"denied", DROPPED}, {"408", OWED},
        {"429", OWED},    {"500", OWED},    {"503", OWED},    {"599", OWED},       {"broken", OWED},
        {"full", OWED},   {"100", OWED},    {"hang", OWED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = fix_world("notify_answers", 1, "ok");

        test_row(i);
        MUST(word_answers(slice_str(rows[i].answer), word_initiator_answer, &w->net->initiator));
        fix_start(w);
        (void)fix_submit(w, "a", "+1000", told);
        replay_run(w, 200, REPLAY_TICK_MS);
        CU_ASSERT(notified(w, "a") == rows[i].want);
        fix_end(w);
    }
}

/* After the last wait of notify.retries the debt is dropped; a table of one wait makes two attempts. */
static void test_retries_end(void)
{
    static const struct {
        const char *retries;
        size_t posts;
    } rows[] = {{"1s", 2}, {"1s, 1s", 3}, {"1s, 2s, 1s, 1s, 1s, 1s, 1s, 1s", 9}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = fix_world("retries_end", 1, "ok");

        test_row(i);
        replay_set(w, "notify", "retries", rows[i].retries);
        MUST(word_answers(SLICE("500"), word_initiator_answer, &w->net->initiator));
        fix_start(w);
        (void)fix_submit(w, "a", "+1000", told);
        replay_run(w, 60000, REPLAY_TICK_MS);
        CU_ASSERT(w->net->notices_n == rows[i].posts && notified(w, "a") == DROPPED && !replay_busy(w));
        fix_end(w);
    }
}

/* A table that a reload made shorter than the tries made already: the next failure is the last. */
static void test_shorter_table(void)
{
    struct replay_world *w = fix_world("shorter_table", 1, "ok");

    replay_set(w, "notify", "retries", "1s, 1s, 1s, 1s");
    MUST(word_answers(SLICE("500"), word_initiator_answer, &w->net->initiator));
    fix_start(w);
    (void)fix_submit(w, "a", "+1000", told);
    replay_run(w, 2500, REPLAY_TICK_MS);
    CU_ASSERT(w->net->notices_n == 3);
    replay_set(w, "notify", "retries", "1s");
    CU_ASSERT_FATAL(replay_reload(w));
    replay_run(w, 10000, REPLAY_TICK_MS);
    CU_ASSERT(w->net->notices_n == 4 && notified(w, "a") == DROPPED);
    fix_end(w);
}

/* A settlement that cannot be written is written again; until then the debt is the next run's. */
static void test_store_fails(void)
{
    static const struct {
        enum store_kind kind;
        const char *answers;
        int want; /* after the next run */
    } rows[] = {
        {STORE_NOTICE_DONE, "ok", TOLD},
        {STORE_NOTICE_DONE, "404,ok", TOLD},
        {STORE_NOTICE_MOVE, "500,ok", TOLD},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = fix_world("notify_store_fails", 1, "ok");

        test_row(i);
        MUST(word_answers(slice_str(rows[i].answers), word_initiator_answer, &w->net->initiator));
        fix_start(w);
        w->cut.fails[rows[i].kind] = true;
        (void)fix_submit(w, "a", "+1000", told);
        replay_run(w, 60000, 1000);
        CU_ASSERT(w->net->notices_n == 1 && notified(w, "a") == OWED && replay_busy(w));
        CU_ASSERT_FATAL(replay_crash(w, 0));
        replay_run(w, 1000, REPLAY_TICK_MS);
        CU_ASSERT(w->net->notices_n == 2 && notified(w, "a") == rows[i].want);
        fix_end(w);
    }
}

/* Draining claims no notices; the next run pays them. */
static void test_draining(void)
{
    struct replay_world *w = fix_world("notify_draining", 1, "ok");

    MUST(word_answers(SLICE("500,ok"), word_initiator_answer, &w->net->initiator));
    fix_start(w);
    (void)fix_submit(w, "a", "+1000", told);
    replay_turn(w);
    atomic_store(&w->shared.draining, true);
    replay_run(w, 60000, 1000);
    CU_ASSERT(w->net->notices_n == 1 && !replay_busy(w));
    CU_ASSERT_FATAL(replay_crash(w, 0));
    replay_run(w, 1000, REPLAY_TICK_MS);
    CU_ASSERT(w->net->notices_n == 2 && notified(w, "a") == TOLD);
    fix_end(w);
}

/* The document, attribute by attribute, read back. */
static void test_document(void)
{
    struct replay_world *w = fix_world("notify_document", 0, "ok");
    const struct ppg_notice n = {.push_id = SLICE("a<&>\"b"),
                                 .address = SLICE("WAPPUSH=+1/TYPE=PLMN@ppg.example"),
                                 .network = SLICE("GSM"),
                                 .flags = PPG_HAS_QOS | PPG_NETWORK_REQUIRED,
                                 .version = PAP_VERSION_2_0,
                                 .priority = PPG_PRIO_LOW,
                                 .method = PPG_METHOD_UNCONFIRMED,
                                 .stage = ST_ABORTED,
                                 .code = 5027,
                                 .accepted_ms = REPLAY_START_MS + 999,
                                 .event_ms = REPLAY_START_MS + 5000};
    struct pap_limits limits = PAP_LIMITS_DEFAULT;
    struct pap_message m;
    struct pap_fault fault;
    struct arena mem;
    struct buf out;

    fix_start(w);
    buf_init(&out, 65536);
    arena_init(&mem, 1024, 65536);
    CU_ASSERT(ppg_notify_print(ppg_config_settings(w->config), &n, &out) == ERR_OK);
    CU_ASSERT_FATAL(pap_parse(w->net->parser, buf_slice(&out), &limits, &mem, &m, &fault) == ERR_OK);
    CU_ASSERT_FATAL(m.kind == PAP_KIND_RESULTNOTIFICATION_MESSAGE && m.notification.addrs.n == 1);
    TEST_SLICE_EQ(m.notification.push_id, n.push_id);
    TEST_SLICE_EQ(m.notification.addrs.v[0], n.address);
    TEST_SLICE_EQ(m.notification.sender_address, SLICE("https://ppg.example.net/pap"));
    CU_ASSERT(m.version == PAP_VERSION_2_0);
    CU_ASSERT(m.notification.state == PAP_STATE_ABORTED && m.notification.code == 5027);
    CU_ASSERT(m.notification.received_time.utc_s == REPLAY_START_MS / 1000);
    CU_ASSERT(m.notification.event_time.utc_s == REPLAY_START_MS / 1000 + 5);
    CU_ASSERT(m.notification.qos.given && m.notification.qos.priority == PAP_PRIORITY_LOW);
    CU_ASSERT(m.notification.qos.delivery == PAP_DELIVERY_UNCONFIRMED);
    CU_ASSERT(m.notification.qos.network_required && !m.notification.qos.bearer_required);
    TEST_SLICE_EQ(m.notification.qos.network, n.network);
    buf_clear(&out);
    arena_clear(&mem);
    fix_end(w);
}

const struct test_case test_cases[] = {{"answers", test_answers},
                                       {"retries_end", test_retries_end},
                                       {"shorter_table", test_shorter_table},
                                       {"store_fails", test_store_fails},
                                       {"draining", test_draining},
                                       {"document", test_document},
                                       {NULL, NULL}};
