/* What a message head says about where the message ends, and the list of rules a peer can break.  Used by
 * framing.c alone, which finds the octets; this looks at whole words.  RFC 9112 §3.2, §6; RFC 9110 §6.5. */
#ifndef BASE_NET_FRAMING_HEAD_H
#define BASE_NET_FRAMING_HEAD_H

#include "base/err.h"
#include "base/net/framing.h"

/* name, error, status, text */
// clang-format off
#define NET_RULES(X) \
    X(BARE_LF, MALFORMED, 400, "line feed without carriage return") /* RFC 9112 §2.2 */ \
    X(BARE_CR, MALFORMED, 400, "carriage return without line feed") /* RFC 9112 §2.2 */ \
    X(METHOD, MALFORMED, 400, "method is not a token") /* RFC 9112 §3.1 */ \
    X(METHOD_N, UNSUPPORTED, 501, "method is too long") /* RFC 9112 §3 */ \
    X(CONNECT, UNSUPPORTED, 501, "CONNECT is not offered") /* RFC 9110 §9.3.6 */ \
    X(TARGET, MALFORMED, 400, "bad octet in request target") /* RFC 9112 §3.2 */ \
    X(TARGET_N, LIMIT, 414, "request target is too long") /* RFC 9112 §3 */ \
    X(HTTP_0_9, MALFORMED, 400, "request line without version") /* RFC 9112 §3 */ \
    X(VERSION, MALFORMED, 400, "bad protocol version") /* RFC 9112 §2.3 */ \
    X(MAJOR, UNSUPPORTED, 505, "major version is not 1") /* RFC 9110 §15.6.6 */ \
    X(CODE, MALFORMED, 400, "bad status code") /* RFC 9112 §4 */ \
    X(SWITCH, UNSUPPORTED, 501, "protocol switch that nobody asked for") /* RFC 9110 §7.8 */ \
    X(REASON, MALFORMED, 400, "bad octet in reason phrase") /* RFC 9112 §4 */ \
    X(HEAD_N, LIMIT, 431, "header section is too long") /* RFC 9110 §5.4 */ \
    X(FIELDS, LIMIT, 431, "too many header fields") /* RFC 9110 §5.4 */ \
    X(FOLD, MALFORMED, 400, "folded header line") /* RFC 9112 §5.2 */ \
    X(NAME, MALFORMED, 400, "header name is not a token") /* RFC 9110 §5.1 */ \
    X(NAME_SPACE, MALFORMED, 400, "white space before the colon of a header") /* RFC 9112 §5.1 */ \
    X(NAME_N, LIMIT, 431, "header name is too long") /* RFC 9110 §5.4 */ \
    X(VALUE_N, LIMIT, 431, "header value is too long") /* RFC 9110 §5.4 */ \
    X(VALUE_8BIT, MALFORMED, 400, "octet above 127 in a header value") /* RFC 9110 §5.5 */ \
    X(VALUE_CTL, MALFORMED, 400, "control octet in a header value") /* RFC 9110 §5.5 */ \
    X(HOST_MISSING, MALFORMED, 400, "Host is missing") /* RFC 9112 §3.2 */ \
    X(HOST_TWICE, MALFORMED, 400, "Host is repeated") /* RFC 9112 §3.2 */ \
    X(HOST, MALFORMED, 400, "bad Host") /* RFC 9112 §3.2 */ \
    X(LENGTH, MALFORMED, 400, "bad Content-Length") /* RFC 9110 §8.6 */ \
    X(LENGTH_TWICE, MALFORMED, 400, "Content-Length is repeated") /* RFC 9112 §6.3 */ \
    X(BOTH, MALFORMED, 400, "Content-Length with Transfer-Encoding") /* RFC 9112 §6.1 */ \
    X(CODING, UNSUPPORTED, 501, "unknown transfer coding") /* RFC 9112 §6.1 */ \
    X(CODING_TWICE, MALFORMED, 400, "Transfer-Encoding is repeated") /* RFC 9112 §7 */ \
    X(CODING_ORDER, MALFORMED, 400, "chunked is not the last transfer coding") /* RFC 9112 §6.3 */ \
    X(CODING_1_0, MALFORMED, 400, "Transfer-Encoding in an HTTP/1.0 message") /* RFC 9112 §6.1 */ \
    X(BODYLESS, MALFORMED, 400, "body announced where there can be none") /* RFC 9112 §6.1 */ \
    X(BODY_N, LIMIT, 413, "body is too long") /* RFC 9110 §15.5.14 */ \
    X(CHUNK_SIZE, MALFORMED, 400, "bad chunk size") /* RFC 9112 §7.1 */ \
    X(CHUNK_EXT, MALFORMED, 400, "bad octet in chunk extension") /* RFC 9112 §7.1.1 */ \
    X(CHUNK_EXT_N, LIMIT, 400, "chunk extensions are too long") /* RFC 9112 §7.1.1 */ \
    X(CHUNK_END, MALFORMED, 400, "chunk data does not end where its size says") /* RFC 9112 §7.1 */ \
    X(TRAILER, MALFORMED, 400, "field not allowed in a trailer") /* RFC 9110 §6.5.1 */
// clang-format on

enum net_rule {
    RULE_NONE,
#define NET_RULE_ENUM(name, err, status, text) RULE_##name,
    NET_RULES(NET_RULE_ENUM)
#undef NET_RULE_ENUM
};

enum net_field { FIELD_OTHER, FIELD_HOST, FIELD_LENGTH, FIELD_CODING };

struct net_framing_head {
    enum net_http_role role;
    unsigned minor; /* HTTP/1.minor */
    unsigned code;  /* responses */
    bool has_host;
    bool has_length;
    bool has_coding;
    uint64_t length; /* Content-Length; a number past 2^64 - 1 is held as that */
};

enum err net_rule_err(enum net_rule r);
unsigned net_rule_status(enum net_rule r);
const char *net_rule_text(enum net_rule r);

/* Each answers the rule that is broken, or RULE_NONE.  Slices are looked at during the call only. */
enum net_rule net_head_version(struct net_framing_head *h, struct slice version);
enum net_rule net_head_code(struct net_framing_head *h, struct slice code);
enum net_rule net_head_field(struct net_framing_head *h, enum net_field field,
                             struct slice value);               /* trimmed */
enum net_rule net_head_check(const struct net_framing_head *h); /* all fields are in */

enum net_field net_field_of(struct slice name);
bool net_field_barred(struct slice name); /* not allowed in a trailer */
/* answers_head: the response to HEAD. */
enum net_framing_body net_head_body(const struct net_framing_head *h, bool answers_head);

#endif
