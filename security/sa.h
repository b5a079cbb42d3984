/* A security association between the gateway and one terminal: which key, which suites, until when, which
 * sequence number is next and which were seen.  It stores nothing: numbers are handed out only from a range that
 * the caller has reserved durably, so a crash skips numbers but never repeats one.
 *
 * One use, sending: sec_sa_seal says ERR_AGAIN; the caller reserves [from, to) in its store, calls
 * sec_sa_reserved, and seals again.  Receiving: parse, find the association by msg.said, sec_sa_open.
 * The gateway sends downlink and receives uplink; a terminal the reverse.  One thread at a time. */
#ifndef SECURITY_SA_H
#define SECURITY_SA_H

#include "security/gpl.h"
#include "security/secret.h"

#define SEC_SA_RAND_N     16 /* octets (128 bits) */
#define SEC_SA_SUITES_MAX 6
#define SEC_SA_WINDOW_MAX 64         /* sequence numbers below the highest */
#define SEC_SA_SN_END     UINT32_MAX /* never handed out: the association is closed there */

/* Receiver: the highest number of a message with a good tag, and which of the 64 below it were seen. */
struct sec_sa_window {
    uint64_t seen; /* bit i: number high - 1 - i was accepted */
    uint32_t high; /* SN_h; 0: none yet */
    uint8_t size;  /* W, 0..SEC_SA_WINDOW_MAX; 0: strictly increasing */
};

/* Sender: numbers [next, end) are reserved on disk and not used yet. */
struct sec_sa_numbers {
    uint32_t next;
    uint32_t end;
};

/* There may be a million: the order of the fields leaves no holes. */
struct sec_sa {
    uint8_t rand[SEC_SA_RAND_N];      /* the SAID downlink */
    uint8_t ks[SEC_GPL_KEY_N];        /* Ks_(ext/int)_NAF, 256 bits; wiped by sec_sa_clear */
    uint8_t ptid[SEC_GPL_SAID_MAX_N]; /* the SAID uplink, ptid_n octets; ptid_n 0: no return channel */
    uint8_t ptid_n;
    uint8_t suites[SEC_SA_SUITES_MAX]; /* allowed, suites_n of them */
    uint8_t suites_n;
    uint8_t preferred; /* the suite to seal with; one of suites */
    int64_t expires_s; /* UTC seconds; good strictly before */
    struct sec_sa_numbers numbers;
    struct sec_sa_window window;
    struct sec_gpl_keys *keys[2]; /* by direction; owned, derived on first use, NULL: none yet */
};

/* What an association is made of; slices borrowed for the call. */
struct sec_sa_conf {
    struct slice rand;   /* SEC_SA_RAND_N octets */
    struct slice ptid;   /* 0..SEC_GPL_SAID_MAX_N octets */
    struct slice ks;     /* SEC_GPL_KEY_N octets */
    struct slice suites; /* one octet a suite, most wanted first: the first one is used to seal */
    int64_t expires_s;
    uint8_t window; /* W */
};

/* ERR_MALFORMED (a length, a repeated suite, W), ERR_UNSUPPORTED (a suite).  No number is reserved yet. */
enum err sec_sa_init(struct sec_sa *sa, const struct sec_sa_conf *conf) MUST_USE;
void sec_sa_clear(struct sec_sa *sa);     /* wipes keys */
void sec_sa_keys_drop(struct sec_sa *sa); /* forgets derived keys, for an idle association; they come back */
/* The SAID of that direction, borrowed. */
struct slice sec_sa_said(const struct sec_sa *sa, enum sec_gpl_direction direction);
bool sec_sa_allows(const struct sec_sa *sa, uint8_t suite);
bool sec_sa_expired(const struct sec_sa *sa, int64_t now_s);

/* --- sender --- */
/* The caller has made [from, to) durably its own.  ERR_EXISTS when it overlaps numbers handed out or held,
 * ERR_LIMIT when empty or from 0; unused numbers below `from` are given up. */
enum err sec_sa_reserved(struct sec_sa *sa, uint32_t from, uint32_t to) MUST_USE;
/* The next number.  ERR_AGAIN: reserve more first.  ERR_LATE: closed, all numbers are used. */
enum err sec_sa_next_sn(struct sec_sa *sa, uint32_t *sn) MUST_USE;
/* Numbers left in the reserved range: ask for more before it is 0. */
uint32_t sec_sa_left(const struct sec_sa *sa);
/* sec_gpl_seal with the preferred suite and the next number.  As sec_sa_next_sn and sec_gpl_seal; ERR_LATE also
 * when expired, ERR_ABSENT without a SAID in that direction.  *sn is the number used. */
enum err sec_sa_seal(struct sec_sa *sa, enum sec_gpl_direction direction, int64_t now_s, struct slice gpi,
                     const struct slice *parts, size_t parts_n, struct buf *out, uint32_t *sn) MUST_USE;

/* --- receiver --- */
/* ERR_EXISTS: a replay, or too old for the window.  Changes nothing. */
enum err sec_sa_replay_check(const struct sec_sa *sa, uint32_t sn) MUST_USE;
/* Only after the tag of `sn` verified and sec_sa_replay_check passed. */
void sec_sa_replay_update(struct sec_sa *sa, uint32_t sn);
/* Steps 3 to 7 of the receiver in order: SAID and direction (ERR_ABSENT), expiry (ERR_LATE), suite
 * (ERR_UNSUPPORTED), replay (ERR_EXISTS), tag (ERR_DENIED), padding (ERR_MALFORMED), then the window moves.
 * Appends the payload to `plain`; nothing changes on failure.  That an embedded GPI names this association is
 * the caller's to check.  sec_gpl_reject_name() names the error. */
enum err sec_sa_open(struct sec_sa *sa, enum sec_gpl_direction direction, int64_t now_s,
                     const struct sec_gpl_msg *msg, struct buf *plain) MUST_USE;

#endif
