/* Whitelist decisions: rows, conditions, and random lists against a walk from the first line. */
#include "security/rules/whitelist.h"

#include <stdio.h>
#include "security/rules/addrset.h"
#include "tests/unit/harness.h"

/* A list made of lines; "@set" and "$set" hold the addresses given. */
static struct sec_whitelist *list_of(const char *const *lines, size_t n, const char *const *addresses,
                                     size_t an)
{
    struct sec_whitelist *w = NULL;

    MUST(sec_whitelist_create("test.list", &w) == ERR_OK);
    for (size_t i = 0; i < n; i++) {
        struct sec_whitelist_line l;
        struct sec_addrset *set = NULL;
        const char *why = NULL;
        bool fresh = false;

        MUST(sec_whitelist_parse_line(slice_str(lines[i]), &l, &why) == ERR_OK);
        if (l.rule != SEC_RULE_ACL && (l.kind == SEC_RECIPIENT_FILE || l.kind == SEC_RECIPIENT_GROUP))
            MUST(sec_whitelist_set(w, l.recipient, &set, &fresh) == ERR_OK);
        for (size_t k = 0; fresh && k < an; k++)
            MUST(sec_addrset_add(set, slice_str(addresses[k])) == ERR_OK);
        MUST(sec_whitelist_add(w, &l, (uint32_t)i + 1, set) == ERR_OK);
    }
    return w;
}

static struct sec_whitelist_query ask(const char *initiator, const char *recipient, const char *application)
{
    return (struct sec_whitelist_query){.initiator = slice_str(initiator),
                                        .recipient = slice_str(recipient),
                                        .application = slice_str(application),
                                        .type = SLICE("text/plain"),
                                        .size = 100};
}

static const struct {
    const char *initiator, *recipient, *application;
    bool allow;
    uint32_t line;
    enum sec_level demanded;
} decide_rows[] = {
    {"mms", "+15554443333", "mms.ua", true, 1, SEC_LEVEL_NONE},
    {"mms", "tel:+1-555-444-3333", "mms.ua", true, 1, SEC_LEVEL_NONE},
    {"mms", "+15554443333", "other", false, 0, SEC_LEVEL_NONE},
    {"mms", "+15551234444", "other", true, 5, SEC_LEVEL_NONE},
    {"mms", "+15551234444", "mms.ua", true, 1, SEC_LEVEL_NONE},  /* the first allow, not the longest */
    {"mms", "+15551239999", "mms.ua", false, 3, SEC_LEVEL_NONE}, /* deny beats allow */
    {"mms", "+1-555-123-9999", "mms.ua", false, 3, SEC_LEVEL_NONE},
    {"mms", "+15556661111", "mms.ua", false, 6, SEC_LEVEL_NONE},
    {"mms", "+1555", "mms.ua", true, 1, SEC_LEVEL_NONE},
    {"mms", "+155", "mms.ua", false, 0, SEC_LEVEL_NONE},
    {"mms", "+15550000001", "x", true, 4, SEC_LEVEL_INTEGRITY}, /* by everybody's rule */
    {"who", "+15550000001", "x", true, 4, SEC_LEVEL_INTEGRITY},
    {"who", "+15550000002", "x", false, 0, SEC_LEVEL_NONE},
    {"*", "+15554443333", "mms.ua", false, 0, SEC_LEVEL_NONE}, /* no account has that name */
    {"MMS", "+15554443333", "mms.ua", false, 0, SEC_LEVEL_NONE},
    {"bank", "sip:alice@example.net", "x", true, 2, SEC_LEVEL_FULL},
    {"bank", "SIPS:alice@EXAMPLE.NET:5061;transport=tls", "x", true, 2, SEC_LEVEL_FULL},
    {"bank", "sip:alice@sub.example.net", "x", false, 0, SEC_LEVEL_NONE},
    {"bank", "sip:alice@example.net.evil", "x", false, 0, SEC_LEVEL_NONE},
    {"bank", "alice@example.net", "x", false, 0, SEC_LEVEL_NONE}, /* not a SIP address */
    {"bank", "sip:optout@example.net", "x", false, 3, SEC_LEVEL_NONE},
    {"bank", "sips:%6fptout@example.net;x=y", "x", false, 3, SEC_LEVEL_NONE},
    {"bank", "sip:Carol@OTHER.example", "x", true, 9, SEC_LEVEL_NONE},
    {"bank", "sip:carol@other.example", "x", false, 0, SEC_LEVEL_NONE},
    {"news", "anything", "news.ua", true, 7, SEC_LEVEL_NONE},
    {"news", "sip:bob@example.net", "news.ua", false, 8, SEC_LEVEL_NONE},
    {"news", "", "news.ua", false, 0, SEC_LEVEL_NONE}, /* bad addresses go nowhere */
    {"news", "a b", "news.ua", false, 0, SEC_LEVEL_NONE},
    {"news", "sip:x@y@z", "news.ua", false, 0, SEC_LEVEL_NONE},
};

static void test_decide_rows(void)
{
    static const char *const lines[] = {
        /* 1 */ "allow mms  +1555*              mms.ua",
        /* 2 */ "allow bank sip:*@example.net   *  protect=full",
        /* 3 */ "deny  *    @set                *",
        /* 4 */ "allow *    +15550000001        *  protect=integrity",
        /* 5 */ "allow mms  +1555123*           *",
        /* 6 */ "deny  mms  +1555666*           *",
        /* 7 */ "allow news *                   news.ua",
        /* 8 */ "deny  news sip:bob@example.net *",
        /* 9 */ "allow bank sip:Carol@other.example *",
    };
    static const char *const addresses[] = {"+15551239999", "sip:optout@example.net"};
    struct sec_whitelist *w = list_of(lines, COUNT(lines), addresses, COUNT(addresses));

    for (size_t i = 0; i < COUNT(decide_rows); i++) {
        struct sec_whitelist_query q =
            ask(decide_rows[i].initiator, decide_rows[i].recipient, decide_rows[i].application);
        struct sec_whitelist_verdict v;

        test_row(i);
        sec_whitelist_decide(w, &q, &v);
        CU_ASSERT(v.allow == decide_rows[i].allow && v.line == decide_rows[i].line &&
                  v.demanded == decide_rows[i].demanded);
        CU_ASSERT_STRING_EQUAL(v.file,
                               "test.list"); /* also when no rule decided: it is the list that has none */
    }
    CU_ASSERT(sec_whitelist_rules(w) == COUNT(lines) && sec_whitelist_addresses(w) == 2);
    CU_ASSERT(sec_whitelist_memory(w) > 0);
    sec_whitelist_free(&w);
}

static void test_decide_conditions(void)
{
    static const char *const lines[] = {
        "allow a * text  type=text/*",
        "allow a * exact type=text/Plain",
        "allow a * size  max-size=100",
        "allow a * uri   uri=https://h/app/*",
        "deny  a * uri   uri=https://h/app/bad*",
    };
    static const struct {
        const char *application, *type, *uri;
        uint64_t size;
        uint32_t line;
    } rows[] = {
        {"text", "TEXT/html", "", 1, 1},
        {"text", "textual/html", "", 1, 0},
        {"text", "", "", 1, 0},
        {"exact", "text/plain", "", 1, 2},
        {"exact", "text/plainer", "", 1, 0},
        {"size", "x/y", "", 100, 3},
        {"size", "x/y", "", 101, 0},
        {"size", "x/y", "", UINT64_MAX, 0},
        {"uri", "x/y", "https://h/app/x", 1, 4},
        {"uri", "x/y", "https://h/app/bad/x", 1, 5},
        {"uri", "x/y", "https://h/app/../x", 1, 0},
        {"uri", "x/y", "", 1, 0},
    };
    struct sec_whitelist *w = list_of(lines, COUNT(lines), NULL, 0);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_whitelist_query q = ask("a", "+1", rows[i].application);
        struct sec_whitelist_verdict v;

        test_row(i);
        q.type = slice_str(rows[i].type);
        q.uri = slice_str(rows[i].uri);
        q.size = rows[i].size;
        sec_whitelist_decide(w, &q, &v);
        CU_ASSERT(v.line == rows[i].line);
        CU_ASSERT(v.allow == (rows[i].line != 0 && rows[i].line != 5));
    }
    sec_whitelist_free(&w);
}

/* Terminals hand a push to its application without regard to case, so a rule must not look at it either. */
static void test_decide_application(void)
{
    static const char *const lines[] = {
        "allow a * *",
        "deny  a * mms.ua",
        "deny  a * X-Wap-Application:wta.ua",
        "deny  a * x-oma-application:ulp.ua",
        "allow b * mms.ua",
    };
    static const struct {
        const char *initiator, *application;
        uint32_t line;
    } rows[] = {
        {"a", "x-wap-application:wml.ua", 1}, {"a", "x-wap-application:mms.uax", 1},
        {"a", "x-wap-application:mms.ua", 2}, {"a", "mms.ua", 2},
        {"a", "X-WAP-Application:MMS.ua", 2}, {"a", "wta.UA", 3},
        {"a", "x-OMA-application:ulp.ua", 4}, {"a", "ulp.ua", 1},
        {"a", "x-wap-application:*", 2},      {"b", "x-wap-application:mms.ua", 5},
        {"b", "x-wap-application:MMS.UA", 5}, {"b", "x-wap-application:*", 0},
        {"b", "x-oma-application:mms.ua", 0},
    };
    struct sec_whitelist *w = list_of(lines, COUNT(lines), NULL, 0);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_whitelist_query q = ask(rows[i].initiator, "+1", rows[i].application);
        struct sec_whitelist_verdict v;

        test_row(i);
        sec_whitelist_decide(w, &q, &v);
        CU_ASSERT(v.line == rows[i].line);
    }
    sec_whitelist_free(&w);
}

/* A URI that is not the account's may be claimed by anybody: it opens nothing. */
static void test_decide_foreign_uri(void)
{
    static const char *const lines[] = {"allow a * * uri=https://h/*", "deny a * * uri=https://h/bad*"};
    static const struct {
        const char *uri;
        bool foreign;
        uint32_t line;
    } rows[] = {{"https://h/x", false, 1}, {"https://h/x", true, 0}, {"https://h/bad", true, 2}};
    struct sec_whitelist *w = list_of(lines, COUNT(lines), NULL, 0);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_whitelist_query q = ask("a", "+1", "x");
        struct sec_whitelist_verdict v;

        test_row(i);
        q.uri = slice_str(rows[i].uri);
        q.uri_foreign = rows[i].foreign;
        sec_whitelist_decide(w, &q, &v);
        CU_ASSERT(v.line == rows[i].line);
    }
    sec_whitelist_free(&w);
}

static void test_decide_empty_allows_nobody(void)
{
    struct sec_whitelist *w = list_of(NULL, 0, NULL, 0);
    struct sec_whitelist_query q = ask("a", "+1", "x");
    struct sec_whitelist_verdict v;

    sec_whitelist_decide(w, &q, &v);
    CU_ASSERT(!v.allow && v.line == 0);
    CU_ASSERT_STRING_EQUAL(v.reason, "no rule");
    sec_whitelist_free(&w);
    sec_whitelist_free(&w);
}

static void test_decide_time(void)
{
    static const char *const lines[] = {
        "allow a * day   time=08:00-20:00",
        "allow a * night time=22:00-06:00Z",
        "allow a * east  time=08:00-20:00+02:00",
        "deny a * day time=12:00-12:30",
    };
    static const struct {
        const char *application;
        int minute; /* of the day, UTC */
        uint32_t line;
    } rows[] = {
        {"day", 479, 0},   {"day", 480, 1},    {"day", 1199, 1},   {"day", 1200, 0}, {"day", 719, 1},
        {"day", 720, 4},   {"day", 749, 4},    {"day", 750, 1},    {"night", 0, 2},  {"night", 359, 2},
        {"night", 360, 0}, {"night", 1319, 0}, {"night", 1320, 2}, {"east", 359, 0}, {"east", 360, 3},
        {"east", 1079, 3}, {"east", 1080, 0},
    };
    struct sec_whitelist *w = list_of(lines, COUNT(lines), NULL, 0);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_whitelist_query q = ask("a", "+1", rows[i].application);
        struct sec_whitelist_verdict v;

        test_row(i);
        q.at_s = 19000 * 86400 + rows[i].minute * 60 + 59;
        sec_whitelist_decide(w, &q, &v);
        CU_ASSERT(v.line == rows[i].line && v.allow == (v.line && v.line != 4));
    }
    sec_whitelist_free(&w);
}

static void test_decide_asked_protection(void)
{
    static const char *const lines[] = {"allow a * *", "deny a +1 * asked=none", "deny a +2 * asked=full",
                                        "allow b * * asked=integrity protect=full"};
    static const struct {
        const char *initiator, *to;
        enum sec_level asked;
        uint32_t line;
    } rows[] = {
        {"a", "+1", SEC_LEVEL_NONE, 2}, {"a", "+1", SEC_LEVEL_INTEGRITY, 1}, {"a", "+1", SEC_LEVEL_FULL, 1},
        {"a", "+2", SEC_LEVEL_NONE, 1}, {"a", "+2", SEC_LEVEL_FULL, 3},      {"b", "+2", SEC_LEVEL_NONE, 0},
        {"b", "+2", SEC_LEVEL_FULL, 0}, {"b", "+2", SEC_LEVEL_INTEGRITY, 4},
    };
    struct sec_whitelist *w = list_of(lines, COUNT(lines), NULL, 0);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_whitelist_query q = ask(rows[i].initiator, rows[i].to, "x");
        struct sec_whitelist_verdict v;

        test_row(i);
        q.asked = rows[i].asked;
        sec_whitelist_decide(w, &q, &v);
        CU_ASSERT(v.line == rows[i].line);
        CU_ASSERT(v.demanded == (v.line == 4 ? SEC_LEVEL_FULL : SEC_LEVEL_NONE));
    }
    sec_whitelist_free(&w);
}

/* UC-B.1-4: what a terminal did not subscribe to is refused, and by which line. */
static void test_decide_subscriptions(void)
{
    static const char *const lines[] = {
        /* 1 */ "allow *    *      *",
        /* 2 */ "only  news +1     *",
        /* 3 */ "only  bank +1     mms.ua",
        /* 4 */ "only  news @set   * type=text/plain",
        /* 5 */ "deny  news +3     *",
        /* 6 */ "only  news +3     *",
        /* 7 */ "only  *    sip:*@h mms.ua",
        /* 8 */ "only  news +44*   * uri=https://n/*",
    };
    static const char *const members[] = {"+5", "+6"};
    static const struct {
        const char *initiator, *to, *application;
        uint32_t line;
        const char *reason;
    } rows[] = {
        {"news", "+1", "x", 1, "allow rule"},       {"bank", "+1", "mms.ua", 1, "allow rule"},
        {"bank", "+1", "x", 2, "not subscribed"},   {"spam", "+1", "mms.ua", 2, "not subscribed"},
        {"spam", "+2", "x", 1, "allow rule"},       {"news", "+5", "x", 1, "allow rule"},
        {"bank", "+6", "x", 4, "not subscribed"},   {"news", "+3", "x", 5, "deny rule"},
        {"bank", "+3", "x", 6, "not subscribed"},   {"a", "sip:u@h", "mms.ua", 1, "allow rule"},
        {"a", "sip:u@h", "x", 7, "not subscribed"}, {"a", "sip:u@i", "x", 1, "allow rule"},
        {"news", "+441", "x", 8, "not subscribed"}, {"a", "sip:u@h", "*", 7, "not subscribed"},
    };
    struct sec_whitelist *w = list_of(lines, COUNT(lines), members, COUNT(members));

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_whitelist_query q = ask(rows[i].initiator, rows[i].to, rows[i].application);
        struct sec_whitelist_verdict v;

        test_row(i);
        sec_whitelist_decide(w, &q, &v);
        CU_ASSERT(v.line == rows[i].line && v.allow == (rows[i].line == 1));
        CU_ASSERT_STRING_EQUAL(v.reason, rows[i].reason);
    }
    sec_whitelist_free(&w);
}

/* A subscription opens no door by itself. */
static void test_decide_subscription_is_no_permission(void)
{
    static const char *const lines[] = {"only news +1 *"};
    struct sec_whitelist *w = list_of(lines, COUNT(lines), NULL, 0);
    struct sec_whitelist_query q = ask("news", "+1", "x");
    struct sec_whitelist_verdict v;

    sec_whitelist_decide(w, &q, &v);
    CU_ASSERT(!v.allow && v.line == 0);
    CU_ASSERT_STRING_EQUAL(v.reason, "no rule");
    sec_whitelist_free(&w);
}

static void test_decide_group(void)
{
    static const char *const lines[] = {"allow a $set *", "deny b $set *", "allow b * *"};
    static const char *const members[] = {"$set", "+5", "sip:u@h"};
    static const struct {
        const char *initiator, *to;
        uint32_t line;
    } rows[] = {{"a", "$set", 1},    {"a", "+5", 1},     {"a", "sip:U@H", 0},
                {"a", "sip:u@H", 1}, {"a", "$other", 0}, {"a", "+6", 0},
                {"b", "$set", 2},    {"b", "+5", 2},     {"b", "+6", 3}};
    struct sec_whitelist *w = list_of(lines, COUNT(lines), members, COUNT(members));

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_whitelist_query q = ask(rows[i].initiator, rows[i].to, "x");
        struct sec_whitelist_verdict v;

        test_row(i);
        sec_whitelist_decide(w, &q, &v);
        CU_ASSERT(v.line == rows[i].line);
    }
    sec_whitelist_free(&w);
}

/* DM-16, DM-17: the same decision for status queries and cancels. */
static void test_decide_about_pushes_of_others(void)
{
    static const char *const lines[] = {
        "allow * * *",
        "acl /push Get=auditor",
        "acl /push/bank Get=desk&Delete=desk",
        "deny auditor * *",
    };
    static const struct {
        enum sec_operation operation;
        const char *who, *owner;
        bool allow;
        uint32_t line;
        const char *reason;
    } rows[] = {
        {SEC_STATUS, "news", "news", true, 0, "own push"}, {SEC_CANCEL, "news", "news", true, 0, "own push"},
        {SEC_STATUS, "auditor", "news", true, 2, "acl"},   {SEC_CANCEL, "auditor", "news", false, 2, "acl"},
        {SEC_STATUS, "auditor", "bank", false, 3, "acl"},  {SEC_STATUS, "desk", "bank", true, 3, "acl"},
        {SEC_CANCEL, "desk", "bank", true, 3, "acl"},      {SEC_STATUS, "desk", "news", false, 2, "acl"},
        {SEC_STATUS, "spam", "bank", false, 3, "acl"},
    };
    struct sec_whitelist *w = list_of(lines, COUNT(lines), NULL, 0);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_whitelist_query q = {.operation = rows[i].operation,
                                        .initiator = slice_str(rows[i].who),
                                        .owner = slice_str(rows[i].owner),
                                        .push_id = SLICE("1@x")};
        struct sec_whitelist_verdict v;

        test_row(i);
        sec_whitelist_decide(w, &q, &v);
        CU_ASSERT(v.allow == rows[i].allow && v.line == rows[i].line);
        CU_ASSERT_STRING_EQUAL(v.reason, rows[i].reason);
    }
    CU_ASSERT(sec_whitelist_reaches_others(w, SEC_STATUS, SLICE("auditor")));
    CU_ASSERT(!sec_whitelist_reaches_others(w, SEC_CANCEL, SLICE("auditor")));
    CU_ASSERT(sec_whitelist_reaches_others(w, SEC_CANCEL, SLICE("desk")));
    CU_ASSERT(!sec_whitelist_reaches_others(w, SEC_STATUS, SLICE("news")));
    sec_whitelist_free(&w);
}

/* --- random lists over a small world, against a walk over the lines that knows no index --- */

static const char *const twin_members[] = {"+12", "+1239", "sip:x@h"};

static unsigned random_of(unsigned *state, unsigned n)
{
    *state = *state * 1103515245u + 12345u;
    return (*state >> 16) % n;
}

#define PICK(state, pool) (pool)[random_of(state, COUNT(pool))]

static void random_line(unsigned *state, char *out, size_t n)
{
    static const char *const verdicts[] = {"allow", "allow", "allow", "deny", "only"};
    static const char *const initiators[] = {"a", "b", "*"};
    static const char *const recipients[] = {"+1*",     "+12*",    "+1234",   "+12345", "*",     "@set",
                                             "sip:*@h", "sip:x@h", "sip:*@g", "$set",   "+1239*"};
    static const char *const applications[] = {"*", "*", "p.ua", "q.ua"};
    static const char *const conditions[] = {"",
                                             "",
                                             "",
                                             " type=text/*",
                                             " type=a/b",
                                             " uri=https://h/*",
                                             " asked=full",
                                             " time=08:00-20:00",
                                             " time=22:00-06:00+01:00 asked=none"};
    const char *verdict = PICK(state, verdicts), *more = "";

    if (*verdict == 'a')
        more = random_of(state, 3) ? "" : random_of(state, 2) ? " max-size=50" : " protect=full";
    (void)snprintf(out, n, "%s %s %s %s%s%s", verdict, PICK(state, initiators), PICK(state, recipients),
                   PICK(state, applications), PICK(state, conditions), more);
}

static struct sec_whitelist_query random_question(unsigned *state)
{
    static const char *const initiators[] = {"a", "b", "c"};
    static const char *const recipients[] = {"+1",     "+12", "+123",    "+1234",   "+12345",  "+1239",
                                             "+12390", "+2",  "sip:x@h", "sip:y@h", "sip:x@g", "sip:x@i"};
    static const char *const applications[] = {"p.ua", "q.ua", "r.ua"};
    static const char *const types[] = {"text/plain", "a/b", ""};
    static const char *const uris[] = {"https://h/x", "https://i/x", ""};
    struct sec_whitelist_query q =
        ask(PICK(state, initiators), PICK(state, recipients), PICK(state, applications));

    q.type = slice_str(PICK(state, types));
    q.uri = slice_str(PICK(state, uris));
    q.uri_foreign = random_of(state, 4) == 0;
    q.size = random_of(state, 100);
    q.asked = (enum sec_level)random_of(state, 3);
    q.at_s = 1700000000 + (int64_t)random_of(state, 1440) * 60;
    return q;
}

static bool naive_recipient(const struct sec_whitelist_line *l, struct slice to)
{
    struct slice user, domain = SLICE_NONE;
    bool listed = false;

    (void)slice_cut(to, '@', &user, &domain);
    for (size_t i = 0; i < COUNT(twin_members); i++)
        listed = listed || slice_eq(to, slice_str(twin_members[i]));
    switch (l->kind) {
    case SEC_RECIPIENT_EXACT:
        return slice_eq(l->recipient, to);
    case SEC_RECIPIENT_PREFIX:
        return slice_starts(to, l->recipient);
    case SEC_RECIPIENT_DOMAIN:
        return slice_eq(domain, l->recipient);
    case SEC_RECIPIENT_FILE:
    case SEC_RECIPIENT_GROUP:
        return listed;
    default:
        return true;
    }
}

static bool naive_conditions(const struct sec_whitelist_line *l, const struct sec_whitelist_query *q)
{
    bool any_app = slice_eq(l->application, SLICE("*"));
    int minute = (int)(q->at_s / 60 % 1440);

    if (!any_app && !slice_eq(l->application, q->application))
        return false;
    if (l->type.n && !(slice_eq(l->type, SLICE("text/*")) ? slice_starts(q->type, SLICE("text/"))
                                                          : slice_eq(l->type, q->type)))
        return false;
    if (l->uri.n &&
        (!slice_starts(q->uri, SLICE("https://h/")) || (q->uri_foreign && l->rule != SEC_RULE_DENY)))
        return false;
    if (l->hours.given && l->hours.from < l->hours.to && (minute < 480 || minute >= 1200))
        return false;
    if (l->hours.given && l->hours.from > l->hours.to && minute >= 300 && minute < 1260)
        return false;
    return q->size <= l->max_size && (l->asked == SEC_ASKED_ANY || l->asked == (int)q->asked);
}

struct naive {
    uint32_t allow, deny, only;
    bool subscribed;
};

static void naive_line(struct naive *n, const struct sec_whitelist_line *l, uint32_t line,
                       const struct sec_whitelist_query *q)
{
    bool mine = slice_eq(l->initiator, SLICE("*")) || slice_eq(l->initiator, q->initiator);
    bool matches = mine && naive_conditions(l, q);

    if (!naive_recipient(l, q->recipient))
        return;
    if (l->rule == SEC_RULE_ONLY) {
        n->only = n->only ? n->only : line;
        n->subscribed = n->subscribed || matches;
    } else if (matches) {
        uint32_t *at = l->rule == SEC_RULE_DENY ? &n->deny : &n->allow;

        *at = *at ? *at : line;
    }
}

#define TWIN_LINES 12

static void twin_round(const char *const *lines, unsigned *state)
{
    struct sec_whitelist *w = list_of(lines, TWIN_LINES, twin_members, COUNT(twin_members));
    struct sec_whitelist_line parsed[TWIN_LINES];
    const char *why;

    for (size_t i = 0; i < TWIN_LINES; i++)
        MUST(sec_whitelist_parse_line(slice_str(lines[i]), &parsed[i], &why) == ERR_OK);
    for (size_t k = 0; k < 60; k++) {
        struct sec_whitelist_query q = random_question(state);
        struct sec_whitelist_verdict v;
        struct naive n = {.allow = 0};
        uint32_t want;

        for (uint32_t i = 0; i < TWIN_LINES; i++)
            naive_line(&n, &parsed[i], i + 1, &q);
        want = n.deny ? n.deny : n.only && !n.subscribed ? n.only : n.allow;
        sec_whitelist_decide(w, &q, &v);
        CU_ASSERT(v.line == want && v.allow == (want && want == n.allow && !n.deny));
        CU_ASSERT(v.demanded == (v.allow ? parsed[want - 1].protect : SEC_LEVEL_NONE));
    }
    sec_whitelist_free(&w);
}

static void test_decide_naive_twin(void)
{
    unsigned state = 99;

    for (size_t round = 0; round < 600; round++) {
        char text[TWIN_LINES][128];
        const char *lines[TWIN_LINES];

        test_row(round);
        for (size_t i = 0; i < TWIN_LINES; i++) {
            random_line(&state, text[i], sizeof text[i]);
            lines[i] = text[i];
        }
        twin_round(lines, &state);
    }
}

const struct test_case test_cases[] = {
    {"decide_rows", test_decide_rows},
    {"decide_conditions", test_decide_conditions},
    {"decide_application", test_decide_application},
    {"decide_foreign_uri", test_decide_foreign_uri},
    {"decide_empty_allows_nobody", test_decide_empty_allows_nobody},
    {"decide_time", test_decide_time},
    {"decide_asked_protection", test_decide_asked_protection},
    {"decide_subscriptions", test_decide_subscriptions},
    {"decide_subscription_is_no_permission", test_decide_subscription_is_no_permission},
    {"decide_group", test_decide_group},
    {"decide_about_pushes_of_others", test_decide_about_pushes_of_others},
    {"decide_naive_twin", test_decide_naive_twin},
    {NULL, NULL},
};
