/* Digest AKA: the computed vectors in both roles, a whole bootstrapping over header values, and refusals. */
#include "security/login/digest_aka.h"

#include "base/mem.h"
#include "base/num.h"
#include "security/login/digest_hash.h"
#include "tests/unit/security/vectors.h"

#define TEXT_MAX_N 4096

/* RES, CK and IK of TS 35.208 set 1, which the vectors are made with; MILENAGE gives the rest. */
static struct sec_milenage *set1(void)
{
    static const uint8_t k[] = {0x46, 0x5b, 0x5c, 0xe8, 0xb1, 0x99, 0xb4, 0x9f,
                                0xaa, 0x5f, 0x0a, 0x2e, 0xe2, 0x38, 0xa6, 0xbc};
    static const uint8_t opc[] = {0xcd, 0x63, 0xcb, 0x71, 0x95, 0x4a, 0x9f, 0x4e,
                                  0x48, 0xa5, 0x99, 0x4e, 0x37, 0xa0, 0x2b, 0xaf};
    struct sec_milenage *m = NULL;

    MUST(sec_milenage_create(slice_of(k, sizeof k), slice_of(opc, sizeof opc), &m) == ERR_OK);
    return m;
}

static struct sec_aka_vector vector_for(struct slice nonce)
{
    struct sec_milenage *m = set1();
    struct sec_aka_vector v;
    uint8_t rand[SEC_AKA_RAND_N], autn[SEC_AKA_AUTN_N];

    MUST(sec_digest_aka_nonce(nonce, rand, autn) == ERR_OK);
    MUST(sec_aka_vector_make(m, rand, 0xff9bb4d0b607, 0xb9b9, SEC_AKA_PLAIN, &v) == ERR_OK);
    CU_ASSERT(memcmp(autn, v.autn, sizeof autn) == 0);
    sec_milenage_free(&m);
    return v;
}

static enum sec_digest_algorithm algorithm_of(json_t *row)
{
    return slice_eq(vector_text(row, "algorithm"), SLICE("AKAv2-MD5")) ? SEC_DIGEST_AKAV2_MD5
                                                                       : SEC_DIGEST_AKAV1_MD5;
}

/* Server's challenge to client's answer to server's proof, each as in the file. */
static void row_check(json_t *row)
{
    struct slice nonce = vector_text(row, "nonce"), user = vector_text(row, "username");
    struct sec_digest_aka_offer c = {algorithm_of(row), vector_text(row, "realm"), nonce, SLICE("ticket 7"),
                                     false};
    struct sec_digest_request q = {vector_text(row, "method"), vector_text(row, "uri"),
                                   vector_text(row, "request_body"), true};
    struct sec_aka_vector v = vector_for(nonce);
    struct sec_digest_offer offer;
    struct sec_digest_response sent;
    struct sec_digest_aka_request got;
    struct sec_secret ha1, password;
    struct buf challenge, answer, info;
    struct octets want;
    struct slice header;

    sec_secret_init(&ha1);
    sec_secret_init(&password);
    buf_init(&challenge, TEXT_MAX_N);
    buf_init(&answer, TEXT_MAX_N);
    buf_init(&info, TEXT_MAX_N);
    CU_ASSERT(sec_digest_aka_password(c.algorithm, &v, &password) == ERR_OK);
    TEST_SLICE_EQ(sec_secret_slice(&password), vector_octets(row, "password_hex", &want));
    CU_ASSERT(sec_digest_aka_ha1(c.algorithm, user, c.realm, &v, &ha1) == ERR_OK);
    CU_ASSERT(sec_digest_aka_challenge(&c, &challenge) == ERR_OK);
    header = buf_slice(&challenge);
    CU_ASSERT(sec_digest_aka_choose(&header, 1, &offer) == ERR_OK);
    CU_ASSERT(sec_digest_answer(&offer, user, &ha1, &q, vector_text(row, "cnonce"), 1, &answer, &sent) ==
              ERR_OK);
    CU_ASSERT_FATAL(sec_digest_aka_parse(buf_slice(&answer), &got) == ERR_OK);
    CU_ASSERT(got.kind == SEC_DIGEST_AKA_ANSWER);
    TEST_SLICE_EQ(got.r.response, vector_text(row, "response"));
    CU_ASSERT(sec_digest_aka_verify(&got.r, &q, &c, &ha1) == ERR_OK);
    CU_ASSERT(sec_digest_info(&got.r, &ha1, vector_text(row, "response_body"), &info) == ERR_OK);
    CU_ASSERT(slice_find_slice(buf_slice(&info), vector_text(row, "rspauth")) < info.n);
    CU_ASSERT(sec_digest_check_info(buf_slice(&info), &sent, &ha1, vector_text(row, "response_body")) ==
              ERR_OK);
    CU_ASSERT(sec_digest_check_info(buf_slice(&info), &sent, &ha1, SLICE("another body")) == ERR_DENIED);
    buf_clear(&challenge);
    buf_clear(&answer);
    buf_clear(&info);
}

static void test_vectors(void)
{
    json_t *tree = vectors_load("http_digest_aka.json");
    json_t *row;
    size_t i;

    json_array_foreach(vectors_list(tree, "vectors"), i, row)
    {
        test_row(i);
        row_check(row);
    }
    CU_ASSERT(i == 3);
    json_decref(tree);
}

static void test_sync_vector(void)
{
    json_t *tree = vectors_load("http_digest_aka.json");
    json_t *row = json_array_get(vectors_list(tree, "vectors"), 0);
    json_t *sync = json_object_get(tree, "sync_failure");
    struct sec_digest_request q = {vector_text(row, "method"), vector_text(row, "uri"), SLICE_NONE, true};
    struct sec_digest_offer offer = {.realm = vector_text(row, "realm"),
                                     .nonce = vector_text(sync, "nonce"),
                                     .algorithm = SEC_DIGEST_AKAV1_MD5,
                                     .qop_given = true,
                                     .auth_int = true};
    struct sec_milenage *m = set1();
    struct sec_digest_aka_request got;
    struct octets rand, sqn, want;
    uint8_t auts[SEC_AKA_AUTS_N];
    uint64_t sqn_ms = 0;
    struct buf out;

    buf_init(&out, TEXT_MAX_N);
    (void)vector_octets(sync, "rand", &rand);
    (void)vector_octets(sync, "sqn_ms", &sqn);
    CU_ASSERT(sec_aka_auts_make(m, rand.p, (uint64_t)num_get16(sqn.p) << 32 | num_get32(sqn.p + 2), auts) ==
              ERR_OK);
    TEST_SLICE_EQ(slice_of(auts, sizeof auts), vector_octets(sync, "auts", &want));
    CU_ASSERT(sec_digest_aka_sync(&offer, vector_text(row, "username"), auts, &q, vector_text(row, "cnonce"),
                                  &out) == ERR_OK);
    CU_ASSERT(slice_find_slice(buf_slice(&out), vector_text(sync, "response_with_empty_password")) < out.n);
    CU_ASSERT(slice_find_slice(buf_slice(&out), vector_text(sync, "auts_b64")) < out.n);
    CU_ASSERT_FATAL(sec_digest_aka_parse(buf_slice(&out), &got) == ERR_OK);
    CU_ASSERT(got.kind == SEC_DIGEST_AKA_SYNC);
    TEST_SLICE_EQ(got.r.nonce, offer.nonce);
    CU_ASSERT(sec_aka_auts_open(m, rand.p, got.auts, &sqn_ms) == ERR_OK && sqn_ms == 0xff9bb4d0b7a0);
    buf_clear(&out);
    sec_milenage_free(&m);
    json_decref(tree);
}

static void test_first(void)
{
    struct sec_digest_aka_request got;
    struct buf out;

    buf_init(&out, TEXT_MAX_N);
    CU_ASSERT(sec_digest_aka_first(SLICE("u@d"), SLICE("bsf.example"), SLICE("/"), &out) == ERR_OK);
    CU_ASSERT_FATAL(sec_digest_aka_parse(buf_slice(&out), &got) == ERR_OK);
    CU_ASSERT(got.kind == SEC_DIGEST_AKA_FIRST && got.r.nonce.n == 0);
    TEST_SLICE_EQ(got.r.username, SLICE("u@d"));
    TEST_SLICE_EQ(got.r.realm, SLICE("bsf.example"));
    buf_reset(&out, TEXT_MAX_N);
    CU_ASSERT(sec_digest_aka_first(SLICE("u\"@d"), SLICE("r"), SLICE("/"), &out) == ERR_MALFORMED);
    CU_ASSERT(sec_digest_aka_first(SLICE("u"), SLICE("r\n"), SLICE("/"), &out) == ERR_MALFORMED);
    CU_ASSERT(out.n == 0);
    buf_clear(&out);
}

#define NAMES "Digest username=\"u\", realm=\"r\", uri=\"/\""
#define HEX32 "0123456789abcdef0123456789abcdef"
#define REST  ", response=\"" HEX32 "\", qop=auth-int, nc=00000001, cnonce=\"c\""
#define AUTS  "uoU/PBObThEY13ad1ys="

static void test_parse_rows(void)
{
    static const struct {
        const char *in;
        enum err want;
        enum sec_digest_aka_kind kind;
    } rows[] = {
        {NAMES ", nonce=\"\", response=\"\"", ERR_OK, SEC_DIGEST_AKA_FIRST},
        {NAMES ", nonce=\"\"", ERR_OK, SEC_DIGEST_AKA_FIRST},
        {NAMES ", nonce=\"n\", algorithm=AKAv1-MD5" REST, ERR_OK, SEC_DIGEST_AKA_ANSWER},
        {NAMES ", nonce=\"n\", algorithm=akav2-md5" REST, ERR_OK, SEC_DIGEST_AKA_ANSWER},
        {NAMES ", nonce=\"n\", auts=\"" AUTS "\"", ERR_OK, SEC_DIGEST_AKA_SYNC},
        {NAMES ", nonce=\"n\", algorithm=AKAv1-MD5, auts=\"" AUTS "\"" REST, ERR_OK, SEC_DIGEST_AKA_SYNC},
        {NAMES ", nonce=\"n\"" REST, ERR_UNSUPPORTED, 0}, /* MD5, by silence */
        {NAMES ", nonce=\"n\", algorithm=MD5" REST, ERR_UNSUPPORTED, 0},
        {NAMES ", nonce=\"n\", algorithm=AKAv3-MD5" REST, ERR_UNSUPPORTED, 0},
        {NAMES ", nonce=\"n\", algorithm=AKAv1-MD5, response=\"" HEX32 "\"", ERR_UNSUPPORTED, 0},
        {NAMES ", nonce=\"\", response=\"" HEX32 "\"", ERR_MALFORMED, 0},
        {NAMES ", nonce=\"n\", response=\"\"", ERR_UNSUPPORTED, 0},
        {NAMES ", nonce=\"n\", auts=\"\"", ERR_MALFORMED, 0},
        {NAMES ", nonce=\"n\", auts=\"uoU/PBObThEY13ad1ys\"", ERR_MALFORMED, 0},
        {NAMES ", nonce=\"n\", auts=\"uoU/PBObThEY13ad1w==\"", ERR_MALFORMED, 0},     /* 13 octets */
        {NAMES ", nonce=\"n\", auts=\"uoU/PBObThEY13ad1ytA\"", ERR_MALFORMED, 0},     /* 15 octets */
        {NAMES ", nonce=\"n\", auts=\"uoU/PBObThEY13ad1ytAQEBA\"", ERR_MALFORMED, 0}, /* 18 octets */
        {NAMES ", auts=\"" AUTS "\"", ERR_MALFORMED, 0},
        {NAMES ", nonce=\"n\", auts=\"" AUTS "\", auts=\"" AUTS "\"", ERR_MALFORMED, 0},
        {"Digest realm=\"r\", uri=\"/\", nonce=\"\"", ERR_MALFORMED, 0},
        {"Digest username=\"u\", uri=\"/\", nonce=\"\"", ERR_MALFORMED, 0},
        {"Digest username=\"u\", realm=\"r\", nonce=\"\"", ERR_MALFORMED, 0},
        {NAMES, ERR_MALFORMED, 0},
        {"Digest username*=UTF-8''u, realm=\"r\", uri=\"/\", nonce=\"\"", ERR_UNSUPPORTED, 0},
        {"Basic dTpw", ERR_UNSUPPORTED, 0},
        {"", ERR_UNSUPPORTED, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_digest_aka_request got = {.kind = 9};

        test_row(i);
        CU_ASSERT(sec_digest_aka_parse(slice_str(rows[i].in), &got) == rows[i].want);
        CU_ASSERT(got.kind == (rows[i].want ? 9 : rows[i].kind));
    }
}

/* A server for passwords takes no AKA answer, a client with a password answers no AKA challenge, and reverse. */
static void test_families_apart(void)
{
    struct slice aka = SLICE("Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\", algorithm=AKAv1-MD5");
    struct slice aka2 = SLICE("Digest realm=\"r\", nonce=\"m\", qop=\"auth-int\", algorithm=AKAv2-MD5");
    struct slice md5 = SLICE("Digest realm=\"r\", nonce=\"n\", qop=\"auth\"");
    struct slice all[] = {md5, aka, aka2};
    struct sec_digest_response r;
    struct sec_digest_offer o;

    CU_ASSERT(sec_digest_choose(&aka, 1, &o) == ERR_ABSENT);
    CU_ASSERT(sec_digest_aka_choose(&md5, 1, &o) == ERR_ABSENT);
    CU_ASSERT(sec_digest_choose(all, 3, &o) == ERR_OK && o.algorithm == SEC_DIGEST_MD5);
    CU_ASSERT(sec_digest_aka_choose(all, 3, &o) == ERR_OK && o.algorithm == SEC_DIGEST_AKAV2_MD5);
    CU_ASSERT(sec_digest_aka_choose(all, 2, &o) == ERR_OK && o.algorithm == SEC_DIGEST_AKAV1_MD5);
    CU_ASSERT(sec_digest_parse(SLICE(NAMES ", nonce=\"n\", algorithm=AKAv1-MD5" REST), &r) ==
              ERR_UNSUPPORTED);
}

static void test_nonce_rows(void)
{
    static const struct {
        const char *in;
        enum err want;
    } rows[] = {
        {"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=", ERR_OK},
        {"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7MAESIzRFVmdw==", ERR_OK},
        {"", ERR_MALFORMED},
        {"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfrw==", ERR_MALFORMED}, /* 31 octets */
        {"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M", ERR_MALFORMED},
        {"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7N=", ERR_MALFORMED},
        {"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp_6w1Tfr7M=", ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t rand[SEC_AKA_RAND_N] = {7}, autn[SEC_AKA_AUTN_N] = {7};

        test_row(i);
        CU_ASSERT(sec_digest_aka_nonce(slice_str(rows[i].in), rand, autn) == rows[i].want);
        CU_ASSERT(rand[0] == (rows[i].want ? 7 : 0x23) && autn[0] == (rows[i].want ? 7 : 0x55));
    }
}

/* What the server made comes back to it: server data too; and its ceiling. */
static void test_nonce_round_trip(void)
{
    struct sec_aka_vector v = {.rand = "RRRRRRRRRRRRRRR", .autn = "AAAAAAAAAAAAAAA"};
    static const char data[SEC_DIGEST_AKA_SERVER_MAX_N + 1];
    uint8_t rand[SEC_AKA_RAND_N], autn[SEC_AKA_AUTN_N];
    struct buf out, octets;

    buf_init(&out, TEXT_MAX_N);
    buf_init(&octets, TEXT_MAX_N);
    CU_ASSERT(sec_digest_aka_nonce_print(&v, slice_of(data, sizeof data), &out) == ERR_LIMIT && out.n == 0);
    CU_ASSERT(sec_digest_aka_nonce_print(&v, slice_of(data, SEC_DIGEST_AKA_SERVER_MAX_N), &out) == ERR_OK);
    CU_ASSERT(sec_digest_aka_nonce(buf_slice(&out), rand, autn) == ERR_OK);
    CU_ASSERT(memcmp(rand, v.rand, sizeof rand) == 0 && memcmp(autn, v.autn, sizeof autn) == 0);
    CU_ASSERT(codec_unbase64(buf_slice(&out), false, &octets) == ERR_OK && octets.n == 96);
    buf_clear(&out);
    buf_clear(&octets);
}

/* Any other answer than the one to this offer and request is refused. */
static void test_verify_rows(void)
{
    static const struct sec_digest_aka_offer offer = {
        SEC_DIGEST_AKAV1_MD5, {"r", 1}, {"n", 1}, {"o", 1}, false};
    static const struct sec_digest_request request = {{"GET", 3}, {"/", 1}, {NULL, 0}, true};
    const struct sec_digest_response good = {.username = SLICE("u"),
                                             .realm = SLICE("r"),
                                             .nonce = SLICE("n"),
                                             .uri = SLICE("/"),
                                             .cnonce = SLICE("c"),
                                             .opaque = SLICE("o"),
                                             .nc = 1,
                                             .algorithm = SEC_DIGEST_AKAV1_MD5,
                                             .qop = SEC_QOP_AUTH_INT};
    struct sec_secret ha1;

    sec_secret_init(&ha1);
    MUST(sec_digest_ha1(SEC_DIGEST_AKAV1_MD5, SLICE("u"), SLICE("r"), SLICE("password"), &ha1) == ERR_OK);
    for (size_t i = 0; i < 10; i++) {
        struct sec_digest_response r = good;
        struct sec_digest_request q = request;
        struct sec_digest_hex hex;

        test_row(i);
        r.realm = i == 1 ? SLICE("x") : r.realm;
        r.nonce = i == 2 ? SLICE("x") : r.nonce;
        r.uri = i == 3 ? SLICE("/x") : r.uri;
        r.opaque = i == 4 ? SLICE_NONE : r.opaque;
        r.nc = i == 5 ? 2 : r.nc;
        r.algorithm = i == 6 ? SEC_DIGEST_AKAV2_MD5 : r.algorithm;
        r.qop = i == 7 ? SEC_QOP_AUTH : r.qop;
        MUST(sec_digest_formula(&r, sec_secret_slice(&ha1), q.method, q.body, &hex) == ERR_OK);
        hex.p[0] = i == 8 ? (char)(hex.p[0] == '0' ? '1' : '0') : hex.p[0];
        r.response = slice_of(hex.p, hex.n);
        q.body_known = i != 9;
        CU_ASSERT(sec_digest_aka_verify(&r, &q, &offer, &ha1) == (i == 0   ? ERR_OK
                                                                  : i == 9 ? ERR_AGAIN
                                                                           : ERR_DENIED));
    }
}

static void test_challenge_refused(void)
{
    struct sec_digest_aka_offer c = {SEC_DIGEST_AKAV1_MD5, SLICE("r\""), SLICE("n"), SLICE_NONE, false};
    struct buf out, tiny;

    buf_init(&out, TEXT_MAX_N);
    buf_init(&tiny, 20);
    CU_ASSERT(sec_digest_aka_challenge(&c, &out) == ERR_MALFORMED);
    c.realm = SLICE("r");
    c.opaque = SLICE("\\");
    CU_ASSERT(sec_digest_aka_challenge(&c, &out) == ERR_MALFORMED && out.n == 0);
    c.opaque = SLICE_NONE;
    CU_ASSERT(sec_digest_aka_challenge(&c, &tiny) == ERR_LIMIT && tiny.n == 0);
    CU_ASSERT(sec_digest_aka_challenge(&c, &out) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&out),
                  SLICE("Digest realm=\"r\", qop=\"auth-int\", algorithm=AKAv1-MD5, nonce=\"n\""));
    buf_clear(&out);
    buf_clear(&tiny);
}

const struct test_case test_cases[] = {
    {"vectors", test_vectors},
    {"sync_vector", test_sync_vector},
    {"first", test_first},
    {"parse_rows", test_parse_rows},
    {"families_apart", test_families_apart},
    {"nonce_rows", test_nonce_rows},
    {"nonce_round_trip", test_nonce_round_trip},
    {"verify_rows", test_verify_rows},
    {"challenge_refused", test_challenge_refused},
    {NULL, NULL},
};
