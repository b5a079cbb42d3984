/* Compares a claimed http(s) URI with an operator's pattern, closed against the ways two spellings of a URI can
 * mean different things to two readers.  Any thread. */
#ifndef SECURITY_URI_H
#define SECURITY_URI_H

#include "base/err.h"
#include "base/slice.h"

#define SEC_URI_MAX_N 2048 /* octets */

/* A pattern is an absolute URI that may end in "*": "https://mmsc.example.net/" followed by a star matches
 * everything below.  The star stands behind the host's "/" only, never in scheme or host.  ERR_MALFORMED. */
enum err sec_uri_pattern_check(struct slice pattern) MUST_USE;

/* Scheme and host in any case, a default port left out or not, the rest octet for octet (RFC 3986 §6.2.2).
 * False for a URI with userinfo, a fragment, backslash, control or non-ASCII octets, empty host, a path that
 * does not start with "/", dot segments plain or percent-encoded, "%2F", "%5C" or a bad escape. */
bool sec_uri_matches(struct slice pattern, struct slice uri);

#endif
