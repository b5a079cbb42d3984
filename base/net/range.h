/* The Range field of a request (RFC 9110 §14.1.2, §14.2): one range of octets.  Several at once, another unit and what
 * breaks the grammar are to be treated as if the field were not there, as the standard allows; so nobody can ask for a
 * thousand pieces.  Pure; any thread. */
#ifndef BASE_NET_RANGE_H
#define BASE_NET_RANGE_H

#include "base/err.h"
#include "base/slice.h"

struct net_range {
    uint64_t first;
    uint64_t last; /* at least first, below the total */
};

/*     "bytes=" ( first "-" [ last ] / "-" suffix )
 * ERR_OK; ERR_ABSENT: not a single range of octets, answer with all; ERR_LIMIT: it is, and none of it is there (416). */
enum err net_range_parse(struct slice value, uint64_t total, struct net_range *out) MUST_USE;

#endif
