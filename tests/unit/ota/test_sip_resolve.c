/* Where SIP URIs lead, against a DNS server written by hand.  Targets are names that every machine has: localhost. */
#include "ota/sip/resolve.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "tests/unit/dnspeer.h"
#include "tests/unit/harness.h"

static const struct dns_row rows[] = {
    {.name = "all.example",
     .type = 35,
     .a = 10,
     .b = 10,
     .flags = "s",
     .service = "SIP+D2T",
     .target = "_sip._tcp.all.example"},
    {.name = "all.example",
     .type = 35,
     .a = 20,
     .b = 10,
     .flags = "s",
     .service = "SIP+D2U",
     .target = "udp.all.example"},
    {.name = "all.example",
     .type = 35,
     .a = 5,
     .b = 10,
     .flags = "s",
     .service = "SIPS+D2T",
     .target = "_sips._tcp.all.example"},
    {.name = "all.example",
     .type = 35,
     .a = 1,
     .b = 10,
     .flags = "s",
     .service = "SIP+D2S",
     .target = "_sip._sctp.all.example"},
    {.name = "_sip._tcp.all.example", .type = 33, .a = 2, .b = 0, .port = 7002, .target = "localhost"},
    {.name = "_sip._tcp.all.example", .type = 33, .a = 1, .b = 0, .port = 7001, .target = "localhost"},
    {.name = "_sip._tcp.all.example", .type = 33, .a = 3, .b = 0, .port = 7003, .target = "nobody.invalid"},
    {.name = "udp.all.example", .type = 33, .a = 1, .b = 0, .port = 7004, .target = "localhost"},
    {.name = "_sips._tcp.all.example", .type = 33, .a = 1, .b = 0, .port = 7005, .target = "localhost"},
    {.name = "_sip._udp.srv.example", .type = 33, .a = 1, .b = 0, .port = 7006, .target = "localhost"},
    {.name = "_sips._tcp.srv.example", .type = 33, .a = 1, .b = 0, .port = 7007, .target = "localhost"},
    {.name = "localhost",
     .type = 35,
     .a = 1,
     .b = 1,
     .flags = "s",
     .service = "SIP+D2T",
     .target = "_none.localhost"},
};

struct fix {
    struct netloop nl;
    struct dns_peer peer;
    struct net_records *records;
    struct ota_sip_place places[OTA_SIP_PLACES_MAX];
    size_t n, done, gone, closed;
};

static void on_places(const struct ota_sip_place *places, size_t n, void *arg)
{
    struct fix *f = arg;

    f->done++;
    f->n = n;
    for (size_t i = 0; i < n; i++)
        f->places[i] = places[i];
}

static void on_closed(void *arg)
{
    ((struct fix *)arg)->closed++;
}

static void on_gone(void *arg)
{
    ((struct fix *)arg)->gone++;
}

static void fix_open(struct fix *f)
{
    *f = (struct fix){.n = 0};
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

static struct ota_sip_search *start(struct fix *f, struct net_records *records, const char *text, bool secure)
{
    struct ota_sip_search *s = NULL;
    struct ota_sip_uri uri;

    CU_ASSERT_EQUAL_FATAL(ota_sip_uri_parse(slice_str(text), &uri), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(ota_sip_search_start(&f->nl.env, records, &uri, secure, on_places, f, &s), ERR_OK);
    CU_ASSERT_EQUAL(f->done, 0);
    return s;
}

/* "UDP:5060 TCP:7001": each transport and port, whatever the family. */
static void check(struct fix *f, const char *want)
{
    struct buf got;

    buf_init(&got, 1024);
    for (size_t i = 0; i < f->n; i++) {
        uint16_t port = f->places[i].to.ss_family == AF_INET6
                            ? ((struct sockaddr_in6 *)&f->places[i].to)->sin6_port
                            : ((struct sockaddr_in *)&f->places[i].to)->sin_port;
        struct buf one;

        buf_init(&one, 64);
        buf_addf(&one, "%s%s:%u", got.n ? " " : "", ota_sip_via_name(f->places[i].via),
                 (unsigned)ntohs(port));
        if (!slice_ends(buf_slice(&got), slice_trim(buf_slice(&one)))) /* both families of localhost */
            buf_add(&got, buf_slice(&one));
        buf_clear(&one);
    }
    TEST_SLICE_EQ(buf_slice(&got), slice_str(want));
    buf_clear(&got);
}

static void places(void)
{
    static const struct {
        const char *uri;
        bool secure;
        const char *want;
        bool asks;
    } cases[] = {
        {"sip:127.0.0.1", false, "UDP:5060", false},
        {"sip:[::1];transport=tcp", false, "TCP:5060", false},
        {"sips:127.0.0.1", false, "TLS:5061", false},
        {"sip:127.0.0.1;transport=tls", false, "TLS:5061", false},
        {"sip:localhost:7000", false, "UDP:7000", false},
        {"sip:localhost:7000;transport=tcp", false, "TCP:7000", false},
        {"sip:localhost:7000", true, "TLS:7000", false},
        {"sip:all.example", false, "TCP:7001 TCP:7002 UDP:7004", true},
        {"sip:all.example;transport=tcp", false, "TCP:7001 TCP:7002", true},
        {"sip:all.example;transport=tls", false, "TLS:7005", true},
        {"sips:all.example", false, "TLS:7005", true},
        {"sip:all.example", true, "TLS:7005", true},
        {"sip:srv.example", false, "UDP:7006", true},
        {"sips:srv.example", false, "TLS:7007", true},
        {"sip:srv.example;transport=tcp", false, "", true},
        {"sip:localhost", false, "UDP:5060", true}, /* what its pointer leads to does not exist */
        {"sip:localhost;transport=tcp", false, "TCP:5060", true},
        {"sips:localhost", false, "TLS:5061", true},
        {"sip:nobody.invalid", false, "", true},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fix f;

        test_row(i);
        fix_open(&f);
        (void)start(&f, f.records, cases[i].uri, cases[i].secure);
        (void)netloop_until(&f.nl, &f.done, 1);
        check(&f, cases[i].want);
        CU_ASSERT_EQUAL(f.peer.asked > 0, cases[i].asks);
        fix_close(&f);
    }
}

static void without_service_records(void)
{
    struct fix f;

    fix_open(&f);
    (void)start(&f, NULL, "sip:localhost;transport=tcp", false);
    (void)netloop_until(&f.nl, &f.done, 1);
    check(&f, "TCP:5060");
    CU_ASSERT_EQUAL(f.peer.asked, 0);
    fix_close(&f);
}

static void cancelled(void)
{
    static const char *const uris[] = {"sip:all.example", "sip:srv.example;transport=udp", "sip:127.0.0.1",
                                       "sip:localhost:1"};

    for (size_t i = 0; i < COUNT(uris); i++) {
        struct fix f;

        test_row(i);
        fix_open(&f);
        ota_sip_search_cancel(start(&f, f.records, uris[i], false), on_gone, &f);
        CU_ASSERT_EQUAL(f.gone, 0);
        (void)netloop_until(&f.nl, &f.gone, 1);
        CU_ASSERT_EQUAL(f.done, 0);
        fix_close(&f);
    }
}

const struct test_case test_cases[] = {{"places", places},
                                       {"without_service_records", without_service_records},
                                       {"cancelled", cancelled},
                                       {NULL, NULL}};
