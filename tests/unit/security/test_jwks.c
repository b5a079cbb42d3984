/* Key sets of token providers, and what their keys have signed; rejected keys outnumber good ones.  Wycheproof's
 * signatures (tests/vectors/jws_wycheproof.json). */
#include "security/login/jwks.h"

#include <jansson.h>
#include "base/codec.h"
#include "tests/unit/harness.h"
#include "tests/unit/tokens.h"

#define X32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct {
    const char *text;
    const char *why; /* NULL: good */
    size_t keys;
    bool secret;
} rows[] = {
    {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODw\"}]}", NULL, 1, true}, /* 128 bits */
    {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODw\"},{\"kty\":\"EC\",\"crv\":\"P-521\"},"
     "{\"kty\":\"RSA\",\"use\":\"enc\"},{\"kty\":\"new\"},{\"kty\":\"RSA\",\"alg\":\"PS256\"},{},"
     "{\"kty\":\"oct\",\"key_ops\":[\"sign\"]}]}",
     NULL, 1, true}, /* what is of no use is passed over */
    {"", "JSON", 0, false},
    {"{", "JSON", 0, false},
    {"{\"keys\":[],\"keys\":[]}", "stands twice", 0, false},
    {"[]", "no JWK Set", 0, false},
    {"{}", "no JWK Set", 0, false},
    {"{\"keys\":{}}", "no JWK Set", 0, false},
    {"{\"keys\":[]}", "no key for", 0, false},
    {"{\"keys\":[1]}", "objects", 0, false},
    {"{\"keys\":[{\"kty\":\"RSA\",\"use\":\"enc\"}]}", "no key for", 0, false},
    {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0O\"}]}", "128 bits", 0, false},
    {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"\"}]}", "missing", 0, false},
    {"{\"keys\":[{\"kty\":\"oct\"}]}", "missing", 0, false},
    {"{\"keys\":[{\"kty\":\"oct\",\"k\":5}]}", "missing", 0, false},
    {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODw==\"}]}", "base64url", 0, false},
    {"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AAECAwQFBgcICQoLDA0ODw\"},"
     "{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AAECAwQFBgcICQoLDA0ODw\"}]}",
     "one kid", 0, false},
    {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODw\",\"k\":\"AAECAwQFBgcICQoLDA0ODw\"}]}",
     "stands twice", 0, false},
    {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", "2048", 0, false},
    {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\"}]}", "missing", 0, false},
    {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"d\":\"AQAB\"}]}", "private", 0, false},
    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X32 "\",\"y\":\"" X32 "\"}]}", "P-256", 0,
     false}, /* (0,0) is on no curve */
    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"" X32 "\"}]}", "P-256", 0, false},
    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X32 "\"}]}", "missing", 0, false},
    {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQ\"}]}", "Ed25519", 0, false},
};

static void test_sets(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_jwks *set = NULL;
        const char *why = NULL;
        enum err e;

        test_row(i);
        e = sec_jwks_parse(slice_str(rows[i].text), &set, &why);
        CU_ASSERT(e == (rows[i].why ? ERR_MALFORMED : ERR_OK));
        CU_ASSERT((set != NULL) == !rows[i].why && (why != NULL) == (rows[i].why != NULL));
        CU_ASSERT(!why || slice_find_slice(slice_str(why), slice_str(rows[i].why)) != SIZE_MAX);
        CU_ASSERT(!set || (sec_jwks_count(set) == rows[i].keys && sec_jwks_secret(set) == rows[i].secret));
        sec_jwks_free(&set);
        sec_jwks_free(&set);
    }
}

static void test_ceilings(void)
{
    struct sec_jwks *set = NULL;
    const char *why;
    struct buf text;

    buf_init(&text, 2 * SEC_JWKS_MAX_N);
    buf_add_str(&text, "{\"keys\":[{}");
    for (size_t i = 0; i < SEC_JWKS_KEYS_MAX; i++)
        buf_add_str(&text, ",{}");
    buf_add_str(&text, "]}");
    CU_ASSERT(sec_jwks_parse(buf_slice(&text), &set, &why) == ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(why, "more than 100 keys");
    buf_reset(&text, SIZE_MAX);
    while (text.n <= SEC_JWKS_MAX_N)
        buf_add_str(&text, "                ");
    CU_ASSERT(sec_jwks_parse(buf_slice(&text), &set, &why) == ERR_MALFORMED);
    buf_reset(&text, SIZE_MAX);
    for (size_t i = 0; i < 100000; i++) /* depth */
        buf_add_ch(&text, '[');
    CU_ASSERT(sec_jwks_parse(buf_slice(&text), &set, &why) == ERR_MALFORMED && set == NULL);
    buf_clear(&text);
}

static const char *const names[] = {"rsa", "ec", "ed", "hmac"};
static const char *const algorithms[] = {"RS256", "ES256", "EdDSA", "HS256"};

static struct sec_jwks *set_of(struct test_keys *keys, unsigned which)
{
    struct sec_jwks *set = NULL;
    const char *why;
    struct buf text;

    buf_init(&text, 100000);
    test_jwks_print(keys, which, &text);
    MUST(sec_jwks_parse(buf_slice(&text), &set, &why) == ERR_OK);
    buf_clear(&text);
    return set;
}

/* Every key against every signature, under every name that a header could give it. */
static void test_a_key_is_for_one_algorithm(void)
{
    struct test_keys *keys = test_keys_open();
    struct sec_jwks *set = set_of(keys, 0);
    struct buf signature;
    char kid[8];

    buf_init(&signature, 1000);
    CU_ASSERT(sec_jwks_count(set) == TEST_KEY_COUNT && sec_jwks_secret(set));
    for (unsigned signer = 0; signer < TEST_KEY_COUNT * 2; signer++) {
        unsigned kind = signer / 2, which = signer % 2;

        buf_reset(&signature, SIZE_MAX);
        test_key_sign(keys, (enum test_key)kind, which, SLICE("what"), &signature);
        for (unsigned claim = 0; claim < 16; claim++) {
            struct slice algorithm = slice_str(algorithms[claim % 4]), good = buf_slice(&signature);
            bool right = which == 0 && claim % 4 == kind && claim / 4 == kind;

            test_row(signer * 16 + claim);
            (void)snprintf(kid, sizeof kid, "%s0", names[claim / 4]);
            CU_ASSERT(sec_jwks_verify(set, slice_str(kid), algorithm, SLICE("what"), good) ==
                      (right ? ERR_OK : ERR_DENIED));
            CU_ASSERT(sec_jwks_verify(set, slice_str(kid), algorithm, SLICE("What"), good) == ERR_DENIED);
            CU_ASSERT(sec_jwks_verify(set, slice_str(kid), algorithm, SLICE("what"),
                                      slice_sub(good, 0, good.n - 1)) == ERR_DENIED);
        }
        CU_ASSERT(sec_jwks_verify(set, SLICE_NONE, slice_str(algorithms[kind]), SLICE("what"),
                                  buf_slice(&signature)) == (which ? ERR_DENIED : ERR_OK));
        CU_ASSERT(sec_jwks_verify(set, SLICE_NONE, SLICE("none"), SLICE("what"), SLICE_NONE) == ERR_DENIED);
    }
    buf_clear(&signature);
    sec_jwks_free(&set);
    test_keys_close(keys);
}

/* r and s lose their leading zeros in DER: one signature in 128 has one. */
static void test_many_ec_signatures(void)
{
    struct test_keys *keys = test_keys_open();
    struct sec_jwks *set = set_of(keys, 0);
    struct buf signature;
    char what[16];

    buf_init(&signature, 1000);
    for (int i = 0; i < 600; i++) {
        struct slice text = slice_of(what, (size_t)snprintf(what, sizeof what, "%d", i));

        test_row((size_t)i);
        buf_reset(&signature, SIZE_MAX);
        test_key_sign(keys, TEST_KEY_EC, 0, text, &signature);
        CU_ASSERT(signature.n == 64);
        CU_ASSERT(sec_jwks_verify(set, SLICE("ec0"), SLICE("ES256"), text, buf_slice(&signature)) == ERR_OK);
        signature.p[i % 64] ^= 1;
        CU_ASSERT(sec_jwks_verify(set, SLICE("ec0"), SLICE("ES256"), text, buf_slice(&signature)) ==
                  ERR_DENIED);
    }
    buf_clear(&signature);
    sec_jwks_free(&set);
    test_keys_close(keys);
}

/* Two keys of one algorithm and a token that names none: which is not guessed. */
static void test_no_kid_needs_one_key(void)
{
    struct test_keys *keys = test_keys_open();
    struct sec_jwks *set = NULL;
    struct buf text, signature;
    const char *why;

    buf_init(&text, 10000);
    buf_init(&signature, 1000);
    buf_add_str(&text, "{\"keys\":[");
    test_jwk_print(keys, TEST_KEY_ED, 0, &text);
    buf_add_ch(&text, ',');
    test_jwk_print(keys, TEST_KEY_ED, 1, &text);
    buf_add_str(&text, "]}");
    CU_ASSERT_FATAL(sec_jwks_parse(buf_slice(&text), &set, &why) == ERR_OK);
    CU_ASSERT(!sec_jwks_secret(set));
    test_key_sign(keys, TEST_KEY_ED, 1, SLICE("what"), &signature);
    CU_ASSERT(sec_jwks_verify(set, SLICE("ed1"), SLICE("EdDSA"), SLICE("what"), buf_slice(&signature)) ==
              ERR_OK);
    CU_ASSERT(sec_jwks_verify(set, SLICE("ed0"), SLICE("EdDSA"), SLICE("what"), buf_slice(&signature)) ==
              ERR_DENIED);
    CU_ASSERT(sec_jwks_verify(set, SLICE_NONE, SLICE("EdDSA"), SLICE("what"), buf_slice(&signature)) ==
              ERR_DENIED);
    buf_clear(&text);
    buf_clear(&signature);
    sec_jwks_free(&set);
    test_keys_close(keys);
}

/* --- Wycheproof --- */

/* As token.c takes a token apart, but for the payload, which in these is no JSON. */
static bool accepted(const struct sec_jwks *set, struct slice jws)
{
    struct slice header, rest, payload, signature;
    struct buf text, octets;
    json_t *o = NULL;
    bool good = false;

    if (!slice_cut(jws, '.', &header, &rest) || !slice_cut(rest, '.', &payload, &signature))
        return false;
    buf_init(&text, 10000);
    buf_init(&octets, 10000);
    if (!codec_unbase64url(header, &text))
        o = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
    buf_reset(&text, SIZE_MAX);
    if (o && !codec_unbase64url(payload, &text) && !codec_unbase64url(signature, &octets))
        good = !sec_jwks_verify(set, slice_str(json_string_value(json_object_get(o, "kid"))),
                                slice_str(json_string_value(json_object_get(o, "alg"))),
                                slice_of(jws.p, header.n + 1 + payload.n), buf_slice(&octets));
    json_decref(o);
    buf_clear(&text);
    buf_clear(&octets);
    return good;
}

static size_t run_group(const json_t *group, bool *usable)
{
    json_t *doc = json_pack("{s:[O]}", "keys", json_object_get(group, "key"));
    char *text = json_dumps(doc, 0);
    const json_t *test;
    struct sec_jwks *set = NULL;
    const char *why;
    size_t i, n = 0;

    MUST(text);
    *usable = sec_jwks_parse(slice_str(text), &set, &why) == ERR_OK;
    json_array_foreach(json_object_get(group, "tests"), i, test)
    {
        bool want = slice_eq(slice_str(json_string_value(json_object_get(test, "result"))), SLICE("valid"));

        test_row((size_t)json_integer_value(json_object_get(test, "tcId")));
        if (set)
            CU_ASSERT(accepted(set, slice_str(json_string_value(json_object_get(test, "jws")))) == want);
        n++;
    }
    sec_jwks_free(&set);
    free(text);
    json_decref(doc);
    return n;
}

static void test_wycheproof(void)
{
    size_t n, i, tests = 0, usable = 0, groups;
    char *text = test_read("vectors/jws_wycheproof.json", &n);
    json_t *root = json_loadb(text, n, 0, NULL);
    const json_t *group;
    bool has_key;

    CU_ASSERT_FATAL(root != NULL);
    groups = json_array_size(json_object_get(root, "testGroups"));
    json_array_foreach(json_object_get(root, "testGroups"), i, group)
    {
        tests += run_group(group, &has_key);
        usable += has_key;
    }
    /* Keys for PS256 and for encryption are none that can be used here: nothing is accepted for them. */
    CU_ASSERT(groups == 15 && usable == 10);
    CU_ASSERT(tests == 126);
    json_decref(root);
    free(text);
}

const struct test_case test_cases[] = {
    {"sets", test_sets},
    {"ceilings", test_ceilings},
    {"a_key_is_for_one_algorithm", test_a_key_is_for_one_algorithm},
    {"many_ec_signatures", test_many_ec_signatures},
    {"no_kid_needs_one_key", test_no_kid_needs_one_key},
    {"wycheproof", test_wycheproof},
    {NULL, NULL},
};
