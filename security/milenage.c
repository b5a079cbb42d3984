/* Milenage over AES-128 (TS 35.206 §4.1): every output is E(rot(E(RAND xor OPc) xor OPc, r) xor c) xor OPc, with r
 * and c of the output block; only OUT1 takes a second input.  r are whole octets and c set one octet (§5.3).  One
 * thread at a time. */
#include "security/milenage.h"

#include <stdlib.h>
#include "base/mem.h"
#include "security/aes.h"

struct sec_milenage {
    struct sec_aes *k;        /* E_K */
    uint8_t opc[SEC_AKA_K_N]; /* 128 bits */
};

/* r_i in octets and the last octet of c_i, for OUT2 to OUT5. */
struct out_constants {
    uint8_t rot;
    uint8_t c;
};
static const struct out_constants out2 = {0, 1};
static const struct out_constants out3 = {4, 2};
static const struct out_constants out4 = {8, 4};
static const struct out_constants out5 = {12, 8};

enum err sec_milenage_create(struct slice k, struct slice opc, struct sec_milenage **out)
{
    struct sec_milenage *m;
    enum err e;

    if (opc.n != SEC_AKA_K_N)
        return ERR_LIMIT;
    m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    mem_copy(m->opc, sizeof m->opc, opc);
    e = sec_aes_create(k, &m->k);
    if (e)
        sec_milenage_free(&m);
    else
        *out = m;
    return e;
}

void sec_milenage_free(struct sec_milenage **m)
{
    if (!*m)
        return;
    sec_aes_free(&(*m)->k);
    mem_wipe(*m, sizeof **m);
    free(*m);
    *m = NULL;
}

void sec_milenage_keys_clear(struct sec_milenage_keys *keys)
{
    mem_wipe(keys, sizeof *keys);
}

static void xor_block(uint8_t p[SEC_AES_N], const uint8_t q[SEC_AES_N])
{
    for (size_t i = 0; i < SEC_AES_N; i++)
        p[i] ^= q[i];
}

enum err sec_milenage_opc(struct slice k, struct slice op, uint8_t opc[SEC_AKA_K_N])
{
    uint8_t plain[SEC_AES_N], block[SEC_AES_N];
    struct sec_aes *aes = NULL;
    enum err e;

    if (op.n != SEC_AKA_K_N)
        return ERR_LIMIT;
    e = sec_aes_create(k, &aes);
    if (e)
        return e;
    mem_copy(plain, sizeof plain, op);
    e = sec_aes_block(aes, plain, block);
    if (!e) {
        xor_block(block, plain);
        mem_copy(opc, SEC_AKA_K_N, slice_of(block, sizeof block));
    }
    sec_aes_free(&aes);
    mem_wipe(plain, sizeof plain);
    mem_wipe(block, sizeof block);
    return e;
}

/* TEMP = E(RAND xor OPc) */
static enum err temp_of(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N],
                        uint8_t temp[SEC_AES_N])
{
    uint8_t in[SEC_AES_N];

    mem_copy(in, sizeof in, slice_of(rand, SEC_AKA_RAND_N));
    xor_block(in, m->opc);
    return sec_aes_block(m->k, in, temp);
}

/* OUTi = E(rot(TEMP xor OPc, ri) xor ci) xor OPc */
static enum err out_block(const struct sec_milenage *m, const uint8_t temp[SEC_AES_N], struct out_constants k,
                          uint8_t out[SEC_AES_N])
{
    uint8_t in[SEC_AES_N];
    enum err e;

    for (size_t i = 0; i < SEC_AES_N; i++) {
        size_t from = (i + k.rot) % SEC_AES_N;

        in[i] = temp[from] ^ m->opc[from];
    }
    in[SEC_AES_N - 1] ^= k.c;
    e = sec_aes_block(m->k, in, out);
    xor_block(out, m->opc);
    mem_wipe(in, sizeof in);
    return e;
}

/* OUT1 = E(TEMP xor rot(IN1 xor OPc, 64) xor c1) xor OPc, IN1 = SQN || AMF || SQN || AMF, c1 = 0.  MAC-A and MAC-S
 * are its halves. */
static enum err out1_block(const struct sec_milenage *m, const struct sec_milenage_token *t,
                           uint8_t out[SEC_AES_N])
{
    uint8_t in1[SEC_AES_N], in[SEC_AES_N];
    enum err e = temp_of(m, t->rand, in);

    if (e)
        return e;
    for (size_t half = 0; half < SEC_AES_N; half += SEC_AES_N / 2) {
        mem_copy(in1 + half, SEC_AKA_SQN_N, slice_of(t->sqn, SEC_AKA_SQN_N));
        mem_copy(in1 + half + SEC_AKA_SQN_N, SEC_AKA_AMF_N, slice_of(t->amf, SEC_AKA_AMF_N));
    }
    xor_block(in1, m->opc);
    for (size_t i = 0; i < SEC_AES_N; i++)
        in[i] ^= in1[(i + 8) % SEC_AES_N];
    e = sec_aes_block(m->k, in, out);
    xor_block(out, m->opc);
    mem_wipe(in, sizeof in);
    mem_wipe(in1, sizeof in1);
    return e;
}

static enum err f1_half(const struct sec_milenage *m, const struct sec_milenage_token *t, size_t at,
                        uint8_t mac[SEC_AKA_MAC_N])
{
    uint8_t out[SEC_AES_N];
    enum err e = out1_block(m, t, out);

    if (!e)
        mem_copy(mac, SEC_AKA_MAC_N, slice_of(out + at, SEC_AKA_MAC_N));
    mem_wipe(out, sizeof out);
    return e;
}

enum err sec_milenage_f1(const struct sec_milenage *m, const struct sec_milenage_token *token,
                         uint8_t mac_a[SEC_AKA_MAC_N])
{
    return f1_half(m, token, 0, mac_a);
}

enum err sec_milenage_f1_star(const struct sec_milenage *m, const struct sec_milenage_token *token,
                              uint8_t mac_s[SEC_AKA_MAC_N])
{
    return f1_half(m, token, SEC_AKA_MAC_N, mac_s);
}

enum err sec_milenage_f2345(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N],
                            struct sec_milenage_keys *out)
{
    struct sec_milenage_keys v;
    uint8_t temp[SEC_AES_N], block[SEC_AES_N];
    enum err e = temp_of(m, rand, temp);

    if (!e)
        e = out_block(m, temp, out2, block);
    if (!e) {
        mem_copy(v.res, sizeof v.res, slice_of(block + 8, SEC_AKA_RES_N));
        mem_copy(v.ak, sizeof v.ak, slice_of(block, SEC_AKA_AK_N));
        e = out_block(m, temp, out3, v.ck);
    }
    if (!e)
        e = out_block(m, temp, out4, v.ik);
    if (!e)
        *out = v;
    sec_milenage_keys_clear(&v);
    mem_wipe(temp, sizeof temp);
    mem_wipe(block, sizeof block);
    return e;
}

enum err sec_milenage_f5_star(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N],
                              uint8_t ak_star[SEC_AKA_AK_N])
{
    uint8_t temp[SEC_AES_N], block[SEC_AES_N];
    enum err e = temp_of(m, rand, temp);

    if (!e)
        e = out_block(m, temp, out5, block);
    if (!e)
        mem_copy(ak_star, SEC_AKA_AK_N, slice_of(block, SEC_AKA_AK_N));
    mem_wipe(temp, sizeof temp);
    mem_wipe(block, sizeof block);
    return e;
}
