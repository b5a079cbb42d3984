/* CIDR networks: membership and bad notation. */
#include "security/rules/network.h"

#include "tests/unit/harness.h"

static void test_has_rows(void)
{
    static const struct {
        const char *net, *address;
        bool want;
    } rows[] = {
        {"192.0.2.0/28", "192.0.2.15", true},
        {"192.0.2.0/28", "192.0.2.16", false},
        {"192.0.2.0/28", "::ffff:192.0.2.1", true},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.6", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"2001:db8::/32", "2001:db8:ffff::1", true},
        {"2001:db8::/32", "2001:db9::1", false},
        {"::/0", "192.0.2.1", true},
        {"::1", "::1", true},
        {"::1", "127.0.0.1", false},
        {"127.0.0.0/8", "", false},
        {"127.0.0.0/8", "127.0.0.1 ", false},
        {"127.0.0.0/8", "localhost", false},
        {"127.0.0.0/8", "127.1", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_network n;

        test_row(i);
        CU_ASSERT_FATAL(sec_network_parse(slice_str(rows[i].net), &n) == ERR_OK);
        CU_ASSERT(sec_network_has(&n, slice_str(rows[i].address)) == rows[i].want);
    }
}

static void test_parse_refused(void)
{
    static const char *const rows[] = {"",
                                       "/8",
                                       "192.0.2.0/",
                                       "192.0.2.0/33",
                                       "192.0.2.0/-1",
                                       "192.0.2.0/8x",
                                       "192.0.2.1/28",
                                       "2001:db8::/129",
                                       "2001:db8::1/32",
                                       "example.net",
                                       "192.0.2",
                                       "192.0.2.0/8/8",
                                       "1111:2222:3333:4444:5555:6666:7777:8888:9999"};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_network n = {.bits = 777};

        test_row(i);
        CU_ASSERT(sec_network_parse(slice_str(rows[i]), &n) == ERR_MALFORMED && n.bits == 777);
    }
    CU_ASSERT(sec_network_parse(SLICE("::1\0x"), &(struct sec_network){.bits = 0}) == ERR_MALFORMED);
}

static void test_meets(void)
{
    static const struct {
        const char *a, *b;
        bool meet;
    } rows[] = {{"192.0.2.0/28", "192.0.2.4/30", true},   {"0.0.0.0/0", "198.51.100.1", true},
                {"192.0.2.0/28", "192.0.2.16/28", false}, {"192.0.2.1", "192.0.2.1", true},
                {"192.0.2.1", "192.0.2.2", false},        {"::/0", "192.0.2.1", true},
                {"2001:db8::/32", "192.0.2.0/24", false}, {"2001:db8::/32", "2001:db8:1::/48", true}};
    struct sec_network a, b;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        MUST(!sec_network_parse(slice_str(rows[i].a), &a) && !sec_network_parse(slice_str(rows[i].b), &b));
        CU_ASSERT(sec_network_meets(&a, &b) == rows[i].meet && sec_network_meets(&b, &a) == rows[i].meet);
    }
}

const struct test_case test_cases[] = {
    {"meets", test_meets},
    {"has_rows", test_has_rows},
    {"parse_refused", test_parse_refused},
    {NULL, NULL},
};
