/* A keyring as octets: what is printed is read again, what is damaged is not. */
#include "security/keyring.h"

#include <stdlib.h>
#include "base/num.h"
#include "tests/unit/security/keyring_fix.h"

/* Printed, with a key in its grace. */
static void print_full(struct buf *out)
{
    struct sec_keyring *r = ring_full();
    struct sec_key k = key_of(SEC_KEY_PSK, "p");

    MUST(sec_keyring_rotate(r, &k, KS2, CREATED + 50) == ERR_OK);
    buf_init(out, SEC_KEYRING_MAX_N);
    MUST(sec_keyring_print(r, out) == ERR_OK);
    sec_keyring_free(&r);
}

static void check_full(const struct sec_keyring *r, uint64_t generation)
{
    const struct sec_key *p = sec_keyring_find(r, SLICE("p"));

    CU_ASSERT(sec_keyring_n(r) == 4 && sec_keyring_generation(r) == generation);
    CU_ASSERT(opens_to(r, sec_keyring_find(r, SLICE("a")), KS));
    CU_ASSERT(opens_to(r, sec_keyring_find(r, SLICE("w")), SLICE("hunter2")));
    CU_ASSERT(opens_to(r, sec_keyring_find(r, SLICE("s@x")), KS));
    CU_ASSERT_FATAL(p && p->older);
    CU_ASSERT(opens_to(r, p, KS2) && opens_to(r, p->older, KS) && p->older->expires_s == CREATED + 50);
}

static void test_round_trip(void)
{
    struct sec_keyring *r = NULL;
    struct buf out;

    print_full(&out);
    CU_ASSERT(sec_keyring_parse(buf_slice(&out), MASTER, SLICE_NONE, &r) == ERR_OK);
    check_full(r, 1);
    CU_ASSERT(!sec_keyring_is_old(r));
    buf_reset(&out, 0);
    CU_ASSERT(sec_keyring_print(r, &out) == ERR_OK);
    sec_keyring_free(&r);
    CU_ASSERT(sec_keyring_parse(buf_slice(&out), MASTER, SLICE_NONE, &r) == ERR_OK);
    check_full(r, 2);
    sec_keyring_free(&r);
    buf_clear(&out);
}

/* A file that another program made, with another library, from the format as documented. */
static void test_written_elsewhere(void)
{
    struct sec_keyring *r = NULL;
    size_t n;
    char *octets = test_read("fuzz/corpus/keyring/all", &n);

    CU_ASSERT_FATAL(sec_keyring_parse(slice_of(octets, n), MASTER, SLICE_NONE, &r) == ERR_OK);
    CU_ASSERT(sec_keyring_n(r) == 4);
    CU_ASSERT(opens_to(r, sec_keyring_find(r, SLICE("phone")), SLICE("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")));
    CU_ASSERT(opens_to(r, sec_keyring_find(r, SLICE("news")), SLICE("hunter2")));
    sec_keyring_free(&r);
    free(octets);
}

static void test_no_secret_shows(void)
{
    struct buf out;

    print_full(&out);
    CU_ASSERT(slice_find_slice(buf_slice(&out), SLICE("hunter2")) == SIZE_MAX);
    CU_ASSERT(slice_find_slice(buf_slice(&out), SLICE("ks ks")) == SIZE_MAX);
    CU_ASSERT(slice_find_slice(buf_slice(&out), SLICE("said said")) != SIZE_MAX); /* it is no secret */
    buf_clear(&out);
}

/* Another master key, the old one known: the records move over, under fresh keys; afterwards the old one opens nothing. */
static void test_rewrap(void)
{
    struct sec_keyring *r = NULL;
    struct buf out;

    print_full(&out);
    CU_ASSERT(sec_keyring_parse(buf_slice(&out), MASTER2, SLICE_NONE, &r) == ERR_DENIED && !r);
    CU_ASSERT(sec_keyring_parse(buf_slice(&out), MASTER2, KS, &r) == ERR_DENIED && !r);
    CU_ASSERT_FATAL(sec_keyring_parse(buf_slice(&out), MASTER2, MASTER, &r) == ERR_OK);
    CU_ASSERT(sec_keyring_is_old(r));
    check_full(r, 1);
    buf_reset(&out, 0);
    CU_ASSERT(sec_keyring_print(r, &out) == ERR_OK);
    sec_keyring_free(&r);
    CU_ASSERT(sec_keyring_parse(buf_slice(&out), MASTER, SLICE_NONE, &r) == ERR_DENIED && !r);
    CU_ASSERT_FATAL(sec_keyring_parse(buf_slice(&out), MASTER2, MASTER, &r) == ERR_OK);
    CU_ASSERT(!sec_keyring_is_old(r));
    check_full(r, 2);
    sec_keyring_free(&r);
    buf_clear(&out);
}

static void test_every_bit_counts(void)
{
    struct sec_keyring *r = NULL;
    struct buf out;

    print_full(&out);
    for (size_t bit = 0; bit < 8 * out.n; bit++) {
        enum err e;

        test_row(bit);
        out.p[bit / 8] = (char)(out.p[bit / 8] ^ (1 << bit % 8));
        e = sec_keyring_parse(buf_slice(&out), MASTER, MASTER2, &r);
        CU_ASSERT(e == ERR_MALFORMED || e == ERR_DENIED || e == ERR_UNSUPPORTED || e == ERR_LIMIT);
        CU_ASSERT(e && !r);
        out.p[bit / 8] = (char)(out.p[bit / 8] ^ (1 << bit % 8));
    }
    buf_clear(&out);
}

static void test_truncated_and_longer(void)
{
    struct sec_keyring *r = NULL;
    struct buf out;

    print_full(&out);
    for (size_t n = 0; n < out.n; n++) {
        char *copy = malloc(n + 1);

        test_row(n);
        CU_ASSERT_FATAL(copy != NULL);
        for (size_t i = 0; i < n; i++)
            copy[i] = out.p[i];
        CU_ASSERT(sec_keyring_parse(slice_of(copy, n), MASTER, SLICE_NONE, &r) == ERR_MALFORMED && !r);
        free(copy);
    }
    buf_add_ch(&out, 0);
    CU_ASSERT(sec_keyring_parse(buf_slice(&out), MASTER, SLICE_NONE, &r) == ERR_MALFORMED && !r);
    buf_clear(&out);
}

static void test_heads(void)
{
    struct sec_keyring *r = NULL;
    struct buf out;

    print_full(&out);
    out.p[7] = 2;
    CU_ASSERT(sec_keyring_parse(buf_slice(&out), MASTER, SLICE_NONE, &r) == ERR_UNSUPPORTED);
    out.p[7] = 0;
    CU_ASSERT(sec_keyring_parse(buf_slice(&out), MASTER, SLICE_NONE, &r) == ERR_MALFORMED);
    out.p[7] = 1;
    num_put32(out.p + 56, UINT32_MAX);
    CU_ASSERT(sec_keyring_parse(buf_slice(&out), MASTER, SLICE_NONE, &r) == ERR_LIMIT);
    CU_ASSERT(sec_keyring_parse(SLICE("said = 00\nkey = 11\n"), MASTER, SLICE_NONE, &r) == ERR_MALFORMED);
    CU_ASSERT(sec_keyring_parse(SLICE_NONE, MASTER, SLICE_NONE, &r) == ERR_MALFORMED && !r);
    buf_clear(&out);
}

static void test_ceiling_of_the_buffer(void)
{
    struct sec_keyring *r = ring_full();
    struct buf out;

    buf_init(&out, 200);
    CU_ASSERT(sec_keyring_print(r, &out) == ERR_LIMIT);
    buf_clear(&out);
    sec_keyring_free(&r);
}

const struct test_case test_cases[] = {
    {"round_trip", test_round_trip},
    {"written_elsewhere", test_written_elsewhere},
    {"no_secret_shows", test_no_secret_shows},
    {"rewrap", test_rewrap},
    {"every_bit_counts", test_every_bit_counts},
    {"truncated_and_longer", test_truncated_and_longer},
    {"heads", test_heads},
    {"ceiling_of_the_buffer", test_ceiling_of_the_buffer},
    {NULL, NULL},
};
