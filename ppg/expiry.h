/* Warns an operator ahead of the end of what TLS is made of: certificates, revocation lists, OCSP responses.  Judges
 * nothing: what an expired list does is base/net/tls_judge.c's.  Any thread. */
#ifndef PPG_EXPIRY_H
#define PPG_EXPIRY_H

#include "ppg/snapshot.h"

#define PPG_EXPIRY_EVERY_MS INT64_C(3600000)

/* Logs `tls.crl.expired` (error) or `tls.crl.expiring` (warning; within the configured time), and the same of cert and
 * staple, for each part of the configuration that has one. */
void ppg_expiry_tell(const struct ppg_snapshot *s, int64_t now_s, struct log *log);

#endif
