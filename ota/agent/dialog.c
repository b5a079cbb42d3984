/* A dialog as far as a session needs one; see dialog.h. */
#include "ota/agent/dialog.h"

#include <osipparser2/osip_parser.h>
#include <stdlib.h>

#include "base/mem.h"

/* What libosip2 printed into memory of its own, as a header line. */
static enum err line(struct buf *out, const char *name, int rc, char *text)
{
    if (rc || !text)
        return rc == OSIP_NOMEM ? ERR_NOMEM : ERR_MALFORMED;
    buf_add_str(out, name);
    buf_add(out, SLICE(": "));
    buf_add_str(out, text);
    buf_add(out, SLICE("\r\n"));
    osip_free(text);
    return buf_err(out);
}

/* The route set is Record-Route backwards (§12.1.2). */
static osip_record_route_t *route_at(const osip_message_t *m, int i)
{
    return osip_list_get(&m->record_routes, osip_list_size(&m->record_routes) - 1 - i);
}

static enum err add_route(const osip_record_route_t *route, struct ota_sip_dialog *d)
{
    char *text = NULL;
    int rc = osip_record_route_to_str(route, &text);

    return line(&d->lines, "Route", rc, text);
}

/* A first proxy that does not route loosely takes its own URI for the one that the request is for: the far end's is the last route then
 * (§12.2.1.1). */
static enum err add_routes(const osip_message_t *m, struct ota_sip_dialog *d)
{
    int n = osip_list_size(&m->record_routes);
    bool strict = false;
    struct ota_sip_uri uri;
    char *first = NULL;
    enum err e = n > OTA_SIP_ROUTES_MAX ? ERR_LIMIT : ERR_OK;

    if (!e && n) {
        e = osip_uri_to_str(route_at(m, 0)->url, &first) || !first
                ? ERR_MALFORMED
                : mem_cstr(d->next, sizeof d->next, slice_str(first));
        osip_free(first);
    }
    if (!e && n)
        strict = !ota_sip_uri_parse(slice_str(d->next), &uri) && !uri.loose;
    for (int i = strict; i < n && !e; i++)
        e = add_route(route_at(m, i), d);
    if (!e && strict) {
        buf_addf(&d->lines, "Route: <%s>\r\n", d->target);
        e = mem_cstr(d->target, sizeof d->target, slice_str(d->next));
    }
    return e ? e : buf_err(&d->lines);
}

static enum err add_parties(const osip_message_t *m, struct ota_sip_dialog *d)
{
    char *text = NULL;
    int rc = osip_from_to_str(m->from, &text);
    enum err e = line(&d->lines, "From", rc, text);

    text = NULL;
    if (!e) {
        rc = osip_to_to_str(m->to, &text);
        e = line(&d->lines, "To", rc, text);
    }
    text = NULL;
    if (!e) {
        rc = osip_call_id_to_str(m->call_id, &text);
        e = line(&d->lines, "Call-ID", rc, text);
    }
    return e;
}

static enum err copy_tag(int rc, const osip_generic_param_t *tag, char out[OTA_SIP_DIALOG_TAG + 1])
{
    if (rc || !tag || !tag->gvalue)
        return ERR_MALFORMED;
    return mem_cstr(out, OTA_SIP_DIALOG_TAG + 1, slice_str(tag->gvalue));
}

static enum err add_tags(const osip_message_t *m, struct ota_sip_dialog *d)
{
    osip_generic_param_t *tag = NULL;
    int rc = osip_from_get_tag(m->from, &tag);
    enum err e = copy_tag(rc, tag, d->own_tag);

    tag = NULL;
    rc = osip_to_get_tag(m->to, &tag);
    return e ? e : copy_tag(rc, tag, d->peer_tag);
}

static enum err add_target(const struct ota_sip_reply *r, struct ota_sip_dialog *d)
{
    struct ota_sip_uri uri;
    struct buf text;
    enum err e;

    buf_init(&text, OTA_SIP_URI_MAX_N);
    e = ota_sip_reply_contact(r, &text);
    if (!e)
        e = ota_sip_uri_parse(buf_slice(&text), &uri);
    if (!e)
        e = mem_cstr(d->target, sizeof d->target, buf_slice(&text));
    if (!e)
        e = mem_cstr(d->next, sizeof d->next, buf_slice(&text));
    buf_clear(&text);
    return e == ERR_ABSENT || e == ERR_UNSUPPORTED ? ERR_MALFORMED : e;
}

enum err ota_sip_dialog_read(const struct ota_sip_reply *r, struct ota_sip_dialog *out)
{
    struct ota_sip_dialog d = {.cseq = 0};
    enum err e;

    buf_init(&d.lines, OTA_SIP_HEAD_MAX_N);
    e = add_target(r, &d);
    if (!e)
        e = add_routes(r->osip, &d);
    if (!e)
        e = add_parties(r->osip, &d);
    if (!e)
        e = add_tags(r->osip, &d);
    if (!e)
        e = mem_cstr(d.call_id, sizeof d.call_id, ota_sip_reply_call_id(r));
    d.cseq = (uint32_t)osip_atoi(r->osip->cseq->number);
    if (e)
        buf_clear(&d.lines);
    else
        *out = d;
    return e;
}

void ota_sip_dialog_clear(struct ota_sip_dialog *d)
{
    buf_clear(&d->lines);
}

enum err ota_sip_dialog_print(const struct ota_sip_dialog *d, const char *method, enum ota_sip_via via,
                              struct slice sent_by, struct slice branch, struct slice more, struct buf *out)
{
    bool ack = slice_eq(slice_str(method), SLICE("ACK"));

    buf_addf(out, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s ", method, d->target, ota_sip_via_name(via));
    buf_add(out, sent_by);
    buf_add(out, SLICE(";branch="));
    buf_add(out, branch);
    buf_add(out, SLICE(";rport\r\nMax-Forwards: 70\r\n"));
    buf_add(out, buf_slice(&d->lines));
    buf_addf(out, "CSeq: %u %s\r\n", (unsigned)d->cseq + !ack, method);
    buf_add(out, more);
    buf_add(out, SLICE("Content-Length: 0\r\n\r\n"));
    return buf_err(out);
}

bool ota_sip_dialog_owns(const struct ota_sip_dialog *d, const struct ota_sip_request *r)
{
    osip_generic_param_t *from = NULL, *to = NULL;

    if (osip_from_get_tag(r->osip->from, &from) || osip_to_get_tag(r->osip->to, &to) || !from || !to)
        return false;
    return slice_eq(slice_str(from->gvalue), slice_str(d->peer_tag)) &&
           slice_eq(slice_str(to->gvalue), slice_str(d->own_tag)) &&
           slice_eq(ota_sip_request_call_id(r), slice_str(d->call_id));
}

static bool copied(struct slice text)
{
    const struct slice names[] = {SLICE("Via: "),  SLICE("Max-Forwards: "), SLICE("Route: "),
                                  SLICE("From: "), SLICE("To: "),           SLICE("Call-ID: ")};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_starts(text, names[i]))
            return true;
    return false;
}

/* The lines are our own, so each name has one form. */
enum err ota_sip_cancel_print(struct slice invite, struct buf *out)
{
    size_t end;

    if (!slice_starts(invite, SLICE("INVITE ")))
        return ERR_MALFORMED;
    buf_add(out, SLICE("CANCEL "));
    invite = slice_sub(invite, 7, SIZE_MAX);
    for (bool start = true; (end = slice_find_slice(invite, SLICE("\r\n"))) != SIZE_MAX && end;
         start = false) {
        struct slice text = slice_sub(invite, 0, end + 2), number;

        invite = slice_sub(invite, end + 2, SIZE_MAX);
        if (start || copied(text))
            buf_add(out, text);
        if (slice_starts(text, SLICE("CSeq: ")) &&
            slice_cut(slice_sub(text, 6, SIZE_MAX), ' ', &number, &text)) {
            buf_add(out, SLICE("CSeq: "));
            buf_add(out, number);
            buf_add(out, SLICE(" CANCEL\r\n"));
        }
    }
    buf_add(out, SLICE("Content-Length: 0\r\n\r\n"));
    return buf_err(out);
}
