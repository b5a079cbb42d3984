/* Hashes against what RFC 1321 §A.5 and FIPS 180-4 publish, however their octets are cut. */
#include "security/hash.h"

#include <string.h>

#include "base/buf.h"
#include "base/codec.h"
#include "tests/unit/harness.h"

static const struct {
    enum sec_hash hash;
    const char *text, *want;
} rows[] = {
    {SEC_HASH_MD5, "", "d41d8cd98f00b204e9800998ecf8427e"},
    {SEC_HASH_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
    {SEC_HASH_MD5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    {SEC_HASH_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {SEC_HASH_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {SEC_HASH_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void test_published(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice text = slice_str(rows[i].text);

        test_row(i);
        for (size_t cut = 0; cut <= text.n; cut++) {
            const struct slice parts[] = {slice_sub(text, 0, cut), SLICE_NONE, slice_sub(text, cut, text.n)};
            uint8_t out[SEC_HASH_MAX_N];
            struct buf hex;

            buf_init(&hex, 2 * SEC_HASH_MAX_N);
            CU_ASSERT(sec_hash_make(rows[i].hash, parts, COUNT(parts), out) == ERR_OK);
            codec_hex(&hex, slice_of(out, sec_hash_n(rows[i].hash)));
            TEST_SLICE_EQ(buf_slice(&hex), slice_str(rows[i].want));
            buf_clear(&hex);
        }
    }
}

/* Nothing is written behind the hash. */
static void test_sizes(void)
{
    const struct slice text = SLICE("abc");

    for (int h = 0; h < SEC_HASH_COUNT; h++) {
        uint8_t out[SEC_HASH_MAX_N];

        test_row((size_t)h);
        memset(out, 0xA5, sizeof out);
        CU_ASSERT(sec_hash_n((enum sec_hash)h) <= SEC_HASH_MAX_N);
        CU_ASSERT(sec_hash_make((enum sec_hash)h, &text, 1, out) == ERR_OK);
        for (size_t i = sec_hash_n((enum sec_hash)h); i < sizeof out; i++)
            CU_ASSERT(out[i] == 0xA5);
    }
    CU_ASSERT_STRING_EQUAL(sec_hash_name(SEC_HASH_MD5), "MD5");
    CU_ASSERT_STRING_EQUAL(sec_hash_name(SEC_HASH_SHA256), "SHA-256");
}

const struct test_case test_cases[] = {
    {"published", test_published},
    {"sizes", test_sizes},
    {NULL, NULL},
};
