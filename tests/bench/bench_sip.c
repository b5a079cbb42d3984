/* MESSAGE requests a second that the bearer for SIP gets answered: pushes of 300 octets to so many URIs at one server, the next to each
 * when the last is answered.  Usage: bench_sip udp|tcp PORT SECONDS URIS; prints one number.  The server is somebody else's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/net/hub.h"
#include "ota/bearer.h"
#include "ota/sip/message.h"

#define URIS_MAX 4096

static const char content[300] = "x";

struct bench {
    uv_loop_t loop;
    struct net_env net;
    struct ota_env env;
    void *bearer;
    size_t uris;
    bool over;
    size_t under_way, answered, failed;
    struct ota_terminal terminals[URIS_MAX];
    char names[URIS_MAX][64];
    struct ota_job jobs[URIS_MAX];
};

static void push(struct bench *b, size_t i);

static void done(struct ota_job *job, enum err why, void *arg)
{
    struct bench *b = arg;

    (void)why;
    b->under_way--;
    if (job->result.outcome == OTA_DELIVERED)
        b->answered++;
    else
        b->failed++;
    if (!b->over)
        push(b, (size_t)(job - b->jobs));
}

static void push(struct bench *b, size_t i)
{
    b->jobs[i] =
        (struct ota_job){.terminal = &b->terminals[i],
                         .message_head = SLICE("Content-Type: text/plain\r\nX-Push-Message-ID: 1\r\n"),
                         .body = slice_of(content, sizeof content),
                         .priority = 1};
    if (ota_bearer_sip.send(b->bearer, &b->jobs[i], done, b))
        b->failed++;
    else
        b->under_way++;
}

static void stop(uv_timer_t *timer)
{
    ((struct bench *)timer->data)->over = true;
    uv_stop(timer->loop);
}

static void set_up(struct bench *b, const char *transport, const char *port)
{
    const struct log_conf log = {.level = LOG_ERROR, .format = LOG_TEXT, .fd = 2};

    MUST(uv_loop_init(&b->loop) == 0);
    b->net = (struct net_env){.loop = &b->loop, .clk = &clk_real};
    MUST(log_create(&log, &clk_real, &b->net.log) == ERR_OK && net_hub_create(&b->net) == ERR_OK);
    b->env = (struct ota_env){.net = &b->net,
                              .product = SLICE("bench"),
                              .connect_ms = 5000,
                              .sip = {.identity = SLICE("sip:push@127.0.0.1"),
                                      .app_tag = SLICE(OTA_SIP_APP_TAG),
                                      .hops_max = 16,
                                      .transactions_max = 2 * URIS_MAX,
                                      .idle_ms = 60000}};
    MUST(ota_bearer_sip.create(&b->env, &b->bearer) == ERR_OK);
    for (size_t i = 0; i < b->uris; i++) {
        (void)snprintf(b->names[i], sizeof b->names[i], "sip:u%zu@127.0.0.1:%s;transport=%s", i, port,
                       transport);
        b->terminals[i] = (struct ota_terminal){
            .key = slice_str(b->names[i]), .route = OTA_ROUTE_SIP, .sip_uri = slice_str(b->names[i])};
    }
}

int main(int argc, char **argv)
{
    static struct bench b;
    uint64_t began, seconds;
    uv_timer_t timer;

    if (argc != 5)
        return 2;
    seconds = strtoull(argv[3], NULL, 10);
    b.uris = strtoull(argv[4], NULL, 10);
    MUST(b.uris > 0 && b.uris <= URIS_MAX);
    set_up(&b, argv[1], argv[2]);
    for (size_t i = 0; i < b.uris; i++)
        push(&b, i);
    MUST(uv_timer_init(&b.loop, &timer) == 0);
    timer.data = &b;
    MUST(uv_timer_start(&timer, stop, seconds * 1000, 0) == 0);
    began = uv_hrtime();
    (void)uv_run(&b.loop, UV_RUN_DEFAULT);
    (void)printf("%.0f\n", (double)b.answered * 1e9 / (double)(uv_hrtime() - began));
    if (b.failed)
        (void)fprintf(stderr, "%zu failed\n", b.failed);
    return b.failed ? 1 : 0; /* the system takes the rest back */
}
