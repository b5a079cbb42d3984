/* GPL-A1: keys, sealing and opening against the profile's vectors, and everything that must not open. */
#include "security/gpl.h"

#include <gnutls/crypto.h>
#include "base/mem.h"
#include "security/kdf.h"
#include "tests/unit/security/vectors.h"

#define BUF_MAX_N 300000

/* The vector file and its common inputs. */
struct gpl_file {
    json_t *tree;
    struct octets gpi;
    struct octets ks, ks_int;
};

static void file_open(struct gpl_file *f)
{
    json_t *inputs;

    f->tree = vectors_load("gpl_a1.json");
    inputs = json_object_get(f->tree, "inputs");
    (void)vector_octets(inputs, "gpi", &f->gpi);
    (void)vector_octets(inputs, "ks_naf", &f->ks);
    (void)vector_octets(inputs, "ks_int_naf", &f->ks_int);
}

static struct slice file_key(const struct gpl_file *f, struct slice name)
{
    const struct octets *o = slice_eq(name, SLICE("ks_naf")) ? &f->ks : &f->ks_int;

    return slice_of(o->p, o->n);
}

static struct sec_gpl_keys *keys_of(struct slice ks, enum sec_gpl_direction d, uint8_t suite)
{
    struct sec_gpl_keys *keys = NULL;

    MUST(sec_gpl_keys_create(ks, d, suite, &keys) == ERR_OK);
    return keys;
}

static struct sec_gpl_keys *row_keys(const struct gpl_file *f, json_t *row)
{
    return keys_of(file_key(f, vector_text(row, "key")), (enum sec_gpl_direction)vector_u32(row, "direction"),
                   (uint8_t)vector_u32(row, "suite"));
}

static void test_seal_vectors(void)
{
    struct gpl_file f;
    json_t *row;
    size_t i;

    file_open(&f);
    json_array_foreach(vectors_list(f.tree, "vectors"), i, row)
    {
        struct octets said, payload, want;
        struct slice whole = vector_octets(row, "payload", &payload);
        struct slice parts[] = {slice_sub(whole, 0, 3), slice_sub(whole, 3, 20),
                                slice_sub(whole, 23, whole.n)};
        struct slice gpi =
            json_is_true(json_object_get(row, "gpi")) ? slice_of(f.gpi.p, f.gpi.n) : SLICE_NONE;
        struct sec_gpl_keys *keys = row_keys(&f, row);
        struct sec_gpl_msg msg;
        struct buf out, plain;

        test_row(i);
        buf_init(&out, BUF_MAX_N);
        buf_init(&plain, BUF_MAX_N);
        (void)vector_octets(row, "said", &said);
        CU_ASSERT(sec_gpl_seal(keys, vector_u32(row, "sn"), slice_of(said.p, said.n), gpi, parts, 3, &out) ==
                  ERR_OK);
        TEST_SLICE_EQ(buf_slice(&out), vector_octets(row, "message", &want));
        CU_ASSERT(sec_gpl_parse(buf_slice(&out), &msg) == ERR_OK);
        CU_ASSERT(sec_gpl_open(keys, &msg, &plain) == ERR_OK);
        TEST_SLICE_EQ(buf_slice(&plain), whole);
        TEST_SLICE_EQ(msg.gpi, gpi);
        buf_clear(&out);
        buf_clear(&plain);
        sec_gpl_keys_free(&keys);
    }
    json_decref(f.tree);
}

/* Every input to reject, with the reason that the profile gives it. */
static void test_open_rejected(void)
{
    struct gpl_file f;
    json_t *row;
    size_t i;

    file_open(&f);
    json_array_foreach(vectors_list(f.tree, "rejected"), i, row)
    {
        struct slice why = vector_text(row, "reject");
        bool by_name = slice_eq(why, SLICE("mac")) || slice_eq(why, SLICE("suite"));
        struct octets in;
        struct sec_gpl_msg msg;
        struct buf plain;
        enum err e = sec_gpl_parse(vector_octets(row, "message", &in), &msg);

        test_row(i);
        buf_init(&plain, BUF_MAX_N);
        if (!e) {
            struct sec_gpl_keys *keys = keys_of(slice_of(f.ks.p, f.ks.n), msg.direction, msg.suite);

            e = sec_gpl_open(keys, &msg, &plain);
            sec_gpl_keys_free(&keys);
        }
        TEST_SLICE_EQ(slice_str(sec_gpl_reject_name(e)), by_name ? why : SLICE("malformed"));
        CU_ASSERT(plain.n == 0);
        buf_clear(&plain);
    }
    json_decref(f.tree);
}

static const uint8_t suites[] = {0x01, 0x02, 0x03, 0x04, 0x11, 0x12};
static const struct slice ks_test = {"0123456789abcdef0123456789abcdef", 32};

/* Lengths around the block and keystream borders, all suites, cut into parts. */
static void test_round_trip_lengths(void)
{
    char text[300];

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7 + 1);
    for (size_t s = 0; s < COUNT(suites); s++)
        for (size_t n = 0; n <= 100; n += n < 66 ? 1 : 17) {
            struct sec_gpl_keys *keys = keys_of(ks_test, SEC_GPL_UPLINK, suites[s]);
            struct slice parts[] = {slice_of(text, n / 3), slice_of(text + n / 3, n - n / 3)};
            struct sec_gpl_msg msg;
            struct buf out, plain;

            test_row(s * 1000 + n);
            buf_init(&out, BUF_MAX_N);
            buf_init(&plain, BUF_MAX_N);
            CU_ASSERT(sec_gpl_seal(keys, 9, SLICE("id"), SLICE_NONE, parts, 2, &out) == ERR_OK);
            CU_ASSERT(out.n <= n + sec_gpl_overhead(suites[s], 2, 0));
            CU_ASSERT(sec_gpl_parse(buf_slice(&out), &msg) == ERR_OK);
            CU_ASSERT(sec_gpl_open(keys, &msg, &plain) == ERR_OK);
            TEST_SLICE_EQ(buf_slice(&plain), slice_of(text, n));
            buf_clear(&out);
            buf_clear(&plain);
            sec_gpl_keys_free(&keys);
        }
}

/* No bit of a message can be turned, in any suite. */
static void test_every_bit_counts(void)
{
    for (size_t s = 0; s < COUNT(suites); s++) {
        struct slice payload = SLICE("sixteen octets..and some more of them");
        struct sec_gpl_keys *keys = keys_of(ks_test, SEC_GPL_DOWNLINK, suites[s]);
        struct buf out, plain;

        buf_init(&out, BUF_MAX_N);
        buf_init(&plain, BUF_MAX_N);
        CU_ASSERT(sec_gpl_seal(keys, 1, SLICE("id"), SLICE("gpi"), &payload, 1, &out) == ERR_OK);
        for (size_t bit = 0; bit < out.n * 8; bit++) {
            struct sec_gpl_msg msg;
            char was = out.p[bit / 8];

            test_row(s * 10000 + bit);
            out.p[bit / 8] = (char)(was ^ (1 << (bit % 8)));
            if (sec_gpl_parse(buf_slice(&out), &msg) == ERR_OK) {
                CU_ASSERT(sec_gpl_open(keys, &msg, &plain) != ERR_OK);
                CU_ASSERT(plain.n == 0);
            }
            out.p[bit / 8] = was;
        }
        buf_clear(&out);
        buf_clear(&plain);
        sec_gpl_keys_free(&keys);
    }
}

/* The same keystream as an AES-128-CTR made block by block from AES-CBC, over many blocks. */
static void test_counter_mode_naive_twin(void)
{
    struct gpl_file f;
    struct octets enc, salt;
    char zeros[16 * 70] = {0};
    struct slice payload = slice_of(zeros, sizeof zeros);
    uint8_t block[16], iv[16] = {0};
    gnutls_cipher_hd_t aes;
    gnutls_datum_t key;
    struct sec_gpl_keys *keys;
    struct sec_gpl_msg msg;
    struct buf out;
    json_t *row;

    file_open(&f);
    row = json_array_get(vectors_list(f.tree, "keys"), 1);
    MUST(vector_u32(row, "suite") == 2 && vector_u32(row, "direction") == 0);
    key = (gnutls_datum_t){(void *)(uintptr_t)vector_octets(row, "enc", &enc).p, 16};
    (void)vector_octets(row, "salt", &salt);
    keys = row_keys(&f, row);
    buf_init(&out, BUF_MAX_N);
    CU_ASSERT(sec_gpl_seal(keys, 0x01020304, SLICE("id"), SLICE_NONE, &payload, 1, &out) == ERR_OK);
    CU_ASSERT_FATAL(sec_gpl_parse(buf_slice(&out), &msg) == ERR_OK);
    CU_ASSERT_FATAL(gnutls_cipher_init(&aes, GNUTLS_CIPHER_AES_128_CBC, &key, NULL) == 0);
    for (uint8_t i = 0; i < sizeof zeros / 16; i++) {
        for (size_t k = 0; k < 16; k++)
            block[k] = k < 8 ? salt.p[k] : k < 12 ? (uint8_t)(k - 7) : k == 15 ? i : 0;
        gnutls_cipher_set_iv(aes, iv, sizeof iv);
        CU_ASSERT(gnutls_cipher_encrypt(aes, block, sizeof block) == 0);
        CU_ASSERT(slice_eq(slice_sub(msg.payload, (size_t)i * 16, 16), slice_of(block, 16)));
    }
    gnutls_cipher_deinit(aes);
    buf_clear(&out);
    sec_gpl_keys_free(&keys);
    json_decref(f.tree);
}

static void test_keys_refused(void)
{
    struct sec_gpl_keys *keys = NULL;

    CU_ASSERT(sec_gpl_keys_create(SLICE("short"), SEC_GPL_DOWNLINK, 2, &keys) == ERR_LIMIT);
    CU_ASSERT(sec_gpl_keys_create(ks_test, SEC_GPL_DOWNLINK, 0, &keys) == ERR_UNSUPPORTED);
    CU_ASSERT(sec_gpl_keys_create(ks_test, SEC_GPL_DOWNLINK, 5, &keys) == ERR_UNSUPPORTED);
    CU_ASSERT(keys == NULL);
    sec_gpl_keys_free(&keys);
}

static void test_seal_refused(void)
{
    static const char zeros[70000];
    struct sec_gpl_keys *down = keys_of(ks_test, SEC_GPL_DOWNLINK, 2);
    struct sec_gpl_keys *up = keys_of(ks_test, SEC_GPL_UPLINK, 2);
    struct slice parts[5] = {SLICE("a"), SLICE("b"), SLICE("c"), SLICE("d"), SLICE("e")};
    struct slice id = SLICE("id"), none = SLICE_NONE, gpi = SLICE("g");
    struct buf out, tiny;

    buf_init(&out, BUF_MAX_N);
    buf_init(&tiny, 10);
    CU_ASSERT(sec_gpl_seal(down, 0, id, none, parts, 1, &out) == ERR_LIMIT);
    CU_ASSERT(sec_gpl_seal(down, 1, none, none, parts, 1, &out) == ERR_LIMIT);
    CU_ASSERT(sec_gpl_seal(down, 1, slice_of(zeros, 65), none, parts, 1, &out) == ERR_LIMIT);
    CU_ASSERT(sec_gpl_seal(down, 1, id, slice_of(zeros, 65536), parts, 1, &out) == ERR_LIMIT);
    CU_ASSERT(sec_gpl_seal(down, 1, id, none, parts, 5, &out) == ERR_LIMIT);
    CU_ASSERT(sec_gpl_seal(up, 1, id, gpi, parts, 1, &out) == ERR_UNSUPPORTED);
    CU_ASSERT(sec_gpl_seal(down, 1, id, none, parts, 1, &tiny) == ERR_LIMIT);
    CU_ASSERT(out.n == 0 && tiny.n == 0);
    CU_ASSERT(sec_gpl_seal(down, 1, slice_of(zeros, 64), slice_of(zeros, 65535), parts, 4, &out) == ERR_OK);
    sec_gpl_keys_free(&down);
    sec_gpl_keys_free(&up);
    buf_clear(&out);
    buf_clear(&tiny);
}

/* A message of one association, direction or suite opens with no other. */
static void test_open_with_other_keys(void)
{
    struct slice payload = SLICE("text"), other_ks = SLICE("another 32 octets of key material");
    struct sec_gpl_keys *keys = keys_of(ks_test, SEC_GPL_DOWNLINK, 4);
    struct sec_gpl_keys *wrong[] = {keys_of(slice_sub(other_ks, 0, 32), SEC_GPL_DOWNLINK, 4),
                                    keys_of(ks_test, SEC_GPL_UPLINK, 4),
                                    keys_of(ks_test, SEC_GPL_DOWNLINK, 2)};
    static const enum err want[] = {ERR_DENIED, ERR_DENIED, ERR_UNSUPPORTED};
    struct sec_gpl_msg msg;
    struct buf out, plain;

    buf_init(&out, BUF_MAX_N);
    buf_init(&plain, BUF_MAX_N);
    CU_ASSERT(sec_gpl_seal(keys, 1, SLICE("id"), SLICE_NONE, &payload, 1, &out) == ERR_OK);
    CU_ASSERT_FATAL(sec_gpl_parse(buf_slice(&out), &msg) == ERR_OK);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        test_row(i);
        CU_ASSERT(sec_gpl_open(wrong[i], &msg, &plain) == want[i]);
        CU_ASSERT(plain.n == 0);
        sec_gpl_keys_free(&wrong[i]);
    }
    buf_clear(&out);
    buf_clear(&plain);
    sec_gpl_keys_free(&keys);
}

/* A good tag over bad padding: turns octet `at` of the block before the last by `mask`, and signs anew. */
static enum err open_repadded(size_t at, uint8_t mask)
{
    static const uint8_t d = SEC_GPL_DOWNLINK, suite = SEC_GPL_CBC;
    struct slice params[] = {SLICE("gpl-int"), slice_of(&d, 1), slice_of(&suite, 1)};
    struct slice payload = SLICE("sixteen octets.. and thirteen");
    struct sec_gpl_keys *keys = keys_of(ks_test, SEC_GPL_DOWNLINK, SEC_GPL_CBC);
    uint8_t key[SEC_SHA256_N], tag[SEC_SHA256_N];
    struct sec_gpl_msg msg;
    struct buf out, plain;
    enum err e;

    buf_init(&out, BUF_MAX_N);
    buf_init(&plain, BUF_MAX_N);
    MUST(sec_gpl_seal(keys, 1, SLICE("id"), SLICE_NONE, &payload, 1, &out) == ERR_OK);
    MUST(sec_gpl_parse(buf_slice(&out), &msg) == ERR_OK && msg.payload.n == 32);
    out.p[msg.header.n + at] = (char)(out.p[msg.header.n + at] ^ mask);
    MUST(sec_kdf(ks_test, 0xF1, params, 3, key) == ERR_OK);
    MUST(sec_hmac_sha256(slice_of(key, sizeof key), &msg.covered, 1, tag) == ERR_OK);
    mem_copy(out.p + msg.covered.n, 16, slice_of(tag, 16));
    e = sec_gpl_open(keys, &msg, &plain);
    CU_ASSERT(e == ERR_OK || plain.n == 0);
    buf_clear(&out);
    buf_clear(&plain);
    sec_gpl_keys_free(&keys);
    return e;
}

static void test_bad_padding(void)
{
    CU_ASSERT(open_repadded(0, 1) == ERR_OK);             /* the text changes: the signer's business */
    CU_ASSERT(open_repadded(15, 3 ^ 0) == ERR_MALFORMED); /* 3 octets of padding said to be 0 */
    CU_ASSERT(open_repadded(15, 3 ^ 17) == ERR_MALFORMED);
    CU_ASSERT(open_repadded(15, 3 ^ 255) == ERR_MALFORMED);
    CU_ASSERT(open_repadded(15, 3 ^ 4) == ERR_MALFORMED);
    CU_ASSERT(open_repadded(14, 1) == ERR_MALFORMED);
    CU_ASSERT(open_repadded(15, 3 ^ 1) == ERR_OK); /* one octet of padding is fine */
}

const struct test_case test_cases[] = {
    {"seal_vectors", test_seal_vectors},
    {"open_rejected", test_open_rejected},
    {"round_trip_lengths", test_round_trip_lengths},
    {"every_bit_counts", test_every_bit_counts},
    {"counter_mode_naive_twin", test_counter_mode_naive_twin},
    {"keys_refused", test_keys_refused},
    {"seal_refused", test_seal_refused},
    {"open_with_other_keys", test_open_with_other_keys},
    {"bad_padding", test_bad_padding},
    {NULL, NULL},
};
