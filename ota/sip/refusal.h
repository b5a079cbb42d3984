/* Requests that are refused before anybody looks at what they ask for: what RFC 3261 §8.2 has a server say of every request, and the
 * response to one that no parser takes (RFC 4475 shows what comes).  Header lines of the latter are copied as they came.  Any thread. */
#ifndef OTA_SIP_REFUSAL_H
#define OTA_SIP_REFUSAL_H

#include "ota/sip/request.h"

/* 0: go on.  Else the status, and its header lines are appended to *more: 405 or 501 with Allow, 416, 420 with Unsupported, 481 for a
 * CANCEL, which has nothing to cancel when nothing takes long, 400 for an escaped NUL, at which libosip2 ends a URI (RFC 4475 §3.1.1.4).
 * allow: the methods that are taken, "MESSAGE, OPTIONS". */
unsigned ota_sip_request_refused(const struct ota_sip_request *r, struct slice allow,
                                 struct buf *more) MUST_USE;

/* It requires extensions, none of which we have (§8.2.2.3): they are appended to *more as Unsupported. */
bool ota_sip_request_requires(const struct ota_sip_request *r, struct buf *more);

/* The response to octets that ota_sip_datagram_read or ota_sip_request_read has refused, appended: 505, 501, 416 or else 400.  Via, From, To,
 * Call-ID and CSeq are those of them that are there; from: where it came from, for Via.  ERR_ABSENT: no response is due - it is
 * one itself, an ACK, no SIP at all, or without Via; ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_refusal_print(struct slice in, const struct sockaddr *from, struct slice allow,
                               struct buf *out) MUST_USE;

#endif
