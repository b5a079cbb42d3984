/* What a terminal is provisioned with, pushed to it or handed in: its lists hold from the next push on, its associations
 * open what is sealed with them, and one that cannot be put in force changes nothing. */
#include "ota/terminal/kit.h"

#include <stdio.h>
#include <string.h>
#include "ota/headers.h"
#include "ota/terminal/kit_state.h"
#include "tests/unit/harness.h"

#define NOW_S INT64_C(1800000000)
#define GOOD  "ppg.example.net"
#define EVIL  "evil.example.net"
#define NEWS  "https://news.example.com/a"
#define SA_A  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v" /* said 00.., key 10.. */
#define SA_A2                                                                                                \
    "AAECAwQFBgcICQoLDA0OD/8REhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v" /* the same with another key */
#define SA_B                    "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"

#define OBJECT(version, inside) "<SecProv version=\"" version "\">" inside "</SecProv>"
#define WHITE(inside)           "<WhiteList>" inside "</WhiteList>"
#define BLACK(inside)           "<BlackList>" inside "</BlackList>"
#define PPG(name)               "<Ppg uri=\"" name "\"/>"
#define INITIATOR(uri)          "<Initiator uri=\"" uri "\"/>"
#define KEY(id, value)          "<Key id=\"" id "\" use=\"association\" alg=\"aes-gcm\">" value "</Key>"

struct bench {
    struct kit *kit;
    struct kit_request req;
    struct kit_header headers[8];
    struct kit_answer answer;
    struct kit_push push;
    const char *reason;
    char tag[9];
    unsigned ids;
    char id[16];
};

static enum kit_event handle(struct bench *b)
{
    buf_clear(&b->answer.headers);
    b->req.headers = b->headers;
    return kit_handle(b->kit, &b->req, &b->answer, &b->push, &b->reason);
}

static void start(struct bench *b)
{
    static const struct slice servers[] = {{GOOD, sizeof GOOD - 1}, {EVIL, sizeof EVIL - 1}};
    const struct kit_conf conf = {.accept_app = SLICE("x-wap-application:mms.ua"),
                                  .max_size = 65536,
                                  .max_outstanding = 2,
                                  .seen_max = 100,
                                  .servers = servers,
                                  .servers_n = 2,
                                  .provisioning = true};
    struct slice tag;

    *b = (struct bench){.req = {.method = SLICE("OPTIONS"),
                                .target = SLICE("/wappush"),
                                .tls = true,
                                .server_proved = true,
                                .server = SLICE(GOOD),
                                .now_s = NOW_S}};
    CU_ASSERT_FATAL(kit_create(&conf, &b->kit) == ERR_OK);
    CU_ASSERT(handle(b) == KIT_REGISTERED);
    tag = ota_header_find(buf_slice(&b->answer.headers), SLICE("X-Wap-CPITag"));
    (void)snprintf(b->tag, sizeof b->tag, "%.*s", SLICE_FMT(tag));
}

static void stop(struct bench *b)
{
    buf_clear(&b->answer.headers);
    kit_free(&b->kit);
}

/* A push with its header lines in the open: that the transport proves the gateway is what they are worth. */
static enum kit_event post(struct bench *b, const char *app, const char *initiator, const char *info,
                           struct slice type, struct slice body)
{
    (void)snprintf(b->id, sizeof b->id, "m%u", b->ids++);
    b->headers[0] = (struct kit_header){SLICE("Content-Type"), type};
    b->headers[1] = (struct kit_header){SLICE("X-Wap-CPITag"), slice_str(b->tag)};
    b->headers[2] = (struct kit_header){SLICE("X-Wap-Application-Id"), slice_str(app)};
    b->headers[3] = (struct kit_header){SLICE("X-Wap-Initiator-URI"), slice_str(initiator)};
    b->headers[4] = (struct kit_header){SLICE("X-Wap-Push-Info"), slice_str(info)};
    b->headers[5] = (struct kit_header){SLICE("X-Push-Message-ID"), slice_str(b->id)};
    b->req.headers_n = 6;
    b->req.method = SLICE("POST");
    b->req.body = body;
    return handle(b);
}

static enum kit_event provision(struct bench *b, const char *object)
{
    return post(b, SEC_SECPROV_APP, NEWS, "authenticated, trusted", SLICE("application/xml"),
                slice_str(object));
}

static enum kit_event hello(struct bench *b, const char *server, const char *initiator, const char *info)
{
    enum kit_event ev;

    b->req.server = slice_str(server);
    ev = post(b, "x-wap-application:mms.ua", initiator, info, SLICE("text/plain"), SLICE("hello"));
    b->req.server = SLICE(GOOD);
    return ev;
}

static bool dropped(const struct bench *b, enum kit_event ev, const char *reason)
{
    return ev == KIT_DROPPED && strcmp(b->reason, reason) == 0;
}

static void lists_take_force(void)
{
    struct bench b;
    struct slice told;

    start(&b);
    CU_ASSERT(hello(&b, EVIL, "https://other.example/", "") == KIT_PUSH);
    CU_ASSERT(provision(&b, OBJECT("1", WHITE(PPG(GOOD) INITIATOR("https://news.example.com/*"))
                                            BLACK(INITIATOR("https://news.example.com/b")))) == KIT_PUSH);
    CU_ASSERT(b.push.provisioned == 1 && b.push.provisioned_hash.n == 64);
    told = ota_header_find(buf_slice(&b.answer.headers), SLICE("X-Push-Provisioned"));
    CU_ASSERT(slice_starts(told, SLICE("1; sha-256=")) && slice_ends(told, b.push.provisioned_hash));
    CU_ASSERT(dropped(&b, hello(&b, EVIL, NEWS, "authenticated"), "server"));
    CU_ASSERT(dropped(&b, hello(&b, "unheard.example", NEWS, "authenticated"), "server"));
    CU_ASSERT(hello(&b, GOOD, NEWS, "authenticated") == KIT_PUSH && b.push.provisioned == 0);
    CU_ASSERT(dropped(&b, hello(&b, GOOD, NEWS, ""), "initiator")); /* nobody vouches for the name */
    CU_ASSERT(dropped(&b, hello(&b, GOOD, "https://other.example/", "authenticated"), "initiator"));
    CU_ASSERT(dropped(&b, hello(&b, GOOD, "https://news.example.com/b", "authenticated"), "initiator"));
    CU_ASSERT(provision(&b, OBJECT("2", BLACK(INITIATOR(NEWS)))) == KIT_PUSH);
    CU_ASSERT(dropped(&b, provision(&b, OBJECT("3", "")), "initiator")); /* its sender is off the list now */
    stop(&b);
}

static void black_alone_restricts_only_those(void)
{
    struct bench b;

    start(&b);
    CU_ASSERT(provision(&b, OBJECT("1", BLACK(PPG(EVIL) INITIATOR("https://evil.example/*")))) == KIT_PUSH);
    CU_ASSERT(hello(&b, GOOD, "https://any.example/", "") == KIT_PUSH);
    CU_ASSERT(hello(&b, "unheard.example", NEWS, "") == KIT_PUSH); /* conf's list is no more */
    CU_ASSERT(dropped(&b, hello(&b, EVIL, NEWS, ""), "server"));
    CU_ASSERT(dropped(&b, hello(&b, GOOD, "https://evil.example/x", ""), "initiator"));
    CU_ASSERT(provision(&b, OBJECT("2", "")) == KIT_PUSH); /* a list that is gone restricts nobody */
    CU_ASSERT(hello(&b, EVIL, "https://evil.example/x", "") == KIT_PUSH);
    stop(&b);
}

/* What is refused changes nothing, and is not remembered as seen. */
static void refused_objects_change_nothing(void)
{
    static const struct {
        const char *info, *object, *reason;
        bool tls;
    } rows[] = {
        {"authenticated", OBJECT("9", ""), "untrusted", true},
        {"trusted", OBJECT("9", ""), "untrusted", true},
        {"authenticated, trusted", OBJECT("9", ""), "untrusted",
         false}, /* anybody may have read or changed it */
        {"authenticated, trusted", "", "provisioning", true},
        {"authenticated, trusted", "hello", "provisioning", true},
        {"authenticated, trusted", OBJECT("0", ""), "provisioning", true},
        {"authenticated, trusted", OBJECT("4", ""), "provisioning", true}, /* older */
        {"authenticated, trusted", OBJECT("5", "<Algs min=\"none\"/>"), "provisioning",
         true}, /* another of that version */
        {"authenticated, trusted", OBJECT("9", WHITE(INITIATOR("news"))), "provisioning", true},
        {"authenticated, trusted", OBJECT("9", "<Keys>" KEY("b", SA_B) KEY("a", SA_A2) "</Keys>"),
         "provisioning", true}, /* the second one's name has another key */
    };
    struct bench b;

    start(&b);
    CU_ASSERT(provision(&b, OBJECT("5", BLACK(PPG(EVIL)) "<Keys>" KEY("a", SA_A) "</Keys>")) == KIT_PUSH);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        b.req.tls = b.req.server_proved = rows[i].tls;
        CU_ASSERT(dropped(&b,
                          post(&b, SEC_SECPROV_APP, NEWS, rows[i].info, SLICE("application/xml"),
                               slice_str(rows[i].object)),
                          rows[i].reason));
        b.req.tls = b.req.server_proved = true;
        CU_ASSERT(dropped(&b, hello(&b, EVIL, NEWS, ""), "server"));
        CU_ASSERT(hello(&b, GOOD, NEWS, "") == KIT_PUSH);
    }
    CU_ASSERT(provision(&b, OBJECT("5", BLACK(PPG(EVIL)) "<Keys>" KEY("a", SA_A) "</Keys>")) == KIT_PUSH);
    CU_ASSERT(provision(&b, OBJECT("9", "")) == KIT_PUSH);
    CU_ASSERT(hello(&b, EVIL, NEWS, "") == KIT_PUSH);
    stop(&b);
}

/* A terminal that is not to be provisioned takes an object for what it is: a push for an application it does not have. */
static void only_where_wanted(void)
{
    const struct kit_conf conf = {.accept_app = SLICE("x-wap-application:mms.ua"),
                                  .max_size = 65536,
                                  .max_outstanding = 2,
                                  .seen_max = 100};
    struct bench b;

    start(&b);
    kit_free(&b.kit);
    CU_ASSERT_FATAL(kit_create(&conf, &b.kit) == ERR_OK);
    CU_ASSERT(dropped(&b, provision(&b, OBJECT("1", WHITE(PPG(EVIL)))), "application"));
    stop(&b);
}

static void floor_and_time_to_live(void)
{
    struct bench b;

    start(&b);
    CU_ASSERT(provision(&b, "<SecProv version=\"1\" ttl=\"3600\"><Algs min=\"full\"/></SecProv>") ==
              KIT_PUSH);
    CU_ASSERT(hello(&b, GOOD, NEWS, "") == KIT_PUSH);
    b.req.tls = b.req.server_proved = false;
    CU_ASSERT(dropped(&b, hello(&b, GOOD, NEWS, ""), "protection-below-floor"));
    b.req.tls = b.req.server_proved = true;
    b.req.now_s = NOW_S + 3600;
    CU_ASSERT(hello(&b, GOOD, NEWS, "") == KIT_PUSH);
    b.req.now_s++;
    CU_ASSERT(dropped(&b, hello(&b, GOOD, NEWS, ""), "provisioning-expired"));
    CU_ASSERT(provision(&b, OBJECT("2", "")) == KIT_PUSH); /* a new one is all that helps */
    CU_ASSERT(hello(&b, GOOD, NEWS, "") == KIT_PUSH);
    stop(&b);
}

/* --- associations --- */

static void sender_make(struct sec_sa *sa, uint8_t first, uint8_t suite)
{
    uint8_t octets[48];

    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)i;
    octets[0] = first;
    CU_ASSERT_FATAL(!sec_sa_init(sa, &(struct sec_sa_conf){.rand = slice_of(octets, 16),
                                                           .ks = slice_of(octets + 16, 32),
                                                           .suites = slice_of(&suite, 1),
                                                           .expires_s = INT64_MAX}));
    CU_ASSERT_FATAL(!sec_sa_reserved(sa, 1, 1000));
}

/* A sealed push over a clear connection; `body` keeps it for a replay. */
static enum kit_event sealed_as(struct bench *b, struct sec_sa *from, struct slice inner, struct buf *body)
{
    enum kit_event ev;
    uint32_t sn;

    if (from) {
        buf_reset(body, 65536);
        CU_ASSERT(!sec_sa_seal(from, SEC_GPL_DOWNLINK, NOW_S, SLICE_NONE, &inner, 1, body, &sn));
    }
    b->req.tls = b->req.server_proved = false;
    ev = post(b, "x-wap-application:mms.ua", "", "", SLICE("application/x-push-gpl-a1"), buf_slice(body));
    b->req.tls = b->req.server_proved = true;
    return ev;
}

static enum kit_event sealed(struct bench *b, struct sec_sa *from, struct buf *body)
{
    return sealed_as(b, from,
                     SLICE("Content-Type: text/plain\r\nContent-Length: 5\r\n"
                           "X-Wap-Application-Id: x-wap-application:mms.ua\r\n\r\nhello"),
                     body);
}

/* A seal that only keeps it whole is too little: there may be keys in it. */
static void sealed_objects(void)
{
    static const char inner[] = "Content-Type: application/xml\r\nX-Wap-Application-Id: " SEC_SECPROV_APP
                                "\r\nX-Wap-Push-Info: authenticated, trusted\r\nX-Wap-Initiator-URI: " NEWS
                                "\r\n\r\n" OBJECT("1", BLACK(PPG(EVIL)));
    static const uint8_t suites[] = {SEC_GPL_HMAC, SEC_GPL_GCM};
    struct sec_sa whole, hidden;
    struct bench b;
    struct buf body;

    start(&b);
    buf_init(&body, 65536);
    sender_make(&whole, 0, SEC_GPL_HMAC);
    sender_make(&hidden, 0, SEC_GPL_GCM);
    CU_ASSERT(!kit_add_association(b.kit, whole.rand, slice_of(whole.ks, sizeof whole.ks), suites, 2, 0));
    CU_ASSERT(dropped(&b, sealed_as(&b, &whole, slice_str(inner), &body), "untrusted"));
    CU_ASSERT(hello(&b, EVIL, NEWS, "") == KIT_PUSH);
    CU_ASSERT(dropped(&b, sealed(&b, &hidden, &body), "replay")); /* the number of the one before */
    CU_ASSERT(sealed_as(&b, &hidden, slice_str(inner), &body) == KIT_PUSH && b.push.provisioned == 1);
    CU_ASSERT(dropped(&b, hello(&b, EVIL, NEWS, ""), "server"));
    sec_sa_clear(&whole);
    sec_sa_clear(&hidden);
    buf_clear(&body);
    stop(&b);
}

static void keys_come_and_go(void)
{
    struct sec_sa a, c;
    struct bench b;
    struct buf body;

    start(&b);
    buf_init(&body, 65536);
    sender_make(&a, 0, SEC_GPL_GCM);
    sender_make(&c, 1, SEC_GPL_GCM);
    CU_ASSERT(dropped(&b, sealed(&b, &a, &body), "no-sa"));
    CU_ASSERT(provision(&b, OBJECT("1", "<Keys>" KEY("a", SA_A) KEY("b", SA_B) "</Keys>")) == KIT_PUSH);
    CU_ASSERT(sealed(&b, &c, &body) == KIT_PUSH);
    CU_ASSERT(sealed(&b, &a, &body) == KIT_PUSH && b.push.message_protection == KIT_FULL);
    CU_ASSERT(provision(&b, OBJECT("2", "<Keys>" KEY("b", SA_B) "</Keys>")) == KIT_PUSH);
    CU_ASSERT(dropped(&b, sealed(&b, &a, &body), "no-sa"));
    CU_ASSERT(provision(&b, OBJECT("3", "<Keys>" KEY("a", SA_A) "</Keys>")) == KIT_PUSH);
    CU_ASSERT(sealed(&b, NULL, &body) == KIT_PUSH); /* of a number that was not yet taken */
    CU_ASSERT(dropped(&b, sealed(&b, NULL, &body), "replay"));
    CU_ASSERT(dropped(&b, sealed(&b, &c, &body), "no-sa"));
    CU_ASSERT(provision(&b, OBJECT("4", "<Keys>" KEY("b", SA_B) "</Keys>")) == KIT_PUSH);
    CU_ASSERT(provision(&b, OBJECT("5", "<Keys>" KEY("a", SA_A) "</Keys>")) == KIT_PUSH);
    sec_sa_clear(&c);
    sender_make(
        &c, 0,
        SEC_GPL_GCM); /* the sender begins anew at 1: seen is seen, though the key was away meanwhile */
    CU_ASSERT(dropped(&b, sealed(&b, &c, &body), "replay"));
    sec_sa_clear(&a);
    sec_sa_clear(&c);
    buf_clear(&body);
    stop(&b);
}

/* An object out of a file, before anything came. */
static void handed_in(void)
{
    static const char text[] = OBJECT("3", WHITE(PPG(EVIL)));
    static struct sec_secprov object;
    const char *why;
    struct bench b;

    start(&b);
    CU_ASSERT_FATAL(sec_secprov_parse(slice_str(text), &object, &why) == ERR_OK);
    CU_ASSERT(kit_provision(b.kit, &object, NOW_S) == ERR_OK);
    CU_ASSERT(kit_provision(b.kit, &object, NOW_S) == ERR_OK);
    sec_secprov_clear(&object);
    CU_ASSERT(dropped(&b, hello(&b, GOOD, NEWS, ""), "server"));
    CU_ASSERT(hello(&b, EVIL, NEWS, "") == KIT_PUSH);
    CU_ASSERT_FATAL(sec_secprov_parse(SLICE(OBJECT("2", "")), &object, &why) == ERR_OK);
    CU_ASSERT(kit_provision(b.kit, &object, NOW_S) == ERR_LATE);
    sec_secprov_clear(&object);
    stop(&b);
}

const struct test_case test_cases[] = {
    {"lists_take_force", lists_take_force},
    {"black_alone_restricts_only_those", black_alone_restricts_only_those},
    {"refused_objects_change_nothing", refused_objects_change_nothing},
    {"only_where_wanted", only_where_wanted},
    {"floor_and_time_to_live", floor_and_time_to_live},
    {"sealed_objects", sealed_objects},
    {"keys_come_and_go", keys_come_and_go},
    {"handed_in", handed_in},
    {NULL, NULL},
};
