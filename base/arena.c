/* Blocks that double, chained newest first.  A request too big for the next block gets one of its own behind the
 * newest, so that what is left of the newest is not lost.  Memory is zeroed as it is handed out, which makes a
 * reset cheap.  Not shared between threads while growing. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

struct arena_block {
    struct arena_block *older;
    size_t n;    /* octets of data[] */
    size_t used; /* octets handed out of it */
    alignas(max_align_t) char data[];
};

void arena_init(struct arena *a, size_t first_n, size_t max_n)
{
    *a = (struct arena){.max = max_n, .first = first_n};
}

static void free_chain(struct arena_block *b)
{
    while (b) {
        struct arena_block *older = b->older;

        free(b);
        b = older;
    }
}

void arena_clear(struct arena *a)
{
    free_chain(a->last);
    arena_init(a, a->first, a->max);
}

void arena_reset(struct arena *a)
{
    a->used = 0;
    if (!a->last)
        return;
    free_chain(a->last->older);
    a->last->older = NULL;
    a->last->used = 0;
}

static struct arena_block *block_create(size_t n)
{
    struct arena_block *b;
    size_t all;

    if (!num_add(sizeof *b, n, &all) || !(b = malloc(all)))
        return NULL;
    *b = (struct arena_block){.n = n};
    return b;
}

/* A block with at least n free octets, n already within the ceiling. */
static struct arena_block *block_for(struct arena *a, size_t n)
{
    struct arena_block *last = a->last;
    size_t next_n = last ? (last->n > SIZE_MAX / 2 ? last->n : last->n * 2) : a->first;
    struct arena_block *b;

    if (last && n <= last->n - last->used)
        return last;
    next_n = num_min(next_n, a->max - a->used); /* no more than may still be handed out */
    b = block_create(n > next_n ? n : next_n);
    if (!b)
        return NULL;
    if (last && n > next_n) {
        b->older = last->older;
        last->older = b;
    } else {
        b->older = last;
        a->last = b;
    }
    return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
    const size_t unit = alignof(max_align_t);
    struct arena_block *b;
    char *p;

    if (n > SIZE_MAX - unit)
        return NULL;
    n = n ? (n + unit - 1) / unit * unit : unit;
    if (n > a->max - a->used || !(b = block_for(a, n)))
        return NULL;
    p = b->data + b->used;
    b->used += n;
    a->used += n;
    return memset(p, 0, n);
}

void *arena_array(struct arena *a, size_t count, size_t each_n)
{
    size_t n;

    return num_mul(count, each_n, &n) ? arena_alloc(a, n) : NULL;
}

enum err arena_dup(struct arena *a, struct slice s, struct slice *out)
{
    char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;

    if (!p)
        return ERR_NOMEM;
    mem_copy(p, s.n, s);
    *out = slice_of(p, s.n);
    return ERR_OK;
}
