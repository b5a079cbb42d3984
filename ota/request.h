/* The two requests the gateway sends a terminal, as text.  [OTA-HTTP §4, §7.1].  One thread. */
#ifndef OTA_REQUEST_H
#define OTA_REQUEST_H

#include "base/buf.h"
#include "ota/bearer.h"
#include "ota/login.h"

#define OTA_PATH          "/wappush"
#define OTA_REQUEST_MAX_N 65536 /* octets of a head, and of the head of an embedded message */

struct ota_request {
    const struct ota_env *env;
    const struct ota_terminal *terminal; /* of a push */
    struct slice host;                /* where the connection goes, "ip:port"; empty: the terminal's route */
    const struct ota_login *login_as; /* NULL: no login */
    struct slice challenges;          /* whole header lines; may be empty */
    const struct sec_mac_nonce
        *mac;         /* the request carries x-syncml-hmac, made with this nonce; NULL: it does not */
    struct slice tag; /* X-Wap-CPITag; n 0: left out */
    bool offer_tls;   /* OPTIONS: there is TLS, for who has it too (RFC 9110 §7.8) */
    struct ota_login_state *login; /* counts its uses */
    int64_t now_s;                 /* UTC */
};

/* Both append the whole head with its empty line.  ERR_LIMIT, ERR_NOMEM, ERR_MALFORMED, ERR_IO. */
enum err ota_request_options(const struct ota_request *r, struct buf *out) MUST_USE;
/* Of a push: the head and, unless the terminal takes pushes direct, behind it the head of the embedded message,
 * so that job->body is all that has to follow. */
enum err ota_request_push(const struct ota_request *r, const struct ota_job *job, struct buf *out) MUST_USE;

#endif
