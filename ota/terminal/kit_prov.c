/* What a kit was provisioned with (security/terminal/secprov.h): lists that take the place of those it was made with, associations,
 * the least protection.  An object is in force whole or not at all: all that can fail comes before anything changes.
 * SEC_CF 1.1 B.8.  One thread. */
#include "ota/terminal/kit_state.h"

#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "security/uri.h"

struct names {
    struct slice *v;
    size_t n;
};

struct kit_prov {
    struct arena mem; /* of the names */
    uint64_t version;
    char hash[65];
    int64_t until_s; /* INT64_MAX: for ever */
    struct names white_servers, black_servers, white_initiators, black_initiators;
    enum kit_protection floor;
    uint8_t saids[SEC_SECPROV_ITEMS_MAX][SEC_SA_RAND_N];
    size_t saids_n;
};

void kit_prov_free(struct kit_prov **prov)
{
    if (*prov)
        arena_clear(&(*prov)->mem);
    free(*prov);
    *prov = NULL;
}

/* --- what it decides --- */

static bool has_server(const struct names *names, struct slice server)
{
    for (size_t i = 0; i < names->n; i++)
        if (slice_eq_ci(names->v[i], server))
            return true;
    return false;
}

static bool has_initiator(const struct names *names, struct slice uri)
{
    for (size_t i = 0; i < names->n; i++)
        if (sec_uri_matches(names->v[i], uri))
            return true;
    return false;
}

enum kit_standing kit_prov_standing(const struct kit_prov *p, struct slice server)
{
    if (has_server(&p->black_servers, server))
        return KIT_BANNED;
    return has_server(&p->white_servers, server) ? KIT_LISTED : KIT_NEUTRAL;
}

bool kit_prov_has_servers(const struct kit_prov *p)
{
    return p->white_servers.n != 0;
}

/* A name that nobody vouches for is on no white list; it is on the black one whoever says it. */
enum kit_reason kit_prov_police(const struct kit_prov *p, const struct kit_push *push, int64_t now_s)
{
    if (now_s > p->until_s)
        return KIT_REASON_PROVISIONING_OLD;
    if (has_initiator(&p->black_initiators, push->initiator_uri))
        return KIT_REASON_INITIATOR;
    if (p->white_initiators.n &&
        !(push->authenticated && has_initiator(&p->white_initiators, push->initiator_uri)))
        return KIT_REASON_INITIATOR;
    return KIT_REASON_NONE;
}

enum kit_protection kit_prov_floor(const struct kit_prov *p)
{
    return p->floor;
}

/* --- taking one --- */

static enum err copy_names(struct arena *mem, const struct slice *from, size_t n, struct names *out)
{
    enum err e = ERR_OK;

    out->v = n ? arena_array(mem, n, sizeof *out->v) : NULL;
    if (n && !out->v)
        return ERR_NOMEM;
    for (out->n = 0; out->n < n && !e; out->n++)
        e = arena_dup(mem, from[out->n], &out->v[out->n]);
    return e;
}

static enum err make(const struct sec_secprov *from, int64_t now_s, struct kit_prov **out)
{
    static const enum kit_protection levels[] = {
        [SEC_LEVEL_NONE] = KIT_NONE, [SEC_LEVEL_INTEGRITY] = KIT_INTEGRITY, [SEC_LEVEL_FULL] = KIT_FULL};
    struct kit_prov *p = calloc(1, sizeof *p);
    enum err e;

    if (!p)
        return ERR_NOMEM;
    arena_init(&p->mem, 1024, 4 * SEC_SECPROV_MAX_N);
    p->version = from->version;
    p->until_s = from->ttl_s ? now_s + from->ttl_s : INT64_MAX;
    p->floor = levels[from->floor];
    mem_copy(p->hash, sizeof p->hash, slice_str(from->hash));
    for (; p->saids_n < from->sas_n; p->saids_n++)
        mem_copy(p->saids[p->saids_n], SEC_SA_RAND_N, slice_of(from->sas[p->saids_n].said, SEC_SA_RAND_N));
    e = copy_names(&p->mem, from->white.servers, from->white.servers_n, &p->white_servers);
    if (!e)
        e = copy_names(&p->mem, from->black.servers, from->black.servers_n, &p->black_servers);
    if (!e)
        e = copy_names(&p->mem, from->white.initiators, from->white.initiators_n, &p->white_initiators);
    if (!e)
        e = copy_names(&p->mem, from->black.initiators, from->black.initiators_n, &p->black_initiators);
    if (e)
        kit_prov_free(&p);
    else
        *out = p;
    return e;
}

/* Its place, with room for the key: made now, filled later. */
static enum err reserve(struct kit *k, const struct sec_secprov_sa *from)
{
    struct slice said = slice_of(from->said, SEC_SA_RAND_N);
    struct kit_assoc *a = kit_assoc_find(k, said);

    if (a && a->present && !slice_eq_ct(slice_of(a->sa.ks, sizeof a->sa.ks), sec_secret_slice(&from->key)))
        return ERR_EXISTS; /* a name keeps its key: numbers already seen are of that one */
    return a ? ERR_OK : kit_assoc_add(k, said, &a);
}

static enum err sa_of(const struct kit *k, const struct sec_secprov_sa *from, struct sec_sa *out)
{
    const struct sec_sa_conf conf = {.rand = slice_of(from->said, SEC_SA_RAND_N),
                                     .ks = sec_secret_slice(&from->key),
                                     .suites = slice_of(from->suites, from->suites_n),
                                     .expires_s = from->expires_s,
                                     .window = (uint8_t)k->conf.window};

    return sec_sa_init(out, &conf);
}

static bool is_of(const struct kit_prov *p, const struct kit_assoc *a)
{
    for (size_t i = 0; p && i < p->saids_n; i++)
        if (slice_eq(slice_of(p->saids[i], SEC_SA_RAND_N), slice_of(a->said, SEC_SA_RAND_N)))
            return true;
    return false;
}

/* Those of the object before that are not in this one; what was seen of them stays seen. */
static void take_away(struct kit *k, const struct kit_prov *fresh)
{
    for (size_t i = 0; i < k->assocs_n; i++) {
        struct kit_assoc *a = k->assocs[i];

        if (!a->present || !is_of(k->prov, a) || is_of(fresh, a))
            continue;
        a->high = a->sa.window.high;
        a->seen = a->sa.window.seen;
        sec_sa_clear(&a->sa);
        a->present = false;
    }
}

static void install(struct kit *k, struct sec_sa *sas, size_t n, const struct kit_prov *fresh)
{
    for (size_t i = 0; i < n; i++) {
        struct kit_assoc *a = kit_assoc_find(k, slice_of(fresh->saids[i], SEC_SA_RAND_N));

        sas[i].window.high = a->present ? a->sa.window.high : a->high;
        sas[i].window.seen = a->present ? a->sa.window.seen : a->seen;
        if (a->present)
            sec_sa_clear(&a->sa);
        a->sa = sas[i];
        mem_wipe(sas[i].ks, sizeof sas[i].ks);
        a->present = true;
    }
}

/* Everything that can fail; *n of sas are made. */
static enum err prepare(struct kit *k, const struct sec_secprov *from, struct sec_sa *sas, size_t *n)
{
    enum err e = ERR_OK;

    for (*n = 0; *n < from->sas_n && !e; *n += !e) {
        e = reserve(k, &from->sas[*n]);
        if (!e)
            e = sa_of(k, &from->sas[*n], &sas[*n]);
    }
    return e;
}

enum err kit_provision(struct kit *k, const struct sec_secprov *from, int64_t now_s)
{
    struct kit_prov *fresh = NULL;
    struct sec_sa *sas;
    size_t n = 0;
    enum err e;

    if (k->prov && from->version == k->prov->version && strcmp(from->hash, k->prov->hash) == 0)
        return ERR_OK;
    if (k->prov && from->version <= k->prov->version)
        return ERR_LATE;
    sas = calloc(from->sas_n + 1, sizeof *sas);
    e = sas ? make(from, now_s, &fresh) : ERR_NOMEM;
    if (!e)
        e = prepare(k, from, sas, &n);
    if (!e) {
        take_away(k, fresh);
        install(k, sas, n, fresh);
        kit_prov_free(&k->prov);
        k->prov = fresh;
    } else {
        for (size_t i = 0; i < n; i++)
            sec_sa_clear(&sas[i]);
        kit_prov_free(&fresh);
    }
    free(sas);
    return e;
}

/* An object that came as a push: only where nobody else could read it, and from whom the gateway calls trusted. */
enum kit_reason kit_prov_take(struct kit *k, bool full, int64_t now_s, struct kit_push *push)
{
    struct sec_secprov *object;
    const char *why;
    enum err e;

    if (!full || !push->authenticated || !push->trusted)
        return KIT_REASON_UNTRUSTED;
    object = malloc(sizeof *object);
    e = object ? sec_secprov_parse(push->body, object, &why) : ERR_NOMEM;
    if (!e) {
        e = kit_provision(k, object, now_s);
        sec_secprov_clear(object);
    }
    free(object);
    if (e)
        return KIT_REASON_PROVISIONING;
    push->provisioned = k->prov->version;
    push->provisioned_hash = slice_str(k->prov->hash);
    return KIT_REASON_NONE;
}
