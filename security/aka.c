/* Vectors, AUTN, AUTN*, AUTS (TS 33.102 §6.3, TS 33.220 §4.5.2) and the array scheme of sequence numbers (TS 33.102
 * annex C).  One thread at a time. */
#include "security/aka.h"

#include <gnutls/crypto.h>
#include "base/mem.h"
#include "base/num.h"

#define MAC_AT (SEC_AKA_SQN_N + SEC_AKA_AMF_N) /* where the MAC stands in AUTN */
#define HASH_N 32                              /* octets of the longer hash */

void sec_aka_vector_clear(struct sec_aka_vector *v)
{
    mem_wipe(v, sizeof *v);
}

static void sqn_put(uint8_t out[SEC_AKA_SQN_N], uint64_t sqn)
{
    num_put16(out, (uint16_t)(sqn >> 32));
    num_put32(out + 2, (uint32_t)sqn);
}

static uint64_t sqn_get(const uint8_t in[SEC_AKA_SQN_N])
{
    return (uint64_t)num_get16(in) << 32 | num_get32(in + 2);
}

static void xor_octets(uint8_t *p, const uint8_t *q, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] ^= q[i];
}

/* MAC* = MAC xor the first 64 bits of the hash of IK: makes the one of the other (TS 33.220 §4.5.2). */
static enum err star_turn(enum sec_aka_star star, const uint8_t ik[SEC_AKA_CK_N], uint8_t mac[SEC_AKA_MAC_N])
{
    gnutls_digest_algorithm_t hash = star == SEC_AKA_STAR_SHA1 ? GNUTLS_DIG_SHA1 : GNUTLS_DIG_SHA256;
    uint8_t digest[HASH_N];

    if (star == SEC_AKA_PLAIN)
        return ERR_OK;
    if (gnutls_hash_fast(hash, ik, SEC_AKA_CK_N, digest) < 0)
        return ERR_IO;
    xor_octets(mac, digest, SEC_AKA_MAC_N);
    mem_wipe(digest, sizeof digest);
    return ERR_OK;
}

static void vector_fill(struct sec_aka_vector *v, const struct sec_milenage_keys *k, enum sec_aka_star star)
{
    mem_copy(v->res, sizeof v->res, slice_of(k->res, sizeof k->res));
    mem_copy(v->ck, sizeof v->ck, slice_of(k->ck, sizeof k->ck));
    mem_copy(v->ik, sizeof v->ik, slice_of(k->ik, sizeof k->ik));
    if (star != SEC_AKA_PLAIN)
        v->res[SEC_AKA_RES_N - 1] ^= 1;
}

/* AUTN = (SQN xor AK) || AMF || MAC */
enum err sec_aka_vector_make(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N], uint64_t sqn,
                             uint16_t amf, enum sec_aka_star star, struct sec_aka_vector *out)
{
    struct sec_milenage_token token;
    struct sec_milenage_keys keys;
    struct sec_aka_vector v;
    enum err e;

    if (sqn > SEC_AKA_SQN_MAX)
        return ERR_LIMIT;
    mem_copy(token.rand, sizeof token.rand, slice_of(rand, SEC_AKA_RAND_N));
    sqn_put(token.sqn, sqn);
    num_put16(token.amf, amf);
    e = sec_milenage_f2345(m, rand, &keys);
    if (!e)
        e = sec_milenage_f1(m, &token, v.autn + MAC_AT);
    if (!e)
        e = star_turn(star, keys.ik, v.autn + MAC_AT);
    if (!e) {
        xor_octets(token.sqn, keys.ak, SEC_AKA_AK_N);
        mem_copy(v.rand, sizeof v.rand, slice_of(rand, SEC_AKA_RAND_N));
        mem_copy(v.autn, SEC_AKA_SQN_N, slice_of(token.sqn, SEC_AKA_SQN_N));
        mem_copy(v.autn + SEC_AKA_SQN_N, SEC_AKA_AMF_N, slice_of(token.amf, SEC_AKA_AMF_N));
        vector_fill(&v, &keys, star);
        *out = v;
    }
    sec_milenage_keys_clear(&keys);
    sec_aka_vector_clear(&v);
    return e;
}

/* The vector that AUTN belongs to, if it is one of this module's: the number is under AK, and the MAC says whether it is right
 * (TS 33.102 §6.3.3).  *sqn: its number.  *out is the caller's to clear. */
static enum err vector_of(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N],
                          const uint8_t autn[SEC_AKA_AUTN_N], enum sec_aka_star star,
                          struct sec_aka_vector *out, uint64_t *sqn)
{
    struct sec_milenage_keys keys;
    uint8_t octets[SEC_AKA_SQN_N];
    enum err e = sec_milenage_f2345(m, rand, &keys);

    if (e)
        return e;
    mem_copy(octets, sizeof octets, slice_of(autn, SEC_AKA_SQN_N));
    xor_octets(octets, keys.ak, SEC_AKA_AK_N);
    sec_milenage_keys_clear(&keys);
    *sqn = sqn_get(octets);
    e = sec_aka_vector_make(m, rand, *sqn, num_get16(autn + SEC_AKA_SQN_N), star, out);
    if (!e && !slice_eq_ct(slice_of(out->autn, sizeof out->autn), slice_of(autn, SEC_AKA_AUTN_N))) {
        sec_aka_vector_clear(out);
        e = ERR_DENIED;
    }
    return e;
}

enum err sec_aka_vector_again(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N],
                              const uint8_t autn[SEC_AKA_AUTN_N], enum sec_aka_star star,
                              struct sec_aka_vector *out)
{
    struct sec_aka_vector v;
    uint64_t sqn;
    enum err e = vector_of(m, rand, autn, star, &v, &sqn);

    if (e)
        return e;
    *out = v;
    sec_aka_vector_clear(&v);
    return ERR_OK;
}

enum err sec_aka_auts_make(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N], uint64_t sqn_ms,
                           uint8_t auts[SEC_AKA_AUTS_N])
{
    struct sec_milenage_token token = {.amf = {0}};
    uint8_t ak[SEC_AKA_AK_N], mac[SEC_AKA_MAC_N];
    enum err e;

    if (sqn_ms > SEC_AKA_SQN_MAX)
        return ERR_LIMIT;
    mem_copy(token.rand, sizeof token.rand, slice_of(rand, SEC_AKA_RAND_N));
    sqn_put(token.sqn, sqn_ms);
    e = sec_milenage_f1_star(m, &token, mac);
    if (!e)
        e = sec_milenage_f5_star(m, rand, ak);
    if (e)
        return e;
    xor_octets(token.sqn, ak, SEC_AKA_AK_N);
    mem_copy(auts, SEC_AKA_AUTS_N, slice_of(token.sqn, SEC_AKA_SQN_N));
    mem_copy(auts + SEC_AKA_SQN_N, SEC_AKA_MAC_N, slice_of(mac, sizeof mac));
    mem_wipe(ak, sizeof ak);
    return ERR_OK;
}

enum err sec_aka_auts_open(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N],
                           const uint8_t auts[SEC_AKA_AUTS_N], uint64_t *sqn_ms)
{
    uint8_t ak[SEC_AKA_AK_N], sqn[SEC_AKA_SQN_N], want[SEC_AKA_AUTS_N];
    enum err e = sec_milenage_f5_star(m, rand, ak);

    if (e)
        return e;
    mem_copy(sqn, sizeof sqn, slice_of(auts, SEC_AKA_SQN_N));
    xor_octets(sqn, ak, SEC_AKA_AK_N);
    mem_wipe(ak, sizeof ak);
    e = sec_aka_auts_make(m, rand, sqn_get(sqn), want);
    if (e)
        return e;
    if (!slice_eq_ct(slice_of(want, sizeof want), slice_of(auts, SEC_AKA_AUTS_N)))
        return ERR_DENIED;
    *sqn_ms = sqn_get(sqn);
    return ERR_OK;
}

enum err sec_aka_sqn_next(uint64_t sqn, uint8_t ind, uint64_t *next)
{
    uint64_t seq = (sqn >> SEC_AKA_IND_BITS) + 1;

    MUST(ind < SEC_AKA_SLOTS);
    if (seq > SEC_AKA_SQN_MAX >> SEC_AKA_IND_BITS)
        return ERR_LATE;
    *next = seq << SEC_AKA_IND_BITS | ind;
    return ERR_OK;
}

/* The next number takes SEQ + 1, in the slot of whoever asks: the terminal takes it when that is above all slots and
 * not too far ahead. */
uint64_t sec_aka_sqn_resync(uint64_t sqn, uint64_t sqn_ms)
{
    uint64_t next = (sqn >> SEC_AKA_IND_BITS) + 1;
    uint64_t theirs = sqn_ms >> SEC_AKA_IND_BITS;

    return next > theirs && next - theirs <= SEC_AKA_SEQ_DELTA ? sqn : sqn_ms;
}

uint64_t sec_aka_seen_highest(const struct sec_aka_seen *seen)
{
    unsigned best = 0;

    for (unsigned i = 1; i < SEC_AKA_SLOTS; i++)
        if (seen->seq[i] > seen->seq[best])
            best = i;
    return seen->seq[best] << SEC_AKA_IND_BITS | best;
}

enum err sec_aka_seen_check(const struct sec_aka_seen *seen, uint64_t sqn)
{
    uint64_t seq = sqn >> SEC_AKA_IND_BITS;
    uint64_t highest = sec_aka_seen_highest(seen) >> SEC_AKA_IND_BITS;

    if (seq > highest && seq - highest > SEC_AKA_SEQ_DELTA)
        return ERR_EXISTS;
    return seq > seen->seq[sqn % SEC_AKA_SLOTS] ? ERR_OK : ERR_EXISTS;
}

void sec_aka_seen_update(struct sec_aka_seen *seen, uint64_t sqn)
{
    seen->seq[sqn % SEC_AKA_SLOTS] = sqn >> SEC_AKA_IND_BITS;
}

enum err sec_aka_respond(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N],
                         const uint8_t autn[SEC_AKA_AUTN_N], enum sec_aka_star star,
                         struct sec_aka_seen *seen, struct sec_aka_vector *out)
{
    struct sec_aka_vector v;
    uint64_t sqn;
    enum err e = vector_of(m, rand, autn, star, &v, &sqn);

    if (e)
        return e;
    e = sec_aka_seen_check(seen, sqn);
    if (!e) {
        sec_aka_seen_update(seen, sqn);
        *out = v;
    }
    sec_aka_vector_clear(&v);
    return e;
}
