/* What GBA derives and how it names things: Ks, the keys of a NAF, B-TID, TMPI, NAF_Id, identities of a SIM, PSK
 * identities, times.  Formulas and text forms only; nothing here decides.  TS 33.220 annexes B and H, TS 23.003
 * §13 and §16, TS 24.109 §5, RFC 4279.  Any thread.
 *
 * Text is appended to a buf; on failure the buf is as long as before.  All of them: ERR_NOMEM, ERR_IO (the hash
 * library), or the sticky error of the buf. */
#ifndef SECURITY_GBA_GBA_H
#define SECURITY_GBA_GBA_H

#include "base/buf.h"
#include "security/milenage.h"
#include "security/secret.h"

#define SEC_GBA_KEY_N        32  /* octets (256 bits) of Ks and of every key of a NAF */
#define SEC_GBA_UA_N         5   /* octets of a Ua security protocol identifier */
#define SEC_GBA_FQDN_MAX_N   250 /* octets, so that a NAF_Id has its length in one octet */
#define SEC_GBA_NAF_ID_MAX_N 255 /* octets */
#define SEC_GBA_IMPI_MAX_N   255 /* octets; an NAI (RFC 7542 §2.3 has 253) */
#define SEC_GBA_PTID_N       8   /* octets of a P-TID that we choose: random */
#define SEC_TMPI_MAX_N       64  /* octets: base64 of 24, "@tmpi.bsf.3gppnetwork.org" */
#define SEC_GBA_TLS_MK_N     48  /* octets of TLS_MK_Extr (annex M) */

/* Ua security protocol identifiers (annex H). */
#define SEC_GBA_UA_DIGEST    SLICE("\x01\x00\x00\x00\x02") /* HTTP Digest of TS 24.109 */
#define SEC_GBA_UA_GPL       SLICE("\x01\x00\x00\x00\x05") /* Generic Push Layer */
#define SEC_GBA_UA_TMPI      SLICE("\x01\x00\x00\x01\x00") /* names the TMPI derivation */
#define SEC_GBA_UA_TLS13     SLICE("\x01\x00\x00\x00\x07") /* shared key TLS 1.3 */

/* Which key of a NAF: where it lives decides its label. */
enum sec_gba_kind {
    SEC_GBA_ME,     /* Ks_NAF, and Ks_ext_NAF, which has the same value; "gba-me" */
    SEC_GBA_UICC,   /* Ks_int_NAF; "gba-u" */
    SEC_GBA_DIGEST, /* Ks_NAF of GBA_Digest; "gba-digest" */
    SEC_GBA_KIND_COUNT
};

/* --- keys --- */
/* Ks = CK || IK. */
void sec_gba_ks(const uint8_t ck[SEC_AKA_CK_N], const uint8_t ik[SEC_AKA_CK_N], struct sec_secret *ks);
/* KDF(Ks, 01, label, challenge, IMPI, NAF_Id); `challenge` is RAND, or the nonce of GBA_Digest. */
enum err sec_gba_naf_key(const struct sec_secret *ks, enum sec_gba_kind kind, struct slice challenge,
                         struct slice impi, struct slice naf_id, struct sec_secret *out) MUST_USE;
/* GBA_Digest: from H(A1) and TLS_MK_Extr (SEC_GBA_TLS_MK_N octets, else ERR_LIMIT) the password of the second
 * Digest run, and from its RESP Ks. */
enum err sec_gba_digest_password(struct slice ha1, struct slice tls_mk, struct sec_secret *out) MUST_USE;
enum err sec_gba_digest_ks(struct slice ha1, struct slice tls_mk, struct slice resp,
                           struct sec_secret *out) MUST_USE;
/* base64 of a NAF key: the password of HTTP Digest over Ua (TS 24.109 §5.2). */
enum err sec_gba_password(const struct sec_secret *naf_key, struct sec_secret *out) MUST_USE;
/* RFC 4279 §2: len(other) other len(psk) psk; other empty: as many zero octets as the key has.  Wipe the buf. */
enum err sec_gba_premaster(struct slice psk, struct slice other, struct buf *out) MUST_USE;

/* --- names --- */
/* A domain name of letters, digits, hyphens and dots, in lower case: 1..SEC_GBA_FQDN_MAX_N octets. */
bool sec_gba_is_fqdn(struct slice name);
struct sec_naf_id {
    uint8_t octets[SEC_GBA_NAF_ID_MAX_N]; /* valid: octets[0..n) */
    size_t n;
};
/* FQDN || Ua id; upper case is folded.  ERR_MALFORMED (no domain name, Ua id not SEC_GBA_UA_N octets). */
enum err sec_gba_naf_id(struct slice fqdn, struct slice ua, struct sec_naf_id *out) MUST_USE;
/* Views into a NAF_Id; ERR_MALFORMED (too short or too long, or no domain name in front). */
enum err sec_gba_naf_id_split(struct slice naf_id, struct slice *fqdn, struct slice *ua) MUST_USE;
/* base64(RAND) "@" FQDN: the B-TID with the BSF's name, or an SA's downlink name with the NAF's. */
enum err sec_gba_btid(const uint8_t rand[SEC_AKA_RAND_N], struct slice fqdn, struct buf *out) MUST_USE;
/* *fqdn is a view; ERR_MALFORMED. */
enum err sec_gba_btid_parse(struct slice btid, uint8_t rand[SEC_AKA_RAND_N], struct slice *fqdn) MUST_USE;
/* The temporary identity on Ub (annex B.4): base64 of 24 octets, "@tmpi.bsf.3gppnetwork.org". */
enum err sec_gba_tmpi(const struct sec_secret *ks, const uint8_t rand[SEC_AKA_RAND_N], struct slice impi,
                      struct slice bsf_fqdn, struct buf *out) MUST_USE;
bool sec_gba_is_tmpi(struct slice name); /* by its form */
/* Of a USIM: IMSI of 6..15 digits, of which 3 + mnc_n (2 or 3) are the network's.  ERR_MALFORMED. */
enum err sec_gba_impi_of_imsi(struct slice imsi, size_t mnc_n, struct buf *out) MUST_USE;
enum err sec_gba_bsf_of_imsi(struct slice imsi, size_t mnc_n, struct buf *out) MUST_USE;
/* Of an ISIM; ERR_MALFORMED (no user or no domain). */
enum err sec_gba_bsf_of_impi(struct slice impi, struct buf *out) MUST_USE;

/* "3GPP-bootstrapping" and so on: the PSK identity hint, and before "@" FQDN the Digest realm. */
const char *sec_gba_kind_prefix(enum sec_gba_kind kind);
/* prefix ";" B-TID (TS 24.109 §5.3.3). */
enum err sec_gba_psk_identity(enum sec_gba_kind kind, struct slice btid, struct buf *out) MUST_USE;
/* *btid is a view and checked; ERR_MALFORMED. */
enum err sec_gba_psk_identity_parse(struct slice identity, enum sec_gba_kind *kind,
                                    struct slice *btid) MUST_USE;

/* --- times --- */
/* Diameter Time (RFC 6733 §4.3.1): seconds since 1900 modulo 2^32. */
uint32_t sec_gba_time_of(int64_t utc_s);
/* The UTC second nearest to now_s that has this Time. */
int64_t sec_gba_time_near(uint32_t time, int64_t now_s);

#endif
