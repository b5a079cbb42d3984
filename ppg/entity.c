/* The content entity; see entity.h.  [PAP §9]: which headers mean something to us, which travel, which are dropped.
 * Runs on the core's loop. */
#include "ppg/entity.h"

#include <stdio.h>
#include "ota/headers.h"
#include "ppg/authorize.h"
#include "security/terminal/secprov.h"
#include "security/uri.h"

#define PASSED_MAX_N 16384u /* octets of header lines that travel with the content */

static enum pap_code from_err(struct ppg_submission *s, enum err e, const char *why)
{
    return ppg_refuse(s, e == ERR_NOMEM ? PAP_CODE_INTERNAL_ERROR : PAP_CODE_BAD_REQUEST, why);
}

struct entity {
    struct slice type; /* Content-Type */
    struct slice app;
    struct slice uri;
    struct slice protection;
    struct slice encoding; /* Content-Transfer-Encoding */
    const char *disputed;  /* a header that is there with two values; NULL: none is */
    struct buf passed;
};

/* What decides about the push may be said twice, but not in two ways: which of them was meant - the more or the less
 * protection, this application or that - nobody here can know. */
static void entity_header(struct entity *e, const struct pap_header *h)
{
    struct {
        const char *name;
        struct slice *into;
    } const known[] = {{"Content-Type", &e->type},
                       {"X-Wap-Application-Id", &e->app},
                       {"X-Wap-Initiator-URI", &e->uri},
                       {"X-Push-Protection", &e->protection},
                       {"Content-Transfer-Encoding", &e->encoding}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (slice_eq_ci(h->name, slice_str(known[i].name))) {
            if (!known[i].into->n)
                *known[i].into = h->value;
            else if (h->value.n && !slice_eq(*known[i].into, h->value))
                e->disputed = known[i].name;
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
    char why[80];
    enum err err;

    while (!(err = pap_mime_header_next(&headers, &s->push->mem, &h)))
        entity_header(e, &h);
    if (err != ERR_ABSENT)
        return from_err(s, err, "content entity has a bad header");
    if (buf_err(&e->passed))
        return from_err(s, buf_err(&e->passed), "content entity has too many header octets");
    if (e->disputed) {
        (void)snprintf(why, sizeof why, "%s is there twice, with different values", e->disputed);
        return ppg_refuse(s, PAP_CODE_BAD_REQUEST, why);
    }
    return PAP_CODE_ACCEPTED;
}

static enum pap_code take_type(struct ppg_submission *s, const struct entity *e)
{
    struct pap_media media;

    if (pap_media_parse(e->type, false, &media))
        return ppg_refuse(s, PAP_CODE_BAD_REQUEST, "content entity has no good Content-Type");
    return arena_dup(&s->push->mem, e->type, &s->push->content_type)
               ? ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory")
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
        return ppg_refuse(s, PAP_CODE_BAD_REQUEST, "X-Wap-Application-Id is malformed");
    if (slice_eq_ci(app, SLICE(OTA_APP_DEFAULT)))
        app = SLICE_NONE;
    return arena_dup(&s->push->mem, app, &s->push->app_id)
               ? ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory")
               : PAP_CODE_ACCEPTED;
}

static bool uri_is_printable(struct slice uri)
{
    for (size_t i = 0; i < uri.n; i++)
        if ((unsigned char)uri.p[i] <= ' ' || (unsigned char)uri.p[i] >= 0x7f)
            return false;
    return true;
}

struct slice ppg_entity_own_uri(const struct sec_account *account)
{
    struct slice uri = account->initiator_uris_n ? account->initiator_uris[0] : SLICE_NONE;

    return slice_ends(uri, SLICE("*")) ? slice_sub(uri, 0, uri.n - 1) : uri;
}

/* [PAP §8.8]: "authenticated" only for a URI of the authenticated account; a foreign claim travels without it. */
static enum pap_code take_uri(struct ppg_submission *s, const struct entity *e)
{
    struct slice uri = e->uri.n ? e->uri : ppg_entity_own_uri(s->account);

    if (uri.n > SEC_URI_MAX_N || !uri_is_printable(uri))
        return ppg_refuse(s, PAP_CODE_BAD_REQUEST, "X-Wap-Initiator-URI is malformed");
    if (uri.n && (!e->uri.n || sec_initiator_uri_allowed(s->account, uri)))
        s->push->flags |= PPG_AUTHENTICATED;
    else if (uri.n)
        LOG(s->core->shared->log, LOG_WARN, "initiator.foreign-uri", LOG_S("initiator", s->account->name),
            LOG_U("uri", uri));
    return arena_dup(&s->push->mem, uri, &s->push->initiator_uri)
               ? ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory")
               : PAP_CODE_ACCEPTED;
}

static enum pap_code take_protection(struct ppg_submission *s, const struct entity *e)
{
    enum sec_level level = SEC_LEVEL_NONE;

    if (e->protection.n && sec_level_parse(e->protection, &level))
        return ppg_refuse(s, PAP_CODE_BAD_REQUEST, "X-Push-Protection is none, integrity or full");
    if (e->protection.n && !s->account->may_ask_protection)
        return ppg_refuse(s, PAP_CODE_FORBIDDEN, "this account may not choose protection");
    if (slice_eq_ci(s->push->app_id, SLICE(SEC_SECPROV_APP))) /* there may be keys in it */
        level = SEC_LEVEL_FULL;
    s->push->asked = (uint8_t)level;
    return PAP_CODE_ACCEPTED;
}

/* The content in its own octets.  Undoing a transfer encoding needs room of its own, which then replaces the request body. */
enum pap_code ppg_entity_take(struct ppg_submission *s)
{
    struct entity e = {.type = SLICE_NONE};
    enum pap_code code;

    buf_init(&e.passed, PASSED_MAX_N);
    code = read_entity(s, &e);
    if (code == PAP_CODE_ACCEPTED && arena_dup(&s->push->mem, buf_slice(&e.passed), &s->push->headers))
        code = ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory");
    buf_clear(&e.passed);
    if (code == PAP_CODE_ACCEPTED && (code = take_type(s, &e)) == PAP_CODE_ACCEPTED &&
        (code = take_app(s, &e)) == PAP_CODE_ACCEPTED && (code = take_uri(s, &e)) == PAP_CODE_ACCEPTED)
        code = take_protection(s, &e);
    return code;
}

/* The content without its transfer encoding: *body is in the request, or in *decoded when that holds anything. */
static enum pap_code decode(struct ppg_submission *s, struct buf *decoded, struct slice *body)
{
    const struct pap_part *part = &s->parts.part[1];
    struct slice encoding = SLICE_NONE;
    enum err err =
        pap_mime_header_find(part->headers, SLICE("Content-Transfer-Encoding"), &s->push->mem, &encoding);

    if (err && err != ERR_ABSENT)
        return from_err(s, err, "content entity has a bad header");
    err = pap_mime_decode(encoding, part->body, decoded, body);
    return err ? from_err(s, err, "content transfer encoding is bad or unknown") : PAP_CODE_ACCEPTED;
}

enum pap_code ppg_entity_size(struct ppg_submission *s, uint64_t *n)
{
    struct slice body = SLICE_NONE;
    struct buf decoded;
    enum pap_code code;

    buf_init(&decoded, ppg_core_settings(s->core)->pap.body_max_n);
    code = decode(s, &decoded, &body);
    buf_clear(&decoded);
    if (code == PAP_CODE_ACCEPTED)
        *n = body.n;
    return code;
}

enum pap_code ppg_entity_decode(struct ppg_submission *s)
{
    struct slice body = SLICE_NONE;
    struct buf decoded;
    enum pap_code code;

    buf_init(&decoded, ppg_core_settings(s->core)->pap.body_max_n);
    code = decode(s, &decoded, &body);
    if (code == PAP_CODE_ACCEPTED)
        s->push->body = body;
    if (code == PAP_CODE_ACCEPTED && decoded.n) {
        buf_clear(&s->push->body_mem);
        buf_move(&decoded, &s->push->body_mem);
        s->push->body = buf_slice(&s->push->body_mem);
        s->parts.n = 0;
    }
    buf_clear(&decoded);
    return code;
}

/* Header fields that say who somebody is: RFC 5322 §3.6.2, RFC 9110 §10.1, TS 24.109 §7, RFC 3325. */
static bool names_somebody(struct slice name)
{
    static const char *const names[] = {"From",
                                        "Sender",
                                        "Reply-To",
                                        "Referer",
                                        "User-Agent",
                                        "X-3GPP-Asserted-Identity",
                                        "X-3GPP-Intended-Identity",
                                        "P-Asserted-Identity",
                                        "P-Preferred-Identity"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_eq_ci(name, slice_str(names[i])))
            return true;
    return false;
}

enum pap_code ppg_entity_conceal(struct ppg_submission *s)
{
    struct slice lines = s->push->headers, rest = lines, name, value;
    bool bad = false;
    struct buf kept;
    enum err e;

    if (!s->account->anonymous)
        return PAP_CODE_ACCEPTED;
    s->push->initiator_uri = SLICE_NONE;
    s->push->flags &= ~PPG_AUTHENTICATED;
    buf_init(&kept, lines.n);
    for (; ota_header_next(&rest, &name, &value, &bad); lines = rest)
        if (!names_somebody(name))
            buf_add(&kept, slice_of(lines.p, (size_t)(rest.p - lines.p)));
    e = buf_err(&kept) ? buf_err(&kept) : arena_dup(&s->push->mem, buf_slice(&kept), &s->push->headers);
    buf_clear(&kept);
    return e ? ppg_refuse(s, PAP_CODE_INTERNAL_ERROR, "out of memory") : PAP_CODE_ACCEPTED;
}
