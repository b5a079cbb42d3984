/* See outbound.h.  Runs on its loop. */
#include "ppg/outbound.h"

#include <stdlib.h>
#include "base/net/dns.h"
#include "base/num.h"
#include "ppg/poster.h"

#define ANSWER_MAX_N    65536u
#define CONNECT_PART_MS 10000

struct ppg_outbound {
    struct ppg_poster poster;
    const struct clk *clk;
};

struct posting {
    struct ppg_outbound *outbound;
    ppg_post_done_fn *done;
    void *arg;
};

static bool address_allowed(const struct sockaddr *to, void *poster)
{
    return ppg_poster_settings(poster)->notify.private_addresses || !net_addr_is_special(to);
}

static void answered(enum err err, const struct net_http_msg *msg, bool sent, void *arg)
{
    struct posting *p = arg;
    struct ppg_post_answer a = {.err = err, .tls_why = ""};

    (void)sent; /* a notification twice is harmless, one lost is not */
    if (err)
        a.tls_why = net_httpc_pool_tls_why(p->outbound->poster.pool);
    else
        a = (struct ppg_post_answer){.status = msg->status, .body = msg->body, .tls_why = ""};
    if (a.status == 429 || a.status == 503) /* RFC 6585 §4, RFC 9110 §15.6.4 */
        a.retry_after_ms = 1000 * net_http_retry_after_s(msg, clk_utc_ms(p->outbound->clk) / 1000);
    p->done(&a, p->arg);
    free(p);
}

enum err ppg_outbound_post(struct ppg_outbound *o, struct slice url, struct slice body,
                           ppg_post_done_fn *done, void *arg)
{
    const struct ppg_post post = {.url = url,
                                  .type = "application/xml",
                                  .body = body,
                                  .timeout_ms = ppg_poster_settings(&o->poster)->notify.timeout_ms};
    struct posting *p = malloc(sizeof *p);
    enum err e;

    if (!p)
        return ERR_NOMEM;
    *p = (struct posting){o, done, arg};
    e = ppg_poster_send(&o->poster, &post, answered, p);
    if (e)
        free(p);
    return e;
}

void ppg_outbound_set(struct ppg_outbound *o, struct ppg_snapshot *snapshot)
{
    ppg_poster_set(&o->poster, snapshot, snapshot->notify);
}

static void gone(struct ppg_poster *p)
{
    free(container_of(p, struct ppg_outbound, poster));
}

enum err ppg_outbound_create(const struct net_env *env, struct ppg_snapshot *snapshot,
                             struct ppg_outbound **out)
{
    const struct ppg_settings *set = ppg_config_settings(snapshot->config);
    const struct ppg_poster_conf conf = {.tls = snapshot->notify,
                                         .connections_max = set->notify.connections_max,
                                         .per_server_max = PPG_OUTBOUND_PER_SERVER_MAX,
                                         .answer_max_n = ANSWER_MAX_N,
                                         .connect_ms = num_min64(set->notify.timeout_ms, CONNECT_PART_MS),
                                         .idle_ms = CONNECT_PART_MS,
                                         .filter = address_allowed,
                                         .gone = gone};
    struct ppg_outbound *o = calloc(1, sizeof *o);
    enum err e = o ? ppg_poster_init(&o->poster, env, snapshot, &conf) : ERR_NOMEM;

    if (e) {
        free(o);
        return e;
    }
    o->clk = env->clk;
    *out = o;
    return ERR_OK;
}

void ppg_outbound_close(struct ppg_outbound *o, void (*closed)(void *arg), void *arg)
{
    ppg_poster_close(&o->poster, closed, arg);
}
