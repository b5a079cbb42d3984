/* The two clocks: the machine's, and one that only moves when a test says so.  The real one may be read by any
 * thread; a virtual one belongs to the thread that advances it. */
#include "base/clk.h"

#include <time.h>

#include "base/err.h"

static int64_t read_ms(clockid_t id)
{
    struct timespec t;

    MUST(clock_gettime(id, &t) == 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t real_mono_ms(const struct clk *c)
{
    (void)c;
    return read_ms(CLOCK_MONOTONIC);
}

static int64_t real_utc_ms(const struct clk *c)
{
    (void)c;
    return read_ms(CLOCK_REALTIME);
}

const struct clk clk_real = {real_mono_ms, real_utc_ms};

static int64_t virtual_mono_ms(const struct clk *c)
{
    return ((const struct clk_virtual *)(const void *)c)->mono;
}

static int64_t virtual_utc_ms(const struct clk *c)
{
    return ((const struct clk_virtual *)(const void *)c)->utc;
}

void clk_virtual_init(struct clk_virtual *v, int64_t utc_ms)
{
    v->clk.mono_ms = virtual_mono_ms;
    v->clk.utc_ms = virtual_utc_ms;
    v->mono = 0;
    v->utc = utc_ms;
}

void clk_virtual_advance(struct clk_virtual *v, int64_t ms)
{
    MUST(ms >= 0);
    v->mono += ms;
    v->utc += ms;
}
