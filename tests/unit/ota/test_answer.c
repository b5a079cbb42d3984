/* Every row of the two status tables of OTA-HTTP. */
#include "ota/answer.h"

#include "ota/cpi.h"
#include "tests/unit/harness.h"

struct row {
    unsigned http, push;
    bool tag;
    enum ota_step step;
    enum ota_outcome outcome;
    unsigned code;
    bool register_again, unusable;
};

#define DONE OTA_STEP_DONE

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct ota_answer a = ota_answer_push(rows[i].http, rows[i].push, rows[i].tag);

        test_row(i);
        CU_ASSERT(a.step == rows[i].step);
        CU_ASSERT(a.outcome == rows[i].outcome);
        CU_ASSERT(a.code == rows[i].code);
        CU_ASSERT(a.note != NULL);
        CU_ASSERT(a.register_again == rows[i].register_again);
        CU_ASSERT(a.unusable == rows[i].unusable);
    }
}

static void push_status_rows(void)
{
    static const struct row rows[] = {
        {204, 400, false, DONE, OTA_DELIVERED, 1000, false, false},
        {200, 400, true, DONE, OTA_DELIVERED, 1000, false, false},
        {204, 234, false, DONE, OTA_ABORTED, 5026, false, false},
        {204, 235, false, DONE, OTA_ABORTED, 5027, false, false},
        {204, 236, false, DONE, OTA_ABORTED, 5028, false, false},
        {204, 237, false, DONE, OTA_BUSY, 5029, false, false},
        {204, 238, false, DONE, OTA_ABORTED, 5030, false, false},
        {204, 256, true, OTA_STEP_REGISTER, OTA_RETRY, 4001, false, false},
        {204, 256, false, DONE, OTA_ABORTED, 5000, false, false},
        {204, 500, false, DONE, OTA_UNDELIVERABLE, 4000, true, false},
        {204, 501, true, DONE, OTA_UNDELIVERABLE, 4000, true, false},
        {204, 200, false, DONE, OTA_ABORTED, 5000, false, false},
        {204, 299, false, DONE, OTA_ABORTED, 5000, false, false},
        {204, 233, false, DONE, OTA_ABORTED, 5000, false, false},
        {204, 300, false, DONE, OTA_UNDELIVERABLE, 4000, false, false},
        {204, 401, false, DONE, OTA_UNDELIVERABLE, 4000, false, false},
        {204, 999, false, DONE, OTA_UNDELIVERABLE, 4000, false, false},
        {204, 199, false, DONE, OTA_UNDELIVERABLE, 4000, false, false},
        {204, OTA_STATUS_BAD, false, DONE, OTA_UNDELIVERABLE, 4000, false, false},
        {400, 235, false, DONE, OTA_ABORTED, 5027, false, false}, /* a status explains a failure */
        {500, 400, false, DONE, OTA_RETRY, 4001, false, false},   /* no acceptance inside a failure */
        {404, 400, false, DONE, OTA_UNDELIVERABLE, 3007, false, true},
        {401, 400, false, OTA_STEP_LOGIN, OTA_UNDELIVERABLE, 4000, false, false},
        {401, 235, false, OTA_STEP_LOGIN, OTA_UNDELIVERABLE, 4000, false, false},
    };

    check(rows, COUNT(rows));
}

static void http_status_rows(void)
{
    static const struct row rows[] = {
        {200, 0, false, DONE, OTA_DELIVERED, 1000, false, false},
        {202, 0, false, DONE, OTA_DELIVERED, 1000, false, false},
        {204, 0, false, DONE, OTA_DELIVERED, 1000, false, false},
        {201, 0, false, DONE, OTA_UNDELIVERABLE, 4000, false, false},
        {206, 0, false, DONE, OTA_UNDELIVERABLE, 4000, false, false},
        {302, 0, false, DONE, OTA_UNDELIVERABLE, 4000, false, false},
        {400, 0, false, DONE, OTA_ABORTED, 5000, false, false},
        {401, 0, false, OTA_STEP_LOGIN, OTA_UNDELIVERABLE, 4000, false, false},
        {403, 0, false, DONE, OTA_UNDELIVERABLE, 4000, false, false},
        {404, 0, false, DONE, OTA_UNDELIVERABLE, 3007, false, true},
        {405, 0, false, DONE, OTA_UNDELIVERABLE, 3007, false, true},
        {501, 0, false, DONE, OTA_UNDELIVERABLE, 3007, false, true},
        {413, 0, false, DONE, OTA_UNDELIVERABLE, 2006, false, false},
        {415, 0, false, DONE, OTA_ABORTED, 5030, false, false},
        {408, 0, false, DONE, OTA_RETRY, 4001, false, false},
        {429, 0, false, DONE, OTA_RETRY, 4001, false, false},
        {500, 0, false, DONE, OTA_RETRY, 4001, false, false},
        {503, 0, false, DONE, OTA_RETRY, 4001, false, false},
        {599, 0, false, DONE, OTA_RETRY, 4001, false, false},
        {600, 0, false, DONE, OTA_UNDELIVERABLE, 4000, false, false},
    };

    check(rows, COUNT(rows));
}

const struct test_case test_cases[] = {
    {"push_status_rows", push_status_rows},
    {"http_status_rows", http_status_rows},
    {NULL, NULL},
};
