/* See poster.h.  Runs on its loop. */
#include "ppg/poster.h"

#include "base/net/uri.h"

#define HEAD_MAX_N   4096u
#define TARGET_MAX_N 2048u

enum err ppg_poster_init(struct ppg_poster *p, const struct net_env *env, struct ppg_snapshot *snapshot,
                         const struct ppg_poster_conf *conf)
{
    struct net_httpc_pool_conf pool = {.conn_max = conf->connections_max,
                                       .conn_per_host_max = conf->per_server_max,
                                       .base = {.tls = conf->tls,
                                                .limits = {.head_max_n = 16384,
                                                           .headers_max = 64,
                                                           .value_max_n = 4096,
                                                           .target_max_n = TARGET_MAX_N,
                                                           .body_max_n = conf->answer_max_n},
                                                .connect_ms = conf->connect_ms,
                                                .idle_ms = conf->idle_ms,
                                                .pipeline_max = 1,
                                                .filter = conf->filter,
                                                .filter_arg = p}};
    enum err e;

    *p = (struct ppg_poster){.tls_only = conf->tls_only, .gone = conf->gone};
    e = net_httpc_pool_create(env, &pool, &p->pool);
    if (!e)
        p->snapshot = ppg_snapshot_hold(snapshot);
    return e;
}

void ppg_poster_set(struct ppg_poster *p, struct ppg_snapshot *snapshot, struct net_tls_ctx *tls)
{
    struct ppg_snapshot *old = p->snapshot;

    p->snapshot = ppg_snapshot_hold(snapshot);
    net_httpc_pool_set_tls(p->pool, tls);
    ppg_snapshot_drop(&old);
}

const struct ppg_settings *ppg_poster_settings(const struct ppg_poster *p)
{
    return ppg_config_settings(p->snapshot->config);
}

static enum err print_head(const struct ppg_post *post, const struct net_uri *uri, struct buf *head)
{
    bool v6 = slice_find(uri->host, ':') != SIZE_MAX;
    struct buf target;
    enum err e;

    buf_init(&target, TARGET_MAX_N);
    if (!post->path.n || !slice_eq(uri->target, SLICE("/")))
        buf_add(&target, uri->target);
    buf_add(&target, post->path);
    net_http_print_request(head, SLICE("POST"), buf_slice(&target));
    e = buf_err(&target);
    buf_clear(&target);
    buf_addf(head, v6 ? "Host: [%.*s]:%u\r\n" : "Host: %.*s:%u\r\n", SLICE_FMT(uri->host), uri->port);
    net_http_print_header(head, SLICE("User-Agent"), SLICE("ppgd/" PPG_VERSION));
    net_http_print_header(head, SLICE("Content-Type"), slice_str(post->type));
    if (post->accept)
        net_http_print_header(head, SLICE("Accept"), slice_str(post->accept));
    buf_addf(head, "Content-Length: %zu\r\n\r\n", post->body.n);
    return e ? e : buf_err(head);
}

enum err ppg_poster_send(struct ppg_poster *p, const struct ppg_post *post, net_httpc_done_fn *done,
                         void *arg)
{
    struct net_uri uri;
    struct buf head;
    enum err e = net_uri_parse(post->url, &uri);

    if (e || (p->tls_only && !uri.https))
        return e ? e : ERR_UNSUPPORTED;
    buf_init(&head, HEAD_MAX_N);
    e = print_head(post, &uri, &head);
    if (!e)
        e = net_httpc_pool_send(p->pool, uri.host, uri.port, uri.https, buf_slice(&head), post->body,
                                post->timeout_ms, done, arg);
    buf_clear(&head);
    return e;
}

static void pool_closed(void *arg)
{
    struct ppg_poster *p = arg;
    void (*closed)(void *) = p->closed;
    void *closed_arg = p->arg;

    ppg_snapshot_drop(&p->snapshot);
    p->gone(p);
    closed(closed_arg);
}

void ppg_poster_close(struct ppg_poster *p, void (*closed)(void *arg), void *arg)
{
    p->closed = closed;
    p->arg = arg;
    net_httpc_pool_close(p->pool, pool_closed, p);
}
