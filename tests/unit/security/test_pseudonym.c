/* Tokens of names: against HMAC-SHA-256 as it is published (RFC 4231), the same for the same name on every thread, and other
 * ones under another key. */
#include "security/pseudonym.h"

#include <pthread.h>

#include "base/buf.h"
#include "base/codec.h"
#include "security/hash.h"
#include "security/kdf.h"
#include "tests/unit/harness.h"

/* RFC 4231 §4.2 and §4.3. */
static void test_published(void)
{
    static const struct {
        const char *key_hex, *name, *want;
    } rows[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There", "b0344c61d8db"},
        {"4a656665", "what do ya want for nothing?", "5bdcc146bf60"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_pseudonyms *p = NULL;
        char out[LOG_TOKEN_N];
        uint8_t key[64];
        size_t key_n = slice_str(rows[i].key_hex).n / 2;

        test_row(i);
        CU_ASSERT_FATAL(codec_unhex(slice_str(rows[i].key_hex), key, key_n) == ERR_OK);
        CU_ASSERT_FATAL(sec_pseudonyms_create(slice_of(key, key_n), &p) == ERR_OK);
        for (int twice = 0; twice < 2; twice++) { /* the state is as new behind each use */
            CU_ASSERT_TRUE(sec_pseudonym(p, slice_str(rows[i].name), out));
            TEST_SLICE_EQ(slice_of(out, sizeof out), slice_str(rows[i].want));
        }
        sec_pseudonyms_free(&p);
        CU_ASSERT_PTR_NULL(p);
    }
}

static void naive(struct slice key, struct slice name, char out[LOG_TOKEN_N])
{
    uint8_t digest[SEC_SHA256_N];
    struct buf hex;

    buf_init(&hex, 64);
    CU_ASSERT_FATAL(sec_hmac_sha256(key, &name, 1, digest) == ERR_OK);
    codec_hex(&hex, slice_of(digest, LOG_TOKEN_N / 2));
    for (size_t i = 0; i < LOG_TOKEN_N; i++)
        out[i] = buf_slice(&hex).p[i];
    buf_clear(&hex);
}

/* Names that differ by little, are empty or have any octets; under two keys. */
static void test_names(void)
{
    static const struct slice names[] = {SLICE("+15550100"),
                                         SLICE("+15550101"),
                                         SLICE("15550100"),
                                         SLICE("sip:alice@ppg.example.net"),
                                         SLICE("I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example"),
                                         SLICE(""),
                                         SLICE("\0"),
                                         SLICE("\0\0"),
                                         SLICE("\xff\n\"")};
    static const struct slice keys[] = {SLICE("one key"), SLICE("another")};
    char seen[COUNT(keys) * COUNT(names)][LOG_TOKEN_N];
    size_t n = 0;

    for (size_t k = 0; k < COUNT(keys); k++) {
        struct sec_pseudonyms *p = NULL;

        CU_ASSERT_FATAL(sec_pseudonyms_create(keys[k], &p) == ERR_OK);
        for (size_t i = 0; i < COUNT(names); i++, n++) {
            char want[LOG_TOKEN_N];

            test_row(n);
            CU_ASSERT_TRUE(sec_pseudonym(p, names[i], seen[n]));
            naive(keys[k], names[i], want);
            TEST_SLICE_EQ(slice_of(seen[n], LOG_TOKEN_N), slice_of(want, LOG_TOKEN_N));
            for (size_t other = 0; other < n; other++)
                CU_ASSERT_FALSE(slice_eq(slice_of(seen[other], LOG_TOKEN_N), slice_of(seen[n], LOG_TOKEN_N)));
        }
        sec_pseudonyms_free(&p);
    }
}

#define THREADS 4
#define EACH    3000

static void *many(void *arg)
{
    static const struct slice names[] = {SLICE("+15550100"), SLICE("+15550101")};
    char want[COUNT(names)][LOG_TOKEN_N];
    size_t wrong = 0;

    for (size_t i = 0; i < COUNT(names); i++)
        naive(SLICE("key"), names[i], want[i]);
    for (size_t i = 0; i < EACH; i++) {
        char got[LOG_TOKEN_N] = "";

        wrong += !sec_pseudonym(arg, names[i % 2], got) ||
                 !slice_eq(slice_of(got, sizeof got), slice_of(want[i % 2], LOG_TOKEN_N));
    }
    return wrong ? arg : NULL;
}

static void test_threads(void)
{
    struct sec_pseudonyms *p = NULL;
    pthread_t threads[THREADS];
    void *wrong;

    CU_ASSERT_FATAL(sec_pseudonyms_create(SLICE("key"), &p) == ERR_OK);
    for (size_t i = 0; i < THREADS; i++)
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, many, p) == 0);
    for (size_t i = 0; i < THREADS; i++) {
        CU_ASSERT(pthread_join(threads[i], &wrong) == 0);
        CU_ASSERT_PTR_NULL(wrong);
    }
    sec_pseudonyms_free(&p);
    sec_pseudonyms_free(&p);
}

const struct test_case test_cases[] = {
    {"published", test_published},
    {"names", test_names},
    {"threads", test_threads},
    {NULL, NULL},
};
