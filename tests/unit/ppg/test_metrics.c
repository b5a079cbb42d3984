/* Metrics: the text to the octet, what is said on the operator's socket, and doors that tell nothing else. */
#include "ppg/admin/metrics.h"

#include <netinet/in.h>
#include "tests/unit/ppg/admin_fix.h"

#define TEXT_MAX_N 65536u

static const char *text_of_now(const struct ppg_metrics_now *now, const struct ppg_stats *stats,
                               struct log *log)
{
    static struct buf b;

    buf_clear(&b);
    buf_init(&b, TEXT_MAX_N);
    ppg_metrics_print(now, stats, log, &b);
    buf_add_ch(&b, '\0');
    CU_ASSERT_FATAL(buf_err(&b) == ERR_OK);
    return b.p;
}

/* Each number under its own name: no two are taken for one another. */
static void numbers(void)
{
    static const char *const rows[] = {"\nprocess_start_time_seconds 1700000001\n",
                                       "\nprocess_cpu_seconds_total 12.000345\n",
                                       "\nprocess_resident_memory_bytes 2\n",
                                       "\nppg_loops 3\n",
                                       "\nppg_configuration_generation 4\n",
                                       "\nppg_draining 1\n",
                                       "\nppg_initiator_connections 6\n",
                                       "\nppg_targets_in_memory 7\n",
                                       "\nppg_targets_waiting 8\n",
                                       "\nppg_targets_held 9\n",
                                       "\nppg_notifications_owed 10\n",
                                       "\nppg_store_bytes 18446744073709551615\n",
                                       "\nppg_bsf_away 0\n",
                                       "\nppg_bsf_questions_total 14\n",
                                       "\nppg_build_info{version=\"" PPG_VERSION "\"} 1\n"};
    const struct ppg_metrics_now now = {.started_s = 1700000001,
                                        .cpu_us = 12000345,
                                        .resident_n = 2,
                                        .loops = 3,
                                        .generation = 4,
                                        .draining = 1,
                                        .connections = 6,
                                        .live = 7,
                                        .waiting = 8,
                                        .leased = 9,
                                        .notices = 10,
                                        .store_n = UINT64_MAX,
                                        .bsf_asked = 14};
    static const struct ppg_stats stats;
    const char *text = text_of_now(&now, &stats, NULL);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_row(i);
        CU_ASSERT(strstr(text, rows[i]) != NULL);
    }
    CU_ASSERT(!strncmp(text, "# TYPE ppg_build info\n", 22));
    CU_ASSERT_STRING_EQUAL(text + strlen(text) - 7, "\n# EOF\n");
    CU_ASSERT(strstr(text, "# TYPE ppg_events counter\n") != NULL &&
              strstr(text, "ppg_events_total") == NULL);
}

/* What is not there is not told, but ends and times, which a collector wants from the start. */
static void what_was_counted(void)
{
    static const char *const rows[] = {
        "\nppg_answers_total{code=\"1001\"} 2\nppg_answers_total{code=\"2007\"} 1\n# TYPE",
        "\nppg_targets_total{end=\"delivered\"} 3\n",
        "\nppg_targets_total{end=\"expired\"} 1\n",
        "\nppg_targets_total{end=\"cancelled\"} 0\n",
        "\nppg_delivery_seconds_bucket{le=\"0.005\"} 1\nppg_delivery_seconds_bucket{le=\"0.010\"} 1\n",
        "\nppg_delivery_seconds_bucket{le=\"1.000\"} 1\nppg_delivery_seconds_bucket{le=\"5.000\"} 2\n",
        "\nppg_delivery_seconds_bucket{le=\"86400.000\"} 2\nppg_delivery_seconds_bucket{le=\"+Inf\"} 3\n",
        "\nppg_delivery_seconds_count 3\nppg_delivery_seconds_sum 90001.001\n",
    };
    const struct ppg_metrics_now now = {.loops = 1};
    const struct ppg_push p = {.accepted_ms = 1000, .not_before_ms = 2000};
    static struct ppg_stats one, two, sum;
    const char *text;

    ppg_stats_answer(&one, PAP_CODE_ACCEPTED);
    ppg_stats_answer(&two, PAP_CODE_ACCEPTED);
    ppg_stats_answer(&two, PAP_CODE_DUPLICATE_PUSH_ID);
    ppg_stats_final(&one, &p, ST_DELIVERED, 1500);
    ppg_stats_final(&two, &p, ST_DELIVERED, 3001);
    ppg_stats_final(&two, &p, ST_DELIVERED, 90002000);
    ppg_stats_final(&two, &p, ST_EXPIRED, 5000);
    ppg_stats_add(&sum, &one);
    ppg_stats_add(&sum, &two);
    text = text_of_now(&now, &sum, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_row(i);
        CU_ASSERT(strstr(text, rows[i]) != NULL);
    }
}

/* An event counts whatever the level, and once more each time. */
static void events(void)
{
    static const struct ppg_stats stats;
    const struct ppg_metrics_now now = {.loops = 1};
    struct log_conf conf = {.level = LOG_ERROR, .fd = -1};
    struct log *log;

    CU_ASSERT_FATAL(log_create(&conf, &clk_real, &log) == ERR_OK);
    LOG(log, LOG_DEBUG, "push.accepted");
    LOG(log, LOG_ERROR, "push.accepted");
    LOG(log, LOG_INFO, "tls.client.not-yet-valid");
    CU_ASSERT(strstr(text_of_now(&now, &stats, log), "\nppg_events_total{event=\"push.accepted\"} 2\n") !=
              NULL);
    CU_ASSERT(strstr(text_of_now(&now, &stats, log),
                     "\nppg_events_total{event=\"tls.client.not-yet-valid\"} 1\n") != NULL);
    log_free(&log);
}

static void on_the_socket(void)
{
    struct world w;
    struct client c;

    begin(&w);
    CU_ASSERT(fix_insert(&w.store, "mms", "a", 3, 1000, false) > 0);
    CU_ASSERT(fix_insert(&w.store, "mms", "b", 2, 1000, true) > 0);
    client_open(&w, &c);
    CU_ASSERT(ask(&w, &c, "GET", "/metrics") == 200);
    CU_ASSERT(slice_find_slice(buf_slice(&c.text), SLICE("\nppg_targets_waiting 3\n")) != SIZE_MAX);
    CU_ASSERT(slice_find_slice(buf_slice(&c.text), SLICE("\nppg_targets_held 2\n")) != SIZE_MAX);
    CU_ASSERT(slice_find_slice(buf_slice(&c.text), SLICE("\nppg_initiator_connections 11\n")) != SIZE_MAX);
    CU_ASSERT(slice_find_slice(buf_slice(&c.text), SLICE("mms")) == SIZE_MAX);
    CU_ASSERT(ask(&w, &c, "POST", "/metrics") == 405);
    client_close(&c);
    end(&w);
}

/* --- doors --- */

static struct ppg_metrics_doors *doors_open(struct world *w, uint16_t *ports, size_t n)
{
    const struct ppg_metrics_from from = {.core = &w->core, .status = status, .arg = w, .started_s = 1};
    const struct ppg_listen at = {.address = "127.0.0.1"};
    struct ppg_metrics_doors *d = NULL;
    const char *why = "";

    CU_ASSERT_FATAL(ppg_metrics_doors_create(&w->env, &from, &d) == ERR_OK);
    for (size_t i = 0; i < n; i++) {
        ports[i] = 0;
        CU_ASSERT_FATAL(ppg_metrics_listen(d, &at, &ports[i], &why) == ERR_OK && ports[i] != 0);
    }
    return d;
}

static void doors_end(struct world *w, struct ppg_metrics_doors *d)
{
    int64_t until = clk_mono_ms(&clk_real) + WAIT_MS;

    w->closed = false;
    ppg_metrics_doors_close(d, closed, w);
    while (!w->closed && clk_mono_ms(&clk_real) < until)
        turn(w);
    CU_ASSERT_FATAL(w->closed);
    w->closed = false;
}

static void client_call(struct client *c, uint16_t port)
{
    struct net_http_limits limits = {.head_max_n = 65536,
                                     .headers_max = 50,
                                     .value_max_n = 8192,
                                     .target_max_n = 8192,
                                     .body_max_n = 1u << 20};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *c = (struct client){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    buf_init(&c->text, 1u << 20);
    CU_ASSERT_FATAL(connect(c->fd, (struct sockaddr *)&at, sizeof at) == 0);
    CU_ASSERT_FATAL(fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0);
    CU_ASSERT_FATAL(net_http_reader_create(NET_HTTP_CLIENT, &limits, &c->reader) == ERR_OK);
}

static void doors_tell_nothing_else(void)
{
    static const struct {
        const char *method, *target;
        unsigned want;
    } rows[] = {
        {"GET", "/metrics", 200},    {"GET", "/metrics", 200}, {"POST", "/metrics", 405},
        {"DELETE", "/metrics", 405}, {"GET", "/", 404},        {"GET", "/metrics/", 404},
        {"GET", "/status", 404},     {"POST", "/drain", 404},  {"POST", "/reload", 404},
        {"GET", "/metrics?a", 404},  {"GET", "/queue", 404},   {"GET", "/METRICS", 404},
    };
    struct world w;
    struct client c;
    struct ppg_metrics_doors *d;
    uint16_t ports[2];

    begin(&w);
    d = doors_open(&w, ports, 2);
    CU_ASSERT(ports[0] != ports[1]);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_row(i);
        client_call(&c, ports[i % 2]);
        CU_ASSERT(ask(&w, &c, rows[i].method, rows[i].target) == rows[i].want);
        CU_ASSERT((slice_find_slice(buf_slice(&c.text), SLICE("# EOF\n")) != SIZE_MAX) ==
                  (rows[i].want == 200));
        client_close(&c);
    }
    CU_ASSERT(w.drains == 0 && !w.reload_done);
    doors_end(&w, d);
    end(&w);
}

/* A body is for nobody here, and the ninth collector for nobody either. */
static void doors_have_ceilings(void)
{
    enum { MANY = 9 };
    struct world w;
    struct client c[MANY];
    struct ppg_metrics_doors *d;
    uint16_t port;
    size_t served = 0;

    begin(&w);
    d = doors_open(&w, &port, 1);
    client_call(&c[0], port);
    CU_ASSERT(post(&w, &c[0], "/metrics", "x") == 413);
    client_close(&c[0]);
    for (size_t i = 0; i < MANY; i++) {
        client_call(&c[i], port);
        served += ask(&w, &c[i], "GET", "/metrics") == 200;
    }
    CU_ASSERT(served == MANY - 1);
    for (size_t i = 0; i < MANY; i++)
        client_close(&c[i]);
    doors_end(&w, d);
    d = doors_open(&w, &port, 0);
    doors_end(&w, d);
    end(&w);
}

/* An address that is not this machine's is told, and nothing is left open. */
static void an_address_elsewhere(void)
{
    struct world w;
    struct ppg_metrics_doors *d;
    const struct ppg_listen at = {.address = "192.0.2.1"};
    const char *why = "";
    uint16_t port = 0;

    begin(&w);
    d = doors_open(&w, &port, 0);
    port = 0;
    CU_ASSERT(ppg_metrics_listen(d, &at, &port, &why) == ERR_IO && *why);
    doors_end(&w, d);
    end(&w);
}

const struct test_case test_cases[] = {
    {"numbers", numbers},
    {"what_was_counted", what_was_counted},
    {"events", events},
    {"on_the_socket", on_the_socket},
    {"doors_tell_nothing_else", doors_tell_nothing_else},
    {"doors_have_ceilings", doors_have_ceilings},
    {"an_address_elsewhere", an_address_elsewhere},
    {NULL, NULL},
};
