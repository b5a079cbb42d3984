/* Keys that home functions have handed to this one, for terminals of theirs that come here (SEC_CF 1.1, use case B.6, "distributed
 * enabler"): each for one handshake of one terminal, and for an hour at most.  How they come is not here.
 *
 * One visit: sec_visits_add; a handshake looks the key up by its identity, and the first that comes to its end uses it up; then the
 * session's identity says whose it is, as far as the home told.  Whoever has seen the name alone uses nothing up.
 *
 * Bounded: a key waits until it is over, beyond the ceiling none is added, and none for a home beyond its own share, so that no
 * home takes the place of another's.  Any thread, with a lock inside for a moment. */
#ifndef SECURITY_TERMINAL_VISITS_H
#define SECURITY_TERMINAL_VISITS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define SEC_VISIT_NAME           "visit;" /* every identity begins so */
#define SEC_VISIT_KEY_N          32       /* octets (256 bits) */
#define SEC_VISIT_LIFE_MAX_S     3600     /* from when it came */
#define SEC_VISIT_IDENTITY_MAX_N 128
#define SEC_VISIT_USER_MAX_N     200
#define SEC_VISIT_HOME_MAX_N     64
#define SEC_VISITS_MAX           1000000

/* What is handed over; borrowed for the call. */
struct sec_visit {
    struct slice
        identity; /* of TLS-PSK: SEC_VISIT_NAME and more, 1..SEC_VISIT_IDENTITY_MAX_N visible characters */
    struct slice key;  /* SEC_VISIT_KEY_N octets */
    struct slice user; /* who it is for; n 0: not told */
    int64_t expires_s; /* UTC; good strictly before */
    struct slice home; /* who brings it, 1..SEC_VISIT_HOME_MAX_N octets */
    size_t share;      /* keys at once, used ones too, that it may have here */
};

struct sec_visits;
/* max: keys of all homes at once, some 600 octets each; 1..SEC_VISITS_MAX.  ERR_LIMIT, ERR_NOMEM. */
enum err sec_visits_create(size_t max, struct sec_visits **out) MUST_USE;
/* Another owner's handle: configurations that follow each other share what was handed over. */
struct sec_visits *sec_visits_hold(struct sec_visits *v);
void sec_visits_free(struct sec_visits **v); /* gives a handle back; the last one wipes */

/* ERR_EXISTS: there is one of that identity, and stays; ERR_MALFORMED (identity, key, user or home); ERR_LATE (over, or good for
 * longer than SEC_VISIT_LIFE_MAX_S); ERR_LIMIT: the home has its share; ERR_NOMEM: no place, or no memory. */
enum err sec_visits_add(struct sec_visits *v, const struct sec_visit *visit, int64_t now_s) MUST_USE;
/* False: nobody is called so, or not any more, or the key was used. */
bool sec_visits_key(struct sec_visits *v, struct slice identity, int64_t now_s, uint8_t key[SEC_VISIT_KEY_N]);
/* A handshake with it is over: true once, and the key is gone; false: it may not be. */
bool sec_visits_use(struct sec_visits *v, struct slice identity, int64_t now_s);
bool sec_visits_has(struct sec_visits *v, struct slice identity); /* used ones too */
/* Of an identity whose key was used: whose it is is appended.  ERR_ABSENT: it is none, or not told; or the buf's error. */
enum err sec_visits_user(struct sec_visits *v, struct slice identity, int64_t now_s,
                         struct buf *user) MUST_USE;
size_t sec_visits_count(struct sec_visits *v); /* used ones too */

#endif
