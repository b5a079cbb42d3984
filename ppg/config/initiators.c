/* initiators.conf; see initiators.h.  A password is read once, turned into HA1 (RFC 7616 §3.4.2) and wiped.
 * Off the loops. */
#include "ppg/config/initiators.h"

#include <ctype.h>
#include "base/codec.h"
#include "base/list.h"
#include "base/mem.h"
#include "ppg/config/delegates.h"
#include "ppg/config/lists.h"
#include "ppg/config/value.h"
#include "security/rules/network.h"
#include "security/uri.h"

#define FILE_MAX_N          (64 << 20) /* octets of initiators.conf */
#define INITIATORS_MAX      100000
#define SECTION_MAX_N       (1 << 20) /* octets of text in one section */
#define QUEUE_LIMIT_MAX     1000000000
#define BODY_MAX_MAX_N      (64 << 20) /* as body-max of ppg.conf */
#define CONNECTIONS_MAX_MAX 1000000
#define COUNT(a)            (sizeof(a) / sizeof((a)[0]))

/* The section being read. */
struct draft {
    struct ppg_list list; /* keys name fields by their distance from it */
    struct arena mem;     /* text of the section */
    struct sec_account account;
    struct slice certificates[SEC_ACCOUNT_LIST_MAX];
    struct slice networks[SEC_ACCOUNT_LIST_MAX];
    struct slice uris[SEC_ACCOUNT_LIST_MAX];
    struct slice issuers[SEC_ACCOUNT_LIST_MAX];
    struct slice tokens[SEC_ACCOUNT_LIST_MAX];
    struct slice asserted[SEC_ACCOUNT_LIST_MAX];
    struct slice subscribers[SEC_ACCOUNT_LIST_MAX];
    struct buf password;
    bool mac_md5;                         /* macs with the password */
    struct ppg_delegates_draft delegates; /* sections of other kinds */

    const struct sec_keyring *keyring;
    struct sec_accounts *accounts;
    struct slice realm;
    bool md5;
    bool broken; /* an account did not go in: the table takes no more */
};
_Static_assert(offsetof(struct draft, list) == 0, "the list is first");

static struct draft *draft_of(struct ppg_list *l)
{
    return container_of(l, struct draft, list);
}

static void forget(struct draft *d)
{
    sec_secret_clear(&d->account.ha1_md5);
    sec_secret_clear(&d->account.ha1_sha256);
    sec_secret_clear(&d->account.psk);
    sec_mac_keys_clear(&d->account.mac);
    buf_wipe(&d->password);
    arena_clear(&d->mem);
}

static void begin(struct ppg_list *l, struct slice name)
{
    struct draft *d = draft_of(l);
    struct slice kept;

    forget(d);
    d->mac_md5 = false;
    d->account = (struct sec_account){.certificates = d->certificates,
                                      .networks = d->networks,
                                      .initiator_uris = d->uris,
                                      .issuers = d->issuers,
                                      .tokens = d->tokens,
                                      .asserted = d->asserted,
                                      .subscribers = d->subscribers,
                                      .psk_version = 13,
                                      .may_ask_protection = true};
    if (slice_eq(name, SLICE("inbox")))
        ppg_load_say(l->load, ERR_MALFORMED, l->at, name,
                     "stands for terminals that fetch, in rules of the whitelist");
    else if (arena_dup(&d->mem, name, &kept))
        ppg_load_say(l->load, ERR_NOMEM, l->at, SLICE_NONE, "no memory");
    else
        d->account.name = kept;
}

static void add_item(struct ppg_list *l, const struct ppg_ini_line *line, struct slice *items, size_t *n)
{
    if (*n == SEC_ACCOUNT_LIST_MAX)
        ppg_list_say(l, line, "more than 64 in one section");
    else {
        ppg_list_text(l, line, &draft_of(l)->mem, &items[*n]);
        *n += 1;
    }
}

static void set_certificate(struct ppg_list *l, const struct ppg_ini_line *line)
{
    add_item(l, line, draft_of(l)->certificates, &draft_of(l)->account.certificates_n);
}

/* SHA-256 of a certificate as openssl prints it, with or without colons. */
static void set_issuer(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);
    unsigned char octets[32];
    struct buf plain;

    buf_init(&plain, 2 * sizeof octets);
    for (size_t i = 0; i < line->value.n; i++)
        if (line->value.p[i] != ':')
            buf_add_ch(&plain, (char)tolower((unsigned char)line->value.p[i]));
    if (buf_err(&plain) || codec_unhex(buf_slice(&plain), octets, sizeof octets))
        ppg_list_say(l, line, "not the SHA-256 fingerprint of a certificate: 64 hexadecimal digits");
    else if (d->account.issuers_n == SEC_ACCOUNT_LIST_MAX)
        ppg_list_say(l, line, "more than 64 in one section");
    else if (arena_dup(&d->mem, buf_slice(&plain), &d->issuers[d->account.issuers_n]))
        ppg_list_say(l, line, "no memory");
    else
        d->account.issuers_n++;
    buf_clear(&plain);
}

static void set_psk_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_psk(l, line, &draft_of(l)->account.psk);
}

static void set_psk_tls(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {{"1.2", 12}, {"1.3", 13}, {NULL, 0}};
    int word = 13;

    ppg_list_word(l, line, words, &word);
    draft_of(l)->account.psk_version = (unsigned)word;
}

static enum err use_psk(struct draft *d, const struct sec_key *k)
{
    struct sec_account *a = &d->account;

    if (a->psk_identity.n || a->psk.n)
        return ERR_EXISTS;
    if (sec_keyring_psk(d->keyring, k, &a->psk))
        return ERR_UNSUPPORTED;
    return arena_dup(&d->mem, k->name, &a->psk_identity);
}

static enum err use_password(struct draft *d, const struct sec_key *k)
{
    struct sec_secret secret;

    if (d->account.digest_user.n || d->password.n)
        return ERR_EXISTS;
    sec_secret_init(&secret);
    if (sec_keyring_password(d->keyring, k, &secret))
        return ERR_UNSUPPORTED;
    buf_add(&d->password, sec_secret_slice(&secret));
    sec_secret_clear(&secret);
    return arena_dup(&d->mem, k->name, &d->account.digest_user);
}

/* A key's name is what the initiator is known by: PSK identity, Digest user, or both. */
static void set_key(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);
    const struct sec_key *k = sec_keyring_find(d->keyring, line->value);
    enum err e = k && k->kind != SEC_KEY_SUBSCRIBER ? ERR_OK : ERR_ABSENT;

    if (!e && k->kind != SEC_KEY_PASSWORD)
        e = use_psk(d, k);
    if (!e && k->kind != SEC_KEY_PSK)
        e = use_password(d, k);
    if (e)
        ppg_list_say(l, line,
                     e == ERR_EXISTS ? "an identity or a user is there already"
                                     : "the keyring has no key of that name for an initiator");
}

static void set_network(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct sec_network network;

    if (line->value.n && sec_network_parse(line->value, &network))
        ppg_list_say(l, line, "not address/bits, or bits set behind the prefix");
    else
        add_item(l, line, draft_of(l)->networks, &draft_of(l)->account.networks_n);
}

static void set_token(struct ppg_list *l, const struct ppg_ini_line *line)
{
    add_item(l, line, draft_of(l)->tokens, &draft_of(l)->account.tokens_n);
}

static void set_asserted(struct ppg_list *l, const struct ppg_ini_line *line)
{
    add_item(l, line, draft_of(l)->asserted, &draft_of(l)->account.asserted_n);
}

static void set_subscriber(struct ppg_list *l, const struct ppg_ini_line *line)
{
    add_item(l, line, draft_of(l)->subscribers, &draft_of(l)->account.subscribers_n);
}

static void set_initiator_uri(struct ppg_list *l, const struct ppg_ini_line *line)
{
    if (line->value.n && sec_uri_pattern_check(line->value))
        ppg_list_say(l, line, "not an http(s) URI, \"*\" at most at its end");
    else
        add_item(l, line, draft_of(l)->uris, &draft_of(l)->account.initiator_uris_n);
}

/* HA1 is as good as the password for Digest: a file that holds one is a secret file. */
static void set_ha1(struct ppg_list *l, const struct ppg_ini_line *line, enum sec_digest_algorithm a,
                    struct sec_secret *out)
{
    struct stat st;

    if (sec_digest_ha1_parse(a, line->value, out))
        ppg_list_say(l, line,
                     a == SEC_DIGEST_MD5 ? "not 32 hexadecimal digits" : "not 64 hexadecimal digits");
    else if (stat(line->at.file, &st) == 0)
        (void)ppg_load_mode(l->load, line->at.file, &st, S_IRWXO, line->at, line->key);
}

static void set_ha1_md5(struct ppg_list *l, const struct ppg_ini_line *line)
{
    if (draft_of(l)->md5)
        set_ha1(l, line, SEC_DIGEST_MD5, &draft_of(l)->account.ha1_md5);
    else
        ppg_list_say(l, line, "MD5 is off: digest-md5 of [pap] or of the policy of algorithms is no");
}

static void set_ha1_sha256(struct ppg_list *l, const struct ppg_ini_line *line)
{
    set_ha1(l, line, SEC_DIGEST_SHA256, &draft_of(l)->account.ha1_sha256);
}

/* The MD5 of DM's macs hangs on the same switch as that of Digest. */
static void set_mac_md5(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);

    ppg_list_bool(l, line, &d->mac_md5);
    if (d->mac_md5 && !d->md5)
        ppg_list_say(l, line, "MD5 is off: digest-md5 of [pap] or of the policy of algorithms is no");
}

static void set_mac_key_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_list_mac_key(l, line, &draft_of(l)->account.mac.key[SEC_MAC_SHA256]);
}

static void set_require(struct ppg_list *l, const struct ppg_ini_line *line)
{
    static const struct ppg_word words[] = {{"any", SEC_REQUIRE_ANY}, {"all", SEC_REQUIRE_ALL}, {NULL, 0}};
    int word = SEC_REQUIRE_ANY;

    ppg_list_word(l, line, words, &word);
    draft_of(l)->account.require = (enum sec_require)word;
}

static void take_rate(struct ppg_list *l, const struct ppg_ini_line *line, struct rate *out)
{
    if (ppg_value_rate(line->value, out))
        ppg_list_say(l, line,
                     "like 200/s burst 400: 1 to 1000000 each s, min or h; a burst of 10 ms to a day of it");
}

static void set_rate(struct ppg_list *l, const struct ppg_ini_line *line)
{
    take_rate(l, line, &draft_of(l)->account.limits.requests);
}

static void set_recipient_rate(struct ppg_list *l, const struct ppg_ini_line *line)
{
    take_rate(l, line, &draft_of(l)->account.limits.recipients);
}

static void set_queue_limit(struct ppg_list *l, const struct ppg_ini_line *line)
{
    int64_t n = 0;

    if (ppg_value_count(line->value, 1, QUEUE_LIMIT_MAX, &n))
        ppg_list_say(l, line, "a number, 1 to 1000000000");
    else
        draft_of(l)->account.limits.queue_max = (uint64_t)n;
}

static void set_body_max(struct ppg_list *l, const struct ppg_ini_line *line)
{
    int64_t n = 0;

    if (ppg_value_size(line->value, 1024, BODY_MAX_MAX_N, &n))
        ppg_list_say(l, line, "octets, 1k to 64M");
    else
        draft_of(l)->account.limits.body_max_n = (size_t)n;
}

static void set_connections_max(struct ppg_list *l, const struct ppg_ini_line *line)
{
    int64_t n = 0;

    if (ppg_value_count(line->value, 1, CONNECTIONS_MAX_MAX, &n))
        ppg_list_say(l, line, "a number, 1 to 1000000");
    else
        draft_of(l)->account.limits.connections_max = (uint32_t)n;
}

static const struct ppg_list_key keys[] = {
    {"certificate", set_certificate, .repeats = true},
    {"certificate-issuer", set_issuer, .repeats = true},
    {"psk-identity", .text_at = offsetof(struct draft, account.psk_identity)},
    {"psk-file", .set = set_psk_file},
    {"key", set_key, .repeats = true},
    {"psk-tls", .set = set_psk_tls},
    {"digest-user", .text_at = offsetof(struct draft, account.digest_user)},
    {"password-file", .secret_at = offsetof(struct draft, password)},
    {"digest-ha1-sha256", .set = set_ha1_sha256},
    {"digest-ha1-md5", .set = set_ha1_md5},
    {"mac-key-file", .set = set_mac_key_file},
    {"mac-md5", .set = set_mac_md5},
    {"basic", .bool_at = offsetof(struct draft, account.basic)},
    {"basic-clear", .bool_at = offsetof(struct draft, account.basic_clear)},
    {"token", set_token, .repeats = true},
    {"asserted-identity", set_asserted, .repeats = true},
    {"subscriber", set_subscriber, .repeats = true},
    {"require", .set = set_require},
    {"network", set_network, .repeats = true},
    {"network-alone", .bool_at = offsetof(struct draft, account.by_network)},
    {"initiator-uri", set_initiator_uri, .repeats = true},
    {"trusted", .bool_at = offsetof(struct draft, account.trusted)},
    {"ask-protection", .bool_at = offsetof(struct draft, account.may_ask_protection)},
    {"anonymous", .bool_at = offsetof(struct draft, account.anonymous)},
    {"rate", .set = set_rate},
    {"recipient-rate", .set = set_recipient_rate},
    {"queue-limit", .set = set_queue_limit},
    {"body-max", .set = set_body_max},
    {"connections-max", .set = set_connections_max},
};

static enum err hash_password(struct draft *d)
{
    struct sec_account *a = &d->account;
    struct slice password = buf_slice(&d->password);
    enum err e = sec_digest_ha1(SEC_DIGEST_SHA256, a->digest_user, d->realm, password, &a->ha1_sha256);

    if (e == ERR_OK && d->md5)
        e = sec_digest_ha1(SEC_DIGEST_MD5, a->digest_user, d->realm, password, &a->ha1_md5);
    if (e == ERR_OK && d->mac_md5)
        e = sec_mac_inner(a->digest_user, password, &a->mac.key[SEC_MAC_MD5]);
    return e;
}

/* What a section must not mix. */
static const char *fault_of(const struct draft *d)
{
    const struct sec_account *a = &d->account;
    bool ha1 = a->ha1_md5.n || a->ha1_sha256.n;

    if (d->password.n && ha1)
        return "password-file and digest-ha1 are two ways to say one thing: leave one out";
    if ((d->password.n || ha1 || a->mac.key[SEC_MAC_SHA256].n) && a->digest_user.n == 0)
        return "digest-user is missing";
    if (a->digest_user.n && !d->password.n && !ha1 && !a->mac.key[SEC_MAC_SHA256].n)
        return "digest-user needs password-file, digest-ha1-sha256 or mac-key-file";
    if (d->mac_md5 && !d->password.n)
        return "mac-md5 needs password-file: a stored digest is of another formula";
    if (!a->psk_identity.n != !a->psk.n)
        return "psk-identity and psk-file go together";
    if (a->issuers_n && !a->certificates_n)
        return "certificate-issuer needs certificate";
    if (a->basic_clear && !a->basic)
        return "basic-clear needs basic = yes";
    return NULL;
}

static void end(struct ppg_list *l)
{
    struct draft *d = draft_of(l);
    const char *why = fault_of(d);
    enum err e = ERR_MALFORMED;

    if (!why && d->password.n && hash_password(d))
        why = "the password cannot be hashed";
    if (!why && !d->broken) {
        e = sec_accounts_add(d->accounts, &d->account, &why);
        d->broken = e != ERR_OK;
    }
    if (why)
        ppg_load_say(l->load, e ? e : ERR_MALFORMED, l->at, d->account.name, "%s", why);
    forget(d);
}

static bool start(struct draft *d, struct ppg_load *load, const char *file, struct slice realm, bool md5)
{
    enum err e;

    *d = (struct draft){.list = {.load = load,
                                 .mem = &d->mem,
                                 .kind = "initiator",
                                 .keys = keys,
                                 .keys_n = COUNT(keys),
                                 .begin = begin,
                                 .end = end},
                        .realm = realm,
                        .md5 = md5};
    arena_init(&d->mem, 1024, SECTION_MAX_N);
    buf_init(&d->password, PPG_LIST_SECRET_MAX_N + 1);
    e = sec_accounts_create(realm, INITIATORS_MAX, &d->accounts);
    if (e)
        ppg_load_say(load, e, (struct ppg_place){file, 0}, SLICE_NONE, "no table of accounts: %s",
                     err_text(e));
    else {
        ppg_delegates_init(&d->delegates, load, sec_accounts_delegates(d->accounts));
        d->list.next = &d->delegates.issuers;
    }
    return e == ERR_OK;
}

void ppg_initiators_read(struct ppg_load *load, const char *path, struct slice realm, bool md5,
                         const struct sec_keyring *keyring, struct sec_accounts **out)
{
    struct draft d;

    if (!start(&d, load, path, realm, md5))
        return;
    d.keyring = keyring;
    ppg_list_read(&d.list, path, FILE_MAX_N, 0, (struct ppg_place){path, 0}, SLICE_NONE);
    forget(&d);
    ppg_delegates_clear(&d.delegates);
    *out = d.accounts;
}

void ppg_initiators_read_text(struct ppg_load *load, struct slice text, const char *file, struct slice realm,
                              bool md5, const struct sec_keyring *keyring, struct sec_accounts **out)
{
    struct draft d;

    if (!start(&d, load, file, realm, md5))
        return;
    d.keyring = keyring;
    ppg_list_read_text(&d.list, text, file);
    forget(&d);
    ppg_delegates_clear(&d.delegates);
    *out = d.accounts;
}
