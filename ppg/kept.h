/* What is kept with an initiator's connection from request to request: the login it has proved, what
 * it was asked for macs, and its place among the connections of the account.  Loop thread of the connection. */
#ifndef PPG_KEPT_H
#define PPG_KEPT_H

#include "base/net/httpd.h"
#include "security/login/login.h"
#include "security/login/mac_guard.h"
#include "security/rules/accounts.h"

struct ppg_usage;

const struct sec_login *ppg_kept_login(const struct net_http_exchange *x); /* NULL: none */
/* Owns the login from here on, also when it cannot be kept; NULL forgets the one before. */
void ppg_kept_set_login(struct net_http_exchange *x, struct sec_login *login);

/* What was asked and proved by x-syncml-hmac; NULL: no memory. */
struct sec_mac_session *ppg_kept_mac(struct net_http_exchange *x);

/* Gives the connection a place among those of this account, once; a place with another account is given back.  It ends
 * with the connection.  ERR_LIMIT: there are as many as there may be; ERR_NOMEM. */
enum err ppg_kept_enter(struct net_http_exchange *x, struct ppg_usage *usage,
                        const struct sec_account *account) MUST_USE;

#endif
