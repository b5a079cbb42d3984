/* See dnspeer.h. */
#include "tests/unit/dnspeer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "tests/unit/harness.h"

#define HEAD_N 12

static void put16(struct buf *b, unsigned v)
{
    buf_add_ch(b, (char)(v >> 8));
    buf_add_ch(b, (char)v);
}

static void put_text(struct buf *b, const char *text)
{
    buf_add_ch(b, (char)strlen(text));
    buf_add_str(b, text);
}

static void put_name(struct buf *b, const char *name)
{
    struct slice rest = slice_str(name), label;
    bool more = rest.n != 0;

    while (more) {
        more = slice_cut(rest, '.', &label, &rest);
        buf_add_ch(b, (char)label.n);
        buf_add(b, label);
    }
    buf_add_ch(b, '\0');
}

/* The labels of a question as text; how many octets they are. */
static size_t read_name(struct slice in, char *out, size_t cap)
{
    size_t at = 0, n = 0;

    while (at < in.n && in.p[at]) {
        size_t label = (unsigned char)in.p[at++];

        for (size_t i = 0; i < label && at < in.n && n + 2 < cap; i++)
            out[n++] = in.p[at++];
        out[n++] = '.';
    }
    out[n ? n - 1 : 0] = '\0';
    return at + 1;
}

static void put_row(struct buf *b, const struct dns_row *row)
{
    struct buf data;

    buf_init(&data, 1024);
    put16(&data, row->a);
    put16(&data, row->b);
    if (row->type == 33) {
        put16(&data, row->port);
    } else {
        put_text(&data, row->flags);
        put_text(&data, row->service);
        put_text(&data, row->regexp ? row->regexp : "");
    }
    put_name(&data, row->target);
    put16(b, 0xC00C);
    put16(b, row->type);
    put16(b, 1);
    put16(b, 0);
    put16(b, 60);
    put16(b, (unsigned)data.n);
    buf_add(b, buf_slice(&data));
    buf_clear(&data);
}

static void answer(const struct dns_peer *p, struct slice d, struct buf *out)
{
    char name[256];
    size_t question_n = read_name(slice_sub(d, HEAD_N, SIZE_MAX), name, sizeof name) + 4;
    unsigned type = (unsigned char)d.p[HEAD_N + question_n - 3], found = 0;

    for (size_t i = 0; i < p->rows_n; i++)
        found += p->rows[i].type == type && strcasecmp(p->rows[i].name, name) == 0;
    buf_add(out, slice_sub(d, 0, 2));
    put16(out, found ? 0x8180 : 0x8183); /* else: no such name */
    put16(out, 1);
    put16(out, found);
    put16(out, 0);
    put16(out, 0);
    buf_add(out, slice_sub(d, HEAD_N, question_n));
    for (size_t i = 0; i < p->rows_n; i++)
        if (p->rows[i].type == type && strcasecmp(p->rows[i].name, name) == 0)
            put_row(out, &p->rows[i]);
}

static void on_question(struct net_udp *u, const struct sockaddr *from, struct slice d, void *arg)
{
    struct dns_peer *p = arg;
    struct buf out;

    p->asked++;
    if (p->silent || d.n < HEAD_N + 5)
        return;
    buf_init(&out, 4096);
    answer(p, d, &out);
    CU_ASSERT_EQUAL(net_udp_send(u, from, buf_slice(&out)), ERR_OK);
    buf_clear(&out);
}

void dns_peer_open(struct dns_peer *p, struct netloop *nl, const struct dns_row *rows, size_t n)
{
    const struct net_udp_user user = {.data = on_question, .arg = p};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    *p = (struct dns_peer){.nl = nl, .rows = rows, .rows_n = n};
    CU_ASSERT_EQUAL_FATAL(net_udp_open(&nl->env, (struct sockaddr *)&at, NULL, &user, &p->udp), ERR_OK);
    (void)snprintf(p->servers, sizeof p->servers, "127.0.0.1:%u", net_udp_port(p->udp));
}

static void on_closed(void *arg)
{
    ((struct dns_peer *)arg)->closed++;
}

void dns_peer_close(struct dns_peer *p)
{
    net_udp_close(p->udp, on_closed, p);
    (void)netloop_until(p->nl, &p->closed, 1);
}
