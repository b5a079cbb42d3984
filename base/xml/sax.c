/* See sax.h. */
#include "base/xml/sax.h"

#include <libxml/parser.h>

/* What was wrong is read from the context afterwards. */
static void on_error(void *arg, xmlErrorPtr error)
{
    (void)arg;
    (void)error;
}

/* NOENT resolves the predefined entities; there are no others, for no handler keeps declarations. */
static enum err parse(xmlParserCtxtPtr c, struct slice xml)
{
    if (xmlCtxtUseOptions(c, XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_IGNORE_ENC))
        return ERR_NOMEM;
    if (xmlParseChunk(c, xml.p, (int)xml.n, 1) && c->errNo == XML_ERR_NO_MEMORY)
        return ERR_NOMEM;
    return c->wellFormed && c->nsWellFormed ? ERR_OK : ERR_MALFORMED;
}

enum err xml_sax_run(const struct _xmlSAXHandler *handler, void *arg, struct slice xml,
                     struct _xmlParserCtxt **ctxt)
{
    xmlSAXHandler sax = *handler;
    xmlParserCtxtPtr own, *c = ctxt ? ctxt : &own;
    enum err e = ERR_NOMEM;

    sax.initialized = XML_SAX2_MAGIC;
    if (!sax.serror)
        sax.serror = on_error;
    xmlInitParser();
    *c = xmlCreatePushParserCtxt(&sax, arg, NULL, 0, NULL);
    if (*c) {
        e = parse(*c, xml);
        xmlFreeDoc((*c)->myDoc); /* an internal subset makes one, whatever the handlers are */
    }
    xmlFreeParserCtxt(*c);
    *c = NULL;
    return e;
}
