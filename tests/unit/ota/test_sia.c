/* The session initiation content: the specification's example octet by octet, both directions, and refusals. */
#include "ota/sia.h"

#include "base/codec.h"
#include "tests/unit/harness.h"

#define PPG_V4 SLICE("\xC0\x00\x02\x0A") /* 192.0.2.10 */

static struct ota_sia example(void)
{
    struct ota_sia sia = {.apps = {SLICE("x-wap-application:wml.ua")}, .apps_n = 1, .contacts_n = 1};

    sia.contacts[0] = (struct ota_sia_contact){
        .with_bearer = true, .bearer = OTA_SIA_GPRS, .port = 4035, .address = PPG_V4};
    return sia;
}

static void check_printed(const struct ota_sia *sia, const char *want)
{
    struct buf out, hex;

    buf_init(&out, OTA_SIA_MAX_N);
    buf_init(&hex, 2 * OTA_SIA_MAX_N);
    CU_ASSERT_EQUAL(ota_sia_print(sia, &out), ERR_OK);
    codec_hex(&hex, buf_slice(&out));
    TEST_SLICE_EQ(buf_slice(&hex), slice_str(want));
    buf_clear(&out);
    buf_clear(&hex);
}

static void octets_by_hand(void)
{
    struct ota_sia sia = example();
    struct ota_sia none = {.version = 0};

    check_printed(&sia, "010182"
                        "00"
                        "08c40b0fc3c000020a"
                        "010000"
                        "00"); /* [OTA-HTTP §9.1] */
    sia.contacts[0].with_tag = ota_sia_tag(SLICE("q83vEg=="), sia.contacts[0].tag);
    CU_ASSERT_TRUE(sia.contacts[0].with_tag);
    sia.prov_url = SLICE("ppg");
    check_printed(&sia, "0101820008c40b0fc3c000020a0101"
                        "03707067"
                        "01abcdef12");
    check_printed(&none, "01000000000000");
}

static void tags_of_four_octets_only(void)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {{"q83vEg==", true}, {"AAAAAA==", true},  {"", false},
                {"q83v", false},    {"q83vEjQ=", false}, {"q83vEg", false},
                {"9f2c", false},    {"9F2C1A3B", false}, {"q83v Eg==", false}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t tag[OTA_SIA_TAG_N] = {7, 7, 7, 7};

        test_row(i);
        CU_ASSERT_EQUAL(ota_sia_tag(slice_str(rows[i].text), tag), rows[i].good);
        CU_ASSERT(rows[i].good || tag[0] == 7);
    }
}

static void check_same(const struct ota_sia *a, const struct ota_sia *b)
{
    CU_ASSERT(a->apps_n == b->apps_n && a->contacts_n == b->contacts_n);
    for (size_t i = 0; i < a->apps_n && i < b->apps_n; i++)
        TEST_SLICE_EQ(a->apps[i], b->apps[i]);
    for (size_t i = 0; i < a->contacts_n && i < b->contacts_n; i++) {
        const struct ota_sia_contact *c = &a->contacts[i], *d = &b->contacts[i];

        CU_ASSERT(c->with_bearer == d->with_bearer && c->bearer == d->bearer && c->port == d->port);
        CU_ASSERT(c->with_tag == d->with_tag);
        TEST_SLICE_EQ(slice_of(c->tag, OTA_SIA_TAG_N), slice_of(d->tag, OTA_SIA_TAG_N));
        TEST_SLICE_EQ(c->address, d->address);
    }
    TEST_SLICE_EQ(a->prov_url, b->prov_url);
}

static void printed_is_read_back(void)
{
    struct ota_sia sia = example(), got;
    struct buf out;

    sia.apps[sia.apps_n++] = SLICE("urn:own");
    sia.apps[sia.apps_n++] = SLICE("x-oma-nokia:call.ua");
    sia.contacts[sia.contacts_n++] =
        (struct ota_sia_contact){.with_bearer = true,
                                 .bearer = OTA_SIA_IPV6,
                                 .port = 4036,
                                 .address = SLICE("\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01"),
                                 .with_tag = true,
                                 .tag = {1, 2, 3, 4}};
    sia.contacts[sia.contacts_n++] = (struct ota_sia_contact){.address = SLICE("198.51.100.7")};
    sia.prov_url = SLICE("ppg.example.net");
    buf_init(&out, OTA_SIA_MAX_N);
    CU_ASSERT_EQUAL(ota_sia_print(&sia, &out), ERR_OK);
    CU_ASSERT_EQUAL(ota_sia_parse(buf_slice(&out), &got), ERR_OK);
    CU_ASSERT_EQUAL(got.version, 1);
    check_same(&sia, &got);
    buf_clear(&out);
}

static void forms_of_others(void)
{
    struct ota_sia got;

    CU_ASSERT_EQUAL(ota_sia_parse(SLICE("\x00\x01\x82\x05\x44\xC0\x00\x02\x0A"), &got), ERR_OK);
    CU_ASSERT(got.version == 0 && got.apps_n == 1 && got.wsp_n == 5 && got.contacts_n == 0);
    TEST_SLICE_EQ(got.apps[0], SLICE("x-wap-application:wml.ua"));
    /* an unknown number in the list, and an option of somebody else's */
    CU_ASSERT_EQUAL(
        ota_sia_parse(SLICE("\x01\x04\x02\x12\x34\x82\x00\x05\x04\x7F\x00\x00\x01\x01\x85\x00\x00\x00"),
                      &got),
        ERR_OK);
    CU_ASSERT(got.apps_n == 1 && got.contacts_n == 1 && !got.contacts[0].with_tag &&
              got.contacts[0].port == 0);
}

static void refused_to_print(void)
{
    struct ota_sia sia = example();
    struct buf out;

    buf_init(&out, OTA_SIA_MAX_N);
    sia.contacts[0].address = SLICE_NONE;
    CU_ASSERT_EQUAL(ota_sia_print(&sia, &out), ERR_MALFORMED);
    sia.contacts[0].address = SLICE("0123456789012345678901234567890123456789012345678901234567890123");
    CU_ASSERT_EQUAL(ota_sia_print(&sia, &out), ERR_MALFORMED);
    sia = example();
    sia.apps[0] = SLICE("a b");
    CU_ASSERT_EQUAL(ota_sia_print(&sia, &out), ERR_MALFORMED);
    sia.apps[0] = SLICE_NONE;
    CU_ASSERT_EQUAL(ota_sia_print(&sia, &out), ERR_MALFORMED);
    sia = example();
    sia.contacts_n = OTA_SIA_CONTACTS_MAX + 1;
    CU_ASSERT_EQUAL(ota_sia_print(&sia, &out), ERR_LIMIT);
    sia = example();
    sia.apps_n = OTA_SIA_APPS_MAX + 1;
    CU_ASSERT_EQUAL(ota_sia_print(&sia, &out), ERR_LIMIT);
    buf_clear(&out);
    buf_init(&out, 10);
    sia = example();
    CU_ASSERT_EQUAL(ota_sia_print(&sia, &out), ERR_LIMIT);
    buf_clear(&out);
}

static void refused_to_read(void)
{
    static const struct {
        const char *octets;
        size_t n;
        enum err want;
    } rows[] = {
        {"", 0, ERR_MALFORMED},
        {"\x02\x00\x00", 3, ERR_UNSUPPORTED},
        {"\x00\x00", 2, ERR_MALFORMED},
        {"\x00\x02\x82\x00", 4, ERR_MALFORMED}, /* a length as application */
        {"\x00\x09\x82\x00", 4, ERR_LIMIT},
        {"\x00\x00\x00\x00", 4, ERR_MALFORMED}, /* a tail */
        {"\x01\x00\x00", 3, ERR_MALFORMED},
        {"\x01\x00\x00\x01\x00\x00\x00\x00", 8, ERR_MALFORMED}, /* an address of nothing */
        {"\x01\x00\x00\x02\x44\x01\x00\x00\x00", 9, ERR_LIMIT},
        {"\x01\x00\x00\x02\x81\x0B\x00\x00\x00", 9, ERR_LIMIT},
        {"\x01\x00\x00\x00\x01\x01\x00\x01zzzz", 12, ERR_MALFORMED},      /* a tag of no contact */
        {"\x01\x00\x00\x02\x01z\x01\x01\x00\x00", 10, ERR_MALFORMED},     /* a tag that is missing */
        {"\x01\x00\x00\x02\x01z\x01\x00\x00\x01zzzz", 14, ERR_MALFORMED}, /* one too many */
        {"\x01\x00\x00\x02\x01z\x01\x01\x00\x01zzz", 13, ERR_LIMIT},      /* one too short */
        {"\x01\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 16, ERR_LIMIT},
        {"\x01\x00\x00\x12\x01z\x01z\x01z\x01z\x01z\x01z\x01z\x01z\x01z\x00\x00\x00", 25, ERR_LIMIT},
        {"\x00\x11\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x00", 20, ERR_LIMIT},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sia got = {.version = 9};

        test_row(i);
        CU_ASSERT_EQUAL(ota_sia_parse(slice_of(rows[i].octets, rows[i].n), &got), rows[i].want);
        CU_ASSERT_EQUAL(got.version, 9); /* untouched */
    }
}

const struct test_case test_cases[] = {
    {"octets_by_hand", octets_by_hand},
    {"tags_of_four_octets_only", tags_of_four_octets_only},
    {"printed_is_read_back", printed_is_read_back},
    {"forms_of_others", forms_of_others},
    {"refused_to_print", refused_to_print},
    {"refused_to_read", refused_to_read},
    {NULL, NULL},
};
