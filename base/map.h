/* Hash table from octets to a pointer, open addressing, keyed hash (SipHash-1-3 with a random key per table, so
 * that a stranger's names cannot pile up in one chain).  Keys are borrowed: they must live in the value or
 * longer.  Has a ceiling.  Not shared between threads while it changes; lookups of a table that no longer
 * changes may run anywhere. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/err.h"
#include "base/slice.h"

struct map_slot;
struct map {
    struct map_slot *slots; /* owned; capacity is 0 or a power of two */
    size_t cap;
    size_t n;        /* entries held */
    size_t max;      /* entries allowed */
    size_t dead;     /* removed slots not yet reused */
    uint64_t key[2]; /* drawn for the first entry */
};

void map_init(struct map *m, size_t max_n);
void map_clear(struct map *m); /* frees the table, not the values */
/* value may not be NULL.  ERR_EXISTS keeps the old value; ERR_LIMIT, ERR_NOMEM. */
enum err map_put(struct map *m, struct slice key, void *value) MUST_USE;
void *map_get(const struct map *m, struct slice key); /* NULL when absent */
void *map_del(struct map *m, struct slice key);       /* the value that was there, or NULL */
/* Walks all values: start with *pos = 0; NULL at the end.  No put between calls; del of the current is fine. */
void *map_next(const struct map *m, size_t *pos);

/* The keyed hash itself, for spreading work (which loop owns a terminal). */
uint64_t map_hash(const uint64_t key[2], struct slice s);

#endif
