/* Calling in; see call.h.  The pause doubles from a second to a minute while no connection lasts. */
#include "ppg/handset/call.h"

#include <stdlib.h>
#include "base/net/dns.h"
#include "base/net/hub.h"
#include "base/num.h"

#define CONNECT_MS   10000
#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 60000
#define LASTED_MS    10000 /* a connection that was good for so long: the next pause is short */

struct tool_call {
    struct tool_call_conf conf;
    struct net_dns_query *query;
    struct net_timer pause;
    int64_t pause_ms;
    int64_t began_ms;
    unsigned failures; /* of the name's addresses the next has its turn */
    bool open;
    bool moved; /* to where it has not called yet */
    bool ended; /* closed by its owner; the memory goes with the last callback */
};

static void begin(struct tool_call *c);

static void free_maybe(struct tool_call *c)
{
    if (!c->ended || c->query || c->open)
        return;
    net_hub_timer_stop(c->conf.env->hub, &c->pause);
    free(c);
}

/* tls_why: "", or what TLS said. */
static void again(struct tool_call *c, const char *why, const char *tls_why)
{
    int64_t lasted_ms = clk_mono_ms(c->conf.env->clk) - c->began_ms;

    if (c->ended) {
        free_maybe(c);
        return;
    }
    if (c->conf.lost)
        c->conf.lost(tls_why, c->conf.arg);
    if (c->conf.once) {
        LOG(c->conf.env->log, LOG_INFO, "call.lost", LOG_C("why", why));
        return;
    }
    c->failures += lasted_ms < LASTED_MS;
    c->pause_ms = lasted_ms >= LASTED_MS ? PAUSE_MIN_MS : c->pause_ms;
    if (c->moved) {
        c->moved = false;
        net_hub_timer_set(c->conf.env->hub, &c->pause, 0);
        return;
    }
    LOG(c->conf.env->log, LOG_INFO, "call.lost", LOG_C("why", why), LOG_I("again_ms", c->pause_ms));
    net_hub_timer_set(c->conf.env->hub, &c->pause, c->pause_ms);
    c->pause_ms = num_min64(2 * c->pause_ms, PAUSE_MAX_MS);
}

static void lost(enum err why, const char *tls_why, void *arg)
{
    struct tool_call *c = arg;

    c->open = false;
    again(c, *tls_why ? tls_why : err_text(why), tls_why);
}

static void on_names(enum err err, const struct sockaddr_storage *to, size_t n, void *arg)
{
    struct tool_call *c = arg;

    c->query = NULL;
    if (!err && n > 0 && !c->ended)
        err = net_httpd_call(c->conf.httpd, (const struct sockaddr *)&to[c->failures % n],
                             c->conf.server_name.n ? c->conf.server_name : c->conf.host, CONNECT_MS, lost, c);
    if (err || c->ended)
        again(c, err_text(err), "");
    else
        c->open = true;
}

static void begin(struct tool_call *c)
{
    enum err e;

    c->began_ms = clk_mono_ms(c->conf.env->clk);
    e = net_dns_lookup(c->conf.env, c->conf.host, c->conf.port, on_names, c, &c->query);
    if (e)
        again(c, err_text(e), "");
}

static void pause_over(struct net_timer *timer)
{
    begin(container_of(timer, struct tool_call, pause));
}

enum err tool_call_create(const struct tool_call_conf *conf, struct tool_call **out)
{
    struct tool_call *c = calloc(1, sizeof *c);

    if (!c)
        return ERR_NOMEM;
    c->conf = *conf;
    c->pause_ms = PAUSE_MIN_MS;
    net_timer_init(&c->pause, pause_over);
    *out = c;
    begin(c);
    return ERR_OK;
}

void tool_call_move(struct tool_call *c, uint16_t port)
{
    c->conf.port = port;
    c->moved = true;
}

void tool_call_now(struct tool_call *c)
{
    if (!c->open && !c->query)
        net_hub_timer_set(c->conf.env->hub, &c->pause, 1);
}

void tool_call_close(struct tool_call **cp)
{
    struct tool_call *c = *cp;

    *cp = NULL;
    if (!c)
        return;
    c->ended = true;
    if (c->query)
        net_dns_cancel(c->query);
    free_maybe(c);
}
