/* The two status tables of OTA-HTTP.  [OTA-HTTP §7.2], codes of [PAP §6]. */
#include "ota/answer.h"

#include "ota/cpi.h"

struct row {
    unsigned from, to; /* status, both included */
    struct ota_answer answer;
};

#define FINAL(outcome_, code_, note_)                                                                        \
    {                                                                                                        \
        .outcome = (outcome_), .code = (code_), .note = (note_)                                              \
    }

/* X-Wap-Push-Status; 234 to 238 are the WSP abort reasons in decimal.  The first row that fits decides. */
static const struct row push_rows[] = {
    {400, 400, FINAL(OTA_DELIVERED, 1000, "accepted")},
    {234, 234, FINAL(OTA_ABORTED, 5026, "aborted by the user agent")},
    {235, 235, FINAL(OTA_ABORTED, 5027, "refused by user or filter")},
    {236, 236, FINAL(OTA_ABORTED, 5028, "no such application")},
    {237, 237, FINAL(OTA_BUSY, 5029, "no resources")},
    {238, 238, FINAL(OTA_ABORTED, 5030, "content type not taken")},
    {256, 256, FINAL(OTA_ABORTED, 5000, "aborted, no reason given")},
    {200, 299, FINAL(OTA_ABORTED, 5000, "aborted, reason unknown")},
    {500,
     501,
     {.outcome = OTA_UNDELIVERABLE,
      .code = 4000,
      .note = "registration status for a push",
      .register_again = true}},
};
static const struct ota_answer push_bad =
    FINAL(OTA_UNDELIVERABLE, 4000, "a push status that is none, or two that differ");
static const struct ota_answer push_other = FINAL(OTA_UNDELIVERABLE, 4000, "unknown push status");

/* HTTP statuses of answers without X-Wap-Push-Status. */
static const struct row http_rows[] = {
    {200, 200, FINAL(OTA_DELIVERED, 1000, "taken, no push status")},
    {202, 202, FINAL(OTA_DELIVERED, 1000, "taken, no push status")},
    {204, 204, FINAL(OTA_DELIVERED, 1000, "taken, no push status")},
    {400, 400, FINAL(OTA_ABORTED, 5000, "bad request, says the terminal")},
    {401, 401, {.step = OTA_STEP_LOGIN, .outcome = OTA_UNDELIVERABLE, .code = 4000, .note = "login refused"}},
    {404,
     405,
     {.outcome = OTA_UNDELIVERABLE, .code = 3007, .note = "no push service there", .unusable = true}},
    {408, 408, FINAL(OTA_RETRY, 4001, "terminal timed out")},
    {413, 413, FINAL(OTA_UNDELIVERABLE, 2006, "too large for the terminal")},
    {415, 415, FINAL(OTA_ABORTED, 5030, "content type not taken")},
    {429, 429, FINAL(OTA_RETRY, 4001, "too many requests, says the terminal")},
    {501,
     501,
     {.outcome = OTA_UNDELIVERABLE,
      .code = 3007,
      .note = "the terminal does not know push",
      .unusable = true}},
    {500, 599, FINAL(OTA_RETRY, 4001, "terminal failed")},
};
static const struct ota_answer http_other = FINAL(OTA_UNDELIVERABLE, 4000, "unexpected HTTP status");

static struct ota_answer look_up(const struct row *rows, size_t n, const struct ota_answer *other,
                                 unsigned status)
{
    for (size_t i = 0; i < n; i++)
        if (status >= rows[i].from && status <= rows[i].to)
            return rows[i].answer;
    return *other;
}

struct ota_answer ota_answer_http(unsigned http_status)
{
    return look_up(http_rows, sizeof http_rows / sizeof http_rows[0], &http_other, http_status);
}

struct ota_answer ota_answer_push(unsigned http_status, unsigned push_status, bool has_tag)
{
    struct ota_answer a;

    /* "Accepted" inside a failure is no acceptance: only a 2xx may carry it. */
    if (push_status == 0 || http_status == 401 || (push_status == 400 && http_status / 100 != 2))
        return ota_answer_http(http_status);
    if (push_status == OTA_STATUS_BAD)
        return push_bad;
    a = look_up(push_rows, sizeof push_rows / sizeof push_rows[0], &push_other, push_status);
    if (push_status == 256 && has_tag) {
        a.step = OTA_STEP_REGISTER;
        a.outcome = OTA_RETRY;
        a.code = 4001;
        a.note = "stale tag again";
    }
    return a;
}
