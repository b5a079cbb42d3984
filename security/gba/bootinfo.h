/* What a terminal is told when it has bootstrapped: its B-TID and until when, as the XML of TS 24.109 §4.4 and annex C,
 * type application/vnd.3gpp.bsf+xml.  Any thread. */
#ifndef SECURITY_GBA_BOOTINFO_H
#define SECURITY_GBA_BOOTINFO_H

#include "base/buf.h"
#include "security/gba/bootstrap.h"

#define SEC_BOOTINFO_MAX_N 8192u /* octets of a document that is read */
#define SEC_BOOTINFO_TYPE  "application/vnd.3gpp.bsf+xml"

/* Appends the document; times in UTC seconds.  ERR_LIMIT (a time beyond the year 9999), ERR_NOMEM, or the sticky error
 * of `out`. */
enum err sec_bootinfo_print(struct slice btid, int64_t expires_s, int64_t now_s, struct buf *out) MUST_USE;

struct sec_bootinfo {
    char btid[SEC_BTID_MAX_N]; /* btid_n octets, not looked into */
    size_t btid_n;
    int64_t expires_s; /* UTC seconds */
};
/* Whole or not at all; what is not known is passed over, a document type is not.  ERR_MALFORMED, ERR_LIMIT (too long, too
 * deep), ERR_NOMEM. */
enum err sec_bootinfo_parse(struct slice xml, struct sec_bootinfo *out) MUST_USE;

#endif
