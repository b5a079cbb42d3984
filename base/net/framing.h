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

enum err net_framing_create(enum net_http_role role, const struct net_http_limits *limits,
                            struct net_framing **out) MUST_USE;
void net_framing_free(struct net_framing **f);
/* Checks octets of the current message.  *taken: how many belong to this message so far; *done: its end was
 * reached (octets behind belong to the next).  ERR_MALFORMED, ERR_LIMIT, ERR_UNSUPPORTED; then status and text. */
enum err net_framing_feed(struct net_framing *f, struct slice in, size_t *taken, bool *done) MUST_USE;
void net_framing_no_body(struct net_framing *f, bool no_body); /* response to HEAD */
void net_framing_next(struct net_framing *f);
unsigned net_framing_status(const struct net_framing *f);
const char *net_framing_text(const struct net_framing *f);

#endif
