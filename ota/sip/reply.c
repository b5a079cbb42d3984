/* A SIP response; see reply.h.  libosip2 has the grammar. */
#include "ota/sip/reply.h"

#include <osipparser2/osip_parser.h>
#include <stdarg.h>
#include <stdlib.h>
#include <uv.h>

#include "base/scan.h"
#include "ota/sip/uri.h"

static uv_once_t once = UV_ONCE_INIT;

static void mute(const char *file, int line, osip_trace_level_t level, const char *fmt, va_list args)
{
    (void)file, (void)line, (void)level, (void)fmt, (void)args;
}

/* Unless told otherwise it writes what it thinks of strangers' messages to standard output. */
static void start(void)
{
    (void)parser_init();
    osip_trace_initialize_func(TRACE_LEVEL0, mute);
    for (osip_trace_level_t level = TRACE_LEVEL0; level < END_TRACE_LEVEL; level++)
        osip_trace_disable_level(level);
}

void ota_sip_parser_start(void)
{
    uv_once(&once, start);
}

static bool number_good(const char *cseq)
{
    struct scan s = scan_of(slice_str(cseq));

    (void)scan_u32(&s, 0, INT32_MAX); /* RFC 3261 §8.1.1.5 */
    scan_end(&s);
    return !s.err;
}

/* Names the headers without which a response cannot be matched or is broken (RFC 3261 §8.1.1). */
static bool whole(const osip_message_t *m)
{
    return m->from && m->to && m->call_id && m->call_id->number && m->cseq && m->cseq->method &&
           number_good(m->cseq->number) && osip_list_size(&m->vias) == 1;
}

struct slice ota_sip_branch(const osip_message_t *m)
{
    osip_via_t *via = osip_list_get(&m->vias, 0);
    osip_generic_param_t *branch = NULL;

    if (!via || osip_via_param_get_byname(via, "branch", &branch) || !branch)
        return SLICE_NONE;
    return slice_str(branch->gvalue);
}

/* delta-seconds, then a comment or parameters that say nothing to us (RFC 3261 §20.33). */
static int64_t retry_of(const osip_message_t *m)
{
    osip_header_t *h = NULL;
    struct scan s;
    uint32_t n;

    if (osip_message_header_get_byname(m, "retry-after", 0, &h) < 0 || !h || !h->hvalue)
        return 0;
    s = scan_of(slice_str(h->hvalue));
    n = scan_u32(&s, 0, UINT32_MAX);
    if (s.err == ERR_LIMIT || n > OTA_SIP_RETRY_MAX_S)
        return OTA_SIP_RETRY_MAX_S;
    return s.err ? 0 : n;
}

static struct slice association_of(const osip_message_t *m)
{
    osip_header_t *h = NULL;

    if (osip_message_header_get_byname(m, "x-push-association", 0, &h) < 0 || !h || !h->hvalue)
        return SLICE_NONE;
    return slice_str(h->hvalue);
}

static enum err parse(const struct ota_sip_unit *unit, osip_message_t **out)
{
    osip_message_t *m;
    int rc;

    if (osip_message_init(&m))
        return ERR_NOMEM;
    rc = osip_message_parse(m, unit->head.p, unit->head.n);
    if (rc) {
        osip_message_free(m);
        return rc == OSIP_NOMEM ? ERR_NOMEM : ERR_MALFORMED;
    }
    *out = m;
    return ERR_OK;
}

enum err ota_sip_reply_read(const struct ota_sip_unit *unit, struct ota_sip_reply *out)
{
    struct ota_sip_reply r = {.osip = NULL};
    enum err e = ERR_OK;

    if (!slice_starts(unit->head, SLICE("SIP/")))
        return ERR_UNSUPPORTED;
    e = parse(unit, &r.osip);
    if (e)
        return e;
    r.branch = ota_sip_branch(r.osip);
    if (!whole(r.osip) || r.branch.n == 0 || r.osip->status_code < 100 || r.osip->status_code > 699) {
        ota_sip_reply_clear(&r);
        return ERR_MALFORMED;
    }
    r.status = (unsigned)r.osip->status_code;
    r.reason = slice_str(r.osip->reason_phrase);
    r.method = slice_str(r.osip->cseq->method);
    r.retry_s = retry_of(r.osip);
    r.association = association_of(r.osip);
    r.body = unit->body;
    *out = r;
    return ERR_OK;
}

void ota_sip_reply_clear(struct ota_sip_reply *r)
{
    osip_message_free(r->osip);
    *r = (struct ota_sip_reply){.osip = NULL};
}

bool ota_sip_reply_of_proxy(const struct ota_sip_reply *r)
{
    return r->status == 407 || (r->status != 401 && osip_list_size(&r->osip->proxy_authenticates) > 0);
}

enum err ota_sip_reply_security(const struct ota_sip_reply *r, struct buf *out)
{
    osip_header_t *h = NULL;
    size_t start = out->n;

    for (int at = 0; (at = osip_message_header_get_byname(r->osip, "security-server", at, &h)) >= 0 && h;
         at++) {
        buf_add(out, out->n > start ? SLICE(", ") : SLICE_NONE);
        buf_add(out, slice_str(h->hvalue));
    }
    if (out->n == start && !buf_err(out))
        return ERR_ABSENT;
    return buf_err(out);
}

enum err ota_sip_reply_challenges(const struct ota_sip_reply *r, struct buf *out)
{
    const osip_list_t *list =
        ota_sip_reply_of_proxy(r) ? &r->osip->proxy_authenticates : &r->osip->www_authenticates;
    int n = osip_list_size(list);

    for (int i = 0; i < n && i < OTA_SIP_CHALLENGES_MAX; i++) {
        char *text = NULL;

        if (osip_www_authenticate_to_str(osip_list_get(list, i), &text) || !text)
            continue; /* one that says nothing */
        buf_add_str(out, text);
        buf_add_ch(out, '\n');
        osip_free(text);
    }
    if (out->n == 0 && !buf_err(out))
        return ERR_ABSENT;
    return buf_err(out);
}

/* libosip2 takes each parameter for a header of its own. */
struct slice ota_sip_reply_next_nonce(const struct ota_sip_reply *r, bool proxy)
{
    const osip_list_t *list = proxy ? &r->osip->proxy_authentication_infos : &r->osip->authentication_infos;

    for (int i = 0; i < osip_list_size(list); i++) {
        const osip_authentication_info_t *info = osip_list_get(list, i);
        struct slice nonce = slice_str(info->nextnonce);

        if (nonce.n > 1 && nonce.p[0] == '"' && nonce.p[nonce.n - 1] == '"')
            return slice_sub(nonce, 1, nonce.n - 2);
    }
    return SLICE_NONE;
}

struct slice ota_sip_reply_call_id(const struct ota_sip_reply *r)
{
    const osip_call_id_t *id = r->osip->call_id;

    return id && id->number && !id->host ? slice_str(id->number) : SLICE_NONE;
}

enum err ota_sip_reply_contact(const struct ota_sip_reply *r, struct buf *out)
{
    osip_contact_t *contact = osip_list_get(&r->osip->contacts, 0);
    char *text = NULL;

    if (!contact || !contact->url || osip_uri_to_str(contact->url, &text) || !text)
        return ERR_ABSENT;
    buf_add_str(out, text);
    osip_free(text);
    return buf_err(out);
}

/* delta-seconds and nothing else; -1: it is none. */
static int64_t seconds(const char *text)
{
    struct scan s = scan_of(slice_trim(slice_str(text)));
    uint32_t n = scan_u32(&s, 0, UINT32_MAX);

    scan_end(&s);
    return s.err ? -1 : (int64_t)n;
}

static int64_t header_seconds(const struct ota_sip_reply *r, const char *name)
{
    osip_header_t *h = NULL;

    if (osip_message_header_get_byname(r->osip, name, 0, &h) < 0 || !h || !h->hvalue)
        return -1;
    return seconds(h->hvalue);
}

static bool is_contact(const osip_contact_t *c, struct slice uri)
{
    char *text = NULL;
    bool is;

    if (!c->url || osip_uri_to_str(c->url, &text) || !text)
        return false;
    is = ota_sip_uri_same(slice_str(text), uri);
    osip_free(text);
    return is;
}

int64_t ota_sip_reply_bound_s(const struct ota_sip_reply *r, struct slice contact)
{
    for (int i = 0; i < osip_list_size(&r->osip->contacts); i++) {
        osip_contact_t *c = osip_list_get(&r->osip->contacts, i);
        osip_generic_param_t *p = NULL;

        if (is_contact(c, contact) &&
            osip_contact_param_get_byname(c, (char *)(uintptr_t) "expires", &p) == 0 && p && p->gvalue)
            return seconds(p->gvalue);
    }
    return header_seconds(r, "expires");
}

int64_t ota_sip_reply_min_expires_s(const struct ota_sip_reply *r)
{
    return header_seconds(r, "min-expires");
}

static bool has_feature(const osip_contact_t *c, struct slice tag)
{
    for (int i = 0; i < osip_list_size(&c->gen_params); i++) {
        const osip_generic_param_t *p = osip_list_get(&c->gen_params, i);
        struct slice name = slice_str(p->gname);

        if (slice_starts(name, SLICE("+")) && slice_eq_ci(slice_sub(name, 1, SIZE_MAX), tag))
            return true;
    }
    return false;
}

bool ota_sip_reply_has_feature(const struct ota_sip_reply *r, struct slice tag)
{
    for (int i = 0; i < osip_list_size(&r->osip->contacts); i++)
        if (has_feature(osip_list_get(&r->osip->contacts, i), tag))
            return true;
    return false;
}
