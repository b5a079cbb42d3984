/* push-terminal: a handset's push client on the command line, over the library ota/terminal/.  `listen` waits for a
 * gateway to connect, or for its datagrams, `connect` calls it, `sip` takes MESSAGE requests; they answer its registration, verify, open and print each
 * push, and say how it was trusted.
 * What must survive a restart is on disk before an answer leaves.  [OTA-HTTP §3, §4, §7].  One thread. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/net/httpd.h"
#include "base/net/dns.h"
#include "base/net/dtlsd.h"
#include "base/net/hub.h"
#include "base/net/udp.h"
#include "base/net/uri.h"
#include "ota/terminal/kit.h"
#include "ppg/config/ini.h"
#include "ppg/config/module.h"
#include "ppg/config/terminals.h"
#include "ppg/tool/activate.h"
#include "ppg/tool/call.h"
#include "ppg/tool/inbox.h"
#include "ppg/tool/keep.h"
#include "ppg/tool/net.h"
#include "ppg/tool/pin.h"
#include "ppg/tool/provision.h"
#include "ppg/tool/push_print.h"
#include "ppg/tool/sip_terminal.h"
#include "ppg/tool/state.h"
#include "ppg/tool/swarm_run.h"
#include "ppg/tool/terminal_options.h"
#include "ppg/tool/verify.h"

#define EXIT_TIMEOUT    1
#define EXIT_BAD_USAGE  2
#define HEADERS_MAX     64
#define SERVERS_MAX     64
#define FILE_MAX_N      65536u
#define SEEN_MAX        10000 /* message ids remembered */
#define CONNECTIONS_MAX 64
#define OUTSTANDING     1
#define DRAIN_MS        3000
#define WAIT_MS         30000 /* for a head, a handshake; a body may take longer */
#define IDLE_MS         600000
#define MTU             1200
#define CRL_MAX_N       (4u << 20)

struct terminal {
    const struct tool_terminal_options *o;
    struct tool_loop loop;
    struct log *log; /* to standard error: connections refused, and why */
    struct net_tls_ctx *tls;
    struct net_gate *gate;
    struct net_httpd *httpd; /* one of these three */
    struct net_udp *udp;
    struct tool_call *call;   /* connect */
    struct tool_inbox *inbox; /* inbox */
    struct tool_verify *verify;
    struct tool_pin pin;
    struct net_dtlsd *dtls;
    struct tool_sip *sip;
    struct buf login;      /* its password */
    struct slice psk_name; /* in the options */
    struct sec_secret psk;
    struct kit *kit;
    struct sec_secprov *object; /* what it was provisioned with at the start; NULL: nothing */
    struct slice servers[SERVERS_MAX];
    struct net_timer timer; /* the timeout, then the drain */
    struct tool_state state;
    FILE *wire;
    char address[TOOL_ADDRESS_N];
    struct net_uri gateway;
    int64_t pushes;
    bool draining;
    int exit;
};

static int complain(const char *what, const char *why)
{
    (void)fprintf(stderr, "push-terminal: %s%s%s\n", what, why[0] ? ": " : "", why);
    return EXIT_BAD_USAGE;
}

/* --- what came of a request --- */

static void ended(struct terminal *t)
{
    net_hub_timer_stop(t->loop.env.hub, &t->timer);
    tool_call_close(&t->call);
    tool_sip_close(&t->sip);
    tool_inbox_close(&t->inbox);
    if (t->httpd)
        net_httpd_close(t->httpd, NULL, NULL);
    tool_verify_close(&t->verify);
    if (t->udp)
        net_udp_close(t->udp, NULL, NULL);
    if (t->dtls)
        net_dtlsd_close(t->dtls);
    t->httpd = NULL;
    t->udp = NULL;
    t->dtls = NULL;
}

static void drain(struct terminal *t)
{
    t->draining = true;
    tool_call_close(&t->call);
    tool_verify_drain(t->verify);
    if (t->httpd)
        net_httpd_drain(t->httpd);
    net_hub_timer_set(t->loop.env.hub, &t->timer, DRAIN_MS);
}

static void tick(struct net_timer *timer)
{
    struct terminal *t = container_of(timer, struct terminal, timer);

    if (!t->draining)
        t->exit = t->o->count == 0 && t->pushes ? 0 : EXIT_TIMEOUT;
    ended(t);
}

static struct slice name_of(const struct terminal *t, const struct slice *names, size_t n,
                            enum kit_standing standing)
{
    for (size_t i = 0; i < n; i++)
        if (kit_server_standing(t->kit, names[i]) == standing)
            return names[i];
    return SLICE_NONE;
}

/* What the gateway proved to be: a name of its certificate, a banned one before a listed one before any; else where it
 * is. */
static struct slice server_name(const struct terminal *t, const struct net_tls_peer *peer, struct slice ip)
{
    static const enum kit_standing order[] = {KIT_BANNED, KIT_LISTED, KIT_NEUTRAL};
    struct slice name = SLICE_NONE;

    if (!peer || !peer->verified)
        return ip;
    for (size_t i = 0; i < sizeof order / sizeof order[0] && !name.n; i++) {
        name = name_of(t, peer->dns, peer->dns_n, order[i]);
        if (!name.n)
            name = name_of(t, peer->uris, peer->uris_n, order[i]);
    }
    return name.n ? name : ip;
}

/* Shown, then kept, then answered: killed in between, a push is shown again (with its message id), never lost.  False:
 * what must survive could not be written. */
static bool note(struct terminal *t, enum kit_event ev, const struct kit_request *req,
                 const struct kit_push *push, const char *reason)
{
    tool_push_print(t->o->json, ev, req, push, reason);
    if (ev == KIT_PUSH && push->provisioned && tool_keep(t->o->provisioning, push->body)) {
        t->exit = complain(t->o->provisioning, "cannot be written");
        return false;
    }
    if (tool_state_keep(&t->state, t->kit)) {
        t->exit = complain(t->o->state, "cannot be written");
        return false;
    }
    t->pushes += ev == KIT_PUSH || ev == KIT_CONNECT;
    return true;
}

static bool enough(const struct terminal *t)
{
    return t->o->count && t->pushes >= t->o->count;
}

static void finish(struct terminal *t, struct net_http_exchange *x, enum kit_event ev,
                   const struct kit_request *req, const struct kit_answer *answer,
                   const struct kit_push *push, const char *reason)
{
    if (!note(t, ev, req, push, reason)) {
        /* Unanswered it will come again; answered it could come twice. */
        net_httpd_reply(x, 500, SLICE_NONE, SLICE_NONE, SLICE_NONE);
        drain(t);
        return;
    }
    if (enough(t))
        drain(t); /* before the answer, which then closes its connection */
    net_httpd_reply(x, answer->status, SLICE_NONE, buf_slice(&answer->headers), SLICE_NONE);
}

/* Not from inside what reads the socket; the answer leaves first. */
static void leave_soon(struct terminal *t)
{
    t->draining = true;
    net_hub_timer_set(t->loop.env.hub, &t->timer, 1);
}

/* --- pushes that ask us to connect --- */

static void ask_home(struct terminal *t)
{
    if (t->verify)
        tool_verify_go(t->verify);
}

static void verified(enum kit_event ev, const struct kit_push *push, const char *reason, void *arg)
{
    struct terminal *t = arg;
    struct kit_request shown = {.tls = push && push->tls, .server_proved = push && push->proofs};

    shown.server = push ? push->server : SLICE_NONE;
    if (t->draining)
        return;
    if (note(t, ev, &shown, push, reason) && !enough(t))
        return;
    leave_soon(t);
}

/* --- requests --- */

/* by_psk: TLS, if there is any, stands on a shared key. */
static void take_request(struct terminal *t, struct net_http_exchange *x, bool by_psk)
{
    const struct net_http_msg *m = net_http_exchange_msg(x);
    const struct net_tls_peer *peer = net_http_exchange_peer(x);
    struct kit_header headers[HEADERS_MAX];
    struct kit_request req = {.method = m->method,
                              .target = m->target,
                              .headers = headers,
                              .headers_n = m->headers_n,
                              .body = m->body,
                              .tls = peer != NULL,
                              .server_proved = peer && (peer->verified || by_psk),
                              .by_psk = by_psk,
                              .server = server_name(t, peer, net_http_exchange_ip(x)),
                              .now_s = clk_utc_ms(&clk_real) / 1000};
    struct kit_answer answer;
    struct kit_push push;
    const char *reason;
    enum kit_event ev;

    if (t->draining) { /* one more than was asked for */
        net_httpd_reply(x, 503, SLICE_NONE, SLICE_NONE, SLICE_NONE);
        return;
    }
    for (size_t i = 0; i < m->headers_n; i++)
        headers[i] = (struct kit_header){m->headers[i].name, m->headers[i].value};
    ev = kit_handle(t->kit, &req, &answer, &push, &reason);
    finish(t, x, ev, &req, &answer, &push, reason);
    buf_clear(&answer.headers);
    ask_home(t);
}

static void on_request(struct net_http_exchange *x, void *arg)
{
    struct terminal *t = arg;

    take_request(t, x, t->psk.n != 0);
}

static void on_visit(struct net_http_exchange *x, void *arg)
{
    struct terminal *t = arg;

    take_request(t, x, t->o->home.psk != NULL);
}

static void on_wire(struct slice wire, void *arg)
{
    struct terminal *t = arg;

    (void)fwrite(wire.p, 1, wire.n, t->wire);
    (void)fflush(t->wire);
}

/* --- the inbox --- */

static enum tool_inbox_verdict take_item(const struct net_http_msg *m, struct slice content,
                                         const struct net_tls_peer *peer, void *arg)
{
    struct terminal *t = arg;
    struct kit_header headers[HEADERS_MAX];
    struct kit_request req = {.headers = headers,
                              .body = content,
                              .tls = true,
                              .server_proved = peer && (peer->verified || t->psk.n),
                              .by_psk = t->psk.n != 0,
                              .server = server_name(t, peer, t->gateway.host),
                              .now_s = clk_utc_ms(&clk_real) / 1000};
    struct kit_push push;
    const char *reason;
    enum kit_event ev;

    /* The length and the range are the answer's, which may be one of several. */
    for (size_t i = 0; i < m->headers_n && req.headers_n < HEADERS_MAX; i++)
        if (!slice_eq_ci(m->headers[i].name, SLICE("Content-Length")))
            headers[req.headers_n++] = (struct kit_header){m->headers[i].name, m->headers[i].value};
    ev = kit_handle_fetched(t->kit, &req, &push, &reason);
    if (!note(t, ev, &req, &push, reason))
        return TOOL_INBOX_STOP;
    if (ev != KIT_PUSH && ev != KIT_DUPLICATE)
        return TOOL_INBOX_LEAVE;
    return enough(t) ? TOOL_INBOX_LAST : TOOL_INBOX_HAVE;
}

static void inbox_over(int status, const char *why, void *arg)
{
    struct terminal *t = arg;

    if (status)
        t->exit = complain(t->o->gateway, why);
    else if (!t->exit && t->o->count && !enough(t))
        t->exit = EXIT_TIMEOUT;
    ended(t);
}

/* --- datagrams --- */

/* What came, from whom, and what DTLS says of who that is (NULL: no DTLS). */
static void take_datagram(struct terminal *t, const struct sockaddr *from, const struct net_tls_peer *peer,
                          struct slice octets)
{
    char server[INET6_ADDRSTRLEN] = "";
    struct kit_datagram d = {.octets = octets, .dtls = peer != NULL, .now_s = clk_utc_ms(&clk_real) / 1000};
    struct kit_request shown = {.tls = peer != NULL};
    struct kit_push push;
    const char *reason;
    enum kit_event ev;

    if (t->draining) /* one more than was asked for */
        return;
    (void)uv_ip_name(from, server, sizeof server);
    if (peer && peer->psk.n)
        d.proofs = KIT_PROOF_PSK;
    else if (peer && peer->verified)
        d.proofs = KIT_PROOF_CERTIFICATE;
    shown.server_proved = d.proofs != 0;
    d.server = shown.server = server_name(t, peer, slice_str(server));
    ev = kit_handle_datagram(t->kit, &d, &push, &reason);
    if (note(t, ev, &shown, &push, reason) && !enough(t)) {
        ask_home(t);
        return;
    }
    leave_soon(t);
}

static void on_datagram(struct net_udp *udp, const struct sockaddr *from, struct slice octets, void *arg)
{
    struct terminal *t = arg;

    (void)udp;
    if (t->wire)
        on_wire(octets, t);
    take_datagram(t, from, NULL, octets);
}

static void on_record(const struct sockaddr *from, const struct net_tls_peer *peer, struct slice plain,
                      void *arg)
{
    take_datagram(arg, from, peer, plain);
}

/* --- SIP --- */

static unsigned on_message(const struct tool_sip_push *p, void *arg)
{
    struct terminal *t = arg;
    struct kit_request shown = {.tls = p->peer != NULL, .server_proved = p->peer && p->peer->verified};
    struct kit_message m = {.content_type = p->content_type,
                            .app_id = p->app_id,
                            .body = p->body,
                            .tls = p->peer != NULL,
                            .proofs = shown.server_proved ? (unsigned)KIT_PROOF_CERTIFICATE : 0u,
                            .now_s = clk_utc_ms(&clk_real) / 1000};
    struct kit_push push;
    const char *reason;
    enum kit_event ev;
    unsigned status;

    if (t->draining) /* one more than was asked for */
        return 480;
    m.server = shown.server = server_name(t, p->peer, p->ip);
    ev = kit_handle_message(t->kit, &m, &status, &push, &reason);
    kit_answer_more(t->kit, p->more);
    if (!note(t, ev, &shown, &push, reason)) {
        leave_soon(t);
        return 500;
    }
    if (enough(t))
        leave_soon(t);
    else
        ask_home(t);
    return status;
}

/* --- setting up --- */

static int read_login(const char *option, const char *login, struct buf *text, struct slice *user,
                      struct slice *password)
{
    enum err e = tool_login(login, text, user, password);

    return e ? complain(option, e == ERR_MALFORMED ? "not USER:FILE" : err_text(e)) : 0;
}

/* What the terminal tells the gateway of itself, as header fields have it. */
struct said {
    struct buf password, proof;
    struct buf apps, accept, charsets, encodings, languages, verify_apps, pin_apps;
};

static void join(const struct tool_list *l, const char *none, struct buf *out)
{
    for (size_t i = 0; i < l->n; i++) {
        buf_add_str(out, i ? ", " : "");
        buf_add_str(out, l->v[i]);
    }
    if (l->n == 0)
        buf_add_str(out, none);
}

static enum err say(const struct tool_terminal_options *o, struct said *said, struct kit_conf *conf)
{
    const struct {
        const struct tool_list *list;
        const char *none;
        struct buf *text;
        struct slice *into;
    } rows[] = {{&o->apps, "*", &said->apps, &conf->accept_app},
                {&o->accept, "", &said->accept, &conf->accept},
                {&o->charsets, "", &said->charsets, &conf->accept_charset},
                {&o->encodings, "", &said->encodings, &conf->accept_encoding},
                {&o->languages, "", &said->languages, &conf->accept_language},
                {&o->verify_apps, "", &said->verify_apps, &conf->verify_apps},
                {&o->pin_apps, "", &said->pin_apps, &conf->user_apps}};
    enum err e = ERR_OK;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && !e; i++) {
        join(rows[i].list, rows[i].none, rows[i].text);
        *rows[i].into = buf_slice(rows[i].text);
        e = buf_err(rows[i].text);
    }
    return e;
}

static int make_kit_with(struct terminal *t, struct said *said)
{
    const struct tool_terminal_options *o = t->o;
    struct kit_conf conf = {.terminal_id = slice_str(o->terminal_id),
                            .max_size = (size_t)o->max_size,
                            .max_outstanding = OUTSTANDING,
                            .trusted_only = o->trusted_only,
                            .servers = t->servers,
                            .servers_n = o->servers.n,
                            .seen_max = SEEN_MAX,
                            .verify = o->home.url != NULL,
                            .user = tool_pin_ask,
                            .user_arg = &t->pin,
                            .verify_rate = (unsigned)o->verify_rate,
                            .window = (unsigned)o->window,
                            .provisioning = o->provisioning != NULL};
    int bad =
        tool_push_level_parse(o->require, &conf.floor) ? 0 : complain("--require", "none, integrity or full");
    char why[TOOL_WHY_N];
    enum err e = say(o, said, &conf);

    if (!bad && o->login)
        bad = read_login("--login", o->login, &said->password, &conf.login_user, &conf.login_password);
    if (!bad && o->proof)
        bad = read_login("--proof", o->proof, &said->proof, &conf.proof_user, &conf.proof_password);
    if (!bad && o->pin && tool_pin_read(o->pin, &t->pin, why))
        bad = complain(why, "");
    if (bad)
        return bad;
    if (e || o->servers.n > SERVERS_MAX)
        return complain("too many applications, types or servers", "");
    for (size_t i = 0; i < o->servers.n; i++)
        t->servers[i] = slice_str(o->servers.v[i]);
    e = kit_create(&conf, &t->kit);
    return e ? complain("settings", err_text(e)) : 0;
}

static int make_kit(struct terminal *t)
{
    struct said said;
    struct buf *const texts[] = {&said.apps,      &said.accept,      &said.charsets, &said.encodings,
                                 &said.languages, &said.verify_apps, &said.pin_apps};
    int bad;

    buf_init(&said.password, FILE_MAX_N);
    buf_init(&said.proof, FILE_MAX_N);
    (void)buf_room(&said.password, FILE_MAX_N); /* so that it never moves, and is wiped whole */
    (void)buf_room(&said.proof, FILE_MAX_N);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        buf_init(texts[i], FILE_MAX_N);
    bad = make_kit_with(t, &said);
    buf_wipe(&said.password);
    buf_wipe(&said.proof);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        buf_clear(texts[i]);
    return bad;
}

static int add_association(struct terminal *t, const char *path, struct ppg_config_errors *errs)
{
    struct ppg_load load = {.errs = errs};
    struct ota_association a = {.present = false};
    struct buf text;
    enum err e;

    buf_init(&text, FILE_MAX_N);
    e = ppg_load_file(&load, path, FILE_MAX_N, 0077, (struct ppg_place){path, 0}, SLICE_NONE, &text);
    if (!e) {
        ppg_association_read_text(&load, buf_slice(&text), path, &a);
        e = load.err;
    }
    if (!e)
        e = kit_add_association(t->kit, a.said, sec_secret_slice(&a.key), a.suites, a.suites_n, a.expires_ms);
    if (e)
        (void)complain(path, errs->n ? errs->text[0] : err_text(e));
    sec_secret_clear(&a.key);
    buf_wipe(&text);
    return e ? EXIT_BAD_USAGE : 0;
}

static int add_associations(struct terminal *t)
{
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);
    int bad = errs ? 0 : complain("out of memory", "");

    for (size_t i = 0; i < t->o->associations.n && !bad; i++)
        bad = add_association(t, t->o->associations.v[i], errs);
    free(errs);
    return bad;
}

static int add_module(struct terminal *t)
{
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);
    struct ppg_load load = {.errs = errs};
    struct ppg_module m;
    int bad = errs ? 0 : complain("out of memory", "");

    if (!bad && t->o->module) {
        ppg_module_read(&load, t->o->module, &m);
        if (!load.err)
            load.err = kit_add_module(t->kit, &(struct kit_module){.impi = m.impi,
                                                                   .k = slice_of(m.k, sizeof m.k),
                                                                   .opc = slice_of(m.opc, sizeof m.opc),
                                                                   .star = m.star,
                                                                   .gateways = m.gateways,
                                                                   .gateways_n = m.gateways_n,
                                                                   .life_max_s = m.life_max_s,
                                                                   .rate = m.rate});
        ppg_module_clear(&m);
        if (load.err)
            bad = complain(t->o->module, errs->n ? errs->text[0] : err_text(load.err));
    }
    free(errs);
    return bad;
}

static int tell_port(const struct terminal *t, unsigned port)
{
    bool v6 = strchr(t->address, ':') != NULL;
    char text[16];
    int n = snprintf(text, sizeof text, "%u\n", port);

    if (t->o->port_file && tool_write(t->o->port_file, slice_of(text, (size_t)n)))
        return complain(t->o->port_file, "cannot be written");
    (void)fprintf(stderr, "listening %s%s%s:%u\n", v6 ? "[" : "", t->address, v6 ? "]" : "", port);
    return 0;
}

/* --bind to datagrams. */
static int listen_udp(struct terminal *t, unsigned *port)
{
    const struct net_udp_user user = {.data = on_datagram, .arg = t};
    const struct net_dtlsd_conf dtls = {.ctx = t->tls,
                                        .mtu = MTU,
                                        .sessions_max = CONNECTIONS_MAX,
                                        .handshake_ms = WAIT_MS,
                                        .idle_ms = IDLE_MS,
                                        .data = on_record,
                                        .arg = t};
    struct sockaddr_storage local;
    enum err e;
    uint16_t want = 0;

    if (tool_bind(t->o->bind, t->address, &want) || net_addr_parse(slice_str(t->address), want, &local))
        return complain("--bind", "not ADDR:PORT");
    if (t->o->dtls)
        e = net_dtlsd_create(&t->loop.env, &dtls, (struct sockaddr *)&local, &t->dtls);
    else
        e = net_udp_open(&t->loop.env, (struct sockaddr *)&local, NULL, &user, &t->udp);
    if (e)
        return complain("--bind", "cannot be bound to");
    *port = t->o->dtls ? net_dtlsd_port(t->dtls) : net_udp_port(t->udp);
    return 0;
}

static struct net_http_limits limits_of(const struct terminal *t)
{
    return (struct net_http_limits){.head_max_n = 16384,
                                    .headers_max = HEADERS_MAX,
                                    .value_max_n = 4096,
                                    .target_max_n = 256,
                                    .body_max_n = (size_t)t->o->max_size + 16384,
                                    .head_ms = WAIT_MS,
                                    .idle_ms = IDLE_MS,
                                    .body_rate_min = 100,
                                    .handshake_ms = WAIT_MS};
}

/* --bind to connections, or --gateway. */
static int serve_http(struct terminal *t, unsigned *port)
{
    struct net_httpd_conf conf = {.name = "terminal",
                                  .address = t->address,
                                  .tls = t->tls,
                                  .gate = t->gate,
                                  .server = "push-terminal",
                                  .request = on_request,
                                  .tap = t->wire ? on_wire : NULL,
                                  .arg = t,
                                  .limits = limits_of(t)};
    const char *why = "not ADDR:PORT";

    if (!t->o->gateway && tool_bind(t->o->bind, t->address, &conf.port))
        return complain("--bind", why);
    conf.address = t->o->gateway ? NULL : t->address;
    if (net_httpd_create(&t->loop.env, &conf, &t->httpd, &why))
        return complain("--bind", why);
    *port = net_httpd_port(t->httpd);
    return 0;
}

static int start_calling(struct terminal *t)
{
    struct tool_call_conf conf = {.env = &t->loop.env,
                                  .httpd = t->httpd,
                                  .host = t->gateway.host,
                                  .port = t->gateway.port,
                                  .server_name = slice_str(t->o->gateway_name ? t->o->gateway_name : "")};

    return tool_call_create(&conf, &t->call) ? complain("out of memory", "") : 0;
}

/* --bind to SIP. */
static int listen_sip(struct terminal *t, unsigned *port)
{
    struct tool_sip_conf conf = {.env = &t->loop.env,
                                 .bind = t->o->bind,
                                 .tls = t->tls,
                                 .record = t->o->record,
                                 .registrar = t->o->registrar,
                                 .apps = &t->o->apps,
                                 .json = t->o->json,
                                 .push = on_message,
                                 .wire = t->wire ? on_wire : NULL,
                                 .arg = t};
    char why[TOOL_WHY_N];

    if (t->o->proof && read_login("--proof", t->o->proof, &t->login, &conf.user, &conf.password))
        return EXIT_BAD_USAGE;
    return tool_sip_create(&conf, t->address, &t->sip, port, why) ? complain(why, "") : 0;
}

static int serve(struct terminal *t, unsigned *port)
{
    if (t->o->sip)
        return listen_sip(t, port);
    return t->o->udp || t->o->dtls ? listen_udp(t, port) : serve_http(t, port);
}

static int start_fetching(struct terminal *t)
{
    struct tool_inbox_conf conf = {.env = &t->loop.env,
                                   .host = t->gateway.host,
                                   .port = t->gateway.port,
                                   .tls = t->tls,
                                   .server_name = slice_str(t->o->gateway_name ? t->o->gateway_name : ""),
                                   .protection = slice_str(t->o->protection),
                                   .item = slice_str(t->o->item),
                                   .max_n = (size_t)t->o->max_size,
                                   .follow = t->o->follow,
                                   .keep = t->o->keep,
                                   .got = take_item,
                                   .ended = inbox_over,
                                   .arg = t};

    if (t->o->proof && read_login("--proof", t->o->proof, &t->login, &conf.user, &conf.password))
        return EXIT_BAD_USAGE;
    return tool_inbox_create(&conf, &t->inbox) ? complain("out of memory", "") : 0;
}

static int start(struct terminal *t)
{
    unsigned port = 0;
    int bad;

    net_timer_init(&t->timer, tick);
    if (t->o->fetch) {
        bad = start_fetching(t);
        if (t->o->timeout_s && !bad)
            net_hub_timer_set(t->loop.env.hub, &t->timer, t->o->timeout_s * 1000);
        return bad;
    }
    bad = serve(t, &port);
    if (bad || (t->o->gateway ? start_calling(t) : tell_port(t, port))) {
        ended(t);
        return EXIT_BAD_USAGE;
    }
    if (t->o->timeout_s)
        net_hub_timer_set(t->loop.env.hub, &t->timer, t->o->timeout_s * 1000);
    return 0;
}

static bool find_psk(void *arg, struct slice identity, unsigned version, struct slice *key)
{
    const struct terminal *t = arg;

    (void)version;
    if (!slice_eq(identity, t->psk_name))
        return false;
    *key = sec_secret_slice(&t->psk);
    return true;
}

static int load_psk(struct terminal *t)
{
    char why[TOOL_WHY_N];

    if (!t->o->psk)
        return 0;
    if (!t->o->dtls && !t->gateway.https)
        return complain("--psk", "is for --dtls, and for a gateway at https");
    return tool_psk(t->o->psk, &t->psk_name, &t->psk, why) ? complain("--psk", why) : 0;
}

static int load_object(struct terminal *t)
{
    char why[TOOL_WHY_N];

    if (!t->o->provisioning ||
        !tool_provision(t->o->provisioning, t->kit, clk_utc_ms(&clk_real) / 1000, &t->object, why))
        return 0;
    return complain(why, "");
}

/* Certificates that were provisioned are used whole, where none are named otherwise. */
static bool object_has_tls(const struct terminal *t)
{
    const struct tool_terminal_options *o = t->o;

    return t->object && (t->object->chain_pem.n || t->object->ca_pem.n) && !o->cert && !o->key &&
           !o->pkcs12 && !o->ca && !t->psk.n;
}

/* With our certificate from where it is kept. */
static enum err make_ctx(struct terminal *t, const struct net_tls_conf *conf, char why[TOOL_WHY_N])
{
    const struct tool_terminal_options *o = t->o;

    if (object_has_tls(t)) {
        const struct tool_pem pem = {.chain = buf_slice(&t->object->chain_pem),
                                     .key = buf_slice(&t->object->key_pem),
                                     .ca = buf_slice(&t->object->ca_pem)};

        return tool_tls_pem(*conf, &pem, &t->tls, why);
    }
    if (o->pkcs12)
        return tool_tls_pkcs12(*conf, o->pkcs12, o->pkcs12_password, o->ca, &t->tls, why);
    return tool_tls(*conf, o->cert, o->key, o->ca, &t->tls, why);
}

static int make_tls(struct terminal *t)
{
    bool calls = t->o->gateway != NULL;
    bool bad_psk = load_psk(t) != 0, provisioned = object_has_tls(t);
    bool certified = t->o->cert || t->o->key || t->o->pkcs12 || (provisioned && t->object->chain_pem.n);
    bool ca = t->o->ca || (provisioned && t->object->ca_pem.n);
    struct net_tls_conf conf = {.role = calls ? NET_TLS_CLIENT : NET_TLS_SERVER,
                                .verify = ca ? NET_TLS_VERIFY_REQUIRED : NET_TLS_VERIFY_NONE,
                                .version_min = 12,
                                .alpn_http11 = !t->o->dtls,
                                .datagrams = t->o->dtls};
    char why[TOOL_WHY_N];
    struct buf crl;
    enum err e;

    if (bad_psk)
        return EXIT_BAD_USAGE;
    if (t->psk.n && calls) {
        conf.psk_identity = t->psk_name;
        conf.psk_key = sec_secret_slice(&t->psk);
    } else if (t->psk.n)
        conf.psk = (struct net_tls_psk_source){.find = find_psk, .arg = t};
    else if (t->o->dtls && !certified)
        return complain("--dtls", "needs --psk, or --cert and --key");
    if (t->o->pkcs12 ? t->o->cert || t->o->key : t->o->pkcs12_password != NULL)
        return complain("--pkcs12", "stands for --cert and --key, and --pkcs12-password goes with it");
    if (t->o->crl && !ca)
        return complain("--crl", "needs --ca");
    if (calls && t->psk.n && (ca || certified))
        return complain("--psk", "stands for certificates: neither --ca nor --cert");
    if (calls && !t->psk.n && t->gateway.https != ca)
        return complain("--ca",
                        t->gateway.https ? "needed, or --psk: how the gateway is known" : "is for https");
    if (calls && !t->gateway.https)
        return 0;
    if (!calls && !certified && !t->psk.n)
        return ca ? complain("--ca", "needs --cert and --key") : 0;
    buf_init(&crl, CRL_MAX_N);
    e = t->o->crl ? tool_read(t->o->crl, &crl) : ERR_OK;
    if (e)
        (void)complain(t->o->crl, err_text(e));
    conf.crl_pem = buf_slice(&crl);
    if (!e && (e = make_ctx(t, &conf, why)))
        (void)complain(why, "");
    buf_clear(&crl);
    return e ? EXIT_BAD_USAGE : 0;
}

/* --home: whom we ask about pushes that ask us to connect. */
static int find_home(struct terminal *t)
{
    const struct tool_verify_conf ask = {.env = &t->loop.env,
                                         .kit = t->kit,
                                         .home = &t->o->home,
                                         .terminal_id = slice_str(t->o->terminal_id),
                                         .told = verified,
                                         .limits = limits_of(t),
                                         .request = on_visit,
                                         .arg = t};
    char why[TOOL_WHY_N];

    if (!t->o->home.url)
        return 0;
    return tool_verify_create(&ask, &t->verify, why) ? complain(why, "") : 0;
}

static int open_wire(struct terminal *t)
{
    if (!t->o->wire)
        return 0;
    t->wire = fopen(t->o->wire, "wbe");
    return t->wire ? 0 : complain(t->o->wire, "cannot be written");
}

static int open_log(struct terminal *t)
{
    const struct log_conf conf = {.level = LOG_INFO, .format = t->o->json ? LOG_JSON : LOG_TEXT, .fd = 2};

    if (log_create(&conf, &clk_real, &t->log))
        return complain("out of memory", "");
    t->loop.env.log = t->log;
    return 0;
}

static int set_up(struct terminal *t)
{
    int bad = open_log(t);

    if (!bad)
        bad = make_kit(t);

    if (!bad)
        bad = add_associations(t);
    if (!bad)
        bad = add_module(t);
    if (!bad)
        bad = tool_state_load(&t->state, t->kit) ? complain(t->o->state, "cannot be read") : 0;
    if (!bad)
        bad = load_object(t);
    if (!bad)
        bad = make_tls(t);
    if (!bad)
        bad = open_wire(t);
    if (!bad)
        bad = find_home(t);
    if (!bad && net_gate_create(CONNECTIONS_MAX, CONNECTIONS_MAX, &t->gate))
        bad = complain("out of memory", "");
    return bad ? bad : start(t);
}

static int run(const struct tool_terminal_options *o)
{
    struct terminal t = {.o = o};

    if (o->gateway &&
        (net_uri_parse(slice_str(o->gateway), &t.gateway) || !slice_eq(t.gateway.target, SLICE("/"))))
        return complain("--gateway", "not https://HOST:PORT or http://HOST:PORT");
    tool_state_init(&t.state, o->state);
    buf_init(&t.login, FILE_MAX_N);
    if (tool_loop_open(&t.loop))
        return complain("out of memory", "");
    t.exit = set_up(&t);
    (void)uv_run(&t.loop.loop, UV_RUN_DEFAULT);
    if (t.httpd || t.udp || t.dtls || t.sip || t.verify)
        ended(&t); /* drained: the timer alone does not keep the loop going */
    tool_loop_close(&t.loop);
    kit_free(&t.kit);
    net_gate_free(&t.gate);
    net_tls_ctx_free(&t.tls);
    sec_secret_clear(&t.psk);
    tool_pin_clear(&t.pin);
    tool_provision_free(&t.object);
    log_free(&t.log);
    tool_state_clear(&t.state);
    buf_wipe(&t.login);
    if (t.wire)
        (void)fclose(t.wire);
    return t.exit;
}

#define USAGE                                                                                                \
    "usage: push-terminal listen --bind ADDR:PORT [OPTIONS]\n"                                               \
    "       push-terminal connect --gateway URI [OPTIONS]\n"                                                 \
    "       push-terminal sip --bind ADDR:PORT [--record URI --registrar URI] [OPTIONS]\n"                   \
    "       push-terminal swarm --gateway URI [OPTIONS; swarm --help]\n"                                     \
    "       push-terminal inbox --gateway https://HOST:PORT [--follow] [OPTIONS]\n"                          \
    "       push-terminal activate --package FILE --code CODE [--out FILE]"

/* Each command has its own way to the gateway, and needs it. */
static bool command_ok(const char *word, struct tool_terminal_options *o)
{
    o->fetch = slice_eq(slice_str(word), SLICE("inbox"));
    if (o->fetch)
        return o->gateway && slice_starts_ci(slice_str(o->gateway), SLICE("https:")) && !o->bind && !o->udp &&
               !o->dtls;
    if (o->follow || o->keep || o->item || o->protection)
        return false;
    if (slice_eq(slice_str(word), SLICE("connect")))
        return o->gateway && !o->bind && !o->port_file && !o->udp;
    if (o->sip)
        return o->bind && !o->gateway && !o->udp && !o->dtls && !o->record == !o->registrar;
    return slice_eq(slice_str(word), SLICE("listen")) && o->bind && !o->gateway && !o->gateway_name &&
           !o->record && !o->registrar;
}

static int help(void)
{
    (void)puts(
        USAGE
        "\nA handset's push client: waits for a gateway or calls it, verifies, opens and prints pushes.\n");
    tool_help(stdout, tool_terminal_options);
    (void)puts("\nexit status: 0 the pushes came, 1 not in time, 2 a mistake in what was asked");
    return 0;
}

static int run_activate(const struct tool_terminal_options *o)
{
    char why[TOOL_WHY_N], made[TOOL_ACTIVATE_PATH_N];

    if (!o->package || !o->code)
        return complain("usage: push-terminal activate --package FILE --code CODE [--out FILE]", "");
    (void)umask(077);
    if (tool_activate(o->package, o->code, o->out, clk_utc_ms(&clk_real) / 1000, made, why))
        return complain(o->package, why);
    (void)printf("%s\n", made);
    return 0;
}

int main(int argc, char **argv)
{
    struct tool_terminal_options o = {.require = "none", .max_size = 65536, .verify_rate = 10};
    struct tool_list words = {.n = 0};
    char why[TOOL_WHY_N];

    (void)signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && slice_eq(slice_str(argv[1]), SLICE("swarm")))
        return tool_swarm_run(argc - 2, argv + 2);
    if (tool_parse(tool_terminal_options, argc - 1, argv + 1, &o, &words, why))
        return complain(why, "");
    if (o.help)
        return help();
    if (o.version) {
        (void)puts("push-terminal " PPG_VERSION);
        return 0;
    }
    if (words.n == 1 && slice_eq(slice_str(words.v[0]), SLICE("activate")))
        return run_activate(&o);
    o.sip = words.n == 1 && slice_eq(slice_str(words.v[0]), SLICE("sip"));
    if (words.n != 1 || !command_ok(words.v[0], &o))
        return complain(USAGE, "");
    return run(&o);
}
