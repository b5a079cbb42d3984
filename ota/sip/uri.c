/* A SIP URI; see uri.h. */
#include "ota/sip/uri.h"

#include <osipparser2/osip_parser.h>
#include <string.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/scan.h"
#include "ota/sip/reply.h"

/* What a URI is made of (§25.1), brackets of IPv6 among it; the parser would take anything. */
static bool octets_good(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] > '~' || strchr("<>\"\\^`{|}", text.p[i]))
            return false;
    return true;
}

static bool host_good(struct slice host)
{
    for (size_t i = 0; i < host.n; i++) {
        char ch = host.p[i];

        if (!((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '.' ||
              ch == '-' || ch == ':'))
            return false;
    }
    return host.n > 0 && host.n <= OTA_SIP_HOST_MAX_N;
}

static enum err read_port(const char *text, uint16_t *out)
{
    struct scan s = scan_of(slice_str(text));
    uint32_t port;

    if (!text)
        return ERR_OK;
    port = scan_u32(&s, 1, UINT16_MAX);
    scan_end(&s);
    if (s.err)
        return ERR_MALFORMED;
    *out = (uint16_t)port;
    return ERR_OK;
}

static enum err read_transport(osip_uri_t *u, enum ota_sip_transport *out)
{
    static const struct {
        const char *name;
        enum ota_sip_transport transport;
    } rows[] = {{"udp", OTA_SIP_BY_UDP}, {"tcp", OTA_SIP_BY_TCP}, {"tls", OTA_SIP_BY_TLS}};
    osip_uri_param_t *p = NULL;

    if (osip_uri_uparam_get_byname(u, (char *)(uintptr_t) "transport", &p) || !p)
        return ERR_OK;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (slice_eq_ci(slice_str(p->gvalue), slice_str(rows[i].name))) {
            *out = rows[i].transport;
            return ERR_OK;
        }
    return ERR_UNSUPPORTED;
}

/* Scheme, user and host alone.  The parser has undone escapes: what a user must not hold as it is gets its own again (§19.1.4). */
static enum err print_record(const struct ota_sip_uri *v, struct slice user, char *out, size_t cap)
{
    bool v6 = strchr(v->host, ':') != NULL;
    struct buf text;
    enum err e;

    buf_init(&text, cap - 1);
    buf_add_str(&text, v->secure ? "sips:" : "sip:");
    codec_percent(&text, user, "-_.!~*'()&=+$,;?/");
    buf_add_str(&text, user.n ? "@" : "");
    buf_add_str(&text, v6 ? "[" : "");
    buf_add_str(&text, v->host);
    buf_add_str(&text, v6 ? "]" : "");
    e = buf_err(&text) ? buf_err(&text) : mem_cstr(out, cap, buf_slice(&text));
    buf_clear(&text);
    return e;
}

static enum err read_parts(osip_uri_t *u, struct ota_sip_uri *out)
{
    struct ota_sip_uri v = {.transport = OTA_SIP_BY_ANY};
    struct slice scheme = slice_str(u->scheme), host = slice_str(u->host), user = slice_str(u->username);
    osip_uri_param_t *lr = NULL, *ob = NULL;
    enum err e;

    v.secure = slice_eq_ci(scheme, SLICE("sips"));
    if ((!v.secure && !slice_eq_ci(scheme, SLICE("sip"))) || u->password || osip_list_size(&u->url_headers))
        return ERR_UNSUPPORTED;
    if (!host_good(host) || user.n > OTA_SIP_URI_MAX_N)
        return ERR_MALFORMED;
    e = read_port(u->port, &v.port);
    if (!e)
        e = read_transport(u, &v.transport);
    if (!e)
        e = mem_cstr(v.host, sizeof v.host, host);
    if (e)
        return e;
    if (v.secure && v.transport == OTA_SIP_BY_UDP)
        return ERR_UNSUPPORTED;
    v.loose = osip_uri_uparam_get_byname(u, (char *)(uintptr_t) "lr", &lr) == 0 && lr;
    v.flow = osip_uri_uparam_get_byname(u, (char *)(uintptr_t) "ob", &ob) == 0 && ob;
    v.has_user = user.n != 0;
    e = print_record(&v, user, v.record, sizeof v.record);
    if (!e)
        *out = v;
    return e;
}

enum err ota_sip_uri_parse(struct slice text, struct ota_sip_uri *out)
{
    char copy[OTA_SIP_URI_MAX_N + 1];
    osip_uri_t *u;
    enum err e;
    int rc;

    if (mem_cstr(copy, sizeof copy, text))
        return ERR_LIMIT;
    if (!octets_good(text))
        return ERR_MALFORMED;
    if (slice_find_slice(text, SLICE("%00")) != SIZE_MAX) /* the parser would end the user there */
        return ERR_UNSUPPORTED;
    ota_sip_parser_start();
    if (osip_uri_init(&u))
        return ERR_NOMEM;
    rc = osip_uri_parse(u, copy);
    e = rc == OSIP_NOMEM ? ERR_NOMEM : rc ? ERR_MALFORMED : read_parts(u, out);
    osip_uri_free(u);
    return e;
}

enum err ota_sip_route_first(struct slice route, struct slice *uri)
{
    struct slice before, rest, inside;

    if (!slice_cut(route, '<', &before, &rest) || !slice_cut(rest, '>', &inside, &rest) || inside.n == 0)
        return ERR_MALFORMED;
    *uri = inside;
    return ERR_OK;
}

/* scheme ":" [user "@"] place *( ";" parameter ) */
struct parts {
    struct slice scheme, user, place, params;
};

static struct parts split(struct slice uri)
{
    struct parts p;
    size_t at;

    (void)slice_cut(uri, ':', &p.scheme, &p.place);
    at = slice_find(p.place, '@');
    p.user = at == SIZE_MAX ? SLICE_NONE : slice_sub(p.place, 0, at + 1);
    p.place = slice_sub(p.place, p.user.n, SIZE_MAX);
    (void)slice_cut(p.place, ';', &p.place, &p.params);
    return p;
}

/* The next of the parameters, taken off them; false: there is none. */
static bool next_param(struct slice *params, struct slice *name, struct slice *value)
{
    struct slice one;

    if (!params->n)
        return false;
    (void)slice_cut(*params, ';', &one, params);
    (void)slice_cut(one, '=', name, value);
    return true;
}

/* What one of two may not leave out. */
static bool decides(struct slice name)
{
    static const char *const names[] = {"transport", "user", "method", "ttl", "maddr"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_eq_ci(name, slice_str(names[i])))
            return true;
    return false;
}

/* No parameter of a speaks against those of b. */
static bool params_agree(struct slice a, struct slice b)
{
    struct slice name, value, other, other_value;

    while (next_param(&a, &name, &value)) {
        struct slice rest = b;
        bool found = false;

        while (!found && next_param(&rest, &other, &other_value))
            found = slice_eq_ci(name, other);
        if (found ? !slice_eq_ci(value, other_value) : decides(name))
            return false;
    }
    return true;
}

bool ota_sip_uri_same(struct slice a, struct slice b)
{
    struct parts one, two;

    if (slice_eq(a, b))
        return true;
    one = split(a);
    two = split(b);
    return slice_eq_ci(one.scheme, two.scheme) && slice_eq(one.user, two.user) &&
           slice_eq_ci(one.place, two.place) && params_agree(one.params, two.params) &&
           params_agree(two.params, one.params);
}

uint16_t ota_sip_uri_port(const struct ota_sip_uri *uri)
{
    if (uri->port)
        return uri->port;
    return uri->secure || uri->transport == OTA_SIP_BY_TLS ? 5061 : 5060;
}
