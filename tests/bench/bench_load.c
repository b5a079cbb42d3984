/* Submissions at a given rate or as fast as they are accepted, and the handsets that they are delivered to, in one
 * process with one clock.  Ids and handsets are put into a ready-made request, so that little time is spent here.
 *     bench_load REQUEST_FILE TERMINALS
 * REQUEST_FILE: a whole HTTP request with sixteen P for the push-id's number and, with terminals, four T for the
 * terminal's.  Says "ports N ..." and then reads lines from standard input, each a run,
 *     PORT SECONDS RATE CONNECTIONS OUTSTANDING
 * RATE: submissions a second, 0 for as many as possible; OUTSTANDING: most that may be asked and not yet delivered, 0
 * for any.  The time of an answer counts from the millisecond in which the submission was due, whether a connection was
 * free or not.  So does the time of a delivery; the n-th delivery to a terminal is taken for the n-th submission that was
 * accepted for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/list.h"
#include "base/net/httpc.h"
#include "base/net/hub.h"
#include "base/num.h"
#include "tests/bench/terminals.h"

#define REQUEST_MAX_N 65536u
#define CLIENTS_MAX   1024u
#define TERMINALS_MAX 1000u
#define ANSWER_MS     10000
#define PATIENCE_NS   5000000000u /* for deliveries after the last submission */
#define ID_DIGITS     16
#define TICK_NS       1000000u

static const struct net_http_limits limits = {
    .head_max_n = 16384,
    .headers_max = 64,
    .value_max_n = 8192,
    .target_max_n = 2048,
    .body_max_n = 1 << 20,
    .head_ms = 10000,
    .idle_ms = 60000,
};

struct tally {
    uint64_t *v;
    size_t n, cap;
};

struct load;

struct client {
    struct load *load;
    struct net_httpc *conn;
    struct list at; /* in load->idle */
    uint64_t due_ns;
    unsigned terminal;
};

struct run {
    unsigned port, rate, connections, outstanding;
    double seconds;
};

struct load {
    struct net_env env;
    struct buf request; /* the file, patched for each submission */
    size_t head_n;
    char *id;       /* its digits, in request */
    char *terminal; /* likewise; NULL: none */
    uint64_t id_next;
    struct terminals *terminals;
    unsigned terminals_n;
    struct tally due_ns[TERMINALS_MAX];
    struct tally delivered_ns[TERMINALS_MAX];
    struct tally answer_ns; /* durations */
    struct run run;
    struct client clients[CLIENTS_MAX];
    struct list idle;
    uv_timer_t tick;
    uint64_t start_ns, end_ns, last_answer_ns, last_delivery_ns;
    size_t sent, answered, accepted, delivered, faults, open;
    bool stopping;
};

static void tally_add(struct tally *t, uint64_t v)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 1024;
        t->v = realloc(t->v, t->cap * sizeof *t->v);
        MUST(t->v != NULL);
    }
    t->v[t->n++] = v;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Microseconds; t is sorted. */
static double percentile(const struct tally *t, double part)
{
    return t->n ? (double)t->v[(size_t)((double)(t->n - 1) * part)] / 1e3 : 0;
}

/* --- submissions --- */

/* When the next submission is or was due; 0: not yet. */
static uint64_t next_due(const struct load *l, uint64_t now)
{
    uint64_t due;

    if (l->stopping || now >= l->end_ns)
        return 0;
    if (l->run.outstanding && l->sent - l->delivered >= l->run.outstanding)
        return 0;
    if (!l->run.rate)
        return now;
    due = (uint64_t)((double)l->sent * 1e9 / l->run.rate) / TICK_NS * TICK_NS + TICK_NS + l->start_ns;
    return due <= now ? due : 0;
}

static void patch(char *at, int digits, uint64_t number, unsigned base)
{
    for (int i = digits - 1; i >= 0; i--, number /= base)
        at[i] = "0123456789abcdef"[number % base];
}

static void answered(enum err err, const struct net_http_msg *msg, bool sent, void *arg);

static void ask(struct client *c, uint64_t due)
{
    struct load *l = c->load;
    struct slice all = buf_slice(&l->request);
    struct net_httpc_req *req;

    list_remove(&c->at);
    c->due_ns = due;
    c->terminal = l->terminals_n ? (unsigned)(l->sent % l->terminals_n) : 0;
    patch(l->id, ID_DIGITS, l->id_next++, 16);
    if (l->terminal)
        patch(l->terminal, 4, c->terminal, 10);
    l->sent++;
    if (net_httpc_send(c->conn, slice_sub(all, 0, l->head_n), slice_sub(all, l->head_n, all.n), ANSWER_MS,
                       answered, c, &req)) {
        l->faults++;
        l->answered++;
    }
}

static void pump(struct load *l)
{
    uint64_t now = uv_hrtime(), due;

    while (!list_empty(&l->idle) && (due = next_due(l, now)))
        ask(container_of(l->idle.next, struct client, at), due);
}

static bool says_accepted(const struct net_http_msg *msg)
{
    return msg->status / 100 == 2 && memmem(msg->body.p, msg->body.n, "code=\"1001\"", 11);
}

static void answered(enum err err, const struct net_http_msg *msg, bool sent, void *arg)
{
    struct client *c = arg;
    struct load *l = c->load;
    uint64_t now = uv_hrtime();

    (void)sent;
    l->answered++;
    l->last_answer_ns = now;
    if (err || !says_accepted(msg)) {
        l->faults++;
    } else {
        l->accepted++;
        tally_add(&l->answer_ns, now - c->due_ns);
        tally_add(&l->due_ns[c->terminal], c->due_ns);
    }
    if (err)
        return;
    list_push_back(&l->idle, &c->at);
    pump(l);
}

static void on_push(unsigned at, void *arg)
{
    struct load *l = arg;

    l->last_delivery_ns = uv_hrtime();
    l->delivered++;
    tally_add(&l->delivered_ns[at], l->last_delivery_ns);
    pump(l);
}

/* --- one run --- */

static void client_closed(struct net_httpc *conn, enum err why, void *arg)
{
    struct client *c = arg;
    struct load *l = c->load;

    (void)conn, (void)why;
    if (!l->stopping) {
        list_remove(&c->at);
        l->faults++;
    }
    c->conn = NULL;
    if (--l->open == 0) {
        (void)uv_timer_stop(&l->tick);
        uv_stop(l->env.loop);
    }
}

static void stop(struct load *l)
{
    l->stopping = true;
    for (unsigned i = 0; i < l->run.connections; i++)
        if (l->clients[i].conn)
            net_httpc_close(l->clients[i].conn);
}

static void on_tick(uv_timer_t *tick)
{
    struct load *l = tick->data;
    uint64_t now = uv_hrtime();
    bool done = l->answered == l->sent && (!l->terminals_n || l->delivered >= l->accepted);

    if (now < l->end_ns)
        pump(l);
    else if (!l->stopping && (done || now > l->end_ns + PATIENCE_NS))
        stop(l);
}

static void reset(struct load *l)
{
    l->sent = l->answered = l->accepted = l->delivered = l->faults = 0;
    l->answer_ns.n = 0;
    for (unsigned i = 0; i < TERMINALS_MAX; i++)
        l->due_ns[i].n = l->delivered_ns[i].n = 0;
    list_init(&l->idle);
    l->stopping = false;
    l->start_ns = l->last_answer_ns = l->last_delivery_ns = uv_hrtime();
    l->end_ns = l->start_ns + (uint64_t)(l->run.seconds * 1e9);
}

static void run(struct load *l)
{
    reset(l);
    for (l->open = 0; l->open < l->run.connections; l->open++) {
        struct client *c = &l->clients[l->open];
        struct net_httpc_conf conf = {.host = SLICE("127.0.0.1"),
                                      .port = (uint16_t)l->run.port,
                                      .limits = limits,
                                      .connect_ms = 5000,
                                      .pipeline_max = 1,
                                      .closed = client_closed,
                                      .arg = c};

        c->load = l;
        MUST(!net_httpc_create(&l->env, &conf, &c->conn));
        list_push_back(&l->idle, &c->at);
    }
    MUST(!uv_timer_start(&l->tick, on_tick, 1, 1));
    (void)uv_run(l->env.loop, UV_RUN_DEFAULT);
}

/* How long submissions took to their deliveries. */
static void delays(const struct load *l, struct tally *out)
{
    for (unsigned i = 0; i < l->terminals_n; i++) {
        const struct tally *a = &l->due_ns[i], *d = &l->delivered_ns[i];

        for (size_t k = 0; k < a->n && k < d->n; k++)
            tally_add(out, d->v[k] > a->v[k] ? d->v[k] - a->v[k] : 0);
    }
    if (out->n)
        qsort(out->v, out->n, sizeof out->v[0], by_value);
}

static double per_second(size_t n, uint64_t from, uint64_t to)
{
    return to > from ? (double)n * 1e9 / (double)(to - from) : 0;
}

static void report(struct load *l)
{
    struct tally delay = {.v = NULL};

    delays(l, &delay);
    if (l->answer_ns.n)
        qsort(l->answer_ns.v, l->answer_ns.n, sizeof l->answer_ns.v[0], by_value);
    (void)printf("accepted=%zu rate=%.0f p50_us=%.0f p99_us=%.0f delivered=%zu delivered_rate=%.0f "
                 "delivered_p50_us=%.0f delivered_p99_us=%.0f faults=%zu\n",
                 l->accepted, per_second(l->accepted, l->start_ns, l->last_answer_ns),
                 percentile(&l->answer_ns, 0.5), percentile(&l->answer_ns, 0.99), l->delivered,
                 per_second(l->delivered, l->start_ns, l->last_delivery_ns), percentile(&delay, 0.5),
                 percentile(&delay, 0.99), l->faults);
    (void)fflush(stdout);
    free(delay.v);
}

/* --- start and end --- */

static bool request_read(struct load *l, const char *path)
{
    FILE *f = fopen(path, "rb");
    const char *body;
    char *room;

    buf_init(&l->request, REQUEST_MAX_N);
    room = f ? buf_room(&l->request, REQUEST_MAX_N - 1) : NULL;
    if (room)
        buf_commit(&l->request, fread(room, 1, REQUEST_MAX_N - 1, f));
    if (f)
        (void)fclose(f);
    if (!room || !l->request.n)
        return false;
    l->id = memmem(l->request.p, l->request.n, "PPPPPPPPPPPPPPPP", ID_DIGITS);
    l->terminal = memmem(l->request.p, l->request.n, "TTTT", 4);
    body = memmem(l->request.p, l->request.n, "\r\n\r\n", 4);
    l->head_n = body ? (size_t)(body + 4 - l->request.p) : 0;
    return l->id && body && (l->terminal || !l->terminals_n);
}

static void say_ports(const struct load *l)
{
    (void)printf("ports");
    for (unsigned i = 0; i < l->terminals_n; i++)
        (void)printf(" %u", terminals_port(l->terminals, i));
    (void)printf("\n");
    (void)fflush(stdout);
}

static void finish(struct load *l)
{
    if (l->terminals)
        terminals_close(l->terminals, NULL, NULL);
    uv_close((uv_handle_t *)&l->tick, NULL);
    (void)uv_run(l->env.loop, UV_RUN_DEFAULT);
    net_hub_close(l->env.hub, NULL, NULL);
    (void)uv_run(l->env.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(l->env.loop);
    for (unsigned i = 0; i < TERMINALS_MAX; i++) {
        free(l->due_ns[i].v);
        free(l->delivered_ns[i].v);
    }
    free(l->answer_ns.v);
    buf_clear(&l->request);
    free(l);
}

int main(int argc, char **argv)
{
    struct load *l = calloc(1, sizeof *l);
    char line[200];

    MUST(l != NULL);
    l->terminals_n = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : TERMINALS_MAX + 1;
    if (l->terminals_n > TERMINALS_MAX || !request_read(l, argv[1])) {
        (void)fprintf(stderr, "usage: bench_load REQUEST_FILE TERMINALS (at most %u)\n", TERMINALS_MAX);
        return 2;
    }
    l->env = (struct net_env){.loop = uv_default_loop(), .clk = &clk_real};
    MUST(!net_hub_create(&l->env));
    if (l->terminals_n)
        MUST(!terminals_create(&l->env, l->terminals_n, on_push, l, &l->terminals));
    MUST(!uv_timer_init(l->env.loop, &l->tick));
    l->tick.data = l;
    l->id_next = uv_hrtime();
    say_ports(l);
    while (fgets(line, sizeof line, stdin) &&
           sscanf(line, "%u %lf %u %u %u", &l->run.port, &l->run.seconds, &l->run.rate, &l->run.connections,
                  &l->run.outstanding) == 5 &&
           l->run.connections && l->run.connections <= CLIENTS_MAX) {
        run(l);
        report(l);
    }
    finish(l);
    return 0;
}
