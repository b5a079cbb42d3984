/* UDP sockets on a real loop against plain ones. */
#include "base/net/udp.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"

struct seen {
    size_t datagrams, faults, closed;
    enum err why;
    char last[64];
    size_t last_n;
    struct sockaddr_storage from;
};

static void on_data(struct net_udp *u, const struct sockaddr *from, struct slice datagram, void *arg)
{
    struct seen *s = arg;

    (void)u;
    s->datagrams++;
    s->last_n = datagram.n;
    for (size_t i = 0; i < datagram.n && i < sizeof s->last; i++)
        s->last[i] = datagram.p[i];
    *(struct sockaddr_in *)&s->from = *(const struct sockaddr_in *)(const void *)from;
}

static void on_fault(struct net_udp *u, enum err why, void *arg)
{
    struct seen *s = arg;

    (void)u;
    s->faults++;
    s->why = why;
}

static void on_closed(void *arg)
{
    ((struct seen *)arg)->closed++;
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A plain socket bound to a port of the system's choice. */
static int raw_udp(uint16_t *port)
{
    struct sockaddr_in at = loopback(0);
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    CU_ASSERT_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0);
    CU_ASSERT_FATAL(getsockname(fd, (struct sockaddr *)&at, &n) == 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static struct net_udp *open_udp(struct netloop *nl, struct seen *s, uint16_t local, uint16_t peer)
{
    struct sockaddr_in here = loopback(local), there = loopback(peer);
    const struct net_udp_user user = {.data = on_data, .fault = on_fault, .arg = s};
    struct net_udp *u = NULL;

    CU_ASSERT_FATAL(net_udp_open(&nl->env, (struct sockaddr *)&here, peer ? (struct sockaddr *)&there : NULL,
                                 &user, &u) == ERR_OK);
    return u;
}

static void to_and_from_anybody(void)
{
    struct netloop nl;
    struct seen s = {.datagrams = 0};
    struct net_udp *u;
    struct sockaddr_in to;
    uint16_t port;
    char got[16];
    int fd = raw_udp(&port);

    netloop_open(&nl);
    u = open_udp(&nl, &s, 0, 0);
    to = loopback(net_udp_port(u));
    CU_ASSERT(sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof to) == 5);
    CU_ASSERT(sendto(fd, "", 0, 0, (struct sockaddr *)&to, sizeof to) == 0);
    (void)netloop_until(&nl, &s.datagrams, 2);
    CU_ASSERT(s.last_n == 0 && ((struct sockaddr_in *)&s.from)->sin_port == htons(port));
    TEST_SLICE_EQ(slice_of(s.last, 5), SLICE("hello"));
    to = loopback(port);
    CU_ASSERT(net_udp_send(u, (struct sockaddr *)&to, SLICE("back")) == ERR_OK);
    CU_ASSERT(recv(fd, got, sizeof got, 0) == 4);
    TEST_SLICE_EQ(slice_of(got, 4), SLICE("back"));
    net_udp_close(u, on_closed, &s);
    (void)netloop_until(&nl, &s.closed, 1);
    netloop_close(&nl);
    (void)close(fd);
}

/* Two peers, one local port; a stranger's datagrams are not ours. */
static void sockets_with_peers_share_a_port(void)
{
    struct netloop nl;
    struct seen a = {.datagrams = 0}, b = {.datagrams = 0};
    struct net_udp *ua, *ub;
    uint16_t pa, pb, ps;
    struct sockaddr_in to;
    int fa = raw_udp(&pa), fb = raw_udp(&pb), stranger = raw_udp(&ps);

    netloop_open(&nl);
    ua = open_udp(&nl, &a, 0, pa);
    ub = open_udp(&nl, &b, net_udp_port(ua), pb);
    CU_ASSERT(net_udp_port(ub) == net_udp_port(ua));
    to = loopback(net_udp_port(ua));
    CU_ASSERT(sendto(stranger, "no", 2, 0, (struct sockaddr *)&to, sizeof to) == 2);
    CU_ASSERT(sendto(fa, "a", 1, 0, (struct sockaddr *)&to, sizeof to) == 1);
    CU_ASSERT(sendto(fb, "b", 1, 0, (struct sockaddr *)&to, sizeof to) == 1);
    (void)netloop_until(&nl, &a.datagrams, 1);
    (void)netloop_until(&nl, &b.datagrams, 1);
    CU_ASSERT(a.datagrams == 1 && b.datagrams == 1 && a.last[0] == 'a' && b.last[0] == 'b');
    net_udp_close(ua, NULL, NULL);
    net_udp_close(ub, on_closed, &b);
    (void)netloop_until(&nl, &b.closed, 1);
    netloop_close(&nl);
    (void)close(fa);
    (void)close(fb);
    (void)close(stranger);
}

static void nobody_listens(void)
{
    struct netloop nl;
    struct seen s = {.datagrams = 0};
    struct net_udp *u;
    uint16_t port;

    (void)close(raw_udp(&port));
    netloop_open(&nl);
    u = open_udp(&nl, &s, 0, port);
    CU_ASSERT(net_udp_send(u, NULL, SLICE("x")) == ERR_OK);
    (void)netloop_until(&nl, &s.faults, 1);
    CU_ASSERT_EQUAL(s.why, ERR_PEER);
    net_udp_close(u, NULL, NULL);
    netloop_close(&nl);
}

static void what_cannot_be_sent(void)
{
    static char large[NET_UDP_MAX_N + 1];
    struct netloop nl;
    struct seen s = {.datagrams = 0};
    struct net_udp *u;
    uint16_t port;
    int fd = raw_udp(&port);

    netloop_open(&nl);
    u = open_udp(&nl, &s, 0, port);
    CU_ASSERT_EQUAL(net_udp_send(u, NULL, slice_of(large, sizeof large)), ERR_LIMIT);
    CU_ASSERT_EQUAL(net_udp_send(u, NULL, slice_of(large, NET_UDP_MAX_N)), ERR_OK);
    net_udp_close(u, NULL, NULL);
    netloop_close(&nl);
    (void)close(fd);
}

static void not_opened(void)
{
    struct netloop nl;
    struct seen s = {.datagrams = 0};
    const struct net_udp_user user = {.data = on_data, .arg = &s};
    struct net_udp *u = NULL;
    struct sockaddr_in here;
    uint16_t port;
    int fd = raw_udp(&port);

    netloop_open(&nl);
    here = loopback(port); /* taken */
    CU_ASSERT_EQUAL(net_udp_open(&nl.env, (struct sockaddr *)&here, NULL, &user, &u), ERR_IO);
    here.sin_addr.s_addr = htonl(0xC0000201); /* 192.0.2.1 is not ours */
    CU_ASSERT_EQUAL(net_udp_open(&nl.env, (struct sockaddr *)&here, NULL, &user, &u), ERR_IO);
    CU_ASSERT(u == NULL);
    netloop_close(&nl);
    (void)close(fd);
}

const struct test_case test_cases[] = {
    {"to_and_from_anybody", to_and_from_anybody},
    {"sockets_with_peers_share_a_port", sockets_with_peers_share_a_port},
    {"nobody_listens", nobody_listens},
    {"what_cannot_be_sent", what_cannot_be_sent},
    {"not_opened", not_opened},
    {NULL, NULL},
};
