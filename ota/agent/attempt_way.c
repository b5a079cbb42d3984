/* Where an attempt goes: the devices that have registered, next hops and their addresses, redirections; see attempt.h.  RFC 3261 §8.1.2,
 * §8.1.3.4; RFC 3327 §5.4. */
#include "ota/agent/attempt.h"

#include <stdio.h>

#include "base/mem.h"

#define UNAVAILABLE 4001
#define BAD_ADDRESS 2002
#define NO_APP      5028

static const struct ota_env *env_of(const struct ota_sip_attempt *a)
{
    return a->target->sip->env;
}

bool ota_sip_attempt_registered(const struct ota_sip_attempt *a)
{
    return a->job->terminal->registers != OTA_CALLS_NO;
}

bool ota_sip_attempt_by_flow(const struct ota_sip_attempt *a)
{
    return ota_sip_attempt_registered(a) && ota_sip_flow_any(&a->device.flow);
}

static void take_place(struct ota_sip_attempt *a, size_t at)
{
    a->place_at = at;
    a->via = a->places[at].via;
    a->widened = a->narrowed = false;
}

/* Where the device is, or the next one; false: there is none. */
static bool find_device(struct ota_sip_attempt *a, enum err *why)
{
    const struct ota_sip_env *conf = &env_of(a)->sip;
    struct ota_sip_wanted wanted = {.record = a->job->terminal->sip_record,
                                    .instance = a->job->device,
                                    .untagged_ok = conf->untagged_ok,
                                    .session = a->job->terminal->session > OTA_SESSION_LARGE};
    struct buf app;

    buf_init(&app, OTA_SIP_LINE_MAX_N);
    *why = conf->location ? ota_sip_app_value(ota_sip_attempt_app(a), &app) : ERR_ABSENT;
    wanted.app = buf_slice(&app);
    if (!*why)
        *why = ota_sip_location_find(conf->location, &wanted, a->skip, &a->device);
    buf_clear(&app);
    if (!*why)
        *why = mem_cstr(a->uri, sizeof a->uri, slice_str(a->device.contact));
    if (!*why)
        *why = ota_sip_uri_parse(slice_str(a->device.contact), &a->to);
    return *why == ERR_OK;
}

static void go_to_device(struct ota_sip_attempt *a)
{
    ota_sip_attempt_suit(a);
    if (!ota_sip_attempt_by_flow(a)) {
        ota_sip_attempt_resolve(a);
        return;
    }
    a->places[0] = (struct ota_sip_place){.via = a->device.flow.via};
    mem_copy(&a->places[0].to, sizeof a->places[0].to,
             slice_of(&a->device.flow.peer, sizeof a->device.flow.peer));
    a->places_n = 1;
    take_place(a, 0);
    ota_sip_attempt_launch(a);
}

bool ota_sip_attempt_next_device(struct ota_sip_attempt *a, bool gone)
{
    const struct ota_sip_env *conf = &env_of(a)->sip;
    enum err why;

    if (!ota_sip_attempt_registered(a))
        return false;
    if (gone && conf->location)
        ota_sip_location_gone(conf->location, a->job->terminal->sip_record, slice_str(a->device.contact));
    else
        a->skip++;
    if (!find_device(a, &why))
        return false;
    go_to_device(a);
    return true;
}

void ota_sip_attempt_elsewhere(struct ota_sip_attempt *a, enum ota_outcome outcome, const char *note)
{
    if (a->place_at + 1 < a->places_n) {
        take_place(a, a->place_at + 1);
        ota_sip_attempt_launch(a);
        return;
    }
    if (!ota_sip_attempt_next_device(a, false))
        ota_sip_finish(a, outcome, UNAVAILABLE, "%s", note);
}

void ota_sip_attempt_move(struct ota_sip_attempt *a, const struct ota_sip_reply *r,
                          const struct ota_sip_verdict *v)
{
    struct ota_sip_uri to;
    struct buf text;
    enum err e;

    buf_init(&text, OTA_SIP_URI_MAX_N);
    e = ota_sip_reply_contact(r, &text);
    if (!e)
        e = ota_sip_uri_parse(buf_slice(&text), &to);
    if (!e && (a->to.secure && !to.secure)) /* never down from sips (§8.1.3.4) */
        e = ERR_DENIED;
    if (!e && a->moves++ == OTA_SIP_MOVES_MAX)
        e = ERR_LIMIT;
    if (!e)
        e = mem_cstr(a->uri, sizeof a->uri, buf_slice(&text));
    buf_clear(&text);
    if (e) {
        ota_sip_finish(a, v->outcome, v->code, "%u %s, and not followed", r->status, v->note);
        return;
    }
    a->to.secure = to.secure;
    a->to.transport = to.transport;
    a->to.port = to.port;
    (void)snprintf(a->to.host, sizeof a->to.host, "%s", to.host); /* To stays what it was (§8.1.3.4) */
    ota_sip_attempt_resolve(a);
}

static void found(const struct ota_sip_place *places, size_t n, void *arg)
{
    struct ota_sip_attempt *a = arg;

    a->search = NULL;
    a->target->sip->searches--;
    a->place_at = 0;
    for (a->places_n = 0; a->places_n < n; a->places_n++)
        a->places[a->places_n] = places[a->places_n];
    if (n) {
        take_place(a, 0);
        ota_sip_attempt_launch(a);
    } else {
        ota_sip_attempt_elsewhere(a, OTA_RETRY, "name not found");
    }
}

/* Another next hop than before has an agreement of its own, or none. */
static void note_next(struct ota_sip_attempt *a, uint16_t port)
{
    char next[sizeof a->next];

    (void)snprintf(next, sizeof next, "%s:%u", a->name, (unsigned)port);
    if (strcmp(next, a->next) == 0)
        return;
    (void)snprintf(a->next, sizeof a->next, "%s", next);
    a->agreed = env_of(a)->sip.sec_agree && !ota_sip_attempt_registered(a)
                    ? ota_sip_agreements_find(&a->target->sip->agreements, slice_str(next))
                    : (struct ota_sip_agreement){.mechanism = OTA_SIP_NOT_AGREED};
}

/* The next hop: the first proxy on the way to a device that registered through it, the outbound proxy, else where the Request-URI
 * says (RFC 3327 §5.4, RFC 3261 §8.1.2). */
static enum err next_hop(const struct ota_sip_attempt *a, struct ota_sip_uri *hop)
{
    struct slice first = ota_sip_attempt_registered(a) ? SLICE_NONE : env_of(a)->sip.proxy;
    enum err e = ERR_OK;

    *hop = a->to;
    if (ota_sip_attempt_registered(a) && a->device.path[0])
        e = ota_sip_route_first(slice_str(a->device.path), &first);
    return !e && first.n ? ota_sip_uri_parse(first, hop) : e;
}

void ota_sip_attempt_resolve(struct ota_sip_attempt *a)
{
    struct ota_sip *s = a->target->sip;
    struct ota_sip_uri hop;
    enum err e = next_hop(a, &hop);

    if (!e)
        e = mem_cstr(a->name, sizeof a->name, slice_str(hop.host));
    if (!e)
        note_next(a, hop.port);
    if (!e)
        e = ota_sip_search_start(env_of(a)->net, s->records, &hop,
                                 a->to.secure || a->agreed.mechanism == OTA_SIP_AGREED_TLS, found, a,
                                 &a->search);
    if (e)
        ota_sip_attempt_refuse(a, e);
    else
        s->searches++;
}

static void begin_device(struct ota_sip_attempt *a)
{
    enum err why;

    if (find_device(a, &why))
        go_to_device(a);
    else if (why == ERR_UNSUPPORTED)
        ota_sip_finish(a, OTA_ABORTED, NO_APP, "registered, but no device has the application");
    else if (why == ERR_ABSENT)
        ota_sip_finish(a, OTA_RETRY, UNAVAILABLE, "%s",
                       a->job->device.n ? "that device is not registered" : "not registered");
    else
        ota_sip_attempt_refuse(a, why);
}

static void begin_route(struct ota_sip_attempt *a)
{
    struct slice uri = a->job->terminal->sip_uri;

    if (ota_sip_uri_parse(uri, &a->to) || mem_cstr(a->uri, sizeof a->uri, uri)) {
        ota_sip_finish(a, OTA_UNDELIVERABLE, BAD_ADDRESS, "not a SIP URI");
        return;
    }
    ota_sip_attempt_suit(a);
    ota_sip_attempt_resolve(a);
}

void ota_sip_attempt_find(struct ota_sip_attempt *a)
{
    if (ota_sip_attempt_registered(a))
        begin_device(a);
    else
        begin_route(a);
}
