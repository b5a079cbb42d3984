/* What is read or refused before libxml2 sees a document: its character encoding, the XML declaration, the
 * DOCTYPE with the version, and tags with too many attributes, which libxml2 takes quadratic time over.  The
 * DTD machinery of libxml2 is never reached, so there is no entity to expand and nothing to load.
 * Specification: XML 1.0 (5th ed.) §2.8, §4.3.3, appendix F; RFC 7303 §3; PAP (DOCTYPE, wap-pap-ver).  Any thread. */
#ifndef PAP_PRESCAN_H
#define PAP_PRESCAN_H

#include "base/err.h"
#include "pap/message.h"

enum pap_charset {
    PAP_CHARSET_UTF8,
    PAP_CHARSET_ASCII,
    PAP_CHARSET_LATIN1,
    PAP_CHARSET_UTF16LE,
    PAP_CHARSET_UTF16BE,
    PAP_CHARSET_OTHER /* refused */
};

/* By byte order mark, else as `named` says, the charset parameter of its media type (p == NULL: there is none), which
 * stands above the document's own words; else by the first octets and the XML declaration; UTF-8 when nothing says
 * (RFC 7303 §3). */
enum pap_charset pap_prescan_charset(struct slice xml, struct slice named);

struct pap_prolog {
    enum pap_version version;
    struct slice supported_versions; /* borrowed */
    struct slice rest;               /* all behind the DOCTYPE: the root element, maybe comments before it */
};

/* [BOM] [XMLDecl] (comment / PI / S)* [doctypedecl] of a document in UTF-8.  Refused: any internal subset but
 * wap-pap-ver instructions; in strict mode also a DOCTYPE of another name, one without system identifier after
 * PUBLIC, and a public identifier that names no PAP version.  ERR_MALFORMED; *why: static text, written on
 * failure only. */
enum err pap_prescan_prolog(struct slice utf8, bool strict, struct pap_prolog *out,
                            const char **why) MUST_USE;

/* ERR_LIMIT when a tag has more than attributes_max attributes; *at is then the offset of its '<'.  Linear; what
 * is not well-formed is left to the parser. */
enum err pap_prescan_tags(struct slice utf8, size_t attributes_max, size_t *at) MUST_USE;

#endif
