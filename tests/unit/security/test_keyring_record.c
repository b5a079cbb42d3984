/* One sealed record: what is sealed opens, and nothing else does. */
#include "security/keyring_record.h"

#include <stdlib.h>
#include "tests/unit/security/keyring_fix.h"

static const uint8_t salt[SEC_KEYRING_SALT_N] = {1, 2, 3};

static struct sec_keyring_keys *keys_of(struct slice master)
{
    struct sec_keyring_keys *k;

    MUST(sec_keyring_keys_create(master, salt, &k) == ERR_OK);
    return k;
}

static struct sec_record *sealed(const struct sec_keyring_keys *keys, const char *name)
{
    struct sec_key k = key_of(SEC_KEY_ASSOCIATION, name);
    struct sec_record *rec;

    k.version = 7;
    k.expires_s = CREATED + 9;
    MUST(sec_record_seal(keys, &k, KS, &rec) == ERR_OK);
    return rec;
}

static void test_seal_and_parse_and_open(void)
{
    struct sec_keyring_keys *keys = keys_of(MASTER);
    struct sec_record *rec = sealed(keys, "name"), *back, *again = sealed(keys, "name");
    struct sec_secret got;

    CU_ASSERT(sec_record_parse(slice_of(rec->octets, rec->n), &back) == ERR_OK);
    CU_ASSERT(back->key.kind == SEC_KEY_ASSOCIATION && back->key.version == 7);
    CU_ASSERT(back->key.created_s == CREATED && back->key.expires_s == CREATED + 9 && !back->key.older);
    TEST_SLICE_EQ(back->key.name, SLICE("name"));
    TEST_SLICE_EQ(back->key.attr, SAID);
    CU_ASSERT(slice_eq(slice_of(back->octets, back->n), slice_of(rec->octets, rec->n)));
    sec_secret_init(&got);
    CU_ASSERT(sec_record_open(keys, back, &got) == ERR_OK);
    TEST_SLICE_EQ(sec_secret_slice(&got), KS);
    CU_ASSERT(
        !slice_eq(slice_of(again->octets, again->n), slice_of(rec->octets, rec->n))); /* a fresh nonce */
    CU_ASSERT(slice_find_slice(slice_of(rec->octets, rec->n), SLICE("ks ks")) == SIZE_MAX);
    sec_secret_clear(&got);
    sec_record_free(rec);
    sec_record_free(back);
    sec_record_free(again);
    sec_keyring_keys_free(&keys);
}

/* Every bit of a record is covered: name, kind, version, times, attr, nonce, secret, tag. */
static void test_every_bit_counts(void)
{
    struct sec_keyring_keys *keys = keys_of(MASTER);
    struct sec_record *rec = sealed(keys, "name");

    for (size_t bit = 0; bit < 8 * rec->n; bit++) {
        struct sec_record *back;
        struct sec_secret got;

        test_row(bit);
        rec->octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        sec_secret_init(&got);
        if (sec_record_parse(slice_of(rec->octets, rec->n), &back) == ERR_OK) {
            CU_ASSERT(sec_record_open(keys, back, &got) == ERR_DENIED && got.n == 0);
            sec_record_free(back);
        }
        rec->octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    sec_record_free(rec);
    sec_keyring_keys_free(&keys);
}

/* The secret of one record does not open under the head of another. */
static void test_records_cannot_be_swapped(void)
{
    struct sec_keyring_keys *keys = keys_of(MASTER);
    struct sec_record *a = sealed(keys, "aa"), *b = sealed(keys, "bb");
    size_t tail = a->n - 12 - 1 - 32 - 16;
    struct sec_secret got;

    for (size_t i = tail; i < a->n; i++)
        a->octets[i] = b->octets[i];
    sec_secret_init(&got);
    CU_ASSERT(sec_record_open(keys, a, &got) == ERR_DENIED && got.n == 0);
    CU_ASSERT(sec_record_open(keys, b, &got) == ERR_OK);
    sec_secret_clear(&got);
    sec_record_free(a);
    sec_record_free(b);
    sec_keyring_keys_free(&keys);
}

static void test_other_master(void)
{
    struct sec_keyring_keys *keys = keys_of(MASTER), *other = keys_of(MASTER2);
    struct sec_record *rec = sealed(keys, "name");
    struct sec_secret got;

    sec_secret_init(&got);
    CU_ASSERT(sec_record_open(other, rec, &got) == ERR_DENIED && got.n == 0);
    CU_ASSERT(memcmp(keys->seal, keys->mac, 32) != 0 && memcmp(keys->mac, keys->print, 32) != 0);
    CU_ASSERT(memcmp(keys->print, keys->id, 32) != 0);
    sec_record_free(rec);
    sec_keyring_keys_free(&keys);
    sec_keyring_keys_free(&other);
    CU_ASSERT(keys == NULL);
}

static void test_truncated(void)
{
    struct sec_keyring_keys *keys = keys_of(MASTER);
    struct sec_record *rec = sealed(keys, "name"), *back = NULL;

    for (size_t n = 0; n < rec->n; n++) {
        char *copy = malloc(n + 1); /* of its own, so that reading past it is seen */

        test_row(n);
        CU_ASSERT_FATAL(copy != NULL);
        for (size_t i = 0; i < n; i++)
            copy[i] = (char)rec->octets[i];
        CU_ASSERT(sec_record_parse(slice_of(copy, n), &back) == ERR_MALFORMED && !back);
        free(copy);
    }
    sec_record_free(rec);
    sec_record_free(NULL);
    sec_keyring_keys_free(&keys);
}

const struct test_case test_cases[] = {
    {"seal_and_parse_and_open", test_seal_and_parse_and_open},
    {"every_bit_counts", test_every_bit_counts},
    {"records_cannot_be_swapped", test_records_cannot_be_swapped},
    {"other_master", test_other_master},
    {"truncated", test_truncated},
    {NULL, NULL},
};
