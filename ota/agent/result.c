/* What a final SIP status means for a push; see result.h.  RFC 3261 §21, RFC 3428 §7. */
#include "ota/agent/result.h"

#define OK           1000
#define ADDRESS      2002
#define CAPABILITIES 2006
#define NO_CONFIRM   3007
#define FAILURE      4000
#define UNAVAILABLE  4001
#define REFUSED      5027
#define TYPE         5030

static const struct row {
    unsigned status;
    struct ota_sip_verdict v;
} rows[] = {
    {200, {OTA_SIP_END, OTA_DELIVERED, OK, "delivered"}},
    {202, {OTA_SIP_END, OTA_DELIVERED, OK, "relayed"}},
    {300, {OTA_SIP_END, OTA_UNDELIVERABLE, ADDRESS, "several addresses"}},
    {301, {OTA_SIP_MOVED, OTA_UNDELIVERABLE, ADDRESS, "moved"}},
    {302, {OTA_SIP_MOVED, OTA_UNDELIVERABLE, ADDRESS, "moved"}},
    {305, {OTA_SIP_MOVED, OTA_UNDELIVERABLE, ADDRESS, "to be sent through a proxy"}},
    {380, {OTA_SIP_END, OTA_UNDELIVERABLE, ADDRESS, "another service"}},
    {400, {OTA_SIP_END, OTA_UNDELIVERABLE, FAILURE, "bad request"}},
    {401, {OTA_SIP_LOGIN, OTA_UNDELIVERABLE, FAILURE, "gateway not authorised"}},
    {403, {OTA_SIP_END, OTA_UNDELIVERABLE, FAILURE, "refused by network"}},
    {404, {OTA_SIP_NOT_THERE, OTA_UNDELIVERABLE, ADDRESS, "not found"}},
    {405, {OTA_SIP_END, OTA_UNDELIVERABLE, CAPABILITIES, "takes no MESSAGE"}},
    {406, {OTA_SIP_OTHER_FORM, OTA_ABORTED, TYPE, "not acceptable"}},
    {407, {OTA_SIP_LOGIN, OTA_UNDELIVERABLE, FAILURE, "gateway not authorised"}},
    {408, {OTA_SIP_ELSEWHERE, OTA_RETRY, UNAVAILABLE, "no answer"}},
    {410, {OTA_SIP_GONE, OTA_UNDELIVERABLE, ADDRESS, "gone"}},
    {413, {OTA_SIP_END, OTA_UNDELIVERABLE, CAPABILITIES, "too large"}},
    {414, {OTA_SIP_END, OTA_UNDELIVERABLE, ADDRESS, "URI too long"}},
    {415, {OTA_SIP_OTHER_FORM, OTA_ABORTED, TYPE, "type not accepted"}},
    {416, {OTA_SIP_END, OTA_UNDELIVERABLE, ADDRESS, "URI scheme not known"}},
    {421, {OTA_SIP_AGREE, OTA_UNDELIVERABLE, FAILURE, "wants an extension"}},
    {430, {OTA_SIP_GONE, OTA_RETRY, UNAVAILABLE, "flow failed"}},
    {480, {OTA_SIP_NOT_THERE, OTA_RETRY, UNAVAILABLE, "not available now"}},
    {481, {OTA_SIP_END, OTA_RETRY, UNAVAILABLE, "transaction not known"}},
    {484, {OTA_SIP_END, OTA_UNDELIVERABLE, ADDRESS, "address incomplete"}},
    {485, {OTA_SIP_END, OTA_UNDELIVERABLE, ADDRESS, "address ambiguous"}},
    {486, {OTA_SIP_END, OTA_RETRY, UNAVAILABLE, "busy"}},
    {487, {OTA_SIP_END, OTA_RETRY, UNAVAILABLE, "rang, and was cancelled"}},
    {488, {OTA_SIP_OTHER_FORM, OTA_ABORTED, TYPE, "not acceptable here"}},
    {491, {OTA_SIP_END, OTA_RETRY, UNAVAILABLE, "busy with another request"}},
    {494, {OTA_SIP_AGREE, OTA_UNDELIVERABLE, FAILURE, "wants a security agreement"}},
    {500, {OTA_SIP_ELSEWHERE, OTA_RETRY, UNAVAILABLE, "server failure"}},
    {501, {OTA_SIP_END, OTA_UNDELIVERABLE, CAPABILITIES, "takes no MESSAGE"}},
    {505, {OTA_SIP_END, OTA_UNDELIVERABLE, FAILURE, "SIP version not taken"}},
    {513, {OTA_SIP_END, OTA_UNDELIVERABLE, CAPABILITIES, "too large"}},
    {600, {OTA_SIP_END, OTA_RETRY, UNAVAILABLE, "busy everywhere"}},
    {603, {OTA_SIP_END, OTA_ABORTED, REFUSED, "declined"}},
    {604, {OTA_SIP_END, OTA_UNDELIVERABLE, ADDRESS, "exists nowhere"}},
    {606, {OTA_SIP_OTHER_FORM, OTA_ABORTED, TYPE, "not acceptable"}},
};

static const struct ota_sip_verdict *find(unsigned status)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].status == status)
            return &rows[i].v;
    return NULL;
}

/* 6xx that have no row: the recipient said no (RFC 3428 §7), where 600 says busy. */
static const struct ota_sip_verdict *find_class(unsigned status)
{
    return find(status >= 600 ? 603 : status / 100 * 100);
}

struct ota_sip_verdict ota_sip_verdict(unsigned status, bool confirmed)
{
    const struct ota_sip_verdict *found = find(status);
    struct ota_sip_verdict v = found ? *found : *find_class(status);

    if (confirmed && status == 202) { /* whoever took it does not say that it arrived (RFC 3428 §7) */
        v.outcome = OTA_AMBIGUOUS;
        v.code = UNAVAILABLE;
        v.note = "relayed, not confirmed";
    }
    if (confirmed && (status == 405 || status == 501))
        v.code = NO_CONFIRM;
    return v;
}
