/* Others whose word on an initiator is taken: providers of tokens, and authentication proxies in front of this gateway.
 * Part of the table of accounts (accounts.h), built with it and never changed afterwards.  What a token says is
 * security/login/token.c's, what a proxy says asserted.c's.  Building: one thread; asking: any. */
#ifndef SECURITY_RULES_DELEGATES_H
#define SECURITY_RULES_DELEGATES_H

#include "security/login/token.h"

#define SEC_ISSUERS_MAX       64
#define SEC_PROXIES_MAX       64
#define SEC_DELEGATE_LIST_MAX 16 /* certificates or networks of one proxy */

/* An authentication proxy: it is one when its certificate has one of the names and it comes from one of the networks
 * (TS 24.109 §7); both are needed.  All borrowed. */
struct sec_proxy {
    struct slice name;
    const struct slice *certificates; /* as matcher.h */
    size_t certificates_n;
    const struct slice *networks; /* as network.h */
    size_t networks_n;
};

/* The names of a peer's verified certificate, and its source address. */
struct sec_peer_names {
    const struct slice *uris, *dns, *emails;
    size_t uris_n, dns_n, emails_n;
    struct slice address;
};

struct sec_delegates;
enum err sec_delegates_create(struct sec_delegates **out) MUST_USE; /* ERR_NOMEM */
void sec_delegates_free(struct sec_delegates **d);

/* Copies; the keys move in (*keys is NULL afterwards) on success, issuer->keys is not looked at.  ERR_EXISTS,
 * ERR_MALFORMED (name, no audience), ERR_LIMIT, ERR_NOMEM, with a static text in *why. */
enum err sec_delegates_add_issuer(struct sec_delegates *d, const struct sec_issuer *issuer,
                                  struct sec_jwks **keys, const char **why) MUST_USE;
/* Copies.  Errors as above. */
enum err sec_delegates_add_proxy(struct sec_delegates *d, const struct sec_proxy *proxy,
                                 const char **why) MUST_USE;

/* How many providers and proxies are new, gone or otherwise than before; keys count. */
size_t sec_delegates_changes(const struct sec_delegates *was, const struct sec_delegates *is);

const struct sec_issuer *const *sec_delegates_issuers(const struct sec_delegates *d, size_t *n);
bool sec_delegates_has_issuer(const struct sec_delegates *d, struct slice name);
/* Is this one of the proxies? */
bool sec_delegates_is_proxy(const struct sec_delegates *d, const struct sec_peer_names *peer);

#endif
