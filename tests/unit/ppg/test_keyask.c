/* Logins that wait for a key that a far BSF has: who joins whom, ceilings, no answer, a reload and an end in between.  A
 * door of ours, two cores behind it, and a BSF over TLS whose answers the case decides. */
#include "ppg/keys/keyask.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/net/httpc.h"
#include "ppg/keys/bsfc.h"
#include "ppg/keys/keyservice.h"
#include "tests/unit/netloop.h"
#include "tests/unit/ppg/snapshot_fix.h"
#include "tests/unit/tlsduo.h"

#define PATIENCE_MS 15000
#define CORES       2
#define ASKING_MAX  16 /* questions under way, as keyask.c has it */
#define TRIES_MAX   4  /* keys that one request may want */
#define HELD_MAX    24
#define JUNK        299

struct bench {
    struct netloop nl;
    struct clk_virtual clk; /* the cores': the network has the real one */
    struct net_httpd *bsf, *door;
    struct net_tls_ctx *bsf_tls;
    struct net_httpc_pool *clients;
    struct ppg_shared *shared;
    struct ppg_core core[CORES];
    struct ppg_snapshot *snapshot;
    struct net_task carrier; /* brings errands, at the end of a turn */
    struct list errands;
    unsigned at_core;                         /* where the door's requests arrive */
    bool greedy;                              /* the door wants another key each time */
    uint8_t next;                             /* of the greedy one */
    struct net_http_exchange *held[HELD_MAX]; /* by the BSF, in the order of arrival */
    bool hold;
    unsigned says; /* status of the BSF's answers; JUNK: 200 with a text that is none of its */
    size_t asked;  /* the BSF, so often */
    size_t looked; /* the door has looked a key up, so often */
    size_t done;   /* clients that have their answer */
    size_t closed;
};

struct client {
    struct bench *b;
    size_t done;
    unsigned status;
    bool retry_after;
    size_t place; /* among those that have their answer, from 1 */
};

struct waiter {
    struct net_tls_wait wait;
    size_t answers;
    enum net_tls_status status;
};

/* --- names and keys --- */

/* One of 256. */
static void btid_print(uint8_t n, struct buf *out)
{
    const uint8_t rand[SEC_AKA_RAND_N] = {n, 1, 2, 3};

    MUST(sec_gba_btid(rand, SLICE("bsf.example"), out) == ERR_OK);
}

static const struct ppg_key_answer *key_made(const struct bench *b)
{
    static const uint8_t octets[32] = {7, 7, 7};
    static struct ppg_key_answer a;
    static struct sec_secret key;

    MUST(sec_secret_set(&key, slice_of(octets, sizeof octets)) == ERR_OK);
    a = (struct ppg_key_answer){.ks_naf = &key,
                                .impi = SLICE("impi@example"),
                                .created_s = clk_utc_ms(&b->clk.clk) / 1000 - 10,
                                .expires_s = clk_utc_ms(&b->clk.clk) / 1000 + 3600};
    return &a;
}

/* --- the BSF --- */

static void bsf_answer(struct bench *b, struct net_http_exchange *x)
{
    struct buf json;

    buf_init(&json, PPG_KEYSERVICE_MAX_N);
    if (b->says == 200)
        MUST(ppg_key_answer_print(key_made(b), &json) == ERR_OK);
    net_httpd_reply(x, b->says == JUNK ? 200 : b->says, SLICE("application/json"), SLICE_NONE,
                    buf_slice(&json));
    buf_clear(&json);
}

static void bsf_request(struct net_http_exchange *x, void *arg)
{
    struct bench *b = arg;

    MUST(b->asked < HELD_MAX);
    if (b->hold)
        b->held[b->asked] = x;
    else
        bsf_answer(b, x);
    b->asked++;
}

/* All that it holds, the first question first. */
static void bsf_release(struct bench *b)
{
    b->hold = false;
    for (size_t i = 0; i < b->asked; i++) {
        if (b->held[i])
            bsf_answer(b, b->held[i]);
        b->held[i] = NULL;
    }
}

/* --- the door: as those of the gateway, it looks up, and parks who shows a key that is not known --- */

static void door_again(struct net_http_exchange *x, void *arg)
{
    struct ppg_core *c = arg;
    struct bench *b = c->host;
    struct sec_naf naf = ppg_config_naf(c->config, ppg_core_utc_ms(c));
    struct sec_naf_want want = {.btid_n = 0};
    char impi[SEC_GBA_IMPI_MAX_N];
    struct buf btid;
    size_t n;
    enum err e;

    naf.want = &want;
    b->looked++;
    buf_init(&btid, SEC_BTID_MAX_N);
    btid_print(b->greedy ? b->next++ : (uint8_t)net_http_exchange_msg(x)->target.p[1], &btid);
    e = sec_naf_digest_impi(&naf, buf_slice(&btid), impi, &n);
    buf_clear(&btid);
    if (e == ERR_AGAIN)
        ppg_keyask_park(c, x, &want, door_again);
    else
        net_httpd_reply(x, e ? 401 : 200, SLICE_NONE, SLICE_NONE, SLICE_NONE);
}

static void door_request(struct net_http_exchange *x, void *arg)
{
    struct bench *b = arg;

    door_again(x, &b->core[b->at_core]);
}

/* --- those who come --- */

static void client_done(enum err err, const struct net_http_msg *msg, bool sent, void *arg)
{
    struct client *c = arg;

    (void)sent;
    CU_ASSERT_FATAL(err == ERR_OK);
    c->done = 1;
    c->place = ++c->b->done;
    c->status = msg->status;
    c->retry_after = net_http_header(msg, SLICE("Retry-After"), NULL).n > 0;
}

/* Comes with key `which` by way of a core, and is there when this returns. */
static void client_come(struct bench *b, struct client *c, unsigned core, char which)
{
    size_t looked = b->looked;
    char head[100];
    int n = snprintf(head, sizeof head, "GET /%c HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", which);

    *c = (struct client){.b = b};
    b->at_core = core;
    MUST(net_httpc_pool_send(b->clients, SLICE("127.0.0.1"), net_httpd_port(b->door), false,
                             slice_of(head, (size_t)n), SLICE_NONE, PATIENCE_MS, client_done, c) == ERR_OK);
    CU_ASSERT_FATAL(netloop_until(&b->nl, &b->looked, looked + 1));
}

static void expect(struct bench *b, struct client *c, unsigned status)
{
    CU_ASSERT(netloop_until(&b->nl, &c->done, 1));
    CU_ASSERT_EQUAL(c->status, status);
    CU_ASSERT(c->retry_after == (status == 503 || status == 429));
}

static void on_answer(struct net_tls_wait *w, enum net_tls_status status)
{
    struct waiter *me = container_of(w, struct waiter, wait);

    CU_ASSERT(list_empty(&w->link));
    me->answers++;
    me->status = status;
}

/* A handshake of TLS 1.3 with key `which`, from a place of its own. */
static void waiter_come(struct bench *b, struct waiter *w, unsigned core, char which, const char *ip)
{
    struct net_tls_key_name name = {.version = 13};
    struct buf btid, identity;

    *w = (struct waiter){.wait = {.answer = on_answer}};
    list_init(&w->wait.link);
    buf_init(&btid, SEC_BTID_MAX_N);
    buf_init(&identity, 1024);
    btid_print((uint8_t)which, &btid);
    MUST(sec_gba_psk_identity(SEC_GBA_ME, buf_slice(&btid), &identity) == ERR_OK);
    name.identity = buf_slice(&identity);
    ppg_keyask_handshake(&name, slice_str(ip), &w->wait, &b->core[core]);
    buf_clear(&btid);
    buf_clear(&identity);
}

/* --- the bench --- */

static void carry(struct net_task *task)
{
    struct bench *b = container_of(task, struct bench, carrier);
    struct list now, *at;

    list_init(&now);
    list_splice_back(&now, &b->errands);
    while ((at = list_pop_front(&now))) {
        struct ppg_errand *e = container_of(at, struct ppg_errand, link);

        ppg_core_errand_arrived(&b->core[e->returning ? e->from : e->to], e);
    }
}

static void on_errand(void *host, struct ppg_errand *e)
{
    struct bench *b = host;

    list_push_back(&b->errands, &e->link);
    net_hub_defer(b->nl.env.hub, &b->carrier);
}

static struct ppg_snapshot *snapshot(const char *bsf, unsigned port, const char *more)
{
    char text[600];

    tls_pki_make();
    test_write_file("cert.pem", tls_pki.client.cert_pem, 0600);
    test_write_file("key.pem", tls_pki.client.key_pem, 0600);
    test_write_file("ca.pem", tls_pki.ca.cert_pem, 0600);
    (void)snprintf(text, sizeof text,
                   "[pap]\nlisten = 127.0.0.1:0\n[key-server]\nname = push.example\ncert = cert.pem\n"
                   "key = key.pem\nbsf-ca = ca.pem\nbsf-url = https://%s:%u\n%s",
                   bsf, port, more);
    return fix_snapshot(text);
}

static void core_open(struct bench *b, unsigned i)
{
    struct ppg_core *c = &b->core[i];

    *c = (struct ppg_core){.loop = i, .shared = b->shared, .errand = on_errand, .host = b};
    c->config = ppg_config_hold(b->snapshot->config);
    buf_init(&c->answer_headers, 4096);
    MUST(ppg_keyask_create(&c->keyask) == ERR_OK);
    MUST(ppg_bsfc_create(&b->nl.env, c, b->snapshot, &c->bsfc) == ERR_OK);
}

/* port 0: of the BSF of the bench. */
static void bench_open(struct bench *b, unsigned port, const char *more)
{
    static const struct net_httpc_pool_conf clients = {
        .conn_max = 40,
        .conn_per_host_max = 40,
        .base = {.limits = {.head_max_n = 4096, .headers_max = 20, .value_max_n = 1000, .body_max_n = 1000},
                 .connect_ms = PATIENCE_MS,
                 .idle_ms = PATIENCE_MS,
                 .pipeline_max = 1}};
    struct tls_side bsf = {.verify = NET_TLS_VERIFY_REQUIRED, .cert = &tls_pki.server};

    *b = (struct bench){.says = 200, .shared = calloc(1, sizeof *b->shared)};
    MUST(b->shared != NULL);
    tls_pki_make();
    netloop_open(&b->nl);
    clk_virtual_init(&b->clk, clk_utc_ms(&clk_real));
    list_init(&b->errands);
    net_task_init(&b->carrier, carry);
    b->bsf_tls = tls_side_ctx(NET_TLS_SERVER, &bsf);
    b->bsf = netloop_httpd(&b->nl, b->bsf_tls, bsf_request, b);
    b->door = netloop_httpd(&b->nl, NULL, door_request, b);
    MUST(net_httpc_pool_create(&b->nl.env, &clients, &b->clients) == ERR_OK);
    b->snapshot = snapshot("127.0.0.1", port ? port : net_httpd_port(b->bsf), more);
    b->shared->loops = CORES;
    b->shared->log = b->nl.log;
    b->shared->clk = &b->clk.clk;
    for (unsigned i = 0; i < CORES; i++)
        core_open(b, i);
}

static void part_closed(void *arg)
{
    ((struct bench *)arg)->closed++;
}

/* The cores' end comes first: what they wait for is settled while the door can still answer. */
static void bench_close(struct bench *b)
{
    for (unsigned i = 0; i < CORES; i++)
        if (b->core[i].bsfc)
            ppg_bsfc_close(b->core[i].bsfc, part_closed, b);
        else
            part_closed(b);
    CU_ASSERT(netloop_until(&b->nl, &b->closed, CORES));
    for (unsigned i = 0; i < CORES; i++) {
        while (b->core[i].errands_out)
            (void)uv_run(&b->nl.loop, UV_RUN_ONCE);
        ppg_keyask_free(&b->core[i].keyask);
        buf_clear(&b->core[i].answer_headers);
        ppg_config_drop(&b->core[i].config);
    }
    bsf_release(b);
    net_httpc_pool_close(b->clients, part_closed, b);
    net_httpd_close(b->bsf, part_closed, b);
    net_httpd_close(b->door, part_closed, b);
    CU_ASSERT(netloop_until(&b->nl, &b->closed, CORES + 3));
    netloop_close(&b->nl);
    net_tls_ctx_free(&b->bsf_tls);
    ppg_snapshot_drop(&b->snapshot);
    free(b->shared);
}

/* A reload: the configuration of both cores, and what is sent from now on. */
static void reload(struct bench *b, struct ppg_snapshot *to)
{
    ppg_config_follow(to->config, b->snapshot->config);
    for (unsigned i = 0; i < CORES; i++) {
        ppg_config_drop(&b->core[i].config);
        b->core[i].config = ppg_config_hold(to->config);
        ppg_bsfc_set(b->core[i].bsfc, to);
    }
    ppg_snapshot_drop(&b->snapshot);
    b->snapshot = to;
}

/* --- cases --- */

/* One question for all who want the same key, whichever core they came to; in the order of arrival they go on. */
static void test_joined(void)
{
    struct client c[4], other, later;
    struct waiter w[2];
    struct bench b;

    bench_open(&b, 0, "");
    b.hold = true;
    for (unsigned i = 0; i < COUNT(c); i++)
        client_come(&b, &c[i], i == 3, 'a');
    client_come(&b, &other, 1, 'b');
    for (unsigned i = 0; i < COUNT(w); i++)
        waiter_come(&b, &w[i], i, 'a', "192.0.2.1"); /* a key of TLS, so one more */
    CU_ASSERT(netloop_until(&b.nl, &b.asked, 3));
    CU_ASSERT(w[0].answers == 0 && w[1].answers == 0 && b.done == 0);
    bsf_release(&b);
    for (size_t i = 0; i < COUNT(c); i++)
        expect(&b, &c[i], 200);
    expect(&b, &other, 200);
    CU_ASSERT(c[0].place < c[1].place && c[1].place < c[2].place);
    for (size_t i = 0; i < COUNT(w); i++) {
        CU_ASSERT(netloop_until(&b.nl, &w[i].answers, 1));
        CU_ASSERT(w[i].status == NET_TLS_STATUS_GOOD);
    }
    client_come(&b, &later, 0, 'a');
    expect(&b, &later, 200);
    CU_ASSERT_EQUAL(b.asked, 3);
    bench_close(&b);
}

static void test_answers(void)
{
    static const struct {
        unsigned bsf, want;
        enum net_tls_status handshake;
        size_t asked; /* by the same key shown again, in all */
    } rows[] = {
        {200, 200, NET_TLS_STATUS_GOOD, 2},
        {404, 401, NET_TLS_STATUS_GOOD, 2}, /* the table knows that nobody has it */
        {403, 401, NET_TLS_STATUS_GOOD, 2},
        {400, 401, NET_TLS_STATUS_GOOD, 2},
        {JUNK, 503, NET_TLS_STATUS_UNKNOWN, 3},
        {500, 503, NET_TLS_STATUS_UNKNOWN, 2}, /* it is away: not asked again yet */
        {429, 503, NET_TLS_STATUS_UNKNOWN, 2},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client first, again;
        struct waiter w;
        struct bench b;

        test_row(i);
        bench_open(&b, 0, "");
        b.says = rows[i].bsf;
        b.hold = true;
        client_come(&b, &first, 0, 'a');
        waiter_come(&b, &w, 0, 'a', "192.0.2.1");
        CU_ASSERT(netloop_until(&b.nl, &b.asked, 2));
        bsf_release(&b);
        expect(&b, &first, rows[i].want);
        CU_ASSERT(netloop_until(&b.nl, &w.answers, 1));
        CU_ASSERT_EQUAL(w.status, rows[i].handshake);
        client_come(&b, &again, 0, 'a');
        expect(&b, &again, rows[i].want);
        CU_ASSERT_EQUAL(b.asked, rows[i].asked);
        bench_close(&b);
    }
}

/* So many questions at once, and no more; those who may not ask are told to come again. */
static void test_ceiling(void)
{
    struct client c[ASKING_MAX], more, joins;
    struct bench b;

    bench_open(&b, 0, "");
    b.hold = true;
    for (unsigned i = 0; i < COUNT(c); i++)
        client_come(&b, &c[i], i % CORES, (char)('a' + i));
    client_come(&b, &more, 0, 'z');
    expect(&b, &more, 503);
    client_come(&b, &joins, 1, 'a');
    CU_ASSERT(netloop_until(&b.nl, &b.asked, ASKING_MAX));
    bsf_release(&b);
    for (unsigned i = 0; i < COUNT(c); i++)
        expect(&b, &c[i], 200);
    expect(&b, &joins, 200);
    client_come(&b, &more, 0, 'z'); /* there is room again */
    expect(&b, &more, 200);
    CU_ASSERT_EQUAL(b.asked, ASKING_MAX + 1);
    bench_close(&b);
}

/* A tenth of the rate for one source, the whole for all of them. */
static void test_rates(void)
{
    struct client c[3];
    struct waiter w;
    struct bench b;
    char ip[40];
    size_t good = 0;

    bench_open(&b, 0, "bsf-rate = 20\n");
    for (unsigned i = 0; i < COUNT(c); i++) {
        client_come(&b, &c[i], i % CORES, (char)('a' + i));
        expect(&b, &c[i], i < 2 ? 200 : 429);
    }
    b.shared->spread[0] = 1; /* the sources below fall into slots of their own */
    for (unsigned i = 0; i < 19; i++) {
        (void)snprintf(ip, sizeof ip, "192.0.2.%u", i);
        waiter_come(&b, &w, 0, (char)('A' + i), ip);
        CU_ASSERT(netloop_until(&b.nl, &w.answers, 1));
        good += w.status == NET_TLS_STATUS_GOOD;
    }
    CU_ASSERT_EQUAL(good, 18);
    CU_ASSERT(w.status == NET_TLS_STATUS_UNKNOWN);
    CU_ASSERT_EQUAL(b.asked, 20);
    clk_virtual_advance(&b.clk, 1000);
    client_come(&b, &c[2], 0, 'c');
    expect(&b, &c[2], 200);
    bench_close(&b);
}

/* One request makes us ask a few times, and no more. */
static void test_greedy(void)
{
    struct client c;
    struct bench b;

    bench_open(&b, 0, "");
    b.greedy = true;
    client_come(&b, &c, 0, 'a');
    expect(&b, &c, 503);
    CU_ASSERT_EQUAL(b.asked, TRIES_MAX);
    CU_ASSERT_EQUAL(b.looked, TRIES_MAX + 1);
    bench_close(&b);
}

/* Who waits longer than the BSF may take is sent away; those behind at once, until it is tried again. */
static void test_no_answer(void)
{
    struct client c, joined, behind, later;
    struct bench b;

    bench_open(&b, 0, "bsf-timeout = 300ms\n");
    b.hold = true;
    client_come(&b, &c, 0, 'a');
    client_come(&b, &joined, 1, 'a');
    expect(&b, &c, 503);
    expect(&b, &joined, 503);
    CU_ASSERT(log_count(b.nl.log, "bsf.away") == 1);
    bsf_release(&b);
    client_come(&b, &behind, 0, 'b');
    expect(&b, &behind, 503);
    CU_ASSERT_EQUAL(b.shared->bsf.asked, 1);
    clk_virtual_advance(&b.clk, 1001);
    reload(&b, snapshot("127.0.0.1", net_httpd_port(b.bsf), "bsf-timeout = 15s\n"));
    client_come(&b, &later, 0, 'b');
    expect(&b, &later, 200);
    CU_ASSERT_EQUAL(b.shared->bsf.asked, 2);
    CU_ASSERT(log_count(b.nl.log, "bsf.back") == 1);
    bench_close(&b);
}

/* Nobody listens where the BSF should be. */
static void test_away(void)
{
    struct client c, next;
    struct waiter w;
    struct bench b;
    uint16_t port;
    int listener = raw_listen(&port);

    (void)close(listener);
    bench_open(&b, port, "");
    client_come(&b, &c, 0, 'a');
    expect(&b, &c, 503);
    client_come(&b, &next, 1, 'a');
    expect(&b, &next, 503);
    waiter_come(&b, &w, 0, 'a', "192.0.2.1");
    CU_ASSERT(netloop_until(&b.nl, &w.answers, 1));
    CU_ASSERT(w.status == NET_TLS_STATUS_UNKNOWN && b.asked == 0);
    CU_ASSERT(log_count(b.nl.log, "auth.key.wait") == 3);
    bench_close(&b);
}

/* The answer is good for the new configuration when it has the same BSF; of another one the key is asked for anew. */
static void test_reload(void)
{
    static const struct {
        const char *bsf;
        unsigned want;
        size_t asked;
    } rows[] = {{"127.0.0.1", 200, 1}, {"[::1]", 503, 2}}; /* where nobody listens */

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client c;
        struct bench b;

        test_row(i);
        bench_open(&b, 0, "");
        b.hold = true;
        client_come(&b, &c, 0, 'a');
        CU_ASSERT(netloop_until(&b.nl, &b.asked, 1));
        reload(&b, snapshot(rows[i].bsf, net_httpd_port(b.bsf), ""));
        bsf_release(&b);
        expect(&b, &c, rows[i].want);
        CU_ASSERT_EQUAL(b.shared->bsf.asked, rows[i].asked);
        bench_close(&b);
    }
}

/* Whoever waited is gone when the answer comes: it is kept, and serves who comes next. */
static void test_asker_gone(void)
{
    struct client c;
    struct waiter w;
    struct bench b;
    int fd;

    bench_open(&b, 0, "");
    b.hold = true;
    fd = raw_connect(net_httpd_port(b.door));
    CU_ASSERT(raw_send(&b.nl, fd, SLICE("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")));
    CU_ASSERT(netloop_until(&b.nl, &b.asked, 1));
    waiter_come(&b, &w, 0, 'a', "192.0.2.1");
    CU_ASSERT(netloop_until(&b.nl, &b.asked, 2));
    raw_reset(fd);
    list_remove(&w.wait.link);
    netloop_for(&b.nl, 20);
    bsf_release(&b);
    CU_ASSERT(netloop_until(&b.nl, &b.looked, 2));
    client_come(&b, &c, 0, 'a');
    expect(&b, &c, 200);
    waiter_come(&b, &w, 1, 'a', "192.0.2.1");
    CU_ASSERT(netloop_until(&b.nl, &w.answers, 1));
    CU_ASSERT(w.answers == 1 && w.status == NET_TLS_STATUS_GOOD && b.asked == 2);
    bench_close(&b);
}

/* The loop ends while a question is under way: everybody hears of it. */
static void test_end(void)
{
    struct client c;
    struct waiter w;
    struct bench b;

    bench_open(&b, 0, "");
    b.hold = true;
    client_come(&b, &c, 0, 'a');
    waiter_come(&b, &w, 1, 'b', "192.0.2.1");
    CU_ASSERT(netloop_until(&b.nl, &b.asked, 2));
    for (unsigned i = 0; i < CORES; i++)
        ppg_bsfc_close(b.core[i].bsfc, part_closed, &b);
    expect(&b, &c, 503);
    CU_ASSERT(netloop_until(&b.nl, &w.answers, 1));
    CU_ASSERT(w.status == NET_TLS_STATUS_UNKNOWN);
    CU_ASSERT(log_count(b.nl.log, "bsf.away") == 0); /* it was not the BSF's fault */
    CU_ASSERT(netloop_until(&b.nl, &b.closed, CORES));
    b.core[0].bsfc = b.core[1].bsfc = NULL;
    client_come(&b, &c, 0, 'c');
    expect(&b, &c, 503);
    b.closed = 0;
    bench_close(&b);
}

const struct test_case test_cases[] = {
    {"joined", test_joined},
    {"answers", test_answers},
    {"ceiling", test_ceiling},
    {"rates", test_rates},
    {"greedy", test_greedy},
    {"no_answer", test_no_answer},
    {"away", test_away},
    {"reload", test_reload},
    {"asker_gone", test_asker_gone},
    {"end", test_end},
    {NULL, NULL},
};
