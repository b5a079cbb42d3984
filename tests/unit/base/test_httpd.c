/* base/net/httpd.c (with listen.c and gate.c): a real server on a real loop, spoken to by raw sockets. */
#include "base/net/httpd.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/net/dns.h"
#include "tests/unit/certs.h"
#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

/* What a test server does with a request depends on its target. */
struct site {
    struct netloop nl;
    struct net_httpd *server;
    struct net_gate *gate;
    uv_timer_t later;
    struct net_http_exchange *held; /* /later and /hold: not answered yet */
    size_t requests;
    size_t heads;
    size_t closed;
    size_t body_n;  /* of the last request */
    bool gone;      /* the held exchange said so when it was answered */
    bool tls_cert;  /* the last request's peer had a verified certificate */
    size_t dropped; /* what /keep had kept with a connection */
};

static void reply_text(struct net_http_exchange *x, unsigned status, struct slice text)
{
    net_httpd_reply(x, status, SLICE("text/plain"), SLICE("X-Test: 1\r\n"), text);
}

static void answer_held(struct site *s)
{
    struct net_http_exchange *x = s->held;

    s->held = NULL;
    s->gone = net_http_exchange_gone(x);
    reply_text(x, 200, SLICE("later"));
}

static void later_fire(uv_timer_t *timer)
{
    answer_held(timer->data);
}

static void kept_drop(void *kept)
{
    struct site *s = kept;

    s->dropped++;
}

static unsigned on_head(struct net_http_exchange *x, struct buf *headers, void *arg)
{
    struct slice target = net_http_exchange_msg(x)->target;
    struct site *s = arg;

    s->heads++;
    if (!slice_starts(target, SLICE("/deny")))
        return 0;
    buf_add_str(headers, "X-Why: no\r\n");
    return 403;
}

static void on_request(struct net_http_exchange *x, void *arg)
{
    const struct net_http_msg *m = net_http_exchange_msg(x);
    const struct net_tls_peer *peer = net_http_exchange_peer(x);
    static char big[300000];
    struct site *s = arg;

    s->requests++;
    s->body_n = m->body.n;
    s->tls_cert = peer && peer->verified;
    if (slice_eq(m->target, SLICE("/later"))) {
        s->held = x;
        MUST(uv_timer_start(&s->later, later_fire, 20, 0) == 0);
    } else if (slice_eq(m->target, SLICE("/hold"))) {
        s->held = x;
    } else if (slice_eq(m->target, SLICE("/big"))) {
        memset(big, 'b', sizeof big);
        reply_text(x, 200, slice_of(big, sizeof big));
    } else if (slice_eq(m->target, SLICE("/none"))) {
        net_httpd_reply(x, 204, SLICE_NONE, SLICE_NONE, SLICE_NONE);
    } else if (slice_eq(m->target, SLICE("/keep"))) {
        net_http_exchange_keep(x, s, kept_drop);
        reply_text(x, 200, SLICE("done"));
    } else if (slice_eq(m->target, SLICE("/kept"))) {
        reply_text(x, 200, net_http_exchange_kept(x) == s ? SLICE("mine") : SLICE("none"));
    } else {
        reply_text(x, 200, m->body.n && m->body.n < 100 ? m->body : m->target);
    }
}

static struct net_httpd_conf site_conf(struct site *s)
{
    return (struct net_httpd_conf){
        .name = "test",
        .address = "127.0.0.1",
        .limits = {.head_max_n = 4096,
                   .headers_max = 16,
                   .value_max_n = 1024,
                   .target_max_n = 256,
                   .body_max_n = 32 << 20,
                   .head_ms = 5000,
                   .idle_ms = 5000,
                   .body_rate_min = 100,
                   .handshake_ms = 5000},
        .server = "test-server",
        .head = on_head,
        .request = on_request,
        .arg = s,
    };
}

static void site_open(struct site *s, const struct net_httpd_conf *conf)
{
    struct net_httpd_conf plain = site_conf(s);
    const char *why = "";

    netloop_open(&s->nl);
    MUST(uv_timer_init(&s->nl.loop, &s->later) == 0);
    s->later.data = s;
    CU_ASSERT_EQUAL_FATAL(net_httpd_create(&s->nl.env, conf ? conf : &plain, &s->server, &why), ERR_OK);
}

static void count_closed(void *arg)
{
    struct site *s = arg;

    s->closed++;
}

static void site_close(struct site *s)
{
    net_httpd_close(s->server, count_closed, s);
    uv_close((uv_handle_t *)&s->later, NULL);
    (void)netloop_until(&s->nl, &s->closed, 1);
    netloop_close(&s->nl);
}

static size_t count_of(const char *in, const char *what)
{
    size_t n = 0;

    for (const char *p = strstr(in, what); p; p = strstr(p + 1, what))
        n++;
    return n;
}

/* Sends, reads until `until` (NULL: the end), returns what came; static storage. */
static const char *talk(struct site *s, int fd, struct slice say, const char *until)
{
    static char got[1 << 20];

    (void)raw_send(&s->nl, fd, say);
    CU_ASSERT(raw_read_until(&s->nl, fd, until, got, sizeof got) >= 0);
    return got;
}

static void case_keep_alive(void)
{
    struct site s = {0};
    const char *got;
    int fd;

    site_open(&s, NULL);
    fd = raw_connect(net_httpd_port(s.server));
    got = talk(&s, fd, SLICE(GET("/one")), "/one");
    CU_ASSERT(strstr(got, "HTTP/1.1 200 OK\r\n") == got);
    CU_ASSERT(strstr(got, "\r\nServer: test-server\r\n") && strstr(got, "\r\nX-Test: 1\r\n"));
    CU_ASSERT(strstr(got, "\r\nDate: ") && strstr(got, "\r\nContent-Length: 4\r\n") &&
              !strstr(got, "Connection:"));
    got = talk(&s, fd, SLICE("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"), "hello");
    CU_ASSERT(strstr(got, "HTTP/1.1 200 OK\r\n") == got);
    got = talk(&s, fd, SLICE("GET /bye HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), NULL);
    CU_ASSERT(strstr(got, "\r\nConnection: close\r\n") && strstr(got, "/bye"));
    CU_ASSERT_EQUAL(s.requests, 3);
    (void)close(fd);
    fd = raw_connect(net_httpd_port(s.server));
    got = talk(&s, fd, SLICE("GET /old HTTP/1.0\r\n\r\n"), NULL);
    CU_ASSERT(strstr(got, "Connection: close") != NULL);
    (void)close(fd);
    fd = raw_connect(net_httpd_port(s.server));
    got = talk(&s, fd, SLICE("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), "/old");
    CU_ASSERT(strstr(got, "Connection: keep-alive") != NULL);
    (void)close(fd);
    site_close(&s);
}

static void case_head_and_204(void)
{
    struct site s = {0};
    const char *got;
    int fd;

    site_open(&s, NULL);
    fd = raw_connect(net_httpd_port(s.server));
    got = talk(&s, fd, SLICE("HEAD /abcdef HTTP/1.1\r\nHost: a\r\n\r\n" GET("/none") GET("/end")),
               "\r\n\r\n/end");
    CU_ASSERT(strstr(got, "Content-Length: 7\r\n") && !strstr(got, "/abcdef"));
    CU_ASSERT(strstr(got, "HTTP/1.1 204 ") && count_of(got, "Content-Length") == 2);
    (void)close(fd);
    site_close(&s);
}

static void case_pipelining_100(void)
{
    struct site s = {0};
    struct buf say;
    const char *got;
    const char *at;
    int fd;

    buf_init(&say, 1 << 20);
    for (int i = 0; i < 100; i++) /* every tenth is answered from a timer */
        buf_addf(&say, "GET %s HTTP/1.1\r\nHost: a\r\nX-N: %d\r\n\r\n", i % 10 == 3 ? "/later" : "/now", i);
    buf_add_str(&say, GET("/last"));
    site_open(&s, NULL);
    fd = raw_connect(net_httpd_port(s.server));
    got = talk(&s, fd, buf_slice(&say), "/last");
    CU_ASSERT_EQUAL(s.requests, 101);
    CU_ASSERT(count_of(got, "HTTP/1.1 200") == 101);
    at = got;
    for (int i = 0; i < 100 && at; i++) { /* in order */
        at = strstr(at, "\r\n\r\n");
        CU_ASSERT(at && strstr(at, i % 10 == 3 ? "later" : "/now") == at + 4);
        at = at ? at + 4 : NULL;
    }
    buf_clear(&say);
    (void)close(fd);
    site_close(&s);
}

/* A flood of requests behind an open one is not read beyond the ceiling. */
static void case_pipelining_is_bounded(void)
{
    static char flood[8 << 20];
    struct site s = {0};
    size_t taken = 0;
    int small = 65536;
    int fd;

    for (size_t i = 0; i + 64 < sizeof flood; i += 32)
        mem_copy(flood + i, 32, SLICE("GET /12 HTTP/1.1\r\nHost: abc\r\n\r\n\0"));
    site_open(&s, NULL);
    fd = raw_connect(net_httpd_port(s.server));
    CU_ASSERT(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
    (void)raw_send(&s.nl, fd, SLICE(GET("/hold")));
    for (int i = 0; i < 200; i++) {
        ssize_t n = send(fd, flood + taken, sizeof flood - taken, MSG_DONTWAIT | MSG_NOSIGNAL);

        taken += n > 0 ? (size_t)n : 0;
        (void)uv_run(&s.nl.loop, UV_RUN_NOWAIT);
    }
    CU_ASSERT_EQUAL(s.requests, 1);
    CU_ASSERT(taken < sizeof flood); /* the rest waits in the kernel */
    CU_ASSERT_FATAL(s.held != NULL);
    CU_ASSERT_FALSE(net_http_exchange_gone(s.held)); /* and nobody is thrown out for it */
    raw_reset(fd);
    answer_held(&s);
    site_close(&s);
}

static void case_reply_later(void)
{
    struct site s = {0};
    const char *got;
    int fd;

    site_open(&s, NULL);
    fd = raw_connect(net_httpd_port(s.server));
    got = talk(&s, fd, SLICE(GET("/later")), "later");
    CU_ASSERT(strstr(got, "200 OK") != NULL);
    got = talk(&s, fd, SLICE(GET("/again")), "/again");
    CU_ASSERT(strstr(got, "200 OK") != NULL);
    CU_ASSERT_FALSE(s.gone);
    (void)close(fd);
    site_close(&s);
}

/* A client that shuts its sending side still gets its answer. */
static void case_half_closed_peer(void)
{
    struct site s = {0};
    const char *got;
    int fd;

    site_open(&s, NULL);
    fd = raw_connect(net_httpd_port(s.server));
    (void)raw_send(&s.nl, fd, SLICE(GET("/later") GET("/second")));
    CU_ASSERT(shutdown(fd, SHUT_WR) == 0);
    got = talk(&s, fd, SLICE_NONE, NULL);
    CU_ASSERT(strstr(got, "later") && strstr(got, "/second"));
    (void)close(fd);
    site_close(&s);
}

static void case_peer_leaves_before_reply(void)
{
    struct site s = {0};
    size_t none = 0;
    int fd;

    site_open(&s, NULL);
    fd = raw_connect(net_httpd_port(s.server));
    (void)raw_send(&s.nl, fd, SLICE(GET("/hold")));
    (void)netloop_until(&s.nl, &s.requests, 1);
    raw_reset(fd);
    for (int i = 0; i < 100 && !net_http_exchange_gone(s.held); i++)
        netloop_for(&s.nl, 5);
    CU_ASSERT_EQUAL(net_httpd_open(s.server), 1);
    answer_held(&s);
    CU_ASSERT_TRUE(s.gone);
    CU_ASSERT_EQUAL(net_httpd_open(s.server), none);
    site_close(&s);
}

/* What is kept with a connection is found by its later exchanges and by no other connection's, and goes once. */
static void case_kept_with_connection(void)
{
    struct site s = {0};
    int fd, other;

    site_open(&s, NULL);
    fd = raw_connect(net_httpd_port(s.server));
    other = raw_connect(net_httpd_port(s.server));
    CU_ASSERT(strstr(talk(&s, fd, SLICE(GET("/kept")), "none"), "200 OK") != NULL);
    CU_ASSERT(strstr(talk(&s, fd, SLICE(GET("/keep")), "done"), "200 OK") != NULL);
    CU_ASSERT(strstr(talk(&s, fd, SLICE(GET("/kept")), "mine"), "200 OK") != NULL);
    CU_ASSERT(strstr(talk(&s, other, SLICE(GET("/kept")), "none"), "200 OK") != NULL);
    CU_ASSERT(s.dropped == 0);
    CU_ASSERT(strstr(talk(&s, fd, SLICE(GET("/keep")), "done"), "200 OK") != NULL);
    CU_ASSERT(s.dropped == 1);
    (void)close(fd);
    (void)netloop_until(&s.nl, &s.dropped, 2);
    CU_ASSERT(strstr(talk(&s, other, SLICE(GET("/keep")), "done"), "200 OK") != NULL);
    site_close(&s);
    CU_ASSERT(s.dropped == 3);
    (void)close(other);
}

/* The server closes while an answer is owed: it waits for that answer. */
static void case_close_waits_for_replies(void)
{
    struct site s = {0};
    int fd;

    site_open(&s, NULL);
    fd = raw_connect(net_httpd_port(s.server));
    (void)raw_send(&s.nl, fd, SLICE(GET("/hold")));
    (void)netloop_until(&s.nl, &s.requests, 1);
    net_httpd_close(s.server, count_closed, &s);
    netloop_for(&s.nl, 30);
    CU_ASSERT_EQUAL(s.closed, 0);
    answer_held(&s);
    CU_ASSERT_TRUE(s.gone);
    uv_close((uv_handle_t *)&s.later, NULL);
    (void)netloop_until(&s.nl, &s.closed, 1);
    (void)close(fd);
    netloop_close(&s.nl);
}

static void case_reset_mid_body(void)
{
    struct site s = {0};
    int fd;

    site_open(&s, NULL);
    fd = raw_connect(net_httpd_port(s.server));
    (void)raw_send(&s.nl, fd, SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf"));
    (void)netloop_until(&s.nl, &s.heads, 1);
    raw_reset(fd);
    for (int i = 0; i < 100 && net_httpd_open(s.server); i++)
        netloop_for(&s.nl, 5);
    CU_ASSERT_EQUAL(net_httpd_open(s.server), 0);
    CU_ASSERT_EQUAL(s.requests, 0);
    site_close(&s);
}

/* What breaks the rules is answered with its status, told once to the log, and closed. */
static void case_faults(void)
{
    static const struct {
        struct slice say;
        const char *want;
    } rows[] = {
        {SLICE("GET / HTTP/1.1\nHost: a\n\n"), "HTTP/1.1 400 "},
        {SLICE("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 "},
        {SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"),
         "HTTP/1.1 400 "},
        {SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n"), "HTTP/1.1 413 "},
        {SLICE("GET / HTTP/3.0\r\nHost: a\r\n\r\n"), "HTTP/1.1 505 "},
        {SLICE(GET("/fine") "NONSENSE\r\n\r\n"), "HTTP/1.1 200 "},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct site s = {0};
        const char *got;
        int fd;

        test_row(i);
        site_open(&s, NULL);
        fd = raw_connect(net_httpd_port(s.server));
        got = talk(&s, fd, rows[i].say, NULL);
        CU_ASSERT(strstr(got, rows[i].want) == got);
        CU_ASSERT_EQUAL(count_of(got, "Connection: close\r\n"), 1);
        CU_ASSERT_EQUAL(log_count(s.nl.log, "net.fault"), 1);
        CU_ASSERT_EQUAL(s.requests, i == COUNT(rows) - 1);
        (void)close(fd);
        site_close(&s);
    }
}

/* A body past the ceiling: the client has more to send than anybody reads, and still sees the answer. */
static void case_refusal_is_seen(void)
{
    static char body[16 << 20];
    struct site s = {0};
    const char *got;
    int fd;

    site_open(&s, NULL);
    fd = raw_connect(net_httpd_port(s.server));
    (void)raw_send(&s.nl, fd, SLICE("POST /deny HTTP/1.1\r\nHost: a\r\nContent-Length: 16777216\r\n\r\n"));
    CU_ASSERT_TRUE(raw_send(&s.nl, fd, slice_of(body, sizeof body)));
    got = talk(&s, fd, SLICE_NONE, NULL);
    CU_ASSERT(strstr(got, "HTTP/1.1 403 Forbidden\r\n") == got);
    CU_ASSERT(strstr(got, "X-Why: no\r\n") && strstr(got, "Connection: close\r\n"));
    (void)close(fd);
    fd = raw_connect(net_httpd_port(s.server)); /* no body: the connection may stay */
    got = talk(&s, fd, SLICE(GET("/deny") GET("/next")), "/next");
    CU_ASSERT(strstr(got, "HTTP/1.1 403 ") == got && !strstr(got, "Connection:"));
    CU_ASSERT_EQUAL(s.requests, 1);
    (void)close(fd);
    site_close(&s);
}

static void case_expect_continue(void)
{
    struct site s = {0};
    const char *got;
    int fd;

    site_open(&s, NULL);
    fd = raw_connect(net_httpd_port(s.server));
    got =
        talk(&s, fd, SLICE("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
             "\r\n\r\n");
    CU_ASSERT_STRING_EQUAL(got, "HTTP/1.1 100 Continue\r\n\r\n");
    got = talk(&s, fd, SLICE("body"), "body");
    CU_ASSERT(strstr(got, "HTTP/1.1 200 ") == got);
    got = talk(&s, fd,
               SLICE("POST /deny HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
               NULL);
    CU_ASSERT(strstr(got, "HTTP/1.1 403 ") == got && !strstr(got, "100 Continue"));
    (void)close(fd);
    site_close(&s);
}

/* Each row says something slow and then nothing; the limit that is short for it must end it. */
static void case_time_limits(void)
{
    static const struct {
        struct slice say;
        int64_t head_ms, idle_ms, body_rate;
        const char *want; /* "": closed without a word */
    } rows[] = {
        {SLICE_NONE, 60000, 200, 100, ""},
        {SLICE("GET / HT"), 200, 60000, 100, "HTTP/1.1 408 "},
        {SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\nabc"), 200, 60000, 100,
         "HTTP/1.1 408 "},
        {SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\nabc"), 60000, 200, 0,
         "HTTP/1.1 408 "},
        {SLICE(GET("/first")), 60000, 200, 100, "HTTP/1.1 200 "},
        {SLICE(GET("/first") "GET / HT"), 200, 60000, 100, "HTTP/1.1 200 "},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct site s = {0};
        struct net_httpd_conf conf = site_conf(&s);
        int64_t since = clk_mono_ms(&clk_real);
        const char *got;
        int fd;

        test_row(i);
        conf.limits.head_ms = rows[i].head_ms;
        conf.limits.idle_ms = rows[i].idle_ms;
        conf.limits.body_rate_min = rows[i].body_rate;
        site_open(&s, &conf);
        fd = raw_connect(net_httpd_port(s.server));
        got = talk(&s, fd, rows[i].say, NULL);
        CU_ASSERT(strstr(got, rows[i].want) == got);
        CU_ASSERT(*rows[i].want || *got == '\0');
        CU_ASSERT_EQUAL(count_of(got, "408 "), log_count(s.nl.log, "net.fault"));
        CU_ASSERT(clk_mono_ms(&clk_real) - since >= 190);
        (void)close(fd);
        site_close(&s);
    }
}

/* A head that trickles in, one octet at a time, does not move its own deadline. */
static void case_trickle(void)
{
    static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    struct site s = {0};
    struct net_httpd_conf conf = site_conf(&s);
    const char *got;
    char byte;
    int fd;

    conf.limits.head_ms = 200;
    conf.limits.idle_ms = 60000;
    site_open(&s, &conf);
    fd = raw_connect(net_httpd_port(s.server));
    for (size_t i = 0; i < 400 && recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0; i++) {
        (void)raw_send(&s.nl, fd, i < sizeof head - 1 ? slice_of(head + i, 1) : SLICE("x"));
        netloop_for(&s.nl, 15);
    }
    CU_ASSERT(recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1); /* answered while octets still came */
    got = talk(&s, fd, SLICE_NONE, NULL);
    CU_ASSERT(strstr(got, "HTTP/1.1 408 ") == got);
    (void)close(fd);
    site_close(&s);
}

/* A peer that pipelines and never reads: processing stops, then the connection ends. */
static void case_reader_that_does_not(void)
{
    struct site s = {0};
    struct net_httpd_conf conf = site_conf(&s);
    struct buf say;
    int fd;

    conf.limits.idle_ms = 300;
    buf_init(&say, 1 << 20);
    for (int i = 0; i < 500; i++)
        buf_add_str(&say, GET("/big"));
    site_open(&s, &conf);
    fd = raw_connect(net_httpd_port(s.server));
    (void)raw_send(&s.nl, fd, buf_slice(&say));
    (void)netloop_until(&s.nl, &s.requests, 1);
    for (int i = 0; i < 400 && net_httpd_open(s.server); i++)
        netloop_for(&s.nl, 10);
    CU_ASSERT_EQUAL(net_httpd_open(s.server), 0);
    CU_ASSERT(s.requests >= 1 && s.requests < 100);
    buf_clear(&say);
    (void)close(fd);
    site_close(&s);
}

/* The same peer, reading after a while: every answer arrives. */
static void case_slow_reader_gets_all(void)
{
    static char got[32 << 20];
    struct site s = {0};
    struct buf say;
    int fd;
    int n;

    buf_init(&say, 1 << 20);
    for (int i = 0; i < 60; i++)
        buf_add_str(&say, GET("/big"));
    buf_add_str(&say, "GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    site_open(&s, NULL);
    fd = raw_connect(net_httpd_port(s.server));
    (void)raw_send(&s.nl, fd, buf_slice(&say));
    netloop_for(&s.nl, 100);
    CU_ASSERT(s.requests < 61);
    n = raw_read_until(&s.nl, fd, NULL, got, sizeof got);
    CU_ASSERT(n > 60 * 300000);
    CU_ASSERT_EQUAL(s.requests, 61);
    buf_clear(&say);
    (void)close(fd);
    site_close(&s);
}

static void case_gate(void)
{
    struct site s = {0};
    struct net_httpd_conf conf = site_conf(&s);
    const char *got;
    int fd[3];

    CU_ASSERT_EQUAL_FATAL(net_gate_create(2, 10, &s.gate), ERR_OK);
    conf.gate = s.gate;
    site_open(&s, &conf);
    for (int i = 0; i < 2; i++) {
        fd[i] = raw_connect(net_httpd_port(s.server));
        got = talk(&s, fd[i], SLICE(GET("/in")), "/in");
    }
    CU_ASSERT_EQUAL(net_gate_open(s.gate), 2);
    fd[2] = raw_connect(net_httpd_port(s.server));
    got = talk(&s, fd[2], SLICE_NONE, NULL);
    CU_ASSERT_STRING_EQUAL(got, "");
    CU_ASSERT_EQUAL(log_count(s.nl.log, "net.refused"), 1);
    (void)close(fd[2]);
    net_gate_set(s.gate, 100, 2); /* now the address is full */
    fd[2] = raw_connect(net_httpd_port(s.server));
    got = talk(&s, fd[2], SLICE_NONE, NULL);
    CU_ASSERT_STRING_EQUAL(got, "");
    (void)close(fd[2]);
    (void)close(fd[0]); /* one leaves, one may enter */
    for (int i = 0; i < 100 && net_gate_open(s.gate) == 2; i++)
        netloop_for(&s.nl, 5);
    fd[2] = raw_connect(net_httpd_port(s.server));
    got = talk(&s, fd[2], SLICE(GET("/in")), "/in");
    CU_ASSERT(*got != '\0');
    (void)close(fd[1]);
    (void)close(fd[2]);
    site_close(&s);
    CU_ASSERT_EQUAL(net_gate_open(s.gate), 0);
    net_gate_free(&s.gate);
}

/* Seats: IPv4 by address, IPv6 by /64, mapped IPv4 as IPv4. */
static void case_gate_addresses(void)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", true},          {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},   {"2001:db8::1", "2001:db8::2:3", true},
        {"2001:db8::1", "2001:db8:0:1::1", false}, {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sockaddr_storage a, b;
        struct net_gate_seat *seat = NULL;
        struct net_gate_seat *second = NULL;
        struct net_gate *g = NULL;
        enum err e;

        test_row(i);
        CU_ASSERT_FATAL(net_gate_create(10, 1, &g) == ERR_OK);
        CU_ASSERT(net_addr_parse(slice_str(rows[i].a), 1, &a) == ERR_OK);
        CU_ASSERT(net_addr_parse(slice_str(rows[i].b), 2, &b) == ERR_OK);
        CU_ASSERT_EQUAL(net_gate_enter(g, (struct sockaddr *)&a, &seat), ERR_OK);
        e = net_gate_enter(g, (struct sockaddr *)&b, &second);
        CU_ASSERT_EQUAL(e, rows[i].same ? ERR_LIMIT : ERR_OK);
        net_gate_leave(g, seat);
        if (!e)
            net_gate_leave(g, second);
        CU_ASSERT_EQUAL(net_gate_open(g), 0);
        net_gate_free(&g);
    }
}

static void case_drain(void)
{
    struct site s = {0};
    const char *got;
    int idle, busy, half;

    site_open(&s, NULL);
    idle = raw_connect(net_httpd_port(s.server));
    (void)talk(&s, idle, SLICE(GET("/idle")), "/idle");
    busy = raw_connect(net_httpd_port(s.server));
    (void)raw_send(&s.nl, busy, SLICE(GET("/hold")));
    half = raw_connect(net_httpd_port(s.server));
    (void)raw_send(&s.nl, half, SLICE("POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo"));
    (void)netloop_until(&s.nl, &s.heads, 3);
    (void)netloop_until(&s.nl, &s.requests, 2);
    net_httpd_drain(s.server);
    got = talk(&s, idle, SLICE_NONE, NULL);
    CU_ASSERT_STRING_EQUAL(got, "");
    got = talk(&s, half, SLICE("dy"), NULL);
    CU_ASSERT(strstr(got, "200 OK") && strstr(got, "Connection: close"));
    answer_held(&s);
    got = talk(&s, busy, SLICE_NONE, NULL);
    CU_ASSERT(strstr(got, "later") && strstr(got, "Connection: close"));
    (void)close(idle);
    (void)close(busy);
    (void)close(half);
    for (int i = 0; i < 600 && net_httpd_open(s.server); i++)
        netloop_for(&s.nl, 10);
    CU_ASSERT_EQUAL(net_httpd_open(s.server), 0);
    site_close(&s);
}

static void case_unix_socket(void)
{
    char path[300];
    struct site s = {0};
    struct net_httpd_conf conf = site_conf(&s);
    struct net_httpd *second = NULL;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct stat st;
    const char *why = NULL;
    const char *got;
    int fd;

    (void)snprintf(path, sizeof path, "%s/admin", test_scratch());
    conf.unix_path = path;
    CU_ASSERT_FATAL(mem_cstr(at.sun_path, sizeof at.sun_path, slice_str(path)) == ERR_OK);
    fd = socket(AF_UNIX, SOCK_STREAM, 0); /* what a process that died leaves behind */
    CU_ASSERT(bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    (void)close(fd);
    site_open(&s, &conf);
    CU_ASSERT(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    fd = raw_connect_unix(path);
    got = talk(&s, fd, SLICE(GET("/local")), "/local");
    CU_ASSERT(strstr(got, "200 OK") != NULL);
    CU_ASSERT_EQUAL(net_httpd_create(&s.nl.env, &conf, &second, &why), ERR_IO); /* somebody answers there */
    CU_ASSERT(second == NULL && why && *why);
    (void)close(fd);
    site_close(&s);
    CU_ASSERT(stat(path, &st) != 0);
    (void)test_file_write("admin", "not a socket", 0600);
    netloop_open(&s.nl);
    CU_ASSERT_EQUAL(net_httpd_create(&s.nl.env, &conf, &second, &why), ERR_IO);
    CU_ASSERT(stat(path, &st) == 0); /* a file that is no socket stays */
    netloop_close(&s.nl);
}

static void case_bad_address(void)
{
    static const char *const rows[] = {"localhost", "", "300.1.1.1", "192.0.2.77"};
    struct site s = {0};
    struct net_httpd_conf conf = site_conf(&s);

    netloop_open(&s.nl);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *why = NULL;

        test_row(i);
        conf.address = rows[i];
        CU_ASSERT_EQUAL(net_httpd_create(&s.nl.env, &conf, &s.server, &why), ERR_IO);
        CU_ASSERT(s.server == NULL && why && *why);
    }
    netloop_close(&s.nl);
}

static size_t heap_n(void)
{
    return mallinfo2().uordblks;
}

/* Ten thousand requests on one connection leave nothing behind. */
static void case_no_growth(void)
{
    struct site s = {0};
    size_t before;
    int fd;

    site_open(&s, NULL);
    fd = raw_connect(net_httpd_port(s.server));
    for (int i = 0; i < 100; i++)
        (void)talk(&s, fd, SLICE(GET("/warm")), "/warm");
    before = heap_n();
    for (int i = 0; i < 10000; i++)
        (void)talk(&s, fd, SLICE("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"), "hello");
    CU_ASSERT(heap_n() <= before + 1024);
    CU_ASSERT_EQUAL(s.requests, 10100);
    (void)close(fd);
    site_close(&s);
}

static struct net_tls_ctx *server_tls(void)
{
    static const char *const sans[] = {"DNS:push.example", NULL};
    static struct test_cert ca, leaf;
    struct test_cert_conf conf = {.cn = "authority", .ca = true};
    struct net_tls_pair pair;
    struct net_tls_conf tls = {.role = NET_TLS_SERVER,
                               .verify = NET_TLS_VERIFY_OPTIONAL,
                               .pairs = &pair,
                               .pairs_n = 1,
                               .version_min = 12,
                               .alpn_http11 = true};
    struct net_tls_ctx *ctx = NULL;
    const char *why;

    test_cert_make(&conf, NULL, &ca);
    conf = (struct test_cert_conf){.cn = "server", .sans = sans};
    test_cert_make(&conf, &ca, &leaf);
    pair = (struct net_tls_pair){.cert_pem = slice_str(leaf.cert_pem), .key_pem = slice_str(leaf.key_pem)};
    tls.ca_pem = slice_str(ca.cert_pem);
    CU_ASSERT_EQUAL_FATAL(net_tls_ctx_create(&tls, &ctx, &why), ERR_OK);
    return ctx;
}

/* Half a handshake, then nothing; clear text where TLS is spoken; a peer that just leaves. */
static void case_tls_refusals(void)
{
    static const struct {
        struct slice say;
        bool leave;
    } rows[] = {
        {SLICE("\x16\x03\x01\x02\x00\x01"), false},
        {SLICE_NONE, false},
        {SLICE(GET("/clear")), false},
        {SLICE_NONE, true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct site s = {0};
        struct net_httpd_conf conf = site_conf(&s);
        char got[256];
        int fd;

        test_row(i);
        conf.tls = server_tls();
        conf.limits.handshake_ms = 200;
        site_open(&s, &conf);
        fd = raw_connect(net_httpd_port(s.server));
        (void)raw_send(&s.nl, fd, rows[i].say);
        if (rows[i].leave)
            CU_ASSERT(shutdown(fd, SHUT_WR) == 0);
        (void)raw_read_until(&s.nl, fd, NULL, got, sizeof got);
        (void)close(fd);
        for (int k = 0; k < 100 && net_httpd_open(s.server); k++)
            netloop_for(&s.nl, 10);
        CU_ASSERT_EQUAL(log_count(s.nl.log, "net.tls.refused"), 1);
        CU_ASSERT_EQUAL(s.requests, 0);
        site_close(&s);
        net_tls_ctx_free(&conf.tls);
    }
}

/* Two loops in two threads, one port, one gate, one TLS context: what the thread sanitizer looks at. */
struct worker {
    struct site site;
    struct net_httpd_conf conf;
    uv_async_t stop;
    uint16_t port;
    pthread_t thread;
};

static void worker_closed(void *arg)
{
    struct worker *w = arg;

    net_hub_close(w->site.nl.env.hub, NULL, NULL);
}

static void worker_stop(uv_async_t *async)
{
    struct worker *w = async->data;

    net_httpd_close(w->site.server, worker_closed, w);
    uv_close((uv_handle_t *)&w->site.later, NULL);
    uv_close((uv_handle_t *)async, NULL);
}

static void *worker_run(void *arg)
{
    struct worker *w = arg;

    (void)uv_run(&w->site.nl.loop, UV_RUN_DEFAULT);
    return NULL;
}

static void worker_start(struct worker *w, struct net_gate *gate, struct net_tls_ctx *tls, uint16_t port)
{
    w->conf = site_conf(&w->site);
    w->conf.gate = gate;
    w->conf.tls = tls;
    w->conf.port = port;
    site_open(&w->site, &w->conf);
    w->port = net_httpd_port(w->site.server);
    MUST(uv_async_init(&w->site.nl.loop, &w->stop, worker_stop) == 0);
    w->stop.data = w;
    MUST(pthread_create(&w->thread, NULL, worker_run, w) == 0);
}

static void case_two_loops(void)
{
    static struct worker w[2];
    struct net_tls_ctx *tls = server_tls();
    struct net_gate *gate = NULL;

    CU_ASSERT_FATAL(net_gate_create(100, 100, &gate) == ERR_OK);
    worker_start(&w[0], gate, tls, 0);
    worker_start(&w[1], gate, tls, w[0].port);
    CU_ASSERT_EQUAL(w[0].port, w[1].port);
    for (int i = 0; i < 60; i++) {
        int fd = raw_connect(w[0].port);
        char got[64];

        CU_ASSERT(send(fd, "GET / HTTP", 10, MSG_NOSIGNAL) == 10);
        CU_ASSERT(recv(fd, got, sizeof got, 0) > 0); /* the alert */
        (void)net_gate_open(gate);
        (void)close(fd);
    }
    for (int i = 0; i < 2; i++) {
        (void)uv_async_send(&w[i].stop);
        (void)pthread_join(w[i].thread, NULL);
        CU_ASSERT_EQUAL(uv_loop_close(&w[i].site.nl.loop), 0);
        log_free(&w[i].site.nl.log);
    }
    CU_ASSERT_EQUAL(net_gate_open(gate), 0);
    net_gate_free(&gate);
    net_tls_ctx_free(&tls);
}

const struct test_case test_cases[] = {
    {"keep_alive", case_keep_alive},
    {"head_and_204", case_head_and_204},
    {"pipelining_100", case_pipelining_100},
    {"pipelining_is_bounded", case_pipelining_is_bounded},
    {"reply_later", case_reply_later},
    {"half_closed_peer", case_half_closed_peer},
    {"peer_leaves_before_reply", case_peer_leaves_before_reply},
    {"kept_with_connection", case_kept_with_connection},
    {"close_waits_for_replies", case_close_waits_for_replies},
    {"reset_mid_body", case_reset_mid_body},
    {"faults", case_faults},
    {"refusal_is_seen", case_refusal_is_seen},
    {"expect_continue", case_expect_continue},
    {"time_limits", case_time_limits},
    {"trickle", case_trickle},
    {"reader_that_does_not", case_reader_that_does_not},
    {"slow_reader_gets_all", case_slow_reader_gets_all},
    {"gate", case_gate},
    {"gate_addresses", case_gate_addresses},
    {"drain", case_drain},
    {"unix_socket", case_unix_socket},
    {"bad_address", case_bad_address},
    {"no_growth", case_no_growth},
    {"tls_refusals", case_tls_refusals},
    {"two_loops", case_two_loops},
    {NULL, NULL},
};
