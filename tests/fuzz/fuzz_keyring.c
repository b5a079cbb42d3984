/* A keyring's octets: refused, or read, and then what is printed reads the same.  The MAC keeps a fuzzer out of the records,
 * so the input is also taken as one record, and as records behind a right head. */
#include <stdint.h>
#include "base/num.h"
#include "security/kdf.h"
#include "security/keyring_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define HEAD_N 64
#define MASTER SLICE("0123456789abcdefghijklmnopqrstuv")

static void read_whole(struct slice in)
{
    struct sec_keyring *r = NULL, *again = NULL;
    struct buf out;

    if (sec_keyring_parse(in, MASTER, SLICE_NONE, &r))
        return;
    buf_init(&out, SEC_KEYRING_MAX_N);
    MUST(sec_keyring_print(r, &out) == ERR_OK);
    MUST(sec_keyring_parse(buf_slice(&out), MASTER, SLICE_NONE, &again) == ERR_OK);
    MUST(sec_keyring_n(r) == sec_keyring_n(again));
    MUST(sec_keyring_generation(r) + 1 == sec_keyring_generation(again));
    sec_keyring_free(&r);
    sec_keyring_free(&again);
    buf_clear(&out);
}

static void read_record(struct slice in, const struct sec_keyring_keys *keys)
{
    struct sec_record *rec;
    struct sec_secret s;

    if (sec_record_parse(in, &rec))
        return;
    MUST(rec->n == in.n && slice_eq(slice_of(rec->octets, rec->n), in));
    sec_secret_init(&s);
    if (sec_record_open(keys, rec, &s) == ERR_OK)
        MUST(s.n <= SEC_SECRET_MAX_N);
    sec_secret_clear(&s);
    sec_record_free(rec);
}

/* in: two octets of count, then records with their lengths. */
static void read_records(struct slice in, const struct sec_keyring_keys *keys)
{
    uint8_t head[HEAD_N] = "PPGKEYS\1", mac[SEC_SHA256_N];
    struct slice records = slice_sub(in, 2, in.n), covered;
    struct buf file;

    if (in.n < 2)
        return;
    for (size_t i = 0; i < 8; i++)
        head[48 + i] = keys->id[i];
    num_put32(head + 56, num_get16(in.p));
    num_put32(head + 60, (uint32_t)records.n);
    buf_init(&file, SEC_KEYRING_MAX_N);
    buf_add(&file, slice_of(head, sizeof head));
    buf_add(&file, records);
    covered = buf_slice(&file);
    MUST(sec_hmac_sha256(slice_of(keys->mac, sizeof keys->mac), &covered, 1, mac) == ERR_OK);
    buf_add(&file, slice_of(mac, sizeof mac));
    read_whole(buf_slice(&file));
    buf_clear(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint8_t salt[SEC_KEYRING_SALT_N];
    struct slice in = slice_of(data, n);
    struct sec_keyring_keys *keys;

    MUST(sec_keyring_keys_create(MASTER, salt, &keys) == ERR_OK);
    read_whole(in);
    read_record(in, keys);
    read_records(in, keys);
    sec_keyring_keys_free(&keys);
    return 0;
}
