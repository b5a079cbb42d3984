/* Which octets of a message are there: stretches, joined where they meet.  Octets are numbered from 1, as Byte-Range has them
 * (RFC 4975 §7.1.1).  Bounded; no memory of its own.  Any thread. */
#ifndef OTA_MSRP_RANGES_H
#define OTA_MSRP_RANGES_H

#include "base/err.h"
#include "base/slice.h"

#define OTA_MSRP_RANGES_MAX 64

struct ota_msrp_ranges {
    struct ota_msrp_range {
        uint64_t from, to;     /* both belong to it */
    } at[OTA_MSRP_RANGES_MAX]; /* ascending, with a gap between any two */
    size_t n;
};

/* to < from: nothing happens.  ERR_MALFORMED: from is 0; ERR_LIMIT: in too many pieces, nothing is changed. */
enum err ota_msrp_ranges_add(struct ota_msrp_ranges *r, uint64_t from, uint64_t to) MUST_USE;
/* Are octets 1 to total all there?  Of nothing, they are. */
bool ota_msrp_ranges_whole(const struct ota_msrp_ranges *r, uint64_t total);

#endif
