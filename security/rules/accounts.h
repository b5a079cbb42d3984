/* The initiators this gateway knows: how each proves itself and what it may claim.  The table is built aside and
 * never changes afterwards, so a reload swaps it whole.  Building: one thread; lookups: any thread. */
#ifndef SECURITY_RULES_ACCOUNTS_H
#define SECURITY_RULES_ACCOUNTS_H

#include "base/err.h"
#include "base/rate.h"
#include "base/slice.h"
#include "security/login/mac.h"
#include "security/rules/delegates.h"
#include "security/secret.h"

#define SEC_ACCOUNT_LIST_MAX 64 /* certificates, patterns or networks of one account */

enum sec_require {
    SEC_REQUIRE_ANY, /* one of the kinds that the account has */
    SEC_REQUIRE_ALL /* every kind; only for kinds that one request can carry: connection, and Authorization */
};

/* What one initiator may take of the gateway; 0 is no limit of its own. */
struct sec_limits {
    struct rate requests;   /* of any kind */
    struct rate recipients; /* targets of pushes that are accepted */
    uint64_t queue_max;     /* targets of its pushes that are not final */
    size_t body_max_n;      /* octets of a request */
    uint32_t connections_max;
};

/* One initiator.  Given to sec_accounts_add with borrowed slices (all is copied); got from sec_trust_identify
 * with slices that live as long as the table. */
struct sec_account {
    struct slice name;
    const struct slice *certificates; /* "URI:https://..", "DNS:..", "EMAIL:.."; any of them */
    size_t certificates_n;
    const struct slice
        *issuers; /* SHA-256 of who may sign them, 64 hexadecimal digits in lower case; n 0: any CA */
    size_t issuers_n;
    struct slice psk_identity; /* of a key shared for TLS; n 0: none */
    struct sec_secret psk;     /* 16 octets or more */
    unsigned psk_version;      /* the one TLS version it is good for: 12, 13 (RFC 9257 §4) */
    struct slice
        digest_user; /* user name of Digest, Basic and x-syncml-hmac; n 0: no password and no key for macs */
    struct sec_mac_keys mac;      /* of its user; an empty one: that algorithm is not accepted */
    struct sec_secret ha1_md5;    /* empty: MD5 is not accepted for this account */
    struct sec_secret ha1_sha256; /* empty: neither SHA-256 nor Basic */
    bool basic;                   /* may use Basic inside TLS */
    bool basic_clear;             /* and without TLS */
    const struct slice
        *tokens; /* "ISSUER SUBJECT": whose tokens speak for it; the issuers are known before */
    size_t tokens_n;
    const struct slice *asserted; /* identities that a proxy may assert for it */
    size_t asserted_n;
    const struct slice *subscribers; /* IMPIs whose bootstrapped keys prove it */
    size_t subscribers_n;
    bool by_network; /* its networks alone prove it; no other account may share them */
    enum sec_require require;
    const struct slice *networks; /* "192.0.2.0/28", "2001:db8::/32"; must come from one; n 0: anywhere */
    size_t networks_n;
    const struct slice
        *initiator_uris; /* what X-Wap-Initiator-URI may claim (security/uri.h); n 0: nothing */
    size_t initiator_uris_n;
    struct sec_limits limits;
    size_t number;           /* place in the table, set by it; see sec_accounts_at */
    bool trusted;            /* sets the "trusted" push flag */
    bool may_ask_protection; /* X-Push-Protection is honoured */
    bool anonymous;          /* terminals are not told who it is */
};

struct sec_accounts;

/* `realm` goes into challenges and is the one HA1 values were made for.  ERR_MALFORMED (realm), ERR_NOMEM. */
enum err sec_accounts_create(struct slice realm, size_t max_n, struct sec_accounts **out) MUST_USE;
void sec_accounts_free(struct sec_accounts **accounts); /* wipes */
/* ERR_EXISTS (name, digest user, certificate matcher, token, asserted identity, subscriber or network to prove it by known),
 * ERR_MALFORMED (a matcher, pattern, network or HA1; an empty name; an unknown issuer; no way to authenticate), ERR_LIMIT, ERR_NOMEM.  *why gets a static text on failure; the table must then be thrown away. */
enum err sec_accounts_add(struct sec_accounts *accounts, const struct sec_account *account,
                          const char **why) MUST_USE;
const struct sec_account *sec_accounts_find(const struct sec_accounts *accounts, struct slice name);
/* Do two accounts say the same in every field, wherever they stand? */
bool sec_account_same(const struct sec_account *a, const struct sec_account *b);
size_t sec_accounts_count(const struct sec_accounts *accounts);
/* i below sec_accounts_count, in the order added. */
const struct sec_account *sec_accounts_at(const struct sec_accounts *accounts, size_t i);
/* Providers and proxies of the table; add to them only while it is built. */
struct sec_delegates *sec_accounts_delegates(const struct sec_accounts *accounts);
struct slice sec_accounts_realm(const struct sec_accounts *accounts);

/* The account whose matcher is one of a certificate's names of that kind ("URI:", "DNS:", "EMAIL:"), or NULL. */
const struct sec_account *sec_accounts_by_san(const struct sec_accounts *accounts, const char *kind,
                                              const struct slice *values, size_t n);
const struct sec_account *sec_accounts_by_user(const struct sec_accounts *accounts, struct slice user);
/* By the identity of a shared key, or NULL. */
const struct sec_account *sec_accounts_by_psk(const struct sec_accounts *accounts, struct slice identity);
/* By "ISSUER SUBJECT", by asserted identity, by IMPI, by source address alone; or NULL. */
const struct sec_account *sec_accounts_by_token(const struct sec_accounts *accounts, struct slice who);
const struct sec_account *sec_accounts_by_asserted(const struct sec_accounts *accounts, struct slice id);
const struct sec_account *sec_accounts_by_subscriber(const struct sec_accounts *accounts, struct slice impi);
const struct sec_account *sec_accounts_by_network(const struct sec_accounts *accounts, struct slice peer);
bool sec_account_asserted(const struct sec_account *account,
                          struct slice id);                         /* is it one of its identities? */
bool sec_accounts_tokens(const struct sec_accounts *accounts);      /* does any account take tokens? */
bool sec_accounts_subscribers(const struct sec_accounts *accounts); /* does any account belong to one? */
bool sec_accounts_passwords(const struct sec_accounts *accounts);   /* does any account have one? */
bool sec_accounts_macs(const struct sec_accounts *accounts);        /* does any account use x-syncml-hmac? */
/* May a certificate of the account be signed by this one (SHA-256, 64 hexadecimal digits in lower case)? */
bool sec_account_issuer_allowed(const struct sec_account *account, struct slice issuer);
/* Is this source address one that the account (of a table) comes from? */
bool sec_account_from_here(const struct sec_account *account, struct slice peer);

#endif
