/* Bags of hashes; see notes.h.  They are compared sorted. */
#include "security/rules/notes.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

#define FIRST_CAP 64

void sec_notes_clear(struct sec_notes *notes)
{
    free(notes->v);
    *notes = (struct sec_notes){.v = NULL};
}

static enum err grow(struct sec_notes *notes)
{
    size_t cap = notes->cap ? notes->cap * 2 : FIRST_CAP, n;
    uint64_t *v = num_mul(cap, sizeof *v, &n) ? realloc(notes->v, n) : NULL;

    if (!v)
        return ERR_NOMEM;
    notes->v = v;
    notes->cap = cap;
    return ERR_OK;
}

/* FNV-1a of the words, a space between two of them. */
static uint64_t hash_words(struct slice line)
{
    uint64_t h = UINT64_C(14695981039346656037);
    bool gap = false;

    for (size_t i = 0; i < line.n && line.p[i] != '#'; i++) {
        bool blank = line.p[i] == ' ' || line.p[i] == '\t';

        if (gap && !blank)
            h = (h ^ ' ') * UINT64_C(1099511628211);
        if (!blank)
            h = (h ^ (unsigned char)line.p[i]) * UINT64_C(1099511628211);
        gap = blank;
    }
    return h;
}

enum err sec_notes_add(struct sec_notes *notes, struct slice line)
{
    if (notes->n == notes->cap && grow(notes))
        return ERR_NOMEM;
    notes->v[notes->n++] = hash_words(slice_trim(line));
    return ERR_OK;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static uint64_t *sorted(const struct sec_notes *notes)
{
    uint64_t *v = calloc(notes->n + 1, sizeof *v);

    if (!v)
        return NULL;
    mem_copy(v, notes->n * sizeof *v, slice_of(notes->v, notes->n * sizeof *v));
    qsort(v, notes->n, sizeof *v, by_value);
    return v;
}

/* How many the two have in common. */
static size_t common(const uint64_t *a, size_t a_n, const uint64_t *b, size_t b_n)
{
    size_t i = 0, k = 0, n = 0;

    while (i < a_n && k < b_n) {
        uint64_t x = a[i], y = b[k];

        n += x == y;
        i += x <= y;
        k += y <= x;
    }
    return n;
}

void sec_notes_changes(const struct sec_notes *was, const struct sec_notes *is, size_t *added,
                       size_t *removed)
{
    uint64_t *before = sorted(was), *now = sorted(is);
    size_t same = before && now ? common(before, was->n, now, is->n) : 0;

    *added = is->n - same;
    *removed = was->n - same;
    free(before);
    free(now);
}
