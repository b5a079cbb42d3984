/* Keys by B-TID at our own doors: what the terminal derives is what we find, for every protocol and kind; and all that
 * is not found. */
#include "security/gba/naf.h"

#include "base/codec.h"
#include "tests/unit/security/naf_fix.h"

#define REALM      SLICE("3GPP-bootstrapping@ppg.operator.example")
#define REALM_UICC SLICE("3GPP-bootstrapping-uicc@ppg.operator.example")

static const struct sec_digest_request post = {{"POST", 4}, {"/pap", 4}, {NULL, 0}, true};

static struct slice identity_of(const struct naf_fix *f, enum sec_gba_kind kind, struct buf *out)
{
    buf_reset(out, 1024);
    MUST(sec_gba_psk_identity(kind, naf_fix_btid(f), out) == ERR_OK);
    return buf_slice(out);
}

static void test_psk(void)
{
    static const struct {
        enum sec_gba_kind kind;
        unsigned version;
        uint16_t suite;
        struct slice ua;
    } rows[] = {{SEC_GBA_ME, 12, 0x00aa, {"\x01\x00\x01\x00\xaa", 5}},
                {SEC_GBA_ME, 12, 0xccad, {"\x01\x00\x01\xcc\xad", 5}},
                {SEC_GBA_ME, 13, 0, {"\x01\x00\x00\x00\x07", 5}},
                {SEC_GBA_UICC, 12, 0x00aa, {"\x01\x00\x01\x00\xaa", 5}},
                {SEC_GBA_UICC, 13, 0, {"\x01\x00\x00\x00\x07", 5}}};
    struct naf_fix f;
    struct buf text;

    naf_fix_open(&f, SEC_AKA_STAR_SHA256);
    buf_init(&text, 1024);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_secret want = naf_fix_key(&f, rows[i].kind, FIX_NAF, rows[i].ua), got;

        test_row(i);
        CU_ASSERT(
            sec_naf_psk(&f.naf, identity_of(&f, rows[i].kind, &text), rows[i].version, rows[i].suite, &got));
        TEST_SLICE_EQ(sec_secret_slice(&got), sec_secret_slice(&want));
    }
    buf_clear(&text);
    naf_fix_close(&f);
}

static void test_psk_refused(void)
{
    struct sec_secret key;
    char impi[SEC_GBA_IMPI_MAX_N];
    size_t n = 7;
    struct naf_fix f;
    struct sec_naf none;
    struct buf text;

    naf_fix_open(&f, SEC_AKA_PLAIN);
    buf_init(&text, 1024);
    none = (struct sec_naf){.fqdn = FIX_NAF, .now_s = FIX_NOW};
    CU_ASSERT(!sec_naf_psk(&none, identity_of(&f, SEC_GBA_ME, &text), 12, 0xaa, &key));
    CU_ASSERT(sec_naf_psk_impi(&none, buf_slice(&text), 0xaa, impi, &n) == ERR_ABSENT);
    CU_ASSERT(
        !sec_naf_psk(&f.naf, identity_of(&f, SEC_GBA_UICC, &text), 12, 0xaa, &key)); /* has no such key */
    CU_ASSERT(!sec_naf_psk(&f.naf, identity_of(&f, SEC_GBA_DIGEST, &text), 12, 0xaa, &key));
    CU_ASSERT(!sec_naf_psk(&f.naf, naf_fix_btid(&f), 12, 0xaa, &key));
    CU_ASSERT(!sec_naf_psk(&f.naf, SLICE(""), 12, 0xaa, &key));
    CU_ASSERT(sec_naf_psk_impi(&f.naf, SLICE("mms"), 0xaa, impi, &n) == ERR_MALFORMED && n == 7);
    f.naf.now_s = FIX_NOW + FIX_LIFE;
    CU_ASSERT(!sec_naf_psk(&f.naf, identity_of(&f, SEC_GBA_ME, &text), 12, 0xaa, &key));
    CU_ASSERT(sec_naf_psk_impi(&f.naf, buf_slice(&text), 0xaa, impi, &n) == ERR_ABSENT && n == 7);
    buf_clear(&text);
    naf_fix_close(&f);
}

static void test_psk_impi(void)
{
    char impi[SEC_GBA_IMPI_MAX_N];
    struct naf_fix f;
    struct buf text;
    size_t n = 0;

    naf_fix_open(&f, SEC_AKA_PLAIN);
    buf_init(&text, 1024);
    CU_ASSERT(sec_naf_psk_impi(&f.naf, identity_of(&f, SEC_GBA_ME, &text), 0xaa, impi, &n) == ERR_OK);
    TEST_SLICE_EQ(slice_of(impi, n), FIX_IMPI);
    buf_clear(&text);
    naf_fix_close(&f);
}

static enum err ha1_of(struct naf_fix *f, struct slice realm, const struct sec_secret *key, uint16_t suite,
                       bool *right)
{
    struct sec_digest_offer offer = {
        .realm = realm, .nonce = SLICE("n"), .algorithm = SEC_DIGEST_MD5, .qop_given = true, .auth = true};
    struct sec_secret ha1, password, want;
    struct sec_digest_response r;
    char impi[SEC_GBA_IMPI_MAX_N];
    size_t n = 0;
    struct buf says;
    enum err e;

    buf_init(&says, 4096);
    naf_fix_digest(f, &offer, key, naf_fix_btid(f), &post, &says);
    MUST(sec_digest_parse(buf_slice(&says), &r) == ERR_OK);
    MUST(sec_gba_password(key, &password) == ERR_OK);
    MUST(sec_digest_ha1(offer.algorithm, r.username, realm, sec_secret_slice(&password), &want) == ERR_OK);
    e = sec_naf_ha1(&f->naf, &r, &post, suite, &ha1, impi, &n);
    *right = !e && slice_eq(sec_secret_slice(&ha1), sec_secret_slice(&want)) &&
             slice_eq(slice_of(impi, n), FIX_IMPI);
    buf_clear(&says);
    return e;
}

static const struct {
    enum sec_gba_kind kind;
    struct slice realm, fqdn, ua;
    uint16_t suite;
    enum err want;
    bool right;
} ha1_rows[] = {
    {SEC_GBA_ME,
     {"3GPP-bootstrapping@ppg.operator.example", 39},
     {"ppg.operator.example", 20},
     {"\x01\x00\x00\x00\x02", 5},
     0x1301,
     ERR_OK,
     true},
    {SEC_GBA_ME,
     {"3GPP-bootstrapping@ppg.operator.example", 39},
     {"ppg.operator.example", 20},
     {"\x01\x00\x00\x00\x02", 5},
     0,
     ERR_OK,
     true},
    {SEC_GBA_ME,
     {"3GPP-bootstrapping@ppg.operator.example", 39},
     {"ppg.operator.example", 20},
     {"\x01\x00\x01\x13\x01", 5},
     0x1301,
     ERR_OK,
     true},
    {SEC_GBA_UICC,
     {"3GPP-bootstrapping-uicc@ppg.operator.example", 44},
     {"ppg.operator.example", 20},
     {"\x01\x00\x00\x00\x02", 5},
     0x1301,
     ERR_OK,
     true},
    {SEC_GBA_ME,
     {"3GPP-bootstrapping@ppg.operator.example", 39},
     {"ppg.operator.example", 20},
     {"\x01\x00\x01\x13\x01", 5},
     0x1302,
     ERR_OK,
     false},
    {SEC_GBA_ME,
     {"3GPP-bootstrapping@ppg.operator.example", 39},
     {"ppg.operator.example", 20},
     {"\x01\x00\x01\x13\x01", 5},
     0,
     ERR_OK,
     false},
    {SEC_GBA_ME,
     {"3GPP-bootstrapping@ppg.operator.example", 39},
     {"other.example", 13},
     {"\x01\x00\x00\x00\x02", 5},
     0,
     ERR_OK,
     false},
    {SEC_GBA_UICC,
     {"3GPP-bootstrapping@ppg.operator.example", 39},
     {"ppg.operator.example", 20},
     {"\x01\x00\x00\x00\x02", 5},
     0,
     ERR_OK,
     false},
    {SEC_GBA_ME,
     {"3GPP-bootstrapping@other.example", 32},
     {"ppg.operator.example", 20},
     {"\x01\x00\x00\x00\x02", 5},
     0,
     ERR_DENIED,
     false},
    {SEC_GBA_ME,
     {"3GPP-bootstrapping-digest@ppg.operator.example", 46},
     {"ppg.operator.example", 20},
     {"\x01\x00\x00\x00\x02", 5},
     0,
     ERR_DENIED,
     false},
    {SEC_GBA_ME,
     {"push", 4},
     {"ppg.operator.example", 20},
     {"\x01\x00\x00\x00\x02", 5},
     0,
     ERR_DENIED,
     false},
};

static void test_ha1(void)
{
    struct naf_fix f;

    naf_fix_open(&f, SEC_AKA_STAR_SHA256);
    for (size_t i = 0; i < COUNT(ha1_rows); i++) {
        struct sec_secret key = naf_fix_key(&f, ha1_rows[i].kind, ha1_rows[i].fqdn, ha1_rows[i].ua);
        bool right = false;

        test_row(i);
        CU_ASSERT(ha1_of(&f, ha1_rows[i].realm, &key, ha1_rows[i].suite, &right) == ha1_rows[i].want);
        CU_ASSERT(right == ha1_rows[i].right);
    }
    naf_fix_close(&f);
}

static void test_ha1_of_nobody(void)
{
    struct sec_secret key;
    struct naf_fix f;
    bool right;

    naf_fix_open(&f, SEC_AKA_PLAIN);
    key = naf_fix_key(&f, SEC_GBA_ME, FIX_NAF, SEC_GBA_UA_DIGEST);
    CU_ASSERT(ha1_of(&f, REALM_UICC, &key, 0, &right) == ERR_ABSENT); /* no key in the module */
    f.btid[0] = f.btid[0] == 'A' ? 'B' : 'A';
    CU_ASSERT(ha1_of(&f, REALM, &key, 0, &right) == ERR_ABSENT);
    f.btid_n = 3;
    CU_ASSERT(ha1_of(&f, REALM, &key, 0, &right) == ERR_ABSENT); /* not even a B-TID */
    naf_fix_close(&f);
}

/* Of a far BSF each key must be asked for once, and then it is as if it were our own. */
static void test_far_psk(void)
{
    static const uint16_t suites[] = {0xaa, 0xab, 0x1301};
    char impi[SEC_GBA_IMPI_MAX_N];
    struct sec_naf_want want;
    struct sec_farkeys *far;
    struct sec_secret key;
    struct slice identity;
    struct naf_fix f;
    struct buf text;
    size_t n = 0;

    naf_fix_open(&f, SEC_AKA_PLAIN);
    far = naf_fix_far(&f, &want);
    buf_init(&text, 1024);
    identity = identity_of(&f, SEC_GBA_ME, &text);
    for (size_t i = 0; i < COUNT(suites); i++) {
        unsigned version = suites[i] >> 8 == 0x13 ? 13 : 12;
        uint16_t suite = version == 13 ? 0 : suites[i];

        test_row(i);
        CU_ASSERT(!sec_naf_psk(&f.naf, identity, version, suite, &key));
        TEST_SLICE_EQ(slice_of(want.btid, want.btid_n), naf_fix_btid(&f));
        CU_ASSERT(sec_naf_psk_impi(&f.naf, identity, suites[i], impi, &n) == ERR_AGAIN);
        naf_fix_learn(&f, &want);
        CU_ASSERT(sec_naf_psk(&f.naf, identity, version, suite, &key) && want.btid_n == 0);
        CU_ASSERT(sec_naf_psk_impi(&f.naf, identity, suites[i], impi, &n) == ERR_OK);
        TEST_SLICE_EQ(slice_of(impi, n), FIX_IMPI);
    }
    f.naf.now_s += FIX_LIFE;
    CU_ASSERT(!sec_naf_psk(&f.naf, identity, 12, 0xaa, &key) && want.btid_n > 0);
    CU_ASSERT(!sec_naf_psk(&f.naf, SLICE("3GPP-bootstrapping;x"), 12, 0xaa, &key));
    buf_clear(&text);
    sec_farkeys_free(&far);
    naf_fix_close(&f);
}

/* The key of a tunnel is asked for when that of Digest does not fit. */
static void test_far_ha1(void)
{
    struct sec_naf_want want;
    struct sec_farkeys *far;
    struct sec_secret key;
    struct naf_fix f;
    bool right = false;

    naf_fix_open(&f, SEC_AKA_PLAIN);
    far = naf_fix_far(&f, &want);
    key = naf_fix_key(&f, SEC_GBA_ME, FIX_NAF, SLICE("\x01\x00\x01\x13\x01"));
    CU_ASSERT(ha1_of(&f, REALM, &key, 0x1301, &right) == ERR_AGAIN);
    naf_fix_learn(&f, &want);
    CU_ASSERT(ha1_of(&f, REALM, &key, 0x1301, &right) == ERR_AGAIN && want.btid_n > 0);
    naf_fix_learn(&f, &want);
    CU_ASSERT(ha1_of(&f, REALM, &key, 0x1301, &right) == ERR_OK && right && want.btid_n == 0);
    f.btid[0] = f.btid[0] == 'A' ? 'B' : 'A';
    CU_ASSERT(ha1_of(&f, REALM, &key, 0x1301, &right) == ERR_AGAIN);
    naf_fix_learn(&f, &want);
    CU_ASSERT(ha1_of(&f, REALM, &key, 0x1301, &right) == ERR_ABSENT);
    sec_farkeys_free(&far);
    naf_fix_close(&f);
}

static void test_realms(void)
{
    struct sec_naf naf = {.fqdn = FIX_NAF};
    struct buf out;

    buf_init(&out, 100);
    sec_naf_realm_print(&naf, SEC_GBA_UICC, &out);
    TEST_SLICE_EQ(buf_slice(&out), REALM_UICC);
    CU_ASSERT(sec_naf_realm(REALM) && sec_naf_realm(REALM_UICC) &&
              sec_naf_realm(SLICE("3GPP-bootstrapping@x")));
    CU_ASSERT(!sec_naf_realm(SLICE("push")) && !sec_naf_realm(SLICE("3GPP-bootstrapping")) &&
              !sec_naf_realm(SLICE("")));
    buf_clear(&out);
}

/* Numbers of a published key: CK and IK of TS 35.208 set 1, B-TID and NAF of a fixed name. */
static void test_vector(void)
{
    struct slice btid = SLICE("I1U8vpY3qJ0hiuZNrke/NQ==@bsf.mnc015.mcc234.pub.3gppnetwork.org");
    struct slice impi = SLICE("234150999999999@ims.mnc015.mcc234.3gppnetwork.org"), fqdn;
    uint8_t ck[SEC_AKA_CK_N], ik[SEC_AKA_CK_N], rand[SEC_AKA_RAND_N];
    struct sec_digest_response r = {.realm = SLICE("3GPP-bootstrapping@push.example.com"),
                                    .nonce = SLICE("4f2c8d1a9b7e6350f1e2d3c4b5a69788"),
                                    .uri = SLICE("/inbox"),
                                    .cnonce = SLICE("c0ffee42"),
                                    .nc = 1,
                                    .nc_text = SLICE("00000001"),
                                    .algorithm = SEC_DIGEST_MD5,
                                    .qop = SEC_QOP_AUTH};
    struct sec_digest_offer offer = {
        .realm = r.realm, .nonce = r.nonce, .algorithm = r.algorithm, .qop_given = true, .auth = true};
    struct sec_digest_request get = {SLICE("GET"), SLICE("/inbox"), SLICE_NONE, true};
    struct sec_secret ks, key, password, ha1;
    struct sec_naf_id id;
    struct buf says;

    MUST(codec_unhex(SLICE("b40ba9a3c58b2a05bbf0d987b21bf8cb"), ck, sizeof ck) == ERR_OK);
    MUST(codec_unhex(SLICE("f769bcd751044604127672711c6d3441"), ik, sizeof ik) == ERR_OK);
    CU_ASSERT(sec_gba_btid_parse(btid, rand, &fqdn) == ERR_OK);
    sec_gba_ks(ck, ik, &ks);
    CU_ASSERT(sec_gba_naf_id(SLICE("push.example.com"), SEC_GBA_UA_DIGEST, &id) == ERR_OK);
    CU_ASSERT(sec_gba_naf_key(&ks, SEC_GBA_ME, slice_of(rand, sizeof rand), impi, slice_of(id.octets, id.n),
                              &key) == ERR_OK);
    CU_ASSERT(sec_gba_password(&key, &password) == ERR_OK);
    TEST_SLICE_EQ(sec_secret_slice(&password), SLICE("a2i84dGeWOduP2TRWTky7jWnrh85Phsy5jNntJMJ/yQ="));
    CU_ASSERT(sec_digest_ha1(r.algorithm, btid, r.realm, sec_secret_slice(&password), &ha1) == ERR_OK);
    buf_init(&says, 4096);
    CU_ASSERT(sec_digest_answer(&offer, btid, &ha1, &get, r.cnonce, 1, &says, &r) == ERR_OK);
    CU_ASSERT(slice_find_slice(buf_slice(&says), SLICE("response=\"798f55356f6f8d7ea3ed637ef6ad350b\"")) <
              says.n);
    buf_clear(&says);
}

const struct test_case test_cases[] = {
    {"psk", test_psk},
    {"psk_refused", test_psk_refused},
    {"psk_impi", test_psk_impi},
    {"ha1", test_ha1},
    {"ha1_of_nobody", test_ha1_of_nobody},
    {"far_psk", test_far_psk},
    {"far_ha1", test_far_ha1},
    {"realms", test_realms},
    {"vector", test_vector},
    {NULL, NULL},
};
