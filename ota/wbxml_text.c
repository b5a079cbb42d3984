/* Encoding, shape and dates of a textual document, see ota/wbxml_text.h.  Any thread. */
#include "ota/wbxml_text.h"

#include "base/codec.h"
#include "base/scan.h"

#define UTF8_MARK       SLICE("\xEF\xBB\xBF")
#define DECLARATION_MAX 256 /* octets of an XML declaration */
#define PARAMETER_MAX   128 /* octets of a parameter of the media type */

bool ota_wbxml_is_blank(unsigned char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

/* By its octets, NULL when they do not tell (XML 1.0 appendix F). */
static const char *encoding_of_octets(struct slice xml)
{
    if (slice_starts(xml, SLICE("\xFF\xFE")) || slice_starts(xml, SLICE("<\0")))
        return "UTF-16LE";
    if (slice_starts(xml, SLICE("\xFE\xFF")) || slice_starts(xml, SLICE("\0<")))
        return "UTF-16BE";
    return slice_starts(xml, UTF8_MARK) ? "UTF-8" : NULL;
}

/* UTF-16 is not among them: a document that is would have been known by its octets. */
static const char *encoding_of_name(struct slice name)
{
    static const struct {
        const char *name, *encoding;
    } rows[] = {
        {"utf-8", "UTF-8"},           {"utf8", "UTF-8"},
        {"us-ascii", "ASCII"},        {"ascii", "ASCII"},
        {"iso-8859-1", "ISO-8859-1"}, {"iso_8859-1", "ISO-8859-1"},
        {"latin1", "ISO-8859-1"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (slice_eq_ci(name, slice_str(rows[i].name)))
            return rows[i].encoding;
    return NULL;
}

/* S? "=" S? literal, the literal empty when that is not next. */
static struct slice pseudo_value(struct slice text)
{
    struct scan s = scan_of(text);
    struct slice value;
    int quote;

    while (ota_wbxml_is_blank((unsigned char)scan_peek(&s)) || scan_peek(&s) == '=')
        s.p++;
    quote = scan_peek(&s);
    if (quote != '"' && quote != '\'')
        return SLICE_NONE;
    scan_ch(&s, (char)quote);
    value = scan_until(&s, (char)quote, DECLARATION_MAX);
    return scan_done(&s) ? SLICE_NONE : value;
}

/* The encoding an XML declaration names, if it does.  Only read here, judged by libxml2. */
static struct slice declared_encoding(struct slice xml)
{
    struct slice declaration = slice_sub(xml, 0, DECLARATION_MAX), name = SLICE("encoding");
    size_t at = slice_find_slice(declaration, SLICE("?>"));

    if (at == SIZE_MAX || !slice_starts(xml, SLICE("<?xml")))
        return SLICE_NONE;
    declaration = slice_sub(declaration, 0, at);
    at = slice_find_slice(declaration, name);
    if (at == SIZE_MAX)
        return SLICE_NONE;
    return pseudo_value(slice_sub(declaration, at + name.n, declaration.n));
}

/* *( OWS ";" OWS token "=" value ) behind the media type (RFC 9110 §8.3.1). */
static struct slice charset_parameter(struct slice content_type)
{
    struct slice bare, parameters, name, value;
    struct scan s;

    if (!slice_cut(content_type, ';', &bare, &parameters))
        return SLICE_NONE;
    s = scan_of(parameters);
    while (!scan_done(&s)) {
        scan_lws(&s, 0);
        name = scan_token(&s, PARAMETER_MAX);
        scan_ch(&s, '=');
        value = scan_token_or_quoted(&s, PARAMETER_MAX);
        if (!s.err && slice_eq_ci(name, SLICE("charset")))
            return value;
        scan_lws(&s, 0);
        if (!scan_done(&s))
            scan_ch(&s, ';');
    }
    return SLICE_NONE;
}

const char *ota_wbxml_encoding(struct slice content_type, struct slice xml)
{
    const char *encoding = encoding_of_octets(xml);
    struct slice name = declared_encoding(xml);

    if (encoding)
        return encoding;
    if (!name.p)
        name = charset_parameter(content_type);
    return name.p ? encoding_of_name(name) : "UTF-8";
}

/* All up to and with `close`; false when `open` is not next. */
static bool skip_between(struct scan *s, struct slice open, struct slice close)
{
    struct slice left = scan_left(s);
    size_t n;

    if (!slice_starts(left, open))
        return false;
    n = slice_find_slice(slice_sub(left, open.n, left.n), close);
    if (n == SIZE_MAX)
        scan_fail(s, ERR_MALFORMED);
    else
        s->p += open.n + n + close.n;
    return true;
}

/* A tag or a DOCTYPE: quoted values and what is between them, without any '<' (XML 1.0 §2.4, §3.1). */
static void skip_tag(struct scan *s)
{
    size_t values = 0;

    scan_ch(s, '<');
    while (!s->err && !scan_skip_ch(s, '>')) {
        int ch = scan_peek(s);

        if (ch < 0 || ch == '<') {
            scan_fail(s, ERR_MALFORMED);
        } else if (ch != '"' && ch != '\'') {
            s->p++;
        } else if (++values > OTA_WBXML_ATTRS_MAX) {
            scan_fail(s, ERR_LIMIT);
        } else {
            scan_ch(s, (char)ch);
            if (slice_find(scan_until(s, (char)ch, SIZE_MAX), '<') != SIZE_MAX)
                scan_fail(s, ERR_MALFORMED);
            scan_ch(s, (char)ch);
        }
    }
}

/* The first octet matters because libxml2 would look there for an encoding of its own, EBCDIC among them, and what
 * was checked here would not be what it reads.  In a CDATA section it takes overlong UTF-8. */
enum err ota_wbxml_check_text(struct slice *utf8)
{
    struct scan s = scan_of(slice_starts(*utf8, UTF8_MARK) ? slice_sub(*utf8, UTF8_MARK.n, utf8->n) : *utf8);

    *utf8 = scan_left(&s);
    if (utf8->n == 0 || !(utf8->p[0] == '<' || ota_wbxml_is_blank((unsigned char)utf8->p[0])) ||
        memchr(utf8->p, '\0', utf8->n) || !codec_is_utf8(*utf8))
        return ERR_MALFORMED;
    while (!scan_done(&s)) {
        (void)scan_until(&s, '<', SIZE_MAX);
        if (!scan_done(&s) && !skip_between(&s, SLICE("<!--"), SLICE("-->")) &&
            !skip_between(&s, SLICE("<![CDATA["), SLICE("]]>")) &&
            !skip_between(&s, SLICE("<?"), SLICE("?>")))
            skip_tag(&s);
    }
    return s.err;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* The day is never zero, so four octets at least stay. */
enum err ota_wbxml_date(struct slice text, uint8_t bcd[OTA_WBXML_DATE_MAX_N], size_t *n)
{
    static const char marks[] = "--T::";
    enum { CENTURY, YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, PARTS };
    uint32_t part[PARTS];
    size_t used = PARTS;
    struct scan s = scan_of(text);

    part[CENTURY] = scan_digits(&s, 2);
    part[YEAR] = scan_digits(&s, 2);
    for (size_t i = MONTH; i < PARTS; i++) {
        scan_ch(&s, marks[i - MONTH]);
        part[i] = scan_digits(&s, 2);
    }
    scan_ch(&s, 'Z');
    scan_end(&s);
    if (s.err || part[MONTH] < 1 || part[MONTH] > 12 || part[HOUR] > 23 || part[MINUTE] > 59 ||
        part[SECOND] > 59)
        return ERR_MALFORMED;
    if (part[DAY] < 1 || part[DAY] > days_of_month(part[CENTURY] * 100 + part[YEAR], part[MONTH]))
        return ERR_MALFORMED;
    while (part[used - 1] == 0)
        used--;
    for (size_t i = 0; i < used; i++)
        bcd[i] = (uint8_t)(part[i] / 10 << 4 | part[i] % 10);
    *n = used;
    return ERR_OK;
}
