/* The operator's socket itself, and what it says of the gateway as a whole and of a push. */
#include "ppg/admin/admin.h"

#include <fcntl.h>
#include "tests/unit/ppg/admin_fix.h"

#define NOBODY 65534

static void status_counts(void)
{
    struct world w;
    struct client c;
    const json_t *targets;

    begin(&w);
    CU_ASSERT(fix_insert(&w.store, "mms", "a", 3, 1000, false) > 0);
    CU_ASSERT(fix_insert(&w.store, "mms", "b", 2, 1000, true) > 0);
    LOG(w.shared.log, LOG_DEBUG, "test.event");
    LOG(w.shared.log, LOG_DEBUG, "test.event");
    client_open(&w, &c);
    CU_ASSERT(ask(&w, &c, "GET", "/status") == 200);
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "version"), PPG_VERSION);
    CU_ASSERT(n_of(c.json, "uptime_s") >= 0 && n_of(c.json, "loops") == 3 && n_of(c.json, "generation") == 7);
    CU_ASSERT(n_of(c.json, "connections") == 11 && json_is_true(json_object_get(c.json, "draining")));
    targets = json_object_get(c.json, "targets");
    CU_ASSERT(n_of(targets, "live") == 5 && n_of(targets, "waiting") == 3 && n_of(targets, "leased") == 2);
    CU_ASSERT(n_of(c.json, "notices") == 0 && n_of(c.json, "store_octets") > 0);
    CU_ASSERT(n_of(json_object_get(c.json, "events"), "test.event") == 2);
    CU_ASSERT(w.core.ops_out == 0);
    client_close(&c);
    end(&w);
}

/* A delivered target, told of; its note is no UTF-8. */
static void settle(struct world *w, int64_t target_id)
{
    struct store_finish o = {.target_id = target_id,
                             .stage = ST_DELIVERED,
                             .code = 1000,
                             .tries = 2,
                             .event_ms = INT64_C(1893456000000),
                             .record = {.bearer = SLICE("http"),
                                        .protection = SLICE("level=full int=gpl"),
                                        .note = SLICE("caf\xe9 ok")},
                             .notify = true};
    struct store_notice_done told = {.told = true};

    CU_ASSERT(fix_run(&w->store, &o.op, STORE_FINISH) == ERR_OK);
    told.notice_id = o.notice_id;
    CU_ASSERT(fix_run(&w->store, &told.op, STORE_NOTICE_DONE) == ERR_OK);
}

static struct ppg_push *rich_push(void)
{
    struct ppg_push *p = fix_push("mms", "a b&c=d@h", 2, INT64_C(1893456000000));

    p->source_ref = fix_dup(&p->mem, "news");
    p->app_id = fix_dup(&p->mem, "x-wap-application:mms.ua");
    p->body = SLICE("secret content");
    p->flags = PPG_AUTHENTICATED | PPG_BEARER_REQUIRED;
    p->priority = PPG_PRIO_HIGH;
    p->method = PPG_METHOD_CONFIRMED;
    p->asked = 2;
    p->accepted_ms = INT64_C(1893456000999);
    p->targets[1].demanded = 1;
    return p;
}

static void push_is_shown(void)
{
    struct world w;
    struct client c;
    const json_t *first, *second;
    struct store_insert o = {.push = rich_push()};

    begin(&w);
    CU_ASSERT(fix_run(&w.store, &o.op, STORE_INSERT) == ERR_OK);
    settle(&w, o.push->targets[0].id);
    ppg_push_drop(o.push);
    client_open(&w, &c);
    CU_ASSERT_FATAL(ask(&w, &c, "GET", "/push?id=a%20b%26c%3Dd@h") == 200);
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "push_id"), "a b&c=d@h");
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "initiator"), "mms");
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "content_type"), "text/plain");
    CU_ASSERT(n_of(c.json, "content_octets") == 14);
    CU_ASSERT(slice_find_slice(buf_slice(&c.text), SLICE("secret")) == SIZE_MAX);
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "accepted"), "2030-01-01T00:00:00Z");
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "priority"), "high");
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "method"), "confirmed");
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "protection_asked"), "full");
    CU_ASSERT(json_is_true(json_object_get(c.json, "authenticated")));
    CU_ASSERT(json_is_false(json_object_get(c.json, "trusted")));
    CU_ASSERT(json_is_true(json_object_get(c.json, "bearer_required")));
    first = json_array_get(json_object_get(c.json, "targets"), 0);
    second = json_array_get(json_object_get(c.json, "targets"), 1);
    CU_ASSERT_STRING_EQUAL(text_of(first, "address"), "tel:1");
    CU_ASSERT_STRING_EQUAL(text_of(first, "state"), "delivered");
    CU_ASSERT(n_of(first, "code") == 1000 && n_of(first, "tries") == 2);
    CU_ASSERT_STRING_EQUAL(text_of(first, "event"), "2030-01-01T00:00:00Z");
    CU_ASSERT_STRING_EQUAL(text_of(first, "note"), "caf? ok");
    CU_ASSERT_STRING_EQUAL(text_of(first, "bearer"), "http");
    CU_ASSERT_STRING_EQUAL(text_of(first, "protection"), "level=full int=gpl");
    CU_ASSERT_STRING_EQUAL(text_of(first, "notification"), "told");
    CU_ASSERT_STRING_EQUAL(text_of(second, "stage"), "waiting");
    CU_ASSERT_STRING_EQUAL(text_of(second, "state"), "pending");
    CU_ASSERT(n_of(second, "code") == 1001);
    CU_ASSERT_STRING_EQUAL(text_of(second, "due"), "2030-01-01T00:00:00Z");
    CU_ASSERT_STRING_EQUAL(text_of(second, "demanded"), "integrity");
    CU_ASSERT_STRING_EQUAL(text_of(second, "notification"), "none");
    client_close(&c);
    end(&w);
}

static void push_queries(void)
{
    static const struct question rows[] = {
        {"/push?id=a", 200},
        {"/push?id=%61&initiator=mms", 200},
        {"/push?initiator=mms&id=a", 200},
        {"/push?id=a&initiator=bank", 404},
        {"/push?id=b", 404},
        {"/push?id=A", 404},
        {"/push", 400},
        {"/push?", 400},
        {"/push?id=", 400},
        {"/push?id", 400},
        {"/push?initiator=mms", 400},
        {"/push?id=a&id=a", 400},
        {"/push?id=a&limit=1", 400},
        {"/push?id=a&", 200},
        {"/push?id=a&&initiator=mms", 400},
        {"/push?id=%6", 400},
        {"/push?id=%zz", 400},
    };
    struct world w;
    struct client c;

    begin(&w);
    CU_ASSERT(fix_insert(&w.store, "mms", "a", 1, 1000, false) > 0);
    client_open(&w, &c);
    ask_all(&w, &c, rows, COUNT(rows));
    client_close(&c);
    end(&w);
}

static void long_push_id(void)
{
    struct world w;
    struct client c;
    char target[2048];

    begin(&w);
    client_open(&w, &c);
    (void)snprintf(target, sizeof target, "/push?id=%01024d", 1);
    CU_ASSERT(ask(&w, &c, "GET", target) == 404);
    (void)snprintf(target, sizeof target, "/push?id=%01025d", 1);
    CU_ASSERT(ask(&w, &c, "GET", target) == 400);
    client_close(&c);
    end(&w);
}

static void unknown_is_refused(void)
{
    static const struct {
        const char *method, *target;
        unsigned want;
    } rows[] = {
        {"GET", "/", 404},        {"GET", "/statuses", 404}, {"GET", "/Status", 404},
        {"GET", "/push/a", 404},  {"POST", "/status", 405},  {"GET", "/reload", 405},
        {"DELETE", "/push", 405}, {"GET", "/drain", 405},    {"GET", "/status?x", 200},
    };
    struct world w;
    struct client c;

    begin(&w);
    client_open(&w, &c);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(ask(&w, &c, rows[i].method, rows[i].target) == rows[i].want);
    }
    CU_ASSERT(w.drains == 0 && !w.reload_done);
    client_close(&c);
    end(&w);
}

static void bad_http_is_refused(void)
{
    static const struct {
        const char *wire;
        unsigned want;
    } rows[] = {
        {"GET /status\r\n\r\n", 400},
        {"GET /status HTTP/1.1\n\n", 400},
        {"GET /status HTTP/1.1\r\n\r\n", 400},
        {"POST /drain HTTP/1.1\r\nHost: x\r\nContent-Length: 67108865\r\n\r\n", 413},
    };
    struct world w;

    begin(&w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client c;

        test_row(i);
        client_open(&w, &c);
        say(&c, rows[i].wire);
        CU_ASSERT(heard(&w, &c) == rows[i].want);
        client_close(&c);
    }
    CU_ASSERT(w.drains == 0);
    end(&w);
}

static void reload_good(void)
{
    static const struct ppg_config_errors none = {.n = 0};
    struct world w;
    struct client c, other;

    begin(&w);
    client_open(&w, &c);
    client_open(&w, &other);
    say(&c, "POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    while (!w.reload_done)
        turn(&w);
    CU_ASSERT(ask(&w, &other, "POST", "/reload") == 409);
    CU_ASSERT(hear(&c) == NET_HTTP_MORE); /* not before it is done */
    w.reload_done(w.reload_arg, ERR_OK, &none);
    CU_ASSERT(heard(&w, &c) == 200);
    CU_ASSERT(n_of(c.json, "generation") == 7);
    client_close(&c);
    client_close(&other);
    end(&w);
}

static void reload_with_mistakes(void)
{
    static struct ppg_config_errors errs = {.n = 2, .more = 4};
    struct world w;
    struct client c;
    const json_t *lines;

    (void)snprintf(errs.text[0], sizeof errs.text[0], "ppg.conf:3: pap.path: begins with /");
    (void)snprintf(errs.text[1], sizeof errs.text[1], "whitelist.conf:9: \"\xff\" is no verdict");
    begin(&w);
    client_open(&w, &c);
    say(&c, "POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    while (!w.reload_done)
        turn(&w);
    w.reload_done(w.reload_arg, ERR_MALFORMED, &errs);
    CU_ASSERT(heard(&w, &c) == 422);
    lines = json_object_get(c.json, "errors");
    CU_ASSERT(json_array_size(lines) == 2 && n_of(c.json, "more") == 4);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(lines, 0)),
                           "ppg.conf:3: pap.path: begins with /");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(lines, 1)),
                           "whitelist.conf:9: \"?\" is no verdict");
    w.reload_says = ERR_IO;
    CU_ASSERT(ask(&w, &c, "POST", "/reload") == 503);
    client_close(&c);
    end(&w);
}

static void drain_is_passed_on(void)
{
    struct world w;
    struct client c;

    begin(&w);
    client_open(&w, &c);
    CU_ASSERT(ask(&w, &c, "POST", "/drain") == 200);
    CU_ASSERT(w.drains == 1 && json_is_true(json_object_get(c.json, "draining")));
    client_close(&c);
    end(&w);
}

static void backup_is_a_store(void)
{
    static const char *const bad[] = {"", "{}", "{\"file\":\"\"}", "{\"file\":\"copy.db\"}",
                                      "{\"file\":\"/a\",\"id\":\"b\"}"};
    struct world w;
    struct client c;
    struct fix copy;
    char body[400];

    begin(&w);
    CU_ASSERT(fix_insert(&w.store, "mms", "a", 2, 1000, true) > 0);
    fix_init(&copy, test_scratch(), "copy.db", true);
    fix_remove_at(copy.path);
    client_open(&w, &c);
    for (size_t i = 0; i < COUNT(bad); i++) {
        test_row(i);
        CU_ASSERT(post(&w, &c, "/backup", bad[i]) == 400 && *text_of(c.json, "error"));
    }
    (void)snprintf(body, sizeof body, "{\"file\":\"%s\"}", copy.path);
    CU_ASSERT(post(&w, &c, "/backup", body) == 200 && n_of(c.json, "octets") > 4096);
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "file"), copy.path);
    CU_ASSERT(post(&w, &c, "/backup", body) == 409 && *text_of(c.json, "error"));
    CU_ASSERT(post(&w, &c, "/backup", "{\"file\":\"/nowhere/at/all\"}") == 500 && *text_of(c.json, "error"));
    CU_ASSERT(ask(&w, &c, "GET", "/backup?file=%2Fa") == 405);
    client_close(&c);
    end(&w);
    CU_ASSERT_FATAL(fix_open(&copy) == ERR_OK);
    CU_ASSERT(fix_claim(&copy, 1000, 10) == 2);
    fix_clear(&copy);
    fix_remove_at(copy.path);
}

/* By a path from here: the folders above the scratch folder may let nobody through. */
static void open_as_nobody(struct world *w, struct client *c)
{
    int back = open(".", O_DIRECTORY | O_RDONLY);

    CU_ASSERT_FATAL(back >= 0 && chdir(test_scratch()) == 0 && seteuid(NOBODY) == 0);
    CU_ASSERT(!mem_cstr(w->path, sizeof w->path, SLICE("admin.sock")));
    client_open(w, c);
    CU_ASSERT_FATAL(seteuid(0) == 0 && fchdir(back) == 0);
    (void)snprintf(w->path, sizeof w->path, "%s/admin.sock", test_scratch());
    (void)close(back);
}

/* Only root can pretend to be somebody else; for others the mode of the socket is all there is to see. */
static void others_are_refused(void)
{
    struct world w;
    struct client c;
    struct stat st;

    begin(&w);
    CU_ASSERT(stat(w.path, &st) == 0 && (st.st_mode & 0777) == 0600);
    if (geteuid() == 0) {
        CU_ASSERT(chmod(w.path, 0666) == 0 && chmod(test_scratch(), 0711) == 0);
        open_as_nobody(&w, &c);
        CU_ASSERT(ask(&w, &c, "POST", "/drain") == 403);
        CU_ASSERT(ask(&w, &c, "GET", "/nowhere") == 403);
        CU_ASSERT(w.drains == 0);
        client_close(&c);
    }
    end(&w);
}

static void peer_that_leaves(void)
{
    static const struct ppg_config_errors none = {.n = 0};
    struct world w;
    struct client c;

    begin(&w);
    client_open(&w, &c);
    say(&c, "POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    while (!w.reload_done)
        turn(&w);
    client_close(&c);
    turn(&w);
    w.reload_done(w.reload_arg, ERR_OK, &none);
    client_open(&w, &c);
    say(&c, "GET /status HTTP/1.1\r\nHost: x\r\n\r\n");
    client_close(&c);
    for (size_t i = 0; i < 20; i++)
        turn(&w);
    CU_ASSERT(w.core.ops_out == 0);
    end(&w);
}

static void close_waits_for_answers(void)
{
    static const struct ppg_config_errors none = {.n = 0};
    struct world w;
    struct client c;

    begin(&w);
    client_open(&w, &c);
    say(&c, "POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    while (!w.reload_done)
        turn(&w);
    ppg_admin_close(w.admin, closed, &w);
    for (size_t i = 0; i < 20; i++)
        turn(&w);
    CU_ASSERT(!w.closed);
    w.reload_done(w.reload_arg, ERR_OK, &none);
    for (size_t i = 0; i < 20 && !w.closed; i++)
        turn(&w);
    CU_ASSERT(w.closed);
    client_close(&c);
    net_hub_close(w.env.hub, NULL, NULL);
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    CU_ASSERT(uv_loop_close(&w.loop) == 0);
    ppg_control_free(&w.core.control);
    ppg_config_drop(&w.core.config);
    log_free(&w.shared.log);
    fix_clear(&w.store);
    fix_remove_at(w.store.path);
}

static void socket_that_cannot_be(void)
{
    struct world w;
    struct ppg_admin_conf conf;
    struct ppg_admin *second = NULL;
    const char *why = NULL;
    char path[300];

    begin(&w);
    conf = conf_of(&w);
    CU_ASSERT(ppg_admin_create(&w.env, &conf, &second, &why) == ERR_IO); /* somebody listens there */
    CU_ASSERT(second == NULL && why != NULL && *why);
    (void)snprintf(path, sizeof path, "%s/absent/admin.sock", test_scratch());
    conf.socket = path;
    CU_ASSERT(ppg_admin_create(&w.env, &conf, &second, &why) == ERR_IO);
    (void)snprintf(path, sizeof path, "/%0200d", 1);
    CU_ASSERT(ppg_admin_create(&w.env, &conf, &second, &why) == ERR_IO);
    CU_ASSERT(second == NULL);
    end(&w);
}

const struct test_case test_cases[] = {
    {"status_counts", status_counts},
    {"push_is_shown", push_is_shown},
    {"push_queries", push_queries},
    {"long_push_id", long_push_id},
    {"unknown_is_refused", unknown_is_refused},
    {"bad_http_is_refused", bad_http_is_refused},
    {"reload_good", reload_good},
    {"reload_with_mistakes", reload_with_mistakes},
    {"drain_is_passed_on", drain_is_passed_on},
    {"backup_is_a_store", backup_is_a_store},
    {"others_are_refused", others_are_refused},
    {"peer_that_leaves", peer_that_leaves},
    {"close_waits_for_answers", close_waits_for_answers},
    {"socket_that_cannot_be", socket_that_cannot_be},
    {NULL, NULL},
};
