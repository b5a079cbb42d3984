/* Digest arithmetic against RFC 7616 §3.9, RFC 2617 §3.5 and GBA credentials. */
#include "security/login/digest_hash.h"

#include "tests/unit/security/vectors.h"

/* The file's name of the algorithm as ours; false for SHA-512-256, which is not offered. */
static bool algorithm_of(json_t *row, enum sec_digest_algorithm *out)
{
    struct slice name = vector_text(row, "algorithm");

    *out = slice_eq(name, SLICE("MD5")) ? SEC_DIGEST_MD5 : SEC_DIGEST_SHA256;
    return slice_eq(name, slice_str(sec_digest_algorithm_name(*out)));
}

static void vectors_run(const char *file, size_t want)
{
    json_t *tree = vectors_load(file);
    json_t *row;
    size_t i, ran = 0;

    json_array_foreach(vectors_list(tree, "vectors"), i, row)
    {
        struct sec_digest_response r = {.nonce = vector_text(row, "nonce"),
                                        .uri = vector_text(row, "uri"),
                                        .cnonce = vector_text(row, "cnonce"),
                                        .nc = 1,
                                        .qop = SEC_QOP_AUTH};
        struct slice body = json_object_get(row, "body") ? vector_text(row, "body") : SLICE_NONE;
        struct sec_digest_hex got;
        struct sec_secret ha1;

        test_row(i);
        if (!algorithm_of(row, &r.algorithm))
            continue;
        ran++;
        sec_secret_init(&ha1);
        if (slice_eq(vector_text(row, "qop"), SLICE("auth-int")))
            r.qop = SEC_QOP_AUTH_INT;
        CU_ASSERT(sec_digest_ha1(r.algorithm, vector_text(row, "username"), vector_text(row, "realm"),
                                 vector_text(row, "password"), &ha1) == ERR_OK);
        CU_ASSERT(sec_digest_formula(&r, sec_secret_slice(&ha1), vector_text(row, "method"), body, &got) ==
                  ERR_OK);
        TEST_SLICE_EQ(slice_of(got.p, got.n), vector_text(row, "response"));
        r.nc_text = vector_text(row, "nc");
        CU_ASSERT(sec_digest_formula(&r, sec_secret_slice(&ha1), vector_text(row, "method"), body, &got) ==
                  ERR_OK);
        CU_ASSERT(sec_digest_hex_eq(vector_text(row, "response"), &got));
    }
    CU_ASSERT(ran == want);
    json_decref(tree);
}

static void test_published(void)
{
    vectors_run("http_digest.json", 3); /* RFC 7616 §3.9.1 twice, RFC 2617 §3.5 */
}

static void test_gba_credentials(void)
{
    vectors_run("http_digest_ua.json", 4); /* user B-TID, password base64(Ks_NAF); auth and auth-int */
}

static void test_ha1_parse_rows(void)
{
#define HEX32 "0123456789abcdef0123456789abcdef"
    static const struct {
        enum sec_digest_algorithm a;
        const char *hex;
        enum err want;
    } rows[] = {
        {SEC_DIGEST_MD5, HEX32, ERR_OK},
        {SEC_DIGEST_MD5, "0123456789ABCDEF0123456789ABCDEF", ERR_OK},
        {SEC_DIGEST_SHA256, HEX32 HEX32, ERR_OK},
        {SEC_DIGEST_MD5, HEX32 HEX32, ERR_MALFORMED},
        {SEC_DIGEST_SHA256, HEX32, ERR_MALFORMED},
        {SEC_DIGEST_MD5, "", ERR_MALFORMED},
        {SEC_DIGEST_MD5, "0123456789abcdef0123456789abcdeg", ERR_MALFORMED},
        {SEC_DIGEST_MD5, "0123456789abcdef0123456789abcde", ERR_MALFORMED},
        {SEC_DIGEST_MD5, HEX32 "0", ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_secret s;

        test_row(i);
        sec_secret_init(&s);
        CU_ASSERT(sec_digest_ha1_parse(rows[i].a, slice_str(rows[i].hex), &s) == rows[i].want);
        CU_ASSERT(s.n == (rows[i].want ? 0 : sec_digest_hex_n(rows[i].a)));
        if (s.n)
            CU_ASSERT(slice_starts(sec_secret_slice(&s), SLICE(HEX32)));
    }
}

static void test_hex_eq(void)
{
    struct sec_digest_hex want = {"0a", 2};

    CU_ASSERT(sec_digest_hex_eq(SLICE("0a"), &want));
    CU_ASSERT(sec_digest_hex_eq(SLICE("0A"), &want));
    CU_ASSERT(!sec_digest_hex_eq(SLICE("0b"), &want));
    CU_ASSERT(!sec_digest_hex_eq(SLICE("0"), &want));
    CU_ASSERT(!sec_digest_hex_eq(SLICE("0a0"), &want));
    CU_ASSERT(!sec_digest_hex_eq(SLICE("\x10\x41"), &want));
    CU_ASSERT(!sec_digest_hex_eq(SLICE(HEX32 HEX32 "0"), &want));
}

const struct test_case test_cases[] = {
    {"published", test_published},
    {"gba_credentials", test_gba_credentials},
    {"ha1_parse_rows", test_ha1_parse_rows},
    {"hex_eq", test_hex_eq},
    {NULL, NULL},
};
