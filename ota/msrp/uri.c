/* An MSRP URI; see uri.h. */
#include "ota/msrp/uri.h"

#include "base/mem.h"
#include "base/scan.h"

static bool is_alnum(unsigned char ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z');
}

static bool is_host_octet(unsigned char ch)
{
    return is_alnum(ch) || ch == '-' || ch == '.' || ch == '_';
}

static bool is_v6_octet(unsigned char ch)
{
    return is_alnum(ch) || ch == ':' || ch == '.';
}

static bool is_session_octet(unsigned char ch) /* unreserved / "+" / "=" / "/" */
{
    return is_alnum(ch) || (ch && strchr("-._~+=/", ch));
}

static bool is_param_octet(unsigned char ch)
{
    return is_session_octet(ch) || (ch && strchr("!$&'*:%[]", ch));
}

/* A host name, an IPv4 address, or an IPv6 address in brackets. */
static struct slice take_host(struct scan *s)
{
    struct slice host;

    if (!scan_skip_ch(s, '['))
        return scan_while(s, is_host_octet, OTA_MSRP_HOST_MAX_N);
    host = scan_while(s, is_v6_octet, OTA_MSRP_HOST_MAX_N);
    scan_ch(s, ']');
    return host;
}

/* ";tcp" and parameters that say nothing to us. */
static void take_transport(struct scan *s)
{
    if (!scan_skip_ci(s, SLICE(";tcp")))
        scan_fail(s, ERR_UNSUPPORTED);
    while (scan_skip_ch(s, ';'))
        (void)scan_while(s, is_param_octet, OTA_MSRP_URI_MAX_N);
    scan_end(s);
}

enum err ota_msrp_uri_parse(struct slice text, struct ota_msrp_uri *out)
{
    struct scan s = scan_of(text);
    struct ota_msrp_uri u = {.secure = false};
    struct slice host;

    if (text.n > OTA_MSRP_URI_MAX_N)
        return ERR_LIMIT;
    u.secure = scan_skip_ci(&s, SLICE("msrps://"));
    if (!u.secure && !scan_skip_ci(&s, SLICE("msrp://")))
        return ERR_MALFORMED;
    if (slice_find(text, '@') != SIZE_MAX)
        return ERR_UNSUPPORTED;
    host = take_host(&s);
    if (!s.err && !scan_skip_ch(&s, ':')) /* §6: without a port it names no end that a client could reach */
        return ERR_UNSUPPORTED;
    u.port = (uint16_t)scan_u32(&s, 1, UINT16_MAX);
    if (!s.err && !scan_skip_ch(&s, '/'))
        return ERR_UNSUPPORTED;
    u.session = scan_while(&s, is_session_octet, OTA_MSRP_SESSION_MAX_N);
    take_transport(&s);
    if (s.err)
        return s.err;
    if (mem_cstr(u.host, sizeof u.host, host))
        return ERR_LIMIT;
    *out = u;
    return ERR_OK;
}

bool ota_msrp_uri_same(struct slice a, struct slice b)
{
    struct ota_msrp_uri x, y;

    return !ota_msrp_uri_parse(a, &x) && !ota_msrp_uri_parse(b, &y) && x.secure == y.secure &&
           x.port == y.port && slice_eq_ci(slice_str(x.host), slice_str(y.host)) &&
           slice_eq(x.session, y.session);
}

bool ota_msrp_path_same(struct slice a, struct slice b)
{
    struct slice x, y;
    bool more, as_long;

    do {
        more = slice_cut(a, ' ', &x, &a);
        as_long = slice_cut(b, ' ', &y, &b) == more;
        if (!as_long || !ota_msrp_uri_same(x, y))
            return false;
    } while (more);
    return true;
}
