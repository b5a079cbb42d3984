/* Messages a second of our reader (strict check, http-parser, everything kept as slices) against bare http-parser
 * with no callbacks, on one 900-octet POST fed whole again and again.  Prints one line. */
#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/net/http1.h"

#define MESSAGE_N 900
#define ROUNDS    5
#define MESSAGES  100000

static const char head[] =
    "POST /pap HTTP/1.1\r\n"
    "Host: ppg.example.net:8443\r\n"
    "User-Agent: mmsc/1.0 (push initiator)\r\n"
    "Accept: application/xml\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Connection: keep-alive\r\n"
    "Content-Type: multipart/related; type=\"application/xml\"; boundary=asdlfkjiurwghasf\r\n"
    "X-Wap-Initiator-URI: https://mmsc.example.net/submit\r\n"
    "Content-Length: 566\r\n"
    "\r\n";

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double ours(struct net_http_reader *r, struct slice message)
{
    double from = now();

    for (int i = 0; i < MESSAGES; i++) {
        struct slice in = message;

        if (net_http_reader_feed(r, &in) != NET_HTTP_HEAD || net_http_reader_feed(r, &in) != NET_HTTP_DONE)
            exit(1);
        net_http_reader_next(r);
    }
    return MESSAGES / (now() - from);
}

static double peer(struct slice message)
{
    http_parser_settings none;
    http_parser p;
    double from = now();

    http_parser_settings_init(&none);
    for (int i = 0; i < MESSAGES; i++) {
        http_parser_init(&p, HTTP_REQUEST);
        if (http_parser_execute(&p, &none, message.p, message.n) != message.n)
            exit(1);
    }
    return MESSAGES / (now() - from);
}

int main(void)
{
    const struct net_http_limits limits = {.head_max_n = 16384,
                                           .headers_max = 64,
                                           .value_max_n = 8192,
                                           .target_max_n = 2048,
                                           .body_max_n = 1 << 20};
    char message[MESSAGE_N];
    struct net_http_reader *r;
    double best_ours = 0, best_peer = 0, rate;
    size_t head_n = sizeof head - 1;

    if (net_http_reader_create(NET_HTTP_SERVER, &limits, &r) || sizeof message - head_n != 566) {
        (void)fprintf(stderr, "head has %zu octets\n", head_n);
        return 1;
    }
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = i < head_n ? head[i] : 'x';
    for (int i = 0; i < ROUNDS; i++) {
        rate = ours(r, slice_of(message, sizeof message));
        best_ours = rate > best_ours ? rate : best_ours;
        rate = peer(slice_of(message, sizeof message));
        best_peer = rate > best_peer ? rate : best_peer;
    }
    net_http_reader_free(&r);
    (void)printf("bench http1_read ours=%.0f peer=%.0f ratio=%.2f\n", best_ours, best_peer,
                 best_ours / best_peer);
    return 0;
}
