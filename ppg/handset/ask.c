/* Questions to the home function; see ask.h.  Anything but an answer of a home that proved itself as it must is none. */
#include "ppg/handset/ask.h"

#include <stdlib.h>
#include "base/net/httpc.h"
#include "base/net/uri.h"
#include "ota/terminal/login.h"
#include "ppg/handset/heard.h"

#define QUESTIONS_MAX 8
#define ANSWER_MS     15000
#define HEAD_MAX_N    16384u
#define SECRET_MAX_N  1024u

struct tool_ask {
    struct tool_ask_conf conf;
    struct net_uri home;
    struct net_tls_ctx *tls;
    struct net_httpc_pool *pool;
    struct buf password;
    struct slice user, login_password; /* user n 0: none */
    struct list waiting;               /* for a bootstrapped key: struct question */
    size_t open;                       /* questions */
    bool ended;
    void (*gone)(void *arg);
    void *gone_arg;
};

struct question {
    struct list link;
    struct tool_ask *ask;
    struct slice path;
    struct buf body;
    tool_answer_fn *answer;
    void *arg;
    struct kit_login *login;
    bool rekeyed; /* it waited for another key already */
};

/* --- answers --- */

static void question_free(struct question *q)
{
    q->ask->open--;
    list_remove(&q->link);
    kit_login_free(&q->login);
    buf_clear(&q->body);
    free(q);
}

static void end(struct question *q, const struct net_http_msg *m, const char *why)
{
    tool_answer_fn *answer = q->answer;
    void *arg = q->arg;

    question_free(q);
    answer(m, why, arg);
}

static enum err send_question(struct question *q);

/* A gateway that does not know the key in hand, or has lost it: there is another one soon. */
static bool wait_for_key(struct question *q)
{
    struct tool_ask *a = q->ask;

    if (!a->conf.boot || q->rekeyed || a->ended)
        return false;
    q->rekeyed = true;
    kit_login_free(&q->login);
    tool_boot_refused(a->conf.boot);
    list_push_back(&a->waiting, &q->link);
    return true;
}

static const char *const why_not[] = {[KIT_LOGIN_GOOD] = "refused",
                                      [KIT_LOGIN_AGAIN] = "refused",
                                      [KIT_LOGIN_REFUSED] = "login refused",
                                      [KIT_LOGIN_IMPOSTOR] = "it does not prove itself"};

static void on_answer(enum err e, const struct net_http_msg *m, bool sent, void *arg)
{
    struct question *q = arg;
    struct tool_ask *a = q->ask;
    enum kit_login_word word = e ? KIT_LOGIN_REFUSED : tool_login_heard(q->login, m);
    const char *tls = net_httpc_pool_tls_why(a->pool);

    (void)sent;
    if (word == KIT_LOGIN_AGAIN && !a->ended && !send_question(q))
        return;
    if (word == KIT_LOGIN_REFUSED && (!e || tls[0]) && wait_for_key(q))
        return;
    if (word == KIT_LOGIN_GOOD)
        end(q, m, "");
    else
        end(q, NULL, !e ? why_not[word] : tls[0] ? tls : err_text(e));
}

/* --- questions --- */

static enum err print_head(struct question *q, struct buf *out)
{
    const struct tool_ask *a = q->ask;
    bool v6 = slice_find(a->home.host, ':') < a->home.host.n;
    const struct sec_digest_request request = {SLICE("POST"), q->path, buf_slice(&q->body), true};
    enum err e;

    buf_addf(out, "POST %.*s HTTP/1.1\r\nHost: %s%.*s%s:%u\r\n", SLICE_FMT(q->path), v6 ? "[" : "",
             SLICE_FMT(a->home.host), v6 ? "]" : "", a->home.port);
    net_http_print_header(out, SLICE("User-Agent"),
                          a->conf.boot ? SLICE("push-terminal/" PPG_VERSION " " KIT_BOOT_PRODUCT)
                                       : SLICE("push-terminal/" PPG_VERSION));
    net_http_print_header(out, SLICE("Content-Type"), SLICE("application/json"));
    if (a->conf.terminal_id.n)
        net_http_print_header(out, SLICE("X-Wap-Terminal-Id"), a->conf.terminal_id);
    buf_addf(out, "Content-Length: %zu\r\n", q->body.n);
    e = kit_login_print(q->login, &request, out);
    buf_add_str(out, "\r\n");
    return e ? e : buf_err(out);
}

static enum err make_login(struct question *q)
{
    const struct tool_ask *a = q->ask;
    const struct kit_login_conf conf = {
        .user = a->user, .password = a->login_password, .mutual = a->conf.home->mutual};

    if (q->login)
        return ERR_OK;
    return a->conf.boot && a->conf.home->ca ? tool_boot_login(a->conf.boot, &q->login)
                                            : kit_login_create(&conf, &q->login);
}

static enum err send_question(struct question *q)
{
    struct tool_ask *a = q->ask;
    struct buf head;
    enum err e = make_login(q);

    buf_init(&head, HEAD_MAX_N);
    if (!e)
        e = print_head(q, &head);
    if (!e)
        e = net_httpc_pool_send(a->pool, a->home.host, a->home.port, true, buf_slice(&head),
                                buf_slice(&q->body), ANSWER_MS, on_answer, q);
    buf_wipe(&head);
    return e;
}

enum err tool_ask_send(struct tool_ask *a, struct slice path, struct slice json, tool_answer_fn *answer,
                       void *arg)
{
    struct question *q = a->ended ? NULL : calloc(1, sizeof *q);
    enum err e;

    if (!q)
        return a->ended ? ERR_LATE : ERR_NOMEM;
    a->open++;
    q->ask = a;
    q->path = path;
    q->answer = answer;
    q->arg = arg;
    list_init(&q->link);
    buf_init(&q->body, TOOL_ASK_BODY_MAX_N);
    buf_add(&q->body, json);
    e = buf_err(&q->body);
    if (!e && a->conf.boot && !tool_boot_ready(a->conf.boot))
        list_push_back(&a->waiting, &q->link);
    else if (!e)
        e = send_question(q);
    if (e)
        question_free(q);
    return e;
}

size_t tool_ask_open(const struct tool_ask *a)
{
    return a->open;
}

struct net_tls_ctx *tool_ask_tls(const struct tool_ask *a)
{
    return a->tls || !a->conf.boot ? a->tls : tool_boot_tls(a->conf.boot);
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

static const char *fault_of(const struct tool_ask *a, const struct net_uri *uri)
{
    const struct tool_home *h = a->conf.home;

    if (!uri->https || !slice_eq(uri->target, SLICE("/")))
        return "not https://HOST:PORT";
    if (h->psk && (h->ca || h->cert))
        return "--home-psk stands for certificates: neither --home-ca nor --home-cert";
    if (a->conf.boot && (h->psk || h->login))
        return "--bsf stands for --home-psk and --home-login";
    return !h->psk && !h->ca && !a->conf.boot ? "needs --home-ca or --home-psk: how it is known" : NULL;
}

static void flush(struct tool_ask *a, bool keyed)
{
    struct list all, *at;

    list_init(&all);
    list_splice_back(&all, &a->waiting);
    while ((at = list_pop_front(&all))) {
        struct question *q = container_of(at, struct question, link);

        if (!keyed || a->ended || send_question(q))
            end(q, NULL, "no key");
    }
}

void tool_ask_keyed(struct tool_ask *a)
{
    if (a->ended)
        return;
    if (!a->tls)
        net_httpc_pool_set_tls(a->pool, tool_boot_tls(a->conf.boot));
    flush(a, true);
}

void tool_ask_unkeyed(struct tool_ask *a)
{
    flush(a, false);
}

static enum err make(struct tool_ask *a, char why[TOOL_WHY_N])
{
    const struct tool_home *h = a->conf.home;
    struct net_httpc_pool_conf conf = {.conn_max = QUESTIONS_MAX,
                                       .conn_per_host_max = QUESTIONS_MAX,
                                       .base = {.limits = {.head_max_n = HEAD_MAX_N,
                                                           .headers_max = TOOL_HEARD_HEADERS_MAX,
                                                           .value_max_n = 4096,
                                                           .target_max_n = 256,
                                                           .body_max_n = TOOL_ASK_BODY_MAX_N},
                                                .connect_ms = ANSWER_MS,
                                                .pipeline_max = 1}};
    const char *fault = net_uri_parse(slice_str(h->url), &a->home) ? "not a URL" : fault_of(a, &a->home);
    enum err e;

    if (fault) {
        (void)snprintf(why, TOOL_WHY_N, "--home: %s", fault);
        return ERR_MALFORMED;
    }
    e = h->login ? read_login(h->login, &a->password, &a->user, why) : ERR_OK;
    a->login_password = first_line(&a->password);
    if (!e)
        e = a->conf.boot && !h->ca ? ERR_OK /* tool_ask_keyed() */ : tool_home_tls(h, &a->tls, why);
    conf.base.tls = a->tls;
    return e ? e : net_httpc_pool_create(a->conf.env, &conf, &a->pool);
}

static void ask_free(struct tool_ask *a)
{
    net_tls_ctx_free(&a->tls);
    buf_wipe(&a->password);
    free(a);
}

enum err tool_ask_create(const struct tool_ask_conf *conf, struct tool_ask **out, char why[TOOL_WHY_N])
{
    struct tool_ask *a = calloc(1, sizeof *a);
    enum err e;

    (void)snprintf(why, TOOL_WHY_N, "%s", err_text(ERR_NOMEM));
    if (!a)
        return ERR_NOMEM;
    a->conf = *conf;
    list_init(&a->waiting);
    buf_init(&a->password, SECRET_MAX_N);
    e = make(a, why);
    if (e)
        ask_free(a);
    else
        *out = a;
    return e;
}

static void pool_closed(void *arg)
{
    struct tool_ask *a = arg;
    void (*gone)(void *arg) = a->gone;
    void *gone_arg = a->gone_arg;

    ask_free(a);
    gone(gone_arg);
}

void tool_ask_drain(struct tool_ask *a)
{
    a->ended = true;
    flush(a, false);
}

void tool_ask_close(struct tool_ask **ap, void (*gone)(void *arg), void *arg)
{
    struct tool_ask *a = *ap;

    *ap = NULL;
    if (!a)
        return;
    tool_ask_drain(a);
    a->gone = gone;
    a->gone_arg = arg;
    net_httpc_pool_close(a->pool, pool_closed, a);
}
