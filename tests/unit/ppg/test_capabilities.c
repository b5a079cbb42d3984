/* What is known of a terminal, what initiators are told of it, and what they assume of it. */
#include "ppg/capabilities.h"

#include <stdlib.h>
#include "pap/uaprof.h"
#include "tests/unit/ppg/core_fix.h"

#define DAY_MS INT64_C(86400000)
#define KEY    SLICE("+1000")

static struct arena mem;

static struct replay_world *start(const char *name, const char *use)
{
    struct replay_world *w = fix_world(name, 2, "ok");

    if (use)
        replay_set(w, "pap", "capabilities", use);
    fix_start(w);
    arena_init(&mem, 1024, 1 << 20);
    return w;
}

static void end(struct replay_world *w)
{
    arena_clear(&mem);
    fix_end(w);
}

static void learn(struct replay_world *w, struct slice key, struct ota_profile said)
{
    said.learnt_ms = clk_utc_ms(&w->clk.clk);
    CU_ASSERT(ota_profiles_learn(w->shared.profiles, key, &said) == ERR_OK);
}

static void what_is_learnt_counts_for_seven_days(void)
{
    struct replay_world *w = start("capabilities-age", NULL);
    const struct ppg_core *c = &w->cores[0].core;
    const struct ota_terminal *t = ota_registry_find(ppg_config_registry(c->config), KEY);
    struct ota_profile p;

    CU_ASSERT_FATAL(t != NULL);
    CU_ASSERT(ppg_capabilities_known(c, t, &mem, &p) == ERR_OK && !p.known);
    learn(w, KEY, (struct ota_profile){.accept = SLICE("a/b"), .size_max = 5});
    CU_ASSERT(ppg_capabilities_known(c, t, &mem, &p) == ERR_OK && p.known && p.size_max == 5);
    TEST_SLICE_EQ(p.accept, SLICE("a/b"));
    clk_virtual_advance(&w->clk, 7 * DAY_MS);
    CU_ASSERT(ppg_capabilities_known(c, t, &mem, &p) == ERR_OK && p.known);
    clk_virtual_advance(&w->clk, 1);
    CU_ASSERT(ppg_capabilities_known(c, t, &mem, &p) == ERR_OK && !p.known && p.accept.n == 0);
    end(w);
}

/* The answer of the gateway, parsed; the code. */
static enum pap_code ask(struct replay_world *w, struct slice key, struct slice app_id,
                         struct pap_uaprof *out)
{
    enum pap_code code;
    const char *why;
    struct buf rdf;

    buf_init(&rdf, 1 << 20);
    code = ppg_capabilities_answer(&w->cores[0].core, key, app_id, &rdf);
    CU_ASSERT(code == PAP_CODE_OK || rdf.n == 0);
    CU_ASSERT(code != PAP_CODE_OK || pap_uaprof_parse(buf_slice(&rdf), &mem, out, &why) == ERR_OK);
    buf_clear(&rdf);
    return code;
}

static void answers(void)
{
    struct replay_world *w = start("capabilities-answers", NULL);
    struct pap_uaprof p;

    CU_ASSERT(ask(w, SLICE("+9"), SLICE_NONE, &p) == PAP_CODE_ADDRESS_ERROR);
    CU_ASSERT(ask(w, KEY, SLICE_NONE, &p) == PAP_CODE_CAPABILITIES_NOT_AVAILABLE);
    learn(w, KEY,
          (struct ota_profile){.accept = SLICE("application/vnd.wap.sic,text/vnd.wap.sl"),
                               .charsets = SLICE("utf-8"),
                               .encodings = SLICE("gzip"),
                               .languages = SLICE("en"),
                               .app_ids = SLICE("x-wap-application:mms.ua"),
                               .size_max = 1400});
    CU_ASSERT_FATAL(ask(w, KEY, SLICE_NONE, &p) == PAP_CODE_OK);
    TEST_SLICE_EQ(p.accept, SLICE("application/vnd.wap.sic, text/vnd.wap.sl, text/vnd.wap.si"));
    TEST_SLICE_EQ(p.charsets, SLICE("utf-8"));
    TEST_SLICE_EQ(p.encodings, SLICE("gzip"));
    TEST_SLICE_EQ(p.languages, SLICE("en"));
    TEST_SLICE_EQ(p.app_ids, SLICE("x-wap-application:mms.ua"));
    CU_ASSERT(p.size_max == 1400);
    CU_ASSERT(ask(w, KEY, SLICE("x-wap-application:mms.ua"), &p) == PAP_CODE_OK);
    CU_ASSERT(ask(w, KEY, SLICE("x-wap-application:wml.ua"), &p) == PAP_CODE_CAPABILITIES_NOT_AVAILABLE);
    learn(w, KEY, (struct ota_profile){.size_max = 9}); /* a terminal that takes anything */
    CU_ASSERT(ask(w, KEY, SLICE("any"), &p) == PAP_CODE_OK && p.accept.n == 0 && p.size_max == 9);
    end(w);
}

#define DOC(inside)                                                                                          \
    "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:p=\"http://x/\">" inside       \
    "</rdf:RDF>"

/* One submission with these assumptions to these targets; *n of them are left. */
static enum pap_code match_targets(struct replay_world *w, struct pap_part part, struct ppg_target *targets,
                                   size_t *n)
{
    struct ppg_submission *s = calloc(1, sizeof *s);
    enum pap_code code;

    CU_ASSERT_FATAL(s != NULL);
    s->core = &w->cores[0].core;
    s->push = ppg_push_create(1024, 1 << 20);
    CU_ASSERT_FATAL(s->push != NULL);
    s->push->targets = targets;
    s->push->targets_n = *n;
    s->parts.n = 3;
    s->parts.part[2] = part;
    code = ppg_capabilities_match(s);
    CU_ASSERT(code == PAP_CODE_ACCEPTED || s->why[0]);
    *n = s->push->targets_n;
    ppg_push_drop(s->push);
    free(s);
    return code;
}

/* To +1000, +1001 and somebody who is not there. */
static enum pap_code match_part(struct replay_world *w, struct pap_part part)
{
    struct ppg_target targets[] = {{.key = SLICE("+1001")}, {.key = KEY}, {.key = SLICE("+9")}};
    size_t n = COUNT(targets);

    return match_targets(w, part, targets, &n);
}

static enum pap_code match(struct replay_world *w, const char *rdf)
{
    return match_part(w, (struct pap_part){.type = SLICE("application/rdf+xml"), .body = slice_str(rdf)});
}

static void assumptions_are_compared(void)
{
    static const struct {
        const char *rdf;
        enum pap_code want;
    } rows[] = {
        {DOC("<p:Push-Accept>text/plain</p:Push-Accept>"), PAP_CODE_ACCEPTED},
        {DOC("<p:Push-Accept>TEXT/Plain, application/vnd.wap.sic</p:Push-Accept>"), PAP_CODE_ACCEPTED},
        {DOC("<p:Push-Accept>text/vnd.wap.si</p:Push-Accept>"), PAP_CODE_ACCEPTED}, /* we convert */
        {DOC("<p:Push-Accept>text/vnd.wap.sl</p:Push-Accept>"), PAP_CODE_CAPABILITIES_MISMATCH},
        {DOC("<p:Push-Accept>text/plain, text/html</p:Push-Accept>"), PAP_CODE_CAPABILITIES_MISMATCH},
        {DOC("<p:Push-Accept>text/*</p:Push-Accept>"), PAP_CODE_CAPABILITIES_MISMATCH},
        {DOC("<p:CcppAccept>image/png</p:CcppAccept>"), PAP_CODE_CAPABILITIES_MISMATCH},
        {DOC("<p:Push-Accept-AppID>x-wap-application:wml.ua</p:Push-Accept-AppID>"), PAP_CODE_ACCEPTED},
        {DOC("<p:Push-Accept-AppID>*</p:Push-Accept-AppID>"), PAP_CODE_CAPABILITIES_MISMATCH},
        {DOC("<p:Push-Accept-Charset>UTF-8;q=0.5</p:Push-Accept-Charset>"), PAP_CODE_ACCEPTED},
        {DOC("<p:Push-Accept-Charset>utf-16</p:Push-Accept-Charset>"), PAP_CODE_CAPABILITIES_MISMATCH},
        {DOC("<p:Push-Accept-Encoding>br</p:Push-Accept-Encoding>"), PAP_CODE_CAPABILITIES_MISMATCH},
        {DOC("<p:Push-Accept-Language>x</p:Push-Accept-Language>"), PAP_CODE_ACCEPTED}, /* "*" */
        {DOC("<p:Push-MsgSize>1400</p:Push-MsgSize>"), PAP_CODE_ACCEPTED},
        {DOC("<p:Push-MsgSize>1401</p:Push-MsgSize>"), PAP_CODE_CAPABILITIES_MISMATCH},
        {DOC("<p:Push-MsgSize>5</p:Push-MsgSize><p:Push-Accept>a/b</p:Push-Accept>"),
         PAP_CODE_CAPABILITIES_MISMATCH},
        {DOC("<p:Else>1</p:Else>"), PAP_CODE_ACCEPTED}, /* nothing to compare */
        {DOC(""), PAP_CODE_ACCEPTED},
        {"", PAP_CODE_BAD_REQUEST},
        {"<pap/>", PAP_CODE_BAD_REQUEST},
        {DOC("<p:Push-MsgSize>big</p:Push-MsgSize>"), PAP_CODE_BAD_REQUEST},
        {"<!DOCTYPE a [<!ENTITY b 'c'>]>" DOC("&b;"), PAP_CODE_BAD_REQUEST},
    };
    const struct ota_profile both = {.accept = SLICE("text/plain, application/vnd.wap.sic"),
                                     .charsets = SLICE("utf-8"),
                                     .encodings = SLICE("gzip"),
                                     .languages = SLICE("*"),
                                     .app_ids = SLICE("x-wap-application:wml.ua"),
                                     .size_max = 1400};
    struct replay_world *w = start("capabilities-compared", NULL);

    learn(w, KEY, both);
    learn(w, SLICE("+1001"), both);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(match(w, rows[i].rdf) == rows[i].want);
    }
    end(w);
}

static void each_recipient_counts(void)
{
    static const char rdf[] = DOC("<p:Push-MsgSize>1000</p:Push-MsgSize>");
    struct replay_world *w = start("capabilities-each", NULL);

    learn(w, SLICE("+1001"), (struct ota_profile){.size_max = 2000});
    CU_ASSERT(match(w, rdf) == PAP_CODE_ACCEPTED); /* of +1000 nothing is known */
    learn(w, KEY, (struct ota_profile){.size_max = 999});
    CU_ASSERT(match(w, rdf) == PAP_CODE_CAPABILITIES_MISMATCH);
    end(w);
}

/* A member that takes less than is assumed leaves its group; a group without members is refused. */
static void members_of_a_group_count(void)
{
    const struct pap_part part = {.type = SLICE("text/xml"),
                                  .body = SLICE(DOC("<p:Push-MsgSize>1000</p:Push-MsgSize>"))};
    struct ppg_target targets[] = {
        {.key = SLICE("$staff"), .members_n = 2}, {.key = KEY}, {.key = SLICE("+1001")}};
    struct replay_world *w = start("capabilities-group", NULL);
    size_t n = COUNT(targets);

    learn(w, KEY, (struct ota_profile){.size_max = 999});
    CU_ASSERT(match_targets(w, part, targets, &n) == PAP_CODE_ACCEPTED);
    CU_ASSERT(n == 2 && targets[0].members_n == 1);
    TEST_SLICE_EQ(targets[1].key, SLICE("+1001"));
    learn(w, SLICE("+1001"), (struct ota_profile){.size_max = 999});
    CU_ASSERT(match_targets(w, part, targets, &n) == PAP_CODE_CAPABILITIES_MISMATCH);
    end(w);
}

static void nothing_to_compare_with(void)
{
    static const char rdf[] = DOC("<p:Push-MsgSize>1000</p:Push-MsgSize>");
    struct replay_world *w = start("capabilities-strict", "strict");

    CU_ASSERT(match(w, rdf) == PAP_CODE_MATCHING_NOT_SUPPORTED);
    learn(w, KEY, (struct ota_profile){.size_max = 1000});
    CU_ASSERT(match(w, rdf) == PAP_CODE_MATCHING_NOT_SUPPORTED); /* of +1001 nothing is known */
    learn(w, SLICE("+1001"), (struct ota_profile){.size_max = 1000});
    CU_ASSERT(match(w, rdf) == PAP_CODE_ACCEPTED);
    CU_ASSERT(match(w, DOC("<p:Push-Accept>a/b</p:Push-Accept>")) == PAP_CODE_MATCHING_NOT_SUPPORTED);
    end(w);
    w = start("capabilities-ignore", "ignore");
    learn(w, KEY, (struct ota_profile){.size_max = 1});
    CU_ASSERT(match(w, rdf) == PAP_CODE_ACCEPTED && match(w, "<") == PAP_CODE_ACCEPTED);
    end(w);
}

static void parts_of_any_making(void)
{
    const struct slice rdf = SLICE(DOC("<p:Push-MsgSize>1000</p:Push-MsgSize>"));
    const struct slice base64 =
        SLICE("PHJkZjpSREYgeG1sbnM6cmRmPSJodHRwOi8vd3d3LnczLm9yZy8xOTk5LzAyLzIyLXJk\r\n"
              "Zi1zeW50YXgtbnMjIi8+");
    const struct {
        struct pap_part part;
        enum pap_code want;
    } rows[] = {
        {{.type = SLICE("text/xml; charset=utf-8"), .body = rdf}, PAP_CODE_ACCEPTED},
        {{.type = SLICE("Application/XML"), .body = rdf}, PAP_CODE_ACCEPTED},
        {{.type = SLICE("text/plain"), .body = rdf}, PAP_CODE_BAD_REQUEST},
        {{.type = SLICE("garbage"), .body = rdf}, PAP_CODE_BAD_REQUEST},
        {{.body = rdf}, PAP_CODE_BAD_REQUEST},
        {{.type = SLICE("text/xml"),
          .headers = SLICE("Content-Transfer-Encoding: base64\r\n"),
          .body = base64},
         PAP_CODE_ACCEPTED},
        {{.type = SLICE("text/xml"), .headers = SLICE("Content-Transfer-Encoding: base64\r\n"), .body = rdf},
         PAP_CODE_BAD_REQUEST},
        {{.type = SLICE("text/xml"), .headers = SLICE("Content-Transfer-Encoding: x\r\n"), .body = rdf},
         PAP_CODE_BAD_REQUEST},
    };
    struct replay_world *w = start("capabilities-parts", NULL);

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(match_part(w, rows[i].part) == rows[i].want);
    }
    end(w);
}

const struct test_case test_cases[] = {
    {"what_is_learnt_counts_for_seven_days", what_is_learnt_counts_for_seven_days},
    {"answers", answers},
    {"assumptions_are_compared", assumptions_are_compared},
    {"each_recipient_counts", each_recipient_counts},
    {"members_of_a_group_count", members_of_a_group_count},
    {"nothing_to_compare_with", nothing_to_compare_with},
    {"parts_of_any_making", parts_of_any_making},
    {NULL, NULL},
};
