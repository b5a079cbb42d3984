/* Whole conversations of INVITE on a virtual clock: what the bearer for SIP says to devices, when, and what comes of it.  The loop, the
 * hops and the streams are the test's own: nothing here waits, and no octet leaves the program.  Each row is a scenario. */
#include "ota/bearer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/net/hub.h"
#include "base/net/records.h"
#include "base/net/stream.h"
#include "ota/registrar/location.h"
#include "ota/sip/hop.h"
#include "tests/unit/agent/agent_env.h"
#include "tests/unit/harness.h"

#define HEAD     "Content-Type: text/plain\r\nX-Push-Message-ID: m-1\r\n"
#define START_MS INT64_C(1767225600000)
#define SAID_MAX 32
#define DEVICES  2
#define LATEST   INT64_C(400000)

/* --- the loop --- */

struct net_hub {
    struct clk_virtual clk;
    struct list tasks, timers;
};

enum err net_hub_create(struct net_env *env)
{
    (void)env;
    return ERR_UNSUPPORTED;
}

void net_hub_close(struct net_hub *h, void (*closed)(void *arg), void *arg)
{
    (void)h, (void)closed, (void)arg;
}

void net_task_init(struct net_task *t, void (*run)(struct net_task *task))
{
    list_init(&t->link);
    t->run = run;
}

void net_hub_defer(struct net_hub *h, struct net_task *t)
{
    if (list_empty(&t->link))
        list_push_back(&h->tasks, &t->link);
}

void net_task_cancel(struct net_task *t)
{
    list_remove(&t->link);
}

void net_timer_init(struct net_timer *t, void (*fire)(struct net_timer *timer))
{
    list_init(&t->link);
    t->fire = fire;
}

void net_hub_timer_set(struct net_hub *h, struct net_timer *t, int64_t ms_from_now)
{
    list_remove(&t->link);
    t->at_ms = clk_mono_ms(&h->clk.clk) + ms_from_now;
    list_push_back(&h->timers, &t->link);
}

void net_hub_timer_stop(struct net_hub *h, struct net_timer *t)
{
    (void)h;
    list_remove(&t->link);
}

char *net_hub_read_buf(struct net_hub *h)
{
    (void)h;
    return NULL;
}

char *net_hub_plain_buf(struct net_hub *h)
{
    return net_hub_read_buf(h);
}

void net_hub_buf_take(struct net_hub *h, struct buf *b)
{
    (void)h, (void)b;
}

void net_hub_buf_give(struct net_hub *h, struct buf *b)
{
    (void)h, (void)b;
}

/* --- the far ends --- */

/* One word of a script and what has been asked: the n-th request of a method gets the n-th word for it. */
struct device {
    const char *
        script; /* "INVITE=180,486@2000 CANCEL=200,i487": statuses, ms after the request; i: of the last INVITE instead */
    char invite[4096];
    char last_branch[96];
    char asked[16][16]; /* methods so far, without repetitions */
    size_t asked_n;
};

struct said {
    struct net_timer at;
    unsigned device;
    char text[2048];
};

struct ota_sip_hop {
    struct ota_sip_hops *hops;
    struct ota_sip_rider *rider;
    enum ota_sip_via via;
    struct sockaddr_storage to;
    unsigned device;
};

struct ota_sip_hops {
    struct ota_sip_hops_conf conf;
    struct ota_sip_hop open[SAID_MAX];
    size_t n;
    struct net_task gone;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct world {
    struct net_hub hub;
    struct net_env net;
    struct log *log;
    struct ota_env env;
    struct ota_sip_location *location;
    struct ota_terminal terminal;
    struct ota_job job;
    struct device devices[DEVICES];
    struct said said[SAID_MAX];
    size_t said_n, done, closed;
    char seen[1024]; /* "0 INVITE a; 500 INVITE a" */
    void *bearer;
    struct ota_sip_hops *hops;
};

static struct world *world; /* of the scenario that runs: the fakes above have no way to it */

static void see(const char *what, char device)
{
    size_t n = strlen(world->seen);

    (void)snprintf(world->seen + n, sizeof world->seen - n, "%s%lld %s %c", n ? "; " : "",
                   (long long)clk_mono_ms(&world->hub.clk.clk), what, device);
}

static void header(const char *request, const char *name, char *out, size_t cap)
{
    char start[32];
    const char *at, *end;

    (void)snprintf(start, sizeof start, "\r\n%s: ", name);
    at = strstr(request, start);
    end = at ? strstr(at + 2, "\r\n") : NULL;
    (void)snprintf(out, cap, "%.*s", end ? (int)(end - at - 2) : 0, at ? at + 2 : "");
}

static void deliver(struct net_timer *timer)
{
    struct said *s = container_of(timer, struct said, at);
    struct ota_sip_hops *hops = world->hops;
    struct ota_sip_unit unit;
    struct buf head;

    buf_init(&head, 2 * OTA_SIP_HEAD_MAX_N);
    list_remove(&timer->link);
    CU_ASSERT_FATAL(ota_sip_datagram_read(slice_str(s->text), &head, &unit) == ERR_OK);
    hops->conf.message(&hops->open[s->device], &unit, hops->conf.arg);
    buf_clear(&head);
}

/* A response of the device to a request, so long from now. */
static void answer(unsigned at, const char *request, unsigned status, int64_t ms)
{
    static const char *const names[] = {"Via", "From", "To", "Call-ID", "CSeq"};
    struct said *s = &world->said[world->said_n++];
    const char *body = "", *more = "";
    char line[512], sdp[256];
    bool invite = strncmp(request, "INVITE ", 7) == 0;
    size_t n;

    CU_ASSERT_FATAL(world->said_n <= SAID_MAX);
    if (invite && status == 200) {
        (void)snprintf(
            sdp, sizeof sdp,
            "v=0\r\nm=message 7 TCP/MSRP *\r\na=accept-types:*\r\na=path:msrp://192.0.2.9:7/s;tcp\r\n");
        body = sdp;
    }
    if (status == 407)
        more = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256\r\n";
    n = (size_t)snprintf(s->text, sizeof s->text, "SIP/2.0 %u x\r\n%s", status, more);
    for (size_t i = 0; i < COUNT(names); i++) {
        header(request, names[i], line, sizeof line);
        n += (size_t)snprintf(s->text + n, sizeof s->text - n, "%s%s\r\n", line,
                              i == 2 && status > 100 && !strstr(line, "tag=") ? ";tag=dev" : "");
    }
    (void)snprintf(
        s->text + n, sizeof s->text - n,
        "Contact: <sip:dev@192.0.2.%u>\r\nContent-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
        at + 1, strlen(body), body);
    s->device = at;
    net_timer_init(&s->at, deliver);
    net_hub_timer_set(&world->hub, &s->at, ms);
}

/* The word for the n-th request of this method; the last one stays.  NULL: it says nothing. */
static const char *word_for(const struct device *d, const char *method)
{
    size_t before = 0, len = strlen(method);
    const char *word = NULL;

    for (size_t i = 0; i < d->asked_n; i++)
        before += strcmp(d->asked[i], method) == 0;
    for (const char *at = d->script; at && *at; at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL)
        if (strncmp(at, method, len) == 0 && at[len] == '=' && before-- > 0)
            word = at + len + 1;
    return word;
}

static void react(struct device *d, unsigned at, const char *request, const char *method)
{
    const char *word = word_for(d, method);

    while (word && *word && *word != ' ') {
        bool of_invite = *word == 'i';
        char *end;
        unsigned status = (unsigned)strtoul(word + of_invite, &end, 10);
        int64_t ms = *end == '@' ? strtol(end + 1, &end, 10) : 0;

        answer(at, of_invite ? d->invite : request, status, ms);
        word = *end == ',' ? end + 1 : end;
    }
}

static void take(unsigned at, struct slice octets)
{
    struct device *d = &world->devices[at];
    char request[4096], method[16], line[512], *branch;

    CU_ASSERT_FATAL(mem_cstr(request, sizeof request, octets) == ERR_OK);
    CU_ASSERT_FATAL(sscanf(request, "%15s", method) == 1);
    header(request, "Via", line, sizeof line);
    branch = strstr(line, "branch=");
    CU_ASSERT_FATAL(branch != NULL);
    (void)snprintf(line, sizeof line, "%.40s%s", branch, method);
    see(method, (char)('a' + at));
    if (strcmp(line, d->last_branch) == 0) /* said again */
        return;
    (void)snprintf(d->last_branch, sizeof d->last_branch, "%.90s", line);
    (void)snprintf(d->asked[d->asked_n++ % 16], sizeof d->asked[0], "%s", method);
    if (strcmp(method, "INVITE") == 0)
        (void)snprintf(d->invite, sizeof d->invite, "%s", request);
    react(d, at, request, method);
}

/* --- hops --- */

enum err ota_sip_hops_create(const struct ota_sip_hops_conf *conf, struct ota_sip_hops **out)
{
    struct ota_sip_hops *h = calloc(1, sizeof *h);

    MUST(h != NULL);
    h->conf = *conf;
    world->hops = h;
    for (unsigned i = 0; i < DEVICES; i++)
        h->open[i] = (struct ota_sip_hop){.hops = h, .device = i};
    *out = h;
    return ERR_OK;
}

void ota_sip_hops_set_tls(struct ota_sip_hops *h, struct net_tls_ctx *tls)
{
    (void)h, (void)tls;
}

static void hops_gone(struct net_task *task)
{
    struct ota_sip_hops *h = container_of(task, struct ota_sip_hops, gone);
    void (*closed)(void *arg) = h->closed;
    void *arg = h->closed_arg;

    free(h);
    closed(arg);
}

void ota_sip_hops_close(struct ota_sip_hops *h, void (*closed)(void *arg), void *arg)
{
    h->closed = closed;
    h->closed_arg = arg;
    net_task_init(&h->gone, hops_gone);
    net_hub_defer(&world->hub, &h->gone);
}

void ota_sip_hops_flow_lost(struct ota_sip_hops *h, const struct ota_sip_flow *flow)
{
    (void)h, (void)flow;
}

/* Devices are told apart by the last octet of their address. */
enum err ota_sip_hop_take(struct ota_sip_hops *h, const struct ota_sip_way *way, struct ota_sip_rider *r,
                          struct ota_sip_hop **out)
{
    const struct sockaddr_in *to = (const struct sockaddr_in *)&way->to;
    unsigned at = (ntohl(to->sin_addr.s_addr) & 0xff) - 1;

    (void)r;
    CU_ASSERT_FATAL(at < DEVICES);
    h->open[at].via = way->via;
    h->open[at].to = way->to;
    *out = &h->open[at];
    return ERR_OK;
}

void ota_sip_hop_leave(struct ota_sip_hop **hop, struct ota_sip_rider *r)
{
    (void)r;
    *hop = NULL;
}

void ota_sip_hop_pass(struct ota_sip_hop *hop, struct ota_sip_rider *from, struct ota_sip_rider *to)
{
    (void)hop, (void)from, (void)to;
}

void ota_sip_hop_silent(struct ota_sip_hop *hop)
{
    (void)hop;
}

enum err ota_sip_hop_send(struct ota_sip_hop *hop, struct slice message)
{
    take(hop->device, message);
    return ERR_OK;
}

const struct sockaddr *ota_sip_hop_peer(const struct ota_sip_hop *hop)
{
    return (const struct sockaddr *)&hop->to;
}

enum ota_sip_via ota_sip_hop_via(const struct ota_sip_hop *hop)
{
    return hop->via;
}

uint16_t ota_sip_hop_port(const struct ota_sip_hop *hop)
{
    (void)hop;
    return 5060;
}

enum err net_records_create(const struct net_env *env, const char *servers, struct net_records **out)
{
    (void)env, (void)servers, (void)out;
    return ERR_IO;
}

/* --- streams: each chunk is taken --- */

struct net_stream {
    struct net_stream_user user;
    struct net_task opens, says, closes;
    char said[512];
};

static void stream_opens(struct net_task *task)
{
    struct net_stream *s = container_of(task, struct net_stream, opens);

    s->user.opened(s, s->user.arg);
}

static void stream_says(struct net_task *task)
{
    struct net_stream *s = container_of(task, struct net_stream, says);

    s->user.data(s, slice_str(s->said), s->user.arg);
}

static void stream_closes(struct net_task *task)
{
    struct net_stream *s = container_of(task, struct net_stream, closes);

    s->user.closed(s, ERR_OK, s->user.arg);
    free(s);
}

enum err net_stream_connect(const struct net_env *env, const struct sockaddr *to, struct net_tls_ctx *ctx,
                            struct slice server_name, int64_t connect_ms, int64_t handshake_ms,
                            const struct net_stream_user *user, struct net_stream **out)
{
    struct net_stream *s = calloc(1, sizeof *s);

    (void)to, (void)ctx, (void)server_name, (void)connect_ms, (void)handshake_ms;
    MUST(s != NULL);
    s->user = *user;
    net_task_init(&s->opens, stream_opens);
    net_task_init(&s->says, stream_says);
    net_task_init(&s->closes, stream_closes);
    net_hub_defer(env->hub, &s->opens);
    *out = s;
    return ERR_OK;
}

size_t net_stream_write(struct net_stream *s, struct slice data)
{
    char tid[40], to[600], from[600];

    if (sscanf(data.p, "MSRP %39s SEND\r\nTo-Path: %599s\r\nFrom-Path: %599s", tid, to, from) != 3)
        return 0;
    see("SEND", 'm');
    (void)snprintf(s->said, sizeof s->said,
                   "MSRP %s 200 OK\r\nTo-Path: %.150s\r\nFrom-Path: %.150s\r\n-------%s$\r\n", tid, from, to,
                   tid);
    net_hub_defer(&world->hub, &s->says);
    return 0;
}

void net_stream_close(struct net_stream *s)
{
    net_task_cancel(&s->opens);
    net_task_cancel(&s->says);
    net_hub_defer(&world->hub, &s->closes);
}

void net_stream_abort(struct net_stream *s, enum err why)
{
    (void)why;
    net_stream_close(s);
}

const struct net_tls_peer *net_stream_peer(const struct net_stream *s)
{
    (void)s;
    return NULL;
}

const char *net_stream_tls_why(const struct net_stream *s)
{
    (void)s;
    return "";
}

/* What else a bearer could ask of a stream, and does not here. */
#define NEVER(type, name, args)                                                                              \
    type name args                                                                                           \
    {                                                                                                        \
        MUST(false); /* not in a scenario */                                                                 \
    }
#define REFUSED(name, args)                                                                                  \
    enum err name args                                                                                       \
    {                                                                                                        \
        return ERR_UNSUPPORTED;                                                                              \
    }

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
REFUSED(net_stream_adopt, (const struct net_env *env, uv_os_sock_t fd, struct net_tls_ctx *ctx, int64_t ms,
                           const struct net_stream_user *user, struct net_stream **out))
REFUSED(net_stream_detach, (struct net_stream * s, struct net_handover *out))
REFUSED(net_stream_resume, (const struct net_env *env, const struct net_handover *h,
                            const struct net_stream_user *user, struct net_stream **out))
REFUSED(net_records_ask, (struct net_records * r, enum net_record_kind kind, struct slice name,
                          net_records_fn *done, void *arg, struct net_records_query **out))
NEVER(void, net_handover_drop, (struct net_handover * h))
NEVER(void, net_stream_deadline, (struct net_stream * s, int64_t ms_from_now))
NEVER(void, net_stream_read_stop, (struct net_stream * s))
NEVER(void, net_stream_read_start, (struct net_stream * s))
NEVER(void, net_records_close, (struct net_records * r, void (*closed)(void *arg), void *arg))
NEVER(void, net_records_cancel, (struct net_records_query * q))
#pragma GCC diagnostic pop

const char *net_stream_address(const struct net_stream *s)
{
    return net_stream_tls_why(s);
}

/* --- time --- */

static bool fire_due(struct net_hub *h)
{
    LIST_EACH (at, &h->timers) {
        struct net_timer *t = container_of(at, struct net_timer, link);

        if (t->at_ms > clk_mono_ms(&h->clk.clk))
            continue;
        list_remove(at);
        t->fire(t);
        return true;
    }
    return false;
}

static void settle(struct net_hub *h)
{
    struct list *at;

    do {
        while ((at = list_pop_front(&h->tasks))) {
            struct net_task *t = container_of(at, struct net_task, link);

            t->run(t);
        }
    } while (fire_due(h));
}

/* From one moment at which something happens to the next. */
static void run_to(struct net_hub *h, int64_t end_ms)
{
    settle(h);
    for (;;) {
        int64_t next = INT64_MAX;

        LIST_EACH (at, &h->timers) {
            const struct net_timer *t = container_of(at, struct net_timer, link);

            next = t->at_ms < next ? t->at_ms : next;
        }
        if (next > end_ms)
            break;
        clk_virtual_advance(&h->clk, next - clk_mono_ms(&h->clk.clk));
        settle(h);
    }
    clk_virtual_advance(&h->clk, end_ms - clk_mono_ms(&h->clk.clk));
}

/* --- scenarios --- */

static void on_done(struct ota_job *job, enum err why, void *arg)
{
    (void)job, (void)why, (void)arg;
    world->done++;
    see("over", '.');
}

static void on_closed(void *arg)
{
    ((struct world *)arg)->closed++;
}

static bool takes_messages(const struct world *w)
{
    return strncmp(w->devices[0].script, "MESSAGE", 7) == 0;
}

static void put_device(struct world *w, unsigned i)
{
    char contact[40], call_id[8];
    struct ota_sip_binding b = {.contact = SLICE_NONE,
                                .apps = SLICE("wml.ua"),
                                .tagged = true,
                                .methods = {.said = true, .invite = true, .message = takes_messages(w)},
                                .q = 1000 - i,
                                .expires_s = 86400};
    bool fresh;

    (void)snprintf(contact, sizeof contact, "sip:dev@192.0.2.%u", i + 1);
    (void)snprintf(call_id, sizeof call_id, "c%u", i);
    b.contact = slice_str(contact);
    CU_ASSERT_FATAL(ota_sip_location_update(w->location, SLICE("sip:alice@a"), slice_str(call_id), 1, &b, 1,
                                            &fresh) == ERR_OK);
}

static void begin(struct world *w, bool registered, int64_t expires_ms)
{
    struct log_conf conf = {.level = LOG_ERROR, .format = LOG_TEXT, .fd = 2};

    world = w;
    list_init(&w->hub.tasks);
    list_init(&w->hub.timers);
    clk_virtual_init(&w->hub.clk, START_MS);
    CU_ASSERT_FATAL(log_create(&conf, &w->hub.clk.clk, &w->log) == ERR_OK);
    w->net = (struct net_env){.clk = &w->hub.clk.clk, .log = w->log, .hub = &w->hub};
    CU_ASSERT_FATAL(ota_sip_location_create(&w->hub.clk.clk, 10, &w->location) == ERR_OK);
    w->env = agent_env(&w->net);
    w->env.sip.login = (struct ota_login){SLICE("ppg"), SLICE("gate-secret")};
    w->env.sip.location = w->location;
    w->env.sip.session_idle_ms = 30000;
    w->terminal =
        (struct ota_terminal){.key = SLICE("sip:alice@a"),
                              .route = OTA_ROUTE_SIP,
                              .sip_uri = SLICE("sip:alice@192.0.2.1"),
                              .sip_record = SLICE("sip:alice@a"),
                              .registers = registered ? OTA_CALLS_ANY : OTA_CALLS_NO,
                              .session = takes_messages(w) ? OTA_SESSION_LARGE : OTA_SESSION_ALWAYS};
    for (unsigned i = 0; registered && i < DEVICES; i++)
        put_device(w, i);
    CU_ASSERT_FATAL(ota_bearer_sip.create(&w->env, &w->bearer) == ERR_OK);
    w->job =
        (struct ota_job){.terminal = &w->terminal,
                         .message_head = SLICE(HEAD "X-Wap-Application-Id: x-wap-application:wml.ua\r\n"),
                         .body = SLICE("hello"),
                         .expires_ms = expires_ms ? START_MS + expires_ms : 0,
                         .push_id = SLICE("p")};
    CU_ASSERT_FATAL(ota_bearer_sip.send(w->bearer, &w->job, on_done, w) == ERR_OK);
}

static void end(struct world *w)
{
    ota_bearer_sip.close(w->bearer, on_closed, w);
    run_to(&w->hub, clk_mono_ms(&w->hub.clk.clk));
    CU_ASSERT_EQUAL(w->closed, 1);
    CU_ASSERT(list_empty(&w->hub.tasks));
    ota_sip_location_free(&w->location);
    log_free(&w->log);
    free(w);
}

/* take_back_ms: the push is cancelled then; 0: never; negative: it is too late by then.  Where the first device has a word for MESSAGE
 * that is what it gets first. */
struct row {
    const char *a, *b; /* scripts of the devices; b NULL: there is one, on a route of its own */
    int64_t expires_ms, take_back_ms;
    enum ota_outcome outcome;
    unsigned code;
    const char *want; /* what the devices see, and when it is over */
};

static void play(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct row *r = &rows[i];
        struct world *w = calloc(1, sizeof *w);
        bool back = false;

        test_row(i);
        CU_ASSERT_FATAL(w != NULL);
        w->devices[0].script = r->a;
        w->devices[1].script = r->b;
        begin(w, r->b != NULL, r->expires_ms);
        if (r->take_back_ms) {
            run_to(&w->hub, llabs(r->take_back_ms));
            back = ota_bearer_sip.withdraw(w->bearer, &w->job);
        }
        run_to(&w->hub, LATEST);
        CU_ASSERT_STRING_EQUAL(w->seen, r->want);
        if (strcmp(w->seen, r->want) != 0)
            (void)fprintf(stderr, "%s\n    %s\n", r->want, w->seen);
        CU_ASSERT_EQUAL(back, r->take_back_ms > 0);
        CU_ASSERT_EQUAL(w->done, !back);
        CU_ASSERT(back || (w->job.result.outcome == r->outcome && w->job.result.code == r->code));
        end(w);
    }
}

/* An INVITE that rings is asked about until deliver-before or the ring time-out (RFC 3261 §9.1), and a late yes is one. */
static void ringing(void)
{
    static const struct row rows[] = {
        {"INVITE=180@1000,200@5000 BYE=200", NULL, 0, 0, OTA_DELIVERED, 1000,
         "0 INVITE a; 500 INVITE a; 5000 ACK a; 5000 SEND m; 5000 over .; 35000 BYE a"},
        {"INVITE=180 CANCEL=200,i487", NULL, 20000, 0, OTA_RETRY, 4001,
         "0 INVITE a; 20000 CANCEL a; 20000 ACK a; 20000 over ."},
        {"INVITE=180 CANCEL=200,i487", NULL, 0, 0, OTA_RETRY, 4001,
         "0 INVITE a; 60000 CANCEL a; 60000 ACK a; 60000 over ."},
        {"INVITE=180 CANCEL=i200,200 BYE=200", NULL, 20000, 0, OTA_DELIVERED, 1000,
         "0 INVITE a; 20000 CANCEL a; 20000 ACK a; 20000 SEND m; 20000 over .; 50000 BYE a"},
        {"INVITE=180", NULL, 20000, 0, OTA_RETRY, 4001,
         "0 INVITE a; 20000 CANCEL a; 20500 CANCEL a; 21500 CANCEL a; 23500 CANCEL a; 27500 CANCEL a; 31500 "
         "CANCEL a; 35500 CANCEL a; 39500 CANCEL a; 43500 CANCEL a; 47500 CANCEL a; 51500 CANCEL a; 52000 "
         "over ."},
    };

    play(rows, COUNT(rows));
}

/* A push that is cancelled is over at once; what is left of its INVITE is CANCEL, or BYE to who has said yes. */
static void taken_back(void)
{
    static const struct row rows[] = {
        {"INVITE=180 CANCEL=200,i487", NULL, 0, 5000, OTA_RETRY, 0, "0 INVITE a; 5001 CANCEL a; 5001 ACK a"},
        {"INVITE=180@7000 CANCEL=200,i487", NULL, 0, 5000, OTA_RETRY, 0,
         "0 INVITE a; 500 INVITE a; 1500 INVITE a; 3500 INVITE a; 7001 CANCEL a; 7001 ACK a"},
        {"INVITE=180 CANCEL=i200,200 BYE=200", NULL, 0, 5000, OTA_RETRY, 0,
         "0 INVITE a; 5001 CANCEL a; 5001 ACK a; 5001 BYE a"},
    };

    play(rows, COUNT(rows));
}

/* So is one that began as a MESSAGE, when that was refused unread; any other may have arrived. */
static void taken_back_from_a_message(void)
{
    static const struct row rows[] = {
        {"MESSAGE=405 INVITE=180 CANCEL=200,i487", NULL, 0, 5000, OTA_RETRY, 0,
         "0 MESSAGE a; 0 INVITE a; 5001 CANCEL a; 5001 ACK a"},
        {"MESSAGE=407 MESSAGE=501 INVITE=180 CANCEL=200,i487", NULL, 0, 5000, OTA_RETRY, 0,
         "0 MESSAGE a; 0 MESSAGE a; 0 INVITE a; 5001 CANCEL a; 5001 ACK a"},
        {"MESSAGE=413 INVITE=180 CANCEL=i200,200 BYE=200", NULL, 0, 5000, OTA_RETRY, 0,
         "0 MESSAGE a; 0 INVITE a; 5001 CANCEL a; 5001 ACK a; 5001 BYE a"},
        {"MESSAGE=200@9000", NULL, 0, -5000, OTA_DELIVERED, 1000,
         "0 MESSAGE a; 500 MESSAGE a; 1500 MESSAGE a; 3500 MESSAGE a; 7500 MESSAGE a; 9000 over ."},
        {"MESSAGE=407 MESSAGE=200@9000", NULL, 0, -5000, OTA_DELIVERED, 1000,
         "0 MESSAGE a; 0 MESSAGE a; 500 MESSAGE a; 1500 MESSAGE a; 3500 MESSAGE a; 7500 MESSAGE a; 9000 over "
         "."},
        {"MESSAGE=480", "MESSAGE=405 INVITE=180,200@9000 BYE=200", 0, -5000, OTA_DELIVERED, 1000,
         "0 MESSAGE a; 0 MESSAGE b; 0 INVITE b; 9000 ACK b; 9000 SEND m; 9000 over .; 39000 BYE b"},
        {"MESSAGE=405 INVITE=200 BYE=200", NULL, 0, -5000, OTA_DELIVERED, 1000,
         "0 MESSAGE a; 0 INVITE a; 0 ACK a; 0 SEND m; 0 over .; 30000 BYE a"},
        {"MESSAGE=415 MESSAGE=405@9000 INVITE=200 BYE=200", NULL, 0, -5000, OTA_DELIVERED, 1000,
         "0 MESSAGE a; 0 MESSAGE a; 500 MESSAGE a; 1500 MESSAGE a; 3500 MESSAGE a; 7500 MESSAGE a; 9000 "
         "INVITE a; 9000 ACK a; 9000 SEND m; 9000 over .; 39000 BYE a"},
    };

    play(rows, COUNT(rows));
}

/* What is lost is said again: the INVITE by timer A until timer B, the ACK to each repetition of the 2xx (§13.2.2.4, §17.1.1.2). */
static void lost(void)
{
    static const struct row rows[] = {
        {"INVITE=200@400,200@900,200@1900 BYE=200", NULL, 0, 0, OTA_DELIVERED, 1000,
         "0 INVITE a; 400 ACK a; 400 SEND m; 400 over .; 900 ACK a; 1900 ACK a; 30400 BYE a"},
        {"", NULL, 0, 0, OTA_RETRY, 4001,
         "0 INVITE a; 500 INVITE a; 1500 INVITE a; 3500 INVITE a; 7500 INVITE a; 15500 INVITE a; 31500 "
         "INVITE a; 32000 over ."},
    };

    play(rows, COUNT(rows));
}

/* Each realm is answered once, for the INVITE as for the BYE of a session that was idle long enough (§22.2). */
static void challenged(void)
{
    static const struct row rows[] = {
        {"INVITE=200 BYE=407 BYE=200", NULL, 0, 0, OTA_DELIVERED, 1000,
         "0 INVITE a; 0 ACK a; 0 SEND m; 0 over .; 30000 BYE a; 30000 BYE a"},
        {"INVITE=200 BYE=407", NULL, 0, 0, OTA_DELIVERED, 1000,
         "0 INVITE a; 0 ACK a; 0 SEND m; 0 over .; 30000 BYE a; 30000 BYE a"},
        {"INVITE=407 INVITE=200 BYE=200", NULL, 0, 0, OTA_DELIVERED, 1000,
         "0 INVITE a; 0 ACK a; 0 INVITE a; 0 ACK a; 0 SEND m; 0 over .; 30000 BYE a"},
        {"INVITE=407", NULL, 0, 0, OTA_UNDELIVERABLE, 4000,
         "0 INVITE a; 0 ACK a; 0 INVITE a; 0 ACK a; 0 over ."},
    };

    play(rows, COUNT(rows));
}

/* Each refusal is acknowledged, and is what the table in the README of the agent says. */
static void refused(void)
{
    static const struct row rows[] = {
        {"INVITE=405", NULL, 0, 0, OTA_UNDELIVERABLE, 2006, "0 INVITE a; 0 ACK a; 0 over ."},
        {"INVITE=501", NULL, 0, 0, OTA_UNDELIVERABLE, 2006, "0 INVITE a; 0 ACK a; 0 over ."},
        {"INVITE=488", NULL, 0, 0, OTA_ABORTED, 5030, "0 INVITE a; 0 ACK a; 0 over ."},
        {"INVITE=100,486@2000", NULL, 0, 0, OTA_RETRY, 4001, "0 INVITE a; 2000 ACK a; 2000 over ."},
        {"INVITE=180,603@2000", NULL, 0, 0, OTA_ABORTED, 5027, "0 INVITE a; 2000 ACK a; 2000 over ."},
    };

    play(rows, COUNT(rows));
}

/* A device that is not there gives way to the next one of its user; one that is busy does not. */
static void next_device(void)
{
    static const struct row rows[] = {
        {"INVITE=404", "INVITE=200 BYE=200", 0, 0, OTA_DELIVERED, 1000,
         "0 INVITE a; 0 ACK a; 0 INVITE b; 0 ACK b; 0 SEND m; 0 over .; 30000 BYE b"},
        {"INVITE=180@1000,410@3000", "INVITE=200 BYE=200", 0, 0, OTA_DELIVERED, 1000,
         "0 INVITE a; 500 INVITE a; 3000 ACK a; 3000 INVITE b; 3000 ACK b; 3000 SEND m; 3000 over .; 33000 "
         "BYE b"},
        {"", "INVITE=200 BYE=200", 0, 0, OTA_DELIVERED, 1000,
         "0 INVITE a; 500 INVITE a; 1500 INVITE a; 3500 INVITE a; 7500 INVITE a; 15500 INVITE a; 31500 "
         "INVITE a; 32000 INVITE b; 32000 ACK b; 32000 SEND m; 32000 over .; 62000 BYE b"},
        {"INVITE=480", "INVITE=480", 0, 0, OTA_RETRY, 4001,
         "0 INVITE a; 0 ACK a; 0 INVITE b; 0 ACK b; 0 over ."},
        {"INVITE=486", "INVITE=200", 0, 0, OTA_RETRY, 4001, "0 INVITE a; 0 ACK a; 0 over ."},
    };

    play(rows, COUNT(rows));
}

const struct test_case test_cases[] = {
    {"ringing", ringing},
    {"taken_back", taken_back},
    {"taken_back_from_a_message", taken_back_from_a_message},
    {"lost", lost},
    {"challenged", challenged},
    {"refused", refused},
    {"next_device", next_device},
    {NULL, NULL},
};
