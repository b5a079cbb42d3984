/* In which form a terminal gets a content. */
#include "ppg/content.h"

#include <string.h>
#include "tests/unit/harness.h"

#define SI  "<?xml version=\"1.0\"?><si><indication href=\"http://www.a.example/\">Hi</indication></si>"
#define SIC "application/vnd.wap.sic"

static const char no[] = "Content-Language: en\r\nCache-Control: max-age=5, No-Transform\r\n";
static const struct {
    const char *type, *body, *headers, *app, *accept, *apps;
    uint64_t size_max;
    enum pap_code want;
    bool transformed;
} choices[] = {
    /* nothing known, or taken as it is */
    {"text/vnd.wap.si", SI, "", "", "", "", 0, PAP_CODE_OK, false},
    {"text/vnd.wap.si", SI, "", "", "text/vnd.wap.si", "", 0, PAP_CODE_OK, false},
    {"text/vnd.wap.si; charset=utf-8", SI, "", "", SIC ", text/*", "", 0, PAP_CODE_OK, false},
    {"text/plain", "x", "", "", "*/*", "", 1, PAP_CODE_OK, false},
    {SIC, "x", "", "", SIC, "", 0, PAP_CODE_OK, false},
    {"text/vnd.wap.si", "<broken", "", "", "", "", 0, PAP_CODE_OK, false},
    /* tokenised only */
    {"text/vnd.wap.si", SI, "", "", SIC, "", 0, PAP_CODE_OK, true},
    {"TEXT/vnd.wap.SI; charset=utf-8", SI, "", "", "application/*", "", 0, PAP_CODE_OK, true},
    {"text/vnd.wap.sl", "<sl href=\"http://a/\"/>", "", "", "application/vnd.wap.slc", "", 0, PAP_CODE_OK,
     true},
    {"text/vnd.wap.si", SI, "Cache-Control: no-store\r\nX-Note: no-transform\r\n", "", SIC, "", 0,
     PAP_CODE_OK, true},
    /* both taken, but the text is too long */
    {"text/vnd.wap.si", SI, "", "", "text/vnd.wap.si," SIC, "", 60, PAP_CODE_OK, true},
    {"text/vnd.wap.si", SI, "", "", "", "", 60, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, false},
    {"text/vnd.wap.si", SI, "", "", SIC, "", 5, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, false},
    {"text/plain", "xx", "", "", "", "", 1, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, false},
    /* no form is taken, or it may not be made */
    {"text/vnd.wap.si", SI, NULL, "", SIC, "", 0, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, false},
    {"text/vnd.wap.si", SI, "", "", "application/vnd.wap.slc", "", 0, PAP_CODE_CAPABILITIES_NOT_SUPPORTED,
     false},
    {SIC, "x", "", "", "text/vnd.wap.si", "", 0, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, false},
    {"text/plain", "x", "", "", "text/html", "", 0, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, false},
    /* cannot be made */
    {"text/vnd.wap.si", "<si", "", "", SIC, "", 0, PAP_CODE_TRANSFORMATION_FAILURE, false},
    {"text/vnd.wap.si", "<sl/>", "", "", SIC, "", 0, PAP_CODE_TRANSFORMATION_FAILURE, false},
    {"text/vnd.wap.si", "", "", "", SIC, "", 0, PAP_CODE_TRANSFORMATION_FAILURE, false},
    /* the application */
    {"text/plain", "x", "", "", "", "x-wap-application:mms.ua", 0, PAP_CODE_CAPABILITIES_NOT_SUPPORTED,
     false},
    {"text/plain", "x", "", "", "", "2, 4", 0, PAP_CODE_OK, false},
    {"text/plain", "x", "", "x-wap-application:mms.ua", "", "4", 0, PAP_CODE_OK, false},
    {"text/plain", "x", "", "x-other", "", "2, 4", 0, PAP_CODE_CAPABILITIES_NOT_SUPPORTED, false},
};

static void rows(void)
{
    for (size_t i = 0; i < COUNT(choices); i++) {
        const struct ppg_push push = {.content_type = slice_str(choices[i].type),
                                      .body = slice_str(choices[i].body),
                                      .headers = slice_str(choices[i].headers ? choices[i].headers : no),
                                      .app_id = slice_str(choices[i].app)};
        const struct ota_profile profile = {.accept = slice_str(choices[i].accept),
                                            .app_ids = slice_str(choices[i].apps),
                                            .size_max = choices[i].size_max,
                                            .known = true};
        struct ppg_content content = {.type = SLICE("untouched")};
        const char *why = NULL;
        struct buf made;

        test_row(i);
        buf_init(&made, PPG_CONTENT_MADE_MAX_N);
        CU_ASSERT(ppg_content_choose(&push, &profile, false, &made, &content, &why) == choices[i].want);
        CU_ASSERT((why == NULL) == (choices[i].want == PAP_CODE_OK));
        if (choices[i].want != PAP_CODE_OK) {
            TEST_SLICE_EQ(content.type, SLICE("untouched"));
        } else if (choices[i].transformed) {
            CU_ASSERT(content.transformed && content.body.p == made.p && content.body.n > 4);
            CU_ASSERT(content.body.p[0] == 2 && slice_starts(content.type, SLICE("application/vnd.wap.s")));
        } else {
            CU_ASSERT(!content.transformed && content.body.p == push.body.p && made.n == 0);
            TEST_SLICE_EQ(content.type, push.content_type);
        }
        buf_clear(&made);
    }
}

static const struct ppg_push si = {.content_type = SLICE("text/vnd.wap.si"), .body = SLICE(SI)};

/* What was made for one terminal serves the next. */
static void made_once(void)
{
    const struct ota_profile profile = {.accept = SLICE(SIC), .known = true};
    struct ppg_content first, second;
    const char *why;
    struct buf made;
    size_t n;

    buf_init(&made, PPG_CONTENT_MADE_MAX_N);
    CU_ASSERT(ppg_content_choose(&si, &profile, false, &made, &first, &why) == PAP_CODE_OK);
    n = made.n;
    CU_ASSERT(ppg_content_choose(&si, &profile, false, &made, &second, &why) == PAP_CODE_OK);
    CU_ASSERT(made.n == n && first.body.p == second.body.p && second.body.n == n);
    buf_clear(&made);
}

static void no_room_is_no_form(void)
{
    const struct ota_profile profile = {.accept = SLICE(SIC), .known = true};
    struct ppg_content content;
    const char *why;
    struct buf made;

    buf_init(&made, 8);
    CU_ASSERT(ppg_content_choose(&si, &profile, false, &made, &content, &why) ==
              PAP_CODE_TRANSFORMATION_FAILURE);
    CU_ASSERT(made.n == 0 && !buf_err(&made));
    CU_ASSERT(!ppg_content_other(&si, &profile, &made, &content));
    buf_clear(&made);
}

static void other_form_rows(void)
{
    const struct ppg_push fixed = {.content_type = SLICE("text/vnd.wap.si"),
                                   .body = SLICE(SI),
                                   .headers = SLICE("Cache-Control: no-transform\r\n")};
    const struct ppg_push broken = {.content_type = SLICE("text/vnd.wap.si"), .body = SLICE("<si>")};
    const struct ppg_push plain = {.content_type = SLICE("text/plain"), .body = SLICE(SI)};
    const struct {
        const struct ppg_push *push;
        struct ota_profile profile;
        bool want;
    } rows[] = {
        {&si, {.known = false}, true},
        {&si, {.accept = SLICE("text/vnd.wap.si, " SIC)}, true},
        {&si, {.accept = SLICE("text/vnd.wap.si")}, false},
        {&si, {.size_max = 5}, false},
        {&fixed, {.known = false}, false},
        {&broken, {.known = false}, false},
        {&plain, {.known = false}, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_content content = {.transformed = false};
        struct buf made;

        test_row(i);
        buf_init(&made, PPG_CONTENT_MADE_MAX_N);
        CU_ASSERT(ppg_content_other(rows[i].push, &rows[i].profile, &made, &content) == rows[i].want);
        CU_ASSERT(content.transformed == rows[i].want);
        buf_clear(&made);
    }
}

/* RFC 2046 §5.2.3, RFC 4483 §4: where it is, how long and how much stands in the type, what it is in the body. */
static void told_where(void)
{
    const struct ppg_push push = {
        .content_type = SLICE("image/png"), .body = SLICE("abc"), .expires_ms = 1784023200999};
    const struct ppg_content form = ppg_content_plain(&push);
    struct ppg_content c = {.transformed = true};
    struct ppg_content_place at;
    struct buf made;

    CU_ASSERT_FATAL(ppg_content_place(&push, &form, &at) == ERR_OK);
    at.url = SLICE("https://gw:1/inbox/a-1");
    at.host = SLICE("gw");
    at.id = SLICE("a-1");
    buf_init(&made, PPG_CONTENT_MADE_MAX_N);
    CU_ASSERT_FATAL(ppg_content_notice(&at, &made, &c) == ERR_OK);
    TEST_SLICE_EQ(c.type, SLICE("message/external-body; access-type=URL; URL=\"https://gw:1/inbox/a-1\"; "
                                "expiration=\"Tue, 14 Jul 2026 10:00:00 GMT\"; size=3; "
                                "hash=a9993e364706816aba3e25717850c26c9cd0d89d"));
    TEST_SLICE_EQ(c.body,
                  SLICE("Content-Type: image/png\r\nContent-ID: <a-1@gw>\r\nContent-Length: 3\r\n\r\n"));
    CU_ASSERT(c.notice && !c.transformed);
    buf_clear(&made);
    buf_init(&made, 10);
    CU_ASSERT(ppg_content_notice(&at, &made, &c) == ERR_LIMIT);
    buf_clear(&made);
}

const struct test_case test_cases[] = {
    {"rows", rows},
    {"made_once", made_once},
    {"no_room_is_no_form", no_room_is_no_form},
    {"other_form_rows", other_form_rows},
    {"told_where", told_where},
    {NULL, NULL},
};
