/* Associations of the gateway's own making, over their life: the first push brings one, later ones use it, through reloads and
 * crashes; modules that are ahead, terminals that forget, refuse or never answer; stores that fail.  The far end has a module
 * of its own and counts it as a breach when a message does not open or a number comes twice. */
#include "ppg/keys/gba.h"

#include <sys/stat.h>
#include "tests/unit/ppg/core_fix.h"

#define TERMINAL SLICE("+1000")

static const struct replay_submit full = {.asked = SEC_LEVEL_FULL, .body_n = 20};

static struct replay_world *gba_world(const char *name)
{
    struct replay_world *w = fix_world(name, 2, "ok");

    w->net->terminals[0].gba = w->net->terminals[1].gba = true;
    replay_set(w, "files", "subscribers", "subscribers.conf");
    replay_set(w, "key-server", "name", "ppg.example.net");
    replay_set(w, "protection", "number-range", "10");
    return w;
}

static struct replay_gba *module_of(struct replay_world *w)
{
    return &w->net->terminals[0].module;
}

static bool delivered(struct replay_world *w, const char *push_id)
{
    (void)fix_submit(w, push_id, "+1000", full);
    replay_run(w, 200, REPLAY_TICK_MS);
    return fix_is(w, push_id, "+1000", ST_DELIVERED, 1000);
}

/* What the store has of the terminal's. */
static size_t kept(struct replay_world *w, bool *confirmed)
{
    struct store_sa_find o = {.terminal = TERMINAL};
    size_t n;

    CU_ASSERT(replay_store(w, &o.op, STORE_SA_FIND) == ERR_OK);
    n = o.n;
    *confirmed = n && o.sas[0].confirmed;
    arena_clear(&o.mem);
    return n;
}

/* Associations outlive the program. */
static void keyring(struct replay_world *w)
{
    char path[400];
    FILE *f;

    replay_set(w, "keyring", "path", "keys");
    replay_set(w, "keyring", "master", "master");
    (void)snprintf(path, sizeof path, "%s/master", test_scratch());
    f = fopen(path, "w");
    CU_ASSERT_FATAL(f && fputs("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", f) > 0 &&
                    fclose(f) == 0 && chmod(path, 0600) == 0);
}

static void test_first_push(void)
{
    struct replay_world *w = gba_world("gba_first_push");
    bool confirmed = false;

    fix_start(w);
    CU_ASSERT(delivered(w, "a") && delivered(w, "b"));
    CU_ASSERT(module_of(w)->made == 1 && module_of(w)->infos == 1);
    CU_ASSERT(w->net->sends[0].sn == 1 && w->net->sends[1].sn == 2);
    CU_ASSERT(kept(w, &confirmed) == 1 && confirmed);
    for (char id[] = "c"; id[0] < 'z'; id[0]++) /* over several ranges of numbers */
        CU_ASSERT(delivered(w, id));
    CU_ASSERT(module_of(w)->made == 1 && module_of(w)->infos == 1);
    fix_end(w);
}

/* Many at once: one association for all. */
static void test_many_wait_for_one(void)
{
    struct replay_world *w = gba_world("gba_many_wait");

    fix_start(w);
    for (char id[] = "a"; id[0] < 'k'; id[0]++)
        (void)fix_submit(w, id, "+1000", full);
    replay_run(w, 500, REPLAY_TICK_MS);
    for (char id[] = "a"; id[0] < 'k'; id[0]++)
        CU_ASSERT(fix_is(w, id, "+1000", ST_DELIVERED, 1000));
    CU_ASSERT(module_of(w)->made == 1 && module_of(w)->infos == 1);
    fix_end(w);
}

/* The same association after a reload and after a crash, without its push info, and numbers that only rise. */
static void test_outlives_reload_and_crash(void)
{
    struct replay_world *w = gba_world("gba_outlives");

    keyring(w);
    fix_start(w);
    CU_ASSERT(delivered(w, "a"));
    CU_ASSERT_FATAL(replay_reload(w));
    CU_ASSERT(delivered(w, "b"));
    CU_ASSERT_FATAL(replay_crash(w, 5000));
    CU_ASSERT(delivered(w, "c"));
    CU_ASSERT(module_of(w)->made == 1 && module_of(w)->infos == 1);
    CU_ASSERT(w->net->sends[0].sn == 1 && w->net->sends[1].sn == 11);
    CU_ASSERT(w->net->sends[2].sn > 5000); /* with the clock, should the store be an old copy */
    fix_end(w);
}

/* Without a keyring a reload goes on, and a crash makes another. */
static void test_without_keyring(void)
{
    struct replay_world *w = gba_world("gba_without_keyring");

    fix_start(w);
    CU_ASSERT(delivered(w, "a"));
    CU_ASSERT_FATAL(replay_reload(w));
    CU_ASSERT(delivered(w, "b") && module_of(w)->made == 1);
    CU_ASSERT_FATAL(replay_crash(w, 0));
    CU_ASSERT(delivered(w, "c") && module_of(w)->made == 2);
    fix_end(w);
}

/* As long as nobody says that it was taken, the push info rides along, after a crash too. */
static void test_rides_along(void)
{
    struct replay_world *w = gba_world("gba_rides_along");

    w->net->terminals[0].datagrams = true;
    fix_start(w);
    CU_ASSERT(delivered(w, "a") && delivered(w, "b"));
    CU_ASSERT(module_of(w)->made == 1 && module_of(w)->infos == 2);
    fix_end(w);
}

/* "Taken" over a way that anybody can write on shows nothing; a message under the association's keys does, and does so
 * after a restart too. */
static void test_uplink_confirms(void)
{
    struct replay_world *w = gba_world("gba_uplink_confirms");
    bool confirmed = true;

    keyring(w);
    module_of(w)->mute = true;
    fix_start(w);
    CU_ASSERT(delivered(w, "a") && delivered(w, "b"));
    CU_ASSERT(module_of(w)->infos == 2 && kept(w, &confirmed) == 1 && !confirmed);
    CU_ASSERT_FATAL(replay_crash(w, 5000));
    CU_ASSERT(delivered(w, "c") && module_of(w)->infos == 3);
    module_of(w)->mute = false;
    CU_ASSERT(delivered(w, "d") && module_of(w)->infos == 4);
    CU_ASSERT(kept(w, &confirmed) == 1 && confirmed);
    CU_ASSERT_FATAL(replay_crash(w, 5000));
    CU_ASSERT(delivered(w, "e") && module_of(w)->infos == 4 && module_of(w)->made == 1);
    fix_end(w);
}

/* What is not under its keys, or about another push, is counted and changes nothing: the push is delivered. */
static void test_forged_confirmations(void)
{
    const struct log_conf quiet = {.level = LOG_ERROR, .format = LOG_TEXT, .fd = -1};
    struct replay_world *w = gba_world("gba_forged_confirmations");
    bool confirmed = true;

    module_of(w)->forges = true;
    fix_start(w);
    MUST(log_create(&quiet, &clk_real, &w->shared.log) == ERR_OK);
    CU_ASSERT(delivered(w, "a") && delivered(w, "b"));
    CU_ASSERT(module_of(w)->infos == 2 && kept(w, &confirmed) == 1 && !confirmed);
    CU_ASSERT(log_count(w->shared.log, "sa.confirm.refused") == 2);
    CU_ASSERT(log_count(w->shared.log, "sa.confirmed") == 0);
    module_of(w)->forges = false;
    module_of(w)->errs = true; /* good keys, and of another push */
    CU_ASSERT(delivered(w, "c") && delivered(w, "d"));
    CU_ASSERT(log_count(w->shared.log, "sa.confirm.refused") == 4 && kept(w, &confirmed) == 1 && !confirmed);
    module_of(w)->errs = false;
    CU_ASSERT(delivered(w, "e") && kept(w, &confirmed) == 1 && confirmed);
    CU_ASSERT(log_count(w->shared.log, "sa.confirmed") == 1);
    log_free(&w->shared.log);
    fix_end(w);
}

/* Inside TLS that the terminal proved, its answer is its own: it does where the operator says so. */
static void test_delivery_confirms(void)
{
    for (unsigned uplink = 0; uplink < 2; uplink++) {
        struct replay_world *w = gba_world("gba_delivery_confirms");
        bool confirmed = uplink;

        test_row(uplink);
        w->net->terminals[0].tls = true;
        module_of(w)->mute = true;
        replay_set(w, "protection", "message", "always");
        if (uplink)
            replay_set(w, "protection", "confirmation", "uplink");
        fix_start(w);
        CU_ASSERT(delivered(w, "a") && delivered(w, "b"));
        CU_ASSERT(module_of(w)->infos == 1 + uplink);
        CU_ASSERT(kept(w, &confirmed) == 1 && confirmed == !uplink);
        fix_end(w);
    }
}

/* A module that is ahead: the push goes out again within its one attempt, with the next association. */
static void test_resync(void)
{
    struct replay_world *w = gba_world("gba_resync");
    struct sec_aka_seen seen = {.seq = {0}};
    struct replay_state st;

    for (size_t i = 0; i < SEC_AKA_SLOTS; i++)
        seen.seq[i] = 70000;
    fix_start(w);
    sec_usim_restore(replay_net_usim(w->net, &w->net->terminals[0]), &seen);
    CU_ASSERT(delivered(w, "a"));
    CU_ASSERT(module_of(w)->made == 1 && module_of(w)->infos == 2 && fix_sent(w, "a") == 2);
    CU_ASSERT(replay_show(w, SLICE("a"), TERMINAL, &st) == ERR_OK && st.tries == 1);
    CU_ASSERT_FATAL(replay_crash(w, 0));
    CU_ASSERT(delivered(w, "b") && module_of(w)->made == 2);
    CU_ASSERT(sec_aka_seen_highest(sec_usim_seen(module_of(w)->usim)) >> SEC_AKA_IND_BITS > 70001);
    fix_end(w);
}

/* A terminal that has lost its association says so, and gets another with the same push. */
static void test_terminal_forgets(void)
{
    struct replay_world *w = gba_world("gba_terminal_forgets");
    bool confirmed;

    fix_start(w);
    CU_ASSERT(delivered(w, "a"));
    module_of(w)->has_sa = false;
    CU_ASSERT(delivered(w, "b") && fix_sent(w, "b") == 2);
    CU_ASSERT(module_of(w)->made == 2 && kept(w, &confirmed) == 1);
    fix_end(w);
}

/* One that does not take any: no content in the clear, no association for each push, and it is left alone for a while. */
static void test_takes_none(void)
{
    struct replay_world *w = gba_world("gba_takes_none");
    struct sec_aka_seen far = {.seq = {0}};
    size_t sends;

    fix_start(w);
    (void)fix_submit(w, "a", "+1000", full);
    for (int i = 0; i < 3 && !fix_sent(w, "a"); i++)
        replay_run(w, 100, REPLAY_TICK_MS);
    replay_run(w, 200, REPLAY_TICK_MS);
    /* From here on the module never meets the key server: it jumps ahead at each step. */
    module_of(w)->has_sa = false;
    for (size_t i = 0; i < SEC_AKA_SLOTS; i++)
        far.seq[i] = (UINT64_C(1) << 43) - 1;
    sec_usim_restore(replay_net_usim(w->net, &w->net->terminals[0]), &far);
    (void)fix_submit(w, "b", "+1000", full);
    replay_run(w, 2000, REPLAY_TICK_MS);
    sends = fix_sent(w, "b");
    CU_ASSERT(!fix_is(w, "b", "+1000", ST_DELIVERED, 1000) && sends >= 2 && sends <= 4);
    CU_ASSERT(module_of(w)->made == 1 && !w->restless);
    fix_end(w);
}

/* It aborts what it cannot authenticate and says nothing of associations: that is its last word. */
static void test_deaf(void)
{
    struct replay_world *w = gba_world("gba_deaf");

    module_of(w)->deaf = true;
    fix_start(w);
    (void)fix_submit(w, "a", "+1000", full);
    replay_run(w, 500, REPLAY_TICK_MS);
    CU_ASSERT(fix_is(w, "a", "+1000", ST_ABORTED, 5027) && fix_sent(w, "a") == 1);
    module_of(w)->deaf = false;
    CU_ASSERT(delivered(w, "b") && module_of(w)->made == 1); /* the same push info rode along */
    fix_end(w);
}

/* A store that fails at any step: the push waits, nothing is sent, and it goes out when the store is well. */
static void test_store_fails(void)
{
    static const enum store_kind kinds[] = {STORE_SA_FIND, STORE_SEQ, STORE_SA_KEEP};

    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct replay_world *w = gba_world("gba_store_fails");

        test_row(i);
        fix_start(w);
        w->cut.fails[kinds[i]] = true;
        (void)fix_submit(w, "a", "+1000", full);
        (void)fix_submit(w, "b", "+1000", full);
        replay_run(w, 200, REPLAY_TICK_MS);
        CU_ASSERT(!w->restless && w->net->sends_n == 0 && fix_is(w, "a", "+1000", ST_WAITING, 0));
        w->cut.fails[kinds[i]] = false;
        replay_run(w, 10000, REPLAY_TICK_MS);
        CU_ASSERT(fix_is(w, "a", "+1000", ST_DELIVERED, 1000) && fix_is(w, "b", "+1000", ST_DELIVERED, 1000));
        CU_ASSERT(module_of(w)->made == 1);
        fix_end(w);
    }
}

/* A reload at each step on the way to the first push: it arrives all the same, and nothing is used twice. */
static void test_reload_at_each_step(void)
{
    for (unsigned step = 0; step < 8; step++) {
        struct replay_world *w = gba_world("gba_reload_at_each_step");

        test_row(step);
        fix_start(w);
        (void)fix_submit(w, "a", "+1000", full);
        for (unsigned i = 0; i < step; i++) {
            ppg_core_flush(&w->cores[0].core);
            if (store_turn(w->shared.store))
                ppg_core_done(&w->cores[0].core, &w->cores[0].done);
        }
        CU_ASSERT_FATAL(replay_reload(w));
        replay_run(w, 6000, REPLAY_TICK_MS);
        CU_ASSERT(fix_is(w, "a", "+1000", ST_DELIVERED, 1000) && delivered(w, "b"));
        CU_ASSERT(module_of(w)->made <= 2);
        fix_end(w);
    }
}

/* Revoked: forgotten by both, and the next push brings another. */
static void test_revoke(void)
{
    struct replay_world *w = gba_world("gba_revoke");
    bool confirmed;

    fix_start(w);
    CU_ASSERT(delivered(w, "a"));
    ppg_protect_revoke(w->cores[0].core.protect, TERMINAL);
    ppg_protect_revoke(w->cores[0].core.protect, SLICE("+1999"));
    replay_turn(w);
    CU_ASSERT(kept(w, &confirmed) == 0);
    CU_ASSERT(delivered(w, "b") && module_of(w)->made == 2);
    fix_end(w);
}

/* When a tenth of the life is left a new one is made beside the old, and no push waits for it. */
static void test_refresh(void)
{
    struct replay_world *w = gba_world("gba_refresh");

    replay_set(w, "key-server", "key-lifetime", "1000s");
    fix_start(w);
    CU_ASSERT(delivered(w, "a"));
    replay_run(w, 895000, 5000);
    CU_ASSERT(delivered(w, "b") && module_of(w)->made == 1);
    replay_run(w, 10000, 5000);
    CU_ASSERT(delivered(w, "c") && delivered(w, "d"));
    CU_ASSERT(module_of(w)->made == 2 && module_of(w)->infos == 2);
    replay_run(w, 2000000, 5000); /* long over */
    CU_ASSERT(delivered(w, "e") && module_of(w)->made == 3);
    fix_end(w);
}

/* Whom the key server does not know gets nothing that must be protected; nor when no suite would do. */
static void test_not_offered(void)
{
    struct replay_world *w = gba_world("gba_not_offered");
    const struct ppg_core *c = &w->cores[0].core;

    w->net->terminals[1].gba = false;
    fix_start(w);
    CU_ASSERT(ppg_gba_offers(c, TERMINAL, true) && ppg_gba_offers(c, TERMINAL, false));
    CU_ASSERT(!ppg_gba_offers(c, SLICE("+1001"), false) && !ppg_gba_offers(c, SLICE("+1999"), false));
    (void)fix_submit(w, "a", "+1001", full);
    replay_run(w, 200, REPLAY_TICK_MS);
    CU_ASSERT(fix_is(w, "a", "+1001", ST_UNDELIVERABLE, 2005) && w->net->sends_n == 0);
    replay_set(w, "protection", "suites", "hmac-sha256");
    CU_ASSERT_FATAL(replay_reload(w));
    CU_ASSERT(!ppg_gba_offers(c, TERMINAL, true) && ppg_gba_offers(c, TERMINAL, false));
    (void)fix_submit(w, "b", "+1000", full);
    replay_run(w, 200, REPLAY_TICK_MS);
    CU_ASSERT(fix_is(w, "b", "+1000", ST_UNDELIVERABLE, 2005) && w->net->sends_n == 0);
    fix_end(w);
}

const struct test_case test_cases[] = {
    {"first_push", test_first_push},
    {"many_wait_for_one", test_many_wait_for_one},
    {"outlives_reload_and_crash", test_outlives_reload_and_crash},
    {"without_keyring", test_without_keyring},
    {"rides_along", test_rides_along},
    {"uplink_confirms", test_uplink_confirms},
    {"forged_confirmations", test_forged_confirmations},
    {"delivery_confirms", test_delivery_confirms},
    {"resync", test_resync},
    {"terminal_forgets", test_terminal_forgets},
    {"takes_none", test_takes_none},
    {"deaf", test_deaf},
    {"store_fails", test_store_fails},
    {"reload_at_each_step", test_reload_at_each_step},
    {"revoke", test_revoke},
    {"refresh", test_refresh},
    {"not_offered", test_not_offered},
    {NULL, NULL},
};
