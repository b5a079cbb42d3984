/* Contacts of a REGISTER; see contact.h. */
#include "ota/registrar/contact.h"

#include <osipparser2/osip_parser.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/net/dns.h"
#include "base/scan.h"
#include "ota/sip/uri.h"

#define TEXTS_N ((size_t)OTA_SIP_BINDINGS_MAX * 512 + OTA_SIP_HEAD_MAX_N)

/* --- parameters --- */

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

static uint32_t read_reg_id(struct slice text)
{
    struct scan s = scan_of(text);
    uint32_t n = scan_u32(&s, 1, INT32_MAX);

    scan_end(&s);
    return s.err ? 0 : n;
}

static struct slice unquoted(struct slice s)
{
    return s.n > 1 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? slice_sub(s, 1, s.n - 2) : s;
}

/* "<urn:...>" and nothing that could end the quotes around it; else none. */
static struct slice read_instance(struct slice text)
{
    struct slice s = unquoted(text);

    if (s.n < 3 || s.p[0] != '<' || slice_find(s, '>') != s.n - 1 || slice_printable_n(s) != s.n ||
        slice_find(s, '"') != SIZE_MAX || slice_find(s, '\\') != SIZE_MAX || slice_find(s, ';') != SIZE_MAX)
        return SLICE_NONE;
    return s;
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

/* Of the Contact (RFC 3840 §5), else of Allow, which speaks of the whole device (RFC 3261 §20.5). */
static struct ota_sip_methods read_methods(const struct ota_sip_request *r, osip_contact_t *c)
{
    struct ota_sip_methods m = ota_sip_methods_of(unquoted(param(c, "methods")));

    return m.said ? m : ota_sip_said_methods(r->osip);
}

static enum err read_features(const struct ota_sip_request *r, osip_contact_t *c, struct slice app_tag,
                              struct ota_sip_binding *b)
{
    char tag[72] = "+";

    if (app_tag.n + 2 > sizeof tag)
        return ERR_LIMIT;
    mem_copy(tag + 1, sizeof tag - 1, app_tag);
    tag[1 + app_tag.n] = '\0';
    b->apps = unquoted(param(c, tag));
    b->tagged = has_features(c);
    b->methods = read_methods(r, c);
    return ERR_OK;
}

/* --- how the device is reached --- */

static bool is_address(const char *host, const union ota_sip_peer *peer)
{
    struct sockaddr_storage at;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&at;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&at;

    if (!host || net_addr_parse(slice_str(host), 0, &at) || at.ss_family != peer->sa.sa_family)
        return false;
    return at.ss_family == AF_INET ? v4->sin_addr.s_addr == peer->v4.sin_addr.s_addr
                                   : slice_eq(slice_of(&v6->sin6_addr, sizeof v6->sin6_addr),
                                              slice_of(&peer->v6.sin6_addr, sizeof peer->v6.sin6_addr));
}

static uint16_t peer_port(const union ota_sip_peer *peer)
{
    return ntohs(peer->sa.sa_family == AF_INET6 ? peer->v6.sin6_port : peer->v4.sin_port);
}

static uint16_t via_port(const osip_via_t *via)
{
    struct scan s = scan_of(slice_str(via->port));
    uint32_t port = scan_u32(&s, 1, UINT16_MAX);

    return s.err ? 5060 : (uint16_t)port;
}

/* Does the device itself speak, and from where its Via and its Contact say? */
static bool at_its_word(const struct ota_sip_request *r, const struct ota_sip_origin *from,
                        const struct ota_sip_uri *uri)
{
    const osip_via_t *via = osip_list_get(&r->osip->vias, 0);
    bool datagram = from->flow.via == OTA_SIP_UDP;

    return osip_list_size(&r->osip->vias) == 1 && is_address(uri->host, &from->flow.peer) &&
           is_address(via->host, &from->flow.peer) &&
           (!datagram || via_port(via) == peer_port(&from->flow.peer));
}

/* Datagrams to where the request came from go out where it came in; a connection is used as long as it is there. */
static void reach(const struct ota_sip_request *r, const struct ota_sip_origin *from,
                  const struct ota_sip_uri *uri, struct ota_sip_binding *b)
{
    bool good = at_its_word(r, from, uri);

    if (b->path.n)
        return;
    b->flow_only = !good || uri->flow || b->reg_id;
    if (!b->flow_only && from->flow.via == OTA_SIP_UDP &&
        (uri->transport > OTA_SIP_BY_UDP || uri->secure ||
         ota_sip_uri_port(uri) != peer_port(&from->flow.peer)))
        return;
    b->flow = from->flow;
    b->bound = from->bound;
}

/* --- contacts --- */

static void read_expiry(const struct ota_sip_request *r, osip_contact_t *c, int64_t default_s,
                        struct ota_sip_binding *b)
{
    struct slice expires = param(c, "expires");
    struct scan s = scan_of(expires);

    b->expires_s = expires.n ? (int64_t)scan_u32(&s, 0, UINT32_MAX) : header_seconds(r, default_s);
    scan_end(&s);
    if (s.err)
        b->expires_s = default_s; /* §10.2.1.1: as if it were not there */
}

/* Both or neither: a flow of a device that has no name is none (RFC 5626 §6). */
static void read_instance_of(const struct ota_sip_request *r, osip_contact_t *c, struct ota_sip_binding *b)
{
    b->instance = read_instance(param(c, "+sip.instance"));
    b->gruu = b->instance.n && ota_sip_request_lists(r, "supported", SLICE("gruu"));
    b->reg_id = b->instance.n && ota_sip_request_lists(r, "supported", SLICE("outbound"))
                    ? read_reg_id(param(c, "reg-id"))
                    : 0;
}

/* ERR_MALFORMED: no URI that we could push to. */
static enum err read_uri(struct ota_sip_wish *w, osip_contact_t *c, struct slice *text,
                         struct ota_sip_uri *out)
{
    size_t start = w->texts.n;
    char *printed = NULL;
    enum err e;

    if (!c->url || osip_uri_to_str(c->url, &printed) || !printed)
        return ERR_MALFORMED;
    buf_add_str(&w->texts, printed);
    osip_free(printed);
    if (buf_err(&w->texts))
        return buf_err(&w->texts);
    *text = slice_sub(buf_slice(&w->texts), start, SIZE_MAX);
    e = ota_sip_uri_parse(*text, out);
    return !e || e == ERR_NOMEM ? e : ERR_MALFORMED;
}

static enum err read_contact(struct ota_sip_wish *w, const struct ota_sip_request *r,
                             const struct ota_sip_origin *from, struct slice path, struct slice accept,
                             struct slice app_tag, int64_t default_s, osip_contact_t *c)
{
    struct ota_sip_binding *b = &w->bindings[w->n];
    struct ota_sip_uri uri;
    struct slice q = param(c, "q");
    enum err e;

    *b = (struct ota_sip_binding){
        .path = path, .accept = accept, .agent = ota_sip_request_header(r, "user-agent")};
    e = read_uri(w, c, &b->contact, &uri);
    if (e)
        return e;
    b->q = read_q(q.n ? q : SLICE("1"));
    read_expiry(r, c, default_s, b);
    read_instance_of(r, c, b);
    if (b->reg_id && osip_list_size(&r->osip->vias) > 1 && slice_find_slice(path, SLICE(";ob")) == SIZE_MAX)
        return ERR_UNSUPPORTED;
    reach(r, from, &uri, b);
    w->outbound = w->outbound || b->reg_id;
    w->n++;
    return read_features(r, c, app_tag, b);
}

/* All Path lines as one list, which is what Route takes (RFC 3327 §5.3, RFC 3261 §7.3.1). */
static enum err read_path(struct ota_sip_wish *w, const struct ota_sip_request *r,
                          const struct ota_sip_origin *from, struct slice *out)
{
    size_t start = w->texts.n;
    struct ota_sip_uri uri;
    struct slice first, value;
    int pos = 0;
    enum err e;

    if (!from->trusted)
        return ERR_OK;
    while ((value = ota_sip_request_next(r, "path", &pos)).n) {
        if (w->texts.n > start)
            buf_add(&w->texts, SLICE(", "));
        buf_add(&w->texts, value);
    }
    *out = slice_sub(buf_slice(&w->texts), start, SIZE_MAX);
    if (buf_err(&w->texts) || out->n == 0)
        return buf_err(&w->texts);
    e = ota_sip_route_first(*out, &first);
    if (!e)
        e = ota_sip_uri_parse(first, &uri);
    return e == ERR_OK || e == ERR_NOMEM ? e : ERR_MALFORMED;
}

static enum err read_accept(struct ota_sip_wish *w, const struct ota_sip_request *r, struct slice *out)
{
    size_t start = w->texts.n;
    enum err e = ota_sip_said_accept(r->osip, &w->texts);

    *out = slice_sub(buf_slice(&w->texts), start, SIZE_MAX);
    return e;
}

enum err ota_sip_wish_read(struct ota_sip_wish *w, const struct ota_sip_request *r,
                           const struct ota_sip_origin *from, struct slice app_tag, int64_t default_s)
{
    int n = osip_list_size(&r->osip->contacts);
    struct slice path = SLICE_NONE, accept = SLICE_NONE;
    enum err e;

    if (n > OTA_SIP_BINDINGS_MAX)
        return ERR_LIMIT;
    (void)buf_room(&w->texts, TEXTS_N); /* so that it never moves */
    e = read_path(w, r, from, &path);
    if (!e)
        e = read_accept(w, r, &accept);
    for (int i = 0; i < n && !e; i++) {
        osip_contact_t *c = osip_list_get(&r->osip->contacts, i);

        if (c->displayname && slice_eq(slice_str(c->displayname), SLICE("*")))
            w->all_gone = true;
        else
            e = read_contact(w, r, from, path, accept, app_tag, default_s, c);
    }
    if (!e && w->all_gone && (n != 1 || header_seconds(r, -1) != 0)) /* §10.3 step 6 */
        e = ERR_MALFORMED;
    return e;
}

void ota_sip_wish_init(struct ota_sip_wish *w)
{
    w->n = 0;
    w->all_gone = w->outbound = false;
    buf_init(&w->texts, TEXTS_N);
}

void ota_sip_wish_clear(struct ota_sip_wish *w)
{
    buf_clear(&w->texts);
}
