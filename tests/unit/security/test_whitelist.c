/* Whitelist decisions: rows, conditions, and random lists against a walk from the first line. */
#include "security/whitelist.h"

#include "security/addrset.h"
#include "tests/unit/harness.h"

/* A list made of lines; "@set" holds the addresses given. */
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
        if (l.kind == SEC_RECIPIENT_FILE)
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
        CU_ASSERT_STRING_EQUAL(v.file, v.line ? "test.list" : "");
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

/* Random lists over a small world against a walk from the first line to the last. */
static bool naive_matches(const struct sec_whitelist_line *l, struct slice initiator, struct slice to)
{
    struct slice user, domain = SLICE_NONE;

    if (!slice_eq(l->initiator, SLICE("*")) && !slice_eq(l->initiator, initiator))
        return false;
    (void)slice_cut(to, '@', &user, &domain);
    switch (l->kind) {
    case SEC_RECIPIENT_EXACT:
        return slice_eq(l->recipient, to);
    case SEC_RECIPIENT_PREFIX:
        return slice_starts(to, l->recipient);
    case SEC_RECIPIENT_DOMAIN:
        return slice_eq(domain, l->recipient);
    default:
        return l->kind == SEC_RECIPIENT_ANY;
    }
}

static void test_decide_naive_twin(void)
{
    static const char *const pool[] = {
        "allow a +1* *",     "allow b +12* *",    "deny a +123* *",   "allow * +1234 *",   "deny * +12345 *",
        "allow a * *",       "allow b sip:*@h *", "deny b sip:x@h *", "allow * sip:*@g *", "deny a sip:*@g *",
        "allow a sip:x@h *", "deny * +1239* *",   "allow b +1234* *",
    };
    static const char *const recipients[] = {"+1",     "+12", "+123",    "+1234",   "+12345",  "+1239",
                                             "+12390", "+2",  "sip:x@h", "sip:y@h", "sip:x@g", "sip:x@i"};
    static const char *const initiators[] = {"a", "b", "c"};
    unsigned state = 99;

    for (size_t round = 0; round < 300; round++) {
        const char *lines[8];
        struct sec_whitelist *w;

        for (size_t i = 0; i < COUNT(lines); i++) {
            state = state * 1103515245u + 12345u;
            lines[i] = pool[(state >> 16) % COUNT(pool)];
        }
        w = list_of(lines, COUNT(lines), NULL, 0);
        for (size_t k = 0; k < COUNT(recipients) * COUNT(initiators); k++) {
            struct sec_whitelist_query q = ask(initiators[k % 3], recipients[k / 3], "x");
            struct sec_whitelist_verdict v;
            uint32_t deny = 0, allow = 0;

            for (uint32_t i = COUNT(lines); i > 0; i--) {
                struct sec_whitelist_line l;
                const char *why;

                MUST(sec_whitelist_parse_line(slice_str(lines[i - 1]), &l, &why) == ERR_OK);
                if (naive_matches(&l, q.initiator, q.recipient))
                    *(l.allow ? &allow : &deny) = i;
            }
            sec_whitelist_decide(w, &q, &v);
            test_row(round * 100 + k);
            CU_ASSERT(v.line == (deny ? deny : allow) && v.allow == (!deny && allow));
        }
        sec_whitelist_free(&w);
    }
}

const struct test_case test_cases[] = {
    {"decide_rows", test_decide_rows},
    {"decide_conditions", test_decide_conditions},
    {"decide_application", test_decide_application},
    {"decide_foreign_uri", test_decide_foreign_uri},
    {"decide_empty_allows_nobody", test_decide_empty_allows_nobody},
    {"decide_naive_twin", test_decide_naive_twin},
    {NULL, NULL},
};
