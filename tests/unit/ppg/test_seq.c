/* Numbers for authentication vectors: reserved before they are used, once for all who wait, over reloads and crashes, and
 * from where a terminal says it stands. */
#include "ppg/keys/seq.h"

#include "base/codec.h"
#include "base/mem.h"
#include "security/gba/usim.h"
#include "tests/unit/ppg/core_fix.h"

#define NAF  SLICE("ppg.example.net\x01\x00\x00\x00\x05")
#define NAME SLICE("ppg.example.net")

struct waiting {
    struct ppg_seq_wait wait;
    unsigned told;
    enum err e;
};

static void told(void *arg, enum err e)
{
    struct waiting *w = arg;

    w->told++;
    w->e = e;
}

static struct replay_world *gba_world(const char *name)
{
    struct replay_world *w = fix_world(name, 2, "ok");

    w->net->terminals[0].gba = w->net->terminals[1].gba = true;
    replay_set(w, "files", "subscribers", "subscribers.conf");
    replay_set(w, "key-server", "name", "ppg.example.net");
    fix_start(w);
    return w;
}

static struct sec_keyserver *server_of(struct replay_world *w)
{
    return ppg_config_keyserver(w->cores[0].core.config);
}

static enum err want(struct replay_world *w, const char *ue, struct waiting *who)
{
    who->wait = (struct ppg_seq_wait){.fn = told, .arg = who};
    return ppg_seq_reserve(w->cores[0].core.seq, slice_str(ue), &who->wait);
}

static enum err vector(struct replay_world *w, struct sec_push_info *info)
{
    struct sec_push_request q = {SLICE("+1000"), NAF, SLICE("ptid"), SLICE_NONE, INT64_MAX / 2};

    return sec_keyserver_push_info(server_of(w), &q, REPLAY_START_MS / 1000, info);
}

static size_t operations(const struct replay_world *w)
{
    size_t n = 0;

    LIST_EACH (at, &w->cores[0].core.ops)
        n++;
    return n;
}

/* One reservation serves all who wait, whatever name they use; strangers are told at once. */
static void test_one_for_all(void)
{
    struct replay_world *w = gba_world("seq_one_for_all");
    struct waiting a = {.told = 0}, b = {.told = 0}, c = {.told = 0};
    struct sec_push_info info;

    CU_ASSERT(vector(w, &info) == ERR_AGAIN);
    CU_ASSERT(want(w, "+1000", &a) == ERR_OK && want(w, "user-1@ims.example", &b) == ERR_OK);
    CU_ASSERT(want(w, "+1001", &c) == ERR_OK && want(w, "+1999", &c) == ERR_ABSENT);
    CU_ASSERT(operations(w) == 2 && a.told == 0);
    replay_turn(w);
    CU_ASSERT(a.told == 1 && b.told == 1 && c.told == 1 && a.e == ERR_OK && b.e == ERR_OK && c.e == ERR_OK);
    for (unsigned i = 0; i < PPG_SEQ_RANGE; i++)
        CU_ASSERT(vector(w, &info) == ERR_OK);
    CU_ASSERT(vector(w, &info) == ERR_AGAIN);
    sec_push_info_clear(&info);
    fix_end(w);
}

static void test_store_fails(void)
{
    struct replay_world *w = gba_world("seq_store_fails");
    struct waiting a = {.told = 0};
    struct sec_push_info info;

    w->cut.fails[STORE_SEQ] = true;
    CU_ASSERT(want(w, "+1000", &a) == ERR_OK);
    replay_turn(w);
    CU_ASSERT(a.told == 1 && a.e == ERR_IO && vector(w, &info) == ERR_AGAIN);
    w->cut.fails[STORE_SEQ] = false;
    CU_ASSERT(want(w, "+1000", &a) == ERR_OK);
    replay_turn(w);
    CU_ASSERT(a.told == 2 && a.e == ERR_OK && vector(w, &info) == ERR_OK);
    sec_push_info_clear(&info);
    fix_end(w);
}

/* The SEQ of a vector, as the terminal's module sees it. */
static uint64_t seq_of(struct replay_world *w, struct sec_usim *u)
{
    const struct slice nafs[] = {NAME};
    struct sec_usim_policy policy = {nafs, 1, INT64_MAX / 2, REPLAY_START_MS / 1000};
    struct sec_push_info info;
    struct sec_gpi_msg msg;
    struct sec_usim_result r;

    CU_ASSERT_FATAL(vector(w, &info) == ERR_OK);
    CU_ASSERT_FATAL(sec_gpi_parse(slice_of(info.gpi, info.gpi_n), &msg) == ERR_OK);
    CU_ASSERT_FATAL(sec_usim_accept(u, &msg, &policy, &r) == ERR_OK);
    CU_ASSERT(r.verdict == SEC_GPI_GOOD);
    sec_usim_result_clear(&r);
    sec_push_info_clear(&info);
    return sec_aka_seen_highest(sec_usim_seen(u)) >> SEC_AKA_IND_BITS;
}

static struct sec_usim *usim_of(struct replay_world *w)
{
    char hex[33];
    uint8_t k[SEC_AKA_K_N] = {0};
    struct sec_usim_conf conf = {SLICE("user-1@ims.example"), slice_of(k, sizeof k), slice_of(k, sizeof k),
                                 SEC_AKA_PLAIN};
    struct sec_usim *u = NULL;

    replay_net_k(w->net, &w->net->terminals[0], hex);
    MUST(!codec_unhex(slice_str(hex), k, sizeof k) && !sec_usim_create(&conf, &u));
    return u;
}

static void more(struct replay_world *w)
{
    struct waiting a = {.told = 0};

    CU_ASSERT(want(w, "+1000", &a) == ERR_OK);
    replay_turn(w);
    CU_ASSERT(a.told == 1 && a.e == ERR_OK);
}

/* A reload goes on where it was; a crash skips what was reserved, and repeats nothing. */
static void test_reload_and_crash(void)
{
    struct replay_world *w = gba_world("seq_reload_and_crash");
    struct sec_usim *u = usim_of(w);

    more(w);
    CU_ASSERT(seq_of(w, u) == 1 && seq_of(w, u) == 2);
    CU_ASSERT_FATAL(replay_reload(w));
    CU_ASSERT(seq_of(w, u) == 3);
    CU_ASSERT_FATAL(replay_crash(w, 0));
    more(w);
    CU_ASSERT(seq_of(w, u) == 1 + PPG_SEQ_RANGE);
    sec_usim_free(&u);
    fix_end(w);
}

/* A reload takes the subscriber away while its numbers are on the way. */
static void test_gone_meanwhile(void)
{
    struct replay_world *w = gba_world("seq_gone_meanwhile");
    struct waiting a = {.told = 0};

    CU_ASSERT(want(w, "+1000", &a) == ERR_OK);
    w->net->terminals[0].gba = false;
    CU_ASSERT_FATAL(replay_reload(w));
    replay_turn(w);
    CU_ASSERT(a.told == 1 && a.e == ERR_ABSENT && want(w, "+1000", &a) == ERR_ABSENT);
    fix_end(w);
}

/* The terminal is far ahead: its AUTS moves us, durably; one that is not its own moves nothing. */
static void test_resync(void)
{
    struct replay_world *w = gba_world("seq_resync");
    struct sec_usim *u = usim_of(w);
    struct sec_aka_seen seen = {.seq = {[5] = 1000000}};
    const struct slice nafs[] = {NAME};
    struct sec_usim_policy policy = {nafs, 1, INT64_MAX / 2, REPLAY_START_MS / 1000};
    struct waiting a = {.wait = {.fn = told, .arg = &a}};
    struct sec_push_info info;
    struct sec_gpi_msg msg;
    struct sec_usim_result r;
    struct ppg_seq *seq = w->cores[0].core.seq;

    seen.seq[1] = 1000000; /* our slot */
    sec_usim_restore(u, &seen);
    more(w);
    CU_ASSERT_FATAL(vector(w, &info) == ERR_OK);
    CU_ASSERT_FATAL(sec_gpi_parse(slice_of(info.gpi, info.gpi_n), &msg) == ERR_OK);
    CU_ASSERT(sec_usim_accept(u, &msg, &policy, &r) == ERR_OK && r.verdict == SEC_GPI_AUTH_SYNC);
    r.auts[0] ^= 1;
    CU_ASSERT(ppg_seq_resync(seq, SLICE("+1000"), info.rand, r.auts, &a.wait) == ERR_DENIED);
    r.auts[0] ^= 1;
    CU_ASSERT(ppg_seq_resync(seq, SLICE("+1999"), info.rand, r.auts, &a.wait) == ERR_ABSENT);
    CU_ASSERT(ppg_seq_resync(seq, SLICE("+1000"), info.rand, r.auts, &a.wait) == ERR_OK);
    CU_ASSERT(ppg_seq_resync(seq, SLICE("+1000"), info.rand, r.auts, &a.wait) == ERR_LIMIT);
    replay_turn(w);
    CU_ASSERT(a.told == 1 && a.e == ERR_OK);
    CU_ASSERT(ppg_seq_resync(seq, SLICE("+1000"), info.rand, r.auts, &a.wait) == ERR_EXISTS);
    CU_ASSERT(seq_of(w, u) == 1000001);
    CU_ASSERT_FATAL(replay_crash(w, 0));
    more(w);
    CU_ASSERT(seq_of(w, u) == 1000001 + PPG_SEQ_RANGE);
    sec_usim_free(&u);
    sec_push_info_clear(&info);
    fix_end(w);
}

/* Without subscribers nobody is known. */
static void test_no_key_server(void)
{
    struct replay_world *w = fix_world("seq_no_key_server", 1, "ok");
    struct waiting a = {.wait = {.fn = told, .arg = &a}};
    const uint8_t nothing[SEC_AKA_RAND_N] = {0};

    fix_start(w);
    CU_ASSERT_PTR_NULL(server_of(w));
    CU_ASSERT(want(w, "+1000", &a) == ERR_ABSENT);
    CU_ASSERT(ppg_seq_resync(w->cores[0].core.seq, SLICE("+1000"), nothing, nothing, &a.wait) == ERR_ABSENT);
    fix_end(w);
}

const struct test_case test_cases[] = {
    {"one_for_all", test_one_for_all},
    {"store_fails", test_store_fails},
    {"reload_and_crash", test_reload_and_crash},
    {"gone_meanwhile", test_gone_meanwhile},
    {"resync", test_resync},
    {"no_key_server", test_no_key_server},
    {NULL, NULL},
};
