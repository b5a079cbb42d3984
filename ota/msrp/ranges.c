/* Which octets of a message are there; see ranges.h. */
#include "ota/msrp/ranges.h"

/* Do they overlap, or stand side by side? */
static bool meet(const struct ota_msrp_range *a, const struct ota_msrp_range *b)
{
    return a->from <= b->to + (b->to != UINT64_MAX) && b->from <= a->to + (a->to != UINT64_MAX);
}

/* Takes out all that meet *n and makes them part of it; where it belongs then. */
static size_t join(struct ota_msrp_ranges *r, struct ota_msrp_range *n)
{
    size_t kept = 0, place = 0;

    for (size_t i = 0; i < r->n; i++) {
        struct ota_msrp_range old = r->at[i];

        if (meet(&old, n)) {
            n->from = old.from < n->from ? old.from : n->from;
            n->to = old.to > n->to ? old.to : n->to;
        } else {
            place += old.to < n->from;
            r->at[kept++] = old;
        }
    }
    r->n = kept;
    return place;
}

enum err ota_msrp_ranges_add(struct ota_msrp_ranges *r, uint64_t from, uint64_t to)
{
    struct ota_msrp_range n = {from, to};
    bool meets = false;
    size_t place;

    if (from == 0)
        return ERR_MALFORMED;
    if (to < from)
        return ERR_OK;
    for (size_t i = 0; i < r->n; i++)
        meets = meets || meet(&r->at[i], &n);
    if (!meets && r->n == OTA_MSRP_RANGES_MAX)
        return ERR_LIMIT;
    place = join(r, &n);
    for (size_t i = r->n; i > place; i--)
        r->at[i] = r->at[i - 1];
    r->at[place] = n;
    r->n++;
    return ERR_OK;
}

bool ota_msrp_ranges_whole(const struct ota_msrp_ranges *r, uint64_t total)
{
    return total == 0 || (r->n && r->at[0].from == 1 && r->at[0].to >= total);
}
