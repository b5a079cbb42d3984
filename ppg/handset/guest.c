/* Visiting; see guest.h. */
#include "ppg/handset/guest.h"

#include <stdlib.h>
#include "base/mem.h"
#include "base/net/hub.h"
#include "base/net/uri.h"
#include "base/num.h"
#include "ppg/handset/call.h"
#include "ppg/keys/visit_json.h"

#define PATH         SLICE("/sec/v1/visit")
#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 60000
#define LASTED_MS    10000 /* a line that was good for so long: the next pause is short */

struct tool_guest {
    struct tool_guest_conf conf;
    const struct net_env *env;
    struct tool_ask *ask;
    struct buf url;          /* of where it goes: https://HOST:PORT */
    struct net_uri to;       /* views into it */
    struct net_tls_ctx *tls; /* with the key; the httpd borrows it */
    struct tool_call *call;
    struct net_timer pause;
    int64_t pause_ms, began_ms;
    bool ended;
};

static void wait_a_while(struct tool_guest *g, const char *why)
{
    LOG(g->env->log, LOG_INFO, "visit.again", LOG_C("why", why), LOG_I("again_ms", g->pause_ms));
    net_hub_timer_set(g->env->hub, &g->pause, g->pause_ms);
    g->pause_ms = num_min64(2 * g->pause_ms, PAUSE_MAX_MS);
}

/* --- the line --- */

static void line_lost(const char *tls_why, void *arg)
{
    struct tool_guest *g = arg;

    if (clk_mono_ms(g->env->clk) - g->began_ms >= LASTED_MS)
        g->pause_ms = PAUSE_MIN_MS;
    wait_a_while(g, tls_why[0] ? tls_why : "the line is lost");
}

/* With a key that is good for one version (RFC 9257 §4) and proves both sides. */
static enum err take_key(struct tool_guest *g, const struct ppg_visit_grant *grant)
{
    const struct net_tls_conf conf = {.role = NET_TLS_CLIENT,
                                      .verify = NET_TLS_VERIFY_NONE,
                                      .version_min = 13,
                                      .alpn_http11 = true,
                                      .psk_identity = grant->identity,
                                      .psk_key = slice_of(grant->key, sizeof grant->key)};
    struct net_tls_ctx *tls;
    const char *why;
    enum err e = net_tls_ctx_create(&conf, &tls, &why);

    if (e)
        return e;
    net_httpd_set_tls(g->conf.httpd, tls);
    net_tls_ctx_free(&g->tls);
    g->tls = tls;
    return ERR_OK;
}

static enum err go_there(struct tool_guest *g, const struct ppg_visit_grant *grant)
{
    struct tool_call_conf call = {
        .env = g->env, .httpd = g->conf.httpd, .once = true, .lost = line_lost, .arg = g};
    enum err e;

    tool_call_close(&g->call);
    buf_reset(&g->url, PPG_VISIT_JSON_MAX_N);
    buf_addf(&g->url, "https://%.*s", SLICE_FMT(grant->host));
    e = buf_err(&g->url) ? buf_err(&g->url) : net_uri_parse(buf_slice(&g->url), &g->to);
    if (!e)
        e = take_key(g, grant);
    if (e)
        return e;
    LOG(g->env->log, LOG_INFO, "visit.granted", LOG_S("host", grant->host),
        LOG_S("identity", grant->identity));
    call.host = g->to.host;
    call.port = g->to.port;
    g->began_ms = clk_mono_ms(g->env->clk);
    return tool_call_create(&call, &g->call);
}

/* --- the key --- */

static void visit(struct tool_guest *g, struct slice answer)
{
    struct ppg_visit_grant grant = {.user = SLICE_NONE};
    struct arena mem;
    enum err e;

    arena_init(&mem, 512, 2 * PPG_VISIT_JSON_MAX_N);
    e = ppg_visit_grant_parse(answer, PPG_VISIT_TERMINAL, &mem, &grant);
    if (!e)
        e = go_there(g, &grant);
    mem_wipe(&grant, sizeof grant);
    arena_clear(&mem);
    if (e)
        wait_a_while(g, err_text(e));
}

static void on_answer(const struct net_http_msg *m, const char *why, void *arg)
{
    struct tool_guest *g = arg;

    if (g->ended)
        return;
    if (m && m->status == 200) {
        visit(g, m->body);
    } else if (m && (m->status == 400 || m->status == 403 || m->status == 404)) {
        LOG(g->env->log, LOG_WARN, "visit.refused", LOG_I("status", m->status));
        g->conf.refused(m->status == 403 ? "the home gives us no key for there"
                                         : "the home knows nothing of visits",
                        g->conf.arg);
    } else {
        LOG(g->env->log, LOG_WARN, "visit.unanswered", LOG_I("status", m ? m->status : 0), LOG_C("why", why));
        wait_a_while(g, m ? "not now" : why);
    }
}

static void ask(struct tool_guest *g)
{
    struct buf question;
    enum err e;

    buf_init(&question, PPG_VISIT_JSON_MAX_N);
    e = ppg_visit_question_print(g->conf.enabler, &question);
    if (!e)
        e = tool_ask_send(g->ask, PATH, buf_slice(&question), on_answer, g);
    buf_clear(&question);
    if (e)
        wait_a_while(g, err_text(e));
}

static void pause_over(struct net_timer *timer)
{
    ask(container_of(timer, struct tool_guest, pause));
}

void tool_guest_keyed(struct tool_guest *g)
{
    if (g)
        tool_ask_keyed(g->ask);
}

void tool_guest_unkeyed(struct tool_guest *g)
{
    if (g)
        tool_ask_unkeyed(g->ask);
}

/* --- life --- */

enum err tool_guest_create(const struct tool_guest_conf *conf, struct tool_guest **out, char why[TOOL_WHY_N])
{
    struct tool_guest *g = calloc(1, sizeof *g);
    enum err e;

    (void)snprintf(why, TOOL_WHY_N, "%s", err_text(ERR_NOMEM));
    if (!g)
        return ERR_NOMEM;
    g->conf = *conf;
    g->env = conf->ask.env;
    g->pause_ms = PAUSE_MIN_MS;
    buf_init(&g->url, PPG_VISIT_JSON_MAX_N);
    net_timer_init(&g->pause, pause_over);
    e = tool_ask_create(&conf->ask, &g->ask, why);
    if (e) {
        free(g);
        return e;
    }
    *out = g;
    ask(g);
    return ERR_OK;
}

static void gone(void *arg)
{
    struct tool_guest *g = arg;

    net_tls_ctx_free(&g->tls);
    buf_clear(&g->url);
    free(g);
}

void tool_guest_close(struct tool_guest **gp)
{
    struct tool_guest *g = *gp;

    *gp = NULL;
    if (!g)
        return;
    g->ended = true;
    net_hub_timer_stop(g->env->hub, &g->pause);
    tool_call_close(&g->call);
    tool_ask_close(&g->ask, gone, g);
}
