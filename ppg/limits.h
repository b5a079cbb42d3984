/* What each initiator has used of its limits (struct sec_limits): requests and recipients a second, connections.  The
 * limits themselves are the configuration's; what waits in the queue is the store's to count.
 *
 * Story of an account.  Every configuration has a table with one record for each of its accounts.  Before a reload
 * takes over, its table gets the records of those that were known under the same name before, so a bucket is not full
 * again because somebody reloaded; only where the limit itself changed is it filled, when the new configuration is
 * taken.  On the message path a record is found by the account's number and touched with atomics alone: no lock, and
 * the same answer whichever loop asks.  A record lives as long as a configuration or a connection points to it. */
#ifndef PPG_LIMITS_H
#define PPG_LIMITS_H

#include "base/buf.h"
#include "security/rules/accounts.h"

struct ppg_limits; /* of one configuration */
struct ppg_usage;  /* of one account */

/* --- off the loops --- */

/* Nothing is used.  ERR_NOMEM. */
enum err ppg_limits_create(const struct sec_accounts *accounts, struct ppg_limits **out) MUST_USE;
void ppg_limits_free(struct ppg_limits **l);
/* Goes on where `before` is, for accounts of the same name.  Changes nothing in `before`, so the new table may still be
 * thrown away.  Before anybody else sees `l`. */
void ppg_limits_inherit(struct ppg_limits *l, const struct sec_accounts *accounts,
                        const struct ppg_limits *before, const struct sec_accounts *accounts_before);

/* --- any thread --- */

/* The configuration is taken: buckets whose limit is another one than before are filled. */
void ppg_limits_begin(struct ppg_limits *l);
struct ppg_usage *ppg_limits_of(const struct ppg_limits *l, const struct sec_account *account);

/* One more request, n more recipients: may they?  As rate_take(); a refusal counts. */
bool ppg_usage_request(struct ppg_usage *u, const struct sec_account *a, int64_t now_ms, int64_t *wait_ms);
bool ppg_usage_recipients(struct ppg_usage *u, const struct sec_account *a, uint32_t n, int64_t now_ms,
                          int64_t *wait_ms);
/* A connection of this account.  True: it is counted, and ppg_usage_leave() is owed; the record stays until then. */
bool ppg_usage_enter(struct ppg_usage *u, const struct sec_account *a) MUST_USE;
void ppg_usage_leave(struct ppg_usage *u);
/* The store said that the queue is full. */
void ppg_usage_queue_refused(struct ppg_usage *u);

/* Header lines RateLimit-Policy and RateLimit for those limits that the account has (RateLimit header fields for HTTP,
 * draft-ietf-httpapi-ratelimit-headers-10 §3, §4): what is left, and in how many seconds all is there again.  Policies
 * are "requests", "recipients", "connections" (one request at a time on each) and "queue"; of the last only when the
 * answer knows how much waits: queued < 0 is not known.  A deviation: the draft knows no quota unit for recipients. */
void ppg_usage_print(const struct ppg_usage *u, const struct sec_account *a, int64_t now_ms, int64_t queued,
                     struct buf *headers);

/* For operators. */
struct ppg_usage_figures {
    uint32_t requests_left; /* UINT32_MAX: no limit */
    uint32_t recipients_left;
    uint32_t connections;
    uint64_t requests_refused; /* since the account became known */
    uint64_t recipients_refused;
    uint64_t connections_refused;
    uint64_t queue_refused;
};
void ppg_usage_read(const struct ppg_usage *u, const struct sec_account *a, int64_t now_ms,
                    struct ppg_usage_figures *out);

#endif
