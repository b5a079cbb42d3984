/* syncml:auth-md5: the login of OMA DM 1.2 for clients that have no certificate to show, as a scheme of HTTP authentication.
 * The arithmetic and the grammar, both roles, and the verdict; which nonces are good is mac_guard.h's, as for macs.
 *
 *     Syncml-MD5 realm="push", nonce="<base64>"                      asked
 *     Syncml-MD5 username="phone", response="<base64>"               answered
 *     response = B64(MD5(B64(MD5(user ":" password)) ":" nonce))
 *
 * It says nothing of the message that it comes with, and MD5 is what it is: for interoperation only, inside TLS with a server
 * that is proved, of those alone whom configuration names.  [DM-SEC §5.1.3].  Any thread. */
#ifndef SECURITY_LOGIN_AUTHMD5_H
#define SECURITY_LOGIN_AUTHMD5_H

#include "security/login/mac_guard.h"

#define SEC_AUTHMD5_SCHEME "Syncml-MD5"

/* Is this value of Authorization (X-Wap-Authorization) meant to be one? */
bool sec_authmd5_is(struct slice authorization);

/* Credentials as received: user, and the response as `mac`; views into the value.  ERR_UNSUPPORTED (another scheme),
 * ERR_MALFORMED, ERR_LIMIT. */
enum err sec_authmd5_parse(struct slice authorization, struct sec_mac *out) MUST_USE;

/* How a nonce goes into the hash: its octets, or its base64 as it travels.  Both are found in the field; a receiver takes
 * either, we send the first. */
enum sec_authmd5_reading { SEC_AUTHMD5_OCTETS, SEC_AUTHMD5_TEXT, SEC_AUTHMD5_READINGS };

/* inner: of sec_mac_inner().  ERR_NOMEM. */
enum err sec_authmd5_make(struct slice inner, struct slice nonce, enum sec_authmd5_reading reading,
                          struct sec_mac_text *out) MUST_USE;
/* Appends a header value.  ERR_MALFORMED (quote, backslash or control in the user, or none), ERR_LIMIT, ERR_NOMEM, or the
 * sticky error of `out`. */
enum err sec_authmd5_print(struct slice user, struct slice password, const struct sec_mac_nonce *nonce,
                           struct buf *out) MUST_USE;

/* Appends a challenge with a new nonce for the connection.  ERR_MALFORMED (realm), ERR_IO, or the sticky error of `out`. */
enum err sec_authmd5_challenge(struct sec_mac_session *session, struct slice realm, struct buf *out) MUST_USE;
/* The nonce of a value that is one such challenge.  ERR_UNSUPPORTED (another scheme), ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM. */
enum err sec_authmd5_challenged(struct slice value, struct sec_mac_nonce *out) MUST_USE;

/* password NULL: nobody who may log in so has that name, which takes as long.  As sec_mac_guard_verify(). */
enum err sec_authmd5_verify(struct sec_mac_guard *guard, const struct sec_mac *said,
                            const struct slice *password, struct sec_mac_session *session,
                            int64_t now_ms) MUST_USE;

#endif
