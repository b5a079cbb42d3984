/* multipart/related, part headers, media types and transfer encodings, see pap/mime.h.  Every function reads its
 * input once, line by line.  Any thread. */
#include "pap/mime.h"

#include "base/codec.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/scan.h"

#define NAME_MAX_N   256 /* octets of a field or parameter name */
#define PARAMS_MAX   64
#define PARAMS_MAX_N 4096

static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\t';
}

/* Media types (RFC 2045 §5.1).  Blanks, and the line ends of a folded field: */
static void skip_white(struct scan *s)
{
    while (scan_skip_ch(s, ' ') || scan_skip_ch(s, '\t') || scan_skip_ch(s, '\r') || scan_skip_ch(s, '\n'))
        ;
}

static struct slice trim_white(struct slice v)
{
    while (v.n > 0 && (is_blank(v.p[v.n - 1]) || v.p[v.n - 1] == '\r' || v.p[v.n - 1] == '\n'))
        v.n--;
    return v;
}

/* quoted string, or token; lenient: anything up to the next ';', for values with a slash or blanks. */
static struct slice param_value(struct scan *s, bool strict)
{
    struct slice v;

    if (scan_peek(s) == '"')
        return scan_quoted(s, PARAMS_MAX_N);
    if (strict)
        return scan_token(s, PARAMS_MAX_N);
    v = trim_white(scan_until(s, ';', PARAMS_MAX_N));
    if (v.n == 0)
        scan_fail(s, ERR_MALFORMED);
    return v;
}

/* ";" name "=" value; false at the end or after a failure.  Lenient passes over an empty parameter. */
static bool param_next(struct scan *s, bool strict, struct slice *name, struct slice *value)
{
    skip_white(s);
    if (scan_done(s))
        return false;
    scan_ch(s, ';');
    skip_white(s);
    while (!strict && scan_skip_ch(s, ';'))
        skip_white(s);
    if (!strict && scan_done(s))
        return false;
    *name = scan_token(s, NAME_MAX_N);
    if (!strict)
        skip_white(s);
    scan_ch(s, '=');
    if (!strict)
        skip_white(s);
    *value = param_value(s, strict);
    return !s->err;
}

/* A parameter that is looked for; value.p is NULL until the first of that name has been met. */
struct wanted {
    struct slice name, value;
};

static void wanted_note(struct wanted *wanted, size_t n, struct slice name, struct slice value)
{
    for (size_t i = 0; i < n; i++)
        if (!wanted[i].value.p && slice_eq_ci(name, wanted[i].name))
            wanted[i].value = value;
}

/* One pass; `wanted` are filled in on the way. */
static enum err media_read(struct slice in, bool strict, struct pap_media *out, struct wanted *wanted,
                           size_t wanted_n)
{
    struct scan s = scan_of(in);
    struct pap_media v;
    struct slice name, value;
    size_t n = 0;

    if (in.n > PARAMS_MAX_N)
        return ERR_LIMIT;
    skip_white(&s);
    v.type = scan_token(&s, NAME_MAX_N);
    scan_ch(&s, '/');
    v.subtype = scan_token(&s, NAME_MAX_N);
    v.full = slice_of(v.type.p, v.type.n + 1 + v.subtype.n);
    v.params = scan_left(&s);
    while (param_next(&s, strict, &name, &value)) {
        if (++n > PARAMS_MAX)
            return ERR_LIMIT;
        wanted_note(wanted, wanted_n, name, value);
    }
    if (s.err)
        return s.err;
    *out = v;
    return ERR_OK;
}

enum err pap_media_parse(struct slice in, bool strict, struct pap_media *out)
{
    return media_read(in, strict, out, NULL, 0);
}

bool pap_media_is(const struct pap_media *m, struct slice full)
{
    return slice_eq_ci(m->full, full);
}

enum err pap_media_param(const struct pap_media *m, struct slice name, struct slice *value)
{
    struct scan s = scan_of(m->params);
    struct slice n, v;

    while (param_next(&s, false, &n, &v))
        if (slice_eq_ci(n, name)) {
            *value = v;
            return ERR_OK;
        }
    return ERR_ABSENT;
}

struct slice pap_mime_charset(struct slice content_type)
{
    struct slice charset = SLICE_NONE;
    struct pap_media media;

    if (!pap_media_parse(content_type, false, &media) && pap_media_param(&media, SLICE("charset"), &charset))
        charset = SLICE_NONE;
    return charset;
}

/* Header fields (RFC 822 §3.1, §3.2).  Octets of the line break at the front: 2 for CRLF, 1 for LF (lenient only), 0 for none. */
static size_t break_n(struct slice in, bool strict)
{
    if (slice_starts(in, SLICE("\r\n")))
        return 2;
    return !strict && slice_starts(in, SLICE("\n")) ? 1 : 0;
}

/* Position of the first break that is not followed by a blank, that is of the end of a field. */
static enum err field_end(struct slice in, bool strict, size_t *end, size_t *next)
{
    struct slice window = slice_sub(in, 0, NAME_MAX_N + PAP_MIME_VALUE_MAX_N);
    size_t i = 0;

    while ((i += slice_printable_n(slice_sub(window, i, window.n))) < window.n) {
        unsigned char ch = (unsigned char)window.p[i];
        size_t n = ch == '\r' || ch == '\n' ? break_n(slice_sub(in, i, 2), strict) : 0;

        if (n == 0 && ((ch < 0x20 && ch != '\t') || ch == 0x7F))
            return ERR_MALFORMED; /* also NUL, a lone CR, and in strict mode a lone LF */
        if (n > 0 && (i + n >= in.n || !is_blank(in.p[i + n]))) {
            *end = i;
            *next = i + n;
            return ERR_OK;
        }
        i += n ? n : 1;
    }
    if (window.n < in.n)
        return ERR_LIMIT;
    *end = *next = in.n; /* the last field of a block without its break */
    return ERR_OK;
}

/* Takes name ":" value off the front of *block; the value still has its folding. */
static enum err field_take(struct slice *block, bool strict, struct slice *name, struct slice *value)
{
    struct scan s;
    size_t end = 0, next = 0;
    enum err e = field_end(*block, strict, &end, &next);

    if (e)
        return e;
    s = scan_of(slice_sub(*block, 0, end));
    *name = scan_token(&s, NAME_MAX_N);
    scan_ch(&s, ':'); /* no blank before it: two readers would disagree on the name */
    if (s.err)
        return s.err;
    skip_white(&s);
    *value = trim_white(scan_left(&s));
    if (value->n > PAP_MIME_VALUE_MAX_N)
        return ERR_LIMIT;
    *block = slice_sub(*block, next, block->n);
    return ERR_OK;
}

/* The value with each fold, a break and the blanks around it, made one space. */
static enum err unfold(struct slice value, struct arena *arena, struct slice *out)
{
    char *to;
    size_t n = 0;

    if (slice_find(value, '\n') == SIZE_MAX) {
        *out = value;
        return ERR_OK;
    }
    to = arena_alloc(arena, value.n);
    if (!to)
        return ERR_NOMEM;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] != '\r' && value.p[i] != '\n') {
            to[n++] = value.p[i];
            continue;
        }
        while (n > 0 && is_blank(to[n - 1]))
            n--;
        while (i + 1 < value.n && (is_blank(value.p[i + 1]) || value.p[i + 1] == '\n'))
            i++;
        to[n++] = ' ';
    }
    *out = slice_of(to, n);
    return ERR_OK;
}

enum err pap_mime_header_next(struct slice *headers, struct arena *arena, struct pap_header *out)
{
    struct slice left = *headers;
    struct pap_header h;
    enum err e;

    if (left.n == 0)
        return ERR_ABSENT;
    e = field_take(&left, false, &h.name, &h.value);
    if (!e)
        e = unfold(h.value, arena, &h.value);
    if (e)
        return e;
    *headers = left;
    *out = h;
    return ERR_OK;
}

/* The raw value of the first field of that name. */
static enum err field_find(struct slice block, struct slice name, struct slice *value)
{
    struct slice n, v;

    while (block.n > 0) {
        enum err e = field_take(&block, false, &n, &v);

        if (e)
            return e;
        if (slice_eq_ci(n, name)) {
            *value = v;
            return ERR_OK;
        }
    }
    return ERR_ABSENT;
}

enum err pap_mime_header_find(struct slice headers, struct slice name, struct arena *arena,
                              struct slice *value)
{
    struct slice v;
    enum err e = field_find(headers, name, &v);

    return e ? e : unfold(v, arena, value);
}

/* Octets of the line break at the end. */
static size_t last_break_n(struct slice in)
{
    if (slice_ends(in, SLICE("\r\n")))
        return 2;
    return slice_ends(in, SLICE("\n")) ? 1 : 0;
}

/* A refusal on its way out. */
static enum err fail(const char **why, enum err e, const char *text)
{
    *why = text;
    return e;
}

/* Headers up to an empty line, then the body; `raw` still has the break that belongs to the next delimiter. */
static enum err part_parse(struct slice raw, bool strict, struct pap_part *out, const char **why)
{
    struct slice left = raw, name, value;
    struct pap_part part = {SLICE_NONE, SLICE_NONE, SLICE_NONE};
    size_t blank_n;

    for (size_t n = 0; (blank_n = break_n(left, strict)) == 0; n++) {
        enum err e = left.n ? field_take(&left, strict, &name, &value) : ERR_MALFORMED;

        if (e)
            return fail(why, e, e == ERR_LIMIT ? "part header too long" : "malformed part header");
        if (n >= PAP_MIME_HEADERS_MAX || raw.n - left.n > PAP_MIME_HEADERS_MAX_N)
            return fail(why, ERR_LIMIT, "too many part headers");
        if (!part.type.p && slice_eq_ci(name, SLICE("Content-Type")))
            part.type = value;
    }
    part.headers = slice_sub(raw, 0, raw.n - left.n);
    part.body = slice_sub(left, blank_n, left.n);
    part.body.n -= last_break_n(part.body);
    *out = part;
    return ERR_OK;
}

enum line { LINE_TEXT, LINE_DELIMITER, LINE_CLOSE };

/* "--" boundary ["--"] *blank, then a break or the end of the body.  *n: octets with the break. */
static enum line line_kind(struct slice in, struct slice boundary, bool strict, size_t *n)
{
    enum line kind = LINE_DELIMITER;
    size_t at = boundary.n + 2, end_n;

    if (!slice_starts(in, SLICE("--")) || !slice_starts(slice_sub(in, 2, in.n), boundary))
        return LINE_TEXT;
    if (slice_starts(slice_sub(in, at, in.n), SLICE("--"))) {
        kind = LINE_CLOSE;
        at += 2;
    }
    while (at < in.n && is_blank(in.p[at]))
        at++;
    end_n = break_n(slice_sub(in, at, in.n), strict);
    if (end_n == 0 && at < in.n)
        return LINE_TEXT; /* a longer word that begins like the boundary */
    *n = at + end_n;
    return kind;
}

/* Octets up to and with the next break, or all. */
static size_t line_n(struct slice in, bool strict)
{
    size_t from = 0;

    for (;;) {
        size_t at = slice_find(slice_sub(in, from, in.n), '\n');

        if (at == SIZE_MAX)
            return in.n;
        from += at + 1;
        if (!strict || (from >= 2 && in.p[from - 2] == '\r'))
            return from;
    }
}

/* preamble *( delimiter part ) close-delimiter epilogue; the parts in their order. */
static enum err split(struct slice body, struct slice boundary, bool strict, struct pap_parts *out,
                      const char **why)
{
    size_t start = 0, at = 0, n = 0;
    bool inside = false;

    while (at < body.n) {
        struct slice left = slice_sub(body, at, body.n);
        enum line kind = line_kind(left, boundary, strict, &n);

        if (kind == LINE_TEXT) {
            at += line_n(left, strict);
            continue;
        }
        if (inside) {
            enum err e;

            if (out->n == PAP_MIME_PARTS_MAX)
                return fail(why, ERR_LIMIT, "more than three parts");
            e = part_parse(slice_sub(body, start, at - start), strict, &out->part[out->n++], why);
            if (e)
                return e;
        }
        if (kind == LINE_CLOSE)
            return out->n >= 2 ? ERR_OK : fail(why, ERR_MALFORMED, "fewer than two parts");
        inside = true;
        start = at += n;
    }
    return fail(why, ERR_MALFORMED, inside ? "closing boundary missing" : "boundary not found");
}

static bool is_boundary_ch(char ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') ||
           (ch != '\0' && strchr("'()+_,-./:=? ", ch));
}

/* 1 to 70 of the characters of RFC 2046 §5.1.1, no blank at the end; lenient: any that print. */
static bool is_boundary(struct slice b, bool strict)
{
    if (b.n == 0 || b.n > PAP_MIME_BOUNDARY_MAX_N || b.p[b.n - 1] == ' ')
        return false;
    for (size_t i = 0; i < b.n; i++)
        if (strict ? !is_boundary_ch(b.p[i]) : b.p[i] < ' ' || b.p[i] > '~')
            return false;
    return true;
}

enum related_param { BOUNDARY, TYPE, START, RELATED_PARAMS };

static enum err related_read(struct slice content_type, bool strict, struct wanted params[RELATED_PARAMS],
                             const char **why)
{
    struct pap_media m;
    struct slice boundary, type;

    params[BOUNDARY] = (struct wanted){SLICE("boundary"), SLICE_NONE};
    params[TYPE] = (struct wanted){SLICE("type"), SLICE_NONE};
    params[START] = (struct wanted){SLICE("start"), SLICE_NONE};
    if (media_read(content_type, strict, &m, params, RELATED_PARAMS))
        return fail(why, ERR_MALFORMED, "malformed Content-Type");
    if (!pap_media_is(&m, SLICE("multipart/related")))
        return fail(why, ERR_UNSUPPORTED, "not multipart/related");
    boundary = params[BOUNDARY].value;
    if (!boundary.p)
        return fail(why, ERR_MALFORMED, "boundary parameter missing");
    if (!is_boundary(boundary, strict))
        return fail(why, ERR_MALFORMED, "bad boundary parameter");
    type = params[TYPE].value;
    if (!type.p) /* required by RFC 2387 §3.1, often left out */
        return strict ? fail(why, ERR_MALFORMED, "type parameter missing") : ERR_OK;
    if (!slice_eq_ci(type, SLICE("application/xml")))
        return fail(why, ERR_MALFORMED, "type parameter is not application/xml");
    return ERR_OK;
}

static struct slice bare_id(struct slice id)
{
    return slice_starts(id, SLICE("<")) && slice_ends(id, SLICE(">")) ? slice_sub(id, 1, id.n - 2) : id;
}

/* Moves the part whose Content-ID the start parameter names to the front (RFC 2387 §3.2). */
static void root_first(struct pap_parts *parts, struct slice start)
{
    struct pap_part root;
    struct slice id;
    size_t i = 0;

    if (!start.p)
        return;
    while (i < parts->n && (field_find(parts->part[i].headers, SLICE("Content-ID"), &id) ||
                            !slice_eq(bare_id(id), bare_id(start))))
        i++;
    if (i == parts->n)
        return;
    root = parts->part[i];
    for (; i > 0; i--)
        parts->part[i] = parts->part[i - 1];
    parts->part[0] = root;
}

enum err pap_mime_split(struct slice content_type, struct slice body, bool strict, struct pap_parts *out,
                        const char **why)
{
    struct pap_parts parts = {.n = 0};
    struct wanted params[RELATED_PARAMS];
    struct pap_media root;
    enum err e = related_read(content_type, strict, params, why);

    if (!e)
        e = split(body, params[BOUNDARY].value, strict, &parts, why);
    if (e)
        return e;
    root_first(&parts, params[START].value);
    if (strict &&
        (pap_media_parse(parts.part[0].type, true, &root) || !pap_media_is(&root, SLICE("application/xml"))))
        return fail(why, ERR_MALFORMED, "control entity is not application/xml");
    *out = parts;
    return ERR_OK;
}

static int hex_value(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    if (ch >= 'A' && ch <= 'F')
        return ch - 'A' + 10;
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* One line without its break and trailing blanks; *soft: the break is not part of the data. */
static enum err qp_line(struct slice line, struct buf *out, bool *soft)
{
    *soft = false;
    for (size_t i = 0; i < line.n; i++) {
        int hi, lo;

        if (line.p[i] != '=') {
            buf_add_ch(out, line.p[i]);
            continue;
        }
        if (i + 1 == line.n) {
            *soft = true;
            return ERR_OK;
        }
        hi = hex_value(line.p[i + 1]);
        lo = i + 2 < line.n ? hex_value(line.p[i + 2]) : -1;
        if (hi < 0 || lo < 0)
            return ERR_MALFORMED;
        buf_add_ch(out, (char)(hi * 16 + lo));
        i += 2;
    }
    return ERR_OK;
}

/* RFC 2045 §6.7: blanks at the end of a line are transport padding. */
static enum err quoted_printable(struct slice in, struct buf *out)
{
    while (in.n > 0) {
        size_t n = line_n(in, false);
        struct slice line = slice_sub(in, 0, n);
        struct slice text = slice_sub(line, 0, n - last_break_n(line));
        bool soft;
        enum err e = qp_line(trim_white(text), out, &soft);

        if (e)
            return e;
        if (!soft)
            buf_add(out, slice_sub(line, text.n, n));
        in = slice_sub(in, n, in.n);
    }
    return buf_err(out);
}

enum err pap_mime_decode(struct slice encoding, struct slice body, struct buf *work, struct slice *out)
{
    size_t before = work->n;
    enum err e = ERR_UNSUPPORTED;

    encoding = slice_trim(encoding);
    if (encoding.n == 0 || slice_eq_ci(encoding, SLICE("7bit")) || slice_eq_ci(encoding, SLICE("8bit")) ||
        slice_eq_ci(encoding, SLICE("binary"))) {
        *out = body;
        return ERR_OK;
    }
    if (slice_eq_ci(encoding, SLICE("base64")))
        e = codec_unbase64(body, true, work);
    else if (slice_eq_ci(encoding, SLICE("quoted-printable")))
        e = quoted_printable(body, work);
    if (e)
        return e;
    *out = slice_sub(buf_slice(work), before, work->n);
    return ERR_OK;
}
