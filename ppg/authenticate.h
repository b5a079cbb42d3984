/* Who is this initiator?  Asked when the headers of a request are in and before its body is read, so a stranger
 * costs no more than a header block.  Evidence comes from the connection and the Authorization header; the
 * decision is security/rules/trust.c's. */
#ifndef PPG_AUTHENTICATE_H
#define PPG_AUTHENTICATE_H

#include "base/net/httpd.h"
#include "ppg/core.h"
#include "security/login/token.h"

/* 0: identified, remembered with the exchange; or, without its body, that the body decides (Digest of auth-int,
 * x-syncml-hmac) or must come before a challenge that belongs to the connection, which ppg_authenticated() tells by
 * NULL; the same with its body: a key must be asked for first, which *want then names (keyask.h).  Else the HTTP status
 * to refuse with: 401 (challenges printed into *headers), 403, or 429 with Retry-After for a source that guessed wrong
 * too often. */
unsigned ppg_authenticate(struct ppg_core *c, struct net_http_exchange *x, bool body_known,
                          struct buf *headers, struct sec_naf_want *want);

/* The account of an exchange that passed; NULL when the configuration has changed since, or its body was needed: ask
 * again with ppg_authenticate. */
const struct sec_account *ppg_authenticated(const struct ppg_core *c, const struct net_http_exchange *x);

/* Is what was proved good for this?  0, or 403 for a token that is not (RFC 6750 §3.1), told in *headers. */
unsigned ppg_authenticate_scope(const struct ppg_core *c, const struct net_http_exchange *x,
                                enum sec_scope need, struct buf *headers);

/* How that account was proved, in words for `push explain`: "Digest SHA-256 as mms from 192.0.2.7 over TLS".  Lives in
 * `mem`; empty when memory is out.  In the turn of the loop that the request is handled in. */
struct slice ppg_authenticate_how(const struct ppg_core *c, const struct net_http_exchange *x,
                                  const struct sec_account *account, struct arena *mem);

/* An Authentication-Info line for the answer, where Digest proved the identity (RFC 7616 §3.5); where x-syncml-hmac did,
 * the nonce for the next one. */
void ppg_authenticate_info(const struct ppg_core *c, struct net_http_exchange *x,
                           const struct sec_account *account, struct slice answer_body, struct buf *headers);

#endif
