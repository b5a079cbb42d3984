/* The registrar: requests in, statuses and header lines out. */
#include "ota/registrar/registrar.h"

#include <stdio.h>
#include <string.h>

#include "ota/sip/reply.h"
#include "ota/sip/uri.h"
#include "tests/unit/harness.h"

#define NOW_S 1794650400

struct fix {
    struct clk_virtual clk;
    struct ota_sip_registrar g;
    struct ota_sip_origin from;
    struct slice domains[2];
    struct buf record, more;
    struct buf login; /* a header line of a user, or empty */
    const char *user, *password;
};

static bool account(void *arg, struct slice user, struct ota_sip_account *out)
{
    (void)arg;
    if (!slice_eq(user, SLICE("alice")) && !slice_eq(user, SLICE("bob")))
        return false;
    *out = (struct ota_sip_account){slice_eq(user, SLICE("bob")) ? SLICE("sip:bob@ppg.example")
                                                                 : SLICE("sip:alice@ppg.example"),
                                    SLICE("open sesame"), slice_eq(user, SLICE("carol"))};
    return true;
}

static void fix_open(struct fix *f)
{
    const struct sec_digest_guard_conf guard = {.nonce_life_ms = 60000, .nonces_max = 100};

    *f = (struct fix){.user = "alice", .password = "open sesame"};
    ota_sip_parser_start();
    clk_virtual_init(&f->clk, (int64_t)NOW_S * 1000);
    f->domains[0] = SLICE("ppg.example");
    f->domains[1] = SLICE("other.example");
    f->g = (struct ota_sip_registrar){.clk = &f->clk.clk,
                                      .domains = f->domains,
                                      .domains_n = 2,
                                      .realm = SLICE("push"),
                                      .app_tag = SLICE("g.oma.pusheventapp"),
                                      .sha256 = true,
                                      .md5 = true,
                                      .expires_min_s = 60,
                                      .expires_s = 3600,
                                      .expires_max_s = 86400,
                                      .account = account};
    CU_ASSERT_FATAL(ota_sip_location_create(&f->clk.clk, 10, &f->g.location) == ERR_OK);
    CU_ASSERT_FATAL(sec_digest_guard_create(&guard, &f->g.guard) == ERR_OK);
    buf_init(&f->record, OTA_SIP_URI_MAX_N);
    buf_init(&f->more, 16384);
    buf_init(&f->login, 4096);
}

static void fix_close(struct fix *f)
{
    ota_sip_location_free(&f->g.location);
    sec_digest_guard_free(&f->g.guard);
    buf_clear(&f->record);
    buf_clear(&f->more);
    buf_clear(&f->login);
}

/* REGISTER uri, for a record, with more header lines. */
static unsigned ask(struct fix *f, const char *uri, const char *to, const char *call_id, unsigned cseq,
                    const char *lines)
{
    struct ota_sip_request r;
    struct ota_sip_unit unit;
    struct ota_sip_answer answer = {.record = &f->record, .more = &f->more};
    struct buf text;
    char request[4096];
    unsigned status;

    (void)snprintf(request, sizeof request,
                   "REGISTER %s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nFrom: "
                   "<%s>;tag=a\r\nTo: <%s>\r\nCall-ID: %s\r\n"
                   "CSeq: %u REGISTER\r\n%.*s%s\r\n",
                   uri, to, to, call_id, cseq, SLICE_FMT(buf_slice(&f->login)), lines);
    buf_init(&text, 2 * OTA_SIP_HEAD_MAX_N);
    CU_ASSERT_FATAL(ota_sip_datagram_read(slice_str(request), &text, &unit) == ERR_OK);
    CU_ASSERT_FATAL(ota_sip_request_read(&unit, NULL, &r) == ERR_OK);
    buf_clear(&text);
    buf_reset(&f->record, OTA_SIP_URI_MAX_N);
    buf_reset(&f->more, 16384);
    status = ota_sip_register(&f->g, &r, &f->from, &answer);
    CU_ASSERT(!buf_err(&f->more));
    ota_sip_request_clear(&r);
    return status;
}

#define DOMAIN "sip:ppg.example"
#define ALICE  "sip:alice@ppg.example"

/* Answers a challenge with the given algorithm. */
static void log_in(struct fix *f, const char *uri, enum sec_digest_algorithm algorithm)
{
    const struct sec_digest_request request = {SLICE("REGISTER"), slice_str(uri), SLICE_NONE, true};
    struct sec_digest_offer offer = {.algorithm = SEC_DIGEST_ALL_COUNT};
    struct sec_digest_response sent;
    struct slice rest, line;
    struct sec_secret ha1;
    struct buf kept;

    buf_reset(&f->login, 4096);
    CU_ASSERT_EQUAL(ask(f, uri, ALICE, "x", 1, ""), 401);
    buf_init(&kept, 16384);
    buf_add(&kept, buf_slice(&f->more));
    rest = buf_slice(&kept);
    while (offer.algorithm != algorithm && slice_cut(rest, '\n', &line, &rest)) {
        line = slice_sub(slice_trim(line), strlen("WWW-Authenticate: "), SIZE_MAX);
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        CU_ASSERT_EQUAL_FATAL(sec_digest_choose(&line, 1, &offer), ERR_OK);
    }
    CU_ASSERT_EQUAL_FATAL(offer.algorithm, algorithm);
    sec_secret_init(&ha1);
    CU_ASSERT_EQUAL(sec_digest_ha1(algorithm, slice_str(f->user), offer.realm, slice_str(f->password), &ha1),
                    ERR_OK);
    buf_add(&f->login, SLICE("Authorization: "));
    CU_ASSERT_EQUAL(
        sec_digest_answer(&offer, slice_str(f->user), &ha1, &request, SLICE("c0ffee"), 1, &f->login, &sent),
        ERR_OK);
    buf_add(&f->login, SLICE("\r\n"));
    sec_secret_clear(&ha1);
    buf_clear(&kept);
}

static unsigned registered(struct fix *f, const char *call_id, unsigned cseq, const char *lines)
{
    log_in(f, DOMAIN, SEC_DIGEST_SHA256);
    return ask(f, DOMAIN, ALICE, call_id, cseq, lines);
}

static void bindings(struct fix *f, const char *want)
{
    struct buf got;

    buf_init(&got, 4096);
    ota_sip_location_print(f->g.location, SLICE(ALICE), &got);
    TEST_SLICE_EQ(buf_slice(&got), slice_str(want));
    buf_clear(&got);
}

/* CPM-01: nobody without credentials, both algorithms with them. */
static void who_it_is(void)
{
    static const enum sec_digest_algorithm algorithms[] = {SEC_DIGEST_SHA256, SEC_DIGEST_MD5};
    struct fix f;

    for (size_t i = 0; i < COUNT(algorithms); i++) {
        test_row(i);
        fix_open(&f);
        CU_ASSERT_EQUAL(ask(&f, DOMAIN, ALICE, "c", 1, "Contact: <sip:a@192.0.2.7>\r\n"), 401);
        CU_ASSERT(slice_find_slice(buf_slice(&f.more), SLICE("algorithm=SHA-256")) <
                  slice_find_slice(buf_slice(&f.more), SLICE("MD5")));
        bindings(&f, "");
        log_in(&f, DOMAIN, algorithms[i]);
        CU_ASSERT_EQUAL(ask(&f, DOMAIN, ALICE, "c", 1, "Contact: <sip:a@192.0.2.7>\r\n"), 200);
        TEST_SLICE_EQ(buf_slice(&f.record), SLICE(ALICE));
        TEST_SLICE_EQ(
            buf_slice(&f.more),
            SLICE("Contact: <sip:a@192.0.2.7>;expires=3600\r\nDate: Sat, 14 Nov 2026 10:00:00 GMT\r\n"));
        CU_ASSERT_EQUAL(ask(&f, DOMAIN, ALICE, "c", 2, ""), 401); /* each count once */
        fix_close(&f);
    }
    fix_open(&f);
    f.g.md5 = false;
    CU_ASSERT_EQUAL(ask(&f, DOMAIN, ALICE, "c", 1, ""), 401);
    CU_ASSERT_EQUAL(slice_find_slice(buf_slice(&f.more), SLICE("MD5")), SIZE_MAX);
    fix_close(&f);
}

static void who_it_is_not(void)
{
    static const struct {
        const char *user, *password, *signed_uri, *to;
        unsigned status;
    } rows[] = {
        {"alice", "open sesame", DOMAIN, ALICE, 200},
        {"alice", "wrong", DOMAIN, ALICE, 401},
        {"mallory", "open sesame", DOMAIN, ALICE, 401},
        {"alice", "open sesame", "sip:other.example", ALICE, 401}, /* signed for another request */
        {"bob", "open sesame", DOMAIN, ALICE, 403},                /* not his (§10.3 step 4) */
        {"bob", "open sesame", DOMAIN, "sip:bob@ppg.example", 200},
        {"alice", "open sesame", DOMAIN, "sip:alice@elsewhere.example", 404},
        {"alice", "open sesame", DOMAIN, "sip:ppg.example", 404},
        {"alice", "open sesame", DOMAIN, "sips:alice@PPG.example;x=y", 200},
        {"alice", "open sesame", DOMAIN, "sip:Alice@ppg.example", 403}, /* users have case */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix f;

        test_row(i);
        fix_open(&f);
        f.user = rows[i].user;
        f.password = rows[i].password;
        log_in(&f, rows[i].signed_uri, SEC_DIGEST_SHA256);
        CU_ASSERT_EQUAL(ask(&f, DOMAIN, rows[i].to, "c", 1, "Contact: <sip:a@192.0.2.7>\r\n"),
                        rows[i].status);
        CU_ASSERT_EQUAL(f.record.n != 0, rows[i].status == 200);
        CU_ASSERT_EQUAL(ota_sip_location_n(f.g.location), rows[i].status == 200 ? 1 : 0);
        fix_close(&f);
    }
}

static void what_is_not_ours(void)
{
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(ask(&f, "sip:elsewhere.example", ALICE, "c", 1, ""), 404);
    CU_ASSERT_EQUAL(ask(&f, DOMAIN, ALICE, "c", 1, "Require: outbound, timer\r\n"), 420);
    TEST_SLICE_EQ(buf_slice(&f.more), SLICE("Unsupported: timer\r\n"));
    fix_close(&f);
}

static void expiries(void)
{
    static const struct {
        const char *lines;
        unsigned status;
        const char *want;
    } rows[] = {
        {"Contact: <sip:a@h>\r\n", 200, "Contact: <sip:a@h>;expires=3600\r\n"},
        {"Contact: <sip:a@h>\r\nExpires: 100\r\n", 200, "Contact: <sip:a@h>;expires=100\r\n"},
        {"Contact: <sip:a@h>;expires=200\r\nExpires: 100\r\n", 200, "Contact: <sip:a@h>;expires=200\r\n"},
        {"Contact: <sip:a@h>;expires=9999999\r\n", 200, "Contact: <sip:a@h>;expires=86400\r\n"},
        {"Contact: <sip:a@h>;expires=soon\r\n", 200, "Contact: <sip:a@h>;expires=3600\r\n"},
        {"Contact: <sip:a@h>;expires=59\r\n", 423, ""},
        {"Contact: <sip:a@h>;expires=60\r\n", 200, "Contact: <sip:a@h>;expires=60\r\n"},
        {"Contact: <sip:a@h>;expires=0\r\n", 200, ""},
        {"Contact: <sip:a@h>, <sip:b@h>;expires=30\r\n", 423, ""}, /* all or nothing */
        {"", 200, ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix f;

        test_row(i);
        fix_open(&f);
        CU_ASSERT_EQUAL(registered(&f, "c", 1, rows[i].lines), rows[i].status);
        if (rows[i].status == 423)
            TEST_SLICE_EQ(buf_slice(&f.more), SLICE("Min-Expires: 60\r\n"));
        bindings(&f, rows[i].want);
        fix_close(&f);
    }
}

static void all_contacts_go(void)
{
    static const struct {
        const char *lines;
        unsigned cseq, status;
    } rows[] = {
        {"Contact: *\r\n", 2, 400},
        {"Contact: *\r\nExpires: 1\r\n", 2, 400},
        {"Contact: *, <sip:c@h>\r\nExpires: 0\r\n", 2, 400},
        {"Contact: *\r\nExpires: 0\r\n", 1, 500}, /* came before */
        {"Contact: *\r\nExpires: 0\r\n", 2, 200},
    };
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(registered(&f, "c", 1, "Contact: <sip:a@h>;expires=100, <sip:b@h>;expires=100\r\n"), 200);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(ota_sip_location_n(f.g.location), 1);
        CU_ASSERT_EQUAL(registered(&f, "c", rows[i].cseq, rows[i].lines), rows[i].status);
    }
    bindings(&f, "");
    fix_close(&f);
}

static void replays_and_strange_contacts(void)
{
    static const struct {
        const char *lines;
        unsigned cseq, status;
    } rows[] = {
        {"Contact: <sip:a@h>;expires=0\r\n", 5, 500},    {"Contact: <sip:a@h>;expires=0\r\n", 4, 500},
        {"Contact: <mailto:a@h>\r\n", 6, 400},           {"Contact: <tel:+1555>\r\n", 6, 400},
        {"Contact: <sip:a@h?Subject=x>\r\n", 6, 400},    {"Contact: <sip:a:secret@h>\r\n", 6, 400},
        {"Contact: <sip:b@h>, <http://h/>\r\n", 6, 400},
    };
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(registered(&f, "c", 5, "Contact: <sip:a@h>;expires=100\r\n"), 200);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(registered(&f, "c", rows[i].cseq, rows[i].lines), rows[i].status);
        bindings(&f, "Contact: <sip:a@h>;expires=100\r\n");
    }
    fix_close(&f);
}

/* One more device than an address may have is forbidden, and not to be tried again; one more address than the gateway keeps is to
 * come later.  Nobody is put out for either. */
static void more_than_there_is_room_for(void)
{
    static char seventeen[1024];
    struct fix f;

    fix_open(&f);
    for (unsigned i = 1; i <= OTA_SIP_BINDINGS_MAX + 1; i++) {
        char line[64];

        test_row(i);
        (void)snprintf(line, sizeof line, "Contact: <sip:a@192.0.2.%u>\r\n", i);
        (void)snprintf(seventeen + strlen(seventeen), sizeof seventeen - strlen(seventeen), "%s", line);
        CU_ASSERT_EQUAL(registered(&f, "c", i, line), i <= OTA_SIP_BINDINGS_MAX ? 200 : 403);
    }
    CU_ASSERT(slice_find_slice(buf_slice(&f.more), SLICE("Warning: 399 ")) != SIZE_MAX);
    CU_ASSERT_EQUAL(registered(&f, "c", 20, "Contact: <sip:a@192.0.2.3>\r\n"), 200); /* one of them */
    CU_ASSERT_EQUAL(registered(&f, "c", 21, seventeen), 403);
    CU_ASSERT_EQUAL(registered(&f, "c", 22, "Contact: <sip:a@192.0.2.3>;expires=0\r\n"), 200);
    CU_ASSERT_EQUAL(registered(&f, "c", 23, "Contact: <sip:a@192.0.2.17>\r\n"), 200);
    CU_ASSERT_EQUAL(registered(&f, "c", 24, "Contact: *\r\nExpires: 0\r\n"), 200);
    bindings(&f, "");
    ota_sip_location_set_max(f.g.location, 0);
    CU_ASSERT_EQUAL(registered(&f, "c", 26, "Contact: <sip:a@192.0.2.1>\r\n"), 503);
    CU_ASSERT(slice_find_slice(buf_slice(&f.more), SLICE("Retry-After: ")) != SIZE_MAX);
    fix_close(&f);
}

/* Each Contact of a request is done behind the one before it, and goes for the one that it is equal to (§10.3 step 7, §19.1.4). */
static void contacts_in_their_order(void)
{
    static const struct {
        const char *lines, *want;
    } rows[] = {
        {"Contact: <sip:a@h>;expires=100, <sip:a@h>;expires=200\r\n", "Contact: <sip:a@h>;expires=200\r\n"},
        {"Contact: <sip:a@h>;expires=100\r\nContact: <sip:a@h>;expires=0\r\n", ""},
        {"Contact: <sip:a@h>;expires=0, <sip:a@h>;expires=100\r\n", "Contact: <sip:a@h>;expires=100\r\n"},
        {"Contact: <sip:a@h>;expires=100, <SIP:%61@H>;expires=200\r\n", "Contact: <SIP:a@H>;expires=200\r\n"},
        {"Contact: <sip:a@h;transport=tcp>;expires=100, <sip:a@H;Transport=TCP>;expires=0\r\n", ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fix f;

        test_row(i);
        fix_open(&f);
        CU_ASSERT_EQUAL(registered(&f, "c", 1, rows[i].lines), 200);
        bindings(&f, rows[i].want);
        fix_close(&f);
    }
}

/* A flow that has moved on does not come back with a request that was overtaken (RFC 5626 §6). */
static void a_flow_that_has_moved_on(void)
{
#define FLOW ";expires=100;+sip.instance=\"<urn:x>\";reg-id=1\r\nSupported: outbound\r\n"
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(registered(&f, "c", 1, "Contact: <sip:a@h>" FLOW), 200);
    CU_ASSERT_EQUAL(registered(&f, "c", 3, "Contact: <sip:b@h>" FLOW), 200);
    CU_ASSERT_EQUAL(registered(&f, "c", 2, "Contact: <sip:c@h>" FLOW), 500);
    bindings(&f, "Contact: <sip:b@h>;expires=100;+sip.instance=\"<urn:x>\";reg-id=1\r\n");
    fix_close(&f);
}

/* The way to the device that was taken down is said again; one of somebody who is not trusted is not (RFC 3327 §5.3). */
static void the_path_is_told(void)
{
    static const char *const lines =
        "Contact: <sip:a@h>;expires=100\r\nSupported: path\r\nPath: <sip:p1;lr>\r\nPath: <sip:p2;lr>\r\n";
    struct slice path = SLICE("\r\nPath: <sip:p1;lr>, <sip:p2;lr>\r\n");
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(registered(&f, "c", 1, lines), 200);
    CU_ASSERT_EQUAL(slice_find_slice(buf_slice(&f.more), SLICE("Path")), SIZE_MAX);
    f.from.trusted = true;
    CU_ASSERT_EQUAL(registered(&f, "c", 2, lines), 200);
    CU_ASSERT_NOT_EQUAL(slice_find_slice(buf_slice(&f.more), path), SIZE_MAX);
    CU_ASSERT_EQUAL(registered(&f, "c", 3, ""), 200); /* a question */
    CU_ASSERT_EQUAL(slice_find_slice(buf_slice(&f.more), SLICE("Path")), SIZE_MAX);
    fix_close(&f);
}

static enum err find(struct fix *f, const char *app, const char *want)
{
    const struct ota_sip_wanted wanted = {.record = SLICE(ALICE), .app = slice_str(app)};
    struct ota_sip_found got = {.contact = ""};
    enum err e = ota_sip_location_find(f->g.location, &wanted, 0, &got);

    CU_ASSERT_STRING_EQUAL(got.contact, want);
    return e;
}

static void what_devices_say_of_themselves(void)
{
    struct fix f;

    fix_open(&f);
    CU_ASSERT_EQUAL(
        registered(
            &f, "c", 1,
            "Contact: <sip:first@h>;q=0.5;methods=\"INVITE, message\";+g.oma.pusheventapp=\"wml.ua,mms.ua\";"
            "+sip.instance=\"<urn:uuid:0f8fad5b>\";reg-id=1\r\n"
            "Contact: <sip:second@h>;q=0.75;+G.oma.PushEventApp=\"wml.ua\"\r\n"
            "Contact: <sip:third@h>;q=1;methods=\"ACK, BYE\";+g.oma.pusheventapp=\"wml.ua\"\r\n"
            "Contact: <sip:fourth@h>\r\n"),
        200);
    CU_ASSERT_EQUAL(find(&f, "wml.ua", "sip:second@h"), ERR_OK);
    CU_ASSERT_EQUAL(find(&f, "mms.ua", "sip:first@h"), ERR_OK);
    CU_ASSERT_EQUAL(find(&f, "push.sia", ""), ERR_UNSUPPORTED);
    fix_close(&f);
}

const struct test_case test_cases[] = {{"who_it_is", who_it_is},
                                       {"who_it_is_not", who_it_is_not},
                                       {"what_is_not_ours", what_is_not_ours},
                                       {"expiries", expiries},
                                       {"all_contacts_go", all_contacts_go},
                                       {"replays_and_strange_contacts", replays_and_strange_contacts},
                                       {"more_than_there_is_room_for", more_than_there_is_room_for},
                                       {"contacts_in_their_order", contacts_in_their_order},
                                       {"a_flow_that_has_moved_on", a_flow_that_has_moved_on},
                                       {"the_path_is_told", the_path_is_told},
                                       {"what_devices_say_of_themselves", what_devices_say_of_themselves},
                                       {NULL, NULL}};
