/* Tables and words: codes by class, answers by kind, states there and back, and tables that hang together. */
#include "tests/unit/harness.h"

#include "pap/vocab.h"

static const struct {
    int code, class;
    bool known;
    const char *text;
} codes[] = {
    {1000, 1000, true, "OK"},
    {1001, 1000, true, "Accepted for Processing"},
    {2000, 2000, true, "Bad Request"},
    {2007, 2000, true, "Duplicate Push ID"},
    {3002, 3000, true, "Version Not Supported"},
    {3011, 3000, true, "Replacement Not Supported"},
    {4001, 4000, true, "Service Unavailable"},
    {5000, 5000, true, "Mobile Client Aborted"},
    {5030, 5000, true, "Mobile Client Aborted: content type cannot be processed"},
    {1002, 1000, false, "OK"}, /* unknown: x000 of its class */
    {2999, 2000, false, "Bad Request"},
    {3500, 3000, false, "Internal Server Error"},
    {4777, 4000, false, "Service Failure"},
    {5999, 5000, false, "Mobile Client Aborted"},
    {0, 0, false, ""},
    {999, 0, false, ""},
    {6000, 0, false, ""},
};

static void test_codes(void)
{
    for (size_t i = 0; i < COUNT(codes); i++) {
        enum pap_code code = (enum pap_code)codes[i].code;

        test_row(i);
        CU_ASSERT_EQUAL(pap_code_class(code), (enum pap_code)codes[i].class);
        CU_ASSERT_EQUAL(pap_code_is_known(code), codes[i].known);
        CU_ASSERT_STRING_EQUAL(pap_code_text(code), codes[i].text);
    }
}

static void test_abort(void)
{
    static const struct {
        uint8_t reason;
        int code;
    } rows[] = {
        {0xEA, 5026}, {0xEB, 5027}, {0xEC, 5028}, {0xED, 5029}, {0xEE, 5030}, {0xE0, 5016},
        {0xE9, 5025}, {0xDF, 5000}, {0xEF, 5000}, {0x00, 5000}, {0xFF, 5000},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(pap_code_of_abort(rows[i].reason), (enum pap_code)rows[i].code);
    }
}

static void test_states(void)
{
    enum pap_state got = PAP_STATE_NONE;

    for (enum pap_state s = PAP_STATE_NONE + 1; s < PAP_STATE_COUNT; s++) {
        test_row((size_t)s);
        CU_ASSERT_EQUAL(pap_state_parse(slice_str(pap_state_text(s)), false, &got), ERR_OK);
        CU_ASSERT_EQUAL(got, s);
        CU_ASSERT_EQUAL(pap_state_is_final(s), s != PAP_STATE_PENDING && s != PAP_STATE_UNKNOWN);
    }
    got = PAP_STATE_NONE;
    CU_ASSERT_EQUAL(pap_state_parse(SLICE("Delivered"), false, &got), ERR_MALFORMED);
    CU_ASSERT_EQUAL(pap_state_parse(SLICE("gone"), true, &got), ERR_MALFORMED);
    CU_ASSERT_EQUAL(pap_state_parse(SLICE(""), true, &got), ERR_MALFORMED);
    CU_ASSERT_EQUAL(got, PAP_STATE_NONE);
    CU_ASSERT_EQUAL(pap_state_parse(SLICE("Delivered"), true, &got), ERR_OK);
    CU_ASSERT_EQUAL(got, PAP_STATE_DELIVERED);
    CU_ASSERT_FALSE(pap_state_is_final(PAP_STATE_NONE));
    CU_ASSERT_STRING_EQUAL(pap_state_text(PAP_STATE_COUNT), "");
}

static void test_answers(void)
{
    CU_ASSERT_EQUAL(pap_kind_answer(PAP_KIND_PUSH_MESSAGE), PAP_KIND_PUSH_RESPONSE);
    CU_ASSERT_EQUAL(pap_kind_answer(PAP_KIND_CANCEL_MESSAGE), PAP_KIND_CANCEL_RESPONSE);
    CU_ASSERT_EQUAL(pap_kind_answer(PAP_KIND_STATUSQUERY_MESSAGE), PAP_KIND_STATUSQUERY_RESPONSE);
    CU_ASSERT_EQUAL(pap_kind_answer(PAP_KIND_CCQ_MESSAGE), PAP_KIND_CCQ_RESPONSE);
    CU_ASSERT_EQUAL(pap_kind_answer(PAP_KIND_RESULTNOTIFICATION_MESSAGE),
                    PAP_KIND_RESULTNOTIFICATION_RESPONSE);
    CU_ASSERT_EQUAL(pap_kind_answer(PAP_KIND_NONE), PAP_KIND_BADMESSAGE_RESPONSE);
    CU_ASSERT_EQUAL(pap_kind_answer(PAP_KIND_PUSH_RESPONSE), PAP_KIND_BADMESSAGE_RESPONSE);
    CU_ASSERT_EQUAL(pap_kind_answer(PAP_KIND_BADMESSAGE_RESPONSE), PAP_KIND_BADMESSAGE_RESPONSE);
}

static void test_words(void)
{
    CU_ASSERT_STRING_EQUAL(pap_kind_text(PAP_KIND_CCQ_MESSAGE), "ccq-message");
    CU_ASSERT_STRING_EQUAL(pap_kind_text(PAP_KIND_NONE), "");
    CU_ASSERT_STRING_EQUAL(pap_kind_text(PAP_KIND_COUNT), "");
    CU_ASSERT_STRING_EQUAL(pap_version_text(PAP_VERSION_2_1), "2.1");
    CU_ASSERT_STRING_EQUAL(pap_version_text(PAP_VERSION_NONE), "");
    CU_ASSERT_STRING_EQUAL(pap_version_text(PAP_VERSION_COUNT), "");
    CU_ASSERT_STRING_EQUAL(pap_priority_text(PAP_PRIORITY_MEDIUM), "medium");
    CU_ASSERT_STRING_EQUAL(pap_priority_text(PAP_PRIORITY_COUNT), "");
    CU_ASSERT_STRING_EQUAL(pap_delivery_text(PAP_DELIVERY_PREFERCONFIRMED), "preferconfirmed");
    CU_ASSERT_STRING_EQUAL(pap_delivery_text(PAP_DELIVERY_COUNT), "");
    CU_ASSERT_PTR_NULL(pap_attr_words(PAP_ATTR_TEXT));
}

/* Names are found by themselves and fit the parser's fixed arrays. */
static void test_tables(void)
{
    for (enum pap_elem e = PAP_ELEM_NONE + 1; e < PAP_ELEM_COUNT; e++) {
        test_row((size_t)e);
        CU_ASSERT_EQUAL(pap_elem_find(pap_elements[e].name), e);
        CU_ASSERT(pap_elements[e].attrs_n <= 32);
        CU_ASSERT(pap_elements[e].children_n <= PAP_CHILDREN_MAX);
        for (size_t i = 0; i < pap_elements[e].children_n; i++)
            CU_ASSERT(pap_elements[e].children[i].elem > PAP_ELEM_PAP);
    }
    CU_ASSERT_EQUAL(pap_elem_find("bpds"), PAP_ELEM_NONE);
    CU_ASSERT_EQUAL(pap_elem_find("Address"), PAP_ELEM_NONE);
    CU_ASSERT_EQUAL(pap_elem_find(""), PAP_ELEM_NONE);
}

const struct test_case test_cases[] = {
    {"codes", test_codes},
    {"abort reasons", test_abort},
    {"states", test_states},
    {"answers", test_answers},
    {"words", test_words},
    {"tables", test_tables},
    {NULL, NULL},
};
