/* Time as an input: the real clocks, or one a test moves by hand.  One of the four seams. */
#ifndef BASE_CLK_H
#define BASE_CLK_H

#include <stdint.h>

struct clk {
    int64_t (*mono_ms)(const struct clk *c); /* milliseconds, never goes back; for time-outs */
    int64_t (*utc_ms)(const struct clk *c);  /* milliseconds since 1970-01-01T00:00:00Z */
};

extern const struct clk clk_real;

struct clk_virtual {
    struct clk clk; /* first member: pass &v.clk */
    int64_t mono;
    int64_t utc;
};
void clk_virtual_init(struct clk_virtual *v, int64_t utc_ms);
void clk_virtual_advance(struct clk_virtual *v, int64_t ms);

static inline int64_t clk_mono_ms(const struct clk *c)
{
    return c->mono_ms(c);
}
static inline int64_t clk_utc_ms(const struct clk *c)
{
    return c->utc_ms(c);
}

#endif
