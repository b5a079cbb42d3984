/* Encoding, prolog and attribute counts of a document, see pap/prescan.h.  Any thread. */
#include "pap/prescan.h"

#include "base/scan.h"

#define LITERAL_MAX_N 512  /* public, system identifier, version list */
#define MISC_MAX_N    4096 /* a comment or an instruction before the root element */

static bool is_space(unsigned char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

static bool is_name_ch(unsigned char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_' ||
           ch == ':' || ch == '-' || ch == '.' || ch >= 0x80;
}

/* S?  True when there was some. */
static bool skip_space(struct scan *s)
{
    const char *from = s->p;

    while (!s->err && s->p < s->end && is_space((unsigned char)*s->p))
        s->p++;
    return s->p != from;
}

static void need_space(struct scan *s)
{
    if (!skip_space(s))
        scan_fail(s, ERR_MALFORMED);
}

static bool ahead(const struct scan *s, struct slice what)
{
    return slice_starts(scan_left(s), what);
}

/* These octets, if next. */
static bool skip_lit(struct scan *s, struct slice what)
{
    if (!ahead(s, what))
        return false;
    scan_lit(s, what);
    return true;
}

/* "..." or '...' */
static struct slice literal(struct scan *s)
{
    int quote = scan_peek(s);
    struct slice v;

    if (quote != '"' && quote != '\'') {
        scan_fail(s, ERR_MALFORMED);
        return SLICE_NONE;
    }
    scan_ch(s, (char)quote);
    v = scan_until(s, (char)quote, LITERAL_MAX_N);
    scan_ch(s, (char)quote);
    return v;
}

/* name S? "=" S? literal */
static struct slice pseudo_attr(struct scan *s, struct slice name)
{
    scan_lit(s, name);
    (void)skip_space(s);
    scan_ch(s, '=');
    (void)skip_space(s);
    return literal(s);
}

/* All up to and with `stop`, which must come within MISC_MAX_N octets. */
static struct slice through(struct scan *s, struct slice stop)
{
    struct slice left = scan_left(s);
    size_t n = slice_find_slice(slice_sub(left, 0, MISC_MAX_N), stop);

    if (n == SIZE_MAX) {
        scan_fail(s, ERR_MALFORMED);
        return SLICE_NONE;
    }
    scan_lit(s, slice_sub(left, 0, n + stop.n));
    return slice_sub(left, 0, n);
}

/* "<?xml" S version [S encoding] [S standalone] S? "?>" (XML 1.0 §2.8).  Nothing is read when there is none. */
static void xml_declaration(struct scan *s, struct slice *encoding)
{
    struct slice left = scan_left(s);

    *encoding = SLICE_NONE;
    if (!slice_starts(left, SLICE("<?xml")) || (left.n > 5 && is_name_ch((unsigned char)left.p[5])))
        return;
    scan_lit(s, SLICE("<?xml"));
    need_space(s);
    if (!slice_starts(pseudo_attr(s, SLICE("version")), SLICE("1.")))
        scan_fail(s, ERR_MALFORMED);
    (void)skip_space(s);
    if (ahead(s, SLICE("encoding")))
        *encoding = pseudo_attr(s, SLICE("encoding"));
    (void)skip_space(s);
    if (ahead(s, SLICE("standalone")))
        (void)pseudo_attr(s, SLICE("standalone"));
    (void)skip_space(s);
    scan_lit(s, SLICE("?>"));
}

static enum pap_charset charset_of_name(struct slice name)
{
    static const struct {
        const char *name;
        enum pap_charset charset;
    } rows[] = {
        {"utf-8", PAP_CHARSET_UTF8},        {"utf8", PAP_CHARSET_UTF8},
        {"us-ascii", PAP_CHARSET_ASCII},    {"ascii", PAP_CHARSET_ASCII},
        {"iso-8859-1", PAP_CHARSET_LATIN1}, {"iso_8859-1", PAP_CHARSET_LATIN1},
        {"latin1", PAP_CHARSET_LATIN1},     {"utf-16le", PAP_CHARSET_UTF16LE},
        {"utf-16be", PAP_CHARSET_UTF16BE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (slice_eq_ci(name, slice_str(rows[i].name)))
            return rows[i].charset;
    return PAP_CHARSET_OTHER;
}

/* By its byte order mark; false when it has none. */
static bool charset_of_mark(struct slice xml, enum pap_charset *out)
{
    if (slice_starts(xml, SLICE("\xEF\xBB\xBF")))
        *out = PAP_CHARSET_UTF8;
    else if (slice_starts(xml, SLICE("\xFF\xFE\0\0")) || slice_starts(xml, SLICE("\0\0\xFE\xFF")))
        *out = PAP_CHARSET_OTHER; /* four octets a character */
    else if (slice_starts(xml, SLICE("\xFF\xFE")))
        *out = PAP_CHARSET_UTF16LE;
    else if (slice_starts(xml, SLICE("\xFE\xFF")))
        *out = PAP_CHARSET_UTF16BE;
    else
        return false;
    return true;
}

/* By its first octets, which are those of '<', and then as the XML declaration says. */
static enum pap_charset charset_of_text(struct slice xml)
{
    struct scan s = scan_of(xml);
    struct slice name;

    if (xml.n >= 2 && xml.p[0] == '<' && xml.p[1] != '\0') {
        xml_declaration(&s, &name);
        if (s.err || !name.p)
            return PAP_CHARSET_UTF8;
        /* UTF-16 claimed by a document of single octets is none. */
        return slice_starts_ci(name, SLICE("utf-16")) ? PAP_CHARSET_OTHER : charset_of_name(name);
    }
    if (slice_starts(xml, SLICE("\0\0")))
        return PAP_CHARSET_OTHER; /* four octets a character */
    if (slice_starts(xml, SLICE("<\0")))
        return PAP_CHARSET_UTF16LE;
    if (slice_starts(xml, SLICE("\0<")))
        return PAP_CHARSET_UTF16BE;
    return PAP_CHARSET_UTF8; /* or no XML at all, which the parser will say */
}

enum pap_charset pap_prescan_charset(struct slice xml, struct slice named)
{
    enum pap_charset charset;

    if (charset_of_mark(xml, &charset))
        return charset;
    if (!named.p)
        return charset_of_text(xml);
    if (!slice_eq_ci(named, SLICE("utf-16")))
        return charset_of_name(named);
    charset = charset_of_text(xml); /* which of the two, without a mark */
    return charset == PAP_CHARSET_UTF16LE || charset == PAP_CHARSET_UTF16BE ? charset : PAP_CHARSET_OTHER;
}

static enum pap_version version_of_numbers(uint32_t major, uint32_t minor)
{
    if (major == 1)
        return PAP_VERSION_1_0;
    if (major != 2)
        return PAP_VERSION_UNSUPPORTED;
    return minor > 3 ? PAP_VERSION_2_3 : (enum pap_version)(PAP_VERSION_2_0 + minor);
}

/* "2.1" and what may follow; NONE when it does not begin with a version number. */
static enum pap_version version_of_text(struct slice text)
{
    struct scan s = scan_of(text);
    uint32_t major = scan_u32(&s, 0, 9999);
    uint32_t minor;

    scan_ch(&s, '.');
    minor = scan_u32(&s, 0, 9999);
    return s.err ? PAP_VERSION_NONE : version_of_numbers(major, minor);
}

/* "-//WAPFORUM//DTD PAP 2.0//EN"; the owner and the leading sign vary.  Before 1.0 was numbered the version was
 * left out. */
static enum pap_version version_of_public(struct slice id)
{
    struct slice mark = SLICE("DTD PAP");
    size_t at = slice_find_slice(id, mark);
    struct slice tail;

    if (at == SIZE_MAX)
        return PAP_VERSION_NONE;
    tail = slice_sub(id, at + mark.n, id.n);
    if (slice_starts(tail, SLICE("//")) || tail.n == 0)
        return PAP_VERSION_1_0;
    return version_of_text(slice_trim(tail));
}

/* ".../pap_2.0.dtd" */
static enum pap_version version_of_system(struct slice id)
{
    struct slice mark = SLICE("/pap_");
    size_t at = slice_find_slice(id, mark);

    return at == SIZE_MAX ? PAP_VERSION_NONE : version_of_text(slice_sub(id, at + mark.n, id.n));
}

/* S ( "SYSTEM" S literal / "PUBLIC" S literal [S literal] ), or nothing (XML 1.0 §4.2.2). */
static enum pap_version external_id(struct scan *s, bool strict)
{
    enum pap_version v = PAP_VERSION_NONE;

    if (skip_lit(s, SLICE("SYSTEM"))) {
        need_space(s);
        return version_of_system(literal(s));
    }
    if (!skip_lit(s, SLICE("PUBLIC")))
        return v;
    need_space(s);
    v = version_of_public(literal(s));
    if (strict)
        need_space(s);
    (void)skip_space(s);
    if (strict || scan_peek(s) == '"' || scan_peek(s) == '\'')
        (void)literal(s);
    if (strict && v == PAP_VERSION_NONE)
        scan_fail(s, ERR_MALFORMED);
    return v;
}

/* "[" ( S / "<?wap-pap-ver" S supported-versions "?>" )* "]" */
static struct slice internal_subset(struct scan *s)
{
    struct slice versions = SLICE_NONE;

    scan_ch(s, '[');
    (void)skip_space(s);
    while (skip_lit(s, SLICE("<?wap-pap-ver"))) {
        need_space(s);
        versions = pseudo_attr(s, SLICE("supported-versions"));
        (void)skip_space(s);
        scan_lit(s, SLICE("?>"));
        (void)skip_space(s);
    }
    scan_ch(s, ']');
    return versions;
}

/* "<!DOCTYPE" S name [S external-id] S? [subset S?] ">" */
static void doctype(struct scan *s, bool strict, struct pap_prolog *out, const char **why)
{
    struct slice name;

    *why = "DOCTYPE";
    scan_lit(s, SLICE("<!DOCTYPE"));
    need_space(s);
    name = scan_while(s, is_name_ch, LITERAL_MAX_N);
    if (strict && !slice_eq(name, SLICE("pap")))
        scan_fail(s, ERR_MALFORMED);
    (void)skip_space(s);
    out->version = external_id(s, strict);
    (void)skip_space(s);
    if (s->err)
        return;
    *why = "internal subset";
    if (scan_peek(s) == '[')
        out->supported_versions = internal_subset(s);
    (void)skip_space(s);
    scan_ch(s, '>');
}

/* ( S / comment / PI )*  An instruction with the target "xml" is none. */
static void misc(struct scan *s)
{
    for (;;) {
        (void)skip_space(s);
        if (skip_lit(s, SLICE("<!--"))) {
            (void)through(s, SLICE("-->"));
        } else if (skip_lit(s, SLICE("<?"))) {
            struct slice pi = through(s, SLICE("?>"));

            if (slice_starts_ci(pi, SLICE("xml")) && (pi.n == 3 || !is_name_ch((unsigned char)pi.p[3])))
                scan_fail(s, ERR_MALFORMED);
        } else {
            return;
        }
    }
}

/* What stands before the root element must be markup: libxml2 guesses encodings that we do not read (EBCDIC) from the
 * first octets, and then what was looked at here is not what it parses. */
static bool markup_follows(struct slice left)
{
    size_t i = 0;

    while (i < left.n && (left.p[i] == ' ' || left.p[i] == '\t' || left.p[i] == '\r' || left.p[i] == '\n'))
        i++;
    return i == left.n || left.p[i] == '<';
}

enum err pap_prescan_prolog(struct slice utf8, bool strict, struct pap_prolog *out, const char **why)
{
    struct pap_prolog v = {PAP_VERSION_NONE, SLICE_NONE, SLICE_NONE};
    struct scan s = scan_of(utf8);
    const char *what = "XML declaration";
    struct slice encoding;

    (void)skip_lit(&s, SLICE("\xEF\xBB\xBF"));
    xml_declaration(&s, &encoding);
    if (!s.err) {
        what = "comment or instruction before the root";
        misc(&s);
    }
    if (!s.err && ahead(&s, SLICE("<!DOCTYPE")))
        doctype(&s, strict, &v, &what);
    v.rest = scan_left(&s);
    if (!s.err && !markup_follows(v.rest)) {
        what = "text before the root";
        s.err = ERR_MALFORMED;
    }
    if (s.err) {
        *why = what;
        return ERR_MALFORMED;
    }
    *out = v;
    return ERR_OK;
}

/* Position behind `what`, NULL when it does not come. */
static const char *behind(const char *p, const char *end, struct slice what)
{
    size_t at = slice_find_slice(slice_of(p, (size_t)(end - p)), what);

    return at == SIZE_MAX ? NULL : p + at + what.n;
}

/* Position of the '>' of a tag, NULL when it does not come; counts quoted values on the way. */
static const char *tag_end(const char *p, const char *end, size_t *values)
{
    while (p < end && *p != '>') {
        if (*p == '"' || *p == '\'') {
            ++*values;
            p = memchr(p + 1, *p, (size_t)(end - p - 1));
            if (!p)
                return NULL;
        }
        p++;
    }
    return p < end ? p : NULL;
}

/* Position behind what begins with "<!" or "<?", where quotes do not count, NULL when it does not end. */
static const char *skip_markup(const char *p, const char *end)
{
    struct slice left = slice_of(p, (size_t)(end - p));

    if (slice_starts(left, SLICE("<!--")))
        return behind(p + 4, end, SLICE("-->"));
    if (slice_starts(left, SLICE("<![CDATA[")))
        return behind(p + 9, end, SLICE("]]>"));
    return slice_starts(left, SLICE("<?")) ? behind(p + 2, end, SLICE("?>")) : p + 2;
}

enum err pap_prescan_tags(struct slice utf8, size_t attributes_max, size_t *at)
{
    const char *end = utf8.p + utf8.n;
    const char *p = utf8.p;

    while (p && p < end && (p = memchr(p, '<', (size_t)(end - p)))) {
        const char *tag = p;
        size_t values = 0;

        if (end - p > 1 && (p[1] == '!' || p[1] == '?')) {
            p = skip_markup(p, end);
            continue;
        }
        p = tag_end(p + 1, end, &values);
        if (values > attributes_max) {
            *at = (size_t)(tag - utf8.p);
            return ERR_LIMIT;
        }
    }
    return ERR_OK;
}
