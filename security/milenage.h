/* Milenage: the functions f1 to f5* of one subscriber, from K and OPc (TS 35.206 v6).  What the tokens built from
 * them mean, and sequence numbers, are aka.c's.  A struct sec_milenage holds a keyed cipher: one thread at a time. */
#ifndef SECURITY_MILENAGE_H
#define SECURITY_MILENAGE_H

#include "base/err.h"
#include "base/slice.h"

#define SEC_AKA_K_N    16 /* octets (128 bits) of K, OP and OPc */
#define SEC_AKA_RAND_N 16 /* octets (128 bits) */
#define SEC_AKA_SQN_N  6  /* octets (48 bits), big endian */
#define SEC_AKA_AMF_N  2  /* octets (16 bits) */
#define SEC_AKA_MAC_N  8  /* octets (64 bits) of MAC-A and MAC-S */
#define SEC_AKA_RES_N  8  /* octets (64 bits) */
#define SEC_AKA_CK_N   16 /* octets (128 bits) of CK and IK */
#define SEC_AKA_AK_N   6  /* octets (48 bits) of AK and AK* */

struct sec_milenage;

/* Copies both, SEC_AKA_K_N octets each (else ERR_LIMIT).  ERR_NOMEM. */
enum err sec_milenage_create(struct slice k, struct slice opc, struct sec_milenage **out) MUST_USE;
void sec_milenage_free(struct sec_milenage **m); /* wipes */
/* OPc = OP xor E_K(OP).  ERR_LIMIT (lengths), ERR_NOMEM, ERR_IO. */
enum err sec_milenage_opc(struct slice k, struct slice op, uint8_t opc[SEC_AKA_K_N]) MUST_USE;

/* What f1 and f1* sign. */
struct sec_milenage_token {
    uint8_t rand[SEC_AKA_RAND_N];
    uint8_t sqn[SEC_AKA_SQN_N];
    uint8_t amf[SEC_AKA_AMF_N];
};
/* What f2, f3, f4 and f5 make of a RAND; clear it. */
struct sec_milenage_keys {
    uint8_t res[SEC_AKA_RES_N];
    uint8_t ck[SEC_AKA_CK_N];
    uint8_t ik[SEC_AKA_CK_N];
    uint8_t ak[SEC_AKA_AK_N];
};
void sec_milenage_keys_clear(struct sec_milenage_keys *keys); /* wipes */

/* All of these: ERR_IO when the cipher refuses, the result then untouched. */
enum err sec_milenage_f1(const struct sec_milenage *m, const struct sec_milenage_token *token,
                         uint8_t mac_a[SEC_AKA_MAC_N]) MUST_USE;
enum err sec_milenage_f1_star(const struct sec_milenage *m, const struct sec_milenage_token *token,
                              uint8_t mac_s[SEC_AKA_MAC_N]) MUST_USE;
enum err sec_milenage_f2345(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N],
                            struct sec_milenage_keys *out) MUST_USE;
enum err sec_milenage_f5_star(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N],
                              uint8_t ak_star[SEC_AKA_AK_N]) MUST_USE;

#endif
