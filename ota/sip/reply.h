/* A SIP response, read by libosip2 after head.h has looked at its text: status, what ties it to a request, and the headers
 * that decide what is done next.  RFC 3261 §8.1.3, §17.1.3, §20.33.  Any thread, once ota_sip_parser_start() has run. */
#ifndef OTA_SIP_REPLY_H
#define OTA_SIP_REPLY_H

#include "base/err.h"
#include "ota/sip/frame.h"

#define OTA_SIP_CHALLENGES_MAX 4
#define OTA_SIP_RETRY_MAX_S    86400 /* a longer Retry-After counts as so much */

struct osip_message;

struct ota_sip_reply {
    struct osip_message *osip; /* owned; all slices live in it */
    unsigned status;           /* 100..699 */
    struct slice reason;
    struct slice branch;      /* of the topmost and only Via */
    struct slice method;      /* of CSeq */
    int64_t retry_s;          /* Retry-After in seconds; 0: none */
    struct slice association; /* X-Push-Association (ota/headers.h); n 0: none */
    struct slice body;        /* the unit's own */
};

/* The parser's tables; once in the process before anything of it is used, from any thread. */
void ota_sip_parser_start(void);

/* The branch of the topmost Via, of a response or a request; n 0: none.  Lives in the message. */
struct slice ota_sip_branch(const struct osip_message *m);

/* ERR_MALFORMED: libosip2 cannot read it, or it has not exactly one Via with a branch, From, To, Call-ID, CSeq (§8.1.1, §8.1.3.3).
 * ERR_UNSUPPORTED: a request.  ERR_NOMEM.  Otherwise give it back with ota_sip_reply_clear. */
enum err ota_sip_reply_read(const struct ota_sip_unit *unit, struct ota_sip_reply *out) MUST_USE;
void ota_sip_reply_clear(struct ota_sip_reply *r);

/* A 407, or another status that comes with Proxy-Authenticate (494: RFC 3329 §2.3.1): a proxy asks. */
bool ota_sip_reply_of_proxy(const struct ota_sip_reply *r);
/* The lists of Security-Server, one behind the other.  ERR_ABSENT: none; ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_reply_security(const struct ota_sip_reply *r, struct buf *out) MUST_USE;
/* The values of WWW-Authenticate or, of a proxy, Proxy-Authenticate, in order, a line feed behind each, appended.  More than
 * OTA_SIP_CHALLENGES_MAX are not looked at.  ERR_ABSENT: none; ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_reply_challenges(const struct ota_sip_reply *r, struct buf *out) MUST_USE;
/* nextnonce of Authentication-Info, or of Proxy-Authentication-Info: without its quotes; n 0: none. */
struct slice ota_sip_reply_next_nonce(const struct ota_sip_reply *r, bool proxy);
/* Call-ID, without copying; n 0: none, or one with a host part, which none of ours has. */
struct slice ota_sip_reply_call_id(const struct ota_sip_reply *r);
/* Has a Contact the feature parameter "+tag" (RFC 3840 §9)? */
bool ota_sip_reply_has_feature(const struct ota_sip_reply *r, struct slice tag);
/* Of a 200 to REGISTER: for how many seconds the contact of this URI is bound - its own expires, else Expires -; -1: it does not say
 * (RFC 3261 §10.2.4). */
int64_t ota_sip_reply_bound_s(const struct ota_sip_reply *r, struct slice contact);
/* Min-Expires of a 423, in seconds; -1: none (§20.23). */
int64_t ota_sip_reply_min_expires_s(const struct ota_sip_reply *r);
/* The URI of the first Contact, for a redirection.  ERR_ABSENT, ERR_LIMIT, ERR_NOMEM. */
enum err ota_sip_reply_contact(const struct ota_sip_reply *r, struct buf *out) MUST_USE;

#endif
