/* Associations: numbers never repeat, the replay sequences of the profile, the receiver's order of checks. */
#include "security/sa.h"

#include "tests/unit/security/vectors.h"

#define RAND_TEST SLICE("RRRRRRRRRRRRRRRR")
#define KS_TEST   SLICE("0123456789abcdef0123456789abcdef")
#define NOW       1000

static struct sec_sa_conf conf_of(uint8_t window)
{
    return (struct sec_sa_conf){RAND_TEST, SLICE("ptid"), KS_TEST, SLICE("\x02\x01"), 2000, window};
}

static struct sec_sa sa_of(uint8_t window)
{
    struct sec_sa_conf conf = conf_of(window);
    struct sec_sa sa;

    MUST(sec_sa_init(&sa, &conf) == ERR_OK);
    return sa;
}

static void test_init_rows(void)
{
    static const struct {
        struct slice rand, ptid, ks, suites;
        uint8_t window;
        enum err want;
    } rows[] = {
#define R16 SLICE("RRRRRRRRRRRRRRRR")
#define K32 SLICE("0123456789abcdef0123456789abcdef")
        {R16, SLICE("p"), K32, SLICE("\x02\x01"), 0, ERR_OK},
        {R16, SLICE(""), K32, SLICE("\x01\x02\x03\x04\x11\x12"), 64, ERR_OK},
        {SLICE("R"), SLICE("p"), K32, SLICE("\x02"), 0, ERR_MALFORMED},
        {R16, SLICE("p"), SLICE("k"), SLICE("\x02"), 0, ERR_MALFORMED},
        {R16, SLICE("p"), K32, SLICE(""), 0, ERR_MALFORMED},
        {R16, SLICE("p"), K32, SLICE("\x02\x02"), 0, ERR_MALFORMED},
        {R16, SLICE("p"), K32, SLICE("\x02\x05"), 0, ERR_UNSUPPORTED},
        {R16, SLICE("p"), K32, SLICE("\x00"), 0, ERR_UNSUPPORTED},
        {R16, SLICE("p"), K32, SLICE("\x01\x02\x03\x04\x11\x12\x01"), 0, ERR_MALFORMED},
        {R16, SLICE("p"), K32, SLICE("\x02"), 65, ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_sa_conf conf = {rows[i].rand, rows[i].ptid, rows[i].ks, rows[i].suites, 5, rows[i].window};
        struct sec_sa sa = {.expires_s = -1};

        test_row(i);
        CU_ASSERT(sec_sa_init(&sa, &conf) == rows[i].want);
        CU_ASSERT((sa.expires_s == -1) == (rows[i].want != ERR_OK));
        if (!rows[i].want)
            sec_sa_clear(&sa);
    }
}

static void test_numbers_need_a_reservation(void)
{
    struct sec_sa sa = sa_of(0);
    uint32_t sn = 99;

    CU_ASSERT(sec_sa_next_sn(&sa, &sn) == ERR_AGAIN && sn == 99);
    CU_ASSERT(sec_sa_reserved(&sa, 1, 3) == ERR_OK);
    CU_ASSERT(sec_sa_next_sn(&sa, &sn) == ERR_OK && sn == 1);
    CU_ASSERT(sec_sa_left(&sa) == 1);
    CU_ASSERT(sec_sa_reserved(&sa, 3, 5) == ERR_OK); /* ahead of need: 2 is still there */
    CU_ASSERT(sec_sa_next_sn(&sa, &sn) == ERR_OK && sn == 2);
    CU_ASSERT(sec_sa_next_sn(&sa, &sn) == ERR_OK && sn == 3);
    CU_ASSERT(sec_sa_next_sn(&sa, &sn) == ERR_OK && sn == 4);
    CU_ASSERT(sec_sa_next_sn(&sa, &sn) == ERR_AGAIN);
    sec_sa_clear(&sa);
}

static void test_numbers_never_repeat(void)
{
    struct sec_sa sa = sa_of(0);
    uint32_t sn;

    CU_ASSERT(sec_sa_reserved(&sa, 0, 3) == ERR_LIMIT);
    CU_ASSERT(sec_sa_reserved(&sa, 3, 3) == ERR_LIMIT);
    CU_ASSERT(sec_sa_reserved(&sa, 4, 3) == ERR_LIMIT);
    CU_ASSERT(sec_sa_reserved(&sa, 10, 20) ==
              ERR_OK); /* after a restart: what was reserved before is skipped */
    CU_ASSERT(sec_sa_reserved(&sa, 10, 20) == ERR_EXISTS);
    CU_ASSERT(sec_sa_reserved(&sa, 19, 30) == ERR_EXISTS);
    CU_ASSERT(sec_sa_reserved(&sa, 1, 5) == ERR_EXISTS);
    CU_ASSERT(sec_sa_next_sn(&sa, &sn) == ERR_OK && sn == 10);
    CU_ASSERT(sec_sa_reserved(&sa, 100, 102) == ERR_OK); /* a gap: the rest of the old range is given up */
    CU_ASSERT(sec_sa_next_sn(&sa, &sn) == ERR_OK && sn == 100);
    sec_sa_clear(&sa);
}

static void test_numbers_end_closes(void)
{
    struct sec_sa sa = sa_of(0);
    struct slice part = SLICE("x");
    struct buf out;
    uint32_t sn = 0;

    buf_init(&out, 1000);
    CU_ASSERT(sec_sa_reserved(&sa, SEC_SA_SN_END - 1, SEC_SA_SN_END) == ERR_OK);
    CU_ASSERT(sec_sa_next_sn(&sa, &sn) == ERR_OK && sn == UINT32_MAX - 1);
    CU_ASSERT(sec_sa_next_sn(&sa, &sn) == ERR_LATE);
    CU_ASSERT(sec_sa_seal(&sa, SEC_GPL_DOWNLINK, NOW, SLICE_NONE, &part, 1, &out, &sn) == ERR_LATE);
    CU_ASSERT(sec_sa_reserved(&sa, 1, 10) == ERR_EXISTS);
    buf_clear(&out);
    sec_sa_clear(&sa);
}

static void test_replay_sequences(void)
{
    json_t *tree = vectors_load("gpl_a1.json");
    json_t *row, *n;
    size_t i, k;

    json_array_foreach(vectors_list(tree, "replay"), i, row)
    {
        struct sec_sa sa = sa_of((uint8_t)vector_u32(row, "window"));
        json_t *accepted = vectors_list(row, "accepted");

        json_array_foreach(vectors_list(row, "sn"), k, n)
        {
            uint32_t sn = (uint32_t)json_integer_value(n);
            enum err e = sec_sa_replay_check(&sa, sn);

            test_row(i * 100 + k);
            CU_ASSERT(!e == json_is_true(json_array_get(accepted, k)));
            if (!e)
                sec_sa_replay_update(&sa, sn);
        }
        CU_ASSERT(sa.window.high == vector_u32(row, "sn_h"));
        sec_sa_clear(&sa);
    }
    json_decref(tree);
}

/* Against a table of every number seen. */
static void test_replay_naive_twin(void)
{
    static const uint8_t windows[] = {0, 1, 31, 32, 63, 64};
    static bool seen[4000];
    unsigned state = 12345;

    for (size_t w = 0; w < COUNT(windows); w++) {
        struct sec_sa sa = sa_of(windows[w]);
        uint32_t high = 0;

        memset(seen, 0, sizeof seen);
        for (size_t i = 0; i < 20000; i++) {
            uint32_t sn;
            bool ok;

            state = state * 1103515245u + 12345u;
            sn = high + (state >> 16) % 140;
            sn = sn > 70 ? sn - 70 : 0;
            if (sn >= COUNT(seen))
                break;
            ok = sn > high || (sn > 0 && high - sn <= windows[w] && !seen[sn]);
            CU_ASSERT(ok == (sec_sa_replay_check(&sa, sn) == ERR_OK));
            if (!ok)
                continue;
            sec_sa_replay_update(&sa, sn);
            seen[sn] = true;
            high = sn > high ? sn : high;
        }
        CU_ASSERT(sa.window.high == high);
        sec_sa_clear(&sa);
    }
}

/* A jump over the whole window and to its very end. */
static void test_replay_window_edges(void)
{
    struct sec_sa sa = sa_of(64);

    sec_sa_replay_update(&sa, 1);
    sec_sa_replay_update(&sa, 65);
    CU_ASSERT(sec_sa_replay_check(&sa, 1) == ERR_EXISTS);
    CU_ASSERT(sec_sa_replay_check(&sa, 2) == ERR_OK);
    sec_sa_replay_update(&sa, 130);
    CU_ASSERT(sec_sa_replay_check(&sa, 65) == ERR_EXISTS); /* one below the window */
    CU_ASSERT(sec_sa_replay_check(&sa, 66) == ERR_OK);
    CU_ASSERT(sec_sa_replay_check(&sa, 0) == ERR_EXISTS);
    sec_sa_clear(&sa);
}

/* Seals as the gateway would; the message stays in *out. */
static struct sec_gpl_msg sealed(struct sec_sa *sender, struct buf *out)
{
    struct slice part = SLICE("hello");
    struct sec_gpl_msg msg;
    uint32_t sn;

    buf_reset(out, SIZE_MAX);
    MUST(sec_sa_seal(sender, SEC_GPL_DOWNLINK, NOW, SLICE_NONE, &part, 1, out, &sn) == ERR_OK);
    MUST(sec_gpl_parse(buf_slice(out), &msg) == ERR_OK && msg.sn == sn);
    return msg;
}

static void test_open_in_order(void)
{
    struct sec_sa sender = sa_of(0), terminal = sa_of(0);
    struct sec_gpl_msg msg, other;
    struct buf out, plain;

    buf_init(&out, 1000);
    buf_init(&plain, 1000);
    CU_ASSERT(sec_sa_reserved(&sender, 1, 10) == ERR_OK);
    msg = sealed(&sender, &out);

    CU_ASSERT(sec_sa_open(&terminal, SEC_GPL_UPLINK, NOW, &msg, &plain) == ERR_ABSENT);
    other = msg;
    other.said = SLICE("SSSSSSSSSSSSSSSS");
    CU_ASSERT(sec_sa_open(&terminal, SEC_GPL_DOWNLINK, NOW, &other, &plain) == ERR_ABSENT);
    CU_ASSERT(sec_sa_open(&terminal, SEC_GPL_DOWNLINK, 2000, &msg, &plain) == ERR_LATE);
    other = msg;
    other.suite = SEC_GPL_GCM; /* known, but not of this association */
    CU_ASSERT(sec_sa_open(&terminal, SEC_GPL_DOWNLINK, NOW, &other, &plain) == ERR_UNSUPPORTED);
    CU_ASSERT(plain.n == 0);

    CU_ASSERT(sec_sa_open(&terminal, SEC_GPL_DOWNLINK, 1999, &msg, &plain) == ERR_OK);
    TEST_SLICE_EQ(buf_slice(&plain), SLICE("hello"));
    CU_ASSERT(sec_sa_open(&terminal, SEC_GPL_DOWNLINK, NOW, &msg, &plain) == ERR_EXISTS);
    msg = sealed(&sender, &out);
    out.p[out.n - 1] ^= 1;
    CU_ASSERT(sec_sa_open(&terminal, SEC_GPL_DOWNLINK, NOW, &msg, &plain) == ERR_DENIED);
    CU_ASSERT(terminal.window.high == 1); /* a bad tag moves nothing */
    out.p[out.n - 1] ^= 1;
    CU_ASSERT(sec_sa_open(&terminal, SEC_GPL_DOWNLINK, NOW, &msg, &plain) == ERR_OK);
    CU_ASSERT(terminal.window.high == 2);
    buf_clear(&out);
    buf_clear(&plain);
    sec_sa_clear(&sender);
    sec_sa_clear(&terminal);
}

static void test_seal_refused(void)
{
    struct sec_sa_conf conf = conf_of(0);
    struct slice part = SLICE("x");
    struct sec_sa sa;
    struct buf out;
    uint32_t sn = 7;

    buf_init(&out, 1000);
    conf.ptid = SLICE_NONE;
    CU_ASSERT_FATAL(sec_sa_init(&sa, &conf) == ERR_OK);
    CU_ASSERT(sec_sa_seal(&sa, SEC_GPL_UPLINK, NOW, SLICE_NONE, &part, 1, &out, &sn) == ERR_ABSENT);
    CU_ASSERT(sec_sa_seal(&sa, SEC_GPL_DOWNLINK, 2000, SLICE_NONE, &part, 1, &out, &sn) == ERR_LATE);
    CU_ASSERT(sec_sa_seal(&sa, SEC_GPL_DOWNLINK, NOW, SLICE_NONE, &part, 1, &out, &sn) == ERR_AGAIN);
    CU_ASSERT(sn == 7 && out.n == 0);
    buf_clear(&out);
    sec_sa_clear(&sa);
}

/* Dropping derived keys loses nothing; the uplink has its own. */
static void test_keys_come_back(void)
{
    struct sec_sa gateway = sa_of(0), terminal = sa_of(0);
    struct slice ack = SLICE("ack");
    struct sec_gpl_msg msg;
    struct buf out, plain;
    uint32_t sn;

    buf_init(&out, 1000);
    buf_init(&plain, 1000);
    CU_ASSERT(sec_sa_reserved(&terminal, 1, 10) == ERR_OK);
    for (uint32_t i = 1; i <= 2; i++) {
        buf_reset(&out, SIZE_MAX);
        CU_ASSERT(sec_sa_seal(&terminal, SEC_GPL_UPLINK, NOW, SLICE_NONE, &ack, 1, &out, &sn) == ERR_OK);
        CU_ASSERT_FATAL(sec_gpl_parse(buf_slice(&out), &msg) == ERR_OK);
        CU_ASSERT(sec_sa_open(&gateway, SEC_GPL_UPLINK, NOW, &msg, &plain) == ERR_OK);
        sec_sa_keys_drop(&terminal);
        sec_sa_keys_drop(&gateway);
    }
    TEST_SLICE_EQ(buf_slice(&plain), SLICE("ackack"));
    buf_clear(&out);
    buf_clear(&plain);
    sec_sa_clear(&gateway);
    sec_sa_clear(&terminal);
}

const struct test_case test_cases[] = {
    {"init_rows", test_init_rows},
    {"numbers_need_a_reservation", test_numbers_need_a_reservation},
    {"numbers_never_repeat", test_numbers_never_repeat},
    {"numbers_end_closes", test_numbers_end_closes},
    {"replay_sequences", test_replay_sequences},
    {"replay_naive_twin", test_replay_naive_twin},
    {"replay_window_edges", test_replay_window_edges},
    {"open_in_order", test_open_in_order},
    {"seal_refused", test_seal_refused},
    {"keys_come_back", test_keys_come_back},
    {NULL, NULL},
};
