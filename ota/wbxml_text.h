/* The texts that libxml2 is not asked about: which encoding a document has, whether its markup would make libxml2
 * slow or have it take the octets for something else, and dates.
 * Specification: XML 1.0 (5th ed.) §2, §4.3.3, appendix F; [OTA-HTTP §9.4].  Any thread. */
#ifndef OTA_WBXML_TEXT_H
#define OTA_WBXML_TEXT_H

#include "base/err.h"
#include "base/slice.h"

#define OTA_WBXML_ATTRS_MAX 64 /* of one tag */

/* libxml2's name of the encoding ("UTF-8", "ASCII", "ISO-8859-1", "UTF-16LE", "UTF-16BE") by the first octets, else
 * the XML declaration, else the charset parameter; UTF-8 when nothing says.  NULL: another one. */
const char *ota_wbxml_encoding(struct slice content_type, struct slice xml);

/* Takes a byte order mark off *utf8.  ERR_MALFORMED: no UTF-8, a NUL, no markup at the start, a piece of markup that
 * does not end or holds another; ERR_LIMIT: a tag with more than OTA_WBXML_ATTRS_MAX attributes.  Linear. */
enum err ota_wbxml_check_text(struct slice *utf8) MUST_USE;

/* S (XML 1.0 §2.3) */
bool ota_wbxml_is_blank(unsigned char ch);

#define OTA_WBXML_DATE_MAX_N 7 /* octets */

/* YYYY-MM-DDThh:mm:ssZ as its digits, two an octet, zero octets at the end left out.  *n octets of bcd are
 * written, 4 to 7.  ERR_MALFORMED: no such form, or no such second; leap seconds are none. */
enum err ota_wbxml_date(struct slice text, uint8_t bcd[OTA_WBXML_DATE_MAX_N], size_t *n) MUST_USE;

#endif
