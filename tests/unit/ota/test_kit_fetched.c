/* The terminal kit and messages that the terminal has fetched: the same judgement as for pushes, without the rules of
 * requests. */
#include "ota/terminal/kit.h"

#include "tests/unit/harness.h"

static const struct kit_header head[] = {{SLICE("Date"), SLICE("Wed, 01 May 2024 12:00:00 GMT")},
                                         {SLICE("Content-Type"), SLICE("text/plain")},
                                         {SLICE("X-Push-Message-ID"), SLICE("m-1")},
                                         {SLICE("X-Wap-Push-Info"), SLICE("authenticated, trusted")},
                                         {SLICE("Accept-Ranges"), SLICE("bytes")}};

static struct kit *kit_of(struct kit_conf conf)
{
    struct kit *k;

    conf.max_size = conf.max_size ? conf.max_size : 1000;
    conf.seen_max = 10;
    conf.max_outstanding = 1;
    CU_ASSERT_FATAL(kit_create(&conf, &k) == ERR_OK);
    return k;
}

static struct kit_request fetched(bool proved)
{
    return (struct kit_request){.headers = head,
                                .headers_n = COUNT(head),
                                .body = SLICE("hi"),
                                .tls = true,
                                .server_proved = proved,
                                .server = SLICE("gw"),
                                .now_s = 1800000000};
}

static void judged_as_a_push(void)
{
    for (int proved = 0; proved < 2; proved++) {
        struct kit *k = kit_of((struct kit_conf){.floor = KIT_NONE});
        struct kit_request req = fetched(proved);
        struct kit_push push;
        const char *reason;

        test_row((size_t)proved);
        CU_ASSERT_EQUAL(kit_handle_fetched(k, &req, &push, &reason), KIT_PUSH);
        TEST_SLICE_EQ(push.body, SLICE("hi"));
        TEST_SLICE_EQ(push.message_id, SLICE("m-1"));
        CU_ASSERT(push.authenticated == proved && push.trusted == proved && push.tls);
        CU_ASSERT(push.proofs == (proved ? KIT_PROOF_CERTIFICATE : 0));
        CU_ASSERT_EQUAL(kit_handle_fetched(k, &req, &push, &reason), KIT_DUPLICATE);
        kit_free(&k);
    }
}

static void policy_holds(void)
{
    static const struct slice listed[] = {SLICE("other")};
    static const struct {
        struct kit_conf conf;
        bool proved;
        enum kit_event want;
        const char *reason;
    } rows[] = {
        {{.floor = KIT_FULL}, true, KIT_PUSH, "none"},
        {{.floor = KIT_INTEGRITY}, false, KIT_DROPPED, "protection-below-floor"},
        {{.server_proof = true}, false, KIT_DROPPED, "server-unproved"},
        {{.trusted_only = true}, true, KIT_PUSH, "none"},
        {{.trusted_only = true}, false, KIT_DROPPED, "untrusted"},
        {{.servers = listed, .servers_n = 1}, true, KIT_DROPPED, "server"},
        {{.accept = SLICE("image/*")}, true, KIT_DROPPED, "content-type"},
        {{.accept_app = SLICE("9")}, true, KIT_DROPPED, "application"},
        {{.max_size = 1}, true, KIT_REFUSED, "size"},
        {{.login_user = SLICE("u"), .login_password = SLICE("p")},
         true,
         KIT_PUSH,
         "none"}, /* TLS proved it */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kit *k = kit_of(rows[i].conf);
        struct kit_request req = fetched(rows[i].proved);
        struct kit_push push;
        const char *reason = "?";

        test_row(i);
        CU_ASSERT_EQUAL(kit_handle_fetched(k, &req, &push, &reason), rows[i].want);
        CU_ASSERT_STRING_EQUAL(reason, rows[i].reason);
        kit_free(&k);
    }
}

static void what_is_no_message(void)
{
    static const struct kit_header no_type[] = {{SLICE("X-Push-Message-ID"), SLICE("m-1")}};
    static const struct kit_header twice[] = {{SLICE("Content-Type"), SLICE("text/plain")},
                                              {SLICE("X-Push-Message-ID"), SLICE("m-1")},
                                              {SLICE("X-Push-Message-ID"), SLICE("m-2")}};
    static const struct kit_header seal[] = {{SLICE("Content-Type"), SLICE("application/x-push-gpl-a1")}};
    static const struct {
        const struct kit_header *headers;
        size_t n;
        enum kit_event want;
    } rows[] = {
        {no_type, 1, KIT_REFUSED}, {twice, 3, KIT_REFUSED}, {seal, 1, KIT_DROPPED}, {NULL, 0, KIT_REFUSED}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kit *k = kit_of((struct kit_conf){.floor = KIT_NONE});
        struct kit_request req = fetched(true);
        struct kit_push push;
        const char *reason;

        test_row(i);
        req.headers = rows[i].headers;
        req.headers_n = rows[i].n;
        CU_ASSERT_EQUAL(kit_handle_fetched(k, &req, &push, &reason), rows[i].want);
        kit_free(&k);
    }
}

/* RFC 4483 §4: of another size or hash than the push that named it said; what is dropped is not known, and may come again. */
static void other_content(void)
{
    static const struct kit_expected rows[] = {
        {.sized = true, .size = 1},
        {.sized = true, .size = 3},
        {.hashed = true, .sha1 = {0xc2}},
        {.sized = true, .size = 2, .hashed = true},
        {.sized = false, .size = 9, .hashed = false}, /* nothing was said */
        {.sized = true, .size = 2},
        {.sized = true,
         .size = 2,
         .hashed = true,
         .sha1 = {0xc2, 0x2b, 0x5f, 0x91, 0x78, 0x34, 0x26, 0x09, 0x42, 0x8d,
                  0x6f, 0x51, 0xb2, 0xc5, 0xaf, 0x4c, 0x0b, 0xde, 0x6a, 0x42}}}; /* by sha1sum */
    struct kit_push push;
    const char *reason;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kit *k = kit_of((struct kit_conf){.floor = KIT_NONE});
        struct kit_request req = fetched(true);

        test_row(i);
        req.expected = &rows[i];
        CU_ASSERT_EQUAL(kit_handle_fetched(k, &req, &push, &reason), i < 4 ? KIT_DROPPED : KIT_PUSH);
        CU_ASSERT_STRING_EQUAL(reason, i < 4 ? "other-content" : "none");
        req.expected = NULL;
        CU_ASSERT_EQUAL(kit_handle_fetched(k, &req, &push, &reason), i < 4 ? KIT_PUSH : KIT_DUPLICATE);
        kit_free(&k);
    }
}

const struct test_case test_cases[] = {
    {"judged_as_a_push", judged_as_a_push},
    {"policy_holds", policy_holds},
    {"what_is_no_message", what_is_no_message},
    {"other_content", other_content},
    {NULL, NULL},
};
