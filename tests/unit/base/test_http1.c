/* base/net/http1.c and http1_text.c: events and what they say for good, bad, pipelined and cut messages in both
 * roles; limits; what the printers refuse; dates against the C library. */
#include "tests/unit/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/net/http1.h"

#define REQ "POST /p HTTP/1.1\r\nHost: h\r\n"
#define RES "HTTP/1.1 200 OK\r\n"
#define TE  "Transfer-Encoding: chunked\r\n"

static const struct net_http_limits limits = {
    .head_max_n = 4096, .headers_max = 40, .value_max_n = 1000, .target_max_n = 100, .body_max_n = 200000};

static struct net_http_reader *reader(enum net_http_role role)
{
    struct net_http_reader *r;

    if (net_http_reader_create(role, &limits, &r))
        abort();
    return r;
}

/* Writes down what happens: "H" head, "D(body)" done, "F400" fault, "K" or "C" after D: kept or closed; at the
 * end of the input the peer closes. */
static void story(enum net_http_role role, struct slice in, size_t most, bool no_body, struct buf *to)
{
    struct net_http_reader *r = reader(role);
    const struct net_http_msg *m = net_http_reader_msg(r);
    enum net_http_event e = NET_HTTP_MORE;

    net_http_reader_expect_no_body(r, no_body);
    while (e != NET_HTTP_FAULT) {
        struct slice piece = slice_sub(in, 0, most ? 1 + (size_t)rand() % most : in.n);
        size_t n = piece.n;

        if (in.n || e == NET_HTTP_HEAD)
            e = net_http_reader_feed(r, &piece);
        else if ((e = net_http_reader_eof(r)) == NET_HTTP_MORE)
            break;
        in = slice_sub(in, n - piece.n, in.n);
        if (e == NET_HTTP_HEAD) {
            buf_add_str(to, m->expect_continue ? "HE" : "H");
        } else if (e == NET_HTTP_DONE) {
            buf_addf(to, "D(%.*s)%c", SLICE_FMT(m->body), m->keep_alive ? 'K' : 'C');
            net_http_reader_next(r);
        } else if (e == NET_HTTP_FAULT) {
            buf_addf(to, "F%u", net_http_fault_status(r));
        }
    }
    net_http_reader_free(&r);
    CU_ASSERT_PTR_NULL(r);
}

struct story_row {
    const char *in;
    const char *want;
    bool no_body;
};

static void tell(enum net_http_role role, const struct story_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t most = 0; most < 20; most++) {
            struct buf got;

            buf_init(&got, 100000);
            test_row(i);
            story(role, slice_str(rows[i].in), most, rows[i].no_body, &got);
            TEST_SLICE_EQ(buf_slice(&got), slice_str(rows[i].want));
            buf_clear(&got);
        }
}

static void test_requests(void)
{
    static const struct story_row rows[] = {
        {"", "", false},
        {"\r\n", "", false},
        {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HD()K", false},
        {REQ "Content-Length: 5\r\n\r\nhello", "HD(hello)K", false},
        {REQ "Content-Length: 0\r\n\r\n", "HD()K", false},
        {REQ TE "\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-A: b\r\n\r\n", "HD(hello world)K", false},
        {REQ TE "\r\n0\r\n\r\n", "HD()K", false},
        /* pipelining */
        {REQ "Content-Length: 2\r\n\r\nab\r\n" REQ TE
             "\r\n1\r\nc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
         "HD(ab)KHD(c)KHD()K", false},
        {REQ "\r\nGET / HTTP/9.1\r\n\r\n", "HD()KF505", false},
        /* upgrades are not offered: the message is read as if nobody had asked */
        {REQ "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n" REQ "\r\n", "HD()KHD()K", false},
        {REQ "Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 1\r\n\r\na", "HD(a)K", false},
        /* cut short */
        {"G", "F400", false},
        {REQ, "F400", false},
        {REQ "Content-Length: 5\r\n\r\nhell", "HF400", false},
        {REQ TE "\r\n5\r\nhello\r\n0\r\n", "HF400", false},
        /* faults after the head */
        {REQ TE "\r\n5\r\nhelloX\r\n", "HF400", false},
        {REQ TE "\r\nfffff\r\n", "HF413", false},
        {REQ TE "\r\n0\r\nContent-Length: 1\r\n\r\n", "HF400", false},
        /* faults of the head: no HEAD event */
        {REQ "Content-Length: 200001\r\n\r\n", "F413", false},
        {REQ "Content-Length: 5\r\n" TE "\r\n", "F400", false},
        {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", "F400", false},
        {"OPTIONS *x HTTP/1.1\r\nHost: h\r\n\r\n", "F400", false},
        {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "HD()K", false},
        {"GET foo HTTP/1.1\r\nHost: h\r\n\r\n", "F400", false},
        {"GET ?a HTTP/1.1\r\nHost: h\r\n\r\n", "F400", false},
        {"BREW / HTTP/1.1\r\nHost: h\r\n\r\n", "F501", false},
        {"get / HTTP/1.1\r\nHost: h\r\n\r\n", "F501", false},
        {"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", "F501", false},
    };
    tell(NET_HTTP_SERVER, rows, COUNT(rows));
}

static void test_expect_continue(void)
{
    static const struct story_row rows[] = {
        {REQ "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx", "HED(x)K", false},
        {REQ "expect: 100-Continue\r\n" TE "\r\n0\r\n\r\n", "HED()K", false},
        {REQ "Expect: 100-continue\r\n\r\n", "HD()K", false}, /* no content to come */
        {REQ "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", "HD()K", false},
        {REQ "Expect: 200-ok\r\nContent-Length: 1\r\n\r\nx", "HD(x)K", false},
        {"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx", "HD(x)C", false},
    };
    tell(NET_HTTP_SERVER, rows, COUNT(rows));
}

static void test_keep_alive(void)
{
    static const struct story_row requests[] = {
        {"GET / HTTP/1.0\r\n\r\n", "HD()C", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "HD()K", false},
        {"GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n", "HD()K", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "HD()C", false},
        {REQ "Connection: close\r\n\r\n", "HD()C", false},
        {REQ "Connection: x ,\tCLOSE\r\n\r\n", "HD()C", false},
        {REQ "Connection: keep-alive\r\nConnection: close\r\n\r\n", "HD()C", false},
        {REQ "Connection: closed\r\n\r\n", "HD()K", false},
        {REQ "Proxy-Connection: close\r\n\r\n", "HD()K", false}, /* no such field in HTTP */
    };
    static const struct story_row responses[] = {
        {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "HD()C", false},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", "HD()K", false},
        {RES "Connection: close\r\nContent-Length: 0\r\n\r\n", "HD()C", false},
        {RES "Connection: keep-alive\r\n\r\nx", "HD(x)C", false}, /* its end is the close */
    };
    tell(NET_HTTP_SERVER, requests, COUNT(requests));
    tell(NET_HTTP_CLIENT, responses, COUNT(responses));
}

static void test_responses(void)
{
    static const struct story_row rows[] = {
        {RES "Content-Length: 3\r\n\r\nabc", "HD(abc)K", false},
        {RES TE "\r\n3\r\nabc\r\n0\r\n\r\n" RES "Content-Length: 0\r\n\r\n", "HD(abc)KHD()K", false},
        {RES "\r\nuntil close", "HD(until close)C", false},
        {RES "\r\n", "HD()C", false},
        {"HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n", "HD()K", false},
        {"HTTP/1.1 100 Continue\r\n\r\n" RES "Content-Length: 1\r\n\r\nx", "HD()KHD(x)K", false},
        {"HTTP/1.1 204 No Content\r\n\r\n" RES "Content-Length: 1\r\n\r\nx", "HD()KHD(x)K", false},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n" RES "Content-Length: 1\r\n\r\nx",
         "HD()KHD(x)K", false},
        /* HEAD, then GET */
        {RES "Content-Length: 9999999\r\n\r\n" RES "Content-Length: 1\r\n\r\nx", "HD()KHD(x)K", true},
        {RES TE "\r\n" RES "Content-Length: 1\r\n\r\nx", "HD()KHD(x)K", true},
        {"HTTP/1.1 103 Hints\r\n\r\n" RES "Content-Length: 3\r\n\r\n", "HD()KHD()K", true},
        {RES "Content-Length: 3\r\n\r\nab", "HF400", false},
        {RES TE "\r\n3\r\nab", "HF400", false},
        {RES "Content-Length: 3\r\n\r\nabcd", "HD(abc)KF400", false},
        {"HTTP/1.1 20", "F400", false},
        {"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "F501", false},
        {"HTTP/3.0 200 OK\r\n\r\n", "F505", false},
    };
    tell(NET_HTTP_CLIENT, rows, COUNT(rows));
}

/* What a message says, with an odd but legal head. */
static void test_message(void)
{
    struct slice in =
        SLICE("M-SEARCH /a?b HTTP/1.0\r\nA:\r\nB: \t x y \t\r\na:z\r\nContent-Length: 3\r\n\r\nabc");
    struct net_http_reader *r = reader(NET_HTTP_SERVER);
    const struct net_http_msg *m = net_http_reader_msg(r);
    struct buf body;
    size_t n;

    CU_ASSERT_TRUE(net_http_reader_idle(r));
    CU_ASSERT(net_http_reader_feed(r, &in) == NET_HTTP_HEAD && in.n == 3);
    CU_ASSERT_FALSE(net_http_reader_idle(r));
    TEST_SLICE_EQ(m->method, SLICE("M-SEARCH"));
    TEST_SLICE_EQ(m->target, SLICE("/a?b"));
    CU_ASSERT(m->minor == 0 && m->headers_n == 4 && m->has_body && m->body_announced_n == 3);
    TEST_SLICE_EQ(net_http_header(m, SLICE("A"), &n), SLICE(""));
    CU_ASSERT_EQUAL(n, 2);
    TEST_SLICE_EQ(net_http_header(m, SLICE("b"), NULL), SLICE("x y"));
    CU_ASSERT_PTR_NULL(net_http_header(m, SLICE("c"), &n).p);
    CU_ASSERT_EQUAL(n, 0);
    CU_ASSERT(net_http_has_token(m, SLICE("A"), SLICE("Z")) &&
              !net_http_has_token(m, SLICE("A"), SLICE("y")));
    CU_ASSERT_EQUAL(net_http_reader_body_n(r), 0);
    CU_ASSERT(net_http_reader_feed(r, &in) == NET_HTTP_DONE && in.n == 0);
    CU_ASSERT(net_http_reader_feed(r, &in) == NET_HTTP_DONE); /* until next() */
    CU_ASSERT_EQUAL(net_http_reader_body_n(r), 3);
    buf_init(&body, 0);
    net_http_reader_take_body(r, &body);
    TEST_SLICE_EQ(buf_slice(&body), SLICE("abc"));
    CU_ASSERT_PTR_EQUAL(m->body.p, body.p);
    net_http_reader_next(r);
    CU_ASSERT(net_http_reader_idle(r) && m->headers_n == 0 && m->method.n == 0 && m->body.n == 0);
    buf_clear(&body);
    net_http_reader_free(&r);

    in = SLICE("HTTP/1.1 404 Not  Here\r\nContent-Length: 0\r\n\r\n");
    r = reader(NET_HTTP_CLIENT);
    CU_ASSERT(net_http_reader_feed(r, &in) == NET_HTTP_HEAD);
    CU_ASSERT_EQUAL(net_http_reader_msg(r)->status, 404);
    TEST_SLICE_EQ(net_http_reader_msg(r)->reason, SLICE("Not  Here"));
    net_http_reader_free(&r);
}

/* More fields than there is room for at first, and the ceiling. */
static void test_many_headers(void)
{
    for (size_t fields = 1; fields <= 42; fields++) {
        struct net_http_reader *r = reader(NET_HTTP_SERVER);
        struct buf text;
        struct slice in;

        buf_init(&text, 10000);
        buf_add_str(&text, "GET / HTTP/1.1\r\nHost: h\r\n");
        for (size_t i = 1; i < fields; i++)
            buf_addf(&text, "N%zu: v%zu\r\n", i, i);
        buf_add_str(&text, "\r\n");
        in = buf_slice(&text);
        test_row(fields);
        if (fields <= limits.headers_max) {
            CU_ASSERT(net_http_reader_feed(r, &in) == NET_HTTP_HEAD);
            CU_ASSERT_EQUAL(net_http_reader_msg(r)->headers_n, fields);
        } else {
            CU_ASSERT(net_http_reader_feed(r, &in) == NET_HTTP_FAULT && net_http_fault_status(r) == 431);
            CU_ASSERT(net_http_reader_eof(r) == NET_HTTP_FAULT);
        }
        buf_clear(&text);
        net_http_reader_free(&r);
    }
}

/* A body at its ceiling arrives in pieces; one octet more is refused, counted or chunked or until close. */
static void test_big_body(void)
{
    enum { N = 200000 };
    char *octets = calloc(1, N + 1);
    static const char *const heads[] = {RES "Content-Length: 200000\r\n\r\n", RES TE "\r\n30d40\r\n",
                                        RES "\r\n"};

    for (size_t i = 0; i < COUNT(heads); i++) {
        struct net_http_reader *r = reader(NET_HTTP_CLIENT);
        struct slice in = slice_str(heads[i]);
        struct slice rest = slice_of(octets, N);

        test_row(i);
        CU_ASSERT(net_http_reader_feed(r, &in) == NET_HTTP_HEAD);
        CU_ASSERT(in.n == 0 || net_http_reader_feed(r, &in) == NET_HTTP_MORE);
        while (rest.n) {
            in = slice_sub(rest, 0, 1500);
            rest = slice_sub(rest, in.n, rest.n);
            CU_ASSERT(net_http_reader_feed(r, &in) == (rest.n || i ? NET_HTTP_MORE : NET_HTTP_DONE));
        }
        CU_ASSERT_EQUAL(net_http_reader_body_n(r), N);
        in = SLICE("\r\n1\r\n");
        if (i > 0)
            CU_ASSERT(net_http_reader_feed(r, &in) == NET_HTTP_FAULT && net_http_fault_status(r) == 413);
        net_http_reader_free(&r);
    }
    free(octets);
}

/* Trailer fields are passed over: a message says what its head said. */
static void test_trailers(void)
{
    struct slice in = SLICE(REQ TE "\r\n1\r\na\r\n0\r\nX-A: b\r\nX-C: d\r\n\r\n");
    struct net_http_reader *r = reader(NET_HTTP_SERVER);

    CU_ASSERT(net_http_reader_feed(r, &in) == NET_HTTP_HEAD);
    CU_ASSERT(net_http_reader_feed(r, &in) == NET_HTTP_DONE);
    CU_ASSERT_EQUAL(net_http_reader_msg(r)->headers_n, 2);
    net_http_reader_free(&r);
}

/* The memory of one message serves the next. */
static void test_reuse(void)
{
    struct net_http_reader *r = reader(NET_HTTP_SERVER);
    const struct net_http_msg *m = net_http_reader_msg(r);
    const char *target = NULL;
    const char *body = NULL;

    for (size_t i = 0; i < 3; i++) {
        struct slice in = SLICE(REQ "Content-Length: 5\r\n\r\nhello");

        CU_ASSERT(net_http_reader_feed(r, &in) == NET_HTTP_HEAD);
        CU_ASSERT(net_http_reader_feed(r, &in) == NET_HTTP_DONE);
        CU_ASSERT(i == 0 || (m->target.p == target && m->body.p == body));
        target = m->target.p;
        body = m->body.p;
        net_http_reader_next(r);
    }
    net_http_reader_free(&r);
}

static void test_reason(void)
{
    CU_ASSERT_STRING_EQUAL(net_http_reason(200), "OK");
    CU_ASSERT_STRING_EQUAL(net_http_reason(202), "Accepted");
    CU_ASSERT_STRING_EQUAL(net_http_reason(505), "HTTP Version Not Supported");
    CU_ASSERT_STRING_EQUAL(net_http_reason(299), "");
    CU_ASSERT_STRING_EQUAL(net_http_reason(0), "");
    CU_ASSERT_STRING_EQUAL(net_http_reason(70000), "");
}

static void test_print(void)
{
    struct buf out;

    buf_init(&out, 1000);
    net_http_print_request(&out, SLICE("POST"), SLICE("/a?b"));
    net_http_print_header(&out, SLICE("Host"), SLICE("h"));
    net_http_print_header(&out, SLICE("A"), SLICE(""));
    net_http_print_status(&out, 202);
    net_http_print_status(&out, 299);
    CU_ASSERT(buf_err(&out) == ERR_OK);
    TEST_SLICE_EQ(
        buf_slice(&out),
        SLICE("POST /a?b HTTP/1.1\r\nHost: h\r\nA: \r\nHTTP/1.1 202 Accepted\r\nHTTP/1.1 299 \r\n"));
    buf_clear(&out);
}

static void test_print_refuses(void)
{
    static const struct {
        struct slice name;
        struct slice value;
    } headers[] = {
        {SLICE("A"), SLICE("b\r\nC: d")}, {SLICE("A"), SLICE("b\r")},    {SLICE("A"), SLICE("b\nc")},
        {SLICE("A"), SLICE("b\0c")},      {SLICE("A\r\nB"), SLICE("c")}, {SLICE("A\0"), SLICE("c")},
        {SLICE("A:"), SLICE("c")},        {SLICE("A B"), SLICE("c")},    {SLICE(""), SLICE("c")},
    };
    static const struct {
        struct slice method;
        struct slice target;
    } requests[] = {
        {SLICE("GET"), SLICE("/ HTTP/1.1\r\nA: b")},
        {SLICE("GET"), SLICE("/a b")},
        {SLICE("GET"), SLICE("/\0")},
        {SLICE("GET"), SLICE("/\xe9")},
        {SLICE("GET"), SLICE("")},
        {SLICE("G ET"), SLICE("/")},
        {SLICE(""), SLICE("/")},
        {SLICE("G\r\n"), SLICE("/")},
    };
    static const unsigned codes[] = {0, 99, 600, 100000};
    struct buf out;

    buf_init(&out, 1000);
    for (size_t i = 0; i < COUNT(headers) + COUNT(requests) + COUNT(codes); i++) {
        size_t k = i - COUNT(headers);

        test_row(i);
        if (i < COUNT(headers))
            net_http_print_header(&out, headers[i].name, headers[i].value);
        else if (k < COUNT(requests))
            net_http_print_request(&out, requests[k].method, requests[k].target);
        else
            net_http_print_status(&out, codes[k - COUNT(requests)]);
        CU_ASSERT(buf_err(&out) == ERR_MALFORMED && out.n == 0);
        net_http_print_header(&out, SLICE("A"), SLICE("b")); /* the error sticks */
        CU_ASSERT_EQUAL(out.n, 0);
        buf_clear(&out);
    }
}

static void check_date(int64_t utc_s)
{
    char want[100];
    struct buf out;
    struct tm tm;
    time_t t = (time_t)utc_s;

    buf_init(&out, 100);
    (void)gmtime_r(&t, &tm);
    (void)strftime(want, sizeof want, "Date: %a, %d %b ", &tm);
    (void)snprintf(want + strlen(want), sizeof want - strlen(want), "%04d %02d:%02d:%02d GMT\r\n",
                   tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    net_http_print_date(&out, utc_s);
    TEST_SLICE_EQ(buf_slice(&out), slice_str(want));
    buf_clear(&out);
}

/* Against gmtime_r: edges, then steps of a day and a bit over ten thousand years. */
static void test_date(void)
{
    static const int64_t rows[] = {0,  784111777,  951782399,    951782400,    1709208000,
                                   -1, 4102444800, -62167219200, -62162121600, 253402300799};
    static const int64_t bad[] = {-62167219201, 253402300800, INT64_MIN, INT64_MAX};

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        check_date(rows[i]);
    }
    for (int64_t s = rows[7]; s <= rows[9]; s += 86400 * 29 + 3661)
        check_date(s);
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct buf out;

        buf_init(&out, 100);
        net_http_print_date(&out, bad[i]);
        CU_ASSERT(buf_err(&out) == ERR_MALFORMED && out.n == 0);
        buf_clear(&out);
    }
}

static int64_t retry_after(const char *value, int64_t now_s)
{
    const struct net_http_header h = {SLICE("retry-AFTER"), slice_str(value)};
    const struct net_http_msg m = {.headers = &h, .headers_n = value != NULL};

    return net_http_retry_after_s(&m, now_s);
}

/* Numbers and dates that ask for a wait, and everything that asks for none. */
static void test_retry_after(void)
{
    const int64_t now = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */
    static const struct {
        const char *value;
        int64_t want;
    } rows[] = {
        {"0", 0},
        {"120", 120},
        {"4294967295", 4294967295},
        {"Sun, 06 Nov 1994 08:49:38 GMT", 1},
        {"Mon, 07 Nov 1994 08:49:37 GMT", 86400},
        {"Thu, 29 Feb 1996 00:00:00 GMT", 825552000 - 784111777},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0},  /* now */
        {"Sun, 06 Nov 1994 08:49:36 GMT", 0},  /* past */
        {"Wed, 29 Feb 1995 00:00:00 GMT", 0},  /* no such day */
        {"Thu, 31 Nov 1994 00:00:00 GMT", 0},  /* likewise */
        {"Mon, 00 Dec 1994 00:00:00 GMT", 0},  /* likewise */
        {"Xon, 07 Nov 1994 08:49:37 GMT", 0},  /* no such weekday */
        {"Mon, 07 Nox 1994 08:49:37 GMT", 0},  /* no such month */
        {"Mon, 07 nov 1994 08:49:37 GMT", 0},  /* case counts */
        {"Mon, 07 Nov 1994 24:49:37 GMT", 0},  /* no such hour */
        {"Mon, 07 Nov 1994 08:60:37 GMT", 0},  /* no such minute */
        {"Mon, 07 Nov 1994 08:49:61 GMT", 0},  /* no such second */
        {"Mon, 07 Nov 1994 08:49:37 UTC", 0},  /* not GMT */
        {"Mon, 7 Nov 1994 08:49:37 GMT", 0},   /* one digit */
        {"Mon, 07 Nov 1994 08:49:37 GMT ", 0}, /* more behind */
        {"Monday, 07-Nov-94 08:49:37 GMT", 0}, /* obsolete */
        {"Mon Nov  7 08:49:37 1994", 0},       /* obsolete */
        {"-1", 0},
        {"1.5", 0},
        {"12 s", 0},
        {"4294967296", 0},
        {"99999999999999999999", 0},
        {"soon", 0},
        {"", 0},
        {NULL, 0},
    };
    struct buf out;

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT_EQUAL(retry_after(rows[i].value, now), rows[i].want);
    }
    for (int64_t at = 1; at < 253402300799; at += 86400 * 37 + 3661) { /* the printer's own dates */
        buf_init(&out, 100);
        net_http_print_date(&out, at);
        buf_add_ch(&out, 0);
        ((char *)(uintptr_t)buf_slice(&out).p)[out.n - 3] = 0;
        CU_ASSERT_EQUAL(retry_after(buf_slice(&out).p + 6, 0), at);
        buf_clear(&out);
    }
}

static void test_dates(void)
{
    static const struct {
        const char *value;
        enum err want;
        int64_t utc_s;
    } rows[] = {
        {"Thu, 01 Jan 1970 00:00:00 GMT", ERR_OK, 0},
        {"Sun, 06 Nov 1994 08:49:37 GMT", ERR_OK, 784111777},
        {"Wed, 31 Dec 1969 23:59:59 GMT", ERR_OK, -1},
        {"Sun, 06 Nov 1994 08:49:37 GM", ERR_MALFORMED, 0},
        {"Sun, 31 Feb 1994 08:49:37 GMT", ERR_MALFORMED, 0},
        {"Sunday, 06-Nov-94 08:49:37 GMT", ERR_MALFORMED, 0},
        {"", ERR_MALFORMED, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t got = -7;
        struct buf out;

        test_row(i);
        CU_ASSERT_EQUAL(net_http_date_parse(slice_str(rows[i].value), &got), rows[i].want);
        CU_ASSERT_EQUAL(got, rows[i].want ? -7 : rows[i].utc_s);
        buf_init(&out, 100);
        net_http_print_date_value(&out, rows[i].utc_s);
        if (!rows[i].want)
            TEST_SLICE_EQ(buf_slice(&out), slice_str(rows[i].value));
        buf_clear(&out);
    }
}

const struct test_case test_cases[] = {
    {"dates", test_dates},
    {"requests", test_requests},
    {"expect_continue", test_expect_continue},
    {"keep_alive", test_keep_alive},
    {"responses", test_responses},
    {"message", test_message},
    {"many_headers", test_many_headers},
    {"big_body", test_big_body},
    {"trailers", test_trailers},
    {"reuse", test_reuse},
    {"reason", test_reason},
    {"print", test_print},
    {"print_refuses", test_print_refuses},
    {"date", test_date},
    {"retry_after", test_retry_after},
    {NULL, NULL},
};
