/* The KDF of TS 33.220 annex B and HMAC-SHA-256 against published outputs, and their limits. */
#include "security/kdf.h"

#include "security/gba/gba.h"
#include "security/rules/entities.h"
#include "tests/unit/security/vectors.h"

/* TS 33.220 annex B through the outputs that RFC 9048 appendix D publishes. */
static void test_kdf_published(void)
{
    json_t *tree = vectors_load("kdf_published.json");
    json_t *row;
    size_t i;

    json_array_foreach(vectors_list(tree, "vectors"), i, row)
    {
        struct octets key, fc, want, p[2];
        struct slice params[2];
        uint8_t got[SEC_SHA256_N];
        json_t *list = vectors_list(row, "params");

        test_row(i);
        MUST(json_array_size(list) == 2);
        for (size_t k = 0; k < 2; k++)
            params[k] = octets_of(slice_str(json_string_value(json_array_get(list, k))), &p[k]);
        (void)vector_octets(row, "fc", &fc);
        CU_ASSERT(sec_kdf(vector_octets(row, "key", &key), fc.p[0], params, 2, got) == ERR_OK);
        CU_ASSERT(slice_eq(slice_of(got, sizeof got), vector_octets(row, "output", &want)));
    }
    json_decref(tree);
}

static void test_kdf_limits(void)
{
    static const char zeros[SEC_KDF_PARAM_MAX_N + 1];
    struct slice many[SEC_KDF_PARAMS_MAX + 1] = {SLICE("x")};
    struct slice longest = slice_of(zeros, SEC_KDF_PARAM_MAX_N);
    struct slice longer = slice_of(zeros, SEC_KDF_PARAM_MAX_N + 1);
    uint8_t out[SEC_SHA256_N] = {7};

    CU_ASSERT(sec_kdf(SLICE("k"), 0xFF, many, 1, out) == ERR_UNSUPPORTED);
    CU_ASSERT(sec_kdf(SLICE("k"), 1, many, COUNT(many), out) == ERR_LIMIT);
    CU_ASSERT(sec_kdf(SLICE("k"), 1, &longer, 1, out) == ERR_LIMIT);
    CU_ASSERT(out[0] == 7 && out[1] == 0); /* untouched on failure */
    CU_ASSERT(sec_kdf(SLICE("k"), 1, many, SEC_KDF_PARAMS_MAX, out) == ERR_OK);
    CU_ASSERT(sec_kdf(SLICE("k"), 1, &longest, 1, out) == ERR_OK);
}

/* The lengths keep "ab","c" and "a","bc" apart. */
static void test_kdf_parameters_do_not_run_together(void)
{
    struct slice one[] = {SLICE("ab"), SLICE("c")};
    struct slice two[] = {SLICE("a"), SLICE("bc")};
    uint8_t x[SEC_SHA256_N], y[SEC_SHA256_N];

    CU_ASSERT(sec_kdf(SLICE("k"), 1, one, 2, x) == ERR_OK);
    CU_ASSERT(sec_kdf(SLICE("k"), 1, two, 2, y) == ERR_OK);
    CU_ASSERT(!slice_eq(slice_of(x, sizeof x), slice_of(y, sizeof y)));
}

/* RFC 4231; case 5 publishes 128 bits only. */
static void test_hmac_published(void)
{
    json_t *tree = vectors_load("hmac_sha256.json");
    json_t *row;
    size_t i;

    json_array_foreach(vectors_list(tree, "vectors"), i, row)
    {
        struct octets key, data, want;
        struct slice whole = vector_octets(row, "data", &data);
        struct slice parts[] = {slice_sub(whole, 0, whole.n / 3), SLICE_NONE,
                                slice_sub(whole, whole.n / 3, whole.n)};
        uint8_t got[SEC_SHA256_N];

        test_row(i);
        CU_ASSERT(sec_hmac_sha256(vector_octets(row, "key", &key), parts, 3, got) == ERR_OK);
        (void)vector_octets(row, "mac", &want);
        CU_ASSERT(want.n == vector_u32(row, "mac_len"));
        CU_ASSERT(slice_eq(slice_of(got, want.n), slice_of(want.p, want.n)));
    }
    json_decref(tree);
}

/* All that is derived from one key: whoever has one of them has none of the others. */
static size_t derive_all(const struct sec_secret *ks, struct sec_secret *out)
{
    const struct slice uas[] = {SEC_GBA_UA_DIGEST, SEC_GBA_UA_GPL, SEC_GBA_UA_TLS13, SEC_GBA_UA_TMPI};
    static const char *const uses[] = {"psk-tls", "digest"};
    size_t n = 0;

    for (size_t u = 0; u < COUNT(uas); u++)
        for (int kind = 0; kind < SEC_GBA_KIND_COUNT; kind++) {
            struct sec_naf_id naf;

            CU_ASSERT_FATAL(sec_gba_naf_id(SLICE("naf.example"), uas[u], &naf) == ERR_OK);
            CU_ASSERT(sec_gba_naf_key(ks, (enum sec_gba_kind)kind, SLICE("0123456789abcdef"), SLICE("a@b"),
                                      slice_of(naf.octets, naf.n), &out[n++]) == ERR_OK);
        }
    for (size_t u = 0; u < COUNT(uses); u++)
        CU_ASSERT(sec_key_derive(sec_secret_slice(ks), uses[u], SLICE("a@b"), &out[n++]) == ERR_OK);
    CU_ASSERT(sec_entity_wrap_key(ks, &out[n++]) == ERR_OK);
    return n;
}

static void test_kdf_each_use_a_key(void)
{
    struct sec_secret keys[32], ks;
    size_t n;

    sec_secret_init(&ks);
    CU_ASSERT_FATAL(sec_secret_random(&ks, SEC_GBA_KEY_N) == ERR_OK);
    n = derive_all(&ks, keys);
    CU_ASSERT(n == 15);
    keys[n++] = ks;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            CU_ASSERT(!slice_eq(sec_secret_slice(&keys[i]), sec_secret_slice(&keys[j])));
}

const struct test_case test_cases[] = {
    {"published", test_kdf_published},
    {"limits", test_kdf_limits},
    {"parameters_do_not_run_together", test_kdf_parameters_do_not_run_together},
    {"each_use_a_key", test_kdf_each_use_a_key},
    {"hmac_published", test_hmac_published},
    {NULL, NULL},
};
