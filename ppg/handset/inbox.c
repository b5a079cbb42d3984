/* See inbox.h.  The story: a list; of each item that is new its content, in parts when it is large; a verdict; if it is to
 * go, DELETE; and the list again, behind what was left, until it is empty.  One request at a time on one connection, opened
 * anew when it is lost. */
#include "ppg/handset/inbox.h"

#include <jansson.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/net/httpc.h"
#include "base/net/hub.h"
#include "base/num.h"
#include "base/scan.h"
#include "security/login/authmd5.h"
#include "security/login/basic.h"
#include "security/login/digest.h"

#define CONNECT_MS 10000
#define ANSWER_MS  30000
#define WAIT_S     60       /* of a long poll */
#define PART_N     262144u  /* octets of an item that are asked for at once */
#define LIST_MAX_N 1048576u /* octets of a list */
#define HEAD_MAX_N 16384u
#define TEXT_MAX_N 1024u /* octets of a name, of an Authorization's parts */
#define LOST_MAX   10    /* connections in a row that brought nothing */
#define PAUSE_MS   1000
#define OFFERS_MAX 8

enum step { LIST, FETCH, END };

struct tool_inbox {
    struct tool_inbox_conf conf;
    struct net_httpc *conn; /* NULL: none */
    struct net_httpc_req *req;
    struct net_timer pause;
    enum step step;
    json_t *list; /* of the last answer, and the place in it */
    size_t at;
    struct buf item;    /* name of the one under way */
    struct buf after;   /* the last one that was left */
    struct buf content; /* what has come of it */
    struct buf etag;
    bool waiting;     /* a long poll: nothing was there */
    int64_t asked_ms; /* for the last list, monotonic */
    unsigned lost;
    bool stop; /* the verdict on the last one */
    /* The login, once it was asked for. */
    struct arena mem; /* the offer's texts */
    struct sec_digest_offer offer;
    bool offered;
    bool basic;
    struct sec_mac_nonce nonce; /* for the next request; n 0: none is known */
    bool tried;                 /* a login was refused on this request */
    uint32_t nc;
    bool ended;
    bool dropped; /* nobody wants to hear of it */
    int status;
    char why[TOOL_WHY_N];
};

static void next(struct tool_inbox *b);
static void begin(struct tool_inbox *b);

/* --- the end --- */

static void inbox_free(struct tool_inbox *b)
{
    net_hub_timer_stop(b->conf.env->hub, &b->pause);
    json_decref(b->list);
    buf_clear(&b->item);
    buf_clear(&b->after);
    buf_clear(&b->content);
    buf_clear(&b->etag);
    arena_clear(&b->mem);
    free(b);
}

static void end(struct tool_inbox *b, int status, const char *why)
{
    b->ended = true;
    b->status = status;
    (void)snprintf(b->why, sizeof b->why, "%s", why);
    if (b->conn)
        net_httpc_close(b->conn);
    else /* from a timer */
        b->conf.ended(b->status, b->why, b->conf.arg);
}

/* --- requests --- */

static enum err print_digest(struct tool_inbox *b, struct slice method, struct slice target, struct buf *out)
{
    struct sec_digest_request request = {.method = method, .uri = target, .body_known = true};

    return sec_digest_answer_password(&b->offer, b->conf.user, b->conf.password, &request, ++b->nc, out);
}

static enum err print_login(struct tool_inbox *b, struct slice method, struct slice target, struct buf *head)
{
    enum err e = ERR_OK;

    if (!b->offered && !b->basic && !b->nonce.n)
        return ERR_OK;
    buf_add_str(head, "Authorization: ");
    if (b->nonce.n) {
        e = sec_authmd5_print(b->conf.user, b->conf.password, &b->nonce, head);
        b->nonce.n = 0; /* each is good once */
    } else if (b->offered) {
        e = print_digest(b, method, target, head);
    } else {
        e = sec_basic_print(b->conf.user, b->conf.password, head);
    }
    buf_add_str(head, "\r\n");
    return e;
}

static void print_target(const struct tool_inbox *b, struct buf *out)
{
    const char *mark = "?";

    buf_add_str(out, "/inbox");
    if (b->step != LIST) {
        buf_add_ch(out, '/');
        buf_add(out, buf_slice(&b->item));
        return;
    }
    if (b->after.n) {
        buf_add_str(out, "?after=");
        buf_add(out, buf_slice(&b->after));
        mark = "&";
    }
    if (b->waiting)
        buf_addf(out, "%swait=%d", mark, WAIT_S);
}

static void on_done(enum err err, const struct net_http_msg *m, bool sent, void *arg);

static enum err print_request(struct tool_inbox *b, struct buf *target, struct buf *head)
{
    struct slice method = b->step == END ? SLICE("DELETE") : SLICE("GET");
    enum err e;

    print_target(b, target);
    net_http_print_request(head, method, buf_slice(target));
    net_http_print_header(head, SLICE("Host"), b->conf.host);
    if (b->step == FETCH) {
        if (b->conf.decrypted)
            net_http_print_header(head, SLICE("X-Push-Object"), SLICE("decrypted"));
        if (b->conf.protection.n)
            net_http_print_header(head, SLICE("X-Push-Protection"), b->conf.protection);
        buf_addf(head, "Range: bytes=%zu-%zu\r\n", b->content.n, b->content.n + PART_N - 1);
        if (b->etag.n)
            net_http_print_header(head, SLICE("If-Range"), buf_slice(&b->etag));
    }
    e = print_login(b, method, buf_slice(target), head);
    buf_add_str(head, "\r\n");
    return e ? e : buf_err(head) ? buf_err(head) : buf_err(target);
}

static void send_request(struct tool_inbox *b)
{
    int64_t answer_ms = ANSWER_MS + (b->step == LIST && b->waiting ? WAIT_S * 1000 : 0);
    struct buf head, target;
    enum err e;

    b->asked_ms = b->step == LIST ? clk_mono_ms(b->conf.env->clk) : b->asked_ms;
    buf_init(&head, HEAD_MAX_N);
    buf_init(&target, TEXT_MAX_N);
    e = print_request(b, &target, &head);
    if (!e)
        e = net_httpc_send(b->conn, buf_slice(&head), SLICE_NONE, answer_ms, on_done, b, &b->req);
    buf_wipe(&head);
    buf_clear(&target);
    if (e)
        end(b, TOOL_USAGE, err_text(e));
}

/* --- answers --- */

static const char *text_of(json_t *item, const char *name)
{
    const char *text = json_string_value(json_object_get(item, name));

    return text ? text : "";
}

bool tool_inbox_item_ok(struct slice name)
{
    const struct slice allowed = SLICE("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~");

    for (size_t i = 0; i < name.n; i++)
        if (slice_find(allowed, name.p[i]) == SIZE_MAX)
            return false;
    return name.n > 0 && name.n < TEXT_MAX_N / 2;
}

static void set(struct buf *to, struct slice text)
{
    buf_reset(to, TEXT_MAX_N);
    buf_add(to, text);
}

/* The next item of the list, or the list again. */
static void next(struct tool_inbox *b)
{
    struct slice name;

    b->tried = false;
    if (b->conf.item.n) {
        end(b, TOOL_OK, "");
        return;
    }
    if (b->list && b->at < json_array_size(json_object_get(b->list, "items"))) {
        name = slice_str(text_of(json_array_get(json_object_get(b->list, "items"), b->at++), "id"));
        if (!tool_inbox_item_ok(name)) {
            end(b, TOOL_REFUSED, "the list is not understood");
            return;
        }
        set(&b->item, name);
        b->step = FETCH;
        buf_reset(&b->content, PART_N);
        set(&b->etag, SLICE_NONE);
    } else {
        b->step = LIST;
    }
    send_request(b);
}

/* A gateway that does not wait is not asked again at once. */
static void go_on(struct tool_inbox *b, bool empty)
{
    bool hasty = empty && b->waiting && clk_mono_ms(b->conf.env->clk) - b->asked_ms < PAUSE_MS;

    b->waiting = empty;
    if (hasty)
        net_hub_timer_set(b->conf.env->hub, &b->pause, PAUSE_MS);
    else
        next(b);
}

static void listed(struct tool_inbox *b, const struct net_http_msg *m)
{
    size_t n;

    json_decref(b->list);
    b->list = json_loadb(m->body.p ? m->body.p : "", m->body.n, JSON_REJECT_DUPLICATES, NULL);
    b->at = 0;
    n = json_array_size(json_object_get(b->list, "items"));
    if (!b->list)
        end(b, TOOL_REFUSED, "the list is not understood");
    else if (n == 0 && !b->conf.follow)
        end(b, TOOL_OK, "");
    else
        go_on(b, n == 0);
}

static void judged(struct tool_inbox *b, enum tool_inbox_verdict v)
{
    b->stop = v == TOOL_INBOX_STOP || v == TOOL_INBOX_LAST;
    if ((v == TOOL_INBOX_HAVE || v == TOOL_INBOX_LAST) && !b->conf.keep) {
        b->step = END;
        send_request(b);
        return;
    }
    set(&b->after, buf_slice(&b->item));
    if (b->stop)
        end(b, TOOL_OK, "");
    else
        next(b);
}

/* "bytes A-B/TOTAL" (RFC 9110 §14.4): what is behind what we have, and no more than there is.  *last: nothing is left. */
static enum err read_range(const struct tool_inbox *b, const struct net_http_msg *m, bool *last)
{
    struct scan s = scan_of(net_http_header(m, SLICE("Content-Range"), NULL));
    uint64_t from, to, total;

    scan_lit(&s, SLICE("bytes "));
    from = scan_u64(&s, 0, UINT64_MAX);
    scan_ch(&s, '-');
    to = scan_u64(&s, from, UINT64_MAX - 1);
    scan_ch(&s, '/');
    total = scan_u64(&s, to + 1, UINT64_MAX);
    scan_end(&s);
    if (s.err || from != b->content.n || to - from + 1 != m->body.n)
        return ERR_MALFORMED;
    *last = to + 1 == total;
    return ERR_OK;
}

static void fetched(struct tool_inbox *b, const struct net_http_msg *m)
{
    bool last = true;

    if (m->status == 206 && read_range(b, m, &last)) {
        end(b, TOOL_REFUSED, "a part of an item that nobody has asked for");
        return;
    }
    if (m->status == 200)
        buf_reset(&b->content, b->conf.max_n);
    buf_add(&b->content, m->body);
    if (buf_err(&b->content)) {
        end(b, TOOL_REFUSED, "an item is larger than --max-size");
    } else if (!last) {
        set(&b->etag, net_http_header(m, SLICE("ETag"), NULL));
        send_request(b);
    } else {
        judged(b, b->conf.got(m, buf_slice(&b->content), net_httpc_peer(b->conn), b->conf.arg));
    }
}

static enum err keep_offer(struct tool_inbox *b, const struct net_http_msg *m)
{
    struct slice values[OFFERS_MAX];
    struct sec_digest_offer o;
    size_t n = 0;
    enum err e;

    for (size_t i = 0; i < m->headers_n && n < OFFERS_MAX; i++)
        if (slice_eq_ci(m->headers[i].name, SLICE("WWW-Authenticate")))
            values[n++] = m->headers[i].value;
    for (size_t i = 0; b->conf.md5 && i < n; i++)
        if (!sec_authmd5_challenged(values[i], &b->nonce))
            return ERR_OK;
    if (b->conf.md5)
        return ERR_ABSENT;
    e = sec_digest_choose(values, n, &o);
    if (e) {
        b->basic = e == ERR_ABSENT;
        return b->basic ? ERR_OK : e;
    }
    arena_reset(&b->mem);
    if ((e = arena_dup(&b->mem, o.realm, &o.realm)) || (e = arena_dup(&b->mem, o.nonce, &o.nonce)) ||
        (e = arena_dup(&b->mem, o.opaque, &o.opaque)))
        return e;
    b->offer = o;
    b->offered = true;
    b->nc = 0;
    return ERR_OK;
}

static void log_in(struct tool_inbox *b, const struct net_http_msg *m)
{
    if (!b->conf.user.n) {
        end(b, TOOL_REFUSED, "the gateway wants a proof of who we are");
    } else if (b->tried || keep_offer(b, m)) {
        end(b, TOOL_REFUSED, "the gateway refuses our login");
    } else {
        b->tried = true;
        send_request(b);
    }
}

/* One that is told goes before one that was asked with. */
static void take_nonce(struct tool_inbox *b, const struct net_http_msg *m)
{
    struct slice next = net_http_header(m, SLICE(SEC_MAC_NONCE_HEADER), NULL);

    if (b->conf.md5 && next.n && sec_mac_nonce_parse(next, &b->nonce))
        b->nonce.n = 0;
}

static void answered(struct tool_inbox *b, const struct net_http_msg *m)
{
    char why[TOOL_WHY_N];

    b->lost = 0;
    take_nonce(b, m);
    if (m->status == 401) {
        log_in(b, m);
    } else if (b->step == LIST && m->status == 200) {
        listed(b, m);
    } else if (b->step == FETCH && (m->status == 200 || m->status == 206)) {
        fetched(b, m);
    } else if (b->step != LIST && m->status == 404 && !b->conf.item.n) {
        next(b); /* somebody else of us was faster */
    } else if (b->step == END && m->status == 204) {
        if (b->stop)
            end(b, TOOL_OK, "");
        else
            next(b);
    } else {
        (void)snprintf(why, sizeof why, "%u %s: %.*s", m->status, net_http_reason(m->status),
                       (int)num_min(slice_printable_n(m->body), 120), m->body.n ? m->body.p : "");
        end(b, TOOL_REFUSED, why);
    }
}

static void on_done(enum err err, const struct net_http_msg *m, bool sent, void *arg)
{
    struct tool_inbox *b = arg;

    (void)sent;
    b->req = NULL;
    if (b->ended)
        return;
    if (!err)
        answered(b, m);
    else
        net_httpc_close(b->conn);
}

/* --- connections --- */

static void on_closed(struct net_httpc *conn, enum err why, void *arg)
{
    struct tool_inbox *b = arg;
    const char *tls = net_httpc_tls_why(conn);

    b->conn = NULL;
    if (b->dropped) {
        inbox_free(b);
        return;
    }
    if (!b->ended && (!b->conf.follow || ++b->lost > LOST_MAX || *tls)) {
        b->ended = true;
        b->status = TOOL_REACH;
        (void)snprintf(b->why, sizeof b->why, "%s",
                       *tls  ? tls
                       : why ? err_text(why)
                             : "the gateway closed the connection");
    }
    if (b->ended)
        b->conf.ended(b->status, b->why, b->conf.arg);
    else
        net_hub_timer_set(b->conf.env->hub, &b->pause, PAUSE_MS);
}

static void begin(struct tool_inbox *b)
{
    struct net_httpc_conf conf = {
        .host = b->conf.host,
        .port = b->conf.port,
        .tls = b->conf.tls,
        .server_name = b->conf.server_name,
        .limits = {.head_max_n = 65536,
                   .headers_max = 100,
                   .value_max_n = 16384,
                   .target_max_n = 8192,
                   .body_max_n = b->conf.max_n > LIST_MAX_N ? b->conf.max_n : LIST_MAX_N},
        .connect_ms = CONNECT_MS,
        .pipeline_max = 1,
        .closed = on_closed,
        .arg = b,
    };
    enum err e = net_httpc_create(b->conf.env, &conf, &b->conn);

    if (e) {
        end(b, TOOL_REACH, err_text(e));
        return;
    }
    b->step = b->conf.item.n ? FETCH : LIST;
    b->tried = false;
    if (b->conf.item.n)
        set(&b->item, b->conf.item);
    buf_reset(&b->content, PART_N);
    set(&b->etag, SLICE_NONE);
    send_request(b);
}

static void pause_over(struct net_timer *timer)
{
    struct tool_inbox *b = container_of(timer, struct tool_inbox, pause);

    if (!b->conn)
        begin(b);
    else if (!b->dropped)
        next(b);
}

enum err tool_inbox_create(const struct tool_inbox_conf *conf, struct tool_inbox **out)
{
    struct tool_inbox *b = calloc(1, sizeof *b);

    if (!b)
        return ERR_NOMEM;
    b->conf = *conf;
    buf_init(&b->item, TEXT_MAX_N);
    buf_init(&b->after, TEXT_MAX_N);
    buf_init(&b->etag, TEXT_MAX_N);
    buf_init(&b->content, conf->max_n);
    arena_init(&b->mem, 1024, HEAD_MAX_N);
    net_timer_init(&b->pause, pause_over);
    net_hub_timer_set(conf->env->hub, &b->pause, 1); /* nobody is called from in here */
    *out = b;
    return ERR_OK;
}

void tool_inbox_close(struct tool_inbox **bp)
{
    struct tool_inbox *b = *bp;

    *bp = NULL;
    if (!b)
        return;
    if (!b->conn) {
        inbox_free(b);
        return;
    }
    b->ended = b->dropped = true;
    net_httpc_close(b->conn);
}
