/* The operator's socket on a desk: a real UNIX socket and loop, a store that runs when told, a server that is played here,
 * and a client.  Used by the tests of admin*.c; each test program is one file, so everything here is static inline. */
#ifndef TESTS_UNIT_PPG_ADMIN_FIX_H
#define TESTS_UNIT_PPG_ADMIN_FIX_H

#include <jansson.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "base/mem.h"
#include "base/net/http1.h"
#include "base/net/hub.h"
#include "ppg/admin/admin.h"
#include "ppg/control.h"
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

#define WAIT_MS 60000

/* A question, and the status of its answer. */
struct question {
    const char *target;
    unsigned want;
};

struct world {
    uv_loop_t loop;
    struct net_env env;
    struct ppg_shared shared;
    struct ppg_core core;
    struct fix store;
    struct ppg_admin *admin;
    char path[300];
    enum err reload_says; /* what begins a reload is told */
    ppg_reload_done_fn *reload_done;
    void *reload_arg;
    unsigned drains;
    bool closed;
};

static inline void status(void *arg, struct ppg_status *out)
{
    (void)arg;
    *out = (struct ppg_status){.loops = 3, .generation = 7, .connections = 11, .live = 5, .draining = true};
}

static inline enum err reload(void *arg, ppg_reload_done_fn *done, void *done_arg)
{
    struct world *w = arg;

    if (w->reload_says)
        return w->reload_says;
    w->reload_done = done;
    w->reload_arg = done_arg;
    w->reload_says = ERR_LATE;
    return ERR_OK;
}

static inline void drain(void *arg)
{
    ((struct world *)arg)->drains++;
}

static inline void closed(void *arg)
{
    ((struct world *)arg)->closed = true;
}

static inline struct ppg_admin_conf conf_of(struct world *w)
{
    return (struct ppg_admin_conf){
        .socket = w->path, .core = &w->core, .status = status, .reload = reload, .drain = drain, .arg = w};
}

static inline void write_conf(const char *name, const char *text)
{
    char path[300];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
    f = fopen(path, "we");
    CU_ASSERT_FATAL(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* Initiators mms and bank; mms may push to tel:1 and tel:2, not to tel:3; the group $few. */
static inline void load_conf(struct world *w)
{
    static struct ppg_config_errors errs;
    char path[300];

    write_conf("ppg.conf", "[files]\ngroups = groups.conf\n");
    write_conf("initiators.conf",
               "[initiator mms]\ncertificate = DNS:mms\n[initiator bank]\ncertificate = DNS:bank\n");
    write_conf("whitelist.conf", "allow mms * *\ndeny mms 3 *\nallow bank 1 * protect=full\n");
    write_conf("groups.conf", "[group few]\nbare = yes\nmember = 1\n");
    write_conf("terminals.conf", "[terminal 1]\nroute = http://127.0.0.1:9\n");
    (void)snprintf(path, sizeof path, "%s/ppg.conf", test_scratch());
    if (ppg_config_load(path, &w->core.config, &errs))
        (void)fprintf(stderr, "%s\n", errs.text[0]);
    CU_ASSERT_FATAL(w->core.config != NULL);
}

static inline void begin(struct world *w)
{
    struct ppg_admin_conf conf = conf_of(w);
    struct log_conf log = {.level = LOG_ERROR, .fd = -1};
    const char *why;

    *w = (struct world){.drains = 0};
    (void)signal(SIGPIPE, SIG_IGN); /* as the gateway does */
    fix_init(&w->store, test_scratch(), "admin.db", true);
    fix_remove_at(w->store.path);
    CU_ASSERT_FATAL(fix_open(&w->store) == ERR_OK);
    CU_ASSERT_FATAL(uv_loop_init(&w->loop) == 0);
    w->env = (struct net_env){.loop = &w->loop, .clk = &clk_real};
    CU_ASSERT_FATAL(net_hub_create(&w->env) == ERR_OK);
    CU_ASSERT_FATAL(log_create(&log, &clk_real, &w->shared.log) == ERR_OK);
    load_conf(w);
    w->shared.store = w->store.s;
    w->shared.clk = &clk_real;
    w->shared.loops = 1;
    CU_ASSERT_FATAL(ppg_control_create(&w->core, &w->core.control) == ERR_OK);
    w->core.shared = &w->shared;
    list_init(&w->core.ops);
    (void)snprintf(w->path, sizeof w->path, "%s/admin.sock", test_scratch());
    CU_ASSERT_FATAL(ppg_admin_create(&w->env, &conf, &w->admin, &why) == ERR_OK);
}

/* A turn of the loop, of the store and of what the store brings back. */
static inline void turn(struct world *w)
{
    (void)uv_run(&w->loop, UV_RUN_NOWAIT);
    ppg_core_flush(&w->core);
    while (store_turn(w->store.s))
        ppg_core_done(&w->core, &w->store.done);
}

static inline void end(struct world *w)
{
    int64_t until = clk_mono_ms(&clk_real) + WAIT_MS;

    ppg_admin_close(w->admin, closed, w);
    while (!w->closed && clk_mono_ms(&clk_real) < until)
        turn(w);
    CU_ASSERT_FATAL(w->closed);
    CU_ASSERT(access(w->path, F_OK) != 0);
    net_hub_close(w->env.hub, NULL, NULL);
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    CU_ASSERT(uv_loop_close(&w->loop) == 0);
    ppg_control_free(&w->core.control);
    ppg_config_drop(&w->core.config);
    log_free(&w->shared.log);
    fix_clear(&w->store);
    fix_remove_at(w->store.path);
}

/* --- a client --- */

struct client {
    int fd;
    struct net_http_reader *reader;
    struct buf text; /* of the last answer */
    json_t *json;    /* NULL: the answer has no body, or it is no JSON */
};

static inline void client_open(struct world *w, struct client *c)
{
    struct net_http_limits limits = {.head_max_n = 65536,
                                     .headers_max = 50,
                                     .value_max_n = 8192,
                                     .target_max_n = 8192,
                                     .body_max_n = 1u << 20};
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    *c = (struct client){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    buf_init(&c->text, 1u << 20);
    CU_ASSERT_FATAL(!mem_cstr(at.sun_path, sizeof at.sun_path, slice_str(w->path)));
    CU_ASSERT_FATAL(connect(c->fd, (struct sockaddr *)&at, sizeof at) == 0);
    CU_ASSERT_FATAL(net_http_reader_create(NET_HTTP_CLIENT, &limits, &c->reader) == ERR_OK);
}

static inline void client_close(struct client *c)
{
    (void)close(c->fd);
    net_http_reader_free(&c->reader);
    buf_clear(&c->text);
    json_decref(c->json);
}

static inline void say(struct client *c, const char *wire)
{
    CU_ASSERT(send(c->fd, wire, strlen(wire), MSG_NOSIGNAL) == (ssize_t)strlen(wire));
}

/* One more piece of the answer. */
static inline enum net_http_event hear(struct client *c)
{
    enum net_http_event ev;
    char piece[4096];
    ssize_t n = recv(c->fd, piece, sizeof piece, 0);
    struct slice in = slice_of(piece, n > 0 ? (size_t)n : 0);

    do /* after a head there may be more to say without more octets */
        ev = net_http_reader_feed(c->reader, &in);
    while (ev == NET_HTTP_HEAD);
    return n == 0 ? NET_HTTP_FAULT : ev;
}

/* The status of the next answer, its body in c->json; 0 when none comes. */
static inline unsigned heard(struct world *w, struct client *c)
{
    int64_t until = clk_mono_ms(&clk_real) + WAIT_MS;
    enum net_http_event ev = NET_HTTP_MORE;
    const struct net_http_msg *m = net_http_reader_msg(c->reader);
    unsigned code;

    while ((ev == NET_HTTP_MORE || ev == NET_HTTP_HEAD) && clk_mono_ms(&clk_real) < until) {
        turn(w);
        ev = hear(c);
    }
    if (ev != NET_HTTP_DONE)
        return 0;
    code = m->status;
    json_decref(c->json);
    c->json = json_loadb(m->body.p ? m->body.p : "", m->body.n, 0, NULL);
    buf_reset(&c->text, 0);
    buf_add(&c->text, m->body);
    net_http_reader_next(c->reader);
    return code;
}

static inline unsigned ask(struct world *w, struct client *c, const char *method, const char *target)
{
    char wire[8192];

    (void)snprintf(wire, sizeof wire, "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n", method, target,
                   *method == 'P' ? "Content-Length: 0\r\n" : "");
    say(c, wire);
    return heard(w, c);
}

static inline unsigned post(struct world *w, struct client *c, const char *target, const char *body)
{
    char wire[8192];

    (void)snprintf(wire, sizeof wire, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", target,
                   strlen(body), body);
    say(c, wire);
    return heard(w, c);
}

static inline const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static inline json_int_t n_of(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    return json_is_integer(v) ? json_integer_value(v) : -1;
}

/* Asks each by GET; a refusal says why. */
static inline void ask_all(struct world *w, struct client *c, const struct question *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        test_row(i);
        CU_ASSERT(ask(w, c, "GET", rows[i].target) == rows[i].want);
        CU_ASSERT(rows[i].want == 200 || *text_of(c->json, "error"));
    }
}

#endif
