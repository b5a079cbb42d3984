/* Client addresses, see pap/address.h.  Splits first and undoes escapes after, so no escape can move a boundary.
 * Specification: PPG Service (client addressing), RFC 3261 §19.1, RFC 3966 §3.  Any thread. */
#include "pap/address.h"

#include <arpa/inet.h>
#include "base/codec.h"
#include "base/mem.h"
#include "base/scan.h"

static const char *const type_words[PAP_ADDRESS_COUNT] = {
#define TYPE_WORD(name, text) [PAP_ADDRESS_##name] = text,
    PAP_ADDRESS_LIST(TYPE_WORD)
#undef TYPE_WORD
};

const char *pap_address_type_text(enum pap_address_type type)
{
    return type < PAP_ADDRESS_COUNT ? type_words[type] : "";
}

static bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

static bool is_alnum(char ch)
{
    return is_digit(ch) || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

static char lower(char ch)
{
    return ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
}

static bool is_msisdn(enum pap_address_type type)
{
    switch (type) {
    case PAP_ADDRESS_PLMN:
    case PAP_ADDRESS_GSM_MSISDN:
    case PAP_ADDRESS_ANSI_136_MSISDN:
    case PAP_ADDRESS_IS_637_MSISDN:
    case PAP_ADDRESS_IDEN_MSISDN:
    case PAP_ADDRESS_FLEX_MSISDN:
    case PAP_ADDRESS_PHS_MSISDN:
    case PAP_ADDRESS_TETRA_MSISDN:
        return true;
    default:
        return false;
    }
}

/* ["+"] 1*(digit / separator) with at least one digit; the separators are for the eye only. */
static bool is_number(struct slice v, bool plus, const char *separators)
{
    size_t digits = 0, i = slice_starts(v, SLICE("+")) ? 1 : 0;

    if (plus && i == 0)
        return false;
    for (; i < v.n; i++)
        if (is_digit(v.p[i]))
            digits++;
        else if (v.p[i] == '\0' || !strchr(separators, v.p[i]))
            return false;
    return digits > 0;
}

/* "sip:", "sips:" or "tel:" at the front; the scheme without its colon. */
static bool uri_scheme(struct slice v, struct slice *scheme)
{
    struct slice rest;

    return slice_cut(v, ':', scheme, &rest) &&
           (slice_eq_ci(*scheme, SLICE("sip")) || slice_eq_ci(*scheme, SLICE("sips")) ||
            slice_eq_ci(*scheme, SLICE("tel")));
}

static bool is_ip_literal(struct slice h)
{
    for (size_t i = 1; i + 1 < h.n; i++)
        if (!strchr("0123456789abcdefABCDEF:.", h.p[i]) || h.p[i] == '\0')
            return false;
    return h.n > 2 && h.p[h.n - 1] == ']';
}

/* label *("." label), an optional dot at the end; or "[" IPv6 "]" (RFC 3261 §25.1 host). */
static bool is_host(struct slice h)
{
    bool label = false; /* the current one has a character */

    if (slice_starts(h, SLICE("[")))
        return is_ip_literal(h);
    for (size_t i = 0; i < h.n; i++) {
        if (h.p[i] == '.' ? !label : !is_alnum(h.p[i]) && h.p[i] != '-')
            return false;
        label = h.p[i] != '.';
    }
    return h.n > 0 && is_alnum(h.p[0]);
}

/* What identifies somebody in a sip: URI: user and host; parameters, headers, password and port are cut off.
 * The host ends at the first ";" or "?" behind the last "@" (a user part may hold both). */
static bool sip_parts(struct slice uri, struct slice *user, struct slice *host)
{
    struct slice scheme, rest, cut, more;
    size_t at;

    if (!slice_cut(uri, ':', &scheme, &rest))
        return false;
    at = rest.n;
    while (at > 0 && rest.p[at - 1] != '@')
        at--;
    *user = at > 0 ? slice_sub(rest, 0, at - 1) : SLICE_NONE;
    if (slice_cut(*user, ':', &cut, &more))
        *user = cut;
    *host = slice_sub(rest, at, rest.n);
    if (slice_cut(*host, ';', &cut, &more))
        *host = cut;
    if (slice_cut(*host, '?', &cut, &more))
        *host = cut;
    if (!slice_starts(*host, SLICE("[")) && slice_cut(*host, ':', &cut, &more))
        *host = cut;
    else if (slice_find(*host, ']') != SIZE_MAX)
        *host = slice_sub(*host, 0, slice_find(*host, ']') + 1);
    return is_host(*host) && (at == 0 || user->n > 0);
}

/* The number of a tel: URI, without parameters (RFC 3966 §3). */
static struct slice tel_number(struct slice uri)
{
    struct slice number = slice_sub(uri, 4, uri.n), cut, more;

    return slice_cut(number, ';', &cut, &more) ? cut : number;
}

static enum err uri_check(struct slice v)
{
    struct slice scheme, user, host;

    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] > '~' || strchr("<>\"", v.p[i]))
            return ERR_MALFORMED;
    if (!uri_scheme(v, &scheme))
        return ERR_MALFORMED;
    if (slice_eq_ci(scheme, SLICE("tel")))
        return is_number(tel_number(v), false, "-.()") ? ERR_OK : ERR_MALFORMED;
    return sip_parts(v, &user, &host) ? ERR_OK : ERR_MALFORMED;
}

/* The grammar of a value before its escapes are undone; lenient: anything but blanks and control characters. */
static enum err raw_check(struct slice v, enum pap_address_type type, bool strict)
{
    const char *also = type == PAP_ADDRESS_IPV6 ? ":" : type <= PAP_ADDRESS_IPV4 ? "+-." : "+-._%";

    for (size_t i = 0; i < v.n; i++) {
        unsigned char ch = (unsigned char)v.p[i];

        if (strict ? !is_alnum(v.p[i]) && (ch == 0 || !strchr(also, ch)) : ch <= 0x20 || ch == 0x7F)
            return ERR_MALFORMED;
    }
    return v.n ? ERR_OK : ERR_MALFORMED;
}

/* Percent escapes undone, in the arena.  Control characters have no place in an address. */
static enum err decode(struct slice v, struct arena *arena, struct slice *out)
{
    struct buf b;
    enum err e;

    buf_init(&b, PAP_ADDRESS_MAX_N);
    e = codec_unpercent(v, &b);
    for (size_t i = 0; !e && i < b.n; i++)
        if ((unsigned char)b.p[i] < 0x20 || b.p[i] == 0x7F)
            e = ERR_MALFORMED;
    if (!e)
        e = arena_dup(arena, buf_slice(&b), out);
    buf_clear(&b);
    return e;
}

/* A number without its separators, in the arena; p == NULL without memory. */
static struct slice digits_only(struct slice v, struct arena *arena)
{
    char *to = arena_alloc(arena, v.n + 1);
    size_t n = 0;

    for (size_t i = 0; to && i < v.n; i++)
        if (is_digit(v.p[i]) || v.p[i] == '+')
            to[n++] = v.p[i];
    return slice_of(to, n);
}

static enum err number_value(bool strict, struct arena *arena, struct pap_address *a)
{
    if (!is_number(a->value, strict, "-."))
        return ERR_MALFORMED;
    a->value = digits_only(a->value, arena);
    return a->value.p ? ERR_OK : ERR_NOMEM;
}

/* 4 groups of 1*3DIGIT; leading zeros are decimal. */
static enum err ipv4_value(struct arena *arena, struct pap_address *a)
{
    struct scan s = scan_of(a->value);
    struct buf text;
    enum err e;

    buf_init(&text, INET_ADDRSTRLEN);
    for (int i = 0; i < 4; i++) {
        size_t before = scan_left(&s).n;

        if (i > 0)
            scan_ch(&s, '.');
        buf_addf(&text, "%s%u", i ? "." : "", scan_u32(&s, 0, 255));
        if (before - scan_left(&s).n > (i ? 4 : 3))
            scan_fail(&s, ERR_MALFORMED);
    }
    scan_end(&s);
    e = s.err ? ERR_MALFORMED : buf_err(&text);
    if (!e)
        e = arena_dup(arena, buf_slice(&text), &a->value);
    buf_clear(&text);
    return e;
}

/* 8 groups of 1*4HEXDIG in strict mode, else any IPv6 text; kept in the form of RFC 5952. */
static enum err ipv6_value(bool strict, struct arena *arena, struct pap_address *a)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr ip;

    if (mem_cstr(text, sizeof text, a->value) || inet_pton(AF_INET6, text, &ip) != 1)
        return ERR_MALFORMED;
    if (strict &&
        (slice_find_slice(a->value, SLICE("::")) != SIZE_MAX || slice_find(a->value, '.') != SIZE_MAX))
        return ERR_MALFORMED;
    if (!inet_ntop(AF_INET6, &ip, text, sizeof text))
        return ERR_MALFORMED;
    return arena_dup(arena, slice_str(text), &a->value);
}

/* What the type says about the decoded value. */
static enum err typed_value(bool strict, struct arena *arena, struct pap_address *a)
{
    struct slice scheme;

    if (a->value.n == 0)
        return ERR_MALFORMED;
    if (a->type == PAP_ADDRESS_USER && uri_scheme(a->value, &scheme))
        a->type = PAP_ADDRESS_SIP;
    if (is_msisdn(a->type))
        return number_value(strict && a->type == PAP_ADDRESS_PLMN, arena, a);
    if (a->type == PAP_ADDRESS_IPV4)
        return ipv4_value(arena, a);
    if (a->type == PAP_ADDRESS_IPV6)
        return ipv6_value(strict, arena, a);
    return a->type == PAP_ADDRESS_SIP ? uri_check(a->value) : ERR_OK;
}

static enum err type_parse(struct slice word, enum pap_address_type *out)
{
    for (enum pap_address_type t = 0; t < PAP_ADDRESS_COUNT; t++)
        if (slice_eq_ci(word, slice_str(type_words[t]))) {
            *out = t;
            return ERR_OK;
        }
    return ERR_UNSUPPORTED;
}

/* name "=" value of an extension qualifier. */
static bool is_qualifier(struct slice q)
{
    struct slice name, value;

    if (!slice_cut(q, '=', &name, &value) || name.n == 0 || value.n == 0)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!is_alnum(name.p[i]) && name.p[i] != '-')
            return false;
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] < ' ' || value.p[i] > '~' || value.p[i] == '=')
            return false;
    return true;
}

/* Cuts "@" ppg off the end of *rest.  An "@" with a "/" behind it belongs to a value. */
static enum err cut_ppg(struct slice *rest, struct slice *ppg)
{
    size_t at = rest->n;

    while (at > 0 && rest->p[at - 1] != '@' && rest->p[at - 1] != '/')
        at--;
    if (at == 0 || rest->p[at - 1] == '/')
        return ERR_OK;
    *ppg = slice_sub(*rest, at, rest->n);
    rest->n = at - 1;
    return !slice_starts(*ppg, SLICE("[")) && is_host(*ppg) ? ERR_OK : ERR_MALFORMED;
}

/* value *("/" qualifier) ["/TYPE=" type] ["/"]; *typed: there was a type, which must come last. */
static enum err cut_qualifiers(struct slice rest, struct slice *value, struct pap_address *a, bool *typed)
{
    struct slice word, left = SLICE_NONE;
    size_t value_n;

    if (rest.n > 1 && rest.p[rest.n - 1] == '/')
        rest.n--;
    if (!slice_cut(rest, '/', value, &left)) {
        *value = rest;
        return ERR_OK;
    }
    value_n = value->n;
    for (bool more = true; more;) {
        if (*typed)
            return ERR_MALFORMED;
        more = slice_cut(left, '/', &word, &left);
        if (slice_starts_ci(word, SLICE("TYPE="))) {
            enum err e = type_parse(slice_sub(word, 5, word.n), &a->type);

            if (e)
                return e;
            *typed = true;
        } else if (is_qualifier(word)) {
            a->ext = slice_sub(rest, value_n, (size_t)(word.p + word.n - (rest.p + value_n)));
        } else {
            return ERR_MALFORMED;
        }
    }
    return ERR_OK;
}

static enum err wappush_parse(struct slice rest, bool strict, struct arena *arena, struct pap_address *a)
{
    struct slice value = SLICE_NONE;
    bool typed = false;
    enum err e = cut_ppg(&rest, &a->ppg);

    if (!e)
        e = cut_qualifiers(rest, &value, a, &typed);
    if (!e)
        e = raw_check(value, typed ? a->type : PAP_ADDRESS_USER, strict);
    if (!e)
        e = decode(value, arena, &a->value);
    if (e)
        return e;
    if (!typed)
        a->type = is_number(a->value, true, "-.") ? PAP_ADDRESS_PLMN : PAP_ADDRESS_USER;
    return typed_value(strict, arena, a);
}

/* The whole text is the identifier: a device id, a token, an e-mail address, a URI. */
static enum err bare_parse(struct slice in, struct arena *arena, struct pap_address *a)
{
    enum err e = raw_check(in, PAP_ADDRESS_USER, false);

    a->type = PAP_ADDRESS_USER;
    if (!e)
        e = decode(in, arena, &a->value);
    return e ? e : typed_value(false, arena, a);
}

enum err pap_address_parse(struct slice in, bool strict, struct arena *arena, struct pap_address *out)
{
    struct pap_address a = {.raw = in};
    struct slice text = strict ? in : slice_trim(in), rest;
    struct slice mark = SLICE("WAPPUSH=");
    enum err e;

    if (in.n > PAP_ADDRESS_MAX_N)
        return ERR_LIMIT;
    rest = slice_starts(text, SLICE("/")) ? slice_sub(text, 1, text.n) : text;
    if (slice_starts_ci(rest, mark))
        e = wappush_parse(slice_sub(rest, mark.n, rest.n), strict, arena, &a);
    else
        e = strict ? ERR_MALFORMED : bare_parse(text, arena, &a);
    if (!e)
        *out = a;
    return e;
}

/* The URI's own parameters are those behind its host, and in front of its headers. */
static struct slice sip_param(struct slice uri, struct slice name)
{
    struct slice user, host, rest, param, key, value;

    if (!sip_parts(uri, &user, &host))
        return SLICE_NONE;
    rest = slice_of(host.p + host.n, (size_t)(uri.p + uri.n - (host.p + host.n)));
    (void)slice_cut(rest, '?', &rest, &param);
    for (bool more = slice_cut(rest, ';', &param, &rest); more;) {
        more = slice_cut(rest, ';', &param, &rest);
        if (slice_cut(param, '=', &key, &value) && slice_eq_ci(key, name))
            return value;
    }
    return SLICE_NONE;
}

bool pap_address_may_name_device(struct slice in)
{
    return slice_find_slice(in, SLICE("gr")) != SIZE_MAX || slice_find_slice(in, SLICE("GR")) != SIZE_MAX ||
           slice_find_slice(in, SLICE("Gr")) != SIZE_MAX || slice_find_slice(in, SLICE("gR")) != SIZE_MAX;
}

enum err pap_address_device(struct slice in, bool strict, struct buf *out)
{
    struct slice device = SLICE_NONE;
    struct pap_address a;
    struct arena mem;
    enum err e;

    arena_init(&mem, PAP_ADDRESS_MAX_N, (size_t)4 * PAP_ADDRESS_MAX_N);
    e = pap_address_parse(in, strict, &mem, &a);
    if (!e && a.type == PAP_ADDRESS_SIP && !slice_starts_ci(a.value, SLICE("tel:")))
        device = sip_param(a.value, SLICE("gr"));
    if (!e && device.n == 0)
        e = ERR_ABSENT;
    if (!e)
        buf_add(out, device);
    arena_clear(&mem);
    return e ? e : buf_err(out);
}

/* An escape of an unreserved character is undone, any other is written in upper case, and what a URI cannot hold
 * is escaped (RFC 3261 §19.1.4). */
static void key_user(struct slice user, struct buf *out)
{
    for (size_t i = 0; i < user.n; i++) {
        unsigned char ch = (unsigned char)user.p[i];
        bool escaped = ch == '%' && codec_unhex(slice_sub(user, i + 1, 2), &ch, 1) == ERR_OK;
        bool plain = escaped ? is_alnum((char)ch) || (ch && strchr("-_.!~*'()", ch))
                             : ch > 0x20 && ch < 0x7F && ch != '%';

        if (plain)
            buf_add_ch(out, (char)ch);
        else
            buf_addf(out, "%%%02X", ch);
        i += escaped ? 2 : 0;
    }
}

static void key_lower(struct slice s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++)
        buf_add_ch(out, lower(s.p[i]));
}

static void key_number(struct slice v, struct buf *out)
{
    for (size_t i = 0; i < v.n; i++)
        if (is_digit(v.p[i]) || v.p[i] == '+')
            buf_add_ch(out, v.p[i]);
}

static void key_sip(struct slice v, struct buf *out)
{
    struct slice scheme, user, host;

    if (!uri_scheme(v, &scheme) || !sip_parts(v, &user, &host))
        return; /* pap_address_parse() made sure */
    key_lower(scheme, out);
    buf_add_ch(out, ':');
    if (user.n > 0) {
        key_user(user, out);
        buf_add_ch(out, '@');
    }
    if (slice_ends(host, SLICE(".")))
        host.n--;
    key_lower(host, out);
}

void pap_address_key(const struct pap_address *a, struct buf *out)
{
    if (a->type == PAP_ADDRESS_SIP && slice_starts_ci(a->value, SLICE("tel:")))
        key_number(tel_number(a->value), out);
    else if (a->type == PAP_ADDRESS_SIP)
        key_sip(a->value, out);
    else if (a->type == PAP_ADDRESS_USER && is_number(a->value, true, "-."))
        key_number(a->value, out);
    else
        buf_add(out, a->value);
}
