/* From what a peer has shown (certificate, credentials, address) to who it is.  The accounts are accounts.c's; what
 * the account may do is whitelist.c's and security/policy.c's; slowing down guessers is security/login/penalty.c's.
 * Any thread. */
#ifndef SECURITY_RULES_TRUST_H
#define SECURITY_RULES_TRUST_H

#include "base/err.h"
#include "base/slice.h"
#include "security/gba/naf.h"
#include "security/login/digest.h"
#include "security/login/mac_guard.h"
#include "security/rules/accounts.h"

/* What a peer has shown with one request; all slices borrowed. */
struct sec_evidence {
    bool tls;                 /* the connection is TLS */
    bool cert_verified;       /* its client certificate leads to a configured CA and is not revoked */
    struct slice issuer;      /* SHA-256 of who signed it, in hexadecimal; n 0: not known */
    struct slice psk;         /* the identity whose shared key keyed the TLS session; n 0: none */
    uint16_t suite;           /* number of the TLS session's; 0: not known */
    struct sec_naf naf;       /* whose keys clients may have bootstrapped */
    const struct slice *uris; /* subjectAltName entries of that certificate */
    size_t uris_n;
    const struct slice *dns;
    size_t dns_n;
    const struct slice *emails;
    size_t emails_n;
    struct slice peer;                   /* source address in text, without port */
    bool clear_basic;                    /* the listener allows Basic without TLS */
    struct slice authorization;          /* header value; n 0: none */
    size_t authorization_n;              /* how many such headers there were; above 1 nothing is believed */
    struct slice mac;                    /* x-syncml-hmac; not looked at when no account uses it */
    size_t mac_n;                        /* how many such headers there were; above 1 none is believed */
    bool mac_hex;                        /* as sec_mac_same() */
    struct sec_mac_guard *mac_guard;     /* both NULL: no account uses it, or memory was out */
    struct sec_mac_session *mac_session; /* of the connection */
    struct slice asserted;               /* X-3GPP-Asserted-Identity; believed of a proxy only */
    size_t asserted_n;                   /* how many such headers there were */
    struct slice intended;               /* X-3GPP-Intended-Identity; n 0: none */
    int64_t utc_s;                       /* the time, for tokens */
    struct sec_digest_request request;
};

enum sec_outcome {
    SEC_REFUSED, /* 403: no use to ask */
    SEC_IDENTIFIED,
    SEC_CHALLENGE,       /* 401 */
    SEC_CHALLENGE_STALE, /* 401 with stale=true; no failed login */
    SEC_NEED_BODY,       /* auth-int or a mac: come back with the body */
    SEC_NEED_KEY         /* come back when the far BSF was asked for what evidence.naf.want says */
};
const char *sec_outcome_name(enum sec_outcome o);

enum sec_proof {
    SEC_PROOF_NONE = 0,
    SEC_PROOF_CERTIFICATE = 1,
    SEC_PROOF_DIGEST = 2,
    SEC_PROOF_BASIC = 4,
    SEC_PROOF_PSK = 8,
    SEC_PROOF_TOKEN = 16,
    SEC_PROOF_ASSERTED = 32,
    SEC_PROOF_NETWORK = 64,
    SEC_PROOF_MAC = 128
};

struct sec_identity {
    enum sec_outcome outcome;
    const struct sec_account *account; /* set when identified; borrowed from the table */
    const char *reason;                /* static; why not, or what proved it */
    unsigned proofs;                   /* of enum sec_proof */
    const char *event;       /* static; a log event that this refusal has beside the common one; NULL: none */
    bool failed_login;       /* credentials were wrong: sec_penalty_fail */
    const char *token_fault; /* static; what to tell about the token that came, NULL: none came */
    unsigned scopes;         /* of enum sec_scope: what a token is for; all of them without one */
    int64_t until_s;         /* UTC; with SEC_PROOF_TOKEN: when it ends */
    struct sec_digest_response
        digest;                 /* with SEC_PROOF_DIGEST: for sec_trust_info; views into the evidence */
    enum sec_mac_algorithm mac; /* with SEC_PROOF_MAC */
};

/* Order: the shared key (provisioned or bootstrapped), or SAN by URI, then DNS, then e-mail - or, of a proxy, the identities it asserts -; then
 * Authorization or x-syncml-hmac; then, of who has shown nothing, the source address.  A certificate (or shared key) of one account and
 * credentials of another are refused.  ERR_NOMEM; everything else is an outcome. */
enum err sec_trust_identify(const struct sec_accounts *accounts, const struct sec_evidence *evidence,
                            struct sec_digest_guard *guard, int64_t now_ms,
                            struct sec_identity *out) MUST_USE;
/* Appends the Authentication-Info value for an identity proved by Digest.  As sec_digest_info; ERR_ABSENT when it
 * was not. */
enum err sec_trust_info(const struct sec_identity *id, struct slice response_body, struct buf *out) MUST_USE;

/* May this account claim that initiator? */
bool sec_initiator_uri_allowed(const struct sec_account *account, struct slice uri);

#endif
