/* Questions out, answers in; see query.h. */
#include "ppg/tool/query.h"

#include "pap/mime.h"
#include "pap/parse.h"
#include "pap/print.h"
#include "ppg/tool/submit.h"

#define CONTROL_MAX_N (64u << 20)
#define ADDRESSES_MAX 1000000 /* of one answer: a gateway tells of each recipient */

enum err tool_query_print(const struct tool_query *in, struct buf *body, char why[TOOL_WHY_N])
{
    struct pap_message m = {.kind = in->kind, .product_name = SLICE("pap-push/" PPG_VERSION)};
    struct slice id = slice_str(in->id);
    enum err e = tool_pap_version(in->version, &m.version, why);

    if (e)
        return e;
    if (in->kind == PAP_KIND_CCQ_MESSAGE)
        m.ccq = (struct pap_ccq){.query_id = id, .app_id = slice_str(in->app_id), .addrs = in->to};
    else if (in->kind == PAP_KIND_CANCEL_MESSAGE)
        m.cancel = (struct pap_query){.push_id = id, .addrs = in->to};
    else
        m.status = (struct pap_query){.push_id = id, .addrs = in->to};
    e = pap_print(&m, body);
    if (e)
        (void)snprintf(why, TOOL_WHY_N, "the question: %s", err_text(e));
    return e;
}

static enum err fault(enum err e, const char *what, char why[TOOL_WHY_N])
{
    (void)snprintf(why, TOOL_WHY_N, "the gateway's answer is no PAP: %s", what);
    return e;
}

/* The octets of a part. */
static enum err part_take(const struct pap_part *part, struct arena *mem, struct buf *work, struct slice *out)
{
    struct slice encoding = SLICE_NONE;
    enum err e = pap_mime_header_find(part->headers, SLICE("Content-Transfer-Encoding"), mem, &encoding);

    return e && e != ERR_ABSENT ? e : pap_mime_decode(encoding, part->body, work, out);
}

/* *control is all there is, unless the answer has parts; *type is its own. */
static enum err split(struct slice content_type, struct slice body, struct arena *mem, struct buf *work,
                      struct slice *type, struct slice *control, struct slice *capabilities,
                      char why[TOOL_WHY_N])
{
    struct pap_parts parts;
    struct pap_media media;
    const char *what = "";
    enum err e;

    *type = content_type;
    *control = body;
    *capabilities = SLICE_NONE;
    if (pap_media_parse(content_type, false, &media) || !pap_media_is(&media, SLICE("multipart/related")))
        return ERR_OK;
    e = pap_mime_split(content_type, body, false, &parts, &what);
    if (e)
        return fault(e, what, why);
    *type = parts.part[0].type;
    *control = parts.part[0].body;
    e = part_take(&parts.part[1], mem, work, capabilities);
    if (!e && !capabilities->p)
        *capabilities = SLICE("");
    return e ? fault(e, "its second part cannot be decoded", why) : ERR_OK;
}

enum err tool_answer_read(struct slice content_type, struct slice body, struct arena *mem, struct buf *work,
                          struct tool_answer *out, char why[TOOL_WHY_N])
{
    struct pap_limits limits = PAP_LIMITS_DEFAULT;
    struct pap_parser *parser;
    struct pap_message message;
    struct pap_fault f = {.code = PAP_CODE_NONE};
    struct slice type, control, capabilities;
    enum err e = split(content_type, body, mem, work, &type, &control, &capabilities, why);

    if (e)
        return e;
    limits.control_max_n = CONTROL_MAX_N;
    limits.addresses_max = ADDRESSES_MAX;
    e = pap_parser_create(&parser);
    if (e)
        return fault(e, err_text(e), why);
    e = pap_parse_as(parser, control, pap_mime_charset(type), &limits, mem, &message, &f);
    pap_parser_free(&parser);
    if (e)
        return fault(e, f.desc, why);
    *out = (struct tool_answer){message, capabilities};
    return ERR_OK;
}
