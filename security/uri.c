/* Matching a claimed URI with a pattern: RFC 3986 in its plainest shape, everything clever refused.  Any
 * thread. */
#include "security/uri.h"

#include "base/scan.h"

/* scheme "://" host [":" port] [path ["?" query]] */
struct uri {
    bool secure;       /* https, else http */
    struct slice host; /* a name, an IPv4 address, or "[" IPv6 "]" */
    uint32_t port;
    struct slice path; /* from "/" on, query included; n 0: none */
};

static bool is_host_ch(unsigned char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-' ||
           ch == '.';
}

static bool is_v6_ch(unsigned char ch)
{
    return (ch >= 'a' && ch <= 'f') || (ch >= 'A' && ch <= 'F') || (ch >= '0' && ch <= '9') || ch == ':' ||
           ch == '.';
}

/* pchar, "/" and "?" of RFC 3986 §3.3 and §3.4: no fragment, no backslash. */
static bool is_path_ch(unsigned char ch)
{
    return (ch >= '$' && ch <= ';') || ch == '=' || ch == '?' || ch == '@' || ch == '!' || ch == '_' ||
           ch == '~' || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

static struct slice host_parse(struct scan *s)
{
    struct slice all = scan_left(s);
    size_t n;

    if (!scan_skip_ch(s, '['))
        return scan_while(s, is_host_ch, 255);
    n = scan_while(s, is_v6_ch, 45).n;
    scan_ch(s, ']');
    return slice_sub(all, 0, n + 2);
}

static int hex(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    ch = (char)(ch | 0x20);
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* Escapes must be whole and must not hide a dot, a slash, a backslash, a control or another percent sign. */
static bool escapes_ok(struct slice path)
{
    for (size_t i = 0; i < path.n; i++) {
        int octet;

        if (path.p[i] != '%')
            continue;
        if (path.n - i < 3 || hex(path.p[i + 1]) < 0 || hex(path.p[i + 2]) < 0)
            return false;
        octet = hex(path.p[i + 1]) * 16 + hex(path.p[i + 2]);
        if (octet < 0x20 || octet == '.' || octet == '/' || octet == '\\' || octet == '%' || octet == 0x7f)
            return false;
    }
    return true;
}

/* No "." or ".." between slashes, also with parameters behind it (RFC 3986 §5.2.4). */
static bool segments_ok(struct slice path)
{
    struct slice query, head, rest, name, params;

    (void)slice_cut(path, '?', &rest, &query);
    while (rest.n) {
        (void)slice_cut(rest, '/', &head, &rest);
        (void)slice_cut(head, ';', &name, &params);
        if (slice_eq(name, SLICE(".")) || slice_eq(name, SLICE("..")))
            return false;
    }
    return true;
}

static enum err uri_parse(struct slice in, struct uri *out)
{
    struct scan s = scan_of(in);
    struct uri v = {.secure = false};

    if (in.n > SEC_URI_MAX_N)
        return ERR_LIMIT;
    v.secure = scan_skip_ci(&s, SLICE("https://"));
    if (!v.secure && !scan_skip_ci(&s, SLICE("http://")))
        return ERR_MALFORMED;
    v.host = host_parse(&s);
    v.port = scan_skip_ch(&s, ':') ? scan_u32(&s, 1, 65535) : v.secure ? 443 : 80;
    if (scan_peek(&s) == '/')
        v.path = scan_while(&s, is_path_ch, SEC_URI_MAX_N);
    scan_end(&s);
    if (s.err)
        return s.err;
    if (slice_find(v.path, '%') < v.path.n && !escapes_ok(v.path))
        return ERR_MALFORMED;
    if (!segments_ok(v.path))
        return ERR_MALFORMED;
    *out = v;
    return ERR_OK;
}

/* A pattern as a URI: without its star, which must stand in the path and nowhere before the end. */
static enum err pattern_parse(struct slice pattern, struct uri *out, bool *open)
{
    struct uri v;
    bool star = slice_ends(pattern, SLICE("*"));
    enum err e = uri_parse(slice_sub(pattern, 0, pattern.n - star), &v);

    if (e)
        return e;
    if (slice_find(v.path, '*') < v.path.n || (star && v.path.n == 0))
        return ERR_MALFORMED;
    *out = v;
    *open = star;
    return ERR_OK;
}

enum err sec_uri_pattern_check(struct slice pattern)
{
    struct uri v;
    bool open;

    return pattern_parse(pattern, &v, &open);
}

bool sec_uri_matches(struct slice pattern, struct slice uri)
{
    struct uri p, u;
    bool open;

    if (pattern_parse(pattern, &p, &open) || uri_parse(uri, &u))
        return false;
    if (p.secure != u.secure || p.port != u.port || !slice_eq_ci(p.host, u.host))
        return false;
    if (u.path.n == 0)
        u.path = SLICE("/"); /* RFC 3986 §6.2.3 */
    if (p.path.n == 0)
        p.path = SLICE("/");
    return open ? slice_starts(u.path, p.path) : slice_eq(u.path, p.path);
}
