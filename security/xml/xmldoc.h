/* Small strict trees for xmlsec.c: a document parsed under ceilings, and a cursor that reads elements the way a grammar
 * names them.  No DOCTYPE, entities, comments, instructions, xml:id or network; UTF-8 alone.  Not a reader for PAP or provisioning,
 * which need no tree.  Any thread, one at a time for a document. */
#ifndef SECURITY_XML_XMLDOC_H
#define SECURITY_XML_XMLDOC_H

#include "base/err.h"
#include "base/slice.h"

#define SEC_XMLDOC_DSIG "http://www.w3.org/2000/09/xmldsig#"
#define SEC_XMLDOC_ENC  "http://www.w3.org/2001/04/xmlenc#"

struct _xmlDoc;
struct _xmlNode;

/* Free with sec_xmldoc_free(), which takes NULL and wipes nothing.  ERR_MALFORMED, ERR_UNSUPPORTED (well-formed so far, but with something that
 * is not taken), ERR_LIMIT, ERR_NOMEM. */
enum err sec_xmldoc_parse(struct slice in, struct _xmlDoc **out) MUST_USE;
void sec_xmldoc_free(struct _xmlDoc **doc);
struct _xmlNode *sec_xmldoc_root(const struct _xmlDoc *doc);

/* Reads the elements inside one, in order; the first error sticks, as in base/scan.h. */
struct sec_xmldoc_cursor {
    struct _xmlNode *at; /* the next element, or NULL */
    enum err err;
};
/* Text between the elements that is not white space is ERR_MALFORMED. */
struct sec_xmldoc_cursor sec_xmldoc_inside(const struct _xmlNode *element);
bool sec_xmldoc_is(const struct _xmlNode *n, const char *ns, const char *name);
/* The next element if it is this one, else NULL. */
struct _xmlNode *sec_xmldoc_may(struct sec_xmldoc_cursor *c, const char *ns, const char *name);
/* The same; missing is ERR_MALFORMED. */
struct _xmlNode *sec_xmldoc_must(struct sec_xmldoc_cursor *c, const char *ns, const char *name);
/* Nothing more; else ERR_UNSUPPORTED. */
void sec_xmldoc_end(struct sec_xmldoc_cursor *c);

/* The value of an attribute without namespace, or nothing; lives in the document. */
struct slice sec_xmldoc_attribute(const struct _xmlNode *element, const char *name);
/* The text of an element that holds nothing else, without white space around it; nothing when it holds more. */
struct slice sec_xmldoc_text(const struct _xmlNode *element);
/* How many elements of the document have this Id. */
size_t sec_xmldoc_ids(const struct _xmlDoc *doc, struct slice id);
/* Lets the reference "#id" find this element, and no other.  ERR_NOMEM. */
enum err sec_xmldoc_name(struct _xmlDoc *doc, struct _xmlNode *element) MUST_USE;

#endif
