/* Service records: against a DNS server written by hand. */
#include "base/net/records.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/dnspeer.h"
#include "tests/unit/harness.h"

static const struct dns_row rows[] = {
    {.name = "_sip._udp.a.example", .type = 33, .a = 20, .b = 0, .port = 5063, .target = "c.example"},
    {.name = "_sip._udp.a.example", .type = 33, .a = 10, .b = 1, .port = 5061, .target = "a.example"},
    {.name = "_sip._udp.a.example", .type = 33, .a = 10, .b = 3, .port = 5062, .target = "b.example"},
    {.name = "_sip._tcp.a.example", .type = 33, .a = 0, .b = 0, .port = 0, .target = ""}, /* not offered */
    {.name = "a.example",
     .type = 35,
     .a = 90,
     .b = 50,
     .flags = "s",
     .service = "SIP+D2T",
     .target = "_sip._tcp.a.example"},
    {.name = "a.example",
     .type = 35,
     .a = 50,
     .b = 50,
     .flags = "S",
     .service = "SIPS+D2T",
     .target = "_sips._tcp.a.example"},
    {.name = "a.example",
     .type = 35,
     .a = 50,
     .b = 10,
     .flags = "u",
     .service = "E2U+sip",
     .regexp = "!^.*$!sip:x@y!",
     .target = ""},
    {.name = "a.example",
     .type = 35,
     .a = 90,
     .b = 20,
     .flags = "s",
     .service = "SIP+D2U",
     .target = "_sip._udp.a.example"},
};

struct fix {
    struct netloop nl;
    struct dns_peer peer;
    struct net_records *records;
    size_t done, closed;
    enum err why;
    size_t n;
    struct net_record found[NET_RECORDS_MAX];
};

static void on_done(enum err why, const struct net_record *records, size_t n, void *arg)
{
    struct fix *f = arg;

    f->done++;
    f->why = why;
    f->n = n;
    for (size_t i = 0; i < n; i++)
        f->found[i] = records[i];
}

static void on_closed(void *arg)
{
    ((struct fix *)arg)->closed++;
}

static void fix_open(struct fix *f)
{
    *f = (struct fix){.done = 0};
    netloop_open(&f->nl);
    dns_peer_open(&f->peer, &f->nl, rows, COUNT(rows));
    CU_ASSERT_EQUAL_FATAL(net_records_create(&f->nl.env, f->peer.servers, &f->records), ERR_OK);
}

static void fix_close(struct fix *f)
{
    net_records_close(f->records, on_closed, f);
    (void)netloop_until(&f->nl, &f->closed, 1);
    dns_peer_close(&f->peer);
    netloop_close(&f->nl);
}

static enum err ask(struct fix *f, enum net_record_kind kind, const char *name)
{
    struct net_records_query *q;
    size_t want = f->done + 1;

    CU_ASSERT_EQUAL_FATAL(net_records_ask(f->records, kind, slice_str(name), on_done, f, &q), ERR_OK);
    CU_ASSERT_EQUAL(f->done, want - 1); /* never from inside */
    (void)netloop_until(&f->nl, &f->done, want);
    return f->why;
}

static void services_in_their_order(void)
{
    size_t first_b = 0;
    struct fix f;

    fix_open(&f);
    for (size_t i = 0; i < 60; i++) {
        CU_ASSERT_EQUAL(ask(&f, NET_RECORD_SRV, "_sip._udp.a.example"), ERR_OK);
        CU_ASSERT_EQUAL_FATAL(f.n, 3);
        CU_ASSERT(f.found[0].priority == 10 && f.found[1].priority == 10 && f.found[2].priority == 20);
        CU_ASSERT_STRING_EQUAL(f.found[2].name, "c.example");
        CU_ASSERT_EQUAL(f.found[2].port, 5063);
        CU_ASSERT(strcmp(f.found[0].name, f.found[1].name) != 0);
        first_b += strcmp(f.found[0].name, "b.example") == 0;
    }
    CU_ASSERT(first_b > 20 && first_b < 60); /* three of four or five */
    fix_close(&f);
}

static void pointers_in_their_order(void)
{
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(ask(&f, NET_RECORD_NAPTR, "a.example"), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(f.n, 3);
    CU_ASSERT_STRING_EQUAL(f.found[0].service, "SIPS+D2T");
    CU_ASSERT_STRING_EQUAL(f.found[1].service, "SIP+D2U");
    CU_ASSERT_STRING_EQUAL(f.found[1].name, "_sip._udp.a.example");
    CU_ASSERT_STRING_EQUAL(f.found[2].service, "SIP+D2T");
    fix_close(&f);
}

static void none(void)
{
    char large[400];
    struct net_records_query *q;
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(ask(&f, NET_RECORD_SRV, "_sip._udp.b.example"), ERR_ABSENT);
    CU_ASSERT_EQUAL(ask(&f, NET_RECORD_NAPTR, "b.example"), ERR_ABSENT);
    CU_ASSERT_EQUAL(ask(&f, NET_RECORD_SRV, "_sip._tcp.a.example"), ERR_ABSENT);
    CU_ASSERT_EQUAL(ask(&f, NET_RECORD_SRV, "a..b"), ERR_ABSENT);
    CU_ASSERT_EQUAL(f.n, 0);
    memset(large, 'a', sizeof large);
    CU_ASSERT_EQUAL(net_records_ask(f.records, NET_RECORD_SRV, slice_of(large, 256), on_done, &f, &q),
                    ERR_LIMIT);
    CU_ASSERT_EQUAL(net_records_ask(f.records, NET_RECORD_SRV, SLICE(""), on_done, &f, &q), ERR_LIMIT);
    fix_close(&f);
}

static void cancelled(void)
{
    struct net_records_query *q;
    struct fix f;

    fix_open(&f);
    f.peer.silent = true;
    CU_ASSERT_EQUAL(net_records_ask(f.records, NET_RECORD_SRV, SLICE("_sip._udp.a.example"), on_done, &f, &q),
                    ERR_OK);
    net_records_cancel(q);
    CU_ASSERT_EQUAL(f.done, 0);
    (void)netloop_until(&f.nl, &f.done, 1);
    CU_ASSERT(f.why == ERR_LATE && f.n == 0);
    CU_ASSERT_EQUAL(net_records_ask(f.records, NET_RECORD_SRV, SLICE("_sip._udp.a.example"), on_done, &f, &q),
                    ERR_OK);
    (void)netloop_until(&f.nl, &f.peer.asked, 1);
    fix_close(&f); /* with one under way */
    CU_ASSERT(f.done == 2 && f.why == ERR_LATE);
}

static void nobody_answers(void)
{
    struct fix f;

    fix_open(&f);
    f.peer.silent = true;
    CU_ASSERT_EQUAL(ask(&f, NET_RECORD_SRV, "_sip._udp.a.example"), ERR_PEER);
    CU_ASSERT(f.peer.asked >= 2);
    fix_close(&f);
}

static void bad_servers(void)
{
    struct net_records *r = NULL;
    struct netloop nl;

    netloop_open(&nl);
    CU_ASSERT_EQUAL(net_records_create(&nl.env, "not an address", &r), ERR_MALFORMED);
    CU_ASSERT_PTR_NULL(r);
    netloop_close(&nl);
}

const struct test_case test_cases[] = {{"services_in_their_order", services_in_their_order},
                                       {"pointers_in_their_order", pointers_in_their_order},
                                       {"none", none},
                                       {"cancelled", cancelled},
                                       {"nobody_answers", nobody_answers},
                                       {"bad_servers", bad_servers},
                                       {NULL, NULL}};
