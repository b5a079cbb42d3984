/* Counters of one core; see stats.h. */
#include "ppg/stats.h"

#include "base/num.h"

const uint32_t ppg_stats_bounds_ms[PPG_STATS_TIMES] = {5,    10,    25,    100,    500,     1000,
                                                       5000, 30000, 60000, 300000, 3600000, 86400000};

/* One thread writes: nothing has to be locked for it. */
static void add(atomic_uint_fast64_t *to, uint64_t n)
{
    atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + n, memory_order_relaxed);
}

void ppg_stats_answer(struct ppg_stats *s, enum pap_code code)
{
    unsigned class = (unsigned)code / 1000, rest = (unsigned)code % 1000;

    if (class < 1 || class > PPG_STATS_CLASSES)
        return;
    add(&s->answers[class - 1][rest < PPG_STATS_CODES ? rest : 0], 1);
}

void ppg_stats_final(struct ppg_stats *s, const struct ppg_push *p, enum ppg_stage stage, int64_t event_ms)
{
    int64_t from_ms = num_max64(p->accepted_ms, p->not_before_ms);
    uint64_t took = event_ms > from_ms ? (uint64_t)(event_ms - from_ms) : 0; /* a clock may be set back */
    size_t i = 0;

    add(&s->finals[stage], 1);
    if (stage != ST_DELIVERED)
        return;
    while (i < PPG_STATS_TIMES && took > ppg_stats_bounds_ms[i])
        i++;
    add(&s->delivered[i], 1);
    add(&s->delivered_ms, took);
}

static void add_all(atomic_uint_fast64_t *to, const atomic_uint_fast64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add(&to[i], atomic_load_explicit(&from[i], memory_order_relaxed));
}

void ppg_stats_add(struct ppg_stats *sum, const struct ppg_stats *s)
{
    for (size_t c = 0; c < PPG_STATS_CLASSES; c++)
        add_all(sum->answers[c], s->answers[c], PPG_STATS_CODES);
    add_all(sum->finals, s->finals, ST_COUNT);
    add_all(sum->delivered, s->delivered, PPG_STATS_TIMES + 1);
    add_all(&sum->delivered_ms, &s->delivered_ms, 1);
}
