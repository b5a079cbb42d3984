/* The terminal kit: registration, judging pushes sealed and not, replay, duplicates, restart, the terminal's policy. */
#include "ota/terminal/kit.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ota/headers.h"
#include "ota/terminal/kit_state.h"
#include "security/login/digest.h"
#include "tests/unit/harness.h"

#define NOW_S INT64_C(1800000000)
#define KEY   SLICE("0123456789abcdef0123456789abcdef")

static const uint8_t said[16] = "association-0001";
static const uint8_t suites[] = {0x02, 0x01, 0x03, 0x04, 0x11, 0x12};

struct bench {
    struct kit_conf conf;
    struct kit *kit;
    struct sec_sa sender;
    struct kit_header headers[8];
    size_t headers_n;
    struct kit_request req;
    struct kit_answer answer;
    struct kit_push push;
    const char *reason;
    struct buf body;
    char tag[9];
};

static struct kit_conf plain_conf(void)
{
    return (struct kit_conf){.terminal_id = SLICE("4+15550100"),
                             .accept_app = SLICE("*"),
                             .max_size = 10000,
                             .max_outstanding = 2,
                             .seen_max = 3};
}

static void sender_make(struct sec_sa *sa, uint8_t suite, struct slice key)
{
    const struct sec_sa_conf conf = {
        .rand = slice_of(said, 16), .ks = key, .suites = slice_of(&suite, 1), .expires_s = INT64_MAX};

    CU_ASSERT_FATAL(sec_sa_init(sa, &conf) == ERR_OK);
    CU_ASSERT(sec_sa_reserved(sa, 1, 1000) == ERR_OK);
}

static enum kit_event handle(struct bench *b)
{
    enum kit_event ev;

    buf_clear(&b->answer.headers);
    b->req.headers = b->headers;
    b->req.headers_n = b->headers_n;
    ev = kit_handle(b->kit, &b->req, &b->answer, &b->push, &b->reason);
    CU_ASSERT(buf_err(&b->answer.headers) == ERR_OK);
    return ev;
}

static void header(struct bench *b, struct slice name, struct slice value)
{
    b->headers[b->headers_n++] = (struct kit_header){name, value};
}

static struct slice answered(const struct bench *b, const char *name)
{
    return ota_header_find(buf_slice(&b->answer.headers), slice_str(name));
}

static void learn_tag(struct bench *b)
{
    struct slice tag;

    b->req.method = SLICE("OPTIONS");
    b->headers_n = 0;
    CU_ASSERT(handle(b) == KIT_REGISTERED);
    tag = answered(b, "X-Wap-CPITag");
    CU_ASSERT_FATAL(tag.n == 8);
    (void)snprintf(b->tag, sizeof b->tag, "%.*s", SLICE_FMT(tag));
}

static void start_with(struct bench *b, const struct kit_conf *conf)
{
    *b = (struct bench){.conf = *conf};
    buf_init(&b->body, 65536);
    CU_ASSERT_FATAL(kit_create(conf, &b->kit) == ERR_OK);
    CU_ASSERT_FATAL(kit_add_association(b->kit, said, KEY, suites, sizeof suites, 0) == ERR_OK);
    sender_make(&b->sender, 0x02, KEY);
    b->req =
        (struct kit_request){.target = SLICE("/wappush"), .server = SLICE("ppg.example.net"), .now_s = NOW_S};
    if (conf->login_user.n == 0)
        learn_tag(b);
}

static void start(struct bench *b)
{
    struct kit_conf conf = plain_conf();

    start_with(b, &conf);
}

static void stop(struct bench *b)
{
    buf_clear(&b->answer.headers);
    buf_clear(&b->body);
    sec_sa_clear(&b->sender);
    kit_free(&b->kit);
    CU_ASSERT(b->kit == NULL);
}

/* A POST of b->body as it stands. */
static enum kit_event post(struct bench *b, struct slice content_type)
{
    b->req.method = SLICE("POST");
    b->req.body = buf_slice(&b->body);
    b->headers_n = 0;
    header(b, SLICE("Content-Type"), content_type);
    header(b, SLICE("x-wap-cpitag"), slice_str(b->tag));
    header(b, SLICE("X-Wap-Push-Info"), SLICE("authenticated, trusted"));
    return handle(b);
}

static enum kit_event post_embedded(struct bench *b, const char *message)
{
    buf_reset(&b->body, 65536);
    buf_add_str(&b->body, "HTTP/1.1 200 OK\r\n");
    buf_add_str(&b->body, message);
    return post(b, SLICE("application/http"));
}

static void seal(struct bench *b, const char *inner)
{
    struct slice part = slice_str(inner);
    uint32_t sn;

    buf_reset(&b->body, 65536);
    buf_add_str(&b->body, "HTTP/1.1 200 OK\r\nContent-Type: application/x-push-gpl-a1\r\n"
                          "X-Wap-Initiator-URI: https://evil.example/\r\nX-Wap-Push-Info: trusted\r\n\r\n");
    CU_ASSERT(sec_sa_seal(&b->sender, SEC_GPL_DOWNLINK, NOW_S, SLICE_NONE, &part, 1, &b->body, &sn) ==
              ERR_OK);
}

static enum kit_event post_sealed(struct bench *b, const char *inner)
{
    seal(b, inner);
    return post(b, SLICE("application/http"));
}

static const char *status(const struct bench *b)
{
    static char text[8];
    struct slice s = answered(b, "X-Wap-Push-Status");

    (void)snprintf(text, sizeof text, "%.*s", SLICE_FMT(s));
    return text;
}

#define STATUS_IS(b, want) CU_ASSERT(strcmp(status(b), (want)) == 0)
#define REASON_IS(b, want) CU_ASSERT(strcmp((b)->reason, (want)) == 0)

#define INNER(id)                                                                                            \
    "X-Push-Message-ID: " id "\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"                         \
    "X-Wap-Initiator-URI: https://bank.example/\r\nX-Wap-Push-Info: authenticated\r\n\r\nhello"
#define OPEN(id) "X-Push-Message-ID: " id "\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

/* --- registration --- */

static void registration(void)
{
    struct bench b;

    start(&b);
    CU_ASSERT(b.answer.status == 204);
    STATUS_IS(&b, "501");
    TEST_SLICE_EQ(answered(&b, "X-Wap-Push-OTA-Version"), SLICE("1.0"));
    TEST_SLICE_EQ(answered(&b, "X-Wap-Terminal-Id"), SLICE("4+15550100"));
    TEST_SLICE_EQ(answered(&b, "X-Wap-Push-MaxMsgSize"), SLICE("10000"));
    TEST_SLICE_EQ(answered(&b, "X-Wap-Push-Accept-MaxPushReq"), SLICE("2"));
    TEST_SLICE_EQ(answered(&b, "X-Wap-Push-Accept-AppID"), SLICE("*"));
    b.headers_n = 0;
    header(&b, SLICE("X-Wap-CPITag"), slice_str(b.tag));
    CU_ASSERT(handle(&b) == KIT_REGISTERED);
    STATUS_IS(&b, "500");
    CU_ASSERT(answered(&b, "X-Wap-Push-MaxMsgSize").n == 0);
    b.headers[0].value = SLICE("AAAAAA==");
    CU_ASSERT(handle(&b) == KIT_REGISTERED);
    STATUS_IS(&b, "501");
    stop(&b);
}

static void all_it_takes_is_told(void)
{
    static const struct {
        const char *name;
        struct slice want;
    } rows[] = {{"X-Wap-Push-Accept", SLICE("a/b")},
                {"X-Wap-Push-Accept-Charset", SLICE("utf-8")},
                {"X-Wap-Push-Accept-Encoding", SLICE("gzip, br")},
                {"X-Wap-Push-Accept-Language", SLICE("en")}};
    struct kit_conf conf = plain_conf();
    struct bench b, plain;

    start_with(&plain, &conf);
    conf.accept = rows[0].want;
    conf.accept_charset = rows[1].want;
    conf.accept_encoding = rows[2].want;
    conf.accept_language = rows[3].want;
    start_with(&b, &conf);
    CU_ASSERT(strcmp(b.tag, plain.tag) != 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        TEST_SLICE_EQ(answered(&b, rows[i].name), rows[i].want);
    }
    stop(&b);
    stop(&plain);
}

static void tag_follows_the_cpi(void)
{
    struct kit_conf conf = plain_conf(), other = plain_conf();
    struct bench a, same, b;

    other.max_size++;
    start_with(&a, &conf);
    start_with(&same, &conf);
    start_with(&b, &other);
    CU_ASSERT(strcmp(a.tag, same.tag) == 0);
    CU_ASSERT(strcmp(a.tag, b.tag) != 0);
    stop(&a);
    stop(&same);
    stop(&b);
}

static void paths_and_methods(void)
{
    static const struct {
        const char *method, *target;
        unsigned want;
        const char *reason;
    } rows[] = {{"POST", "/", 404, "path"},         {"OPTIONS", "*", 404, "path"},
                {"POST", "/wappush/", 404, "path"}, {"POST", "/wappush?x", 404, "path"},
                {"GET", "/wappush", 405, "method"}, {"post", "/wappush", 405, "method"},
                {"HEAD", "/x", 404, "path"}};
    struct bench b;

    start(&b);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        b.req.method = slice_str(rows[i].method);
        b.req.target = slice_str(rows[i].target);
        CU_ASSERT(handle(&b) == KIT_REFUSED && b.answer.status == rows[i].want);
        REASON_IS(&b, rows[i].reason);
        if (rows[i].want == 405)
            TEST_SLICE_EQ(answered(&b, "Allow"), SLICE("POST, OPTIONS"));
    }
    stop(&b);
}

/* TLS where both sides have it: an offer in the clear is answered with nothing but that. */
static void tls_is_taken_where_it_is_offered(void)
{
    static const struct {
        bool has, inside;
        const char *method, *offer;
        enum kit_event want;
    } rows[] = {
        {true, false, "OPTIONS", "TLS/1.2", KIT_UPGRADE},
        {true, false, "OPTIONS", "h2c, tls/1.0", KIT_UPGRADE},
        {true, false, "OPTIONS", "", KIT_REGISTERED},
        {true, false, "OPTIONS", "h2c", KIT_REGISTERED},
        {true, false, "OPTIONS", "TLS", KIT_REGISTERED},
        {true, false, "OPTIONS", "XTLS/1.2", KIT_REGISTERED},
        {true, true, "OPTIONS", "TLS/1.2", KIT_REGISTERED},
        {false, false, "OPTIONS", "TLS/1.2", KIT_REGISTERED},
        {true, false, "POST", "TLS/1.2", KIT_REFUSED},
        {true, false, "GET", "TLS/1.2", KIT_REFUSED},
    };
    struct kit_conf conf = plain_conf();
    struct bench b;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        conf.calls_tls = rows[i].has;
        start_with(&b, &conf);
        b.headers_n = 0;
        b.req.method = slice_str(rows[i].method);
        b.req.tls = rows[i].inside;
        header(&b, SLICE("Upgrade"), slice_str(rows[i].offer));
        CU_ASSERT(handle(&b) == rows[i].want);
        CU_ASSERT((b.answer.status == 426) == (rows[i].want == KIT_UPGRADE));
        CU_ASSERT((answered(&b, "Upgrade").n != 0) == (rows[i].want == KIT_UPGRADE));
        CU_ASSERT((answered(&b, "X-Wap-Terminal-Id").n != 0) == (rows[i].want == KIT_REGISTERED));
        stop(&b);
    }
}

static void stale_tag_is_told_and_nothing_taken(void)
{
    struct bench b;

    start(&b);
    b.tag[0] ^= 1;
    CU_ASSERT(post_embedded(&b, OPEN("1")) == KIT_REFUSED);
    STATUS_IS(&b, "256");
    CU_ASSERT(answered(&b, "X-Wap-CPITag").n == 8);
    REASON_IS(&b, "stale-tag");
    b.tag[0] ^= 1;
    CU_ASSERT(post_embedded(&b, OPEN("1")) == KIT_PUSH);
    stop(&b);
}

/* --- pushes without a seal --- */

static void open_push_in_clear_proves_nothing(void)
{
    struct bench b;

    start(&b);
    CU_ASSERT(post_embedded(&b,
                            "X-Push-Message-ID: 1\r\nContent-Type: text/plain\r\nX-Wap-Initiator-URI: u\r\n"
                            "X-Wap-Push-Info: trusted\r\n\r\nhello") == KIT_PUSH);
    CU_ASSERT(b.answer.status == 204);
    STATUS_IS(&b, "400");
    CU_ASSERT(!b.push.authenticated && !b.push.trusted && b.push.message_protection == KIT_NONE);
    TEST_SLICE_EQ(b.push.body, SLICE("hello"));
    TEST_SLICE_EQ(b.push.content_type, SLICE("text/plain"));
    TEST_SLICE_EQ(b.push.app_id, SLICE(OTA_APP_DEFAULT));
    TEST_SLICE_EQ(b.push.initiator_uri, SLICE("u"));
    stop(&b);
}

static void flags_count_when_the_transport_is_proved(void)
{
    static const struct {
        bool tls, proved, want;
    } rows[] = {{true, true, true}, {true, false, false}, {false, true, false}, {false, false, false}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench b;

        test_row(i);
        start(&b);
        b.req.tls = rows[i].tls;
        b.req.server_proved = rows[i].proved;
        CU_ASSERT(post_embedded(&b, OPEN("1")) == KIT_PUSH);
        CU_ASSERT(b.push.authenticated == rows[i].want && b.push.trusted == rows[i].want);
        stop(&b);
    }
}

static void direct_form(void)
{
    struct bench b;

    start(&b);
    buf_add_str(&b.body, "hello");
    CU_ASSERT(post(&b, SLICE("text/plain; charset=utf-8")) == KIT_PUSH);
    TEST_SLICE_EQ(b.push.body, SLICE("hello"));
    TEST_SLICE_EQ(b.push.content_type, SLICE("text/plain; charset=utf-8"));
    CU_ASSERT(b.push.message_id.n == 0);
    stop(&b);
}

static void malformed_messages(void)
{
    static const char *const rows[] = {
        "",
        "HTTP/1.1 200 OK",
        "HTTP/1.1 404 No\r\nContent-Type: a/b\r\n\r\nhello",
        "HTTP/2 200 OK\r\nContent-Type: a/b\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 4\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n folded\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nX-Push-Message-ID: a b\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nX-Wap-Application-Id: a b\r\n\r\nhello",
    };
    struct bench b;

    start(&b);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        buf_reset(&b.body, 65536);
        buf_add_str(&b.body, rows[i]);
        CU_ASSERT(post(&b, SLICE("application/http")) == KIT_REFUSED && b.answer.status == 400);
        CU_ASSERT(answered(&b, "X-Wap-Push-Status").n == 0);
    }
    CU_ASSERT(post_embedded(&b, "\r\nhello") == KIT_REFUSED);
    STATUS_IS(&b, "238"); /* no content type */
    stop(&b);
}

/* --- sealed --- */

static void sealed_push_in_every_suite(void)
{
    struct bench b;

    start(&b);
    for (size_t i = 0; i < sizeof suites; i++) {
        bool encrypts = sec_gpl_suite_encrypts(suites[i]);
        struct bench c;

        test_row(i);
        start(&c);
        sec_sa_clear(&c.sender);
        sender_make(&c.sender, suites[i], KEY);
        CU_ASSERT(post_sealed(&c, INNER("1")) == KIT_PUSH);
        STATUS_IS(&c, "400");
        CU_ASSERT(c.push.suite == suites[i] && c.push.sn == 1);
        CU_ASSERT(c.push.message_protection == (encrypts ? KIT_FULL : KIT_INTEGRITY));
        CU_ASSERT(c.push.authenticated && !c.push.trusted); /* the outer flag is not believed */
        TEST_SLICE_EQ(c.push.initiator_uri, SLICE("https://bank.example/"));
        TEST_SLICE_EQ(c.push.body, SLICE("hello"));
        stop(&c);
    }
    stop(&b);
}

/* Whatever octet of a sealed message changes, it is not delivered, the wire does not say why, and the good one still
 * is: nothing has moved. */
static void bit_flips_never_deliver(void)
{
    for (size_t s = 0; s < sizeof suites; s++) {
        size_t start_n;
        struct bench b;

        test_row(s);
        start(&b);
        sec_sa_clear(&b.sender);
        sender_make(&b.sender, suites[s], KEY);
        seal(&b, INNER("1"));
        start_n = slice_find_slice(buf_slice(&b.body), SLICE("\r\n\r\n")) + 4;
        for (size_t i = start_n; i < b.body.n; i++) {
            b.body.p[i] ^= (char)(1 << (i % 8));
            CU_ASSERT(post(&b, SLICE("application/http")) == KIT_DROPPED);
            STATUS_IS(&b, "235");
            b.body.p[i] ^= (char)(1 << (i % 8));
        }
        CU_ASSERT(post(&b, SLICE("application/http")) == KIT_PUSH);
        stop(&b);
    }
}

static void replay_is_dropped(void)
{
    struct bench b;

    start(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    CU_ASSERT(post(&b, SLICE("application/http")) == KIT_DROPPED);
    STATUS_IS(&b, "235");
    REASON_IS(&b, "replay");
    stop(&b);
}

/* Sent again after an ambiguous attempt: a new number, the same message id. */
static void duplicate_is_accepted_once(void)
{
    struct bench b;

    start(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_DUPLICATE);
    STATUS_IS(&b, "400");
    CU_ASSERT(post_sealed(&b, INNER("2")) == KIT_PUSH);
    CU_ASSERT(post_embedded(&b, OPEN("1")) == KIT_PUSH); /* another proof, another id */
    CU_ASSERT(post_embedded(&b, OPEN("1")) == KIT_DUPLICATE);
    stop(&b);
}

/* An unproved push cannot use up the id of a sealed one. */
static void open_push_does_not_shadow_a_sealed_one(void)
{
    struct bench b;

    start(&b);
    CU_ASSERT(post_embedded(&b, OPEN("1")) == KIT_PUSH);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    stop(&b);
}

/* Nor push it out of memory; nor after a state from when all were kept in one. */
static void open_pushes_do_not_make_a_sealed_one_new(void)
{
    struct bench b;
    char text[200];

    start(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(text, sizeof text, "X-Push-Message-ID: o%d\r\nContent-Type: text/plain\r\n\r\nhi", i);
        CU_ASSERT(post_embedded(&b, text) == KIT_PUSH);
    }
    CU_ASSERT(post_embedded(&b, text) == KIT_DUPLICATE);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_DUPLICATE);
    CU_ASSERT(kit_load(b.kit, SLICE("push-terminal-state 1\nid s9\nid co9\nid ca\nid cb\nid cc\nid x\n")) ==
              ERR_OK);
    CU_ASSERT(post_sealed(&b, INNER("9")) == KIT_DUPLICATE);
    CU_ASSERT(post_embedded(&b, text) == KIT_PUSH); /* forgotten for others of its kind */
    stop(&b);
}

static void seals_that_do_not_count(void)
{
    static const uint8_t only_hmac[] = {0x01};
    struct bench b;

    start(&b);
    kit_free(&b.kit);
    CU_ASSERT_FATAL(kit_create(&b.conf, &b.kit) == ERR_OK);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_DROPPED);
    REASON_IS(&b, "no-sa");
    CU_ASSERT(kit_add_association(b.kit, said, KEY, only_hmac, 1, (NOW_S + 10) * INT64_C(1000)) == ERR_OK);
    CU_ASSERT(kit_add_association(b.kit, said, KEY, only_hmac, 1, 0) == ERR_EXISTS);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_DROPPED);
    REASON_IS(&b, "suite");
    sec_sa_clear(&b.sender);
    sender_make(&b.sender, 0x01, SLICE("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_DROPPED);
    REASON_IS(&b, "mac");
    sec_sa_clear(&b.sender);
    sender_make(&b.sender, 0x01, KEY);
    CU_ASSERT(post_sealed(&b, "no header line\r\n\r\n") == KIT_DROPPED);
    REASON_IS(&b, "inner-malformed");
    STATUS_IS(&b, "238");
    seal(&b, INNER("1"));
    b.req.now_s = NOW_S + 10;
    CU_ASSERT(post(&b, SLICE("application/http")) == KIT_DROPPED);
    REASON_IS(&b, "expired");
    b.req.now_s = NOW_S + 9;
    CU_ASSERT(post(&b, SLICE("application/http")) == KIT_PUSH);
    stop(&b);
}

/* Key material that rides along is authentic here, and still not taken: this terminal is provisioned. */
static void embedded_key_material_is_refused(void)
{
    struct slice part = SLICE(INNER("1"));
    struct bench b;
    uint32_t sn;

    start(&b);
    CU_ASSERT(sec_sa_seal(&b.sender, SEC_GPL_DOWNLINK, NOW_S, SLICE("GPI"), &part, 1, &b.body, &sn) ==
              ERR_OK);
    CU_ASSERT(post(&b, SLICE("application/x-push-gpl-a1")) == KIT_DROPPED);
    REASON_IS(&b, "gpi");
    STATUS_IS(&b, "235");
    stop(&b);
}

static void bad_associations(void)
{
    static const uint8_t unknown[] = {0x00}, twice[] = {0x01, 0x01};
    uint8_t other[16] = "other";
    struct bench b;

    start(&b);
    CU_ASSERT(kit_add_association(b.kit, other, SLICE("short"), suites, 1, 0) == ERR_MALFORMED);
    CU_ASSERT(kit_add_association(b.kit, other, KEY, unknown, 1, 0) == ERR_UNSUPPORTED);
    CU_ASSERT(kit_add_association(b.kit, other, KEY, twice, 2, 0) == ERR_MALFORMED);
    CU_ASSERT(kit_add_association(b.kit, other, KEY, suites, 0, 0) == ERR_MALFORMED);
    for (uint8_t i = 1; i < 64; i++) {
        other[0] = i;
        CU_ASSERT(kit_add_association(b.kit, other, KEY, suites, 1, 0) == ERR_OK);
    }
    other[0] = 64;
    CU_ASSERT(kit_add_association(b.kit, other, KEY, suites, 1, 0) == ERR_LIMIT);
    stop(&b);
}

/* --- policy --- */

static void floor_rows(void)
{
    static const struct {
        enum kit_protection floor;
        uint8_t suite; /* 0: open */
        bool tls, proved;
        enum kit_event want;
    } rows[] = {
        {KIT_INTEGRITY, 0, false, false, KIT_DROPPED}, {KIT_INTEGRITY, 0, true, false, KIT_DROPPED},
        {KIT_INTEGRITY, 0, false, true, KIT_DROPPED},  {KIT_INTEGRITY, 0, true, true, KIT_PUSH},
        {KIT_INTEGRITY, 0x01, false, false, KIT_PUSH}, {KIT_FULL, 0x01, false, false, KIT_DROPPED},
        {KIT_FULL, 0x01, true, false, KIT_DROPPED},    {KIT_FULL, 0x01, true, true, KIT_PUSH},
        {KIT_FULL, 0x02, false, false, KIT_PUSH},      {KIT_FULL, 0, true, true, KIT_PUSH},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kit_conf conf = plain_conf();
        struct bench b;
        enum kit_event ev;

        test_row(i);
        conf.floor = rows[i].floor;
        start_with(&b, &conf);
        b.req.tls = rows[i].tls;
        b.req.server_proved = rows[i].proved;
        sec_sa_clear(&b.sender);
        sender_make(&b.sender, rows[i].suite ? rows[i].suite : 0x02, KEY);
        ev = rows[i].suite ? post_sealed(&b, INNER("1")) : post_embedded(&b, OPEN("1"));
        CU_ASSERT(ev == rows[i].want);
        STATUS_IS(&b, ev == KIT_PUSH ? "400" : "235");
        stop(&b);
    }
}

static void trusted_only(void)
{
    struct kit_conf conf = plain_conf();
    struct bench b;

    conf.trusted_only = true;
    start_with(&b, &conf);
    CU_ASSERT(post_embedded(&b, OPEN("1")) == KIT_DROPPED); /* its flag is worth nothing in clear */
    REASON_IS(&b, "untrusted");
    STATUS_IS(&b, "235");
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_DROPPED);
    CU_ASSERT(post_sealed(&b, "Content-Type: a/b\r\nX-Wap-Push-Info: trusted\r\n\r\n") == KIT_PUSH);
    b.req.tls = b.req.server_proved = true;
    CU_ASSERT(post_embedded(&b, OPEN("1")) == KIT_PUSH);
    stop(&b);
}

static void server_list_and_proof(void)
{
    static const struct slice servers[] = {SLICE("other.example.net"), SLICE("PPG.example.net")};
    struct kit_conf conf = plain_conf();
    struct bench b;

    conf.servers = servers;
    conf.servers_n = COUNT(servers);
    conf.server_proof = true;
    start_with(&b, &conf);
    CU_ASSERT(post_embedded(&b, OPEN("1")) == KIT_DROPPED);
    REASON_IS(&b, "server-unproved");
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH); /* the seal is proof enough */
    b.req.server_proved = true;
    CU_ASSERT(post_embedded(&b, OPEN("1")) == KIT_PUSH);
    b.req.server = SLICE("ppg.example.ne");
    CU_ASSERT(post_sealed(&b, INNER("2")) == KIT_DROPPED);
    REASON_IS(&b, "server");
    STATUS_IS(&b, "235");
    b.req.method = SLICE("OPTIONS");
    CU_ASSERT(handle(&b) == KIT_DROPPED); /* nor is it told who we are */
    CU_ASSERT(answered(&b, "X-Wap-Terminal-Id").n == 0 && answered(&b, "X-Wap-CPITag").n == 0);
    stop(&b);
}

static void applications_types_and_size(void)
{
    struct kit_conf conf = plain_conf();
    struct bench b;

    conf.accept_app = SLICE("x-wap-application:wml.ua, b.ua");
    conf.accept = SLICE("text/plain");
    conf.max_size = 100;
    start_with(&b, &conf);
    CU_ASSERT(post_embedded(&b, OPEN("1")) == KIT_PUSH); /* the default application */
    CU_ASSERT(post_embedded(&b, "Content-Type: text/plain;a=b\r\nX-Wap-Application-Id: B.ua\r\n\r\n") ==
              KIT_PUSH);
    CU_ASSERT(post_embedded(&b, "Content-Type: text/plain\r\nX-Wap-Application-Id: c.ua\r\n\r\n") ==
              KIT_DROPPED);
    STATUS_IS(&b, "236");
    CU_ASSERT(post_embedded(&b, "Content-Type: text/html\r\n\r\n") == KIT_DROPPED);
    STATUS_IS(&b, "238");
    buf_reset(&b.body, 65536);
    for (size_t i = 0; i < 101; i++)
        buf_add_ch(&b.body, 'x');
    CU_ASSERT(post(&b, SLICE("text/plain")) == KIT_REFUSED && b.answer.status == 413);
    buf_cut(&b.body, 100);
    CU_ASSERT(post(&b, SLICE("text/plain")) == KIT_PUSH);
    stop(&b);
}

static void login_is_asked_for(void)
{
    struct kit_conf conf = plain_conf();
    struct sec_digest_offer offer;
    struct sec_digest_response sent;
    struct sec_digest_request shown = {SLICE("OPTIONS"), SLICE("/wappush"), SLICE(""), true};
    struct sec_secret ha1;
    struct slice asked;
    struct buf out, kept;
    struct bench b;

    conf.login_user = SLICE("gw");
    conf.login_password = SLICE("secret");
    start_with(&b, &conf);
    b.req.method = SLICE("OPTIONS");
    CU_ASSERT(handle(&b) == KIT_REFUSED && b.answer.status == 401);
    asked = answered(&b, "WWW-Authenticate");
    buf_init(&out, 4096);
    buf_init(&kept, 4096);
    buf_add(&kept, asked);
    asked = buf_slice(&kept);
    CU_ASSERT_FATAL(sec_digest_choose(&asked, 1, &offer) == ERR_OK);
    CU_ASSERT(offer.algorithm == SEC_DIGEST_SHA256);
    sec_secret_init(&ha1);
    CU_ASSERT(sec_digest_ha1(offer.algorithm, SLICE("gw"), offer.realm, SLICE("wrong"), &ha1) == ERR_OK);
    CU_ASSERT(sec_digest_answer(&offer, SLICE("gw"), &ha1, &shown, SLICE("c"), 1, &out, &sent) == ERR_OK);
    header(&b, SLICE("Authorization"), buf_slice(&out));
    CU_ASSERT(handle(&b) == KIT_REFUSED && b.answer.status == 401);
    CU_ASSERT(sec_digest_ha1(offer.algorithm, SLICE("gw"), offer.realm, SLICE("secret"), &ha1) == ERR_OK);
    buf_reset(&out, 4096);
    CU_ASSERT(sec_digest_answer(&offer, SLICE("gw"), &ha1, &shown, SLICE("c"), 2, &out, &sent) == ERR_OK);
    b.headers[0].value = buf_slice(&out);
    CU_ASSERT(handle(&b) == KIT_REGISTERED);
    CU_ASSERT(handle(&b) == KIT_REFUSED && b.answer.status == 401); /* the count was used */
    sec_secret_clear(&ha1);
    buf_clear(&out);
    buf_clear(&kept);
    stop(&b);
}

/* --- restart --- */

static void restart_remembers(void)
{
    struct bench b;
    struct buf saved, again;

    start(&b);
    buf_init(&saved, 65536);
    buf_init(&again, 65536);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    kit_save(b.kit, &saved);
    kit_free(&b.kit);
    CU_ASSERT_FATAL(kit_create(&b.conf, &b.kit) == ERR_OK);
    CU_ASSERT(kit_load(b.kit, buf_slice(&saved)) == ERR_OK); /* before the association: kept for it */
    kit_save(b.kit, &again);
    TEST_SLICE_EQ(buf_slice(&again), buf_slice(&saved));
    CU_ASSERT(kit_add_association(b.kit, said, KEY, suites, sizeof suites, 0) == ERR_OK);
    CU_ASSERT(post(&b, SLICE("application/http")) == KIT_DROPPED);
    REASON_IS(&b, "replay");
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_DUPLICATE);
    CU_ASSERT(kit_load(b.kit, buf_slice(&saved)) == ERR_OK); /* an older state takes nothing back */
    CU_ASSERT(post(&b, SLICE("application/http")) == KIT_DROPPED);
    buf_clear(&saved);
    buf_clear(&again);
    stop(&b);
}

#define SA "sa 6173736f63696174696f6e2d30303031 "

static void bad_states_change_nothing(void)
{
    static const char *const rows[] = {
        "",
        "push-terminal-state 2\n",
        "push-terminal-state 1",
        "push-terminal-state 1\r\n",
        "push-terminal-state 1\nx\n",
        "push-terminal-state 1\n\n",
        "push-terminal-state 1\nid \n",
        "push-terminal-state 1\nid a b\n",
        "push-terminal-state 1\nid sX\n" SA "9 0000000000000000",
        "push-terminal-state 1\nid sX\n" SA "9 000000000000000\n",
        "push-terminal-state 1\nid sX\n" SA "9 00000000000000000\n",
        "push-terminal-state 1\nid sX\n" SA "4294967296 0000000000000000\n",
        "push-terminal-state 1\nid sX\nsa 61 9 0000000000000000\n",
        "push-terminal-state 1\nid sX\n" SA "-1 0000000000000000\n",
        "push-terminal-state 1\nid sX\n" SA "9 0000000000000000 \n",
    };
    struct bench b;

    start(&b);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(kit_load(b.kit, slice_str(rows[i])) != ERR_OK);
    }
    CU_ASSERT(post_sealed(&b, INNER("X")) == KIT_PUSH);
    CU_ASSERT(kit_load(b.kit, SLICE("push-terminal-state 1\n" SA "9 0000000000000000\nid sY\n")) == ERR_OK);
    CU_ASSERT(post_sealed(&b, INNER("Z")) == KIT_DROPPED); /* number 2 is below 9 now */
    stop(&b);
}

static void counters_name_reasons(void)
{
    const char *reason;
    uint64_t n, total = 0;
    size_t pos = 0;
    struct bench b;

    start(&b);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    CU_ASSERT(post(&b, SLICE("application/http")) == KIT_DROPPED);
    while (kit_count_next(b.kit, &pos, &reason, &n)) {
        total += n;
        if (strcmp(reason, "replay") == 0)
            CU_ASSERT(n == 1);
    }
    CU_ASSERT(total == 3);
    stop(&b);
}

static uint64_t count_of(const struct kit *k, const char *wanted)
{
    const char *reason;
    uint64_t n, found = 0;
    size_t pos = 0;

    while (kit_count_next(k, &pos, &reason, &n))
        if (strcmp(reason, wanted) == 0)
            found = n;
    return found;
}

/* SEC_CF-AUTH-002: each push says which server brought it and how that was known. */
static void server_and_method_are_told(void)
{
    static const struct {
        bool tls, proved, sealed;
        unsigned want;
    } rows[] = {{false, false, false, 0},
                {true, false, false, 0},
                {true, true, false, KIT_PROOF_CERTIFICATE},
                {false, false, true, KIT_PROOF_SEAL},
                {true, true, true, KIT_PROOF_CERTIFICATE | KIT_PROOF_SEAL}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench b;

        test_row(i);
        start(&b);
        b.req.tls = rows[i].tls;
        b.req.server_proved = rows[i].proved;
        CU_ASSERT((rows[i].sealed ? post_sealed(&b, INNER("1")) : post_embedded(&b, OPEN("1"))) == KIT_PUSH);
        TEST_SLICE_EQ(b.push.server, SLICE("ppg.example.net"));
        CU_ASSERT(b.push.tls == rows[i].tls && b.push.proofs == rows[i].want);
        stop(&b);
    }
}

/* UC-B.1-3: first the tag, then the cipher.  With a wrong tag the kit hands out no push, counts it, and its memory
 * for plain text stays as empty as it was. */
static void wrong_tag_decrypts_nothing(void)
{
    for (size_t i = 0; i < sizeof suites; i++) {
        struct bench b;

        test_row(i);
        start(&b);
        sec_sa_clear(&b.sender);
        sender_make(&b.sender, suites[i], KEY);
        seal(&b, INNER("1"));
        b.body.p[b.body.n - 1] ^= 1;
        b.push.body = SLICE("as it was");
        CU_ASSERT(post(&b, SLICE("application/http")) == KIT_DROPPED);
        REASON_IS(&b, "mac");
        CU_ASSERT(count_of(b.kit, "mac") == 1);
        TEST_SLICE_EQ(b.push.body, SLICE("as it was"));
        CU_ASSERT(b.kit->plain.n == 0);
        for (size_t at = 0; b.kit->plain.p && at + 5 <= b.kit->plain.cap; at++)
            CU_ASSERT(memcmp(b.kit->plain.p + at, "hello", 5) != 0);
        b.body.p[b.body.n - 1] ^= 1;
        CU_ASSERT(post(&b, SLICE("application/http")) == KIT_PUSH);
        CU_ASSERT(b.kit->plain.n > 0 && count_of(b.kit, "mac") == 1);
        stop(&b);
    }
}

#if defined(__SANITIZE_ADDRESS__)
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

/* Octets this program holds from the heap now. */
static size_t heap_n(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return __sanitizer_get_current_allocated_bytes();
#else
    return mallinfo2().uordblks;
#endif
}

/* Posts the sealed push of number 2 that b->body holds behind head_n octets, spoilt: by turns its tag, the name of
 * its association, its number (that of the push before), its length. */
static void post_forged(struct bench *b, size_t i, size_t head_n)
{
    const size_t whole_n = b->body.n;
    const struct {
        size_t at;
        char flip;
        size_t cut_n;
        const char *want;
    } kinds[] = {{whole_n - 1, 1, 0, "mac"},
                 {head_n + 7, 1, 0, "no-sa"},
                 {head_n + 5, 3, 0, "replay"},
                 {head_n, 0, whole_n - head_n - 20, "malformed"}};
    size_t k = i % COUNT(kinds);

    b->body.p[kinds[k].at] ^= kinds[k].flip;
    b->body.n -= kinds[k].cut_n;
    CU_ASSERT(post(b, SLICE("application/http")) == KIT_DROPPED);
    REASON_IS(b, kinds[k].want);
    b->body.n = whole_n;
    b->body.p[kinds[k].at] ^= kinds[k].flip;
}

/* UC-B.1-5: ten thousand forged pushes cost less than a second of one core, memory does not grow by an octet, what
 * must survive a restart stays as it was, and the next good push is taken. */
static void flood_of_forged_pushes(void)
{
    enum { FORGED = 10000 };
    struct buf before, after;
    size_t head_n, held;
    clock_t began;
    struct bench b;

    start(&b);
    buf_init(&before, 65536);
    buf_init(&after, 65536);
    CU_ASSERT(post_sealed(&b, INNER("1")) == KIT_PUSH);
    seal(&b, INNER("2"));
    head_n = slice_find_slice(buf_slice(&b.body), SLICE("\r\n\r\n")) + 4;
    for (size_t i = 0; i < 4; i++) /* memory kept for reuse is there from now on */
        post_forged(&b, i, head_n);
    kit_save(b.kit, &before);
    held = heap_n();
    began = clock();
    for (size_t i = 0; i < FORGED; i++)
        post_forged(&b, i, head_n);
    CU_ASSERT(clock() - began < CLOCKS_PER_SEC);
    CU_ASSERT(heap_n() == held);
    kit_save(b.kit, &after);
    TEST_SLICE_EQ(buf_slice(&after), buf_slice(&before));
    CU_ASSERT(count_of(b.kit, "mac") == FORGED / 4 + 1 && count_of(b.kit, "replay") == FORGED / 4 + 1);
    CU_ASSERT(post(&b, SLICE("application/http")) == KIT_PUSH);
    buf_clear(&before);
    buf_clear(&after);
    stop(&b);
}

static void bad_configurations(void)
{
    struct kit *k = NULL;

    for (size_t i = 0; i < 6; i++) {
        struct kit_conf conf = plain_conf();

        test_row(i);
        if (i == 0)
            conf.window = 65;
        if (i == 1)
            conf.seen_max = 0;
        if (i == 2)
            conf.max_size = 0;
        if (i == 3)
            conf.max_outstanding = 0;
        if (i == 4)
            conf.servers_n = 65;
        if (i == 5)
            conf.max_size = SIZE_MAX;
        CU_ASSERT(kit_create(&conf, &k) == ERR_LIMIT);
    }
    CU_ASSERT(k == NULL);
    kit_free(&k);
}

const struct test_case test_cases[] = {
    {"registration", registration},
    {"all_it_takes_is_told", all_it_takes_is_told},
    {"tag_follows_the_cpi", tag_follows_the_cpi},
    {"paths_and_methods", paths_and_methods},
    {"tls_is_taken_where_it_is_offered", tls_is_taken_where_it_is_offered},
    {"stale_tag_is_told_and_nothing_taken", stale_tag_is_told_and_nothing_taken},
    {"open_push_in_clear_proves_nothing", open_push_in_clear_proves_nothing},
    {"flags_count_when_the_transport_is_proved", flags_count_when_the_transport_is_proved},
    {"direct_form", direct_form},
    {"malformed_messages", malformed_messages},
    {"sealed_push_in_every_suite", sealed_push_in_every_suite},
    {"bit_flips_never_deliver", bit_flips_never_deliver},
    {"replay_is_dropped", replay_is_dropped},
    {"duplicate_is_accepted_once", duplicate_is_accepted_once},
    {"open_push_does_not_shadow_a_sealed_one", open_push_does_not_shadow_a_sealed_one},
    {"open_pushes_do_not_make_a_sealed_one_new", open_pushes_do_not_make_a_sealed_one_new},
    {"seals_that_do_not_count", seals_that_do_not_count},
    {"embedded_key_material_is_refused", embedded_key_material_is_refused},
    {"bad_associations", bad_associations},
    {"floor_rows", floor_rows},
    {"trusted_only", trusted_only},
    {"server_list_and_proof", server_list_and_proof},
    {"applications_types_and_size", applications_types_and_size},
    {"login_is_asked_for", login_is_asked_for},
    {"restart_remembers", restart_remembers},
    {"bad_states_change_nothing", bad_states_change_nothing},
    {"counters_name_reasons", counters_name_reasons},
    {"server_and_method_are_told", server_and_method_are_told},
    {"wrong_tag_decrypts_nothing", wrong_tag_decrypts_nothing},
    {"flood_of_forged_pushes", flood_of_forged_pushes},
    {"bad_configurations", bad_configurations},
    {NULL, NULL},
};
