/* The software identity module; see usim.h.  Ks lives for one derivation only: a Ks made by push is disposable
 * (TS 33.223 §3.1).  One thread at a time. */
#include "security/gba/usim.h"

#include <stdlib.h>
#include "base/mem.h"

struct sec_usim {
    struct sec_milenage *milenage; /* K and OPc */
    struct sec_aka_seen seen;
    enum sec_aka_star star;
    char impi[SEC_GBA_IMPI_MAX_N]; /* impi_n octets */
    size_t impi_n;
};

const char *sec_gpi_verdict_name(enum sec_gpi_verdict v)
{
    static const char *const names[] = {
#define VERDICT_NAME(name, text) [SEC_GPI_##name] = text,
        SEC_GPI_VERDICT_LIST(VERDICT_NAME)
#undef VERDICT_NAME
    };

    return names[v];
}

enum err sec_usim_create(const struct sec_usim_conf *conf, struct sec_usim **out)
{
    struct sec_usim *u;
    enum err e;

    if (conf->impi.n < 1 || conf->impi.n > SEC_GBA_IMPI_MAX_N)
        return ERR_LIMIT;
    u = calloc(1, sizeof *u);
    if (!u)
        return ERR_NOMEM;
    u->star = conf->star;
    u->impi_n = conf->impi.n;
    mem_copy(u->impi, sizeof u->impi, conf->impi);
    e = sec_milenage_create(conf->k, conf->opc, &u->milenage);
    if (e)
        sec_usim_free(&u);
    else
        *out = u;
    return e;
}

void sec_usim_free(struct sec_usim **u)
{
    if (!*u)
        return;
    sec_milenage_free(&(*u)->milenage);
    mem_wipe(*u, sizeof **u);
    free(*u);
    *u = NULL;
}

struct slice sec_usim_impi(const struct sec_usim *u)
{
    return slice_of(u->impi, u->impi_n);
}

const struct sec_aka_seen *sec_usim_seen(const struct sec_usim *u)
{
    return &u->seen;
}

void sec_usim_restore(struct sec_usim *u, const struct sec_aka_seen *seen)
{
    u->seen = *seen;
}

enum err sec_usim_aka(struct sec_usim *u, const uint8_t rand[SEC_AKA_RAND_N],
                      const uint8_t autn[SEC_AKA_AUTN_N], struct sec_aka_vector *out,
                      uint8_t auts[SEC_AKA_AUTS_N])
{
    enum err e = sec_aka_respond(u->milenage, rand, autn, u->star, &u->seen, out);
    enum err sync = ERR_OK;

    if (e == ERR_EXISTS)
        sync = sec_aka_auts_make(u->milenage, rand, sec_aka_seen_highest(&u->seen), auts);
    return sync ? sync : e;
}

/* Step 2. */
static bool allowed(const struct sec_usim *u, const struct sec_gpi_msg *msg, const struct sec_usim_policy *p)
{
    struct slice fqdn, ua;

    if (msg->uicc != (u->star != SEC_AKA_PLAIN) || sec_gba_naf_id_split(msg->naf_id, &fqdn, &ua) ||
        !slice_eq(ua, SEC_GBA_UA_GPL))
        return false;
    for (size_t i = 0; i < p->nafs_n; i++)
        if (slice_eq_ci(fqdn, p->nafs[i]))
            return true;
    return false;
}

/* Step 5, first half: the keys of the NAF that the GPI names; CK, IK and Ks are forgotten. */
static enum err naf_keys(const struct sec_usim *u, const struct sec_gpi_msg *msg,
                         const struct sec_aka_vector *v, struct sec_usim_result *r)
{
    struct slice impi = slice_of(u->impi, u->impi_n);
    struct sec_secret ks;
    enum err e;

    sec_secret_init(&ks);
    sec_gba_ks(v->ck, v->ik, &ks);
    e = sec_gba_naf_key(&ks, SEC_GBA_ME, msg->rand, impi, msg->naf_id, &r->ks_naf);
    if (!e && msg->uicc)
        e = sec_gba_naf_key(&ks, SEC_GBA_UICC, msg->rand, impi, msg->naf_id, &r->ks_int);
    sec_secret_clear(&ks);
    return e;
}

/* Steps 3 to 5, first half.  ERR_OK with a verdict other than GOOD ends the matter. */
static enum err run(struct sec_usim *u, const struct sec_gpi_msg *msg, struct sec_usim_result *r)
{
    struct sec_aka_vector v;
    enum err e = sec_usim_aka(u, (const uint8_t *)msg->rand.p, (const uint8_t *)msg->autn.p, &v, r->auts);

    if (e == ERR_DENIED || e == ERR_EXISTS) {
        r->verdict = e == ERR_DENIED ? SEC_GPI_AUTH_MAC : SEC_GPI_AUTH_SYNC;
        return ERR_OK;
    }
    if (e)
        return e;
    e = naf_keys(u, msg, &v, r);
    sec_aka_vector_clear(&v);
    return e;
}

/* Steps 5, second half, to 7. */
static enum err judge(const struct sec_gpi_msg *msg, const struct sec_usim_policy *p,
                      struct sec_usim_result *r)
{
    enum err e = sec_gpi_open(&r->ks_naf, msg, p->now_s, &r->opened);

    if (e == ERR_DENIED)
        r->verdict = SEC_GPI_GPI_MAC;
    else if (e == ERR_MALFORMED)
        r->verdict = SEC_GPI_MALFORMED;
    else if (e)
        return e;
    else if (r->opened.expires_s <= p->now_s || r->opened.expires_s - p->now_s > p->life_max_s)
        r->verdict = SEC_GPI_EXPIRED;
    return ERR_OK;
}

void sec_usim_result_clear(struct sec_usim_result *r)
{
    mem_wipe(r, sizeof *r);
}

enum err sec_usim_accept(struct sec_usim *u, const struct sec_gpi_msg *msg,
                         const struct sec_usim_policy *policy, struct sec_usim_result *out)
{
    struct sec_usim_result r = {.verdict = SEC_GPI_GOOD};
    enum err e = ERR_OK;

    if (!allowed(u, msg, policy))
        r.verdict = SEC_GPI_POLICY;
    else
        e = run(u, msg, &r);
    if (!e && r.verdict == SEC_GPI_GOOD)
        e = judge(msg, policy, &r);
    if (r.verdict != SEC_GPI_GOOD) {
        sec_secret_clear(&r.ks_naf);
        sec_secret_clear(&r.ks_int);
    }
    if (!e)
        *out = r;
    sec_usim_result_clear(&r);
    return e;
}
