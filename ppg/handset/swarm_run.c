/* The program around a swarm; see swarm_run.h. */
#include "ppg/handset/swarm_run.h"

#include <stddef.h>
#include <stdio.h>

#include "base/net/dns.h"
#include "base/net/hub.h"
#include "base/net/uri.h"
#include "ppg/tool/net.h"
#include "ppg/handset/swarm.h"

#define BAD_USAGE 2

struct options {
    const char *gateway, *gateway_name, *ca;
    int64_t terminals, first, rate, at_once, silent, outstanding, pause_ms, report_ms, timeout_s;
    bool help;
};

#define AT(member) offsetof(struct options, member)
static const struct tool_option options[] = {
    {"gateway", "URI", "https://HOST:PORT or http://HOST:PORT", TOOL_TEXT, AT(gateway), 0, 0},
    {"gateway-name", "NAME", "in its certificate; default: the host's", TOOL_TEXT, AT(gateway_name), 0, 0},
    {"ca", "FILE", "who signs gateways; for https", TOOL_TEXT, AT(ca), 0, 0},
    {"terminals", "N", "how many; default: 100", TOOL_NUMBER, AT(terminals), 1, 1000000},
    {"first", "NUMBER", "the n-th is known as 4+NUMBER plus n, from 0; default: 15550000", TOOL_NUMBER,
     AT(first), 0, 1000000000000000},
    {"rate", "N", "new connections a second; default: as many as can be", TOOL_NUMBER, AT(rate), 1, 1000000},
    {"at-once", "N", "connections on their way at a time; default: 64", TOOL_NUMBER, AT(at_once), 1, 10000},
    {"silent", "N", "each N-th never answers a push; default: all do", TOOL_NUMBER, AT(silent), 1, 1000000},
    {"outstanding", "N", "pushes taken at a time; default: 1", TOOL_NUMBER, AT(outstanding), 1, 100},
    {"pause", "MS", "before one that lost its line calls again, up to twice that; default: 500", TOOL_NUMBER,
     AT(pause_ms), 0, 3600000},
    {"report", "MS", "a line so often; default: 1000", TOOL_NUMBER, AT(report_ms), 50, 3600000},
    {"timeout", "SECONDS", "leave after so long", TOOL_NUMBER, AT(timeout_s), 1, 86400},
    {"help", NULL, "print this", TOOL_FLAG, AT(help), 0, 0},
    {NULL, NULL, NULL, TOOL_FLAG, 0, 0, 0},
};

struct run {
    const struct options *o;
    struct tool_loop loop;
    struct net_uri gateway;
    struct net_tls_ctx *tls;
    struct net_dns_query *query;
    struct tool_swarm *swarm;
    uv_signal_t signals[2];
    struct net_timer timeout;
    int status;
};

static int complain(const char *what, const char *why)
{
    (void)fprintf(stderr, "push-terminal swarm: %s%s%s\n", what, why[0] ? ": " : "", why);
    return BAD_USAGE;
}

static void swarm_gone(void *arg)
{
    (void)arg;
}

/* Everything on the loop ends. */
static void leave(struct run *r)
{
    for (size_t i = 0; i < sizeof r->signals / sizeof r->signals[0]; i++)
        if (!uv_is_closing((uv_handle_t *)&r->signals[i]))
            uv_close((uv_handle_t *)&r->signals[i], NULL);
    net_hub_timer_stop(r->loop.env.hub, &r->timeout);
    if (r->query)
        net_dns_cancel(r->query);
    r->query = NULL;
    if (r->swarm)
        tool_swarm_close(r->swarm, swarm_gone, NULL);
    r->swarm = NULL;
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    leave(signal->data);
}

static void on_timeout(struct net_timer *timer)
{
    leave(container_of(timer, struct run, timeout));
}

static void on_names(enum err e, const struct sockaddr_storage *to, size_t n, void *arg)
{
    struct run *r = arg;
    const struct options *o = r->o;
    struct tool_swarm_conf conf = {.env = &r->loop.env,
                                   .tls = r->tls,
                                   .server_name =
                                       o->gateway_name ? slice_str(o->gateway_name) : r->gateway.host,
                                   .first = (uint64_t)o->first,
                                   .terminals = (size_t)o->terminals,
                                   .rate = (size_t)o->rate,
                                   .at_once = (size_t)o->at_once,
                                   .silent = (size_t)o->silent,
                                   .outstanding = (size_t)o->outstanding,
                                   .pause_ms = o->pause_ms,
                                   .report_ms = o->report_ms};

    r->query = NULL;
    if (!e && n) {
        conf.to = to[0];
        e = tool_swarm_create(&conf, &r->swarm);
    }
    if (e || !n) {
        r->status = complain("--gateway", e ? err_text(e) : "no such host");
        leave(r);
    }
}

static int begin(struct run *r)
{
    static const int numbers[] = {SIGTERM, SIGINT};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        (void)uv_signal_init(&r->loop.loop, &r->signals[i]);
        r->signals[i].data = r;
        (void)uv_signal_start(&r->signals[i], on_signal, numbers[i]);
    }
    net_timer_init(&r->timeout, on_timeout);
    if (r->o->timeout_s)
        net_hub_timer_set(r->loop.env.hub, &r->timeout, r->o->timeout_s * 1000);
    if (!net_dns_lookup(&r->loop.env, r->gateway.host, r->gateway.port, on_names, r, &r->query))
        return 0;
    leave(r);
    return complain("--gateway", "no such host");
}

static int run(const struct options *o)
{
    struct net_tls_conf tls = {
        .role = NET_TLS_CLIENT, .verify = NET_TLS_VERIFY_REQUIRED, .version_min = 12, .alpn_http11 = true};
    struct run r = {.o = o};
    char why[TOOL_WHY_N];

    if (!o->gateway || net_uri_parse(slice_str(o->gateway), &r.gateway) ||
        !slice_eq(r.gateway.target, SLICE("/")))
        return complain("--gateway", "not https://HOST:PORT or http://HOST:PORT");
    if (r.gateway.https != (o->ca != NULL))
        return complain("--ca",
                        r.gateway.https ? "needed: who signs the gateway's certificate" : "is for https");
    if (o->ca && tool_tls(tls, NULL, NULL, o->ca, &r.tls, why))
        return complain(why, "");
    if (tool_loop_open(&r.loop)) {
        net_tls_ctx_free(&r.tls);
        return complain("out of memory", "");
    }
    r.status = begin(&r);
    (void)uv_run(&r.loop.loop, UV_RUN_DEFAULT);
    tool_loop_close(&r.loop);
    net_tls_ctx_free(&r.tls);
    return r.status;
}

int tool_swarm_run(int argc, char *const *argv)
{
    struct options o = {.terminals = 100,
                        .first = 15550000,
                        .at_once = 64,
                        .outstanding = 1,
                        .pause_ms = 500,
                        .report_ms = 1000};
    struct tool_list words = {.n = 0};
    char why[TOOL_WHY_N];

    if (tool_parse(options, argc, argv, &o, &words, why))
        return complain(why, "");
    if (o.help || words.n) {
        (void)puts("usage: push-terminal swarm --gateway URI [OPTIONS]\n"
                   "Many simulated terminals that call a gateway; for load.");
        tool_help(stdout, options);
        return o.help ? 0 : BAD_USAGE;
    }
    return run(&o);
}
