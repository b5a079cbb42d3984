/* The registrar; see registrar.h. */
#include "ota/registrar/registrar.h"

#include <osipparser2/osip_parser.h>
#include <stdlib.h>
#include <string.h>

#include "base/net/http1.h"
#include "ota/sip/uri.h"

#define AUTHORIZATIONS_MAX 4  /* looked at */
#define LATER_S            60 /* when others may have gone */

/* --- who it is --- */

static bool offered(const struct ota_sip_registrar *g, enum sec_digest_algorithm a)
{
    return a == SEC_DIGEST_MD5 ? g->md5 : g->sha256;
}

static void challenge(const struct ota_sip_registrar *g, bool stale, struct buf *more)
{
    static const enum sec_digest_algorithm algorithms[] = {SEC_DIGEST_SHA256, SEC_DIGEST_MD5};
    int64_t now = clk_mono_ms(g->clk);

    for (size_t i = 0; i < 2; i++) {
        size_t start = more->n;

        if (!offered(g, algorithms[i]))
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

/* ERR_OK: *account is who it is; ERR_ABSENT: nothing was said for our realm; ERR_LATE: right, with an old nonce; ERR_DENIED.  The URI that
 * was signed must be the one of the request (RFC 3261 §22.4). */
static enum err identify(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                         struct ota_sip_account *account)
{
    struct slice rest = r->logins, value;
    enum err e = ERR_ABSENT;

    for (int i = 0; i < AUTHORIZATIONS_MAX && e == ERR_ABSENT && slice_cut(rest, '\n', &value, &rest); i++) {
        struct sec_digest_response said;

        if (!sec_digest_parse(value, &said) && slice_eq(said.realm, g->realm))
            e = slice_eq(r->uri, said.uri) && offered(g, said.algorithm) ? check(g, r, &said, account)
                                                                         : ERR_DENIED;
    }
    return e;
}

/* --- the steps --- */

/* Longer than we keep it becomes as long as we do; shorter than we want is refused, unless it is an hour (§10.3 step 7). */
static bool too_brief(const struct ota_sip_registrar *g, struct ota_sip_wish *w)
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
                       struct slice record, const struct ota_sip_wish *w, bool *fresh)
{
    struct slice call_id = slice_str(r->osip->call_id->number);

    if (w->all_gone)
        return ota_sip_location_remove(g->location, record, call_id, r->cseq);
    return w->n ? ota_sip_location_update(g->location, record, call_id, r->cseq, w->bindings, w->n, fresh)
                : ERR_OK;
}

/* A request that can never be granted is forbidden and not to be repeated; what has no room while others are registered is to
 * come again; 500 is for what §10.3 fails in an update, such as an old CSeq. */
static unsigned not_done(enum err e, struct buf *more)
{
    switch (e) {
    case ERR_MALFORMED:
        return 400;
    case ERR_UNSUPPORTED:
        return 439;
    case ERR_LIMIT:
        buf_addf(more,
                 "Warning: 399 registrar \"at most %d contacts of an address, each of bounded length\"\r\n",
                 OTA_SIP_BINDINGS_MAX);
        return 403;
    case ERR_AGAIN:
        buf_addf(more, "Retry-After: %d\r\n", LATER_S);
        return 503;
    default:
        return 500;
    }
}

static unsigned bind_all(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                         const struct ota_sip_origin *from, struct slice record, struct ota_sip_wish *w,
                         struct ota_sip_answer *out)
{
    enum err e = ota_sip_wish_read(w, r, from, g->app_tag, g->expires_s);

    if (e)
        return not_done(e, out->more);
    if (too_brief(g, w)) {
        buf_addf(out->more, "Min-Expires: %lld\r\n", (long long)g->expires_min_s);
        return 423;
    }
    e = change(g, r, record, w, &out->fresh);
    if (e)
        return not_done(e, out->more);
    ota_sip_location_print(g->location, record, out->more);
    if (w->n && w->bindings[0].path.n) { /* taken: who is on it may see that (RFC 3327 §5.3) */
        buf_add(out->more, SLICE("Path: "));
        buf_add(out->more, w->bindings[0].path);
        buf_add(out->more, SLICE("\r\n"));
    }
    if (w->outbound) { /* RFC 5626 §6 */
        buf_add(out->more, SLICE("Require: outbound\r\n"));
        if (from->bound && g->flow_s)
            buf_addf(out->more, "Flow-Timer: %lld\r\n", (long long)g->flow_s);
    }
    net_http_print_date(out->more, clk_utc_ms(g->clk) / 1000);
    return 200;
}

static bool our_domain(const struct ota_sip_registrar *g, const char *host)
{
    for (size_t i = 0; host && i < g->domains_n; i++)
        if (slice_eq_ci(slice_str(host), g->domains[i]))
            return true;
    return false;
}

/* The address of record of To (§10.3 step 5), or of From; its domain in lower case. */
static enum err read_record(const struct ota_sip_registrar *g, const osip_uri_t *of, struct buf *out)
{
    struct ota_sip_uri uri;
    char *text = NULL;
    enum err e;

    if (!of || !our_domain(g, of->host) || osip_uri_to_str(of, &text) || !text)
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

static bool known(struct slice option)
{
    return slice_eq_ci(option, SLICE("path")) || slice_eq_ci(option, SLICE("outbound")) ||
           slice_eq_ci(option, SLICE("gruu"));
}

/* What a request insists on and we do not know, as header lines (§8.2.2.3).  True: there is such a thing. */
static bool insists(const struct ota_sip_request *r, struct buf *more)
{
    struct slice require, item;
    bool any = false;
    int pos = 0;

    while ((require = ota_sip_request_next(r, "require", &pos)).n)
        while (slice_item(&require, &item)) {
            if (known(item))
                continue;
            buf_add(more, SLICE("Unsupported: "));
            buf_add(more, item);
            buf_add(more, SLICE("\r\n"));
            any = true;
        }
    return any;
}

unsigned ota_sip_register_who(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                              struct ota_sip_account *account, struct ota_sip_answer *out)
{
    enum err e = identify(g, r, account);

    if (!e)
        return 0;
    if (e == ERR_NOMEM)
        return 500;
    out->failed_login = e == ERR_DENIED;
    challenge(g, e == ERR_LATE, out->more);
    return 401;
}

unsigned ota_sip_register_begin(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                                struct ota_sip_answer *out)
{
    enum err e;

    if (!our_domain(g, r->osip->req_uri->host))
        return 404;
    if (r->escaped_nul) /* it would be the record of somebody else */
        return 400;
    if (insists(r, out->more))
        return 420;
    e = read_record(g, r->osip->to->url, out->record);
    if (e == ERR_NOMEM)
        return 500;
    if (e)
        buf_reset(out->record, OTA_SIP_URI_MAX_N);
    return 0;
}

struct from {
    const union ota_sip_peer *peer;
    bool same;
};

static bool same_address(const union ota_sip_peer *a, const union ota_sip_peer *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    return a->sa.sa_family == AF_INET6
               ? slice_eq(slice_of(&a->v6.sin6_addr, sizeof a->v6.sin6_addr),
                          slice_of(&b->v6.sin6_addr, sizeof b->v6.sin6_addr))
               : a->sa.sa_family == AF_INET && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

static void look_at(const struct ota_sip_binding *b, int64_t since_ms, void *arg)
{
    struct from *f = arg;

    (void)since_ms;
    f->same = f->same || (ota_sip_flow_any(&b->flow) && same_address(&b->flow.peer, f->peer));
}

bool ota_sip_register_bound(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                            const struct ota_sip_flow *flow)
{
    struct from f = {.peer = &flow->peer};
    struct buf record;

    buf_init(&record, OTA_SIP_URI_MAX_N);
    if (osip_list_size(&r->osip->vias) == 1 && !read_record(g, r->osip->from->url, &record))
        ota_sip_location_each(g->location, buf_slice(&record), look_at, &f);
    buf_clear(&record);
    return f.same;
}

unsigned ota_sip_register_bind(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                               const struct ota_sip_origin *from, const struct ota_sip_account *account,
                               struct ota_sip_answer *out)
{
    bool known = out->record->n != 0;
    struct ota_sip_wish w;
    unsigned status;

    if (!slice_eq(buf_slice(out->record), account->record) ||
        (account->tls && (from->flow.via != OTA_SIP_TLS || osip_list_size(&r->osip->vias) > 1))) {
        buf_reset(out->record, OTA_SIP_URI_MAX_N);
        return known ? 403 : 404;
    }
    ota_sip_wish_init(&w);
    status = bind_all(g, r, from, account->record, &w, out);
    ota_sip_wish_clear(&w);
    return status;
}

unsigned ota_sip_register(const struct ota_sip_registrar *g, const struct ota_sip_request *r,
                          const struct ota_sip_origin *from, struct ota_sip_answer *out)
{
    struct ota_sip_account account;
    unsigned status = ota_sip_register_begin(g, r, out);

    if (!status)
        status = ota_sip_register_who(g, r, &account, out);
    if (status) {
        buf_reset(out->record, OTA_SIP_URI_MAX_N);
        return status;
    }
    return ota_sip_register_bind(g, r, from, &account, out);
}
