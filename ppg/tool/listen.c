/* The server behind `pap-push listen`; see listen.h.  When enough has come it drains, so that the last answer
 * reaches its peer; the loop then runs dry once the connections are gone, or a moment later. */
#include "ppg/tool/listen.h"

#include <inttypes.h>

#include "base/net/httpd.h"
#include "base/net/hub.h"
#include "pap/mime.h"
#include "pap/parse.h"
#include "pap/print.h"
#include "pap/vocab.h"
#include "ppg/tool/net.h"

#define BODY_MAX_N   (1u << 20)
#define MEM_MAX_N    (4u << 20)
#define CONNS_MAX    256
#define DRAIN_MS     3000
#define IDLE_MS      30000
#define TIMEOUT_EXIT 1

struct ear {
    const struct tool_listen *conf;
    struct tool_loop loop;
    struct net_tls_ctx *tls;
    struct net_gate *gate;
    struct net_httpd *httpd;
    struct pap_parser *parser;
    struct net_timer timer; /* the timeout, then the drain */
    uint64_t heard;
    bool draining;
    char address[TOOL_ADDRESS_N]; /* what it is bound to */
    int exit;
    char *why;
};

static void answer_send(struct ear *ear, struct net_http_exchange *x, const struct pap_message *m)
{
    struct buf body;

    buf_init(&body, BODY_MAX_N);
    if (ear->conf->http_status / 100 != 2)
        net_httpd_reply(x, ear->conf->http_status, SLICE_NONE, SLICE_NONE, SLICE_NONE);
    else if (pap_print(m, &body))
        net_httpd_reply(x, 500, SLICE_NONE, SLICE_NONE, SLICE_NONE);
    else
        net_httpd_reply(x, ear->conf->http_status, SLICE("application/xml"), SLICE_NONE, buf_slice(&body));
    buf_clear(&body);
}

/* [PAP §3.3] */
static void answer_bad(struct ear *ear, struct net_http_exchange *x, const struct pap_fault *fault)
{
    struct pap_message m = {.kind = PAP_KIND_BADMESSAGE_RESPONSE, .version = fault->version};

    m.bad.code = fault->code;
    m.bad.desc = slice_str(fault->desc);
    m.bad.fragment = fault->fragment;
    ear->conf->noise(fault->desc, ear->conf->arg);
    answer_send(ear, x, &m);
}

static void drain(struct ear *ear)
{
    ear->draining = true;
    net_httpd_drain(ear->httpd);
    net_hub_timer_set(ear->loop.env.hub, &ear->timer, DRAIN_MS);
}

static void answer_good(struct ear *ear, struct net_http_exchange *x, const struct pap_message *in)
{
    const struct pap_notification *n = &in->notification;
    struct pap_message m = {.kind = PAP_KIND_RESULTNOTIFICATION_RESPONSE, .version = in->version};

    m.notification_response.push_id = n->push_id;
    m.notification_response.code = (enum pap_code)ear->conf->answer;
    m.notification_response.desc = slice_str(pap_code_text((enum pap_code)ear->conf->answer));
    m.notification_response.addrs = n->addrs;
    ear->conf->heard(n, ear->conf->arg);
    if (++ear->heard == ear->conf->count)
        drain(ear); /* before the answer, which then closes its connection */
    answer_send(ear, x, &m);
}

static void request(struct net_http_exchange *x, void *arg)
{
    struct ear *ear = arg;
    const struct pap_limits limits = PAP_LIMITS_DEFAULT;
    const struct net_http_msg *in = net_http_exchange_msg(x);
    struct slice charset = pap_mime_charset(net_http_header(in, SLICE("Content-Type"), NULL));
    struct pap_message m;
    struct pap_fault fault;
    struct arena mem;

    if (ear->draining) { /* one more than was asked for */
        net_httpd_reply(x, 503, SLICE_NONE, SLICE_NONE, SLICE_NONE);
        return;
    }
    arena_init(&mem, 4096, MEM_MAX_N);
    if (pap_parse_as(ear->parser, in->body, charset, &limits, &mem, &m, &fault)) {
        answer_bad(ear, x, &fault);
    } else if (m.kind != PAP_KIND_RESULTNOTIFICATION_MESSAGE) {
        fault = (struct pap_fault){
            .code = PAP_CODE_BAD_REQUEST, .version = m.version, .desc = "not a notification"};
        answer_bad(ear, x, &fault);
    } else {
        answer_good(ear, x, &m);
    }
    arena_clear(&mem);
}

static unsigned head(struct net_http_exchange *x, struct buf *headers, void *arg)
{
    const struct ear *ear = arg;
    const struct net_http_msg *m = net_http_exchange_msg(x);

    if (!slice_eq(m->target, slice_str(ear->conf->path)))
        return 404;
    if (slice_eq(m->method, SLICE("POST")))
        return 0;
    buf_add_str(headers, "Allow: POST\r\n");
    return 405;
}

static void ended(struct ear *ear)
{
    net_hub_timer_stop(ear->loop.env.hub, &ear->timer);
    if (ear->httpd)
        net_httpd_close(ear->httpd, NULL, NULL);
    ear->httpd = NULL;
}

static void late(struct net_timer *timer)
{
    struct ear *ear = container_of(timer, struct ear, timer);

    if (!ear->draining) {
        ear->exit = TIMEOUT_EXIT;
        (void)snprintf(ear->why, TOOL_WHY_N, "only %" PRIu64 " notifications came in time", ear->heard);
    }
    ended(ear);
}

static enum err port_tell(struct ear *ear)
{
    char text[16];
    int n = snprintf(text, sizeof text, "%u\n", net_httpd_port(ear->httpd));
    enum err e = ear->conf->port_file ? tool_write(ear->conf->port_file, slice_of(text, (size_t)n)) : ERR_OK;

    if (e)
        (void)snprintf(ear->why, TOOL_WHY_N, "%.120s: %s", ear->conf->port_file, err_text(e));
    return e;
}

static enum err listening(struct ear *ear)
{
    struct net_httpd_conf conf = {.name = "notify",
                                  .alone = true,
                                  .tls = ear->tls,
                                  .gate = ear->gate,
                                  .head = head,
                                  .request = request,
                                  .arg = ear,
                                  .limits = {.head_max_n = 16384,
                                             .headers_max = 64,
                                             .value_max_n = 8192,
                                             .target_max_n = 2048,
                                             .body_max_n = BODY_MAX_N,
                                             .head_ms = IDLE_MS,
                                             .idle_ms = IDLE_MS,
                                             .handshake_ms = IDLE_MS}};
    const char *why = "not ADDR:PORT";
    enum err e = tool_bind(ear->conf->bind, ear->address, &conf.port);

    conf.address = ear->address;
    if (!e)
        e = net_httpd_create(&ear->loop.env, &conf, &ear->httpd, &why);
    if (e) {
        (void)snprintf(ear->why, TOOL_WHY_N, "--bind: %s", why);
        return e;
    }
    return port_tell(ear);
}

static void run(struct ear *ear)
{
    struct net_tls_conf tls = {.role = NET_TLS_SERVER, .version_min = 12, .alpn_http11 = true};

    ear->exit = TOOL_USAGE;
    if (ear->conf->cert || ear->conf->key)
        if (tool_tls(tls, ear->conf->cert, ear->conf->key, NULL, &ear->tls, ear->why))
            return;
    if (listening(ear))
        return;
    ear->exit = TOOL_OK;
    if (ear->conf->timeout_ms)
        net_hub_timer_set(ear->loop.env.hub, &ear->timer, ear->conf->timeout_ms);
    (void)uv_run(&ear->loop.loop, UV_RUN_DEFAULT);
}

int tool_listen(const struct tool_listen *conf, char why[TOOL_WHY_N])
{
    struct ear ear = {.conf = conf, .why = why, .exit = TOOL_SELF};

    (void)snprintf(why, TOOL_WHY_N, "out of memory");
    if (tool_loop_open(&ear.loop))
        return TOOL_SELF;
    net_timer_init(&ear.timer, late);
    if (!pap_parser_create(&ear.parser) && !net_gate_create(CONNS_MAX, CONNS_MAX, &ear.gate))
        run(&ear);
    ended(&ear);
    tool_loop_close(&ear.loop);
    pap_parser_free(&ear.parser);
    net_gate_free(&ear.gate);
    net_tls_ctx_free(&ear.tls);
    return ear.exit;
}
