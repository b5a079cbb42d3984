/* A terminal's associations over time: the GPI rides along until confirmed, refresh, overlap, ways back, giving up. */
#include "security/gba/naf_sa.h"

#include "base/mem.h"
#include "tests/unit/harness.h"

#define T0   INT64_C(1700000000)
#define DAY  86400
#define PTID SLICE("ptid")
#define GPI  SLICE("push info")

static struct sec_naf_sa *record(bool silence_counts)
{
    static const struct sec_naf_sa_conf never = {{"\x02\x01", 2}, 0, 3600, 0},
                                        soon = {{"\x02\x01", 2}, 30, 3600, 0};
    struct sec_naf_sa *n = NULL;

    MUST(sec_naf_sa_create(silence_counts ? &soon : &never, &n) == ERR_OK);
    return n;
}

/* A key server's answer, told apart by `id`. */
static struct sec_push_info info_of(char id, int64_t now_s, int64_t life_s)
{
    struct sec_push_info info = {.gpi_n = GPI.n, .created_s = now_s, .expires_s = now_s + life_s};

    memset(info.rand, id, sizeof info.rand);
    mem_copy(info.gpi, sizeof info.gpi, GPI);
    memset(info.ks_naf.octets, id, SEC_GBA_KEY_N);
    info.ks_naf.n = SEC_GBA_KEY_N;
    return info;
}

static void adopt(struct sec_naf_sa *n, char id, int64_t now_s)
{
    struct sec_push_info info = info_of(id, now_s, DAY);
    uint8_t said[SEC_SA_RAND_N];

    CU_ASSERT(sec_naf_sa_adopt(n, &info, PTID, now_s) == ERR_OK);
    CU_ASSERT(sec_naf_sa_name(n, now_s, said) == ERR_OK && said[0] == (uint8_t)id);
    CU_ASSERT(sec_naf_sa_reserved(n, said, 1, 1000) == ERR_OK);
}

/* Which association sealed, and whether its GPI came along; 0: none did. */
static char seal(struct sec_naf_sa *n, int64_t now_s, bool *gpi)
{
    struct slice text = SLICE("text");
    uint8_t said[SEC_SA_RAND_N] = {0};
    struct sec_gpl_msg msg;
    struct buf out;
    uint32_t sn = 0;

    buf_init(&out, 1000);
    if (sec_naf_sa_seal(n, now_s, &text, 1, &out, said, &sn) == ERR_OK) {
        MUST(sec_gpl_parse(buf_slice(&out), &msg) == ERR_OK && msg.sn == sn && msg.suite == SEC_GPL_CTR);
        CU_ASSERT(slice_eq(msg.said, slice_of(said, sizeof said)));
        CU_ASSERT(msg.gpi.n == 0 || slice_eq(msg.gpi, GPI));
        *gpi = msg.gpi.n != 0;
    }
    buf_clear(&out);
    return (char)said[0];
}

static void sealed_by(struct sec_naf_sa *n, int64_t now_s, char id, bool with_gpi)
{
    bool gpi = false;

    CU_ASSERT(seal(n, now_s, &gpi) == id);
    CU_ASSERT(gpi == with_gpi);
}

static void confirm(struct sec_naf_sa *n, char id)
{
    uint8_t said[SEC_SA_RAND_N];

    memset(said, id, sizeof said);
    (void)sec_naf_sa_confirm(n, said);
}

static void refuse(struct sec_naf_sa *n, char id, int64_t now_s)
{
    uint8_t said[SEC_SA_RAND_N];

    memset(said, id, sizeof said);
    sec_naf_sa_refuse(n, said, now_s);
}

/* The terminal's answer under association `id`. */
static enum err answer(struct sec_naf_sa *n, char id, uint32_t sn, int64_t now_s)
{
    struct sec_push_info info = info_of(id, now_s, DAY);
    struct slice text = SLICE("answer");
    struct sec_gpl_keys *keys = NULL;
    struct sec_gpl_msg msg;
    struct buf out, plain;
    uint8_t said[SEC_SA_RAND_N] = {0};
    enum err e;

    buf_init(&out, 1000);
    buf_init(&plain, 1000);
    MUST(sec_gpl_keys_create(sec_secret_slice(&info.ks_naf), SEC_GPL_UPLINK, SEC_GPL_CTR, &keys) == ERR_OK);
    MUST(sec_gpl_seal(keys, sn, PTID, SLICE_NONE, &text, 1, &out) == ERR_OK);
    MUST(sec_gpl_parse(buf_slice(&out), &msg) == ERR_OK);
    e = sec_naf_sa_open(n, now_s, &msg, &plain, said);
    CU_ASSERT((plain.n != 0) == (e == ERR_OK));
    CU_ASSERT(said[0] == (e ? 0 : (uint8_t)id));
    sec_gpl_keys_free(&keys);
    buf_clear(&out);
    buf_clear(&plain);
    return e;
}

static void test_gpi_until_confirmed(void)
{
    struct sec_naf_sa *n = record(false);

    CU_ASSERT(sec_naf_sa_need(n, T0) == SEC_NAF_SA_NEW);
    sealed_by(n, T0, 0, false);
    adopt(n, 'a', T0);
    CU_ASSERT(sec_naf_sa_need(n, T0) == SEC_NAF_SA_READY);
    sealed_by(n, T0, 'a', true);
    sealed_by(n, T0 + 1, 'a', true);
    confirm(n, 'x'); /* another's */
    sealed_by(n, T0 + 2, 'a', true);
    confirm(n, 'a');
    sealed_by(n, T0 + 3, 'a', false);
    sec_naf_sa_free(&n);
    CU_ASSERT(n == NULL);
}

/* What it says may be about something else: whoever opened it confirms. */
static void test_answer_opens(void)
{
    struct sec_naf_sa *n = record(false);

    adopt(n, 'a', T0);
    sealed_by(n, T0, 'a', true);
    CU_ASSERT(answer(n, 'b', 1, T0) == ERR_DENIED);
    sealed_by(n, T0, 'a', true);
    CU_ASSERT(answer(n, 'a', 1, T0) == ERR_OK);
    sealed_by(n, T0, 'a', true);
    CU_ASSERT(answer(n, 'a', 1, T0) == ERR_EXISTS);
    confirm(n, 'a');
    sealed_by(n, T0, 'a', false);
    sec_naf_sa_free(&n);
}

/* A tenth of the life before its end, not earlier; the new one goes in front, the old one stays a minute. */
static void test_refresh_and_overlap(void)
{
    const int64_t low = T0 + DAY - DAY / 10;
    struct sec_naf_sa *n = record(false);

    adopt(n, 'a', T0);
    sealed_by(n, T0, 'a', true);
    confirm(n, 'a');
    CU_ASSERT(sec_naf_sa_need(n, low - 1) == SEC_NAF_SA_READY);
    CU_ASSERT(sec_naf_sa_need(n, low) == SEC_NAF_SA_REFRESH);
    sealed_by(n, low, 'a', false);
    adopt(n, 'b', low);
    CU_ASSERT(sec_naf_sa_need(n, low) == SEC_NAF_SA_READY);
    sealed_by(n, low + 1, 'b', true);
    CU_ASSERT(answer(n, 'a', 1, low + 2) == ERR_DENIED); /* same P-TID: the new one is asked */
    confirm(n, 'b');
    sealed_by(n, low + 3, 'b', false);
    sec_naf_sa_free(&n);
}

/* Answers under the old name open until a minute after the first use of the new association. */
static void test_old_one_opens_answers(void)
{
    struct sec_push_info a = info_of('a', T0, DAY), b = info_of('b', T0, DAY);
    struct slice text = SLICE("late answer");
    struct sec_naf_sa *n = record(false);
    struct sec_gpl_keys *keys = NULL;
    struct sec_gpl_msg msg;
    struct buf out, plain;
    uint8_t said[SEC_SA_RAND_N];

    buf_init(&out, 1000);
    buf_init(&plain, 1000);
    CU_ASSERT(sec_naf_sa_adopt(n, &a, SLICE("old"), T0) == ERR_OK);
    confirm(n, 'a');
    CU_ASSERT(sec_naf_sa_adopt(n, &b, SLICE("new"), T0 + 10) == ERR_OK);
    CU_ASSERT(sec_naf_sa_reserved(n, b.rand, 1, 9) == ERR_OK);
    CU_ASSERT(sec_naf_sa_reserved(n, a.rand, 1, 9) == ERR_ABSENT);
    sealed_by(n, T0 + 20, 'b', true);
    confirm(n, 'b');
    MUST(sec_gpl_keys_create(sec_secret_slice(&a.ks_naf), SEC_GPL_UPLINK, SEC_GPL_HMAC, &keys) == ERR_OK);
    for (uint32_t sn = 1; sn <= 3; sn++) {
        int64_t at = T0 + 20 + (sn == 1 ? 0 : sn == 2 ? SEC_NAF_SA_OVERLAP_S - 1 : SEC_NAF_SA_OVERLAP_S);

        test_row(sn);
        buf_reset(&out, 1000);
        MUST(sec_gpl_seal(keys, sn, SLICE("old"), SLICE_NONE, &text, 1, &out) == ERR_OK);
        MUST(sec_gpl_parse(buf_slice(&out), &msg) == ERR_OK);
        CU_ASSERT(sec_naf_sa_open(n, at, &msg, &plain, said) == (sn == 3 ? ERR_ABSENT : ERR_OK));
        CU_ASSERT(said[0] == 'a');
    }
    sec_gpl_keys_free(&keys);
    buf_clear(&out);
    buf_clear(&plain);
    sec_naf_sa_free(&n);
}

/* A new one that the terminal does not take leaves the old one sealing. */
static void test_way_back(void)
{
    const int64_t low = T0 + DAY - 100;
    struct sec_naf_sa *n = record(false);

    adopt(n, 'a', T0);
    sealed_by(n, T0, 'a', true);
    confirm(n, 'a');
    adopt(n, 'b', low);
    sealed_by(n, low, 'b', true);
    refuse(n, 'b', low + 1);
    sealed_by(n, low + 1, 'a', false);
    CU_ASSERT(sec_naf_sa_need(n, low + 1) == SEC_NAF_SA_REFRESH);
    adopt(n, 'c', low + 2);
    refuse(n, 'c', low + 2);
    adopt(n, 'd', low + 3);
    refuse(n, 'd', low + 3);
    CU_ASSERT(sec_naf_sa_need(n, low + 4) ==
              SEC_NAF_SA_READY); /* three refused: the old one serves to its end */
    sealed_by(n, low + 4, 'a', false);
    CU_ASSERT(sec_naf_sa_need(n, T0 + DAY) == SEC_NAF_SA_FAILED);
    sealed_by(n, T0 + DAY, 0, false);
    sec_naf_sa_free(&n);
}

static void test_three_tries_and_a_rest(void)
{
    struct sec_naf_sa *n = record(false);

    for (char id = 'a'; id <= 'c'; id++) {
        CU_ASSERT(sec_naf_sa_need(n, T0) == SEC_NAF_SA_NEW);
        adopt(n, id, T0);
        sealed_by(n, T0, id, true);
        refuse(n, 'x', T0); /* another's: no effect */
        sealed_by(n, T0, id, true);
        refuse(n, id, T0);
    }
    CU_ASSERT(sec_naf_sa_need(n, T0) == SEC_NAF_SA_FAILED);
    CU_ASSERT(sec_naf_sa_need(n, T0 + 3599) == SEC_NAF_SA_FAILED);
    CU_ASSERT(sec_naf_sa_need(n, T0 + 3600) == SEC_NAF_SA_NEW);
    adopt(n, 'd', T0 + 3600);
    refuse(n, 'd', T0 + 3600);
    CU_ASSERT(sec_naf_sa_need(n, T0 + 3600) == SEC_NAF_SA_NEW); /* the count began anew */
    sec_naf_sa_free(&n);
}

/* A terminal that has lost a confirmed association gets another; success forgets the failures. */
static void test_confirmed_one_refused(void)
{
    struct sec_naf_sa *n = record(false);

    for (char id = 'a'; id <= 'z'; id++) {
        CU_ASSERT(sec_naf_sa_need(n, T0) == SEC_NAF_SA_NEW);
        adopt(n, id, T0);
        confirm(n, id);
        refuse(n, id, T0);
    }
    sec_naf_sa_free(&n);
}

/* Where nothing answers, silence after the first use counts as a refusal. */
static void test_silence(void)
{
    struct sec_naf_sa *n = record(true);

    adopt(n, 'a', T0);
    CU_ASSERT(sec_naf_sa_need(n, T0 + 1000) == SEC_NAF_SA_READY); /* not used yet */
    sealed_by(n, T0 + 1000, 'a', true);
    CU_ASSERT(sec_naf_sa_need(n, T0 + 1029) == SEC_NAF_SA_READY);
    CU_ASSERT(sec_naf_sa_need(n, T0 + 1030) == SEC_NAF_SA_NEW);
    adopt(n, 'b', T0 + 1030);
    sealed_by(n, T0 + 1030, 'b', true);
    confirm(n, 'b');
    CU_ASSERT(sec_naf_sa_need(n, T0 + 5000) == SEC_NAF_SA_READY);
    sec_naf_sa_free(&n);
}

static void test_expiry(void)
{
    struct sec_naf_sa *n = record(false);
    struct sec_push_info info = info_of('z', T0, 0);
    uint8_t said[SEC_SA_RAND_N] = {7};

    CU_ASSERT(sec_naf_sa_adopt(n, &info, PTID, T0) == ERR_LATE);
    CU_ASSERT(sec_naf_sa_name(n, T0, said) == ERR_ABSENT && said[0] == 7);
    adopt(n, 'a', T0);
    confirm(n, 'a');
    sealed_by(n, T0 + DAY - 1, 'a', false);
    sealed_by(n, T0 + DAY, 0, false);
    CU_ASSERT(sec_naf_sa_need(n, T0 + DAY) == SEC_NAF_SA_NEW);
    CU_ASSERT(answer(n, 'a', 1, T0 + DAY) == ERR_ABSENT);
    sec_naf_sa_free(&n);
}

/* Half of the numbers used: refresh; all of them: closed. */
static void test_numbers_run_out(void)
{
    struct sec_naf_sa *n = record(false);
    uint8_t said[SEC_SA_RAND_N];
    struct slice text = SLICE("text");
    struct buf out;
    uint32_t sn;

    buf_init(&out, 1000);
    adopt(n, 'a', T0);
    confirm(n, 'a');
    memset(said, 'a', sizeof said);
    CU_ASSERT(sec_naf_sa_reserved(n, said, 0x7ffffffe, 0x7fffffff) == ERR_OK);
    CU_ASSERT(sec_naf_sa_need(n, T0) == SEC_NAF_SA_READY);
    sealed_by(n, T0, 'a', false);
    CU_ASSERT(sec_naf_sa_need(n, T0) == SEC_NAF_SA_REFRESH);
    CU_ASSERT(sec_naf_sa_seal(n, T0, &text, 1, &out, said, &sn) == ERR_AGAIN);
    CU_ASSERT(sec_naf_sa_reserved(n, said, SEC_SA_SN_END - 1, SEC_SA_SN_END) == ERR_OK);
    sealed_by(n, T0, 'a', false);
    CU_ASSERT(sec_naf_sa_need(n, T0) == SEC_NAF_SA_NEW);
    buf_clear(&out);
    sec_naf_sa_free(&n);
}

/* What cannot become an association changes nothing. */
static void test_adopt_refused(void)
{
    struct sec_naf_sa_conf conf = {SLICE("\x09"), 0, 0, 0};
    struct sec_push_info info = info_of('b', T0, DAY);
    struct sec_naf_sa *bad = NULL, *n = record(false);
    static const char longer[SEC_GPL_SAID_MAX_N + 1];

    adopt(n, 'a', T0);
    CU_ASSERT(sec_naf_sa_adopt(n, &info, slice_of(longer, sizeof longer), T0) == ERR_MALFORMED);
    info.ks_naf.n = 16;
    CU_ASSERT(sec_naf_sa_adopt(n, &info, PTID, T0) == ERR_MALFORMED);
    info.ks_naf.n = 32;
    sealed_by(n, T0, 'a', true);
    MUST(sec_naf_sa_create(&conf, &bad) == ERR_OK);
    CU_ASSERT(sec_naf_sa_adopt(bad, &info, PTID, T0) == ERR_UNSUPPORTED);
    CU_ASSERT(sec_naf_sa_need(bad, T0) == SEC_NAF_SA_NEW);
    sec_naf_sa_free(&bad);
    sec_naf_sa_free(&n);
}

/* Back after a restart: as it was confirmed or not, its numbers to be reserved anew, the life counted from when it was made. */
static void test_restore(void)
{
    struct sec_naf_sa *n = record(true);
    struct sec_push_info old = info_of('a', T0, 100 * DAY), front = info_of('b', T0 + DAY, 100 * DAY);
    uint8_t said[SEC_SA_RAND_N];
    bool gpi = false;

    CU_ASSERT(sec_naf_sa_restore(n, &old, PTID, true, T0 + 200 * DAY) == ERR_LATE);
    CU_ASSERT(sec_naf_sa_restore(n, &old, PTID, true, T0 + 2 * DAY) == ERR_OK);
    CU_ASSERT(sec_naf_sa_gpi(n).n == 0);
    CU_ASSERT(sec_naf_sa_restore(n, &front, PTID, false, T0 + 2 * DAY) == ERR_OK);
    TEST_SLICE_EQ(sec_naf_sa_gpi(n), GPI);
    CU_ASSERT(sec_naf_sa_need(n, T0 + 2 * DAY) == SEC_NAF_SA_READY);
    CU_ASSERT(seal(n, T0 + 2 * DAY, &gpi) == 0 && sec_naf_sa_left(n) == 0);
    CU_ASSERT(sec_naf_sa_name(n, T0 + 2 * DAY, said) == ERR_OK && said[0] == 'b');
    CU_ASSERT(sec_naf_sa_reserved(n, said, 5000, 5010) == ERR_OK && sec_naf_sa_left(n) == 10);
    sealed_by(n, T0 + 2 * DAY, 'b', true);
    CU_ASSERT(sec_naf_sa_need(n, T0 + 2 * DAY + 29) == SEC_NAF_SA_READY);
    CU_ASSERT(sec_naf_sa_need(n, T0 + 2 * DAY + 30) == SEC_NAF_SA_READY); /* silence: the old one is back */
    CU_ASSERT(sec_naf_sa_name(n, T0 + 2 * DAY + 30, said) == ERR_OK && said[0] == 'a');
    CU_ASSERT(sec_naf_sa_need(n, T0 + 90 * DAY) ==
              SEC_NAF_SA_REFRESH); /* a tenth of the whole life is left */
    sec_naf_sa_free(&n);
}

/* What was known stays known. */
static void test_confirm_tells_news(void)
{
    struct sec_naf_sa *n = record(false);
    uint8_t said[SEC_SA_RAND_N];

    memset(said, 'a', sizeof said);
    CU_ASSERT(!sec_naf_sa_confirm(n, said));
    adopt(n, 'a', T0);
    CU_ASSERT(sec_naf_sa_confirm(n, said) && !sec_naf_sa_confirm(n, said));
    memset(said, 'b', sizeof said);
    CU_ASSERT(!sec_naf_sa_confirm(n, said));
    sec_naf_sa_free(&n);
}

/* Numbers go with the clock, never past half of them. */
static void test_floor_rows(void)
{
    static const struct {
        int64_t life_s, age_s;
        uint32_t want;
    } rows[] = {
        {7 * DAY, 0, 1},
        {7 * DAY, -5, 1},
        {7 * DAY, 1, 1001},
        {7 * DAY, 60, 60001},
        {7 * DAY, 6 * DAY, 6 * DAY * 1000u + 1},
        {365 * DAY, 1, 35},
        {365 * DAY, 100 * DAY, 100 * DAY * 34u + 1},
        {60, 59, 59001},
    };
    struct sec_naf_sa *none = record(false);

    CU_ASSERT(sec_naf_sa_floor(none, T0) == 1 && sec_naf_sa_left(none) == 0);
    sec_naf_sa_free(&none);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_naf_sa *n = record(false);
        struct sec_push_info info = info_of('a', T0, rows[i].life_s);

        test_row(i);
        CU_ASSERT(sec_naf_sa_adopt(n, &info, PTID, T0) == ERR_OK);
        CU_ASSERT(sec_naf_sa_floor(n, T0 + rows[i].age_s) == rows[i].want);
        sec_naf_sa_free(&n);
    }
}

const struct test_case test_cases[] = {
    {"gpi_until_confirmed", test_gpi_until_confirmed},
    {"answer_opens", test_answer_opens},
    {"refresh_and_overlap", test_refresh_and_overlap},
    {"old_one_opens_answers", test_old_one_opens_answers},
    {"way_back", test_way_back},
    {"three_tries_and_a_rest", test_three_tries_and_a_rest},
    {"confirmed_one_refused", test_confirmed_one_refused},
    {"silence", test_silence},
    {"expiry", test_expiry},
    {"numbers_run_out", test_numbers_run_out},
    {"adopt_refused", test_adopt_refused},
    {"restore", test_restore},
    {"confirm_tells_news", test_confirm_tells_news},
    {"floor_rows", test_floor_rows},
    {NULL, NULL},
};
