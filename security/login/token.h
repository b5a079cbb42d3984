/* Bearer tokens: OAuth 2 access tokens as signed JWTs (RFC 6750, RFC 7519, RFC 9068), judged offline with the keys of
 * their provider.  Whose token it is and what follows from it is security/rules/trust.c's; keys and algorithms are jwks.c's.
 * RFC 8725 is followed: the algorithm is the key's, issuer and audience must be ours, nothing is fetched, and what
 * can be read in two ways is refused.  Any thread. */
#ifndef SECURITY_LOGIN_TOKEN_H
#define SECURITY_LOGIN_TOKEN_H

#include "base/err.h"
#include "base/slice.h"
#include "security/login/jwks.h"

#define SEC_TOKEN_MAX_N        4096 /* octets of a token: what one header field may have here */
#define SEC_TOKEN_NAME_MAX_N   512  /* octets of an issuer or a subject */
#define SEC_TOKEN_AUDIENCE_MAX 8    /* names of this gateway that an issuer may use */

/* What a token is for ("scope", RFC 8693 §4.2); other words in it mean nothing here. */
enum sec_scope {
    SEC_SCOPE_SUBMIT = 1, /* push.submit: submit, replace, cancel */
    SEC_SCOPE_STATUS = 2, /* push.status: ask about pushes and terminals */
    SEC_SCOPE_ADMIN = 4   /* push.admin: manage; no right to push */
};
#define SEC_SCOPE_ALL 7u
const char *sec_scope_name(enum sec_scope s); /* "push.submit" */

enum sec_token_claim { SEC_TOKEN_SUB, SEC_TOKEN_CLIENT_ID };

/* A provider whose tokens are taken.  All borrowed. */
struct sec_issuer {
    struct slice name;             /* the claim iss, octet for octet; of those configured an https URI */
    const struct slice *audiences; /* one of them must be in aud; audiences_n 1..SEC_TOKEN_AUDIENCE_MAX */
    size_t audiences_n;
    enum sec_token_claim subject; /* who the token speaks for: this claim */
    int64_t skew_s;               /* its clock may be that far from ours */
    const struct sec_jwks *keys;
};

/* What a good token says. */
struct sec_token {
    char who[2 * SEC_TOKEN_NAME_MAX_N + 1]; /* issuer, a space, subject; no NUL behind it */
    size_t who_n;
    int64_t expires_s; /* UTC; the skew is in it */
    unsigned scopes;   /* of enum sec_scope */
};

/* Judges a token in compact serialisation at UTC time now_s.  *why gets a static text on failure.  ERR_OK;
 * ERR_MALFORMED (its grammar, members twice, claims missing or of a wrong type), ERR_LIMIT (too long), ERR_UNSUPPORTED
 * (crit, encryption, another kind of JWT), ERR_DENIED (unknown issuer, another's audience, wrong key, algorithm or
 * signature), ERR_LATE (expired or not valid yet; looked at before the signature, which is the dearer), ERR_NOMEM. */
enum err sec_token_verify(const struct sec_issuer *const *issuers, size_t issuers_n, struct slice text,
                          int64_t now_s, struct sec_token *out, const char **why) MUST_USE;

/* The token in an Authorization value of scheme Bearer (RFC 6750 §2.1).  ERR_UNSUPPORTED (other scheme),
 * ERR_MALFORMED, ERR_LIMIT. */
enum err sec_token_of(struct slice authorization, struct slice *out) MUST_USE;

#endif
