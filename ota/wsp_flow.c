/* One terminal behind datagrams; see wsp_flow.h.  [OTA-HTTP §9.2, §9.3]; no answer is expected, and what a terminal
 * sends back is not looked at.  One loop. */
#include "ota/wsp_flow.h"

#include <netinet/in.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "ota/headers.h"
#include "ota/wsp.h"

#define CODE_DELIVERED   1000
#define CODE_TOO_LARGE   2006
#define CODE_FAILURE     4000
#define CODE_UNAVAILABLE 4001

static int64_t now_ms(const struct ota_flow *f)
{
    return clk_mono_ms(f->udp->env->net->clk);
}

static struct ota_datagram *first_of(struct list *l)
{
    return container_of(l->next, struct ota_datagram, at);
}

/* --- closing --- */

static void gone(void *arg)
{
    ota_udp_flow_gone(arg);
}

static void fail_all(struct list *l, enum ota_outcome outcome, unsigned code, const char *note)
{
    while (!list_empty(l))
        ota_udp_finish(first_of(l), outcome, code, "%s", note);
}

static void leave(struct ota_flow *f)
{
    struct net_udp *socket = f->socket;

    if (f->leaving)
        return;
    f->leaving = true;
    net_dtls_free(&f->dtls); /* its goodbye still leaves */
    (void)map_del(&f->udp->flows, slice_of(f->key, f->key_n));
    list_remove(&f->at);
    net_hub_timer_stop(f->udp->env->net->hub, &f->timer);
    f->socket = NULL;
    if (socket)
        net_udp_close(socket, gone, f);
    else
        net_dns_cancel(f->query); /* its callback ends the flow */
}

void ota_flow_close(struct ota_flow *f)
{
    fail_all(&f->waiting, OTA_RETRY, CODE_UNAVAILABLE, "closed, not sent");
    fail_all(&f->sent, OTA_AMBIGUOUS, CODE_UNAVAILABLE, "closed just after it was sent");
    leave(f);
}

/* --- timer: what has settled, then how long the flow is idle --- */

static void set_timer(struct ota_flow *f)
{
    struct net_hub *hub = f->udp->env->net->hub;

    list_remove(&f->at);
    if (!list_empty(&f->sent)) {
        net_hub_timer_set(hub, &f->timer, num_max64(first_of(&f->sent)->settled_ms - now_ms(f), 1));
    } else if (list_empty(&f->waiting) && f->socket) {
        list_push_back(&f->udp->idle, &f->at);
        net_hub_timer_set(hub, &f->timer, f->udp->env->wsp.idle_ms);
    }
}

static void tick(struct net_timer *timer)
{
    struct ota_flow *f = container_of(timer, struct ota_flow, timer);

    if (list_empty(&f->sent)) {
        ota_flow_close(f);
        return;
    }
    while (!list_empty(&f->sent) && first_of(&f->sent)->settled_ms <= now_ms(f))
        ota_udp_finish(first_of(&f->sent), OTA_DELIVERED, CODE_DELIVERED, "sent, not confirmed");
    set_timer(f);
}

/* --- sending --- */

static enum err print(struct ota_udp *u, const struct ota_job *job)
{
    const struct ota_push_info info = {job->authenticated, job->trusted, false};

    buf_reset(&u->head, u->head.max);
    buf_reset(&u->datagram, u->datagram.max);
    buf_add(&u->head, job->message_head);
    buf_add(&u->head, SLICE("X-Wap-Push-Info: "));
    ota_push_info_print(&info, &u->head);
    buf_add(&u->head, SLICE("\r\n"));
    if (buf_err(&u->head))
        return buf_err(&u->head);
    return ota_wsp_push_print(u->tid++, buf_slice(&u->head), job->body, &u->datagram);
}

static void refuse(struct ota_datagram *d, enum err e)
{
    switch (e) {
    case ERR_LIMIT:
        ota_udp_finish(d, OTA_UNDELIVERABLE, CODE_TOO_LARGE, "larger than a datagram of %zu octets",
                       d->flow->ctx ? d->flow->udp->env->wsp.mtu : d->flow->udp->env->wsp.datagram_max_n);
        break;
    case ERR_MALFORMED:
        ota_udp_finish(d, OTA_UNDELIVERABLE, CODE_FAILURE, "headers cannot be sent in a datagram");
        break;
    case ERR_PEER:
        ota_udp_finish(d, OTA_RETRY, CODE_UNAVAILABLE, "port unreachable");
        break;
    default:
        ota_udp_finish(d, OTA_RETRY, CODE_UNAVAILABLE, "not sent: %s", err_text(e));
        break;
    }
}

/* The network complains: not of which datagram, so of all that have not settled. */
static void complain(struct ota_flow *f, enum err why)
{
    if (why == ERR_LIMIT)
        fail_all(&f->sent, OTA_UNDELIVERABLE, CODE_TOO_LARGE, "larger than the path to the terminal takes");
    else
        fail_all(&f->sent, OTA_RETRY, CODE_UNAVAILABLE, why == ERR_PEER ? "port unreachable" : "not reached");
}

static enum err hand_over(struct ota_flow *f, struct slice pdu)
{
    enum err e;

    if (f->dtls)
        return net_dtls_write(f->dtls, pdu);
    e = pdu.n > f->udp->env->wsp.datagram_max_n ? ERR_LIMIT : net_udp_send(f->socket, NULL, pdu);
    if (e == ERR_PEER)
        complain(f, e); /* of an earlier one, and it is not told twice */
    return e;
}

static void transmit(struct ota_flow *f, struct ota_datagram *d)
{
    const struct ota_wsp_env *conf = &f->udp->env->wsp;
    enum err e = print(f->udp, d->job);

    if (!e)
        e = hand_over(f, buf_slice(&f->udp->datagram));
    if (e) {
        refuse(d, e);
        return;
    }
    d->job->result.wire_n = f->udp->datagram.n;
    if (conf->settle_ms == 0) {
        ota_udp_finish(d, OTA_DELIVERED, CODE_DELIVERED, "sent, not confirmed");
        return;
    }
    list_remove(&d->at);
    f->waiting_n--;
    d->stage = OTA_DATAGRAM_SENT;
    d->settled_ms = now_ms(f) + conf->settle_ms;
    list_push_back(&f->sent, &d->at);
}

void ota_flow_pump(struct ota_flow *f)
{
    if (!f->socket || (f->ctx && !(f->dtls && net_dtls_is_open(f->dtls))))
        return;
    while (!list_empty(&f->waiting))
        transmit(f, first_of(&f->waiting));
    set_timer(f);
}

void ota_flow_add(struct ota_flow *f, struct ota_datagram *d)
{
    d->flow = f;
    d->stage = OTA_DATAGRAM_WAITING;
    list_push_back(&f->waiting, &d->at);
    f->waiting_n++;
}

void ota_flow_cancel(struct ota_datagram *d)
{
    struct ota_flow *f = d->flow;

    if (d->stage == OTA_DATAGRAM_READY)
        return;
    d->why = ERR_LATE;
    if (d->stage == OTA_DATAGRAM_WAITING)
        ota_udp_finish(d, OTA_RETRY, CODE_UNAVAILABLE, "cancelled, not sent");
    else
        ota_udp_finish(d, OTA_AMBIGUOUS, CODE_UNAVAILABLE, "cancelled just after it was sent");
    set_timer(f);
}

/* --- the socket --- */

static void came(struct net_udp *socket, const struct sockaddr *from, struct slice datagram, void *arg)
{
    struct ota_flow *f = arg;

    (void)socket, (void)from;
    if (f->dtls)
        net_dtls_feed(f->dtls, datagram);
}

static void complained(struct net_udp *socket, enum err why, void *arg)
{
    struct ota_flow *f = arg;

    (void)socket;
    complain(f, why);
    if (f->ctx && !list_empty(&f->waiting)) { /* in the handshake */
        fail_all(&f->waiting, OTA_RETRY, CODE_UNAVAILABLE, "port unreachable");
        leave(f);
    } else {
        set_timer(f);
    }
}

/* --- the session --- */

static void dtls_send(struct slice datagram, void *arg)
{
    struct ota_flow *f = arg;
    enum err e = f->socket ? net_udp_send(f->socket, NULL, datagram) : ERR_LATE;

    if (e == ERR_PEER)
        complain(f, e);
    if (e)
        LOG(f->udp->env->net->log, LOG_DEBUG, "ota.datagram.lost", LOG_C("error", err_name(e)));
}

static void dtls_opened(void *arg)
{
    ota_flow_pump(arg);
}

static void dtls_data(struct slice plain, void *arg)
{
    (void)plain, (void)arg; /* nothing is expected */
}

/* The next push opens another one. */
static void dtls_closed(enum err why, void *arg)
{
    struct ota_flow *f = arg;
    const char *text = net_dtls_why(f->dtls);
    char note[64];

    (void)snprintf(note, sizeof note, "DTLS: %s",
                   text[0]           ? text
                   : why == ERR_LATE ? "no answer"
                                     : err_text(why));
    fail_all(&f->waiting, OTA_RETRY, CODE_UNAVAILABLE, note);
    fail_all(&f->sent, OTA_AMBIGUOUS, CODE_UNAVAILABLE, note);
    leave(f);
}

static enum err session_open(struct ota_flow *f)
{
    const struct net_dtls_conf conf = {.ctx = f->ctx,
                                       .server_name = slice_str(f->server_name),
                                       .mtu = f->udp->env->wsp.mtu,
                                       .handshake_ms = f->udp->env->connect_ms,
                                       .user = {dtls_send, dtls_opened, dtls_data, dtls_closed, f}};
    enum err e = net_dtls_create(f->udp->env->net, &conf, &f->dtls);

    if (!e)
        net_dtls_start(f->dtls);
    return e;
}

/* Pushes in the clear come from the port that terminals expect [OTA-HTTP §2]. */
static enum err socket_open(struct ota_flow *f, const struct sockaddr *to)
{
    const struct net_udp_user user = {.data = came, .fault = complained, .arg = f};
    struct sockaddr_storage local = {.ss_family = to->sa_family};
    uint16_t port = f->ctx ? 0 : htons(f->udp->env->wsp.source_port);

    if (to->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)&local)->sin6_port = port;
    else
        ((struct sockaddr_in *)&local)->sin_port = port;
    return net_udp_open(f->udp->env->net, (struct sockaddr *)&local, to, &user, &f->socket);
}

static void resolved(enum err why, const struct sockaddr_storage *to, size_t n, void *arg)
{
    struct ota_flow *f = arg;
    enum err e;

    f->query = NULL;
    if (f->leaving) {
        ota_udp_flow_gone(f);
        return;
    }
    e = why || n == 0 ? ERR_ABSENT : socket_open(f, (const struct sockaddr *)to);
    if (!e && f->ctx && session_open(f)) {
        ota_flow_close(f);
        return;
    }
    if (!e) {
        ota_flow_pump(f);
        return;
    }
    fail_all(&f->waiting, OTA_RETRY, CODE_UNAVAILABLE, e == ERR_ABSENT ? "name not found" : "no socket");
    f->leaving = true;
    (void)map_del(&f->udp->flows, slice_of(f->key, f->key_n));
    ota_udp_flow_gone(f);
}

/* The credentials of a secured flow: the terminal's own key, else the certificates of all.  ERR_UNSUPPORTED: neither. */
static enum err credentials(struct ota_flow *f, const struct ota_terminal *t)
{
    const struct net_tls_conf conf = {.role = NET_TLS_CLIENT,
                                      .version_min = 12,
                                      .datagrams = true,
                                      .psk_identity = t->psk_identity,
                                      .psk_key = sec_secret_slice(&t->psk)};
    struct slice name = t->tls_name.n ? t->tls_name : t->host;
    const char *why;

    f->server_name = mem_dup(name);
    if (!f->server_name)
        return ERR_NOMEM;
    f->psk = t->psk;
    if (t->psk_identity.n)
        return net_tls_ctx_create(&conf, &f->ctx, &why);
    f->ctx = net_tls_ctx_hold(f->udp->dtls);
    return f->ctx ? ERR_OK : ERR_UNSUPPORTED;
}

enum err ota_flow_open(struct ota_flow *f, const struct ota_terminal *t)
{
    enum err e = t->tls ? credentials(f, t) : ERR_OK;

    if (e)
        return e;
    list_init(&f->at);
    list_init(&f->waiting);
    list_init(&f->sent);
    net_timer_init(&f->timer, tick);
    return net_dns_lookup(f->udp->env->net, t->host, t->port, resolved, f, &f->query);
}
