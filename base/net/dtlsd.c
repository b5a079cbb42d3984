/* Cookies and sessions by address; see dtlsd.h.  Until an address has shown a cookie of ours it costs no memory and is sent
 * less than it sent (RFC 6347 §4.2.1).  Loop thread only. */
#include "base/net/dtlsd.h"

#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/net/dtls.h"
#include "base/net/hub.h"
#include "base/net/udp.h"

/* Octets of the smallest ClientHello: heads of record and message (RFC 6347 §4.1, §4.2.2), version and random, empty session
 * id and cookie, one suite, one compression. */
#define HELLO_MIN_N (13 + 12 + 34 + 1 + 1 + 4 + 2)

struct net_dtlsd {
    const struct net_env *env;
    struct net_dtlsd_conf conf;
    struct net_udp *socket;
    struct map sessions;   /* address -> struct session */
    struct net_task sweep; /* frees those that ended */
    struct list ended;
    gnutls_datum_t cookie_key;
};

struct session {
    struct list at; /* in ended */
    struct net_dtlsd *server;
    struct sockaddr_storage from;
    socklen_t from_n;
    struct net_dtls *dtls;
    struct net_timer idle;
};

static socklen_t address_n(const struct sockaddr *a)
{
    return a->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* --- sessions --- */

static void session_send(struct slice datagram, void *arg)
{
    struct session *s = arg;

    if (net_udp_send(s->server->socket, (const struct sockaddr *)&s->from, datagram))
        LOG(s->server->env->log, LOG_DEBUG, "net.dtls.lost"); /* it will be sent again */
}

static void session_opened(void *arg)
{
    struct session *s = arg;

    net_hub_timer_set(s->server->env->hub, &s->idle, s->server->conf.idle_ms);
}

static void session_data(struct slice plain, void *arg)
{
    struct session *s = arg;

    net_hub_timer_set(s->server->env->hub, &s->idle, s->server->conf.idle_ms);
    s->server->conf.data((const struct sockaddr *)&s->from, net_dtls_peer(s->dtls), plain,
                         s->server->conf.arg);
}

static void session_end(struct session *s)
{
    (void)map_del(&s->server->sessions, slice_of(&s->from, s->from_n));
    net_hub_timer_stop(s->server->env->hub, &s->idle);
    list_push_back(&s->server->ended, &s->at);
    net_hub_defer(s->server->env->hub, &s->server->sweep);
}

static void session_closed(enum err why, void *arg)
{
    struct session *s = arg;

    LOG(s->server->env->log, LOG_INFO, "net.dtls.closed", LOG_C("reason", net_dtls_why(s->dtls)),
        LOG_C("error", err_name(why)));
    session_end(s);
}

static void session_idle(struct net_timer *timer)
{
    session_end(container_of(timer, struct session, idle));
}

static void sweep(struct net_task *task)
{
    struct net_dtlsd *server = container_of(task, struct net_dtlsd, sweep);
    struct list *at;

    while ((at = list_pop_front(&server->ended))) {
        struct session *s = container_of(at, struct session, at);

        net_dtls_free(&s->dtls);
        free(s);
    }
}

static enum err session_create(struct net_dtlsd *server, const struct sockaddr *from, const void *prestate,
                               struct session **out)
{
    struct session *s = calloc(1, sizeof *s);
    struct net_dtls_conf conf = {
        .ctx = server->conf.ctx,
        .mtu = server->conf.mtu,
        .handshake_ms = server->conf.handshake_ms,
        .prestate = prestate,
        .user = {session_send, session_opened, session_data, session_closed, s},
    };
    enum err e = s ? net_dtls_create(server->env, &conf, &s->dtls) : ERR_NOMEM;

    if (!e) {
        s->server = server;
        s->from_n = address_n(from);
        mem_copy(&s->from, sizeof s->from, slice_of(from, s->from_n));
        list_init(&s->at);
        net_timer_init(&s->idle, session_idle);
        e = map_put(&server->sessions, slice_of(&s->from, s->from_n), s);
    }
    if (e) {
        if (s)
            net_dtls_free(&s->dtls);
        free(s);
        return e;
    }
    *out = s;
    return ERR_OK;
}

/* --- strangers --- */

struct reply {
    struct net_dtlsd *server;
    const struct sockaddr *to;
};

static ssize_t send_cookie(gnutls_transport_ptr_t ptr, const void *octets, size_t n)
{
    const struct reply *r = ptr;

    return net_udp_send(r->server->socket, r->to, slice_of(octets, n)) ? -1 : (ssize_t)n;
}

/* A ClientHello with our cookie begins a session; without, it is answered with one, and all else with nothing. */
static struct session *stranger(struct net_dtlsd *server, const struct sockaddr *from, struct slice datagram)
{
    void *octets = (void *)(uintptr_t)datagram.p, *client = (void *)(uintptr_t)from;
    struct reply reply = {server, from};
    gnutls_dtls_prestate_st prestate = {0, 0, 0};
    struct session *s = NULL;

    if (gnutls_dtls_cookie_verify(&server->cookie_key, client, address_n(from), octets, datagram.n,
                                  &prestate) < 0)
        (void)gnutls_dtls_cookie_send(&server->cookie_key, client, address_n(from), &prestate, &reply,
                                      send_cookie);
    else if (session_create(server, from, &prestate, &s))
        LOG(server->env->log, LOG_WARN, "net.dtls.full", LOG_I("sessions", server->sessions.n));
    return s;
}

/* Plaintext handshake records only: 22, DTLS 1.0 or 1.2, epoch 0, ClientHello (RFC 6347 §4.1, §4.2.2), and none that is
 * shorter than one can be: what asks is longer than the cookie that answers it. */
static bool is_client_hello(struct slice d)
{
    return d.n >= HELLO_MIN_N && d.p[0] == 22 && (unsigned char)d.p[1] == 0xFE && d.p[3] == 0 &&
           d.p[4] == 0 && d.p[13] == 1;
}

static void came(struct net_udp *socket, const struct sockaddr *from, struct slice datagram, void *arg)
{
    struct net_dtlsd *server = arg;
    struct session *s = map_get(&server->sessions, slice_of(from, address_n(from)));

    (void)socket;
    if (!s && is_client_hello(datagram))
        s = stranger(server, from, datagram);
    if (s)
        net_dtls_feed(s->dtls, datagram);
}

/* --- life --- */

enum err net_dtlsd_create(const struct net_env *env, const struct net_dtlsd_conf *conf,
                          const struct sockaddr *local, struct net_dtlsd **out)
{
    struct net_dtlsd *s = calloc(1, sizeof *s);
    const struct net_udp_user user = {.data = came, .arg = s};
    enum err e = ERR_NOMEM;

    if (!s)
        return ERR_NOMEM;
    s->env = env;
    s->conf = *conf;
    list_init(&s->ended);
    net_task_init(&s->sweep, sweep);
    map_init(&s->sessions, conf->sessions_max);
    if (gnutls_key_generate(&s->cookie_key, GNUTLS_COOKIE_KEY_SIZE) == 0)
        e = net_udp_open(env, local, NULL, &user, &s->socket);
    if (e) {
        gnutls_free(s->cookie_key.data);
        free(s);
        return e;
    }
    *out = s;
    return ERR_OK;
}

uint16_t net_dtlsd_port(const struct net_dtlsd *s)
{
    return net_udp_port(s->socket);
}

static void gone(void *arg)
{
    struct net_dtlsd *s = arg;

    gnutls_free(s->cookie_key.data);
    free(s);
}

void net_dtlsd_close(struct net_dtlsd *s)
{
    struct session *at;
    size_t pos = 0;

    while ((at = map_next(&s->sessions, &pos)))
        session_end(at);
    net_task_cancel(&s->sweep);
    sweep(&s->sweep);
    map_clear(&s->sessions);
    net_udp_close(s->socket, gone, s);
}
