/* AES-128 against published vectors: our blocks and counter mode, and the modes of GnuTLS that GPL stands on. */
#include "security/aes.h"

#include <gnutls/crypto.h>
#include "base/mem.h"
#include "tests/unit/security/vectors.h"

static struct sec_aes *key_of(struct slice key)
{
    struct sec_aes *aes = NULL;

    MUST(sec_aes_create(key, &aes) == ERR_OK);
    return aes;
}

static void test_ctr_published(void)
{
    json_t *tree = vectors_load("aes_128_ctr.json");
    json_t *row;
    size_t i;

    json_array_foreach(vectors_list(tree, "vectors"), i, row)
    {
        struct octets key, start, text, want;
        struct sec_aes *aes = key_of(vector_octets(row, "key", &key));

        test_row(i);
        (void)vector_octets(row, "icb", &start);
        (void)vector_octets(row, "plaintext", &text);
        CU_ASSERT(sec_aes_ctr(aes, start.p, text.p, text.n) == ERR_OK);
        TEST_SLICE_EQ(slice_of(text.p, text.n), vector_octets(row, "ciphertext", &want));
        sec_aes_free(&aes);
    }
    json_decref(tree);
}

/* The first block of CBC is the cipher over plaintext xor IV. */
static void test_block_published(void)
{
    json_t *tree = vectors_load("aes_128_cbc.json");
    json_t *row;
    size_t i;

    json_array_foreach(vectors_list(tree, "vectors"), i, row)
    {
        struct octets key, chain, text, want;
        struct sec_aes *aes = key_of(vector_octets(row, "key", &key));

        (void)vector_octets(row, "iv", &chain);
        (void)vector_octets(row, "plaintext", &text);
        (void)vector_octets(row, "ciphertext", &want);
        for (size_t at = 0; at < text.n; at += SEC_AES_N) {
            test_row(at);
            for (size_t k = 0; k < SEC_AES_N; k++)
                chain.p[k] ^= text.p[at + k];
            CU_ASSERT(sec_aes_block(aes, chain.p, chain.p) == ERR_OK);
            TEST_SLICE_EQ(slice_of(chain.p, SEC_AES_N), slice_of(want.p + at, SEC_AES_N));
        }
        sec_aes_free(&aes);
    }
    json_decref(tree);
}

/* GnuTLS itself, as gpl_seal.c calls it: 96-bit nonces; the others are not used here. */
static void test_gcm_published(void)
{
    json_t *tree = vectors_load("aes_128_gcm.json");
    size_t i, run = 0;
    json_t *row;

    json_array_foreach(vectors_list(tree, "vectors"), i, row)
    {
        struct octets key, nonce, aad, text, want, tag;
        gnutls_datum_t k = {key.p, SEC_AES_N};
        gnutls_cipher_hd_t gcm;
        uint8_t got[SEC_AES_N];

        test_row(i);
        (void)vector_octets(row, "key", &key);
        (void)vector_octets(row, "aad", &aad);
        (void)vector_octets(row, "plaintext", &text);
        if (vector_octets(row, "iv", &nonce).n != 12)
            continue;
        run++;
        MUST(gnutls_cipher_init(&gcm, GNUTLS_CIPHER_AES_128_GCM, &k, NULL) == 0);
        gnutls_cipher_set_iv(gcm, nonce.p, nonce.n);
        CU_ASSERT(gnutls_cipher_add_auth(gcm, aad.p, aad.n) == 0);
        CU_ASSERT(text.n == 0 || gnutls_cipher_encrypt2(gcm, text.p, text.n, text.p, text.n) == 0);
        CU_ASSERT(gnutls_cipher_tag(gcm, got, sizeof got) == 0);
        TEST_SLICE_EQ(slice_of(text.p, text.n), vector_octets(row, "ciphertext", &want));
        (void)vector_octets(row, "tag", &tag);
        TEST_SLICE_EQ(slice_of(got, tag.n), slice_of(tag.p, tag.n));
        gnutls_cipher_deinit(gcm);
    }
    CU_ASSERT(run >= 10);
    json_decref(tree);
}

/* The whole block counts, over its end too. */
static void test_counter_wraps(void)
{
    struct sec_aes *aes = key_of(SLICE("0123456789abcdef"));
    uint8_t start[SEC_AES_N], next[SEC_AES_N], two[2 * SEC_AES_N] = {0}, second[SEC_AES_N] = {0};

    for (size_t n = 1; n <= SEC_AES_N; n++) {
        test_row(n);
        for (size_t i = 0; i < SEC_AES_N; i++) {
            start[i] = i >= SEC_AES_N - n ? 0xFF : 7;
            next[i] = i >= SEC_AES_N - n ? 0 : i == SEC_AES_N - n - 1 ? 8 : 7;
        }
        mem_wipe(two, sizeof two);
        CU_ASSERT(sec_aes_ctr(aes, start, two, sizeof two) == ERR_OK);
        CU_ASSERT(sec_aes_block(aes, next, second) == ERR_OK);
        TEST_SLICE_EQ(slice_of(two + SEC_AES_N, SEC_AES_N), slice_of(second, SEC_AES_N));
    }
    sec_aes_free(&aes);
}

static void test_ctr_lengths(void)
{
    struct sec_aes *aes = key_of(SLICE("0123456789abcdef"));
    uint8_t start[SEC_AES_N] = {0}, all[70] = {0};

    CU_ASSERT(sec_aes_ctr(aes, start, all, sizeof all) == ERR_OK);
    for (size_t n = 0; n < sizeof all; n++) {
        uint8_t part[sizeof all] = {0};

        test_row(n);
        CU_ASSERT(sec_aes_ctr(aes, start, part, n) == ERR_OK);
        TEST_SLICE_EQ(slice_of(part, n), slice_of(all, n));
        CU_ASSERT(part[n] == 0);
    }
    sec_aes_free(&aes);
}

static void test_keys_refused(void)
{
    static const struct slice rows[] = {{"", 0}, {"0123456789abcde", 15}, {"0123456789abcdef0", 17}};
    struct sec_aes *aes = NULL;

    for (size_t i = 0; i < COUNT(rows); i++)
        CU_ASSERT(sec_aes_create(rows[i], &aes) == ERR_LIMIT && !aes);
    sec_aes_free(&aes);
}

const struct test_case test_cases[] = {
    {"ctr_published", test_ctr_published},
    {"block_published", test_block_published},
    {"gcm_published", test_gcm_published},
    {"counter_wraps", test_counter_wraps},
    {"ctr_lengths", test_ctr_lengths},
    {"keys_refused", test_keys_refused},
    {NULL, NULL},
};
