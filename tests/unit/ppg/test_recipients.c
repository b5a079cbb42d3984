/* Addresses to targets: duplicates, groups and their members, who the whitelist lets through and by which rule, who
 * leaves a group and what then becomes of it. */
#include "ppg/recipients.h"

#include <stdio.h>
#include <stdlib.h>
#include "tests/unit/ppg/core_fix.h"

#define GROUPS                                                                                               \
    "[group a]\nmember = +1000\nmember = +1001\n[group d]\nmember = sip:u@h.example\nmember = "              \
    "+1000\n[group b]\nbare = yes\nmember = +1001\nmember = +1002\n"                                         \
    "[group far]\nmember = +1000\nmember = +7\nmember = +8\n[group gone]\nmember = +7\nmember = +8\n[group " \
    "none]\n"

static void write_file(const char *name, const char *text)
{
    char path[600];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", test_scratch(), name);
    f = fopen(path, "we");
    CU_ASSERT_FATAL(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* Terminals +1000 to +1003, those groups, and these rules. */
static struct replay_world *start(const char *name, const char *rules)
{
    struct replay_world *w = fix_world(name, 4, "ok");

    write_file("groups.conf", GROUPS);
    write_file("rules.conf", rules);
    replay_set(w, "files", "groups", "groups.conf");
    replay_set(w, "files", "whitelist", "rules.conf");
    fix_start(w);
    return w;
}

/* A submission of `pi` to a list of addresses. */
static void begin(struct replay_world *w, struct ppg_submission *s, struct slice to[16], const char *list)
{
    struct slice left = slice_str(list), item;

    *s = (struct ppg_submission){.core = &w->cores[0].core};
    s->push = ppg_push_create(1024, 1u << 16);
    CU_ASSERT_FATAL(s->push != NULL);
    s->push->initiator = SLICE("pi");
    s->push->push_id = SLICE("i");
    s->push->content_type = SLICE("text/plain");
    s->message.push.addrs.v = to;
    while (slice_item(&left, &item))
        to[s->message.push.addrs.n++] = item;
}

static void end(struct ppg_submission *s)
{
    ppg_push_drop(s->push);
}

/* "+1000 $a[+1001 +1002]" */
static void layout(const struct ppg_push *p, char out[500])
{
    size_t n = 0;
    uint32_t members = 0;

    out[0] = 0;
    for (size_t i = 0; i < p->targets_n; i++) {
        const struct ppg_target *t = &p->targets[i];
        const char *before = n && out[n - 1] != '[' ? " " : "";

        n += (size_t)snprintf(out + n, 500 - n, "%s%.*s%s", before, SLICE_FMT(t->key),
                              t->members_n ? "[" : "");
        if (t->members_n)
            members = t->members_n;
        else if (members && --members == 0)
            n += (size_t)snprintf(out + n, 500 - n, "]");
    }
}

static void taken(void)
{
    static const struct {
        const char *to;
        enum pap_code want;
        const char *layout;
    } rows[] = {
        {"+1000", PAP_CODE_ACCEPTED, "+1000"},
        {"WAPPUSH=+1-000/TYPE=PLMN, +1001, +1000", PAP_CODE_ACCEPTED, "+1000 +1001"},
        {"$a", PAP_CODE_ACCEPTED, "$a[+1000 +1001]"},
        {"WAPPUSH=%24a/TYPE=USER@ppg", PAP_CODE_ACCEPTED, "$a[+1000 +1001]"},
        {"b", PAP_CODE_ACCEPTED, "$b[+1001 +1002]"},
        {"$b, b, WAPPUSH=b/TYPE=USER", PAP_CODE_ACCEPTED, "$b[+1001 +1002]"},
        {"a", PAP_CODE_ACCEPTED, "a"},
        {"$a, $b", PAP_CODE_ACCEPTED, "$a[+1000 +1001] $b[+1002]"},
        {"$a, +1003, +1001", PAP_CODE_ACCEPTED, "$a[+1000] +1003 +1001"},
        {"+1001, $b, $a, +1003", PAP_CODE_ACCEPTED, "+1001 $b[+1002] $a[+1000] +1003"},
        {"$d", PAP_CODE_ACCEPTED, "$d[sip:u@h.example +1000]"},
        {"$d, sip:u@h.example;gr=urn:1, sip:u@H.example;gr=urn:2, sip:u@h.example;gr=urn:1",
         PAP_CODE_ACCEPTED,
         "$d[+1000] sip:u@h.example sip:u@h.example"}, /* its devices are two, and it is not pushed a third time */
        {"sip:u@h.example;gr=urn:1, sip:u@h.example", PAP_CODE_ACCEPTED, "sip:u@h.example sip:u@h.example"},
        {"sip:u@h.example;gr=urn:1, +1000, $d", PAP_CODE_ADDRESS_ERROR, NULL},
        {"$d, sip:v@h.example;gr=urn:1, sip:u@h.example;x=gr", PAP_CODE_ACCEPTED,
         "$d[+1000] sip:v@h.example sip:u@h.example"},
        {"$c", PAP_CODE_ADDRESS_ERROR, NULL},
        {"$A", PAP_CODE_ADDRESS_ERROR, NULL},
        {"$", PAP_CODE_ADDRESS_ERROR, NULL},
        {"$none", PAP_CODE_ADDRESS_ERROR, NULL},
        {"+1000, $none", PAP_CODE_ADDRESS_ERROR, NULL},
        {"$a, +1000, +1001", PAP_CODE_ADDRESS_ERROR, NULL}, /* nobody of the group is left */
        {"$a, $b, $far, $gone, +1000, +1001, +1002", PAP_CODE_ADDRESS_ERROR, NULL},
        {"WAPPUSH=", PAP_CODE_ADDRESS_ERROR, NULL},
    };
    struct replay_world *w = start("recipients-taken", "allow pi * *\n");

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_submission s;
        struct slice to[16];
        char got[500];

        test_row(i);
        begin(w, &s, to, rows[i].to);
        CU_ASSERT(ppg_recipients_take(&s) == rows[i].want);
        CU_ASSERT(!rows[i].layout == (*s.why != 0));
        layout(s.push, got);
        if (rows[i].layout)
            CU_ASSERT_STRING_EQUAL(got, rows[i].layout);
        end(&s);
    }
    fix_end(w);
}

/* [PAP §8.5]: the first address that is bad, by its form or by the whitelist. */
static void first_bad_address(void)
{
    static const struct {
        const char *to;
        enum pap_code want;
        const char *why;
    } rows[] = {
#define MAY_NOT "this initiator may not push this to that recipient"
        {"+1000, WAPPUSH=", PAP_CODE_ADDRESS_ERROR, "address is malformed or of an unknown type"},
        {"+1003, WAPPUSH=", PAP_CODE_FORBIDDEN, MAY_NOT},
        {"+1000, +1003, +1001, WAPPUSH=", PAP_CODE_FORBIDDEN, MAY_NOT},
        {"WAPPUSH=, +1003", PAP_CODE_ADDRESS_ERROR, "address is malformed or of an unknown type"},
        {"+1003, $c", PAP_CODE_FORBIDDEN, MAY_NOT},
        {"$c, +1003", PAP_CODE_ADDRESS_ERROR, "there is no such group"},
        {"$a, +1003, $none", PAP_CODE_FORBIDDEN, MAY_NOT},
        {"$a, $none, +1003", PAP_CODE_ADDRESS_ERROR, "the group has no members"},
        {"$far, WAPPUSH=", PAP_CODE_ADDRESS_ERROR, "address is malformed or of an unknown type"},
        {"$gone, WAPPUSH=", PAP_CODE_FORBIDDEN, "no member of the group may be reached with this push"},
        {"+1000, +1001, $a, +1003, WAPPUSH=", PAP_CODE_ADDRESS_ERROR,
         "every member of the group is addressed otherwise in this push"},
        {"+1003, +1000, +1001, $a, WAPPUSH=", PAP_CODE_FORBIDDEN, MAY_NOT},
        {"+1000, +1000, WAPPUSH=, +1003", PAP_CODE_ADDRESS_ERROR,
         "address is malformed or of an unknown type"},
    };
    struct replay_world *w =
        start("recipients-first-bad", "allow pi * *\ndeny pi +1003 *\ndeny pi +7 *\ndeny pi +8 *\n");

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_submission s;
        struct slice to[16];

        test_row(i);
        begin(w, &s, to, rows[i].to);
        CU_ASSERT(ppg_recipients_take(&s) == rows[i].want);
        CU_ASSERT_STRING_EQUAL(s.why, rows[i].why);
        end(&s);
    }
    fix_end(w);
}

static void spelling_and_group(void)
{
    struct replay_world *w = start("recipients-spelling", "");
    struct ppg_submission s;
    struct slice to[16];

    begin(w, &s, to, "WAPPUSH=%24a/TYPE=USER, WAPPUSH=+1-003/TYPE=PLMN");
    CU_ASSERT(ppg_recipients_take(&s) == PAP_CODE_ACCEPTED);
    CU_ASSERT_FATAL(s.push->targets_n == 4);
    TEST_SLICE_EQ(s.push->targets[0].address, SLICE("WAPPUSH=%24a/TYPE=USER"));
    CU_ASSERT(s.push->targets[0].members_n == 2);
    TEST_SLICE_EQ(s.push->targets[1].address, SLICE("+1000"));
    CU_ASSERT(s.push->targets[1].members_n == 0);
    TEST_SLICE_EQ(s.push->targets[3].address, SLICE("WAPPUSH=+1-003/TYPE=PLMN"));
    end(&s);
    fix_end(w);
}

/* What the whitelist and then the way there leave of it. */
static void left_over(void)
{
    static const struct {
        const char *rules, *to;
        enum pap_code allow, reach;
        const char *layout;
    } rows[] = {
        {"allow pi * *\n", "$a, +1002", PAP_CODE_ACCEPTED, PAP_CODE_ACCEPTED, "$a[+1000 +1001] +1002"},
        {"allow pi +1* *\nallow pi $a *\n", "$a", PAP_CODE_ACCEPTED, PAP_CODE_ACCEPTED, "$a[+1000 +1001]"},
        {"allow pi * *\ndeny * +1000 *\n", "$a, $b", PAP_CODE_ACCEPTED, PAP_CODE_ACCEPTED,
         "$a[+1001] $b[+1002]"},
        {"allow pi * *\n", "$far, +1003", PAP_CODE_ACCEPTED, PAP_CODE_ACCEPTED, "$far[+1000] +1003"},
        {"allow pi * *\n", "+1001, $gone", PAP_CODE_ACCEPTED, PAP_CODE_ADDRESS_ERROR, NULL},
        {"allow pi * *\n", "+1001, +7", PAP_CODE_ACCEPTED, PAP_CODE_ADDRESS_ERROR, NULL},
        {"allow pi +1* *\n", "$a", PAP_CODE_FORBIDDEN, 0, NULL},
        {"allow pi $a *\n", "$a", PAP_CODE_ACCEPTED, PAP_CODE_ACCEPTED, "$a[+1000 +1001]"},
        {"allow pi * *\ndeny pi $a *\n", "$a", PAP_CODE_FORBIDDEN, 0, NULL},
        {"allow pi * *\ndeny pi +1002 *\n", "$a, +1002", PAP_CODE_FORBIDDEN, 0, NULL},
        {"allow pi * *\ndeny pi +1000 *\ndeny pi +1001 *\n", "$a", PAP_CODE_FORBIDDEN, 0, NULL},
        {"allow bank * *\n", "$a", PAP_CODE_FORBIDDEN, 0, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replay_world *w = start("recipients-left", rows[i].rules);
        struct ppg_submission s;
        struct slice to[16];
        char got[500];

        test_row(i);
        begin(w, &s, to, rows[i].to);
        CU_ASSERT(ppg_recipients_take(&s) == PAP_CODE_ACCEPTED);
        CU_ASSERT(ppg_recipients_allow(&s) == rows[i].allow);
        if (rows[i].reach)
            CU_ASSERT(ppg_recipients_reach(&s) == rows[i].reach);
        layout(s.push, got);
        if (rows[i].layout)
            CU_ASSERT_STRING_EQUAL(got, rows[i].layout);
        end(&s);
        fix_end(w);
    }
}

static void rules_in_words(void)
{
    struct replay_world *w =
        start("recipients-rules", "# first\nallow pi +1001 * protect=full\nallow pi +1* *\n"
                                  "allow pi $a * protect=integrity\n");
    struct ppg_submission s;
    struct slice to[16];

    begin(w, &s, to, "+1000, +1002, +1001, $b, $a");
    s.message.push.addrs.n = 3;
    CU_ASSERT(ppg_recipients_take(&s) == PAP_CODE_ACCEPTED && ppg_recipients_allow(&s) == PAP_CODE_ACCEPTED);
    TEST_SLICE_EQ(s.push->targets[0].rule, SLICE("rules.conf:3 allow"));
    TEST_SLICE_EQ(s.push->targets[2].rule, SLICE("rules.conf:2 allow protect=full"));
    CU_ASSERT(s.push->targets[1].rule.p == s.push->targets[0].rule.p); /* told once for all it lets through */
    CU_ASSERT(s.push->targets[0].demanded == 0 && s.push->targets[2].demanded == 2);
    end(&s);
    begin(w, &s, to, "$a");
    CU_ASSERT(ppg_recipients_take(&s) == PAP_CODE_ACCEPTED && ppg_recipients_allow(&s) == PAP_CODE_ACCEPTED);
    TEST_SLICE_EQ(s.push->targets[0].rule, SLICE("rules.conf:4 allow protect=integrity"));
    TEST_SLICE_EQ(s.push->targets[1].rule, SLICE("rules.conf:3 allow"));
    TEST_SLICE_EQ(s.push->targets[2].rule, SLICE("rules.conf:2 allow protect=full"));
    end(&s);
    fix_end(w);
}

/* Refuses the keys of a list, each with its code. */
struct no {
    const char *key;
    enum pap_code code;
};

static enum pap_code ask(struct ppg_submission *s, struct ppg_target *t, void *arg)
{
    (void)s;
    for (const struct no *no = arg; no->key; no++)
        if (slice_eq(t->key, slice_str(no->key)))
            return no->code;
    return PAP_CODE_ACCEPTED;
}

static void code_of_a_group_without_members(void)
{
    static const struct {
        struct no no[4];
        enum pap_code want;
    } rows[] = {
        {{{NULL, 0}}, PAP_CODE_ACCEPTED},
        {{{"+1000", PAP_CODE_FORBIDDEN}}, PAP_CODE_ACCEPTED},
        {{{"+1000", PAP_CODE_FORBIDDEN}, {"+1001", PAP_CODE_FORBIDDEN}}, PAP_CODE_FORBIDDEN},
        {{{"+1000", PAP_CODE_CAPABILITIES_MISMATCH}, {"+1001", PAP_CODE_CAPABILITIES_MISMATCH}},
         PAP_CODE_CAPABILITIES_MISMATCH},
        {{{"+1000", PAP_CODE_FORBIDDEN}, {"+1001", PAP_CODE_CAPABILITIES_MISMATCH}}, PAP_CODE_ADDRESS_ERROR},
        {{{"+1001", PAP_CODE_INTERNAL_ERROR}}, PAP_CODE_INTERNAL_ERROR},
        {{{"$a", PAP_CODE_FORBIDDEN}}, PAP_CODE_FORBIDDEN},
        {{{"+1003", PAP_CODE_FORBIDDEN}}, PAP_CODE_FORBIDDEN},
    };
    struct replay_world *w = start("recipients-codes", "");

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ppg_submission s;
        struct slice to[16];

        test_row(i);
        begin(w, &s, to, "$a, +1003");
        CU_ASSERT(ppg_recipients_take(&s) == PAP_CODE_ACCEPTED);
        CU_ASSERT(ppg_recipients_each(&s, ask, (void *)(uintptr_t)rows[i].no) == rows[i].want);
        end(&s);
    }
    fix_end(w);
}

static void memory_grows_with_the_group(void)
{
    struct replay_world *w = fix_world("recipients-crowd", 1, "ok");
    struct ppg_submission s;
    struct slice to[16];
    struct buf text;

    buf_init(&text, 1u << 20);
    buf_add_str(&text, "[group all]\n");
    for (unsigned i = 0; i < 10000; i++)
        buf_addf(&text, "member = +1%08u\n", i);
    buf_add_ch(&text, '\0');
    write_file("groups.conf", text.p);
    buf_clear(&text);
    replay_set(w, "files", "groups", "groups.conf");
    fix_start(w);
    begin(w, &s, to, "$all, +5");
    CU_ASSERT(ppg_recipients_take(&s) == PAP_CODE_ACCEPTED && s.push->targets_n == 10002);
    CU_ASSERT(s.push->targets[0].members_n == 10000);
    end(&s);
    fix_end(w);
}

const struct test_case test_cases[] = {
    {"taken", taken},
    {"first_bad_address", first_bad_address},
    {"spelling_and_group", spelling_and_group},
    {"left_over", left_over},
    {"rules_in_words", rules_in_words},
    {"code_of_a_group_without_members", code_of_a_group_without_members},
    {"memory_grows_with_the_group", memory_grows_with_the_group},
    {NULL, NULL},
};
