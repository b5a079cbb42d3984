/* A DNS server for tests on 127.0.0.1: service records by a table, everything else does not exist.  Octets are written here by
 * hand (RFC 1035 §4, RFC 2782, RFC 3403 §4.1). */
#ifndef TESTS_UNIT_DNSPEER_H
#define TESTS_UNIT_DNSPEER_H

#include "base/net/udp.h"
#include "tests/unit/netloop.h"

struct dns_row {
    const char *name;                     /* asked for */
    unsigned type;                        /* 33 SRV, 35 NAPTR */
    uint16_t a, b;                        /* priority, weight; order, preference */
    uint16_t port;                        /* SRV */
    const char *flags, *service, *regexp; /* NAPTR */
    const char *target;
};

struct dns_peer {
    struct netloop *nl;
    struct net_udp *udp;
    const struct dns_row *rows;
    size_t rows_n;
    bool silent;
    char servers[32]; /* "127.0.0.1:port" */
    size_t asked;
    size_t closed;
};

void dns_peer_open(struct dns_peer *p, struct netloop *nl, const struct dns_row *rows, size_t n);
void dns_peer_close(struct dns_peer *p);

#endif
