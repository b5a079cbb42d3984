/* Failed logins slow their source: the first three are free, then each doubles the wait, up to a minute.  Bounded
 * memory, the least recently failing source is forgotten first.  It never sleeps: it says when to listen again.
 * Any thread: a guesser finds no better luck on another loop.  While no source is remembered, asking costs one load of
 * a counter. */
#ifndef SECURITY_LOGIN_PENALTY_H
#define SECURITY_LOGIN_PENALTY_H

#include "base/err.h"
#include "base/slice.h"

#define SEC_PENALTY_FREE     3     /* failures without a wait */
#define SEC_PENALTY_FIRST_MS 1000  /* wait after the next one, doubling */
#define SEC_PENALTY_MAX_MS   60000 /* the longest wait; also: a source quiet for ten of these starts anew */
#define SEC_PENALTY_SOURCE_MAX_N                                                                             \
    64 /* octets of a source's name; longer names share a place with their start */

struct sec_penalty;

/* `max_n`: sources remembered, 1..1000000.  ERR_LIMIT, ERR_NOMEM. */
enum err sec_penalty_create(size_t max_n, struct sec_penalty **out) MUST_USE;
void sec_penalty_free(struct sec_penalty **p);
/* Milliseconds until `source` is listened to again; 0: now. */
int64_t sec_penalty_wait_ms(struct sec_penalty *p, struct slice source, int64_t now_ms);
void sec_penalty_fail(struct sec_penalty *p, struct slice source, int64_t now_ms);
/* A good login: the source starts anew. */
void sec_penalty_clear(struct sec_penalty *p, struct slice source);
size_t sec_penalty_count(const struct sec_penalty *p);

#endif
