/* The strict check that runs before http-parser sees an octet (Debian ships that parser in its lenient build).
 * Fed the same octets in the same order; refuses bare LF, space before colon, line folding, missing or repeated
 * Host, HTTP/0.9, bad versions, 8-bit and control octets in headers, Content-Length with Transfer-Encoding,
 * repeated or bad Content-Length, unknown transfer codings and chunk framing faults, as RFC 9112 §2.2, §3.2,
 * §5.1, §5.2, §6.1-§6.3 and §7.1 tell, so that nobody downstream can read a message differently. */
#ifndef BASE_NET_FRAMING_H
#define BASE_NET_FRAMING_H

#include "base/err.h"
#include "base/net/http1.h"

struct net_framing; /* opaque state of one connection direction, embedded by pointer */

/* How the end of a message is found (RFC 9112 §6.3). */
enum net_framing_body { NET_BODY_NONE, NET_BODY_LENGTH, NET_BODY_CHUNKED, NET_BODY_UNTIL_CLOSE };

/* limits is copied.  ERR_NOMEM. */
enum err net_framing_create(enum net_http_role role, const struct net_http_limits *limits,
                            struct net_framing **out) MUST_USE;
void net_framing_free(struct net_framing **f);
/* Checks octets of the current message.  *taken: how many belong to this message so far; *done: its end was
 * reached (octets behind belong to the next).  One call never crosses the end of the head: it stops behind the
 * empty line, so that the caller can look at it.  ERR_MALFORMED, ERR_LIMIT, ERR_UNSUPPORTED; then status and
 * text, and the same again for every later call. */
enum err net_framing_feed(struct net_framing *f, struct slice in, size_t *taken, bool *done) MUST_USE;
/* Response to HEAD; holds until the next final response is over (interim ones do not use it up). */
void net_framing_no_body(struct net_framing *f, bool no_body);
void net_framing_next(struct net_framing *f);
unsigned net_framing_status(const struct net_framing *f);
const char *net_framing_text(const struct net_framing *f);

/* No octet of a start line has been taken (an empty line before it does not count). */
bool net_framing_idle(const struct net_framing *f);
bool net_framing_head_done(const struct net_framing *f);
/* Once the head is done; *n: octets of a NET_BODY_LENGTH body, else 0. */
enum net_framing_body net_framing_body(const struct net_framing *f, uint64_t *n);

#endif
