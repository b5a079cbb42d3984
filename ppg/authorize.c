/* The checks of a submission as a table; see authorize.h.  [PAP §8.1, §8.5, §8.8, §9].  A duplicate push-id is
 * found by the insert itself, after these: a submission that is bad in two ways may be answered with the other. */
#include "ppg/authorize.h"

#include <stdio.h>
#include "base/map.h"
#include "base/net/uri.h"
#include "base/scan.h"
#include "ota/headers.h"
#include "pap/address.h"
#include "pap/check.h"
#include "ppg/deliver.h"
#include "security/uri.h"

#define PASSED_MAX_N 16384u /* octets of header lines that travel with the content */

static enum pap_code refuse(struct ppg_submission *s, enum pap_code code, const char *why)
{
    (void)snprintf(s->why, sizeof s->why, "%s", why);
    return code;
}

static enum pap_code from_err(struct ppg_submission *s, enum err e, const char *why)
{
    return refuse(s, e == ERR_NOMEM ? PAP_CODE_INTERNAL_ERROR : PAP_CODE_BAD_REQUEST, why);
}

/* --- fields of the control entity --- */

static enum pap_code check_fields(struct ppg_submission *s)
{
    const struct ppg_settings *set = ppg_core_settings(s->core);
    struct pap_check_limits limits = PAP_CHECK_LIMITS_DEFAULT;
    struct pap_verdict v;

    limits.addresses_max = set->pap.recipients_max;
    limits.replace = false;
    v = pap_check_push(&s->message.push, &limits, s->outcome.received_ms / 1000);
    return v.code == PAP_CODE_OK ? PAP_CODE_ACCEPTED : refuse(s, v.code, v.why);
}

static int64_t expiry_of(const struct ppg_settings *set, const struct pap_push *m, int64_t now_ms)
{
    int64_t most = now_ms + set->pap.max_lifetime_ms;

    if (!m->deliver_before.given)
        return now_ms + set->pap.default_lifetime_ms;
    return m->deliver_before.utc_s > most / 1000 ? most : m->deliver_before.utc_s * 1000;
}

/* What is accepted with a notification owed must be a URL that notify.c can post to. */
static enum pap_code check_notify_url(struct ppg_submission *s)
{
    struct slice url = s->message.push.notify_to;
    struct net_uri uri;

    return url.n && net_uri_parse(url, &uri)
               ? refuse(s, PAP_CODE_BAD_REQUEST, "ppg-notify-requested-to cannot be posted to")
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
    const struct pap_push *m = &s->message.push;
    struct ppg_push *p = s->push;

    if (arena_dup(&p->mem, s->account->name, &p->initiator))
        return refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
    p->push_id = m->push_id;
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
    if (p->not_before_ms > p->expires_ms)
        return refuse(s, PAP_CODE_FORBIDDEN, "deliver-after is beyond the greatest lifetime");
    return PAP_CODE_ACCEPTED;
}

/* --- headers of the content entity --- */

struct entity {
    struct slice type;     /* Content-Type */
    struct slice encoding; /* Content-Transfer-Encoding */
    struct slice app;
    struct slice uri;
    struct slice protection;
    struct buf passed;
};

static void entity_header(struct entity *e, const struct pap_header *h)
{
    struct {
        struct slice name;
        struct slice *into;
    } const known[] = {{SLICE("Content-Type"), &e->type},
                       {SLICE("Content-Transfer-Encoding"), &e->encoding},
                       {SLICE("X-Wap-Application-Id"), &e->app},
                       {SLICE("X-Wap-Initiator-URI"), &e->uri},
                       {SLICE("X-Push-Protection"), &e->protection}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (slice_eq_ci(h->name, known[i].name)) {
            if (!known[i].into->n)
                *known[i].into = h->value;
            return;
        }
    if (ota_header_rule(h->name) != OTA_HEADER_PASS)
        return;
    if (slice_eq_ci(h->name, SLICE("Content-Encoding")) && slice_eq_ci(h->value, SLICE("binary")))
        return; /* seen in the field; means nothing */
    buf_add(&e->passed, h->name);
    buf_add_str(&e->passed, ": ");
    buf_add(&e->passed, h->value);
    buf_add_str(&e->passed, "\r\n");
}

static enum pap_code read_entity(struct ppg_submission *s, struct entity *e)
{
    struct slice headers = s->parts.part[1].headers;
    struct pap_header h;
    enum err err;

    while (!(err = pap_mime_header_next(&headers, &s->push->mem, &h)))
        entity_header(e, &h);
    if (err != ERR_ABSENT)
        return from_err(s, err, "content entity has a bad header");
    if (buf_err(&e->passed))
        return from_err(s, buf_err(&e->passed), "content entity has too many header octets");
    return PAP_CODE_ACCEPTED;
}

static enum pap_code take_type(struct ppg_submission *s, const struct entity *e)
{
    struct pap_media media;

    if (pap_media_parse(e->type, false, &media))
        return refuse(s, PAP_CODE_BAD_REQUEST, "content entity has no good Content-Type");
    return arena_dup(&s->push->mem, e->type, &s->push->content_type)
               ? refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory")
               : PAP_CODE_ACCEPTED;
}

/* [PAP §9]: the part's header wins over the request's; "/" counts as absent. */
static enum pap_code take_app(struct ppg_submission *s, const struct entity *e)
{
    struct slice app = e->app;
    int32_t number;

    if (!app.n)
        app = net_http_header(net_http_exchange_msg(s->exchange), SLICE("X-Wap-Application-Id"), NULL);
    if (ota_app_id_parse(app, &app, &number))
        return refuse(s, PAP_CODE_BAD_REQUEST, "X-Wap-Application-Id is malformed");
    if (slice_eq_ci(app, SLICE(OTA_APP_DEFAULT)))
        app = SLICE_NONE;
    return arena_dup(&s->push->mem, app, &s->push->app_id)
               ? refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory")
               : PAP_CODE_ACCEPTED;
}

static bool uri_is_printable(struct slice uri)
{
    for (size_t i = 0; i < uri.n; i++)
        if ((unsigned char)uri.p[i] <= ' ' || (unsigned char)uri.p[i] >= 0x7f)
            return false;
    return true;
}

/* What the account is known by when it claims nothing: its first URI, a trailing star taken off. */
static struct slice own_uri(const struct sec_account *account)
{
    struct slice uri = account->initiator_uris_n ? account->initiator_uris[0] : SLICE_NONE;

    return slice_ends(uri, SLICE("*")) ? slice_sub(uri, 0, uri.n - 1) : uri;
}

/* [PAP §8.8]: "authenticated" only for a URI of the authenticated account; a foreign claim travels without it. */
static enum pap_code take_uri(struct ppg_submission *s, const struct entity *e)
{
    struct slice uri = e->uri.n ? e->uri : own_uri(s->account);

    if (uri.n > SEC_URI_MAX_N || !uri_is_printable(uri))
        return refuse(s, PAP_CODE_BAD_REQUEST, "X-Wap-Initiator-URI is malformed");
    if (uri.n && (!e->uri.n || sec_initiator_uri_allowed(s->account, uri)))
        s->push->flags |= PPG_AUTHENTICATED;
    else if (uri.n)
        LOG(s->core->shared->log, LOG_WARN, "initiator.foreign-uri", LOG_S("initiator", s->account->name),
            LOG_S("uri", uri));
    return arena_dup(&s->push->mem, uri, &s->push->initiator_uri)
               ? refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory")
               : PAP_CODE_ACCEPTED;
}

static enum pap_code take_protection(struct ppg_submission *s, const struct entity *e)
{
    enum sec_level level = SEC_LEVEL_NONE;

    if (e->protection.n && sec_level_parse(e->protection, &level))
        return refuse(s, PAP_CODE_BAD_REQUEST, "X-Push-Protection is none, integrity or full");
    if (e->protection.n && !s->account->may_ask_protection)
        return refuse(s, PAP_CODE_FORBIDDEN, "this account may not choose protection");
    s->push->asked = (uint8_t)level;
    return PAP_CODE_ACCEPTED;
}

/* The content in its own octets.  Undoing a transfer encoding needs room of its own, which then replaces the request body. */
static enum pap_code take_body(struct ppg_submission *s, const struct entity *e)
{
    struct buf decoded;
    struct slice body;
    enum err err;

    buf_init(&decoded, ppg_core_settings(s->core)->pap.body_max_n);
    err = pap_mime_decode(e->encoding, s->parts.part[1].body, &decoded, &body);
    if (err) {
        buf_clear(&decoded);
        return from_err(s, err, "content transfer encoding is bad or unknown");
    }
    if (decoded.n) {
        buf_clear(&s->push->body_mem);
        buf_move(&decoded, &s->push->body_mem);
        body = buf_slice(&s->push->body_mem);
    }
    buf_clear(&decoded);
    s->push->body = body;
    return PAP_CODE_ACCEPTED;
}

static enum pap_code take_entity(struct ppg_submission *s)
{
    struct entity e = {.encoding = SLICE_NONE};
    enum pap_code code;

    buf_init(&e.passed, PASSED_MAX_N);
    code = read_entity(s, &e);
    if (code == PAP_CODE_ACCEPTED && arena_dup(&s->push->mem, buf_slice(&e.passed), &s->push->headers))
        code = refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
    buf_clear(&e.passed);
    if (code == PAP_CODE_ACCEPTED && (code = take_type(s, &e)) == PAP_CODE_ACCEPTED &&
        (code = take_app(s, &e)) == PAP_CODE_ACCEPTED && (code = take_uri(s, &e)) == PAP_CODE_ACCEPTED &&
        (code = take_protection(s, &e)) == PAP_CODE_ACCEPTED)
        code = take_body(s, &e);
    return code;
}

/* --- recipients --- */

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

static enum pap_code take_address(struct ppg_submission *s, struct slice raw, struct ppg_target *t)
{
    const struct ppg_settings *set = ppg_core_settings(s->core);
    struct pap_address a;
    struct buf key;
    enum pap_code code = PAP_CODE_ACCEPTED;

    if (pap_address_parse(raw, set->pap.strict, &s->push->mem, &a))
        return refuse(s, PAP_CODE_ADDRESS_ERROR, "address is malformed or of an unknown type");
    if (!gateway_is_ours(set, a.ppg))
        return refuse(s, PAP_CODE_ADDRESS_ERROR, "address names another gateway");
    buf_init(&key, PAP_ADDRESS_MAX_N * 2);
    pap_address_key(&a, &key);
    t->address = raw;
    if (buf_err(&key) || !key.n)
        code = refuse(s, PAP_CODE_ADDRESS_ERROR, "address is empty");
    else if (arena_dup(&s->push->mem, buf_slice(&key), &t->key))
        code = refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
    buf_clear(&key);
    return code;
}

/* Was the key seen?  One recipient, the usual case, needs no table. */
static enum err note_key(struct map *seen, size_t addrs_n, struct ppg_target *t)
{
    return addrs_n > 1 ? map_put(seen, t->key, t) : ERR_OK;
}

/* [PAP §8.5]: duplicated addresses collapse to one; one bad address refuses the whole. */
static enum pap_code take_addresses(struct ppg_submission *s)
{
    const struct pap_addrs *addrs = &s->message.push.addrs;
    struct ppg_push *p = s->push;
    enum pap_code code = PAP_CODE_ACCEPTED;
    struct map seen = {.slots = NULL};

    p->targets = arena_array(&p->mem, addrs->n, sizeof *p->targets);
    if (!p->targets)
        return refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
    if (addrs->n > 1)
        map_init(&seen, addrs->n);
    for (size_t i = 0; i < addrs->n && code == PAP_CODE_ACCEPTED; i++) {
        struct ppg_target *t = &p->targets[p->targets_n];
        enum err e;

        code = take_address(s, addrs->v[i], t);
        e = code == PAP_CODE_ACCEPTED ? note_key(&seen, addrs->n, t) : ERR_OK;
        if (e && e != ERR_EXISTS)
            code = refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
        p->targets_n += e == ERR_OK;
    }
    if (addrs->n > 1)
        map_clear(&seen);
    return code;
}

static enum pap_code check_rights(struct ppg_submission *s)
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
            return refuse(s, PAP_CODE_FORBIDDEN, "this initiator may not push this to that recipient");
        }
        p->targets[i].demanded = (uint8_t)v.demanded;
    }
    return PAP_CODE_ACCEPTED;
}

static enum pap_code check_delivery(struct ppg_submission *s)
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
        return refuse(s, PAP_CODE_NETWORK_NOT_AVAILABLE, "required network is not available");
    if (p->flags & PPG_BEARER_REQUIRED && p->bearer.n && !name_is_any_of(p->bearer, bearers))
        return refuse(s, PAP_CODE_BEARER_NOT_AVAILABLE, "required bearer is not available");
    return PAP_CODE_ACCEPTED;
}

/* [PAP §8.1]: the order is the specification's. */
static enum pap_code (*const checks[])(struct ppg_submission *s) = {
    check_fields,   check_notify_url, take_fields,   take_entity,
    take_addresses, check_rights,     check_network, check_delivery,
};

enum pap_code ppg_authorize(struct ppg_submission *s)
{
    enum pap_code code = PAP_CODE_ACCEPTED;

    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && code == PAP_CODE_ACCEPTED; i++)
        code = checks[i](s);
    return code;
}
