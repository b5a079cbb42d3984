/* A SIP request that we serve, and its response; see request.h. */
#include "ota/sip/request.h"

#include <osipparser2/osip_parser.h>
#include <stdlib.h>
#include <uv.h>

#include "base/mem.h"
#include "base/net/stream.h"
#include "base/scan.h"
#include "ota/sip/reply.h"

#define NO_BODY "Content-Length: 0\r\n\r\n"

#define COOKIE  "z9hG4bK" /* §8.1.1.7 */

/* Names the headers without which a request cannot be answered (§8.1.1). */
static bool whole(const osip_message_t *m)
{
    return m->sip_method && m->req_uri && m->from && m->to && m->call_id && m->call_id->number && m->cseq &&
           m->cseq->method && m->cseq->number && osip_list_size(&m->vias) > 0;
}

/* Where an answer goes: the port with rport, the address where it is not what Via says. */
static void note_source(osip_message_t *m, const struct sockaddr *from)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
    char text[NET_ADDR_TEXT_N];

    if (uv_ip_name(from, text, sizeof text) == 0)
        (void)osip_message_fix_last_via_header(
            m, text, ntohs(from->sa_family == AF_INET6 ? v6->sin6_port : v4->sin_port));
}

/* What tells this request from the others of its sender. */
static struct slice branch_of(const osip_message_t *m)
{
    struct slice text = ota_sip_branch(m);

    return slice_starts(text, SLICE(COOKIE)) && text.n > sizeof COOKIE - 1 ? text
                                                                           : slice_str(m->call_id->number);
}

static enum err read_parts(struct ota_sip_request *r)
{
    osip_via_t *via = whole(r->osip) ? osip_list_get(&r->osip->vias, 0) : NULL;
    osip_generic_param_t *tag = NULL;
    struct scan s;

    if (!via || !via->host)
        return ERR_MALFORMED;
    r->method = slice_str(r->osip->sip_method);
    r->branch = branch_of(r->osip);
    r->sent_by = slice_str(via->host);
    r->to_tag = osip_to_get_tag(r->osip->to, &tag) == 0 && tag;
    if (r->to_tag)
        r->tag = slice_str(tag->gvalue);
    s = scan_of(slice_str(r->osip->cseq->number));
    r->cseq = scan_u32(&s, 0, INT32_MAX); /* §8.1.1.5 */
    scan_end(&s);
    return s.err || !slice_eq(slice_str(r->osip->cseq->method), r->method) ? ERR_MALFORMED : ERR_OK;
}

/* A login is about octets: what is signed, and each parameter as it was sent. */
static enum err keep(struct slice head, struct ota_sip_request *r)
{
    static const struct slice name = {"Authorization: ", 15};
    struct slice rest = head, line, method;
    struct buf text;
    size_t uri_n;
    enum err e;

    buf_init(&text, OTA_SIP_HEAD_MAX_N);
    if (slice_cut(rest, ' ', &method, &rest) && slice_cut(rest, ' ', &line, &rest))
        buf_add(&text, line);
    uri_n = text.n;
    while (slice_cut(rest, '\n', &line, &rest))
        if (slice_starts_ci(line, name)) {
            struct slice value = slice_sub(line, name.n, SIZE_MAX);

            buf_add(&text, slice_ends(value, SLICE("\r")) ? slice_sub(value, 0, value.n - 1) : value);
            buf_add_ch(&text, '\n');
        }
    e = buf_err(&text);
    r->kept = e ? NULL : mem_dup(buf_slice(&text));
    if (r->kept) {
        r->uri = slice_of(r->kept, uri_n);
        r->logins = slice_of(r->kept + uri_n, text.n - uri_n);
    }
    buf_clear(&text);
    return r->kept ? ERR_OK : e ? e : ERR_NOMEM;
}

enum err ota_sip_request_read(const struct ota_sip_unit *unit, const struct sockaddr *from,
                              struct ota_sip_request *out)
{
    struct ota_sip_request r = {.osip = NULL};
    enum err e;
    int rc;

    if (slice_starts(unit->head, SLICE("SIP/")))
        return ERR_UNSUPPORTED;
    if (osip_message_init(&r.osip))
        return ERR_NOMEM;
    rc = osip_message_parse(r.osip, unit->head.p, unit->head.n);
    if (!rc && from)
        note_source(r.osip, from);
    e = rc == OSIP_NOMEM ? ERR_NOMEM : rc ? ERR_MALFORMED : read_parts(&r);
    r.escaped_nul = slice_find_slice(unit->head, SLICE("%00")) != SIZE_MAX;
    if (!e)
        e = keep(unit->head, &r);
    if (e)
        ota_sip_request_clear(&r);
    else
        *out = r;
    return e;
}

void ota_sip_request_clear(struct ota_sip_request *r)
{
    osip_message_free(r->osip);
    free(r->kept);
    *r = (struct ota_sip_request){.osip = NULL};
}

struct slice ota_sip_request_next(const struct ota_sip_request *r, const char *name, int *pos)
{
    osip_header_t *h = NULL;
    int at = osip_message_header_get_byname(r->osip, name, *pos, &h);

    if (at < 0 || !h)
        return SLICE_NONE;
    *pos = at + 1;
    return slice_str(h->hvalue);
}

struct slice ota_sip_request_header(const struct ota_sip_request *r, const char *name)
{
    int pos = 0;

    return ota_sip_request_next(r, name, &pos);
}

bool ota_sip_request_lists(const struct ota_sip_request *r, const char *name, struct slice item)
{
    struct slice value, one;
    int pos = 0;

    while ((value = ota_sip_request_next(r, name, &pos)).n)
        while (slice_item(&value, &one))
            if (slice_eq_ci(one, item))
                return true;
    return false;
}

/* What libosip2 printed into memory of its own. */
static enum err add_text(int rc, char **printed, struct buf *out)
{
    char *text = *printed;

    if (rc || !text)
        return rc == OSIP_NOMEM ? ERR_NOMEM : ERR_MALFORMED;
    buf_add_str(out, text);
    osip_free(text);
    return buf_err(out);
}

enum err ota_sip_request_type(const struct ota_sip_request *r, struct buf *out)
{
    char *text = NULL;

    if (!r->osip->content_type)
        return ERR_OK;
    return add_text(osip_content_type_to_str(r->osip->content_type, &text), &text, out);
}

static enum err add_vias(const osip_message_t *m, struct buf *out)
{
    enum err e = ERR_OK;

    for (int i = 0; i < osip_list_size(&m->vias) && !e; i++) {
        char *text = NULL;

        buf_add(out, SLICE("Via: "));
        e = add_text(osip_via_to_str(osip_list_get(&m->vias, i), &text), &text, out);
        buf_add(out, SLICE("\r\n"));
    }
    return e;
}

static enum err add_parties(const struct ota_sip_request *r, struct slice tag, struct buf *out)
{
    char *text = NULL;
    enum err e;

    buf_add(out, SLICE("From: "));
    e = add_text(osip_from_to_str(r->osip->from, &text), &text, out);
    buf_add(out, SLICE("\r\nTo: "));
    text = NULL;
    if (!e)
        e = add_text(osip_to_to_str(r->osip->to, &text), &text, out);
    if (!r->to_tag && tag.n) {
        buf_add(out, SLICE(";tag="));
        buf_add(out, tag);
    }
    buf_add(out, SLICE("\r\nCall-ID: "));
    text = NULL;
    if (!e)
        e = add_text(osip_call_id_to_str(r->osip->call_id, &text), &text, out);
    buf_add(out, SLICE("\r\n"));
    return e;
}

enum err ota_sip_response_print(const struct ota_sip_request *r, unsigned status, struct slice tag,
                                struct slice more, struct buf *out)
{
    const char *reason = osip_message_get_reason((int)status);
    enum err e;

    buf_addf(out, "SIP/2.0 %u %s\r\n", status, reason ? reason : "Other");
    e = add_vias(r->osip, out);
    if (!e)
        e = add_parties(r, tag, out);
    buf_addf(out, "CSeq: %u ", (unsigned)r->cseq);
    buf_add(out, r->method);
    buf_add(out, SLICE("\r\n"));
    buf_add(out, more);
    buf_add(out, SLICE(NO_BODY));
    return e ? e : buf_err(out);
}

enum err ota_sip_request_dialog(const struct ota_sip_request *r, struct slice tag, struct buf *out)
{
    const osip_call_id_t *id = r->osip->call_id;
    osip_generic_param_t *from = NULL;

    buf_add_str(out, id->number);
    buf_add_str(out, id->host ? "@" : "");
    buf_add_str(out, id->host ? id->host : "");
    buf_add_ch(out, '\n');
    if (osip_from_get_tag(r->osip->from, &from) == 0 && from)
        buf_add(out, slice_str(from->gvalue));
    buf_add_ch(out, '\n');
    buf_add(out, r->to_tag ? r->tag : tag);
    return buf_err(out);
}

struct slice ota_sip_request_call_id(const struct ota_sip_request *r)
{
    const osip_call_id_t *id = r->osip->call_id;

    return id && id->number && !id->host ? slice_str(id->number) : SLICE_NONE;
}

enum err ota_sip_response_body(struct buf *out, struct slice type, struct slice body)
{
    buf_cut(out, out->n - (sizeof NO_BODY - 1));
    buf_add(out, SLICE("Content-Type: "));
    buf_add(out, type);
    buf_addf(out, "\r\nContent-Length: %zu\r\n\r\n", body.n);
    buf_add(out, body);
    return buf_err(out);
}
