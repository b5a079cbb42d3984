/* Requests refused at first sight; see refusal.h.  RFC 3261 §8.2.1, §8.2.2, §8.2.6, §9.2; RFC 4475. */
#include "ota/sip/refusal.h"

#include <osipparser2/osip_parser.h>
#include <uv.h>

#include "base/net/stream.h"
#include "base/scan.h"

/* Methods that SIP has: one of them that we do not take is answered 405, a word that is none of them 501 (§21.4.6, §21.5.2). */
static bool method_known(struct slice method)
{
    static const char *const names[] = {"INVITE",  "ACK",     "BYE",   "CANCEL",    "REGISTER",
                                        "OPTIONS", "MESSAGE", "PRACK", "SUBSCRIBE", "NOTIFY",
                                        "PUBLISH", "INFO",    "REFER", "UPDATE"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_eq(method, slice_str(names[i])))
            return true;
    return false;
}

static bool listed(struct slice list, struct slice name)
{
    struct slice item;

    while (slice_item(&list, &item))
        if (slice_eq(item, name))
            return true;
    return false;
}

static void line(struct buf *out, const char *name, struct slice value)
{
    buf_add_str(out, name);
    buf_add(out, SLICE(": "));
    buf_add(out, value);
    buf_add(out, SLICE("\r\n"));
}

static bool scheme_ours(struct slice scheme)
{
    return slice_eq_ci(scheme, SLICE("sip")) || slice_eq_ci(scheme, SLICE("sips"));
}

bool ota_sip_request_requires(const struct ota_sip_request *r, struct buf *more)
{
    osip_header_t *h = NULL;
    bool any = false;

    for (int at = 0; (at = osip_message_header_get_byname(r->osip, "require", at, &h)) >= 0 && h; at++) {
        if (slice_str(h->hvalue).n)
            line(more, "Unsupported", slice_str(h->hvalue));
        any = any || slice_str(h->hvalue).n;
    }
    return any;
}

unsigned ota_sip_request_refused(const struct ota_sip_request *r, struct slice allow, struct buf *more)
{
    if (!listed(allow, r->method)) {
        if (slice_eq(r->method, SLICE("CANCEL")))
            return 481;
        line(more, "Allow", allow);
        return method_known(r->method) ? 405 : 501;
    }
    if (!scheme_ours(slice_str(r->osip->req_uri->scheme)))
        return 416;
    if (ota_sip_request_requires(r, more))
        return 420;
    return r->escaped_nul ? 400 : 0;
}

/* --- what no parser takes --- */

/* What is copied of it. */
enum part { PART_VIA, PART_FROM, PART_TO, PART_CALL_ID, PART_CSEQ, PARTS };
static const struct {
    const char *name, *brief;
} parts[PARTS] = {{"Via", "v"}, {"From", "f"}, {"To", "t"}, {"Call-ID", "i"}, {"CSeq", "CSeq"}};

static enum part part_of(struct slice name)
{
    size_t i = 0;

    while (i < PARTS && !slice_eq_ci(name, slice_str(parts[i].name)) &&
           !slice_eq_ci(name, slice_str(parts[i].brief)))
        i++;
    return (enum part)i;
}

/* The next header with all its lines, without the last line end; false: the head is over, or goes on as no head does. */
static bool next_header(struct slice *rest, struct slice *header)
{
    size_t end = 0;

    do {
        size_t more = slice_find_slice(slice_sub(*rest, end, SIZE_MAX), SLICE("\r\n"));

        if (more == SIZE_MAX)
            return false;
        end += more + 2;
    } while (end > 2 && end < rest->n && (rest->p[end] == ' ' || rest->p[end] == '\t'));
    *header = slice_sub(*rest, 0, end - 2);
    *rest = slice_sub(*rest, end, SIZE_MAX);
    return header->n != 0;
}

/* In one line; a line end that is none is left out. */
static void add_folded(struct buf *out, struct slice value)
{
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] != '\r' && value.p[i] != '\n')
            buf_add_ch(out, value.p[i]);
}

/* Says where the request came from, as far as the first value can be read (§18.2.1). */
static void add_source(struct buf *out, struct slice value, const struct sockaddr *from)
{
    char text[NET_ADDR_TEXT_N];
    size_t first_n = slice_find(value, ',');

    if (first_n == SIZE_MAX)
        first_n = value.n;
    add_folded(out, slice_trim(slice_sub(value, 0, first_n)));
    if (from && uv_ip_name(from, text, sizeof text) == 0)
        buf_addf(out, ";received=%s", text);
    add_folded(out, slice_sub(value, first_n, SIZE_MAX));
}

static void add_part(struct buf *out, enum part part, struct slice value, const struct sockaddr *from)
{
    buf_add_str(out, parts[part].name);
    buf_add(out, SLICE(": "));
    if (part == PART_VIA)
        add_source(out, value, from);
    else
        add_folded(out, value);
    if (part == PART_TO && slice_find_slice(value, SLICE("tag")) == SIZE_MAX)
        buf_add(out, SLICE(";tag=refused")); /* of no dialog: who reads it needs it to be there alone */
    buf_add(out, SLICE("\r\n"));
}

/* Every Via, of the others the first (§8.2.6.2).  ERR_ABSENT: no Via. */
static enum err add_parts(struct slice rest, const struct sockaddr *from, struct buf *out)
{
    unsigned seen = 0;
    struct slice header, name, value;

    for (size_t n = 0; n < OTA_SIP_HEADERS_MAX && next_header(&rest, &header); n++) {
        enum part part;

        if (!slice_cut(header, ':', &name, &value))
            continue;
        part = part_of(slice_trim(name));
        if (part == PARTS || value.n > OTA_SIP_LINE_MAX_N || (part != PART_VIA && (seen & 1u << part)))
            continue;
        add_part(out, part, slice_trim(value), seen & 1u << PART_VIA ? NULL : from);
        seen |= 1u << part;
    }
    return seen & 1u << PART_VIA ? ERR_OK : ERR_ABSENT;
}

/* 0: it is no request that a response is due to. */
static unsigned status_of(struct slice start)
{
    struct scan s = scan_of(start);
    struct slice method = scan_token(&s, OTA_SIP_METHOD_MAX_N), uri, scheme, none;
    size_t version;

    scan_lws(&s, 1);
    uri = slice_trim(scan_left(&s));
    version = slice_find_slice(uri, SLICE(" SIP/"));
    if (s.err || version == SIZE_MAX || slice_eq(method, SLICE("ACK")))
        return 0;
    if (!slice_starts(slice_sub(uri, version + 1, SIZE_MAX), SLICE("SIP/2.0")))
        return 505;
    if (!method_known(method))
        return 501;
    return slice_cut(uri, ':', &scheme, &none) && !scheme_ours(scheme) &&
                   scan_is_token_ch((unsigned char)uri.p[0])
               ? 416
               : 400;
}

enum err ota_sip_refusal_print(struct slice in, const struct sockaddr *from, struct slice allow,
                               struct buf *out)
{
    struct slice rest = slice_sub(in, 0, OTA_SIP_HEAD_MAX_N), start;
    unsigned status;
    enum err e;

    while (rest.n && (rest.p[0] == '\r' || rest.p[0] == '\n'))
        rest = slice_sub(rest, 1, SIZE_MAX);
    if (!next_header(&rest, &start))
        return ERR_ABSENT;
    status = status_of(start);
    if (status == 0)
        return ERR_ABSENT;
    buf_addf(out, "SIP/2.0 %u %s\r\n", status, osip_message_get_reason((int)status));
    e = add_parts(rest, from, out);
    if (status == 501)
        line(out, "Allow", allow);
    buf_add(out, SLICE("Content-Length: 0\r\n\r\n"));
    return e ? e : buf_err(out);
}
