/* What a terminal is told when it has bootstrapped: its B-TID and until when, as the XML of TS 24.109 §4.4 and annex C,
 * type application/vnd.3gpp.bsf+xml.  Any thread. */
#ifndef SECURITY_BOOTINFO_H
#define SECURITY_BOOTINFO_H

#include "base/buf.h"

#define SEC_BOOTINFO_TYPE "application/vnd.3gpp.bsf+xml"

/* Appends the document; times in UTC seconds.  ERR_LIMIT (a time beyond the year 9999), ERR_NOMEM, or the sticky error
 * of `out`. */
enum err sec_bootinfo_print(struct slice btid, int64_t expires_s, int64_t now_s, struct buf *out) MUST_USE;

#endif
