/* The terminal's order of checks for a GPI, each step's refusal, and that nothing of a refused one is left. */
#include "security/gba/usim.h"

#include "base/mem.h"
#include "security/sa.h"
#include "tests/unit/security/vectors.h"

#define NOW  1700000000
#define WEEK 604800
#define K    SLICE("0123456789abcdef")
#define OPC  SLICE("fedcba9876543210")
#define IMPI SLICE("user@operator.example")
#define NAF  SLICE("ppg.operator.example\x01\x00\x00\x00\x05")

static const struct slice nafs[] = {{"other.example", 13}, {"PPG.operator.example", 20}};

static const uint8_t rand_test[SEC_AKA_RAND_N] = "RRRRRRRRRRRRRRR";

/* What the network does for one GPI; each test changes a thing. */
struct network {
    struct slice k, naf_id, key_naf_id;
    uint64_t seq;
    enum sec_aka_star star;
    bool uicc;
    int64_t expires_s;
};
#define GOOD_NETWORK                                                                                         \
    {                                                                                                        \
        K, NAF, NAF, 1, SEC_AKA_PLAIN, false, NOW + WEEK                                                     \
    }

static struct sec_secret gpi_of(const struct network *n, struct buf *out)
{
    struct sec_milenage *m = NULL;
    struct sec_aka_vector v;
    struct sec_secret ks, key;
    struct sec_gpi_conf conf = {.uicc = n->uicc,
                                .confidential = true,
                                .naf_id = n->naf_id,
                                .ptid = SLICE("ptid"),
                                .expires_s = n->expires_s};

    sec_secret_init(&ks);
    sec_secret_init(&key);
    buf_init(out, SEC_GPI_MAX_N);
    MUST(sec_milenage_create(n->k, OPC, &m) == ERR_OK);
    MUST(sec_aka_vector_make(m, rand_test, n->seq << SEC_AKA_IND_BITS | 4, 0, n->star, &v) == ERR_OK);
    sec_gba_ks(v.ck, v.ik, &ks);
    MUST(sec_gba_naf_key(&ks, SEC_GBA_ME, slice_of(rand_test, 16), IMPI, n->key_naf_id, &key) == ERR_OK);
    conf.rand = slice_of(v.rand, sizeof v.rand);
    conf.autn = slice_of(v.autn, sizeof v.autn);
    MUST(sec_gpi_seal(&key, &conf, out) == ERR_OK);
    sec_milenage_free(&m);
    return key;
}

static struct sec_usim *usim_of(enum sec_aka_star star)
{
    struct sec_usim_conf conf = {IMPI, K, OPC, star};
    struct sec_usim *u = NULL;

    MUST(sec_usim_create(&conf, &u) == ERR_OK);
    return u;
}

static enum sec_gpi_verdict verdict_of(struct sec_usim *u, struct slice gpi, struct sec_usim_result *out)
{
    struct sec_usim_policy policy = {nafs, COUNT(nafs), WEEK, NOW};
    struct sec_gpi_msg msg;

    MUST(sec_gpi_parse(gpi, &msg) == ERR_OK);
    MUST(sec_usim_accept(u, &msg, &policy, out) == ERR_OK);
    return out->verdict;
}

static void test_good(void)
{
    static const enum sec_aka_star stars[] = {SEC_AKA_PLAIN, SEC_AKA_STAR_SHA256, SEC_AKA_STAR_SHA1};

    for (size_t i = 0; i < COUNT(stars); i++) {
        struct network n = GOOD_NETWORK;
        struct sec_usim *u = usim_of(stars[i]);
        struct sec_usim_result r;
        struct sec_secret want;
        struct buf gpi;

        test_row(i);
        n.star = stars[i];
        n.uicc = stars[i] != SEC_AKA_PLAIN;
        want = gpi_of(&n, &gpi);
        CU_ASSERT(verdict_of(u, buf_slice(&gpi), &r) == SEC_GPI_GOOD);
        CU_ASSERT(slice_eq(sec_secret_slice(&r.ks_naf), sec_secret_slice(&want)));
        CU_ASSERT(r.ks_int.n == (n.uicc ? SEC_GBA_KEY_N : 0));
        CU_ASSERT(!slice_eq(sec_secret_slice(&r.ks_int), sec_secret_slice(&want)));
        TEST_SLICE_EQ(slice_of(r.opened.ptid, r.opened.ptid_n), SLICE("ptid"));
        CU_ASSERT(r.opened.expires_s == NOW + WEEK);
        sec_usim_result_clear(&r);
        buf_clear(&gpi);
        sec_usim_free(&u);
    }
}

static void test_refusal_rows(void)
{
    static const struct {
        struct network n;
        enum sec_gpi_verdict want;
        bool spent; /* the number is used up */
    } rows[] = {
#define NAF_ {"ppg.operator.example\x01\x00\x00\x00\x05", 25}
#define DIGEST_                                                                                              \
    {                                                                                                        \
        "ppg.operator.example\x01\x00\x00\x00\x02", 25                                                       \
    }
#define EVIL_                                                                                                \
    {                                                                                                        \
        "evil.example\x01\x00\x00\x00\x05", 17                                                               \
    }
#define K_                                                                                                   \
    {                                                                                                        \
        "0123456789abcdef", 16                                                                               \
    }
        {{K_, NAF_, NAF_, 1, SEC_AKA_PLAIN, false, NOW + WEEK}, SEC_GPI_GOOD, true},
        {{K_, EVIL_, EVIL_, 1, SEC_AKA_PLAIN, false, NOW + WEEK}, SEC_GPI_POLICY, false},
        {{K_, DIGEST_, DIGEST_, 1, SEC_AKA_PLAIN, false, NOW + WEEK}, SEC_GPI_POLICY, false},
        {{K_, NAF_, NAF_, 1, SEC_AKA_STAR_SHA256, true, NOW + WEEK},
         SEC_GPI_POLICY,
         false}, /* this module has no GBA_U */
        {{K_, NAF_, NAF_, 1, SEC_AKA_STAR_SHA256, false, NOW + WEEK}, SEC_GPI_AUTH_MAC, false},
        {{{"another K of 16.", 16}, NAF_, NAF_, 1, SEC_AKA_PLAIN, false, NOW + WEEK},
         SEC_GPI_AUTH_MAC,
         false},
        {{K_, NAF_, NAF_, 0, SEC_AKA_PLAIN, false, NOW + WEEK}, SEC_GPI_AUTH_SYNC, false},
        {{K_, NAF_, NAF_, SEC_AKA_SEQ_DELTA + 1, SEC_AKA_PLAIN, false, NOW + WEEK}, SEC_GPI_AUTH_SYNC, false},
        {{K_, NAF_, EVIL_, 1, SEC_AKA_PLAIN, false, NOW + WEEK}, SEC_GPI_GPI_MAC, true},
        {{K_, NAF_, NAF_, 1, SEC_AKA_PLAIN, false, NOW}, SEC_GPI_EXPIRED, true},
        {{K_, NAF_, NAF_, 1, SEC_AKA_PLAIN, false, NOW - 1}, SEC_GPI_EXPIRED, true},
        {{K_, NAF_, NAF_, 1, SEC_AKA_PLAIN, false, NOW + WEEK + 1}, SEC_GPI_EXPIRED, true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_usim *u = usim_of(SEC_AKA_PLAIN);
        struct sec_usim_result r;
        struct sec_secret key;
        struct buf gpi;

        test_row(i);
        key = gpi_of(&rows[i].n, &gpi);
        CU_ASSERT(verdict_of(u, buf_slice(&gpi), &r) == rows[i].want);
        CU_ASSERT((sec_aka_seen_highest(sec_usim_seen(u)) != 0) == rows[i].spent);
        CU_ASSERT((r.ks_naf.n != 0) == (rows[i].want == SEC_GPI_GOOD) && r.ks_int.n == 0);
        sec_secret_clear(&key);
        buf_clear(&gpi);
        sec_usim_free(&u);
    }
}

/* A GPI counts once: seen again, and after a restart with what was saved. */
static void test_replay(void)
{
    struct network n = GOOD_NETWORK;
    struct sec_usim *u = usim_of(SEC_AKA_PLAIN), *again = usim_of(SEC_AKA_PLAIN);
    struct sec_usim_result r;
    struct buf gpi;

    (void)gpi_of(&n, &gpi);
    CU_ASSERT(verdict_of(u, buf_slice(&gpi), &r) == SEC_GPI_GOOD);
    CU_ASSERT(verdict_of(u, buf_slice(&gpi), &r) == SEC_GPI_AUTH_SYNC);
    sec_usim_restore(again, sec_usim_seen(u));
    CU_ASSERT(verdict_of(again, buf_slice(&gpi), &r) == SEC_GPI_AUTH_SYNC);
    buf_clear(&gpi);
    sec_usim_free(&u);
    sec_usim_free(&again);
}

/* The refusal carries where the module stands, for the network alone to read. */
static void test_auts(void)
{
    struct network n = GOOD_NETWORK;
    struct sec_aka_seen seen = {.seq = {[4] = 77}};
    struct sec_usim *u = usim_of(SEC_AKA_PLAIN);
    struct sec_milenage *m = NULL;
    struct sec_usim_result r;
    uint64_t sqn_ms = 0;
    struct buf gpi;

    MUST(sec_milenage_create(K, OPC, &m) == ERR_OK);
    sec_usim_restore(u, &seen);
    (void)gpi_of(&n, &gpi);
    CU_ASSERT(verdict_of(u, buf_slice(&gpi), &r) == SEC_GPI_AUTH_SYNC);
    CU_ASSERT(sec_aka_auts_open(m, rand_test, r.auts, &sqn_ms) == ERR_OK);
    CU_ASSERT(sqn_ms == (77 << SEC_AKA_IND_BITS | 4));
    sec_milenage_free(&m);
    buf_clear(&gpi);
    sec_usim_free(&u);
}

/* No bit of a GPI can be turned: each is refused, and none gives a key. */
static void test_every_bit_counts(void)
{
    struct network n = GOOD_NETWORK;
    struct sec_usim *u = usim_of(SEC_AKA_PLAIN);
    struct sec_usim_policy policy = {nafs, COUNT(nafs), WEEK, NOW};
    static const struct sec_aka_seen none;
    struct buf gpi;

    (void)gpi_of(&n, &gpi);
    for (size_t bit = 0; bit < gpi.n * 8; bit++) {
        struct sec_usim_result r;
        struct sec_gpi_msg msg;

        test_row(bit);
        gpi.p[bit / 8] = (char)(gpi.p[bit / 8] ^ 1 << bit % 8);
        if (sec_gpi_parse(buf_slice(&gpi), &msg) == ERR_OK) {
            CU_ASSERT(sec_usim_accept(u, &msg, &policy, &r) == ERR_OK);
            CU_ASSERT(r.verdict != SEC_GPI_GOOD && r.ks_naf.n == 0);
        }
        gpi.p[bit / 8] = (char)(gpi.p[bit / 8] ^ 1 << bit % 8);
        sec_usim_restore(u, &none); /* only the bits, not the replay */
    }
    buf_clear(&gpi);
    sec_usim_free(&u);
}

/* Nobody may send to a terminal that has named nobody. */
static void test_deny_by_default(void)
{
    struct network n = GOOD_NETWORK;
    struct sec_usim *u = usim_of(SEC_AKA_PLAIN);
    struct sec_usim_policy policy = {NULL, 0, WEEK, NOW};
    struct sec_usim_result r;
    struct sec_gpi_msg msg;
    struct buf gpi;

    (void)gpi_of(&n, &gpi);
    MUST(sec_gpi_parse(buf_slice(&gpi), &msg) == ERR_OK);
    CU_ASSERT(sec_usim_accept(u, &msg, &policy, &r) == ERR_OK && r.verdict == SEC_GPI_POLICY);
    CU_ASSERT(strcmp(sec_gpi_verdict_name(r.verdict), "policy") == 0);
    CU_ASSERT(sec_aka_seen_highest(sec_usim_seen(u)) == 0);
    buf_clear(&gpi);
    sec_usim_free(&u);
}

static void test_create_refused(void)
{
    static const char longer[SEC_GBA_IMPI_MAX_N + 1] = "x";
    struct sec_usim_conf rows[] = {
        {SLICE(""), K, OPC, SEC_AKA_PLAIN},
        {slice_of(longer, sizeof longer), K, OPC, SEC_AKA_PLAIN},
        {IMPI, SLICE("short"), OPC, SEC_AKA_PLAIN},
        {IMPI, K, SLICE("short"), SEC_AKA_PLAIN},
    };
    struct sec_usim *u = NULL;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(sec_usim_create(&rows[i], &u) == ERR_LIMIT && !u);
    }
    sec_usim_free(&u);
}

/* The vectors' own GPIs, from the subscriber's K on: keys and MAC come out of one run. */
static void test_vectors(void)
{
    static const struct slice naf[] = {{"ppg.operator.example", 20}};
    json_t *keys = vectors_load("gba_keys.json"), *tree = vectors_load("gpi_a1.json");
    json_t *subscriber = json_object_get(keys, "subscriber"), *row;
    struct sec_aka_seen seen = {.seq = {[7] = (0xff9bb4d0b607 >> SEC_AKA_IND_BITS) - 1}};
    size_t i;

    json_array_foreach(vectors_list(tree, "vectors"), i, row)
    {
        bool uicc = json_is_true(json_object_get(row, "uicc"));
        struct octets k, opc, in, want;
        struct sec_usim_conf conf = {vector_text(subscriber, "impi"), vector_octets(subscriber, "k", &k),
                                     vector_octets(subscriber, "opc", &opc),
                                     uicc ? SEC_AKA_STAR_SHA256 : SEC_AKA_PLAIN};
        int64_t expires_s = vector_u32(json_object_get(tree, "inputs"), "key_lifetime_unix");
        struct sec_usim_policy policy = {naf, 1, WEEK, expires_s - 100};
        struct sec_usim *u = NULL;
        struct sec_usim_result r;
        struct sec_gpi_msg msg;

        test_row(i);
        MUST(sec_usim_create(&conf, &u) == ERR_OK);
        sec_usim_restore(u, &seen);
        MUST(sec_gpi_parse(vector_octets(row, "gpi", &in), &msg) == ERR_OK);
        CU_ASSERT(sec_usim_accept(u, &msg, &policy, &r) == ERR_OK && r.verdict == SEC_GPI_GOOD);
        TEST_SLICE_EQ(sec_secret_slice(&r.ks_naf),
                      vector_octets(json_object_get(tree, "inputs"), "ks_naf", &want));
        sec_usim_free(&u);
    }
    json_decref(tree);
    json_decref(keys);
}

/* What a terminal does with a message that carries its association; NULL: it has none yet. */
static enum err receive(struct sec_usim *u, struct sec_sa **sa, struct sec_sa *place, struct slice message,
                        struct buf *plain)
{
    struct sec_gpl_msg msg;
    struct sec_usim_result r;

    MUST(sec_gpl_parse(message, &msg) == ERR_OK);
    if (msg.gpi.n && !*sa) {
        struct sec_sa_conf conf = {.suites = SLICE("\x02\x01")};

        if (verdict_of(u, msg.gpi, &r) != SEC_GPI_GOOD)
            return ERR_DENIED;
        conf.rand = msg.said;
        conf.ptid = slice_of(r.opened.ptid, r.opened.ptid_n);
        conf.ks = sec_secret_slice(&r.ks_naf);
        conf.expires_s = r.opened.expires_s;
        MUST(sec_sa_init(place, &conf) == ERR_OK);
        *sa = place;
    }
    return *sa ? sec_sa_open(*sa, SEC_GPL_DOWNLINK, NOW, &msg, plain) : ERR_ABSENT;
}

static void push(struct sec_sa *sa, struct slice gpi, struct slice text, struct buf *out)
{
    uint32_t sn;

    buf_reset(out, 4096);
    MUST(sec_sa_seal(sa, SEC_GPL_DOWNLINK, NOW, gpi, &text, 1, out, &sn) == ERR_OK);
}

/* The first message carries the association and content; the next ones content alone; the other end answers. */
static void test_combined_delivery(void)
{
    struct network n = GOOD_NETWORK;
    struct sec_usim *u = usim_of(SEC_AKA_PLAIN);
    struct buf gpi, message, plain;
    struct sec_secret key = gpi_of(&n, &gpi);
    struct sec_sa_conf conf = {slice_of(rand_test, 16), SLICE("ptid"), sec_secret_slice(&key),
                               SLICE("\x02"),           NOW + WEEK,    0};
    struct sec_sa net, terminal, *sa = NULL;
    struct slice reply = SLICE("thanks");
    struct sec_gpl_msg msg;
    uint32_t sn;

    buf_init(&message, 4096);
    buf_init(&plain, 4096);
    MUST(sec_sa_init(&net, &conf) == ERR_OK && sec_sa_reserved(&net, 1, 100) == ERR_OK);
    push(&net, SLICE_NONE, SLICE("too early"), &message);
    CU_ASSERT(receive(u, &sa, &terminal, buf_slice(&message), &plain) == ERR_ABSENT);
    push(&net, buf_slice(&gpi), SLICE("first"), &message);
    CU_ASSERT(receive(u, &sa, &terminal, buf_slice(&message), &plain) == ERR_OK);
    CU_ASSERT(receive(u, &sa, &terminal, buf_slice(&message), &plain) == ERR_EXISTS); /* replayed */
    push(&net, buf_slice(&gpi), SLICE(" again"), &message); /* not confirmed yet: the GPI still rides along */
    CU_ASSERT(receive(u, &sa, &terminal, buf_slice(&message), &plain) == ERR_OK);
    push(&net, SLICE_NONE, SLICE(" and later"), &message);
    CU_ASSERT(receive(u, &sa, &terminal, buf_slice(&message), &plain) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&plain), SLICE("first again and later"));
    buf_reset(&message, 4096);
    buf_reset(&plain, 4096);
    MUST(sec_sa_reserved(&terminal, 1, 10) == ERR_OK);
    CU_ASSERT(sec_sa_seal(sa, SEC_GPL_UPLINK, NOW, SLICE_NONE, &reply, 1, &message, &sn) == ERR_OK);
    CU_ASSERT(sec_gpl_parse(buf_slice(&message), &msg) == ERR_OK);
    TEST_SLICE_EQ(msg.said, SLICE("ptid"));
    CU_ASSERT(sec_sa_open(&net, SEC_GPL_UPLINK, NOW, &msg, &plain) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&plain), reply);
    sec_sa_clear(&net);
    sec_sa_clear(&terminal);
    buf_clear(&gpi);
    buf_clear(&message);
    buf_clear(&plain);
    sec_usim_free(&u);
}

const struct test_case test_cases[] = {
    {"good", test_good},
    {"vectors", test_vectors},
    {"refusal_rows", test_refusal_rows},
    {"replay", test_replay},
    {"auts", test_auts},
    {"every_bit_counts", test_every_bit_counts},
    {"deny_by_default", test_deny_by_default},
    {"combined_delivery", test_combined_delivery},
    {"create_refused", test_create_refused},
    {NULL, NULL},
};
