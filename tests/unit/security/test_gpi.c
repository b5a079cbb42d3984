/* GPI-A1: every vector, every input to reject, every bit, every length, and the envelope. */
#include "security/gba/gpi.h"

#include "base/mem.h"
#include "base/num.h"
#include "security/kdf.h"
#include "tests/unit/security/vectors.h"

#define OUT_MAX_N 1000

/* The file's inputs, used by all its vectors. */
struct gpi_file {
    json_t *tree, *in;
    struct sec_secret ks;
    struct octets rand, naf_id, ptid;
    int64_t expires_s;
};

static void file_open(struct gpi_file *f)
{
    struct octets ks;

    f->tree = vectors_load("gpi_a1.json");
    f->in = json_object_get(f->tree, "inputs");
    sec_secret_init(&f->ks);
    MUST(sec_secret_set(&f->ks, vector_octets(f->in, "ks_naf", &ks)) == ERR_OK);
    (void)vector_octets(f->in, "rand", &f->rand);
    (void)vector_octets(f->in, "naf_id", &f->naf_id);
    (void)vector_octets(f->in, "ptid", &f->ptid);
    f->expires_s = vector_u32(f->in, "key_lifetime_unix");
}

static struct sec_gpi_conf file_conf(const struct gpi_file *f, json_t *row, struct octets *autn)
{
    return (struct sec_gpi_conf){.uicc = json_is_true(json_object_get(row, "uicc")),
                                 .confidential = json_is_true(json_object_get(row, "confidential")),
                                 .rand = slice_of(f->rand.p, f->rand.n),
                                 .autn = vector_octets(row, "autn", autn),
                                 .label = vector_text(row, "label"),
                                 .naf_id = slice_of(f->naf_id.p, f->naf_id.n),
                                 .ptid = slice_of(f->ptid.p, f->ptid.n),
                                 .expires_s = f->expires_s};
}

static void msg_eq(const struct sec_gpi_msg *m, const struct sec_gpi_conf *c)
{
    CU_ASSERT(m->uicc == c->uicc && m->confidential == c->confidential);
    TEST_SLICE_EQ(m->rand, c->rand);
    TEST_SLICE_EQ(m->autn, c->autn);
    TEST_SLICE_EQ(m->label, c->label);
    TEST_SLICE_EQ(m->naf_id, c->naf_id);
}

static void test_vectors(void)
{
    struct gpi_file f;
    json_t *row;
    size_t i;

    file_open(&f);
    json_array_foreach(vectors_list(f.tree, "vectors"), i, row)
    {
        struct octets autn, want;
        struct sec_gpi_conf conf = file_conf(&f, row, &autn);
        struct sec_gpi_opened opened;
        struct sec_gpi_msg msg;
        struct buf out;

        test_row(i);
        buf_init(&out, OUT_MAX_N);
        CU_ASSERT(sec_gpi_seal(&f.ks, &conf, &out) == ERR_OK);
        TEST_SLICE_EQ(buf_slice(&out), vector_octets(row, "gpi", &want));
        CU_ASSERT(out.n == vector_u32(row, "gpi_len"));
        CU_ASSERT_FATAL(sec_gpi_parse(buf_slice(&out), &msg) == ERR_OK);
        msg_eq(&msg, &conf);
        CU_ASSERT(sec_gpi_open(&f.ks, &msg, f.expires_s - 1000, &opened) == ERR_OK);
        CU_ASSERT(opened.expires_s == f.expires_s);
        TEST_SLICE_EQ(slice_of(opened.ptid, opened.ptid_n), conf.ptid);
        buf_clear(&out);
    }
    CU_ASSERT(i == 4);
    json_decref(f.tree);
}

/* The names of the two directions, and the protected part as it is before encryption. */
static void test_association_names(void)
{
    struct gpi_file f;
    json_t *sa, *row;
    struct octets autn, want;
    struct sec_gpi_conf conf;
    struct sec_gpi_msg msg;
    struct buf out;

    file_open(&f);
    buf_init(&out, OUT_MAX_N);
    sa = json_object_get(f.tree, "sa");
    row = json_array_get(vectors_list(f.tree, "vectors"), 1);
    conf = file_conf(&f, row, &autn);
    MUST(!conf.confidential);
    CU_ASSERT(sec_gpi_seal(&f.ks, &conf, &out) == ERR_OK);
    CU_ASSERT_FATAL(sec_gpi_parse(buf_slice(&out), &msg) == ERR_OK);
    TEST_SLICE_EQ(msg.protected_part, vector_octets(f.tree, "protected_plaintext", &want));
    TEST_SLICE_EQ(msg.rand, vector_octets(sa, "downlink_said", &want));
    TEST_SLICE_EQ(conf.ptid, vector_octets(sa, "uplink_said", &want));
    buf_reset(&out, OUT_MAX_N);
    CU_ASSERT(sec_gba_btid(f.rand.p, slice_sub(conf.naf_id, 0, conf.naf_id.n - SEC_GBA_UA_N), &out) ==
              ERR_OK);
    TEST_SLICE_EQ(buf_slice(&out), vector_text(sa, "downlink_text"));
    buf_clear(&out);
    json_decref(f.tree);
}

/* "mac" is the MAC's refusal, all else the parser's. */
static void test_rejected(void)
{
    struct gpi_file f;
    json_t *row;
    size_t i;

    file_open(&f);
    json_array_foreach(vectors_list(f.tree, "rejected"), i, row)
    {
        bool by_mac = slice_eq(vector_text(row, "reject"), SLICE("mac"));
        struct sec_gpi_opened opened = {.ptid_n = 7};
        struct octets in;
        struct sec_gpi_msg msg;
        enum err e = sec_gpi_parse(vector_octets(row, "gpi", &in), &msg);

        test_row(i);
        CU_ASSERT(e == (by_mac ? ERR_OK : ERR_MALFORMED));
        if (!e)
            CU_ASSERT(sec_gpi_open(&f.ks, &msg, 0, &opened) == ERR_DENIED && opened.ptid_n == 7);
    }
    CU_ASSERT(i == 13);
    json_decref(f.tree);
}

static bool refused(const struct sec_secret *ks, struct slice in)
{
    struct sec_gpi_opened opened = {.ptid_n = 7};
    struct sec_gpi_msg msg;

    return sec_gpi_parse(in, &msg) != ERR_OK ||
           (sec_gpi_open(ks, &msg, 0, &opened) == ERR_DENIED && opened.ptid_n == 7);
}

/* No bit can be turned, no octet taken off or put behind, in any vector. */
static void test_every_bit_counts(void)
{
    struct gpi_file f;
    json_t *row;
    size_t i;

    file_open(&f);
    json_array_foreach(vectors_list(f.tree, "vectors"), i, row)
    {
        struct octets in;

        (void)vector_octets(row, "gpi", &in);
        CU_ASSERT(!refused(&f.ks, slice_of(in.p, in.n)));
        for (size_t bit = 0; bit < in.n * 8; bit++) {
            test_row(i * 10000 + bit);
            in.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CU_ASSERT(refused(&f.ks, slice_of(in.p, in.n)));
            in.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t n = 0; n < in.n; n++)
            CU_ASSERT(refused(&f.ks, slice_of(in.p, n)));
        in.p[in.n] = 0;
        CU_ASSERT(refused(&f.ks, slice_of(in.p, in.n + 1)));
    }
    json_decref(f.tree);
}

static const char text[300] =
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
    "abcdefghijklmnopqrstuvwxyz";
static const char naf_id_test[] = "naf.example\x01\x00\x00\x00\x05";

static struct sec_gpi_conf conf_test(void)
{
    return (struct sec_gpi_conf){.rand = slice_of(text, 16),
                                 .autn = slice_of(text + 16, 16),
                                 .naf_id = slice_of(naf_id_test, sizeof naf_id_test - 1),
                                 .ptid = SLICE("p"),
                                 .expires_s = 1700000000};
}

static struct sec_secret key_test(void)
{
    struct sec_secret ks;

    sec_secret_init(&ks);
    MUST(sec_secret_set(&ks, slice_of(text, SEC_GBA_KEY_N)) == ERR_OK);
    return ks;
}

/* Every length of every field, with and without encryption. */
static void test_round_trip_lengths(void)
{
    struct sec_secret ks = key_test();

    for (size_t n = 0; n <= 2 * SEC_GPI_PTID_MAX_N; n++) {
        struct sec_gpi_conf conf = conf_test();
        struct sec_gpi_opened opened;
        struct sec_gpi_msg msg;
        struct buf out;

        test_row(n);
        conf.confidential = n % 2;
        conf.uicc = n % 3;
        conf.label = slice_of(text, n % (SEC_GPI_LABEL_MAX_N + 1));
        conf.ptid = slice_of(text, n / 2 ? n / 2 : 1);
        buf_init(&out, OUT_MAX_N);
        buf_add(&out, SLICE("before"));
        CU_ASSERT(sec_gpi_seal(&ks, &conf, &out) == ERR_OK);
        CU_ASSERT(out.n - 6 <= SEC_GPI_MAX_N);
        CU_ASSERT_FATAL(sec_gpi_parse(slice_sub(buf_slice(&out), 6, out.n), &msg) == ERR_OK);
        msg_eq(&msg, &conf);
        CU_ASSERT(sec_gpi_open(&ks, &msg, 1700000000, &opened) == ERR_OK);
        TEST_SLICE_EQ(slice_of(opened.ptid, opened.ptid_n), conf.ptid);
        CU_ASSERT(opened.expires_s == conf.expires_s);
        CU_ASSERT(!conf.confidential ||
                  slice_find_slice(msg.protected_part, conf.ptid) >= msg.protected_part.n || conf.ptid.n < 4);
        buf_clear(&out);
    }
}

/* The longest of everything is SEC_GPI_MAX_N. */
static void test_longest(void)
{
    static const char label[] = "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz";
    struct sec_secret ks = key_test();
    struct sec_gpi_conf conf = conf_test();
    struct sec_naf_id id;
    struct buf fqdn, out;

    buf_init(&fqdn, OUT_MAX_N);
    buf_init(&out, SEC_GPI_MAX_N);
    for (size_t i = 0; i < 3; i++) {
        buf_add(&fqdn, slice_of(label, 62));
        buf_add_ch(&fqdn, '.');
    }
    buf_add(&fqdn, slice_of(label, 61));
    MUST(fqdn.n == SEC_GBA_FQDN_MAX_N);
    CU_ASSERT(sec_gba_naf_id(buf_slice(&fqdn), SEC_GBA_UA_GPL, &id) == ERR_OK);
    conf.naf_id = slice_of(id.octets, id.n);
    conf.label = slice_of(text, SEC_GPI_LABEL_MAX_N);
    conf.ptid = slice_of(text, SEC_GPI_PTID_MAX_N);
    CU_ASSERT(sec_gpi_seal(&ks, &conf, &out) == ERR_OK && out.n == SEC_GPI_MAX_N);
    buf_clear(&fqdn);
    buf_clear(&out);
}

static void test_seal_refused(void)
{
    static const struct {
        size_t rand_n, autn_n, label_n, naf_id_n, ptid_n, key_n;
        enum err want;
    } rows[] = {
        {16, 16, 0, 16, 1, 32, ERR_OK},       {15, 16, 0, 16, 1, 32, ERR_LIMIT},
        {17, 16, 0, 16, 1, 32, ERR_LIMIT},    {16, 15, 0, 16, 1, 32, ERR_LIMIT},
        {16, 16, 33, 16, 1, 32, ERR_LIMIT},   {16, 16, 0, 256, 1, 32, ERR_LIMIT},
        {16, 16, 0, 5, 1, 32, ERR_MALFORMED}, {16, 16, 0, 0, 1, 32, ERR_MALFORMED},
        {16, 16, 0, 9, 1, 32, ERR_MALFORMED}, /* "naf." is no name */
        {16, 16, 0, 16, 0, 32, ERR_LIMIT},    {16, 16, 0, 16, 65, 32, ERR_LIMIT},
        {16, 16, 0, 16, 1, 16, ERR_LIMIT},    {16, 16, 0, 16, 1, 0, ERR_LIMIT},
    };
    static char naf_id[300] = "naf.example\x01\x00\x00\x00\x05";

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_gpi_conf conf = conf_test();
        struct sec_secret ks = key_test();
        struct buf out;

        test_row(i);
        buf_init(&out, OUT_MAX_N);
        ks.n = rows[i].key_n;
        conf.rand = slice_of(text, rows[i].rand_n);
        conf.autn = slice_of(text, rows[i].autn_n);
        conf.label = slice_of(text, rows[i].label_n);
        conf.naf_id = slice_of(naf_id, rows[i].naf_id_n);
        conf.ptid = slice_of(text, rows[i].ptid_n);
        CU_ASSERT(sec_gpi_seal(&ks, &conf, &out) == rows[i].want);
        CU_ASSERT((out.n == 0) == (rows[i].want != ERR_OK));
        buf_clear(&out);
    }
}

static void test_seal_without_room(void)
{
    struct sec_gpi_conf conf = conf_test();
    struct sec_secret ks = key_test();
    struct buf out;

    buf_init(&out, 60);
    CU_ASSERT(sec_gpi_seal(&ks, &conf, &out) == ERR_LIMIT && out.n == 0);
    conf.label = SLICE("\xff");
    buf_clear(&out);
    buf_init(&out, OUT_MAX_N);
    CU_ASSERT(sec_gpi_seal(&ks, &conf, &out) == ERR_MALFORMED && out.n == 0);
    buf_clear(&out);
}

/* A good MAC over a protected part whose inner length lies: the signer's fault, told as such. */
static void test_inner_length_lies(void)
{
    struct sec_gpi_conf conf = conf_test();
    struct sec_secret ks = key_test();
    struct slice params[] = {SLICE("gpi-int"), conf.rand};
    struct sec_gpi_opened opened = {.ptid_n = 7};
    uint8_t key[SEC_SHA256_N], mac[SEC_SHA256_N];
    struct sec_gpi_msg msg;
    struct buf out;

    conf.ptid = SLICE("four");
    MUST(sec_kdf(sec_secret_slice(&ks), 0xF0, params, 2, key) == ERR_OK);
    for (unsigned lie = 0; lie < 256; lie++) {
        test_row(lie);
        buf_init(&out, OUT_MAX_N);
        MUST(sec_gpi_seal(&ks, &conf, &out) == ERR_OK && sec_gpi_parse(buf_slice(&out), &msg) == ERR_OK);
        out.p[msg.covered.n - 5] = (char)lie;
        MUST(sec_hmac_sha256(slice_of(key, sizeof key), &msg.covered, 1, mac) == ERR_OK);
        mem_copy(out.p + msg.covered.n, SEC_GPI_MAC_N, slice_of(mac, SEC_GPI_MAC_N));
        opened.ptid_n = 7;
        CU_ASSERT(sec_gpi_open(&ks, &msg, 0, &opened) == (lie == 4 ? ERR_OK : ERR_MALFORMED));
        CU_ASSERT(opened.ptid_n == (lie == 4 ? 4 : 7));
        buf_clear(&out);
    }
}

/* A GPI opens with the key of its own NAF and RAND only. */
static void test_other_keys(void)
{
    struct sec_gpi_conf conf = conf_test();
    struct sec_secret ks = key_test();
    struct sec_gpi_opened opened;
    struct sec_gpi_msg msg;
    struct buf out;

    buf_init(&out, OUT_MAX_N);
    conf.confidential = true;
    CU_ASSERT(sec_gpi_seal(&ks, &conf, &out) == ERR_OK);
    CU_ASSERT_FATAL(sec_gpi_parse(buf_slice(&out), &msg) == ERR_OK);
    ks.octets[31] ^= 1;
    CU_ASSERT(sec_gpi_open(&ks, &msg, 0, &opened) == ERR_DENIED);
    ks.octets[31] ^= 1;
    ks.n = 31;
    CU_ASSERT(sec_gpi_open(&ks, &msg, 0, &opened) == ERR_LIMIT);
    ks.n = 32;
    CU_ASSERT(sec_gpi_open(&ks, &msg, 0, &opened) == ERR_OK);
    buf_clear(&out);
}

/* Expiry beyond the wrap of Diameter Time in 2036. */
static void test_expiry_over_the_wrap(void)
{
    static const int64_t wrap = 2085978496;
    struct sec_gpi_conf conf = conf_test();
    struct sec_secret ks = key_test();
    struct sec_gpi_opened opened;
    struct sec_gpi_msg msg;
    struct buf out;

    buf_init(&out, OUT_MAX_N);
    conf.expires_s = wrap + 3600;
    CU_ASSERT(sec_gpi_seal(&ks, &conf, &out) == ERR_OK);
    CU_ASSERT_FATAL(sec_gpi_parse(buf_slice(&out), &msg) == ERR_OK);
    CU_ASSERT(sec_gpi_open(&ks, &msg, wrap - 3600, &opened) == ERR_OK && opened.expires_s == wrap + 3600);
    CU_ASSERT(sec_gpi_open(&ks, &msg, wrap + 7200, &opened) == ERR_OK && opened.expires_s == wrap + 3600);
    buf_clear(&out);
}

static void test_envelope(void)
{
    json_t *tree = vectors_load("gpi_a1.json");
    json_t *envelope = json_object_get(tree, "envelope");
    struct octets in, id;
    struct slice gpi = SLICE("none");
    uint16_t session = 7;
    struct buf out;

    buf_init(&out, OUT_MAX_N);
    (void)vector_octets(envelope, "octets", &in);
    (void)vector_octets(envelope, "session_id", &id);
    CU_ASSERT(sec_gpi_envelope_parse(SLICE_NONE, &session, &gpi) == ERR_MALFORMED);
    CU_ASSERT(sec_gpi_envelope_parse(SLICE("\x01\x00\x2a"), &session, &gpi) == ERR_MALFORMED);
    CU_ASSERT(sec_gpi_envelope_parse(SLICE("\x02\x00\x2aGPI"), &session, &gpi) == ERR_MALFORMED);
    CU_ASSERT(sec_gpi_envelope_parse(SLICE("\x00\x00\x2aGPI"), &session, &gpi) == ERR_MALFORMED);
    CU_ASSERT(session == 7 && slice_eq(gpi, SLICE("none")));
    CU_ASSERT(sec_gpi_envelope_parse(slice_of(in.p, in.n), &session, &gpi) == ERR_OK);
    CU_ASSERT(session == num_get16(id.p));
    CU_ASSERT(sec_gpi_envelope(session, gpi, &out) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&out), slice_of(in.p, in.n));
    buf_clear(&out);
    buf_init(&out, 10);
    CU_ASSERT(sec_gpi_envelope(session, gpi, &out) == ERR_LIMIT && out.n == 0);
    buf_clear(&out);
    json_decref(tree);
}

const struct test_case test_cases[] = {
    {"vectors", test_vectors},
    {"association_names", test_association_names},
    {"rejected", test_rejected},
    {"every_bit_counts", test_every_bit_counts},
    {"round_trip_lengths", test_round_trip_lengths},
    {"longest", test_longest},
    {"seal_refused", test_seal_refused},
    {"seal_without_room", test_seal_without_room},
    {"inner_length_lies", test_inner_length_lies},
    {"other_keys", test_other_keys},
    {"expiry_over_the_wrap", test_expiry_over_the_wrap},
    {"envelope", test_envelope},
    {NULL, NULL},
};
