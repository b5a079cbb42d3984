/* Where terminals connect for sessions; see msrp_door.h. */
#include "ota/agent/msrp_door.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/net/hub.h"
#include "base/net/listen.h"
#include "ota/msrp/frame.h"
#include "ota/msrp/uri.h"
#include "security/secret.h"

#define SOCKETS_MAX 24
#define GUESTS_MAX  1000000 /* each is an offer of a session, and those are bounded before */
#define LOOP_N      2       /* digits of an id that name the loop */
#define AGAIN_MS    10

struct entry {
    struct ota_msrp_door *door;
    enum ota_msrp_entry kind;
    struct net_listener *listener;
};

struct ota_msrp_door {
    struct ota_msrp_door_conf conf;
    struct net_tls_ctx *tls[OTA_MSRP_ENTRIES]; /* borrowed; NULL: clear */
    struct entry entries[SOCKETS_MAX];
    size_t entries_n;
    struct map guests;    /* id -> struct ota_msrp_guest */
    struct list visitors; /* that have not said where they belong, or were told that they do not */
    size_t open;          /* listeners and visitors that still have to go */
    struct net_task end;
    bool ended;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct ota_msrp_guest {
    struct ota_msrp_door *door;
    enum ota_msrp_entry entry;
    char id[OTA_MSRP_DOOR_ID_N + 1];
    struct ota_msrp_parcel *here; /* has come and was not taken */
    bool taken;
    void (*came)(void *arg); /* NULL: not awaited yet */
    void *arg;
    struct net_task task;
};

struct visitor {
    struct list at;
    struct ota_msrp_door *door;
    struct net_stream *stream;
    struct net_gate_seat *seat;
    enum ota_msrp_entry entry;
    char id[OTA_MSRP_DOOR_ID_N + 1]; /* "": it has not said yet */
    struct buf octets;
    struct net_timer again;
    unsigned status; /* it does not belong here; 0: not known yet */
};

/* --- ends --- */

static void leave(struct net_gate *gate, struct net_gate_seat *seat)
{
    if (gate && seat)
        net_gate_leave(gate, seat);
}

void ota_msrp_parcel_free(struct ota_msrp_parcel **pp)
{
    struct ota_msrp_parcel *p = *pp;

    *pp = NULL;
    if (!p)
        return;
    net_handover_drop(&p->socket);
    leave(p->gate, p->seat);
    buf_clear(&p->octets);
    free(p);
}

static void check_end(struct ota_msrp_door *d)
{
    void (*closed)(void *arg) = d->closed;
    void *arg = d->closed_arg;

    if (!d->ended || d->open || d->guests.n)
        return;
    net_task_cancel(&d->end);
    map_clear(&d->guests);
    free(d);
    closed(arg);
}

static void on_closed(struct net_stream *stream, enum err why, void *arg)
{
    struct visitor *v = arg;
    struct ota_msrp_door *d = v->door;

    LOG(d->conf.env->log, LOG_DEBUG, "ota.msrp.visitor", LOG_C("from", net_stream_address(stream)),
        LOG_I("status", v->status), LOG_C("end", err_name(why)));
    net_hub_timer_stop(d->conf.env->hub, &v->again);
    list_remove(&v->at);
    leave(d->conf.gate, v->seat);
    buf_clear(&v->octets);
    free(v);
    d->open--;
    check_end(d);
}

/* --- who has come --- */

static void again(struct net_timer *timer);
static void on_opened(struct net_stream *stream, void *arg);
static void on_data(struct net_stream *stream, struct slice data, void *arg);

static struct net_stream_user user_of(struct visitor *v)
{
    return (struct net_stream_user){.opened = on_opened, .data = on_data, .closed = on_closed, .arg = v};
}

static struct visitor *visitor_new(struct ota_msrp_door *d, enum ota_msrp_entry entry)
{
    struct visitor *v = d->ended ? NULL : calloc(1, sizeof *v);

    if (!v)
        return NULL;
    v->door = d;
    v->entry = entry;
    buf_init(&v->octets, NET_HUB_READ_N + OTA_MSRP_HEAD_MAX_N);
    net_timer_init(&v->again, again);
    list_init(&v->at);
    return v;
}

static void visitor_enter(struct visitor *v, struct net_gate_seat *seat)
{
    v->seat = seat;
    list_push_back(&v->door->visitors, &v->at);
    v->door->open++;
}

static void on_accepted(uv_os_sock_t fd, struct net_gate_seat *seat, void *arg)
{
    const struct entry *entry = arg;
    struct ota_msrp_door *d = entry->door;
    struct visitor *v = visitor_new(d, entry->kind);
    const struct net_stream_user user = user_of(v);

    if (!v || net_stream_adopt(d->conf.env, fd, d->tls[entry->kind], d->conf.wait_ms, &user, &v->stream)) {
        free(v);
        leave(d->conf.gate, seat);
        (void)close(fd);
        return;
    }
    visitor_enter(v, seat);
}

/* No such session here (481), or it has its connection (506): said to a request that wants an answer, then it is over. */
static void say_no(struct visitor *v)
{
    struct ota_msrp_frame frame;
    struct ota_msrp_unit u;
    struct buf out;

    ota_msrp_frame_init(&frame);
    buf_init(&out, 2 * OTA_MSRP_HEAD_MAX_N);
    if (!ota_msrp_frame_feed(&frame, buf_slice(&v->octets)) && !ota_msrp_frame_next(&frame, &u) &&
        u.head->failure_report != OTA_MSRP_FAILURE_NO &&
        (u.head->kind == OTA_MSRP_SEND || u.head->kind == OTA_MSRP_OTHER)) {
        ota_msrp_response_print(u.head, v->status, &out);
        (void)net_stream_write(v->stream, buf_slice(&out));
    }
    buf_clear(&out);
    ota_msrp_frame_clear(&frame);
    net_stream_close(v->stream);
}

static void on_opened(struct net_stream *stream, void *arg)
{
    struct visitor *v = arg;

    net_stream_deadline(stream, v->door->conf.wait_ms);
    if (v->status)
        say_no(v);
}

static void turn_away(struct ota_msrp_door *d, struct ota_msrp_parcel *p, unsigned status)
{
    struct visitor *v = visitor_new(d, p->entry);
    const struct net_stream_user user = user_of(v);

    if (v && !net_stream_resume(d->conf.env, &p->socket, &user, &v->stream)) {
        struct net_gate_seat *seat = p->seat;

        p->socket = (struct net_handover){.fd = -1};
        p->seat = NULL;
        buf_add(&v->octets, buf_slice(&p->octets));
        v->status = status;
        visitor_enter(v, seat);
    } else {
        free(v);
    }
    ota_msrp_parcel_free(&p);
}

static void tell(struct net_task *task)
{
    struct ota_msrp_guest *g = container_of(task, struct ota_msrp_guest, task);

    if (g->here && g->came)
        g->came(g->arg);
}

void ota_msrp_door_parcel(struct ota_msrp_door *d, struct ota_msrp_parcel *p)
{
    struct ota_msrp_guest *g = map_get(&d->guests, slice_str(p->id));

    if (!g || g->entry != p->entry) {
        turn_away(d, p, 481);
    } else if (g->here || g->taken) {
        turn_away(d, p, 506);
    } else {
        g->here = p;
        net_hub_defer(d->conf.env->hub, &g->task);
    }
}

/* --- where it belongs --- */

/* The session that the first head is for.  ERR_AGAIN: it is not whole yet. */
static enum err read_id(const struct visitor *v, char id[OTA_MSRP_DOOR_ID_N + 1])
{
    struct ota_msrp_frame frame;
    struct ota_msrp_unit u;
    struct ota_msrp_uri uri;
    enum err e;

    ota_msrp_frame_init(&frame);
    e = ota_msrp_frame_feed(&frame, buf_slice(&v->octets));
    if (!e)
        e = ota_msrp_frame_next(&frame, &u);
    if (!e && ota_msrp_uri_parse(ota_msrp_first(u.head->to_path), &uri))
        e = ERR_MALFORMED;
    if (!e) /* one that cannot be an id of ours is nobody's */
        e = mem_cstr(id, OTA_MSRP_DOOR_ID_N + 1,
                     uri.session.n == OTA_MSRP_DOOR_ID_N ? uri.session : SLICE("?"));
    ota_msrp_frame_clear(&frame);
    return e;
}

static unsigned digit(char c)
{
    return c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* The loop that has made an id; our own for one that none has. */
static unsigned loop_of(const struct ota_msrp_door *d, const char *id)
{
    unsigned high = digit(id[0]), low = high < 16 ? digit(id[1]) : 16, loop = high * 16 + low;

    return low < 16 && loop < d->conf.loops ? loop : d->conf.loop;
}

static struct ota_msrp_parcel *parcel_of(struct visitor *v)
{
    struct ota_msrp_parcel *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->socket.fd = -1;
    p->entry = v->entry;
    p->gate = v->door->conf.gate;
    buf_init(&p->octets, NET_HUB_READ_N + OTA_MSRP_HEAD_MAX_N);
    buf_add(&p->octets, buf_slice(&v->octets));
    if (buf_err(&p->octets) || mem_cstr(p->id, sizeof p->id, slice_str(v->id)))
        ota_msrp_parcel_free(&p);
    return p;
}

/* What TLS still has to say to the far end leaves first. */
static void send_on(struct visitor *v)
{
    struct ota_msrp_door *d = v->door;
    struct ota_msrp_parcel *p = parcel_of(v);
    unsigned loop = loop_of(d, v->id);
    enum err e = p ? net_stream_detach(v->stream, &p->socket) : ERR_NOMEM;

    if (e) {
        ota_msrp_parcel_free(&p);
        if (e == ERR_AGAIN)
            net_hub_timer_set(d->conf.env->hub, &v->again, AGAIN_MS);
        else
            net_stream_abort(v->stream, e);
        return;
    }
    p->seat = v->seat;
    v->seat = NULL;
    if (loop == d->conf.loop)
        ota_msrp_door_parcel(d, p);
    else
        d->conf.post(loop, p, d->conf.arg);
}

static void again(struct net_timer *timer)
{
    send_on(container_of(timer, struct visitor, again));
}

static void on_data(struct net_stream *stream, struct slice data, void *arg)
{
    struct visitor *v = arg;
    enum err e;

    if (v->status)
        return; /* nothing more is wanted of who was turned away */
    buf_add(&v->octets, data);
    e = buf_err(&v->octets) ? buf_err(&v->octets) : read_id(v, v->id);
    if (e == ERR_AGAIN)
        return;
    net_stream_read_stop(stream);
    if (e)
        net_stream_abort(stream, e);
    else
        send_on(v);
}

/* --- who is expected --- */

static enum err make_id(const struct ota_msrp_door *d, char id[OTA_MSRP_DOOR_ID_N + 1])
{
    uint8_t octets[OTA_MSRP_DOOR_ID_N / 2];
    struct buf text;
    enum err e = sec_random(octets, sizeof octets);

    octets[0] = (uint8_t)d->conf.loop;
    buf_init(&text, OTA_MSRP_DOOR_ID_N);
    codec_hex(&text, slice_of(octets, sizeof octets));
    if (!e)
        e = buf_err(&text) ? buf_err(&text) : mem_cstr(id, OTA_MSRP_DOOR_ID_N + 1, buf_slice(&text));
    buf_clear(&text);
    return e;
}

enum err ota_msrp_door_expect(struct ota_msrp_door *d, enum ota_msrp_entry entry, struct ota_msrp_guest **out)
{
    struct ota_msrp_guest *g = calloc(1, sizeof *g);
    enum err e = g ? make_id(d, g->id) : ERR_NOMEM;

    if (!e)
        e = map_put(&d->guests, slice_str(g->id), g);
    if (e) {
        free(g);
        return e;
    }
    g->door = d;
    g->entry = entry;
    net_task_init(&g->task, tell);
    *out = g;
    return ERR_OK;
}

const char *ota_msrp_guest_id(const struct ota_msrp_guest *g)
{
    return g->id;
}

void ota_msrp_guest_await(struct ota_msrp_guest *g, void (*came)(void *arg), void *arg)
{
    g->came = came;
    g->arg = arg;
    if (g->here)
        net_hub_defer(g->door->conf.env->hub, &g->task);
}

struct ota_msrp_parcel *ota_msrp_guest_take(struct ota_msrp_guest *g)
{
    struct ota_msrp_parcel *p = g->here;

    g->here = NULL;
    g->taken = g->taken || p;
    return p;
}

void ota_msrp_guest_free(struct ota_msrp_guest **gp)
{
    struct ota_msrp_guest *g = *gp;
    struct ota_msrp_door *d;

    *gp = NULL;
    if (!g)
        return;
    d = g->door;
    net_task_cancel(&g->task);
    (void)map_del(&d->guests, slice_str(g->id));
    ota_msrp_parcel_free(&g->here);
    free(g);
    check_end(d);
}

/* --- life --- */

enum err ota_msrp_door_create(const struct ota_msrp_door_conf *conf, struct ota_msrp_door **out)
{
    struct ota_msrp_door *d = calloc(1, sizeof *d);

    if (!d)
        return ERR_NOMEM;
    d->conf = *conf;
    map_init(&d->guests, GUESTS_MAX);
    list_init(&d->visitors);
    *out = d;
    return ERR_OK;
}

enum err ota_msrp_door_listen(struct ota_msrp_door *d, enum ota_msrp_entry entry, const char *name,
                              const char *address, uint16_t *port, const char **why)
{
    struct entry *e = &d->entries[d->entries_n];
    const struct net_listen_conf conf = {.name = name,
                                         .address = address,
                                         .port = *port,
                                         .gate = d->conf.gate,
                                         .accepted = on_accepted,
                                         .arg = e};
    enum err err = d->entries_n < SOCKETS_MAX ? ERR_OK : ERR_LIMIT;

    if (err)
        return err;
    *e = (struct entry){.door = d, .kind = entry};
    err = net_listen(d->conf.env, &conf, &e->listener, why);
    if (err)
        return err;
    *port = net_listener_port(e->listener);
    d->entries_n++;
    d->open++;
    return ERR_OK;
}

void ota_msrp_door_set(struct ota_msrp_door *d, struct net_tls_ctx *tls, struct net_tls_ctx *psk,
                       int64_t wait_ms)
{
    d->conf.wait_ms = wait_ms;
    d->tls[OTA_MSRP_ENTRY_TLS] = tls;
    d->tls[OTA_MSRP_ENTRY_PSK] = psk;
}

uint16_t ota_msrp_door_port(const struct ota_msrp_door *d, enum ota_msrp_entry entry)
{
    for (size_t i = 0; i < d->entries_n; i++)
        if (d->entries[i].kind == entry)
            return net_listener_port(d->entries[i].listener);
    return 0;
}

static void listener_gone(void *arg)
{
    struct ota_msrp_door *d = arg;

    d->open--;
    check_end(d);
}

static void end(struct net_task *task)
{
    check_end(container_of(task, struct ota_msrp_door, end));
}

void ota_msrp_door_close(struct ota_msrp_door *d, void (*closed)(void *arg), void *arg)
{
    d->ended = true;
    d->closed = closed;
    d->closed_arg = arg;
    for (size_t i = 0; i < d->entries_n; i++)
        net_listener_close(d->entries[i].listener, listener_gone, d);
    LIST_EACH_SAFE (at, &d->visitors)
        net_stream_abort(container_of(at, struct visitor, at)->stream, ERR_OK);
    net_task_init(&d->end, end);
    net_hub_defer(d->conf.env->hub, &d->end);
}
