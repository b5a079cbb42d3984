/* Requests of the operator to calls of server.c and operations of the store, and their results to JSON; see admin.h.
 * A request that cannot be answered at once is a job: it holds the exchange until the store or the reload is done. */
#include "ppg/admin.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/net/httpd.h"
#include "pap/time.h"
#include "pap/vocab.h"
#include "ppg/stage.h"

#define CONNS_MAX  16u
#define WORD_MAX_N 512u /* octets of one query value, decoded */
#define HEAD_MAX_N 16384u
#define BODY_MAX_N 4096u /* nobody needs one */
#define TIME_MS    30000

struct ppg_admin {
    const struct net_env *env;
    struct ppg_admin_conf conf; /* socket is owned */
    struct net_gate *gate;
    struct net_httpd *httpd;
    int64_t started_ms; /* monotonic */
    void (*closed)(void *arg);
    void *closed_arg;
};

struct job {
    struct ppg_admin *admin;
    struct net_http_exchange *x;
    struct store_show show;
    struct store_count count;
    struct buf id;
    struct buf initiator;
};

static struct job *job_new(struct ppg_admin *a, struct net_http_exchange *x)
{
    struct job *j = calloc(1, sizeof *j);

    if (!j)
        return NULL;
    j->admin = a;
    j->x = x;
    buf_init(&j->id, WORD_MAX_N);
    buf_init(&j->initiator, WORD_MAX_N);
    return j;
}

static void job_free(struct job *j)
{
    if (j->show.push)
        ppg_push_drop(j->show.push);
    buf_clear(&j->id);
    buf_clear(&j->initiator);
    free(j);
}

/* --- JSON --- */

/* Text of peers need not be UTF-8: then octets above 127 become "?". */
static json_t *text(struct slice s)
{
    json_t *t = json_stringn(s.p ? s.p : "", s.n);
    char *copy;

    if (t)
        return t;
    copy = mem_dup(s);
    for (size_t i = 0; copy && i < s.n; i++)
        if (copy[i] & 0x80)
            copy[i] = '?';
    t = copy ? json_stringn(copy, s.n) : NULL;
    free(copy);
    return t;
}

static void set(json_t *o, const char *key, json_t *value)
{
    (void)json_object_set_new(o, key, value); /* a NULL is refused there: the key stays away */
}

static void set_text(json_t *o, const char *key, struct slice s)
{
    if (s.n)
        set(o, key, text(s));
}

static void set_n(json_t *o, const char *key, uint64_t n)
{
    set(o, key, json_integer((json_int_t)n));
}

static void set_time(json_t *o, const char *key, int64_t utc_ms)
{
    struct buf b;

    buf_init(&b, 64);
    if (utc_ms && !pap_time_print(utc_ms / 1000, &b))
        set_text(o, key, buf_slice(&b));
    buf_clear(&b);
}

/* Sends it; the object is gone afterwards. */
static void answer(struct net_http_exchange *x, unsigned status, json_t *o)
{
    char *out = json_dumps(o, JSON_INDENT(1));

    json_decref(o);
    if (out)
        net_httpd_reply(x, status, SLICE("application/json"), SLICE_NONE, slice_str(out));
    else
        net_httpd_reply(x, 500, SLICE_NONE, SLICE_NONE, SLICE_NONE);
    free(out);
}

static void refuse(struct net_http_exchange *x, unsigned status, const char *why)
{
    json_t *o = json_object();

    set_text(o, "error", slice_str(why));
    answer(x, status, o);
}

/* --- GET /status --- */

static void event_add(const char *event, uint64_t count, void *arg)
{
    set_n(arg, event, count);
}

static json_t *status_json(const struct ppg_admin *a, const struct store_count *c)
{
    struct ppg_status s = {.loops = 0};
    json_t *o = json_object(), *targets = json_object(), *events = json_object();

    a->conf.status(a->conf.arg, &s);
    set_text(o, "version", SLICE(PPG_VERSION));
    set_n(o, "uptime_s", (uint64_t)(clk_mono_ms(a->env->clk) - a->started_ms) / 1000);
    set_n(o, "loops", s.loops);
    set_n(o, "generation", s.generation);
    set(o, "draining", json_boolean(s.draining));
    set_n(o, "connections", s.connections);
    set_n(targets, "live", s.live);
    set_n(targets, "waiting", c->waiting);
    set_n(targets, "leased", c->leased);
    set(o, "targets", targets);
    set_n(o, "notices", c->notices);
    set_n(o, "store_octets", c->file_n);
    if (a->conf.core->shared->log)
        log_counts(a->conf.core->shared->log, event_add, events);
    set(o, "events", events);
    return o;
}

static void status_done(struct store_op *op)
{
    struct job *j = op->arg;

    if (op->err)
        refuse(j->x, 503, "the store does not answer");
    else
        answer(j->x, 200, status_json(j->admin, &j->count));
    job_free(j);
}

static void status(struct ppg_admin *a, struct net_http_exchange *x, struct slice query)
{
    struct job *j = job_new(a, x);

    (void)query;
    if (!j) {
        refuse(x, 503, "out of memory");
        return;
    }
    j->count.op = (struct store_op){.kind = STORE_COUNT, .done = status_done, .arg = j};
    ppg_core_submit(a->conf.core, &j->count.op);
}

/* --- POST /reload, POST /drain --- */

static json_t *errors_json(enum err result, const struct ppg_config_errors *errs)
{
    json_t *o = json_object(), *lines = json_array();

    set_text(o, "error", slice_str(err_text(result)));
    for (size_t i = 0; i < errs->n; i++)
        (void)json_array_append_new(lines, text(slice_str(errs->text[i])));
    set(o, "errors", lines);
    set_n(o, "more", errs->more);
    return o;
}

static void reload_done(void *arg, enum err result, const struct ppg_config_errors *errs)
{
    struct job *j = arg;
    struct ppg_status s = {.loops = 0};
    json_t *o;

    if (result) {
        answer(j->x, 422, errors_json(result, errs));
    } else {
        j->admin->conf.status(j->admin->conf.arg, &s);
        o = json_object();
        set_n(o, "generation", s.generation);
        answer(j->x, 200, o);
    }
    job_free(j);
}

static void reload(struct ppg_admin *a, struct net_http_exchange *x, struct slice query)
{
    struct job *j = job_new(a, x);
    enum err e = j ? a->conf.reload(a->conf.arg, reload_done, j) : ERR_NOMEM;

    (void)query;
    if (!e)
        return;
    refuse(x, e == ERR_LATE ? 409 : 503, e == ERR_LATE ? "a reload is under way" : err_text(e));
    if (j)
        job_free(j);
}

static void drain(struct ppg_admin *a, struct net_http_exchange *x, struct slice query)
{
    json_t *o = json_object();

    (void)query;
    set(o, "draining", json_true());
    answer(x, 200, o);
    a->conf.drain(a->conf.arg);
}

/* --- GET /push --- */

static const char *notification_text(int notified)
{
    static const char *const words[] = {"none", "owed", "told", "given up"};

    return notified >= 0 && notified < 4 ? words[notified] : "";
}

static json_t *target_json(const struct store_show_target *t)
{
    bool final = ppg_stage_final(t->stage);
    enum pap_code code = final ? (enum pap_code)t->code : PAP_CODE_ACCEPTED; /* [PAP §7] */
    json_t *o = json_object();

    set_text(o, "address", t->address);
    set_text(o, "stage", slice_str(ppg_stage_name(t->stage)));
    set_text(o, "state", slice_str(pap_state_text(ppg_stage_state(t->stage))));
    set_n(o, "code", code);
    set_text(o, "text", slice_str(pap_code_text(code)));
    set_n(o, "tries", t->tries);
    set_time(o, final ? "event" : "due", final ? t->event_ms : t->due_ms);
    set(o, "leased", json_boolean(t->leased));
    set_text(o, "demanded", slice_str(sec_level_name((enum sec_level)t->demanded)));
    set_text(o, "bearer", t->bearer);
    set_text(o, "protection", t->protection);
    set_text(o, "note", t->note);
    set_text(o, "notification", slice_str(notification_text(t->notified)));
    return o;
}

static void push_asks(json_t *o, const struct ppg_push *p)
{
    static const char *const priorities[] = {
        [PPG_PRIO_HIGH] = "high", [PPG_PRIO_MEDIUM] = "medium", [PPG_PRIO_LOW] = "low"};

    if (p->priority <= PPG_PRIO_LOW)
        set_text(o, "priority", slice_str(priorities[p->priority]));
    set_text(o, "method", slice_str(pap_delivery_text((enum pap_delivery)p->method)));
    set_text(o, "network", p->network);
    set_text(o, "bearer", p->bearer);
    set(o, "network_required", json_boolean(p->flags & PPG_NETWORK_REQUIRED));
    set(o, "bearer_required", json_boolean(p->flags & PPG_BEARER_REQUIRED));
    set_text(o, "protection_asked", slice_str(sec_level_name((enum sec_level)p->asked)));
}

/* Never the content: its type and size. */
static json_t *push_json(const struct store_show *show)
{
    const struct ppg_push *p = show->push;
    json_t *o = json_object(), *targets = json_array();

    set_text(o, "push_id", p->push_id);
    set_text(o, "initiator", p->initiator);
    set_text(o, "source_reference", p->source_ref);
    set_text(o, "initiator_uri", p->initiator_uri);
    set(o, "authenticated", json_boolean(p->flags & PPG_AUTHENTICATED));
    set(o, "trusted", json_boolean(p->flags & PPG_TRUSTED));
    set_text(o, "application", p->app_id);
    set_text(o, "content_type", p->content_type);
    set_n(o, "content_octets", show->body_n);
    set_time(o, "accepted", p->accepted_ms);
    set_time(o, "not_before", p->not_before_ms);
    set_time(o, "expires", p->expires_ms);
    set_text(o, "notify_url", p->notify_url);
    push_asks(o, p);
    for (size_t i = 0; i < show->targets_n; i++)
        (void)json_array_append_new(targets, target_json(&show->targets[i]));
    set(o, "targets", targets);
    return o;
}

static void show_done(struct store_op *op)
{
    struct job *j = op->arg;

    if (op->err == ERR_ABSENT)
        refuse(j->x, 404, "no such push");
    else if (op->err)
        refuse(j->x, 503, "the store does not answer");
    else
        answer(j->x, 200, push_json(&j->show));
    job_free(j);
}

/* query = pair *( "&" pair ), pair = name "=" percent-encoded; each name once. */
static enum err query_read(struct job *j, struct slice query)
{
    struct slice pair, name, value;

    while (query.n) {
        struct buf *into;
        enum err e;

        (void)slice_cut(query, '&', &pair, &query);
        if (!slice_cut(pair, '=', &name, &value) || !value.n)
            return ERR_MALFORMED;
        into = slice_eq(name, SLICE("id"))          ? &j->id
               : slice_eq(name, SLICE("initiator")) ? &j->initiator
                                                    : NULL;
        if (!into || into->n)
            return ERR_MALFORMED;
        e = codec_unpercent(value, into);
        if (e)
            return e;
    }
    return j->id.n ? ERR_OK : ERR_MALFORMED;
}

static void push_show(struct ppg_admin *a, struct net_http_exchange *x, struct slice query)
{
    struct job *j = job_new(a, x);
    enum err e = j ? query_read(j, query) : ERR_NOMEM;

    if (e) {
        refuse(x, e == ERR_NOMEM ? 503 : 400,
               e == ERR_NOMEM ? "out of memory" : "id=PUSH-ID[&initiator=NAME] is needed");
        if (j)
            job_free(j);
        return;
    }
    j->show.push_id = buf_slice(&j->id);
    j->show.initiator = buf_slice(&j->initiator);
    j->show.op = (struct store_op){.kind = STORE_SHOW, .done = show_done, .arg = j};
    ppg_core_submit(a->conf.core, &j->show.op);
}

/* --- requests --- */

static const struct route {
    const char *path;
    const char *method;
    const char *allow; /* header line of a 405 */
    void (*run)(struct ppg_admin *a, struct net_http_exchange *x, struct slice query);
} routes[] = {
    {"/status", "GET", "Allow: GET\r\n", status},
    {"/reload", "POST", "Allow: POST\r\n", reload},
    {"/drain", "POST", "Allow: POST\r\n", drain},
    {"/push", "GET", "Allow: GET\r\n", push_show},
};

static const struct route *route_of(const struct net_http_msg *m, struct slice *query)
{
    struct slice path;

    (void)slice_cut(m->target, '?', &path, query);
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (slice_eq(path, slice_str(routes[i].path)))
            return &routes[i];
    return NULL;
}

static bool is_operator(const struct net_http_exchange *x)
{
    uid_t uid;

    return !net_http_exchange_uid(x, &uid) && (uid == 0 || uid == geteuid());
}

static void request(struct net_http_exchange *x, void *arg)
{
    struct ppg_admin *a = arg;
    const struct net_http_msg *m = net_http_exchange_msg(x);
    struct slice query;
    const struct route *r = route_of(m, &query);

    if (!is_operator(x)) {
        LOG(a->env->log, LOG_WARN, "admin.denied", LOG_S("target", m->target));
        refuse(x, 403, "only root and the gateway's own user may ask");
    } else if (!r) {
        refuse(x, 404, "no such thing; there are /status, /reload, /drain and /push");
    } else if (!slice_eq(m->method, slice_str(r->method))) {
        net_httpd_reply(x, 405, SLICE_NONE, slice_str(r->allow), SLICE_NONE);
    } else {
        LOG(a->env->log, LOG_INFO, "admin.request", LOG_S("method", m->method), LOG_S("target", m->target));
        r->run(a, x, query);
    }
}

/* --- life --- */

static void admin_free(struct ppg_admin *a)
{
    net_gate_free(&a->gate);
    free((char *)(uintptr_t)a->conf.socket);
    free(a);
}

enum err ppg_admin_create(const struct net_env *env, const struct ppg_admin_conf *conf,
                          struct ppg_admin **out, const char **why)
{
    struct net_httpd_conf http = {.name = "admin",
                                  .request = request,
                                  .limits = {.head_max_n = HEAD_MAX_N,
                                             .headers_max = 32,
                                             .value_max_n = 4096,
                                             .target_max_n = 4096,
                                             .body_max_n = BODY_MAX_N,
                                             .head_ms = TIME_MS,
                                             .idle_ms = TIME_MS,
                                             .handshake_ms = TIME_MS}};
    struct ppg_admin *a = calloc(1, sizeof *a);
    enum err e = ERR_NOMEM;

    *why = "out of memory";
    if (!a)
        return e;
    a->env = env;
    a->conf = *conf;
    a->conf.socket = mem_dup(slice_str(conf->socket));
    a->started_ms = clk_mono_ms(env->clk);
    if (a->conf.socket && !net_gate_create(CONNS_MAX, CONNS_MAX, &a->gate)) {
        http.unix_path = a->conf.socket;
        http.gate = a->gate;
        http.arg = a;
        e = net_httpd_create(env, &http, &a->httpd, why);
    }
    if (e)
        admin_free(a);
    else
        *out = a;
    return e;
}

static void http_closed(void *arg)
{
    struct ppg_admin *a = arg;
    void (*closed)(void *arg) = a->closed;
    void *closed_arg = a->closed_arg;

    admin_free(a);
    if (closed)
        closed(closed_arg);
}

void ppg_admin_close(struct ppg_admin *a, void (*closed)(void *arg), void *arg)
{
    a->closed = closed;
    a->closed_arg = arg;
    net_httpd_close(a->httpd, http_closed, a);
}
