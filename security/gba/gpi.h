/* GBA Push Info, wire profile "gpi-a1": one octet string with all that a terminal needs for one bootstrapping.  Build,
 * parse, open, and the envelope it may travel in (TS 24.109 annex J).  The layout of TS 33.223 is not this one; it can
 * become a further profile.  AKA is not here: sec_usim_accept does the terminal's whole order of checks.
 *
 * One use: whoever has the vector derives the key of the NAF and calls sec_gpi_seal, once for a vector: a second GPI
 * would use the same keystream.  The terminal calls sec_gpi_parse (views, nothing trusted), runs AKA with msg.rand and
 * msg.autn, derives the key of the NAF it finds in msg.naf_id, and calls sec_gpi_open, which verifies before it
 * decrypts.  Any thread. */
#ifndef SECURITY_GBA_GPI_H
#define SECURITY_GBA_GPI_H

#include "base/buf.h"
#include "security/aka.h"
#include "security/gba/gba.h"
#include "security/secret.h"

#define SEC_GPI_LABEL_MAX_N 32 /* octets */
#define SEC_GPI_PTID_MAX_N  64 /* octets */
#define SEC_GPI_MAC_N       16 /* octets (128 bits) */
#define SEC_GPI_MAX_N       (1 + 16 + 16 + 1 + 32 + 1 + 255 + 1 + 69 + 16)
#define SEC_GPI_MEDIA_TYPE  "application/vnd.3gpp.gba.gpi"

/* What goes into a GPI; slices borrowed for the call. */
struct sec_gpi_conf {
    bool uicc;         /* GBA_U: autn is AUTN* */
    bool confidential; /* hide lifetime and P-TID */
    struct slice rand; /* SEC_AKA_RAND_N octets */
    struct slice autn; /* SEC_AKA_AUTN_N octets */
    struct slice
        label; /* of the application on the UICC, UTF-8; 0..SEC_GPI_LABEL_MAX_N octets, 0: default USIM */
    struct slice naf_id;
    struct slice ptid; /* 1..SEC_GPI_PTID_MAX_N octets */
    int64_t expires_s; /* UTC seconds */
};

/* Appends a GPI protected under Ks_(ext)_NAF.  On failure `out` is as long as before.  ERR_LIMIT (a length, the key's
 * too), ERR_MALFORMED (NAF_Id, or a label that is not UTF-8), ERR_NOMEM, ERR_IO, or the sticky error of `out`. */
enum err sec_gpi_seal(const struct sec_secret *ks_naf, const struct sec_gpi_conf *conf,
                      struct buf *out) MUST_USE;

/* A GPI as views into the input of sec_gpi_parse; nothing in it is authentic before sec_gpi_open. */
struct sec_gpi_msg {
    bool uicc;
    bool confidential;
    struct slice rand; /* SEC_AKA_RAND_N octets */
    struct slice autn; /* SEC_AKA_AUTN_N octets */
    struct slice label;
    struct slice naf_id; /* 6.. octets: FQDN, then Ua id */
    struct slice protected_part;
    struct slice covered; /* all octets before the MAC */
    struct slice mac;     /* SEC_GPI_MAC_N octets */
};
/* Strict, nothing may follow; ERR_MALFORMED (version, reserved bits, any length). */
enum err sec_gpi_parse(struct slice in, struct sec_gpi_msg *out) MUST_USE;

/* What the protected part says. */
struct sec_gpi_opened {
    uint8_t ptid[SEC_GPI_PTID_MAX_N]; /* ptid_n octets */
    size_t ptid_n;                    /* 1.. */
    int64_t expires_s;                /* UTC seconds: the one nearest to now */
};
/* Verifies the MAC in constant time, then decrypts.  ERR_DENIED (MAC), ERR_MALFORMED (protected part), ERR_LIMIT (the
 * key's length), ERR_NOMEM, ERR_IO. */
enum err sec_gpi_open(const struct sec_secret *ks_naf, const struct sec_gpi_msg *msg, int64_t now_s,
                      struct sec_gpi_opened *out) MUST_USE;

/* Envelope: version 1, session id, GPI (TS 24.109 §J.3.1.2).  The sticky error of `out`. */
enum err sec_gpi_envelope(uint16_t session_id, struct slice gpi, struct buf *out) MUST_USE;
/* *gpi is a view, not empty; ERR_MALFORMED. */
enum err sec_gpi_envelope_parse(struct slice in, uint16_t *session_id, struct slice *gpi) MUST_USE;

#endif
