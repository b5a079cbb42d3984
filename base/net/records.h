/* Service records of the DNS (SRV, RFC 2782; NAPTR, RFC 3403) on the loop, by c-ares; addresses are dns.h's.  Answers come in the
 * order in which they are to be used: SRV by priority, and among equals drawn by weight; NAPTR by order and preference.  Loop thread
 * only. */
#ifndef BASE_NET_RECORDS_H
#define BASE_NET_RECORDS_H

#include "base/err.h"
#include "base/net/env.h"
#include "base/slice.h"

#define NET_RECORDS_MAX   16 /* looked at in one answer */
#define NET_RECORD_NAME_N 256

struct net_records;
struct net_records_query;

struct net_record {
    uint16_t priority;            /* NAPTR: order */
    uint16_t weight;              /* NAPTR: preference */
    uint16_t port;                /* SRV */
    char service[32];             /* NAPTR: "SIP+D2U"; cut ones are not told */
    char name[NET_RECORD_NAME_N]; /* SRV: target; NAPTR: replacement, of flag "s" alone */
};
enum net_record_kind { NET_RECORD_SRV, NET_RECORD_NAPTR };

/* Once, from the loop, never from inside the call that asked.  ERR_ABSENT: there are none; ERR_PEER: no server answered, or one refused;
 * ERR_LATE: cancelled; then n is 0. */
typedef void net_records_fn(enum err why, const struct net_record *records, size_t n, void *arg);

/* servers: "192.0.2.53:53, ..."; NULL or empty: those of the system.  ERR_MALFORMED, ERR_NOMEM, ERR_IO. */
enum err net_records_create(const struct net_env *env, const char *servers,
                            struct net_records **out) MUST_USE;
/* What is under way is cancelled and told.  closed fires when all of it is gone. */
void net_records_close(struct net_records *r, void (*closed)(void *arg), void *arg);

/* ERR_LIMIT: a name too long; ERR_NOMEM. */
enum err net_records_ask(struct net_records *r, enum net_record_kind kind, struct slice name,
                         net_records_fn *done, void *arg, struct net_records_query **out) MUST_USE;
/* done fires with ERR_LATE. */
void net_records_cancel(struct net_records_query *q);

#endif
