/* What reaches the terminal, whichever way it came: requests of a gateway, items of an inbox, datagrams, MESSAGE requests.
 * Each is handed to the client library, shown, kept, and answered; what the library makes of it is not decided here.
 * What must survive a restart is on disk before an answer leaves.  [OTA-HTTP §4, §7].  One thread. */
#include "base/net/dns.h"
#include "ppg/handset/keep.h"
#include "ppg/handset/push_print.h"
#include "ppg/handset/terminal.h"

static struct slice name_of(const struct tool_terminal *t, const struct slice *names, size_t n,
                            enum kit_standing standing)
{
    for (size_t i = 0; i < n; i++)
        if (kit_server_standing(t->kit, names[i]) == standing)
            return names[i];
    return SLICE_NONE;
}

/* What the gateway proved to be: a name of its certificate, a banned one before a listed one before any; else where it
 * is. */
static struct slice server_name(const struct tool_terminal *t, const struct net_tls_peer *peer,
                                struct slice ip)
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
static bool note(struct tool_terminal *t, enum kit_event ev, const struct kit_request *req,
                 const struct kit_push *push, const char *reason)
{
    tool_push_print(t->o->json, ev, req, push, reason);
    if (ev == KIT_PUSH && push->provisioned && tool_keep(t->o->provisioning, push->body)) {
        t->exit = tool_terminal_complain(t->o->provisioning, "cannot be written");
        return false;
    }
    if (tool_state_keep(&t->state, t->kit)) {
        t->exit = tool_terminal_complain(t->o->state, "cannot be written");
        return false;
    }
    /* What it names counts when it is here. */
    if (ev == KIT_PUSH && t->follow && tool_follow_push(t->follow, push->content_type))
        return true;
    t->pushes += ev == KIT_PUSH || ev == KIT_CONNECT;
    return true;
}

static bool enough(const struct tool_terminal *t)
{
    return t->o->count && t->pushes >= t->o->count;
}

static void ask_home(struct tool_terminal *t)
{
    if (t->verify)
        tool_verify_go(t->verify);
}

/* --- requests --- */

static void finish(struct tool_terminal *t, struct net_http_exchange *x, enum kit_event ev,
                   const struct kit_request *req, const struct kit_answer *answer,
                   const struct kit_push *push, const char *reason)
{
    if (!note(t, ev, req, push, reason)) {
        /* Unanswered it will come again; answered it could come twice. */
        net_httpd_reply(x, 500, SLICE_NONE, SLICE_NONE, SLICE_NONE);
        tool_terminal_drain(t);
        return;
    }
    if (enough(t))
        tool_terminal_drain(t); /* before the answer, which then closes its connection */
    net_httpd_reply(x, answer->status, SLICE_NONE, buf_slice(&answer->headers), SLICE_NONE);
}

/* The gateway's TLS stands on a key that we share, given or bootstrapped. */
static bool by_key(const struct tool_terminal *t)
{
    return t->psk.n != 0 || (t->boot && t->gateway.https && !t->tls);
}

/* by_psk: TLS, if there is any, stands on a shared key. */
static void take_request(struct tool_terminal *t, struct net_http_exchange *x, bool by_psk)
{
    const struct net_http_msg *m = net_http_exchange_msg(x);
    const struct net_tls_peer *peer = net_http_exchange_peer(x);
    struct kit_header headers[TOOL_TERMINAL_HEADERS_MAX];
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
    if (ev == KIT_UPGRADE)
        tool_terminal_call_inside_tls(t);
    ask_home(t);
}

void tool_terminal_request(struct net_http_exchange *x, void *arg)
{
    struct tool_terminal *t = arg;

    take_request(t, x, by_key(t) || t->o->visit);
}

void tool_terminal_visit(struct net_http_exchange *x, void *arg)
{
    struct tool_terminal *t = arg;

    take_request(t, x, t->o->home.psk != NULL || (t->boot && !t->o->home.ca));
}

void tool_terminal_wire(struct slice wire, void *arg)
{
    struct tool_terminal *t = arg;

    (void)fwrite(wire.p, 1, wire.n, t->wire);
    (void)fflush(t->wire);
}

/* --- pushes that ask us to connect --- */

static void all_fetched(struct tool_terminal *t)
{
    if (!t->exit && t->o->count && !enough(t))
        t->exit = TOOL_TERMINAL_LATE;
    tool_terminal_leave(t);
}

void tool_terminal_verified(enum kit_event ev, const struct kit_push *push, const char *reason, void *arg)
{
    struct tool_terminal *t = arg;
    struct kit_request shown = {.tls = push && push->tls, .server_proved = push && push->proofs};

    shown.server = push ? push->server : SLICE_NONE;
    if (t->draining)
        return;
    if (!note(t, ev, &shown, push, reason) || enough(t))
        tool_terminal_leave(t);
    else if (t->fetched && !tool_verify_open(t->verify))
        all_fetched(t);
}

/* --- the inbox --- */

enum tool_inbox_verdict tool_terminal_item(const struct net_http_msg *m, struct slice content,
                                           const struct net_tls_peer *peer, void *arg)
{
    struct tool_terminal *t = arg;
    struct kit_header headers[TOOL_TERMINAL_HEADERS_MAX];
    struct kit_request req = {
        .headers = headers,
        .body = content,
        .tls = true,
        .server_proved = peer && (peer->verified || by_key(t)),
        .by_psk = by_key(t),
        .server = server_name(t, peer, t->o->fetch ? t->gateway.host : tool_follow_host(t->follow)),
        .now_s = clk_utc_ms(&clk_real) / 1000,
        .expected = t->o->fetch ? NULL : tool_follow_expected(t->follow)};
    struct kit_push push;
    const char *reason;
    enum kit_event ev;

    /* The length and the range are the answer's, which may be one of several. */
    for (size_t i = 0; i < m->headers_n && req.headers_n < TOOL_TERMINAL_HEADERS_MAX; i++)
        if (!slice_eq_ci(m->headers[i].name, SLICE("Content-Length")))
            headers[req.headers_n++] = (struct kit_header){m->headers[i].name, m->headers[i].value};
    ev = kit_handle_fetched(t->kit, &req, &push, &reason);
    if (!note(t, ev, &req, &push, reason))
        return TOOL_INBOX_STOP;
    if (ev == KIT_VERIFY)
        ask_home(t);
    else if (ev != KIT_PUSH && ev != KIT_DUPLICATE)
        return TOOL_INBOX_LEAVE;
    return enough(t) ? TOOL_INBOX_LAST : TOOL_INBOX_HAVE;
}

void tool_terminal_item_over(int status, const char *why, void *arg)
{
    struct tool_terminal *t = arg;

    t->fetched = true;
    if (status) {
        t->exit = tool_terminal_complain(t->o->gateway, why);
        tool_terminal_end(t);
    } else if (!t->verify || !tool_verify_open(t->verify)) {
        all_fetched(t);
    }
}

void tool_terminal_followed(void *arg)
{
    struct tool_terminal *t = arg;

    if (enough(t))
        tool_terminal_leave(t);
}

/* --- datagrams --- */

/* What came, from whom, and what DTLS says of who that is (NULL: no DTLS). */
static void take_datagram(struct tool_terminal *t, const struct sockaddr *from,
                          const struct net_tls_peer *peer, struct slice octets)
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
    tool_terminal_leave(t);
}

void tool_terminal_datagram(struct net_udp *udp, const struct sockaddr *from, struct slice octets, void *arg)
{
    struct tool_terminal *t = arg;

    (void)udp;
    if (t->wire)
        tool_terminal_wire(octets, t);
    take_datagram(t, from, NULL, octets);
}

void tool_terminal_record(const struct sockaddr *from, const struct net_tls_peer *peer, struct slice plain,
                          void *arg)
{
    take_datagram(arg, from, peer, plain);
}

/* --- SIP --- */

/* Where there is a key, TLS stands on nothing else. */
static unsigned proofs_of(const struct tool_terminal *t, const struct net_tls_peer *peer)
{
    if (!peer)
        return 0;
    return t->psk.n ? KIT_PROOF_PSK : peer->verified ? KIT_PROOF_CERTIFICATE : 0;
}

unsigned tool_terminal_message(const struct tool_sip_push *p, void *arg)
{
    struct tool_terminal *t = arg;
    unsigned proofs = proofs_of(t, p->peer);
    struct kit_request shown = {.tls = p->peer != NULL, .server_proved = proofs != 0};
    struct kit_message m = {.content_type = p->content_type,
                            .app_id = p->app_id,
                            .body = p->body,
                            .tls = p->peer != NULL,
                            .proofs = proofs,
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
        tool_terminal_leave(t);
        return 500;
    }
    if (enough(t))
        tool_terminal_leave(t);
    else
        ask_home(t);
    return status;
}
