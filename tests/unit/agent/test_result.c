/* SIP statuses to what is done and what comes of it: every status there can be. */
#include "ota/agent/result.h"

#include "tests/unit/harness.h"

static const struct {
    unsigned status;
    enum ota_sip_next next;
    enum ota_outcome outcome;
    unsigned code;
} rows[] = {
    {200, OTA_SIP_END, OTA_DELIVERED, 1000},
    {202, OTA_SIP_END, OTA_DELIVERED, 1000},
    {204, OTA_SIP_END, OTA_DELIVERED, 1000},
    {300, OTA_SIP_END, OTA_UNDELIVERABLE, 2002},
    {301, OTA_SIP_MOVED, OTA_UNDELIVERABLE, 2002},
    {302, OTA_SIP_MOVED, OTA_UNDELIVERABLE, 2002},
    {305, OTA_SIP_MOVED, OTA_UNDELIVERABLE, 2002},
    {380, OTA_SIP_END, OTA_UNDELIVERABLE, 2002},
    {400, OTA_SIP_END, OTA_UNDELIVERABLE, 4000},
    {401, OTA_SIP_LOGIN, OTA_UNDELIVERABLE, 4000},
    {402, OTA_SIP_END, OTA_UNDELIVERABLE, 4000},
    {403, OTA_SIP_END, OTA_UNDELIVERABLE, 4000},
    {404, OTA_SIP_NOT_THERE, OTA_UNDELIVERABLE, 2002},
    {405, OTA_SIP_END, OTA_UNDELIVERABLE, 2006},
    {406, OTA_SIP_OTHER_FORM, OTA_ABORTED, 5030},
    {407, OTA_SIP_LOGIN, OTA_UNDELIVERABLE, 4000},
    {408, OTA_SIP_ELSEWHERE, OTA_RETRY, 4001},
    {410, OTA_SIP_GONE, OTA_UNDELIVERABLE, 2002},
    {413, OTA_SIP_END, OTA_UNDELIVERABLE, 2006},
    {414, OTA_SIP_END, OTA_UNDELIVERABLE, 2002},
    {415, OTA_SIP_OTHER_FORM, OTA_ABORTED, 5030},
    {416, OTA_SIP_END, OTA_UNDELIVERABLE, 2002},
    {420, OTA_SIP_END, OTA_UNDELIVERABLE, 4000},
    {421, OTA_SIP_AGREE, OTA_UNDELIVERABLE, 4000},
    {430, OTA_SIP_GONE, OTA_RETRY, 4001},
    {480, OTA_SIP_NOT_THERE, OTA_RETRY, 4001},
    {481, OTA_SIP_END, OTA_RETRY, 4001},
    {482, OTA_SIP_END, OTA_UNDELIVERABLE, 4000},
    {483, OTA_SIP_END, OTA_UNDELIVERABLE, 4000},
    {484, OTA_SIP_END, OTA_UNDELIVERABLE, 2002},
    {485, OTA_SIP_END, OTA_UNDELIVERABLE, 2002},
    {486, OTA_SIP_END, OTA_RETRY, 4001},
    {487, OTA_SIP_END, OTA_RETRY, 4001},
    {488, OTA_SIP_OTHER_FORM, OTA_ABORTED, 5030},
    {491, OTA_SIP_END, OTA_RETRY, 4001},
    {493, OTA_SIP_END, OTA_UNDELIVERABLE, 4000},
    {494, OTA_SIP_AGREE, OTA_UNDELIVERABLE, 4000},
    {499, OTA_SIP_END, OTA_UNDELIVERABLE, 4000},
    {500, OTA_SIP_ELSEWHERE, OTA_RETRY, 4001},
    {501, OTA_SIP_END, OTA_UNDELIVERABLE, 2006},
    {502, OTA_SIP_ELSEWHERE, OTA_RETRY, 4001},
    {503, OTA_SIP_ELSEWHERE, OTA_RETRY, 4001},
    {504, OTA_SIP_ELSEWHERE, OTA_RETRY, 4001},
    {505, OTA_SIP_END, OTA_UNDELIVERABLE, 4000},
    {513, OTA_SIP_END, OTA_UNDELIVERABLE, 2006},
    {599, OTA_SIP_ELSEWHERE, OTA_RETRY, 4001},
    {600, OTA_SIP_END, OTA_RETRY, 4001},
    {603, OTA_SIP_END, OTA_ABORTED, 5027},
    {604, OTA_SIP_END, OTA_UNDELIVERABLE, 2002},
    {606, OTA_SIP_OTHER_FORM, OTA_ABORTED, 5030},
    {607, OTA_SIP_END, OTA_ABORTED, 5027},
    {699, OTA_SIP_END, OTA_ABORTED, 5027},
};

static void statuses(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ota_sip_verdict v = ota_sip_verdict(rows[i].status, false);

        test_row(i);
        CU_ASSERT_EQUAL(v.next, rows[i].next);
        CU_ASSERT_EQUAL(v.outcome, rows[i].outcome);
        CU_ASSERT_EQUAL(v.code, rows[i].code);
    }
}

/* An unheard-of status is the x00 of its class; 6xx is a refusal unless it says busy. */
static void every_status_has_a_verdict(void)
{
    for (unsigned status = 200; status < 700; status++) {
        struct ota_sip_verdict v = ota_sip_verdict(status, status % 2);

        test_row(status);
        CU_ASSERT(v.note != NULL && v.code >= 1000);
        CU_ASSERT_EQUAL(v.outcome == OTA_DELIVERED, status < 300 && !(status == 202 && status % 2));
    }
}

static void what_must_be_confirmed(void)
{
    struct ota_sip_verdict v = ota_sip_verdict(202, true);

    CU_ASSERT(v.outcome == OTA_AMBIGUOUS && v.code == 4001);
    v = ota_sip_verdict(200, true);
    CU_ASSERT(v.outcome == OTA_DELIVERED && v.code == 1000);
    CU_ASSERT_EQUAL(ota_sip_verdict(405, true).code, 3007);
    CU_ASSERT_EQUAL(ota_sip_verdict(501, true).code, 3007);
    CU_ASSERT_EQUAL(ota_sip_verdict(404, true).code, 2002);
}

const struct test_case test_cases[] = {{"statuses", statuses},
                                       {"every_status_has_a_verdict", every_status_has_a_verdict},
                                       {"what_must_be_confirmed", what_must_be_confirmed},
                                       {NULL, NULL}};
