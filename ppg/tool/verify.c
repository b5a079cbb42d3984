/* Questions to the home function; see verify.h.  Each is a request of its own; a login costs a second one, with what the
 * first was answered by a 401.  A question that needs a key which is not there yet waits for it; one whose key is not
 * known any more waits for the next, once.  Anything but a clear yes is no. */
#include "ppg/tool/verify.h"

#include <jansson.h>
#include <stdlib.h>
#include "base/net/httpc.h"
#include "base/net/uri.h"
#include "ota/headers.h"
#include "ota/sia.h"
#include "ota/terminal/login.h"
#include "pap/time.h"
#include "ppg/tool/visit.h"

#define PATH          "/sec/v1/verify"
#define QUESTIONS_MAX 8
#define ANSWER_MS     15000
#define HEAD_MAX_N    16384u
#define BODY_MAX_N    4096u
#define SECRET_MAX_N  1024u
#define HEADERS_MAX   64

struct tool_verify {
    struct tool_verify_conf conf;
    struct net_uri home;
    struct net_tls_ctx *tls;
    struct net_httpc_pool *pool;
    struct tool_visit *visit;
    struct buf password;
    struct slice user, login_password; /* user n 0: none */
    struct list waiting;               /* for a bootstrapped key: struct question */
    size_t open;                       /* questions */
    bool ended;
};

struct question {
    struct list link;
    struct tool_verify *verify;
    unsigned place;
    struct buf body;
    struct kit_login *login;
    bool rekeyed; /* it waited for another key already */
};

/* --- answers --- */

/* A genuine one, which has waited for this. */
static void follow(struct tool_verify *v, const struct kit_push *push)
{
    enum err e = ERR_OK;

    if (slice_eq_ci(ota_type_bare(push->content_type), SLICE(OTA_SIA_TYPE)))
        e = tool_visit_go(v->visit, push->body);
    if (e)
        LOG(v->conf.env->log, LOG_WARN, "visit.fail", LOG_C("why", err_text(e)));
}

static void tell(struct tool_verify *v, unsigned place, const struct kit_verified *said)
{
    const char *reason;
    struct kit_push push;
    enum kit_event ev = kit_verify_done(v->conf.kit, place, said, &push, &reason);

    if (ev == KIT_CONNECT)
        follow(v, &push);
    v->conf.told(ev, ev == KIT_CONNECT ? &push : NULL, reason, v->conf.arg);
}

static void end(struct question *q, const struct kit_verified *said)
{
    q->verify->open--;
    if (!q->verify->ended)
        tell(q->verify, q->place, said);
    list_remove(&q->link);
    kit_login_free(&q->login);
    buf_clear(&q->body);
    free(q);
}

/* {"valid": true, "not_after": TIME}; no member may be missing or stand twice. */
static void read_answer(struct slice body, struct kit_verified *said)
{
    json_t *o = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *valid = json_object_get(o, "valid"), *until = json_object_get(o, "not_after");

    said->answered = json_is_boolean(valid);
    said->valid = json_is_true(valid) && json_is_string(until) &&
                  !pap_time_parse(slice_of(json_string_value(until), json_string_length(until)), true,
                                  &said->not_after_s);
    json_decref(o);
}

static enum err ask(struct question *q);

/* A gateway that does not know the key in hand, or has lost it: there is another one soon. */
static bool wait_for_key(struct question *q)
{
    struct tool_verify *v = q->verify;

    if (!v->conf.boot || q->rekeyed || v->ended)
        return false;
    q->rekeyed = true;
    kit_login_free(&q->login);
    tool_boot_refused(v->conf.boot);
    list_push_back(&v->waiting, &q->link);
    return true;
}

static enum kit_login_word heard(struct question *q, const struct net_http_msg *m)
{
    struct kit_header headers[HEADERS_MAX];
    struct kit_heard a = {m->status, headers, 0, m->body};

    for (size_t i = 0; i < m->headers_n && a.headers_n < HEADERS_MAX; i++)
        headers[a.headers_n++] = (struct kit_header){m->headers[i].name, m->headers[i].value};
    return kit_login_heard(q->login, &a);
}

static const char *const why_not[] = {[KIT_LOGIN_GOOD] = "refused",
                                      [KIT_LOGIN_AGAIN] = "refused",
                                      [KIT_LOGIN_REFUSED] = "login refused",
                                      [KIT_LOGIN_IMPOSTOR] = "it does not prove itself"};

static void on_answer(enum err e, const struct net_http_msg *m, bool sent, void *arg)
{
    struct question *q = arg;
    struct tool_verify *v = q->verify;
    struct kit_verified said = {.now_s = clk_utc_ms(v->conf.env->clk) / 1000};
    enum kit_login_word word = e ? KIT_LOGIN_REFUSED : heard(q, m);
    const char *tls = net_httpc_pool_tls_why(v->pool);

    (void)sent;
    if (word == KIT_LOGIN_AGAIN && !v->ended && !ask(q))
        return;
    if (word == KIT_LOGIN_REFUSED && (!e || tls[0]) && wait_for_key(q))
        return;
    if (word == KIT_LOGIN_GOOD && m->status == 200)
        read_answer(m->body, &said);
    else
        LOG(v->conf.env->log, LOG_WARN, "verify.unanswered", LOG_I("status", e ? 0 : m->status),
            LOG_C("why", e ? err_text(e) : why_not[word]), LOG_C("tls", tls));
    end(q, &said);
}

/* --- questions --- */

static enum err print_head(struct question *q, struct buf *out)
{
    struct tool_verify *v = q->verify;
    bool v6 = slice_find(v->home.host, ':') < v->home.host.n;
    const struct sec_digest_request request = {SLICE("POST"), SLICE(PATH), buf_slice(&q->body), true};
    enum err e;

    buf_addf(out, "POST " PATH " HTTP/1.1\r\nHost: %s%.*s%s:%u\r\n", v6 ? "[" : "", SLICE_FMT(v->home.host),
             v6 ? "]" : "", v->home.port);
    net_http_print_header(out, SLICE("User-Agent"),
                          v->conf.boot ? SLICE("push-terminal/" PPG_VERSION " " KIT_BOOT_PRODUCT)
                                       : SLICE("push-terminal/" PPG_VERSION));
    net_http_print_header(out, SLICE("Content-Type"), SLICE("application/json"));
    if (v->conf.terminal_id.n)
        net_http_print_header(out, SLICE("X-Wap-Terminal-Id"), v->conf.terminal_id);
    buf_addf(out, "Content-Length: %zu\r\n", q->body.n);
    e = kit_login_print(q->login, &request, out);
    buf_add_str(out, "\r\n");
    return e ? e : buf_err(out);
}

static enum err make_login(struct question *q)
{
    const struct tool_verify *v = q->verify;
    const struct kit_login_conf conf = {
        .user = v->user, .password = v->login_password, .mutual = v->conf.home->mutual};

    if (q->login)
        return ERR_OK;
    return v->conf.boot && v->conf.home->ca ? tool_boot_login(v->conf.boot, &q->login)
                                            : kit_login_create(&conf, &q->login);
}

static enum err ask(struct question *q)
{
    struct tool_verify *v = q->verify;
    struct buf head;
    enum err e = make_login(q);

    buf_init(&head, HEAD_MAX_N);
    if (!e)
        e = print_head(q, &head);
    if (!e)
        e = net_httpc_pool_send(v->pool, v->home.host, v->home.port, true, buf_slice(&head),
                                buf_slice(&q->body), ANSWER_MS, on_answer, q);
    buf_wipe(&head);
    return e;
}

static enum err print_question(const struct kit_question *k, struct buf *out)
{
    json_t *o =
        json_pack("{s:s%, s:s%}", "token", k->token.p, k->token.n, "digest", k->digest.p, k->digest.n);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

    json_decref(o);
    if (!text)
        return ERR_NOMEM;
    buf_add_str(out, text);
    free(text);
    return buf_err(out);
}

static void begin(struct tool_verify *v, const struct kit_question *k)
{
    struct question *q = calloc(1, sizeof *q);
    const struct kit_verified nothing = {.answered = false};

    if (!q) {
        tell(v, k->place, &nothing);
        return;
    }
    v->open++;
    q->verify = v;
    q->place = k->place;
    list_init(&q->link);
    buf_init(&q->body, BODY_MAX_N);
    if (print_question(k, &q->body))
        end(q, &nothing);
    else if (v->conf.boot && !tool_boot_ready(v->conf.boot))
        list_push_back(&v->waiting, &q->link);
    else if (ask(q))
        end(q, &nothing);
}

void tool_verify_go(struct tool_verify *v)
{
    struct kit_question k;

    while (!v->ended && kit_verify_next(v->conf.kit, &k))
        begin(v, &k);
}

size_t tool_verify_open(const struct tool_verify *v)
{
    return v->open;
}

/* --- life --- */

static struct slice first_line(const struct buf *text)
{
    return slice_trim(slice_sub(buf_slice(text), 0, slice_find(buf_slice(text), '\n')));
}

/* --home-login: the password is the first line of its file. */
static enum err read_login(const char *option, struct buf *text, struct slice *user, char why[TOOL_WHY_N])
{
    struct slice file;
    enum err e = slice_cut(slice_str(option), ':', user, &file) && user->n ? ERR_OK : ERR_MALFORMED;

    (void)buf_room(text, SECRET_MAX_N); /* growth would leave copies behind */
    if (!e)
        e = tool_read(file.p, text);
    if (e)
        (void)snprintf(why, TOOL_WHY_N, "%.120s: %s", option, err_text(e));
    return e;
}

static const char *fault_of(const struct tool_verify *v, const struct net_uri *uri)
{
    const struct tool_home *h = v->conf.home;

    if (!uri->https || !slice_eq(uri->target, SLICE("/")))
        return "not https://HOST:PORT";
    if (h->psk && (h->ca || h->cert))
        return "--home-psk stands for certificates: neither --home-ca nor --home-cert";
    if (v->conf.boot && (h->psk || h->login))
        return "--bsf stands for --home-psk and --home-login";
    return !h->psk && !h->ca && !v->conf.boot ? "needs --home-ca or --home-psk: how it is known" : NULL;
}

static enum err make_visit(struct tool_verify *v, struct net_tls_ctx *tls)
{
    const struct tool_visit_conf visit = {.env = v->conf.env,
                                          .tls = tls,
                                          .limits = v->conf.limits,
                                          .request = v->conf.request,
                                          .arg = v->conf.arg};

    return tool_visit_create(&visit, &v->visit);
}

static void flush(struct tool_verify *v, bool keyed)
{
    const struct kit_verified nothing = {.answered = false};
    struct list all, *at;

    list_init(&all);
    list_splice_back(&all, &v->waiting);
    while ((at = list_pop_front(&all))) {
        struct question *q = container_of(at, struct question, link);

        if (!keyed || v->ended || ask(q))
            end(q, &nothing);
    }
}

void tool_verify_keyed(struct tool_verify *v)
{
    struct net_tls_ctx *tls;
    bool visits = true;

    if (!v || v->ended)
        return;
    tls = tool_boot_tls(v->conf.boot);
    if (!v->tls) {
        net_httpc_pool_set_tls(v->pool, tls);
        if (v->visit)
            tool_visit_set_tls(v->visit, tls);
        else
            visits = !make_visit(v, tls);
    }
    flush(v, visits);
}

void tool_verify_unkeyed(struct tool_verify *v)
{
    if (v)
        flush(v, false);
}

static enum err make_parts(struct tool_verify *v)
{
    const struct net_httpc_pool_conf conf = {.conn_max = QUESTIONS_MAX,
                                             .conn_per_host_max = QUESTIONS_MAX,
                                             .base = {.tls = v->tls,
                                                      .limits = {.head_max_n = HEAD_MAX_N,
                                                                 .headers_max = HEADERS_MAX,
                                                                 .value_max_n = 4096,
                                                                 .target_max_n = 256,
                                                                 .body_max_n = BODY_MAX_N},
                                                      .connect_ms = ANSWER_MS,
                                                      .pipeline_max = 1}};
    enum err e = v->tls ? make_visit(v, v->tls) : ERR_OK; /* else with the key, tool_verify_keyed() */

    if (!e)
        e = net_httpc_pool_create(v->conf.env, &conf, &v->pool);
    if (e)
        tool_visit_close(&v->visit);
    return e;
}

static enum err make(struct tool_verify *v, char why[TOOL_WHY_N])
{
    const struct tool_home *h = v->conf.home;
    const char *fault = net_uri_parse(slice_str(h->url), &v->home) ? "not a URL" : fault_of(v, &v->home);
    enum err e;

    if (fault) {
        (void)snprintf(why, TOOL_WHY_N, "--home: %s", fault);
        return ERR_MALFORMED;
    }
    e = h->login ? read_login(h->login, &v->password, &v->user, why) : ERR_OK;
    v->login_password = first_line(&v->password);
    if (!e)
        e = v->conf.boot && !h->ca ? ERR_OK /* tool_verify_keyed() */ : tool_home_tls(h, &v->tls, why);
    return e ? e : make_parts(v);
}

static void verify_free(struct tool_verify *v)
{
    net_tls_ctx_free(&v->tls);
    buf_wipe(&v->password);
    free(v);
}

enum err tool_verify_create(const struct tool_verify_conf *conf, struct tool_verify **out,
                            char why[TOOL_WHY_N])
{
    struct tool_verify *v = calloc(1, sizeof *v);
    enum err e;

    (void)snprintf(why, TOOL_WHY_N, "%s", err_text(ERR_NOMEM));
    if (!v)
        return ERR_NOMEM;
    v->conf = *conf;
    list_init(&v->waiting);
    buf_init(&v->password, SECRET_MAX_N);
    e = make(v, why);
    if (e)
        verify_free(v);
    else
        *out = v;
    return e;
}

static void pool_closed(void *arg)
{
    verify_free(arg);
}

void tool_verify_drain(struct tool_verify *v)
{
    if (!v)
        return;
    v->ended = true;
    flush(v, false);
    tool_visit_drain(v->visit);
}

void tool_verify_close(struct tool_verify **vp)
{
    struct tool_verify *v = *vp;

    *vp = NULL;
    if (!v)
        return;
    v->ended = true;
    flush(v, false);
    tool_visit_close(&v->visit);
    net_httpc_pool_close(v->pool, pool_closed, v);
}
