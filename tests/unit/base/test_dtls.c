/* DTLS sessions against each other in memory, where datagrams are lost, repeated and broken as a case wants. */
#include "base/net/dtls.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/net/hub.h"
#include "tests/unit/certs.h"
#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"

#define KEY       SLICE("0123456789abcdef")
#define QUEUE_MAX 64

/* One end: what it sent waits here until deliver(). */
struct end {
    struct net_dtls *dtls;
    struct net_tls_ctx *ctx;
    struct slice sent[QUEUE_MAX];
    size_t sent_n, read_n;
    size_t opened, closed, records;
    enum err why;
    struct buf heard;
};

struct pair {
    struct netloop nl;
    struct end client, server;
    struct slice client_key; /* what the client thinks it is */
};

static void on_send(struct slice datagram, void *arg)
{
    struct end *e = arg;
    char *copy = mem_dup(datagram);

    CU_ASSERT_FATAL(e->sent_n < QUEUE_MAX && copy != NULL);
    e->sent[e->sent_n++] = slice_of(copy, datagram.n);
}

static void on_opened(void *arg)
{
    ((struct end *)arg)->opened++;
}

static void on_data(struct slice plain, void *arg)
{
    struct end *e = arg;

    e->records++;
    buf_add(&e->heard, plain);
}

static void on_closed(enum err why, void *arg)
{
    struct end *e = arg;

    e->closed++;
    e->why = why;
}

static bool find(void *arg, struct slice identity, unsigned version, struct slice *key)
{
    (void)arg, (void)version;
    if (!slice_eq(identity, SLICE("phone")))
        return false;
    *key = KEY;
    return true;
}

static void end_create(struct pair *p, struct end *e, const struct net_tls_conf *conf, struct slice name)
{
    const struct net_dtls_conf dtls = {.server_name = name,
                                       .mtu = 600,
                                       .handshake_ms = 4000,
                                       .user = {on_send, on_opened, on_data, on_closed, e}};
    struct net_dtls_conf with = dtls;
    const char *why = "";

    buf_init(&e->heard, 65536);
    CU_ASSERT_FATAL(net_tls_ctx_create(conf, &e->ctx, &why) == ERR_OK);
    with.ctx = e->ctx;
    CU_ASSERT_FATAL(net_dtls_create(&p->nl.env, &with, &e->dtls) == ERR_OK);
}

static struct pair *pair_open(struct slice identity, struct slice key)
{
    const struct net_tls_conf server = {
        .role = NET_TLS_SERVER, .version_min = 12, .datagrams = true, .psk = {.find = find}};
    const struct net_tls_conf client = {.role = NET_TLS_CLIENT,
                                        .version_min = 12,
                                        .datagrams = true,
                                        .psk_identity = identity,
                                        .psk_key = key};
    struct pair *p = calloc(1, sizeof *p);

    CU_ASSERT_FATAL(p != NULL);
    netloop_open(&p->nl);
    end_create(p, &p->client, &client, SLICE_NONE);
    end_create(p, &p->server, &server, SLICE_NONE);
    return p;
}

static void end_close(struct end *e)
{
    net_dtls_free(&e->dtls);
    net_tls_ctx_free(&e->ctx);
    for (size_t i = 0; i < e->sent_n; i++)
        free((void *)(uintptr_t)e->sent[i].p);
    buf_clear(&e->heard);
}

static void pair_close(struct pair *p)
{
    end_close(&p->client);
    end_close(&p->server);
    netloop_close(&p->nl);
    free(p);
}

/* The next datagram of `from`, if there is one. */
static bool deliver(struct end *from, struct end *to)
{
    if (from->read_n == from->sent_n)
        return false;
    net_dtls_feed(to->dtls, from->sent[from->read_n++]);
    return true;
}

static void exchange(struct pair *p)
{
    bool more = true;

    while (more) {
        more = deliver(&p->client, &p->server);
        more = deliver(&p->server, &p->client) || more;
    }
}

static void with_a_shared_key(void)
{
    struct pair *p = pair_open(SLICE("phone"), KEY);
    static char large[2000];

    CU_ASSERT_EQUAL(net_dtls_write(p->client.dtls, SLICE("early")), ERR_LATE);
    net_dtls_start(p->client.dtls);
    exchange(p);
    CU_ASSERT(p->client.opened == 1 && p->server.opened == 1);
    CU_ASSERT(net_dtls_is_open(p->client.dtls) && net_dtls_is_open(p->server.dtls));
    TEST_SLICE_EQ(net_dtls_peer(p->server.dtls)->psk, SLICE("phone"));
    CU_ASSERT_STRING_EQUAL(net_dtls_peer(p->client.dtls)->version, "DTLS1.2");
    CU_ASSERT(net_dtls_plain_max(p->client.dtls) < 600 && net_dtls_plain_max(p->client.dtls) > 500);
    CU_ASSERT_EQUAL(net_dtls_write(p->client.dtls, SLICE("one")), ERR_OK);
    CU_ASSERT_EQUAL(net_dtls_write(p->client.dtls, SLICE("two")), ERR_OK);
    CU_ASSERT_EQUAL(net_dtls_write(p->client.dtls, slice_of(large, sizeof large)), ERR_LIMIT);
    CU_ASSERT_EQUAL(net_dtls_write(p->client.dtls, SLICE_NONE), ERR_LIMIT);
    exchange(p);
    CU_ASSERT_EQUAL(p->server.records, 2);
    TEST_SLICE_EQ(buf_slice(&p->server.heard), SLICE("onetwo"));
    pair_close(p);
}

/* No datagram is larger than the path takes, whatever the flight. */
static void datagrams_fit_the_path(void)
{
    struct pair *p = pair_open(SLICE("phone"), KEY);

    net_dtls_start(p->client.dtls);
    exchange(p);
    for (size_t i = 0; i < p->server.sent_n; i++)
        CU_ASSERT(p->server.sent[i].n <= 600);
    for (size_t i = 0; i < p->client.sent_n; i++)
        CU_ASSERT(p->client.sent[i].n <= 600);
    pair_close(p);
}

static void lost_flights_come_again(void)
{
    struct pair *p = pair_open(SLICE("phone"), KEY);

    net_dtls_start(p->client.dtls);
    p->client.read_n = p->client.sent_n; /* the first flight is lost */
    netloop_for(&p->nl, 1300);
    CU_ASSERT(p->client.sent_n > p->client.read_n);
    (void)deliver(&p->client, &p->server);
    p->server.read_n = p->server.sent_n; /* the answer too */
    netloop_for(&p->nl, 2300);
    exchange(p);
    CU_ASSERT(p->client.opened == 1 && p->server.opened == 1);
    pair_close(p);
}

static void nobody_answers(void)
{
    struct pair *p = pair_open(SLICE("phone"), KEY);

    net_dtls_start(p->client.dtls);
    (void)netloop_until(&p->nl, &p->client.closed, 1);
    CU_ASSERT(p->client.why == ERR_LATE && p->client.opened == 0);
    net_dtls_feed(p->client.dtls, SLICE("after the end"));
    CU_ASSERT_EQUAL(p->client.closed, 1);
    pair_close(p);
}

static void wrong_keys_open_nothing(void)
{
    static const struct {
        const char *identity, *key;
    } rows[] = {{"phone", "0123456789abcdeF"}, {"other", "0123456789abcdef"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair *p = pair_open(slice_str(rows[i].identity), slice_str(rows[i].key));

        test_row(i);
        net_dtls_start(p->client.dtls);
        exchange(p);
        CU_ASSERT(p->client.opened == 0 && p->server.opened == 0);
        pair_close(p);
    }
}

/* Records that were repeated, changed or made up are dropped; the session goes on (RFC 6347 §4.1.2.6, §4.1.2.7). */
static void what_is_not_right_is_dropped(void)
{
    struct pair *p = pair_open(SLICE("phone"), KEY);
    char changed[600];
    struct slice record;

    net_dtls_start(p->client.dtls);
    exchange(p);
    CU_ASSERT_EQUAL(net_dtls_write(p->client.dtls, SLICE("once")), ERR_OK);
    record = p->client.sent[p->client.sent_n - 1];
    mem_copy(changed, sizeof changed, record);
    changed[record.n - 1] = (char)(changed[record.n - 1] ^ 1);
    net_dtls_feed(p->server.dtls, slice_of(changed, record.n));
    net_dtls_feed(p->server.dtls, SLICE("GET / HTTP/1.1\r\n\r\n"));
    net_dtls_feed(p->server.dtls, SLICE_NONE);
    exchange(p);
    net_dtls_feed(p->server.dtls, record); /* again */
    CU_ASSERT(p->server.records == 1 && p->server.closed == 0);
    TEST_SLICE_EQ(buf_slice(&p->server.heard), SLICE("once"));
    CU_ASSERT_EQUAL(net_dtls_write(p->client.dtls, SLICE("more")), ERR_OK);
    exchange(p);
    CU_ASSERT_EQUAL(p->server.records, 2);
    pair_close(p);
}

static void goodbye_is_heard(void)
{
    struct pair *p = pair_open(SLICE("phone"), KEY);

    net_dtls_start(p->client.dtls);
    exchange(p);
    net_dtls_free(&p->client.dtls);
    CU_ASSERT(p->client.dtls == NULL);
    while (deliver(&p->client, &p->server))
        continue;
    CU_ASSERT(p->server.closed == 1 && p->server.why == ERR_ABSENT);
    pair_close(p);
}

static struct net_tls_conf cert_conf(enum net_tls_role role, const struct net_tls_pair *pair, struct slice ca)
{
    return (struct net_tls_conf){.role = role,
                                 .verify = NET_TLS_VERIFY_REQUIRED,
                                 .pairs = pair,
                                 .pairs_n = 1,
                                 .ca_pem = ca,
                                 .version_min = 12,
                                 .datagrams = true};
}

static void with_certificates(void)
{
    static const char *const names[] = {"DNS:phone.example", NULL};
    static const struct {
        const char *name;
        bool other_ca;
        enum err want;
    } rows[] = {{"phone.example", false, ERR_OK},
                {"other.example", false, ERR_DENIED},
                {"phone.example", true, ERR_DENIED}};
    struct test_cert ca, other, phone, gateway;
    struct net_tls_pair phone_pair, gateway_pair;

    test_cert_make(&(struct test_cert_conf){.cn = "authority", .ca = true}, NULL, &ca);
    test_cert_make(&(struct test_cert_conf){.cn = "another", .ca = true}, NULL, &other);
    test_cert_make(&(struct test_cert_conf){.cn = "phone", .sans = names}, &ca, &phone);
    test_cert_make(&(struct test_cert_conf){.cn = "gateway"}, &ca, &gateway);
    phone_pair =
        (struct net_tls_pair){.cert_pem = slice_str(phone.cert_pem), .key_pem = slice_str(phone.key_pem)};
    gateway_pair =
        (struct net_tls_pair){.cert_pem = slice_str(gateway.cert_pem), .key_pem = slice_str(gateway.key_pem)};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice anchor = slice_str(rows[i].other_ca ? other.cert_pem : ca.cert_pem);
        struct net_tls_conf client = cert_conf(NET_TLS_CLIENT, &gateway_pair, anchor);
        struct net_tls_conf server = cert_conf(NET_TLS_SERVER, &phone_pair, slice_str(ca.cert_pem));
        struct pair *p = calloc(1, sizeof *p);

        test_row(i);
        CU_ASSERT_FATAL(p != NULL);
        netloop_open(&p->nl);
        end_create(p, &p->client, &client, slice_str(rows[i].name));
        end_create(p, &p->server, &server, SLICE_NONE);
        net_dtls_start(p->client.dtls);
        exchange(p);
        CU_ASSERT(p->client.opened == (rows[i].want == ERR_OK) &&
                  p->client.closed == (rows[i].want != ERR_OK));
        CU_ASSERT_EQUAL(p->client.why, rows[i].want);
        CU_ASSERT(rows[i].want || net_dtls_peer(p->server.dtls)->verified);
        for (size_t k = 0; k < p->server.sent_n; k++)
            CU_ASSERT(p->server.sent[k].n <= 600);
        pair_close(p);
    }
}

const struct test_case test_cases[] = {
    {"with_a_shared_key", with_a_shared_key},
    {"datagrams_fit_the_path", datagrams_fit_the_path},
    {"lost_flights_come_again", lost_flights_come_again},
    {"nobody_answers", nobody_answers},
    {"wrong_keys_open_nothing", wrong_keys_open_nothing},
    {"what_is_not_right_is_dropped", what_is_not_right_is_dropped},
    {"goodbye_is_heard", goodbye_is_heard},
    {"with_certificates", with_certificates},
    {NULL, NULL},
};
