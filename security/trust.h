/* From what a peer has shown (certificate, credentials, address) to who it is.  The table of accounts is built
 * aside and never changes afterwards, so a reload swaps it whole.  What the account may do is whitelist.c's and
 * policy.c's; slowing down guessers is penalty.c's.  Lookups: any thread. */
#ifndef SECURITY_TRUST_H
#define SECURITY_TRUST_H

#include "base/err.h"
#include "base/slice.h"
#include "security/digest.h"
#include "security/secret.h"

#define SEC_ACCOUNT_LIST_MAX 64 /* certificates, patterns or networks of one account */

enum sec_require {
    SEC_REQUIRE_ANY, /* a certificate or a password */
    SEC_REQUIRE_ALL  /* every kind that the account has */
};

/* One initiator.  Given to sec_accounts_add with borrowed slices (all is copied); got from sec_trust_identify
 * with slices that live as long as the table. */
struct sec_account {
    struct slice name;
    const struct slice *certificates; /* "URI:https://..", "DNS:..", "EMAIL:.."; any of them */
    size_t certificates_n;
    struct slice digest_user;     /* user name of Digest and Basic; n 0: no password */
    struct sec_secret ha1_md5;    /* empty: MD5 is not accepted for this account */
    struct sec_secret ha1_sha256; /* empty: neither SHA-256 nor Basic */
    bool basic;                   /* may use Basic inside TLS */
    bool basic_clear;             /* and without TLS */
    enum sec_require require;
    const struct slice *networks; /* "192.0.2.0/28", "2001:db8::/32"; must come from one; n 0: anywhere */
    size_t networks_n;
    const struct slice *initiator_uris; /* what X-Wap-Initiator-URI may claim (uri.h); n 0: nothing */
    size_t initiator_uris_n;
    size_t number;           /* place in the table, set by it; see sec_accounts_at */
    bool trusted;            /* sets the "trusted" push flag */
    bool may_ask_protection; /* X-Push-Protection is honoured */
};

struct sec_accounts;

/* `realm` goes into challenges and is the one HA1 values were made for.  ERR_MALFORMED (realm), ERR_NOMEM. */
enum err sec_accounts_create(struct slice realm, size_t max_n, struct sec_accounts **out) MUST_USE;
void sec_accounts_free(struct sec_accounts **accounts); /* wipes */
/* ERR_EXISTS (name, digest user or certificate matcher known), ERR_MALFORMED (a matcher, pattern, network or HA1;
 * an empty name; no way to authenticate), ERR_LIMIT, ERR_NOMEM.  *why gets a static text on failure.  After a failure other than ERR_EXISTS on
 * the name the table must be thrown away. */
enum err sec_accounts_add(struct sec_accounts *accounts, const struct sec_account *account,
                          const char **why) MUST_USE;
const struct sec_account *sec_accounts_find(const struct sec_accounts *accounts, struct slice name);
size_t sec_accounts_count(const struct sec_accounts *accounts);
/* i below sec_accounts_count, in the order added. */
const struct sec_account *sec_accounts_at(const struct sec_accounts *accounts, size_t i);
struct slice sec_accounts_realm(const struct sec_accounts *accounts);

/* What a peer has shown with one request; all slices borrowed. */
struct sec_evidence {
    bool tls;                 /* the connection is TLS */
    bool cert_verified;       /* its client certificate leads to a configured CA and is not revoked */
    const struct slice *uris; /* subjectAltName entries of that certificate */
    size_t uris_n;
    const struct slice *dns;
    size_t dns_n;
    const struct slice *emails;
    size_t emails_n;
    struct slice peer;          /* source address in text, without port */
    bool clear_basic;           /* the listener allows Basic without TLS */
    struct slice authorization; /* header value; n 0: none */
    struct sec_digest_request request;
};

enum sec_outcome {
    SEC_REFUSED, /* 403: no use to ask */
    SEC_IDENTIFIED,
    SEC_CHALLENGE,       /* 401 */
    SEC_CHALLENGE_STALE, /* 401 with stale=true; no failed login */
    SEC_NEED_BODY        /* auth-int: come back with the body */
};
const char *sec_outcome_name(enum sec_outcome o);

enum sec_proof { SEC_PROOF_NONE = 0, SEC_PROOF_CERTIFICATE = 1, SEC_PROOF_DIGEST = 2, SEC_PROOF_BASIC = 4 };

struct sec_identity {
    enum sec_outcome outcome;
    const struct sec_account *account; /* set when identified; borrowed from the table */
    const char *reason;                /* static; why not, or what proved it */
    unsigned proofs;                   /* of enum sec_proof */
    bool failed_login;                 /* credentials were wrong: sec_penalty_fail */
    struct sec_digest_response
        digest; /* with SEC_PROOF_DIGEST: for sec_trust_info; views into the evidence */
};

/* Order: SAN by URI, then DNS, then e-mail; then Authorization.  A certificate of one account and credentials of
 * another are refused.  ERR_NOMEM; everything else is an outcome. */
enum err sec_trust_identify(const struct sec_accounts *accounts, const struct sec_evidence *evidence,
                            struct sec_digest_guard *guard, int64_t now_ms,
                            struct sec_identity *out) MUST_USE;
/* Appends the Authentication-Info value for an identity proved by Digest.  As sec_digest_info; ERR_ABSENT when it
 * was not. */
enum err sec_trust_info(const struct sec_identity *id, struct slice response_body, struct buf *out) MUST_USE;

/* May this account claim that initiator? */
bool sec_initiator_uri_allowed(const struct sec_account *account, struct slice uri);

#endif
