/* A keyring as octets.  No version is ever read in two ways, nothing of it is used before all of it is known to be whole, and
 * there is nothing in it that is not covered.  Version 1, integers big-endian:
 *
 *     0  8  "PPGKEYS", then 1, the version
 *     8  8  generation: one more with each write
 *    16 32  salt
 *    48  8  first octets of the id key: which master key this is under
 *    56  4  number of records
 *    60  4  octets of all records with their lengths
 *    64     records: two octets of length, then keyring_record.h; versions of one name in rising order
 *     -32   HMAC-SHA-256 under the mac key of all that stands before
 *
 * The four keys are KDF(master, FC=F8, "keyring-seal", "-mac", "-print", "-id", salt) of TS 33.220 annex B.  Reading: magic,
 * version, lengths, master key, MAC, then the records.  What this does not hold: somebody who can put back an older file of
 * ours.  Any thread. */
#include "security/keyring_table.h"

#include <stdlib.h>
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "security/kdf.h"

#define MAGIC     SLICE("PPGKEYS\1")
#define AT_SALT   16
#define AT_ID     48
#define ID_N      8
#define AT_COUNT  56
#define HEAD_N    64
#define SALT_N    SEC_KEYRING_SALT_N
#define RECORDS_N ((size_t)SEC_KEYS_MAX * (SEC_KEY_OVERLAPS_MAX + 1))

static enum err mac_of(const struct sec_keyring_keys *keys, struct slice covered, uint8_t out[SEC_SHA256_N])
{
    return sec_hmac_sha256(slice_of(keys->mac, sizeof keys->mac), &covered, 1, out);
}

/* --- parsing --- */

/* The lengths agree with each other. */
static enum err head_check(struct slice in)
{
    if (!slice_starts(in, slice_sub(MAGIC, 0, 7)))
        return ERR_MALFORMED;
    if (in.n < HEAD_N + SEC_SHA256_N || in.n > SEC_KEYRING_MAX_N)
        return in.n > SEC_KEYRING_MAX_N ? ERR_LIMIT : ERR_MALFORMED;
    if (in.p[7] != MAGIC.p[7])
        return (uint8_t)in.p[7] > (uint8_t)MAGIC.p[7] ? ERR_UNSUPPORTED : ERR_MALFORMED;
    if (in.n != HEAD_N + (size_t)num_get32(in.p + AT_COUNT + 4) + SEC_SHA256_N)
        return ERR_MALFORMED;
    return num_get32(in.p + AT_COUNT) > RECORDS_N ? ERR_LIMIT : ERR_OK;
}

/* ERR_DENIED: it is under another master key. */
static enum err keys_try(struct slice in, struct slice master, struct sec_keyring_keys **out)
{
    uint8_t salt[SALT_N];
    enum err e;

    mem_copy(salt, sizeof salt, slice_sub(in, AT_SALT, SALT_N));
    e = sec_keyring_keys_create(master, salt, out);
    if (!e && !slice_eq_ct(slice_of((*out)->id, ID_N), slice_sub(in, AT_ID, ID_N))) {
        sec_keyring_keys_free(out);
        e = ERR_DENIED;
    }
    return e;
}

static enum err mac_check(const struct sec_keyring_keys *keys, struct slice in)
{
    uint8_t mac[SEC_SHA256_N];
    enum err e = mac_of(keys, slice_sub(in, 0, in.n - sizeof mac), mac);

    if (!e && !slice_eq_ct(slice_of(mac, sizeof mac), slice_sub(in, in.n - sizeof mac, sizeof mac)))
        e = ERR_MALFORMED;
    return e;
}

static enum err record_add(struct sec_keyring *r, struct slice octets)
{
    struct sec_record *rec;
    enum err e = sec_record_parse(octets, &rec);

    if (e)
        return e;
    e = sec_keyring_put(r, rec);
    if (e)
        sec_record_free(rec);
    return e == ERR_EXISTS ? ERR_MALFORMED : e;
}

static enum err records_add(struct sec_keyring *r, struct slice left, size_t count)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < count && !e; i++) {
        size_t n = left.n >= 2 ? num_get16(left.p) : 0;

        e = left.n < 2 + n ? ERR_MALFORMED : record_add(r, slice_sub(left, 2, n));
        left = slice_sub(left, 2 + n, left.n);
    }
    return !e && left.n ? ERR_MALFORMED : e;
}

/* Takes the keys. */
static enum err table_make(struct slice in, struct sec_keyring_keys *keys, struct sec_keyring **out)
{
    struct sec_keyring *r = calloc(1, sizeof *r);
    enum err e;

    if (!r) {
        sec_keyring_keys_free(&keys);
        return ERR_NOMEM;
    }
    r->keys = keys;
    r->generation = num_get64(in.p + 8);
    map_init(&r->names, SEC_KEYS_MAX);
    mem_copy(r->salt, sizeof r->salt, slice_sub(in, AT_SALT, SALT_N));
    e = mac_check(keys, in);
    if (!e)
        e = records_add(r, slice_sub(in, HEAD_N, in.n - HEAD_N - SEC_SHA256_N), num_get32(in.p + AT_COUNT));
    if (e)
        sec_keyring_free(&r);
    else
        *out = r;
    return e;
}

enum err sec_keyring_parse(struct slice octets, struct slice master, struct slice previous,
                           struct sec_keyring **out)
{
    struct sec_keyring_keys *keys = NULL;
    struct sec_keyring *r = NULL;
    bool old = false;
    enum err e = head_check(octets);

    if (!e)
        e = keys_try(octets, master, &keys);
    if (e == ERR_DENIED && previous.n) {
        e = keys_try(octets, previous, &keys);
        old = true;
    }
    if (!e)
        e = table_make(octets, keys, &r);
    if (!e && old)
        e = sec_keyring_rewrap(r, master);
    if (e) {
        sec_keyring_free(&r);
        return e;
    }
    r->old = old;
    *out = r;
    return ERR_OK;
}

/* --- printing --- */

/* The oldest first, so that each is newer than what stands before it. */
static void versions_print(const struct sec_keyring_entry *entry, struct buf *out)
{
    const struct sec_key *done = NULL, *k;

    do {
        const struct sec_record *rec;
        uint8_t n[2];

        for (k = &entry->newest->key; k->older != done; k = k->older)
            ;
        rec = container_of((struct sec_key *)(uintptr_t)k, struct sec_record, key);
        num_put16(n, (uint16_t)rec->n);
        buf_add(out, slice_of(n, sizeof n));
        buf_add(out, slice_of(rec->octets, rec->n));
        done = k;
    } while (k != &entry->newest->key);
}

static void head_fill(const struct sec_keyring *r, size_t records_n, uint8_t head[HEAD_N])
{
    mem_copy(head, HEAD_N, MAGIC);
    num_put64(head + 8, r->generation + 1);
    mem_copy(head + AT_SALT, SALT_N, slice_of(r->salt, SALT_N));
    mem_copy(head + AT_ID, ID_N, slice_of(r->keys->id, ID_N));
    num_put32(head + AT_COUNT, (uint32_t)r->records);
    num_put32(head + AT_COUNT + 4, (uint32_t)records_n);
}

enum err sec_keyring_print(const struct sec_keyring *r, struct buf *out)
{
    const struct sec_keyring_entry *entry;
    uint8_t head[HEAD_N] = {0}, mac[SEC_SHA256_N];
    size_t pos = 0, at = out->n;
    enum err e;

    buf_add(out, slice_of(head, sizeof head));
    while ((entry = map_next(&r->names, &pos)))
        versions_print(entry, out);
    if (buf_err(out))
        return buf_err(out);
    head_fill(r, out->n - at - HEAD_N, head);
    mem_copy(out->p + at, HEAD_N, slice_of(head, sizeof head));
    e = mac_of(r->keys, slice_sub(buf_slice(out), at, out->n), mac);
    buf_add(out, slice_of(mac, sizeof mac));
    return e ? e : buf_err(out);
}
