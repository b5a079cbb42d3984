/* The bearer for datagrams against plain sockets: what leaves, what comes of it, and that everything is given back. */
#include "ota/bearer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/net/dtlsd.h"
#include "ota/wsp.h"
#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"

#define JOBS_MAX 80

struct fix {
    struct netloop nl;
    struct ota_env env;
    void *bearer;
    struct ota_terminal terminal;
    struct ota_job jobs[JOBS_MAX];
    size_t done; /* how many ended, in order */
    enum err why[JOBS_MAX];
    size_t closed;
    int fd; /* the terminal */
};

static void on_done(struct ota_job *job, enum err why, void *arg)
{
    struct fix *f = arg;

    CU_ASSERT(job->attempt == NULL);
    f->why[job - f->jobs] = why;
    f->done++;
}

static void on_closed(void *arg)
{
    ((struct fix *)arg)->closed++;
}

static int raw_udp(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    CU_ASSERT_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0);
    CU_ASSERT_FATAL(getsockname(fd, (struct sockaddr *)&at, &n) == 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static struct fix *fix_open(struct ota_wsp_env conf)
{
    struct fix *f = calloc(1, sizeof *f);

    CU_ASSERT_FATAL(f != NULL);
    netloop_open(&f->nl);
    conf.datagram_max_n = conf.datagram_max_n ? conf.datagram_max_n : 1400;
    conf.flows_max = conf.flows_max ? conf.flows_max : 8;
    conf.idle_ms = conf.idle_ms ? conf.idle_ms : 60000;
    conf.mtu = 1200;
    f->env = (struct ota_env){.net = &f->nl.env, .connect_ms = 1500, .wsp = conf};
    f->terminal =
        (struct ota_terminal){.key = SLICE("+1"), .route = OTA_ROUTE_WSP, .host = SLICE("127.0.0.1")};
    f->fd = raw_udp(&f->terminal.port);
    CU_ASSERT_FATAL(ota_bearer_udp.create(&f->env, &f->bearer) == ERR_OK);
    return f;
}

static void fix_close(struct fix *f)
{
    ota_bearer_udp.close(f->bearer, on_closed, f);
    (void)netloop_until(&f->nl, &f->closed, 1);
    netloop_close(&f->nl);
    (void)close(f->fd);
    free(f);
}

static enum err push_to(struct fix *f, size_t i, const struct ota_terminal *t, struct slice body)
{
    f->jobs[i] =
        (struct ota_job){.terminal = t,
                         .message_head = SLICE("Content-Type: text/plain\r\nX-Push-Message-ID: m-1\r\n"),
                         .body = body,
                         .authenticated = true,
                         .trusted = true,
                         .push_id = SLICE("p")};
    return ota_bearer_udp.send(f->bearer, &f->jobs[i], on_done, f);
}

static enum err push(struct fix *f, size_t i, const char *body)
{
    return push_to(f, i, &f->terminal, slice_str(body));
}

static bool ended_as(const struct fix *f, size_t i, enum ota_outcome outcome, unsigned code)
{
    return f->jobs[i].result.outcome == outcome && f->jobs[i].result.code == code;
}

/* The next datagram, read by the reader. */
static void check_arrived(struct fix *f, const char *body)
{
    char octets[2048];
    ssize_t n = recv(f->fd, octets, sizeof octets, 0);
    struct ota_wsp_push p = {.tid = 0};
    struct buf text;

    buf_init(&text, 4096);
    CU_ASSERT_FATAL(n > 0);
    CU_ASSERT_EQUAL(ota_wsp_push_parse(slice_of(octets, (size_t)n), &text, &p), ERR_OK);
    TEST_SLICE_EQ(p.headers, SLICE("Content-Type: text/plain\r\nX-Push-Message-ID: m-1\r\n"
                                   "X-Wap-Push-Info: authenticated, trusted\r\n"));
    TEST_SLICE_EQ(p.content, slice_str(body));
    buf_clear(&text);
}

static void delivered_when_nobody_complains(void)
{
    struct fix *f = fix_open((struct ota_wsp_env){.settle_ms = 100});
    int64_t start = clk_mono_ms(&clk_real);

    CU_ASSERT(push(f, 0, "one") == ERR_OK && push(f, 1, "two") == ERR_OK);
    CU_ASSERT_EQUAL(f->done, 0);
    (void)netloop_until(&f->nl, &f->done, 2);
    CU_ASSERT(clk_mono_ms(&clk_real) - start >= 100);
    CU_ASSERT(ended_as(f, 0, OTA_DELIVERED, 1000) && ended_as(f, 1, OTA_DELIVERED, 1000));
    CU_ASSERT(f->jobs[0].result.wire_n > 30);
    check_arrived(f, "one");
    check_arrived(f, "two");
    fix_close(f);
}

static void without_settling_it_is_told_at_once_but_later(void)
{
    struct fix *f = fix_open((struct ota_wsp_env){.settle_ms = 0});

    CU_ASSERT(push(f, 0, "a") == ERR_OK);
    CU_ASSERT_EQUAL(f->done, 0); /* never from inside send() */
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(push(f, 1, "b") == ERR_OK); /* the socket is open now */
    CU_ASSERT_EQUAL(f->done, 1);
    (void)netloop_until(&f->nl, &f->done, 2);
    CU_ASSERT(ended_as(f, 1, OTA_DELIVERED, 1000));
    fix_close(f);
}

static void nobody_listens(void)
{
    struct fix *f = fix_open((struct ota_wsp_env){.settle_ms = 10000});

    (void)close(f->fd);
    f->fd = -1;
    CU_ASSERT(push(f, 0, "a") == ERR_OK && push(f, 1, "b") == ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 2);
    CU_ASSERT(ended_as(f, 0, OTA_RETRY, 4001) && ended_as(f, 1, OTA_RETRY, 4001));
    CU_ASSERT_STRING_EQUAL(f->jobs[0].result.note, "port unreachable");
    fix_close(f);
}

static void no_such_name(void)
{
    struct fix *f = fix_open((struct ota_wsp_env){.settle_ms = 50});

    f->terminal.host = SLICE("nobody.invalid");
    CU_ASSERT(push(f, 0, "a") == ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(ended_as(f, 0, OTA_RETRY, 4001));
    CU_ASSERT_STRING_EQUAL(f->jobs[0].result.note, "name not found");
    fix_close(f);
}

static void what_does_not_fit(void)
{
    static char large[1400];
    struct fix *f = fix_open((struct ota_wsp_env){.datagram_max_n = 200});

    CU_ASSERT(push_to(f, 0, &f->terminal, slice_of(large, 200)) == ERR_OK);
    CU_ASSERT(push(f, 1, "fits") == ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 2);
    CU_ASSERT(ended_as(f, 0, OTA_UNDELIVERABLE, 2006) && ended_as(f, 1, OTA_DELIVERED, 1000));
    check_arrived(f, "fits");
    f->jobs[2] = (struct ota_job){.terminal = &f->terminal, .message_head = SLICE("X-A: no type\r\n")};
    CU_ASSERT(ota_bearer_udp.send(f->bearer, &f->jobs[2], on_done, f) == ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 3);
    CU_ASSERT(ended_as(f, 2, OTA_UNDELIVERABLE, 4000));
    fix_close(f);
}

static void refused_at_once(void)
{
    struct fix *f = fix_open((struct ota_wsp_env){.settle_ms = 50});
    struct ota_terminal other = f->terminal;

    other.route = OTA_ROUTE_HTTP;
    CU_ASSERT_EQUAL(push_to(f, 0, &other, SLICE("a")), ERR_UNSUPPORTED);
    for (size_t i = 0; i < 64; i++)
        CU_ASSERT_EQUAL(push(f, i, "waits for the name"), ERR_OK);
    CU_ASSERT_EQUAL(push(f, 64, "too many"), ERR_LIMIT);
    (void)netloop_until(&f->nl, &f->done, 64);
    fix_close(f);
}

static void cancelled(void)
{
    struct fix *f = fix_open((struct ota_wsp_env){.settle_ms = 10000});

    CU_ASSERT(push(f, 0, "waits") == ERR_OK);
    ota_bearer_udp.cancel(f->bearer, &f->jobs[0]);
    ota_bearer_udp.cancel(f->bearer, &f->jobs[0]); /* twice is once */
    CU_ASSERT_EQUAL(f->done, 0);
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(ended_as(f, 0, OTA_RETRY, 4001) && f->why[0] == ERR_LATE);
    CU_ASSERT(push(f, 1, "sent") == ERR_OK);
    netloop_for(&f->nl, 50);
    ota_bearer_udp.cancel(f->bearer, &f->jobs[1]);
    (void)netloop_until(&f->nl, &f->done, 2);
    CU_ASSERT(ended_as(f, 1, OTA_AMBIGUOUS, 4001) && f->why[1] == ERR_LATE);
    fix_close(f);
}

/* Whatever is under way when the bearer closes ends, and then it closes. */
static void closed_under_way(void)
{
    struct fix *f = fix_open((struct ota_wsp_env){.settle_ms = 10000});
    struct ota_terminal other = f->terminal;

    other.key = SLICE("+2");
    CU_ASSERT(push(f, 0, "sent") == ERR_OK);
    netloop_for(&f->nl, 50);
    CU_ASSERT(push_to(f, 1, &other, SLICE("waits")) == ERR_OK);
    ota_bearer_udp.close(f->bearer, on_closed, f);
    CU_ASSERT_EQUAL(push(f, 2, "late"), ERR_LATE);
    (void)netloop_until(&f->nl, &f->closed, 1);
    CU_ASSERT(f->done == 2 && ended_as(f, 0, OTA_AMBIGUOUS, 4001) && ended_as(f, 1, OTA_RETRY, 4001));
    netloop_close(&f->nl);
    (void)close(f->fd);
    free(f);
}

/* The table is full: the idle ones make room, the busy ones do not. */
static void bounded_number_of_terminals(void)
{
    struct fix *f = fix_open((struct ota_wsp_env){.settle_ms = 0, .flows_max = 2});
    struct ota_terminal t[4];
    char keys[4][4];

    for (size_t i = 0; i < COUNT(t); i++) {
        (void)snprintf(keys[i], sizeof keys[i], "+%zu", i);
        t[i] = f->terminal;
        t[i].key = slice_str(keys[i]);
    }
    CU_ASSERT(push_to(f, 0, &t[0], SLICE("a")) == ERR_OK && push_to(f, 1, &t[1], SLICE("b")) == ERR_OK);
    CU_ASSERT_EQUAL(push_to(f, 2, &t[2], SLICE("c")), ERR_LIMIT); /* both are being looked up */
    (void)netloop_until(&f->nl, &f->done, 2);
    CU_ASSERT(push_to(f, 2, &t[2], SLICE("c")) == ERR_OK && push_to(f, 3, &t[3], SLICE("d")) == ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 4);
    CU_ASSERT(ended_as(f, 2, OTA_DELIVERED, 1000) && ended_as(f, 3, OTA_DELIVERED, 1000));
    fix_close(f);
}

/* An idle socket closes; the next push comes from another one. */
static void idle_sockets_close(void)
{
    struct fix *f = fix_open((struct ota_wsp_env){.settle_ms = 0, .idle_ms = 100});
    struct sockaddr_in first, second;
    socklen_t n = sizeof first;
    char octet;

    CU_ASSERT(push(f, 0, "a") == ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(recvfrom(f->fd, &octet, 1, 0, (struct sockaddr *)&first, &n) == 1);
    netloop_for(&f->nl, 400);
    CU_ASSERT(sendto(f->fd, "x", 1, 0, (struct sockaddr *)&first, n) == 1); /* nobody there any more */
    CU_ASSERT(push(f, 1, "b") == ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 2);
    n = sizeof second;
    if (recvfrom(f->fd, &octet, 1, 0, (struct sockaddr *)&second, &n) != 1) /* tells of the refusal first */
        CU_ASSERT(recvfrom(f->fd, &octet, 1, 0, (struct sockaddr *)&second, &n) == 1);
    CU_ASSERT(first.sin_port != second.sin_port);
    fix_close(f);
}

/* --- secured --- */

#define KEY   SLICE("0123456789abcdef")
#define OTHER SLICE("fedcba9876543210")

struct phone {
    struct net_tls_ctx *ctx;
    struct net_dtlsd *server;
    size_t records;
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
    struct phone *p = arg;

    (void)from;
    CU_ASSERT(plain.n > 4 && plain.p[1] == 6);
    TEST_SLICE_EQ(peer->psk, SLICE("phone"));
    p->records++;
}

static void phone_open(struct fix *f, struct phone *p)
{
    const struct net_tls_conf conf = {
        .role = NET_TLS_SERVER, .version_min = 12, .datagrams = true, .psk = {.find = find}};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct net_dtlsd_conf server = {
        .mtu = 1200, .sessions_max = 8, .handshake_ms = 5000, .idle_ms = 60000, .data = on_record, .arg = p};
    const char *why;

    *p = (struct phone){.records = 0};
    CU_ASSERT_FATAL(net_tls_ctx_create(&conf, &p->ctx, &why) == ERR_OK);
    server.ctx = p->ctx;
    CU_ASSERT_FATAL(net_dtlsd_create(&f->nl.env, &server, (struct sockaddr *)&at, &p->server) == ERR_OK);
    f->terminal.port = net_dtlsd_port(p->server);
    f->terminal.tls = true;
    f->terminal.psk_identity = SLICE("phone");
    CU_ASSERT(sec_secret_set(&f->terminal.psk, KEY) == ERR_OK);
}

static void phone_close(struct phone *p)
{
    net_dtlsd_close(p->server);
    net_tls_ctx_free(&p->ctx);
}

/* One session for all pushes of a terminal; another key is another session, and a wrong one opens none. */
static void secured_by_a_shared_key(void)
{
    struct fix *f = fix_open((struct ota_wsp_env){.settle_ms = 50});
    struct ota_terminal moved;
    struct phone p;

    phone_open(f, &p);
    CU_ASSERT(push(f, 0, "one") == ERR_OK && push(f, 1, "two") == ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 2);
    CU_ASSERT(ended_as(f, 0, OTA_DELIVERED, 1000) && ended_as(f, 1, OTA_DELIVERED, 1000));
    (void)netloop_until(&f->nl, &p.records, 2);
    moved = f->terminal;
    CU_ASSERT(sec_secret_set(&moved.psk, OTHER) == ERR_OK);
    CU_ASSERT(push_to(f, 2, &moved, SLICE("three")) == ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 3);
    CU_ASSERT(ended_as(f, 2, OTA_RETRY, 4001));
    CU_ASSERT(push(f, 3, "four") == ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 4);
    CU_ASSERT(ended_as(f, 3, OTA_DELIVERED, 1000));
    (void)netloop_until(&f->nl, &p.records, 3);
    phone_close(&p);
    fix_close(f);
}

static void secured_records_have_a_ceiling(void)
{
    static char large[1200];
    struct fix *f = fix_open((struct ota_wsp_env){.settle_ms = 0});
    struct phone p;

    phone_open(f, &p);
    CU_ASSERT(push_to(f, 0, &f->terminal, slice_of(large, sizeof large)) == ERR_OK);
    CU_ASSERT(push(f, 1, "fits") == ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 2);
    CU_ASSERT(ended_as(f, 0, OTA_UNDELIVERABLE, 2006) && ended_as(f, 1, OTA_DELIVERED, 1000));
    phone_close(&p);
    fix_close(f);
}

/* No credentials; nobody there; closed in the handshake. */
static void secured_but_not_opened(void)
{
    struct fix *f = fix_open((struct ota_wsp_env){.settle_ms = 50});

    f->terminal.tls = true;
    CU_ASSERT_EQUAL(push(f, 0, "no key, no certificate"), ERR_UNSUPPORTED);
    f->terminal.psk_identity = SLICE("phone");
    CU_ASSERT(sec_secret_set(&f->terminal.psk, KEY) == ERR_OK);
    CU_ASSERT(push(f, 0, "nobody speaks DTLS there") == ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 1);
    CU_ASSERT(ended_as(f, 0, OTA_RETRY, 4001));
    CU_ASSERT_STRING_EQUAL(f->jobs[0].result.note, "DTLS: no answer");
    (void)close(f->fd);
    f->fd = -1;
    CU_ASSERT(push(f, 1, "nobody at all") == ERR_OK);
    (void)netloop_until(&f->nl, &f->done, 2);
    CU_ASSERT(ended_as(f, 1, OTA_RETRY, 4001));
    CU_ASSERT_STRING_EQUAL(f->jobs[1].result.note, "port unreachable");
    CU_ASSERT(push(f, 2, "while it closes") == ERR_OK);
    fix_close(f);
}

const struct test_case test_cases[] = {
    {"delivered_when_nobody_complains", delivered_when_nobody_complains},
    {"without_settling_it_is_told_at_once_but_later", without_settling_it_is_told_at_once_but_later},
    {"nobody_listens", nobody_listens},
    {"no_such_name", no_such_name},
    {"what_does_not_fit", what_does_not_fit},
    {"refused_at_once", refused_at_once},
    {"cancelled", cancelled},
    {"closed_under_way", closed_under_way},
    {"bounded_number_of_terminals", bounded_number_of_terminals},
    {"idle_sockets_close", idle_sockets_close},
    {"secured_by_a_shared_key", secured_by_a_shared_key},
    {"secured_records_have_a_ceiling", secured_records_have_a_ceiling},
    {"secured_but_not_opened", secured_but_not_opened},
    {NULL, NULL},
};
