/* The last message ids a terminal took: a bounded first-in-first-out set.  One thread. */
#ifndef OTA_TERMINAL_SEEN_H
#define OTA_TERMINAL_SEEN_H

#include "base/err.h"
#include "base/map.h"
#include "base/slice.h"

struct kit_seen {
    struct map map; /* id -> itself */
    char **ring;    /* owned, max entries; ids with a NUL behind */
    size_t max;
    size_t n;
    size_t oldest; /* index of the oldest */
};

/* ERR_LIMIT (0 or more than a million), ERR_NOMEM. */
enum err kit_seen_init(struct kit_seen *s, size_t max) MUST_USE;
void kit_seen_clear(struct kit_seen *s);
bool kit_seen_has(const struct kit_seen *s, struct slice id);
/* Forgets the oldest when full; a known id changes nothing.  ERR_NOMEM. */
enum err kit_seen_add(struct kit_seen *s, struct slice id) MUST_USE;
/* Oldest first: start with *pos 0. */
bool kit_seen_next(const struct kit_seen *s, size_t *pos, struct slice *id);

#endif
