/* Textual SI, SL and CO to WBXML, see ota/wbxml.h: libxml2's SAX2 parser in front, the tables of
 * ota/wbxml_tables.h behind, tokens written as the elements pass.  No tree, and nothing is loaded or expanded: a
 * DOCTYPE is read, an internal subset is refused before its first declaration.  The only file of the room that
 * includes libxml2.
 * Specification: WBXML 1.2 §5 and §7, [OTA-HTTP §9.4], XML 1.0 (5th ed.).  Any thread. */
#include "ota/wbxml.h"

#include <libxml/parser.h>
#include "ota/wbxml_tables.h"
#include "ota/wbxml_text.h"
#include "base/xml/sax.h"

/* Global tokens, WBXML 1.2 §7.1. */
#define TOKEN_END     0x01
#define TOKEN_STR_I   0x03
#define TOKEN_OPAQUE  0xC3
#define TAG_CONTENT   0x40
#define TAG_ATTRS     0x80

#define WBXML_VERSION 0x02 /* 1.2 */
#define CHARSET_UTF8  0x6A

/* No decoder makes more than two octets of one. */
#define UTF8_MAX_N    (2 * OTA_WBXML_TEXT_MAX_N + 8)

/* One open element. */
struct frame {
    const struct ota_wbxml_elem *elem;
    size_t at;    /* its tag in the output */
    uint8_t last; /* token of the latest child, 0: none yet */
    bool has_content;
};

struct tokeniser {
    const struct ota_wbxml_vocab *vocab;
    xmlParserCtxtPtr ctxt;
    struct buf *out;
    struct buf text; /* of the open element, when that may hold some */
    struct frame stack[OTA_WBXML_DEPTH_MAX];
    size_t depth;
    enum err err; /* first failure; later events are ignored */
};

static void refuse(struct tokeniser *t, enum err e)
{
    if (!t->err)
        t->err = e;
}

static void put(struct buf *out, unsigned octet)
{
    buf_add_ch(out, (char)octet);
}

/* STR_I termstr; nothing for nothing.  XML knows no NUL. */
static void put_string(struct buf *out, struct slice s)
{
    if (s.n == 0)
        return;
    put(out, TOKEN_STR_I);
    buf_add(out, s);
    put(out, '\0');
}

/* What a start token left of an attribute value: value tokens and the strings between them (WBXML 1.2 §5.8.3). */
static void put_value(struct buf *out, struct slice v)
{
    size_t from = 0, i = 0, n = 0;

    while (i < v.n) {
        uint8_t token = ota_wbxml_value_token(slice_sub(v, i, v.n), &n);

        if (!token) {
            i++;
            continue;
        }
        put_string(out, slice_sub(v, from, i - from));
        put(out, token);
        i += n;
        from = i;
    }
    put_string(out, slice_sub(v, from, v.n));
}

static enum err put_date(struct buf *out, struct slice v)
{
    uint8_t bcd[OTA_WBXML_DATE_MAX_N];
    size_t n;
    enum err e = ota_wbxml_date(v, bcd, &n);

    if (e)
        return e;
    put(out, TOKEN_OPAQUE);
    put(out, (unsigned)n);
    buf_add(out, slice_of(bcd, n));
    return ERR_OK;
}

static bool is_name_ch(unsigned char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '.' ||
           ch == '-' || ch == '_' || ch == ':' || ch >= 0x80;
}

static bool is_name_token(struct slice v)
{
    size_t i = 0;

    while (i < v.n && is_name_ch((unsigned char)v.p[i]))
        i++;
    return v.n > 0 && i == v.n;
}

/* The row with the longest value that v begins with, or for a word is; blanks around all but text do not count
 * (XML 1.0 §3.3.3) and are cut off *v. */
static const struct ota_wbxml_attr *find_attr(const struct ota_wbxml_elem *e, struct slice name,
                                              struct slice *v)
{
    const struct ota_wbxml_attr *best = NULL;

    for (size_t i = 0; i < e->attrs_n; i++) {
        const struct ota_wbxml_attr *a = &e->attrs[i];
        struct slice value = slice_str(a->value);

        if (!slice_eq(name, slice_str(a->name)))
            continue;
        if (a->type != OTA_WBXML_TEXT)
            *v = slice_trim(*v);
        if (a->type == OTA_WBXML_WORD ? !slice_eq(*v, value) : !slice_starts(*v, value))
            continue;
        if (!best || value.n > strlen(best->value))
            best = a;
    }
    return best;
}

static enum err put_attr(struct buf *out, const struct ota_wbxml_elem *e, struct slice name, struct slice v)
{
    const struct ota_wbxml_attr *a = find_attr(e, name, &v);

    if (!a || (a->type == OTA_WBXML_NAME && !is_name_token(v)))
        return ERR_MALFORMED;
    put(out, a->token);
    if (a->type == OTA_WBXML_DATE)
        return put_date(out, v);
    put_value(out, slice_sub(v, strlen(a->value), v.n));
    return ERR_OK;
}

/* Sets a bit of a tag that was written before. */
static void mark_tag(const struct tokeniser *t, size_t at, unsigned bit)
{
    if (!buf_err(t->out))
        t->out->p[at] = (char)((unsigned char)t->out->p[at] | bit);
}

/* libxml2 hands over five pointers an attribute: name, prefix, namespace, value, end of value. */
static void put_attrs(struct tokeniser *t, const struct frame *f, int n, const xmlChar **v)
{
    const char *required = f->elem->required;

    if (n > 0)
        mark_tag(t, f->at, TAG_ATTRS);
    for (int i = 0; i < n; i++, v += 5) {
        const char *name = (const char *)v[0];

        if (v[1] || put_attr(t->out, f->elem, slice_str(name), slice_of(v[3], (size_t)(v[4] - v[3]))))
            refuse(t, ERR_MALFORMED);
        else if (required && strcmp(name, required) == 0)
            required = NULL;
    }
    if (n > 0)
        put(t->out, TOKEN_END);
    if (required)
        refuse(t, ERR_MALFORMED);
}

/* The element, if the grammar has it here; NULL otherwise. */
static const struct ota_wbxml_elem *admit(const struct tokeniser *t, const char *name)
{
    const struct frame *parent = t->depth ? &t->stack[t->depth - 1] : NULL;

    for (size_t i = 0; i < t->vocab->elems_n; i++) {
        const struct ota_wbxml_elem *e = &t->vocab->elems[i];

        if (strcmp(e->name, name) == 0 && e->parent == (parent ? parent->elem->token : 0))
            return e->many || !parent || parent->last == e->after ? e : NULL;
    }
    return NULL;
}

static void has_content(struct tokeniser *t, struct frame *f)
{
    f->has_content = true;
    mark_tag(t, f->at, TAG_CONTENT);
}

static void start(struct tokeniser *t, const struct ota_wbxml_elem *e, int attrs_n, const xmlChar **attrs)
{
    struct frame *f = &t->stack[t->depth];

    if (t->depth > 0) {
        has_content(t, f - 1);
        f[-1].last = e->token;
    }
    *f = (struct frame){.elem = e, .at = t->out->n};
    t->depth++;
    buf_reset(&t->text, UTF8_MAX_N);
    put(t->out, e->token);
    put_attrs(t, f, attrs_n, attrs);
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int ns_n,
                     const xmlChar **ns, int attrs_n, int defaulted_n, const xmlChar **attrs)
{
    struct tokeniser *t = arg;
    const struct ota_wbxml_elem *e;

    (void)ns;
    (void)defaulted_n;
    if (t->err)
        return;
    e = prefix || uri || ns_n > 0 ? NULL : admit(t, (const char *)name); /* none of them has a namespace */
    if (e)
        start(t, e, attrs_n, attrs);
    else
        refuse(t, ERR_MALFORMED);
    if (t->err)
        xmlStopParser(t->ctxt);
}

/* Text without the blanks around it, which are how the document was laid out: the examples of the
 * specification leave them out, too. */
static struct slice inner_text(struct slice s)
{
    while (s.n > 0 && ota_wbxml_is_blank((unsigned char)s.p[s.n - 1]))
        s.n--;
    while (s.n > 0 && ota_wbxml_is_blank((unsigned char)s.p[0]))
        s = slice_sub(s, 1, s.n);
    return s;
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct tokeniser *t = arg;
    struct frame *f;

    (void)name;
    (void)prefix;
    (void)uri;
    if (t->err)
        return;
    f = &t->stack[--t->depth];
    if (f->elem->content == OTA_WBXML_PCDATA) {
        struct slice text = inner_text(buf_slice(&t->text));

        if (buf_err(&t->text))
            refuse(t, buf_err(&t->text));
        if (text.n > 0)
            has_content(t, f);
        put_string(t->out, text);
    }
    if (f->elem->content == OTA_WBXML_ELEMENTS && !f->has_content)
        refuse(t, ERR_MALFORMED);
    if (f->has_content)
        put(t->out, TOKEN_END);
    if (t->err)
        xmlStopParser(t->ctxt);
}

static void on_text(void *arg, const xmlChar *text, int n)
{
    struct tokeniser *t = arg;
    struct slice s = slice_of(text, (size_t)n);

    if (t->err || t->depth == 0)
        return;
    if (t->stack[t->depth - 1].elem->content == OTA_WBXML_PCDATA)
        buf_add(&t->text, s);
    else if (inner_text(s).n > 0)
        refuse(t, ERR_MALFORMED);
    if (t->err)
        xmlStopParser(t->ctxt);
}

/* libxml2 calls this behind the external identifier, which nothing follows up: what comes next is '>' or the
 * internal subset. */
static void on_doctype(void *arg, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
    struct tokeniser *t = arg;

    (void)public_id;
    (void)system_id;
    if (strcmp((const char *)name, t->vocab->elems[0].name) != 0 || *t->ctxt->input->cur != '>')
        refuse(t, ERR_MALFORMED);
    if (t->err)
        xmlStopParser(t->ctxt);
}

/* Warnings refuse, too: to a document with a DOCTYPE an unknown entity is no more than that. */
static void on_error(void *arg, xmlErrorPtr error)
{
    refuse(arg, error->code == XML_ERR_NO_MEMORY ? ERR_NOMEM : ERR_MALFORMED);
}

static void run(struct tokeniser *t, struct slice utf8)
{
    const xmlSAXHandler sax = {
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .internalSubset = on_doctype,
        .serror = on_error,
    };
    enum err e = xml_sax_run(&sax, t, utf8, &t->ctxt);

    if (e)
        refuse(t, e);
}

/* Appends the document in UTF-8 by one of libxml2's decoders. */
static enum err decode(const char *from, struct slice xml, struct buf *out)
{
    xmlCharEncodingHandlerPtr decoder = xmlFindCharEncodingHandler(from);
    int in_n = (int)xml.n, out_n = in_n * 2 + 8;
    char *to = buf_room(out, (size_t)out_n);
    enum err e = ERR_OK;

    if (!decoder || !decoder->input)
        e = ERR_UNSUPPORTED;
    else if (!to)
        e = buf_err(out);
    else if (decoder->input((unsigned char *)to, &out_n, (const unsigned char *)xml.p, &in_n) < 0 ||
             (size_t)in_n != xml.n)
        e = ERR_MALFORMED;
    else
        buf_commit(out, (size_t)out_n);
    if (decoder)
        (void)xmlCharEncCloseFunc(decoder);
    return e;
}

static enum err tokenise(const struct ota_wbxml_vocab *vocab, struct slice utf8, struct buf *out)
{
    struct tokeniser t = {.vocab = vocab, .out = out, .err = ota_wbxml_check_text(&utf8)};

    if (t.err)
        return t.err;
    buf_init(&t.text, UTF8_MAX_N);
    put(out, WBXML_VERSION);
    put(out, vocab->public_id);
    put(out, CHARSET_UTF8);
    put(out, 0); /* octets of the string table */
    run(&t, utf8);
    buf_clear(&t.text);
    return t.err ? t.err : buf_err(out);
}

struct slice ota_wbxml_type(struct slice content_type)
{
    const struct ota_wbxml_vocab *vocab = ota_wbxml_vocab_find(content_type);

    return vocab ? vocab->tokenised : SLICE_NONE;
}

enum err ota_wbxml_from_text(struct slice content_type, struct slice xml, struct buf *out)
{
    const struct ota_wbxml_vocab *vocab = ota_wbxml_vocab_find(content_type);
    const char *from = vocab ? ota_wbxml_encoding(content_type, xml) : NULL;
    struct buf utf8;
    enum err e;

    if (!from)
        return ERR_UNSUPPORTED;
    if (xml.n > OTA_WBXML_TEXT_MAX_N)
        return ERR_LIMIT;
    if (strcmp(from, "UTF-8") == 0)
        return tokenise(vocab, xml, out);
    buf_init(&utf8, UTF8_MAX_N);
    e = decode(from, xml, &utf8);
    if (!e)
        e = tokenise(vocab, buf_slice(&utf8), out);
    buf_clear(&utf8);
    return e;
}
