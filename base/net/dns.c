/* getaddrinfo on libuv's thread pool, numeric hosts without it, and the special-purpose address ranges (RFC 6890,
 * RFC 8190).  A name under "invalid" is answered here, as RFC 6761 §6.4 asks.  Loop thread only. */
#include "base/net/dns.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/net/hub.h"
#include "base/num.h"

#define HOST_MAX_N 253 /* RFC 1035 §2.3.4, as text */

struct net_dns_query {
    uv_getaddrinfo_t req;
    const struct net_env *env;
    struct net_task answer;
    net_dns_fn *done; /* NULL once told */
    void *arg;
    bool in_pool; /* libuv still holds req */
    uint16_t port;
    enum err err;
    size_t n;
    struct sockaddr_storage to[NET_DNS_MAX];
};

enum err net_addr_parse(struct slice ip, uint16_t port, struct sockaddr_storage *out)
{
    char text[INET6_ADDRSTRLEN];
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    if (slice_find(ip, '\0') != SIZE_MAX || mem_cstr(text, sizeof text, ip))
        return ERR_MALFORMED;
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        *out = (struct sockaddr_storage){0};
        mem_copy(out, sizeof *out, slice_of(&v4, sizeof v4));
        return ERR_OK;
    }
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
        *out = (struct sockaddr_storage){0};
        mem_copy(out, sizeof *out, slice_of(&v6, sizeof v6));
        return ERR_OK;
    }
    return ERR_MALFORMED;
}

/* Tells the answer, unless a cancel did; the memory goes when libuv has let go of it too. */
static void answer_run(struct net_task *task)
{
    struct net_dns_query *q = container_of(task, struct net_dns_query, answer);
    net_dns_fn *done = q->done;

    q->done = NULL;
    if (done)
        done(q->err, q->to, q->n, q->arg);
    if (!q->in_pool)
        free(q);
}

static void addresses_keep(struct net_dns_query *q, const struct addrinfo *found)
{
    for (const struct addrinfo *a = found; a && q->n < NET_DNS_MAX; a = a->ai_next) {
        struct sockaddr_storage *to = &q->to[q->n];

        if (a->ai_family != AF_INET && a->ai_family != AF_INET6)
            continue;
        mem_copy(to, sizeof *to, slice_of(a->ai_addr, a->ai_addrlen));
        if (a->ai_family == AF_INET)
            ((struct sockaddr_in *)to)->sin_port = htons(q->port);
        else
            ((struct sockaddr_in6 *)to)->sin6_port = htons(q->port);
        q->n++;
    }
}

static void pool_done(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
    struct net_dns_query *q = req->data;

    q->in_pool = false;
    if (status == 0 && q->done)
        addresses_keep(q, found);
    uv_freeaddrinfo(found);
    if (!q->done) {
        free(q); /* cancelled and told */
        return;
    }
    if (list_empty(&q->answer.link)) { /* else a cancel is about to be told */
        q->err = q->n ? ERR_OK : ERR_ABSENT;
        answer_run(&q->answer);
    } else {
        q->n = 0;
    }
}

static bool under_invalid(struct slice host)
{
    if (host.n && host.p[host.n - 1] == '.')
        host.n--;
    return slice_eq_ci(host, SLICE("invalid")) || slice_ends_ci(host, SLICE(".invalid"));
}

static enum err ask_pool(struct net_dns_query *q, struct slice host)
{
    static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char name[HOST_MAX_N + 1];

    if (host.n == 0 || slice_find(host, '\0') != SIZE_MAX || mem_cstr(name, sizeof name, host))
        return ERR_MALFORMED;
    q->req.data = q;
    if (uv_getaddrinfo(q->env->loop, &q->req, pool_done, name, NULL, &hints) != 0)
        return ERR_IO;
    q->in_pool = true;
    return ERR_OK;
}

enum err net_dns_lookup(const struct net_env *env, struct slice host, uint16_t port, net_dns_fn *done,
                        void *arg, struct net_dns_query **out)
{
    struct net_dns_query *q = calloc(1, sizeof *q);
    enum err e = ERR_OK;

    if (!q)
        return ERR_NOMEM;
    *q = (struct net_dns_query){.env = env, .port = port, .done = done, .arg = arg};
    net_task_init(&q->answer, answer_run);
    if (net_addr_parse(host, port, &q->to[0]) == ERR_OK) {
        q->n = 1;
        net_hub_defer(env->hub, &q->answer);
    } else if (under_invalid(host)) {
        q->err = ERR_ABSENT;
        net_hub_defer(env->hub, &q->answer);
    } else {
        e = ask_pool(q, host);
    }
    if (e)
        free(q);
    else
        *out = q;
    return e;
}

void net_dns_cancel(struct net_dns_query *q)
{
    q->err = ERR_LATE;
    q->n = 0;
    if (q->in_pool)
        (void)uv_cancel((uv_req_t *)&q->req); /* a lookup that runs goes on; nobody listens */
    net_hub_defer(q->env->hub, &q->answer);
}

struct range {
    unsigned char prefix[16];
    unsigned char bits;
};

static bool in_range(const unsigned char *a, const struct range *r)
{
    size_t whole = r->bits / 8u;
    unsigned rest = r->bits % 8u;

    if (!slice_eq(slice_of(a, whole), slice_of(r->prefix, whole)))
        return false;
    return rest == 0 || ((a[whole] ^ r->prefix[whole]) >> (8 - rest)) == 0;
}

static bool v4_special(const unsigned char *a)
{
    static const struct range ranges[] = {
        {{0}, 8},             /* this network */
        {{10}, 8},            /* private */
        {{100, 64}, 10},      /* carrier NAT */
        {{127}, 8},           /* loopback */
        {{169, 254}, 16},     /* link-local */
        {{172, 16}, 12},      /* private */
        {{192, 0, 0}, 24},    /* protocol assignments */
        {{192, 0, 2}, 24},    /* documentation */
        {{192, 88, 99}, 24},  /* 6to4 relays, given up */
        {{192, 168}, 16},     /* private */
        {{198, 18}, 15},      /* benchmarks */
        {{198, 51, 100}, 24}, /* documentation */
        {{203, 0, 113}, 24},  /* documentation */
        {{224}, 3},           /* multicast, reserved, broadcast */
    };

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (in_range(a, &ranges[i]))
            return true;
    }
    return false;
}

static bool v6_special(const unsigned char *a)
{
    static const struct range v4_in_v6[] = {
        {{[10] = 0xff, [11] = 0xff}, 96}, /* mapped: the IPv4 part decides */
        {{0x00, 0x64, 0xff, 0x9b}, 96},   /* NAT64: likewise */
    };
    static const struct range global = {{0x20}, 3}; /* all that was ever given out (RFC 4291 §2.4) */
    static const struct range ranges[] = {
        {{0x20, 0x01}, 23},             /* protocol assignments, Teredo, ORCHID */
        {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
        {{0x20, 0x02}, 16},             /* 6to4 */
        {{0x3f, 0xff}, 20},             /* documentation (RFC 9637) */
    };

    for (size_t i = 0; i < sizeof v4_in_v6 / sizeof v4_in_v6[0]; i++) {
        if (in_range(a, &v4_in_v6[i]))
            return v4_special(a + 12);
    }
    if (!in_range(a, &global))
        return true; /* loopback, unspecified, unique local, link-local, multicast */
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (in_range(a, &ranges[i]))
            return true;
    }
    return false;
}

bool net_addr_is_special(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET)
        return v4_special((const unsigned char *)&((const struct sockaddr_in *)(const void *)a)->sin_addr);
    if (a->sa_family == AF_INET6)
        return v6_special((const unsigned char *)&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
    return true;
}
