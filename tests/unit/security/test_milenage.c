/* Milenage against the sets of TS 35.207 and 35.208: OPc, f1, f1*, f2, f3, f4, f5, f5*. */
#include "security/milenage.h"

#include "base/mem.h"
#include "tests/unit/security/vectors.h"

static void member_eq(json_t *row, const char *member, const uint8_t *got, size_t n)
{
    struct octets want;

    TEST_SLICE_EQ(slice_of(got, n), vector_octets(row, member, &want));
}

static struct sec_milenage *row_open(json_t *row, struct sec_milenage_token *t)
{
    struct octets k, opc, o;
    struct sec_milenage *m = NULL;

    MUST(sec_milenage_create(vector_octets(row, "k", &k), vector_octets(row, "opc", &opc), &m) == ERR_OK);
    mem_copy(t->rand, sizeof t->rand, vector_octets(row, "rand", &o));
    mem_copy(t->sqn, sizeof t->sqn, vector_octets(row, "sqn", &o));
    mem_copy(t->amf, sizeof t->amf, vector_octets(row, "amf", &o));
    return m;
}

/* f1star is not among the values of every list. */
static void row_check(json_t *row)
{
    struct sec_milenage_token t;
    struct sec_milenage_keys keys;
    struct octets k, op;
    uint8_t opc[SEC_AKA_K_N], mac[SEC_AKA_MAC_N], ak[SEC_AKA_AK_N];
    struct sec_milenage *m = row_open(row, &t);

    CU_ASSERT(sec_milenage_opc(vector_octets(row, "k", &k), vector_octets(row, "op", &op), opc) == ERR_OK);
    member_eq(row, "opc", opc, sizeof opc);
    CU_ASSERT(sec_milenage_f1(m, &t, mac) == ERR_OK);
    member_eq(row, "f1", mac, sizeof mac);
    if (json_object_get(row, "f1star")) {
        CU_ASSERT(sec_milenage_f1_star(m, &t, mac) == ERR_OK);
        member_eq(row, "f1star", mac, sizeof mac);
    }
    CU_ASSERT(sec_milenage_f2345(m, t.rand, &keys) == ERR_OK);
    member_eq(row, "f2", keys.res, sizeof keys.res);
    member_eq(row, "f3", keys.ck, sizeof keys.ck);
    member_eq(row, "f4", keys.ik, sizeof keys.ik);
    member_eq(row, "f5", keys.ak, sizeof keys.ak);
    CU_ASSERT(sec_milenage_f5_star(m, t.rand, ak) == ERR_OK);
    member_eq(row, "f5star", ak, sizeof ak);
    sec_milenage_free(&m);
    CU_ASSERT(m == NULL);
}

static void test_published(void)
{
    static const char *const lists[] = {"published", "published_tokens"};
    json_t *tree = vectors_load("milenage.json");
    json_t *row;
    size_t i, sets = 0;

    for (size_t list = 0; list < COUNT(lists); list++)
        json_array_foreach(vectors_list(tree, lists[list]), i, row)
        {
            test_row(list * 100 + i);
            row_check(row);
            sets++;
        }
    CU_ASSERT(sets == 21);
    json_decref(tree);
}

static void test_refused(void)
{
    struct slice k = SLICE("0123456789abcdef");
    struct sec_milenage *m = NULL;
    uint8_t opc[SEC_AKA_K_N] = {7};

    CU_ASSERT(sec_milenage_create(slice_sub(k, 0, 15), k, &m) == ERR_LIMIT);
    CU_ASSERT(sec_milenage_create(k, slice_sub(k, 0, 15), &m) == ERR_LIMIT);
    CU_ASSERT(sec_milenage_create(SLICE_NONE, SLICE_NONE, &m) == ERR_LIMIT && !m);
    CU_ASSERT(sec_milenage_opc(slice_sub(k, 0, 15), k, opc) == ERR_LIMIT);
    CU_ASSERT(sec_milenage_opc(k, SLICE("0123456789abcdef0"), opc) == ERR_LIMIT && opc[0] == 7 && !opc[1]);
    sec_milenage_free(&m);
}

static void test_keys_are_wiped(void)
{
    static const struct sec_milenage_keys zero;
    struct sec_milenage_keys keys;

    memset(&keys, 0x55, sizeof keys);
    sec_milenage_keys_clear(&keys);
    CU_ASSERT(memcmp(&keys, &zero, sizeof keys) == 0);
}

const struct test_case test_cases[] = {
    {"published", test_published},
    {"refused", test_refused},
    {"keys_are_wiped", test_keys_are_wiped},
    {NULL, NULL},
};
