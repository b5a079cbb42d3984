/* Reloads on a loop of their own: what changed is counted, a mistake keeps everything, and who is the last to hold an old
 * configuration does not free it. */
#include "tests/unit/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ppg/changes.h"
#include "ppg/reload.h"

static void write_all(void)
{
    test_write_file("ppg.conf", "[pap]\nlisten = 127.0.0.1:0\n[log]\nfile = log\n", 0600);
    test_write_file("initiators.conf",
                    "[initiator a]\ncertificate = DNS:a\n[initiator b]\ncertificate = DNS:b\n", 0600);
    test_write_file("whitelist.conf", "allow a +1* *\nallow b +1* *\n", 0600);
    test_write_file("terminals.conf", "", 0600);
    (void)unlink(test_in_scratch("log"));
}

static struct ppg_snapshot *snapshot_now(void)
{
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);
    struct ppg_snapshot *s = NULL;

    MUST(errs != NULL);
    CU_ASSERT_FATAL(ppg_snapshot_load(test_in_scratch("ppg.conf"), &s, errs) == ERR_OK);
    free(errs);
    return s;
}

struct world {
    uv_loop_t loop;
    struct log *log;
    struct ppg_snapshot *used; /* a hold, as the loops have */
    struct ppg_reload *reload;
    unsigned taken, done;
    enum err result;
    char first[512]; /* mistake */
    size_t errors;
};

static void take(void *arg, struct ppg_snapshot *before, struct ppg_snapshot *fresh)
{
    struct world *w = arg;

    CU_ASSERT_PTR_EQUAL(before, w->used);
    w->taken++;
    ppg_snapshot_drop(&w->used);
    w->used = ppg_snapshot_hold(fresh);
}

static void done(void *arg, enum err result, const struct ppg_config_errors *errs)
{
    struct world *w = arg;

    w->done++;
    w->result = result;
    w->errors = errs->n;
    (void)snprintf(w->first, sizeof w->first, "%s", errs->n ? errs->text[0] : "");
}

static void start(struct world *w)
{
    const struct log_conf conf = {.level = LOG_ERROR, .fd = dup(STDERR_FILENO)};
    struct ppg_reload_conf rc = {.loop = &w->loop, .take = take, .arg = w};

    *w = (struct world){.taken = 0};
    write_all();
    MUST(uv_loop_init(&w->loop) == 0 && log_create(&conf, &clk_real, &w->log) == ERR_OK);
    rc.log = w->log;
    w->used = snapshot_now();
    CU_ASSERT_FATAL(ppg_reload_create(&rc, w->used, &w->reload) == ERR_OK);
}

/* One reload to its end; true when it was taken. */
static bool reload(struct world *w)
{
    unsigned taken = w->taken;

    CU_ASSERT(ppg_reload_begin(w->reload, done, w) == ERR_OK);
    CU_ASSERT(ppg_reload_begin(w->reload, done, w) == ERR_LATE); /* one at a time */
    CU_ASSERT(ppg_reload_busy(w->reload));
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    CU_ASSERT_FALSE(ppg_reload_busy(w->reload));
    return w->taken > taken;
}

static void finish(struct world *w)
{
    ppg_snapshot_drop(&w->used);
    ppg_reload_free(&w->reload);
    log_free(&w->log);
    CU_ASSERT(uv_loop_close(&w->loop) == 0);
}

static void test_taken(void)
{
    struct world w;
    uint64_t before;

    start(&w);
    before = ppg_config_generation(w.used->config);
    CU_ASSERT(reload(&w) && w.result == ERR_OK && w.errors == 0 && w.done == 1);
    CU_ASSERT(ppg_config_generation(w.used->config) > before);
    CU_ASSERT_EQUAL(log_count(w.log, "reload.done"), 1);
    CU_ASSERT_EQUAL(access(test_in_scratch("log"), F_OK), 0);
    finish(&w);
}

static const struct {
    const char *file, *text, *want; /* part of the first mistake */
} broken[] = {
    {"ppg.conf", "[pap]\nlisten = nowhere\n", "ppg.conf:2: listen: "},
    {"ppg.conf", "[pap]\nlisten = 127.0.0.1:0\n[log]\nfile = no/such/folder\n",
     "[log] file: cannot be opened"},
    {"ppg.conf", "[pap]\nlisten = 127.0.0.1:0\n\n[notify]\nca = whitelist.conf\n", "ppg.conf:5: ca: "},
    {"initiators.conf", "[initiator a]\ncertificate = DNS:a\nrate = 0/s\n", "initiators.conf:3: rate: "},
    {"whitelist.conf", "allow a +1* *\nmaybe\n", "whitelist.conf:2: "},
    {"whitelist.conf", "allow a @missing *\n", "whitelist.conf:1: "},
    {"terminals.conf", "[terminal +1]\n", "terminals.conf:1: +1: neither route"},
};

/* The file of the log is opened anew all the same. */
static void test_kept(void)
{
    struct world w;

    start(&w);
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct ppg_snapshot *before = w.used;

        test_row(i);
        write_all();
        test_write_file(broken[i].file, broken[i].text, 0600);
        CU_ASSERT_FALSE(reload(&w));
        CU_ASSERT(w.result != ERR_OK && w.errors == 1 && w.used == before);
        CU_ASSERT(slice_find_slice(slice_str(w.first), slice_str(broken[i].want)) != SIZE_MAX);
        CU_ASSERT_EQUAL(access(test_in_scratch("log"), F_OK), 0);
    }
    CU_ASSERT_EQUAL(log_count(w.log, "reload.kept"), COUNT(broken));
    write_all();
    CU_ASSERT(reload(&w));
    finish(&w);
}

/* Somebody still holds the old configuration: it waits, is freed by a worker when they let go, and ppg_reload_free()
 * takes what is left.  (That nothing is freed twice or never is the sanitizers' to say.) */
static void test_old_ones(void)
{
    struct world w;
    struct ppg_snapshot *kept;
    struct ppg_config *config;
    struct ota_registry *registry;

    start(&w);
    kept = ppg_snapshot_hold(w.used);
    config = ppg_config_hold(w.used->config);
    registry = ota_registry_hold(ppg_config_registry(w.used->config));
    CU_ASSERT(reload(&w));
    ppg_reload_tick(w.reload);
    CU_ASSERT_FALSE(ppg_reload_busy(w.reload));
    ppg_snapshot_drop(&kept);
    ppg_reload_tick(w.reload);
    CU_ASSERT(ppg_reload_busy(w.reload)); /* a worker frees the snapshot */
    ppg_reload_tick(w.reload);
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    CU_ASSERT_FALSE(ppg_config_alone(config));
    ppg_config_drop(&config);
    ppg_reload_tick(w.reload);
    CU_ASSERT_FALSE(ppg_reload_busy(w.reload)); /* an attempt still uses the terminals */
    ota_registry_drop(&registry);
    ppg_reload_tick(w.reload);
    CU_ASSERT(ppg_reload_busy(w.reload));
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    ppg_reload_tick(w.reload);
    CU_ASSERT_FALSE(ppg_reload_busy(w.reload)); /* nothing is left */
    CU_ASSERT(reload(&w) && reload(&w));
    finish(&w);
}

/* Signals that come while one is under way: one more reload for all of them, and it sees what was written meanwhile. */
static void test_soon(void)
{
    struct world w;

    start(&w);
    CU_ASSERT(ppg_reload_soon(w.reload) == ERR_OK);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(ppg_reload_soon(w.reload) == ERR_OK);
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    CU_ASSERT(w.taken == 2 && w.done == 0 && !ppg_reload_busy(w.reload));
    CU_ASSERT(ppg_reload_soon(w.reload) == ERR_OK);
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    CU_ASSERT_EQUAL(w.taken, 3);
    finish(&w);
}

static const struct {
    const char *initiators, *whitelist;
    struct ppg_changes want;
} changed[] = {
    {"[initiator a]\ncertificate = DNS:a\n[initiator b]\ncertificate = DNS:b\n",
     "allow a +1* *\nallow b +1* *\n",
     {0}},
    {"[initiator b]\ncertificate = DNS:b\n[initiator a]\ncertificate = DNS:a\n",
     "\n# a comment\nallow b  +1* *\nallow a +1* *\n",
     {0}},
    {"[initiator a]\ncertificate = DNS:a\ntrusted = yes\n[initiator c]\ncertificate = DNS:c\n",
     "allow a +1* *\ndeny b +1* *\nallow c +1* *\n",
     {.accounts_added = 1,
      .accounts_removed = 1,
      .accounts_changed = 1,
      .rules_added = 2,
      .rules_removed = 1,
      .named = "~a +c -b"}},
    {"[initiator a]\ncertificate = DNS:a\n[initiator b]\ncertificate = DNS:b\n[auth-proxy p]\ncertificate = "
     "DNS:p\n"
     "network = 192.0.2.1\n",
     "allow a +1* *\nallow b +1* *\n",
     {.delegates = 1}},
    {"", "", {.accounts_removed = 2, .rules_removed = 2, .named = "-a -b"}},
};

/* As many names as there is room for, the rest as dots; what a line of the audit log says. */
static void test_many_names(void)
{
    struct buf text, line;
    struct ppg_snapshot *was, *is;
    struct ppg_changes got;

    write_all();
    was = snapshot_now();
    buf_init(&text, 1 << 20);
    buf_init(&line, 4096);
    for (int i = 0; i < 200; i++)
        buf_addf(&text, "[initiator x-%03d]\ncertificate = DNS:x%d\n", i, i);
    buf_add_ch(&text, '\0');
    test_write_file("initiators.conf", text.p, 0600);
    is = snapshot_now();
    ppg_changes_find(was, is, &got);
    CU_ASSERT(got.accounts_added == 200 && strlen(got.named) < sizeof got.named);
    CU_ASSERT(slice_starts(slice_str(got.named), SLICE("+x-000 +x-001 ")));
    CU_ASSERT(slice_ends(slice_str(got.named), SLICE(" ...")));
    got.generation = 7;
    (void)snprintf(got.named, sizeof got.named, "+x-000 ...");
    ppg_changes_print(&got, &line);
    TEST_SLICE_EQ(
        buf_slice(&line),
        SLICE(
            "{\"generation\":7,\"accounts\":\"+x-000 ...\",\"accounts_added\":200,\"accounts_removed\":2}"));
    buf_clear(&line);
    buf_clear(&text);
    ppg_snapshot_drop(&was);
    ppg_snapshot_drop(&is);
}

static void test_changes(void)
{
    for (size_t i = 0; i < COUNT(changed); i++) {
        const struct ppg_changes *want = &changed[i].want;
        struct ppg_snapshot *was, *is;
        struct ppg_changes got;

        test_row(i);
        write_all();
        was = snapshot_now();
        test_write_file("initiators.conf", changed[i].initiators, 0600);
        test_write_file("whitelist.conf", changed[i].whitelist, 0600);
        is = snapshot_now();
        ppg_changes_find(was, is, &got);
        CU_ASSERT(got.accounts_added == want->accounts_added &&
                  got.accounts_removed == want->accounts_removed &&
                  got.accounts_changed == want->accounts_changed);
        CU_ASSERT(got.rules_added == want->rules_added && got.rules_removed == want->rules_removed);
        CU_ASSERT(got.files == 0 && got.delegates == want->delegates);
        CU_ASSERT(got.generation == ppg_config_generation(is->config));
        TEST_SLICE_EQ(slice_str(got.named), slice_str(want->named));
        ppg_snapshot_drop(&was);
        ppg_snapshot_drop(&is);
    }
}

const struct test_case test_cases[] = {
    {"taken", test_taken},
    {"kept", test_kept},
    {"soon", test_soon},
    {"old_ones", test_old_ones},
    {"changes", test_changes},
    {"many_names", test_many_names},
    {NULL, NULL},
};
