/* The checks of a submission as a table; see authorize.h.  [PAP §8.1].  A duplicate push-id is found by the insert
 * itself, and by accept.c for a submission that these refuse. */
#include "ppg/authorize.h"

#include <stdio.h>
#include "base/net/uri.h"
#include "pap/check.h"
#include "ppg/authenticate.h"
#include "ppg/capabilities.h"
#include "ppg/entity.h"
#include "ppg/limits.h"
#include "ppg/recipients.h"

enum pap_code ppg_refuse(struct ppg_submission *s, enum pap_code code, const char *why)
{
    (void)snprintf(s->why, sizeof s->why, "%s", why);
    return code;
}

/* --- fields of the control entity --- */

static enum pap_code check_fields(struct ppg_submission *s)
{
    const struct ppg_settings *set = ppg_core_settings(s->core);
    struct pap_check_limits limits = PAP_CHECK_LIMITS_DEFAULT;
    struct pap_verdict v;

    limits.addresses_max = set->pap.recipients_max;
    v = pap_check_push(&s->message.push, &limits, s->outcome.received_ms / 1000);
    return v.code == PAP_CODE_OK ? PAP_CODE_ACCEPTED : ppg_refuse(s, v.code, v.why);
}

/* The lifetime of a push without a deadline begins when it may first be tried: one for the day after tomorrow is not over
 * before. */
static int64_t expiry_of(const struct ppg_settings *set, const struct pap_push *m, int64_t now_ms)
{
    int64_t most = now_ms + set->pap.max_lifetime_ms;
    int64_t from = now_ms, until;

    if (m->deliver_after.given && m->deliver_after.utc_s * 1000 > now_ms)
        from = m->deliver_after.utc_s * 1000;
    until = m->deliver_before.given ? m->deliver_before.utc_s * 1000 : from + set->pap.default_lifetime_ms;
    return until > most ? most : until;
}

/* What is accepted with a notification owed must be a URL that notify.c can post to. */
static enum pap_code check_notify_url(struct ppg_submission *s)
{
    struct slice url = s->message.push.notify_to;
    struct net_uri uri;

    return url.n && net_uri_parse(url, &uri)
               ? ppg_refuse(s, PAP_CODE_BAD_REQUEST, "ppg-notify-requested-to cannot be posted to")
               : PAP_CODE_ACCEPTED;
}

static enum pap_code take_fields(struct ppg_submission *s)
{
    static const uint8_t priorities[] = {[PAP_PRIORITY_MEDIUM] = PPG_PRIO_MEDIUM,
                                         [PAP_PRIORITY_HIGH] = PPG_PRIO_HIGH,
                                         [PAP_PRIORITY_LOW] = PPG_PRIO_LOW};
    static const uint8_t methods[] = {[PAP_DELIVERY_NOTSPECIFIED] = PPG_METHOD_NOTSPECIFIED,
                                      [PAP_DELIVERY_CONFIRMED] = PPG_METHOD_CONFIRMED,
                                      [PAP_DELIVERY_PREFERCONFIRMED] = PPG_METHOD_PREFERCONFIRMED,
                                      [PAP_DELIVERY_UNCONFIRMED] = PPG_METHOD_UNCONFIRMED};
    static const uint8_t replaces[] = {
        [PAP_REPLACE_ALL] = PPG_REPLACE_ALL, [PAP_REPLACE_PENDING_ONLY] = PPG_REPLACE_PENDING_ONLY};
    const struct pap_push *m = &s->message.push;
    struct ppg_push *p = s->push;

    p->push_id = m->push_id;
    p->how = ppg_authenticate_how(s->core, s->exchange, s->account, &p->mem);
    p->replace_id = m->replace_push_id;
    p->replace = m->replace_push_id.n ? replaces[m->replace_method] : PPG_REPLACE_NONE;
    p->source_ref = m->source_reference;
    p->notify_url = m->notify_to;
    p->network = m->qos.network;
    p->bearer = m->qos.bearer;
    p->version = (uint8_t)s->message.version;
    p->priority = priorities[m->qos.priority];
    p->method = methods[m->qos.delivery];
    p->flags = (m->qos.given ? PPG_HAS_QOS : 0) | (m->qos.network_required ? PPG_NETWORK_REQUIRED : 0) |
               (m->qos.bearer_required ? PPG_BEARER_REQUIRED : 0) |
               (m->progress_notes_requested ? PPG_PROGRESS_NOTES : 0) |
               (s->account->trusted ? PPG_TRUSTED : 0);
    p->accepted_ms = s->outcome.received_ms;
    p->not_before_ms = m->deliver_after.given ? m->deliver_after.utc_s * 1000 : 0;
    p->expires_ms = expiry_of(ppg_core_settings(s->core), m, p->accepted_ms);
    if (p->not_before_ms >= p->expires_ms)
        return ppg_refuse(s, PAP_CODE_FORBIDDEN, "deliver-after is beyond the greatest lifetime");
    return PAP_CODE_ACCEPTED;
}

/* --- hints that are demands --- */

/* WDP names that an IP route stands for; every other demand cannot be met. */
static bool name_is_any_of(struct slice name, const char *const *names)
{
    for (; *names; names++)
        if (slice_eq_ci(name, slice_str(*names)))
            return true;
    return false;
}

static enum pap_code check_network(struct ppg_submission *s)
{
    static const char *const networks[] = {"Any", NULL};
    static const char *const bearers[] = {"Any", "Packet Data", "GPRS", NULL};
    const struct ppg_push *p = s->push;

    if (p->flags & PPG_NETWORK_REQUIRED && p->network.n && !name_is_any_of(p->network, networks))
        return ppg_refuse(s, PAP_CODE_NETWORK_NOT_AVAILABLE, "required network is not available");
    if (p->flags & PPG_BEARER_REQUIRED && p->bearer.n && !name_is_any_of(p->bearer, bearers))
        return ppg_refuse(s, PAP_CODE_BEARER_NOT_AVAILABLE, "required bearer is not available");
    return PAP_CODE_ACCEPTED;
}

/* --- limits of the initiator --- */

/* A group is as many as its members. */
static uint32_t recipients_n(const struct ppg_push *p)
{
    uint32_t n = 0;

    for (size_t i = 0; i < p->targets_n; i++)
        n += !p->targets[i].members_n;
    return n;
}

/* What can never fit is as with too many addresses [PAP §8.5]: to try again is of no use. */
static enum pap_code check_queue_limit(struct ppg_submission *s)
{
    uint64_t max = s->account->limits.queue_max;

    return max && recipients_n(s->push) > max
               ? ppg_refuse(s, PAP_CODE_MULTIPLE_ADDRESSES,
                            "more recipients than the queue of this initiator holds")
               : PAP_CODE_ACCEPTED;
}

static enum pap_code check_recipient_rate(struct ppg_submission *s)
{
    struct ppg_core *c = s->core;
    uint32_t n = recipients_n(s->push);
    int64_t wait_ms = 0;

    if (ppg_usage_recipients(ppg_limits_of(ppg_config_limits(c->config), s->account), s->account, n,
                             ppg_core_mono_ms(c), &wait_ms))
        return PAP_CODE_ACCEPTED;
    LOG(c->shared->log, LOG_INFO, "limit.recipients", LOG_S("initiator", s->account->name),
        LOG_S("push_id", s->push->push_id), LOG_I("recipients", n));
    if (wait_ms == INT64_MAX)
        return ppg_refuse(s, PAP_CODE_MULTIPLE_ADDRESSES,
                          "more recipients than this initiator may have at once");
    s->outcome.retry_ms = wait_ms;
    return ppg_refuse(s, PAP_CODE_SERVICE_UNAVAILABLE, "too many recipients a second for this initiator");
}

/* [PAP §8.1]: the order is the specification's. */
static const struct {
    const char *name; /* for people */
    enum pap_code (*run)(struct ppg_submission *s);
} checks[] = {
    {"fields of the control entity", check_fields},
    {"notification URL", check_notify_url},
    {"deadlines", take_fields},
    {"content entity", ppg_entity_take},
    {"recipients' addresses", ppg_recipients_take},
    {"whitelist", ppg_recipients_allow},
    {"required network and bearer", check_network},
    {"capabilities the initiator assumes", ppg_capabilities_match},
    {"transfer encoding of the content", ppg_entity_decode},
    {"how each recipient is reached and protected", ppg_recipients_reach},
    {"queue limit of the initiator", check_queue_limit},
    {"recipients a second of the initiator", check_recipient_rate},
    {"what the initiator keeps to itself", ppg_entity_conceal},
};
#define CHECKS_N (sizeof checks / sizeof checks[0])

const char *ppg_authorize_check(size_t i)
{
    return i < CHECKS_N ? checks[i].name : NULL;
}

enum pap_code ppg_authorize(struct ppg_submission *s)
{
    enum pap_code code = PAP_CODE_ACCEPTED;

    for (size_t i = 0; i < CHECKS_N && code == PAP_CODE_ACCEPTED; i++)
        code = checks[i].run(s);
    return code;
}
