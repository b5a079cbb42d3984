/* Who a push is for; see recipients.h.  [PAP §8.5, §8.6, §10].  Runs on the core's loop. */
#include "ppg/recipients.h"

#include "base/map.h"
#include "ota/headers.h"
#include "pap/address.h"
#include "ppg/authorize.h"
#include "ppg/deliver.h"

/* [PAP §10]: a foreign @ppg is refused when this gateway's names are configured. */
static bool gateway_is_ours(const struct ppg_settings *set, struct slice ppg)
{
    struct slice list = slice_str(set->pap.aliases), alias;

    if (!ppg.n || !list.n)
        return true;
    while (slice_item(&list, &alias))
        if (slice_eq_ci(alias, ppg))
            return true;
    return false;
}

enum pap_code ppg_recipient_key(struct ppg_submission *s, struct slice raw, struct slice *key)
{
    const struct ppg_settings *set = ppg_core_settings(s->core);
    struct pap_address a;
    struct buf text;
    enum pap_code code = PAP_CODE_ACCEPTED;

    if (pap_address_parse(raw, set->pap.strict, &s->push->mem, &a))
        return ppg_refuse(s, PAP_CODE_ADDRESS_ERROR, "address is malformed or of an unknown type");
    if (!gateway_is_ours(set, a.ppg))
        return ppg_refuse(s, PAP_CODE_ADDRESS_ERROR, "address names another gateway");
    buf_init(&text, PAP_ADDRESS_MAX_N * 2);
    pap_address_key(&a, &text);
    if (buf_err(&text) || !text.n)
        code = ppg_refuse(s, PAP_CODE_ADDRESS_ERROR, "address is empty");
    else if (arena_dup(&s->push->mem, buf_slice(&text), key))
        code = ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
    buf_clear(&text);
    return code;
}

/* Was the key seen?  One recipient, the usual case, needs no table. */
static enum err note_key(struct map *seen, size_t addrs_n, struct ppg_target *t)
{
    return addrs_n > 1 ? map_put(seen, t->key, t) : ERR_OK;
}

/* [PAP §8.5]: duplicated addresses collapse to one; one bad address refuses the whole. */
enum pap_code ppg_recipients_take(struct ppg_submission *s)
{
    const struct pap_addrs *addrs = &s->message.push.addrs;
    struct ppg_push *p = s->push;
    enum pap_code code = PAP_CODE_ACCEPTED;
    struct map seen = {.slots = NULL};

    p->targets = arena_array(&p->mem, addrs->n, sizeof *p->targets);
    if (!p->targets)
        return ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
    if (addrs->n > 1)
        map_init(&seen, addrs->n);
    for (size_t i = 0; i < addrs->n && code == PAP_CODE_ACCEPTED; i++) {
        struct ppg_target *t = &p->targets[p->targets_n];
        enum err e;

        t->address = addrs->v[i];
        code = ppg_recipient_key(s, t->address, &t->key);
        e = code == PAP_CODE_ACCEPTED ? note_key(&seen, addrs->n, t) : ERR_OK;
        if (e && e != ERR_EXISTS)
            code = ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
        p->targets_n += e == ERR_OK;
    }
    if (addrs->n > 1)
        map_clear(&seen);
    return code;
}

enum pap_code ppg_recipients_allow(struct ppg_submission *s)
{
    struct ppg_push *p = s->push;
    struct sec_whitelist_query q = {.initiator = p->initiator,
                                    .application = p->app_id.n ? p->app_id : SLICE(OTA_APP_DEFAULT),
                                    .type = ota_type_bare(p->content_type),
                                    .uri = p->initiator_uri,
                                    .uri_foreign = !(p->flags & PPG_AUTHENTICATED),
                                    .size = p->body.n};
    struct sec_whitelist_verdict v;

    for (size_t i = 0; i < p->targets_n; i++) {
        q.recipient = p->targets[i].key;
        sec_whitelist_decide(ppg_config_whitelist(s->core->config), &q, &v);
        if (!v.allow) {
            LOG(s->core->shared->log, LOG_WARN, "whitelist.denied", LOG_S("initiator", p->initiator),
                LOG_S("push_id", p->push_id), LOG_A("to", q.recipient), LOG_C("why", v.reason),
                LOG_C("file", v.file), LOG_I("line", v.line));
            return ppg_refuse(s, PAP_CODE_FORBIDDEN, "this initiator may not push this to that recipient");
        }
        p->targets[i].demanded = (uint8_t)v.demanded;
    }
    return PAP_CODE_ACCEPTED;
}

enum pap_code ppg_recipients_reach(struct ppg_submission *s)
{
    const struct ppg_push *p = s->push;

    for (size_t i = 0; i < p->targets_n; i++) {
        struct ppg_deliver_ask ask = {p->targets[i].key, p->asked, p->targets[i].demanded, p->body.n};
        unsigned code = ppg_deliver_possible(s->core, &ask, s->why);

        if (code != PAP_CODE_OK) {
            LOG(s->core->shared->log, LOG_INFO, "submission.impossible", LOG_S("initiator", p->initiator),
                LOG_S("push_id", p->push_id), LOG_A("to", ask.key), LOG_I("code", code),
                LOG_C("why", s->why));
            return (enum pap_code)code;
        }
    }
    return PAP_CODE_ACCEPTED;
}
