/* The terminal's way to its gateway: it listens for connections, datagrams or SIP, calls, or fetches; and how it ends, at
 * once or once the answers have left.  [OTA-HTTP §3].  One thread. */
#include <string.h>

#include "base/mem.h"
#include "base/net/dns.h"
#include "ppg/handset/terminal.h"

#define DRAIN_MS   3000
#define WAIT_MS    30000 /* for a head, a handshake; a body may take longer */
#define IDLE_MS    600000
#define MTU        1200
#define MESSAGE_N  ((size_t)1 << 20) /* octets that a message in a session may always have */
#define ENVELOPE_N 65536u            /* and that are not its content */

void tool_terminal_end(struct tool_terminal *t)
{
    net_hub_timer_stop(t->loop.env.hub, &t->timer);
    tool_call_close(&t->call);
    tool_guest_close(&t->guest);
    tool_sip_close(&t->sip);
    tool_inbox_close(&t->inbox);
    tool_follow_close(t->follow);
    if (t->httpd)
        net_httpd_close(t->httpd, NULL, NULL);
    tool_verify_close(&t->verify);
    tool_boot_close(&t->boot);
    if (t->udp)
        net_udp_close(t->udp, NULL, NULL);
    if (t->dtls)
        net_dtlsd_close(t->dtls);
    t->httpd = NULL;
    t->udp = NULL;
    t->dtls = NULL;
}

void tool_terminal_drain(struct tool_terminal *t)
{
    t->draining = true;
    tool_call_close(&t->call);
    tool_guest_close(&t->guest);
    tool_verify_drain(t->verify);
    tool_boot_close(&t->boot);
    if (t->httpd)
        net_httpd_drain(t->httpd);
    net_hub_timer_set(t->loop.env.hub, &t->timer, DRAIN_MS);
}

static void tick(struct net_timer *timer)
{
    struct tool_terminal *t = container_of(timer, struct tool_terminal, timer);

    if (!t->draining)
        t->exit = t->o->count == 0 && t->pushes ? 0 : TOOL_TERMINAL_LATE;
    tool_terminal_end(t);
}

/* Not from inside what reads the socket; the answer leaves first. */
void tool_terminal_leave(struct tool_terminal *t)
{
    t->draining = true;
    net_hub_timer_set(t->loop.env.hub, &t->timer, 1);
}

static int tell_port(const struct tool_terminal *t, unsigned port)
{
    bool v6 = strchr(t->address, ':') != NULL;
    char text[16];
    int n = snprintf(text, sizeof text, "%u\n", port);

    if (t->o->port_file && tool_write(t->o->port_file, slice_of(text, (size_t)n)))
        return tool_terminal_complain(t->o->port_file, "cannot be written");
    (void)fprintf(stderr, "listening %s%s%s:%u\n", v6 ? "[" : "", t->address, v6 ? "]" : "", port);
    return 0;
}

/* --bind to datagrams. */
static int listen_udp(struct tool_terminal *t, unsigned *port)
{
    const struct net_udp_user user = {.data = tool_terminal_datagram, .arg = t};
    const struct net_dtlsd_conf dtls = {.ctx = t->tls,
                                        .mtu = MTU,
                                        .sessions_max = TOOL_TERMINAL_CONNECTIONS_MAX,
                                        .handshake_ms = WAIT_MS,
                                        .idle_ms = IDLE_MS,
                                        .data = tool_terminal_record,
                                        .arg = t};
    struct sockaddr_storage local;
    enum err e;
    uint16_t want = 0;

    if (tool_bind(t->o->bind, t->address, &want) || net_addr_parse(slice_str(t->address), want, &local))
        return tool_terminal_complain("--bind", "not ADDR:PORT");
    if (t->o->dtls)
        e = net_dtlsd_create(&t->loop.env, &dtls, (struct sockaddr *)&local, &t->dtls);
    else
        e = net_udp_open(&t->loop.env, (struct sockaddr *)&local, NULL, &user, &t->udp);
    if (e)
        return tool_terminal_complain("--bind", "cannot be bound to");
    *port = t->o->dtls ? net_dtlsd_port(t->dtls) : net_udp_port(t->udp);
    return 0;
}

struct net_http_limits tool_terminal_limits(const struct tool_terminal *t)
{
    return (struct net_http_limits){.head_max_n = 16384,
                                    .headers_max = TOOL_TERMINAL_HEADERS_MAX,
                                    .value_max_n = 4096,
                                    .target_max_n = 256,
                                    .body_max_n = (size_t)t->o->max_size + 16384,
                                    .head_ms = WAIT_MS,
                                    .idle_ms = IDLE_MS,
                                    .body_rate_min = 100,
                                    .handshake_ms = WAIT_MS};
}

/* Towards a gateway whose certificate is not known it is the bootstrapped key. */
static struct net_tls_ctx *tls_of(const struct tool_terminal *t)
{
    return t->tls || !t->boot || !t->gateway.https ? t->tls : tool_boot_tls(t->boot);
}

/* Who calls has nothing to bind to. */
static bool calls(const struct tool_terminal *t)
{
    return t->o->gateway || t->o->visit;
}

/* --bind to connections, --gateway or --visit. */
static int serve_http(struct tool_terminal *t, unsigned *port)
{
    struct net_httpd_conf conf = {.name = "terminal",
                                  .address = t->address,
                                  .alone = true,
                                  .tls = calls(t) && !t->gateway.https ? NULL : tls_of(t),
                                  .gate = t->gate,
                                  .server = "push-terminal",
                                  .request = tool_terminal_request,
                                  .tap = t->wire ? tool_terminal_wire : NULL,
                                  .arg = t,
                                  .limits = tool_terminal_limits(t)};
    const char *why = "not ADDR:PORT";

    if (!calls(t) && tool_bind(t->o->bind, t->address, &conf.port))
        return tool_terminal_complain("--bind", why);
    conf.address = calls(t) ? NULL : t->address;
    if (net_httpd_create(&t->loop.env, &conf, &t->httpd, &why))
        return tool_terminal_complain("--bind", why);
    *port = net_httpd_port(t->httpd);
    return 0;
}

/* The gateway said no to the key, or ended the session over it: another one, for the next call.  Where it cannot tell now,
 * the key may be good. */
static void call_lost(const char *tls_why, void *arg)
{
    struct tool_terminal *t = arg;

    if (t->boot && tls_why[0] && strcmp(tls_why, NET_TLS_PEER_TROUBLE) != 0)
        tool_boot_refused(t->boot);
}

static int start_calling(struct tool_terminal *t)
{
    struct tool_call_conf conf = {.env = &t->loop.env,
                                  .httpd = t->httpd,
                                  .host = t->gateway.host,
                                  .port = t->gateway.port,
                                  .server_name = slice_str(t->o->gateway_name ? t->o->gateway_name : ""),
                                  .lost = call_lost,
                                  .arg = t};

    return tool_call_create(&conf, &t->call) ? tool_terminal_complain("out of memory", "") : 0;
}

static void visit_refused(const char *why, void *arg)
{
    struct tool_terminal *t = arg;

    (void)tool_terminal_complain("--visit", why);
    t->exit = TOOL_TERMINAL_LATE;
    tool_terminal_leave(t);
}

static int start_visiting(struct tool_terminal *t)
{
    const struct tool_guest_conf conf = {
        .ask = {&t->loop.env, &t->o->home, t->boot, slice_str(t->o->terminal_id)},
        .enabler = slice_str(t->o->visit),
        .httpd = t->httpd,
        .refused = visit_refused,
        .arg = t};
    char why[TOOL_WHY_N];

    return tool_guest_create(&conf, &t->guest, why) ? tool_terminal_complain(why, "") : 0;
}

void tool_terminal_call_inside_tls(struct tool_terminal *t)
{
    net_httpd_set_tls(t->httpd, t->tls);
    tool_call_move(t->call, (uint16_t)t->o->tls_port);
}

/* What it has taken is kept before the answer leaves: a number that was used is not taken again after a restart. */
static enum err run_module(void *arg, const uint8_t rand[SEC_AKA_RAND_N], const uint8_t autn[SEC_AKA_AUTN_N],
                           struct sec_aka_vector *out, uint8_t auts[SEC_AKA_AUTS_N])
{
    struct tool_terminal *t = arg;
    enum err e = kit_aka(t->kit, rand, autn, out, auts);

    if (!e && tool_state_keep(&t->state, t->kit)) {
        sec_aka_vector_clear(out);
        return ERR_IO;
    }
    return e;
}

/* With the key, or the certificate, that it listens with too. */
static enum err client_of(const struct tool_terminal *t, struct net_tls_ctx **out, char why[TOOL_WHY_N])
{
    struct net_tls_conf conf = {.role = NET_TLS_CLIENT, .version_min = 12};

    if (!t->o->connects || !t->tls)
        return ERR_OK;
    if (t->psk.n) {
        conf.psk_identity = t->psk_name;
        conf.psk_key = sec_secret_slice(&t->psk);
        return tool_tls(conf, NULL, NULL, NULL, out, why);
    }
    conf.verify = NET_TLS_VERIFY_REQUIRED;
    (void)snprintf(why, TOOL_WHY_N, "--connects: needs --psk, or --cert, --key and --ca");
    return t->o->cert && t->o->ca ? tool_tls(conf, t->o->cert, t->o->key, t->o->ca, out, why) : ERR_MALFORMED;
}

/* What is a little too large is answered by the library, which says so better than a session that is not taken. */
static size_t message_n(const struct tool_terminal *t)
{
    size_t n = (size_t)t->o->max_size + ENVELOPE_N;

    return n > MESSAGE_N ? n : MESSAGE_N;
}

/* --bind to SIP. */
static int listen_sip(struct tool_terminal *t, unsigned *port)
{
    struct tool_sip_conf conf = {.env = &t->loop.env,
                                 .bind = t->o->bind,
                                 .tls = t->psk.n ? NULL : t->tls,
                                 .session_tls = t->tls,
                                 .connects = t->o->connects,
                                 .max_n = message_n(t),
                                 .record = t->o->record,
                                 .registrar = t->o->registrar,
                                 .apps = &t->o->apps,
                                 .json = t->o->json,
                                 .push = tool_terminal_message,
                                 .wire = t->wire ? tool_terminal_wire : NULL,
                                 .arg = t};
    char why[TOOL_WHY_N];
    enum err e;

    conf.user = kit_impi(t->kit);
    conf.aka = conf.user.n ? run_module : NULL;
    if (t->o->proof && tool_terminal_login("--proof", t->o->proof, &t->login, &conf.user, &conf.password))
        return TOOL_TERMINAL_USAGE;
    e = client_of(t, &conf.client, why);
    if (!e)
        e = tool_sip_create(&conf, t->address, &t->sip, port, why);
    net_tls_ctx_free(&conf.client);
    return e ? tool_terminal_complain(why, "") : 0;
}

static int serve(struct tool_terminal *t, unsigned *port)
{
    if (t->o->sip)
        return listen_sip(t, port);
    return t->o->udp || t->o->dtls ? listen_udp(t, port) : serve_http(t, port);
}

static int start_fetching(struct tool_terminal *t)
{
    struct tool_inbox_conf conf = {.env = &t->loop.env,
                                   .host = t->gateway.host,
                                   .port = t->gateway.port,
                                   .tls = tls_of(t),
                                   .server_name = slice_str(t->o->gateway_name ? t->o->gateway_name : ""),
                                   .protection = slice_str(t->o->protection),
                                   .item = slice_str(t->o->item),
                                   .max_n = (size_t)t->o->max_size,
                                   .follow = t->o->follow,
                                   .keep = t->o->keep,
                                   .md5 = t->o->proof_md5,
                                   .decrypted = t->o->decrypted,
                                   .got = tool_terminal_item,
                                   .ended = tool_terminal_item_over,
                                   .arg = t};

    if (t->o->proof && tool_terminal_login("--proof", t->o->proof, &t->login, &conf.user, &conf.password))
        return TOOL_TERMINAL_USAGE;
    return tool_inbox_create(&conf, &t->inbox) ? tool_terminal_complain("out of memory", "") : 0;
}

static int open_ways(struct tool_terminal *t)
{
    unsigned port = 0;
    int bad;

    if (t->o->fetch)
        return start_fetching(t);
    bad = serve(t, &port);
    if (!bad)
        bad = t->o->visit ? start_visiting(t) : t->o->gateway ? start_calling(t) : tell_port(t, port);
    if (bad)
        tool_terminal_end(t);
    return bad;
}

void tool_terminal_keyed(void *arg)
{
    struct tool_terminal *t = arg;

    if (t->draining)
        return;
    tool_verify_keyed(t->verify);
    tool_guest_keyed(t->guest);
    if (!t->waits) {
        if (t->call && t->gateway.https && !t->tls) {
            net_httpd_set_tls(t->httpd, tool_boot_tls(t->boot));
            tool_call_now(t->call);
        }
        return;
    }
    t->waits = false;
    t->exit = open_ways(t);
}

int tool_terminal_start(struct tool_terminal *t)
{
    int bad = 0;

    net_timer_init(&t->timer, tick);
    t->waits = t->boot && t->gateway.https && !t->tls;
    if (!t->waits)
        bad = open_ways(t);
    if (t->o->timeout_s && !bad)
        net_hub_timer_set(t->loop.env.hub, &t->timer, t->o->timeout_s * 1000);
    return bad;
}
