/* Memory of one push: many small allocations, freed whole, with a ceiling.  The first block is part of the one
 * allocation the owner makes or a block of first_n octets; further blocks double.  Not shared between threads
 * while growing; read-only sharing is fine. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/err.h"
#include "base/slice.h"

struct arena_block;
struct arena {
    struct arena_block *last; /* newest block; older ones hang behind it */
    size_t used;              /* octets handed out, in all blocks */
    size_t max;               /* ceiling in octets handed out */
    size_t first;             /* octets of the first block */
};

void arena_init(struct arena *a, size_t first_n, size_t max_n); /* allocates nothing yet */
void arena_clear(struct arena *a);                              /* frees all blocks */
void arena_reset(struct arena *a);                              /* forgets all, keeps the newest block */
/* n zeroed octets aligned for any type (counted rounded up to that alignment); NULL at the ceiling or when memory is out. */
void *arena_alloc(struct arena *a, size_t n) MUST_USE;
/* `count` zeroed elements; the product is checked. */
void *arena_array(struct arena *a, size_t count, size_t each_n) MUST_USE;
/* A copy, NUL added behind it (not counted in n). */
enum err arena_dup(struct arena *a, struct slice s, struct slice *out) MUST_USE;

#endif
