/* base/net/stream.c and hub.c: pairs of streams on one loop, clear and TLS, and raw sockets as the other end. */
#include "base/net/stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/certs.h"
#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"

struct end {
    struct net_stream *s; /* NULL once closed */
    size_t opened, eofs, drained, closed;
    enum err why;
    struct buf got;
    size_t got_n; /* octets, also when got is not kept */
    bool stop_after_data;
    bool abort_in_data;
};

static void on_opened(struct net_stream *s, void *arg)
{
    struct end *e = arg;

    CU_ASSERT(s == e->s);
    e->opened++;
}

static void on_data(struct net_stream *s, struct slice data, void *arg)
{
    struct end *e = arg;

    buf_add(&e->got, data);
    e->got_n += data.n;
    if (e->stop_after_data)
        net_stream_read_stop(s);
    if (e->abort_in_data)
        net_stream_abort(s, ERR_LIMIT);
}

static void on_drained(struct net_stream *s, void *arg)
{
    struct end *e = arg;

    (void)s;
    e->drained++;
}

static void on_eof(struct net_stream *s, void *arg)
{
    struct end *e = arg;

    (void)s;
    e->eofs++;
}

static void on_closed(struct net_stream *s, enum err why, void *arg)
{
    struct end *e = arg;

    CU_ASSERT(s == e->s);
    e->s = NULL;
    e->closed++;
    e->why = why;
}

static struct net_stream_user user_of(struct end *e)
{
    return (struct net_stream_user){
        .opened = on_opened, .data = on_data, .drained = on_drained, .closed = on_closed, .arg = e};
}

/* A stream that was adopted, and a raw socket as its peer. */
struct half {
    struct netloop nl;
    struct end e;
    int fd;
    struct net_tls_ctx *tls;
};

static void half_open(struct half *h, struct net_tls_ctx *tls, bool wants_eof)
{
    struct net_stream_user user = user_of(&h->e);
    uint16_t port;
    int listener, theirs;

    *h = (struct half){.tls = tls};
    buf_init(&h->e.got, 64 << 20);
    user.arg = &h->e;
    user.eof = wants_eof ? on_eof : NULL;
    netloop_open(&h->nl);
    listener = raw_listen(&port);
    h->fd = raw_connect(port);
    theirs = raw_accept(&h->nl, listener);
    (void)close(listener);
    CU_ASSERT_EQUAL_FATAL(net_stream_adopt(&h->nl.env, theirs, tls, 300, &user, &h->e.s), ERR_OK);
    CU_ASSERT_EQUAL(h->e.opened, 0);
    if (!tls)
        (void)netloop_until(&h->nl, &h->e.opened, 1);
}

static void half_close(struct half *h)
{
    if (h->e.s)
        net_stream_abort(h->e.s, ERR_OK);
    (void)netloop_until(&h->nl, &h->e.closed, 1);
    CU_ASSERT_EQUAL(h->e.closed, 1);
    if (h->fd >= 0)
        (void)close(h->fd);
    buf_clear(&h->e.got);
    net_tls_ctx_free(&h->tls);
    netloop_close(&h->nl);
}

static void case_adopt_and_talk(void)
{
    struct slice pieces[] = {SLICE("one "), SLICE_NONE, SLICE("two "), SLICE("three")};
    struct half h;
    char got[64];

    half_open(&h, NULL, false);
    (void)raw_send(&h.nl, h.fd, SLICE("hello"));
    (void)netloop_until(&h.nl, &h.e.got_n, 5);
    TEST_SLICE_EQ(buf_slice(&h.e.got), SLICE("hello"));
    CU_ASSERT_EQUAL(net_stream_write(h.e.s, SLICE("zero ")), 5); /* joined, sent at the end of the turn */
    CU_ASSERT_EQUAL(net_stream_writev(h.e.s, pieces, COUNT(pieces)), 18);
    CU_ASSERT_EQUAL(net_stream_written_n(h.e.s), 0);
    CU_ASSERT(raw_read_until(&h.nl, h.fd, "three", got, sizeof got) == 18);
    CU_ASSERT_EQUAL(net_stream_written_n(h.e.s), 18);
    TEST_SLICE_EQ(net_stream_ip(h.e.s), SLICE("127.0.0.1"));
    CU_ASSERT(strncmp(net_stream_address(h.e.s), "127.0.0.1:", 10) == 0);
    CU_ASSERT(!net_stream_is_tls(h.e.s) && net_stream_peer(h.e.s) == NULL);
    net_stream_close(h.e.s);
    CU_ASSERT_EQUAL(net_stream_write(h.e.s, SLICE("too late")), 0);
    CU_ASSERT_EQUAL(h.e.closed, 0);
    CU_ASSERT_EQUAL(raw_read_until(&h.nl, h.fd, NULL, got, sizeof got), 0);
    (void)close(h.fd);
    h.fd = -1;
    (void)netloop_until(&h.nl, &h.e.closed, 1);
    CU_ASSERT_EQUAL(h.e.why, ERR_OK);
    half_close(&h);
}

/* How a peer can leave, and what the user is told. */
static void case_ends(void)
{
    static const struct {
        bool reset, wants_eof;
        enum err why;
    } rows[] = {
        {false, false, ERR_ABSENT},
        {true, false, ERR_PEER},
        {true, true, ERR_PEER},
        {false, true, ERR_OK},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct half h;
        char got[16];

        test_row(i);
        half_open(&h, NULL, rows[i].wants_eof);
        if (rows[i].reset) {
            raw_reset(h.fd);
            h.fd = -1;
        } else {
            CU_ASSERT(shutdown(h.fd, SHUT_WR) == 0);
        }
        if (i == 3) { /* half closed: we may still write */
            (void)netloop_until(&h.nl, &h.e.eofs, 1);
            (void)net_stream_write(h.e.s, SLICE("bye"));
            CU_ASSERT_EQUAL(raw_read_until(&h.nl, h.fd, "bye", got, sizeof got), 3);
            net_stream_close(h.e.s);
        }
        (void)netloop_until(&h.nl, &h.e.closed, 1);
        CU_ASSERT_EQUAL(h.e.why, rows[i].why);
        CU_ASSERT_EQUAL(h.e.eofs, i == 3);
        half_close(&h);
    }
}

static void case_abort_in_data(void)
{
    struct half h;

    half_open(&h, NULL, false);
    h.e.abort_in_data = true;
    (void)raw_send(&h.nl, h.fd, SLICE("x"));
    (void)netloop_until(&h.nl, &h.e.closed, 1);
    CU_ASSERT_EQUAL(h.e.why, ERR_LIMIT);
    half_close(&h);
}

static void case_deadline(void)
{
    struct half h;
    int64_t since;

    half_open(&h, NULL, false);
    net_stream_deadline(h.e.s, 60000); /* moved earlier, later, off and on */
    net_stream_deadline(h.e.s, 50);
    net_stream_deadline(h.e.s, 5000);
    netloop_for(&h.nl, 200);
    CU_ASSERT_EQUAL(h.e.closed, 0);
    net_stream_deadline(h.e.s, 0);
    netloop_for(&h.nl, 400);
    CU_ASSERT_EQUAL(h.e.closed, 0);
    since = clk_mono_ms(&clk_real);
    net_stream_deadline(h.e.s, 150);
    (void)netloop_until(&h.nl, &h.e.closed, 1);
    CU_ASSERT_EQUAL(h.e.why, ERR_LATE);
    CU_ASSERT(clk_mono_ms(&clk_real) - since >= 140);
    half_close(&h);
}

/* A peer that does not read: the queue is told, drained() comes once it is empty, order is kept. */
static void case_back_pressure_out(void)
{
    static char big[16 << 20];
    static char got[sizeof big + 100];
    struct half h;

    half_open(&h, NULL, false);
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i % 251);
    CU_ASSERT_EQUAL(net_stream_write(h.e.s, slice_of(big, sizeof big)), sizeof big);
    netloop_for(&h.nl, 20);
    CU_ASSERT(net_stream_written_n(h.e.s) < sizeof big);
    CU_ASSERT_EQUAL(h.e.drained, 0);
    CU_ASSERT(net_stream_write(h.e.s, SLICE("the end")) > NET_STREAM_HIGH_N);
    CU_ASSERT(raw_read_until(&h.nl, h.fd, "the end", got, sizeof got) == (int)sizeof big + 7);
    CU_ASSERT(memcmp(got, big, sizeof big) == 0);
    (void)netloop_until(&h.nl, &h.e.drained, 1);
    CU_ASSERT_EQUAL(h.e.drained, 1);
    CU_ASSERT_EQUAL(net_stream_written_n(h.e.s), sizeof big + 7);
    half_close(&h);
}

static void case_queue_has_a_ceiling(void)
{
    static char big[8 << 20];
    struct half h;

    half_open(&h, NULL, false);
    for (int i = 0; i < 40 && h.e.s; i++) {
        (void)net_stream_write(h.e.s, slice_of(big, sizeof big));
        netloop_for(&h.nl, 1);
    }
    CU_ASSERT_EQUAL(h.e.closed, 1);
    CU_ASSERT_EQUAL(h.e.why, ERR_LIMIT);
    half_close(&h);
}

static void case_back_pressure_in(void)
{
    static char big[4 << 20];
    struct half h;
    size_t before;

    half_open(&h, NULL, false);
    h.e.stop_after_data = true;
    for (size_t at = 0; at < sizeof big; at += 65536)
        (void)send(h.fd, big + at, 65536, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)netloop_until(&h.nl, &h.e.got_n, 1);
    before = h.e.got_n;
    netloop_for(&h.nl, 20);
    CU_ASSERT_EQUAL(h.e.got_n, before);
    h.e.stop_after_data = false;
    net_stream_read_start(h.e.s);
    (void)netloop_until(&h.nl, &h.e.got_n, before + 1);
    half_close(&h);
}

/* close() hands over what is queued first, however slowly it is taken. */
static void case_close_flushes(void)
{
    static char big[4 << 20];
    static char got[sizeof big + 100];
    struct half h;

    half_open(&h, NULL, false);
    (void)net_stream_write(h.e.s, slice_of(big, sizeof big));
    net_stream_close(h.e.s);
    CU_ASSERT_EQUAL(raw_read_until(&h.nl, h.fd, NULL, got, sizeof got), (int)sizeof big);
    (void)close(h.fd);
    h.fd = -1;
    (void)netloop_until(&h.nl, &h.e.closed, 1);
    CU_ASSERT_EQUAL(h.e.why, ERR_OK);
    half_close(&h);
}

static void case_adopt_no_socket(void)
{
    struct end e = {0};
    struct net_stream_user user = user_of(&e);
    struct netloop nl;
    int pair[2];

    netloop_open(&nl);
    CU_ASSERT_EQUAL(net_stream_adopt(&nl.env, -1, NULL, 1, &user, &e.s), ERR_IO);
    CU_ASSERT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CU_ASSERT_EQUAL(net_stream_adopt(&nl.env, pair[0], NULL, 1, &user, &e.s), ERR_OK);
    (void)netloop_until(&nl, &e.opened, 1);
    TEST_SLICE_EQ(slice_str(net_stream_address(e.s)), SLICE("unix"));
    (void)close(pair[1]);
    (void)netloop_until(&nl, &e.closed, 1);
    CU_ASSERT_EQUAL(e.why, ERR_ABSENT);
    netloop_close(&nl);
}

/* A TLS pair of two streams on one loop. */
struct duo {
    struct netloop nl;
    struct end server, client;
    struct net_tls_ctx *sctx, *cctx;
};

static struct net_tls_ctx *tls_of(enum net_tls_role role, const struct test_cert *ca,
                                  const struct test_cert *leaf)
{
    struct net_tls_pair pair = {.cert_pem = SLICE_NONE};
    struct net_tls_conf conf = {.role = role,
                                .pairs = &pair,
                                .pairs_n = leaf != NULL,
                                .ca_pem = slice_str(ca->cert_pem),
                                .version_min = 12,
                                .verify = role == NET_TLS_CLIENT ? NET_TLS_VERIFY_REQUIRED
                                                                 : NET_TLS_VERIFY_OPTIONAL};
    struct net_tls_ctx *ctx = NULL;
    const char *why;

    if (leaf)
        pair =
            (struct net_tls_pair){.cert_pem = slice_str(leaf->cert_pem), .key_pem = slice_str(leaf->key_pem)};
    CU_ASSERT_EQUAL_FATAL(net_tls_ctx_create(&conf, &ctx, &why), ERR_OK);
    return ctx;
}

static void duo_open(struct duo *d, const char *name)
{
    static const char *const sans[] = {"DNS:push.example", NULL};
    static struct test_cert ca, leaf;
    struct net_stream_user user;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint16_t port;
    int listener, fd;

    test_cert_make(&(struct test_cert_conf){.cn = "ca", .ca = true}, NULL, &ca);
    test_cert_make(&(struct test_cert_conf){.cn = "server", .sans = sans}, &ca, &leaf);
    *d = (struct duo){.sctx = tls_of(NET_TLS_SERVER, &ca, &leaf), .cctx = tls_of(NET_TLS_CLIENT, &ca, NULL)};
    buf_init(&d->server.got, 64 << 20);
    buf_init(&d->client.got, 64 << 20);
    netloop_open(&d->nl);
    listener = raw_listen(&port);
    at.sin_port = htons(port);
    user = user_of(&d->client);
    CU_ASSERT_EQUAL_FATAL(net_stream_connect(&d->nl.env, (struct sockaddr *)&at, d->cctx, slice_str(name),
                                             5000, 5000, &user, &d->client.s),
                          ERR_OK);
    fd = raw_accept(&d->nl, listener);
    (void)close(listener);
    user = user_of(&d->server);
    user.eof = on_eof;
    CU_ASSERT_EQUAL_FATAL(net_stream_adopt(&d->nl.env, fd, d->sctx, 5000, &user, &d->server.s), ERR_OK);
}

static void duo_close(struct duo *d)
{
    if (d->client.s)
        net_stream_abort(d->client.s, ERR_OK);
    if (d->server.s)
        net_stream_abort(d->server.s, ERR_OK);
    (void)netloop_until(&d->nl, &d->client.closed, 1);
    (void)netloop_until(&d->nl, &d->server.closed, 1);
    buf_clear(&d->client.got);
    buf_clear(&d->server.got);
    net_tls_ctx_free(&d->cctx);
    net_tls_ctx_free(&d->sctx);
    netloop_close(&d->nl);
}

static void case_tls_both_ways(void)
{
    static char big[5 << 20];
    struct duo d;

    duo_open(&d, "push.example");
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i % 253);
    (void)net_stream_write(d.client.s, SLICE("before it is open ")); /* waits for the handshake */
    (void)net_stream_write(d.client.s, slice_of(big, sizeof big));
    (void)netloop_until(&d.nl, &d.server.got_n, sizeof big + 18);
    TEST_SLICE_EQ(slice_sub(buf_slice(&d.server.got), 0, 18), SLICE("before it is open "));
    CU_ASSERT(slice_eq(slice_sub(buf_slice(&d.server.got), 18, sizeof big), slice_of(big, sizeof big)));
    CU_ASSERT(d.client.opened == 1 && d.server.opened == 1);
    (void)net_stream_write(d.server.s, slice_of(big, sizeof big));
    (void)netloop_until(&d.nl, &d.client.got_n, sizeof big);
    CU_ASSERT(slice_eq(buf_slice(&d.client.got), slice_of(big, sizeof big)));
    CU_ASSERT(net_stream_peer(d.client.s)->verified && net_stream_is_tls(d.server.s));
    (void)net_stream_write(d.client.s, SLICE("last words"));
    net_stream_close(d.client.s);
    (void)netloop_until(&d.nl, &d.server.eofs, 1);
    CU_ASSERT_EQUAL(d.server.got_n, sizeof big + 28);
    net_stream_close(d.server.s);
    (void)netloop_until(&d.nl, &d.server.closed, 1);
    CU_ASSERT(d.server.why == ERR_OK && d.client.why == ERR_OK);
    duo_close(&d);
}

/* Records that were read but not wanted yet come when reading starts again. */
static void case_tls_read_stop(void)
{
    static char some[50000];
    struct duo d;
    size_t before;

    duo_open(&d, "push.example");
    d.server.stop_after_data = true;
    (void)net_stream_write(d.client.s, slice_of(some, sizeof some));
    (void)netloop_until(&d.nl, &d.server.got_n, 1);
    before = d.server.got_n;
    netloop_for(&d.nl, 30);
    CU_ASSERT(d.server.got_n == before && before < sizeof some);
    d.server.stop_after_data = false;
    net_stream_read_start(d.server.s);
    (void)netloop_until(&d.nl, &d.server.got_n, sizeof some);
    duo_close(&d);
}

static void case_tls_wrong_name(void)
{
    struct duo d;

    duo_open(&d, "other.example");
    (void)netloop_until(&d.nl, &d.client.closed, 1);
    (void)netloop_until(&d.nl, &d.server.closed, 1);
    CU_ASSERT_EQUAL(d.client.why, ERR_DENIED);
    CU_ASSERT_EQUAL(d.server.why, ERR_PEER); /* it was sent the alert */
    CU_ASSERT_EQUAL(d.client.opened + d.server.opened, 0);
    duo_close(&d);
}

/* TCP that ends without close_notify is a cut, not an end. */
static void case_tls_cut_off(void)
{
    struct duo d;

    duo_open(&d, "push.example");
    (void)netloop_until(&d.nl, &d.server.opened, 1);
    net_stream_abort(d.client.s, ERR_LIMIT);
    (void)netloop_until(&d.nl, &d.server.closed, 1);
    CU_ASSERT_EQUAL(d.client.why, ERR_LIMIT);
    CU_ASSERT_EQUAL(d.server.why, ERR_PEER);
    CU_ASSERT_EQUAL(d.server.eofs, 0);
    duo_close(&d);
}

static void case_tls_stalled_handshake(void)
{
    struct test_cert ca;
    struct half h;

    test_cert_make(&(struct test_cert_conf){.cn = "ca", .ca = true}, NULL, &ca);
    half_open(&h, tls_of(NET_TLS_SERVER, &ca, &ca), false);
    (void)raw_send(&h.nl, h.fd, SLICE("\x16\x03\x01\x02"));
    (void)netloop_until(&h.nl, &h.e.closed, 1);
    CU_ASSERT_EQUAL(h.e.why, ERR_LATE);
    CU_ASSERT_EQUAL(h.e.opened, 0);
    half_close(&h);
}

static void case_connect_refused(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct end e = {0};
    struct net_stream_user user = user_of(&e);
    struct netloop nl;
    uint16_t port;

    netloop_open(&nl);
    (void)close(raw_listen(&port));
    at.sin_port = htons(port);
    CU_ASSERT_EQUAL_FATAL(
        net_stream_connect(&nl.env, (struct sockaddr *)&at, NULL, SLICE_NONE, 5000, 5000, &user, &e.s),
        ERR_OK);
    CU_ASSERT_EQUAL(e.closed, 0);
    (void)netloop_until(&nl, &e.closed, 1);
    CU_ASSERT(e.why == ERR_PEER && e.opened == 0);
    netloop_close(&nl);
}

struct many {
    struct net_timer timer;
    int64_t want_ms; /* when it was set for */
    struct netloop *nl;
    size_t *fired;
};

static void many_fire(struct net_timer *timer)
{
    struct many *m = container_of(timer, struct many, timer);

    CU_ASSERT(m->want_ms && (int64_t)uv_now(&m->nl->loop) >= m->want_ms);
    m->want_ms = 0;
    (*m->fired)++;
}

/* Timers set, moved and stopped at random: each fires once, never early; stopped ones never. */
static void case_hub_timers(void)
{
    static struct many m[500];
    struct netloop nl;
    size_t fired = 0;
    size_t due = 0;
    unsigned seed = 7;

    netloop_open(&nl);
    for (size_t i = 0; i < COUNT(m); i++) {
        m[i] = (struct many){.nl = &nl, .fired = &fired};
        net_timer_init(&m[i].timer, many_fire);
    }
    for (int k = 0; k < 5000; k++) {
        struct many *one = &m[(size_t)rand_r(&seed) % COUNT(m)];
        int64_t ms = rand_r(&seed) % 600;

        if (k % 7 == 0) {
            net_hub_timer_stop(nl.env.hub, &one->timer);
            one->want_ms = 0;
        } else {
            one->want_ms = (int64_t)uv_now(&nl.loop) + ms;
            net_hub_timer_set(nl.env.hub, &one->timer, ms);
        }
    }
    for (size_t i = 0; i < COUNT(m); i++)
        due += m[i].want_ms != 0;
    (void)netloop_until(&nl, &fired, due);
    netloop_for(&nl, 200);
    CU_ASSERT_EQUAL(fired, due);
    netloop_close(&nl);
}

/* A connection that changes its loop: octets that come meanwhile wait, nothing is lost and nothing is said twice. */
static void case_handover(void)
{
    struct net_handover h = {.fd = -1};
    struct net_stream_user user;
    struct half a;
    struct netloop other;
    struct end e = {.s = NULL};
    char got[64];

    half_open(&a, NULL, false);
    (void)net_stream_write(a.e.s, SLICE("still queued"));
    CU_ASSERT_EQUAL(net_stream_detach(a.e.s, &h), ERR_AGAIN);
    CU_ASSERT(raw_read_until(&a.nl, a.fd, "queued", got, sizeof got) == 12);
    CU_ASSERT_EQUAL_FATAL(net_stream_detach(a.e.s, &h), ERR_OK);
    CU_ASSERT(h.fd >= 0 && h.tls == NULL);
    (void)netloop_until(&a.nl, &a.e.closed, 1);
    CU_ASSERT_EQUAL(a.e.why, ERR_OK);
    (void)raw_send(&a.nl, a.fd, SLICE("meanwhile"));
    netloop_open(&other);
    buf_init(&e.got, 1024);
    user = user_of(&e);
    CU_ASSERT_EQUAL_FATAL(net_stream_resume(&other.env, &h, &user, &e.s), ERR_OK);
    (void)netloop_until(&other, &e.got_n, 9);
    TEST_SLICE_EQ(buf_slice(&e.got), SLICE("meanwhile"));
    (void)net_stream_write(e.s, SLICE("and on"));
    CU_ASSERT(raw_read_until(&other, a.fd, "on", got, sizeof got) == 6);
    CU_ASSERT(e.opened == 1 && net_stream_ip(e.s).n == 9);
    net_stream_abort(e.s, ERR_OK);
    (void)netloop_until(&other, &e.closed, 1);
    buf_clear(&e.got);
    netloop_close(&other);
    half_close(&a);
}

static void case_handover_of_tls(void)
{
    struct net_handover h = {.fd = -1};
    struct net_stream_user user;
    struct end e = {.s = NULL};
    struct netloop other;
    struct duo d;

    duo_open(&d, "push.example");
    CU_ASSERT_EQUAL(net_stream_detach(d.server.s, &h), ERR_AGAIN); /* the handshake is not done */
    (void)net_stream_write(d.client.s, SLICE("first"));
    (void)netloop_until(&d.nl, &d.server.got_n, 5);
    netloop_for(&d.nl, 50); /* until tickets have left */
    CU_ASSERT_EQUAL_FATAL(net_stream_detach(d.server.s, &h), ERR_OK);
    CU_ASSERT(h.tls != NULL);
    (void)netloop_until(&d.nl, &d.server.closed, 1);
    (void)net_stream_write(d.client.s, SLICE("second"));
    netloop_for(&d.nl, 50);
    netloop_open(&other);
    buf_init(&e.got, 1024);
    user = user_of(&e);
    CU_ASSERT_EQUAL_FATAL(net_stream_resume(&other.env, &h, &user, &e.s), ERR_OK);
    (void)netloop_until(&other, &e.got_n, 6);
    TEST_SLICE_EQ(buf_slice(&e.got), SLICE("second"));
    CU_ASSERT(net_stream_is_tls(e.s) && e.opened == 1);
    (void)net_stream_write(e.s, SLICE("answer"));
    net_stream_close(e.s);
    netloop_for(&other, 50);
    (void)netloop_until(&d.nl, &d.client.got_n, 6);
    TEST_SLICE_EQ(buf_slice(&d.client.got), SLICE("answer"));
    if (d.client.s)
        net_stream_abort(d.client.s, ERR_OK);
    (void)netloop_until(&d.nl, &d.client.closed, 1);
    if (e.s)
        net_stream_abort(e.s, ERR_OK);
    (void)netloop_until(&other, &e.closed, 1);
    buf_clear(&e.got);
    netloop_close(&other);
    duo_close(&d);
}

static void case_handover_dropped(void)
{
    struct net_handover h = {.fd = -1};
    struct half a;
    char got[8];

    half_open(&a, NULL, false);
    CU_ASSERT_EQUAL_FATAL(net_stream_detach(a.e.s, &h), ERR_OK);
    (void)netloop_until(&a.nl, &a.e.closed, 1);
    net_handover_drop(&h);
    CU_ASSERT(h.fd == -1);
    net_handover_drop(&h);
    CU_ASSERT_EQUAL(raw_read_until(&a.nl, a.fd, NULL, got, sizeof got), 0);
    half_close(&a);
}

const struct test_case test_cases[] = {
    {"adopt_and_talk", case_adopt_and_talk},
    {"ends", case_ends},
    {"abort_in_data", case_abort_in_data},
    {"deadline", case_deadline},
    {"back_pressure_out", case_back_pressure_out},
    {"queue_has_a_ceiling", case_queue_has_a_ceiling},
    {"back_pressure_in", case_back_pressure_in},
    {"close_flushes", case_close_flushes},
    {"adopt_no_socket", case_adopt_no_socket},
    {"tls_both_ways", case_tls_both_ways},
    {"tls_read_stop", case_tls_read_stop},
    {"tls_wrong_name", case_tls_wrong_name},
    {"tls_cut_off", case_tls_cut_off},
    {"tls_stalled_handshake", case_tls_stalled_handshake},
    {"connect_refused", case_connect_refused},
    {"hub_timers", case_hub_timers},
    {"handover", case_handover},
    {"handover_of_tls", case_handover_of_tls},
    {"handover_dropped", case_handover_dropped},
    {NULL, NULL},
};
