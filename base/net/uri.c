/* http and https URIs on http-parser's URL parser, made strict: every octet must be one that a URI may hold, the
 * scheme is looked at first, IPv6 literals must be addresses.  No I/O, nothing decoded.  RFC 3986 §2, §3; RFC
 * 9110 §4.2.  Thread-free. */
#include "base/net/uri.h"

#include <arpa/inet.h>
#include <http_parser.h>

#include "base/mem.h"
#include "base/scan.h"

#define URI_MAX_N 2048 /* octets */

static bool is_alnum(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
}

static bool is_hex(char ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f') || (ch >= 'A' && ch <= 'F');
}

/* unreserved, reserved and pct-encoded, but no '#': there is no fragment (RFC 3986 §2). */
static bool octets_are_good(struct slice in)
{
    for (size_t i = 0; i < in.n; i++)
        if (in.p[i] == '%') {
            if (in.n - i < 3 || !is_hex(in.p[i + 1]) || !is_hex(in.p[i + 2]))
                return false;
        } else if (!is_alnum(in.p[i]) && slice_find(SLICE("-._~:/?[]@!$&'()*+,;="), in.p[i]) == SIZE_MAX) {
            return false;
        }
    return true;
}

static bool is_scheme_ch(unsigned char ch)
{
    return is_alnum((char)ch) || ch == '+' || ch == '-' || ch == '.';
}

/* scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), RFC 3986 §3.1 */
static enum err scheme(struct slice in, bool *https)
{
    struct scan s = scan_of(in);
    struct slice name = scan_while(&s, is_scheme_ch, URI_MAX_N);

    scan_ch(&s, ':');
    if (s.err || !((name.p[0] | 0x20) >= 'a' && (name.p[0] | 0x20) <= 'z'))
        return ERR_MALFORMED;
    *https = slice_eq_ci(name, SLICE("https"));
    return *https || slice_eq_ci(name, SLICE("http")) ? ERR_OK : ERR_UNSUPPORTED;
}

static struct slice part(struct slice in, const struct http_parser_url *u, enum http_parser_url_fields f)
{
    return slice_sub(in, u->field_data[f].off, u->field_data[f].len);
}

static bool has(const struct http_parser_url *u, enum http_parser_url_fields f)
{
    return u->field_set & (1u << f);
}

/* No zone, no percent escape: what is connected to is a plain name or address. */
static bool host_is_good(struct slice host)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];

    if (slice_find(host, '%') != SIZE_MAX)
        return false;
    if (slice_find(host, ':') == SIZE_MAX)
        return host.n > 0;
    return mem_cstr(text, sizeof text, host) == ERR_OK && inet_pton(AF_INET6, text, &address) == 1;
}

/* RFC 3986 §3.2: everything up to the path, whatever the scheme. */
static enum err split(struct slice in, struct http_parser_url *u)
{
    http_parser_url_init(u);
    if (!octets_are_good(in) || http_parser_parse_url(in.p, in.n, 0, u) != 0 || !has(u, UF_HOST))
        return ERR_MALFORMED;
    if (has(u, UF_USERINFO)) /* RFC 9110 §4.2.4 */
        return ERR_UNSUPPORTED;
    if (!host_is_good(part(in, u, UF_HOST)) || (has(u, UF_PORT) && u->port == 0))
        return ERR_MALFORMED;
    return ERR_OK;
}

enum err net_uri_parse(struct slice in, struct net_uri *out)
{
    struct http_parser_url u;
    struct net_uri v = {.target = SLICE("/")};
    enum err e;

    if (in.n > URI_MAX_N)
        return ERR_LIMIT;
    e = scheme(in, &v.https);
    if (!e)
        e = split(in, &u);
    if (e)
        return e;
    v.host = part(in, &u, UF_HOST);
    v.port = has(&u, UF_PORT) ? u.port : v.https ? 443 : 80;
    if (has(&u, UF_PATH))
        v.target = slice_sub(in, u.field_data[UF_PATH].off, in.n);
    else if (has(&u, UF_QUERY)) /* "/?q" is not in the input, so no view of it */
        return ERR_UNSUPPORTED;
    *out = v;
    return ERR_OK;
}

enum err net_server_parse(struct slice in, struct net_server *out)
{
    struct http_parser_url u;
    enum err e = in.n > URI_MAX_N ? ERR_LIMIT : split(in, &u);

    if (e)
        return e;
    if (!has(&u, UF_SCHEMA) || has(&u, UF_QUERY) ||
        (has(&u, UF_PATH) && !slice_eq(part(in, &u, UF_PATH), SLICE("/"))))
        return ERR_MALFORMED;
    *out = (struct net_server){.scheme = part(in, &u, UF_SCHEMA),
                               .host = part(in, &u, UF_HOST),
                               .port = has(&u, UF_PORT) ? u.port : 0};
    return ERR_OK;
}
