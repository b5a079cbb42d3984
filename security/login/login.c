/* Remembered logins; see login.h.  Any thread, one at a time. */
#include "security/login/login.h"

#include <stdlib.h>
#include "base/mem.h"

struct sec_login {
    struct sec_login_facts facts;
    size_t n;
    char authorization[];
};

struct sec_login *sec_login_create(struct slice authorization, const struct sec_login_facts *facts)
{
    struct sec_login *p;

    if (authorization.n == 0 || authorization.n > SEC_LOGIN_MAX_N)
        return NULL;
    p = malloc(sizeof *p + authorization.n);
    if (!p)
        return NULL;
    *p = (struct sec_login){.facts = *facts, .n = authorization.n};
    mem_copy(p->authorization, p->n, authorization);
    return p;
}

void sec_login_free(struct sec_login **proof)
{
    if (*proof)
        mem_wipe(*proof, sizeof **proof + (*proof)->n);
    free(*proof);
    *proof = NULL;
}

const struct sec_login_facts *sec_login_holds(const struct sec_login *proof, struct slice authorization,
                                              uint64_t generation, int64_t now_s)
{
    if (!proof || proof->facts.generation != generation || now_s >= proof->facts.until_s ||
        !slice_eq_ct(slice_of(proof->authorization, proof->n), authorization))
        return NULL;
    return &proof->facts;
}
