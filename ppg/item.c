/* Names of messages and requests for them; see item.h. */
#include "ppg/item.h"

#include <stdio.h>
#include "base/scan.h"

#define QUERY_MAX_N 128
#define ITEMS_MAX   10000
#define PATH        "/inbox"

void ppg_item_print(const char *store_name, int64_t target_id, char out[PPG_ITEM_ID_N])
{
    (void)snprintf(out, PPG_ITEM_ID_N, "%.24s-%llx", store_name, (unsigned long long)target_id);
}

static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One name for each: no leading zero, lower case. */
enum err ppg_item_parse(struct slice in, const char *store_name, int64_t *target_id)
{
    struct slice name, number;
    int64_t id = 0;

    if (!slice_cut(in, '-', &name, &number) || !slice_eq(name, slice_str(store_name)))
        return ERR_MALFORMED;
    if (!number.n || number.n > 15 || number.p[0] == '0')
        return ERR_MALFORMED;
    for (size_t i = 0; i < number.n; i++) {
        int v = hex_value((unsigned char)number.p[i]);

        if (v < 0)
            return ERR_MALFORMED;
        id = id * 16 + v;
    }
    *target_id = id;
    return ERR_OK;
}

static enum err take_number(struct slice value, int64_t max, int64_t *to)
{
    struct scan s = scan_of(value);
    uint64_t v = scan_u64(&s, 0, (uint64_t)max);

    scan_end(&s);
    if (s.err)
        return ERR_MALFORMED;
    *to = (int64_t)v;
    return ERR_OK;
}

static enum err take_pair(struct slice pair, struct ppg_item_target *t, unsigned *seen)
{
    struct slice name, value;
    unsigned bit;
    enum err e = ERR_OK;

    if (!slice_cut(pair, '=', &name, &value))
        return ERR_MALFORMED;
    if (slice_eq(name, SLICE("after"))) {
        bit = 1;
        t->after = value;
        e = value.n ? ERR_OK : ERR_MALFORMED;
    } else if (slice_eq(name, SLICE("wait"))) {
        bit = 2;
        e = take_number(value, PPG_ITEM_WAIT_MAX_S, &t->wait_s);
    } else if (slice_eq(name, SLICE("max"))) {
        bit = 4;
        e = take_number(value, ITEMS_MAX, &t->max);
    } else {
        return ERR_MALFORMED;
    }
    if (*seen & bit)
        e = ERR_MALFORMED;
    *seen |= bit;
    return e;
}

static enum err take_query(struct slice query, struct ppg_item_target *t)
{
    struct slice pair, rest = query;
    unsigned seen = 0;
    bool more = true;
    enum err e = query.n > QUERY_MAX_N ? ERR_MALFORMED : ERR_OK;

    while (!e && more) {
        more = slice_cut(rest, '&', &pair, &rest);
        e = take_pair(pair, t, &seen);
    }
    return e;
}

enum err ppg_item_target_parse(struct slice in, struct ppg_item_target *out)
{
    struct ppg_item_target t = {.item = SLICE_NONE};
    struct slice path, query;
    bool asks = slice_cut(in, '?', &path, &query);
    enum err e = ERR_OK;

    if (!slice_starts(path, SLICE(PATH)))
        return ERR_ABSENT;
    path = slice_sub(path, sizeof PATH - 1, SIZE_MAX);
    if (path.n && (path.p[0] != '/' || path.n == 1))
        return ERR_ABSENT;
    t.item = slice_sub(path, 1, SIZE_MAX);
    if (asks)
        e = t.item.n ? ERR_MALFORMED : take_query(query, &t);
    if (!e)
        *out = t;
    return e;
}
