/* The story of a POST: begin() opens a connection and queues the request; done() judges the response, and may send it once more
 * with a mac; closed() either begins again with credentials or leaves, and the loop runs dry.  See post.h. */
#include "ppg/tool/post.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/net/httpc.h"
#include "base/net/hub.h"
#include "base/net/uri.h"
#include "ppg/tool/net.h"
#include "security/login/basic.h"
#include "security/login/digest.h"
#include "security/login/mac.h"

#define SYSTEM_CA      "/etc/ssl/certs/ca-certificates.crt"
#define PASSWORD_MAX_N 1024u
#define TOKEN_MAX_N    16384u
#define OFFERS_MAX     8 /* WWW-Authenticate lines looked at */
#define MEM_MAX_N      65536u

struct post {
    const struct tool_post *in;
    struct net_uri uri;
    struct tool_loop loop;
    struct net_tls_ctx *tls;
    struct net_httpc *c;
    struct net_httpc_req *req;
    struct net_timer deadline;
    struct arena mem;
    struct buf authorization; /* what the second try brings along */
    struct buf mac;           /* likewise, on the same connection */
    bool again;               /* begin once more when this connection is gone */
    bool resend;              /* once more on this one */
    bool digest;              /* ha1 and sent say what was proved */
    struct sec_secret ha1;
    struct sec_digest_response sent;
    struct tool_posted *answer;
    char *why;
    int exit;
};

static const struct net_http_limits limits = {
    .head_max_n = 65536,
    .headers_max = 100,
    .value_max_n = 16384,
    .target_max_n = 8192,
    .body_max_n = 64u << 20,
};

static void outcome(struct post *p, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void outcome(struct post *p, int status, const char *fmt, ...)
{
    va_list ap;

    p->exit = status;
    va_start(ap, fmt);
    (void)vsnprintf(p->why, TOOL_WHY_N, fmt, ap);
    va_end(ap);
}

static struct slice first_line(struct slice text)
{
    struct slice line, rest;

    (void)slice_cut(text, '\n', &line, &rest);
    if (slice_ends(line, SLICE("\r")))
        line.n--;
    return line;
}

/* The first line of the password file. */
static enum err password_read(struct post *p, struct buf *out, struct slice *password)
{
    enum err e = tool_read(p->in->password_file, out);

    if (e) {
        outcome(p, TOOL_USAGE, "%.120s: %s", p->in->password_file, tool_read_why(e));
        return e;
    }
    *password = first_line(buf_slice(out));
    return ERR_OK;
}

static enum err cnonce_make(struct post *p, struct slice *out)
{
    struct buf hex;
    enum err e;

    buf_init(&hex, SEC_DIGEST_CNONCE_N);
    e = sec_digest_cnonce(&hex);
    if (!e)
        e = arena_dup(&p->mem, buf_slice(&hex), out);
    buf_clear(&hex);
    return e;
}

/* The Authorization for one offer, whose slices live as long as `mem`. */
static enum err digest_answer(struct post *p, const struct sec_digest_offer *offer, struct slice password)
{
    struct slice user = slice_str(p->in->user), cnonce;
    struct sec_digest_request request = {
        .method = SLICE("POST"), .uri = p->uri.target, .body = p->in->body, .body_known = true};
    enum err e;

    if ((e = sec_digest_ha1(offer->algorithm, user, offer->realm, password, &p->ha1)) ||
        (e = cnonce_make(p, &cnonce)))
        return e;
    e = sec_digest_answer(offer, user, &p->ha1, &request, cnonce, 1, &p->authorization, &p->sent);
    p->digest = !e;
    return e;
}

/* WWW-Authenticate values, copied to where they outlive the response. */
static size_t offers_keep(struct post *p, const struct net_http_msg *m, struct slice offers[OFFERS_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < m->headers_n && n < OFFERS_MAX; i++)
        if (slice_eq_ci(m->headers[i].name, SLICE("WWW-Authenticate")) &&
            !arena_dup(&p->mem, m->headers[i].value, &offers[n]))
            n++;
    return n;
}

static bool basic_offered(const struct slice *offers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct slice list = offers[i], item;

        while (slice_item(&list, &item))
            if (slice_starts_ci(item, SLICE("Basic ")) || slice_eq_ci(item, SLICE("Basic")))
                return true;
    }
    return false;
}

static void challenged_basic(struct post *p, struct slice password)
{
    if (!p->in->basic)
        outcome(p, TOOL_REFUSED, "the gateway offers only Basic; --basic allows it");
    else if (!p->uri.https)
        outcome(p, TOOL_REFUSED, "Basic needs TLS");
    else if (sec_basic_print(slice_str(p->in->user), password, &p->authorization))
        outcome(p, TOOL_SELF, "the user's name has a colon, or it or the password is too long");
    else
        p->again = true;
}

/* --- x-syncml-hmac --- */

/* The key in that file, of one algorithm. */
static enum err mac_keys_read(struct post *p, struct slice *user, struct sec_mac_keys *keys)
{
    const char *option = p->in->mac ? p->in->mac : p->in->mac_md5;
    struct slice line, kept;
    struct buf text;
    enum err e;

    buf_init(&text, PASSWORD_MAX_N);
    (void)buf_room(&text, PASSWORD_MAX_N); /* growth would leave copies behind */
    e = tool_login(option, &text, &kept, &line);
    if (!e && p->in->mac)
        e = sec_secret_set_hex(&keys->key[SEC_MAC_SHA256], line);
    else if (!e)
        e = sec_mac_inner(kept, line, &keys->key[SEC_MAC_MD5]);
    if (!e && p->in->mac && keys->key[SEC_MAC_SHA256].n != SEC_MAC_KEY_N)
        e = ERR_MALFORMED;
    buf_wipe(&text);
    if (e)
        outcome(p, TOOL_USAGE, "%.120s: %s: %s", option,
                p->in->mac ? "no key of 64 hexadecimal digits" : "no password", err_text(e));
    else
        *user = kept;
    return e;
}

static enum err mac_answer(struct post *p, struct slice nonce)
{
    struct sec_mac_keys keys = {.key = {{.n = 0}}};
    struct slice user;
    enum err e = mac_keys_read(p, &user, &keys);

    if (e)
        return e;
    e = sec_mac_print(user, &keys, nonce, &p->in->body, 1, &p->mac);
    sec_mac_keys_clear(&keys);
    if (e)
        outcome(p, TOOL_USAGE, "--mac: %s", err_text(e));
    return e;
}

/* Its nonce is good for this connection alone. */
static void challenged_mac(struct post *p, const struct slice *offers, size_t n, bool keep_alive)
{
    struct sec_mac_nonce nonce = {.n = 0};

    for (size_t i = 0; i < n && !nonce.n; i++)
        if (sec_mac_challenged(offers[i], &nonce))
            nonce.n = 0;
    if (!nonce.n)
        outcome(p, TOOL_REFUSED, "the gateway asks for no mac");
    else if (!keep_alive)
        outcome(p, TOOL_REFUSED, "the gateway ends the connection that its challenge is for");
    else
        p->resend = !mac_answer(p, slice_of(nonce.p, nonce.n));
}

/* --- what the gateway said --- */

/* The first 401: the second try brings what it asks for. */
static void challenged(struct post *p, const struct net_http_msg *m)
{
    struct slice offers[OFFERS_MAX], password;
    size_t n = offers_keep(p, m, offers);
    struct sec_digest_offer offer;
    struct buf secret;
    enum err e;

    if (p->in->mac || p->in->mac_md5) {
        challenged_mac(p, offers, n, m->keep_alive);
        return;
    }
    buf_init(&secret, PASSWORD_MAX_N);
    (void)buf_room(&secret, PASSWORD_MAX_N);
    if (!p->in->user) {
        outcome(p, TOOL_REFUSED,
                "the gateway wants to know who we are; --user and --password-file tell, or --mac");
    } else if (!password_read(p, &secret, &password)) {
        e = sec_digest_choose(offers, n, &offer);
        if (e == ERR_OK)
            e = digest_answer(p, &offer, password);
        if (e == ERR_OK)
            p->again = true;
        else if (e == ERR_ABSENT && basic_offered(offers, n))
            challenged_basic(p, password);
        else
            outcome(p, TOOL_REFUSED, "the gateway's challenge: %s", err_text(e));
    }
    buf_wipe(&secret);
}

/* Does the gateway know the password too?  It need not say. */
static bool gateway_proved(struct post *p, const struct net_http_msg *m)
{
    size_t n;
    struct slice info = net_http_header(m, SLICE("Authentication-Info"), &n);
    enum err e = ERR_ABSENT;

    if (p->digest && n)
        e = sec_digest_check_info(info, &p->sent, &p->ha1, m->body);
    return e == ERR_OK || e == ERR_ABSENT;
}

static void accepted(struct post *p, const struct net_http_msg *m)
{
    enum err e;

    if (!gateway_proved(p, m)) {
        outcome(p, TOOL_REFUSED, "the gateway does not know the password: Authentication-Info is wrong");
        return;
    }
    buf_add(&p->answer->type, net_http_header(m, SLICE("Content-Type"), NULL));
    buf_add(&p->answer->body, m->body);
    e = buf_err(&p->answer->type) ? buf_err(&p->answer->type) : buf_err(&p->answer->body);
    if (e)
        outcome(p, TOOL_SELF, "the answer: %s", err_text(e));
    else
        p->exit = TOOL_OK;
}

static void judge(struct post *p, const struct net_http_msg *m)
{
    unsigned s = m->status;

    if (s >= 200 && s < 300)
        accepted(p, m);
    else if (s == 401 && p->authorization.n == 0 && p->mac.n == 0)
        challenged(p, m);
    else if (s == 401 || s == 403)
        outcome(p, TOOL_REFUSED, "HTTP %u %s", s, net_http_reason(s));
    else if (s == 429 || s == 503)
        outcome(p, TOOL_REACH, "HTTP %u %s", s, net_http_reason(s));
    else
        outcome(p, TOOL_FAULT, "HTTP %u %s", s, net_http_reason(s));
}

static void failed(struct post *p, enum err e)
{
    const char *tls = net_httpc_tls_why(p->c);
    int status = e == ERR_DENIED                        ? TOOL_REFUSED
                 : e == ERR_MALFORMED || e == ERR_LIMIT ? TOOL_FAULT
                 : e == ERR_NOMEM                       ? TOOL_SELF
                                                        : TOOL_REACH;

    if (e == ERR_LATE)
        outcome(p, status, "no answer in %" PRId64 " ms", p->in->timeout_ms);
    else if (*tls)
        outcome(p, status, "%.120s: tls %s", p->in->url, tls);
    else
        outcome(p, status, "%.120s: %s", p->in->url, e == ERR_ABSENT ? "no such host" : err_text(e));
}

static enum err send_it(struct post *p);

static void done(enum err err, const struct net_http_msg *msg, bool sent, void *arg)
{
    struct post *p = arg;

    (void)sent;
    p->req = NULL;
    if (err)
        failed(p, err);
    else
        judge(p, msg);
    if (p->resend) {
        p->resend = false;
        err = send_it(p);
        if (!err)
            return;
        outcome(p, TOOL_SELF, "%s", err_text(err));
    }
    net_httpc_close(p->c);
}

static void begin(struct post *p);

static void closed(struct net_httpc *c, enum err why, void *arg)
{
    struct post *p = arg;

    (void)c;
    (void)why;
    p->c = NULL;
    if (p->again)
        begin(p);
    else
        net_hub_timer_stop(p->loop.env.hub, &p->deadline);
}

static void head_print(const struct post *p, struct buf *out)
{
    bool v6 = slice_find(p->uri.host, ':') != SIZE_MAX;

    net_http_print_request(out, SLICE("POST"), p->uri.target);
    buf_addf(out, "Host: %s%.*s%s:%u\r\n", v6 ? "[" : "", SLICE_FMT(p->uri.host), v6 ? "]" : "", p->uri.port);
    net_http_print_header(out, SLICE("User-Agent"), SLICE("pap-push/" PPG_VERSION));
    net_http_print_header(out, SLICE("Content-Type"), p->in->content_type);
    if (p->authorization.n)
        net_http_print_header(out, SLICE("Authorization"), buf_slice(&p->authorization));
    if (p->mac.n)
        net_http_print_header(out, SLICE(SEC_MAC_HEADER), buf_slice(&p->mac));
    buf_addf(out, "Content-Length: %zu\r\n\r\n", p->in->body.n);
}

static enum err send_it(struct post *p)
{
    struct buf head;
    enum err e;

    buf_init(&head, MEM_MAX_N);
    head_print(p, &head);
    e = buf_err(&head);
    if (!e)
        e = net_httpc_send(p->c, buf_slice(&head), p->in->body, p->in->timeout_ms, done, p, &p->req);
    buf_wipe(&head);
    return e;
}

static void begin(struct post *p)
{
    struct net_httpc_conf conf = {.host = p->uri.host,
                                  .port = p->uri.port,
                                  .tls = p->tls,
                                  .limits = limits,
                                  .connect_ms = p->in->timeout_ms,
                                  .pipeline_max = 1,
                                  .closed = closed,
                                  .arg = p};
    enum err e = net_httpc_create(&p->loop.env, &conf, &p->c);

    p->again = false;
    if (e) {
        outcome(p, TOOL_USAGE, "%s", err_text(e));
        net_hub_timer_stop(p->loop.env.hub, &p->deadline);
        return;
    }
    e = send_it(p);
    if (e) {
        outcome(p, e == ERR_NOMEM ? TOOL_SELF : TOOL_USAGE, "%s", err_text(e));
        net_httpc_close(p->c);
    }
}

static void late(struct net_timer *timer)
{
    struct post *p = container_of(timer, struct post, deadline);

    if (p->again)
        outcome(p, TOOL_REACH, "no answer in %" PRId64 " ms", p->in->timeout_ms);
    p->again = false;
    if (p->req)
        net_httpc_cancel(p->req);
}

/* A context whose two ends share a key; there are no certificates then. */
static enum err psk_make(struct post *p, struct net_tls_conf conf)
{
    struct sec_secret key;
    struct buf text;
    enum err e;

    sec_secret_init(&key);
    buf_init(&text, PASSWORD_MAX_N);
    (void)buf_room(&text, PASSWORD_MAX_N); /* growth would leave copies behind */
    e = tool_read(p->in->psk_file, &text);
    if (!e)
        e = sec_secret_set_hex(&key, first_line(buf_slice(&text)));
    if (e)
        outcome(p, TOOL_USAGE, "%.120s: no key in hexadecimal: %s", p->in->psk_file, err_text(e));
    conf.verify = NET_TLS_VERIFY_NONE;
    conf.version_min = 13; /* a key is good for one version (RFC 9257 §4) */
    conf.psk_identity = slice_str(p->in->psk_identity);
    conf.psk_key = sec_secret_slice(&key);
    if (!e)
        e = tool_tls(conf, NULL, NULL, NULL, &p->tls, p->why);
    sec_secret_clear(&key);
    buf_wipe(&text);
    return e;
}

static enum err tls_make(struct post *p)
{
    struct net_tls_conf conf = {
        .role = NET_TLS_CLIENT, .verify = NET_TLS_VERIFY_REQUIRED, .version_min = 12, .alpn_http11 = true};

    return p->in->psk_identity
               ? psk_make(p, conf)
               : tool_tls(conf, p->in->cert, p->in->key, p->in->ca ? p->in->ca : SYSTEM_CA, &p->tls, p->why);
}

/* RFC 6750 §2.1: brought along at once, for a token needs no challenge; never without TLS (§5.3). */
static enum err token_read(struct post *p)
{
    struct buf text;
    struct slice token;
    enum err e;

    buf_init(&text, TOKEN_MAX_N);
    (void)buf_room(&text, TOKEN_MAX_N); /* growth would leave copies behind */
    (void)buf_room(&p->authorization, TOKEN_MAX_N);
    e = tool_read(p->in->token_file, &text);
    token = slice_trim(first_line(buf_slice(&text)));
    if (!e && (token.n == 0 || slice_printable_n(token) != token.n))
        e = ERR_MALFORMED;
    if (e)
        outcome(p, TOOL_USAGE, "%.120s: no token: %s", p->in->token_file, err_text(e));
    buf_add_str(&p->authorization, "Bearer ");
    buf_add(&p->authorization, token);
    buf_wipe(&text);
    return e;
}

static void run(struct post *p)
{
    if (tool_loop_open(&p->loop)) {
        outcome(p, TOOL_SELF, "out of memory");
        return;
    }
    net_timer_init(&p->deadline, late);
    net_hub_timer_set(p->loop.env.hub, &p->deadline, p->in->timeout_ms);
    begin(p);
    tool_loop_close(&p->loop);
}

/* What the options must not mix; NULL: nothing. */
static const char *fault_of(const struct tool_post *in, const struct net_uri *uri)
{
    if (!in->user != !in->password_file)
        return "--user and --password-file go together";
    if (!in->psk_identity != !in->psk_file || (in->psk_identity && (in->cert || in->ca)))
        return "--psk-identity and --psk-file go together, and without certificates";
    if (in->token_file && in->user)
        return "--token-file and --user are two ways to say one thing: leave one out";
    if ((in->mac || in->mac_md5) && (in->user || in->token_file || (in->mac && in->mac_md5)))
        return "--mac, --mac-md5, --user and --token-file are ways to say one thing: leave all but one out";
    if (in->token_file && !uri->https)
        return "--token-file needs a https URL";
    return NULL;
}

int tool_post(const struct tool_post *in, struct tool_posted *answer, char why[TOOL_WHY_N])
{
    struct post p = {.in = in, .answer = answer, .why = why, .exit = TOOL_USAGE};
    const char *fault = net_uri_parse(slice_str(in->url), &p.uri) ? "--url: not a http or https URL" : NULL;

    why[0] = 0;
    if (!fault)
        fault = fault_of(in, &p.uri);
    if (fault) {
        outcome(&p, TOOL_USAGE, "%s", fault);
        return p.exit;
    }
    arena_init(&p.mem, 4096, MEM_MAX_N);
    buf_init(&p.authorization, MEM_MAX_N);
    buf_init(&p.mac, SEC_MAC_HEADER_MAX_N);
    sec_secret_init(&p.ha1);
    if ((!in->token_file || !token_read(&p)) && (!p.uri.https || !tls_make(&p)))
        run(&p);
    net_tls_ctx_free(&p.tls);
    sec_secret_clear(&p.ha1);
    buf_wipe(&p.authorization);
    buf_clear(&p.mac);
    arena_clear(&p.mem);
    return p.exit;
}
