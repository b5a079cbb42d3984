/* http and https URIs (RFC 3986, RFC 9110 §4.2), as much of them as a client needs: no userinfo, no fragment. */
#ifndef BASE_NET_URI_H
#define BASE_NET_URI_H

#include "base/err.h"
#include "base/slice.h"

struct net_uri {
    bool https;
    struct slice host;   /* without brackets */
    uint16_t port;       /* default filled in */
    struct slice target; /* path and query; "/" when empty */
};

/* Views into `in`.  ERR_MALFORMED; ERR_UNSUPPORTED for other schemes, for userinfo and for a query without a path
 * (its target is no part of `in`); ERR_LIMIT above 2048 octets. */
enum err net_uri_parse(struct slice in, struct net_uri *out) MUST_USE;

/* Where a server is, whatever it speaks: scheme "://" host [ ":" port ] [ "/" ]. */
struct net_server {
    struct slice scheme;
    struct slice host; /* without brackets */
    uint16_t port;     /* 0: none is named */
};
/* As above. */
enum err net_server_parse(struct slice in, struct net_server *out) MUST_USE;

#endif
