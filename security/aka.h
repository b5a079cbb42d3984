/* AKA with Milenage: authentication vectors, the tokens AUTN, AUTN* and AUTS, and sequence numbers, for both ends.
 * No transport, no storage.  TS 33.102 §6.3 and annex C, TS 33.220 §4.5 for AUTN*.
 *
 * One run: the network takes the next number (sec_aka_sqn_next, durably), makes a vector (sec_aka_vector_make) and
 * sends RAND and AUTN.  The terminal answers with sec_aka_respond: it checks the MAC, then that the number is
 * fresh, and has the same CK and IK.  A number that is not fresh gives AUTS (sec_aka_auts_make), from which the
 * network learns where the terminal stands (sec_aka_auts_open, sec_aka_sqn_resync).  One thread at a time. */
#ifndef SECURITY_AKA_H
#define SECURITY_AKA_H

#include "security/milenage.h"

#define SEC_AKA_AUTN_N    16 /* octets: SQN xor AK (6), AMF (2), MAC (8) */
#define SEC_AKA_AUTS_N    14 /* octets: SQN_MS xor AK* (6), MAC-S (8) */
#define SEC_AKA_IND_BITS  5  /* SQN = SEQ || IND (annex C.1.1.1, C.3.2) */
#define SEC_AKA_SLOTS     32 /* values of IND; each is a slot in which SEQ must grow */
#define SEC_AKA_SQN_MAX   ((UINT64_C(1) << 48) - 1)
#define SEC_AKA_SEQ_DELTA (UINT64_C(1) << 28) /* SEQ may be this far ahead of the highest accepted (C.2.1) */

/* What the AUTN of a GBA_U run hides MAC with: the hash of IK that the UICC knows. */
enum sec_aka_star { SEC_AKA_PLAIN, SEC_AKA_STAR_SHA256, SEC_AKA_STAR_SHA1 };

struct sec_aka_vector {
    uint8_t rand[SEC_AKA_RAND_N];
    uint8_t autn[SEC_AKA_AUTN_N]; /* AUTN*, when star */
    uint8_t res[SEC_AKA_RES_N]; /* XRES at the network; with star its last bit is turned, as the UICC does */
    uint8_t ck[SEC_AKA_CK_N];
    uint8_t ik[SEC_AKA_CK_N];
};
void sec_aka_vector_clear(struct sec_aka_vector *v); /* wipes */

/* --- network --- */
/* ERR_LIMIT (sqn above SEC_AKA_SQN_MAX), ERR_NOMEM, ERR_IO. */
enum err sec_aka_vector_make(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N], uint64_t sqn,
                             uint16_t amf, enum sec_aka_star star, struct sec_aka_vector *out) MUST_USE;
/* The vector of which RAND and AUTN (AUTN* when star) travelled.  ERR_DENIED: this AUTN was not made with K for that
 * RAND; ERR_NOMEM, ERR_IO. */
enum err sec_aka_vector_again(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N],
                              const uint8_t autn[SEC_AKA_AUTN_N], enum sec_aka_star star,
                              struct sec_aka_vector *out) MUST_USE;
/* SQN_MS out of an AUTS for that RAND; ERR_DENIED (MAC-S), ERR_IO. */
enum err sec_aka_auts_open(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N],
                           const uint8_t auts[SEC_AKA_AUTS_N], uint64_t *sqn_ms) MUST_USE;
/* The number after `sqn` for the consumer with slot `ind` (C.1.2): SEQ one up.  ERR_LATE: none is left. */
enum err sec_aka_sqn_next(uint64_t sqn, uint8_t ind, uint64_t *next) MUST_USE;
/* Where to go on after a good AUTS: `sqn` when the terminal would take the number after it, else `sqn_ms`
 * (TS 33.102 §6.3.5). */
uint64_t sec_aka_sqn_resync(uint64_t sqn, uint64_t sqn_ms);

/* --- terminal --- */
/* The highest SEQ accepted in each slot; all zero: none yet.  Must survive a restart. */
struct sec_aka_seen {
    uint64_t seq[SEC_AKA_SLOTS]; /* 43 bits each */
};
/* Is it fresh (C.2.1, C.2.2)?  ERR_EXISTS when its slot has seen it or a higher one, or it is too far ahead. */
enum err sec_aka_seen_check(const struct sec_aka_seen *seen, uint64_t sqn) MUST_USE;
/* Only after sec_aka_seen_check. */
void sec_aka_seen_update(struct sec_aka_seen *seen, uint64_t sqn);
uint64_t sec_aka_seen_highest(const struct sec_aka_seen *seen); /* SQN_MS */

/* Checks AUTN (AUTN* when star) for that RAND; first MAC (ERR_DENIED), then freshness (ERR_EXISTS: answer with
 * sec_aka_auts_make).  ERR_OK: *seen has moved and *out is as the network's.  ERR_NOMEM, ERR_IO. */
enum err sec_aka_respond(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N],
                         const uint8_t autn[SEC_AKA_AUTN_N], enum sec_aka_star star,
                         struct sec_aka_seen *seen, struct sec_aka_vector *out) MUST_USE;
/* MAC-S is made with AMF = 0 (§6.3.3).  ERR_LIMIT (sqn_ms), ERR_IO. */
enum err sec_aka_auts_make(const struct sec_milenage *m, const uint8_t rand[SEC_AKA_RAND_N], uint64_t sqn_ms,
                           uint8_t auts[SEC_AKA_AUTS_N]) MUST_USE;

#endif
