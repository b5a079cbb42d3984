/* What goes out and what comes back, against a server of ours; a reload and the end while a question is under way. */
#include "ppg/poster.h"

#include <stdlib.h>
#include <string.h>

#include "base/net/httpd.h"
#include "tests/unit/netloop.h"
#include "tests/unit/ppg/snapshot_fix.h"
#include "tests/unit/tlsduo.h"

#define PATIENCE_MS 15000

struct asker {
    struct ppg_poster poster; /* on the heap: gone() frees it */
    struct bench *bench;
};

struct bench {
    struct netloop nl;
    struct net_httpd *server;
    struct ppg_snapshot *snapshot;
    struct asker *asker;
    struct net_tls_ctx *server_tls, *client_tls;
    struct net_http_exchange *held[4]; /* requests that are not answered yet */
    size_t held_n, answered_n;
    bool hold;
    char said[600]; /* the last request: its target, a few fields, its body */
    size_t done;
    enum err err; /* of the last answer */
    unsigned status;
    char body[100], tls_why[40];
    size_t gone, closed;
};

/* --- the server --- */

static void note(struct bench *b, const struct net_http_msg *m)
{
    static const char *const fields[] = {"Host", "User-Agent", "Content-Type", "Accept"};
    size_t n =
        (size_t)snprintf(b->said, sizeof b->said, "%.*s %.*s", SLICE_FMT(m->method), SLICE_FMT(m->target));

    for (size_t i = 0; i < COUNT(fields); i++)
        n += (size_t)snprintf(b->said + n, sizeof b->said - n, "|%.*s",
                              SLICE_FMT(net_http_header(m, slice_str(fields[i]), NULL)));
    (void)snprintf(b->said + n, sizeof b->said - n, "|%.*s", SLICE_FMT(m->body));
}

static void answer(struct net_http_exchange *x)
{
    net_httpd_reply(x, 203, SLICE("text/plain"), SLICE_NONE, SLICE("heard"));
}

/* The one that waits longest. */
static void answer_held(struct bench *b)
{
    answer(b->held[b->answered_n++]);
}

static void on_request(struct net_http_exchange *x, void *arg)
{
    struct bench *b = arg;

    note(b, net_http_exchange_msg(x));
    if (!b->hold)
        answer(x);
    else
        b->held[b->held_n++] = x;
}

/* --- the bench --- */

static void gone(struct ppg_poster *p)
{
    struct asker *a = container_of(p, struct asker, poster);

    CU_ASSERT(a->bench->closed == 0);
    a->bench->gone++;
    free(a);
}

static void tls_make(struct bench *b)
{
    struct tls_side server = {.cert = &tls_pki.server};
    struct tls_side client = {.verify = NET_TLS_VERIFY_REQUIRED};

    tls_pki_make();
    b->server_tls = tls_side_ctx(NET_TLS_SERVER, &server);
    b->client_tls = tls_side_ctx(NET_TLS_CLIENT, &client);
}

static void bench_open(struct bench *b, bool tls, struct ppg_poster_conf conf)
{
    *b = (struct bench){.asker = calloc(1, sizeof *b->asker)};
    MUST(b->asker != NULL);
    b->asker->bench = b;
    netloop_open(&b->nl);
    if (tls)
        tls_make(b);
    conf.tls = b->client_tls;
    conf.connect_ms = conf.idle_ms = PATIENCE_MS;
    conf.gone = gone;
    b->server = netloop_httpd(&b->nl, b->server_tls, on_request, b);
    b->snapshot = fix_snapshot("[pap]\nlisten = 127.0.0.1:0\n");
    MUST(ppg_poster_init(&b->asker->poster, &b->nl.env, b->snapshot, &conf) == ERR_OK);
}

static void server_closed(void *arg)
{
    ((struct bench *)arg)->closed += 10;
}

static void on_closed(void *arg)
{
    struct bench *b = arg;

    CU_ASSERT(b->gone == 1);
    b->closed++;
}

static void bench_close(struct bench *b)
{
    if (!b->gone)
        ppg_poster_close(&b->asker->poster, on_closed, b);
    CU_ASSERT(netloop_until(&b->nl, &b->closed, 1));
    b->hold = false;
    while (b->answered_n < b->held_n)
        answer_held(b);
    net_httpd_close(b->server, server_closed, b);
    CU_ASSERT(netloop_until(&b->nl, &b->closed, 11));
    netloop_close(&b->nl);
    CU_ASSERT(ppg_snapshot_alone(b->snapshot));
    ppg_snapshot_drop(&b->snapshot);
    net_tls_ctx_free(&b->server_tls);
    net_tls_ctx_free(&b->client_tls);
}

static void on_answer(enum err err, const struct net_http_msg *msg, bool sent, void *arg)
{
    struct bench *b = arg;

    (void)sent;
    b->done++;
    b->err = err;
    b->status = err ? 0 : msg->status;
    (void)snprintf(b->body, sizeof b->body, "%.*s", SLICE_FMT(err ? SLICE_NONE : msg->body));
    (void)snprintf(b->tls_why, sizeof b->tls_why, "%s", net_httpc_pool_tls_why(b->asker->poster.pool));
}

static enum err send_it(struct bench *b, const char *scheme, const char *path, struct ppg_post how)
{
    char url[100];

    (void)snprintf(url, sizeof url, "%s://127.0.0.1:%u%s", scheme, net_httpd_port(b->server), path);
    how.url = slice_str(url);
    how.type = "text/plain";
    how.body = SLICE("hello");
    if (!how.timeout_ms)
        how.timeout_ms = PATIENCE_MS;
    return ppg_poster_send(&b->asker->poster, &how, on_answer, b);
}

static const struct ppg_poster_conf wide = {.connections_max = 4, .per_server_max = 4, .answer_max_n = 99};

/* --- cases --- */

static void test_what_is_said(void)
{
    static const struct {
        const char *url_path, *path, *accept, *want;
    } rows[] = {
        {"", "", NULL, "POST /|%s|ppgd/" PPG_VERSION "|text/plain||hello"},
        {"/a/b?c=d", "", NULL, "POST /a/b?c=d|%s|ppgd/" PPG_VERSION "|text/plain||hello"},
        {"", "/x/y", NULL, "POST /x/y|%s|ppgd/" PPG_VERSION "|text/plain||hello"},
        {"/", "/x/y", "image/*", "POST /x/y|%s|ppgd/" PPG_VERSION "|text/plain|image/*|hello"},
        {"/root", "/x/y", NULL, "POST /root/x/y|%s|ppgd/" PPG_VERSION "|text/plain||hello"},
    };
    struct bench b;

    bench_open(&b, false, wide);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char host[40], want[200];
        int n = (int)(strchr(rows[i].want, '%') - rows[i].want);

        test_row(i);
        (void)snprintf(host, sizeof host, "127.0.0.1:%u", net_httpd_port(b.server));
        (void)snprintf(want, sizeof want, "%.*s%s%s", n, rows[i].want, host, rows[i].want + n + 2);
        CU_ASSERT(send_it(&b, "http", rows[i].url_path,
                          (struct ppg_post){.path = slice_str(rows[i].path), .accept = rows[i].accept}) ==
                  ERR_OK);
        CU_ASSERT(b.done == i); /* never from inside */
        CU_ASSERT(netloop_until(&b.nl, &b.done, i + 1));
        CU_ASSERT_STRING_EQUAL(b.said, want);
        CU_ASSERT(b.err == ERR_OK && b.status == 203);
        CU_ASSERT_STRING_EQUAL(b.body, "heard");
    }
    bench_close(&b);
}

/* Nothing is sent, and done() never runs. */
static void test_bad_urls(void)
{
    static char longest[2060];
    const struct {
        const char *url, *path;
        bool tls_only;
        enum err want;
    } rows[] = {
        {"", "", false, ERR_MALFORMED},
        {"127.0.0.1", "", false, ERR_MALFORMED},
        {"http://", "", false, ERR_MALFORMED},
        {"http://a b/", "", false, ERR_MALFORMED},
        {"ftp://127.0.0.1/", "", false, ERR_UNSUPPORTED},
        {"https://127.0.0.1/", "", false, ERR_UNSUPPORTED}, /* there is no context */
        {"http://127.0.0.1/", "", true, ERR_UNSUPPORTED},
        {"http://127.0.0.1/", "/a b", false, ERR_MALFORMED},
        {"http://127.0.0.1/", "/a\r\nX: y", false, ERR_MALFORMED},
        {longest, "/more-than-there-is-room-for", false, ERR_LIMIT},
    };

    (void)snprintf(longest, sizeof longest, "http://127.0.0.1/%02030d", 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_poster_conf conf = wide;
        struct ppg_post post = {.url = slice_str(rows[i].url),
                                .path = slice_str(rows[i].path),
                                .type = "text/plain",
                                .timeout_ms = PATIENCE_MS};
        struct bench b;

        test_row(i);
        conf.tls_only = rows[i].tls_only;
        bench_open(&b, false, conf);
        CU_ASSERT_EQUAL(ppg_poster_send(&b.asker->poster, &post, on_answer, &b), rows[i].want);
        bench_close(&b);
        CU_ASSERT(b.done == 0);
    }
}

static void test_ceilings(void)
{
    struct ppg_poster_conf narrow = {.connections_max = 4, .per_server_max = 2, .answer_max_n = 4};
    struct bench b;

    bench_open(&b, false, narrow);
    b.hold = true;
    for (size_t i = 0; i < 2; i++)
        CU_ASSERT(send_it(&b, "http", "", (struct ppg_post){.accept = NULL}) == ERR_OK);
    CU_ASSERT(send_it(&b, "http", "", (struct ppg_post){.accept = NULL}) == ERR_LIMIT);
    CU_ASSERT(netloop_until(&b.nl, &b.held_n, 2));
    answer_held(&b);
    CU_ASSERT(netloop_until(&b.nl, &b.done, 1));
    CU_ASSERT(b.err == ERR_LIMIT); /* five octets are too many */
    CU_ASSERT(send_it(&b, "http", "", (struct ppg_post){.accept = NULL}) == ERR_OK);
    CU_ASSERT(netloop_until(&b.nl, &b.held_n, 3));
    answer_held(&b);
    answer_held(&b);
    CU_ASSERT(netloop_until(&b.nl, &b.done, 3));
    bench_close(&b);
}

static void test_no_answer(void)
{
    struct bench b;

    bench_open(&b, false, wide);
    b.hold = true;
    CU_ASSERT(send_it(&b, "http", "", (struct ppg_post){.timeout_ms = 50}) == ERR_OK);
    CU_ASSERT(netloop_until(&b.nl, &b.done, 1));
    CU_ASSERT(b.err == ERR_LATE);
    bench_close(&b);
}

/* The old snapshot lives as long as it is used, and nothing new is sent under its trust. */
static void test_reload(void)
{
    struct tls_side other = {.verify = NET_TLS_VERIFY_REQUIRED};
    struct net_tls_ctx *stranger;
    struct ppg_snapshot *old;
    struct bench b;

    bench_open(&b, true, wide);
    CU_ASSERT(send_it(&b, "https", "", (struct ppg_post){.accept = NULL}) == ERR_OK);
    CU_ASSERT(netloop_until(&b.nl, &b.done, 1));
    CU_ASSERT(b.err == ERR_OK);
    old = b.snapshot;
    CU_ASSERT(ppg_poster_settings(&b.asker->poster) == ppg_config_settings(old->config));
    b.snapshot = fix_snapshot("[pap]\nlisten = 127.0.0.1:0\n");
    other.ca = tls_pki.stranger_ca.cert_pem;
    stranger = tls_side_ctx(NET_TLS_CLIENT, &other);
    CU_ASSERT(!ppg_snapshot_alone(old));
    ppg_poster_set(&b.asker->poster, b.snapshot, stranger);
    CU_ASSERT(ppg_snapshot_alone(old) && !ppg_snapshot_alone(b.snapshot));
    ppg_snapshot_drop(&old);
    CU_ASSERT(ppg_poster_settings(&b.asker->poster) == ppg_config_settings(b.snapshot->config));
    CU_ASSERT(send_it(&b, "https", "", (struct ppg_post){.accept = NULL}) == ERR_OK);
    CU_ASSERT(netloop_until(&b.nl, &b.done, 2));
    CU_ASSERT(b.err == ERR_DENIED);
    CU_ASSERT_STRING_EQUAL(b.tls_why, "cert-untrusted");
    ppg_poster_set(&b.asker->poster, b.snapshot, NULL);
    CU_ASSERT(send_it(&b, "https", "", (struct ppg_post){.accept = NULL}) == ERR_UNSUPPORTED);
    bench_close(&b);
    net_tls_ctx_free(&stranger);
}

/* What is under way is told, then the memory goes, then the owner hears of it. */
static void test_end(void)
{
    struct bench b;

    bench_open(&b, false, wide);
    b.hold = true;
    CU_ASSERT(send_it(&b, "http", "", (struct ppg_post){.accept = NULL}) == ERR_OK);
    CU_ASSERT(netloop_until(&b.nl, &b.held_n, 1));
    ppg_poster_close(&b.asker->poster, on_closed, &b);
    CU_ASSERT(send_it(&b, "http", "", (struct ppg_post){.accept = NULL}) == ERR_LATE);
    CU_ASSERT(b.gone == 0);
    CU_ASSERT(netloop_until(&b.nl, &b.closed, 1));
    CU_ASSERT(b.done == 1 && b.err == ERR_LATE && b.gone == 1);
    bench_close(&b);
}

const struct test_case test_cases[] = {
    {"what_is_said", test_what_is_said},
    {"bad_urls", test_bad_urls},
    {"ceilings", test_ceilings},
    {"no_answer", test_no_answer},
    {"reload", test_reload},
    {"end", test_end},
    {NULL, NULL},
};
