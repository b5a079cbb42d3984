/* Changes of the whitelist over the socket: what the file, the audit log and the answer say, also when the reload cannot
 * be had or refuses. */
#include "tests/unit/ppg/admin_fix.h"

#include "ppg/admin/audit.h"
#include "ppg/file.h"

#define LIST "allow mms * *\ndeny mms 3 *\nallow bank 1 * protect=full\n"

static const char *path_of(const char *name)
{
    static char path[300];

    (void)snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
    return path;
}

/* As begin(), with an audit log of its own. */
static void begin_audited(struct world *w, struct ppg_audit **audit)
{
    struct ppg_admin_conf conf;
    char why[PPG_AUDIT_WHY_N];
    const char *reason;

    begin(w);
    (void)unlink(path_of("audit.log"));
    CU_ASSERT_FATAL(ppg_audit_open(path_of("audit.log"), SLICE_NONE, w->shared.log, audit, why) == ERR_OK);
    ppg_admin_close(w->admin, closed, w);
    while (!w->closed)
        turn(w);
    w->closed = false;
    conf = conf_of(w);
    conf.audit = *audit;
    CU_ASSERT_FATAL(ppg_admin_create(&w->env, &conf, &w->admin, &reason) == ERR_OK);
}

static void end_audited(struct world *w, struct ppg_audit **audit)
{
    end(w);
    ppg_audit_free(audit);
}

static void file_is(const char *want)
{
    char why[PPG_FILE_WHY_N];
    struct ppg_file_stamp stamp;
    struct buf text;

    buf_init(&text, 10000);
    CU_ASSERT(ppg_file_read(path_of("whitelist.conf"), &text, &stamp, why) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&text), slice_str(want));
    buf_clear(&text);
}

/* Lines of the audit log, and what the last one is about. */
static uint64_t audited(struct ppg_audit *audit, const char *last)
{
    struct ppg_audit_report r;
    struct buf text;

    buf_init(&text, 100000);
    CU_ASSERT(ppg_audit_verify(audit, &r) == ERR_OK && !r.bad);
    CU_ASSERT(ppg_audit_tail(audit, 1, &text) == ERR_OK);
    CU_ASSERT(!*last || slice_find_slice(buf_slice(&text), slice_str(last)) != SIZE_MAX);
    buf_clear(&text);
    return r.lines;
}

/* Until the change has asked for its reload. */
static void wait_reload(struct world *w)
{
    int64_t until = clk_mono_ms(&clk_real) + WAIT_MS;

    while (!w->reload_done && clk_mono_ms(&clk_real) < until)
        turn(w);
    CU_ASSERT_FATAL(w->reload_done != NULL);
}

static void begin_post(struct client *c, const char *target, const char *body)
{
    char wire[2048];

    (void)snprintf(wire, sizeof wire, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", target,
                   strlen(body), body);
    say(c, wire);
}

static void add_and_reload(void)
{
    static const struct ppg_config_errors none = {.n = 0};
    struct ppg_audit *audit = NULL;
    struct world w;
    struct client c;

    begin_audited(&w, &audit);
    client_open(&w, &c);
    begin_post(&c, "/whitelist/add", "{\"rule\": \"deny * 9 *\", \"line\": \"2\"}");
    wait_reload(&w);
    file_is("allow mms * *\ndeny * 9 *\ndeny mms 3 *\nallow bank 1 * protect=full\n");
    w.reload_done(w.reload_arg, ERR_OK, &none);
    CU_ASSERT(heard(&w, &c) == 200 && n_of(c.json, "line") == 2 && n_of(c.json, "generation") == 7);
    CU_ASSERT(n_of(c.json, "added_in_all") == 1 && n_of(c.json, "removed_in_all") == 0);
    CU_ASSERT(audited(audit, "\"what\":\"whitelist.add\"") == 1);
    client_close(&c);
    end_audited(&w, &audit);
}

/* The reload finds mistakes elsewhere: the old text is back before the answer, and both are on record. */
static void reload_refuses(void)
{
    static const struct ppg_config_errors one = {.n = 1, .text = {"other.conf:3: what"}};
    struct ppg_audit *audit = NULL;
    struct world w;
    struct client c;

    begin_audited(&w, &audit);
    client_open(&w, &c);
    begin_post(&c, "/whitelist/remove", "{\"rule\": \"deny mms 3 *\"}");
    wait_reload(&w);
    file_is("allow mms * *\nallow bank 1 * protect=full\n");
    w.reload_done(w.reload_arg, ERR_MALFORMED, &one);
    CU_ASSERT(heard(&w, &c) == 422);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(json_object_get(c.json, "errors"), 0)),
                           "other.conf:3: what");
    file_is(LIST);
    CU_ASSERT(audited(audit, "\"what\":\"whitelist.remove.undone\"") == 2);
    client_close(&c);
    end_audited(&w, &audit);
}

/* Another reload is under way, or it is too late for one. */
static void reload_is_busy(void)
{
    struct ppg_audit *audit = NULL;
    struct world w;
    struct client c;

    begin_audited(&w, &audit);
    client_open(&w, &c);
    w.reload_says = ERR_LATE;
    CU_ASSERT(post(&w, &c, "/whitelist/import", "deny * * *\n") == 409);
    file_is(LIST);
    CU_ASSERT(audited(audit, "\"what\":\"whitelist.import.undone\"") == 2);
    client_close(&c);
    end_audited(&w, &audit);
}

static void one_at_a_time(void)
{
    static const struct ppg_config_errors none = {.n = 0};
    struct ppg_audit *audit = NULL;
    struct client first, second;
    struct world w;

    begin_audited(&w, &audit);
    client_open(&w, &first);
    client_open(&w, &second);
    begin_post(&first, "/whitelist/add", "{\"rule\": \"deny * 9 *\"}");
    wait_reload(&w);
    CU_ASSERT(post(&w, &second, "/whitelist/add", "{\"rule\": \"deny * 8 *\"}") == 409);
    w.reload_done(w.reload_arg, ERR_OK, &none);
    CU_ASSERT(heard(&w, &first) == 200);
    file_is(LIST "deny * 9 *\n");
    client_close(&first);
    client_close(&second);
    end_audited(&w, &audit);
}

static void refused(void)
{
    static const struct {
        const char *target, *body;
        unsigned want;
    } rows[] = {
        {"/whitelist/add", "", 400},
        {"/whitelist/add", "{}", 400},
        {"/whitelist/add", "{\"rule\": \"\"}", 400},
        {"/whitelist/add", "{\"rule\": \"deny * 9 *\", \"line\": 3}", 400},
        {"/whitelist/add", "{\"rule\": \"deny * 9 *\", \"line\": \"x\"}", 400},
        {"/whitelist/add", "{\"rule\": \"deny * 9 *\", \"id\": \"x\"}", 400},
        {"/whitelist/add", "{\"rule\": \"nonsense\"}", 422},
        {"/whitelist/add", "{\"rule\": \"# deny\"}", 422},
        {"/whitelist/add", "{\"rule\": \"deny * 9 * # x\\nallow * * *\"}", 422},
        {"/whitelist/add", "{\"rule\": \"deny * $nobody *\"}", 422},
        {"/whitelist/add", "{\"rule\": \"deny * 9 *\", \"line\": \"9\"}", 404},
        {"/whitelist/add", "{\"rule\": \"deny  mms 3  *\"}", 409},
        {"/whitelist/remove", "{}", 400},
        {"/whitelist/remove", "{\"rule\": \"deny * 9 *\"}", 404},
        {"/whitelist/remove", "{\"line\": \"4\"}", 404},
        {"/whitelist/import", LIST, 409},
        {"/whitelist/import", "nonsense\n", 422},
        {"/whitelist/import?line=3", "deny * * *\n", 400},
        {"/whitelist/diff?replay=x", "deny * * *\n", 400},
        {"/whitelist/diff", "nonsense\n", 422},
    };
    struct ppg_audit *audit = NULL;
    struct world w;
    struct client c;

    begin_audited(&w, &audit);
    client_open(&w, &c);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(post(&w, &c, rows[i].target, rows[i].body) == rows[i].want);
        file_is(LIST);
    }
    CU_ASSERT(w.reload_done == NULL && audited(audit, "") == 0);
    client_close(&c);
    end_audited(&w, &audit);
}

static void not_without_a_record(void)
{
    struct world w;
    struct client c;

    begin(&w);
    client_open(&w, &c);
    CU_ASSERT(post(&w, &c, "/whitelist/add", "{\"rule\": \"deny * 9 *\"}") == 422);
    CU_ASSERT(ask(&w, &c, "GET", "/audit") == 404 && ask(&w, &c, "GET", "/audit/verify") == 404);
    file_is(LIST);
    client_close(&c);
    end(&w);
}

static void diff_and_replay(void)
{
    struct world w;
    struct client c;
    struct store_insert o = {.push = fix_push("mms", "p", 3, 1000)};

    begin(&w);
    o.push->accepted_ms = clk_utc_ms(&clk_real) - 1000;
    CU_ASSERT_FATAL(fix_run(&w.store, &o.op, STORE_INSERT) == ERR_OK);
    ppg_push_drop(o.push);
    client_open(&w, &c);
    CU_ASSERT(post(&w, &c, "/whitelist/diff", "allow bank 1 * protect=full\nallow mms * *\n") == 200);
    CU_ASSERT(n_of(c.json, "removed_in_all") == 1 && n_of(c.json, "added_in_all") == 0 &&
              n_of(c.json, "pushes") == -1);
    CU_ASSERT(post(&w, &c, "/whitelist/diff?replay=3600", "deny mms tel:2 *\nallow mms * *\n") == 200);
    CU_ASSERT(n_of(c.json, "pushes") == 1 && n_of(c.json, "decisions") == 3);
    CU_ASSERT(n_of(c.json, "otherwise_in_all") == 2); /* 2 is refused now, 3 is not any more */
    CU_ASSERT(post(&w, &c, "/whitelist/diff?replay=0", LIST) == 200 && n_of(c.json, "pushes") == 0);
    file_is(LIST);
    client_close(&c);
    end(&w);
}

static void shown_and_tested(void)
{
    static const struct {
        const char *target;
        unsigned want;
    } rows[] = {
        {"/whitelist", 200},
        {"/whitelist?initiator=bank&from=1&count=5", 200},
        {"/whitelist?id=x", 400},
        {"/whitelist?count=10001", 400},
        {"/whitelist/test", 400},
        {"/whitelist/test?initiator=mms", 400},
        {"/whitelist/test?initiator=mms&recipient=1&at=x", 400},
        {"/whitelist/test?initiator=mms&recipient=1&operation=push", 400},
        {"/whitelist/test?initiator=mms&operation=status&owner=bank", 400},
        {"/whitelist/test?initiator=mms&operation=status&owner=bank&id=1", 200},
        {"/whitelist/test?initiator=mms&recipient=1", 200},
        {"/initiator", 200},
        {"/initiator?initiator=mms", 200},
        {"/initiator?initiator=none", 404},
        {"/initiator/test?initiator=mms", 400},
        {"/initiator/test?initiator=none&user=x", 404},
        {"/whitelist/test?initiator=mms&recipient=WAPPUSH%3D", 400},
        {"/initiator/test?initiator=mms&san=mms", 400},
        {"/initiator/test?initiator=mms&source=1.2.3", 400},
        {"/initiator/test?initiator=mms&source=1.2.3.4", 200},
        {"/initiator/test?initiator=mms&san=DNS:mms", 200},
    };
    struct world w;
    struct client c;

    begin(&w);
    client_open(&w, &c);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(ask(&w, &c, "GET", rows[i].target) == rows[i].want);
    }
    CU_ASSERT(json_is_true(json_object_get(c.json, "good")));
    /* As the queue shows it, and an initiator spells it. */
    CU_ASSERT(ask(&w, &c, "GET", "/whitelist/test?initiator=bank&recipient=wappush%3D1/type%3Duser@ppg") ==
              200);
    CU_ASSERT(json_is_true(json_object_get(c.json, "allow")));
    CU_ASSERT(ask(&w, &c, "GET", "/whitelist/test?initiator=mms&recipient=3") == 200);
    CU_ASSERT(json_is_false(json_object_get(c.json, "allow")) && n_of(c.json, "line") == 2);
    CU_ASSERT(ask(&w, &c, "GET", "/whitelist/test?initiator=bank&recipient=1") == 200);
    CU_ASSERT(json_is_true(json_object_get(c.json, "allow")) && n_of(c.json, "line") == 3);
    CU_ASSERT_STRING_EQUAL(text_of(c.json, "protect"), "full");
    client_close(&c);
    end(&w);
}

const struct test_case test_cases[] = {
    {"add_and_reload", add_and_reload},
    {"reload_refuses", reload_refuses},
    {"reload_is_busy", reload_is_busy},
    {"one_at_a_time", one_at_a_time},
    {"refused", refused},
    {"not_without_a_record", not_without_a_record},
    {"diff_and_replay", diff_and_replay},
    {"shown_and_tested", shown_and_tested},
    {NULL, NULL},
};
