/* Sealed records; their octets are in keyring_record.h.  AES-256-GCM (SP 800-38D) and HMAC-SHA-256 of GnuTLS; keys by
 * the KDF of TS 33.220 annex B under a number of its proprietary range.  Any thread. */
#include "security/keyring_record.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "security/kdf.h"

#define KEYRING_FC 0xF8 /* proprietary, unregistered range of TS 33.220 §B.2.2 */
#define NONCE_N    12
#define TAG_N      16
#define FIXED_N    (1 + 1 + 4 + 8 + 8 + 1 + NONCE_N + 1 + TAG_N)

/* What each kind holds; row 0 is no kind. */
static const struct {
    const char *name;
    uint8_t secret_min, secret_max;
    uint8_t attr_min, attr_max;
} kinds[] = {
    [SEC_KEY_ASSOCIATION] = {"association", 32, 32, 17, 22},
    [SEC_KEY_PSK] = {"psk", 16, SEC_SECRET_MAX_N, 0, 0},
    [SEC_KEY_PASSWORD] = {"password", 1, SEC_SECRET_MAX_N, 0, 0},
    [SEC_KEY_SUBSCRIBER] = {"subscriber", 32, 32, 2, 2},
    [SEC_KEY_ENTITY] = {"entity", 32, 32, 1, 64},
};

const char *sec_key_kind_name(unsigned kind)
{
    return kind < sizeof kinds / sizeof kinds[0] ? kinds[kind].name : NULL;
}

enum err sec_key_kind_of(struct slice name, enum sec_key_kind *out)
{
    for (unsigned i = 1; i < sizeof kinds / sizeof kinds[0]; i++)
        if (slice_eq(name, slice_str(kinds[i].name))) {
            *out = (enum sec_key_kind)i;
            return ERR_OK;
        }
    return ERR_ABSENT;
}

bool sec_key_name_ok(struct slice name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~' || strchr("\"\\,;#", name.p[i]))
            return false;
    return name.n >= 1 && name.n <= SEC_KEY_NAME_MAX_N;
}

bool sec_key_expired(const struct sec_key *k, int64_t now_s)
{
    return k->expires_s && now_s >= k->expires_s;
}

/* --- keys --- */

static enum err derive(struct slice master, struct slice label, const uint8_t *salt,
                       uint8_t out[SEC_SHA256_N])
{
    const struct slice params[] = {label, slice_of(salt, SEC_KEYRING_SALT_N)};

    return sec_kdf(master, KEYRING_FC, params, 2, out);
}

enum err sec_keyring_keys_create(struct slice master, const uint8_t salt[SEC_KEYRING_SALT_N],
                                 struct sec_keyring_keys **out)
{
    struct sec_keyring_keys *k;
    enum err e;

    if (master.n != SEC_MASTER_N)
        return ERR_MALFORMED;
    k = sec_area_alloc(sizeof *k);
    if (!k)
        return ERR_NOMEM;
    e = derive(master, SLICE("keyring-seal"), salt, k->seal);
    if (!e)
        e = derive(master, SLICE("keyring-mac"), salt, k->mac);
    if (!e)
        e = derive(master, SLICE("keyring-print"), salt, k->print);
    if (!e)
        e = derive(master, SLICE("keyring-id"), salt, k->id);
    if (e)
        sec_keyring_keys_free(&k);
    else
        *out = k;
    return e;
}

void sec_keyring_keys_free(struct sec_keyring_keys **k)
{
    sec_area_free(*k, sizeof **k);
    *k = NULL;
}

/* --- octets --- */

static bool within(size_t n, size_t min, size_t max)
{
    return n >= min && n <= max;
}

static bool may_be(const struct sec_key *k, size_t secret_n)
{
    return sec_key_kind_name(k->kind) && sec_key_name_ok(k->name) && k->version && k->created_s >= 0 &&
           k->expires_s >= 0 && within(k->attr.n, kinds[k->kind].attr_min, kinds[k->kind].attr_max) &&
           within(secret_n, kinds[k->kind].secret_min, kinds[k->kind].secret_max);
}

static struct sec_record *record_new(size_t n)
{
    struct sec_record *rec = calloc(1, sizeof *rec + n);

    if (rec)
        rec->n = n;
    return rec;
}

void sec_record_free(struct sec_record *rec)
{
    while (rec) {
        const struct sec_key *older = rec->key.older;

        free(rec);
        rec = older ? container_of((struct sec_key *)(uintptr_t)older, struct sec_record, key) : NULL;
    }
}

/* Where things stand in a record of these lengths. */
static size_t head_n(size_t name_n, size_t attr_n)
{
    return 23 + name_n + attr_n;
}

/* kind to attr; the slices of rec->key point there afterwards. */
static void head_print(struct sec_record *rec, const struct sec_key *k)
{
    uint8_t *p = rec->octets;

    rec->key = *k;
    rec->key.older = NULL;
    *p++ = (uint8_t)k->kind;
    *p++ = (uint8_t)k->name.n;
    mem_copy(p, k->name.n, k->name);
    rec->key.name = slice_of(p, k->name.n);
    p += k->name.n;
    num_put32(p, k->version);
    num_put64(p + 4, (uint64_t)k->created_s);
    num_put64(p + 12, (uint64_t)k->expires_s);
    p[20] = (uint8_t)k->attr.n;
    mem_copy(p + 21, k->attr.n, k->attr);
    rec->key.attr = slice_of(p + 21, k->attr.n);
}

/* Octets at the front of `left`, or none and *bad. */
static struct slice take(struct slice *left, size_t n, bool *bad)
{
    struct slice got = slice_sub(*left, 0, n);

    *bad = *bad || got.n < n;
    *left = slice_sub(*left, n, left->n);
    return *bad ? SLICE_NONE : got;
}

static size_t take_n(struct slice *left, bool *bad)
{
    struct slice got = take(left, 1, bad);

    return got.n ? (uint8_t)got.p[0] : 0;
}

enum err sec_record_parse(struct slice octets, struct sec_record **out)
{
    struct sec_key k = {.version = 0};
    struct slice left = octets, fixed;
    struct sec_record *rec;
    bool bad = false;
    size_t secret_n;

    k.kind = (enum sec_key_kind)take_n(&left, &bad);
    k.name = take(&left, take_n(&left, &bad), &bad);
    fixed = take(&left, 20, &bad);
    k.attr = take(&left, take_n(&left, &bad), &bad);
    (void)take(&left, NONCE_N, &bad);
    secret_n = take_n(&left, &bad);
    if (bad || left.n != secret_n + TAG_N)
        return ERR_MALFORMED;
    k.version = num_get32(fixed.p);
    k.created_s = (int64_t)num_get64(fixed.p + 4);
    k.expires_s = (int64_t)num_get64(fixed.p + 12);
    if (!may_be(&k, secret_n))
        return ERR_MALFORMED;
    rec = record_new(octets.n);
    if (!rec)
        return ERR_NOMEM;
    mem_copy(rec->octets, rec->n, octets);
    head_print(rec, &k); /* the same octets again, and slices into them */
    *out = rec;
    return ERR_OK;
}

/* --- sealing --- */

static enum err cipher(const struct sec_keyring_keys *keys, gnutls_aead_cipher_hd_t *out)
{
    gnutls_datum_t key = {(unsigned char *)(uintptr_t)keys->seal, sizeof keys->seal};

    return gnutls_aead_cipher_init(out, GNUTLS_CIPHER_AES_256_GCM, &key) < 0 ? ERR_NOMEM : ERR_OK;
}

enum err sec_record_seal(const struct sec_keyring_keys *keys, const struct sec_key *k, struct slice secret,
                         struct sec_record **out)
{
    size_t head = head_n(k->name.n, k->attr.n), sealed_n = secret.n + TAG_N;
    gnutls_aead_cipher_hd_t gcm;
    struct sec_record *rec;
    uint8_t *nonce;
    enum err e;

    if (!may_be(k, secret.n))
        return ERR_MALFORMED;
    rec = record_new(FIXED_N + k->name.n + k->attr.n + secret.n);
    if (!rec)
        return ERR_NOMEM;
    head_print(rec, k);
    nonce = rec->octets + head;
    nonce[NONCE_N] = (uint8_t)secret.n;
    e = sec_random(nonce, NONCE_N);
    if (!e)
        e = cipher(keys, &gcm);
    if (!e) {
        if (gnutls_aead_cipher_encrypt(gcm, nonce, NONCE_N, rec->octets, head, TAG_N, secret.p, secret.n,
                                       nonce + NONCE_N + 1, &sealed_n) < 0)
            e = ERR_IO;
        gnutls_aead_cipher_deinit(gcm);
    }
    if (e)
        sec_record_free(rec);
    else
        *out = rec;
    return e;
}

enum err sec_record_open(const struct sec_keyring_keys *keys, const struct sec_record *rec,
                         struct sec_secret *out)
{
    size_t head = head_n(rec->key.name.n, rec->key.attr.n);
    const uint8_t *nonce = rec->octets + head;
    struct sec_secret plain;
    gnutls_aead_cipher_hd_t gcm;
    enum err e = cipher(keys, &gcm);

    if (e)
        return e;
    sec_secret_init(&plain);
    plain.n = sizeof plain.octets;
    if (gnutls_aead_cipher_decrypt(gcm, nonce, NONCE_N, rec->octets, head, TAG_N, nonce + NONCE_N + 1,
                                   rec->n - head - NONCE_N - 1, plain.octets, &plain.n) < 0)
        e = ERR_DENIED;
    else
        *out = plain;
    gnutls_aead_cipher_deinit(gcm);
    sec_secret_clear(&plain);
    return e;
}
