/* So many a second, with a burst: a token bucket in one atomic word, the generic cell rate algorithm (ITU-T I.371,
 * annex A) written for a clock in milliseconds.  No lock, no timer, nothing to refill.
 *
 * The word is the moment at which the bucket will be full again.  Taking n moves it n intervals on, from now if it is
 * past; n fits while that stays within `burst` intervals of now.  Why several threads may share it: a take is one
 * compare-and-exchange from the value it has looked at to the value the rule makes of it, and a refusal writes nothing.
 * So the takes that succeed stand in one order, each made what the rule says of what the one before it left, and
 * together they are a run of the sequential algorithm.  A thread whose clock is a little behind only waits longer. */
#ifndef BASE_RATE_H
#define BASE_RATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define RATE_COUNT_MAX     1000000  /* of count and burst */
#define RATE_PERIOD_MAX_MS 3600000  /* an hour */
#define RATE_FILL_MIN_MS   10       /* a burst lasts so long at least: the clock has steps of one */
#define RATE_FILL_MAX_MS   86400000 /* and a day at most */

/* `count` each `period_ms`, up to `burst` at once.  count 0: no limit. */
struct rate {
    uint32_t count;
    uint32_t burst;
    int64_t period_ms;
};

struct rate_bucket {
    _Atomic int64_t full_ns; /* monotonic; 0, or anything past: full */
};

/* Within the bounds above?  Others must not be used. */
bool rate_good(const struct rate *r);

/* Takes n, or nothing.  *wait_ms is only written when nothing was taken: in so long n would fit, if nobody else takes
 * before; INT64_MAX when n is more than a burst.  Any thread. */
bool rate_take(struct rate_bucket *b, const struct rate *r, uint32_t n, int64_t now_ms, int64_t *wait_ms);
/* What could be taken at once; UINT32_MAX without a limit.  Any thread. */
uint32_t rate_left(const struct rate_bucket *b, const struct rate *r, int64_t now_ms);
/* When it is full again, from now.  Any thread. */
int64_t rate_full_ms(const struct rate_bucket *b, int64_t now_ms);
void rate_refill(struct rate_bucket *b);
/* How long an empty bucket takes to fill. */
int64_t rate_fill_ms(const struct rate *r);

#endif
