/* See terminals.h.  [OTA-HTTP §6]: OPTIONS registers (push status 501, a tag, what is accepted), POST is a push
 * (push status 400, accepted). */
#include "tests/bench/terminals.h"

#include <stdlib.h>
#include "base/net/httpd.h"

#define REGISTERED                                                                                           \
    "X-Wap-Push-OTA-Version: 1.0\r\nX-Wap-Push-Status: 501\r\nX-Wap-CPITag: q83vEg==\r\n"                    \
    "X-Wap-Push-Accept: */*\r\nX-Wap-Push-Accept-AppID: *\r\n"
#define ACCEPTED "X-Wap-Push-Status: 400\r\n"

struct terminal {
    struct terminals *all;
    struct net_httpd *server;
};

struct terminals {
    terminals_push_fn *push;
    void *arg;
    void (*closed)(void *arg);
    void *closed_arg;
    unsigned open;
    struct terminal one[];
};

static const struct net_http_limits limits = {
    .head_max_n = 16384,
    .headers_max = 64,
    .value_max_n = 8192,
    .target_max_n = 2048,
    .body_max_n = 1 << 20,
    .head_ms = 10000,
    .idle_ms = 600000,
    .handshake_ms = 10000,
};

static void request(struct net_http_exchange *x, void *arg)
{
    const struct terminal *t = arg;

    if (!slice_eq(net_http_exchange_msg(x)->method, SLICE("POST"))) {
        net_httpd_reply(x, 204, SLICE_NONE, SLICE(REGISTERED), SLICE_NONE);
        return;
    }
    t->all->push((unsigned)(t - t->all->one), t->all->arg);
    net_httpd_reply(x, 204, SLICE_NONE, SLICE(ACCEPTED), SLICE_NONE);
}

static void one_closed(void *arg)
{
    struct terminals *t = arg;

    if (--t->open)
        return;
    if (t->closed)
        t->closed(t->closed_arg);
    free(t);
}

void terminals_close(struct terminals *t, void (*closed)(void *arg), void *arg)
{
    unsigned n = t->open;

    t->closed = closed;
    t->closed_arg = arg;
    t->open++; /* ours, so that the last one does not take the memory from under the round */
    for (unsigned i = 0; i < n; i++)
        net_httpd_close(t->one[i].server, one_closed, t);
    one_closed(t);
}

enum err terminals_create(const struct net_env *env, unsigned n, terminals_push_fn *push, void *arg,
                          struct terminals **out)
{
    struct terminals *t = calloc(1, sizeof *t + n * sizeof t->one[0]);

    if (!t)
        return ERR_NOMEM;
    t->push = push;
    t->arg = arg;
    for (; t->open < n; t->open++) {
        struct terminal *one = &t->one[t->open];
        struct net_httpd_conf conf = {
            .name = "terminal", .address = "127.0.0.1", .limits = limits, .request = request, .arg = one};
        const char *why;
        enum err e;

        one->all = t;
        e = net_httpd_create(env, &conf, &one->server, &why);
        if (e) {
            terminals_close(t, NULL, NULL);
            return e;
        }
    }
    *out = t;
    return ERR_OK;
}

uint16_t terminals_port(const struct terminals *t, unsigned at)
{
    return net_httpd_port(t->one[at].server);
}
