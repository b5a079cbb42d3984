/* Capabilities known, told and compared; see capabilities.h. */
#include "ppg/capabilities.h"

#include <stdio.h>
#include "ota/headers.h"
#include "ota/wbxml.h"
#include "pap/mime.h"
#include "pap/uaprof.h"
#include "ppg/authorize.h"
#include "ppg/recipients.h"
#include "ppg/recipients.h"

#define KEEP_MS     (INT64_C(7) * 24 * 3600 * 1000) /* [OTA-HTTP §4] */
#define MEM_FIRST_N 2048u
#define MEM_MAX_N   ((size_t)1 << 20) /* octets of profiles and of lists made from them, of one terminal */

enum err ppg_capabilities_known(const struct ppg_core *c, const struct ota_terminal *t, struct arena *mem,
                                struct ota_profile *out)
{
    struct ota_profile learnt = {.known = false};
    enum err e = ota_profiles_find(c->shared->profiles, t->key, mem, &learnt);

    if (e && e != ERR_ABSENT)
        return e;
    if (learnt.known && ppg_core_utc_ms(c) - learnt.learnt_ms > KEEP_MS)
        learnt = (struct ota_profile){.known = false};
    *out = ota_profile_merge(&t->profile, &learnt);
    return ERR_OK;
}

/* Textual types that the gateway converts when only their tokenised forms are taken: as good as taken. */
static enum err add_converted(struct arena *mem, struct slice *accept)
{
    static const struct slice textual[] = {SLICE("text/vnd.wap.si"), SLICE("text/vnd.wap.sl"),
                                           SLICE("text/vnd.wap.co")};
    struct slice known = *accept;
    struct buf list;
    enum err e;

    if (!known.n)
        return ERR_OK;
    buf_init(&list, known.n + 256);
    buf_add(&list, known);
    for (size_t i = 0; i < sizeof textual / sizeof textual[0]; i++)
        if (!ota_accepts_type(known, textual[i]) && ota_accepts_type(known, ota_wbxml_type(textual[i]))) {
            buf_add(&list, SLICE(", "));
            buf_add(&list, textual[i]);
        }
    e = buf_err(&list) ? buf_err(&list) : arena_dup(mem, buf_slice(&list), accept);
    buf_clear(&list);
    return e;
}

/* As an initiator sees it. */
static enum err offered(const struct ppg_core *c, const struct ota_terminal *t, struct arena *mem,
                        struct ota_profile *out)
{
    enum err e = ppg_capabilities_known(c, t, mem, out);

    return e || !out->known ? e : add_converted(mem, &out->accept);
}

/* --- telling --- */

static enum pap_code describe(const struct ota_profile *p, struct slice app_id, struct buf *rdf)
{
    const struct pap_uaprof profile = {.accept = p->accept,
                                       .charsets = p->charsets,
                                       .encodings = p->encodings,
                                       .languages = p->languages,
                                       .app_ids = p->app_ids,
                                       .size_max = p->size_max};

    if (!p->known || (app_id.n && !ota_profile_takes_app(p, app_id)))
        return PAP_CODE_CAPABILITIES_NOT_AVAILABLE;
    return pap_uaprof_print(&profile, rdf) ? PAP_CODE_INTERNAL_ERROR : PAP_CODE_OK;
}

enum pap_code ppg_capabilities_answer(struct ppg_core *c, struct slice key, struct slice app_id,
                                      struct buf *rdf)
{
    const struct ota_terminal *t = ota_registry_find(ppg_config_registry(c->config), key);
    struct ota_profile known;
    enum pap_code code;
    struct arena mem;

    if (!t)
        return PAP_CODE_ADDRESS_ERROR;
    arena_init(&mem, MEM_FIRST_N, MEM_MAX_N);
    code = offered(c, t, &mem, &known) ? PAP_CODE_INTERNAL_ERROR : describe(&known, app_id, rdf);
    arena_clear(&mem);
    return code;
}

/* --- comparing --- */

static bool lists_token(struct slice list, struct slice token)
{
    struct slice item;

    while (slice_item(&list, &item))
        if (slice_eq(item, SLICE("*")) || slice_eq_ci(ota_type_bare(item), token))
            return true;
    return false;
}

typedef bool takes_fn(struct slice list, struct slice item);

/* Is everything that is assumed taken?  *compared when both sides say something. */
static bool within(struct slice known, struct slice assumed, takes_fn *takes, bool *compared)
{
    struct slice item;

    if (!known.n || !assumed.n)
        return true;
    *compared = true;
    while (slice_item(&assumed, &item))
        if (!takes(known, ota_type_bare(item)))
            return false;
    return true;
}

/* What the initiator assumes that the terminal does not take, in words; NULL: nothing. */
static const char *excess(const struct ota_profile *known, const struct pap_uaprof *assumed, bool *compared)
{
    const struct {
        struct slice known, assumed;
        takes_fn *takes;
        const char *what;
    } lists[] = {
        {known->accept, assumed->accept, ota_accepts_type,
         "a content type the terminal does not take is assumed"},
        {known->app_ids, assumed->app_ids, ota_accepts_app,
         "an application the terminal does not serve is assumed"},
        {known->charsets, assumed->charsets, lists_token, "a charset the terminal does not take is assumed"},
        {known->encodings, assumed->encodings, lists_token,
         "an encoding the terminal does not take is assumed"},
        {known->languages, assumed->languages, lists_token,
         "a language the terminal does not take is assumed"},
    };

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (!within(lists[i].known, lists[i].assumed, lists[i].takes, compared))
            return lists[i].what;
    if (known->size_max && assumed->size_max) {
        *compared = true;
        if (assumed->size_max > known->size_max)
            return "a greater size than the terminal takes is assumed";
    }
    return NULL;
}

/* Nothing said on one side, or nothing on the other. */
static enum pap_code incomparable(struct ppg_submission *s, struct slice key)
{
    if (ppg_core_settings(s->core)->pap.capabilities == PPG_CAPABILITIES_STRICT)
        return ppg_refuse(s, PAP_CODE_MATCHING_NOT_SUPPORTED,
                          "nothing is known that the assumed capabilities could be compared with");
    LOG(s->core->shared->log, LOG_INFO, "pap.capabilities.unmatched", LOG_S("push_id", s->push->push_id),
        LOG_A("to", key));
    return PAP_CODE_ACCEPTED;
}

struct match {
    const struct pap_uaprof *assumed;
    struct arena mem;
};

/* Of a group its members count.  A recipient that is no terminal is the next step's to refuse. */
static enum pap_code match_one(struct ppg_submission *s, struct ppg_target *to, void *arg)
{
    const struct ota_terminal *t = ota_registry_find(ppg_config_registry(s->core->config), to->key);
    struct match *m = arg;
    struct ota_profile known;
    bool compared = false;
    const char *why;

    if (to->members_n || !t)
        return PAP_CODE_ACCEPTED;
    arena_reset(&m->mem);
    if (offered(s->core, t, &m->mem, &known))
        return ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
    why = excess(&known, m->assumed, &compared);
    if (why)
        return ppg_refuse(s, PAP_CODE_CAPABILITIES_MISMATCH, why);
    return compared ? PAP_CODE_ACCEPTED : incomparable(s, t->key);
}

/* [PAP §3.1]: the media types a profile comes in. */
static bool is_profile(struct slice type)
{
    return slice_eq_ci(type, SLICE(PAP_UAPROF_TYPE)) || slice_eq_ci(type, SLICE("application/xml")) ||
           slice_eq_ci(type, SLICE("text/xml"));
}

static enum pap_code read_part(struct ppg_submission *s, struct pap_uaprof *out)
{
    const struct pap_part *part = &s->parts.part[2];
    struct slice encoding = SLICE_NONE, rdf;
    struct pap_media media;
    const char *why = "its transfer encoding is bad or unknown";
    struct buf decoded;
    enum err e;

    if (pap_media_parse(part->type, false, &media) || !is_profile(media.full))
        return ppg_refuse(s, PAP_CODE_BAD_REQUEST, "the capabilities entity is not of a type for RDF");
    e = pap_mime_header_find(part->headers, SLICE("Content-Transfer-Encoding"), &s->push->mem, &encoding);
    if (e == ERR_NOMEM)
        return ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
    buf_init(&decoded, PAP_UAPROF_MAX_N);
    e = pap_mime_decode(encoding, part->body, &decoded, &rdf);
    if (!e)
        e = pap_uaprof_parse_as(rdf, pap_mime_charset(part->type), &s->push->mem, out, &why);
    buf_clear(&decoded);
    if (!e)
        return PAP_CODE_ACCEPTED;
    (void)snprintf(s->why, sizeof s->why, "capabilities entity: %s", why);
    return e == ERR_NOMEM ? PAP_CODE_INTERNAL_ERROR : PAP_CODE_BAD_REQUEST;
}

enum pap_code ppg_capabilities_match(struct ppg_submission *s)
{
    struct pap_uaprof assumed;
    struct match m = {.assumed = &assumed};
    enum pap_code code;

    if (s->parts.n < 3 || ppg_core_settings(s->core)->pap.capabilities == PPG_CAPABILITIES_IGNORE)
        return PAP_CODE_ACCEPTED;
    code = read_part(s, &assumed);
    if (code != PAP_CODE_ACCEPTED)
        return code;
    arena_init(&m.mem, MEM_FIRST_N, MEM_MAX_N);
    code = ppg_recipients_each(s, match_one, &m);
    arena_clear(&m.mem);
    return code;
}
