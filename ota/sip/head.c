/* The head of a SIP message; see head.h.  RFC 3261 §7, §25.1. */
#include "ota/sip/head.h"

#include "base/scan.h"

#define VERSION "SIP/2.0"

/* One line without its CRLF.  ERR_AGAIN: it is not whole. */
static enum err take_line(struct slice *in, struct slice *line)
{
    size_t end = slice_find(*in, '\n');

    if (end == SIZE_MAX)
        return ERR_AGAIN;
    if (end == 0 || in->p[end - 1] != '\r')
        return ERR_MALFORMED;
    *line = slice_of(in->p, end - 1);
    *in = slice_sub(*in, end + 1, SIZE_MAX);
    return ERR_OK;
}

/* Tabs and what stands above 0x7F (UTF-8 in texts) may be in values; no other control octet, CR above all. */
static bool octets_good(struct slice line)
{
    for (size_t i = 0; i < line.n; i++) {
        unsigned char ch = (unsigned char)line.p[i];

        if ((ch < ' ' && ch != '\t') || ch == 0x7F)
            return false;
    }
    return true;
}

/* In capitals or not (§7.1). */
static void version(struct scan *s)
{
    if (!scan_skip_ci(s, SLICE(VERSION)))
        scan_fail(s, ERR_MALFORMED);
}

/* SIP-Version SP 3DIGIT SP Reason-Phrase (§7.2). */
static void status_line(struct scan *s)
{
    version(s);
    scan_ch(s, ' ');
    (void)scan_u32(s, 100, 699);
    scan_ch(s, ' ');
}

/* Method SP Request-URI SP SIP-Version (§7.1); one space each. */
static void request_line(struct scan *s)
{
    struct slice uri;

    (void)scan_token(s, OTA_SIP_METHOD_MAX_N);
    scan_ch(s, ' ');
    uri = scan_until(s, ' ', OTA_SIP_LINE_MAX_N);
    if (slice_find(uri, ':') == SIZE_MAX || slice_printable_n(uri) != uri.n)
        scan_fail(s, ERR_MALFORMED);
    scan_ch(s, ' ');
    version(s);
    scan_end(s);
}

/* To *text, the version in capitals. */
static enum err start_line(struct slice line, struct buf *text)
{
    struct slice capitals = SLICE(VERSION);
    struct scan s = scan_of(line);

    if (slice_starts_ci(line, SLICE("SIP/"))) {
        status_line(&s);
        buf_add(text, capitals);
        buf_add(text, slice_sub(line, capitals.n, SIZE_MAX));
    } else {
        request_line(&s);
        buf_add(text, slice_sub(line, 0, line.n < capitals.n ? 0 : line.n - capitals.n));
        buf_add(text, capitals);
    }
    buf_add(text, SLICE("\r\n"));
    return s.err;
}

/* Content-Length, or l (§20.14). */
static enum err length_line(struct slice value, size_t body_max_n, struct ota_sip_head *out)
{
    struct scan s = scan_of(value);
    uint64_t n = scan_u64(&s, 0, body_max_n);

    scan_end(&s);
    if (s.err)
        return s.err;
    if (out->has_length)
        return ERR_MALFORMED;
    out->has_length = true;
    out->length = (size_t)n;
    return ERR_OK;
}

/* Takes the header that begins with `line` and the lines that continue it (§7.3.1); its value goes to *text, in one line. */
static enum err take_value(struct slice *rest, struct slice first, struct buf *text)
{
    struct slice line = first;
    size_t start = text->n;
    enum err e;

    for (;;) {
        buf_add(text, slice_trim(line));
        if (text->n - start > OTA_SIP_LINE_MAX_N)
            return ERR_LIMIT;
        if (rest->n == 0)
            return ERR_AGAIN; /* the next line may go on with this one */
        if (rest->p[0] != ' ' && rest->p[0] != '\t')
            return ERR_OK;
        e = take_line(rest, &line);
        if (e)
            return e;
        if (!octets_good(line))
            return ERR_MALFORMED;
        buf_add_ch(text, ' ');
    }
}

static enum err header(struct slice *rest, struct slice line, size_t body_max_n, struct ota_sip_head *out,
                       struct buf *text)
{
    struct slice value, name = SLICE_NONE;
    struct scan s = scan_of(line);
    size_t start = text->n, value_at;
    enum err e;

    name = scan_token(&s, OTA_SIP_NAME_MAX_N);
    scan_lws(&s, 0); /* HCOLON (§25.1) */
    scan_ch(&s, ':');
    if (s.err)
        return s.err;
    buf_add(text, name);
    buf_add(text, SLICE(": "));
    value_at = text->n;
    e = take_value(rest, scan_left(&s), text);
    if (e || buf_err(text))
        return e ? e : buf_err(text);
    value = slice_trim(slice_sub(buf_slice(text), value_at, SIZE_MAX));
    if (slice_eq_ci(name, SLICE("Content-Length")) || slice_eq_ci(name, SLICE("l"))) {
        e = length_line(value, body_max_n, out);
        buf_cut(text, start);
        return e;
    }
    buf_add(text, SLICE("\r\n"));
    return ERR_OK;
}

static enum err lines(struct slice in, size_t body_max_n, struct ota_sip_head *out, struct buf *text)
{
    struct slice rest = in, line;
    enum err e = take_line(&rest, &line);

    if (!e)
        e = octets_good(line) ? start_line(line, text) : ERR_MALFORMED;
    for (size_t headers = 0; !e; headers++) {
        e = take_line(&rest, &line);
        if (e || line.n == 0)
            break;
        if (headers == OTA_SIP_HEADERS_MAX)
            return ERR_LIMIT;
        e = octets_good(line) ? header(&rest, line, body_max_n, out, text) : ERR_MALFORMED;
    }
    out->wire_n = in.n - rest.n;
    return e;
}

enum err ota_sip_head_read(struct slice in, size_t body_max_n, struct ota_sip_head *out, struct buf *text)
{
    struct slice seen = slice_sub(in, 0, OTA_SIP_HEAD_MAX_N);
    struct ota_sip_head head = {.has_length = false};
    enum err e = lines(seen, body_max_n, &head, text);

    if (e == ERR_AGAIN && in.n >= OTA_SIP_HEAD_MAX_N)
        return ERR_LIMIT;
    buf_add(text, SLICE("\r\n"));
    if (!e)
        e = buf_err(text);
    if (!e)
        *out = head;
    return e;
}
