/* Reading a WSP datagram as header lines and content; see ota/wsp.h.  Everything is a stranger's: bounded, and no octet
 * of a value can begin a line of its own.  [WSP §8.2.4.1, §8.4], [OTA-HTTP §9.2].  Any thread. */
#include "ota/wsp.h"

#include "base/net/http1.h"
#include "base/scan.h"
#include "ota/headers.h"
#include "ota/wsp_tables.h"
#include "ota/wsp_value.h"

#define PDU_PUSH     0x06
#define PAGE_DEFAULT 1
#define PAGE_SHIFT   0x7F /* the page follows; pages up to 31 have an octet of their own */

static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!scan_is_token_ch((unsigned char)text.p[i]))
            return false;
    return text.n != 0;
}

/* Numbers past the tables stay past them. */
static uint32_t narrow(uint64_t number)
{
    return number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

/* A name of our tables; a number that is not there is not understood. */
static void add_name(struct scan *s, struct buf *out, struct slice name)
{
    if (!name.n)
        scan_fail(s, ERR_UNSUPPORTED);
    buf_add(out, name);
}

/* --- content type --- */

/* Text-value = No-value | Token-text | Quoted-string [WSP §8.4.2.3] */
static void text_value(struct scan *s, struct buf *out)
{
    struct slice text = ota_wsp_take_text(s);

    if (text.n == 0 || text.p[0] != '"') {
        if (text.n && !is_token(text))
            scan_fail(s, ERR_MALFORMED);
        buf_add(out, text.n ? text : SLICE("\"\""));
        return;
    }
    buf_add_ch(out, '"');
    for (size_t i = 1; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            buf_add_ch(out, '\\');
        buf_add_ch(out, text.p[i]);
    }
    buf_add_ch(out, '"');
}

static bool is_integer(const struct scan *s)
{
    int first = scan_peek(s);

    return first >= 0x80 || (first > 0 && first <= 30);
}

static void typed_parameter(struct scan *s, struct buf *out)
{
    uint64_t number = ota_wsp_take_integer(s);
    struct slice name = ota_wsp_token_text(ota_wsp_parameters, narrow(number));

    if (number == OTA_WSP_PARAMETER_CHARSET) {
        buf_add(out, SLICE("; charset="));
        add_name(s, out, ota_wsp_charset_name(narrow(ota_wsp_take_integer(s))));
    } else if (name.n) {
        buf_add(out, SLICE("; "));
        buf_add(out, name);
        buf_add_ch(out, '=');
        text_value(s, out);
    } else {
        ota_wsp_skip_value(s); /* of no parameter of ours */
    }
}

static void untyped_parameter(struct scan *s, struct buf *out)
{
    struct slice name = ota_wsp_take_text(s);

    if (!is_token(name))
        scan_fail(s, ERR_MALFORMED);
    buf_add(out, SLICE("; "));
    buf_add(out, name);
    buf_add_ch(out, '=');
    if (is_integer(s))
        buf_add_u64(out, ota_wsp_take_integer(s));
    else
        text_value(s, out);
}

static void media(struct scan *s, struct buf *out)
{
    struct slice left, right, text;

    if (is_integer(s)) {
        add_name(s, out, ota_wsp_type_name(narrow(ota_wsp_take_integer(s))));
        return;
    }
    text = ota_wsp_take_text(s);
    if (!slice_cut(text, '/', &left, &right) || !is_token(left) || !is_token(right))
        scan_fail(s, ERR_MALFORMED);
    buf_add(out, text);
}

/* Content-type-value = Constrained-media | Content-general-form [WSP §8.4.2.24] */
static void content_type(struct scan *s, struct buf *out)
{
    int first = scan_peek(s);
    struct scan general;

    if (first > 0x1F) {
        media(s, out);
        return;
    }
    general = scan_of(ota_wsp_take_counted(s));
    media(&general, out);
    while (!scan_done(&general)) {
        if (is_integer(&general))
            typed_parameter(&general, out);
        else
            untyped_parameter(&general, out);
    }
    scan_fail(s, general.err);
}

/* --- headers --- */

static void flags(struct scan *s, struct buf *out)
{
    uint64_t bits = ota_wsp_take_integer(s);
    struct ota_push_info info = {.authenticated = bits & 1, .trusted = bits & 2, .last = bits & 4};

    ota_push_info_print(&info, out);
}

/* A number of no table of ours names the application as well. */
static void app_id(struct scan *s, struct buf *out)
{
    struct slice uri = SLICE_NONE;
    struct buf digits;
    int32_t number;

    if (!is_integer(s)) {
        buf_add(out, ota_wsp_take_text(s));
        return;
    }
    buf_init(&digits, 24);
    buf_add_u64(&digits, ota_wsp_take_integer(s));
    if (buf_err(&digits) || ota_app_id_parse(buf_slice(&digits), &uri, &number))
        scan_fail(s, ERR_NOMEM);
    buf_add(out, uri);
    buf_clear(&digits);
}

static void quoted(struct scan *s, struct buf *out)
{
    struct slice text = ota_wsp_take_text(s);

    if (text.n == 0 || text.p[0] != '"')
        scan_fail(s, ERR_MALFORMED);
    buf_add(out, slice_sub(text, 1, text.n));
}

/* How a content is coded must be understood. */
static void coding(struct scan *s, struct buf *out)
{
    if (scan_peek(s) >= 0x80)
        add_name(s, out, ota_wsp_token_text(ota_wsp_codings, ota_wsp_take_octet(s) & 0x7Fu));
    else
        buf_add(out, ota_wsp_take_text(s));
}

static void cache(struct scan *s, struct buf *out)
{
    if (scan_peek(s) >= 0x80)
        buf_add(out, ota_wsp_token_text(ota_wsp_cache_tokens, ota_wsp_take_octet(s) & 0x7Fu));
    else
        ota_wsp_skip_value(s); /* with arguments */
}

static void date(struct scan *s, struct buf *out)
{
    uint64_t utc_s = ota_wsp_take_long(s);

    if (!s->err)
        net_http_print_date_value(out, utc_s > INT64_MAX ? INT64_MAX : (int64_t)utc_s);
}

static void known_value(struct scan *s, enum ota_wsp_kind kind, struct buf *out)
{
    switch (kind) {
    case OTA_WSP_TEXT:
        buf_add(out, ota_wsp_take_text(s));
        break;
    case OTA_WSP_QUOTED:
        quoted(s, out);
        break;
    case OTA_WSP_INTEGER:
        buf_add_u64(out, ota_wsp_take_integer(s));
        break;
    case OTA_WSP_DATE:
        date(s, out);
        break;
    case OTA_WSP_CODING:
        coding(s, out);
        break;
    case OTA_WSP_CACHE:
        cache(s, out);
        break;
    case OTA_WSP_APP_ID:
        app_id(s, out);
        break;
    case OTA_WSP_FLAGS:
        flags(s, out);
        break;
    }
}

/* A value that says nothing to us leaves no line. */
static void known_header(struct scan *s, const struct ota_wsp_header *row, struct buf *out)
{
    size_t start = out->n, value;

    buf_add_str(out, row->name);
    buf_add(out, SLICE(": "));
    value = out->n;
    known_value(s, row->kind, out);
    if (!buf_err(out) && out->n == value)
        buf_cut(out, start);
    else
        buf_add(out, SLICE("\r\n"));
}

static void named_header(struct scan *s, struct buf *out)
{
    struct slice name = ota_wsp_take_text(s);

    if (!is_token(name))
        scan_fail(s, ERR_MALFORMED);
    buf_add(out, name);
    buf_add(out, SLICE(": "));
    buf_add(out, ota_wsp_take_text(s));
    buf_add(out, SLICE("\r\n"));
}

/* One message-header or shift-sequence [WSP §8.4.1]; *page is the code page in force. */
static void header(struct scan *s, uint8_t *page, struct buf *out)
{
    const struct ota_wsp_header *row;
    uint8_t first = (uint8_t)scan_peek(s);

    if (first == PAGE_SHIFT || first < 0x20) {
        *page = ota_wsp_take_octet(s);
        if (first == PAGE_SHIFT)
            *page = ota_wsp_take_octet(s);
        if (*page == 0)
            scan_fail(s, ERR_MALFORMED);
    } else if (first < 0x80) {
        named_header(s, out);
    } else {
        row = *page == PAGE_DEFAULT ? ota_wsp_header_coded(ota_wsp_take_octet(s) & 0x7Fu) : NULL;
        if (*page != PAGE_DEFAULT)
            (void)ota_wsp_take_octet(s);
        if (row)
            known_header(s, row, out);
        else
            ota_wsp_skip_value(s);
    }
}

static enum err read_headers(struct slice block, struct buf *out)
{
    struct scan s = scan_of(block);
    uint8_t page = PAGE_DEFAULT;

    buf_add(out, SLICE("Content-Type: "));
    content_type(&s, out);
    buf_add(out, SLICE("\r\n"));
    for (size_t n = 0; !scan_done(&s) && !buf_err(out); n++) {
        if (n == OTA_WSP_HEADERS_MAX)
            return ERR_LIMIT;
        header(&s, &page, out);
    }
    return s.err ? s.err : buf_err(out);
}

enum err ota_wsp_push_parse(struct slice datagram, struct buf *text, struct ota_wsp_push *out)
{
    struct scan s = scan_of(datagram);
    struct ota_wsp_push v = {.tid = ota_wsp_take_octet(&s)};
    size_t start = text->n;
    struct slice block;
    uint32_t n;
    enum err e;

    if (ota_wsp_take_octet(&s) != PDU_PUSH)
        scan_fail(&s, ERR_MALFORMED);
    n = ota_wsp_take_uintvar(&s);
    if (n > OTA_WSP_HEADERS_MAX_N)
        scan_fail(&s, ERR_LIMIT);
    block = ota_wsp_take_octets(&s, n);
    if (s.err)
        return s.err;
    e = read_headers(block, text);
    if (e)
        return e;
    v.headers = slice_sub(buf_slice(text), start, SIZE_MAX);
    v.content = scan_left(&s);
    *out = v;
    return ERR_OK;
}
