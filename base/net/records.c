/* Service records of the DNS; see records.h.  c-ares has the protocol and says which sockets it wants watched. */
#include "base/net/records.h"

#include <ares.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/net/hub.h"

#define CLASS_IN   1
#define TYPE_SRV   33
#define TYPE_NAPTR 35
#define TIMEOUT_MS 800 /* for one try; there are three */
#define TRIES      3
#define TICK_MS    250 /* how often c-ares may look at its clock while it waits */

struct net_records {
    const struct net_env *env;
    ares_channel channel;
    struct list sockets; /* watched */
    struct list asked;
    struct list told; /* answers that are due */
    struct net_task later;
    struct net_timer tick;
    size_t open; /* sockets that libuv has not let go of */
    bool ended;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct watch {
    struct list at;
    uv_poll_t poll;
    struct net_records *records;
    ares_socket_t fd;
};

struct net_records_query {
    struct list at; /* in asked or told */
    struct net_records *records;
    enum net_record_kind kind;
    bool in_channel; /* c-ares will call */
    net_records_fn *done;
    void *arg;
    enum err why;
    size_t n;
    struct net_record found[NET_RECORDS_MAX];
};

/* --- the loop --- */

static void later(struct net_records *r)
{
    net_hub_defer(r->env->hub, &r->later);
}

static void watch_clock(struct net_records *r)
{
    if (list_empty(&r->asked))
        net_hub_timer_stop(r->env->hub, &r->tick);
    else
        net_hub_timer_set(r->env->hub, &r->tick, TICK_MS);
}

static void tick(struct net_timer *timer)
{
    struct net_records *r = container_of(timer, struct net_records, tick);

    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    watch_clock(r);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    struct net_records *r = w->records;
    ares_socket_t fd = w->fd; /* c-ares may unwatch it */
    bool read = status < 0 || (events & UV_READABLE);

    ares_process_fd(r->channel, read ? fd : ARES_SOCKET_BAD, (events & UV_WRITABLE) ? fd : ARES_SOCKET_BAD);
    watch_clock(r);
}

static void watch_gone(uv_handle_t *handle)
{
    struct watch *w = handle->data;
    struct net_records *r = w->records;

    free(w);
    r->open--;
    if (r->ended)
        later(r);
}

static struct watch *watch_find(struct net_records *r, ares_socket_t fd)
{
    LIST_EACH (at, &r->sockets)
        if (container_of(at, struct watch, at)->fd == fd)
            return container_of(at, struct watch, at);
    return NULL;
}

static struct watch *watch_new(struct net_records *r, ares_socket_t fd)
{
    struct watch *w = calloc(1, sizeof *w);

    if (!w || uv_poll_init_socket(r->env->loop, &w->poll, fd)) {
        free(w);
        return NULL; /* it runs into its time-out */
    }
    w->poll.data = w;
    w->records = r;
    w->fd = fd;
    list_push_back(&r->sockets, &w->at);
    r->open++;
    return w;
}

static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct net_records *r = arg;
    struct watch *w = watch_find(r, fd);

    if (!readable && !writable) {
        if (w) {
            list_remove(&w->at);
            uv_close((uv_handle_t *)&w->poll, watch_gone);
        }
        return;
    }
    if (!w)
        w = watch_new(r, fd);
    if (w)
        (void)uv_poll_start(&w->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), on_poll);
}

/* --- answers --- */

static void keep_srv(struct net_records_query *q, const struct ares_srv_reply *list)
{
    for (const struct ares_srv_reply *s = list; s && q->n < NET_RECORDS_MAX; s = s->next) {
        struct net_record *to = &q->found[q->n];

        *to = (struct net_record){.priority = s->priority, .weight = s->weight, .port = s->port};
        if (s->port && !mem_cstr(to->name, sizeof to->name, slice_str(s->host)) && to->name[0])
            q->n++; /* "." says that the service is not offered (RFC 2782) */
    }
}

/* Only what leads to a service record; no regular expressions (RFC 3263 §4.1). */
static void keep_naptr(struct net_records_query *q, const struct ares_naptr_reply *list)
{
    for (const struct ares_naptr_reply *s = list; s && q->n < NET_RECORDS_MAX; s = s->next) {
        struct net_record *to = &q->found[q->n];

        *to = (struct net_record){.priority = s->order, .weight = s->preference};
        if (slice_eq_ci(slice_str((const char *)s->flags), SLICE("s")) &&
            !mem_cstr(to->service, sizeof to->service, slice_str((const char *)s->service)) &&
            !mem_cstr(to->name, sizeof to->name, slice_str(s->replacement)) && to->name[0])
            q->n++;
    }
}

static int by_order(const void *a, const void *b)
{
    const struct net_record *x = a, *y = b;

    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return x->weight == y->weight ? 0 : x->weight < y->weight ? -1 : 1;
}

/* Draws one of n of one priority to be the first: by weight, a weight of 0 seldom (RFC 2782). */
static void draw(struct net_record *of, size_t n)
{
    uint64_t total = 0, at;
    uint32_t dice = 0;
    struct net_record first;
    size_t i = 0;

    for (size_t k = 0; k < n; k++)
        total += of[k].weight;
    if (uv_random(NULL, NULL, &dice, sizeof dice, 0, NULL))
        dice = 0;
    at = total ? dice % (total + 1) : 0;
    while (i + 1 < n && at > of[i].weight)
        at -= of[i++].weight;
    first = of[i];
    for (; i > 0; i--)
        of[i] = of[i - 1];
    of[0] = first;
}

static void order(struct net_records_query *q)
{
    qsort(q->found, q->n, sizeof q->found[0], by_order);
    for (size_t i = 0; q->kind == NET_RECORD_SRV && i < q->n; i++) {
        size_t same = 1;

        while (i + same < q->n && q->found[i + same].priority == q->found[i].priority)
            same++;
        draw(&q->found[i], same);
    }
}

static void tell_later(struct net_records_query *q)
{
    list_remove(&q->at);
    list_push_back(&q->records->told, &q->at);
    later(q->records);
}

static enum err status_err(int status)
{
    if (status == ARES_ENODATA || status == ARES_ENOTFOUND || status == ARES_EBADNAME)
        return ERR_ABSENT;
    return status == ARES_ENOMEM ? ERR_NOMEM : ERR_PEER;
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *octets, int octets_n)
{
    struct net_records_query *q = arg;
    struct ares_srv_reply *srv = NULL;
    struct ares_naptr_reply *naptr = NULL;

    (void)timeouts;
    q->in_channel = false;
    if (q->why == ERR_OK && status == ARES_SUCCESS) {
        status = q->kind == NET_RECORD_SRV ? ares_parse_srv_reply(octets, octets_n, &srv)
                                           : ares_parse_naptr_reply(octets, octets_n, &naptr);
        keep_srv(q, srv);
        keep_naptr(q, naptr);
        ares_free_data(srv);
        ares_free_data(naptr);
    }
    order(q);
    if (q->why == ERR_OK)
        q->why = status != ARES_SUCCESS ? status_err(status) : q->n ? ERR_OK : ERR_ABSENT;
    tell_later(q);
}

static void later_run(struct net_task *task)
{
    struct net_records *r = container_of(task, struct net_records, later);
    struct list due, *e;

    list_init(&due);
    list_splice_back(&due, &r->told);
    while ((e = list_pop_front(&due))) {
        struct net_records_query *q = container_of(e, struct net_records_query, at);

        q->done(q->why, q->found, q->why ? 0 : q->n, q->arg);
        free(q);
    }
    if (r->ended && r->open == 0 && list_empty(&r->told)) {
        void (*closed)(void *arg) = r->closed;
        void *arg = r->closed_arg;

        free(r);
        closed(arg);
    }
}

/* --- asking --- */

enum err net_records_ask(struct net_records *r, enum net_record_kind kind, struct slice name,
                         net_records_fn *done, void *arg, struct net_records_query **out)
{
    struct net_records_query *q = calloc(1, sizeof *q);
    char text[NET_RECORD_NAME_N];

    if (!q)
        return ERR_NOMEM;
    if (name.n == 0 || mem_cstr(text, sizeof text, name)) {
        free(q);
        return ERR_LIMIT;
    }
    q->records = r;
    q->kind = kind;
    q->done = done;
    q->arg = arg;
    q->in_channel = true;
    list_push_back(&r->asked, &q->at);
    *out = q;
    ares_query(r->channel, text, CLASS_IN, kind == NET_RECORD_SRV ? TYPE_SRV : TYPE_NAPTR, on_answer, q);
    watch_clock(r);
    return ERR_OK;
}

/* c-ares cannot let go of one question: its answer is waited for, and nobody hears it. */
static void nobody(enum err why, const struct net_record *records, size_t n, void *arg)
{
    (void)why, (void)records, (void)n, (void)arg;
}

void net_records_cancel(struct net_records_query *q)
{
    struct net_records_query *rest;

    q->why = ERR_LATE;
    if (!q->in_channel)
        return; /* about to be told */
    rest = calloc(1, sizeof *rest);
    if (!rest)
        return; /* told when its answer comes */
    *rest = *q;
    list_init(&rest->at);
    rest->in_channel = false;
    q->done = nobody;
    list_push_back(&q->records->told, &rest->at);
    later(q->records);
}

enum err net_records_create(const struct net_env *env, const char *servers, struct net_records **out)
{
    struct ares_options options = {.timeout = TIMEOUT_MS, .tries = TRIES, .sock_state_cb = on_socket};
    struct net_records *r = calloc(1, sizeof *r);
    int rc;

    if (!r)
        return ERR_NOMEM;
    r->env = env;
    list_init(&r->sockets);
    list_init(&r->asked);
    list_init(&r->told);
    net_task_init(&r->later, later_run);
    net_timer_init(&r->tick, tick);
    options.sock_state_cb_data = r;
    rc = ares_init_options(&r->channel, &options,
                           ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (rc == ARES_SUCCESS && servers && servers[0]) {
        rc = ares_set_servers_ports_csv(r->channel, servers);
        if (rc != ARES_SUCCESS)
            ares_destroy(r->channel);
    }
    if (rc != ARES_SUCCESS) {
        free(r);
        return rc == ARES_ENOMEM ? ERR_NOMEM : servers && servers[0] ? ERR_MALFORMED : ERR_IO;
    }
    *out = r;
    return ERR_OK;
}

void net_records_close(struct net_records *r, void (*closed)(void *arg), void *arg)
{
    r->ended = true;
    r->closed = closed;
    r->closed_arg = arg;
    LIST_EACH (at, &r->asked)
        container_of(at, struct net_records_query, at)->why = ERR_LATE;
    ares_destroy(r->channel); /* answers all that is asked */
    net_hub_timer_stop(r->env->hub, &r->tick);
    later(r);
}
