/* Bootstrapping over Ub, header value by header value, with the identity module of usim.h at the other end: both have
 * the same keys then; replays, foreign and old challenges, resynchronisation, refusals. */
#include "security/gba/bootstrap.h"

#include "base/mem.h"
#include "security/gba/usim.h"
#include "tests/unit/security/vectors.h"

#define NOW_MS INT64_C(1700000000000)
#define NOW    (NOW_MS / 1000)
#define BSF    SLICE("bsf.operator.example")
#define IMPI   SLICE("user@operator.example")
#define K      SLICE("0123456789abcdef")
#define OPC    SLICE("fedcba9876543210")
#define NAF    SLICE("ppg.operator.example\x01\x00\x00\x00\x02")
#define LIFE   3600
#define FRESH  60000 /* milliseconds */

static const struct slice publics[] = {{"tel:+15550100", 13}};

/* A server, a terminal, and what they last said. */
struct bench {
    struct sec_keyserver *server;
    struct sec_bootstrap *b;
    struct sec_usim *usim;
    struct sec_aka_vector keys; /* of the terminal's last run */
    struct sec_bootstrap_answer answer;
    struct buf header; /* the last challenge */
    struct buf says;   /* the terminal's Authorization */
    struct sec_secret ha1;
    struct sec_digest_response sent;
    int64_t now_ms;
    bool tmpi, synced;
};

static struct sec_keyserver *server_with(struct slice opc, enum sec_aka_star star, uint64_t sqn,
                                         int64_t expires_s)
{
    struct sec_keyserver_conf conf = {100, 3};
    struct sec_subscriber c = {.impi = IMPI,
                               .publics = publics,
                               .publics_n = 1,
                               .k = K,
                               .opc = opc,
                               .sqn = sqn,
                               .star = star,
                               .expires_s = expires_s};
    struct sec_keyserver *s = NULL;

    MUST(sec_keyserver_create(&conf, &s) == ERR_OK);
    MUST(sec_keyserver_add(s, &c) == ERR_OK);
    return s;
}

static void open_bench(struct bench *t, enum sec_aka_star star, uint64_t sqn)
{
    struct sec_bootstrap_conf conf = {BSF, 10, FRESH, false};
    struct sec_usim_conf usim = {IMPI, K, OPC, star};

    *t = (struct bench){.now_ms = NOW_MS};
    t->server = server_with(OPC, star, sqn, 0);
    MUST(sec_bootstrap_create(&conf, &t->b) == ERR_OK);
    MUST(sec_usim_create(&usim, &t->usim) == ERR_OK);
    buf_init(&t->header, 4096);
    buf_init(&t->says, 4096);
}

static void close_bench(struct bench *t)
{
    sec_secret_clear(&t->answer.ha1);
    sec_keyserver_free(&t->server);
    sec_bootstrap_free(&t->b);
    sec_usim_free(&t->usim);
    buf_clear(&t->header);
    buf_clear(&t->says);
}

static const struct sec_digest_request get_root = {{"GET", 3}, {"/", 1}, {NULL, 0}, true};

static enum err step_of(struct bench *t, struct slice authorization)
{
    struct sec_bootstrap_request q = {.authorization = authorization,
                                      .http = get_root,
                                      .synced = t->synced,
                                      .tmpi = t->tmpi,
                                      .life_s = LIFE,
                                      .utc_ms = t->now_ms,
                                      .mono_ms = 5};

    buf_reset(&t->header, 4096);
    sec_secret_clear(&t->answer.ha1);
    return sec_bootstrap_step(t->b, t->server, &q, &t->answer, &t->header);
}

/* As ppg/seq does, with a store that forgets nothing. */
static void reserve(struct bench *t)
{
    struct slice impi, ue = slice_of(t->answer.impi, t->answer.impi_n);
    uint64_t from = 0;

    CU_ASSERT(sec_keyserver_wants(t->server, ue, &impi, &from) == ERR_OK);
    if (t->answer.sync)
        CU_ASSERT(sec_keyserver_resync(t->server, ue, t->answer.rand, t->answer.auts, &from) == ERR_OK);
    t->synced = t->answer.sync;
    CU_ASSERT(sec_keyserver_reserved(t->server, ue, from, from + 8) == ERR_OK);
}

/* As a caller does: reserves when it is told to. */
static enum sec_bootstrap_outcome take(struct bench *t)
{
    enum err e = step_of(t, buf_slice(&t->says));

    for (size_t i = 0; e == ERR_AGAIN && i < 2; i++) {
        reserve(t);
        e = step_of(t, buf_slice(&t->says));
    }
    CU_ASSERT_FATAL(e == ERR_OK);
    t->synced = false;
    return t->answer.outcome;
}

static void say_first(struct bench *t, struct slice name)
{
    buf_reset(&t->says, 4096);
    CU_ASSERT(sec_digest_aka_first(name, BSF, SLICE("/"), &t->says) == ERR_OK);
}

/* The terminal's answer to the last challenge, under that name: of Digest, or AUTS. */
static enum err say_answer(struct bench *t, struct slice name)
{
    struct slice header = buf_slice(&t->header);
    uint8_t rand[SEC_AKA_RAND_N], autn[SEC_AKA_AUTN_N], auts[SEC_AKA_AUTS_N];
    struct sec_digest_offer offer;
    enum err e;

    CU_ASSERT_FATAL(sec_digest_aka_choose(&header, 1, &offer) == ERR_OK);
    CU_ASSERT_FATAL(sec_digest_aka_nonce(offer.nonce, rand, autn) == ERR_OK);
    e = sec_usim_aka(t->usim, rand, autn, &t->keys, auts);
    buf_reset(&t->says, 4096);
    if (e == ERR_EXISTS) {
        CU_ASSERT(sec_digest_aka_sync(&offer, name, auts, &get_root, SLICE("cn"), &t->says) == ERR_OK);
        return e;
    }
    if (e)
        return e;
    CU_ASSERT(sec_digest_aka_ha1(offer.algorithm, name, BSF, &t->keys, &t->ha1) == ERR_OK);
    CU_ASSERT(sec_digest_answer(&offer, name, &t->ha1, &get_root, SLICE("cn"), 1, &t->says, &t->sent) ==
              ERR_OK);
    return ERR_OK;
}

static void bootstrap(struct bench *t, struct slice name)
{
    say_first(t, name);
    CU_ASSERT_FATAL(take(t) == SEC_BOOTSTRAP_CHALLENGE);
    CU_ASSERT_FATAL(say_answer(t, name) == ERR_OK);
    CU_ASSERT_FATAL(take(t) == SEC_BOOTSTRAP_DONE);
}

static struct slice btid_of(const struct bench *t)
{
    return slice_of(t->answer.btid, t->answer.btid_n);
}

/* Is the key that a NAF gets the one that the terminal derives? */
static bool keys_agree(struct bench *t, enum sec_aka_star star)
{
    struct slice rand = slice_of(t->keys.rand, sizeof t->keys.rand);
    struct sec_secret ks, mine;
    struct sec_naf_key got;
    bool same;

    CU_ASSERT_FATAL(sec_bootstrap_key(t->b, t->server, btid_of(t), NAF, t->now_ms / 1000, &got) == ERR_OK);
    sec_gba_ks(t->keys.ck, t->keys.ik, &ks);
    CU_ASSERT(sec_gba_naf_key(&ks, SEC_GBA_ME, rand, IMPI, NAF, &mine) == ERR_OK);
    same = slice_eq(sec_secret_slice(&mine), sec_secret_slice(&got.ks_naf));
    CU_ASSERT(sec_gba_naf_key(&ks, SEC_GBA_UICC, rand, IMPI, NAF, &mine) == ERR_OK);
    same = same && (star == SEC_AKA_PLAIN ? got.ks_int.n == 0
                                          : slice_eq(sec_secret_slice(&mine), sec_secret_slice(&got.ks_int)));
    TEST_SLICE_EQ(slice_of(got.impi, got.impi_n), IMPI);
    CU_ASSERT(got.created_s == NOW && got.expires_s == NOW + LIFE);
    return same;
}

static void test_both_ends_have_the_keys(void)
{
    static const enum sec_aka_star stars[] = {SEC_AKA_PLAIN, SEC_AKA_STAR_SHA256, SEC_AKA_STAR_SHA1};

    for (size_t i = 0; i < COUNT(stars); i++) {
        struct bench t;
        struct buf btid, info;
        struct slice rand;

        test_row(i);
        open_bench(&t, stars[i], 0);
        bootstrap(&t, IMPI);
        rand = slice_of(t.keys.rand, sizeof t.keys.rand);
        buf_init(&btid, 300);
        buf_init(&info, 1000);
        CU_ASSERT(sec_gba_btid((const uint8_t *)rand.p, BSF, &btid) == ERR_OK);
        TEST_SLICE_EQ(btid_of(&t), buf_slice(&btid));
        CU_ASSERT(t.answer.expires_s == NOW + LIFE && sec_bootstrap_count(t.b) == 1);
        CU_ASSERT(keys_agree(&t, stars[i]));
        CU_ASSERT(sec_digest_info(&t.answer.says, &t.answer.ha1, SLICE("<x/>"), &info) == ERR_OK);
        CU_ASSERT(sec_digest_check_info(buf_slice(&info), &t.sent, &t.ha1, SLICE("<x/>")) == ERR_OK);
        buf_clear(&btid);
        buf_clear(&info);
        close_bench(&t);
    }
}

static void test_numbers_are_reserved_first(void)
{
    struct bench t;

    open_bench(&t, SEC_AKA_PLAIN, 0x1000);
    say_first(&t, IMPI);
    CU_ASSERT(step_of(&t, buf_slice(&t.says)) == ERR_AGAIN);
    CU_ASSERT(!t.answer.sync);
    TEST_SLICE_EQ(slice_of(t.answer.impi, t.answer.impi_n), IMPI);
    CU_ASSERT(t.header.n == 0);
    reserve(&t);
    CU_ASSERT(step_of(&t, buf_slice(&t.says)) == ERR_OK && t.answer.outcome == SEC_BOOTSTRAP_CHALLENGE);
    close_bench(&t);
}

/* The terminal is ahead: AUTS, a reservation exactly there, and a challenge that it takes. */
static void test_resynchronisation(void)
{
    struct sec_aka_seen seen = {{0}};
    struct bench t;

    open_bench(&t, SEC_AKA_PLAIN, 0);
    seen.seq[3] = 5000;
    sec_usim_restore(t.usim, &seen);
    say_first(&t, IMPI);
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_CHALLENGE);
    CU_ASSERT(say_answer(&t, IMPI) == ERR_EXISTS);
    CU_ASSERT(step_of(&t, buf_slice(&t.says)) == ERR_AGAIN);
    CU_ASSERT(t.answer.sync && t.header.n == 0);
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_CHALLENGE);
    CU_ASSERT(say_answer(&t, IMPI) == ERR_OK);
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_DONE);
    CU_ASSERT(keys_agree(&t, SEC_AKA_PLAIN));
    close_bench(&t);
}

/* AUTS to a challenge that is not young would bring old numbers back. */
static void test_old_auts_changes_nothing(void)
{
    struct sec_aka_seen seen = {{0}};
    struct bench t;

    open_bench(&t, SEC_AKA_PLAIN, 0);
    seen.seq[3] = 5000;
    sec_usim_restore(t.usim, &seen);
    say_first(&t, IMPI);
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_CHALLENGE);
    CU_ASSERT(say_answer(&t, IMPI) == ERR_EXISTS);
    t.now_ms += FRESH + 1;
    CU_ASSERT(step_of(&t, buf_slice(&t.says)) == ERR_OK && t.answer.outcome == SEC_BOOTSTRAP_CHALLENGE);
    CU_ASSERT(say_answer(&t, IMPI) == ERR_EXISTS); /* still behind */
    close_bench(&t);
}

static void test_answer_is_good_once(void)
{
    struct bench t;
    struct slice again;
    char kept[1024];

    open_bench(&t, SEC_AKA_PLAIN, 0);
    bootstrap(&t, IMPI);
    again = slice_of(kept, t.says.n);
    mem_copy(kept, sizeof kept, buf_slice(&t.says));
    t.now_ms++;
    CU_ASSERT(step_of(&t, again) == ERR_OK && t.answer.outcome == SEC_BOOTSTRAP_CHALLENGE &&
              !t.answer.failed_login);
    CU_ASSERT(say_answer(&t, IMPI) == ERR_OK);
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_DONE); /* a new one took the place of the first */
    CU_ASSERT(sec_bootstrap_count(t.b) == 1);
    CU_ASSERT(step_of(&t, again) == ERR_OK && t.answer.outcome == SEC_BOOTSTRAP_CHALLENGE);
    close_bench(&t);
}

static void test_challenge_ages(void)
{
    struct bench t;

    open_bench(&t, SEC_AKA_PLAIN, 0);
    say_first(&t, IMPI);
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_CHALLENGE);
    CU_ASSERT(say_answer(&t, IMPI) == ERR_OK);
    t.now_ms += FRESH + 1;
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_CHALLENGE && sec_bootstrap_count(t.b) == 0);
    t.now_ms -= FRESH + 2; /* made in the future */
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_CHALLENGE && sec_bootstrap_count(t.b) == 0);
    t.now_ms += FRESH + 1;
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_DONE);
    close_bench(&t);
}

/* RAND and AUTN of a push, or of another server: right for the module, nothing here. */
static void test_foreign_challenges(void)
{
    struct sec_bootstrap_conf conf = {BSF, 10, FRESH, false};
    struct sec_bootstrap *other = NULL;
    struct bench t;

    open_bench(&t, SEC_AKA_PLAIN, 0);
    CU_ASSERT(sec_bootstrap_create(&conf, &other) == ERR_OK);
    say_first(&t, IMPI);
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_CHALLENGE);
    CU_ASSERT(say_answer(&t, IMPI) == ERR_OK);
    sec_bootstrap_free(&t.b);
    t.b = other;
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_CHALLENGE && sec_bootstrap_count(t.b) == 0);
    close_bench(&t);
}

static void test_every_bit_of_the_answer_counts(void)
{
    struct bench t;
    char kept[1024];
    size_t n, at;

    open_bench(&t, SEC_AKA_PLAIN, 0);
    say_first(&t, IMPI);
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_CHALLENGE);
    CU_ASSERT(say_answer(&t, IMPI) == ERR_OK);
    n = t.says.n;
    mem_copy(kept, sizeof kept, buf_slice(&t.says));
    at = slice_find_slice(buf_slice(&t.says), SLICE("response=\"")) + 10;
    for (size_t i = 0; i < 32; i++) {
        test_row(i);
        kept[at + i] ^= kept[at + i] == 'a' ? 3 : 1; /* stays a hexadecimal digit, mostly */
        CU_ASSERT(step_of(&t, slice_of(kept, n)) == ERR_OK);
        CU_ASSERT(t.answer.outcome == SEC_BOOTSTRAP_REFUSED && t.answer.failed_login);
        mem_copy(kept, sizeof kept, buf_slice(&t.says));
    }
    CU_ASSERT(sec_bootstrap_count(t.b) == 0);
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_DONE);
    close_bench(&t);
}

static void test_refusal_rows(void)
{
    static const char *const rows[] = {
        "",
        "Basic dXNlcjpwYXNz",
        "Digest username=\"user@operator.example\"",
        "Digest username=\"user@operator.example\", realm=\"other.example\", nonce=\"\", uri=\"/\", "
        "response=\"\"",
        "Digest username=\"nobody@operator.example\", realm=\"bsf.operator.example\", nonce=\"\", uri=\"/\", "
        "response=\"\"",
        "Digest username=\"tel:+15550100\", realm=\"bsf.operator.example\", nonce=\"\", uri=\"/\", "
        "response=\"\"",
        "Digest username=\"\", realm=\"bsf.operator.example\", nonce=\"\", uri=\"/\", response=\"\"",
        "Digest username=\"user@operator.example\", realm=\"bsf.operator.example\", nonce=\"\", uri=\"/\", "
        "response=\"00\"",
    };
    struct bench t;

    open_bench(&t, SEC_AKA_PLAIN, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(step_of(&t, slice_str(rows[i])) == ERR_OK);
        CU_ASSERT(t.answer.outcome == SEC_BOOTSTRAP_REFUSED && t.answer.failed_login && t.header.n == 0);
    }
    close_bench(&t);
}

/* Struck off, or its key changed, between challenge and answer; and then the B-TID is nobody's. */
static void test_subscriber_goes(void)
{
    struct sec_naf_key key;
    struct bench t;
    char impi[SEC_GBA_IMPI_MAX_N];
    size_t impi_n = 0;

    open_bench(&t, SEC_AKA_PLAIN, 0);
    say_first(&t, IMPI);
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_CHALLENGE);
    CU_ASSERT(say_answer(&t, IMPI) == ERR_OK);
    sec_keyserver_free(&t.server);
    t.server = server_with(K, SEC_AKA_PLAIN, 0, 0);
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_REFUSED);
    sec_keyserver_free(&t.server);
    t.server = server_with(OPC, SEC_AKA_PLAIN, 0, NOW + 10);
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_DONE && t.answer.expires_s == NOW + 10);
    CU_ASSERT(sec_bootstrap_impi(t.b, t.server, btid_of(&t), NOW + 9, impi, &impi_n) == ERR_OK);
    TEST_SLICE_EQ(slice_of(impi, impi_n), IMPI);
    CU_ASSERT(sec_bootstrap_impi(t.b, NULL, btid_of(&t), NOW + 9, impi, &impi_n) == ERR_ABSENT);
    CU_ASSERT(sec_bootstrap_key(t.b, t.server, btid_of(&t), NAF, NOW + 10, &key) == ERR_ABSENT);
    close_bench(&t);
}

static void test_key_rows(void)
{
    static const struct {
        const char *btid;
        enum err want;
    } rows[] = {{"", ERR_MALFORMED},
                {"AAAAAAAAAAAAAAAAAAAAAA==", ERR_MALFORMED},
                {"AAAAAAAAAAAAAAAAAAAA@bsf.operator.example", ERR_MALFORMED},
                {"AAAAAAAAAAAAAAAAAAAAAA==@bsf.operator.example", ERR_ABSENT},
                {"AAAAAAAAAAAAAAAAAAAAAA==@bsf.other.example", ERR_ABSENT}};
    struct sec_naf_key key = {.impi_n = 7};
    struct bench t;

    open_bench(&t, SEC_AKA_PLAIN, 0);
    bootstrap(&t, IMPI);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(sec_bootstrap_key(t.b, t.server, slice_str(rows[i].btid), NAF, NOW, &key) == rows[i].want);
        CU_ASSERT(key.impi_n == 7);
    }
    t.answer.btid[t.answer.btid_n - 1] = 'f'; /* the right RAND, of another BSF */
    CU_ASSERT(sec_bootstrap_key(t.b, t.server, btid_of(&t), NAF, NOW, &key) == ERR_ABSENT);
    t.answer.btid[t.answer.btid_n - 1] = 'e';
    CU_ASSERT(sec_bootstrap_key(t.b, t.server, btid_of(&t), NAF, NOW + LIFE - 1, &key) == ERR_OK);
    CU_ASSERT(sec_bootstrap_key(t.b, t.server, btid_of(&t), NAF, NOW + LIFE, &key) == ERR_ABSENT);
    close_bench(&t);
}

/* A terminal that knows TMPIs shows its IMPI once. */
static void test_tmpi(void)
{
    struct sec_secret ks;
    struct bench t;
    struct buf tmpi;

    open_bench(&t, SEC_AKA_PLAIN, 0);
    buf_init(&tmpi, 200);
    bootstrap(&t, IMPI);
    sec_gba_ks(t.keys.ck, t.keys.ik, &ks);
    CU_ASSERT(sec_gba_tmpi(&ks, t.keys.rand, IMPI, BSF, &tmpi) == ERR_OK);
    say_first(&t, buf_slice(&tmpi));
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_REFUSED); /* it did not say that it knows them */
    t.tmpi = true;
    t.now_ms++;
    bootstrap(&t, IMPI);
    sec_gba_ks(t.keys.ck, t.keys.ik, &ks);
    buf_reset(&tmpi, 200);
    CU_ASSERT(sec_gba_tmpi(&ks, t.keys.rand, IMPI, BSF, &tmpi) == ERR_OK);
    t.now_ms++;
    bootstrap(&t, buf_slice(&tmpi));
    TEST_SLICE_EQ(slice_of(t.answer.impi, t.answer.impi_n), IMPI);
    say_first(&t, buf_slice(&tmpi));
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_REFUSED); /* each is good for one run */
    buf_clear(&tmpi);
    close_bench(&t);
}

static void test_too_often(void)
{
    struct bench t;

    open_bench(&t, SEC_AKA_PLAIN, 0);
    say_first(&t, IMPI);
    for (size_t i = 0; i < 10; i++)
        CU_ASSERT(take(&t) == SEC_BOOTSTRAP_CHALLENGE);
    CU_ASSERT(take(&t) == SEC_BOOTSTRAP_BUSY && t.answer.wait_ms > 0 && t.header.n == 0);
    close_bench(&t);
}

static void test_create_rows(void)
{
    static const struct {
        struct sec_bootstrap_conf conf;
        enum err want;
    } rows[] = {{{{"", 0}, 1, 1, false}, ERR_MALFORMED},
                {{{"Bsf.example", 11}, 1, 1, false}, ERR_MALFORMED},
                {{{"bsf.example", 11}, 0, 1, false}, ERR_LIMIT},
                {{{"bsf.example", 11}, SEC_BOOTSTRAP_RUNS_MAX + 1, 1, false}, ERR_LIMIT},
                {{{"bsf.example", 11}, 1, 0, false}, ERR_LIMIT},
                {{{"bsf.example", 11}, 1, 1, false}, ERR_OK}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_bootstrap *b = NULL;

        test_row(i);
        CU_ASSERT(sec_bootstrap_create(&rows[i].conf, &b) == rows[i].want);
        CU_ASSERT(!b == !!rows[i].want);
        sec_bootstrap_free(&b);
    }
}

static void test_sweep(void)
{
    struct bench t;

    open_bench(&t, SEC_AKA_PLAIN, 0);
    bootstrap(&t, IMPI);
    sec_bootstrap_sweep(t.b, NOW + LIFE - 1);
    CU_ASSERT(sec_bootstrap_count(t.b) == 1);
    sec_bootstrap_sweep(t.b, NOW + LIFE);
    CU_ASSERT(sec_bootstrap_count(t.b) == 0);
    close_bench(&t);
}

const struct test_case test_cases[] = {
    {"both_ends_have_the_keys", test_both_ends_have_the_keys},
    {"numbers_are_reserved_first", test_numbers_are_reserved_first},
    {"resynchronisation", test_resynchronisation},
    {"old_auts_changes_nothing", test_old_auts_changes_nothing},
    {"answer_is_good_once", test_answer_is_good_once},
    {"challenge_ages", test_challenge_ages},
    {"foreign_challenges", test_foreign_challenges},
    {"every_bit_of_the_answer_counts", test_every_bit_of_the_answer_counts},
    {"refusal_rows", test_refusal_rows},
    {"subscriber_goes", test_subscriber_goes},
    {"key_rows", test_key_rows},
    {"tmpi", test_tmpi},
    {"too_often", test_too_often},
    {"create_rows", test_create_rows},
    {"sweep", test_sweep},
    {NULL, NULL},
};
