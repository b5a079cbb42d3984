/* A bounded set of client connections kept per host, port and TLS, one request at a time on each.  When the pool is
 * full, a connection that idles makes room, the one unused longest first; nothing queues: the caller decides when to
 * try again.  Loop thread only. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/net/hub.h"
#include "base/net/httpc.h"

struct pooled {
    struct list link; /* in idle (longest unused first) or busy */
    struct net_httpc_pool *pool;
    struct net_httpc *conn;
    char *host; /* owned */
    uint16_t port;
    bool use_tls;
    bool ending;             /* no longer counted or used */
    bool last;               /* not kept after the request in flight */
    net_httpc_done_fn *done; /* of the request in flight */
    void *arg;
};

struct net_httpc_pool {
    const struct net_env *env;
    struct net_httpc_pool_conf conf;
    struct list idle;
    struct list busy;
    struct list ending;
    size_t open_n; /* idle and busy */
    bool closing;
    const char *tls_why; /* of the request whose done() runs */
    struct net_task gone;
    void (*closed)(void *arg);
    void *closed_arg;
};

static bool fits(const struct pooled *p, struct slice host, uint16_t port, bool use_tls)
{
    return p->port == port && p->use_tls == use_tls && slice_eq_ci(slice_str(p->host), host);
}

static void gone_run(struct net_task *task)
{
    struct net_httpc_pool *pool = container_of(task, struct net_httpc_pool, gone);

    if (pool->closed)
        pool->closed(pool->closed_arg);
    free(pool);
}

static void gone_maybe(struct net_httpc_pool *pool)
{
    if (pool->closing && pool->open_n == 0 && list_empty(&pool->ending))
        net_hub_defer(pool->env->hub, &pool->gone);
}

/* Out of the count; its memory goes with the connection. */
static void retire(struct pooled *p)
{
    if (p->ending)
        return;
    p->ending = true;
    p->pool->open_n--;
    list_remove(&p->link);
    list_push_back(&p->pool->ending, &p->link);
}

static void on_closed(struct net_httpc *c, enum err why, void *arg)
{
    struct pooled *p = arg;
    struct net_httpc_pool *pool = p->pool;

    (void)c;
    (void)why;
    retire(p);
    list_remove(&p->link);
    free(p->host);
    free(p);
    gone_maybe(pool);
}

static void on_done(enum err err, const struct net_http_msg *msg, bool sent, void *arg)
{
    struct pooled *p = arg;

    if (err || !msg->keep_alive || p->last || p->pool->closing) {
        retire(p);
        net_httpc_close(p->conn);
    } else {
        list_remove(&p->link);
        list_push_back(&p->pool->idle, &p->link);
    }
    p->pool->tls_why = err ? net_httpc_tls_why(p->conn) : "";
    p->done(err, msg, sent, p->arg);
}

static struct pooled *find_idle(struct net_httpc_pool *pool, struct slice host, uint16_t port, bool use_tls)
{
    LIST_EACH (l, &pool->idle) {
        struct pooled *p = container_of(l, struct pooled, link);

        if (fits(p, host, port, use_tls))
            return p;
    }
    return NULL;
}

static size_t count_busy(const struct net_httpc_pool *pool, struct slice host, uint16_t port, bool use_tls)
{
    size_t n = 0;

    LIST_EACH (l, &pool->busy) {
        if (fits(container_of(l, struct pooled, link), host, port, use_tls))
            n++;
    }
    return n;
}

/* Room for one more, by ending an idle one if need be. */
static bool make_room(struct net_httpc_pool *pool)
{
    struct pooled *p;

    if (pool->open_n < pool->conf.conn_max)
        return true;
    if (list_empty(&pool->idle))
        return false;
    p = container_of(pool->idle.next, struct pooled, link);
    retire(p);
    net_httpc_close(p->conn);
    return true;
}

static enum err open_new(struct net_httpc_pool *pool, struct slice host, uint16_t port, bool use_tls,
                         struct pooled **out)
{
    struct net_httpc_conf conf = pool->conf.base;
    struct pooled *p = calloc(1, sizeof *p);
    enum err e = ERR_NOMEM;

    if (!p)
        return ERR_NOMEM;
    *p = (struct pooled){.pool = pool, .host = mem_dup(host), .port = port, .use_tls = use_tls};
    list_init(&p->link);
    conf.host = host;
    conf.port = port;
    conf.server_name = SLICE_NONE;
    conf.pipeline_max = 1;
    conf.closed = on_closed;
    conf.arg = p;
    if (!use_tls)
        conf.tls = NULL;
    if (p->host)
        e = net_httpc_create(pool->env, &conf, &p->conn);
    if (e) {
        free(p->host);
        free(p);
        return e;
    }
    pool->open_n++;
    list_push_back(&pool->idle, &p->link);
    *out = p;
    return ERR_OK;
}

static enum err find_or_open(struct net_httpc_pool *pool, struct slice host, uint16_t port, bool use_tls,
                             struct pooled **out)
{
    struct pooled *p = find_idle(pool, host, port, use_tls);

    if (p) {
        *out = p;
        return ERR_OK;
    }
    if (count_busy(pool, host, port, use_tls) >= pool->conf.conn_per_host_max || !make_room(pool))
        return ERR_LIMIT;
    return open_new(pool, host, port, use_tls, out);
}

enum err net_httpc_pool_create(const struct net_env *env, const struct net_httpc_pool_conf *conf,
                               struct net_httpc_pool **out)
{
    struct net_httpc_pool *pool = calloc(1, sizeof *pool);

    if (!pool)
        return ERR_NOMEM;
    pool->env = env;
    pool->conf = *conf;
    list_init(&pool->idle);
    list_init(&pool->busy);
    list_init(&pool->ending);
    net_task_init(&pool->gone, gone_run);
    *out = pool;
    return ERR_OK;
}

enum err net_httpc_pool_send(struct net_httpc_pool *pool, struct slice host, uint16_t port, bool use_tls,
                             struct slice head, struct slice body, int64_t response_ms,
                             net_httpc_done_fn *done, void *arg)
{
    struct net_httpc_req *req;
    struct pooled *p = NULL;
    enum err e;

    if (pool->closing)
        return ERR_LATE;
    if (use_tls && !pool->conf.base.tls)
        return ERR_UNSUPPORTED;
    e = find_or_open(pool, host, port, use_tls, &p);
    if (e)
        return e;
    p->done = done;
    p->arg = arg;
    e = net_httpc_send(p->conn, head, body, response_ms, on_done, p, &req);
    if (e == ERR_LATE) { /* it was just ending: a new one */
        retire(p);
        return net_httpc_pool_send(pool, host, port, use_tls, head, body, response_ms, done, arg);
    }
    if (e)
        return e;
    list_remove(&p->link);
    list_push_back(&pool->busy, &p->link);
    return ERR_OK;
}

const char *net_httpc_pool_tls_why(const struct net_httpc_pool *pool)
{
    return pool->tls_why;
}

static void close_all(struct list *l)
{
    LIST_EACH_SAFE (e, l) {
        struct pooled *p = container_of(e, struct pooled, link);

        net_httpc_close(p->conn);
    }
}

static void retire_idle(struct net_httpc_pool *pool)
{
    while (!list_empty(&pool->idle)) {
        struct pooled *p = container_of(pool->idle.next, struct pooled, link);

        retire(p);
        net_httpc_close(p->conn);
    }
}

void net_httpc_pool_set_tls(struct net_httpc_pool *pool, struct net_tls_ctx *tls)
{
    pool->conf.base.tls = tls;
    retire_idle(pool);
    LIST_EACH (l, &pool->busy)
        container_of(l, struct pooled, link)->last = true;
}

void net_httpc_pool_close(struct net_httpc_pool *pool, void (*closed)(void *arg), void *arg)
{
    pool->closing = true;
    pool->closed = closed;
    pool->closed_arg = arg;
    close_all(&pool->idle);
    close_all(&pool->busy);
    gone_maybe(pool);
}
