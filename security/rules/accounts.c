/* The table of initiators: copied in, checked, indexed by all that identifies one, and never changed once it is used.  Who a peer is, is decided in trust.c.  Building: one thread; lookups: any. */
#include "security/rules/accounts.h"

#include <stdlib.h>
#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/scan.h"
#include "security/login/digest_hash.h"
#include "security/login/digest_params.h"
#include "security/rules/asserted.h"
#include "security/rules/matcher.h"
#include "security/rules/network.h"
#include "security/uri.h"

#define IMPI_MAX_N           255
#define PSK_IDENTITY_MAX_N   256 /* octets; at least 128 must do (RFC 4279 §5.3) */
#define PSK_MIN_N            16  /* octets (RFC 9257 §4) */
#define ARENA_FIRST_N        ((size_t)16 << 10)
#define ARENA_MAX_N          ((size_t)1 << 30)
#define ACCOUNTS_MAX         1000000
#define NETWORK_ACCOUNTS_MAX 64   /* looked through one by one */
#define TEXT_MAX_N           1024 /* octets of a realm or user */

struct entry {
    struct sec_account account;
    struct sec_network *networks; /* account.networks_n of them */
};

struct sec_accounts {
    struct arena arena;
    struct slice realm;
    struct entry **list; /* owned; max places, n used */
    size_t n, max;
    size_t passwords;      /* accounts with a stored digest */
    size_t macs;           /* and with a key for macs */
    struct map by_name;    /* to struct entry, as all maps here */
    struct map by_matcher; /* canonical "URI:..", "DNS:..", "EMAIL:.." */
    struct map by_user;
    struct map by_psk;
    struct map by_token;
    struct map by_asserted;
    struct map by_subscriber;
    struct entry *by_network[NETWORK_ACCOUNTS_MAX]; /* with by_network */
    size_t by_network_n;
    struct sec_delegates *delegates;
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
    map_init(&a->by_token, max_n * SEC_ACCOUNT_LIST_MAX);
    map_init(&a->by_asserted, max_n * SEC_ACCOUNT_LIST_MAX);
    map_init(&a->by_subscriber, max_n * SEC_ACCOUNT_LIST_MAX);
    a->list = calloc(max_n + 1, sizeof *a->list);
    if (!a->list || sec_delegates_create(&a->delegates) || arena_dup(&a->arena, realm, &a->realm)) {
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
        sec_mac_keys_clear(&a->list[i]->account.mac);
        sec_secret_clear(&a->list[i]->account.psk);
    }
    map_clear(&a->by_name);
    map_clear(&a->by_matcher);
    map_clear(&a->by_user);
    map_clear(&a->by_psk);
    map_clear(&a->by_token);
    map_clear(&a->by_asserted);
    map_clear(&a->by_subscriber);
    sec_delegates_free(&a->delegates);
    arena_clear(&a->arena);
    free(a->list);
    free(a);
    *accounts = NULL;
}

const struct sec_account *sec_accounts_by_san(const struct sec_accounts *accounts, const char *kind,
                                              const struct slice *values, size_t n)
{
    char key[SEC_MATCHER_MAX_N];

    for (size_t i = 0; i < n; i++) {
        const struct entry *e = map_get(&accounts->by_matcher, sec_matcher_key(kind, values[i], key));

        if (e)
            return &e->account;
    }
    return NULL;
}

static const struct sec_account *found(const struct map *m, struct slice key)
{
    const struct entry *e = map_get(m, key);

    return e ? &e->account : NULL;
}

const struct sec_account *sec_accounts_by_psk(const struct sec_accounts *accounts, struct slice identity)
{
    return found(&accounts->by_psk, identity);
}

bool sec_account_issuer_allowed(const struct sec_account *account, struct slice issuer)
{
    for (size_t i = 0; i < account->issuers_n; i++)
        if (slice_eq(account->issuers[i], issuer))
            return true;
    return account->issuers_n == 0;
}

const struct sec_account *sec_accounts_by_user(const struct sec_accounts *accounts, struct slice user)
{
    return found(&accounts->by_user, user);
}

const struct sec_account *sec_accounts_by_token(const struct sec_accounts *accounts, struct slice who)
{
    return found(&accounts->by_token, who);
}

const struct sec_account *sec_accounts_by_asserted(const struct sec_accounts *accounts, struct slice id)
{
    return found(&accounts->by_asserted, id);
}

const struct sec_account *sec_accounts_by_network(const struct sec_accounts *accounts, struct slice peer)
{
    for (size_t i = 0; i < accounts->by_network_n; i++)
        if (sec_account_from_here(&accounts->by_network[i]->account, peer))
            return &accounts->by_network[i]->account;
    return NULL;
}

const struct sec_account *sec_accounts_by_subscriber(const struct sec_accounts *accounts, struct slice impi)
{
    return found(&accounts->by_subscriber, impi);
}

bool sec_accounts_subscribers(const struct sec_accounts *accounts)
{
    return accounts->by_subscriber.n > 0;
}

bool sec_account_asserted(const struct sec_account *account, struct slice id)
{
    for (size_t i = 0; i < account->asserted_n; i++)
        if (slice_eq(account->asserted[i], id))
            return true;
    return false;
}

bool sec_accounts_tokens(const struct sec_accounts *accounts)
{
    return accounts->by_token.n > 0;
}

struct sec_delegates *sec_accounts_delegates(const struct sec_accounts *accounts)
{
    return accounts->delegates;
}

bool sec_accounts_passwords(const struct sec_accounts *accounts)
{
    return accounts->passwords > 0;
}

bool sec_accounts_macs(const struct sec_accounts *accounts)
{
    return accounts->macs != 0;
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

static bool mac_good(const struct sec_account *a)
{
    size_t md5_n = a->mac.key[SEC_MAC_MD5].n, sha256_n = a->mac.key[SEC_MAC_SHA256].n;

    return (!md5_n || md5_n == SEC_MAC_INNER_N) && (!sha256_n || sha256_n == SEC_MAC_KEY_N) &&
           (!sec_mac_keys_any(&a->mac) || a->digest_user.n <= SEC_MAC_USER_MAX_N);
}

static const char *password_fault(const struct sec_account *a)
{
    bool any = a->ha1_md5.n || a->ha1_sha256.n || sec_mac_keys_any(&a->mac);

    if (!ha1_good(&a->ha1_md5, SEC_DIGEST_MD5) || !ha1_good(&a->ha1_sha256, SEC_DIGEST_SHA256))
        return "a stored digest has a wrong length";
    if (!mac_good(a))
        return "a key for macs has a wrong length, or its user is too long";
    if ((a->digest_user.n != 0) != any)
        return any ? "a stored digest needs a digest user"
                   : "a digest user needs a stored digest or a key for macs";
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
    char key[SEC_MATCHER_MAX_N];

    if (a->certificates_n > SEC_ACCOUNT_LIST_MAX || a->networks_n > SEC_ACCOUNT_LIST_MAX ||
        a->initiator_uris_n > SEC_ACCOUNT_LIST_MAX || a->tokens_n > SEC_ACCOUNT_LIST_MAX ||
        a->asserted_n > SEC_ACCOUNT_LIST_MAX || a->issuers_n > SEC_ACCOUNT_LIST_MAX ||
        a->subscribers_n > SEC_ACCOUNT_LIST_MAX)
        return "too many certificates, issuers, networks, URIs, tokens, asserted identities or subscribers";
    for (size_t i = 0; i < a->issuers_n; i++)
        if (!is_sha256(a->issuers[i]))
            return "certificate issuer: must be a SHA-256 fingerprint";
    for (size_t i = 0; i < a->certificates_n; i++)
        if (sec_matcher_parse(a->certificates[i], key).n == 0)
            return "certificate: must be URI:.., DNS:.. or EMAIL:..";
    for (size_t i = 0; i < a->networks_n; i++)
        if (sec_network_parse(a->networks[i], &net))
            return "network: must be address/bits";
    for (size_t i = 0; i < a->initiator_uris_n; i++)
        if (sec_uri_pattern_check(a->initiator_uris[i]))
            return "initiator URI: must be an http(s) URI, \"*\" at most at its end";
    return NULL;
}

static bool has_connection(const struct sec_account *a)
{
    return a->certificates_n || a->psk_identity.n;
}

static bool has_login(const struct sec_account *a)
{
    return a->digest_user.n || a->tokens_n;
}

static const char *delegated_fault(const struct sec_account *a)
{
    for (size_t i = 0; i < a->asserted_n; i++)
        if (!sec_asserted_good(a->asserted[i]))
            return "asserted identity: must be printable, without quotes, of at most 256 octets";
    for (size_t i = 0; i < a->subscribers_n; i++)
        if (a->subscribers[i].n == 0 || a->subscribers[i].n > IMPI_MAX_N)
            return "subscriber: must be an IMPI of at most 255 octets";
    if (a->by_network && a->networks_n == 0)
        return "a network that proves the initiator is missing";
    return NULL;
}

/* What no request can bring together must not be asked for together. */
static const char *require_fault(const struct sec_account *a)
{
    if (a->require != SEC_REQUIRE_ALL)
        return NULL;
    if (a->digest_user.n && a->tokens_n)
        return "all of password and token: a request carries one of them";
    if (a->asserted_n && (has_connection(a) || has_login(a)))
        return "all, with an asserted identity: the connection is the proxy's, and it keeps the credentials";
    if (a->subscribers_n && (has_connection(a) || has_login(a) || a->asserted_n))
        return "all, with a subscriber: its key is the connection's or the login's, as it likes";
    if (a->by_network && (has_connection(a) || has_login(a) || a->asserted_n || a->subscribers_n))
        return "all, with a network that is proof enough alone";
    return NULL;
}

static const char *account_fault(const struct sec_account *a)
{
    const char *bad = NULL;

    if (!is_name(a->name))
        return "name: must be a word";
    if (!has_connection(a) && !has_login(a) && a->asserted_n == 0 && a->subscribers_n == 0 && !a->by_network)
        return "no way to authenticate: certificate, shared key, digest user, token, asserted identity, "
               "subscriber or network";
    bad = password_fault(a);
    if (!bad)
        bad = psk_fault(a);
    if (!bad)
        bad = list_fault(a);
    if (!bad)
        bad = delegated_fault(a);
    return bad ? bad : require_fault(a);
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
        slices_dup(arena, in->initiator_uris, in->initiator_uris_n, &a->initiator_uris) ||
        slices_dup(arena, in->tokens, in->tokens_n, &a->tokens) ||
        slices_dup(arena, in->asserted, in->asserted_n, &a->asserted) ||
        slices_dup(arena, in->subscribers, in->subscribers_n, &a->subscribers))
        return ERR_NOMEM;
    for (size_t i = 0; i < in->networks_n; i++)
        if (sec_network_parse(in->networks[i], &e->networks[i]))
            return ERR_MALFORMED;
    return ERR_OK;
}

/* "ISSUER SUBJECT", and the issuer is one of ours? */
static bool token_known(const struct sec_accounts *t, struct slice token)
{
    struct slice issuer, subject;

    return slice_cut(token, ' ', &issuer, &subject) && subject.n && subject.n <= SEC_TOKEN_NAME_MAX_N &&
           sec_delegates_has_issuer(t->delegates, issuer);
}

static enum err index_network(struct sec_accounts *t, struct entry *e, const char **why)
{
    *why = "too many initiators proved by their network alone";
    if (t->by_network_n == NETWORK_ACCOUNTS_MAX)
        return ERR_LIMIT;
    *why = "network proves another initiator";
    for (size_t i = 0; i < t->by_network_n; i++)
        for (size_t k = 0; k < t->by_network[i]->account.networks_n; k++)
            for (size_t m = 0; m < e->account.networks_n; m++)
                if (sec_network_meets(&t->by_network[i]->networks[k], &e->networks[m]))
                    return ERR_EXISTS;
    t->by_network[t->by_network_n++] = e;
    return ERR_OK;
}

static enum err index_delegated(struct sec_accounts *t, struct entry *e, const char **why)
{
    const struct sec_account *a = &e->account;
    enum err bad = ERR_OK;

    for (size_t i = 0; !bad && i < a->tokens_n; i++) {
        *why = "token: \"ISSUER SUBJECT\", and the issuer's section must stand above";
        if (!token_known(t, a->tokens[i]))
            return ERR_MALFORMED;
        *why = "token belongs to another initiator, or stands twice";
        bad = map_put(&t->by_token, a->tokens[i], e);
    }
    for (size_t i = 0; !bad && i < a->asserted_n; i++) {
        *why = "asserted identity belongs to another initiator, or stands twice";
        bad = map_put(&t->by_asserted, a->asserted[i], e);
    }
    for (size_t i = 0; !bad && i < a->subscribers_n; i++) {
        *why = "subscriber belongs to another initiator, or stands twice";
        bad = map_put(&t->by_subscriber, a->subscribers[i], e);
    }
    return !bad && a->by_network ? index_network(t, e, why) : bad;
}

static enum err index_entry(struct sec_accounts *t, struct entry *e, const char **why)
{
    const struct sec_account *a = &e->account;
    enum err bad = map_put(&t->by_name, a->name, e);

    *why = "name stands twice";
    if (!bad && a->digest_user.n) {
        *why = "digest user belongs to another initiator";
        bad = map_put(&t->by_user, a->digest_user, e);
        t->passwords += a->ha1_md5.n || a->ha1_sha256.n;
        t->macs += sec_mac_keys_any(&a->mac);
    }
    if (!bad && a->psk_identity.n) {
        *why = "identity of the shared key belongs to another initiator";
        bad = map_put(&t->by_psk, a->psk_identity, e);
    }
    for (size_t i = 0; !bad && i < a->certificates_n; i++) {
        char text[SEC_MATCHER_MAX_N];
        struct slice key;

        *why = "certificate belongs to another initiator, or stands twice";
        bad = arena_dup(&t->arena, sec_matcher_parse(a->certificates[i], text), &key);
        if (!bad)
            bad = map_put(&t->by_matcher, key, e);
    }
    return bad ? bad : index_delegated(t, e, why);
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

static bool secrets_same(const struct sec_secret *a, const struct sec_secret *b)
{
    struct slice x = sec_secret_slice(a), y = sec_secret_slice(b);
    unsigned differ = x.n != y.n;

    for (size_t i = 0; x.n == y.n && i < x.n; i++)
        differ |= (unsigned char)x.p[i] ^ (unsigned char)y.p[i];
    return !differ;
}

static bool rates_same(const struct rate *a, const struct rate *b)
{
    return a->count == b->count && a->burst == b->burst && a->period_ms == b->period_ms;
}

static bool limits_same(const struct sec_limits *a, const struct sec_limits *b)
{
    return rates_same(&a->requests, &b->requests) && rates_same(&a->recipients, &b->recipients) &&
           a->queue_max == b->queue_max && a->body_max_n == b->body_max_n &&
           a->connections_max == b->connections_max;
}

static bool proofs_same(const struct sec_account *a, const struct sec_account *b)
{
    return slice_list_eq(a->certificates, a->certificates_n, b->certificates, b->certificates_n) &&
           slice_list_eq(a->issuers, a->issuers_n, b->issuers, b->issuers_n) &&
           slice_eq(a->psk_identity, b->psk_identity) && secrets_same(&a->psk, &b->psk) &&
           a->psk_version == b->psk_version && slice_eq(a->digest_user, b->digest_user) &&
           secrets_same(&a->ha1_md5, &b->ha1_md5) && secrets_same(&a->ha1_sha256, &b->ha1_sha256) &&
           secrets_same(&a->mac.key[SEC_MAC_MD5], &b->mac.key[SEC_MAC_MD5]) &&
           secrets_same(&a->mac.key[SEC_MAC_SHA256], &b->mac.key[SEC_MAC_SHA256]) && a->basic == b->basic &&
           a->basic_clear == b->basic_clear && a->require == b->require &&
           slice_list_eq(a->tokens, a->tokens_n, b->tokens, b->tokens_n) &&
           slice_list_eq(a->asserted, a->asserted_n, b->asserted, b->asserted_n) &&
           slice_list_eq(a->subscribers, a->subscribers_n, b->subscribers, b->subscribers_n) &&
           a->by_network == b->by_network;
}

bool sec_account_same(const struct sec_account *a, const struct sec_account *b)
{
    return slice_eq(a->name, b->name) && proofs_same(a, b) &&
           slice_list_eq(a->networks, a->networks_n, b->networks, b->networks_n) &&
           slice_list_eq(a->initiator_uris, a->initiator_uris_n, b->initiator_uris, b->initiator_uris_n) &&
           limits_same(&a->limits, &b->limits) && a->trusted == b->trusted &&
           a->may_ask_protection == b->may_ask_protection && a->anonymous == b->anonymous;
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
