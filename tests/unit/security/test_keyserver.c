/* The embedded key server: what it gives opens in the terminal, numbers come from reservations only, refusals,
 * resynchronisation, and threads. */
#include "security/gba/keyserver.h"

#include <pthread.h>
#include "security/gba/usim.h"
#include "tests/unit/security/vectors.h"

#define NOW  1700000000
#define WEEK 604800
#define IND  9
#define K    SLICE("0123456789abcdef")
#define OPC  SLICE("fedcba9876543210")
#define IMPI SLICE("user@operator.example")
#define NAF  SLICE("ppg.operator.example\x01\x00\x00\x00\x05")

static const struct slice publics[] = {{"tel:+15550100", 13}, {"sip:user@operator.example", 25}};
static const struct slice nafs[] = {{"ppg.operator.example", 20}};

static struct sec_subscriber subscriber_test(void)
{
    return (struct sec_subscriber){
        .impi = IMPI, .publics = publics, .publics_n = COUNT(publics), .k = K, .opc = OPC, .amf = 0x0000};
}

static struct sec_keyserver *server_empty(void)
{
    struct sec_keyserver_conf conf = {1000, IND};
    struct sec_keyserver *s = NULL;

    MUST(sec_keyserver_create(&conf, &s) == ERR_OK);
    return s;
}

static struct sec_keyserver *server_of(enum sec_aka_star star, uint64_t sqn)
{
    struct sec_keyserver *s = server_empty();
    struct sec_subscriber subscriber = subscriber_test();

    subscriber.star = star;
    subscriber.sqn = sqn;
    MUST(sec_keyserver_add(s, &subscriber) == ERR_OK);
    MUST(sec_keyserver_allow(s, NAF, WEEK) == ERR_OK);
    return s;
}

static struct sec_usim *usim_of(enum sec_aka_star star)
{
    struct sec_usim_conf conf = {IMPI, K, OPC, star};
    struct sec_usim *u = NULL;

    MUST(sec_usim_create(&conf, &u) == ERR_OK);
    return u;
}

static struct sec_push_request request_test(void)
{
    return (struct sec_push_request){publics[0], NAF, SLICE("ptid"), SLICE_NONE, NOW + 3600};
}

static void reserve(struct sec_keyserver *s, uint64_t count)
{
    uint64_t from = 0;
    struct slice impi;

    CU_ASSERT(sec_keyserver_wants(s, publics[0], &impi, &from) == ERR_OK);
    TEST_SLICE_EQ(impi, IMPI);
    CU_ASSERT(sec_keyserver_reserved(s, impi, from, from + count) == ERR_OK);
}

static enum sec_gpi_verdict accept(struct sec_usim *u, const struct sec_push_info *info,
                                   struct sec_usim_result *r)
{
    struct sec_usim_policy policy = {nafs, 1, WEEK, NOW};
    struct sec_gpi_msg msg;

    MUST(sec_gpi_parse(slice_of(info->gpi, info->gpi_n), &msg) == ERR_OK);
    MUST(sec_usim_accept(u, &msg, &policy, r) == ERR_OK);
    return r->verdict;
}

/* Both ends have the same keys, name and expiry; a second request gives another association. */
static void test_association(void)
{
    static const enum sec_aka_star stars[] = {SEC_AKA_PLAIN, SEC_AKA_STAR_SHA256, SEC_AKA_STAR_SHA1};

    for (size_t i = 0; i < COUNT(stars); i++) {
        struct sec_keyserver *s = server_of(stars[i], 0);
        struct sec_usim *u = usim_of(stars[i]);
        struct sec_push_request q = request_test();
        struct sec_push_info info, second;
        struct sec_usim_result r;

        test_row(i);
        reserve(s, 10);
        CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_OK);
        CU_ASSERT(accept(u, &info, &r) == SEC_GPI_GOOD);
        CU_ASSERT(slice_eq(sec_secret_slice(&r.ks_naf), sec_secret_slice(&info.ks_naf)));
        CU_ASSERT(slice_eq(sec_secret_slice(&r.ks_int), sec_secret_slice(&info.ks_int)));
        CU_ASSERT(info.ks_naf.n == SEC_GBA_KEY_N && (info.ks_int.n != 0) == (stars[i] != SEC_AKA_PLAIN));
        CU_ASSERT(r.opened.expires_s == NOW + 3600 && info.expires_s == NOW + 3600 && info.created_s == NOW);
        TEST_SLICE_EQ(slice_of(r.opened.ptid, r.opened.ptid_n), q.ptid);
        CU_ASSERT(accept(u, &info, &r) == SEC_GPI_AUTH_SYNC);
        CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &second) == ERR_OK);
        CU_ASSERT(memcmp(info.rand, second.rand, sizeof info.rand) != 0);
        CU_ASSERT(!slice_eq(sec_secret_slice(&info.ks_naf), sec_secret_slice(&second.ks_naf)));
        CU_ASSERT(accept(u, &second, &r) == SEC_GPI_GOOD);
        sec_push_info_clear(&info);
        CU_ASSERT(info.ks_naf.n == 0 && info.ks_naf.octets[0] == 0 && info.gpi_n == 0);
        sec_usim_free(&u);
        sec_keyserver_free(&s);
    }
}

/* Neither K nor any key is in what travels. */
static void test_gpi_tells_no_key(void)
{
    struct sec_keyserver *s = server_of(SEC_AKA_PLAIN, 0);
    struct sec_push_request q = request_test();
    struct sec_push_info info;
    struct slice gpi;

    reserve(s, 1);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_OK);
    gpi = slice_of(info.gpi, info.gpi_n);
    CU_ASSERT(slice_find_slice(gpi, NAF) < gpi.n);
    CU_ASSERT(slice_find_slice(gpi, K) >= gpi.n && slice_find_slice(gpi, OPC) >= gpi.n);
    CU_ASSERT(slice_find_slice(gpi, q.ptid) >= gpi.n); /* hidden */
    for (size_t at = 0; at + 8 <= SEC_GBA_KEY_N; at++)
        CU_ASSERT(slice_find_slice(gpi, slice_of(info.ks_naf.octets + at, 8)) >= gpi.n);
    sec_push_info_clear(&info);
    sec_keyserver_free(&s);
}

static void test_refusal_rows(void)
{
    static const struct {
        struct slice ue, naf_id, ptid, label;
        int64_t expires_s;
        enum err want;
    } rows[] = {
#define UE_ {"tel:+15550100", 13}
#define NAF_                                                                                                 \
    {                                                                                                        \
        "ppg.operator.example\x01\x00\x00\x00\x05", 25                                                       \
    }
#define P_                                                                                                   \
    {                                                                                                        \
        "p", 1                                                                                               \
    }
#define L_                                                                                                   \
    {                                                                                                        \
        NULL, 0                                                                                              \
    }
        {UE_, NAF_, P_, L_, NOW + 1, ERR_OK},
        {{"user@operator.example", 21}, NAF_, P_, L_, NOW + 1, ERR_OK},
        {{"sip:user@operator.example", 25}, NAF_, P_, L_, NOW + 1, ERR_OK},
        {{"tel:+15550101", 13}, NAF_, P_, L_, NOW + 1, ERR_ABSENT},
        {{"tel:+1555010", 12}, NAF_, P_, L_, NOW + 1, ERR_ABSENT},
        {{"", 0}, NAF_, P_, L_, NOW + 1, ERR_ABSENT},
        {UE_, {"ppg.operator.example\x01\x00\x00\x00\x02", 25}, P_, L_, NOW + 1, ERR_DENIED},
        {UE_, {"evil.example\x01\x00\x00\x00\x05", 17}, P_, L_, NOW + 1, ERR_DENIED},
        {{"nobody", 6},
         {"evil.example\x01\x00\x00\x00\x05", 17},
         P_,
         L_,
         NOW + 1,
         ERR_DENIED}, /* learns nothing */
        {UE_, {"", 0}, P_, L_, NOW + 1, ERR_DENIED},
        {UE_, NAF_, P_, L_, NOW, ERR_LATE},
        {UE_, NAF_, P_, L_, NOW - 5, ERR_LATE},
        {UE_, NAF_, {"", 0}, L_, NOW + 1, ERR_LIMIT},
        {UE_, NAF_, P_, {"\xff", 1}, NOW + 1, ERR_MALFORMED},
    };
    struct sec_keyserver *s = server_of(SEC_AKA_PLAIN, 0);

    reserve(s, 100);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_push_request q = {rows[i].ue, rows[i].naf_id, rows[i].ptid, rows[i].label,
                                     rows[i].expires_s};
        struct sec_push_info info = {.gpi_n = 7};

        test_row(i);
        CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == rows[i].want);
        CU_ASSERT((info.gpi_n == 7 && info.ks_naf.n == 0) == (rows[i].want != ERR_OK));
    }
    sec_keyserver_free(&s);
}

/* Never longer than this NAF may have. */
static void test_lifetime_ceiling(void)
{
    struct sec_keyserver *s = server_of(SEC_AKA_PLAIN, 0);
    struct sec_push_request q = request_test();
    struct sec_push_info info;

    reserve(s, 1);
    q.expires_s = NOW + 10 * WEEK;
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_OK && info.expires_s == NOW + WEEK);
    sec_push_info_clear(&info);
    sec_keyserver_free(&s);
}

/* What comes of a key lasts no longer than the key. */
static void test_key_expires(void)
{
    struct sec_keyserver *s = server_empty();
    struct sec_subscriber subscriber = subscriber_test();
    struct sec_push_request q = request_test();
    struct sec_push_info info = {.gpi_n = 7};

    subscriber.expires_s = NOW + 100;
    MUST(sec_keyserver_add(s, &subscriber) == ERR_OK && sec_keyserver_allow(s, NAF, WEEK) == ERR_OK);
    reserve(s, 5);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW + 100, &info) == ERR_LATE && info.gpi_n == 7);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW + 99, &info) == ERR_OK && info.expires_s == NOW + 100);
    sec_push_info_clear(&info);
    sec_keyserver_free(&s);
}

static void test_numbers_need_a_reservation(void)
{
    struct sec_keyserver *s = server_of(SEC_AKA_PLAIN, 100 << SEC_AKA_IND_BITS);
    struct sec_push_request q = request_test();
    struct sec_push_info info = {.gpi_n = 7};
    struct slice impi = SLICE_NONE;
    uint64_t from = 0;

    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_AGAIN && info.gpi_n == 7);
    CU_ASSERT(sec_keyserver_wants(s, IMPI, &impi, &from) == ERR_OK && from == 101);
    CU_ASSERT(sec_keyserver_wants(s, SLICE("nobody"), &impi, &from) == ERR_ABSENT && from == 101);
    CU_ASSERT(sec_keyserver_reserved(s, SLICE("nobody"), 101, 102) == ERR_ABSENT);
    CU_ASSERT(sec_keyserver_reserved(s, impi, 101, 101) == ERR_LIMIT);
    CU_ASSERT(sec_keyserver_reserved(s, impi, 102, 101) == ERR_LIMIT);
    CU_ASSERT(sec_keyserver_reserved(s, impi, 100, 102) == ERR_EXISTS);
    CU_ASSERT(sec_keyserver_reserved(s, impi, 0, 102) == ERR_EXISTS);
    CU_ASSERT(sec_keyserver_reserved(s, impi, 101, (UINT64_C(1) << 43) + 1) == ERR_LIMIT);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_AGAIN);
    CU_ASSERT(sec_keyserver_reserved(s, impi, 101, 103) == ERR_OK);
    CU_ASSERT(sec_keyserver_reserved(s, impi, 102, 104) == ERR_EXISTS);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_OK);
    CU_ASSERT(sec_keyserver_reserved(s, impi, 103, 104) == ERR_OK); /* ahead of need: 102 is still there */
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_OK);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_OK);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_AGAIN);
    CU_ASSERT(sec_keyserver_wants(s, IMPI, &impi, &from) == ERR_OK && from == 104);
    sec_push_info_clear(&info);
    sec_keyserver_free(&s);
}

/* The numbers that go out are what was reserved, each once, in our slot. */
static void test_numbers_are_those_reserved(void)
{
    struct sec_keyserver *s = server_of(SEC_AKA_PLAIN, 0);
    struct sec_usim *u = usim_of(SEC_AKA_PLAIN);
    struct sec_push_request q = request_test();
    struct sec_push_info info;
    struct sec_usim_result r;

    CU_ASSERT(sec_keyserver_reserved(s, IMPI, 50, 53) == ERR_OK); /* a store that knows of a higher end */
    for (uint64_t seq = 50; seq < 53; seq++) {
        CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_OK);
        CU_ASSERT(accept(u, &info, &r) == SEC_GPI_GOOD);
        CU_ASSERT(sec_aka_seen_highest(sec_usim_seen(u)) == (seq << SEC_AKA_IND_BITS | IND));
    }
    CU_ASSERT(sec_keyserver_reserved(s, IMPI, 60, 70) == ERR_OK);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_OK);
    CU_ASSERT(sec_keyserver_reserved(s, IMPI, 80, 90) == ERR_OK); /* a gap: the rest is given up */
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_OK && accept(u, &info, &r) == SEC_GPI_GOOD);
    CU_ASSERT(sec_aka_seen_highest(sec_usim_seen(u)) == (80 << SEC_AKA_IND_BITS | IND));
    sec_usim_free(&u);
    sec_keyserver_free(&s);
}

static void test_numbers_end(void)
{
    const uint64_t last = (UINT64_C(1) << 43) - 1;
    struct sec_keyserver *s = server_of(SEC_AKA_PLAIN, (last - 1) << SEC_AKA_IND_BITS);
    struct sec_push_request q = request_test();
    struct sec_push_info info;

    CU_ASSERT(sec_keyserver_reserved(s, IMPI, last, last + 1) == ERR_OK);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_OK);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_LATE);
    sec_keyserver_free(&s);
}

/* The terminal was elsewhere: AUTS, numbers anew, and the next GPI is good. */
static void test_resynchronisation(void)
{
    struct sec_keyserver *s = server_of(SEC_AKA_PLAIN, 0);
    struct sec_aka_seen seen = {
        .seq = {[3] = 5000},
    };
    struct sec_usim *u = usim_of(SEC_AKA_PLAIN);
    struct sec_push_request q = request_test();
    struct sec_push_info info;
    struct sec_usim_result r;
    uint64_t from = 0;

    seen.seq[IND] = 4000;
    sec_usim_restore(u, &seen);
    reserve(s, 10);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_OK);
    CU_ASSERT(accept(u, &info, &r) == SEC_GPI_AUTH_SYNC);
    r.auts[13] ^= 1;
    CU_ASSERT(sec_keyserver_resync(s, q.ue, info.rand, r.auts, &from) == ERR_DENIED);
    r.auts[13] ^= 1;
    CU_ASSERT(sec_keyserver_resync(s, SLICE("nobody"), info.rand, r.auts, &from) == ERR_ABSENT && from == 0);
    CU_ASSERT(sec_keyserver_resync(s, q.ue, info.rand, r.auts, &from) == ERR_OK && from == 5001);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_AGAIN);
    CU_ASSERT(sec_keyserver_reserved(s, q.ue, 11, 20) == ERR_EXISTS);
    CU_ASSERT(sec_keyserver_reserved(s, q.ue, from, from + 10) == ERR_OK);
    CU_ASSERT(sec_keyserver_resync(s, q.ue, info.rand, r.auts, &from) ==
              ERR_EXISTS); /* the same AUTS again */
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_OK);
    CU_ASSERT(accept(u, &info, &r) == SEC_GPI_GOOD);
    sec_usim_free(&u);
    sec_keyserver_free(&s);
}

/* We were too far ahead, as after a file with a wrong sqn: back to where the terminal stands, reservations too. */
static void test_resynchronisation_backwards(void)
{
    struct sec_keyserver *s = server_of(SEC_AKA_PLAIN, (SEC_AKA_SEQ_DELTA + 5000) << SEC_AKA_IND_BITS);
    struct sec_aka_seen seen = {.seq = {100}};
    struct sec_usim *u = usim_of(SEC_AKA_PLAIN);
    struct sec_push_request q = request_test();
    struct sec_push_info info;
    struct sec_usim_result r;
    uint64_t from = 0;

    sec_usim_restore(u, &seen);
    reserve(s, 10);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_OK);
    CU_ASSERT(accept(u, &info, &r) == SEC_GPI_AUTH_SYNC);
    CU_ASSERT(sec_keyserver_resync(s, q.ue, info.rand, r.auts, &from) == ERR_OK && from == 101);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_AGAIN);
    CU_ASSERT(sec_keyserver_reserved(s, q.ue, 100, 110) == ERR_EXISTS);
    CU_ASSERT(sec_keyserver_reserved(s, q.ue, 101, 110) == ERR_OK);
    CU_ASSERT(sec_keyserver_push_info(s, &q, NOW, &info) == ERR_OK);
    CU_ASSERT(accept(u, &info, &r) == SEC_GPI_GOOD);
    sec_usim_free(&u);
    sec_keyserver_free(&s);
}

/* A reload: what was reserved goes over, once; a file that says more wins; strangers stay as they are. */
static void test_follow(void)
{
    struct sec_keyserver *before = server_of(SEC_AKA_PLAIN, 0);
    struct sec_keyserver *same = server_of(SEC_AKA_PLAIN, 0);
    struct sec_keyserver *raised = server_of(SEC_AKA_PLAIN, 500 << SEC_AKA_IND_BITS);
    struct sec_keyserver *none = server_empty();
    struct sec_usim *u = usim_of(SEC_AKA_PLAIN);
    struct sec_push_request q = request_test();
    struct sec_push_info info;
    struct sec_usim_result r;
    struct slice impi;
    uint64_t from = 0;

    CU_ASSERT(sec_keyserver_reserved(before, IMPI, 50, 53) == ERR_OK);
    CU_ASSERT(sec_keyserver_push_info(before, &q, NOW, &info) == ERR_OK);
    sec_keyserver_follow(same, none);
    CU_ASSERT(sec_keyserver_push_info(same, &q, NOW, &info) == ERR_AGAIN);
    sec_keyserver_follow(raised, before);
    CU_ASSERT(sec_keyserver_wants(raised, IMPI, &impi, &from) == ERR_OK && from == 501);
    sec_keyserver_follow(same, before);
    CU_ASSERT(sec_keyserver_push_info(before, &q, NOW, &info) == ERR_AGAIN);
    for (uint64_t seq = 51; seq < 53; seq++) {
        CU_ASSERT(sec_keyserver_push_info(same, &q, NOW, &info) == ERR_OK);
        CU_ASSERT(accept(u, &info, &r) == SEC_GPI_GOOD);
        CU_ASSERT(sec_aka_seen_highest(sec_usim_seen(u)) == (seq << SEC_AKA_IND_BITS | IND));
    }
    CU_ASSERT(sec_keyserver_push_info(same, &q, NOW, &info) == ERR_AGAIN);
    CU_ASSERT(sec_keyserver_wants(same, IMPI, &impi, &from) == ERR_OK && from == 53);
    sec_keyserver_free(&before);
    sec_keyserver_free(&same);
    sec_keyserver_free(&raised);
    sec_keyserver_free(&none);
    sec_usim_free(&u);
}

static void test_add_rows(void)
{
    static const char longer[SEC_KEYSERVER_IDENTITY_MAX_N + 1] = "x";
    static const struct slice many[SEC_KEYSERVER_PUBLICS_MAX + 1] = {{"a", 1}};
    struct sec_subscriber rows[8];
    static const enum err want[] = {ERR_LIMIT, ERR_LIMIT,  ERR_LIMIT, ERR_LIMIT,
                                    ERR_LIMIT, ERR_EXISTS, ERR_LIMIT, ERR_OK};
    struct sec_keyserver *s = server_of(SEC_AKA_PLAIN, 0);
    struct slice impi = SLICE_NONE, twice[] = {SLICE("tel:+15550199"), SLICE("tel:+15550100")};
    uint64_t from;

    for (size_t i = 0; i < COUNT(rows); i++) {
        rows[i] = subscriber_test();
        rows[i].impi = SLICE("second@operator.example");
        rows[i].publics_n = 0;
    }
    rows[0].impi = SLICE_NONE;
    rows[1].impi = slice_of(longer, sizeof longer);
    rows[2].k = SLICE("short");
    rows[3].opc = SLICE("short");
    rows[4].publics = many;
    rows[4].publics_n = COUNT(many);
    rows[5].publics = twice; /* the second name is another's */
    rows[5].publics_n = COUNT(twice);
    rows[6].sqn = SEC_AKA_SQN_MAX + 1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(sec_keyserver_add(s, &rows[i]) == want[i]);
        CU_ASSERT(sec_keyserver_count(s) == (want[i] ? 1u : 2u));
        CU_ASSERT(sec_keyserver_wants(s, twice[0], &impi, &from) == ERR_ABSENT); /* nothing of it stays */
    }
    CU_ASSERT(sec_keyserver_wants(s, twice[1], &impi, &from) == ERR_OK && slice_eq(impi, IMPI));
    sec_keyserver_free(&s);
}

static void test_ceilings(void)
{
    struct sec_keyserver_conf none = {0, 0}, slot = {1, SEC_AKA_SLOTS}, one = {1, 0};
    struct sec_subscriber subscriber = subscriber_test();
    struct sec_keyserver *s = NULL;
    struct sec_naf_id id;
    char name[16];

    CU_ASSERT(sec_keyserver_create(&none, &s) == ERR_LIMIT && !s);
    CU_ASSERT(sec_keyserver_create(&slot, &s) == ERR_LIMIT && !s);
    CU_ASSERT_FATAL(sec_keyserver_create(&one, &s) == ERR_OK);
    CU_ASSERT(sec_keyserver_add(s, &subscriber) == ERR_LIMIT && sec_keyserver_count(s) == 0);
    subscriber.publics_n = 0;
    CU_ASSERT(sec_keyserver_add(s, &subscriber) == ERR_OK && sec_keyserver_count(s) == 1);
    CU_ASSERT(sec_keyserver_allow(s, NAF, 0) == ERR_LIMIT);
    CU_ASSERT(sec_keyserver_allow(s, NAF, INT64_MAX) == ERR_LIMIT);
    CU_ASSERT(sec_keyserver_allow(s, SLICE("\x01\x00\x00\x00\x05"), 1) == ERR_MALFORMED);
    CU_ASSERT(sec_keyserver_allow(s, NAF, 1) == ERR_OK);
    CU_ASSERT(sec_keyserver_allow(s, NAF, 1) == ERR_EXISTS);
    for (size_t i = 1; i <= SEC_KEYSERVER_NAFS_MAX; i++) {
        (void)snprintf(name, sizeof name, "naf%zu", i);
        MUST(sec_gba_naf_id(slice_str(name), SEC_GBA_UA_GPL, &id) == ERR_OK);
        CU_ASSERT(sec_keyserver_allow(s, slice_of(id.octets, id.n), 1) ==
                  (i == SEC_KEYSERVER_NAFS_MAX ? ERR_LIMIT : ERR_OK));
    }
    sec_keyserver_free(&s);
    CU_ASSERT(s == NULL);
}

/* --- runs over Ub --- */

#define NOW_MS (NOW * INT64_C(1000))

static bool same_run(const struct sec_keyserver_run *a, const struct sec_keyserver_run *b)
{
    return memcmp(&a->vector, &b->vector, sizeof a->vector) == 0 && a->uicc == b->uicc &&
           a->expires_s == b->expires_s;
}

/* A run is the terminal's, and comes again out of RAND and AUTN alone. */
static void test_run(void)
{
    static const enum sec_aka_star stars[] = {SEC_AKA_PLAIN, SEC_AKA_STAR_SHA256, SEC_AKA_STAR_SHA1};

    for (size_t i = 0; i < COUNT(stars); i++) {
        struct sec_keyserver *s = server_of(stars[i], 0x123456789abc);
        struct sec_usim *u = usim_of(stars[i]);
        struct sec_keyserver_run run, again;
        struct sec_aka_vector theirs;
        uint8_t auts[SEC_AKA_AUTS_N];
        int64_t wait_ms;

        test_row(i);
        CU_ASSERT(sec_keyserver_run(s, IMPI, NOW_MS, 0, &run, &wait_ms) == ERR_AGAIN);
        reserve(s, 2);
        CU_ASSERT(sec_keyserver_run(s, IMPI, NOW_MS, 0, &run, &wait_ms) == ERR_OK);
        CU_ASSERT(run.uicc == (i > 0) && run.expires_s == 0);
        CU_ASSERT(sec_usim_aka(u, run.vector.rand, run.vector.autn, &theirs, auts) ==
                  ERR_EXISTS); /* far ahead */
        CU_ASSERT(sec_keyserver_rerun(s, IMPI, NOW_MS, run.vector.rand, run.vector.autn, &again) == ERR_OK);
        CU_ASSERT(same_run(&run, &again));
        run.vector.autn[3] ^= 1;
        CU_ASSERT(sec_keyserver_rerun(s, IMPI, NOW_MS, run.vector.rand, run.vector.autn, &again) ==
                  ERR_DENIED);
        run.vector.autn[3] ^= 1;
        run.vector.rand[15] ^= 1;
        CU_ASSERT(sec_keyserver_rerun(s, IMPI, NOW_MS, run.vector.rand, run.vector.autn, &again) ==
                  ERR_DENIED);
        sec_usim_free(&u);
        sec_keyserver_free(&s);
    }
}

static void test_run_refusals(void)
{
    struct sec_keyserver *s = server_empty();
    struct sec_subscriber c = subscriber_test();
    struct sec_keyserver_run run = {.expires_s = -7};
    uint8_t zero[SEC_AKA_AUTN_N] = {0};
    int64_t wait_ms = -7;

    c.expires_s = NOW;
    CU_ASSERT(sec_keyserver_add(s, &c) == ERR_OK);
    reserve(s, 100);
    CU_ASSERT(sec_keyserver_run(s, SLICE("nobody@x"), NOW_MS, 0, &run, &wait_ms) == ERR_ABSENT);
    CU_ASSERT(sec_keyserver_run(s, publics[0], NOW_MS, 0, &run, &wait_ms) ==
              ERR_ABSENT); /* a public identity */
    CU_ASSERT(sec_keyserver_run(s, IMPI, NOW_MS, 0, &run, &wait_ms) == ERR_LATE);
    CU_ASSERT(sec_keyserver_rerun(s, IMPI, NOW_MS, zero, zero, &run) == ERR_LATE);
    CU_ASSERT(sec_keyserver_rerun(s, publics[1], 0, zero, zero, &run) == ERR_ABSENT);
    CU_ASSERT(sec_keyserver_knows(s, IMPI, NOW - 1) && !sec_keyserver_knows(s, IMPI, NOW));
    CU_ASSERT(!sec_keyserver_knows(s, publics[0], 0));
    CU_ASSERT(run.expires_s == -7 && wait_ms == -7);
    sec_keyserver_free(&s);
}

/* Whoever knows the name of a subscriber uses up one number a second. */
static void test_runs_are_rationed(void)
{
    struct sec_keyserver *s = server_of(SEC_AKA_PLAIN, 0);
    struct sec_keyserver_run run;
    int64_t wait_ms = 0;

    reserve(s, 1000);
    for (size_t i = 0; i < 10; i++)
        CU_ASSERT(sec_keyserver_run(s, IMPI, NOW_MS, 5, &run, &wait_ms) == ERR_OK);
    CU_ASSERT(sec_keyserver_run(s, IMPI, NOW_MS, 6, &run, &wait_ms) == ERR_LIMIT && wait_ms == 1000);
    CU_ASSERT(sec_keyserver_run(s, IMPI, NOW_MS, 1005, &run, &wait_ms) == ERR_OK);
    CU_ASSERT(sec_keyserver_run(s, IMPI, NOW_MS, 1006, &run, &wait_ms) == ERR_LIMIT);
    sec_keyserver_free(&s);
}

#define THREADS 4
#define EACH    200

static void *take_many(void *arg)
{
    struct sec_push_request q = request_test();
    struct sec_push_info info;
    size_t good = 0;

    for (size_t i = 0; i < EACH; i++)
        good += sec_keyserver_push_info(arg, &q, NOW, &info) == ERR_OK;
    return (void *)(uintptr_t)good;
}

/* Four loops, one subscriber: exactly as many vectors as numbers. */
static void test_threads_share_numbers(void)
{
    struct sec_keyserver *s = server_of(SEC_AKA_PLAIN, 0);
    pthread_t t[THREADS];
    size_t good = 0;
    void *n;

    reserve(s, THREADS * EACH / 2);
    for (size_t i = 0; i < THREADS; i++)
        MUST(pthread_create(&t[i], NULL, take_many, s) == 0);
    for (size_t i = 0; i < THREADS; i++) {
        MUST(pthread_join(t[i], &n) == 0);
        good += (uintptr_t)n;
    }
    CU_ASSERT(good == THREADS * EACH / 2);
    sec_keyserver_free(&s);
}

const struct test_case test_cases[] = {
    {"association", test_association},
    {"gpi_tells_no_key", test_gpi_tells_no_key},
    {"refusal_rows", test_refusal_rows},
    {"lifetime_ceiling", test_lifetime_ceiling},
    {"key_expires", test_key_expires},
    {"numbers_need_a_reservation", test_numbers_need_a_reservation},
    {"numbers_are_those_reserved", test_numbers_are_those_reserved},
    {"numbers_end", test_numbers_end},
    {"resynchronisation", test_resynchronisation},
    {"resynchronisation_backwards", test_resynchronisation_backwards},
    {"follow", test_follow},
    {"add_rows", test_add_rows},
    {"ceilings", test_ceilings},
    {"run", test_run},
    {"run_refusals", test_run_refusals},
    {"runs_are_rationed", test_runs_are_rationed},
    {"threads_share_numbers", test_threads_share_numbers},
    {NULL, NULL},
};
