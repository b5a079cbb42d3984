/* Printing a push as a WSP datagram; see ota/wsp.h.  Reading is ota/wsp_parse.c, the numbers are in ota/wsp_tables.c.
 * [WSP §8.2.4.1, §8.4.2], [OTA-HTTP §9.2].  Any thread. */
#include "ota/wsp.h"

#include "base/net/http1.h"
#include "base/scan.h"
#include "ota/headers.h"
#include "ota/wsp_tables.h"
#include "ota/wsp_value.h"

#define PDU_PUSH          0x06
#define TYPE_PARAMS_MAX_N 2048
#define TYPE_NAME_MAX_N   255

/* --- content type --- */

/* Untyped-parameter: Token-text, then Token-text or Quoted-string.  The escapes of HTTP's quoted strings go. */
static void put_parameter(struct buf *out, struct slice name, struct slice value, bool quoted)
{
    ota_wsp_put_text(out, name);
    if (!quoted) {
        ota_wsp_put_text(out, value);
        return;
    }
    buf_add_ch(out, '"');
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\\' && i + 1 < value.n)
            i++;
        buf_add_ch(out, value.p[i]);
    }
    buf_add_ch(out, '\0');
}

/* Typed-parameter where the charset has a number, which it then travels by. */
static void put_charset(struct buf *out, struct slice name, struct slice value, bool quoted)
{
    int32_t number = ota_wsp_charset_number(value);

    if (number < 0) {
        put_parameter(out, name, value, quoted);
        return;
    }
    ota_wsp_put_integer(out, OTA_WSP_PARAMETER_CHARSET);
    ota_wsp_put_integer(out, (uint64_t)number);
}

/* *( OWS ";" OWS token "=" ( token / quoted-string ) ) OWS  (RFC 9110 §8.3.1) */
static void put_parameters(struct scan *s, struct buf *out)
{
    struct slice name, value;
    bool quoted;

    for (scan_lws(s, 0); scan_skip_ch(s, ';'); scan_lws(s, 0)) {
        scan_lws(s, 0);
        name = scan_token(s, TYPE_NAME_MAX_N);
        scan_ch(s, '=');
        quoted = scan_peek(s) == '"';
        value = scan_token_or_quoted(s, TYPE_PARAMS_MAX_N);
        if (s->err)
            return;
        if (slice_eq_ci(name, SLICE("charset")))
            put_charset(out, name, value, quoted);
        else
            put_parameter(out, name, value, quoted);
    }
    scan_end(s);
}

static void put_media(struct buf *out, struct slice media)
{
    int32_t number = ota_wsp_type_number(media);

    if (number < 0)
        ota_wsp_put_text(out, media);
    else
        ota_wsp_put_integer(out, (uint64_t)number);
}

/* Constrained-media has no parameters, and no number above 127 [WSP §8.4.2.24]. */
static bool is_constrained(struct slice media, const struct buf *params)
{
    return params->n == 0 && ota_wsp_type_number(media) < 0x80;
}

static struct slice take_media(struct scan *s)
{
    const char *start = s->p;

    (void)scan_token(s, TYPE_NAME_MAX_N);
    scan_ch(s, '/');
    (void)scan_token(s, TYPE_NAME_MAX_N);
    return s->err ? SLICE_NONE : slice_of(start, (size_t)(s->p - start));
}

static enum err put_type(struct slice type, struct buf *out)
{
    struct scan s = scan_of(slice_trim(type));
    struct slice media = take_media(&s);
    struct buf params, whole;
    enum err e;

    buf_init(&params, TYPE_PARAMS_MAX_N);
    buf_init(&whole, 2 * TYPE_PARAMS_MAX_N);
    put_parameters(&s, &params);
    e = s.err ? s.err : buf_err(&params);
    if (!e && is_constrained(media, &params)) {
        put_media(out, media);
    } else if (!e) {
        put_media(&whole, media);
        buf_add(&whole, buf_slice(&params));
        ota_wsp_put_length(out, whole.n);
        buf_add(out, buf_slice(&whole));
        e = buf_err(&whole);
    }
    buf_clear(&params);
    buf_clear(&whole);
    return e ? e : buf_err(out);
}

/* --- headers --- */

static void put_name(struct buf *out, const struct ota_wsp_header *row)
{
    ota_wsp_put_integer(out, row->code);
}

static bool put_number(struct buf *out, const struct ota_wsp_header *row, struct slice value)
{
    struct scan s = scan_of(value);
    uint64_t v = scan_u64(&s, 0, INT64_MAX);

    scan_end(&s);
    if (s.err)
        return false;
    put_name(out, row);
    ota_wsp_put_integer(out, v);
    return true;
}

static bool put_date(struct buf *out, const struct ota_wsp_header *row, struct slice value)
{
    int64_t utc_s;

    if (net_http_date_parse(value, &utc_s) || utc_s < 0)
        return false;
    put_name(out, row);
    ota_wsp_put_long(out, (uint64_t)utc_s);
    return true;
}

static bool put_token(struct buf *out, const struct ota_wsp_header *row, const struct ota_wsp_token *tokens,
                      struct slice value)
{
    int32_t number = ota_wsp_token_number(tokens, value);

    if (number < 0)
        return false;
    put_name(out, row);
    ota_wsp_put_integer(out, (uint64_t)number);
    return true;
}

static bool put_app_id(struct buf *out, const struct ota_wsp_header *row, struct slice value)
{
    struct slice uri;
    int32_t number;

    if (ota_app_id_parse(value, &uri, &number) || !uri.n)
        return false;
    put_name(out, row);
    if (number < 0)
        ota_wsp_put_text(out, uri);
    else
        ota_wsp_put_integer(out, (uint64_t)number);
    return true;
}

/* No flag set: no header [OTA-HTTP §9.2]. */
static bool put_flags(struct buf *out, const struct ota_wsp_header *row, struct slice value)
{
    struct ota_push_info info = ota_push_info_parse(value);
    unsigned flags = (info.authenticated ? 1u : 0u) | (info.trusted ? 2u : 0u) | (info.last ? 4u : 0u);

    if (flags) {
        put_name(out, row);
        ota_wsp_put_integer(out, flags);
    }
    return true;
}

/* False, and nothing added: the value has no compact form. */
static bool put_known(struct buf *out, const struct ota_wsp_header *row, struct slice value)
{
    switch (row->kind) {
    case OTA_WSP_TEXT:
        put_name(out, row);
        ota_wsp_put_text(out, value);
        return true;
    case OTA_WSP_QUOTED:
        put_name(out, row);
        ota_wsp_put_quoted(out, value);
        return true;
    case OTA_WSP_INTEGER:
        return put_number(out, row, value);
    case OTA_WSP_DATE:
        return put_date(out, row, value);
    case OTA_WSP_CODING:
        return put_token(out, row, ota_wsp_codings, value);
    case OTA_WSP_CACHE:
        return put_token(out, row, ota_wsp_cache_tokens, value);
    case OTA_WSP_APP_ID:
        return put_app_id(out, row, value);
    case OTA_WSP_FLAGS:
        return put_flags(out, row, value);
    }
    return false;
}

static void put_header(struct buf *out, struct slice name, struct slice value)
{
    const struct ota_wsp_header *row = ota_wsp_header_named(name);

    if (row && put_known(out, row, value))
        return;
    ota_wsp_put_text(out, name);
    ota_wsp_put_text(out, value);
}

/* Content-Type stands first and without its name; once. */
static enum err put_headers(struct buf *out, struct slice lines)
{
    enum err e = put_type(ota_header_find(lines, SLICE("Content-Type")), out);
    struct slice name, value;
    size_t types = 0, n = 0;
    bool bad = false;

    while (!e && ota_header_next(&lines, &name, &value, &bad)) {
        if (slice_eq_ci(name, SLICE("Content-Type")))
            types++;
        else if (n++ == OTA_WSP_HEADERS_MAX)
            e = ERR_LIMIT;
        else
            put_header(out, name, value);
    }
    if (!e && (bad || types != 1))
        e = ERR_MALFORMED;
    return e ? e : buf_err(out);
}

enum err ota_wsp_push_print(uint8_t tid, struct slice headers, struct slice content, struct buf *out)
{
    struct buf block;
    enum err e;

    buf_init(&block, OTA_WSP_HEADERS_MAX_N);
    e = put_headers(&block, headers);
    if (!e) {
        buf_add_ch(out, (char)tid);
        buf_add_ch(out, PDU_PUSH);
        ota_wsp_put_uintvar(out, (uint32_t)block.n);
        buf_add(out, buf_slice(&block));
        buf_add(out, content);
        e = buf_err(out);
    }
    buf_clear(&block);
    return e;
}
