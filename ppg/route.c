/* Routes; see route.h.  From the narrow question to the wide one: one bearer, the first that does, the form, and whether the
 * content itself goes or a notice of it.  Runs on the core's loop. */
#include "ppg/route.h"

#include <stdio.h>
#include "ppg/capabilities.h"
#include "ppg/protect.h"

#define PROFILE_N      1024u /* octets of a usual profile, and the most of two */
#define PROFILES_MAX_N ((size_t)4 * OTA_PROFILE_MAX_N)

/* --- the bearer --- */

/* fetched: only one that the terminal fetches over. */
static bool takes(const struct ota_bearer *b, size_t at, const struct ota_terminal *t,
                  const struct ppg_route_ask *ask, bool fetched)
{
    return !(ask->tried >> at & 1) && (b->fetched || !fetched) && (b->devices || !ask->device.n) &&
           b->reaches(t);
}

/* Place of the first bearer from `at` on that would do; bearers_n: none. */
static size_t bearer_from(const struct ppg_core *c, const struct ota_terminal *t,
                          const struct ppg_route_ask *ask, bool fetched, size_t at)
{
    while (at < c->bearers_n && !takes(c->bearers[at], at, t, ask, fetched))
        at++;
    return at;
}

static bool away(const struct ppg_core *c, const struct ota_terminal *t, size_t at)
{
    void *self = c->bearer_self[at];

    return self && c->bearers[at]->absent && c->bearers[at]->absent(self, t);
}

bool ppg_route_absent(const struct ppg_core *c, const struct ppg_route *r)
{
    return away(c, r->terminal, r->bearer_at);
}

void ppg_route_decide(const struct ppg_core *c, const struct ota_bearer *bearer,
                      const struct ota_terminal *terminal, uint8_t asked, uint8_t demanded, bool xml,
                      struct sec_policy_out *out)
{
    const struct ppg_settings *set = ppg_core_settings(c);
    struct sec_policy_in in = {
        .asked = (enum sec_level)asked,
        .demanded = (enum sec_level)demanded,
        .floor = set->protection.floor,
        .ceiling = set->protection.ceiling,
        .caps = bearer->caps(terminal),
        .sa = ppg_protect_possible(c, terminal, false),
        .message = set->protection.message,
        .mac = sec_mac_keys_any(&terminal->mac.keys),
        .xml = xml && sec_xml_keys_any(&terminal->xml.keys),
    };

    sec_policy_decide(&in, out);
}

static void decide(const struct ppg_core *c, const struct ppg_route_ask *ask, struct ppg_route *r)
{
    ppg_route_decide(c, r->bearer, r->terminal, ask->asked, ask->demanded,
                     ota_type_is_xml(ask->push->content_type), &r->decision);
}

/* PAP_CODE_OK and *r filled, or the code that refuses to go this way. */
static unsigned go_by(const struct ppg_core *c, const struct ppg_route_ask *ask, size_t at,
                      struct ppg_route *r)
{
    r->why = "";
    r->bearer_at = at;
    r->bearer = c->bearers[at];
    if (ask->push->method == PPG_METHOD_CONFIRMED && !r->bearer->confirms) { /* [PAP §5.3] */
        r->why = "nothing confirms delivery on the way to the terminal";
        return PAP_CODE_METHOD_NOT_POSSIBLE;
    }
    if (ask->push->body.n > r->bearer->body_max_n) {
        r->why = "content is larger than the bearer carries";
        return PAP_CODE_CAPABILITIES_NOT_SUPPORTED;
    }
    decide(c, ask, r);
    if (r->decision.refusal != SEC_POLICY_OK) {
        r->why = NULL;
        return PAP_CODE_CAPABILITIES_MISMATCH;
    }
    if (r->decision.seal_encrypts && !ppg_protect_possible(c, r->terminal, true)) {
        r->why = "the terminal's association does not encrypt";
        return PAP_CODE_CAPABILITIES_MISMATCH;
    }
    return PAP_CODE_OK;
}

/* The first way that is open and does, among several to push; else the first of all, with what is wrong with it. */
static unsigned choose(const struct ppg_core *c, const struct ota_registry *registry,
                       const struct ppg_route_ask *ask, bool fetched, struct ppg_route *r)
{
    size_t first;

    r->terminal = ota_registry_find(registry, ask->key);
    r->why = "no such terminal";
    if (!r->terminal)
        return PAP_CODE_ADDRESS_ERROR;
    first = bearer_from(c, r->terminal, ask, fetched, 0);
    r->why =
        ask->device.n ? "no bearer reaches one device of the terminal" : "no bearer reaches the terminal";
    if (first == c->bearers_n)
        return PAP_CODE_SERVICE_FAILURE;
    for (size_t at = first; at < c->bearers_n; at = bearer_from(c, r->terminal, ask, fetched, at + 1))
        if (!(ask->home && away(c, r->terminal, at)) && (at == first || !c->bearers[at]->fetched) &&
            go_by(c, ask, at, r) == PAP_CODE_OK)
            return PAP_CODE_OK;
    return go_by(c, ask, first, r);
}

/* --- the form --- */

unsigned ppg_route_form(const struct ppg_core *c, const struct ppg_route *r, const struct ppg_push *push,
                        struct buf *made, struct ppg_content *out, const char **why)
{
    unsigned code = PAP_CODE_OK;
    struct ota_profile profile;
    struct arena mem;

    arena_init(&mem, PROFILE_N, PROFILES_MAX_N);
    if (ppg_capabilities_known(c, r->terminal, &mem, &profile)) {
        code = PAP_CODE_INTERNAL_ERROR;
        *why = "out of memory";
    } else if (profile.known || r->bearer->narrow) {
        if (r->bearer->fetched)
            profile.size_max = 0; /* it fetches in parts what is larger */
        code = ppg_content_choose(push, &profile, r->bearer->narrow, made, out, why);
    } else {
        *out = ppg_content_plain(push);
    }
    arena_clear(&mem);
    return code;
}

bool ppg_route_other_form(const struct ppg_core *c, const struct ppg_route *r, const struct ppg_push *push,
                          struct buf *made, struct ppg_content *out)
{
    struct ota_profile profile;
    struct arena mem;
    bool is;

    arena_init(&mem, PROFILE_N, PROFILES_MAX_N);
    is = !ppg_capabilities_known(c, r->terminal, &mem, &profile) &&
         ppg_content_other(push, &profile, made, out);
    arena_clear(&mem);
    return is;
}

/* --- the whole --- */

static unsigned plan(const struct ppg_core *c, const struct ota_registry *registry,
                     const struct ppg_route_ask *ask, bool fetched, struct ppg_route *r)
{
    unsigned code;

    *r = (struct ppg_route){.content = ppg_content_plain(ask->push)};
    code = choose(c, registry, ask, fetched, r);
    if (code == PAP_CODE_OK)
        code = ppg_route_form(c, r, ask->push, ask->made, &r->content, &r->why);
    return code;
}

unsigned ppg_route_fetch(const struct ppg_core *c, const struct ota_registry *registry,
                         const struct ppg_route_ask *ask, struct ppg_route *out)
{
    return plan(c, registry, ask, true, out);
}

bool ppg_route_next(const struct ppg_core *c, const struct ota_registry *registry,
                    const struct ppg_route_ask *ask, struct ppg_route *out)
{
    struct ppg_route r;

    if (plan(c, registry, ask, false, &r) != PAP_CODE_OK || r.bearer->fetched || ppg_route_absent(c, &r))
        return false;
    *out = r;
    return true;
}

/* The notice is protected as its content would be; it goes to the one device that is meant, the content lies in the box of
 * them all. */
bool ppg_route_indirect(const struct ppg_core *c, const struct ota_registry *registry,
                        const struct ppg_route_ask *ask, struct ppg_route *r)
{
    struct ppg_route_ask any = *ask;
    struct ppg_route fetch;

    any.device = SLICE_NONE;
    if (!r->bearer || r->bearer->fetched || !r->terminal->inbox || !ppg_core_settings(c)->inbox.url[0] ||
        ppg_route_fetch(c, registry, &any, &fetch) != PAP_CODE_OK)
        return false;
    decide(c, ask, r);
    if (r->decision.refusal != SEC_POLICY_OK)
        return false;
    r->content = fetch.content;
    r->indirect = true;
    return true;
}

/* Is its content something to be fetched, although there is a way to push? */
static bool too_large(const struct ppg_core *c, const struct ppg_push *push, unsigned code)
{
    size_t above_n = ppg_core_settings(c)->inbox.indirect_above_n;

    return code == PAP_CODE_CAPABILITIES_NOT_SUPPORTED ||
           (code == PAP_CODE_OK && above_n && push->body.n > above_n);
}

unsigned ppg_route_find(const struct ppg_core *c, const struct ota_registry *registry,
                        const struct ppg_route_ask *ask, struct ppg_route *out)
{
    unsigned code = plan(c, registry, ask, false, out);

    return too_large(c, ask->push, code) && ppg_route_indirect(c, registry, ask, out) ? PAP_CODE_OK : code;
}

void ppg_route_why(const struct ppg_route *r, char why[PPG_ROUTE_WHY_N])
{
    if (r->why)
        (void)snprintf(why, PPG_ROUTE_WHY_N, "%s", r->why);
    else
        sec_policy_text(&r->decision, why);
}

/* One of several that is meant: what has been accepted waits for it, but nothing is accepted for one that there is not. */
static bool device_known(const struct ppg_core *c, const struct ppg_route *r, struct slice device)
{
    void *self = c->bearer_self[r->bearer_at];

    return !device.n || !self || r->bearer->device(self, r->terminal, device);
}

unsigned ppg_route_possible(const struct ppg_core *c, const struct ppg_route_ask *ask,
                            char why[PPG_ROUTE_WHY_N])
{
    struct ppg_route r;
    unsigned code = ppg_route_find(c, ppg_config_registry(c->config), ask, &r);

    why[0] = '\0';
    if (code == PAP_CODE_OK && !device_known(c, &r, ask->device)) {
        code = PAP_CODE_ADDRESS_ERROR;
        r.why = "the terminal has no such device, or not any more";
    }
    if (code != PAP_CODE_OK)
        ppg_route_why(&r, why);
    return code;
}
