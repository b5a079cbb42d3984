/* base/net/httpc.c and httpc_pool.c: a real client on a real loop; the servers are raw sockets that say what a case
 * needs, and the server of base/net/httpd.c for TLS. */
#include "base/net/httpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/net/dns.h"
#include "base/net/httpd.h"
#include "tests/unit/certs.h"
#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK(text)    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" text

struct answer {
    enum err err;
    bool sent;
    unsigned status;
    char body[64];
};

struct world {
    struct netloop nl;
    struct net_httpc *c;
    int listener;
    uint16_t port;
    size_t done;
    struct answer answers[32];
    size_t closed;
    enum err why;
    bool inside; /* a call of ours into the client is running */
    struct net_httpc *close_in_done;
};

static void on_done(enum err err, const struct net_http_msg *m, bool sent, void *arg)
{
    struct world *w = arg;
    struct answer *a = &w->answers[w->done++];

    CU_ASSERT_FALSE(w->inside);
    CU_ASSERT((err == ERR_OK) == (m != NULL));
    *a = (struct answer){.err = err, .sent = sent, .status = m ? m->status : 0};
    if (m)
        (void)snprintf(a->body, sizeof a->body, "%.*s", (int)m->body.n, m->body.p);
    if (w->close_in_done)
        net_httpc_close(w->close_in_done);
}

static void on_closed(struct net_httpc *c, enum err why, void *arg)
{
    struct world *w = arg;

    CU_ASSERT_FALSE(w->inside);
    CU_ASSERT(c == w->c);
    w->c = NULL;
    w->closed++;
    w->why = why;
}

static struct net_httpc_conf conf_of(struct world *w)
{
    return (struct net_httpc_conf){
        .host = SLICE("127.0.0.1"),
        .port = w->port,
        .limits = {.head_max_n = 4096,
                   .headers_max = 16,
                   .value_max_n = 1024,
                   .target_max_n = 256,
                   .body_max_n = 1 << 16},
        .connect_ms = 5000,
        .pipeline_max = 4,
        .closed = on_closed,
        .arg = w,
    };
}

static void world_open(struct world *w)
{
    *w = (struct world){.listener = -1};
    netloop_open(&w->nl);
    w->listener = raw_listen(&w->port);
}

static void world_close(struct world *w)
{
    size_t want = w->closed + 1;

    if (w->c) {
        net_httpc_close(w->c);
        (void)netloop_until(&w->nl, &w->closed, want);
    }
    if (w->listener >= 0)
        (void)close(w->listener);
    netloop_close(&w->nl);
}

static void start(struct world *w, const struct net_httpc_conf *conf)
{
    w->inside = true;
    CU_ASSERT_EQUAL_FATAL(net_httpc_create(&w->nl.env, conf, &w->c), ERR_OK);
    w->inside = false;
}

static struct net_httpc_req *ask_for(struct world *w, struct slice head, int64_t ms)
{
    struct net_httpc_req *r = NULL;

    w->inside = true;
    CU_ASSERT_EQUAL(net_httpc_send(w->c, head, SLICE_NONE, ms, on_done, w, &r), ERR_OK);
    w->inside = false;
    return r;
}

static struct net_httpc_req *ask(struct world *w)
{
    return ask_for(w, SLICE(GET("/")), 5000);
}

/* Connects, and gives the server's side of it. */
static int start_accepted(struct world *w)
{
    struct net_httpc_conf conf = conf_of(w);

    start(w, &conf);
    return raw_accept(&w->nl, w->listener);
}

static void expect(const struct world *w, size_t i, enum err err, bool sent)
{
    CU_ASSERT_EQUAL(w->answers[i].err, err);
    CU_ASSERT_EQUAL(w->answers[i].sent, sent);
}

static void case_requests_in_order(void)
{
    struct world w;
    char got[4096];
    int fd;

    world_open(&w);
    fd = start_accepted(&w);
    for (int i = 0; i < 6; i++)
        (void)ask(&w);
    CU_ASSERT_EQUAL(net_httpc_busy(w.c), 6);
    CU_ASSERT(raw_read_until(&w.nl, fd, GET("/") GET("/") GET("/") GET("/"), got, sizeof got) == 4 * 27);
    (void)raw_send(&w.nl, fd, SLICE(OK("aaaa") OK("bbbb")));
    (void)netloop_until(&w.nl, &w.done, 2);
    CU_ASSERT(raw_read_until(&w.nl, fd, GET("/") GET("/"), got, sizeof got) == 2 * 27); /* two more may fly */
    (void)raw_send(&w.nl, fd,
                   SLICE(OK("cccc") "HTTP/1.1 103 Early Hints\r\n\r\n" OK("dddd") OK("eeee") OK("ffff")));
    (void)netloop_until(&w.nl, &w.done, 6);
    for (size_t i = 0; i < 6; i++) {
        test_row(i);
        expect(&w, i, ERR_OK, true);
        CU_ASSERT(w.answers[i].status == 200 && w.answers[i].body[0] == 'a' + (char)i);
    }
    CU_ASSERT_TRUE(net_httpc_ready(w.c));
    CU_ASSERT_EQUAL(net_httpc_busy(w.c), 0);
    CU_ASSERT(strncmp(net_httpc_address(w.c), "127.0.0.1:", 10) == 0);
    (void)close(fd);
    world_close(&w);
}

static void case_head_has_no_body(void)
{
    struct world w;
    int fd;

    world_open(&w);
    fd = start_accepted(&w);
    (void)ask_for(&w, SLICE("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"), 5000);
    (void)ask(&w);
    (void)raw_send(&w.nl, fd, SLICE("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" OK("next")));
    (void)netloop_until(&w.nl, &w.done, 2);
    CU_ASSERT_STRING_EQUAL(w.answers[0].body, "");
    CU_ASSERT_STRING_EQUAL(w.answers[1].body, "next");
    (void)close(fd);
    world_close(&w);
}

/* What the server says, and what becomes of two requests in flight. */
static void case_bad_answers(void)
{
    static const struct {
        struct slice say;
        bool leave; /* then the server closes */
        enum err first, second, why;
    } rows[] = {
        {SLICE("HTTP/1.1 200 OK\r\n\r\nuntil the end"), true, ERR_OK, ERR_PEER, ERR_ABSENT},
        {SLICE("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"), false, ERR_OK,
         ERR_PEER, ERR_ABSENT},
        {SLICE("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"), true, ERR_OK, ERR_PEER,
         ERR_ABSENT},
        {SLICE_NONE, true, ERR_PEER, ERR_PEER, ERR_ABSENT},
        {SLICE("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), true, ERR_PEER, ERR_PEER, ERR_ABSENT},
        {SLICE("HTTP/1.1 200 OK\nContent-Length: 0\n\n"), false, ERR_MALFORMED, ERR_PEER, ERR_MALFORMED},
        {SLICE("220 mail.example ESMTP\r\n"), false, ERR_MALFORMED, ERR_PEER, ERR_MALFORMED},
        {SLICE("HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n"), false, ERR_LIMIT, ERR_PEER, ERR_LIMIT},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        int fd;

        test_row(i);
        world_open(&w);
        fd = start_accepted(&w);
        (void)ask(&w);
        (void)ask(&w);
        (void)raw_read_until(&w.nl, fd, GET("/") GET("/"), (char[256]){0}, 256);
        (void)raw_send(&w.nl, fd, rows[i].say);
        if (rows[i].leave)
            (void)close(fd);
        (void)netloop_until(&w.nl, &w.closed, 1);
        CU_ASSERT_EQUAL(w.done, 2);
        expect(&w, 0, rows[i].first, true);
        expect(&w, 1, rows[i].second, true);
        CU_ASSERT_EQUAL(w.why, rows[i].why);
        if (!rows[i].leave)
            (void)close(fd);
        world_close(&w);
    }
}

static void case_unasked_answer(void)
{
    struct world w;
    int fd;

    world_open(&w);
    fd = start_accepted(&w);
    (void)ask(&w);
    (void)raw_send(&w.nl, fd, SLICE(OK("mine") OK("evil")));
    (void)netloop_until(&w.nl, &w.closed, 1);
    expect(&w, 0, ERR_OK, true);
    CU_ASSERT_EQUAL(w.why, ERR_MALFORMED);
    (void)close(fd);
    world_close(&w);
}

/* The server closes between requests: the next one is the caller's to send again. */
static void case_closed_between_requests(void)
{
    struct net_httpc_req *r = NULL;
    struct world w;
    int fd;

    world_open(&w);
    fd = start_accepted(&w);
    (void)ask(&w);
    (void)raw_send(&w.nl, fd, SLICE(OK("once")));
    (void)netloop_until(&w.nl, &w.done, 1);
    (void)close(fd);
    (void)ask(&w); /* the client does not know yet */
    (void)netloop_until(&w.nl, &w.closed, 1);
    expect(&w, 0, ERR_OK, true);
    CU_ASSERT_EQUAL(w.answers[1].err, ERR_PEER);
    CU_ASSERT(r == NULL && w.c == NULL);
    world_close(&w);
}

static void case_deadlines(void)
{
    struct world w;
    int fd;

    world_open(&w);
    fd = start_accepted(&w);
    for (int i = 0; i < 4; i++)
        (void)ask_for(&w, SLICE(GET("/")), i == 1 ? 1500 : 9000);
    (void)ask_for(&w, SLICE(GET("/")), 100); /* waits behind the four and is over first, alone */
    (void)netloop_until(&w.nl, &w.done, 1);
    expect(&w, 0, ERR_LATE, false);
    CU_ASSERT_FATAL(w.c != NULL);
    CU_ASSERT_EQUAL(net_httpc_busy(w.c), 4);
    (void)netloop_until(&w.nl, &w.closed, 1); /* one that flies takes the connection along */
    CU_ASSERT_EQUAL(w.done, 5);
    expect(&w, 1, ERR_PEER, true);
    expect(&w, 2, ERR_LATE, true);
    expect(&w, 3, ERR_PEER, true);
    (void)close(fd);
    world_close(&w);
}

static void case_cancel_at_each_stage(void)
{
    struct net_httpc_conf conf;
    struct net_httpc_req *r;
    struct world w;
    int fd;

    world_open(&w); /* while connecting: the connection goes on */
    conf = conf_of(&w);
    start(&w, &conf);
    r = ask(&w);
    (void)ask(&w);
    w.inside = true;
    net_httpc_cancel(r);
    net_httpc_cancel(r);
    w.inside = false;
    (void)netloop_until(&w.nl, &w.done, 1);
    expect(&w, 0, ERR_LATE, false);
    fd = raw_accept(&w.nl, w.listener);
    (void)raw_send(&w.nl, fd, SLICE(OK("left")));
    (void)netloop_until(&w.nl, &w.done, 2);
    expect(&w, 1, ERR_OK, true);
    for (int i = 0; i < 5; i++) /* waiting behind others */
        r = ask(&w);
    w.inside = true;
    net_httpc_cancel(r);
    w.inside = false;
    CU_ASSERT_EQUAL(net_httpc_busy(w.c), 4);
    (void)netloop_until(&w.nl, &w.done, 3);
    expect(&w, 2, ERR_LATE, false);
    (void)raw_send(&w.nl, fd, SLICE(OK("1111") OK("2222") OK("3333") OK("4444")));
    (void)netloop_until(&w.nl, &w.done, 7);
    r = ask(&w); /* on the wire */
    (void)raw_read_until(&w.nl, fd, GET("/") GET("/") GET("/") GET("/") GET("/") GET("/"), (char[512]){0},
                         512);
    w.inside = true;
    net_httpc_cancel(r);
    w.inside = false;
    (void)netloop_until(&w.nl, &w.closed, 1);
    expect(&w, 7, ERR_LATE, true);
    CU_ASSERT_EQUAL(w.done, 8);
    (void)close(fd);
    world_close(&w);
}

static void case_close_at_each_stage(void)
{
    for (int stage = 0; stage < 4; stage++) {
        struct net_httpc_conf conf;
        struct world w;
        int fd = -1;

        test_row((size_t)stage);
        world_open(&w);
        conf = conf_of(&w);
        start(&w, &conf);
        (void)ask(&w);
        if (stage >= 1)
            fd = raw_accept(&w.nl, w.listener);
        if (stage >= 2)
            (void)raw_read_until(&w.nl, fd, GET("/"), (char[64]){0}, 64);
        if (stage == 3) {
            w.close_in_done = w.c;
            (void)ask(&w);
            (void)raw_send(&w.nl, fd, SLICE(OK("done")));
        } else {
            w.inside = true;
            net_httpc_close(w.c);
            w.inside = false;
        }
        (void)netloop_until(&w.nl, &w.closed, 1);
        CU_ASSERT_EQUAL(w.why, ERR_OK);
        CU_ASSERT_EQUAL(w.done, stage == 3 ? 2 : 1);
        CU_ASSERT_EQUAL(w.answers[0].err, stage == 3 ? ERR_OK : ERR_LATE);
        CU_ASSERT_EQUAL(w.answers[w.done - 1].err, ERR_LATE);
        if (fd >= 0)
            (void)close(fd);
        world_close(&w);
    }
}

static bool no_special(const struct sockaddr *to, void *arg)
{
    (void)arg;
    return !net_addr_is_special(to);
}

static void case_no_way_there(void)
{
    static const struct {
        const char *host;
        bool filter;
        enum err want;
    } rows[] = {
        {"127.0.0.1", false, ERR_PEER}, /* nobody listens */
        {"::1", false, ERR_PEER},
        {"127.0.0.1", true, ERR_ABSENT},
        {"::ffff:10.0.0.1", true, ERR_ABSENT},
        {"name.invalid", false, ERR_ABSENT},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct net_httpc_conf conf;
        struct world w;

        test_row(i);
        world_open(&w);
        (void)close(w.listener);
        w.listener = -1;
        conf = conf_of(&w);
        conf.host = slice_str(rows[i].host);
        conf.filter = rows[i].filter ? no_special : NULL;
        start(&w, &conf);
        (void)ask(&w);
        CU_ASSERT_FALSE(net_httpc_ready(w.c));
        (void)netloop_until(&w.nl, &w.closed, 1);
        CU_ASSERT_EQUAL(w.done, 1);
        expect(&w, 0, rows[i].want, false);
        CU_ASSERT_EQUAL(w.why, rows[i].want);
        world_close(&w);
    }
}

static void case_bad_hosts(void)
{
    static char long_name[300];
    struct world w;

    world_open(&w);
    memset(long_name, 'a', sizeof long_name - 1);
    for (size_t i = 0; i < 3; i++) {
        struct net_httpc_conf conf = conf_of(&w);

        test_row(i);
        conf.host = i == 0 ? SLICE_NONE : i == 1 ? slice_str(long_name) : SLICE("a\0b");
        CU_ASSERT_EQUAL(net_httpc_create(&w.nl.env, &conf, &w.c), ERR_MALFORMED);
        CU_ASSERT(w.c == NULL && w.closed == 0);
    }
    world_close(&w);
}

static void count_done(enum err err, const struct net_http_msg *m, bool sent, void *arg)
{
    struct world *w = arg;

    CU_ASSERT(err == ERR_LATE && m == NULL && !sent);
    w->done++;
}

static void case_ceilings(void)
{
    struct net_httpc_req *r = NULL;
    struct net_httpc_conf conf;
    struct world w;

    world_open(&w);
    conf = conf_of(&w);
    start(&w, &conf);
    for (int i = 0; i < 64; i++)
        CU_ASSERT_EQUAL(net_httpc_send(w.c, SLICE(GET("/")), SLICE_NONE, 5000, count_done, &w, &r), ERR_OK);
    r = NULL;
    CU_ASSERT_EQUAL(net_httpc_send(w.c, SLICE(GET("/")), SLICE_NONE, 5000, count_done, &w, &r), ERR_LIMIT);
    CU_ASSERT(r == NULL);
    net_httpc_close(w.c);
    CU_ASSERT_EQUAL(net_httpc_send(w.c, SLICE(GET("/")), SLICE_NONE, 5000, count_done, &w, &r), ERR_LATE);
    (void)netloop_until(&w.nl, &w.closed, 1);
    CU_ASSERT_EQUAL(w.done, 64);
    world_close(&w);
}

static void case_idle_close(void)
{
    struct net_httpc_conf conf;
    struct world w;
    int fd;

    world_open(&w);
    conf = conf_of(&w);
    conf.idle_ms = 150;
    start(&w, &conf);
    (void)ask_for(&w, SLICE(GET("/")), 5000);
    fd = raw_accept(&w.nl, w.listener);
    netloop_for(&w.nl, 400);
    CU_ASSERT_EQUAL(w.closed, 0); /* a request in flight is not idling */
    (void)raw_send(&w.nl, fd, SLICE(OK("late")));
    (void)netloop_until(&w.nl, &w.closed, 1);
    expect(&w, 0, ERR_OK, true);
    CU_ASSERT_EQUAL(w.why, ERR_OK);
    (void)close(fd);
    world_close(&w);
}

/* The terminal called in: its socket carries our requests. */
static void case_adopt(void)
{
    struct net_httpc_conf conf;
    struct world w;
    int theirs, ours;

    world_open(&w);
    theirs = raw_connect(w.port);
    ours = raw_accept(&w.nl, w.listener);
    conf = conf_of(&w);
    CU_ASSERT_EQUAL_FATAL(net_httpc_adopt(&w.nl.env, ours, &conf, &w.c), ERR_OK);
    (void)ask(&w);
    CU_ASSERT(raw_read_until(&w.nl, theirs, GET("/"), (char[64]){0}, 64) > 0);
    (void)raw_send(&w.nl, theirs, SLICE(OK("term")));
    (void)netloop_until(&w.nl, &w.done, 1);
    CU_ASSERT_STRING_EQUAL(w.answers[0].body, "term");
    (void)close(theirs);
    (void)netloop_until(&w.nl, &w.closed, 1);
    CU_ASSERT_EQUAL(net_httpc_adopt(&w.nl.env, -1, &conf, &w.c), ERR_IO);
    world_close(&w);
}

struct pki {
    struct test_cert ca, server, client, other_ca;
};

static struct net_tls_ctx *tls_of(enum net_tls_role role, enum net_tls_verify verify,
                                  const struct test_cert *ca, const struct test_cert *cert)
{
    struct net_tls_pair pair = {.cert_pem = SLICE_NONE};
    struct net_tls_conf conf = {.role = role,
                                .verify = verify,
                                .pairs = &pair,
                                .pairs_n = cert != NULL,
                                .ca_pem = slice_str(ca->cert_pem),
                                .version_min = 12,
                                .alpn_http11 = true};
    struct net_tls_ctx *ctx = NULL;
    const char *why;

    if (cert)
        pair =
            (struct net_tls_pair){.cert_pem = slice_str(cert->cert_pem), .key_pem = slice_str(cert->key_pem)};
    CU_ASSERT_EQUAL_FATAL(net_tls_ctx_create(&conf, &ctx, &why), ERR_OK);
    return ctx;
}

static void echo(struct net_http_exchange *x, void *arg)
{
    const struct net_tls_peer *p = net_http_exchange_peer(x);

    (void)arg;
    net_httpd_reply(x, 200, SLICE("text/plain"), SLICE_NONE, p && p->uris_n ? p->uris[0] : SLICE("nobody"));
}

static void count_closed(void *arg)
{
    size_t *n = arg;

    (*n)++;
}

/* Against our own server: with and without a client certificate, and a server nobody trusts. */
static void case_tls(void)
{
    static const char *const server_sans[] = {"IP:127.0.0.1", NULL};
    static const char *const client_sans[] = {"URI:https://pi.example", NULL};
    static struct pki p;
    const struct {
        bool cert, trusted;
        const char *name;
        enum err want;
        const char *why, *body;
    } rows[] = {
        {true, true, "", ERR_OK, "", "https://pi.example"},
        {false, true, "", ERR_OK, "", "nobody"},
        {true, false, "", ERR_DENIED, "cert-untrusted", ""},
        {true, true, "other.example", ERR_DENIED, "cert-name", ""},
    };

    test_cert_make(&(struct test_cert_conf){.cn = "authority", .ca = true}, NULL, &p.ca);
    test_cert_make(&(struct test_cert_conf){.cn = "stranger", .ca = true}, NULL, &p.other_ca);
    test_cert_make(&(struct test_cert_conf){.cn = "server", .sans = server_sans}, &p.ca, &p.server);
    test_cert_make(&(struct test_cert_conf){.cn = "client", .sans = client_sans}, &p.ca, &p.client);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        struct net_httpc_conf conf;
        struct net_httpd_conf dconf = {.name = "tls", .address = "127.0.0.1", .request = echo};
        struct net_httpd *d = NULL;
        size_t d_closed = 0;
        const char *why;

        test_row(i);
        world_open(&w);
        conf = conf_of(&w);
        dconf.limits = conf.limits;
        dconf.limits.head_ms = dconf.limits.idle_ms = dconf.limits.handshake_ms = 5000;
        dconf.tls = tls_of(NET_TLS_SERVER, NET_TLS_VERIFY_OPTIONAL, &p.ca, &p.server);
        CU_ASSERT_EQUAL_FATAL(net_httpd_create(&w.nl.env, &dconf, &d, &why), ERR_OK);
        conf.port = net_httpd_port(d);
        conf.server_name = slice_str(rows[i].name);
        conf.tls = tls_of(NET_TLS_CLIENT, NET_TLS_VERIFY_REQUIRED, rows[i].trusted ? &p.ca : &p.other_ca,
                          rows[i].cert ? &p.client : NULL);
        start(&w, &conf);
        (void)ask(&w);
        (void)netloop_until(&w.nl, &w.done, 1);
        expect(&w, 0, rows[i].want, rows[i].want == ERR_OK);
        CU_ASSERT_STRING_EQUAL(w.answers[0].body, rows[i].body);
        if (rows[i].want == ERR_OK && w.c)
            CU_ASSERT(net_httpc_peer(w.c)->verified);
        if (w.c) {
            net_httpc_close(w.c);
            (void)netloop_until(&w.nl, &w.closed, 1);
        }
        net_httpd_close(d, count_closed, &d_closed);
        (void)netloop_until(&w.nl, &d_closed, 1);
        net_tls_ctx_free(&conf.tls);
        net_tls_ctx_free(&dconf.tls);
        world_close(&w);
    }
}

/* A silent server: connect_ms covers the TLS handshake too. */
static void case_connect_deadline(void)
{
    struct test_cert ca;
    struct net_httpc_conf conf;
    struct world w;

    test_cert_make(&(struct test_cert_conf){.cn = "authority", .ca = true}, NULL, &ca);
    world_open(&w);
    conf = conf_of(&w);
    conf.connect_ms = 150;
    conf.tls = tls_of(NET_TLS_CLIENT, NET_TLS_VERIFY_REQUIRED, &ca, NULL);
    start(&w, &conf);
    (void)ask(&w);
    (void)netloop_until(&w.nl, &w.closed, 1);
    expect(&w, 0, ERR_LATE, false);
    CU_ASSERT_EQUAL(w.why, ERR_LATE);
    net_tls_ctx_free(&conf.tls);
    world_close(&w);
}

static void pool_ask(struct world *w, struct net_httpc_pool *pool, uint16_t port, enum err want)
{
    w->inside = true;
    CU_ASSERT_EQUAL(net_httpc_pool_send(pool, SLICE("127.0.0.1"), port, false, SLICE(GET("/")), SLICE_NONE,
                                        5000, on_done, w),
                    want);
    w->inside = false;
}

static void case_pool(void)
{
    struct net_httpc_pool_conf conf = {.conn_max = 2, .conn_per_host_max = 2};
    struct net_httpc_pool *pool = NULL;
    size_t pool_closed = 0;
    uint16_t port2;
    struct world w;
    int fd[3], second;

    world_open(&w);
    second = raw_listen(&port2);
    conf.base = conf_of(&w);
    CU_ASSERT_EQUAL_FATAL(net_httpc_pool_create(&w.nl.env, &conf, &pool), ERR_OK);
    pool_ask(&w, pool, w.port, ERR_OK);
    pool_ask(&w, pool, w.port, ERR_OK);
    pool_ask(&w, pool, w.port, ERR_LIMIT); /* two to this host */
    pool_ask(&w, pool, port2, ERR_LIMIT);  /* two in all */
    CU_ASSERT_EQUAL(
        net_httpc_pool_send(pool, SLICE("127.0.0.1"), 1, true, SLICE(GET("/")), SLICE_NONE, 1, on_done, &w),
        ERR_UNSUPPORTED);
    fd[0] = raw_accept(&w.nl, w.listener);
    fd[1] = raw_accept(&w.nl, w.listener);
    (void)raw_send(&w.nl, fd[0], SLICE(OK("one.")));
    (void)netloop_until(&w.nl, &w.done, 1);
    pool_ask(&w, pool, w.port, ERR_OK); /* the same connection again */
    (void)raw_send(&w.nl, fd[0], SLICE(OK("two.")));
    (void)netloop_until(&w.nl, &w.done, 2);
    pool_ask(&w, pool, port2, ERR_OK); /* the idle one makes room */
    CU_ASSERT(raw_read_until(&w.nl, fd[0], NULL, (char[256]){0}, 256) > 0);
    fd[2] = raw_accept(&w.nl, second);
    (void)raw_send(&w.nl, fd[2], SLICE("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
    (void)netloop_until(&w.nl, &w.done, 3);
    pool_ask(&w, pool, port2, ERR_OK); /* that one was not kept: a new one */
    (void)close(fd[2]);
    fd[2] = raw_accept(&w.nl, second);
    net_httpc_pool_close(pool, count_closed, &pool_closed);
    CU_ASSERT_EQUAL(
        net_httpc_pool_send(pool, SLICE("127.0.0.1"), 1, false, SLICE_NONE, SLICE_NONE, 1, on_done, &w),
        ERR_LATE);
    (void)netloop_until(&w.nl, &pool_closed, 1);
    CU_ASSERT_EQUAL(w.done, 5);
    for (size_t i = 0; i < 5; i++) {
        test_row(i);
        CU_ASSERT_EQUAL(w.answers[i].err, i < 3 ? ERR_OK : ERR_LATE);
    }
    for (int i = 0; i < 3; i++)
        (void)close(fd[i]);
    (void)close(second);
    world_close(&w);
}

struct trust {
    struct world w;
    struct net_httpc_pool *pool;
    const char *why; /* of the last failure */
};

static void trust_done(enum err err, const struct net_http_msg *m, bool sent, void *arg)
{
    struct trust *t = arg;

    if (err)
        t->why = net_httpc_pool_tls_why(t->pool);
    on_done(err, m, sent, &t->w);
}

/* A pool whose trust changes: what was opened under the old one carries nothing more, and a refusal has its reason. */
static void case_pool_trust(void)
{
    static const char *const sans[] = {"IP:127.0.0.1", NULL};
    static struct pki p;
    struct trust t = {.why = ""};
    struct net_httpc_pool_conf conf = {.conn_max = 4, .conn_per_host_max = 4};
    struct net_httpd_conf dconf = {.name = "tls", .address = "127.0.0.1", .request = echo};
    struct net_tls_ctx *ctx[2]; /* the server's authority is unknown, known */
    struct net_httpd *d = NULL;
    size_t pool_closed = 0, d_closed = 0;
    const char *why;

    test_cert_make(&(struct test_cert_conf){.cn = "authority", .ca = true}, NULL, &p.ca);
    test_cert_make(&(struct test_cert_conf){.cn = "stranger", .ca = true}, NULL, &p.other_ca);
    test_cert_make(&(struct test_cert_conf){.cn = "server", .sans = sans}, &p.ca, &p.server);
    world_open(&t.w);
    conf.base = conf_of(&t.w);
    dconf.limits = conf.base.limits;
    dconf.limits.head_ms = dconf.limits.idle_ms = dconf.limits.handshake_ms = 5000;
    dconf.tls = tls_of(NET_TLS_SERVER, NET_TLS_VERIFY_OPTIONAL, &p.ca, &p.server);
    CU_ASSERT_EQUAL_FATAL(net_httpd_create(&t.w.nl.env, &dconf, &d, &why), ERR_OK);
    for (size_t i = 0; i < 2; i++)
        ctx[i] = tls_of(NET_TLS_CLIENT, NET_TLS_VERIFY_REQUIRED, i ? &p.ca : &p.other_ca, NULL);
    conf.base.tls = ctx[0];
    CU_ASSERT_EQUAL_FATAL(net_httpc_pool_create(&t.w.nl.env, &conf, &t.pool), ERR_OK);
    for (size_t i = 0; i < 4; i++) { /* refused, taken, taken, refused */
        bool good = i == 1 || i == 2;

        test_row(i);
        if (i)
            net_httpc_pool_set_tls(t.pool, ctx[good]);
        CU_ASSERT_EQUAL(net_httpc_pool_send(t.pool, SLICE("127.0.0.1"), net_httpd_port(d), true,
                                            SLICE(GET("/")), SLICE_NONE, 5000, trust_done, &t),
                        ERR_OK);
        (void)netloop_until(&t.w.nl, &t.w.done, i + 1);
        CU_ASSERT_EQUAL(t.w.answers[i].err, good ? ERR_OK : ERR_DENIED);
        CU_ASSERT_STRING_EQUAL(t.why, "cert-untrusted");
    }
    net_httpc_pool_close(t.pool, count_closed, &pool_closed);
    (void)netloop_until(&t.w.nl, &pool_closed, 1);
    net_httpd_close(d, count_closed, &d_closed);
    (void)netloop_until(&t.w.nl, &d_closed, 1);
    net_tls_ctx_free(&ctx[0]);
    net_tls_ctx_free(&ctx[1]);
    net_tls_ctx_free(&dconf.tls);
    world_close(&t.w);
}

const struct test_case test_cases[] = {
    {"requests_in_order", case_requests_in_order},
    {"head_has_no_body", case_head_has_no_body},
    {"bad_answers", case_bad_answers},
    {"unasked_answer", case_unasked_answer},
    {"closed_between_requests", case_closed_between_requests},
    {"deadlines", case_deadlines},
    {"cancel_at_each_stage", case_cancel_at_each_stage},
    {"close_at_each_stage", case_close_at_each_stage},
    {"no_way_there", case_no_way_there},
    {"bad_hosts", case_bad_hosts},
    {"ceilings", case_ceilings},
    {"idle_close", case_idle_close},
    {"adopt", case_adopt},
    {"tls", case_tls},
    {"connect_deadline", case_connect_deadline},
    {"pool", case_pool},
    {"pool_trust", case_pool_trust},
    {NULL, NULL},
};
