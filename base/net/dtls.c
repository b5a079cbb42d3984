/* DTLS 1.2 on the session of tls.c; see dtls.h.  GnuTLS reads one datagram a feed, so each is worked off before the next
 * comes.  What it writes is cut back into records, whose headers tell their length (RFC 6347 §4.1), one datagram each.
 * Records that do not verify are dropped without a word (§4.1.2.7).  Loop thread only. */
#include "base/net/dtls.h"

#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

#include "base/net/hub.h"
#include "base/net/tls_session.h"
#include "base/num.h"

#define RETRANSMIT_MS 1000
#define RECORD_HEAD_N 13
#define RECORD_LENGTH 11 /* offset of the two octets of the length */
#define OUT_MAX_N     ((size_t)256 << 10)

struct net_dtls {
    const struct net_env *env;
    struct net_tls *tls;
    struct net_dtls_user user;
    struct net_timer timer;
    struct buf out;
    int64_t give_up_ms; /* monotonic: the end of the handshake's patience */
    enum { DTLS_HANDSHAKE, DTLS_OPEN, DTLS_CLOSED } state;
};

static int64_t now_ms(const struct net_dtls *d)
{
    return clk_mono_ms(d->env->clk);
}

static void flush(struct net_dtls *d)
{
    struct slice left;

    buf_clear(&d->out);
    net_tls_out_take(d->tls, &d->out);
    for (left = buf_slice(&d->out); left.n > RECORD_HEAD_N;) {
        size_t n = RECORD_HEAD_N + (size_t)num_get16(left.p + RECORD_LENGTH);

        d->user.send(slice_sub(left, 0, n), d->user.arg);
        left = slice_sub(left, n, left.n);
    }
    buf_clear(&d->out);
}

static void closed(struct net_dtls *d, enum err why)
{
    d->state = DTLS_CLOSED;
    net_hub_timer_stop(d->env->hub, &d->timer);
    d->user.closed(why, d->user.arg);
}

static void set_timer(struct net_dtls *d)
{
    int64_t next = gnutls_dtls_get_timeout(d->tls->session);

    next = num_min64(next ? next : RETRANSMIT_MS, d->give_up_ms - now_ms(d));
    net_hub_timer_set(d->env->hub, &d->timer, num_max64(next, 1));
}

/* One step of the handshake, or a retransmission.  False: it is over, and the session may be gone. */
static bool shake(struct net_dtls *d)
{
    enum err e = net_tls_handshake(d->tls);

    flush(d);
    if (e == ERR_AGAIN) {
        set_timer(d);
        return true;
    }
    if (e) {
        closed(d, e);
        return false;
    }
    d->state = DTLS_OPEN;
    net_hub_timer_stop(d->env->hub, &d->timer);
    d->user.opened(d->user.arg);
    return true;
}

static void tick(struct net_timer *timer)
{
    struct net_dtls *d = container_of(timer, struct net_dtls, timer);

    if (now_ms(d) >= d->give_up_ms)
        closed(d, ERR_LATE);
    else
        (void)shake(d);
}

/* All records of the datagram; a peer that did not get our last flight makes GnuTLS send it again. */
static void read_records(struct net_dtls *d)
{
    char *plain = net_hub_plain_buf(d->env->hub);
    enum err e = ERR_OK;
    size_t n;

    while (!e) {
        e = net_tls_read(d->tls, plain, NET_HUB_PLAIN_N, &n);
        flush(d);
        if (!e)
            d->user.data(slice_of(plain, n), d->user.arg);
    }
    if (e != ERR_AGAIN)
        closed(d, e);
}

void net_dtls_feed(struct net_dtls *d, struct slice datagram)
{
    if (d->state == DTLS_CLOSED || net_tls_feed(d->tls, datagram))
        return;
    if (d->state == DTLS_HANDSHAKE && (!shake(d) || d->state != DTLS_OPEN))
        return;
    read_records(d);
}

void net_dtls_start(struct net_dtls *d)
{
    enum err e = net_tls_handshake(d->tls);

    flush(d);
    if (e != ERR_AGAIN)
        d->give_up_ms = 0; /* told from the loop */
    set_timer(d);
}

enum err net_dtls_write(struct net_dtls *d, struct slice plain)
{
    enum err e;

    if (d->state != DTLS_OPEN)
        return ERR_LATE;
    if (plain.n == 0 || plain.n > net_dtls_plain_max(d))
        return ERR_LIMIT;
    e = net_tls_write(d->tls, plain);
    flush(d);
    return e;
}

size_t net_dtls_plain_max(const struct net_dtls *d)
{
    return gnutls_dtls_get_data_mtu(d->tls->session);
}

bool net_dtls_is_open(const struct net_dtls *d)
{
    return d->state == DTLS_OPEN;
}

const struct net_tls_peer *net_dtls_peer(const struct net_dtls *d)
{
    return net_tls_peer(d->tls);
}

const char *net_dtls_why(const struct net_dtls *d)
{
    return net_tls_why(d->tls);
}

enum err net_dtls_create(const struct net_env *env, const struct net_dtls_conf *conf, struct net_dtls **out)
{
    struct net_dtls *d = calloc(1, sizeof *d);
    enum err e;

    if (!d)
        return ERR_NOMEM;
    e = net_tls_create(conf->ctx, conf->server_name, &d->tls);
    if (e) {
        free(d);
        return e;
    }
    d->env = env;
    d->user = conf->user;
    d->give_up_ms = now_ms(d) + conf->handshake_ms;
    net_timer_init(&d->timer, tick);
    buf_init(&d->out, OUT_MAX_N);
    gnutls_dtls_set_mtu(d->tls->session, (unsigned)conf->mtu);
    gnutls_dtls_set_timeouts(d->tls->session, RETRANSMIT_MS,
                             (unsigned)num_min64(conf->handshake_ms, INT32_MAX) + RETRANSMIT_MS);
    if (conf->prestate)
        gnutls_dtls_prestate_set(d->tls->session, (gnutls_dtls_prestate_st *)(uintptr_t)conf->prestate);
    *out = d;
    return ERR_OK;
}

void net_dtls_free(struct net_dtls **dp)
{
    struct net_dtls *d = *dp;

    if (!d)
        return;
    *dp = NULL;
    if (d->state == DTLS_OPEN) {
        net_tls_bye(d->tls);
        flush(d);
    }
    net_hub_timer_stop(d->env->hub, &d->timer);
    net_tls_free(&d->tls);
    buf_clear(&d->out);
    free(d);
}
