/* One XML document, whole and in UTF-8, through libxml2's SAX2 parser as everybody here wants it: no tree, nothing fetched, no
 * entities but the predefined, the declared encoding passed over, nothing on stderr.  What may stand before the root is
 * for the caller's check.  XML 1.0 (5th ed.), Namespaces in XML 1.0.  Any thread. */
#ifndef BASE_XML_SAX_H
#define BASE_XML_SAX_H

#include "base/err.h"
#include "base/slice.h"

struct _xmlSAXHandler; /* libxml2's */
struct _xmlParserCtxt;

/* handler's functions get arg; `initialized` is filled in, so is serror when it is NULL.  While it runs *ctxt is the parser's
 * context, for xmlStopParser; NULL afterwards.  ctxt may be NULL.  xml.n is at most INT_MAX.  ERR_MALFORMED: not well-formed, or
 * stopped; ERR_NOMEM. */
enum err xml_sax_run(const struct _xmlSAXHandler *handler, void *arg, struct slice xml,
                     struct _xmlParserCtxt **ctxt) MUST_USE;

#endif
