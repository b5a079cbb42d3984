/* An activation package: one association on its way into a terminal, sealed under a one-time code that goes another way (on
 * paper, by voice).  Whoever has the package alone has nothing; whoever changes a bit of it has nothing either.  Not the
 * keyring, and not what a terminal keeps.  Any thread.
 *
 * As octets, integers big-endian:
 *      0  8  "PPGACTV", then 1, the version
 *      8 16  salt, random
 *     24 12  nonce, random
 *     36     AES-256-GCM, tag of 16 octets at its end, of: good until (8, UTC seconds), version of the key (4), its end (8, UTC
 *            seconds, 0 never), key (32), SAID (16), octets of suites (1), a suite each, the name to the end
 * Key: KDF(code, FC=FA, P0="activation", P1=salt) of TS 33.220 annex B; additional data: all before it.  The code is 120 random
 * bits, so there is nothing to slow a guesser down for. */
#ifndef SECURITY_TERMINAL_ACTIVATION_H
#define SECURITY_TERMINAL_ACTIVATION_H

#include "base/buf.h"
#include "security/keyring.h"

#define SEC_ACTIVATION_CODE_N     30  /* octets of the text: six groups of four, dashes between them, NUL */
#define SEC_ACTIVATION_MAX_N      512 /* octets of a package; what is longer is none */
#define SEC_ACTIVATION_SUITES_MAX 6

struct sec_activation {
    char name
        [SEC_KEY_NAME_MAX_N]; /* name_n octets; what PSK identity, Digest user and association are known by */
    size_t name_n;
    uint32_t version;
    int64_t expires_s; /* UTC; 0: never */
    uint8_t said[16];
    uint8_t suites[SEC_ACTIVATION_SUITES_MAX]; /* suites_n of them, most wanted first */
    size_t suites_n;
    struct sec_secret key; /* 32 octets; the caller's to clear */
};

/* A fresh code, and the package under it appended to `package`; nobody is to take it from until_s on.  ERR_MALFORMED: a
 * length; ERR_IO no random numbers, ERR_LIMIT, ERR_NOMEM. */
enum err sec_activation_seal(const struct sec_activation *a, int64_t until_s, struct buf *package,
                             char code[SEC_ACTIVATION_CODE_N]) MUST_USE;
/* `code` in either case, with dashes and spaces or without.  ERR_MALFORMED: no package, or no code; ERR_UNSUPPORTED a
 * later version; ERR_DENIED another code, or changed; ERR_LATE too late; ERR_NOMEM.  *out is written on success only. */
enum err sec_activation_open(struct slice package, struct slice code, int64_t now_s,
                             struct sec_activation *out) MUST_USE;

#endif
