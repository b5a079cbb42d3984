/* The terminal kit and pushes that bring their own association: the key server at the other end is the real one, its
 * numbers and names are the test's.  Refusals are by reason, and nothing of them is told but where the module stands. */
#include "ota/terminal/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/codec.h"
#include "ota/headers.h"
#include "ota/terminal/kit_state.h"
#include "security/gba/keyserver.h"
#include "security/gba/naf_sa.h"
#include "tests/unit/harness.h"

#define NOW_S INT64_C(1800000000)
#define WEEK  604800
#define K     SLICE("0123456789abcdef")
#define OPC   SLICE("fedcba9876543210")
#define IMPI  SLICE("user@operator.example")
#define NAME  "ppg.operator.example"
#define IND   9

#define INNER(id)                                                                                            \
    "X-Push-Message-ID: " id "\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"                         \
    "X-Wap-Initiator-URI: https://bank.example/\r\nX-Wap-Push-Info: authenticated\r\n\r\nhello"

static const uint8_t suite_octets[] = {SEC_GPL_CTR, SEC_GPL_HMAC};
static const struct sec_naf_sa_conf sender_conf = {.suites = {(const char *)suite_octets, 2}};

struct bench {
    struct sec_keyserver *server;
    struct sec_naf_sa *sender;
    struct kit *kit;
    struct slice naf_id;
    char ptid[8];
    uint8_t said[SEC_SA_RAND_N];
    int64_t now_s;
    struct kit_answer answer;
    struct kit_push push;
    const char *reason;
    struct buf body;
    char tag[9];
};

static struct kit_module module(void)
{
    static const struct slice gateways[] = {{"other.example", 13}, {NAME, sizeof NAME - 1}};

    return (struct kit_module){.impi = IMPI,
                               .k = K,
                               .opc = OPC,
                               .gateways = gateways,
                               .gateways_n = 2,
                               .life_max_s = WEEK,
                               .rate = 5};
}

static struct kit *kit_with(const struct kit_module *m)
{
    const struct kit_conf conf = {
        .accept_app = SLICE("*"), .max_size = 10000, .max_outstanding = 2, .seen_max = 3};
    struct kit *k = NULL;

    CU_ASSERT_FATAL(kit_create(&conf, &k) == ERR_OK);
    if (m)
        CU_ASSERT_FATAL(kit_add_module(k, m) == ERR_OK);
    return k;
}

static struct sec_keyserver *server_at(uint64_t seq, struct slice naf_id)
{
    const struct sec_keyserver_conf conf = {10, IND};
    const struct sec_subscriber s = {.impi = IMPI, .k = K, .opc = OPC, .sqn = seq << SEC_AKA_IND_BITS};
    struct sec_keyserver *server = NULL;

    CU_ASSERT_FATAL(sec_keyserver_create(&conf, &server) == ERR_OK &&
                    sec_keyserver_add(server, &s) == ERR_OK &&
                    sec_keyserver_allow(server, naf_id, 2 * WEEK) == ERR_OK &&
                    sec_keyserver_reserved(server, IMPI, seq + 1, seq + 1000) == ERR_OK);
    return server;
}

static struct slice answered(const struct bench *b, const char *name)
{
    return ota_header_find(buf_slice(&b->answer.headers), slice_str(name));
}

static enum kit_event request(struct bench *b, struct slice method, struct slice type, struct slice tag)
{
    const struct kit_header headers[] = {{SLICE("Content-Type"), type}, {SLICE("X-Wap-CPITag"), tag}};
    const struct kit_request req = {.method = method,
                                    .target = SLICE("/wappush"),
                                    .headers = headers,
                                    .headers_n = COUNT(headers),
                                    .body = buf_slice(&b->body),
                                    .server = SLICE("192.0.2.1"),
                                    .now_s = b->now_s};

    buf_clear(&b->answer.headers);
    return kit_handle(b->kit, &req, &b->answer, &b->push, &b->reason);
}

static void learn_tag(struct bench *b)
{
    CU_ASSERT(request(b, SLICE("OPTIONS"), SLICE("a/b"), SLICE_NONE) == KIT_REGISTERED);
    (void)snprintf(b->tag, sizeof b->tag, "%.*s", SLICE_FMT(answered(b, "X-Wap-CPITag")));
}

static void start_with(struct bench *b, const struct kit_module *m)
{
    *b = (struct bench){.naf_id = SLICE(NAME "\x01\x00\x00\x00\x05"), .now_s = NOW_S};
    buf_init(&b->body, 65536);
    b->kit = kit_with(m);
    learn_tag(b);
    b->server = server_at(0, b->naf_id);
    CU_ASSERT_FATAL(sec_naf_sa_create(&sender_conf, &b->sender) == ERR_OK);
}

static void start(struct bench *b)
{
    struct kit_module m = module();

    start_with(b, &m);
}

static void stop(struct bench *b)
{
    buf_clear(&b->answer.headers);
    buf_clear(&b->body);
    sec_naf_sa_free(&b->sender);
    sec_keyserver_free(&b->server);
    kit_free(&b->kit);
}

/* The gateway takes a fresh association. */
static void associate_for(struct bench *b, int64_t life_s)
{
    const struct sec_push_request q = {IMPI, b->naf_id, slice_of(b->ptid, sizeof b->ptid), SLICE_NONE,
                                       b->now_s + life_s};
    struct sec_push_info info;

    b->ptid[0]++;
    CU_ASSERT_FATAL(sec_keyserver_push_info(b->server, &q, b->now_s, &info) == ERR_OK);
    CU_ASSERT_FATAL(sec_naf_sa_adopt(b->sender, &info, q.ptid, b->now_s) == ERR_OK);
    CU_ASSERT_FATAL(sec_naf_sa_reserved(b->sender, info.rand, 1, 1000) == ERR_OK);
    sec_push_info_clear(&info);
}

static void associate(struct bench *b)
{
    associate_for(b, WEEK);
}

static void seal(struct bench *b, const char *inner)
{
    struct slice part = slice_str(inner);
    uint32_t sn;

    buf_reset(&b->body, 65536);
    CU_ASSERT_FATAL(sec_naf_sa_seal(b->sender, b->now_s, &part, 1, &b->body, b->said, &sn) == ERR_OK);
}

static enum kit_event post(struct bench *b)
{
    return request(b, SLICE("POST"), SLICE("application/x-push-gpl-a1"), slice_str(b->tag));
}

static enum kit_event post_sealed(struct bench *b, const char *inner)
{
    seal(b, inner);
    return post(b);
}

static bool dropped_as(struct bench *b, enum kit_event ev, const char *reason)
{
    bool good = ev == KIT_DROPPED && strcmp(b->reason, reason) == 0 &&
                slice_eq(answered(b, "X-Wap-Push-Status"), SLICE("235"));

    if (!good)
        (void)fprintf(stderr, "event %d, %s, not %s\n", (int)ev, b->reason, reason);
    return good;
}

static struct sec_gpl_msg parsed(const struct bench *b)
{
    struct sec_gpl_msg m;

    CU_ASSERT_FATAL(sec_gpl_parse(buf_slice(&b->body), &m) == ERR_OK);
    return m;
}

/* A new program with what the old one has saved. */
static void restart(struct bench *b, const struct kit_module *m)
{
    struct buf saved, again;

    buf_init(&saved, 65536);
    buf_init(&again, 65536);
    kit_save(b->kit, &saved);
    kit_free(&b->kit);
    b->kit = kit_with(m);
    CU_ASSERT_FATAL(kit_load(b->kit, buf_slice(&saved)) == ERR_OK);
    kit_save(b->kit, &again);
    TEST_SLICE_EQ(buf_slice(&again), buf_slice(&saved));
    buf_wipe(&saved);
    buf_wipe(&again);
    learn_tag(b);
}

/* --- good ones --- */

/* The first push a terminal ever gets brings its association, those behind it use it. */
static void first_push_brings_it(void)
{
    struct bench b;

    start(&b);
    associate(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    CU_ASSERT(b.push.associated && b.push.message_protection == KIT_FULL && b.push.proofs == KIT_PROOF_SEAL);
    TEST_SLICE_EQ(b.push.gateway, SLICE(NAME));
    TEST_SLICE_EQ(b.push.body, SLICE("hello"));
    CU_ASSERT(slice_starts(answered(&b, OTA_SA_HEADER), SLICE("confirmed; gpl=")));
    CU_ASSERT(post_sealed(&b, INNER("2")) == KIT_PUSH && !b.push.associated && b.push.sn == 2);
    CU_ASSERT(parsed(&b).gpi.n > 0); /* not confirmed: it rides along, and costs nothing */
    CU_ASSERT(sec_naf_sa_confirm(b.sender, b.said));
    CU_ASSERT(post_sealed(&b, INNER("3")) == KIT_PUSH && !b.push.associated && b.push.sn == 3);
    CU_ASSERT(parsed(&b).gpi.n == 0 && answered(&b, OTA_SA_HEADER).n == 0);
    TEST_SLICE_EQ(b.push.gateway, SLICE(NAME));
    stop(&b);
}

/* The uplink message of the last answer, opened by the gateway; 0: there is none, or it does not open.  Its number. */
static uint32_t confirmed(struct bench *b, const char *message_id)
{
    struct ota_sa_answer told = ota_sa_answer_parse(answered(b, OTA_SA_HEADER));
    uint8_t by[SEC_SA_RAND_N] = {0};
    struct sec_gpl_msg msg = {.sn = 0};
    struct buf text, want;
    bool good;

    buf_init(&text, 1000);
    buf_init(&want, 1000);
    ota_sa_confirmation_print(slice_str(message_id), &want);
    good = told.word == OTA_SA_CONFIRMED && !sec_gpl_parse(slice_of(told.uplink, told.uplink_n), &msg) &&
           !sec_naf_sa_open(b->sender, b->now_s, &msg, &text, by) &&
           slice_eq(buf_slice(&text), buf_slice(&want)) &&
           slice_eq(slice_of(by, sizeof by), slice_of(b->said, sizeof b->said)) &&
           slice_eq(msg.said, slice_of(b->ptid, sizeof b->ptid));
    buf_clear(&text);
    buf_clear(&want);
    return good ? msg.sn : 0;
}

/* Under the association's keys for the way up, and of the push that it answers, as long as the gateway brings its push info;
 * with a seen one too, for its answer may have been lost.  The gateway takes none twice. */
static void uplink_confirms(void)
{
    struct bench b;

    start(&b);
    associate(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH && confirmed(&b, "1") == 1);
    CU_ASSERT(confirmed(&b, "1") == 0); /* a replay */
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_DUPLICATE && confirmed(&b, "1") == 2);
    CU_ASSERT(post_sealed(&b, INNER("2")) == KIT_PUSH && confirmed(&b, "1") == 0);
    CU_ASSERT(dropped_as(&b, post(&b), "replay") && answered(&b, OTA_SA_HEADER).n == 0);
    CU_ASSERT(post_sealed(&b, "Content-Type: text/plain\r\n\r\nhello") == KIT_PUSH);
    CU_ASSERT(answered(&b, OTA_SA_HEADER).n == 0); /* it has no name */
    CU_ASSERT(post_sealed(&b, "Content-Type text/plain\r\n\r\nhello") == KIT_DROPPED);
    CU_ASSERT(answered(&b, OTA_SA_HEADER).n == 0);
    stop(&b);
}

/* Whatever bit of it changes, it is not the terminal's any more. */
static void uplink_bit_flips(void)
{
    struct ota_sa_answer told;
    uint8_t by[SEC_SA_RAND_N];
    struct sec_gpl_msg msg;
    struct buf text;
    struct bench b;

    start(&b);
    associate(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    told = ota_sa_answer_parse(answered(&b, OTA_SA_HEADER));
    CU_ASSERT_FATAL(told.word == OTA_SA_CONFIRMED && told.uplink_n > 40);
    buf_init(&text, 1000);
    for (size_t i = 0; i < told.uplink_n * 8; i++) {
        told.uplink[i / 8] ^= (uint8_t)(1 << (i % 8));
        test_row(i);
        CU_ASSERT(sec_gpl_parse(slice_of(told.uplink, told.uplink_n), &msg) ||
                  sec_naf_sa_open(b.sender, b.now_s, &msg, &text, by));
        told.uplink[i / 8] ^= (uint8_t)(1 << (i % 8));
    }
    CU_ASSERT(text.n == 0 && confirmed(&b, "1") == 1);
    buf_clear(&text);
    stop(&b);
}

/* After a restart, and with a state that is as old as the association, no number comes twice, and the gateway takes what
 * comes. */
static void uplink_numbers_only_rise(void)
{
    struct kit_module m = module();
    struct buf old;
    struct bench b;
    uint32_t last;

    start(&b);
    associate(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH && confirmed(&b, "1") == 1);
    buf_init(&old, 65536);
    kit_save(b.kit, &old);
    restart(&b, &m);
    CU_ASSERT(post_sealed(&b, INNER("2")) == KIT_PUSH && confirmed(&b, "2") == 2);
    b.now_s += 100;
    CU_ASSERT(post_sealed(&b, INNER("3")) == KIT_PUSH);
    last = confirmed(&b, "3");
    CU_ASSERT(last > 100);
    kit_free(&b.kit);
    b.kit = kit_with(&m);
    CU_ASSERT_FATAL(kit_load(b.kit, buf_slice(&old)) == ERR_OK);
    b.now_s++;
    CU_ASSERT(post_sealed(&b, INNER("4")) == KIT_PUSH && confirmed(&b, "4") > last);
    buf_wipe(&old);
    stop(&b);
}

/* Nothing is spent where nothing is answered; a MESSAGE is answered. */
static void uplink_where_there_is_an_answer(void)
{
    const struct kit_header headers[] = {{SLICE("Content-Type"), SLICE(OTA_TYPE_GPL_A1)}};
    struct kit_request fetched = {.headers = headers, .headers_n = 1};
    struct kit_message message = {.content_type = SLICE(OTA_TYPE_GPL_A1)};
    struct bench b;
    unsigned status;

    start(&b);
    associate(&b);
    seal(&b, INNER("1"));
    fetched.body = buf_slice(&b.body);
    fetched.now_s = message.now_s = b.now_s;
    CU_ASSERT(kit_handle_fetched(b.kit, &fetched, &b.push, &b.reason) == KIT_PUSH);
    buf_clear(&b.answer.headers);
    kit_answer_more(b.kit, &b.answer.headers);
    CU_ASSERT(b.answer.headers.n == 0);
    seal(&b, INNER("2"));
    message.body = buf_slice(&b.body);
    CU_ASSERT(kit_handle_message(b.kit, &message, &status, &b.push, &b.reason) == KIT_PUSH && status == 200);
    buf_init(&b.answer.headers, 1000);
    kit_answer_more(b.kit, &b.answer.headers);
    CU_ASSERT(confirmed(&b, "2") == 1);
    stop(&b);
}

static void replay_is_dropped(void)
{
    struct bench b;

    start(&b);
    associate(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    CU_ASSERT(dropped_as(&b, post(&b), "replay"));
    CU_ASSERT(answered(&b, OTA_SA_HEADER).n == 0);
    stop(&b);
}

/* A program that was killed opens what the gateway seals on, and takes no number, message or GPI twice. */
static void restart_remembers(void)
{
    struct kit_module m = module();
    struct bench b;

    start(&b);
    associate(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    restart(&b, &m);
    CU_ASSERT(dropped_as(&b, post(&b), "replay"));
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_DUPLICATE);
    CU_ASSERT(post_sealed(&b, INNER("2")) == KIT_PUSH && !b.push.associated);
    TEST_SLICE_EQ(b.push.gateway, SLICE(NAME));
    restart(&b, NULL); /* without its module it keeps what that has taken */
    restart(&b, &m);
    sec_keyserver_free(&b.server);
    b.server = server_at(0, b.naf_id);
    associate(&b);
    CU_ASSERT(dropped_as(&b, post_sealed(&b, INNER("3")), "auth-sync"));
    stop(&b);
}

/* A new association, and the one before opens for a minute more. */
static void refreshed(void)
{
    struct sec_naf_sa *old;
    struct bench b;

    start(&b);
    associate(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    old = b.sender;
    CU_ASSERT_FATAL(sec_naf_sa_create(&sender_conf, &b.sender) == ERR_OK);
    associate(&b);
    CU_ASSERT(post_sealed(&b, INNER("2")) == KIT_PUSH && b.push.associated);
    b.now_s += 59;
    {
        struct sec_naf_sa *fresh = b.sender;

        b.sender = old;
        CU_ASSERT(post_sealed(&b, INNER("3")) == KIT_PUSH);
        b.now_s += 1;
        CU_ASSERT(dropped_as(&b, post_sealed(&b, INNER("4")), "expired"));
        TEST_SLICE_EQ(answered(&b, OTA_SA_HEADER), SLICE("unknown"));
        b.sender = fresh;
    }
    CU_ASSERT(post_sealed(&b, INNER("5")) == KIT_PUSH);
    sec_naf_sa_free(&old);
    stop(&b);
}

/* Refreshes without end: what has run out makes room. */
static void many_refreshes(void)
{
    struct bench b;

    start(&b);
    for (int i = 0; i < 3 * KIT_SA_MAX; i++) {
        char inner[300];

        sec_naf_sa_free(&b.sender);
        CU_ASSERT_FATAL(sec_naf_sa_create(&sender_conf, &b.sender) == ERR_OK);
        associate(&b);
        (void)snprintf(inner, sizeof inner, INNER("%d"), i);
        CU_ASSERT(post_sealed(&b, inner) == KIT_PUSH && b.push.associated);
        b.now_s += 30;
    }
    CU_ASSERT(b.kit->assocs_n <= 4);
    stop(&b);
}

/* --- refusals --- */

/* Whatever bit of a push that brings its association changes, it is not delivered; and the wire says no more than where
 * the module stands. */
static void bit_flips_never_deliver(void)
{
    struct kit_module m = module();
    struct bench b;
    size_t bits;

    m.rate = UINT32_MAX;
    start_with(&b, &m);
    associate(&b);
    seal(&b, INNER("1"));
    bits = b.body.n * 8;
    for (size_t i = 0; i < bits; i++) {
        enum kit_event ev;

        kit_free(&b.kit);
        b.kit = kit_with(&m);
        b.body.p[i / 8] ^= (char)(1 << (i % 8));
        ev = post(&b);
        b.body.p[i / 8] ^= (char)(1 << (i % 8));
        if (ev != KIT_DROPPED)
            (void)fprintf(stderr, "bit %zu\n", i);
        CU_ASSERT(ev == KIT_DROPPED && slice_eq(answered(&b, "X-Wap-Push-Status"), SLICE("235")));
    }
    kit_free(&b.kit);
    b.kit = kit_with(&m);
    CU_ASSERT(post(&b) == KIT_PUSH);
    stop(&b);
}

/* Each row changes one thing about the terminal or the gateway. */
static void refusals(void)
{
    static const struct slice other[] = {{"other.example", 13}};
    static const struct {
        const char *reason;
        struct slice k, naf;
        enum sec_aka_star star;
        bool no_module, no_gateways;
        int64_t life_s;
        unsigned flip; /* offset in the GPI plus 1; from the end when above 100 */
    } rows[] = {
        {.reason = "gpi", .no_module = true},
        {.reason = "gpi-policy", .no_gateways = true},
        {.reason = "gpi-policy", .naf = SLICE("stranger.example\x01\x00\x00\x00\x05")},
        {.reason = "gpi-policy", .naf = SLICE(NAME "\x01\x00\x00\x00\x02")}, /* another protocol */
        {.reason = "gpi-policy", .star = SEC_AKA_STAR_SHA256},               /* another kind of module */
        {.reason = "auth-mac", .k = SLICE("another-key-here")},
        {.reason = "gpi-expired", .life_s = WEEK + 100},
        {.reason = "gpi-malformed", .flip = 1}, /* version */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kit_module m = module();
        struct bench b;

        test_row(i);
        m.k = rows[i].k.n ? rows[i].k : m.k;
        m.star = rows[i].star;
        if (rows[i].no_gateways) {
            m.gateways = other;
            m.gateways_n = 1;
        }
        start_with(&b, rows[i].no_module ? NULL : &m);
        if (rows[i].naf.n) {
            sec_keyserver_free(&b.server);
            b.naf_id = rows[i].naf;
            b.server = server_at(0, b.naf_id);
        }
        associate_for(&b, rows[i].life_s ? rows[i].life_s : WEEK);
        seal(&b, INNER("1"));
        if (rows[i].flip)
            b.body.p[(size_t)(parsed(&b).gpi.p - b.body.p) + rows[i].flip - 1] ^= (char)0x80;
        CU_ASSERT(dropped_as(&b, post(&b), rows[i].reason));
        CU_ASSERT(answered(&b, OTA_SA_HEADER).n == 0);
        stop(&b);
    }
}

/* The association that a message names must be the one it brings: nothing is spent on it. */
static void names_another(void)
{
    struct bench b;

    start(&b);
    associate(&b);
    seal(&b, INNER("1"));
    b.body.p[7] ^= 1; /* of the SAID */
    CU_ASSERT(dropped_as(&b, post(&b), "no-sa"));
    b.body.p[7] ^= 1;
    CU_ASSERT(post(&b) == KIT_PUSH && b.push.associated);
    stop(&b);
}

/* An association that nobody has brought: the gateway may know, if it could bring one. */
static void unknown_is_told(void)
{
    struct kit_module m = module();
    struct bench b;

    start(&b);
    associate(&b);
    seal(&b, INNER("1"));
    CU_ASSERT(sec_naf_sa_confirm(b.sender, b.said));
    CU_ASSERT(dropped_as(&b, post_sealed(&b, INNER("2")), "no-sa"));
    TEST_SLICE_EQ(answered(&b, OTA_SA_HEADER), SLICE("unknown"));
    kit_free(&b.kit);
    b.kit = kit_with(NULL);
    CU_ASSERT(dropped_as(&b, post(&b), "no-sa") && answered(&b, OTA_SA_HEADER).n == 0);
    kit_free(&b.kit);
    b.kit = kit_with(&m);
    stop(&b);
}

/* The module is ahead: it says where, the key server moves, and the next association is good. */
static void resynchronisation(void)
{
    const struct sec_aka_seen seen = {.seq = {[3] = 7000, [IND] = 6000}};
    struct ota_sa_answer told;
    struct bench b;
    uint64_t from = 0;

    start(&b);
    sec_usim_restore(b.kit->gba.usim, &seen);
    associate(&b);
    CU_ASSERT(dropped_as(&b, post_sealed(&b, INNER("1")), "auth-sync"));
    told = ota_sa_answer_parse(answered(&b, OTA_SA_HEADER));
    CU_ASSERT(told.word == OTA_SA_RESYNC);
    TEST_SLICE_EQ(slice_of(told.rand, sizeof told.rand), slice_of(b.said, sizeof b.said));
    CU_ASSERT(sec_keyserver_resync(b.server, IMPI, told.rand, told.auts, &from) == ERR_OK && from == 7001);
    CU_ASSERT(sec_keyserver_reserved(b.server, IMPI, from, from + 5) == ERR_OK);
    sec_naf_sa_refuse(b.sender, b.said, b.now_s);
    associate(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH && b.push.associated);
    stop(&b);
}

/* Forged ones cost runs of the module: so many in a minute, and what is there already goes on. */
static void forgeries_are_limited(void)
{
    struct sec_naf_sa *good;
    struct bench b;

    start(&b);
    associate(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    good = b.sender;
    for (int i = 0; i < 8; i++) {
        CU_ASSERT_FATAL(sec_naf_sa_create(&sender_conf, &b.sender) == ERR_OK);
        associate(&b);
        seal(&b, INNER("2"));
        b.body.p[(size_t)(parsed(&b).gpi.p - b.body.p) + 20] ^= 1; /* of AUTN */
        CU_ASSERT(dropped_as(&b, post(&b), i < 5 ? "auth-mac" : "gpi-rate"));
        sec_naf_sa_free(&b.sender);
    }
    b.sender = good;
    CU_ASSERT(post_sealed(&b, INNER("3")) == KIT_PUSH);
    b.now_s += 60;
    CU_ASSERT_FATAL(sec_naf_sa_create(&sender_conf, &b.sender) == ERR_OK);
    associate(&b);
    CU_ASSERT(post_sealed(&b, INNER("4")) == KIT_PUSH && b.push.associated);
    sec_naf_sa_free(&good);
    stop(&b);
}

/* The same name for the way up twice, and the same name of an association from another source. */
static void names_in_use(void)
{
    struct sec_gpl_msg m;
    struct bench b;

    start(&b);
    associate(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    sec_naf_sa_free(&b.sender);
    CU_ASSERT_FATAL(sec_naf_sa_create(&sender_conf, &b.sender) == ERR_OK);
    b.ptid[0]--;
    associate(&b);
    CU_ASSERT(dropped_as(&b, post_sealed(&b, INNER("2")), "gpi-duplicate"));
    sec_naf_sa_free(&b.sender);
    CU_ASSERT_FATAL(sec_naf_sa_create(&sender_conf, &b.sender) == ERR_OK);
    associate(&b);
    seal(&b, INNER("3"));
    m = parsed(&b);
    CU_ASSERT(kit_add_association(b.kit, (const uint8_t *)m.said.p, SLICE("0123456789abcdef0123456789abcdef"),
                                  suite_octets, 2, 0) == ERR_OK);
    CU_ASSERT(dropped_as(&b, post(&b), "gpi-duplicate"));
    stop(&b);
}

static void module_rows(void)
{
    struct kit_module m = module();
    struct slice many[KIT_SERVERS_MAX + 1];
    struct kit *k = kit_with(NULL);

    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = SLICE("a.example");
    m.rate = 0;
    CU_ASSERT(kit_add_module(k, &m) == ERR_LIMIT);
    m = module();
    m.life_max_s = 0;
    CU_ASSERT(kit_add_module(k, &m) == ERR_LIMIT);
    m = module();
    m.gateways = many;
    m.gateways_n = COUNT(many);
    CU_ASSERT(kit_add_module(k, &m) == ERR_LIMIT);
    m = module();
    m.k = SLICE("short");
    CU_ASSERT(kit_add_module(k, &m) == ERR_LIMIT);
    m = module();
    m.impi = SLICE_NONE;
    CU_ASSERT(kit_add_module(k, &m) == ERR_LIMIT);
    m = module();
    CU_ASSERT(kit_add_module(k, &m) == ERR_OK);
    CU_ASSERT(kit_add_module(k, &m) == ERR_EXISTS);
    kit_free(&k);
}

/* A state that is broken anywhere changes nothing; and every octet of a good one counts. */
static void broken_states(void)
{
    static const char *const lines[] = {
        "module\n",
        "module 00\n",
        "module zz\n",
        "made\n",
        "made 00 00 00 1 1 0000000000000000\n",
        "made 14 \n",
        "made  1 1 0\n",
        "modules 1\n",
        "made 00 00 00 1 1 0000000000000000 1 \n",
        "made 00 00 00 1 1 0000000000000000 x 1\n",
    };
    struct kit_module m = module();
    struct buf saved, text;
    struct bench b;

    start(&b);
    associate(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    buf_init(&saved, 65536);
    buf_init(&text, 65536);
    kit_save(b.kit, &saved);
    for (size_t i = 0; i < COUNT(lines); i++) {
        test_row(i);
        buf_reset(&text, 65536);
        buf_add(&text, buf_slice(&saved));
        buf_add_str(&text, lines[i]);
        kit_free(&b.kit);
        b.kit = kit_with(&m);
        CU_ASSERT(kit_load(b.kit, buf_slice(&text)) != ERR_OK);
        CU_ASSERT(b.kit->assocs_n == 0 && !b.kit->gba.has_seen);
    }
    for (size_t i = 0; i < saved.n; i += 7) { /* cut off */
        kit_free(&b.kit);
        b.kit = kit_with(&m);
        if (kit_load(b.kit, slice_of(saved.p, i)) == ERR_OK)
            CU_ASSERT(i == 0 || saved.p[i - 1] == '\n');
    }
    buf_wipe(&saved);
    buf_wipe(&text);
    stop(&b);
}

/* As states were before associations were confirmed: what they tell of one is all that is needed. */
static void older_state_loads(void)
{
    struct kit_module m = module();
    struct buf saved;
    struct slice line;
    struct bench b;
    size_t at;

    start(&b);
    associate(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    buf_init(&saved, 65536);
    kit_save(b.kit, &saved);
    at = slice_find_slice(buf_slice(&saved), SLICE("\nmade ")) + 1;
    line = slice_sub(buf_slice(&saved), at, SIZE_MAX);
    line = slice_sub(line, 0, slice_find(line, '\n'));
    for (unsigned blanks = 0; blanks < 2 && line.n; line.n--) /* the last two words */
        blanks += line.p[line.n - 1] == ' ';
    buf_cut(&saved, at + line.n);
    buf_add_ch(&saved, '\n');
    kit_free(&b.kit);
    b.kit = kit_with(&m);
    CU_ASSERT(kit_load(b.kit, buf_slice(&saved)) == ERR_OK);
    CU_ASSERT(post_sealed(&b, INNER("2")) == KIT_PUSH && !b.push.associated);
    buf_wipe(&saved);
    stop(&b);
}

const struct test_case test_cases[] = {
    {"first_push_brings_it", first_push_brings_it},
    {"uplink_confirms", uplink_confirms},
    {"uplink_bit_flips", uplink_bit_flips},
    {"uplink_numbers_only_rise", uplink_numbers_only_rise},
    {"uplink_where_there_is_an_answer", uplink_where_there_is_an_answer},
    {"older_state_loads", older_state_loads},
    {"replay_is_dropped", replay_is_dropped},
    {"restart_remembers", restart_remembers},
    {"refreshed", refreshed},
    {"many_refreshes", many_refreshes},
    {"bit_flips_never_deliver", bit_flips_never_deliver},
    {"refusals", refusals},
    {"names_another", names_another},
    {"unknown_is_told", unknown_is_told},
    {"resynchronisation", resynchronisation},
    {"forgeries_are_limited", forgeries_are_limited},
    {"names_in_use", names_in_use},
    {"module_rows", module_rows},
    {"broken_states", broken_states},
    {NULL, NULL},
};
