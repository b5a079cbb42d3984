/* XML to struct pap_message, see pap/parse.h: libxml2's SAX2 push parser in front, the tables of pap/vocab.h
 * behind.
 * Specification: PAP 1.0 to 2.3 DTDs, XML 1.0 (5th ed.).  A parser belongs to one thread at a time. */
#include "pap/parse.h"

#include <libxml/parser.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/scan.h"
#include "pap/decode.h"
#include "pap/prescan.h"
#include "pap/time.h"
#include "pap/vocab.h"

/* libxml2 keeps every name it has seen in the context; past this many, or this many octets, the context is
 * replaced. */
#define NAMES_MAX   1024
#define NAMES_MAX_N (256 * 1024)

/* One open element. */
struct frame {
    enum pap_elem elem;
    void *body;                    /* its struct */
    size_t seen[PAP_CHILDREN_MAX]; /* children so far, by row of the table */
    size_t last;                   /* row of the latest child, for their order */
};

struct pap_parser {
    xmlSAXHandler sax;
    xmlParserCtxtPtr ctxt; /* NULL until needed, and after a document that was refused */
    struct buf utf8;       /* the document when it came in another encoding */

    /* One document: */
    const struct pap_limits *limits;
    struct arena *arena;
    struct slice doc; /* what libxml2 reads */
    struct frame stack[PAP_NESTING_MAX];
    size_t depth;
    size_t items; /* repeated children so far */
    struct pap_message m;
    struct pap_fault fault;
    bool running; /* inside libxml2 */
    enum err err; /* first failure */
};

/* Copies up to PAP_FRAGMENT_MAX characters from `from` on, control characters left out.  Without memory there
 * is no fragment. */
static void fault_fragment(struct pap_parser *p, struct slice from)
{
    size_t chars = 0, n = 0;
    char *to;

    from = slice_sub(from, 0, PAP_FRAGMENT_MAX * 4);
    to = arena_alloc(p->arena, from.n + 1);
    if (!to)
        return;
    for (size_t i = 0; i < from.n; i++) {
        unsigned char ch = (unsigned char)from.p[i];

        chars += (ch & 0xC0) != 0x80;
        if (chars > PAP_FRAGMENT_MAX)
            break;
        if (ch >= 0x20 && ch != 0x7F)
            to[n++] = (char)ch;
    }
    p->fault.fragment = n ? slice_of(to, n) : SLICE_NONE;
}

/* The fragment from the last '<' before `at` in the document. */
static void fault_at(struct pap_parser *p, size_t at)
{
    at = num_min(at, p->doc.n);
    while (at > 0 && p->doc.p[at - 1] != '<')
        at--;
    fault_fragment(p, slice_sub(p->doc, at ? at - 1 : 0, p->doc.n));
}

/* Records the first failure, with the input where libxml2 stands; words of the input may be among the arguments.
 * libxml2 is stopped by whoever called, once it has done with the values, which xmlStopParser() frees. */
__attribute__((format(printf, 4, 5))) static void refuse(struct pap_parser *p, enum err e, enum pap_code code,
                                                         const char *fmt, ...)
{
    va_list ap;

    if (p->err)
        return;
    p->err = e;
    p->fault.code = code;
    va_start(ap, fmt);
    (void)vsnprintf(p->fault.desc, sizeof p->fault.desc, fmt, ap);
    va_end(ap);
    for (char *c = p->fault.desc; *c; c++)
        if (*c < 0x20 || *c > 0x7E)
            *c = '?';
    if (p->running)
        fault_at(p, (size_t)num_max64(0, xmlByteConsumed(p->ctxt)));
}

/* The common case: input that breaks the grammar. */
#define REFUSE_BAD(p, ...) refuse((p), ERR_MALFORMED, PAP_CODE_BAD_REQUEST, __VA_ARGS__)

static void refuse_memory(struct pap_parser *p)
{
    refuse(p, ERR_NOMEM, PAP_CODE_INTERNAL_ERROR, "out of memory");
}

/* One more element behind the n of `v`, zeroed.  Room grows in powers of two, so n tells when it is full. */
static void *list_add(struct pap_parser *p, void *v, size_t n, size_t each_n)
{
    void *more = v;

    if (++p->items > p->limits->addresses_max) {
        refuse(p, ERR_LIMIT, PAP_CODE_MULTIPLE_ADDRESSES, "more than %zu addresses",
               p->limits->addresses_max);
        return NULL;
    }
    if ((n & (n - 1)) == 0) {
        more = arena_array(p->arena, n ? 2 * n : 1, each_n);
        if (!more)
            refuse_memory(p);
        else
            mem_copy(more, n * each_n, slice_of(v, n * each_n));
    }
    return more;
}

/* The struct of a new child, added to its parent's where the table says; NULL after a failure. */
static void *child_body(struct pap_parser *p, const struct pap_child *c, void *parent)
{
    void *at = (char *)parent + c->at;
    struct pap_addrs *addrs = at;
    struct pap_notes *notes = at;
    struct pap_results *results = at;
    void *v;

    switch (c->elem) {
    case PAP_ELEM_ADDRESS:
        v = list_add(p, addrs->v, addrs->n, sizeof *addrs->v);
        if (!v)
            return NULL;
        addrs->v = v;
        return &addrs->v[addrs->n++];
    case PAP_ELEM_NOTE:
        v = list_add(p, notes->v, notes->n, sizeof *notes->v);
        if (!v)
            return NULL;
        notes->v = v;
        return &notes->v[notes->n++];
    case PAP_ELEM_CANCEL_RESULT:
    case PAP_ELEM_STATUS_RESULT:
        v = list_add(p, results->v, results->n, sizeof *results->v);
        if (!v)
            return NULL;
        results->v = v;
        return &results->v[results->n++];
    case PAP_ELEM_QOS:
        ((struct pap_qos *)at)->given = true;
        return at;
    default:
        return at;
    }
}

/* A child by the table of its parent: allowed here, not too often, in strict mode in its place. */
static void *open_child(struct pap_parser *p, struct frame *parent, enum pap_elem elem)
{
    const struct pap_element *e = &pap_elements[parent->elem];
    size_t i = 0;

    while (i < e->children_n && e->children[i].elem != elem)
        i++;
    if (i == e->children_n)
        REFUSE_BAD(p, "%s not allowed in %s", pap_elements[elem].name, e->name);
    else if (parent->seen[i] > 0 && !e->children[i].many)
        REFUSE_BAD(p, "more than one %s in %s", pap_elements[elem].name, e->name);
    else if (p->limits->strict && i < parent->last)
        REFUSE_BAD(p, "%s out of order in %s", pap_elements[elem].name, e->name);
    if (p->err)
        return NULL;
    parent->seen[i]++;
    parent->last = i;
    return child_body(p, &e->children[i], parent->body);
}

/* The struct of any element, by where it stands. */
static void *open_element(struct pap_parser *p, enum pap_elem elem)
{
    if (p->depth == 0 && elem == PAP_ELEM_PAP)
        return &p->m;
    if (p->depth == 1 && elem < (enum pap_elem)PAP_KIND_COUNT && p->m.kind == PAP_KIND_NONE) {
        p->m.kind = (enum pap_kind)elem;
        return &p->m.push; /* every member of the union starts here */
    }
    if (p->depth >= 2 && p->depth < PAP_NESTING_MAX)
        return open_child(p, &p->stack[p->depth - 1], elem);
    REFUSE_BAD(p, "%s not allowed here", pap_elements[elem].name);
    return NULL;
}

/* One of NULL-terminated words, blanks around it dropped as for any enumerated type (XML 1.0 §3.3.3); lenient
 * folds case. */
static enum err word_parse(const char *const *words, struct slice v, bool strict, unsigned *out)
{
    v = slice_trim(v);
    for (unsigned i = 0; words[i]; i++)
        if (words[i][0] &&
            (strict ? slice_eq(v, slice_str(words[i])) : slice_eq_ci(v, slice_str(words[i])))) {
            *out = i;
            return ERR_OK;
        }
    return ERR_MALFORMED;
}

/* Four digits from 1000 to 5999: unknown ones have the meaning of their class. */
static enum err code_parse(struct slice v, enum pap_code *out)
{
    struct scan s = scan_of(v);
    enum pap_code code = (enum pap_code)scan_digits(&s, 4);

    scan_end(&s);
    if (s.err || pap_code_class(code) == PAP_CODE_NONE)
        return ERR_MALFORMED;
    *out = code;
    return ERR_OK;
}

static enum err time_parse(struct slice v, bool strict, struct pap_time *out)
{
    enum err e = pap_time_parse(v, strict, &out->utc_s);

    out->given = e == ERR_OK;
    return e;
}

static enum err value_parse(struct pap_parser *p, const struct pap_attr *a, struct slice v, void *at)
{
    static const char *const bools[] = {"false", "true", NULL};
    bool strict = p->limits->strict;
    unsigned truth = 0;
    enum err e;

    switch (a->type) {
    case PAP_ATTR_TEXT:
        return arena_dup(p->arena, v, at);
    case PAP_ATTR_URL:
        return v.n > p->limits->url_max_n ? ERR_LIMIT : arena_dup(p->arena, v, at);
    case PAP_ATTR_TIME:
        return time_parse(v, strict, at);
    case PAP_ATTR_CODE:
        return code_parse(v, at);
    case PAP_ATTR_BOOL:
        e = word_parse(bools, v, strict, &truth);
        *(bool *)at = truth != 0;
        return e;
    default:
        return word_parse(pap_attr_words(a->type), v, strict, at);
    }
}

static void attr_value(struct pap_parser *p, const struct pap_attr *a, struct slice v, void *body)
{
    enum err e = v.n > p->limits->attr_value_max_n ? ERR_LIMIT : value_parse(p, a, v, (char *)body + a->at);

    if (e == ERR_NOMEM)
        refuse_memory(p);
    else if (e)
        refuse(p, e, PAP_CODE_BAD_REQUEST, "attribute %s: %s", a->name,
               e == ERR_LIMIT ? "value too long" : "bad value");
}

/* libxml2 hands over five pointers an attribute: name, prefix, namespace, value, end of value.  All are read
 * even after one was refused: the fault wants the push-id. */
static void attributes(struct pap_parser *p, enum pap_elem elem, void *body, int n, const xmlChar **v)
{
    const struct pap_element *e = &pap_elements[elem];
    unsigned found = 0; /* bit i: row i of the table */

    for (; n > 0; n--, v += 5) {
        const char *name = (const char *)v[0];
        size_t i = 0;

        while (i < e->attrs_n && (v[1] || !pap_name_eq(e->attrs[i].name, name)))
            i++;
        if (i < e->attrs_n) {
            attr_value(p, &e->attrs[i], slice_of(v[3], (size_t)(v[4] - v[3])), body);
            found |= 1u << i;
        } else if (p->limits->strict) {
            REFUSE_BAD(p, "unknown attribute %.40s in %s", name, e->name);
        }
    }
    for (size_t i = 0; i < e->attrs_n; i++)
        if (e->attrs[i].required && !(found & 1u << i))
            REFUSE_BAD(p, "attribute %s missing in %s", e->attrs[i].name, e->name);
}

static void start(struct pap_parser *p, const char *name, bool foreign, int attrs_n, const xmlChar **attrs)
{
    enum pap_elem elem = pap_elem_find(name);
    void *body;

    if (p->depth >= p->limits->depth_max)
        refuse(p, ERR_LIMIT, PAP_CODE_BAD_REQUEST, "nested too deeply");
    else if (elem == PAP_ELEM_NONE)
        REFUSE_BAD(p, "unknown element %.40s", name);
    else if (foreign)
        REFUSE_BAD(p, "element %.40s in a namespace", name);
    body = p->err ? NULL : open_element(p, elem);
    if (!body)
        return;
    p->stack[p->depth++] = (struct frame){.elem = elem, .body = body};
    attributes(p, elem, body, attrs_n, attrs);
    if (elem == PAP_ELEM_ADDRESS && !p->fault.address.p)
        p->fault.address = *(const struct slice *)body;
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int ns_n,
                     const xmlChar **ns, int attrs_n, int defaulted_n, const xmlChar **attrs)
{
    struct pap_parser *p = arg;
    bool foreign = prefix || (p->limits->strict && (uri || ns_n > 0)); /* PAP has no namespace */

    (void)ns;
    (void)defaulted_n;
    if (p->err)
        return;
    start(p, (const char *)name, foreign, attrs_n, attrs);
    if (p->err)
        xmlStopParser(p->ctxt);
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct pap_parser *p = arg;
    const struct pap_element *e;
    const struct frame *f;

    (void)name;
    (void)prefix;
    (void)uri;
    if (p->err)
        return;
    f = &p->stack[--p->depth];
    e = &pap_elements[f->elem];
    for (size_t i = 0; i < e->children_n; i++)
        if (e->children[i].required && f->seen[i] == 0)
            REFUSE_BAD(p, "%s without %s", e->name, pap_elements[e->children[i].elem].name);
    if (f->elem == PAP_ELEM_PAP && p->m.kind == PAP_KIND_NONE)
        REFUSE_BAD(p, "pap without a message");
    if (p->err)
        xmlStopParser(p->ctxt);
}

/* No element of PAP holds text. */
static void on_text(void *arg, const xmlChar *text, int n)
{
    struct pap_parser *p = arg;

    for (int i = 0; i < n && !p->err; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\n' && text[i] != '\r')
            REFUSE_BAD(p, "text between the elements");
    if (p->err)
        xmlStopParser(p->ctxt);
}

/* The one DOCTYPE was cut off before libxml2 saw it; this is a second, or one in the wrong place. */
static void on_doctype(void *arg, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
    struct pap_parser *p = arg;

    (void)name;
    (void)public_id;
    (void)system_id;
    REFUSE_BAD(p, "DOCTYPE not allowed here");
    xmlStopParser(p->ctxt);
}

/* Errors are read from the context afterwards; nothing may reach stderr. */
static void on_error(void *arg, xmlErrorPtr error)
{
    (void)arg;
    (void)error;
}

enum err pap_parser_create(struct pap_parser **out)
{
    struct pap_parser *p = calloc(1, sizeof *p);

    if (!p)
        return ERR_NOMEM;
    xmlInitParser();
    p->sax = (xmlSAXHandler){
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .internalSubset = on_doctype,
        .serror = on_error,
    };
    *out = p;
    return ERR_OK;
}

static void drop_context(struct pap_parser *p)
{
    if (p->ctxt)
        xmlFreeParserCtxt(p->ctxt);
    p->ctxt = NULL;
}

void pap_parser_free(struct pap_parser **parser)
{
    struct pap_parser *p = *parser;

    *parser = NULL;
    if (!p)
        return;
    drop_context(p);
    buf_clear(&p->utf8);
    free(p);
}

/* A context ready for a new document.  NOENT resolves the predefined entities; there are no others. */
static bool ready_context(struct pap_parser *p)
{
    if (p->ctxt)
        return xmlCtxtResetPush(p->ctxt, NULL, 0, NULL, NULL) == 0;
    p->ctxt = xmlCreatePushParserCtxt(&p->sax, p, NULL, 0, NULL);
    return p->ctxt && xmlCtxtUseOptions(p->ctxt, XML_PARSE_NONET | XML_PARSE_NOENT) == 0;
}

static void refuse_encoding(struct pap_parser *p, enum err e)
{
    if (e == ERR_NOMEM)
        refuse_memory(p);
    else if (e == ERR_UNSUPPORTED)
        refuse(p, e, PAP_CODE_BAD_REQUEST, "character encoding not supported");
    else
        REFUSE_BAD(p, "octets that are not of the character encoding");
}

/* Everything before libxml2: encoding, prolog, version, tags.  p->doc is what remains. */
static void prescan(struct pap_parser *p, struct slice xml, struct slice charset)
{
    enum err e = pap_decode(pap_prescan_charset(xml, charset), xml, &p->utf8, &xml);
    struct pap_prolog prolog;
    const char *why = NULL;
    size_t at = 0;

    if (e) {
        refuse_encoding(p, e);
        return;
    }
    p->doc = xml;
    if (xml.n > 0 && memchr(xml.p, '\0', xml.n))
        REFUSE_BAD(p, "NUL octet");
    else if (pap_prescan_prolog(xml, p->limits->strict, &prolog, &why))
        REFUSE_BAD(p, "%s not allowed or not well-formed", why);
    if (p->err) {
        fault_fragment(p, p->doc);
        return;
    }
    p->doc = prolog.rest;
    p->m.version = p->fault.version = prolog.version;
    if (prolog.version == PAP_VERSION_UNSUPPORTED)
        refuse(p, ERR_UNSUPPORTED, PAP_CODE_VERSION_NOT_SUPPORTED, "PAP version not supported");
    else if (prolog.supported_versions.p &&
             arena_dup(p->arena, prolog.supported_versions, &p->m.supported_versions))
        refuse_memory(p);
    else if (pap_prescan_tags(p->doc, p->limits->attributes_max, &at)) {
        refuse(p, ERR_LIMIT, PAP_CODE_BAD_REQUEST, "more than %zu attributes", p->limits->attributes_max);
        fault_at(p, at + 1);
    }
}

static void run(struct pap_parser *p)
{
    if (!ready_context(p)) {
        refuse_memory(p);
        return;
    }
    p->running = true;
    (void)xmlParseChunk(p->ctxt, p->doc.p, (int)p->doc.n, 1);
    if (!p->err && p->ctxt->errNo == XML_ERR_NO_MEMORY)
        refuse_memory(p);
    if (!p->err && (!p->ctxt->wellFormed || (p->limits->strict && !p->ctxt->nsWellFormed))) {
        REFUSE_BAD(p, "not well-formed XML");
        p->m.kind = PAP_KIND_NONE; /* what was read of it cannot be trusted */
        p->fault.address = SLICE_NONE;
    }
    p->running = false;
}

/* Who sent what, as far as it was read: the first attribute of each message is its identifier. */
static void attribute_fault(struct pap_parser *p)
{
    const struct slice *id = &p->m.push.push_id;

    p->fault.kind = p->m.kind;
    if (p->m.kind == PAP_KIND_CCQ_MESSAGE || p->m.kind == PAP_KIND_CCQ_RESPONSE)
        p->fault.query_id = *id;
    else if (p->m.kind != PAP_KIND_NONE && p->m.kind != PAP_KIND_BADMESSAGE_RESPONSE)
        p->fault.push_id = *id;
}

enum err pap_parse_as(struct pap_parser *p, struct slice xml, struct slice charset,
                      const struct pap_limits *limits, struct arena *arena, struct pap_message *out,
                      struct pap_fault *fault)
{
    p->limits = limits;
    p->arena = arena;
    p->doc = SLICE_NONE;
    p->depth = p->items = 0;
    p->m = (struct pap_message){0};
    p->fault = (struct pap_fault){0};
    p->err = ERR_OK;

    if (xml.n > num_min(limits->control_max_n, INT_MAX / 4))
        refuse(p, ERR_LIMIT, PAP_CODE_BAD_REQUEST, "control entity over %zu octets", limits->control_max_n);
    else
        prescan(p, xml, charset);
    if (!p->err)
        run(p);
    if (p->err) {
        attribute_fault(p);
        *fault = p->fault;
        drop_context(p); /* stopped half way, it may hold namespaces and names */
    } else {
        *out = p->m;
        if (xmlDictSize(p->ctxt->dict) > NAMES_MAX || xmlDictGetUsage(p->ctxt->dict) > NAMES_MAX_N)
            drop_context(p);
    }
    return p->err;
}

enum err pap_parse(struct pap_parser *p, struct slice xml, const struct pap_limits *limits,
                   struct arena *arena, struct pap_message *out, struct pap_fault *fault)
{
    return pap_parse_as(p, xml, SLICE_NONE, limits, arena, out, fault);
}
