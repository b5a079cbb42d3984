/* Token providers and authentication proxies; see delegates.h. */
#include "security/rules/delegates.h"

#include <stdlib.h>
#include "base/arena.h"
#include "security/rules/matcher.h"
#include "security/rules/network.h"

#define ARENA_FIRST_N 4096
#define ARENA_MAX_N   ((size_t)4 << 20)
#define SKEW_MAX_S    600

struct issuer {
    struct sec_issuer is;
    struct sec_jwks *keys; /* owned */
};

struct proxy {
    struct slice name;
    struct slice certificates[SEC_DELEGATE_LIST_MAX]; /* in the spelling of sec_matcher_key() */
    size_t certificates_n;
    struct sec_network networks[SEC_DELEGATE_LIST_MAX];
    size_t networks_n;
};

struct sec_delegates {
    struct arena mem;
    struct issuer issuer[SEC_ISSUERS_MAX];
    const struct sec_issuer *issuers[SEC_ISSUERS_MAX]; /* as sec_token_verify() wants them */
    size_t issuers_n;
    struct proxy *proxies[SEC_PROXIES_MAX];
    size_t proxies_n;
};

enum err sec_delegates_create(struct sec_delegates **out)
{
    struct sec_delegates *d = calloc(1, sizeof *d);

    if (!d)
        return ERR_NOMEM;
    arena_init(&d->mem, ARENA_FIRST_N, ARENA_MAX_N);
    *out = d;
    return ERR_OK;
}

void sec_delegates_free(struct sec_delegates **d)
{
    if (!*d)
        return;
    for (size_t i = 0; i < (*d)->issuers_n; i++)
        sec_jwks_free(&(*d)->issuer[i].keys);
    arena_clear(&(*d)->mem);
    free(*d);
    *d = NULL;
}

static enum err refuse(enum err e, const char *text, const char **why)
{
    *why = text;
    return e;
}

/* RFC 8414 §2: an https URI, for whoever asks a provider must be sure that it is the one and that nobody listens;
 * without white space, for "ISSUER SUBJECT" must have one reading. */
static bool is_issuer_name(struct slice s)
{
    return s.n > strlen("https://") && s.n <= SEC_TOKEN_NAME_MAX_N && slice_starts(s, SLICE("https://")) &&
           slice_find(s, ' ') == SIZE_MAX && slice_find(s, '?') == SIZE_MAX &&
           slice_find(s, '#') == SIZE_MAX && slice_printable_n(s) == s.n;
}

static const char *issuer_fault(const struct sec_issuer *in)
{
    if (!is_issuer_name(in->name))
        return "issuer: must be a https URI without query and fragment, of at most 512 octets";
    if (in->audiences_n == 0 || in->audiences_n > SEC_TOKEN_AUDIENCE_MAX)
        return "audience: 1 to 8 of them, or every token for somebody else would do";
    if (in->skew_s < 0 || in->skew_s > SKEW_MAX_S)
        return "clock skew: 0 to 600 seconds";
    return NULL;
}

enum err sec_delegates_add_issuer(struct sec_delegates *d, const struct sec_issuer *issuer,
                                  struct sec_jwks **keys, const char **why)
{
    struct issuer *mine = &d->issuer[d->issuers_n];
    const char *fault = issuer_fault(issuer);
    struct slice *audiences;

    if (fault)
        return refuse(ERR_MALFORMED, fault, why);
    if (sec_delegates_has_issuer(d, issuer->name))
        return refuse(ERR_EXISTS, "issuer stands twice", why);
    if (d->issuers_n == SEC_ISSUERS_MAX)
        return refuse(ERR_LIMIT, "more than 64 issuers", why);
    audiences = arena_array(&d->mem, issuer->audiences_n, sizeof *audiences);
    if (!audiences || arena_dup(&d->mem, issuer->name, &mine->is.name))
        return refuse(ERR_NOMEM, "out of memory", why);
    for (size_t i = 0; i < issuer->audiences_n; i++)
        if (arena_dup(&d->mem, issuer->audiences[i], &audiences[i]))
            return refuse(ERR_NOMEM, "out of memory", why);
    mine->is.audiences = audiences;
    mine->is.audiences_n = issuer->audiences_n;
    mine->is.subject = issuer->subject;
    mine->is.skew_s = issuer->skew_s;
    mine->is.keys = mine->keys = *keys;
    *keys = NULL;
    d->issuers[d->issuers_n++] = &mine->is;
    return ERR_OK;
}

/* --- proxies --- */

static enum err proxy_copy(struct sec_delegates *d, const struct sec_proxy *in, struct proxy *p,
                           const char **why)
{
    char key[SEC_MATCHER_MAX_N];

    if (arena_dup(&d->mem, in->name, &p->name))
        return refuse(ERR_NOMEM, "out of memory", why);
    for (; p->certificates_n < in->certificates_n; p->certificates_n++) {
        struct slice matcher = sec_matcher_parse(in->certificates[p->certificates_n], key);

        if (matcher.n == 0)
            return refuse(ERR_MALFORMED, "certificate: must be URI:.., DNS:.. or EMAIL:..", why);
        if (arena_dup(&d->mem, matcher, &p->certificates[p->certificates_n]))
            return refuse(ERR_NOMEM, "out of memory", why);
    }
    for (; p->networks_n < in->networks_n; p->networks_n++)
        if (sec_network_parse(in->networks[p->networks_n], &p->networks[p->networks_n]))
            return refuse(ERR_MALFORMED, "network: must be address/bits", why);
    return ERR_OK;
}

enum err sec_delegates_add_proxy(struct sec_delegates *d, const struct sec_proxy *proxy, const char **why)
{
    struct proxy *p;
    enum err e;

    if (proxy->certificates_n == 0 || proxy->networks_n == 0)
        return refuse(ERR_MALFORMED, "a proxy needs certificate and network", why);
    if (d->proxies_n == SEC_PROXIES_MAX || proxy->certificates_n > SEC_DELEGATE_LIST_MAX ||
        proxy->networks_n > SEC_DELEGATE_LIST_MAX)
        return refuse(ERR_LIMIT, "too many proxies, or certificates or networks of one", why);
    for (size_t i = 0; i < d->proxies_n; i++)
        if (slice_eq(d->proxies[i]->name, proxy->name))
            return refuse(ERR_EXISTS, "name stands twice", why);
    p = arena_alloc(&d->mem, sizeof *p);
    if (!p)
        return refuse(ERR_NOMEM, "out of memory", why);
    e = proxy_copy(d, proxy, p, why);
    if (!e)
        d->proxies[d->proxies_n++] = p;
    return e;
}

static bool has_name(const struct proxy *p, const char *kind, const struct slice *values, size_t n)
{
    char key[SEC_MATCHER_MAX_N];

    for (size_t i = 0; i < n; i++) {
        struct slice name = sec_matcher_key(kind, values[i], key);

        for (size_t k = 0; name.n && k < p->certificates_n; k++)
            if (slice_eq(p->certificates[k], name))
                return true;
    }
    return false;
}

static bool has_address(const struct proxy *p, struct slice address)
{
    for (size_t i = 0; i < p->networks_n; i++)
        if (sec_network_has(&p->networks[i], address))
            return true;
    return false;
}

bool sec_delegates_is_proxy(const struct sec_delegates *d, const struct sec_peer_names *peer)
{
    for (size_t i = 0; i < d->proxies_n; i++) {
        const struct proxy *p = d->proxies[i];

        if ((has_name(p, "URI:", peer->uris, peer->uris_n) || has_name(p, "DNS:", peer->dns, peer->dns_n) ||
             has_name(p, "EMAIL:", peer->emails, peer->emails_n)) &&
            has_address(p, peer->address))
            return true;
    }
    return false;
}

const struct sec_issuer *const *sec_delegates_issuers(const struct sec_delegates *d, size_t *n)
{
    *n = d->issuers_n;
    return d->issuers;
}

bool sec_delegates_has_issuer(const struct sec_delegates *d, struct slice name)
{
    for (size_t i = 0; i < d->issuers_n; i++)
        if (slice_eq(d->issuers[i]->name, name))
            return true;
    return false;
}

/* --- two tables side by side --- */

static bool has_same_issuer(const struct sec_delegates *d, const struct sec_issuer *issuer)
{
    for (size_t i = 0; i < d->issuers_n; i++) {
        const struct sec_issuer *other = d->issuers[i];

        if (slice_eq(other->name, issuer->name))
            return other->subject == issuer->subject && other->skew_s == issuer->skew_s &&
                   slice_list_eq(other->audiences, other->audiences_n, issuer->audiences,
                                 issuer->audiences_n) &&
                   sec_jwks_same(other->keys, issuer->keys);
    }
    return false;
}

static bool networks_same(const struct proxy *a, const struct proxy *b)
{
    for (size_t i = 0; a->networks_n == b->networks_n && i < a->networks_n; i++)
        if (a->networks[i].bits != b->networks[i].bits ||
            !slice_eq(slice_of(a->networks[i].address, 16), slice_of(b->networks[i].address, 16)))
            return false;
    return a->networks_n == b->networks_n;
}

static bool has_same_proxy(const struct sec_delegates *d, const struct proxy *proxy)
{
    for (size_t i = 0; i < d->proxies_n; i++) {
        const struct proxy *other = d->proxies[i];

        if (slice_eq(other->name, proxy->name))
            return networks_same(other, proxy) && slice_list_eq(other->certificates, other->certificates_n,
                                                                proxy->certificates, proxy->certificates_n);
    }
    return false;
}

static bool has_proxy(const struct sec_delegates *d, struct slice name)
{
    for (size_t i = 0; i < d->proxies_n; i++)
        if (slice_eq(d->proxies[i]->name, name))
            return true;
    return false;
}

size_t sec_delegates_changes(const struct sec_delegates *was, const struct sec_delegates *is)
{
    size_t n = 0;

    for (size_t i = 0; i < is->issuers_n; i++)
        n += !has_same_issuer(was, is->issuers[i]);
    for (size_t i = 0; i < was->issuers_n; i++)
        n += !sec_delegates_has_issuer(is, was->issuers[i]->name);
    for (size_t i = 0; i < is->proxies_n; i++)
        n += !has_same_proxy(was, is->proxies[i]);
    for (size_t i = 0; i < was->proxies_n; i++)
        n += !has_proxy(is, was->proxies[i]->name);
    return n;
}
