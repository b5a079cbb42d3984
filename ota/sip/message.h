/* A push as a SIP MESSAGE request (RFC 3428), or the INVITE to a session for it, as text.  The caller says what goes in; here are the order of the headers, their
 * forms and what may not stand in them.  The two layouts of the body: the content itself, or an envelope of push headers
 * and content.  No I/O, no clock, no chance.  Any thread. */
#ifndef OTA_SIP_MESSAGE_H
#define OTA_SIP_MESSAGE_H

#include "base/buf.h"
#include "base/err.h"
#include "ota/headers.h"

/* Beyond so many octets a request must not be a MESSAGE outside a session (RFC 3428 §8), nor leave over UDP (RFC 3261 §18.1.1). */
#define OTA_SIP_PAGER_MAX_N   1300
#define OTA_SIP_MESSAGE_MAX_N ((size_t)256 << 10)
#define OTA_SIP_BRANCH_N      (7 + 32) /* octets of our branches: the cookie and hexadecimal digits */

#define OTA_SIP_ENVELOPE_TYPE "application/vnd.oma.push"
#define OTA_SIP_APP_TAG       "g.oma.pusheventapp"

enum ota_sip_via { OTA_SIP_UDP, OTA_SIP_TCP, OTA_SIP_TLS };
const char *ota_sip_via_name(enum ota_sip_via via); /* "UDP" ... */

/* Every slice is printed as it is; one with a control octet is ERR_MALFORMED.  Empty: the header is left out, where it may. */
struct ota_sip_message {
    struct slice uri;     /* Request-URI */
    bool options;         /* asks what is taken (RFC 3261 §11), in place of a push: it has no content */
    struct slice contact; /* ours: it is an INVITE.  Empty: a MESSAGE, which has none */
    enum ota_sip_via via;
    struct slice sent_by; /* host or host:port */
    struct slice branch;  /* with its cookie "z9hG4bK" */
    struct slice route;   /* URI of the outbound proxy, with ";lr"; optional */
    struct slice path;    /* values of Route instead, of a device that registered by way of proxies */
    struct slice from;    /* URI */
    struct slice from_tag;
    struct slice to; /* URI: the address of record */
    struct slice call_id;
    uint32_t cseq;
    bool
        trusted; /* the next hop is in our trust domain: the two below say who we are (RFC 3325 §5, RFC 6050 §4) */
    struct slice service;    /* URN of the service; optional, only preferred where not trusted */
    struct slice login;      /* whole header lines, or empty */
    struct slice app_tag;    /* name of the feature tag, without "+" */
    struct slice app_id;     /* empty: the default application */
    bool fork;               /* all devices of the user are meant */
    struct slice priority;   /* "normal" ...; optional */
    int64_t now_s;           /* UTC; for Date, which goes with Expires */
    int64_t expires_s;       /* seconds left until it is of no use any more; 0: no end */
    struct slice user_agent; /* optional */
    struct slice content_type;
    struct slice body_head; /* of an envelope: its header lines with the empty line */
    struct slice body;
};

/* Appends the head with its empty line and body_head; the body has to follow.  ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_message_print(const struct ota_sip_message *m, struct buf *out) MUST_USE;

/* The feature tag's value for an application, without its quotes: "mms.ua" for x-wap-application:mms.ua, "<uri>" for
 * others (RFC 3840 §9).  ERR_MALFORMED: cannot stand there. */
enum err ota_sip_app_value(struct slice app_id, struct buf *out) MUST_USE;

/* The application that an Accept-Contact asks for by the feature tag, the inverse of the above.  ERR_ABSENT: none; ERR_LIMIT,
 * ERR_NOMEM. */
enum err ota_sip_app_read(struct slice accept_contact, struct slice app_tag, struct buf *out) MUST_USE;

/* The head of an envelope: Content-Type, then the other lines of the push message's head but Content-Length, then the
 * flags as a number, the empty line.  ERR_MALFORMED: no Content-Type; ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_envelope_print(struct slice message_head, const struct ota_push_info *info,
                                struct buf *out) MUST_USE;

#endif
