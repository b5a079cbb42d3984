/* GPL-A1: keys, sealing and opening, on GnuTLS.  Encrypt, then authenticate; verify, then decrypt.
 *
 * GnuTLS offers no plain counter mode.  Its GCM is counter mode over nonce || 32-bit counter whose payload starts
 * at counter 2 (SP 800-38D §7.1), and ours starts at 0 over the same nonce: so the first two blocks of keystream
 * are made one by one and GCM gives the rest; its tag is not used.  Keys: one thread at a time. */
#include "security/gpl.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include "base/mem.h"
#include "base/num.h"
#include "security/kdf.h"

#define GPL_FC            0xF1 /* proprietary, unregistered range of TS 33.220 */
#define GPL_ENC_N         16   /* octets (128 bits) */
#define GPL_SALT_N        8
#define GPL_NONCE_N       12 /* salt || SN */
#define GPL_BLOCK_N       16
#define GPL_TAG_N         16
#define GPL_PAYLOAD_MAX_N (UINT32_C(1) << 31) /* far from where the 32-bit block counter ends */

struct sec_gpl_keys {
    enum sec_gpl_direction direction;
    uint8_t suite;
    size_t tag_n; /* octets sent of the tag */
    uint8_t salt[GPL_SALT_N];
    gnutls_hmac_hd_t mac;       /* K_int, 256 bits; NULL with GCM */
    gnutls_cipher_hd_t block;   /* K_enc, 128 bits, as AES-CBC: single blocks, and suite 03; NULL if unused */
    gnutls_cipher_hd_t counter; /* K_enc, 128 bits, as AES-GCM: suites 02, 04, 12; NULL if unused */
};

static bool is_ctr(uint8_t suite)
{
    return suite == SEC_GPL_CTR || suite == SEC_GPL_CTR_8;
}

/* KDF(K, FC=F1, P0=label, P1=D, P2=suite). */
static enum err derive(struct slice ks, const struct sec_gpl_keys *keys, struct slice label,
                       uint8_t out[SEC_SHA256_N])
{
    uint8_t d = (uint8_t)keys->direction;
    struct slice params[] = {label, slice_of(&d, 1), slice_of(&keys->suite, 1)};

    return sec_kdf(ks, GPL_FC, params, 3, out);
}

static enum err mac_create(struct sec_gpl_keys *keys, struct slice ks)
{
    uint8_t key[SEC_SHA256_N];
    enum err e;

    if (keys->suite == SEC_GPL_GCM)
        return ERR_OK;
    e = derive(ks, keys, SLICE("gpl-int"), key);
    if (!e && gnutls_hmac_init(&keys->mac, GNUTLS_MAC_SHA256, key, sizeof key) < 0)
        e = ERR_NOMEM;
    mem_wipe(key, sizeof key);
    return e;
}

static enum err cipher_create(gnutls_cipher_hd_t *out, gnutls_cipher_algorithm_t a, uint8_t *key)
{
    gnutls_datum_t k = {key, GPL_ENC_N};

    return gnutls_cipher_init(out, a, &k, NULL) < 0 ? ERR_NOMEM : ERR_OK;
}

static enum err ciphers_create(struct sec_gpl_keys *keys, struct slice ks)
{
    uint8_t enc[SEC_SHA256_N] = {0};
    uint8_t salt[SEC_SHA256_N] = {0};
    enum err e = ERR_OK;

    if (!sec_gpl_suite_encrypts(keys->suite))
        return ERR_OK;
    e = derive(ks, keys, SLICE("gpl-enc"), enc);
    if (!e)
        e = derive(ks, keys, SLICE("gpl-salt"), salt);
    if (!e && keys->suite != SEC_GPL_GCM)
        e = cipher_create(&keys->block, GNUTLS_CIPHER_AES_128_CBC, enc);
    if (!e && keys->suite != SEC_GPL_CBC)
        e = cipher_create(&keys->counter, GNUTLS_CIPHER_AES_128_GCM, enc);
    mem_copy(keys->salt, sizeof keys->salt, slice_of(salt, GPL_SALT_N));
    mem_wipe(enc, sizeof enc);
    mem_wipe(salt, sizeof salt);
    return e;
}

enum err sec_gpl_keys_create(struct slice ks, enum sec_gpl_direction direction, uint8_t suite,
                             struct sec_gpl_keys **out)
{
    struct sec_gpl_keys *keys;
    enum err e;

    if (!sec_gpl_suite_known(suite))
        return ERR_UNSUPPORTED;
    if (ks.n != SEC_GPL_KEY_N)
        return ERR_LIMIT;
    keys = calloc(1, sizeof *keys);
    if (!keys)
        return ERR_NOMEM;
    keys->direction = direction;
    keys->suite = suite;
    keys->tag_n = suite == SEC_GPL_HMAC_8 || suite == SEC_GPL_CTR_8 ? 8 : GPL_TAG_N;
    e = mac_create(keys, ks);
    if (!e)
        e = ciphers_create(keys, ks);
    if (e)
        sec_gpl_keys_free(&keys);
    else
        *out = keys;
    return e;
}

void sec_gpl_keys_free(struct sec_gpl_keys **keys)
{
    struct sec_gpl_keys *k = *keys;

    if (!k)
        return;
    if (k->mac)
        gnutls_hmac_deinit(k->mac, NULL);
    if (k->block)
        gnutls_cipher_deinit(k->block);
    if (k->counter)
        gnutls_cipher_deinit(k->counter);
    mem_wipe(k, sizeof *k);
    free(k);
    *keys = NULL;
}

uint8_t sec_gpl_keys_suite(const struct sec_gpl_keys *keys)
{
    return keys->suite;
}

enum sec_gpl_direction sec_gpl_keys_direction(const struct sec_gpl_keys *keys)
{
    return keys->direction;
}

static enum err done(int gnutls_rc)
{
    return gnutls_rc < 0 ? ERR_IO : ERR_OK;
}

/* nonce = salt || SN; behind it the block counter 0. */
static void nonce_block(const struct sec_gpl_keys *keys, uint32_t sn, uint8_t out[GPL_BLOCK_N])
{
    mem_copy(out, GPL_BLOCK_N, slice_of(keys->salt, GPL_SALT_N));
    num_put32(out + GPL_SALT_N, sn);
    num_put32(out + GPL_NONCE_N, 0);
}

/* AES of counter blocks 0 and 1.  The handle chains (CBC), so the chain value is taken out again by xor. */
static enum err first_keystream(const struct sec_gpl_keys *keys, const uint8_t nonce[GPL_BLOCK_N],
                                uint8_t out[2 * GPL_BLOCK_N])
{
    uint8_t zero[GPL_BLOCK_N] = {0};
    uint8_t second[GPL_BLOCK_N];
    enum err e;

    gnutls_cipher_set_iv(keys->block, zero, sizeof zero);
    e = done(gnutls_cipher_encrypt2(keys->block, nonce, GPL_BLOCK_N, out, GPL_BLOCK_N));
    if (e)
        return e;
    for (size_t i = 0; i < GPL_BLOCK_N; i++)
        second[i] = nonce[i] ^ out[i];
    second[GPL_BLOCK_N - 1] ^= 1;
    return done(gnutls_cipher_encrypt2(keys->block, second, GPL_BLOCK_N, out + GPL_BLOCK_N, GPL_BLOCK_N));
}

/* Counter mode in place; its own inverse. */
static enum err ctr_xor(const struct sec_gpl_keys *keys, uint32_t sn, uint8_t *p, size_t n)
{
    uint8_t nonce[GPL_BLOCK_N];
    uint8_t stream[2 * GPL_BLOCK_N];
    size_t head = num_min(n, sizeof stream);
    enum err e;

    nonce_block(keys, sn, nonce);
    e = first_keystream(keys, nonce, stream);
    for (size_t i = 0; !e && i < head; i++)
        p[i] ^= stream[i];
    mem_wipe(stream, sizeof stream);
    if (e || n == head)
        return e;
    gnutls_cipher_set_iv(keys->counter, nonce, GPL_NONCE_N);
    return done(gnutls_cipher_encrypt2(keys->counter, p + head, n - head, p + head, n - head));
}

/* IV = AES(nonce || 00000000). */
static enum err cbc_iv(const struct sec_gpl_keys *keys, uint32_t sn)
{
    uint8_t block[GPL_BLOCK_N];
    uint8_t zero[GPL_BLOCK_N] = {0};

    nonce_block(keys, sn, block);
    gnutls_cipher_set_iv(keys->block, zero, sizeof zero);
    if (gnutls_cipher_encrypt2(keys->block, block, sizeof block, block, sizeof block) < 0)
        return ERR_IO;
    gnutls_cipher_set_iv(keys->block, block, sizeof block);
    return ERR_OK;
}

static enum err gcm_start(const struct sec_gpl_keys *keys, uint32_t sn, struct slice header)
{
    uint8_t nonce[GPL_BLOCK_N];

    nonce_block(keys, sn, nonce);
    gnutls_cipher_set_iv(keys->counter, nonce, GPL_NONCE_N);
    return done(gnutls_cipher_add_auth(keys->counter, header.p, header.n));
}

static enum err hmac_tag(const struct sec_gpl_keys *keys, struct slice covered, uint8_t tag[SEC_SHA256_N])
{
    if (gnutls_hmac(keys->mac, covered.p, covered.n) < 0)
        return ERR_IO;
    gnutls_hmac_output(keys->mac, tag); /* and starts anew */
    return ERR_OK;
}

/* flags, suite, SN, Ls, SAID and the GPI; returns its length. */
static size_t header_write(const struct sec_gpl_keys *keys, uint32_t sn, struct slice said, struct slice gpi,
                           uint8_t *b, size_t cap)
{
    size_t at = 7;

    b[0] = (uint8_t)(0x10 | (keys->direction == SEC_GPL_UPLINK ? 0x08 : 0) | (gpi.n ? 0x04 : 0) |
                     (sec_gpl_suite_encrypts(keys->suite) ? 0x02 : 0));
    b[1] = keys->suite;
    num_put32(b + 2, sn);
    b[6] = (uint8_t)said.n;
    mem_copy(b + at, cap - at, said);
    at += said.n;
    if (gpi.n) {
        num_put16(b + at, (uint16_t)gpi.n);
        mem_copy(b + at + 2, cap - at - 2, gpi);
        at += 2 + gpi.n;
    }
    return at;
}

static enum err payload_encrypt(const struct sec_gpl_keys *keys, uint32_t sn, struct slice header, uint8_t *p,
                                size_t n)
{
    enum err e;

    if (is_ctr(keys->suite))
        return ctr_xor(keys, sn, p, n);
    if (keys->suite == SEC_GPL_CBC) {
        e = cbc_iv(keys, sn);
        return e ? e : done(gnutls_cipher_encrypt2(keys->block, p, n, p, n));
    }
    if (keys->suite == SEC_GPL_GCM) {
        e = gcm_start(keys, sn, header);
        return e || n == 0 ? e : done(gnutls_cipher_encrypt2(keys->counter, p, n, p, n));
    }
    return ERR_OK;
}

static enum err tag_make(const struct sec_gpl_keys *keys, struct slice covered, uint8_t tag[SEC_SHA256_N])
{
    if (keys->suite == SEC_GPL_GCM)
        return done(gnutls_cipher_tag(keys->counter, tag, GPL_TAG_N));
    return hmac_tag(keys, covered, tag);
}

/* The parts one behind the other, and PKCS#7 padding where the suite wants it (RFC 5652 §6.3). */
static void payload_gather(const struct slice *parts, size_t parts_n, uint8_t *p, size_t room)
{
    size_t at = 0;

    for (size_t i = 0; i < parts_n; i++) {
        mem_copy(p + at, room - at, parts[i]);
        at += parts[i].n;
    }
    for (size_t pad = room - at; at < room; at++)
        p[at] = (uint8_t)pad;
}

static enum err seal_check(const struct sec_gpl_keys *keys, uint32_t sn, struct slice said, struct slice gpi,
                           const struct slice *parts, size_t parts_n, size_t *payload_n)
{
    size_t n = 0;

    if (gpi.n && keys->direction == SEC_GPL_UPLINK)
        return ERR_UNSUPPORTED;
    if (sn == 0 || said.n < 1 || said.n > SEC_GPL_SAID_MAX_N || gpi.n > SEC_GPL_GPI_MAX_N ||
        parts_n > SEC_GPL_PARTS_MAX)
        return ERR_LIMIT;
    for (size_t i = 0; i < parts_n; i++)
        if (!num_add(n, parts[i].n, &n))
            return ERR_LIMIT;
    if (n > GPL_PAYLOAD_MAX_N)
        return ERR_LIMIT;
    *payload_n = keys->suite == SEC_GPL_CBC ? (n / GPL_BLOCK_N + 1) * GPL_BLOCK_N : n;
    return ERR_OK;
}

enum err sec_gpl_seal(const struct sec_gpl_keys *keys, uint32_t sn, struct slice said, struct slice gpi,
                      const struct slice *parts, size_t parts_n, struct buf *out)
{
    uint8_t tag[SEC_SHA256_N];
    size_t header_n, payload_n, total;
    uint8_t *b;
    enum err e = seal_check(keys, sn, said, gpi, parts, parts_n, &payload_n);

    if (e)
        return e;
    total = sec_gpl_overhead(SEC_GPL_HMAC, said.n, gpi.n) - GPL_TAG_N + payload_n + keys->tag_n;
    b = (uint8_t *)buf_room(out, total);
    if (!b)
        return buf_err(out);
    header_n = header_write(keys, sn, said, gpi, b, total);
    payload_gather(parts, parts_n, b + header_n, payload_n);
    e = payload_encrypt(keys, sn, slice_of(b, header_n), b + header_n, payload_n);
    if (!e)
        e = tag_make(keys, slice_of(b, header_n + payload_n), tag);
    if (e) {
        mem_wipe(b, total);
        return e;
    }
    mem_copy(b + header_n + payload_n, keys->tag_n, slice_of(tag, keys->tag_n));
    buf_commit(out, total);
    return ERR_OK;
}

static enum err cbc_open(const struct sec_gpl_keys *keys, uint32_t sn, uint8_t *p, size_t *n)
{
    enum err e = cbc_iv(keys, sn);
    uint8_t pad;

    if (!e)
        e = done(gnutls_cipher_decrypt2(keys->block, p, *n, p, *n));
    if (e)
        return e;
    pad = p[*n - 1]; /* the tag was good: a sender's mistake, not an oracle */
    if (pad < 1 || pad > GPL_BLOCK_N)
        return ERR_MALFORMED;
    for (size_t i = *n - pad; i < *n; i++)
        if (p[i] != pad)
            return ERR_MALFORMED;
    *n -= pad;
    return ERR_OK;
}

/* One pass gives plaintext and tag; the plaintext stays unseen (and is wiped) unless the tag is right. */
static enum err gcm_open(const struct sec_gpl_keys *keys, const struct sec_gpl_msg *msg, uint8_t *p, size_t n)
{
    uint8_t tag[GPL_TAG_N];
    enum err e = gcm_start(keys, msg->sn, msg->header);

    if (!e && n)
        e = done(gnutls_cipher_decrypt2(keys->counter, p, n, p, n));
    if (!e)
        e = done(gnutls_cipher_tag(keys->counter, tag, sizeof tag));
    if (!e && !slice_eq_ct(slice_of(tag, sizeof tag), msg->tag))
        e = ERR_DENIED;
    return e;
}

static enum err hmac_verify(const struct sec_gpl_keys *keys, const struct sec_gpl_msg *msg)
{
    uint8_t tag[SEC_SHA256_N];
    enum err e = hmac_tag(keys, msg->covered, tag);

    if (!e && !slice_eq_ct(slice_of(tag, keys->tag_n), msg->tag))
        e = ERR_DENIED;
    return e;
}

static enum err payload_decrypt(const struct sec_gpl_keys *keys, const struct sec_gpl_msg *msg, uint8_t *p,
                                size_t *n)
{
    if (is_ctr(keys->suite))
        return ctr_xor(keys, msg->sn, p, *n);
    if (keys->suite == SEC_GPL_CBC)
        return cbc_open(keys, msg->sn, p, n);
    if (keys->suite == SEC_GPL_GCM)
        return gcm_open(keys, msg, p, *n);
    return ERR_OK;
}

enum err sec_gpl_open(const struct sec_gpl_keys *keys, const struct sec_gpl_msg *msg, struct buf *plain)
{
    size_t n = msg->payload.n;
    uint8_t *p;
    enum err e;

    if (msg->suite != keys->suite)
        return ERR_UNSUPPORTED;
    if (msg->direction != keys->direction)
        return ERR_DENIED;
    e = keys->mac ? hmac_verify(keys, msg) : ERR_OK;
    if (e)
        return e;
    p = (uint8_t *)buf_room(plain, n);
    if (!p)
        return buf_err(plain);
    mem_copy(p, n, msg->payload);
    e = payload_decrypt(keys, msg, p, &n);
    if (e) {
        mem_wipe(p, msg->payload.n);
        return e;
    }
    buf_commit(plain, n);
    return ERR_OK;
}
