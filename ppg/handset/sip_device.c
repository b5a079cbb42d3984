/* A SIP device for the command line; see sip_device.h. */
#include "ppg/handset/sip_device.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/net/dns.h"
#include "base/net/listen.h"
#include "base/net/stream.h"
#include "base/net/udp.h"
#include "ota/sip/answered.h"
#include "ota/sip/message.h"
#include "ota/sip/refusal.h"
#include "ota/sip/reply.h"
#include "ota/msrp/sdp.h"
#include "ppg/handset/sip_session.h"
#include "security/secret.h"

#define STREAMS_MAX   64
#define RESPONSES_MAX 4096
#define BIND_TRIES    16
#define WAIT_MS       30000 /* for a handshake */
#define RESPONSE_N    16384
#define TAG_N         16
#define METHODS       "MESSAGE, INVITE, BYE, OPTIONS"

struct tool_sip_device {
    struct tool_sip_device_conf conf;
    struct net_udp *udp;
    struct net_listener *listener;
    struct list streams; /* lines, the one that has been silent longest first */
    size_t streams_n;
    size_t open; /* sockets and streams that are not gone */
    uint16_t port;
    struct tool_sip_sessions *sessions;
    struct ota_sip_answered answered;
    char tag[TAG_N + 1];    /* for To in the answer under way */
    struct buf text;        /* scratch: the head of a datagram */
    struct buf response;    /* scratch */
    struct buf description; /* scratch: of the session that a response agrees to; empty: none */
    bool ended;
};

struct line {
    struct list at;
    struct tool_sip_device *device;
    struct net_stream *stream;
    struct ota_sip_frame frame;
};

static void check_end(struct tool_sip_device *d)
{
    if (!d->ended || d->open)
        return;
    ota_sip_answered_clear(&d->answered);
    buf_clear(&d->text);
    buf_clear(&d->response);
    buf_clear(&d->description);
    free(d);
}

/* --- one request --- */

static unsigned serve_message(struct tool_sip_device *d, const struct ota_sip_unit *unit,
                              const struct ota_sip_request *r, struct slice ip,
                              const struct net_tls_peer *peer, struct buf *more)
{
    struct tool_sip_push p = {.body = unit->body, .ip = ip, .peer = peer, .more = more};
    struct buf type, app;
    unsigned status = 400;

    buf_init(&type, OTA_SIP_LINE_MAX_N);
    buf_init(&app, OTA_SIP_LINE_MAX_N);
    if (!ota_sip_request_type(r, &type)) {
        (void)!ota_sip_app_read(ota_sip_request_header(r, "accept-contact"), d->conf.app_tag, &app);
        p.content_type = buf_slice(&type);
        p.app_id = buf_slice(&app);
        status = d->conf.push(&p, d->conf.arg);
    }
    buf_clear(&type);
    buf_clear(&app);
    return status;
}

/* A fresh tag for To: two devices that answer one forked request are told apart by it (§8.2.6.2). */
static enum err draw_tag(struct tool_sip_device *d)
{
    uint8_t chance[TAG_N / 2];
    struct buf tag;
    enum err e = sec_random(chance, sizeof chance);

    buf_init(&tag, TAG_N);
    codec_hex(&tag, slice_of(chance, sizeof chance));
    if (!e)
        e = buf_err(&tag);
    if (!e)
        e = mem_cstr(d->tag, sizeof d->tag, buf_slice(&tag));
    buf_clear(&tag);
    return e;
}

static enum err respond(struct tool_sip_device *d, const struct ota_sip_request *r, unsigned status,
                        struct slice more)
{
    enum err e;

    buf_reset(&d->response, RESPONSE_N);
    e = ota_sip_response_print(r, status, slice_str(d->tag), more, &d->response);
    if (!e && d->description.n)
        e = ota_sip_response_body(&d->response, SLICE("application/sdp"), buf_slice(&d->description));
    return e;
}

/* To octets that are no request as we know them; n 0: nothing. */
static struct slice refuse(struct tool_sip_device *d, struct slice octets, const struct sockaddr *from)
{
    buf_reset(&d->response, RESPONSE_N);
    if (ota_sip_refusal_print(octets, from, SLICE(METHODS), &d->response))
        return SLICE_NONE;
    return buf_slice(&d->response);
}

/* An offer is a session description, or it is not understood (§13.3.1). */
static bool offers(const struct ota_sip_request *r)
{
    struct buf type;
    bool is;

    buf_init(&type, OTA_SIP_LINE_MAX_N);
    is = !ota_sip_request_type(r, &type) &&
         (type.n == 0 || slice_starts_ci(buf_slice(&type), SLICE("application/sdp")));
    buf_clear(&type);
    return is;
}

/* Where the far end's requests in the session come to (§12.1.1); the description goes behind the response. */
static unsigned serve_invite(struct tool_sip_device *d, const struct ota_sip_unit *unit,
                             const struct ota_sip_request *r, bool datagram, struct buf *more)
{
    bool v6 = strchr(d->conf.address, ':') != NULL;
    unsigned status;

    buf_reset(&d->description, OTA_MSRP_SDP_MAX_N);
    if (!offers(r)) {
        buf_add(more, SLICE("Accept: application/sdp\r\n"));
        return 415;
    }
    status = tool_sip_sessions_invited(d->sessions, r, slice_str(d->tag), unit->body, &d->description);
    if (status == 200)
        buf_addf(more, "Contact: <sip:terminal@%s%s%s:%u%s>\r\n", v6 ? "[" : "", d->conf.address,
                 v6 ? "]" : "", (unsigned)d->port,
                 datagram      ? ""
                 : d->conf.tls ? ";transport=tls"
                               : ";transport=tcp");
    else
        buf_reset(&d->description, OTA_MSRP_SDP_MAX_N);
    return status;
}

/* The status of a request that is to be answered; header lines for it are appended to *more. */
static unsigned judge(struct tool_sip_device *d, const struct ota_sip_unit *unit,
                      const struct ota_sip_request *r, struct slice ip, const struct net_tls_peer *peer,
                      bool datagram, struct buf *more)
{
    unsigned refused = ota_sip_request_refused(r, SLICE(METHODS), more);

    buf_reset(&d->description, OTA_MSRP_SDP_MAX_N);
    if (refused)
        return refused;
    if (slice_eq(r->method, SLICE("INVITE")))
        return serve_invite(d, unit, r, datagram, more);
    if (slice_eq(r->method, SLICE("BYE")))
        return tool_sip_sessions_bye(d->sessions, r);
    if (!slice_eq(r->method, SLICE("OPTIONS")))
        return serve_message(d, unit, r, ip, peer, more);
    buf_add(more, SLICE("Allow: " METHODS "\r\n"));
    return 200;
}

/* What to answer; n 0: nothing. */
static struct slice serve(struct tool_sip_device *d, const struct ota_sip_unit *unit,
                          const struct sockaddr *from, const struct net_tls_peer *peer, bool datagram)
{
    struct slice again = SLICE_NONE, answer = SLICE_NONE;
    char ip[NET_ADDR_TEXT_N] = "";
    struct ota_sip_request r;
    struct buf more;
    enum err e = ota_sip_request_read(unit, from, &r);

    (void)uv_ip_name(from, ip, sizeof ip);
    if (e)
        return e == ERR_MALFORMED ? refuse(d, unit->head, from) : SLICE_NONE;
    if (datagram)
        again = ota_sip_answered_find(&d->answered, &r);
    buf_init(&more, OTA_SIP_LINE_MAX_N);
    if (again.n == 0 && !slice_eq(r.method, SLICE("ACK")) && !draw_tag(d)) {
        unsigned status = judge(d, unit, &r, slice_str(ip), peer, datagram, &more);

        if (!respond(d, &r, status, buf_slice(&more)))
            answer = buf_slice(&d->response);
        if (datagram && answer.n)
            (void)ota_sip_answered_keep(&d->answered, &r, SLICE_NONE, answer);
    }
    buf_clear(&more);
    ota_sip_request_clear(&r);
    return again.n ? again : answer;
}

static void show(struct tool_sip_device *d, struct slice octets)
{
    if (d->conf.wire)
        d->conf.wire(octets, d->conf.arg);
}

struct slice tool_sip_device_serve(struct tool_sip_device *d, const struct ota_sip_unit *unit,
                                   const struct sockaddr *from, bool datagram)
{
    show(d, unit->head);
    show(d, unit->body);
    return serve(d, unit, from, NULL, datagram);
}

/* --- datagrams --- */

static void on_datagram(struct net_udp *udp, const struct sockaddr *from, struct slice octets, void *arg)
{
    struct tool_sip_device *d = arg;
    struct ota_sip_unit unit;
    struct slice answer;
    enum err e;

    buf_reset(&d->text, OTA_SIP_HEAD_MAX_N);
    if (d->ended)
        return;
    e = ota_sip_datagram_read(octets, &d->text, &unit);
    if (e == ERR_ABSENT)
        return;
    show(d, octets);
    answer = e ? refuse(d, octets, from) : serve(d, &unit, from, NULL, true);
    if (answer.n && net_udp_send(udp, from, answer) != ERR_OK)
        (void)fprintf(stderr, "push-terminal: an answer could not be sent\n");
}

/* --- streams --- */

static void on_data(struct net_stream *s, struct slice data, void *arg)
{
    struct line *l = arg;
    struct list *lines = &l->device->streams;
    struct sockaddr_storage from;
    struct ota_sip_unit unit;
    enum err e = ota_sip_frame_feed(&l->frame, data);

    if (!list_empty(&l->at)) { /* not on its way out */
        list_remove(&l->at);
        list_push_back(lines, &l->at);
    }
    show(l->device, data);
    if (net_addr_parse(net_stream_ip(s), 0, &from))
        e = ERR_IO;
    while (!e && !(e = ota_sip_frame_next(&l->frame, &unit))) {
        struct slice answer =
            unit.ping ? SLICE("\r\n")
                      : serve(l->device, &unit, (struct sockaddr *)&from, net_stream_peer(s), false);

        (void)net_stream_write(s, answer);
    }
    if (e != ERR_AGAIN)
        net_stream_abort(s, e);
}

static void on_closed(struct net_stream *s, enum err why, void *arg)
{
    struct line *l = arg;
    struct tool_sip_device *d = l->device;

    (void)s, (void)why;
    list_remove(&l->at);
    ota_sip_frame_clear(&l->frame);
    free(l);
    d->streams_n--;
    d->open--;
    check_end(d);
}

/* Anybody may connect and say nothing: the one that has been silent longest makes room. */
static void make_room(struct tool_sip_device *d)
{
    struct list *first = d->streams_n < STREAMS_MAX ? NULL : list_pop_front(&d->streams);

    if (first)
        net_stream_abort(container_of(first, struct line, at)->stream, ERR_LIMIT);
}

static void on_accepted(uv_os_sock_t fd, struct net_gate_seat *seat, void *arg)
{
    struct tool_sip_device *d = arg;
    struct line *l = calloc(1, sizeof *l);
    const struct net_stream_user user = {.data = on_data, .closed = on_closed, .arg = l};

    (void)seat;
    make_room(d);
    if (!l || net_stream_adopt(d->conf.env, fd, d->conf.tls, WAIT_MS, &user, &l->stream)) {
        free(l);
        (void)close(fd);
        return;
    }
    l->device = d;
    ota_sip_frame_init(&l->frame);
    list_push_back(&d->streams, &l->at);
    d->streams_n++;
    d->open++;
}

/* --- life --- */

static void gone(void *arg)
{
    struct tool_sip_device *d = arg;

    d->open--;
    check_end(d);
}

static enum err bind_once(struct tool_sip_device *d)
{
    const struct net_listen_conf listen = {.name = "sip",
                                           .address = d->conf.address,
                                           .port = d->conf.port,
                                           .alone = true,
                                           .accepted = on_accepted,
                                           .arg = d};
    const struct net_udp_user user = {.data = on_datagram, .arg = d};
    struct sockaddr_storage local;
    const char *why;
    enum err e = net_listen(d->conf.env, &listen, &d->listener, &why);

    if (e)
        return e;
    d->open++;
    d->port = net_listener_port(d->listener);
    if (d->conf.tls)
        return ERR_OK;
    e = net_addr_parse(slice_str(d->conf.address), d->port, &local);
    if (!e)
        e = net_udp_open(d->conf.env, (struct sockaddr *)&local, NULL, &user, &d->udp);
    d->open += !e;
    return e;
}

/* Any port, when none is named, that is free for connections and for datagrams. */
static enum err bind_both(struct tool_sip_device *d)
{
    enum err e = bind_once(d);

    for (unsigned i = 0; e == ERR_IO && d->listener && !d->conf.port && i < BIND_TRIES; i++) {
        net_listener_close(d->listener, gone, d);
        d->listener = NULL;
        e = bind_once(d);
    }
    return e;
}

enum err tool_sip_device_create(const struct tool_sip_device_conf *conf, struct tool_sip_device **out)
{
    const struct tool_sip_sessions_conf sessions = {.env = conf->env,
                                                    .address = conf->address,
                                                    .tls = conf->session_tls,
                                                    .connects = conf->connects,
                                                    .client = conf->client,
                                                    .max_n = conf->max_n,
                                                    .app_tag = conf->app_tag,
                                                    .push = conf->push,
                                                    .wire = conf->wire,
                                                    .arg = conf->arg};
    struct tool_sip_device *d = calloc(1, sizeof *d);
    enum err e;

    if (!d)
        return ERR_NOMEM;
    ota_sip_parser_start();
    d->conf = *conf;
    list_init(&d->streams);
    ota_sip_answered_init(&d->answered, conf->env->clk, RESPONSES_MAX);
    buf_init(&d->text, 2 * OTA_SIP_HEAD_MAX_N);
    buf_init(&d->response, RESPONSE_N);
    buf_init(&d->description, OTA_MSRP_SDP_MAX_N);
    e = bind_both(d);
    if (!e)
        e = tool_sip_sessions_create(&sessions, &d->sessions);
    d->open += !e;
    if (e)
        tool_sip_device_close(&d);
    else
        *out = d;
    return e;
}

uint16_t tool_sip_device_port(const struct tool_sip_device *d)
{
    return d->port;
}

void tool_sip_device_close(struct tool_sip_device **dp)
{
    struct tool_sip_device *d = *dp;

    *dp = NULL;
    if (!d)
        return;
    d->ended = true;
    if (d->udp)
        net_udp_close(d->udp, gone, d);
    if (d->listener)
        net_listener_close(d->listener, gone, d);
    if (d->sessions)
        tool_sip_sessions_close(d->sessions, gone, d);
    LIST_EACH_SAFE (at, &d->streams)
        net_stream_close(container_of(at, struct line, at)->stream);
    check_end(d);
}
