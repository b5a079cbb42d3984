/* Tokens of pushes that ask to connect: once, for one terminal and content, for a while; bounded; rationed. */
#include "security/terminal/verify.h"

#include <pthread.h>
#include <string.h>
#include "base/mem.h"
#include "tests/unit/harness.h"

#define LIFE_MS 300000
#define UTC_MS  INT64_C(1800000000123)
#define MANY    ((struct rate){60000, 1000, 60000})

static struct sec_verify_content content_of(const char *text)
{
    struct sec_verify_content c;

    CU_ASSERT_FATAL(sec_verify_digest(slice_str(text), &c) == ERR_OK);
    return c;
}

static enum err issue_for(struct sec_verify *v, const char *terminal, const char *text, int64_t mono_ms,
                          char token[SEC_VERIFY_TOKEN_N])
{
    const struct sec_verify_content c = content_of(text);
    const struct sec_verify_push p = {.terminal = slice_str(terminal),
                                      .initiator = SLICE("https://bank.example/"),
                                      .content = &c,
                                      .life_ms = LIFE_MS,
                                      .utc_ms = UTC_MS,
                                      .mono_ms = mono_ms};

    return sec_verify_issue(v, &p, token);
}

static struct sec_verify_answer ask(struct sec_verify *v, const char *terminal, struct slice token,
                                    struct slice digest, int64_t mono_ms, struct rate rate)
{
    const struct sec_verify_ask q = {slice_str(terminal), token, digest, rate, mono_ms};
    struct sec_verify_answer a;

    sec_verify_ask(v, &q, &a);
    return a;
}

/* Two tokens: one of "+1000" for "content" made at 1000, one of "+1001" for "other". */
static const struct {
    const char *terminal, *content;
    int64_t at_ms;
    const char *token; /* NULL: the first one */
    enum sec_verify_word want;
} ask_rows[] = {
    {"+1000", "content", 1000, NULL, SEC_VERIFY_VALID},
    {"+1000", "content", 1000 + LIFE_MS - 1, NULL, SEC_VERIFY_VALID},
    {"+1000", "content", 1000 + LIFE_MS, NULL, SEC_VERIFY_INVALID}, /* expired */
    {"+1000", "content", INT64_C(1) << 40, NULL, SEC_VERIFY_INVALID},
    {"+1001", "content", 1000, NULL, SEC_VERIFY_INVALID}, /* another terminal's */
    {"+100", "content", 1000, NULL, SEC_VERIFY_INVALID},
    {"", "content", 1000, NULL, SEC_VERIFY_INVALID},
    {"+1000", "contenT", 1000, NULL, SEC_VERIFY_INVALID}, /* another content */
    {"+1000", "other", 1000, NULL, SEC_VERIFY_INVALID},
    {"+1000", "", 1000, NULL, SEC_VERIFY_INVALID},
    {"+1000", "content", 1000, "", SEC_VERIFY_INVALID}, /* forged */
    {"+1000", "content", 1000, "00000000000000000000000000000000", SEC_VERIFY_INVALID},
    {"+1000", "content", 1000, "token", SEC_VERIFY_INVALID},
};

static void asked(void)
{
    for (size_t i = 0; i < COUNT(ask_rows); i++) {
        char token[SEC_VERIFY_TOKEN_N] = "", other[SEC_VERIFY_TOKEN_N] = "";
        struct slice shown = slice_of(token, sizeof token);
        struct sec_verify_content c = content_of(ask_rows[i].content);
        struct sec_verify_answer a;
        struct sec_verify *v;

        test_row(i);
        CU_ASSERT_FATAL(sec_verify_create(10, &v) == ERR_OK);
        CU_ASSERT(issue_for(v, "+1000", "content", 1000, token) == ERR_OK);
        CU_ASSERT(issue_for(v, "+1001", "other", 1000, other) == ERR_OK);
        CU_ASSERT(memcmp(token, other, sizeof token) != 0);
        if (ask_rows[i].token)
            shown = slice_str(ask_rows[i].token);
        a = ask(v, ask_rows[i].terminal, shown, slice_of(c.digest, sizeof c.digest), ask_rows[i].at_ms, MANY);
        CU_ASSERT(a.word == ask_rows[i].want && a.reason != NULL);
        if (a.word == SEC_VERIFY_VALID) {
            CU_ASSERT(a.not_after_s == (UTC_MS + LIFE_MS) / 1000);
            TEST_SLICE_EQ(slice_of(a.initiator, a.initiator_n), SLICE("https://bank.example/"));
        } else {
            CU_ASSERT(a.not_after_s == 0 && a.initiator_n == 0);
        }
        CU_ASSERT(sec_verify_count(v) == (a.word == SEC_VERIFY_VALID ? 1 : 2));
        sec_verify_free(&v);
        CU_ASSERT_PTR_NULL(v);
    }
}

/* Not a second time; and what others ask about it takes nothing away. */
static void once(void)
{
    char token[SEC_VERIFY_TOKEN_N] = "";
    struct slice shown = slice_of(token, sizeof token);
    struct sec_verify_content c = content_of("content"), other = content_of("other");
    struct slice digest = slice_of(c.digest, sizeof c.digest);
    struct sec_verify *v;

    CU_ASSERT_FATAL(sec_verify_create(10, &v) == ERR_OK);
    CU_ASSERT(issue_for(v, "+1000", "content", 0, token) == ERR_OK);
    CU_ASSERT(ask(v, "+1001", shown, digest, 1, MANY).word == SEC_VERIFY_INVALID);
    CU_ASSERT(ask(v, "+1000", shown, slice_of(other.digest, sizeof other.digest), 2, MANY).word ==
              SEC_VERIFY_INVALID);
    CU_ASSERT(ask(v, "+1000", shown, slice_sub(digest, 0, 63), 2, MANY).word == SEC_VERIFY_INVALID);
    CU_ASSERT(ask(v, "+1000", shown, digest, 3, MANY).word == SEC_VERIFY_VALID);
    CU_ASSERT(ask(v, "+1000", shown, digest, 3, MANY).word == SEC_VERIFY_INVALID);
    CU_ASSERT(ask(v, "+1000", shown, digest, 4, MANY).word == SEC_VERIFY_INVALID);
    CU_ASSERT(sec_verify_count(v) == 0);
    sec_verify_free(&v);
}

/* At the ceiling no token is made and none is taken from anybody, until some are over. */
static void bounded(void)
{
    char first[SEC_VERIFY_TOKEN_N] = "", token[SEC_VERIFY_TOKEN_N] = "untouched";
    struct sec_verify_content c = content_of("content");
    struct sec_verify *v;

    CU_ASSERT(sec_verify_create(0, &v) == ERR_LIMIT);
    CU_ASSERT(sec_verify_create(SEC_VERIFY_TOKENS_MAX + 1, &v) == ERR_LIMIT);
    CU_ASSERT_FATAL(sec_verify_create(100, &v) == ERR_OK);
    CU_ASSERT(issue_for(v, "+1000", "content", 0, first) == ERR_OK);
    for (int i = 1; i < 100; i++)
        CU_ASSERT(issue_for(v, "+1000", "content", 1000, token) == ERR_OK);
    mem_copy(token, sizeof token, SLICE("untouched\0"));
    CU_ASSERT(issue_for(v, "+1000", "content", LIFE_MS - 1, token) == ERR_LIMIT);
    CU_ASSERT(strcmp(token, "untouched") == 0);
    CU_ASSERT(
        ask(v, "+1000", slice_of(first, sizeof first), slice_of(c.digest, sizeof c.digest), 1, MANY).word ==
        SEC_VERIFY_VALID);
    for (int i = 0; i < 100; i++)
        CU_ASSERT(issue_for(v, "+1000", "content", LIFE_MS + 1000 + i, token) == ERR_OK);
    CU_ASSERT(sec_verify_count(v) == 100);
    sec_verify_free(&v);
}

static void texts_that_are_too_long(void)
{
    static const char zeros[SEC_VERIFY_INITIATOR_MAX_N + 1];
    const struct sec_verify_content c = content_of("");
    struct sec_verify_push p = {.terminal = SLICE("+1000"), .content = &c, .life_ms = 1};
    char token[SEC_VERIFY_TOKEN_N] = "";
    struct sec_verify *v;

    CU_ASSERT_FATAL(sec_verify_create(1, &v) == ERR_OK);
    p.initiator = slice_of(zeros, sizeof zeros);
    CU_ASSERT(sec_verify_issue(v, &p, token) == ERR_LIMIT);
    p.initiator = slice_of(zeros, sizeof zeros - 1);
    CU_ASSERT(sec_verify_issue(v, &p, token) == ERR_OK);
    sec_verify_free(&v);
}

/* A terminal that guesses runs dry, and only it does; its own token waits for it. */
static void rationed(void)
{
    const struct rate rate = {60, 5, 60000};
    char token[SEC_VERIFY_TOKEN_N] = "";
    struct sec_verify_content c = content_of("content");
    struct slice digest = slice_of(c.digest, sizeof c.digest);
    struct sec_verify *v;
    unsigned waits = 0;

    CU_ASSERT_FATAL(sec_verify_create(10, &v) == ERR_OK);
    CU_ASSERT(issue_for(v, "+1000", "content", 0, token) == ERR_OK);
    for (int i = 0; i < 1000; i++)
        waits += ask(v, "+1000", SLICE("guess"), digest, 0, rate).word == SEC_VERIFY_WAIT;
    CU_ASSERT(waits == 995);
    CU_ASSERT(ask(v, "+1000", slice_of(token, sizeof token), digest, 0, rate).word == SEC_VERIFY_WAIT);
    CU_ASSERT(ask(v, "+1000", slice_of(token, sizeof token), digest, 0, rate).wait_ms == 1000);
    CU_ASSERT(ask(v, "+2000", SLICE("guess"), digest, 0, rate).word == SEC_VERIFY_INVALID);
    CU_ASSERT(ask(v, "+1000", slice_of(token, sizeof token), digest, 1000, rate).word == SEC_VERIFY_VALID);
    sec_verify_free(&v);
}

static void digests(void)
{
    /* FIPS 180-2, B.1 and the empty message */
    static const struct {
        const char *text, *want;
    } rows[] = {{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_verify_content c = content_of(rows[i].text);

        test_row(i);
        TEST_SLICE_EQ(slice_of(c.digest, sizeof c.digest), slice_str(rows[i].want));
    }
}

#define THREADS 4
#define ROUNDS  500

/* Each makes tokens and tries to use every one twice. */
static void *hammer(void *arg)
{
    struct sec_verify *v = arg;
    struct sec_verify_content c = content_of("content");
    size_t valid = 0;

    for (int i = 0; i < ROUNDS; i++) {
        char token[SEC_VERIFY_TOKEN_N] = "";
        struct slice digest = slice_of(c.digest, sizeof c.digest);

        if (issue_for(v, "+1000", "content", i, token))
            continue;
        for (int k = 0; k < 2; k++)
            valid +=
                ask(v, "+1000", slice_of(token, sizeof token), digest, i, (struct rate){.count = 0}).word ==
                SEC_VERIFY_VALID;
    }
    return valid == ROUNDS ? arg : NULL;
}

static void many_threads(void)
{
    pthread_t threads[THREADS];
    struct sec_verify *v;
    void *good;

    CU_ASSERT_FATAL(sec_verify_create(THREADS, &v) == ERR_OK);
    for (size_t i = 0; i < THREADS; i++)
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, hammer, v) == 0);
    for (size_t i = 0; i < THREADS; i++) {
        CU_ASSERT_FATAL(pthread_join(threads[i], &good) == 0);
        CU_ASSERT_PTR_NOT_NULL(good);
    }
    CU_ASSERT(sec_verify_count(v) == 0);
    sec_verify_free(&v);
}

const struct test_case test_cases[] = {{"asked", asked},
                                       {"once", once},
                                       {"bounded", bounded},
                                       {"texts_that_are_too_long", texts_that_are_too_long},
                                       {"rationed", rationed},
                                       {"digests", digests},
                                       {"many_threads", many_threads},
                                       {NULL, NULL}};
