/* What an operator does to pushes over the socket: taking them back, and having those tried again who did not get it;
 * and what makes no sense to ask. */
#include "tests/unit/ppg/admin_fix.h"

/* As a submission stores it, with canonical keys: 1, 2 ...; the id of the first target. */
static int64_t insert(struct world *w, const char *initiator, const char *push_id, size_t n)
{
    struct store_insert o = {.push = fix_push(initiator, push_id, n, 1000)};
    int64_t id;

    for (size_t i = 0; i < n; i++)
        o.push->targets[i].key = slice_sub(o.push->targets[i].address, 4, 20);
    id = fix_run(&w->store, &o.op, STORE_INSERT) ? 0 : o.push->targets[0].id;
    ppg_push_drop(o.push);
    CU_ASSERT_FATAL(id > 0);
    return id;
}

static void finish(struct world *w, int64_t id, enum ppg_stage stage, uint16_t code)
{
    struct store_finish o = {.target_id = id, .stage = stage, .code = code, .event_ms = 1000};

    CU_ASSERT(fix_run(&w->store, &o.op, STORE_FINISH) == ERR_OK);
}

static const json_t *row(const struct client *c, const char *list, size_t i)
{
    return json_array_get(json_object_get(c->json, list), i);
}

static void cancel_all(void)
{
    struct world w;
    struct client c;

    begin(&w);
    (void)insert(&w, "mms", "a", 2);
    client_open(&w, &c);
    CU_ASSERT(post(&w, &c, "/push/cancel", "{\"id\": \"a\"}") == 200);
    CU_ASSERT(n_of(c.json, "cancelled") == 2 && json_array_size(json_object_get(c.json, "results")) == 2);
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "results", 0), "address"), "tel:1");
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "results", 1), "result"), "cancelled");
    CU_ASSERT(ask(&w, &c, "GET", "/push?id=a") == 200);
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "targets", 0), "state"), "cancelled");
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "targets", 0), "note"), "cancelled by the operator");
    CU_ASSERT(post(&w, &c, "/push/cancel", "{\"id\": \"a\"}") == 409);
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "results", 0), "result"), "too late");
    CU_ASSERT(*text_of(c.json, "error"));
    client_close(&c);
    end(&w);
}

static void cancel_some(void)
{
    struct world w;
    struct client c;

    begin(&w);
    (void)insert(&w, "mms", "a", 2);
    client_open(&w, &c);
    CU_ASSERT(post(&w, &c, "/push/cancel",
                   "{\"id\":\"a\",\"initiator\":\"mms\",\"to\":[\"2\",\"tel:99\"]}") == 200);
    CU_ASSERT(n_of(c.json, "cancelled") == 1);
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "results", 0), "result"), "cancelled");
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "results", 1), "address"), "99");
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "results", 1), "result"), "no recipient of this push");
    CU_ASSERT(post(&w, &c, "/push/cancel", "{\"id\":\"a\",\"to\":[\"few\"]}") == 409);
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "results", 0), "address"), "$few");
    CU_ASSERT(ask(&w, &c, "GET", "/push?id=a") == 200);
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "targets", 0), "state"), "pending");
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "targets", 1), "state"), "cancelled");
    client_close(&c);
    end(&w);
}

static void bad_requests(void)
{
    static const struct {
        const char *target, *body;
        unsigned want;
    } rows[] = {
        {"/push/cancel", "", 400},
        {"/push/cancel", "{", 400},
        {"/push/cancel", "[]", 400},
        {"/push/cancel", "{}", 400},
        {"/push/cancel", "{\"id\":\"\"}", 400},
        {"/push/cancel", "{\"id\":5}", 400},
        {"/push/cancel", "{\"id\":\"a\",\"id\":\"a\"}", 400},
        {"/push/cancel", "{\"id\":\"a\",\"as\":\"b\"}", 400},
        {"/push/cancel", "{\"id\":\"a\",\"heads\":\"1\"}", 400},
        {"/push/cancel", "{\"id\":\"a\",\"other\":\"b\"}", 400},
        {"/push/cancel", "{\"id\":\"a\",\"to\":\"1\"}", 400},
        {"/push/cancel", "{\"id\":\"a\",\"to\":[1]}", 400},
        {"/push/cancel", "{\"id\":\"a\",\"to\":[\"\"]}", 400},
        {"/push/cancel", "{\"id\":\"a\",\"to\":[\"WAPPUSH=\"]}", 400},
        {"/push/cancel", "{\"id\":\"a\"} x", 400},
        {"/push/cancel", "{\"id\":\"b\"}", 404},
        {"/push/cancel", "{\"id\":\"a\",\"initiator\":\"bank\"}", 404},
        {"/push/replay", "{\"id\":\"a\"}", 400}, /* whose? */
        {"/push/replay", "{\"id\":\"b\",\"initiator\":\"mms\"}", 404},
        {"/push/replay", "{\"id\":\"a\",\"initiator\":\"mms\"}", 409}, /* nobody failed */
        {"/push/replay", "{\"id\":\"a\",\"initiator\":\"mms\",\"as\":\"\"}", 400},
        {"/push/cancel?id=a", "{\"initiator\":\"mms\"}", 400},
    };
    struct world w;
    struct client c;

    begin(&w);
    (void)insert(&w, "mms", "a", 1);
    client_open(&w, &c);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(post(&w, &c, rows[i].target, rows[i].body) == rows[i].want);
        CU_ASSERT(*text_of(c.json, "error"));
    }
    CU_ASSERT(ask(&w, &c, "GET", "/push/cancel") == 405 && ask(&w, &c, "GET", "/push/replay?id=a") == 405);
    CU_ASSERT(ask(&w, &c, "GET", "/push?id=a") == 200);
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "targets", 0), "state"), "pending");
    client_close(&c);
    end(&w);
}

static void replay_of_those_who_failed(void)
{
    struct world w;
    struct client c;
    int64_t first;

    begin(&w);
    first = insert(&w, "mms", "a", 4);
    finish(&w, first, ST_EXPIRED, 4000);
    finish(&w, first + 1, ST_DELIVERED, 1000);
    finish(&w, first + 2, ST_UNDELIVERABLE, 4000); /* the whitelist of today denies it */
    client_open(&w, &c);
    CU_ASSERT(post(&w, &c, "/push/replay", "{\"id\":\"a\",\"initiator\":\"mms\",\"as\":\"b\"}") == 200);
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "push_id"), "b");
    CU_ASSERT(n_of(c.json, "replayed") == 1 && *text_of(c.json, "expires"));
    CU_ASSERT(json_array_size(json_object_get(c.json, "refused")) == 1);
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "refused", 0), "address"), "tel:3");
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "refused", 0), "why"), "deny rule");
    CU_ASSERT(atomic_load(&ppg_shared_share(&w.shared, SLICE("mms"))->next_due_ms) <=
              clk_utc_ms(&clk_real)); /* it is claimed at once */
    CU_ASSERT(post(&w, &c, "/push/replay", "{\"id\":\"a\",\"initiator\":\"mms\",\"as\":\"b\"}") == 409);
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "error"), "that push-id is used already");
    CU_ASSERT(ask(&w, &c, "GET", "/push?id=b") == 200);
    CU_ASSERT(json_array_size(json_object_get(c.json, "targets")) == 1);
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "targets", 0), "address"), "tel:1");
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "let_in_by"), "replayed by the operator from a");
    CU_ASSERT(ask(&w, &c, "GET", "/push?id=a") == 200);
    CU_ASSERT_STRING_EQUAL(text_of(row(&c, "targets", 0), "state"), "expired"); /* as it was */
    client_close(&c);
    end(&w);
}

static void replay_of_some(void)
{
    struct world w;
    struct client c;
    int64_t first;

    begin(&w);
    first = insert(&w, "mms", "a", 3);
    for (int64_t i = 0; i < 3; i++)
        finish(&w, first + i, ST_TIMEOUT, 4001);
    client_open(&w, &c);
    CU_ASSERT(post(&w, &c, "/push/replay", "{\"id\":\"a\",\"initiator\":\"mms\",\"to\":[\"3\"]}") == 409);
    CU_ASSERT(json_array_size(json_object_get(c.json, "refused")) == 1);
    CU_ASSERT(post(&w, &c, "/push/replay", "{\"id\":\"a\",\"initiator\":\"mms\",\"to\":[\"77\"]}") == 409);
    CU_ASSERT(post(&w, &c, "/push/replay", "{\"id\":\"a\",\"initiator\":\"mms\",\"to\":[\"2\",\"2\"]}") ==
              200);
    CU_ASSERT(n_of(c.json, "replayed") == 1);
    CU_ASSERT(slice_starts(slice_str(text_of(c.json, "push_id")), SLICE("a.replay-")));
    client_close(&c);
    end(&w);
}

/* A rule that has become stricter, and an account that is gone. */
static void replay_never_weakens(void)
{
    static const struct {
        const char *initiator, *why;
    } rows[] = {{"bank", "today's rule demands more protection than this push was accepted with"},
                {"gone", "there is no such initiator any more"}};
    struct world w;
    struct client c;

    begin(&w);
    client_open(&w, &c);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char body[100];

        test_row(i);
        finish(&w, insert(&w, rows[i].initiator, "a", 1), ST_EXPIRED, 4000);
        (void)snprintf(body, sizeof body, "{\"id\":\"a\",\"initiator\":\"%s\"}", rows[i].initiator);
        CU_ASSERT(post(&w, &c, "/push/replay", body) == 409);
        CU_ASSERT_STRING_EQUAL(text_of(row(&c, "refused", 0), "why"), rows[i].why);
    }
    client_close(&c);
    end(&w);
}

static void names_at_their_longest(void)
{
    struct world w;
    struct client c;
    char id[256], body[700];

    begin(&w);
    client_open(&w, &c);
    (void)snprintf(id, sizeof id, "%0255d", 7);
    finish(&w, insert(&w, "mms", id, 1), ST_EXPIRED, 4000);
    (void)snprintf(body, sizeof body, "{\"id\":\"%s\",\"initiator\":\"mms\"}", id);
    CU_ASSERT(post(&w, &c, "/push/replay", body) == 200);
    CU_ASSERT(strlen(text_of(c.json, "push_id")) == 255 && strstr(text_of(c.json, "push_id"), ".replay-"));
    (void)snprintf(body, sizeof body, "{\"id\":\"%s\",\"initiator\":\"mms\",\"as\":\"%s8\"}", id, id);
    CU_ASSERT(post(&w, &c, "/push/replay", body) == 400);
    client_close(&c);
    end(&w);
}

const struct test_case test_cases[] = {
    {"cancel_all", cancel_all},
    {"cancel_some", cancel_some},
    {"bad_requests", bad_requests},
    {"replay_of_those_who_failed", replay_of_those_who_failed},
    {"replay_of_some", replay_of_some},
    {"replay_never_weakens", replay_never_weakens},
    {"names_at_their_longest", names_at_their_longest},
    {NULL, NULL},
};
