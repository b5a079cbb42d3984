/* The table of initiators: copied in, checked, indexed by name, certificate matcher and digest user, and never
 * changed once it is used.  Who a peer is, is decided in trust.c.  Building: one thread; lookups: any. */
#include "security/accounts.h"

#include <stdlib.h>
#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/scan.h"
#include "security/digest_hash.h"
#include "security/digest_params.h"
#include "security/network.h"
#include "security/uri.h"

#define ARENA_FIRST_N      ((size_t)16 << 10)
#define ARENA_MAX_N        ((size_t)1 << 30)
#define ACCOUNTS_MAX       1000000
#define TEXT_MAX_N         1024 /* octets of a name, user, matcher or pattern */

#define PSK_IDENTITY_MAX_N 256 /* octets; at least 128 must do (RFC 4279 §5.3) */
#define PSK_MIN_N          16  /* octets (RFC 9257 §4) */

struct entry {
    struct sec_account account;
    struct sec_network *networks; /* account.networks_n of them */
};

struct sec_accounts {
    struct arena arena;
    struct slice realm;
    struct entry **list; /* owned; max places, n used */
    size_t n, max;
    size_t passwords;      /* accounts with a digest user */
    struct map by_name;    /* to struct entry, as all maps here */
    struct map by_matcher; /* canonical "URI:..", "DNS:..", "EMAIL:.." */
    struct map by_user;
    struct map by_psk;
};

enum err sec_accounts_create(struct slice realm, size_t max_n, struct sec_accounts **out)
{
    struct sec_accounts *a;

    if (!sec_param_quotable(realm) || realm.n == 0 || realm.n > TEXT_MAX_N || max_n > ACCOUNTS_MAX)
        return ERR_MALFORMED;
    a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->max = max_n;
    arena_init(&a->arena, ARENA_FIRST_N, ARENA_MAX_N);
    map_init(&a->by_name, max_n);
    map_init(&a->by_matcher, max_n * SEC_ACCOUNT_LIST_MAX);
    map_init(&a->by_user, max_n);
    map_init(&a->by_psk, max_n);
    a->list = calloc(max_n + 1, sizeof *a->list);
    if (!a->list || arena_dup(&a->arena, realm, &a->realm)) {
        sec_accounts_free(&a);
        return ERR_NOMEM;
    }
    *out = a;
    return ERR_OK;
}

void sec_accounts_free(struct sec_accounts **accounts)
{
    struct sec_accounts *a = *accounts;

    if (!a)
        return;
    for (size_t i = 0; i < a->n; i++) {
        sec_secret_clear(&a->list[i]->account.ha1_md5);
        sec_secret_clear(&a->list[i]->account.ha1_sha256);
        sec_secret_clear(&a->list[i]->account.psk);
    }
    map_clear(&a->by_name);
    map_clear(&a->by_matcher);
    map_clear(&a->by_user);
    map_clear(&a->by_psk);
    arena_clear(&a->arena);
    free(a->list);
    free(a);
    *accounts = NULL;
}

static char lower(char ch)
{
    return ch >= 'A' && ch <= 'Z' ? (char)(ch | 0x20) : ch;
}

/* "KIND:value" as it is looked up: host names in lower case, URIs as they are (a certificate's URI is compared
 * octet for octet).  n 0 when too long or empty. */
static struct slice matcher_key(const char *kind, struct slice value, char key[TEXT_MAX_N])
{
    size_t kind_n = strlen(kind), fold_from = value.n;

    if (value.n == 0 || value.n > TEXT_MAX_N - kind_n || slice_find(value, '\0') < value.n)
        return SLICE_NONE;
    if (strcmp(kind, "DNS:") == 0)
        fold_from = 0;
    else if (strcmp(kind, "EMAIL:") == 0)
        fold_from = slice_find(value, '@') < value.n ? slice_find(value, '@') : value.n;
    mem_copy(key, TEXT_MAX_N, slice_of(kind, kind_n));
    for (size_t i = 0; i < value.n; i++)
        key[kind_n + i] = i >= fold_from ? lower(value.p[i]) : value.p[i];
    return slice_of(key, kind_n + value.n);
}

static struct slice matcher_parse(struct slice matcher, char key[TEXT_MAX_N])
{
    static const char *const kinds[] = {"URI:", "DNS:", "EMAIL:"};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (slice_starts(matcher, slice_str(kinds[i])))
            return matcher_key(kinds[i], slice_sub(matcher, strlen(kinds[i]), matcher.n), key);
    return SLICE_NONE;
}

const struct sec_account *sec_accounts_by_san(const struct sec_accounts *accounts, const char *kind,
                                              const struct slice *values, size_t n)
{
    char key[TEXT_MAX_N];

    for (size_t i = 0; i < n; i++) {
        const struct entry *e = map_get(&accounts->by_matcher, matcher_key(kind, values[i], key));

        if (e)
            return &e->account;
    }
    return NULL;
}

const struct sec_account *sec_accounts_by_user(const struct sec_accounts *accounts, struct slice user)
{
    const struct entry *e = map_get(&accounts->by_user, user);

    return e ? &e->account : NULL;
}

const struct sec_account *sec_accounts_by_psk(const struct sec_accounts *accounts, struct slice identity)
{
    const struct entry *e = map_get(&accounts->by_psk, identity);

    return e ? &e->account : NULL;
}

bool sec_account_issuer_allowed(const struct sec_account *account, struct slice issuer)
{
    for (size_t i = 0; i < account->issuers_n; i++)
        if (slice_eq(account->issuers[i], issuer))
            return true;
    return account->issuers_n == 0;
}

bool sec_accounts_passwords(const struct sec_accounts *accounts)
{
    return accounts->passwords > 0;
}

bool sec_account_from_here(const struct sec_account *account, struct slice peer)
{
    const struct entry *e = container_of(account, const struct entry, account);

    for (size_t i = 0; i < account->networks_n; i++)
        if (sec_network_has(&e->networks[i], peer))
            return true;
    return account->networks_n == 0;
}

static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!scan_is_token_ch((unsigned char)s.p[i]) || s.p[i] == '*')
            return false;
    return s.n > 0 && s.n <= 128;
}

static bool ha1_good(const struct sec_secret *s, enum sec_digest_algorithm a)
{
    return s->n == 0 || s->n == sec_digest_hex_n(a);
}

static const char *password_fault(const struct sec_account *a)
{
    bool any = a->ha1_md5.n || a->ha1_sha256.n;

    if (!ha1_good(&a->ha1_md5, SEC_DIGEST_MD5) || !ha1_good(&a->ha1_sha256, SEC_DIGEST_SHA256))
        return "a stored digest has a wrong length";
    if ((a->digest_user.n != 0) != any)
        return any ? "a stored digest needs a digest user" : "a digest user needs a stored digest";
    if (a->digest_user.n > TEXT_MAX_N || !sec_param_quotable(a->digest_user))
        return "digest user: too long, or a character that cannot be quoted";
    if ((a->basic || a->basic_clear) && !a->ha1_sha256.n)
        return "Basic needs a SHA-256 digest";
    return NULL;
}

static bool is_sha256(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!memchr("0123456789abcdef", s.p[i], 16))
            return false;
    return s.n == 64;
}

static const char *psk_fault(const struct sec_account *a)
{
    if ((a->psk_identity.n != 0) != (a->psk.n != 0))
        return "a shared key and its identity go together";
    if (a->psk_identity.n > PSK_IDENTITY_MAX_N || slice_find(a->psk_identity, '\0') < a->psk_identity.n)
        return "the identity of the shared key is too long, or has a NUL";
    if (a->psk.n && a->psk.n < PSK_MIN_N)
        return "the shared key has less than 128 bits";
    if (a->psk.n && a->psk_version != 12 && a->psk_version != 13)
        return "the shared key is for no TLS version";
    return NULL;
}

static const char *list_fault(const struct sec_account *a)
{
    struct sec_network net;
    char key[TEXT_MAX_N];

    if (a->certificates_n > SEC_ACCOUNT_LIST_MAX || a->networks_n > SEC_ACCOUNT_LIST_MAX ||
        a->initiator_uris_n > SEC_ACCOUNT_LIST_MAX || a->issuers_n > SEC_ACCOUNT_LIST_MAX)
        return "too many certificates, networks or URIs";
    for (size_t i = 0; i < a->issuers_n; i++)
        if (!is_sha256(a->issuers[i]))
            return "certificate issuer: must be a SHA-256 fingerprint";
    for (size_t i = 0; i < a->certificates_n; i++)
        if (matcher_parse(a->certificates[i], key).n == 0)
            return "certificate: must be URI:.., DNS:.. or EMAIL:..";
    for (size_t i = 0; i < a->networks_n; i++)
        if (sec_network_parse(a->networks[i], &net))
            return "network: must be address/bits";
    for (size_t i = 0; i < a->initiator_uris_n; i++)
        if (sec_uri_pattern_check(a->initiator_uris[i]))
            return "initiator URI: must be an http(s) URI, \"*\" at most at its end";
    return NULL;
}

static const char *account_fault(const struct sec_account *a)
{
    const char *bad = NULL;

    if (!is_name(a->name))
        return "name: must be a word";
    if (a->certificates_n == 0 && a->digest_user.n == 0 && a->psk_identity.n == 0)
        return "no way to authenticate: certificate, shared key or digest user";
    bad = password_fault(a);
    if (!bad)
        bad = psk_fault(a);
    return bad ? bad : list_fault(a);
}

static enum err slices_dup(struct arena *arena, const struct slice *in, size_t n, const struct slice **out)
{
    struct slice *copy = arena_array(arena, n ? n : 1, sizeof *copy);

    for (size_t i = 0; copy && i < n; i++)
        if (arena_dup(arena, in[i], &copy[i]))
            copy = NULL;
    *out = copy;
    return copy ? ERR_OK : ERR_NOMEM;
}

static enum err entry_copy(struct arena *arena, const struct sec_account *in, struct entry *e)
{
    struct sec_account *a = &e->account;

    *a = *in;
    e->networks = arena_array(arena, in->networks_n + 1, sizeof *e->networks);
    if (!e->networks || arena_dup(arena, in->name, &a->name) ||
        arena_dup(arena, in->digest_user, &a->digest_user) ||
        slices_dup(arena, in->certificates, in->certificates_n, &a->certificates) ||
        arena_dup(arena, in->psk_identity, &a->psk_identity) ||
        slices_dup(arena, in->issuers, in->issuers_n, &a->issuers) ||
        slices_dup(arena, in->networks, in->networks_n, &a->networks) ||
        slices_dup(arena, in->initiator_uris, in->initiator_uris_n, &a->initiator_uris))
        return ERR_NOMEM;
    for (size_t i = 0; i < in->networks_n; i++)
        if (sec_network_parse(in->networks[i], &e->networks[i]))
            return ERR_MALFORMED;
    return ERR_OK;
}

static enum err index_entry(struct sec_accounts *t, struct entry *e, const char **why)
{
    const struct sec_account *a = &e->account;
    enum err bad = map_put(&t->by_name, a->name, e);

    *why = "name stands twice";
    if (!bad && a->digest_user.n) {
        *why = "digest user belongs to another initiator";
        bad = map_put(&t->by_user, a->digest_user, e);
        t->passwords++;
    }
    if (!bad && a->psk_identity.n) {
        *why = "identity of the shared key belongs to another initiator";
        bad = map_put(&t->by_psk, a->psk_identity, e);
    }
    for (size_t i = 0; !bad && i < a->certificates_n; i++) {
        char text[TEXT_MAX_N];
        struct slice key;

        *why = "certificate belongs to another initiator, or stands twice";
        bad = arena_dup(&t->arena, matcher_parse(a->certificates[i], text), &key);
        if (!bad)
            bad = map_put(&t->by_matcher, key, e);
    }
    return bad;
}

static enum err entry_add(struct sec_accounts *t, const struct sec_account *account, const char **why)
{
    struct entry *e;
    enum err bad;

    *why = account_fault(account);
    if (*why)
        return ERR_MALFORMED;
    *why = "too many initiators";
    if (t->n == t->max)
        return ERR_LIMIT;
    *why = "out of memory";
    e = arena_alloc(&t->arena, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    t->list[t->n++] = e; /* from here on its secrets are wiped with the table */
    bad = entry_copy(&t->arena, account, e);
    e->account.number = t->n - 1;
    return bad ? bad : index_entry(t, e, why);
}

enum err sec_accounts_add(struct sec_accounts *accounts, const struct sec_account *account, const char **why)
{
    const char *fault;
    enum err bad = entry_add(accounts, account, &fault);

    if (bad)
        *why = fault;
    return bad;
}

const struct sec_account *sec_accounts_find(const struct sec_accounts *accounts, struct slice name)
{
    const struct entry *e = map_get(&accounts->by_name, name);

    return e ? &e->account : NULL;
}

size_t sec_accounts_count(const struct sec_accounts *accounts)
{
    return accounts->n;
}

const struct sec_account *sec_accounts_at(const struct sec_accounts *accounts, size_t i)
{
    return &accounts->list[i]->account;
}

struct slice sec_accounts_realm(const struct sec_accounts *accounts)
{
    return accounts->realm;
}
