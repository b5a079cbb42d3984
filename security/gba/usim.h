/* An identity module in software: what a UICC does for GBA, for terminals without one and for tests.  It holds K, OPc
 * and the array of sequence numbers, and takes a GPI in the profile's order of checks: steps 2 to 7.  Step 1 is
 * sec_gpi_parse; that the association is new (8) and keeping it (9) are the holder's.  No storage: the holder saves
 * sec_usim_seen() before it uses a key.  TS 31.102 §7.1, TS 33.220 §4.5, profile GPI-A1.  One thread at a time.
 *
 * A terminal limits how many GPIs a minute it takes: each costs an AKA run, and whoever sends it is not known before. */
#ifndef SECURITY_GBA_USIM_H
#define SECURITY_GBA_USIM_H

#include "security/aka.h"
#include "security/gba/gba.h"
#include "security/gba/gpi.h"

struct sec_usim;
struct sec_usim_conf {
    struct slice impi;      /* 1..SEC_GBA_IMPI_MAX_N octets */
    struct slice k, opc;    /* SEC_AKA_K_N octets each */
    enum sec_aka_star star; /* PLAIN: keys live in the terminal (GBA_ME); else in the module (GBA_U) */
};
/* Copies conf.  ERR_LIMIT (lengths), ERR_NOMEM. */
enum err sec_usim_create(const struct sec_usim_conf *conf, struct sec_usim **out) MUST_USE;
void sec_usim_free(struct sec_usim **u); /* wipes */
struct slice sec_usim_impi(const struct sec_usim *u);
/* The numbers accepted so far, to save, and to put back after a restart. */
const struct sec_aka_seen *sec_usim_seen(const struct sec_usim *u);
void sec_usim_restore(struct sec_usim *u, const struct sec_aka_seen *seen);

/* One AKA run: ERR_DENIED (the network is not ours); ERR_EXISTS (number not fresh: `auts` is written, *out is not);
 * ERR_NOMEM, ERR_IO.  Clear *out. */
enum err sec_usim_aka(struct sec_usim *u, const uint8_t rand[SEC_AKA_RAND_N],
                      const uint8_t autn[SEC_AKA_AUTN_N], struct sec_aka_vector *out,
                      uint8_t auts[SEC_AKA_AUTS_N]) MUST_USE;

/* What became of a GPI; in the order of the checks. */
#define SEC_GPI_VERDICT_LIST(X)                                                                              \
    X(GOOD, "good")                                                                                          \
    X(POLICY, "policy")       /* another NAF or protocol than allowed, or not this kind of module */         \
    X(AUTH_MAC, "auth-mac")   /* the network is not ours */                                                  \
    X(AUTH_SYNC, "auth-sync") /* seen before, or the network's numbers are behind: auts */                   \
    X(GPI_MAC, "gpi-mac")     /* altered; its vector is spent all the same */                                \
    X(MALFORMED, "malformed") /* the protected part */                                                       \
    X(EXPIRED, "expired")     /* over, or longer than allowed */

enum sec_gpi_verdict {
#define SEC_GPI_VERDICT_ENUM(name, text) SEC_GPI_##name,
    SEC_GPI_VERDICT_LIST(SEC_GPI_VERDICT_ENUM)
#undef SEC_GPI_VERDICT_ENUM
};
const char *sec_gpi_verdict_name(enum sec_gpi_verdict v);

struct sec_usim_policy {
    const struct slice *nafs; /* names of gateways that may send; none: nobody may */
    size_t nafs_n;
    int64_t life_max_s; /* an association may not last longer */
    int64_t now_s;      /* UTC */
};
/* Meaning by verdict: AUTH_SYNC has auts, GOOD the rest. */
struct sec_usim_result {
    enum sec_gpi_verdict verdict;
    uint8_t auts[SEC_AKA_AUTS_N];
    struct sec_secret ks_naf; /* Ks_NAF or Ks_ext_NAF: for an end point in the terminal */
    struct sec_secret ks_int; /* Ks_int_NAF, GBA_U only: for one in the module; n 0: none */
    struct sec_gpi_opened opened;
};
void sec_usim_result_clear(struct sec_usim_result *r); /* wipes */
/* ERR_OK: the verdict is in *out, clear it.  ERR_NOMEM, ERR_IO: nothing can be said of this GPI. */
enum err sec_usim_accept(struct sec_usim *u, const struct sec_gpi_msg *msg,
                         const struct sec_usim_policy *policy, struct sec_usim_result *out) MUST_USE;

#endif
