/* Typed values of configuration; see value.h.  Units are tables, largest first.  Any thread. */
#include "ppg/config/value.h"

#include <arpa/inet.h>
#include "base/mem.h"
#include "base/scan.h"

struct unit {
    struct slice name;
    int64_t worth;
};

static const struct unit time_units[] = {
    {{"d", 1}, 86400000}, {{"h", 1}, 3600000}, {{"min", 3}, 60000}, {{"s", 1}, 1000}, {{"ms", 2}, 1},
};
static const struct unit size_units[] = {
    {{"G", 1}, 1 << 30},
    {{"M", 1}, 1 << 20},
    {{"k", 1}, 1 << 10},
    {{"", 0}, 1},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum err ppg_value_bool(struct slice in, bool *out)
{
    bool yes = slice_eq(in, SLICE("yes"));

    if (!yes && !slice_eq(in, SLICE("no")))
        return ERR_MALFORMED;
    *out = yes;
    return ERR_OK;
}

static enum err in_range(int64_t v, int64_t min, int64_t max, int64_t *out)
{
    if (v < min || v > max)
        return ERR_LIMIT;
    *out = v;
    return ERR_OK;
}

enum err ppg_value_count(struct slice in, int64_t min, int64_t max, int64_t *out)
{
    struct scan s = scan_of(in);
    uint64_t v = scan_u64(&s, 0, INT64_MAX);

    scan_end(&s);
    return s.err ? s.err : in_range((int64_t)v, min, max, out);
}

/* digits unit */
static enum err with_unit(struct slice in, const struct unit *units, size_t n, int64_t min, int64_t max,
                          int64_t *out)
{
    struct scan s = scan_of(in);
    uint64_t v = scan_u64(&s, 0, INT64_MAX);
    int64_t product;

    if (s.err)
        return s.err;
    for (size_t i = 0; i < n; i++)
        if (slice_eq(scan_left(&s), units[i].name)) {
            if (__builtin_mul_overflow((int64_t)v, units[i].worth, &product))
                return ERR_LIMIT;
            return in_range(product, min, max, out);
        }
    return ERR_MALFORMED;
}

enum err ppg_value_time(struct slice in, int64_t min, int64_t max, int64_t *out)
{
    if (slice_eq(in, SLICE("0")))
        return in_range(0, min, max, out);
    return with_unit(in, time_units, COUNT(time_units), min, max, out);
}

enum err ppg_value_size(struct slice in, int64_t min, int64_t max, int64_t *out)
{
    return with_unit(in, size_units, COUNT(size_units), min, max, out);
}

/* digits "/" unit [ space "burst" space digits ] */
enum err ppg_value_rate(struct slice in, struct rate *out)
{
    static const struct {
        struct slice name;
        int64_t ms;
    } units[] = {{{"s", 1}, 1000}, {{"min", 3}, 60000}, {{"h", 1}, 3600000}};
    struct scan s = scan_of(in);
    struct rate r = {.count = scan_u32(&s, 0, UINT32_MAX)};
    struct slice unit;

    scan_lit(&s, SLICE("/"));
    unit = scan_token(&s, 3);
    r.burst = r.count;
    if (!s.err && scan_left(&s).n) {
        scan_lws(&s, 1);
        scan_lit(&s, SLICE("burst"));
        scan_lws(&s, 1);
        r.burst = scan_u32(&s, 0, UINT32_MAX);
    }
    scan_end(&s);
    for (size_t i = 0; i < COUNT(units); i++)
        if (slice_eq(unit, units[i].name))
            r.period_ms = units[i].ms;
    if (s.err || !r.period_ms)
        return s.err ? s.err : ERR_MALFORMED;
    if (!rate_good(&r))
        return ERR_LIMIT;
    *out = r;
    return ERR_OK;
}

enum err ppg_value_word(struct slice in, const struct ppg_word *words, int *out)
{
    for (; words->word; words++)
        if (slice_eq(in, slice_str(words->word))) {
            *out = words->value;
            return ERR_OK;
        }
    return ERR_MALFORMED;
}

enum err ppg_value_words(struct slice in, const struct ppg_word *words, int *out)
{
    struct slice item;
    int bits = 0, word;

    while (slice_item(&in, &item)) {
        if (ppg_value_word(item, words, &word))
            return ERR_MALFORMED;
        bits |= word;
    }
    if (bits)
        *out = bits;
    return bits ? ERR_OK : ERR_MALFORMED;
}

/* address ":" port, an IPv6 address in brackets */
enum err ppg_value_listen(struct slice in, struct ppg_listen *out)
{
    struct scan s = scan_of(in);
    bool v6 = scan_skip_ch(&s, '[');
    struct slice address = scan_until(&s, v6 ? ']' : ':', sizeof out->address - 1);
    struct ppg_listen v = {.port = 0};
    struct in6_addr any;

    if (v6)
        scan_ch(&s, ']');
    scan_ch(&s, ':');
    v.port = (uint16_t)scan_u32(&s, 0, UINT16_MAX);
    scan_end(&s);
    if (s.err)
        return s.err;
    if (mem_cstr(v.address, sizeof v.address, address) || strlen(v.address) != address.n ||
        inet_pton(v6 ? AF_INET6 : AF_INET, v.address, &any) != 1)
        return ERR_MALFORMED;
    *out = v;
    return ERR_OK;
}

static void print_with_unit(int64_t v, const struct unit *units, size_t n, struct buf *out)
{
    size_t i = 0;

    while (i + 1 < n && v % units[i].worth != 0)
        i++;
    buf_add_i64(out, v / units[i].worth);
    buf_add(out, units[i].name);
}

void ppg_value_time_print(int64_t ms, struct buf *out)
{
    if (ms == 0)
        buf_add_ch(out, '0');
    else
        print_with_unit(ms, time_units, COUNT(time_units), out);
}

void ppg_value_size_print(int64_t octets, struct buf *out)
{
    if (octets == 0)
        buf_add_ch(out, '0');
    else
        print_with_unit(octets, size_units, COUNT(size_units), out);
}

void ppg_value_words_print(const struct ppg_word *words, struct buf *out)
{
    for (size_t i = 0; words[i].word; i++) {
        if (i)
            buf_add_str(out, words[i + 1].word ? ", " : " or ");
        buf_add_str(out, words[i].word);
    }
}
