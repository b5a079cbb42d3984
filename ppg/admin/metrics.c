/* Metrics: the numbers of the gateway, the store and the process as OpenMetrics text, and the doors that tell nothing
 * else.  OpenMetrics 1.0.  See metrics.h; loop 0. */
#include "ppg/admin/metrics.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/net/httpd.h"
#include "ppg/admin/admin.h"
#include "ppg/stage.h"
#include "ppg/store/store.h"

#define TYPE       SLICE("application/openmetrics-text; version=1.0.0; charset=utf-8")
#define TEXT_MAX_N (256u << 10) /* some 600 names of events at most */
#define CONNS_MAX  8u
#define HEAD_MAX_N 8192u
#define TIME_MS    10000

/* --- the text --- */

enum kind { GAUGE, COUNTER };

struct metric {
    enum kind kind;
    const char *name; /* without _total */
    const char *unit; /* "" none */
    const char *help;
    size_t at;    /* of a uint64_t in struct ppg_metrics_now */
    unsigned per; /* what it is divided by; 1 or 1000000 */
};

#define AT(field) offsetof(struct ppg_metrics_now, field)
static const struct metric metrics[] = {
    {GAUGE, "process_start_time_seconds", "seconds", "When the gateway was started, since 1970.",
     AT(started_s), 1},
    {COUNTER, "process_cpu_seconds", "seconds", "Processor time, user and system.", AT(cpu_us), 1000000},
    {GAUGE, "process_resident_memory_bytes", "bytes", "Memory that is resident.", AT(resident_n), 1},
    {GAUGE, "ppg_loops", "", "Event loops.", AT(loops), 1},
    {GAUGE, "ppg_configuration_generation", "", "1, and one more with every reload that was taken.",
     AT(generation), 1},
    {GAUGE, "ppg_draining", "", "1: accepts nothing new and is about to end.", AT(draining), 1},
    {GAUGE, "ppg_initiator_connections", "", "Connections of push initiators.", AT(connections), 1},
    {GAUGE, "ppg_targets_in_memory", "", "Targets that a loop holds.", AT(live), 1},
    {GAUGE, "ppg_targets_waiting", "", "Targets in the store that are not final and that nobody holds.",
     AT(waiting), 1},
    {GAUGE, "ppg_targets_held", "", "Targets in the store that are not final and that this run holds.",
     AT(leased), 1},
    {GAUGE, "ppg_notifications_owed", "", "Result notifications that are not told yet.", AT(notices), 1},
    {GAUGE, "ppg_store_bytes", "bytes", "Size of the store's file.", AT(store_n), 1},
    {GAUGE, "ppg_bsf_away", "", "1: the far key server does not answer.", AT(bsf_away), 1},
    {COUNTER, "ppg_bsf_questions", "", "What the far key server was asked.", AT(bsf_asked), 1},
};

static void head(struct buf *out, const char *name, const char *type, const char *unit, const char *help)
{
    buf_addf(out, "# TYPE %s %s\n", name, type);
    if (*unit)
        buf_addf(out, "# UNIT %s %s\n", name, unit);
    buf_addf(out, "# HELP %s %s\n", name, help);
}

static void print(const struct metric *m, uint64_t v, struct buf *out)
{
    head(out, m->name, m->kind == COUNTER ? "counter" : "gauge", m->unit, m->help);
    buf_add_str(out, m->name);
    buf_add_str(out, m->kind == COUNTER ? "_total " : " ");
    buf_add_u64(out, v / m->per);
    if (m->per > 1)
        buf_addf(out, ".%06u", (unsigned)(v % m->per));
    buf_add_ch(out, '\n');
}

static void print_answers(const struct ppg_stats *s, struct buf *out)
{
    head(out, "ppg_answers", "counter", "", "Answers to push initiators by PAP code.");
    for (unsigned c = 0; c < PPG_STATS_CLASSES; c++)
        for (unsigned rest = 0; rest < PPG_STATS_CODES; rest++) {
            uint64_t n = atomic_load(&s->answers[c][rest]);

            if (n)
                buf_addf(out, "ppg_answers_total{code=\"%u\"} %llu\n", 1000 * (c + 1) + rest,
                         (unsigned long long)n);
        }
}

static void print_finals(const struct ppg_stats *s, struct buf *out)
{
    head(out, "ppg_targets", "counter", "", "Targets that came to an end while a loop held them, by how.");
    for (unsigned stage = 0; stage < ST_COUNT; stage++)
        if (ppg_stage_final(stage))
            buf_addf(out, "ppg_targets_total{end=\"%s\"} %llu\n", ppg_stage_name(stage),
                     (unsigned long long)atomic_load(&s->finals[stage]));
}

static void print_ms(uint64_t ms, struct buf *out)
{
    buf_addf(out, "%llu.%03u", (unsigned long long)ms / 1000, (unsigned)(ms % 1000));
}

static void print_deliveries(const struct ppg_stats *s, struct buf *out)
{
    uint64_t n = 0;

    head(out, "ppg_delivery_seconds", "histogram", "seconds",
         "From accepted, or from deliver-after, to delivered.");
    for (size_t i = 0; i < PPG_STATS_TIMES; i++) {
        n += atomic_load(&s->delivered[i]);
        buf_add_str(out, "ppg_delivery_seconds_bucket{le=\"");
        print_ms(ppg_stats_bounds_ms[i], out);
        buf_addf(out, "\"} %llu\n", (unsigned long long)n);
    }
    n += atomic_load(&s->delivered[PPG_STATS_TIMES]);
    buf_addf(out,
             "ppg_delivery_seconds_bucket{le=\"+Inf\"} %llu\nppg_delivery_seconds_count "
             "%llu\nppg_delivery_seconds_sum ",
             (unsigned long long)n, (unsigned long long)n);
    print_ms(atomic_load(&s->delivered_ms), out);
    buf_add_ch(out, '\n');
}

/* Names of events are ours: letters, digits, dots and hyphens, nothing that has to be escaped. */
static void print_event(const char *event, uint64_t count, void *arg)
{
    buf_addf(arg, "ppg_events_total{event=\"%s\"} %llu\n", event, (unsigned long long)count);
}

void ppg_metrics_print(const struct ppg_metrics_now *now, const struct ppg_stats *stats, struct log *log,
                       struct buf *out)
{
    head(out, "ppg_build", "info", "", "Version of the gateway.");
    buf_addf(out, "ppg_build_info{version=\"%s\"} 1\n", PPG_VERSION);
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        const char *v = (const char *)now + metrics[i].at;

        print(&metrics[i], *(const uint64_t *)(const void *)v, out);
    }
    print_answers(stats, out);
    print_finals(stats, out);
    print_deliveries(stats, out);
    head(out, "ppg_events", "counter", "",
         "Events by name, whether or not the log's level lets them be written.");
    log_counts(log, print_event, out);
    buf_add_str(out, "# EOF\n");
}

/* --- one answer --- */

struct job {
    struct ppg_metrics_from from;
    struct net_http_exchange *x;
    struct store_count count;
};

static uint64_t cpu_us(void)
{
    struct rusage u;

    if (getrusage(RUSAGE_SELF, &u))
        return 0;
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static struct ppg_metrics_now look(const struct job *j, const struct ppg_status *s)
{
    const struct ppg_bsf_state *bsf = &j->from.core->shared->bsf;
    size_t resident = 0;

    (void)uv_resident_set_memory(&resident);
    return (struct ppg_metrics_now){.started_s = (uint64_t)j->from.started_s,
                                    .cpu_us = cpu_us(),
                                    .resident_n = resident,
                                    .loops = s->loops,
                                    .generation = s->generation,
                                    .draining = s->draining,
                                    .connections = s->connections,
                                    .live = s->live,
                                    .waiting = j->count.waiting,
                                    .leased = j->count.leased,
                                    .notices = j->count.notices,
                                    .store_n = j->count.file_n,
                                    .bsf_away = atomic_load(&bsf->away_since_ms) != 0,
                                    .bsf_asked = atomic_load(&bsf->asked)};
}

static void refuse(struct net_http_exchange *x, unsigned status, const char *why)
{
    net_httpd_reply(x, status, SLICE("text/plain"), SLICE_NONE, slice_str(why));
}

static void counted(struct store_op *op)
{
    struct job *j = op->arg;
    struct ppg_status status = {.loops = 0};
    struct ppg_metrics_now now;
    struct buf text;

    j->from.status(j->from.arg, &status);
    now = look(j, &status);
    buf_init(&text, TEXT_MAX_N);
    ppg_metrics_print(&now, &status.stats, j->from.core->shared->log, &text);
    if (op->err || buf_err(&text))
        refuse(j->x, 503, op->err ? "the store does not answer\n" : "out of memory\n");
    else
        net_httpd_reply(j->x, 200, TYPE, SLICE_NONE, buf_slice(&text));
    buf_clear(&text);
    free(j);
}

void ppg_metrics_answer(const struct ppg_metrics_from *from, struct net_http_exchange *x)
{
    struct job *j = calloc(1, sizeof *j);

    if (!j) {
        refuse(x, 503, "out of memory\n");
        return;
    }
    *j = (struct job){.from = *from, .x = x};
    j->count.op = (struct store_op){.kind = STORE_COUNT, .done = counted, .arg = j};
    ppg_core_submit(from->core, &j->count.op);
}

/* --- the doors --- */

struct ppg_metrics_doors {
    const struct net_env *env;
    struct ppg_metrics_from from;
    struct net_gate *gate;
    struct net_httpd *doors[PPG_LISTEN_MAX];
    size_t n;
    size_t open; /* while it closes */
    void (*closed)(void *arg);
    void *closed_arg;
};

static void request(struct net_http_exchange *x, void *arg)
{
    const struct ppg_metrics_doors *d = arg;
    const struct net_http_msg *m = net_http_exchange_msg(x);

    if (!slice_eq(m->target, SLICE("/metrics")))
        refuse(x, 404, "there is /metrics\n");
    else if (!slice_eq(m->method, SLICE("GET")))
        net_httpd_reply(x, 405, SLICE_NONE, SLICE("Allow: GET\r\n"), SLICE_NONE);
    else
        ppg_metrics_answer(&d->from, x);
}

enum err ppg_metrics_doors_create(const struct net_env *env, const struct ppg_metrics_from *from,
                                  struct ppg_metrics_doors **out)
{
    struct ppg_metrics_doors *d = calloc(1, sizeof *d);

    if (!d || net_gate_create(CONNS_MAX, CONNS_MAX, &d->gate)) {
        free(d);
        return ERR_NOMEM;
    }
    d->env = env;
    d->from = *from;
    *out = d;
    return ERR_OK;
}

enum err ppg_metrics_listen(struct ppg_metrics_doors *d, const struct ppg_listen *at, uint16_t *port,
                            const char **why)
{
    struct net_httpd_conf http = {.name = "metrics",
                                  .address = at->address,
                                  .port = *port,
                                  .gate = d->gate,
                                  .request = request,
                                  .arg = d,
                                  .limits = {.head_max_n = HEAD_MAX_N,
                                             .headers_max = 32,
                                             .value_max_n = 4096,
                                             .target_max_n = 256,
                                             .body_max_n = 0,
                                             .head_ms = TIME_MS,
                                             .idle_ms = 6 * TIME_MS,
                                             .handshake_ms = TIME_MS}};
    enum err e;

    MUST(d->n < PPG_LISTEN_MAX);
    e = net_httpd_create(d->env, &http, &d->doors[d->n], why);
    if (e)
        return e;
    *port = net_httpd_port(d->doors[d->n++]);
    return ERR_OK;
}

static void part_closed(void *arg)
{
    struct ppg_metrics_doors *d = arg;
    void (*closed)(void *arg) = d->closed;
    void *closed_arg = d->closed_arg;

    if (--d->open > 0)
        return;
    net_gate_free(&d->gate);
    free(d);
    closed(closed_arg);
}

void ppg_metrics_doors_close(struct ppg_metrics_doors *d, void (*closed)(void *arg), void *arg)
{
    size_t n = d->n;

    d->closed = closed;
    d->closed_arg = arg;
    d->open = n + 1; /* ourselves: the last one takes d along */
    for (size_t i = 0; i < n; i++)
        net_httpd_close(d->doors[i], part_closed, d);
    part_closed(d);
}
