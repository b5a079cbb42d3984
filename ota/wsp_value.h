/* The building blocks of WSP: variable length numbers, integers, texts and lengths, both directions.  Reading goes
 * through a cursor that keeps its first error; printing into a buf that keeps its own.
 * Specification: WAP-230-WSP §8.1.2, §8.4.1, §8.4.2; [OTA-HTTP §9.2].  Any thread. */
#ifndef OTA_WSP_VALUE_H
#define OTA_WSP_VALUE_H

#include "base/buf.h"
#include "base/scan.h"

/* uintvar: 7 bits an octet, the most significant first. */
void ota_wsp_put_uintvar(struct buf *out, uint32_t v);
/* Integer-value: one octet up to 127, else as below. */
void ota_wsp_put_integer(struct buf *out, uint64_t v);
/* Long-integer: octets, most significant first, their number before them. */
void ota_wsp_put_long(struct buf *out, uint64_t v);
/* Text-string with its NUL; text must hold no controls but tabs. */
void ota_wsp_put_text(struct buf *out, struct slice text);
void ota_wsp_put_quoted(struct buf *out, struct slice text);
/* Value-length. */
void ota_wsp_put_length(struct buf *out, size_t n);

/* ERR_MALFORMED: the input ends too early; ERR_LIMIT: a number that does not fit, or a length past the end. */
uint8_t ota_wsp_take_octet(struct scan *s);
uint32_t ota_wsp_take_uintvar(struct scan *s);
uint64_t ota_wsp_take_integer(struct scan *s); /* ERR_MALFORMED also when something else stands there */
uint64_t ota_wsp_take_long(struct scan *s);
/* Without NUL and quote octet; ERR_MALFORMED for controls but tabs. */
struct slice ota_wsp_take_text(struct scan *s);
struct slice ota_wsp_take_octets(struct scan *s, size_t n);
/* The octets behind a Value-length; ERR_MALFORMED when something else stands there. */
struct slice ota_wsp_take_counted(struct scan *s);
/* Any value: what its first octet says of its length is enough to pass over it. */
void ota_wsp_skip_value(struct scan *s);

#endif
