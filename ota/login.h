/* How the gateway proves itself to a terminal that answers 401: the terminal is the origin server, HTTP
 * authentication as usual.  Digest (RFC 7616), or Basic (RFC 7617) where the connection is TLS.  Keeps the last challenge
 * so that later requests need no second round.  [OTA-HTTP §6].  One thread. */
#ifndef OTA_LOGIN_H
#define OTA_LOGIN_H

#include "base/buf.h"
#include "base/net/http1.h"
#include "ota/registry.h"
#include "security/login/digest.h"

struct ota_login_state {
    enum { OTA_LOGIN_NONE, OTA_LOGIN_DIGEST, OTA_LOGIN_BASIC } scheme;
    struct buf challenge; /* the WWW-Authenticate value that `offer` has views into */
    struct sec_digest_offer offer;
    uint32_t nc; /* uses of the nonce so far */
};

void ota_login_init(struct ota_login_state *s);
void ota_login_clear(struct ota_login_state *s);
/* Learns the challenges of a 401.  ERR_ABSENT: none we can or may answer; ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM. */
enum err ota_login_challenged(struct ota_login_state *s, const struct net_http_msg *m, bool tls) MUST_USE;
/* The nonce that a 401 asks a mac with; ERR_ABSENT: it asks for none. */
enum err ota_login_mac(const struct net_http_msg *m, struct sec_mac_nonce *out) MUST_USE;
/* Does the answer cover the body (so that it must be at hand)? */
bool ota_login_wants_body(const struct ota_login_state *s);
/* Appends an Authorization line, or nothing when no challenge is known.  ERR_LIMIT, ERR_NOMEM, ERR_IO, ERR_MALFORMED
 * (a character in the login that cannot be sent). */
enum err ota_login_print(struct ota_login_state *s, const struct ota_login *login,
                         const struct sec_digest_request *request, struct buf *out) MUST_USE;

#endif
