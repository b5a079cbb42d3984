/* A crowd of terminals; see swarm.h. */
#include "ppg/handset/swarm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/net/hub.h"
#include "base/net/stream.h"
#include "base/num.h"
#include "base/scan.h"

#define CONNECT_MS   10000
#define HANDSHAKE_MS 60000
#define HEAD_MAX_N   16384
#define TICK_MS      10 /* the hub may be a little late */

#define OTA          "HTTP/1.1 204 No Content\r\nX-Wap-Push-OTA-Version: 1.0\r\n"
static const char taken[] = OTA "X-Wap-Push-Status: 400\r\n\r\n";
static const char nonsense[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";

struct terminal {
    struct list at; /* in swarm.away while it has no connection */
    struct tool_swarm *swarm;
    struct net_stream *stream;
    struct buf in;    /* a head that has not come whole */
    uint64_t skip_n;  /* octets of a body still to come */
    int64_t again_ms; /* not before, after a loss */
    bool answered;    /* registered: it has said who it is on this connection */
};

struct tool_swarm {
    struct tool_swarm_conf conf;
    struct net_timer tick, report;
    struct list away;
    int64_t began_ms;
    size_t connecting, registered;
    uint64_t connects, lost, requests, pushes;
    bool complete; /* told */
    bool ended;
    void (*closed)(void *arg);
    void *closed_arg;
    struct terminal terminals[];
};

static int64_t now_ms(const struct tool_swarm *s)
{
    return clk_mono_ms(s->conf.env->clk);
}

/* --- telling --- */

static void tell(const struct tool_swarm *s, const char *event)
{
    (void)printf("{\"event\":\"%s\",\"ms\":%" PRId64 ",\"connecting\":%zu,\"registered\":%zu,"
                 "\"connects\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"requests\":%" PRIu64 ",\"pushes\":%" PRIu64
                 "}\n",
                 event, now_ms(s) - s->began_ms, s->connecting, s->registered, s->connects, s->lost,
                 s->requests, s->pushes);
    (void)fflush(stdout);
}

static void report_fire(struct net_timer *timer)
{
    struct tool_swarm *s = container_of(timer, struct tool_swarm, report);

    tell(s, "swarm");
    net_hub_timer_set(s->conf.env->hub, &s->report, s->conf.report_ms);
}

/* --- one terminal --- */

static size_t number_of(const struct terminal *t)
{
    return (size_t)(t - t->swarm->terminals);
}

static bool is_silent(const struct terminal *t)
{
    size_t each = t->swarm->conf.silent;

    return each && number_of(t) % each == each - 1;
}

static void pump(struct tool_swarm *s);

static void register_it(struct terminal *t)
{
    struct tool_swarm *s = t->swarm;
    char text[512];
    int n = snprintf(text, sizeof text,
                     OTA "X-Wap-Push-Status: 501\r\nX-Wap-Terminal-Id: 4+%" PRIu64
                         "\r\nX-Wap-CPITag: q83vEg==\r\n"
                         "X-Wap-Push-Accept-MaxPushReq: %zu\r\n\r\n",
                     s->conf.first + number_of(t), s->conf.outstanding);

    (void)net_stream_write(t->stream, slice_of(text, (size_t)n));
    if (t->answered)
        return;
    t->answered = true;
    s->connecting--;
    s->registered++;
    if (s->registered == s->conf.terminals && !s->complete)
        tell(s, "complete");
    s->complete = s->complete || s->registered == s->conf.terminals;
    pump(s);
}

static void answer(struct terminal *t, struct slice head)
{
    struct tool_swarm *s = t->swarm;

    s->requests++;
    if (slice_starts(head, SLICE("OPTIONS "))) {
        register_it(t);
    } else if (!slice_starts(head, SLICE("POST "))) {
        (void)net_stream_write(t->stream, slice_str(nonsense));
    } else {
        s->pushes++;
        if (!is_silent(t))
            (void)net_stream_write(t->stream, slice_str(taken));
    }
}

static uint64_t length_of(struct slice head)
{
    size_t at = slice_find_slice(head, SLICE("\r\nContent-Length: "));
    struct scan s;

    if (at == SIZE_MAX)
        return 0;
    s = scan_of(slice_sub(head, at + 18, SIZE_MAX));
    return scan_u64(&s, 0, UINT32_MAX);
}

/* Whole heads are answered, bodies passed over; how many octets were used. */
static size_t consume(struct terminal *t, struct slice in)
{
    size_t used = 0, end;

    while (used < in.n) {
        uint64_t skip = num_min(t->skip_n, in.n - used);

        used += skip;
        t->skip_n -= skip;
        end = slice_find_slice(slice_sub(in, used, SIZE_MAX), SLICE("\r\n\r\n"));
        if (end == SIZE_MAX)
            break;
        t->skip_n = length_of(slice_sub(in, used, end));
        answer(t, slice_sub(in, used, end));
        used += end + 4;
    }
    return used;
}

static void on_data(struct net_stream *stream, struct slice data, void *arg)
{
    struct terminal *t = arg;
    size_t used;

    if (!t->in.n) {
        used = consume(t, data);
        data = slice_sub(data, used, SIZE_MAX);
    }
    buf_add(&t->in, data);
    if (t->in.n)
        buf_drop(&t->in, consume(t, buf_slice(&t->in)));
    if (buf_err(&t->in))
        net_stream_abort(stream, ERR_LIMIT);
    else if (!t->in.n)
        buf_clear(&t->in); /* an idle terminal is small */
}

static void on_open(struct net_stream *stream, void *arg)
{
    (void)stream; /* the gateway speaks first */
    (void)arg;
}

/* --- the crowd --- */

static void free_maybe(struct tool_swarm *s)
{
    void (*closed)(void *arg) = s->closed;
    void *arg = s->closed_arg;

    if (!s->ended || s->connecting || s->registered)
        return;
    free(s);
    closed(arg);
}

/* Terminals of one kind do not come back at the same moment. */
static int64_t pause_ms(const struct terminal *t)
{
    uint64_t dice = number_of(t) * UINT64_C(2654435761) % 1000;

    return t->swarm->conf.pause_ms + (int64_t)dice * t->swarm->conf.pause_ms / 1000;
}

static void on_closed(struct net_stream *stream, enum err why, void *arg)
{
    struct terminal *t = arg;
    struct tool_swarm *s = t->swarm;

    (void)stream;
    (void)why;
    t->stream = NULL;
    t->skip_n = 0;
    buf_clear(&t->in);
    s->lost++;
    s->registered -= t->answered;
    s->connecting -= !t->answered;
    t->answered = false;
    t->again_ms = now_ms(s) + pause_ms(t);
    list_push_back(&s->away, &t->at);
    s->complete = false;
    free_maybe(s);
}

/* False: it has to wait. */
static bool call_gateway(struct terminal *t)
{
    const struct tool_swarm_conf *conf = &t->swarm->conf;
    const struct net_stream_user user = {.opened = on_open, .data = on_data, .closed = on_closed, .arg = t};

    return !net_stream_connect(conf->env, (const struct sockaddr *)&conf->to, conf->tls, conf->server_name,
                               CONNECT_MS, HANDSHAKE_MS, &user, &t->stream);
}

/* Has the rate room for one more? */
static bool in_time(const struct tool_swarm *s)
{
    return !s->conf.rate ||
           s->connects < (uint64_t)(now_ms(s) - s->began_ms) * (uint64_t)s->conf.rate / UINT64_C(1000);
}

static void pump(struct tool_swarm *s)
{
    for (size_t looked = 0; looked < s->conf.at_once && !list_empty(&s->away); looked++) {
        struct terminal *t = container_of(s->away.next, struct terminal, at);

        if (s->ended || s->connecting >= s->conf.at_once || !in_time(s))
            return;
        list_remove(&t->at);
        if (t->again_ms > now_ms(s) || !call_gateway(t)) {
            list_push_back(&s->away, &t->at);
            continue;
        }
        s->connecting++;
        s->connects++;
    }
}

static void tick_fire(struct net_timer *timer)
{
    struct tool_swarm *s = container_of(timer, struct tool_swarm, tick);

    pump(s);
    net_hub_timer_set(s->conf.env->hub, &s->tick, TICK_MS);
}

enum err tool_swarm_create(const struct tool_swarm_conf *conf, struct tool_swarm **out)
{
    size_t n;
    struct tool_swarm *s;

    if (!num_mul(conf->terminals, sizeof s->terminals[0], &n))
        return ERR_NOMEM;
    s = calloc(1, sizeof *s + n);
    if (!s)
        return ERR_NOMEM;
    s->conf = *conf;
    s->began_ms = now_ms(s);
    list_init(&s->away);
    for (size_t i = 0; i < conf->terminals; i++) {
        struct terminal *t = &s->terminals[i];

        t->swarm = s;
        buf_init(&t->in, HEAD_MAX_N);
        list_push_back(&s->away, &t->at);
    }
    net_timer_init(&s->tick, tick_fire);
    net_timer_init(&s->report, report_fire);
    net_hub_timer_set(conf->env->hub, &s->tick, 0);
    net_hub_timer_set(conf->env->hub, &s->report, conf->report_ms);
    *out = s;
    return ERR_OK;
}

void tool_swarm_close(struct tool_swarm *s, void (*closed)(void *arg), void *arg)
{
    bool any = s->connecting + s->registered > 0;

    net_hub_timer_stop(s->conf.env->hub, &s->tick);
    net_hub_timer_stop(s->conf.env->hub, &s->report);
    tell(s, "end");
    s->ended = true;
    s->closed = closed;
    s->closed_arg = arg;
    for (size_t i = 0; i < s->conf.terminals; i++)
        if (s->terminals[i].stream)
            net_stream_abort(s->terminals[i].stream, ERR_OK);
    if (!any)
        free_maybe(s);
}
