/* Reads HTTP/1.1 messages: framing.c says which octets belong to the message and refuses what is not strict,
 * http-parser cuts them into start line, fields and body, and this file bounds, keeps and hands them out.  The
 * head is kept whole and parsed once it is complete, so every slice of it lies in one buffer and the outcome does
 * not depend on how the octets arrived; the body is parsed as it comes.  No sockets, no clock.  RFC 9110, RFC
 * 9112.  One thread a reader. */
#include "base/net/http1.h"

#include <http_parser.h>
#include <stdlib.h>

#include "base/net/framing.h"
#include "base/num.h"

#define KEEP_N        (16u * 1024) /* octets of a buffer kept from message to message */
#define RESERVE_N     (64u * 1024) /* octets of body room made because Content-Length says so */
#define HEADERS_FIRST 16           /* fields there is room for at first */

struct net_http_reader {
    http_parser parser;
    struct net_framing *framing;
    struct net_http_msg msg;
    struct net_http_header *headers; /* owned; room for headers_cap, msg.headers_n used */
    size_t headers_cap;
    struct buf head;       /* octets of the message up to the end of its head; msg borrows from it */
    struct buf body;       /* chunks joined */
    bool head_done;        /* msg is filled in, trailers are passed over */
    bool complete;         /* http-parser has seen the end of the message */
    bool done;             /* framing has */
    unsigned fault_status; /* 0: none */
    const char *fault_text;
};

static struct net_http_reader *reader_of(http_parser *p)
{
    return p->data;
}

static int on_url(http_parser *p, const char *at, size_t n)
{
    reader_of(p)->msg.target = slice_of(at, n);
    return 0;
}

static int on_status(http_parser *p, const char *at, size_t n)
{
    reader_of(p)->msg.reason = slice_of(at, n);
    return 0;
}

/* The table doubles up to headers_max, which framing has already enforced. */
static bool headers_room(struct net_http_reader *r)
{
    size_t cap = r->headers_cap ? r->headers_cap * 2 : HEADERS_FIRST;
    struct net_http_header *more;
    size_t n;

    if (r->msg.headers_n < r->headers_cap)
        return true;
    if (!num_mul(cap, sizeof *more, &n) || !(more = realloc(r->headers, n)))
        return false;
    r->headers = more;
    r->headers_cap = cap;
    return true;
}

static int on_header_field(http_parser *p, const char *at, size_t n)
{
    struct net_http_reader *r = reader_of(p);

    if (r->head_done)
        return 0;
    if (!headers_room(r))
        return -1;
    r->headers[r->msg.headers_n++] = (struct net_http_header){slice_of(at, n), SLICE_NONE};
    return 0;
}

static int on_header_value(http_parser *p, const char *at, size_t n)
{
    struct net_http_reader *r = reader_of(p);

    if (!r->head_done)
        r->headers[r->msg.headers_n - 1].value = slice_trim(slice_of(at, n));
    return 0;
}

/* http-parser would wait for the body that a 304 or the answer to HEAD announces: 1 makes it skip that. */
static int on_headers_complete(http_parser *p)
{
    uint64_t n;

    return net_framing_body(reader_of(p)->framing, &n) == NET_BODY_NONE ? 1 : 0;
}

static int on_body(http_parser *p, const char *at, size_t n)
{
    struct buf *body = &reader_of(p)->body;

    buf_add(body, slice_of(at, n));
    return buf_err(body) ? -1 : 0;
}

static int on_message_complete(http_parser *p)
{
    reader_of(p)->complete = true;
    return 0;
}

static const http_parser_settings settings = {
    .on_url = on_url,
    .on_status = on_status,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static enum net_http_event fault(struct net_http_reader *r, unsigned status, const char *text)
{
    r->fault_status = status;
    r->fault_text = text;
    return NET_HTTP_FAULT;
}

static enum net_http_event fault_of_framing(struct net_http_reader *r)
{
    return fault(r, net_framing_status(r->framing), net_framing_text(r->framing));
}

static enum net_http_event fault_of_buf(struct net_http_reader *r, const struct buf *b, unsigned too_long)
{
    if (buf_err(b) == ERR_NOMEM)
        return fault(r, 503, "out of memory");
    return fault(r, too_long, too_long == 413 ? "body is too long" : "header section is too long");
}

static enum net_http_event fault_of_parser(struct net_http_reader *r)
{
    switch (HTTP_PARSER_ERRNO(&r->parser)) {
    case HPE_INVALID_METHOD:
        return fault(r, 501, "unknown method"); /* RFC 9110 §9.1 */
    case HPE_INVALID_URL:
        return fault(r, 400, "bad request target");
    case HPE_HEADER_OVERFLOW:
        return fault(r, 431, "header section is too long");
    case HPE_CB_header_field:
        return fault(r, 503, "out of memory");
    case HPE_CB_body:
        return fault_of_buf(r, &r->body, 413);
    default:
        return fault(r, 400, "malformed message");
    }
}

/* Whether both sides agree on the octets so far: all taken, and the end seen by both or by none. */
static bool parse(struct net_http_reader *r, struct slice octets)
{
    size_t n = http_parser_execute(&r->parser, &settings, octets.p, octets.n);

    return HTTP_PARSER_ERRNO(&r->parser) == HPE_OK && n == octets.n && r->complete == r->done;
}

/* asterisk-form is for OPTIONS only (RFC 9112 §3.2.4); http-parser lets it pass anywhere. */
static bool target_is_good(const struct net_http_reader *r)
{
    return slice_find(r->msg.target, '*') != 0 || (r->parser.method == HTTP_OPTIONS && r->msg.target.n == 1);
}

/* Connection persistence, RFC 9112 §9.3. */
static bool keeps_alive(const struct net_http_msg *m, enum net_framing_body body)
{
    const struct slice connection = SLICE("Connection");

    if (body == NET_BODY_UNTIL_CLOSE || net_http_has_token(m, connection, SLICE("close")))
        return false;
    return m->minor > 0 || net_http_has_token(m, connection, SLICE("keep-alive"));
}

static void fill_msg(struct net_http_reader *r)
{
    struct net_http_msg *m = &r->msg;
    enum net_framing_body body = net_framing_body(r->framing, &m->body_announced_n);

    if (r->parser.type == HTTP_REQUEST)
        m->method = slice_str(http_method_str((enum http_method)r->parser.method));
    m->status = r->parser.status_code;
    m->minor = r->parser.http_minor;
    m->headers = r->headers;
    m->has_body = body != NET_BODY_NONE;
    m->keep_alive = keeps_alive(m, body);
    /* RFC 9110 §10.1.1: only with content to come, and not from an HTTP/1.0 client */
    m->expect_continue = m->has_body && m->minor > 0 && r->parser.type == HTTP_REQUEST &&
                         net_http_has_token(m, SLICE("Expect"), SLICE("100-continue"));
}

static enum net_http_event end_head(struct net_http_reader *r)
{
    if (!parse(r, buf_slice(&r->head)))
        return fault_of_parser(r);
    if (r->parser.type == HTTP_REQUEST && !target_is_good(r))
        return fault(r, 400, "bad request target");
    fill_msg(r);
    r->head_done = true;
    if (r->msg.body_announced_n > 0 &&
        !buf_room(&r->body, num_min((size_t)r->msg.body_announced_n, RESERVE_N)))
        return fault_of_buf(r, &r->body, 413);
    return NET_HTTP_HEAD;
}

static enum net_http_event end_message(struct net_http_reader *r)
{
    r->msg.body = buf_slice(&r->body);
    return NET_HTTP_DONE;
}

/* Octets that framing has accepted. */
static enum net_http_event take(struct net_http_reader *r, struct slice octets)
{
    if (r->head_done) {
        if (!parse(r, octets))
            return fault_of_parser(r);
        return r->done ? end_message(r) : NET_HTTP_MORE;
    }
    if (!net_framing_idle(r->framing)) /* else the empty line before a request */
        buf_add(&r->head, octets);
    if (buf_err(&r->head))
        return fault_of_buf(r, &r->head, 431);
    return net_framing_head_done(r->framing) ? end_head(r) : NET_HTTP_MORE;
}

enum net_http_event net_http_reader_feed(struct net_http_reader *r, struct slice *in)
{
    enum net_http_event event = NET_HTTP_MORE;
    size_t taken;

    if (r->fault_status)
        return NET_HTTP_FAULT;
    if (r->done)
        return end_message(r);
    while (event == NET_HTTP_MORE && in->n > 0) {
        struct slice octets;

        if (net_framing_feed(r->framing, *in, &taken, &r->done) != ERR_OK)
            return fault_of_framing(r);
        octets = slice_sub(*in, 0, taken);
        *in = slice_sub(*in, taken, in->n);
        event = take(r, octets);
    }
    return event;
}

enum net_http_event net_http_reader_eof(struct net_http_reader *r)
{
    uint64_t n;

    if (r->fault_status)
        return NET_HTTP_FAULT;
    if (r->done)
        return end_message(r);
    if (net_framing_idle(r->framing))
        return NET_HTTP_MORE;
    if (!r->head_done || net_framing_body(r->framing, &n) != NET_BODY_UNTIL_CLOSE)
        return fault(r, 400, "connection closed inside a message");
    r->done = true;
    return parse(r, SLICE_NONE) ? end_message(r) : fault_of_parser(r);
}

static void start(struct net_http_reader *r)
{
    http_parser_init(&r->parser, r->parser.type);
    r->parser.data = r;
    r->msg = (struct net_http_msg){0};
    r->head_done = r->complete = r->done = false;
    r->fault_status = 0;
    r->fault_text = "";
}

enum err net_http_reader_create(enum net_http_role role, const struct net_http_limits *limits,
                                struct net_http_reader **out)
{
    struct net_http_reader *r = calloc(1, sizeof *r);
    enum err e;

    if (!r)
        return ERR_NOMEM;
    e = net_framing_create(role, limits, &r->framing);
    if (e) {
        free(r);
        return e;
    }
    r->parser.type = role == NET_HTTP_SERVER ? HTTP_REQUEST : HTTP_RESPONSE;
    buf_init(&r->head, limits->head_max_n);
    buf_init(&r->body, limits->body_max_n);
    start(r);
    *out = r;
    return ERR_OK;
}

void net_http_reader_free(struct net_http_reader **r)
{
    if (*r) {
        net_framing_free(&(*r)->framing);
        buf_clear(&(*r)->head);
        buf_clear(&(*r)->body);
        free((*r)->headers);
        free(*r);
    }
    *r = NULL;
}

void net_http_reader_next(struct net_http_reader *r)
{
    net_framing_next(r->framing);
    buf_reset(&r->head, KEEP_N);
    buf_reset(&r->body, KEEP_N);
    if (r->headers_cap * sizeof *r->headers > KEEP_N) {
        free(r->headers);
        r->headers = NULL;
        r->headers_cap = 0;
    }
    start(r);
}

const struct net_http_msg *net_http_reader_msg(const struct net_http_reader *r)
{
    return &r->msg;
}

bool net_http_reader_idle(const struct net_http_reader *r)
{
    return !r->fault_status && net_framing_idle(r->framing);
}

size_t net_http_reader_body_n(const struct net_http_reader *r)
{
    return r->body.n;
}

unsigned net_http_fault_status(const struct net_http_reader *r)
{
    return r->fault_status;
}

const char *net_http_fault_text(const struct net_http_reader *r)
{
    return r->fault_text;
}

void net_http_reader_expect_no_body(struct net_http_reader *r, bool no_body)
{
    net_framing_no_body(r->framing, no_body);
}

void net_http_reader_take_body(struct net_http_reader *r, struct buf *out)
{
    buf_move(&r->body, out);
    r->msg.body = buf_slice(out);
}

const char *net_http_reason(unsigned status)
{
    const char *text = http_status_str((enum http_status)status);

    return text[0] == '<' ? "" : text; /* "<unknown>" */
}
