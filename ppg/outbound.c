/* See outbound.h.  Runs on its loop. */
#include "ppg/outbound.h"

#include <stdlib.h>
#include "base/net/dns.h"
#include "base/net/httpc.h"
#include "base/net/uri.h"

#define HEAD_MAX_N      4096u
#define ANSWER_MAX_N    65536u
#define CONNECT_PART_MS 10000

struct ppg_outbound {
    const struct net_env *env;
    struct ppg_snapshot *snapshot;
    struct net_httpc_pool *pool;
    void (*closed)(void *arg);
    void *arg;
};

struct posting {
    struct ppg_outbound *outbound;
    ppg_post_done_fn *done;
    void *arg;
};

static bool address_allowed(const struct sockaddr *to, void *arg)
{
    const struct ppg_outbound *o = arg;

    return ppg_config_settings(o->snapshot->config)->notify.private_addresses || !net_addr_is_special(to);
}

static struct net_httpc_pool_conf pool_conf(struct ppg_outbound *o)
{
    const struct ppg_settings *set = ppg_config_settings(o->snapshot->config);

    return (struct net_httpc_pool_conf){
        .conn_max = set->notify.connections_max,
        .conn_per_host_max = PPG_OUTBOUND_PER_SERVER_MAX,
        .base = {.tls = o->snapshot->notify,
                 .limits = {.head_max_n = 16384,
                            .headers_max = 64,
                            .value_max_n = 4096,
                            .target_max_n = 2048,
                            .body_max_n = ANSWER_MAX_N,
                            .head_ms = set->notify.timeout_ms,
                            .idle_ms = CONNECT_PART_MS},
                 .connect_ms =
                     set->notify.timeout_ms < CONNECT_PART_MS ? set->notify.timeout_ms : CONNECT_PART_MS,
                 .idle_ms = CONNECT_PART_MS,
                 .pipeline_max = 1,
                 .filter = address_allowed,
                 .filter_arg = o},
    };
}

static void answered(enum err err, const struct net_http_msg *msg, bool sent, void *arg)
{
    struct posting *p = arg;
    struct ppg_post_answer a = {.err = err, .tls_why = ""};

    (void)sent; /* a notification twice is harmless, one lost is not */
    if (err)
        a.tls_why = net_httpc_pool_tls_why(p->outbound->pool);
    else
        a = (struct ppg_post_answer){.status = msg->status, .body = msg->body, .tls_why = ""};
    if (a.status == 429 || a.status == 503) /* RFC 6585 §4, RFC 9110 §15.6.4 */
        a.retry_after_ms = 1000 * net_http_retry_after_s(msg, clk_utc_ms(p->outbound->env->clk) / 1000);
    p->done(&a, p->arg);
    free(p);
}

static void print_head(const struct net_uri *uri, size_t body_n, struct buf *head)
{
    bool v6 = slice_find(uri->host, ':') != SIZE_MAX;

    net_http_print_request(head, SLICE("POST"), uri->target);
    buf_addf(head, v6 ? "Host: [%.*s]:%u\r\n" : "Host: %.*s:%u\r\n", SLICE_FMT(uri->host), uri->port);
    net_http_print_header(head, SLICE("User-Agent"), SLICE("ppgd/" PPG_VERSION));
    net_http_print_header(head, SLICE("Content-Type"), SLICE("application/xml"));
    buf_addf(head, "Content-Length: %zu\r\n\r\n", body_n);
}

enum err ppg_outbound_post(struct ppg_outbound *o, struct slice url, struct slice body,
                           ppg_post_done_fn *done, void *arg)
{
    const struct ppg_settings *set = ppg_config_settings(o->snapshot->config);
    struct net_uri uri;
    struct posting *p;
    struct buf head;
    enum err e = net_uri_parse(url, &uri);

    if (e)
        return e;
    p = malloc(sizeof *p);
    if (!p)
        return ERR_NOMEM;
    *p = (struct posting){o, done, arg};
    buf_init(&head, HEAD_MAX_N);
    print_head(&uri, body.n, &head);
    e = buf_err(&head);
    if (!e)
        e = net_httpc_pool_send(o->pool, uri.host, uri.port, uri.https, buf_slice(&head), body,
                                set->notify.timeout_ms, answered, p);
    buf_clear(&head);
    if (e)
        free(p);
    return e;
}

void ppg_outbound_set(struct ppg_outbound *o, struct ppg_snapshot *snapshot)
{
    struct ppg_snapshot *old = o->snapshot;

    o->snapshot = ppg_snapshot_hold(snapshot);
    net_httpc_pool_set_tls(o->pool, snapshot->notify);
    ppg_snapshot_drop(&old);
}

enum err ppg_outbound_create(const struct net_env *env, struct ppg_snapshot *snapshot,
                             struct ppg_outbound **out)
{
    struct ppg_outbound *o = calloc(1, sizeof *o);
    struct net_httpc_pool_conf conf;
    enum err e;

    if (!o)
        return ERR_NOMEM;
    o->env = env;
    o->snapshot = ppg_snapshot_hold(snapshot);
    conf = pool_conf(o);
    e = net_httpc_pool_create(env, &conf, &o->pool);
    if (e) {
        ppg_snapshot_drop(&o->snapshot);
        free(o);
        return e;
    }
    *out = o;
    return ERR_OK;
}

static void pool_closed(void *arg)
{
    struct ppg_outbound *o = arg;
    void (*closed)(void *) = o->closed;
    void *closed_arg = o->arg;

    ppg_snapshot_drop(&o->snapshot);
    free(o);
    closed(closed_arg);
}

void ppg_outbound_close(struct ppg_outbound *o, void (*closed)(void *arg), void *arg)
{
    o->closed = closed;
    o->arg = arg;
    net_httpc_pool_close(o->pool, pool_closed, o);
}
