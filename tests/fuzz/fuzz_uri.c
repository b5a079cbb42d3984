/* http URIs: what is accepted has all its parts inside the input, a host and a port, and parses to the same
 * again when it is put together from the parts. */
#include "base/buf.h"
#include "base/net/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool inside(struct slice part, struct slice in)
{
    return part.p >= in.p && part.p + part.n <= in.p + in.n;
}

static void print(struct buf *out, const struct net_uri *u)
{
    bool v6 = slice_find(u->host, ':') != SIZE_MAX;

    buf_add_str(out, u->https ? "https://" : "http://");
    buf_add_str(out, v6 ? "[" : "");
    buf_add(out, u->host);
    buf_add_str(out, v6 ? "]:" : ":");
    buf_add_u64(out, u->port);
    buf_add(out, u->target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n);
    struct net_uri u;
    struct net_uri again;
    struct buf text;

    if (net_uri_parse(in, &u))
        return 0;
    MUST(inside(u.host, in) && u.host.n && u.port && u.target.n && u.target.p[0] == '/');
    buf_init(&text, 4096);
    print(&text, &u);
    if (text.n <= 2048) {
        MUST(net_uri_parse(buf_slice(&text), &again) == ERR_OK);
        MUST(again.https == u.https && again.port == u.port && slice_eq(again.host, u.host) &&
             slice_eq(again.target, u.target));
    }
    buf_clear(&text);
    return 0;
}
