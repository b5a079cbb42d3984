/* The protection decision over every combination, against a rule written a second time. */
#include "security/policy.h"

#include <stdlib.h>

#include <stdio.h>
#include <string.h>
#include "tests/unit/harness.h"

/* The rule once more, written from the requirement and not from the code: answers 0 refused by the ceiling,
 * 1 impossible, else 2 + integrity means + 5 * confidentiality means. */
static int naive(const struct sec_policy_in *in)
{
    bool can_seal = in->caps.gpl && in->sa, can_mac = in->caps.mac && in->mac,
         can_xml = in->caps.gpl && in->xml;
    bool want_int, want_conf;
    int integrity = in->caps.auth_int ? 1 : 0, conf = in->caps.conf ? 1 : 0;
    int level = 0;

    for (int l = 1; l <= 2; l++)
        if ((int)in->asked == l || (int)in->demanded == l || (int)in->floor == l)
            level = l;
    if ((level == 2 && in->ceiling != SEC_LEVEL_FULL) || (level == 1 && in->ceiling == SEC_LEVEL_NONE))
        return 0;
    want_int = level != 0;
    want_conf = level == 2;
    if (in->message == SEC_MESSAGE_ALWAYS) {
        if (want_int)
            integrity = 2;
        if (want_conf)
            conf = 2;
    } else {
        if (want_int && integrity == 0)
            integrity = 2;
        if (want_conf && conf == 0)
            conf = 2;
    }
    if (conf == 2 && !can_seal && !can_xml)
        return 1; /* a mac hides nothing */
    if (integrity == 2 && !can_seal && !can_mac && !can_xml)
        return 1;
    if (conf == 2 && !can_seal)
        conf = 4;
    if (integrity == 2 && !can_seal)
        integrity = can_mac && conf != 4 ? 3 : 4; /* encryption of XML is signed anyway */
    return 2 + integrity + 5 * conf;
}

static int decided(const struct sec_policy_in *in, struct sec_policy_out *out)
{
    sec_policy_decide(in, out);
    if (out->refusal == SEC_POLICY_CEILING)
        return 0;
    if (out->refusal == SEC_POLICY_IMPOSSIBLE)
        return 1;
    return 2 + (int)out->integrity + 5 * (int)out->conf;
}

/* Four levels of three values, then a bit each: caps (4), association, message use, mac, XML: 81 * 256 rows. */
static struct sec_policy_in combination(unsigned i)
{
    struct sec_policy_in in;

    in.asked = (enum sec_level)(i % 3);
    in.demanded = (enum sec_level)(i / 3 % 3);
    in.floor = (enum sec_level)(i / 9 % 3);
    in.ceiling = (enum sec_level)(i / 27 % 3);
    in.caps = (struct sec_caps){i / 81 & 1, i / 81 >> 1 & 1, i / 81 >> 2 & 1, i / 81 >> 5 & 1};
    in.sa = i / 81 >> 3 & 1;
    in.message = i / 81 >> 4 & 1 ? SEC_MESSAGE_ALWAYS : SEC_MESSAGE_AUTO;
    in.mac = i / 81 >> 6 & 1;
    in.xml = i / 81 >> 7 & 1;
    return in;
}
#define COMBINATIONS (81 * 256)

static void test_every_combination(void)
{
    size_t refused = 0;

    for (unsigned i = 0; i < COMBINATIONS; i++) {
        struct sec_policy_in in = combination(i);
        struct sec_policy_out out;
        char text[SEC_POLICY_TEXT_N];
        int got = decided(&in, &out);

        test_row(i);
        CU_ASSERT(got == naive(&in));
        CU_ASSERT(out.seal == (got >= 2 && (out.integrity == SEC_MEANS_GPL || out.conf == SEC_MEANS_GPL)));
        CU_ASSERT(out.seal_encrypts == (got >= 2 && out.conf == SEC_MEANS_GPL));
        CU_ASSERT(out.mac == (got >= 2 && out.integrity == SEC_MEANS_MAC));
        CU_ASSERT(out.xml == (got >= 2 && (out.integrity == SEC_MEANS_XML || out.conf == SEC_MEANS_XML)));
        CU_ASSERT(out.xml_encrypts == (got >= 2 && out.conf == SEC_MEANS_XML));
        CU_ASSERT(out.seal + out.mac + out.xml <= 1); /* one thing protects a message */
        sec_policy_text(&out, text);
        CU_ASSERT(strlen(text) + 1 < sizeof text && strstr(text, "\"") != NULL);
        refused += got < 2;
    }
    CU_ASSERT(refused > 0 && refused < COMBINATIONS);
}

/* What was wanted is given or refused, never less; and nothing is given that does not exist. */
static void test_never_a_downgrade(void)
{
    for (unsigned i = 0; i < COMBINATIONS; i++) {
        struct sec_policy_in in = combination(i);
        struct sec_policy_out out;

        test_row(i);
        sec_policy_decide(&in, &out);
        CU_ASSERT(out.level >= in.asked && out.level >= in.demanded && out.level >= in.floor);
        if (out.refusal)
            continue;
        CU_ASSERT(out.level <= in.ceiling);
        CU_ASSERT(out.level < SEC_LEVEL_INTEGRITY || out.integrity != SEC_MEANS_NONE);
        CU_ASSERT(out.level < SEC_LEVEL_FULL || out.conf != SEC_MEANS_NONE);
        CU_ASSERT(out.integrity != SEC_MEANS_TRANSPORT || in.caps.auth_int);
        CU_ASSERT(out.conf != SEC_MEANS_TRANSPORT || in.caps.conf);
        CU_ASSERT(!out.seal || (in.caps.gpl && in.sa));
        CU_ASSERT(!out.mac || (in.caps.mac && in.mac && !(in.caps.gpl && in.sa))); /* a seal comes first */
        CU_ASSERT(out.conf != SEC_MEANS_MAC);
        CU_ASSERT(!out.xml || (in.caps.gpl && in.xml && !in.sa)); /* likewise */
        CU_ASSERT(out.integrity != SEC_MEANS_XML || out.conf == SEC_MEANS_XML || !in.caps.mac || !in.mac);
    }
}

static const struct {
    struct sec_policy_in in;
    const char *want;
} texts_rows[] = {
    {{SEC_LEVEL_FULL,
      SEC_LEVEL_NONE,
      SEC_LEVEL_NONE,
      SEC_LEVEL_FULL,
      {false, false, true, false},
      true,
      SEC_MESSAGE_AUTO,
      false,
      false},
     "level=full auth=gpl int=gpl conf=gpl why=\"initiator asks, transport does not protect\""},
    {{SEC_LEVEL_NONE,
      SEC_LEVEL_FULL,
      SEC_LEVEL_NONE,
      SEC_LEVEL_FULL,
      {true, true, true, false},
      true,
      SEC_MESSAGE_AUTO,
      false,
      false},
     "level=full auth=transport int=transport conf=transport why=\"whitelist demands, transport is enough\""},
    {{SEC_LEVEL_NONE,
      SEC_LEVEL_NONE,
      SEC_LEVEL_INTEGRITY,
      SEC_LEVEL_FULL,
      {true, true, true, false},
      true,
      SEC_MESSAGE_ALWAYS,
      false,
      false},
     "level=integrity auth=gpl int=gpl conf=transport why=\"provider's floor, messages are always sealed\""},
    {{SEC_LEVEL_FULL,
      SEC_LEVEL_NONE,
      SEC_LEVEL_NONE,
      SEC_LEVEL_INTEGRITY,
      {true, true, true, false},
      true,
      SEC_MESSAGE_AUTO,
      false,
      false},
     "level=full auth=none int=none conf=none why=\"initiator asks, above the provider's ceiling\""},
    {{SEC_LEVEL_FULL,
      SEC_LEVEL_NONE,
      SEC_LEVEL_NONE,
      SEC_LEVEL_FULL,
      {false, false, true, false},
      false,
      SEC_MESSAGE_AUTO,
      false,
      false},
     "level=full auth=none int=none conf=none why=\"initiator asks, no association with the terminal\""},
    {{SEC_LEVEL_FULL,
      SEC_LEVEL_NONE,
      SEC_LEVEL_NONE,
      SEC_LEVEL_FULL,
      {false, false, false, false},
      true,
      SEC_MESSAGE_AUTO,
      false,
      false},
     "level=full auth=none int=none conf=none why=\"initiator asks, bearer cannot carry a sealed message\""},
    {{SEC_LEVEL_INTEGRITY,
      SEC_LEVEL_NONE,
      SEC_LEVEL_NONE,
      SEC_LEVEL_FULL,
      {false, false, true, true},
      false,
      SEC_MESSAGE_AUTO,
      true,
      false},
     "level=integrity auth=hmac int=hmac conf=none why=\"initiator asks, transport does not protect\""},
    {{SEC_LEVEL_INTEGRITY,
      SEC_LEVEL_NONE,
      SEC_LEVEL_NONE,
      SEC_LEVEL_FULL,
      {true, true, true, true},
      false,
      SEC_MESSAGE_ALWAYS,
      true,
      false},
     "level=integrity auth=hmac int=hmac conf=transport why=\"initiator asks, messages always have a mac\""},
    {{SEC_LEVEL_FULL,
      SEC_LEVEL_NONE,
      SEC_LEVEL_NONE,
      SEC_LEVEL_FULL,
      {false, false, true, true},
      false,
      SEC_MESSAGE_AUTO,
      true,
      false},
     "level=full auth=none int=none conf=none why=\"initiator asks, no association with the terminal\""},
    {{SEC_LEVEL_FULL,
      SEC_LEVEL_NONE,
      SEC_LEVEL_NONE,
      SEC_LEVEL_FULL,
      {false, false, true, true},
      false,
      SEC_MESSAGE_AUTO,
      true,
      true},
     "level=full auth=xml int=xml conf=xml why=\"initiator asks, transport does not protect\""},
    {{SEC_LEVEL_INTEGRITY,
      SEC_LEVEL_NONE,
      SEC_LEVEL_NONE,
      SEC_LEVEL_FULL,
      {true, true, true, false},
      false,
      SEC_MESSAGE_ALWAYS,
      false,
      true},
     "level=integrity auth=xml int=xml conf=transport why=\"initiator asks, messages are always signed\""},
};

static void test_texts(void)
{
    for (size_t i = 0; i < COUNT(texts_rows); i++) {
        struct sec_policy_out out;
        char text[SEC_POLICY_TEXT_N];

        test_row(i);
        sec_policy_decide(&texts_rows[i].in, &out);
        sec_policy_text(&out, text);
        TEST_SLICE_EQ(slice_str(text), slice_str(texts_rows[i].want));
    }
}

static void test_caps_table(void)
{
    static const enum sec_binding protected[] = {SEC_BINDING_HTTP_TLS, SEC_BINDING_SIP_TLS,
                                                 SEC_BINDING_MSRP_TLS, SEC_BINDING_DTLS};

    for (unsigned b = 0; b < SEC_BINDING_COUNT; b++) {
        const struct sec_caps *caps = sec_caps_of((enum sec_binding)b);
        bool want = false;

        test_row(b);
        for (size_t i = 0; i < COUNT(protected); i++)
            want |= protected[i] == b;
        CU_ASSERT(caps->auth_int == want && caps->conf == want);
        CU_ASSERT(caps->gpl == (b != SEC_BINDING_BROADCAST));
        CU_ASSERT(caps->mac == (b <= SEC_BINDING_HTTP_CLEAR));
        CU_ASSERT(sec_binding_name((enum sec_binding)b) != NULL);
    }
}

static bool cell_is(struct slice *row, bool want)
{
    struct slice cell;

    (void)slice_cut(*row, '|', &cell, row);
    return slice_eq(slice_trim(cell), want ? SLICE("yes") : SLICE("no"));
}

/* A row "| name, name | yes | no | yes |" about bindings that `seen` does not have yet. */
static void check_row(struct slice names, struct slice cells, unsigned *seen)
{
    struct slice name;

    while (slice_item(&names, &name)) {
        struct slice rest = cells;
        unsigned b = 0;

        while (b < SEC_BINDING_COUNT && !slice_eq(name, slice_str(sec_binding_name((enum sec_binding)b))))
            b++;
        test_row(b);
        CU_ASSERT_FATAL(b < SEC_BINDING_COUNT && !(*seen >> b & 1));
        *seen |= 1u << b;
        CU_ASSERT(cell_is(&rest, sec_caps_of((enum sec_binding)b)->auth_int));
        CU_ASSERT(cell_is(&rest, sec_caps_of((enum sec_binding)b)->conf));
        CU_ASSERT(cell_is(&rest, sec_caps_of((enum sec_binding)b)->gpl));
        CU_ASSERT(cell_is(&rest, sec_caps_of((enum sec_binding)b)->mac));
    }
}

/* DM-07: what the README says of each binding is what the table holds; it leaves none out and knows no other. */
static void test_readme(void)
{
    size_t n;
    unsigned seen = 0;
    char *text = test_read("../security/README.md", &n);
    struct slice left = slice_of(text, n), line, names, rest;

    while (left.n && !slice_starts(left, SLICE("| binding |")))
        (void)slice_cut(left, '\n', &line, &left);
    (void)slice_cut(left, '\n', &line, &left);
    (void)slice_cut(left, '\n', &line, &left); /* the rule below the heads */
    while (slice_cut(left, '\n', &line, &left) && slice_cut(line, '|', &rest, &line) &&
           slice_cut(line, '|', &names, &rest))
        check_row(slice_trim(names), rest, &seen);
    CU_ASSERT_EQUAL(seen, (1u << SEC_BINDING_COUNT) - 1);
    free(text);
}

/* DM-02: over every binding, with an association or not: confidential content that neither the transport nor a seal
 * nor XML-Encryption hides is refused, all other is not. */
static void test_confidential_or_not_at_all(void)
{
    for (unsigned i = 0; i < SEC_BINDING_COUNT * 16; i++) {
        struct sec_policy_in in = {.ceiling = SEC_LEVEL_FULL,
                                   .caps = *sec_caps_of((enum sec_binding)(i / 16)),
                                   .sa = i & 1,
                                   .mac = i & 4,
                                   .xml = i & 8};
        struct sec_policy_out out;

        test_row(i);
        if (i & 2)
            in.asked = SEC_LEVEL_FULL;
        else
            in.demanded = SEC_LEVEL_FULL;
        sec_policy_decide(&in, &out);
        CU_ASSERT((out.refusal == SEC_POLICY_OK) == (in.caps.conf || (in.caps.gpl && (in.sa || in.xml))));
        CU_ASSERT(out.refusal != SEC_POLICY_OK || out.conf != SEC_MEANS_NONE);
    }
}

/* DM-03: over every binding whose transport authenticates and protects integrity, the transport does it, also where
 * an association exists; over no other. */
static void test_transport_integrity_first(void)
{
    for (unsigned i = 0; i < SEC_BINDING_COUNT * 2 * 2; i++) {
        const struct sec_caps *caps = sec_caps_of((enum sec_binding)(i / 4));
        struct sec_policy_in in = {.asked = i & 1 ? SEC_LEVEL_FULL : SEC_LEVEL_INTEGRITY,
                                   .ceiling = SEC_LEVEL_FULL,
                                   .caps = *caps,
                                   .sa = i & 2};
        struct sec_policy_out out;

        test_row(i);
        sec_policy_decide(&in, &out);
        CU_ASSERT((out.integrity == SEC_MEANS_TRANSPORT) == caps->auth_int);
        CU_ASSERT(!caps->auth_int || out.refusal == SEC_POLICY_OK);
    }
}

/* DM-04: the same of confidentiality; that messages are sealed although the transport hides them needs the entry
 * `message = always`. */
static void test_transport_confidentiality_first(void)
{
    size_t deviations = 0;

    for (unsigned i = 0; i < SEC_BINDING_COUNT * 2 * 2; i++) {
        const struct sec_caps *caps = sec_caps_of((enum sec_binding)(i / 4));
        struct sec_policy_in in = {.asked = SEC_LEVEL_FULL,
                                   .ceiling = SEC_LEVEL_FULL,
                                   .caps = *caps,
                                   .sa = i & 1,
                                   .message = i & 2 ? SEC_MESSAGE_ALWAYS : SEC_MESSAGE_AUTO};
        struct sec_policy_out out;

        test_row(i);
        sec_policy_decide(&in, &out);
        if (in.message == SEC_MESSAGE_AUTO)
            CU_ASSERT((out.conf == SEC_MEANS_TRANSPORT) == caps->conf);
        if (caps->conf && out.conf == SEC_MEANS_GPL) {
            CU_ASSERT(in.message == SEC_MESSAGE_ALWAYS);
            CU_ASSERT(strcmp(out.why, "messages are always sealed") == 0);
            deviations++;
        }
    }
    CU_ASSERT(deviations == 4); /* the four protected bindings, with an association */
}

/* DM-01: whatever was decided, its text says of authentication, integrity and confidentiality who gives it. */
static void test_text_names_all_three(void)
{
    for (unsigned i = 0; i < COMBINATIONS; i++) {
        struct sec_policy_in in = combination(i);
        struct sec_policy_out out;
        char text[SEC_POLICY_TEXT_N], want[SEC_POLICY_TEXT_N];

        test_row(i);
        sec_policy_decide(&in, &out);
        sec_policy_text(&out, text);
        (void)snprintf(want, sizeof want, " auth=%s int=%s conf=%s ", sec_means_name(out.integrity),
                       sec_means_name(out.integrity), sec_means_name(out.conf));
        CU_ASSERT(strstr(text, want) != NULL);
    }
}

static void test_level_names(void)
{
    enum sec_level l = SEC_LEVEL_COUNT;

    CU_ASSERT(sec_level_parse(SLICE("Full"), &l) == ERR_MALFORMED);
    CU_ASSERT(sec_level_parse(SLICE(""), &l) == ERR_MALFORMED);
    CU_ASSERT(sec_level_parse(SLICE("fully"), &l) == ERR_MALFORMED);
    CU_ASSERT(l == SEC_LEVEL_COUNT);
    for (unsigned i = 0; i < SEC_LEVEL_COUNT; i++) {
        CU_ASSERT(sec_level_parse(slice_str(sec_level_name((enum sec_level)i)), &l) == ERR_OK);
        CU_ASSERT(l == i);
    }
}

/* DM-06: over every binding that hides nothing, XML is encrypted where both ends have keys for that and there is no
 * association; where there is one, that stands before it. */
static void test_xml_hides_where_nothing_else_does(void)
{
    size_t encrypted = 0;

    for (unsigned i = 0; i < SEC_BINDING_COUNT * 2 * 2; i++) {
        const struct sec_caps *caps = sec_caps_of((enum sec_binding)(i / 4));
        struct sec_policy_in in = {
            .asked = SEC_LEVEL_FULL, .ceiling = SEC_LEVEL_FULL, .caps = *caps, .sa = i & 1, .xml = i & 2};
        struct sec_policy_out out;

        test_row(i);
        sec_policy_decide(&in, &out);
        CU_ASSERT(out.xml_encrypts == (!caps->conf && caps->gpl && in.xml && !in.sa));
        CU_ASSERT(!out.xml_encrypts || (out.integrity == SEC_MEANS_XML && !out.seal && !out.mac));
        encrypted += out.xml_encrypts;
    }
    CU_ASSERT(encrypted == 5); /* http-digest-int, http-clear, sip-proxied, sip-clear, udp-clear */
}

const struct test_case test_cases[] = {
    {"every_combination", test_every_combination},
    {"never_a_downgrade", test_never_a_downgrade},
    {"texts", test_texts},
    {"caps_table", test_caps_table},
    {"readme", test_readme},
    {"confidential_or_not_at_all", test_confidential_or_not_at_all},
    {"transport_integrity_first", test_transport_integrity_first},
    {"transport_confidentiality_first", test_transport_confidentiality_first},
    {"xml_hides_where_nothing_else_does", test_xml_hides_where_nothing_else_does},
    {"text_names_all_three", test_text_names_all_three},
    {"level_names", test_level_names},
    {NULL, NULL},
};
