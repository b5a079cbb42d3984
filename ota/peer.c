/* One terminal over OTA-HTTP: connect or take its call, register with OPTIONS before the first push of a connection, push, read the
 * answer.  No table of peers and no results to callers: http.c.  [OTA-HTTP §3..§7].  One loop. */
#include "ota/peer.h"

#include "base/net/hub.h"
#include "ota/answer.h"
#include "ota/headers.h"
#include "ota/request.h"

#define CPI_KEEP_MS   (7LL * 24 * 3600 * 1000) /* [OTA-HTTP §4] */
#define FRUITLESS_MAX 3                        /* connections in a row on which no push could fly */
#define HEAD_MAX_N    16384                    /* octets of an answer's head, of one value: [OTA-HTTP §8] */
#define VALUE_MAX_N   4096
#define HEADERS_MAX   64
#define BODY_MAX_N    65536 /* an answer's body means nothing to us */

static struct log *log_of(const struct ota_peer *p)
{
    return p->http->env->net->log;
}

static int64_t now_ms(const struct ota_peer *p)
{
    return clk_mono_ms(p->http->env->net->clk);
}

static struct ota_attempt *first_of(struct list *l)
{
    return container_of(l->next, struct ota_attempt, at);
}

/* Of the push that is next, else as it stood when the terminal called in. */
static const struct ota_terminal *terminal_of(const struct ota_peer *p)
{
    return list_empty(&p->waiting) ? p->terminal
                                   : container_of(p->waiting.next, struct ota_attempt, at)->job->terminal;
}

static void fail_waiting(struct ota_peer *p, enum ota_outcome outcome, unsigned code, const char *note)
{
    while (!list_empty(&p->waiting))
        ota_http_finish(p->http, first_of(&p->waiting), outcome, code, "%s", note);
}

/* Keeps the order of acceptance when an attempt comes back to be sent again. */
static void enqueue(struct ota_peer *p, struct ota_attempt *a)
{
    struct list *at = p->waiting.next;

    while (at != &p->waiting && container_of(at, struct ota_attempt, at)->order < a->order)
        at = at->next;
    list_insert_before(at, &a->at);
    a->stage = OTA_WAITING;
    p->waiting_n++;
}

void ota_peer_add(struct ota_peer *p, struct ota_attempt *a)
{
    a->peer = p;
    a->mac = a->job->mac;
    a->order = p->next_order++;
    enqueue(p, a);
}

static void wait_again(struct ota_attempt *a)
{
    list_remove(&a->at);
    a->peer->flying_n--;
    enqueue(a->peer, a);
}

/* Nobody who registered is there any more: what it said counts no longer. */
static void withdraw(struct ota_peer *p)
{
    ota_cpi_clear(&p->cpi);
    ota_http_publish(p);
}

static void mark_unusable(struct ota_peer *p, unsigned code, const char *why)
{
    p->unusable_until_ms = now_ms(p) + OTA_PEER_UNUSABLE_MS;
    withdraw(p);
    p->unusable_code = code;
    LOG(log_of(p), LOG_WARN, "ota.fault", LOG_A("terminal", p->address), LOG_C("what", why));
    fail_waiting(p, OTA_UNDELIVERABLE, code, why);
}

/* The connection will close by itself: nothing more may fly on it. */
static void note_closing(struct ota_peer *p)
{
    if (p->leaving)
        return;
    p->leaving = true;
    p->http->leaving += !p->called;
}

void ota_peer_close(struct ota_peer *p)
{
    if (!p->conn || p->leaving)
        return;
    note_closing(p);
    list_remove(&p->at);
    net_httpc_close(p->conn);
}

/* --- registration --- */

static void send_options(struct ota_peer *p);

/* The terminal has been heard: it is asked again after a while of silence. */
static void still_there(struct ota_peer *p)
{
    if (p->called && !p->leaving)
        net_hub_timer_set(p->http->env->net->hub, &p->alive, p->http->env->keep_alive_ms);
}

/* The registration came to nothing: what waits is told, and the connection goes. */
static void fail_registration(struct ota_peer *p, enum ota_outcome outcome, unsigned code, const char *why)
{
    LOG(log_of(p), LOG_INFO, "ota.register", LOG_A("terminal", p->address), LOG_B("ok", false),
        LOG_C("note", why));
    fail_waiting(p, outcome, code, why);
    ota_peer_close(p);
}

/* For operators: a deadline is not "no longer possible". */
static const char *why_text(const struct ota_peer *p, enum err e)
{
    const char *tls = e == ERR_DENIED ? net_httpc_tls_why(p->conn) : "";

    if (e == ERR_LATE)
        return p->http->ended ? "the gateway is ending" : "no answer in time";
    return tls[0] ? tls : err_text(e);
}

/* 500: unchanged.  501, or another tag: all of it is new.  A 2xx without status counts as 501.  [OTA-HTTP §4] */
static enum err take_cpi(struct ota_peer *p, const struct net_http_msg *m, const struct ota_registration *r)
{
    bool same_tag = r->tag.n == 0 || slice_eq(r->tag, ota_cpi_tag(&p->cpi));

    if (r->status != 0 && r->status != 500 && r->status != 501)
        return ERR_MALFORMED;
    if (r->status == 500 && !p->cpi.known)
        return ERR_AGAIN; /* "unchanged" from what?  Ask once more; no tag was sent */
    if (r->status == 500 && same_tag)
        return ERR_OK;
    return ota_cpi_set(&p->cpi, m, r, now_ms(p));
}

static void registered(struct ota_peer *p, const struct net_http_msg *m)
{
    struct ota_registration r;
    enum err e = ota_registration_read(m, &r);

    if (!e && p->terminal_id.n && r.terminal_id.n && !ota_registry_same_id(p->terminal_id, r.terminal_id)) {
        mark_unusable(p, 4000, "another terminal answers there"); /* [OTA-HTTP §5] */
        ota_peer_close(p);
        return;
    }
    if (!e)
        e = take_cpi(p, m, &r);
    if (e == ERR_AGAIN && p->options_tries < 2) {
        send_options(p);
        return;
    }
    ota_http_publish(p);
    if (e) {
        fail_registration(p, OTA_RETRY, 4001, "registration answer breaks the protocol");
        return;
    }
    p->registered = true;
    p->options_tries = 0;
    still_there(p);
    LOG(log_of(p), LOG_INFO, "ota.register", LOG_A("terminal", p->address), LOG_B("ok", true),
        LOG_I("status", r.status), LOG_S("tag", ota_cpi_tag(&p->cpi)));
}

/* Each nonce is good for one message; the answer to it has the next. */
static void take_nonce(struct ota_peer *p, const struct net_http_msg *m)
{
    struct slice next = net_http_header(m, SLICE(SEC_MAC_NONCE_HEADER), NULL);

    if (next.n && sec_mac_nonce_parse(next, &p->mac))
        p->mac.n = 0;
}

static void registration_401(struct ota_peer *p, const struct net_http_msg *m)
{
    const struct ota_terminal *t = terminal_of(p);

    if (t && t->mac.user.n && !p->options_mac && !ota_login_mac(m, &p->mac)) {
        p->options_mac = true;
        send_options(p);
        return;
    }
    if (p->options_login || !t || t->login.user.n == 0 || ota_login_challenged(&p->login, m, p->tls)) {
        fail_registration(p, OTA_UNDELIVERABLE, 4000, "login refused");
        return;
    }
    p->options_login = true;
    send_options(p);
}

static void registration_answered(struct ota_peer *p, const struct net_http_msg *m)
{
    struct ota_answer a;

    if (m->status == 401) {
        registration_401(p, m);
        return;
    }
    p->options_login = p->options_mac = false;
    take_nonce(p, m);
    if (m->status == 200 || m->status == 204) {
        registered(p, m);
        return;
    }
    a = ota_answer_http(m->status);
    if (a.unusable)
        mark_unusable(p, a.code, a.note);
    fail_registration(p, OTA_RETRY, 4001, a.note);
}

static void on_options_done(enum err e, const struct net_http_msg *m, bool sent, void *arg)
{
    struct ota_peer *p = arg;

    (void)sent; /* OPTIONS changes nothing at the terminal */
    p->options = NULL;
    if (p->leaving && e)
        return; /* we closed it; on_closed goes on */
    if (!e && !m->keep_alive)
        note_closing(p);
    if (e)
        fail_registration(p, OTA_RETRY, 4001, why_text(p, e));
    else
        registration_answered(p, m);
    ota_peer_pump(p);
}

static struct ota_request request_of(struct ota_peer *p, const struct ota_terminal *t)
{
    return (struct ota_request){.env = p->http->env,
                                .terminal = t,
                                .host = p->called ? slice_str(net_httpc_address(p->conn)) : SLICE_NONE,
                                .login_as = &t->login,
                                .tag = ota_cpi_tag(&p->cpi),
                                .login = &p->login,
                                .now_s = clk_utc_ms(p->http->env->net->clk) / 1000};
}

static void send_options(struct ota_peer *p)
{
    struct ota_request r;
    struct buf head;
    enum err e;

    if (p->leaving || !terminal_of(p))
        return; /* the next connection begins with one */
    r = request_of(p, terminal_of(p));
    r.mac = p->options_mac ? &p->mac : NULL;
    buf_init(&head, OTA_REQUEST_MAX_N);
    p->registered = false;
    p->options_tries++;
    e = ota_request_options(&r, &head);
    if (!e)
        e = net_httpc_send(p->conn, buf_slice(&head), SLICE_NONE, p->http->env->response_ms, on_options_done,
                           p, &p->options);
    buf_clear(&head);
    if (e)
        fail_registration(p, OTA_RETRY, 4001, err_text(e));
}

/* --- connection --- */

static void attach(struct ota_peer *p);

/* The seat is free, and what held the terminal lets go. */
static void hang_up(struct ota_peer *p)
{
    LOG(log_of(p), LOG_INFO, "ota.hangup", LOG_A("terminal", p->address));
    net_hub_timer_stop(p->http->env->net->hub, &p->alive);
    p->http->called--;
    p->called = false;
    ota_call_drop(&p->call);
    p->terminal = NULL;
    ota_registry_drop(&p->registry);
}

static void on_closed(struct net_httpc *c, enum err why, void *arg)
{
    struct ota_peer *p = arg;

    (void)c;
    LOG(log_of(p), LOG_DEBUG, "ota.closed", LOG_A("terminal", p->address), LOG_C("why", err_name(why)));
    if (p->called) {
        hang_up(p);
    } else {
        p->http->leaving -= p->leaving;
        p->http->open--;
    }
    p->fruitless = p->pushed || p->waiting_n == 0 ? 0 : p->fruitless + 1;
    p->conn = NULL;
    p->leaving = p->registered = p->pushed = p->options_login = p->options_mac = p->mac_flying = false;
    p->options_tries = 0;
    list_remove(&p->at);
    if (p->next_call)
        attach(p);
    ota_peer_pump(p);
    ota_http_check_end(p->http);
}

static struct net_httpc_conf connection_conf(struct ota_peer *p, const struct ota_terminal *t)
{
    const struct ota_env *env = p->http->env;

    return (struct net_httpc_conf){
        .host = t->host,
        .port = t->port,
        .tls = t->tls ? p->http->tls : NULL,
        .server_name = t->tls_name,
        .limits = {.head_max_n = HEAD_MAX_N,
                   .headers_max = HEADERS_MAX,
                   .value_max_n = VALUE_MAX_N,
                   .target_max_n = VALUE_MAX_N,
                   .body_max_n = BODY_MAX_N,
                   .head_ms = env->response_ms,
                   .idle_ms = env->idle_ms,
                   .handshake_ms = env->connect_ms},
        .connect_ms = env->connect_ms,
        .idle_ms = env->idle_ms,
        .pipeline_max = OTA_CPI_REQ_MAX + 1, /* and a registration behind them */
        .closed = on_closed,
        .arg = p,
    };
}

/* --- calls --- */

static void alive_fire(struct net_timer *timer)
{
    struct ota_peer *p = container_of(timer, struct ota_peer, alive);

    if (p->options || p->flying_n)
        still_there(p); /* it is being asked */
    else
        send_options(p);
}

void ota_peer_forget_call(struct ota_peer *p)
{
    ota_call_drop(&p->next_call);
    p->next_terminal = NULL;
    ota_registry_drop(&p->next_registry);
}

/* It was asked with the tag that is known here, and said that this is what it is. */
static bool is_unchanged(const struct ota_peer *p, const struct ota_call *call)
{
    return p->cpi.known && call->cpi.tag_n && slice_eq(ota_cpi_tag(&call->cpi), ota_cpi_tag(&p->cpi));
}

/* The socket of the call becomes the peer's connection, and what the terminal said what is known of it. */
static void attach(struct ota_peer *p)
{
    struct net_httpc_conf conf = connection_conf(p, p->next_terminal);
    struct ota_call *call = p->next_call;
    enum err e;

    conf.idle_ms = 0;
    e = net_httpc_resume(p->http->env->net, &call->socket, &conf, &p->conn);
    if (e) {
        LOG(log_of(p), LOG_WARN, "ota.call.lost", LOG_A("terminal", p->address), LOG_C("err", err_name(e)));
        ota_peer_forget_call(p);
        return;
    }
    p->called = true;
    p->since_ms = now_ms(p);
    p->http->called++;
    p->call = call;
    call->socket = (struct net_handover){.fd = -1}; /* the connection's */
    p->terminal = p->next_terminal;
    p->registry = p->next_registry;
    p->next_call = NULL;
    p->next_terminal = NULL;
    p->next_registry = NULL;
    p->tls = call->tls;
    p->mac = call->mac;
    p->registered = call->cpi.known || is_unchanged(p, call);
    if (call->cpi.known) {
        ota_cpi_clear(&p->cpi);
        ota_cpi_move(&call->cpi, &p->cpi);
    }
    if (p->registered)
        ota_http_publish(p);
    net_timer_init(&p->alive, alive_fire);
    still_there(p);
}

void ota_peer_take(struct ota_peer *p, struct ota_call *call, const struct ota_terminal *t,
                   struct ota_registry *held)
{
    LOG(log_of(p), LOG_INFO, "ota.called", LOG_A("terminal", p->address), LOG_C("from", call->from),
        LOG_B("tls", call->tls), LOG_B("again", p->conn != NULL));
    p->unusable_until_ms = 0;
    ota_peer_forget_call(p);
    p->next_call = call;
    p->next_terminal = t;
    p->next_registry = held;
    if (p->conn) {
        note_closing(p);
        list_remove(&p->at);
        net_httpc_abort(p->conn); /* on_closed() goes on */
        return;
    }
    attach(p);
    ota_peer_pump(p);
}

static void connect_peer(struct ota_peer *p)
{
    const struct ota_terminal *t = first_of(&p->waiting)->job->terminal;
    struct net_httpc_conf conf = connection_conf(p, t);
    enum err e = ERR_LIMIT;

    if (!t->host.n) {
        fail_waiting(p, OTA_RETRY, 4001, "the terminal is not connected");
        return;
    }
    p->tls = t->tls;
    if (t->tls && !p->http->tls)
        e = ERR_UNSUPPORTED; /* never in clear instead */
    else if (ota_http_make_room(p->http))
        e = net_httpc_create(p->http->env->net, &conf, &p->conn);
    LOG(log_of(p), LOG_DEBUG, "ota.connect", LOG_A("terminal", p->address), LOG_B("tls", t->tls),
        LOG_C("err", err_name(e)));
    if (e) {
        fail_waiting(p, OTA_RETRY, 4001, e == ERR_LIMIT ? "no connection free" : err_text(e));
        return;
    }
    p->http->open++;
    p->since_ms = now_ms(p);
    if (p->cpi.known && now_ms(p) - p->cpi.at_ms > CPI_KEEP_MS)
        withdraw(p);
    send_options(p);
}

/* --- pushes --- */

/* Why the terminal would not take it, NULL when it may be sent [OTA-HTTP §4, §7.1].  Another form of the content may
 * be shorter or of another type; another application it cannot have. */
static const char *unfit(const struct ota_peer *p, const struct ota_job *job, enum ota_outcome *outcome)
{
    struct ota_profile said = ota_cpi_profile(&p->cpi);
    struct ota_profile profile = ota_profile_merge(&job->terminal->profile, &said);
    struct slice app = SLICE_NONE;
    int32_t number;

    *outcome = OTA_UNDELIVERABLE;
    if (ota_app_id_parse(ota_header_find(job->message_head, SLICE("X-Wap-Application-Id")), &app, &number) ||
        !ota_profile_takes_app(&profile, app))
        return "the terminal does not serve the application";
    *outcome = OTA_UNSUITED;
    if (!ota_profile_takes_size(&profile, job->body.n))
        return "too large for the terminal";
    if (job->content_type.n && !ota_profile_takes_type(&profile, job->content_type))
        return "the terminal does not accept the content type";
    return NULL;
}

/* No usable answer: whether the terminal has the push depends on how far the octets got. */
static void finish_unanswered(struct ota_attempt *a, enum err e, bool sent)
{
    struct ota_http *h = a->peer->http;
    const char *why = a->cancelled ? "cancelled" : e == ERR_LATE ? why_text(a->peer, e) : err_text(e);

    if (!sent)
        ota_http_finish(h, a, OTA_RETRY, 4001, "%s, not sent", why);
    else if (a->job->unconfirmed && !a->cancelled)
        ota_http_finish(h, a, OTA_DELIVERED, 1000, "sent, no answer wanted");
    else
        ota_http_finish(h, a, OTA_AMBIGUOUS, 4001, "%s, sent but not answered", why);
}

/* The terminal's tag has changed and it did not take the content: register, send again, once. */
static void stale_tag(struct ota_attempt *a, const struct ota_answer *answer)
{
    struct ota_peer *p = a->peer;

    if (a->tag_tried || a->cancelled) {
        ota_http_finish(p->http, a, answer->outcome, answer->code, "%s", answer->note);
        return;
    }
    a->tag_tried = true;
    p->registered = false;
    wait_again(a);
}

/* The terminal wants a mac, or one of another nonce.  The first may have been made without a nonce, for want of one. */
static bool mac_again(struct ota_attempt *a, const struct net_http_msg *m)
{
    struct ota_peer *p = a->peer;

    if (a->cancelled || a->login_tried || a->job->terminal->mac.user.n == 0 || ota_login_mac(m, &p->mac))
        return false;
    a->mac = a->login_tried = true;
    wait_again(a);
    return true;
}

static bool login_again(struct ota_attempt *a, const struct net_http_msg *m)
{
    struct ota_peer *p = a->peer;

    if (mac_again(a, m))
        return true;
    if (a->login_tried || a->cancelled || a->job->terminal->login.user.n == 0 ||
        ota_login_challenged(&p->login, m, p->tls))
        return false;
    a->login_tried = true;
    wait_again(a);
    return true;
}

static void finish_answered(struct ota_attempt *a, const struct ota_answer *answer)
{
    struct ota_result *r = &a->job->result;
    struct ota_http *h = a->peer->http;

    if (a->job->unconfirmed)
        ota_http_finish(h, a, OTA_DELIVERED, 1000, "sent, status %u %u not asked for", r->http_status,
                        r->push_status);
    else if (r->push_status == OTA_STATUS_BAD) /* a number that nobody has said */
        ota_http_finish(h, a, answer->outcome, answer->code, "http %u, %s", r->http_status, answer->note);
    else if (r->push_status)
        ota_http_finish(h, a, answer->outcome, answer->code, "status %u %s", r->push_status, answer->note);
    else
        ota_http_finish(h, a, answer->outcome, answer->code, "http %u %s", r->http_status, answer->note);
}

static void push_answered(struct ota_attempt *a, const struct net_http_msg *m)
{
    struct ota_peer *p = a->peer;
    unsigned status = ota_push_status(m);
    bool has_tag = net_http_header(m, SLICE("X-Wap-CPITag"), NULL).n != 0;
    struct ota_answer answer = ota_answer_push(m->status, status, has_tag);

    a->job->result.http_status = m->status;
    a->job->result.push_status = status;
    a->job->result.taken = answer.outcome == OTA_DELIVERED && answer.step == OTA_STEP_DONE;
    a->job->result.association = ota_sa_answer_parse(net_http_header(m, SLICE(OTA_SA_HEADER), NULL));
    if (answer.step == OTA_STEP_REGISTER) {
        stale_tag(a, &answer);
        return;
    }
    if (answer.step == OTA_STEP_LOGIN && login_again(a, m))
        return;
    if (answer.step == OTA_STEP_LOGIN && a->mac)
        ota_peer_close(p); /* a second refusal, or another type: DM message security 5.4.1.5 */
    finish_answered(a, &answer);
    if (answer.unusable)
        mark_unusable(p, answer.code, answer.note);
    if (answer.register_again)
        p->registered = false;
}

static void on_push_done(enum err e, const struct net_http_msg *m, bool sent, void *arg)
{
    struct ota_attempt *a = arg;
    struct ota_peer *p = a->peer;

    a->req = NULL;
    p->mac_flying = p->mac_flying && !a->mac;
    if (!e && !m->keep_alive)
        note_closing(p);
    if (!e)
        take_nonce(p, m);
    if (e)
        finish_unanswered(a, e, sent);
    else
        push_answered(a, m);
    still_there(p);
    ota_peer_pump(p);
}

/* ERR_LATE: the connection is closing; the attempt goes on waiting. */
static enum err fly(struct ota_peer *p, struct ota_attempt *a)
{
    struct ota_request r = request_of(p, a->job->terminal);
    struct buf head;
    enum err e;

    r.mac = a->mac ? &p->mac : NULL;
    buf_init(&head, OTA_REQUEST_MAX_N);
    e = ota_request_push(&r, a->job, &head);
    if (!e)
        e = net_httpc_send(p->conn, buf_slice(&head), a->job->body, p->http->env->response_ms, on_push_done,
                           a, &a->req);
    if (!e) {
        a->job->result.wire_n = head.n + a->job->body.n;
        list_remove(&a->at);
        p->waiting_n--;
        list_push_back(&p->flying, &a->at);
        p->flying_n++;
        a->stage = OTA_FLYING;
        p->pushed = true;
        if (a->mac) {
            p->mac_flying = true;
            p->mac.n = 0; /* used up */
        }
    }
    buf_clear(&head);
    return e;
}

static void push_first(struct ota_peer *p)
{
    struct ota_attempt *a = first_of(&p->waiting);
    enum ota_outcome outcome;
    const char *why = unfit(p, a->job, &outcome);
    enum err e;

    if (why) {
        ota_http_finish(p->http, a, outcome, 2006, "%s", why);
        return;
    }
    e = fly(p, a);
    if (e == ERR_LATE)
        note_closing(p);
    else if (e == ERR_MALFORMED)
        ota_http_finish(p->http, a, OTA_UNDELIVERABLE, 4000, "cannot be sent: %s", err_text(e));
    else if (e)
        ota_http_finish(p->http, a, OTA_RETRY, 4001, "cannot be sent: %s", err_text(e));
}

/* Nothing waits and nothing flies: the peer may lose its connection, or be forgotten. */
static void rest(struct ota_peer *p)
{
    list_remove(&p->at);
    if (p->leaving || p->options || p->waiting_n || p->flying_n)
        return;
    if (!p->called) /* theirs are not ours to close */
        list_push_back(p->conn ? &p->http->idle : &p->http->cold, &p->at);
}

void ota_peer_pump(struct ota_peer *p)
{
    list_remove(&p->at);
    if (!p->leaving && p->waiting_n && now_ms(p) < p->unusable_until_ms)
        fail_waiting(p, OTA_UNDELIVERABLE, p->unusable_code, "route unusable, tried again in a minute");
    if (!p->conn && p->waiting_n && p->fruitless >= FRUITLESS_MAX) {
        p->fruitless = 0;
        fail_waiting(p, OTA_RETRY, 4001, "the terminal closes every connection");
    }
    if (!p->conn && p->waiting_n)
        connect_peer(p);
    while (p->conn && !p->leaving && !p->options && p->waiting_n && p->flying_n < p->cpi.outstanding_max &&
           !(p->mac_flying && first_of(&p->waiting)->mac)) {
        if (p->registered)
            push_first(p);
        else
            send_options(p);
    }
    rest(p);
}

bool ota_peer_withdraw(struct ota_attempt *a)
{
    if (a->stage != OTA_WAITING || a->cancelled || a->tag_tried || a->login_tried)
        return false;
    list_remove(&a->at);
    a->peer->waiting_n--;
    return true;
}

void ota_peer_cancel(struct ota_attempt *a)
{
    if (a->stage == OTA_READY || a->cancelled)
        return;
    a->cancelled = true;
    if (a->stage == OTA_WAITING)
        ota_http_finish(a->peer->http, a, OTA_RETRY, 4001, "cancelled, not sent");
    else
        net_httpc_cancel(a->req);
}
