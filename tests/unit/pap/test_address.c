/* Client addresses: the grammar strict and lenient, what is refused, and the canonical key. */
#include "tests/unit/harness.h"

#include "base/arena.h"
#include "base/buf.h"
#include "pap/address.h"

#define BAD ERR_MALFORMED
#define N   PAP_ADDRESS_COUNT /* no type: refused */

static const struct {
    const char *in;
    enum err strict, lenient;
    enum pap_address_type type;
    const char *value, *key, *ppg, *ext;
} rows[] = {
    {"WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net", ERR_OK, ERR_OK, PAP_ADDRESS_PLMN, "+15550100",
     "+15550100", "ppg.example.net", ""},
    {"/WAPPUSH=+1-555.01-00/TYPE=PLMN/@ppg", ERR_OK, ERR_OK, PAP_ADDRESS_PLMN, "+15550100", "+15550100",
     "ppg", ""},
    {"wappush=+15550100/type=plmn", ERR_OK, ERR_OK, PAP_ADDRESS_PLMN, "+15550100", "+15550100", "", ""},
    {"WAPPUSH=+15550100@ppg", ERR_OK, ERR_OK, PAP_ADDRESS_PLMN, "+15550100", "+15550100", "ppg", ""},
    {"WAPPUSH=15550100/TYPE=PLMN", BAD, ERR_OK, PAP_ADDRESS_PLMN, "15550100", "15550100", "", ""},
    {"WAPPUSH=%2B15550100/TYPE=PLMN", BAD, ERR_OK, PAP_ADDRESS_PLMN, "+15550100", "+15550100", "", ""},
    {"WAPPUSH=+1-555-0100/TYPE=GSM_MSISDN@p", ERR_OK, ERR_OK, PAP_ADDRESS_GSM_MSISDN, "+15550100",
     "+15550100", "p", ""},
    {"WAPPUSH=112/TYPE=GSM_Service_Code", ERR_OK, ERR_OK, PAP_ADDRESS_GSM_SERVICE_CODE, "112", "112", "", ""},
    {"WAPPUSH=x1/TYPE=reflex_msiddn", ERR_OK, ERR_OK, PAP_ADDRESS_REFLEX_MSIDDN, "x1", "x1", "", ""},
    {"WAPPUSH=195.153.199.30/TYPE=IPV4@ppg", ERR_OK, ERR_OK, PAP_ADDRESS_IPV4, "195.153.199.30",
     "195.153.199.30", "ppg", ""},
    {"WAPPUSH=010.000.0.001/TYPE=IPV4", ERR_OK, ERR_OK, PAP_ADDRESS_IPV4, "10.0.0.1", "10.0.0.1", "", ""},
    {"WAPPUSH=2001:DB8:0:0:0:0:0:1/TYPE=IPV6@ppg", ERR_OK, ERR_OK, PAP_ADDRESS_IPV6, "2001:db8::1",
     "2001:db8::1", "ppg", ""},
    {"WAPPUSH=2001:db8::1/TYPE=IPV6", BAD, ERR_OK, PAP_ADDRESS_IPV6, "2001:db8::1", "2001:db8::1", "", ""},
    {"WAPPUSH=alice%40example.com/TYPE=USER@rim.net", ERR_OK, ERR_OK, PAP_ADDRESS_USER, "alice@example.com",
     "alice@example.com", "rim.net", ""},
    {"WAPPUSH=user%40host%3A7874/TYPE=USER@rim.net", ERR_OK, ERR_OK, PAP_ADDRESS_USER, "user@host:7874",
     "user@host:7874", "rim.net", ""},
    {"WAPPUSH=%24IT/TYPE=USER@rim.net", ERR_OK, ERR_OK, PAP_ADDRESS_USER, "$IT", "$IT", "rim.net", ""},
    {"WAPPUSH=a%2FTYPE%3DPLMN/TYPE=USER", ERR_OK, ERR_OK, PAP_ADDRESS_USER, "a/TYPE=PLMN", "a/TYPE=PLMN", "",
     ""}, /* escapes move no boundary */
    {"WAPPUSH=+1-555-0100/TYPE=USER", ERR_OK, ERR_OK, PAP_ADDRESS_USER, "+1-555-0100", "+15550100", "", ""},
    {"WAPPUSH=alice@example.com/TYPE=USER@ppg", BAD, ERR_OK, PAP_ADDRESS_USER, "alice@example.com",
     "alice@example.com", "ppg", ""},
    {"WAPPUSH=alice@example.com/TYPE=USER", BAD, ERR_OK, PAP_ADDRESS_USER, "alice@example.com",
     "alice@example.com", "", ""},
    {"WAPPUSH=a/X-Sub=1 2@3/Y=z/TYPE=USER@ppg", ERR_OK, ERR_OK, PAP_ADDRESS_USER, "a", "a", "ppg",
     "/X-Sub=1 2@3/Y=z"},
    {"WAPPUSH=sip%3Aalice%40example.com/TYPE=USER@ppg.example.net", ERR_OK, ERR_OK, PAP_ADDRESS_SIP,
     "sip:alice@example.com", "sip:alice@example.com", "ppg.example.net", ""},
    {"WAPPUSH=SIP%3Aalice%40Example.COM.%3Btransport%3Dtcp/TYPE=SIP", ERR_OK, ERR_OK, PAP_ADDRESS_SIP,
     "SIP:alice@Example.COM.;transport=tcp", "sip:alice@example.com", "", ""},
    {"sip:alice@example.com:5060", BAD, ERR_OK, PAP_ADDRESS_SIP, "sip:alice@example.com:5060",
     "sip:alice@example.com", "", ""},
    {"WAPPUSH=sip%3A%2561lice%3Apw%40h%3Fa=b/TYPE=USER", BAD, ERR_OK, PAP_ADDRESS_SIP, "sip:%61lice:pw@h?a=b",
     "sip:alice@h", "", ""},
    {"WAPPUSH=sip%3Aa%253bb%40h/TYPE=USER", ERR_OK, ERR_OK, PAP_ADDRESS_SIP, "sip:a%3bb@h", "sip:a%3Bb@h", "",
     ""},
    {"WAPPUSH=sip%3Ab%25%2544e%40h/TYPE=USER", ERR_OK, ERR_OK, PAP_ADDRESS_SIP, "sip:b%%44e@h",
     "sip:b%25De@h", "", ""},
    {"sips:[2001:DB8::1]:5061", BAD, ERR_OK, PAP_ADDRESS_SIP, "sips:[2001:DB8::1]:5061", "sips:[2001:db8::1]",
     "", ""},
    {"sip:example.com", BAD, ERR_OK, PAP_ADDRESS_SIP, "sip:example.com", "sip:example.com", "", ""},
    {"tel:+1-555-(01)00;ext=5", BAD, ERR_OK, PAP_ADDRESS_SIP, "tel:+1-555-(01)00;ext=5", "+15550100", "", ""},
    {"push_all", BAD, ERR_OK, PAP_ADDRESS_USER, "push_all", "push_all", "", ""},
    {"  2100000A ", BAD, ERR_OK, PAP_ADDRESS_USER, "2100000A", "2100000A", "", ""},
    {"alice@example.com", BAD, ERR_OK, PAP_ADDRESS_USER, "alice@example.com", "alice@example.com", "", ""},
    {"+15550100", BAD, ERR_OK, PAP_ADDRESS_USER, "+15550100", "+15550100", "", ""},
    {"", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=/TYPE=PLMN@ppg", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=+/TYPE=PLMN@ppg", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=+-./TYPE=PLMN@ppg", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=+1555a/TYPE=PLMN@ppg", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=1+555/TYPE=PLMN@ppg", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=abc/TYPE=GSM_MSISDN@ppg", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=+1/TYPE=@ppg", ERR_UNSUPPORTED, ERR_UNSUPPORTED, N, "", "", "", ""},
    {"WAPPUSH=+1/TYPE=FOO@ppg", ERR_UNSUPPORTED, ERR_UNSUPPORTED, N, "", "", "", ""},
    {"WAPPUSH=+1/TYPE=PLMN/TYPE=USER@ppg", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=+1/TYPE=PLMN/X=y@ppg", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=+1/TYPE=PLMN@", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=+1/TYPE=PLMN@-ppg", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=+1/TYPE=PLMN@a..b", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=+1/TYPE=PLMN@ppg:80", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=+1/X_Y=z/TYPE=PLMN", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=+1/X=/TYPE=PLMN", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=+1/=x/TYPE=PLMN", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=+1//TYPE=PLMN", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=1.2.3/TYPE=IPV4", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=1.2.3.4.5/TYPE=IPV4", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=1.2.3.256/TYPE=IPV4", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=1.2.3.0004/TYPE=IPV4", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=0001.2.3.4/TYPE=IPV4", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=1:2:3:4:5:6:7/TYPE=IPV6", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=1:2:3:4:5:6:7:8:9/TYPE=IPV6", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=1:2:3:4:5:6:7:g/TYPE=IPV6", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=fe80::1%25eth0/TYPE=IPV6", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=a%/TYPE=USER", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=a%4/TYPE=USER", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=a%GG/TYPE=USER", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=a%00b/TYPE=USER", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=a%0D%0Ab/TYPE=USER", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=a b/TYPE=USER", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=a\nb/TYPE=USER", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=alice/TYPE=SIP", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=sip%3A/TYPE=USER", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=sip%3A%40h/TYPE=USER", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=sip%3Aa%40/TYPE=USER", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=sip%3Aa%40b_c/TYPE=USER", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=sip%3Aa%20b%40h/TYPE=USER", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=sip%3Aa%3E%40h/TYPE=USER", BAD, BAD, N, "", "", "", ""},
    {"WAPPUSH=tel%3Aabc/TYPE=USER", BAD, BAD, N, "", "", "", ""},
    {"sip:[::1", BAD, BAD, N, "", "", "", ""},
    {"hello world", BAD, BAD, N, "", "", "", ""},
};

static void key_eq(const struct pap_address *a, const char *want)
{
    struct buf key;

    buf_init(&key, 1024);
    pap_address_key(a, &key);
    TEST_SLICE_EQ(buf_slice(&key), slice_str(want));
    buf_clear(&key);
}

static void row_check(size_t i, bool strict)
{
    enum err want = strict ? rows[i].strict : rows[i].lenient;
    struct pap_address got = {.type = PAP_ADDRESS_COUNT};
    struct arena arena;

    arena_init(&arena, 256, 4096);
    CU_ASSERT_EQUAL(pap_address_parse(slice_str(rows[i].in), strict, &arena, &got), want);
    CU_ASSERT_EQUAL(got.type, want ? PAP_ADDRESS_COUNT : rows[i].type); /* untouched on failure */
    if (!want) {
        TEST_SLICE_EQ(got.value, slice_str(rows[i].value));
        TEST_SLICE_EQ(got.ppg, slice_str(rows[i].ppg));
        TEST_SLICE_EQ(got.ext, slice_str(rows[i].ext));
        TEST_SLICE_EQ(got.raw, slice_str(rows[i].in));
        key_eq(&got, rows[i].key);
    }
    arena_clear(&arena);
}

static void test_strict(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        row_check(i, true);
    }
}

static void test_lenient(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        row_check(i, false);
    }
}

static void test_length(void)
{
    static char text[514] = "WAPPUSH=";
    struct pap_address got;
    struct arena arena;

    (void)memset(text + 8, 'a', sizeof text - 8);
    arena_init(&arena, 1024, 65536);
    CU_ASSERT_EQUAL(pap_address_parse(slice_of(text, 512), true, &arena, &got), ERR_OK);
    CU_ASSERT_EQUAL(pap_address_parse(slice_of(text, 513), true, &arena, &got), ERR_LIMIT);
    CU_ASSERT_EQUAL(pap_address_parse(slice_of(text, 513), false, &arena, &got), ERR_LIMIT);
    arena_clear(&arena);
}

static void test_no_memory(void)
{
    struct pap_address got;
    struct arena arena;

    arena_init(&arena, 8, 8);
    CU_ASSERT_EQUAL(pap_address_parse(SLICE("WAPPUSH=+15550100/TYPE=PLMN"), true, &arena, &got), ERR_NOMEM);
    arena_clear(&arena);
}

static void test_types(void)
{
    CU_ASSERT_STRING_EQUAL(pap_address_type_text(PAP_ADDRESS_PLMN), "PLMN");
    CU_ASSERT_STRING_EQUAL(pap_address_type_text(PAP_ADDRESS_MAN), "MAN");
    CU_ASSERT_STRING_EQUAL(pap_address_type_text(PAP_ADDRESS_COUNT), "");
}

/* RFC 5627 §3.1; the key is that of the whole address. */
static void test_device(void)
{
    static const struct {
        const char *in;
        enum err want;
        const char *device;
    } of[] = {
        {"WAPPUSH=sip%3Aalice%40example.com%3Bgr%3Durn%3Auuid%3A0f8fad5b/TYPE=USER@ppg.example.com", ERR_OK,
         "urn:uuid:0f8fad5b"},
        {"sip:alice@example.com;transport=tcp;GR=kjh29x97us97d", ERR_OK, "kjh29x97us97d"},
        {"sip:alice@[2001:db8::1]:5060;gr=a;x=y?gr=b", ERR_OK, "a"},
        {"sip:alice@example.com;gr", ERR_ABSENT, ""}, /* a temporary one, which is not ours */
        {"sip:alice@example.com;gr=", ERR_ABSENT, ""},
        {"sip:alice;gr=a@example.com", ERR_ABSENT, ""}, /* of the user part */
        {"sip:alice@example.com?gr=a", ERR_ABSENT, ""},
        {"sip:alice@example.com;grr=a;xgr=b", ERR_ABSENT, ""},
        {"tel:+15550100;gr=a", ERR_ABSENT, ""},
        {"alice;gr=a", ERR_ABSENT, ""},
        {"sip:@;gr=a", ERR_MALFORMED, ""},
    };

    for (size_t i = 0; i < COUNT(of); i++) {
        struct buf got;

        test_row(i);
        buf_init(&got, 64);
        CU_ASSERT_EQUAL(pap_address_device(slice_str(of[i].in), false, &got), of[i].want);
        TEST_SLICE_EQ(buf_slice(&got), slice_str(of[i].device));
        CU_ASSERT(of[i].want != ERR_OK || pap_address_may_name_device(slice_str(of[i].in)));
        buf_clear(&got);
    }
    CU_ASSERT(!pap_address_may_name_device(SLICE("WAPPUSH=+15550100/TYPE=PLMN@ppg.example.com")));
}

const struct test_case test_cases[] = {
    {"strict", test_strict},
    {"lenient", test_lenient},
    {"length", test_length},
    {"no memory", test_no_memory},
    {"types", test_types},
    {"device", test_device},
    {NULL, NULL},
};
