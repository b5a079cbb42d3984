/* Octets at rest: they come back under the same key and context, and nothing else does. */
#include "security/wrap.h"

#include "tests/unit/harness.h"

static struct sec_secret key_of(char c, size_t n)
{
    struct sec_secret k = {.n = n};

    memset(k.octets, c, n);
    return k;
}

static void round_trips(void)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 1000};
    struct sec_secret k = key_of('k', SEC_WRAP_KEY_N);
    char plain[1000];
    struct buf sealed, other, back;

    memset(plain, 'p', sizeof plain);
    buf_init(&sealed, 2000);
    buf_init(&other, 2000);
    buf_init(&back, 2000);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct slice in = slice_of(plain, sizes[i]);

        test_row(i);
        buf_reset(&sealed, 2000);
        buf_reset(&other, 2000);
        buf_reset(&back, 2000);
        buf_add(&back, SLICE("before "));
        CU_ASSERT(sec_wrap(&k, SLICE("context"), in, &sealed) == ERR_OK);
        CU_ASSERT(sec_wrap(&k, SLICE("context"), in, &other) == ERR_OK);
        CU_ASSERT(sealed.n == sizes[i] + SEC_WRAP_MORE_N && !slice_eq(buf_slice(&sealed), buf_slice(&other)));
        CU_ASSERT(sec_unwrap(&k, SLICE("context"), buf_slice(&sealed), &back) == ERR_OK);
        TEST_SLICE_EQ(slice_sub(buf_slice(&back), 7, back.n), in);
    }
    buf_clear(&sealed);
    buf_clear(&other);
    buf_clear(&back);
}

static void refusals(void)
{
    struct sec_secret k = key_of('k', SEC_WRAP_KEY_N), wrong = key_of('w', SEC_WRAP_KEY_N),
                      brief = key_of('k', 16);
    struct buf sealed, back, small;

    buf_init(&sealed, 2000);
    buf_init(&back, 2000);
    buf_init(&small, 40);
    CU_ASSERT(sec_wrap(&brief, SLICE_NONE, SLICE("plain"), &sealed) == ERR_LIMIT && sealed.n == 0);
    buf_add(&small, SLICE("twenty octets before"));
    CU_ASSERT(sec_wrap(&k, SLICE_NONE, SLICE("plain"), &small) == ERR_LIMIT);
    CU_ASSERT(small.n == 20);
    CU_ASSERT_FATAL(sec_wrap(&k, SLICE("context"), SLICE("plain"), &sealed) == ERR_OK);
    CU_ASSERT(sec_unwrap(&wrong, SLICE("context"), buf_slice(&sealed), &back) == ERR_DENIED);
    CU_ASSERT(sec_unwrap(&brief, SLICE("context"), buf_slice(&sealed), &back) == ERR_LIMIT);
    CU_ASSERT(sec_unwrap(&k, SLICE("contexT"), buf_slice(&sealed), &back) == ERR_DENIED);
    CU_ASSERT(sec_unwrap(&k, SLICE_NONE, buf_slice(&sealed), &back) == ERR_DENIED);
    for (size_t n = 0; n < sealed.n; n++)
        CU_ASSERT(sec_unwrap(&k, SLICE("context"), slice_of(sealed.p, n), &back) == ERR_DENIED);
    for (size_t bit = 0; bit < 8 * sealed.n; bit++) {
        sealed.p[bit / 8] ^= (char)(1 << (bit % 8));
        CU_ASSERT(sec_unwrap(&k, SLICE("context"), buf_slice(&sealed), &back) == ERR_DENIED);
        sealed.p[bit / 8] ^= (char)(1 << (bit % 8));
    }
    CU_ASSERT(back.n == 0);
    CU_ASSERT(sec_unwrap(&k, SLICE("context"), buf_slice(&sealed), &back) == ERR_OK);
    buf_clear(&sealed);
    buf_clear(&back);
    buf_clear(&small);
}

const struct test_case test_cases[] = {
    {"round_trips", round_trips},
    {"refusals", refusals},
    {NULL, NULL},
};
