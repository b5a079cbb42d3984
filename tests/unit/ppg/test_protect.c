/* Where content and keys meet: numbers that cannot be reserved, keys that change while somebody waits for numbers, and
 * what an outsider sees.  The far end opens every sealed message and watches its number; the ordinary ways are
 * scenarios of tests/replay. */
#include "ppg/protect.h"

#include <stdio.h>
#include "ota/headers.h"
#include "security/gpl.h"
#include "tests/unit/ppg/core_fix.h"

static const struct replay_submit full = {.asked = SEC_LEVEL_FULL, .body_n = 20};

static struct replay_world *sealed_world(const char *name)
{
    struct replay_world *w = fix_world(name, 1, "ok");

    w->net->terminals[0].sealed = true;
    return w;
}

/* Up to the moment where the attempt has asked for numbers and the store has not heard of it. */
static void run_to_reservation(struct replay_world *w)
{
    ppg_core_flush(&w->cores[0].core);
    MUST(store_turn(w->shared.store));
    ppg_core_done(&w->cores[0].core, &w->cores[0].done);
    CU_ASSERT(!list_empty(&w->cores[0].core.ops));
}

/* Whoever waits hears of the failure once; nothing asks again at once. */
static void test_reservation_fails(void)
{
    struct replay_world *w = sealed_world("reservation_fails");

    fix_start(w);
    w->cut.fails[STORE_NUMBERS] = true;
    (void)fix_submit(w, "a", "+1000", full);
    (void)fix_submit(w, "b", "+1000", full);
    replay_turn(w);
    CU_ASSERT(!w->restless && !replay_busy(w) && w->net->sends_n == 0);
    CU_ASSERT(fix_is(w, "a", "+1000", ST_WAITING, 0));
    w->cut.fails[STORE_NUMBERS] = false;
    replay_run(w, 6000, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 1 && fix_sent(w, "b") == 1);
    fix_end(w);
}

/* A reload without change while numbers are on their way: the range is lost, the push is not. */
static void test_reload_in_reservation(void)
{
    struct replay_world *w = sealed_world("reload_in_reservation");

    replay_set(w, "protection", "number-range", "10");
    fix_start(w);
    (void)fix_submit(w, "a", "+1000", full);
    run_to_reservation(w);
    CU_ASSERT_FATAL(replay_reload(w));
    replay_run(w, 100, REPLAY_TICK_MS);
    CU_ASSERT(fix_is(w, "a", "+1000", ST_DELIVERED, 1000));
    CU_ASSERT(w->net->terminals[0].sn_high == 11);
    fix_end(w);
}

/* The same with another key: the attempt that began before uses the old one, nobody after it does. */
static void test_new_key_in_reservation(void)
{
    struct replay_world *w = sealed_world("new_key_in_reservation");
    size_t breaches;

    fix_start(w);
    (void)fix_submit(w, "a", "+1000", full);
    run_to_reservation(w);
    w->net->terminals[0].key_no = 1;
    CU_ASSERT_FATAL(replay_reload(w));
    replay_run(w, 100, REPLAY_TICK_MS);
    CU_ASSERT(fix_sent(w, "a") == 1);
    breaches = w->net->breaches; /* the far end has the new key only */
    w->net->breaches = 0;
    CU_ASSERT(breaches > 0);
    (void)fix_submit(w, "b", "+1000", full);
    replay_run(w, 100, REPLAY_TICK_MS);
    CU_ASSERT(fix_is(w, "b", "+1000", ST_DELIVERED, 1000));
    fix_end(w);
}

/* The store fails for an association that a reload has set aside meanwhile. */
static void test_orphan_fails(void)
{
    struct replay_world *w = sealed_world("orphan_fails");

    fix_start(w);
    (void)fix_submit(w, "a", "+1000", full);
    run_to_reservation(w);
    w->cut.fails[STORE_NUMBERS] = true;
    CU_ASSERT_FATAL(replay_reload(w));
    replay_turn(w);
    CU_ASSERT(!w->restless && !replay_busy(w) && fix_sent(w, "a") == 0);
    fix_end(w);
}

/* What an outsider sees of a sealed push, and what of one in the clear. */
static void test_outside(void)
{
    struct replay_world *w = sealed_world("outside");
    struct ppg_core *c = &w->cores[0].core;
    struct ppg_push push = {.push_id = SLICE("a"),
                            .content_type = SLICE("text/plain"),
                            .app_id = SLICE("x-wap-application:mms.ua"),
                            .initiator_uri = SLICE("https://pi.example/"),
                            .headers = SLICE("X-Secret: yes\r\n"),
                            .body = SLICE("secret content"),
                            .flags = PPG_AUTHENTICATED | PPG_TRUSTED};
    struct ppg_content content = ppg_content_plain(&push);
    struct ppg_target t = {.push = &push, .id = 7};
    struct sec_policy_out decision = {.seal = false};
    struct ppg_protect_wait wait = {.fn = NULL};
    struct ppg_protected out = {.sn = 0};

    fix_start(w);
    buf_init(&out.head, 65536);
    buf_init(&out.sealed, 65536);
    CU_ASSERT(ppg_protect(c->protect, &t, &content, NULL, &decision, &wait, &out) == ERR_OK);
    TEST_SLICE_EQ(out.body, push.body);
    TEST_SLICE_EQ(ota_header_find(buf_slice(&out.head), SLICE("X-Secret")), SLICE("yes"));
    CU_ASSERT(ota_header_find(buf_slice(&out.head), SLICE("X-Push-Message-ID")).n > 0);
    CU_ASSERT(out.sn == 0);
    content = (struct ppg_content){
        .type = SLICE("application/vnd.wap.sic"), .body = SLICE("made"), .transformed = true};
    push.headers = SLICE("Content-MD5: of the text\r\nX-Secret: yes\r\n");
    buf_reset(&out.head, 65536);
    CU_ASSERT(ppg_protect(c->protect, &t, &content, NULL, &decision, &wait, &out) == ERR_OK);
    TEST_SLICE_EQ(out.body, SLICE("made"));
    TEST_SLICE_EQ(ota_header_find(buf_slice(&out.head), SLICE("Content-Type")), content.type);
    TEST_SLICE_EQ(ota_header_find(buf_slice(&out.head), SLICE("Content-Length")), SLICE("4"));
    TEST_SLICE_EQ(ota_header_find(buf_slice(&out.head), SLICE("X-Secret")), SLICE("yes"));
    CU_ASSERT(ota_header_find(buf_slice(&out.head), SLICE("Content-MD5")).n == 0);
    buf_clear(&out.head);
    buf_clear(&out.sealed);
    fix_end(w);
}

/* Sealed: no inner header and no content outside; without an association or a fitting suite an error, never less. */
static void test_sealed_outside(void)
{
    struct replay_world *w = sealed_world("sealed_outside");
    struct ppg_push push = {.push_id = SLICE("a"),
                            .content_type = SLICE("text/plain"),
                            .headers = SLICE("X-Secret: yes\r\n"),
                            .body = SLICE("secret content")};
    struct ppg_content content = ppg_content_plain(&push);
    struct ppg_target t = {.push = &push, .id = 7};
    struct sec_policy_out decision = {.seal = true, .seal_encrypts = true};
    struct ppg_protect_wait wait = {.fn = NULL};
    struct ppg_protected out = {.sn = 0};
    struct ota_terminal bare = {.port = 1};
    const struct ota_terminal *terminal;

    fix_start(w);
    (void)fix_submit(w, "first", "+1000", full); /* numbers are there then */
    replay_turn(w);
    terminal = ota_registry_find(ppg_config_registry(w->config), SLICE("+1000"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(terminal);
    buf_init(&out.head, 65536);
    buf_init(&out.sealed, 65536);
    CU_ASSERT(ppg_protect(w->cores[0].core.protect, &t, &content, &bare, &decision, &wait, &out) ==
              ERR_ABSENT);
    bare.association = terminal->association;
    bare.association.suites[0] = SEC_GPL_HMAC;
    bare.association.suites_n = 1;
    CU_ASSERT(ppg_protect(w->cores[0].core.protect, &t, &content, &bare, &decision, &wait, &out) ==
              ERR_UNSUPPORTED);
    CU_ASSERT(out.head.n == 0 && out.sealed.n == 0);
    CU_ASSERT(ppg_protect(w->cores[0].core.protect, &t, &content, terminal, &decision, &wait, &out) ==
              ERR_OK);
    CU_ASSERT(out.sn == 2 && out.suite == SEC_GPL_GCM);
    TEST_SLICE_EQ(ota_header_find(buf_slice(&out.head), SLICE("Content-Type")), SLICE(OTA_TYPE_GPL_A1));
    CU_ASSERT(slice_find_slice(buf_slice(&out.head), SLICE("X-Secret")) == SIZE_MAX);
    CU_ASSERT(slice_find_slice(buf_slice(&out.head), SLICE("text/plain")) == SIZE_MAX);
    CU_ASSERT(slice_find_slice(buf_slice(&out.head), SLICE("Message-ID")) == SIZE_MAX);
    CU_ASSERT(slice_find_slice(out.body, SLICE("secret")) == SIZE_MAX);
    buf_clear(&out.head);
    buf_clear(&out.sealed);
    fix_end(w);
}

const struct test_case test_cases[] = {{"reservation_fails", test_reservation_fails},
                                       {"reload_in_reservation", test_reload_in_reservation},
                                       {"new_key_in_reservation", test_new_key_in_reservation},
                                       {"orphan_fails", test_orphan_fails},
                                       {"outside", test_outside},
                                       {"sealed_outside", test_sealed_outside},
                                       {NULL, NULL}};
