/* What a far BSF has said: known, refused, to be asked, and who waits. */
#include "security/gba/farkeys.h"

#include "base/mem.h"
#include "tests/unit/harness.h"

#define NOW  1000
#define BTID SLICE("AAAAAAAAAAAAAAAAAAAAAA==@bsf.example")
#define NAF  SLICE("ppg.example\x01\x00\x00\x00\x02")
#define TLS  SLICE("ppg.example\x01\x00\x00\x00\x07")

static const struct sec_farkeys_conf conf = {2, 2, 2, 10};

static struct sec_farkeys *fresh(void)
{
    struct sec_farkeys *f = NULL;

    CU_ASSERT_FATAL(sec_farkeys_create(&conf, &f) == ERR_OK);
    return f;
}

/* The n-th of several B-TIDs; static storage. */
static struct slice btid_of(unsigned n)
{
    static char text[] = "AAAAAAAAAAAAAAAAAAAAAA==@bsf.example";

    text[0] = (char)('A' + n);
    return slice_of(text, sizeof text - 1);
}

static struct sec_naf_key key_of(uint8_t octet, int64_t expires_s)
{
    struct sec_naf_key key = {.impi_n = 3, .expires_s = expires_s};

    mem_copy(key.impi, sizeof key.impi, SLICE("a@b"));
    MUST(!sec_secret_set(&key.ks_naf, slice_of(&octet, 1)));
    return key;
}

/* Asked and answered, with nobody else waiting. */
static void learn(struct sec_farkeys *f, struct slice btid, struct slice naf, enum err e, uint8_t octet,
                  int64_t expires_s)
{
    struct sec_naf_key key = key_of(octet, expires_s);
    struct list waiter, all;

    list_init(&all);
    CU_ASSERT_FATAL(sec_farkeys_begin(f, btid, naf, &waiter) == ERR_OK);
    sec_farkeys_end(f, btid, naf, e, &key, NOW, &all);
    CU_ASSERT(list_pop_front(&all) == &waiter && list_empty(&all));
}

static enum err find(struct sec_farkeys *f, struct slice btid, struct slice naf, int64_t now_s,
                     uint8_t *octet)
{
    struct sec_naf_key key;
    enum err e = sec_farkeys_find(f, btid, naf, now_s, &key);

    if (!e)
        *octet = key.ks_naf.octets[0];
    return e;
}

static void test_known_until_it_is_over(void)
{
    struct sec_farkeys *f = fresh();
    uint8_t octet = 0;

    CU_ASSERT(find(f, BTID, NAF, NOW, &octet) == ERR_AGAIN);
    learn(f, BTID, NAF, ERR_OK, 7, NOW + 5);
    CU_ASSERT(find(f, BTID, NAF, NOW + 4, &octet) == ERR_OK && octet == 7);
    CU_ASSERT(find(f, BTID, TLS, NOW, &octet) == ERR_AGAIN); /* each protocol has its own key */
    CU_ASSERT(sec_farkeys_count(f) == 1);
    CU_ASSERT(find(f, BTID, NAF, NOW + 5, &octet) == ERR_AGAIN && sec_farkeys_count(f) == 0);
    sec_farkeys_free(&f);
}

static void test_refusals_are_brief(void)
{
    struct sec_farkeys *f = fresh();
    uint8_t octet;

    learn(f, btid_of(0), NAF, ERR_ABSENT, 0, 0);
    learn(f, btid_of(1), NAF, ERR_DENIED, 0, 0);
    CU_ASSERT(find(f, btid_of(0), NAF, NOW + 9, &octet) == ERR_ABSENT);
    CU_ASSERT(find(f, btid_of(1), NAF, NOW + 9, &octet) == ERR_ABSENT);
    CU_ASSERT(sec_farkeys_refused(f) == 2 && sec_farkeys_count(f) == 0);
    CU_ASSERT(find(f, btid_of(0), NAF, NOW + 10, &octet) == ERR_AGAIN);
    sec_farkeys_sweep(f, NOW + 10);
    CU_ASSERT(sec_farkeys_refused(f) == 0);
    sec_farkeys_free(&f);
}

static void test_no_answer_is_not_kept(void)
{
    struct sec_farkeys *f = fresh();
    uint8_t octet;

    learn(f, BTID, NAF, ERR_IO, 9, NOW + 100);
    CU_ASSERT(find(f, BTID, NAF, NOW, &octet) == ERR_AGAIN);
    CU_ASSERT(sec_farkeys_count(f) == 0 && sec_farkeys_refused(f) == 0);
    sec_farkeys_free(&f);
}

/* Guesses crowd out guesses, keys crowd out keys: the oldest goes. */
static void test_bounded(void)
{
    struct sec_farkeys *f = fresh();
    uint8_t octet = 0;

    for (unsigned n = 0; n < 3; n++)
        learn(f, btid_of(n), NAF, ERR_OK, (uint8_t)n, NOW + 100);
    for (unsigned n = 3; n < 9; n++)
        learn(f, btid_of(n), NAF, ERR_ABSENT, 0, 0);
    CU_ASSERT(sec_farkeys_count(f) == 2 && sec_farkeys_refused(f) == 2);
    CU_ASSERT(find(f, btid_of(0), NAF, NOW, &octet) == ERR_AGAIN);
    CU_ASSERT(find(f, btid_of(2), NAF, NOW, &octet) == ERR_OK && octet == 2);
    CU_ASSERT(find(f, btid_of(3), NAF, NOW, &octet) == ERR_AGAIN);
    CU_ASSERT(find(f, btid_of(8), NAF, NOW, &octet) == ERR_ABSENT);
    learn(f, btid_of(2), NAF, ERR_OK, 22, NOW + 100); /* in the place of its own */
    CU_ASSERT(find(f, btid_of(1), NAF, NOW, &octet) == ERR_OK && sec_farkeys_count(f) == 2);
    sec_farkeys_sweep(f, NOW + 100);
    CU_ASSERT(sec_farkeys_count(f) == 0);
    sec_farkeys_free(&f);
}

static void test_questions_are_joined(void)
{
    struct sec_naf_key key = key_of(5, NOW + 100);
    struct list waiters[5], all;
    struct sec_farkeys *f = fresh();
    uint8_t octet = 0;

    list_init(&all);
    CU_ASSERT(sec_farkeys_begin(f, BTID, NAF, &waiters[0]) == ERR_OK);
    CU_ASSERT(sec_farkeys_begin(f, BTID, NAF, &waiters[1]) == ERR_AGAIN);
    CU_ASSERT(sec_farkeys_begin(f, BTID, TLS, &waiters[2]) == ERR_OK); /* another question */
    CU_ASSERT(sec_farkeys_begin(f, BTID, NAF, &waiters[3]) == ERR_AGAIN);
    CU_ASSERT(sec_farkeys_begin(f, btid_of(1), NAF, &waiters[4]) == ERR_LIMIT);
    sec_farkeys_end(f, BTID, NAF, ERR_OK, &key, NOW, &all);
    CU_ASSERT(list_pop_front(&all) == &waiters[0] && list_pop_front(&all) == &waiters[1] &&
              list_pop_front(&all) == &waiters[3] && list_empty(&all));
    CU_ASSERT(find(f, BTID, NAF, NOW, &octet) == ERR_OK && octet == 5);
    CU_ASSERT(sec_farkeys_begin(f, btid_of(1), NAF, &waiters[4]) == ERR_OK); /* there is room again */
    sec_farkeys_end(f, BTID, TLS, ERR_ABSENT, &key, NOW, &all);
    sec_farkeys_end(f, btid_of(1), NAF, ERR_IO, &key, NOW, &all);
    CU_ASSERT(list_pop_front(&all) == &waiters[2] && list_pop_front(&all) == &waiters[4]);
    sec_farkeys_free(&f);
}

static void test_bad_names_are_not_asked(void)
{
    const struct slice rows[][2] = {{SLICE(""), NAF},
                                    {SLICE("AAAA@bsf.example"), NAF},
                                    {SLICE("AAAAAAAAAAAAAAAAAAAAAA=="), NAF},
                                    {SLICE("AAAAAAAAAAAAAAAAAAAAAA==@bsf example"), NAF},
                                    {BTID, SLICE("\x01\x00\x00\x00\x02")},
                                    {BTID, SLICE("")}};
    struct sec_farkeys *f = fresh();
    struct list waiter;
    uint8_t octet;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(find(f, rows[i][0], rows[i][1], NOW, &octet) == ERR_MALFORMED);
        CU_ASSERT(sec_farkeys_begin(f, rows[i][0], rows[i][1], &waiter) == ERR_MALFORMED);
    }
    sec_farkeys_free(&f);
}

static void test_create_and_hold(void)
{
    const struct sec_farkeys_conf rows[] = {{0, 2, 2, 10}, {SEC_BOOTSTRAP_RUNS_MAX + (size_t)1, 2, 2, 10},
                                            {2, 0, 2, 10}, {2, SEC_BOOTSTRAP_RUNS_MAX + (size_t)1, 2, 10},
                                            {2, 2, 0, 10}, {2, 2, 2, 0}};
    struct sec_farkeys *f = NULL, *second;
    uint8_t octet;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(sec_farkeys_create(&rows[i], &f) == ERR_LIMIT && !f);
    }
    f = fresh();
    second = sec_farkeys_hold(f);
    learn(f, BTID, NAF, ERR_OK, 1, NOW + 10);
    sec_farkeys_free(&f);
    CU_ASSERT(!f && find(second, BTID, NAF, NOW, &octet) == ERR_OK);
    sec_farkeys_free(&second);
}

const struct test_case test_cases[] = {
    {"known_until_it_is_over", test_known_until_it_is_over},
    {"refusals_are_brief", test_refusals_are_brief},
    {"no_answer_is_not_kept", test_no_answer_is_not_kept},
    {"bounded", test_bounded},
    {"questions_are_joined", test_questions_are_joined},
    {"bad_names_are_not_asked", test_bad_names_are_not_asked},
    {"create_and_hold", test_create_and_hold},
    {NULL, NULL},
};
