/* Keys at rest: every secret the gateway is given, by name, each sealed under a master key.  A keyring in memory holds
 * the sealed records as they are on disk and opens one at a time; what a key is used for is not known here.  The octets of
 * the file and how it is written: keyring_file.c, keyring_disk.c.
 *
 * One name space for all kinds: a name is a PSK identity, a Digest user and an association at once [SEC_CF 1.1 B.9].
 * A rotated key leaves its predecessor behind as ->older, good until the grace is over.
 *
 * A keyring that was loaded is read from any thread and never changed; changes go through sec_keyring_change. */
#ifndef SECURITY_KEYRING_H
#define SECURITY_KEYRING_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "security/secret.h"

#define SEC_MASTER_N         32  /* octets (256 bits) */
#define SEC_KEY_NAME_MAX_N   128 /* octets; RFC 4279 §5.3 asks for so much of a PSK identity */
#define SEC_KEY_ATTR_MAX_N   64
#define SEC_KEYS_MAX         200000u
#define SEC_KEYRING_MAX_N    (96u << 20) /* octets of a file */
#define SEC_KEY_PRINT_N      17          /* octets of a fingerprint as text, NUL included */
#define SEC_KEYRING_WHY_N    256
#define SEC_KEY_OVERLAPS_MAX 8u /* predecessors of one key in their grace */

/* The number is on disk and never given to another kind. */
enum sec_key_kind {
    SEC_KEY_ASSOCIATION =
        1,           /* Ks of GPL, 32 octets; attr: SAID (16), then a suite an octet, most wanted first */
    SEC_KEY_PSK = 2, /* 16 to 64 octets; attr empty */
    SEC_KEY_PASSWORD = 3,   /* 1 to 64 octets of text; attr empty */
    SEC_KEY_SUBSCRIBER = 4, /* K (16) and OPc (16) [TS 35.206]; attr: AMF (2) */
    SEC_KEY_ENTITY = 5,     /* of an entity (rules/entities.h), 32 octets; attr: its user's id (1 to 64) */
};

/* All of a key but its secret; slices and ->older live as long as the keyring does not change. */
struct sec_key {
    enum sec_key_kind kind;
    uint32_t version; /* from 1; a rotation adds one */
    struct slice name;
    struct slice attr;           /* by kind, above; not secret */
    int64_t created_s;           /* UTC seconds */
    int64_t expires_s;           /* UTC seconds; good strictly before; 0: never */
    const struct sec_key *older; /* what it took the place of; NULL: nothing, or long ago */
};

/* "association", ...; NULL: no such kind. */
const char *sec_key_kind_name(unsigned kind);
enum err sec_key_kind_of(struct slice name, enum sec_key_kind *out) MUST_USE; /* ERR_ABSENT */
/* 1 to SEC_KEY_NAME_MAX_N octets of visible ASCII, none of " \ , ; # */
bool sec_key_name_ok(struct slice name);
bool sec_key_expired(const struct sec_key *k, int64_t now_s);

struct sec_keyring;

/* --- reading; any thread --- */

size_t sec_keyring_n(const struct sec_keyring *r);            /* names */
uint64_t sec_keyring_generation(const struct sec_keyring *r); /* writes so far */
bool sec_keyring_is_old(const struct sec_keyring *r);         /* sealed under the previous master key still */
/* The newest of that name; NULL when unknown, or without a keyring (r NULL).  Expired ones are found too. */
const struct sec_key *sec_keyring_find(const struct sec_keyring *r, struct slice name);
/* Walks all names in no order; start with *pos = 0; NULL at the end. */
const struct sec_key *sec_keyring_next(const struct sec_keyring *r, size_t *pos);
/* Opens it; *out is the caller's to clear.  ERR_DENIED: the record was tampered with; ERR_NOMEM. */
enum err sec_keyring_secret(const struct sec_keyring *r, const struct sec_key *k,
                            struct sec_secret *out) MUST_USE;
/* What it is as a key of TLS, and as a password: a psk or password as it stands; of an association a key that is derived for
 * that use and name alone, the password as base64.  ERR_UNSUPPORTED another kind; else as sec_keyring_secret. */
enum err sec_keyring_psk(const struct sec_keyring *r, const struct sec_key *k,
                         struct sec_secret *out) MUST_USE;
enum err sec_keyring_password(const struct sec_keyring *r, const struct sec_key *k,
                              struct sec_secret *out) MUST_USE;
/* The derivation, for the other end: KDF(Ks, FC=F9, P0=use, P1=name) of TS 33.220 annex B, 32 octets; use is "psk-tls" or
 * "digest". */
enum err sec_key_derive(struct slice ks, const char *use, struct slice name, struct sec_secret *out) MUST_USE;
/* 16 hexadecimal digits of a keyed hash: equal for equal secrets of this keyring, and of no use to guess one. */
enum err sec_keyring_fingerprint(const struct sec_keyring *r, const struct sec_key *k,
                                 char out[SEC_KEY_PRINT_N]) MUST_USE;

/* --- making and changing; one thread --- */

/* An empty one.  ERR_MALFORMED: not SEC_MASTER_N octets; ERR_IO, ERR_NOMEM. */
enum err sec_keyring_create(struct slice master, struct sec_keyring **out) MUST_USE;
void sec_keyring_free(struct sec_keyring **r);
/* k: kind, name, attr, expires_s and created_s.  ERR_EXISTS the name; ERR_MALFORMED what kind, name, attr or length of
 * the secret may not be; ERR_LIMIT, ERR_NOMEM, ERR_IO. */
enum err sec_keyring_add(struct sec_keyring *r, const struct sec_key *k, struct slice secret) MUST_USE;
/* A new version, used from now on; the one that was used is good until grace_s (UTC seconds), and no longer than it was.
 * k: name, attr, expires_s, created_s.  ERR_ABSENT; ERR_LIMIT too many in their grace; else as add.  Nothing has changed on
 * failure. */
enum err sec_keyring_rotate(struct sec_keyring *r, const struct sec_key *k, struct slice secret,
                            int64_t grace_s) MUST_USE;
/* No version is good from at_s on (UTC seconds): revoked, and still listed.  ERR_ABSENT; ERR_NOMEM, ERR_IO: do not keep it. */
enum err sec_keyring_end(struct sec_keyring *r, struct slice name, int64_t at_s) MUST_USE;
/* All versions.  ERR_ABSENT. */
enum err sec_keyring_remove(struct sec_keyring *r, struct slice name) MUST_USE;
/* Forgets predecessors whose grace is over. */
void sec_keyring_prune(struct sec_keyring *r, int64_t now_s);

/* --- as octets: keyring_file.c --- */

/* previous: empty, or the master key it may be sealed under still; sec_keyring_is_old tells.  ERR_MALFORMED no keyring,
 * or damaged; ERR_UNSUPPORTED a later version; ERR_DENIED neither master key; ERR_LIMIT, ERR_NOMEM. */
enum err sec_keyring_parse(struct slice octets, struct slice master, struct slice previous,
                           struct sec_keyring **out) MUST_USE;
/* The next generation, appended to `out`.  One that is old is sealed anew under the master key given to parse. */
enum err sec_keyring_print(const struct sec_keyring *r, struct buf *out) MUST_USE;

/* --- on disk: keyring_disk.c; blocks --- */

struct sec_keyring_conf {
    const char *path;     /* of the keyring */
    const char *master;   /* file of 64 hexadecimal digits, its owner's alone; or "credential:NAME" */
    const char *previous; /* the one before, while keys move over to a new one; NULL: none */
};

/* What a master key's name stands for: *secret is set.  credential:NAME is a file below $CREDENTIALS_DIRECTORY.
 * ERR_ABSENT, ERR_DENIED others may read it, ERR_MALFORMED, ERR_IO; why names the file. */
enum err sec_master_read(const char *name, struct sec_secret *secret, char why[SEC_KEYRING_WHY_N]) MUST_USE;
/* ERR_ABSENT: no keyring at `path` yet; ERR_IO: a master key is not there, or the disk; else as sec_keyring_parse and
 * sec_master_read.  why names the file. */
enum err sec_keyring_load(const struct sec_keyring_conf *conf, struct sec_keyring **out,
                          char why[SEC_KEYRING_WHY_N]) MUST_USE;
/* Loads (or begins) it, lets fn change it, and puts it in the place of the old file at once: whoever dies in between
 * leaves the old one.  Others who change it wait.  An error of fn is returned, and nothing is written. */
typedef enum err sec_keyring_change_fn(struct sec_keyring *r, void *arg);
enum err sec_keyring_change(const struct sec_keyring_conf *conf, sec_keyring_change_fn *fn, void *arg,
                            char why[SEC_KEYRING_WHY_N]) MUST_USE;

#endif
