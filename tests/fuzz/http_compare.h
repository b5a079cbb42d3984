/* Runs octets through an HTTP reader and prints all that it tells into one text; two ways of cutting the same
 * octets must give the same text.  Shared by the request and the response fuzz target. */
#ifndef TESTS_FUZZ_HTTP_COMPARE_H
#define TESTS_FUZZ_HTTP_COMPARE_H

#include "base/net/http1.h"

static inline void story_head(struct buf *to, const struct net_http_msg *m)
{
    buf_addf(to, "head 1.%u status=%u body=%d n=%llu keep=%d expect=%d\n", m->minor, m->status, m->has_body,
             (unsigned long long)m->body_announced_n, m->keep_alive, m->expect_continue);
    buf_add(to, m->method);
    buf_add_ch(to, ' ');
    buf_add(to, m->target);
    buf_add(to, m->reason);
    for (size_t i = 0; i < m->headers_n; i++) {
        buf_add_ch(to, '\n');
        buf_add(to, m->headers[i].name);
        buf_add_ch(to, '=');
        buf_add(to, m->headers[i].value);
    }
}

/* Returns false when nothing more can come. */
static inline bool story_event(struct buf *to, struct net_http_reader *r, enum net_http_event e)
{
    const struct net_http_msg *m = net_http_reader_msg(r);

    switch (e) {
    case NET_HTTP_HEAD:
        story_head(to, m);
        return true;
    case NET_HTTP_DONE:
        buf_addf(to, "\ndone %zu:", m->body.n);
        buf_add(to, m->body);
        net_http_reader_next(r);
        MUST(net_http_reader_idle(r));
        return true;
    case NET_HTTP_FAULT:
        MUST(net_http_fault_status(r) >= 400 && net_http_fault_text(r)[0]);
        buf_addf(to, "\nfault %u %s", net_http_fault_status(r), net_http_fault_text(r));
        return false;
    default:
        return true;
    }
}

/* step 0: whole. */
static inline void story(enum net_http_role role, struct slice in, bool no_body, size_t step, struct buf *to)
{
    const struct net_http_limits limits = {
        .head_max_n = 800, .headers_max = 20, .value_max_n = 400, .target_max_n = 100, .body_max_n = 500};
    struct net_http_reader *r;
    enum net_http_event e = NET_HTTP_MORE;
    bool more = true;

    if (net_http_reader_create(role, &limits, &r))
        return;
    net_http_reader_expect_no_body(r, no_body);
    while (more && (in.n || e == NET_HTTP_HEAD)) {
        struct slice piece = slice_sub(in, 0, step ? 1 + (in.n * 7 + step) % step : in.n);
        size_t before = piece.n;

        e = net_http_reader_feed(r, &piece);
        MUST(e != NET_HTTP_MORE || piece.n == 0);
        in = slice_sub(in, before - piece.n, in.n);
        more = story_event(to, r, e);
    }
    if (more)
        (void)story_event(to, r, net_http_reader_eof(r));
    net_http_reader_free(&r);
}

static inline void http_compare(enum net_http_role role, struct slice in, bool no_body)
{
    static const size_t steps[] = {1, 2, 7, 64};
    struct buf whole;
    struct buf cut;

    buf_init(&whole, 1 << 24);
    buf_init(&cut, 1 << 24);
    story(role, in, no_body, 0, &whole);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        buf_reset(&cut, 4096);
        story(role, in, no_body, steps[i], &cut);
        MUST(slice_eq(buf_slice(&whole), buf_slice(&cut)));
    }
    buf_clear(&whole);
    buf_clear(&cut);
}

#endif
