/* libxml2's tree builder behind hooks that count and refuse; see xmldoc.h. */
#include "security/xml/xmldoc.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/valid.h>
#include "security/xml/xmlsec.h"

#define ELEMENTS_MAX   4096u
#define DEPTH_MAX      32u
#define ATTRIBUTES_MAX 16 /* of one element; a tree costs the square of them */
#define NAMESPACES_MAX 16

struct building {
    size_t elements, depth;
    enum err err;
};

static struct building *building_of(void *ctx)
{
    return ((xmlParserCtxtPtr)ctx)->_private;
}

static void refuse(void *ctx, enum err e)
{
    struct building *b = building_of(ctx);

    if (!b->err)
        b->err = e;
    xmlStopParser(ctx);
}

/* xml:id would name elements that nobody here has named. */
static bool names_itself(const xmlChar **attributes, int n)
{
    for (int i = 0; i < n; i++)
        if (attributes[5 * i + 1] && xmlStrEqual(attributes[5 * i + 1], BAD_CAST "xml"))
            return true;
    return false;
}

static void start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces_n,
                  const xmlChar **namespaces, int attributes_n, int defaulted_n, const xmlChar **attributes)
{
    struct building *b = building_of(ctx);

    if (++b->elements > ELEMENTS_MAX || ++b->depth > DEPTH_MAX || attributes_n > ATTRIBUTES_MAX ||
        namespaces_n > NAMESPACES_MAX)
        refuse(ctx, ERR_LIMIT);
    else if (names_itself(attributes, attributes_n))
        refuse(ctx, ERR_UNSUPPORTED);
    else
        xmlSAX2StartElementNs(ctx, name, prefix, uri, namespaces_n, namespaces, attributes_n, defaulted_n,
                              attributes);
}

static void end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    building_of(ctx)->depth--;
    xmlSAX2EndElementNs(ctx, name, prefix, uri);
}

static void doctype(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    (void)name, (void)external, (void)system;
    refuse(ctx, ERR_UNSUPPORTED);
}

static void comment(void *ctx, const xmlChar *text)
{
    (void)text;
    refuse(ctx, ERR_UNSUPPORTED);
}

static void instruction(void *ctx, const xmlChar *target, const xmlChar *data)
{
    (void)target, (void)data;
    refuse(ctx, ERR_UNSUPPORTED);
}

static enum err parsed(xmlParserCtxtPtr ctxt, const struct building *b, struct slice in, xmlDocPtr *out)
{
    xmlDocPtr doc =
        xmlCtxtReadMemory(ctxt, in.p, (int)in.n, NULL, "UTF-8",
                          XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);

    if (doc && !b->err && ctxt->nsWellFormed && xmlDocGetRootElement(doc)) {
        *out = doc;
        return ERR_OK;
    }
    if (doc)
        xmlFreeDoc(doc);
    if (b->err)
        return b->err;
    return ctxt->errNo == XML_ERR_NO_MEMORY ? ERR_NOMEM : ERR_MALFORMED;
}

enum err sec_xmldoc_parse(struct slice in, struct _xmlDoc **out)
{
    struct building b = {.err = ERR_OK};
    xmlParserCtxtPtr ctxt;
    enum err e;

    if (in.n == 0)
        return ERR_MALFORMED;
    if (in.n > SEC_XML_MAX_N)
        return ERR_LIMIT;
    ctxt = xmlNewParserCtxt();
    if (!ctxt)
        return ERR_NOMEM;
    ctxt->_private = &b;
    ctxt->sax->startElementNs = start;
    ctxt->sax->endElementNs = end;
    ctxt->sax->internalSubset = doctype;
    ctxt->sax->comment = comment;
    ctxt->sax->processingInstruction = instruction;
    e = parsed(ctxt, &b, in, out);
    xmlFreeParserCtxt(ctxt);
    return e;
}

void sec_xmldoc_free(struct _xmlDoc **doc)
{
    if (*doc)
        xmlFreeDoc(*doc);
    *doc = NULL;
}

struct _xmlNode *sec_xmldoc_root(const struct _xmlDoc *doc)
{
    return xmlDocGetRootElement(doc);
}

/* --- elements --- */

/* From n on: white space is skipped. */
static struct sec_xmldoc_cursor cursor_at(xmlNodePtr n)
{
    while (n && n->type == XML_TEXT_NODE && xmlIsBlankNode(n))
        n = n->next;
    if (n && n->type != XML_ELEMENT_NODE)
        return (struct sec_xmldoc_cursor){NULL, ERR_MALFORMED};
    return (struct sec_xmldoc_cursor){n, ERR_OK};
}

struct sec_xmldoc_cursor sec_xmldoc_inside(const struct _xmlNode *element)
{
    return element ? cursor_at(element->children) : (struct sec_xmldoc_cursor){NULL, ERR_MALFORMED};
}

bool sec_xmldoc_is(const struct _xmlNode *n, const char *ns, const char *name)
{
    return n && n->ns && xmlStrEqual(n->ns->href, BAD_CAST ns) && xmlStrEqual(n->name, BAD_CAST name);
}

struct _xmlNode *sec_xmldoc_may(struct sec_xmldoc_cursor *c, const char *ns, const char *name)
{
    xmlNodePtr n = c->at;

    if (c->err || !sec_xmldoc_is(n, ns, name))
        return NULL;
    *c = cursor_at(n->next);
    return n;
}

struct _xmlNode *sec_xmldoc_must(struct sec_xmldoc_cursor *c, const char *ns, const char *name)
{
    xmlNodePtr n = sec_xmldoc_may(c, ns, name);

    if (!n && !c->err)
        c->err = ERR_MALFORMED;
    return n;
}

void sec_xmldoc_end(struct sec_xmldoc_cursor *c)
{
    if (!c->err && c->at)
        c->err = ERR_UNSUPPORTED;
}

/* --- values --- */

static struct slice only_text(const xmlNode *children)
{
    if (!children || children->next || children->type != XML_TEXT_NODE)
        return SLICE_NONE;
    return slice_str((const char *)children->content);
}

struct slice sec_xmldoc_attribute(const struct _xmlNode *element, const char *name)
{
    const xmlAttr *a = element ? xmlHasNsProp(element, BAD_CAST name, NULL) : NULL;

    return a ? only_text(a->children) : SLICE_NONE;
}

static bool is_space(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

struct slice sec_xmldoc_text(const struct _xmlNode *element)
{
    struct slice s = element ? only_text(element->children) : SLICE_NONE;

    while (s.n && is_space(s.p[0]))
        s = slice_sub(s, 1, s.n);
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* The element behind n in the order of the document. */
static const xmlNode *following(const xmlNode *n)
{
    if (n->children)
        return n->children;
    while (n && !n->next)
        n = n->parent && n->parent->type == XML_ELEMENT_NODE ? n->parent : NULL;
    return n ? n->next : NULL;
}

size_t sec_xmldoc_ids(const struct _xmlDoc *doc, struct slice id)
{
    size_t n = 0;

    for (const xmlNode *at = xmlDocGetRootElement(doc); at; at = following(at))
        if (at->type == XML_ELEMENT_NODE)
            n += slice_eq(sec_xmldoc_attribute(at, "Id"), id);
    return n;
}

enum err sec_xmldoc_name(struct _xmlDoc *doc, struct _xmlNode *element)
{
    xmlAttrPtr a = xmlHasNsProp(element, BAD_CAST "Id", NULL);

    return a && xmlAddID(NULL, doc, a->children->content, a) ? ERR_OK : ERR_NOMEM;
}
