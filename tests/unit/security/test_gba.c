/* GBA: every key and name of the vector file, PSK layouts, text forms with their refusals, times. */
#include "security/gba/gba.h"

#include "base/mem.h"
#include "security/aka.h"
#include "security/kdf.h"
#include "tests/unit/security/vectors.h"

#define TEXT_MAX_N 1000

/* The file's subscriber, from K to Ks: all by our own functions, each compared. */
struct subscriber {
    json_t *tree, *row;
    struct sec_aka_vector v;
    struct sec_secret ks;
    struct slice impi, bsf;
};

static void member_eq(json_t *row, const char *member, const void *got, size_t n)
{
    struct octets want;

    TEST_SLICE_EQ(slice_of(got, n), vector_octets(row, member, &want));
}

static void subscriber_open(struct subscriber *s)
{
    struct sec_milenage *m = NULL;
    struct octets k, opc, rand;

    s->tree = vectors_load("gba_keys.json");
    s->row = json_object_get(s->tree, "subscriber");
    s->impi = vector_text(s->row, "impi");
    s->bsf = vector_text(s->row, "bsf_fqdn");
    sec_secret_init(&s->ks);
    MUST(sec_milenage_create(vector_octets(s->row, "k", &k), vector_octets(s->row, "opc", &opc), &m) ==
         ERR_OK);
    (void)vector_octets(s->row, "rand", &rand);
    CU_ASSERT(sec_aka_vector_make(m, rand.p, 0xff9bb4d0b607, 0xb9b9, SEC_AKA_PLAIN, &s->v) == ERR_OK);
    sec_gba_ks(s->v.ck, s->v.ik, &s->ks);
    sec_milenage_free(&m);
}

static void subscriber_close(struct subscriber *s)
{
    sec_secret_clear(&s->ks);
    sec_aka_vector_clear(&s->v);
    json_decref(s->tree);
}

static void test_subscriber(void)
{
    struct subscriber s;

    subscriber_open(&s);
    member_eq(s.row, "autn", s.v.autn, sizeof s.v.autn);
    member_eq(s.row, "res", s.v.res, sizeof s.v.res);
    member_eq(s.row, "ck", s.v.ck, sizeof s.v.ck);
    member_eq(s.row, "ik", s.v.ik, sizeof s.v.ik);
    member_eq(s.row, "ks", s.ks.octets, s.ks.n);
    subscriber_close(&s);
}

static void test_naf_keys(void)
{
    struct subscriber s;
    json_t *row;
    size_t i;

    subscriber_open(&s);
    json_array_foreach(vectors_list(s.tree, "naf_keys"), i, row)
    {
        struct slice rand = slice_of(s.v.rand, sizeof s.v.rand), fqdn, ua;
        struct octets want_ua;
        struct sec_naf_id id;
        struct sec_secret key;

        test_row(i);
        sec_secret_init(&key);
        CU_ASSERT(sec_gba_naf_id(vector_text(row, "naf_fqdn"), vector_octets(row, "ua_id", &want_ua), &id) ==
                  ERR_OK);
        member_eq(row, "naf_id", id.octets, id.n);
        CU_ASSERT(sec_gba_naf_id_split(slice_of(id.octets, id.n), &fqdn, &ua) == ERR_OK);
        TEST_SLICE_EQ(fqdn, vector_text(row, "naf_fqdn"));
        TEST_SLICE_EQ(ua, slice_of(want_ua.p, want_ua.n));
        CU_ASSERT(sec_gba_naf_key(&s.ks, SEC_GBA_ME, rand, s.impi, slice_of(id.octets, id.n), &key) ==
                  ERR_OK);
        member_eq(row, "ks_naf", key.octets, key.n);
        CU_ASSERT(sec_gba_naf_key(&s.ks, SEC_GBA_UICC, rand, s.impi, slice_of(id.octets, id.n), &key) ==
                  ERR_OK);
        member_eq(row, "ks_int_naf", key.octets, key.n);
    }
    CU_ASSERT(i == 8);
    subscriber_close(&s);
}

static void text_eq(struct buf *text, struct slice want)
{
    TEST_SLICE_EQ(buf_slice(text), want);
    buf_reset(text, TEXT_MAX_N);
}

static void test_names_of_the_subscriber(void)
{
    struct subscriber s;
    struct buf text;
    uint8_t rand[SEC_AKA_RAND_N];
    struct slice imsi, fqdn;

    buf_init(&text, TEXT_MAX_N);
    subscriber_open(&s);
    imsi = vector_text(s.row, "imsi");
    CU_ASSERT(sec_gba_impi_of_imsi(imsi, 2, &text) == ERR_OK);
    text_eq(&text, s.impi);
    CU_ASSERT(sec_gba_bsf_of_imsi(imsi, 2, &text) == ERR_OK);
    text_eq(&text, s.bsf);
    CU_ASSERT(sec_gba_tmpi(&s.ks, s.v.rand, s.impi, s.bsf, &text) == ERR_OK);
    text_eq(&text, vector_text(s.row, "tmpi"));
    CU_ASSERT(sec_gba_btid(s.v.rand, s.bsf, &text) == ERR_OK);
    text_eq(&text, vector_text(s.row, "btid"));
    CU_ASSERT(sec_gba_btid_parse(vector_text(s.row, "btid"), rand, &fqdn) == ERR_OK);
    member_eq(s.row, "rand", rand, sizeof rand);
    TEST_SLICE_EQ(fqdn, s.bsf);
    buf_clear(&text);
    subscriber_close(&s);
}

/* Three labels, three keys: no key serves two purposes. */
static void test_labels_keep_keys_apart(void)
{
    struct sec_secret ks, key[SEC_GBA_KIND_COUNT];

    sec_secret_init(&ks);
    MUST(sec_secret_set(&ks, SLICE("0123456789abcdef0123456789abcdef")) == ERR_OK);
    for (unsigned k = 0; k < SEC_GBA_KIND_COUNT; k++) {
        sec_secret_init(&key[k]);
        CU_ASSERT(sec_gba_naf_key(&ks, (enum sec_gba_kind)k, SLICE("nonce"), SLICE("i@d"), SLICE("id"),
                                  &key[k]) == ERR_OK);
        CU_ASSERT(key[k].n == SEC_GBA_KEY_N);
        for (unsigned j = 0; j < k; j++)
            CU_ASSERT(memcmp(key[j].octets, key[k].octets, SEC_GBA_KEY_N) != 0);
    }
}

/* TS 33.220 annex M, by the KDF's own input string: FC || P0 || L0 || P1 || L1 [|| P2 || L2]. */
static void test_gba_digest(void)
{
    static const char mk[SEC_GBA_TLS_MK_N] = "the forty-eight octets of TLS_MK_Extr, as ASCII";
    struct slice ha1 = SLICE("0123456789abcdef");
    struct slice s_resp[] = {SLICE("\x01GBA_Digest_RESP\x00\x0f"), slice_of(mk, sizeof mk),
                             SLICE("\x00\x30")};
    struct slice s_ks[] = {SLICE("\x01GBA_Digest_Ks\x00\x0d"), slice_of(mk, sizeof mk), SLICE("\x00\x30"),
                           SLICE("resp\x00\x04")};
    struct sec_secret got;
    uint8_t want[SEC_SHA256_N];

    sec_secret_init(&got);
    CU_ASSERT(sec_gba_digest_password(ha1, slice_of(mk, sizeof mk), &got) == ERR_OK);
    CU_ASSERT(sec_hmac_sha256(ha1, s_resp, 3, want) == ERR_OK);
    TEST_SLICE_EQ(sec_secret_slice(&got), slice_of(want, sizeof want));
    CU_ASSERT(sec_gba_digest_ks(ha1, slice_of(mk, sizeof mk), SLICE("resp"), &got) == ERR_OK);
    CU_ASSERT(sec_hmac_sha256(ha1, s_ks, 4, want) == ERR_OK);
    TEST_SLICE_EQ(sec_secret_slice(&got), slice_of(want, sizeof want));
    CU_ASSERT(sec_gba_digest_password(ha1, slice_of(mk, 47), &got) == ERR_LIMIT);
    CU_ASSERT(sec_gba_digest_ks(ha1, slice_of(mk, 0), SLICE("resp"), &got) == ERR_LIMIT);
    TEST_SLICE_EQ(sec_secret_slice(&got), slice_of(want, sizeof want));
}

static void test_premaster(void)
{
    json_t *tree = vectors_load("tls_psk_premaster.json");
    json_t *row;
    size_t i;

    json_array_foreach(vectors_list(tree, "vectors"), i, row)
    {
        struct octets psk, other = {.n = 0}, want;
        struct buf out;

        test_row(i);
        buf_init(&out, TEXT_MAX_N);
        if (json_object_get(row, "other_secret"))
            (void)vector_octets(row, "other_secret", &other);
        CU_ASSERT(sec_gba_premaster(vector_octets(row, "psk", &psk), slice_of(other.p, other.n), &out) ==
                  ERR_OK);
        TEST_SLICE_EQ(buf_slice(&out), vector_octets(row, "premaster", &want));
        CU_ASSERT(sec_gba_premaster(SLICE_NONE, slice_of(other.p, other.n), &out) == ERR_LIMIT);
        CU_ASSERT(out.n == want.n);
        buf_wipe(&out);
    }
    json_decref(tree);
}

static void test_psk_identity(void)
{
    json_t *tree = vectors_load("tls_psk_premaster.json");
    json_t *use = json_object_get(tree, "gba_use");
    struct slice identity = vector_text(use, "psk_identity"), btid = SLICE_NONE;
    enum sec_gba_kind kind = SEC_GBA_UICC;
    struct buf text;

    buf_init(&text, TEXT_MAX_N);
    TEST_SLICE_EQ(slice_str(sec_gba_kind_prefix(SEC_GBA_ME)), vector_text(use, "psk_identity_hint"));
    CU_ASSERT(sec_gba_psk_identity_parse(identity, &kind, &btid) == ERR_OK && kind == SEC_GBA_ME);
    CU_ASSERT(sec_gba_psk_identity(SEC_GBA_ME, btid, &text) == ERR_OK);
    text_eq(&text, identity);
    for (unsigned k = 0; k < SEC_GBA_KIND_COUNT; k++) {
        CU_ASSERT(sec_gba_psk_identity((enum sec_gba_kind)k, btid, &text) == ERR_OK);
        CU_ASSERT(sec_gba_psk_identity_parse(buf_slice(&text), &kind, &btid) == ERR_OK && kind == k);
        btid = slice_sub(identity, 19, identity.n);
        buf_reset(&text, TEXT_MAX_N);
    }
    buf_clear(&text);
    json_decref(tree);
}

#define B24 "I1U8vpY3qJ0hiuZNrke/NQ=="

static void test_psk_identity_refused(void)
{
    static const char *const rows[] = {
        "",
        ";",
        "3GPP-bootstrapping",
        "3GPP-bootstrapping;",
        "3GPP-bootstrapping;user@h",
        ";" B24 "@h",
        "3gpp-bootstrapping;" B24 "@h",
        "3GPP-bootstrapping ;" B24 "@h",
        "3GPP-bootstrapping-x;" B24 "@h",
        "3GPP-bootstrapping;" B24,
        "3GPP-bootstrapping;" B24 "@",
        "3GPP-bootstrapping; " B24 "@h",
        "3GPP-bootstrapping;" B24 "@h;x",
        "3GPP-bootstrapping;" B24 "@h@h",
    };
    enum sec_gba_kind kind = SEC_GBA_DIGEST;
    struct slice btid = SLICE("none");

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(sec_gba_psk_identity_parse(slice_str(rows[i]), &kind, &btid) == ERR_MALFORMED);
    }
    CU_ASSERT(kind == SEC_GBA_DIGEST && slice_eq(btid, SLICE("none")));
}

static void test_btid_rows(void)
{
    static const struct {
        const char *in;
        enum err want;
    } rows[] = {
        {B24 "@bsf.example", ERR_OK},
        {B24 "@h", ERR_OK},
        {"", ERR_MALFORMED},
        {B24, ERR_MALFORMED},
        {B24 "@", ERR_MALFORMED},
        {"@bsf.example", ERR_MALFORMED},
        {B24 "@Bsf.example", ERR_MALFORMED},
        {B24 "@-bsf.example", ERR_MALFORMED},
        {B24 "@bsf..example", ERR_MALFORMED},
        {B24 "@bsf.example.", ERR_MALFORMED},
        {B24 "@bsf example", ERR_MALFORMED},
        {"I1U8vpY3qJ0hiuZNrke/NR==@h", ERR_MALFORMED}, /* pad bits */
        {"I1U8vpY3qJ0hiuZNrke/NQ=@h", ERR_MALFORMED},
        {"I1U8vpY3qJ0hiuZNrke/NQAA@h", ERR_MALFORMED}, /* 18 octets */
        {"I1U8vpY3qJ0hiuZNrke-NQ==@h", ERR_MALFORMED}, /* not that alphabet */
        {" " B24 "@h", ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t rand[SEC_AKA_RAND_N] = {7};
        struct slice fqdn = SLICE("none");

        test_row(i);
        CU_ASSERT(sec_gba_btid_parse(slice_str(rows[i].in), rand, &fqdn) == rows[i].want);
        CU_ASSERT((rand[0] == 7 && slice_eq(fqdn, SLICE("none"))) == (rows[i].want != ERR_OK));
    }
}

#define L10 "abcdefghij"
#define L63 L10 L10 L10 L10 L10 L10 "abc"

static void test_fqdn_rows(void)
{
    static const struct {
        struct slice in;
        bool want;
    } rows[] = {
        {SLICE("a"), true},
        {SLICE("ppg.operator.example"), true},
        {SLICE("xn--p-1.9a"), true},
        {SLICE(L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 L10 "ab"), false},  /* 254 */
        {SLICE(L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 "abcdefgh"), true}, /* 250 */
        {SLICE(L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 "abcdefghi"), false},
        {SLICE(L63 "d.example"), false},
        {SLICE(""), false},
        {SLICE("."), false},
        {SLICE("a."), false},
        {SLICE(".a"), false},
        {SLICE("a..b"), false},
        {SLICE("-a"), false},
        {SLICE("a-"), false},
        {SLICE("a-.b"), false},
        {SLICE("a.-b"), false},
        {SLICE("A"), false},
        {SLICE("a_b"), false},
        {SLICE("a b"), false},
        {SLICE("a\0b"), false},
        {SLICE("\xc3\xa9.example"), false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(sec_gba_is_fqdn(rows[i].in) == rows[i].want);
    }
}

static void test_naf_id_rows(void)
{
    struct slice ua = SEC_GBA_UA_GPL, fqdn = SLICE("none"), rest = SLICE("none");
    struct sec_naf_id id = {.n = 0};

    CU_ASSERT(sec_gba_naf_id(SLICE("PPG.Operator.Example"), ua, &id) == ERR_OK);
    TEST_SLICE_EQ(slice_of(id.octets, id.n), SLICE("ppg.operator.example\x01\x00\x00\x00\x05"));
    CU_ASSERT(sec_gba_naf_id(SLICE(""), ua, &id) == ERR_MALFORMED);
    CU_ASSERT(sec_gba_naf_id(SLICE("a b"), ua, &id) == ERR_MALFORMED);
    CU_ASSERT(sec_gba_naf_id(SLICE("a"), SLICE("\x01\x00\x00\x00"), &id) == ERR_MALFORMED);
    CU_ASSERT(sec_gba_naf_id(SLICE("a"), SLICE("\x01\x00\x00\x00\x00\x05"), &id) == ERR_MALFORMED);
    CU_ASSERT(sec_gba_naf_id(SLICE(L63 "." L63 "." L63 "." L63), ua, &id) == ERR_MALFORMED);
    CU_ASSERT(id.n == 25);
    CU_ASSERT(sec_gba_naf_id_split(SLICE("\x01\x00\x00\x00\x05"), &fqdn, &rest) == ERR_MALFORMED);
    CU_ASSERT(sec_gba_naf_id_split(SLICE("P\x01\x00\x00\x00\x05"), &fqdn, &rest) == ERR_MALFORMED);
    CU_ASSERT(sec_gba_naf_id_split(SLICE_NONE, &fqdn, &rest) == ERR_MALFORMED);
    CU_ASSERT(slice_eq(fqdn, SLICE("none")) && slice_eq(rest, SLICE("none")));
    CU_ASSERT(sec_gba_naf_id_split(SLICE("p\x01\x00\x00\x00\x05"), &fqdn, &rest) == ERR_OK && fqdn.n == 1);
}

static void test_imsi_rows(void)
{
    static const struct {
        const char *imsi;
        size_t mnc_n;
        const char *bsf; /* NULL: refused */
    } rows[] = {
        {"234150999999999", 2, "bsf.mnc015.mcc234.pub.3gppnetwork.org"},
        {"310170845466094", 3, "bsf.mnc170.mcc310.pub.3gppnetwork.org"},
        {"234150", 2, "bsf.mnc015.mcc234.pub.3gppnetwork.org"},
        {"23415", 2, NULL},
        {"2341509999999990", 2, NULL},
        {"234150999999999", 1, NULL},
        {"234150999999999", 4, NULL},
        {"23415099999999a", 2, NULL},
        {"", 2, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        enum err want = rows[i].bsf ? ERR_OK : ERR_MALFORMED;
        struct buf text;

        test_row(i);
        buf_init(&text, TEXT_MAX_N);
        CU_ASSERT(sec_gba_bsf_of_imsi(slice_str(rows[i].imsi), rows[i].mnc_n, &text) == want);
        text_eq(&text, slice_str(rows[i].bsf));
        CU_ASSERT(sec_gba_impi_of_imsi(slice_str(rows[i].imsi), rows[i].mnc_n, &text) == want);
        CU_ASSERT((text.n == 0) == (want != ERR_OK));
        buf_clear(&text);
    }
}

static void test_bsf_of_impi_rows(void)
{
    static const struct {
        const char *impi;
        const char *bsf; /* NULL: refused */
    } rows[] = {
        {"2@ims.mnc015.mcc234.3gppnetwork.org", "bsf.ims.mnc015.mcc234.pub.3gppnetwork.org"},
        {"user@operator.example", "bsf.operator.example"},
        {"user@not3gppnetwork.org", "bsf.not3gppnetwork.org"},
        {"user@", NULL},
        {"@operator.example", NULL},
        {"operator.example", NULL},
        {"user@operator example", NULL},
        {"user@a@b", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf text;

        test_row(i);
        buf_init(&text, TEXT_MAX_N);
        CU_ASSERT(sec_gba_bsf_of_impi(slice_str(rows[i].impi), &text) ==
                  (rows[i].bsf ? ERR_OK : ERR_MALFORMED));
        text_eq(&text, slice_str(rows[i].bsf));
        buf_clear(&text);
    }
}

/* A full buf is as it was before. */
static void test_text_without_room(void)
{
    static const uint8_t rand[SEC_AKA_RAND_N] = {1};
    struct sec_secret ks;
    struct buf out;

    sec_secret_init(&ks);
    for (size_t max = 0; max < 30; max++) {
        test_row(max);
        buf_init(&out, max);
        buf_add(&out, slice_sub(SLICE("before"), 0, max));
        CU_ASSERT(sec_gba_btid(rand, SLICE("operator.example"), &out) == ERR_LIMIT);
        CU_ASSERT(sec_gba_tmpi(&ks, rand, SLICE("u@d"), SLICE("operator.example"), &out) == ERR_LIMIT);
        CU_ASSERT(sec_gba_impi_of_imsi(SLICE("234150999999999"), 2, &out) == ERR_LIMIT);
        CU_ASSERT(sec_gba_premaster(SLICE("0123456789abcdef"), SLICE_NONE, &out) == ERR_LIMIT);
        TEST_SLICE_EQ(buf_slice(&out), slice_sub(SLICE("before"), 0, max));
        buf_clear(&out);
    }
}

static void test_password(void)
{
    struct sec_secret key, text;

    sec_secret_init(&key);
    sec_secret_init(&text);
    MUST(sec_secret_set(&key, SLICE("0123456789abcdef0123456789abcdef")) == ERR_OK);
    CU_ASSERT(sec_gba_password(&key, &text) == ERR_OK);
    TEST_SLICE_EQ(sec_secret_slice(&text), SLICE("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="));
    MUST(sec_secret_random(&key, SEC_SECRET_MAX_N) == ERR_OK);
    CU_ASSERT(sec_gba_password(&key, &text) == ERR_LIMIT);
    CU_ASSERT(text.n == 44);
}

/* Around now in both directions, and over the wrap of 2036-02-07. */
static void test_times(void)
{
    static const struct {
        int64_t utc_s, now_s;
        uint32_t time;
    } rows[] = {
        {1906204800, 1906204800, 0xf548df00},
        {1906204800, 1700000000, 0xf548df00},
        {0, 0, 2208988800u},
        {2085978495, 2085978495, 0xffffffff},
        {2085978496, 2085978495, 0},
        {2085978496, 2085978496, 0},
        {2085978495, 2085978496, 0xffffffff},
        {2085978496 + 604800, 2085900000, 604800},
        {2085900000, 2085978496 + 604800, 0xffffffff - 78495},
        {INT64_C(2085978496) + INT32_MAX, 2085978496, INT32_MAX},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(sec_gba_time_of(rows[i].utc_s) == rows[i].time);
        CU_ASSERT(sec_gba_time_near(rows[i].time, rows[i].now_s) == rows[i].utc_s);
    }
}

const struct test_case test_cases[] = {
    {"subscriber", test_subscriber},
    {"naf_keys", test_naf_keys},
    {"names_of_the_subscriber", test_names_of_the_subscriber},
    {"labels_keep_keys_apart", test_labels_keep_keys_apart},
    {"gba_digest", test_gba_digest},
    {"premaster", test_premaster},
    {"psk_identity", test_psk_identity},
    {"psk_identity_refused", test_psk_identity_refused},
    {"btid_rows", test_btid_rows},
    {"fqdn_rows", test_fqdn_rows},
    {"naf_id_rows", test_naf_id_rows},
    {"imsi_rows", test_imsi_rows},
    {"bsf_of_impi_rows", test_bsf_of_impi_rows},
    {"text_without_room", test_text_without_room},
    {"password", test_password},
    {"times", test_times},
    {NULL, NULL},
};
