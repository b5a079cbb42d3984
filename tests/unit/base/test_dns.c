/* base/net/dns.c.  Nothing here needs a network: numeric hosts, "invalid", and what the hosts file always knows. */
#include "base/net/dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "tests/unit/harness.h"
#include "tests/unit/netloop.h"

static void case_addr_rows(void)
{
    static const struct {
        struct slice in;
        enum err want;
        int family;
    } rows[] = {
        {SLICE("127.0.0.1"), ERR_OK, AF_INET},
        {SLICE("255.255.255.255"), ERR_OK, AF_INET},
        {SLICE("::1"), ERR_OK, AF_INET6},
        {SLICE("2001:db8::192.0.2.1"), ERR_OK, AF_INET6},
        {SLICE("FE80::1"), ERR_OK, AF_INET6},
        {SLICE(""), ERR_MALFORMED, 0},
        {SLICE("127.1"), ERR_MALFORMED, 0},
        {SLICE("127.0.0.1 "), ERR_MALFORMED, 0},
        {SLICE("127.0.0.256"), ERR_MALFORMED, 0},
        {SLICE("0x7f.0.0.1"), ERR_MALFORMED, 0},
        {SLICE("2130706433"), ERR_MALFORMED, 0},
        {SLICE("127.0.0.1\0"), ERR_MALFORMED, 0},
        {SLICE("[::1]"), ERR_MALFORMED, 0},
        {SLICE("fe80::1%eth0"), ERR_MALFORMED, 0},
        {SLICE("1::2::3"), ERR_MALFORMED, 0},
        {SLICE("localhost"), ERR_MALFORMED, 0},
        {SLICE("1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc"), ERR_MALFORMED, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sockaddr_storage a = {.ss_family = 77};
        enum err e = net_addr_parse(rows[i].in, 4711, &a);

        test_row(i);
        CU_ASSERT_EQUAL(e, rows[i].want);
        CU_ASSERT_EQUAL(a.ss_family, e ? 77 : rows[i].family); /* untouched on failure */
        if (!e)                                                /* the port sits at the same place in both */
            CU_ASSERT_EQUAL(ntohs(((struct sockaddr_in *)&a)->sin_port), 4711);
    }
}

static const struct {
    const char *in;
    bool special;
} specials[] = {
    {"127.0.0.1", true},
    {"127.255.255.255", true},
    {"128.0.0.1", false},
    {"0.0.0.0", true},
    {"1.0.0.1", false},
    {"10.0.0.1", true},
    {"11.0.0.1", false},
    {"100.63.255.255", false},
    {"100.64.0.0", true},
    {"100.127.255.255", true},
    {"100.128.0.0", false},
    {"169.254.169.254", true},
    {"169.253.0.1", false},
    {"172.15.255.255", false},
    {"172.16.0.1", true},
    {"172.31.255.255", true},
    {"172.32.0.0", false},
    {"192.0.0.1", true},
    {"192.0.2.1", true},
    {"192.0.3.1", false},
    {"192.168.0.1", true},
    {"192.169.0.1", false},
    {"198.17.255.255", false},
    {"198.18.0.1", true},
    {"198.19.255.255", true},
    {"198.20.0.0", false},
    {"198.51.100.9", true},
    {"203.0.113.9", true},
    {"203.0.114.9", false},
    {"223.255.255.255", false},
    {"224.0.0.1", true},
    {"240.0.0.1", true},
    {"255.255.255.255", true},
    {"8.8.8.8", false},
    {"::", true},
    {"::1", true},
    {"::2", true},
    {"::ffff:127.0.0.1", true},
    {"::ffff:8.8.8.8", false},
    {"::127.0.0.1", true},
    {"64:ff9b::10.0.0.1", true},
    {"64:ff9b::8.8.8.8", false},
    {"64:ff9b:1::8.8.8.8", true},
    {"100::1", true},
    {"2001::1", true},
    {"2001:1ff::1", true},
    {"2001:200::1", false},
    {"2001:db8::1", true},
    {"2001:db9::1", false},
    {"2002:7f00:1::", true},
    {"2003::1", false},
    {"2a00:1450::1", false},
    {"3fff::1", true},
    {"3fff:1000::1", false},
    {"fc00::1", true},
    {"fd12::1", true},
    {"fe80::1", true},
    {"fec0::1", true},
    {"ff02::1", true},
    {"5f00::1", true},
};

static void case_special_addresses(void)
{
    for (size_t i = 0; i < COUNT(specials); i++) {
        struct sockaddr_storage a;

        test_row(i);
        CU_ASSERT_FATAL(net_addr_parse(slice_str(specials[i].in), 1, &a) == ERR_OK);
        CU_ASSERT_EQUAL(net_addr_is_special((struct sockaddr *)&a), specials[i].special);
    }
    CU_ASSERT_TRUE(net_addr_is_special(&(struct sockaddr){.sa_family = AF_UNIX}));
}

struct lookup {
    size_t done;
    enum err err;
    size_t n;
    struct sockaddr_storage first;
    bool inside;
};

static void on_done(enum err err, const struct sockaddr_storage *to, size_t n, void *arg)
{
    struct lookup *l = arg;

    CU_ASSERT_FALSE(l->inside);
    l->done++;
    l->err = err;
    l->n = n;
    if (n)
        l->first = to[0];
}

static struct net_dns_query *look_up(struct netloop *nl, const char *host, struct lookup *l)
{
    struct net_dns_query *q = NULL;

    *l = (struct lookup){.inside = true};
    CU_ASSERT_EQUAL_FATAL(net_dns_lookup(&nl->env, slice_str(host), 99, on_done, l, &q), ERR_OK);
    l->inside = false;
    return q;
}

static void case_lookup_rows(void)
{
    static const struct {
        const char *host;
        enum err want;
    } rows[] = {
        {"127.0.0.1", ERR_OK},        {"::1", ERR_OK},         {"localhost", ERR_OK},
        {"name.invalid", ERR_ABSENT}, {"invalid", ERR_ABSENT}, {"a.b.INVALID.", ERR_ABSENT},
        {"-not a name-", ERR_ABSENT},
    };
    struct netloop nl;

    netloop_open(&nl);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lookup l;

        test_row(i);
        (void)look_up(&nl, rows[i].host, &l);
        CU_ASSERT_EQUAL(l.done, 0);
        (void)netloop_until(&nl, &l.done, 1);
        CU_ASSERT_EQUAL(l.err, rows[i].want);
        CU_ASSERT_EQUAL(l.n > 0, rows[i].want == ERR_OK);
        if (l.n)
            CU_ASSERT_EQUAL(ntohs(((struct sockaddr_in *)&l.first)->sin_port), 99);
    }
    netloop_close(&nl);
}

static void case_no_host(void)
{
    static char long_name[300];
    struct net_dns_query *q = NULL;
    struct netloop nl;
    struct lookup l = {0};

    netloop_open(&nl);
    for (size_t i = 0; i < sizeof long_name - 1; i++)
        long_name[i] = 'a';
    CU_ASSERT_EQUAL(net_dns_lookup(&nl.env, SLICE(""), 1, on_done, &l, &q), ERR_MALFORMED);
    CU_ASSERT_EQUAL(net_dns_lookup(&nl.env, slice_str(long_name), 1, on_done, &l, &q), ERR_MALFORMED);
    CU_ASSERT_EQUAL(net_dns_lookup(&nl.env, SLICE("localhost\0.example"), 1, on_done, &l, &q), ERR_MALFORMED);
    CU_ASSERT(q == NULL);
    netloop_close(&nl);
    CU_ASSERT_EQUAL(l.done, 0);
}

/* Told once, late, and never with addresses, whether the lookup had begun or not. */
static void case_cancel(void)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "x.invalid"};
    struct netloop nl;

    netloop_open(&nl);
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct lookup l;
        struct net_dns_query *q = look_up(&nl, hosts[i], &l);

        test_row(i);
        l.inside = true;
        net_dns_cancel(q);
        net_dns_cancel(q);
        l.inside = false;
        (void)netloop_until(&nl, &l.done, 1);
        netloop_for(&nl, 20);
        CU_ASSERT_EQUAL(l.done, 1);
        CU_ASSERT_EQUAL(l.err, ERR_LATE);
        CU_ASSERT_EQUAL(l.n, 0);
    }
    netloop_close(&nl);
}

const struct test_case test_cases[] = {
    {"addr_rows", case_addr_rows},     {"special_addresses", case_special_addresses},
    {"lookup_rows", case_lookup_rows}, {"no_host", case_no_host},
    {"cancel", case_cancel},           {NULL, NULL},
};
