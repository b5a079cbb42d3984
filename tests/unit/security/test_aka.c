/* AKA: tokens against published and computed values, the order of the checks, and the array of sequence numbers. */
#include "security/aka.h"

#include "base/mem.h"
#include "base/num.h"
#include "tests/unit/security/vectors.h"

#define SEQ(seq, ind) ((uint64_t)(seq) << SEC_AKA_IND_BITS | (ind))

static uint64_t sqn_of(json_t *row, const char *member)
{
    struct octets o;

    MUST(vector_octets(row, member, &o).n == SEC_AKA_SQN_N);
    return (uint64_t)num_get16(o.p) << 32 | num_get32(o.p + 2);
}

static struct sec_milenage *row_milenage(json_t *row)
{
    struct octets k, opc;
    struct sec_milenage *m = NULL;

    MUST(sec_milenage_create(vector_octets(row, "k", &k), vector_octets(row, "opc", &opc), &m) == ERR_OK);
    return m;
}

/* The network's vector has the token, and a terminal takes it. */
static void autn_check(json_t *row, json_t *tokens, const char *member, enum sec_aka_star star)
{
    struct octets rand, amf, want, res;
    struct sec_milenage *m = row_milenage(row);
    uint64_t sqn = sqn_of(row, "sqn");
    uint64_t seq = sqn >> SEC_AKA_IND_BITS;
    struct sec_aka_seen seen = {.seq = {seq ? seq - 1 : 0}};
    struct sec_aka_vector net, ue;

    (void)vector_octets(row, "rand", &rand);
    (void)vector_octets(row, "amf", &amf);
    CU_ASSERT(sec_aka_vector_make(m, rand.p, sqn, num_get16(amf.p), star, &net) == ERR_OK);
    TEST_SLICE_EQ(slice_of(net.autn, sizeof net.autn), vector_octets(tokens, member, &want));
    (void)vector_octets(row, "f2", &res);
    res.p[7] = (uint8_t)(res.p[7] ^ (star != SEC_AKA_PLAIN)); /* the UICC turns the last bit of RES */
    TEST_SLICE_EQ(slice_of(net.res, sizeof net.res), slice_of(res.p, res.n));
    if (seq) { /* SEQ 0 is never fresh */
        CU_ASSERT(sec_aka_respond(m, rand.p, net.autn, star, &seen, &ue) == ERR_OK);
        CU_ASSERT(memcmp(&net, &ue, sizeof net) == 0);
        CU_ASSERT(sec_aka_seen_highest(&seen) == sqn);
    }
    sec_milenage_free(&m);
}

static void test_autn_vectors(void)
{
    json_t *tree = vectors_load("milenage.json");
    json_t *row;
    size_t i;

    json_array_foreach(vectors_list(tree, "published"), i, row)
    {
        json_t *tokens = json_object_get(row, "computed");

        test_row(i);
        autn_check(row, tokens, "autn", SEC_AKA_PLAIN);
        autn_check(row, tokens, "autn_star_sha256", SEC_AKA_STAR_SHA256);
        autn_check(row, tokens, "autn_star_sha1", SEC_AKA_STAR_SHA1);
    }
    json_array_foreach(vectors_list(tree, "published_tokens"), i, row)
    {
        test_row(100 + i);
        autn_check(row, row, "autn", SEC_AKA_PLAIN);
    }
    json_decref(tree);
}

static void auts_check(json_t *row, struct slice want, uint64_t sqn_ms)
{
    struct octets rand;
    struct sec_milenage *m = row_milenage(row);
    uint8_t auts[SEC_AKA_AUTS_N] = {0};
    uint64_t got = 1;

    (void)vector_octets(row, "rand", &rand);
    CU_ASSERT(sec_aka_auts_make(m, rand.p, sqn_ms, auts) == ERR_OK);
    TEST_SLICE_EQ(slice_of(auts, sizeof auts), want);
    CU_ASSERT(sec_aka_auts_open(m, rand.p, auts, &got) == ERR_OK && got == sqn_ms);
    sec_milenage_free(&m);
}

static void test_auts_vectors(void)
{
    json_t *tree = vectors_load("milenage.json");
    struct octets want;
    json_t *row;
    size_t i;

    json_array_foreach(vectors_list(tree, "published"), i, row)
    {
        json_t *tokens = json_object_get(row, "computed");

        test_row(i);
        auts_check(row, vector_octets(tokens, "auts_for_sqn_ms_equal_sqn_amf0000", &want),
                   sqn_of(row, "sqn"));
    }
    json_array_foreach(vectors_list(tree, "published_tokens"), i, row)
    {
        test_row(100 + i);
        auts_check(row, vector_octets(row, "auts", &want), sqn_of(row, "sqn_ms"));
    }
    json_decref(tree);
}

static const uint8_t rand_test[SEC_AKA_RAND_N] = "RRRRRRRRRRRRRRR";

static struct sec_milenage *milenage_test(void)
{
    struct sec_milenage *m = NULL;

    MUST(sec_milenage_create(SLICE("0123456789abcdef"), SLICE("fedcba9876543210"), &m) == ERR_OK);
    return m;
}

/* No bit of AUTN or AUTS can be turned, and a wrong token moves nothing. */
static void test_every_bit_counts(void)
{
    static const enum sec_aka_star stars[] = {SEC_AKA_PLAIN, SEC_AKA_STAR_SHA256, SEC_AKA_STAR_SHA1};
    struct sec_milenage *m = milenage_test();
    struct sec_aka_seen seen = {.seq = {0}};
    struct sec_aka_vector v, out = {.rand = {7}};
    uint8_t auts[SEC_AKA_AUTS_N];
    uint64_t sqn_ms = 5;

    for (size_t s = 0; s < COUNT(stars); s++) {
        CU_ASSERT(sec_aka_vector_make(m, rand_test, SEQ(1, 1), 0, stars[s], &v) == ERR_OK);
        for (size_t bit = 0; bit < sizeof v.autn * 8; bit++) {
            test_row(s * 1000 + bit);
            v.autn[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CU_ASSERT(sec_aka_respond(m, rand_test, v.autn, stars[s], &seen, &out) == ERR_DENIED);
            v.autn[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t other = 0; other < COUNT(stars); other++) /* one kind is not taken for another */
            CU_ASSERT(other == s ||
                      sec_aka_respond(m, rand_test, v.autn, stars[other], &seen, &out) == ERR_DENIED);
    }
    CU_ASSERT(sec_aka_seen_highest(&seen) == 0 && out.rand[0] == 7 && out.rand[1] == 0);
    CU_ASSERT(sec_aka_auts_make(m, rand_test, SEQ(9, 1), auts) == ERR_OK);
    for (size_t bit = 0; bit < sizeof auts * 8; bit++) {
        test_row(bit);
        auts[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CU_ASSERT(sec_aka_auts_open(m, rand_test, auts, &sqn_ms) == ERR_DENIED);
        auts[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CU_ASSERT(sqn_ms == 5);
    sec_milenage_free(&m);
}

/* The MAC comes first: a stranger's old number says nothing about where the terminal stands. */
static void test_mac_before_freshness(void)
{
    struct sec_milenage *m = milenage_test();
    struct sec_aka_seen seen = {.seq = {[3] = 10}};
    struct sec_aka_vector v, out;

    CU_ASSERT(sec_aka_vector_make(m, rand_test, SEQ(10, 3), 0, SEC_AKA_PLAIN, &v) == ERR_OK);
    CU_ASSERT(sec_aka_respond(m, rand_test, v.autn, SEC_AKA_PLAIN, &seen, &out) == ERR_EXISTS);
    v.autn[15] ^= 1;
    CU_ASSERT(sec_aka_respond(m, rand_test, v.autn, SEC_AKA_PLAIN, &seen, &out) == ERR_DENIED);
    CU_ASSERT(sec_aka_seen_highest(&seen) == SEQ(10, 3));
    sec_milenage_free(&m);
}

static void test_freshness_rows(void)
{
    static const struct {
        uint64_t sqn;
        enum err want;
    } rows[] = {
        /* slot 0 has 100, slot 1 has 50, the others nothing */
        {SEQ(101, 0), ERR_OK},
        {SEQ(51, 1), ERR_OK},
        {SEQ(1, 2), ERR_OK},
        {SEQ(1, 31), ERR_OK},
        {SEQ(100 + SEC_AKA_SEQ_DELTA, 5), ERR_OK},
        {SEQ(100, 0), ERR_EXISTS},
        {SEQ(99, 0), ERR_EXISTS},
        {SEQ(50, 1), ERR_EXISTS},
        {SEQ(0, 2), ERR_EXISTS},
        {0, ERR_EXISTS},
        {SEQ(101 + SEC_AKA_SEQ_DELTA, 0), ERR_EXISTS}, /* would use the numbers up */
        {SEQ(101 + SEC_AKA_SEQ_DELTA, 5), ERR_EXISTS},
        {SEC_AKA_SQN_MAX, ERR_EXISTS},
    };
    struct sec_aka_seen seen = {.seq = {100, 50}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(sec_aka_seen_check(&seen, rows[i].sqn) == rows[i].want);
    }
    CU_ASSERT(sec_aka_seen_highest(&seen) == SEQ(100, 0));
}

/* Two consumers with a slot each do not disturb one another; what was taken is not taken again. */
static void test_two_consumers(void)
{
    struct sec_milenage *m = milenage_test();
    struct sec_aka_seen seen = {.seq = {0}};
    struct sec_aka_vector v[4], out;
    uint64_t sqn = 0;

    for (size_t i = 0; i < COUNT(v); i++) {
        CU_ASSERT(sec_aka_sqn_next(sqn, (uint8_t)(i % 2 ? 9 : 4), &sqn) == ERR_OK);
        CU_ASSERT(sec_aka_vector_make(m, rand_test, sqn, 0x8000, SEC_AKA_PLAIN, &v[i]) == ERR_OK);
    }
    CU_ASSERT(sec_aka_respond(m, rand_test, v[3].autn, SEC_AKA_PLAIN, &seen, &out) == ERR_OK);
    CU_ASSERT(sec_aka_respond(m, rand_test, v[1].autn, SEC_AKA_PLAIN, &seen, &out) == ERR_EXISTS);
    CU_ASSERT(sec_aka_respond(m, rand_test, v[0].autn, SEC_AKA_PLAIN, &seen, &out) == ERR_OK);
    CU_ASSERT(sec_aka_respond(m, rand_test, v[2].autn, SEC_AKA_PLAIN, &seen, &out) == ERR_OK);
    for (size_t i = 0; i < COUNT(v); i++)
        CU_ASSERT(sec_aka_respond(m, rand_test, v[i].autn, SEC_AKA_PLAIN, &seen, &out) == ERR_EXISTS);
    sec_milenage_free(&m);
}

static void test_next_rows(void)
{
    static const struct {
        uint64_t sqn;
        uint8_t ind;
        enum err want;
        uint64_t next;
    } rows[] = {
        {0, 0, ERR_OK, 32},
        {0, 31, ERR_OK, 63},
        {63, 5, ERR_OK, 64 + 5},
        {SEQ(7, 30), 1, ERR_OK, SEQ(8, 1)},
        {SEC_AKA_SQN_MAX - 32, 31, ERR_OK, SEC_AKA_SQN_MAX},
        {SEC_AKA_SQN_MAX - 31, 0, ERR_LATE, 9},
        {SEC_AKA_SQN_MAX, 31, ERR_LATE, 9},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t next = 9;

        test_row(i);
        CU_ASSERT(sec_aka_sqn_next(rows[i].sqn, rows[i].ind, &next) == rows[i].want);
        CU_ASSERT(next == rows[i].next);
    }
}

/* Whatever the two were at: after AUTS the next number is taken. */
static void test_resync_rows(void)
{
    static const struct {
        uint64_t network, terminal;
        bool moves;
    } rows[] = {
        {SEQ(5, 1), SEQ(100, 3), true},
        {SEQ(99, 1), SEQ(100, 3), true},
        {SEQ(100, 1), SEQ(100, 3), false},
        {SEQ(5000, 1), SEQ(100, 3), false}, /* an old AUTS does not turn the numbers back */
        {SEQ(99 + SEC_AKA_SEQ_DELTA, 0), SEQ(100, 3), false},
        {SEQ(100 + SEC_AKA_SEQ_DELTA, 0), SEQ(100, 3), true}, /* too far ahead: back is the only way */
        {SEC_AKA_SQN_MAX, SEQ(100, 3), true},
        {0, 0, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_aka_seen seen = {.seq = {0}};
        uint64_t sqn = sec_aka_sqn_resync(rows[i].network, rows[i].terminal), next = 0;

        test_row(i);
        CU_ASSERT(sqn == (rows[i].moves ? rows[i].terminal : rows[i].network));
        sec_aka_seen_update(&seen, rows[i].terminal);
        CU_ASSERT(sec_aka_sqn_next(sqn, 7, &next) == ERR_OK);
        CU_ASSERT(sec_aka_seen_check(&seen, next) == ERR_OK);
    }
}

/* A terminal ahead of the network: refused, AUTS, resynchronised, accepted. */
static void test_resynchronisation(void)
{
    struct sec_milenage *m = milenage_test();
    struct sec_aka_seen seen = {.seq = {[2] = 5000}};
    struct sec_aka_vector v, out;
    uint8_t auts[SEC_AKA_AUTS_N];
    uint64_t sqn, sqn_ms;

    CU_ASSERT(sec_aka_sqn_next(0, 2, &sqn) == ERR_OK);
    CU_ASSERT(sec_aka_vector_make(m, rand_test, sqn, 0, SEC_AKA_PLAIN, &v) == ERR_OK);
    CU_ASSERT(sec_aka_respond(m, rand_test, v.autn, SEC_AKA_PLAIN, &seen, &out) == ERR_EXISTS);
    CU_ASSERT(sec_aka_auts_make(m, rand_test, sec_aka_seen_highest(&seen), auts) == ERR_OK);
    CU_ASSERT(sec_aka_auts_open(m, rand_test, auts, &sqn_ms) == ERR_OK && sqn_ms == SEQ(5000, 2));
    CU_ASSERT(sec_aka_sqn_next(sec_aka_sqn_resync(sqn, sqn_ms), 2, &sqn) == ERR_OK);
    CU_ASSERT(sec_aka_vector_make(m, rand_test, sqn, 0, SEC_AKA_PLAIN, &v) == ERR_OK);
    CU_ASSERT(sec_aka_respond(m, rand_test, v.autn, SEC_AKA_PLAIN, &seen, &out) == ERR_OK);
    sec_milenage_free(&m);
}

static void test_limits(void)
{
    static const struct sec_aka_vector zero;
    struct sec_milenage *m = milenage_test();
    struct sec_aka_vector v = {.rand = {7}};
    uint8_t auts[SEC_AKA_AUTS_N] = {7};

    CU_ASSERT(sec_aka_vector_make(m, rand_test, SEC_AKA_SQN_MAX + 1, 0, SEC_AKA_PLAIN, &v) == ERR_LIMIT);
    CU_ASSERT(sec_aka_auts_make(m, rand_test, SEC_AKA_SQN_MAX + 1, auts) == ERR_LIMIT);
    CU_ASSERT(v.rand[0] == 7 && v.rand[1] == 0 && auts[0] == 7 && auts[1] == 0);
    CU_ASSERT(sec_aka_vector_make(m, rand_test, SEC_AKA_SQN_MAX, 0, SEC_AKA_PLAIN, &v) == ERR_OK);
    sec_aka_vector_clear(&v);
    CU_ASSERT(memcmp(&v, &zero, sizeof v) == 0);
    sec_milenage_free(&m);
}

const struct test_case test_cases[] = {
    {"autn_vectors", test_autn_vectors},
    {"auts_vectors", test_auts_vectors},
    {"every_bit_counts", test_every_bit_counts},
    {"mac_before_freshness", test_mac_before_freshness},
    {"freshness_rows", test_freshness_rows},
    {"two_consumers", test_two_consumers},
    {"next_rows", test_next_rows},
    {"resync_rows", test_resync_rows},
    {"resynchronisation", test_resynchronisation},
    {"limits", test_limits},
    {NULL, NULL},
};
