/* Words of a message head and what follows from them: version, status code, the three fields that frame a
 * message, the fields a trailer may not hold.  Pure functions, no octet counting (framing.c).  RFC 9112 §2.3,
 * §3.2, §6; RFC 9110 §5.6.2, §6.5.1, §8.6.  Thread-free. */
#include "base/net/framing_head.h"

static const struct {
    enum err err;
    unsigned status;
    const char *text;
} rules[] = {{ERR_OK, 0, ""},
#define RULE_ROW(name, err, status, text) {ERR_##err, status, text},
             NET_RULES(RULE_ROW)
#undef RULE_ROW
};

enum err net_rule_err(enum net_rule r)
{
    return rules[r].err;
}

unsigned net_rule_status(enum net_rule r)
{
    return rules[r].status;
}

const char *net_rule_text(enum net_rule r)
{
    return rules[r].text;
}

static bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

/* HTTP-version = "HTTP/" DIGIT "." DIGIT (RFC 9112 §2.3) */
enum net_rule net_head_version(struct net_framing_head *h, struct slice v)
{
    if (v.n != 8 || !slice_starts(v, SLICE("HTTP/")) || !is_digit(v.p[5]) || v.p[6] != '.' ||
        !is_digit(v.p[7]))
        return RULE_VERSION;
    h->minor = (unsigned)(v.p[7] - '0');
    return v.p[5] == '1' ? RULE_NONE : RULE_MAJOR;
}

/* status-code = 3DIGIT, 100 to 599 (RFC 9110 §15) */
enum net_rule net_head_code(struct net_framing_head *h, struct slice v)
{
    if (v.n != 3 || v.p[0] < '1' || v.p[0] > '5' || !is_digit(v.p[1]) || !is_digit(v.p[2]))
        return RULE_CODE;
    h->code = (unsigned)((v.p[0] - '0') * 100 + (v.p[1] - '0') * 10 + (v.p[2] - '0'));
    return h->code == 101 ? RULE_SWITCH : RULE_NONE;
}

enum net_field net_field_of(struct slice name)
{
    switch (name.n) {
    case 4:
        return slice_eq_ci(name, SLICE("Host")) ? FIELD_HOST : FIELD_OTHER;
    case 14:
        return slice_eq_ci(name, SLICE("Content-Length")) ? FIELD_LENGTH : FIELD_OTHER;
    case 17:
        return slice_eq_ci(name, SLICE("Transfer-Encoding")) ? FIELD_CODING : FIELD_OTHER;
    default:
        return FIELD_OTHER;
    }
}

/* Framing, routing, request modifiers, authentication, response control, and how to process the content
 * (RFC 9110 §6.5.1): whoever looks at them after the body has already decided. */
static const struct slice barred[] = {
    SLICE("content-length"),
    SLICE("transfer-encoding"),
    SLICE("trailer"),
    SLICE("connection"),
    SLICE("keep-alive"),
    SLICE("proxy-connection"),
    SLICE("upgrade"),
    SLICE("host"),
    SLICE("expect"),
    SLICE("te"),
    SLICE("max-forwards"),
    SLICE("cache-control"),
    SLICE("pragma"),
    SLICE("range"),
    SLICE("if-match"),
    SLICE("if-none-match"),
    SLICE("if-modified-since"),
    SLICE("if-unmodified-since"),
    SLICE("if-range"),
    SLICE("authorization"),
    SLICE("proxy-authorization"),
    SLICE("www-authenticate"),
    SLICE("proxy-authenticate"),
    SLICE("cookie"),
    SLICE("set-cookie"),
    SLICE("age"),
    SLICE("date"),
    SLICE("expires"),
    SLICE("location"),
    SLICE("retry-after"),
    SLICE("vary"),
    SLICE("warning"),
    SLICE("content-encoding"),
    SLICE("content-type"),
    SLICE("content-range"),
};

bool net_field_barred(struct slice name)
{
    for (size_t i = 0; i < sizeof barred / sizeof barred[0]; i++)
        if (slice_eq_ci(name, barred[i]))
            return true;
    return slice_starts_ci(name, SLICE("x-wap-")); /* push headers decide about trust */
}

/* Content-Length = 1*DIGIT (RFC 9110 §8.6); also a list of equal numbers is refused. */
static enum net_rule note_length(struct net_framing_head *h, struct slice v)
{
    if (h->has_length)
        return RULE_LENGTH_TWICE;
    h->has_length = true;
    if (v.n == 0)
        return RULE_LENGTH;
    for (size_t i = 0; i < v.n; i++) {
        if (!is_digit(v.p[i]))
            return RULE_LENGTH;
        if (__builtin_mul_overflow(h->length, 10u, &h->length) ||
            __builtin_add_overflow(h->length, (uint64_t)(v.p[i] - '0'), &h->length))
            h->length = UINT64_MAX;
    }
    return RULE_NONE;
}

/* Only "chunked" is known.  A list that has it anywhere but last is framed by nobody's rules (RFC 9112 §6.3). */
static enum net_rule note_coding(struct net_framing_head *h, struct slice v)
{
    struct slice item;
    bool chunked = false;

    if (h->has_coding)
        return RULE_CODING_TWICE;
    h->has_coding = true;
    if (v.n == 0)
        return RULE_CODING_ORDER;
    if (slice_eq_ci(v, SLICE("chunked")))
        return RULE_NONE;
    while (slice_item(&v, &item)) {
        if (chunked)
            return RULE_CODING_ORDER;
        chunked = slice_eq_ci(item, SLICE("chunked"));
    }
    return RULE_CODING;
}

/* Octets of uri-host [ ":" port ] (RFC 3986 §3.2.2, §3.2.3), less the comma by which two Hosts are joined to one. */
static bool is_host_ch(char ch)
{
    return is_digit(ch) || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
           slice_find(SLICE("-._~%!$&'()*+;=:[]"), ch) != SIZE_MAX;
}

static enum net_rule note_host(struct net_framing_head *h, struct slice v)
{
    if (h->has_host)
        return RULE_HOST_TWICE;
    h->has_host = true;
    for (size_t i = 0; i < v.n; i++)
        if (!is_host_ch(v.p[i]))
            return RULE_HOST;
    return RULE_NONE;
}

enum net_rule net_head_field(struct net_framing_head *h, enum net_field field, struct slice value)
{
    switch (field) {
    case FIELD_HOST:
        return h->role == NET_HTTP_SERVER ? note_host(h, value) : RULE_NONE;
    case FIELD_LENGTH:
        return note_length(h, value);
    case FIELD_CODING:
        return note_coding(h, value);
    default:
        return RULE_NONE;
    }
}

/* RFC 9112 §6.3, rule 1 */
static bool cannot_have_body(const struct net_framing_head *h)
{
    return h->role == NET_HTTP_CLIENT && (h->code < 200 || h->code == 204);
}

/* What no single field breaks, but the head as a whole. */
enum net_rule net_head_check(const struct net_framing_head *h)
{
    if (h->role == NET_HTTP_SERVER && h->minor > 0 && !h->has_host)
        return RULE_HOST_MISSING;
    if (h->has_coding && h->has_length)
        return RULE_BOTH;
    if (h->has_coding && h->minor == 0)
        return RULE_CODING_1_0;
    if (cannot_have_body(h) && (h->has_coding || h->length > 0))
        return RULE_BODYLESS;
    return RULE_NONE;
}

/* Message body length, RFC 9112 §6.3. */
enum net_framing_body net_head_body(const struct net_framing_head *h, bool answers_head)
{
    bool client = h->role == NET_HTTP_CLIENT;

    if (cannot_have_body(h) || (client && (h->code == 304 || answers_head)))
        return NET_BODY_NONE;
    if (h->has_coding)
        return NET_BODY_CHUNKED;
    if (h->has_length)
        return h->length ? NET_BODY_LENGTH : NET_BODY_NONE;
    return client ? NET_BODY_UNTIL_CLOSE : NET_BODY_NONE;
}
