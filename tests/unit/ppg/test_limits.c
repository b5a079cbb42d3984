/* What initiators use of their limits: over reloads, from several threads, and as they see it. */
#include "tests/unit/harness.h"

#include <pthread.h>

#include "ppg/limits.h"

#define NOW_MS INT64_C(100000)

static const struct sec_limits plain = {
    .requests = {10, 20, 1000}, .recipients = {100, 300, 1000}, .queue_max = 1000, .connections_max = 2};

/* The words of `names`, each with these limits. */
static struct sec_accounts *accounts_of(const char *names, const struct sec_limits *limits)
{
    struct sec_accounts *t = NULL;
    struct slice left = slice_str(names), name;

    CU_ASSERT_FATAL(sec_accounts_create(SLICE("ppg"), 10, &t) == ERR_OK);
    while (slice_item(&left, &name)) {
        char matcher[40];
        struct slice certificate = slice_of(matcher, 0);
        struct sec_account a = {
            .name = name, .certificates = &certificate, .certificates_n = 1, .limits = *limits};
        const char *why = "";

        certificate.n = (size_t)snprintf(matcher, sizeof matcher, "DNS:%.*s", SLICE_FMT(name));
        CU_ASSERT_FATAL(sec_accounts_add(t, &a, &why) == ERR_OK);
    }
    return t;
}

static struct ppg_limits *limits_of(const struct sec_accounts *t)
{
    struct ppg_limits *l = NULL;

    CU_ASSERT_FATAL(ppg_limits_create(t, &l) == ERR_OK);
    return l;
}

/* One configuration after the other. */
struct world {
    struct sec_accounts *accounts;
    struct ppg_limits *limits;
};

static struct world world_of(const char *names, const struct sec_limits *limits)
{
    struct world w = {accounts_of(names, limits), NULL};

    w.limits = limits_of(w.accounts);
    return w;
}

static void world_clear(struct world *w)
{
    ppg_limits_free(&w->limits);
    sec_accounts_free(&w->accounts);
}

static void reload(struct world *w, const char *names, const struct sec_limits *limits)
{
    struct world next = world_of(names, limits);

    ppg_limits_inherit(next.limits, next.accounts, w->limits, w->accounts);
    world_clear(w);
    *w = next;
    ppg_limits_begin(w->limits);
}

static const struct sec_account *account(const struct world *w, const char *name)
{
    const struct sec_account *a = sec_accounts_find(w->accounts, slice_str(name));

    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    return a;
}

static struct ppg_usage *usage(const struct world *w, const char *name)
{
    return ppg_limits_of(w->limits, account(w, name));
}

static bool request(const struct world *w, const char *name)
{
    int64_t wait_ms;

    return ppg_usage_request(usage(w, name), account(w, name), NOW_MS, &wait_ms);
}

static bool recipients(const struct world *w, const char *name, uint32_t n)
{
    int64_t wait_ms;

    return ppg_usage_recipients(usage(w, name), account(w, name), n, NOW_MS, &wait_ms);
}

static struct ppg_usage_figures figures(const struct world *w, const char *name)
{
    struct ppg_usage_figures f;

    ppg_usage_read(usage(w, name), account(w, name), NOW_MS, &f);
    return f;
}

static void test_each_its_own(void)
{
    struct world w = world_of("a,b", &plain);
    int64_t wait_ms = 0;

    for (int i = 0; i < 20; i++)
        CU_ASSERT(request(&w, "a"));
    CU_ASSERT_FALSE(ppg_usage_request(usage(&w, "a"), account(&w, "a"), NOW_MS, &wait_ms));
    CU_ASSERT_EQUAL(wait_ms, 100);
    CU_ASSERT(request(&w, "b"));
    CU_ASSERT(recipients(&w, "a", 300));
    CU_ASSERT_FALSE(ppg_usage_recipients(usage(&w, "a"), account(&w, "a"), 50, NOW_MS, &wait_ms));
    CU_ASSERT_EQUAL(wait_ms, 500);
    CU_ASSERT_FALSE(ppg_usage_recipients(usage(&w, "b"), account(&w, "b"), 301, NOW_MS, &wait_ms));
    CU_ASSERT_EQUAL(wait_ms, INT64_MAX);
    CU_ASSERT_EQUAL(figures(&w, "a").requests_refused, 1);
    CU_ASSERT_EQUAL(figures(&w, "a").recipients_refused, 1);
    CU_ASSERT_EQUAL(figures(&w, "a").requests_left, 0);
    CU_ASSERT_EQUAL(figures(&w, "b").requests_left, 19);
    CU_ASSERT_EQUAL(figures(&w, "b").recipients_left, 300);
    world_clear(&w);
}

/* A bucket is not full again because somebody reloaded. */
static void test_reload_keeps(void)
{
    struct world w = world_of("a,b", &plain);

    for (int i = 0; i < 20; i++)
        CU_ASSERT(request(&w, "a"));
    CU_ASSERT_FALSE(request(&w, "a"));
    CU_ASSERT(ppg_usage_enter(usage(&w, "a"), account(&w, "a")));
    reload(&w, "c,b,a", &plain); /* in other places */
    CU_ASSERT_FALSE(request(&w, "a"));
    CU_ASSERT(request(&w, "b"));
    CU_ASSERT_EQUAL(figures(&w, "a").connections, 1);
    CU_ASSERT_EQUAL(figures(&w, "a").requests_refused, 2);
    ppg_usage_leave(usage(&w, "a"));
    world_clear(&w);
}

/* Only what changed is filled, and only when the configuration is taken. */
static void test_reload_fills(void)
{
    struct sec_limits other = plain;
    struct world w = world_of("a", &plain);
    struct world next;

    other.requests.burst = 15;
    CU_ASSERT(recipients(&w, "a", 300));
    for (int i = 0; i < 20; i++)
        CU_ASSERT(request(&w, "a"));
    next = world_of("a", &other);
    ppg_limits_inherit(next.limits, next.accounts, w.limits, w.accounts);
    CU_ASSERT_FALSE(request(&w, "a"));
    world_clear(&next); /* it was refused after all */
    CU_ASSERT_FALSE(request(&w, "a"));
    reload(&w, "a", &other);
    CU_ASSERT_EQUAL(figures(&w, "a").requests_left, 15);
    CU_ASSERT_FALSE(recipients(&w, "a", 1));
    other.recipients.count = 0;
    reload(&w, "a", &other);
    CU_ASSERT(recipients(&w, "a", 1000000));
    world_clear(&w);
}

/* Who was away begins anew. */
static void test_reload_forgets(void)
{
    struct world w = world_of("a,b", &plain);

    for (int i = 0; i < 20; i++)
        CU_ASSERT(request(&w, "a"));
    reload(&w, "b", &plain);
    reload(&w, "a,b", &plain);
    CU_ASSERT(request(&w, "a"));
    world_clear(&w);
}

static void test_connections(void)
{
    const struct sec_limits none = {.connections_max = 0};
    struct world w = world_of("a", &plain);
    struct ppg_usage *u = usage(&w, "a");

    CU_ASSERT(ppg_usage_enter(u, account(&w, "a")));
    CU_ASSERT(ppg_usage_enter(u, account(&w, "a")));
    CU_ASSERT_FALSE(ppg_usage_enter(u, account(&w, "a")));
    CU_ASSERT_EQUAL(figures(&w, "a").connections, 2);
    CU_ASSERT_EQUAL(figures(&w, "a").connections_refused, 1);
    ppg_usage_leave(u);
    CU_ASSERT(ppg_usage_enter(u, account(&w, "a")));
    reload(&w, "a", &none);
    CU_ASSERT(ppg_usage_enter(u, account(&w, "a")));
    CU_ASSERT_EQUAL(figures(&w, "a").connections, 3);
    ppg_usage_leave(u);
    ppg_usage_leave(u);
    world_clear(&w);
    ppg_usage_leave(u); /* a connection that outlives the last configuration */
}

#define THREADS 4
#define TURNS   20000

struct guest {
    const struct world *w;
    unsigned refused;
};

static void *come_and_go(void *arg)
{
    struct guest *g = arg;

    for (int i = 0; i < TURNS; i++) {
        if (ppg_usage_enter(usage(g->w, "a"), account(g->w, "a")))
            ppg_usage_leave(usage(g->w, "a"));
        else
            g->refused++;
    }
    return NULL;
}

/* With a place for each thread nobody is ever refused, and in the end all are gone. */
static void test_connections_of_threads(void)
{
    const struct sec_limits limits = {.connections_max = THREADS};
    struct world w = world_of("a", &limits);
    struct guest guests[THREADS];
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        guests[i] = (struct guest){&w, 0};
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, come_and_go, &guests[i]) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(guests[i].refused, 0);
    }
    CU_ASSERT_EQUAL(figures(&w, "a").connections, 0);
    world_clear(&w);
}

static const struct {
    struct sec_limits limits;
    uint32_t requests, recipients, connections; /* used before */
    int64_t queued;
    const char *want;
} prints[] = {
    {{.queue_max = 0}, 0, 0, 0, 5, ""},
    {{.body_max_n = 5000}, 0, 0, 0, 5, ""},
    {{.queue_max = 10}, 0, 0, 0, -1, ""},
    {{.requests = {200, 400, 1000}},
     1,
     0,
     0,
     -1,
     "RateLimit-Policy: \"requests\";q=400;w=2\r\nRateLimit: \"requests\";r=399;t=1\r\n"},
    {{.requests = {1, 3, 3600000}},
     3,
     0,
     0,
     -1,
     "RateLimit-Policy: \"requests\";q=3;w=10800\r\nRateLimit: \"requests\";r=0;t=10800\r\n"},
    {{.queue_max = 10},
     0,
     0,
     0,
     3,
     "RateLimit-Policy: \"queue\";q=10;qu=\"recipients\"\r\nRateLimit: \"queue\";r=7\r\n"},
    {{.queue_max = 10},
     0,
     0,
     0,
     30,
     "RateLimit-Policy: \"queue\";q=10;qu=\"recipients\"\r\nRateLimit: \"queue\";r=0\r\n"},
    {{.requests = {10, 20, 1000}, .recipients = {100, 300, 1000}, .queue_max = 1000, .connections_max = 2},
     5,
     150,
     1,
     999,
     "RateLimit-Policy: \"requests\";q=20;w=2, \"recipients\";q=300;w=3;qu=\"recipients\", "
     "\"connections\";q=2;qu=\"concurrent-requests\", \"queue\";q=1000;qu=\"recipients\"\r\n"
     "RateLimit: \"requests\";r=15;t=1, \"recipients\";r=150;t=2, \"connections\";r=1, \"queue\";r=1\r\n"},
};

static void test_prints(void)
{
    for (size_t i = 0; i < COUNT(prints); i++) {
        struct world w = world_of("a", &prints[i].limits);
        struct buf out;

        test_row(i);
        buf_init(&out, 4096);
        for (uint32_t k = 0; k < prints[i].requests; k++)
            CU_ASSERT(request(&w, "a"));
        CU_ASSERT(recipients(&w, "a", prints[i].recipients));
        for (uint32_t k = 0; k < prints[i].connections; k++)
            CU_ASSERT(ppg_usage_enter(usage(&w, "a"), account(&w, "a")));
        ppg_usage_print(usage(&w, "a"), account(&w, "a"), NOW_MS, prints[i].queued, &out);
        TEST_SLICE_EQ(buf_slice(&out), slice_str(prints[i].want));
        for (uint32_t k = 0; k < prints[i].connections; k++)
            ppg_usage_leave(usage(&w, "a"));
        buf_clear(&out);
        world_clear(&w);
    }
}

const struct test_case test_cases[] = {
    {"each_its_own", test_each_its_own},
    {"reload_keeps", test_reload_keeps},
    {"reload_fills", test_reload_fills},
    {"reload_forgets", test_reload_forgets},
    {"connections", test_connections},
    {"connections_of_threads", test_connections_of_threads},
    {"prints", test_prints},
    {NULL, NULL},
};
