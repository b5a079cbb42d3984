/* GPL-A1: tables and the parser, with the inputs the profile says to reject. */
#include "security/gpl.h"

#include "tests/unit/security/vectors.h"

/* 1 octet SAID, suite 01: flags suite SN Ls SAID, payload, 16 octets of tag. */
#define TAG16 "TTTTTTTTTTTTTTTT"
#define TAG8  "TTTTTTTT"

static void test_gpl_profiles(void)
{
    const struct sec_gpl_profile *p = sec_gpl_profile_by_name(SLICE("gpl-a1"));

    CU_ASSERT_FATAL(p != NULL);
    CU_ASSERT(sec_gpl_profile_by_media_type(SLICE("Application/X-push-gpl-A1")) == p);
    CU_ASSERT(sec_gpl_profile_by_name(SLICE("GPL-A1")) == NULL);
    CU_ASSERT(sec_gpl_profile_by_name(SLICE("")) == NULL);
    CU_ASSERT(sec_gpl_profile_by_media_type(SLICE("text/plain")) == NULL);
}

static void test_gpl_suites(void)
{
    size_t known = 0, encrypting = 0;

    for (unsigned s = 0; s < 256; s++) {
        known += sec_gpl_suite_known((uint8_t)s);
        encrypting += sec_gpl_suite_encrypts((uint8_t)s);
        CU_ASSERT(sec_gpl_suite_known((uint8_t)s) ==
                  (strcmp(sec_gpl_suite_name((uint8_t)s), "unknown") != 0));
    }
    CU_ASSERT(known == 6 && encrypting == 4);
    CU_ASSERT(!sec_gpl_suite_known(0));
    CU_ASSERT(sec_gpl_overhead(SEC_GPL_CTR, 16, 0) == 39); /* the profile's own figures */
    CU_ASSERT(sec_gpl_overhead(SEC_GPL_CTR, 8, 0) == 31);
}

static void test_gpl_parse_rows(void)
{
    static const struct {
        struct slice in;
        enum err want;
    } rows[] = {
        {SLICE("\x10\x01\0\0\0\1\1S" TAG16), ERR_OK},
        {SLICE("\x10\x01\0\0\0\1\1Shello" TAG16), ERR_OK},
        {SLICE("\x18\x01\xff\xff\xff\xff\1S" TAG16), ERR_OK},
        {SLICE("\x10\x11\0\0\0\1\1S" TAG8), ERR_OK},
        {SLICE("\x14\x01\0\0\0\1\1S\0\2GG" TAG16), ERR_OK},
        {SLICE("\x12\x03\0\0\0\1\1S0123456789abcdef" TAG16), ERR_OK},
        {SLICE(""), ERR_MALFORMED},
        {SLICE("\x10\x01\0\0\0\1"), ERR_MALFORMED},
        {SLICE("\x10\x01\0\0\0\1\1"), ERR_MALFORMED},
        {SLICE("\x10\x01\0\0\0\1\1S"), ERR_MALFORMED},                /* no tag */
        {SLICE("\x10\x01\0\0\0\1\1STTTTTTTTTTTTTTT"), ERR_MALFORMED}, /* 15 octets of tag */
        {SLICE("\x10\x11\0\0\0\1\1STTTTTTT"), ERR_MALFORMED},
        {SLICE("\x00\x01\0\0\0\1\1S" TAG16), ERR_MALFORMED}, /* version 0 */
        {SLICE("\x20\x01\0\0\0\1\1S" TAG16), ERR_MALFORMED},
        {SLICE("\x11\x01\0\0\0\1\1S" TAG16), ERR_MALFORMED},   /* reserved bit */
        {SLICE("\x12\x01\0\0\0\1\1S" TAG16), ERR_MALFORMED},   /* C with a suite that does not encrypt */
        {SLICE("\x10\x02\0\0\0\1\1S" TAG16), ERR_MALFORMED},   /* no C with one that does */
        {SLICE("\x10\x00\0\0\0\1\1S" TAG16), ERR_UNSUPPORTED}, /* there is no suite without integrity */
        {SLICE("\x10\x05\0\0\0\1\1S" TAG16), ERR_UNSUPPORTED},
        {SLICE("\x10\x13\0\0\0\1\1S" TAG16), ERR_UNSUPPORTED},
        {SLICE("\x10\x01\0\0\0\0\1S" TAG16), ERR_MALFORMED}, /* SN 0 */
        {SLICE("\x10\x01\0\0\0\1\0S" TAG16), ERR_MALFORMED}, /* SAID length 0 */
        {SLICE("\x10\x01\0\0\0\1\x41S" TAG16 TAG16 TAG16 TAG16 TAG16 TAG16), ERR_MALFORMED}, /* and 65 */
        {SLICE("\x10\x01\0\0\0\1\x40S" TAG16), ERR_MALFORMED},      /* SAID past the end */
        {SLICE("\x1c\x01\0\0\0\1\1S\0\2GG" TAG16), ERR_MALFORMED},  /* GPI in uplink */
        {SLICE("\x14\x01\0\0\0\1\1S\0\0" TAG16), ERR_MALFORMED},    /* empty GPI */
        {SLICE("\x14\x01\0\0\0\1\1S\0\x30G" TAG16), ERR_MALFORMED}, /* GPI past the end */
        {SLICE("\x14\x01\0\0\0\1\1S\xff\xff" TAG16), ERR_MALFORMED},
        {SLICE("\x14\x01\0\0\0\1\1S\0"), ERR_MALFORMED},
        {SLICE("\x12\x03\0\0\0\1\1S" TAG16), ERR_MALFORMED}, /* CBC is never empty */
        {SLICE("\x12\x03\0\0\0\1\1S0123456789abcde" TAG16), ERR_MALFORMED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_gpl_msg m = {.sn = 77};
        enum err e = sec_gpl_parse(rows[i].in, &m);

        test_row(i);
        CU_ASSERT(e == rows[i].want);
        CU_ASSERT(!e == (m.sn != 77));
    }
}

static void test_gpl_parse_views(void)
{
    struct slice in = SLICE("\x14\x01\x01\x02\x03\x04\2ID\0\3GPIpay" TAG16);
    struct sec_gpl_msg m;

    CU_ASSERT_FATAL(sec_gpl_parse(in, &m) == ERR_OK);
    CU_ASSERT(m.direction == SEC_GPL_DOWNLINK && m.suite == SEC_GPL_HMAC && m.sn == 0x01020304);
    TEST_SLICE_EQ(m.said, SLICE("ID"));
    TEST_SLICE_EQ(m.gpi, SLICE("GPI"));
    TEST_SLICE_EQ(m.payload, SLICE("pay"));
    TEST_SLICE_EQ(m.tag, SLICE(TAG16));
    TEST_SLICE_EQ(m.header, slice_sub(in, 0, 14));
}

/* Only what the parser itself refuses; the tag's share is in the test of sealing. */
static void test_gpl_parse_rejected(void)
{
    json_t *tree = vectors_load("gpl_a1.json");
    json_t *row;
    size_t i;

    json_array_foreach(vectors_list(tree, "rejected"), i, row)
    {
        struct slice why = vector_text(row, "reject");
        struct octets in;
        struct sec_gpl_msg m;
        enum err e = sec_gpl_parse(vector_octets(row, "message", &in), &m);

        enum err want = slice_eq(why, SLICE("mac"))     ? ERR_OK
                        : slice_eq(why, SLICE("suite")) ? ERR_UNSUPPORTED
                                                        : ERR_MALFORMED;

        test_row(i);
        CU_ASSERT(e == want);
    }
    json_decref(tree);
}

static void test_gpl_reject_names(void)
{
    CU_ASSERT_STRING_EQUAL(sec_gpl_reject_name(ERR_MALFORMED), "malformed");
    CU_ASSERT_STRING_EQUAL(sec_gpl_reject_name(ERR_UNSUPPORTED), "suite");
    CU_ASSERT_STRING_EQUAL(sec_gpl_reject_name(ERR_DENIED), "mac");
    CU_ASSERT_STRING_EQUAL(sec_gpl_reject_name(ERR_EXISTS), "replay");
    CU_ASSERT_STRING_EQUAL(sec_gpl_reject_name(ERR_ABSENT), "no-sa");
    CU_ASSERT_STRING_EQUAL(sec_gpl_reject_name(ERR_LATE), "expired");
    CU_ASSERT_STRING_EQUAL(sec_gpl_reject_name(ERR_NOMEM), err_name(ERR_NOMEM));
}

const struct test_case test_cases[] = {
    {"profiles", test_gpl_profiles},
    {"suites", test_gpl_suites},
    {"parse_rows", test_gpl_parse_rows},
    {"parse_views", test_gpl_parse_views},
    {"parse_rejected", test_gpl_parse_rejected},
    {"reject_names", test_gpl_reject_names},
    {NULL, NULL},
};
