/* One spelling for names of certificates. */
#include "security/rules/matcher.h"

#include "tests/unit/harness.h"

static const struct {
    const char *in, *out; /* out NULL: refused */
} rows[] = {
    {"URI:https://Host.example/Path", "URI:https://Host.example/Path"},
    {"DNS:MMSC.Example.net", "DNS:mmsc.example.net"},
    {"EMAIL:Ops@Example.NET", "EMAIL:Ops@example.net"},
    {"EMAIL:Ops", "EMAIL:Ops"},
    {"dns:host", NULL},
    {"IP:192.0.2.1", NULL},
    {"CN:host", NULL},
    {"DNS:", NULL},
    {"DNS", NULL},
    {"", NULL},
};

static void test_parse(void)
{
    char key[SEC_MATCHER_MAX_N];

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        TEST_SLICE_EQ(sec_matcher_parse(slice_str(rows[i].in), key), slice_str(rows[i].out));
    }
}

static void test_octets_that_end_no_name(void)
{
    char key[SEC_MATCHER_MAX_N], big[SEC_MATCHER_MAX_N];

    for (size_t i = 0; i < sizeof big; i++)
        big[i] = 'x';
    CU_ASSERT(sec_matcher_key("DNS:", SLICE("host\0.evil"), key).n == 0);
    CU_ASSERT(sec_matcher_key("DNS:", slice_of(big, sizeof big - 3), key).n == 0);
    CU_ASSERT(sec_matcher_key("DNS:", slice_of(big, sizeof big - 4), key).n == sizeof big);
}

const struct test_case test_cases[] = {
    {"parse", test_parse},
    {"octets_that_end_no_name", test_octets_that_end_no_name},
    {NULL, NULL},
};
