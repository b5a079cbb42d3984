/* Remembered message ids: delivery is at least once, so the terminal drops the second one.  See seen.h. */
#include "ota/terminal/seen.h"

#include <stdlib.h>
#include "base/mem.h"

#define MAX 1000000

enum err kit_seen_init(struct kit_seen *s, size_t max)
{
    if (max == 0 || max > MAX)
        return ERR_LIMIT;
    *s = (struct kit_seen){.max = max};
    s->ring = calloc(max, sizeof *s->ring);
    if (!s->ring)
        return ERR_NOMEM;
    map_init(&s->map, max);
    return ERR_OK;
}

void kit_seen_clear(struct kit_seen *s)
{
    for (size_t i = 0; s->ring && i < s->max; i++)
        free(s->ring[i]);
    if (s->ring)
        map_clear(&s->map);
    free(s->ring);
    *s = (struct kit_seen){.ring = NULL};
}

bool kit_seen_has(const struct kit_seen *s, struct slice id)
{
    return map_get(&s->map, id) != NULL;
}

static void forget_oldest(struct kit_seen *s)
{
    char **at = &s->ring[s->oldest];

    (void)map_del(&s->map, slice_str(*at));
    free(*at);
    *at = NULL;
    s->oldest = (s->oldest + 1) % s->max;
    s->n--;
}

enum err kit_seen_add(struct kit_seen *s, struct slice id)
{
    char *copy;
    enum err e;

    if (kit_seen_has(s, id))
        return ERR_OK;
    copy = mem_dup(id);
    if (!copy)
        return ERR_NOMEM;
    if (s->n == s->max)
        forget_oldest(s);
    e = map_put(&s->map, slice_str(copy), copy);
    if (e) {
        free(copy);
        return e;
    }
    s->ring[(s->oldest + s->n++) % s->max] = copy;
    return ERR_OK;
}

bool kit_seen_next(const struct kit_seen *s, size_t *pos, struct slice *id)
{
    if (*pos >= s->n)
        return false;
    *id = slice_str(s->ring[(s->oldest + (*pos)++) % s->max]);
    return true;
}
