/* A SIP request that we serve, read by libosip2 after head.h has looked at its text, and the response to it as text.  RFC 3261
 * §8.2, §18.2.  Any thread, once ota_sip_parser_start() has run. */
#ifndef OTA_SIP_REQUEST_H
#define OTA_SIP_REQUEST_H

#include <sys/socket.h>
#include "base/err.h"
#include "ota/sip/frame.h"

struct osip_message;

struct ota_sip_request {
    struct osip_message *osip; /* owned; all slices live in it */
    char *kept;                /* owned; what libosip2 does not keep as it came lives in it: */
    struct slice uri;          /* the Request-URI */
    struct slice logins;       /* the values of Authorization, a line feed behind each */
    struct slice method;
    struct slice branch; /* of the topmost Via; Call-ID where that has none of its own (RFC 2543, §17.2.3) */
    struct slice sent_by; /* its host */
    uint32_t cseq;
    struct slice tag; /* of To; empty: none */
    bool to_tag;      /* To has one: it belongs to a dialog */
    bool escaped_nul; /* "%00" is in it somewhere: libosip2 ends a URI there */
};

/* The topmost Via learns where it came from (received, rport: RFC 3261 §18.2.1, RFC 3581 §4); from NULL: does not matter.
 * ERR_MALFORMED: libosip2 cannot read it, or Via, From, To, Call-ID or CSeq of the same method is missing; it cannot be
 * answered.  ERR_UNSUPPORTED: a response.  ERR_NOMEM.  Otherwise give it back with ota_sip_request_clear. */
enum err ota_sip_request_read(const struct ota_sip_unit *unit, const struct sockaddr *from,
                              struct ota_sip_request *out) MUST_USE;
void ota_sip_request_clear(struct ota_sip_request *r);

/* The first header of a name, of those that libosip2 leaves as they are (Accept-Contact, Expires, Supported ...). */
struct slice ota_sip_request_header(const struct ota_sip_request *r, const char *name);
/* All of them, one a call: start with *pos = 0; n 0: no more. */
struct slice ota_sip_request_next(const struct ota_sip_request *r, const char *name, int *pos);
/* Is this one of the items of a header's comma list, which libosip2 takes apart? */
bool ota_sip_request_lists(const struct ota_sip_request *r, const char *name, struct slice item);
/* Call-ID, without copying; n 0: none, or one with a host part, which none of ours has. */
struct slice ota_sip_request_call_id(const struct ota_sip_request *r);
/* What names the dialog that a request begins or belongs to, appended: Call-ID, the tag of From and that of To - `tag` where To
 * has none yet -, a line feed between them (§12).  ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_request_dialog(const struct ota_sip_request *r, struct slice tag, struct buf *out) MUST_USE;
/* The media type with its parameters, appended; nothing when there is none.  ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_request_type(const struct ota_sip_request *r, struct buf *out) MUST_USE;

/* Appends the whole response without a body: Via, From, To - with our tag when it has none -, Call-ID and CSeq as they came, then
 * `more`, whole lines.  ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_response_print(const struct ota_sip_request *r, unsigned status, struct slice tag,
                                struct slice more, struct buf *out) MUST_USE;
/* Gives a response just printed a body.  ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_response_body(struct buf *out, struct slice type, struct slice body) MUST_USE;

#endif
