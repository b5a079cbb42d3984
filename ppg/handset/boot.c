/* Bootstrapping for push-terminal; see boot.h.  One run at a time, one request of it at a time; the pause doubles from a
 * second to a minute while none comes to an end. */
#include "ppg/handset/boot.h"

#include <stdlib.h>
#include "base/net/httpc.h"
#include "base/net/hub.h"
#include "base/net/uri.h"
#include "base/num.h"
#include "ppg/handset/heard.h"
#include "ppg/tool/net.h"
#include "security/gba/gba.h"

#define ANSWER_MS    15000
#define HEAD_MAX_N   16384u
#define BODY_MAX_N   8192u
#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 60000
#define RENEW_MAX_S  86400 /* a longer life is looked at again after so long */

struct tool_boot {
    struct tool_boot_conf conf;
    struct net_uri bsf;
    struct net_tls_ctx *tls; /* towards it */
    struct net_httpc_pool *pool;
    struct kit_boot *boot;
    struct net_tls_ctx *keyed, *before; /* towards the gateway; and the one that was given out before */
    struct net_timer timer;             /* to the next run */
    int64_t pause_ms;
    bool running;
    bool ended;
};

static int64_t now_s(const struct tool_boot *b)
{
    return clk_utc_ms(b->conf.env->clk) / 1000;
}

bool tool_boot_ready(const struct tool_boot *b)
{
    return b->keyed && kit_boot_good(b->boot, now_s(b));
}

struct net_tls_ctx *tool_boot_tls(const struct tool_boot *b)
{
    return tool_boot_ready(b) ? b->keyed : NULL;
}

enum err tool_boot_login(const struct tool_boot *b, struct kit_login **out)
{
    return kit_boot_login(b->boot, b->conf.naf, out);
}

/* --- what comes of a run --- */

static void again_in(struct tool_boot *b, int64_t ms)
{
    net_hub_timer_set(b->conf.env->hub, &b->timer, ms);
}

static void failed(struct tool_boot *b, const char *why)
{
    b->running = false;
    LOG(b->conf.env->log, LOG_WARN, "boot.fail", LOG_C("why", why), LOG_I("again_ms", b->pause_ms));
    again_in(b, b->pause_ms);
    b->pause_ms = num_min64(2 * b->pause_ms, PAUSE_MAX_MS);
    b->conf.unkeyed(b->conf.arg);
}

/* A key is for one version of TLS (RFC 9257 §4); nothing else proves either end. */
static enum err make_ctx(struct tool_boot *b, struct net_tls_ctx **out)
{
    struct net_tls_conf conf = {
        .role = NET_TLS_CLIENT, .verify = NET_TLS_VERIFY_NONE, .version_min = 13, .alpn_http11 = true};
    char why[TOOL_WHY_N];
    struct sec_secret key;
    struct buf identity;
    enum err e;

    sec_secret_init(&key);
    buf_init(&identity, 1024);
    e = kit_boot_psk(b->boot, b->conf.naf, 13, 0, &identity, &key);
    conf.psk_identity = buf_slice(&identity);
    conf.psk_key = sec_secret_slice(&key);
    if (!e)
        e = tool_tls(conf, NULL, NULL, NULL, out, why);
    sec_secret_clear(&key);
    buf_clear(&identity);
    return e;
}

/* A timer does not go as far as some lives. */
static void again_when_due(struct tool_boot *b)
{
    int64_t due_s = kit_boot_due_s(b->boot, now_s(b));

    again_in(b, due_s < RENEW_MAX_S ? due_s * 1000 : RENEW_MAX_S * 1000);
}

static void done(struct tool_boot *b)
{
    struct net_tls_ctx *fresh = NULL;

    if (make_ctx(b, &fresh)) {
        failed(b, "out of memory");
        return;
    }
    b->running = false;
    b->pause_ms = PAUSE_MIN_MS;
    net_tls_ctx_free(&b->before);
    b->before = b->keyed;
    b->keyed = fresh;
    again_when_due(b);
    LOG(b->conf.env->log, LOG_INFO, "boot.done", LOG_I("life_s", kit_boot_left_s(b->boot, now_s(b))));
    b->conf.keyed(b->conf.arg);
}

/* --- requests --- */

static void send_next(struct tool_boot *b);

static void on_answer(enum err e, const struct net_http_msg *m, bool sent, void *arg)
{
    struct tool_boot *b = arg;
    struct tool_heard heard;
    const char *why = "", *tls = net_httpc_pool_tls_why(b->pool);
    enum kit_boot_word word = KIT_BOOT_FAILED;

    (void)sent;
    if (b->ended)
        return;
    if (e) {
        failed(b, tls[0] ? tls : err_text(e));
        return;
    }
    tool_heard(m, &heard);
    word = kit_boot_heard(b->boot, &heard.answer, now_s(b), &why);
    if (!b->conf.moved(b->conf.arg))
        failed(b, "the module's state cannot be kept");
    else if (word == KIT_BOOT_AGAIN)
        send_next(b);
    else if (word == KIT_BOOT_DONE)
        done(b);
    else
        failed(b, why);
}

static void send_next(struct tool_boot *b)
{
    struct buf head;
    enum err e;

    buf_init(&head, HEAD_MAX_N);
    e = kit_boot_request(b->boot, &head);
    if (!e)
        e = net_httpc_pool_send(b->pool, b->bsf.host, b->bsf.port, true, buf_slice(&head), SLICE_NONE,
                                ANSWER_MS, on_answer, b);
    buf_clear(&head);
    if (e)
        failed(b, err_text(e));
}

static void begin(struct net_timer *timer)
{
    struct tool_boot *b = container_of(timer, struct tool_boot, timer);

    if (b->running || b->ended)
        return;
    if (tool_boot_ready(b) && kit_boot_due_s(b->boot, now_s(b)) > 0) {
        again_when_due(b);
        return;
    }
    b->running = true;
    send_next(b);
}

void tool_boot_refused(struct tool_boot *b)
{
    if (b->running || !b->keyed)
        return;
    kit_boot_forget(b->boot);
    again_in(b, 1);
}

/* --- life --- */

static const char *fault_of(const struct tool_boot_conf *conf, struct net_uri *uri)
{
    if (net_uri_parse(slice_str(conf->bsf->url), uri) || !uri->https || !slice_eq(uri->target, SLICE("/")))
        return "--bsf: not https://HOST:PORT";
    return conf->bsf->ca ? NULL : "--bsf: needs --bsf-ca: how it is known";
}

static enum err make(struct tool_boot *b, char why[TOOL_WHY_N])
{
    const struct net_tls_conf tls = {
        .role = NET_TLS_CLIENT, .verify = NET_TLS_VERIFY_REQUIRED, .version_min = 12, .alpn_http11 = true};
    struct net_httpc_pool_conf pool = {.conn_max = 1,
                                       .conn_per_host_max = 1,
                                       .base = {.limits = {.head_max_n = HEAD_MAX_N,
                                                           .headers_max = TOOL_HEARD_HEADERS_MAX,
                                                           .value_max_n = 4096,
                                                           .target_max_n = 256,
                                                           .body_max_n = BODY_MAX_N},
                                                .connect_ms = ANSWER_MS,
                                                .idle_ms = ANSWER_MS,
                                                .pipeline_max = 1}};
    const char *fault = fault_of(&b->conf, &b->bsf);
    enum err e = fault ? ERR_MALFORMED : tool_tls(tls, NULL, NULL, b->conf.bsf->ca, &b->tls, why);

    if (fault)
        (void)snprintf(why, TOOL_WHY_N, "%s", fault);
    if (e)
        return e;
    e = kit_boot_create(b->conf.kit, slice_str(b->conf.bsf->name), &b->boot);
    if (!e && !sec_gba_is_fqdn(b->conf.naf))
        e = ERR_MALFORMED;
    pool.base.tls = b->tls;
    if (!e)
        e = net_httpc_pool_create(b->conf.env, &pool, &b->pool);
    if (e)
        (void)snprintf(why, TOOL_WHY_N, "--bsf: %s",
                       e == ERR_ABSENT      ? "needs --module"
                       : e == ERR_MALFORMED ? "--bsf-name and --naf are domain names in lower case"
                                            : err_text(e));
    return e;
}

static void boot_free(struct tool_boot *b)
{
    kit_boot_free(&b->boot);
    net_tls_ctx_free(&b->tls);
    net_tls_ctx_free(&b->keyed);
    net_tls_ctx_free(&b->before);
    free(b);
}

enum err tool_boot_create(const struct tool_boot_conf *conf, struct tool_boot **out, char why[TOOL_WHY_N])
{
    struct tool_boot *b = calloc(1, sizeof *b);
    enum err e;

    (void)snprintf(why, TOOL_WHY_N, "%s", err_text(ERR_NOMEM));
    if (!b)
        return ERR_NOMEM;
    b->conf = *conf;
    b->pause_ms = PAUSE_MIN_MS;
    net_timer_init(&b->timer, begin);
    e = make(b, why);
    if (e) {
        boot_free(b);
        return e;
    }
    again_in(b, 1);
    *out = b;
    return ERR_OK;
}

static void pool_closed(void *arg)
{
    boot_free(arg);
}

void tool_boot_close(struct tool_boot **bp)
{
    struct tool_boot *b = *bp;

    *bp = NULL;
    if (!b)
        return;
    b->ended = true;
    net_hub_timer_stop(b->conf.env->hub, &b->timer);
    net_httpc_pool_close(b->pool, pool_closed, b);
}
