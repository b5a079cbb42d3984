/* A push explained and the queue told: attempts, groups, notifications, rows in order. */
#include "ppg/authorize.h"
#include "tests/unit/ppg/admin_fix.h"

#define AT INT64_C(1893456000000) /* 2030-01-01T00:00:00Z */

static const json_t *row(const json_t *o, const char *list, size_t i)
{
    return json_array_get(json_object_get(o, list), i);
}

static void checks_are_those_of_a_submission(void)
{
    struct world w;
    struct client c;
    const json_t *checks;

    begin(&w);
    CU_ASSERT(fix_insert(&w.store, "mms", "a", 1, AT, false) > 0);
    client_open(&w, &c);
    CU_ASSERT_FATAL(ask(&w, &c, "GET", "/push/explain?id=a&initiator=mms") == 200);
    checks = json_object_get(c.json, "checks_passed");
    CU_ASSERT(json_array_size(checks) >= 8);
    for (size_t i = 0; i <= json_array_size(checks); i++) {
        const char *name = json_string_value(json_array_get(checks, i)), *want = ppg_authorize_check(i);

        test_row(i);
        CU_ASSERT(!name == !want && (!name || strcmp(name, want) == 0));
    }
    CU_ASSERT(ask(&w, &c, "GET", "/push?id=a") == 200);
    CU_ASSERT(!json_object_get(c.json, "checks_passed") &&
              !json_object_get(row(c.json, "targets", 0), "attempts"));
    client_close(&c);
    end(&w);
}

/* One try that failed, one that ended it. */
static void try_twice(struct world *w, int64_t id)
{
    struct store_move move = {.target_id = id,
                              .due_ms = AT + 5000,
                              .tries = 1,
                              .keep = true,
                              .record = {SLICE("http"), SLICE("level=full"), SLICE("HTTP 503"), AT, 99, 0}};
    struct store_finish end_of = {.target_id = id,
                                  .stage = ST_TIMEOUT,
                                  .code = 4001,
                                  .tries = 2,
                                  .event_ms = AT + 6007,
                                  .record = {SLICE("http"), SLICE_NONE, SLICE("no answer"), AT + 6000, 0, 0}};

    CU_ASSERT(fix_run(&w->store, &move.op, STORE_MOVE) == ERR_OK);
    CU_ASSERT(fix_run(&w->store, &end_of.op, STORE_FINISH) == ERR_OK);
}

static void attempts_are_told(void)
{
    struct world w;
    struct client c;
    const json_t *t, *first, *second;

    begin(&w);
    try_twice(&w, fix_insert(&w.store, "mms", "a", 1, AT, true));
    client_open(&w, &c);
    CU_ASSERT_FATAL(ask(&w, &c, "GET", "/push/explain?id=a") == 200);
    t = row(c.json, "targets", 0);
    CU_ASSERT_FATAL(json_array_size(json_object_get(t, "attempts")) == 2);
    first = row(t, "attempts", 0);
    second = row(t, "attempts", 1);
    CU_ASSERT(n_of(first, "no") == 1 && n_of(first, "octets") == 99);
    CU_ASSERT_STRING_EQUAL(text_of(first, "began"), "2030-01-01T00:00:00Z");
    CU_ASSERT_STRING_EQUAL(text_of(first, "note"), "HTTP 503");
    CU_ASSERT_STRING_EQUAL(text_of(first, "protection"), "level=full");
    CU_ASSERT(n_of(second, "no") == 2 && n_of(second, "took_ms") == 7);
    CU_ASSERT_STRING_EQUAL(text_of(second, "note"), "no answer");
    CU_ASSERT_STRING_EQUAL(text_of(t, "state"), "timeout");
    client_close(&c);
    end(&w);
}

static void members_stand_in_their_group(void)
{
    struct ppg_push *p = fix_push("mms", "g", 4, AT);
    struct store_insert o = {.push = p};
    struct world w;
    struct client c;
    const json_t *group;

    begin(&w);
    p->targets[0].members_n = 2; /* tel:2 and tel:3; tel:4 is by itself */
    p->targets[0].rule = SLICE("whitelist.conf:1 allow");
    p->how = SLICE("Digest SHA-256 as mms");
    p->notify_url = SLICE("http://192.0.2.1/");
    CU_ASSERT(fix_run(&w.store, &o.op, STORE_INSERT) == ERR_OK);
    ppg_push_drop(p);
    client_open(&w, &c);
    CU_ASSERT_FATAL(ask(&w, &c, "GET", "/push/explain?id=g") == 200);
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "let_in_by"), "Digest SHA-256 as mms");
    CU_ASSERT(json_array_size(json_object_get(c.json, "targets")) == 2);
    group = row(c.json, "targets", 0);
    CU_ASSERT_STRING_EQUAL(text_of(group, "rule"), "whitelist.conf:1 allow");
    CU_ASSERT(json_array_size(json_object_get(group, "members")) == 2);
    CU_ASSERT_STRING_EQUAL(text_of(row(group, "members", 1), "address"), "tel:3");
    CU_ASSERT_STRING_EQUAL(text_of(row(c.json, "targets", 1), "address"), "tel:4");
    CU_ASSERT(!json_object_get(row(c.json, "targets", 1), "members"));
    client_close(&c);
    end(&w);
}

static void debts_are_told(void)
{
    struct ppg_push *p = fix_push("mms", "n", 1, AT);
    struct store_insert o = {.push = p};
    struct store_finish f = {.stage = ST_DELIVERED, .code = 1000, .event_ms = AT, .notify = true};
    struct store_notice_move move = {.due_ms = AT + 60000, .tries = 3};
    struct store_notice_done done = {.told = true, .code = 2000};
    struct world w;
    struct client c;

    begin(&w);
    p->notify_url = SLICE("http://192.0.2.1/");
    CU_ASSERT(fix_run(&w.store, &o.op, STORE_INSERT) == ERR_OK);
    f.target_id = p->targets[0].id;
    ppg_push_drop(p);
    CU_ASSERT(fix_run(&w.store, &f.op, STORE_FINISH) == ERR_OK);
    move.notice_id = done.notice_id = f.notice_id;
    CU_ASSERT(fix_run(&w.store, &move.op, STORE_NOTICE_MOVE) == ERR_OK);
    client_open(&w, &c);
    CU_ASSERT_FATAL(ask(&w, &c, "GET", "/push/explain?id=n") == 200);
    CU_ASSERT_STRING_EQUAL(text_of(row(c.json, "targets", 0), "notification"), "owed");
    CU_ASSERT(n_of(row(c.json, "targets", 0), "notification_tries") == 3);
    CU_ASSERT_STRING_EQUAL(text_of(row(c.json, "targets", 0), "notification_due"), "2030-01-01T00:01:00Z");
    CU_ASSERT(fix_run(&w.store, &done.op, STORE_NOTICE_DONE) == ERR_OK);
    CU_ASSERT_FATAL(ask(&w, &c, "GET", "/push/explain?id=n") == 200);
    CU_ASSERT_STRING_EQUAL(text_of(row(c.json, "targets", 0), "notification"), "told");
    CU_ASSERT(n_of(row(c.json, "targets", 0), "notification_answer") == 2000);
    CU_ASSERT(!json_object_get(row(c.json, "targets", 0), "notification_due"));
    client_close(&c);
    end(&w);
}

static void bad_questions(void)
{
    static const struct question rows[] = {
        {"/push/explain", 400},
        {"/push/explain?id=", 400},
        {"/push/explain?id=b", 404},
        {"/push/explain?id=a&heads=1", 400},
        {"/push/explain?id=a&initiator=bank", 404},
        {"/push/explain?id=a&to=1", 400},
        {"/queue?heads=1001", 400},
        {"/queue?heads=-1", 400},
        {"/queue?heads=x", 400},
        {"/queue?heads=1&heads=1", 400},
        {"/queue?id=a", 400},
        {"/queue?initiator=", 400},
        {"/queue", 200},
        {"/queue?heads=0&initiator=mms", 200},
        {"/push/explain?id=a", 200},
    };
    struct world w;
    struct client c;

    begin(&w);
    CU_ASSERT(fix_insert(&w.store, "mms", "a", 1, AT, false) > 0);
    client_open(&w, &c);
    ask_all(&w, &c, rows, COUNT(rows));
    client_close(&c);
    end(&w);
}

static void queue_by_initiator(void)
{
    struct world w;
    struct client c;

    begin(&w);
    CU_ASSERT(fix_insert(&w.store, "bank", "b", 1, AT + 1000, false) > 0);
    CU_ASSERT(fix_insert(&w.store, "mms", "a", 3, AT, false) > 0);
    CU_ASSERT(fix_insert(&w.store, "mms", "l", 1, AT, true) > 0);
    client_open(&w, &c);
    CU_ASSERT_FATAL(ask(&w, &c, "GET", "/queue?heads=2") == 200);
    CU_ASSERT(json_array_size(json_object_get(c.json, "initiators")) == 2);
    CU_ASSERT_STRING_EQUAL(text_of(row(c.json, "initiators", 0), "initiator"), "mms"); /* most first */
    CU_ASSERT(n_of(row(c.json, "initiators", 0), "waiting") == 3 &&
              n_of(row(c.json, "initiators", 0), "leased") == 1);
    CU_ASSERT_STRING_EQUAL(text_of(row(c.json, "initiators", 0), "next_due"), "2030-01-01T00:00:00Z");
    CU_ASSERT(n_of(row(c.json, "initiators", 1), "waiting") == 1);
    CU_ASSERT(json_array_size(json_object_get(c.json, "due_longest")) == 2);
    CU_ASSERT_STRING_EQUAL(text_of(row(c.json, "due_longest", 0), "push_id"), "a");
    CU_ASSERT_FATAL(ask(&w, &c, "GET", "/queue?initiator=bank") == 200);
    CU_ASSERT(json_array_size(json_object_get(c.json, "due_longest")) == 1);
    CU_ASSERT_STRING_EQUAL(text_of(row(c.json, "due_longest", 0), "address"), "tel:1");
    client_close(&c);
    end(&w);
}

const struct test_case test_cases[] = {
    {"checks_are_those_of_a_submission", checks_are_those_of_a_submission},
    {"attempts_are_told", attempts_are_told},
    {"members_stand_in_their_group", members_stand_in_their_group},
    {"debts_are_told", debts_are_told},
    {"bad_questions", bad_questions},
    {"queue_by_initiator", queue_by_initiator},
    {NULL, NULL},
};
