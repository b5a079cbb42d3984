/* A push message as one connectionless WSP datagram: TID, Push, content type and headers in binary, content; and back.
 * The message is the header lines and the content that every bearer gets.  Headers with a number on the default code
 * page travel by it, with the value in its compact form where there is one; all others travel by name with their text,
 * so that no message of ours needs a shift of the code page.  X-Wap-Push-Info travels as Push-Flag.
 * Not here: sockets (ota/wsp_udp.c), tokenising of content (ota/wbxml.h).
 * Specification: WAP-230-WSP §8.2.4, §8.4; WAP-235-PushOTA; [OTA-HTTP §9.2].  Any thread. */
#ifndef OTA_WSP_H
#define OTA_WSP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define OTA_WSP_PORT          2948 /* wap-push */
#define OTA_WSP_PORT_SECURE   2949 /* wap-pushsecure */
#define OTA_WSP_SOURCE_PORT   9200
#define OTA_WSP_HEADERS_MAX_N 16384 /* octets of the header block, either form */
#define OTA_WSP_HEADERS_MAX   64

/* Appends the datagram.  headers: lines ending in CRLF, one of them Content-Type.  ERR_MALFORMED: the lines or the
 * content type break their grammar, or there is none; ERR_LIMIT: the ceilings above or that of out; ERR_NOMEM. */
enum err ota_wsp_push_print(uint8_t tid, struct slice headers, struct slice content,
                            struct buf *out) MUST_USE;

struct ota_wsp_push {
    uint8_t tid;
    struct slice headers; /* lines ending in CRLF, Content-Type first; in the caller's buf */
    struct slice content; /* in the datagram */
};
/* Reads a datagram; `text` gets the header lines.  Headers without a place in our tables are left out.
 * ERR_MALFORMED: not a Push, or it breaks its grammar; ERR_UNSUPPORTED: a media type, charset or content coding whose
 * number is not known; ERR_LIMIT; ERR_NOMEM.  On failure text may hold a part. */
enum err ota_wsp_push_parse(struct slice datagram, struct buf *text, struct ota_wsp_push *out) MUST_USE;

#endif
