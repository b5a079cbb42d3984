/* The sections of initiators.conf about others whose word is taken: [token-issuer URI] and [auth-proxy NAME], to the
 * table of security/rules/delegates.h.  They stand above the initiators that need them.  Off the loops. */
#ifndef PPG_CONFIG_DELEGATES_H
#define PPG_CONFIG_DELEGATES_H

#include "ppg/config/lists.h"
#include "security/rules/delegates.h"

/* One section of either kind being read; embed, init, and chain `issuers` and `proxies` behind the list of initiators.
 * A key set is read when its section is, and its file must be its owner's alone when it holds a shared key. */
struct ppg_delegates_draft {
    struct ppg_list issuers, proxies;
    struct arena mem; /* text of the section */
    struct sec_delegates *to;
    struct sec_issuer issuer;
    struct sec_jwks *keys; /* owned */
    struct slice audiences[SEC_TOKEN_AUDIENCE_MAX];
    struct sec_proxy proxy;
    struct slice certificates[SEC_DELEGATE_LIST_MAX];
    struct slice networks[SEC_DELEGATE_LIST_MAX];
};

void ppg_delegates_init(struct ppg_delegates_draft *d, struct ppg_load *load, struct sec_delegates *to);
void ppg_delegates_clear(struct ppg_delegates_draft *d);

#endif
