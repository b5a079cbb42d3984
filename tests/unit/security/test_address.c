/* Canonical recipient addresses: equal ones become equal, unreadable ones are refused. */
#include "security/address.h"

#include "base/mem.h"
#include "tests/unit/harness.h"

static const struct {
    const char *in, *want; /* want NULL: malformed */
    const char *domain;
} canonical_rows[] = {
    {"+15551234567", "+15551234567", ""},
    {"tel:+15551234567", "+15551234567", ""},
    {"TEL:+1-555.123(4567);ext=1", "+15551234567", ""},
    {"+1-(555)-1234567", "+15551234567", ""},
    {"tel:*21#", "*21#", ""},
    {"15551234567", "15551234567", ""},
    {"sip:alice@example.net", "sip:alice@example.net", "example.net"},
    {"SIPS:alice@EXAMPLE.net.", "sip:alice@example.net", "example.net"},
    {"sip:alice:secret@example.net:5061;transport=tcp?x=y", "sip:alice@example.net", "example.net"},
    {"sip:Alice@example.net", "sip:Alice@example.net", "example.net"}, /* users keep their case */
    {"sip:%61lice@example.net", "sip:alice@example.net", "example.net"},
    {"sip:a%2fb@example.net", "sip:a%2Fb@example.net", "example.net"},
    {"sip:+1-555-1@example.net;user=phone", "sip:+15551@example.net", "example.net"},
    {"sip:a;b?c@example.net", "sip:a;b?c@example.net", "example.net"},
    {"sip:example.net", "sip:example.net", "example.net"},
    {"sip:a@[2001:DB8::1]:5060", "sip:a@[2001:db8::1]", "[2001:db8::1]"},
    {"bob@Example.NET", "bob@example.net", "example.net"},
    {"a@b@Example.NET", "a@b@example.net", "example.net"},
    {"192.0.2.1", "192.0.2.1", ""},
    {"", NULL, NULL},
    {" ", NULL, NULL},
    {"a b", NULL, NULL},
    {"+1555\n", NULL, NULL},
    {"a\x7f", NULL, NULL},
    {"+", NULL, NULL},
    {"tel:", NULL, NULL},
    {"tel:;x=y", NULL, NULL},
    {"tel:+1a", NULL, NULL},
    {"tel:1+5", NULL, NULL},
    {"sip:", NULL, NULL},
    {"sip:@example.net", NULL, NULL},
    {"sip:a@", NULL, NULL},
    {"sip:a@;x", NULL, NULL},
    {"sip::pw@h", NULL, NULL},
    {"sip:a@b@c", NULL, NULL}, /* which one is the host? */
    {"sip:a%@h", NULL, NULL},
    {"sip:a%4@h", NULL, NULL},
    {"sip:a%zz@h", NULL, NULL},
    {"sip:a@ex/ample", NULL, NULL},
    {"sip:192.0..", NULL, NULL}, /* empty labels */
    {"sip:a@.", NULL, NULL},
    {"sip:a@.h", NULL, NULL},
    {"bob@a..b", NULL, NULL},
    {"@example.net", NULL, NULL},
    {"bob@", NULL, NULL},
    {"bob@exa mple", NULL, NULL},
    {"bob@exa;mple", NULL, NULL},
};

static void test_canonical_rows(void)
{
    for (size_t i = 0; i < COUNT(canonical_rows); i++) {
        struct sec_address a = {.n = 7777};
        enum err e = sec_address_canonical(slice_str(canonical_rows[i].in), &a);

        test_row(i);
        CU_ASSERT(e == (canonical_rows[i].want ? ERR_OK : ERR_MALFORMED));
        CU_ASSERT(!e || a.n == 7777);
        if (e)
            continue;
        TEST_SLICE_EQ(slice_of(a.text, a.n), slice_str(canonical_rows[i].want));
        TEST_SLICE_EQ(slice_of(a.text + a.domain, a.n - a.domain), slice_str(canonical_rows[i].domain));
    }
}

/* Canonical is canonical: once more changes nothing. */
static void test_canonical_is_stable(void)
{
    static const char *const rows[] = {"TEL:+1-555", "sips:%61%2f@H:1;x", "Bob@H.", "sip:%2B1-5@h",
                                       "sip:%252f@h"};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_address once, twice;

        test_row(i);
        CU_ASSERT_FATAL(sec_address_canonical(slice_str(rows[i]), &once) == ERR_OK);
        CU_ASSERT_FATAL(sec_address_canonical(slice_of(once.text, once.n), &twice) == ERR_OK);
        TEST_SLICE_EQ(slice_of(twice.text, twice.n), slice_of(once.text, once.n));
    }
}

static void test_length(void)
{
    char text[SEC_ADDRESS_MAX_N + 1];
    struct sec_address a;

    memset(text, '1', sizeof text);
    CU_ASSERT(sec_address_canonical(slice_of(text, SEC_ADDRESS_MAX_N), &a) == ERR_OK);
    CU_ASSERT(sec_address_canonical(slice_of(text, SEC_ADDRESS_MAX_N + 1), &a) == ERR_LIMIT);
    text[10] = '@';
    CU_ASSERT(sec_address_canonical(slice_of(text, SEC_ADDRESS_MAX_N + 1), &a) == ERR_LIMIT);
    mem_copy(text, sizeof text, SLICE("sip:"));
    CU_ASSERT(sec_address_canonical(slice_of(text, SEC_ADDRESS_MAX_N), &a) == ERR_OK);
    CU_ASSERT(sec_address_canonical(slice_of(text, SEC_ADDRESS_MAX_N + 1), &a) == ERR_LIMIT);
    mem_copy(text, sizeof text, SLICE("+123"));
    text[10] = '1';
    CU_ASSERT(sec_address_canonical(slice_of(text, SEC_ADDRESS_MAX_N + 1), &a) == ERR_LIMIT);
}

const struct test_case test_cases[] = {
    {"canonical_rows", test_canonical_rows},
    {"canonical_is_stable", test_canonical_is_stable},
    {"length", test_length},
    {NULL, NULL},
};
