/* The SIP door; see door.h. */
#include "ota/registrar/door.h"

#include <osipparser2/osip_parser.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/net/dns.h"
#include "base/net/hub.h"
#include "base/net/listen.h"
#include "base/net/stream.h"
#include "base/net/udp.h"
#include "base/scan.h"
#include "ota/sip/answered.h"
#include "ota/sip/refusal.h"
#include "ota/sip/reply.h"

#define CONNS_MAX    1000000u /* the gate lets fewer in */
#define RESPONSE_N   ((size_t)32 << 10)
#define LISTENERS    (2 * OTA_SIP_DOOR_SOCKETS)
#define HANDSHAKE_MS 10000
#define COOKIE_N     7 /* octets of z9hG4bK */
#define SHARE        8 /* one address may have so manieth of the requests that wait */

struct socket {
    struct ota_sip_door *door;
    struct net_udp *udp; /* NULL: closed */
    unsigned at;
};

struct entrance {
    struct ota_sip_door *door;
    struct net_listener *listener; /* NULL: closed */
    enum ota_sip_via via;
};

struct ota_sip_door {
    struct ota_sip_door_conf conf;
    struct ota_sip_door_user user;
    struct net_tls_ctx *tls;
    struct socket sockets[OTA_SIP_DOOR_SOCKETS];
    size_t sockets_n;
    struct entrance entrances[LISTENERS];
    size_t entrances_n;
    struct map conns; /* by id */
    uint64_t last_id;
    struct list asked;
    size_t asked_n;
    struct ota_sip_answered logins, strangers; /* responses kept: after a login, and without */
    struct buf text;                           /* scratch: the head of a datagram */
    struct buf response;                       /* scratch */
    size_t open; /* parts that still have to close, and one for close() itself */
    void (*closed)(void *arg);
    void *closed_arg;
};

struct conn {
    struct ota_sip_door *door;
    struct net_stream *stream;
    struct net_gate_seat *seat;
    struct ota_sip_frame frame;
    struct ota_sip_flow flow;
    struct list bound; /* bindings, the location's */
    uint64_t senders;  /* loops that have sent over it, a bit each */
    bool let_in;
    bool full; /* more is queued than it reads: not listened to */
};

static const struct net_env *env_of(const struct ota_sip_door *d)
{
    return d->conf.env;
}

/* NULL: a datagram's, another loop's, or gone. */
static struct conn *conn_of(const struct ota_sip_door *d, const struct ota_sip_flow *flow)
{
    if (flow->via == OTA_SIP_UDP || flow->loop != d->conf.loop)
        return NULL;
    return map_get(&d->conns, slice_of(&flow->id, sizeof flow->id));
}

static void part_closed(void *arg)
{
    struct ota_sip_door *d = arg;
    void (*closed)(void *arg) = d->closed;
    void *closed_arg = d->closed_arg;

    if (--d->open)
        return;
    map_clear(&d->conns);
    ota_sip_answered_clear(&d->logins);
    ota_sip_answered_clear(&d->strangers);
    buf_clear(&d->text);
    buf_clear(&d->response);
    free(d);
    closed(closed_arg);
}

/* --- octets out --- */

static void conn_write(struct conn *c, struct slice octets)
{
    if (net_stream_write(c->stream, octets) > NET_STREAM_HIGH_N && !c->full) {
        c->full = true;
        net_stream_read_stop(c->stream);
    }
}

static enum err udp_send(struct ota_sip_door *d, const struct ota_sip_flow *flow,
                         const union ota_sip_peer *to, struct slice octets)
{
    if (flow->socket >= d->sockets_n || !d->sockets[flow->socket].udp)
        return ERR_PEER;
    return net_udp_send(d->sockets[flow->socket].udp, &to->sa, octets);
}

static void flow_write(struct ota_sip_door *d, const struct ota_sip_flow *flow, const union ota_sip_peer *to,
                       struct slice octets)
{
    struct conn *c;

    if (flow->via == OTA_SIP_UDP) {
        if (udp_send(d, flow, to, octets)) /* as lost on the way */
            LOG(env_of(d)->log, LOG_DEBUG, "ota.sip.unsaid", LOG_I("octets", octets.n));
    } else if (flow->loop != d->conf.loop) {
        (void)!ota_sip_door_send(d, flow, octets); /* what is not carried is asked for again */
    } else if ((c = conn_of(d, flow))) {
        conn_write(c, octets);
    }
}

/* --- answers --- */

static void set_port(union ota_sip_peer *to, uint16_t port)
{
    if (to->sa.sa_family == AF_INET6)
        to->v6.sin6_port = htons(port);
    else
        to->v4.sin_port = htons(port);
}

/* Without rport: the port that Via names (RFC 3261 §18.2.2, RFC 3581 §4). */
static union ota_sip_peer return_of(const struct ota_sip_asked *q)
{
    osip_via_t *via = osip_list_get(&q->r.osip->vias, 0);
    union ota_sip_peer to = q->flow.peer;
    osip_generic_param_t *rport = NULL;
    struct scan s = scan_of(slice_str(via->port));
    uint32_t port = scan_u32(&s, 1, UINT16_MAX);

    if (osip_via_param_get_byname(via, (char *)(uintptr_t) "rport", &rport) || !rport)
        set_port(&to, s.err ? 5060 : (uint16_t)port);
    return to;
}

static void asked_free(struct ota_sip_door *d, struct ota_sip_asked *q)
{
    list_remove(&q->at);
    d->asked_n--;
    ota_sip_request_clear(&q->r);
    free(q);
}

void ota_sip_door_answer(struct ota_sip_door *d, struct ota_sip_asked *q, unsigned status, struct slice more)
{
    union ota_sip_peer to = return_of(q);
    struct conn *c = conn_of(d, &q->flow);

    if (c && q->let_in)
        c->let_in = true;
    buf_reset(&d->response, RESPONSE_N);
    if (!ota_sip_response_print(&q->r, status, q->r.branch, more, &d->response)) {
        flow_write(d, &q->flow, &to, buf_slice(&d->response));
        if (q->flow.via == OTA_SIP_UDP && ota_sip_answered_keep(q->let_in ? &d->logins : &d->strangers, &q->r,
                                                                q->ip, buf_slice(&d->response)))
            LOG(env_of(d)->log, LOG_DEBUG, "ota.sip.share", LOG_S("peer", q->ip));
    }
    asked_free(d, q);
}

/* --- messages in --- */

/* Which loop has asked; UINT_MAX: none of ours. */
static unsigned loop_at(const struct ota_sip_door *d, struct slice text, size_t at)
{
    unsigned loop = 0;

    for (size_t i = at; i < at + 2; i++) {
        char ch = text.p[i];

        if (!((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f')))
            return UINT_MAX;
        loop = loop * 16 + (unsigned)(ch <= '9' ? ch - '0' : ch - 'a' + 10);
    }
    return loop < d->conf.loops ? loop : UINT_MAX;
}

static unsigned loop_of(const struct ota_sip_door *d, struct slice branch)
{
    return branch.n == OTA_SIP_BRANCH_N ? loop_at(d, branch, COOKIE_N) : UINT_MAX;
}

static void put_loop(const struct ota_sip_door *d, char *at)
{
    static const char digits[] = "0123456789abcdef";

    at[0] = digits[d->conf.loop >> 4 & 15];
    at[1] = digits[d->conf.loop & 15];
}

void ota_sip_door_branch(const struct ota_sip_door *d, char *branch)
{
    put_loop(d, branch + COOKIE_N);
}

void ota_sip_door_tag(const struct ota_sip_door *d, char *tag)
{
    put_loop(d, tag);
}

static struct ota_sip_parcel *parcel_new(struct ota_sip_door *d, const struct ota_sip_flow *flow,
                                         struct slice octets, struct slice body)
{
    struct ota_sip_parcel *p = malloc(sizeof *p + octets.n + 1 + body.n);

    if (!p)
        return NULL;
    p->from = d->conf.loop;
    p->flow = *flow;
    p->n = octets.n;
    p->body_n = body.n;
    mem_copy(p->octets, octets.n, octets);
    p->octets[octets.n] = '\0';
    mem_copy(p->octets + octets.n + 1, body.n, body);
    return p;
}

static void take_reply(struct ota_sip_door *d, const struct ota_sip_unit *unit,
                       const struct ota_sip_flow *flow)
{
    struct ota_sip_parcel *p;
    struct ota_sip_reply r;
    unsigned loop;

    if (ota_sip_reply_read(unit, &r))
        return;
    loop = loop_of(d, r.branch);
    ota_sip_reply_clear(&r);
    if (loop == d->conf.loop && d->user.reply) {
        d->user.reply(unit, flow, d->user.arg);
    } else if (loop != UINT_MAX && loop != d->conf.loop &&
               (p = parcel_new(d, flow, unit->head, unit->body))) {
        p->what = OTA_SIP_REPLY;
        d->conf.post(loop, p, d->conf.arg);
    }
}

/* What no parser takes is answered too, if only it says by whom (RFC 3261 §8.2). */
static void refuse_octets(struct ota_sip_door *d, const struct ota_sip_flow *flow, struct slice octets)
{
    buf_reset(&d->response, RESPONSE_N);
    if (!ota_sip_refusal_print(octets, &flow->peer.sa, SLICE(OTA_SIP_DOOR_METHODS), &d->response))
        flow_write(d, flow, &flow->peer, buf_slice(&d->response));
}

/* NULL: nothing is to be done any more. */
static struct ota_sip_asked *asked_new(struct ota_sip_door *d, const struct ota_sip_unit *unit,
                                       const struct ota_sip_flow *flow)
{
    struct ota_sip_asked *q = calloc(1, sizeof *q);
    enum err e = q ? ota_sip_request_read(unit, &flow->peer.sa, &q->r) : ERR_NOMEM;

    if (e) {
        if (e == ERR_MALFORMED)
            refuse_octets(d, flow, unit->head);
        free(q);
        return NULL;
    }
    q->flow = *flow;
    q->body = unit->body;
    (void)uv_ip_name(&flow->peer.sa, q->ip_text, sizeof q->ip_text);
    q->ip = slice_str(q->ip_text);
    list_push_back(&d->asked, &q->at);
    d->asked_n++;
    return q;
}

/* Of a session: the bearer's, with nothing more to prove than the tags that only the two ends know. */
static unsigned in_dialog(struct ota_sip_door *d, const struct ota_sip_request *r, struct buf *more)
{
    return r->to_tag && d->user.dialog ? d->user.dialog(r, more, d->user.arg) : 0;
}

/* The session may be another loop's.  True: it is on its way there. */
static bool hand_on(struct ota_sip_door *d, const struct ota_sip_unit *unit, const struct ota_sip_asked *q)
{
    unsigned loop = q->r.tag.n == OTA_SIP_DOOR_TAG_N ? loop_at(d, q->r.tag, 0) : UINT_MAX;
    struct ota_sip_parcel *p;

    if (loop == UINT_MAX || loop == d->conf.loop || !(p = parcel_new(d, &q->flow, unit->head, unit->body)))
        return false;
    p->what = OTA_SIP_DIALOG;
    d->conf.post(loop, p, d->conf.arg);
    return true;
}

/* No room, or none for this address. */
static bool crowded(const struct ota_sip_door *d, const struct ota_sip_asked *q)
{
    size_t share = (d->conf.asked_max + SHARE - 1) / SHARE, n = 0;

    if (d->asked_n > d->conf.asked_max)
        return true;
    if (d->asked_n <= share)
        return false;
    LIST_EACH (at, &d->asked)
        n += slice_eq(container_of(at, struct ota_sip_asked, at)->ip, q->ip);
    return n > share;
}

static void take_request(struct ota_sip_door *d, const struct ota_sip_unit *unit,
                         const struct ota_sip_flow *flow)
{
    struct ota_sip_asked *q = asked_new(d, unit, flow);
    struct slice again = SLICE_NONE;
    unsigned status;
    struct buf more;

    if (!q)
        return;
    buf_init(&more, OTA_SIP_LINE_MAX_N);
    if (flow->via == OTA_SIP_UDP) {
        again = ota_sip_answered_find(&d->logins, &q->r);
        if (again.n == 0)
            again = ota_sip_answered_find(&d->strangers, &q->r);
    }
    if (again.n) {
        union ota_sip_peer to = return_of(q);

        flow_write(d, flow, &to, again);
        asked_free(d, q);
    } else if (slice_eq(q->r.method, SLICE("ACK"))) { /* is never answered (§17.1.1.3) */
        asked_free(d, q);
    } else if ((status = in_dialog(d, &q->r, &more))) {
        ota_sip_door_answer(d, q, status, buf_slice(&more));
    } else if (hand_on(d, unit, q)) {
        asked_free(d, q);
    } else if (crowded(d, q)) {
        LOG(env_of(d)->log, LOG_DEBUG, "ota.sip.crowded", LOG_S("peer", q->ip));
        ota_sip_door_answer(d, q, 503, SLICE("Retry-After: 5\r\n"));
    } else {
        d->conf.request(q, d->conf.arg);
    }
    buf_clear(&more);
}

static void take(struct ota_sip_door *d, const struct ota_sip_unit *unit, const struct ota_sip_flow *flow)
{
    if (slice_starts(unit->head, SLICE("SIP/")))
        take_reply(d, unit, flow);
    else
        take_request(d, unit, flow);
}

/* --- datagrams --- */

static void set_peer(union ota_sip_peer *peer, const struct sockaddr *from)
{
    size_t n = from->sa_family == AF_INET6 ? sizeof peer->v6 : sizeof peer->v4;

    *peer = (union ota_sip_peer){.v6 = {.sin6_port = 0}};
    mem_copy(peer, sizeof *peer, slice_of(from, n));
}

/* Keep-alives and what is too large are dropped. */
static void on_datagram(struct net_udp *u, const struct sockaddr *from, struct slice octets, void *arg)
{
    const struct socket *s = arg;
    struct ota_sip_door *d = s->door;
    struct ota_sip_flow flow = {.via = OTA_SIP_UDP, .loop = d->conf.loop, .socket = s->at};
    struct ota_sip_unit unit;
    enum err e;

    (void)u;
    set_peer(&flow.peer, from);
    buf_reset(&d->text, OTA_SIP_HEAD_MAX_N);
    e = ota_sip_datagram_read(octets, &d->text, &unit);
    if (!e)
        take(d, &unit, &flow);
    else if (e == ERR_MALFORMED)
        refuse_octets(d, &flow, octets);
}

static enum err bind_udp(struct ota_sip_door *d, const char *address, uint16_t *port, const char **why)
{
    struct socket *s = &d->sockets[d->sockets_n];
    const struct net_udp_user user = {.data = on_datagram, .arg = s};
    struct sockaddr_storage local;
    enum err e;

    if (d->sockets_n == OTA_SIP_DOOR_SOCKETS)
        return ERR_LIMIT;
    *why = "the listening address is not numeric";
    e = net_addr_parse(slice_str(address), *port, &local);
    if (e)
        return e;
    *s = (struct socket){.door = d, .at = (unsigned)d->sockets_n};
    *why = "the address cannot be bound";
    e = net_udp_listen(env_of(d), (struct sockaddr *)&local, &user, &s->udp);
    if (e)
        return e;
    *port = net_udp_port(s->udp);
    d->sockets_n++;
    d->open++;
    return ERR_OK;
}

/* --- streams --- */

static void rest(struct conn *c)
{
    net_stream_deadline(c->stream, c->let_in ? c->door->conf.idle_ms : c->door->conf.enter_ms);
}

static void on_opened(struct net_stream *s, void *arg)
{
    (void)s;
    rest(arg);
}

static void on_data(struct net_stream *s, struct slice octets, void *arg)
{
    struct conn *c = arg;
    bool was_in = c->let_in;
    enum err e = ota_sip_frame_feed(&c->frame, octets);
    struct ota_sip_unit unit;

    while (!e && !(e = ota_sip_frame_next(&c->frame, &unit))) {
        if (unit.ping)
            conn_write(c, SLICE("\r\n"));
        else
            take(c->door, &unit, &c->flow);
    }
    if (e != ERR_AGAIN)
        net_stream_abort(s, e);
    else if (was_in || c->let_in) /* whoever is not let in does not buy time by talking */
        rest(c);
}

static void on_drained(struct net_stream *s, void *arg)
{
    struct conn *c = arg;

    c->full = false;
    net_stream_read_start(s);
}

static void tell_loop(struct conn *c, unsigned loop)
{
    struct ota_sip_door *d = c->door;
    struct ota_sip_parcel *p;

    if (loop == d->conf.loop) {
        if (d->user.lost)
            d->user.lost(&c->flow, d->user.arg);
    } else if ((p = parcel_new(d, &c->flow, SLICE_NONE, SLICE_NONE))) {
        p->what = OTA_SIP_LOST;
        d->conf.post(loop, p, d->conf.arg);
    }
}

static void on_closed(struct net_stream *s, enum err why, void *arg)
{
    struct conn *c = arg;
    struct ota_sip_door *d = c->door;

    LOG(env_of(d)->log, LOG_DEBUG, "ota.sip.closed", LOG_C("peer", net_stream_address(s)),
        LOG_C("why", err_name(why)), LOG_C("tls", net_stream_tls_why(s)));
    (void)map_del(&d->conns, slice_of(&c->flow.id, sizeof c->flow.id));
    ota_sip_location_lost(d->conf.location, &c->bound);
    for (unsigned i = 0; i < 64; i++)
        if (c->senders >> i & 1)
            tell_loop(c, i);
    if (c->seat)
        net_gate_leave(d->conf.gate, c->seat);
    ota_sip_frame_clear(&c->frame);
    free(c);
    part_closed(d);
}

static enum err conn_open(const struct entrance *in, uv_os_sock_t fd, struct conn *c)
{
    struct ota_sip_door *d = in->door;
    const struct net_stream_user user = {
        .opened = on_opened, .data = on_data, .drained = on_drained, .closed = on_closed, .arg = c};
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t n = sizeof peer;
    enum err e;

    if (getpeername(fd, (struct sockaddr *)&peer, &n))
        return ERR_IO;
    set_peer(&c->flow.peer, (struct sockaddr *)&peer);
    e = map_put(&d->conns, slice_of(&c->flow.id, sizeof c->flow.id), c);
    if (e)
        return e;
    e = net_stream_adopt(env_of(d), fd, in->via == OTA_SIP_TLS ? d->tls : NULL, HANDSHAKE_MS, &user,
                         &c->stream);
    if (e)
        (void)map_del(&d->conns, slice_of(&c->flow.id, sizeof c->flow.id));
    return e;
}

static void on_accepted(uv_os_sock_t fd, struct net_gate_seat *seat, void *arg)
{
    const struct entrance *in = arg;
    struct ota_sip_door *d = in->door;
    struct conn *c = calloc(1, sizeof *c);

    if (c) {
        c->door = d;
        c->flow = (struct ota_sip_flow){.via = in->via, .loop = d->conf.loop, .id = ++d->last_id};
        list_init(&c->bound);
        ota_sip_frame_init(&c->frame);
    }
    if (!c || conn_open(in, fd, c)) {
        free(c);
        (void)close(fd);
        if (seat)
            net_gate_leave(d->conf.gate, seat);
        return;
    }
    c->seat = seat;
    d->open++;
}

static enum err bind_stream(struct ota_sip_door *d, enum ota_sip_via via, const char *name,
                            const char *address, uint16_t *port, const char **why)
{
    struct entrance *in = &d->entrances[d->entrances_n];
    const struct net_listen_conf conf = {.name = name,
                                         .address = address,
                                         .port = *port,
                                         .gate = d->conf.gate,
                                         .accepted = on_accepted,
                                         .arg = in};
    enum err e;

    if (d->entrances_n == LISTENERS)
        return ERR_LIMIT;
    *in = (struct entrance){.door = d, .via = via};
    e = net_listen(env_of(d), &conf, &in->listener, why);
    if (e)
        return e;
    *port = net_listener_port(in->listener);
    d->entrances_n++;
    d->open++;
    return ERR_OK;
}

enum err ota_sip_door_listen(struct ota_sip_door *d, enum ota_sip_via via, const char *name,
                             const char *address, uint16_t *port, const char **why)
{
    return via == OTA_SIP_UDP ? bind_udp(d, address, port, why)
                              : bind_stream(d, via, name, address, port, why);
}

/* --- flows --- */

struct list *ota_sip_door_bound(struct ota_sip_door *d, const struct ota_sip_flow *flow)
{
    struct conn *c = conn_of(d, flow);

    return c ? &c->bound : NULL;
}

/* On the loop of the connection, for whichever loop sends. */
static bool conn_send(struct ota_sip_door *d, const struct ota_sip_flow *flow, unsigned sender,
                      struct slice message)
{
    struct conn *c = conn_of(d, flow);

    if (!c || c->full)
        return false;
    c->senders |= UINT64_C(1) << sender;
    conn_write(c, message);
    return true;
}

enum err ota_sip_door_send(struct ota_sip_door *d, const struct ota_sip_flow *flow, struct slice message)
{
    struct ota_sip_parcel *p;

    if (flow->via == OTA_SIP_UDP)
        return udp_send(d, flow, &flow->peer, message);
    if (flow->loop == d->conf.loop)
        return conn_send(d, flow, d->conf.loop, message) ? ERR_OK : ERR_PEER;
    p = parcel_new(d, flow, message, SLICE_NONE);
    if (!p)
        return ERR_NOMEM;
    p->what = OTA_SIP_SEND;
    d->conf.post(flow->loop, p, d->conf.arg);
    return ERR_OK;
}

uint16_t ota_sip_door_port(const struct ota_sip_door *d, const struct ota_sip_flow *flow)
{
    if (flow->via != OTA_SIP_UDP || flow->socket >= d->sockets_n || !d->sockets[flow->socket].udp)
        return 0;
    return net_udp_port(d->sockets[flow->socket].udp);
}

static void send_for(struct ota_sip_door *d, const struct ota_sip_parcel *p)
{
    struct ota_sip_parcel *back;

    if (conn_send(d, &p->flow, p->from, slice_of(p->octets, p->n)))
        return;
    back = parcel_new(d, &p->flow, SLICE_NONE, SLICE_NONE);
    if (!back)
        return; /* its timer tells */
    back->what = OTA_SIP_LOST;
    d->conf.post(p->from, back, d->conf.arg);
}

void ota_sip_door_parcel(struct ota_sip_door *d, const struct ota_sip_parcel *p)
{
    const struct ota_sip_unit unit = {.head = slice_of(p->octets, p->n),
                                      .body = slice_of(p->octets + p->n + 1, p->body_n),
                                      .wire_n = p->n + p->body_n};

    switch (p->what) {
    case OTA_SIP_SEND:
        send_for(d, p);
        break;
    case OTA_SIP_REPLY:
        if (d->user.reply)
            d->user.reply(&unit, &p->flow, d->user.arg);
        break;
    case OTA_SIP_LOST:
        if (d->user.lost)
            d->user.lost(&p->flow, d->user.arg);
        break;
    case OTA_SIP_DIALOG:
        take_request(d, &unit, &p->flow);
        break;
    }
}

/* --- life --- */

enum err ota_sip_door_create(const struct ota_sip_door_conf *conf, struct ota_sip_door **out)
{
    struct ota_sip_door *d = calloc(1, sizeof *d);

    if (!d)
        return ERR_NOMEM;
    ota_sip_parser_start();
    d->conf = *conf;
    d->open = 1;
    list_init(&d->asked);
    map_init(&d->conns, CONNS_MAX);
    ota_sip_answered_init(&d->logins, conf->env->clk, conf->responses_max);
    ota_sip_answered_init(&d->strangers, conf->env->clk, conf->responses_max);
    buf_init(&d->text, 2 * OTA_SIP_HEAD_MAX_N);
    buf_init(&d->response, RESPONSE_N);
    *out = d;
    return ERR_OK;
}

void ota_sip_door_attach(struct ota_sip_door *d, const struct ota_sip_door_user *user)
{
    d->user = user ? *user : (struct ota_sip_door_user){.arg = NULL};
}

void ota_sip_door_set_times(struct ota_sip_door *d, int64_t enter_ms, int64_t idle_ms)
{
    d->conf.enter_ms = enter_ms;
    d->conf.idle_ms = idle_ms;
}

void ota_sip_door_set_tls(struct ota_sip_door *d, struct net_tls_ctx *tls)
{
    d->tls = tls;
}

size_t ota_sip_door_asked(const struct ota_sip_door *d)
{
    return d->asked_n;
}

void ota_sip_door_drain(struct ota_sip_door *d)
{
    for (size_t i = 0; i < d->entrances_n; i++)
        if (d->entrances[i].listener) {
            net_listener_close(d->entrances[i].listener, part_closed, d);
            d->entrances[i].listener = NULL;
        }
}

void ota_sip_door_close(struct ota_sip_door *d, void (*closed)(void *arg), void *arg)
{
    struct conn *c;
    size_t pos = 0;

    MUST(d->asked_n == 0);
    d->closed = closed;
    d->closed_arg = arg;
    ota_sip_door_drain(d);
    for (size_t i = 0; i < d->sockets_n; i++) {
        net_udp_close(d->sockets[i].udp, part_closed, d);
        d->sockets[i].udp = NULL;
    }
    while ((c = map_next(&d->conns, &pos)))
        net_stream_close(c->stream);
    part_closed(d);
}
