/* The user proves who he is before a flagged push is handed out: asked once, after all else, and not by strangers. */
#include "ota/terminal/kit.h"

#include <stdio.h>
#include <string.h>
#include "ota/headers.h"
#include "tests/unit/harness.h"

#define MMS "x-wap-application:mms.ua"

struct bench {
    struct kit *kit;
    char tag[9];
    unsigned asked;
    bool is_user;
    char seen[16]; /* what the push said when the user was asked */
    struct kit_push push;
    const char *reason;
    char status[4]; /* X-Wap-Push-Status of the last answer */
};

static bool ask(const struct kit_push *push, void *arg)
{
    struct bench *b = arg;

    b->asked++;
    (void)snprintf(b->seen, sizeof b->seen, "%.*s", SLICE_FMT(push->body));
    return b->is_user;
}

static enum kit_event handle(struct bench *b, const struct kit_request *req)
{
    struct kit_answer answer;
    enum kit_event ev = kit_handle(b->kit, req, &answer, &b->push, &b->reason);
    struct slice tag = ota_header_find(buf_slice(&answer.headers), SLICE("X-Wap-CPITag"));

    (void)snprintf(b->status, sizeof b->status, "%.*s",
                   SLICE_FMT(ota_header_find(buf_slice(&answer.headers), SLICE("X-Wap-Push-Status"))));
    if (tag.n)
        (void)snprintf(b->tag, sizeof b->tag, "%.*s", SLICE_FMT(tag));
    buf_clear(&answer.headers);
    return ev;
}

static void start(struct bench *b, bool hook, bool is_user)
{
    const struct kit_request req = {.method = SLICE("OPTIONS"), .target = SLICE("/wappush"), .now_s = 1};
    struct kit_conf conf = {.accept_app = SLICE("*"),
                            .max_size = 1000,
                            .max_outstanding = 1,
                            .seen_max = 10,
                            .user_apps = SLICE(MMS)};

    *b = (struct bench){.is_user = is_user};
    conf.user = hook ? ask : NULL;
    conf.user_arg = b;
    CU_ASSERT_FATAL(kit_create(&conf, &b->kit) == ERR_OK);
    CU_ASSERT(handle(b, &req) == KIT_REGISTERED);
}

/* flag, app, server: NULL: not said */
static enum kit_event post(struct bench *b, const char *app, const char *flag, const char *id)
{
    struct kit_header headers[5] = {{SLICE("Content-Type"), SLICE("text/plain")},
                                    {SLICE("X-Wap-CPITag"), slice_str(b->tag)},
                                    {SLICE("X-Push-Message-ID"), slice_str(id)}};
    struct kit_request req = {.method = SLICE("POST"),
                              .target = SLICE("/wappush"),
                              .headers = headers,
                              .headers_n = 3,
                              .body = SLICE("secret"),
                              .now_s = 1};

    if (app)
        headers[req.headers_n++] = (struct kit_header){SLICE("X-Wap-Application-Id"), slice_str(app)};
    if (flag)
        headers[req.headers_n++] = (struct kit_header){SLICE(KIT_USER_HEADER), slice_str(flag)};
    return handle(b, &req);
}

static const struct {
    const char *app, *flag;
    bool hook, is_user;
    enum kit_event want;
    unsigned asked;
} rows[] = {
    {NULL, NULL, true, true, KIT_PUSH, 0}, /* needs nobody */
    {NULL, NULL, false, false, KIT_PUSH, 0},
    {NULL, "optional", true, false, KIT_PUSH, 0},
    {NULL, "", true, false, KIT_PUSH, 0},
    {MMS, NULL, true, true, KIT_PUSH, 1},
    {"4", NULL, true, true, KIT_PUSH, 1}, /* the same by its number */
    {NULL, "required", true, true, KIT_PUSH, 1},
    {NULL, "Required", true, true, KIT_PUSH, 1},
    {MMS, "required", true, true, KIT_PUSH, 1},
    {MMS, NULL, true, false, KIT_DROPPED, 1},
    {NULL, "required", true, false, KIT_DROPPED, 1},
    {MMS, "optional", true, false, KIT_DROPPED, 1},
    {MMS, NULL, false, true, KIT_DROPPED, 0}, /* nobody can be asked */
    {NULL, "required", false, true, KIT_DROPPED, 0},
};

static void flagged(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench b;

        test_row(i);
        start(&b, rows[i].hook, rows[i].is_user);
        CU_ASSERT(post(&b, rows[i].app, rows[i].flag, "m1") == rows[i].want);
        CU_ASSERT(b.asked == rows[i].asked);
        CU_ASSERT((rows[i].want == KIT_PUSH) == (b.push.body.n == 6));
        CU_ASSERT(rows[i].want == KIT_PUSH || strcmp(b.reason, "user") == 0);
        kit_free(&b.kit);
    }
}

/* A push that comes again is known, and answered as it was, for the first answer may have been lost; one against policy is
 * dropped, without a question. */
static void asked_once_and_last(void)
{
    struct bench b;

    start(&b, true, true);
    CU_ASSERT(post(&b, MMS, NULL, "m1") == KIT_PUSH && b.asked == 1);
    CU_ASSERT(strcmp(b.seen, "secret") == 0);
    CU_ASSERT(post(&b, MMS, NULL, "m1") == KIT_DUPLICATE && b.asked == 1);
    CU_ASSERT_STRING_EQUAL(b.status, "400");
    b.is_user = false;
    CU_ASSERT(post(&b, MMS, NULL, "m2") == KIT_DROPPED && b.asked == 2);
    CU_ASSERT_STRING_EQUAL(b.status, "235");
    b.is_user = true;
    CU_ASSERT(post(&b, MMS, NULL, "m2") == KIT_DROPPED && b.asked == 2 && strcmp(b.reason, "duplicate") == 0);
    CU_ASSERT_STRING_EQUAL(b.status, "235");
    kit_free(&b.kit);
}

/* Strangers make nobody ask: the push was authentic and within policy first. */
static void strangers_do_not_ask(void)
{
    const struct kit_conf strict = {.accept_app = SLICE("*"),
                                    .max_size = 1000,
                                    .max_outstanding = 1,
                                    .seen_max = 10,
                                    .floor = KIT_INTEGRITY,
                                    .user_apps = SLICE(MMS)};
    struct kit_conf conf = strict;
    const struct kit_request req = {.method = SLICE("OPTIONS"), .target = SLICE("/wappush"), .now_s = 1};
    struct bench b = {.is_user = true};

    conf.user = ask;
    conf.user_arg = &b;
    CU_ASSERT_FATAL(kit_create(&conf, &b.kit) == ERR_OK);
    CU_ASSERT(handle(&b, &req) == KIT_REGISTERED);
    CU_ASSERT(post(&b, MMS, "required", "m1") == KIT_DROPPED && b.asked == 0);
    CU_ASSERT(strcmp(b.reason, "protection-below-floor") == 0);
    kit_free(&b.kit);
}

const struct test_case test_cases[] = {{"flagged", flagged},
                                       {"asked_once_and_last", asked_once_and_last},
                                       {"strangers_do_not_ask", strangers_do_not_ask},
                                       {NULL, NULL}};
