/* A part of every day, as a whitelist rule has it: "08:00-20:00", "22:00-06:00" (over midnight), with "Z" or an offset
 * such as "+02:00" behind it for the clock that is meant; without one it is UTC.  Not for dates, and it knows no summer
 * time: an offset is fixed.  The form of times and offsets is that of RFC 3339 §5.6.  Any thread. */
#ifndef SECURITY_RULES_HOURS_H
#define SECURITY_RULES_HOURS_H

#include "base/err.h"
#include "base/slice.h"

struct sec_hours {
    bool given;   /* false: any time of day */
    int16_t from; /* minutes since midnight, 0..1439, part of it */
    int16_t to;   /* 1..1440, not part of it; never equal to `from` */
    int16_t east; /* minutes that the clock is ahead of UTC, -1439..1439 */
};

/* ERR_MALFORMED. */
enum err sec_hours_parse(struct slice in, struct sec_hours *out) MUST_USE;
bool sec_hours_has(const struct sec_hours *h, int64_t utc_s);

#endif
