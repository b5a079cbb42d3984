/* Bootstrapping over Ub, the server's side, as bytes and decisions: who asks is challenged with an AKA run, who answers
 * it right has a Ks from then on, kept here under its B-TID; and the keys that NAFs derive from it.  TS 33.220 §4.5.2,
 * §4.5.3, TS 24.109 §4, RFC 3310.  No HTTP, no storage.
 *
 * One bootstrapping: sec_bootstrap_step says CHALLENGE, the caller sends 401; the terminal's answer makes the next step
 * say DONE, the caller sends 200 with B-TID and lifetime (bootinfo.h).  ERR_AGAIN: reserve sequence numbers as
 * keyserver.h tells, then take the same step again.
 *
 * A challenge costs no memory: its nonce carries RAND, AUTN and the proof that it is ours, and the run is computed again
 * for the answer.  One subscriber has one Ks, its youngest.  When there are too many, the oldest goes: its terminal
 * bootstraps again.
 *
 * Any thread, with a lock inside for a moment. */
#ifndef SECURITY_GBA_BOOTSTRAP_H
#define SECURITY_GBA_BOOTSTRAP_H

#include "security/gba/gba.h"
#include "security/gba/keyserver.h"
#include "security/login/digest_aka.h"

#define SEC_BTID_MAX_N 280 /* octets: base64 of RAND, "@", and a domain name */

struct sec_bootstrap;
struct sec_bootstrap_conf {
    struct slice fqdn;    /* of the BSF: realm on Ub, and in every B-TID; lower case */
    size_t runs_max;      /* Ks kept at once, some 600 octets each; 1..SEC_BOOTSTRAP_RUNS_MAX */
    int64_t challenge_ms; /* a challenge is good so long */
    bool auth;            /* qop auth will do: a registrar's logins (TS 33.203), whose Ks nobody asks for */
};
#define SEC_BOOTSTRAP_RUNS_MAX 10000000
/* Copies conf.  ERR_MALFORMED (fqdn), ERR_LIMIT, ERR_NOMEM, ERR_IO. */
enum err sec_bootstrap_create(const struct sec_bootstrap_conf *conf, struct sec_bootstrap **out) MUST_USE;
/* Another owner's handle: configurations that follow each other share what was bootstrapped. */
struct sec_bootstrap *sec_bootstrap_hold(struct sec_bootstrap *b);
void sec_bootstrap_free(struct sec_bootstrap **b); /* gives a handle back; the last one wipes */
struct slice sec_bootstrap_fqdn(const struct sec_bootstrap *b);

enum sec_bootstrap_outcome {
    SEC_BOOTSTRAP_CHALLENGE, /* 401: *header holds the value of WWW-Authenticate */
    SEC_BOOTSTRAP_DONE,      /* 200 */
    SEC_BOOTSTRAP_REFUSED,   /* 403 */
    SEC_BOOTSTRAP_BUSY       /* 503: asked for too often of late; wait_ms */
};

/* Borrowed. */
struct sec_bootstrap_request {
    struct slice authorization; /* value of the header; n 0: none */
    struct sec_digest_request http;
    bool synced;    /* its AUTS was followed */
    bool tmpi;      /* the terminal understands TMPIs: DONE makes one */
    int64_t life_s; /* of a Ks, at most */
    int64_t utc_ms, mono_ms;
};

struct sec_bootstrap_answer {
    enum sec_bootstrap_outcome outcome;
    const char *reason; /* static, for the log */
    bool failed_login;  /* sec_penalty_fail */
    int64_t wait_ms;    /* BUSY */
    char impi[SEC_GBA_IMPI_MAX_N];
    size_t impi_n; /* 0: not known */
    /* DONE: */
    char btid[SEC_BTID_MAX_N];
    size_t btid_n;
    int64_t expires_s;               /* UTC seconds */
    struct sec_digest_response says; /* views into the request; with ha1 for sec_digest_info */
    struct sec_secret ha1;           /* clear it */
    /* ERR_AGAIN: numbers are wanted for that IMPI; sync: from where the terminal stands, which its AUTS says. */
    bool sync;
    uint8_t rand[SEC_AKA_RAND_N];
    uint8_t auts[SEC_AKA_AUTS_N];
};

/* Takes one request.  ERR_OK: *out, and a challenge is appended to *header.  ERR_AGAIN: see above.  ERR_NOMEM, ERR_IO. */
enum err sec_bootstrap_step(struct sec_bootstrap *b, struct sec_keyserver *server,
                            const struct sec_bootstrap_request *request, struct sec_bootstrap_answer *out,
                            struct buf *header) MUST_USE;

/* What a NAF gets for a B-TID (TS 29.309: BootstrappingInfoResponse). */
struct sec_naf_key {
    struct sec_secret ks_naf; /* Ks_NAF or Ks_ext_NAF */
    struct sec_secret ks_int; /* Ks_int_NAF, GBA_U only; n 0: none */
    char impi[SEC_GBA_IMPI_MAX_N];
    size_t impi_n;
    int64_t created_s, expires_s; /* UTC seconds */
};
void sec_naf_key_clear(struct sec_naf_key *key); /* wipes */
/* ERR_ABSENT (nobody has this B-TID, or not any more, or its subscriber is struck off), ERR_MALFORMED (no B-TID),
 * ERR_NOMEM, ERR_IO. */
enum err sec_bootstrap_key(struct sec_bootstrap *b, const struct sec_keyserver *server, struct slice btid,
                           struct slice naf_id, int64_t now_s, struct sec_naf_key *out) MUST_USE;
/* Whose B-TID it is; as sec_bootstrap_key. */
enum err sec_bootstrap_impi(struct sec_bootstrap *b, const struct sec_keyserver *server, struct slice btid,
                            int64_t now_s, char impi[SEC_GBA_IMPI_MAX_N], size_t *impi_n) MUST_USE;

/* Wipes what is over; now and then. */
void sec_bootstrap_sweep(struct sec_bootstrap *b, int64_t now_s);
size_t sec_bootstrap_count(struct sec_bootstrap *b);

#endif
