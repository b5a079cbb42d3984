/* Questions about certificates while handshakes wait: one request for many, answers and failures kept, waiters that leave.
 * The responder is a server of ours that gives out the vectors of tests/vectors/ocsp. */
#include "ppg/ocsp.h"

#include <stdlib.h>

#include "base/net/httpd.h"
#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"
#include "tests/unit/ppg/snapshot_fix.h"

#define MADE_MS (INT64_C(1795277544) * 1000) /* when the vectors were made */

struct file {
    char *p;
    struct slice s;
};

struct bench {
    struct netloop nl;
    struct clk_virtual clk;
    struct net_httpd *responder;
    struct ppg_snapshot *snapshot;
    struct ppg_ocsp *ocsp;
    struct file leaf, issuer, response;
    struct net_http_exchange *held; /* a request that is not answered yet */
    bool hold;
    size_t asked, closed;
};

struct waiter {
    struct net_tls_wait wait;
    size_t answers;
    enum net_tls_status status;
};

static struct file load(const char *name)
{
    char path[100];
    struct file f;
    size_t n;

    (void)snprintf(path, sizeof path, "vectors/ocsp/%s.der", name);
    f.p = test_read(path, &n);
    f.s = slice_of(f.p, n);
    return f;
}

static void respond(struct bench *b, struct net_http_exchange *x)
{
    net_httpd_reply(x, 200, SLICE("application/ocsp-response"), SLICE_NONE, b->response.s);
}

static void on_request(struct net_http_exchange *x, void *arg)
{
    struct bench *b = arg;

    b->asked++;
    if (b->hold)
        b->held = x;
    else
        respond(b, x);
}

static struct ppg_snapshot *snapshot(const char *use, unsigned port)
{
    char text[400];

    (void)snprintf(text, sizeof text,
                   "[pap]\nlisten = 127.0.0.1:0\nocsp = %s\nocsp-responder = http://127.0.0.1:%u/\n", use,
                   port);
    return fix_snapshot(text);
}

static void bench_open(struct bench *b, const char *use, const char *leaf, const char *response)
{
    *b = (struct bench){.leaf = load(leaf), .issuer = load("ca"), .response = load(response)};
    netloop_open(&b->nl);
    clk_virtual_init(&b->clk, MADE_MS + 10000);
    b->nl.env.clk = &b->clk.clk;
    b->responder = netloop_httpd(&b->nl, NULL, on_request, b);
    b->snapshot = snapshot(use, net_httpd_port(b->responder));
    MUST(ppg_ocsp_create(&b->nl.env, b->snapshot, &b->ocsp) == ERR_OK);
}

static void part_closed(void *arg)
{
    ((struct bench *)arg)->closed++;
}

static void bench_close(struct bench *b)
{
    if (b->ocsp)
        ppg_ocsp_close(b->ocsp, part_closed, b);
    net_httpd_close(b->responder, part_closed, b);
    CU_ASSERT(netloop_until(&b->nl, &b->closed, 2));
    netloop_close(&b->nl);
    ppg_snapshot_drop(&b->snapshot);
    free(b->leaf.p);
    free(b->issuer.p);
    free(b->response.p);
}

static void on_answer(struct net_tls_wait *w, enum net_tls_status status)
{
    struct waiter *me = container_of(w, struct waiter, wait);

    CU_ASSERT(list_empty(&w->link));
    me->answers++;
    me->status = status;
}

static void ask(struct bench *b, struct waiter *w, struct slice issuer)
{
    *w = (struct waiter){.wait = {.answer = on_answer}};
    list_init(&w->wait.link);
    ppg_ocsp_ask(b->leaf.s, issuer, &w->wait, b->ocsp);
}

static void test_verdicts(void)
{
    static const struct {
        const char *use, *leaf, *response;
        enum net_tls_status want;
        uint64_t failures;
    } rows[] = {
        {"fail-closed", "good", "r_good", NET_TLS_STATUS_GOOD, 0},
        {"fail-closed", "gone", "r_revoked", NET_TLS_STATUS_REVOKED, 0},
        {"fail-open", "gone", "r_revoked", NET_TLS_STATUS_REVOKED, 0},
        {"fail-closed", "lost", "r_unknown", NET_TLS_STATUS_UNKNOWN, 0},
        {"fail-open", "lost", "r_unknown", NET_TLS_STATUS_UNKNOWN, 0},
        {"fail-closed", "good", "r_intruder", NET_TLS_STATUS_UNKNOWN, 1},
        {"fail-open", "good", "r_intruder", NET_TLS_STATUS_GOOD, 1},
        {"fail-closed", "good", "r_trylater", NET_TLS_STATUS_UNKNOWN, 1},
        {"fail-closed", "good", "good", NET_TLS_STATUS_UNKNOWN, 1},      /* no response at all */
        {"fail-closed", "good", "r_revoked", NET_TLS_STATUS_UNKNOWN, 1}, /* about another */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct waiter w;
        struct bench b;

        test_row(i);
        bench_open(&b, rows[i].use, rows[i].leaf, rows[i].response);
        ask(&b, &w, b.issuer.s);
        CU_ASSERT_EQUAL(w.answers, 0);
        CU_ASSERT(netloop_until(&b.nl, &w.answers, 1));
        CU_ASSERT_EQUAL(w.status, rows[i].want);
        CU_ASSERT_EQUAL(log_count(b.nl.log, "tls.ocsp.fail"), rows[i].failures);
        ask(&b, &w, b.issuer.s); /* both answers and failures are kept */
        CU_ASSERT(w.answers == 1 && w.status == rows[i].want && b.asked == 1);
        bench_close(&b);
    }
}

static void test_kept_and_forgotten(void)
{
    struct waiter w;
    struct bench b;

    bench_open(&b, "fail-closed", "good", "r_brief"); /* good for 300 s since it was made */
    ask(&b, &w, b.issuer.s);
    CU_ASSERT(netloop_until(&b.nl, &w.answers, 1));
    clk_virtual_advance(&b.clk, 280000);
    ask(&b, &w, b.issuer.s);
    CU_ASSERT(w.answers == 1 && b.asked == 1);
    ppg_ocsp_set(b.ocsp, b.snapshot); /* a reload forgets */
    ask(&b, &w, b.issuer.s);
    CU_ASSERT(netloop_until(&b.nl, &w.answers, 1));
    CU_ASSERT_EQUAL(b.asked, 2);
    clk_virtual_advance(&b.clk, 20000);
    ask(&b, &w, b.issuer.s);
    CU_ASSERT(netloop_until(&b.nl, &w.answers, 1));
    CU_ASSERT_EQUAL(b.asked, 3);
    CU_ASSERT_EQUAL(w.status, NET_TLS_STATUS_UNKNOWN); /* outdated by now */
    clk_virtual_advance(&b.clk, PPG_OCSP_RETRY_S * 1000 + 1000);
    ask(&b, &w, b.issuer.s);
    CU_ASSERT(netloop_until(&b.nl, &w.answers, 1));
    CU_ASSERT_EQUAL(b.asked, 4);
    bench_close(&b);
}

/* One request for all who wait; who left is not called. */
static void test_waiters(void)
{
    struct waiter w[3];
    struct bench b;

    bench_open(&b, "fail-closed", "good", "r_good");
    b.hold = true;
    for (size_t i = 0; i < COUNT(w); i++)
        ask(&b, &w[i], b.issuer.s);
    CU_ASSERT(netloop_until(&b.nl, &b.asked, 1));
    list_remove(&w[1].wait.link);
    respond(&b, b.held);
    CU_ASSERT(netloop_until(&b.nl, &w[2].answers, 1));
    CU_ASSERT(w[0].answers == 1 && w[1].answers == 0 && b.asked == 1);
    ask(&b, &w[0], SLICE_NONE); /* nobody can be asked about a certificate of nobody */
    CU_ASSERT(w[0].answers == 1 && w[0].status == NET_TLS_STATUS_UNKNOWN && b.asked == 1);
    bench_close(&b);
}

/* Closing answers who still waits. */
static void test_close_while_asking(void)
{
    struct waiter w;
    struct bench b;

    bench_open(&b, "fail-closed", "good", "r_good");
    b.hold = true;
    ask(&b, &w, b.issuer.s);
    CU_ASSERT(netloop_until(&b.nl, &b.asked, 1));
    ppg_ocsp_close(b.ocsp, part_closed, &b);
    CU_ASSERT(netloop_until(&b.nl, &b.closed, 1));
    CU_ASSERT(w.answers == 1 && w.status == NET_TLS_STATUS_UNKNOWN);
    b.ocsp = NULL;
    respond(&b, b.held);
    bench_close(&b);
}

const struct test_case test_cases[] = {
    {"verdicts", test_verdicts},
    {"kept_and_forgotten", test_kept_and_forgotten},
    {"waiters", test_waiters},
    {"close_while_asking", test_close_while_asking},
    {NULL, NULL},
};
