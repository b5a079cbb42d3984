/* Use of limits; see limits.h.  Counters are relaxed: each is right by itself, and nothing else hangs on them. */
#include "ppg/limits.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

struct ppg_usage {
    atomic_uint refs; /* tables and connections */
    struct rate_bucket requests;
    struct rate_bucket recipients;
    atomic_uint connections;
    atomic_uint_fast64_t requests_refused;
    atomic_uint_fast64_t recipients_refused;
    atomic_uint_fast64_t connections_refused;
    atomic_uint_fast64_t queue_refused;
};

struct place {
    struct ppg_usage *usage;
    bool refill_requests; /* at the begin */
    bool refill_recipients;
};

struct ppg_limits {
    size_t n;
    struct place at[]; /* by number of the account */
};

static void count(atomic_uint_fast64_t *n)
{
    (void)atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

static struct ppg_usage *usage_hold(struct ppg_usage *u)
{
    (void)atomic_fetch_add_explicit(&u->refs, 1, memory_order_relaxed);
    return u;
}

static void usage_drop(struct ppg_usage *u)
{
    if (u && atomic_fetch_sub_explicit(&u->refs, 1, memory_order_acq_rel) == 1)
        free(u);
}

enum err ppg_limits_create(const struct sec_accounts *accounts, struct ppg_limits **out)
{
    size_t n = sec_accounts_count(accounts);
    struct ppg_limits *l = calloc(1, sizeof *l + n * sizeof l->at[0]);

    if (!l)
        return ERR_NOMEM;
    for (l->n = 0; l->n < n; l->n++) {
        l->at[l->n].usage = calloc(1, sizeof *l->at[0].usage);
        if (!l->at[l->n].usage) {
            ppg_limits_free(&l);
            return ERR_NOMEM;
        }
        atomic_init(&l->at[l->n].usage->refs, 1);
    }
    *out = l;
    return ERR_OK;
}

void ppg_limits_free(struct ppg_limits **lp)
{
    struct ppg_limits *l = *lp;

    for (size_t i = 0; l && i < l->n; i++)
        usage_drop(l->at[i].usage);
    free(l);
    *lp = NULL;
}

static bool same(const struct rate *a, const struct rate *b)
{
    return a->count == b->count && a->burst == b->burst && a->period_ms == b->period_ms;
}

void ppg_limits_inherit(struct ppg_limits *l, const struct sec_accounts *accounts,
                        const struct ppg_limits *before, const struct sec_accounts *accounts_before)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct sec_account *is = sec_accounts_at(accounts, i);
        const struct sec_account *was = sec_accounts_find(accounts_before, is->name);
        struct place *p = &l->at[i];

        if (!was)
            continue;
        usage_drop(p->usage);
        p->usage = usage_hold(before->at[was->number].usage);
        p->refill_requests = !same(&is->limits.requests, &was->limits.requests);
        p->refill_recipients = !same(&is->limits.recipients, &was->limits.recipients);
    }
}

void ppg_limits_begin(struct ppg_limits *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->at[i].refill_requests)
            rate_refill(&l->at[i].usage->requests);
        if (l->at[i].refill_recipients)
            rate_refill(&l->at[i].usage->recipients);
    }
}

struct ppg_usage *ppg_limits_of(const struct ppg_limits *l, const struct sec_account *account)
{
    return l->at[account->number].usage;
}

bool ppg_usage_request(struct ppg_usage *u, const struct sec_account *a, int64_t now_ms, int64_t *wait_ms)
{
    bool taken = rate_take(&u->requests, &a->limits.requests, 1, now_ms, wait_ms);

    if (!taken)
        count(&u->requests_refused);
    return taken;
}

bool ppg_usage_recipients(struct ppg_usage *u, const struct sec_account *a, uint32_t n, int64_t now_ms,
                          int64_t *wait_ms)
{
    bool taken = rate_take(&u->recipients, &a->limits.recipients, n, now_ms, wait_ms);

    if (!taken)
        count(&u->recipients_refused);
    return taken;
}

bool ppg_usage_enter(struct ppg_usage *u, const struct sec_account *a)
{
    unsigned max = a->limits.connections_max ? a->limits.connections_max : UINT_MAX;
    unsigned n = atomic_load_explicit(&u->connections, memory_order_relaxed);

    do {
        if (n >= max) {
            count(&u->connections_refused);
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&u->connections, &n, n + 1, memory_order_relaxed,
                                                    memory_order_relaxed));
    (void)usage_hold(u);
    return true;
}

void ppg_usage_leave(struct ppg_usage *u)
{
    (void)atomic_fetch_sub_explicit(&u->connections, 1, memory_order_relaxed);
    usage_drop(u);
}

void ppg_usage_queue_refused(struct ppg_usage *u)
{
    count(&u->queue_refused);
}

static uint32_t connections_of(const struct ppg_usage *u)
{
    return atomic_load_explicit(&u->connections, memory_order_relaxed);
}

/* --- what the initiator sees --- */

#define POLICIES_MAX 4u

/* One item of both lists; w_ms 0: it is no rate. */
struct policy {
    const char *name;
    const char *unit; /* "" is that of requests, which need not be said */
    uint64_t quota;
    uint64_t left;
    int64_t window_ms;
    int64_t full_ms;
};

static uint64_t less(uint64_t max, uint64_t used)
{
    return used < max ? max - used : 0;
}

static struct policy rate_policy(const char *name, const char *unit, const struct rate *r,
                                 const struct rate_bucket *b, int64_t now_ms)
{
    return (struct policy){
        name, unit, r->burst, rate_left(b, r, now_ms), rate_fill_ms(r), rate_full_ms(b, now_ms)};
}

static size_t policies(const struct ppg_usage *u, const struct sec_limits *l, int64_t now_ms, int64_t queued,
                       struct policy out[POLICIES_MAX])
{
    size_t n = 0;

    if (l->requests.count)
        out[n++] = rate_policy("requests", "", &l->requests, &u->requests, now_ms);
    if (l->recipients.count)
        out[n++] = rate_policy("recipients", ";qu=\"recipients\"", &l->recipients, &u->recipients, now_ms);
    if (l->connections_max)
        out[n++] = (struct policy){.name = "connections",
                                   .unit = ";qu=\"concurrent-requests\"",
                                   .quota = l->connections_max,
                                   .left = less(l->connections_max, connections_of(u))};
    if (l->queue_max && queued >= 0)
        out[n++] = (struct policy){.name = "queue",
                                   .unit = ";qu=\"recipients\"",
                                   .quota = l->queue_max,
                                   .left = less(l->queue_max, (uint64_t)queued)};
    return n;
}

static int64_t seconds_up(int64_t ms)
{
    return (ms + 999) / 1000;
}

void ppg_usage_print(const struct ppg_usage *u, const struct sec_account *a, int64_t now_ms, int64_t queued,
                     struct buf *headers)
{
    struct policy p[POLICIES_MAX];
    size_t n = policies(u, &a->limits, now_ms, queued, p);

    for (size_t i = 0; i < n; i++) {
        buf_addf(headers, "%s\"%s\";q=%llu", i ? ", " : "RateLimit-Policy: ", p[i].name,
                 (unsigned long long)p[i].quota);
        if (p[i].window_ms)
            buf_addf(headers, ";w=%lld", (long long)seconds_up(p[i].window_ms));
        buf_add_str(headers, p[i].unit);
    }
    for (size_t i = 0; i < n; i++) {
        buf_addf(headers, "%s\"%s\";r=%llu", i ? ", " : "\r\nRateLimit: ", p[i].name,
                 (unsigned long long)p[i].left);
        if (p[i].window_ms)
            buf_addf(headers, ";t=%lld", (long long)seconds_up(p[i].full_ms));
    }
    if (n)
        buf_add_str(headers, "\r\n");
}

void ppg_usage_read(const struct ppg_usage *u, const struct sec_account *a, int64_t now_ms,
                    struct ppg_usage_figures *out)
{
    *out = (struct ppg_usage_figures){
        .requests_left = rate_left(&u->requests, &a->limits.requests, now_ms),
        .recipients_left = rate_left(&u->recipients, &a->limits.recipients, now_ms),
        .connections = connections_of(u),
        .requests_refused = atomic_load_explicit(&u->requests_refused, memory_order_relaxed),
        .recipients_refused = atomic_load_explicit(&u->recipients_refused, memory_order_relaxed),
        .connections_refused = atomic_load_explicit(&u->connections_refused, memory_order_relaxed),
        .queue_refused = atomic_load_explicit(&u->queue_refused, memory_order_relaxed),
    };
}
