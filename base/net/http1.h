/* HTTP/1.1 messages as bytes in, events out, both roles, on http-parser behind the strict pre-validator of
 * framing.h.  No sockets, no clock.  Everything is bounded by struct net_http_limits.  RFC 9110, RFC 9112.
 * One reader belongs to one connection and one thread; it keeps its buffers from message to message. */
#ifndef BASE_NET_HTTP1_H
#define BASE_NET_HTTP1_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct net_http_limits {
    size_t head_max_n;     /* octets: start line and headers together */
    size_t headers_max;    /* header fields */
    size_t value_max_n;    /* octets of one field value */
    size_t target_max_n;   /* octets of the request target */
    size_t body_max_n;     /* octets of a body after chunks are joined */
    int64_t head_ms;       /* first octet of a message to the end of its headers */
    int64_t idle_ms;       /* between messages on a kept connection */
    int64_t body_rate_min; /* octets a second a body must make on average once head_ms has passed; 0: any */
    int64_t handshake_ms;  /* accept to the end of the TLS handshake */
};

struct net_http_header {
    struct slice name;
    struct slice value; /* trimmed */
};

enum net_http_role { NET_HTTP_SERVER, NET_HTTP_CLIENT }; /* which messages are read: requests, responses */

/* One message.  All slices borrow from the reader and live until net_http_reader_next(). */
struct net_http_msg {
    struct slice method; /* requests */
    struct slice target; /* requests, as sent */
    unsigned status;     /* responses */
    struct slice reason; /* responses */
    unsigned minor;      /* HTTP/1.minor */
    const struct net_http_header *headers;
    size_t headers_n;
    struct slice body;         /* complete once the message is done */
    bool keep_alive;           /* the connection may carry another message after this one */
    bool expect_continue;      /* request asked for 100 (Continue) */
    bool has_body;             /* a body is announced (also of unknown length) */
    uint64_t body_announced_n; /* Content-Length, 0 when chunked or absent */
};

enum net_http_event {
    NET_HTTP_MORE,  /* feed more */
    NET_HTTP_HEAD,  /* start line and headers are complete; call feed again to go on with the body */
    NET_HTTP_DONE,  /* the message is complete; octets behind it (pipelining) stay unread */
    NET_HTTP_FAULT, /* the peer broke the rules: answer net_http_fault_status() and close */
};

struct net_http_reader;

/* limits is copied.  ERR_NOMEM. */
enum err net_http_reader_create(enum net_http_role role, const struct net_http_limits *limits,
                                struct net_http_reader **out) MUST_USE;
void net_http_reader_free(struct net_http_reader **r);

/* Takes octets from the front of *in (which shrinks) until something happens or all is taken. */
enum net_http_event net_http_reader_feed(struct net_http_reader *r, struct slice *in);
/* The peer closed: a response delimited by close may be DONE now, anything half-way is FAULT, MORE when idle. */
enum net_http_event net_http_reader_eof(struct net_http_reader *r);
const struct net_http_msg *net_http_reader_msg(const struct net_http_reader *r);
/* Nothing of a message has arrived since create/next. */
bool net_http_reader_idle(const struct net_http_reader *r);
/* Octets of the current message's body received so far. */
size_t net_http_reader_body_n(const struct net_http_reader *r);
/* For FAULT: 400, 413, 414, 431, 501, 503 (no memory) or 505, and static text that says which rule was broken. */
unsigned net_http_fault_status(const struct net_http_reader *r);
const char *net_http_fault_text(const struct net_http_reader *r);
/* For NET_HTTP_CLIENT: the next final response answers HEAD, it has no body whatever its head says.  Interim (1xx)
 * responses do not use this up; net_http_reader_next() after the final one does. */
void net_http_reader_expect_no_body(struct net_http_reader *r, bool no_body);
/* Moves the body's storage out (no copy); msg->body then lives in *out. */
void net_http_reader_take_body(struct net_http_reader *r, struct buf *out);
/* Forget this message, be ready for the next; buffers are kept up to 16 KiB. */
void net_http_reader_next(struct net_http_reader *r);

/* First value of the field, SLICE_NONE when absent; *n (may be NULL) tells how many fields have the name. */
struct slice net_http_header(const struct net_http_msg *m, struct slice name, size_t *n);
/* True when a comma list field has the token (case folded). */
bool net_http_has_token(const struct net_http_msg *m, struct slice name, struct slice token);

/* Seconds from now_s (UTC) that a Retry-After field asks for: a number or an IMF-fixdate (RFC 9110 §10.2.3); 0 when
 * there is none, it is past, or it is not understood (the obsolete date forms are not). */
int64_t net_http_retry_after_s(const struct net_http_msg *m, int64_t now_s);

/* Standard reason phrase, "" when unknown. */
const char *net_http_reason(unsigned status);

/* Prints.  Header names and values must already be free of CR, LF and NUL: ERR_MALFORMED sticks otherwise. */
void net_http_print_status(struct buf *out, unsigned status);
void net_http_print_request(struct buf *out, struct slice method, struct slice target);
void net_http_print_header(struct buf *out, struct slice name, struct slice value);
void net_http_print_date(struct buf *out, int64_t utc_s);       /* a Date header line, IMF-fixdate */
void net_http_print_date_value(struct buf *out, int64_t utc_s); /* the date alone */
/* IMF-fixdate (RFC 9110 §5.6.7) to seconds since 1970, UTC.  ERR_MALFORMED; the obsolete forms are not read. */
enum err net_http_date_parse(struct slice in, int64_t *utc_s) MUST_USE;

#endif
