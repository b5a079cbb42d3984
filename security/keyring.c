/* The table of a keyring: names to sealed records, newest version first; see keyring.h.  No files, no clock. */
#include "security/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/codec.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "security/kdf.h"
#include "security/keyring_table.h"

#define USE_FC 0xF9 /* proprietary, unregistered range of TS 33.220 §B.2.2 */

static struct sec_record *record_of(const struct sec_key *k)
{
    return container_of((struct sec_key *)(uintptr_t)k, struct sec_record, key);
}

/* --- reading --- */

size_t sec_keyring_n(const struct sec_keyring *r)
{
    return r->names.n;
}

uint64_t sec_keyring_generation(const struct sec_keyring *r)
{
    return r->generation;
}

bool sec_keyring_is_old(const struct sec_keyring *r)
{
    return r->old;
}

const struct sec_key *sec_keyring_find(const struct sec_keyring *r, struct slice name)
{
    const struct sec_keyring_entry *at = r ? map_get(&r->names, name) : NULL;

    return at ? &at->newest->key : NULL;
}

const struct sec_key *sec_keyring_next(const struct sec_keyring *r, size_t *pos)
{
    const struct sec_keyring_entry *at = map_next(&r->names, pos);

    return at ? &at->newest->key : NULL;
}

enum err sec_keyring_secret(const struct sec_keyring *r, const struct sec_key *k, struct sec_secret *out)
{
    return sec_record_open(r->keys, record_of(k), out);
}

enum err sec_key_derive(struct slice ks, const char *use, struct slice name, struct sec_secret *out)
{
    const struct slice params[] = {slice_str(use), name};
    uint8_t key[SEC_SHA256_N];
    enum err e = sec_kdf(ks, USE_FC, params, 2, key);

    if (!e)
        e = sec_secret_set(out, slice_of(key, sizeof key));
    mem_wipe(key, sizeof key);
    return e;
}

/* `own`: the kind that is used as it stands. */
static enum err used_as(const struct sec_keyring *r, const struct sec_key *k, enum sec_key_kind own,
                        const char *use, struct sec_secret *out)
{
    struct sec_secret secret;
    enum err e;

    if (k->kind != own && k->kind != SEC_KEY_ASSOCIATION)
        return ERR_UNSUPPORTED;
    sec_secret_init(&secret);
    e = sec_keyring_secret(r, k, &secret);
    if (!e && k->kind == own)
        *out = secret;
    else if (!e)
        e = sec_key_derive(sec_secret_slice(&secret), use, k->name, out);
    sec_secret_clear(&secret);
    return e;
}

enum err sec_keyring_psk(const struct sec_keyring *r, const struct sec_key *k, struct sec_secret *out)
{
    return used_as(r, k, SEC_KEY_PSK, "psk-tls", out);
}

enum err sec_keyring_password(const struct sec_keyring *r, const struct sec_key *k, struct sec_secret *out)
{
    struct buf text;
    enum err e = used_as(r, k, SEC_KEY_PASSWORD, "digest", out);

    if (e || k->kind == SEC_KEY_PASSWORD)
        return e;
    buf_init(&text, SEC_SECRET_MAX_N);
    codec_base64(&text, sec_secret_slice(out));
    e = buf_err(&text) ? buf_err(&text) : sec_secret_set(out, buf_slice(&text));
    buf_wipe(&text);
    return e;
}

enum err sec_keyring_fingerprint(const struct sec_keyring *r, const struct sec_key *k,
                                 char out[SEC_KEY_PRINT_N])
{
    struct sec_secret secret;
    struct slice part;
    uint8_t hash[SEC_SHA256_N];
    enum err e;

    sec_secret_init(&secret);
    e = sec_keyring_secret(r, k, &secret);
    part = sec_secret_slice(&secret);
    if (!e)
        e = sec_hmac_sha256(slice_of(r->keys->print, sizeof r->keys->print), &part, 1, hash);
    if (!e)
        (void)snprintf(out, SEC_KEY_PRINT_N, "%016llx", (unsigned long long)num_get64(hash));
    sec_secret_clear(&secret);
    return e;
}

/* --- making --- */

enum err sec_keyring_create(struct slice master, struct sec_keyring **out)
{
    struct sec_keyring *r = calloc(1, sizeof *r);
    enum err e = r ? sec_random(r->salt, sizeof r->salt) : ERR_NOMEM;

    if (!e)
        e = sec_keyring_keys_create(master, r->salt, &r->keys);
    if (e) {
        free(r);
        return e;
    }
    map_init(&r->names, SEC_KEYS_MAX);
    *out = r;
    return ERR_OK;
}

void sec_keyring_free(struct sec_keyring **rp)
{
    struct sec_keyring *r = *rp;
    struct sec_keyring_entry *at;
    size_t pos = 0;

    *rp = NULL;
    if (!r)
        return;
    while ((at = map_next(&r->names, &pos))) {
        sec_record_free(at->newest);
        free(at);
    }
    map_clear(&r->names);
    sec_keyring_keys_free(&r->keys);
    free(r);
}

static size_t versions(const struct sec_key *k)
{
    size_t n = 0;

    for (; k; k = k->older)
        n++;
    return n;
}

static enum err entry_add(struct sec_keyring *r, struct sec_record *rec)
{
    struct slice name = rec->key.name;
    struct sec_keyring_entry *at = calloc(1, sizeof *at + name.n);
    enum err e;

    if (!at)
        return ERR_NOMEM;
    at->name_n = name.n;
    at->newest = rec;
    mem_copy(at->name, name.n, name);
    e = map_put(&r->names, slice_of(at->name, name.n), at);
    if (e)
        free(at);
    else
        r->records++;
    return e;
}

enum err sec_keyring_put(struct sec_keyring *r, struct sec_record *rec)
{
    struct sec_keyring_entry *at = map_get(&r->names, rec->key.name);
    const struct sec_key *was;

    if (!at)
        return entry_add(r, rec);
    was = &at->newest->key;
    if (rec->key.kind != was->kind || rec->key.version <= was->version)
        return ERR_EXISTS;
    if (versions(was) > SEC_KEY_OVERLAPS_MAX)
        return ERR_LIMIT;
    rec->key.older = was;
    at->newest = rec;
    r->records++;
    return ERR_OK;
}

/* --- changing --- */

enum err sec_keyring_add(struct sec_keyring *r, const struct sec_key *k, struct slice secret)
{
    struct sec_key first = *k;
    struct sec_record *rec;
    enum err e;

    first.version = 1;
    if (map_get(&r->names, k->name))
        return ERR_EXISTS;
    e = sec_record_seal(r->keys, &first, secret, &rec);
    if (e)
        return e;
    e = sec_keyring_put(r, rec);
    if (e)
        sec_record_free(rec);
    return e;
}

/* Seals a record anew, perhaps with an earlier end: the end is part of what the seal covers. */
static enum err reseal(const struct sec_keyring *r, const struct sec_keyring_keys *keys, int64_t end_s,
                       struct sec_record **rec)
{
    struct sec_key k = (*rec)->key;
    struct sec_secret secret;
    struct sec_record *fresh;
    enum err e;

    if (!k.expires_s || k.expires_s > end_s)
        k.expires_s = end_s == INT64_MAX ? k.expires_s : num_max64(end_s, 1);
    sec_secret_init(&secret);
    e = sec_record_open(r->keys, *rec, &secret);
    if (!e)
        e = sec_record_seal(keys, &k, sec_secret_slice(&secret), &fresh);
    sec_secret_clear(&secret);
    if (e)
        return e;
    fresh->key.older = (*rec)->key.older;
    (*rec)->key.older = NULL;
    sec_record_free(*rec);
    *rec = fresh;
    return ERR_OK;
}

static enum err reseal_all(const struct sec_keyring *r, const struct sec_keyring_keys *keys, int64_t end_s,
                           struct sec_record **newest)
{
    struct sec_record *at, *older;
    enum err e = reseal(r, keys, end_s, newest);

    for (at = *newest; !e && at->key.older; at = older) {
        older = record_of(at->key.older);
        e = reseal(r, keys, end_s, &older);
        at->key.older = &older->key;
    }
    return e;
}

enum err sec_keyring_rotate(struct sec_keyring *r, const struct sec_key *k, struct slice secret,
                            int64_t grace_s)
{
    struct sec_keyring_entry *at = map_get(&r->names, k->name);
    struct sec_key next = *k;
    struct sec_record *rec;
    enum err e;

    if (!at)
        return ERR_ABSENT;
    if (versions(&at->newest->key) > SEC_KEY_OVERLAPS_MAX)
        return ERR_LIMIT;
    next.kind = at->newest->key.kind;
    next.version = at->newest->key.version + 1;
    e = sec_record_seal(r->keys, &next, secret, &rec);
    if (e)
        return e;
    e = reseal(r, r->keys, grace_s, &at->newest);
    if (e) {
        sec_record_free(rec);
        return e;
    }
    rec->key.older = &at->newest->key;
    at->newest = rec;
    r->records++;
    return ERR_OK;
}

enum err sec_keyring_end(struct sec_keyring *r, struct slice name, int64_t at_s)
{
    struct sec_keyring_entry *at = map_get(&r->names, name);

    return at ? reseal_all(r, r->keys, at_s, &at->newest) : ERR_ABSENT;
}

enum err sec_keyring_remove(struct sec_keyring *r, struct slice name)
{
    struct sec_keyring_entry *at = map_del(&r->names, name);

    if (!at)
        return ERR_ABSENT;
    r->records -= versions(&at->newest->key);
    sec_record_free(at->newest);
    free(at);
    return ERR_OK;
}

static void prune_one(struct sec_keyring *r, struct sec_record *newest, int64_t now_s)
{
    struct sec_record *at = newest;

    while (at->key.older) {
        struct sec_record *older = record_of(at->key.older);

        if (!sec_key_expired(&older->key, now_s)) {
            at = older;
            continue;
        }
        at->key.older = older->key.older;
        older->key.older = NULL;
        sec_record_free(older);
        r->records--;
    }
}

void sec_keyring_prune(struct sec_keyring *r, int64_t now_s)
{
    const struct sec_keyring_entry *at;
    size_t pos = 0;

    while ((at = map_next(&r->names, &pos)))
        prune_one(r, at->newest, now_s);
}

/* --- another master key --- */

enum err sec_keyring_rewrap(struct sec_keyring *r, struct slice master)
{
    uint8_t salt[SEC_KEYRING_SALT_N];
    struct sec_keyring_keys *keys;
    struct sec_keyring_entry *at;
    size_t pos = 0;
    enum err e = sec_random(salt, sizeof salt);

    if (!e)
        e = sec_keyring_keys_create(master, salt, &keys);
    if (e)
        return e;
    while (!e && (at = map_next(&r->names, &pos)))
        e = reseal_all(r, keys, INT64_MAX, &at->newest);
    mem_copy(r->salt, sizeof r->salt, slice_of(salt, sizeof salt));
    sec_keyring_keys_free(&r->keys);
    r->keys = keys;
    return e;
}
