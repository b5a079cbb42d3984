/* The DTLS server on a real socket: cookies before memory, sessions by address, ceilings. */
#include "base/net/dtlsd.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/net/dtls.h"
#include "base/net/udp.h"
#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"

#define KEY SLICE("0123456789abcdef")

struct client {
    struct net_udp *socket;
    struct net_dtls *dtls;
    size_t opened, closed;
    enum err why;
};

struct fix {
    struct netloop nl;
    struct net_tls_ctx *server_ctx, *client_ctx;
    struct net_dtlsd *server;
    struct sockaddr_in at;
    size_t records;
    bool psk_told;
    char last[64];
    size_t last_n;
};

static bool find(void *arg, struct slice identity, unsigned version, struct slice *key)
{
    (void)arg, (void)version;
    if (!slice_eq(identity, SLICE("phone")))
        return false;
    *key = KEY;
    return true;
}

static void on_record(const struct sockaddr *from, const struct net_tls_peer *peer, struct slice plain,
                      void *arg)
{
    struct fix *f = arg;

    CU_ASSERT(from->sa_family == AF_INET);
    f->psk_told = slice_eq(peer->psk, SLICE("phone"));
    f->last_n = plain.n < sizeof f->last ? plain.n : sizeof f->last;
    for (size_t i = 0; i < f->last_n; i++)
        f->last[i] = plain.p[i];
    f->records++;
}

static struct fix *fix_open(size_t sessions_max, int64_t idle_ms)
{
    const struct net_tls_conf server = {
        .role = NET_TLS_SERVER, .version_min = 12, .datagrams = true, .psk = {.find = find}};
    const struct net_tls_conf client = {.role = NET_TLS_CLIENT,
                                        .version_min = 12,
                                        .datagrams = true,
                                        .psk_identity = SLICE("phone"),
                                        .psk_key = KEY};
    struct fix *f = calloc(1, sizeof *f);
    struct net_dtlsd_conf conf = {.mtu = 1200,
                                  .sessions_max = sessions_max,
                                  .handshake_ms = 2000,
                                  .idle_ms = idle_ms,
                                  .data = on_record,
                                  .arg = f};
    const char *why;

    CU_ASSERT_FATAL(f != NULL);
    netloop_open(&f->nl);
    CU_ASSERT_FATAL(net_tls_ctx_create(&server, &f->server_ctx, &why) == ERR_OK);
    CU_ASSERT_FATAL(net_tls_ctx_create(&client, &f->client_ctx, &why) == ERR_OK);
    conf.ctx = f->server_ctx;
    f->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CU_ASSERT_FATAL(net_dtlsd_create(&f->nl.env, &conf, (struct sockaddr *)&f->at, &f->server) == ERR_OK);
    f->at.sin_port = htons(net_dtlsd_port(f->server));
    return f;
}

static void fix_close(struct fix *f)
{
    net_dtlsd_close(f->server);
    net_tls_ctx_free(&f->server_ctx);
    net_tls_ctx_free(&f->client_ctx);
    netloop_close(&f->nl);
    free(f);
}

static void on_send(struct slice datagram, void *arg)
{
    CU_ASSERT_EQUAL(net_udp_send(((struct client *)arg)->socket, NULL, datagram), ERR_OK);
}

static void on_opened(void *arg)
{
    ((struct client *)arg)->opened++;
}

static void on_data(struct slice plain, void *arg)
{
    (void)plain, (void)arg;
}

static void on_closed(enum err why, void *arg)
{
    struct client *c = arg;

    c->closed++;
    c->why = why;
}

static void on_datagram(struct net_udp *u, const struct sockaddr *from, struct slice datagram, void *arg)
{
    (void)u, (void)from;
    net_dtls_feed(((struct client *)arg)->dtls, datagram);
}

static void client_open(struct fix *f, struct client *c)
{
    const struct net_udp_user user = {.data = on_datagram, .arg = c};
    const struct net_dtls_conf conf = {.ctx = f->client_ctx,
                                       .mtu = 1200,
                                       .handshake_ms = 1500,
                                       .user = {on_send, on_opened, on_data, on_closed, c}};

    *c = (struct client){.opened = 0};
    CU_ASSERT_FATAL(net_udp_open(&f->nl.env, NULL, (struct sockaddr *)&f->at, &user, &c->socket) == ERR_OK);
    CU_ASSERT_FATAL(net_dtls_create(&f->nl.env, &conf, &c->dtls) == ERR_OK);
    net_dtls_start(c->dtls);
}

static void client_close(struct client *c)
{
    net_dtls_free(&c->dtls);
    net_udp_close(c->socket, NULL, NULL);
}

static void sessions_by_address(void)
{
    struct fix *f = fix_open(4, 60000);
    struct client a, b;

    client_open(f, &a);
    client_open(f, &b);
    (void)netloop_until(&f->nl, &a.opened, 1);
    (void)netloop_until(&f->nl, &b.opened, 1);
    CU_ASSERT_EQUAL(net_dtls_write(a.dtls, SLICE("from a")), ERR_OK);
    (void)netloop_until(&f->nl, &f->records, 1);
    TEST_SLICE_EQ(slice_of(f->last, f->last_n), SLICE("from a"));
    CU_ASSERT_EQUAL(net_dtls_write(b.dtls, SLICE("from b")), ERR_OK);
    (void)netloop_until(&f->nl, &f->records, 2);
    TEST_SLICE_EQ(slice_of(f->last, f->last_n), SLICE("from b"));
    CU_ASSERT_TRUE(f->psk_told);
    client_close(&a);
    client_close(&b);
    fix_close(f);
}

/* Strangers: junk gets nothing, a ClientHello gets less than it is (RFC 6347 §4.2.1), and neither is remembered. */
static void strangers_cost_nothing(void)
{
    static const char hello_head[] =
        "\x16\xFE\xFD\0\0\0\0\0\0\0\0\0\x50\x01\0\0\x44\0\0\0\0\0\0\0\x44\xFE\xFD";
    char hello[93] = {0}, got[2048];
    struct fix *f = fix_open(1, 60000);
    struct client a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ssize_t n;

    CU_ASSERT_FATAL(fd >= 0 && connect(fd, (struct sockaddr *)&f->at, sizeof f->at) == 0);
    CU_ASSERT(send(fd, "junk", 4, 0) == 4 && send(fd, "", 0, 0) == 0);
    CU_ASSERT(send(fd, "\x17\xFE\xFD\0\1\0\0\0\0\0\1\0\4data", 17, 0) == 17); /* of no session */
    for (size_t i = 0; i < sizeof hello_head - 1; i++)
        hello[i] = hello_head[i];
    CU_ASSERT(send(fd, hello, 14, 0) == 14 && send(fd, hello, 66, 0) == 66); /* too short for one */
    netloop_for(&f->nl, 100);
    CU_ASSERT(recv(fd, got, sizeof got, 0) < 0);
    for (size_t i = 0; i < 100; i++)
        CU_ASSERT(send(fd, hello, sizeof hello, 0) == (ssize_t)sizeof hello);
    netloop_for(&f->nl, 100);
    n = recv(fd, got, sizeof got, 0);
    CU_ASSERT(n > 0 && n < (ssize_t)sizeof hello && got[13] == 3); /* HelloVerifyRequest */
    client_open(f, &a);                                            /* the one session is free */
    (void)netloop_until(&f->nl, &a.opened, 1);
    client_close(&a);
    (void)close(fd);
    fix_close(f);
}

static void no_more_than_allowed(void)
{
    struct fix *f = fix_open(1, 60000);
    struct client a, b;

    client_open(f, &a);
    (void)netloop_until(&f->nl, &a.opened, 1);
    client_open(f, &b);
    (void)netloop_until(&f->nl, &b.closed, 1);
    CU_ASSERT(b.why == ERR_LATE && b.opened == 0);
    CU_ASSERT_EQUAL(net_dtls_write(a.dtls, SLICE("still here")), ERR_OK);
    (void)netloop_until(&f->nl, &f->records, 1);
    client_close(&a); /* its goodbye makes room */
    client_close(&b);
    netloop_for(&f->nl, 50);
    client_open(f, &b);
    (void)netloop_until(&f->nl, &b.opened, 1);
    client_close(&b);
    fix_close(f);
}

static void idle_sessions_close(void)
{
    struct fix *f = fix_open(1, 100);
    struct client a;

    client_open(f, &a);
    (void)netloop_until(&f->nl, &a.closed, 1);
    CU_ASSERT(a.opened == 1 && a.why == ERR_ABSENT);
    client_close(&a);
    fix_close(f);
}

const struct test_case test_cases[] = {
    {"sessions_by_address", sessions_by_address},
    {"strangers_cost_nothing", strangers_cost_nothing},
    {"no_more_than_allowed", no_more_than_allowed},
    {"idle_sessions_close", idle_sessions_close},
    {NULL, NULL},
};
