/* Who is calling; see caller.h. */
#include "ota/caller.h"

#include <stdlib.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/net/httpc.h"
#include "base/net/hub.h"
#include "ota/proof.h"
#include "ota/request.h"

#define HEAD_MAX_N  16384 /* octets of an answer's head, of one value: [OTA-HTTP §8] */
#define VALUE_MAX_N 4096
#define HEADERS_MAX 64
#define BODY_MAX_N  65536 /* an answer's body means nothing to us */
#define ASK_MAX     2     /* OPTIONS on one connection */

struct ota_callers {
    struct ota_callers_conf conf;
    struct list at_door; /* struct caller */
    size_t n;
    bool ended;
    struct net_task end;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct caller {
    struct list at;
    struct ota_callers *callers;
    struct net_httpc *conn;
    struct net_gate_seat *seat;
    struct ota_login_state login;   /* ours, when it wants us to prove ourselves */
    struct sec_mac_nonce mac;       /* n 0: it wants no mac for that */
    struct sec_mac_session session; /* what it was asked for syncml:auth-md5 */
    struct ota_registry *registry;
    const struct ota_terminal *terminal; /* in registry, once it said who it is; not proved */
    struct ota_call *call;               /* proved: handed on when the connection has left this loop */
    unsigned asked;
    bool by_tls;                 /* its terminal is the one that TLS proved */
    char tag[OTA_CPI_TAG_MAX_N]; /* what it was sent, n octets */
    size_t tag_n;
    bool tls;
    bool offer_tls;
    const char *proof; /* once checked: what it is known by; static */
};

static const struct net_env *net_of(const struct caller *c)
{
    return c->callers->conf.env->net;
}

void ota_call_drop(struct ota_call **cp)
{
    struct ota_call *c = *cp;

    *cp = NULL;
    if (!c)
        return;
    net_handover_drop(&c->socket);
    if (c->seat)
        net_gate_leave(c->gate, c->seat);
    ota_cpi_clear(&c->cpi);
    free(c);
}

/* --- sending away --- */

static void end_run(struct net_task *task)
{
    struct ota_callers *cs = container_of(task, struct ota_callers, end);
    void (*closed)(void *arg) = cs->closed;
    void *arg = cs->closed_arg;

    free(cs);
    closed(arg);
}

static void caller_free(struct caller *c)
{
    struct ota_callers *cs = c->callers;

    if (c->seat)
        net_gate_leave(cs->conf.gate, c->seat);
    ota_login_clear(&c->login);
    ota_registry_drop(&c->registry);
    list_remove(&c->at);
    free(c);
    if (--cs->n == 0 && cs->ended)
        net_hub_defer(cs->conf.env->net->hub, &cs->end);
}

/* A stranger's reasons are ours to know and not its. */
static void refuse(const struct caller *c, const char *from, const char *why)
{
    LOG(net_of(c)->log, LOG_INFO, "ota.call.refused", LOG_C("from", from), LOG_B("tls", c->tls),
        LOG_A("terminal", c->terminal ? c->terminal->key : SLICE_NONE), LOG_C("why", why));
}

static void on_closed(struct net_httpc *conn, enum err why, void *arg)
{
    struct caller *c = arg;
    struct ota_callers_conf conf = c->callers->conf;
    struct ota_call *call = c->call;

    if (!call && !c->asked && why) /* it never came to a question */
        refuse(c, net_httpc_address(conn),
               *net_httpc_tls_why(conn) ? net_httpc_tls_why(conn) : err_text(why));
    else if (!call)
        LOG(conf.env->net->log, LOG_DEBUG, "ota.call.end", LOG_C("why", err_name(why)));
    else if (why)
        refuse(c, call->from, "it answers what nobody asked");
    caller_free(c);
    if (call && why)
        ota_call_drop(&call);
    else if (call)
        conf.arrived(call, conf.arg);
}

static void send_away(struct caller *c, const char *why)
{
    refuse(c, net_httpc_address(c->conn), why);
    net_httpc_close(c->conn);
}

/* --- asking --- */

static void on_answer(enum err e, const struct net_http_msg *m, bool sent, void *arg);

/* Does TLS prove already what its terminal has to prove?  Then nothing more is asked for. */
static bool is_proved(const struct caller *c)
{
    enum ota_proof proof = c->terminal ? c->terminal->call_in.proof : OTA_PROOF_NONE;

    return c->by_tls && (proof == OTA_PROOF_CERTIFICATE || proof == OTA_PROOF_PSK);
}

/* What is known of the terminal that TLS proved goes by its tag; of anybody else nothing is said.  [OTA-HTTP §4] */
static void find_tag(struct caller *c)
{
    const struct ota_env *env = c->callers->conf.env;
    struct ota_profile said;
    struct arena mem;

    c->tag_n = 0;
    if (!is_proved(c) || !env->profiles)
        return;
    arena_init(&mem, 1024, 2 * OTA_PROFILE_MAX_N);
    if (!ota_profiles_find(env->profiles, c->terminal->key, &mem, &said) && said.tag.n <= sizeof c->tag) {
        mem_copy(c->tag, sizeof c->tag, said.tag);
        c->tag_n = said.tag.n;
    }
    arena_clear(&mem);
}

/* Has it called inside TLS before?  Then it is no terminal that cannot, or not that terminal. */
static bool has_tls(const struct caller *c)
{
    const struct ota_env *env = c->callers->conf.env;
    struct ota_profile said = {.tls = false};
    struct arena mem;
    bool tls;

    if (!env->profiles)
        return false;
    arena_init(&mem, 1024, 2 * OTA_PROFILE_MAX_N);
    tls = !ota_profiles_find(env->profiles, c->terminal->key, &mem, &said) && said.tls;
    arena_clear(&mem);
    return tls;
}

/* syncml:auth-md5 only where the operator has let somebody in by it. */
static enum err challenge(struct caller *c, struct buf *out)
{
    const struct ota_callers_conf *conf = &c->callers->conf;
    const struct ota_proof_offer offer = {
        .realm = conf->realm,
        .md5 = conf->md5,
        .tls = c->tls,
        .session = conf->logins && ota_registry_syncml_md5(c->registry) ? &c->session : NULL,
        .now_ms = clk_mono_ms(conf->env->net->clk)};

    return ota_proof_challenge(conf->guard, &offer, out);
}

static void ask(struct caller *c)
{
    const struct ota_callers_conf *conf = &c->callers->conf;
    struct net_httpc_req *req;
    struct ota_request r = {.env = conf->env,
                            .host = slice_str(net_httpc_address(c->conn)),
                            .login = &c->login,
                            .terminal = c->terminal,
                            .login_as = c->terminal ? &c->terminal->login : NULL,
                            .mac = c->mac.n ? &c->mac : NULL,
                            .tag = slice_of(c->tag, c->tag_n),
                            .offer_tls = c->offer_tls};
    struct buf head, challenges;
    enum err e = ERR_OK;

    buf_init(&head, OTA_REQUEST_MAX_N);
    buf_init(&challenges, SEC_DIGEST_HEADER_MAX_N);
    c->asked++;
    if (!is_proved(c))
        e = challenge(c, &challenges);
    r.challenges = buf_slice(&challenges);
    if (!e)
        e = ota_request_options(&r, &head);
    if (!e)
        e = net_httpc_send(c->conn, buf_slice(&head), SLICE_NONE, conf->env->response_ms, on_answer, c, &req);
    buf_clear(&challenges);
    buf_clear(&head);
    c->mac.n = 0; /* used up */
    if (e)
        send_away(c, err_text(e));
}

/* --- the answer --- */

/* Each nonce is good for one message. */
static void take_nonce(const struct net_http_msg *m, struct sec_mac_nonce *out)
{
    struct slice next = net_http_header(m, SLICE(SEC_MAC_NONCE_HEADER), NULL);

    if (!next.n || sec_mac_nonce_parse(next, out))
        out->n = 0;
}

/* Nothing has changed since that tag. */
static void tag_keep(struct ota_call *call, struct slice tag)
{
    mem_copy(call->cpi.tag, sizeof call->cpi.tag, tag);
    call->cpi.tag_n = tag.n;
}

static void hand_on(struct caller *c, const struct net_http_msg *m, const struct ota_registration *r)
{
    const struct ota_terminal *t = c->terminal;
    struct ota_call *call = calloc(1, sizeof *call + t->key.n);
    enum err e = ERR_NOMEM;

    if (call) {
        ota_cpi_init(&call->cpi);
        call->key_n = t->key.n;
        mem_copy(call->key, t->key.n, t->key);
        call->tls = c->tls;
        call->proof = c->proof;
        take_nonce(m, &call->mac);
        e = mem_cstr(call->from, sizeof call->from, slice_str(net_httpc_address(c->conn)));
        if (r->status == 500) /* its owner knows whether it is; to who got no tag it says nothing */
            tag_keep(call, slice_of(c->tag, c->tag_n));
        else if (!e)
            e = ota_cpi_set(&call->cpi, m, r, clk_mono_ms(net_of(c)->clk));
        if (!e)
            e = net_httpc_detach(c->conn, &call->socket);
    }
    if (e) {
        if (call)
            ota_cpi_clear(&call->cpi);
        free(call);
        send_away(c, err_text(e));
        return;
    }
    call->gate = c->callers->conf.gate;
    call->seat = c->seat;
    c->seat = NULL;
    c->call = call;
}

/* Whose key, provisioned or bootstrapped, made the session; NULL: nobody's. */
static const struct ota_terminal *whose_psk(const struct caller *c, const struct net_tls_peer *peer)
{
    const struct ota_callers_conf *conf = &c->callers->conf;
    const struct ota_terminal *t = ota_proof_psk(c->registry, peer);
    char impi[SEC_GBA_IMPI_MAX_N];
    size_t n;

    if (t || !peer || !peer->psk.n || !conf->subscriber || conf->subscriber(conf->arg, peer, impi, &n))
        return t;
    return ota_registry_find_subscriber(c->registry, slice_of(impi, n));
}

/* Whose key made the session, else the first of the certificate's names that is a terminal's, else the identity it
 * states.  [OTA-HTTP §12] */
static const struct ota_terminal *who(const struct caller *c, const struct ota_registration *r,
                                      struct ota_proof_in *in)
{
    const struct net_tls_peer *peer = net_httpc_peer(c->conn);
    const struct ota_terminal *stated = ota_registry_find_id(c->registry, r->terminal_id);
    const struct ota_terminal *t = whose_psk(c, peer);

    in->by_psk = t != NULL;
    if (!t) {
        t = ota_proof_certificate(c->registry, peer);
        in->by_certificate = t != NULL;
    }
    in->states_another = t && stated && stated != t;
    return t ? t : stated;
}

static void look_up(struct caller *c, const struct ota_registration *r, struct ota_proof_in *in)
{
    const struct ota_callers_conf *conf = &c->callers->conf;

    ota_registry_drop(&c->registry);
    c->registry = conf->registry(conf->arg);
    c->terminal = who(c, r, in);
}

/* Whose response it says to be; n 0: it is none. */
static struct slice md5_user(const struct ota_proof_in *in)
{
    struct sec_mac said;

    return sec_authmd5_parse(in->authorization, &said) ? SLICE_NONE : said.user;
}

static bool must_wait(const struct caller *c, const struct ota_proof_in *in)
{
    const struct ota_callers_conf *conf = &c->callers->conf;
    struct slice user = md5_user(in);

    return sec_penalty_wait_ms(conf->penalty, net_httpc_ip(c->conn), in->now_ms) > 0 ||
           (conf->users && user.n && sec_penalty_wait_ms(conf->users, user, in->now_ms) > 0);
}

/* Wrong responses of syncml:auth-md5 slow their name as well, wherever from ([DM-SEC] lock-out, by address and by user). */
static void count(const struct caller *c, const struct ota_proof_in *in, bool good)
{
    const struct ota_callers_conf *conf = &c->callers->conf;
    struct slice user = md5_user(in);

    if (good)
        sec_penalty_clear(conf->penalty, net_httpc_ip(c->conn));
    else
        sec_penalty_fail(conf->penalty, net_httpc_ip(c->conn), in->now_ms);
    if (conf->users && user.n && good)
        sec_penalty_clear(conf->users, user);
    else if (conf->users && user.n)
        sec_penalty_fail(conf->users, user, in->now_ms);
}

/* Guessing slows its source, which a good login clears; who logs in by nothing that can be guessed is not held up by
 * its neighbours behind the same address. */
static enum err prove(struct caller *c, const struct ota_proof_in *in)
{
    const struct ota_callers_conf *conf = &c->callers->conf;
    enum err e;

    if (!conf->penalty || !in->authorization.n)
        return ota_proof_check(conf->guard, in);
    if (must_wait(c, in))
        return ERR_LATE;
    e = ota_proof_check(conf->guard, in);
    if (e == ERR_DENIED || (!e && ota_proof_is_login(in)))
        count(c, in, !e);
    return e;
}

/* ERR_AGAIN: challenge once more. */
static enum err check(struct caller *c, const struct net_http_msg *m, const struct ota_registration *r,
                      struct ota_proof_in *in)
{
    const struct ota_callers_conf *conf = &c->callers->conf;
    enum err e;

    in->terminal = c->terminal;
    in->tls = c->tls;
    in->stated = r->terminal_id;
    in->authorization = net_http_header(m, SLICE("X-Wap-Authorization"), NULL);
    in->realm = conf->realm;
    in->now_ms = clk_mono_ms(conf->env->net->clk);
    in->logins = conf->logins;
    in->session = &c->session;
    e = prove(c, in);
    if (!e)
        c->proof = ota_proof_name(in);
    return e == ERR_DENIED && in->authorization.n == 0 ? ERR_AGAIN : e;
}

static void registered(struct caller *c, const struct net_http_msg *m)
{
    struct ota_registration r;
    struct ota_proof_in in = {.terminal = NULL};
    enum err e = ota_registration_read(m, &r);

    if (e || (r.status != 0 && r.status != 500 && r.status != 501)) {
        send_away(c, "registration answer breaks the protocol");
        return;
    }
    look_up(c, &r, &in);
    if (!c->terminal) {
        send_away(c, "nobody who may call in");
        return;
    }
    e = check(c, m, &r, &in);
    if (!e && c->offer_tls && has_tls(c))
        send_away(c, "it has TLS");
    else if (!e)
        hand_on(c, m, &r);
    else if ((e == ERR_AGAIN || e == ERR_DENIED) && c->asked < ASK_MAX)
        ask(c);
    else
        send_away(c, e == ERR_UNSUPPORTED ? "not over this transport"
                     : e == ERR_LATE      ? "too many failed logins"
                                          : "not proved");
}

/* Is it a mac, or a login, that we have for it? */
static bool wants_known(struct caller *c, const struct net_http_msg *m)
{
    const struct ota_terminal *t = c->terminal;

    if (sec_mac_keys_any(&t->mac.keys) && !ota_login_mac(m, &c->mac))
        return true;
    return t->login.user.n && !ota_login_challenged(&c->login, m, c->tls);
}

/* It wants us to prove ourselves first, and says to whom. */
static void wants_login(struct caller *c, const struct net_http_msg *m)
{
    struct ota_registration r;
    struct ota_proof_in in = {.terminal = NULL};

    if (!ota_registration_read(m, &r))
        look_up(c, &r, &in);
    if (c->terminal && c->asked < ASK_MAX && wants_known(c, m))
        ask(c);
    else
        send_away(c, "our login is refused");
}

static void on_answer(enum err e, const struct net_http_msg *m, bool sent, void *arg)
{
    struct caller *c = arg;

    (void)sent;
    if (e) {
        const char *tls = net_httpc_tls_why(c->conn);

        send_away(c, *tls ? tls : err_text(e));
    } else if (m->status == 401) {
        wants_login(c, m);
    } else if (m->status == 200 || m->status == 204) {
        registered(c, m);
    } else if (m->status == 426 && c->offer_tls) {
        LOG(net_of(c)->log, LOG_INFO, "ota.call.upgrade", LOG_C("from", net_httpc_address(c->conn)));
        net_httpc_close(c->conn);
    } else {
        send_away(c, "no registration");
    }
}

/* --- the door --- */

/* TLS may know already who it is. */
static void on_opened(struct net_httpc *conn, void *arg)
{
    struct ota_registration nothing = {.status = 0};
    struct caller *c = arg;
    struct ota_proof_in in = {.terminal = NULL};

    (void)conn;
    look_up(c, &nothing, &in);
    c->by_tls = in.by_psk || in.by_certificate;
    find_tag(c);
    ask(c);
}

void ota_callers_take(struct ota_callers *cs, uv_os_sock_t fd, struct net_gate_seat *seat,
                      struct net_tls_ctx *tls, bool offer_tls)
{
    const struct ota_env *env = cs->conf.env;
    struct net_httpc_conf conf = {
        .tls = tls,
        .limits = {.head_max_n = HEAD_MAX_N,
                   .headers_max = HEADERS_MAX,
                   .value_max_n = VALUE_MAX_N,
                   .target_max_n = VALUE_MAX_N,
                   .body_max_n = BODY_MAX_N,
                   .head_ms = env->response_ms,
                   .idle_ms = env->response_ms,
                   .handshake_ms = env->connect_ms},
        .connect_ms = env->connect_ms,
        .idle_ms = env->response_ms,
        .pipeline_max = 1,
        .opened = on_opened,
        .closed = on_closed,
    };
    struct caller *c = cs->ended ? NULL : calloc(1, sizeof *c);

    conf.arg = c;
    if (!c || net_httpc_adopt(env->net, fd, &conf, &c->conn)) {
        free(c);
        (void)close(fd);
        if (seat)
            net_gate_leave(cs->conf.gate, seat);
        return;
    }
    c->callers = cs;
    c->seat = seat;
    c->tls = tls != NULL;
    c->offer_tls = offer_tls;
    ota_login_init(&c->login);
    list_push_back(&cs->at_door, &c->at);
    cs->n++;
}

size_t ota_callers_n(const struct ota_callers *cs)
{
    return cs->n;
}

enum err ota_callers_create(const struct ota_callers_conf *conf, struct ota_callers **out)
{
    struct ota_callers *cs = calloc(1, sizeof *cs);

    if (!cs)
        return ERR_NOMEM;
    cs->conf = *conf;
    list_init(&cs->at_door);
    net_task_init(&cs->end, end_run);
    *out = cs;
    return ERR_OK;
}

void ota_callers_close(struct ota_callers *cs, void (*closed)(void *arg), void *arg)
{
    cs->ended = true;
    cs->closed = closed;
    cs->closed_arg = arg;
    LIST_EACH_SAFE (at, &cs->at_door)
        net_httpc_close(container_of(at, struct caller, at)->conn);
    if (cs->n == 0)
        net_hub_defer(cs->conf.env->net->hub, &cs->end);
}
