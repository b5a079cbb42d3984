/* What a terminal that fetches may write: the target of its request, names of items, the Range field.  The first octet of
 * the input chooses how large the content is. */
#include "base/net/range.h"
#include "ppg/item.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_range(struct slice in, uint64_t total)
{
    struct net_range r;

    if (net_range_parse(in, total, &r) == ERR_OK)
        MUST(r.first <= r.last && r.last < total);
}

static void try_name(struct slice in)
{
    char again[PPG_ITEM_ID_N];
    int64_t id;

    if (ppg_item_parse(in, "bece884110eacca6", &id))
        return;
    ppg_item_print("bece884110eacca6", id, again);
    MUST(slice_eq(in, slice_str(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size);
    struct ppg_item_target t;
    uint64_t total = size ? (uint64_t)data[0] * data[0] : 0;

    try_range(in, total);
    try_range(slice_sub(in, 1, SIZE_MAX), total);
    try_name(in);
    if (ppg_item_target_parse(in, &t) == ERR_OK) {
        MUST(t.wait_s >= 0 && t.wait_s <= PPG_ITEM_WAIT_MAX_S && t.max >= 0);
        try_name(t.item);
        try_name(t.after);
    }
    return 0;
}
