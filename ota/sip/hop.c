/* Ways to next hops; see hop.h.  RFC 3261 §18, RFC 5922 §7, RFC 5626 §3.5.1. */
#include "ota/sip/hop.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/net/hub.h"
#include "base/net/stream.h"
#include "base/net/udp.h"
#include "ota/registrar/door.h"

#define KEY_MAX_N 512
#define SILENT_MS 32000 /* 64 times T1 */

struct ota_sip_hops {
    struct ota_sip_hops_conf conf;
    struct net_tls_ctx *tls;
    struct map by_key; /* hops that may be taken */
    struct list idle;  /* those that nobody rides on, least recently used first */
    size_t open;       /* hops, those on their way out too */
    struct buf text;   /* scratch: the head of a datagram */
    bool ended;
    struct net_task later;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct ota_sip_hop {
    struct list at; /* in idle; alone while somebody rides */
    struct ota_sip_hops *hops;
    enum ota_sip_via via;
    struct sockaddr_storage to;
    char *key; /* owned */
    size_t key_n;
    char *name;               /* owned; TLS */
    struct ota_sip_flow flow; /* of the door; none: a socket of its own */
    struct net_udp *udp;
    struct net_stream *stream;
    struct ota_sip_frame frame; /* of the stream */
    struct list riders;
    struct net_timer timer; /* idle */
    struct net_task gone;   /* of a flow: nothing has to be closed */
    int64_t heard_ms;       /* when something came of the stream, first when it began */
    bool opened;
    bool leaving; /* not in the table any more */
    char why[64]; /* of our own closing; "": see the stream */
};

static const struct net_env *net_of(const struct ota_sip_hops *h)
{
    return h->conf.env->net;
}

/* --- ends --- */

static void later_run(struct net_task *task)
{
    struct ota_sip_hops *h = container_of(task, struct ota_sip_hops, later);
    void (*closed)(void *arg) = h->closed;
    void *arg = h->closed_arg;

    if (!h->ended || h->open)
        return;
    map_clear(&h->by_key);
    buf_clear(&h->text);
    free(h);
    closed(arg);
}

static void hop_free(struct ota_sip_hop *hop)
{
    ota_sip_frame_clear(&hop->frame);
    free(hop->name);
    free(hop->key);
    free(hop);
}

static void hop_gone(struct ota_sip_hop *hop)
{
    struct ota_sip_hops *h = hop->hops;

    hop_free(hop);
    h->open--;
    if (h->ended)
        net_hub_defer(net_of(h)->hub, &h->later);
}

static void udp_gone(void *arg)
{
    hop_gone(arg);
}

static void flow_gone(struct net_task *task)
{
    hop_gone(container_of(task, struct ota_sip_hop, gone));
}

/* Off the table: the next one to go there opens another. */
static void leave(struct ota_sip_hop *hop)
{
    struct net_udp *udp = hop->udp;

    if (hop->leaving)
        return;
    hop->leaving = true;
    (void)map_del(&hop->hops->by_key, slice_of(hop->key, hop->key_n));
    list_remove(&hop->at);
    net_hub_timer_stop(net_of(hop->hops)->hub, &hop->timer);
    hop->udp = NULL;
    if (udp)
        net_udp_close(udp, udp_gone, hop);
    else if (hop->stream)
        net_stream_close(hop->stream);
    else if (ota_sip_flow_any(&hop->flow))
        net_hub_defer(net_of(hop->hops)->hub, &hop->gone);
}

static void tell_riders(struct ota_sip_hop *hop, const char *note)
{
    struct list riders, *e;
    bool opened = hop->opened;
    char text[80];

    (void)snprintf(text, sizeof text, "%s", note);
    list_init(&riders);
    list_splice_back(&riders, &hop->riders);
    leave(hop);
    while ((e = list_pop_front(&riders))) { /* what one does may be anything, the end of another ride too */
        struct ota_sip_rider *r = container_of(e, struct ota_sip_rider, at);

        r->lost(r, opened, text);
    }
}

/* --- streams --- */

/* A certificate that names SIP domains is for those alone, whatever DNS names it has as well (RFC 5922 §7.1). */
static bool domain_good(const struct ota_sip_hop *hop, const struct net_tls_peer *peer)
{
    bool any = false;

    for (size_t i = 0; peer && i < peer->uris_n; i++) {
        struct slice uri = peer->uris[i];

        if (!slice_starts_ci(uri, SLICE("sip:")) || slice_find(uri, '@') != SIZE_MAX)
            continue;
        any = true;
        if (slice_eq_ci(slice_sub(uri, 4, SIZE_MAX), slice_str(hop->name)))
            return true;
    }
    return !any;
}

static void stream_opened(struct net_stream *s, void *arg)
{
    struct ota_sip_hop *hop = arg;

    if (hop->via == OTA_SIP_TLS && !domain_good(hop, net_stream_peer(s))) {
        (void)snprintf(hop->why, sizeof hop->why, "cert-name");
        net_stream_abort(s, ERR_DENIED);
        return;
    }
    hop->opened = true;
}

static void stream_data(struct net_stream *s, struct slice data, void *arg)
{
    struct ota_sip_hop *hop = arg;
    enum err e = ota_sip_frame_feed(&hop->frame, data);
    struct ota_sip_unit unit;

    hop->heard_ms = clk_mono_ms(net_of(hop->hops)->clk);
    while (!e && !(e = ota_sip_frame_next(&hop->frame, &unit))) {
        if (unit.ping)
            (void)net_stream_write(s, SLICE("\r\n"));
        else
            hop->hops->conf.message(hop, &unit, hop->hops->conf.arg);
    }
    if (e != ERR_AGAIN) {
        (void)snprintf(hop->why, sizeof hop->why, "unreadable: %s", err_text(e));
        net_stream_abort(s, e);
    }
}

static void stream_closed(struct net_stream *s, enum err why, void *arg)
{
    struct ota_sip_hop *hop = arg;
    const char *text = hop->why[0] ? hop->why : net_stream_tls_why(s);
    char note[80];

    if (hop->via == OTA_SIP_TLS && text[0])
        (void)snprintf(note, sizeof note, "TLS: %s", text);
    else if (text[0])
        (void)snprintf(note, sizeof note, "%s", text);
    else
        (void)snprintf(note, sizeof note, "%s: %s", hop->opened ? "connection lost" : "not connected",
                       err_text(why));
    hop->stream = NULL;
    tell_riders(hop, note);
    hop_gone(hop);
}

static enum err stream_open(struct ota_sip_hop *hop, const struct ota_sip_way *way)
{
    const struct net_stream_user user = {
        .opened = stream_opened, .data = stream_data, .closed = stream_closed, .arg = hop};
    const struct ota_env *env = hop->hops->conf.env;
    struct net_tls_ctx *ctx = way->via == OTA_SIP_TLS ? hop->hops->tls : NULL;

    if (way->via == OTA_SIP_TLS && !ctx)
        return ERR_UNSUPPORTED;
    hop->heard_ms = clk_mono_ms(env->net->clk);
    return net_stream_connect(env->net, (const struct sockaddr *)&way->to, ctx, slice_str(hop->name),
                              env->connect_ms, env->connect_ms, &user, &hop->stream);
}

/* --- datagrams --- */

static void udp_data(struct net_udp *u, const struct sockaddr *from, struct slice datagram, void *arg)
{
    struct ota_sip_hop *hop = arg;
    struct ota_sip_hops *h = hop->hops;
    struct ota_sip_unit unit;

    (void)u, (void)from;
    buf_reset(&h->text, OTA_SIP_HEAD_MAX_N);
    if (!ota_sip_datagram_read(datagram, &h->text, &unit))
        h->conf.message(hop, &unit, h->conf.arg);
}

static void udp_fault(struct net_udp *u, enum err why, void *arg)
{
    (void)u;
    tell_riders(arg, why == ERR_PEER ? "port unreachable" : err_text(why));
}

static enum err udp_open(struct ota_sip_hop *hop, const struct ota_sip_way *way)
{
    const struct net_udp_user user = {.data = udp_data, .fault = udp_fault, .arg = hop};
    enum err e = net_udp_open(net_of(hop->hops), NULL, (const struct sockaddr *)&way->to, &user, &hop->udp);

    hop->opened = !e;
    return e;
}

/* --- flows --- */

static enum err flow_key(const struct ota_sip_flow *f, struct buf *out)
{
    buf_addf(out, "flow %d %u %u %llu ", (int)f->via, f->via == OTA_SIP_UDP ? 0 : f->loop, f->socket,
             (unsigned long long)f->id);
    if (f->via == OTA_SIP_UDP)
        buf_add(out, slice_of(&f->peer, sizeof f->peer));
    return buf_err(out);
}

void ota_sip_hops_flow_lost(struct ota_sip_hops *h, const struct ota_sip_flow *flow)
{
    struct ota_sip_hop *hop = NULL;
    struct buf key;

    buf_init(&key, KEY_MAX_N);
    if (!flow_key(flow, &key))
        hop = map_get(&h->by_key, buf_slice(&key));
    buf_clear(&key);
    if (hop)
        tell_riders(hop, "the device's connection is gone");
}

static enum err flow_open(struct ota_sip_hop *hop, const struct ota_sip_way *way)
{
    if (!hop->hops->conf.env->sip.door)
        return ERR_IO;
    hop->flow = *way->flow;
    hop->opened = true;
    mem_copy(&hop->to, sizeof hop->to, slice_of(&way->flow->peer, sizeof way->flow->peer));
    return ERR_OK;
}

/* --- the table --- */

static enum err key_of(const struct ota_sip_way *way, struct buf *out)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&way->to;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&way->to;
    bool is6 = way->to.ss_family == AF_INET6;

    if (way->flow)
        return flow_key(way->flow, out);
    buf_addf(out, "%d %d %u %u ", (int)way->via, is6, is6 ? v6->sin6_port : v4->sin_port,
             is6 ? v6->sin6_scope_id : 0);
    buf_add(out, is6 ? slice_of(&v6->sin6_addr, sizeof v6->sin6_addr)
                     : slice_of(&v4->sin_addr, sizeof v4->sin_addr));
    if (way->via == OTA_SIP_TLS)
        buf_add(out, way->name);
    return buf_err(out);
}

static void idle_over(struct net_timer *timer)
{
    leave(container_of(timer, struct ota_sip_hop, timer));
}

static enum err hop_fill(struct ota_sip_hop *hop, const struct ota_sip_way *way, struct slice key)
{
    hop->key = mem_dup(key);
    hop->key_n = key.n;
    hop->name = mem_dup(way->via == OTA_SIP_TLS ? way->name : SLICE(""));
    return hop->key && hop->name ? ERR_OK : ERR_NOMEM;
}

static enum err hop_open(struct ota_sip_hops *h, const struct ota_sip_way *way, struct slice key,
                         struct ota_sip_hop **out)
{
    struct ota_sip_hop *hop = calloc(1, sizeof *hop);
    enum err e;

    if (!hop)
        return ERR_NOMEM;
    hop->hops = h;
    hop->via = way->via;
    hop->to = way->to;
    list_init(&hop->at);
    list_init(&hop->riders);
    net_timer_init(&hop->timer, idle_over);
    net_task_init(&hop->gone, flow_gone);
    ota_sip_frame_init(&hop->frame);
    e = hop_fill(hop, way, key);
    if (!e)
        e = map_put(&h->by_key, slice_of(hop->key, hop->key_n), hop);
    if (!e) {
        e = way->flow                 ? flow_open(hop, way)
            : way->via == OTA_SIP_UDP ? udp_open(hop, way)
                                      : stream_open(hop, way);
        if (e)
            (void)map_del(&h->by_key, slice_of(hop->key, hop->key_n));
    }
    if (e) {
        hop_free(hop);
        return e;
    }
    h->open++;
    *out = hop;
    return ERR_OK;
}

/* The least recently used hop that nobody rides on makes room. */
static void make_room(struct ota_sip_hops *h)
{
    if (h->by_key.n == h->by_key.max && !list_empty(&h->idle))
        leave(container_of(h->idle.next, struct ota_sip_hop, at));
}

enum err ota_sip_hop_take(struct ota_sip_hops *h, const struct ota_sip_way *way, struct ota_sip_rider *r,
                          struct ota_sip_hop **out)
{
    struct ota_sip_hop *hop = NULL;
    struct buf key;
    enum err e;

    buf_init(&key, KEY_MAX_N);
    e = key_of(way, &key);
    if (!e)
        hop = map_get(&h->by_key, buf_slice(&key));
    if (!e && !hop) {
        make_room(h);
        e = hop_open(h, way, buf_slice(&key), &hop);
    }
    buf_clear(&key);
    if (e)
        return e;
    net_hub_timer_stop(net_of(h)->hub, &hop->timer);
    list_remove(&hop->at);
    list_push_back(&hop->riders, &r->at);
    *out = hop;
    return ERR_OK;
}

void ota_sip_hop_pass(struct ota_sip_hop *hop, struct ota_sip_rider *from, struct ota_sip_rider *to)
{
    list_remove(&from->at);
    list_push_back(&hop->riders, &to->at);
}

void ota_sip_hop_leave(struct ota_sip_hop **hop, struct ota_sip_rider *r)
{
    struct ota_sip_hop *was = *hop;

    *hop = NULL;
    if (!was)
        return;
    list_remove(&r->at);
    if (was->leaving || !list_empty(&was->riders))
        return;
    list_push_back(&was->hops->idle, &was->at);
    net_hub_timer_set(net_of(was->hops)->hub, &was->timer, was->hops->conf.idle_ms);
}

enum err ota_sip_hop_send(struct ota_sip_hop *hop, struct slice message)
{
    if (hop->udp)
        return net_udp_send(hop->udp, NULL, message);
    if (ota_sip_flow_any(&hop->flow))
        return hop->leaving ? ERR_PEER
                            : ota_sip_door_send(hop->hops->conf.env->sip.door, &hop->flow, message);
    if (!hop->stream || hop->leaving)
        return ERR_PEER;
    (void)net_stream_write(hop->stream, message);
    return ERR_OK;
}

void ota_sip_hop_silent(struct ota_sip_hop *hop)
{
    if (!hop || !hop->stream || hop->leaving ||
        clk_mono_ms(net_of(hop->hops)->clk) - hop->heard_ms < SILENT_MS)
        return;
    LOG(net_of(hop->hops)->log, LOG_INFO, "ota.sip.silent", LOG_C("peer", net_stream_address(hop->stream)));
    (void)snprintf(hop->why, sizeof hop->why, "silent");
    tell_riders(hop, "no answer to anything");
    net_stream_abort(hop->stream, ERR_LATE);
}

const struct sockaddr *ota_sip_hop_peer(const struct ota_sip_hop *hop)
{
    return (const struct sockaddr *)&hop->to;
}

enum ota_sip_via ota_sip_hop_via(const struct ota_sip_hop *hop)
{
    return hop->via;
}

uint16_t ota_sip_hop_port(const struct ota_sip_hop *hop)
{
    if (ota_sip_flow_any(&hop->flow))
        return ota_sip_door_port(hop->hops->conf.env->sip.door, &hop->flow);
    return hop->udp ? net_udp_port(hop->udp) : 0;
}

enum err ota_sip_hops_create(const struct ota_sip_hops_conf *conf, struct ota_sip_hops **out)
{
    struct ota_sip_hops *h = calloc(1, sizeof *h);

    if (!h)
        return ERR_NOMEM;
    h->conf = *conf;
    h->tls = conf->env->tls;
    map_init(&h->by_key, conf->hops_max);
    list_init(&h->idle);
    buf_init(&h->text, 2 * OTA_SIP_HEAD_MAX_N);
    net_task_init(&h->later, later_run);
    *out = h;
    return ERR_OK;
}

void ota_sip_hops_set_tls(struct ota_sip_hops *h, struct net_tls_ctx *tls)
{
    h->tls = tls;
}

void ota_sip_hops_close(struct ota_sip_hops *h, void (*closed)(void *arg), void *arg)
{
    struct ota_sip_hop *hop;
    size_t pos = 0;

    h->ended = true;
    h->closed = closed;
    h->closed_arg = arg;
    while ((hop = map_next(&h->by_key, &pos)))
        leave(hop);
    if (h->open == 0)
        net_hub_defer(net_of(h)->hub, &h->later);
}
