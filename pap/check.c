/* Rules of a push-message, see pap/check.h: one row a rule, in the order they are reported.  Any thread. */
#include "pap/check.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct facts {
    const struct pap_push *push;
    const struct pap_check_limits *limits;
    int64_t now_s;
};

static bool id_given(const struct facts *f)
{
    return f->push->push_id.n > 0;
}

static bool id_fits(const struct facts *f)
{
    return f->push->push_id.n <= f->limits->push_id_max_n;
}

static bool replace_id_fits(const struct facts *f)
{
    const struct slice *id = &f->push->replace_push_id;

    return !id->p || (id->n > 0 && id->n <= f->limits->push_id_max_n);
}

static bool replace_other(const struct facts *f)
{
    return !f->push->replace_push_id.p || !slice_eq(f->push->replace_push_id, f->push->push_id);
}

static bool notify_fits(const struct facts *f)
{
    return f->push->notify_to.n <= f->limits->url_max_n;
}

static bool notify_url(const struct facts *f)
{
    return !f->push->notify_to.p || pap_check_url(f->push->notify_to);
}

static bool some_address(const struct facts *f)
{
    return f->push->addrs.n > 0;
}

static bool addresses_fit(const struct facts *f)
{
    return f->push->addrs.n <= f->limits->addresses_max;
}

static bool names_fit(const struct facts *f)
{
    return f->push->qos.network.n <= f->limits->name_max_n && f->push->qos.bearer.n <= f->limits->name_max_n;
}

static bool network_named(const struct facts *f)
{
    return !f->push->qos.network_required || f->push->qos.network.n > 0;
}

static bool bearer_named(const struct facts *f)
{
    return !f->push->qos.bearer_required || f->push->qos.bearer.n > 0;
}

static bool method_possible(const struct facts *f)
{
    return f->limits->confirmed || f->push->qos.delivery != PAP_DELIVERY_CONFIRMED;
}

static bool replace_possible(const struct facts *f)
{
    return f->limits->replace || !f->push->replace_push_id.p;
}

/* No attempt begins at the deadline: a push that may not go before it never goes. */
static bool times_in_order(const struct facts *f)
{
    return !f->push->deliver_after.given || !f->push->deliver_before.given ||
           f->push->deliver_after.utc_s < f->push->deliver_before.utc_s;
}

static bool deadline_ahead(const struct facts *f)
{
    return !f->push->deliver_before.given || f->push->deliver_before.utc_s > f->now_s;
}

static const struct {
    bool (*holds)(const struct facts *f);
    enum pap_code code;
    const char *why;
} rules[] = {
    {id_given, PAP_CODE_BAD_REQUEST, "push-id is empty"},
    {id_fits, PAP_CODE_BAD_REQUEST, "push-id is too long"},
    {replace_id_fits, PAP_CODE_BAD_REQUEST, "replace-push-id is empty or too long"},
    {replace_other, PAP_CODE_BAD_REQUEST, "replace-push-id is the push-id itself"},
    {notify_fits, PAP_CODE_BAD_REQUEST, "ppg-notify-requested-to is too long"},
    {notify_url, PAP_CODE_BAD_REQUEST, "ppg-notify-requested-to is no http or https URL"},
    {some_address, PAP_CODE_BAD_REQUEST, "no address"},
    {addresses_fit, PAP_CODE_MULTIPLE_ADDRESSES, "too many addresses"},
    {names_fit, PAP_CODE_BAD_REQUEST, "network or bearer is too long"},
    {network_named, PAP_CODE_BAD_REQUEST, "network-required without network"},
    {bearer_named, PAP_CODE_BAD_REQUEST, "bearer-required without bearer"},
    {method_possible, PAP_CODE_METHOD_NOT_POSSIBLE, "confirmed delivery is not possible"},
    {replace_possible, PAP_CODE_REPLACEMENT_NOT_SUPPORTED, "replacing is not supported"},
    {times_in_order, PAP_CODE_BAD_REQUEST, "deliver-after-timestamp is not before deliver-before-timestamp"},
    {deadline_ahead, PAP_CODE_FORBIDDEN, "deliver-before-timestamp is past"},
};

struct pap_verdict pap_check_push(const struct pap_push *push, const struct pap_check_limits *limits,
                                  int64_t now_s)
{
    struct facts f = {push, limits, now_s};

    for (size_t i = 0; i < COUNT(rules); i++)
        if (!rules[i].holds(&f))
            return (struct pap_verdict){rules[i].code, rules[i].why};
    return (struct pap_verdict){PAP_CODE_OK, ""};
}

/* [":" 1*5DIGIT] behind the host. */
static bool is_port(struct slice s)
{
    if (s.n == 0)
        return true;
    if (s.p[0] != ':' || s.n < 2 || s.n > 6)
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static bool is_host_ch(char ch, bool literal)
{
    bool hex = (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f') || (ch >= 'A' && ch <= 'F');

    if (literal)
        return hex || ch == ':' || ch == '.';
    return hex || (ch >= 'g' && ch <= 'z') || (ch >= 'G' && ch <= 'Z') || ch == '-' || ch == '.' || ch == '_';
}

/* host [":" port]; host is a name, an IPv4 address or "[" IPv6 "]" (RFC 3986 §3.2.2).  No userinfo: what stands
 * before "@" is what a person reads and not where the request goes. */
static bool is_authority(struct slice a)
{
    bool literal = slice_starts(a, SLICE("["));
    size_t from = literal ? 1 : 0, n = from;

    while (n < a.n && is_host_ch(a.p[n], literal))
        n++;
    if (n == from || (literal && (n == a.n || a.p[n] != ']')))
        return false;
    return is_port(slice_sub(a, literal ? n + 1 : n, a.n));
}

bool pap_check_url(struct slice url)
{
    struct slice scheme, rest;
    size_t n = 0;

    if (!slice_cut(url, ':', &scheme, &rest) || !slice_starts(rest, SLICE("//")) ||
        (!slice_eq_ci(scheme, SLICE("http")) && !slice_eq_ci(scheme, SLICE("https"))))
        return false;
    rest = slice_sub(rest, 2, rest.n);
    for (size_t i = 0; i < rest.n; i++)
        if (rest.p[i] <= ' ' || rest.p[i] > '~' || strchr("#\"<>\\^`{|}", rest.p[i]))
            return false;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
        n++;
    return is_authority(slice_sub(rest, 0, n));
}
