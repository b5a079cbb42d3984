/* Whitelist lines: good ones, blank ones, and many bad ones. */
#include "security/rules/whitelist.h"

#include "tests/unit/harness.h"

static void test_line_rows(void)
{
    static const struct {
        const char *in;
        enum sec_recipient_kind kind;
        const char *recipient;
    } rows[] = {
        {"allow mms +1555* mms.ua", SEC_RECIPIENT_PREFIX, "+1555"},
        {"  allow\tbank   sip:*@example.net  *   protect=full  ", SEC_RECIPIENT_DOMAIN, "example.net"},
        {"deny * @optout.list *", SEC_RECIPIENT_FILE, "optout.list"},
        {"allow a * x-wap-application:push.ua # who", SEC_RECIPIENT_ANY, "*"},
        {"allow a sip:bob@example.net *", SEC_RECIPIENT_EXACT, "sip:bob@example.net"},
        {"allow a +15551234567 *", SEC_RECIPIENT_EXACT, "+15551234567"},
        {"allow a 1* *", SEC_RECIPIENT_PREFIX, "1"},
        {"deny a * * type=text/* uri=https://h/*", SEC_RECIPIENT_ANY, "*"},
        {"only bank sip:bob@example.net * time=08:00-20:00 asked=none", SEC_RECIPIENT_EXACT,
         "sip:bob@example.net"},
        {"deny * $staff *", SEC_RECIPIENT_GROUP, "staff"},
        {"allow a * * type=text/vnd.wap.si max-size=0 uri=https://h/ protect=none", SEC_RECIPIENT_ANY, "*"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_whitelist_line l;
        const char *why = "";

        test_row(i);
        CU_ASSERT_FATAL(sec_whitelist_parse_line(slice_str(rows[i].in), &l, &why) == ERR_OK);
        CU_ASSERT(l.kind == rows[i].kind);
        TEST_SLICE_EQ(l.recipient, slice_str(rows[i].recipient));
        CU_ASSERT(l.rule == (rows[i].in[0] == 'd'   ? SEC_RULE_DENY
                             : rows[i].in[0] == 'o' ? SEC_RULE_ONLY
                                                    : SEC_RULE_ALLOW));
    }
}

static void test_line_fields(void)
{
    struct sec_whitelist_line l;
    const char *why;

    CU_ASSERT_FATAL(sec_whitelist_parse_line(
                        SLICE("allow bank +1* app protect=integrity max-size=1024 type=a/b uri=https://h/*"),
                        &l, &why) == ERR_OK);
    TEST_SLICE_EQ(l.initiator, SLICE("bank"));
    TEST_SLICE_EQ(l.application, SLICE("app"));
    CU_ASSERT(l.protect == SEC_LEVEL_INTEGRITY && l.max_size == 1024);
    TEST_SLICE_EQ(l.type, SLICE("a/b"));
    TEST_SLICE_EQ(l.uri, SLICE("https://h/*"));
    CU_ASSERT_FATAL(
        sec_whitelist_parse_line(SLICE("deny a * * asked=full time=22:00-06:00-01:30"), &l, &why) == ERR_OK);
    CU_ASSERT(l.asked == SEC_LEVEL_FULL && l.hours.from == 1320 && l.hours.to == 360 && l.hours.east == -90);
    CU_ASSERT_FATAL(sec_whitelist_parse_line(SLICE("acl /push/bank Get=a+b # desk"), &l, &why) == ERR_OK);
    CU_ASSERT(l.rule == SEC_RULE_ACL);
    TEST_SLICE_EQ(l.path, SLICE("/push/bank"));
    TEST_SLICE_EQ(l.acl, SLICE("Get=a+b"));
    CU_ASSERT_FATAL(sec_whitelist_parse_line(SLICE("deny * * *"), &l, &why) == ERR_OK);
    CU_ASSERT(l.asked == SEC_ASKED_ANY && !l.hours.given);
    CU_ASSERT(l.protect == SEC_LEVEL_NONE && l.max_size == UINT64_MAX && l.type.n == 0 && l.uri.n == 0);
}

static void test_line_blank(void)
{
    static const char *const rows[] = {"", " ", "\t", "# allow * * *", "   #", "#"};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_whitelist_line l;
        const char *why = NULL;

        test_row(i);
        CU_ASSERT(sec_whitelist_parse_line(slice_str(rows[i]), &l, &why) == ERR_ABSENT);
        CU_ASSERT(why == NULL);
    }
}

static const char *const refused_rows[] = {
    "permit a * *",
    "only a *",
    "only a * * protect=full",
    "only a * * max-size=1",
    "allow a $ *",
    "allow a $* *",
    "allow a $a,b *",
    "allow a @$staff *",
    "allow a * * asked=",
    "allow a * * asked=some",
    "allow a * * asked=full asked=full",
    "allow a * * time=",
    "allow a * * time=8-20",
    "allow a * * time=08:00-08:00",
    "allow a * * time=08:00-20:00+",
    "allow a * * time=08:00-20:00 time=08:00-20:00",
    "acl",
    "acl /push",
    "acl /push Get=a x",
    "acl push Get=a",
    "acl /push Exec=a",
    "ALLOW a * *",
    "allow",
    "allow a",
    "allow a *",
    "allow a * # *",
    "allow a* * *",
    "allow ** * *",
    "allow a,b * *",
    "allow a ** *",
    "allow a +1*5 *",
    "allow a +* *x",
    "allow a 15x* *",
    "allow a +123456789012345678901234567890123* *",
    "allow a @ *",
    "allow a sip:*@ *",
    "allow a sip:*@a* *",
    "allow a sip:*@a/b *",
    "allow a sip:*x@h *x",
    "allow a sip:@h *",
    "allow a a@b*c *",
    "allow a * app*",
    "allow a * **",
    "allow a * * protect",
    "allow a * * protect=",
    "allow a * * protect=FULL",
    "allow a * * protect=full protect=none",
    "allow a * * protect=none protect=full",
    "deny a * * protect=full",
    "deny a * * max-size=5",
    "allow a * * max-size=",
    "allow a * * max-size=-1",
    "allow a * * max-size=1k",
    "allow a * * max-size=1 max-size=2",
    "allow a * * max-size=18446744073709551615",
    "allow a * * max-size=18446744073709551616",
    "allow a * * type=text",
    "allow a * * type=*/*",
    "allow a * * type=text/",
    "allow a * * type=a/b type=a/c",
    "allow a * * uri=*",
    "allow a * * uri=https://*",
    "allow a * * uri=https://h/* uri=https://i/*",
    "allow a * * color=red",
    "allow a * * *",
    "allow a\x01 * *",
    "allow a * *\x7f",
    "allow a * * \x01",
    "\x01",
};

static void test_line_refused(void)
{
    for (size_t i = 0; i < COUNT(refused_rows); i++) {
        struct sec_whitelist_line l = {.max_size = 77};
        const char *why = NULL;

        test_row(i);
        CU_ASSERT(sec_whitelist_parse_line(slice_str(refused_rows[i]), &l, &why) == ERR_MALFORMED);
        CU_ASSERT(why != NULL && l.max_size == 77);
    }
}

static void test_line_too_long(void)
{
    char line[SEC_WHITELIST_LINE_MAX_N + 1];
    struct sec_whitelist_line l;
    const char *why = NULL;

    memset(line, ' ', sizeof line);
    CU_ASSERT(sec_whitelist_parse_line(slice_of(line, sizeof line - 1), &l, &why) == ERR_ABSENT);
    CU_ASSERT(sec_whitelist_parse_line(slice_of(line, sizeof line), &l, &why) == ERR_LIMIT);
    CU_ASSERT(why != NULL);
}

const struct test_case test_cases[] = {
    {"line_rows", test_line_rows},         {"line_fields", test_line_fields},
    {"line_blank", test_line_blank},       {"line_refused", test_line_refused},
    {"line_too_long", test_line_too_long}, {NULL, NULL},
};
