/* Token buckets; see rate.h.  Inside, time is in nanoseconds, so that an interval that is no whole number of them is
 * short by less than a thousandth at a million a second.  Any thread. */
#include "base/rate.h"

#include "base/num.h"

#define NS_PER_MS INT64_C(1000000)

/* What n are worth in time; n up to RATE_COUNT_MAX: at most 3.6e18. */
static int64_t worth_ns(const struct rate *r, uint32_t n)
{
    return (int64_t)n * (r->period_ms * NS_PER_MS) / r->count;
}

static int64_t ms_up(int64_t ns)
{
    return (ns + NS_PER_MS - 1) / NS_PER_MS;
}

bool rate_good(const struct rate *r)
{
    int64_t fill_ns;

    if (r->count == 0 || r->count > RATE_COUNT_MAX || r->burst == 0 || r->burst > RATE_COUNT_MAX ||
        r->period_ms < 1 || r->period_ms > RATE_PERIOD_MAX_MS)
        return false;
    fill_ns = worth_ns(r, r->burst);
    return fill_ns >= RATE_FILL_MIN_MS * NS_PER_MS && fill_ns <= RATE_FILL_MAX_MS * NS_PER_MS;
}

bool rate_take(struct rate_bucket *b, const struct rate *r, uint32_t n, int64_t now_ms, int64_t *wait_ms)
{
    int64_t now_ns = now_ms * NS_PER_MS;
    int64_t full_ns = atomic_load_explicit(&b->full_ns, memory_order_relaxed);
    int64_t next_ns, over_ns;

    if (r->count == 0)
        return true;
    if (n > r->burst) {
        *wait_ms = INT64_MAX;
        return false;
    }
    do {
        next_ns = num_max64(full_ns, now_ns) + worth_ns(r, n);
        over_ns = next_ns - now_ns - worth_ns(r, r->burst);
        if (over_ns > 0) {
            *wait_ms = ms_up(over_ns);
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&b->full_ns, &full_ns, next_ns, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

uint32_t rate_left(const struct rate_bucket *b, const struct rate *r, int64_t now_ms)
{
    int64_t now_ns = now_ms * NS_PER_MS;
    int64_t free_ns;

    if (r->count == 0)
        return UINT32_MAX;
    free_ns = worth_ns(r, r->burst) -
              (num_max64(atomic_load_explicit(&b->full_ns, memory_order_relaxed), now_ns) - now_ns);
    return free_ns <= 0 ? 0 : (uint32_t)num_min64(free_ns / worth_ns(r, 1), r->burst);
}

int64_t rate_full_ms(const struct rate_bucket *b, int64_t now_ms)
{
    int64_t now_ns = now_ms * NS_PER_MS;

    return ms_up(num_max64(atomic_load_explicit(&b->full_ns, memory_order_relaxed), now_ns) - now_ns);
}

void rate_refill(struct rate_bucket *b)
{
    atomic_store_explicit(&b->full_ns, 0, memory_order_relaxed);
}

int64_t rate_fill_ms(const struct rate *r)
{
    return ms_up(worth_ns(r, r->burst));
}
