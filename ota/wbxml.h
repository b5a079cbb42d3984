/* Service Indication, Service Loading and Cache Operation from their textual to their tokenised types, for
 * terminals on narrow routes.  Only these three grammars, only in this direction; who wants it and what happens
 * when the initiator said no-transform is decided elsewhere.
 * Specification: [PAP §9, §9.2]; WBXML 1.2, SI 1.0, SL 1.0, CO 1.0 ([OTA-HTTP §9.4]).  Any thread. */
#ifndef OTA_WBXML_H
#define OTA_WBXML_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define OTA_WBXML_TEXT_MAX_N ((size_t)64 * 1024) /* octets of a textual document */

/* The tokenised type of a textual one ("text/vnd.wap.si" -> "application/vnd.wap.sic"), or SLICE_NONE; parameters
 * of the type are ignored.  Static storage. */
struct slice ota_wbxml_type(struct slice content_type);

/* Appends the WBXML 1.2 document, in UTF-8 without a string table, for `xml` of the textual type content_type.
 * The character encoding: byte order mark or first octets, else the XML declaration, else the charset parameter
 * of the type, else UTF-8; UTF-8, US-ASCII, ISO-8859-1 and UTF-16 are read.  Attributes keep their order,
 * defaults stay out, blanks around text go.
 * ERR_MALFORMED: not well-formed, an internal subset, or breaks the grammar of its type; ERR_UNSUPPORTED: no such
 * type or encoding; ERR_LIMIT: OTA_WBXML_TEXT_MAX_N, too many attributes, or the ceiling of out; ERR_NOMEM.  On
 * failure out may hold a part. */
enum err ota_wbxml_from_text(struct slice content_type, struct slice xml, struct buf *out) MUST_USE;

#endif
