/* See sippeer.h. */
#include "tests/unit/sippeer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/net/listen.h"
#include "tests/unit/harness.h"

/* A line that begins with `name`, with its CRLF; "" when there is none. */
static void copy_line(const char *request, const char *name, char *out, size_t cap)
{
    char start[64];
    const char *at, *end;

    (void)snprintf(start, sizeof start, "\r\n%s", name);
    at = strstr(request, start);
    end = at ? strstr(at + 2, "\r\n") : NULL;
    if (end)
        (void)snprintf(out, cap, "%.*s", (int)(end - at - 2), at + 2);
    else
        out[0] = '\0';
}

const char *sip_peer_header(const struct sip_peer *p, size_t n, const char *name)
{
    static char lines[8][1024];
    static size_t at;
    char *line = lines[at++ % 8];

    copy_line(p->requests[n], name, line, sizeof lines[0]);
    return line[0] ? line + strlen(name) : "";
}

static const char *answer_of(struct sip_peer *p, size_t i)
{
    char via[512], from[256], to[256], id[256], cseq[64];
    const char *said = NULL, *body = "";

    for (size_t k = 0; k <= i && k < SIP_PEER_REQUESTS; k++)
        said = p->script[k] ? p->script[k] : said;
    if (!said || !said[0])
        return NULL;
    copy_line(p->requests[i], "Via:", via, sizeof via);
    copy_line(p->requests[i], "From:", from, sizeof from);
    copy_line(p->requests[i], "To:", to, sizeof to);
    copy_line(p->requests[i], "Call-ID:", id, sizeof id);
    copy_line(p->requests[i], "CSeq:", cseq, sizeof cseq);
    if (p->body && strncmp(p->requests[i], "INVITE ", 7) == 0 && strncmp(said, "200", 3) == 0)
        body = p->body;
    (void)snprintf(p->answer, sizeof p->answer,
                   "SIP/2.0 %s\r\n%s\r\n%s\r\n%s;tag=peer\r\n%s\r\n%s\r\nContent-Length: %zu\r\n\r\n%s", said,
                   via, from, to, id, cseq, strlen(body), body);
    return p->answer;
}

static const char *take(struct sip_peer *p, struct slice request)
{
    size_t i = p->n;

    CU_ASSERT_FATAL(i < SIP_PEER_REQUESTS);
    CU_ASSERT_EQUAL_FATAL(mem_cstr(p->requests[i], sizeof p->requests[0], request), ERR_OK);
    p->n++;
    return answer_of(p, i);
}

static void on_datagram(struct net_udp *u, const struct sockaddr *from, struct slice d, void *arg)
{
    const char *answer = take(arg, d);

    if (answer)
        CU_ASSERT_EQUAL(net_udp_send(u, from, slice_str(answer)), ERR_OK);
}

static void on_opened(struct net_stream *s, void *arg)
{
    struct sip_peer_stream *st = arg;

    (void)s;
    st->peer->opened++;
}

/* Octets of the first request in what came; 0: not whole. */
static size_t whole(const struct sip_peer_stream *st)
{
    struct slice in = buf_slice(&st->in), length;
    size_t end = slice_find_slice(in, SLICE("\r\n\r\n")),
           at = slice_find_slice(in, SLICE("Content-Length: "));
    size_t n;

    if (end == SIZE_MAX || at > end)
        return 0;
    length = slice_sub(in, at + 16, SIZE_MAX);
    n = end + 4 + strtoul(length.p, NULL, 10); /* it ends at CR */
    return n <= in.n ? n : 0;
}

static void on_data(struct net_stream *s, struct slice data, void *arg)
{
    struct sip_peer_stream *st = arg;
    size_t n;

    buf_add(&st->in, data);
    CU_ASSERT_FATAL(buf_err(&st->in) == ERR_OK);
    while ((n = whole(st)) != 0) {
        const char *answer = take(st->peer, slice_sub(buf_slice(&st->in), 0, n));

        buf_drop(&st->in, n);
        if (answer)
            (void)net_stream_write(s, slice_str(answer));
    }
}

static void on_closed(struct net_stream *s, enum err why, void *arg)
{
    struct sip_peer_stream *st = arg;

    (void)s, (void)why;
    st->stream = NULL;
    buf_clear(&st->in);
    st->peer->closed++;
}

static void on_accepted(uv_os_sock_t fd, struct net_gate_seat *seat, void *arg)
{
    struct sip_peer *p = arg;
    struct sip_peer_stream *st = &p->streams[p->streams_n++];
    const struct net_stream_user user = {
        .opened = on_opened, .data = on_data, .closed = on_closed, .arg = st};

    (void)seat;
    CU_ASSERT_FATAL(p->streams_n <= SIP_PEER_STREAMS);
    st->peer = p;
    buf_init(&st->in, 16384);
    CU_ASSERT_EQUAL_FATAL(net_stream_adopt(&p->nl->env, fd, p->tls, 5000, &user, &st->stream), ERR_OK);
}

void sip_peer_open(struct sip_peer *p, struct netloop *nl, unsigned over, struct net_tls_ctx *tls)
{
    const struct net_listen_conf conf = {
        .name = "peer", .address = "127.0.0.1", .accepted = on_accepted, .arg = p};
    const struct net_udp_user user = {.data = on_datagram, .arg = p};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *why;

    p->nl = nl;
    p->tls = tls;
    if (over & SIP_PEER_TCP) {
        CU_ASSERT_EQUAL_FATAL(net_listen(&nl->env, &conf, &p->listener, &why), ERR_OK);
        p->port = net_listener_port(p->listener);
    }
    at.sin_port = htons(p->port);
    if (over & SIP_PEER_UDP) {
        CU_ASSERT_EQUAL_FATAL(net_udp_open(&nl->env, (struct sockaddr *)&at, NULL, &user, &p->udp), ERR_OK);
        p->port = net_udp_port(p->udp);
    }
}

static void on_ended(void *arg)
{
    ((struct sip_peer *)arg)->ended++;
}

void sip_peer_close(struct sip_peer *p)
{
    size_t want = p->ended + (p->udp ? 1u : 0) + (p->listener ? 1u : 0);

    if (p->udp)
        net_udp_close(p->udp, on_ended, p);
    if (p->listener)
        net_listener_close(p->listener, on_ended, p);
    for (size_t i = 0; i < p->streams_n; i++)
        if (p->streams[i].stream)
            net_stream_abort(p->streams[i].stream, ERR_OK);
    (void)netloop_until(p->nl, &p->ended, want);
    (void)netloop_until(p->nl, &p->closed, p->streams_n);
}
