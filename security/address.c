/* Canonical recipient addresses: tel numbers (RFC 3966), SIP URIs (RFC 3261 §19.1), and anything else with its
 * domain in lower case.  Any thread. */
#include "security/address.h"

#include "base/codec.h"
#include "base/scan.h"

static void put(struct sec_address *a, char ch, enum err *e)
{
    if (a->n == SEC_ADDRESS_MAX_N)
        *e = ERR_LIMIT;
    else
        a->text[a->n++] = ch;
}

static char lower(char ch)
{
    return ch >= 'A' && ch <= 'Z' ? (char)(ch + 'a' - 'A') : ch;
}

static bool is_alnum(char ch)
{
    return (ch >= '0' && ch <= '9') || (lower(ch) >= 'a' && lower(ch) <= 'z');
}

/* visual-separator of RFC 3966 §3. */
static bool is_separator(char ch)
{
    return ch == '-' || ch == '.' || ch == '(' || ch == ')';
}

static size_t find_any(struct slice s, struct slice set)
{
    for (size_t i = 0; i < s.n; i++)
        if (slice_find(set, s.p[i]) < set.n)
            return i;
    return s.n;
}

/* Digits, and what a local number may hold; separators go, and so do parameters. */
static enum err number(struct slice in, struct sec_address *a)
{
    struct slice digits = slice_sub(in, 0, slice_find(in, ';'));
    enum err e = ERR_OK;

    for (size_t i = 0; i < digits.n; i++) {
        char ch = digits.p[i];
        bool digit = (ch >= '0' && ch <= '9') || ch == '*' || ch == '#' || (ch == '+' && i == 0);

        if (digit)
            put(a, ch, &e);
        else if (!is_separator(ch))
            return ERR_MALFORMED;
    }
    a->domain = a->n;
    return e ? e : a->n == 0 || (a->n == 1 && a->text[0] == '+') ? ERR_MALFORMED : ERR_OK;
}

/* Host names lose case and the root's dot, addresses in brackets lose case. */
static enum err domain(struct slice host, struct sec_address *a)
{
    enum err e = ERR_OK;

    if (host.n > 1 && slice_ends(host, SLICE(".")))
        host.n--;
    if (host.n == 0 || slice_starts(host, SLICE(".")) || slice_ends(host, SLICE(".")) ||
        slice_find_slice(host, SLICE("..")) < host.n)
        return ERR_MALFORMED; /* an empty label */
    a->domain = a->n;
    for (size_t i = 0; i < host.n; i++) {
        char ch = host.p[i];

        if (!is_alnum(ch) && slice_find(SLICE("-._[]:"), ch) == SIZE_MAX)
            return ERR_MALFORMED;
        put(a, lower(ch), &e);
    }
    return e;
}

/* unreserved = alphanum / mark (RFC 3261 §25.1). */
static bool is_unreserved(char ch)
{
    return is_alnum(ch) || slice_find(SLICE("-_.!~*'()"), ch) != SIZE_MAX;
}

/* The user part: an escape of an unreserved octet is that octet, other escapes are written in upper case. */
static enum err sip_user(struct slice user, struct sec_address *a)
{
    static const char digits[] = "0123456789ABCDEF";
    bool phone = slice_starts(user, SLICE("+"));
    enum err e = ERR_OK;

    if (user.n == 0)
        return ERR_MALFORMED;
    for (size_t i = 0; i < user.n; i++) {
        unsigned char octet = (unsigned char)user.p[i];
        bool escaped = octet == '%';

        if (escaped && codec_unhex(slice_sub(user, i + 1, 2), &octet, 1))
            return ERR_MALFORMED;
        i += escaped ? 2 : 0;
        if (escaped && !is_unreserved((char)octet)) {
            put(a, '%', &e);
            put(a, digits[octet >> 4], &e);
            put(a, digits[octet & 15], &e);
        } else if (!(phone && is_separator((char)octet))) {
            put(a, (char)octet, &e);
        }
    }
    return e;
}

/* [user [":" password] "@"] host [":" port] [";" ...] ["?" ...] (RFC 3261 §19.1.1). */
static enum err sip(struct slice in, struct sec_address *a)
{
    struct slice user, rest, name;
    bool has_user = slice_cut(in, '@', &user, &rest);
    size_t host_n;
    enum err e = ERR_OK;

    for (size_t i = 0; i < 4; i++)
        put(a, "sip:"[i], &e);
    if (!has_user)
        rest = in;
    if (has_user && slice_find(rest, '@') < rest.n)
        return ERR_MALFORMED;
    if (has_user) {
        (void)slice_cut(user, ':', &name, &user);
        e = sip_user(name, a);
        put(a, '@', &e);
    }
    if (e)
        return e;
    host_n = slice_starts(rest, SLICE("[")) ? slice_find(rest, ']') : find_any(rest, SLICE(":;?"));
    host_n = host_n == SIZE_MAX ? rest.n : host_n + (slice_starts(rest, SLICE("[")) ? 1 : 0);
    return domain(slice_sub(rest, 0, host_n), a);
}

/* Octets as they are, a domain behind the last "@" in lower case. */
static enum err other(struct slice in, struct sec_address *a)
{
    size_t at = in.n;
    enum err e = ERR_OK;

    for (size_t i = 0; i < in.n; i++)
        if (in.p[i] == '@')
            at = i;
    if (at == 0)
        return ERR_MALFORMED;
    for (size_t i = 0; i < in.n && i <= at; i++)
        put(a, in.p[i], &e);
    a->domain = a->n;
    return e || at == in.n ? e : domain(slice_sub(in, at + 1, in.n), a);
}

enum err sec_address_canonical(struct slice in, struct sec_address *out)
{
    struct sec_address a = {.n = 0};
    struct scan s = scan_of(in);
    enum err e;

    if (in.n == 0)
        return ERR_MALFORMED;
    for (size_t i = 0; i < in.n; i++)
        if ((unsigned char)in.p[i] <= 0x20 || in.p[i] == 0x7f)
            return ERR_MALFORMED;
    if (scan_skip_ci(&s, SLICE("sip:")) || scan_skip_ci(&s, SLICE("sips:")))
        e = sip(scan_left(&s), &a);
    else if (scan_skip_ci(&s, SLICE("tel:")) || scan_peek(&s) == '+')
        e = number(scan_left(&s), &a);
    else
        e = other(in, &a);
    if (!e)
        *out = a;
    return e;
}
