/* Checked arithmetic and big-endian integers. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool num_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool num_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
static inline size_t num_min(size_t a, size_t b)
{
    return a < b ? a : b;
}
static inline int64_t num_min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static inline int64_t num_max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline uint16_t num_get16(const void *p)
{
    const uint8_t *b = p;
    return (uint16_t)((b[0] << 8) | b[1]);
}
static inline uint32_t num_get32(const void *p)
{
    const uint8_t *b = p;
    return ((uint32_t)b[0] << 24) | ((uint32_t)b[1] << 16) | ((uint32_t)b[2] << 8) | b[3];
}
static inline uint64_t num_get64(const void *p)
{
    return ((uint64_t)num_get32(p) << 32) | num_get32((const uint8_t *)p + 4);
}
static inline void num_put16(void *p, uint16_t v)
{
    uint8_t *b = p;
    b[0] = (uint8_t)(v >> 8);
    b[1] = (uint8_t)v;
}
static inline void num_put32(void *p, uint32_t v)
{
    uint8_t *b = p;
    num_put16(b, (uint16_t)(v >> 16));
    num_put16(b + 2, (uint16_t)v);
}
static inline void num_put64(void *p, uint64_t v)
{
    uint8_t *b = p;
    num_put32(b, (uint32_t)(v >> 32));
    num_put32(b + 4, (uint32_t)v);
}

#endif
