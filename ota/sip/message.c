/* A push as a SIP MESSAGE request; see message.h.  RFC 3261 §8.1.1, §20; RFC 3428 §4; RFC 3840 §9; RFC 3841 §10. */
#include "ota/sip/message.h"

#include "base/net/http1.h"
#include "base/scan.h"

#define WAP_PREFIX "x-wap-application:"

const char *ota_sip_via_name(enum ota_sip_via via)
{
    static const char *const names[] = {[OTA_SIP_UDP] = "UDP", [OTA_SIP_TCP] = "TCP", [OTA_SIP_TLS] = "TLS"};

    return names[via];
}

static bool clean(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7F)
            return false;
    return true;
}

/* A URI between angle brackets must not end them. */
static bool uri_clean(struct slice uri)
{
    return uri.n && slice_printable_n(uri) == uri.n && slice_find(uri, '>') == SIZE_MAX &&
           slice_find(uri, ' ') == SIZE_MAX;
}

static enum err check(const struct ota_sip_message *m)
{
    const struct slice texts[] = {m->sent_by, m->branch,   m->from_tag,   m->call_id,      m->service,
                                  m->app_tag, m->priority, m->user_agent, m->content_type, m->path};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!clean(texts[i]))
            return ERR_MALFORMED;
    if (!uri_clean(m->uri) || !uri_clean(m->from) || !uri_clean(m->to) ||
        (m->route.n && !uri_clean(m->route)) || (m->contact.n && !uri_clean(m->contact)))
        return ERR_MALFORMED;
    return m->content_type.n || m->options ? ERR_OK : ERR_MALFORMED;
}

static void line(struct buf *out, const char *name, struct slice value)
{
    if (value.n == 0)
        return;
    buf_add_str(out, name);
    buf_add(out, SLICE(": "));
    buf_add(out, value);
    buf_add(out, SLICE("\r\n"));
}

static void number(struct buf *out, const char *name, uint64_t value, const char *rest)
{
    buf_add_str(out, name);
    buf_add(out, SLICE(": "));
    buf_add_u64(out, value);
    buf_add_str(out, rest);
    buf_add(out, SLICE("\r\n"));
}

static void address(struct buf *out, const char *name, struct slice uri, struct slice tag)
{
    buf_add_str(out, name);
    buf_add(out, SLICE(": <"));
    buf_add(out, uri);
    buf_add_ch(out, '>');
    if (tag.n)
        buf_add(out, SLICE(";tag="));
    buf_add(out, tag);
    buf_add(out, SLICE("\r\n"));
}

static const char *method_of(const struct ota_sip_message *m)
{
    return m->options ? "OPTIONS" : m->contact.n ? "INVITE" : "MESSAGE";
}

static void start(const struct ota_sip_message *m, struct buf *out)
{
    buf_add_str(out, method_of(m));
    buf_add_ch(out, ' ');
    buf_add(out, m->uri);
    buf_add(out, SLICE(" SIP/2.0\r\nVia: SIP/2.0/"));
    buf_add_str(out, ota_sip_via_name(m->via));
    buf_add_ch(out, ' ');
    buf_add(out, m->sent_by);
    buf_add(out, SLICE(";branch="));
    buf_add(out, m->branch);
    buf_add(out, SLICE(";rport\r\nMax-Forwards: 70\r\n")); /* RFC 3581 §3 */
}

/* Who it is from and to.  No Contact: a MESSAGE founds nothing (RFC 3428 §4). */
static void parties(const struct ota_sip_message *m, struct buf *out)
{
    if (m->route.n)
        address(out, "Route", m->route, SLICE_NONE);
    line(out, "Route", m->path);
    address(out, "From", m->from, m->from_tag);
    address(out, "To", m->to, SLICE_NONE);
    line(out, "Call-ID", m->call_id);
    buf_addf(out, "CSeq: %u %s\r\n", (unsigned)m->cseq, method_of(m));
    if (m->contact.n) {
        address(out, "Contact", m->contact, SLICE_NONE);
        line(out, "Allow", SLICE("INVITE, ACK, CANCEL, BYE, OPTIONS"));
    }
    if (m->trusted)
        address(out, "P-Asserted-Identity", m->from, SLICE_NONE);
    line(out, m->trusted ? "P-Asserted-Service" : "P-Preferred-Service", m->service);
    buf_add(out, m->login);
}

static bool is_tag_octet(unsigned char ch) /* token-nobang, RFC 3840 §9 */
{
    return ch != '!' && scan_is_token_ch(ch) && ch != '#' && ch != '$' && ch != '&' && ch != '^' && ch != '|';
}

enum err ota_sip_app_value(struct slice app_id, struct buf *out)
{
    struct slice id = app_id.n ? app_id : SLICE(OTA_APP_DEFAULT), rest = SLICE_NONE;
    bool token;

    if (slice_starts_ci(id, SLICE(WAP_PREFIX)))
        rest = slice_sub(id, sizeof WAP_PREFIX - 1, SIZE_MAX);
    token = rest.n != 0;
    for (size_t i = 0; i < rest.n; i++)
        token = token && is_tag_octet((unsigned char)rest.p[i]);
    if (token) {
        buf_add(out, rest);
        return buf_err(out);
    }
    if (slice_printable_n(id) != id.n || slice_find(id, '"') != SIZE_MAX ||
        slice_find(id, '\\') != SIZE_MAX || slice_find(id, '<') != SIZE_MAX ||
        slice_find(id, '>') != SIZE_MAX)
        return ERR_MALFORMED;
    buf_add_ch(out, '<');
    buf_add(out, id);
    buf_add_ch(out, '>');
    return buf_err(out);
}

/* What stands in quotes behind +TAG=; n 0: nothing. */
static struct slice tag_value(struct slice params, struct slice tag)
{
    for (size_t i = 0; i < params.n; i++) {
        struct slice rest = slice_sub(params, i, SIZE_MAX), value;

        if (params.p[i] != '+' || !slice_starts_ci(slice_sub(rest, 1, SIZE_MAX), tag))
            continue;
        rest = slice_sub(rest, 1 + tag.n, SIZE_MAX);
        if (slice_starts(rest, SLICE("=\"")) && slice_cut(slice_sub(rest, 2, SIZE_MAX), '"', &value, &rest))
            return value;
    }
    return SLICE_NONE;
}

enum err ota_sip_app_read(struct slice accept_contact, struct slice app_tag, struct buf *out)
{
    struct slice value = tag_value(accept_contact, app_tag);

    if (value.n == 0)
        return ERR_ABSENT;
    if (slice_starts(value, SLICE("<")) && slice_ends(value, SLICE(">"))) {
        buf_add(out, slice_sub(value, 1, value.n - 2));
    } else {
        buf_add(out, SLICE(WAP_PREFIX));
        buf_add(out, value);
    }
    return buf_err(out);
}

/* The device must have said that it has the application (RFC 3841 §7.2.4). */
static enum err application(const struct ota_sip_message *m, struct buf *out)
{
    enum err e;

    buf_add(out, SLICE("Accept-Contact: *;+"));
    buf_add(out, m->app_tag);
    buf_add(out, SLICE("=\""));
    e = ota_sip_app_value(m->app_id, out);
    buf_add(out, SLICE("\";require;explicit\r\n"));
    return e;
}

static void life(const struct ota_sip_message *m, struct buf *out)
{
    if (!m->fork)
        line(out, "Request-Disposition", SLICE("no-fork"));
    line(out, "Priority", m->priority);
    if (m->expires_s > 0) {
        net_http_print_date(out, m->now_s);
        number(out, "Expires", (uint64_t)m->expires_s, "");
    }
    line(out, "User-Agent", m->user_agent);
}

enum err ota_sip_message_print(const struct ota_sip_message *m, struct buf *out)
{
    enum err e = check(m);

    if (e)
        return e;
    start(m, out);
    parties(m, out);
    e = application(m, out);
    life(m, out);
    line(out, m->options ? "Accept" : "Content-Type",
         m->options ? SLICE("application/sdp") : m->content_type);
    number(out, "Content-Length", m->body_head.n + m->body.n, "\r\n");
    buf_add(out, m->body_head);
    return e ? e : buf_err(out);
}

enum err ota_sip_envelope_print(struct slice message_head, const struct ota_push_info *info, struct buf *out)
{
    struct slice type = ota_header_find(message_head, SLICE("Content-Type"));
    struct slice block = message_head, name, value;
    unsigned flags = (info->authenticated ? 1u : 0) | (info->trusted ? 2u : 0) | (info->last ? 4u : 0);
    bool bad = false;

    if (type.n == 0)
        return ERR_MALFORMED;
    line(out, "Content-Type", type);
    while (ota_header_next(&block, &name, &value, &bad)) {
        if (slice_eq_ci(name, SLICE("Content-Type")) || slice_eq_ci(name, SLICE("Content-Length")))
            continue;
        buf_add(out, name);
        buf_add(out, SLICE(": "));
        buf_add(out, value);
        buf_add(out, SLICE("\r\n"));
    }
    number(out, "Push-Flag", flags, "\r\n");
    return bad ? ERR_MALFORMED : buf_err(out);
}
