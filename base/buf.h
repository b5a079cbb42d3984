/* Owned, growing bytes with a ceiling fixed at init.  The first failure (ERR_LIMIT, ERR_NOMEM) sticks: later
 * appends do nothing, so a printer appends freely and asks buf_err() once.  Not shared between threads. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include "base/err.h"
#include "base/slice.h"

struct buf {
    char *p;      /* owned; valid octets are p[0..n) */
    size_t n;     /* octets held */
    size_t cap;   /* octets allocated, <= max */
    size_t max;   /* ceiling in octets */
    enum err err; /* first failure */
};

/* Allocates nothing yet. */
void buf_init(struct buf *b, size_t max_n);
/* Frees; the struct is as after buf_init. */
void buf_clear(struct buf *b);
/* As buf_clear, but the octets are wiped first. */
void buf_wipe(struct buf *b);
/* Forgets content and error, keeps the memory for the next use; memory beyond keep_n octets is given back. */
void buf_reset(struct buf *b, size_t keep_n);
/* Moves the storage out of *from into *to (which must be clear); *from is as after buf_init. */
void buf_move(struct buf *from, struct buf *to);

/* At least n writable octets at the end, or NULL (and the error sticks); then buf_commit() what was written.
 * Growth leaves a copy behind: for content that must be wiped ask for all of it first. */
char *buf_room(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);

/* Printers add many small pieces, so what it takes when there is room stands here. */
static inline void buf_add(struct buf *b, struct slice s)
{
    if (s.n == 0 || ((b->err || s.n > b->cap - b->n) && !buf_room(b, s.n)))
        return;
    memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
}

static inline void buf_add_ch(struct buf *b, char ch)
{
    buf_add(b, slice_of(&ch, 1));
}

static inline void buf_add_str(struct buf *b, const char *cstr)
{
    buf_add(b, slice_str(cstr));
}

void buf_add_u64(struct buf *b, uint64_t v);
void buf_add_i64(struct buf *b, int64_t v);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Removes n octets at the front / keeps only the first n. */
void buf_drop(struct buf *b, size_t n);
void buf_cut(struct buf *b, size_t n);

static inline struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->p, b->n);
}
static inline enum err buf_err(const struct buf *b)
{
    return b->err;
}

#endif
