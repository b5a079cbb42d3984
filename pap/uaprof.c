/* User agent profiles; see pap/uaprof.h.  libxml2's SAX2 parser (base/xml/sax.h) under the rules of the control entity: the DOCTYPE
 * is cut off before, attributes are counted before, depth and sizes have ceilings.
 *
 * How a profile is read.  Components differ in how deep they stand and in whether rdf:Description wraps them, so only
 * names count: a property that is known is taken wherever it stands, its value being the text in it, or each rdf:li of
 * a container in it, or an attribute of that name.  Whatever else holds a value is counted and skipped.
 * Specification: UAProf (WAP-248, OMA UAProf 2.0), CC/PP 1.0, RDF/XML. */
#include "pap/uaprof.h"

#include <libxml/parser.h>
#include "base/num.h"
#include "base/scan.h"
#include "base/xml/sax.h"
#include "pap/decode.h"
#include "pap/prescan.h"

#define TEXT_MAX_N PAP_UAPROF_LIST_N /* octets of one property's text or of one item, blanks included */
#define NUMBER_MAX UINT32_MAX

enum list { ACCEPT, CHARSETS, ENCODINGS, LANGUAGES, APP_IDS, LISTS };
enum number { SIZE, OUTSTANDING, NUMBERS };

/* What stands before what, best first. */
enum rank { PUSH, PUSH_DEFAULT, BROWSER, BROWSER_DEFAULT, RANKS };

struct property {
    const char *name;
    bool is_number;
    unsigned at; /* enum list or enum number */
    enum rank rank;
};

static const struct property properties[] = {
    {"Push-Accept", false, ACCEPT, PUSH},
    {"Push-Accept-Charset", false, CHARSETS, PUSH},
    {"Push-Accept-Encoding", false, ENCODINGS, PUSH},
    {"Push-Accept-Language", false, LANGUAGES, PUSH},
    {"Push-Accept-AppID", false, APP_IDS, PUSH},
    {"Push-MsgSize", true, SIZE, PUSH},
    {"Push-MaxPushReq", true, OUTSTANDING, PUSH},
    {"CcppAccept", false, ACCEPT, BROWSER},
    {"CcppAccept-Charset", false, CHARSETS, BROWSER},
    {"CcppAccept-Encoding", false, ENCODINGS, BROWSER},
    {"CcppAccept-Language", false, LANGUAGES, BROWSER},
};

/* One open element. */
struct frame {
    enum { OTHER, CONTAINER, ITEM, KNOWN, DEFAULTS } kind;
    bool valued; /* OTHER: there was text in it */
};

struct reader {
    xmlParserCtxtPtr ctxt;
    struct frame frames[PAP_UAPROF_DEPTH];
    size_t depth;
    const struct property *property; /* open; NULL: none */
    size_t property_at;              /* its frame */
    size_t defaults;                 /* such elements open */
    struct buf text;                 /* of the property or the item, so far */
    struct buf lists[LISTS][RANKS];
    uint64_t numbers[NUMBERS][RANKS];
    size_t skipped;
    enum err err;
    const char *why;
};

static void refuse(struct reader *r, enum err e, const char *why)
{
    if (r->err)
        return;
    r->err = e;
    r->why = why;
}

static bool is_blank(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\n' && s.p[i] != '\r')
            return false;
    return true;
}

/* Without white space at both ends, line ends included. */
static struct slice strip(struct slice s)
{
    while (s.n && is_blank(slice_of(s.p, 1)))
        s = slice_sub(s, 1, SIZE_MAX);
    while (s.n && is_blank(slice_of(s.p + s.n - 1, 1)))
        s.n--;
    return s;
}

/* Visible ASCII and blanks, and nothing that would end the item or begin a quoted string in a list. */
static bool item_ok(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];

        if (ch < ' ' || ch >= 0x7F || ch == '"' || ch == ',')
            return false;
    }
    return s.n > 0 && s.n <= PAP_UAPROF_ITEM_N;
}

static void list_add(struct buf *list, struct slice item)
{
    if (list->n)
        buf_add(list, SLICE(", "));
    buf_add(list, item);
}

/* Items separated by commas, as one text or as one rdf:li each. */
static void take_list(struct reader *r, struct buf *list, struct slice text)
{
    struct slice item, rest = text;
    bool more = true;

    while (more && !r->err) {
        more = slice_cut(rest, ',', &item, &rest);
        item = strip(item);
        if (item.n && !item_ok(item))
            refuse(r, ERR_MALFORMED, "an item that could not stand in a list");
        else if (item.n)
            list_add(list, item);
        if (buf_err(list))
            refuse(r, buf_err(list), "a list too long");
    }
}

static void take_number(struct reader *r, uint64_t *number, struct slice text)
{
    struct scan s = scan_of(text);
    uint64_t n = scan_u64(&s, 0, NUMBER_MAX);

    scan_end(&s);
    if (s.err)
        refuse(r, s.err, "a size or count that is no number");
    else
        *number = n;
}

static void take_value(struct reader *r, const struct property *p, struct slice text)
{
    unsigned rank = p->rank + (r->defaults ? 1 : 0);

    text = strip(text);
    if (!text.n)
        return;
    if (p->is_number)
        take_number(r, &r->numbers[p->at][rank], text);
    else
        take_list(r, &r->lists[p->at][rank], text);
}

static void take_text(struct reader *r)
{
    if (buf_err(&r->text))
        refuse(r, buf_err(&r->text), "a value too long");
    else
        take_value(r, r->property, buf_slice(&r->text));
    buf_reset(&r->text, TEXT_MAX_N);
}

/* --- names --- */

/* The namespace of RDF, in any of the spellings it had. */
static bool is_rdf(const xmlChar *uri)
{
    return uri && slice_find_slice(slice_str((const char *)uri), SLICE("rdf-syntax")) != SIZE_MAX;
}

static const struct property *property_find(struct slice name)
{
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++)
        if (slice_eq(name, slice_str(properties[i].name)))
            return &properties[i];
    return NULL;
}

/* rdf:li, rdf:_1, rdf:_2 .. */
static bool is_item_name(struct slice name)
{
    return slice_eq(name, SLICE("li")) || (name.n > 1 && name.p[0] == '_');
}

/* --- events --- */

static struct frame open_rdf(struct reader *r, struct slice name)
{
    if (!r->property || !is_item_name(name))
        return (struct frame){.kind = CONTAINER};
    take_text(r); /* what stood before the item */
    return (struct frame){.kind = ITEM};
}

static struct frame open_other(struct reader *r, struct slice name)
{
    const struct property *p = property_find(name);

    if (p && !r->property) {
        r->property = p;
        r->property_at = r->depth;
        return (struct frame){.kind = KNOWN};
    }
    if (slice_eq_ci(name, SLICE("defaults"))) {
        r->defaults++;
        return (struct frame){.kind = DEFAULTS};
    }
    return (struct frame){.kind = OTHER};
}

/* libxml2 hands over five pointers an attribute: name, prefix, namespace, value, end of value. */
static void attributes(struct reader *r, int n, const xmlChar **v)
{
    for (; n > 0; n--, v += 5) {
        const struct property *p = property_find(slice_str((const char *)v[0]));

        if (p && v[2] && !is_rdf(v[2]))
            take_value(r, p, slice_of(v[3], (size_t)(v[4] - v[3])));
        else if (v[2] && !is_rdf(v[2]) && !slice_eq(slice_str((const char *)v[1]), SLICE("xml")))
            r->skipped++;
    }
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int ns_n,
                     const xmlChar **ns, int attrs_n, int defaulted_n, const xmlChar **attrs)
{
    struct reader *r = arg;
    struct slice local = slice_str((const char *)name);

    (void)prefix;
    (void)ns_n;
    (void)ns;
    (void)defaulted_n;
    if (r->err)
        return;
    if (r->depth == PAP_UAPROF_DEPTH)
        refuse(r, ERR_LIMIT, "nested too deeply");
    else if (r->depth == 0 && (!is_rdf(uri) || !slice_eq(local, SLICE("RDF"))))
        refuse(r, ERR_MALFORMED, "not RDF");
    if (!r->err) {
        r->frames[r->depth] = is_rdf(uri) ? open_rdf(r, local) : open_other(r, local);
        r->depth++;
        attributes(r, attrs_n, attrs);
    }
    if (r->err)
        xmlStopParser(r->ctxt);
}

static void close_frame(struct reader *r, const struct frame *f)
{
    if (f->kind == DEFAULTS)
        r->defaults--;
    if (f->kind == OTHER && f->valued)
        r->skipped++;
    if (r->property && (f->kind == ITEM || r->depth == r->property_at))
        take_text(r);
    if (r->property && r->depth == r->property_at)
        r->property = NULL;
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reader *r = arg;

    (void)name;
    (void)prefix;
    (void)uri;
    if (r->err)
        return;
    r->depth--;
    close_frame(r, &r->frames[r->depth]);
    if (r->err)
        xmlStopParser(r->ctxt);
}

/* Text that is no known property's belongs to the nearest element that is not of RDF. */
static void note_value(struct reader *r)
{
    size_t i = r->depth;

    while (i > 0 && r->frames[i - 1].kind == CONTAINER)
        i--;
    if (i > 0)
        r->frames[i - 1].valued = true;
}

static void on_text(void *arg, const xmlChar *text, int n)
{
    struct reader *r = arg;
    struct slice s = slice_of(text, (size_t)n);

    if (r->err || r->depth == 0)
        return;
    if (r->property && (r->depth == r->property_at + 1 || r->frames[r->depth - 1].kind == ITEM))
        buf_add(&r->text, s);
    else if (!is_blank(s))
        note_value(r);
}

/* The one DOCTYPE was cut off before libxml2 saw it. */
static void on_doctype(void *arg, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
    struct reader *r = arg;

    (void)name;
    (void)public_id;
    (void)system_id;
    refuse(r, ERR_MALFORMED, "DOCTYPE not allowed here");
    xmlStopParser(r->ctxt);
}

/* --- parsing --- */

static void run(struct reader *r, struct slice doc)
{
    const xmlSAXHandler sax = {
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .internalSubset = on_doctype,
    };
    enum err e = xml_sax_run(&sax, r, doc, &r->ctxt);

    if (e)
        refuse(r, e, e == ERR_NOMEM ? "out of memory" : "not well-formed XML");
}

/* Everything before libxml2: encoding, prolog, tags. */
static void read_document(struct reader *r, struct slice xml, struct slice charset, struct buf *utf8)
{
    struct pap_prolog prolog;
    const char *why = "character encoding not supported";
    enum err e = pap_decode(pap_prescan_charset(xml, charset), xml, utf8, &xml);
    size_t at;

    if (e) {
        refuse(r, e, why);
    } else if (xml.n == 0 || memchr(xml.p, '\0', xml.n)) {
        refuse(r, ERR_MALFORMED, "empty, or a NUL octet");
    } else if (pap_prescan_prolog(xml, false, &prolog, &why)) {
        refuse(r, ERR_MALFORMED, why);
    } else if (pap_prescan_tags(prolog.rest, PAP_UAPROF_ATTRS, &at)) {
        refuse(r, ERR_LIMIT, "too many attributes");
    } else {
        run(r, prolog.rest);
    }
}

static enum err best_list(const struct reader *r, enum list list, struct arena *mem, struct slice *out)
{
    for (size_t i = 0; i < RANKS; i++)
        if (r->lists[list][i].n)
            return arena_dup(mem, buf_slice(&r->lists[list][i]), out);
    return ERR_OK;
}

static uint64_t best_number(const struct reader *r, enum number number)
{
    size_t i = 0;

    while (i + 1 < RANKS && !r->numbers[number][i])
        i++;
    return r->numbers[number][i];
}

static enum err result(const struct reader *r, struct arena *mem, struct pap_uaprof *out)
{
    struct pap_uaprof p = {.size_max = best_number(r, SIZE),
                           .outstanding_max = (uint32_t)best_number(r, OUTSTANDING),
                           .skipped = r->skipped};
    struct slice *const lists[LISTS] = {[ACCEPT] = &p.accept,
                                        [CHARSETS] = &p.charsets,
                                        [ENCODINGS] = &p.encodings,
                                        [LANGUAGES] = &p.languages,
                                        [APP_IDS] = &p.app_ids};
    enum err e = ERR_OK;

    for (unsigned i = 0; i < LISTS && !e; i++)
        e = best_list(r, (enum list)i, mem, lists[i]);
    if (!e)
        *out = p;
    return e;
}

enum err pap_uaprof_parse_as(struct slice xml, struct slice charset, struct arena *mem,
                             struct pap_uaprof *out, const char **why)
{
    struct reader r = {.err = ERR_OK};
    struct buf utf8;

    if (xml.n > PAP_UAPROF_MAX_N) {
        *why = "document too long";
        return ERR_LIMIT;
    }
    buf_init(&utf8, 0);
    buf_init(&r.text, TEXT_MAX_N);
    for (size_t i = 0; i < LISTS; i++)
        for (size_t k = 0; k < RANKS; k++)
            buf_init(&r.lists[i][k], PAP_UAPROF_LIST_N);
    read_document(&r, xml, charset, &utf8);
    if (!r.err && result(&r, mem, out))
        refuse(&r, ERR_NOMEM, "out of memory");
    if (r.err)
        *why = r.why;
    for (size_t i = 0; i < LISTS; i++)
        for (size_t k = 0; k < RANKS; k++)
            buf_clear(&r.lists[i][k]);
    buf_clear(&r.text);
    buf_clear(&utf8);
    return r.err;
}

enum err pap_uaprof_parse(struct slice xml, struct arena *mem, struct pap_uaprof *out, const char **why)
{
    return pap_uaprof_parse_as(xml, SLICE_NONE, mem, out, why);
}

/* --- printing --- */

static void print_text(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '&')
            buf_add(out, SLICE("&amp;"));
        else if (text.p[i] == '<')
            buf_add(out, SLICE("&lt;"));
        else if (text.p[i] == '>')
            buf_add(out, SLICE("&gt;"));
        else
            buf_add_ch(out, text.p[i]);
}

/* In UAProf languages are in order of preference: a Seq; the others a Bag. */
static void print_list(struct buf *out, const char *name, const char *container, struct slice list)
{
    struct slice item;
    size_t start = out->n;
    bool any = false;

    buf_addf(out, "   <prf:%s>\n    <rdf:%s>\n", name, container);
    while (slice_item(&list, &item)) {
        if (!item_ok(item))
            continue;
        any = true;
        buf_add(out, SLICE("     <rdf:li>"));
        print_text(out, item);
        buf_add(out, SLICE("</rdf:li>\n"));
    }
    buf_addf(out, "    </rdf:%s>\n   </prf:%s>\n", container, name);
    if (!any)
        buf_cut(out, start);
}

static void print_number(struct buf *out, const char *name, uint64_t n)
{
    if (n)
        buf_addf(out, "   <prf:%s>%llu</prf:%s>\n", name, (unsigned long long)n, name);
}

enum err pap_uaprof_print(const struct pap_uaprof *p, struct buf *out)
{
    static const char head[] =
        "<?xml version=\"1.0\"?>\n"
        "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"\n"
        "    xmlns:prf=\"http://www.openmobilealliance.org/tech/profiles/UAPROF/ccppschema-20021212#\">\n"
        " <rdf:Description rdf:ID=\"Profile\">\n"
        "  <prf:component>\n"
        "  <rdf:Description rdf:ID=\"PushCharacteristics\">\n"
        "   <rdf:type "
        "rdf:resource=\"http://www.openmobilealliance.org/tech/profiles/UAPROF/"
        "ccppschema-20021212#PushCharacteristics\"/>\n";

    buf_add_str(out, head);
    print_list(out, "Push-Accept", "Bag", p->accept);
    print_list(out, "Push-Accept-Charset", "Bag", p->charsets);
    print_list(out, "Push-Accept-Encoding", "Bag", p->encodings);
    print_list(out, "Push-Accept-Language", "Seq", p->languages);
    print_list(out, "Push-Accept-AppID", "Bag", p->app_ids);
    print_number(out, "Push-MsgSize", num_min(p->size_max, NUMBER_MAX));
    print_number(out, "Push-MaxPushReq", p->outstanding_max);
    buf_add_str(out, "  </rdf:Description>\n  </prf:component>\n </rdf:Description>\n</rdf:RDF>\n");
    return buf_err(out);
}
