/* One range of octets; see range.h. */
#include "base/net/range.h"

#include "base/scan.h"

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* The last octets, as many as there are. */
static enum err suffix(struct scan *s, uint64_t total, struct net_range *r)
{
    uint64_t n = scan_u64(s, 0, UINT64_MAX);

    scan_end(s);
    if (s->err)
        return ERR_ABSENT;
    if (n == 0 || total == 0)
        return ERR_LIMIT;
    *r = (struct net_range){n < total ? total - n : 0, total - 1};
    return ERR_OK;
}

enum err net_range_parse(struct slice value, uint64_t total, struct net_range *out)
{
    struct scan s = scan_of(value);
    uint64_t first, last = UINT64_MAX;

    if (!scan_skip_ci(&s, SLICE("bytes=")))
        return ERR_ABSENT;
    if (scan_skip_ch(&s, '-'))
        return suffix(&s, total, out);
    first = scan_u64(&s, 0, UINT64_MAX);
    scan_ch(&s, '-');
    if (is_digit(scan_peek(&s)))
        last = scan_u64(&s, 0, UINT64_MAX);
    scan_end(&s);
    if (s.err || last < first)
        return ERR_ABSENT;
    if (first >= total)
        return ERR_LIMIT;
    *out = (struct net_range){first, last < total ? last : total - 1};
    return ERR_OK;
}
