/* Certificate names as a TLS client compares them: no regard to case (RFC 4343), a wildcard for the whole leftmost
 * label (RFC 6125 §6.4.3).  GnuTLS's own choice by server name knows exact names only, and under TLS 1.2 prefers a
 * suite to the name.  Leaves are parsed once and only read after that, so that sessions on all loops may ask. */
#include "base/net/tls_names.h"

#include <gnutls/x509.h>
#include <stdint.h>
#include <stdlib.h>

#define SAN_MAX_N 256 /* octets of a DNS name and a NUL */

/* Bit i: pair i. */
struct selection {
    uint64_t exact; /* has the name itself; without such a pair the same as all */
    uint64_t all;   /* is good for the name */
};

struct tls_names {
    struct selection *selections;
    size_t selections_n;
    size_t n;
    gnutls_x509_crt_t leaves[];
};

/* Takes the leaf out of the copy of a chain that GnuTLS hands over. */
static gnutls_x509_crt_t leaf_of(gnutls_certificate_credentials_t cred, unsigned i)
{
    gnutls_x509_crt_t *chain = NULL;
    gnutls_x509_crt_t leaf;
    unsigned n = 0;

    if (gnutls_certificate_get_x509_crt(cred, i, &chain, &n) < 0)
        return NULL;
    leaf = chain[0];
    for (unsigned k = 1; k < n; k++)
        gnutls_x509_crt_deinit(chain[k]);
    gnutls_free(chain);
    return leaf;
}

static uint64_t good_for(const struct tls_names *names, const char *name, unsigned flags)
{
    uint64_t found = 0;

    for (size_t i = 0; i < names->n; i++)
        if (gnutls_x509_crt_check_hostname2(names->leaves[i], name,
                                            flags | GNUTLS_VERIFY_DO_NOT_ALLOW_IP_MATCHES))
            found |= UINT64_C(1) << i;
    return found;
}

static struct selection select_pairs(const struct tls_names *names, const char *name)
{
    struct selection s = {good_for(names, name, GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS),
                          good_for(names, name, 0)};

    if (!s.exact)
        s.exact = s.all;
    return s;
}

size_t tls_names_find(const struct tls_names *names, const char *name)
{
    struct selection s = select_pairs(names, name);
    size_t k = 0;

    while (k < names->selections_n &&
           (names->selections[k].exact != s.exact || names->selections[k].all != s.all))
        k++;
    return k;
}

static enum err add_selection(struct tls_names *names, const char *name)
{
    struct selection s = select_pairs(names, name);
    struct selection *more;

    if (!s.all || tls_names_find(names, name) < names->selections_n)
        return ERR_OK;
    more = realloc(names->selections, (names->selections_n + 1) * sizeof *more);
    if (!more)
        return ERR_NOMEM;
    names->selections = more;
    more[names->selections_n++] = s;
    return ERR_OK;
}

/* A name that no leaf lists meets wildcards only, and is served as the wildcard itself. */
static enum err add_names_of(struct tls_names *names, gnutls_x509_crt_t leaf)
{
    enum err e = ERR_OK;
    int type = 0;

    for (unsigned seq = 0; e == ERR_OK && type != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE; seq++) {
        char san[SAN_MAX_N] = "";
        size_t n = sizeof san - 1;

        type = gnutls_x509_crt_get_subject_alt_name(leaf, seq, san, &n, NULL);
        if (type == GNUTLS_SAN_DNSNAME)
            e = add_selection(names, san);
    }
    return e;
}

enum err tls_names_create(struct gnutls_certificate_credentials_st *cred, size_t n, struct tls_names **out)
{
    struct tls_names *names = calloc(1, sizeof *names + n * sizeof names->leaves[0]);
    enum err e = names ? ERR_OK : ERR_NOMEM;

    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        names->leaves[i] = leaf_of(cred, (unsigned)i);
        e = names->leaves[i] ? ERR_OK : ERR_NOMEM;
        names->n += e == ERR_OK;
    }
    for (size_t i = 0; e == ERR_OK && i < n; i++)
        e = add_names_of(names, names->leaves[i]);
    if (e)
        tls_names_free(&names);
    else
        *out = names;
    return e;
}

void tls_names_free(struct tls_names **names)
{
    if (!*names)
        return;
    for (size_t i = 0; i < (*names)->n; i++)
        gnutls_x509_crt_deinit((*names)->leaves[i]);
    free((*names)->selections);
    free(*names);
    *names = NULL;
}

size_t tls_names_selections(const struct tls_names *names)
{
    return names->selections_n;
}

size_t tls_names_pairs(const struct tls_names *names, size_t k, size_t pairs[TLS_NAMES_PAIRS_MAX])
{
    const struct selection *s = &names->selections[k];
    const uint64_t ranks[] = {s->exact, s->all & ~s->exact};
    size_t n = 0;

    for (size_t r = 0; r < sizeof ranks / sizeof ranks[0]; r++)
        for (size_t i = 0; i < names->n; i++)
            if (ranks[r] & UINT64_C(1) << i)
                pairs[n++] = i;
    return n;
}
