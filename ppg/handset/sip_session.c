/* Sessions of a SIP device for the command line; see sip_session.h. */
#include "ppg/handset/sip_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/net/dns.h"
#include "base/net/listen.h"
#include "base/net/stream.h"
#include "ota/msrp/receiver.h"
#include "ota/msrp/sdp.h"
#include "ota/msrp/uri.h"
#include "ota/sip/message.h"
#include "ota/sip/request.h"
#include "ota/sip/uri.h"
#include "security/secret.h"

#define SESSIONS_MAX 64
#define LINKS_MAX    64
#define WAIT_MS      30000 /* for a handshake */
#define ID_N         32    /* hexadecimal digits of a session-id */
#define TID_N        16    /* and of the id of our first message */
#define DISCARD_PORT 9     /* of who does not listen */
#define OUT_N        ((size_t)256 << 10)
#define DIALOG_MAX_N ((size_t)OTA_SIP_HEAD_MAX_N)

struct tool_sip_sessions {
    struct tool_sip_sessions_conf conf;
    struct net_listener *listener;
    struct list sessions, links;
    size_t sessions_n, links_n;
    size_t open; /* the listener and links */
    bool ended;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct link;
struct session {
    struct list at;
    struct tool_sip_sessions *owner;
    struct link *link; /* it is bound to; NULL: none yet */
    char *dialog;      /* owned: what names it (ota_sip_request_dialog) */
    char path[OTA_MSRP_URI_MAX_N + 1];
    char far_path[OTA_MSRP_URI_MAX_N + 1]; /* that we connect to; "": we listen */
    char *app;                             /* owned: the application that it is for */
    struct ota_msrp_receiver receiver;
};

struct link {
    struct list at;
    struct tool_sip_sessions *owner;
    struct net_dns_query *query; /* of one that we make; NULL: done */
    struct sockaddr_storage to[NET_DNS_MAX];
    size_t to_n, to_at; /* addresses of its name, tried one after the other; how many were */
    int64_t until_ms;   /* all of them, monotonic */
    bool opened;
    struct net_stream *stream; /* NULL: not yet */
    struct ota_msrp_frame frame;
    struct session *session; /* of the message under way; of one that we make, its own */
    unsigned refused;        /* its status, when it is of none */
    struct buf out;          /* scratch */
};

/* --- ends --- */

static void session_free(struct session *s)
{
    list_remove(&s->at);
    s->owner->sessions_n--;
    if (s->link && s->link->session == s)
        s->link->session = NULL;
    ota_msrp_receiver_clear(&s->receiver);
    free(s->dialog);
    free(s->app);
    free(s);
}

static void check_end(struct tool_sip_sessions *s)
{
    void (*closed)(void *arg) = s->closed;
    void *arg = s->closed_arg;

    if (!s->ended || s->open)
        return;
    while (!list_empty(&s->sessions)) /* not before: a message that ends the program is in the hands of one */
        session_free(container_of(s->sessions.next, struct session, at));
    free(s);
    closed(arg);
}

/* --- messages --- */

/* What a MESSAGE would be answered with, as MSRP has it. */
static unsigned status_of(unsigned sip)
{
    return sip == 200 || sip == 400 || sip == 413 || sip == 415 ? sip : 403;
}

static unsigned on_message(const struct ota_msrp_incoming *m, void *arg)
{
    struct session *s = arg;
    struct tool_sip_push p = {.content_type = m->content_type,
                              .app_id = slice_str(s->app),
                              .body = m->body,
                              .ip = net_stream_ip(s->link->stream),
                              .peer = net_stream_peer(s->link->stream)};
    struct buf more; /* an answer over MSRP has no place for it */
    unsigned status;

    buf_init(&more, OTA_SIP_LINE_MAX_N);
    p.more = &more;
    status = status_of(s->owner->conf.push(&p, s->owner->conf.arg));
    buf_clear(&more);
    return status;
}

static struct session *session_for(struct tool_sip_sessions *o, struct slice to_path)
{
    LIST_EACH (at, &o->sessions) {
        struct session *s = container_of(at, struct session, at);

        if (ota_msrp_uri_same(ota_msrp_first(to_path), slice_str(s->path)))
            return s;
    }
    return NULL;
}

/* The first message of a session binds it to its connection (RFC 4975 §5.4). */
static void bind_message(struct link *l, const struct ota_msrp_head *h)
{
    l->session = session_for(l->owner, h->to_path);
    l->refused = 0;
    if (!l->session) {
        l->refused = 481;
    } else if (l->session->link && l->session->link != l) {
        l->session = NULL;
        l->refused = 506;
    } else {
        l->session->link = l;
    }
}

static enum err take(struct link *l, const struct ota_msrp_unit *u)
{
    bool request = u->head->kind == OTA_MSRP_SEND || u->head->kind == OTA_MSRP_OTHER;
    enum err e = ERR_OK;

    if (u->begins && request)
        bind_message(l, u->head);
    buf_reset(&l->out, OUT_N);
    if (l->session && request)
        e = ota_msrp_receiver_take(&l->session->receiver, u, &l->out);
    else if (l->refused && request && u->flag)
        ota_msrp_response_print(u->head, l->refused, &l->out);
    if (!e && l->out.n)
        (void)net_stream_write(l->stream, buf_slice(&l->out));
    return e ? e : buf_err(&l->out);
}

/* --- connections --- */

static void on_data(struct net_stream *stream, struct slice data, void *arg)
{
    struct link *l = arg;
    enum err e = ota_msrp_frame_feed(&l->frame, data);
    struct ota_msrp_unit u;

    if (l->owner->conf.wire)
        l->owner->conf.wire(data, l->owner->conf.arg);
    while (!e && !(e = ota_msrp_frame_next(&l->frame, &u)))
        e = take(l, &u);
    if (e != ERR_AGAIN)
        net_stream_abort(stream, e);
}

static void link_free(struct link *l)
{
    struct tool_sip_sessions *o = l->owner;

    LIST_EACH_SAFE (at, &o->sessions) { /* what was bound to it has failed (§5.4) */
        struct session *s = container_of(at, struct session, at);

        if (s->link == l)
            session_free(s);
    }
    list_remove(&l->at);
    ota_msrp_frame_clear(&l->frame);
    buf_clear(&l->out);
    free(l);
    o->links_n--;
    o->open--;
    check_end(o);
}

static bool connect_next(struct link *l);

/* Where nobody listened the name may have another address. */
static void on_closed(struct net_stream *stream, enum err why, void *arg)
{
    struct link *l = arg;

    if (l->opened || why != ERR_PEER || *net_stream_tls_why(stream) != '\0' || !connect_next(l))
        link_free(l);
}

static void link_enter(struct link *l, struct tool_sip_sessions *o)
{
    l->owner = o;
    ota_msrp_frame_init(&l->frame);
    buf_init(&l->out, OUT_N);
    list_push_back(&o->links, &l->at);
    o->links_n++;
    o->open++;
}

static bool is_bound(const struct link *l)
{
    LIST_EACH (at, &l->owner->sessions)
        if (container_of(at, struct session, at)->link == l)
            return true;
    return false;
}

/* Anybody may connect: the oldest link that no session is bound to makes room.  False: there is none. */
static bool link_room(struct tool_sip_sessions *o)
{
    if (o->links_n < LINKS_MAX)
        return true;
    LIST_EACH_SAFE (at, &o->links) {
        struct link *l = container_of(at, struct link, at);

        if (l->stream && !is_bound(l)) {
            list_remove(&l->at);
            net_stream_abort(l->stream, ERR_LIMIT);
            return true;
        }
    }
    return false;
}

static void on_accepted(uv_os_sock_t fd, struct net_gate_seat *seat, void *arg)
{
    struct tool_sip_sessions *o = arg;
    struct link *l = link_room(o) ? calloc(1, sizeof *l) : NULL;
    const struct net_stream_user user = {.data = on_data, .closed = on_closed, .arg = l};

    (void)seat;
    if (!l || net_stream_adopt(o->conf.env, fd, o->conf.tls, WAIT_MS, &user, &l->stream)) {
        free(l);
        (void)close(fd);
        return;
    }
    link_enter(l, o);
}

static enum err chance(char *out, size_t n)
{
    uint8_t octets[ID_N / 2];
    struct buf id;
    enum err e = sec_random(octets, n / 2);

    buf_init(&id, ID_N);
    codec_hex(&id, slice_of(octets, n / 2));
    if (!e)
        e = buf_err(&id) ? buf_err(&id) : mem_cstr(out, n + 1, buf_slice(&id));
    buf_clear(&id);
    return e;
}

/* A first message that says nothing binds the connection (RFC 4975 §5.4). */
static void on_opened(struct net_stream *stream, void *arg)
{
    struct link *l = arg;
    char tid[TID_N + 1], text[3 * OTA_MSRP_URI_MAX_N];

    l->opened = true;
    if (!l->session || chance(tid, TID_N)) {
        net_stream_close(stream);
        return;
    }
    (void)snprintf(text, sizeof text,
                   "MSRP %s SEND\r\nTo-Path: %s\r\nFrom-Path: %s\r\nMessage-ID: %s\r\nByte-Range: "
                   "1-0/0\r\n-------%s$\r\n",
                   tid, l->session->far_path, l->session->path, tid, tid);
    (void)net_stream_write(stream, slice_str(text));
}

/* False: there is no more to try, or nobody any more to try it for. */
static bool connect_next(struct link *l)
{
    const struct tool_sip_sessions_conf *conf = &l->owner->conf;
    const struct net_stream_user user = {.opened = on_opened, .data = on_data, .closed = on_closed, .arg = l};
    int64_t left_ms = l->until_ms - clk_mono_ms(conf->env->clk);
    struct ota_msrp_uri uri;

    return !l->owner->ended && l->session && l->to_at < l->to_n && left_ms > 0 &&
           !ota_msrp_uri_parse(slice_str(l->session->far_path), &uri) &&
           !net_stream_connect(conf->env, (const struct sockaddr *)&l->to[l->to_at++],
                               uri.secure ? conf->client : NULL, slice_str(uri.host), left_ms, left_ms, &user,
                               &l->stream);
}

static void looked_up(enum err e, const struct sockaddr_storage *to, size_t n, void *arg)
{
    struct link *l = arg;

    l->query = NULL;
    for (; !e && l->to_n < n && l->to_n < NET_DNS_MAX; l->to_n++)
        l->to[l->to_n] = to[l->to_n];
    if (!connect_next(l))
        link_free(l);
}

static enum err connect_out(struct session *s)
{
    struct tool_sip_sessions *o = s->owner;
    struct link *l = link_room(o) ? calloc(1, sizeof *l) : NULL;
    struct ota_msrp_uri uri;
    enum err e = l ? ota_msrp_uri_parse(slice_str(s->far_path), &uri) : ERR_NOMEM;

    if (l)
        l->until_ms = clk_mono_ms(o->conf.env->clk) + WAIT_MS;
    if (!e)
        e = net_dns_lookup(o->conf.env, slice_str(uri.host), uri.port, looked_up, l, &l->query);
    if (e) {
        free(l);
        return e;
    }
    link_enter(l, o);
    l->session = s;
    s->link = l;
    return ERR_OK;
}

/* --- invitations --- */

static enum err print_path(struct session *s, uint16_t port, struct slice *path)
{
    const struct tool_sip_sessions *o = s->owner;
    bool v6 = strchr(o->conf.address, ':') != NULL;
    char id[ID_N + 1];
    enum err e = chance(id, ID_N);

    if (!e)
        (void)snprintf(s->path, sizeof s->path, "%s://%s%s%s:%u/%s;tcp", o->conf.tls ? "msrps" : "msrp",
                       v6 ? "[" : "", o->conf.address, v6 ? "]" : "", (unsigned)port, id);
    *path = slice_str(s->path);
    return e;
}

static enum err print_description(struct session *s, struct buf *out)
{
    const struct tool_sip_sessions *o = s->owner;
    bool active = s->far_path[0] != '\0';
    struct ota_msrp_offer answer = {.id = 1,
                                    .host = slice_str(o->conf.address),
                                    .port = active ? DISCARD_PORT : net_listener_port(o->listener),
                                    .secure = o->conf.tls != NULL,
                                    .accept = SLICE("*"),
                                    .max_size = o->conf.max_n,
                                    .setup = active ? OTA_MSRP_SETUP_ACTIVE : OTA_MSRP_SETUP_PASSIVE,
                                    .direction = "recvonly"};
    enum err e = print_path(s, answer.port, &answer.path);

    return e ? e : ota_msrp_sdp_print(&answer, out);
}

static enum err fill(struct session *s, const struct ota_sip_request *r, struct slice tag)
{
    struct buf text;
    enum err e;

    buf_init(&text, DIALOG_MAX_N);
    e = ota_sip_request_dialog(r, tag, &text);
    s->dialog = e ? NULL : mem_dup(buf_slice(&text));
    buf_reset(&text, DIALOG_MAX_N);
    (void)!ota_sip_app_read(ota_sip_request_header(r, "accept-contact"), s->owner->conf.app_tag, &text);
    s->app = mem_dup(buf_slice(&text));
    buf_clear(&text);
    return s->dialog && s->app ? ERR_OK : e ? e : ERR_NOMEM;
}

/* We connect to one who would have it so, where we are to. */
static bool active_for(const struct tool_sip_sessions *o, const struct ota_msrp_sdp *d)
{
    return o->conf.connects && (d->setup == OTA_MSRP_SETUP_ACTPASS || d->setup == OTA_MSRP_SETUP_PASSIVE);
}

static bool usable(const struct tool_sip_sessions *o, const struct ota_msrp_sdp *d)
{
    return !d->refused && !d->recv_only && !d->inactive && d->secure == (o->conf.tls != NULL) &&
           (active_for(o, d) || (d->setup != OTA_MSRP_SETUP_PASSIVE && d->setup != OTA_MSRP_SETUP_HOLD));
}

/* Invitations cost a stranger nothing: when there are too many, the oldest to which nobody has connected goes. */
static bool has_room(const struct tool_sip_sessions *o)
{
    if (o->sessions_n < SESSIONS_MAX)
        return true;
    LIST_EACH_SAFE (at, &o->sessions) {
        struct session *s = container_of(at, struct session, at);

        if (!s->link) {
            session_free(s);
            return true;
        }
    }
    return false;
}

unsigned tool_sip_sessions_invited(struct tool_sip_sessions *o, const struct ota_sip_request *r,
                                   struct slice tag, struct slice body, struct buf *description)
{
    struct ota_msrp_receiver_conf conf = {.max_n = o->conf.max_n, .message = on_message};
    struct ota_msrp_sdp d;
    struct session *s;

    if (r->to_tag || ota_msrp_sdp_read(body, &d) || !usable(o, &d))
        return 488;
    s = has_room(o) ? calloc(1, sizeof *s) : NULL;
    if (!s)
        return 486;
    s->owner = o;
    list_push_back(&o->sessions, &s->at);
    o->sessions_n++;
    conf.arg = s;
    ota_msrp_receiver_init(&s->receiver, &conf);
    if (fill(s, r, tag) ||
        (active_for(o, &d) && mem_cstr(s->far_path, sizeof s->far_path, ota_msrp_first(d.path))) ||
        print_description(s, description) || (s->far_path[0] && connect_out(s))) {
        session_free(s);
        return 486;
    }
    s->receiver.conf.path = slice_str(s->path);
    return 200;
}

unsigned tool_sip_sessions_bye(struct tool_sip_sessions *o, const struct ota_sip_request *r)
{
    unsigned status = 481;
    struct buf dialog;

    buf_init(&dialog, DIALOG_MAX_N);
    if (r->to_tag && !ota_sip_request_dialog(r, SLICE_NONE, &dialog))
        LIST_EACH_SAFE (at, &o->sessions) {
            struct session *s = container_of(at, struct session, at);

            if (!slice_eq(slice_str(s->dialog), buf_slice(&dialog)))
                continue;
            session_free(s);
            status = 200;
        }
    buf_clear(&dialog);
    return status;
}

/* --- life --- */

static void gone(void *arg)
{
    struct tool_sip_sessions *o = arg;

    o->open--;
    check_end(o);
}

enum err tool_sip_sessions_create(const struct tool_sip_sessions_conf *conf, struct tool_sip_sessions **out)
{
    struct tool_sip_sessions *o = calloc(1, sizeof *o);
    struct net_listen_conf listen = {
        .name = "msrp", .address = conf->address, .alone = true, .accepted = on_accepted, .arg = o};
    const char *why;
    enum err e;

    if (!o)
        return ERR_NOMEM;
    o->conf = *conf;
    list_init(&o->sessions);
    list_init(&o->links);
    e = net_listen(conf->env, &listen, &o->listener, &why);
    if (e) {
        free(o);
        return e;
    }
    o->open++;
    *out = o;
    return ERR_OK;
}

void tool_sip_sessions_close(struct tool_sip_sessions *o, void (*closed)(void *arg), void *arg)
{
    o->ended = true;
    o->closed = closed;
    o->closed_arg = arg;
    LIST_EACH_SAFE (at, &o->links) {
        struct link *l = container_of(at, struct link, at);

        if (l->query)
            net_dns_cancel(l->query);
        else
            net_stream_close(l->stream);
    }
    net_listener_close(o->listener, gone, o);
}
