/* Options to a submission; see submit.h. */
#include "ppg/tool/submit.h"

#include "base/net/http1.h"
#include "pap/print.h"
#include "pap/vocab.h"

#define HEADERS_MAX_N 65536u

static enum err say(char why[TOOL_WHY_N], const char *option, const char *what)
{
    (void)snprintf(why, TOOL_WHY_N, "--%s: %s", option, what);
    return ERR_MALFORMED;
}

static enum err time_set(const struct tool_submit *in, const char *option, const char *text,
                         struct pap_time *out, char why[TOOL_WHY_N])
{
    if (!text)
        return ERR_OK;
    if (tool_time(slice_str(text), in->now_s, &out->utc_s))
        return say(why, option, "neither YYYY-MM-DDThh:mm:ssZ nor +10m");
    out->given = true;
    return ERR_OK;
}

/* The number of a word in an enum whose words text() gives; absent is zero, the default. */
static enum err word_set(const char *option, const char *word, const char *const *words, unsigned *out,
                         char why[TOOL_WHY_N])
{
    for (unsigned i = 0; word && words[i]; i++)
        if (slice_eq(slice_str(word), slice_str(words[i]))) {
            *out = i;
            return ERR_OK;
        }
    return word ? say(why, option, "no such word") : ERR_OK;
}

static enum err qos_set(const struct tool_submit *in, struct pap_qos *out, char why[TOOL_WHY_N])
{
    const char *method_option = in->replace_id ? "delivery-method" : "method";
    unsigned priority = PAP_PRIORITY_MEDIUM, delivery = PAP_DELIVERY_NOTSPECIFIED;
    enum err e;

    if ((e = word_set("priority", in->priority, pap_attr_words(PAP_ATTR_PRIORITY), &priority, why)) ||
        (e = word_set(method_option, in->method, pap_attr_words(PAP_ATTR_DELIVERY), &delivery, why)))
        return e;
    if (in->network_required && !in->network)
        return say(why, "network-required", "needs --network");
    if (in->bearer_required && !in->bearer)
        return say(why, "bearer-required", "needs --bearer");
    out->given = in->priority || in->method || in->network || in->bearer;
    out->priority = (enum pap_priority)priority;
    out->delivery = (enum pap_delivery)delivery;
    out->network = slice_str(in->network);
    out->bearer = slice_str(in->bearer);
    out->network_required = in->network_required;
    out->bearer_required = in->bearer_required;
    return ERR_OK;
}

enum err tool_pap_version(const char *text, enum pap_version *out, char why[TOOL_WHY_N])
{
    for (enum pap_version v = PAP_VERSION_1_0; v <= PAP_VERSION_2_1; v++)
        if (slice_eq(slice_str(text), slice_str(pap_version_text(v)))) {
            *out = v;
            return ERR_OK;
        }
    return say(why, "pap-version", "1.0, 2.0 or 2.1");
}

static enum err replace_set(const struct tool_submit *in, struct pap_push *out, char why[TOOL_WHY_N])
{
    unsigned method = PAP_REPLACE_ALL;
    enum err e = word_set("method", in->replace_method, pap_attr_words(PAP_ATTR_REPLACE), &method, why);

    if (e)
        return e;
    out->replace_push_id = slice_str(in->replace_id);
    out->replace_method = (enum pap_replace)method;
    return ERR_OK;
}

static enum err control_print(const struct tool_submit *in, struct buf *out, char why[TOOL_WHY_N])
{
    struct pap_message m = {.kind = PAP_KIND_PUSH_MESSAGE, .product_name = SLICE("pap-push/" PPG_VERSION)};
    struct pap_push *p = &m.push;
    enum err e;

    if (!in->to.n)
        return say(why, "to", "a recipient is needed");
    p->addrs = in->to;
    p->push_id = slice_str(in->push_id);
    p->source_reference = slice_str(in->source_ref);
    p->notify_to = slice_str(in->notify);
    p->progress_notes_requested = in->progress;
    if ((e = tool_pap_version(in->version, &m.version, why)) || (e = replace_set(in, p, why)) ||
        (e = time_set(in, "after", in->after, &p->deliver_after, why)) ||
        (e = time_set(in, "before", in->before, &p->deliver_before, why)) || (e = qos_set(in, &p->qos, why)))
        return e;
    return pap_print(&m, out);
}

static enum err header_add(struct buf *out, struct slice name, const char *text, const char *option,
                           char why[TOOL_WHY_N])
{
    if (!text)
        return ERR_OK;
    net_http_print_header(out, name, slice_str(text));
    return buf_err(out) == ERR_MALFORMED ? say(why, option, "cannot be sent in a header") : buf_err(out);
}

/* "Name: value" as given; the value's own spaces at its ends go. */
static enum err header_line(struct buf *out, const char *line, char why[TOOL_WHY_N])
{
    struct slice name, value;

    if (!slice_cut(slice_str(line), ':', &name, &value) || name.n == 0)
        return say(why, "header", "not Name: value");
    net_http_print_header(out, name, slice_trim(value));
    return buf_err(out) == ERR_MALFORMED ? say(why, "header", "cannot be sent") : buf_err(out);
}

static enum err content_headers(const struct tool_submit *in, struct buf *out, char why[TOOL_WHY_N])
{
    static const char *const levels[] = {"none", "integrity", "full", NULL};
    unsigned level = 0;
    enum err e;

    if ((e = word_set("protection", in->protection, levels, &level, why)) ||
        (e = header_add(out, SLICE("Content-Type"), in->type, "type", why)) ||
        (e = header_add(out, SLICE("X-Wap-Application-Id"), in->app_id, "app", why)) ||
        (e = header_add(out, SLICE("X-Wap-Initiator-URI"), in->initiator_uri, "initiator-uri", why)) ||
        (e = header_add(out, SLICE("X-Push-Protection"), in->protection, "protection", why)))
        return e;
    for (size_t i = 0; i < in->headers->n; i++)
        if ((e = header_line(out, in->headers->v[i], why)))
            return e;
    return ERR_OK;
}

static void part_add(struct buf *body, const char *boundary, struct slice headers, struct slice content)
{
    buf_addf(body, "--%s\r\n", boundary);
    buf_add(body, headers);
    buf_add_str(body, "\r\n");
    buf_add(body, content);
    buf_add_str(body, "\r\n");
}

enum err tool_submit_print(const struct tool_submit *in, struct buf *type, struct buf *body,
                           char why[TOOL_WHY_N])
{
    struct buf control, headers;
    enum err e;

    buf_init(&control, body->max);
    buf_init(&headers, HEADERS_MAX_N);
    if ((e = control_print(in, &control, why)) || (e = content_headers(in, &headers, why)))
        goto out;
    part_add(body, in->boundary, SLICE("Content-Type: application/xml\r\n"), buf_slice(&control));
    part_add(body, in->boundary, buf_slice(&headers), in->content);
    if (in->capabilities.p)
        part_add(body, in->boundary, SLICE("Content-Type: application/rdf+xml\r\n"), in->capabilities);
    buf_addf(body, "--%s--\r\n", in->boundary);
    buf_addf(type, "multipart/related; type=\"application/xml\"; boundary=\"%s\"", in->boundary);
    e = buf_err(body) ? buf_err(body) : buf_err(type);
out:
    buf_clear(&control);
    buf_clear(&headers);
    return e;
}
