/* The head of a SIP message as octets, looked at before libosip2 reads it: that parser is lenient and takes a copy of what
 * it is given several times over, so it gets a bounded text in which every line has one form.  What the lines mean is the
 * parser's business; only Content-Length is read here, as it says where the message ends.  RFC 3261 §7, §18.3, §20.14, §25.1.
 * Any thread. */
#ifndef OTA_SIP_HEAD_H
#define OTA_SIP_HEAD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define OTA_SIP_HEAD_MAX_N   ((size_t)16 << 10) /* octets: start line and headers, with the empty line */
#define OTA_SIP_LINE_MAX_N   8192               /* octets of one header with its continuations */
#define OTA_SIP_NAME_MAX_N   128
#define OTA_SIP_HEADERS_MAX  100
#define OTA_SIP_METHOD_MAX_N 64

struct ota_sip_head {
    size_t wire_n;   /* octets, with the empty line */
    bool has_length; /* Content-Length was there ... */
    size_t length;   /* ... and said so much */
};

/* Reads the head at the front of `in`; octets behind it are not looked at.  Appends to *text the lines as the parser may
 * have them: continuations joined, "Name: value", no Content-Length (the body never goes to the parser), CRLF, the empty line.
 * ERR_AGAIN: the empty line has not come yet.  ERR_MALFORMED: a line without CRLF, a control octet, no SIP/2.0 start line, a
 * name that is no token, a bad or second Content-Length.  ERR_LIMIT: past a ceiling, or a body longer than body_max_n.
 * ERR_NOMEM.  After a failure the content of *text is of no use. */
enum err ota_sip_head_read(struct slice in, size_t body_max_n, struct ota_sip_head *out,
                           struct buf *text) MUST_USE;

#endif
