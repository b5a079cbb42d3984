/* See nafs.h.  A table of a few: looked through in order. */
#include "security/rules/nafs.h"

#include <stdlib.h>
#include "base/arena.h"
#include "security/rules/matcher.h"

#define ARENA_FIRST_N 4096u
#define ARENA_MAX_N   ((size_t)4 << 20)

struct sec_nafs {
    struct arena mem;
    struct sec_naf_peer peers[SEC_NAFS_MAX]; /* certificates in their one spelling */
    size_t n;
};

enum err sec_nafs_create(struct sec_nafs **out)
{
    struct sec_nafs *t = calloc(1, sizeof *t);

    if (!t)
        return ERR_NOMEM;
    arena_init(&t->mem, ARENA_FIRST_N, ARENA_MAX_N);
    *out = t;
    return ERR_OK;
}

void sec_nafs_free(struct sec_nafs **tp)
{
    struct sec_nafs *t = *tp;

    *tp = NULL;
    if (!t)
        return;
    arena_clear(&t->mem);
    free(t);
}

/* --- adding --- */

static bool has(const struct slice *list, size_t n, struct slice what)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(list[i], what))
            return true;
    return false;
}

static const char *fault(const struct sec_naf_peer *p)
{
    char key[SEC_MATCHER_MAX_N];

    if (p->certificates_n > SEC_NAF_ITEMS_MAX || p->fqdns_n > SEC_NAF_ITEMS_MAX ||
        p->uas_n > SEC_NAF_ITEMS_MAX)
        return "too many certificates, names or protocols";
    if (p->name.n == 0 || !p->certificates_n || !p->fqdns_n || !p->uas_n)
        return "needs a certificate, a name and a protocol";
    if (p->life_max_s < 1)
        return "lifetime must be above 0";
    for (size_t i = 0; i < p->certificates_n; i++)
        if (sec_matcher_parse(p->certificates[i], key).n == 0)
            return "certificate: must be URI:.., DNS:.. or EMAIL:..";
    for (size_t i = 0; i < p->fqdns_n; i++)
        if (!sec_gba_is_fqdn(p->fqdns[i]) || has(p->fqdns, i, p->fqdns[i]))
            return "name: must be a domain name in lower case, and stand once";
    for (size_t i = 0; i < p->uas_n; i++)
        if ((p->uas[i].n != SEC_GBA_UA_N && !slice_eq(p->uas[i], SEC_NAF_UA_TLS)) ||
            has(p->uas, i, p->uas[i]))
            return "protocol: must be an identifier of five octets, and stand once";
    return NULL;
}

static enum err copy_list(struct arena *mem, const struct slice *in, size_t n, bool matchers,
                          const struct slice **out)
{
    struct slice *copy = arena_array(mem, n, sizeof *copy);
    char key[SEC_MATCHER_MAX_N];

    for (size_t i = 0; copy && i < n; i++)
        if (arena_dup(mem, matchers ? sec_matcher_parse(in[i], key) : in[i], &copy[i]))
            copy = NULL;
    *out = copy;
    return copy ? ERR_OK : ERR_NOMEM;
}

static bool meet(const struct slice *a, size_t a_n, const struct slice *b, size_t b_n)
{
    for (size_t i = 0; i < a_n; i++)
        if (has(b, b_n, a[i]))
            return true;
    return false;
}

/* Two that share a certificate or a name could ask for each other's keys. */
static const char *clash(const struct sec_nafs *t, const struct sec_naf_peer *p)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct sec_naf_peer *q = &t->peers[i];

        if (slice_eq(p->name, q->name))
            return "stands twice";
        if (meet(p->certificates, p->certificates_n, q->certificates, q->certificates_n))
            return "certificate belongs to another NAF";
        if (meet(p->fqdns, p->fqdns_n, q->fqdns, q->fqdns_n))
            return "name belongs to another NAF";
    }
    return NULL;
}

enum err sec_nafs_add(struct sec_nafs *t, const struct sec_naf_peer *peer, const char **why)
{
    struct sec_naf_peer *p = &t->peers[t->n];

    *why = fault(peer);
    if (*why)
        return ERR_MALFORMED;
    *why = "too many NAFs";
    if (t->n == SEC_NAFS_MAX)
        return ERR_LIMIT;
    *p = *peer;
    *why = "out of memory";
    if (arena_dup(&t->mem, peer->name, &p->name) ||
        copy_list(&t->mem, peer->certificates, peer->certificates_n, true, &p->certificates) ||
        copy_list(&t->mem, peer->fqdns, peer->fqdns_n, false, &p->fqdns) ||
        copy_list(&t->mem, peer->uas, peer->uas_n, false, &p->uas))
        return ERR_NOMEM;
    *why = clash(t, p);
    if (*why)
        return ERR_EXISTS;
    t->n++;
    return ERR_OK;
}

/* --- asking --- */

size_t sec_nafs_count(const struct sec_nafs *t)
{
    return t->n;
}

const struct sec_naf_peer *sec_nafs_at(const struct sec_nafs *t, size_t i)
{
    return &t->peers[i];
}

static bool shows(const struct sec_naf_peer *p, const char *kind, const struct slice *values, size_t n)
{
    char key[SEC_MATCHER_MAX_N];

    for (size_t i = 0; i < n; i++) {
        struct slice name = sec_matcher_key(kind, values[i], key);

        if (name.n && has(p->certificates, p->certificates_n, name))
            return true;
    }
    return false;
}

const struct sec_naf_peer *sec_nafs_find(const struct sec_nafs *t, const struct sec_peer_names *names)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct sec_naf_peer *p = &t->peers[i];

        if (shows(p, "URI:", names->uris, names->uris_n) || shows(p, "DNS:", names->dns, names->dns_n) ||
            shows(p, "EMAIL:", names->emails, names->emails_n))
            return p;
    }
    return NULL;
}

bool sec_naf_peer_may(const struct sec_naf_peer *peer, struct slice naf_id)
{
    struct slice fqdn, ua;

    if (sec_gba_naf_id_split(naf_id, &fqdn, &ua) || !has(peer->fqdns, peer->fqdns_n, fqdn))
        return false;
    return has(peer->uas, peer->uas_n, ua) ||
           (slice_starts(ua, SEC_NAF_UA_TLS) && has(peer->uas, peer->uas_n, SEC_NAF_UA_TLS));
}
