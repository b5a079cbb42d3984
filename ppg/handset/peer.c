/* One-time keys between kits; see peer.h.  The caller asks as a gateway would, OPTIONS, and takes no answer without proof. */
#include "ppg/handset/peer.h"

#include <unistd.h>
#include "base/codec.h"
#include "base/net/httpc.h"
#include "base/net/uri.h"
#include "ota/terminal/login.h"
#include "ppg/handset/heard.h"
#include "ppg/tool/net.h"
#include "ppg/handset/terminal.h"
#include "security/keyring.h"

#define ANSWER_MS  15000
#define HEAD_MAX_N 4096u
#define PATH       "/wappush"

/* --- the key --- */

void tool_peer_key_init(struct tool_peer_key *k)
{
    *k = (struct tool_peer_key){.name = SLICE_NONE};
    sec_secret_init(&k->psk);
    buf_init(&k->password, 64);
}

void tool_peer_key_clear(struct tool_peer_key *k)
{
    sec_secret_clear(&k->psk);
    buf_wipe(&k->password);
}

static enum err derive(const struct sec_secret *key, struct tool_peer_key *k)
{
    struct sec_secret password;
    enum err e;

    if (key->n < TOOL_PEER_KEY_MIN_N)
        return ERR_LIMIT;
    sec_secret_init(&password);
    e = sec_key_derive(sec_secret_slice(key), "psk-tls", k->name, &k->psk);
    if (!e)
        e = sec_key_derive(sec_secret_slice(key), "digest", k->name, &password);
    (void)buf_room(&k->password, 64); /* growth would leave a copy behind */
    codec_base64(&k->password, sec_secret_slice(&password));
    sec_secret_clear(&password);
    return e ? e : buf_err(&k->password);
}

enum err tool_peer_key_read(const char *option, struct tool_peer_key *k, char why[TOOL_WHY_N])
{
    struct sec_secret key;
    enum err e;

    sec_secret_init(&key);
    e = tool_psk(option, &k->name, &key, why);
    if (!e) {
        k->file = option + k->name.n + 1;
        e = derive(&key, k);
        if (e)
            (void)snprintf(why, TOOL_WHY_N, "%.120s: %s", k->file,
                           e == ERR_LIMIT ? "less than 32 hexadecimal digits" : err_text(e));
    }
    sec_secret_clear(&key);
    return e;
}

enum err tool_peer_key_spend(const struct tool_peer_key *k)
{
    return unlink(k->file) ? ERR_IO : ERR_OK;
}

/* --- the caller --- */

struct peer {
    const struct tool_terminal_options *o;
    struct tool_loop loop;
    struct net_uri uri;
    struct tool_peer_key key;
    struct net_tls_ctx *tls;
    struct kit_login *login;
    struct net_httpc *conn;
    struct net_httpc_req *req;
    int exit;
};

static void fail(struct peer *p, const char *why)
{
    (void)tool_terminal_complain("peer", why);
    p->exit = TOOL_TERMINAL_LATE;
}

static enum err ask(struct peer *p);

static void tell(struct peer *p)
{
    struct buf name;

    buf_init(&name, HEAD_MAX_N);
    codec_json(&name, p->key.name);
    if (p->o->json)
        (void)printf("{\"event\":\"peer\",\"name\":%.*s,\"tls\":true,\"proofs\":[\"psk\",\"digest\"]}\n",
                     SLICE_FMT(buf_slice(&name)));
    else
        (void)printf("peer %.*s is who it must be, and so are we\n", SLICE_FMT(buf_slice(&name)));
    buf_clear(&name);
    (void)fflush(stdout);
    p->exit = TOOL_TERMINAL_OK;
}

static void on_answer(enum err e, const struct net_http_msg *m, bool sent, void *arg)
{
    struct peer *p = arg;
    const char *tls = net_httpc_tls_why(p->conn);
    enum kit_login_word word = e ? KIT_LOGIN_REFUSED : tool_login_heard(p->login, m);

    (void)sent;
    if (word == KIT_LOGIN_AGAIN && !ask(p))
        return;
    if (e)
        fail(p, tls[0] ? tls : err_text(e));
    else if (word != KIT_LOGIN_GOOD)
        fail(p, word == KIT_LOGIN_IMPOSTOR ? "it does not prove that it has the key"
                                           : "it does not take our proof");
    else if (m->status / 100 != 2)
        fail(p, "it is no kit");
    else
        tell(p);
    net_httpc_close(p->conn);
}

static enum err ask(struct peer *p)
{
    const struct sec_digest_request request = {SLICE("OPTIONS"), SLICE(PATH), SLICE_NONE, true};
    bool v6 = slice_find(p->uri.host, ':') < p->uri.host.n;
    struct buf head;
    enum err e;

    buf_init(&head, HEAD_MAX_N);
    buf_addf(&head, "OPTIONS " PATH " HTTP/1.1\r\nHost: %s%.*s%s:%u\r\n", v6 ? "[" : "",
             SLICE_FMT(p->uri.host), v6 ? "]" : "", p->uri.port);
    net_http_print_header(&head, SLICE("User-Agent"), SLICE("push-terminal/" PPG_VERSION));
    buf_add_str(&head, "X-Wap-Push-OTA-Version: 1.0\r\nContent-Length: 0\r\n");
    e = kit_login_print(p->login, &request, &head);
    buf_add_str(&head, "\r\n");
    if (!e)
        e = buf_err(&head);
    if (!e)
        e = net_httpc_send(p->conn, buf_slice(&head), SLICE_NONE, ANSWER_MS, on_answer, p, &p->req);
    buf_wipe(&head);
    return e;
}

static void opened(struct net_httpc *c, void *arg)
{
    struct peer *p = arg;

    if (!tool_peer_key_spend(&p->key))
        return;
    fail(p, "the key's file cannot be taken away");
    net_httpc_abort(c);
}

static enum err make(struct peer *p, char why[TOOL_WHY_N])
{
    struct net_tls_conf tls = {
        .role = NET_TLS_CLIENT, .verify = NET_TLS_VERIFY_NONE, .version_min = 13, .alpn_http11 = true};
    struct kit_login_conf login = {.mutual = true};
    enum err e;

    (void)snprintf(why, TOOL_WHY_N, "--gateway: not https://HOST:PORT");
    if (net_uri_parse(slice_str(p->o->gateway), &p->uri) || !p->uri.https)
        return ERR_MALFORMED;
    e = tool_peer_key_read(p->o->peer_key, &p->key, why);
    if (e)
        return e;
    tls.psk_identity = login.user = p->key.name;
    tls.psk_key = sec_secret_slice(&p->key.psk);
    login.password = buf_slice(&p->key.password);
    e = tool_tls(tls, NULL, NULL, NULL, &p->tls, why);
    if (!e)
        e = kit_login_create(&login, &p->login);
    return e;
}

static void call(struct peer *p)
{
    const struct net_httpc_conf conf = {.host = p->uri.host,
                                        .port = p->uri.port,
                                        .tls = p->tls,
                                        .limits = {.head_max_n = HEAD_MAX_N,
                                                   .headers_max = TOOL_HEARD_HEADERS_MAX,
                                                   .value_max_n = 1024,
                                                   .target_max_n = 256,
                                                   .body_max_n = HEAD_MAX_N},
                                        .connect_ms = ANSWER_MS,
                                        .pipeline_max = 1,
                                        .opened = opened,
                                        .arg = p};
    enum err e = net_httpc_create(&p->loop.env, &conf, &p->conn);

    if (e) {
        fail(p, err_text(e));
        return;
    }
    e = ask(p);
    if (e) {
        fail(p, err_text(e));
        net_httpc_close(p->conn);
    }
}

int tool_peer_run(const struct tool_terminal_options *o)
{
    struct peer p = {.o = o, .exit = TOOL_TERMINAL_USAGE};
    char why[TOOL_WHY_N];

    tool_peer_key_init(&p.key);
    if (make(&p, why)) {
        (void)tool_terminal_complain(why, "");
    } else if (tool_loop_open(&p.loop)) {
        (void)tool_terminal_complain("out of memory", "");
    } else {
        call(&p);
        tool_loop_close(&p.loop);
    }
    kit_login_free(&p.login);
    net_tls_ctx_free(&p.tls);
    tool_peer_key_clear(&p.key);
    return p.exit;
}
