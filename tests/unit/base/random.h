/* Repeatable pseudo-random numbers for random-operation tests (xorshift, Marsaglia 2003).  Not for secrets. */
#ifndef TESTS_UNIT_BASE_RANDOM_H
#define TESTS_UNIT_BASE_RANDOM_H

#include <stdint.h>

/* *state is any number but 0. */
static inline uint32_t random_next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static inline uint32_t random_below(uint32_t *state, uint32_t end)
{
    return random_next(state) % end;
}

#endif
