/* The registrar; see registrar.h. */
#include "ota/sip/registrar.h"

#include <osipparser2/osip_parser.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/net/http1.h"
#include "base/scan.h"
#include "ota/sip/refusal.h"
#include "ota/sip/uri.h"

#define AUTHORIZATIONS_MAX 4 /* looked at */
#define CONTACTS_MAX       OTA_SIP_BINDINGS_MAX
#define TEXTS_N            (CONTACTS_MAX * 512)

/* --- who it is --- */

static void challenge(const struct ota_sip_registrar *g, bool stale, struct buf *more)
{
    static const enum sec_digest_algorithm algorithms[] = {SEC_DIGEST_SHA256, SEC_DIGEST_MD5};
    int64_t now = clk_mono_ms(g->clk);

    for (size_t i = 0; i < 2; i++) {
        size_t start = more->n;

        if (algorithms[i] == SEC_DIGEST_MD5 && !g->md5)
            continue;
        buf_add(more, SLICE("WWW-Authenticate: "));
        if (sec_digest_challenge(g->guard, algorithms[i], g->realm, stale, now, more))
            buf_cut(more, start); /* no chance to be had: refused without a way in */
        else
            buf_add(more, SLICE("\r\n"));
    }
}

/* For a user that nobody is the same work is done. */
static enum err check(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                      const struct sec_digest_response *said, struct ota_sip_account *account)
{
    const struct sec_digest_request asked = {r->method, said->uri, SLICE_NONE, true};
    bool known = g->account(g->arg, said->username, account);
    struct sec_secret ha1;
    enum err e;

    sec_secret_init(&ha1);
    e = sec_digest_ha1(said->algorithm, said->username, g->realm, known ? account->password : SLICE("nobody"),
                       &ha1);
    if (!e)
        e = sec_digest_verify(g->guard, said, &asked, g->realm, known ? &ha1 : NULL, clk_mono_ms(g->clk));
    sec_secret_clear(&ha1);
    return e;
}

/* Is this URI of the credentials the one of the request?  Both as libosip2 prints them (RFC 3261 §22.4). */
static bool same_uri(const struct ota_sip_request *r, struct slice said)
{
    char *text = NULL;
    bool same;

    if (osip_uri_to_str(r->osip->req_uri, &text) || !text)
        return false;
    same = slice_eq(slice_str(text), said);
    osip_free(text);
    return same;
}

/* ERR_OK: *account is who it is; ERR_ABSENT: nothing was said for our realm; ERR_LATE: right, with an old nonce; ERR_DENIED. */
static enum err identify(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                         struct ota_sip_account *account)
{
    int n = osip_list_size(&r->osip->authorizations);
    enum err e = ERR_ABSENT;

    for (int i = 0; i < n && i < AUTHORIZATIONS_MAX && e == ERR_ABSENT; i++) {
        struct sec_digest_response said;
        char *text = NULL;

        if (osip_authorization_to_str(osip_list_get(&r->osip->authorizations, i), &text) || !text)
            continue;
        if (!sec_digest_parse(slice_str(text), &said) && slice_eq(said.realm, g->realm))
            e = same_uri(r, said.uri) && (said.algorithm != SEC_DIGEST_MD5 || g->md5)
                    ? check(g, r, &said, account)
                    : ERR_DENIED;
        osip_free(text);
    }
    return e;
}

/* --- what it asks for --- */

struct wish {
    struct ota_sip_binding bindings[CONTACTS_MAX];
    size_t n;
    bool all_gone; /* Contact: * */
    struct buf texts;
};

static int64_t header_seconds(const struct ota_sip_request *r, int64_t otherwise)
{
    struct scan s = scan_of(ota_sip_request_header(r, "expires"));
    uint32_t n;

    if (scan_done(&s))
        return otherwise;
    n = scan_u32(&s, 0, UINT32_MAX);
    scan_end(&s);
    return s.err ? otherwise : n;
}

static struct slice param(osip_contact_t *c, const char *name)
{
    osip_generic_param_t *p = NULL;

    if (osip_contact_param_get_byname(c, (char *)(uintptr_t)name, &p) || !p)
        return SLICE_NONE;
    return p->gvalue ? slice_str(p->gvalue) : SLICE("");
}

/* qvalue: 0 or 1 with up to three digits (RFC 3261 §25.1); anything else is the default. */
static unsigned read_q(struct slice text)
{
    struct scan s = scan_of(text);
    unsigned whole = scan_u32(&s, 0, 1), part = 0, digits = 0;

    if (scan_skip_ch(&s, '.'))
        for (; digits < 3 && !scan_done(&s); digits++)
            part = part * 10 + scan_digits(&s, 1);
    for (; digits < 3; digits++)
        part *= 10;
    scan_end(&s);
    return s.err || whole * 1000 + part > 1000 ? 1000 : whole * 1000 + part;
}

static struct slice unquoted(struct slice s)
{
    return s.n > 1 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? slice_sub(s, 1, s.n - 2) : s;
}

static bool lists_message(struct slice methods)
{
    struct slice item;

    while (slice_item(&methods, &item))
        if (slice_eq_ci(item, SLICE("MESSAGE")))
            return true;
    return false;
}

/* A parameter that says what the device can do: "+" names and the base tags that we look at (RFC 3840 §9). */
static bool has_features(const osip_contact_t *c)
{
    for (int i = 0; i < osip_list_size(&c->gen_params); i++) {
        const osip_generic_param_t *p = osip_list_get(&c->gen_params, i);
        struct slice name = slice_str(p->gname);

        if (slice_eq_ci(name, SLICE("methods")) ||
            (slice_starts(name, SLICE("+")) && !slice_eq_ci(name, SLICE("+sip.instance"))))
            return true;
    }
    return false;
}

static enum err read_features(const struct ota_sip_registrar *g, osip_contact_t *c, struct ota_sip_binding *b)
{
    char tag[72] = "+";
    struct slice methods = param(c, "methods");

    if (g->app_tag.n + 2 > sizeof tag)
        return ERR_LIMIT;
    mem_copy(tag + 1, sizeof tag - 1, g->app_tag);
    tag[1 + g->app_tag.n] = '\0';
    b->apps = unquoted(param(c, tag));
    b->tagged = has_features(c);
    b->no_message = methods.n != 0 && !lists_message(unquoted(methods));
    return ERR_OK;
}

/* ERR_MALFORMED: no URI that we could push to. */
static enum err read_contact(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                             osip_contact_t *c, struct wish *w)
{
    struct ota_sip_binding *b = &w->bindings[w->n];
    struct slice expires = param(c, "expires"), uri;
    struct scan s = scan_of(expires);
    struct ota_sip_uri parsed;
    size_t start = w->texts.n;
    char *text = NULL;
    enum err e;

    if (!c->url || osip_uri_to_str(c->url, &text) || !text)
        return ERR_MALFORMED;
    buf_add_str(&w->texts, text);
    osip_free(text);
    uri = slice_sub(buf_slice(&w->texts), start, SIZE_MAX);
    if (buf_err(&w->texts))
        return buf_err(&w->texts);
    e = ota_sip_uri_parse(uri, &parsed);
    if (e)
        return e == ERR_NOMEM ? e : ERR_MALFORMED;
    b->contact = uri;
    b->expires_s = expires.n ? (int64_t)scan_u32(&s, 0, UINT32_MAX) : header_seconds(r, g->expires_s);
    if (s.err)
        b->expires_s = g->expires_s; /* §10.2.1.1: as if it were not there */
    b->q = read_q(param(c, "q").n ? param(c, "q") : SLICE("1"));
    w->n++;
    return read_features(g, c, b);
}

static enum err read_wish(const struct ota_sip_registrar *g, const struct ota_sip_request *r, struct wish *w)
{
    int n = osip_list_size(&r->osip->contacts);
    enum err e = ERR_OK;

    if (n > CONTACTS_MAX)
        return ERR_LIMIT;
    (void)buf_room(&w->texts, TEXTS_N); /* so that it never moves */
    for (int i = 0; i < n && !e; i++) {
        osip_contact_t *c = osip_list_get(&r->osip->contacts, i);

        if (c->displayname && slice_eq(slice_str(c->displayname), SLICE("*")))
            w->all_gone = true;
        else
            e = read_contact(g, r, c, w);
    }
    if (!e && w->all_gone && (n != 1 || header_seconds(r, -1) != 0)) /* §10.3 step 6 */
        e = ERR_MALFORMED;
    return e;
}

/* --- the steps --- */

/* Longer than we keep it becomes as long as we do; shorter than we want is refused, unless it is an hour (§10.3 step 7). */
static bool too_brief(const struct ota_sip_registrar *g, struct wish *w)
{
    for (size_t i = 0; i < w->n; i++) {
        struct ota_sip_binding *b = &w->bindings[i];

        if (b->expires_s > 0 && b->expires_s < g->expires_min_s && b->expires_s < 3600)
            return true;
        b->expires_s = b->expires_s < g->expires_max_s ? b->expires_s : g->expires_max_s;
    }
    return false;
}

static enum err change(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                       struct slice record, const struct wish *w)
{
    struct slice call_id = slice_str(r->osip->call_id->number);

    if (w->all_gone)
        return ota_sip_location_remove(g->location, record, call_id, r->cseq);
    return w->n ? ota_sip_location_update(g->location, record, call_id, r->cseq, w->bindings, w->n) : ERR_OK;
}

static unsigned bind_all(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                         struct slice record, struct wish *w, struct buf *more)
{
    enum err e = read_wish(g, r, w);

    if (e)
        return e == ERR_NOMEM ? 500 : 400;
    if (too_brief(g, w)) {
        buf_addf(more, "Min-Expires: %lld\r\n", (long long)g->expires_min_s);
        return 423;
    }
    if (change(g, r, record, w))
        return 500;
    ota_sip_location_print(g->location, record, more);
    net_http_print_date(more, clk_utc_ms(g->clk) / 1000);
    return 200;
}

unsigned ota_sip_register_bind(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                               struct slice record, struct buf *more)
{
    struct wish w = {.n = 0};
    unsigned status;

    buf_init(&w.texts, TEXTS_N);
    status = bind_all(g, r, record, &w, more);
    buf_clear(&w.texts);
    return status;
}

static bool our_domain(const struct ota_sip_registrar *g, const char *host)
{
    for (size_t i = 0; host && i < g->domains_n; i++)
        if (slice_eq_ci(slice_str(host), g->domains[i]))
            return true;
    return false;
}

/* The address of record of To (§10.3 step 5); its domain in lower case. */
static enum err read_record(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                            struct buf *out)
{
    struct ota_sip_uri uri;
    char *text = NULL;
    enum err e;

    if (!r->osip->to->url || !our_domain(g, r->osip->to->url->host) ||
        osip_uri_to_str(r->osip->to->url, &text) || !text)
        return ERR_ABSENT;
    e = ota_sip_uri_parse(slice_str(text), &uri);
    osip_free(text);
    if (e || !uri.has_user)
        return ERR_ABSENT;
    for (char *p = strrchr(uri.record, '@'); *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    buf_add(out, SLICE("sip")); /* one record, whatever the scheme */
    buf_add_str(out, strchr(uri.record, ':'));
    return buf_err(out);
}

unsigned ota_sip_register(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                          struct buf *record, struct buf *more)
{
    struct ota_sip_account account;
    enum err e;

    if (!our_domain(g, r->osip->req_uri->host))
        return 404;
    if (r->escaped_nul) /* it would be the record of somebody else */
        return 400;
    if (ota_sip_request_requires(r, more))
        return 420;
    e = identify(g, r, &account);
    if (e == ERR_NOMEM)
        return 500;
    if (e) {
        challenge(g, e == ERR_LATE, more);
        return 401;
    }
    if (read_record(g, r, record))
        return 404;
    if (!slice_eq(buf_slice(record), account.record)) {
        buf_reset(record, OTA_SIP_URI_MAX_N);
        return 403;
    }
    return ota_sip_register_bind(g, r, buf_slice(record), more);
}
