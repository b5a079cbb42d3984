/* The Generic Push Layer, wire profile "gpl-a1": seals a payload into one protected message and opens it again.
 * The layout of TS 33.224 is not this one; it can become a second row of the profile table.  Associations,
 * sequence numbers and replay are sa.c's; the embedded GPI is opaque here (security/gba/gpi.c).
 *
 * One use: the sender derives a struct sec_gpl_keys once for (association, direction, suite), and for each
 * message calls sec_gpl_seal with the next sequence number.  The receiver calls sec_gpl_parse (views, nothing
 * trusted yet), finds the association by msg.said, checks replay, and calls sec_gpl_open, which verifies the tag
 * before it decrypts anything.
 *
 * Keys hold cipher state: one thread at a time.  Everything else: any thread. */
#ifndef SECURITY_GPL_H
#define SECURITY_GPL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define SEC_GPL_SAID_MAX_N 64    /* octets; downlink: RAND (16), uplink: P-TID */
#define SEC_GPL_GPI_MAX_N  65535 /* octets; two-octet length */
#define SEC_GPL_PARTS_MAX  4     /* slices of one payload */
#define SEC_GPL_KEY_N      32    /* octets (256 bits) of Ks_(ext/int)_NAF */

enum sec_gpl_direction { SEC_GPL_DOWNLINK = 0, SEC_GPL_UPLINK = 1 };

/* Suite octets; the two short ones are for bearers where 8 octets matter. */
#define SEC_GPL_SUITE_LIST(X)                                                                                \
    X(0x01, HMAC, "hmac-sha256")                                                                             \
    X(0x02, CTR, "aes-ctr-hmac-sha256")                                                                      \
    X(0x03, CBC, "aes-cbc-hmac-sha256")                                                                      \
    X(0x04, GCM, "aes-gcm")                                                                                  \
    X(0x11, HMAC_8, "hmac-sha256-8")                                                                         \
    X(0x12, CTR_8, "aes-ctr-hmac-sha256-8")

enum sec_gpl_suite {
#define SEC_GPL_SUITE_ENUM(octet, name, text) SEC_GPL_##name = octet,
    SEC_GPL_SUITE_LIST(SEC_GPL_SUITE_ENUM)
#undef SEC_GPL_SUITE_ENUM
};

/* The wire profiles the product knows, by configuration name and by media type of the sealed body. */
struct sec_gpl_profile {
    const char *name;       /* "gpl-a1" */
    const char *media_type; /* "application/x-push-gpl-a1" */
};
/* NULL when unknown; names compare exactly, media types in any case (without parameters). */
const struct sec_gpl_profile *sec_gpl_profile_by_name(struct slice name);
const struct sec_gpl_profile *sec_gpl_profile_by_media_type(struct slice media_type);

bool sec_gpl_suite_known(uint8_t suite);
bool sec_gpl_suite_encrypts(uint8_t suite);    /* false for an unknown suite */
const char *sec_gpl_suite_name(uint8_t suite); /* "unknown" for an unknown suite */
/* Octets a message is longer than its payload (suite 03: at most); said_n, gpi_n in octets, gpi_n 0: none. */
size_t sec_gpl_overhead(uint8_t suite, size_t said_n, size_t gpi_n);

/* A message as views into the input of sec_gpl_parse; nothing in it is authentic before sec_gpl_open. */
struct sec_gpl_msg {
    enum sec_gpl_direction direction;
    uint8_t suite;        /* a known one */
    uint32_t sn;          /* 1..2^32-1 */
    struct slice said;    /* 1..SEC_GPL_SAID_MAX_N octets */
    struct slice gpi;     /* n 0: none */
    struct slice header;  /* all octets before the payload */
    struct slice covered; /* all octets before the tag: header and payload */
    struct slice payload; /* ciphertext, or plaintext of the suites without encryption */
    struct slice tag;     /* 8 or 16 octets */
};

/* Strict.  ERR_MALFORMED (version, reserved bits, flags, lengths, sequence number 0), ERR_UNSUPPORTED (suite). */
enum err sec_gpl_parse(struct slice in, struct sec_gpl_msg *out) MUST_USE;

struct sec_gpl_keys; /* K_int, K_enc, salt and their cipher handles of one (association, direction, suite) */

/* Derives from `ks` (SEC_GPL_KEY_N octets, else ERR_LIMIT).  ERR_UNSUPPORTED (suite), ERR_NOMEM. */
enum err sec_gpl_keys_create(struct slice ks, enum sec_gpl_direction direction, uint8_t suite,
                             struct sec_gpl_keys **out) MUST_USE;
void sec_gpl_keys_free(struct sec_gpl_keys **keys); /* wipes */
uint8_t sec_gpl_keys_suite(const struct sec_gpl_keys *keys);
enum sec_gpl_direction sec_gpl_keys_direction(const struct sec_gpl_keys *keys);

/* Appends one sealed message to `out`; on failure `out` is as long as before.  `parts` joined are the payload,
 * copied once, straight to where they are encrypted.  `gpi` may be empty; uplink must have none.  A number must
 * never be used twice with the same keys: take it from sec_sa_next_sn.
 * ERR_LIMIT (sn 0, lengths, parts_n), ERR_UNSUPPORTED (GPI in uplink), ERR_NOMEM or the sticky error of `out`. */
enum err sec_gpl_seal(const struct sec_gpl_keys *keys, uint32_t sn, struct slice said, struct slice gpi,
                      const struct slice *parts, size_t parts_n, struct buf *out) MUST_USE;

/* Verifies the tag in constant time and only then decrypts, appending the payload to `plain`; on failure `plain`
 * is as long as before.  ERR_UNSUPPORTED (the keys are of another suite), ERR_DENIED (tag, or other direction),
 * ERR_MALFORMED (padding), ERR_NOMEM or the sticky error of `plain`. */
enum err sec_gpl_open(const struct sec_gpl_keys *keys, const struct sec_gpl_msg *msg,
                      struct buf *plain) MUST_USE;

/* Why a message was refused, for logs and counters, from the error that sec_gpl_parse, sec_gpl_open or
 * sec_sa_open gave: "malformed", "suite", "mac", "replay", "no-sa", "expired"; else err_name(e). */
const char *sec_gpl_reject_name(enum err e);

#endif
