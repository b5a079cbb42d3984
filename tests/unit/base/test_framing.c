/* base/net/framing.c with framing_head.c: every rule of the strict check as a row with its status, each fed whole,
 * octet by octet and cut at random, which must not change the outcome. */
#include "tests/unit/harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/net/framing.h"

#define REQ "POST / HTTP/1.1\r\nHost: h\r\n"
#define RES "HTTP/1.1 200 OK\r\n"
#define TE  "Transfer-Encoding: chunked\r\n"

static const struct net_http_limits limits = {
    .head_max_n = 600, .headers_max = 8, .value_max_n = 300, .target_max_n = 40, .body_max_n = 1000};

struct outcome {
    enum err err;
    unsigned status; /* 0: none */
    size_t n;        /* octets of the message, when it was done */
    bool done;
};

/* Feeds pieces of 1..most octets; most 0: whole. */
static struct outcome feed(enum net_http_role role, struct slice in, size_t most, bool no_body)
{
    struct outcome o = {ERR_OK, 0, 0, false};
    struct net_framing *f;
    size_t taken;

    if (net_framing_create(role, &limits, &f))
        abort();
    net_framing_no_body(f, no_body);
    while (in.n && !o.done && !o.err) {
        size_t n = most ? 1 + (size_t)rand() % most : in.n;

        o.err = net_framing_feed(f, slice_sub(in, 0, n), &taken, &o.done);
        if (!o.err) {
            o.n += taken;
            in = slice_sub(in, taken, in.n);
        }
    }
    o.status = net_framing_status(f);
    CU_ASSERT((o.status == 0) == (o.err == ERR_OK));
    CU_ASSERT((net_framing_text(f)[0] == '\0') == (o.err == ERR_OK));
    if (o.err) { /* it stays refused */
        CU_ASSERT(net_framing_feed(f, SLICE("x"), &taken, &o.done) == o.err);
        o.n = 0;
    }
    net_framing_free(&f);
    CU_ASSERT_PTR_NULL(f);
    return o;
}

static bool same(struct outcome a, struct outcome b)
{
    return a.err == b.err && a.status == b.status && a.n == b.n && a.done == b.done;
}

static struct outcome feed_all_ways(enum net_http_role role, struct slice in, bool no_body)
{
    struct outcome whole = feed(role, in, 0, no_body);

    CU_ASSERT(same(whole, feed(role, in, 1, no_body)));
    for (size_t i = 2; i < 12; i++)
        CU_ASSERT(same(whole, feed(role, in, i * i, no_body)));
    return whole;
}

struct refusal {
    const char *in;
    unsigned status;
};

static void refused(enum net_http_role role, const struct refusal *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        test_row(i);
        CU_ASSERT_EQUAL(feed_all_ways(role, slice_str(rows[i].in), false).status, rows[i].status);
    }
}

static void test_start_line(void)
{
    static const struct refusal rows[] = {
        {"GET / HTTP/1.1\nHost: h\r\n\r\n", 400}, /* bare LF */
        {"GET / HTTP/1.1\rHost: h\r\n\r\n", 400}, /* bare CR */
        {"GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", 400},
        {"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400}, /* two empty lines */
        {"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"\rGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {" GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400}, /* HTTP/0.9 */
        {"GET /\n", 400},
        {"GET\r\n", 400},
        {"G(T / HTTP/1.1\r\n", 400},
        {"\x16\x03\x01\x02", 400}, /* TLS to a clear port */
        {"GET  / HTTP/1.1\r\n", 400},
        {"GET /  HTTP/1.1\r\n", 400},
        {"GET / HTTP/1.1 \r\n", 400},
        {"GET /a b HTTP/1.1\r\n", 400},
        {"GET /\t HTTP/1.1\r\n", 400},
        {"GET /# HTTP/1.1\r\n", 400},
        {"GET /<> HTTP/1.1\r\n", 400},
        {"GET /\xc3\xa9 HTTP/1.1\r\n", 400},
        {"GET / HTTP/1\r\n", 400},
        {"GET / HTTP/1.\r\n", 400},
        {"GET / HTTP/1.11\r\n", 400},
        {"GET / HTTP/01.1\r\n", 400},
        {"GET / HTTP/11.1\r\n", 400},
        {"GET / http/1.1\r\n", 400},
        {"GET / HTTP/x.1\r\n", 400},
        {"GET / HTTP-1.1\r\n", 400},
        {"GET / ICAP/1.1\r\n", 400},
        {"GET / HTTP/2.0\r\n", 505},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"GET / HTTP/0.9\r\n", 505},
        {"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", 501},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n", 501},           /* 33 */
        {"GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n", 414}, /* 41 */
    };
    refused(NET_HTTP_SERVER, rows, COUNT(rows));
}

static void test_fields(void)
{
    static const struct refusal rows[] = {
        {REQ "A: b\nC: d\r\n\r\n", 400},
        {REQ "A: b\rC: d\r\n\r\n", 400},
        {REQ "A: b\r\n\n", 400},
        {REQ "\n", 400},
        {REQ "\rX", 400},
        {REQ "A : b\r\n\r\n", 400}, /* space before colon */
        {REQ "A\t: b\r\n\r\n", 400},
        {REQ "A: b\r\n c\r\n\r\n", 400}, /* folding */
        {REQ "A: b\r\n\tc\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n Host: h\r\n\r\n", 400}, /* before the first field */
        {REQ ": b\r\n\r\n", 400},
        {REQ "A\r\n\r\n", 400}, /* no colon */
        {REQ "A b: c\r\n\r\n", 400},
        {REQ "A\x80: c\r\n\r\n", 400},
        {REQ "A(: c\r\n\r\n", 400},
        {REQ "A: \x80\r\n\r\n", 400}, /* 8-bit */
        {REQ "A: caf\xc3\xa9\r\n\r\n", 400},
        {REQ "A: \x01\r\n\r\n", 400},
        {REQ "A: \x7f\r\n\r\n", 400},
        {REQ "A: b\x0b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400}, /* no Host */
        {"GET / HTTP/1.1\r\nA: b\r\n\r\n", 400},
        {REQ "Host: h\r\n\r\n", 400}, /* repeated Host */
        {"GET / HTTP/1.0\r\nHost: h\r\nhost: g\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: u@b\r\n\r\n", 400},
        {REQ "A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n", 431}, /* the ninth */
    };
    refused(NET_HTTP_SERVER, rows, COUNT(rows));
}

/* A NUL cannot stand in a C string row. */
static void test_nul(void)
{
    static const struct slice rows[] = {
        SLICE("\0"),
        SLICE("GE\0T / HTTP/1.1\r\n"),
        SLICE("GET /\0 HTTP/1.1\r\n"),
        SLICE("GET / HTTP/1.1\0\r\n"),
        SLICE(REQ "A\0: b\r\n\r\n"),
        SLICE(REQ "A: b\0\r\n\r\n"),
        SLICE(REQ "A: b\r\0\n"),
        SLICE(REQ TE "\r\n1\0\r\nx\r\n"),
        SLICE(REQ TE "\r\n1;a\0\r\nx\r\n"),
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(feed_all_ways(NET_HTTP_SERVER, rows[i], false).status, 400);
    }
}

/* What two readers could frame differently. */
static void test_smuggling(void)
{
    static const struct refusal rows[] = {
        {REQ "Content-Length: 6\r\n" TE "\r\n0\r\n\r\nG", 400},       /* CL.TE */
        {REQ TE "Content-Length: 4\r\n\r\n1\r\nx\r\n0\r\n\r\n", 400}, /* TE.CL */
        {REQ TE "Content-Length: 0\r\n\r\n", 400},
        {REQ TE TE "\r\n", 400},
        {REQ TE "Transfer-Encoding: cow\r\n\r\n", 400}, /* TE.TE */
        {REQ TE "Transfer-encoding: identity\r\n\r\n", 400},
        {REQ "Transfer-Encoding: xchunked\r\n\r\n", 501},
        {REQ "Transfer-Encoding: chunke\r\n\r\n", 501},
        {REQ "Transfer-Encoding: chunked;q=1\r\n\r\n", 501},
        {REQ "Transfer-Encoding: \"chunked\"\r\n\r\n", 501},
        {REQ "Transfer-Encoding: identity\r\n\r\n", 501},
        {REQ "Transfer-Encoding: gzip\r\n\r\n", 501},
        {REQ "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {REQ "Transfer-Encoding:\r\n\r\n", 400},
        {REQ "Transfer-Encoding: chunked, gzip\r\n\r\n", 400},
        {REQ "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
        {REQ "Transfer-Encoding : chunked\r\n\r\n", 400},
        {REQ "Transfer-Encoding\t: chunked\r\n\r\n", 400},
        {REQ "Transfer-Encoding: \x0b"
             "chunked\r\n\r\n",
         400},
        {REQ "Transfer-Encoding:\r\n chunked\r\n\r\n", 400},
        {REQ "A: b\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {REQ " Transfer-Encoding: chunked\r\n\r\n", 400},
        {"POST / HTTP/1.0\r\n" TE "\r\n0\r\n\r\n", 400},
        {REQ "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
        {REQ "Content-Length: 5\r\ncontent-length: 6\r\n\r\nhello", 400},
        {REQ "Content-Length: 5, 5\r\n\r\nhello", 400},
        {REQ "Content-Length: 5 5\r\n\r\nhello", 400},
        {REQ "Content-Length: +5\r\n\r\nhello", 400},
        {REQ "Content-Length: -5\r\n\r\nhello", 400},
        {REQ "Content-Length: 0x5\r\n\r\nhello", 400},
        {REQ "Content-Length: 5.0\r\n\r\nhello", 400},
        {REQ "Content-Length: 5a\r\n\r\nhello", 400},
        {REQ "Content-Length: \r\n\r\n", 400},
        {REQ "Content-Length: 1001\r\n\r\n", 413},
        {REQ "Content-Length: 18446744073709551621\r\n\r\nhello", 413}, /* 2^64 + 5 */
        {REQ "Content-Length: 99999999999999999999999999999999999999\r\n\r\n", 413},
    };
    refused(NET_HTTP_SERVER, rows, COUNT(rows));
}

static void test_chunk_faults(void)
{
    static const struct refusal rows[] = {
        {REQ TE "\r\n\r\n", 400},
        {REQ TE "\r\n;a\r\n", 400},
        {REQ TE "\r\nx\r\n", 400},
        {REQ TE "\r\n-1\r\n", 400},
        {REQ TE "\r\n+1\r\nx\r\n", 400},
        {REQ TE "\r\n0x1\r\nx\r\n", 400},
        {REQ TE "\r\n 1\r\nx\r\n", 400},
        {REQ TE "\r\n1 \r\nx\r\n", 400},
        {REQ TE "\r\n1\nx\r\n", 400},
        {REQ TE "\r\n1\rx\r\n", 400},
        {REQ TE "\r\n1;a\nx\r\n", 400},
        {REQ TE "\r\n1;\x80\r\nx\r\n", 400},
        {REQ TE "\r\n1\r\nxy\r\n", 400},     /* data longer than its size */
        {REQ TE "\r\n2\r\nx\r\n0\r\n", 400}, /* shorter */
        {REQ TE "\r\n1\r\nx\n", 400},
        {REQ TE "\r\n1\r\nx\rA", 400},
        {REQ TE "\r\n1\r\nx0\r\n\r\n", 400},
        {REQ TE "\r\n0000000000000001\r\nx\r\n", 400}, /* 16 digits */
        {REQ TE "\r\nffffffffffffffffff\r\n", 400},
        {REQ TE "\r\n3e9\r\n", 413},
        {REQ TE "\r\n1\r\nx\r\n3e8\r\n", 413},
        {REQ TE "\r\nfffffffffffffff\r\n", 413},
        {REQ TE "\r\n0\r\nContent-Length: 5\r\n\r\n", 400},
        {REQ TE "\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {REQ TE "\r\n0\r\nhost: h\r\n\r\n", 400},
        {REQ TE "\r\n0\r\nAuthorization: Basic x\r\n\r\n", 400},
        {REQ TE "\r\n0\r\nX-Wap-Initiator-URI: x\r\n\r\n", 400},
        {REQ TE "\r\n0\r\nA : b\r\n\r\n", 400},
        {REQ TE "\r\n0\r\nA: b\r\n c\r\n\r\n", 400},
        {REQ TE "\r\n0\r\nA: \xff\r\n\r\n", 400},
        {REQ TE "\r\n0\r\n\n", 400},
        {REQ TE "\r\n0\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n", 431},
    };
    refused(NET_HTTP_SERVER, rows, COUNT(rows));
}

static void test_good_requests(void)
{
    static const struct {
        const char *in;
        size_t behind; /* octets of the next message */
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 0},
        {"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 0},
        {"GET / HTTP/1.0\r\n\r\n", 0},
        {"GET / HTTP/1.2\r\nHost: h\r\n\r\n", 0}, /* read as 1.1, RFC 9110 §2.5 */
        {"OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", 0},
        {"GET http://[::1]:80/a?b=%20 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0},
        {REQ "\r\nGET", 3},
        {REQ "A:\r\nB: \t \r\nC:d\t e \r\n\r\n", 0},
        {REQ "Content-Length: 5 \r\n\r\nhellox", 1},
        {REQ "Content-Length:\t005\r\n\r\nhello", 0},
        {REQ "Content-Length: 0\r\n\r\nx", 1},
        {REQ "transfer-ENCODING: CHUNKED \r\n\r\n0\r\n\r\nx", 1},
        {REQ TE "\r\n5\r\nhello\r\n00A\r\n0123456789\r\n000\r\n\r\n", 0},
        {REQ TE "\r\n1;a;b=\"c\" ;d\r\n\n\r\n0;e\r\n\r\n", 0},
        {REQ TE "\r\n0\r\nX-Sum: 1\r\nEtag: y\r\n\r\nzz", 2},
        {REQ "A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n", 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice in = slice_str(rows[i].in);
        struct outcome o = feed_all_ways(NET_HTTP_SERVER, in, false);

        test_row(i);
        CU_ASSERT_EQUAL(o.status, 0);
        CU_ASSERT_TRUE(o.done);
        CU_ASSERT_EQUAL(o.n, in.n - rows[i].behind);
    }
}

/* A message of `n` repeated octets between two parts. */
static unsigned padded(const char *before, size_t n, const char *after)
{
    char text[2048];
    int len = snprintf(text, sizeof text, "%s%0*d%s", before, (int)n, 0, after);

    return feed_all_ways(NET_HTTP_SERVER, slice_of(text, (size_t)len), false).status;
}

static void test_limits(void)
{
    static const struct {
        const char *before;
        size_t n;
        const char *after;
        unsigned status;
    } rows[] = {
        {"GET /", 39, " HTTP/1.1\r\nHost: h\r\n\r\n", 0},
        {"GET /", 40, " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
        {REQ "A: ", 300, "\r\n\r\n", 0},
        {REQ "A: ", 301, "\r\n\r\n", 431},
        {REQ "A: ", 301, "\x01", 431},
        {REQ, 256, ": b\r\n\r\n", 0},
        {REQ, 257, ": b\r\n\r\n", 431},
        {"GET / HTTP/1.1\r\nHost: ", 256, "\r\n\r\n", 0},
        {"GET / HTTP/1.1\r\nHost: ", 257, "\r\n\r\n", 431},
        {REQ "Content-Length: ", 256, "\r\n\r\n", 0},
        {REQ "Content-Length: ", 257, "\r\n\r\n", 431},
        {REQ "A: 01234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n"
             "A: 01234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n"
             "A: 01234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n"
             "A: 0123456789012345678901\r\nB: ",
         285, "\r\n\r\n", 0}, /* 600 octets of head */
        {REQ "A: 01234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n"
             "A: 01234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n"
             "A: 01234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n"
             "A: 0123456789012345678901\r\nB: ",
         286, "\r\n\r\n", 431},
        {REQ TE "\r\n1;", 255, "\r\nx\r\n0\r\n\r\n", 0},
        {REQ TE "\r\n1;", 256, "\r\nx\r\n0\r\n\r\n", 0},
        {REQ TE "\r\n1;", 257, "\r\nx\r\n0\r\n\r\n", 400},
        {REQ TE "\r\n", 15, "\r\n\r\n", 0},
        {REQ TE "\r\n", 16, "\r\n\r\n", 400},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(padded(rows[i].before, rows[i].n, rows[i].after), rows[i].status);
    }
}

/* Every octet at every kind of place against a naive statement of what may stand there. */
static void test_every_octet(void)
{
    static const struct {
        const char *before;
        const char *after;
        const char *good; /* besides letters and digits */
    } rows[] = {
        {"", "X / HTTP/1.1\r\nHost: h\r\n\r\n", "!#$%&'*+-.^_`|~"},
        {"GET /", " HTTP/1.1\r\nHost: h\r\n\r\n", "-._~:/?[]@!$&'()*+,;=% "},
        {REQ "A", "B: c\r\n\r\n", "!#$%&'*+-.^_`|~:"},
        {REQ "A: bbbbbbbbbbb", "cccccccccccccccccc\r\n\r\n", "\t !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"},
        {REQ "A: b", "c\r\n\r\n", "\t !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"},
        {REQ TE "\r\n1;a", "b\r\nx\r\n0\r\n\r\n", "\t !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"},
        {"GET / HTTP/1.1\r\nHost: a", "b\r\n\r\n", "-._~%!$&'()*+;=:[]"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        for (int ch = 1; ch < 256; ch++) {
            bool alnum = (ch >= '0' && ch <= '9') || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z' && ch < 0x80);
            char text[200];
            int n = snprintf(text, sizeof text, "%s%c%s", rows[i].before, ch, rows[i].after);
            bool want = alnum || strchr(rows[i].good, ch);

            if (i == 1 && ch == ' ') /* "GET /  HTTP": an empty version */
                want = false;
            test_row(i * 1000 + (size_t)ch);
            CU_ASSERT_EQUAL(feed_all_ways(NET_HTTP_SERVER, slice_of(text, (size_t)n), false).status == 0,
                            want);
        }
}

static void test_bad_responses(void)
{
    static const struct refusal rows[] = {
        {"\r\nHTTP/1.1 200 OK\r\n\r\n", 400},
        {"HTTP/1.1 200 OK\n\r\n", 400},
        {"HTTP/1.1  200 OK\r\n\r\n", 400},
        {"HTTP/1.1 20 OK\r\n\r\n", 400},
        {"HTTP/1.1 2000 OK\r\n\r\n", 400},
        {"HTTP/1.1 20x OK\r\n\r\n", 400},
        {"HTTP/1.1 099 OK\r\n\r\n", 400},
        {"HTTP/1.1 600 OK\r\n\r\n", 400},
        {"HTTP/1.1\r\n\r\n", 400},
        {"HTTP/1.1 200 O\x80K\r\n\r\n", 400},
        {"HTTP/1.1 200 O\x01K\r\n\r\n", 400},
        {"HTTP/2.0 200 OK\r\n\r\n", 505},
        {"ICY 200 OK\r\n\r\n", 400},
        {"http/1.1 200 OK\r\n\r\n", 400},
        {"hello world\r\n", 400},
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n", 501},
        {RES "Content-Length: 3\r\n" TE "\r\n", 400},
        {RES "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
        {RES "Content-Length: 3, 3\r\n\r\n", 400},
        {RES "Content-Length: 1001\r\n\r\n", 413},
        {RES "Transfer-Encoding: gzip\r\n\r\n", 501},
        {RES "Transfer-Encoding: chunked, gzip\r\n\r\n", 400},
        {"HTTP/1.0 200 OK\r\n" TE "\r\n0\r\n\r\n", 400},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", 400},
        {"HTTP/1.1 204 No Content\r\n" TE "\r\n0\r\n\r\n", 400},
        {"HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\n", 400},
        {RES "A : b\r\n\r\n", 400},
        {RES "A: b\r\n c\r\n\r\n", 400},
    };
    refused(NET_HTTP_CLIENT, rows, COUNT(rows));
}

static void test_good_responses(void)
{
    static const struct {
        const char *in;
        size_t behind;
        bool no_body;
        bool done;
    } rows[] = {
        {RES "Content-Length: 3\r\n\r\nabcd", 1, false, true},
        {RES "Content-Length: 3\r\n\r\nabc", 3, true, true}, /* HEAD */
        {RES "Content-Length: 3000\r\n\r\n", 0, true, true}, /* HEAD of something big */
        {RES TE "\r\nHTTP", 4, true, true},
        {RES "\r\nuntil close", 0, false, false},
        {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 0, false, true},
        {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 0, false, true},
        {"HTTP/1.1 204 No Content\r\n\r\nabc", 3, false, true},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 0, false, true},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\nabc", 3, false, true},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP", 4, false, true},
        {RES TE "\r\n3\r\nabc\r\n0\r\n\r\n", 0, false, true},
        {RES "Host: a b\r\nHost: c\r\nContent-Length: 0\r\n\r\n", 0, false, true}, /* means nothing here */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice in = slice_str(rows[i].in);
        struct outcome o = feed_all_ways(NET_HTTP_CLIENT, in, rows[i].no_body);

        test_row(i);
        CU_ASSERT_EQUAL(o.status, 0);
        CU_ASSERT_EQUAL(o.done, rows[i].done);
        CU_ASSERT_EQUAL(o.n, in.n - rows[i].behind);
    }
}

static void test_until_close_is_bounded(void)
{
    struct net_http_limits small = limits;
    struct net_framing *f;
    size_t taken;
    bool done;

    small.body_max_n = 3;
    CU_ASSERT_FATAL(net_framing_create(NET_HTTP_CLIENT, &small, &f) == ERR_OK);
    CU_ASSERT(net_framing_feed(f, SLICE(RES "\r\n"), &taken, &done) == ERR_OK && !done);
    CU_ASSERT(net_framing_feed(f, SLICE("abc"), &taken, &done) == ERR_OK && taken == 3 && !done);
    CU_ASSERT(net_framing_feed(f, SLICE("d"), &taken, &done) == ERR_LIMIT);
    CU_ASSERT_EQUAL(net_framing_status(f), 413);
    net_framing_free(&f);
}

/* One feed ends behind the head; next() starts afresh; HEAD holds over interim responses and no longer. */
static void test_steps(void)
{
    struct net_framing *f;
    struct slice in = SLICE(REQ "Content-Length: 2\r\n\r\nab");
    size_t taken;
    uint64_t n;
    bool done;

    CU_ASSERT_FATAL(net_framing_create(NET_HTTP_SERVER, &limits, &f) == ERR_OK);
    CU_ASSERT(net_framing_idle(f));
    CU_ASSERT(net_framing_feed(f, SLICE("\r\n"), &taken, &done) == ERR_OK && taken == 2);
    CU_ASSERT(net_framing_idle(f));
    CU_ASSERT(net_framing_feed(f, in, &taken, &done) == ERR_OK && taken == in.n - 2 && !done);
    CU_ASSERT(net_framing_head_done(f) && !net_framing_idle(f));
    CU_ASSERT(net_framing_body(f, &n) == NET_BODY_LENGTH && n == 2);
    CU_ASSERT(net_framing_feed(f, SLICE("abc"), &taken, &done) == ERR_OK && taken == 2 && done);
    CU_ASSERT(net_framing_feed(f, SLICE("c"), &taken, &done) == ERR_OK && taken == 0 && done);
    net_framing_next(f);
    CU_ASSERT(net_framing_idle(f) && !net_framing_head_done(f));
    net_framing_free(&f);

    CU_ASSERT_FATAL(net_framing_create(NET_HTTP_CLIENT, &limits, &f) == ERR_OK);
    net_framing_no_body(f, true);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT(net_framing_feed(f, SLICE("HTTP/1.1 102 .\r\n\r\n"), &taken, &done) == ERR_OK && done);
        net_framing_next(f);
    }
    CU_ASSERT(net_framing_feed(f, SLICE(RES TE "\r\n"), &taken, &done) == ERR_OK && done);
    net_framing_next(f);
    CU_ASSERT(net_framing_feed(f, SLICE(RES TE "\r\n"), &taken, &done) == ERR_OK && !done);
    net_framing_free(&f);
}

const struct test_case test_cases[] = {
    {"start_line", test_start_line},
    {"fields", test_fields},
    {"nul", test_nul},
    {"smuggling", test_smuggling},
    {"chunk_faults", test_chunk_faults},
    {"good_requests", test_good_requests},
    {"limits", test_limits},
    {"every_octet", test_every_octet},
    {"bad_responses", test_bad_responses},
    {"good_responses", test_good_responses},
    {"until_close_is_bounded", test_until_close_is_bounded},
    {"steps", test_steps},
    {NULL, NULL},
};
