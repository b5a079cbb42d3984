/* The operator's socket and the table of its requests; see admin.h.  What each does: gateway.c, backup.c, push.c,
 * act.c, queue.c, initiator.c, whitelist.c, edit.c, diff.c, trail.c, log.c. */
#include "ppg/admin/admin.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "ppg/admin/routes.h"

#define CONNS_MAX  16u
#define HEAD_MAX_N 16384u
#define BODY_MAX_N (64u << 20) /* a whole whitelist */
#define TIME_MS    30000

#define PUSH       (PPG_ASK_ID | PPG_ASK_INITIATOR)
#define QUESTION                                                                                             \
    (PUSH | PPG_ASK_RECIPIENT | PPG_ASK_APPLICATION | PPG_ASK_TYPE | PPG_ASK_URI | PPG_ASK_SIZE |            \
     PPG_ASK_ASKED | PPG_ASK_AT | PPG_ASK_OPERATION | PPG_ASK_OWNER)

static const struct ppg_admin_route routes[] = {
    {"/status", "GET", 0, 0, "", ppg_admin_status},
    {"/metrics", "GET", 0, 0, "", ppg_admin_metrics},
    {"/reload", "POST", 0, 0, "", ppg_admin_reload},
    {"/drain", "POST", 0, 0, "", ppg_admin_drain},
    {"/backup", "POST", PPG_ASK_FILE, PPG_ASK_FILE, "{\"file\": ABSOLUTE PATH} is needed", ppg_admin_backup},
    {"/keys", "GET", 0, 0, "", ppg_admin_key},
    {"/keys/add", "POST", 0, 0,
     "{\"name\": NAME, \"kind\": KIND, \"secret\": ... or \"package_until\": TIME} is needed", ppg_admin_key},
    {"/keys/import", "POST", 0, 0, "{\"name\": NAME, \"association\": TEXT} is needed", ppg_admin_key},
    {"/keys/rotate", "POST", 0, 0,
     "{\"name\": NAME, \"secret\": ... or \"package_until\": TIME, \"until\": TIME} is needed",
     ppg_admin_key},
    {"/keys/remove", "POST", 0, 0, "{\"name\": NAME} is needed", ppg_admin_key},
    {"/sa", "GET", 0, 0, "name=ADDRESS, name=KEY, name=SAID or nothing", ppg_admin_key},
    {"/sa/revoke", "POST", 0, 0, "{\"name\": NAME} is needed", ppg_admin_key},
    {"/queue", "GET", PPG_ASK_INITIATOR | PPG_ASK_HEADS, 0,
     "initiator=NAME and heads=N, at most 1000, or nothing", ppg_admin_queue},
    {"/push", "GET", PUSH, PPG_ASK_ID, "id=PUSH-ID[&initiator=NAME] is needed", ppg_admin_push_show},
    {"/push/explain", "GET", PUSH, PPG_ASK_ID, "id=PUSH-ID[&initiator=NAME] is needed",
     ppg_admin_push_explain},
    {"/push/cancel", "POST", PUSH | PPG_ASK_TO, PPG_ASK_ID,
     "{\"id\": PUSH-ID, \"initiator\": NAME, \"to\": [ADDRESS, ...]} is needed; the last two may be left out",
     ppg_admin_push_cancel},
    {"/push/replay", "POST", PUSH | PPG_ASK_AS | PPG_ASK_TO, PUSH,
     "{\"id\": PUSH-ID, \"initiator\": NAME, \"as\": NEW-ID, \"to\": [ADDRESS, ...]} is needed; the last two "
     "may be "
     "left out",
     ppg_admin_push_replay},
    {"/initiator", "GET", PPG_ASK_INITIATOR | PPG_ASK_FROM | PPG_ASK_COUNT, 0,
     "initiator=NAME, or from=N and count=N, or nothing", ppg_admin_initiator},
    {"/initiator/test", "GET", PPG_ASK_INITIATOR | PPG_ASK_SAN | PPG_ASK_SOURCE | PPG_ASK_USER | PPG_ASK_URI,
     PPG_ASK_INITIATOR, "initiator=NAME is needed, and san=KIND:NAME, user=NAME, source=ADDRESS or uri=URI",
     ppg_admin_initiator_test},
    {"/terminal", "GET", PPG_ASK_TERMINAL | PPG_ASK_ALL | PPG_ASK_FROM | PPG_ASK_COUNT, 0,
     "terminal=ADDRESS, or all=yes, from=N and count=N, or nothing", ppg_admin_terminal},
    {"/terminal/disconnect", "POST", PPG_ASK_TERMINAL, PPG_ASK_TERMINAL, "{\"terminal\": ADDRESS} is needed",
     ppg_admin_terminal_disconnect},
    {"/log/token", "GET", PPG_ASK_TERMINAL, PPG_ASK_TERMINAL, "terminal=ADDRESS is needed",
     ppg_admin_log_token},
    {"/whitelist", "GET", PPG_ASK_INITIATOR | PPG_ASK_FROM | PPG_ASK_COUNT, 0,
     "initiator=NAME, from=LINE and count=N, or nothing", ppg_admin_whitelist},
    {"/whitelist/test", "GET", QUESTION, PPG_ASK_INITIATOR,
     "initiator=NAME and recipient=ADDRESS are needed; application, type, uri, size, asked and at may be "
     "said; "
     "or operation=status or cancel, with owner=NAME and id=PUSH-ID",
     ppg_admin_whitelist_test},
    {"/whitelist/add", "POST", PPG_ASK_RULE | PPG_ASK_LINE, PPG_ASK_RULE,
     "{\"rule\": RULE, \"line\": \"N\"} is needed; line, before which it is put, may be left out",
     ppg_admin_whitelist_add},
    {"/whitelist/remove", "POST", PPG_ASK_RULE | PPG_ASK_LINE, 0,
     "{\"rule\": RULE} or {\"line\": \"N\"} is needed", ppg_admin_whitelist_remove},
    {"/whitelist/import", "POST", PPG_ASK_TEXT, 0, "the new list is the body", ppg_admin_whitelist_import},
    {"/whitelist/diff", "POST", PPG_ASK_TEXT | PPG_ASK_REPLAY, 0,
     "the other list is the body; replay=SECONDS may be said", ppg_admin_whitelist_diff},
    {"/audit", "GET", PPG_ASK_COUNT, 0, "count=N, or nothing", ppg_admin_audit_tail},
    {"/audit/verify", "GET", 0, 0, "", ppg_admin_audit_verify},
};

static const struct ppg_admin_route *route_of(struct slice target)
{
    struct slice path, query;

    (void)slice_cut(target, '?', &path, &query);
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (slice_eq(path, slice_str(routes[i].path)))
            return &routes[i];
    return NULL;
}

static void refuse_method(struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    bool get = slice_eq(slice_str(r->method), SLICE("GET"));

    net_httpd_reply(x, 405, SLICE_NONE, get ? SLICE("Allow: GET\r\n") : SLICE("Allow: POST\r\n"), SLICE_NONE);
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
    const struct ppg_admin_route *r = route_of(m->target);
    struct slice path, query; /* which may name subscribers, and is not logged */

    (void)slice_cut(m->target, '?', &path, &query);
    if (!is_operator(x)) {
        LOG(a->env->log, LOG_WARN, "admin.denied", LOG_S("target", path));
        ppg_admin_refuse(x, 403, "only root and the gateway's own user may ask");
    } else if (!r) {
        ppg_admin_refuse(x, 404, "no such request; ppg/admin/admin.h lists them");
    } else if (!slice_eq(m->method, slice_str(r->method))) {
        refuse_method(x, r);
    } else {
        LOG(a->env->log, LOG_INFO, "admin.request", LOG_S("method", m->method), LOG_S("target", path));
        r->run(a, x, r);
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
    a->started_s = clk_utc_ms(env->clk) / 1000;
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
