/* A login that succeeded, remembered so that the same octets of Authorization need no second hash or signature.  Who
 * keeps it answers for everything else that the login hung on: it belongs to one connection (its source address, its TLS
 * and client certificate) and to one configuration, which `generation` tells from others. */
#ifndef SECURITY_LOGIN_LOGIN_H
#define SECURITY_LOGIN_LOGIN_H

#include "base/err.h"
#include "base/slice.h"

#define SEC_LOGIN_MAX_N 2048 /* octets of an Authorization value that is remembered */

/* What was found out. */
struct sec_login_facts {
    uint64_t generation; /* of the configuration */
    size_t account;      /* its number */
    unsigned proofs;     /* of enum sec_proof */
    unsigned scopes;     /* of enum sec_scope */
    int64_t until_s;     /* UTC; from then on it proves nothing */
};

struct sec_login;

/* A copy of the Authorization value.  NULL when it is empty or longer than SEC_LOGIN_MAX_N, or memory is out: then
 * nothing is remembered. */
struct sec_login *sec_login_create(struct slice authorization, const struct sec_login_facts *facts) MUST_USE;
void sec_login_free(struct sec_login **proof); /* wipes */
/* What these octets prove again, or NULL; lives as long as the proof, which may be NULL.  Takes time that tells nothing
 * about where they differ. */
const struct sec_login_facts *sec_login_holds(const struct sec_login *proof, struct slice authorization,
                                              uint64_t generation, int64_t now_s) MUST_USE;

#endif
