/* One-time keys given and taken; see one_time.h.  One question on one connection, asked again with a login.  RFC 7616. */
#include "ppg/handset/one_time.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/codec.h"
#include "base/fd.h"
#include "base/net/httpc.h"
#include "base/net/uri.h"
#include "ota/terminal/login.h"
#include "ppg/handset/heard.h"
#include "ppg/handset/home.h"
#include "ppg/handset/terminal.h"
#include "ppg/tool/net.h"
#include "security/rules/entities.h"
#include "security/wrap.h"

#define PATH         SLICE("/sec/v1/one-time-keys")
#define ANSWER_MS    15000
#define HEAD_MAX_N   4096u
#define BODY_MAX_N   65536u
#define SECRET_MAX_N 1024u
#define FILE_MAX_N   512
#define SAME_MAX     100 /* files of keys from one entity */

struct one_time {
    const struct tool_terminal_options *o;
    struct tool_loop loop;
    struct net_uri uri;
    struct buf secret; /* the text of the file, which the login's password is part of */
    struct slice entity;
    struct sec_secret wraps; /* what our keys are wrapped under */
    struct sec_secret key;   /* `give`: the one that is made */
    struct buf body;         /* of the question; empty: GET */
    struct net_tls_ctx *tls;
    struct kit_login *login;
    struct net_httpc *conn;
    struct net_httpc_req *req;
    int exit;
};

static void fail(struct one_time *t, const char *what, const char *why)
{
    (void)tool_terminal_complain(what, why);
    t->exit = TOOL_TERMINAL_LATE;
}

/* --- files and words --- */

/* A file of its owner's alone, where there was none.  ERR_EXISTS, ERR_IO. */
static enum err write_key(const char *path, struct slice key)
{
    struct buf text;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum err e;

    if (fd < 0)
        return access(path, F_OK) ? ERR_IO : ERR_EXISTS;
    buf_init(&text, 2 * SEC_ONE_TIME_MAX_N + 1);
    (void)buf_room(&text, text.max); /* growth would leave a copy behind */
    codec_hex(&text, key);
    buf_add_ch(&text, '\n');
    e = buf_err(&text);
    if (!e)
        e = fd_write(fd, buf_slice(&text));
    buf_wipe(&text);
    if (close(fd) && !e)
        e = ERR_IO;
    if (e)
        (void)unlink(path);
    return e;
}

static void tell(const struct one_time *t, struct slice with, const char *file)
{
    struct buf name, path;

    if (!t->o->json) {
        (void)printf("one-time key with %.*s: %s\n", SLICE_FMT(with), file);
        return;
    }
    buf_init(&name, HEAD_MAX_N);
    buf_init(&path, HEAD_MAX_N);
    codec_json(&name, with);
    codec_json(&path, slice_str(file));
    (void)printf("{\"event\":\"one-time-key\",\"with\":%.*s,\"file\":%.*s}\n", SLICE_FMT(buf_slice(&name)),
                 SLICE_FMT(buf_slice(&path)));
    buf_clear(&name);
    buf_clear(&path);
}

/* Who made it, a zero octet, who it is for. */
static void print_context(struct slice from, struct slice to, struct buf *out)
{
    buf_init(out, 2 * SEC_KEY_NAME_MAX_N + 1);
    buf_add(out, from);
    buf_add_ch(out, 0);
    buf_add(out, to);
}

/* --- giving --- */

static enum err make_key(struct one_time *t)
{
    struct slice to = slice_str(t->o->to);
    struct buf context, wrapped;
    enum err e = sec_secret_random(&t->key, SEC_EUKEY_N);

    buf_init(&wrapped, SEC_ONE_TIME_WRAPPED_N);
    print_context(t->entity, to, &context);
    if (!e)
        e = buf_err(&context);
    if (!e)
        e = sec_wrap(&t->wraps, buf_slice(&context), sec_secret_slice(&t->key), &wrapped);
    buf_add_str(&t->body, "{\"to\":");
    codec_json(&t->body, to);
    buf_add_str(&t->body, ",\"key\":\"");
    codec_base64(&t->body, buf_slice(&wrapped));
    buf_add_str(&t->body, "\"}");
    buf_clear(&context);
    buf_clear(&wrapped);
    return e ? e : buf_err(&t->body);
}

static void given(struct one_time *t, const struct net_http_msg *m)
{
    enum err e;

    if (m->status != 202) {
        fail(t, t->o->to,
             m->status == 404   ? "no such entity has a key"
             : m->status == 429 ? "too many keys wait for it"
                                : "the gateway does not take the key");
        return;
    }
    e = write_key(t->o->out, sec_secret_slice(&t->key));
    if (e) {
        fail(t, t->o->out, err_text(e));
        return;
    }
    tell(t, slice_str(t->o->to), t->o->out);
    t->exit = TOOL_TERMINAL_OK;
}

/* --- taking --- */

static enum err unwrap(const struct one_time *t, struct slice from, const char *text, struct buf *plain)
{
    struct buf context, wrapped;
    enum err e;

    buf_init(&wrapped, SEC_ONE_TIME_WRAPPED_N);
    print_context(from, t->entity, &context);
    e = buf_err(&context);
    if (!e)
        e = codec_unbase64(slice_str(text), false, &wrapped);
    if (!e)
        e = sec_unwrap(&t->wraps, buf_slice(&context), buf_slice(&wrapped), plain);
    buf_clear(&context);
    buf_clear(&wrapped);
    return e;
}

/* The first name that is free: the gateway has forgotten the key already. */
static enum err put(const struct one_time *t, struct slice from, struct slice key)
{
    char path[FILE_MAX_N];
    enum err e = ERR_EXISTS;

    for (int i = 1; i <= SAME_MAX && e == ERR_EXISTS; i++) {
        int n = snprintf(path, sizeof path, i > 1 ? "%s/%.*s.one-time.%d" : "%s/%.*s.one-time", t->o->out,
                         SLICE_FMT(from), i);

        e = n > 0 && (size_t)n < sizeof path ? write_key(path, key) : ERR_LIMIT;
    }
    if (!e)
        tell(t, from, path);
    return e;
}

static enum err take_one(const struct one_time *t, const json_t *item)
{
    const char *from = json_string_value(json_object_get(item, "from"));
    const char *key = json_string_value(json_object_get(item, "key"));
    struct buf plain;
    enum err e;

    if (!from || !key || !sec_key_name_ok(slice_str(from))) /* it becomes the name of a file */
        return ERR_MALFORMED;
    buf_init(&plain, SEC_ONE_TIME_MAX_N);
    (void)buf_room(&plain, SEC_ONE_TIME_MAX_N);
    e = unwrap(t, slice_str(from), key, &plain);
    if (!e)
        e = put(t, slice_str(from), buf_slice(&plain));
    buf_wipe(&plain);
    return e;
}

static void taken(struct one_time *t, const struct net_http_msg *m)
{
    json_t *o = m->status == 200
                    ? json_loadb(m->body.n ? m->body.p : "", m->body.n, JSON_REJECT_DUPLICATES, NULL)
                    : NULL;
    const json_t *keys = json_object_get(o, "keys");
    size_t n = json_array_size(keys);
    enum err e = json_is_array(keys) ? ERR_OK : ERR_MALFORMED, one;

    for (size_t i = 0; i < n; i++) { /* the others are good whatever this one is */
        one = take_one(t, json_array_get(keys, i));
        e = e ? e : one;
    }
    if (e)
        fail(t, "a one-time key that was fetched", err_text(e));
    else
        t->exit = n ? TOOL_TERMINAL_OK : TOOL_TERMINAL_LATE;
    json_decref(o);
}

/* --- the question --- */

static enum err ask(struct one_time *t);

static void on_answer(enum err e, const struct net_http_msg *m, bool sent, void *arg)
{
    struct one_time *t = arg;
    const char *tls = net_httpc_tls_why(t->conn);
    enum kit_login_word word = e ? KIT_LOGIN_REFUSED : tool_login_heard(t->login, m);

    (void)sent;
    if (word == KIT_LOGIN_AGAIN && !ask(t))
        return;
    if (e)
        fail(t, "--gateway", tls[0] ? tls : err_text(e));
    else if (word != KIT_LOGIN_GOOD)
        fail(t, "--gateway",
             word == KIT_LOGIN_IMPOSTOR ? "it does not prove that it has our key"
                                        : "it does not take our proof");
    else if (t->body.n)
        given(t, m);
    else
        taken(t, m);
    net_httpc_close(t->conn);
}

static enum err ask(struct one_time *t)
{
    struct slice method = t->body.n ? SLICE("POST") : SLICE("GET"), body = buf_slice(&t->body);
    const struct sec_digest_request request = {method, PATH, body, true};
    bool v6 = slice_find(t->uri.host, ':') < t->uri.host.n;
    struct buf head;
    enum err e;

    buf_init(&head, HEAD_MAX_N);
    net_http_print_request(&head, method, PATH);
    buf_addf(&head, "Host: %s%.*s%s:%u\r\n", v6 ? "[" : "", SLICE_FMT(t->uri.host), v6 ? "]" : "",
             t->uri.port);
    net_http_print_header(&head, SLICE("User-Agent"), SLICE("push-terminal/" PPG_VERSION));
    if (body.n)
        buf_addf(&head, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.n);
    e = kit_login_print(t->login, &request, &head);
    buf_add_str(&head, "\r\n");
    if (!e)
        e = buf_err(&head);
    if (!e)
        e = net_httpc_send(t->conn, buf_slice(&head), body, ANSWER_MS, on_answer, t, &t->req);
    buf_wipe(&head);
    return e;
}

static void call(struct one_time *t)
{
    const struct net_httpc_conf conf = {.host = t->uri.host,
                                        .port = t->uri.port,
                                        .tls = t->tls,
                                        .server_name =
                                            slice_str(t->o->gateway_name ? t->o->gateway_name : ""),
                                        .limits = {.head_max_n = 16384,
                                                   .headers_max = TOOL_HEARD_HEADERS_MAX,
                                                   .value_max_n = 4096,
                                                   .target_max_n = 256,
                                                   .body_max_n = BODY_MAX_N},
                                        .connect_ms = ANSWER_MS,
                                        .pipeline_max = 1,
                                        .arg = t};
    enum err e = net_httpc_create(&t->loop.env, &conf, &t->conn);

    if (e) {
        fail(t, "--gateway", err_text(e));
        return;
    }
    e = ask(t);
    if (e) {
        fail(t, "--gateway", err_text(e));
        net_httpc_close(t->conn);
    }
}

/* --- settings --- */

/* Of the entity: the login, and what its one-time keys are wrapped under. */
static enum err read_entity(struct one_time *t, char why[TOOL_WHY_N])
{
    struct kit_login_conf login = {.realm = SLICE("entities"), .mutual = true};
    struct sec_secret eukey;
    struct buf octets;
    enum err e = tool_login(t->o->proof, &t->secret, &login.user, &login.password);

    sec_secret_init(&eukey);
    buf_init(&octets, SEC_EUKEY_N);
    (void)buf_room(&octets, SEC_EUKEY_N);
    if (!e)
        e = codec_unbase64(login.password, false, &octets);
    if (!e && octets.n != SEC_EUKEY_N)
        e = ERR_MALFORMED;
    if (!e)
        e = sec_secret_set(&eukey, buf_slice(&octets));
    if (!e)
        e = sec_entity_wrap_key(&eukey, &t->wraps);
    if (!e)
        e = kit_login_create(&login, &t->login);
    t->entity = login.user;
    sec_secret_clear(&eukey);
    buf_wipe(&octets);
    if (e)
        (void)snprintf(why, TOOL_WHY_N, "--proof: not ENTITY:FILE with base64 of its key in FILE: %s",
                       err_text(e));
    return e;
}

static enum err make(struct one_time *t, bool give, char why[TOOL_WHY_N])
{
    const struct tool_home gateway = {.url = t->o->gateway, .ca = t->o->ca};
    enum err e;

    (void)snprintf(why, TOOL_WHY_N, "--gateway: not https://HOST:PORT");
    if (net_uri_parse(slice_str(t->o->gateway), &t->uri) || !t->uri.https)
        return ERR_MALFORMED;
    e = read_entity(t, why);
    if (!e)
        e = tool_home_tls(&gateway, &t->tls, why);
    if (e || !give)
        return e;
    (void)snprintf(why, TOOL_WHY_N, "%.120s: exists", t->o->out);
    if (!access(t->o->out, F_OK))
        return ERR_EXISTS;
    (void)snprintf(why, TOOL_WHY_N, "--to: no entity's id");
    if (!sec_key_name_ok(slice_str(t->o->to)))
        return ERR_MALFORMED;
    e = make_key(t);
    if (e)
        (void)snprintf(why, TOOL_WHY_N, "%s", err_text(e));
    return e;
}

static int run(const struct tool_terminal_options *o, bool give)
{
    struct one_time t = {.o = o, .exit = TOOL_TERMINAL_USAGE};
    char why[TOOL_WHY_N];

    buf_init(&t.secret, SECRET_MAX_N);
    (void)buf_room(&t.secret, SECRET_MAX_N); /* growth would leave copies behind */
    buf_init(&t.body, HEAD_MAX_N);
    sec_secret_init(&t.wraps);
    sec_secret_init(&t.key);
    if (make(&t, give, why)) {
        (void)tool_terminal_complain(why, "");
    } else if (tool_loop_open(&t.loop)) {
        (void)tool_terminal_complain("out of memory", "");
    } else {
        call(&t);
        tool_loop_close(&t.loop);
    }
    kit_login_free(&t.login);
    net_tls_ctx_free(&t.tls);
    sec_secret_clear(&t.wraps);
    sec_secret_clear(&t.key);
    buf_wipe(&t.secret);
    buf_clear(&t.body);
    return t.exit;
}

int tool_one_time_give(const struct tool_terminal_options *o)
{
    return run(o, true);
}

int tool_one_time_take(const struct tool_terminal_options *o)
{
    return run(o, false);
}
