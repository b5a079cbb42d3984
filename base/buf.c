/* Owned bytes that double as they grow and never pass their ceiling.  One octet more than cap is allocated, so
 * that printf's NUL fits behind content that reaches the ceiling.  Not shared between threads. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

#define BUF_FIRST_N 64 /* octets; the smallest allocation unless the ceiling is lower */

void buf_init(struct buf *b, size_t max_n)
{
    *b = (struct buf){.max = max_n};
}

void buf_clear(struct buf *b)
{
    free(b->p);
    buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
    mem_wipe(b->p, b->cap); /* all of it: cut and dropped octets are still in there */
    buf_clear(b);
}

void buf_reset(struct buf *b, size_t keep_n)
{
    char *less;

    if (keep_n == 0) {
        buf_clear(b);
        return;
    }
    if (b->cap > keep_n && (less = realloc(b->p, keep_n + 1))) {
        b->p = less;
        b->cap = keep_n;
    }
    b->n = 0;
    b->err = ERR_OK;
}

void buf_move(struct buf *from, struct buf *to)
{
    MUST(from != to && !to->p);
    *to = *from;
    buf_init(from, from->max);
}

static void fail(struct buf *b, enum err e)
{
    if (!b->err)
        b->err = e;
}

/* Makes cap at least `need`, which is <= max. */
static bool grow(struct buf *b, size_t need)
{
    size_t cap = b->cap > b->max / 2 ? b->max : b->cap * 2;
    size_t alloc_n;
    char *more = NULL;

    if (cap < BUF_FIRST_N)
        cap = num_min(BUF_FIRST_N, b->max);
    if (cap < need)
        cap = need;
    if (num_add(cap, 1, &alloc_n))
        more = realloc(b->p, alloc_n);
    if (!more) {
        fail(b, ERR_NOMEM);
        return false;
    }
    b->p = more;
    b->cap = cap;
    return true;
}

char *buf_room(struct buf *b, size_t n)
{
    if (b->err)
        return NULL;
    if (n > b->max - b->n) {
        fail(b, ERR_LIMIT);
        return NULL;
    }
    if ((!b->p || n > b->cap - b->n) && !grow(b, b->n + n))
        return NULL;
    return b->p + b->n;
}

void buf_commit(struct buf *b, size_t n)
{
    MUST(n <= b->cap - b->n);
    b->n += n;
}

void buf_add_u64(struct buf *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_add(b, slice_of(digits + at, sizeof digits - at));
}

void buf_add_i64(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_add_ch(b, '-');
    buf_add_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_list again;
    char *to = buf_room(b, 0);
    size_t free_n = b->cap - b->n;
    int n;

    if (!to)
        return;
    va_start(args, fmt);
    va_copy(again, args);
    n = vsnprintf(to, free_n + 1, fmt, args);
    if (n < 0)
        fail(b, ERR_MALFORMED);
    else if ((size_t)n > free_n && (to = buf_room(b, (size_t)n)))
        n = vsnprintf(to, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(args);
    if (!b->err)
        buf_commit(b, (size_t)n);
}

void buf_drop(struct buf *b, size_t n)
{
    MUST(n <= b->n);
    if (n == 0)
        return;
    b->n -= n;
    mem_copy(b->p, b->cap, slice_of(b->p + n, b->n));
}

void buf_cut(struct buf *b, size_t n)
{
    b->n = num_min(b->n, n);
}
