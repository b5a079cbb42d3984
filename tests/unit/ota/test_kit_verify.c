/* Pushes that ask the terminal to connect: nothing before a valid answer, one question for each, few in a minute. */
#include "ota/terminal/kit.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include "ota/headers.h"
#include "ota/sia.h"
#include "ota/terminal/kit_state.h"
#include "security/terminal/verify.h"
#include "tests/unit/harness.h"

#define NOW_S INT64_C(1800000000)
#define TOKEN "0123456789abcdef0123456789abcdef"
#define RATE  6

struct bench {
    struct kit *kit;
    char tag[9];
    struct buf sia;
    int64_t now_s;
    struct kit_push push;
    const char *reason;
    unsigned status;
};

static struct kit_conf conf_of(bool verify)
{
    return (struct kit_conf){.accept_app = SLICE("*"),
                             .max_size = 10000,
                             .max_outstanding = 1,
                             .seen_max = 10,
                             .verify = verify,
                             .verify_apps = SLICE("x-wap-application:mms.ua"),
                             .verify_rate = RATE};
}

static enum kit_event handle(struct bench *b, const struct kit_request *req)
{
    struct kit_answer answer;
    enum kit_event ev = kit_handle(b->kit, req, &answer, &b->push, &b->reason);
    struct slice status = ota_header_find(buf_slice(&answer.headers), SLICE("X-Wap-Push-Status"));
    struct slice tag = ota_header_find(buf_slice(&answer.headers), SLICE("X-Wap-CPITag"));

    b->status = status.n == 3
                    ? (unsigned)((status.p[0] - '0') * 100 + (status.p[1] - '0') * 10 + status.p[2] - '0')
                    : 0;
    if (tag.n)
        (void)snprintf(b->tag, sizeof b->tag, "%.*s", SLICE_FMT(tag));
    buf_clear(&answer.headers);
    return ev;
}

static void start(struct bench *b, const struct kit_conf *conf)
{
    const struct kit_request req = {.method = SLICE("OPTIONS"), .target = SLICE("/wappush"), .now_s = NOW_S};
    const struct ota_sia sia = {.contacts = {{.port = 4035, .address = SLICE("\300\000\002\012")}},
                                .contacts_n = 1};

    *b = (struct bench){.now_s = NOW_S};
    buf_init(&b->sia, OTA_SIA_MAX_N);
    CU_ASSERT_FATAL(ota_sia_print(&sia, &b->sia) == ERR_OK && kit_create(conf, &b->kit) == ERR_OK);
    CU_ASSERT(handle(b, &req) == KIT_REGISTERED);
}

static void stop(struct bench *b)
{
    buf_clear(&b->sia);
    kit_free(&b->kit);
}

/* A direct push; NULL: without that header. */
static enum kit_event post(struct bench *b, const char *type, const char *app, const char *token,
                           struct slice body)
{
    struct kit_header headers[4] = {{SLICE("Content-Type"), slice_str(type)},
                                    {SLICE("X-Wap-CPITag"), slice_str(b->tag)}};
    struct kit_request req = {.method = SLICE("POST"),
                              .target = SLICE("/wappush"),
                              .headers = headers,
                              .headers_n = 2,
                              .body = body,
                              .server = SLICE("ppg.example.net"),
                              .now_s = b->now_s};

    if (app)
        headers[req.headers_n++] = (struct kit_header){SLICE("X-Wap-Application-Id"), slice_str(app)};
    if (token)
        headers[req.headers_n++] = (struct kit_header){SLICE(OTA_VERIFY_HEADER), slice_str(token)};
    return handle(b, &req);
}

static enum kit_event post_sia(struct bench *b, const char *token)
{
    return post(b, OTA_SIA_TYPE, NULL, token, buf_slice(&b->sia));
}

static enum kit_event done(struct bench *b, unsigned place, bool answered, bool valid, int64_t not_after_s)
{
    const struct kit_verified v = {answered, valid, not_after_s, b->now_s};

    b->push = (struct kit_push){.server = SLICE("untouched")};
    return kit_verify_done(b->kit, place, &v, &b->push, &b->reason);
}

#define REASON_IS(b, want) CU_ASSERT(strcmp((b)->reason, (want)) == 0)

/* A genuine one: asked about with its token and digest, then let go with everything it said. */
static void genuine(void)
{
    const struct kit_conf conf = conf_of(true);
    struct sec_verify_content content;
    struct kit_question q;
    struct bench b;

    start(&b, &conf);
    CU_ASSERT(post_sia(&b, TOKEN) == KIT_VERIFY && b.status == 400);
    CU_ASSERT_FATAL(kit_verify_next(b.kit, &q));
    TEST_SLICE_EQ(q.token, SLICE(TOKEN));
    CU_ASSERT(sec_verify_digest(buf_slice(&b.sia), &content) == ERR_OK);
    TEST_SLICE_EQ(q.digest, slice_of(content.digest, sizeof content.digest));
    CU_ASSERT(!kit_verify_next(b.kit, &q));
    CU_ASSERT(post(&b, "text/plain", NULL, NULL, SLICE("in between")) == KIT_PUSH);
    CU_ASSERT(done(&b, q.place, true, true, NOW_S) == KIT_CONNECT);
    REASON_IS(&b, "none");
    TEST_SLICE_EQ(b.push.body, buf_slice(&b.sia));
    TEST_SLICE_EQ(b.push.content_type, SLICE(OTA_SIA_TYPE));
    TEST_SLICE_EQ(b.push.server, SLICE("ppg.example.net"));
    stop(&b);
}

static const struct {
    bool answered, valid;
    int64_t not_after_s;
    const char *reason;
} refusals[] = {
    {true, false, NOW_S + 300, "verify-invalid"},
    {false, false, NOW_S + 300, "verify-unanswered"},
    {false, true, NOW_S + 300, "verify-unanswered"},
    {true, true, NOW_S - 1, "verify-late"},
    {true, true, 0, "verify-late"},
};

/* Whatever is said but yes, in time: dropped, and not asked about again. */
static void refused(void)
{
    const struct kit_conf conf = conf_of(true);

    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct kit_question q;
        struct bench b;

        test_row(i);
        start(&b, &conf);
        CU_ASSERT(post_sia(&b, TOKEN) == KIT_VERIFY);
        CU_ASSERT_FATAL(kit_verify_next(b.kit, &q));
        CU_ASSERT(done(&b, q.place, refusals[i].answered, refusals[i].valid, refusals[i].not_after_s) ==
                  KIT_DROPPED);
        CU_ASSERT(strcmp(b.reason, refusals[i].reason) == 0);
        TEST_SLICE_EQ(b.push.server, SLICE("untouched"));
        CU_ASSERT(post_sia(&b, TOKEN) == KIT_DROPPED && b.status == 235);
        REASON_IS(&b, "verify-known");
        CU_ASSERT(!kit_verify_next(b.kit, &q));
        stop(&b);
    }
}

/* What asks to connect, and what of it is not worth a question. */
static const struct {
    const char *type, *app, *token;
    const char *body; /* NULL: a good SIA */
    enum kit_event want;
    const char *reason;
} worth[] = {
    {OTA_SIA_TYPE, NULL, TOKEN, NULL, KIT_VERIFY, "none"},
    {"Application/vnd.wap.sia; x=y", NULL, "t", NULL, KIT_VERIFY, "none"},
    {"text/plain", NULL, TOKEN, "x", KIT_VERIFY, "none"},
    {"text/plain", "x-wap-application:mms.ua", TOKEN, "x", KIT_VERIFY, "none"},
    {"text/plain", "4", TOKEN, "x", KIT_VERIFY, "none"},
    {"text/plain", OTA_SIA_APP, TOKEN, "x", KIT_VERIFY, "none"},
    {"text/plain", NULL, NULL, "x", KIT_PUSH, "none"},
    {"text/plain", "x-wap-application:emn.ua", NULL, "x", KIT_PUSH, "none"},
    {OTA_SIA_TYPE, NULL, NULL, NULL, KIT_DROPPED, "verify-token"},
    {"text/plain", OTA_SIA_APP, NULL, "x", KIT_DROPPED, "verify-token"},
    {"text/plain", "x-wap-application:mms.ua", NULL, "x", KIT_DROPPED, "verify-token"},
    {"text/plain", "x-wap-application:mms.ua", "", "x", KIT_DROPPED, "verify-token"},
    {"text/plain", NULL, "a b", "x", KIT_DROPPED, "verify-token"},
    {"text/plain", NULL, "\"quoted\"", "x", KIT_DROPPED, "verify-token"},
    {"text/plain", NULL, TOKEN TOKEN "0", "x", KIT_DROPPED, "verify-token"},
    {OTA_SIA_TYPE, NULL, TOKEN, "no SIA", KIT_DROPPED, "malformed-message"},
    {OTA_SIA_TYPE, NULL, TOKEN, "", KIT_DROPPED, "malformed-message"},
};

static void worth_a_question(void)
{
    const struct kit_conf conf = conf_of(true);

    for (size_t i = 0; i < COUNT(worth); i++) {
        struct kit_question q;
        struct bench b;

        test_row(i);
        start(&b, &conf);
        CU_ASSERT(post(&b, worth[i].type, worth[i].app, worth[i].token,
                       worth[i].body ? slice_str(worth[i].body) : buf_slice(&b.sia)) == worth[i].want);
        CU_ASSERT(strcmp(b.reason, worth[i].reason) == 0);
        CU_ASSERT(kit_verify_next(b.kit, &q) == (worth[i].want == KIT_VERIFY));
        stop(&b);
    }
}

/* Deny by default. */
static void nobody_to_ask(void)
{
    const struct kit_conf conf = conf_of(false);
    struct kit_question q;
    struct bench b;

    start(&b, &conf);
    CU_ASSERT(post_sia(&b, TOKEN) == KIT_DROPPED && b.status == 235);
    REASON_IS(&b, "verify-nobody");
    CU_ASSERT(post_sia(&b, NULL) == KIT_DROPPED);
    CU_ASSERT(post(&b, "text/plain", NULL, TOKEN, SLICE("x")) == KIT_DROPPED);
    CU_ASSERT(!kit_verify_next(b.kit, &q));
    stop(&b);
}

/* The same content with other tokens, and the other way round, are other questions; the very same is one. */
static void one_question_each(void)
{
    const struct kit_conf conf = conf_of(true);
    struct kit_question q;
    struct bench b;

    start(&b, &conf);
    CU_ASSERT(post_sia(&b, TOKEN) == KIT_VERIFY);
    CU_ASSERT(post_sia(&b, TOKEN) == KIT_DROPPED);
    REASON_IS(&b, "verify-known");
    CU_ASSERT(post_sia(&b, "other") == KIT_VERIFY);
    CU_ASSERT(post(&b, "text/plain", NULL, TOKEN, SLICE("forged")) == KIT_VERIFY);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_FATAL(kit_verify_next(b.kit, &q));
        CU_ASSERT(done(&b, q.place, true, false, 0) == KIT_DROPPED);
    }
    CU_ASSERT(!kit_verify_next(b.kit, &q));
    stop(&b);
}

/* 10000 forged triggers: RATE questions in a minute, no memory; then a genuine one is heard again. */
static void flood(void)
{
    const struct kit_conf conf = conf_of(true);
    struct kit_question q;
    size_t asked = 0, before = 0;
    struct bench b;
    char token[32];

    start(&b, &conf);
    for (int i = 0; i < 10000; i++) {
        (void)snprintf(token, sizeof token, "forged-%d", i);
        asked += post_sia(&b, token) == KIT_VERIFY;
        while (kit_verify_next(b.kit, &q))
            (void)done(&b, q.place, true, false, 0);
        if (i == 100)
            before = mallinfo2().uordblks;
    }
    CU_ASSERT(asked == RATE);
    CU_ASSERT(mallinfo2().uordblks <= before);
    CU_ASSERT(post_sia(&b, TOKEN) == KIT_DROPPED);
    REASON_IS(&b, "verify-rate");
    b.now_s += 60;
    CU_ASSERT(post_sia(&b, TOKEN) == KIT_VERIFY);
    CU_ASSERT_FATAL(kit_verify_next(b.kit, &q));
    CU_ASSERT(done(&b, q.place, true, true, b.now_s) == KIT_CONNECT);
    stop(&b);
}

/* While nobody answers only so many are open; what was valid costs nothing of the rate. */
static void few_are_open(void)
{
    const struct kit_conf conf = conf_of(true);
    struct kit_question q[RATE], more;
    struct bench b;
    char token[32];

    start(&b, &conf);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < RATE; i++) {
            (void)snprintf(token, sizeof token, "t-%d-%d", round, i);
            CU_ASSERT(post_sia(&b, token) == KIT_VERIFY);
            CU_ASSERT_FATAL(kit_verify_next(b.kit, &q[i]));
        }
        CU_ASSERT(post_sia(&b, TOKEN) == KIT_DROPPED);
        REASON_IS(&b, "verify-rate");
        CU_ASSERT(!kit_verify_next(b.kit, &more));
        for (int i = 0; i < RATE; i++)
            CU_ASSERT(done(&b, q[i].place, true, true, NOW_S) == KIT_CONNECT);
    }
    stop(&b);
}

/* A kit that goes away with open questions leaves nothing behind (the sanitizers look). */
static void ends_in_between(void)
{
    const struct kit_conf conf = conf_of(true);
    struct bench b;

    start(&b, &conf);
    CU_ASSERT(post_sia(&b, TOKEN) == KIT_VERIFY && post_sia(&b, "other") == KIT_VERIFY);
    stop(&b);
}

const struct test_case test_cases[] = {{"genuine", genuine},
                                       {"refused", refused},
                                       {"worth_a_question", worth_a_question},
                                       {"nobody_to_ask", nobody_to_ask},
                                       {"one_question_each", one_question_each},
                                       {"flood", flood},
                                       {"few_are_open", few_are_open},
                                       {"ends_in_between", ends_in_between},
                                       {NULL, NULL}};
