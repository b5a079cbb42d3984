/* UTC timestamps of PAP: YYYY-MM-DDThh:mm:ssZ.  Pure text work; the clock is in base/clk.h.
 * Specification: PAP (date and time attributes), ISO 8601.  Any thread. */
#ifndef PAP_TIME_H
#define PAP_TIME_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define PAP_TIME_MAX_S INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* Seconds since 1970-01-01T00:00:00Z.  "z" is taken for "Z"; with strict unset a fraction of 1 to 9 digits is
 * read and dropped.  ERR_MALFORMED: another form, a zone offset, a day that does not exist, second 60, a year
 * before 1970.  Impossible dates are refused, never moved. */
enum err pap_time_parse(struct slice in, bool strict, int64_t *utc_s) MUST_USE;

/* Appends the text.  ERR_LIMIT: outside 0..PAP_TIME_MAX_S, nothing appended; or the buf's own error. */
enum err pap_time_print(int64_t utc_s, struct buf *out) MUST_USE;

#endif
